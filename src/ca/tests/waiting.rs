//! Requests that wait and get no answer: taken back by whose they are, or expired, once.

use proptest::prelude::*;

use super::world::{World, acts, administrator, ask, csr, noon, somebody, vpn_user};
use crate::ca::permissions::Role;
use crate::ca::{Authority, Refusal, Requester};
use crate::pki::disposition::Disposition;
use crate::pki::time::Timestamp;
use crate::storage::act::Act;
use crate::storage::{LedgerRegister, Register};

const USER: &str = "VPNUserAuthentication";
const LIFE: u64 = 1000;

fn with_approval(authority: &Authority) {
    let root = administrator();
    let mut file = authority.template(&root, USER).unwrap().template.to_file();
    file.enrollment_flags.push("PEND_ALL_REQUESTS".to_owned());
    authority.replace_template(&root, USER, file, None, noon()).unwrap();
}

fn open(world: &World) -> (std::sync::Arc<LedgerRegister>, Authority) {
    let register = world.open();
    let authority = world.authority(register.clone()).with_pending_life(Some(LIFE));
    (register, authority)
}

fn pending(authority: &Authority, requester: &Requester, now: Timestamp) -> u64 {
    authority.enroll(requester, ask(USER, &csr(&[])), now).unwrap().request_id
}

fn rule(refused: Result<impl std::fmt::Debug, Refusal>) -> &'static str {
    match refused.unwrap_err() {
        Refusal::Conflict(rule, _) => rule,
        other => panic!("{other}"),
    }
}

#[test]
fn who_submitted_a_request_and_who_it_is_for_take_it_back_and_nobody_else() {
    let world = World::new();
    let (_, authority) = open(&world);
    let (alice, bob) = (vpn_user(&authority, "alice"), vpn_user(&authority, "bob"));
    with_approval(&authority);
    let manager = somebody("manager", &[Role::CertificateManager]);
    let root = administrator();
    let csr = csr(&[]);
    let for_alice = crate::ca::enroll::Enrolment { on_behalf_of: Some("alice"), ..ask(USER, &csr) };
    for who in [&root, &alice] {
        let id = authority.enroll(&root, for_alice.clone(), noon()).unwrap().request_id;
        for stranger in [&bob, &manager] {
            let refused = authority.withdraw(stranger, id, None, noon());
            assert!(matches!(refused, Err(Refusal::NotFound(_))));
        }
        let row = authority.withdraw(who, id, None, noon()).unwrap();
        assert_eq!(row.disposition, Disposition::Denied);
        assert_eq!(row.rule.as_deref(), Some("withdrawn"));
        assert_eq!(row.resolved_by.as_deref(), Some(who.account.name.as_str()));
        assert_eq!(rule(authority.withdraw(who, id, None, noon())), "not-pending");
        assert_eq!(rule(authority.approve(&manager, id, noon())), "not-pending");
    }
}

#[test]
fn what_has_expired_is_not_decided_though_nobody_has_swept_it() {
    let world = World::new();
    let (register, authority) = open(&world);
    let alice = vpn_user(&authority, "alice");
    with_approval(&authority);
    let id = pending(&authority, &alice, noon());
    let last = noon().plus_seconds(LIFE - 1);
    assert_eq!(authority.expire_pending(last).unwrap(), 0);
    let late = noon().plus_seconds(LIFE);
    let root = administrator();
    assert_eq!(rule(authority.approve(&root, id, late)), "request-expired");
    assert_eq!(rule(authority.deny(&root, id, None, late)), "request-expired");
    assert_eq!(rule(authority.withdraw(&alice, id, None, late)), "request-expired");
    assert_eq!(register.request(id).unwrap().unwrap().disposition, Disposition::Pending);
    assert_eq!(authority.expire_pending(late).unwrap(), 1);
    let row = register.request(id).unwrap().unwrap();
    assert_eq!((row.disposition, row.rule.as_deref()), (Disposition::Denied, Some("expired")));
    assert_eq!((row.resolved_by, row.resolved_at), (None, Some(late)));
    assert_eq!(rule(authority.approve(&root, id, last)), "not-pending");
}

#[test]
fn a_manager_in_time_is_heard_and_without_a_limit_requests_wait_for_good() {
    let world = World::new();
    let (register, authority) = open(&world);
    let alice = vpn_user(&authority, "alice");
    with_approval(&authority);
    let id = pending(&authority, &alice, noon());
    let last = noon().plus_seconds(LIFE - 1);
    authority.approve(&administrator(), id, last).unwrap();
    let id = pending(&authority, &alice, last);
    let patient = authority.with_pending_life(None);
    assert_eq!(patient.expire_pending(noon().plus_seconds(1_000_000)).unwrap(), 0);
    assert_eq!(register.request(id).unwrap().unwrap().disposition, Disposition::Pending);
}

#[derive(Clone, Debug)]
enum Move {
    Ask,
    Approve(usize),
    Deny(usize),
    Withdraw(usize),
    Wait(u64),
    Sweep,
    SweepAt(u64),
    Restart,
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        4 => Just(Move::Ask),
        1 => any::<usize>().prop_map(Move::Approve),
        1 => any::<usize>().prop_map(Move::Deny),
        1 => any::<usize>().prop_map(Move::Withdraw),
        3 => (0..LIFE).prop_map(Move::Wait),
        2 => Just(Move::Sweep),
        1 => (0..LIFE).prop_map(Move::SweepAt),
        1 => Just(Move::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Each request is decided at most once, and by time only when its time has come.
    #[test]
    fn no_expiry_is_lost_or_done_twice(moves in prop::collection::vec(any_move(), 1..40)) {
        let world = World::new();
        let (mut register, mut authority) = open(&world);
        let alice = vpn_user(&authority, "alice");
        with_approval(&authority);
        let root = administrator();
        let mut now = noon();
        // (number, since, still waits)
        let mut model: Vec<(u64, u64, bool)> = Vec::new();
        let mut expired = 0;
        for next in moves {
            now = now.plus_seconds(1);
            let decide = |at: usize| (!model.is_empty()).then(|| at % model.len().max(1));
            let sweep = |at: Timestamp, model: &mut Vec<(u64, u64, bool)>| {
                let due = model.iter_mut().filter(|own| own.2 && own.1 + LIFE <= at.seconds());
                due.map(|own| own.2 = false).count()
            };
            match next {
                Move::Ask => model.push((pending(&authority, &alice, now), now.seconds(), true)),
                Move::Approve(at) | Move::Deny(at) | Move::Withdraw(at) => {
                    let Some(at) = decide(at) else { continue };
                    let (id, since, waits) = model[at];
                    let done = match next {
                        Move::Approve(_) => authority.approve(&root, id, now).is_ok(),
                        Move::Deny(_) => authority.deny(&root, id, None, now).is_ok(),
                        _ => authority.withdraw(&alice, id, None, now).is_ok(),
                    };
                    prop_assert_eq!(done, waits && now.seconds() < since + LIFE);
                    model[at].2 &= !done;
                }
                Move::Wait(seconds) => now = now.plus_seconds(seconds),
                Move::Sweep => {
                    let due = sweep(now, &mut model);
                    prop_assert_eq!(authority.expire_pending(now).unwrap(), due);
                    expired += due;
                }
                // A clock that is behind expires nothing that is not due by it.
                Move::SweepAt(behind) => {
                    let at = now.minus_seconds(behind);
                    let due = sweep(at, &mut model);
                    prop_assert_eq!(authority.expire_pending(at).unwrap(), due);
                    expired += due;
                }
                Move::Restart => {
                    world.crash();
                    drop(authority);
                    drop(register);
                    (register, authority) = open(&world);
                }
            }
        }
        let end = now.plus_seconds(LIFE);
        let left = model.iter().filter(|own| own.2).count();
        prop_assert_eq!(authority.expire_pending(end).unwrap(), left);
        prop_assert_eq!(authority.expire_pending(end).unwrap(), 0);
        let told = acts(register.as_ref());
        let told = told.iter().filter(
            |act| matches!(act, Act::RequestDenied(denied) if denied.rule == "expired"),
        );
        prop_assert_eq!(told.count(), expired + left);
    }
}
