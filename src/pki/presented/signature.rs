//! Whether a signature fits, also one that nobody should believe: SHA-1, small keys.

use aws_lc_rs::signature as aws;
use aws_lc_rs::signature::VerificationAlgorithm;
use der::Decode;
use der::asn1::ObjectIdentifier;
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::key::PresentedKey;
use crate::pki::oid;
use crate::pki::signature::SignatureAlgorithm;

/// Whether a key made a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It did.
    Fits,
    /// It did not.
    Wrong,
    /// The algorithm or the key is of a kind that cannot be checked here.
    Unchecked,
}

/// How strong the digest under a signature is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// SHA-256 or better.
    Strong,
    /// SHA-1, MD5 or MD2: collisions can be made.
    Broken(&'static str),
    /// Not told by the algorithm's name, or unknown.
    Unknown,
}

const MD2_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.2");
const MD5_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.4");
const SHA1_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.5");
const SHA1_ECDSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.1");

/// The digest of an AlgorithmIdentifier.
pub(super) fn digest(algorithm: &[u8]) -> Digest {
    if SignatureAlgorithm::from_der(algorithm).is_ok() {
        return Digest::Strong;
    }
    match algorithm_oid(algorithm) {
        Some(MD2_RSA) => Digest::Broken("MD2"),
        Some(MD5_RSA) => Digest::Broken("MD5"),
        Some(SHA1_RSA | SHA1_ECDSA) => Digest::Broken("SHA-1"),
        // Hashes with SHA-512 inside (RFC 8032).
        Some(oid::ED25519) => Digest::Strong,
        _ => Digest::Unknown,
    }
}

/// Whether the key in `spki` made `signature` over `message`.
pub(super) fn fits(algorithm: &[u8], spki: &[u8], message: &[u8], signature: &[u8]) -> Fit {
    let Ok(info) = SubjectPublicKeyInfoRef::from_der(spki) else { return Fit::Unchecked };
    let Some(key) = info.subject_public_key.as_bytes() else { return Fit::Unchecked };
    let Some(verifier) = verifier(algorithm, &info.algorithm) else { return Fit::Unchecked };
    match aws::UnparsedPublicKey::new(verifier, key).verify(message, signature) {
        Ok(()) => Fit::Fits,
        Err(_) if is_beyond_bounds(algorithm, spki) => Fit::Unchecked,
        Err(_) => Fit::Wrong,
    }
}

/// Whether it is an RSA key of a size that the verifiers below refuse, whoever signed.
fn is_beyond_bounds(algorithm: &[u8], spki: &[u8]) -> bool {
    use SignatureAlgorithm::{Sha256Rsa, Sha512Rsa};
    let PresentedKey::Rsa { bits, .. } = PresentedKey::of(spki) else { return false };
    let least = match SignatureAlgorithm::from_der(algorithm) {
        Ok(Sha256Rsa | Sha512Rsa) | Err(_) => 1024,
        Ok(_) => 2048,
    };
    !(least..=8192).contains(&bits)
}

/// `None` where algorithm and key do not go together, too.
fn verifier(
    algorithm: &[u8],
    key: &AlgorithmIdentifierRef<'_>,
) -> Option<&'static dyn VerificationAlgorithm> {
    use SignatureAlgorithm as Known;
    let curve = || key.parameters.and_then(|own| own.decode_as::<ObjectIdentifier>().ok());
    let known = SignatureAlgorithm::from_der(algorithm).ok();
    Some(match key.oid {
        oid::RSA_ENCRYPTION => match known {
            Some(Known::Sha256Rsa) => &aws::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
            Some(Known::Sha384Rsa) => &aws::RSA_PKCS1_2048_8192_SHA384,
            Some(Known::Sha512Rsa) => &aws::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
            Some(Known::Sha256RsaPss) => &aws::RSA_PSS_2048_8192_SHA256,
            Some(Known::Sha384RsaPss) => &aws::RSA_PSS_2048_8192_SHA384,
            Some(Known::Sha512RsaPss) => &aws::RSA_PSS_2048_8192_SHA512,
            None if algorithm_oid(algorithm) == Some(SHA1_RSA) => {
                &aws::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY
            }
            _ => return None,
        },
        oid::EC_PUBLIC_KEY => match (known, curve()?) {
            (Some(Known::EcdsaSha256), oid::P256) => &aws::ECDSA_P256_SHA256_ASN1,
            (Some(Known::EcdsaSha384), oid::P256) => &aws::ECDSA_P256_SHA384_ASN1,
            (Some(Known::EcdsaSha512), oid::P256) => &aws::ECDSA_P256_SHA512_ASN1,
            (Some(Known::EcdsaSha256), oid::P384) => &aws::ECDSA_P384_SHA256_ASN1,
            (Some(Known::EcdsaSha384), oid::P384) => &aws::ECDSA_P384_SHA384_ASN1,
            (Some(Known::EcdsaSha512), oid::P384) => &aws::ECDSA_P384_SHA512_ASN1,
            (Some(Known::EcdsaSha256), oid::P521) => &aws::ECDSA_P521_SHA256_ASN1,
            (Some(Known::EcdsaSha384), oid::P521) => &aws::ECDSA_P521_SHA384_ASN1,
            (Some(Known::EcdsaSha512), oid::P521) => &aws::ECDSA_P521_SHA512_ASN1,
            (None, oid::P256) if algorithm_oid(algorithm) == Some(SHA1_ECDSA) => {
                &aws::ECDSA_P256_SHA1_ASN1
            }
            _ => return None,
        },
        oid::ED25519 if algorithm_oid(algorithm) == Some(oid::ED25519) => &aws::ED25519,
        _ => return None,
    })
}

fn algorithm_oid(algorithm: &[u8]) -> Option<ObjectIdentifier> {
    AlgorithmIdentifierRef::from_der(algorithm).ok().map(|identifier| identifier.oid)
}
