//! A place of publication that can be told to fail at a durable step, before or after it took
//! effect. A register may count its steps with it.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::pki::time::Timestamp;
use crate::storage::StoreError;
use crate::storage::publication::{PendingFile, PublicationDirectory, PublicationStore};

/// Counts durable steps and fails at one of them.
#[derive(Default)]
pub struct Steps {
    pub taken: AtomicU64,
    pub fail_before: AtomicU64,
    pub fail_after: AtomicU64,
}

impl Steps {
    pub fn take<T>(&self, step: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let number = self.taken.fetch_add(1, Ordering::SeqCst) + 1;
        let failed = |when: &str| StoreError::Io {
            doing: format!("step {number}"),
            reason: format!("told to fail {when} it"),
        };
        if number == self.fail_before.load(Ordering::SeqCst) {
            return Err(failed("before"));
        }
        let result = step();
        if number == self.fail_after.load(Ordering::SeqCst) {
            return Err(failed("after"));
        }
        result
    }

    pub fn reset(&self) {
        self.taken.store(0, Ordering::SeqCst);
        self.fail_before.store(0, Ordering::SeqCst);
        self.fail_after.store(0, Ordering::SeqCst);
    }
}

/// A directory whose durable steps are counted.
pub struct Faulty {
    pub inner: PublicationDirectory,
    pub steps: Arc<Steps>,
}

struct FaultyPending {
    inner: Box<dyn PendingFile>,
    steps: Arc<Steps>,
}

impl PublicationStore for Faulty {
    fn published(&self) -> Result<Option<File>, StoreError> {
        self.inner.published()
    }

    fn begin(&self) -> Result<Box<dyn PendingFile>, StoreError> {
        let inner = self.steps.take(|| self.inner.begin())?;
        Ok(Box::new(FaultyPending { inner, steps: Arc::clone(&self.steps) }))
    }
}

impl PendingFile for FaultyPending {
    fn write_at(&mut self, octets: &[u8], offset: u64) -> Result<(), StoreError> {
        self.steps.take(|| self.inner.write_at(octets, offset))
    }

    fn sync_so_far(&mut self) -> Result<(), StoreError> {
        self.inner.sync_so_far()
    }

    fn reader(&self) -> Result<File, StoreError> {
        self.inner.reader()
    }

    fn seal(&mut self, length: u64, modified: Timestamp) -> Result<(), StoreError> {
        self.steps.take(|| self.inner.seal(length, modified))
    }

    fn publish(self: Box<Self>) -> Result<(), StoreError> {
        let Self { inner, steps } = *self;
        steps.take(|| inner.publish())
    }
}
