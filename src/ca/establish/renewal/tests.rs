use super::super::{established, intend_root, sign_root};
use super::*;
use crate::ca::establish::generations::installed;
use crate::pki::certificate::Certificate;
use crate::pki::name::DistinguishedName;
use crate::signing::{FileKey, KeyKind};
use crate::storage::act::AuthorityEstablished;

const YEAR: u64 = 365 * 86_400;

fn now() -> Timestamp {
    "2026-11-27T00:00:00Z".parse().unwrap()
}

fn root(key: &FileKey) -> AuthorityEstablished {
    let name = DistinguishedName::with_common_name("X").unwrap();
    let intended = intend_root(&name, key, [7; 20], now(), YEAR).unwrap();
    let certificate = sign_root(&intended, key).unwrap();
    established(&name, certificate, vec![], String::new(), vec![], 0)
}

fn issuer(made: &AuthorityEstablished) -> Issuer {
    Issuer::new::<Vec<u8>>(&made.certificate, &[], vec![], vec![]).unwrap()
}

fn renewed(
    present: &AuthorityEstablished,
    key: &FileKey,
    key_use: KeyUse,
    day: u64,
) -> AuthorityEstablished {
    let later = now().plus_seconds(day * 86_400);
    let generations = Generations::of(present);
    let issuer = issuer(present);
    let intended =
        intend_renewed_root(&issuer, &generations, (key, key_use), [9; 20], later, 2 * YEAR);
    let certificate = sign_root(&intended.unwrap(), key).unwrap();
    installed(present.clone(), certificate, vec![])
}

/// szOID_CERTSRV_CA_VERSION with these four octets as adcs.md has them.
fn says_version(der: &[u8], content: &[u8]) -> bool {
    let length = content.len() as u8;
    let version = [&[0x2b, 6, 1, 4, 1, 0x82, 0x37, 21, 1, 4, length + 2, 2, length], content];
    let version = version.concat();
    der.windows(version.len()).any(|window| window == version)
}

fn says_previous(der: &[u8], previous: &Issuer) -> bool {
    let hash = [0x2b, 6, 1, 4, 1, 0x82, 0x37, 21, 2, 4, 0x16, 4, 0x14];
    let part = [&hash[..], &previous.certificate().sha1_thumbprint()].concat();
    der.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_root_renewed_with_its_key_is_the_same_issuer_and_says_which_certificate_it_renews() {
    let key = FileKey::generate(KeyKind::P256).unwrap();
    let mut present = root(&key);
    for index in 1..4 {
        let next = renewed(&present, &key, KeyUse::Kept, u64::from(index));
        let (old, new) = (issuer(&present), issuer(&next));
        assert_eq!(new.version(), (index, 0));
        assert_eq!(new.name().as_der(), old.name().as_der());
        assert_eq!(new.key_identifier(), old.key_identifier());
        assert!(new.not_after() > old.not_after());
        // Each verifies under the other: the key is the same.
        new.certificate().verify(old.public_key()).unwrap();
        old.certificate().verify(new.public_key()).unwrap();
        assert!(says_version(new.certificate_der(), &[index as u8]));
        assert!(says_previous(new.certificate_der(), &old));
        present = next;
    }
}

#[test]
fn a_new_key_is_called_by_the_certificate_with_which_it_was_new() {
    let [first, second, third] = [KeyKind::P256, KeyKind::P384, KeyKind::Rsa2048]
        .map(|kind| FileKey::generate(kind).unwrap());
    let zero = root(&first);
    let one = renewed(&zero, &first, KeyUse::Kept, 1);
    let two = renewed(&one, &second, KeyUse::New, 2);
    let three = renewed(&two, &second, KeyUse::Kept, 3);
    let four = renewed(&three, &third, KeyUse::New, 4);
    let versions: Vec<_> =
        [&zero, &one, &two, &three, &four].map(|own| issuer(own).version()).into();
    assert_eq!(versions, [(0, 0), (1, 0), (2, 2), (3, 2), (4, 4)]);
    // adcs.md's v1.1 is 02 03 01 00 01: the key index in the upper half.
    assert!(says_version(&two.certificate, &[2, 0, 2]));
    assert!(says_version(&three.certificate, &[2, 0, 3]));
    assert!(says_previous(&two.certificate, &issuer(&one)));
    let (old, new) = (issuer(&one), issuer(&two));
    assert_eq!(old.name().as_der(), new.name().as_der());
    assert_ne!(old.key_identifier(), new.key_identifier());
    assert!(new.certificate().verify(old.public_key()).is_err());
    let generations = Generations::of(&four);
    assert_eq!(generations.key_indexes(), [0, 2, 4]);
    let of_key = |key| generations.certificate_of_key(key).unwrap();
    // The one that lasts longest stands for an old key.
    assert_eq!([of_key(0), of_key(2), of_key(4)], [1, 3, 4]);
}

#[test]
fn a_renewal_outlasts_what_it_renews_and_is_by_the_key_that_was_said() {
    let key = FileKey::generate(KeyKind::P256).unwrap();
    let other = FileKey::generate(KeyKind::P256).unwrap();
    let made = root(&key);
    let (present, generations) = (issuer(&made), Generations::of(&made));
    let renew = |key: &FileKey, key_use, seconds| {
        intend_renewed_root(&present, &generations, (key, key_use), [9; 20], now(), seconds)
    };
    for (key, key_use) in [(&key, KeyUse::Kept), (&other, KeyUse::New)] {
        let short = renew(key, key_use, YEAR);
        assert!(matches!(short, Err(EstablishError::NotLonger { .. })));
        assert!(renew(key, key_use, YEAR + 1).is_ok());
    }
    let foreign = renew(&other, KeyUse::Kept, 2 * YEAR);
    assert!(matches!(foreign, Err(EstablishError::AnotherKey)));
    let known = renew(&key, KeyUse::New, 2 * YEAR);
    assert!(matches!(known, Err(EstablishError::KeyNotNew)));
    let foreign = renewal_request(&present, &generations, (&other, KeyUse::Kept));
    assert!(matches!(foreign, Err(EstablishError::AnotherKey)));
    for (key, key_use) in [(&key, KeyUse::Kept), (&other, KeyUse::New)] {
        let request = renewal_request(&present, &generations, (key, key_use)).unwrap();
        let parsed = crate::pki::request::CertificateRequest::parse(&request).unwrap();
        assert_eq!(parsed.subject().as_der(), present.name().as_der());
        assert_eq!(parsed.public_key().spki_der(), key.spki_der());
        let version: &[u8] = if key_use == KeyUse::New { &[1, 0, 1] } else { &[1] };
        assert!(says_version(&request, version));
    }
}

#[test]
fn a_certificate_without_a_version_counts_as_its_place() {
    let key = FileKey::generate(KeyKind::P256).unwrap();
    let made = root(&key);
    assert_eq!(issuer(&made).version(), (0, 0));
    assert!(Certificate::from_der(&made.certificate).is_ok());
}
