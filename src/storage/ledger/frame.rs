//! The bytes of the ledger: a file header, then frames.
//!
//! ```text
//! header   magic "chancery ledger\n" · version u32 · 12 zero octets
//! frame    length u32 · CRC-32C u32 · payload          (the CRC covers length and payload)
//! payload  kind u8 · sequence u64 · previous [32] · body
//! entry    kind 1: body is the CBOR of an `Entry`; its hash is SHA-256 of the payload
//! marker   kind 2: closes a commit; sequence and previous are those of the commit's last entry,
//!          body is: offset of the commit's first frame u64 · entries u32 · latest time u64
//! ```
//! All numbers are little-endian. The first entry's `previous` is SHA-256 of the header.

use aws_lc_rs::digest;

use crate::pki::time::Timestamp;

/// SHA-256.
pub type Hash = [u8; 32];

/// The file header's size: where the first frame stands.
pub const HEADER_LENGTH: u64 = 32;
/// Octets in front of a payload.
pub const PREFIX: usize = 8;
/// Octets of a payload in front of its body.
pub const PAYLOAD_HEAD: usize = 1 + 8 + 32;
/// A marker frame's size, prefix included.
pub const MARKER_LENGTH: usize = PREFIX + PAYLOAD_HEAD + 20;
/// A body is at most this long: what is longer is damage, not an entry.
pub const LONGEST_BODY: usize = 64 << 20;

const KIND_ENTRY: u8 = 1;
const KIND_MARKER: u8 = 2;

/// The file header of version 1.
pub fn header() -> [u8; HEADER_LENGTH as usize] {
    let mut header = [0; HEADER_LENGTH as usize];
    header[..16].copy_from_slice(b"chancery ledger\n");
    header[16] = 1;
    header
}

/// What the first entry follows.
pub fn genesis() -> Hash {
    sha256(&[&header()])
}

/// SHA-256 over the concatenation of `parts`.
pub fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// Appends an entry's frame to `out` and returns the entry's hash.
pub fn push_entry(out: &mut Vec<u8>, sequence: u64, previous: &Hash, body: &[u8]) -> Hash {
    let start = out.len();
    push(out, KIND_ENTRY, sequence, previous, body);
    sha256(&[&out[start + PREFIX..]])
}

/// Appends the frame that closes a commit.
pub fn push_marker(out: &mut Vec<u8>, marker: &Marker) {
    let mut body = [0; 20];
    body[..8].copy_from_slice(&marker.first.to_le_bytes());
    body[8..12].copy_from_slice(&marker.count.to_le_bytes());
    body[12..].copy_from_slice(&marker.latest.millis().to_le_bytes());
    push(out, KIND_MARKER, marker.sequence, &marker.hash, &body);
}

fn push(out: &mut Vec<u8>, kind: u8, sequence: u64, previous: &Hash, body: &[u8]) {
    let start = out.len();
    // Bodies are held under LONGEST_BODY where they are encoded.
    let length = u32::try_from(PAYLOAD_HEAD + body.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.push(kind);
    out.extend_from_slice(&sequence.to_le_bytes());
    out.extend_from_slice(previous);
    out.extend_from_slice(body);
    let sum = checksum(&length.to_le_bytes(), &out[start + PREFIX..]);
    out[start + 4..start + PREFIX].copy_from_slice(&sum.to_le_bytes());
}

fn checksum(length: &[u8], payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(length), payload)
}

/// Where a commit ends, as its marker says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marker {
    /// Offset of the commit's first frame.
    pub first: u64,
    /// How many entries it has.
    pub count: u32,
    /// Number of its last entry.
    pub sequence: u64,
    /// Hash of its last entry.
    pub hash: Hash,
    /// The latest time on record up to here.
    pub latest: Timestamp,
}

/// A frame whose checksum is right.
#[derive(Debug)]
pub enum Frame<'a> {
    /// An entry.
    Entry {
        /// Its number.
        sequence: u64,
        /// The hash of the one before.
        previous: Hash,
        /// Its own hash.
        hash: Hash,
        /// Its CBOR.
        body: &'a [u8],
    },
    /// The end of a commit.
    Marker(Marker),
}

/// What stands at the beginning of some bytes.
#[derive(Debug)]
pub enum Parsed<'a> {
    /// A frame, and how many octets it fills.
    Frame(Frame<'a>, usize),
    /// A frame of this many octets may begin here, but the bytes end before it does.
    Short(usize),
    /// No frame.
    Bad,
}

/// Reads the frame at the beginning of `bytes`.
pub fn parse(bytes: &[u8]) -> Parsed<'_> {
    let Some(length_octets) = bytes.first_chunk::<4>() else { return Parsed::Short(PREFIX) };
    let length = u32::from_le_bytes(*length_octets) as usize;
    if !(PAYLOAD_HEAD..=PAYLOAD_HEAD + LONGEST_BODY).contains(&length) {
        return Parsed::Bad;
    }
    // An interrupted write is told from damage by what little of the frame is there.
    match bytes.get(PREFIX) {
        Some(&KIND_MARKER) if PREFIX + length != MARKER_LENGTH => return Parsed::Bad,
        Some(&KIND_MARKER | &KIND_ENTRY) | None => {}
        Some(_) => return Parsed::Bad,
    }
    let total = PREFIX + length;
    let Some(frame) = bytes.get(..total) else { return Parsed::Short(total) };
    let (prefix, payload) = frame.split_at(PREFIX);
    if prefix[4..] != checksum(length_octets, payload).to_le_bytes() {
        return Parsed::Bad;
    }
    match read_payload(payload) {
        Some(frame) => Parsed::Frame(frame, total),
        None => Parsed::Bad,
    }
}

/// Whether a frame that follows entry `sequence` may begin here: a cheap look before the checksum,
/// for searching octet by octet.
pub fn may_follow(bytes: &[u8], sequence: u64) -> bool {
    let Some(head) = bytes.get(PREFIX..PREFIX + 9) else { return false };
    let Some(number) = head.last_chunk::<8>() else { return false };
    let number = u64::from_le_bytes(*number);
    matches!(head[0], KIND_ENTRY | KIND_MARKER)
        && (sequence..sequence.saturating_add(1 << 32)).contains(&number)
}

fn read_payload(payload: &[u8]) -> Option<Frame<'_>> {
    let (kind, rest) = payload.split_first()?;
    let (sequence, rest) = rest.split_first_chunk::<8>()?;
    let (previous, body) = rest.split_first_chunk::<32>()?;
    let sequence = u64::from_le_bytes(*sequence);
    match *kind {
        KIND_ENTRY => {
            Some(Frame::Entry { sequence, previous: *previous, hash: sha256(&[payload]), body })
        }
        KIND_MARKER => {
            let (first, rest) = body.split_first_chunk::<8>()?;
            let (count, rest) = rest.split_first_chunk::<4>()?;
            let latest = <[u8; 8]>::try_from(rest).ok()?;
            Some(Frame::Marker(Marker {
                first: u64::from_le_bytes(*first),
                count: u32::from_le_bytes(*count),
                sequence,
                hash: *previous,
                latest: Timestamp::from_millis(u64::from_le_bytes(latest)),
            }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_marker_has_its_size() {
        let mut out = Vec::new();
        let latest = Timestamp::from_millis(7);
        let marker = Marker { first: 32, count: 3, sequence: 9, hash: [1; 32], latest };
        push_marker(&mut out, &marker);
        assert_eq!(out.len(), MARKER_LENGTH);
        assert!(matches!(parse(&out), Parsed::Frame(Frame::Marker(read), _) if read == marker));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_frame_or_not(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn every_flipped_bit_is_seen(body: Vec<u8>, sequence: u64, at: prop::sample::Index, bit in 0..8u32) {
            let mut out = Vec::new();
            push_entry(&mut out, sequence, &[7; 32], &body);
            let whole = matches!(parse(&out), Parsed::Frame(Frame::Entry { body: read, .. }, total)
                if read == body && total == out.len());
            prop_assert!(whole);
            let at = at.index(out.len());
            out[at] ^= 1u8 << bit;
            prop_assert!(!matches!(parse(&out), Parsed::Frame(..)));
        }
    }
}
