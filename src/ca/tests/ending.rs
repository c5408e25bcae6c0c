//! Any life of certificates: each end is told once for each distance.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::announcing::{DAY, enrol, of, run, told};
use super::world::{World, administrator, noon, vpn_user};
use crate::ca::{CertificateRow, Requester};
use crate::pki::revocation::RevocationReason;

const YEAR: u64 = 365 * DAY;

#[derive(Clone, Debug)]
enum Move {
    Enrol(u8),
    Revoke(usize),
    Wait(u64),
    Look,
    /// With a clock that went back.
    LookBack(u64),
    Restart,
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        4 => (0..4u8).prop_map(Move::Enrol),
        1 => any::<usize>().prop_map(Move::Revoke),
        4 => (1..60 * DAY).prop_map(Move::Wait),
        4 => Just(Move::Look),
        1 => (0..YEAR).prop_map(Move::LookBack),
        1 => Just(Move::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Whatever the order of issuing, revoking, standing still, restarting and clocks that jump:
    /// each certificate is told at most once for each distance, ever nearer, only while nothing
    /// has taken its place, and after a look nothing is left untold.
    #[test]
    fn each_end_is_told_once_for_each_distance(moves in prop::collection::vec(any_move(), 1..30)) {
        let world = World::new();
        let mut running = run(&world);
        let users: Vec<Requester> =
            (0..4).map(|number| vpn_user(&running.authority, &format!("user{number}"))).collect();
        let root = administrator();
        let mut now = noon();
        let mut held: Vec<(u8, CertificateRow)> = Vec::new();
        let mut revoked: Vec<Vec<u8>> = Vec::new();
        let mut model: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        for next in moves {
            let mut look = None;
            match next {
                Move::Enrol(user) => {
                    held.push((user, enrol(&running, &users[usize::from(user)], now)));
                }
                Move::Revoke(at) => {
                    if let Some((_, row)) = held.get(at % held.len().max(1))
                        && !revoked.contains(&of(row))
                    {
                        let reason = RevocationReason::Superseded;
                        running.authority.revoke(&root, &row.serial, reason, None, now).unwrap();
                        revoked.push(of(row));
                    }
                }
                Move::Wait(seconds) => now = now.plus_seconds(seconds),
                Move::Look => look = Some(now),
                Move::LookBack(back) => look = Some(now.minus_seconds(back)),
                Move::Restart => {
                    drop(running);
                    world.crash();
                    running = run(&world);
                }
            }
            let Some(at) = look else { continue };
            let before = told(&*running.register).len();
            let count = running.watch.look_at_certificates(at).unwrap();
            let mut expected = Vec::new();
            for (user, row) in &held {
                let lasts = |(other, later): &(u8, CertificateRow)| {
                    other == user && later.not_after > row.not_after && !revoked.contains(&of(later))
                };
                if revoked.contains(&of(row)) || row.not_after < at || held.iter().any(lasts) {
                    continue;
                }
                let left = row.not_after.seconds_since(at);
                let Some(reached) = [7 * DAY, 30 * DAY].into_iter().find(|own| left <= *own) else {
                    continue;
                };
                let last = model.get(&of(row)).copied();
                if last.is_none_or(|last| reached < last) {
                    expected.push((of(row), reached, last));
                    model.insert(of(row), reached);
                }
            }
            let mut new = told(&*running.register).split_off(before);
            new.sort();
            expected.sort();
            prop_assert_eq!(count, new.len());
            prop_assert_eq!(new, expected);
            prop_assert_eq!(running.watch.look_at_certificates(at).unwrap(), 0);
        }
    }
}
