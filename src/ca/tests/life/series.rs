//! What the lists of all scopes have in common: one series of numbers, in which times never go back.

use super::party::List;
use crate::pki::time::Timestamp;

/// All lists that were seen.
#[derive(Default)]
pub(super) struct Series {
    number: u64,
    this_update: Option<Timestamp>,
    /// How many, and how many combinations of a complete list and a delta were judged.
    pub(super) lists: u64,
    pub(super) combinations: u64,
}

impl Series {
    /// A restore learnt from lists of which these have the highest number and the latest time. It
    /// need not know the last list of a key that has ended.
    pub(super) fn goes_on_after(&mut self, number: u64, this_update: Timestamp) {
        self.number = self.number.min(number);
        self.this_update = self.this_update.min(Some(this_update));
    }

    /// One more was published.
    pub(super) fn goes_on(&mut self, next: &List) {
        assert!(self.number < next.number, "number {} after {}", next.number, self.number);
        let (before, this_update) = (self.this_update, next.this_update);
        assert!(before <= Some(this_update), "thisUpdate {this_update} after {before:?}");
        self.number = next.number;
        self.this_update = Some(this_update);
        self.lists += 1;
    }
}
