//! Where in the ledger entries stand that were read one after another: who follows the ledger goes on
//! there, and need not look for the place among the hundreds of entries after one that the index has.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// So many places are known: several follow the ledger, each from where it is.
const KNOWN: usize = 16;

/// The beginnings and ends of the last walks. What stands at an offset never changes.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<VecDeque<Place>>);

/// Before the entry of this number and after the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub sequence: u64,
    pub offset: u64,
}

impl Places {
    /// The last known place that is not after entry `sequence`.
    pub fn before(&self, sequence: u64) -> Option<Place> {
        let known = self.known();
        known
            .iter()
            .copied()
            .filter(|place| place.sequence <= sequence)
            .max_by_key(|place| place.sequence)
    }

    /// Remembers a place; the one that was remembered first is forgotten.
    pub fn note(&self, place: Place) {
        let mut known = self.known();
        if known.contains(&place) {
            return;
        }
        if known.len() == KNOWN {
            known.pop_front();
        }
        known.push_back(place);
    }

    fn known(&self) -> std::sync::MutexGuard<'_, VecDeque<Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_place_before_is_found_among_the_last_ones() {
        let places = Places::default();
        assert_eq!(places.before(u64::MAX), None);
        for number in 1..=20 {
            places.note(Place { sequence: number * 10, offset: number * 1000 });
            places.note(Place { sequence: number * 10, offset: number * 1000 });
        }
        let found = |sequence| places.before(sequence).map(|place| place.sequence);
        assert_eq!((found(199), found(200), found(u64::MAX)), (Some(190), Some(200), Some(200)));
        assert_eq!((found(49), found(50)), (None, Some(50)), "only the last sixteen");
    }
}
