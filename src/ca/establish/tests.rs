use proptest::prelude::*;

use super::*;
use crate::pki::revocation_list::{CrlFrame, CrlHeading};
use crate::signing::{FileKey, KeyKind};

fn name(text: &str) -> DistinguishedName {
    DistinguishedName::from_rfc4514(text).unwrap()
}

fn now() -> Timestamp {
    "2026-11-23T04:00:00Z".parse().unwrap()
}

#[test]
fn a_root_is_an_issuer_over_its_own_key_and_keeps_its_whole_name() {
    let whole = name("CN=Contoso VPN CA,OU=One,OU=Two,DC=corp,DC=contoso,DC=com");
    for kind in [KeyKind::Rsa2048, KeyKind::P256, KeyKind::P384] {
        let key = FileKey::generate(kind).unwrap();
        let intended = intend_root(&whole, &key, [7; 20], now(), 86_400).unwrap();
        let certificate = sign_root(&intended, &key).unwrap();
        assert_eq!(accept_certificate(&certificate, &[], &key, now()).unwrap(), [[0u8; 0]; 0]);
        let issuer = Issuer::new::<Vec<u8>>(&certificate, &[], vec![], vec![]).unwrap();
        assert_eq!(issuer.name().as_der(), whole.as_der());
        assert_eq!(issuer.name().attributes().len(), 6);
        assert!(issuer.not_before() < now() && issuer.not_after() > now());
        let over = now().plus_seconds(86_401);
        let ended = accept_certificate(&certificate, &[], &key, over);
        assert!(matches!(ended, Err(EstablishError::Ended(_))));
        let other = FileKey::generate(kind).unwrap();
        let foreign = accept_certificate(&certificate, &[], &other, now());
        assert!(matches!(foreign, Err(EstablishError::AnotherKey)));
    }
}

#[test]
fn a_nameless_ca_is_refused() {
    let key = FileKey::generate(KeyKind::P256).unwrap();
    let refused = intend_root(&DistinguishedName::empty(), &key, [7; 20], now(), 1);
    assert!(matches!(refused, Err(EstablishError::NoName)));
    let refused = subordinate_request(&DistinguishedName::empty(), &key);
    assert!(matches!(refused, Err(EstablishError::NoName)));
}

#[test]
fn a_subordinates_request_proves_possession_and_keeps_the_name() {
    let key = FileKey::generate(KeyKind::P256).unwrap();
    let whole = name("CN=Issuing CA,DC=corp,DC=contoso,DC=com");
    let csr = subordinate_request(&whole, &key).unwrap();
    let parsed = crate::pki::request::CertificateRequest::parse(&csr).unwrap();
    assert_eq!(parsed.subject().as_der(), whole.as_der());
    assert_eq!(parsed.public_key().spki_der(), key.spki_der());
}

#[test]
fn the_first_acts_publish_the_tutorials_three_and_end_with_the_ca() {
    let made = established(&name("CN=X"), vec![1], vec![], "1.2".to_owned(), vec![], 1);
    let acts = first_acts(made, now());
    let published: Vec<_> = acts
        .iter()
        .filter_map(|act| match act {
            Act::TemplatePublished(mark) => Some(mark.cn.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(
        published,
        ["VPNUserAuthentication", "VPNServerAuthentication", "NPSServerAuthentication"]
    );
    assert!(matches!(acts.last(), Some(Act::AuthorityEstablished(_))));
}

#[test]
fn slugs_are_of_the_common_name() {
    assert_eq!(slug(&name("CN=Contoso VPN CA,DC=corp,DC=contoso,DC=com")), "contoso-vpn-ca");
    assert_eq!(slug(&name("O=Zweite  Geige,C=DE")), "o-zweite-geige-c-de");
    assert_eq!(slug(&name("CN=\u{141}\u{f3}d\u{17a}")), "d");
    assert_eq!(slug(&name("CN=\u{6771}\u{4eac}")), "ca");
}

proptest! {
    #[test]
    fn every_name_has_a_slug(text in "[^\\p{C}\\\\\"+,;<>=#]{1,64}") {
        if let Ok(name) = DistinguishedName::with_common_name(&text) {
            let slug = slug(&name);
            prop_assert!((1..=SLUG_LENGTH).contains(&slug.len()));
            let fits = |letter: u8| matches!(letter, b'a'..=b'z' | b'0'..=b'9' | b'-');
            prop_assert!(slug.bytes().all(fits) && !slug.starts_with('-') && !slug.ends_with('-'));
        }
    }

    #[test]
    fn any_octets_are_no_crl_of_ours(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let key = FileKey::generate(KeyKind::P256).unwrap();
        let intended = intend_root(&name("CN=X"), &key, [7; 20], now(), 1).unwrap();
        let root = sign_root(&intended, &key).unwrap();
        let issuer = Issuer::new::<Vec<u8>>(&root, &[], vec![], vec![]).unwrap();
        prop_assert!(listed_revocations(octets.as_slice(), &issuer).is_err());
    }
}

/// A list of nobody.
fn list(issuer: &Issuer, key: &FileKey, number: u64, kind: CrlKind) -> Vec<u8> {
    let heading = CrlHeading {
        number,
        this_update: now(),
        next_update: now().plus_seconds(86_400),
        next_publish: now().plus_seconds(3600),
        kind,
        freshest_urls: &[],
        distribution_point_urls: &[],
    };
    let frame = CrlFrame::new(issuer, key.algorithm(), &heading, 0);
    let tbs = [frame.header.as_slice(), &frame.trailer].concat();
    let signature = key.sign(&tbs).unwrap();
    let outer = frame.outer_header(signature.len());
    [outer, tbs, frame.signature_trailer(&signature)].concat()
}

/// What was revoked between the two lists would be on neither.
#[test]
fn a_delta_against_a_later_base_is_not_taken() {
    let key = FileKey::generate(KeyKind::P256).unwrap();
    let intended = intend_root(&name("CN=X"), &key, [7; 20], now(), 400_000_000).unwrap();
    let certificate = sign_root(&intended, &key).unwrap();
    let issuer = Issuer::new::<Vec<u8>>(&certificate, &[], vec![], vec![]).unwrap();
    let complete = list(&issuer, &key, 5, CrlKind::Complete);
    let together = |base| {
        let delta = list(&issuer, &key, 9, CrlKind::Delta { base });
        let listed = listed_revocations(complete.as_slice(), &issuer).unwrap();
        listed.with(delta.as_slice(), &issuer)
    };
    for base in [4, 5] {
        assert_eq!(together(base).unwrap().number, Some(9));
    }
    let refused = together(6).err().unwrap();
    let fits = matches!(refused, EstablishError::DeltaOfLaterBase { base: 6, given: 5 });
    assert!(fits, "{refused}");
}
