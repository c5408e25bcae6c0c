//! A CA that nobody serves and that has had several keys: its CRLs, and what is revoked there.

use std::process::Command;

use super::program::{csr, fails, init, lists, openssl, place, succeeds};

/// Each key signs its own, and one that is gone keeps no other away.
#[test]
fn publish_crl_makes_the_crl_of_every_key() {
    let (home, data) = place();
    let (home, text) = (home.path(), data.to_str().unwrap());
    init(&data, &["--name", "CN=Contoso Root CA"]);
    std::fs::copy(data.join("ca.pem"), home.join("old.pem")).unwrap();
    succeeds(&["publish-crl", "--data", text]);
    succeeds(&["renew-ca", "--data", text, "--new-key", "--validity", "15y"]);
    std::fs::copy(data.join("ca.pem"), home.join("new.pem")).unwrap();
    let out = home.join("root.crl");
    let publish = ["publish-crl", "--data", text, "--out", out.to_str().unwrap()];
    let said = succeeds(&publish);
    assert_eq!(said.matches("the next one is due").count(), 2, "{said}");
    let mut numbers = Vec::new();
    for (crl, root) in [("root.crl", "new.pem"), ("contoso-root-ca.crl", "old.pem")] {
        let verified = Command::new("openssl")
            .args(["crl", "-inform", "DER", "-in", crl, "-CAfile", root, "-noout", "-crlnumber"])
            .current_dir(home)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&verified.stderr);
        assert!(told.contains("verify OK"), "{crl}: {told}");
        numbers.push(String::from_utf8(verified.stdout).unwrap());
    }
    assert_ne!(numbers[0], numbers[1], "one series of numbers");
    // A file of another's name is the present key's all the same.
    let taken = home.join("contoso-root-ca.crl");
    succeeds(&["publish-crl", "--data", text, "--out", taken.to_str().unwrap()]);
    let own = data.join("publish/contoso-root-ca-1.crl");
    assert_eq!(std::fs::read(taken).unwrap(), std::fs::read(own).unwrap());
    // But not where the old key's own list stands.
    let old = data.join("publish/contoso-root-ca.crl");
    let before = std::fs::read(&old).unwrap();
    let told = fails(&["publish-crl", "--data", text, "--out", old.to_str().unwrap()]);
    assert!(told.contains("is where this CA publishes"), "{told}");
    assert_eq!(std::fs::read(old).unwrap(), before);
    std::fs::remove_file(data.join("ca.key")).unwrap();
    let said = succeeds(&publish);
    assert!(said.contains("Warning: no new contoso-root-ca.crl"), "{said}");
    assert_eq!(said.matches("the next one is due").count(), 1, "{said}");
}

/// What the old key signed, on record or from before the CA was adopted,
/// is revoked by the certificate alone, and the CRLs of both keys list it.
#[test]
fn what_an_earlier_key_signed_is_revoked_by_its_certificate() {
    let (home, data) = place();
    let (home, text) = (home.path(), data.to_str().unwrap());
    let named = ["--name", "CN=Contoso Root CA"];
    init(&data, &[&named[..], &["--base-url", "http://pki.contoso.com"]].concat());
    let below = home.join("below");
    init(&below, &["--name", "CN=Contoso Issuing CA", "--subordinate"]);
    let (request, signed) = (below.join("ca.csr"), home.join("recorded.pem"));
    let sign = ["sign-subordinate", request.to_str().unwrap(), "--data", text, "--out"];
    succeeds(&[&sign[..], &[signed.to_str().unwrap()]].concat());
    let leaf = csr(home, "vpn.contoso.com", "DNS:vpn.contoso.com");
    let made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Contoso Root CA"];
    openssl(home, &[&made[..], &["-keyout", "stranger.key", "-out", "stranger.pem"]].concat());
    for (file, ca, key, serial) in [
        ("unrecorded.pem", "data/ca.pem", "data/ca.key", "0x5eadbeef5eadbeef"),
        ("foreign.pem", "stranger.pem", "stranger.key", "0x5eadbeef5eadbee0"),
    ] {
        let by = ["-CA", ca, "-CAkey", key, "-set_serial", serial, "-days", "30", "-out", file];
        openssl(home, &[&["x509", "-req", "-in", leaf.to_str().unwrap()], &by[..]].concat());
    }
    succeeds(&["renew-ca", "--data", text, "--new-key", "--validity", "15y"]);

    let of = |file: &str| home.join(file).to_str().unwrap().to_owned();
    let mut serials = Vec::new();
    for file in ["recorded.pem", "unrecorded.pem"] {
        let path = of(file);
        let revoke = ["revoke", "--data", text, "--certificate", &path, "--reason", "superseded"];
        assert!(succeeds(&revoke).contains("is revoked (superseded)"), "{file}");
        assert!(fails(&revoke).contains("was revoked on"), "{file}");
        let shown = openssl(home, &["x509", "-in", file, "-noout", "-serial"]);
        serials.push(shown.trim().trim_start_matches("serial=").to_owned());
    }
    let told = fails(&["revoke", "--data", text, "--certificate", &of("foreign.pem")]);
    assert!(told.contains("is not of this CA"), "{told}");
    succeeds(&["publish-crl", "--data", text, "--out", &of("root.crl")]);
    for crl in ["root.crl", "contoso-root-ca.crl"] {
        let shown = openssl(home, &["crl", "-inform", "DER", "-in", crl, "-noout", "-text"]);
        assert!(serials.iter().all(|serial| lists(&shown, serial)), "{crl}: {shown}");
        assert!(!lists(&shown, "5EADBEEF5EADBEE0"), "{crl}: {shown}");
    }
}
