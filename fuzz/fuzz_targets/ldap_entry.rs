//! What a hostile domain controller sends for an entry: an account with nothing in it that the
//! entry does not say, and names for a certificate or a denial.
#![no_main]

use std::collections::HashMap;
use std::sync::LazyLock;

use chancery::directory::ldap::entry::{account, guid, octets, sid};
use chancery::pki::account::is_account_name;
use chancery::pki::certificate::Certificate;
use chancery::pki::policy::is_named_by_directory;
use chancery::pki::template::{Template, shipped};
use chancery::pki::time::Timestamp;
use ldap3::SearchEntry;
use libfuzzer_sys::fuzz_target;

static TEMPLATES: LazyLock<Vec<Template>> = LazyLock::new(shipped);

/// A line for each value: the attribute's name, an equals sign, the value. The library sorts
/// values by whether they happen to be UTF-8.
fn entry(bytes: &[u8]) -> SearchEntry {
    let mut attrs: HashMap<String, Vec<String>> = HashMap::new();
    let mut bin_attrs: HashMap<String, Vec<Vec<u8>>> = HashMap::new();
    for line in bytes.split(|octet| *octet == b'\n') {
        let Some(at) = line.iter().position(|octet| *octet == b'=') else { continue };
        let Ok(name) = std::str::from_utf8(&line[..at]) else { continue };
        let value = line[at + 1..].to_vec();
        match String::from_utf8(value) {
            Ok(text) => attrs.entry(name.to_owned()).or_default().push(text),
            Err(error) => bin_attrs.entry(name.to_owned()).or_default().push(error.into_bytes()),
        }
    }
    SearchEntry { dn: String::new(), attrs, bin_attrs }
}

fuzz_target!(|bytes: &[u8]| {
    let _ = sid(bytes);
    let _ = guid(bytes);
    let entry = entry(bytes);
    let now = Timestamp::from_seconds(1_780_300_800);
    let Some(account) = account(&entry, "CORP", Vec::new(), now) else { return };
    assert!(account.name.strip_prefix("CORP\\").is_some_and(is_account_name));
    let texts = [&account.cn, &account.mail, &account.user_principal_name, &account.dns_host_name];
    let texts = texts.into_iter().flatten().chain(&account.distinguished_name);
    let mut texts = texts.chain(&account.service_principal_names);
    assert!(texts.all(|text| !text.is_empty() && !text.contains(char::is_control)));
    assert!(account.groups.is_empty());
    if account.enabled {
        // Who may not see whether it is disabled takes it for disabled.
        let control = octets(&entry, "userAccountControl");
        assert!(control.iter().any(|value| !value.is_empty()));
    }
    let certificate = include_bytes!("../seeds/client_certificate/user.der");
    let certificate = Certificate::from_der(certificate).expect("the seed is a certificate");
    for template in &*TEMPLATES {
        let _ = is_named_by_directory(template, &account, &certificate);
    }
});
