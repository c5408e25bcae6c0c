//! The promises of publication.

mod bursts;
mod copies;
mod deltas;
mod ending;
mod faulty;
mod memory;
mod openssl;
mod pace;
mod partitions;
mod real;
mod scopes;
mod times;
mod views;
mod world;

use std::time::Duration;

use super::PublishError;
use crate::pki::revocation::RevocationReason::{self, *};
use crate::pki::time::Timestamp;
use crate::signing::KeyKind;
use crate::storage::act::Act;
use world::{World, noon, publish, serial};

const WEEK: u64 = 7 * 24 * 3600;

fn far() -> Timestamp {
    noon().plus_seconds(100 * WEEK)
}

#[test]
fn the_first_crl_is_made_at_start_and_a_second_start_makes_none() {
    let world = World::new();
    let publisher = world.publisher();
    assert!(publisher.trouble(noon()).is_some());
    publisher.attempt(noon()).unwrap();
    assert_eq!(publisher.trouble(noon()), None);
    let (summary, entries) = world.published();
    assert_eq!(summary.number, Some(noon().millis()));
    assert!(entries.is_empty());
    assert_eq!(summary.authority_key_identifier.as_deref(), Some(world.issuer.key_identifier()));
    assert_eq!(summary.this_update, noon().minus_seconds(600));
    assert_eq!(summary.next_publish, Some(noon().plus_seconds(WEEK)));
    assert_eq!(summary.next_update, noon().plus_seconds(WEEK + 12 * 3600 + 600));

    let before = world.register.acts();
    let again = world.publisher();
    again.attempt(noon().plus_seconds(3600)).unwrap();
    assert_eq!(world.register.acts(), before);
    assert_eq!(again.wait_for(0, Duration::ZERO), summary.number);
}

#[test]
fn intention_is_on_record_before_and_publication_after() {
    let world = World::new();
    let made = publish(&world.publisher(), noon());
    let acts = memory::crl_acts(&world.register.acts());
    assert_eq!(acts, [(made.number, false), (made.number, true)]);
}

/// ECDSA signatures have several lengths; the hash on record is the file's with each.
#[test]
fn the_recorded_hash_and_size_are_those_of_the_file() {
    use aws_lc_rs::digest::{SHA256, digest};
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::Rsa2048] {
        let world = World::with(kind);
        let publisher = world.publisher();
        for number in 0..12 {
            world.revoke(number, Superseded, far());
            let current = publish(&publisher, noon());
            let file = std::fs::read(world.crl_path()).unwrap();
            let acts = world.register.acts();
            let Some(Act::CrlPublished(record)) = acts.last() else { panic!("no publication") };
            assert_eq!(digest(&SHA256, &file).as_ref(), record.sha256);
            assert_eq!((file.len() as u64, current.sha256), (record.size, record.sha256));
            assert_eq!(current.length, record.size);
        }
    }
}

#[test]
fn reasons_stand_except_unspecified() {
    let world = World::new();
    for (number, reason) in (1..).zip(RevocationReason::ALL) {
        world.revoke(number, reason, far());
    }
    publish(&world.publisher(), noon());
    let (summary, entries) = world.published();
    assert_eq!(summary.entries, 9);
    for (entry, reason) in entries.iter().zip(RevocationReason::ALL) {
        assert_eq!(entry.revocation.reason, reason);
        assert_eq!(entry.revocation.revoked_at, noon());
    }
}

#[test]
fn a_released_hold_vanishes_and_a_hold_made_final_stays() {
    let world = World::new();
    for number in 1..=4 {
        world.revoke(number, CertificateHold, far());
    }
    let publisher = world.publisher();
    publish(&publisher, noon());
    world.release(2);
    world.revoke(1, KeyCompromise, far());
    publish(&publisher, noon());
    let (_, entries) = world.published();
    let serials: Vec<_> = entries.iter().map(|entry| entry.serial).collect();
    assert_eq!(serials, [serial(3), serial(4), serial(1)]);
    assert_eq!(entries[2].revocation.reason, KeyCompromise);
}

#[test]
fn a_register_that_lost_a_revocation_is_refused() {
    let world = World::new();
    world.revoke(1, Superseded, far());
    let kept = world.revoke(2, CessationOfOperation, far());
    let publisher = world.publisher();
    let made = publish(&publisher, noon());
    // The register forgets the second, as a damaged derived file might.
    let acts = world.register.acts();
    world.register.forget_after(usize::try_from(kept).unwrap() - 1);
    for act in acts.into_iter().skip(usize::try_from(kept).unwrap()) {
        world.put(act);
    }
    publisher.demand_anew();
    publisher.attempt(noon().plus_seconds(60)).unwrap_err();
    let trouble = publisher.trouble(noon()).unwrap();
    assert!(trouble.contains(&serial(2).to_string()), "{trouble}");
    assert_eq!(publisher.current().unwrap().number, made.number);
    assert_eq!(world.listed(), [serial(1), serial(2)]);
}

#[test]
fn a_restored_copy_publishes_nothing_below_its_own_publication_point() {
    let world = World::new();
    let publisher = world.publisher();
    publish(&publisher, noon());
    let copy = world.register.acts().len();
    world.revoke(1, KeyCompromise, far());
    let newest = publish(&publisher, noon().plus_seconds(60));
    world.register.forget_after(copy);

    let restored = world.publisher();
    restored.attempt(noon().plus_seconds(120)).unwrap_err();
    let trouble = restored.trouble(noon().plus_seconds(120)).unwrap();
    assert!(trouble.contains("chancery restore"), "{trouble}");
    assert_eq!(restored.current().unwrap().number, newest.number, "still served");
    assert_eq!(world.listed(), [serial(1)]);
    let refused = PublishError::Restored {
        published: newest.number,
        this_update: newest.this_update,
        recorded: noon().millis(),
    };
    assert!(trouble.contains(&refused.to_string()));

    // `chancery restore` puts on record what that CRL lists and raises the number to begin with.
    world.revoke(1, KeyCompromise, far());
    world.register.next_crl_number.store(newest.number + 1, std::sync::atomic::Ordering::SeqCst);
    let learnt = world.publisher();
    learnt.attempt(noon()).unwrap();
    let (summary, entries) = world.published();
    assert!(summary.number > Some(newest.number));
    assert!(summary.this_update >= newest.this_update);
    assert_eq!(entries.len(), 1);
}

#[test]
fn a_restore_that_learnt_too_little_drops_nobody() {
    let world = World::new();
    let publisher = world.publisher();
    publish(&publisher, noon());
    let copy = world.register.acts().len();
    world.revoke(1, KeyCompromise, far());
    let newest = publish(&publisher, noon().plus_seconds(60));
    world.register.forget_after(copy);
    world.register.next_crl_number.store(newest.number + 1, std::sync::atomic::Ordering::SeqCst);
    world.publisher().attempt(noon().plus_seconds(120)).unwrap_err();
    assert_eq!(world.listed(), [serial(1)]);
}

#[test]
fn a_crl_by_another_key_is_not_served_but_replaced() {
    let world = World::new();
    let stranger = World::new();
    publish(&stranger.publisher(), noon());
    std::fs::copy(stranger.crl_path(), world.crl_path()).unwrap();
    let publisher = world.publisher();
    assert!(publisher.current().is_none());
    publish(&publisher, noon());
    world.published();
}

/// Every durable step of making a CRL fails, before it took effect and after; the process dies
/// and starts anew. No number is used twice, nobody is dropped, the end is a CRL with everybody.
#[test]
fn a_crash_at_any_step_is_resolved_at_the_next_start() {
    let count = {
        let world = World::new();
        world.revoke(1, Superseded, far());
        let publisher = world.publisher();
        publish(&publisher, noon());
        world.steps.reset();
        world.revoke(2, Superseded, far());
        publish(&publisher, noon().plus_seconds(60));
        world.steps.taken.load(std::sync::atomic::Ordering::SeqCst)
    };
    assert!(count >= 9, "{count}");
    for step in 1..=count {
        for after in [false, true] {
            let world = World::new();
            world.revoke(1, Superseded, far());
            let publisher = world.publisher();
            let first = publish(&publisher, noon());
            world.steps.reset();
            let told = if after { &world.steps.fail_after } else { &world.steps.fail_before };
            told.store(step, std::sync::atomic::Ordering::SeqCst);
            let sequence = world.revoke(2, Superseded, far());
            publisher.demand(sequence);
            let outcome = publisher.attempt(noon().plus_seconds(60));
            let served = publisher.current().unwrap();
            drop(publisher);
            world.steps.reset();

            // What is at the publication point is whole at every moment.
            let (summary, _) = world.published();
            assert!(summary.number >= Some(first.number), "step {step}");
            if outcome.is_ok() {
                assert_eq!(summary.number, Some(served.number), "step {step}");
            }
            let restarted = world.publisher();
            restarted.demand(sequence);
            restarted.attempt(noon().plus_seconds(61)).unwrap();
            assert_eq!(world.listed(), [serial(1), serial(2)], "step {step}");
            assert_eq!(restarted.trouble(noon().plus_seconds(61)), None);
            assert!(restarted.wait_for(sequence, Duration::ZERO).is_some());

            let acts = memory::crl_acts(&world.register.acts());
            let mut intended: Vec<u64> = acts
                .iter()
                .filter(|(_, published)| !published)
                .map(|(number, _)| *number)
                .collect();
            let times = intended.len();
            assert!(intended.is_sorted(), "step {step}: {acts:?}");
            intended.dedup();
            assert_eq!(intended.len(), times, "step {step}: a number twice: {acts:?}");
            let (summary, _) = world.published();
            let last = acts.iter().rfind(|(_, published)| *published).unwrap();
            assert_eq!(summary.number, Some(last.0), "step {step}: on record as published");
        }
    }
}

#[test]
fn failing_goes_on_with_the_old_one_and_recovers_by_itself() {
    let world = World::new();
    let publisher = world.publisher();
    let first = publish(&publisher, noon());
    world.steps.reset();
    world.steps.fail_before.store(2, std::sync::atomic::Ordering::SeqCst);
    let sequence = world.revoke(1, Superseded, far());
    publisher.demand(sequence);
    publisher.attempt(noon().plus_seconds(1)).unwrap_err();
    assert!(publisher.trouble(noon().plus_seconds(1)).is_some());
    assert_eq!(publisher.current().unwrap().number, first.number);
    assert_eq!(publisher.wait_for(sequence, Duration::ZERO), None);
    publisher.attempt(noon().plus_seconds(2)).unwrap();
    assert_eq!(publisher.trouble(noon().plus_seconds(2)), None);
    assert!(publisher.wait_for(sequence, Duration::ZERO).is_some());
}

#[test]
fn the_thread_renews_by_the_wall_clock_and_joins_demands() {
    use std::sync::atomic::{AtomicU64, Ordering};
    let world = World::new();
    let publisher = world.publisher();
    let clock = AtomicU64::new(noon().millis());
    let now = || Timestamp::from_millis(clock.load(Ordering::SeqCst));
    let patience = Duration::from_secs(20);
    // All of them wait before the thread looks for the first time: they are met together.
    let demands = (1..=50).map(|number| {
        let sequence = world.revoke(number, Superseded, far());
        publisher.demand(sequence);
        sequence
    });
    let sequence = demands.max().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| publisher.run(&now));
        let _stopped_whatever_happens = Stopped(&publisher);
        let first = publisher.wait_for(sequence, patience).unwrap();
        assert_eq!(world.listed().len(), 50);
        let acts = memory::crl_acts(&world.register.acts());
        assert!(acts.len() <= 4, "one CRL for each demand: {acts:?}");
        // One that comes later gets one of its own.
        let sequence = world.revoke(51, Superseded, far());
        publisher.demand(sequence);
        assert!(publisher.wait_for(sequence, patience).unwrap() > first);
        assert_eq!(world.listed().len(), 51);

        // The machine slept for eight days: nothing was revoked, and yet there is a new one.
        let before = publisher.current().unwrap();
        let awake = noon().plus_seconds(8 * 86_400);
        // Asked before the clock tells the thread: it may be quicker than this one.
        assert!(publisher.trouble(awake).is_some(), "red until then");
        clock.store(awake.millis(), Ordering::SeqCst);
        let renewed = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(100));
            publisher.current().unwrap().number > before.number
        });
        assert!(renewed);
        assert_eq!(publisher.trouble(now()), None);
    });
}

/// Ends the thread also when an assertion fails: the test must not wait for it for ever.
struct Stopped<'a>(&'a super::Publisher);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}
