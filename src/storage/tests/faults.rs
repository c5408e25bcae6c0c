//! Every file operation fails once, before or after it took effect.

use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::pki::revocation_list::CrlScope;
use crate::storage::ledger::disk::{Disk, FileDisk};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Write,
    Sync,
    Truncate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Before,
    /// Half of a write, or none of another operation.
    Halfway,
    After,
}

/// Fails one operation, the `nth` of its kind, and reports free space as told.
struct FaultyDisk {
    disk: FileDisk,
    operation: Operation,
    nth: u64,
    when: When,
    kind: ErrorKind,
    seen: AtomicU64,
    free: Arc<AtomicU64>,
}

impl FaultyDisk {
    fn meet(
        &self,
        operation: Operation,
        half: &dyn Fn(),
        whole: &dyn Fn() -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        if operation != self.operation || self.seen.fetch_add(1, Ordering::SeqCst) + 1 != self.nth {
            return whole();
        }
        match self.when {
            When::Before => {}
            When::Halfway => half(),
            When::After => whole()?,
        }
        Err(Error::from(self.kind))
    }
}

impl Disk for FaultyDisk {
    fn write_at(&self, bytes: &[u8], offset: u64) -> std::io::Result<()> {
        let half = || self.disk.write_at(&bytes[..bytes.len() / 2], offset).unwrap();
        self.meet(Operation::Write, &half, &|| self.disk.write_at(bytes, offset))
    }

    fn sync(&self) -> std::io::Result<()> {
        self.meet(Operation::Sync, &|| {}, &|| self.disk.sync())
    }

    fn truncate(&self, length: u64) -> std::io::Result<()> {
        self.meet(Operation::Truncate, &|| {}, &|| self.disk.truncate(length))
    }

    fn free_space(&self) -> std::io::Result<u64> {
        Ok(self.free.load(Ordering::SeqCst))
    }

    fn has_reserve(&self, octets: u64) -> bool {
        self.disk.has_reserve(octets)
    }

    fn make_reserve(&self, octets: u64) -> std::io::Result<()> {
        self.disk.make_reserve(octets)
    }

    fn free_reserve(&self) -> std::io::Result<()> {
        self.disk.free_reserve()
    }
}

/// Octets that must be free.
const LOW_SPACE: u64 = 1000;

fn faulty(
    data: &std::path::Path,
    operation: Operation,
    nth: u64,
    when: When,
    kind: ErrorKind,
    free: &Arc<AtomicU64>,
) -> Arc<LedgerRegister> {
    let free = Arc::clone(free);
    let wrap = move |disk| {
        let seen = AtomicU64::new(0);
        Box::new(FaultyDisk { disk, operation, nth, when, kind, seen, free }) as Box<dyn Disk>
    };
    open(Options { disk: Some(Box::new(wrap)), low_space: LOW_SPACE, ..options(data) }).unwrap()
}

fn request(register: &LedgerRegister, urgency: Urgency) -> (u64, Result<(), StoreError>) {
    let id = register.next_request_id();
    (id, register.commit(vec![entry(id, received(id, "bob", "User"))], urgency))
}

#[test]
fn a_failed_write_or_sync_ends_all_commits_and_loses_nothing_acknowledged() {
    let plenty = Arc::new(AtomicU64::new(u64::MAX));
    for operation in [Operation::Write, Operation::Sync] {
        for when in [When::Before, When::Halfway, When::After] {
            for nth in 1..4 {
                let home = tempfile::tempdir().unwrap();
                let kind = ErrorKind::Other;
                let register = faulty(home.path(), operation, nth, when, kind, &plenty);
                let mut acknowledged = Vec::new();
                for turn in 1..=5 {
                    let (id, outcome) = request(&register, Urgency::Reserved);
                    assert_eq!(outcome.is_ok(), turn < nth, "{operation:?} {when:?} {nth}");
                    if outcome.is_ok() {
                        acknowledged.push(id);
                    } else {
                        assert!(matches!(outcome, Err(StoreError::Poisoned(_))));
                    }
                }
                assert!(register.health().poisoned.is_some());
                // Only what is acknowledged is ever seen by this process.
                assert_eq!(register.head().sequence, nth - 1);
                drop(register);
                for options in [options(home.path()), distrusting(home.path())] {
                    let register = open(options).unwrap();
                    assert_eq!(register.health(), Health::default());
                    assert!(acknowledged.iter().all(|id| register.request(*id).unwrap().is_some()));
                    assert!((nth - 1..=nth).contains(&register.head().sequence));
                    drop(register);
                }
                let register = open(options(home.path())).unwrap();
                assert!(request(&register, Urgency::Ordinary).1.is_ok());
            }
        }
    }
}

#[test]
fn a_full_disk_refuses_issues_and_still_revokes() {
    let plenty = Arc::new(AtomicU64::new(u64::MAX));
    for when in [When::Before, When::Halfway] {
        let home = tempfile::tempdir().unwrap();
        let full = ErrorKind::StorageFull;
        let register = faulty(home.path(), Operation::Write, 2, when, full, &plenty);
        let (first, outcome) = request(&register, Urgency::Ordinary);
        outcome.unwrap();
        let reserve = home.path().join("reserve");
        assert!(reserve.exists());
        // The second write fails: refused, nothing of it is on record, and the ledger goes on.
        let (second, outcome) = request(&register, Urgency::Ordinary);
        assert!(matches!(outcome, Err(StoreError::Full)));
        assert!(reserve.exists() && register.health().full.is_some());
        let act = revoked(serial(77), 5, 1, None);
        register.commit(vec![entry(9, act)], Urgency::Reserved).unwrap();
        assert!(register.revocation(&serial(77)).unwrap().is_some());
        drop(register);
        let register = open(distrusting(home.path())).unwrap();
        assert!(register.request(first).unwrap().is_some());
        assert!(register.request(second).unwrap().is_none());
        assert!(register.revocation(&serial(77)).unwrap().is_some());
        assert_eq!(register.health(), Health::default());
    }
}

#[test]
fn a_revocation_that_meets_the_full_disk_itself_takes_the_reserve() {
    let plenty = Arc::new(AtomicU64::new(u64::MAX));
    let home = tempfile::tempdir().unwrap();
    let full = ErrorKind::StorageFull;
    let register = faulty(home.path(), Operation::Write, 1, When::Halfway, full, &plenty);
    let act = revoked(serial(77), 5, 1, None);
    register.commit(vec![entry(9, act)], Urgency::Reserved).unwrap();
    assert!(!home.path().join("reserve").exists());
    assert!(register.revocation(&serial(77)).unwrap().is_some());
}

#[test]
fn little_space_is_seen_before_the_disk_is_full() {
    let free = Arc::new(AtomicU64::new(999));
    let home = tempfile::tempdir().unwrap();
    let never = ErrorKind::Other;
    let register = faulty(home.path(), Operation::Write, 99, When::Before, never, &free);
    while register.health().full.is_none() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(matches!(request(&register, Urgency::Ordinary).1, Err(StoreError::Full)));
    request(&register, Urgency::Reserved).1.unwrap();
    free.store(u64::MAX, Ordering::SeqCst);
    while register.health().full.is_some() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    request(&register, Urgency::Ordinary).1.unwrap();
    assert!(home.path().join("reserve").exists());
}

#[test]
fn what_a_spent_reserve_leaves_free_is_not_for_issuing() {
    let free = Arc::new(AtomicU64::new(u64::MAX));
    let home = tempfile::tempdir().unwrap();
    let never = ErrorKind::Other;
    let register = faulty(home.path(), Operation::Write, 99, When::Before, never, &free);
    let reserve = home.path().join("reserve");
    let becomes = |full: bool| {
        while register.health().full.is_some() != full {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    };
    while !reserve.exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let set_aside = options(home.path()).reserve;
    // With the reserve there, the minimum is all that must be free.
    free.store(LOW_SPACE, Ordering::SeqCst);
    // The space is looked at before every commit.
    request(&register, Urgency::Reserved).1.unwrap();
    assert_eq!(register.health().full, None);
    // It was spent: its space is free now, and for nobody but who revokes and publishes.
    std::fs::remove_file(&reserve).unwrap();
    free.store(LOW_SPACE + set_aside - 1, Ordering::SeqCst);
    becomes(true);
    assert!(matches!(request(&register, Urgency::Ordinary).1, Err(StoreError::Full)));
    request(&register, Urgency::Reserved).1.unwrap();
    free.store(LOW_SPACE + set_aside, Ordering::SeqCst);
    becomes(false);
    assert!(reserve.exists());
}

#[test]
fn an_unfinished_commit_that_cannot_be_taken_back_ends_all_commits() {
    let plenty = Arc::new(AtomicU64::new(u64::MAX));
    let home = tempfile::tempdir().unwrap();
    let kind = ErrorKind::StorageFull;
    // Every write would fail the same way; here the truncation after it does too.
    let wrap = {
        let free = Arc::clone(&plenty);
        move |disk| {
            let seen = AtomicU64::new(0);
            let (operation, nth, when) = (Operation::Write, 1, When::Halfway);
            let first = FaultyDisk { disk, operation, nth, when, kind, seen, free };
            Box::new(NoTruncation(first)) as Box<dyn Disk>
        }
    };
    let options = Options { disk: Some(Box::new(wrap)), ..options(home.path()) };
    let register = open(options).unwrap();
    assert!(matches!(request(&register, Urgency::Ordinary).1, Err(StoreError::Poisoned(_))));
    drop(register);
    assert_eq!(open(super::options(home.path())).unwrap().head().sequence, 0);
}

struct NoTruncation(FaultyDisk);

impl Disk for NoTruncation {
    fn write_at(&self, bytes: &[u8], offset: u64) -> std::io::Result<()> {
        self.0.write_at(bytes, offset)
    }
    fn sync(&self) -> std::io::Result<()> {
        self.0.sync()
    }
    fn truncate(&self, _: u64) -> std::io::Result<()> {
        Err(Error::from(ErrorKind::Other))
    }
    fn free_space(&self) -> std::io::Result<u64> {
        self.0.free_space()
    }
    fn has_reserve(&self, octets: u64) -> bool {
        self.0.has_reserve(octets)
    }
    fn make_reserve(&self, octets: u64) -> std::io::Result<()> {
        self.0.make_reserve(octets)
    }
    fn free_reserve(&self) -> std::io::Result<()> {
        self.0.free_reserve()
    }
}

#[test]
fn damage_refuses_issues_but_not_reading_nor_revoking_and_stays_known() {
    let home = tempfile::tempdir().unwrap();
    let register = open(options(home.path())).unwrap();
    let ids: Vec<u64> = (0..4).map(|_| request(&register, Urgency::Ordinary).0).collect();
    drop(register);
    let ledger = home.path().join("ledger");
    let mut octets = std::fs::read(&ledger).unwrap();
    octets[frame_start() + 60] ^= 1;
    std::fs::write(&ledger, octets).unwrap();
    // Clean, so nobody reads it at once; the scrub finds it.
    let scrubbed = Options { scrub: Scrub::InBackground, ..options(home.path()) };
    let register = open(scrubbed).unwrap();
    while register.health().damaged.is_none() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    drop(register);
    for options in [options(home.path()), distrusting(home.path())] {
        let register = open(options).unwrap();
        assert!(register.health().damaged.is_some());
        assert!(matches!(request(&register, Urgency::Ordinary).1, Err(StoreError::Damaged(_))));
        assert!(register.request(ids[3]).unwrap().is_some());
        let act = revoked(serial(78), 5, 1, None);
        register.commit(vec![entry(9, act)], Urgency::Reserved).unwrap();
        assert_eq!(
            register.crl_entries(CrlScope::FIRST, Timestamp::from_millis(0)).unwrap().count,
            1
        );
    }
    assert!(
        !std::fs::read_dir(home.path())
            .unwrap()
            .any(|file| { file.unwrap().file_name().to_string_lossy().contains("cut") })
    );
}

fn frame_start() -> usize {
    usize::try_from(ledger::frame::HEADER_LENGTH).unwrap()
}
