//! Any interleaving of events, failures, lost answers, kills and faults of the record: each event
//! that an endpoint wants is taken at least once or given up on record, and none is invented.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::world::{Fault, Hands, LIFE, Manner, Memory, noon, wishes};
use crate::notification::courier::{Clock, Random};
use crate::notification::endpoint::Wishes;
use crate::notification::event::Kind;
use crate::notification::queue::{MOST, Queue};
use crate::notification::{Couriers, Event, Outbox, Standing};
use crate::pki::time::Timestamp;

/// Runs until there is nothing to do at this moment.
fn work(hands: &Hands, queue: &mut Queue, wishes: &Wishes) {
    let mut courier = hands.courier(wishes.clone());
    for _ in 0..2000 {
        match courier.step(queue) {
            Ok(true) => {}
            Ok(false) | Err(_) => return,
        }
    }
    panic!("there is always more to do");
}

#[test]
fn a_new_endpoint_is_told_from_now_on() {
    let hands = Hands::new();
    let before = hands.outbox.happens(Some("T"), hands.now());
    let mut queue = hands.courier(wishes()).begin().unwrap();
    let after = hands.outbox.happens(Some("T"), hands.now());
    work(&hands, &mut queue, &wishes());
    assert_eq!(hands.receiver.ids(), [after.id()]);
    assert_ne!(before.id(), after.id());
}

#[test]
fn a_refused_event_does_not_hold_later_ones_up() {
    let hands = Hands::new();
    let mut queue = hands.courier(wishes()).begin().unwrap();
    *hands.receiver.manner.lock().unwrap() = Manner::Refuses;
    let first = hands.outbox.happens(Some("T"), hands.now());
    work(&hands, &mut queue, &wishes());
    *hands.receiver.manner.lock().unwrap() = Manner::Takes;
    hands.wait(2);
    let second = hands.outbox.happens(Some("T"), hands.now());
    work(&hands, &mut queue, &wishes());
    assert_eq!(hands.receiver.ids(), [second.id()]);
    hands.wait(5);
    work(&hands, &mut queue, &wishes());
    assert_eq!(hands.receiver.ids(), [second.id(), first.id()]);
    let ledger = hands.outbox.0.lock().unwrap();
    assert!(ledger.standings["tickets"].waiting.is_empty());
}

#[test]
fn a_receiver_that_is_down_is_not_pelted_and_has_all_soon_after() {
    let hands = Hands::new();
    let mut queue = hands.courier(wishes()).begin().unwrap();
    *hands.receiver.manner.lock().unwrap() = Manner::Refuses;
    // More than fit into memory.
    let events: Vec<Event> =
        (0..2 * MOST).map(|_| hands.outbox.happens(Some("T"), hands.now())).collect();
    for _ in 0..LIFE / 2 {
        hands.wait(1);
        work(&hands, &mut queue, &wishes());
    }
    let attempts = hands.receiver.attempts.load(std::sync::atomic::Ordering::SeqCst);
    assert!((8..40).contains(&attempts), "{attempts} attempts in {} seconds", LIFE / 2);
    *hands.receiver.manner.lock().unwrap() = Manner::Takes;
    for _ in 0..60 {
        hands.wait(1);
        work(&hands, &mut queue, &wishes());
    }
    let taken: BTreeSet<String> = hands.receiver.ids().into_iter().collect();
    assert!(taken.len() + 40 > events.len(), "those never tried go at once: {}", taken.len());
    for _ in 0..LIFE / 2 - 70 {
        hands.wait(1);
        work(&hands, &mut queue, &wishes());
    }
    let taken: BTreeSet<String> = hands.receiver.ids().into_iter().collect();
    let wanted: BTreeSet<String> = events.iter().map(Event::id).collect();
    assert_eq!(taken, wanted);
}

#[test]
fn what_is_too_old_is_given_up_on_record() {
    let hands = Hands::new();
    let mut queue = hands.courier(wishes()).begin().unwrap();
    *hands.receiver.manner.lock().unwrap() = Manner::Refuses;
    let event = hands.outbox.happens(Some("T"), hands.now());
    work(&hands, &mut queue, &wishes());
    hands.wait(LIFE + 1);
    work(&hands, &mut queue, &wishes());
    let ledger = hands.outbox.0.lock().unwrap();
    let last = ledger.settled.last().unwrap();
    assert_eq!(last.given_up, [event.sequence]);
    assert!(last.standing.waiting.is_empty());
}

/// Started with a settings file that lacks its section, and then with one that has it again.
#[test]
fn what_waits_for_an_endpoint_survives_a_start_without_it() {
    let hands = Hands::new();
    let mut queue = hands.courier(wishes()).begin().unwrap();
    *hands.receiver.manner.lock().unwrap() = Manner::Refuses;
    let before = hands.outbox.happens(Some("T"), hands.now());
    work(&hands, &mut queue, &wishes());
    hands.courier(wishes()).settle(&mut queue).unwrap();

    let outbox: Arc<dyn Outbox> = Arc::new(hands.outbox.clone());
    let clock: Clock = Arc::new(noon);
    let without = Couriers::start(&outbox, Vec::new(), &clock, &(Arc::new(|| 3u64) as Random));
    without.unwrap().stop();
    let meanwhile = hands.outbox.happens(Some("T"), hands.now());
    assert_eq!(hands.outbox.0.lock().unwrap().standings["tickets"].waiting.len(), 1);

    *hands.receiver.manner.lock().unwrap() = Manner::Takes;
    let mut queue = hands.courier(wishes()).begin().unwrap();
    work(&hands, &mut queue, &wishes());
    assert_eq!(hands.receiver.ids(), [before.id(), meanwhile.id()]);
}

#[test]
fn a_clock_that_was_wrong_does_not_silence_anybody() {
    let mut queue = Queue::new("x", LIFE, Standing::default());
    let event = Memory::default().happens(Some("T"), noon());
    queue.add(event.clone());
    let wrong = noon().plus_seconds(400 * 86_400);
    queue.failed(event.sequence, wrong, 3, Some(3600));
    assert_eq!(queue.due(noon()).unwrap().sequence, event.sequence);
    queue.failed(event.sequence, noon(), 3, Some(3600));
    assert!(queue.due(noon().plus_seconds(3599)).is_none(), "it asked for an hour");
    assert!(queue.due(noon().plus_seconds(3600)).is_some());
}

#[derive(Clone, Debug)]
enum Move {
    Pend(bool),
    Publish,
    Work,
    Wait(u64),
    Receiver(Manner),
    Kill,
    Stop,
    Fault(Fault),
}

fn any_move() -> impl Strategy<Value = Move> {
    let manner =
        prop_oneof![Just(Manner::Takes), Just(Manner::Refuses), Just(Manner::TakesAndIsNotHeard)];
    let fault = prop_oneof![Just(Fault::BeforePersisting), Just(Fault::AfterPersisting)];
    prop_oneof![
        6 => any::<bool>().prop_map(Move::Pend),
        2 => Just(Move::Publish),
        5 => Just(Move::Work),
        3 => (0..LIFE / 3).prop_map(Move::Wait),
        3 => manner.prop_map(Move::Receiver),
        2 => Just(Move::Kill),
        1 => Just(Move::Stop),
        2 => fault.prop_map(Move::Fault),
    ]
}

fn begin(hands: &Hands, wishes: &Wishes) -> Queue {
    loop {
        if let Ok(queue) = hands.courier(wishes.clone()).begin() {
            return queue;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn each_event_is_taken_or_given_up_and_none_is_invented(
        moves in prop::collection::vec(any_move(), 1..80),
    ) {
        let hands = Hands::new();
        // Requests of one template and no CRLs.
        let wanting = Wishes {
            kinds: vec![Kind::RequestPending],
            templates: Some(vec!["T".to_owned()]),
            ..wishes()
        };
        let mut queue = begin(&hands, &wanting);
        let mut wanted: Vec<Event> = Vec::new();
        // Whatever may have an event taken twice.
        let mut excuses = 0;
        for next in moves {
            match next {
                Move::Pend(true) => wanted.push(hands.outbox.happens(Some("T"), hands.now())),
                Move::Pend(false) => drop(hands.outbox.happens(Some("Other"), hands.now())),
                Move::Publish => drop(hands.outbox.happens(None, hands.now())),
                Move::Work => work(&hands, &mut queue, &wanting),
                Move::Wait(seconds) => hands.wait(seconds),
                Move::Receiver(manner) => {
                    *hands.receiver.manner.lock().unwrap() = manner;
                    excuses += usize::from(manner == Manner::TakesAndIsNotHeard);
                }
                Move::Kill => {
                    queue = begin(&hands, &wanting);
                    excuses += 1;
                }
                Move::Stop => {
                    if queue.has_moved() && hands.courier(wanting.clone()).settle(&mut queue).is_err() {
                        excuses += 1;
                    }
                    queue = begin(&hands, &wanting);
                }
                Move::Fault(fault) => hands.outbox.0.lock().unwrap().fault = Some(fault),
            }
        }
        // Then all goes well for a while.
        hands.outbox.0.lock().unwrap().fault = None;
        *hands.receiver.manner.lock().unwrap() = Manner::Takes;
        for _ in 0..80 {
            hands.wait(15);
            work(&hands, &mut queue, &wanting);
        }
        let taken = hands.receiver.ids();
        let ledger = hands.outbox.0.lock().unwrap();
        let record = |of: fn(&crate::notification::Settlement) -> &Vec<u64>| -> BTreeSet<u64> {
            ledger.settled.iter().flat_map(of).copied().collect()
        };
        let (delivered, given_up) = (record(|own| &own.delivered), record(|own| &own.given_up));
        for event in &wanted {
            let (number, was_taken) = (event.sequence, taken.contains(&event.id()));
            prop_assert!(was_taken || given_up.contains(&number), "{number} is lost");
            prop_assert!(!delivered.contains(&number) || was_taken, "{number} was never taken");
            prop_assert!(delivered.contains(&number) || given_up.contains(&number));
            if given_up.contains(&number) && !was_taken {
                let age = hands.now().seconds_since(event.at);
                prop_assert!(age > LIFE, "{number} was given up after {age} seconds");
            }
        }
        let known: BTreeSet<String> = wanted.iter().map(Event::id).collect();
        prop_assert!(taken.iter().all(|id| known.contains(id)), "invented");
        let all: BTreeSet<u64> = wanted.iter().map(|event| event.sequence).collect();
        prop_assert!(delivered.is_subset(&all) && given_up.is_subset(&all));
        if excuses == 0 {
            prop_assert_eq!(taken.len(), known.intersection(&taken.iter().cloned().collect()).count());
        }
        let standing = &ledger.standings["tickets"];
        prop_assert!(standing.waiting.is_empty());
        let last = wanted.last().map_or(0, |event| event.sequence);
        prop_assert!(standing.through >= last);
    }

    #[test]
    fn pauses_grow_and_stay_within_bounds(failures in 1..40u32, random: u64) {
        let mut queue = Queue::new("x", u64::MAX, Standing::default());
        let event = Memory::default().happens(Some("T"), noon());
        queue.add(event.clone());
        let mut now: Timestamp = noon();
        for number in 0..failures {
            queue.failed(event.sequence, now, random, None);
            // At least half of 5, 10, 20, … 600 seconds, at most all of them and the endpoint's rest.
            let longest = (5u64 << number.min(16)).min(600);
            let half = Timestamp::from_millis(now.millis() + longest * 500);
            prop_assert!(queue.due(Timestamp::from_millis(half.millis() - 1)).is_none(), "too soon");
            prop_assert!(queue.due(now.plus_seconds(longest.max(60))).is_some());
            now = now.plus_seconds(longest.max(60));
        }
    }
}
