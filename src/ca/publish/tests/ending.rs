//! A key of before beside the present one: each signs its own CRL, out of one series of numbers, and
//! once everything under the old key has ended there is a last one.

use std::sync::Arc;
use std::time::Duration;

use super::super::{PublicationPoint, Publisher, Schedule};
use super::real::Real;
use super::world::{found, noon, publish, read, serial};
use super::{WEEK, far};
use crate::ca::establish::{intend_root, sign_root};
use crate::pki::issuer::Issuer;
use crate::pki::revocation::RevocationReason::*;
use crate::pki::revocation_list::CrlScope;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::signing::{FileKey, KeyKind, MissingKey};
use crate::storage::open::Trust;
use crate::storage::publication::PublicationDirectory;

const PRESENT: CrlScope = CrlScope { key: 1, partition: None };

/// Both keys of a CA; the first one's certificate ends after some weeks.
struct Both {
    real: Real,
    new_key: Arc<FileKey>,
    new: Arc<Issuer>,
}

fn issuer(certificate: &[u8]) -> Issuer {
    let none: [&[u8]; 0] = [];
    Issuer::new(certificate, &none, Vec::new(), Vec::new()).unwrap()
}

impl Both {
    fn ending_after(seconds: u64) -> Self {
        let (new_key, new) = found(KeyKind::P384);
        let old_key = FileKey::generate(KeyKind::P256).unwrap();
        let begun = noon().minus_seconds(3600);
        let intended = intend_root(new.name(), &old_key, [6; 20], begun, 3600 + seconds).unwrap();
        let old = issuer(&sign_root(&intended, &old_key).unwrap());
        let real = Real::of(Arc::new(old_key), Arc::new(old));
        Self { real, new_key: Arc::new(new_key), new: Arc::new(new.with_key_index(1)) }
    }

    /// As after a start: the present key's publisher, and that of the one before.
    fn publishers(&self) -> [Publisher; 2] {
        let directory = self.real.home.path().join("publish");
        let [old_store, new_store] = ["contoso", "contoso-1"]
            .map(|name| Arc::new(PublicationDirectory::open(&directory, name).unwrap()));
        let (schedule, old) = (Schedule::default(), Arc::clone(&self.real.issuer));
        let (point, first) = PublicationPoint::open(&self.new, "contoso", &*new_store, schedule);
        let (point, second) = point.with_scope(&old, CrlScope::FIRST, &*old_store, schedule);
        first.and(second).unwrap();
        let (register, key) = (self.real.register(), self.new_key.clone());
        let new = Arc::clone(&self.new);
        let present = Publisher::of_parts(register, key, new, new_store, Arc::new(point), schedule);
        let ends = old.not_after();
        let (key, scope) = (self.real.key.clone(), CrlScope::FIRST);
        let earlier = present.beside(scope, key, old, old_store, schedule).unwrap();
        [present, earlier.ending(ends)]
    }

    fn listed(&self, name: &str, issuer: &Issuer) -> Vec<SerialNumber> {
        let path = self.real.home.path().join(format!("publish/{name}.crl"));
        let (_, entries) = read(&std::fs::read(path).unwrap(), issuer);
        entries.into_iter().map(|entry| entry.serial).collect()
    }

    fn by_old(&self) -> Vec<SerialNumber> {
        self.listed("contoso", &self.real.issuer)
    }

    fn by_new(&self) -> Vec<SerialNumber> {
        self.listed("contoso-1", &self.new)
    }
}

#[test]
fn each_key_signs_a_list_of_everybody() {
    let both = Both::ending_after(10 * WEEK);
    let [present, earlier] = both.publishers();
    let mut numbers = vec![publish(&earlier, noon()).number, publish(&present, noon()).number];
    both.real.issue_in(CrlScope::FIRST, 1, far());
    both.real.issue_in(PRESENT, 2, far());
    for number in [1, 2] {
        both.real.revoke(number, Superseded, far());
    }
    let after = noon().plus_seconds(60);
    numbers.extend([publish(&present, after).number, publish(&earlier, after).number]);
    // Each lists everybody: who knows a list by the CA's name alone may take either.
    assert_eq!(
        (both.by_old(), both.by_new()),
        (vec![serial(1), serial(2)], vec![serial(1), serial(2)])
    );
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
}

#[test]
fn after_the_end_there_is_a_last_list_and_no_other() {
    let both = Both::ending_after(3 * WEEK);
    let ends = both.real.issuer.not_after();
    let [_, earlier] = both.publishers();
    for (number, end) in [(1, ends), (2, ends.minus_seconds(2 * WEEK))] {
        both.real.issue_in(CrlScope::FIRST, number, end);
        both.real.revoke(number, KeyCompromise, end);
    }
    let mut now = noon();
    while now <= ends {
        earlier.attempt(now).unwrap();
        let current = earlier.current().unwrap();
        assert!(current.next_update < Timestamp::NEVER, "{now}");
        assert!(current.next_update > now && earlier.trouble(now).is_none());
        now = now.plus_seconds(WEEK / 2);
    }
    // By its rhythm, without anybody's asking.
    let over = ends.plus_seconds(WEEK + 3600);
    earlier.attempt(over).unwrap();
    let last = earlier.current().unwrap();
    assert_eq!((last.next_update, last.next_publish), (Timestamp::NEVER, Timestamp::NEVER));
    // Whoever ended with the key stands on it: no other list will come (RFC 5280 §3.3).
    assert_eq!(both.by_old(), [serial(1)]);
    let years = over.plus_seconds(500 * WEEK);
    earlier.attempt(years).unwrap();
    assert_eq!(earlier.current().unwrap().number, last.number);
    assert_eq!(earlier.trouble(years), None);
    // Nor by anybody's asking: what is revoked under another key is no business of this one's.
    earlier.demand(u64::MAX);
    earlier.demand_anew();
    earlier.attempt(years).unwrap();
    assert_eq!(earlier.current().unwrap().number, last.number);
    let [_, again] = both.publishers();
    assert_eq!(again.current().unwrap().next_update, Timestamp::NEVER);
}

/// By that clock everything had ended. Whoever is revoked once it is put back is told of all the
/// same, and the last list comes when its time has come.
#[test]
fn a_clock_that_was_ahead_ends_no_key() {
    let begun = noon().plus_seconds(30);
    let late = noon().plus_seconds(4 * WEEK + 30);
    for restarted in [None, Some(late), Some(begun)] {
        let both = Both::ending_after(3 * WEEK);
        let ends = both.real.issuer.not_after();
        both.real.issue_in(CrlScope::FIRST, 1, ends);
        let [_, mut earlier] = both.publishers();
        let ahead = ends.plus_seconds(WEEK);
        earlier.attempt(ahead).unwrap();
        assert_eq!(earlier.current().unwrap().next_update, Timestamp::NEVER);

        if let Some(at) = restarted {
            [_, earlier] = both.publishers();
            earlier.attempt(at).unwrap();
            assert!(earlier.wait_for(0, Duration::ZERO).is_some());
        }
        let now = noon().plus_seconds(60);
        earlier.attempt(now).unwrap();
        both.real.revoke(1, KeyCompromise, ends);
        let sequence = both.real.register().head().sequence;
        earlier.demand(sequence);
        earlier.attempt(now).unwrap();
        assert_eq!(both.by_old(), [serial(1)]);
        assert!(earlier.wait_for(sequence, Duration::ZERO).is_some());
        assert!(earlier.current().unwrap().next_update < Timestamp::NEVER);

        let mut now = now;
        while earlier.current().unwrap().next_update < Timestamp::NEVER {
            assert!(now < ahead.plus_seconds(2 * WEEK));
            now = now.plus_seconds(WEEK / 2);
            earlier.attempt(now).unwrap();
        }
        assert!(now > ends);
    }
}

/// Nobody is told for ever that nothing is revoked any more, because a clock was wrong once.
#[test]
fn a_last_list_by_a_clock_that_was_ahead_is_followed_by_others() {
    let both = Both::ending_after(3 * WEEK);
    let ends = both.real.issuer.not_after();
    let [_, earlier] = both.publishers();
    for (number, end) in [(1, ends), (2, noon().plus_seconds(WEEK))] {
        both.real.issue_in(CrlScope::FIRST, number, end);
        both.real.revoke(number, KeyCompromise, end);
    }
    publish(&earlier, noon());
    publish(&earlier, ends.minus_seconds(60));
    let ahead = ends.plus_seconds(WEEK + 3600);
    earlier.attempt(ahead).unwrap();
    assert_eq!(earlier.current().unwrap().next_update, Timestamp::NEVER);
    assert_eq!(both.by_old(), [serial(1)]);

    assert!(earlier.has_signed_the_last(ahead));
    let [_, earlier] = both.publishers();
    let now = noon().plus_seconds(3600);
    assert!(!earlier.has_signed_the_last(now));
    earlier.attempt(now).unwrap();
    assert!(earlier.current().unwrap().next_update < Timestamp::NEVER);
    assert_eq!(both.by_old(), [serial(1), serial(2)]);
    both.real.issue_in(CrlScope::FIRST, 3, ends);
    both.real.revoke(3, KeyCompromise, ends);
    publish(&earlier, now.plus_seconds(60));
    assert_eq!(both.by_old(), [serial(1), serial(2), serial(3)]);
}

/// A restore need not learn from the last list of a key: no other comes after it. As long as others
/// do, a copy that does not know what stands there publishes nothing.
#[test]
fn a_copy_of_before_need_not_know_the_last_list() {
    let both = Both::ending_after(3 * WEEK);
    let ends = both.real.issuer.not_after();
    both.real.issue_in(CrlScope::FIRST, 1, ends);
    both.real.revoke(1, KeyCompromise, ends);
    let copied = || {
        let copy = Both {
            real: Real::of(both.real.key.clone(), Arc::clone(&both.real.issuer)),
            new_key: Arc::clone(&both.new_key),
            new: Arc::clone(&both.new),
        };
        let directory = copy.real.home.path().join("publish");
        std::fs::create_dir_all(&directory).unwrap();
        let published = both.real.home.path().join("publish/contoso.crl");
        std::fs::copy(published, directory.join("contoso.crl")).unwrap();
        copy
    };
    let [_, earlier] = both.publishers();
    publish(&earlier, noon());
    let copy = copied();
    copy.publishers()[1].attempt(noon().plus_seconds(60)).unwrap_err();

    let late = ends.plus_seconds(2 * WEEK);
    let last = publish(&earlier, late);
    assert_eq!(last.next_update, Timestamp::NEVER);
    let copy = copied();
    let [_, earlier] = copy.publishers();
    earlier.attempt(late.plus_seconds(60)).unwrap();
    assert_eq!(earlier.trouble(late.plus_seconds(60)), None);
    assert_eq!(earlier.current().unwrap().number, last.number);
}

#[test]
fn a_key_that_is_gone_is_told_and_its_list_is_served_on() {
    let mut both = Both::ending_after(10 * WEEK);
    let [present, earlier] = both.publishers();
    let made = publish(&earlier, noon());
    publish(&present, noon());
    drop((present, earlier));
    both.real.restart(Trust::AsRecorded);
    let directory = both.real.home.path().join("publish");
    let [present, _] = both.publishers();
    let store = PublicationDirectory::open(&directory, "contoso").unwrap();
    let old = Arc::clone(&both.real.issuer);
    let gone = Arc::new(MissingKey::new(old.public_key(), "ca.key: no such file".to_owned()));
    let (store, schedule) = (Arc::new(store), Schedule::default());
    let earlier = present.beside(CrlScope::FIRST, gone, old, store, schedule).unwrap();
    let late = noon().plus_seconds(WEEK);
    earlier.attempt(late).unwrap_err();
    assert_eq!(earlier.current().unwrap().number, made.number);
    let trouble = earlier.trouble(late).unwrap();
    assert!(trouble.contains("no such file"), "{trouble}");
    present.attempt(late).unwrap();
    assert_eq!(present.trouble(late), None);
}
