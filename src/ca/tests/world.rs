//! An authority on a real register in a temporary directory, with a key that watches law 1.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crate::ca::enroll::{Enrolled, Enrolment, Outcome};
use crate::ca::establish::{established, first_acts, intend_root, sign_root};
use crate::ca::offices::{Limits, Office};
use crate::ca::permissions::Role;
use crate::ca::{Authority, CertificateRow, Parts, Refusal, Requester, act};
use crate::directory::{BuiltIn, Directory, DirectoryError};
use crate::pki::account::{Account, AccountKind};
use crate::pki::issuer::Issuer;
use crate::pki::name::DistinguishedName;
use crate::pki::signature::SignatureAlgorithm;
use crate::pki::template::TemplateArc;
use crate::pki::time::Timestamp;
use crate::signing::{CaKey, FileKey, KeyKind, SigningError};
use crate::storage::act::{Act, Entry};
use crate::storage::open::Scrub;
use crate::storage::{LedgerRegister, Options, Register, Urgency};

pub(super) fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// A key that refuses to sign a certificate which is not on record, and remembers what it signed.
pub(super) struct WatchfulKey {
    key: FileKey,
    watched: Mutex<Option<Arc<dyn Register>>>,
    pub(super) signed: Mutex<BTreeSet<Vec<u8>>>,
    pub(super) broken: std::sync::atomic::AtomicBool,
}

impl CaKey for WatchfulKey {
    fn spki_der(&self) -> &[u8] {
        self.key.spki_der()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        if self.broken.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(SigningError::Refused);
        }
        if let Some(register) = &*self.watched.lock().unwrap() {
            let orphans = register.orphans().unwrap();
            let reserved = orphans.iter().any(|orphan| orphan.tbs == message);
            assert!(reserved, "asked to sign what is not on record");
        }
        self.signed.lock().unwrap().insert(message.to_vec());
        self.key.sign(message)
    }

    fn sign_digest(&self, digest: &aws_lc_rs::digest::Digest) -> Result<Vec<u8>, SigningError> {
        self.key.sign_digest(digest)
    }
}

pub(super) struct World {
    pub(super) data: tempfile::TempDir,
    pub(super) key: Arc<WatchfulKey>,
    pub(super) certificate: Vec<u8>,
    arc: TemplateArc,
}

impl World {
    /// A CA that ends `days` from noon.
    pub(super) fn of_days(days: u64) -> Self {
        let data = tempfile::tempdir().unwrap();
        let key = FileKey::generate(KeyKind::P256).unwrap();
        let key = WatchfulKey {
            key,
            watched: Mutex::default(),
            signed: Mutex::default(),
            broken: false.into(),
        };
        let name = DistinguishedName::from_rfc4514("CN=Contoso VPN CA,DC=contoso,DC=com").unwrap();
        let long_ago = noon().minus_seconds(86_400);
        let life = (days + 1) * 86_400;
        let intended = intend_root(&name, &key, [7; 20], long_ago, life).unwrap();
        let certificate = sign_root(&intended, &key).unwrap();
        key.signed.lock().unwrap().clear();
        let arc = TemplateArc::from_random([9; 16]);
        let world = Self { data, key: Arc::new(key), certificate, arc };
        let register = world.open();
        let certificate = world.certificate.clone();
        let made = established(&name, certificate, Vec::new(), arc.to_string(), Vec::new(), 1);
        let acts = first_acts(made, long_ago).into_iter();
        let entries = acts.map(|act| Entry { at: long_ago.millis(), actor: None, act });
        register.commit(entries.collect(), Urgency::Ordinary).unwrap();
        register.close().unwrap();
        drop(register);
        world
    }

    pub(super) fn new() -> Self {
        Self::of_days(3650)
    }

    pub(super) fn open(&self) -> Arc<LedgerRegister> {
        let options = Options { scrub: Scrub::Not, ..Options::new(self.data.path().join("data")) };
        crate::storage::open(options).unwrap()
    }

    pub(super) fn authority(&self, register: Arc<dyn Register>) -> Authority {
        let url = |path: &str| vec![format!("http://pki.contoso.com/{path}")];
        let issuer = Issuer::new(
            &self.certificate,
            &Vec::<Vec<u8>>::new(),
            url("crl/contoso-vpn-ca.crl"),
            url("aia/contoso-vpn-ca.crt"),
        );
        let key = Arc::clone(&self.key) as Arc<dyn CaKey>;
        self.authority_of(register, issuer.unwrap(), key)
    }

    /// The same with another key than the first.
    pub(super) fn authority_of(
        &self,
        register: Arc<dyn Register>,
        issuer: Issuer,
        key: Arc<dyn CaKey>,
    ) -> Authority {
        *self.key.watched.lock().unwrap() = Some(Arc::clone(&register));
        let rows = Arc::clone(&register);
        let lookup = move |name: &str| {
            let row = rows.account(name).map_err(|error| DirectoryError(error.to_string()))?;
            Ok(row.map(|row| crate::ca::accounts::from_row(row).account))
        };
        let directory: Arc<dyn Directory> = Arc::new(BuiltIn(lookup));
        Authority::new(Parts {
            register,
            key,
            directory,
            issuer,
            slug: "contoso-vpn-ca".to_owned(),
            template_arc: self.arc,
            random: Arc::new(|octets| {
                aws_lc_rs::rand::fill(octets).map_err(|_| crate::ca::RandomFailed)
            }),
        })
        .unwrap()
    }

    /// Forgets the register, so that it can be opened again as after a crash.
    pub(super) fn crash(&self) {
        *self.key.watched.lock().unwrap() = None;
    }
}

pub(super) fn somebody(name: &str, roles: &[Role]) -> Requester {
    let unlimited = |role: &Role| Office { role: *role, limits: Limits::default() };
    Requester::of(account(name, &[]), roles.iter().map(unlimited).collect())
}

pub(super) fn administrator() -> Requester {
    somebody("administrator", &[Role::Administrator])
}

pub(super) fn account(name: &str, groups: &[&str]) -> Account {
    Account {
        name: name.to_owned(),
        kind: AccountKind::User,
        cn: Some(name.to_owned()),
        display_name: None,
        distinguished_name: Some(format!("CN={name},OU=Staff,DC=contoso,DC=com")),
        user_principal_name: Some(format!("{name}@contoso.com")),
        mail: None,
        dns_host_name: None,
        object_sid: Some("S-1-5-21-1004336348-1177238915-682003330-1104".to_owned()),
        object_guid: None,
        service_principal_names: vec![],
        groups: groups.iter().map(|&group| group.to_owned()).collect(),
        enabled: true,
    }
}

/// Puts an account of group VPN Users on record and gives it as requester.
pub(super) fn vpn_user(authority: &Authority, name: &str) -> Requester {
    let account = account(name, &["VPN Users"]);
    let roles = Vec::new();
    authority.create_account(&administrator(), account.clone(), roles, None, noon()).unwrap();
    Requester::of(account, Vec::new())
}

/// A fresh P-256 key's request.
pub(super) fn csr(names: &[&str]) -> Vec<u8> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut parameters = rcgen::CertificateParams::new(names.clone()).unwrap();
    let mut subject = rcgen::DistinguishedName::new();
    if let Some(first) = names.first() {
        subject.push(rcgen::DnType::CommonName, first.clone());
    }
    parameters.distinguished_name = subject;
    let key = rcgen::KeyPair::generate().unwrap();
    parameters.serialize_request(&key).unwrap().der().to_vec()
}

pub(super) fn ask<'a>(template: &'a str, csr: &'a [u8]) -> Enrolment<'a> {
    Enrolment { template, csr, on_behalf_of: None, idempotency: None }
}

pub(super) fn with_key<'a>(asked: Enrolment<'a>, key: &str, body: u8) -> Enrolment<'a> {
    let idempotency = act::Idempotency { key: key.to_owned(), request_sha256: [body; 32] };
    Enrolment { idempotency: Some(idempotency), ..asked }
}

pub(super) fn issued(enrolled: Result<Enrolled, Refusal>) -> CertificateRow {
    match enrolled.unwrap().outcome {
        Outcome::Issued(row, _) => *row,
        Outcome::Pending => panic!("pending"),
    }
}

pub(super) fn acts(register: &dyn Register) -> Vec<Act> {
    let rows = register.entries(1, 10_000).unwrap();
    rows.into_iter().map(|row| row.entry.act).collect()
}

/// The CA's key without the watch, for what only a test would sign.
pub(super) struct Unwatched<'a>(pub(super) &'a World);

impl CaKey for Unwatched<'_> {
    fn spki_der(&self) -> &[u8] {
        self.0.key.spki_der()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.key.algorithm()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        self.0.key.key.sign(message)
    }

    fn sign_digest(&self, digest: &aws_lc_rs::digest::Digest) -> Result<Vec<u8>, SigningError> {
        self.0.key.sign_digest(digest)
    }
}
