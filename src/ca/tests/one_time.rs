//! One-time tokens: one enrolment under one template, whatever crashes and whoever is quicker.

use std::sync::{Arc, Barrier};

use super::world::{World, administrator, ask, csr, issued, noon, somebody, vpn_user, with_key};
use crate::ca::permissions::{Operation, Role};
use crate::ca::tokens::{Scope, WantedToken};
use crate::ca::{Authority, CertificateFilter, Page, Refusal};
use crate::storage::Register;
use crate::storage::faulty::{Fault, FaultyRegister};

const USER: &str = "VPNUserAuthentication";

fn wanted<'a>(account: &'a str, scope: Scope<'a>) -> WantedToken<'a> {
    WantedToken { account, life_seconds: 3600, description: None, scope }
}

/// The secret of a new one-time token for alice.
fn one_time(authority: &Authority) -> String {
    let wanted = wanted("alice", Scope::OneEnrolment(USER));
    let made = authority.create_token(&administrator(), wanted, None, noon()).unwrap();
    made.secret.to_string()
}

/// How many certificates are issued and not revoked.
fn valid(register: &dyn Register) -> usize {
    let page = Page { after: None, limit: 1000 };
    let all = register.certificates(&CertificateFilter::default(), page).unwrap();
    all.rows.iter().filter(|row| row.revocation.is_none()).count()
}

#[test]
fn one_enrolment_under_its_template_and_nothing_else() {
    let world = World::new();
    let register = world.open();
    let authority = world.authority(register.clone());
    vpn_user(&authority, "alice");
    let secret = one_time(&authority);
    let holder = authority.authenticate(&secret, noon()).unwrap();
    for operation in Operation::ALL {
        assert_eq!(holder.may(operation), operation == Operation::Enroll, "{operation:?}");
    }
    let refused = holder.must(Operation::ReadOwn);
    assert!(matches!(refused, Err(Refusal::Bound(_))));
    let other = authority.enroll(&holder, ask("VPNServerAuthentication", &csr(&[])), noon());
    assert!(matches!(other, Err(Refusal::Bound(_))));

    // What is no request leaves it as it was.
    let junk = authority.enroll(&holder, ask(USER, b"junk"), noon());
    assert!(matches!(junk, Err(Refusal::Invalid(..))));
    let row = issued(authority.enroll(&holder, ask(USER, &csr(&[])), noon()));
    assert_eq!((row.account.as_str(), row.requester.as_str()), ("alice", "alice"));

    // Both with what was read before the use and with what is read now.
    let again = authority.enroll(&holder, ask(USER, &csr(&[])), noon());
    assert!(matches!(again, Err(Refusal::Unauthenticated(_))), "{again:?}");
    let now = authority.authenticate(&secret, noon()).unwrap();
    let again = authority.enroll(&now, ask(USER, &csr(&[])), noon());
    assert!(matches!(again, Err(Refusal::Unauthenticated(_))), "{again:?}");
    let looked = now.must(Operation::ReadAuthority);
    assert!(matches!(looked, Err(Refusal::Unauthenticated(_))), "{looked:?}");
    assert_eq!(valid(&*register), 1);
    let rows = authority.tokens(&administrator(), None, 10).unwrap();
    assert_eq!(rows[0].used.map(|(_, request_id)| request_id), Some(row.request_id));
}

#[test]
fn a_denied_request_leaves_it_as_it_was() {
    let world = World::new();
    let authority = world.authority(world.open());
    let admin = administrator();
    vpn_user(&authority, "alice");
    let secret = one_time(&authority);
    let holder = authority.authenticate(&secret, noon()).unwrap();
    authority.withdraw_template(&admin, USER, noon()).unwrap();
    let denied = authority.enroll(&holder, ask(USER, &csr(&[])), noon());
    assert!(matches!(denied, Err(Refusal::Denied(..))), "{denied:?}");
    authority.publish_template(&admin, USER, noon()).unwrap();
    issued(authority.enroll(&holder, ask(USER, &csr(&[])), noon()));
}

#[test]
fn of_concurrent_uses_exactly_one_wins() {
    let world = World::new();
    let register = world.open();
    let authority = Arc::new(world.authority(register.clone()));
    vpn_user(&authority, "alice");
    for round in 1..=12 {
        let secret = one_time(&authority);
        let together = Arc::new(Barrier::new(4));
        let uses: Vec<_> = (0..4)
            .map(|_| {
                let (authority, together) = (Arc::clone(&authority), Arc::clone(&together));
                let holder = authority.authenticate(&secret, noon()).unwrap();
                let request = csr(&[]);
                std::thread::spawn(move || {
                    together.wait();
                    authority.enroll(&holder, ask(USER, &request), noon())
                })
            })
            .collect();
        let outcomes: Vec<_> = uses.into_iter().map(|thread| thread.join().unwrap()).collect();
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let lost = |outcome: &&Result<_, _>| matches!(outcome, Err(Refusal::Unauthenticated(_)));
        assert_eq!((won, outcomes.iter().filter(lost).count()), (1, 3), "{outcomes:?}");
        assert_eq!(valid(&*register), round);
    }
}

#[test]
fn the_key_of_the_use_gives_its_answer_again_and_no_other() {
    let world = World::new();
    let authority = world.authority(world.open());
    let alice = vpn_user(&authority, "alice");
    let secret = one_time(&authority);
    let request = csr(&[]);
    let holder = || authority.authenticate(&secret, noon()).unwrap();
    let by_alice = with_key(ask(USER, &request), "alices", 2);
    issued(authority.enroll(&alice, by_alice.clone(), noon()));
    let asked = || with_key(ask(USER, &request), "k", 1);
    let first = issued(authority.enroll(&holder(), asked(), noon()));
    let again = issued(authority.enroll(&holder(), asked(), noon()));
    assert_eq!(first.certificate, again.certificate);
    // What the account asked for by other means is not the token's to have.
    let another = authority.enroll(&holder(), by_alice, noon());
    assert!(matches!(another, Err(Refusal::Unauthenticated(_))), "{another:?}");
}

#[test]
fn a_revoked_one_is_over_and_stays_so() {
    let world = World::new();
    let authority = world.authority(world.open());
    vpn_user(&authority, "alice");
    let secret = one_time(&authority);
    let before = authority.authenticate(&secret, noon()).unwrap();
    let id = authority.tokens(&administrator(), None, 10).unwrap()[0].token.id.clone();
    authority.revoke_token(&administrator(), &id, noon()).unwrap();
    // Even for whoever came in just before.
    let used = authority.enroll(&before, ask(USER, &csr(&[])), noon());
    assert!(matches!(used, Err(Refusal::Unauthenticated(_))), "{used:?}");
    assert!(authority.authenticate(&secret, noon()).is_err());
}

#[test]
fn a_certificate_manager_makes_one_time_tokens_for_who_has_no_office() {
    let world = World::new();
    let authority = world.authority(world.open());
    let admin = administrator();
    let manager = somebody("manager", &[Role::CertificateManager]);
    vpn_user(&authority, "alice");
    let mut boss = super::world::account("boss", &[]);
    boss.object_sid = None;
    authority.create_account(&admin, boss, vec![Role::Administrator], None, noon()).unwrap();
    let make =
        |account, scope| authority.create_token(&manager, wanted(account, scope), None, noon());
    assert!(make("alice", Scope::OneEnrolment(USER)).is_ok());
    for (account, scope) in [
        ("boss", Scope::OneEnrolment(USER)),
        ("alice", Scope::Template(USER)),
        ("alice", Scope::Account),
    ] {
        assert!(matches!(make(account, scope), Err(Refusal::Forbidden(_))), "{account} {scope:?}");
    }
}

#[test]
fn a_token_bound_to_a_template_carries_no_office() {
    let world = World::new();
    let authority = world.authority(world.open());
    let admin = administrator();
    let boss = super::world::account("boss", &["VPN Users"]);
    authority.create_account(&admin, boss, vec![Role::Administrator], None, noon()).unwrap();
    let scope = Scope::Template(USER);
    let made = authority.create_token(&admin, wanted("boss", scope), None, noon()).unwrap();
    let holder = authority.authenticate(&made.secret, noon()).unwrap();
    assert!(!holder.may(Operation::EditTokens) && holder.may(Operation::ReadOwn));
    for _ in 0..2 {
        issued(authority.enroll(&holder, ask(USER, &csr(&[])), noon()));
    }
    let other = authority.enroll(&holder, ask("VPNServerAuthentication", &csr(&[])), noon());
    assert!(matches!(other, Err(Refusal::Bound(_))));
}

/// Whichever commit fails, before or after it is on record: in the end there is exactly one valid
/// certificate, and whoever can name his request has it.
#[test]
fn exactly_one_certificate_whichever_commit_fails() {
    for fault in [Fault::BeforePersisting, Fault::AfterPersisting] {
        for (nth, key) in [(1, None), (1, Some("k")), (2, None), (2, Some("k"))] {
            let world = World::new();
            let request = csr(&[]);
            let asked = || match key {
                None => ask(USER, &request),
                Some(key) => with_key(ask(USER, &request), key, 1),
            };
            let secret = {
                let register = world.open();
                let authority = world.authority(register.clone());
                vpn_user(&authority, "alice");
                let secret = one_time(&authority);
                let authority =
                    world.authority(Arc::new(FaultyRegister::new(register, nth, fault)));
                let holder = authority.authenticate(&secret, noon()).unwrap();
                assert!(authority.enroll(&holder, asked(), noon()).is_err());
                world.crash();
                secret
            };
            let register = world.open();
            let authority = world.authority(register.clone());
            authority.put_in_order(noon().plus_seconds(5)).unwrap();
            let later = noon().plus_seconds(6);
            let holder = authority.authenticate(&secret, later).unwrap();
            let used = authority.enroll(&holder, asked(), later);
            let why = format!("{fault:?} {nth} {key:?}: {used:?}");
            // Without a key, what was issued and recorded but never answered is on record alone.
            let unanswered = key.is_none() && nth == 2 && fault == Fault::AfterPersisting;
            assert_eq!(used.is_ok(), !unanswered, "{why}");
            assert_eq!(valid(&*register), 1, "{why}");
            let holder = authority.authenticate(&secret, later).unwrap();
            assert!(authority.enroll(&holder, ask(USER, &csr(&[])), later).is_err(), "{why}");
            assert_eq!(valid(&*register), 1, "{why}");
        }
    }
}
