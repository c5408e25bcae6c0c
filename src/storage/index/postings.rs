//! Hash buckets: from the fingerprint of a name, serial number or thumbprint to the requests or
//! ledger offsets that have it.
//!
//! 4096 buckets a kind, each a chain of `fingerprint u32 · value u48`. A posting only suggests:
//! who finds one looks at the record itself. The same posting may stand there twice.

use std::ops::ControlFlow;

use super::chunks::{Chunks, Kind};
use super::rows::offset;
use crate::storage::StoreError;
use crate::storage::ledger::frame::sha256;

/// Serial number → request.
pub const SERIAL: Kind = 16;
/// SHA-1 thumbprint → request.
pub const SHA1: Kind = 17;
/// SHA-256 thumbprint → request.
pub const SHA256: Kind = 18;
/// Name in a certificate → request.
pub const NAME: Kind = 19;
/// Account (for whom, or who submitted) → request.
pub const ACCOUNT: Kind = 20;
/// Account and `Idempotency-Key` → ledger offset.
pub const IDEMPOTENCY: Kind = 21;
/// Serial number → ledger offsets of its revocations and releases, in order.
pub const REVOCATION: Kind = 22;
/// Compromised key → ledger offset of the revocation.
pub const KEY: Kind = 23;
/// Serial number of a certificate → requests that renew it.
pub const RENEWAL: Kind = 24;

const POSTING: usize = 10;

/// A shortened hash: bucket and what tells apart within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    bucket: u32,
    rest: u32,
}

impl Fingerprint {
    /// Of any octets.
    pub fn of(octets: &[u8]) -> Self {
        Self::of_hash(&sha256(&[octets]))
    }

    /// Of something that is a hash itself.
    pub fn of_hash(hash: &[u8]) -> Self {
        let number = |at| {
            hash.get(at..at + 4).map_or(0, |four: &[u8]| {
                four.iter().fold(0, |number, octet| number << 8 | u32::from(*octet))
            })
        };
        Self { bucket: number(0) >> 20, rest: number(4) }
    }

    /// Of a name that is compared without regard to ASCII case.
    pub fn of_name(name: &str) -> Self {
        Self::of(name.to_ascii_lowercase().as_bytes())
    }

    /// Short enough to stand in a row.
    pub fn short(&self) -> u32 {
        self.rest
    }
}

/// Adds a posting.
pub fn add(chunks: &mut Chunks, kind: Kind, of: Fingerprint, value: u64) {
    let mut posting = [0; POSTING];
    posting[..4].copy_from_slice(&of.rest.to_le_bytes());
    posting[4..].copy_from_slice(&value.to_le_bytes()[..6]);
    chunks.append(kind, of.bucket, &posting);
}

/// The newest values posted under a fingerprint, newest first, at most so many: of who has a
/// million of them no more is read than that.
pub fn newest(
    chunks: &Chunks,
    kind: Kind,
    of: Fingerprint,
    most: usize,
) -> Result<Vec<u64>, StoreError> {
    let rest = of.rest.to_le_bytes();
    let mut found = Vec::new();
    chunks.chain_backwards(kind, of.bucket, |octets| {
        for posting in octets.as_chunks::<POSTING>().0.iter().rev() {
            if found.len() >= most {
                return ControlFlow::Break(());
            }
            if posting[..4] == rest {
                found.push(offset(&posting[4..]));
            }
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// The values posted under a fingerprint, oldest first.
pub fn find(chunks: &Chunks, kind: Kind, of: Fingerprint) -> Result<Vec<u64>, StoreError> {
    let rest = of.rest.to_le_bytes();
    let mut found = Vec::new();
    chunks.chain(kind, of.bucket, |octets| {
        for posting in octets.as_chunks::<POSTING>().0 {
            if posting[..4] == rest {
                found.push(offset(&posting[4..]));
            }
        }
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Over links that are written and what is still in memory.
        #[test]
        fn the_newest_are_the_end_of_all(
            names in prop::collection::vec(0u8..3, 0..4000),
            written in 0usize..4000,
            most in 0usize..2000,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut chunks = Chunks::open(folder.path(), 1 << 20, 1 << 20).unwrap();
            for (value, name) in (0..).zip(&names) {
                add(&mut chunks, ACCOUNT, Fingerprint::of(&[*name]), value);
                if value == written as u64 {
                    chunks.settle_all(0).unwrap();
                }
            }
            for name in 0..3 {
                let of = Fingerprint::of(&[name]);
                let mut expected = find(&chunks, ACCOUNT, of).unwrap();
                expected.reverse();
                expected.truncate(most);
                prop_assert_eq!(newest(&chunks, ACCOUNT, of, most).unwrap(), expected);
            }
        }
    }
}
