use super::*;
use crate::pki::encoding::{element, primitive, sequence};
use proptest::prelude::*;

fn all() -> Vec<AlternativeName> {
    vec![
        AlternativeName::dns("vpn.contoso.com").unwrap(),
        AlternativeName::dns("132.64.86.2").unwrap(),
        AlternativeName::dns("vpn").unwrap(),
        AlternativeName::dns("2001:db8::1").unwrap(),
        AlternativeName::email("alice@contoso.com").unwrap(),
        AlternativeName::uri("tag:microsoft.com,2022-09-14:sid:S-1-5-21-1").unwrap(),
        AlternativeName::Ip("192.0.2.1".parse().unwrap()),
        AlternativeName::Ip("2001:db8::1".parse().unwrap()),
        AlternativeName::user_principal_name("älice@contoso.com").unwrap(),
        AlternativeName::DirectoryGuid([7; 16]),
        AlternativeName::DirectoryName(DistinguishedName::with_common_name("alice").unwrap()),
        AlternativeName::RegisteredId(oid::SERVER_AUTHENTICATION),
        AlternativeName::Other { oid: oid::OBJECT_SID, value: vec![4, 1, 9] },
    ]
}

#[test]
fn every_kind_comes_back() {
    assert_eq!(decode(&encode(&all())).unwrap(), all());
}

/// x509-cert, an engine of its own, reads the same names, and no value is wrapped twice.
#[test]
fn agrees_with_x509_cert() {
    use der::{Decode, Encode};
    use x509_cert::ext::pkix::SubjectAltName;
    use x509_cert::ext::pkix::name::GeneralName;
    let value = encode(&all());
    let theirs = SubjectAltName::from_der(&value).unwrap();
    assert_eq!(theirs.to_der().unwrap(), value);
    let GeneralName::OtherName(upn) = &theirs.0[8] else { panic!("not an otherName") };
    assert_eq!(upn.value.decode_as::<String>().unwrap(), "älice@contoso.com");
}

#[test]
fn dns_names_are_judged() {
    let label = "x".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", "x".repeat(61));
    assert_eq!(longest.len(), 253);
    for good in ["a", "vpn.contoso.com", "3com.com", "svc_1.contoso.com", "*.contoso.com", &longest]
    {
        assert!(AlternativeName::dns(good).is_ok(), "{good}");
    }
    let overlong = format!("{longest}x");
    let wide = "x".repeat(64);
    for bad in [
        "", ".", "a.", ".a", "a..b", "-a", "a-", "a b", "a\0b", "ä.com", "a/b", "*", "a.*.b",
        "**.a", "a*.b", "*.", &overlong, &wide,
    ] {
        let refused = Err(AlternativeNameError::BadDnsName(bad.to_owned()));
        assert_eq!(AlternativeName::dns(bad), refused, "{bad}");
    }
    assert!(AlternativeName::dns("*.contoso.com").unwrap().is_wildcard());
    assert!(!AlternativeName::dns("vpn.contoso.com").unwrap().is_wildcard());
}

#[test]
fn other_texts_are_judged() {
    for bad in ["", "alice", "@a.b", "a@", "a@b@c", "a b@c.d", "a\r\n@b.c", "ä@b.c", "<a@b.c>"] {
        assert!(AlternativeName::email(bad).is_err(), "{bad}");
    }
    for bad in ["", "contoso.com/x", "1http://a", "http:", "http://a b", "http://ä"] {
        assert!(AlternativeName::uri(bad).is_err(), "{bad}");
    }
    for bad in ["", "alice", "@contoso.com", "alice@", "a\0@b", "a\u{202e}@b"] {
        assert!(AlternativeName::user_principal_name(bad).is_err(), "{bad}");
    }
}

#[test]
fn bad_lists_are_refused_by_name() {
    assert_eq!(decode(&[0x30, 0]), Err(AlternativeNameError::Empty));
    assert_eq!(decode(&[0x30, 0, 0]), Err(AlternativeNameError::NotNames));
    assert_eq!(decode(&sequence(&[&[0x87, 1, 1]])), Err(AlternativeNameError::BadIpAddress));
    assert_eq!(decode(&sequence(&[&[0xa3, 0]])), Err(AlternativeNameError::UnsupportedKind));
    let nul = decode(&sequence(&[&element(primitive(2), &[b"a\0b"])]));
    assert_eq!(nul, Err(AlternativeNameError::BadDnsName("a\0b".to_owned())));
}

#[test]
fn names_compare_as_their_kind_does() {
    let one = AlternativeName::dns("VPN.contoso.com").unwrap();
    assert!(one.names_same(&AlternativeName::dns("vpn.Contoso.com").unwrap()));
    assert!(!one.names_same(&AlternativeName::dns("vpn.contoso.org").unwrap()));
}

#[test]
fn a_guid_is_stored_as_active_directory_stores_it() {
    let text = "0e10c968-78fb-11d2-90d4-00c04f79dc55";
    let octets = guid_from_text(text).unwrap();
    assert_eq!(octets[..6], [0x68, 0xc9, 0x10, 0x0e, 0xfb, 0x78]);
    assert_eq!(AlternativeName::DirectoryGuid(octets).to_text(), text);
    assert_eq!(guid_from_text(&format!("{{{text}}}")), Some(octets));
    for bad in [
        "",
        "0e10c968",
        "0e10c968-78fb-11d2-90d4-00c04f79dc5",
        "0e10c968-78fb-11d2-90d4-00c04f79dcé",
        "+e10c968-78fb-11d2-90d4-00c04f79dc55",
    ] {
        assert_eq!(guid_from_text(bad), None);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_come_back(value: Vec<u8>) {
        if let Ok(names) = decode(&value) {
            prop_assert_eq!(encode(&names), value);
        }
    }

    #[test]
    fn damaged_names_are_refused_or_come_back(at in 0usize..200, octet: u8) {
        let mut value = encode(&all());
        let at = at % value.len();
        value[at] = octet;
        if let Ok(names) = decode(&value) {
            prop_assert_eq!(encode(&names), value);
        }
    }

    #[test]
    fn any_text_is_refused_or_kept(text in ".{0,60}") {
        if let Ok(name) = AlternativeName::dns(&text) {
            prop_assert_eq!(name.to_text(), text.clone());
            prop_assert!(text.is_ascii() && text.len() <= 253);
        }
        let _ = (AlternativeName::email(&text), AlternativeName::uri(&text));
        let _ = (AlternativeName::user_principal_name(&text), guid_from_text(&text));
    }
}
