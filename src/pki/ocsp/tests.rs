use der::asn1::ObjectIdentifier;
use proptest::prelude::*;

use super::*;
use crate::pki::encoding::{
    ENUMERATED, Elements, GENERALIZED_TIME, NULL, OCTET_STRING, SEQUENCE, constructed, element,
    identifier, integer, only, primitive, sequence,
};
use crate::pki::oid;
use crate::pki::revocation::{Revocation, RevocationReason};
use crate::pki::signature::SignatureAlgorithm;
use crate::pki::test_authority::{TestKey, moment, root, serial};

const SHA1: &[u8] = include_bytes!("../../../tests/fixtures/ocsp/sha1.der");
const SHA256: &[u8] = include_bytes!("../../../tests/fixtures/ocsp/sha256.der");
const NONCE: &[u8] = include_bytes!("../../../tests/fixtures/ocsp/nonce.der");
const SEVERAL: &[u8] = include_bytes!("../../../tests/fixtures/ocsp/several.der");
const SIGNED: &[u8] = include_bytes!("../../../tests/fixtures/ocsp/signed.der");

fn extension(oid: &ObjectIdentifier, critical: &[u8], value: &[u8]) -> Vec<u8> {
    sequence(&[&identifier(oid), critical, &element(OCTET_STRING, &[value])])
}

const CRITICAL: &[u8] = &[1, 1, 0xff];

/// A request of these parts.
fn request(version: &[u8], ids: &[&[u8]], extensions: &[&[u8]]) -> Vec<u8> {
    let list: Vec<Vec<u8>> = ids.iter().map(|id| sequence(&[id])).collect();
    let list: Vec<&[u8]> = list.iter().map(Vec::as_slice).collect();
    let extensions = match extensions {
        [] => Vec::new(),
        some => element(constructed(2), &[&sequence(some)]),
    };
    sequence(&[&sequence(&[version, &sequence(&list), &extensions])])
}

fn some_id() -> Vec<u8> {
    let key = TestKey::generate();
    IssuerIdentity::of(&root(&key)).certificate_id(IssuerHash::Sha1, &serial("4d01"))
}

#[test]
fn what_openssl_asks_is_understood() {
    for (der, hash) in
        [(SHA1, IssuerHash::Sha1), (SHA256, IssuerHash::Sha256), (SIGNED, IssuerHash::Sha1)]
    {
        let asked = OcspRequest::from_der(der).unwrap();
        assert_eq!(asked.nonce, None);
        let [id] = asked.certificates.as_slice() else { panic!("{asked:?}") };
        assert_eq!((id.hash, id.serial), (Some(hash), Some(serial("4d00"))));
    }
    let several = OcspRequest::from_der(SEVERAL).unwrap();
    let hashes: Vec<_> = several.certificates.iter().map(|id| id.hash).collect();
    assert_eq!(hashes, [Some(IssuerHash::Sha1), Some(IssuerHash::Sha256), None]);
    let nonce = OcspRequest::from_der(NONCE).unwrap().nonce.unwrap();
    assert_eq!(only(nonce, OCTET_STRING).unwrap().content.len(), 16);
}

#[test]
fn an_issuer_is_known_by_both_hashes_and_no_other_is() {
    let key = TestKey::generate();
    let issuer = root(&key);
    let identity = IssuerIdentity::of(&issuer);
    let other = IssuerIdentity::of(&root(&TestKey::generate()));
    for hash in IssuerHash::ALL {
        // Zero octets before a high bit belong to the serial number.
        for text in ["4d01", "80", "7fffffffffffffffffffffffffffffffffffffff"] {
            let id = identity.certificate_id(hash, &serial(text));
            let der = request(&[], &[&id], &[]);
            let asked = OcspRequest::from_der(&der).unwrap();
            let [asked] = asked.certificates.as_slice() else { panic!("{text}") };
            assert_eq!(asked.as_der(), id);
            assert_eq!(asked.serial, Some(serial(text)));
            assert_eq!(identity.is_meant_by(asked), Some(hash));
            assert_eq!(other.is_meant_by(asked), None);
        }
    }
    // The name's and the key's hash must both fit.
    let id = identity.certificate_id(IssuerHash::Sha1, &serial("4d01"));
    let der = request(&[], &[&id], &[]);
    let mut mixed = OcspRequest::from_der(&der).unwrap().certificates[0];
    assert_eq!(identity.is_meant_by(&mixed), Some(IssuerHash::Sha1));
    mixed.key = &[0; 20];
    assert_eq!(identity.is_meant_by(&mixed), None);
}

#[test]
fn nonces_have_1_to_128_octets() {
    let id = some_id();
    for (length, good) in
        [(0, false), (1, true), (32, true), (128, true), (129, false), (2000, false)]
    {
        let value = element(OCTET_STRING, &[&vec![7; length]]);
        for critical in [&[][..], CRITICAL] {
            let nonce = extension(&oid::OCSP_NONCE, critical, &value);
            let der = request(&[], &[&id], &[&nonce]);
            match OcspRequest::from_der(&der) {
                Ok(asked) => assert!(good && asked.nonce == Some(&value), "{length}"),
                Err(error) => assert!(!good && error == BadOcspRequest::NonceLength, "{length}"),
            }
        }
    }
    // Bare octets, as RFC 2560 could be read.
    let bare = extension(&oid::OCSP_NONCE, &[], b"0123456789abcdef");
    let der = request(&[], &[&id], &[&bare]);
    assert_eq!(OcspRequest::from_der(&der).unwrap().nonce, Some(&b"0123456789abcdef"[..]));
    let der = request(&[], &[&id], &[&bare, &bare]);
    assert_eq!(OcspRequest::from_der(&der), Err(BadOcspRequest::NonceTwice));
}

#[test]
fn only_what_is_critical_and_unknown_is_refused() {
    let id = some_id();
    let unknown = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.99.1");
    let refused = Err(BadOcspRequest::UnknownCriticalExtension);
    for (oid, critical, taken) in [
        (unknown, &[][..], true),
        (unknown, CRITICAL, false),
        (oid::OCSP_ACCEPTABLE_RESPONSES, CRITICAL, true),
        (oid::OCSP_SERVICE_LOCATOR, CRITICAL, true),
        (oid::OCSP_PREFERRED_SIGNATURE_ALGORITHMS, CRITICAL, true),
    ] {
        let extension = extension(&oid, critical, &[0x30, 0]);
        let der = request(&[], &[&id], &[&extension]);
        let whole = OcspRequest::from_der(&der).map(|_| ());
        assert_eq!(whole, if taken { Ok(()) } else { refused }, "{oid}");
        let single = sequence(&[&id, &element(constructed(0), &[&sequence(&[&extension])])]);
        let der = sequence(&[&sequence(&[&sequence(&[&single])])]);
        let single = OcspRequest::from_der(&der).map(|_| ());
        assert_eq!(single, if taken { Ok(()) } else { refused }, "{oid} in a Request");
    }
}

#[test]
fn what_is_no_request_is_refused() {
    let id = some_id();
    let version = |number: u64| element(constructed(0), &[&integer(number)]);
    assert!(OcspRequest::from_der(&request(&version(0), &[&id], &[])).is_ok());
    let refused = OcspRequest::from_der(&request(&version(1), &[&id], &[])).map(|_| ());
    assert_eq!(refused, Err(BadOcspRequest::Version));
    assert_eq!(OcspRequest::from_der(&request(&[], &[], &[])), Err(BadOcspRequest::Empty));
    let long = request(&[], &vec![id.as_slice(); 200], &[]);
    assert_eq!(OcspRequest::from_der(&long), Err(BadOcspRequest::TooLong));
    let many = request(&[], &vec![id.as_slice(); 100], &[]);
    assert_eq!(OcspRequest::from_der(&many).unwrap().certificates.len(), 100);
    for length in 0..SHA1.len() {
        assert!(OcspRequest::from_der(&SHA1[..length]).is_err(), "{length}");
    }
    let followed = [SHA1, &[0]].concat();
    assert_eq!(OcspRequest::from_der(&followed), Err(BadOcspRequest::NotARequest));
    // A name before the list says nothing.
    let named = element(constructed(1), &[&element(primitive(2), &[b"client.contoso.com"])]);
    let tbs = sequence(&[&named, &sequence(&[&sequence(&[&id])])]);
    assert_eq!(OcspRequest::from_der(&sequence(&[&tbs])).unwrap().certificates.len(), 1);
    // A serial number that none can have is nobody's.
    for odd in [&[2, 1, 0xff][..], &[2, 1, 0], &[&[2, 21][..], &[1; 21]].concat()] {
        let algorithm = sequence(&[&identifier(&oid::SHA_1)]);
        let hash = element(OCTET_STRING, &[&[1; 20]]);
        let id = sequence(&[&algorithm, &hash, &hash, odd]);
        let der = request(&[], &[&id], &[]);
        assert_eq!(OcspRequest::from_der(&der).unwrap().certificates[0].serial, None);
    }
}

/// The statuses' octets, read by hand.
#[test]
fn standings_are_encoded_as_the_standard_has_them() {
    let id = some_id();
    let (this_update, next_update) =
        (moment("2026-11-23T12:00:00Z"), moment("2050-01-02T03:04:05Z"));
    let revocation = |reason| Revocation {
        revoked_at: moment("2026-11-23T11:59:58.999Z"),
        reason,
        invalidity_date: None,
    };
    let time = element(GENERALIZED_TIME, &[b"20261123115958Z"]);
    let because = |code: u8| element(constructed(0), &[&element(ENUMERATED, &[&[code]])]);
    for (standing, expected) in [
        (Standing::Good, vec![0x80, 0]),
        (Standing::Unknown, vec![0x82, 0]),
        (
            Standing::Revoked(revocation(RevocationReason::CertificateHold)),
            element(constructed(1), &[&time, &because(6)]),
        ),
        (
            Standing::Revoked(revocation(RevocationReason::Unspecified)),
            element(constructed(1), &[&time]),
        ),
    ] {
        let single = single_response(&id, &standing, this_update, next_update);
        let mut parts = Elements::of(only(&single, SEQUENCE).unwrap().content);
        assert_eq!(parts.expect(SEQUENCE).unwrap().whole, id);
        assert_eq!(parts.take().unwrap().whole, expected);
        assert_eq!(parts.expect(GENERALIZED_TIME).unwrap().content, b"20261123120000Z");
        let next = parts.expect(constructed(0)).unwrap().content;
        assert_eq!(only(next, GENERALIZED_TIME).unwrap().content, b"20500102030405Z");
        parts.finish().unwrap();
    }
}

#[test]
fn a_response_holds_what_was_signed_and_who_signed() {
    let (id, now) = (some_id(), moment("2026-11-23T12:00:00Z"));
    let single = single_response(&id, &Standing::Good, now, now.plus_seconds(60));
    let nonce = element(OCTET_STRING, &[&[9; 32]]);
    for length in [0, 100, 127, 128, 255, 256, 700, 65_000, 70_000] {
        let certificate = sequence(&[&element(OCTET_STRING, &[&vec![3; length]])]);
        let data = response_data(&[5; 20], now, &[&single, &single], Some(&nonce));
        let signed = SignedAnswer::new(&data, SignatureAlgorithm::EcdsaSha256, &[6; 70]);
        assert_eq!(SignedAnswer::singles(signed.as_bytes()).unwrap(), [&single, &single]);
        let response = successful(signed.as_bytes(), &certificate);

        let mut parts = Elements::of(only(&response, SEQUENCE).unwrap().content);
        assert_eq!(parts.expect(ENUMERATED).unwrap().content, [0]);
        let bytes = parts.expect(constructed(0)).unwrap().content;
        parts.finish().unwrap();
        let mut parts = Elements::of(only(bytes, SEQUENCE).unwrap().content);
        let basic = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
        assert_eq!(parts.take().unwrap().whole, identifier(&basic));
        let basic = parts.expect(OCTET_STRING).unwrap().content;
        parts.finish().unwrap();
        let mut parts = Elements::of(only(basic, SEQUENCE).unwrap().content);
        assert_eq!(parts.expect(SEQUENCE).unwrap().whole, data);
        assert_eq!(parts.expect(SEQUENCE).unwrap().whole, SignatureAlgorithm::EcdsaSha256.to_der());
        assert_eq!(&parts.take().unwrap().content[1..], [6; 70]);
        let certificates = parts.expect(constructed(0)).unwrap().content;
        parts.finish().unwrap();
        assert_eq!(only(certificates, SEQUENCE).unwrap().content, certificate);

        let mut parts = Elements::of(only(&data, SEQUENCE).unwrap().content);
        let responder = parts.expect(constructed(2)).unwrap().content;
        assert_eq!(only(responder, OCTET_STRING).unwrap().content, [5; 20]);
        assert_eq!(parts.expect(GENERALIZED_TIME).unwrap().content, b"20261123120000Z");
        assert_eq!(
            parts.expect(SEQUENCE).unwrap().content,
            [single.clone(), single.clone()].concat()
        );
        let extensions = parts.expect(constructed(1)).unwrap().content;
        let expected = sequence(&[&extension(&oid::OCSP_NONCE, &[], &nonce)]);
        assert_eq!(extensions, expected);
    }
}

#[test]
fn an_answer_without_a_standing_has_five_octets() {
    for (status, code) in ResponseStatus::ALL.into_iter().zip([1, 2, 3, 6]) {
        assert_eq!(status.to_der(), sequence(&[&element(ENUMERATED, &[&[code]])]));
    }
    // That a CertID's parameters are NULL.
    let id = some_id();
    let mut parts = Elements::of(only(&id, SEQUENCE).unwrap().content);
    let algorithm = parts.expect(SEQUENCE).unwrap().content;
    assert_eq!(algorithm, [identifier(&oid::SHA_1), element(NULL, &[])].concat());
}

proptest! {
    #[test]
    fn any_octets_are_refused_or_read(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = OcspRequest::from_der(&octets);
        let _ = SignedAnswer::singles(&octets);
    }

    #[test]
    fn a_changed_request_is_refused_or_read(
        which in 0usize..5,
        place: prop::sample::Index,
        octet: u8,
    ) {
        let mut octets = [SHA1, SHA256, NONCE, SEVERAL, SIGNED][which].to_vec();
        let place = place.index(octets.len());
        octets[place] = octet;
        if let Ok(asked) = OcspRequest::from_der(&octets) {
            prop_assert!(!asked.certificates.is_empty());
            for id in &asked.certificates {
                prop_assert!(octets.windows(id.as_der().len()).any(|own| own == id.as_der()));
            }
        }
    }

    #[test]
    fn every_certificate_has_an_id_that_reads_back(octets: [u8; 20]) {
        let asked = crate::pki::serial::SerialNumber::from_random(octets);
        let hash = if octets[0] % 2 == 0 { IssuerHash::Sha1 } else { IssuerHash::Sha256 };
        let identity = IssuerIdentity::of(&root(&TestKey::generate()));
        let id = identity.certificate_id(hash, &asked);
        let der = request(&[], &[&id], &[]);
        let read = OcspRequest::from_der(&der).unwrap();
        prop_assert_eq!(identity.is_meant_by(&read.certificates[0]), Some(hash));
        prop_assert_eq!(read.certificates[0].serial, Some(asked));
    }
}
