//! `chancery renew`, as a timer runs it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use super::program::{Service, chancery, init, openssl, place};

fn renew(service: &Service, home: &Path, more: &[&str]) -> Output {
    let mut command = chancery(&["renew", "--url", &service.api, "--ca-file"]);
    command.arg(service.data.join("ca.pem"));
    command.args(["--certificate", "vpn.pem", "--key", "vpn.key"]).args(more);
    command.current_dir(home).output().unwrap()
}

fn done(output: &Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn serial(home: &Path) -> String {
    openssl(home, &["x509", "-in", "vpn.pem", "-noout", "-serial"])
}

fn fits(home: &Path) {
    let key = openssl(home, &["pkey", "-in", "vpn.key", "-pubout"]);
    assert_eq!(key, openssl(home, &["x509", "-in", "vpn.pem", "-noout", "-pubkey"]));
    for left in ["vpn.pem.renewed", "vpn.key.renewed", "vpn.pem.pending"] {
        assert!(!home.join(left).exists(), "{left}");
    }
}

/// A service, and a VPN server's key and certificate with its chain.
fn enrolled(home: &Path, data: &Path) -> Service {
    init(data, &[]);
    let service = Service::start(data, &[]);
    let names = ["--template", "VPNServerAuthentication", "--dns", "vpn.contoso.com"];
    let mut asked = service.request(home, &[&names[..], &["--file-name", "vpn"]].concat());
    done(&asked.output().unwrap());
    let whole = std::fs::read_to_string(home.join("vpn.pem")).unwrap()
        + &std::fs::read_to_string(home.join("vpn-chain.pem")).unwrap();
    std::fs::write(home.join("vpn.pem"), whole).unwrap();
    service
}

#[test]
fn a_timer_renews_when_it_is_time_and_leaves_a_pair_whatever_happens() {
    let (home, data) = place();
    let service = enrolled(home.path(), &data);
    let home = home.path();
    let first = serial(home);
    assert!(done(&renew(&service, home, &[])).contains("is not to be renewed before"));
    assert_eq!(serial(home), first);

    // With its key, without a token, the chain behind it as before.
    let key = std::fs::read(home.join("vpn.key")).unwrap();
    let said = done(&renew(&service, home, &["--force", "--retire-after", "1h"]));
    assert!(said.contains("Renewed"), "{said}");
    assert_ne!(serial(home), first);
    assert_eq!(std::fs::read(home.join("vpn.key")).unwrap(), key);
    let whole = std::fs::read_to_string(home.join("vpn.pem")).unwrap();
    assert_eq!(whole.matches("BEGIN CERTIFICATE").count(), 2);
    fits(home);
    let number = first.trim().trim_start_matches("serial=").to_lowercase();
    let (_, shown) = service.call(&format!("/v1/certificates/{number}"), &[]);
    assert!(shown.contains("retires_at"), "{shown}");

    // With a new key, readable for whoever could read the old one.
    let group = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(home.join("vpn.key"), group).unwrap();
    done(&renew(&service, home, &["--force", "--key-algorithm", "p256"]));
    assert_ne!(std::fs::read(home.join("vpn.key")).unwrap(), key);
    let mode = std::fs::metadata(home.join("vpn.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    fits(home);

    // Cut off between the two renames: the next run finishes, before it looks at the time.
    let before = serial(home);
    std::fs::copy(home.join("vpn.pem"), home.join("old.pem")).unwrap();
    done(&renew(&service, home, &["--force", "--new-key"]));
    let after = serial(home);
    std::fs::rename(home.join("vpn.pem"), home.join("vpn.pem.renewed")).unwrap();
    std::fs::rename(home.join("old.pem"), home.join("vpn.pem")).unwrap();
    assert_eq!(serial(home), before);
    done(&renew(&service, home, &[]));
    assert_eq!(serial(home), after);
    fits(home);

    // A key that was made but never certified is not in the way.
    openssl(home, &["genpkey", "-algorithm", "RSA", "-out", "vpn.key.renewed"]);
    done(&renew(&service, home, &["--force", "--new-key"]));
    fits(home);

    // Revoked: refused, told why, and nothing is changed.
    let last = serial(home);
    let number = last.trim().trim_start_matches("serial=").to_lowercase();
    let path = format!("/v1/certificates/{number}/revoke");
    service.post(&path, 200, r#"{"reason":"keyCompromise"}"#);
    let refused = renew(&service, home, &["--force", "--new-key"]);
    assert_eq!(refused.status.code(), Some(1));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("client-certificate-revoked"), "{told}");
    assert_eq!(serial(home), last);
    fits(home);
    service.stop();
}

#[test]
fn a_renewal_that_waits_for_approval_is_fetched_by_the_next_run() {
    let (home, data) = place();
    let service = enrolled(home.path(), &data);
    let home = home.path();
    let (status, body) = service.call("/v1/templates/VPNServerAuthentication", &[]);
    assert_eq!(status, 200, "{body}");
    let shown: serde_json::Value = serde_json::from_str(&body).unwrap();
    let mut template = shown.get("template").cloned().unwrap_or(shown);
    template["enrollment_flags"].as_array_mut().unwrap().push("PEND_ALL_REQUESTS".into());
    let more = ["-X", "PUT", "-H", "Content-Type: application/json", "-d", &template.to_string()];
    assert_eq!(service.call("/v1/templates/VPNServerAuthentication", &more).0, 200);
    let first = serial(home);
    let said = done(&renew(&service, home, &["--force", "--new-key"]));
    assert!(said.contains("waits for a certificate manager"), "{said}");
    let id = said.split_whitespace().skip_while(|word| *word != "Request").nth(1).unwrap();
    // Asked again before it is approved, nothing new is submitted.
    assert!(done(&renew(&service, home, &[])).contains(&format!("Request {id} waits")));
    assert_eq!(serial(home), first);
    // Its submitter is the administrator's account; another manager approves it.
    service.approve_by_another(id);
    done(&renew(&service, home, &[]));
    assert_ne!(serial(home), first);
    fits(home);
    service.stop();
}
