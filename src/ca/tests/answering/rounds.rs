//! When answers are made: after a start, after a crash, at their end, by the next responder.

use super::*;

#[test]
fn a_new_start_signs_nothing_anew_and_serves_nothing_old() {
    let mut stand = Stand::new();
    put_on_record(stand.register.as_ref(), 10, |_| noon().seconds() + 86_400);
    stand.settle(noon());
    let before = stand.stored(IssuerHash::Sha256, &serial(3), noon());
    let signed = stand.signed();
    stand.again();
    stand.assert_status(&serial(3), ResponseStatus::TryLater, noon());
    stand.settle(noon());
    assert_eq!(stand.stored(IssuerHash::Sha256, &serial(3), noon()), before);
    assert_eq!(stand.signed(), signed);

    // Revoked while nobody made answers: never good again, from the first answer on.
    let now = noon().plus_seconds(30);
    revoke(&stand, 3, now);
    stand.again();
    loop {
        let work = stand.maker.attempt(now).unwrap();
        if let Found::Stored(stored) = stand.found(&serial(3), now) {
            let id = stand.id(IssuerHash::Sha1, &serial(3));
            let (this_update, next_update) = times(now);
            let single =
                single_response(&id, &revoked(now, KeyCompromise), this_update, next_update);
            assert!(holds(&stored.octets, &single));
        }
        if work == Work::Done {
            break;
        }
    }
    assert_eq!(stand.signed(), signed + 2);
}

/// Of the last minutes of a CA, or of a key of before: a new responder would end with it as well.
#[test]
fn a_responder_that_ends_with_its_ca_is_not_exchanged_for_another() {
    let stand = Stand::new();
    let near = stand.authority.issuer().not_after().minus_seconds(200);
    for second in 0..100 {
        stand.maker.attempt(near.plus_seconds(second)).unwrap();
    }
    let all = acts(stand.register.as_ref());
    let appointed = all.iter().filter(|act| matches!(act, Act::ResponderAppointed(_)));
    assert_eq!(appointed.count(), 1);
}

#[test]
fn a_round_goes_on_where_it_was_cut_off() {
    let mut stand = Stand::new();
    let count = 500;
    put_on_record(stand.register.as_ref(), count, |_| noon().seconds() + 86_400);
    let mut attempts = 0;
    loop {
        attempts += 1;
        // The progress is synced now and then, not with every slice: here it is.
        if stand.maker.attempt(noon()).unwrap() == Work::Done {
            break;
        }
        if stand.signed() >= 256 && stand.signed() < 600 {
            stand.maker.stop();
            stand.maker.run(&noon); // closes
            let signed = stand.signed();
            stand.again();
            while stand.signed() == signed {
                stand.maker.attempt(noon()).unwrap();
                stand.assert_status(&serial(9999), ResponseStatus::TryLater, noon());
            }
        }
        assert!(attempts < 1000);
    }
    // Each once: those of the last slice before a stop stand in the file as well.
    assert_eq!(stand.signed(), 2 * (count + 1));
    for number in 0..count {
        stand.stored(IssuerHash::Sha1, &serial(number), noon());
    }
    stand.assert_status(&serial(9999), ResponseStatus::Unauthorized, noon());
}

/// Its responder could not be certified any more, and each refusal would go on record.
#[test]
fn nothing_is_asked_for_once_the_ca_has_ended() {
    let stand = Stand::new();
    put_on_record(stand.register.as_ref(), 3, |_| noon().seconds() + 86_400);
    stand.settle(noon());
    let (signed, sequence) = (stand.signed(), stand.register.head().sequence);
    let ends = stand.authority.issuer().not_after();
    for seconds in [1, 60, 86_400] {
        assert_eq!(stand.maker.attempt(ends.plus_seconds(seconds)).unwrap(), Work::Done);
    }
    assert_eq!((stand.signed(), stand.register.head().sequence), (signed, sequence));
}

/// While one slice is signed the next one is read: who is revoked in between stays revoked.
#[test]
fn what_was_read_beforehand_does_not_take_a_revocation_back() {
    let stand = Stand::new();
    let count = 500;
    put_on_record(stand.register.as_ref(), count, |_| noon().seconds() + 86_400);
    while stand.signed() < 2 * 64 {
        assert_eq!(stand.maker.attempt(noon()).unwrap(), Work::GoesOn);
    }
    // Whoever comes next, and everybody after him.
    let half_way = stand.signed() / 2;
    for number in half_way..count {
        revoke(&stand, number, noon());
    }
    stand.settle(noon());
    for number in half_way..count {
        stand.assert_standing(&serial(number), &revoked(noon(), KeyCompromise), noon(), noon());
    }
    stand.assert_standing(&serial(0), &Standing::Good, noon(), noon());
}

#[test]
fn answers_end_with_their_time_and_certificates_with_theirs() {
    let stand = Stand::new();
    let day = 86_400;
    put_on_record(stand.register.as_ref(), 40, |number| {
        noon().seconds() + if number < 20 { PERIOD / 2 } else { day }
    });
    stand.settle(noon());
    stand.assert_standing(&serial(0), &Standing::Good, noon(), noon());
    // Nobody renews them: never past their nextUpdate, and never `good` instead.
    let end = noon().plus_seconds(2 * PERIOD);
    stand.assert_standing(&serial(0), &Standing::Good, noon(), end.minus_seconds(1));
    stand.assert_status(&serial(0), ResponseStatus::Unauthorized, end);
    stand.assert_status(&serial(30), ResponseStatus::TryLater, end);
    assert!(stand.maker.trouble(noon().plus_seconds(PERIOD + 60)).is_none());
    assert!(stand.maker.trouble(noon().plus_seconds(PERIOD / 2 * 3)).is_some());

    // The next round leaves out who has ended, and then forgets them.
    let later = noon().plus_seconds(PERIOD);
    stand.settle(later);
    assert_eq!(stand.maker.round(later).unwrap(), (21, 0));
    stand.assert_status(&serial(0), ResponseStatus::Unauthorized, later);
    stand.assert_standing(&serial(30), &Standing::Good, later, later);

    // A clock that went back for good: answers of today, not of the future.
    let earlier = noon().plus_seconds(60);
    stand.settle(earlier);
    stand.assert_standing(&serial(30), &Standing::Good, earlier, earlier);
}

/// Half a period before the first answers end, also while a round is under way that does not come to
/// its end: until then those of the round before are served.
#[test]
fn answers_that_nothing_renews_are_told_before_they_end() {
    let stand = Stand::new();
    put_on_record(stand.register.as_ref(), 500, |_| noon().seconds() + 30 * 86_400);
    assert_eq!(stand.maker.ending(noon()), None);
    stand.settle(noon());
    let end = noon().plus_seconds(2 * PERIOD);
    let told = |at: Timestamp| {
        let ending = stand.maker.ending(at);
        assert_eq!(ending.is_some(), stand.maker.trouble(at).is_some(), "{ending:?}");
        ending.map(|own| (own.key_index, own.next_update))
    };
    let late = end.minus_seconds(PERIOD / 2);
    assert_eq!(told(late.minus_seconds(1)), None);
    assert_eq!(told(late), Some((0, end)));
    // It begins in time, and gets nowhere.
    assert_eq!(stand.maker.attempt(noon().plus_seconds(PERIOD)).unwrap(), Work::GoesOn);
    assert_eq!(told(late.minus_seconds(1)), None);
    assert_eq!(told(late), Some((0, end)));
    stand.assert_standing(&serial(499), &Standing::Good, noon(), late);
    stand.settle(late);
    assert_eq!(told(late), None);
}

#[test]
fn a_serial_number_known_by_its_revocation_alone_is_revoked() {
    // An adopted CA's certificates.
    let stand = Stand::new();
    let act = |number: u64| {
        Act::CertificateRevoked(act::CertificateRevoked {
            serial: serial(number).as_der_content().to_vec(),
            revoked_at: noon().millis(),
            reason: 1,
            invalidity_date: None,
            not_after: None,
            key_sha256: None,
            scope: None,
        })
    };
    let entry = |number| Entry { at: noon().millis(), actor: None, act: act(number) };
    stand.register.commit((0..300).map(entry).collect(), Urgency::Reserved).unwrap();
    stand.settle(noon());
    for number in 0..300 {
        stand.assert_standing(&serial(number), &revoked(noon(), KeyCompromise), noon(), noon());
    }
    stand.register.commit(vec![entry(300)], Urgency::Reserved).unwrap();
    stand.settle(noon());
    let later = noon().plus_seconds(PERIOD);
    stand.settle(later);
    for number in [0, 299, 300] {
        stand.assert_standing(&serial(number), &revoked(noon(), KeyCompromise), later, later);
    }
    stand.assert_status(&serial(301), ResponseStatus::Unauthorized, later);
}

#[test]
fn the_responder_is_exchanged_and_no_answer_outlives_him() {
    let stand = Stand::new();
    put_on_record(stand.register.as_ref(), 5, |_| noon().seconds() + 90 * 86_400);
    stand.settle(noon());
    let first = stand.responders.responder(noon()).unwrap();
    let due = first.renewal_due();
    // Two weeks of life, two thirds of it.
    assert!(due > noon().plus_seconds(8 * 86_400) && due < noon().plus_seconds(10 * 86_400));
    let one = stand.stored(IssuerHash::Sha1, &serial(0), noon());
    assert!(holds(&one.octets, first.certificate().der()));
    stand.settle(due);
    let second = stand.responders.responder(due).unwrap();
    assert_ne!(first.certificate().serial(), second.certificate().serial());
    for number in 0..5 {
        let stored = stand.stored(IssuerHash::Sha1, &serial(number), due);
        assert!(holds(&stored.octets, second.certificate().der()));
        assert!(stored.next_update <= second.certificate().not_after());
    }
    let acts = acts(stand.register.as_ref());
    let appointed = acts.iter().filter(|act| matches!(act, Act::ResponderAppointed(_))).count();
    assert_eq!(appointed, 2);
    // It is itself answered about, like every certificate.
    let own = second.certificate().serial();
    stand.assert_standing(&own, &Standing::Good, due, due);
}

#[test]
fn another_ledgers_answers_are_not_served() {
    let stand = Stand::new();
    put_on_record(stand.register.as_ref(), 5, |_| noon().seconds() + 86_400);
    stand.settle(noon());
    // An older copy of the ledger, which went another way since.
    let other = Stand::new();
    put_on_record(other.register.as_ref(), 200, |_| noon().seconds() + 86_400);
    for file in std::fs::read_dir(stand.world.data.path().join("ocsp")).unwrap() {
        let file = file.unwrap();
        let to = other.world.data.path().join("ocsp").join(file.file_name());
        std::fs::copy(file.path(), to).unwrap();
    }
    let (maker, point) =
        maker(&other.world, &other.register, &other.authority, &other.responders, Nonces::Answered);
    let before = other.signed();
    while maker.attempt(noon()).unwrap() == Work::GoesOn {}
    assert_eq!(other.signed() - before, 2 * 201);
    let asked = other.request(IssuerHash::Sha1, &serial(150));
    assert!(matches!(point.find(&asked, noon()), Found::Stored(_)));
}
