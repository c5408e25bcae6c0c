//! What OpenSSL says of our CRLs.

use std::path::Path;
use std::process::Command;

use super::world::{World, noon, publish};
use super::{CertificateHold, KeyCompromise, Superseded, Unspecified, far};
use crate::signing::KeyKind;

fn openssl(arguments: &[&str], directory: &Path) -> String {
    let output = Command::new("openssl").args(arguments).current_dir(directory).output().unwrap();
    let both = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&both).into_owned();
    assert!(output.status.success(), "{arguments:?}: {text}");
    text
}

#[test]
fn openssl_verifies_and_reads_every_field() {
    for kind in [KeyKind::Rsa2048, KeyKind::P256, KeyKind::P384] {
        let world = World::with(kind);
        let directory = world.home.path();
        std::fs::write(directory.join("ca.der"), world.issuer.certificate_der()).unwrap();
        let convert = ["x509", "-inform", "DER", "-in", "ca.der", "-out", "ca.pem"];
        openssl(&convert, directory);
        let crl = ["crl", "-inform", "DER", "-in", "contoso-vpn-ca.crl", "-CAfile", "ca.pem"];
        let judge =
            || openssl(&[crl.as_slice(), &["-noout", "-verify", "-text"]].concat(), directory);

        let publisher = world.publisher();
        publish(&publisher, noon());
        let text = judge();
        assert!(text.contains("verify OK"), "{text}");
        assert!(text.contains("No Revoked Certificates"), "{text}");

        for (number, reason) in (1..).zip([Unspecified, KeyCompromise, CertificateHold]) {
            world.revoke(number, reason, far());
        }
        publish(&publisher, noon().plus_seconds(1));
        let text = judge();
        for expected in [
            "verify OK",
            "Version 2 (0x1)",
            "X509v3 Authority Key Identifier",
            "X509v3 CRL Number",
            "1.3.6.1.4.1.311.21.4",
            "Last Update: Nov 23 11:50:01 2026 GMT",
            "Next Update: Dec  1 00:10:01 2026 GMT",
            "Serial Number: 100000000000000003",
            "Key Compromise",
            "Certificate Hold",
        ] {
            assert!(text.contains(expected), "{kind:?} {expected}: {text}");
        }
        assert!(!text.contains("Unspecified"), "{text}");
    }
}

/// Large enough to change the length of every header, and with lists around each boundary.
#[test]
fn openssl_takes_every_length_of_list() {
    let world = World::new();
    let directory = world.home.path();
    std::fs::write(directory.join("ca.der"), world.issuer.certificate_der()).unwrap();
    openssl(&["x509", "-inform", "DER", "-in", "ca.der", "-out", "ca.pem"], directory);
    let publisher = world.publisher();
    let mut number = 0;
    for total in [1, 2, 3, 4, 8, 1800, 2000] {
        while number < total {
            number += 1;
            world.revoke(number, Superseded, far());
        }
        publish(&publisher, noon());
        let crl = ["crl", "-inform", "DER", "-in", "contoso-vpn-ca.crl", "-CAfile", "ca.pem"];
        let text = openssl(&[crl.as_slice(), &["-noout", "-verify"]].concat(), directory);
        assert!(text.contains("verify OK"), "{total}: {text}");
        assert_eq!(world.listed().len() as u64, total);
    }
}

/// Two complete lists of one second, both held: OpenSSL takes the one with the later thisUpdate,
/// whichever it finds first.
#[test]
fn openssl_holding_two_lists_of_one_second_believes_the_later() {
    let world = World::new();
    let directory = world.home.path();
    std::fs::write(directory.join("ca.der"), world.issuer.certificate_der()).unwrap();
    std::fs::write(directory.join("ca.key"), world.key.to_pkcs8_der().unwrap()).unwrap();
    openssl(&["x509", "-inform", "DER", "-in", "ca.der", "-out", "ca.pem"], directory);
    let asked = ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "leaf.key"];
    openssl(&[&asked[..], &["-subj", "/CN=leaf", "-out", "leaf.csr"]].concat(), directory);
    let number = "0x100000000000000001";
    let made = ["x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key"];
    let made = [&made[..], &["-set_serial", number, "-days", "90", "-out", "leaf.pem"]].concat();
    openssl(&made, directory);

    let publisher = world.publisher();
    for name in ["older", "later"] {
        publish(&publisher, noon());
        world.revoke(1, KeyCompromise, far());
        let (from, to) = ("contoso-vpn-ca.crl", format!("{name}.pem"));
        openssl(&["crl", "-inform", "DER", "-in", from, "-out", &to], directory);
    }
    for order in [["older.pem", "later.pem"], ["later.pem", "older.pem"]] {
        let both = order.map(|name| std::fs::read(directory.join(name)).unwrap()).concat();
        std::fs::write(directory.join("both.pem"), both).unwrap();
        let verify = ["verify", "-crl_check", "-CAfile", "ca.pem", "-CRLfile", "both.pem"];
        // The leaf is of today; what its own times say is not the question.
        let verify = [&verify[..], &["-no_check_time", "leaf.pem"]].concat();
        let output = Command::new("openssl").args(verify).current_dir(directory).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains("certificate revoked"), "{order:?}: {told}");
    }
}
