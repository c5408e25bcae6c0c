//! Leave to compute: parsing, building and signing go on in few threads at a time.

use std::sync::{Condvar, Mutex, PoisonError};

use crate::pki::signature::SignatureAlgorithm;

/// How many threads may compute at once: enrolments wait for the disk in many threads, but
/// parse, build and sign in only as many as there are processors.
pub struct Permits {
    free: Mutex<usize>,
    freed: Condvar,
}

/// Leave to compute, given back when dropped.
pub(in crate::ca) struct Permit<'a>(&'a Permits);

impl Permits {
    /// Where a signature takes a millisecond, a few for each processor, so that signing leaves
    /// the doors room. Where it takes microseconds, waiting for leave costs more than it saves:
    /// as many as there are threads.
    pub fn for_key(algorithm: SignatureAlgorithm, processors: usize) -> Self {
        const FOR_EACH_PROCESSOR: usize = 4;
        let free = match algorithm {
            SignatureAlgorithm::EcdsaSha256 => usize::MAX,
            _ => processors.max(1) * FOR_EACH_PROCESSOR,
        };
        Self { free: Mutex::new(free), freed: Condvar::new() }
    }

    pub(in crate::ca) fn acquire(&self) -> Permit<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let none = |free: &mut usize| *free == 0;
        let mut free = self.freed.wait_while(free, none).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Permit(self)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}
