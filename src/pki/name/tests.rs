use super::*;
use crate::pki::encoding::{SEQUENCE, SET, element, identifier, sequence};
use der::{Tag, Tagged};
use proptest::prelude::*;

fn read(text: &str) -> Result<DistinguishedName, NameError> {
    DistinguishedName::from_rfc4514(text)
}

#[test]
fn text_is_most_specific_first_and_the_encoding_last() {
    let name = read("CN=Contoso VPN CA,DC=corp,DC=contoso,DC=com").unwrap();
    let keys: Vec<String> = name.attributes().into_iter().map(|(_, value)| value).collect();
    assert_eq!(keys, ["com", "contoso", "corp", "Contoso VPN CA"]);
    assert_eq!(name.to_string(), "CN=Contoso VPN CA,DC=corp,DC=contoso,DC=com");
    assert_eq!(name.to_forward_string(), "DC=com,DC=contoso,DC=corp,CN=Contoso VPN CA");
    assert_eq!(name.common_names(), ["Contoso VPN CA"]);
    assert_eq!(DistinguishedName::from_der(name.as_der()).unwrap(), name);
}

/// As x509-cert, an engine of its own, encodes and writes them.
#[test]
fn agrees_with_x509_cert() {
    use der::{Decode, Encode};
    for text in ["CN=alice,OU=VPN,DC=contoso,DC=com", "CN=a+OU=b,O=c", "C=DE,ST=Bayern,L=x,O=y"] {
        let name = read(text).unwrap();
        let other = x509_cert::name::Name::from_der(name.as_der()).unwrap();
        assert_eq!(other.to_der().unwrap(), name.as_der());
        assert_eq!(other.to_string(), name.to_string());
    }
}

#[test]
fn string_types_are_those_of_ad_cs() {
    let tag = |text: &str| read(text).unwrap().relative_names()[0][0].value.tag();
    assert_eq!(tag("DC=contoso"), Tag::Ia5String);
    assert_eq!(tag("E=alice@contoso.com"), Tag::Ia5String);
    assert_eq!(tag("CN=PKI Admin"), Tag::PrintableString);
    assert_eq!(tag("CN=svc_vpn"), Tag::Utf8String);
    assert_eq!(tag("CN=Jürgen"), Tag::Utf8String);
    assert_eq!(tag("C=DE"), Tag::PrintableString);
}

#[test]
fn escapes_multiple_values_and_dotted_types() {
    let name = read(r"CN=Sm\69th\, \#1\+ \C3\BC\ +OU=b , 1.2.3.4=#0C0161 ,STREET=a = b").unwrap();
    // A SET is in the order of its encodings: the shorter first.
    let values: Vec<String> = name.attributes().into_iter().map(|(_, value)| value).collect();
    assert_eq!(values, ["a = b", "a", "b", "Smith, #1+ ü "]);
    assert_eq!(name.to_string(), r"OU=b+CN=Smith\, #1\+ ü\ ,1.2.3.4=#0c0161,STREET=a = b");
    assert_eq!(read(&name.to_string()).unwrap(), name);
    assert!(name.to_forward_string().contains("OU=b + CN=\"Smith, #1+ ü \""));
    for key in
        ["L", "ST", "O", "SERIALNUMBER", "T", "title", "G", "GN", "SN", "UID", "emailAddress"]
    {
        read(&format!("{key}=x")).unwrap();
    }
}

#[test]
fn refuses_each_bad_text_by_name() {
    assert!(matches!(read("CN"), Err(NameError::Syntax { .. })));
    assert!(matches!(read("CN=a,"), Err(NameError::Syntax { .. })));
    assert!(matches!(read("CN=a;OU=b"), Err(NameError::Syntax { .. })));
    assert!(matches!(read(r"CN=a\zz"), Err(NameError::Syntax { .. })));
    assert!(matches!(read(r"CN=\ff"), Err(NameError::Syntax { .. })));
    assert!(matches!(read("XY=a"), Err(NameError::UnknownAttribute { .. })));
    assert!(matches!(read("CN="), Err(NameError::EmptyValue { .. })));
    assert!(matches!(read("C=DEU"), Err(NameError::NotACountry)));
    assert!(matches!(read("DC=ü"), Err(NameError::NotAscii { .. })));
    assert!(matches!(read(r"CN=a\00b"), Err(NameError::ControlCharacter { .. })));
    assert!(matches!(read("CN=a\u{202e}b"), Err(NameError::BidirectionalCharacter { .. })));
    assert!(read(&format!("CN={}", "x".repeat(64))).is_ok());
    let long = NameError::ValueTooLong { attribute: "CN".into(), limit: 64 };
    assert_eq!(read(&format!("CN={}", "x".repeat(65))), Err(long));
    assert_eq!(read(&"x".repeat(20_000)), Err(NameError::TooLong));
    let many = vec!["O=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"; 400].join(",");
    assert_eq!(read(&many), Err(NameError::TooLong));
}

fn write_attribute(oid: &ObjectIdentifier, tag: u8, value: &[u8]) -> Vec<u8> {
    sequence(&[&identifier(oid), &element(tag, &[value])])
}

#[test]
fn refuses_each_bad_encoding_by_name() {
    let name = |tag: u8, value: &[u8]| {
        let attribute = write_attribute(&oid::COMMON_NAME, tag, value);
        DistinguishedName::from_der(&element(SEQUENCE, &[&element(SET, &[&attribute])]))
    };
    assert!(name(0x13, b"vpn").is_ok());
    assert!(name(0x1e, &[0, b'a', 0x20, 0xac]).unwrap().common_names() == ["a€"]);
    assert!(matches!(name(0x13, b"a\0b"), Err(NameError::NotText { .. })));
    assert!(matches!(name(0x0c, b"a\0b"), Err(NameError::ControlCharacter { .. })));
    assert!(matches!(name(0x0c, b"\xff"), Err(NameError::NotText { .. })));
    assert!(matches!(name(0x1e, b"abc"), Err(NameError::NotText { .. })));
    assert!(matches!(name(0x02, b"\x05"), Err(NameError::NotText { .. })));
    assert!(matches!(
        name(0x0c, "a\u{2067}b".as_bytes()),
        Err(NameError::BidirectionalCharacter { .. })
    ));
    let mut trailing = read("CN=a").unwrap().as_der().to_vec();
    trailing.push(0);
    assert_eq!(DistinguishedName::from_der(&trailing), Err(NameError::NotAName));
    assert_eq!(DistinguishedName::from_der(&[SEQUENCE, 2, SET, 0]), Err(NameError::NotAName));
    assert!(DistinguishedName::from_der(&[SEQUENCE, 0]).unwrap().is_empty());
}

#[test]
fn a_name_is_encoded_anew_only_on_demand() {
    let first = write_attribute(&oid::ORGANIZATIONAL_UNIT, 0x0c, b"bb");
    let second = write_attribute(&oid::COMMON_NAME, 0x1e, &[0, b'a']);
    let foreign = element(SEQUENCE, &[&element(SET, &[&first, &second])]);
    let name = DistinguishedName::from_der(&foreign).unwrap();
    assert_eq!(name.as_der(), foreign);
    assert_eq!(name.reencoded().unwrap(), read("CN=a+OU=bb").unwrap());
    let ascii = element(SET, &[&write_attribute(&oid::DOMAIN_COMPONENT, 0x0c, "ü".as_bytes())]);
    let name = DistinguishedName::from_der(&element(SEQUENCE, &[&ascii])).unwrap();
    assert!(matches!(name.reencoded(), Err(NameError::NotAscii { .. })));
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_kept(bytes: Vec<u8>) {
        if let Ok(name) = DistinguishedName::from_der(&bytes) {
            prop_assert_eq!(name.as_der(), &bytes);
        }
    }

    #[test]
    fn a_damaged_name_is_refused_or_kept(at in 0usize..60, octet: u8) {
        let mut der = read("CN=Contoso VPN CA,DC=corp,DC=contoso,DC=com").unwrap().as_der().to_vec();
        der[at] = octet;
        if let Ok(name) = DistinguishedName::from_der(&der) {
            let _ = (name.to_string(), name.to_forward_string());
            prop_assert_eq!(name.as_der(), &der);
        }
    }

    #[test]
    fn any_text_is_refused_or_read(text in ".{0,80}") {
        let _ = read(&text);
    }

    #[test]
    fn written_text_reads_back(values in prop::collection::vec("[^\\p{C}\\u{2028}\\u{2029}]{1,40}", 1..5)) {
        let attributes: Vec<_> = values.iter().map(|value| (oid::COMMON_NAME, value.as_str())).collect();
        let name = DistinguishedName::from_attributes(&attributes).unwrap();
        prop_assert_eq!(&read(&name.to_string()).unwrap(), &name);
        prop_assert_eq!(&DistinguishedName::from_der(name.as_der()).unwrap(), &name);
        prop_assert_eq!(name.common_names(), values);
    }
}
