//! A CA key in a file: PKCS#8, encrypted at rest when there is a passphrase, used in memory.
//!
//! Every private operation is AWS-LC's (constant time); nothing here prints a key.

use std::path::Path;

use aws_lc_rs::digest::Digest;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_SHA256, RsaKeyPair,
};
use der::pem::LineEnding;
use pkcs8::pkcs5::pbes2;
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use zeroize::Zeroizing;

use super::algorithm::KeyKind;
use super::durable::replace_private_file;
use super::passphrase::Passphrase;
use super::{CaKey, SigningError};
use crate::pki::signature::SignatureAlgorithm;

/// What OWASP asks of PBKDF2-HMAC-SHA-256 (2023).
const PBKDF2_ROUNDS: u32 = 600_000;

/// A private key held in memory. It has no `Debug` and no way out but [`FileKey::to_pkcs8_der`].
pub struct FileKey {
    pair: Pair,
    spki_der: Vec<u8>,
}

enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
}

/// Why there is no key. Never says anything about the key itself.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// Key generation failed.
    #[error("a key could not be generated")]
    Generation,
    /// Neither of the forms that are read.
    #[error(
        "this is no private key in a form that is read here: PEM or DER of PKCS#8, PKCS#1 (RSA) \
         or SEC1 (EC)"
    )]
    NotAKey,
    /// A kind of key that cannot sign here.
    #[error("the key must be RSA with 2048 to 8192 bits, or ECDSA on P-256 or P-384")]
    Unsupported,
    /// The key's parts do not belong together.
    #[error("the private key is inconsistent or too weak: {0}")]
    Rejected(String),
    /// Encrypted, and no passphrase was given.
    #[error("the private key is encrypted: its passphrase is needed")]
    PassphraseNeeded,
    /// The passphrase does not open it.
    #[error("the passphrase does not open the private key (or its encryption is not PBES2)")]
    WrongPassphrase,
    /// OpenSSL's old encryption (`Proc-Type: 4,ENCRYPTED`), whose key derivation is MD5.
    #[error(
        "the private key has the old PEM encryption (Proc-Type: 4,ENCRYPTED); rewrite it with \
         `openssl pkcs8 -topk8`"
    )]
    OldEncryption,
    /// A PKCS#12 file could not be read.
    #[error("the PKCS#12 file cannot be read: {0}")]
    Pkcs12(String),
    /// The operating system refused something.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
}

impl FileKey {
    /// Makes a key. An RSA key takes a second, a large one several.
    pub fn generate(kind: KeyKind) -> Result<Self, KeyFileError> {
        let rsa = |size| RsaKeyPair::generate(size).map(Pair::Rsa);
        let pair = match kind {
            KeyKind::Rsa2048 => rsa(KeySize::Rsa2048),
            KeyKind::Rsa3072 => rsa(KeySize::Rsa3072),
            KeyKind::Rsa4096 => rsa(KeySize::Rsa4096),
            KeyKind::P256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map(Pair::P256)
            }
            KeyKind::P384 => {
                EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).map(Pair::P384)
            }
        };
        Self::new(pair.map_err(|_| KeyFileError::Generation)?)
    }

    /// Which kind it is; none if it is one that is only imported.
    pub fn kind(&self) -> Option<KeyKind> {
        match &self.pair {
            Pair::Rsa(pair) => match pair.public_modulus_len() {
                256 => Some(KeyKind::Rsa2048),
                384 => Some(KeyKind::Rsa3072),
                512 => Some(KeyKind::Rsa4096),
                _ => None,
            },
            Pair::P256(_) => Some(KeyKind::P256),
            Pair::P384(_) => Some(KeyKind::P384),
        }
    }

    /// From a PKCS#8 PrivateKeyInfo (RFC 5208), not encrypted.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyFileError> {
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| KeyFileError::NotAKey)?;
        if info.algorithm.oid == const_oid::db::rfc5912::RSA_ENCRYPTION {
            let pair = RsaKeyPair::from_pkcs8(der).map_err(rejected)?;
            return Self::new(Pair::Rsa(pair));
        }
        if info.algorithm.oid != const_oid::db::rfc5912::ID_EC_PUBLIC_KEY {
            return Err(KeyFileError::Unsupported);
        }
        let curve = info.algorithm.parameters_oid().map_err(|_| KeyFileError::Unsupported)?;
        let (algorithm, wrap): (_, fn(EcdsaKeyPair) -> Pair) = match curve {
            const_oid::db::rfc5912::SECP_256_R_1 => (&ECDSA_P256_SHA256_ASN1_SIGNING, Pair::P256),
            const_oid::db::rfc5912::SECP_384_R_1 => (&ECDSA_P384_SHA384_ASN1_SIGNING, Pair::P384),
            _ => return Err(KeyFileError::Unsupported),
        };
        Self::new(wrap(EcdsaKeyPair::from_pkcs8(algorithm, der).map_err(rejected)?))
    }

    /// From a PKCS#1 RSAPrivateKey (RFC 8017 A.1.2).
    pub(super) fn from_pkcs1_der(der: &[u8]) -> Result<Self, KeyFileError> {
        Self::new(Pair::Rsa(RsaKeyPair::from_der(der).map_err(rejected)?))
    }

    /// From a SEC1 ECPrivateKey (RFC 5915); the curve is found by trying.
    pub(super) fn from_sec1_der(der: &[u8]) -> Result<Self, KeyFileError> {
        if let Ok(pair) = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_ASN1_SIGNING, der) {
            return Self::new(Pair::P256(pair));
        }
        let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P384_SHA384_ASN1_SIGNING, der);
        Self::new(Pair::P384(pair.map_err(|_| KeyFileError::Unsupported)?))
    }

    /// From an encrypted PKCS#8 (RFC 5208 §6) under PBES2 (RFC 8018 §6.2).
    pub(super) fn from_encrypted_der(
        der: &[u8],
        passphrase: Option<&Passphrase>,
    ) -> Result<Self, KeyFileError> {
        let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| KeyFileError::NotAKey)?;
        let passphrase = passphrase.ok_or(KeyFileError::PassphraseNeeded)?;
        let plain = info.decrypt(passphrase.octets()).map_err(|_| KeyFileError::WrongPassphrase)?;
        Self::from_pkcs8_der(plain.as_bytes())
    }

    /// Reads a key file of ours or one that is imported; see `import`.
    pub fn load(path: &Path, passphrase: Option<&Passphrase>) -> Result<Self, KeyFileError> {
        let content = std::fs::read(path).map_err(|error| io(path, error))?;
        Self::from_file_content(&Zeroizing::new(content), passphrase)
    }

    /// Writes it (0600, durably) as PEM: PKCS#8, encrypted if a passphrase is given.
    pub fn save(&self, path: &Path, passphrase: Option<&Passphrase>) -> Result<(), KeyFileError> {
        let pem = self.to_pem(passphrase)?;
        replace_private_file(path, pem.as_bytes()).map_err(|error| io(path, error))
    }

    /// PEM of the PKCS#8, encrypted with AES-256-CBC under PBKDF2-HMAC-SHA-256 (600,000 rounds)
    /// if a passphrase is given, as OpenSSL reads it.
    pub fn to_pem(
        &self,
        passphrase: Option<&Passphrase>,
    ) -> Result<Zeroizing<String>, KeyFileError> {
        let der = self.to_pkcs8_der()?;
        let info =
            PrivateKeyInfoRef::try_from(der.as_slice()).map_err(|_| KeyFileError::NotAKey)?;
        let (label, document) = match passphrase {
            None => ("PRIVATE KEY", pkcs8::SecretDocument::try_from(info)),
            Some(passphrase) => {
                let (mut salt, mut start) = ([0; 16], [0; 16]);
                let random = SystemRandom::new();
                random.fill(&mut salt).map_err(|_| KeyFileError::Generation)?;
                random.fill(&mut start).map_err(|_| KeyFileError::Generation)?;

                let scheme = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(
                    PBKDF2_ROUNDS,
                    &salt,
                    start,
                )
                .map_err(|_| KeyFileError::Generation)?;
                let sealed = info.encrypt_with_params(scheme, passphrase.octets());
                ("ENCRYPTED PRIVATE KEY", sealed)
            }
        };
        let document = document.map_err(|_| KeyFileError::Generation)?;
        document.to_pem(label, LineEnding::LF).map_err(|_| KeyFileError::Generation)
    }

    /// The PKCS#8, not encrypted; wiped when dropped.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
        let octets = match &self.pair {
            Pair::Rsa(pair) => {
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyFileError::Generation)?;
                der.as_ref().to_vec()
            }
            Pair::P256(pair) | Pair::P384(pair) => {
                pair.to_pkcs8v1().map_err(|_| KeyFileError::Generation)?.as_ref().to_vec()
            }
        };
        Ok(Zeroizing::new(octets))
    }

    /// Finishes a key: its public half, and one signature so that the first certificate does not
    /// wait for the random generator's seeding, and a key that cannot sign is known now.
    fn new(pair: Pair) -> Result<Self, KeyFileError> {
        let spki: Result<PublicKeyX509Der<'_>, _> = match &pair {
            Pair::Rsa(pair) => pair.public_key().as_der(),
            Pair::P256(pair) | Pair::P384(pair) => pair.public_key().as_der(),
        };
        let spki_der = spki.map_err(|_| KeyFileError::Unsupported)?.as_ref().to_vec();
        let key = Self { pair, spki_der };
        key.sign(b"warm up").map_err(|_| KeyFileError::Rejected("it cannot sign".to_owned()))?;
        Ok(key)
    }
}

impl CaKey for FileKey {
    fn spki_der(&self) -> &[u8] {
        &self.spki_der
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        match &self.pair {
            Pair::Rsa(_) => SignatureAlgorithm::Sha256Rsa,
            Pair::P256(_) => SignatureAlgorithm::EcdsaSha256,
            Pair::P384(_) => SignatureAlgorithm::EcdsaSha384,
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(|_| SigningError::Refused)?;
                Ok(signature)
            }
            Pair::P256(pair) | Pair::P384(pair) => {
                let signature = pair.sign(&random, message).map_err(|_| SigningError::Refused)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }

    fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>, SigningError> {
        if digest.algorithm() != self.digest_algorithm() {
            return Err(SigningError::WrongDigest);
        }
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(&RSA_PKCS1_SHA256, digest, &mut signature)
                    .map_err(|_| SigningError::Refused)?;
                Ok(signature)
            }
            Pair::P256(pair) | Pair::P384(pair) => {
                let signature = pair.sign_digest(digest).map_err(|_| SigningError::Refused)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}

impl FileKey {
    #[cfg(test)]
    pub(super) fn digest_length(&self) -> usize {
        self.digest_algorithm().output_len()
    }

    fn digest_algorithm(&self) -> &'static aws_lc_rs::digest::Algorithm {
        match &self.pair {
            Pair::Rsa(_) | Pair::P256(_) => &aws_lc_rs::digest::SHA256,
            Pair::P384(_) => &aws_lc_rs::digest::SHA384,
        }
    }
}

fn rejected(error: aws_lc_rs::error::KeyRejected) -> KeyFileError {
    KeyFileError::Rejected(error.to_string())
}

pub(super) fn io(path: &Path, error: std::io::Error) -> KeyFileError {
    KeyFileError::Io { path: path.display().to_string(), error }
}
