//! Crashes between any two commits: whatever was signed is issued or revoked afterwards.

use std::sync::Arc;

use super::super::{Refusal, Requester};
use super::world::{World, administrator, ask, csr, issued, noon, vpn_user, with_key};
use crate::pki::certificate::Certificate;
use crate::pki::serial::SerialNumber;
use crate::storage::Register;
use crate::storage::act::Act;
use crate::storage::faulty::{Fault, FaultyRegister};

const USER: &str = "VPNUserAuthentication";

/// The serial number in to-be-signed bytes on record.
fn serial_of(register: &dyn Register, tbs: &[u8]) -> SerialNumber {
    let acts = super::world::acts(register);
    let found = acts.iter().find_map(|act| match act {
        Act::SerialReserved(reserved) if reserved.tbs == tbs => Some(&reserved.serial),
        _ => None,
    });
    SerialNumber::from_der_content(found.expect("signed, but never on record")).unwrap()
}

#[test]
fn every_signature_is_accounted_for_whichever_commit_fails() {
    for fault in [Fault::BeforePersisting, Fault::AfterPersisting] {
        for (nth, key) in [(1, None), (1, Some("k")), (2, None), (2, Some("k"))] {
            let world = World::new();
            let request = csr(&[]);
            let asked = || match key {
                None => ask(USER, &request),
                Some(key) => with_key(ask(USER, &request), key, 1),
            };
            {
                let register = world.open();
                let alice = vpn_user(&world.authority(register.clone()), "alice");
                let faulty = Arc::new(FaultyRegister::new(register, nth, fault));
                let authority = world.authority(faulty);
                assert!(authority.enroll(&alice, asked(), noon()).is_err());
                // Nothing works any more, and says so.
                assert!(authority.enroll(&alice, ask(USER, &request), noon()).is_err());
                world.crash();
            }
            let register = world.open();
            let authority = world.authority(register.clone());
            authority.put_in_order(noon().plus_seconds(5)).unwrap();
            assert!(register.orphans().unwrap().is_empty());
            for tbs in world.key.signed.lock().unwrap().iter() {
                let serial = serial_of(&*register, tbs);
                let issued = register.certificate(&serial).unwrap();
                let revoked = register.revocation(&serial).unwrap();
                assert!(issued.is_some() || revoked.is_some(), "{serial} {fault:?} {nth} {key:?}");
            }
            let alice = alice_again();
            if key.is_some() {
                // Asked again with the same key: one certificate, whatever happened.
                let one = issued(authority.enroll(&alice, asked(), noon().plus_seconds(6)));
                let two = issued(authority.enroll(&alice, asked(), noon().plus_seconds(7)));
                assert_eq!(one.certificate, two.certificate);
                Certificate::from_der(&one.certificate)
                    .unwrap()
                    .verify(authority.issuer().public_key())
                    .unwrap();
                assert!(register.revocation(&one.serial).unwrap().is_none());
            }
        }
    }
}

/// A register with a reservation whose outcome is not on record.
fn with_an_orphan(world: &World) -> Arc<dyn Register> {
    {
        let register = world.open();
        let alice = vpn_user(&world.authority(register.clone()), "alice");
        let faulty = Arc::new(FaultyRegister::new(register, 2, Fault::BeforePersisting));
        world.authority(faulty).enroll(&alice, ask(USER, &csr(&[])), noon()).unwrap_err();
        world.crash();
    }
    world.open()
}

/// An authority over an orphan issues nothing from its first moment, whoever forgets to put the
/// register in order and however often that fails; and the start puts it in order although it
/// cannot itself be recorded.
#[test]
fn what_was_left_is_settled_though_the_start_cannot_be_recorded() {
    let world = World::new();
    let register = with_an_orphan(&world);
    let full = Arc::new(FaultyRegister::new(register.clone(), 1, Fault::FullOnce));
    let authority = world.authority(full);
    let alice = alice_again();
    let request = csr(&[]);
    let later = noon().plus_seconds(5);
    let refused = authority.enroll(&alice, ask(USER, &request), later).unwrap_err();
    assert!(matches!(refused, Refusal::Unavailable("not-in-order", _)), "{refused}");
    assert_eq!(register.orphans().unwrap().len(), 1);

    let told = authority.start("1.2.3", later).unwrap();
    assert!(register.orphans().unwrap().is_empty());
    assert!(told[0].contains("revoked") && told[1].contains("not on record"), "{told:?}");
    issued(authority.enroll(&alice, ask(USER, &request), later));
}

/// The disk is full at the start and has room a moment later: nothing is issued beside what the
/// last run left.
#[test]
fn nothing_is_issued_before_what_was_left_is_in_order() {
    let world = World::new();
    let request = csr(&[]);
    let register = with_an_orphan(&world);
    let full = Arc::new(FaultyRegister::new(register.clone(), 1, Fault::FullOnce));
    let authority = world.authority(full);
    let alice = alice_again();
    let later = noon().plus_seconds(5);
    authority.put_in_order(later).unwrap_err();
    let refused = authority.enroll(&alice, ask(USER, &request), later).unwrap_err();
    assert!(matches!(refused, Refusal::Unavailable("not-in-order", _)), "{refused}");
    assert_eq!(register.orphans().unwrap().len(), 1);

    authority.put_in_order_if_it_is_not(later).unwrap();
    assert!(register.orphans().unwrap().is_empty());
    issued(authority.enroll(&alice, ask(USER, &request), later));
}

fn alice_again() -> Requester {
    let mut alice = administrator();
    alice.account = super::world::account("alice", &["VPN Users"]);
    alice.roles = Vec::new();
    alice
}

#[test]
fn a_signature_that_cannot_be_made_leaves_no_other_orphan_behind() {
    let world = World::new();
    {
        let register = world.open();
        let authority = world.authority(register.clone());
        let alice = vpn_user(&authority, "alice");
        // The reservation is recorded, the certificate is not: of two calls at a time.
        let authorities = [(); 2].map(|()| {
            let faulty = FaultyRegister::new(register.clone(), 2, Fault::BeforePersisting);
            world.authority(Arc::new(faulty))
        });
        for (key, authority) in ["one", "two"].into_iter().zip(authorities) {
            let request = csr(&[]);
            authority.enroll(&alice, with_key(ask(USER, &request), key, 1), noon()).unwrap_err();
        }
        world.crash();
    }
    let register = world.open();
    let authority = world.authority(register.clone());
    assert_eq!(register.orphans().unwrap().len(), 2);
    world.key.broken.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(authority.put_in_order(noon().plus_seconds(5)).unwrap().len(), 2);
    assert!(register.orphans().unwrap().is_empty());
}
