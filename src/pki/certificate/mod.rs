//! Certificates (RFC 5280 §4.1): prepared to be signed, and signed.

mod key_parts;
pub(in crate::pki) mod parts;
mod prepared;

use std::ops::Range;

use aws_lc_rs::digest;
use const_oid::ObjectIdentifier;
use der::{Decode, Encode, Header, Reader, SliceReader};

pub use key_parts::KeyParts;
pub use prepared::Prepared;

use super::alternative_name::{self, AlternativeName};
use super::encoding::{NotDer, Signed, Verbatim};
use super::extension::{self, KeyUsage};
use super::lint::Finding;
use super::name::{DistinguishedName, NameError};
use super::oid;
use super::public_key::{KeyError, PublicKey};
use super::serial::SerialNumber;
use super::signature::{SignatureAlgorithm, SignatureError};
use super::time::Timestamp;
use parts::TbsParts;

/// A certificate. One that [`Certificate::assemble`] made has a verified signature; one that was
/// only read may be anybody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    tbs: Range<usize>,
    key: Range<usize>,
    serial: SerialNumber,
    issuer: DistinguishedName,
    subject: DistinguishedName,
    not_before: Timestamp,
    not_after: Timestamp,
    alternative_names: Vec<AlternativeName>,
}

/// Why a certificate cannot be made or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The bytes are no certificate, or something follows it.
    #[error("not an X.509 certificate in DER")]
    NotACertificate,
    /// A bad issuer or subject.
    #[error("a name in the certificate: {0}")]
    BadName(#[from] NameError),
    /// The signature does not fit, or its algorithm is not known.
    #[error("the certificate: {0}")]
    Signature(#[from] SignatureError),
    /// The bytes to be signed break rules: a fault of the template or of this program.
    #[error("the certificate would break {}", list(.0))]
    Lint(Vec<Finding>),
}

fn list(findings: &[Finding]) -> String {
    let each: Vec<String> = findings.iter().map(ToString::to_string).collect();
    each.join("; ")
}

impl From<NotDer> for CertificateError {
    fn from(_: NotDer) -> Self {
        Self::NotACertificate
    }
}

impl From<der::Error> for CertificateError {
    fn from(_: der::Error) -> Self {
        Self::NotACertificate
    }
}

impl Certificate {
    /// Puts to-be-signed bytes and signature together, once the signature is verified over
    /// exactly these bytes with the issuer's key.
    pub fn assemble(
        tbs: &[u8],
        algorithm: SignatureAlgorithm,
        signature: &[u8],
        issuer_key: &PublicKey,
    ) -> Result<Self, CertificateError> {
        algorithm.verify(issuer_key, tbs, signature)?;
        Self::read(Signed::new(tbs, algorithm.to_der(), signature)?.to_der()?)
    }

    /// Reads a certificate whole. Its signature is not verified: see [`Self::verify`].
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        Self::read(der.to_vec())
    }

    /// When a certificate of ours begins, without reading the rest of it: answers need no more.
    pub fn not_before_of(der: &[u8]) -> Result<Timestamp, CertificateError> {
        let read = || -> der::Result<x509_cert::time::Validity> {
            let mut reader = SliceReader::new(der)?;
            Header::decode(&mut reader)?; // Certificate
            Header::decode(&mut reader)?; // TBSCertificate
            for _before_validity in ["version", "serialNumber", "signature", "issuer"] {
                reader.tlv_bytes()?;
            }
            x509_cert::time::Validity::decode(&mut reader)
        };
        let validity = read().map_err(|_| CertificateError::NotACertificate)?;
        Ok(Timestamp::from_x509(&validity.not_before))
    }

    /// That `issuer_key` signed it.
    pub fn verify(&self, issuer_key: &PublicKey) -> Result<(), CertificateError> {
        let signed = Signed::from_der(&self.der)?;
        let algorithm = SignatureAlgorithm::from_der(signed.algorithm.as_bytes())?;
        Ok(algorithm.verify(issuer_key, self.tbs(), signed.signature()?)?)
    }

    fn read(der: Vec<u8>) -> Result<Self, CertificateError> {
        let signed = Signed::from_der(&der)?;
        signed.signature()?;
        let parts = TbsParts::of(signed.to_be_signed.as_bytes())?;
        if parts.algorithm != signed.algorithm {
            // RFC 5280 §4.1.1.2: the same identifier inside and outside.
            return Err(CertificateError::NotACertificate);
        }
        let san = parts.extension(&oid::SUBJECT_ALTERNATIVE_NAME);
        let names = san.and_then(|extension| alternative_name::decode(extension.value).ok());
        let range = |part: Verbatim<'_>| {
            let part = part.as_bytes();
            let from = part.as_ptr() as usize - der.as_ptr() as usize;
            from..from + part.len()
        };
        Ok(Self {
            tbs: range(signed.to_be_signed),
            key: range(parts.key),
            serial: SerialNumber::from_der_content(parts.serial.value())
                .map_err(|_| CertificateError::NotACertificate)?,
            issuer: DistinguishedName::from_der(parts.issuer.as_bytes())?,
            subject: DistinguishedName::from_der(parts.subject.as_bytes())?,
            not_before: Timestamp::from_x509(&parts.validity.not_before),
            not_after: Timestamp::from_x509(&parts.validity.not_after),
            alternative_names: names.unwrap_or_default(),
            der,
        })
    }

    /// The certificate's DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Its to-be-signed bytes.
    pub fn tbs(&self) -> &[u8] {
        &self.der[self.tbs.clone()]
    }

    /// Its serial number.
    pub fn serial(&self) -> SerialNumber {
        self.serial
    }

    /// Its issuer's name.
    pub fn issuer(&self) -> &DistinguishedName {
        &self.issuer
    }

    /// Whom it names.
    pub fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// The first moment of its validity.
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// The last moment of its validity.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Its alternative names; none if they are of kinds unknown here.
    pub fn alternative_names(&self) -> &[AlternativeName] {
        &self.alternative_names
    }

    /// The names to search it by: common names and the texts of alternative names.
    pub fn names(&self) -> Vec<String> {
        let mut names = self.subject.common_names();
        names.extend(self.alternative_names.iter().map(AlternativeName::to_text));
        names
    }

    /// The key it certifies; another authority's certificate may hold one we would not certify.
    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        PublicKey::from_spki_der(self.spki_der())
    }

    /// The SubjectPublicKeyInfo as it stands in the certificate.
    pub fn spki_der(&self) -> &[u8] {
        &self.der[self.key.clone()]
    }

    /// SHA-256 of the SubjectPublicKeyInfo: [`PublicKey::thumbprint`] without reading the key.
    pub fn public_key_thumbprint(&self) -> [u8; 32] {
        sha256(self.spki_der())
    }

    /// What its key may be used for; `None` where it does not say, or not so that it reads.
    pub fn key_usage(&self) -> Option<KeyUsage> {
        let parts = TbsParts::of(self.tbs()).ok()?;
        extension::read_key_usage(parts.extension(&oid::KEY_USAGE)?.value).ok()
    }

    /// Its extended key usages; none where it does not say.
    pub fn extended_key_usage(&self) -> Vec<ObjectIdentifier> {
        let read = || {
            let parts = TbsParts::of(self.tbs()).ok()?;
            let value = parts.extension(&oid::EXTENDED_KEY_USAGE)?.value;
            extension::read_extended_key_usage(value).ok()
        };
        read().unwrap_or_default()
    }

    /// The security identifier it carries, if any ([MS-WCCE] §2.2.2.7.7.4).
    pub fn security_identifier(&self) -> Option<String> {
        let parts = TbsParts::of(self.tbs()).ok()?;
        extension::read_security_identifier(parts.extension(&oid::CA_SECURITY)?.value)
    }

    /// Certificate index and key index of a CA's certificate; none where it does not say.
    pub fn ca_version(&self) -> Option<(u16, u16)> {
        let parts = TbsParts::of(self.tbs()).ok()?;
        extension::read_ca_version(parts.extension(&oid::CA_VERSION)?.value)
    }

    /// The template it was issued from, by its OID ([MS-WCCE] §2.2.2.7.7.2); none from version 1.
    pub fn template_oid(&self) -> Option<der::asn1::ObjectIdentifier> {
        let parts = TbsParts::of(self.tbs()).ok()?;
        extension::read_template_information(parts.extension(&oid::TEMPLATE_INFORMATION)?.value)
    }

    /// The version 1 template it was issued from, by its cn.
    pub fn template_name(&self) -> Option<String> {
        let parts = TbsParts::of(self.tbs()).ok()?;
        extension::read_template_name(parts.extension(&oid::TEMPLATE_NAME)?.value)
    }

    /// What it is for: extended key usages, less those that its application policies leave out
    /// (szOID_APPLICATION_CERT_POLICIES; Windows demands both where both are there).
    pub fn purposes(&self) -> Vec<ObjectIdentifier> {
        let Ok(parts) = TbsParts::of(self.tbs()) else { return Vec::new() };
        let mut usages = self.extended_key_usage();
        if let Some(own) = parts.extension(&oid::APPLICATION_POLICIES) {
            let policies = extension::read_policies(own.value).unwrap_or_default();
            usages.retain(|usage| policies.contains(usage));
        }
        usages
    }

    /// The issuance policies under which it was issued (certificatePolicies).
    pub fn policies(&self) -> Vec<ObjectIdentifier> {
        let Ok(parts) = TbsParts::of(self.tbs()) else { return Vec::new() };
        let policies = parts.extension(&oid::CERTIFICATE_POLICIES);
        policies.and_then(|own| extension::read_policies(own.value).ok()).unwrap_or_default()
    }

    /// SHA-1 of the certificate: how Windows names it.
    pub fn sha1_thumbprint(&self) -> [u8; 20] {
        super::public_key::key_identifier(&self.der)
    }

    /// SHA-256 of the certificate.
    pub fn sha256_thumbprint(&self) -> [u8; 32] {
        sha256(&self.der)
    }

    /// The `altSecurityIdentities` value that maps it to its account strongly: issuer in the
    /// order of the encoding, the serial's octets reversed.
    pub fn alt_security_identities(&self) -> String {
        format!("X509:<I>{}<SR>{}", self.issuer.to_forward_string(), self.serial.reversed_hex())
    }
}

/// SHA-256.
pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut octets = [0; 32];
    octets.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    octets
}

#[cfg(test)]
mod tests;
