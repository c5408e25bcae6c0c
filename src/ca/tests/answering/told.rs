//! What is answered to whom, and at the cost of which signatures.

use super::*;

#[test]
fn every_standing_is_told_as_soon_as_it_is_on_record() {
    let stand = Stand::new();
    let alice = vpn_user(&stand.authority, "alice");
    let first = issued(stand.authority.enroll(&alice, ask(USER, &csr(&[])), noon())).serial;
    // Nobody can say yet who is not known.
    stand.assert_status(&first, ResponseStatus::TryLater, noon());
    assert!(stand.maker.trouble(noon()).is_some());
    stand.settle(noon());
    assert_eq!(stand.maker.trouble(noon()), None);
    stand.assert_standing(&first, &Standing::Good, noon(), noon());

    // Issued, held, released, revoked: each by the next look at the ledger.
    let mut now = noon().plus_seconds(10);
    let second = issued(stand.authority.enroll(&alice, ask(USER, &csr(&[])), now)).serial;
    stand.settle(now);
    stand.assert_standing(&second, &Standing::Good, now, now);
    stand.assert_standing(&first, &Standing::Good, noon(), now);
    let root = administrator();
    for reason in [CertificateHold, KeyCompromise] {
        now = now.plus_seconds(10);
        let done = stand.authority.revoke(&root, &first, reason, None, now).unwrap();
        assert!(!stand.maker.reflects(done.sequence));
        stand.settle(now);
        assert!(stand.maker.reflects(done.sequence));
        stand.assert_standing(&first, &revoked(now, reason), now, now);
    }
    let held = stand.authority.revoke(&root, &second, CertificateHold, None, now).unwrap();
    stand.settle(now);
    assert!(stand.maker.reflects(held.sequence));
    stand.assert_standing(&second, &revoked(now, CertificateHold), now, now);
    now = now.plus_seconds(10);
    stand.authority.release(&root, &second, now).unwrap();
    stand.settle(now);
    stand.assert_standing(&second, &Standing::Good, now, now);

    // A round makes everybody's anew, and says the same.
    let later = now.plus_seconds(PERIOD);
    stand.settle(later);
    let told = revoked(noon().plus_seconds(30), KeyCompromise);
    stand.assert_standing(&first, &told, later, later);
    stand.assert_standing(&second, &Standing::Good, later, later);
    let acts = acts(stand.register.as_ref());
    let ended: Vec<_> = acts
        .iter()
        .filter_map(|act| match act {
            Act::AnswersRenewed(renewed) => Some((renewed.round, renewed.certificates)),
            _ => None,
        })
        .collect();
    // Two users' and the responder's own.
    assert_eq!(ended, [(1, 2), (2, 3)]);
}

#[test]
fn serving_never_signs_and_what_is_not_ours_costs_nothing() {
    let stand = Stand::new();
    put_on_record(stand.register.as_ref(), 20, |_| noon().seconds() + 86_400);
    stand.settle(noon());
    let signed = stand.signed();
    assert_eq!(signed, 2 * 21);
    let other = World::new();
    let foreign = IssuerIdentity::of(other.authority(other.open()).issuer());
    for number in 0..20 {
        for hash in IssuerHash::ALL {
            stand.stored(hash, &serial(number), noon());
            let never = stand.request(hash, &serial(1000 + number));
            let theirs = request(&[foreign.certificate_id(hash, &serial(number))], Some(b"x"));
            for asked in [never, theirs, request(&[vec![0x30, 0]], None), vec![]] {
                let Found::Status(status) = stand.point.find(&asked, noon()) else { panic!() };
                let expected = match asked.len() {
                    0..20 => ResponseStatus::MalformedRequest,
                    _ => ResponseStatus::Unauthorized,
                };
                assert_eq!(status, expected);
            }
        }
    }
    assert_eq!(stand.signed(), signed, "serving has signed");
    let counts = stand.point.counts();
    assert_eq!((counts.stored(), counts.fresh()), (40, 0));
    assert_eq!(counts.status(ResponseStatus::Unauthorized), 80);
    assert_eq!(counts.status(ResponseStatus::MalformedRequest), 80);
}

#[test]
fn a_nonce_and_several_certificates_cost_one_signature_and_say_what_is_stored() {
    let stand = Stand::new();
    put_on_record(stand.register.as_ref(), 3, |_| noon().seconds() + 86_400);
    stand.settle(noon());
    let before = stand.signed();
    let now = noon().plus_seconds(60);
    let unknown = stand.id(IssuerHash::Sha1, &serial(99));
    let ids = [
        stand.id(IssuerHash::Sha1, &serial(0)),
        stand.id(IssuerHash::Sha256, &serial(1)),
        unknown.clone(),
    ];
    let (this_update, next_update) = times(noon());
    for (ids, nonce) in [
        (&ids[..1], Some(&b"0123456789abcdef0123456789abcdef"[..])),
        (&ids[..2], None),
        (&ids[..], Some(&b"n"[..])),
    ] {
        let Found::Fresh(fresh) = stand.point.find(&request(ids, nonce), now) else { panic!() };
        let (done, signed) = mpsc::channel();
        stand.point.sign(fresh, move |octets| done.send(octets).unwrap()).unwrap();
        let octets = signed.recv().unwrap();
        for id in ids {
            let single = if *id == unknown {
                single_response(id, &Standing::Unknown, now, next_update)
            } else {
                single_response(id, &Standing::Good, this_update, next_update)
            };
            assert!(holds(&octets, &single));
        }
        assert!(nonce.is_none_or(|nonce| holds(&octets, nonce)));
    }
    assert_eq!(stand.signed(), before + 3);
    // None of ours among them: nothing is signed.
    let asked = request(&[unknown.clone(), unknown], None);
    let Found::Status(status) = stand.point.find(&asked, now) else { panic!() };
    assert_eq!(status, ResponseStatus::Unauthorized);
    assert_eq!(stand.signed(), before + 3);

    // Nonces may be passed over: the stored answer, without one.
    let (maker, point) = maker(
        &stand.world,
        &stand.register,
        &stand.authority,
        &stand.responders,
        Nonces::PassedOver,
    );
    while maker.attempt(now).unwrap() == Work::GoesOn {}
    let found = point.find(&request(&ids[..1], Some(b"0123456789abcdef")), now);
    assert!(matches!(found, Found::Stored(_)), "{found:?}");
}

#[test]
fn full_means_come_again() {
    let stand = Stand::new();
    put_on_record(stand.register.as_ref(), 1, |_| noon().seconds() + 86_400);
    stand.settle(noon());
    let asked = request(&[stand.id(IssuerHash::Sha1, &serial(0))], Some(b"nonce"));
    let fresh = || match stand.point.find(&asked, noon()) {
        Found::Fresh(fresh) => fresh,
        other => panic!("{other:?}"),
    };
    // The one thread waits in the first answer's hands.
    let (release, released) = mpsc::channel::<()>();
    let (begun, has_begun) = mpsc::channel();
    let wait = move |_| {
        begun.send(()).unwrap();
        let _ = released.recv();
    };
    stand.point.sign(fresh(), wait).unwrap();
    has_begun.recv().unwrap();
    let mut taken = 0;
    while stand.point.sign(fresh(), |_| {}).is_ok() {
        taken += 1;
        assert!(taken < 10_000, "the queue has no bound");
    }
    let counts = stand.point.counts();
    assert_eq!(counts.status(ResponseStatus::TryLater), 1);
    assert_eq!(counts.fresh(), taken + 1);
    drop(release);
    while stand.point.sign(fresh(), |_| {}).is_err() {
        std::thread::yield_now();
    }
}
