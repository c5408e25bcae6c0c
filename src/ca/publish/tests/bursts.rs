//! Many revocations at once, and one after another.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::memory::crl_acts;
use super::world::{World, noon};
use super::{Stopped, Superseded, WEEK, far};
use crate::pki::time::Timestamp;
use crate::storage::act::Act;

/// Fifty revocations that wait share one delta and one base; one that comes later gets its own.
#[test]
fn bursts_share_a_delta_and_a_base() {
    let world = World::new();
    let publisher = world.publisher_with_deltas();
    publisher.attempt(noon()).unwrap();
    let before = crl_acts(&world.register.acts()).len();
    let clock = AtomicU64::new(noon().plus_seconds(60).millis());
    let now = || Timestamp::from_millis(clock.fetch_add(1, Ordering::SeqCst));
    let demands = (1..=50).map(|number| {
        let sequence = world.revoke(number, Superseded, far());
        publisher.demand(sequence);
        sequence
    });
    let sequence = demands.max().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| publisher.run(&now));
        let _stopped_whatever_happens = Stopped(&publisher);
        let number = publisher.wait_for(sequence, Duration::from_secs(20)).unwrap();
        let by = world.register.acts().into_iter().find_map(|act| match act {
            Act::CrlIntended(crl) if crl.number == number => Some(crl.entries),
            _ => None,
        });
        assert_eq!(by, Some(50), "all of them at once");
        let followed = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            // What stands there may not be on record as published yet.
            let recorded = crl_acts(&world.register.acts()).last().is_some_and(|act| act.1);
            let newest = world.delta().0.number > world.published().0.number;
            recorded && world.listed().len() == 50 && newest
        });
        assert!(followed, "the base follows by itself, and a delta it");
        let made = crl_acts(&world.register.acts()).len() - before;
        assert_eq!(made, 6, "a delta, a base, a delta: intended and published");
        assert!(world.published().0.next_publish >= Some(noon().plus_seconds(WEEK)));
    });
}

/// The bound of the documents: while revocations keep coming, each is told by the delta begun
/// next, and complete CRLs are made as well, though not with each delta.
#[test]
fn a_steady_stream_starves_neither() {
    let world = World::new();
    let publisher = world.publisher_with_deltas();
    publisher.attempt(noon()).unwrap();
    let begun = std::time::Instant::now();
    let began = noon().plus_seconds(60).millis();
    let now = || Timestamp::from_millis(began + begun.elapsed().as_millis() as u64);
    std::thread::scope(|scope| {
        scope.spawn(|| publisher.run(&now));
        let _stopped_whatever_happens = Stopped(&publisher);
        let first = publisher.current().unwrap().number;
        for number in 1..=300 {
            let before = publisher.delta().unwrap().number;
            let sequence = world.revoke(number, Superseded, far());
            publisher.demand(sequence);
            publisher.wait_for(sequence, Duration::from_secs(5)).unwrap();
            // Not the one that was under way when it came, but the one after that at the latest.
            let acts = crl_acts(&world.register.acts());
            let since = acts.iter().filter(|act| act.0 > before && act.1).count();
            assert!(since <= 4, "{since} lists for one revocation");
            std::thread::sleep(Duration::from_millis(8));
        }
        let bases = {
            let acts = world.register.acts();
            let intended = acts.iter().filter_map(|act| match act {
                Act::CrlIntended(crl) if crl.base.is_none() && crl.number > first => Some(()),
                _ => None,
            });
            intended.count()
        };
        let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap();
        assert!((1..=seconds + 2).contains(&bases), "{bases} bases in {seconds} s");
    });
}
