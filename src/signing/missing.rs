//! A key that should be there and is not: everything but its signatures goes on.

use aws_lc_rs::digest::Digest;

use super::{CaKey, SigningError};
use crate::pki::public_key::{KeyAlgorithm, PublicKey};
use crate::pki::signature::SignatureAlgorithm;

/// Stands in the place of a key that could not be loaded.
#[derive(Debug)]
pub struct MissingKey {
    spki_der: Vec<u8>,
    algorithm: SignatureAlgorithm,
    why: String,
}

impl MissingKey {
    /// Of the public half that is known, and why there is no more.
    pub fn new(key: &PublicKey, why: String) -> Self {
        let algorithm = match key.algorithm() {
            KeyAlgorithm::Rsa => SignatureAlgorithm::Sha256Rsa,
            KeyAlgorithm::P256 => SignatureAlgorithm::EcdsaSha256,
            KeyAlgorithm::P384 => SignatureAlgorithm::EcdsaSha384,
        };
        Self { spki_der: key.spki_der().to_vec(), algorithm, why }
    }

    fn missing(&self) -> SigningError {
        SigningError::Missing(self.why.clone())
    }
}

impl CaKey for MissingKey {
    fn spki_der(&self) -> &[u8] {
        &self.spki_der
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SigningError> {
        Err(self.missing())
    }

    fn sign_digest(&self, _: &Digest) -> Result<Vec<u8>, SigningError> {
        Err(self.missing())
    }
}
