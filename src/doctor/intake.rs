//! Reads what is given: PEM, DER, PKCS #7 and PKCS #12 with any number of certificates.

use crate::pki::bundle::{
    NotOpened, certificates_from_pkcs7, certificates_from_pkcs12, is_pkcs12, pem,
};
use crate::pki::presented::PresentedCertificate;

/// Certificates in one file at most: more is nobody's chain.
pub const MOST_CERTIFICATES: usize = 64;

/// Why nothing can be examined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// Nothing of a kind known here.
    #[error("this is no certificate: PEM, DER, PKCS #7 and PKCS #12 are read")]
    UnknownForm,
    /// PEM that is broken.
    #[error("the PEM is broken: an END line is missing or differs, or the base64 is none")]
    BrokenPem,
    /// PEM without certificates; holds the labels that are there.
    #[error("the PEM holds no certificate, only: {0}")]
    NoCertificate(String),
    /// One that does not read.
    #[error("certificate {0} is no X.509 certificate in DER")]
    BrokenCertificate(usize),
    /// A PKCS #12 file without its password, with another one, or that costs too much.
    #[error("the PKCS #12 file: {0}")]
    Pkcs12(#[from] NotOpened),
    /// One with keys alone.
    #[error("the PKCS #12 file holds no certificate")]
    EmptyPkcs12,
    /// Too many.
    #[error("more than {MOST_CERTIFICATES} certificates")]
    TooMany,
}

/// The certificates in `content`, the one that the others stand above first. A private key in it
/// stays shut. `password` is for PKCS #12; without one an empty one is tried.
pub fn certificates(
    content: &[u8],
    password: Option<&str>,
) -> Result<Vec<PresentedCertificate>, NotTaken> {
    let ders = ders(content, password)?;
    if ders.len() > MOST_CERTIFICATES {
        return Err(NotTaken::TooMany);
    }
    let read = |(position, der): (usize, &Vec<u8>)| {
        PresentedCertificate::from_der(der).map_err(|_| NotTaken::BrokenCertificate(position))
    };
    let read = (1..).zip(&ders).map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(lowest_first(read))
}

fn ders(content: &[u8], password: Option<&str>) -> Result<Vec<Vec<u8>>, NotTaken> {
    let text = std::str::from_utf8(content).ok();
    if let Some(text) = text.filter(|text| text.contains("-----BEGIN ")) {
        return from_pem(text);
    }
    // Windows' tools write base64 without its armour, too.
    let bare = text.and_then(pem::decode_base64);
    let der = bare.as_deref().unwrap_or(content);
    if PresentedCertificate::from_der(der).is_ok() {
        return Ok(vec![der.to_vec()]);
    }
    if let Ok(found) = certificates_from_pkcs7(der) {
        return if found.is_empty() { Err(NotTaken::UnknownForm) } else { Ok(found) };
    }
    if is_pkcs12(der) {
        return from_pkcs12(der, password);
    }
    Err(NotTaken::UnknownForm)
}

fn from_pem(text: &str) -> Result<Vec<Vec<u8>>, NotTaken> {
    let (blocks, _) = pem::read(text).map_err(|_| NotTaken::BrokenPem)?;
    let mut found = Vec::new();
    for block in &blocks {
        match block.label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
                found.push(block.der.clone());
            }
            "PKCS7" | "CMS" | "PKCS #7 SIGNED DATA" => {
                let inside = certificates_from_pkcs7(&block.der);
                found.extend(inside.map_err(|_| NotTaken::UnknownForm)?);
            }
            _ => {} // keys, parameters, requests: not what is asked about
        }
    }
    if found.is_empty() {
        let labels: Vec<&str> = blocks.iter().map(|block| block.label.as_str()).collect();
        return Err(NotTaken::NoCertificate(labels.join(", ")));
    }
    Ok(found)
}

fn from_pkcs12(der: &[u8], password: Option<&str>) -> Result<Vec<Vec<u8>>, NotTaken> {
    let found = certificates_from_pkcs12(der, password.unwrap_or_default())?;
    if found.is_empty() { Err(NotTaken::EmptyPkcs12) } else { Ok(found) }
}

/// The first certificate that issued none of the others comes first; the rest keep their order.
fn lowest_first(mut certificates: Vec<PresentedCertificate>) -> Vec<PresentedCertificate> {
    let issued_another = |own: &PresentedCertificate| {
        let below = |other: &PresentedCertificate| {
            other != own && !other.is_self_issued() && other.issuer_der() == own.subject_der()
        };
        certificates.iter().any(below)
    };
    if let Some(lowest) = certificates.iter().position(|own| !issued_another(own)) {
        let lowest = certificates.remove(lowest);
        certificates.insert(0, lowest);
    }
    certificates
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::bundle::{certificates_from_pem, certificates_to_pkcs7};
    use proptest::prelude::*;

    const SAMPLE: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ad_cs_user.pem"));

    #[test]
    fn every_form_gives_the_same_certificate() {
        let der = certificates_from_pem(SAMPLE).unwrap().remove(0);
        let expected = [PresentedCertificate::from_der(&der).unwrap()];
        let pkcs7 = certificates_to_pkcs7(&[&der]);
        let bare = SAMPLE.lines().filter(|line| !line.starts_with('-')).collect::<String>();
        for content in [SAMPLE.as_bytes(), &der, &pkcs7, bare.as_bytes()] {
            assert_eq!(certificates(content, None).unwrap(), expected);
        }
        let armoured = pem::write("PKCS7", &pkcs7);
        assert_eq!(certificates(armoured.as_bytes(), None).unwrap(), expected);
    }

    #[test]
    fn what_is_refused_says_why() {
        let refused = |content: &[u8]| certificates(content, None).unwrap_err();
        assert_eq!(refused(b""), NotTaken::UnknownForm);
        assert_eq!(refused(b"-----BEGIN CERTIFICATE-----"), NotTaken::BrokenPem);
        let key = pem::write("PRIVATE KEY", &[0x30, 0]);
        assert_eq!(refused(key.as_bytes()), NotTaken::NoCertificate("PRIVATE KEY".to_owned()));
        let broken = pem::write("CERTIFICATE", &[0x30, 0]);
        assert_eq!(refused(broken.as_bytes()), NotTaken::BrokenCertificate(1));
        let many = SAMPLE.repeat(MOST_CERTIFICATES + 1);
        assert_eq!(refused(many.as_bytes()), NotTaken::TooMany);
        assert!(matches!(refused(&[0x30, 5, 2, 1, 3, 0x30, 0]), NotTaken::Pkcs12(_)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_read(bytes: Vec<u8>) {
            let _ = certificates(&bytes, None);
        }

        #[test]
        fn any_text_is_refused_or_read(text in "(-----(BEGIN|END) (CERTIFICATE|PKCS7)-----|[A-Za-z0-9+/=\\s-]){0,40}") {
            let _ = certificates(text.as_bytes(), None);
        }
    }
}
