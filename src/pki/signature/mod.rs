//! Signature algorithms (RFC 4055, RFC 5758) and the check of a signature.
//!
//! SHA-1 and MD5 are absent: nothing signed with them is believed. No key that signs is here.

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature as aws;

use super::public_key::{KeyAlgorithm, PublicKey};

/// A signature algorithm: how the hash of a message is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// sha256WithRSAEncryption.
    Sha256Rsa,
    /// sha384WithRSAEncryption.
    Sha384Rsa,
    /// sha512WithRSAEncryption.
    Sha512Rsa,
    /// ecdsa-with-SHA256; may come with either curve.
    EcdsaSha256,
    /// ecdsa-with-SHA384; may come with either curve.
    EcdsaSha384,
    /// ecdsa-with-SHA512; may come with either curve.
    EcdsaSha512,
    /// id-RSASSA-PSS with SHA-256, MGF1 of the same and 32 octets of salt. Verified, never made.
    Sha256RsaPss,
    /// id-RSASSA-PSS with SHA-384, MGF1 of the same and 48 octets of salt. Verified, never made.
    Sha384RsaPss,
    /// id-RSASSA-PSS with SHA-512, MGF1 of the same and 64 octets of salt. Verified, never made.
    Sha512RsaPss,
}

use SignatureAlgorithm::{
    EcdsaSha256, EcdsaSha384, EcdsaSha512, Sha256Rsa, Sha256RsaPss, Sha384Rsa, Sha384RsaPss,
    Sha512Rsa, Sha512RsaPss,
};

/// Why a signature is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// An algorithm that is unknown, broken (SHA-1, MD5) or not of this key.
    #[error("the signature algorithm is not supported, or not of this key")]
    UnsupportedAlgorithm,
    /// The signature does not fit key and message.
    #[error("the signature is not by this key over these bytes")]
    WrongSignature,
}

macro_rules! identifier {
    ($($octet:literal)*) => { &[$($octet),*] };
}

/// Each algorithm's AlgorithmIdentifier as DER wants it: parameters NULL for RSA (RFC 4055 §5),
/// absent for ECDSA (RFC 5758 §3.2).
const IDENTIFIERS: [(SignatureAlgorithm, &[u8]); 9] = [
    (Sha256Rsa, identifier!(0x30 0x0d 6 9 0x2a 0x86 0x48 0x86 0xf7 0x0d 1 1 11 5 0)),
    (Sha384Rsa, identifier!(0x30 0x0d 6 9 0x2a 0x86 0x48 0x86 0xf7 0x0d 1 1 12 5 0)),
    (Sha512Rsa, identifier!(0x30 0x0d 6 9 0x2a 0x86 0x48 0x86 0xf7 0x0d 1 1 13 5 0)),
    (EcdsaSha256, identifier!(0x30 0x0a 6 8 0x2a 0x86 0x48 0xce 0x3d 4 3 2)),
    (EcdsaSha384, identifier!(0x30 0x0a 6 8 0x2a 0x86 0x48 0xce 0x3d 4 3 3)),
    (EcdsaSha512, identifier!(0x30 0x0a 6 8 0x2a 0x86 0x48 0xce 0x3d 4 3 4)),
    (Sha256RsaPss, &pss_identifier(1, 32)),
    (Sha384RsaPss, &pss_identifier(2, 48)),
    (Sha512RsaPss, &pss_identifier(3, 64)),
];

/// RSASSA-PSS-params (RFC 4055 §3.1) with one hash throughout and a salt as long as the hash:
/// id-sha256, -384 and -512 differ in the last octet.
const fn pss_identifier(hash: u8, salt: u8) -> [u8; 67] {
    [
        0x30, 0x41, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10, 0x30, 0x34, //
        0xa0, 0x0f, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, hash, 5, 0, //
        0xa1, 0x1c, 0x30, 0x1a, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8, //
        0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, hash, 5, 0, //
        0xa2, 3, 2, 1, salt,
    ]
}

impl SignatureAlgorithm {
    /// The algorithm with which a key of this kind signs here: SHA-256, and SHA-384 for P-384.
    pub fn for_key(key: KeyAlgorithm) -> Self {
        match key {
            KeyAlgorithm::Rsa => Sha256Rsa,
            KeyAlgorithm::P256 => EcdsaSha256,
            KeyAlgorithm::P384 => EcdsaSha384,
        }
    }

    /// The AlgorithmIdentifier.
    pub fn to_der(self) -> &'static [u8] {
        // Every algorithm stands in the table, at its own place.
        IDENTIFIERS[self as usize].1
    }

    /// From the DER of an AlgorithmIdentifier. RSA's NULL may be missing (RFC 4055 §5), as may
    /// the NULLs inside PSS's parameters.
    pub fn from_der(der: &[u8]) -> Result<Self, SignatureError> {
        let known = IDENTIFIERS.iter().find(|(_, identifier)| *identifier == der);
        let without_null = |identifier: &[u8]| {
            identifier.len() == 15
                && der.len() == 13
                && der[1] == 11
                && der[2..] == identifier[2..13]
        };
        known
            .or_else(|| IDENTIFIERS.iter().find(|(_, identifier)| without_null(identifier)))
            .or_else(|| {
                IDENTIFIERS.iter().find(|(_, identifier)| same_without_nulls(identifier, der))
            })
            .map(|(algorithm, _)| *algorithm)
            .ok_or(SignatureError::UnsupportedAlgorithm)
    }

    /// The digest the signature is over, for those who hash as they go.
    pub fn digest(self) -> &'static digest::Algorithm {
        match self {
            Sha256Rsa | EcdsaSha256 | Sha256RsaPss => &digest::SHA256,
            Sha384Rsa | EcdsaSha384 | Sha384RsaPss => &digest::SHA384,
            Sha512Rsa | EcdsaSha512 | Sha512RsaPss => &digest::SHA512,
        }
    }

    /// Checks `signature` (as it stands in the BIT STRING) over `message`.
    pub fn verify(
        self,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let algorithm = self.verifier(key.algorithm())?;
        if let Some(ready) = key.ready_verifier(self) {
            return ready
                .verify_sig(message, signature)
                .map_err(|_| SignatureError::WrongSignature);
        }
        aws::UnparsedPublicKey::new(algorithm, key.raw())
            .verify(message, signature)
            .map_err(|_| SignatureError::WrongSignature)
    }

    /// Checks `signature` over the message whose digest (by [`Self::digest`]) is `digest`.
    pub fn verify_digest(
        self,
        key: &PublicKey,
        digest: &Digest,
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let algorithm = self.verifier(key.algorithm())?;
        if digest.algorithm() != self.digest() {
            return Err(SignatureError::UnsupportedAlgorithm);
        }
        aws::UnparsedPublicKey::new(algorithm, key.raw())
            .verify_digest(digest, signature)
            .map_err(|_| SignatureError::WrongSignature)
    }

    /// By curve and hash together: ecdsa-with-SHA256 is legal with a P-384 key.
    fn verifier(
        self,
        key: KeyAlgorithm,
    ) -> Result<&'static dyn aws::VerificationAlgorithm, SignatureError> {
        Ok(match (self, key) {
            (Sha256Rsa, KeyAlgorithm::Rsa) => &aws::RSA_PKCS1_2048_8192_SHA256,
            (Sha384Rsa, KeyAlgorithm::Rsa) => &aws::RSA_PKCS1_2048_8192_SHA384,
            (Sha512Rsa, KeyAlgorithm::Rsa) => &aws::RSA_PKCS1_2048_8192_SHA512,
            (Sha256RsaPss, KeyAlgorithm::Rsa) => &aws::RSA_PSS_2048_8192_SHA256,
            (Sha384RsaPss, KeyAlgorithm::Rsa) => &aws::RSA_PSS_2048_8192_SHA384,
            (Sha512RsaPss, KeyAlgorithm::Rsa) => &aws::RSA_PSS_2048_8192_SHA512,
            (EcdsaSha256, KeyAlgorithm::P256) => &aws::ECDSA_P256_SHA256_ASN1,
            (EcdsaSha384, KeyAlgorithm::P256) => &aws::ECDSA_P256_SHA384_ASN1,
            (EcdsaSha512, KeyAlgorithm::P256) => &aws::ECDSA_P256_SHA512_ASN1,
            (EcdsaSha256, KeyAlgorithm::P384) => &aws::ECDSA_P384_SHA256_ASN1,
            (EcdsaSha384, KeyAlgorithm::P384) => &aws::ECDSA_P384_SHA384_ASN1,
            (EcdsaSha512, KeyAlgorithm::P384) => &aws::ECDSA_P384_SHA512_ASN1,
            _ => return Err(SignatureError::UnsupportedAlgorithm),
        })
    }
}

/// PSS parameters whose hash identifiers lack the NULL: each of the two is then two octets
/// shorter, and every length round it too.
fn same_without_nulls(identifier: &[u8], der: &[u8]) -> bool {
    if identifier.len() != 67 || der.len() != 63 {
        return false;
    }
    let shorter =
        [0x30, 0x3d, 0x30, 0x30, 0xa0, 0x0d, 0x30, 0x0b, 0xa1, 0x1a, 0x30, 0x18, 0x30, 0x0b];
    let mut expected = Vec::with_capacity(63);
    expected.extend_from_slice(&shorter[..2]);
    expected.extend_from_slice(&identifier[2..13]);
    expected.extend_from_slice(&shorter[2..8]);
    expected.extend_from_slice(&identifier[19..30]);
    expected.extend_from_slice(&shorter[8..12]);
    expected.extend_from_slice(&identifier[36..47]);
    expected.extend_from_slice(&shorter[12..]);
    expected.extend_from_slice(&identifier[49..60]);
    expected.extend_from_slice(&identifier[62..]);
    expected == der
}

#[cfg(test)]
mod tests;
