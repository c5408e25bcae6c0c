//! [`Publisher`]: the CRLs of one scope, what may be asked of it, and how it does.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::making::{DeltaUse, Line, Press};
use super::rota::Bell;
use super::state::{Kind, State};
use super::{Current, PublicationPoint, Schedule};
use crate::ca::Authority;
use crate::pki::issuer::Issuer;
use crate::pki::revocation_list::CrlScope;
use crate::pki::time::Timestamp;
use crate::signing::CaKey;
use crate::storage::Register;
use crate::storage::publication::PublicationStore;

/// Makes CRLs, one of a kind at a time. Any thread may ask for one; [`Publisher::run`] makes them.
pub struct Publisher {
    pub(super) press: Press,
    state: Mutex<State>,
    pub(super) changed: Condvar,
    /// Rung whenever something changes, for a thread that serves several publishers.
    bell: Arc<Bell>,
}

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
        Self::of_press(Press::new(register, key, issuer, point, lists, Line { store, schedule }))
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
        let press = Press::new(register, key, issuer, point, lists, Line { store, schedule });
        // Numbers are in one series.
        Some(Self::of_press(Press { counter: Arc::clone(&self.press.counter), ..press }))
    }

    /// The same of a scope in which nothing more is issued and whose last certificate ends at
    /// `ends`: the CRL that is made after that is the last.
    pub fn ending(mut self, ends: Timestamp) -> Self {
        self.press.ends = Some(ends);
        self
    }

    /// Whether everything in this scope has ended at `now` and its last CRL is there: no other is
    /// made. One that was signed by a clock that was ahead is not the last.
    pub fn has_signed_the_last(&self, now: Timestamp) -> bool {
        self.press.has_ended(now) && self.current().is_some_and(|crl| crl.is_the_last())
    }

    /// The same for a part of what was issued, whose certificates name these URLs
    /// (RFC 5280 §5.2.5).
    pub fn at_distribution_point(mut self, urls: Vec<String>) -> Self {
        self.press.distribution_point_urls = urls;
        self
    }

    /// The same, heard by a thread that serves several.
    pub(super) fn heard_by(mut self, bell: Arc<Bell>) -> Self {
        self.bell = bell;
        self
    }

    fn of_press(press: Press) -> Self {
        let (state, changed) = (Mutex::new(State::default()), Condvar::new());
        Self { press, state, changed, bell: Arc::default() }
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
        self.state().demand(sequence);
        self.tell();
    }

    /// The same without haste: nobody waits for this one, for what it shows is told elsewhere as
    /// well. It comes within a minute, and the time that it takes. Where there are deltas, one of
    /// them tells it at once.
    pub fn follow(&self, sequence: u64) {
        match self.press.delta {
            Some(_) => self.state().demand(sequence),
            None => self.state().follow(sequence),
        }
        self.tell();
    }

    /// Asks for new CRLs although nothing may have changed.
    pub fn demand_anew(&self) {
        let mut state = self.state();
        for kind in [Kind::Base, Kind::Delta] {
            let progress = state.of(kind);
            progress.wanted = true;
            // What is published so far does not answer this demand.
            progress.reflected = None;
        }
        drop(state);
        self.tell();
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
        if !self.press.makes_deltas(now) {
            // Nobody looks for one, however the last attempt went.
            return None;
        }
        let failure = self.state().delta.failure.clone();
        match self.delta() {
            Some(delta) => overdue("delta CRL", &delta, &line.schedule, failure, now),
            None => failure.map(|why| format!("no delta CRL has been published yet: {why}")),
        }
    }

    /// Ends [`Publisher::run`].
    pub fn stop(&self) {
        self.state().stopping = true;
        self.tell();
    }

    /// Something changed: whoever waits looks again.
    pub(super) fn tell(&self) {
        self.changed.notify_all();
        self.bell.ring();
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
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
