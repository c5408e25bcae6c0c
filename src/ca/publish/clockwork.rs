//! The threads that publish: on demand, before the last CRL is due, and again after a failure.
//!
//! Where deltas are made, one thread makes them and another the complete CRLs, which follow by
//! themselves: a revocation is told by a delta first and reaches a complete list as well.

use std::sync::Arc;
use std::time::Duration;

use super::making::Made;
use super::recovery::Standing;
use super::state::{Kind, State};
use super::{Current, PublishError, Publisher};
use crate::pki::time::Timestamp;
use crate::storage::Urgency;

/// The wall clock is looked at this often: after a machine slept, a long timer would be late.
pub(super) const TICK: Duration = Duration::from_secs(1);

/// It failed, and this is how long it rests.
#[derive(Clone, Copy, Debug)]
pub(in crate::ca) struct Resting(pub Duration);

/// What came of looking once whether there is something to do.
pub(in crate::ca) struct Turn {
    /// There was to be none after it.
    pub last: bool,
    /// How long to rest if it failed.
    pub outcome: Result<(), Resting>,
}

impl Publisher {
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
        self.end();
    }

    /// Makes one complete CRL and publishes it, on this thread: for a CA that nobody serves.
    pub fn publish_once(&self, now: Timestamp) -> Result<Arc<Current>, PublishError> {
        self.state().base.wanted = true;
        self.work(Kind::Base, now)?;
        let unrecorded = self.state().base.unrecorded.take();
        if let Some(entry) = unrecorded {
            self.press.register.commit(vec![entry], Urgency::Reserved)?;
        }
        // What was just published stands there.
        self.current().ok_or(PublishError::EntriesDamaged)
    }

    fn keep_up(&self, kind: Kind, clock: &(dyn Fn() -> Timestamp + Sync)) {
        loop {
            let turn = self.take_turn(kind, clock);
            if turn.last {
                return;
            }
            let (rest, interested) = match turn.outcome {
                Ok(()) => (TICK, true),
                Err(Resting(pause)) => (pause, false),
            };
            let _woken = self.changed.wait_timeout_while(self.state(), rest, |state| {
                !(state.stopping || interested && self.is_asked(kind, state, clock()))
            });
        }
    }

    /// Does what is to be done of a kind now.
    pub(in crate::ca) fn take_turn(
        &self,
        kind: Kind,
        clock: &(dyn Fn() -> Timestamp + Sync),
    ) -> Turn {
        let last = self.state().stopping;
        let began = clock();
        let before = self.current();
        let outcome =
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
        Turn { last, outcome }
    }

    /// No thread publishes any more: nobody need wait.
    pub(super) fn end(&self) {
        self.state().stopped = true;
        self.tell();
    }

    /// Whether something is to be done now.
    fn is_time(&self, kind: Kind, now: Timestamp) -> bool {
        let mut state = self.state();
        if !state.recovered {
            return kind == Kind::Base;
        }
        if self.has_signed_the_last(now) && state.of(kind).unrecorded.is_none() {
            return false;
        }
        state.of(kind).unrecorded.is_some()
            || self.is_asked(kind, &state, now)
            || kind == Kind::Base && state.base.was_made_later_than(now)
            || self.is_due(kind, now)
    }

    /// Whether somebody waits for one of this kind that can be made now.
    fn is_asked(&self, kind: Kind, state: &State, now: Timestamp) -> bool {
        if self.has_signed_the_last(now) {
            return false;
        }
        match kind {
            Kind::Base if self.makes_deltas_already(now) => {
                state.is_behind(kind) && state.base_follows(now)
            }
            Kind::Base => state.is_behind(kind) || state.is_followed(now),
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
            Kind::Base => {
                self.current().is_none_or(|current| now >= current.due)
                    // Whoever is told that there are deltas gets one.
                    || self.press.makes_deltas(now) && self.press.held.oldest(now).is_none()
            }
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
        self.tell();
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
        if self.has_signed_the_last(now) {
            return Ok(());
        }
        let ahead = kind == Kind::Base && self.state().base.was_made_later_than(now);
        let due = ahead || self.is_due(kind, now);
        let older = kind == Kind::Delta && self.delta_is_older();
        let asked = {
            let mut state = self.state();
            // A demand that comes from here on asks for one more.
            let asked = state.is_behind(kind) || kind == Kind::Base && state.is_followed(now);
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
            Ok(Some(made)) => self.note(kind, made, now),
            // Without a complete CRL to be made against it comes later.
            Ok(None) => self.state().of(kind).wanted = asked,
            Err(error) => {
                self.state().of(kind).wanted = true;
                return Err(error);
            }
        }
        Ok(())
    }

    fn note(&self, kind: Kind, made: Made, now: Timestamp) {
        let Made { number, sequence, unrecorded } = made;
        tracing::info!(number, sequence, ?kind, "CRL published");
        let mut state = self.state();
        let progress = state.of(kind);
        progress.unrecorded = unrecorded;
        progress.made = Some(now);
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
        let over = self.has_signed_the_last(now);
        let mut state = self.state();
        state.recovered = true;
        for (kind, standing, published) in
            [(Kind::Base, base, self.current()), (Kind::Delta, delta, self.delta())]
        {
            let progress = state.of(kind);
            match (standing, published) {
                // Whatever came after it: there is no other. Nobody waits for one.
                (_, Some(crl)) if over && kind == Kind::Base => {
                    progress.reflected = Some((0, crl.number));
                    progress.made = Some(now);
                }
                (Standing::Reflects(sequence), Some(crl)) => {
                    progress.reflected = Some((sequence, crl.number));
                    // What would be made now is the same.
                    progress.made = Some(now);
                }
                _ => progress.wanted = true,
            }
        }
        Ok(())
    }
}
