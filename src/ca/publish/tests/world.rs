//! A CA with a register in memory and publication in a directory, both of which can be told to
//! fail at a step, before or after it took effect.

use std::sync::Arc;

use super::super::{Current, DeltaUse, PublicationPoint, Publisher, Schedule};
use super::faulty::{Faulty, Steps};
use super::memory::MemoryRegister;
use crate::ca::establish::{intend_root, sign_root};
use crate::pki::issuer::Issuer;
use crate::pki::name::DistinguishedName;
use crate::pki::revocation::RevocationReason;
use crate::pki::revocation_list::{CrlEntry, CrlReader, CrlScope, CrlSummary, DeltaEntry};
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::signing::{FileKey, KeyKind};
use crate::storage::Register;
use crate::storage::act::{Act, CertificateReleased, CertificateRevoked, Entry};
use crate::storage::publication::{PublicationDirectory, PublicationStore};

pub const NOON: u64 = 1_795_435_200; // 2026-11-23T12:00:00Z

pub fn noon() -> Timestamp {
    Timestamp::from_seconds(NOON)
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
