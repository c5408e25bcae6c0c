//! OCSP answers, signed beforehand: a file that is a hash table by serial number, so that one
//! read finds an answer and no memory is used however many there are. Derived; may be deleted.
//!
//! ```text
//! <directory>/answers-<n>  a page with the progress, then slots
//! <directory>/signer-<n>   the certificate of a signer (DER), which its answers share
//! ```
//! One thread writes, anybody reads without a lock: a slot that was read half-way through a write
//! shows by its checksum and is read again. What is written is not synced before it is served; the
//! progress is written after a sync of what it speaks of, so that after a power cut the ledger says
//! what is missing. A sync that fails makes the table doubtful for good: the system may have dropped
//! what it could not write, and would call the next sync well done. So does a slot that whoever
//! writes finds torn. Such a table is made anew from the ledger. Absent: what an answer is,
//! and when one is made. Begin with [`AnswerTable`].

mod disk;
mod progress;
mod slot;
mod table;

use disk::Disk;
pub use progress::{Progress, Stage};
pub use slot::{Answer, Kept};
pub use table::{AnswerTable, Put};

use std::path::{Path, PathBuf};

use super::StoreError;
use super::datadir::{FileMode, doing, make_directory, write_durably};

/// The directory of the tables.
#[derive(Clone, Debug)]
pub struct AnswerDirectory {
    path: PathBuf,
    disk: Disk,
}

impl AnswerDirectory {
    /// Makes it where it is missing.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        make_directory(path)?;
        Ok(Self { path: path.to_owned(), disk: Disk::default() })
    }

    /// The same, whose tables are synced by somebody else: for tests of a disk that refuses.
    #[cfg(test)]
    pub fn synced_by(
        self,
        sync: impl Fn(&std::fs::File) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self { disk: Disk::synced_by(sync), ..self }
    }

    /// The newest table, if there is one that can be used.
    pub fn table(&self) -> Result<Option<AnswerTable>, StoreError> {
        let mut numbers = self.numbers("answers-")?;
        numbers.sort_unstable();
        let Some(newest) = numbers.pop() else { return Ok(None) };
        // A crash may have left the one before.
        numbers.into_iter().try_for_each(|number| self.remove("answers-", number))?;
        AnswerTable::open(&self.path, newest, self.disk.clone())
    }

    /// An empty table for the answers about so many certificates, more or less; those before it are
    /// deleted.
    pub fn begin(&self, certificates: u64) -> Result<AnswerTable, StoreError> {
        let before = self.numbers("answers-")?;
        let next = before.iter().max().map_or(1, |number| number + 1);
        let table = AnswerTable::create(&self.path, next, certificates, self.disk.clone())?;
        for number in before {
            self.remove("answers-", number)?;
        }
        Ok(table)
    }

    /// Keeps a signer's certificate (DER) under the next number.
    pub fn add_signer(&self, certificate: &[u8]) -> Result<u32, StoreError> {
        let next = self.numbers("signer-")?.into_iter().max().map_or(1, |number| number + 1);
        write_durably(&self.file("signer-", next), certificate, FileMode::Public)?;
        u32::try_from(next).map_err(|_| StoreError::Damaged("signers have run out".to_owned()))
    }

    /// The signers' certificates by number.
    pub fn signers(&self) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
        let mut found = Vec::new();
        for number in self.numbers("signer-")? {
            let path = self.file("signer-", number);
            let octets = std::fs::read(&path).map_err(|error| doing("reading", &path, &error))?;
            found.extend(u32::try_from(number).ok().map(|number| (number, octets)));
        }
        Ok(found)
    }

    /// Deletes the signers before this one.
    pub fn forget_signers_before(&self, signer: u32) -> Result<(), StoreError> {
        let old = self.numbers("signer-")?.into_iter().filter(|number| *number < u64::from(signer));
        old.into_iter().try_for_each(|number| self.remove("signer-", number))
    }

    fn file(&self, name: &str, number: u64) -> PathBuf {
        self.path.join(format!("{name}{number}"))
    }

    fn remove(&self, name: &str, number: u64) -> Result<(), StoreError> {
        let path = self.file(name, number);
        std::fs::remove_file(&path).map_err(|error| doing("removing", &path, &error))
    }

    fn numbers(&self, name: &str) -> Result<Vec<u64>, StoreError> {
        let failed = |error: std::io::Error| doing("reading", &self.path, &error);
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(failed)? {
            let file = entry.map_err(failed)?.file_name();
            let number = file.to_str().and_then(|file| file.strip_prefix(name));
            found.extend(number.and_then(|number| number.parse::<u64>().ok()));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
