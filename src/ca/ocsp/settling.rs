//! What was written is synced from time to time on a thread of its own: a sync of much takes long,
//! and signing goes on meanwhile. How it went is told at the next look, whether or not anything
//! more is to be written.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::OcspError;
use crate::storage::StoreError;
use crate::storage::answers::{AnswerTable, Progress, Stage};

/// How often what is written is synced, so that a power cut costs no more than this.
const PAUSE: Duration = Duration::from_secs(10);
/// The same while a round is made: much is written, and its end shall not wait for all of it.
const PAUSE_IN_A_ROUND: Duration = Duration::from_secs(3);

/// The syncs beside the signing, one at a time.
#[derive(Default)]
pub(super) struct Settling {
    /// When the last one began, and how far what it syncs was then.
    last: Option<(Instant, Progress)>,
    under_way: Option<JoinHandle<Result<(), StoreError>>>,
}

impl Settling {
    /// Begins one if it is time and there is something to sync.
    pub fn begin(&mut self, table: &Arc<AnswerTable>) -> Result<(), OcspError> {
        let progress = table.progress();
        let pause = match progress.stage {
            Stage::First(_) | Stage::Later(_) => PAUSE_IN_A_ROUND,
            Stage::Nothing | Stage::Over => PAUSE,
        };
        let rests =
            |(last, so_far): (Instant, Progress)| last.elapsed() < pause || so_far == progress;
        let under_way = |thread: &JoinHandle<_>| !thread.is_finished();
        if self.last.is_some_and(rests) || self.under_way.as_ref().is_some_and(under_way) {
            return Ok(());
        }
        self.wait()?;
        let table = Arc::clone(table);
        let thread = std::thread::Builder::new().name("ocsp-settling".to_owned());
        self.under_way = Some(thread.spawn(move || table.settle_so_far())?);
        self.last = Some((Instant::now(), progress));
        Ok(())
    }

    /// How the last one went, once, if it is over.
    pub fn outcome(&mut self) -> Result<(), OcspError> {
        match &self.under_way {
            Some(thread) if thread.is_finished() => self.wait(),
            _ => Ok(()),
        }
    }

    /// Waits for the one that is under way.
    pub fn wait(&mut self) -> Result<(), OcspError> {
        let outcome = match self.under_way.take().map(JoinHandle::join) {
            Some(Ok(settled)) => settled.map_err(OcspError::from),
            Some(Err(_)) => Err(OcspError::ThreadLost),
            None => Ok(()),
        };
        if outcome.is_err() {
            // What it should have done is still to be done.
            self.last = None;
        }
        outcome
    }
}
