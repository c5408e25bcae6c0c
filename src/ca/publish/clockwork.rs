//! The threads that publish: on demand, before the last CRL is due, and again after a failure.
//!
//! Where deltas are made, one thread makes them and another the complete CRLs, which follow by
//! themselves: a revocation is told by a delta first and reaches a complete list as well.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::held::Held;
use super::making::{DeltaUse, Line, Made, Press};
use super::recovery::Standing;
use super::state::{Kind, State};
use super::{Current, PublicationPoint, PublishError, Schedule};
use crate::ca::Authority;
use crate::pki::issuer::Issuer;
use crate::pki::revocation_list::CrlScope;
use crate::pki::time::Timestamp;
use crate::signing::CaKey;
use crate::storage::publication::PublicationStore;
use crate::storage::{Register, Urgency};

/// The wall clock is looked at this often: after a machine slept, a long timer would be late.
const TICK: Duration = Duration::from_secs(1);

/// Makes CRLs, one of a kind at a time. Any thread may ask for one; [`Publisher::run`] makes them.
pub struct Publisher {
    press: Press,
    state: Mutex<State>,
    changed: Condvar,
}

/// It failed, and this is how long it rests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resting(pub Duration);

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
        let lists = Arc::clone(point.main());
        let base = Line { store, schedule };
        let (delta, counter, held) = (None, Arc::default(), Held::default());
        let ends = None;
        Self::of_press(Press {
            register,
            key,
            issuer,
            point,
            lists,
            base,
            delta,
            counter,
            held,
            ends,
        })
    }

    /// A publisher of another scope of the same CA. `issuer` is the CA with the key that signs
    /// there. Nothing where the publication point has no such scope.
    pub fn beside(
        &self,
        scope: CrlScope,
        key: Arc<dyn CaKey>,
        issuer: Arc<Issuer>,
        store: Arc<dyn PublicationStore>,
        schedule: Schedule,
    ) -> Option<Self> {
        let (register, point) = (Arc::clone(&self.press.register), Arc::clone(&self.press.point));
        let lists = Arc::clone(point.lists().iter().find(|lists| lists.scope() == scope)?);
        let base = Line { store, schedule };
        let (delta, counter) = (None, Arc::clone(&self.press.counter));
        let held = Held::default();
        let ends = None;
        let press = Press { register, key, issuer, point, lists, base, delta, counter, held, ends };
        Some(Self::of_press(press))
    }

    /// The same of a scope in which nothing more is issued and whose last certificate ends at
    /// `ends`: the CRL that is made after that is the last.
    pub fn ending(mut self, ends: Timestamp) -> Self {
        self.press.ends = Some(ends);
        self
    }

    fn of_press(press: Press) -> Self {
        Self { press, state: Mutex::new(State::default()), changed: Condvar::new() }
    }

    /// The name of its CRL's file.
    pub fn file_name(&self) -> String {
        format!("{}.crl", self.press.lists.name())
    }

    /// Which certificates its CRLs speak of.
    pub fn scope(&self) -> CrlScope {
        self.press.lists.scope()
    }

    /// The same with delta CRLs, which stand in a place of their own.
    pub fn with_deltas(
        mut self,
        store: Arc<dyn PublicationStore>,
        schedule: Schedule,
        announced: DeltaUse,
    ) -> Self {
        self.press.delta = Some((Line { store, schedule }, announced));
        self
    }

    /// Asks for a CRL that reflects the ledger up to `sequence`. Demands that arrive while one is
    /// being made are met by one more, together.
    pub fn demand(&self, sequence: u64) {
        if self.has_signed_the_last() {
            return;
        }
        let mut state = self.state();
        state.demand(sequence);
        self.changed.notify_all();
    }

    /// Asks for new CRLs although nothing may have changed.
    pub fn demand_anew(&self) {
        if self.has_signed_the_last() {
            return;
        }
        let mut state = self.state();
        for kind in [Kind::Base, Kind::Delta] {
            let progress = state.of(kind);
            progress.wanted = true;
            // What is published so far does not answer this demand.
            progress.reflected = None;
        }
        self.changed.notify_all();
    }

    /// Whether everything in this scope has ended and its last CRL is there: no other is made.
    pub fn has_signed_the_last(&self) -> bool {
        let last = |crl: Arc<Current>| crl.next_update == Timestamp::NEVER;
        self.press.ends.is_some() && self.current().is_some_and(last)
    }

    /// Waits until a CRL is published that reflects the ledger up to `sequence`, and gives its
    /// number; nothing if that takes longer than `timeout` or the publisher has stopped.
    pub fn wait_for(&self, sequence: u64, timeout: Duration) -> Option<u64> {
        let state = self.state();
        let waited = self.changed.wait_timeout_while(state, timeout, |state| {
            state.answer(sequence).is_none() && !state.stopped
        });
        waited.unwrap_or_else(PoisonError::into_inner).0.answer(sequence)
    }

    /// The published complete CRL.
    pub fn current(&self) -> Option<Arc<Current>> {
        self.press.lists.current()
    }

    /// The published delta CRL.
    pub fn delta(&self) -> Option<Arc<Current>> {
        self.press.lists.delta()
    }

    /// What is wrong with publication, hours before a relying party would notice.
    pub fn trouble(&self, now: Timestamp) -> Option<String> {
        let Some(current) = self.current() else {
            let failure = self.state().base.failure.clone();
            return Some(failure.unwrap_or_else(|| "no CRL has been published yet".to_owned()));
        };
        let base = &self.press.base.schedule;
        let failure = self.state().base.failure.clone();
        if let Some(why) = overdue("CRL", &current, base, failure, now) {
            return Some(why);
        }
        let (line, _) = self.press.delta.as_ref()?;
        let failure = self.state().delta.failure.clone();
        match self.delta() {
            Some(delta) if self.press.makes_deltas(now) => {
                overdue("delta CRL", &delta, &line.schedule, failure, now)
            }
            Some(_) => None,
            None => failure.map(|why| format!("no delta CRL has been published yet: {why}")),
        }
    }

    /// Publishes until [`Publisher::stop`]; to be called on a thread of its own. Demands made
    /// before the stop are met first.
    pub fn run(&self, clock: &(dyn Fn() -> Timestamp + Sync)) {
        std::thread::scope(|scope| {
            if self.press.delta.is_some() {
                let deltas = std::thread::Builder::new().name("deltas".to_owned());
                if let Err(error) = deltas.spawn_scoped(scope, || self.keep_up(Kind::Delta, clock))
                {
                    // Complete CRLs are made as if there were no deltas; readiness says why.
                    tracing::error!(%error, "no thread for delta CRLs");
                    self.state().delta.failure = Some(error.to_string());
                }
            }
            self.keep_up(Kind::Base, clock);
        });
        self.state().stopped = true;
        self.changed.notify_all();
    }

    /// Ends [`Publisher::run`].
    pub fn stop(&self) {
        self.state().stopping = true;
        self.changed.notify_all();
    }

    fn keep_up(&self, kind: Kind, clock: &(dyn Fn() -> Timestamp + Sync)) {
        loop {
            let stopping = self.state().stopping;
            let began = clock();
            let before = self.current();
            let failed =
                if self.is_time(kind, began) { self.attempt_kind(kind, began) } else { Ok(()) };
            let mut state = self.state();
            if kind == Kind::Base
                && before.map(|crl| crl.number) != self.current().map(|crl| crl.number)
            {
                state.rest_after(began, clock());
            }
            if kind == Kind::Delta && state.recovered && !self.press.makes_deltas(began) {
                self.press.lists.withdraw_delta();
            }
            if stopping {
                return;
            }
            let (rest, interested) = match failed {
                Ok(()) => (TICK, true),
                Err(Resting(pause)) => (pause, false),
            };
            let _woken = self.changed.wait_timeout_while(state, rest, |state| {
                !(state.stopping || interested && self.is_asked(kind, state, clock()))
            });
        }
    }

    /// Whether something is to be done now.
    fn is_time(&self, kind: Kind, now: Timestamp) -> bool {
        let mut state = self.state();
        if !state.recovered {
            return kind == Kind::Base;
        }
        state.of(kind).unrecorded.is_some()
            || self.is_asked(kind, &state, now)
            || self.is_due(kind, now)
    }

    /// Whether somebody waits for one of this kind that can be made now.
    fn is_asked(&self, kind: Kind, state: &State, now: Timestamp) -> bool {
        match kind {
            Kind::Base if self.makes_deltas_already(now) => {
                state.is_behind(kind) && state.base_follows(now)
            }
            Kind::Base => state.is_behind(kind),
            Kind::Delta => {
                state.recovered
                    && self.makes_deltas_already(now)
                    && (state.is_behind(kind) || self.delta_is_older())
            }
        }
    }

    /// Deltas are to be made, and there is something to make them against.
    fn makes_deltas_already(&self, now: Timestamp) -> bool {
        self.press.makes_deltas(now) && self.press.held.oldest(now).is_some()
    }

    /// Whether the published delta comes before the complete CRL: relying parties are told that
    /// there is something fresher than that, and there is not.
    fn delta_is_older(&self) -> bool {
        let number = |crl: Option<Arc<Current>>| crl.map_or(0, |crl| crl.number);
        number(self.delta()) < number(self.current())
    }

    fn is_due(&self, kind: Kind, now: Timestamp) -> bool {
        match kind {
            Kind::Base => self.current().is_none_or(|current| now >= current.due),
            Kind::Delta => {
                self.makes_deltas_already(now) && self.delta().is_none_or(|delta| now >= delta.due)
            }
        }
    }

    /// Does what is to be done, once, and notes how it went: a delta that was asked for, the
    /// complete CRL, the delta that follows it.
    #[cfg(test)]
    pub(super) fn attempt(&self, now: Timestamp) -> Result<(), Resting> {
        let deltas = if self.is_time(Kind::Delta, now) {
            self.attempt_kind(Kind::Delta, now)
        } else {
            Ok(())
        };
        let base = self.attempt_kind(Kind::Base, now);
        let after = if self.is_time(Kind::Delta, now) {
            self.attempt_kind(Kind::Delta, now)
        } else {
            Ok(())
        };
        base.and(deltas).and(after)
    }

    pub(super) fn attempt_kind(&self, kind: Kind, now: Timestamp) -> Result<(), Resting> {
        let outcome = self.work(kind, now);
        let mut state = self.state();
        let result = match outcome {
            Ok(()) => {
                state.of(kind).succeeded();
                Ok(())
            }
            Err(error) => {
                let resting = state.of(kind).failed(error.to_string());
                tracing::error!(%error, retry_in = ?resting.0, ?kind, "no CRL could be published");
                Err(resting)
            }
        };
        drop(state);
        self.changed.notify_all();
        result
    }

    fn work(&self, kind: Kind, now: Timestamp) -> Result<(), PublishError> {
        if !self.state().recovered {
            self.recover(now)?;
        }
        let unrecorded = self.state().of(kind).unrecorded.clone();
        if let Some(entry) = unrecorded {
            self.press.register.commit(vec![entry], Urgency::Reserved)?;
            self.state().of(kind).unrecorded = None;
        }
        let due = self.is_due(kind, now);
        let older = kind == Kind::Delta && self.delta_is_older();
        let asked = {
            let mut state = self.state();
            // A demand that comes from here on asks for one more.
            let asked = state.is_behind(kind);
            state.of(kind).wanted = false;
            asked
        };
        if !asked && !due && !older {
            return Ok(());
        }
        let made = match kind {
            Kind::Base => self.press.make_base(now).map(Some),
            Kind::Delta => self.press.make_delta(now),
        };
        match made {
            Ok(Some(made)) => self.note(kind, made),
            // Without a complete CRL to be made against it comes later.
            Ok(None) => self.state().of(kind).wanted = asked,
            Err(error) => {
                self.state().of(kind).wanted = true;
                return Err(error);
            }
        }
        Ok(())
    }

    fn note(&self, kind: Kind, made: Made) {
        let Made { number, sequence, unrecorded } = made;
        tracing::info!(number, sequence, ?kind, "CRL published");
        let mut state = self.state();
        let progress = state.of(kind);
        progress.unrecorded = unrecorded;
        if !progress.wanted {
            progress.reflected = Some((sequence, number));
        }
        if kind == Kind::Base {
            state.missing = state.missing.max(sequence + 1);
        }
    }

    fn recover(&self, now: Timestamp) -> Result<(), PublishError> {
        let base = self.press.recover(now)?;
        let delta = self.press.recover_delta(now)?;
        if !self.press.makes_deltas(now) {
            self.press.lists.withdraw_delta();
        }
        let mut state = self.state();
        state.recovered = true;
        for (kind, standing, published) in
            [(Kind::Base, base, self.current()), (Kind::Delta, delta, self.delta())]
        {
            let progress = state.of(kind);
            match (standing, published) {
                (Standing::Reflects(sequence), Some(crl)) => {
                    progress.reflected = Some((sequence, crl.number));
                }
                _ => progress.wanted = true,
            }
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is wrong with a published list.
fn overdue(
    what: &str,
    published: &Current,
    schedule: &Schedule,
    failure: Option<String>,
    now: Timestamp,
) -> Option<String> {
    let until = published.next_update;
    if let Some(failure) = failure {
        return Some(format!("the {what} in force ends {until}; no newer one: {failure}"));
    }
    let due = published.next_publish;
    (now >= schedule.overdue(due))
        .then(|| format!("the {what} was to be renewed {due} and ends {until}"))
}
