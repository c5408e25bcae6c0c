//! Writing the entries anew without those that count no more.
//!
//! The long part runs beside new revocations; they are copied over in a short locked step at the
//! end. Two passes over the slots: one for the removals, one for what they leave.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;

use super::slots::{Change, SLOT, Slot};
use super::{Inner, Revoked, SLOTS, file};
use crate::pki::serial::SerialNumber;
use std::sync::PoisonError;

/// What the slots are called while they are being written.
const NEW_SLOTS: &str = "new-slots";

impl Revoked {
    /// Drops what was removed, and entries whose certificate ended before the second `ended`.
    pub(super) fn compact(&self, ended: u64) -> std::io::Result<()> {
        let _alone = self.compacting.lock().unwrap_or_else(PoisonError::into_inner);
        let (generation, entries, slots, count, floor) = {
            let inner = self.lock();
            if inner.removals == 0 && inner.earliest_end >= ended {
                return Ok(());
            }
            let entries = inner.entries.try_clone()?;
            let slots = inner.slots.try_clone()?;
            let ends = inner.earliest_end < ended;
            let (before, sequence) = match ends {
                true => (inner.dropped_before.max(ended), inner.last_slot),
                false => (inner.dropped_before, inner.dropped_up_to),
            };
            let serial = SerialNumber::from_random([0; 20]);
            let floor = Slot { serial, change: Change::Floor(before), sequence };
            (inner.generation + 1, entries, slots, inner.slot_count, floor)
        };
        let open = |name: &str| {
            File::options().read(true).write(true).create(true).truncate(true).open(file(
                &self.directory,
                name,
                generation,
            ))
        };
        // Named `slots-…` only once whole: that name is what counts at start.
        let (new_entries, new_slots) = (open("entries")?, open(NEW_SLOTS)?);
        let mut new = Inner::empty(generation, new_entries, new_slots);
        let removed = removals(&slots, count)?;
        let read_to = keep(&entries, &slots, count, &removed, ended, &floor, &mut new)?;

        let mut inner = self.lock();
        copy_rest(&inner, count, read_to, &mut new)?;
        new.reflected = inner.reflected;
        std::fs::rename(
            file(&self.directory, NEW_SLOTS, generation),
            file(&self.directory, SLOTS, generation),
        )?;
        let old = std::mem::replace(&mut *inner, new);
        drop(inner);
        for name in [SLOTS, "entries"] {
            std::fs::remove_file(file(&self.directory, name, old.generation))?;
        }
        Ok(())
    }
}

/// The last removal of each serial number that has one, by its place among the slots.
fn removals(slots: &File, count: u64) -> std::io::Result<HashMap<SerialNumber, u64>> {
    let mut removed = HashMap::new();
    each(slots, count, |place, slot| {
        if matches!(slot.change, Change::Removal { .. }) {
            removed.insert(slot.serial, place);
        }
        Ok(())
    })?;
    Ok(removed)
}

/// Copies what stays, and says how many octets of entries were read.
fn keep(
    entries: &File,
    slots: &File,
    count: u64,
    removed: &HashMap<SerialNumber, u64>,
    ended: u64,
    floor: &Slot,
    new: &mut Inner,
) -> std::io::Result<u64> {
    let mut reader = BufReader::with_capacity(1 << 18, At { file: entries, offset: 0 });
    let mut out = BufWriter::with_capacity(1 << 18, new.entries.try_clone()?);
    let mut slots_out = BufWriter::with_capacity(1 << 18, new.slots.try_clone()?);
    let mut entry = vec![0; usize::from(u16::MAX)];
    let mut read = 0;
    slots_out.write_all(&floor.encode())?;
    new.count(floor);
    each(slots, count, |place, slot| {
        let (length, not_after) = match slot.change {
            Change::Entry { length, not_after } => (length, not_after),
            // Carried out here, and kept for delta CRLs: they tell of it whatever the base.
            Change::Removal { at } | Change::Removed { at } => {
                let slot = Slot { change: Change::Removed { at }, ..*slot };
                slots_out.write_all(&slot.encode())?;
                new.count(&slot);
                return Ok(());
            }
            Change::Floor(_) => return Ok(()),
        };
        let entry = &mut entry[..usize::from(length)];
        reader.read_exact(entry)?;
        read += u64::from(length);
        if not_after >= ended && removed.get(&slot.serial).is_none_or(|removal| *removal < place) {
            out.write_all(entry)?;
            slots_out.write_all(&slot.encode())?;
            new.count(slot);
        }
        Ok(())
    })?;
    out.flush()?;
    slots_out.flush()?;
    Ok(read)
}

/// Slots that came meanwhile, with their entries; removals among them stay for the next time.
fn copy_rest(old: &Inner, count: u64, read_to: u64, new: &mut Inner) -> std::io::Result<()> {
    let mut octets = vec![0; (old.slot_count - count) as usize * SLOT];
    old.slots.read_exact_at(&mut octets, count * SLOT as u64)?;
    let mut entries = vec![0; (old.length - read_to) as usize];
    old.entries.read_exact_at(&mut entries, read_to)?;
    new.slots.write_all_at(&octets, new.slot_count * SLOT as u64)?;
    new.entries.write_all_at(&entries, new.length)?;
    for slot in octets.as_chunks().0 {
        let slot = Slot::decode(slot).ok_or_else(unreadable)?;
        new.count(&slot);
    }
    Ok(())
}

fn each(
    slots: &File,
    count: u64,
    mut look: impl FnMut(u64, &Slot) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut reader = BufReader::with_capacity(SLOT * 4096, At { file: slots, offset: 0 });
    let mut octets = [0; SLOT];
    for place in 0..count {
        reader.read_exact(&mut octets)?;
        look(place, &Slot::decode(&octets).ok_or_else(unreadable)?)?;
    }
    Ok(())
}

pub(super) fn unreadable() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, "a slot cannot be read")
}

/// Reads from a place of its own: clones of a file share the system's.
struct At<'a> {
    file: &'a File,
    offset: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let had = self.file.read_at(buffer, self.offset)?;
        self.offset += had as u64;
        Ok(had)
    }
}
