use super::*;
use crate::pki::encoding::Elements;
use crate::pki::profile::ExtensionSlot;
use crate::pki::revocation_list::CrlScope;
use crate::pki::test_authority::{ALGORITHM, TestKey, moment, root, serial, vpn_server};
use proptest::prelude::*;

fn issue(key: &TestKey, holder: &TestKey) -> Certificate {
    let issuer = root(key);
    let profile = vpn_server(&holder.public);
    let prepared = Prepared::build(&profile, serial("0abc"), &issuer, ALGORITHM).unwrap();
    let signature = key.sign(prepared.tbs());
    let made = Certificate::assemble(prepared.tbs(), ALGORITHM, &signature, issuer.public_key());
    let certificate = made.unwrap();
    assert_eq!(certificate.tbs(), prepared.tbs());
    assert_eq!(prepared.tbs_sha256(), sha256(prepared.tbs()));
    certificate
}

#[test]
fn what_was_prepared_is_what_is_issued() {
    let (key, holder) = (TestKey::generate(), TestKey::generate());
    let issued = issue(&key, &holder);
    let read = Certificate::from_der(issued.der()).unwrap();
    assert_eq!(read, issued);
    assert!(read.verify(&key.public).is_ok());
    assert!(read.verify(&holder.public).is_err());
    assert_eq!(read.serial(), serial("0abc"));
    assert_eq!(read.not_before(), moment("2026-11-23T03:50:00Z"));
    assert_eq!(read.not_after(), moment("2027-11-23T03:50:00Z"));
    assert_eq!(read.names(), ["vpn.contoso.com", "vpn.contoso.com"]);
    assert_eq!(read.public_key().unwrap(), holder.public);
    assert_eq!(read.public_key_thumbprint(), holder.public.thumbprint());
    assert_eq!(read.security_identifier().unwrap(), "S-1-5-21-1-2-3-1104");
    let mapping = "X509:<I>DC=com,DC=contoso,DC=corp,CN=Contoso VPN CA<SR>bc0a";
    assert_eq!(read.alt_security_identities(), mapping);
}

/// x509-cert, an engine of its own, reads the same values.
#[test]
fn agrees_with_x509_cert() {
    use der::{Decode, Encode};
    let issued = issue(&TestKey::generate(), &TestKey::generate());
    let theirs = x509_cert::Certificate::from_der(issued.der()).unwrap();
    assert_eq!(theirs.to_der().unwrap(), issued.der());
    let tbs = theirs.tbs_certificate();
    assert_eq!(tbs.serial_number().as_bytes(), issued.serial().as_der_content());
    assert_eq!(tbs.subject().to_string(), issued.subject().to_string());
    assert_eq!(tbs.extensions().unwrap().len(), 10);
}

#[test]
fn extensions_keep_the_order_of_the_profile() {
    let issued = issue(&TestKey::generate(), &TestKey::generate());
    let parts = TbsParts::of(issued.tbs()).unwrap();
    let order: Vec<&[u8]> = parts.extensions.iter().map(|extension| extension.oid).collect();
    let expected = [
        oid::TEMPLATE_INFORMATION,
        oid::EXTENDED_KEY_USAGE,
        oid::KEY_USAGE,
        oid::APPLICATION_POLICIES,
        oid::SUBJECT_KEY_IDENTIFIER,
        oid::AUTHORITY_KEY_IDENTIFIER,
        oid::CRL_DISTRIBUTION_POINTS,
        oid::AUTHORITY_INFORMATION_ACCESS,
        oid::SUBJECT_ALTERNATIVE_NAME,
        oid::CA_SECURITY,
    ];
    assert!(order.iter().copied().eq(expected.iter().map(|oid| oid.as_bytes())));
}

#[test]
fn a_wrong_signature_makes_no_certificate() {
    let (key, other) = (TestKey::generate(), TestKey::generate());
    let issuer = root(&key);
    let profile = vpn_server(&other.public);
    let prepared = Prepared::build(&profile, serial("01"), &issuer, ALGORITHM).unwrap();
    let wrong = Err(CertificateError::Signature(SignatureError::WrongSignature));
    let forged = other.sign(prepared.tbs());
    let made = Certificate::assemble(prepared.tbs(), ALGORITHM, &forged, issuer.public_key());
    assert_eq!(made, wrong);
    let mut changed = prepared.tbs().to_vec();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    let signature = key.sign(prepared.tbs());
    let made = Certificate::assemble(&changed, ALGORITHM, &signature, issuer.public_key());
    assert_eq!(made, wrong);
}

/// The URLs in an extension of distribution points; none where there is no such extension.
fn points(tbs: &[u8], oid: &der::asn1::ObjectIdentifier) -> Vec<String> {
    let parts = TbsParts::of(tbs).unwrap();
    let value = parts.extension(oid).map(|extension| {
        assert!(!extension.critical);
        extension::read_distribution_points(extension.value).unwrap()
    });
    value.unwrap_or_default()
}

#[test]
fn a_certificate_names_the_crl_of_its_partition_and_only_the_whole_has_deltas() {
    let key = TestKey::generate();
    let mut profile = vpn_server(&TestKey::generate().public);
    let place =
        profile.extensions.iter().position(|own| *own == ExtensionSlot::CrlDistributionPoints);
    profile.extensions.insert(place.unwrap() + 1, ExtensionSlot::FreshestCrl);
    let delta = vec!["http://pki.contoso.com/crl/ca-delta.crl".to_owned()];
    let whole = root(&key).with_freshest_crl_urls(delta.clone());
    let urls =
        |number: u32| vec![format!("http://a/crl/ca-p{number}.crl"), format!("http://b/{number}")];
    let parted = whole.clone().with_partitions((1..=3).map(urls).collect());
    let mut met = [0; 3];
    for last in 0..30u8 {
        let serial = SerialNumber::from_random([last; 20]);
        let tbs = Prepared::build(&profile, serial, &parted, ALGORITHM).unwrap().into_tbs();
        let scope = parted.scope_of(&serial);
        let number = scope.partition.unwrap().get();
        met[usize::from(number) - 1] += 1;
        assert_eq!(points(&tbs, &oid::CRL_DISTRIBUTION_POINTS), urls(u32::from(number)));
        assert_eq!(parted.crl_urls_of(scope), urls(u32::from(number)));
        assert!(points(&tbs, &oid::FRESHEST_CRL).is_empty());

        assert_eq!(whole.scope_of(&serial), CrlScope::FIRST);
        let tbs = Prepared::build(&profile, serial, &whole, ALGORITHM).unwrap().into_tbs();
        assert_eq!(points(&tbs, &oid::CRL_DISTRIBUTION_POINTS), whole.crl_urls());
        assert_eq!(points(&tbs, &oid::FRESHEST_CRL), delta);
    }
    assert!(met.iter().all(|count| *count > 0), "{met:?}");
    // Another key's certificates are in no scope of this one's.
    let other = parted.with_key_index(1).scope_of(&SerialNumber::from_random([7; 20]));
    assert_eq!(other.key, 1);
}

#[test]
fn what_breaks_a_rule_is_not_prepared() {
    let key = TestKey::generate();
    let mut profile = vpn_server(&key.public);
    profile.extensions.push(ExtensionSlot::AuthorityKeyIdentifier);
    let refused = Prepared::build(&profile, serial("01"), &root(&key), ALGORITHM);
    let Err(CertificateError::Lint(findings)) = refused else { panic!("prepared") };
    assert_eq!(findings[0].lint, "extensions-unique");
}

proptest! {
    #[test]
    fn any_bytes_are_refused(bytes: Vec<u8>) {
        prop_assert!(KeyParts::of_certificate(&bytes).is_err());
        prop_assert!(Certificate::from_der(&bytes).is_err());
    }

    #[test]
    fn a_damaged_certificate_does_not_verify(at in 0usize..5000, octet: u8) {
        let key = TestKey::generate();
        let mut der = issue(&key, &TestKey::generate()).der().to_vec();
        let at = at % der.len();
        prop_assume!(der[at] != octet);
        der[at] = octet;
        let parts = KeyParts::of_certificate(&der);
        if let Ok(certificate) = Certificate::from_der(&der) {
            prop_assert!(parts.is_ok_and(|key| certificate.spki_der().ends_with(key.octets))
                || certificate.public_key().is_err());
            prop_assert!(certificate.verify(&key.public).is_err());
        }
        let _ = Elements::of(&der).take();
    }
}
