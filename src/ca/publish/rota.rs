//! One thread for the publishers of many parts: they publish one after another, each as soon as it
//! is asked. A part is small, and a thread for each of a hundred would be idle nearly always.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Publisher;
use super::clockwork::{Resting, TICK};
use super::state::Kind;
use crate::pki::time::Timestamp;

/// Wakes the thread that serves several publishers.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: Mutex<u64>,
    heard: Condvar,
}

impl Bell {
    pub fn ring(&self) {
        *self.rung() += 1;
        self.heard.notify_all();
    }

    /// How often it was rung.
    fn count(&self) -> u64 {
        *self.rung()
    }

    /// Waits until it was rung more often than `count` times, but not longer than `timeout`.
    fn wait(&self, count: u64, timeout: Duration) {
        // Whether it was or not, the publishers are looked at.
        let _woken = self.heard.wait_timeout_while(self.rung(), timeout, |rung| *rung == count);
    }

    fn rung(&self) -> MutexGuard<'_, u64> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Publishes until all of them are to stop. Demands made before that are met first.
pub(super) fn run(
    publishers: &[Arc<Publisher>],
    bell: &Bell,
    clock: &(dyn Fn() -> Timestamp + Sync),
) {
    // From when until when one rests after a failure.
    let mut resting: Vec<Option<(Timestamp, Timestamp)>> = vec![None; publishers.len()];
    loop {
        // What is asked from here on is looked at once more.
        let count = bell.count();
        let mut last = true;
        for (publisher, rest) in publishers.iter().zip(&mut resting) {
            let now = clock();
            let rests = rest.is_some_and(|(from, to)| from <= now && now < to);
            if rests && !publisher.state().stopping {
                last = false;
                continue;
            }
            let turn = publisher.take_turn(Kind::Base, clock);
            last &= turn.last;
            *rest = turn.outcome.err().map(|Resting(pause)| (now, after(now, pause)));
        }
        if last {
            publishers.iter().for_each(|publisher| publisher.end());
            return;
        }
        bell.wait(count, TICK);
    }
}

fn after(now: Timestamp, pause: Duration) -> Timestamp {
    let millis = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    Timestamp::from_millis(now.millis().saturating_add(millis))
}
