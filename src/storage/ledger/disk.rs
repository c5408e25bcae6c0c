//! The few file operations that the ledger's durability hangs on, behind a trait so that tests
//! can fail each of them at each step, before or after it took effect.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// What the ledger's writer asks of the disk.
pub trait Disk: Send {
    /// Writes all of `bytes` at `offset` of the ledger.
    fn write_at(&self, bytes: &[u8], offset: u64) -> std::io::Result<()>;
    /// Makes what was written durable.
    fn sync(&self) -> std::io::Result<()>;
    /// Cuts the ledger to `length`.
    fn truncate(&self, length: u64) -> std::io::Result<()>;
    /// Free octets that this process may use.
    fn free_space(&self) -> std::io::Result<u64>;
    /// Whether `octets` are set aside.
    fn has_reserve(&self, octets: u64) -> bool;
    /// Sets `octets` aside; does nothing where they are set aside already.
    fn make_reserve(&self, octets: u64) -> std::io::Result<()>;
    /// Gives them free.
    fn free_reserve(&self) -> std::io::Result<()>;
}

/// The real disk.
#[derive(Debug)]
pub struct FileDisk {
    ledger: File,
    reserve: PathBuf,
}

impl FileDisk {
    /// The ledger as opened for writing; the reserve stands beside it.
    pub fn new(ledger: File, data: &Path) -> Self {
        Self { ledger, reserve: data.join("reserve") }
    }
}

impl Disk for FileDisk {
    fn write_at(&self, bytes: &[u8], offset: u64) -> std::io::Result<()> {
        self.ledger.write_all_at(bytes, offset)
    }

    fn sync(&self) -> std::io::Result<()> {
        self.ledger.sync_data()
    }

    fn truncate(&self, length: u64) -> std::io::Result<()> {
        self.ledger.set_len(length)
    }

    fn free_space(&self) -> std::io::Result<u64> {
        let space = rustix::fs::fstatvfs(&self.ledger)?;
        Ok(space.f_bavail.saturating_mul(space.f_frsize))
    }

    fn has_reserve(&self, octets: u64) -> bool {
        std::fs::metadata(&self.reserve).is_ok_and(|there| there.len() >= octets)
    }

    fn make_reserve(&self, octets: u64) -> std::io::Result<()> {
        if self.has_reserve(octets) {
            return Ok(());
        }
        let file = File::create(&self.reserve)?;
        let made = rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, octets)
            .map_err(std::io::Error::from)
            .and_then(|()| file.sync_all());
        if made.is_err() {
            std::fs::remove_file(&self.reserve)?;
        }
        made
    }

    fn free_reserve(&self) -> std::io::Result<()> {
        match std::fs::remove_file(&self.reserve) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}
