use super::*;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{EcdsaKeyPair, KeyPair};
use proptest::prelude::*;

const ALL: [SignatureAlgorithm; 9] = [
    Sha256Rsa,
    Sha384Rsa,
    Sha512Rsa,
    EcdsaSha256,
    EcdsaSha384,
    EcdsaSha512,
    Sha256RsaPss,
    Sha384RsaPss,
    Sha512RsaPss,
];

#[test]
fn identifiers_come_back_and_are_der() {
    use der::{Decode, Encode};
    for algorithm in ALL {
        assert_eq!(SignatureAlgorithm::from_der(algorithm.to_der()), Ok(algorithm));
        let theirs = spki::AlgorithmIdentifierOwned::from_der(algorithm.to_der()).unwrap();
        assert_eq!(theirs.to_der().unwrap(), algorithm.to_der());
    }
}

#[test]
fn nulls_may_be_missing() {
    let bare = [0x30, 0x0b, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12];
    assert_eq!(SignatureAlgorithm::from_der(&bare), Ok(Sha384Rsa));
    use crate::pki::encoding::{constructed, element, identifier, integer, sequence};
    use der::asn1::ObjectIdentifier;
    let oid = |dotted: &str| identifier(&ObjectIdentifier::new(dotted).unwrap());
    let hash = sequence(&[&oid("2.16.840.1.101.3.4.2.3")]);
    let mask = sequence(&[&oid("1.2.840.113549.1.1.8"), &hash]);
    let parameters = sequence(&[
        &element(constructed(0), &[&hash]),
        &element(constructed(1), &[&mask]),
        &element(constructed(2), &[&integer(64)]),
    ]);
    let bare = sequence(&[&oid("1.2.840.113549.1.1.10"), &parameters]);
    assert_eq!(SignatureAlgorithm::from_der(&bare), Ok(Sha512RsaPss));
}

#[test]
fn sha1_and_md5_are_not_known() {
    for last in [4, 5] {
        let old = [0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, last, 5, 0];
        assert_eq!(SignatureAlgorithm::from_der(&old), Err(SignatureError::UnsupportedAlgorithm));
    }
    let ecdsa_sha1 = [0x30, 9, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1];
    assert!(SignatureAlgorithm::from_der(&ecdsa_sha1).is_err());
}

fn check(algorithm: SignatureAlgorithm, key: &PublicKey, signature: &[u8]) {
    assert_eq!(algorithm.verify(key, b"message", signature), Ok(()));
    let digest = digest::digest(algorithm.digest(), b"message");
    assert_eq!(algorithm.verify_digest(key, &digest, signature), Ok(()));
    let wrong = Err(SignatureError::WrongSignature);
    assert_eq!(algorithm.verify(key, b"massage", signature), wrong);
    let digest = digest::digest(algorithm.digest(), b"massage");
    assert_eq!(algorithm.verify_digest(key, &digest, signature), wrong);
}

#[test]
fn rsa_signatures_are_verified() {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let key = PublicKey::from_spki_der(pair.public_key().as_der().unwrap().as_ref()).unwrap();
    let encodings: [(SignatureAlgorithm, &'static dyn aws::RsaEncoding); 6] = [
        (Sha256Rsa, &aws::RSA_PKCS1_SHA256),
        (Sha384Rsa, &aws::RSA_PKCS1_SHA384),
        (Sha512Rsa, &aws::RSA_PKCS1_SHA512),
        (Sha256RsaPss, &aws::RSA_PSS_SHA256),
        (Sha384RsaPss, &aws::RSA_PSS_SHA384),
        (Sha512RsaPss, &aws::RSA_PSS_SHA512),
    ];
    let mut signature = vec![0; pair.public_modulus_len()];
    for (algorithm, encoding) in encodings {
        pair.sign(encoding, &SystemRandom::new(), b"message", &mut signature).unwrap();
        check(algorithm, &key, &signature);
        let other = EcdsaSha256.verify(&key, b"message", &signature);
        assert_eq!(other, Err(SignatureError::UnsupportedAlgorithm));
    }
}

/// Curve and hash are chosen apart: ecdsa-with-SHA256 with a P-384 key, and the reverse.
#[test]
fn ecdsa_signatures_are_verified_by_curve_and_hash() {
    use p256::ecdsa::signature::hazmat::PrehashSigner;
    let secret = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
    let point = secret.verifying_key().to_sec1_point(false);
    let header = [
        0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48,
        0xce, 0x3d, 3, 1, 7, 3, 0x42, 0,
    ];
    let key = PublicKey::from_spki_der(&[&header[..], point.as_bytes()].concat()).unwrap();
    for algorithm in [EcdsaSha256, EcdsaSha384, EcdsaSha512] {
        let hash = digest::digest(algorithm.digest(), b"message");
        let signature: p256::ecdsa::Signature = secret.sign_prehash(hash.as_ref()).unwrap();
        check(algorithm, &key, signature.to_der().as_bytes());
    }
    let pair = EcdsaKeyPair::generate(&aws::ECDSA_P384_SHA384_ASN1_SIGNING).unwrap();
    let key = PublicKey::from_spki_der(pair.public_key().as_der().unwrap().as_ref()).unwrap();
    let signature = pair.sign(&SystemRandom::new(), b"message").unwrap();
    check(EcdsaSha384, &key, signature.as_ref());
    assert!(EcdsaSha256.verify(&key, b"message", signature.as_ref()).is_err());
}

proptest! {
    #[test]
    fn any_identifier_is_refused_or_known(der: Vec<u8>) {
        let _ = SignatureAlgorithm::from_der(&der);
    }
}
