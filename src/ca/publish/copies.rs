//! What is published, copied to a directory from which somebody else serves it.
//!
//! A thread of its own follows the publication point: nobody who publishes waits for it, and what
//! it cannot write now it tries again. A copy never goes back, also not where another service, or an
//! older copy of this one, writes to the same directory.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::files::PublishedFile;
use super::point::PublicationPoint;
use crate::pki::revocation_list::CrlReader;
use crate::pki::time::Timestamp;
use crate::storage::StoreError;
use crate::storage::publication_copy::CopyStore;

/// How often the publication point is looked at.
const TICK: Duration = Duration::from_secs(1);
/// How often it is looked whether the copies still are there.
const LOOK_SECONDS: u64 = 60;
/// The longest rest after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Keeps the copies.
pub struct Copies {
    point: Arc<PublicationPoint>,
    store: Arc<dyn CopyStore>,
    state: Mutex<State>,
    stopped: Condvar,
}

#[derive(Default)]
struct State {
    /// What was written under each name, by its SHA-256.
    written: BTreeMap<String, [u8; 32]>,
    looked: Option<Timestamp>,
    /// What cannot be written, and why, by name.
    failures: BTreeMap<String, String>,
    stopping: bool,
}

/// Why a copy is not written.
#[derive(Debug, thiserror::Error)]
enum NotCopied {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("there is a newer CRL in its place, of {0}: does somebody else write there?")]
    Newer(Timestamp),
}

impl NotCopied {
    /// For whoever asks: where the directory is, is nobody's business.
    fn reason(&self) -> String {
        match self {
            Self::Store(StoreError::Io { reason, .. }) => reason.clone(),
            _ => self.to_string(),
        }
    }
}

impl Copies {
    /// Of what stands at `point`.
    pub fn new(point: Arc<PublicationPoint>, store: Arc<dyn CopyStore>) -> Self {
        Self { point, store, state: Mutex::default(), stopped: Condvar::new() }
    }

    /// Copies until [`Copies::stop`]; to be called on a thread of its own.
    pub fn run(&self, clock: &dyn Fn() -> Timestamp) {
        let mut pause = TICK;
        loop {
            let stopping = self.state().stopping;
            pause = match self.attempt(clock()) {
                Outcome::Whole => TICK,
                Outcome::Incomplete => (pause * 2).min(LONGEST_PAUSE),
            };
            if stopping {
                return;
            }
            let state = self.state();
            let waited = self.stopped.wait_timeout_while(state, pause, |own| !own.stopping);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Ends [`Copies::run`], once what stands there now has been copied.
    pub fn stop(&self) {
        self.state().stopping = true;
        self.stopped.notify_all();
    }

    /// What cannot be copied, and why.
    pub fn trouble(&self) -> Option<String> {
        let state = self.state();
        let told = state.failures.iter().map(|(name, why)| format!("{name}: {why}"));
        let told: Vec<String> = told.collect();
        (!told.is_empty()).then(|| format!("not in the publication directory: {}", told.join("; ")))
    }

    /// Copies what is not copied yet, once.
    pub fn attempt(&self, now: Timestamp) -> Outcome {
        let looks = {
            let mut state = self.state();
            let rested = |last| now < last || now.seconds_since(last) >= LOOK_SECONDS;
            let looks = state.looked.is_none_or(rested);
            if looks {
                state.looked = Some(now);
            }
            looks
        };
        let mut outcome = Outcome::Whole;
        for file in self.point.files() {
            let known = self.state().written.get(&file.name).copied();
            let is_there = known == Some(file.sha256) && !(looks && self.is_gone(&file));
            if is_there {
                self.state().failures.remove(&file.name);
                continue;
            }
            match self.put(&file) {
                Ok(()) => {
                    let mut state = self.state();
                    state.failures.remove(&file.name);
                    state.written.insert(file.name, file.sha256);
                }
                Err(error) => {
                    let why = error.reason();
                    let before = {
                        let mut state = self.state();
                        // What was written under the name may be gone.
                        state.written.remove(&file.name);
                        state.failures.insert(file.name.clone(), why.clone())
                    };
                    if before.as_ref() != Some(&why) {
                        tracing::warn!(%error, name = file.name, "not in the publication directory");
                    }
                    outcome = Outcome::Incomplete;
                }
            }
        }
        outcome
    }

    /// Whether something else, or nothing, is in its place.
    fn is_gone(&self, file: &PublishedFile) -> bool {
        let length = |copy: std::fs::File| copy.metadata().map(|data| data.len()).ok();
        let found = self.store.copy(&file.name).ok().flatten().and_then(length);
        found != Some(file.length)
    }

    fn put(&self, file: &PublishedFile) -> Result<(), NotCopied> {
        if let Some(this_update) = file.this_update
            && let Some(copy) = self.store.copy(&file.name)?
            && let Some(there) = this_update_of(copy)
            && there > this_update
        {
            return Err(NotCopied::Newer(there));
        }
        Ok(self.store.put(&file.name, &mut file.content(), file.modified)?)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How an attempt went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is there.
    Whole,
    /// Something is not, and is tried again.
    Incomplete,
}

/// thisUpdate of a CRL; nothing of what is none, which may be replaced.
fn this_update_of(copy: impl Read) -> Option<Timestamp> {
    let reader = CrlReader::open(io::BufReader::new(copy)).ok()?;
    Some(reader.this_update())
}
