//! Whoever signs answers: a certificate of ours for OCSPSigning, and its key.

use std::sync::Arc;

use crate::pki::certificate::{Certificate, CertificateError};
use crate::pki::issuer::Issuer;
use crate::pki::oid;
use crate::pki::public_key::KeyError;
use crate::pki::signature::SignatureError;
use crate::pki::time::Timestamp;
use crate::signing::{CaKey, SigningError};

/// A delegated responder (RFC 6960 §4.2.2.2). That it exists proves: its certificate is from this
/// CA, for OCSPSigning, and its key fits and signs.
pub struct Responder {
    certificate: Certificate,
    key: Arc<dyn CaKey>,
    key_hash: [u8; 20],
    renewal_due: Timestamp,
}

/// Why a certificate and a key are no responder.
#[derive(Debug, thiserror::Error)]
pub enum ResponderError {
    /// Not from this CA.
    #[error("the responder's certificate is not from this CA")]
    AnotherIssuer,
    /// Not verified.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// id-kp-OCSPSigning is missing.
    #[error("the responder's certificate is not for OCSP signing (RFC 6960 §4.2.2.2)")]
    Purpose,
    /// A key that we would not certify.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key is another's.
    #[error("the responder's certificate is not for its key")]
    AnotherKey,
    /// The key refused.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The key's signature does not fit its certificate.
    #[error("the responder's signature: {0}")]
    Signature(#[from] SignatureError),
}

/// Nobody can be had to sign answers.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct NoResponder(pub String);

/// Where responders come from: the composition root, which holds disk and randomness.
pub trait Responders: Send + Sync {
    /// The responder that signs now: the same one as long as it serves for long enough, then a new
    /// one.
    fn responder(&self, now: Timestamp) -> Result<Arc<Responder>, NoResponder>;
}

impl Responder {
    /// From its parts, of which each is looked at.
    pub fn new(
        certificate: Certificate,
        key: Arc<dyn CaKey>,
        issuer: &Issuer,
    ) -> Result<Self, ResponderError> {
        if certificate.issuer() != issuer.name() {
            return Err(ResponderError::AnotherIssuer);
        }
        certificate.verify(issuer.public_key())?;
        if !certificate.extended_key_usage().contains(&oid::OCSP_SIGNING) {
            return Err(ResponderError::Purpose);
        }
        if certificate.spki_der() != key.spki_der() {
            return Err(ResponderError::AnotherKey);
        }
        let public_key = certificate.public_key()?;
        // Once, not for every answer: verifying costs more than signing.
        let probe = b"Chancery OCSP responder";
        key.algorithm().verify(&public_key, probe, &key.sign(probe)?)?;
        let key_hash = public_key.key_identifier();
        let (start, end) = (certificate.not_before(), certificate.not_after());
        let renewal_due = match end < issuer.not_after() {
            true => start.plus_seconds(end.seconds_since(start) / 3 * 2),
            // A new one would end with the CA as well: the last is not exchanged for another, and
            // that for another again.
            false => end,
        };
        Ok(Self { certificate, key, key_hash, renewal_due })
    }

    /// Its certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// When a new one is to take its place: two thirds through its life, or at its end where that is
    /// the CA's.
    pub fn renewal_due(&self) -> Timestamp {
        self.renewal_due
    }

    /// Its key.
    pub(super) fn key(&self) -> &dyn CaKey {
        self.key.as_ref()
    }

    /// What answers name it by: SHA-1 of its key.
    pub(super) fn key_hash(&self) -> [u8; 20] {
        self.key_hash
    }
}

impl std::fmt::Debug for Responder {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Responder({})", self.certificate.serial())
    }
}
