//! What changed since a ledger entry, as the entries of a delta CRL (RFC 5280 §5.2.4): who is
//! revoked or held since then, and who was released since then whatever he was before.
//!
//! Read from the end of the slots backward, so that it costs what the changes cost, however many
//! entries stand before them. Memory: a slot for each change.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Revoked;
use super::slots::{Change, SLOT, Slot};
use crate::pki::revocation_list::DeltaEntry;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::storage::datadir::doing;
use crate::storage::{CrlEntries, StoreError};

/// Slots read at once.
const BLOCK: u64 = 1024;

/// Each call has a file of its own.
static CALLS: AtomicU64 = AtomicU64::new(0);

impl Revoked {
    /// The entries of a delta CRL: every serial number whose state changed after ledger entry
    /// `after`, as it stands now. Once a base has left out a certificate that has ended at `now`, it
    /// may be missing or be taken off here (RFC 5280 §5.2.4 allows both). `None`: one that has not
    /// ended may be; the files must be made anew from the ledger.
    pub fn changes(&self, after: u64, now: Timestamp) -> Result<Option<CrlEntries>, StoreError> {
        self.gather(after, now).map_err(|error| doing("reading", &self.directory, &error))
    }

    fn gather(&self, after: u64, now: Timestamp) -> std::io::Result<Option<CrlEntries>> {
        // What is appended later is not looked at; what is written anew leaves these files be.
        let (slots, entries, count, end, sequence) = {
            let inner = self.lock();
            if inner.lacks_some_of(now, after) {
                return Ok(None);
            }
            let (slots, entries) = (inner.slots.try_clone()?, inner.entries.try_clone()?);
            (slots, entries, inner.slot_count, inner.length, inner.reflected)
        };
        let changed = changed_after(&slots, count, after)?;
        let mut last: HashMap<SerialNumber, usize> = HashMap::with_capacity(changed.len());
        let (mut octets, mut offset) = (Vec::new(), end);
        for (place, slot) in changed.iter().enumerate() {
            last.insert(slot.serial, place);
            offset -= length_of(slot);
        }
        let file = self.nameless()?;
        let mut out = BufWriter::with_capacity(1 << 16, file);
        let (mut listed, mut length) = (0, 0);
        for (place, slot) in changed.iter().enumerate() {
            let from = offset;
            offset += length_of(slot);
            if last.get(&slot.serial) != Some(&place) {
                continue;
            }
            octets.clear();
            match slot.change {
                Change::Entry { length, .. } => {
                    octets.resize(usize::from(length), 0);
                    entries.read_exact_at(&mut octets, from)?;
                }
                Change::Removal { at } | Change::Removed { at } => {
                    let at = Timestamp::from_seconds(at);
                    octets = DeltaEntry::encode_removed(slot.serial, at);
                }
                Change::Floor(_) => continue,
            }
            out.write_all(&octets)?;
            listed += 1;
            length += octets.len() as u64;
        }
        let file = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        Ok(Some(CrlEntries { count: listed, length, file, sequence }))
    }

    /// A file that nobody else sees and that a crash leaves nothing of.
    fn nameless(&self) -> std::io::Result<File> {
        let name = format!("delta-{}", CALLS.fetch_add(1, Ordering::Relaxed));
        let path = self.directory.join(name);
        let file =
            File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
        std::fs::remove_file(&path)?;
        Ok(file)
    }
}

pub(super) fn length_of(slot: &Slot) -> u64 {
    match slot.change {
        Change::Entry { length, .. } => u64::from(length),
        _ => 0,
    }
}

/// The slots that tell of ledger entries after `after`, oldest first. They stand in the order of
/// the ledger, but for the floor, which is the first.
pub(super) fn changed_after(slots: &File, count: u64, after: u64) -> std::io::Result<Vec<Slot>> {
    let mut found = Vec::new();
    let mut end = count;
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        let mut octets = vec![0; (end - start) as usize * SLOT];
        slots.read_exact_at(&mut octets, start * SLOT as u64)?;
        for slot in octets.as_chunks().0.iter().rev() {
            let slot = Slot::decode(slot).ok_or_else(super::compaction::unreadable)?;
            if matches!(slot.change, Change::Floor(_)) {
                continue;
            }
            if slot.sequence <= after {
                found.reverse();
                return Ok(found);
            }
            found.push(slot);
        }
        end = start;
    }
    found.reverse();
    Ok(found)
}
