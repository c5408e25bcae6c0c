//! One series of numbers for base and delta CRLs (RFC 5280 §5.2.3) of every scope, drawn together
//! with what the list will say: whichever has the higher number was taken from the register later.
//! thisUpdate never goes back in that series, and of two lists of one scope and kind the later one
//! has the later thisUpdate.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::PublishError;
use super::making::Press;
use super::schedule::{Before, Schedule, Times};
use super::state::Kind;
use crate::pki::revocation_list::CrlScope;
use crate::pki::time::Timestamp;
use crate::storage::{CrlEntries, Page};

/// What was drawn last in this process, published or not.
#[derive(Debug, Default)]
pub(super) struct Counter(Mutex<Given>);

#[derive(Debug, Default)]
struct Given {
    number: u64,
    this_update: Option<Timestamp>,
    of: BTreeMap<(CrlScope, Kind), Before>,
}

/// What the next list of a scope and kind follows.
#[derive(Debug, Default)]
struct Last {
    number: u64,
    /// The latest of all lists.
    this_update: Option<Timestamp>,
    /// The last one of this scope and kind.
    before: Option<Before>,
}

impl Last {
    /// The earliest thisUpdate of the next list.
    fn earliest(&self, now: Timestamp) -> Option<Timestamp> {
        self.this_update.max(self.before.map(|before| before.follow(now)))
    }
}

/// A number, its times, and what the list says.
pub(super) struct Drawn {
    pub number: u64,
    pub times: Times,
    pub entries: CrlEntries,
}

impl Press {
    /// The times that a complete list made at `now` would have.
    pub fn base_times(&self, now: Timestamp) -> Result<Times, PublishError> {
        let earliest = self.last(Kind::Base)?.earliest(now);
        Ok(self.times_from(earliest, now, &self.base.schedule))
    }

    fn times_from(
        &self,
        earliest: Option<Timestamp>,
        now: Timestamp,
        schedule: &Schedule,
    ) -> Times {
        let times = schedule.times(now, earliest, self.issuer.not_before());
        if self.has_ended(now) { times.of_the_last() } else { times }
    }

    /// Draws a number, and takes what `entries` gives while nobody else draws.
    pub fn draw(
        &self,
        kind: Kind,
        now: Timestamp,
        schedule: &Schedule,
        entries: impl FnOnce(&Times) -> Result<CrlEntries, PublishError>,
    ) -> Result<Drawn, PublishError> {
        let mut given = self.counter.lock();
        let mut last = self.last(kind)?;
        let place = (self.lists.scope(), kind);
        last.number = last.number.max(given.number);
        last.this_update = last.this_update.max(given.this_update);
        last.before = later(last.before, given.of.get(&place).copied());
        let times = self.times_from(last.earliest(now), now, schedule);
        let number = self.number(last.number, now)?;
        let entries = entries(&times)?;
        let this_update = times.this_update;
        given.number = number;
        given.this_update = Some(this_update);
        given.of.insert(place, Before { this_update, made: Some(now) });
        Ok(Drawn { number, times, entries })
    }

    /// What is on record or published.
    fn last(&self, kind: Kind) -> Result<Last, PublishError> {
        let newest = |scope| -> Result<_, PublishError> {
            let rows = self.register.crls(scope, Page { after: None, limit: 1 })?.rows;
            Ok(rows.into_iter().next())
        };
        let lists = self.point.lists().iter();
        let published = lists.flat_map(|own| [own.current(), own.delta()]).flatten();
        let told = published.map(|crl| (crl.number, crl.this_update));
        let told = told.chain(newest(None)?.map(|row| (row.number, row.this_update)));
        let mut last = told.fold(Last::default(), |last, (number, this_update)| Last {
            number: last.number.max(number),
            this_update: last.this_update.max(Some(this_update)),
            before: None,
        });
        let authority = self.register.authority()?;
        let learnt = authority.and_then(|authority| authority.latest_this_update);
        let learnt = learnt.map(Timestamp::from_seconds);
        last.this_update = last.this_update.max(learnt);

        let row = newest(Some(self.lists.scope()))?;
        let made = |number| {
            let row = row.as_ref().filter(|row| row.number == number);
            row.and_then(|row| row.published).map(|(at, _, _)| at)
        };
        let current = match kind {
            Kind::Base => self.lists.current(),
            Kind::Delta => self.lists.delta(),
        };
        last.before = match (current, &row) {
            (Some(crl), _) => Some(Before { this_update: crl.this_update, made: made(crl.number) }),
            // One that is not there to be read any more may still be held.
            (None, Some(row)) => {
                Some(Before { this_update: row.this_update, made: made(row.number) })
            }
            (None, None) => None,
        };
        let learnt = learnt.map(|this_update| Before { this_update, made: None });
        last.before = later(last.before, learnt);
        Ok(last)
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

/// The later of two; of one and the same list the one that also says when it was made.
fn later(one: Option<Before>, other: Option<Before>) -> Option<Before> {
    one.into_iter().chain(other).max_by_key(|it| (it.this_update, it.made))
}

impl Counter {
    fn lock(&self) -> MutexGuard<'_, Given> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
