//! So many a minute for each key, by the generic cell rate algorithm (ITU-T I.371 §A.1): one
//! moment a key says all. Memory is bounded: two generations of keys, of which the older one is
//! forgotten once a minute has made it meaningless or the younger one is full. (The well-kept
//! crate for this, governor, keeps every key until it is told to look through all of them.)

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::pki::time::Timestamp;

/// Microseconds of a minute.
const MINUTE: u64 = 60_000_000;
/// Keys in a generation. Whoever calls from more addresses than this within a minute makes the
/// counters forget, but fills no memory.
const GENERATION: usize = 65_536;

/// How many a minute; a whole minute's worth may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PerMinute {
    /// No limit.
    Unlimited,
    /// At most so many, at least one.
    Of(u32),
}

/// How long until the next one is let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    microseconds: u64,
}

impl Wait {
    /// In whole seconds, at least one: what `Retry-After` says.
    pub fn seconds(self) -> u64 {
        self.microseconds.div_ceil(1_000_000).max(1)
    }
}

/// What each key has left.
pub struct Budget<Key> {
    /// Microseconds that one call takes; none where there is no limit.
    interval: Option<u64>,
    keys: Mutex<Generations<Key>>,
}

/// Key → the moment, in microseconds, when its budget is whole again.
struct Generations<Key> {
    younger: HashMap<Key, u64>,
    older: HashMap<Key, u64>,
    since: u64,
}

impl<Key: Eq + Hash> Budget<Key> {
    /// Everybody has all.
    pub fn new(rate: PerMinute) -> Self {
        let interval = match rate {
            PerMinute::Unlimited => None,
            PerMinute::Of(number) => Some((MINUTE / u64::from(number.max(1))).max(1)),
        };
        let keys = Generations { younger: HashMap::new(), older: HashMap::new(), since: 0 };
        Self { interval, keys: Mutex::new(keys) }
    }

    /// Whether the key has something left, taking nothing.
    pub fn look(&self, key: &Key, now: Timestamp) -> Result<(), Wait> {
        let Some(interval) = self.interval else { return Ok(()) };
        let now = micros(now);
        left(self.keys().whole(key, now), interval, now).map(|_| ())
    }

    /// Takes one.
    pub fn take(&self, key: Key, now: Timestamp) -> Result<(), Wait> {
        let Some(interval) = self.interval else { return Ok(()) };
        let now = micros(now);
        let mut keys = self.keys();
        let whole = left(keys.whole(&key, now), interval, now)?;
        keys.note(key, whole, now);
        Ok(())
    }

    fn keys(&self) -> MutexGuard<'_, Generations<Key>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the budget will be whole after one more, or how long until there may be one.
fn left(whole: u64, interval: u64, now: u64) -> Result<u64, Wait> {
    let whole = whole.saturating_add(interval);
    match whole.saturating_sub(now) {
        taken if taken <= MINUTE => Ok(whole),
        taken => Err(Wait { microseconds: taken - MINUTE }),
    }
}

impl<Key: Eq + Hash> Generations<Key> {
    fn whole(&self, key: &Key, now: u64) -> u64 {
        let known = self.younger.get(key).or_else(|| self.older.get(key));
        // More than a minute ahead is what is left of a clock that was put back: it keeps nobody out.
        let plausible = known.filter(|whole| **whole <= now.saturating_add(MINUTE));
        plausible.copied().unwrap_or_default().max(now)
    }

    fn note(&mut self, key: Key, whole: u64, now: u64) {
        // After a minute a moment noted in the older generation is past.
        let over = now.abs_diff(self.since) > MINUTE;
        if over || self.younger.len() >= GENERATION {
            self.older = std::mem::take(&mut self.younger);
            self.since = now;
        }
        self.younger.insert(key, whole);
    }
}

fn micros(moment: Timestamp) -> u64 {
    moment.millis().saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + millis)
    }

    #[test]
    fn a_minutes_worth_at_once_and_then_one_by_one() {
        let budget = Budget::new(PerMinute::Of(6));
        for _ in 0..6 {
            assert_eq!(budget.take("a", at(0)), Ok(()));
        }
        let wait = budget.take("a", at(0)).unwrap_err();
        assert_eq!(wait.seconds(), 10);
        assert_eq!(budget.look(&"a", at(9_999)).unwrap_err().seconds(), 1);
        assert_eq!(budget.take("b", at(0)), Ok(()));
        assert_eq!(budget.take("a", at(10_000)), Ok(()));
        assert!(budget.take("a", at(10_000)).is_err());
        for _ in 0..6 {
            assert_eq!(budget.take("a", at(70_000)), Ok(()), "a minute later it is whole");
        }
    }

    #[test]
    fn many_keys_fill_no_memory() {
        let budget = Budget::new(PerMinute::Of(6));
        for key in 0..4 * GENERATION {
            assert_eq!(budget.take(key, at(0)), Ok(()));
        }
        let keys = budget.keys();
        assert!(keys.younger.len() + keys.older.len() <= 2 * GENERATION);
    }

    #[test]
    fn a_clock_put_back_keeps_nobody_out() {
        let budget = Budget::new(PerMinute::Of(1));
        budget.take("a", at(900_000)).unwrap();
        assert_eq!(budget.take("a", at(0)), Ok(()));
        assert!(budget.take("a", at(0)).is_err());
    }

    proptest! {
        /// Never more than two minutes' worth in any minute, and never less than one.
        #[test]
        fn the_rate_is_kept(
            number in 1..50u32,
            steps in proptest::collection::vec(0..3000u64, 1..300),
        ) {
            let budget = Budget::new(PerMinute::Of(number));
            let mut now = 0;
            let mut let_through = Vec::new();
            for step in steps {
                now += step;
                if budget.take((), at(now)).is_ok() {
                    let_through.push(now);
                } else {
                    let recent = let_through.iter().filter(|then| now - **then < 60_000).count();
                    prop_assert!(recent >= number as usize, "kept out although {recent} came");
                }
                let recent = let_through.iter().filter(|then| now - **then < 60_000).count();
                prop_assert!(recent <= 2 * number as usize);
            }
        }
    }
}
