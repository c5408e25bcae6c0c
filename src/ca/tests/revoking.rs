//! Revoking, holding, releasing.

use super::world::{World, account, administrator, ask, csr, issued, noon, somebody, vpn_user};
use crate::ca::permissions::Role;
use crate::ca::{CertificateFilter, CertificateStatus, Refusal};
use crate::pki::revocation::RevocationReason::{CertificateHold, KeyCompromise, Superseded};
use crate::storage::{Page, Register};

const USER: &str = "VPNUserAuthentication";

#[test]
fn a_hold_can_be_released_or_made_final_and_nothing_else_undone() {
    let world = World::new();
    let register = world.open();
    let authority = world.authority(register.clone());
    let alice = vpn_user(&authority, "alice");
    let serial = issued(authority.enroll(&alice, ask(USER, &csr(&[])), noon())).serial;
    let root = administrator();
    let not_held = authority.release(&root, &serial, noon()).unwrap_err();
    assert!(matches!(not_held, Refusal::Conflict("not-on-hold", _)), "{not_held}");

    authority.revoke(&root, &serial, CertificateHold, None, noon()).unwrap();
    let again = authority.revoke(&root, &serial, CertificateHold, None, noon()).unwrap_err();
    assert!(matches!(again, Refusal::Conflict("already-revoked", _)), "{again}");
    authority.release(&root, &serial, noon()).unwrap();
    assert!(register.revocation(&serial).unwrap().is_none());

    authority.revoke(&root, &serial, CertificateHold, None, noon()).unwrap();
    authority.revoke(&root, &serial, KeyCompromise, Some(noon()), noon()).unwrap();
    let found = register.revocation(&serial).unwrap().unwrap();
    assert_eq!((found.reason, found.invalidity_date), (KeyCompromise, Some(noon())));
    assert!(authority.release(&root, &serial, noon()).is_err());
    assert!(authority.revoke(&root, &serial, Superseded, None, noon()).is_err());
    assert_eq!(register.revocation(&serial).unwrap().unwrap().reason, KeyCompromise);
}

#[test]
fn a_whole_account_in_one_act_also_after_it_is_gone() {
    let world = World::new();
    let register = world.open();
    let authority = world.authority(register.clone());
    let alice = vpn_user(&authority, "alice");
    let bob = vpn_user(&authority, "bob");
    let rows: Vec<_> =
        (0..3).map(|_| issued(authority.enroll(&alice, ask(USER, &csr(&[])), noon()))).collect();
    let bobs = issued(authority.enroll(&bob, ask(USER, &csr(&[])), noon()));
    let root = administrator();
    authority.revoke(&root, &rows[0].serial, CertificateHold, None, noon()).unwrap();
    authority.delete_account(&root, "alice", None, noon()).unwrap();
    let before = register.head().sequence;
    let done = authority.revoke_account(&root, "Alice", Superseded, None, noon()).unwrap();
    assert_eq!(done.certificates.len(), 3);
    assert_eq!(done.sequence, before + 3);
    for row in &rows {
        assert_eq!(register.revocation(&row.serial).unwrap().unwrap().reason, Superseded);
    }
    assert!(register.revocation(&bobs.serial).unwrap().is_none());
    let good = CertificateFilter {
        status: Some((CertificateStatus::Good, noon())),
        ..CertificateFilter::default()
    };
    let page = Page { after: None, limit: 10 };
    let listed = authority.certificates(&root, good, page).unwrap().rows;
    assert_eq!(listed.iter().map(|row| row.serial).collect::<Vec<_>>(), [bobs.serial]);
    let unknown = authority.revoke_account(&root, "nobody", Superseded, None, noon());
    assert!(matches!(unknown, Err(Refusal::NotFound(_))));
}

#[test]
fn requesters_and_auditors_revoke_nothing() {
    let world = World::new();
    let authority = world.authority(world.open());
    let alice = vpn_user(&authority, "alice");
    let serial = issued(authority.enroll(&alice, ask(USER, &csr(&[])), noon())).serial;
    for requester in [alice, somebody("auditor", &[Role::Auditor])] {
        let refused = authority.revoke(&requester, &serial, Superseded, None, noon());
        assert!(matches!(refused, Err(Refusal::Forbidden(_))));
        let refused = authority.revoke_account(&requester, "alice", Superseded, None, noon());
        assert!(matches!(refused, Err(Refusal::Forbidden(_))));
    }
}

#[test]
fn an_invalidity_date_in_the_future_is_refused() {
    let world = World::new();
    let authority = world.authority(world.open());
    let alice = vpn_user(&authority, "alice");
    let serial = issued(authority.enroll(&alice, ask(USER, &csr(&[])), noon())).serial;
    let tomorrow = Some(noon().plus_seconds(86_400));
    let refused = authority.revoke(&administrator(), &serial, KeyCompromise, tomorrow, noon());
    assert!(matches!(refused, Err(Refusal::Invalid("invalidity-date", _))));
}

#[test]
fn the_last_administrator_stays() {
    let world = World::new();
    let authority = world.authority(world.open());
    let root = administrator();
    let refused = authority.delete_account(&root, "administrator", None, noon()).unwrap_err();
    assert!(matches!(refused, Refusal::Conflict("last-administrator", _)), "{refused}");
    let mut disabled = authority.account(&root, "administrator").unwrap().account;
    disabled.enabled = false;
    let roles = vec![Role::Administrator];
    assert!(
        authority.change_account(&root, disabled.clone(), roles.clone(), None, noon()).is_err()
    );
    authority.create_account(&root, account("second", &[]), roles.clone(), None, noon()).unwrap();
    authority.change_account(&root, disabled, roles, None, noon()).unwrap();
}
