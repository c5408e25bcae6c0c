//! The service under test: a real register on real files, authority, publisher and OCSP answers,
//! which die, start again, and are put back from a backup.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::digest::Digest;

use super::faults::{Faults, FaultyDisk, FaultyStore};
use super::script::Draw;
use crate::ca::establish::{established, first_acts, intend_root, sign_root};
use crate::ca::ocsp::{self, AnswerMaker, AnswerPoint, AnswerSchedule, Nonces};
use crate::ca::ocsp::{NoResponder, Responder, Responders};
use crate::ca::publish::{DeltaUse, PublicationPoint, Publisher, Schedule};
use crate::ca::tests::world::{administrator, noon};
use crate::ca::{Authority, Parts, RandomFailed};
use crate::directory::{BuiltIn, DirectoryError};
use crate::pki::account::{Account, AccountKind};
use crate::pki::certificate::Certificate;
use crate::pki::issuer::Issuer;
use crate::pki::name::DistinguishedName;
use crate::pki::signature::SignatureAlgorithm;
use crate::pki::template::TemplateArc;
use crate::pki::time::Timestamp;
use crate::signing::{CaKey, FileKey, KeyKind, SigningError};
use crate::storage::act::{Act, Entry, Started};
use crate::storage::answers::AnswerDirectory;
use crate::storage::index::Limits;
use crate::storage::ledger::disk::Disk;
use crate::storage::open::{Scrub, Trust};
use crate::storage::publication::PublicationDirectory;
use crate::storage::{LedgerRegister, Options, Page, Register, Urgency};

pub(super) const SLUG: &str = "contoso";
pub(super) const BASES: u64 = 7 * 24 * 3600;
const DELTAS: u64 = 24 * 3600;
pub(super) const ANSWERS: u64 = 2 * 24 * 3600;
const DELTA_URL: &str = "http://pki.contoso.com/crl/contoso-delta.crl";

/// What a CA is while its process may come and go.
pub(super) struct Machine {
    pub(super) home: tempfile::TempDir,
    pub(super) faults: Arc<Faults>,
    pub(super) key: Arc<WatchfulKey>,
    pub(super) deltas: Deltas,
    arc: TemplateArc,
    responder: Arc<Mutex<Option<Arc<Responder>>>>,
    random: Arc<Mutex<Draw>>,
    service: Option<Service>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deltas {
    On,
    /// They run out.
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    Short,
    Plenty,
}

/// What a process holds.
pub(super) struct Service {
    pub(super) register: Arc<LedgerRegister>,
    pub(super) authority: Arc<Authority>,
    pub(super) publisher: Publisher,
    pub(super) maker: AnswerMaker,
    pub(super) answers: Arc<AnswerPoint>,
}

impl Machine {
    pub(super) fn new(seed: u64) -> Self {
        let memory = std::path::Path::new("/dev/shm");
        let home = match memory.is_dir() {
            true => tempfile::tempdir_in(memory).unwrap(),
            false => tempfile::tempdir().unwrap(),
        };
        let key = FileKey::generate(KeyKind::P256).unwrap();
        let machine = Self {
            home,
            faults: Arc::default(),
            key: Arc::new(WatchfulKey { key, register: Mutex::default() }),
            deltas: Deltas::On,
            arc: TemplateArc::from_random([9; 16]),
            responder: Arc::default(),
            random: Arc::new(Mutex::new(Draw::new(!seed))),
            service: None,
        };
        machine.found();
        machine
    }

    fn found(&self) {
        let name = DistinguishedName::from_rfc4514("CN=Contoso,DC=contoso,DC=com").unwrap();
        let founded = noon().minus_seconds(86_400);
        let intended = intend_root(&name, &*self.key, [7; 20], founded, 315_360_000).unwrap();
        let certificate = sign_root(&intended, &self.key.key).unwrap();
        let arc = self.arc.to_string();
        let made = established(&name, certificate, Vec::new(), arc, Vec::new(), 1);
        let register = self.open(Trust::AsRecorded);
        let acts = first_acts(made, founded).into_iter();
        let entries = acts.map(|act| Entry { at: founded.millis(), actor: None, act });
        register.commit(entries.collect(), Urgency::Ordinary).unwrap();
    }

    pub(super) fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    pub(super) fn publications(&self) -> PathBuf {
        self.home.path().join("publish")
    }

    pub(super) fn answers(&self) -> PathBuf {
        self.home.path().join("ocsp")
    }

    pub(super) fn service(&self) -> &Service {
        self.service.as_ref().expect("the process runs")
    }

    pub(super) fn open(&self, trust: Trust) -> Arc<LedgerRegister> {
        for attempt in 0.. {
            let faults = Arc::clone(&self.faults);
            let wrap = move |disk| Box::new(FaultyDisk { disk, faults }) as Box<dyn Disk>;
            let small = Limits { cache: 1 << 20, changes: 4 << 10, replayed: 16 << 10 };
            let options = Options::new(self.data());
            let options = Options {
                scrub: Scrub::Not,
                index: small,
                disk: Some(Box::new(wrap)),
                trust,
                low_space: 1,
                reserve: 0,
                ..options
            };
            match crate::storage::open(options) {
                Ok(register) => return register,
                // A program that another test is just starting holds our lock until its exec.
                Err(error) if attempt < 100 && error.to_string().contains("in use") => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(error) => panic!("{error}"),
            }
        }
        unreachable!()
    }

    /// Starts the process: all that was under way at its end is put in order first.
    pub(super) fn start(&mut self, trust: Trust, now: Timestamp) {
        self.faults.revive();
        let register = self.open(trust);
        *self.key.register.lock().unwrap() = Some(register.clone());
        let authority = Arc::new(self.authority(&register));
        authority.put_in_order(now).unwrap();
        let publisher = self.publisher(&authority);
        let one = NonZeroUsize::MIN;
        let answers = AnswerPoint::new(authority.issuer(), Nonces::PassedOver, one).unwrap();
        let answers = Arc::new(answers);
        let maker = AnswerMaker::new(ocsp::Parts {
            register: register.clone(),
            issuer: Arc::new(authority.issuer().clone()),
            directory: AnswerDirectory::open(&self.answers()).unwrap(),
            point: Arc::clone(&answers),
            responders: Arc::new(Certified {
                authority: Arc::clone(&authority),
                kept: Arc::clone(&self.responder),
            }),
            schedule: AnswerSchedule::every(ANSWERS),
            processors: one,
        });
        self.service = Some(Service { register, authority, publisher, maker, answers });
    }

    fn authority(&self, register: &Arc<LedgerRegister>) -> Authority {
        let issuer = self.issuer(register.as_ref());
        let rows = register.clone();
        let lookup = move |name: &str| {
            let row = rows.account(name).map_err(|error| DirectoryError(error.to_string()))?;
            Ok(row.map(|row| crate::ca::accounts::from_row(row).account))
        };
        let random = Arc::clone(&self.random);
        let parts = Parts {
            register: register.clone(),
            key: self.key.clone(),
            directory: Arc::new(BuiltIn(lookup)),
            issuer,
            slug: SLUG.to_owned(),
            template_arc: self.arc,
            random: Arc::new(move |octets: &mut [u8]| {
                let mut draw = random.lock().map_err(|_| RandomFailed)?;
                octets.iter_mut().for_each(|octet| *octet = draw.below(256) as u8);
                Ok(())
            }),
        };
        Authority::new(parts).unwrap()
    }

    /// The CA as it is on record.
    pub(super) fn issuer(&self, register: &dyn Register) -> Issuer {
        let certificate = register.authority().unwrap().unwrap().certificate;
        let url = |path: &str| vec![format!("http://pki.contoso.com/{path}")];
        let (crl, own) = (url("crl/contoso.crl"), url("aia/contoso.crt"));
        Issuer::new::<Vec<u8>>(&certificate, &[], crl, own).unwrap()
    }

    fn publisher(&self, authority: &Authority) -> Publisher {
        let store = |name: &str| {
            let inner = PublicationDirectory::open(&self.publications(), name).unwrap();
            Arc::new(FaultyStore { inner, faults: Arc::clone(&self.faults) })
        };
        let (bases, deltas) = (store(SLUG), store("contoso-delta"));
        let schedule = Schedule::every(BASES);
        let delta_schedule = schedule.delta_every(DELTAS);
        let (point, outcome) = PublicationPoint::open(authority.issuer(), SLUG, &*bases, schedule);
        outcome.unwrap();
        point.open_delta(authority.issuer(), &*deltas, delta_schedule).unwrap();
        let used = match self.deltas {
            Deltas::On => DeltaUse::Announced(vec![DELTA_URL.to_owned()]),
            Deltas::Off => DeltaUse::RunningOut,
        };
        Publisher::new(authority, bases, Arc::new(point), schedule).with_deltas(
            deltas,
            delta_schedule,
            used,
        )
    }

    /// Others fill the disk, or free it, and the register notices at once.
    pub(super) fn fill(&self, space: Space) {
        self.faults.fill(space == Space::Short);
        if let Some(service) = &self.service {
            let act = Act::Started(Started { version: String::new() });
            let entry = Entry { at: 0, actor: None, act };
            let noticed = service.register.commit(vec![entry], Urgency::Reserved);
            assert!(noticed.is_ok() || self.faults.is_dead());
        }
    }

    /// The process ends as it should.
    pub(super) fn stop(&mut self) {
        *self.key.register.lock().unwrap() = None;
        self.service = None;
    }

    /// The process dies: nothing is closed.
    pub(super) fn die(&mut self) {
        self.faults.die();
        if let Some(service) = &self.service {
            // A register that could not write does not say that all is well when it is dropped.
            let act = Act::Started(Started { version: String::new() });
            let entry = Entry { at: 0, actor: None, act };
            service.register.commit(vec![entry], Urgency::Reserved).unwrap_err();
        }
        self.stop();
    }

    /// The responder's key and certificate are another machine's.
    pub(super) fn forget_responder(&self) {
        *self.responder.lock().unwrap() = None;
    }
}

/// Issues responders as the composition root does.
struct Certified {
    authority: Arc<Authority>,
    kept: Arc<Mutex<Option<Arc<Responder>>>>,
}

impl Responders for Certified {
    fn responder(&self, now: Timestamp) -> Result<Arc<Responder>, NoResponder> {
        let mut kept = self.kept.lock().unwrap();
        if let Some(kept) = kept.as_ref()
            && now < kept.renewal_due()
            && now >= kept.certificate().not_before()
        {
            return Ok(Arc::clone(kept));
        }
        let host = Some("ocsp.contoso.com".to_owned());
        let account =
            Account { dns_host_name: host, ..Account::named("chancery", AccountKind::Service) };
        let key = FileKey::generate(KeyKind::P256).unwrap();
        let pair = rcgen::KeyPair::try_from(key.to_pkcs8_der().unwrap().as_slice()).unwrap();
        let request = rcgen::CertificateParams::new(Vec::new()).unwrap();
        let request = request.serialize_request(&pair).unwrap().der().to_vec();
        let row = self.authority.issue_internally("OCSPResponseSigning", &request, &account, now);
        let row = row.map_err(|error| NoResponder(error.to_string()))?;
        let certificate = Certificate::from_der(&row.certificate).unwrap();
        let made = Responder::new(certificate, Arc::new(key), self.authority.issuer()).unwrap();
        Ok(Arc::clone(kept.insert(Arc::new(made))))
    }
}

/// The CA's key, which signs nothing that is not first on record (law 1), CRLs included.
pub(super) struct WatchfulKey {
    pub(super) key: FileKey,
    register: Mutex<Option<Arc<LedgerRegister>>>,
}

impl CaKey for WatchfulKey {
    fn spki_der(&self) -> &[u8] {
        self.key.spki_der()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let register = self.register.lock().unwrap().clone().expect("a running process");
        let orphans = register.orphans().unwrap();
        let reserved = orphans.iter().any(|orphan| orphan.tbs == message);
        assert!(reserved, "asked to sign a certificate that is not on record");
        self.key.sign(message)
    }

    fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>, SigningError> {
        let register = self.register.lock().unwrap().clone().expect("a running process");
        let newest = register.crls(None, Page { after: None, limit: 2 }).unwrap().rows;
        let intended = newest.iter().any(|row| row.tbs_digest == digest.as_ref());
        assert!(intended, "asked to sign a CRL that is not on record");
        self.key.sign_digest(digest)
    }
}

impl Service {
    /// Accounts and short-lived templates.
    pub(super) fn furnish(&self) {
        for (template, validity) in [(super::DAYS, "3 days"), (super::WEEKS, "5 weeks")] {
            let all = crate::pki::template::shipped();
            let found = all.iter().find(|own| own.cn() == "VPNUserAuthentication").unwrap();
            let mut file = found.to_file();
            file.cn = template.to_owned();
            file.display_name = template.to_owned();
            file.validity_period = validity.to_owned();
            file.renewal_period = "1 day".to_owned();
            let root = administrator();
            self.authority.create_template(&root, file, None, noon()).unwrap();
            self.authority.publish_template(&root, template, noon()).unwrap();
        }
    }
}
