//! The threads that deliver, one for each endpoint.
//!
//! A delivery is put on record after the receiver has taken it, a second's worth at a time: after
//! a kill between the two it comes again, under the same identifier.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::delivery::{Carrier, Letter, NotTaken, Post};
use super::event::Event;
use super::queue::Queue;
use super::standing::{Board, Standing};
use super::{Endpoint, Outbox, OutboxError, body};
use crate::pki::time::Timestamp;

/// How often the record is looked at for new events.
const TICK: Duration = Duration::from_millis(250);
/// How long it rests where the record cannot be read or written.
const PAUSE: Duration = Duration::from_secs(30);
/// Deliveries of so many milliseconds go on record together.
const TOGETHER_MILLIS: u64 = 1000;
/// How long a stop waits for deliveries under way.
const LAST_DELIVERY: Duration = Duration::from_secs(3);

/// Reads the clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
/// A random number.
pub type Random = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The couriers of all endpoints.
pub struct Couriers {
    threads: Vec<JoinHandle<()>>,
    bell: Arc<Bell>,
    board: Board,
}

/// Ends the threads, and knows when they have ended.
#[derive(Default)]
struct Bell {
    state: Mutex<(bool, usize)>,
    rung: Condvar,
}

impl Bell {
    fn state(&self) -> MutexGuard<'_, (bool, usize)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rests; says whether it is time to end.
    fn rest(&self, duration: Duration) -> bool {
        let waited = self.rung.wait_timeout_while(self.state(), duration, |state| !state.0);
        waited.unwrap_or_else(PoisonError::into_inner).0.0
    }

    fn ended(&self) {
        self.state().1 += 1;
        self.rung.notify_all();
    }
}

impl Couriers {
    /// Starts them. What waits for an endpoint on record that has none of them stays there: a start
    /// with another settings file loses nothing, and under its name it is told again.
    pub fn start(
        outbox: &Arc<dyn Outbox>,
        endpoints: Vec<Endpoint>,
        clock: &Clock,
        random: &Random,
    ) -> std::io::Result<Self> {
        let names: Vec<&str> = endpoints.iter().map(|own| own.name.as_str()).collect();
        match outbox.standings() {
            Ok(standings) => tell_of_others(&standings, &names),
            Err(error) => tracing::error!(%error, "what waits for whom could not be read"),
        }
        let board = Board::of(names.into_iter());
        let bell = Arc::new(Bell::default());
        let mut threads = Vec::new();
        for (place, endpoint) in endpoints.into_iter().enumerate() {
            let courier = Courier {
                carrier: Box::new(Post::new(&endpoint)),
                endpoint,
                outbox: Arc::clone(outbox),
                clock: Arc::clone(clock),
                random: Arc::clone(random),
                board: board.clone(),
                place,
                settled_at: Timestamp::from_millis(0),
            };
            let own = Arc::clone(&bell);
            let run = move || {
                courier.run(&own);
                own.ended();
            };
            let name = format!("courier-{place}");
            threads.push(std::thread::Builder::new().name(name).spawn(run)?);
        }
        Ok(Self { threads, bell, board })
    }

    /// How the endpoints do.
    pub fn board(&self) -> Board {
        self.board.clone()
    }

    /// Ends them. A receiver that hangs is not waited for: what it was being told is told again
    /// at the next start.
    pub fn stop(self) {
        self.bell.state().0 = true;
        self.bell.rung.notify_all();
        let all = self.threads.len();
        let state = self.bell.state();
        let waited = self.bell.rung.wait_timeout_while(state, LAST_DELIVERY, |state| state.1 < all);
        let ended = waited.unwrap_or_else(PoisonError::into_inner).0.1;
        if ended < all {
            tracing::warn!(count = all - ended, "deliveries under way are not waited for");
        }
    }
}

fn tell_of_others(standings: &[(String, Standing)], names: &[&str]) {
    for (endpoint, standing) in standings {
        if !names.contains(&endpoint.as_str()) {
            let waiting = standing.waiting.len();
            tracing::warn!(endpoint, waiting, "this notification endpoint is not configured");
        }
    }
}

/// Delivers to one endpoint.
pub(super) struct Courier {
    pub(super) endpoint: Endpoint,
    pub(super) carrier: Box<dyn Carrier>,
    pub(super) outbox: Arc<dyn Outbox>,
    pub(super) clock: Clock,
    pub(super) random: Random,
    pub(super) board: Board,
    pub(super) place: usize,
    pub(super) settled_at: Timestamp,
}

impl Courier {
    fn run(mut self, bell: &Bell) {
        let mut queue = loop {
            match self.begin() {
                Ok(queue) => break queue,
                Err(error) => {
                    self.trouble(&error);
                    if bell.rest(PAUSE) {
                        return;
                    }
                }
            }
        };
        let mut rest = Duration::ZERO;
        while !bell.rest(rest) {
            rest = match self.step(&mut queue) {
                Ok(true) => Duration::ZERO,
                Ok(false) => TICK,
                Err(error) => {
                    self.trouble(&error);
                    PAUSE
                }
            };
        }
        // The place that was reached, so that an endpoint whose wishes change is not told of what
        // it did not want to know before.
        if queue.has_moved()
            && let Err(error) = self.settle(&mut queue)
        {
            tracing::warn!(endpoint = self.endpoint.name, %error, "the last deliveries are not on record");
        }
    }

    fn trouble(&self, error: &OutboxError) {
        let endpoint = &self.endpoint.name;
        tracing::error!(endpoint, %error, "notifications rest: the register does not do its part");
    }

    /// Where the record says; an endpoint that is not on record begins at the present.
    pub(super) fn begin(&mut self) -> Result<Queue, OutboxError> {
        let name = &self.endpoint.name;
        let end = self.outbox.end();
        let known = self.outbox.standings()?.into_iter().find(|(known, _)| known == name);
        let Some((_, standing)) = known else {
            let standing = Standing { through: end, ..Standing::default() };
            let queue = Queue::new(name, self.endpoint.life_seconds, standing);
            self.outbox.settle(&queue.settlement(), (self.clock)())?;
            tracing::info!(endpoint = name, "a new notification endpoint is told from now on");
            return Ok(queue);
        };
        let waiting = standing.waiting.clone();
        let mut queue = Queue::new(name, self.endpoint.life_seconds, standing);
        for sequence in waiting {
            let event = self.outbox.events(sequence, 1)?.into_iter().next();
            queue.recall(sequence, event);
        }
        Ok(queue)
    }

    /// Does one thing; says whether there is more to do at once.
    pub(super) fn step(&mut self, queue: &mut Queue) -> Result<bool, OutboxError> {
        let looked_at = self.look(queue)?;
        let now = (self.clock)();
        self.given_up(&queue.give_up_old(now), now);
        let tried = queue.due(now).map(|event| self.attempt(queue, &event));
        let now = (self.clock)();
        let long_ago = now.millis().abs_diff(self.settled_at.millis()) >= TOGETHER_MILLIS;
        if queue.is_unrecorded() && (long_ago || queue.room() == 0) {
            self.settle(queue)?;
        }
        let (waiting, oldest) = queue.waiting();
        self.board.change(self.place, |state| (state.waiting, state.oldest) = (waiting, oldest));
        Ok(looked_at || tried.is_some())
    }

    /// Takes new events up; says whether there may be more.
    fn look(&self, queue: &mut Queue) -> Result<bool, OutboxError> {
        let room = queue.room();
        if room == 0 {
            return Ok(false);
        }
        let events = self.outbox.events(queue.next_entry(), room)?;
        let full = events.len() == room;
        for event in events {
            match self.endpoint.wishes.include(&event) {
                true => queue.add(event),
                false => queue.pass_over(event.sequence),
            }
        }
        Ok(full)
    }

    fn attempt(&self, queue: &mut Queue, event: &Event) {
        let name = &self.endpoint.name;
        let (id, body) = (event.id(), body::of(event));
        let timestamp_seconds = (self.clock)().seconds();
        let signature = self.endpoint.secrets.sign(&id, timestamp_seconds, &body);
        let letter = Letter { id: &id, timestamp_seconds, signature: &signature, body: &body };
        match self.carrier.carry(letter) {
            Ok(()) => {
                queue.delivered(event.sequence);
                tracing::debug!(endpoint = name, id, kind = event.kind().as_str(), "delivered");
                self.board.change(self.place, |state| {
                    state.delivered += 1;
                    if state.failing_since.take().is_some() {
                        tracing::info!(endpoint = name, "the notification endpoint answers again");
                    }
                    state.failure = None;
                });
            }
            Err(NotTaken { why, retry_after_seconds }) => {
                let now = (self.clock)();
                queue.failed(event.sequence, now, (self.random)(), retry_after_seconds);
                self.board.change(self.place, |state| {
                    state.failed += 1;
                    if state.failing_since.is_none() {
                        tracing::warn!(endpoint = name, id, why, "a notification was not taken");
                        state.failing_since = Some(now);
                    }
                    state.failure = Some(why);
                });
            }
        }
    }

    /// A line for all of them: an endpoint that comes back after a year finds many.
    fn given_up(&self, events: &[Arc<Event>], now: Timestamp) {
        let Some(first) = events.first() else { return };
        let (endpoint, id, kind) = (&self.endpoint.name, first.id(), first.kind().as_str());
        let (count, age_seconds) = (events.len(), now.seconds_since(first.at));
        tracing::error!(endpoint, count, id, kind, age_seconds, "notifications are given up");
        self.board.change(self.place, |state| state.given_up += count as u64);
    }

    pub(super) fn settle(&mut self, queue: &mut Queue) -> Result<(), OutboxError> {
        let now = (self.clock)();
        self.outbox.settle(&queue.settlement(), now)?;
        queue.recorded();
        self.settled_at = now;
        Ok(())
    }
}
