//! The whole life of a CA against a model that knows what each relying party must be told.
//!
//! Random steps (issue, revoke, hold, release, expire; publish complete lists, deltas and the lists
//! of parts, on demand and when due; OCSP answers; clock jumps; a full disk; crashes at any durable
//! step; restarts, with more parts or other settings; backups put back; renewal of the CA with its
//! key or with a new one, cut short or not, and the end of a key) are done by a real service on real
//! files, and by a model of a few maps. After each list that appears everybody is asked what he
//! knows: who fetches the new list, of whichever key or part, who holds any older one with the
//! delta, who asks by OCSP.
//!
//! Everything follows from a seed. A failure says the seed and the step, which is the end of the
//! shortest beginning of that life that fails, and then the fewest steps of it that fail as well.
//!
//! `LIFE_STEPS=1000000 cargo test --release --lib life` lives for a million steps; `LIFE_SEED`
//! chooses other lives, `LIFE_THREADS` says how many are lived at once. A step takes some 1.7 ms of
//! one processor in release. Begin with [`lived::Life::step`]; what must hold is in `parties`,
//! `turns` and `calls`. Absent: faults of the file of OCSP answers (`answering/syncing` has them).
//!
//! That it can fail was tried by breaking one thing at a time. Caught within 4,000 steps: entries
//! dropped too early; deltas made against the newest base; CRL numbers by the clock alone;
//! thisUpdate that does not rise; removals missing from deltas; a published list of before a crash
//! that is not recorded; deltas that are not renewed; OCSP answers that miss a release; a restore
//! that leaves holds as they are, that learns no thisUpdate, that is done without and publishes.
//! Within 8,000: a part's list that lacks a serial number, or does not say that it is a part;
//! complete lists that do not follow, or tell of their own key alone; a new key's list that begins
//! with nobody; lists and deltas of an old key that are no longer made, and no last one; numbers of
//! each scope by itself; OCSP answers about an old key's certificates that do not follow.
//! Not caught: a base of a clock that was ahead that is not made anew (`publish/tests/times`); a key
//! that such a clock ends (`publish/tests/ending`); what only a complete list told to a restore and
//! then stands in no part.

mod calls;
mod counts;
mod faults;
mod keys;
mod lived;
mod machine;
mod misfortune;
mod model;
mod parties;
mod party;
mod publications;
mod renewing;
mod script;
mod series;
mod service;
mod turns;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use counts::Counts;
use lived::Life;
use script::{Step, script};

/// Templates whose certificates end soon, and later.
const DAYS: &str = "LifeDays";
const WEEKS: &str = "LifeWeeks";
const TEMPLATES: [&str; 2] = [DAYS, WEEKS];

/// After so many steps another CA begins.
const LIFE: usize = 1000;
const STEPS: usize = 4_000;
const SEED: u64 = 20_261_127;
/// How often a failing life is lived again to make it shorter.
const ATTEMPTS: u64 = 300;

/// A step that failed, and why.
struct Failure {
    at: usize,
    why: String,
}

/// Lives through these steps.
fn live(seed: u64, steps: &[Step]) -> Result<Counts, Failure> {
    let mut at = 0;
    let lived = catch_unwind(AssertUnwindSafe(|| {
        let mut life = Life::new(seed);
        for step in steps {
            life.step(*step);
            at += 1;
        }
        life.counts()
    }));
    lived.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Failure { at, why: text.unwrap_or_default() }
    })
}

/// Leaves out what the failure does not need, larger parts first.
fn shortened(seed: u64, mut steps: Vec<Step>) -> Vec<Step> {
    let mut attempts = number("LIFE_ATTEMPTS").unwrap_or(ATTEMPTS);
    let mut part = steps.len() / 2;
    while part > 0 && attempts > 0 {
        let mut from = 0;
        while from < steps.len() && attempts > 0 {
            attempts -= 1;
            let mut fewer = steps.clone();
            fewer.drain(from..steps.len().min(from + part));
            match live(seed, &fewer) {
                Err(failure) => {
                    fewer.truncate(failure.at + 1);
                    steps = fewer;
                }
                Ok(_) => from += part,
            }
        }
        part /= 2;
    }
    steps
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is to be a number: {text}")))
}

/// One life after another, on one thread or several: what happened in all of them, or the first
/// that failed, with its steps up to there.
fn live_all(seed: u64, steps: usize) -> Result<Counts, (u64, Vec<Step>, String)> {
    let threads = number("LIFE_THREADS").unwrap_or(1);
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Ok(Counts::default())));
    let lives = || {
        loop {
            let life = next.fetch_add(1, Ordering::SeqCst);
            let left = steps.saturating_sub(life * LIFE);
            if left == 0 || done.lock().unwrap().is_err() {
                return;
            }
            let seed = seed + life as u64;
            let mut steps = script(seed, LIFE.min(left));
            let lived = live(seed, &steps);
            let mut done = done.lock().unwrap();
            match (&mut *done, lived) {
                (Ok(total), Ok(counts)) => total.add(&counts),
                (Ok(_), Err(Failure { at, why })) => {
                    steps.truncate(at + 1);
                    *done = Err((seed, steps, why));
                }
                (Err(_), _) => {}
            }
        }
    };
    std::thread::scope(|scope| {
        (0..threads).for_each(|_| drop(scope.spawn(lives)));
    });
    done.into_inner().unwrap()
}

#[test]
fn every_relying_party_is_told_the_truth() {
    let steps = number("LIFE_STEPS").map_or(STEPS, |steps| usize::try_from(steps).unwrap());
    let seed = number("LIFE_SEED").unwrap_or(SEED);
    match live_all(seed, steps) {
        Ok(total) => {
            eprintln!("{steps} steps: {total:?}");
            // A life in which nothing happens proves nothing.
            assert!(total.is_eventful(steps as u64), "{total:?}");
        }
        Err((seed, steps, why)) => {
            let (at, last) = (steps.len(), steps.last().copied());
            eprintln!("LIFE_SEED={seed} LIFE_STEPS={at} fails at {last:?}: {why}");
            let few = shortened(seed, steps);
            panic!("seed {seed}, step {at}: {why}\nthe same with {} steps: {few:#?}", few.len());
        }
    }
}
