//! The thread that publishes: on demand, before the last CRL is due, and again after a failure.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::making::Press;
use super::recovery::Standing;
use super::{Current, PublicationPoint, PublishError, Schedule};
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
    pause: Option<Duration>,
    not_before: Option<Instant>,
    unrecorded: Option<Entry>,
    stopping: bool,
}

impl Publisher {
    /// A publisher for this CA that has not begun.
    pub fn new(
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
    /// number; nothing if that takes longer than `timeout` or the publisher stops.
    pub fn wait_for(&self, sequence: u64, timeout: Duration) -> Option<u64> {
        let deadline = Instant::now() + timeout;
        let mut state = self.state();
        loop {
            match state.reflected {
                Some((reflected, number)) if reflected >= sequence => return Some(number),
                _ if state.stopping => return None,
                _ => {}
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            state = self.wait(state, left);
        }
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
            if self.is_time(clock()) {
                self.attempt(clock());
            }
            if stopping {
                return;
            }
            let state = self.state();
            if !state.stopping && !state.is_asked() {
                drop(self.wait(state, TICK));
            }
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
        if state.not_before.is_some_and(|moment| Instant::now() < moment) {
            return false;
        }
        !state.recovered
            || state.needs_one()
            || state.unrecorded.is_some()
            || self.press.point.current().is_none_or(|current| now >= current.due)
    }

    /// Does what is to be done, once, and notes how it went.
    pub(super) fn attempt(&self, now: Timestamp) {
        let outcome = self.work(now);
        let mut state = self.state();
        match outcome {
            Ok(()) => {
                state.failure = None;
                state.pause = None;
                state.not_before = None;
            }
            Err(error) => {
                let pause = state.pause.map_or(FIRST_PAUSE, |last| (last * 2).min(LONGEST_PAUSE));
                tracing::error!(%error, retry_in = ?pause, "no CRL could be published");
                state.failure = Some(error.to_string());
                state.pause = Some(pause);
                state.not_before = Instant::now().checked_add(pause);
            }
        }
        drop(state);
        self.changed.notify_all();
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

    fn wait<'a>(&self, state: MutexGuard<'a, State>, longest: Duration) -> MutexGuard<'a, State> {
        let waited = self.changed.wait_timeout(state, longest);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl State {
    fn needs_one(&self) -> bool {
        self.wanted || self.reflected.map_or(0, |(sequence, _)| sequence) < self.demanded
    }

    /// Whether a demand can be met at once, without a pause.
    fn is_asked(&self) -> bool {
        self.needs_one() && self.not_before.is_none()
    }
}
