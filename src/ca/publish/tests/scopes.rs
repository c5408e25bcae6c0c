//! CRLs of several keys side by side: each lists its own, and the numbers are one series.

use std::sync::Arc;
use std::time::Duration;

use super::super::{PublicationPoint, Publisher, Publishers, Schedule};
use super::far;
use super::real::Real;
use super::world::{found, noon, read, serial};
use crate::pki::issuer::Issuer;
use crate::pki::revocation::RevocationReason::Superseded;
use crate::pki::revocation_list::{CrlScope, CrlSummary};
use crate::pki::serial::SerialNumber;
use crate::signing::{FileKey, KeyKind};
use crate::storage::open::Trust;
use crate::storage::publication::PublicationDirectory;

const OLD: CrlScope = CrlScope { key: 0, partition: None };
const NEW: CrlScope = CrlScope { key: 1, partition: None };

/// A CA with a new key beside its first one.
struct Renewed {
    real: Real,
    key: Arc<FileKey>,
    issuer: Arc<Issuer>,
}

impl Renewed {
    fn new() -> Self {
        let (key, issuer) = found(KeyKind::P384);
        let issuer = issuer.with_key_index(1);
        Self { real: Real::new(), key: Arc::new(key), issuer: Arc::new(issuer) }
    }

    /// As after a start: everything under the new key, and beside it the old one's.
    fn publishers(&self) -> Publishers {
        let directory = self.real.home.path().join("publish");
        let schedule = Schedule::default();
        let store = |scope: CrlScope| {
            let name = scope.file_name("contoso");
            Arc::new(PublicationDirectory::open(&directory, &name).unwrap())
        };
        let (new, old) = (store(NEW), store(OLD));
        let (point, outcome) = PublicationPoint::open(&self.issuer, "contoso", &*new, schedule);
        outcome.unwrap();
        let (point, outcome) = point.with_scope(&self.real.issuer, OLD, &*old, schedule);
        outcome.unwrap();
        let register = self.real.register();
        let (key, issuer) = (self.key.clone(), Arc::clone(&self.issuer));
        let present = Publisher::of_parts(register, key, issuer, new, Arc::new(point), schedule);
        let (key, issuer) = (self.real.key.clone(), Arc::clone(&self.real.issuer));
        let beside = present.beside(OLD, key, issuer, old, schedule).unwrap();
        Publishers::new(Arc::new(present)).with(beside)
    }

    fn published(&self, scope: CrlScope) -> (CrlSummary, Vec<SerialNumber>) {
        let name = format!("publish/{}.crl", scope.file_name("contoso"));
        let octets = std::fs::read(self.real.home.path().join(name)).unwrap();
        let issuer = if scope == NEW { &self.issuer } else { &self.real.issuer };
        let (summary, entries) = read(&octets, issuer);
        (summary, entries.into_iter().map(|entry| entry.serial).collect())
    }
}

fn each(publishers: &Publishers, now: crate::pki::time::Timestamp) {
    for scope in [NEW, OLD] {
        publishers.of(scope).unwrap().attempt(now).unwrap();
    }
}

#[test]
fn each_key_signs_what_was_issued_under_it_and_numbers_are_one_series() {
    let mut renewed = Renewed::new();
    renewed.real.issue(1, far());
    renewed.real.issue_in(NEW, 2, far());
    let publishers = renewed.publishers();
    each(&publishers, noon());
    let first = [NEW, OLD].map(|scope| renewed.published(scope).0.number.unwrap());
    assert!(first[0] < first[1], "{first:?}");

    renewed.real.revoke(1, Superseded, far());
    renewed.real.revoke(2, Superseded, far());
    let sequence = renewed.real.register().head().sequence;
    // Both are concerned: who takes one list for the other's must not miss anybody.
    publishers.demand(&[OLD], sequence);
    each(&publishers, noon().plus_seconds(60));
    each(&publishers, noon().plus_seconds(300));
    for scope in [NEW, OLD] {
        assert_eq!(renewed.published(scope).1, [serial(1), serial(2)], "{scope:?}");
    }
    let [new, old] = [NEW, OLD].map(|scope| renewed.published(scope).0.number);
    assert_eq!(publishers.wait_for(&[OLD], sequence, Duration::ZERO), old);
    assert_eq!(publishers.wait_for(&[NEW], sequence, Duration::ZERO), new);
    let both = publishers.wait_for(&[OLD, NEW], sequence, Duration::ZERO);
    assert_eq!(both, old.max(new), "the higher one");
    assert!(old > Some(first[1]) && new > Some(first[1]));

    // Nothing is to be done after a start, whatever is believed of the derived files.
    drop(publishers);
    for trust in [Trust::AsRecorded, Trust::Nothing] {
        renewed.real.restart(trust);
        let head = renewed.real.register().head();
        let publishers = renewed.publishers();
        each(&publishers, noon().plus_seconds(302));
        assert_eq!(renewed.real.register().head(), head);
        assert_eq!(publishers.trouble(noon().plus_seconds(302)), None);
    }
}

#[test]
fn a_crl_that_the_register_does_not_know_stops_its_own_scope_alone() {
    let renewed = Renewed::new();
    each(&renewed.publishers(), noon());
    // An older copy of the register came back, and the old key's list is later than that.
    let Renewed { real, key, issuer } = renewed;
    let copy = Renewed { real: Real::of(real.key.clone(), real.issuer.clone()), key, issuer };
    let publish = copy.real.home.path().join("publish");
    std::fs::create_dir_all(&publish).unwrap();
    let published = real.home.path().join("publish/contoso.crl");
    std::fs::copy(published, publish.join("contoso.crl")).unwrap();
    let publishers = copy.publishers();
    let now = noon().plus_seconds(60);
    publishers.of(NEW).unwrap().attempt(now).unwrap();
    publishers.of(OLD).unwrap().attempt(now).unwrap_err();
    let trouble = publishers.trouble(now).unwrap();
    assert!(trouble.starts_with("contoso.crl: "), "{trouble}");
    assert!(trouble.contains("older copy"), "{trouble}");
    // Its number counts all the same: the other scope's is higher.
    let (given, made) = (copy.published(OLD).0.number, copy.published(NEW).0.number);
    assert!(made > given, "{made:?} {given:?}");
}
