//! Certificates (RFC 5280 §4.1): prepared to be signed, and signed.

use aws_lc_rs::digest;

use super::alternative_name::AlternativeName;
use super::issuer::Issuer;
use super::name::DistinguishedName;
use super::profile::Profile;
use super::public_key::PublicKey;
use super::serial::SerialNumber;
use super::signature::SignatureAlgorithm;
use super::time::Timestamp;

/// A certificate built and linted, to be put on record and then signed.
#[derive(Clone, Debug)]
pub struct Prepared {
    tbs: Vec<u8>,
    serial: SerialNumber,
}

impl Prepared {
    /// The to-be-signed bytes of what `profile` says, linted.
    pub fn build(
        profile: Profile,
        serial: SerialNumber,
        issuer: &Issuer,
        algorithm: SignatureAlgorithm,
    ) -> Result<Self, CertificateError> {
        let _ = (profile, serial, issuer, algorithm);
        Err(CertificateError::NotACertificate)
    }

    /// The TBSCertificate.
    pub fn tbs(&self) -> &[u8] {
        &self.tbs
    }

    /// Its serial number.
    pub fn serial(&self) -> SerialNumber {
        self.serial
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

/// A certificate whose signature has been verified or that was read as one of ours.
#[derive(Clone, Debug)]
pub struct Certificate {
    der: Vec<u8>,
    serial: SerialNumber,
    issuer: DistinguishedName,
    subject: DistinguishedName,
    not_before: Timestamp,
    not_after: Timestamp,
    public_key: PublicKey,
    alternative_names: Vec<AlternativeName>,
}

/// Why a certificate cannot be made or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The bytes are no certificate.
    #[error("not an X.509 certificate in DER")]
    NotACertificate,
    /// The signature does not fit.
    #[error("the certificate's signature is not by this key over these bytes")]
    WrongSignature,
}

impl Certificate {
    /// Puts to-be-signed bytes and signature together, and verifies the signature over exactly
    /// these bytes.
    pub fn assemble(
        tbs: Vec<u8>,
        algorithm: SignatureAlgorithm,
        signature: &[u8],
        issuer_key: &PublicKey,
    ) -> Result<Self, CertificateError> {
        let _ = (tbs, algorithm, signature, issuer_key);
        Err(CertificateError::WrongSignature)
    }

    /// Reads a certificate; its signature is not verified.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let _ = der;
        Err(CertificateError::NotACertificate)
    }

    /// The certificate's DER.
    pub fn der(&self) -> &[u8] {
        &self.der
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

    /// The key it certifies.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Its alternative names.
    pub fn alternative_names(&self) -> &[AlternativeName] {
        &self.alternative_names
    }

    /// The names to search it by: common names and the texts of alternative names.
    pub fn names(&self) -> Vec<String> {
        let mut names = self.subject.common_names();
        names.extend(self.alternative_names.iter().map(AlternativeName::to_text));
        names
    }

    /// SHA-1 of the certificate, as Windows names it.
    pub fn sha1_thumbprint(&self) -> [u8; 20] {
        super::public_key::key_identifier(&self.der)
    }

    /// SHA-256 of the certificate.
    pub fn sha256_thumbprint(&self) -> [u8; 32] {
        sha256(&self.der)
    }
}

/// SHA-256.
pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut octets = [0; 32];
    octets.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    octets
}
