//! The relying parties of one scope together: whoever holds any complete list of it that has not
//! ended, with or without a delta, and what each of them must have been told.

use super::machine::Deltas;
use super::model::{Known, Model, State};
use super::party::List;
use super::publications::url_of;
use super::series::Series;
use crate::pki::revocation_list::CrlScope;
use crate::pki::time::Timestamp;

/// How many complete lists are put together with each new delta, the oldest and newest among them.
const COMBINED: usize = 8;

/// What has been published so far, as it was fetched.
#[derive(Default)]
pub(super) struct Parties {
    /// Complete lists that somebody can be holding, oldest first.
    held: Vec<Held>,
    pub(super) base: Option<Fetched>,
    pub(super) delta: Option<Fetched>,
}

/// The newest list of its kind.
pub(super) struct Fetched {
    pub(super) list: List,
    pub(super) der: Vec<u8>,
    /// The second it was fetched in, which is the second it was made in.
    at: Timestamp,
}

struct Held {
    list: List,
    /// Whether every later delta must fit it: nothing has happened since that may forbid it.
    owed_deltas: bool,
}

/// What the world looks like when a list is fetched.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: Timestamp,
    /// The latest time that the clock ever showed, and how long it has been behind that in all.
    pub(super) latest: Timestamp,
    pub(super) behind_seconds: u64,
}

/// Whose lists are fetched, and what is known of it.
pub(super) struct Place<'a> {
    pub(super) scope: CrlScope,
    /// The point of the public key.
    pub(super) point: &'a [u8],
    /// When all that was issued under the key ends; never, while it is the present one.
    pub(super) ends: Timestamp,
    pub(super) model: &'a Model,
    pub(super) at: Moment,
}

impl Parties {
    /// A list of everything in the scope was fetched: its number, or nothing if it is the one of
    /// before.
    pub(super) fn fetch_base(
        &mut self,
        der: Vec<u8>,
        place: &Place<'_>,
        series: &mut Series,
    ) -> Option<u64> {
        if self.base.as_ref().is_some_and(|last| last.der == der) {
            return None;
        }
        let Place { scope, model, at, ends, .. } = *place;
        let list = List::read(&der, place.point);
        assert_eq!(list.base, None, "a delta in the place of a complete list");
        assert!(list.removed.is_empty(), "removeFromCRL in a complete list");
        let is_part = scope.partition.is_some();
        assert_eq!(
            list.places.contains(&url_of(scope)),
            is_part,
            "{scope:?} is at {:?}",
            list.places
        );
        assert!(is_part || list.places.is_empty(), "a complete list says that it is a part");
        assert!(!is_part || !list.freshest, "there are no deltas of parts");
        let is_last = list.next_update == Timestamp::NEVER;
        assert_eq!(is_last, at.now > ends, "{scope:?} ends {ends}, now {}", at.now);
        self.goes_on(self.base.as_ref(), &list, at, series);
        let before = self.base.as_ref().map(|last| last.list.this_update);
        for (serial, revoked) in model.must_list(scope, at.now, before) {
            let told = list.listed.get(&serial);
            assert_eq!(told, Some(&revoked), "{serial} in list {} of {scope:?}", list.number);
        }
        let truth = model.revoked();
        for (serial, told) in &list.listed {
            assert_eq!(truth.get(serial), Some(told), "{serial} is not revoked so");
            let own = model.find(serial).is_some_and(|issued| issued.may_be_told_in(scope));
            assert!(own, "{serial} is not in {scope:?}");
        }
        let number = list.number;
        if !is_part {
            self.held.push(Held { list: list.clone(), owed_deltas: true });
        }
        self.base = Some(Fetched { list, der, at: at.now });
        Some(number)
    }

    /// A delta was fetched: its number, or nothing if it is the one of before. `which` chooses
    /// among the older lists.
    pub(super) fn fetch_delta(
        &mut self,
        der: Vec<u8>,
        place: &Place<'_>,
        series: &mut Series,
        which: u64,
    ) -> Option<u64> {
        if self.delta.as_ref().is_some_and(|last| last.der == der) {
            return None;
        }
        let Place { scope, model, at, ends, .. } = *place;
        let delta = List::read(&der, place.point);
        assert!(delta.base.is_some(), "a complete list in the place of a delta");
        assert!(!delta.freshest, "RFC 5280 §5.2.6: not in a delta");
        assert!(delta.places.is_empty() && at.now <= ends, "a delta of {scope:?} at {}", at.now);
        self.goes_on(self.delta.as_ref(), &delta, at, series);
        for serial in &delta.removed {
            let issued = model.find(serial).expect("removed, but never issued");
            // What has ended and left the complete list may be taken off (RFC 5280 §5.2.4).
            let ended = !issued.lives(at.now);
            let released = issued.ever_held && issued.state == State::Good;
            assert!(released || ended, "{serial} is taken off by {}", delta.number);
        }
        self.held.retain(|held| held.list.next_update >= at.now);
        let newest = self.held.last().map(|held| &held.list);
        assert!(
            newest.is_none_or(|base| base.fits(&delta)),
            "the newest list and the newest delta"
        );
        let lives = |known: &mut Known| {
            known.retain(|serial, _| model.find(serial).is_none_or(|issued| issued.lives(at.now)));
        };
        let mut truth = model.revoked();
        lives(&mut truth);
        let many = self.held.len() > COMBINED;
        for (place, held) in self.held.iter().enumerate() {
            let fits = held.list.fits(&delta);
            assert!(fits || !held.owed_deltas, "list {} with {delta:?}", held.list.number);
            let last = place + 1 == self.held.len();
            if !fits || many && place > 0 && !last && !(place as u64 + which).is_multiple_of(5) {
                continue;
            }
            let mut told = held.list.with(&delta);
            lives(&mut told);
            assert_eq!(told, truth, "list {} with delta {}", held.list.number, delta.number);
            series.combinations += 1;
        }
        let number = delta.number;
        self.delta = Some(Fetched { list: delta, der, at: at.now });
        Some(number)
    }

    /// Never backward: numbers and times of all lists in one series, and times of each kind.
    fn goes_on(&self, before: Option<&Fetched>, next: &List, at: Moment, series: &mut Series) {
        series.goes_on(next);
        let bound = at.latest.plus_seconds(at.behind_seconds);
        assert!(next.this_update <= bound, "thisUpdate {} after {bound}", next.this_update);
        assert!(next.next_update > at.now && next.next_update > next.this_update);
        let Some(last) = before else { return };
        // A key that had come to its end by a clock that was ahead goes on.
        let goes_on = last.list.next_update == Timestamp::NEVER && at.now < at.latest;
        assert!(goes_on || next.next_update >= last.list.next_update, "nextUpdate went back");
        let same_second = last.at.whole_seconds() == at.now.whole_seconds();
        let used_up = next.this_update >= at.now.whole_seconds();
        let shares = next.this_update == last.list.this_update && same_second && used_up;
        let (then, now) = (last.list.this_update, next.this_update);
        assert!(now > then || shares, "thisUpdate {now} after {then}, made at {}", at.now);
    }

    /// Nobody is locked out: what is published holds, and so does the delta for whoever is told
    /// that there is one, until all that it could tell of has ended.
    pub(super) fn nobody_is_locked_out(
        &self,
        now: Timestamp,
        ends: Timestamp,
        served_delta: Option<u64>,
    ) {
        let base = &self.base.as_ref().expect("a published list").list;
        assert!(base.next_update > now, "the list ended at {}, now {now}", base.next_update);
        let looked_for = self
            .held
            .iter()
            .any(|held| held.owed_deltas && held.list.freshest && held.list.next_update >= now);
        if looked_for && now <= ends {
            let delta = &self.delta.as_ref().expect("a published delta").list;
            assert!(delta.next_update > now, "the delta ended at {}, now {now}", delta.next_update);
            assert_eq!(served_delta, Some(delta.number), "the delta is not served");
        }
    }

    /// The complete list has been followed by a delta, where there are deltas.
    pub(super) fn delta_is_newest(&self, deltas: Deltas) {
        if let (Deltas::On, Some(base), Some(delta)) = (deltas, &self.base, &self.delta) {
            assert!(delta.list.number > base.list.number, "the base is newer than the delta");
        }
    }

    /// The clock jumped, or the register is another one: it may be that later deltas cannot be
    /// used with what is held (never that they mislead).
    pub(super) fn owe_nothing(&mut self) {
        self.held.iter_mut().for_each(|held| held.owed_deltas = false);
    }

    /// What the list with this number tells.
    pub(super) fn told_by(&self, number: u64) -> Option<Known> {
        let newest = [&self.base, &self.delta].into_iter().flatten();
        let mut known = newest.filter(|it| it.list.number == number);
        let list = &known.next()?.list;
        match list.base {
            None => Some(list.listed.clone()),
            Some(_) => Some(self.base.as_ref()?.list.with(list)),
        }
    }

    /// The newest complete list, and the delta that goes with it or that it says there is.
    pub(super) fn newest(&self) -> Option<(&Fetched, Option<&Fetched>)> {
        let base = self.base.as_ref()?;
        let goes_with = |delta: &&Fetched| base.list.freshest || base.list.fits(&delta.list);
        Some((base, self.delta.as_ref().filter(goes_with)))
    }

    /// Who is revoked by one or the other; the later of the two has the last word.
    pub(super) fn newest_known(&self) -> Option<Known> {
        Some(match self.newest()? {
            (base, None) => base.list.listed.clone(),
            (base, Some(delta)) if base.list.number < delta.list.number => {
                base.list.with(&delta.list)
            }
            (base, Some(delta)) => {
                let mut known = delta.list.listed.clone();
                known.extend(&base.list.listed);
                known
            }
        })
    }
}
