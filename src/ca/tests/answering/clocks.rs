//! A clock that was ahead and was put back: whatever it took for ended and left out is answered
//! about as if nothing had been, and at no moment otherwise than the ledger says.

use super::*;

const DAY: u64 = 86_400;

/// Attempts after which there should be nothing more to do.
const MANY: usize = 200;

/// A look that may go on, and what must hold after each.
fn settle_watching(stand: &Stand, now: Timestamp, watch: impl Fn()) {
    for _ in 0..MANY {
        watch();
        if stand.maker.attempt(now).unwrap() == Work::Done {
            watch();
            assert_eq!(stand.maker.trouble(now), None);
            return;
        }
    }
    panic!("the answers are made again and again");
}

/// What has ended by the clock may be revoked all the same, and nobody need be answered about it
/// then. With the clock put back it is alive, and what it was answered before must not hold.
#[test]
fn what_was_revoked_while_the_clock_was_ahead_is_never_good_again() {
    // No round comes meanwhile: one because it is not due, one because the clock was not far ahead.
    for (ends, ahead, back) in [(900, 1800, 60), (100, 300, 50)] {
        let stand = Stand::new();
        put_on_record(stand.register.as_ref(), 3, |_| noon().seconds() + ends);
        stand.settle(noon());
        let (ahead, back) = (noon().plus_seconds(ahead), noon().plus_seconds(back));
        revoke(&stand, 0, ahead);
        stand.settle(ahead);
        let told = revoked(ahead, KeyCompromise);
        // At once, before the maker has even seen the clock.
        stand.assert_standing(&serial(0), &told, ahead, back);
        settle_watching(&stand, back, || {
            let asked = stand.stored(IssuerHash::Sha256, &serial(0), back);
            let good = stand.id(IssuerHash::Sha256, &serial(0));
            let (this_update, next_update) = times(noon());
            let good = single_response(&good, &Standing::Good, this_update, next_update);
            assert!(!holds(&asked.octets, &good));
        });
        // Answers of the future are made anew; thisUpdate of the others has begun by this clock.
        let made = if ahead > back.plus_seconds(600) { back } else { ahead };
        stand.assert_standing(&serial(0), &told, made, back);
    }
}

/// A round of a clock that was ahead leaves out whoever had ended by it, and forgets them.
#[test]
fn whoever_a_round_left_out_is_answered_about_when_the_clock_is_put_back() {
    for restarted in [false, true] {
        let mut stand = Stand::new();
        put_on_record(stand.register.as_ref(), 40, |number| {
            noon().seconds() + if number < 20 { DAY } else { 9 * DAY }
        });
        stand.settle(noon());
        let ahead = noon().plus_seconds(2 * DAY);
        revoke(&stand, 0, ahead);
        stand.settle(ahead);
        assert_eq!(stand.maker.round(ahead).unwrap(), (21, 0));
        stand.assert_status(&serial(1), ResponseStatus::Unauthorized, ahead);

        let back = noon().plus_seconds(3 * 3600);
        if restarted {
            stand.maker.stop();
            stand.maker.run(&|| ahead); // closes
            stand.again();
        } else {
            // They are alive, so nobody may say that they are not ours; and it is said why.
            stand.assert_status(&serial(1), ResponseStatus::TryLater, back);
            assert!(stand.maker.trouble(back).is_some());
        }
        settle_watching(&stand, back, || {
            for number in 0..20 {
                match stand.found(&serial(number), back) {
                    Found::Status(status) => assert_eq!(status, ResponseStatus::TryLater),
                    Found::Stored(_) => {}
                    Found::Fresh(_) => panic!("nobody sent a nonce"),
                }
            }
        });
        stand.assert_standing(&serial(0), &revoked(ahead, KeyCompromise), back, back);
        for number in 1..40 {
            stand.assert_standing(&serial(number), &Standing::Good, back, back);
        }
        stand.assert_status(&serial(9999), ResponseStatus::Unauthorized, back);
    }
}

/// The clock is ahead for a part of the first round, by less than a round would be due for.
#[test]
fn whoever_a_part_of_a_round_left_out_is_not_forgotten() {
    let stand = Stand::new();
    put_on_record(stand.register.as_ref(), 500, |_| noon().seconds() + 100);
    while stand.signed() < 200 {
        stand.maker.attempt(noon()).unwrap();
    }
    stand.settle(noon().plus_seconds(300));
    let back = noon().plus_seconds(50);
    settle_watching(&stand, back, || {
        if let Found::Status(status) = stand.found(&serial(499), back) {
            assert_eq!(status, ResponseStatus::TryLater);
        }
    });
    for number in 0..500 {
        stand.stored(IssuerHash::Sha1, &serial(number), back);
    }
}

/// A certificate is valid through the second of its notAfter (RFC 5280 §4.1.2.5): in it nobody is
/// left out, and no round follows another.
#[test]
fn the_last_second_of_a_certificate_is_its_own() {
    let stand = Stand::new();
    let end = noon().plus_seconds(100);
    put_on_record(stand.register.as_ref(), 5, |_| end.seconds());
    let now = Timestamp::from_millis(end.millis() + 500);
    settle_watching(&stand, now, || {});
    stand.assert_standing(&serial(0), &Standing::Good, now.whole_seconds(), now);
    // A second later they have ended: with the clock back in their last one, they are there.
    let stand = Stand::new();
    put_on_record(stand.register.as_ref(), 5, |_| end.seconds());
    settle_watching(&stand, end.plus_seconds(1), || {});
    stand.assert_status(&serial(0), ResponseStatus::Unauthorized, end.plus_seconds(1));
    settle_watching(&stand, now, || {});
    stand.assert_standing(&serial(0), &Standing::Good, now.whole_seconds(), now);
}

/// Nothing of this costs anybody anything while the clock is right, or is set back by seconds.
#[test]
fn a_clock_that_is_corrected_makes_no_round() {
    let stand = Stand::new();
    put_on_record(stand.register.as_ref(), 40, |number| noon().seconds() + 10 * number);
    stand.settle(noon().plus_seconds(95));
    let signed = stand.signed();
    for seconds in [200, 190, 130, 400, 100] {
        settle_watching(&stand, noon().plus_seconds(seconds), || {});
    }
    assert_eq!(stand.signed(), signed);
}
