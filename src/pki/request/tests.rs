use super::*;
use crate::pki::bundle::pem;
use crate::pki::encoding::{SET, bit_string, constructed, element, identifier, integer, sequence};
use crate::pki::oid;
use crate::pki::public_key::KeyAlgorithm;
use p256::ecdsa::signature::Signer;
use proptest::prelude::*;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/requests/",
            $name,
            ".pem"
        ))
    };
}

fn parse(sent: &[u8]) -> CertificateRequest {
    CertificateRequest::parse(sent).unwrap()
}

fn refused(sent: &[u8]) -> &'static str {
    CertificateRequest::parse(sent).unwrap_err().slug()
}

/// A request of a P-256 key whose CertificationRequestInfo has these parts after the version.
fn signed(parts: impl Fn(&[u8]) -> Vec<Vec<u8>>) -> Vec<u8> {
    let secret = p256::ecdsa::SigningKey::from_slice(&[9; 32]).unwrap();
    let point = secret.verifying_key().to_sec1_point(false);
    let algorithm = sequence(&[&identifier(&oid::EC_PUBLIC_KEY), &identifier(&oid::P256)]);
    let key = sequence(&[&algorithm, &bit_string(point.as_bytes())]);
    let info = sequence(&[&integer(0), &parts(&key).concat()]);
    let signature: p256::ecdsa::Signature = secret.sign(&info);
    let algorithm = SignatureAlgorithm::EcdsaSha256.to_der();
    sequence(&[&info, algorithm, &bit_string(signature.to_der().as_bytes())])
}

fn simple() -> Vec<u8> {
    let name = DistinguishedName::with_common_name("a").unwrap();
    signed(|key| vec![name.as_der().to_vec(), key.to_vec(), vec![0xa0, 0]])
}

#[test]
fn reads_what_openssl_makes() {
    let request = parse(fixture!("p256"));
    assert_eq!(request.subject().common_names(), ["vpn.contoso.com"]);
    assert_eq!(request.public_key().algorithm(), KeyAlgorithm::P256);
    let names: Vec<String> = request.alternative_names().iter().map(|n| n.to_string()).collect();
    assert_eq!(names, ["dns:vpn.contoso.com", "dns:132.64.86.2"]);
    assert_eq!(parse(fixture!("p384-sha256")).public_key().algorithm(), KeyAlgorithm::P384);
    assert_eq!(parse(fixture!("rsa-sha512")).public_key().bits(), 2048);
    parse(fixture!("rsa-pss"));
    assert!(parse(fixture!("empty-subject")).subject().is_empty());
    let corp = parse(fixture!("domain-components"));
    assert_eq!(
        corp.subject().to_string(),
        "CN=alice,O=Contoso,OU=Two,OU=One,DC=corp,DC=contoso,DC=com"
    );
    assert_eq!(parse(fixture!("multi-valued")).subject().to_string(), "CN=a+OU=b,O=Contoso");
    assert!(parse(fixture!("wildcard")).alternative_names()[0].is_wildcard());
}

#[test]
fn what_is_not_taken_does_not_matter() {
    let request = parse(fixture!("unknown-extensions"));
    assert!(request.alternative_names().is_empty() && request.template_hints().is_empty());
    assert_eq!(parse(fixture!("names")).alternative_names().len(), 5);
}

#[test]
fn hints_at_a_template_are_read() {
    let hint = TemplateHint::Name("WebServer".to_owned());
    assert_eq!(parse(fixture!("template-name")).template_hints(), [hint]);
    // As certreq writes it: an attribute, and Microsoft's form of the extension request.
    let template = der::asn1::ObjectIdentifier::new("1.3.6.1.4.1.311.21.8.1.2").unwrap();
    let request = signed(|key| {
        let bmp = |text: &str| crate::pki::extension::template_name(text).value;
        let pair = sequence(&[&bmp("CertificateTemplate"), &bmp("VPNUserAuthentication")]);
        let attribute = sequence(&[&identifier(&oid::NAME_VALUE_PAIR), &element(SET, &[&pair])]);
        let information = crate::pki::extension::template_information(&template, 100, 4).to_der();
        let extensions = element(SET, &[&sequence(&[&information])]);
        let asked = sequence(&[&identifier(&oid::CERTIFICATE_EXTENSIONS), &extensions]);
        let attributes = element(constructed(0), &[&attribute, &asked]);
        vec![vec![0x30, 0], key.to_vec(), attributes]
    });
    let expected = [
        TemplateHint::Name("VPNUserAuthentication".to_owned()),
        TemplateHint::Identifier(template),
    ];
    assert_eq!(parse(&request).template_hints(), expected);
}

#[test]
fn pem_der_and_base64_are_the_same_request() {
    let der = simple();
    let armoured = pem::write("CERTIFICATE REQUEST", &der);
    let bare: String = armoured.lines().filter(|line| !line.starts_with('-')).collect();
    let windows = pem::write("NEW CERTIFICATE REQUEST", &der).replace('\n', "\r\n");
    let commented = format!("Subject: CN=a\n\n{armoured}\n\n");
    for sent in [&armoured, &bare, &windows, &commented] {
        assert_eq!(parse(sent.as_bytes()).der(), der);
    }
    assert_eq!(parse(&der).der(), der);
}

#[test]
fn each_bad_form_is_refused_by_name() {
    let der = simple();
    let armoured = pem::write("CERTIFICATE REQUEST", &der);
    let with = |text: &str| refused(text.as_bytes());
    assert_eq!(with(""), "not-a-request");
    assert_eq!(with("hello"), "not-a-request");
    assert_eq!(with(&pem::write("CERTIFICATE", &der)), "not-a-request");
    assert_eq!(with(&armoured.replace("END", "AND")), "not-a-request");
    assert_eq!(with(&format!("{armoured}{armoured}")), "two-pem-blocks");
    assert_eq!(with(&format!("{armoured}x")), "trailing-bytes");
    let trailing = [&der[..], &[0]].concat();
    assert_eq!(refused(&trailing), "trailing-bytes");
    assert_eq!(with(&pem::write("CERTIFICATE REQUEST", &trailing)), "trailing-bytes");
    assert_eq!(refused(&der[..der.len() - 1]), "not-a-request");
    assert_eq!(refused(&vec![b'A'; LARGEST + 1]), "too-large");
    assert_eq!(refused(fixture!("rsa-sha1")), "unsupported-algorithm");
    assert_eq!(refused(fixture!("p521")), "unsupported-algorithm");
    assert_eq!(refused(fixture!("ed25519")), "unsupported-algorithm");
    assert_eq!(refused(fixture!("explicit-curve")), "unsupported-algorithm");
    assert_eq!(refused(fixture!("rsa-512")), "key-too-small");
    assert_eq!(refused(fixture!("exponent-3")), "weak-key");
}

#[test]
fn a_foreign_or_broken_signature_is_refused() {
    let mut broken = simple();
    let last = broken.len() - 1;
    broken[last] ^= 1;
    assert_eq!(refused(&broken), "bad-signature");
    // The subject changed after signing.
    let mut changed = simple();
    let at = changed.windows(5).position(|window| window == [3, 0x13, 1, b'a', 0x30]).unwrap();
    changed[at + 3] = b'b';
    assert_eq!(refused(&changed), "bad-signature");
}

#[test]
fn bad_names_are_refused() {
    let subject = |name: Vec<u8>| refused(&signed(|key| vec![name.clone(), key.to_vec()]));
    let common_name = |value: &[u8]| {
        let attribute = sequence(&[&identifier(&oid::COMMON_NAME), &element(0x0c, &[value])]);
        sequence(&[&element(SET, &[&attribute])])
    };
    assert_eq!(subject(common_name(b"a\0b")), "bad-name");
    assert_eq!(subject(common_name("a\u{202e}b".as_bytes())), "bad-name");
    assert_eq!(subject(common_name(&[b'x'; 60_000])), "bad-name");
    let twice = signed(|key| {
        let extension = |name: &str| {
            let name = AlternativeName::dns(name).unwrap();
            crate::pki::extension::subject_alternative_name(&[name]).to_der()
        };
        let extensions = sequence(&[&extension("a"), &extension("b")]);
        let asked =
            sequence(&[&identifier(&oid::EXTENSION_REQUEST), &element(SET, &[&extensions])]);
        vec![vec![0x30, 0], key.to_vec(), element(constructed(0), &[&asked])]
    });
    assert_eq!(refused(&twice), "duplicate-extension");
    let empty = signed(|key| {
        let san = crate::pki::extension::subject_alternative_name(&[]).to_der();
        let extensions = element(SET, &[&sequence(&[&san])]);
        let asked = sequence(&[&identifier(&oid::EXTENSION_REQUEST), &extensions]);
        vec![vec![0x30, 0], key.to_vec(), element(constructed(0), &[&asked])]
    });
    assert_eq!(refused(&empty), "bad-alternative-name");
}

/// Possession is proven on the bytes as sent: neither an unsorted SET nor an explicit
/// `critical FALSE` breaks it, and the subject that goes into a certificate is sorted.
#[test]
fn the_signature_is_checked_over_the_bytes_as_sent() {
    let attribute = |oid, value: &[u8]| sequence(&[&identifier(oid), &element(0x13, &[value])]);
    let unsorted = element(
        SET,
        &[&attribute(&oid::ORGANIZATIONAL_UNIT, b"b"), &attribute(&oid::COMMON_NAME, b"a")],
    );
    let name = sequence(&[&unsorted]);
    let san = crate::pki::alternative_name::encode(&[AlternativeName::dns("a").unwrap()]);
    let explicit = sequence(&[
        &identifier(&oid::SUBJECT_ALTERNATIVE_NAME),
        &[1, 1, 0],
        &element(crate::pki::encoding::OCTET_STRING, &[&san]),
    ]);
    let sent = signed(|key| {
        let extensions = element(SET, &[&sequence(&[&explicit])]);
        let asked = sequence(&[&identifier(&oid::EXTENSION_REQUEST), &extensions]);
        vec![name.clone(), key.to_vec(), element(constructed(0), &[&asked])]
    });
    let request = parse(&sent);
    assert_eq!(request.der(), sent);
    assert_ne!(request.subject().as_der(), name);
    assert_eq!(request.subject(), &DistinguishedName::from_rfc4514("CN=a+OU=b").unwrap());
    assert_eq!(request.alternative_names(), [AlternativeName::dns("a").unwrap()]);
}

proptest! {
    #[test]
    fn any_bytes_are_refused(bytes: Vec<u8>) {
        prop_assert!(CertificateRequest::parse(&bytes).is_err());
    }

    #[test]
    fn any_text_is_refused(text in "(-----BEGIN )?(NEW )?(CERTIFICATE REQUEST-----)?[A-Za-z0-9+/=\\s-]{0,80}(-----END CERTIFICATE REQUEST-----)?") {
        prop_assert!(CertificateRequest::parse(text.as_bytes()).is_err());
    }

    /// Nothing in a request can be changed, except into what the signature still covers.
    #[test]
    fn a_damaged_request_is_refused(at in 0usize..2000, octet: u8) {
        let der = simple();
        let at = at % der.len();
        prop_assume!(der[at] != octet);
        let mut damaged = der.clone();
        damaged[at] = octet;
        prop_assert!(CertificateRequest::parse(&damaged).is_err());
    }
}
