//! The ledger: one append-only file, the only truth of the register.
//!
//! Each entry is framed with a checksum and carries the hash of the one before; each commit is
//! closed by a marker and synced before anything in it is acknowledged. Absent: what an entry
//! means (see the index). Begin with `frame` for the bytes, `writer` for the commit.

pub mod disk;
pub mod frame;
pub mod recovery;
pub mod scan;
pub mod writer;

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::StoreError;
use super::act::Entry;
use frame::{Frame, Hash, Parsed};

/// Reads single entries by offset.
#[derive(Debug)]
pub struct Reader {
    file: File,
}

/// An entry with its place in the chain.
#[derive(Debug)]
pub struct Located {
    /// Its number.
    pub sequence: u64,
    /// Its hash.
    pub hash: Hash,
    /// The entry.
    pub entry: Entry,
    /// Offset of what follows it.
    pub end: u64,
}

/// What stands at an offset.
#[derive(Debug)]
pub enum Item {
    /// An entry.
    Entry(Box<Located>),
    /// A commit's end, and the offset after it.
    Marker(frame::Marker, u64),
}

/// Octets read at first: most entries fit.
const GUESS: usize = 4096;

impl Reader {
    /// Over the ledger as opened for reading.
    pub fn new(file: File) -> Self {
        Self { file }
    }

    /// The file itself, for scanning.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The entry at `offset`, its checksum verified.
    pub fn entry(&self, offset: u64) -> Result<Located, StoreError> {
        match self.item(offset)? {
            Item::Entry(located) => Ok(*located),
            Item::Marker(..) => Err(unreadable(offset)),
        }
    }

    /// Whatever frame stands at `offset`.
    pub fn item(&self, offset: u64) -> Result<Item, StoreError> {
        let mut bytes = vec![0; GUESS];
        loop {
            let had = self.read_up_to(&mut bytes, offset)?;
            match frame::parse(&bytes[..had]) {
                Parsed::Short(total) if had == bytes.len() && total > had => {
                    bytes.resize(total, 0);
                }
                Parsed::Frame(Frame::Entry { sequence, hash, body, .. }, size) => {
                    let entry = minicbor::decode(body).map_err(|_| unreadable(offset))?;
                    let end = offset + size as u64;
                    return Ok(Item::Entry(Box::new(Located { sequence, hash, entry, end })));
                }
                Parsed::Frame(Frame::Marker(marker), size) => {
                    return Ok(Item::Marker(marker, offset + size as u64));
                }
                Parsed::Short(_) | Parsed::Bad => return Err(unreadable(offset)),
            }
        }
    }

    fn read_up_to(&self, bytes: &mut [u8], offset: u64) -> Result<usize, StoreError> {
        let mut had = 0;
        while had < bytes.len() {
            match self.file.read_at(&mut bytes[had..], offset + had as u64) {
                Ok(0) => break,
                Ok(more) => had += more,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let doing = "reading the ledger".to_owned();
                    return Err(StoreError::Io { doing, reason: error.to_string() });
                }
            }
        }
        Ok(had)
    }
}

fn unreadable(offset: u64) -> StoreError {
    StoreError::Damaged(format!("no readable entry at offset {offset}"))
}
