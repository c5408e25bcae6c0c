//! What the publisher's threads know together: what is asked for, what is published, what failed.

use std::time::Duration;

use super::clockwork::Resting;
use crate::pki::time::Timestamp;
use crate::storage::act::Entry;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Where something else tells a revocation sooner (a delta, a part), making complete CRLs takes at
/// most a twentieth of the time, so that the other has disk and processor; but a burst of
/// revocations waits no longer than this.
const REST: u64 = 20;
const SHORTEST_REST_SECONDS: u64 = 1;
const LONGEST_REST_SECONDS: u64 = 60;
/// A clock that is put back by less than this has only been corrected.
const BACK_SECONDS: u64 = 60;

/// Complete CRLs, or deltas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::ca) enum Kind {
    Base,
    Delta,
}

/// All that is known.
#[derive(Default)]
pub(super) struct State {
    /// What is published was compared with what is on record.
    pub recovered: bool,
    /// The highest ledger entry that somebody wants to see reflected.
    pub demanded: u64,
    /// The highest ledger entry that a complete CRL is to show without haste.
    pub followed: u64,
    /// No ledger entry before this one is demanded and still missing in the complete CRL.
    pub missing: u64,
    pub base: Progress,
    pub delta: Progress,
    /// Complete CRLs on demand rest from the first moment to the second.
    pub rest: Option<(Timestamp, Timestamp)>,
    pub stopping: bool,
    pub stopped: bool,
}

/// What is known of one kind.
#[derive(Default)]
pub(super) struct Progress {
    /// One is to be made whatever the ledger says.
    pub wanted: bool,
    /// The last ledger entry that the published CRL reflects, and its number.
    pub reflected: Option<(u64, u64)>,
    /// Why there is none newer.
    pub failure: Option<String>,
    /// How long it rests after that failure.
    pub pause: Option<Duration>,
    /// The record of a publication that could not be written.
    pub unrecorded: Option<Entry>,
    /// When the published CRL was made, or found to be what would be made then, by the clock of
    /// that time.
    pub made: Option<Timestamp>,
}

impl Progress {
    /// The last ledger entry that the published CRL reflects.
    pub fn reflects(&self) -> u64 {
        self.reflected.map_or(0, |(sequence, _)| sequence)
    }

    /// Whether the clock was ahead when the published CRL was made: whoever had ended by that clock
    /// and has not by this one may be missing.
    pub fn was_made_later_than(&self, now: Timestamp) -> bool {
        self.made.is_some_and(|made| made > now.plus_seconds(BACK_SECONDS))
    }

    fn answers(&self, sequence: u64) -> Option<u64> {
        self.reflected.filter(|(reflected, _)| *reflected >= sequence).map(|(_, number)| number)
    }

    /// Notes a failure and how long to rest after it.
    pub fn failed(&mut self, why: String) -> Resting {
        let pause = self.pause.map_or(FIRST_PAUSE, |last| (last * 2).min(LONGEST_PAUSE));
        self.failure = Some(why);
        self.pause = Some(pause);
        Resting(pause)
    }

    /// Notes that all is well.
    pub fn succeeded(&mut self) {
        self.failure = None;
        self.pause = None;
    }
}

impl State {
    /// Notes that somebody wants to see ledger entry `sequence` reflected.
    pub fn demand(&mut self, sequence: u64) {
        let met = self.base.reflects();
        self.missing = match self.demanded > met {
            true => self.missing.min(sequence),
            false => sequence,
        };
        self.missing = self.missing.max(met + 1);
        self.demanded = self.demanded.max(sequence);
    }

    pub fn of(&mut self, kind: Kind) -> &mut Progress {
        match kind {
            Kind::Base => &mut self.base,
            Kind::Delta => &mut self.delta,
        }
    }

    /// Whether one of this kind is asked for, now or later.
    pub fn is_behind(&self, kind: Kind) -> bool {
        let progress = match kind {
            Kind::Base => &self.base,
            Kind::Delta => &self.delta,
        };
        progress.wanted || progress.reflects() < self.demanded
    }

    /// Whether it is time for a complete CRL that was demanded, where deltas are made: once a
    /// delta has told what it will tell, and not while it rests.
    pub fn base_follows(&self, now: Timestamp) -> bool {
        let told = self.delta.reflects() >= self.missing || self.delta.failure.is_some();
        self.base.wanted || self.stopping || told && !self.rests(now)
    }

    /// Notes that a complete CRL is to show ledger entry `sequence`, and that nobody waits for it.
    pub fn follow(&mut self, sequence: u64) {
        self.followed = self.followed.max(sequence);
    }

    /// Whether it is time for a complete CRL that nobody waits for.
    pub fn is_followed(&self, now: Timestamp) -> bool {
        self.base.reflects() < self.followed && (self.stopping || !self.rests(now))
    }

    fn rests(&self, now: Timestamp) -> bool {
        // A clock that went back does not prolong the rest.
        self.rest.is_some_and(|(from, to)| from <= now && now < to)
    }

    /// A complete CRL was made in this time.
    pub fn rest_after(&mut self, began: Timestamp, ended: Timestamp) {
        let took = ended.millis().saturating_sub(began.millis()).saturating_mul(REST);
        let shortest = SHORTEST_REST_SECONDS * 1000;
        let rest = took.clamp(shortest, LONGEST_REST_SECONDS * 1000);
        let until = Timestamp::from_millis(ended.millis().saturating_add(rest));
        self.rest = Some((ended, until));
    }

    /// The number of a published CRL that meets every demand up to `sequence`: a complete one, or
    /// a delta that tells sooner. Whoever asked for a new complete one waits for that.
    pub fn answer(&self, sequence: u64) -> Option<u64> {
        if self.base.reflected.is_none() && self.base.failure.is_none() {
            return None;
        }
        self.base.answers(sequence).or_else(|| self.delta.answers(sequence))
    }
}
