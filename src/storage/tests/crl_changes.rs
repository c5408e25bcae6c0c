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
            let got = changes(register, after);
            for (serial, change) in &expected {
                let found = got.get(serial);
                // RFC 5280 §5.2.4: what has ended may be passed over, or taken off.
                let over = change.is_ok() && ended(serial) && !matches!(found, Some(Ok(_)));
                assert!(found == Some(change) || over, "{serial}: {found:?}, not {change:?}");
            }
            assert!(got.keys().all(|serial| expected.contains_key(serial)), "since {after}");
        }
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

/// The entries of a delta, read back.
fn changes(register: &dyn Register, after: u64) -> BTreeMap<SerialNumber, Result<u8, u64>> {
    let entries = register.crl_changes(CrlScope::FIRST, after).unwrap();
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
