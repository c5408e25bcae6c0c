//! Requests that wait for a certificate manager, and templates that change under them.

use super::world::{World, administrator, ask, csr, issued, noon, somebody, vpn_user};
use crate::ca::enroll::{Enrolled, Outcome};
use crate::ca::permissions::Role;
use crate::ca::{Authority, Refusal, Requester};
use crate::pki::disposition::Disposition;
use crate::storage::Register;

const USER: &str = "VPNUserAuthentication";

/// Edits the user template so that every request waits.
fn with_approval(authority: &Authority) {
    let root = administrator();
    let mut file = authority.template(&root, USER).unwrap().template.to_file();
    file.enrollment_flags.push("PEND_ALL_REQUESTS".to_owned());
    authority.replace_template(&root, USER, file, None, noon()).unwrap();
}

fn pending(authority: &Authority, alice: &Requester) -> u64 {
    let enrolled = authority.enroll(alice, ask(USER, &csr(&[])), noon()).unwrap();
    assert!(matches!(enrolled.outcome, Outcome::Pending));
    enrolled.request_id
}

#[test]
fn a_pending_request_is_approved_once() {
    let world = World::new();
    let register = world.open();
    let authority = world.authority(register.clone());
    let alice = vpn_user(&authority, "alice");
    with_approval(&authority);
    let id = pending(&authority, &alice);
    assert_eq!(register.request(id).unwrap().unwrap().disposition, Disposition::Pending);
    assert!(register.orphans().unwrap().is_empty());
    assert!(matches!(authority.approve(&alice, id, noon()), Err(Refusal::Forbidden(_))));
    let manager = somebody("manager", &[Role::CertificateManager]);
    let Enrolled { request_id, .. } = authority.approve(&manager, id, noon()).unwrap();
    assert_eq!(request_id, id);
    let row = authority.request(&alice, id).unwrap();
    assert_eq!(row.disposition, Disposition::Issued);
    let certificate = authority.certificate(&alice, &row.serial.unwrap()).unwrap();
    assert_eq!((certificate.account.as_str(), certificate.requester.as_str()), ("alice", "alice"));
    let again = authority.approve(&manager, id, noon());
    assert!(matches!(again, Err(Refusal::Conflict("not-pending", _))));
    let denied = authority.deny(&manager, id, None, noon());
    assert!(matches!(denied, Err(Refusal::Conflict("not-pending", _))));
}

#[test]
fn a_denied_request_owns_no_certificate_and_keeps_the_reason() {
    let world = World::new();
    let authority = world.authority(world.open());
    let alice = vpn_user(&authority, "alice");
    with_approval(&authority);
    let id = pending(&authority, &alice);
    let manager = somebody("manager", &[Role::CertificateManager]);
    let row = authority.deny(&manager, id, Some("not this laptop".to_owned()), noon()).unwrap();
    assert_eq!(row.disposition, Disposition::Denied);
    assert_eq!(row.detail.as_deref(), Some("not this laptop"));
    assert_eq!(row.resolved_by.as_deref(), Some("manager"));
    assert_eq!(row.serial, None);
    assert!(authority.approve(&manager, id, noon()).is_err());
}

#[test]
fn approval_decides_on_the_account_as_it_is_now() {
    let world = World::new();
    let authority = world.authority(world.open());
    let alice = vpn_user(&authority, "alice");
    with_approval(&authority);
    let id = pending(&authority, &alice);
    let root = administrator();
    let left = super::world::account("alice", &["Former staff"]);
    authority.change_account(&root, left, Vec::new(), None, noon()).unwrap();
    let refused = authority.approve(&root, id, noon()).unwrap_err();
    assert!(matches!(refused, Refusal::Denied(denied, _) if denied == id), "{refused}");
}

#[test]
fn built_in_templates_are_duplicated_not_changed() {
    let world = World::new();
    let register = world.open();
    let authority = world.authority(register.clone());
    let root = administrator();
    let built_in = authority.template(&root, "User").unwrap();
    let file = built_in.template.to_file();
    let refused = authority.replace_template(&root, "User", file, None, noon()).unwrap_err();
    assert!(matches!(refused, Refusal::Conflict("template-built-in", _)), "{refused}");
    assert!(authority.delete_template(&root, "User", None, noon()).is_err());

    let copy = authority.duplicate_template(&root, "user", "ContosoUser", None, None, noon());
    let copy = copy.unwrap();
    assert!(!copy.published);
    assert_eq!(copy.template.major_revision(), 100);
    let arc = authority.template_arc();
    assert_ne!(copy.template.oid(arc), built_in.template.oid(arc));
    authority.publish_template(&root, "contosouser", noon()).unwrap();

    let tag = copy.entity_tag();
    let file = copy.template.to_file();
    let changed =
        authority.replace_template(&root, "ContosoUser", file.clone(), Some(&tag), noon());
    assert_ne!(changed.unwrap().entity_tag(), tag);
    let stale = authority.replace_template(&root, "ContosoUser", file, Some(&tag), noon());
    assert!(matches!(stale, Err(Refusal::Changed(_))));
    // All of it is on record: a new start knows the same.
    let known = world.authority(register).template(&root, "ContosoUser").unwrap();
    assert!(known.published);
    assert_ne!(known.entity_tag(), tag);
}

#[test]
fn withdrawing_and_deleting_templates_takes_no_certificate_away() {
    let world = World::new();
    let authority = world.authority(world.open());
    let alice = vpn_user(&authority, "alice");
    let row = issued(authority.enroll(&alice, ask(USER, &csr(&[])), noon()));
    let root = administrator();
    authority.withdraw_template(&root, USER, noon()).unwrap();
    assert!(authority.enroll(&alice, ask(USER, &csr(&[])), noon()).is_err());
    authority.delete_template(&root, USER, None, noon()).unwrap();
    assert!(matches!(authority.template(&root, USER), Err(Refusal::NotFound(_))));
    assert!(authority.certificate(&alice, &row.serial).is_ok());
}

#[test]
fn only_administrators_edit_templates() {
    let world = World::new();
    let authority = world.authority(world.open());
    for requester in [
        somebody("alice", &[]),
        somebody("manager", &[Role::CertificateManager]),
        somebody("auditor", &[Role::Auditor]),
    ] {
        let file = authority.template(&requester, USER).unwrap().template.to_file();
        let refused = authority.replace_template(&requester, USER, file, None, noon());
        assert!(matches!(refused, Err(Refusal::Forbidden(_))));
        assert!(authority.publish_template(&requester, "User", noon()).is_err());
        assert!(authority.delete_template(&requester, USER, None, noon()).is_err());
    }
}
