use proptest::prelude::*;

use super::*;
use crate::pki::bundle::pem;
use crate::pki::certificate::Certificate;
use crate::pki::encoding::{
    OCTET_STRING, SET, bit_string, constructed, element, identifier, integer, sequence,
};
use crate::pki::extension::Extension;
use crate::pki::signature::SignatureAlgorithm;
use crate::pki::test_authority::{ALGORITHM, TestKey, moment, root_certificate};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/cms/", $name))
    };
}

fn refused(sent: &[u8]) -> &'static str {
    Submission::parse(sent).unwrap_err().slug()
}

fn signers(sent: &[u8]) -> Vec<String> {
    let read = Submission::parse(sent).unwrap();
    read.signers().iter().map(|own| own.certificate().subject().to_string()).collect()
}

#[test]
fn what_openssl_signs_is_read() {
    let request = fixture!("request.csr");
    for (sent, expected) in [
        (&fixture!("p256.der")[..], &["CN=agent"][..]),
        (fixture!("p384-sha384.der"), &["CN=larger"]),
        (fixture!("rsa-sha512.der"), &["CN=rsa"]),
        (fixture!("rsa-pss.der"), &["CN=rsa"]),
        (fixture!("key-identifier.der"), &["CN=agent"]),
        (fixture!("pkcs7.pem"), &["CN=agent"]),
    ] {
        assert_eq!(signers(sent), expected);
        assert_eq!(Submission::parse(sent).unwrap().request().der(), request);
    }
    let mut both = signers(fixture!("two-signers.der"));
    both.sort();
    assert_eq!(both, ["CN=agent", "CN=rsa"]);
    // As OpenSSL signs text: with other line ends, but PEM all the same.
    let text = Submission::parse(fixture!("text.pem")).unwrap();
    assert_eq!(text.request().der(), request);
    assert_eq!(text.requester_name(), None);
}

#[test]
fn der_pem_and_base64_are_the_same_message() {
    let der = fixture!("p256.der");
    let text = pem::write("CMS", der);
    let bare: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    for sent in [text.as_bytes(), pem::write("PKCS7", der).as_bytes(), bare.as_bytes()] {
        assert_eq!(Submission::parse(sent).unwrap().der(), der);
    }
    assert_eq!(Submission::label(der), "CMS");
    assert_eq!(Submission::label(fixture!("request.csr")), "CERTIFICATE REQUEST");
    assert!(matches!(Submission::parse(fixture!("request.csr")), Ok(Submission::Plain(_))));
    assert_eq!(refused(format!("{text}more").as_bytes()), "cms-trailing-bytes");
    assert_eq!(
        refused(pem::write("CMS", fixture!("request.csr")).as_bytes()),
        "cms-not-signed-data"
    );
}

#[test]
fn every_other_form_has_its_rule() {
    for (sent, rule) in [
        (&fixture!("detached.der")[..], "cms-detached"),
        (fixture!("streamed.der"), "cms-not-der"),
        (fixture!("nested.der"), "cms-nested"),
        (fixture!("no-attributes.der"), "cms-no-signed-attributes"),
        (fixture!("certificates-only-elsewhere.der"), "cms-signer-certificate-missing"),
        (fixture!("sha1.der"), "cms-unsupported-algorithm"),
        (fixture!("no-request.der"), "not-a-request"),
    ] {
        assert_eq!(refused(sent), rule);
    }
    let mut longer = fixture!("p256.der").to_vec();
    longer.push(0);
    assert_eq!(refused(&longer), "cms-trailing-bytes");
    assert_eq!(refused(&vec![0x30; LARGEST * 2]), "cms-too-large");
}

/// Somebody who signs, with a certificate of his own making.
struct Person {
    key: TestKey,
    certificate: Certificate,
}

impl Person {
    fn new() -> Self {
        let key = TestKey::generate();
        let certificate = Certificate::from_der(&root_certificate(&key)).unwrap();
        Self { key, certificate }
    }

    fn sign(&self, unsigned: &UnsignedRequest<'_>) -> Signature {
        let set = unsigned.to_be_signed(ALGORITHM).unwrap();
        Signature {
            certificate: self.certificate.clone(),
            algorithm: ALGORITHM,
            octets: self.key.sign(&set),
        }
    }
}

fn unsigned(requester_name: Option<&str>) -> UnsignedRequest<'_> {
    UnsignedRequest {
        request: fixture!("request.csr"),
        requester_name,
        signing_time: moment("2026-11-26T12:00:00Z"),
    }
}

#[test]
fn what_is_written_is_read_with_the_name_in_it() {
    let agent = Person::new();
    let unsigned = unsigned(Some("CONTOSO\\anna"));
    let der = unsigned.assemble(&[agent.sign(&unsigned)]).unwrap();
    let read = SignedRequest::from_der(&der).unwrap();
    assert_eq!(read.requester_name(), Some("CONTOSO\\anna"));
    assert_eq!(read.signers().len(), 1);
    assert_eq!(read.request().der(), fixture!("request.csr"));
}

#[test]
fn signers_who_name_different_people_are_refused() {
    let agent = Person::new();
    let (anna, bert) = (unsigned(Some("anna")), unsigned(Some("bert")));
    let der = anna.assemble(&[agent.sign(&anna)]).unwrap();
    let other = bert.assemble(&[agent.sign(&bert)]).unwrap();
    assert!(SignedRequest::from_der(&der).is_ok());
    let joined = with_signer_infos(&der, &[signer_infos(&der), signer_infos(&other)].concat());
    assert_eq!(refused(&joined), "cms-bad-requester-name");
}

/// The content of signerInfos, which is the last element of the message.
fn signer_infos(der: &[u8]) -> Vec<u8> {
    let info = ContentInfo::from_der(der).unwrap();
    let data: SignedData<'_> = info.content.decode_as().unwrap();
    data.signers.0.iter().flat_map(|own| der::Encode::to_der(own).unwrap()).collect()
}

/// The same message with other signerInfos.
fn with_signer_infos(der: &[u8], infos: &[u8]) -> Vec<u8> {
    let info = ContentInfo::from_der(der).unwrap();
    let data: SignedData<'_> = info.content.decode_as().unwrap();
    let own = der::Encode::to_der(&data.signers).unwrap();
    let content = info.content.value();
    let before = &content[..content.len() - own.len()];
    let data = sequence(&[before, &element(SET, &[infos])]);
    sequence(&[&identifier(&oid::CMS_SIGNED_DATA), &element(constructed(0), &[&data])])
}

/// A message over `content` of `kind`, whose one signer signs these attributes; a key identifier
/// names him if `named` is one.
fn message(
    kind: &const_oid::ObjectIdentifier,
    content: &[u8],
    attributes: &[Vec<u8>],
    signer: &Person,
    named: Option<&[u8]>,
    unsigned: &[u8],
) -> Vec<u8> {
    let attributes = attributes.concat();
    let set = element(SET, &[&attributes]);
    let hash = sequence(&[&identifier(&const_oid::ObjectIdentifier::new_unwrap(
        "2.16.840.1.101.3.4.2.1",
    ))]);
    let tbs = crate::pki::certificate::parts::TbsParts::of(signer.certificate.tbs()).unwrap();
    let serial = der::Encode::to_der(&tbs.serial).unwrap();
    let (version, name) = match named {
        Some(own) => (3, element(0x80, &[own])),
        None => (1, sequence(&[tbs.issuer.as_bytes(), &serial])),
    };
    let info = sequence(&[
        &integer(version),
        &name,
        &hash,
        &element(constructed(0), &[&attributes]),
        SignatureAlgorithm::EcdsaSha256.to_der(),
        &element(OCTET_STRING, &[&signer.key.sign(&set)]),
        unsigned,
    ]);
    let octets = element(OCTET_STRING, &[content]);
    let data = sequence(&[
        &integer(if named.is_some() { 3 } else { 1 }),
        &element(SET, &[&hash]),
        &sequence(&[&identifier(kind), &element(constructed(0), &[&octets])]),
        &element(constructed(0), &[signer.certificate.der()]),
        &element(SET, &[&info]),
    ]);
    sequence(&[&identifier(&oid::CMS_SIGNED_DATA), &element(constructed(0), &[&data])])
}

fn attribute(kind: &const_oid::ObjectIdentifier, values: &[&[u8]]) -> Vec<u8> {
    sequence(&[&identifier(kind), &element(SET, values)])
}

fn content_type(kind: &const_oid::ObjectIdentifier) -> Vec<u8> {
    attribute(&oid::CONTENT_TYPE, &[&identifier(kind)])
}

fn message_digest(content: &[u8]) -> Vec<u8> {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content);
    attribute(&oid::MESSAGE_DIGEST, &[&element(OCTET_STRING, &[digest.as_ref()])])
}

fn name_pair(name: &str) -> Vec<u8> {
    let bmp = |text: &str| {
        let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        element(0x1e, &[&units])
    };
    let pair = sequence(&[&bmp("requestername"), &bmp(name)]);
    attribute(&oid::NAME_VALUE_PAIR, &[&pair])
}

#[test]
fn signed_attributes_are_believed_only_whole() {
    let (person, csr) = (Person::new(), &fixture!("request.csr")[..]);
    let data = &oid::CMS_DATA;
    let by = |attributes: &[Vec<u8>]| message(data, csr, attributes, &person, None, &[]);
    let (kind, digest) = (content_type(data), message_digest(csr));
    // Not in the order of DER: what was signed is what was sent.
    for order in [[kind.clone(), digest.clone()], [digest.clone(), kind.clone()]] {
        assert!(Submission::parse(&by(&order)).is_ok());
    }
    for (attributes, rule) in [
        (vec![digest.clone()], "cms-content-type-mismatch"),
        (vec![content_type(&oid::CMC_PKI_DATA), digest.clone()], "cms-content-type-mismatch"),
        (vec![kind.clone()], "cms-message-digest-mismatch"),
        (vec![kind.clone(), message_digest(b"another")], "cms-message-digest-mismatch"),
        (vec![kind.clone(), kind.clone(), digest.clone()], "cms-bad-attributes"),
        (vec![kind.clone(), message_digest(b"another"), digest.clone()], "cms-bad-attributes"),
        (
            vec![kind.clone(), digest.clone(), name_pair("anna"), name_pair("bert")],
            "cms-bad-requester-name",
        ),
        (vec![kind.clone(), digest.clone(), name_pair("an\u{0}na")], "cms-bad-requester-name"),
    ] {
        assert_eq!(refused(&by(&attributes)), rule);
    }
    let named = Submission::parse(&by(&[kind.clone(), digest.clone(), name_pair("C\\anna")]));
    assert_eq!(named.unwrap().requester_name(), Some("C\\anna"));
    let unsigned = element(constructed(1), &[&name_pair("administrator")]);
    let smuggled = message(data, csr, &[kind, digest], &person, None, &unsigned);
    assert_eq!(refused(&smuggled), "cms-unsigned-requester-name");
}

/// PKIData with this request and these controls.
fn cmc(request: &[u8], controls: &[Vec<u8>]) -> Vec<u8> {
    let tagged = element(constructed(0), &[&integer(1), request]);
    let none = sequence(&[]);
    sequence(&[&sequence(&[&controls.concat()]), &sequence(&[&tagged]), &none, &none])
}

fn registration(text: &str) -> Vec<u8> {
    let value = element(OCTET_STRING, &[text.as_bytes()]);
    let kind = identifier(&oid::CMC_REGISTRATION_INFORMATION);
    sequence(&[&integer(2), &kind, &element(SET, &[&value])])
}

#[test]
fn a_cmc_request_holds_one_request_and_names_its_requester() {
    let (agent, csr) = (Person::new(), &fixture!("request.csr")[..]);
    let signed = |data: &[u8]| {
        let attributes = [content_type(&oid::CMC_PKI_DATA), message_digest(data)];
        message(&oid::CMC_PKI_DATA, data, &attributes, &agent, None, &[])
    };
    let named = registration("CertificateTemplate=User&RequesterName=CONTOSO%5canna&");
    let read = Submission::parse(&signed(&cmc(csr, std::slice::from_ref(&named)))).unwrap();
    assert_eq!(read.requester_name(), Some("CONTOSO\\anna"));
    assert_eq!(read.request().der(), csr);
    assert_eq!(refused(&signed(&cmc(csr, &[named.clone(), named]))), "cms-bad-requester-name");
    for text in ["RequesterName=%5", "RequesterName=%zz", "RequesterName=a&requestername=b"] {
        let data = cmc(csr, &[registration(text)]);
        assert_eq!(refused(&signed(&data)), "cms-bad-requester-name", "{text}");
    }
    let tagged = element(constructed(0), &[&integer(1), csr]);
    let none = sequence(&[]);
    for requests in [sequence(&[]), sequence(&[&tagged, &tagged])] {
        let data = sequence(&[&none, &requests, &none, &none]);
        assert_eq!(refused(&signed(&data)), "cms-bad-cmc");
    }
    let nested = sequence(&[&none, &sequence(&[&tagged]), &sequence(&[&tagged]), &none]);
    assert_eq!(refused(&signed(&nested)), "cms-bad-cmc");
}

#[test]
fn the_requesters_own_signature_is_nobodys_endorsement() {
    // As certreq makes one that nobody has co-signed: by the new key, named by its identifier.
    let mut person = Person::new();
    let csr = own_request(&person.key);
    let key_identifier = person.key.public.key_identifier();
    let attributes = [content_type(&oid::CMS_DATA), message_digest(&csr)];
    person.certificate = Person::new().certificate;
    let own = message(&oid::CMS_DATA, &csr, &attributes, &person, Some(&key_identifier), &[]);
    assert_eq!(refused(&own), "cms-no-signer");
    let named = [&attributes[..], &[name_pair("administrator")]].concat();
    let own = message(&oid::CMS_DATA, &csr, &named, &person, Some(&key_identifier), &[]);
    assert_eq!(refused(&own), "cms-bad-requester-name");
}

fn own_request(key: &TestKey) -> Vec<u8> {
    let extensions: [Extension; 0] = [];
    let name = crate::pki::name::DistinguishedName::with_common_name("anna").unwrap();
    let info =
        crate::pki::authority_certificate::request_info(&name, key.public.spki_der(), &extensions);
    sequence(&[&info, ALGORITHM.to_der(), &bit_string(&key.sign(&info))])
}

#[test]
fn one_more_than_the_limits_is_too_many() {
    let agent = Person::new();
    let unsigned = unsigned(None);
    let der = unsigned.assemble(&[agent.sign(&unsigned)]).unwrap();
    let infos = signer_infos(&der);
    assert!(SignedRequest::from_der(&with_signer_infos(&der, &infos.repeat(MOST_SIGNERS))).is_ok());
    let more = with_signer_infos(&der, &infos.repeat(MOST_SIGNERS + 1));
    assert_eq!(refused(&more), "cms-too-many-signers");
    assert_eq!(refused(&with_signer_infos(&der, &[])), "cms-no-signer");
}

proptest! {
    /// Whatever octet is changed: refused, or every signature is still good over what is read.
    #[test]
    fn no_octet_can_be_changed_unnoticed(at in 0usize..4096, flip in 1u8..) {
        let whole = fixture!("p256.der");
        let before = SignedRequest::from_der(whole).unwrap();
        let mut changed = whole.to_vec();
        let at = at % changed.len();
        changed[at] ^= flip;
        if let Ok(after) = SignedRequest::from_der(&changed) {
            // Octets that nothing signs: digestAlgorithms, the signer's certificate outside what
            // names him and his key, which the register compares.
            prop_assert_eq!(after.request().der(), before.request().der());
            let keys = |own: &SignedRequest| own.signers()[0].certificate().spki_der().to_vec();
            prop_assert_eq!(keys(&after), keys(&before));
            prop_assert_eq!(after.requester_name(), None);
        }
    }

    #[test]
    fn any_bytes_are_refused_or_read(mut bytes: Vec<u8>, cut in 0usize..2000) {
        let _ = Submission::parse(&bytes);
        let whole = fixture!("two-signers.der");
        bytes.splice(0..0, whole.iter().copied().take(cut.min(whole.len() - 1)));
        prop_assert!(SignedRequest::from_der(&bytes).is_err());
    }

    #[test]
    fn every_name_that_is_written_is_read(name in "[A-Za-z]{1,15}\\\\[A-Za-z0-9 ._-]{0,20}[a-z]") {
        let agent = Person::new();
        let unsigned = unsigned(Some(&name));
        let der = unsigned.assemble(&[agent.sign(&unsigned)]).unwrap();
        let read = SignedRequest::from_der(&der).unwrap();
        prop_assert_eq!(read.requester_name(), Some(name.as_str()));
    }
}
