//! A CA with a register in memory and publication in a directory, both of which can be told to
//! fail at a step, before or after it took effect.

use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::super::{Current, DeltaUse, PublicationPoint, Publisher, Schedule};
use crate::ca::establish::{intend_root, sign_root};
use crate::pki::issuer::Issuer;
use crate::pki::name::DistinguishedName;
use crate::pki::revocation::{Revocation, RevocationReason};
use crate::pki::revocation_list::{CrlEntry, CrlKind, CrlReader, CrlScope, CrlSummary, DeltaEntry};
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::signing::{FileKey, KeyKind};
use crate::storage::act::{
    self, AccountSaved, Act, AuthorityEstablished, CertificateReleased, CertificateRevoked, Entry,
    RevokedScope, RolesSaved, Scope,
};
use crate::storage::publication::{PendingFile, PublicationDirectory, PublicationStore};
use crate::storage::*;

pub const NOON: u64 = 1_795_435_200; // 2026-11-23T12:00:00Z

pub fn noon() -> Timestamp {
    Timestamp::from_seconds(NOON)
}

/// Counts the durable steps of both back ends and fails at one of them.
#[derive(Default)]
pub struct Steps {
    pub taken: AtomicU64,
    pub fail_before: AtomicU64,
    pub fail_after: AtomicU64,
}

impl Steps {
    fn take<T>(&self, step: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let number = self.taken.fetch_add(1, Ordering::SeqCst) + 1;
        let failed = |when: &str| StoreError::Io {
            doing: format!("step {number}"),
            reason: format!("told to fail {when} it"),
        };
        if number == self.fail_before.load(Ordering::SeqCst) {
            return Err(failed("before"));
        }
        let result = step();
        if number == self.fail_after.load(Ordering::SeqCst) {
            return Err(failed("after"));
        }
        result
    }

    pub fn reset(&self) {
        self.taken.store(0, Ordering::SeqCst);
        self.fail_before.store(0, Ordering::SeqCst);
        self.fail_after.store(0, Ordering::SeqCst);
    }
}

/// A CA and its back ends; "restarted" by making another publisher of them.
pub struct World {
    pub home: tempfile::TempDir,
    pub register: Arc<MemoryRegister>,
    pub key: Arc<FileKey>,
    pub issuer: Arc<Issuer>,
    pub steps: Arc<Steps>,
    pub schedule: Schedule,
}

impl World {
    pub fn new() -> Self {
        Self::with(KeyKind::P256)
    }

    pub fn with(kind: KeyKind) -> Self {
        let (key, issuer) = found(kind);
        let steps = Arc::new(Steps::default());
        Self {
            home: tempfile::tempdir().unwrap(),
            register: Arc::new(MemoryRegister::new(Arc::clone(&steps))),
            key: Arc::new(key),
            issuer: Arc::new(issuer),
            steps,
            schedule: Schedule::default(),
        }
    }

    /// As after a start.
    pub fn publisher(&self) -> Publisher {
        let store = self.store("contoso-vpn-ca");
        let (point, _) = self.point_of(&*store);
        self.publisher_of(store, point)
    }

    pub fn store(&self, name: &str) -> Arc<Faulty> {
        let inner = PublicationDirectory::open(self.home.path(), name).unwrap();
        Arc::new(Faulty { inner, steps: Arc::clone(&self.steps) })
    }

    pub fn publisher_of(&self, store: Arc<Faulty>, point: PublicationPoint) -> Publisher {
        let register: Arc<dyn Register> = self.register.clone();
        let issuer = Arc::clone(&self.issuer);
        let point = Arc::new(point);
        Publisher::of_parts(register, self.key.clone(), issuer, store, point, self.schedule)
    }

    pub fn point_of(
        &self,
        store: &dyn PublicationStore,
    ) -> (PublicationPoint, Result<(), super::super::LoadError>) {
        PublicationPoint::open(&self.issuer, "contoso-vpn-ca", store, self.schedule)
    }

    /// As after a start, with deltas every day.
    pub fn publisher_with_deltas(&self) -> Publisher {
        let urls = vec!["http://pki.contoso.com/crl/contoso-vpn-ca-delta.crl".to_owned()];
        self.publisher_with(DeltaUse::Announced(urls))
    }

    pub fn publisher_with(&self, used: DeltaUse) -> Publisher {
        let (store, deltas) = (self.store("contoso-vpn-ca"), self.store("contoso-vpn-ca-delta"));
        let (point, _) = self.point_of(&*store);
        let schedule = self.schedule.delta_every(24 * 3600);
        // What cannot be believed is made anew.
        let _ = point.open_delta(&self.issuer, &*deltas, schedule);
        self.publisher_of(store, point).with_deltas(deltas, schedule, used)
    }

    pub fn delta_path(&self) -> std::path::PathBuf {
        self.home.path().join("contoso-vpn-ca-delta.crl")
    }

    /// The published delta CRL.
    pub fn delta(&self) -> (CrlSummary, Vec<DeltaEntry>) {
        read_either(&std::fs::read(self.delta_path()).unwrap(), &self.issuer)
    }

    pub fn crl_path(&self) -> std::path::PathBuf {
        self.home.path().join("contoso-vpn-ca.crl")
    }

    /// The published CRL, read and verified as a stranger would.
    pub fn published(&self) -> (CrlSummary, Vec<CrlEntry>) {
        read(&std::fs::read(self.crl_path()).unwrap(), &self.issuer)
    }

    pub fn listed(&self) -> Vec<SerialNumber> {
        self.published().1.into_iter().map(|entry| entry.serial).collect()
    }

    /// Has a certificate issued and revoked at once; gives the ledger entry's number.
    pub fn revoke(&self, number: u64, reason: RevocationReason, not_after: Timestamp) -> u64 {
        self.revoke_in(CrlScope::FIRST, number, reason, not_after)
    }

    /// The same of one in another scope.
    pub fn revoke_in(
        &self,
        scope: CrlScope,
        number: u64,
        reason: RevocationReason,
        not_after: Timestamp,
    ) -> u64 {
        self.register.certificate_ends(serial(number), not_after);
        self.put(Act::CertificateRevoked(CertificateRevoked {
            serial: serial(number).as_der_content().to_vec(),
            revoked_at: noon().millis(),
            reason: reason.code(),
            invalidity_date: None,
            not_after: Some(not_after.seconds()),
            key_sha256: None,
            scope: Some(scope.into()),
        }))
    }

    pub fn release(&self, number: u64) -> u64 {
        let serial = serial(number).as_der_content().to_vec();
        self.put(Act::CertificateReleased(CertificateReleased { serial }))
    }

    /// Straight into the register, not counted as a step.
    pub fn put(&self, act: Act) -> u64 {
        self.register.put(Entry { at: noon().millis(), actor: None, act })
    }
}

/// A root CA, an hour old.
pub fn found(kind: KeyKind) -> (FileKey, Issuer) {
    let key = FileKey::generate(kind).unwrap();
    let name = DistinguishedName::from_rfc4514("CN=Contoso VPN CA,DC=contoso,DC=com").unwrap();
    let founded = noon().minus_seconds(3600);
    let intended = intend_root(&name, &key, [7; 20], founded, 400_000_000).unwrap();
    let certificate = sign_root(&intended, &key).unwrap();
    let none: [&[u8]; 0] = [];
    let issuer = Issuer::new(&certificate, &none, Vec::new(), Vec::new()).unwrap();
    (key, issuer)
}

pub fn read(der: &[u8], issuer: &Issuer) -> (CrlSummary, Vec<CrlEntry>) {
    let mut reader = CrlReader::open(der).unwrap();
    let mut entries = Vec::new();
    while let Some(entry) = reader.next_entry().unwrap() {
        entries.push(entry);
    }
    (reader.finish(issuer.public_key()).unwrap(), entries)
}

pub fn read_either(der: &[u8], issuer: &Issuer) -> (CrlSummary, Vec<DeltaEntry>) {
    let mut reader = CrlReader::open(der).unwrap();
    let mut entries = Vec::new();
    while let Some(entry) = reader.next_change().unwrap() {
        entries.push(entry);
    }
    (reader.finish_either(issuer.public_key()).unwrap(), entries)
}

pub fn serial(number: u64) -> SerialNumber {
    SerialNumber::from_der_content(&[&[0x10], number.to_be_bytes().as_slice()].concat()).unwrap()
}

/// Makes a CRL now; what the thread does once.
pub fn publish(publisher: &Publisher, now: Timestamp) -> Arc<Current> {
    publisher.demand_anew();
    publisher.attempt(now).unwrap();
    publisher.current().unwrap()
}

pub struct Faulty {
    inner: PublicationDirectory,
    steps: Arc<Steps>,
}

struct FaultyPending {
    inner: Box<dyn PendingFile>,
    steps: Arc<Steps>,
}

impl PublicationStore for Faulty {
    fn published(&self) -> Result<Option<File>, StoreError> {
        self.inner.published()
    }

    fn begin(&self) -> Result<Box<dyn PendingFile>, StoreError> {
        let inner = self.steps.take(|| self.inner.begin())?;
        Ok(Box::new(FaultyPending { inner, steps: Arc::clone(&self.steps) }))
    }
}

impl PendingFile for FaultyPending {
    fn write_at(&mut self, octets: &[u8], offset: u64) -> Result<(), StoreError> {
        self.steps.take(|| self.inner.write_at(octets, offset))
    }

    fn sync_so_far(&mut self) -> Result<(), StoreError> {
        self.inner.sync_so_far()
    }

    fn reader(&self) -> Result<File, StoreError> {
        self.inner.reader()
    }

    fn seal(&mut self, length: u64, modified: Timestamp) -> Result<(), StoreError> {
        self.steps.take(|| self.inner.seal(length, modified))
    }

    fn publish(self: Box<Self>) -> Result<(), StoreError> {
        let Self { inner, steps } = *self;
        steps.take(|| inner.publish())
    }
}

/// Whose, how, when the certificate ends, and where it is listed.
type Revoked = (SerialNumber, Revocation, Option<Timestamp>, RevokedScope);

/// The part of a register that publication asks.
pub struct MemoryRegister {
    entries: Mutex<Vec<Entry>>,
    ends: Mutex<Vec<(SerialNumber, Timestamp)>>,
    pub next_crl_number: AtomicU64,
    steps: Arc<Steps>,
}

impl MemoryRegister {
    fn new(steps: Arc<Steps>) -> Self {
        Self {
            entries: Mutex::default(),
            ends: Mutex::default(),
            next_crl_number: AtomicU64::new(0),
            steps,
        }
    }

    pub fn put(&self, entry: Entry) -> u64 {
        let mut entries = self.entries.lock().unwrap();
        entries.push(entry);
        entries.len() as u64
    }

    pub fn acts(&self) -> Vec<Act> {
        self.entries.lock().unwrap().iter().map(|entry| entry.act.clone()).collect()
    }

    /// An older copy: everything after the first `entries` is gone.
    pub fn forget_after(&self, entries: usize) {
        self.entries.lock().unwrap().truncate(entries);
    }

    fn certificate_ends(&self, serial: SerialNumber, not_after: Timestamp) {
        self.ends.lock().unwrap().push((serial, not_after));
    }

    fn revoked(&self) -> Vec<Revoked> {
        let mut list: Vec<Revoked> = Vec::new();
        for act in self.acts() {
            match act {
                Act::CertificateRevoked(act) => {
                    let serial = SerialNumber::from_der_content(&act.serial).unwrap();
                    let revocation = Revocation {
                        revoked_at: Timestamp::from_millis(act.revoked_at),
                        reason: RevocationReason::from_code(act.reason).unwrap(),
                        invalidity_date: act.invalidity_date.map(Timestamp::from_millis),
                    };
                    list.retain(|(other, ..)| *other != serial);
                    let end = act.not_after.map(Timestamp::from_seconds);
                    list.push((serial, revocation, end, act.scope.unwrap()));
                }
                Act::CertificateReleased(act) => {
                    list.retain(|(other, ..)| other.as_der_content() != act.serial);
                }
                _ => {}
            }
        }
        list
    }
}

impl Register for MemoryRegister {
    fn commit(&self, entries: Vec<Entry>, _: Urgency) -> Result<(), StoreError> {
        self.steps.take(|| {
            for entry in entries {
                self.put(entry);
            }
            Ok(())
        })
    }

    fn roles(&self) -> Result<Option<RolesSaved>, StoreError> {
        Ok(None)
    }

    fn authority(&self) -> Result<Option<AuthorityEstablished>, StoreError> {
        Ok(Some(AuthorityEstablished {
            certificate: Vec::new(),
            parents: Vec::new(),
            slug: String::new(),
            template_arc: String::new(),
            base_urls: Vec::new(),
            next_crl_number: self.next_crl_number.load(Ordering::SeqCst),
            earlier: Vec::new(),
            certificate_index: None,
            earlier_parents: Vec::new(),
            cross: Vec::new(),
        }))
    }

    fn certificate(&self, serial: &SerialNumber) -> Result<Option<CertificateRow>, StoreError> {
        let ends = self.ends.lock().unwrap();
        Ok(ends.iter().find(|(other, _)| other == serial).map(|(serial, not_after)| {
            CertificateRow {
                serial: *serial,
                scope: CrlScope::FIRST,
                request_id: 1,
                certificate: Vec::new(),
                requester: String::new(),
                account: String::new(),
                template: String::new(),
                issued_at: noon(),
                not_after: *not_after,
                revocation: None,
            }
        }))
    }

    fn revocation(&self, serial: &SerialNumber) -> Result<Option<Revocation>, StoreError> {
        let list = self.revoked();
        Ok(list.into_iter().find(|(other, ..)| other == serial).map(|found| found.1))
    }

    fn certificate_standings(&self, _: u64, _: usize) -> Result<Listing<StandingRow>, StoreError> {
        unimplemented!()
    }

    fn revoked_entries(&self, _: CrlScope) -> Result<CrlEntries, StoreError> {
        unimplemented!()
    }

    fn certificate_standing(&self, _: &SerialNumber) -> Result<Option<StandingRow>, StoreError> {
        unimplemented!()
    }

    fn retirements(&self, _: Timestamp, _: usize) -> Result<Vec<SerialNumber>, StoreError> {
        unimplemented!()
    }

    fn pending_since(&self, _: Timestamp, _: usize) -> Result<Vec<u64>, StoreError> {
        unimplemented!()
    }

    fn lineage(&self, _: &SerialNumber) -> Result<Lineage, StoreError> {
        unimplemented!()
    }

    fn crl_entries(
        &self,
        scope: CrlScope,
        ended_before: Timestamp,
    ) -> Result<CrlEntries, StoreError> {
        let mut file = tempfile::tempfile().unwrap();
        let (mut count, mut length) = (0, 0);
        for (serial, revocation, end, told) in self.revoked() {
            let own = scope == scope.complete() || told == RevokedScope::from(scope);
            if own && end.is_none_or(|end| end >= ended_before) {
                let der = CrlEntry::encode(serial, &revocation);
                file.write_all(&der).unwrap();
                count += 1;
                length += der.len() as u64;
            }
        }
        let sequence = self.entries.lock().unwrap().len() as u64;
        Ok(CrlEntries { count, length, file, sequence })
    }

    fn crl_changes(&self, _: CrlScope, after: u64) -> Result<CrlEntries, StoreError> {
        let revoked = self.revoked();
        let mut told: Vec<SerialNumber> = Vec::new();
        let (mut file, mut length) = (tempfile::tempfile().unwrap(), 0);
        let acts = self.acts();
        // The newest change of each serial number, the oldest first, as the real one has them.
        for act in acts.iter().skip(usize::try_from(after).unwrap()).rev() {
            let of = match act {
                Act::CertificateRevoked(act) => &act.serial,
                Act::CertificateReleased(act) => &act.serial,
                _ => continue,
            };
            let of = SerialNumber::from_der_content(of).unwrap();
            if !told.contains(&of) {
                told.push(of);
            }
        }
        for of in told.iter().rev() {
            let der = match revoked.iter().find(|(other, ..)| other == of) {
                Some((serial, revocation, ..)) => CrlEntry::encode(*serial, revocation),
                None => DeltaEntry::encode_removed(*of, noon()),
            };
            file.write_all(&der).unwrap();
            length += der.len() as u64;
        }
        let (count, sequence) = (told.len() as u64, acts.len() as u64);
        Ok(CrlEntries { count, length, file, sequence })
    }

    fn revocation_sequence(&self, of: &SerialNumber) -> Result<Option<u64>, StoreError> {
        let last = self.acts().iter().rposition(|act| match act {
            Act::CertificateRevoked(act) => act.serial == of.as_der_content(),
            Act::CertificateReleased(act) => act.serial == of.as_der_content(),
            _ => false,
        });
        Ok(last.map(|place| place as u64 + 1))
    }

    fn first_crl(&self, scope: CrlScope, sequence: u64) -> Result<Option<CrlRow>, StoreError> {
        let all =
            self.crls(Some(scope), Page { after: None, limit: usize::MAX })?.rows.into_iter().rev();
        let mut found = all.filter(|row| row.published.is_some() && row.sequence >= Some(sequence));
        Ok(found.next())
    }

    fn crls(&self, scope: Option<CrlScope>, page: Page) -> Result<Listing<CrlRow>, StoreError> {
        let mut rows: Vec<CrlRow> = Vec::new();
        for act in self.acts() {
            match act {
                Act::CrlIntended(act) => rows.push(CrlRow {
                    number: act.number,
                    this_update: Timestamp::from_seconds(act.this_update),
                    next_update: Timestamp::from_seconds(act.next_update),
                    next_publish: Timestamp::from_seconds(act.next_publish),
                    tbs_digest: act.tbs_digest,
                    entries: act.entries,
                    published: None,
                    sequence: act.sequence,
                    kind: act.base.map_or(CrlKind::Complete, |base| CrlKind::Delta { base }),
                    oldest_held: act.oldest_held,
                    freshest: act.freshest.unwrap_or_default(),
                    scope: Scope::read(act.scope),
                }),
                Act::CrlPublished(act) => {
                    let row = rows.iter_mut().find(|row| row.number == act.number).unwrap();
                    row.published = Some((noon(), act.size, act.sha256));
                }
                _ => {}
            }
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.number));
        rows.retain(|row| scope.is_none_or(|scope| row.scope == scope));
        rows.retain(|row| page.after.is_none_or(|after| row.number < after));
        let more = rows.len() > page.limit;
        rows.truncate(page.limit);
        let next = rows.last().filter(|_| more).map(|row| row.number);
        Ok(Listing { rows, next })
    }

    fn partitions(&self, _: u16) -> Result<Option<act::CrlsPartitioned>, StoreError> {
        unreachable!()
    }

    fn next_request_id(&self) -> u64 {
        unreachable!()
    }

    fn health(&self) -> Health {
        Health::default()
    }

    fn head(&self) -> Head {
        let sequence = self.entries.lock().unwrap().len() as u64;
        Head { sequence, hash: [0; 32], latest: noon() }
    }

    fn request(&self, _: u64) -> Result<Option<RequestRow>, StoreError> {
        unreachable!()
    }

    fn requests(&self, _: &RequestFilter, _: Page) -> Result<Listing<RequestRow>, StoreError> {
        unreachable!()
    }

    fn certificates(
        &self,
        _: &CertificateFilter,
        _: Page,
    ) -> Result<Listing<CertificateRow>, StoreError> {
        unreachable!()
    }

    fn orphans(&self) -> Result<Vec<Orphan>, StoreError> {
        unreachable!()
    }

    fn is_compromised(&self, _: &[u8; 32]) -> Result<bool, StoreError> {
        unreachable!()
    }

    fn templates(&self) -> Result<Vec<TemplateRow>, StoreError> {
        unreachable!()
    }

    fn account(&self, _: &str) -> Result<Option<AccountSaved>, StoreError> {
        unreachable!()
    }

    fn accounts(&self, _: Option<&str>, _: usize) -> Result<Vec<AccountSaved>, StoreError> {
        unreachable!()
    }

    fn token_by_hash(&self, _: &[u8; 32]) -> Result<Option<TokenRow>, StoreError> {
        unreachable!()
    }

    fn token(&self, _: &str) -> Result<Option<TokenRow>, StoreError> {
        unreachable!()
    }

    fn tokens(&self, _: Option<&str>, _: usize) -> Result<Vec<TokenRow>, StoreError> {
        unreachable!()
    }

    fn token_spent_by(&self, _: u64) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    fn idempotent(&self, _: &str, _: &str, _: Timestamp) -> Result<Option<Idempotent>, StoreError> {
        unreachable!()
    }

    fn notable(&self, _: u64, _: usize) -> Result<Vec<AuditRow>, StoreError> {
        unreachable!()
    }

    fn standings(&self) -> Result<Vec<(String, act::Standing)>, StoreError> {
        unreachable!()
    }

    fn self_check(&self) -> Result<Option<act::SelfCheckChanged>, StoreError> {
        unreachable!()
    }

    fn parent_crl(&self, _: &[u8; 32]) -> Result<Option<act::ParentCrlInstalled>, StoreError> {
        unreachable!()
    }

    fn told(&self, _: &Subject) -> Result<Option<u64>, StoreError> {
        unreachable!()
    }

    fn entries(&self, _: u64, _: usize) -> Result<Vec<AuditRow>, StoreError> {
        unreachable!()
    }
}

/// The acts about CRLs, in order: number, and whether it is the publication.
pub fn crl_acts(acts: &[Act]) -> Vec<(u64, bool)> {
    let crl = |act: &Act| match act {
        act::Act::CrlIntended(act) => Some((act.number, false)),
        act::Act::CrlPublished(act) => Some((act.number, true)),
        _ => None,
    };
    acts.iter().filter_map(crl).collect()
}
