//! Fixed-width columns by request number: what a request became, and where its acts stand.
//!
//! Facts (16 octets a request, 512 a chunk) answer the filters; places (24 octets, 128 a chunk)
//! say where in the ledger the acts stand. A summary of each chunk of facts is held in memory
//! (24 octets), so that a search passes over chunks where nothing can match. A summary only
//! widens: it may say "perhaps" too often, never "no" wrongly.

use super::chunks::{Chunks, Kind};
use crate::pki::disposition::Disposition;
use crate::storage::StoreError;

const FACTS: Kind = 1;
const PLACES: Kind = 2;
const SUMMARIES: Kind = 3;

const FACT: usize = 16;
/// Requests in a chunk of facts.
pub const BLOCK: u32 = 512;
const PLACE: usize = 24;
const PLACES_BLOCK: u32 = 128;
const SUMMARY: usize = 24;
const SUMMARIES_BLOCK: u32 = 128;

/// Set once a serial number is reserved, until the request has an outcome.
pub const ORPHAN: u8 = 1;
/// Set while the certificate is on hold.
pub const HELD: u8 = 2;
/// Set once the request has waited for a certificate manager.
pub const PENDED: u8 = 4;

/// What the filters ask about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What became of it.
    pub disposition: Disposition,
    /// [`ORPHAN`], [`HELD`], [`PENDED`].
    pub flags: u8,
    /// The template, by the index's own number.
    pub template: u16,
    /// The account's fingerprint, shortened.
    pub account: u32,
    /// When the certificate ends, in seconds since the epoch; 0 without one.
    pub not_after: u64,
}

/// Where a request's acts stand in the ledger; 0 where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Its arrival.
    pub received: u64,
    /// Its reservation.
    pub reserved: u64,
    /// Its certificate.
    pub issued: u64,
    /// Its approval, denial or failure.
    pub resolved: u64,
}

impl Facts {
    fn encode(&self) -> [u8; FACT] {
        let mut octets = [0; FACT];
        octets[0] = disposition_code(self.disposition);
        octets[1] = self.flags;
        octets[2..4].copy_from_slice(&self.template.to_le_bytes());
        octets[4..8].copy_from_slice(&self.account.to_le_bytes());
        octets[8..].copy_from_slice(&self.not_after.to_le_bytes());
        octets
    }

    fn decode(octets: &[u8; FACT]) -> Option<Self> {
        let [code, flags, t0, t1, a0, a1, a2, a3, end @ ..] = *octets;
        Some(Self {
            disposition: disposition_of(code)?,
            flags,
            template: u16::from_le_bytes([t0, t1]),
            account: u32::from_le_bytes([a0, a1, a2, a3]),
            not_after: u64::from_le_bytes(end),
        })
    }
}

/// 0 means that there is no such request.
fn disposition_code(disposition: Disposition) -> u8 {
    match disposition {
        Disposition::Active => 1,
        Disposition::Pending => 2,
        Disposition::Denied => 3,
        Disposition::Issued => 4,
        Disposition::Revoked => 5,
        Disposition::Failed => 6,
    }
}

fn disposition_of(code: u8) -> Option<Disposition> {
    Disposition::ALL.into_iter().find(|disposition| disposition_code(*disposition) == code)
}

/// What may be found among one chunk's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Bit of each disposition that occurred, by its code.
    dispositions: u8,
    flags: u8,
    /// Bit of each template, its number modulo 64.
    templates: u64,
    earliest_end: u64,
    latest_end: u64,
}

impl Summary {
    fn nothing() -> Self {
        Self { dispositions: 0, flags: 0, templates: 0, earliest_end: u64::MAX, latest_end: 0 }
    }

    fn widen(&mut self, facts: &Facts) -> bool {
        let before = *self;
        self.dispositions |= 1 << disposition_code(facts.disposition);
        self.flags |= facts.flags;
        self.templates |= 1 << (facts.template % 64);
        if facts.not_after > 0 {
            self.earliest_end = self.earliest_end.min(facts.not_after);
            self.latest_end = self.latest_end.max(facts.not_after);
        }
        before != *self
    }

    /// Whether a request of this disposition may be in it.
    pub fn may_have(&self, disposition: Disposition) -> bool {
        self.dispositions & (1 << disposition_code(disposition)) != 0
    }

    /// Whether a request with this flag may be in it.
    pub fn may_have_flag(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether a request for this template may be in it.
    pub fn may_have_template(&self, template: u16) -> bool {
        self.templates & (1 << (template % 64)) != 0
    }

    /// Whether a certificate that ends before this second may be in it.
    pub fn may_end_before(&self, seconds: u64) -> bool {
        self.earliest_end < seconds
    }

    /// Whether every certificate in it ends before this second.
    pub fn all_end_before(&self, seconds: u64) -> bool {
        self.latest_end < seconds
    }

    fn encode(&self) -> [u8; SUMMARY] {
        let mut octets = [0; SUMMARY];
        octets[0] = self.dispositions;
        octets[1] = self.flags;
        octets[2..8].copy_from_slice(&self.latest_end.to_le_bytes()[..6]);
        octets[8..16].copy_from_slice(&self.templates.to_le_bytes());
        octets[16..].copy_from_slice(&self.earliest_end.to_le_bytes());
        octets
    }

    fn decode(octets: &[u8]) -> Option<Self> {
        Some(Self {
            dispositions: *octets.first()?,
            flags: *octets.get(1)?,
            templates: u64::from_le_bytes(octets.get(8..16)?.try_into().ok()?),
            earliest_end: u64::from_le_bytes(octets.get(16..24)?.try_into().ok()?),
            latest_end: offset(octets.get(2..8)?),
        })
    }
}

/// The columns.
#[derive(Debug)]
pub struct Rows {
    summaries: Vec<Summary>,
}

impl Rows {
    /// Reads the summaries.
    pub fn open(chunks: &Chunks) -> Result<Self, StoreError> {
        let mut summaries = Vec::new();
        for number in 0.. {
            let before = summaries.len();
            chunks.read(SUMMARIES, number, |octets| {
                summaries.extend(octets.chunks_exact(SUMMARY).filter_map(Summary::decode));
            })?;
            if summaries.len() == before {
                break;
            }
        }
        Ok(Self { summaries })
    }

    /// The summaries, one for each block of requests, by number.
    pub fn summaries(&self) -> &[Summary] {
        &self.summaries
    }

    /// What the filters ask about a request.
    pub fn facts(&self, chunks: &Chunks, request: u32) -> Result<Option<Facts>, StoreError> {
        chunks.read(FACTS, request / BLOCK, |octets| {
            let at = (request % BLOCK) as usize * FACT;
            octets.get(at..)?.first_chunk().and_then(Facts::decode)
        })
    }

    /// A block's requests, lowest number first.
    pub fn block(&self, chunks: &Chunks, block: u32) -> Result<Vec<(u32, Facts)>, StoreError> {
        chunks.read(FACTS, block, |octets| {
            let numbered = (block * BLOCK..).zip(octets.as_chunks::<FACT>().0);
            numbered
                .filter_map(|(request, octets)| Some((request, Facts::decode(octets)?)))
                .collect()
        })
    }

    /// Sets what the filters ask.
    pub fn set_facts(
        &mut self,
        chunks: &mut Chunks,
        request: u32,
        facts: &Facts,
    ) -> Result<(), StoreError> {
        chunks.change(FACTS, request / BLOCK, |octets| {
            put(octets, (request % BLOCK) as usize * FACT, &facts.encode());
        })?;
        let block = (request / BLOCK) as usize;
        if self.summaries.len() <= block {
            self.fill_summaries(chunks, block)?;
        }
        if self.summaries[block].widen(facts) {
            self.store_summary(chunks, block)?;
        }
        Ok(())
    }

    /// A gap in the numbers leaves no gap in the summaries.
    fn fill_summaries(&mut self, chunks: &mut Chunks, block: usize) -> Result<(), StoreError> {
        while self.summaries.len() <= block {
            self.summaries.push(Summary::nothing());
            self.store_summary(chunks, self.summaries.len() - 1)?;
        }
        Ok(())
    }

    fn store_summary(&self, chunks: &mut Chunks, block: usize) -> Result<(), StoreError> {
        let number = u32::try_from(block).unwrap_or(u32::MAX);
        chunks.change(SUMMARIES, number / SUMMARIES_BLOCK, |octets| {
            let at = (number % SUMMARIES_BLOCK) as usize * SUMMARY;
            put(octets, at, &self.summaries[block].encode());
        })
    }

    /// Where a request's acts stand.
    pub fn places(&self, chunks: &Chunks, request: u32) -> Result<Places, StoreError> {
        chunks.read(PLACES, request / PLACES_BLOCK, |octets| {
            let at = (request % PLACES_BLOCK) as usize * PLACE;
            octets.get(at..).and_then(|octets| octets.first_chunk()).map_or_else(
                Places::default,
                |octets: &[u8; PLACE]| Places {
                    received: offset(&octets[..6]),
                    reserved: offset(&octets[6..12]),
                    issued: offset(&octets[12..18]),
                    resolved: offset(&octets[18..]),
                },
            )
        })
    }

    /// Changes where a request's acts stand.
    pub fn set_places(
        &self,
        chunks: &mut Chunks,
        request: u32,
        change: impl FnOnce(&mut Places),
    ) -> Result<(), StoreError> {
        let mut places = self.places(chunks, request)?;
        change(&mut places);
        let mut octets = [0; PLACE];
        let all = [places.received, places.reserved, places.issued, places.resolved];
        for (slot, place) in octets.chunks_exact_mut(6).zip(all) {
            slot.copy_from_slice(&place.to_le_bytes()[..6]);
        }
        chunks.change(PLACES, request / PLACES_BLOCK, |chunk| {
            put(chunk, (request % PLACES_BLOCK) as usize * PLACE, &octets);
        })
    }
}

/// Six octets, little-endian: a ledger of 256 TiB.
pub fn offset(octets: &[u8]) -> u64 {
    octets.iter().rev().fold(0, |number, octet| number << 8 | u64::from(*octet))
}

fn put(chunk: &mut Vec<u8>, at: usize, octets: &[u8]) {
    if chunk.len() < at + octets.len() {
        chunk.resize(at + octets.len(), 0);
    }
    chunk[at..at + octets.len()].copy_from_slice(octets);
}
