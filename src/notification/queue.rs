//! What is sent to one endpoint when: waiting events, back-off, and what is still to be recorded.
//!
//! Pure: the moment and a random number are arguments. Order is not promised: an event that was
//! refused waits while later ones go. What has never been tried goes first, oldest first; what
//! failed is tried again after a time that doubles, up to ten minutes. After a failure the whole
//! endpoint rests besides, up to a minute, so that one that is down is not pelted with everything
//! that waits. An event that is older than the endpoint's limit is given up, which goes on record
//! as a delivery does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::event::Event;
use super::standing::{Settlement, Standing};
use crate::pki::time::Timestamp;

/// Events in memory at most: those that wait and those that are settled but not yet on record.
/// While the receiver takes nothing, later ones stay where they are, in the ledger.
pub const MOST: usize = 100;
/// Before the second attempt.
const FIRST_PAUSE_SECONDS: u64 = 5;
/// Between two attempts at most, unless the receiver asks for more.
const LONGEST_PAUSE_SECONDS: u64 = 600;
/// The endpoint's rest after failures in a row at most, unless the receiver asks for more.
const LONGEST_REST_SECONDS: u64 = 60;
/// Longer than any pause: a moment beyond that was set by a clock that was wrong.
const BEYOND_SECONDS: u64 = 2 * 3600;

/// One endpoint's queue.
#[derive(Debug)]
pub struct Queue {
    endpoint: String,
    life_seconds: u64,
    through: u64,
    waiting: BTreeMap<u64, Waiting>,
    delivered: Vec<u64>,
    given_up: Vec<u64>,
    recorded: Standing,
    failures_in_a_row: u32,
    rest_until: Timestamp,
}

#[derive(Debug)]
struct Waiting {
    event: Arc<Event>,
    failures: u32,
    again: Timestamp,
}

impl Queue {
    /// A queue as it stood on record; the waiting events themselves are then [recalled].
    ///
    /// [recalled]: Self::recall
    pub fn new(endpoint: &str, life_seconds: u64, standing: Standing) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            life_seconds,
            through: standing.through,
            waiting: BTreeMap::new(),
            delivered: Vec::new(),
            given_up: Vec::new(),
            recorded: standing,
            failures_in_a_row: 0,
            rest_until: Timestamp::from_millis(0),
        }
    }

    /// An event that waited when the program stopped; `None` where there is no such event.
    pub fn recall(&mut self, sequence: u64, event: Option<Event>) {
        match event {
            Some(event) if event.sequence == sequence => self.wait(event),
            _ => self.given_up.push(sequence),
        }
    }

    /// The entry from which on there are events that were not looked at.
    pub fn next_entry(&self) -> u64 {
        self.through + 1
    }

    /// How many more events may be looked at now.
    pub fn room(&self) -> usize {
        MOST.saturating_sub(self.waiting.len() + self.delivered.len() + self.given_up.len())
    }

    /// The next event, which the endpoint wants.
    pub fn add(&mut self, event: Event) {
        self.through = self.through.max(event.sequence);
        self.wait(event);
    }

    /// The next event, which it does not want.
    pub fn pass_over(&mut self, sequence: u64) {
        self.through = self.through.max(sequence);
    }

    fn wait(&mut self, event: Event) {
        let (again, event) = (Timestamp::from_millis(0), Arc::new(event));
        self.waiting.insert(event.sequence, Waiting { event, failures: 0, again });
    }

    /// What is to be sent now, if anything is.
    pub fn due(&self, now: Timestamp) -> Option<Arc<Event>> {
        let beyond = now.plus_seconds(BEYOND_SECONDS);
        let has_come = |moment: Timestamp| moment <= now || moment > beyond;
        if !has_come(self.rest_until) {
            return None;
        }
        let ready = self.waiting.values().filter(|own| has_come(own.again));
        // The first of those that are alike is the oldest.
        let first = ready.min_by_key(|own| (own.failures > 0, own.again))?;
        Some(Arc::clone(&first.event))
    }

    /// It was taken.
    pub fn delivered(&mut self, sequence: u64) {
        self.failures_in_a_row = 0;
        if self.waiting.remove(&sequence).is_some() {
            self.delivered.push(sequence);
        }
    }

    /// It was not; `random` spreads the attempts, `asked_seconds` is what the receiver wants.
    pub fn failed(
        &mut self,
        sequence: u64,
        now: Timestamp,
        random: u64,
        asked_seconds: Option<u64>,
    ) {
        let asked = asked_seconds.unwrap_or(0) * 1000;
        let after = |pause: u64| Timestamp::from_millis(now.millis() + pause.max(asked));
        let rest = (1 << self.failures_in_a_row.min(16)).min(LONGEST_REST_SECONDS);
        self.rest_until = after(spread(rest, random));
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        if let Some(own) = self.waiting.get_mut(&sequence) {
            let doubled = FIRST_PAUSE_SECONDS << own.failures.min(16);
            own.again = after(spread(doubled.min(LONGEST_PAUSE_SECONDS), random));
            own.failures = own.failures.saturating_add(1);
        }
    }

    /// Gives up what is too old; says what that is.
    pub fn give_up_old(&mut self, now: Timestamp) -> Vec<Arc<Event>> {
        let since = now.minus_seconds(self.life_seconds);
        let old = self.waiting.values().filter(|own| own.event.at < since);
        let old: Vec<Arc<Event>> = old.map(|own| Arc::clone(&own.event)).collect();
        for event in &old {
            self.waiting.remove(&event.sequence);
            self.given_up.push(event.sequence);
        }
        old
    }

    /// How many wait, and since when the oldest does.
    pub fn waiting(&self) -> (usize, Option<Timestamp>) {
        (self.waiting.len(), self.waiting.values().map(|own| own.event.at).min())
    }

    /// Whether something is settled that is not on record.
    pub fn is_unrecorded(&self) -> bool {
        !self.delivered.is_empty() || !self.given_up.is_empty()
    }

    /// Whether the record is not what this queue would begin with again.
    pub fn has_moved(&self) -> bool {
        self.is_unrecorded() || self.standing() != self.recorded
    }

    /// What is to go on record now.
    pub fn settlement(&self) -> Settlement {
        Settlement {
            endpoint: self.endpoint.clone(),
            delivered: self.delivered.clone(),
            given_up: self.given_up.clone(),
            standing: self.standing(),
        }
    }

    /// That is on record now.
    pub fn recorded(&mut self) {
        self.recorded = self.standing();
        self.delivered.clear();
        self.given_up.clear();
    }

    fn standing(&self) -> Standing {
        let waiting: BTreeSet<u64> = self.waiting.keys().copied().collect();
        Standing { through: self.through, waiting }
    }
}

/// Milliseconds between half of so many seconds and all of them.
fn spread(seconds: u64, random: u64) -> u64 {
    let half = seconds * 500;
    half + random % (half + 1)
}
