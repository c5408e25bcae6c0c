//! A certificate before its signature: the exact bytes, built and linted.

use super::{CertificateError, sha256};
use crate::pki::encoding::{self, INTEGER, SEQUENCE, constructed, time};
use crate::pki::extension::{self, Extension};
use crate::pki::issuer::Issuer;
use crate::pki::lint;
use crate::pki::profile::{ExtensionSlot, Profile};
use crate::pki::serial::SerialNumber;
use crate::pki::signature::SignatureAlgorithm;

/// A certificate built and linted, to be put on record and only then signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    tbs: Vec<u8>,
    serial: SerialNumber,
    algorithm: SignatureAlgorithm,
}

/// `[0] { INTEGER 2 }`: version 3.
const VERSION_3: [u8; 5] = [0xa0, 3, INTEGER, 1, 2];

impl Prepared {
    /// The to-be-signed bytes of what `profile` says, and what its rules (`lint`) say of them.
    pub fn build(
        profile: &Profile,
        serial: SerialNumber,
        issuer: &Issuer,
        algorithm: SignatureAlgorithm,
    ) -> Result<Self, CertificateError> {
        let mut extensions = Vec::with_capacity(1024);
        for slot in &profile.extensions {
            write_extension(&mut extensions, slot, issuer);
        }
        let mut content = Vec::with_capacity(extensions.len() + 1024);
        content.extend_from_slice(&VERSION_3);
        encoding::write(&mut content, INTEGER, &[serial.as_der_content()]);
        content.extend_from_slice(algorithm.to_der());
        content.extend_from_slice(issuer.name().as_der());
        let validity = [time::encode(profile.not_before), time::encode(profile.not_after)];
        encoding::write(&mut content, SEQUENCE, &[&validity[0], &validity[1]]);
        content.extend_from_slice(profile.subject.as_der());
        content.extend_from_slice(profile.public_key.spki_der());
        if !extensions.is_empty() {
            let list = encoding::sequence(&[&extensions]);
            encoding::write(&mut content, constructed(3), &[&list]);
        }
        let tbs = encoding::sequence(&[&content]);
        let findings = lint::inspect(&tbs, issuer, algorithm);
        if findings.is_empty() {
            Ok(Self { tbs, serial, algorithm })
        } else {
            Err(CertificateError::Lint(findings))
        }
    }

    /// The TBSCertificate.
    pub fn tbs(&self) -> &[u8] {
        &self.tbs
    }

    /// Its serial number.
    pub fn serial(&self) -> SerialNumber {
        self.serial
    }

    /// The algorithm it must be signed with.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// SHA-256 of the to-be-signed bytes.
    pub fn tbs_sha256(&self) -> [u8; 32] {
        sha256(&self.tbs)
    }

    /// The to-be-signed bytes, given away.
    pub fn into_tbs(self) -> Vec<u8> {
        self.tbs
    }
}

fn write_extension(out: &mut Vec<u8>, slot: &ExtensionSlot, issuer: &Issuer) {
    let extension = match slot {
        ExtensionSlot::Fixed(extension) => return extension.write(out),
        ExtensionSlot::AuthorityKeyIdentifier => {
            extension::authority_key_identifier(issuer.key_identifier())
        }
        ExtensionSlot::CrlDistributionPoints => match issuer.crl_urls() {
            [] => return,
            urls => extension::crl_distribution_points(urls),
        },
        ExtensionSlot::AuthorityInformationAccess => match issuer.certificate_urls() {
            [] => return,
            urls => extension::authority_information_access(urls),
        },
    };
    Extension::write(&extension, out);
}
