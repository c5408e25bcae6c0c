//! Private keys: the only room that holds one, and only to sign.
//!
//! Absent: what is signed and why (the authority decides), and the register. Later back ends
//! (PKCS#11) implement the same trait. Begin with [`CaKey`].

pub mod algorithm;
mod durable;
pub mod file;
pub mod import;
mod missing;
pub mod passphrase;

use aws_lc_rs::digest::Digest;

pub use algorithm::KeyKind;
pub use file::{FileKey, KeyFileError};
pub use missing::MissingKey;
pub use passphrase::Passphrase;

use crate::pki::signature::SignatureAlgorithm;

/// A key that signs certificates and CRLs. Usable from any thread.
pub trait CaKey: Send + Sync {
    /// DER of the SubjectPublicKeyInfo.
    fn spki_der(&self) -> &[u8];

    /// The algorithm of every signature it makes.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// Signs `message`, hashing it first.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError>;

    /// Signs what was already hashed with [`SignatureAlgorithm`]'s hash: a CRL too large to hold.
    fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>, SigningError>;
}

/// Why there is no signature. Never says anything about the key itself.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SigningError {
    /// The key refused.
    #[error("the CA key could not sign")]
    Refused,
    /// There is no key.
    #[error("{0}")]
    Missing(String),
    /// The digest is not of the key's hash.
    #[error("the digest was made with another hash than the key signs with")]
    WrongDigest,
}

#[cfg(test)]
mod tests;
