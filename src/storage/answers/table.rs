//! The hash table: open addressing, a slot after the other.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Disk;
use super::progress::{Progress, RECORD, Record};
use super::slot::{self, Kept, Slot};
use crate::pki::serial::SerialNumber;
use crate::storage::StoreError;
use crate::storage::datadir::{doing, sync_directory_of};

const TITLE: &[u8; 24] = b"chancery OCSP answers 3\n";
const PAGE: u64 = 4096;
/// Where the two records of the progress stand in the first page.
const RECORDS: [u64; 2] = [512, 1024];
const FEWEST_SLOTS: u64 = 4096;
const MOST_EXPECTED: u64 = 1 << 20;
const FIRST_SLOT_SIZE: usize = 1024;
/// How often a torn slot is read again: its write takes microseconds.
const READS: usize = 1000;

/// Answers by serial number.
#[derive(Debug)]
pub struct AnswerTable {
    path: PathBuf,
    number: u64,
    file: File,
    slots: u64,
    slot_size: usize,
    writing: Mutex<Record>,
    /// Held while the progress is written.
    settling: Mutex<()>,
    disk: Disk,
    /// A sync has failed, or what was written cannot be read.
    doubtful: AtomicBool,
}

/// Whether more is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    NotYet,
    Clean,
}

/// What became of writing answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// They stand there.
    Done,
    /// The table must be made anew, larger or with larger slots ([`AnswerTable::anew`]).
    NoRoom,
}

impl AnswerTable {
    /// An empty one with room for the answers about so many certificates, if they are not very
    /// many: slots in which nothing stands take no space.
    pub(super) fn create(
        directory: &Path,
        number: u64,
        certificates: u64,
        disk: Disk,
    ) -> Result<Self, StoreError> {
        let slots = slots_for(certificates.min(MOST_EXPECTED));
        Self::sized(directory, number, slots, FIRST_SLOT_SIZE, disk)?.named()
    }

    /// Reads one; nothing where it is none, or torn: after an unclean stop every slot is looked at.
    pub(super) fn open(
        directory: &Path,
        number: u64,
        disk: Disk,
    ) -> Result<Option<Self>, StoreError> {
        let path = directory.join(format!("answers-{number}"));
        let file = File::options().read(true).write(true).open(&path);
        let file = file.map_err(|error| doing("opening", &path, &error))?;
        let Some((slots, slot_size, record)) = read_head(&file) else { return Ok(None) };
        let table = Self::of(path, number, file, (slots, slot_size), record, disk);
        Ok(table.take_up()?.then_some(table))
    }

    /// Not yet under the name that counts at start: see [`AnswerTable::named`].
    fn sized(
        directory: &Path,
        number: u64,
        slots: u64,
        slot_size: usize,
        disk: Disk,
    ) -> Result<Self, StoreError> {
        let path = directory.join(format!("making-{number}"));
        let make = || {
            let mut options = File::options();
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file = options.read(true).write(true).create(true).truncate(true).open(&path)?;
            file.set_len(PAGE + slots * slot_size as u64)?;
            let mut head = [0; 48];
            head[..24].copy_from_slice(TITLE);
            head[24..32].copy_from_slice(&slots.to_le_bytes());
            head[32..40].copy_from_slice(&(slot_size as u64).to_le_bytes());
            file.write_all_at(&head, 0)?;
            Ok(file)
        };
        let file = make().map_err(|error: io::Error| doing("making", &path, &error))?;
        Ok(Self::of(path, number, file, (slots, slot_size), Record::default(), disk))
    }

    fn of(
        path: PathBuf,
        number: u64,
        file: File,
        (slots, slot_size): (u64, usize),
        record: Record,
        disk: Disk,
    ) -> Self {
        let (writing, settling) = (Mutex::new(record), Mutex::default());
        let doubtful = AtomicBool::new(false);
        Self { path, number, file, slots, slot_size, writing, settling, disk, doubtful }
    }

    /// Syncs a table that is whole, and gives it its name.
    fn named(mut self) -> Result<Self, StoreError> {
        self.settle(self.progress())?;
        let path = self.path.with_file_name(format!("answers-{}", self.number));
        std::fs::rename(&self.path, &path).map_err(|error| self.failed("renaming", &error))?;
        self.path = path;
        sync_directory_of(&self.path)?;
        Ok(self)
    }

    /// The answers about this serial number. Takes no lock.
    pub fn find(&self, serial: &SerialNumber) -> Result<Option<Kept>, StoreError> {
        let mut octets = [0; PAGE as usize];
        let found = self.seek(serial, &mut octets[..self.slot_size]);
        let (_, slot) = found.map_err(|error| self.failed("reading", &error))?;
        Ok(match slot {
            Slot::Kept(kept) => Some(*kept),
            Slot::Empty => None,
        })
    }

    /// Writes answers, each in place of those before about the same serial number.
    pub fn put(&self, answers: &[Kept]) -> Result<Put, StoreError> {
        let mut writing = self.lock();
        let mut octets = vec![0; self.slot_size];
        for kept in answers {
            // A quarter stays empty: a search for what is not there must end soon.
            let crowded = writing.taken >= self.slots / 4 * 3;
            let found = self.seek(&kept.serial, &mut octets);
            // Nobody else writes: what is torn is torn on the disk, and so for everybody who searches.
            let (place, slot) = found.map_err(|error| {
                self.doubtful.store(true, Ordering::SeqCst);
                self.failed("reading", &error)
            })?;
            if slot == Slot::Empty && crowded
                || self.write(kept, &mut octets, place, &slot, &mut writing)? == Put::NoRoom
            {
                return Ok(Put::NoRoom);
            }
        }
        Ok(Put::Done)
    }

    /// Writes answers to their place, in which `before` stood.
    fn write(
        &self,
        kept: &Kept,
        octets: &mut [u8],
        place: u64,
        before: &Slot,
        writing: &mut Record,
    ) -> Result<Put, StoreError> {
        if kept.write(octets).is_none() {
            return Ok(Put::NoRoom);
        }
        let written = self.file.write_all_at(octets, self.offset(place));
        written.map_err(|error| self.failed("writing", &error))?;
        writing.taken += u64::from(*before == Slot::Empty);
        Ok(Put::Done)
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.lock().progress
    }

    /// Notes how far it is, in memory: it is durable with the next [`AnswerTable::settle`].
    pub fn note(&self, progress: Progress) {
        self.lock().progress = progress;
    }

    /// Notes how far it is, syncs the answers, and says it durably.
    pub fn settle(&self, progress: Progress) -> Result<(), StoreError> {
        self.note(progress);
        self.settle_so_far()
    }

    /// Syncs the answers, then says durably how far they were before. Others may be written
    /// meanwhile.
    pub fn settle_so_far(&self) -> Result<(), StoreError> {
        self.write_progress(Ending::NotYet)
    }

    /// The same for a clean stop.
    pub fn close(&self) -> Result<(), StoreError> {
        self.write_progress(Ending::Clean)
    }

    /// The same answers in a larger table, less those of rounds before `round`; the old file is
    /// deleted and stays readable for who has it. `wanted` is what did not fit. Only what is known
    /// to be on the disk is copied: doubts would not go along.
    pub fn anew(&self, round: u64, wanted: &[Kept]) -> Result<Self, StoreError> {
        self.sync_alone()?;
        let mut live = 0;
        self.each(|_, slot| {
            live += u64::from(matches!(slot, Some(Slot::Kept(kept)) if kept.round >= round));
            Ok(())
        })
        .map_err(|error| self.failed("reading", &error))?;
        let mut sizes = wanted.iter().map(Kept::slot_size);
        let Some(largest) = sizes.try_fold(0, |most, size| Some(size?.max(most))) else {
            return Err(StoreError::Damaged("an OCSP answer is larger than a page".to_owned()));
        };
        let slots = slots_for(live + wanted.len() as u64);
        let directory = self.path.parent().unwrap_or(Path::new("."));
        let size = self.slot_size.max(largest);
        let new = Self::sized(directory, self.number + 1, slots, size, self.disk.clone())?;
        new.note(self.progress());
        let mut failed = None;
        self.each(|_, slot| {
            if let Some(Slot::Kept(kept)) = slot
                && kept.round >= round
                && failed.is_none()
            {
                failed = new.take_over(*kept, self).err();
            }
            Ok(())
        })
        .map_err(|error| self.failed("reading", &error))?;
        if let Some(error) = failed {
            return Err(error);
        }
        let new = new.named()?;
        std::fs::remove_file(&self.path).map_err(|error| self.failed("removing", &error))?;
        Ok(new)
    }

    /// Puts what another table has. If it has two of a serial number, because a power cut took a
    /// slot out of the way of a search and left an older one behind it, the one that a search finds
    /// counts: times do not tell which is older, for clocks go back.
    fn take_over(&self, kept: Kept, other: &Self) -> Result<(), StoreError> {
        let mut octets = vec![0; self.slot_size];
        let found = self.seek(&kept.serial, &mut octets);
        let (place, here) = found.map_err(|error| self.failed("reading", &error))?;
        let kept = match here {
            Slot::Empty => kept,
            Slot::Kept(_) => other.find(&kept.serial)?.unwrap_or(kept),
        };
        self.write(&kept, &mut octets, place, &here, &mut self.lock()).map(drop)
    }

    /// How many slots are taken, and how many there are.
    pub fn room(&self) -> (u64, u64) {
        (self.lock().taken, self.slots)
    }

    /// Answers of rounds before this one.
    pub fn older_than(&self, round: u64) -> Result<u64, StoreError> {
        let mut older = 0;
        self.each(|_, slot| {
            older += u64::from(matches!(slot, Some(Slot::Kept(kept)) if kept.round < round));
            Ok(())
        })
        .map_err(|error| self.failed("reading", &error))?;
        Ok(older)
    }

    /// Where the serial number stands, or the empty slot where it would.
    fn seek(&self, serial: &SerialNumber, octets: &mut [u8]) -> io::Result<(u64, Slot)> {
        let mut place = hash(serial) % self.slots;
        for _ in 0..self.slots {
            match self.slot(place, octets)? {
                Slot::Kept(kept) if kept.serial != *serial => {}
                found => return Ok((place, found)),
            }
            place = (place + 1) % self.slots;
        }
        Err(io::Error::other("the table of OCSP answers has no empty slot"))
    }

    fn slot(&self, place: u64, octets: &mut [u8]) -> io::Result<Slot> {
        for _ in 0..READS {
            self.file.read_exact_at(octets, self.offset(place))?;
            if let Some(slot) = slot::read(octets) {
                return Ok(slot);
            }
            std::hint::spin_loop();
        }
        Err(io::Error::other("a slot of the OCSP answers is torn"))
    }

    /// Every slot in the order of the file; `None` for a torn one.
    fn each(&self, mut look: impl FnMut(u64, Option<Slot>) -> io::Result<()>) -> io::Result<()> {
        let piece = PAGE as usize * 64;
        let mut octets = vec![0; piece];
        let in_piece = piece / self.slot_size;
        let mut place = 0;
        while place < self.slots {
            let count = (self.slots - place).min(in_piece as u64);
            let octets = &mut octets[..count as usize * self.slot_size];
            self.file.read_exact_at(octets, self.offset(place))?;
            for octets in octets.chunks_exact(self.slot_size) {
                look(place, slot::read(octets))?;
                place += 1;
            }
        }
        Ok(())
    }

    /// Counts what is there, and says durably that this run has not ended. False where a slot is
    /// torn: then whatever else was not synced is missing as well, and nobody knows what.
    fn take_up(&self) -> Result<bool, StoreError> {
        if !self.lock().clean {
            let (mut taken, mut torn) = (0, 0u64);
            let counted = self.each(|_, slot| {
                match slot {
                    None => torn += 1,
                    Some(slot) => taken += u64::from(slot != Slot::Empty),
                }
                Ok(())
            });
            counted.map_err(|error| self.failed("reading", &error))?;
            if torn > 0 {
                tracing::warn!(torn, "OCSP answers were torn by a power cut; all are made anew");
                return Ok(false);
            }
            self.lock().taken = taken;
        }
        self.write_progress(Ending::NotYet)?;
        Ok(true)
    }

    fn write_progress(&self, ending: Ending) -> Result<(), StoreError> {
        let _one_at_a_time = self.settling.lock().unwrap_or_else(PoisonError::into_inner);
        let progress = self.progress();
        self.sync()?;
        let mut writing = self.lock();
        writing.count += 1;
        writing.clean = ending == Ending::Clean;
        let record = Record { progress, ..*writing };
        drop(writing);
        let place = RECORDS[usize::from(record.count % 2 == 1)];
        let written = self.file.write_all_at(&record.encode(), place);
        written.map_err(|error| self.failed("writing", &error))?;
        self.sync()
    }

    /// Of two syncs at a time the system tells only one that something was lost.
    fn sync_alone(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.settling.lock().unwrap_or_else(PoisonError::into_inner);
        self.sync()
    }

    /// Once it has failed it is not tried again: it would say that all is well, though what should
    /// have been written may be gone.
    fn sync(&self) -> Result<(), StoreError> {
        let synced = match self.is_doubtful() {
            true => Err(io::Error::other("an earlier sync failed, or a slot could not be read")),
            false => self.disk.sync(&self.file),
        };
        synced.map_err(|error| {
            self.doubtful.store(true, Ordering::SeqCst);
            self.failed("syncing", &error)
        })
    }

    /// Whether a sync has failed, or whoever writes found a slot that cannot be read: nobody knows
    /// what is on the disk, and what is read may be older than what was written. The answers must be made anew, in another table.
    pub fn is_doubtful(&self) -> bool {
        self.doubtful.load(Ordering::SeqCst)
    }

    fn offset(&self, place: u64) -> u64 {
        PAGE + place * self.slot_size as u64
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, what: &str, error: &io::Error) -> StoreError {
        doing(what, &self.path, error)
    }
}

/// Slots of a table that is three fifths full with the answers about so many certificates, or less.
fn slots_for(certificates: u64) -> u64 {
    (certificates / 3 * 5).next_multiple_of(FEWEST_SLOTS).max(FEWEST_SLOTS)
}

/// Slots, their size and the progress, from the first page.
fn read_head(file: &File) -> Option<(u64, usize, Record)> {
    let mut page = vec![0; PAGE as usize];
    file.read_exact_at(&mut page, 0).ok()?;
    if page.get(..24)? != TITLE {
        return None;
    }
    let number = |at: usize| Some(u64::from_le_bytes(*page.get(at..)?.first_chunk()?));
    let (slots, slot_size) = (number(24)?, usize::try_from(number(32)?).ok()?);
    let sound = slots > 0 && (512..=4096).contains(&slot_size) && slot_size.is_power_of_two();
    let length = slots.checked_mul(slot_size as u64)?.checked_add(PAGE)?;
    if !sound || file.metadata().ok()?.len() != length {
        return None;
    }
    let records = RECORDS
        .iter()
        .filter_map(|place| Record::decode(page.get(*place as usize..)?.first_chunk::<RECORD>()?));
    Some((slots, slot_size, records.max_by_key(|record| record.count)?))
}

/// Serial numbers of ours are random, an adopted CA's may count upwards: FNV-1a, mixed.
fn hash(serial: &SerialNumber) -> u64 {
    let octets = serial.as_der_content().iter();
    let hash = octets.fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
        (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3)
    });
    hash ^ hash >> 29
}
