//! Client certificates over real TLS, with curl and OpenSSL as the clients.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::program::{Service, init, lists, openssl, place};

/// A service with somebody of every kind, each with a key and a certificate `<name>.pem`.
struct World {
    home: tempfile::TempDir,
    service: Service,
}

/// (name, template, kind of key).
const HOLDERS: [(&str, &str, &str); 4] = [
    ("alice", "VPNUserAuthentication", "rsa:2048"),
    ("carol", "VPNUserAuthentication", "ec"),
    ("nps01", "NPSServerAuthentication", "rsa:2048"),
    ("vpn", "VPNServerAuthentication", "rsa:2048"),
];

impl World {
    fn new() -> Self {
        let (home, data) = place();
        init(&data, &[]);
        let service = Service::start(&data, &[]);
        for (name, kind, group) in [
            ("alice", "user", "VPN Users"),
            ("carol", "user", "VPN Users"),
            ("nps01", "computer", "NPS Servers"),
        ] {
            let sid = name.bytes().map(u32::from).sum::<u32>();
            let account = serde_json::json!({
                "name": name, "kind": kind, "cn": name, "groups": [group],
                "distinguished_name": format!("CN={name},OU=Staff,DC=contoso,DC=com"),
                "user_principal_name": format!("{name}@contoso.com"),
                "dns_host_name": format!("{name}.contoso.com"),
                "object_sid": format!("S-1-5-21-1004336348-1177238915-682003330-{sid}"),
            });
            service.post("/v1/accounts", 201, &account.to_string());
        }
        let world = Self { home, service };
        for (name, template, key) in HOLDERS {
            let csr = world.csr(name, key, name == "vpn");
            let query = match name {
                "vpn" => String::new(),
                other => format!("&on_behalf_of={other}"),
            };
            let issued = world.service.enroll(template, &query, &csr);
            world.keep(name, &issued);
        }
        world
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A key `<name>.key` and a request `<name>.csr`.
    fn csr(&self, name: &str, key: &str, named: bool) -> PathBuf {
        let subject = if named { format!("/CN={name}.contoso.com") } else { "/".to_owned() };
        let (file, out) = (format!("{name}.key"), format!("{name}.csr"));
        let mut arguments = vec!["req", "-new", "-nodes", "-subj", &subject];
        match key {
            "ec" => arguments.extend(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]),
            rsa => arguments.extend(["-newkey", rsa]),
        }
        openssl(self.home.path(), &[&arguments[..], &["-keyout", &file, "-out", &out]].concat());
        self.at(&out)
    }

    fn keep(&self, name: &str, issued: &Value) {
        let pem = issued["certificate"].as_str().unwrap();
        std::fs::write(self.at(&format!("{name}.pem")), pem).unwrap();
    }

    fn serial(&self, name: &str) -> String {
        let file = format!("{name}.pem");
        let told = openssl(self.home.path(), &["x509", "-in", &file, "-noout", "-serial"]);
        told.trim().trim_start_matches("serial=").to_lowercase()
    }

    /// Calls the API with a certificate and nothing else.
    fn call(&self, name: &str, path: &str, more: &[&str]) -> (u16, Value) {
        let output = Command::new("curl")
            .args(["-sS", "-w", "\n%{http_code}", "--noproxy", "*", "--cacert"])
            .arg(self.service.data.join("ca.pem"))
            .arg("--cert")
            .arg(self.at(&format!("{name}.pem")))
            .arg("--key")
            .arg(self.at(&format!("{name}.key")))
            .arg(format!("{}{path}", self.service.api))
            .args(more)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// Renews with curl; gives status and answer.
    fn renew(&self, name: &str, csr: &Path, query: &str) -> (u16, Value) {
        let path = format!("/v1/certificates/{}/renew{query}", self.serial(name));
        let body = format!("@{}", csr.display());
        self.call(name, &path, &["-H", "Content-Type: application/pkcs10", "--data-binary", &body])
    }

    fn revoke(&self, name: &str, reason: &str) {
        let path = format!("/v1/certificates/{}/revoke", self.serial(name));
        self.service.post(&path, 200, &serde_json::json!({ "reason": reason }).to_string());
    }

    fn certificate(&self, serial: &str) -> Value {
        let (status, text) = self.service.call(&format!("/v1/certificates/{serial}"), &[]);
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }
}

#[test]
fn the_holder_renews_with_curl_under_every_template_of_the_tutorial() {
    let world = World::new();
    for (number, (name, template, key)) in HOLDERS.into_iter().enumerate() {
        let old = world.serial(name);
        let next = format!("{name}-next");
        // Where the names come from the request: left out, or the same.
        let csr = world.csr(&next, key, false);
        let versions = ["--tlsv1.3", "--tls-max", "1.2"];
        let version = if number % 2 == 0 { &versions[..1] } else { &versions[1..] };
        let path = format!("/v1/certificates/{old}/renew");
        let body = format!("@{}", csr.display());
        let post = ["-H", "Content-Type: application/pkcs10", "--data-binary", &body];
        let (status, answer) = world.call(name, &path, &[&post[..], version].concat());
        assert_eq!(status, 201, "{template}: {answer}");
        assert!(answer["renew_after"].is_string(), "{answer}");
        world.keep(&next, &answer);
        let new = world.serial(&next);
        let shown = |file: &str, what: &str| {
            let pem = format!("{file}.pem");
            let text = openssl(world.home.path(), &["x509", "-in", &pem, "-noout", "-ext", what]);
            let subject = ["x509", "-in", &pem, "-noout", "-subject"];
            text + &openssl(world.home.path(), &subject)
        };
        assert_eq!(shown(name, "subjectAltName"), shown(&next, "subjectAltName"), "{template}");
        let chain = world.service.data.join("ca.pem");
        let pem = format!("{next}.pem");
        openssl(
            world.home.path(),
            &["verify", "-x509_strict", "-CAfile", chain.to_str().unwrap(), &pem],
        );
        let (old_row, new_row) = (world.certificate(&old), world.certificate(&new));
        assert_eq!(old_row["renewed_by"][0], new.as_str());
        assert_eq!(new_row["renewal_of"], old.as_str());
        // Both hold until the old one is revoked, and the new one renews in its turn.
        let again = world.csr(&format!("{name}-third"), key, false);
        assert_eq!(world.renew(&next, &again, "").0, 201);
    }
    world.service.stop();
}

#[test]
fn a_certificate_reaches_no_further_than_it_says() {
    let world = World::new();
    // Named as the directory names the account: a plain requester.
    let (status, listed) = world.call("alice", "/v1/certificates", &[]);
    assert_eq!(status, 200, "{listed}");
    assert_eq!(listed["certificates"].as_array().unwrap().len(), 1);
    let csr = world.csr("alice-more", "ec", false);
    let body = format!("@{}", csr.display());
    let post = ["-H", "Content-Type: application/pkcs10", "--data-binary", &body];
    let enrol = "/v1/requests?template=VPNUserAuthentication";
    assert_eq!(world.call("alice", enrol, &post).0, 201);
    assert_eq!(world.call("alice", "/v1/audit", &[]).0, 403);
    // The VPN server's account on record is the administrator, who enrolled it.
    for path in ["/v1/audit", "/v1/certificates", "/v1/accounts/administrator", "/v1/templates"] {
        let (status, refused) = world.call("vpn", path, &[]);
        assert_eq!((status, &refused["rule"]), (403, &"possession-required".into()), "{path}");
    }
    let (status, refused) = world.call("vpn", enrol, &post);
    assert_eq!((status, &refused["rule"]), (403, &"possession-required".into()));
    let own = format!("/v1/certificates/{}", world.serial("vpn"));
    assert_eq!(world.call("vpn", &own, &[]).0, 200);
    let alices = format!("/v1/certificates/{}", world.serial("alice"));
    assert_eq!(world.call("vpn", &alices, &[]).0, 404);
    // Nobody renews with another's certificate, nor with a token.
    let path = format!("{alices}/renew");
    let (status, refused) = world.call("carol", &path, &post);
    assert_eq!((status, &refused["rule"]), (403, &"possession-required".into()));
    let (status, refused) = world.service.call(&path, &post);
    assert_eq!(status, 403, "{refused}");
    // Other names than the old ones are refused where the request gives them.
    let strange = world.csr("strange", "ec", true);
    let (status, refused) = world.renew("vpn", &strange, "");
    let told = (status, refused["rule"].as_str(), refused["hresult"].as_str());
    assert_eq!(told, (403, Some("renewal-subject-changed"), Some("0x80094806")));
    world.service.stop();
}

#[test]
fn whatever_certificate_is_sent_along_disturbs_no_token() {
    let world = World::new();
    let make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=X", "-keyout"];
    openssl(world.home.path(), &[&make[..], &["foreign.key", "-out", "foreign.pem"]].concat());
    // Unknown critical extensions, and another CA of the same name, are strangers alike.
    let critical = ["-addext", "1.2.3.4.5=critical,ASN1:NULL"];
    openssl(world.home.path(), &[&make[..], &["odd.key", "-out", "odd.pem"], &critical].concat());
    let token = std::fs::read_to_string(world.service.data.join("admin.token")).unwrap();
    let bearer = format!("Authorization: Bearer {token}");
    for version in [&["--tlsv1.3"][..], &["--tls-max", "1.2"]] {
        for name in ["foreign", "odd"] {
            let (status, refused) = world.call(name, "/v1/ca", version);
            let rule = refused["rule"].as_str();
            assert_eq!((status, rule), (401, Some("client-certificate-foreign")), "{refused}");
            let with = [version, &["-H", &bearer]].concat();
            assert_eq!(world.call(name, "/v1/audit", &with).0, 200);
        }
        // A wrong token stays wrong beside a good certificate.
        let wrong = [version, &["-H", "Authorization: Bearer chancery_nonsense"]].concat();
        assert_eq!(world.call("alice", "/v1/ca", &wrong).1["rule"], "unauthenticated");
    }
    world.service.stop();
}

/// `openssl s_client` on a connection that is kept.
struct Talk {
    child: std::process::Child,
    out: BufReader<std::process::ChildStdout>,
}

impl Talk {
    fn begin(world: &World, more: &[&str]) -> Self {
        let address = world.service.api.trim_start_matches("https://").to_owned();
        let mut child = Command::new("openssl")
            .args(["s_client", "-quiet", "-connect", &address, "-CAfile"])
            .arg(world.service.data.join("ca.pem"))
            .args(more)
            .current_dir(world.home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    /// Asks for a path; gives the status line and the body.
    fn get(&mut self, path: &str) -> (String, String) {
        let call = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.child.stdin.as_mut().unwrap().write_all(call.as_bytes()).unwrap();
        let (mut status, mut length) = (String::new(), 0);
        self.out.read_line(&mut status).unwrap();
        loop {
            let mut line = String::new();
            assert!(self.out.read_line(&mut line).unwrap() > 0, "the connection ended: {status}");
            if let Some(text) = line.to_lowercase().strip_prefix("content-length: ") {
                length = text.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.out.read_exact(&mut body).unwrap();
        (status, String::from_utf8(body).unwrap())
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_revocation_counts_at_the_next_call_of_a_kept_connection_and_of_a_resumed_session() {
    let world = World::new();
    let handshake = openssl_handshake(&world);
    assert!(handshake.contains("Acceptable client certificate CA names"), "{handshake}");
    for (name, version) in [("alice", "-tls1_3"), ("carol", "-tls1_2")] {
        let (pem, key) = (format!("{name}.pem"), format!("{name}.key"));
        let session = format!("{name}.session");
        let shown = [version, "-cert", &pem, "-key", &key];
        let mut kept = Talk::begin(&world, &shown);
        let own = format!("/v1/certificates/{}", world.serial(name));
        assert!(kept.get(&own).0.contains(" 200 "));
        let mut first = Talk::begin(&world, &[&shown[..], &["-sess_out", &session]].concat());
        assert!(first.get(&own).0.contains(" 200 "));
        drop(first);
        // Resumed without the certificate: the session carries it.
        let mut resumed = Talk::begin(&world, &[version, "-sess_in", &session]);
        assert!(resumed.get(&own).0.contains(" 200 "), "{version}: the session was not resumed");
        world.revoke(name, "keyCompromise");
        for talk in [&mut kept, &mut resumed] {
            let (status, body) = talk.get(&own);
            assert!(status.contains(" 401 "), "{version}: {status}");
            assert!(body.contains("client-certificate-revoked"), "{body}");
        }
        // In TLS 1.3 a session is resumed once; then there is no certificate at all.
        let mut later = Talk::begin(&world, &[version, "-sess_in", &session]);
        assert!(later.get(&own).0.contains(" 401 "));
    }
    world.service.stop();
}

fn openssl_handshake(world: &World) -> String {
    let address = world.service.api.trim_start_matches("https://").to_owned();
    let output = Command::new("openssl")
        .args(["s_client", "-connect", &address])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_renewed_certificate_is_retired_by_itself_once_also_after_a_kill() {
    let mut world = World::new();
    let serials: Vec<String> =
        ["alice", "carol", "nps01", "vpn"].iter().map(|name| world.serial(name)).collect();
    for (name, _, key) in HOLDERS {
        let after = match name {
            "alice" => 1,
            "vpn" => 3_600,
            _ => 6,
        };
        let csr = world.csr(&format!("{name}-next"), key, false);
        let (status, answer) = world.renew(name, &csr, &format!("?retire_after_seconds={after}"));
        assert_eq!(status, 201, "{answer}");
    }
    assert!(world.certificate(&serials[3])["retires_at"].is_string());
    until(|| world.certificate(&serials[0])["status"] == "revoked");
    let crl = world.at("ca.crl.pem");
    until(|| lists(&world.service.fetch_crl(&crl), &serials[0]));
    // A manager takes one back.
    let path = format!("/v1/certificates/{}/retirement", serials[2]);
    let (status, text) = world.service.call(&path, &["-X", "DELETE"]);
    assert_eq!(status, 204, "{text}");
    let (status, text) = world.service.call(&path, &["-X", "DELETE"]);
    assert_eq!(status, 409, "{text}");
    assert_eq!(world.certificate(&serials[1])["status"], "good", "killed too late");
    // kill -9 while one is still to come, and a start after it is due.
    let data = world.service.data.clone();
    drop(world.service);
    std::thread::sleep(Duration::from_secs(6));
    world.service = Service::start(&data, &[]);
    until(|| world.certificate(&serials[1])["status"] == "revoked");
    until(|| lists(&world.service.fetch_crl(&crl), &serials[1]));
    assert_eq!(world.certificate(&serials[2])["status"], "good");
    assert_eq!(world.certificate(&serials[3])["status"], "good");
    std::thread::sleep(Duration::from_secs(2));
    let (status, audit) = world.service.call("/v1/audit?limit=1000", &[]);
    assert_eq!(status, 200);
    for (serial, times) in serials.iter().zip([1, 1, 0, 0]) {
        let audit: Value = serde_json::from_str(&audit).unwrap();
        let text = audit.to_string();
        let entries = text.matches("\"certificate_revoked\":{").count();
        assert_eq!(entries, 2, "{text}");
        let own = text.split("\"certificate_revoked\":{").skip(1);
        let own = own.filter(|entry| entry.split('}').next().unwrap().contains(serial)).count();
        assert_eq!(own, times, "{serial}");
    }
    world.service.stop();
}

/// Waits up to half a minute.
fn until(holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "it did not happen");
        std::thread::sleep(Duration::from_millis(200));
    }
}
