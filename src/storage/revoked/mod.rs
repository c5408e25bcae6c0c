//! The revoked serial numbers as encoded CRL entries, one after another in a file: the next CRL
//! is a header, this file, a trailer. Derived from the ledger; may be deleted.
//!
//! Entries are only appended, so a snapshot is an open file and a length. What must go (a hold
//! was released, a certificate has ended) goes when the next CRL is asked for: the file is
//! written anew beside the old one, which older snapshots go on reading. Absent: any table of
//! serial numbers in memory; which changes a delta CRL tells of is read from the end backward.
//! [`Revoked`] is one scope's; `scopes` has them all.

mod changes;
mod compaction;
pub mod restoration;
pub mod scopes;
pub mod slots;

use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::datadir::{doing, make_directory};
use super::index::apply::CrlChange;
use super::{CrlEntries, StoreError};
use crate::pki::revocation_list::CrlEntry;
use crate::pki::time::Timestamp;
use slots::{Change, SLOT, Slot};

/// What the slots are called; the name tells their format.
const SLOTS: &str = "slots2";

/// The files and what is known of them.
#[derive(Debug)]
pub struct Revoked {
    directory: PathBuf,
    inner: Mutex<Inner>,
    /// One compaction at a time.
    compacting: Mutex<()>,
}

/// One generation of the files.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) generation: u64,
    pub(super) entries: File,
    pub(super) slots: File,
    /// Octets of entries.
    pub(super) length: u64,
    pub(super) slot_count: u64,
    /// Entries, removed ones too.
    pub(super) entry_count: u64,
    /// Removals, which the next compaction carries out.
    pub(super) removals: u64,
    /// The earliest end among the entries, seconds.
    pub(super) earliest_end: u64,
    /// Number of the ledger entry that the last slot tells of.
    pub(super) last_slot: u64,
    /// Number of the last ledger entry that was looked at.
    pub(super) reflected: u64,
    /// Entries that ended before this second may have been dropped,
    pub(super) dropped_before: u64,
    /// if they are of this ledger entry or an earlier one.
    pub(super) dropped_up_to: u64,
}

impl Revoked {
    /// Opens the newest generation; `None` where there is none that can be used.
    pub fn open(directory: &Path) -> Result<Option<Self>, StoreError> {
        let Some(generation) = newest(directory) else { return Ok(None) };
        let open = |name: &str| {
            File::options().read(true).write(true).open(file(directory, name, generation))
        };
        let (Ok(entries), Ok(slots)) = (open("entries"), open(SLOTS)) else { return Ok(None) };
        let inner = Inner::load(generation, entries, slots)
            .map_err(|error| doing("reading", directory, &error))?;
        Ok(inner.map(|inner| Self {
            directory: directory.to_path_buf(),
            inner: Mutex::new(inner),
            compacting: Mutex::new(()),
        }))
    }

    /// Begins anew with empty files.
    pub fn create(directory: &Path) -> Result<Self, StoreError> {
        let failed = |error: &std::io::Error| doing("making", directory, error);
        match std::fs::remove_dir_all(directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed(&error));
            }
            _ => make_directory(directory)?,
        }
        let inner = Inner::create(directory, 1).map_err(|error| failed(&error))?;
        Ok(Self {
            directory: directory.to_path_buf(),
            inner: Mutex::new(inner),
            compacting: Mutex::new(()),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what a commit changed, in order; its last entry is number `reflected`. What the
    /// files have already is passed over.
    pub fn apply(&self, changes: &[(u64, CrlChange)], reflected: u64) -> Result<(), StoreError> {
        let mut inner = self.lock();
        inner.apply(changes).map_err(|error| doing("writing", &self.directory, &error))?;
        inner.reflected = reflected;
        Ok(())
    }

    /// Number of the last ledger entry that was looked at.
    fn reflected(&self) -> u64 {
        self.lock().reflected
    }

    /// Copies the files, as they are now, into the new files of `directory`.
    fn copy_to(&self, directory: &Path) -> Result<(), StoreError> {
        let inner = self.lock();
        for name in ["entries", SLOTS] {
            let (from, to) =
                (file(&self.directory, name, inner.generation), file(directory, name, 1));
            std::fs::copy(&from, &to).map_err(|error| doing("copying", &from, &error))?;
        }
        Ok(())
    }

    /// Syncs the files, for a clean stop.
    pub fn sync(&self) -> Result<(), StoreError> {
        let inner = self.lock();
        let synced = inner.entries.sync_all().and_then(|()| inner.slots.sync_all());
        synced.map_err(|error| doing("syncing", &self.directory, &error))
    }

    /// Every entry that was written and not yet dropped, removed ones too. `None`: some of
    /// certificates that are alive at `now` were dropped.
    pub fn as_kept(&self, now: Timestamp) -> Result<Option<CrlEntries>, StoreError> {
        let inner = self.lock();
        if inner.lacks_some_of(now, 0) {
            return Ok(None);
        }
        let file = inner.entries.try_clone();
        Ok(Some(CrlEntries {
            count: inner.entry_count,
            length: inner.length,
            file: file.map_err(|error| doing("reading", &self.directory, &error))?,
            sequence: inner.reflected,
        }))
    }

    /// The entries of the next CRL. `None`: some that are wanted now were dropped for an earlier
    /// call with a later `ended_before`; the files must be made anew from the ledger.
    pub fn snapshot(&self, ended_before: Timestamp) -> Result<Option<CrlEntries>, StoreError> {
        let failed = |error: std::io::Error| doing("reading", &self.directory, &error);
        let seconds = ended_before.millis().div_ceil(1000);
        loop {
            let inner = self.lock();
            if seconds < inner.dropped_before {
                return Ok(None);
            }
            if inner.removals == 0 && inner.earliest_end >= seconds {
                return Ok(Some(CrlEntries {
                    count: inner.entry_count,
                    length: inner.length,
                    file: inner.entries.try_clone().map_err(failed)?,
                    sequence: inner.reflected,
                }));
            }
            drop(inner);
            self.compact(seconds).map_err(failed)?;
        }
    }
}

fn file(directory: &Path, name: &str, generation: u64) -> PathBuf {
    directory.join(format!("{name}-{generation}"))
}

/// The generation with the highest number whose slots are there: they are named last.
fn newest(directory: &Path) -> Option<u64> {
    let names = std::fs::read_dir(directory)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter_map(|name| name.strip_prefix(SLOTS)?.strip_prefix('-')?.parse().ok()).max()
}

impl Inner {
    fn create(directory: &Path, generation: u64) -> std::io::Result<Self> {
        let create = |name: &str| {
            File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .open(file(directory, name, generation))
        };
        Ok(Self::empty(generation, create("entries")?, create(SLOTS)?))
    }

    pub(super) fn empty(generation: u64, entries: File, slots: File) -> Self {
        Self {
            generation,
            entries,
            slots,
            length: 0,
            slot_count: 0,
            entry_count: 0,
            removals: 0,
            earliest_end: u64::MAX,
            last_slot: 0,
            reflected: 0,
            dropped_before: 0,
            dropped_up_to: 0,
        }
    }

    /// Reads the slots. `None` where they and the entries do not fit together.
    fn load(generation: u64, entries: File, slots: File) -> std::io::Result<Option<Self>> {
        let whole = slots.metadata()?.len() / SLOT as u64;
        let there = entries.metadata()?.len();
        let mut inner = Self::empty(generation, entries, slots);
        let mut reader = BufReader::with_capacity(SLOT * 4096, inner.slots.try_clone()?);
        let mut octets = [0; SLOT];
        let mut last: Option<Slot> = None;
        for _ in 0..whole {
            reader.read_exact(&mut octets)?;
            let Some(slot) = Slot::decode(&octets) else { return Ok(None) };
            inner.count(&slot);
            last = Some(slot);
        }
        // A removal at the very end may be the first half of a replacement: it is made again.
        if let Some(Slot { change: Change::Removal { .. }, sequence, .. }) = last {
            inner.last_slot = sequence.saturating_sub(1);
        }
        if there < inner.length {
            return Ok(None);
        }
        inner.slots.set_len(inner.slot_count * SLOT as u64)?;
        inner.entries.set_len(inner.length)?;
        Ok(Some(inner))
    }

    pub(super) fn count(&mut self, slot: &Slot) {
        self.slot_count += 1;
        self.last_slot = self.last_slot.max(slot.sequence);
        match slot.change {
            Change::Entry { length, not_after } => {
                self.length += u64::from(length);
                self.entry_count += 1;
                self.earliest_end = self.earliest_end.min(not_after);
            }
            Change::Removal { .. } => self.removals += 1,
            Change::Removed { .. } => {}
            Change::Floor(before) => {
                self.dropped_before = before;
                self.dropped_up_to = slot.sequence;
            }
        }
    }

    /// Whether entries that came after ledger entry `after` may have been dropped though their
    /// certificates are alive at `now`: the clock was ahead when that was done.
    pub(super) fn lacks_some_of(&self, now: Timestamp, after: u64) -> bool {
        now.seconds() < self.dropped_before && after < self.dropped_up_to
    }

    fn apply(&mut self, changes: &[(u64, CrlChange)]) -> std::io::Result<()> {
        let mut encoded = Vec::new();
        let mut new = Vec::new();
        for (sequence, change) in changes {
            if *sequence <= self.last_slot {
                continue;
            }
            match change {
                CrlChange::Revoked { serial, revocation, not_after, replaces, .. } => {
                    let (serial, sequence) = (*serial, *sequence);
                    if *replaces {
                        let at = revocation.revoked_at.seconds();
                        new.push(Slot { serial, change: Change::Removal { at }, sequence });
                    }
                    let entry = CrlEntry::encode(serial, revocation);
                    let length = u16::try_from(entry.len()).unwrap_or(u16::MAX);
                    let change = Change::Entry { length, not_after: slots::end_of(*not_after) };
                    new.push(Slot { serial, change, sequence });
                    encoded.extend_from_slice(&entry);
                }
                CrlChange::Released { serial, at, .. } => {
                    let (serial, sequence) = (*serial, *sequence);
                    let change = Change::Removal { at: at.seconds() };
                    new.push(Slot { serial, change, sequence });
                }
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        let octets: Vec<u8> = new.iter().flat_map(Slot::encode).collect();
        self.entries.write_all_at(&encoded, self.length)?;
        self.slots.write_all_at(&octets, self.slot_count * SLOT as u64)?;
        new.iter().for_each(|slot| self.count(slot));
        Ok(())
    }
}
