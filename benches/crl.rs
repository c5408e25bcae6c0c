//! A CRL of a million entries: how long it takes against SHA-256 alone over the same octets, how
//! much memory, and how long others wait meanwhile.
//!
//! `cargo bench --bench crl [-- ENTRIES [DIRECTORY]]` — fills a register in DIRECTORY (one of its
//! own under the target directory if none is given), starts itself anew so that filling leaves no
//! trace in the memory figures, and publishes again and again: everything durable, everything
//! checked against the list before.

#![allow(clippy::print_stdout, reason = "the figures are what it is for")]

mod authority;
mod revoked;

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use authority::{fill, take_up};
use aws_lc_rs::digest::{SHA256, digest};
use chancery::ca::publish::{PublicationPoint, Publisher, Schedule};
use chancery::http::publication::{Bounds, PublicationServer};
use chancery::pki::revocation::RevocationReason;
use chancery::storage::act::{Act, CertificateReleased, RequestReceived};
use chancery::storage::publication::PublicationDirectory;
use chancery::storage::{LedgerRegister, Register, Urgency};
use revoked::{Outcome, entry, milliseconds, now, revocation, serial};

const ROUNDS: usize = 7;
const PATIENCE: Duration = Duration::from_secs(120);

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [step, directory] = words.as_slice()
        && step == "measure"
    {
        return measure(Path::new(directory));
    }
    let entries = words.first().map_or(Ok(1_000_000), |word| word.parse())?;
    let own;
    let directory = match words.get(1) {
        Some(directory) => PathBuf::from(directory),
        None => {
            own = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
            own.path().to_path_buf()
        }
    };
    fill(&directory, entries)?;
    let measured =
        Command::new(std::env::current_exe()?).arg("measure").arg(&directory).status()?;
    if measured.success() { Ok(()) } else { Err("the measuring process failed".into()) }
}

fn measure(directory: &Path) -> Outcome<()> {
    let (register, key, issuer) = take_up(directory)?;
    let published = directory.join("publish");
    let store = Arc::new(PublicationDirectory::open(&published, "contoso")?);
    let (point, loaded) = PublicationPoint::open(&issuer, "contoso", &*store, Schedule::default());
    loaded?;
    let point = Arc::new(point);
    let publisher = Arc::new(Publisher::of_parts(
        register.clone(),
        Arc::new(key),
        issuer,
        store,
        Arc::clone(&point),
        Schedule::default(),
    ));
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let server = PublicationServer::start(listener, point, Arc::new(now), Bounds::default())?;
    std::thread::sleep(Duration::from_secs(1));
    let idle = memory()?;

    let running = Arc::clone(&publisher);
    let thread = std::thread::spawn(move || running.run(&now));
    publisher.wait_for(1, PATIENCE).ok_or("no first CRL")?;
    let file = published.join("contoso.crl");

    // Memory.
    forget_peak()?;
    let before = memory()?;
    for round in 0..ROUNDS {
        one(&publisher, &register, 10_000_000 + round as u64)?;
    }
    let after = memory()?;
    let peak = after.peak.saturating_sub(idle.resident);
    println!(
        "memory: idle {} KiB, before {} KiB, peak {} KiB: {} KiB above idle",
        idle.resident, before.resident, after.peak, peak
    );

    // Against SHA-256, by turns: the machine is not equally busy all the time.
    let (mut making, mut hashing) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        hashing.push(hash(&file)?);
        making.push(one(&publisher, &register, 30_000_000 + round as u64)?);
    }
    let size = std::fs::metadata(&file)?.len();
    let entries = publisher.current().map_or(0, |crl| crl.entries);
    let (make, hash) = (median(&mut making), median(&mut hashing));
    println!("list: {entries} entries, {size} octets");
    println!("SHA-256 alone: {} (median of {ROUNDS})", milliseconds(hash));
    println!(
        "made, checked and durable: {} (median; {} to {}), ratio {:.2}",
        milliseconds(make),
        milliseconds(making.first().copied().unwrap_or_default()),
        milliseconds(making.last().copied().unwrap_or_default()),
        make.as_secs_f64() / hash.as_secs_f64(),
    );

    // A hold released: the list is thinned out and compared entry by entry.
    forget_peak()?;
    register.commit(
        vec![entry(revocation(u64::MAX, RevocationReason::CertificateHold))],
        Urgency::Reserved,
    )?;
    publish(&publisher, &register)?;
    let serial = serial(u64::MAX).as_der_content().to_vec();
    register.commit(
        vec![entry(Act::CertificateReleased(CertificateReleased { serial }))],
        Urgency::Reserved,
    )?;
    let thinned = publish(&publisher, &register)?;
    println!("after the release of a hold: {}", milliseconds(thinned));
    let peak = memory()?.peak.saturating_sub(idle.resident);
    println!("memory with that: peak {peak} KiB above idle");

    // With others about.
    let idle = others(&server, &register, || {
        std::thread::sleep(Duration::from_secs(3));
        Ok(())
    })?;
    let busy = others(&server, &register, || {
        for round in 0..ROUNDS {
            one(&publisher, &register, 20_000_000 + round as u64)?;
        }
        Ok(())
    })?;
    println!("longest wait without a CRL being made: {idle}");
    println!("longest wait while {ROUNDS} are made:       {busy}");

    publisher.stop();
    thread.join().map_err(|_| "the publisher panicked")?;
    server.stop();
    register.close()?;
    Ok(())
}

/// Revokes one more and publishes.
fn one(publisher: &Publisher, register: &LedgerRegister, number: u64) -> Outcome<Duration> {
    let act = revocation(number, RevocationReason::KeyCompromise);
    register.commit(vec![entry(act)], Urgency::Reserved)?;
    publish(publisher, register)
}

fn publish(publisher: &Publisher, register: &LedgerRegister) -> Outcome<Duration> {
    let sequence = register.head().sequence;
    let begun = Instant::now();
    publisher.demand(sequence);
    publisher.wait_for(sequence, PATIENCE).ok_or("no CRL")?;
    Ok(begun.elapsed())
}

/// SHA-256 alone, over the whole list in memory.
fn hash(file: &Path) -> Outcome<Duration> {
    let octets = std::fs::read(file)?;
    let begun = Instant::now();
    std::hint::black_box(digest(&SHA256, &octets));
    Ok(begun.elapsed())
}

/// The longest wait of each kind of others.
struct Waits {
    commit: Duration,
    request: Duration,
    download: Duration,
    downloads: usize,
}

impl std::fmt::Display for Waits {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            out,
            "commit {}, small answer {}, first octets of the CRL {} ({} whole downloads)",
            milliseconds(self.commit),
            milliseconds(self.request),
            milliseconds(self.download),
            self.downloads
        )
    }
}

/// Commits, small requests and whole downloads go on while `work` is done.
fn others(
    server: &PublicationServer,
    register: &Arc<LedgerRegister>,
    work: impl FnOnce() -> Outcome<()>,
) -> Outcome<Waits> {
    let done = Arc::new(AtomicBool::new(false));
    let address = server.address();
    let longest = |what: Box<dyn Fn() -> Outcome<Duration> + Send>| {
        let done = Arc::clone(&done);
        std::thread::spawn(move || -> Outcome<(Duration, usize)> {
            let (mut longest, mut times) = (Duration::ZERO, 0);
            while !done.load(Ordering::Relaxed) {
                longest = longest.max(what()?);
                times += 1;
                std::thread::sleep(Duration::from_millis(5));
            }
            Ok((longest, times))
        })
    };
    let committing = Arc::clone(register);
    let commits = longest(Box::new(move || {
        let received = RequestReceived {
            request_id: committing.next_request_id(),
            account: "alice".to_owned(),
            template: "VPNUserAuthentication".to_owned(),
            csr: vec![0x30; 300],
            idempotency: None,
            renewal: None,
            signers: Vec::new(),
            described: None,
        };
        let begun = Instant::now();
        let entries = vec![entry(Act::RequestReceived(received))];
        committing.commit(entries, Urgency::Ordinary)?;
        Ok(begun.elapsed())
    }));
    let requests = longest(Box::new(move || fetch(address, "/aia/contoso.crt")));
    let downloads = longest(Box::new(move || fetch(address, "/crl/contoso.crl")));
    let worked = work();
    done.store(true, Ordering::Relaxed);
    let join = |thread: std::thread::JoinHandle<Outcome<(Duration, usize)>>| {
        thread.join().unwrap_or_else(|_| Err("a client panicked".into()))
    };
    let (commit, request, download) = (join(commits)?, join(requests)?, join(downloads)?);
    worked?;
    let (downloads, download) = (download.1, download.0);
    Ok(Waits { commit: commit.0, request: request.0, download, downloads })
}

/// Fetches a path whole; says how long the first octets took.
fn fetch(address: SocketAddr, path: &str) -> Outcome<Duration> {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: pki\r\nConnection: close\r\n\r\n")?;
    let mut buffer = vec![0; 64 * 1024];
    let first = stream.read(&mut buffer)?;
    let waited = begun.elapsed();
    if !buffer.get(..first).unwrap_or_default().starts_with(b"HTTP/1.1 200") {
        return Err(format!("{path} was not answered").into());
    }
    while stream.read(&mut buffer)? > 0 {}
    Ok(waited)
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Resident now and at most so far, KiB.
struct Memory {
    resident: u64,
    peak: u64,
}

/// From here on the peak counts anew (proc(5), clear_refs).
fn forget_peak() -> Outcome<()> {
    Ok(File::options().write(true).open("/proc/self/clear_refs")?.write_all(b"5")?)
}

fn memory() -> Outcome<Memory> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let field = |name: &str| -> Outcome<u64> {
        let line =
            status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such field")?;
        Ok(line.trim_start_matches(':').trim().trim_end_matches(" kB").parse()?)
    };
    Ok(Memory { resident: field("VmRSS")?, peak: field("VmHWM")? })
}
