//! Renewal of the CA's own certificate with the same key: AD CS's `certutil -renewcert ReuseKeys`.
//!
//! Name, key and key identifier stay, so whatever was issued verifies under either certificate and
//! CRLs go on as they were; the certificate index of the CA version rises, and the new certificate
//! holds the hash of the old one ([MS-CSRA], szOID_CERTSRV_PREVIOUS_CERT_HASH).

use super::{EstablishError, SET_BACK_SECONDS, request_for};
use crate::pki::authority_certificate::{Generation, root_to_be_signed};
use crate::pki::issuer::Issuer;
use crate::pki::public_key::PublicKey;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::signing::CaKey;
use crate::storage::act::{AuthorityEstablished, AuthorityIntended, Der};

/// The to-be-signed bytes of a root's next certificate, and the act that puts them on record.
pub fn intend_renewed_root(
    present: &Issuer,
    key: &dyn CaKey,
    random: [u8; 20],
    now: Timestamp,
    validity_seconds: u64,
) -> Result<AuthorityIntended, EstablishError> {
    let public_key = own_key(present, key)?;
    let now = now.whole_seconds();
    let would_end = now.plus_seconds(validity_seconds);
    if would_end <= present.not_after() {
        return Err(EstablishError::NotLonger { would_end, ends: present.not_after() });
    }
    let tbs = root_to_be_signed(
        present.name(),
        &public_key,
        SerialNumber::from_random(random),
        [now.minus_seconds(SET_BACK_SECONDS), would_end],
        key.algorithm(),
        next_generation(present)?,
    );
    Ok(AuthorityIntended { tbs })
}

/// The request (RFC 2986) by which a subordinate CA asks its parent for its next certificate.
pub fn renewal_request(present: &Issuer, key: &dyn CaKey) -> Result<Vec<u8>, EstablishError> {
    let public_key = own_key(present, key)?;
    request_for(present.name(), &public_key, key, next_generation(present)?)
}

/// The CA on record with another certificate in the place of its present one, which joins the
/// earlier ones. A certificate that it has already changes only the chain.
pub fn renewed(
    present: AuthorityEstablished,
    certificate: Vec<u8>,
    parents: Vec<Vec<u8>>,
) -> AuthorityEstablished {
    let mut earlier = present.earlier;
    if !present.certificate.is_empty() && present.certificate != certificate {
        earlier.push(Der(present.certificate));
    }
    earlier.retain(|own| own.0 != certificate);
    let parents = parents.into_iter().map(Der).collect();
    AuthorityEstablished { certificate, parents, earlier, ..present }
}

/// The name, without its ending, of the file in which a CA's certificate of this index is found:
/// AD CS's `%3%4`, with a dash where it has brackets.
pub fn certificate_name(slug: &str, certificate_index: usize) -> String {
    match certificate_index {
        0 => slug.to_owned(),
        index => format!("{slug}-{index}"),
    }
}

fn own_key(present: &Issuer, key: &dyn CaKey) -> Result<PublicKey, EstablishError> {
    if key.spki_der() != present.public_key().spki_der() {
        return Err(EstablishError::AnotherKey);
    }
    Ok(PublicKey::from_spki_der(key.spki_der())?)
}

fn next_generation(present: &Issuer) -> Result<Generation, EstablishError> {
    let (certificate_index, key_index) = present.version();
    let next = certificate_index.checked_add(1).ok_or(EstablishError::GenerationsExhausted)?;
    let previous_sha1 = Some(present.certificate().sha1_thumbprint());
    Ok(Generation { certificate_index: next, key_index, previous_sha1 })
}

#[cfg(test)]
mod tests {
    use super::super::{established, intend_root, sign_root};
    use super::*;
    use crate::pki::certificate::Certificate;
    use crate::pki::name::DistinguishedName;
    use crate::signing::{FileKey, KeyKind};

    const YEAR: u64 = 365 * 86_400;

    fn now() -> Timestamp {
        "2026-11-27T00:00:00Z".parse().unwrap()
    }

    fn root(key: &FileKey) -> Issuer {
        let name = DistinguishedName::with_common_name("X").unwrap();
        let intended = intend_root(&name, key, [7; 20], now(), YEAR).unwrap();
        issuer(&sign_root(&intended, key).unwrap())
    }

    fn issuer(certificate: &[u8]) -> Issuer {
        Issuer::new::<Vec<u8>>(certificate, &[], vec![], vec![]).unwrap()
    }

    #[test]
    fn a_renewed_root_is_the_same_issuer_and_says_which_certificate_it_renews() {
        let key = FileKey::generate(KeyKind::P256).unwrap();
        let mut present = root(&key);
        for index in 1..4 {
            let later = now().plus_seconds(u64::from(index) * 86_400);
            let intended = intend_renewed_root(&present, &key, [9; 20], later, 2 * YEAR).unwrap();
            let next = issuer(&sign_root(&intended, &key).unwrap());
            assert_eq!(next.version(), (index, 0));
            assert_eq!(next.name().as_der(), present.name().as_der());
            assert_eq!(next.key_identifier(), present.key_identifier());
            assert!(next.not_after() > present.not_after());
            // Each verifies under the other: the key is the same.
            next.certificate().verify(present.public_key()).unwrap();
            present.certificate().verify(next.public_key()).unwrap();
            // adcs.md's v1.0: 21.1 with 02 01 01, and 21.2 with 04 14 and the SHA-1.
            let der = next.certificate_der();
            let version = [&[0x2b, 6, 1, 4, 1, 0x82, 0x37, 21, 1, 4, 3, 2, 1][..], &[index as u8]];
            assert!(holds(der, &version.concat()));
            let hash = [0x2b, 6, 1, 4, 1, 0x82, 0x37, 21, 2, 4, 0x16, 4, 0x14];
            let previous = present.certificate().sha1_thumbprint();
            assert!(holds(der, &[&hash[..], &previous].concat()));
            present = next;
        }
    }

    fn holds(der: &[u8], part: &[u8]) -> bool {
        der.windows(part.len()).any(|window| window == part)
    }

    #[test]
    fn a_renewal_outlasts_what_it_renews_and_is_by_the_same_key() {
        let key = FileKey::generate(KeyKind::P256).unwrap();
        let present = root(&key);
        let short = intend_renewed_root(&present, &key, [9; 20], now(), YEAR);
        assert!(matches!(short, Err(EstablishError::NotLonger { .. })));
        let other = FileKey::generate(KeyKind::P256).unwrap();
        let foreign = intend_renewed_root(&present, &other, [9; 20], now(), 2 * YEAR);
        assert!(matches!(foreign, Err(EstablishError::AnotherKey)));
        assert!(matches!(renewal_request(&present, &other), Err(EstablishError::AnotherKey)));
        let request = renewal_request(&present, &key).unwrap();
        let parsed = crate::pki::request::CertificateRequest::parse(&request).unwrap();
        assert_eq!(parsed.subject().as_der(), present.name().as_der());
    }

    #[test]
    fn the_certificates_before_are_kept_in_order_and_once() {
        let name = DistinguishedName::with_common_name("X").unwrap();
        let first = established(&name, vec![1], vec![], String::new(), vec![], 0);
        let second = renewed(first, vec![2], vec![vec![9]]);
        let third = renewed(second, vec![3], vec![]);
        assert_eq!(third.earlier, [Der(vec![1]), Der(vec![2])]);
        assert_eq!((third.certificate.as_slice(), third.parents.len()), (&[3][..], 0));
        let again = renewed(third, vec![3], vec![vec![9]]);
        assert_eq!((again.earlier.len(), again.parents.len()), (2, 1));
        // One that waits for its first certificate had none.
        let waiting = established(&name, vec![], vec![], String::new(), vec![], 0);
        assert!(renewed(waiting, vec![1], vec![]).earlier.is_empty());
        assert_eq!(
            (certificate_name("x", 0), certificate_name("x", 2)),
            ("x".into(), "x-2".into())
        );
    }

    #[test]
    fn a_certificate_without_a_version_counts_as_the_first() {
        let key = FileKey::generate(KeyKind::P256).unwrap();
        assert_eq!(root(&key).version(), (0, 0));
        assert!(Certificate::from_der(root(&key).certificate_der()).is_ok());
    }
}
