//! Enrolments a second over HTTPS, everything durable, against the bare signing rate of the
//! same machine in the same run.
//!
//! `cargo bench --bench enroll [-- SECONDS [CA[/REQUEST]…]]`, such as `-- 3 rsa2048 p256/rsa2048` —
//! starts the real program on a fresh data directory for each CA key, makes many different
//! requests beforehand (of P-256 keys for a P-256 CA, of RSA-2048 keys for an RSA CA if nothing
//! else is said), then keeps 32 connections busy from this process, on the same processors. P-256
//! is compared with `openssl speed ecdsap256` on one core, RSA with a loop over the same signer in
//! as many threads as there are processors.

#![allow(clippy::print_stdout)] // figures are what it is for

use std::error::Error;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const CONNECTIONS: usize = 32;
const REQUESTS: usize = 20_000;
const ROUNDS: usize = 5;
const RSA_KEYS: usize = 64;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let seconds = words.first().and_then(|word| word.parse().ok()).unwrap_or(5);
    let chosen: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    let usual = vec!["p256", "rsa2048", "rsa2048/p256", "rsa3072"];
    for case in if chosen.is_empty() { usual } else { chosen } {
        let (algorithm, key) = match case.split_once('/') {
            Some(both) => both,
            None if case.starts_with("rsa") => (case, "rsa2048"),
            None => (case, "p256"),
        };
        let csrs = Arc::new(requests(key)?);
        let server = Arc::new(Server::start(algorithm)?);
        let mut ratios = Vec::new();
        for _ in 0..ROUNDS {
            let bare_before = bare_rate(algorithm)?;
            let (own, servers) = (processor_time("self")?, server.processor_time()?);
            let report = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(load(&server, &csrs, Duration::from_secs(seconds)))?;
            let (own, servers) =
                (processor_time("self")? - own, server.processor_time()? - servers);
            let each = |time: Duration| time.as_secs_f64() * 1e6 / report.issued.max(1) as f64;
            let bare = (bare_before + bare_rate(algorithm)?) / 2.0;
            let rate = report.issued as f64 / report.seconds;
            ratios.push(rate / bare);
            println!(
                "{algorithm} CA, {key} requests: {rate:.0} enrolments/s ({} in {:.1} s, p50 {:.1} ms, p99 {:.1} ms, \
             {} other answers; {:.0} µs of processor time each in the server, {:.0} µs in the \
             client), bare {bare:.0}/s, ratio {:.3}, server RSS {} KiB",
                report.issued,
                report.seconds,
                report.quantile(0.50),
                report.quantile(0.99),
                report.refused,
                each(servers),
                each(own),
                rate / bare,
                server.resident_kib()?,
            );
        }
        ratios.sort_by(f64::total_cmp);
        println!(
            "{algorithm} CA, {key} requests: median ratio of {ROUNDS} rounds {:.3}",
            ratios[ROUNDS / 2]
        );
    }
    Ok(())
}

/// What a process has used of the processors, user and system (proc(5), fields 14 and 15 of
/// `stat`, in hundredths of a second).
fn processor_time(process: &str) -> Outcome<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after_name = stat.rsplit(')').next().ok_or("no stat")?;
    let ticks: Vec<u64> =
        after_name.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(Duration::from_millis(10 * ticks.iter().sum::<u64>()))
}

/// Signatures a second without anything around them.
fn bare_rate(algorithm: &str) -> Outcome<f64> {
    let size = match algorithm {
        "p256" => return openssl_rate(),
        "rsa2048" => KeySize::Rsa2048,
        _ => KeySize::Rsa3072,
    };
    let key = Arc::new(RsaKeyPair::generate(size)?);
    let threads = std::thread::available_parallelism()?.get();
    let stop = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let (key, stop) = (Arc::clone(&key), Arc::clone(&stop));
            std::thread::spawn(move || {
                let mut signature = vec![0; key.public_modulus_len()];
                let mut count = 0_u64;
                while !stop.load(Ordering::Relaxed) {
                    let random = SystemRandom::new();
                    if key.sign(&RSA_PKCS1_SHA256, &random, &[7; 1200], &mut signature).is_ok() {
                        count += 1;
                    }
                }
                count
            })
        })
        .collect();
    std::thread::sleep(Duration::from_secs(2));
    stop.store(true, Ordering::Relaxed);
    let total: u64 = workers.into_iter().filter_map(|worker| worker.join().ok()).sum();
    Ok(total as f64 / begun.elapsed().as_secs_f64())
}

fn openssl_rate() -> Outcome<f64> {
    let output = Command::new("openssl")
        .args(["speed", "-mr", "-seconds", "2", "ecdsap256"])
        .stderr(Stdio::null())
        .output()?;
    // +F4:<index>:<bits>:<seconds a signature>:<seconds a verification>
    let text = String::from_utf8(output.stdout)?;
    let line = text.lines().find(|line| line.starts_with("+F4:")).ok_or("openssl speed: no +F4")?;
    let figure: f64 = line.split(':').nth(3).ok_or("openssl speed: short line")?.parse()?;
    // Older releases print the time of one, newer ones the rate.
    Ok(if figure < 1.0 { 1.0 / figure } else { figure })
}

/// Different requests: each its own P-256 key, or one of [`RSA_KEYS`], for making an RSA key takes
/// a tenth of a second.
fn requests(algorithm: &str) -> Outcome<Vec<Vec<u8>>> {
    let rsa_keys: Vec<rcgen::KeyPair> = match algorithm {
        "p256" => Vec::new(),
        "rsa2048" => (0..RSA_KEYS)
            .map(|_| {
                let size = rcgen::RsaKeySize::_2048;
                rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size)
            })
            .collect::<Result<_, _>>()?,
        other => return Err(format!("requests of {other} keys are not made here").into()),
    };
    (0..REQUESTS)
        .map(|number| {
            let own;
            let key = match rsa_keys.get(number % RSA_KEYS) {
                Some(key) => key,
                None => {
                    own = rcgen::KeyPair::generate()?;
                    &own
                }
            };
            let mut parameters = rcgen::CertificateParams::new(Vec::<String>::new())?;
            let mut name = rcgen::DistinguishedName::new();
            name.push(rcgen::DnType::CommonName, format!("client {number}"));
            parameters.distinguished_name = name;
            Ok(parameters.serialize_request(key)?.der().to_vec())
        })
        .collect()
}

struct Server {
    child: Child,
    address: String,
    root: CertificateDer<'static>,
    token: String,
    _data: tempfile::TempDir,
}

impl Server {
    fn start(algorithm: &str) -> Outcome<Self> {
        let data = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
        let directory = data.path().join("data");
        let program = env!("CARGO_BIN_EXE_chancery");
        let initialised = Command::new(program)
            .args(["init", "--name", "CN=Bench CA", "--key-algorithm", algorithm])
            .args(["--base-url", "http://127.0.0.1:18080", "--data"])
            .arg(&directory)
            .stdout(Stdio::null())
            .status()?;
        if !initialised.success() {
            return Err("chancery init failed".into());
        }
        let address = "127.0.0.1:18443".to_owned();
        let child = Command::new(program)
            .args(["serve", "--api-listen", &address, "--publish-listen", "127.0.0.1:18080"])
            .arg("--data")
            .arg(&directory)
            .env("CHANCERY_LOG_LEVEL", "warn")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let begun = Instant::now();
        // The socket is bound first; the token's file comes when all else is ready.
        while !directory.join("admin.token").exists()
            || std::net::TcpStream::connect(&address).is_err()
        {
            if begun.elapsed() > Duration::from_secs(20) {
                return Err("chancery serve does not answer".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let root = CertificateDer::from_pem_file(directory.join("ca.pem"))?;
        let token = std::fs::read_to_string(directory.join("admin.token"))?.trim().to_owned();
        let server = Self { child, address, root, token, _data: data };
        server.prepare()
    }

    /// A VPN user with a token of his own.
    fn prepare(mut self) -> Outcome<Self> {
        let account = r#"{"name":"bench","kind":"user","cn":"Bench User",
            "distinguished_name":"CN=Bench User,OU=VPN,DC=corp,DC=contoso,DC=com",
            "user_principal_name":"bench@corp.contoso.com",
            "object_sid":"S-1-5-21-1004336348-1177238915-682003330-1107",
            "groups":["VPN Users"],"enabled":true}"#;
        let token = r#"{"account":"bench","expires_in_seconds":86400}"#;
        let (made, answer) = tokio::runtime::Runtime::new()?.block_on(async {
            let mut connection = self.connect().await?;
            let made = self.json("/v1/accounts", account);
            let (status, _) = exchange(&mut connection, made.as_bytes()).await?;
            let token = self.json("/v1/tokens", token);
            let (_, answer) = exchange(&mut connection, token.as_bytes()).await?;
            Outcome::Ok((status, answer))
        })?;
        if made != 201 {
            return Err(format!("the account was not made: {made}").into());
        }
        let answer: serde_json::Value = serde_json::from_slice(&answer)?;
        self.token = answer["token"].as_str().ok_or("no token in the answer")?.to_owned();
        Ok(self)
    }

    fn json(&self, path: &str, body: &str) -> String {
        format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        )
    }

    fn enrolment(&self, csr: &[u8]) -> Vec<u8> {
        let mut request = format!(
            "POST /v1/requests?template=VPNUserAuthentication HTTP/1.1\r\nHost: localhost\r\n\
             Authorization: Bearer {}\r\nContent-Type: application/pkcs10\r\n\
             Content-Length: {}\r\n\r\n",
            self.token,
            csr.len()
        )
        .into_bytes();
        request.extend_from_slice(csr);
        request
    }

    async fn connect(&self) -> Outcome<Connection> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.root.clone())?;
        let config =
            rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let socket = tokio::net::TcpStream::connect(&self.address).await?;
        socket.set_nodelay(true)?;
        Ok(connector.connect(ServerName::try_from("localhost")?, socket).await?)
    }

    fn processor_time(&self) -> Outcome<Duration> {
        processor_time(&self.child.id().to_string())
    }

    fn resident_kib(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing to save: the data directory goes with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

type Connection = tokio_rustls::client::TlsStream<tokio::net::TcpStream>;

struct Report {
    issued: usize,
    refused: usize,
    seconds: f64,
    latencies_ms: Vec<f64>,
}

impl Report {
    fn quantile(&self, share: f64) -> f64 {
        let last = self.latencies_ms.len().saturating_sub(1);
        self.latencies_ms.get((last as f64 * share) as usize).copied().unwrap_or_default()
    }
}

async fn load(server: &Arc<Server>, csrs: &Arc<Vec<Vec<u8>>>, length: Duration) -> Outcome<Report> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(server.connect().await?);
    }
    let begun = Instant::now();
    let mut clients = tokio::task::JoinSet::new();
    for mut connection in connections {
        let (server, csrs, next) = (Arc::clone(server), Arc::clone(csrs), Arc::clone(&next));
        clients.spawn(async move {
            let mut seen = Vec::new();
            while begun.elapsed() < length {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let request = server.enrolment(&csrs[number % csrs.len()]);
                let sent = Instant::now();
                let (status, _) = exchange(&mut connection, &request).await?;
                seen.push((status, sent.elapsed().as_secs_f64() * 1000.0));
            }
            Outcome::Ok(seen)
        });
    }
    let mut latencies_ms = Vec::new();
    let mut refused = 0;
    while let Some(seen) = clients.join_next().await {
        for (status, latency) in seen?? {
            if status == 201 {
                latencies_ms.push(latency);
            } else {
                refused += 1;
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    latencies_ms.sort_by(f64::total_cmp);
    Ok(Report { issued: latencies_ms.len(), refused, seconds, latencies_ms })
}

async fn exchange(connection: &mut Connection, request: &[u8]) -> Outcome<(u16, Vec<u8>)> {
    connection.write_all(request).await?;
    connection.flush().await?;
    let mut answer = Vec::with_capacity(8192);
    loop {
        if let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = std::str::from_utf8(&answer[..end])?.to_ascii_lowercase();
            let status = head.get(9..12).ok_or("short answer")?.parse()?;
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map(str::trim).unwrap_or("0").parse()?;
            while answer.len() < end + 4 + length {
                if connection.read_buf(&mut answer).await? == 0 {
                    return Err("the answer is cut".into());
                }
            }
            return Ok((status, answer.split_off(end + 4)));
        }
        if connection.read_buf(&mut answer).await? == 0 {
            return Err("the connection was closed".into());
        }
    }
}
