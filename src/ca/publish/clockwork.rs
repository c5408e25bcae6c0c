//! The thread that publishes: on demand, before the last CRL is due, and again after a failure.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::making::Press;
use super::recovery::Standing;
use super::{Current, PublicationPoint, PublishError, Schedule};
use crate::ca::Authority;
use crate::pki::issuer::Issuer;
use crate::pki::time::Timestamp;
use crate::signing::CaKey;
use crate::storage::act::Entry;
use crate::storage::publication::PublicationStore;
use crate::storage::{Register, Urgency};

/// The wall clock is looked at this often: after a machine slept, a long timer would be late.
const TICK: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Makes CRLs, one at a time. Any thread may ask for one; [`Publisher::run`] makes them.
pub struct Publisher {
    press: Press,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What is published was compared with what is on record.
    recovered: bool,
    /// A CRL is to be made whatever the ledger says.
    wanted: bool,
    /// The highest ledger entry that somebody wants to see reflected.
    demanded: u64,
    /// The last ledger entry that the published CRL reflects, and its number.
    reflected: Option<(u64, u64)>,
    /// Why there is none newer.
    failure: Option<String>,
    /// How long it rests after that failure.
    pause: Option<Duration>,
    unrecorded: Option<Entry>,
    stopping: bool,
    stopped: bool,
}

/// It failed, and this is how long it rests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resting(Duration);

impl Publisher {
    /// A publisher for this authority that has not begun.
    pub fn new(
        authority: &Authority,
        store: Arc<dyn PublicationStore>,
        point: Arc<PublicationPoint>,
        schedule: Schedule,
    ) -> Self {
        let register = Arc::clone(&authority.register);
        let (key, issuer) = (Arc::clone(&authority.key), Arc::clone(&authority.issuer));
        Self::of_parts(register, key, issuer, store, point, schedule)
    }

    /// A publisher of a CA without the rest of an authority.
    pub fn of_parts(
        register: Arc<dyn Register>,
        key: Arc<dyn CaKey>,
        issuer: Arc<Issuer>,
        store: Arc<dyn PublicationStore>,
        point: Arc<PublicationPoint>,
        schedule: Schedule,
    ) -> Self {
        let press = Press { register, key, issuer, store, point, schedule };
        Self { press, state: Mutex::new(State::default()), changed: Condvar::new() }
    }

    /// Asks for a CRL that reflects the ledger up to `sequence`. Demands that arrive while one is
    /// being made are met by one more, together.
    pub fn demand(&self, sequence: u64) {
        let mut state = self.state();
        state.demanded = state.demanded.max(sequence);
        self.changed.notify_all();
    }

    /// Asks for a new CRL although nothing may have changed.
    pub fn demand_anew(&self) {
        let mut state = self.state();
        state.wanted = true;
        // What is published so far does not answer this demand.
        state.reflected = None;
        self.changed.notify_all();
    }

    /// Waits until a CRL is published that reflects the ledger up to `sequence`, and gives its
    /// number; nothing if that takes longer than `timeout` or the publisher has stopped.
    pub fn wait_for(&self, sequence: u64, timeout: Duration) -> Option<u64> {
        let answer = |state: &State| {
            state
                .reflected
                .filter(|(reflected, _)| *reflected >= sequence)
                .map(|(_, number)| number)
        };
        let state = self.state();
        let waited = self
            .changed
            .wait_timeout_while(state, timeout, |state| answer(state).is_none() && !state.stopped);
        answer(&waited.unwrap_or_else(PoisonError::into_inner).0)
    }

    /// The published CRL.
    pub fn current(&self) -> Option<Arc<Current>> {
        self.press.point.current()
    }

    /// What is wrong with publication, hours before a relying party would notice.
    pub fn trouble(&self, now: Timestamp) -> Option<String> {
        let Some(current) = self.current() else {
            let failure = self.state().failure.clone();
            return Some(failure.unwrap_or_else(|| "no CRL has been published yet".to_owned()));
        };
        if let Some(failure) = &self.state().failure {
            let until = current.next_update;
            return Some(format!("the CRL in force ends {until}; no newer one: {failure}"));
        }
        if now >= self.press.schedule.overdue(current.next_publish) {
            let (due, until) = (current.next_publish, current.next_update);
            return Some(format!("the CRL was to be renewed {due} and ends {until}"));
        }
        None
    }

    /// Publishes until [`Publisher::stop`]; to be called on a thread of its own. Demands made
    /// before the stop are met first.
    pub fn run(&self, clock: &dyn Fn() -> Timestamp) {
        loop {
            let stopping = self.state().stopping;
            let failed = if self.is_time(clock()) { self.attempt(clock()) } else { Ok(()) };
            let mut state = self.state();
            if stopping {
                state.stopped = true;
                self.changed.notify_all();
                return;
            }
            let (rest, interested) = match failed {
                Ok(()) => (TICK, true),
                Err(Resting(pause)) => (pause, false),
            };
            let _woken = self.changed.wait_timeout_while(state, rest, |state| {
                !(state.stopping || interested && state.needs_one())
            });
        }
    }

    /// Ends [`Publisher::run`].
    pub fn stop(&self) {
        self.state().stopping = true;
        self.changed.notify_all();
    }

    /// Whether something is to be done now.
    fn is_time(&self, now: Timestamp) -> bool {
        let state = self.state();
        !state.recovered
            || state.needs_one()
            || state.unrecorded.is_some()
            || self.press.point.current().is_none_or(|current| now >= current.due)
    }

    /// Does what is to be done, once, and notes how it went.
    pub(super) fn attempt(&self, now: Timestamp) -> Result<(), Resting> {
        let outcome = self.work(now);
        let mut state = self.state();
        let result = match outcome {
            Ok(()) => {
                state.failure = None;
                state.pause = None;
                Ok(())
            }
            Err(error) => {
                let pause = state.pause.map_or(FIRST_PAUSE, |last| (last * 2).min(LONGEST_PAUSE));
                tracing::error!(%error, retry_in = ?pause, "no CRL could be published");
                state.failure = Some(error.to_string());
                state.pause = Some(pause);
                Err(Resting(pause))
            }
        };
        drop(state);
        self.changed.notify_all();
        result
    }

    fn work(&self, now: Timestamp) -> Result<(), PublishError> {
        if !self.state().recovered {
            let standing = self.press.recover(now)?;
            let mut state = self.state();
            state.recovered = true;
            match (standing, self.press.point.current()) {
                (Standing::Reflects(sequence), Some(current)) => {
                    state.reflected = Some((sequence, current.number));
                }
                _ => state.wanted = true,
            }
        }
        let unrecorded = self.state().unrecorded.clone();
        if let Some(entry) = unrecorded {
            self.press.register.commit(vec![entry], Urgency::Reserved)?;
            self.state().unrecorded = None;
        }
        let due = self.press.point.current().is_none_or(|current| now >= current.due);
        let asked = {
            let mut state = self.state();
            // A demand that comes from here on asks for one more.
            let asked = state.needs_one();
            state.wanted = false;
            asked
        };
        if !asked && !due {
            return Ok(());
        }
        match self.press.make(now) {
            Ok(made) => {
                tracing::info!(number = made.number, sequence = made.sequence, "CRL published");
                let mut state = self.state();
                state.unrecorded = made.unrecorded;
                if !state.wanted {
                    state.reflected = Some((made.sequence, made.number));
                }
                Ok(())
            }
            Err(error) => {
                self.state().wanted = true;
                Err(error)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn needs_one(&self) -> bool {
        self.wanted || self.reflected.map_or(0, |(sequence, _)| sequence) < self.demanded
    }
}
