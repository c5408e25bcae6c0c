//! Reading the ledger from an offset to its end, commit by commit, in constant memory.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::frame::{self, Frame, Hash, Marker, Parsed};

/// One entry as it stands in the ledger.
#[derive(Debug, Clone)]
pub struct Record {
    /// Offset of its frame.
    pub offset: u64,
    /// Its number.
    pub sequence: u64,
    /// Its hash.
    pub hash: Hash,
    /// Its CBOR.
    pub body: Vec<u8>,
}

/// A whole commit.
#[derive(Debug)]
pub struct Commit {
    /// Offset of its first frame.
    pub first: u64,
    /// Offset of its marker.
    pub marker_offset: u64,
    /// Offset after its marker.
    pub end: u64,
    /// Its marker.
    pub marker: Marker,
    /// Its entries.
    pub records: Vec<Record>,
}

/// What came next.
#[derive(Debug)]
pub enum Step {
    /// A commit that verifies in full: checksums, numbers, chain and marker.
    Commit(Commit),
    /// The end, right after a commit.
    End,
    /// From this offset on there is no such commit.
    Bad(Broken),
}

/// How what follows the last good commit is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Where the broken commit begins.
    pub first: u64,
    /// Where the trouble was seen.
    pub at: u64,
    /// Whether every frame up to the file's end is whole and in order, the last one perhaps
    /// incomplete: a write that was interrupted.
    pub interrupted: bool,
}

/// What could still be read behind damage.
#[derive(Debug)]
pub enum Salvaged {
    /// Entries up to a marker.
    Closed(Commit),
    /// Entries up to the file's end; no marker follows.
    Open(Vec<Record>),
}

/// Reads commits one after another.
#[derive(Debug)]
pub struct Scanner<'a> {
    file: &'a File,
    length: u64,
    /// Offset of `buffer[0]`.
    base: u64,
    buffer: Vec<u8>,
    /// Where the next commit begins.
    next: u64,
    sequence: u64,
    hash: Hash,
}

const CHUNK: usize = 1 << 20;

impl<'a> Scanner<'a> {
    /// From `offset`, where a commit ends whose last entry is `sequence` with `hash`, to `length`.
    pub fn new(file: &'a File, offset: u64, sequence: u64, hash: Hash, length: u64) -> Self {
        Self { file, length, base: offset, buffer: Vec::new(), next: offset, sequence, hash }
    }

    /// From the first entry.
    pub fn from_start(file: &'a File, length: u64) -> Self {
        Self::new(file, frame::HEADER_LENGTH, 0, frame::genesis(), length)
    }

    /// Where the next commit begins.
    pub fn offset(&self) -> u64 {
        self.next
    }

    /// The next commit.
    pub fn step(&mut self) -> std::io::Result<Step> {
        let first = self.next;
        let (mut at, mut sequence, mut hash) = (first, self.sequence, self.hash);
        let mut records = Vec::new();
        if at == self.length {
            return Ok(Step::End);
        }
        loop {
            let broken = |interrupted| Ok(Step::Bad(Broken { first, at, interrupted }));
            match frame::parse(self.bytes(at)?) {
                Parsed::Short(_) => return broken(true),
                Parsed::Bad => return broken(false),
                Parsed::Frame(
                    Frame::Entry { sequence: number, previous, hash: own, body },
                    size,
                ) => {
                    if number != sequence + 1 || previous != hash {
                        return broken(false);
                    }
                    let body = body.to_vec();
                    records.push(Record { offset: at, sequence: number, hash: own, body });
                    (sequence, hash, at) = (number, own, at + size as u64);
                    if at == self.length {
                        return Ok(Step::Bad(Broken { first, at, interrupted: true }));
                    }
                }
                Parsed::Frame(Frame::Marker(marker), size) => {
                    let fits = marker.first == first
                        && marker.count as usize == records.len()
                        && marker.sequence == sequence
                        && marker.hash == hash;
                    if !fits {
                        return broken(false);
                    }
                    let end = at + size as u64;
                    (self.next, self.sequence, self.hash) = (end, sequence, hash);
                    self.drop_before(end);
                    return Ok(Step::Commit(Commit {
                        first,
                        marker_offset: at,
                        end,
                        marker,
                        records,
                    }));
                }
            }
        }
    }

    /// Goes past damage: collects the entries that can still be read from the next commit on (or
    /// the rest of the broken one) up to a marker, and goes on after that. The chain is not
    /// verified across the gap: there is nothing to verify it with.
    pub fn salvage(&mut self, broken: &Broken) -> std::io::Result<Salvaged> {
        let mut at = broken.first;
        let mut records: Vec<Record> = Vec::new();
        let known = self.sequence;
        while at < self.length {
            // Frames are found again octet by octet; a checksum seldom lies.
            if !frame::may_follow(self.head(at)?, known) {
                at += 1;
                continue;
            }
            match frame::parse(self.bytes(at)?) {
                Parsed::Frame(Frame::Entry { sequence, hash, body, .. }, size) => {
                    let body = body.to_vec();
                    records.push(Record { offset: at, sequence, hash, body });
                    at += size as u64;
                }
                Parsed::Frame(Frame::Marker(marker), size) => {
                    let end = at + size as u64;
                    (self.next, self.sequence, self.hash) = (end, marker.sequence, marker.hash);
                    self.drop_before(end);
                    let first = broken.first;
                    let commit = Commit { first, marker_offset: at, end, marker, records };
                    return Ok(Salvaged::Closed(commit));
                }
                Parsed::Short(_) | Parsed::Bad => at += 1,
            }
        }
        Ok(Salvaged::Open(records))
    }

    /// The bytes at `at`: a whole frame, unless the file ends before.
    fn bytes(&mut self, at: u64) -> std::io::Result<&[u8]> {
        let wanted = frame_length(self.head(at)?).unwrap_or(frame::PREFIX);
        self.fill(at, wanted)
    }

    /// The bytes at `at`: as much as tells a frame's kind, unless the file ends before.
    fn head(&mut self, at: u64) -> std::io::Result<&[u8]> {
        self.fill(at, frame::PREFIX + frame::PAYLOAD_HEAD)
    }

    fn fill(&mut self, at: u64, wanted: usize) -> std::io::Result<&[u8]> {
        let end = self.base + self.buffer.len() as u64;
        let last = (at + wanted as u64).min(self.length);
        if last > end {
            let missing = (last - end).max(CHUNK as u64).min(self.length - end);
            let old = self.buffer.len();
            self.buffer.resize(old + usize::try_from(missing).unwrap_or(CHUNK), 0);
            self.file.read_exact_at(&mut self.buffer[old..], end)?;
        }
        let start = usize::try_from(at - self.base).unwrap_or(usize::MAX);
        Ok(self.buffer.get(start..).unwrap_or_default())
    }

    fn drop_before(&mut self, offset: u64) {
        let spent = usize::try_from(offset - self.base).unwrap_or(usize::MAX);
        if spent >= CHUNK || spent >= self.buffer.len() {
            self.buffer.drain(..spent.min(self.buffer.len()));
            self.base = offset;
        }
    }
}

/// How long the frame claims to be, where that can be.
fn frame_length(bytes: &[u8]) -> Option<usize> {
    let length = u32::from_le_bytes(*bytes.first_chunk::<4>()?) as usize;
    (length <= frame::PAYLOAD_HEAD + frame::LONGEST_BODY).then_some(frame::PREFIX + length)
}
