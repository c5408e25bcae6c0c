//! The README's first command, the three enrolments, and the second start.

use std::os::unix::fs::PermissionsExt as _;

use super::program::{Service, csr, fails, lists, openssl, place};

const NPS: &str = r#"{"name":"NPS01$","kind":"computer","dns_host_name":"nps01.corp.contoso.com",
  "object_sid":"S-1-5-21-1004336348-1177238915-682003330-1103","groups":["NPS Servers"]}"#;
const ALICE: &str = r#"{"name":"alice","kind":"user","cn":"Alice Example",
  "distinguished_name":"CN=Alice Example,OU=Staff,DC=corp,DC=contoso,DC=com",
  "user_principal_name":"alice@corp.contoso.com",
  "object_sid":"S-1-5-21-1004336348-1177238915-682003330-1104","groups":["VPN Users"]}"#;

#[test]
fn an_empty_directory_becomes_a_ca_that_enrols_the_tutorials_three() {
    let (home, data) = place();
    let home = home.path();
    let service = Service::start(&data, &[]);
    assert!(service.said.contains("made the root CA"), "{}", service.said);
    assert!(service.said.contains("curl --cacert"), "{}", service.said);
    assert!(service.said.contains("loopback"), "{}", service.said);
    for (name, mode) in [("admin.token", 0o600), ("ca.key", 0o600), ("tls.key", 0o600)] {
        let found = std::fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name}");
    }
    let key = std::fs::read_to_string(data.join("ca.key")).unwrap();
    let token = std::fs::read_to_string(data.join("admin.token")).unwrap();

    // A second process on the same directory is told what to do.
    let second = ["serve", "--data", data.to_str().unwrap()];
    let ports = ["--api-listen", "127.0.0.1:0", "--publish-listen", "127.0.0.1:0"];
    assert!(fails(&[&second[..], &ports].concat()).contains("in use"));

    let vpn = csr(home, "vpn.contoso.com", "DNS:vpn.contoso.com,DNS:vpn");
    let vpn = service.enroll("VPNServerAuthentication", "", &vpn);
    service.post("/v1/accounts", 201, NPS);
    let nps = csr(home, "ignored", "");
    let nps = service.enroll("NPSServerAuthentication", "&on_behalf_of=NPS01%24", &nps);
    service.post("/v1/accounts", 201, ALICE);
    let alice = csr(home, "alice", "");
    let alice = service.enroll("VPNUserAuthentication", "&on_behalf_of=alice", &alice);

    for (name, answer) in [("vpn.pem", &vpn), ("nps.pem", &nps), ("alice.pem", &alice)] {
        std::fs::write(home.join(name), answer["certificate"].as_str().unwrap()).unwrap();
    }
    let root = data.join("ca.pem");
    let root = root.to_str().unwrap();
    let revoked = service.post(
        &format!("/v1/certificates/{}/revoke", alice["serial_number"].as_str().unwrap()),
        200,
        r#"{"reason":"keyCompromise"}"#,
    );
    assert!(revoked["crl_number"].is_u64(), "{revoked}");
    let crl = service.fetch_crl(&home.join("crl.pem"));
    assert!(lists(&crl, alice["serial_number"].as_str().unwrap()), "{crl}");
    let verify = ["verify", "-x509_strict", "-crl_check", "-CAfile", root, "-CRLfile", "crl.pem"];
    for name in ["vpn.pem", "nps.pem"] {
        openssl(home, &[&verify[..], &[name]].concat());
    }
    let check = [&verify[..], &["alice.pem"]].concat();
    let alice = std::process::Command::new("openssl").args(check).current_dir(home).output();
    assert!(String::from_utf8_lossy(&alice.unwrap().stderr).contains("error 23"));
    let alice = openssl(home, &["x509", "-in", "alice.pem", "-noout", "-subject"]);
    assert!(alice.contains("DC = com, DC = contoso, DC = corp, OU = Staff, CN = Alice Example"));

    // A template that exists is refused with exactly that sentence.
    let user = csr(home, "user", "");
    let file = format!("@{}", user.display());
    let body = ["-H", "Content-Type: application/pkcs10", "--data-binary", &file];
    let (status, said) = service.call("/v1/requests?template=User", &body);
    assert_eq!(status, 403);
    assert!(said.contains("template User exists but is not published on this CA"), "{said}");
    service.stop();

    // Nothing secret is in the log.
    let log = std::fs::read_to_string(data.with_extension("log")).unwrap();
    assert!(!log.contains(token.trim()) && !log.contains(key.lines().nth(1).unwrap()));

    let kept = ["ca.key", "ca.pem", "chain.pem", "admin.token", "tls.key", "tls.pem"];
    let before = kept.map(|name| std::fs::read(data.join(name)).unwrap());
    let service = Service::start(&data, &["--log-format", "json"]);
    assert!(service.said.contains("this start changed nothing"), "{}", service.said);
    assert_eq!(kept.map(|name| std::fs::read(data.join(name)).unwrap()), before);
    let crl = service.fetch_crl(&home.join("later.pem"));
    assert!(lists(&crl, revoked_serial(&crl)), "{crl}");
    service.stop();
    let log = std::fs::read_to_string(data.with_extension("log")).unwrap();
    assert!(log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
}

fn revoked_serial(crl: &str) -> &str {
    let line = crl.lines().find(|line| line.contains("Serial Number: "));
    line.expect("a revoked certificate").rsplit(' ').next().unwrap()
}

#[test]
fn a_new_name_gives_the_api_a_new_certificate() {
    let (home, data) = place();
    super::program::init(&data, &[]);
    let service = Service::start(&data, &[]);
    assert!(service.said.contains("issued the API's own TLS certificate"), "{}", service.said);
    service.stop();
    let first = std::fs::read(data.join("tls.pem")).unwrap();
    let service = Service::start(&data, &["--tls-name", "pki.contoso.com"]);
    assert!(service.said.contains("issued the API's own TLS certificate"), "{}", service.said);
    service.stop();
    assert_ne!(std::fs::read(data.join("tls.pem")).unwrap(), first);
    let tls = data.join("tls.pem");
    let arguments = ["x509", "-noout", "-ext", "subjectAltName", "-in", tls.to_str().unwrap()];
    let names = openssl(home.path(), &arguments);
    for name in ["DNS:localhost", "DNS:pki.contoso.com", "IP Address:127.0.0.1"] {
        assert!(names.contains(name), "{names}");
    }
}

#[test]
fn a_revoked_certificate_of_the_api_is_replaced() {
    let (home, data) = place();
    super::program::init(&data, &[]);
    let service = Service::start(&data, &[]);
    let tls = data.join("tls.pem");
    let show = ["x509", "-noout", "-serial", "-in", tls.to_str().unwrap()];
    let serial = openssl(home.path(), &show).trim().replace("serial=", "");
    let path = format!("/v1/certificates/{serial}/revoke");
    service.post(&path, 200, r#"{"reason":"keyCompromise"}"#);
    service.stop();
    Service::start(&data, &[]).stop();
    assert_ne!(openssl(home.path(), &show).trim().replace("serial=", ""), serial);
}

/// An `init` that was killed leaves a key without a CA: it may be somebody's, so it is kept.
#[test]
fn a_left_over_key_is_put_aside() {
    let (_home, data) = place();
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("ca.key"), "left over").unwrap();
    super::program::init(&data, &[]);
    let kept: Vec<_> = std::fs::read_dir(&data)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("ca.key.unused-"))
        .collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(std::fs::read(&kept[0]).unwrap(), b"left over");
    Service::start(&data, &[]).stop();
}

#[test]
fn a_taken_port_leaves_no_half_ca() {
    let (_home, data) = place();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let text = data.to_str().unwrap();
    let ports = ["--api-listen", &address, "--publish-listen", "127.0.0.1:0"];
    let told = fails(&[&["serve", "--data", text][..], &ports].concat());
    assert!(told.contains(&address), "{told}");
    assert!(!data.exists());
}
