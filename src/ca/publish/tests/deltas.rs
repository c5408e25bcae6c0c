//! The promises of delta CRLs.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::super::DeltaUse;
use super::super::state::Kind;
use super::far;
use super::memory;
use super::world::{World, noon, publish, serial};
use crate::pki::revocation::RevocationReason::{self, *};
use crate::pki::revocation_list::{CrlKind, DeltaEntry};
use crate::pki::serial::SerialNumber;
use crate::storage::act::Act;

const DAY: u64 = 24 * 3600;

/// What the delta says, in short: the reason, or nothing where somebody is taken off.
fn told(world: &World) -> Vec<(SerialNumber, Option<RevocationReason>)> {
    let short = |entry: DeltaEntry| match entry {
        DeltaEntry::Listed(entry) => (entry.serial, Some(entry.revocation.reason)),
        DeltaEntry::Removed { serial, .. } => (serial, None),
    };
    world.delta().1.into_iter().map(short).collect()
}

fn base_of(world: &World) -> u64 {
    match world.delta().0.kind {
        CrlKind::Delta { base } => base,
        CrlKind::Complete => panic!("not a delta"),
    }
}

#[test]
fn the_first_delta_follows_the_first_base() {
    let world = World::new();
    let publisher = world.publisher_with_deltas();
    publisher.attempt(noon()).unwrap();
    let (base, _) = world.published();
    let (delta, entries) = world.delta();
    assert!(entries.is_empty());
    assert_eq!(base_of(&world), base.number.unwrap());
    assert!(delta.number > base.number, "one series");
    assert!(delta.this_update >= base.this_update);
    assert_eq!(base.freshest_urls, ["http://pki.contoso.com/crl/contoso-vpn-ca-delta.crl"]);
    assert_eq!(delta.freshest_urls, Vec::<String>::new());
    assert_eq!(delta.authority_key_identifier, base.authority_key_identifier);
    // Clocks that are slow, then AD CS's period and overlap, the latter with the skew.
    assert!(delta.this_update <= noon());
    assert!(delta.next_publish >= Some(noon().plus_seconds(DAY)));
    assert_eq!(delta.next_update.seconds_since(delta.next_publish.unwrap()), 12 * 3600 + 600);
    assert_eq!(publisher.trouble(noon()), None);
    let before = world.register.acts();
    let again = world.publisher_with_deltas();
    again.attempt(noon().plus_seconds(60)).unwrap();
    assert_eq!(world.register.acts(), before, "a second start makes none");
}

#[test]
fn a_revocation_is_told_by_the_delta_and_reaches_a_base_by_itself() {
    let world = World::new();
    let publisher = world.publisher_with_deltas();
    publisher.attempt(noon()).unwrap();
    let first = publisher.current().unwrap().number;
    let sequence = world.revoke(1, KeyCompromise, far());
    publisher.demand(sequence);
    publisher.attempt_kind(Kind::Delta, noon().plus_seconds(5)).unwrap();
    assert_eq!(told(&world), [(serial(1), Some(KeyCompromise))]);
    assert_eq!(base_of(&world), first);
    assert_eq!(publisher.current().unwrap().number, first, "no complete one yet");
    let answered = publisher.wait_for(sequence, Duration::ZERO);
    assert_eq!(answered, world.delta().0.number, "and the call is answered");

    publisher.attempt(noon().plus_seconds(6)).unwrap();
    assert_eq!(world.listed(), [serial(1)]);
    // Whoever holds the first base can still use the delta, and it is newer than the last base.
    assert_eq!(base_of(&world), first);
    assert!(world.delta().0.number > world.published().0.number);
    assert_eq!(told(&world), [(serial(1), Some(KeyCompromise))]);
}

#[test]
fn releases_are_told_whoever_was_told_of_the_hold() {
    let world = World::new();
    for number in 1..=3 {
        world.revoke(number, CertificateHold, far());
    }
    let publisher = world.publisher_with_deltas();
    publisher.attempt(noon()).unwrap();
    assert_eq!(told(&world), [], "the base has them");
    world.release(1);
    world.revoke(2, Superseded, far());
    // Held after the base and told by a delta; then released.
    world.revoke(4, CertificateHold, far());
    publish(&publisher, noon().plus_seconds(1));
    world.release(4);
    publish(&publisher, noon().plus_seconds(2));
    let expected = [(serial(1), None), (serial(2), Some(Superseded)), (serial(4), None)];
    assert_eq!(told(&world), expected);
    assert_eq!(world.listed(), [serial(3), serial(2)]);
    // Held again.
    world.revoke(4, CertificateHold, far());
    publish(&publisher, noon().plus_seconds(3));
    assert_eq!(told(&world)[2], (serial(4), Some(CertificateHold)));
}

/// The reference moves on once nobody can hold the old base any more, and not before.
#[test]
fn the_base_of_a_delta_is_the_oldest_that_can_be_held() {
    let world = World::new();
    let publisher = world.publisher_with_deltas();
    publisher.attempt(noon()).unwrap();
    let first = publisher.current().unwrap();
    world.revoke(1, Superseded, far());
    publish(&publisher, noon().plus_seconds(3600));
    let second = publisher.current().unwrap();
    // A restart learns it from the register.
    drop(publisher);
    let publisher = world.publisher_with_deltas();
    world.revoke(2, Superseded, far());
    for seconds in [2 * 3600, 6 * DAY, first.next_update.seconds_since(noon())] {
        publish(&publisher, noon().plus_seconds(seconds));
        assert_eq!(base_of(&world), first.number);
        assert_eq!(told(&world).len(), 2);
    }
    publish(&publisher, first.next_update.plus_seconds(1));
    assert_eq!(base_of(&world), second.number);
    assert_eq!(told(&world), [(serial(2), Some(Superseded))]);
}

#[test]
fn deltas_are_renewed_by_themselves() {
    let world = World::new();
    let publisher = world.publisher_with_deltas();
    publisher.attempt(noon()).unwrap();
    let (base, before) = (world.published().0, world.delta().0);
    publisher.attempt(noon().plus_seconds(DAY / 2)).unwrap();
    assert_eq!(world.delta().0, before);
    let due = noon().plus_seconds(DAY);
    publisher.attempt(due).unwrap();
    assert!(world.delta().0.number > before.number);
    assert_eq!(world.published().0, base);
    // One that is late is told long before a relying party notices.
    let late = due.plus_seconds(DAY + 600);
    let trouble = publisher.trouble(late).unwrap();
    assert!(trouble.contains("delta CRL"), "{trouble}");
    assert!(late < world.delta().0.next_update);
}

/// Turned on, the next base says so; turned off, deltas go on until nobody looks for them.
#[test]
fn turning_deltas_on_and_off_leaves_nobody_behind() {
    let world = World::new();
    world.publisher().attempt(noon()).unwrap();
    assert_eq!(world.published().0.freshest_urls, Vec::<String>::new());
    let on = world.publisher_with_deltas();
    on.attempt(noon().plus_seconds(10)).unwrap();
    let announcing = world.published().0;
    assert_eq!(announcing.freshest_urls.len(), 1, "at once");
    drop(on);

    let off = world.publisher_with(DeltaUse::RunningOut);
    off.attempt(noon().plus_seconds(20)).unwrap();
    assert_eq!(world.published().0.freshest_urls, Vec::<String>::new());
    let sequence = world.revoke(1, Superseded, far());
    off.demand(sequence);
    off.attempt(noon().plus_seconds(30)).unwrap();
    assert_eq!(told(&world), [(serial(1), Some(Superseded))], "for who holds the other one");
    off.attempt(announcing.next_update).unwrap();
    assert!(off.delta().is_some());
    let before = world.delta().0.number;
    let over = announcing.next_update.plus_seconds(1);
    world.revoke(2, Superseded, far());
    publish(&off, over);
    assert_eq!(world.delta().0.number, before, "nobody looks for it");
    let after = world.publisher_with(DeltaUse::RunningOut);
    after.attempt(over).unwrap();
    assert!(after.delta().is_none(), "nor is the last one served for ever");
    assert_eq!(after.trouble(over), None);
}

/// A delta that failed is no trouble once nobody looks for one.
#[test]
fn a_failed_delta_is_forgotten_with_deltas() {
    let world = World::new();
    world.publisher_with_deltas().attempt(noon()).unwrap();
    let announcing = world.published().0;
    let off = world.publisher_with(DeltaUse::RunningOut);
    let late = announcing.next_update.minus_seconds(60);
    off.attempt(late).unwrap();
    world.revoke(1, Superseded, far());
    world.steps.reset();
    world.steps.fail_before.store(1, Ordering::SeqCst);
    off.demand_anew();
    off.attempt_kind(Kind::Delta, late.plus_seconds(1)).unwrap_err();
    let trouble = off.trouble(late.plus_seconds(1)).unwrap();
    assert!(trouble.contains("delta CRL"), "{trouble}");
    let over = announcing.next_update.plus_seconds(1);
    assert_eq!(off.trouble(over), None);
    off.attempt_kind(Kind::Base, over).unwrap();
    let restarted = world.publisher_with(DeltaUse::RunningOut);
    restarted.attempt(over).unwrap();
    assert_eq!((restarted.delta().is_none(), restarted.trouble(over)), (true, None));
}

/// Bases that an earlier version made do not say what they reflect: deltas begin with a new one.
#[test]
fn bases_of_earlier_versions_are_no_reference() {
    let world = World::new();
    world.publisher().attempt(noon()).unwrap();
    let count = world.register.acts().len();
    let acts = world.register.acts();
    world.register.forget_after(0);
    for act in acts.into_iter().take(count) {
        world.put(match act {
            Act::CrlIntended(mut crl) => {
                (crl.sequence, crl.oldest_held, crl.freshest) = (None, None, None);
                Act::CrlIntended(crl)
            }
            other => other,
        });
    }
    let old = world.published().0.number.unwrap();
    let publisher = world.publisher_with_deltas();
    let sequence = world.revoke(1, Superseded, far());
    publisher.demand(sequence);
    publisher.attempt(noon().plus_seconds(60)).unwrap();
    assert!(base_of(&world) > old);
    assert_eq!(world.listed(), [serial(1)]);
}

/// A register that is an older copy publishes no delta either.
#[test]
fn a_restored_copy_publishes_no_delta_below_the_one_that_stands_there() {
    let world = World::new();
    let publisher = world.publisher_with_deltas();
    publisher.attempt(noon()).unwrap();
    let copy = world.register.acts().len();
    let sequence = world.revoke(1, KeyCompromise, far());
    publisher.demand(sequence);
    publisher.attempt_kind(Kind::Delta, noon().plus_seconds(60)).unwrap();
    let newest = world.delta().0;
    world.register.forget_after(copy);

    let restored = world.publisher_with_deltas();
    restored.attempt(noon().plus_seconds(120)).unwrap_err();
    let trouble = restored.trouble(noon().plus_seconds(120)).unwrap();
    assert!(trouble.contains("chancery restore"), "{trouble}");
    assert_eq!(world.delta().0, newest, "still served");

    // Restored with what the delta tells; no delta is made against a base from before.
    let floor = newest.number.unwrap() + 1;
    world.register.next_crl_number.store(floor, Ordering::SeqCst);
    world.revoke(1, KeyCompromise, far());
    let learnt = world.publisher_with_deltas();
    learnt.attempt(noon().plus_seconds(180)).unwrap();
    assert!(base_of(&world) >= floor);
    assert_eq!(world.listed(), [serial(1)]);
}

/// A damaged derived file loses a revocation that only the delta told: neither takes its place.
#[test]
fn what_a_delta_told_is_not_dropped_by_the_next_delta_nor_by_the_base() {
    let world = World::new();
    let publisher = world.publisher_with_deltas();
    publisher.attempt(noon()).unwrap();
    world.revoke(1, Superseded, far());
    let kept = usize::try_from(world.revoke(2, Superseded, far())).unwrap();
    publisher.demand(kept as u64);
    publisher.attempt_kind(Kind::Delta, noon().plus_seconds(5)).unwrap();
    let (base, delta) = (world.published().0, world.delta().0);
    let acts = world.register.acts();
    world.register.forget_after(kept - 1);
    for act in acts.into_iter().skip(kept) {
        world.put(act);
    }
    publisher.demand_anew();
    for kind in [Kind::Delta, Kind::Base] {
        publisher.attempt_kind(kind, noon().plus_seconds(60)).unwrap_err();
    }
    assert_eq!((world.published().0, world.delta().0), (base, delta));
    let trouble = publisher.trouble(noon().plus_seconds(60)).unwrap();
    assert!(trouble.contains(&serial(2).to_string()), "{trouble}");
}

/// Every durable step of delta, base and the delta after it fails, before it took effect and
/// after; the process dies and starts anew.
#[test]
fn a_crash_at_any_step_is_resolved_at_the_next_start() {
    let begin = |world: &World| {
        world.revoke(1, Superseded, far());
        world.revoke(3, CertificateHold, far());
        let publisher = world.publisher_with_deltas();
        publisher.attempt(noon()).unwrap();
        world.steps.reset();
        world.release(3);
        let sequence = world.revoke(2, Superseded, far());
        publisher.demand(sequence);
        (publisher, sequence)
    };
    let count = {
        let world = World::new();
        let (publisher, _) = begin(&world);
        publisher.attempt(noon().plus_seconds(60)).unwrap();
        world.steps.taken.load(Ordering::SeqCst)
    };
    assert!(count >= 27, "three lists: {count}");
    for step in 1..=count {
        for after in [false, true] {
            let world = World::new();
            let (publisher, sequence) = begin(&world);
            let fail = if after { &world.steps.fail_after } else { &world.steps.fail_before };
            fail.store(step, Ordering::SeqCst);
            let _ = publisher.attempt(noon().plus_seconds(60));
            drop(publisher);
            world.steps.reset();
            // What stands there is whole at every moment.
            let (base, delta) = (world.published().0, world.delta().0);

            let restarted = world.publisher_with_deltas();
            restarted.demand(sequence);
            restarted.attempt(noon().plus_seconds(61)).unwrap();
            assert_eq!(restarted.trouble(noon().plus_seconds(61)), None);
            assert!(restarted.wait_for(sequence, Duration::ZERO).is_some());
            assert_eq!(world.listed(), [serial(1), serial(2)], "step {step}");
            let expected = [(serial(3), None), (serial(2), Some(Superseded))];
            assert_eq!(told(&world), expected, "step {step}");
            assert!(world.published().0.number >= base.number, "step {step}");
            assert!(world.delta().0.number >= delta.number, "step {step}");
            assert!(world.delta().0.number > world.published().0.number, "step {step}");

            let acts = memory::crl_acts(&world.register.acts());
            let intended = acts.iter().filter(|(_, published)| !published);
            let mut numbers: Vec<u64> = intended.map(|(number, _)| *number).collect();
            let times = numbers.len();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), times, "step {step}: a number twice: {acts:?}");
            for summary in [world.published().0, world.delta().0] {
                let recorded = acts.iter().any(|act| Some(act.0) == summary.number && act.1);
                assert!(recorded, "step {step}: on record as published");
            }
        }
    }
}
