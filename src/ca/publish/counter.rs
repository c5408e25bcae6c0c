//! One series of numbers for base and delta CRLs (RFC 5280 §5.2.3) of every scope, drawn together
//! with what the list will say: whichever has the higher number was taken from the register later.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::PublishError;
use super::making::Press;
use super::schedule::{Schedule, Times};
use crate::pki::time::Timestamp;
use crate::storage::{CrlEntries, Page};

/// What was drawn last in this process, published or not.
#[derive(Debug, Default)]
pub(super) struct Counter(Mutex<Last>);

#[derive(Debug, Default)]
struct Last {
    number: u64,
    this_update: Option<Timestamp>,
}

/// A number, its times, and what the list says.
pub(super) struct Drawn {
    pub number: u64,
    pub times: Times,
    pub entries: CrlEntries,
}

impl Press {
    /// The times that a list made at `now` would have.
    pub fn times(&self, now: Timestamp, schedule: &Schedule) -> Result<Times, PublishError> {
        let known = self.last()?;
        Ok(self.times_after(known.this_update, now, schedule))
    }

    fn times_after(
        &self,
        previous: Option<Timestamp>,
        now: Timestamp,
        schedule: &Schedule,
    ) -> Times {
        let times = schedule.times(now, previous, self.issuer.not_before());
        if self.has_ended(now) { times.of_the_last() } else { times }
    }

    /// Draws a number, and takes what `entries` gives while nobody else draws.
    pub fn draw(
        &self,
        now: Timestamp,
        schedule: &Schedule,
        entries: impl FnOnce(&Times) -> Result<CrlEntries, PublishError>,
    ) -> Result<Drawn, PublishError> {
        let mut last = self.counter.lock();
        let known = self.last()?;
        let floor = known.this_update.max(last.this_update);
        let times = self.times_after(floor, now, schedule);
        let number = self.number(known.number.max(last.number), now)?;
        let entries = entries(&times)?;
        *last = Last { number, this_update: Some(times.this_update) };
        Ok(Drawn { number, times, entries })
    }

    /// The highest number and the latest thisUpdate on record or published.
    fn last(&self) -> Result<Last, PublishError> {
        let page = Page { after: None, limit: 1 };
        let row = self.register.crls(None, page)?.rows.into_iter().next();
        let lists = self.point.lists().iter();
        let published = lists.flat_map(|own| [own.current(), own.delta()]).flatten();
        let told = published.map(|crl| (crl.number, crl.this_update));
        let told = told.chain(row.map(|row| (row.number, row.this_update)));
        Ok(told.fold(Last::default(), |last, (number, this_update)| Last {
            number: last.number.max(number),
            this_update: last.this_update.max(Some(this_update)),
        }))
    }

    /// Above the last, above what the register knows was given out before adoption, and not below
    /// the time in milliseconds, so that numbers rise even where the last is not known.
    fn number(&self, last: u64, now: Timestamp) -> Result<u64, PublishError> {
        let next = last.checked_add(1).ok_or(PublishError::NumbersExhausted)?;
        Ok(next.max(now.millis()).max(self.floor()?))
    }

    /// Numbers below this were given out before an adoption or a restore.
    pub fn floor(&self) -> Result<u64, PublishError> {
        Ok(self.register.authority()?.map_or(0, |authority| authority.next_crl_number))
    }
}

impl Counter {
    fn lock(&self) -> MutexGuard<'_, Last> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
