//! What a clock that was ahead dropped comes back: the files are exchanged for some that were made
//! anew from the ledger. Otherwise every list would be made from all of the ledger until the clock
//! is where it was.

use std::os::unix::fs::FileExt;
use std::sync::PoisonError;

use super::changes::{changed_after, length_of};
use super::slots::{SLOT, Slot};
use super::{Inner, Revoked, SLOTS, file};
use crate::storage::StoreError;
use crate::storage::datadir::doing;

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// The others have nothing any more.
    Done,
    /// More was dropped meanwhile than the others have: all is as it was.
    Outrun,
}

impl Revoked {
    /// Takes the files of `fresh` in place of its own, and adds what came meanwhile.
    pub fn exchange_for(&self, fresh: &Self) -> Result<Exchange, StoreError> {
        self.exchange(fresh).map_err(|error| doing("renewing", &self.directory, &error))
    }

    fn exchange(&self, fresh: &Self) -> std::io::Result<Exchange> {
        let _alone = self.compacting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut theirs = fresh.lock();
        let mut inner = self.lock();
        if inner.dropped_up_to > theirs.reflected {
            return Ok(Exchange::Outrun);
        }
        theirs.add_later(&inner)?;
        // Slots come last, as in a compaction: their name is what counts at start.
        let generation = inner.generation + 1;
        for name in ["entries", SLOTS] {
            std::fs::rename(
                file(&fresh.directory, name, theirs.generation),
                file(&self.directory, name, generation),
            )?;
        }
        let (entries, slots) = (theirs.entries.try_clone()?, theirs.slots.try_clone()?);
        let theirs = std::mem::replace(&mut *theirs, Inner::empty(0, entries, slots));
        let old = std::mem::replace(&mut *inner, Inner { generation, ..theirs });
        drop(inner);
        for name in [SLOTS, "entries"] {
            std::fs::remove_file(file(&self.directory, name, old.generation))?;
        }
        Ok(Exchange::Done)
    }
}

impl Inner {
    /// Adds what `other` has of later ledger entries: nothing of that was dropped there.
    fn add_later(&mut self, other: &Self) -> std::io::Result<()> {
        let later = changed_after(&other.slots, other.slot_count, self.reflected)?;
        let length = later.iter().map(length_of).sum::<u64>();
        let mut entries = vec![0; length as usize];
        other.entries.read_exact_at(&mut entries, other.length - length)?;
        // A removal that was carried out there is yet to be carried out here.
        let later: Vec<Slot> = later.into_iter().map(Slot::yet_to_be_carried_out).collect();
        let slots: Vec<u8> = later.iter().flat_map(Slot::encode).collect();
        self.entries.write_all_at(&entries, self.length)?;
        self.slots.write_all_at(&slots, self.slot_count * SLOT as u64)?;
        later.iter().for_each(|slot| self.count(slot));
        self.reflected = self.reflected.max(other.reflected);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::revocation::{Revocation, RevocationReason};
    use crate::pki::revocation_list::CrlScope;
    use crate::pki::time::Timestamp;
    use crate::storage::CrlEntries;
    use crate::storage::index::apply::CrlChange;
    use crate::storage::tests::serial;

    const AHEAD: Timestamp = Timestamp::NEVER;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    /// A revocation as a ledger entry, of a certificate that ends at 1000 where its number is odd.
    fn revoked(sequence: u64, number: u32) -> (u64, CrlChange) {
        let (revoked_at, reason) = (at(sequence), RevocationReason::CertificateHold);
        let change = CrlChange::Revoked {
            serial: serial(number),
            scope: CrlScope::FIRST.into(),
            revocation: Revocation { revoked_at, reason, invalidity_date: None },
            not_after: (number % 2 == 1).then(|| at(1000)),
            replaces: false,
        };
        (sequence, change)
    }

    fn released(sequence: u64, number: u32) -> (u64, CrlChange) {
        let (serial, scope) = (serial(number), CrlScope::FIRST.into());
        (sequence, CrlChange::Released { serial, scope, at: at(sequence) })
    }

    /// Of one who was on hold.
    fn revoked_for_good(sequence: u64, number: u32) -> (u64, CrlChange) {
        let (revoked_at, reason) = (at(sequence), RevocationReason::Superseded);
        let change = CrlChange::Revoked {
            serial: serial(number),
            scope: CrlScope::FIRST.into(),
            revocation: Revocation { revoked_at, reason, invalidity_date: None },
            not_after: None,
            replaces: true,
        };
        (sequence, change)
    }

    fn octets(entries: &CrlEntries) -> Vec<u8> {
        let mut octets = vec![0; entries.length as usize];
        entries.file.read_exact_at(&mut octets, 0).unwrap();
        octets
    }

    /// A directory for each.
    fn three() -> (tempfile::TempDir, [Revoked; 3]) {
        let home = tempfile::tempdir().unwrap();
        let made = ["own", "fresh", "whole"];
        let made = made.map(|name| Revoked::create(&home.path().join(name)).unwrap());
        (home, made)
    }

    #[test]
    fn everything_is_back_and_what_came_meanwhile_is_there() {
        let (home, [own, fresh, whole]) = three();
        let first = [revoked(1, 1), revoked(2, 2), revoked(3, 3), released(4, 2), revoked(5, 5)];
        let later = [revoked(6, 7), released(7, 3), revoked(8, 4)];
        own.apply(&first, 5).unwrap();
        assert_eq!(own.snapshot(AHEAD.minus_seconds(1)).unwrap().unwrap().count, 0);
        own.apply(&later, 9).unwrap();
        fresh.apply(&first, 5).unwrap();
        whole.apply(&first, 5).unwrap();
        whole.apply(&later, 9).unwrap();
        assert!(own.changes(0, at(10)).unwrap().is_none());
        assert!(own.as_kept(at(10)).unwrap().is_none() && own.snapshot(at(10)).unwrap().is_none());

        assert_eq!(own.exchange_for(&fresh).unwrap(), Exchange::Done);
        drop(fresh);
        std::fs::remove_dir_all(home.path().join("fresh")).unwrap();
        let mut own = own;
        for reopened in [false, true] {
            if reopened {
                own.sync().unwrap();
                own = Revoked::open(&home.path().join("own")).unwrap().unwrap();
                // As after a start: what it has already is passed over.
                own.apply(&first, 5).unwrap();
                own.apply(&later, 9).unwrap();
            }
            assert_eq!(std::fs::read_dir(home.path().join("own")).unwrap().count(), 2);
            for after in 0..9 {
                let [own, whole] =
                    [&own, &whole].map(|of| of.changes(after, at(10)).unwrap().unwrap());
                assert_eq!((own.count, own.sequence), (whole.count, 9), "since {after}");
                assert_eq!(octets(&own), octets(&whole), "since {after}");
            }
            let [kept, all] = [&own, &whole].map(|of| of.as_kept(at(10)).unwrap().unwrap());
            assert_eq!(octets(&kept), octets(&all));
        }
        let [own, whole] = [&own, &whole].map(|of| of.snapshot(at(10)).unwrap().unwrap());
        assert_eq!(octets(&own), octets(&whole));
    }

    /// A release that was carried out there meanwhile has yet to be carried out here.
    #[test]
    fn whoever_was_released_meanwhile_is_not_listed_again() {
        let (_home, [own, fresh, whole]) = three();
        let first = [revoked(1, 1), revoked(2, 2), revoked(3, 4)];
        let later = [released(4, 2), revoked_for_good(5, 4)];
        own.apply(&first, 3).unwrap();
        own.snapshot(AHEAD.minus_seconds(1)).unwrap();
        fresh.apply(&first, 3).unwrap();
        own.apply(&later, 5).unwrap();
        own.snapshot(AHEAD.minus_seconds(1)).unwrap();
        whole.apply(&first, 3).unwrap();
        whole.apply(&later, 5).unwrap();

        assert_eq!(own.exchange_for(&fresh).unwrap(), Exchange::Done);
        let [listed, all] = [&own, &whole].map(|of| of.snapshot(at(10)).unwrap().unwrap());
        assert_eq!((listed.count, octets(&listed)), (2, octets(&all)));
        let [told, all] = [&own, &whole].map(|of| of.changes(3, at(10)).unwrap().unwrap());
        assert_eq!((told.count, octets(&told)), (2, octets(&all)));
    }

    #[test]
    fn nothing_is_exchanged_for_less() {
        let (_home, [own, fresh, _]) = three();
        fresh.apply(&[revoked(1, 1)], 1).unwrap();
        own.apply(&[revoked(1, 1), revoked(2, 3)], 2).unwrap();
        // The clock is ahead once more, while the others are made.
        own.snapshot(AHEAD.minus_seconds(1)).unwrap();
        assert_eq!(own.exchange_for(&fresh).unwrap(), Exchange::Outrun);
        assert!(own.changes(0, at(10)).unwrap().is_none());
        assert_eq!(fresh.changes(0, at(10)).unwrap().unwrap().count, 1);
    }
}
