use super::*;
use crate::pki::bundle::certificates_from_pem;
use crate::pki::certificate::Certificate;
use crate::pki::oid;
use crate::pki::public_key::KeyAlgorithm;
use proptest::prelude::*;

const SAMPLE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ad_cs_user.pem"));

/// What the strict reader says, this one says too.
#[test]
fn a_certificate_of_ad_cs_reads_alike() {
    let der = certificates_from_pem(SAMPLE).unwrap().remove(0);
    let strict = Certificate::from_der(&der).unwrap();
    let read = PresentedCertificate::from_der(&der).unwrap();
    assert_eq!(read.subject_text(), strict.subject().to_string());
    assert_eq!(read.issuer_der(), strict.issuer().as_der());
    assert_eq!(read.serial_text(), strict.serial().to_string());
    assert_eq!(read.extended_key_usage().unwrap(), strict.extended_key_usage());
    assert_eq!(read.alternative_names().unwrap().unwrap(), strict.alternative_names());
    assert_eq!(read.spki_der(), strict.spki_der());
    assert_eq!(strict.public_key().unwrap().algorithm(), KeyAlgorithm::Rsa);
    assert_eq!(read.key(), PresentedKey::Rsa { bits: 2048, weakness: None });
    assert_eq!(read.digest(), Digest::Strong);
    assert!(read.crl_distribution_points()[0].urls[0].starts_with("ldap:///CN=CVI%20Issuing"));
    assert!(read.issuer_urls()[0].starts_with("ldap:///"));
    assert!(read.ocsp_urls().is_empty() && read.is_version_3() && !read.is_self_issued());
    assert_eq!(read.fits(&read), Fit::Wrong);
    assert_eq!(read.extensions().len(), 10);
    assert_eq!(read.extensions()[0].oid_text(), oid::TEMPLATE_INFORMATION.to_string());
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_read(bytes: Vec<u8>) {
        let _ = PresentedCertificate::from_der(&bytes);
        if let Ok(crl) = PresentedCrl::from_der(bytes) {
            let _ = (crl.find(&[1]), crl.scope(), crl.number(), crl.freshest_crl_urls());
        }
    }

    /// One octet changed: it reads or not, and never more than that; what reads is another.
    #[test]
    fn a_damaged_certificate_is_refused_or_read(at in 0usize..1400, to: u8) {
        let mut der = certificates_from_pem(SAMPLE).unwrap().remove(0);
        let at = at % der.len();
        der[at] = to;
        if let Ok(read) = PresentedCertificate::from_der(&der) {
            let _ = (read.key(), read.alternative_names(), read.security_identifier());
            let _ = (read.fits(&read), read.crl_distribution_points(), read.basic_constraints());
            prop_assert_eq!(read.der(), der);
        }
    }
}
