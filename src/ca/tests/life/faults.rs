//! What can go wrong with the disk: the ledger and the places of publication fail at a durable
//! step, before, amid or after it took effect, once or from then on.

use std::fs::File;
use std::io::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::pki::time::Timestamp;
use crate::storage::StoreError;
use crate::storage::ledger::disk::{Disk, FileDisk};
use crate::storage::publication::{PendingFile, PublicationDirectory, PublicationStore};

/// When the step fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Before,
    /// Half of a write, or none of another step.
    Amid,
    After,
}

/// What the disk does next; shared by all that write.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// The step at which the process dies, counted down; 0: at none.
    dies_in: AtomicU64,
    when: AtomicU64,
    /// It has died: nothing takes effect any more.
    dead: AtomicBool,
    /// So many steps of publication fail.
    unpublishable: AtomicU64,
    /// No space for ordinary acts.
    full: AtomicBool,
    /// A step has failed since somebody last looked.
    failed: AtomicBool,
}

impl Faults {
    pub(super) fn die_in(&self, steps: u64, when: When) {
        self.when.store(when as u64, Ordering::SeqCst);
        self.dies_in.store(steps, Ordering::SeqCst);
    }

    pub(super) fn die(&self) {
        self.dead.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    pub(super) fn fail_publishing(&self, steps: u64) {
        self.unpublishable.store(steps, Ordering::SeqCst);
    }

    /// Whether a step has failed since this was asked last.
    pub(super) fn have_struck(&self) -> bool {
        self.failed.swap(false, Ordering::SeqCst)
    }

    pub(super) fn fill(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    pub(super) fn is_full(&self) -> bool {
        self.full.load(Ordering::SeqCst)
    }

    /// A new process on a disk that works again.
    pub(super) fn revive(&self) {
        self.dies_in.store(0, Ordering::SeqCst);
        self.unpublishable.store(0, Ordering::SeqCst);
        self.dead.store(false, Ordering::SeqCst);
    }

    /// One durable step of another file; whether the process survived it.
    pub(super) fn durably(&self, whole: impl FnOnce()) -> bool {
        let done = self.step(
            || {},
            || {
                whole();
                Ok(())
            },
        );
        done.is_ok()
    }

    /// One durable step.
    fn step<T>(
        &self,
        amid: impl FnOnce(),
        whole: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let failed = || StoreError::Io { doing: "a step".to_owned(), reason: "a fault".to_owned() };
        if self.is_dead() {
            self.failed.store(true, Ordering::SeqCst);
            return Err(failed());
        }
        let left = self.dies_in.load(Ordering::SeqCst);
        if left == 0 {
            return whole();
        }
        self.dies_in.store(left - 1, Ordering::SeqCst);
        if left > 1 {
            return whole();
        }
        self.die();
        self.failed.store(true, Ordering::SeqCst);
        match self.when.load(Ordering::SeqCst) {
            after if after == When::After as u64 => whole().map(drop)?,
            amidst if amidst == When::Amid as u64 => amid(),
            _ => {}
        }
        Err(failed())
    }

    /// One durable step of publication, which may fail without the process dying of it.
    fn publication_step<T>(
        &self,
        whole: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let left = self.unpublishable.load(Ordering::SeqCst);
        if left > 0 {
            self.unpublishable.store(left - 1, Ordering::SeqCst);
            self.failed.store(true, Ordering::SeqCst);
            return Err(StoreError::Full);
        }
        self.step(|| {}, whole)
    }
}

/// The ledger's disk.
pub(super) struct FaultyDisk {
    pub(super) disk: FileDisk,
    pub(super) faults: Arc<Faults>,
}

impl FaultyDisk {
    fn step(
        &self,
        amid: impl FnOnce(),
        whole: impl FnOnce() -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let outcome = self.faults.step(amid, || Ok(whole()));
        outcome.unwrap_or_else(|error| Err(Error::other(error.to_string())))
    }
}

impl Disk for FaultyDisk {
    fn write_at(&self, bytes: &[u8], offset: u64) -> std::io::Result<()> {
        let half = || self.disk.write_at(&bytes[..bytes.len() / 2], offset).unwrap();
        self.step(half, || self.disk.write_at(bytes, offset))
    }

    fn sync(&self) -> std::io::Result<()> {
        self.step(|| {}, || self.disk.sync())
    }

    fn truncate(&self, length: u64) -> std::io::Result<()> {
        self.step(|| {}, || self.disk.truncate(length))
    }

    fn free_space(&self) -> std::io::Result<u64> {
        Ok(if self.faults.is_full() { 0 } else { u64::MAX })
    }

    fn has_reserve(&self, _: u64) -> bool {
        true
    }

    fn make_reserve(&self, _: u64) -> std::io::Result<()> {
        Ok(())
    }

    fn free_reserve(&self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A place of publication.
pub(super) struct FaultyStore {
    pub(super) inner: PublicationDirectory,
    pub(super) faults: Arc<Faults>,
}

struct FaultyPending {
    inner: Box<dyn PendingFile>,
    faults: Arc<Faults>,
}

impl PublicationStore for FaultyStore {
    fn published(&self) -> Result<Option<File>, StoreError> {
        self.inner.published()
    }

    fn begin(&self) -> Result<Box<dyn PendingFile>, StoreError> {
        let inner = self.faults.publication_step(|| self.inner.begin())?;
        Ok(Box::new(FaultyPending { inner, faults: Arc::clone(&self.faults) }))
    }
}

impl PendingFile for FaultyPending {
    fn write_at(&mut self, octets: &[u8], offset: u64) -> Result<(), StoreError> {
        self.faults.publication_step(|| self.inner.write_at(octets, offset))
    }

    fn sync_so_far(&mut self) -> Result<(), StoreError> {
        self.inner.sync_so_far()
    }

    fn reader(&self) -> Result<File, StoreError> {
        self.inner.reader()
    }

    fn seal(&mut self, length: u64, modified: Timestamp) -> Result<(), StoreError> {
        self.faults.publication_step(|| self.inner.seal(length, modified))
    }

    fn publish(self: Box<Self>) -> Result<(), StoreError> {
        let Self { inner, faults } = *self;
        faults.publication_step(|| inner.publish())
    }
}
