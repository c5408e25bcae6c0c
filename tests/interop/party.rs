//! The parties of an Always On VPN, enrolled by an outsider: servers, users, devices.

use crate::authority::Authority;
use crate::{applicant, machine};
use serde_json::{Value, json};
use std::cell::Cell;
use std::path::{Path, PathBuf};

/// Who holds a certificate and its key.
pub struct Party {
    /// PEM.
    pub certificate: PathBuf,
    /// PEM, not encrypted.
    pub key: PathBuf,
    /// As the API gave it.
    pub serial_number: String,
}

/// Contoso, whose parties all have certificates of one authority and keys of one kind.
pub struct Site<'a> {
    authority: &'a Authority,
    folder: &'a Path,
    keys: &'a str,
    /// What the next SID ends with.
    relative_identifier: Cell<u32>,
}

impl<'a> Site<'a> {
    /// `keys` is `rsa2048` or `p256`.
    pub fn new(authority: &'a Authority, folder: &'a Path, keys: &'a str) -> Self {
        Self { authority, folder, keys, relative_identifier: Cell::new(1103) }
    }

    /// A user with a VPN User Authentication certificate.
    pub fn user(&self, name: &str) -> Party {
        self.authority.create_account(&json!({
            "name": name, "kind": "user", "cn": name,
            "distinguished_name": format!("CN={name},OU=Staff,DC=corp,DC=contoso,DC=com"),
            "user_principal_name": format!("{name}@corp.contoso.com"),
            "object_sid": self.sid(), "groups": ["VPN Users"],
        }));
        self.enrolled(name, self.keys, "VPNUserAuthentication", Some(name))
    }

    /// A laptop with a certificate for the device tunnel; its account's name ends with `$`.
    pub fn device(&self, name: &str) -> Party {
        self.computer(name, "VPN Devices");
        self.authority.publish_template("VPNDeviceTunnel");
        self.enrolled(&host(name), self.keys, "VPNDeviceTunnel", Some(name))
    }

    /// The NPS (RADIUS) server, named by its account. Its template takes RSA keys alone.
    pub fn nps_server(&self) -> Party {
        self.computer("NPS01$", "NPS Servers");
        self.enrolled("nps01", "rsa2048", "NPSServerAuthentication", Some("NPS01$"))
    }

    /// The VPN server, named by its request.
    pub fn vpn_server(&self) -> Party {
        self.enrolled("vpn", self.keys, "VPNServerAuthentication", None)
    }

    /// A web server, named by its request: no client.
    pub fn web_server(&self) -> Party {
        self.authority.publish_template("WebServer");
        self.enrolled("www", self.keys, "WebServer", None)
    }

    fn computer(&self, name: &str, group: &str) {
        self.authority.create_account(&json!({
            "name": name, "kind": "computer",
            "dns_host_name": format!("{}.corp.contoso.com", host(name)),
            "object_sid": self.sid(), "groups": [group],
        }));
    }

    fn sid(&self) -> String {
        let last = self.relative_identifier.replace(self.relative_identifier.get() + 1);
        format!("S-1-5-21-1004336348-1177238915-682003330-{last}")
    }

    /// The names in the request count only where the template says so.
    fn enrolled(
        &self,
        name: &str,
        keys: &str,
        template: &str,
        on_behalf_of: Option<&str>,
    ) -> Party {
        let key = applicant::key(self.folder, name, keys);
        let asked = format!("{name}.contoso.com");
        let (subject, alternative) = (format!("/CN={asked}"), format!("DNS:{asked}"));
        let csr = applicant::request(self.folder, name, &key, &subject, &alternative);
        let answer = self.authority.enrol(template, &csr, on_behalf_of);
        let text = |field: &Value| field.as_str().expect("text").to_owned();
        let certificate = self.folder.join(format!("{name}.pem"));
        machine::write(&certificate, text(&answer["certificate"]));
        Party { certificate, key, serial_number: text(&answer["serial_number"]) }
    }
}

fn host(account: &str) -> String {
    account.trim_end_matches('$').to_lowercase()
}
