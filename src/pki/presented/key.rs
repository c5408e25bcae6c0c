//! What kind of key a SubjectPublicKeyInfo holds, also one that nobody should use.

use der::Decode;
use der::asn1::ObjectIdentifier;
use rsa::pkcs1::RsaPublicKeyRef;
use spki::SubjectPublicKeyInfoRef;

use crate::pki::oid;
use crate::pki::public_key::{KeyError, PublicKey};

/// A key by its algorithm and size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresentedKey {
    /// RSA.
    Rsa {
        /// Bits of the modulus.
        bits: u32,
        /// What is wrong with it apart from its size.
        weakness: Option<String>,
    },
    /// On a named elliptic curve.
    Elliptic {
        /// The curve's OID.
        curve: ObjectIdentifier,
    },
    /// Something else, by its OID.
    Other {
        /// The algorithm's OID.
        algorithm: ObjectIdentifier,
    },
    /// No SubjectPublicKeyInfo that reads.
    Unreadable,
}

impl PresentedKey {
    pub(super) fn of(spki: &[u8]) -> Self {
        Self::read(spki).unwrap_or(Self::Unreadable)
    }

    fn read(spki: &[u8]) -> Option<Self> {
        let info = SubjectPublicKeyInfoRef::from_der(spki).ok()?;
        match info.algorithm.oid {
            oid::RSA_ENCRYPTION | oid::RSA_PSS => {
                let key = RsaPublicKeyRef::from_der(info.subject_public_key.as_bytes()?).ok()?;
                let modulus = key.modulus.as_bytes();
                let zeros = modulus.first()?.leading_zeros();
                let bits = u32::try_from(modulus.len() * 8).ok()?.saturating_sub(zeros);
                Some(Self::Rsa { bits, weakness: weakness(spki) })
            }
            oid::EC_PUBLIC_KEY => {
                let curve = info.algorithm.parameters?.decode_as::<ObjectIdentifier>().ok()?;
                Some(Self::Elliptic { curve })
            }
            algorithm => Some(Self::Other { algorithm }),
        }
    }
}

/// What else the strict reader finds. It looks at sizes first, so nothing of a key that is too
/// small or too large.
fn weakness(spki: &[u8]) -> Option<String> {
    match PublicKey::from_spki_der(spki) {
        Err(why @ (KeyError::KnownWeak(_) | KeyError::BadExponent)) => Some(why.to_string()),
        _ => None,
    }
}

/// `RSA 2048`, `P-256`, or an OID.
impl std::fmt::Display for PresentedKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rsa { bits, .. } => write!(out, "RSA {bits}"),
            Self::Elliptic { curve: oid::P256 } => out.write_str("P-256"),
            Self::Elliptic { curve: oid::P384 } => out.write_str("P-384"),
            Self::Elliptic { curve: oid::P521 } => out.write_str("P-521"),
            Self::Elliptic { curve } => write!(out, "elliptic curve {curve}"),
            Self::Other { algorithm: oid::ED25519 } => out.write_str("Ed25519"),
            Self::Other { algorithm } => write!(out, "algorithm {algorithm}"),
            Self::Unreadable => out.write_str("unreadable"),
        }
    }
}
