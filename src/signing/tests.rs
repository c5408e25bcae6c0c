//! Keys survive their files, OpenSSL reads ours and we read OpenSSL's.

use std::path::Path;
use std::process::Command;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};
use proptest::prelude::*;
use spki::SubjectPublicKeyInfoRef;

use super::import::read_pkcs12;
use super::{CaKey as _, FileKey, KeyFileError, KeyKind, Passphrase, SigningError};

fn openssl(directory: &Path, arguments: &str) {
    let ran = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(ran.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&ran.stderr));
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.as_bytes().to_vec()).unwrap()
}

fn verifies(key: &FileKey, message: &[u8], signature: &[u8]) -> bool {
    let spki = SubjectPublicKeyInfoRef::try_from(key.spki_der()).unwrap();
    let verifier: &dyn VerificationAlgorithm =
        match (spki.algorithm.oid == const_oid::db::rfc5912::RSA_ENCRYPTION, key.digest_length()) {
            (true, _) => &RSA_PKCS1_2048_8192_SHA256,
            (false, 32) => &ECDSA_P256_SHA256_ASN1,
            (false, _) => &ECDSA_P384_SHA384_ASN1,
        };
    let public = UnparsedPublicKey::new(verifier, spki.subject_public_key.raw_bytes());
    public.verify(message, signature).is_ok()
}

#[test]
fn every_kind_signs_and_survives_its_file() {
    let directory = tempfile::tempdir().unwrap();
    for kind in [KeyKind::Rsa2048, KeyKind::Rsa3072, KeyKind::P256, KeyKind::P384] {
        let key = FileKey::generate(kind).unwrap();
        for (name, secret) in [("plain", None), ("sealed", Some(passphrase("gr\u{fc}n 7")))] {
            let path = directory.path().join(format!("{kind}-{name}"));
            key.save(&path, secret.as_ref()).unwrap();
            let read = FileKey::load(&path, secret.as_ref()).unwrap();
            assert_eq!(read.spki_der(), key.spki_der());
            let signature = read.sign(b"message").unwrap();
            assert!(verifies(&key, b"message", &signature));
            assert!(!verifies(&key, b"another", &signature));
        }
    }
}

#[test]
fn a_digest_signs_like_its_message() {
    for kind in [KeyKind::Rsa2048, KeyKind::P256, KeyKind::P384] {
        let key = FileKey::generate(kind).unwrap();
        let (right, wrong) = match kind {
            KeyKind::P384 => (&digest::SHA384, &digest::SHA256),
            _ => (&digest::SHA256, &digest::SHA384),
        };
        let signature = key.sign_digest(&digest::digest(right, b"message")).unwrap();
        assert!(verifies(&key, b"message", &signature));
        let refused = key.sign_digest(&digest::digest(wrong, b"message"));
        assert!(matches!(refused, Err(SigningError::WrongDigest)));
    }
}

#[test]
fn a_saved_key_is_for_its_owner_only_also_where_another_file_stood() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.key");
    std::fs::write(&path, "in the way").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    FileKey::generate(KeyKind::P256).unwrap().save(&path, None).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn openssl_reads_ours() {
    let directory = tempfile::tempdir().unwrap();
    for kind in [KeyKind::Rsa2048, KeyKind::P256, KeyKind::P384] {
        let key = FileKey::generate(kind).unwrap();
        key.save(&directory.path().join("plain.pem"), None).unwrap();
        key.save(&directory.path().join("sealed.pem"), Some(&passphrase("secret"))).unwrap();
        openssl(directory.path(), "pkey -in plain.pem -pubout -outform DER -out plain.spki");
        openssl(
            directory.path(),
            "pkey -in sealed.pem -passin pass:secret -pubout -outform DER -out sealed.spki",
        );
        for name in ["plain.spki", "sealed.spki"] {
            assert_eq!(std::fs::read(directory.path().join(name)).unwrap(), key.spki_der());
        }
    }
}

/// How OpenSSL makes a key, and every form it can write it in.
#[test]
fn we_read_openssls() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let makes = [
        ("rsa", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"),
        ("p256", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256"),
        ("p384", "-algorithm EC -pkeyopt ec_paramgen_curve:P-384"),
    ];
    for (name, options) in makes {
        openssl(directory.path(), &format!("genpkey {options} -out {name}.pem"));
        openssl(directory.path(), &format!("pkey -in {name}.pem -pubout -outform DER -out spki"));
        let spki = std::fs::read(at("spki")).unwrap();
        for form in [
            "-outform DER",
            "-traditional",
            "-traditional -outform DER",
            "-aes256 -passout pass:secret",
        ] {
            openssl(directory.path(), &format!("pkey -in {name}.pem {form} -out form"));
            let secret = passphrase("secret");
            let key = FileKey::load(&at("form"), Some(&secret));
            assert_eq!(key.map_err(|e| format!("{name} {form}: {e}")).unwrap().spki_der(), spki);
        }
        openssl(
            directory.path(),
            &format!("pkcs8 -topk8 -in {name}.pem -scrypt -passout pass:secret -out scrypt.pem"),
        );
        openssl(
            directory.path(),
            &format!(
                "pkcs8 -topk8 -in {name}.pem -v2 aes128 -passout pass:secret -outform DER -out der"
            ),
        );
        let secret = passphrase("secret");
        assert_eq!(FileKey::load(&at("der"), Some(&secret)).unwrap().spki_der(), spki);
        assert_eq!(FileKey::load(&at("scrypt.pem"), Some(&secret)).unwrap().spki_der(), spki);
        let wrong = FileKey::load(&at("scrypt.pem"), Some(&passphrase("Secret")));
        assert!(matches!(wrong, Err(KeyFileError::WrongPassphrase)));
        let none = FileKey::load(&at("scrypt.pem"), None);
        assert!(matches!(none, Err(KeyFileError::PassphraseNeeded)));
    }
    openssl(
        directory.path(),
        "rsa -in rsa.pem -traditional -aes128 -passout pass:secret -out old.pem",
    );
    let old = FileKey::load(&at("old.pem"), Some(&passphrase("secret")));
    assert!(matches!(old, Err(KeyFileError::OldEncryption)));
    openssl(directory.path(), "ecparam -name prime256v1 -genkey -out parameters-first.pem");
    assert!(FileKey::load(&at("parameters-first.pem"), None).is_ok());
}

#[test]
fn keys_that_cannot_sign_here_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let makes = [
        "-algorithm RSA -pkeyopt rsa_keygen_bits:1024",
        "-algorithm EC -pkeyopt ec_paramgen_curve:P-521",
        "-algorithm ED25519",
    ];
    for options in makes {
        openssl(directory.path(), &format!("genpkey {options} -out key.pem"));
        let refused = FileKey::load(&directory.path().join("key.pem"), None);
        assert!(
            matches!(refused, Err(KeyFileError::Unsupported | KeyFileError::Rejected(_))),
            "{options}"
        );
    }
}

#[test]
fn pkcs12_gives_key_and_certificates() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    openssl(
        directory.path(),
        "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out ca.pem -subj /CN=Old -days 30",
    );
    openssl(directory.path(), "x509 -in ca.pem -outform DER -out ca.der");
    for (name, options) in [("new", ""), ("old", "-legacy")] {
        openssl(
            directory.path(),
            &format!(
                "pkcs12 -export {options} -inkey key.pem -in ca.pem -passout pass:secret -out {name}"
            ),
        );
        let content = std::fs::read(at(name)).unwrap();
        let imported = read_pkcs12(&content, &passphrase("secret")).unwrap();
        assert_eq!(imported.certificates, [std::fs::read(at("ca.der")).unwrap()]);
        let plain = FileKey::load(&at("key.pem"), None).unwrap();
        assert_eq!(imported.key.spki_der(), plain.spki_der());
        assert!(read_pkcs12(&content, &passphrase("wrong")).is_err());
    }
}

#[test]
fn nothing_prints_a_passphrase() {
    assert!(!format!("{:?}", passphrase("hunter2")).contains("hunter2"));
    assert!(Passphrase::from_file_content(b"\r\n".to_vec()).is_none());
    assert_eq!(Passphrase::from_file_content(b"a b \r\n".to_vec()).unwrap().octets(), b"a b ");
}

proptest! {
    #[test]
    fn any_octets_are_a_key_or_an_error(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = FileKey::from_file_content(&octets, Some(&passphrase("x")));
        let _ = read_pkcs12(&octets, &passphrase("x"));
    }

    #[test]
    fn any_damage_to_a_key_file_is_a_key_or_an_error(at in 0usize..1000, octet: u8) {
        let mut der = FileKey::generate(KeyKind::P256).unwrap().to_pkcs8_der().unwrap().to_vec();
        let at = at % der.len();
        der[at] = octet;
        let _ = FileKey::from_file_content(&der, None);
    }
}
