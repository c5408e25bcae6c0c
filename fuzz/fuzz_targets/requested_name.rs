//! A name out of a request against rules: refused, or plainly within them.
#![no_main]

use std::sync::LazyLock;

use chancery::pki::account::{Account, AccountKind};
use chancery::pki::template::{NameRules, RequestedNames, RequestedNamesFile, Template, shipped};
use libfuzzer_sys::fuzz_target;

static RULES: LazyLock<NameRules> = LazyLock::new(|| {
    let servers = shipped().into_iter().find(|own| own.cn() == "VPNServerAuthentication");
    let mut file = servers.expect("it is shipped").to_file();
    file.requested_names = Some(RequestedNamesFile {
        dns_suffixes: vec!["vpn.contoso.com".into()],
        uris: vec!["https://vpn.contoso.com/u/".into()],
        ..RequestedNamesFile::default()
    });
    let template = Template::from_file(&file).expect("the rules are right");
    match template.requested_names() {
        Some(RequestedNames::Within(rules)) => (**rules).clone(),
        _ => panic!("they are rules"),
    }
});

fn nobody() -> Account {
    Account {
        name: "nobody".into(),
        kind: AccountKind::Service,
        cn: None,
        display_name: None,
        distinguished_name: None,
        user_principal_name: None,
        mail: None,
        dns_host_name: None,
        object_sid: None,
        object_guid: None,
        service_principal_names: vec![],
        groups: vec![],
        enabled: true,
    }
}

fuzz_target!(|name: &str| {
    if RULES.check_dns_name(name, &nobody()).is_ok() {
        let lower = name.to_lowercase();
        assert!(lower == "vpn.contoso.com" || lower.ends_with(".vpn.contoso.com"));
        assert!(!lower.contains(['*', '_', '\0', '%', '/', '@', ' ']));
    }
    if RULES.check_uri(name).is_ok() {
        assert!(name[8..].to_lowercase().starts_with("vpn.contoso.com/u/"));
        assert!(!name.contains("/../") && !name.contains('#'));
    }
    assert!(RULES.check_email(name, &nobody()).is_err());
    assert!(RULES.check_user_principal_name(name, &nobody()).is_err());
});
