//! Tokens for whoever holds the data directory, health, export and verification, damage.

use super::program::{Service, fails, init, place, succeeds};

#[test]
fn a_lost_token_is_replaced_with_and_without_a_running_service() {
    let (_home, data) = place();
    let text = data.to_str().unwrap();
    assert!(fails(&["token", "--data", text]).contains("has no CA"));
    init(&data, &[]);
    // Before the first start: the start then has nothing to write.
    succeeds(&["token", "--data", text]);
    let first = std::fs::read_to_string(data.join("admin.token")).unwrap();
    let service = Service::start(&data, &[]);
    assert_eq!(service.call("/v1/tokens", &[]).0, 200);
    std::fs::remove_file(data.join("admin.token")).unwrap();
    succeeds(&["token", "--data", text]);
    let second = std::fs::read_to_string(data.join("admin.token")).unwrap();
    assert_ne!(first, second);
    assert_eq!(service.call("/v1/tokens", &[]).0, 200);
    assert!(!data.join("token.wanted").exists());
    let told = fails(&["token", "--data", text, "--account", "nobody"]);
    assert!(told.contains("did not make a token"), "{told}");
    service.stop();
    assert!(fails(&["token", "--data", text, "--account", "nobody"]).contains("no account nobody"));
}

#[test]
fn health_is_the_exit_status() {
    let (_home, data) = place();
    let text = data.to_str().unwrap();
    init(&data, &[]);
    let service = Service::start(&data, &[]);
    let address = service.api.replace("https://localhost", "127.0.0.1");
    succeeds(&["health", "--data", text, "--api-listen", &address]);
    succeeds(&["health", "--ready", "--data", text, "--api-listen", &address]);
    service.stop();
    fails(&["health", "--data", text, "--api-listen", &address]);
}

#[test]
fn the_ledger_is_exported_and_verified_while_the_service_runs() {
    let (home, data) = place();
    let text = data.to_str().unwrap();
    init(&data, &[]);
    let service = Service::start(&data, &[]);
    let head = |said: &str| {
        let line = said.lines().find(|line| line.starts_with("Head ")).unwrap();
        line.trim_start_matches("Head ").to_owned()
    };
    let verified = succeeds(&["verify-ledger", "--data", text]);
    let earlier = head(&verified);
    let body = r#"{"name":"bob","kind":"user"}"#;
    service.post("/v1/accounts", 201, body);
    let hash = earlier.split(':').nth(1).unwrap();
    for known in [earlier.as_str(), hash] {
        let said = succeeds(&["verify-ledger", "--data", text, "--head", known]);
        assert!(said.contains("is in it"), "{said}");
        assert_ne!(head(&said), earlier);
    }
    let other = "0".repeat(64);
    fails(&["verify-ledger", "--data", text, "--head", &other]);
    fails(&["verify-ledger", "--data", text, "--head", &format!("3:{other}")]);

    let to = home.path().join("ledger.json");
    succeeds(&["export", "--data", text, "--to", to.to_str().unwrap()]);
    let lines = std::fs::read_to_string(&to).unwrap();
    let token = std::fs::read_to_string(data.join("admin.token")).unwrap();
    assert!(lines.contains("\"bob\"") && !lines.contains(token.trim()));
    for (number, line) in (1..).zip(lines.lines()) {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(entry["sequence"], number);
    }
    assert!(
        fails(&["export", "--data", text, "--to", to.to_str().unwrap()]).contains("there already")
    );
    service.stop();
}

#[test]
fn a_damaged_ledger_stops_issuing_and_not_the_crl() {
    let (home, data) = place();
    init(&data, &[]);
    let service = Service::start(&data, &[]);
    let before = service.fetch_crl(&home.path().join("before.pem"));
    service.stop();
    let path = data.join("ledger");
    let mut octets = std::fs::read(&path).unwrap();
    // In the middle of what was recorded after the CA itself.
    let at = octets.len() * 9 / 10;
    octets[at] ^= 0x40;
    std::fs::write(&path, octets).unwrap();
    // What is derived goes too, so that the damage is met at once.
    std::fs::remove_dir_all(data.join("index")).unwrap();

    let service = Service::start(&data, &[]);
    assert_eq!(service.fetch_crl(&home.path().join("after.pem")), before);
    let (status, said) = service.call("/readyz", &[]);
    assert_eq!(status, 503, "{said}");
    assert!(said.contains("damaged"), "{said}");
    let made = super::program::csr(home.path(), "vpn.contoso.com", "DNS:vpn.contoso.com");
    let file = format!("@{}", made.display());
    let body = ["-H", "Content-Type: application/pkcs10", "--data-binary", &file];
    let (status, said) = service.call("/v1/requests?template=VPNServerAuthentication", &body);
    assert_eq!(status, 503, "{said}");
    service.stop();
    let log = std::fs::read_to_string(data.with_extension("log")).unwrap();
    assert!(log.contains("damaged"), "{log}");
}

/// Damage that takes the CA's own record, or the whole ledger: nothing can be issued, but nobody
/// is locked out.
#[test]
fn a_ledger_without_its_ca_leaves_the_stored_crl_served() {
    let (home, data) = place();
    init(&data, &["--name", "CN=Einzigartig"]);
    let service = Service::start(&data, &[]);
    let before = service.fetch_crl(&home.path().join("before.pem"));
    let (api, publication) = (
        service.api.replace("https://localhost", "127.0.0.1"),
        service.crl.replace("http://", "").split('/').next().unwrap().to_owned(),
    );
    let crl = service.crl.clone();
    service.stop();
    // The slug stands in the CA's record only; octet 3 in the file's title.
    let octets = std::fs::read(data.join("ledger")).unwrap();
    let slug = octets.windows(11).position(|some| some == b"einzigartig").unwrap();
    for damage in [3, slug] {
        let mut octets = octets.clone();
        octets[damage] ^= 0x40;
        std::fs::write(data.join("ledger"), &octets).unwrap();
        // What is derived goes too (it may be gone already), so that the damage is met at once.
        let _ = std::fs::remove_dir_all(data.join("index"));
        let ports = ["--api-listen", &api, "--publish-listen", &publication];
        let mut service = Service::start(&data, &ports);
        assert!(service.said.contains("Only the stored CRL"), "{}", service.said);
        service.api = format!("https://localhost:{}", api.split(':').nth(1).unwrap());
        service.crl.clone_from(&crl);
        assert_eq!(service.fetch_crl(&home.path().join("after.pem")), before);
        let (status, said) = service.call("/readyz", &[]);
        assert_eq!(status, 503, "{said}");
        assert_eq!(service.call("/v1/requests", &[]).0, 503);
        assert_eq!(service.call("/healthz", &[]).0, 200);
        service.stop();
    }
}
