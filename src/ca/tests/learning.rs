//! What a copy of the register learns from the CRLs that were published after it was made.

use super::world::{World, administrator, ask, csr, issued, noon, vpn_user};
use crate::ca::establish::ListedRevocations;
use crate::ca::establish::learning::{LearningError, learn};
use crate::pki::revocation::Revocation;
use crate::pki::revocation::RevocationReason::{CertificateHold, KeyCompromise};
use crate::pki::revocation_list::CrlEntry;
use crate::pki::serial::SerialNumber;
use crate::storage::act::{Act, CrlIntended, CrlPublished, Entry};
use crate::storage::{Register, Urgency};

fn listing(number: u64, entries: Vec<CrlEntry>) -> ListedRevocations {
    let this_update = noon().plus_seconds(500);
    ListedRevocations { number: Some(number), this_update, names_deltas: false, entries }
}

fn entry(serial: SerialNumber) -> CrlEntry {
    let revocation = Revocation {
        revoked_at: noon().plus_seconds(400),
        reason: KeyCompromise,
        invalidity_date: None,
    };
    CrlEntry { serial, revocation }
}

fn intended(number: u64) -> Act {
    Act::CrlIntended(CrlIntended {
        number,
        this_update: noon().seconds(),
        next_update: noon().seconds() + 1,
        next_publish: noon().seconds() + 1,
        tbs_digest: vec![0; 32],
        entries: 0,
        sequence: Some(1),
        base: None,
        oldest_held: None,
        freshest: Some(false),
        scope: None,
    })
}

fn put(register: &dyn Register, act: Act) {
    let entry = Entry { at: noon().millis(), actor: None, act };
    register.commit(vec![entry], Urgency::Reserved).unwrap();
}

/// A hold that became final after the copy was made must not be one that can be released.
#[test]
fn what_became_final_is_learnt_as_final() {
    let world = World::new();
    let register = world.open();
    let authority = world.authority(register.clone());
    let alice = vpn_user(&authority, "alice");
    let request = csr(&[]);
    let enrolled = authority.enroll(&alice, ask("VPNUserAuthentication", &request), noon());
    let serial = issued(enrolled).serial;
    authority.revoke(&administrator(), &serial, CertificateHold, None, noon()).unwrap();
    let present = register.authority().unwrap().unwrap();
    let listed = listing(7, vec![entry(serial)]);
    assert_eq!(learn(&*register, present, &[(0, listed)], &[], noon()).unwrap(), [1]);
    let found = register.revocation(&serial).unwrap().unwrap();
    assert_eq!((found.reason, found.revoked_at), (KeyCompromise, noon().plus_seconds(400)));
    authority.release(&administrator(), &serial, noon()).unwrap_err();
}

#[test]
fn number_and_time_go_on_above_what_was_published() {
    let world = World::new();
    let register = world.open();
    let listed = [(0, listing(7, Vec::new()))];
    for _ in 0..2 {
        let present = register.authority().unwrap().unwrap();
        learn(&*register, present, &listed, &[], noon()).unwrap();
        let raised = register.authority().unwrap().unwrap();
        assert_eq!(raised.next_crl_number, 8);
        assert_eq!(raised.latest_this_update, Some(noon().seconds() + 500));
    }
}

/// One that was intended when the copy was made, and never published, is no reason to refuse the
/// newest that there is.
#[test]
fn only_what_was_published_makes_a_crl_an_old_one() {
    let world = World::new();
    let register = world.open();
    put(&*register, intended(9));
    let present = register.authority().unwrap().unwrap();
    let listed = [(0, listing(7, Vec::new()))];
    learn(&*register, present.clone(), &listed, &[], noon()).unwrap();
    put(&*register, Act::CrlPublished(CrlPublished { number: 9, size: 1, sha256: [0; 32] }));
    let refused = learn(&*register, present, &listed, &[], noon()).unwrap_err();
    assert!(matches!(refused, LearningError::OldCrl { given: 7, recorded: 9 }), "{refused}");
}
