//! A certificate before its signature: the exact bytes, built and linted.

use std::borrow::Cow;

use der::Encode;

use super::parts::TbsParts;
use super::{CertificateError, sha256};
use crate::pki::extension::{self, Extension};
use crate::pki::issuer::Issuer;
use crate::pki::lint;
use crate::pki::profile::{ExtensionSlot, Profile};
use crate::pki::revocation_list::CrlScope;
use crate::pki::serial::SerialNumber;
use crate::pki::signature::SignatureAlgorithm;
use crate::pki::template::OcspUrl;

/// A certificate built and linted, to be put on record and only then signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    tbs: Vec<u8>,
    serial: SerialNumber,
    algorithm: SignatureAlgorithm,
}

impl Prepared {
    /// The to-be-signed bytes of what `profile` says, and what its rules (`lint`) say of them.
    pub fn build(
        profile: &Profile,
        serial: SerialNumber,
        issuer: &Issuer,
        algorithm: SignatureAlgorithm,
    ) -> Result<Self, CertificateError> {
        let scope = issuer.scope_of(&serial);
        let extensions: Vec<Cow<'_, Extension>> =
            profile.extensions.iter().filter_map(|slot| fill(slot, issuer, scope)).collect();
        let parts = TbsParts::version_3(
            &serial,
            algorithm.to_der(),
            issuer.name().as_der(),
            [profile.not_before, profile.not_after],
            profile.subject.as_der(),
            profile.public_key.spki_der(),
            extensions.iter().map(Cow::as_ref),
        );
        let tbs = parts.and_then(|parts| parts.to_der())?;
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

/// The extension in this place of a certificate in `scope`, if there is one.
fn fill<'a>(
    slot: &'a ExtensionSlot,
    issuer: &Issuer,
    scope: CrlScope,
) -> Option<Cow<'a, Extension>> {
    let extension = match slot {
        ExtensionSlot::Fixed(extension) => return Some(Cow::Borrowed(extension)),
        ExtensionSlot::AuthorityKeyIdentifier => {
            extension::authority_key_identifier(issuer.key_identifier())
        }
        ExtensionSlot::CrlDistributionPoints => match issuer.crl_urls_of(scope) {
            [] => return None,
            urls => extension::crl_distribution_points(urls),
        },
        ExtensionSlot::FreshestCrl => match issuer.freshest_crl_urls_of(scope) {
            [] => return None,
            urls => extension::freshest_crl(urls),
        },
        ExtensionSlot::AuthorityInformationAccess(ocsp) => {
            let certificates = issuer.certificate_urls();
            let responders = match ocsp {
                OcspUrl::Included => issuer.ocsp_urls(),
                OcspUrl::Omitted => &[],
            };
            if certificates.is_empty() && responders.is_empty() {
                return None;
            }
            extension::authority_information_access(certificates, responders)
        }
    };
    Some(Cow::Owned(extension))
}
