//! `chancery doctor` as an administrator uses it: on what a real service issues and publishes, on
//! broken files, on a live server.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use super::program::{Service, chancery, init, openssl, place};

fn doctor(arguments: &[&str]) -> Output {
    chancery(&[&["doctor"][..], arguments].concat()).output().unwrap()
}

fn json(arguments: &[&str]) -> (i32, Value) {
    let output = doctor(&[&["--json"][..], arguments].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}\n{told}"));
    (output.status.code().unwrap(), report)
}

fn rules(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["rule"].as_str().unwrap()).collect()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/doctor").join(name)
}

/// Issued by a running service, and looked at over the network, CRL and all.
#[test]
fn what_a_service_issues_is_well_until_it_is_revoked() {
    let (home, data) = place();
    init(&data, &["--name", "CN=Contoso VPN CA,DC=contoso,DC=com"]);
    let service = Service::start(&data, &[]);
    let account = r#"{"name":"alice","kind":"user","cn":"Alice Example",
        "distinguished_name":"CN=Alice Example,OU=Staff,DC=contoso,DC=com",
        "user_principal_name":"alice@contoso.com","groups":["VPN Users"],
        "object_sid":"S-1-5-21-1004336348-1177238915-682003330-1104"}"#;
    service.post("/v1/accounts", 201, account);
    let vpn = ["--template", "VPNServerAuthentication", "--dns", "vpn.contoso.com"];
    let user = ["--template", "VPNUserAuthentication", "--on-behalf-of", "alice"];
    for more in [&[&vpn[..], &["--subject", "CN=vpn.contoso.com"]].concat()[..], &user] {
        let asked = service.request(home.path(), more).output().unwrap();
        assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    }
    let root = data.join("ca.pem");
    let root = root.to_str().unwrap();
    let file = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let (vpn, user) = (file("vpn.contoso.com.pem"), file("alice.pem"));
    let well = |part, name, file: &str| {
        let (status, report) = json(&["--part", part, "--name", name, "--root", root, file]);
        assert_eq!((status, rules(&report)), (0, vec![]), "{part}: {report:#}");
        assert_eq!(report["verdict"], "well");
        // The CA's certificate came from AIA or from --root; the CRL over HTTP.
        let crl = report["lookups"].as_array().unwrap().iter().find(|own| own["sought"] == "crl");
        assert_eq!(crl.unwrap()["fetched"], true, "{report:#}");
    };
    well("vpn-server", "vpn.contoso.com", &vpn);
    well("vpn-user", "alice@contoso.com", &user);

    // PKCS #12 with its password, and the chain in one file.
    std::fs::write(home.path().join("password"), "geheim\n").unwrap();
    let all = ["-in", &vpn, "-inkey", &file("vpn.contoso.com.key"), "-certfile", root];
    let out = ["-out", "vpn.p12", "-passout", "pass:geheim"];
    openssl(home.path(), &[&["pkcs12", "-export"][..], &all, &out].concat());
    let p12 = file("vpn.p12");
    let (status, report) =
        json(&["--part", "vpn-server", "--password-file", &file("password"), &p12]);
    assert_eq!((status, rules(&report)), (0, vec![]), "{report:#}");
    let refused = doctor(&["--part", "vpn-server", &p12]);
    assert_eq!(refused.status.code(), Some(1));

    // The API's own certificate, as its server sends it: warnings, for it is no VPN server's.
    let address = service.api.replace("https://", "");
    let (status, report) = json(&["--part", "vpn-server", "--connect", &address, "--root", root]);
    let expected = vec!["address-not-as-dns-name", "eku-without-ike-intermediate"];
    assert_eq!((status, rules(&report)), (3, expected), "{report:#}");

    let serial = openssl(home.path(), &["x509", "-in", "alice.pem", "-noout", "-serial"]);
    let serial = serial.trim().trim_start_matches("serial=");
    service.post(
        &format!("/v1/certificates/{serial}/revoke"),
        200,
        r#"{"reason":"keyCompromise"}"#,
    );
    let (status, report) = json(&["--part", "vpn-user", "--root", root, &user]);
    assert_eq!((status, rules(&report)), (4, vec!["revoked"]), "{report:#}");
    let seen = report["findings"][0]["seen_as"].to_string();
    assert!(seen.contains("NPS event 6273 reason 289"), "{seen}");

    service.stop();
    let (status, report) = json(&["--part", "vpn-server", "--root", root, &vpn]);
    assert_eq!((status, rules(&report)), (3, vec!["crl-unreachable"]), "{report:#}");
    let (status, report) = json(&["--part", "vpn-user", "--root", root, &user]);
    assert_eq!((status, rules(&report)), (4, vec!["crl-unreachable"]), "{report:#}");
}

#[test]
fn people_and_scripts_are_told_alike() {
    let web = fixture("web");
    let file = |name: &str| web.join(name).to_str().unwrap().to_owned();
    let certificate = fixture("user_crl_expired.pem");
    let arguments = [
        "--part",
        "vpn-user",
        "--offline",
        "--at",
        "2026-11-24T00:00:00Z",
        "--crl",
        &file("expired.crl"),
        "--chain",
        &file("issuing.crt"),
        "--root",
        &file("root.crt"),
        certificate.to_str().unwrap(),
    ];
    let (status, report) = json(&arguments);
    assert_eq!((status, rules(&report)), (4, vec!["crl-expired"]), "{report:#}");
    assert_eq!(report["faults"], 1);
    let output = doctor(&arguments);
    assert_eq!(output.status.code(), Some(4));
    let text = String::from_utf8(output.stdout).unwrap();
    for expected in [
        "FAULT  crl-expired",
        "NPS event 6273 reason 258",
        "0x80092013",
        "Documented",
        "NTAuth",
        "1 fault, no warnings",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
}

#[test]
fn what_cannot_be_judged_is_no_verdict() {
    let nothing = fixture("make.py");
    let output = doctor(&["--part", "ca", nothing.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("this is no certificate"), "{told}");
    for (arguments, status) in [
        (&["--part", "nobody", "x"][..], 2),
        (&["--part", "ca"], 2),
        (&["x"], 2),
        (&["--part", "ca", "--connect", "127.0.0.1:1"], 1),
        (&["--part", "ca", "--connect", "nothing"], 1),
        (&["--part", "ca", "--at", "yesterday", "x"], 2),
    ] {
        assert_eq!(doctor(arguments).status.code(), Some(status), "{arguments:?}");
    }
}

/// The service meets what its relying parties meet: here, an address where nobody listens.
#[test]
fn the_service_looks_at_itself() {
    let (_home, data) = place();
    init(&data, &["--base-url", "http://127.0.0.1:1"]);
    let service = Service::start(&data, &["--self-check", "10s"]);
    let (mut ready, mut metrics) = (String::new(), String::new());
    for _ in 0..100 {
        ready = service.call("/readyz", &[]).1;
        metrics = service.call("/metrics", &[]).1;
        if metrics.contains("chancery_self_check_findings{severity=\"warning\"} 1") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    // Others may reach it, so it is a notice: this machine's way there is not theirs.
    let answer: Value = serde_json::from_str(&ready).unwrap();
    assert_eq!(answer["ready"], true, "{ready}");
    assert!(answer["notices"].to_string().contains("crl-unreachable"), "{ready}");
    for expected in [
        "chancery_self_check_findings{severity=\"fault\"} 0",
        "chancery_self_check_findings{severity=\"warning\"} 1",
        "chancery_healthy{condition=\"self_check\"} 1",
    ] {
        assert!(metrics.contains(expected), "{expected}: {metrics}");
    }
    service.stop();
}

/// With deltas and a responder, all three say the same, before a revocation and after it.
#[test]
fn base_delta_and_responder_of_a_service_agree() {
    let (home, data) = place();
    init(&data, &["--name", "CN=Contoso VPN CA,DC=contoso,DC=com"]);
    let service = Service::start(&data, &["--crl-delta-period", "1d", "--ocsp", "true"]);
    let more = ["--template", "VPNServerAuthentication", "--dns", "vpn.contoso.com"];
    let asked = service
        .request(home.path(), &[&more[..], &["--subject", "CN=vpn.contoso.com"]].concat())
        .output()
        .unwrap();
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    let (root, file) = (data.join("ca.pem"), home.path().join("vpn.contoso.com.pem"));
    let (root, file) = (root.to_str().unwrap(), file.to_str().unwrap());
    // The responder makes its answers by itself, soon after.
    let told = |expected: (i32, &[&str])| {
        let mut last = Value::Null;
        for _ in 0..60 {
            let (status, report) = json(&["--part", "vpn-server", "--root", root, file]);
            if (status, rules(&report).as_slice()) == expected {
                return report;
            }
            last = report;
            std::thread::sleep(std::time::Duration::from_millis(500));
        }
        panic!("{expected:?}: {last:#}");
    };
    let report = told((0, &[]));
    for sought in ["crl", "delta-crl", "ocsp"] {
        let lookups = report["lookups"].as_array().unwrap();
        let found = lookups.iter().find(|own| own["sought"] == sought);
        let found = found.unwrap_or_else(|| panic!("{sought}: {report:#}"));
        assert_eq!(found["fetched"], true, "{report:#}");
    }
    let serial = openssl(home.path(), &["x509", "-in", file, "-noout", "-serial"]);
    let serial = serial.trim().trim_start_matches("serial=");
    let body = r#"{"reason":"superseded"}"#;
    service.post(&format!("/v1/certificates/{serial}/revoke"), 200, body);
    let report = told((4, &["revoked"]));
    assert!(report["findings"][0]["sentence"].to_string().contains("superseded"), "{report:#}");
    service.stop();
}
