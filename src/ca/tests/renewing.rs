//! Renewing by possession and retiring what was renewed: nothing scheduled is lost or done twice.

use std::sync::Arc;

use proptest::prelude::*;

use super::world::{World, administrator, ask, csr, issued, noon, vpn_user};
use crate::ca::enroll::{Enrolled, Outcome};
use crate::ca::permissions::{Operation, Role};
use crate::ca::possession::{Reach, RolesByCertificate};
use crate::ca::renewal::Renewal;
use crate::ca::{Authority, CertificateRow, Refusal, act};
use crate::pki::revocation::RevocationReason;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::storage::Register;
use crate::storage::act::Act;
use crate::storage::faulty::{Fault, FaultyRegister};

const USER: &str = "VPNUserAuthentication";

fn renew(
    authority: &Authority,
    old: &CertificateRow,
    retire_after_seconds: Option<u64>,
    key: Option<&str>,
    now: Timestamp,
) -> Result<Enrolled, Refusal> {
    let holder = authority.authenticate_by_certificate(&old.certificate, now)?;
    let idempotency =
        key.map(|key| act::Idempotency { key: key.to_owned(), request_sha256: [1; 32] });
    let csr = csr(&[]);
    let renewal = Renewal { serial: old.serial, csr: &csr, retire_after_seconds, idempotency };
    authority.renew(&holder, renewal, now)
}

#[test]
fn the_retirement_is_on_record_exactly_if_the_renewal_is_issued() {
    for fault in [Fault::BeforePersisting, Fault::AfterPersisting] {
        for (nth, key) in [(1, None), (1, Some("k")), (2, None), (2, Some("k"))] {
            let world = World::new();
            let old = {
                let register = world.open();
                let authority = world.authority(register.clone());
                let alice = vpn_user(&authority, "alice");
                let old = issued(authority.enroll(&alice, ask(USER, &csr(&[])), noon()));
                let faulty = Arc::new(FaultyRegister::new(register, nth, fault));
                let authority = world.authority(faulty);
                assert!(renew(&authority, &old, Some(60), key, noon()).is_err());
                world.crash();
                old
            };
            let register = world.open();
            let authority = world.authority(register.clone());
            let later = noon().plus_seconds(5);
            authority.put_in_order(later).unwrap();
            let lineage = register.lineage(&old.serial).unwrap();
            let place = format!("{fault:?} {nth} {key:?} {lineage:?}");
            assert_eq!(lineage.renewed_by.is_empty(), lineage.retires_at.is_none(), "{place}");
            if key.is_some() {
                // Asked again: one renewal, one retirement.
                renew(&authority, &old, Some(60), key, later).unwrap();
                let lineage = register.lineage(&old.serial).unwrap();
                assert_eq!(lineage.renewed_by.len(), 1, "{place}");
                assert!(lineage.retires_at.is_some(), "{place}");
                let end = noon().plus_seconds(66);
                assert!(authority.retire_due(end).unwrap().is_some());
                assert!(authority.retire_due(end).unwrap().is_none());
            }
        }
    }
}

#[test]
fn a_certificate_carries_roles_only_where_the_settings_say_so() {
    let world = World::new();
    let authority = world.authority(world.open());
    let mut boss = super::world::account("boss", &["VPN Users"]);
    boss.object_sid = None;
    let roles = vec![Role::Administrator];
    authority.create_account(&administrator(), boss, roles, None, noon()).unwrap();
    let csr_of_boss = csr(&[]);
    let asked =
        crate::ca::enroll::Enrolment { on_behalf_of: Some("boss"), ..ask(USER, &csr_of_boss) };
    let own = issued(authority.enroll(&administrator(), asked, noon()));
    let server = issued(authority.enroll(
        &administrator(),
        ask("VPNServerAuthentication", &csr(&["vpn.contoso.com"])),
        noon(),
    ));
    let by = |authority: &Authority, row: &CertificateRow| {
        authority.authenticate_by_certificate(&row.certificate, noon()).unwrap()
    };
    let holder = by(&authority, &own);
    assert_eq!((holder.reach(), holder.roles()), (Reach::Account, &[][..]));
    assert!(!holder.may(Operation::EditAccounts) && holder.may(Operation::Enroll));
    let authority = authority.with_roles_by_certificate(RolesByCertificate::Given);
    assert!(by(&authority, &own).may(Operation::EditAccounts));
    // Whatever the settings say: the names of this one came from the request.
    let holder = by(&authority, &server);
    assert_eq!((holder.reach(), holder.roles()), (Reach::Certificate, &[][..]));
    assert_eq!(holder.account().name, "administrator");
    for operation in Operation::ALL {
        let own = matches!(operation, Operation::RenewCertificate | Operation::ReadOwn);
        assert_eq!(holder.may(operation), own, "{operation:?}");
        assert_eq!(holder.must(operation).is_ok(), own, "{operation:?}");
    }
}

#[derive(Clone, Debug)]
enum Move {
    Renew(usize, u64),
    Hold(usize),
    Release(usize),
    Revoke(usize),
    Cancel(usize),
    Wait(u64),
    Jump(u64),
    Tick,
    Restart,
}

fn any_move() -> impl Strategy<Value = Move> {
    let which = 0..3_usize;
    prop_oneof![
        4 => (which.clone(), 0..400_u64).prop_map(|(which, after)| Move::Renew(which, after)),
        1 => which.clone().prop_map(Move::Hold),
        1 => which.clone().prop_map(Move::Release),
        1 => which.clone().prop_map(Move::Revoke),
        1 => which.prop_map(Move::Cancel),
        3 => (1..200_u64).prop_map(Move::Wait),
        1 => (1..100_u64).prop_map(Move::Jump),
        3 => Just(Move::Tick),
        1 => Just(Move::Restart),
    ]
}

/// How a certificate stands in the model.
#[derive(Clone, Debug, Default)]
struct Known {
    due: Option<u64>,
    held: bool,
    revoked: bool,
    retired: usize,
}

fn retired(register: &dyn Register, serial: &SerialNumber) -> usize {
    let rows = register.entries(1, 10_000).unwrap();
    let own = rows.into_iter().filter(|row| row.entry.actor.is_none());
    own.filter(|row| match &row.entry.act {
        Act::CertificateRevoked(revoked) => revoked.serial == serial.as_der_content(),
        _ => false,
    })
    .count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn no_retirement_is_lost_or_done_twice(moves in prop::collection::vec(any_move(), 1..40)) {
        let world = World::new();
        let mut register = world.open();
        let mut authority = world.authority(register.clone());
        let alice = vpn_user(&authority, "alice");
        let old: Vec<CertificateRow> = (0..3)
            .map(|_| issued(authority.enroll(&alice, ask(USER, &csr(&[])), noon())))
            .collect();
        let root = administrator();
        let mut model = vec![Known::default(); 3];
        let (start, mut now) = (noon().seconds(), noon());
        for next in moves {
            now = now.plus_seconds(1);
            match next {
                Move::Renew(which, after) => {
                    let done = renew(&authority, &old[which], Some(after), None, now);
                    let known = &mut model[which];
                    prop_assert_eq!(done.is_ok(), !known.revoked && !known.held);
                    if let Ok(enrolled) = done {
                        prop_assert!(matches!(enrolled.outcome, Outcome::Issued(..)));
                        let due = now.seconds() + after;
                        known.due = Some(known.due.map_or(due, |earlier| earlier.min(due)));
                    }
                }
                Move::Hold(which) => {
                    let hold = RevocationReason::CertificateHold;
                    let done = authority.revoke(&root, &old[which].serial, hold, None, now);
                    model[which].held |= done.is_ok();
                }
                Move::Release(which) => {
                    if authority.release(&root, &old[which].serial, now).is_ok() {
                        model[which].held = false;
                    }
                }
                Move::Revoke(which) => {
                    let gone = RevocationReason::CessationOfOperation;
                    if authority.revoke(&root, &old[which].serial, gone, None, now).is_ok() {
                        model[which] = Known { due: None, revoked: true, ..model[which].clone() };
                    }
                }
                Move::Cancel(which) => {
                    let done = authority.cancel_retirement(&root, &old[which].serial, now);
                    prop_assert_eq!(done.is_ok(), model[which].due.take().is_some());
                }
                Move::Wait(seconds) => now = now.plus_seconds(seconds),
                // The clockwork alone meets a clock that is behind the ledger.
                Move::Jump(seconds) => {
                    let behind = now.minus_seconds(seconds);
                    authority.retire_due(behind).unwrap();
                    retire(&mut model, behind.seconds());
                }
                Move::Tick => {
                    authority.retire_due(now).unwrap();
                    retire(&mut model, now.seconds());
                }
                Move::Restart => {
                    world.crash();
                    drop(authority);
                    drop(register);
                    register = world.open();
                    authority = world.authority(register.clone());
                }
            }
            for (row, known) in old.iter().zip(&model) {
                let due = register.lineage(&row.serial).unwrap().retires_at;
                prop_assert_eq!(due.map(|due| due.seconds()), known.due, "{} s", now.seconds() - start);
                let revocation = register.revocation(&row.serial).unwrap();
                prop_assert_eq!(revocation.is_some(), known.held || known.revoked);
            }
        }
        let end = noon().plus_seconds(100_000);
        authority.retire_due(end).unwrap();
        prop_assert!(authority.retire_due(end).unwrap().is_none());
        retire(&mut model, end.seconds());
        for (row, known) in old.iter().zip(&model) {
            prop_assert_eq!(retired(register.as_ref(), &row.serial), known.retired);
        }
    }
}

/// What is due is revoked, a held one too.
fn retire(model: &mut [Known], now: u64) {
    for known in model {
        if known.due.is_some_and(|due| due <= now) {
            *known = Known { due: None, held: false, revoked: true, retired: known.retired + 1 };
        }
    }
}

#[test]
fn who_wants_a_retirement_after_the_end_is_told_that_there_is_none() {
    let world = World::new();
    let register = world.open();
    let authority = world.authority(register.clone());
    let alice = vpn_user(&authority, "alice");
    let old = issued(authority.enroll(&alice, ask(USER, &csr(&[])), noon()));
    let notices = |retire_after_seconds| match renew(
        &authority,
        &old,
        Some(retire_after_seconds),
        None,
        noon(),
    )
    .unwrap()
    .outcome
    {
        Outcome::Issued(_, notices) => notices,
        Outcome::Pending => panic!("pending"),
    };
    let left = old.not_after.seconds_since(noon());
    let told = |notices: Vec<String>| notices.iter().any(|own| own.contains("ends by itself"));
    assert!(told(notices(left)));
    assert_eq!(register.lineage(&old.serial).unwrap().retires_at, None);
    assert!(!told(notices(left - 1)));
    assert_eq!(
        register.lineage(&old.serial).unwrap().retires_at,
        Some(noon().plus_seconds(left - 1))
    );
}
