//! From a revocation to the delta CRL that tells of it: how long until it is served over HTTP, with
//! none, many and very many revoked before, against one signature and one disk sync of this
//! machine in the same run.
//!
//! `cargo bench --bench delta [-- REVOKED…]` — 0, 100,000 and 1,000,000 if nothing else is said.
//! Complete CRLs of all of them follow meanwhile by themselves, as they do in the service.

#![allow(clippy::print_stdout, reason = "the figures are what it is for")]

mod authority;
mod revoked;

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use authority::{fill, take_up};
use chancery::ca::publish::{DeltaUse, PublicationPoint, Publisher, Schedule};
use chancery::http::publication::{Bounds, PublicationServer};
use chancery::pki::revocation::RevocationReason;
use chancery::signing::CaKey;
use chancery::storage::publication::PublicationDirectory;
use chancery::storage::{LedgerRegister, Register, Urgency};
use revoked::{Outcome, entry, milliseconds, now, revocation, serial};

const REVOCATIONS: u64 = 500;
/// Between one and the next.
const PAUSE: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(120);
const WANTED: Duration = Duration::from_millis(50);
const DAY: u64 = 86_400;

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let mut counts = words.iter().map(|word| word.parse()).collect::<Result<Vec<u64>, _>>()?;
    if counts.is_empty() {
        counts = vec![0, 100_000, 1_000_000];
    }
    for before in counts {
        let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        fill(home.path(), before)?;
        measure(home.path(), before)?;
    }
    Ok(())
}

fn measure(directory: &Path, before: u64) -> Outcome<()> {
    let (register, key, issuer) = take_up(directory)?;
    let key: Arc<dyn CaKey> = Arc::new(key);
    let store = |name| PublicationDirectory::open(&directory.join("publish"), name).map(Arc::new);
    let (complete, deltas) = (store("contoso")?, store("contoso-delta")?);
    let schedule = Schedule::default();
    let (point, loaded) = PublicationPoint::open(&issuer, "contoso", &*complete, schedule);
    loaded?;
    let point = Arc::new(point);
    let urls = vec!["http://pki.contoso.com/crl/contoso-delta.crl".to_owned()];
    let publisher = Publisher::of_parts(
        register.clone(),
        Arc::clone(&key),
        issuer,
        complete,
        Arc::clone(&point),
        schedule,
    );
    let publisher =
        publisher.with_deltas(deltas, schedule.delta_every(DAY), DeltaUse::Announced(urls));
    let publisher = Arc::new(publisher);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let server = PublicationServer::start(listener, point, Arc::new(now), Bounds::default())?;
    let running = Arc::clone(&publisher);
    let thread = std::thread::spawn(move || running.run(&now));
    let begun = Instant::now();
    while publisher.delta().is_none() {
        if begun.elapsed() > PATIENCE {
            return Err("no first delta".into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }

    let (mut served, mut signed, mut synced) = (Vec::new(), Vec::new(), Vec::new());
    let first_base = publisher.current().map(|crl| crl.number);
    let mut beside = Beside { key, file: File::create(directory.join("synced"))? };
    for number in 0..REVOCATIONS {
        std::thread::sleep(PAUSE);
        signed.push(beside.signature()?);
        synced.push(beside.sync()?);
        served.push(told(&register, &publisher, server.address(), 10_000_000 + number)?);
    }
    let (p50, p99) = (quantile(&mut served, 50), quantile(&mut served, 99));
    let own = quantile(&mut signed, 50) + quantile(&mut synced, 50);
    let entries = publisher.current().map_or(0, |crl| crl.entries);
    let bases = publisher.current().map(|crl| crl.number) != first_base;
    println!(
        "{before} revoked before: to the delta served p50 {}, p99 {}, longest {}; a signature {}, \
         a sync {} (p99 {}); p99 is {} over one of each, wanted {}",
        milliseconds(p50),
        milliseconds(p99),
        milliseconds(quantile(&mut served, 100)),
        milliseconds(quantile(&mut signed, 50)),
        milliseconds(quantile(&mut synced, 50)),
        milliseconds(quantile(&mut synced, 99)),
        milliseconds(p99.saturating_sub(own)),
        milliseconds(WANTED),
    );
    println!("the complete CRL has {entries} entries; it was made anew meanwhile: {bases}");
    publisher.stop();
    thread.join().map_err(|_| "the publisher panicked")?;
    server.stop();
    register.close()?;
    Ok(())
}

/// How long from the revocation until a delta is served that lists it.
fn told(
    register: &LedgerRegister,
    publisher: &Publisher,
    address: SocketAddr,
    number: u64,
) -> Outcome<Duration> {
    let begun = Instant::now();
    let act = revocation(number, RevocationReason::KeyCompromise);
    register.commit(vec![entry(act)], Urgency::Reserved)?;
    let sequence = register.head().sequence;
    publisher.demand(sequence);
    publisher.wait_for(sequence, PATIENCE).ok_or("no CRL")?;
    let serial = serial(number);
    let wanted = serial.as_der_content();
    // A complete CRL may have told it first; the delta follows.
    while begun.elapsed() < PATIENCE {
        let delta = fetch(address, "/crl/contoso-delta.crl")?;
        if delta.windows(wanted.len()).any(|octets| octets == wanted) {
            return Ok(begun.elapsed());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Err("no delta lists it".into())
}

/// What none can do without: a signature, and a commit's octets on the disk.
struct Beside {
    key: Arc<dyn CaKey>,
    file: File,
}

impl Beside {
    fn signature(&self) -> Outcome<Duration> {
        let begun = Instant::now();
        self.key.sign(&[7; 500])?;
        Ok(begun.elapsed())
    }

    fn sync(&mut self) -> Outcome<Duration> {
        let begun = Instant::now();
        self.file.write_all(&[7; 500])?;
        self.file.sync_data()?;
        Ok(begun.elapsed())
    }
}

fn fetch(address: SocketAddr, path: &str) -> Outcome<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: pki\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    if answer.starts_with(b"HTTP/1.1 200") {
        Ok(answer)
    } else {
        Err(format!("{path} was not answered").into())
    }
}

fn quantile(times: &mut [Duration], hundredths: usize) -> Duration {
    times.sort();
    let last = times.len().saturating_sub(1);
    times.get(last * hundredths / 100).copied().unwrap_or_default()
}
