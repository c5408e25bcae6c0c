//! The process that is killed, and the check of what it acknowledged.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use chancery::pki::revocation_list::CrlScope;
use chancery::pki::serial::SerialNumber;
use chancery::pki::time::Timestamp;
use chancery::storage::act::{
    Act, CertificateIssued, CertificateRevoked, Entry, RequestReceived, SerialReserved,
    TokenCreated, TokenUse,
};
use chancery::storage::{Health, Options, Register, StoreError, Urgency, open};

/// Set for the process that writes: where.
const DATA: &str = "CHANCERY_CRASH_DATA";

/// If this process is the one that writes, does so until it is killed.
pub fn write_if_told() {
    let Some(data) = std::env::var_os(DATA) else { return };
    let register = open(Options::new(&data)).unwrap();
    let threads: Vec<_> = (0..16)
        .map(|_| {
            let register = Arc::clone(&register);
            std::thread::spawn(move || {
                loop {
                    write_one(register.as_ref());
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

fn write_one(register: &dyn Register) {
    let id = register.next_request_id();
    let commit = |acts: Vec<Act>, urgency| {
        let entries = acts.into_iter().map(|act| Entry { at: id, actor: None, act });
        register.commit(entries.collect(), urgency)
    };
    let serial = serial(id).as_der_content().to_vec();
    let account = format!("user{}", id % 7);
    let received = Act::RequestReceived(RequestReceived {
        request_id: id,
        account: account.clone(),
        template: "User".to_owned(),
        csr: vec![0; 300],
        idempotency: None,
        renewal: None,
        signers: Vec::new(),
        described: None,
    });
    let tbs = tbs(id);
    let reserved = SerialReserved { request_id: id, serial: serial.clone(), tbs, scope: None };
    let mut arrived = vec![received, Act::SerialReserved(reserved)];
    if by_token(id) {
        // A request number that was given before the crash and never recorded comes again; its
        // token may be on record since.
        match commit(vec![Act::TokenCreated(token(id))], Urgency::Ordinary) {
            Ok(()) | Err(StoreError::AlreadyThere(_)) => {}
            Err(error) => panic!("{error}"),
        }
        arrived.push(Act::TokenUsed(TokenUse { id: token(id).id, request_id: id }));
    }
    if commit(arrived, Urgency::Ordinary).is_ok() {
        acknowledge('R', id);
    }
    let issued = CertificateIssued {
        request_id: id,
        signature: vec![1; 70],
        sha1: [0; 20],
        sha256: [0; 32],
        template: "User".to_owned(),
        account: account.clone(),
        not_after: u64::from(u32::MAX),
        names: vec![account],
    };
    if commit(vec![Act::CertificateIssued(issued)], Urgency::Ordinary).is_ok() {
        acknowledge('I', id);
    }
    if id.is_multiple_of(3) {
        let revoked = CertificateRevoked {
            serial,
            revoked_at: id,
            reason: 4,
            invalidity_date: None,
            not_after: None,
            key_sha256: None,
            scope: None,
        };
        if commit(vec![Act::CertificateRevoked(revoked)], Urgency::Reserved).is_ok() {
            acknowledge('V', id);
        }
    }
}

/// One short write to the pipe, which outlives the process.
fn acknowledge(what: char, id: u64) {
    let line = format!("\n{what} {id}\n");
    // Nobody listens any more only once the process is about to be killed.
    let _ = std::io::stdout().lock().write_all(line.as_bytes());
    let _ = std::io::stdout().lock().flush();
}

/// Every fourth request comes by a one-time token of its own.
fn by_token(id: u64) -> bool {
    id.is_multiple_of(4)
}

fn token(id: u64) -> TokenCreated {
    let mut sha256 = [0; 32];
    sha256[..8].copy_from_slice(&id.to_be_bytes());
    TokenCreated {
        id: format!("t{id}"),
        sha256,
        account: format!("user{}", id % 7),
        expires_at: u64::MAX,
        description: None,
        template: Some("User".to_owned()),
        single_use: true,
    }
}

fn serial(id: u64) -> SerialNumber {
    let mut octets = [0x22; 20];
    octets[12..].copy_from_slice(&id.to_be_bytes());
    SerialNumber::from_random(octets)
}

fn tbs(id: u64) -> Vec<u8> {
    let of = serial(id);
    let mut content = [vec![2, 20], of.as_der_content().to_vec()].concat();
    content.extend_from_slice(&[0x30, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]);
    content.extend_from_slice(&[0; 500]);
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [vec![0x30, 0x82, length[0], length[1]], content].concat()
}

/// Starts this test program again as the process that writes.
pub fn start(test: &str, data: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(DATA, data)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What was acknowledged, once the process is dead: letter and number.
pub fn acknowledged(child: &mut Child) -> BTreeSet<(char, u64)> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let read = |line: String| {
        let (what, id) = line.split_once(' ')?;
        let what = what.parse().ok().filter(|what| "RIV".contains(*what))?;
        Some((what, id.parse().ok()?))
    };
    lines.filter_map(read).collect()
}

/// Opens the register and looks for everything that was acknowledged, in this round or earlier.
pub fn check(data: &Path, acknowledged: &BTreeSet<(char, u64)>) {
    let register = open(Options::new(data)).unwrap();
    assert_eq!(register.health(), Health::default());
    let mut revoked = 0;
    for (what, id) in acknowledged {
        let found = match what {
            'R' => {
                register.request(*id).unwrap().is_some_and(|row| row.serial == Some(serial(*id)))
            }
            'I' => register.certificate(&serial(*id)).unwrap().is_some(),
            _ => {
                revoked += 1;
                register.revocation(&serial(*id)).unwrap().is_some()
            }
        };
        assert!(found, "{what} {id} was acknowledged and is lost");
    }
    let entries = register.crl_entries(CrlScope::FIRST, Timestamp::from_millis(0)).unwrap();
    // A revocation may be on record although its acknowledgement did not get out.
    assert!((revoked..=revoked + 16 * 20).contains(&entries.count), "{} entries", entries.count);
    for orphan in register.orphans().unwrap() {
        assert!(!acknowledged.contains(&('I', orphan.request.request_id)));
    }
    // A one-time token is spent if and only if the request that spent it is on record.
    for row in register.tokens(None, usize::MAX).unwrap() {
        let id: u64 = row.token.id[1..].parse().unwrap();
        let on_record = register.request(id).unwrap().map(|_| id);
        assert_eq!(row.used.map(|(_, request_id)| request_id), on_record, "token of {id}");
    }
    let last = acknowledged.iter().map(|(_, id)| *id).max().unwrap_or_default();
    assert!(register.next_request_id() > last, "a request number would be given twice");
}
