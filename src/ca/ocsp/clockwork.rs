//! The thread that makes answers: at once where the ledger says that a certificate stands
//! otherwise, and all of them in good time before they end.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::desk::{Desk, Work};
use super::making::Parts;
use super::point::Coverage;
use crate::pki::time::Timestamp;
use crate::storage::answers::Stage;

/// How often the ledger is looked at for what nobody has told.
const TICK: Duration = Duration::from_millis(100);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const STILL_BEING_MADE: &str = "OCSP answers are still being made";

/// Makes answers. Any thread may ask whether they reflect an act; [`AnswerMaker::run`] makes them.
pub struct AnswerMaker {
    parts: Parts,
    state: Mutex<State>,
    changed: Condvar,
    /// What the thread that runs has in hand.
    desk: Mutex<Desk>,
}

/// Answers that end soon and that nothing has renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndingAnswers {
    /// About what was issued under the CA's key of this index.
    pub key_index: u16,
    /// When the first of them end.
    pub next_update: Timestamp,
    /// Why there are none newer.
    pub why: String,
}

#[derive(Default)]
struct State {
    demanded: u64,
    /// The last ledger entry that the answers reflect.
    reflected: u64,
    /// The round under way or over: when it began, where it is, and who is answered.
    round: Option<(u64, Stage, Coverage)>,
    failure: Option<String>,
    pause: Option<Duration>,
    certificates: u64,
    stopping: bool,
}

impl AnswerMaker {
    /// A maker that has not begun.
    pub fn new(parts: Parts) -> Self {
        let (state, changed) = (Mutex::new(State::default()), Condvar::new());
        Self { parts, state, changed, desk: Mutex::default() }
    }

    /// Asks for answers that reflect the ledger up to `sequence`.
    pub fn demand(&self, sequence: u64) {
        let mut state = self.state();
        state.demanded = state.demanded.max(sequence);
        self.changed.notify_all();
    }

    /// Whether the answers that are served reflect the ledger up to `sequence`.
    pub fn reflects(&self, sequence: u64) -> bool {
        self.state().reflected >= sequence
    }

    /// Certificates answered in the round under way or over, and seconds since it began.
    pub fn round(&self, now: Timestamp) -> Option<(u64, u64)> {
        let state = self.state();
        let (begun_at, ..) = state.round?;
        Some((state.certificates, now.seconds().saturating_sub(begun_at)))
    }

    /// What is wrong with the answers, hours before a relying party would notice.
    pub fn trouble(&self, now: Timestamp) -> Option<String> {
        let state = self.state();
        if let Some(failure) = &state.failure {
            return Some(format!("OCSP answers are not renewed: {failure}"));
        }
        match state.round {
            Some((_, _, coverage)) if coverage.lacks_some(now) => Some(STILL_BEING_MADE.to_owned()),
            None => Some(STILL_BEING_MADE.to_owned()),
            Some((begun_at, stage, _)) if now >= self.parts.schedule.overdue(begun_at, stage) => {
                Some(late(begun_at, stage))
            }
            Some(_) => None,
        }
    }

    /// The answers that are served and end soon, if they were to be renewed by now.
    pub fn ending(&self, now: Timestamp) -> Option<EndingAnswers> {
        let state = self.state();
        let (begun_at, stage, _) = state.round?;
        let schedule = &self.parts.schedule;
        let answered = matches!(stage, Stage::Later(_) | Stage::Over);
        if !answered || now < schedule.overdue(begun_at, stage) {
            return None;
        }
        Some(EndingAnswers {
            key_index: self.parts.issuer.key_index(),
            next_update: schedule.oldest_end(begun_at, stage),
            why: state.failure.clone().unwrap_or_else(|| late(begun_at, stage)),
        })
    }

    /// Makes answers until [`AnswerMaker::stop`]; to be called on a thread of its own.
    pub fn run(&self, clock: &dyn Fn() -> Timestamp) {
        loop {
            let rest = match self.attempt(clock()) {
                Ok(Work::GoesOn) => Duration::ZERO,
                Ok(Work::Done) => TICK,
                Err(pause) => pause,
            };
            let failed = self.state().failure.is_some();
            let waited = self.changed.wait_timeout_while(self.state(), rest, |state| {
                !(state.stopping || !failed && state.demanded > state.reflected)
            });
            if waited.unwrap_or_else(PoisonError::into_inner).0.stopping {
                break;
            }
        }
        if let Err(error) = self.desk().close() {
            tracing::warn!(%error, "the OCSP answers were not closed cleanly");
        }
    }

    /// Ends [`AnswerMaker::run`].
    pub fn stop(&self) {
        self.state().stopping = true;
        self.changed.notify_all();
    }

    /// Does what is to be done, once, and notes how it went.
    pub(in crate::ca) fn attempt(&self, now: Timestamp) -> Result<Work, Duration> {
        let mut desk = self.desk();
        let outcome = desk.work(&self.parts, now);
        let mut state = self.state();
        if let Some(table) = &desk.table {
            let progress = table.progress();
            state.reflected = progress.reflected;
            state.certificates = progress.certificates;
            let (begun_at, stage) = (progress.begun_at, progress.stage);
            let coverage = Coverage::of(&progress);
            state.round = (stage != Stage::Nothing).then_some((begun_at, stage, coverage));
        }
        let result = match outcome {
            Ok(work) => {
                state.failure = None;
                state.pause = None;
                Ok(work)
            }
            Err(error) => {
                let pause = state.pause.map_or(FIRST_PAUSE, |last| (last * 2).min(LONGEST_PAUSE));
                tracing::error!(%error, retry_in = ?pause, "no OCSP answers could be made");
                state.failure = Some(error.to_string());
                state.pause = Some(pause);
                // What a failure leaves half done is looked at anew.
                desk.rest = None;
                Err(pause)
            }
        };
        drop(state);
        self.changed.notify_all();
        result
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is late, where nothing failed.
fn late(begun_at: u64, stage: Stage) -> String {
    let begun = Timestamp::from_seconds(begun_at);
    match stage {
        Stage::Over => format!("the OCSP answers of {begun} were to be renewed by now"),
        _ => format!("the renewal of OCSP answers that began {begun} was to be over by now"),
    }
}
