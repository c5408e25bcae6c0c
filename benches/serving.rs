//! Answers a second from the publication address, beside nginx that serves the same octets as a
//! file, on the same processors under the same client, one after the other in one run.
//!
//! `cargo bench --bench serving [-- SECONDS [ROUNDS [ENTRIES…]]]` — needs `nginx` and `wrk` (Debian
//! packages nginx-light and wrk). Starts the real program on a data directory with so many
//! revocations (0, and then 1,000, if nothing else is said), takes its first CRL as the file that
//! nginx serves, and asks for it over 64 kept-alive connections: whole, and with an entity tag that
//! fits (304).

#![allow(clippy::print_stdout, reason = "the figures are what it is for")]

mod peer;
mod revoked;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::process::{Command, Stdio};

use chancery::storage::{Options, open};
use peer::{Asking, CONNECTIONS, Outcome, Running, Side, by_turns, nginx};
use revoked::revoke;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let seconds = words.first().map_or(Ok(4), |word| word.parse::<u64>())?;
    let rounds = words.get(1).map_or(Ok(5), |word| word.parse::<usize>())?;
    let entries = words.iter().skip(2).map(|word| word.parse());
    let mut entries = entries.collect::<Result<Vec<u64>, _>>()?;
    if entries.is_empty() {
        entries = vec![0, 1000];
    }
    for number in entries {
        let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        measure(home.path(), number, seconds, rounds)?;
    }
    Ok(())
}

fn measure(home: &Path, entries: u64, seconds: u64, rounds: usize) -> Outcome<()> {
    let (service, address, path) = service(home, entries)?;
    let (head, crl) = get(address, &path)?;
    let tag = entity_tag(&head)?;
    let (peer, peer_address) = nginx(home, &[("ca.crl".to_owned(), crl.clone())])?;
    let file = "/ca.crl".to_owned();
    let (peer_head, same) = get(peer_address, &file)?;
    if same != crl {
        return Err("nginx serves other octets".into());
    }
    let peer_tag = entity_tag(&peer_head)?;
    println!("a CRL of {} octets, {CONNECTIONS} connections, {seconds} s a figure", crl.len());
    let asking = |address, path, headers| Asking {
        home,
        address,
        paths: std::slice::from_ref(path),
        bodies: &[],
        headers,
        seconds,
    };
    let (our_time, their_time) = (|| service.processor_time(), || peer.processor_time());
    let ours = |name, headers| {
        let asking = asking(address, &path, headers);
        Side { name, asking, spent: &our_time }
    };
    let theirs = |headers| {
        let asking = asking(peer_address, &file, headers);
        Side { name: "nginx", asking, spent: &their_time }
    };
    // The same length of request for both.
    let (whole, fitting) = ([("If-Not-Asked", tag)], [("If-None-Match", tag)]);
    let of_peer = [("If-None-Match", peer_tag)];
    by_turns("200", rounds, &ours("chancery", &[]), &theirs(&[]))?;
    by_turns("304", rounds, &ours("chancery", &fitting), &theirs(&of_peer))?;
    by_turns("304 against 200", rounds, &ours("304", &fitting), &ours("200", &whole))
}

/// The program on a data directory with so many revocations, and where its CRL is.
fn service(home: &Path, entries: u64) -> Outcome<(Running, SocketAddr, String)> {
    let initialised = Command::new(env!("CARGO_BIN_EXE_chancery"))
        .args(["init", "--name", "CN=Bench CA", "--base-url", "http://127.0.0.1:18084", "--data"])
        .arg(home.join("data"))
        .stdout(Stdio::null())
        .status()?;
    if !initialised.success() {
        return Err("chancery init failed".into());
    }
    let register = open(Options::new(home.join("data")))?;
    revoke(&register, entries)?;
    register.close()?;
    drop(register);
    let mut child = Command::new(env!("CARGO_BIN_EXE_chancery"))
        .args(["serve", "--api-listen", "127.0.0.1:0", "--publish-listen", "127.0.0.1:18084"])
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
            let rest = url.trim().strip_prefix("http://").ok_or("not http")?;
            let (address, path) = rest.split_once('/').ok_or("no path")?;
            let address = address.to_socket_addrs()?.next().ok_or("no address")?;
            return Ok((running, address, format!("/{path}")));
        }
    }
    Err("the service did not say where its CRL is".into())
}

fn get(address: SocketAddr, path: &str) -> Outcome<(String, Vec<u8>)> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or("no head")?;
    Ok((String::from_utf8(answer[..end].to_vec())?, answer.split_off(end + 4)))
}

fn entity_tag(head: &str) -> Outcome<&str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    let tag = fields.find(|(name, _)| name.eq_ignore_ascii_case("etag"));
    Ok(tag.ok_or("no entity tag")?.1)
}
