//! What each scope lists, at once, after a reopening, and made anew from the ledger.

use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::os::unix::fs::FileExt;

use super::Place;
use crate::pki::revocation_list::{CrlEntry, CrlScope};
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::storage::act::{
    Act, CertificateRevoked, CrlIntended, CrlPublished, Partition, RevokedScope, Scope,
    SerialReserved,
};
use crate::storage::tests::{
    distrusting, entry, options, received, released, revoked, serial, tbs,
};
use crate::storage::{CrlEntries, LedgerRegister, Page, Register, Urgency, open};

fn scope(key: u16, partition: u16) -> CrlScope {
    CrlScope { key, partition: NonZeroU16::new(partition) }
}

fn put(register: &LedgerRegister, act: Act) {
    register.commit(vec![entry(1000, act)], Urgency::Reserved).unwrap();
}

/// A certificate number that was reserved in a scope and revoked (a hold).
fn revoke(register: &LedgerRegister, number: u32, scope: CrlScope) {
    let (request_id, of) = (register.next_request_id(), serial(number));
    put(register, received(request_id, "bob", "User"));
    let reserved = SerialReserved {
        request_id,
        serial: of.as_der_content().to_vec(),
        tbs: tbs(of),
        scope: Scope::of(scope),
    };
    put(register, Act::SerialReserved(reserved));
    put(register, revoked(of, 1000, 6, Some(u64::MAX / 2)));
}

/// One that only a CRL told of.
fn learnt(register: &LedgerRegister, number: u32, key: u16, partition: Partition) {
    let Act::CertificateRevoked(act) = revoked(serial(number), 1000, 6, None) else { panic!() };
    let scope = Some(RevokedScope { key, partition });
    put(register, Act::CertificateRevoked(CertificateRevoked { scope, ..act }));
}

fn numbers(entries: &CrlEntries) -> BTreeSet<SerialNumber> {
    let mut octets = vec![0; usize::try_from(entries.length).unwrap()];
    entries.file.read_exact_at(&mut octets, 0).unwrap();
    let (mut rest, mut found) = (octets.as_slice(), BTreeSet::new());
    while !rest.is_empty() {
        let (one, more) = rest.split_at(2 + usize::from(rest[1]));
        assert!(found.insert(CrlEntry::decode(one).unwrap().serial));
        rest = more;
    }
    assert_eq!(found.len() as u64, entries.count);
    found
}

fn listed(register: &LedgerRegister, of: CrlScope) -> BTreeSet<SerialNumber> {
    let entries = register.crl_entries(of, Timestamp::from_millis(0)).unwrap();
    assert_eq!(entries.sequence, register.head().sequence, "{of:?}");
    numbers(&entries)
}

fn these(numbers: &[u32]) -> BTreeSet<SerialNumber> {
    numbers.iter().copied().map(serial).collect()
}

/// What [`a_life`] comes to.
const EXPECTED: [(u16, u16, &[u32]); 8] = [
    (0, 0, &[1, 2, 3, 5, 6, 20, 21, 22, 23]),
    (0, 1, &[2, 21, 22, 23]),
    (0, 2, &[3, 20, 21, 22, 23]),
    // Nobody was ever in this one, and yet it may be theirs.
    (0, 3, &[21, 22, 23]),
    // Whoever knows a list by the CA's name alone may take it for another key's.
    (1, 0, &[1, 2, 3, 5, 6, 20, 21, 22, 23]),
    (1, 1, &[6]),
    (1, 2, &[]),
    (2, 0, &[1, 2, 3, 5, 6, 20, 21, 22, 23]),
];

fn a_life(register: &LedgerRegister) {
    revoke(register, 1, scope(0, 0));
    learnt(register, 21, 0, Partition::Unknown);
    // The partition begins after somebody whose partition is not known, and before another.
    revoke(register, 2, scope(0, 1));
    learnt(register, 22, 0, Partition::Unknown);
    revoke(register, 3, scope(0, 2));
    learnt(register, 20, 0, Partition::Known(NonZeroU16::new(2).unwrap()));
    learnt(register, 23, 0, Partition::Unknown);
    revoke(register, 4, scope(0, 1));
    put(register, released(serial(4)));
    revoke(register, 5, scope(1, 0));
    revoke(register, 6, scope(1, 1));
}

fn assert_as_expected(register: &LedgerRegister) {
    for (key, partition, expected) in EXPECTED {
        assert_eq!(listed(register, scope(key, partition)), these(expected), "{key} {partition}");
    }
}

#[test]
fn each_scope_lists_its_own_and_whoever_may_be_its_own() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let register = open(options(&data)).unwrap();
    a_life(&register);
    assert_as_expected(&register);
    register.close().unwrap();
    drop(register);
    for again in [options(&data), distrusting(&data), options(&data)] {
        let register = open(again).unwrap();
        assert_as_expected(&register);
        register.close().unwrap();
    }
}

#[test]
fn released_and_changed_ones_are_told_by_the_scope_they_are_in() {
    let home = tempfile::tempdir().unwrap();
    let register = open(options(&home.path().join("data"))).unwrap();
    a_life(&register);
    let changes = |of| register.crl_changes(of, 0, Timestamp::from_seconds(0)).unwrap().count;
    // Those listed, and number 4, which was released.
    assert_eq!((changes(scope(0, 0)), changes(scope(0, 1))), (10, 5));
    assert_eq!((changes(scope(0, 2)), changes(scope(1, 0))), (5, 10));
}

#[test]
fn a_place_that_is_missing_is_made_anew_from_the_ledger() {
    let places = [scope(0, 1), scope(0, 2), scope(1, 0)].map(Place::Scope);
    for place in places.into_iter().chain([Place::Unplaced(0), Place::FIRST]) {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        let register = open(options(&data)).unwrap();
        a_life(&register);
        register.close().unwrap();
        drop(register);
        std::fs::remove_dir_all(place.directory(&data)).unwrap();
        let register = open(options(&data)).unwrap();
        assert_as_expected(&register);
        revoke(&register, 7, scope(0, 1));
        assert!(listed(&register, scope(0, 1)).contains(&serial(7)), "{place:?}");
    }
}

/// The index is lost, and with it what it had noted; the files are those of a later ledger entry
/// than the one from which it is made anew.
#[test]
fn files_that_are_ahead_of_the_index_are_taken_up_or_made_anew() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let register = open(options(&data)).unwrap();
    a_life(&register);
    register.close().unwrap();
    drop(register);
    // As sled leaves it if it had not yet written that there is such a place.
    for place in [Place::Scope(scope(0, 2)), Place::Unplaced(0), Place::Scope(scope(1, 0))] {
        {
            let index = sled::open(data.join("index")).unwrap();
            let name = [&[crate::storage::index::REVOKED_PLACE], place.name().as_bytes()].concat();
            assert!(index.remove(name).unwrap().is_some());
            index.flush().unwrap();
        }
        let register = open(options(&data)).unwrap();
        assert_as_expected(&register);
        register.close().unwrap();
    }
}

#[test]
fn names_of_places_read_back_and_others_are_none() {
    let places = [scope(0, 0), scope(3, 0), scope(0, 1), scope(65535, 65535)].map(Place::Scope);
    for place in places.into_iter().chain([Place::Unplaced(0), Place::Unplaced(12)]) {
        assert_eq!(Place::of_name(&place.name()), Some(place));
    }
    for other in ["", "k", "unfinished", "k0-p0", "k0-p", "k-p1", "k70000", "k0-unplaced-p1"] {
        assert_eq!(Place::of_name(other), None, "{other}");
    }
}

fn intended(number: u64, sequence: u64, scope: CrlScope) -> Act {
    Act::CrlIntended(CrlIntended {
        number,
        this_update: 0,
        next_update: 1,
        next_publish: 1,
        tbs_digest: vec![1],
        entries: 0,
        sequence: Some(sequence),
        base: None,
        oldest_held: None,
        freshest: None,
        scope: Scope::of(scope),
    })
}

#[test]
fn crls_are_listed_by_scope_and_the_first_that_tells_is_one_that_speaks_of_it() {
    let home = tempfile::tempdir().unwrap();
    let register = open(options(&home.path().join("data"))).unwrap();
    // Number, what it reflects, its scope.
    let all = [
        (1, 1, scope(0, 0)),
        (2, 5, scope(0, 1)),
        (3, 5, scope(1, 0)),
        (5, 7, scope(0, 2)),
        (8, 9, scope(0, 1)),
        (9, 9, scope(0, 0)),
        (12, 12, scope(0, 2)),
    ];
    for (number, sequence, of) in all {
        put(&register, intended(number, sequence, of));
        put(&register, Act::CrlPublished(CrlPublished { number, size: 1, sha256: [1; 32] }));
    }
    for of in all.map(|(.., of)| of) {
        let expected: Vec<u64> =
            all.iter().rev().filter(|own| own.2 == of).map(|own| own.0).collect();
        // A page at a time.
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = register.crls(Some(of), Page { after, limit: 1 }).unwrap();
            assert!(page.rows.iter().all(|row| row.scope == of));
            found.extend(page.rows.iter().map(|row| row.number));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{of:?}");
    }
    let everything = register.crls(None, Page { after: Some(9), limit: 3 }).unwrap();
    let found: Vec<u64> = everything.rows.iter().map(|row| row.number).collect();
    assert_eq!((found, everything.next), (vec![8, 5, 3], Some(3)));
    for sequence in 0..14 {
        for of in [scope(0, 0), scope(0, 1), scope(0, 2), scope(0, 3), scope(1, 0), scope(1, 1)] {
            let tells = |own: &&(u64, u64, CrlScope)| own.1 >= sequence && own.2.covers(of);
            let expected = all.iter().find(tells).map(|own| own.0);
            let found = register.first_crl(of, sequence).unwrap().map(|row| row.number);
            assert_eq!(found, expected, "{sequence} {of:?}");
        }
    }
}
