//! The parties of an Always On VPN, enrolled by an outsider: servers, a user, and a revoked user.

use crate::authority::Authority;
use crate::{applicant, machine};
use serde_json::{Value, json};
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

/// A user with a VPN User Authentication certificate; `number` makes the SID.
pub fn user(authority: &Authority, folder: &Path, name: &str, number: u32) -> Party {
    authority.create_account(&json!({
        "name": name, "kind": "user", "cn": name,
        "distinguished_name": format!("CN={name},OU=Staff,DC=corp,DC=contoso,DC=com"),
        "user_principal_name": format!("{name}@corp.contoso.com"),
        "object_sid": format!("S-1-5-21-1004336348-1177238915-682003330-{number}"),
        "groups": ["VPN Users"],
    }));
    enrolled(authority, folder, name, "VPNUserAuthentication", Some(name))
}

/// The NPS (RADIUS) server, named by its account.
pub fn nps_server(authority: &Authority, folder: &Path) -> Party {
    authority.create_account(&json!({
        "name": "NPS01$", "kind": "computer", "dns_host_name": "nps01.corp.contoso.com",
        "object_sid": "S-1-5-21-1004336348-1177238915-682003330-1103", "groups": ["NPS Servers"],
    }));
    enrolled(authority, folder, "nps", "NPSServerAuthentication", Some("NPS01$"))
}

/// The VPN server, named by its request.
pub fn vpn_server(authority: &Authority, folder: &Path) -> Party {
    enrolled(authority, folder, "vpn", "VPNServerAuthentication", None)
}

fn enrolled(
    authority: &Authority,
    folder: &Path,
    name: &str,
    template: &str,
    on_behalf_of: Option<&str>,
) -> Party {
    let key = applicant::key(folder, name, "rsa2048");
    let csr = applicant::request(folder, name, &key, "/CN=vpn.contoso.com", "DNS:vpn.contoso.com");
    let answer = authority.enrol(template, &csr, on_behalf_of);
    let text = |field: &Value| field.as_str().expect("text").to_owned();
    let certificate = folder.join(format!("{name}.pem"));
    machine::write(&certificate, text(&answer["certificate"]));
    Party { certificate, key, serial_number: text(&answer["serial_number"]) }
}
