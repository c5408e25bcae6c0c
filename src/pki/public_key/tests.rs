use super::*;
use crate::pki::encoding::{INTEGER, NULL, bit_string, element, identifier, integer, sequence};
use proptest::prelude::*;

/// Two primes of the form k·M + (65537^a mod M), M the product of the first 126 primes.
const ROCA: &str = concat!(
    "a2607a778c12540af9416f64f0cab976a5a9527f2e546c7f6ffa066ed93155ed405eee22250830ebcd2016a6",
    "207f211bd4dedbce569e7ea1291a84012dfd9e19ae5b21bb2022f5559b9be1a7078ad753c8febc801e289623",
    "2d3594f5f78f16cfb3c013df2996eb538a88ffae2d8e74100df8dfeef1f2f48e610f72d9aa16345262c9aad3",
    "01482d023db638dc6d2d9d6eb13aaf1f8ce3a373b641eed31f5a148acaa60d2efdb5e32d8f1f3576f145348f",
    "64a8d85ec64765765f5be9e94b23abf5a25ecfa505af88e3abe155adb075247b14e50c8077a4745b042cd815",
    "0f42390eff03f058e6414326723d10645d89861d279098bb9052f0217df79b300273e009",
);
/// Two primes less than 2^501 apart.
const CLOSE_PRIMES: &str = concat!(
    "d7f0448e396bd1109f66fd59b055b428c04db9c30296e557844c95ea71c94b8e501db816e2c9155d6bd5ff35",
    "a56a87c965e075b73311b220ad72216e15757f64ebae23aa77a290c04ec5b7cb4083efd68f30181a2f4b4f89",
    "683e5addd5ce9d910b0385229683bd9ac1810f62e764884f046edb82e6d30c9ea161cb4212e0e41d2847d8f3",
    "e2404377b337beed3fdb1a0922751bc2cb14c5c6eb8c7f10e2429212df091eeaaa1b8a1a9ccd889bac5e0459",
    "db4be40364b8d617f3716c3636fcb612b97817a0b291bf294510732e7a6478c93caa640b818ed6170c0a9717",
    "34e581dc996d4b991e95ba412720427c34c981b27c3dbaa372983caee60445a173fbf2e3",
);
/// A multiple of 743.
const SMALL_FACTOR: &str = concat!(
    "a90f87e698005be60f99372449302a0a5bd562a141dd25c5c0108fa720f9c10dd1fe38cd1fb92b16d892c762",
    "775557949700d1d52489d975683753b07891fc6881d1bf56ccf28f065a601732cbd511e6d046bb217ff86df4",
    "886b2c5a642197635c8ef8581d30368d0ef6f4ebcfaed4ef81c695a25864bce24dcbb3514b3c26be422fbe2e",
    "0531a402a36eed35e4b4124baed54dea61f1f6a3c42d5a2064af2fb11e2ae93cc7c4ed6f47a4f91cc574d891",
    "57b54a4d418c93892e35b43a676345c9facf6af98f3bfb10ac3073166df54501ff250aafdc3092b898b218a3",
    "9c0f1bf6056a9c499443fddea4acbfa18cb3c52881a1ca6ba92958f29dd481258b3bdfd5",
);
/// secp256r1's base point, and the same with its last octet changed.
const POINT: &str = concat!(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb",
    "4a7c0f9e162bce33576b315ececbb6406837bf51f5",
);

fn octets(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<PublicKey, KeyError> {
    let number = |digits: &[u8]| {
        let sign: &[u8] = if digits[0] >= 0x80 { &[0] } else { &[] };
        element(INTEGER, &[sign, digits])
    };
    let raw = sequence(&[&number(modulus), &number(exponent)]);
    let algorithm = sequence(&[&identifier(&oid::RSA_ENCRYPTION), &[NULL, 0]]);
    PublicKey::from_spki_der(&sequence(&[&algorithm, &bit_string(&raw)]))
}

fn curve(curve: &der::asn1::ObjectIdentifier, point: &[u8]) -> Result<PublicKey, KeyError> {
    let algorithm = sequence(&[&identifier(&oid::EC_PUBLIC_KEY), &identifier(curve)]);
    PublicKey::from_spki_der(&sequence(&[&algorithm, &bit_string(point)]))
}

fn modulus(bits: usize) -> Vec<u8> {
    let mut modulus = vec![0xff; bits / 8];
    modulus[bits / 8 - 1] = 0xf1;
    modulus
}

fn generated() -> Vec<Vec<u8>> {
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::signature::{ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
    let rsa = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).unwrap();
    vec![
        rsa.public_key().as_der().unwrap().as_ref().to_vec(),
        p384.public_key().as_der().unwrap().as_ref().to_vec(),
    ]
}

#[test]
fn takes_what_is_made_today() {
    let [rsa, p384] = generated().try_into().unwrap();
    let rsa = PublicKey::from_spki_der(&rsa).unwrap();
    assert_eq!((rsa.algorithm(), rsa.bits()), (KeyAlgorithm::Rsa, 2048));
    let p384 = PublicKey::from_spki_der(&p384).unwrap();
    assert_eq!((p384.algorithm(), p384.bits()), (KeyAlgorithm::P384, 384));
    let p256 = curve(&oid::P256, &octets(POINT)).unwrap();
    assert_eq!((p256.algorithm(), p256.bits()), (KeyAlgorithm::P256, 256));
    assert_eq!(p256.raw(), octets(POINT));
    assert_eq!(PublicKey::from_spki_der(p256.spki_der()).unwrap(), p256);
}

#[test]
fn an_absent_null_gives_the_same_key() {
    let [spki, _] = generated().try_into().unwrap();
    let key = PublicKey::from_spki_der(&spki).unwrap();
    let algorithm = sequence(&[&identifier(&oid::RSA_ENCRYPTION)]);
    let bare = sequence(&[&algorithm, &bit_string(key.raw())]);
    let same = PublicKey::from_spki_der(&bare).unwrap();
    assert_eq!(same.thumbprint(), key.thumbprint());
    assert_eq!(key.spki_der(), spki);
}

#[test]
fn refuses_each_weak_key_by_name() {
    use KeyError::*;
    let good = [1, 0, 1];
    assert_eq!(rsa(&modulus(512), &good), Err(TooSmall { bits: 512 }));
    assert_eq!(rsa(&modulus(1024), &good), Err(TooSmall { bits: 1024 }));
    assert_eq!(rsa(&modulus(16384), &good), Err(TooLarge { bits: 16384 }));
    for exponent in [&[1][..], &[3], &[1, 0, 0], &[0x80, 0, 0, 0], &[1, 0, 0, 0, 1]] {
        assert_eq!(rsa(&modulus(2048), exponent), Err(BadExponent));
    }
    let mut even = modulus(2048);
    even[255] = 0xf2;
    assert_eq!(rsa(&even, &good), Err(KnownWeak(Weakness::SmallFactor)));
    assert_eq!(rsa(&octets(SMALL_FACTOR), &good), Err(KnownWeak(Weakness::SmallFactor)));
    assert_eq!(rsa(&octets(ROCA), &good), Err(KnownWeak(Weakness::Roca)));
    assert_eq!(rsa(&octets(CLOSE_PRIMES), &good), Err(KnownWeak(Weakness::ClosePrimes)));
}

#[test]
fn refuses_each_bad_point_by_name() {
    let mut point = octets(POINT);
    assert!(matches!(curve(&oid::P521, &point), Err(KeyError::UnsupportedAlgorithm { .. })));
    assert_eq!(curve(&oid::P384, &point), Err(KeyError::PointOffCurve));
    assert_eq!(curve(&oid::P256, &[0]), Err(KeyError::PointOffCurve));
    point[64] ^= 1;
    assert_eq!(curve(&oid::P256, &point), Err(KeyError::PointOffCurve));
    point[0] = 3;
    assert_eq!(curve(&oid::P256, &point[..33]), Err(KeyError::CompressedPoint));
    let algorithm = sequence(&[&identifier(&oid::ED25519)]);
    let ed25519 = PublicKey::from_spki_der(&sequence(&[&algorithm, &bit_string(&[7; 32])]));
    assert!(matches!(ed25519, Err(KeyError::UnsupportedAlgorithm { .. })));
    // Explicit curve parameters: CVE-2020-0601.
    let algorithm = sequence(&[&identifier(&oid::EC_PUBLIC_KEY), &sequence(&[&integer(1)])]);
    let explicit = PublicKey::from_spki_der(&sequence(&[&algorithm, &bit_string(&octets(POINT))]));
    assert!(matches!(explicit, Err(KeyError::UnsupportedAlgorithm { .. })));
}

/// p256, an engine of its own, agrees about which points are on the curve.
#[test]
fn the_curve_is_p256s() {
    use p256::pkcs8::DecodePublicKey;
    let key = curve(&oid::P256, &octets(POINT)).unwrap();
    assert!(p256::PublicKey::from_public_key_der(key.spki_der()).is_ok());
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_a_key(bytes: Vec<u8>) {
        let _ = PublicKey::from_spki_der(&bytes);
    }

    #[test]
    fn a_damaged_key_is_refused_or_another_key(at in 0usize..91, octet: u8) {
        let key = curve(&oid::P256, &octets(POINT)).unwrap();
        let mut der = key.spki_der().to_vec();
        prop_assume!(der[at] != octet);
        der[at] = octet;
        if let Ok(other) = PublicKey::from_spki_der(&der) {
            prop_assert_ne!(other.thumbprint(), key.thumbprint());
            prop_assert_eq!(other.spki_der(), &der);
        }
    }

    #[test]
    fn any_modulus_is_judged(modulus in prop::collection::vec(any::<u8>(), 256..258), exponent in prop::collection::vec(any::<u8>(), 1..6)) {
        let _ = rsa(&modulus, &exponent);
    }
}
