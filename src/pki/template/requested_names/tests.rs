//! What the rules let through, and what never.

use proptest::prelude::*;

use super::*;
use crate::pki::account::AccountKind;

fn rules(suffixes: &[&str], names: &[&str], addresses: &[&str]) -> NameRules {
    NameRules {
        dns_suffixes: suffixes.iter().map(|text| text.parse().unwrap()).collect(),
        dns_names: names.iter().map(|text| text.parse().unwrap()).collect(),
        addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        ..NameRules::default()
    }
}

/// An account without a name of its own.
fn nobody() -> Account {
    Account {
        name: "nobody".to_owned(),
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

#[test]
fn suffixes_end_on_label_borders() {
    let rules = rules(&["contoso.com"], &["vpn"], &["132.64.86.2", "10.1.0.0/16", "fd00::/16"]);
    for name in ["contoso.com", "VPN.Contoso.com", "a.b.contoso.com", "vpn", "132.64.86.2"] {
        assert!(rules.check_dns_name(name, &nobody()).is_ok(), "{name}");
    }
    for name in [
        "evilcontoso.com",
        "contoso.com.evil.org",
        "vpn.",
        "dc",
        "132.64.86.3",
        "10.2.0.1",
        "*.contoso.com",
        "vpn.contoso.com\0.evil.org",
        "",
    ] {
        assert!(rules.check_dns_name(name, &nobody()).is_err(), "{name}");
    }
    assert!(rules.check_address("10.1.2.3".parse().unwrap()).is_ok());
    assert!(rules.check_address("fd00::1".parse().unwrap()).is_ok());
    assert!(rules.check_address("::ffff:10.1.2.3".parse().unwrap()).is_err());
}

#[test]
fn wildcards_only_where_allowed_and_only_in_front() {
    let mut rules = rules(&["contoso.com"], &["vpn.example.net"], &[]);
    rules.wildcards = Wildcards::Allowed;
    assert!(rules.check_dns_name("*.contoso.com", &nobody()).is_ok());
    for name in ["*", "*.", "*.com", "*.vpn.example.net", "a.*.contoso.com", "a*.contoso.com"] {
        assert!(rules.check_dns_name(name, &nobody()).is_err(), "{name}");
    }
}

#[test]
fn rules_that_bind_nobody_are_free() {
    for suffix in ["", "com", ".com", "co.uk", "local"] {
        assert!(
            RequestedNames::Within(Box::new(rules(&[suffix], &[], &[]))).are_free(),
            "{suffix}"
        );
    }
    for address in ["0.0.0.0/0", "128.0.0.0/1", "::/0", "2000::/3"] {
        assert!(
            RequestedNames::Within(Box::new(rules(&[], &[], &[address]))).are_free(),
            "{address}"
        );
    }
    let bound = rules(&["contoso.com", "vpn.contoso.co.uk"], &["vpn"], &["10.0.0.0/8"]);
    assert!(!RequestedNames::Within(Box::new(bound)).are_free());
}

#[test]
fn networks_have_no_host_bits() {
    for text in ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "10.0.0/8", "::1/64"] {
        assert_eq!(text.parse::<AddressRange>(), Err(NotAName), "{text}");
    }
    assert_eq!("10.0.0.0/32".parse::<AddressRange>().unwrap().to_string(), "10.0.0.0");
}

#[test]
fn international_names_are_compared_as_a_labels() {
    // The rule as an administrator writes it, and as it is kept.
    let rules = rules(&["bücher.example"], &["münchen.contoso.com"], &[]);
    assert_eq!(rules.dns_suffixes[0].as_str(), "xn--bcher-kva.example");
    for name in [
        "xn--bcher-kva.example",
        "XN--BCHER-KVA.example",
        "vpn.xn--bcher-kva.example",
        "bücher.example",
        "BÜCHER.example",
        "xn--mnchen-3ya.contoso.com",
    ] {
        assert_eq!(rules.check_dns_name(name, &nobody()), Ok(()), "{name}");
    }
    for (name, broken) in [
        // Fullwidth letters and the ideographic full stop map to a name inside, but are not it.
        ("ｖｐｎ.bücher.example", Broken::NotCanonical),
        ("vpn。bücher.example", Broken::NotCanonical),
        // No name maps to these: not Punycode, Punycode of ASCII.
        ("xn--zzzzzzzz99999.bücher.example", Broken::NotCanonical),
        ("xn--vpn-.xn--bcher-kva.example", Broken::NotCanonical),
        // One Cyrillic letter among Latin ones, and a word all Cyrillic that looks Latin.
        ("аdmin.bücher.example", Broken::Deceptive),
        ("xn--dmin-7cd.xn--bcher-kva.example", Broken::Deceptive),
        ("ѕсоре.bücher.example", Broken::Deceptive),
        // A right-to-left letter between left-to-right ones (RFC 5893), and no letter at all.
        ("aא1.bücher.example", Broken::NotCanonical),
        ("a\u{202e}b.bücher.example", Broken::NotCanonical),
        ("a\0.bücher.example", Broken::NotCanonical),
        ("a\0.xn--bcher-kva.example", Broken::NotCanonical),
        ("a_b.contoso.com", Broken::NotADnsName),
        ("contoso.com.", Broken::NotADnsName),
        ("0x7f000001", Broken::NotADnsName),
        ("127.1", Broken::NotADnsName),
    ] {
        let refused = rules.check_dns_name(name, &nobody());
        assert_eq!(refused, Err(broken), "{name}");
    }
}

#[test]
fn mail_and_upn_end_in_a_listed_domain() {
    let rules = NameRules {
        email_domains: vec!["contoso.com".parse().unwrap()],
        upn_suffixes: vec!["contoso.com".parse().unwrap(), ".corp.contoso.com".parse().unwrap()],
        ..NameRules::default()
    };
    for address in ["alice@contoso.com", "Alice@CONTOSO.COM", "a.b+c@contoso.com"] {
        assert_eq!(rules.check_email(address, &nobody()), Ok(()), "{address}");
    }
    for address in
        ["alice@corp.contoso.com", "a@evilcontoso.com", "a@b@contoso.com", "@contoso.com"]
    {
        let refused = rules.check_email(address, &nobody());
        assert_eq!(refused, Err(Broken::OutsideEmailDomains), "{address}");
    }
    for name in ["alice@contoso.com", "ålice@contoso.com", "alice@eu.corp.contoso.com"] {
        assert_eq!(rules.check_user_principal_name(name, &nobody()), Ok(()), "{name}");
    }
    for (name, broken) in [
        ("alice@corp.contoso.com", Broken::OutsideUpnSuffixes),
        ("alice", Broken::OutsideUpnSuffixes),
        ("alice@evil.org@contoso.com", Broken::OutsideUpnSuffixes),
        ("аdministrator@contoso.com", Broken::Deceptive),
        ("alice@ｃontoso.com", Broken::NotCanonical),
    ] {
        let refused = rules.check_user_principal_name(name, &nobody());
        assert_eq!(refused, Err(broken), "{name}");
    }
    // A suffix says nothing of what stands before it.
    assert!(RequestedNames::Within(Box::new(rules)).name_accounts());
}

#[test]
fn uris_lie_within_scheme_host_and_path() {
    let rules = NameRules {
        uris: [
            "https://vpn.contoso.com/users/",
            "spiffe://.contoso.com",
            "urn:contoso:",
            "https://vpn.contoso.com:8443/a",
        ]
        .map(|uri| uri.parse().unwrap())
        .into(),
        ..NameRules::default()
    };
    for uri in [
        "https://vpn.contoso.com/users/alice",
        "HTTPS://VPN.Contoso.COM/users/alice?x=%20",
        "spiffe://eu.contoso.com/ns/vpn",
        "urn:contoso:vpn:7",
        "https://vpn.contoso.com:8443/a",
        "https://vpn.contoso.com:8443/a/b",
    ] {
        assert_eq!(rules.check_uri(uri), Ok(()), "{uri}");
    }
    for uri in [
        "https://vpn.contoso.com/admins/",
        "https://vpn.contoso.com/Users/alice",
        "https://vpn.contoso.com:444/users/alice",
        "https://vpn.contoso.com.evil.org/users/alice",
        "http://vpn.contoso.com/users/alice",
        "https://vpn.contoso.com:8443/ab",
        "spiffe://contoso.com/ns/vpn",
        "urn:contosoevil:7",
        "urn://contoso:7",
    ] {
        assert_eq!(rules.check_uri(uri), Err(Broken::OutsideUris), "{uri}");
    }
    for uri in [
        "https://evil.org@vpn.contoso.com/users/alice",
        "https://vpn.contoso.com/users/../admins",
        "https://vpn.contoso.com/users/%2e%2e/admins",
        "https://vpn.contoso.com/users%2falice",
        "https://vpn%2econtoso.com/users/alice",
        "https://vpn.contoso.com/users/a%00b",
        "https://vpn.contoso.com/users/a%0g",
        "https://vpn.contoso.com/users/a#b",
        "https://vpn.contoso.com\\@evil.org/users/",
        "https://vpn.contoso.com:/users/alice",
        "https://",
        "nothing",
    ] {
        assert!(
            matches!(rules.check_uri(uri), Err(Broken::CrookedUri | Broken::NotADnsName)),
            "{uri}"
        );
    }
    for rule in ["https:", "urn:contoso", "https://vpn.contoso.com/?q", "https://a@b/", "x", "1:a/"]
    {
        assert!(rule.parse::<UriRule>().is_err(), "{rule}");
    }
}

#[test]
fn own_names_are_the_directorys() {
    let rules = NameRules { own_names: OwnNames::Allowed, ..NameRules::default() };
    let server = Account {
        dns_host_name: Some("VPN1.corp.contoso.com".to_owned()),
        service_principal_names: vec!["HTTP/vpn.contoso.com:443".into(), "HOST/vpn1".into()],
        user_principal_name: Some("vpn1@contoso.com".to_owned()),
        mail: Some("Vpn@contoso.com".to_owned()),
        ..nobody()
    };
    for name in ["vpn1.corp.contoso.com", "vpn.contoso.com", "VPN1"] {
        assert_eq!(rules.check_dns_name(name, &server), Ok(()), "{name}");
        assert_eq!(rules.check_dns_name(name, &nobody()), Err(Broken::OutsideDns), "{name}");
    }
    assert!(rules.check_dns_name("corp.contoso.com", &server).is_err());
    assert!(rules.check_user_principal_name("VPN1@contoso.com", &server).is_ok());
    assert!(rules.check_user_principal_name("vpn2@contoso.com", &server).is_err());
    assert!(rules.check_email("Vpn@contoso.com", &server).is_ok());
    // RFC 5280 §7.5: what stands before the @ is compared exactly.
    assert!(rules.check_email("vpn@contoso.com", &server).is_err());
    let names = RequestedNames::Within(Box::new(rules));
    assert!(!names.are_free() && !names.name_accounts());
}

proptest! {
    #[test]
    fn any_text_is_refused_or_reads_back(text in "[a-z0-9.:/*-]{0,24}") {
        if let Ok(name) = text.parse::<DnsName>() {
            prop_assert_eq!(name.as_str(), text.as_str());
        }
        if let Ok(range) = text.parse::<AddressRange>() {
            prop_assert_eq!(range.to_string().parse::<AddressRange>().unwrap(), range);
        }
        let _ = rules(&["contoso.com"], &["vpn"], &["10.0.0.0/8"]).check_dns_name(&text, &nobody());
    }

    #[test]
    fn a_range_holds_what_shares_its_prefix(address: u32, prefix in 0_u32..=32, other: u32) {
        let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
        let network = std::net::Ipv4Addr::from(address & mask);
        let range: AddressRange = format!("{network}/{prefix}").parse().unwrap();
        let inside = address & mask == other & mask;
        prop_assert_eq!(range.contains(IpAddr::V4(other.into())), inside);
    }

    /// Whatever is taken is what a plain comparison takes, whatever was written.
    #[test]
    fn a_dns_name_within_is_within(name in "[a-zA-Zаеоｃ。0-9.*_\\PC-]{0,12}(contoso.com|ｃontoso.com|contosо.com|contoso.com\\.|\0contoso.com)") {
        if rules(&["contoso.com"], &[], &[]).check_dns_name(&name, &nobody()).is_ok() {
            let lower = name.to_lowercase();
            prop_assert!(lower == "contoso.com" || lower.ends_with(".contoso.com"), "{}", name);
            prop_assert!(!lower.contains(['*', '_', '\0', ' ']), "{}", name);
        }
    }

    #[test]
    fn a_uri_within_is_within(uri in "(https|HTTPS|http)://[a-z@.:%0-9\\\\]{0,6}vpn.contoso.com[a-z.:@%]{0,4}/(u|%75|\\.\\.|u/\\.\\./x)[a-z/.%#?]{0,6}") {
        let rules =
            NameRules { uris: vec!["https://vpn.contoso.com/u/".parse().unwrap()], ..NameRules::default() };
        if rules.check_uri(&uri).is_ok() {
            let (scheme, rest) = uri.split_at(8);
            prop_assert!(scheme.eq_ignore_ascii_case("https://"), "{}", uri);
            prop_assert!(rest.starts_with("vpn.contoso.com/u/"), "{}", uri);
            prop_assert!(!rest.contains("/../") && !rest.ends_with("/..") && !uri.contains('#'), "{}", uri);
        }
    }

    #[test]
    fn any_uri_rule_reads_back(text in "[a-z]{1,5}:(//)?[.a-z0-9:/]{0,16}") {
        if let Ok(rule) = text.parse::<UriRule>() {
            prop_assert_eq!(rule.to_string().parse::<UriRule>().unwrap(), rule);
        }
    }
}
