//! Every certificate with how it stands, however many are asked for at once.

use super::*;

/// More requests than stand in a block of the index, of which every third has no certificate.
const REQUESTS: u32 = 1300;

#[test]
fn pages_of_every_size_hold_the_same_certificates_in_order() {
    let home = tempfile::tempdir().unwrap();
    let register = open(options(&home.path().join("data"))).unwrap();
    let mut wanted = Vec::new();
    let mut entries = Vec::new();
    for number in 1..=REQUESTS {
        let id = register.next_request_id();
        assert_eq!(id, u64::from(number));
        entries.push(entry(1000, received(id, "bob", "User")));
        // Neither in the middle nor at the end of a block.
        if number % 3 == 0 || (600..700).contains(&number) {
            continue;
        }
        let is_revoked = number % 5 == 0;
        wanted.push((id, serial(number), is_revoked));
        entries.push(entry(1000, reserved(id, serial(number))));
        entries.push(entry(1000, issued(id, "bob", "User", 99_999)));
        if is_revoked {
            entries.push(entry(2000, revoked(serial(number), 2000, 4, Some(99_999))));
        }
    }
    register.commit(entries, Urgency::Ordinary).unwrap();
    for limit in [1, 7, 128, 512, 513, 5000] {
        let (mut found, mut after) = (Vec::new(), 0);
        loop {
            let listing = register.certificate_standings(after, limit).unwrap();
            assert!(listing.rows.len() <= limit);
            found.extend(
                listing
                    .rows
                    .iter()
                    .map(|row| (row.request_id, row.serial, row.revocation.is_some())),
            );
            match listing.next {
                Some(next) => {
                    assert!(next > after, "it goes on");
                    after = next;
                }
                None => break,
            }
        }
        assert_eq!(found, wanted, "{limit} at once");
    }
    for row in register.certificate_standings(0, 50).unwrap().rows {
        let one = register.certificate_standing(&row.serial).unwrap().unwrap();
        assert_eq!((one.request_id, one.revocation), (row.request_id, row.revocation));
    }
}
