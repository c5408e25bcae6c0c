//! One pass over everybody, slice by slice, so that what is revoked meanwhile need not wait.

use std::io::{BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

use super::asking::{Question, known_by_revocation};
use super::{OcspError, Parts};
use crate::pki::encoding::read_header;
use crate::pki::revocation_list::{CrlEntry, CrlScope};
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::storage::answers::AnswerTable;
use crate::storage::{CrlEntries, Register};

/// How long a slice shall take: who is revoked meanwhile waits for it.
const A_SLICE: Duration = Duration::from_millis(100);

/// How many certificates are answered in a slice: as many as the key signs in [`A_SLICE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SliceSize(usize);

impl Default for SliceSize {
    fn default() -> Self {
        Self(Self::LEAST)
    }
}

impl SliceSize {
    const LEAST: usize = 64;
    const MOST: usize = 2048;

    /// After a slice of this size took so long.
    pub fn after(self, took: Duration) -> Self {
        Self(match self.0 {
            least if took > A_SLICE => (least / 2).max(Self::LEAST),
            more if took < A_SLICE / 2 => (more * 2).min(Self::MOST),
            fitting => fitting,
        })
    }
}

/// The part of a round after the certificates: serial numbers that are only known as revoked.
pub(super) struct Rest {
    entries: BufReader<Part>,
    left: u64,
}

/// What is to be answered next in a round.
pub(super) struct Slice {
    pub questions: Vec<Question>,
    /// Where to go on; nothing after the last.
    pub next: Option<u64>,
    /// When the last of those that were passed over ended, seconds; 0 where nobody was.
    pub left_out: u64,
}

/// Beyond every request number: the certificates are done, and the rest is to come.
pub(super) const CERTIFICATES_DONE: u64 = u64::MAX;

/// The certificates after request `cursor` that were issued under the key and have not ended.
pub(super) fn certificates(
    parts: &Parts,
    cursor: u64,
    size: SliceSize,
    now: Timestamp,
) -> Result<Slice, OcspError> {
    let listing = parts.register.certificate_standings(cursor, size.0)?;
    let key = parts.issuer.key_index();
    let own = listing.rows.into_iter().filter(|row| row.scope.key == key).map(Question::from);
    let (questions, ended) = own.partition::<Vec<_>, _>(|question| question.is_alive(now));
    let left_out = ended.iter().map(|question| question.not_after).max().unwrap_or(0);
    Ok(Slice { questions, next: listing.next, left_out })
}

/// A slice that was read while the one before was signed.
pub(super) struct Ahead {
    cursor: u64,
    /// Where the ledger ended before it was read.
    sequence: u64,
    slice: Slice,
}

impl Ahead {
    /// What [`certificates`] gives.
    pub fn read(
        parts: &Parts,
        cursor: u64,
        size: SliceSize,
        now: Timestamp,
    ) -> Result<Self, OcspError> {
        let sequence = parts.register.head().sequence;
        Ok(Self { cursor, sequence, slice: certificates(parts, cursor, size, now)? })
    }

    /// The slice after `cursor`, if it is that one and nothing was recorded since. Otherwise it might
    /// say *good* over what was just answered about somebody who has been revoked.
    pub fn slice(self, parts: &Parts, cursor: u64) -> Option<Slice> {
        let holds = self.cursor == cursor && self.sequence == parts.register.head().sequence;
        holds.then_some(self.slice)
    }
}

impl Rest {
    /// Everything that the CRL of one of the CA's keys lists, as it stands now. It lists those of
    /// other keys as well; what is not known but by its revocation is *revoked* whoever is asked.
    pub fn of(register: &dyn Register, key: u16, now: Timestamp) -> Result<Self, OcspError> {
        let entries = register.revoked_entries(CrlScope::of_key(key), now)?;
        let CrlEntries { file, length, .. } = entries;
        Ok(Self {
            entries: BufReader::with_capacity(1 << 16, Part { file: Arc::new(file), at: 0 }),
            left: length,
        })
    }

    /// The next of them that have no answer of this round; nothing once all were looked at.
    pub fn slice(
        &mut self,
        register: &dyn Register,
        table: &AnswerTable,
        round: u64,
        size: SliceSize,
    ) -> Result<Option<Vec<Question>>, OcspError> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut questions = Vec::new();
        // Most have a certificate and are answered: many are looked at for the few that are not.
        for _ in 0..size.0 * 32 {
            let Some(serial) = self.next()? else { break };
            let answered = table.find(&serial)?.is_some_and(|kept| kept.round == round);
            if !answered && register.certificate_standing(&serial)?.is_none() {
                questions.extend(known_by_revocation(register, serial)?);
            }
            if questions.len() >= size.0 {
                break;
            }
        }
        Ok(Some(questions))
    }

    fn next(&mut self) -> Result<Option<SerialNumber>, OcspError> {
        if self.left == 0 {
            return Ok(None);
        }
        // An entry is shorter than 128 octets, or has a length of one octet more.
        let mut entry = vec![0; 2];
        self.entries.read_exact(&mut entry)?;
        let more = usize::from(entry[1]).saturating_sub(0x80);
        self.extend(&mut entry, more)?;
        let (header, length) = read_header(&entry)?;
        self.extend(&mut entry, length)?;
        let whole = (header + length) as u64;
        self.left = self.left.checked_sub(whole).ok_or(OcspError::EntriesDamaged)?;
        Ok(Some(CrlEntry::serial_of(&entry)?))
    }

    fn extend(&mut self, entry: &mut Vec<u8>, octets: usize) -> Result<(), OcspError> {
        let from = entry.len();
        if octets as u64 > self.left {
            return Err(OcspError::EntriesDamaged);
        }
        entry.resize(from + octets, 0);
        Ok(self.entries.read_exact(&mut entry[from..])?)
    }
}

/// Reads from a place of its own.
struct Part {
    file: Arc<std::fs::File>,
    at: u64,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let had = self.file.read_at(buffer, self.at)?;
        self.at += had as u64;
        Ok(had)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_takes_a_tenth_of_a_second_or_is_the_smallest_or_largest() {
        let settled = |each: Duration| {
            (0..20).fold(SliceSize::default(), |size, _| size.after(each * size.0 as u32)).0
        };
        for microseconds in [1, 30, 60, 100, 400, 700, 1000, 5000] {
            let each = Duration::from_micros(microseconds);
            let size = settled(each);
            assert!(each * size as u32 <= A_SLICE || size == SliceSize::LEAST, "{size}");
            assert!(each * size as u32 >= A_SLICE / 4 || size == SliceSize::MOST, "{size}");
        }
    }
}
