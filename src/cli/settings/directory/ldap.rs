//! `kind = "ldap"`: an Active Directory domain.

use std::path::PathBuf;
use std::time::Duration;

use super::super::section::Section;
use crate::directory::ldap::Domain;
use crate::directory::ldap::pool::Bounds;

/// An Active Directory domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LdapSection {
    /// Its names, and how its groups are named.
    pub domain: Domain,
    /// What stands behind the `@` of its accounts.
    pub upn_suffixes: Vec<String>,
    /// Whether a name without realm is its, where a password comes with it.
    pub is_default: bool,
    /// Its domain controllers, in order.
    pub servers: Vec<String>,
    /// The account that looks others up.
    pub bind_name: String,
    /// Where that account's password is.
    pub bind_password: Secret,
    /// PEM file of the roots that the controllers' TLS certificates lead to; the system's if none.
    pub root_file: Option<PathBuf>,
    /// How much at a time.
    pub bounds: Bounds,
}

/// Where a secret is: never in the settings themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// In this file, less a line's end.
    File(PathBuf),
    /// In this variable of the environment.
    Variable(String),
}

impl LdapSection {
    /// Why both cannot be there.
    pub(super) fn clash(&self, other: &Self) -> Option<&'static str> {
        let both = self.is_default && other.is_default;
        let alike = |suffix: &String| {
            other.upn_suffixes.iter().any(|other| other.eq_ignore_ascii_case(suffix))
        };
        if both {
            Some("another directory has default_realm = true")
        } else if self.upn_suffixes.iter().any(alike) {
            Some("another directory has one of these upn_suffixes")
        } else {
            None
        }
    }
}

impl Section<'_> {
    pub(super) fn ldap(&mut self) -> Option<LdapSection> {
        let before = self.mistakes.len();
        let realm = self.realm();
        let base = self.needed("base", "the domain's name, DC=corp,DC=contoso,DC=com");
        let base = base.unwrap_or_default();
        let dns_name = match dns_name(&base) {
            Some(name) => name,
            None => {
                if !base.is_empty() {
                    let why = format!("{base:?} is no domain's name, DC=corp,DC=contoso,DC=com");
                    self.wrong(self.span("base"), why);
                }
                String::new()
            }
        };
        let upn_suffixes = self.texts("upn_suffixes").unwrap_or_else(|| vec![dns_name.clone()]);
        let timeout = Duration::from_secs(self.seconds("timeout", 5));
        let section = LdapSection {
            servers: self.servers(),
            bind_name: self.needed("bind_name", "who looks accounts up").unwrap_or_default(),
            bind_password: self.bind_password(),
            root_file: self.text("root_file").map(PathBuf::from),
            is_default: self.boolean("default_realm") == Some(true),
            bounds: Bounds {
                sessions: self.number("connections", 8, 1..=64),
                waiting: self.number("waiting", 24, 0..=1024),
                patience: timeout,
                retry: Duration::from_secs(self.seconds("retry", 2).max(1)),
            },
            domain: Domain { realm, base, dns_name, group_form: self.group_form() },
            upn_suffixes,
        };
        self.unknown_keys();
        (self.mistakes.len() == before).then_some(section)
    }

    /// `ldaps://host`, or `ldap://host` where StartTLS is asked for by name: a password never
    /// travels in the clear, and nobody is to believe that it does.
    fn servers(&mut self) -> Vec<String> {
        let start_tls = self.boolean("start_tls") == Some(true);
        if self.table.get("servers").is_none() {
            self.missing("servers", "one or several, ldaps://dc1.corp.contoso.com");
        }
        let servers = self.texts("servers").unwrap_or_default();
        for server in &servers {
            let host = match server.split_once("://") {
                Some(("ldaps", host)) => host,
                Some(("ldap", host)) if start_tls => host,
                Some(("ldap", _)) => {
                    let why = format!("{server}: without TLS; ldaps://, or start_tls = true");
                    self.wrong(self.span("servers"), why);
                    continue;
                }
                _ => "",
            };
            if !is_host_and_port(host) {
                let why = format!("{server:?} is not of the form ldaps://host[:port]");
                self.wrong(self.span("servers"), why);
            }
        }
        servers
    }

    fn bind_password(&mut self) -> Secret {
        if self.table.get("bind_password").is_some() {
            self.read.push("bind_password");
            let why = "a password does not belong here: bind_password_file names a file with it, \
                       bind_password_variable a variable of the environment";
            self.wrong(self.span("bind_password"), why.to_owned());
        }
        let file = self.text("bind_password_file");
        let variable = self.text("bind_password_variable");
        match (file, variable) {
            (Some(file), None) => Secret::File(PathBuf::from(file)),
            (None, Some(variable)) => {
                if variable.starts_with("CHANCERY_") {
                    let why = "variables that begin with CHANCERY_ are settings".to_owned();
                    self.wrong(self.span("bind_password_variable"), why);
                }
                Secret::Variable(variable)
            }
            (None, None) => {
                self.missing("bind_password_file", "the file with bind_name's password");
                Secret::File(PathBuf::new())
            }
            (Some(_), Some(_)) => {
                let why = "bind_password_file and bind_password_variable are one too many";
                self.wrong(self.span("bind_password_variable"), why.to_owned());
                Secret::File(PathBuf::new())
            }
        }
    }
}

/// The DNS name of a domain's distinguished name ([MS-ADTS] §3.1.1.1.5).
fn dns_name(base: &str) -> Option<String> {
    let labels: Option<Vec<&str>> = base
        .split(',')
        .map(|part| {
            let (kind, label) = part.trim().split_once('=')?;
            let fits = |one: char| one.is_alphanumeric() || one == '-' || one == '_';
            (kind.eq_ignore_ascii_case("dc") && !label.is_empty() && label.chars().all(fits))
                .then_some(label)
        })
        .collect();
    Some(labels?.join("."))
}

fn is_host_and_port(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let fits = |one: char| one.is_ascii_alphanumeric() || one == '-' || one == '.';
    !host.is_empty()
        && host.chars().all(fits)
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number > 0))
}
