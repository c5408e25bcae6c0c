//! Files that OpenSSL writes, old and new, and files that somebody made to cost a great deal.

use std::time::{Duration, Instant};

use der::Encode;
use proptest::prelude::*;

use super::*;
use crate::pki::bundle::certificates_from_pem;
use crate::pki::encoding::write_header;

const SAMPLE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ad_cs_user.pem"));

/// What `openssl pkcs12 -export -nokeys` makes of the sample, under the password `geheim`.
fn exported(options: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (pem, out) = (folder.path().join("a.pem"), folder.path().join("a.p12"));
    std::fs::write(&pem, SAMPLE).unwrap();
    let mut openssl = std::process::Command::new("openssl");
    openssl.args(["pkcs12", "-export", "-nokeys", "-passout", "pass:geheim", "-in"]).arg(&pem);
    let ran = openssl.arg("-out").arg(&out).args(options).output().unwrap();
    assert!(ran.status.success(), "{options:?}: {}", String::from_utf8_lossy(&ran.stderr));
    std::fs::read(out).unwrap()
}

#[test]
fn every_encryption_of_openssl_opens_with_its_password_alone() {
    let expected = certificates_from_pem(SAMPLE).unwrap();
    for options in [
        &[][..],
        &["-certpbe", "AES-128-CBC", "-iter", "10000"],
        &["-legacy", "-certpbe", "PBE-SHA1-3DES"],
        &["-legacy", "-certpbe", "PBE-SHA1-RC2-40"],
        &["-certpbe", "NONE"],
        &["-nomac"],
    ] {
        let file = exported(options);
        assert!(is_pkcs12(&file), "{options:?}");
        assert_eq!(
            certificates_from_pkcs12(&file, "geheim").as_ref(),
            Ok(&expected),
            "{options:?}"
        );
        let other = certificates_from_pkcs12(&file, "Geheim");
        match options {
            ["-certpbe", "NONE"] | ["-nomac"] => assert_eq!(other.as_ref(), Ok(&expected)),
            _ => assert_eq!(other, Err(NotOpened::WrongPassword), "{options:?}"),
        }
    }
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_header(&mut out, tag, content.len() as u64);
    out.extend_from_slice(content);
    out
}

/// A file with so many parts, each encrypted by an algorithm with these parameters.
fn costly(parts: usize, oid: &str, parameters: &[u8]) -> Vec<u8> {
    let identifier = |oid: ObjectIdentifier| tlv(6, oid.as_bytes());
    let algorithm = tlv(
        SEQUENCE,
        &[identifier(ObjectIdentifier::new_unwrap(oid)), parameters.to_vec()].concat(),
    );
    let content = tlv(0x80, &[0; 64]);
    let info = tlv(SEQUENCE, &[identifier(oid::CMS_DATA), algorithm, content].concat());
    let encrypted = tlv(SEQUENCE, &[vec![INTEGER, 1, 0], info].concat());
    let part = tlv(SEQUENCE, &[identifier(ENCRYPTED_DATA), tlv(0xa0, &encrypted)].concat());
    let safe = tlv(4, &tlv(SEQUENCE, &part.repeat(parts)));
    let safe = tlv(SEQUENCE, &[identifier(oid::CMS_DATA), tlv(0xa0, &safe)].concat());
    tlv(SEQUENCE, &[vec![INTEGER, 1, 3], safe].concat())
}

fn old(iterations: u32) -> Vec<u8> {
    tlv(SEQUENCE, &[tlv(4, &[7; 8]), iterations.to_der().unwrap()].concat())
}

#[test]
fn nobody_is_made_to_compute_for_minutes() {
    let (triple, rc2) = ("1.2.840.113549.1.12.1.3", "1.2.840.113549.1.12.1.6");
    let scrypt = |log_n: u32, p: u32| {
        let number = |value: u32| value.to_der().unwrap();
        let inside = [tlv(4, &[7; 8]), number(1 << log_n), number(8), number(p)].concat();
        let kdf = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11591.4.11");
        let kdf = tlv(SEQUENCE, &[tlv(6, kdf.as_bytes()), tlv(SEQUENCE, &inside)].concat());
        let aes = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.42");
        let aes = tlv(SEQUENCE, &[tlv(6, aes.as_bytes()), tlv(4, &[9; 16])].concat());
        tlv(SEQUENCE, &[kdf, aes].concat())
    };
    let pbes2 = "1.2.840.113549.1.5.13";
    let begun = Instant::now();
    for (file, why) in [
        (costly(1, triple, &old(u32::MAX)), NotOpened::TooCostly),
        (costly(1, rc2, &old(400_000)), NotOpened::TooCostly),
        // Each within the bound, and not all of them.
        (costly(1000, triple, &old(100_000)), NotOpened::WrongPassword),
        (costly(1, pbes2, &scrypt(20, 1)), NotOpened::TooCostly),
        (costly(1, pbes2, &scrypt(14, 200)), NotOpened::TooCostly),
        (costly(4000, triple, &old(1)), NotOpened::TooLarge),
    ] {
        assert_eq!(certificates_from_pkcs12(&file, "geheim"), Err(why));
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let mut costs = Costs::default();
    let one = old(100_000);
    let algorithm =
        tlv(SEQUENCE, &[tlv(6, ObjectIdentifier::new_unwrap(triple).as_bytes()), one].concat());
    let algorithm = AnyRef::from_der(&algorithm).unwrap();
    let mut ended = Vec::new();
    for _ in 0..4 {
        ended.push(password::decrypt(&algorithm, &[0; 64], "geheim", &mut costs).unwrap_err());
    }
    use NotOpened::{TooCostly, WrongPassword};
    assert_eq!(ended, [WrongPassword, WrongPassword, WrongPassword, TooCostly], "added up");
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_read(bytes: Vec<u8>) {
        let _ = certificates_from_pkcs12(&bytes, "geheim");
        let _ = is_pkcs12(&bytes);
    }

    /// One octet changed: it opens to something or not, and soon.
    #[test]
    fn a_damaged_file_is_refused_or_read(at in 0usize..4000, to: u8) {
        let mut file = costly(2, "1.2.840.113549.1.12.1.6", &old(7));
        let at = at % file.len();
        file[at] = to;
        let begun = Instant::now();
        let _ = certificates_from_pkcs12(&file, "geheim");
        prop_assert!(begun.elapsed() < Duration::from_secs(20));
    }
}
