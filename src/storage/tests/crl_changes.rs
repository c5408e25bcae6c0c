//! What a delta CRL is made of, against a model: the changes of revocation state in the order of
//! the ledger, and the CRLs that reflect them.

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt;

use super::*;
use crate::pki::revocation_list::{CrlScope, DeltaEntry};

/// What happened, by ledger entry.
#[derive(Debug, Default)]
pub struct History {
    /// Ledger entry, whose, and the reason; none: released, at that second.
    changes: Vec<(u64, SerialNumber, Result<u8, u64>)>,
    /// Number, what it reflects, whether it was published.
    crls: Vec<(u64, u64, bool)>,
}

impl History {
    /// Notes an act that was recorded as ledger entry `sequence` at `at`.
    pub fn note(&mut self, sequence: u64, at: u64, act: &Act) {
        let serial = |octets: &[u8]| SerialNumber::from_der_content(octets).unwrap();
        match act {
            Act::CertificateRevoked(act) => {
                self.changes.push((sequence, serial(&act.serial), Ok(act.reason)));
            }
            Act::CertificateReleased(act) => {
                self.changes.push((sequence, serial(&act.serial), Err(at / 1000)));
            }
            Act::CrlIntended(act) => {
                self.crls.push((act.number, act.sequence.unwrap(), false));
            }
            Act::CrlPublished(act) => {
                let known = self.crls.iter_mut().find(|known| known.0 == act.number);
                known.unwrap().2 = true;
            }
            _ => {}
        }
    }

    /// The intention of a CRL of everything up to ledger entry `sequence`, or the publication of
    /// the one intended last.
    pub fn next_crl(&self, sequence: u64, publication: bool) -> Option<Act> {
        let last = self.crls.last().copied();
        if publication {
            let (number, ..) = last.filter(|(.., published)| !published)?;
            return Some(Act::CrlPublished(act::CrlPublished { number, size: 1, sha256: [1; 32] }));
        }
        Some(Act::CrlIntended(act::CrlIntended {
            number: last.map_or(1, |(number, ..)| number * 3),
            this_update: 0,
            next_update: 1,
            next_publish: 1,
            tbs_digest: vec![1],
            entries: 0,
            sequence: Some(sequence),
            base: None,
            oldest_held: None,
            freshest: None,
            scope: None,
        }))
    }

    /// Every delta that could be made, and what is asked about single certificates and CRLs.
    /// `ended` says whose entries may be gone.
    pub fn compare(&self, register: &dyn Register, ended: impl Fn(&SerialNumber) -> bool) {
        let mut last: BTreeMap<SerialNumber, (u64, Result<u8, u64>)> = BTreeMap::new();
        for (sequence, serial, change) in &self.changes {
            last.insert(*serial, (*sequence, *change));
        }
        let since = self.changes.iter().map(|(sequence, ..)| *sequence);
        for after in since.chain([0, u64::MAX]) {
            let expected: BTreeMap<_, _> = last
                .iter()
                .filter(|(_, (sequence, _))| *sequence > after)
                .map(|(serial, (_, change))| (*serial, *change))
                .collect();
            let got = changes(register, after, Timestamp::NEVER);
            for (serial, change) in &expected {
                let found = got.get(serial);
                // RFC 5280 §5.2.4: what has ended may be passed over, or taken off.
                let over = change.is_ok() && ended(serial) && !matches!(found, Some(Ok(_)));
                assert!(found == Some(change) || over, "{serial}: {found:?}, not {change:?}");
            }
            assert!(got.keys().all(|serial| expected.contains_key(serial)), "since {after}");
        }
        // By a clock at which nobody has ended, nobody is missing.
        let all: BTreeMap<_, _> =
            last.iter().map(|(serial, (_, change))| (*serial, *change)).collect();
        assert_eq!(changes(register, 0, Timestamp::from_seconds(0)), all);
        for (serial, (sequence, _)) in &last {
            assert_eq!(register.revocation_sequence(serial).unwrap(), Some(*sequence));
            let first = self
                .crls
                .iter()
                .find(|(_, reflects, published)| *published && reflects >= sequence);
            let found =
                register.first_crl(CrlScope::FIRST, *sequence).unwrap().map(|row| row.number);
            assert_eq!(found, first.map(|(number, ..)| *number), "{:?}", self.crls);
        }
        assert_eq!(register.revocation_sequence(&serial(999_999_999)).unwrap(), None);
    }
}

/// A clock that was ahead has ended certificates leave the files; they are alive when it is back.
#[test]
fn what_was_dropped_by_a_clock_that_was_ahead_is_told_by_the_right_one() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut register = open(options(&data)).unwrap();
    let put = |register: &LedgerRegister, at: u64, act: Act| {
        register.commit(vec![entry(at * 1000, act)], Urgency::Reserved).unwrap();
        register.head().sequence
    };
    // Held, then revoked for good: the hold's removal stays when both are dropped.
    put(&register, 1, revoked(serial(1), 1000, 6, Some(1000)));
    let held = put(&register, 2, revoked(serial(2), 2000, 6, Some(9000)));
    put(&register, 3, revoked(serial(1), 3000, 1, Some(1000)));
    put(&register, 4, revoked(serial(3), 4000, 1, Some(1000)));
    let expected = |after| {
        let all = [(held, serial(2), 6), (3, serial(1), 1), (4, serial(3), 1)];
        let told = all.into_iter().filter(|(sequence, ..)| *sequence > after);
        told.map(|(_, serial, reason)| (serial, Ok(reason))).collect::<BTreeMap<_, _>>()
    };
    let ahead = Timestamp::from_seconds(5000);
    for reopened in [false, true, true] {
        // Once more ahead.
        assert_eq!(register.crl_entries(CrlScope::FIRST, ahead).unwrap().count, 1);
        if reopened {
            register.close().unwrap();
            drop(register);
            register = open(options(&data)).unwrap();
        }
        assert_eq!(register.revoked_entries(CrlScope::FIRST, ahead).unwrap().count, 1);
        assert!(!changes(&*register, 0, ahead).get(&serial(1)).is_some_and(Result::is_ok));
        for after in 0..=4 {
            // The last second of the certificates.
            let told = changes(&*register, after, Timestamp::from_seconds(1000));
            assert_eq!(told, expected(after), "since {after}");
        }
        let kept = register.revoked_entries(CrlScope::FIRST, Timestamp::from_seconds(1000));
        assert!(kept.unwrap().count >= 3);
        // They are back where they were: the ledger is not read for every list.
        assert!(register.revoked_entries(CrlScope::FIRST, ahead).unwrap().count >= 3);
    }
    // What came after that is not dropped with it, and a release does not hide what was.
    let before = register.head().sequence;
    put(&register, 5, released(serial(2)));
    assert_eq!(register.crl_entries(CrlScope::FIRST, ahead).unwrap().count, 0);
    let now = Timestamp::from_seconds(900);
    let told = changes(&*register, before, now);
    assert_eq!(told, BTreeMap::from([(serial(2), Err(5))]));
    assert_eq!(changes(&*register, 3, now).get(&serial(3)), Some(&Ok(1)));
}

/// The entries of a delta, read back.
fn changes(
    register: &dyn Register,
    after: u64,
    now: Timestamp,
) -> BTreeMap<SerialNumber, Result<u8, u64>> {
    let entries = register.crl_changes(CrlScope::FIRST, after, now).unwrap();
    let mut octets = vec![0; usize::try_from(entries.length).unwrap()];
    entries.file.read_exact_at(&mut octets, 0).unwrap();
    assert_eq!(entries.file.metadata().unwrap().len(), entries.length);
    assert_eq!(entries.sequence, register.head().sequence);
    let mut found = BTreeMap::new();
    let mut rest = octets.as_slice();
    while !rest.is_empty() {
        let length = 2 + usize::from(rest[1]);
        let change = match DeltaEntry::decode(&rest[..length]).unwrap() {
            DeltaEntry::Listed(entry) => (entry.serial, Ok(entry.revocation.reason.code())),
            DeltaEntry::Removed { serial, removed_at } => (serial, Err(removed_at.seconds())),
        };
        assert!(found.insert(change.0, change.1).is_none(), "{} stands twice", change.0);
        rest = &rest[length..];
    }
    assert_eq!(found.len() as u64, entries.count);
    found
}
