//! Answers a second from the publication address, beside nginx that serves the same octets as a
//! file, on the same processors under the same client, one after the other in one run.
//!
//! `cargo bench --bench serving [-- SECONDS [ROUNDS]]` — needs `nginx` and `wrk` (Debian packages
//! nginx-light and wrk). Starts the real program on a fresh data directory, takes its first CRL as
//! the file that nginx serves, and asks for it over 64 kept-alive connections: whole, and with an
//! entity tag that fits (304).

#![allow(clippy::print_stdout, reason = "the figures are what it is for")]

use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const NGINX_PORT: u16 = 18082;
const CONNECTIONS: &str = "64";

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let seconds = words.first().map_or(Ok(4), |word| word.parse::<u64>())?;
    let rounds = words.get(1).map_or(Ok(5), |word| word.parse::<usize>())?;
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let (_service, url) = service(home.path())?;
    let (head, crl) = get(&url)?;
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).ok_or("no entity tag")?;
    let _nginx = nginx(home.path(), &crl)?;
    let file = format!("http://127.0.0.1:{NGINX_PORT}/ca.crl");
    let (nginx_head, same) = get(&file)?;
    if same != crl {
        return Err("nginx serves other octets".into());
    }
    let nginx_tag = nginx_head.lines().find_map(|line| line.strip_prefix("etag: "));
    let nginx_tag = nginx_tag.ok_or("nginx gives no entity tag")?;
    println!("a CRL of {} octets, {CONNECTIONS} connections, {seconds} s a figure", crl.len());
    for (what, ours, theirs) in [("200", None, None), ("304", Some(tag), Some(nginx_tag))] {
        let mut ratios = Vec::new();
        for _ in 0..rounds {
            let (rate, peer) = (wrk(&url, ours, seconds)?, wrk(&file, theirs, seconds)?);
            ratios.push(rate / peer);
            println!("{what}: {rate:.0}/s, nginx {peer:.0}/s, ratio {:.2}", rate / peer);
        }
        ratios.sort_by(f64::total_cmp);
        let median = ratios.get(ratios.len() / 2).copied().unwrap_or_default();
        println!("{what}: median ratio of {rounds} rounds {median:.2}");
    }
    Ok(())
}

/// A program that is stopped when it goes out of scope.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // A request to end, so that nginx takes its workers along.
        let asked = Command::new("kill").arg(self.0.id().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

fn service(home: &Path) -> Outcome<(Running, String)> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_chancery"))
        .args(["serve", "--api-listen", "127.0.0.1:0", "--publish-listen", "127.0.0.1:0"])
        .args(["--log-level", "warn", "--data"])
        .arg(home.join("data"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let out = child.stdout.take().ok_or("no output")?;
    let running = Running(child);
    let mut lines = BufReader::new(out).lines();
    while let Some(line) = lines.next().transpose()? {
        if let Some(url) = line.strip_prefix("CRL ") {
            // The rest of what it says must find a reader.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok((running, url.trim().to_owned()));
        }
    }
    Err("the service did not say where its CRL is".into())
}

/// nginx as Debian configures it, without a log, as many workers as there are processors.
fn nginx(home: &Path, crl: &[u8]) -> Outcome<Running> {
    let home = home.canonicalize()?;
    std::fs::write(home.join("ca.crl"), crl)?;
    let at = home.display();
    let configuration = format!(
        "worker_processes auto; pid {at}/nginx.pid; error_log stderr warn; daemon off;\n\
         events {{ worker_connections 1024; }}\n\
         http {{ sendfile on; tcp_nopush on; access_log off; keepalive_requests 1000000000;\n\
         types {{ application/pkix-crl crl; }}\n\
         server {{ listen 127.0.0.1:{NGINX_PORT}; root {at}; }} }}\n"
    );
    let file = home.join("nginx.conf");
    std::fs::write(&file, configuration)?;
    let mut command = Command::new("nginx");
    command.arg("-c").arg(&file).arg("-p").arg(&home);
    // As root its workers would be another user, who does not get at the file.
    command.args(["-g", "user root;"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let running = Running(child.map_err(|error| format!("nginx (package nginx-light): {error}"))?);
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", NGINX_PORT)).is_err() {
        if begun.elapsed() > Duration::from_secs(10) {
            return Err("nginx does not listen".into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(running)
}

fn get(url: &str) -> Outcome<(String, Vec<u8>)> {
    let rest = url.strip_prefix("http://").ok_or("not http")?;
    let (address, path) = rest.split_once('/').ok_or("no path")?;
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or("no head")?;
    let head = String::from_utf8(answer[..end].to_vec())?;
    let head = head.replace("ETag: ", "etag: ");
    Ok((head, answer.split_off(end + 4)))
}

/// Answers a second; every one must be the one that is wanted.
fn wrk(url: &str, entity_tag: Option<&str>, seconds: u64) -> Outcome<f64> {
    let mut command = Command::new("wrk");
    command.args(["-t", "2", "-c", CONNECTIONS, "-d", &format!("{seconds}s")]);
    if let Some(tag) = entity_tag {
        command.args(["-H", &format!("If-None-Match: {tag}")]);
    }
    let output =
        command.arg(url).output().map_err(|error| format!("wrk (package wrk): {error}"))?;
    let text = String::from_utf8(output.stdout)?;
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        return Err(text.into());
    }
    let rate = text.lines().find_map(|line| line.strip_prefix("Requests/sec:")).ok_or(text.clone());
    Ok(rate?.trim().parse()?)
}
