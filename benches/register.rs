//! The register by itself: commits a second from many threads, then memory, start and lookups
//! with many certificates in it.
//!
//! ```text
//! cargo bench --bench register -- commits [seconds]
//! cargo bench --bench register -- fill [certificates] [directory]
//! cargo bench --bench register -- revoke [certificates] [directory]
//! ```
//! `fill` then opens the register again, clean and as after a power cut, each in a process of its
//! own, so that its memory is that of a service that has just started.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chancery::pki::revocation_list::CrlScope;
use chancery::pki::serial::SerialNumber;
use chancery::pki::time::Timestamp;
use chancery::storage::act::{
    Act, CertificateIssued, CertificateRevoked, Entry, RequestReceived, SerialReserved,
};
use chancery::storage::open::{Scrub, Trust};
use chancery::storage::{
    CertificateFilter, CertificateStatus, LedgerRegister, Options, Page, Register, Urgency, open,
};

type Done = Result<(), Box<dyn std::error::Error>>;

fn main() -> Done {
    let arguments: Vec<String> = std::env::args().filter(|word| word != "--bench").collect();
    let word = |at: usize| arguments.get(at).map(String::as_str);
    let number = |at: usize, usual: u64| word(at).map_or(Ok(usual), str::parse);
    match word(1) {
        None | Some("commits") => commits(number(2, 5)?),
        Some("fill") => fill(number(2, 100_000)?, word(3).map(Path::new)),
        Some("revoke") => revoke(number(2, 100_000)?, word(3).map(Path::new)),
        Some("reopen") => reopen(&arguments[2..]),
        Some(other) => Err(format!("{other}?").into()),
    }
}

const DAY: u64 = 86_400;
const NOW: u64 = 1_800_000_000;

/// Octets that do not repeat.
fn octets<const LENGTH: usize>(seed: u64) -> [u8; LENGTH] {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::array::from_fn(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
}

fn serial(id: u64) -> SerialNumber {
    let mut random = octets::<20>(id);
    random[12..].copy_from_slice(&id.to_be_bytes());
    random[0] |= 0x40;
    SerialNumber::from_random(random)
}

fn tbs(id: u64) -> Vec<u8> {
    let of = serial(id);
    let serial = of.as_der_content();
    let mut content = vec![2, serial.len() as u8];
    content.extend_from_slice(serial);
    content.extend_from_slice(&[0x30, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]);
    content.extend_from_slice(&octets::<900>(id));
    let length = (content.len() as u16).to_be_bytes();
    [vec![0x30, 0x82, length[0], length[1]], content].concat()
}

fn entry(id: u64, act: Act) -> Entry {
    Entry { at: NOW * 1000 + id, actor: Some(account(id)), act }
}

fn account(id: u64) -> String {
    format!("user{}", id / 2)
}

fn template(id: u64) -> String {
    ["VPNUserAuthentication", "VPNServerAuthentication", "NPSServerAuthentication", "User"]
        [(id.count_ones() % 4) as usize]
        .to_owned()
}

fn received(id: u64) -> Act {
    Act::RequestReceived(RequestReceived {
        request_id: id,
        account: account(id),
        template: template(id),
        csr: octets::<350>(id).to_vec(),
        idempotency: None,
        renewal: None,
        signers: Vec::new(),
        described: None,
    })
}

fn reserved(id: u64) -> Act {
    let serial = serial(id).as_der_content().to_vec();
    Act::SerialReserved(SerialReserved { request_id: id, serial, tbs: tbs(id), scope: None })
}

fn issued(id: u64) -> Act {
    Act::CertificateIssued(CertificateIssued {
        request_id: id,
        signature: octets::<71>(id).to_vec(),
        sha1: octets(id ^ 1 << 40),
        sha256: octets(id ^ 1 << 41),
        template: template(id),
        account: account(id),
        not_after: NOW + id % 730 * DAY,
        names: vec![account(id), format!("user{}@corp.example.com", id / 2)],
    })
}

fn start(data: &Path, trust: Trust) -> Result<Arc<LedgerRegister>, Box<dyn std::error::Error>> {
    Ok(open(Options { trust, scrub: Scrub::Not, ..Options::new(data) })?)
}

/// 32 threads, each recording a request with its reservation, then its certificate.
fn commits(seconds: u64) -> Done {
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let register = start(home.path(), Trust::AsRecorded)?;
    let stop = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicU64::new(0));
    let before = processor_time();
    let threads: Vec<_> = (0..32)
        .map(|_| {
            let (register, stop, done) =
                (Arc::clone(&register), Arc::clone(&stop), Arc::clone(&done));
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let id = register.next_request_id();
                    let first = vec![entry(id, received(id)), entry(id, reserved(id))];
                    let second = vec![entry(id, issued(id))];
                    for entries in [first, second] {
                        if register.commit(entries, Urgency::Ordinary).is_ok() {
                            done.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            })
        })
        .collect();
    std::thread::sleep(Duration::from_secs(seconds));
    stop.store(true, Ordering::Relaxed);
    for thread in threads {
        let _ = thread.join();
    }
    let done = done.load(Ordering::Relaxed);
    let spent = processor_time() - before;
    say(&format!(
        "{} commits/s, {} certificates/s; processor time {:.1} us a certificate, callers included",
        done / seconds,
        done / seconds / 2,
        spent / (done / 2) as f64 * 1e6,
    ));
    Ok(())
}

/// Many certificates, many to a sync, then what a service with them costs.
fn fill(certificates: u64, directory: Option<&Path>) -> Done {
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let data = directory.unwrap_or(home.path());
    let register = start(data, Trust::AsRecorded)?;
    let begun = Instant::now();
    let spent = processor_time();
    let from = register.next_request_id();
    for first in (from..=certificates).step_by(500) {
        let ids = first..(first + 500).min(certificates + 1);
        let acts =
            ids.flat_map(|id| [received(id), reserved(id), issued(id)].map(|act| entry(id, act)));
        register.commit(acts.collect(), Urgency::Ordinary)?;
        if first % 100_000 == 1 {
            say(&format!("{first}: {} MiB", resident()));
        }
    }
    say(&format!(
        "{certificates} certificates in {:.1} s, {:.1} us processor time each; {} MiB resident",
        begun.elapsed().as_secs_f64(),
        (processor_time() - spent) / certificates as f64 * 1e6,
        resident()
    ));
    let begun = Instant::now();
    register.close()?;
    drop(register);
    say(&format!("closed in {:.2} s", begun.elapsed().as_secs_f64()));
    for how in ["clean", "anew", "clean"] {
        let me = std::env::current_exe()?;
        Command::new(me).arg("reopen").arg(how).arg(data).arg(certificates.to_string()).status()?;
    }
    Ok(())
}

fn reopen(arguments: &[String]) -> Done {
    let [how, data, certificates] = arguments else { return Err("how, where, how many".into()) };
    let trust = if how == "anew" { Trust::Nothing } else { Trust::AsRecorded };
    let certificates: u64 = certificates.parse()?;
    let begun = Instant::now();
    let register = start(Path::new(data), trust)?;
    say(&format!("{how}: open in {:.2} s, {} MiB", begun.elapsed().as_secs_f64(), resident()));
    time("certificate by serial number", 2000, |turn| {
        register
            .certificate(&serial(turn * 7919 % certificates + 1))
            .map(|row| row.is_some() as usize)
    })?;
    let id = |turn: u64| turn * 7919 % certificates + 1;
    let now = Timestamp::from_seconds(NOW + 365 * DAY);
    let filters: [(&str, &dyn Fn(u64) -> CertificateFilter); 9] = [
        ("template", &|turn| CertificateFilter {
            template: Some(template(turn)),
            ..Default::default()
        }),
        ("account", &|turn| CertificateFilter {
            account: Some(account(id(turn))),
            ..Default::default()
        }),
        ("name", &|turn| CertificateFilter { name: Some(account(id(turn))), ..Default::default() }),
        ("sha1", &|turn| CertificateFilter {
            sha1: Some(octets(id(turn) ^ 1 << 40)),
            ..Default::default()
        }),
        ("sha256", &|turn| CertificateFilter {
            sha256: Some(octets(id(turn) ^ 1 << 41)),
            ..Default::default()
        }),
        ("expiring before", &|_| CertificateFilter {
            expires_before: Some(Timestamp::from_seconds(NOW + 2 * DAY)),
            ..Default::default()
        }),
        ("good", &|_| CertificateFilter {
            status: Some((CertificateStatus::Good, now)),
            ..Default::default()
        }),
        ("expired", &|_| CertificateFilter {
            status: Some((CertificateStatus::Expired, now)),
            ..Default::default()
        }),
        ("revoked", &|_| CertificateFilter {
            status: Some((CertificateStatus::Revoked, now)),
            ..Default::default()
        }),
    ];
    for (name, filter) in filters {
        time(&format!("page of 50 by {name}"), 50, |turn| {
            let page = Page { after: None, limit: 50 };
            register.certificates(&filter(turn), page).map(|listing| listing.rows.len())
        })?;
    }
    say(&format!("{} MiB after the lookups", resident()));
    Ok(())
}

/// Revokes so many, then asks for the CRL's entries.
fn revoke(certificates: u64, directory: Option<&Path>) -> Done {
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let data = directory.unwrap_or(home.path());
    let register = start(data, Trust::AsRecorded)?;
    let begun = Instant::now();
    for first in (1..=certificates).step_by(500) {
        let ids = first..(first + 500).min(certificates + 1);
        let acts = ids.map(|id| {
            entry(
                id,
                Act::CertificateRevoked(CertificateRevoked {
                    serial: serial(id).as_der_content().to_vec(),
                    revoked_at: NOW * 1000,
                    reason: 4,
                    invalidity_date: None,
                    not_after: Some(NOW + id % 730 * DAY),
                    key_sha256: None,
                    scope: None,
                }),
            )
        });
        register.commit(acts.collect(), Urgency::Reserved)?;
    }
    let each = begun.elapsed().as_secs_f64() / certificates as f64 * 1e6;
    say(&format!("{certificates} revoked, {each:.1} us each; {} MiB resident", resident()));
    for (what, seconds) in [
        ("nothing to drop", 0),
        ("nothing to drop", 0),
        ("a day dropped", DAY),
        ("nothing to drop", DAY),
    ] {
        let begun = Instant::now();
        let entries =
            register.crl_entries(CrlScope::FIRST, Timestamp::from_seconds(NOW + seconds))?;
        let took = begun.elapsed().as_secs_f64() * 1e3;
        say(&format!(
            "{what}: {} entries, {} octets in {took:.1} ms",
            entries.count, entries.length
        ));
    }
    Ok(())
}

fn time<E: std::error::Error + 'static>(
    what: &str,
    turns: u64,
    look: impl Fn(u64) -> Result<usize, E>,
) -> Done {
    let begun = Instant::now();
    let mut rows = 0;
    for turn in 0..turns {
        rows += look(turn)?;
    }
    let each = begun.elapsed().as_secs_f64() / turns as f64 * 1e6;
    say(&format!("  {what}: {each:.0} us ({rows} rows in {turns} turns)"));
    Ok(())
}

/// Resident memory of this process, in MiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes =
        line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok());
    kilobytes.unwrap_or_default() / 1024
}

/// Processor time of this process so far, in seconds.
fn processor_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 =
        rest.split_whitespace().skip(11).take(2).filter_map(|it| it.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

#[expect(clippy::print_stdout, reason = "figures are what this program is for")]
fn say(line: &str) {
    println!("{line}");
}
