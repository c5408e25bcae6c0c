//! The threads of the service at work, time that goes by, and what must hold of what they made.

use std::time::Duration;

use super::lived::Life;
use super::machine::{ANSWERS, SLUG};
use super::parties::Place;
use super::script::Threads;
use crate::ca::ocsp::Work;
use crate::ca::publish::Kind;
use crate::pki::revocation_list::CrlScope;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;

/// Within this time a change is told by lists that nobody waits for.
const FOLLOWS_WITHIN: u64 = 60;

impl Life {
    /// The threads of the service have a turn each, in whatever order they come.
    pub(super) fn turn(&mut self, threads: Threads) {
        let mut scopes = self.machine.service().publishers.scopes();
        let first = self.draw.below(scopes.len() as u64);
        scopes.rotate_left(usize::try_from(first).unwrap());
        let mut all_well = true;
        self.machine.faults.have_struck();
        for scope in scopes {
            let (mut delta_well, mut base_well) = (true, true);
            for kind in kinds(threads, scope) {
                let well = self.take_turn(scope, *kind);
                match kind {
                    Kind::Delta => delta_well = well,
                    Kind::Base => base_well = well,
                }
            }
            all_well &= delta_well && base_well;
        }
        if matches!(threads, Threads::All | Threads::Answers) {
            self.make_answers();
        }
        if self.machine.faults.is_dead() {
            return self.crash();
        }
        if threads == Threads::All {
            self.in_time = all_well;
            if self.in_time {
                self.judge();
            } else {
                let trouble = self.machine.service().publishers.trouble(self.now);
                let trouble = trouble.expect("a failure is told");
                assert!(self.machine.faults.have_struck(), "nothing is wrong but: {trouble}");
            }
        }
    }

    /// Whether it went well.
    fn take_turn(&mut self, scope: CrlScope, kind: Kind) -> bool {
        let now = self.now;
        let publisher = self.machine.service().publishers.of(scope).unwrap();
        let well = publisher.take_turn(kind, &|| now).outcome.is_ok();
        if let Some(number) = self.fetch(scope, kind) {
            self.model.told_by(scope, number);
        }
        well
    }

    /// OCSP answers that reflect everything, if they can be made.
    fn make_answers(&mut self) {
        let service = self.machine.service();
        for made in service.makers.iter().filter(|made| self.now <= made.until) {
            loop {
                match made.maker.attempt(self.now) {
                    Ok(Work::GoesOn) => {}
                    Ok(Work::Done) => break self.model.answers_reflect(made.key),
                    Err(_) => break,
                }
            }
        }
    }

    /// What must hold when the publishers have done what was to be done.
    fn judge(&mut self) {
        let service = self.machine.service();
        let (publishers, now) = (&service.publishers, self.now);
        assert_eq!(publishers.trouble(now), None);
        self.nobody_is_locked_out();
        let last = self.changed.values().max().copied();
        for (scope, parties) in &self.parties {
            if now > self.machine.ends(scope.key) {
                continue;
            }
            parties.delta_is_newest(self.machine.deltas);
            let lives = |serial: &SerialNumber| self.model.find(serial).unwrap().lives(now);
            let must_tell = || {
                let must = self.model.must_list(*scope, now, Some(now)).into_iter();
                must.filter(move |(serial, _)| lives(serial))
            };
            // The call that revoked is answered with the number of a list that tells.
            if let Some(changed) = self.changed.get(scope) {
                let number = publishers.wait_for(&[*scope], *changed, Duration::ZERO);
                let number = number.unwrap_or_else(|| panic!("{scope:?} tells no change"));
                let told = parties.told_by(number).expect("a list that is not the newest");
                // What a part tells later than that is no business of this list yet.
                let whole = scope.partition.is_some() || Some(*changed) == last;
                for (serial, revoked) in must_tell().filter(|_| whole) {
                    let told = told.get(&serial);
                    assert_eq!(told, Some(&revoked), "{serial} by {number} of {scope:?}");
                }
            }
            // Everybody's lists follow, whichever of them was waited for.
            if now >= self.changed_at.plus_seconds(FOLLOWS_WITHIN) {
                let told = parties.newest_known().expect("a list");
                for (serial, revoked) in must_tell() {
                    assert_eq!(told.get(&serial), Some(&revoked), "{serial} follows in {scope:?}");
                }
            }
        }
    }

    fn nobody_is_locked_out(&self) {
        let service = self.machine.service();
        for (scope, parties) in &self.parties {
            let publisher = service.publishers.of(*scope);
            let delta = publisher.and_then(|own| own.delta()).map(|delta| delta.number);
            parties.nobody_is_locked_out(self.now, self.machine.ends(scope.key), delta);
        }
    }

    /// Everybody fetches what stands there: the number of a list that was not there before.
    fn fetch(&mut self, scope: CrlScope, kind: Kind) -> Option<u64> {
        let (point, ends) =
            (self.machine.keys.of(usize::from(scope.key)).point(), self.machine.ends(scope.key));
        let name = match kind {
            Kind::Base => format!("{}.crl", scope.file_name(SLUG)),
            Kind::Delta => format!("{}-delta.crl", scope.file_name(SLUG)),
        };
        let der = std::fs::read(self.machine.publications().join(name)).ok()?;
        let at = self.moment();
        let place = Place { scope, point: &point, ends, model: &self.model, at };
        let parties = self.parties.get_mut(&scope).expect("somebody who looks there");
        let number = match kind {
            Kind::Base => parties.fetch_base(der, &place, &mut self.series)?,
            Kind::Delta => {
                let which = self.draw.next() % 5;
                parties.fetch_delta(der, &place, &mut self.series, which)?
            }
        };
        let last = kind == Kind::Base && self.now > ends;
        self.counts.last_lists += u64::from(last);
        self.counts.by_old_keys += u64::from(ends < Timestamp::NEVER);
        self.counts.of_parts += u64::from(scope.partition.is_some());
        Some(number)
    }

    /// The same wherever lists are, after a crash at whatever moment.
    pub(super) fn fetch_all(&mut self) {
        for scope in self.parties.keys().copied().collect::<Vec<_>>() {
            for kind in [Kind::Base, Kind::Delta] {
                if let Some(number) = self.fetch(scope, kind) {
                    self.model.told_by(scope, number);
                }
            }
        }
    }

    /// Time goes by, and the service does at every moment what is due.
    pub(super) fn wait(&mut self, milliseconds: u64) {
        let target = Timestamp::from_millis(self.now.millis() + milliseconds);
        while self.now < target {
            let next = self.next_due().max(self.now.plus_seconds(1)).min(target);
            self.go_to(next);
            if self.in_time {
                self.nobody_is_locked_out();
            }
            self.turn(Threads::All);
        }
    }

    /// When there is something to do next, as far as anybody can know.
    fn next_due(&self) -> Timestamp {
        if !self.in_time {
            return self.now.plus_seconds(60);
        }
        let service = self.machine.service();
        let scopes = service.publishers.scopes().into_iter();
        let publishers = scopes.filter_map(|scope| service.publishers.of(scope));
        let lists = publishers.flat_map(|own| [own.current(), own.delta()]);
        let due = lists.flatten().map(|crl| crl.due);
        let answers = service.makers.iter().filter(|made| self.now <= made.until).map(|made| {
            let begun = made.maker.round(self.now).map_or(0, |(_, age)| age);
            self.now.plus_seconds(ANSWERS.saturating_sub(begun).max(60))
        });
        let latest = self.now.plus_seconds(ANSWERS);
        due.chain(answers).min().unwrap_or(latest)
    }

    fn go_to(&mut self, next: Timestamp) {
        if next < self.latest {
            self.behind_seconds += next.seconds_since(self.now) + 1;
        }
        self.now = next;
        self.latest = self.latest.max(next);
    }

    pub(super) fn jump(&mut self, to: Timestamp) {
        self.behind_seconds += 1;
        self.now = to;
        self.latest = self.latest.max(to);
        self.in_time = false;
        self.owe_nothing();
    }

    /// Nobody can count on deltas for what he holds.
    pub(super) fn owe_nothing(&mut self) {
        self.parties.values_mut().for_each(|parties| parties.owe_nothing());
    }
}

/// Which lists of a scope are made by these threads.
fn kinds(threads: Threads, scope: CrlScope) -> &'static [Kind] {
    match (threads, scope.partition) {
        (Threads::All, None) => &[Kind::Delta, Kind::Base, Kind::Delta],
        (Threads::Deltas, None) => &[Kind::Delta],
        (Threads::Bases, None) | (Threads::All | Threads::Parts, Some(_)) => &[Kind::Base],
        _ => &[],
    }
}
