//! Numbers and times of one list after another, and how long an entry stays.

use super::super::state::Kind;
use super::world::{World, noon, publish, serial};
use super::{Superseded, WEEK, far};
use crate::pki::revocation_list::{CrlKind, DeltaEntry};

#[test]
fn numbers_rise_within_one_millisecond_and_with_the_clock_back() {
    let world = World::new();
    let publisher = world.publisher();
    let moments = [noon(), noon(), noon().minus_seconds(86_400), noon().plus_seconds(5)];
    let mut last = publish(&publisher, noon());
    for now in moments {
        let next = publish(&publisher, now);
        assert!(next.number > last.number);
        assert!(next.this_update > last.this_update, "OpenSSL may take the older of two");
        assert!(next.next_update > last.next_update);
        assert!(next.modified > last.modified, "two CRLs with one Last-Modified");
        last = next;
    }
    // Later, the time in milliseconds has overtaken them.
    let later = publish(&publisher, noon().plus_seconds(60));
    assert_eq!(later.number, noon().plus_seconds(60).millis());
}

/// Another process made the last one, or nobody can read it any more.
#[test]
fn this_update_rises_across_starts() {
    let world = World::new();
    let mut last = publish(&world.publisher(), noon()).this_update;
    for lost in [false, true, false] {
        if lost {
            std::fs::remove_file(world.crl_path()).unwrap();
        }
        let next = publish(&world.publisher(), noon()).this_update;
        assert!(next > last);
        last = next;
    }
}

/// What has ended by a clock that is wrong comes back with the clock.
#[test]
fn a_clock_that_was_ahead_costs_nobody_his_entry() {
    let world = World::new();
    world.revoke(1, Superseded, noon().plus_seconds(10 * WEEK));
    let publisher = world.publisher();
    publish(&publisher, noon());
    let wrong = noon().plus_seconds(100 * WEEK);
    publish(&publisher, wrong);
    publish(&publisher, wrong.plus_seconds(WEEK));
    assert!(world.listed().is_empty(), "ended long ago, as far as anybody can know");
    // By itself, and once.
    let made = |seconds| {
        let now = noon().plus_seconds(seconds);
        publisher.take_turn(Kind::Base, &|| now).outcome.unwrap();
        assert_eq!(world.listed(), [serial(1)]);
        publisher.current().unwrap().number
    };
    assert_eq!(made(120), made(121));
}

/// Whoever holds a complete list of a clock that was ahead learns nothing from a delta: the list
/// lacks a certificate that has not changed since.
#[test]
fn no_delta_fits_a_list_that_lacks_somebody_by_the_clock_as_it_is() {
    for restarted in [false, true] {
        let world = World::new();
        world.revoke(1, Superseded, noon().plus_seconds(WEEK));
        let mut publisher = world.publisher_with_deltas();
        publish(&publisher, noon());
        let ahead = noon().plus_seconds(3 * WEEK);
        let whole = publish(&publisher, ahead);
        assert_eq!(world.listed(), [serial(1)], "not told by a scheduled list since");
        let lacking = publish(&publisher, ahead.plus_seconds(60));
        assert!(world.listed().is_empty());
        let base = |world: &World| match world.delta().0.kind {
            CrlKind::Delta { base } => base,
            CrlKind::Complete => panic!("not a delta"),
        };
        assert_eq!(base(&world), whole.number, "by that clock anybody may hold it");

        if restarted {
            drop(publisher);
            publisher = world.publisher_with_deltas();
        }
        // At once a list that lacks nobody, and a delta against that one.
        let mut now = noon().plus_seconds(120);
        publisher.attempt(now).unwrap();
        let next = publisher.current().unwrap();
        assert_eq!(world.listed(), [serial(1)]);
        assert_eq!(base(&world), next.number);
        for seconds in [60, 3600] {
            now = now.plus_seconds(seconds);
            world.revoke(2 + seconds, Superseded, far());
            publish(&publisher, now);
            assert_eq!(base(&world), next.number);
            assert!(!world.delta().1.iter().any(|entry| match entry {
                DeltaEntry::Listed(entry) => entry.serial == serial(1),
                DeltaEntry::Removed { .. } => true,
            }));
        }
        // Once the clock is where it was, the certificate has ended and the list lacks nobody.
        publish(&publisher, ahead.plus_seconds(120));
        assert!(base(&world) <= next.number && lacking.number < next.number);
    }
}

#[test]
fn an_adopted_ca_goes_on_where_the_old_one_ended() {
    let world = World::new();
    let floor = noon().millis() * 1000;
    world.register.next_crl_number.store(floor, std::sync::atomic::Ordering::SeqCst);
    let publisher = world.publisher();
    assert_eq!(publish(&publisher, noon()).number, floor);
    assert_eq!(publish(&publisher, noon()).number, floor + 1);
}

#[test]
fn an_expired_one_appears_once_more_on_a_scheduled_crl() {
    let world = World::new();
    let end = noon().plus_seconds(1000);
    world.revoke(1, Superseded, end);
    world.revoke(2, Superseded, far());
    let publisher = world.publisher();
    publish(&publisher, noon());
    // On demand, soon after the end and once more: relying parties that fetch once a week have
    // seen neither.
    for seconds in [1001, 3000, 6000] {
        publish(&publisher, noon().plus_seconds(seconds));
        assert_eq!(world.listed(), [serial(1), serial(2)]);
    }
    publish(&publisher, noon().plus_seconds(1000 + WEEK));
    assert_eq!(world.listed(), [serial(1), serial(2)]);
    publish(&publisher, noon().plus_seconds(1002 + WEEK));
    assert_eq!(world.listed(), [serial(2)]);
}

#[test]
fn after_a_long_sleep_an_expired_one_still_appears() {
    let world = World::new();
    world.revoke(1, Superseded, noon().plus_seconds(10));
    let publisher = world.publisher();
    publish(&publisher, noon());
    publish(&publisher, noon().plus_seconds(3 * WEEK));
    assert_eq!(world.listed(), [serial(1)]);
    publish(&publisher, noon().plus_seconds(5 * WEEK));
    assert!(world.listed().is_empty());
}
