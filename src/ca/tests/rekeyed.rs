//! A CA that was renewed with a new key: what the old key issued goes on counting, what it began is
//! finished with it, and nothing new is issued under it.

use std::sync::Arc;

use super::world::{World, account, administrator, ask, csr, issued, noon, vpn_user, with_key};
use crate::ca::establish::cross::{Root, intend_new_with_old, intend_old_with_new, sign_cross};
use crate::ca::establish::generations::{Generations, installed};
use crate::ca::establish::renewal::{KeyUse, intend_renewed_root};
use crate::ca::establish::sign_root;
use crate::ca::keys::EarlierKey;
use crate::ca::offices::{Limits, Office};
use crate::ca::permissions::Role;
use crate::ca::{Authority, Refusal, Requester};
use crate::pki::certificate::Certificate;
use crate::pki::denial::Rule;
use crate::pki::issuer::Issuer;
use crate::pki::revocation::RevocationReason;
use crate::pki::revocation_list::CrlScope;
use crate::pki::time::Timestamp;
use crate::signing::{CaKey, FileKey, KeyKind, MissingKey};
use crate::storage::act::{Act, Entry};
use crate::storage::faulty::{Fault, FaultyRegister};
use crate::storage::{Register, Urgency};

const USER: &str = "VPNUserAuthentication";
const SLUG: &str = "contoso-vpn-ca";

fn later() -> Timestamp {
    noon().plus_seconds(3600)
}

fn base() -> [String; 1] {
    ["http://pki.contoso.com".to_owned()]
}

/// Renews the CA with a new key, on record, as `renew-ca --new-key` does.
fn rekey(world: &World, register: &dyn Register) -> FileKey {
    let present = register.authority().unwrap().unwrap();
    let generations = Generations::of(&present);
    let old = generations.issuer(0, SLUG, &base()).unwrap();
    let key = FileKey::generate(KeyKind::P384).unwrap();
    let life = 20 * 365 * 86_400;
    let new_key: (&dyn CaKey, _) = (&key, KeyUse::New);
    let intended =
        intend_renewed_root(&old, &generations, new_key, [8; 20], later(), life).unwrap();
    let certificate = sign_root(&intended, &key).unwrap();
    let mut made = installed(present, certificate, Vec::new());
    let new = Generations::of(&made).issuer(1, SLUG, &base()).unwrap();
    let unwatched = super::world::Unwatched(world);
    let old = Root { issuer: &old, index: 0, key: &unwatched };
    let new = Root { issuer: &new, index: 1, key: &key };
    for (intended, subject, issuer) in [
        (intend_new_with_old(old, new, [1; 20]), new, old),
        (intend_old_with_new(old, new, [2; 20]), old, new),
    ] {
        made.cross.push(sign_cross(&intended, subject, issuer).unwrap());
    }
    let entry = |act| Entry { at: later().millis(), actor: None, act };
    let acts = [Act::AuthorityIntended(intended), Act::AuthorityEstablished(made)];
    register.commit(acts.into_iter().map(entry).collect(), Urgency::Ordinary).unwrap();
    key
}

/// As `serve` puts it together; the old key is `old`, or what stands for it.
fn authority(
    world: &World,
    register: Arc<dyn Register>,
    new: FileKey,
    old: Option<Arc<dyn CaKey>>,
) -> Authority {
    let generations = Generations::of(&register.authority().unwrap().unwrap());
    let [earlier, present] = [0, 1].map(|index| generations.issuer(index, SLUG, &base()).unwrap());
    let missing = MissingKey::new(earlier.public_key(), "it is gone".to_owned());
    let key = old.unwrap_or_else(|| Arc::new(missing));
    let earlier = EarlierKey { issuer: Arc::new(earlier), key };
    world
        .authority_of(register, present, Arc::new(new))
        .with_earlier_keys(vec![earlier], generations)
}

fn old_key(world: &World) -> Option<Arc<dyn CaKey>> {
    Some(Arc::clone(&world.key) as Arc<dyn CaKey>)
}

#[test]
fn what_the_old_key_issued_counts_and_what_comes_is_of_the_new_one() {
    let world = World::new();
    let register = world.open();
    let before = world.authority(register.clone());
    let alice = vpn_user(&before, "alice");
    let old = issued(before.enroll(&alice, ask(USER, &csr(&[])), noon()));
    let new_key = rekey(&world, &*register);
    let own = csr_for(&new_key);
    let authority = authority(&world, register, new_key, old_key(&world));
    let new = issued(authority.enroll(&alice, ask(USER, &csr(&[])), later()));
    assert_eq!((old.scope, new.scope), (CrlScope::FIRST, CrlScope::of_key(1)));

    let [old, new] = [&old, &new].map(|row| Certificate::from_der(&row.certificate).unwrap());
    let under = |certificate| authority.issuer_of(certificate).unwrap().key_index();
    assert_eq!((under(&old), under(&new)), (0, 1));
    // Both are believed by whoever shows them.
    for certificate in [&old, &new] {
        authority.possession(certificate.der(), later()).unwrap();
    }
    // A chain leads from each to its root, and on to that of the other key.
    let issuers: Vec<&Arc<Issuer>> = authority.issuers().collect();
    let (present, earlier) = (issuers[0], issuers[1]);
    for (leaf, own, other) in [(&new, present, earlier), (&old, earlier, present)] {
        let above = authority.above(own.key_index(), later());
        assert_eq!(above.len(), 2);
        assert_eq!(above[1], own.certificate_der());
        leaf.verify(own.public_key()).unwrap();
        let cross = Certificate::from_der(above[0]).unwrap();
        assert_eq!(cross.spki_der(), own.public_key().spki_der());
        cross.verify(other.public_key()).unwrap();
    }
    // Neither of the CA's keys is ever certified.
    for request in [own, csr_for(&super::world::Unwatched(&world))] {
        match authority.enroll(&alice, ask(USER, &request), later()) {
            Err(Refusal::Denied(_, denial)) => assert_eq!(denial.rule, Rule::AuthorityKey),
            other => panic!("{other:?}"),
        }
    }
}

fn csr_for(key: &dyn CaKey) -> Vec<u8> {
    let name = crate::pki::name::DistinguishedName::with_common_name("alice").unwrap();
    crate::ca::establish::subordinate_request(&name, key).unwrap()
}

#[test]
fn cross_certificates_hold_as_long_as_rfc_4210_has_it() {
    let world = World::of_days(100);
    let register = world.open();
    rekey(&world, &*register);
    let generations = Generations::of(&register.authority().unwrap().unwrap());
    let [old, new] = [0, 1].map(|index| generations.issuer(index, SLUG, &base()).unwrap());
    let [new_with_old, old_with_new] =
        [0, 1].map(|place| Certificate::from_der(&generations.cross()[place].certificate).unwrap());
    // New with old: from the beginning of the new key to the end of the old one.
    assert_eq!(new_with_old.not_before(), new.not_before());
    assert_eq!(new_with_old.not_after(), old.not_after());
    // Old with new: the whole life of the old one.
    assert_eq!(old_with_new.not_before(), old.not_before());
    assert_eq!(old_with_new.not_after(), old.not_after());
    for (cross, subject, issuer, crl) in [
        (&new_with_old, &new, &old, "contoso-vpn-ca.crl"),
        (&old_with_new, &old, &new, "contoso-vpn-ca-1.crl"),
    ] {
        assert_eq!(cross.subject(), subject.name());
        assert_eq!(cross.spki_der(), subject.public_key().spki_der());
        cross.verify(issuer.public_key()).unwrap();
        assert!(cross.verify(subject.public_key()).is_err());
        // Its revocation is told by the key that signed it.
        let text = String::from_utf8_lossy(cross.der()).into_owned();
        assert!(text.contains(crl), "{crl}");
        let as_authority = Issuer::new::<&[u8]>(cross.der(), &[], vec![], vec![]).unwrap();
        assert_eq!(as_authority.key_identifier(), subject.key_identifier());
    }
    // When they have ended nobody is sent them any more.
    let end = old.not_after();
    assert_eq!(generations.cross_of(1, end).count(), 1);
    assert_eq!(generations.cross_of(1, end.plus_seconds(1)).count(), 0);
}

#[test]
fn what_was_begun_under_the_old_key_is_finished_with_it_or_given_up() {
    for has_old_key in [true, false] {
        let world = World::new();
        let request = csr(&[]);
        let asked = || with_key(ask(USER, &request), "k", 1);
        let alice = {
            let register = world.open();
            let alice = vpn_user(&world.authority(register.clone()), "alice");
            // The reservation is on record, the signature is not.
            let faulty = Arc::new(FaultyRegister::new(register, 2, Fault::BeforePersisting));
            assert!(world.authority(faulty).enroll(&alice, asked(), noon()).is_err());
            world.crash();
            alice
        };
        let register = world.open();
        let orphan = register.orphans().unwrap().pop().unwrap();
        let new_key = rekey(&world, &*register);
        let old = if has_old_key { old_key(&world) } else { None };
        let authority = authority(&world, register.clone(), new_key, old);
        let told = authority.put_in_order(later()).unwrap();
        assert_eq!(told.len(), 1);
        assert!(register.orphans().unwrap().is_empty());
        let found = register.certificate(&orphan.serial).unwrap();
        if has_old_key {
            let row = found.unwrap();
            let certificate = Certificate::from_der(&row.certificate).unwrap();
            assert_eq!(authority.issuer_of(&certificate).unwrap().key_index(), 0);
            let again = issued(authority.enroll(&alice, asked(), later()));
            assert_eq!(again.serial, orphan.serial);
        } else {
            assert!(found.is_none() && told[0].contains("it is gone"), "{told:?}");
            assert!(register.revocation(&orphan.serial).unwrap().is_some());
        }
    }
}

#[test]
fn a_cross_certificate_is_revoked_like_the_rest() {
    let world = World::new();
    let register = world.open();
    let new_key = rekey(&world, &*register);
    let authority = authority(&world, register.clone(), new_key, old_key(&world));
    let generations = Generations::of(&register.authority().unwrap().unwrap());
    let new_with_old = Certificate::from_der(&generations.cross()[0].certificate).unwrap();
    let serial = new_with_old.serial();
    let revoke =
        |requester: &Requester, reason| authority.revoke(requester, &serial, reason, None, later());
    let above = || authority.above(1, later()).len();
    assert_eq!(above(), 2);

    let limits = Limits { templates: Some(vec![USER.to_owned()]), ..Limits::default() };
    let offices = vec![Office { role: Role::CertificateManager, limits }];
    let limited = Requester::of(account("mara", &[]), offices);
    let refused = revoke(&limited, RevocationReason::Superseded).unwrap_err();
    assert!(matches!(refused, Refusal::Ruled(Rule::OfficerRestricted, _)), "{refused}");
    let refused = revoke(&administrator(), RevocationReason::CertificateHold).unwrap_err();
    assert!(matches!(refused, Refusal::Conflict("not-held", _)), "{refused}");
    let done = revoke(&administrator(), RevocationReason::Superseded).unwrap();
    // Told by the key that signed it.
    assert_eq!(done.scopes, [CrlScope::FIRST]);
    assert!(register.revocation(&serial).unwrap().is_some());
    let listed = register.crl_entries(CrlScope::FIRST, Timestamp::from_millis(0)).unwrap();
    assert_eq!(listed.count, 1);
    // Nobody is sent it any more.
    assert_eq!(above(), 1);
    let again = revoke(&administrator(), RevocationReason::Superseded).unwrap_err();
    assert!(matches!(again, Refusal::Conflict("already-revoked", _)), "{again}");
}
