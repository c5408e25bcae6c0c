//! Public keys: which ones are certified, and their two names (identifier and thumbprint).
//!
//! ```text
//! SubjectPublicKeyInfo ::= SEQUENCE { algorithm AlgorithmIdentifier, subjectPublicKey BIT STRING }
//! ```
//! RSA of 2048 to 8192 bits and the curves P-256 and P-384. A key has one encoding here, so the
//! same key has the same thumbprint whatever its encoding was: what is not canonical is refused,
//! or made so (an absent NULL).

mod rsa;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
};

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier};
use der::{Decode, Encode};
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::encoding::NotDer;
use super::oid;
use super::signature::SignatureAlgorithm;

/// A public key that may be certified: of a supported algorithm and size, valid, not known weak.
#[derive(Clone)]
pub struct PublicKey {
    spki: Vec<u8>,
    /// Where in `spki` the BIT STRING's octets begin; they reach to its end.
    raw_from: usize,
    algorithm: KeyAlgorithm,
    bits: u32,
    /// Parsed once, for the hash that this algorithm is most often used with.
    verifier: ParsedPublicKey,
}

/// The algorithm of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyAlgorithm {
    /// RSA (rsaEncryption).
    Rsa,
    /// ECDSA and ECDH on NIST P-256.
    P256,
    /// ECDSA and ECDH on NIST P-384.
    P384,
}

impl KeyAlgorithm {
    /// The word for it: `rsa`, `p256`, `p384`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::P256 => "p256",
            Self::P384 => "p384",
        }
    }
}

/// Why a key is not certified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The bytes are no SubjectPublicKeyInfo.
    #[error("not a public key in DER")]
    NotAKey,
    /// An algorithm or curve other than RSA, P-256 and P-384.
    #[error(
        "public keys of the algorithm or curve {algorithm} are not supported: RSA, P-256 or P-384"
    )]
    UnsupportedAlgorithm {
        /// Its OID.
        algorithm: String,
    },
    /// An RSA modulus below 2048 bits.
    #[error("an RSA key of {bits} bits is too small: 2048 at least")]
    TooSmall {
        /// Its size in bits.
        bits: u32,
    },
    /// An RSA modulus above 8192 bits.
    #[error("an RSA key of {bits} bits is too large: 8192 at most")]
    TooLarge {
        /// Its size in bits.
        bits: u32,
    },
    /// An RSA exponent that is even, below 65537 (FIPS 186-5 A.1.1) or above 32 bits.
    #[error("the RSA exponent must be odd, at least 65537 (FIPS 186-5) and below 2^32")]
    BadExponent,
    /// A point at infinity or off its curve.
    #[error("the point of the elliptic curve key is not on its curve")]
    PointOffCurve,
    /// A compressed or hybrid point.
    #[error("the point of an elliptic curve key must be uncompressed (RFC 5480 §2.2)")]
    CompressedPoint,
    /// A key that is known to be weak.
    #[error("the RSA key is known to be weak: {0}")]
    KnownWeak(Weakness),
}

/// How an RSA modulus is weak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// A prime factor below 752 (or two).
    SmallFactor,
    /// Infineon's key generation, CVE-2017-15361.
    Roca,
    /// Two primes so close that Fermat's method finds them, CVE-2022-26320.
    ClosePrimes,
}

impl std::fmt::Display for Weakness {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::SmallFactor => "its modulus has a small factor",
            Self::Roca => "it was made by Infineon's flawed generator (CVE-2017-15361, ROCA)",
            Self::ClosePrimes => "its primes are too close (CVE-2022-26320, Fermat)",
        })
    }
}

impl From<NotDer> for KeyError {
    fn from(_: NotDer) -> Self {
        Self::NotAKey
    }
}

impl From<der::Error> for KeyError {
    fn from(_: der::Error) -> Self {
        Self::NotAKey
    }
}

impl PublicKey {
    /// From the DER of a whole SubjectPublicKeyInfo. Sizes are judged before anything costly.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        let spki = SubjectPublicKeyInfoRef::from_der(der)?;
        let raw = spki.subject_public_key.as_bytes().ok_or(KeyError::NotAKey)?;
        let AlgorithmIdentifierRef { oid: kind, parameters } = spki.algorithm;
        match kind {
            oid::RSA_ENCRYPTION => Self::rsa(raw, parameters),
            oid::EC_PUBLIC_KEY => Self::elliptic(raw, parameters.ok_or(KeyError::NotAKey)?),
            other => Err(KeyError::UnsupportedAlgorithm { algorithm: other.to_string() }),
        }
    }

    /// The SubjectPublicKeyInfo.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// Its algorithm.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// Its size in bits: of the modulus, or of the curve.
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// SHA-1 of the BIT STRING's octets (RFC 5280 §4.2.1.2 method 1, as AD CS does): the name of
    /// the key in SKI and AKI, where no strength is needed.
    pub fn key_identifier(&self) -> [u8; 20] {
        key_identifier(self.raw())
    }

    /// SHA-256 of the SubjectPublicKeyInfo: the same for the same key.
    pub fn thumbprint(&self) -> [u8; 32] {
        super::certificate::sha256(&self.spki)
    }

    /// The BIT STRING's octets: RSAPublicKey or the curve's point.
    pub(super) fn raw(&self) -> &[u8] {
        &self.spki[self.raw_from..]
    }

    /// The key parsed for `algorithm`, if that is the hash it was parsed for.
    pub(super) fn ready_verifier(&self, algorithm: SignatureAlgorithm) -> Option<&ParsedPublicKey> {
        (algorithm == SignatureAlgorithm::for_key(self.algorithm)).then_some(&self.verifier)
    }

    fn rsa(raw: &[u8], parameters: Option<AnyRef<'_>>) -> Result<Self, KeyError> {
        if parameters.is_some_and(|found| !found.is_null()) {
            return Err(KeyError::NotAKey);
        }
        let bits = rsa::check(raw)?;
        let verifier = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, raw)
            .map_err(|_| KeyError::NotAKey)?;
        let null = AnyRef::NULL;
        Self::assembled(oid::RSA_ENCRYPTION, null, raw, (KeyAlgorithm::Rsa, bits), verifier)
    }

    fn elliptic(point: &[u8], parameters: AnyRef<'_>) -> Result<Self, KeyError> {
        // Explicit parameters (a SEQUENCE) name no curve: CVE-2020-0601.
        let curve = parameters
            .decode_as::<ObjectIdentifier>()
            .map_err(|_| KeyError::UnsupportedAlgorithm { algorithm: "explicit".to_owned() })?;
        let (algorithm, bits) = match curve {
            oid::P256 => (KeyAlgorithm::P256, 256),
            oid::P384 => (KeyAlgorithm::P384, 384),
            other => {
                return Err(KeyError::UnsupportedAlgorithm { algorithm: other.to_string() });
            }
        };
        let width = bits as usize / 8;
        match point.first() {
            Some(2 | 3 | 6 | 7) => return Err(KeyError::CompressedPoint),
            Some(4) if point.len() == 1 + 2 * width => {}
            _ => return Err(KeyError::PointOffCurve),
        }
        // Both look whether the point is on its curve; there is no P-384 in p256.
        if algorithm == KeyAlgorithm::P256 && p256::PublicKey::from_sec1_bytes(point).is_err() {
            return Err(KeyError::PointOffCurve);
        }
        let verifier = match algorithm {
            KeyAlgorithm::P384 => ParsedPublicKey::new(&ECDSA_P384_SHA384_ASN1, point),
            _ => ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point),
        };
        let verifier = verifier.map_err(|_| KeyError::PointOffCurve)?;
        Self::assembled(oid::EC_PUBLIC_KEY, parameters, point, (algorithm, bits), verifier)
    }

    fn assembled(
        oid: ObjectIdentifier,
        parameters: AnyRef<'_>,
        raw: &[u8],
        (algorithm, bits): (KeyAlgorithm, u32),
        verifier: ParsedPublicKey,
    ) -> Result<Self, KeyError> {
        let identifier = AlgorithmIdentifierRef { oid, parameters: Some(parameters) };
        let subject_public_key = BitStringRef::from_bytes(raw)?;
        let spki =
            SubjectPublicKeyInfoRef { algorithm: identifier, subject_public_key }.to_der()?;
        Ok(Self { raw_from: spki.len() - raw.len(), spki, algorithm, bits, verifier })
    }
}

/// SHA-1 of a BIT STRING's octets: RFC 5280 §4.2.1.2 method 1.
pub(super) fn key_identifier(raw: &[u8]) -> [u8; 20] {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, raw);
    let mut octets = [0; 20];
    octets.copy_from_slice(hash.as_ref());
    octets
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "PublicKey({} {})", self.algorithm.as_str(), self.bits)
    }
}

#[cfg(test)]
mod tests;
