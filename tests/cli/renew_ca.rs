//! The CA's own certificate renewed with the same key: what was issued before and after verifies
//! under the old root and under the new one, and CRLs go on.

use std::path::Path;

use super::program::{Service, csr, fails, init, lists, openssl, place, succeeds};

/// The publication address of a running service: everything of its CRL's URL before the path.
fn publication(service: &Service) -> String {
    service.crl.rsplit_once("/crl/").unwrap().0.to_owned()
}

/// Fetches a published CA certificate by its file's name; gives it as PEM.
fn fetch(home: &Path, service: &Service, name: &str) -> Option<String> {
    let url = format!("{}/aia/{name}", publication(service));
    let file = home.join(name);
    let fetched = std::process::Command::new("curl")
        .args(["-sSf", "--noproxy", "*", "-o", file.to_str().unwrap(), &url])
        .output()
        .unwrap();
    fetched.status.success().then(|| openssl(home, &["x509", "-inform", "DER", "-in", name]))
}

fn enrolled(home: &Path, service: &Service, name: &str) -> String {
    let request = csr(home, name, &format!("DNS:{name}"));
    let answer = service.enroll("VPNServerAuthentication", "", &request);
    let text = answer["certificate"].as_str().unwrap();
    std::fs::write(home.join(format!("{name}.pem")), text).unwrap();
    answer["serial_number"].as_str().unwrap().to_owned()
}

#[test]
fn a_root_goes_on_with_its_key_under_a_new_certificate() {
    let (home, data) = place();
    let (home, text) = (home.path(), data.to_str().unwrap());
    init(&data, &["--name", "CN=Contoso VPN CA"]);
    let service = Service::start(&data, &[]);
    let before = enrolled(home, &service, "before.contoso.com");
    let revoke = format!("/v1/certificates/{before}/revoke");
    service.post(&revoke, 200, r#"{"reason":"superseded"}"#);
    let told = fails(&["renew-ca", "--data", text]);
    assert!(told.contains("in use by another"), "{told}");
    service.stop();
    std::fs::copy(data.join("ca.pem"), home.join("old.pem")).unwrap();

    // Ten years from now are hardly more than ten years from the first start: longer is wanted.
    let told = fails(&["renew-ca", "--data", text, "--validity", "1y"]);
    assert!(told.contains("would not outlast"), "{told}");
    let said = succeeds(&["renew-ca", "--data", text, "--validity", "15y"]);
    assert!(said.contains("Renewed the root CA CN=Contoso VPN CA until"), "{said}");
    let new = std::fs::read_to_string(data.join("ca.pem")).unwrap();
    std::fs::write(home.join("new.pem"), &new).unwrap();
    assert_ne!(new, std::fs::read_to_string(home.join("old.pem")).unwrap());
    openssl(home, &["verify", "-x509_strict", "-check_ss_sig", "-CAfile", "new.pem", "new.pem"]);
    let key = |file: &str| openssl(home, &["x509", "-in", file, "-noout", "-pubkey", "-subject"]);
    assert_eq!(key("old.pem"), key("new.pem"));

    let service = Service::start(&data, &[]);
    enrolled(home, &service, "after.contoso.com");
    for root in ["old.pem", "new.pem"] {
        for issued in ["before.contoso.com.pem", "after.contoso.com.pem"] {
            openssl(home, &["verify", "-x509_strict", "-CAfile", root, issued]);
        }
    }
    // AIA names the certificate of the time; both are there.
    let shown = |file: &str| openssl(home, &["x509", "-in", file, "-noout", "-text"]);
    assert!(shown("before.contoso.com.pem").contains("/aia/contoso-vpn-ca.crt"));
    assert!(shown("after.contoso.com.pem").contains("/aia/contoso-vpn-ca-1.crt"));
    let old = std::fs::read_to_string(home.join("old.pem")).unwrap();
    assert_eq!(fetch(home, &service, "contoso-vpn-ca.crt").unwrap().trim(), old.trim());
    assert_eq!(fetch(home, &service, "contoso-vpn-ca-1.crt").unwrap().trim(), new.trim());
    assert!(fetch(home, &service, "contoso-vpn-ca-2.crt").is_none());
    // One CRL for both, under its old name, which still lists who was revoked.
    let crl = service.fetch_crl(&home.join("crl.pem"));
    assert!(lists(&crl, &before), "{crl}");
    let status = |root: &str| {
        let verify = ["verify", "-crl_check", "-CRLfile", "crl.pem", "-CAfile", root];
        std::process::Command::new("openssl")
            .args(verify)
            .arg("before.contoso.com.pem")
            .current_dir(home)
            .output()
            .unwrap()
    };
    for root in ["old.pem", "new.pem"] {
        let output = status(root);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains("error 23"), "{told}");
    }
    service.stop();

    // The second time the numbers go on.
    succeeds(&["renew-ca", "--data", text, "--validity", "16y"]);
    let service = Service::start(&data, &[]);
    for name in ["contoso-vpn-ca.crt", "contoso-vpn-ca-1.crt", "contoso-vpn-ca-2.crt"] {
        assert!(fetch(home, &service, name).is_some(), "{name}");
    }
    let text = std::fs::read(home.join("contoso-vpn-ca-2.crt")).unwrap();
    let version = [0x2b, 6, 1, 4, 1, 0x82, 0x37, 21, 1, 4, 3, 2, 1, 2];
    assert!(text.windows(version.len()).any(|part| part == version));
    service.stop();
}

#[test]
fn a_subordinate_asks_its_parent_and_serves_on_meanwhile() {
    let (home, data) = place();
    let (home, text) = (home.path(), data.to_str().unwrap());
    init(&data, &["--name", "CN=Issuing CA", "--subordinate"]);
    let told = fails(&["renew-ca", "--data", text]);
    assert!(told.contains("install-certificate"), "{told}");
    let root =
        ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "900", "-subj", "/CN=Root"];
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
    signed("400", "first.pem");
    let said = succeeds(&["renew-ca", "--data", text]);
    assert!(said.contains("ca.csr") && said.contains("the present one"), "{said}");
    let asked = openssl(home, &["req", "-in", request.to_str().unwrap(), "-noout", "-text"]);
    assert!(asked.contains("1.3.6.1.4.1.311.21.2"), "{asked}");
    // Nothing has changed yet.
    let service = Service::start(&data, &[]);
    enrolled(home, &service, "first.contoso.com");
    service.stop();

    signed("800", "second.pem");
    let service = Service::start(&data, &[]);
    enrolled(home, &service, "second.contoso.com");
    for (name, file) in [("issuing-ca.crt", "first.pem"), ("issuing-ca-1.crt", "second.pem")] {
        let found = fetch(home, &service, name).unwrap();
        assert_eq!(found, openssl(home, &["x509", "-in", file]), "{name}");
        for issued in ["first.contoso.com.pem", "second.contoso.com.pem"] {
            let verify = ["verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", file];
            openssl(home, &[&verify[..], &[issued]].concat());
        }
    }
    service.stop();
}
