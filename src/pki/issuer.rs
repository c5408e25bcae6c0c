//! The issuer: a CA certificate that may sign certificates and CRLs.

use super::name::DistinguishedName;
use super::public_key::PublicKey;
use super::time::Timestamp;

/// A CA as its certificates see it: names kept as original bytes.
#[derive(Clone, Debug)]
pub struct Issuer {
    certificate: Vec<u8>,
    chain: Vec<Vec<u8>>,
    name: DistinguishedName,
    public_key: PublicKey,
    key_identifier: Vec<u8>,
    not_before: Timestamp,
    not_after: Timestamp,
    crl_urls: Vec<String>,
    certificate_urls: Vec<String>,
}

/// Why a certificate is not a CA's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// No certificate.
    #[error("not an X.509 certificate in DER")]
    NotACertificate,
}

impl Issuer {
    /// From the CA certificate's DER, the certificates above it (nearest first, the root last;
    /// empty for a root) and the URLs for CDP and AIA.
    pub fn new(
        certificate: &[u8],
        chain: &[Vec<u8>],
        crl_urls: Vec<String>,
        certificate_urls: Vec<String>,
    ) -> Result<Self, IssuerError> {
        let _ = (certificate, chain, crl_urls, certificate_urls);
        Err(IssuerError::NotACertificate)
    }

    /// The CA certificate's DER.
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate
    }

    /// The certificates above it, nearest first.
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// Its subject, which is the issuer of what it signs.
    pub fn name(&self) -> &DistinguishedName {
        &self.name
    }

    /// Its key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Its subject key identifier.
    pub fn key_identifier(&self) -> &[u8] {
        &self.key_identifier
    }

    /// The first moment of its validity.
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// The last moment of its validity.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Where its CRL is, for CDP.
    pub fn crl_urls(&self) -> &[String] {
        &self.crl_urls
    }

    /// Where its certificate is, for AIA.
    pub fn certificate_urls(&self) -> &[String] {
        &self.certificate_urls
    }
}
