//! Taking over an existing CA, with its revocations.

use std::path::Path;

use super::program::{Service, crl_number, fails, lists, openssl, place, succeeds};

/// An old CA in `home`: `old.key`, `old.pem`, `old.p12` and `old.crl` with number 0x1000 and the
/// serial number 0A1B2C revoked.
fn old_ca(home: &Path) {
    let make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "900", "-subj"];
    let files = ["/DC=com/DC=contoso/CN=Old CA", "-keyout", "old.key", "-out", "old.pem"];
    let usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
    openssl(home, &[&make[..], &files, &usage].concat());
    let bundle = ["pkcs12", "-export", "-inkey", "old.key", "-in", "old.pem", "-out", "old.p12"];
    openssl(home, &[&bundle[..], &["-passout", "pass:secret"]].concat());
    std::fs::write(home.join("password"), "secret\n").unwrap();
    let configuration = "[ca]\ndefault_ca=c\n[c]\ndatabase=index.txt\ndefault_md=sha256\n\
                         default_crl_days=30\ncrlnumber=crlnumber\ncrl_extensions=e\n[e]\n\
                         authorityKeyIdentifier=keyid\n";
    std::fs::write(home.join("ca.cnf"), configuration).unwrap();
    std::fs::write(home.join("crlnumber"), "1000\n").unwrap();
    let row = "R\t301231235959Z\t260101000000Z,keyCompromise\t0A1B2C\tunknown\t/CN=lost\n";
    std::fs::write(home.join("index.txt"), row).unwrap();
    let list = ["ca", "-config", "ca.cnf", "-gencrl", "-cert", "old.pem", "-keyfile", "old.key"];
    openssl(home, &[&list[..], &["-out", "old.crl"]].concat());
}

#[test]
fn an_adopted_ca_keeps_name_key_and_revocations() {
    let (home, data) = place();
    let home = home.path();
    old_ca(home);
    let at = |name: &str| home.join(name).to_str().unwrap().to_owned();
    let (key, certificate, crl) = (at("old.key"), at("old.pem"), at("old.crl"));
    let said = succeeds(&[
        "init",
        "--data",
        data.to_str().unwrap(),
        "--key",
        &key,
        "--certificate",
        &certificate,
        "--previous-crl",
        &crl,
        "--next-crl-number",
        "4000",
    ]);
    assert!(said.contains("Adopted the CA CN=Old CA,DC=contoso,DC=com"), "{said}");
    assert!(said.contains("CRL numbers are at least 4097"), "{said}");
    assert!(said.contains("1 revocations were taken over"), "{said}");

    let service = Service::start(&data, &[]);
    let crl = service.fetch_crl(&home.join("new.pem"));
    assert!(lists(&crl, "0A1B2C") && crl.contains("Key Compromise"), "{crl}");
    let made = super::program::csr(home, "vpn.contoso.com", "DNS:vpn.contoso.com");
    let answer = service.enroll("VPNServerAuthentication", "", &made);
    std::fs::write(at("vpn.pem"), answer["certificate"].as_str().unwrap()).unwrap();
    openssl(home, &["verify", "-CAfile", "old.pem", "vpn.pem"]);
    service.stop();
}

#[test]
fn a_pkcs12_file_is_adopted_and_the_danger_is_told() {
    let (home, data) = place();
    let home = home.path();
    old_ca(home);
    let at = |name: &str| home.join(name).to_str().unwrap().to_owned();
    let (bundle, password) = (at("old.p12"), at("password"));
    let text = data.to_str().unwrap();
    let arguments = ["init", "--data", text, "--pkcs12", &bundle];
    assert!(fails(&arguments).contains("needs its password"));
    assert!(!data.exists(), "nothing is made before the arguments are good");
    let number = ["--import-password-file", &password, "--next-crl-number", "99999999999999"];
    let said = succeeds(&[&arguments[..], &number].concat());
    assert!(said.contains("without --previous-crl"), "{said}");
    let service = Service::start(&data, &[]);
    let crl = service.fetch_crl(&home.join("new.pem"));
    assert!(crl_number(&crl) >= 99_999_999_999_999, "{crl}");
    service.stop();
}

#[test]
fn a_key_without_its_certificate_and_a_foreign_crl_are_refused() {
    let (home, data) = place();
    let home = home.path();
    old_ca(home);
    let other = tempfile::tempdir().unwrap();
    old_ca(other.path());
    let at = |home: &Path, name: &str| home.join(name).to_str().unwrap().to_owned();
    let text = data.to_str().unwrap();
    let (key, certificate) = (at(home, "old.key"), at(other.path(), "old.pem"));
    let mixed = ["init", "--data", text, "--key", &key, "--certificate", &certificate];
    let told = fails(&mixed);
    assert!(told.contains("not for this CA's key"), "{told}");
    let (certificate, crl) = (at(home, "old.pem"), at(other.path(), "old.crl"));
    let foreign = ["init", "--data", text, "--key", &key, "--certificate", &certificate];
    let told = fails(&[&foreign[..], &["--previous-crl", &crl]].concat());
    assert!(told.contains("signature"), "{told}");
    assert!(!data.join("ca.key").exists());
}
