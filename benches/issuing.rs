//! How long an enrolment takes while CRLs of a million entries are made, against how long it takes
//! while none is.
//!
//! `cargo bench --bench issuing [-- REVOKED [SECONDS [ROUNDS [CONNECTIONS]]]]` — starts the real
//! program on a data directory with so many revocations, enrols over HTTPS from this process on
//! the same processors, and by turns lets certificates be revoked one after the other, each call
//! waiting for its CRL.

#![allow(clippy::print_stdout, reason = "the figures are what it is for")]

mod revoked;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chancery::storage::{Options, open};
use revoked::{Outcome, milliseconds, revoke};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

const API: &str = "127.0.0.1:18444";
const PUBLICATION: &str = "127.0.0.1:18084";
const REQUESTS: usize = 2_000;
const PATIENCE: Duration = Duration::from_secs(120);

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let number = |place: usize, usual: u64| words.get(place).map_or(Ok(usual), |word| word.parse());
    let (revoked, seconds) = (number(0, 1_000_000)?, number(1, 10)?);
    let (rounds, connections) = (number(2, 3)?, usize::try_from(number(3, 4)?)?);
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let service = Service::start(&home.path().join("data"), revoked)?;
    let requests = requests()?;
    let length = Duration::from_secs(seconds);
    // The first enrolments of a fresh program are not like the rest.
    service.enrol(&requests, connections, Duration::from_secs(2))?;
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        let mut quiet = service.enrol(&requests, connections, length)?;
        let (mut busy, lists) = service.beside_publication(&requests, connections, length)?;
        let ratio = quantile(&mut busy, 99).as_secs_f64() / quantile(&mut quiet, 99).as_secs_f64();
        ratios.push(ratio);
        let told = |times: &mut Vec<Duration>| {
            let (p50, p99) = (quantile(times, 50), quantile(times, 99));
            let rate = times.len() as u64 / seconds;
            format!("{rate}/s, p50 {}, p99 {}", milliseconds(p50), milliseconds(p99))
        };
        println!("no CRL made: {}", told(&mut quiet));
        println!("{lists} CRLs of {revoked} entries made: {}", told(&mut busy));
        println!("p99 {ratio:.2} times as long");
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(ratios.len() / 2).copied().unwrap_or_default();
    println!("median of {rounds} rounds: p99 {median:.2} times as long, wanted at most 2");
    Ok(())
}

/// The program, and who may do what there.
struct Service {
    child: Child,
    tls: Arc<ClientConfig>,
    administrator: String,
    user: String,
    /// Serial numbers that were issued and not revoked.
    issued: Mutex<Vec<String>>,
}

impl Service {
    fn start(data: &Path, revoked: u64) -> Outcome<Self> {
        let program = env!("CARGO_BIN_EXE_chancery");
        let initialised = Command::new(program)
            .args(["init", "--name", "CN=Bench CA", "--key-algorithm", "p256"])
            .args(["--base-url", &format!("http://{PUBLICATION}"), "--data"])
            .arg(data)
            .stdout(Stdio::null())
            .status()?;
        if !initialised.success() {
            return Err("chancery init failed".into());
        }
        let register = open(Options::new(data))?;
        revoke(&register, revoked)?;
        register.close()?;
        drop(register);
        let child = Command::new(program)
            .args(["serve", "--api-listen", API, "--publish-listen", PUBLICATION, "--data"])
            .arg(data)
            .args(["--log-level", "warn"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let begun = Instant::now();
        // The socket is bound first; the token's file comes when all else is ready.
        while !data.join("admin.token").exists() || TcpStream::connect(API).is_err() {
            if begun.elapsed() > PATIENCE {
                return Err("chancery serve does not answer".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(data.join("ca.pem"))?)?;
        let tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let administrator = std::fs::read_to_string(data.join("admin.token"))?.trim().to_owned();
        let service = Self {
            child,
            tls: Arc::new(tls),
            user: String::new(),
            administrator,
            issued: Mutex::default(),
        };
        service.with_user()
    }

    /// A VPN user with a token of his own.
    fn with_user(mut self) -> Outcome<Self> {
        let account = r#"{"name":"bench","kind":"user","cn":"Bench User",
            "distinguished_name":"CN=Bench User,OU=VPN,DC=corp,DC=contoso,DC=com",
            "user_principal_name":"bench@corp.contoso.com",
            "object_sid":"S-1-5-21-1004336348-1177238915-682003330-1107",
            "groups":["VPN Users"],"enabled":true}"#;
        let token = r#"{"account":"bench","expires_in_seconds":86400}"#;
        let mut connection = self.connect()?;
        let json = "application/json";
        let mut post = |path, body: &str| {
            connection.post(path, &self.administrator, json, body.as_bytes(), 201)
        };
        post("/v1/accounts", account)?;
        let answer = post("/v1/tokens", token)?;
        self.user = answer["token"].as_str().ok_or("no token in the answer")?.to_owned();
        Ok(self)
    }

    fn connect(&self) -> Outcome<Connection> {
        let socket = TcpStream::connect(API)?;
        socket.set_nodelay(true)?;
        let name = ServerName::try_from("localhost")?;
        Ok(Connection(StreamOwned::new(ClientConnection::new(self.tls.clone(), name)?, socket)))
    }

    /// Enrols on so many connections for so long, each one call after the other; how long each call
    /// took.
    fn enrol(
        &self,
        requests: &[Vec<u8>],
        connections: usize,
        length: Duration,
    ) -> Outcome<Vec<Duration>> {
        let next = AtomicUsize::new(0);
        let begun = Instant::now();
        let client = || -> Outcome<Vec<Duration>> {
            let mut connection = self.connect()?;
            let mut seen = Vec::new();
            while begun.elapsed() < length {
                let turn = next.fetch_add(1, Ordering::Relaxed) % requests.len();
                let request = requests.get(turn).ok_or("no request")?;
                let path = "/v1/requests?template=VPNUserAuthentication";
                let sent = Instant::now();
                let kind = "application/pkcs10";
                let answer = connection.post(path, &self.user, kind, request, 201)?;
                seen.push(sent.elapsed());
                let serial = answer["serial_number"].as_str().ok_or("no serial number")?;
                self.issued.lock().map_err(|_| "poisoned")?.push(serial.to_owned());
            }
            Ok(seen)
        };
        std::thread::scope(|scope| {
            let clients: Vec<_> = (0..connections).map(|_| scope.spawn(client)).collect();
            let mut all = Vec::new();
            for client in clients {
                all.extend(client.join().map_err(|_| "a client panicked")??);
            }
            Ok(all)
        })
    }

    /// The same while certificates are revoked one after the other, and how many CRLs that made.
    fn beside_publication(
        &self,
        requests: &[Vec<u8>],
        connections: usize,
        length: Duration,
    ) -> Outcome<(Vec<Duration>, usize)> {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let revoking = scope.spawn(|| -> Outcome<usize> {
                let mut connection = self.connect()?;
                let mut lists = std::collections::BTreeSet::new();
                while !done.load(Ordering::Relaxed) {
                    let serial = self.issued.lock().map_err(|_| "poisoned")?.pop();
                    let path = format!("/v1/certificates/{}/revoke", serial.ok_or("none left")?);
                    let (json, reason) = ("application/json", br#"{"reason":"superseded"}"#);
                    let answer = connection.post(&path, &self.administrator, json, reason, 200)?;
                    lists.insert(answer["crl_number"].to_string());
                }
                Ok(lists.len())
            });
            let enrolled = self.enrol(requests, connections, length);
            done.store(true, Ordering::Relaxed);
            let lists = revoking.join().map_err(|_| "the revoking thread panicked")??;
            Ok((enrolled?, lists))
        })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Nothing to save: the data directory goes with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Connection(StreamOwned<ClientConnection, TcpStream>);

impl Connection {
    /// Sends a call, and reads its answer, which must have this status.
    fn post(
        &mut self,
        path: &str,
        token: &str,
        kind: &str,
        body: &[u8],
        wanted: u16,
    ) -> Outcome<serde_json::Value> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.0.write_all(&[head.as_bytes(), body].concat())?;
        self.0.flush()?;
        let mut answer = Vec::with_capacity(8192);
        let mut piece = [0; 8192];
        loop {
            let read = self.0.read(&mut piece)?;
            if read == 0 {
                return Err("the connection was closed".into());
            }
            answer.extend_from_slice(&piece[..read]);
            let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
                continue;
            };
            let head = std::str::from_utf8(&answer[..end])?.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or("0", str::trim).parse()?;
            let Some(content) = answer.get(end + 4..end + 4 + length) else { continue };
            let status: u16 = head.get(9..12).ok_or("a short answer")?.parse()?;
            if status != wanted {
                return Err(format!("{path}: {}", String::from_utf8_lossy(&answer)).into());
            }
            return Ok(serde_json::from_slice(content)?);
        }
    }
}

/// Different requests, each with a P-256 key of its own.
fn requests() -> Outcome<Vec<Vec<u8>>> {
    (0..REQUESTS)
        .map(|number| {
            let key = rcgen::KeyPair::generate()?;
            let mut parameters = rcgen::CertificateParams::new(Vec::<String>::new())?;
            parameters.distinguished_name = rcgen::DistinguishedName::new();
            let name = format!("client {number}");
            parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
            Ok(parameters.serialize_request(&key)?.der().to_vec())
        })
        .collect()
}

fn quantile(times: &mut [Duration], hundredths: usize) -> Duration {
    times.sort();
    let last = times.len().saturating_sub(1);
    times.get(last * hundredths / 100).copied().unwrap_or_default()
}
