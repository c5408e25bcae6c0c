//! The sections `[[notification]]` of the settings file: who is told what. They stand in the file
//! only, secrets never in it. Every mistake is told with its line.

use std::net::IpAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use toml_edit::{Document, Table};
use ureq::http::Uri;

use super::directory::Secret;
use super::mistake::{Mistake, Place};
use super::quantity;
use super::section::Section;
use crate::notification::endpoint::Wishes;
use crate::notification::event::Kind;

/// The key of the sections.
pub(super) const SECTIONS: &str = "notification";

/// Each has a thread of its own.
const MOST_ENDPOINTS: usize = 16;
/// Octets of a name at most.
const LONGEST_NAME: usize = 64;
const DAY: u64 = 86_400;
const HOUR: u64 = 3600;
/// The longest distance from an end, and the longest that an event is kept.
const LONGEST_SECONDS: u64 = 3660 * DAY;

/// An endpoint of notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationSection {
    /// Its name, on record and in metrics.
    pub name: String,
    /// Where to.
    pub url: String,
    /// Where its secrets are, never none.
    pub secrets: Vec<Secret>,
    /// What it wants to know.
    pub wishes: Wishes,
    /// PEM file of the roots that its TLS certificate leads to; the system's if none.
    pub root_file: Option<PathBuf>,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Events older than this are given up.
    pub life_seconds: u64,
}

/// Reads every section of a document that parses.
pub(super) fn sections(
    document: &Document<&str>,
    place: &dyn Fn(Option<Range<usize>>) -> Place,
    mistakes: &mut Vec<Mistake>,
) -> Vec<NotificationSection> {
    let Some(item) = document.as_table().get(SECTIONS) else { return Vec::new() };
    let Some(tables) = item.as_array_of_tables() else {
        let why = "notification is a list of tables: write [[notification]]".to_owned();
        mistakes.push(Mistake::new(place(item.span()), why));
        return Vec::new();
    };
    let mut found: Vec<NotificationSection> = Vec::new();
    for (number, table) in tables.iter().enumerate() {
        let mut section = Section::of(SECTIONS, table, place, mistakes);
        if number == MOST_ENDPOINTS {
            section.wrong(table.span(), format!("more than {MOST_ENDPOINTS} endpoints"));
        }
        let Some(read) = section.notification() else { continue };
        if found.iter().any(|other| other.name == read.name) {
            section.wrong(name_span(table), "another endpoint has this name".to_owned());
        }
        found.push(read);
    }
    found
}

fn name_span(table: &Table) -> Option<Range<usize>> {
    table.key("name").and_then(toml_edit::Key::span).or_else(|| table.span())
}

impl Section<'_> {
    fn notification(&mut self) -> Option<NotificationSection> {
        let before = self.mistakes.len();
        let name = self.endpoint_name();
        let url = self.endpoint_url();
        let secrets = self.secrets();
        let wishes = Wishes {
            kinds: self.kinds(),
            templates: self.texts("templates"),
            certificates_before: self.distances("certificate_before", &[30 * DAY, 7 * DAY]),
            authorities_before: self
                .distances("ca_before", &[365 * DAY, 90 * DAY, 30 * DAY, 7 * DAY]),
            crl_before: self.distances("crl_before", &[6 * HOUR, HOUR]),
            parent_crl_before: self.distances("parent_crl_before", &[30 * DAY, 7 * DAY, DAY]),
            answers_before: self.distances("ocsp_before", &[6 * HOUR, HOUR]),
        };
        let timeout = self.seconds_within("timeout", 10, 1, 60);
        let life_seconds = self.seconds_within("give_up_after", 3 * DAY, 60, LONGEST_SECONDS);
        let root_file = self.text("root_file").map(PathBuf::from);
        self.unknown_keys();
        (self.mistakes.len() == before).then(|| NotificationSection {
            name,
            url,
            secrets,
            wishes,
            root_file,
            timeout: Duration::from_secs(timeout),
            life_seconds,
        })
    }

    fn endpoint_name(&mut self) -> String {
        let what = "what the endpoint is called on record and in metrics";
        let name = self.needed("name", what).unwrap_or_default();
        let fits = |one: u8| one.is_ascii_alphanumeric() || b"-_.".contains(&one);
        if !name.bytes().all(fits) || name.len() > LONGEST_NAME {
            let why = format!("{name:?} is not letters, digits, '-', '_', '.', at most 64");
            self.wrong(self.span("name"), why);
        }
        name
    }

    /// A secret is in what is signed, not in how it travels; what is told should be read by
    /// nobody on the way all the same.
    fn endpoint_url(&mut self) -> String {
        let url = self.needed("url", "where notifications are sent, https://…").unwrap_or_default();
        let in_the_clear = self.boolean("allow_http") == Some(true);
        let why = match url.parse::<Uri>() {
            _ if url.is_empty() => None,
            Ok(read) => match (read.scheme_str(), read.authority(), read.host()) {
                (_, Some(authority), _) if authority.as_str().contains('@') => {
                    Some("a password does not belong in url: notifications are signed")
                }
                (Some("https"), Some(_), Some(_)) => None,
                (Some("http"), _, Some(host)) if in_the_clear || is_loopback(host) => None,
                (Some("http"), _, Some(_)) => Some(
                    "url is http://, which anybody on the way reads; https://, or \
                     allow_http = true",
                ),
                _ => Some("url is not of the form https://host[:port]/path"),
            },
            Err(_) => Some("url is not of the form https://host[:port]/path"),
        };
        if let Some(why) = why {
            self.wrong(self.span("url"), why.to_owned());
        }
        url
    }

    fn secrets(&mut self) -> Vec<Secret> {
        if self.table.get("secret").is_some() {
            self.read.push("secret");
            let why = "a secret does not belong here: secret_file names a file with it, \
                       secret_variable a variable of the environment";
            self.wrong(self.span("secret"), why.to_owned());
        }
        let files = self.texts("secret_file").unwrap_or_default();
        let mut secrets: Vec<Secret> =
            files.into_iter().map(|file| Secret::File(PathBuf::from(file))).collect();
        if let Some(variable) = self.text("secret_variable") {
            if variable.starts_with("CHANCERY_") {
                let why = "variables that begin with CHANCERY_ are settings".to_owned();
                self.wrong(self.span("secret_variable"), why);
            }
            secrets.push(Secret::Variable(variable));
        }
        if secrets.is_empty() {
            self.missing("secret_file", "the file with the secret that the receiver knows too");
        }
        secrets
    }

    fn kinds(&mut self) -> Vec<Kind> {
        let known = Kind::ALL.map(Kind::as_str).join(", ");
        if self.table.get("events").is_none() {
            self.missing("events", &known);
        }
        let mut kinds = Vec::new();
        for word in self.texts("events").unwrap_or_default() {
            match Kind::from_word(&word) {
                Some(kind) => kinds.push(kind),
                None => self.wrong(self.span("events"), format!("{word:?} is not one of {known}")),
            }
        }
        kinds
    }

    fn distances(&mut self, key: &'static str, usual: &[u64]) -> Vec<u64> {
        let Some(texts) = self.texts(key) else { return usual.to_vec() };
        let mut distances = Vec::new();
        for text in texts {
            match quantity::seconds(&text).filter(|own| (1..=LONGEST_SECONDS).contains(own)) {
                Some(seconds) => distances.push(seconds),
                None => {
                    let why = format!("{text:?} is not a time before the end, such as \"30d\"");
                    self.wrong(self.span(key), why);
                }
            }
        }
        distances
    }

    fn seconds_within(&mut self, key: &'static str, usual: u64, from: u64, to: u64) -> u64 {
        let seconds = self.seconds(key, usual);
        if !(from..=to).contains(&seconds) {
            let why = format!("{key} must be from {from}s to {to}s");
            self.wrong(self.span(key), why);
        }
        seconds
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
