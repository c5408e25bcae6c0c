//! At start: what stands at the publication point, base and delta, against what is on record.

use super::making::Press;
use super::stream::Part;
use super::{Current, PublishError};
use crate::pki::revocation_list::CrlKind;
use crate::pki::time::Timestamp;
use crate::storage::act::{Act, CrlPublished};
use crate::storage::{CrlRow, Page, StoreError};

/// How the published CRL stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It reflects the ledger up to this entry.
    Reflects(u64),
    /// There is none, or it does not reflect the register: one is to be made.
    Behind,
}

/// What the register knows of the published CRL.
enum Found {
    Recorded(CrlRow, Age),
    Learnt,
}

/// Whether the register knows of a later CRL that was published.
enum Age {
    Newest,
    Superseded,
}

const ROWS_AT_ONCE: usize = 100;

impl Press {
    /// Resolves what a crash left: a CRL that is published and intended is recorded as published;
    /// one that was only intended keeps its number for ever, the next is higher. A published CRL
    /// that the register does not know makes the register an older copy: refused.
    pub fn recover(&self, now: Timestamp) -> Result<Standing, PublishError> {
        let current = self.lists.current();
        let found = current.as_deref().map(|current| self.found(current, now)).transpose()?;
        // After that: the one that was just recorded as published is held by somebody as well.
        self.held.load(&*self.register, self.lists.scope(), self.floor()?)?;
        match (current, found) {
            (Some(current), Some(Found::Recorded(row, Age::Newest)))
                if row.freshest == self.announces_deltas()
                    && (!current.is_the_last() || self.has_ended(now))
                    && current.distribution_point_urls == self.distribution_point_urls =>
            {
                self.standing(&current, now)
            }
            // A restore has learnt all that it lists; deltas were turned on or off; it was the last
            // one by a clock that was ahead; it is found at another place besides.
            _ => Ok(Standing::Behind),
        }
    }

    /// The same for the delta. What it tells is right if nothing has changed since.
    pub fn recover_delta(&self, now: Timestamp) -> Result<Standing, PublishError> {
        let Some(delta) = self.lists.delta() else { return Ok(Standing::Behind) };
        let Found::Recorded(row, Age::Newest) = self.found(&delta, now)? else {
            return Ok(Standing::Behind);
        };
        let Some(sequence) = row.sequence else { return Ok(Standing::Behind) };
        let since = self.register.crl_changes(self.lists.scope(), sequence, now)?;
        Ok(match since.count {
            0 => Standing::Reflects(since.sequence),
            _ => Standing::Behind,
        })
    }

    /// What is known of a published list, which is now on record as published.
    fn found(&self, current: &Current, now: Timestamp) -> Result<Found, PublishError> {
        let found = self.row(current, now)?;
        if let Found::Recorded(row, _) = &found
            && row.published.is_none()
        {
            let number = current.number;
            tracing::info!(number, "a CRL was published before a crash: now on record");
            let published = CrlPublished { number, size: current.length, sha256: current.sha256 };
            self.commit(now, Act::CrlPublished(published))?;
        }
        Ok(found)
    }

    /// What is known of the published CRL.
    fn row(&self, current: &Current, now: Timestamp) -> Result<Found, PublishError> {
        let mut age = Age::Newest;
        let mut recorded = 0;
        let mut after = None;
        loop {
            let page = Page { after, limit: ROWS_AT_ONCE };
            let page = self.register.crls(Some(self.lists.scope()), page)?;
            for row in page.rows {
                recorded = recorded.max(row.number);
                if row.number == current.number && row.this_update == current.this_update {
                    return Ok(Found::Recorded(row, age));
                }
                if row.published.is_some() && is_delta(row.kind) == is_delta(current.kind) {
                    age = Age::Superseded;
                }
            }
            after = page.next;
            if after.is_none() {
                return self.unrecorded(current, recorded, now);
            }
        }
    }

    /// A published CRL that is not on record: the register is an older copy, unless a restore (or
    /// an adoption) has learnt from this one or a later one and raised the number to begin with. From
    /// the last one of a key that has ended there is nothing to learn: no other comes after it.
    fn unrecorded(
        &self,
        current: &Current,
        recorded: u64,
        now: Timestamp,
    ) -> Result<Found, PublishError> {
        if let Some(why) = self.register.health().damaged {
            return Err(StoreError::Damaged(why).into());
        }
        let last = current.is_the_last() && self.has_ended(now);
        if last || current.number < self.floor()? {
            return Ok(Found::Learnt);
        }
        Err(PublishError::Restored {
            published: current.number,
            this_update: current.this_update,
            recorded,
        })
    }

    /// Whether the published entries are those of the register.
    fn standing(&self, current: &Current, now: Timestamp) -> Result<Standing, PublishError> {
        let times = self.base_times(now)?;
        let ended_before = times.ended_before(Some(current.this_update));
        let entries = self.register.crl_entries(self.lists.scope(), ended_before)?;
        if entries.count != current.entries {
            return Ok(Standing::Behind);
        }
        let mut new = Part::of(&entries.file, 0..entries.length);
        let mut old = current.encoded_entries();
        let mut pieces = [vec![0; 64 * 1024], vec![0; 64 * 1024]];
        let [one, other] = &mut pieces;
        loop {
            let octets = new.fill(one)?;
            let same = old.fill(other)? == octets && one.get(..octets) == other.get(..octets);
            if !same {
                return Ok(Standing::Behind);
            }
            if octets == 0 {
                return Ok(Standing::Reflects(entries.sequence));
            }
        }
    }
}

fn is_delta(kind: CrlKind) -> bool {
    matches!(kind, CrlKind::Delta { .. })
}
