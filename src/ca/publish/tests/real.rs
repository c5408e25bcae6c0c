//! The same promises with the real register on real files.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::super::{PublicationPoint, Publisher, Schedule};
use super::world::{found, noon, publish, read, serial};
use super::{WEEK, far};
use crate::pki::issuer::Issuer;
use crate::pki::revocation::RevocationReason::{self, *};
use crate::pki::revocation_list::{CrlEntry, CrlScope, CrlSummary};
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::signing::{FileKey, KeyKind};
use crate::storage::act::{
    AccountMark, Act, CertificateIssued, CertificateReleased, CertificateRevoked, Entry,
    RequestReceived, Scope, SerialReserved, TemplateMark, TokenMark,
};
use crate::storage::faulty::{Fault, FaultyRegister};
use crate::storage::open::{Scrub, Trust};
use crate::storage::publication::PublicationDirectory;
use crate::storage::{LedgerRegister, Options, Register, Urgency, open};

pub struct Real {
    pub home: tempfile::TempDir,
    pub key: Arc<FileKey>,
    pub issuer: Arc<Issuer>,
    register: Option<Arc<LedgerRegister>>,
}

impl Real {
    pub fn new() -> Self {
        let (key, issuer) = found(KeyKind::P256);
        Self::of(Arc::new(key), Arc::new(issuer))
    }

    /// An empty register of a CA that there is.
    pub fn of(key: Arc<FileKey>, issuer: Arc<Issuer>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut real = Self { home, key, issuer, register: None };
        real.restart(Trust::AsRecorded);
        real
    }

    pub fn restart(&mut self, trust: Trust) {
        drop(self.register.take());
        for attempt in 0.. {
            let small = crate::storage::index::Limits {
                cache: 1 << 20,
                changes: 4 << 10,
                replayed: 16 << 10,
            };
            let options = Options::new(self.home.path().join("data"));
            let options = Options { scrub: Scrub::Not, index: small, trust, ..options };
            match open(options) {
                Ok(register) => {
                    self.register = Some(register);
                    return;
                }
                // A program that another test is just starting holds our lock until its exec.
                Err(error) if attempt < 100 && error.to_string().contains("in use") => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    pub fn register(&self) -> Arc<dyn Register> {
        self.register.clone().unwrap()
    }

    fn publisher(&self) -> Publisher {
        self.publisher_with(self.register())
    }

    fn publisher_with(&self, register: Arc<dyn Register>) -> Publisher {
        let directory = self.home.path().join("publish");
        let store = PublicationDirectory::open(&directory, "contoso").unwrap();
        let schedule = Schedule::default();
        let (point, outcome) = PublicationPoint::open(&self.issuer, "contoso", &store, schedule);
        outcome.unwrap();
        let (key, issuer) = (self.key.clone(), Arc::clone(&self.issuer));
        Publisher::of_parts(register, key, issuer, Arc::new(store), Arc::new(point), schedule)
    }

    fn commit(&self, acts: Vec<Act>) {
        let at = noon().millis();
        let entries = acts.into_iter().map(|act| Entry { at, actor: None, act }).collect();
        self.register().commit(entries, Urgency::Reserved).unwrap();
    }

    /// A certificate with this number, as the register sees it.
    pub fn issue(&self, number: u64, not_after: Timestamp) {
        self.issue_in(CrlScope::FIRST, number, not_after);
    }

    /// The same, in another scope.
    pub fn issue_in(&self, scope: CrlScope, number: u64, not_after: Timestamp) {
        let request_id = self.register().next_request_id();
        let of = serial(number);
        let account = "alice".to_owned();
        let template = "VPNUserAuthentication".to_owned();
        let mut tbs = vec![0x30, 0x17, 2, 9];
        tbs.extend_from_slice(of.as_der_content());
        tbs.extend_from_slice(&[0x30, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]);
        let mut sha256 = [0; 32];
        sha256[..8].copy_from_slice(&number.to_be_bytes());
        let mut sha1 = [0; 20];
        sha1[..8].copy_from_slice(&number.to_be_bytes());
        let received = RequestReceived {
            request_id,
            account: account.clone(),
            template: template.clone(),
            csr: vec![0x30, 0],
            idempotency: None,
            renewal: None,
            signers: Vec::new(),
            described: None,
        };
        let serial = of.as_der_content().to_vec();
        let issued = CertificateIssued {
            request_id,
            signature: vec![1],
            sha1,
            sha256,
            template,
            account,
            not_after: not_after.seconds(),
            names: Vec::new(),
        };
        let scope = Scope::of(scope);
        self.commit(vec![Act::RequestReceived(received)]);
        self.commit(vec![Act::SerialReserved(SerialReserved { request_id, serial, tbs, scope })]);
        self.commit(vec![Act::CertificateIssued(issued)]);
    }

    pub fn revoke(&self, number: u64, reason: RevocationReason, not_after: Timestamp) {
        self.commit(vec![Act::CertificateRevoked(CertificateRevoked {
            serial: serial(number).as_der_content().to_vec(),
            revoked_at: noon().millis(),
            reason: reason.code(),
            invalidity_date: None,
            not_after: Some(not_after.seconds()),
            key_sha256: (reason == KeyCompromise).then_some([7; 32]),
            scope: None,
        })]);
    }

    pub fn release(&self, number: u64) {
        let serial = serial(number).as_der_content().to_vec();
        self.commit(vec![Act::CertificateReleased(CertificateReleased { serial })]);
    }

    fn crl_path(&self) -> std::path::PathBuf {
        self.home.path().join("publish/contoso.crl")
    }

    fn published(&self) -> (CrlSummary, Vec<CrlEntry>) {
        read(&std::fs::read(self.crl_path()).unwrap(), &self.issuer)
    }

    fn listed(&self) -> Vec<SerialNumber> {
        self.published().1.into_iter().map(|entry| entry.serial).collect()
    }
}

#[test]
fn nothing_that_is_deleted_takes_anybody_off() {
    let mut real = Real::new();
    for number in 1..=3 {
        real.issue(number, far());
        real.revoke(number, Superseded, far());
    }
    let publisher = real.publisher();
    publish(&publisher, noon());
    let before = real.listed();
    assert_eq!(before, [serial(1), serial(2), serial(3)]);
    let cn = || TemplateMark { cn: "VPNUserAuthentication".to_owned() };
    real.commit(vec![
        Act::TemplateUnpublished(cn()),
        Act::TemplateDeleted(cn()),
        Act::AccountDeleted(AccountMark { name: "alice".to_owned() }),
        Act::TokenRevoked(TokenMark { id: "t1".to_owned() }),
    ]);
    publish(&publisher, noon().plus_seconds(60));
    assert_eq!(real.listed(), before);
    drop(publisher);
    for trust in [Trust::AsRecorded, Trust::Nothing] {
        real.restart(trust);
        publish(&real.publisher(), noon().plus_seconds(120));
        assert_eq!(real.listed(), before);
    }
}

/// A serial number that was reserved and given up has no certificate; what it would have been had
/// ended with the CA's certificate of then.
#[test]
fn who_was_given_up_leaves_the_list_when_he_would_have_ended() {
    let real = Real::new();
    let ends = noon().plus_seconds(WEEK);
    real.revoke(1, CessationOfOperation, ends);
    real.issue(2, far());
    real.revoke(2, Superseded, far());
    let publisher = real.publisher();
    for weeks in 0..3 {
        publish(&publisher, noon().plus_seconds(weeks * WEEK));
        assert_eq!(real.listed(), [serial(1), serial(2)]);
    }
    for seconds in [60, 120] {
        publish(&publisher, ends.plus_seconds(WEEK + seconds));
    }
    assert_eq!(real.listed(), [serial(2)]);
}

#[test]
fn a_second_start_makes_no_crl_and_a_missed_revocation_makes_one() {
    let mut real = Real::new();
    let publisher = real.publisher();
    publisher.attempt(noon()).unwrap();
    let first = publisher.current().unwrap().number;
    drop(publisher);
    real.restart(Trust::AsRecorded);
    let head = real.register().head();
    let publisher = real.publisher();
    publisher.attempt(noon().plus_seconds(10)).unwrap();
    assert_eq!(publisher.current().unwrap().number, first);
    assert_eq!(real.register().head(), head);
    drop(publisher);
    // On record, acknowledged, and then the power went before a CRL was made.
    real.issue(1, far());
    real.revoke(1, KeyCompromise, far());
    real.restart(Trust::AsRecorded);
    real.publisher().attempt(noon().plus_seconds(20)).unwrap();
    assert_eq!(real.listed(), [serial(1)]);
}

#[test]
fn a_failing_register_before_and_after_persisting() {
    for nth in 1..=2 {
        for fault in [Fault::BeforePersisting, Fault::AfterPersisting] {
            let mut real = Real::new();
            real.issue(1, far());
            real.revoke(1, Superseded, far());
            let first = publish(&real.publisher(), noon()).number;
            real.issue(2, far());
            real.revoke(2, Superseded, far());
            let faulty = Arc::new(FaultyRegister::new(real.register(), nth, fault));
            let publisher = real.publisher_with(faulty.clone());
            let outcome = publisher.attempt(noon().plus_seconds(60));
            assert_eq!(outcome.is_err(), nth == 1, "an unrecorded publication is published");
            // From here on the register refuses everything: red, and still served.
            publisher.demand_anew();
            publisher.attempt(noon().plus_seconds(61)).unwrap_err();
            assert!(publisher.trouble(noon().plus_seconds(61)).is_some());
            assert!(real.published().0.number >= Some(first));
            drop((publisher, faulty));

            real.restart(Trust::AsRecorded);
            let publisher = real.publisher();
            publisher.attempt(noon().plus_seconds(62)).unwrap();
            assert_eq!(publisher.trouble(noon().plus_seconds(62)), None);
            assert_eq!(real.listed(), [serial(1), serial(2)], "{nth} {fault:?}");
            let all = crate::storage::Page { after: None, limit: 100 };
            let rows = real.register().crls(None, all).unwrap().rows;
            assert!(rows.is_sorted_by(|later, earlier| later.number > earlier.number));
            assert_eq!(Some(rows[0].number), real.published().0.number);
            assert!(rows[0].published.is_some());
        }
    }
}

/// Wherever the damage is: what is stored is served, and nothing less takes its place.
#[test]
fn a_damaged_ledger_does_not_stop_the_stored_crl() {
    for place in 1..24 {
        let mut real = Real::new();
        for number in 1..=8 {
            real.issue(number, far());
            real.revoke(number, Superseded, far());
        }
        let made = publish(&real.publisher(), noon());
        drop(real.register.take());
        let ledger = real.home.path().join("data/ledger");
        let mut octets = std::fs::read(&ledger).unwrap();
        let damaged = octets.len() * place / 24;
        octets[damaged] ^= 0x55;
        std::fs::write(&ledger, octets).unwrap();

        real.restart(Trust::Nothing);
        assert!(real.register().health().damaged.is_some(), "octet {damaged}");
        let publisher = real.publisher();
        publisher.demand_anew();
        // Whatever it can make of the register, it publishes no less than what is there.
        if publisher.attempt(noon().plus_seconds(60)).is_err() {
            assert!(publisher.trouble(noon().plus_seconds(60)).is_some());
            assert_eq!(publisher.current().unwrap().number, made.number);
        }
        assert_eq!(real.listed().len(), 8);
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Revoke(u64, RevocationReason),
    Release(u64),
    Publish,
    Restart,
    Wait(u64),
    ClockBack(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let reason = prop::sample::select(RevocationReason::ALL.to_vec());
    prop_oneof![
        4 => (1..12u64, reason).prop_map(|(number, reason)| Step::Revoke(number, reason)),
        2 => (1..12u64).prop_map(|number| Step::Revoke(number, CertificateHold)),
        2 => (1..12u64).prop_map(Step::Release),
        4 => Just(Step::Publish),
        1 => Just(Step::Restart),
        2 => (1..WEEK).prop_map(Step::Wait),
        1 => (1..WEEK).prop_map(Step::ClockBack),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever happens in whatever order: numbers rise, times never go back, everybody revoked
    /// is listed with the right reason until a week after the certificate ended, and nobody else.
    #[test]
    fn crls_never_go_backward(steps in prop::collection::vec(step(), 1..40)) {
        let mut real = Real::new();
        let mut publisher = real.publisher();
        let mut model: BTreeMap<u64, RevocationReason> = BTreeMap::new();
        // Odd certificates end soon.
        let end = |number: u64| if number % 2 == 1 { noon().plus_seconds(number * 50_000) } else { far() };
        for number in 1..12 {
            real.issue(number, end(number));
        }
        let mut now = noon();
        let mut last: Option<CrlSummary> = None;
        for step in steps {
            match step {
                Step::Revoke(number, reason) => {
                    let before = model.get(&number).copied();
                    if before.is_none() || before == Some(CertificateHold) && reason != CertificateHold {
                        real.revoke(number, reason, end(number));
                        model.insert(number, reason);
                    }
                }
                Step::Release(number) => {
                    if model.get(&number) == Some(&CertificateHold) {
                        real.release(number);
                        model.remove(&number);
                    }
                }
                Step::Wait(seconds) => now = now.plus_seconds(seconds),
                Step::ClockBack(seconds) => now = now.minus_seconds(seconds),
                Step::Restart => {
                    drop(publisher);
                    real.restart(Trust::AsRecorded);
                    publisher = real.publisher();
                }
                Step::Publish => {
                    publisher.demand_anew();
                    publisher.attempt(now).unwrap();
                    let (summary, entries) = real.published();
                    if let Some(last) = &last {
                        prop_assert!(summary.number > last.number);
                        prop_assert!(summary.this_update >= last.this_update);
                        prop_assert!(summary.next_update >= last.next_update);
                    }
                    let listed: BTreeMap<_, _> =
                        entries.iter().map(|entry| (entry.serial, entry.revocation.reason)).collect();
                    prop_assert_eq!(listed.len(), entries.len(), "one entry each");
                    for (number, reason) in &model {
                        let found = listed.get(&serial(*number));
                        let gone = end(*number).plus_seconds(WEEK) < summary.this_update.plus_seconds(600);
                        prop_assert!(found == Some(reason) || found.is_none() && gone, "{}", number);
                    }
                    prop_assert!(listed.keys().all(|of| model.keys().any(|number| serial(*number) == *of)));
                    prop_assert!(publisher.wait_for(real.register().head().sequence - 2, Duration::ZERO).is_some());
                    last = Some(summary);
                }
            }
        }
    }
}
