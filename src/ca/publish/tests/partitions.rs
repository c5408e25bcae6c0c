//! CRLs of parts: each lists its own and says critically that it is a part, the complete one
//! follows, and each goes forward by itself wherever it is interrupted.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::super::{LoadError, PublicationPoint, Publishers, Schedule};
use super::far;
use super::memory::crl_acts;
use super::world::{World, noon, serial};
use crate::pki::revocation::RevocationReason::Superseded;
use crate::pki::revocation_list::{CrlReader, CrlScope, CrlSummary};
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::storage::publication::PublicationDirectory;

const SLUG: &str = "contoso-vpn-ca";

fn part(number: u16) -> CrlScope {
    CrlScope { key: 0, partition: NonZeroU16::new(number) }
}

fn urls(scope: CrlScope) -> Vec<String> {
    let name = scope.file_name(SLUG);
    ["http://pki.contoso.com", "http://old.contoso.com"]
        .map(|base| format!("{base}/crl/{name}.crl"))
        .to_vec()
}

/// As after a start, with two parts.
fn publishers(world: &World) -> Publishers {
    publishers_at(world, urls)
}

fn publishers_at(world: &World, urls: fn(CrlScope) -> Vec<String>) -> Publishers {
    let complete = world.store(SLUG);
    let (mut point, _) = world.point_of(&*complete);
    let parts = [part(1), part(2)].map(|scope| (scope, world.store(&scope.file_name(SLUG))));
    for (scope, store) in &parts {
        point = point.with_scope(&world.issuer, *scope, &**store, world.schedule).0;
    }
    let present = world.publisher_of(complete, point);
    let parts = parts.map(|(scope, store)| {
        let (key, issuer) = (world.key.clone(), Arc::clone(&world.issuer));
        let beside = present.beside(scope, key, issuer, store, world.schedule).unwrap();
        beside.at_distribution_point(urls(scope))
    });
    Publishers::new(Arc::new(present)).with_partitions(parts)
}

/// The published CRL of a scope, as a stranger reads it.
fn published(world: &World, scope: CrlScope) -> (CrlSummary, Vec<SerialNumber>) {
    let path = world.home.path().join(format!("{}.crl", scope.file_name(SLUG)));
    let octets = std::fs::read(path).unwrap();
    let mut reader = CrlReader::open(&octets[..]).unwrap();
    let mut serials = Vec::new();
    while let Some(entry) = reader.next_entry().unwrap() {
        serials.push(entry.serial);
    }
    (reader.finish_any(world.issuer.public_key()).unwrap(), serials)
}

fn attempt_all(publishers: &Publishers, now: Timestamp) {
    for scope in publishers.scopes() {
        publishers.of(scope).unwrap().attempt(now).unwrap();
    }
}

#[test]
fn a_part_lists_its_own_and_names_the_places_that_its_certificates_name() {
    let world = World::new();
    world.revoke(1, Superseded, far());
    world.revoke_in(part(1), 2, Superseded, far());
    world.revoke_in(part(2), 3, Superseded, far());
    let publishers = publishers(&world);
    attempt_all(&publishers, noon());
    let (whole, listed) = published(&world, CrlScope::FIRST);
    assert_eq!(listed, [serial(1), serial(2), serial(3)]);
    assert!(whole.distribution_point_urls.is_empty());
    let mut numbers = vec![whole.number];
    for (scope, own) in [(part(1), serial(2)), (part(2), serial(3))] {
        let (summary, listed) = published(&world, scope);
        assert_eq!(listed, [own]);
        assert_eq!(summary.distribution_point_urls, urls(scope));
        assert!(summary.freshest_urls.is_empty());
        assert_eq!(summary.next_publish, whole.next_publish);
        numbers.push(summary.number);
    }
    assert!(numbers.is_sorted_by(|one, next| one < next), "one series: {numbers:?}");
}

#[test]
fn the_part_is_made_at_once_and_the_complete_list_follows_after_its_rest() {
    let world = World::new();
    let publishers = publishers(&world);
    attempt_all(&publishers, noon());
    let before = published(&world, CrlScope::FIRST).0.number;
    let sequence = world.revoke_in(part(1), 1, Superseded, far());
    publishers.demand(&[part(1)], sequence);
    let clock = AtomicU64::new(noon().plus_seconds(10).millis());
    let now = || Timestamp::from_millis(clock.load(Ordering::SeqCst));
    let patience = Duration::from_secs(20);
    std::thread::scope(|threads| {
        threads.spawn(|| publishers.run(&now));
        let _stopped_whatever_happens = Stopped(&publishers);
        let told = publishers.wait_for(&[part(1)], sequence, patience).unwrap();
        let (summary, listed) = published(&world, part(1));
        assert_eq!((summary.number, listed), (Some(told), vec![serial(1)]));
        until(|| published(&world, CrlScope::FIRST).1 == [serial(1)]);
        assert!(published(&world, CrlScope::FIRST).0.number > before);
        assert!(published(&world, part(2)).1.is_empty());

        // It has just been made, so the next one waits; the part does not.
        let sequence = world.revoke_in(part(2), 2, Superseded, far());
        publishers.demand(&[part(2)], sequence);
        publishers.wait_for(&[part(2)], sequence, patience).unwrap();
        assert_eq!(published(&world, part(2)).1, [serial(2)]);
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(published(&world, CrlScope::FIRST).1, [serial(1)]);
        clock.fetch_add(60_000, Ordering::SeqCst);
        until(|| published(&world, CrlScope::FIRST).1 == [serial(1), serial(2)]);
        // Who is in no part waits for the complete list, which does not rest then.
        let sequence = world.revoke(3, Superseded, far());
        publishers.demand(&[CrlScope::FIRST], sequence);
        publishers.wait_for(&[CrlScope::FIRST], sequence, patience).unwrap();
        assert_eq!(published(&world, CrlScope::FIRST).1.len(), 3);
    });
    assert_eq!(publishers.trouble(now()), None);
}

/// A part is overdue or cannot be made: that is said, with its name.
#[test]
fn trouble_with_a_part_is_told_by_its_name() {
    let world = World::new();
    let publishers = publishers(&world);
    for scope in [CrlScope::FIRST, part(1)] {
        publishers.of(scope).unwrap().attempt(noon()).unwrap();
    }
    let trouble = publishers.trouble(noon()).unwrap();
    assert_eq!(trouble, "contoso-vpn-ca-p2.crl: no CRL has been published yet");
    attempt_all(&publishers, noon());
    assert_eq!(publishers.trouble(noon()), None);
    let late = noon().plus_seconds(super::WEEK + 3600);
    publishers.of(CrlScope::FIRST).unwrap().attempt(late).unwrap();
    let trouble = publishers.trouble(late).unwrap();
    assert!(trouble.starts_with("contoso-vpn-ca-p1.crl: the CRL was to be renewed"), "{trouble}");
}

/// Killed before or after each durable step: what is served is whole and its own, the next start
/// lists everybody, no number comes twice, and the other scopes do not go back.
#[test]
fn a_part_recovers_from_a_failure_at_each_step() {
    let now = noon().plus_seconds(60);
    let count = {
        let world = World::new();
        let publishers = publishers(&world);
        attempt_all(&publishers, noon());
        world.steps.reset();
        publishers.demand(&[part(1)], world.revoke_in(part(1), 1, Superseded, far()));
        publishers.of(part(1)).unwrap().attempt(now).unwrap();
        world.steps.taken.load(Ordering::SeqCst)
    };
    assert!(count >= 7, "{count}");
    for step in 1..=count {
        for after in [false, true] {
            let world = World::new();
            let before = publishers(&world);
            attempt_all(&before, noon());
            let numbers = before.scopes().into_iter().map(|own| published(&world, own).0.number);
            let first: Vec<_> = numbers.collect();
            world.steps.reset();
            let told = if after { &world.steps.fail_after } else { &world.steps.fail_before };
            told.store(step, Ordering::SeqCst);
            let sequence = world.revoke_in(part(1), 1, Superseded, far());
            before.demand(&[part(1)], sequence);
            let outcome = before.of(part(1)).unwrap().attempt(now);
            let served = before.of(part(1)).unwrap().current().unwrap().number;
            drop(before);
            world.steps.reset();
            let (summary, _) = published(&world, part(1));
            assert!(summary.number >= first[1], "step {step}");
            if outcome.is_ok() {
                assert_eq!(summary.number, Some(served), "step {step}");
            }

            let restarted = publishers(&world);
            restarted.demand(&[part(1)], sequence);
            attempt_all(&restarted, now.plus_seconds(1));
            for (scope, expected) in [(CrlScope::FIRST, 1), (part(1), 1), (part(2), 0)] {
                assert_eq!(published(&world, scope).1.len(), expected, "step {step} {scope:?}");
            }
            assert_eq!(restarted.trouble(now.plus_seconds(1)), None);
            assert!(restarted.wait_for(&[part(1)], sequence, Duration::ZERO).is_some());
            assert_eq!(published(&world, part(2)).0.number, first[2], "step {step}");

            let acts = crl_acts(&world.register.acts());
            let intended = acts.iter().filter(|(_, published)| !published);
            let numbers: Vec<u64> = intended.map(|(number, _)| *number).collect();
            assert!(numbers.is_sorted_by(|one, next| one < next), "step {step}: {acts:?}");
            let last = published(&world, part(1)).0.number.unwrap();
            assert!(acts.contains(&(last, true)), "step {step}: on record as published");
        }
    }
}

/// Of two files that were exchanged neither is served: each would take the other's revoked
/// certificates for good.
#[test]
fn the_list_of_another_part_or_of_everything_is_not_taken_up() {
    let world = World::new();
    attempt_all(&publishers(&world), noon());
    let issuer = &world.issuer;
    for (there, taken_for) in
        [(part(2), part(1)), (CrlScope::FIRST, part(1)), (part(1), CrlScope::FIRST)]
    {
        let store = PublicationDirectory::open(world.home.path(), &there.file_name(SLUG)).unwrap();
        let own = PublicationDirectory::open(world.home.path(), SLUG).unwrap();
        let schedule = Schedule::default();
        let outcome = match taken_for.partition {
            None => PublicationPoint::open(issuer, SLUG, &store, schedule).1,
            Some(_) => {
                let (point, outcome) = PublicationPoint::open(issuer, SLUG, &own, schedule);
                outcome.unwrap();
                point.with_scope(issuer, taken_for, &store, schedule).1
            }
        };
        assert!(matches!(outcome, Err(LoadError::NotOurs)), "{there:?} for {taken_for:?}");
    }
}

/// Certificates name the new place from now on, and others name the old one.
#[test]
fn a_part_that_is_found_at_another_place_besides_is_made_anew_once() {
    let world = World::new();
    attempt_all(&publishers(&world), noon());
    let first = published(&world, part(1)).0.number;
    let more = |scope: CrlScope| {
        let new = format!("http://new.contoso.com/crl/{}.crl", scope.file_name(SLUG));
        [vec![new], urls(scope)].concat()
    };
    for _ in 0..2 {
        attempt_all(&publishers_at(&world, more), noon().plus_seconds(60));
    }
    let (summary, _) = published(&world, part(1));
    assert_eq!(summary.distribution_point_urls, more(part(1)));
    assert!(summary.number > first);
    let made = crl_acts(&world.register.acts()).len();
    assert_eq!(
        made,
        2 * (3 + 2),
        "the complete one has no such place, and no second start made any"
    );
}

fn until(mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "it does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

struct Stopped<'a>(&'a Publishers);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}
