//! What relying parties work out: whoever holds any complete CRL that was ever served and has not
//! ended, and takes the current delta, knows what the register knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::super::state::Kind;
use super::super::{DeltaUse, PublicationPoint, Publisher, Schedule};
use super::real::Real;
use super::world::{noon, publish, read_either, serial};
use super::{CertificateHold, WEEK, far};
use crate::ca::establish::established;
use crate::pki::revocation::RevocationReason;
use crate::pki::revocation_list::{CrlKind, CrlSummary, DeltaEntry};
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::storage::Urgency;
use crate::storage::act::{Act, Entry};
use crate::storage::open::Trust;
use crate::storage::publication::PublicationDirectory;

type Known = BTreeMap<SerialNumber, RevocationReason>;

/// A complete CRL as somebody holds it.
struct Copy {
    number: u64,
    next_update: Timestamp,
    listed: Known,
}

impl Copy {
    /// RFC 5280 §5.2.4: may be combined with this delta.
    fn fits(&self, delta: &CrlSummary) -> bool {
        let CrlKind::Delta { base } = delta.kind else { panic!("not a delta") };
        base <= self.number && Some(self.number) < delta.number
    }

    fn with(&self, delta: &[DeltaEntry]) -> Known {
        let mut known = self.listed.clone();
        for entry in delta {
            match entry {
                DeltaEntry::Listed(entry) => {
                    known.insert(entry.serial, entry.revocation.reason);
                }
                DeltaEntry::Removed { serial, .. } => {
                    known.remove(serial);
                }
            }
        }
        known
    }
}

fn publisher(real: &Real) -> Publisher {
    let directory = real.home.path().join("publish");
    let store = PublicationDirectory::open(&directory, "contoso").unwrap();
    let deltas = PublicationDirectory::open(&directory, "contoso-delta").unwrap();
    let schedule = Schedule::default();
    let (point, outcome) = PublicationPoint::open(&real.issuer, "contoso", &store, schedule);
    outcome.unwrap();
    point.open_delta(&real.issuer, &deltas, schedule.delta_every(86_400)).unwrap();
    let (key, issuer) = (real.key.clone(), Arc::clone(&real.issuer));
    let (register, point) = (real.register(), Arc::new(point));
    let publisher = Publisher::of_parts(register, key, issuer, Arc::new(store), point, schedule);
    let used = DeltaUse::Announced(vec!["http://pki/crl/contoso-delta.crl".to_owned()]);
    publisher.with_deltas(Arc::new(deltas), schedule.delta_every(86_400), used)
}

/// A copy of before knows neither hold nor release, and needs to tell of neither.
#[test]
fn deltas_are_made_of_a_copy_that_does_not_know_whom_the_last_one_took_off() {
    let real = Real::new();
    let publishing = publisher(&real);
    publish(&publishing, noon());
    real.issue(1, far());
    real.revoke(1, CertificateHold, far());
    publish(&publishing, noon().plus_seconds(60));
    real.release(1);
    publish(&publishing, noon().plus_seconds(120));
    assert!(matches!(read(&real, "contoso-delta.crl").1[..], [DeltaEntry::Removed { .. }]));

    let next = publishing.delta().unwrap().number + 1;
    let copy = copy_that_begins_with(next, &real);
    let again = publisher(&copy);
    publish(&again, noon().plus_seconds(180));
    assert_eq!(again.trouble(noon().plus_seconds(180)), None);
    assert!(again.delta().unwrap().number > next && read(&copy, "contoso-delta.crl").1.is_empty());
}

/// Whoever stands on a delta in force is not forgotten, though a copy of before does not know him.
#[test]
fn a_delta_binds_those_after_it_until_it_has_ended() {
    let real = Real::new();
    let publishing = publisher(&real);
    publish(&publishing, noon());
    real.issue(1, far());
    real.revoke(1, RevocationReason::Superseded, far());
    publishing.demand(real.register().head().sequence);
    publishing.attempt_kind(Kind::Delta, noon().plus_seconds(60)).unwrap();
    let copy = copy_that_begins_with(publishing.delta().unwrap().number + 1, &real);
    let again = publisher(&copy);
    again.attempt(noon().plus_seconds(120)).unwrap_err();
    let late = again.delta().unwrap().next_update.plus_seconds(1);
    again.attempt(late).unwrap();
    assert_eq!(again.trouble(late), None);
}

/// The same CA with an empty register, beside what was published, as after `chancery restore`.
fn copy_that_begins_with(number: u64, real: &Real) -> Real {
    let copy = Real::of(real.key.clone(), Arc::clone(&real.issuer));
    let directory = copy.home.path().join("publish");
    std::fs::create_dir_all(&directory).unwrap();
    for name in ["contoso.crl", "contoso-delta.crl"] {
        let published = real.home.path().join("publish").join(name);
        std::fs::copy(published, directory.join(name)).unwrap();
    }
    let (name, certificate) = (real.issuer.name(), real.issuer.certificate_der().to_vec());
    let learnt = established(name, certificate, Vec::new(), String::new(), Vec::new(), number);
    let act = Act::AuthorityEstablished(learnt);
    let entry = Entry { at: noon().millis(), actor: None, act };
    copy.register().commit(vec![entry], Urgency::Reserved).unwrap();
    copy
}

fn read(real: &Real, name: &str) -> (CrlSummary, Vec<DeltaEntry>) {
    let path = real.home.path().join("publish").join(name);
    read_either(&std::fs::read(path).unwrap(), &real.issuer)
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Revoke(u64, RevocationReason),
    Release(u64),
    /// Only the delta, as in the moment before the base follows.
    Delta,
    /// Only the base, as in the moment before the next delta.
    Base,
    Both,
    Restart(Trust),
    Wait(u64),
    ClockBack(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let reason = prop::sample::select(RevocationReason::ALL.to_vec());
    prop_oneof![
        4 => (1..12u64, reason).prop_map(|(number, reason)| Step::Revoke(number, reason)),
        4 => (1..12u64).prop_map(|number| Step::Revoke(number, CertificateHold)),
        4 => (1..12u64).prop_map(Step::Release),
        4 => Just(Step::Delta),
        2 => Just(Step::Base),
        2 => Just(Step::Both),
        1 => Just(Step::Restart(Trust::AsRecorded)),
        1 => Just(Step::Restart(Trust::Nothing)),
        3 => (1..WEEK / 2).prop_map(Step::Wait),
        1 => (1..WEEK).prop_map(Step::ClockBack),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_view_is_the_registers_truth(steps in prop::collection::vec(step(), 1..50)) {
        let mut real = Real::new();
        let end = |number: u64| {
            if number % 2 == 1 { noon().plus_seconds(number * 50_000) } else { far() }
        };
        for number in 1..12 {
            real.issue(number, end(number));
        }
        let mut now = noon();
        let mut publishing = publisher(&real);
        publishing.attempt(now).unwrap();
        let mut truth: BTreeMap<u64, RevocationReason> = BTreeMap::new();
        let mut copies: Vec<Copy> = Vec::new();
        let (mut last_base, mut last_delta): (Option<CrlSummary>, Option<CrlSummary>) = (None, None);
        let mut clock_went_back = false;
        // The number of the last base, and when it was made.
        let mut made = (publishing.current().unwrap().number, now);
        for step in steps {
            match step {
                Step::Revoke(number, reason) => {
                    let before = truth.get(&number).copied();
                    if before.is_none() || before == Some(CertificateHold) && reason != CertificateHold {
                        real.revoke(number, reason, end(number));
                        truth.insert(number, reason);
                    }
                }
                Step::Release(number) => {
                    if truth.get(&number) == Some(&CertificateHold) {
                        real.release(number);
                        truth.remove(&number);
                    }
                }
                Step::Wait(seconds) => now = now.plus_seconds(seconds),
                Step::ClockBack(seconds) => {
                    now = now.minus_seconds(seconds);
                    clock_went_back = true;
                }
                Step::Restart(trust) => {
                    drop(publishing);
                    real.restart(trust);
                    publishing = publisher(&real);
                    publishing.attempt(now).unwrap();
                    let number = publishing.current().unwrap().number;
                    made = if number == made.0 { made } else { (number, now) };
                }
                Step::Delta | Step::Base | Step::Both => {
                    let told = matches!(step, Step::Delta | Step::Both);
                    publishing.demand_anew();
                    match step {
                        Step::Delta => publishing.attempt_kind(Kind::Delta, now).unwrap(),
                        Step::Base => publishing.attempt_kind(Kind::Base, now).unwrap(),
                        _ => publishing.attempt(now).unwrap(),
                    }
                    let number = publishing.current().unwrap().number;
                    made = if number == made.0 { made } else { (number, now) };
                    let (base, listed) = read(&real, "contoso.crl");
                    let (delta, changes) = read(&real, "contoso-delta.crl");
                    prop_assert!(listed.iter().all(|entry| matches!(entry, DeltaEntry::Listed(_))));
                    prop_assert!(delta.freshest_urls.is_empty() && base.freshest_urls.len() == 1);
                    for (last, next) in [(&last_base, &base), (&last_delta, &delta)] {
                        if let Some(last) = last {
                            prop_assert!(next.number >= last.number);
                            prop_assert!(next.this_update >= last.this_update);
                            prop_assert!(next.next_update >= last.next_update);
                            prop_assert!(next.number > last.number || next == last);
                        }
                    }
                    let empty = Copy { number: 0, next_update: now, listed: Known::new() };
                    if copies.last().map(|copy| copy.number) != base.number {
                        let (number, next_update) = (base.number.unwrap(), base.next_update);
                        copies.push(Copy { number, next_update, listed: empty.with(&listed) });
                    }
                    // None is made against a base that may lack somebody who had ended a week
                    // before it by a clock that was ahead; a base comes first.
                    let lacks = made.1.minus_seconds(WEEK) > now;
                    if told && !lacks {
                        let current = |known: Known| -> Vec<_> {
                            // Nobody asks about a certificate that has ended.
                            let stands = |serial: &SerialNumber| (1..12).any(|number| {
                                super::world::serial(number) == *serial && end(number) >= now
                            });
                            known.into_iter().filter(|(serial, _)| stands(serial)).collect()
                        };
                        let known = truth.iter().map(|(number, reason)| (serial(*number), *reason));
                        let expected = current(known.collect());
                        for copy in copies.iter().filter(|copy| copy.next_update >= now) {
                            // After the clock went back and forth the delta may be made against a
                            // later one: then this copy cannot be used with it, which is no lie.
                            prop_assert!(copy.fits(&delta) || clock_went_back, "{}", copy.number);
                            if copy.fits(&delta) {
                                prop_assert_eq!(&current(copy.with(&changes)), &expected);
                            }
                        }
                        let last = copies.last().unwrap();
                        // Without a base that anybody can hold none is made.
                        prop_assert!(last.fits(&delta) || last.next_update < now);
                    }
                    (last_base, last_delta) = (Some(base), Some(delta));
                }
            }
        }
    }
}
