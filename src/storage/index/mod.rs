//! The index: from what is asked to where in the ledger the answer stands. Derived only.
//!
//! Absent: the truth, which is the ledger; every answer is read there and compared with what was
//! asked. Begin with `apply`, which says what each act changes, and `query`, which searches.

pub mod apply;
pub mod assemble;
pub mod chunks;
mod notices;
pub mod postings;
pub mod query;
pub mod rows;
pub mod standing;

use std::collections::HashMap;
use std::num::NonZeroU16;
use std::path::Path;

use super::StoreError;
use super::ledger::recovery::Position;
use crate::pki::revocation_list::CrlScope;
use chunks::{Chunks, Kind, Writing};
use rows::Rows;

/// The last establishment of the CA → ledger offset.
pub(super) const AUTHORITY: Kind = 40;
/// The last saving of the roles → ledger offset.
pub(super) const ROLES: Kind = 66;
/// Template cn → offset of its last saving, then 1 if it is published.
pub(super) const TEMPLATE: Kind = 42;
/// Account name in lower case → offset of its last saving, then its revision.
pub(super) const ACCOUNT: Kind = 44;
/// Token identifier → offset of its creation, then of its use or revocation, or 0.
pub(super) const TOKEN: Kind = 46;
/// Hash of a token's secret → token identifier.
pub(super) const TOKEN_HASH: Kind = 48;
/// Request number, big-endian → identifier of the one-time token it spent.
pub(super) const TOKEN_SPENT: Kind = 54;
/// CRL number, big-endian → offset of its intention, then of its publication or 0.
pub(super) const CRL: Kind = 50;
/// Serial number → when its certificate is to be retired (milliseconds), then the offset of the
/// act that said so. Gone once that is done or cancelled.
pub(super) const RETIREMENT: Kind = 58;
/// Moment (milliseconds, big-endian) and serial number of the same: the earliest first.
pub(super) const RETIREMENT_DUE: Kind = 60;
/// Request number (big-endian) → when it began to wait for a manager (milliseconds), then the
/// offset of the act that said so. Gone once it is decided.
pub(super) const PENDING: Kind = 62;
/// Moment (milliseconds, big-endian) and request number of the same: the earliest first.
pub(super) const PENDING_SINCE: Kind = 64;
/// Template cn → the index's own number for it.
pub(super) const TEMPLATE_NUMBER: Kind = 52;
/// The number that all those share for which there is none of their own left: whoever asks for
/// names that no template has fills neither memory nor numbers without end.
pub(super) const OTHER_TEMPLATES: u16 = u16::MAX;
/// Number (big-endian) of an entry that notifications tell of → its offset.
pub(super) const NOTABLE: Kind = 80;
/// Endpoint of notifications → offset of the last act that says how it stands.
pub(super) const ENDPOINT: Kind = 82;
/// Something that ends → how long before its end that was told last, in seconds.
pub(super) const TOLD: Kind = 84;
/// The last change of what the service finds at itself → ledger offset.
pub(super) const SELF_CHECK: Kind = 86;
/// CRL number after its scope (see [`name_in_scope`]), of those that do not speak of
/// everything under the first key → nothing: what they are stands under [`CRL`].
pub(super) const CRL_IN_SCOPE: Kind = 88;
/// Name of a place where CRL entries are kept, beside the first → marker offset of the commit that
/// made it.
pub(super) const REVOKED_PLACE: Kind = 90;
/// Key index, big-endian → offset of the last act that parts what is issued under it.
pub(super) const CRL_PARTITIONS: Kind = 92;
/// Issuer of a parent's CRL (its hash, as the act has it) → offset of the last installation.
pub(super) const PARENT_CRL: Kind = 94;
/// Sparse: every 256th entry's offset, 64 a chunk.
pub(super) const SEQUENCE: Kind = 4;

/// Entries between two that [`SEQUENCE`] knows.
pub(super) const STRIDE: u64 = 256;

/// The index. One thread changes it, many look.
#[derive(Debug)]
pub struct Index {
    pub(super) chunks: Chunks,
    pub(super) rows: Rows,
    pub(super) templates: HashMap<String, u16>,
    pub(super) next_request: u64,
    limits: Limits,
}

/// How much memory the index may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// sled's cache, octets.
    pub cache: u64,
    /// Changes held back in memory, octets.
    pub changes: usize,
    /// The same while the ledger is replayed: more, since few and large writes are what makes
    /// that fast.
    pub replayed: usize,
}

impl Index {
    /// Opens the index, empty where there is none.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, StoreError> {
        let chunks = Chunks::open(path, limits.cache, limits.changes)?;
        let rows = Rows::open(&chunks)?;
        let mut templates = HashMap::new();
        for entry in chunks.all_named(TEMPLATE_NUMBER, None) {
            let (name, number) = entry?;
            let number = number.first_chunk().map(|octets| u16::from_be_bytes(*octets));
            if let (Ok(name), Some(number)) = (String::from_utf8(name), number) {
                templates.insert(name, number);
            }
        }
        let mut index = Self { chunks, rows, templates, next_request: 1, limits };
        index.next_request = index.last_request()? + 1;
        Ok(index)
    }

    /// Marker offset up to which the index is known to be complete.
    pub fn watermark(&self) -> Result<Option<u64>, StoreError> {
        self.chunks.watermark()
    }

    /// Announces the commit that follows `position`; its entries are then applied one by one.
    pub fn begin(&mut self, position: &Position) {
        self.chunks.follow(position.marker);
    }

    /// After the last entry of the commit that ends at `position`.
    pub fn end(&mut self, position: &Position) -> Result<(), StoreError> {
        self.chunks.settle(position.marker)
    }

    /// Many commits will follow one another, and nobody waits for a single one.
    pub fn begin_replay(&mut self) {
        self.chunks.pace(self.limits.replayed, Writing::AllInOrder);
    }

    /// They have been applied, up to `position`.
    pub fn end_replay(&mut self, position: &Position) -> Result<(), StoreError> {
        self.chunks.pace(self.limits.changes, Writing::AllInOrder);
        self.chunks.settle(position.marker)?;
        self.chunks.pace(self.limits.changes, Writing::LittleByLittle);
        Ok(())
    }

    /// A place where CRL entries are kept was made by the commit that ends at `marker`.
    pub fn note_place(&self, name: &str, marker: u64) -> Result<(), StoreError> {
        self.chunks.set_named(REVOKED_PLACE, name.as_bytes(), Some(&pair(marker, 0)))
    }

    /// The names of all places but the first.
    pub fn noted_places(&self) -> Result<Vec<String>, StoreError> {
        let names = self.chunks.all_named(REVOKED_PLACE, None);
        names.map(|entry| Ok(String::from_utf8_lossy(&entry?.0).into_owned())).collect()
    }

    /// Writes everything out.
    pub fn close(&mut self, position: &Position) -> Result<(), StoreError> {
        self.chunks.settle_all(position.marker)
    }

    /// The number by which the facts know a template; `None` if it never occurred.
    pub(super) fn number_of(&self, cn: &str) -> Option<u16> {
        let own = self.templates.get(cn).copied();
        own.or_else(|| self.next_number().is_none().then_some(OTHER_TEMPLATES))
    }

    /// The number of the next template; `None` where there is none left.
    pub(super) fn next_number(&self) -> Option<u16> {
        let number = u16::try_from(self.templates.len() + 1).ok()?;
        (number != OTHER_TEMPLATES).then_some(number)
    }

    /// The number after the highest request number on record.
    pub fn next_request(&self) -> u64 {
        self.next_request
    }

    fn last_request(&self) -> Result<u64, StoreError> {
        for block in (0..u32::try_from(self.rows.summaries().len()).unwrap_or(u32::MAX)).rev() {
            if let Some((request, _)) = self.rows.block(&self.chunks, block)?.last() {
                return Ok(u64::from(*request));
            }
        }
        Ok(0)
    }

    /// Offsets of the last known entry whose number is not above `sequence`, with its number.
    pub(super) fn at_or_before(&self, sequence: u64) -> Result<Option<(u64, u64)>, StoreError> {
        let mut stride = sequence / STRIDE;
        while stride > 0 {
            let chunk = u32::try_from(stride / 64).unwrap_or(u32::MAX);
            let at = (stride % 64) as usize * 6;
            let offset = self
                .chunks
                .read(SEQUENCE, chunk, |octets| octets.get(at..at + 6).map_or(0, rows::offset))?;
            if offset > 0 {
                return Ok(Some((stride * STRIDE, offset)));
            }
            stride -= 1;
        }
        Ok(None)
    }
}

/// A CRL's name among those of its scope: key index, partition or 0, number, all big-endian.
pub(super) fn name_in_scope(scope: CrlScope, number: u64) -> Vec<u8> {
    let partition = scope.partition.map_or(0, NonZeroU16::get);
    [&scope.key.to_be_bytes()[..], &partition.to_be_bytes(), &number.to_be_bytes()].concat()
}

/// Two numbers as the small entries keep them.
pub(super) fn pair(first: u64, second: u64) -> [u8; 16] {
    let mut octets = [0; 16];
    octets[..8].copy_from_slice(&first.to_be_bytes());
    octets[8..].copy_from_slice(&second.to_be_bytes());
    octets
}

/// Reads [`pair`] back; zeros where the entry is too short.
pub(super) fn both(octets: &[u8]) -> (u64, u64) {
    let number = |at: usize| {
        let eight = octets.get(at..at + 8).unwrap_or_default();
        eight.iter().fold(0, |number, octet| number << 8 | u64::from(*octet))
    };
    (number(0), number(8))
}
