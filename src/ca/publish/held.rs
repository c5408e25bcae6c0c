//! The complete CRLs that relying parties can be holding: those that were published here and have
//! not ended. A delta is made against the oldest of them, so that whoever holds any of them can
//! use it (RFC 5280 §5.2.4 c: not below BaseCRLNumber). AD CS takes the newest that has certainly
//! spread; with complete CRLs made on demand that would leave most relying parties behind.
//!
//! A complete CRL that was made by a clock which was ahead may lack whoever had ended by that clock
//! and is alive by this one. No delta would tell of him: he has not changed since. So no delta may
//! be used with it, nor (numbers being in one series) with those before it; whoever holds one of
//! them fetches the complete CRL that is made when the clock is put back.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::schedule::SKEW_SECONDS;
use crate::pki::revocation_list::{CrlKind, CrlScope};
use crate::pki::time::Timestamp;
use crate::storage::{CrlRow, Page, Register, StoreError};

/// A complete CRL that somebody can be holding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HeldBase {
    /// CRL number.
    pub number: u64,
    /// The last ledger entry it reflects.
    pub sequence: u64,
    /// Until when it may be relied on.
    pub next_update: Timestamp,
    /// Whose certificate ended before this may be missing though he is revoked.
    pub left_out_before: Timestamp,
    /// Whether it says where deltas are.
    pub freshest: bool,
}

/// All of them, by number.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<Vec<HeldBase>>);

const ROWS_AT_ONCE: usize = 100;

impl Held {
    /// Learns from the register which there are of a scope. Those below `floor` are from before an adoption
    /// or a restore: what they reflect is not on record.
    pub fn load(
        &self,
        register: &dyn Register,
        scope: CrlScope,
        floor: u64,
    ) -> Result<(), StoreError> {
        let mut found = Vec::new();
        // Each complete CRL says which was the oldest that was held when it was made.
        let mut oldest = None;
        let mut after = None;
        'rows: loop {
            let page = register.crls(Some(scope), Page { after, limit: ROWS_AT_ONCE })?;
            for row in page.rows {
                if row.number < floor || oldest.is_some_and(|oldest| row.number < oldest) {
                    break 'rows;
                }
                if row.kind == CrlKind::Complete {
                    // Earlier versions did not say what theirs reflect.
                    let Some(base) = of_row(&row) else { break 'rows };
                    oldest = oldest.or(row.oldest_held);
                    found.extend(row.published.is_some().then_some(base));
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        found.reverse();
        *self.list() = found;
        Ok(())
    }

    /// One more was published.
    pub fn add(&self, base: HeldBase) {
        let mut list = self.list();
        let place = list.partition_point(|known| known.number < base.number);
        if list.get(place).is_none_or(|known| known.number != base.number) {
            list.insert(place, base);
        }
    }

    /// The oldest that can be held at `now` and lacks nobody who is alive, as all do that were made
    /// after it; those that have ended are forgotten.
    pub fn oldest(&self, now: Timestamp) -> Option<HeldBase> {
        let mut list = self.list();
        list.retain(|base| base.next_update >= now);
        let lacking = list.iter().rposition(|base| base.left_out_before > now.whole_seconds());
        list.get(lacking.map_or(0, |place| place + 1)).copied()
    }

    /// Whether somebody can be holding one at `now` that says where deltas are.
    pub fn announce_deltas(&self, now: Timestamp) -> bool {
        self.list().iter().any(|base| base.freshest && base.next_update >= now)
    }

    fn list(&self) -> MutexGuard<'_, Vec<HeldBase>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of_row(row: &CrlRow) -> Option<HeldBase> {
    // It told of everybody who had ended less than a period before; how long that is, the last list
    // of a key does not say.
    let period = match row.next_publish {
        Timestamp::NEVER => 0,
        next => next.seconds_since(row.this_update).saturating_sub(SKEW_SECONDS),
    };
    Some(HeldBase {
        left_out_before: row.intended.minus_seconds(period),
        number: row.number,
        sequence: row.sequence?,
        next_update: row.next_update,
        freshest: row.freshest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Its times say nothing of a period.
    #[test]
    fn the_last_list_of_a_key_may_lack_whoever_had_ended() {
        let made = Timestamp::from_seconds(1_800_000_000);
        let row = CrlRow {
            number: 7,
            intended: made,
            this_update: made.minus_seconds(SKEW_SECONDS),
            next_update: Timestamp::NEVER,
            next_publish: Timestamp::NEVER,
            tbs_digest: Vec::new(),
            entries: 0,
            published: None,
            sequence: Some(9),
            kind: CrlKind::Complete,
            oldest_held: None,
            freshest: false,
            scope: CrlScope::FIRST,
        };
        let held = Held::default();
        held.add(of_row(&row).unwrap());
        assert_eq!(held.oldest(made.minus_seconds(3600)).map(|base| base.number), None);
        assert_eq!(held.oldest(made).map(|base| base.number), Some(7));
    }
}
