//! Enrolment: what is issued, what is refused, what is on record of either.

use super::world::{
    World, account, acts, administrator, ask, csr, issued, noon, somebody, vpn_user, with_key,
};
use crate::ca::enroll::{Enrolment, Outcome};
use crate::ca::permissions::Role;
use crate::ca::{Authority, Refusal, RequestFilter};
use crate::pki::certificate::Certificate;
use crate::pki::denial::Rule;
use crate::pki::disposition::Disposition;
use crate::pki::public_key::PublicKey;
use crate::storage::act::Act;
use crate::storage::{Page, Register};

const USER: &str = "VPNUserAuthentication";

#[test]
fn request_and_reservation_are_on_record_before_the_signature() {
    let world = World::new();
    let register = world.open();
    // The key in this world refuses to sign what is not reserved.
    let authority = world.authority(register.clone());
    let alice = vpn_user(&authority, "alice");
    let row = issued(authority.enroll(&alice, ask(USER, &csr(&[])), noon()));
    let certificate = Certificate::from_der(&row.certificate).unwrap();
    let key = PublicKey::from_spki_der(authority.issuer().public_key().spki_der()).unwrap();
    certificate.verify(&key).unwrap();
    assert_eq!(certificate.subject().common_names(), ["alice"]);
    let kinds: Vec<&str> = acts(&*register)
        .iter()
        .filter_map(|act| match act {
            Act::RequestReceived(_) => Some("received"),
            Act::SerialReserved(_) => Some("reserved"),
            Act::CertificateIssued(_) => Some("issued"),
            _ => None,
        })
        .collect();
    assert_eq!(kinds, ["received", "reserved", "issued"]);
    let known = authority.certificate(&alice, &row.serial).unwrap();
    assert_eq!(known.certificate, row.certificate);
}

#[test]
fn a_template_that_is_not_published_is_refused_with_exactly_that_sentence() {
    let world = World::new();
    let register = world.open();
    let authority = world.authority(register.clone());
    let alice = vpn_user(&authority, "alice");
    let denied = authority.enroll(&alice, ask("User", &csr(&[])), noon()).unwrap_err();
    let Refusal::Denied(id, denial) = denied else { panic!("{denied}") };
    assert_eq!(denial.detail, "template User exists but is not published on this CA");
    assert_eq!(denial.rule.hresult(), Some(0x8009_4800));
    let on_record = register.request(id).unwrap().unwrap();
    assert_eq!(on_record.disposition, Disposition::Denied);
    assert_eq!(on_record.detail.as_deref(), Some(denial.detail.as_str()));
    assert_eq!(on_record.serial, None);
}

#[test]
fn what_is_no_request_leaves_no_trace() {
    let world = World::new();
    let register = world.open();
    let authority = world.authority(register.clone());
    let alice = vpn_user(&authority, "alice");
    let before = register.head();
    for junk in [&b""[..], b"not a request", &[0x30, 0x80], &csr(&[])[..100]] {
        let refused = authority.enroll(&alice, ask(USER, junk), noon()).unwrap_err();
        assert!(matches!(refused, Refusal::Invalid(..)), "{refused}");
    }
    assert_eq!(register.head(), before);
}

#[test]
fn a_stranger_to_the_group_is_refused() {
    let world = World::new();
    let authority = world.authority(world.open());
    let bob = somebody("bob", &[]);
    let refused = authority.enroll(&bob, ask(USER, &csr(&[])), noon()).unwrap_err();
    let Refusal::Denied(_, denial) = refused else { panic!("{refused}") };
    assert_eq!(denial.rule, Rule::EnrollmentNotPermitted);
}

#[test]
fn only_managers_enrol_for_others() {
    let world = World::new();
    let authority = world.authority(world.open());
    let alice = vpn_user(&authority, "alice");
    let bob = vpn_user(&authority, "bob");
    let csr = csr(&[]);
    let for_bob = || Enrolment { on_behalf_of: Some("BOB"), ..ask(USER, &csr) };
    let refused = authority.enroll(&alice, for_bob(), noon()).unwrap_err();
    assert!(matches!(refused, Refusal::Forbidden(_)), "{refused}");
    for role in [Role::Administrator, Role::CertificateManager] {
        let row = issued(authority.enroll(&somebody("manager", &[role]), for_bob(), noon()));
        assert_eq!((row.account.as_str(), row.requester.as_str()), ("bob", "manager"));
        // It is bob's, not alice's.
        assert!(authority.certificate(&bob, &row.serial).is_ok());
        let hidden = authority.certificate(&alice, &row.serial).unwrap_err();
        assert!(matches!(hidden, Refusal::NotFound(_)), "{hidden}");
    }
    let auditor = somebody("auditor", &[Role::Auditor]);
    assert!(matches!(authority.enroll(&auditor, for_bob(), noon()), Err(Refusal::Forbidden(_))));
}

#[test]
fn the_cas_own_key_and_a_compromised_key_are_never_certified() {
    let world = World::new();
    let authority = world.authority(world.open());
    let alice = vpn_user(&authority, "alice");
    let request = csr(&[]);
    let row = issued(authority.enroll(&alice, ask(USER, &request), noon()));
    let reason = crate::pki::revocation::RevocationReason::KeyCompromise;
    authority.revoke(&administrator(), &row.serial, reason, None, noon()).unwrap();
    let refused = authority.enroll(&alice, ask(USER, &request), noon()).unwrap_err();
    let Refusal::Denied(_, denial) = refused else { panic!("{refused}") };
    assert_eq!(denial.rule, Rule::CompromisedKey);

    let name = authority.issuer().name().clone();
    let own = {
        // Signed by the CA's key over its own request: possession is proven, and yet.
        let key = crate::ca::tests::world::Unwatched(&world);
        crate::ca::establish::subordinate_request(&name, &key).unwrap()
    };
    let refused = authority.enroll(&alice, ask(USER, &own), noon()).unwrap_err();
    let Refusal::Denied(_, denial) = refused else { panic!("{refused}") };
    assert_eq!(denial.rule, Rule::AuthorityKey);
}

#[test]
fn the_same_key_and_body_give_the_first_answer_again() {
    let world = World::new();
    let register = world.open();
    let authority = world.authority(register.clone());
    let (alice, bob) = (vpn_user(&authority, "alice"), vpn_user(&authority, "bob"));
    let csr = csr(&[]);
    let asked = || with_key(ask(USER, &csr), "key-1", 1);
    let first = issued(authority.enroll(&alice, asked(), noon()));
    let head = register.head();
    let again = issued(authority.enroll(&alice, asked(), noon().plus_seconds(3600)));
    assert_eq!(again.certificate, first.certificate);
    assert_eq!(register.head(), head, "a repetition records nothing");

    let other_body = with_key(ask(USER, &csr), "key-1", 2);
    let refused = authority.enroll(&alice, other_body, noon()).unwrap_err();
    assert!(matches!(refused, Refusal::Invalid("idempotency-key-reused", _)), "{refused}");
    // The key is alice's own.
    let bobs = issued(authority.enroll(&bob, asked(), noon()));
    assert_ne!(bobs.serial, first.serial);
    // After 24 hours it is forgotten.
    let later = issued(authority.enroll(&alice, asked(), noon().plus_seconds(90_000)));
    assert_ne!(later.serial, first.serial);
}

#[test]
fn a_denial_is_repeated_too() {
    let world = World::new();
    let authority = world.authority(world.open());
    let alice = vpn_user(&authority, "alice");
    let csr = csr(&[]);
    let asked = || with_key(ask("Machine", &csr), "key-1", 1);
    let one = authority.enroll(&alice, asked(), noon()).unwrap_err();
    let two = authority.enroll(&alice, asked(), noon()).unwrap_err();
    match (one, two) {
        (Refusal::Denied(one, first), Refusal::Denied(two, second)) => {
            assert_eq!((one, first), (two, second));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_end_of_the_ca_cuts_the_validity_and_the_answer_says_so() {
    let world = World::of_days(30);
    let authority = world.authority(world.open());
    let alice = vpn_user(&authority, "alice");
    let enrolled = authority.enroll(&alice, ask(USER, &csr(&[])), noon()).unwrap();
    let Outcome::Issued(row, notices) = enrolled.outcome else { panic!("pending") };
    assert_eq!(row.not_after, authority.issuer().not_after());
    assert!(notices.iter().any(|notice| notice.contains("cut")), "{notices:?}");
}

#[test]
fn a_clock_behind_the_ledger_issues_nothing_but_revokes() {
    let world = World::new();
    let authority = world.authority(world.open());
    let alice = vpn_user(&authority, "alice");
    let row = issued(authority.enroll(&alice, ask(USER, &csr(&[])), noon().plus_seconds(60)));
    let refused = authority.enroll(&alice, ask(USER, &csr(&[])), noon()).unwrap_err();
    assert!(matches!(refused, Refusal::Unavailable("clock-behind", _)), "{refused}");
    let reason = crate::pki::revocation::RevocationReason::Superseded;
    authority.revoke(&administrator(), &row.serial, reason, None, noon()).unwrap();
}

#[test]
fn a_key_that_cannot_sign_leaves_a_failed_request_and_a_revoked_serial() {
    let world = World::new();
    let register = world.open();
    let authority = world.authority(register.clone());
    let alice = vpn_user(&authority, "alice");
    world.key.broken.store(true, std::sync::atomic::Ordering::SeqCst);
    let refused = authority.enroll(&alice, ask(USER, &csr(&[])), noon()).unwrap_err();
    assert!(matches!(refused, Refusal::Unavailable("signing-failed", _)), "{refused}");
    let page = Page { after: None, limit: 10 };
    let rows = register.requests(&RequestFilter::default(), page).unwrap().rows;
    assert_eq!(rows[0].disposition, Disposition::Failed);
    let serial = rows[0].serial.unwrap();
    assert!(register.revocation(&serial).unwrap().is_some());
    assert!(register.orphans().unwrap().is_empty());
}

#[test]
fn many_at_once_get_different_serials() {
    let world = World::new();
    let register = world.open();
    let authority = std::sync::Arc::new(world.authority(register.clone()));
    let alice = vpn_user(&authority, "alice");
    let serials = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..16)
            .map(|_| {
                let (authority, alice): (&Authority, _) = (&authority, &alice);
                scope.spawn(move || {
                    let enrol = |_| issued(authority.enroll(alice, ask(USER, &csr(&[])), noon()));
                    (0..8).map(enrol).map(|row| row.serial).collect::<Vec<_>>()
                })
            })
            .collect();
        let each = workers.into_iter().flat_map(|worker| worker.join().unwrap());
        each.collect::<std::collections::BTreeSet<_>>()
    });
    assert_eq!(serials.len(), 16 * 8);
    for serial in &serials {
        assert!(register.certificate(serial).unwrap().is_some());
    }
    assert!(register.orphans().unwrap().is_empty());
}

#[test]
fn a_disabled_account_is_refused() {
    let world = World::new();
    let authority = world.authority(world.open());
    vpn_user(&authority, "alice");
    let mut disabled = account("alice", &["VPN Users"]);
    disabled.enabled = false;
    authority.change_account(&administrator(), disabled, Vec::new(), None, noon()).unwrap();
    let csr = csr(&[]);
    let asked = Enrolment { on_behalf_of: Some("alice"), ..ask(USER, &csr) };
    let refused = authority.enroll(&administrator(), asked, noon()).unwrap_err();
    let Refusal::Denied(_, denial) = refused else { panic!("{refused}") };
    assert_eq!(denial.rule, Rule::AccountDisabled);
}
