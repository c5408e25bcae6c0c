//! The CA renewed with a new key: the old key goes on signing its CRL, cross-certificates lead from
//! one root to the other, and no crash leaves a CA without its key.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use super::program::{Service, chancery, csr, fails, init, lists, openssl, place, succeeds};

/// What is published under `path`, as PEM in the file `name`.
fn fetch(home: &Path, service: &Service, path: &str, name: &str) {
    let publication = service.crl.rsplit_once("/crl/").unwrap().0;
    let der = home.join(name).with_extension("der");
    let fetched = Command::new("curl")
        .args(["-sSf", "--noproxy", "*", "-o", der.to_str().unwrap()])
        .arg(format!("{publication}{path}"))
        .output()
        .unwrap();
    assert!(fetched.status.success(), "{path}: {}", String::from_utf8_lossy(&fetched.stderr));
    let kind = if path.ends_with(".crl") { "crl" } else { "x509" };
    openssl(home, &[kind, "-inform", "DER", "-in", der.to_str().unwrap(), "-out", name]);
}

/// Enrols under a name of its own; gives the serial number.
fn enrolled(home: &Path, service: &Service, name: &str) -> String {
    let request = csr(home, name, &format!("DNS:{name}"));
    let answer = service.enroll("VPNServerAuthentication", "", &request);
    let whole = ["certificate", "chain"].map(|part| answer[part].as_str().unwrap());
    std::fs::write(home.join(format!("{name}.pem")), whole[0]).unwrap();
    std::fs::write(home.join(format!("{name}.chain.pem")), whole.concat()).unwrap();
    answer["serial_number"].as_str().unwrap().to_owned()
}

fn revoke(service: &Service, serial: &str) {
    let path = format!("/v1/certificates/{serial}/revoke");
    let answer = service.post(&path, 200, r#"{"reason":"superseded"}"#);
    assert!(answer["crl_number"].is_u64(), "{answer}");
}

/// `openssl verify` with both CRLs.
fn verify(home: &Path, root: &str, certificate: &str, more: &[&str]) -> Output {
    Command::new("openssl")
        .args(["verify", "-x509_strict", "-crl_check_all", "-CRLfile", "crls.pem", "-CAfile", root])
        .args(more)
        .arg(certificate)
        .current_dir(home)
        .output()
        .unwrap()
}

fn holds(output: &Output) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
}

fn is_revoked(output: &Output) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("error 23"), "{told}");
}

/// The CRLs of both keys in `crls.pem`, and what OpenSSL says of each under its own root. The one
/// that a certificate does not name follows by itself.
fn both_crls(home: &Path, service: &Service, revoked: &[&str]) -> [String; 2] {
    for _ in 0..100 {
        fetch(home, service, "/crl/contoso-vpn-ca.crl", "old-crl.pem");
        fetch(home, service, "/crl/contoso-vpn-ca-1.crl", "new-crl.pem");
        let read = |name: &str| std::fs::read_to_string(home.join(name)).unwrap();
        std::fs::write(home.join("crls.pem"), read("old-crl.pem") + &read("new-crl.pem")).unwrap();
        let both = ["old-crl.pem", "new-crl.pem"]
            .map(|crl| openssl(home, &["crl", "-in", crl, "-noout", "-text"]));
        if both.iter().all(|crl| revoked.iter().all(|serial| lists(crl, serial))) {
            for (crl, root) in [("old-crl.pem", "old.pem"), ("new-crl.pem", "new.pem")] {
                let verified = Command::new("openssl")
                    .args(["crl", "-in", crl, "-CAfile", root, "-noout"])
                    .current_dir(home)
                    .output()
                    .unwrap();
                let told = String::from_utf8_lossy(&verified.stderr);
                assert!(told.contains("verify OK"), "{crl}: {told}");
            }
            return both;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the CRLs do not list {revoked:?}");
}

#[test]
fn a_root_gets_a_new_key_and_the_old_one_goes_on_signing_its_crl() {
    let (home, data) = place();
    let (home, text) = (home.path(), data.to_str().unwrap());
    init(&data, &["--name", "CN=Contoso VPN CA"]);
    let service = Service::start(&data, &[]);
    let old_good = enrolled(home, &service, "old.contoso.com");
    let old_serial = enrolled(home, &service, "oldrevoked.contoso.com");
    service.stop();
    std::fs::copy(data.join("ca.pem"), home.join("old.pem")).unwrap();
    let old_key = std::fs::read(data.join("ca.key")).unwrap();

    let renew = ["renew-ca", "--data", text, "--new-key", "--key-algorithm", "p384"];
    let said = succeeds(&[&renew[..], &["--validity", "15y"]].concat());
    assert!(said.contains("goes on signing contoso-vpn-ca.crl"), "{said}");
    std::fs::copy(data.join("ca.pem"), home.join("new.pem")).unwrap();
    assert_eq!(std::fs::read(data.join("ca.key")).unwrap(), old_key);
    let mode = std::fs::metadata(data.join("ca-1.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let public = openssl(home, &["pkey", "-in", "data/ca-1.key", "-pubout"]);
    assert_eq!(public, openssl(home, &["x509", "-in", "new.pem", "-noout", "-pubkey"]));

    let service = Service::start(&data, &[]);
    let old = home.join("old.pem");
    // Whoever trusts only the old root reaches the API all the same.
    let reached = Command::new("curl")
        .args(["-sS", "-o", "/dev/null", "-w", "%{http_code}", "--noproxy", "*", "--cacert"])
        .args([old.to_str().unwrap(), &format!("{}/healthz", service.api)])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&reached.stdout), "200", "{reached:?}");
    enrolled(home, &service, "new.contoso.com");
    let new_serial = enrolled(home, &service, "newrevoked.contoso.com");
    revoke(&service, &old_serial);
    revoke(&service, &new_serial);

    let [old_crl, new_crl] = both_crls(home, &service, &[&old_serial, &new_serial]);
    for crl in [&old_crl, &new_crl] {
        assert!(lists(crl, &old_serial) && lists(crl, &new_serial), "{crl}");
    }
    fetch(home, &service, "/aia/contoso-vpn-ca-1-with-0.crt", "new-with-old.pem");
    fetch(home, &service, "/aia/contoso-vpn-ca-0-with-1.crt", "old-with-new.pem");
    fetch(home, &service, "/aia/contoso-vpn-ca-1.crt", "aia.pem");
    let read = |name: &str| std::fs::read_to_string(home.join(name)).unwrap();
    assert_eq!(read("aia.pem").trim(), read("new.pem").trim());
    let (new_with_old, old_with_new) =
        (["-untrusted", "new-with-old.pem"], ["-untrusted", "old-with-new.pem"]);
    let ways: [(&str, &str, &[&str]); 4] = [
        ("old", "old.pem", &[]),
        ("new", "new.pem", &[]),
        ("new", "old.pem", &new_with_old),
        ("old", "new.pem", &old_with_new),
    ];
    for (leaf, root, between) in ways {
        holds(&verify(home, root, &format!("{leaf}.contoso.com.pem"), between));
        is_revoked(&verify(home, root, &format!("{leaf}revoked.contoso.com.pem"), between));
    }
    // What an enrolment answers leads whoever trusts the old root there.
    let chain = ["-untrusted", "new.contoso.com.chain.pem"];
    holds(&verify(home, "old.pem", "new.contoso.com.pem", &chain));
    let shown = openssl(home, &["x509", "-in", "new.contoso.com.pem", "-noout", "-text"]);
    assert!(shown.contains("/crl/contoso-vpn-ca-1.crl"), "{shown}");
    assert!(shown.contains("/aia/contoso-vpn-ca-1.crt"), "{shown}");

    let (_, shown) = service.call("/v1/ca", &[]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["earlier_keys"][0]["key_index"], 0, "{shown}");
    assert!(shown["earlier_keys"][0]["crl_number"].is_u64(), "{shown}");
    let publications = shown["publications"].as_array().unwrap();
    let places: Vec<_> =
        publications.iter().map(|own| (&own["key_index"], &own["crl_urls"][0])).collect();
    let old_url = service.crl.replace("-1.crl", ".crl");
    assert_eq!(
        places,
        [(&1.into(), &service.crl.as_str().into()), (&0.into(), &old_url.as_str().into())]
    );
    assert_eq!(publications[1]["crl_number"], shown["earlier_keys"][0]["crl_number"]);
    let (_, metrics) = service.call("/metrics", &[]);
    for key in [0, 1] {
        for gauge in ["number", "next_update_seconds"] {
            let line = format!(
                "crl_published_{gauge}{{key=\"{key}\",partition=\"0\",kind=\"complete\"}} "
            );
            assert!(metrics.contains(&line), "{line}\n{metrics}");
        }
    }
    let (status, ready) = service.call("/readyz", &[]);
    assert!(status == 200 || ready.contains("loopback"), "{ready}");

    // By possession of a certificate of the old key one gets one of the new key.
    let by_old = Command::new("curl")
        .args(["-sS", "--noproxy", "*", "--cacert", "new.pem", "--cert", "old.contoso.com.pem"])
        .args(["--key", "old.contoso.com.key", "-H", "Content-Type: application/pkcs10"])
        .args(["--data-binary", "@old.contoso.com.csr"])
        .arg(format!("{}/v1/certificates/{old_good}/renew", service.api))
        .current_dir(home)
        .output()
        .unwrap();
    let renewed: serde_json::Value = serde_json::from_slice(&by_old.stdout).unwrap();
    std::fs::write(home.join("renewed.pem"), renewed["certificate"].as_str().unwrap()).unwrap();
    holds(&verify(home, "new.pem", "renewed.pem", &[]));
    service.stop();

    // With the same key again: the CRLs keep their names, and there is nothing new to cross.
    succeeds(&["renew-ca", "--data", text, "--validity", "16y"]);
    let service = Service::start(&data, &[]);
    fetch(home, &service, "/aia/contoso-vpn-ca-2.crt", "third.pem");
    let [old_again, new_again] = both_crls(home, &service, &[&old_serial, &new_serial]);
    assert!(lists(&old_again, &old_serial) && lists(&new_again, &new_serial));
    holds(&verify(home, "third.pem", "new.contoso.com.pem", &[]));
    let cross = std::fs::read_to_string(data.join("cross.pem")).unwrap();
    assert_eq!(cross.matches("BEGIN CERTIFICATE").count(), 2);
    let der = std::fs::read(home.join("third.der")).unwrap();
    let version = [0x2b, 6, 1, 4, 1, 0x82, 0x37, 21, 1, 4, 5, 2, 3, 1, 0, 2];
    assert!(der.windows(version.len()).any(|part| part == version), "version 2.1");

    // A cross-certificate is revoked like any other: then nothing leads from the old root to the new
    // key any more.
    let shown = openssl(home, &["x509", "-in", "new-with-old.pem", "-noout", "-serial"]);
    let cross = shown.trim().strip_prefix("serial=").unwrap().to_lowercase();
    revoke(&service, &cross);
    both_crls(home, &service, &[&cross.to_uppercase()]);
    is_revoked(&verify(home, "old.pem", "new.contoso.com.pem", &new_with_old));
    holds(&verify(home, "third.pem", "new.contoso.com.pem", &[]));
    service.stop();
    // Nor is it sent along any more.
    let certificates = |name: &str| {
        let pem = std::fs::read_to_string(data.join(name)).unwrap();
        pem.matches("BEGIN CERTIFICATE").count()
    };
    let before = certificates("chain.pem");
    Service::start(&data, &[]).stop();
    assert_eq!((certificates("chain.pem"), certificates("cross.pem")), (before - 1, 2));
}

#[test]
fn a_restore_learns_from_the_crl_of_every_key() {
    let (home, data) = place();
    let (home, text) = (home.path(), data.to_str().unwrap());
    init(&data, &["--name", "CN=Contoso VPN CA"]);
    let service = Service::start(&data, &[]);
    let old_serial = enrolled(home, &service, "old.contoso.com");
    service.stop();
    succeeds(&["renew-ca", "--data", text, "--new-key", "--validity", "15y"]);
    let service = Service::start(&data, &[]);
    let new_serial = enrolled(home, &service, "new.contoso.com");
    let copy = home.join("copy");
    succeeds(&["backup", "--data", text, "--to", copy.to_str().unwrap()]);
    assert!(copy.join("ca-1.key").exists());
    revoke(&service, &old_serial);
    revoke(&service, &new_serial);
    std::fs::copy(data.join("ca.pem"), home.join("new.pem")).unwrap();
    fetch(home, &service, "/aia/contoso-vpn-ca.crt", "old.pem");
    both_crls(home, &service, &[&old_serial, &new_serial]);
    service.stop();

    let back = home.join("back");
    let (copy, new) = (copy.to_str().unwrap(), back.to_str().unwrap());
    let [old_crl, new_crl] = ["old-crl.pem", "new-crl.pem"].map(|name| home.join(name));
    let (old_crl, new_crl) = (old_crl.to_str().unwrap(), new_crl.to_str().unwrap());
    let restore = ["restore", "--data", new, "--from", copy, "--crl", new_crl];
    let told = fails(&restore);
    assert!(told.contains("contoso-vpn-ca.crl"), "{told}");
    let said = succeeds(&[&restore[..], &["--crl", old_crl]].concat());
    // Each lists everybody.
    assert!(said.contains("2 serial numbers; 2 of them the copy did not know"), "{said}");
    assert!(said.contains("2 serial numbers; 0 of them the copy did not know"), "{said}");
    let service = Service::start(&back, &[]);
    std::fs::copy(back.join("ca.pem"), home.join("new.pem")).unwrap();
    fetch(home, &service, "/aia/contoso-vpn-ca.crt", "old.pem");
    let [old_crl, new_crl] = both_crls(home, &service, &[&old_serial, &new_serial]);
    for crl in [&old_crl, &new_crl] {
        assert!(lists(crl, &old_serial) && lists(crl, &new_serial), "{crl}");
    }
    service.stop();
}

#[test]
fn a_renewal_killed_anywhere_leaves_a_ca_with_its_keys() {
    let (home, data) = place();
    let (home, text) = (home.path(), data.to_str().unwrap());
    init(&data, &["--name", "CN=Contoso VPN CA"]);
    let mut years = 12;
    for milliseconds in [1, 4, 8, 12, 16, 20, 25, 30, 40, 60] {
        let validity = format!("{years}y");
        let renew = ["renew-ca", "--data", text, "--new-key", "--validity", &validity];
        let mut child = chancery(&renew)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();
        let present = last_established(text);
        let spki = |file: &str, how: &[&str]| openssl(home, &[how, &[file]].concat());
        let certificate = pem("CERTIFICATE", present["certificate"].as_str().unwrap());
        std::fs::write(home.join("present.pem"), certificate).unwrap();
        let earlier = present["earlier"].as_array().map_or(0, Vec::len);
        let key =
            if earlier == 0 { "data/ca.key".into() } else { format!("data/ca-{earlier}.key") };
        let own = spki(&key, &["pkey", "-pubout", "-in"]);
        assert_eq!(own, spki("present.pem", &["x509", "-noout", "-pubkey", "-in"]), "{key}");
        let crossed = present["cross"].as_array().map_or(0, Vec::len);
        assert_eq!(crossed, 2 * earlier, "certificate and cross-certificates come together");
        years += 2;
    }
    let said = succeeds(&["renew-ca", "--data", text, "--new-key", "--validity", "90y"]);
    assert!(said.contains("Renewed the root CA"), "{said}");
    let service = Service::start(&data, &[]);
    service.stop();
}

/// The CA as its ledger has it last.
fn last_established(data: &str) -> serde_json::Value {
    let ledger = succeeds(&["export", "--data", data]);
    let acts = ledger.lines().filter_map(|line| {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        find(&entry, "authority_established")
    });
    acts.collect::<Vec<_>>().pop().unwrap()
}

/// The value under this key, wherever it stands.
fn find(value: &serde_json::Value, key: &str) -> Option<serde_json::Value> {
    let object = value.as_object()?;
    object.get(key).cloned().or_else(|| object.values().find_map(|inner| find(inner, key)))
}

fn pem(label: &str, base64: &str) -> String {
    let lines: Vec<String> = base64
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8(line.to_vec()).unwrap())
        .collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

#[test]
fn a_subordinate_asks_with_a_new_key_and_serves_on_meanwhile() {
    let (home, data) = place();
    let (home, text) = (home.path(), data.to_str().unwrap());
    init(&data, &["--name", "CN=Contoso VPN CA", "--subordinate"]);
    let root = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "900", "-subj", "/CN=R"];
    let usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
    openssl(home, &[&root[..], &usage, &["-keyout", "root.key", "-out", "root.pem"]].concat());
    let request = data.join("ca.csr");
    let signed = |days: &str, out: &str| {
        let sign = ["x509", "-req", "-in", request.to_str().unwrap(), "-CA", "root.pem"];
        let how = ["-CAkey", "root.key", "-copy_extensions", "copyall", "-days", days];
        openssl(home, &[&sign[..], &how, &["-out", out]].concat());
        let (file, chain) = (home.join(out), home.join("root.pem"));
        let install = ["install-certificate", file.to_str().unwrap(), "--data", text, "--chain"];
        succeeds(&[&install[..], &[chain.to_str().unwrap()]].concat());
    };
    signed("400", "old.pem");
    let service = Service::start(&data, &[]);
    let old_serial = enrolled(home, &service, "old.contoso.com");
    service.stop();

    let said = succeeds(&["renew-ca", "--data", text, "--new-key"]);
    assert!(said.contains("ca.csr") && said.contains("ca-1.key"), "{said}");
    // Asked again, the same key: its certificate may be on the way.
    let first = openssl(home, &["req", "-in", request.to_str().unwrap(), "-noout", "-pubkey"]);
    let said = succeeds(&["renew-ca", "--data", text, "--new-key"]);
    assert!(said.contains("that waits"), "{said}");
    let again = openssl(home, &["req", "-in", request.to_str().unwrap(), "-noout", "-pubkey"]);
    assert_eq!(first, again);
    let service = Service::start(&data, &[]);
    enrolled(home, &service, "meanwhile.contoso.com");
    service.stop();

    signed("800", "new.pem");
    let service = Service::start(&data, &[]);
    let new_serial = enrolled(home, &service, "new.contoso.com");
    revoke(&service, &old_serial);
    fetch(home, &service, "/crl/contoso-vpn-ca.crl", "old-crl.pem");
    revoke(&service, &new_serial);
    fetch(home, &service, "/crl/contoso-vpn-ca-1.crl", "new-crl.pem");
    let shown = |crl: &str, ca: &str| {
        let both = std::fs::read_to_string(home.join(ca)).unwrap()
            + &std::fs::read_to_string(home.join("root.pem")).unwrap();
        std::fs::write(home.join("chain.pem"), both).unwrap();
        openssl(home, &["crl", "-in", crl, "-CAfile", "chain.pem", "-noout", "-text"])
    };
    let (old_crl, new_crl) = (shown("old-crl.pem", "old.pem"), shown("new-crl.pem", "new.pem"));
    assert!(lists(&old_crl, &old_serial) && lists(&new_crl, &new_serial), "{old_crl}{new_crl}");
    for (ca, leaf) in [("old.pem", "meanwhile"), ("new.pem", "new")] {
        let verify = ["verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", ca];
        openssl(home, &[&verify[..], &[&format!("{leaf}.contoso.com.pem")]].concat());
    }
    service.stop();
}

/// By its serial number and for good; whoever enrols afterwards is not led to the old root by it.
#[test]
fn a_cross_certificate_is_revoked_over_the_api_and_handed_on_no_more() {
    let (home, data) = place();
    let (home, text) = (home.path(), data.to_str().unwrap());
    init(&data, &["--name", "CN=Contoso VPN CA"]);
    Service::start(&data, &[]).stop();
    std::fs::copy(data.join("ca.pem"), home.join("old.pem")).unwrap();
    succeeds(&["renew-ca", "--data", text, "--new-key", "--validity", "15y"]);
    std::fs::copy(data.join("ca.pem"), home.join("new.pem")).unwrap();
    let service = Service::start(&data, &[]);
    fetch(home, &service, "/aia/contoso-vpn-ca-1-with-0.crt", "cross.pem");
    let joined = |file: &Path| std::fs::read_to_string(file).unwrap().replace('\n', "");
    let cross = joined(&home.join("cross.pem"));
    let handed_on = |name: &str, service: &Service| {
        enrolled(home, service, name);
        let files = [home.join(format!("{name}.chain.pem")), data.join("chain.pem")];
        files.map(|file| joined(&file).contains(&cross))
    };
    assert_eq!(handed_on("before.contoso.com", &service), [true; 2]);
    let shown = openssl(home, &["x509", "-in", "cross.pem", "-noout", "-serial"]);
    let serial = shown.trim().trim_start_matches("serial=").to_owned();
    let at = format!("/v1/certificates/{serial}");
    let hold = r#"{"reason":"certificateHold"}"#;
    assert_eq!(service.post(&format!("{at}/revoke"), 409, hold)["rule"], "not-held");
    revoke(&service, &serial);
    let again = service.post(&format!("{at}/revoke"), 409, r#"{"reason":"superseded"}"#);
    assert_eq!(again["rule"], "already-revoked");
    service.post(&format!("{at}/release"), 404, "");
    both_crls(home, &service, &[&serial]);
    service.stop();
    let service = Service::start(&data, &[]);
    assert_eq!(handed_on("after.contoso.com", &service), [false; 2]);
    service.stop();
}

/// Parent and key have both changed, and the register is lost: the CRL of the old key is served on,
/// though nothing above the present certificate leads to its root.
#[test]
fn without_a_register_the_crl_under_another_root_is_served() {
    let (home, data) = place();
    let (home, text) = (home.path(), data.to_str().unwrap());
    init(&data, &["--name", "CN=Contoso VPN CA", "--subordinate"]);
    let request = data.join("ca.csr");
    let mut url = String::new();
    for (root, out) in [("one", "old.pem"), ("two", "new.pem")] {
        let (key, certificate) = (format!("{root}.key"), format!("{root}.pem"));
        let subject = format!("/CN=Root {root}");
        let made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "900", "-subj"];
        let usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
        let files = ["-keyout", &key, "-out", &certificate];
        openssl(home, &[&made[..], &[&subject], &usage, &files].concat());
        let sign = ["x509", "-req", "-in", request.to_str().unwrap(), "-CA", &certificate];
        let how = ["-CAkey", &key, "-copy_extensions", "copyall", "-days", "400", "-out", out];
        openssl(home, &[&sign[..], &how].concat());
        let (file, chain) = (home.join(out), home.join(&certificate));
        let install = ["install-certificate", file.to_str().unwrap(), "--data", text, "--chain"];
        succeeds(&[&install[..], &[chain.to_str().unwrap()]].concat());
        let service = Service::start(&data, &[]);
        url.clone_from(&service.crl);
        service.stop();
        if root == "one" {
            succeeds(&["renew-ca", "--data", text, "--new-key"]);
        }
    }
    let mut octets = std::fs::read(data.join("ledger")).unwrap();
    octets[3] ^= 0x40;
    std::fs::write(data.join("ledger"), &octets).unwrap();
    let _ = std::fs::remove_dir_all(data.join("index"));
    let address = url["http://".len()..].split('/').next().unwrap();
    let mut service = Service::start(&data, &["--publish-listen", address]);
    assert!(service.said.contains("Only the stored CRL"), "{}", service.said);
    service.crl.clone_from(&url);
    fetch(home, &service, "/crl/contoso-vpn-ca-1.crl", "new-crl.pem");
    fetch(home, &service, "/crl/contoso-vpn-ca.crl", "old-crl.pem");
    service.stop();
}

/// The old key is lost, so that its OCSP responder gets no certificate and its CRL no signature:
/// readiness says so, and a revocation under the new key waits for neither.
#[test]
fn a_lost_old_key_holds_up_no_revocation_under_the_new_one() {
    let (home, data) = place();
    let (home, text) = (home.path(), data.to_str().unwrap());
    init(&data, &["--name", "CN=Contoso VPN CA"]);
    Service::start(&data, &[]).stop();
    succeeds(&["renew-ca", "--data", text, "--new-key", "--validity", "15y"]);
    std::fs::remove_file(data.join("ca.key")).unwrap();
    let service = Service::start(&data, &["--ocsp", "true"]);
    let serial = enrolled(home, &service, "new.contoso.com");
    revoke(&service, &serial);
    let (status, ready) = service.call("/readyz", &[]);
    assert_eq!(status, 503, "{ready}");
    service.stop();
}

/// What OpenSSL says of a certificate, asking whoever answers for what `issuer` issued, once it says
/// what is expected: an answer follows the act by a moment.
fn ask(home: &Path, service: &Service, issuer: &str, leaf: &str, expected: &str) -> String {
    let publication = service.crl.rsplit_once("/crl/").unwrap().0;
    let mut said = String::new();
    for _ in 0..200 {
        let output = Command::new("openssl")
            .args(["ocsp", "-no_nonce", "-issuer", issuer, "-CAfile", issuer, "-cert"])
            .args([&format!("{leaf}.contoso.com.pem"), "-url", &format!("{publication}/ocsp")])
            .current_dir(home)
            .output()
            .unwrap();
        said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        if said.contains(expected) {
            return said;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{leaf} under {issuer}: {said}, expected {expected}");
}

#[test]
fn each_key_has_a_responder_that_answers_about_nothing_else() {
    let (home, data) = place();
    let (home, text) = (home.path(), data.to_str().unwrap());
    init(&data, &["--name", "CN=Contoso VPN CA"]);
    let ocsp = ["--ocsp", "true"];
    let service = Service::start(&data, &ocsp);
    let serial = enrolled(home, &service, "old.contoso.com");
    ask(home, &service, "data/ca.pem", "old", "old.contoso.com.pem: good");
    service.stop();
    std::fs::copy(data.join("ca.pem"), home.join("old.pem")).unwrap();
    succeeds(&["renew-ca", "--data", text, "--new-key", "--validity", "15y"]);
    std::fs::copy(data.join("ca.pem"), home.join("new.pem")).unwrap();

    let service = Service::start(&data, &ocsp);
    enrolled(home, &service, "new.contoso.com");
    for (issuer, leaf) in [("old.pem", "old"), ("new.pem", "new")] {
        let good = format!("{leaf}.contoso.com.pem: good");
        let said = ask(home, &service, issuer, leaf, &good);
        assert!(said.contains("Response verify OK"), "{said}");
    }
    // A serial number that this key never issued is none of its business.
    for (issuer, leaf) in [("old.pem", "new"), ("new.pem", "old")] {
        ask(home, &service, issuer, leaf, "unauthorized");
    }
    revoke(&service, &serial);
    let said = ask(home, &service, "old.pem", "old", "old.contoso.com.pem: revoked");
    assert!(said.contains("Response verify OK"), "{said}");
    let (status, ready) = service.call("/readyz", &[]);
    assert_eq!(status, 200, "{ready}");
    service.stop();
}
