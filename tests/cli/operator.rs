//! Tokens for whoever holds the data directory, health, export and verification, damage.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::program::{Service, chancery, fails, init, place, succeeds};

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

/// Renewed with a new key, and the register lost before that has a CRL: whoever holds a certificate
/// of the old key still finds the list that it names.
#[test]
fn without_a_register_the_old_keys_crl_is_served_though_the_new_key_has_none() {
    let (_home, data) = place();
    init(&data, &["--name", "CN=Einzigartig"]);
    let service = Service::start(&data, &["--ocsp", "true"]);
    let (host, path) = service.crl["http://".len()..].split_once('/').unwrap();
    let (host, path) = (host.to_owned(), path.to_owned());
    service.stop();
    let text = data.to_str().unwrap();
    succeeds(&["renew-ca", "--data", text, "--new-key", "--validity", "15y"]);
    let mut octets = std::fs::read(data.join("ledger")).unwrap();
    octets[3] ^= 0x40;
    std::fs::write(data.join("ledger"), &octets).unwrap();
    let _ = std::fs::remove_dir_all(data.join("index"));
    let service = Service::start(&data, &["--publish-listen", &host]);
    assert!(service.said.contains("Only the stored CRL"), "{}", service.said);
    for (path, status) in [(path.as_str(), "200"), ("crl/einzigartig-1.crl", "503")] {
        let answer = get(&host, path).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
    }
    // Who asks for OCSP is told to come again.
    let url = format!("http://{host}/ocsp");
    let ask = ["ocsp", "-issuer", "ca.pem", "-serial", "0x1122", "-url", &url];
    let output = Command::new("openssl").current_dir(&data).args(ask).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(said.contains("trylater (3)"), "{said}");
    service.stop();
}

/// The register of a large CA takes a minute to open after a power cut; a lock that somebody holds
/// makes any register take a second.
#[test]
fn the_stored_crl_is_served_while_the_register_is_being_opened() {
    let (_home, data) = place();
    let service = Service::start(&data, &[]);
    let (host, path) = service.crl["http://".len()..].split_once('/').unwrap();
    let (host, path) = (host.to_owned(), path.to_owned());
    service.stop();
    let lock = std::fs::File::options().write(true).open(data.join("lock")).unwrap();
    lock.lock().unwrap();
    // On a busy machine this test may sleep through that second.
    let served = (0..5).any(|_| {
        let ports = ["--api-listen", "127.0.0.1:0", "--publish-listen", &host];
        let mut command = chancery(&["serve", "--data", data.to_str().unwrap()]);
        command.args(ports).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut served = false;
        while child.try_wait().unwrap().is_none() {
            served |= get(&host, &path).is_some_and(|answer| answer.starts_with("HTTP/1.1 200 "));
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(!child.wait().unwrap().success(), "the register was locked");
        served
    });
    assert!(served);
}

fn get(host: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(host).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer).into_owned())
}
