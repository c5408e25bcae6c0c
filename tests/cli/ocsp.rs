//! The OCSP responder as an operator meets it: one setting, a key of its own, and what a new start
//! finds.

use std::path::Path;
use std::process::Command;

use crate::program::{Service, openssl};

const ON: [&str; 2] = ["--ocsp", "true"];

fn ocsp_url(service: &Service) -> String {
    let base = service.crl.split("/crl/").next().unwrap();
    format!("{base}/ocsp")
}

/// What OpenSSL says of the API's own certificate, with the answer's octets in `out`.
fn ask(service: &Service, out: &Path) -> String {
    let root = service.data.join("ca.pem");
    let root = root.to_str().unwrap();
    // The first certificate of the file alone.
    let own = service.data.join("own.pem");
    openssl(&service.data, &["x509", "-in", "tls.pem", "-out", own.to_str().unwrap()]);
    let output = Command::new("openssl")
        .args(["ocsp", "-issuer", root, "-CAfile", root, "-no_nonce", "-cert"])
        .arg(&own)
        .args(["-url", &ocsp_url(service), "-respout"])
        .arg(out)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// As a client does: it comes again.
fn ask_until_answered(service: &Service, out: &Path) -> String {
    for _ in 0..100 {
        let said = ask(service, out);
        if !said.contains("trylater") {
            return said;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("no answer: {}", std::fs::read_to_string(service.data.with_extension("log")).unwrap());
}

#[test]
fn one_setting_gives_a_responder_and_a_new_start_the_same_answers() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let passphrase = home.path().join("passphrase");
    std::fs::write(&passphrase, "correct horse battery staple\n").unwrap();
    let settings = [&ON[..], &["--key-passphrase-file", passphrase.to_str().unwrap()]].concat();
    let service = Service::start(&data, &settings);
    let (first, second) = (home.path().join("first.der"), home.path().join("second.der"));
    let said = ask_until_answered(&service, &first);
    assert!(said.contains("own.pem: good") && said.contains("Response verify OK"), "{said}");
    let (status, ready) = service.call("/readyz", &[]);
    assert_eq!(status, 200, "{ready}");

    // Its key is sealed as the CA's is, and nobody else may read it.
    let key = std::fs::read_to_string(data.join("ocsp.key")).unwrap();
    assert!(key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"), "{key}");
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(data.join("ocsp.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let certificate = openssl(&data, &["x509", "-in", "ocsp.pem", "-noout", "-text"]);
    for line in ["OCSP Signing", "OCSP No Check", "Digital Signature"] {
        assert!(certificate.contains(line), "{line}: {certificate}");
    }
    for line in ["CRL Distribution", "Authority Information"] {
        assert!(!certificate.contains(line), "{line}: {certificate}");
    }
    // Who signs, and since when, is on record.
    let (_, audit) = service.call("/v1/audit?limit=100", &[]);
    for act in ["responder_appointed", "answers_begun", "answers_renewed"] {
        assert!(audit.contains(act), "{act}: {audit}");
    }
    service.stop();

    let service = Service::start(&data, &settings);
    ask_until_answered(&service, &second);
    assert_eq!(std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap(), "signed anew");
    service.stop();

    // Answers and responder are derived: without them they are made anew.
    std::fs::remove_dir_all(data.join("ocsp")).unwrap();
    std::fs::remove_file(data.join("ocsp.key")).unwrap();
    let service = Service::start(&data, &settings);
    let said = ask_until_answered(&service, &second);
    assert!(said.contains("own.pem: good"), "{said}");
    assert_ne!(std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());
    service.stop();
}

#[test]
fn without_the_setting_there_is_none() {
    let home = tempfile::tempdir().unwrap();
    let service = Service::start(&home.path().join("data"), &[]);
    let url = ocsp_url(&service);
    let output =
        Command::new("curl").args(["-s", "-o", "/dev/null", "-w", "%{http_code}", &url]).output();
    assert_eq!(output.unwrap().stdout, b"404");
    let shown = openssl(&service.data, &["x509", "-in", "tls.pem", "-noout", "-ocsp_uri"]);
    assert_eq!(shown.trim(), "");
    assert!(!service.data.join("ocsp.key").exists());
    service.stop();
}
