//! The machine that a CA lives on: its keys, its disk, its settings, and the process, which dies,
//! starts again, and may find a backup in the place of its register.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::faults::{Faults, FaultyDisk};
use super::keys::{Kept, Keys};
use super::script::Draw;
use super::service::Service;
use crate::ca::establish::{established, first_acts, intend_root, sign_root};
use crate::ca::tests::world::noon;
use crate::pki::name::DistinguishedName;
use crate::pki::template::TemplateArc;
use crate::pki::time::Timestamp;
use crate::storage::act::{Act, Entry, Started};
use crate::storage::index::Limits;
use crate::storage::ledger::disk::Disk;
use crate::storage::open::{Scrub, Trust};
use crate::storage::{LedgerRegister, Options, Register, Urgency};

pub(super) const SLUG: &str = "contoso";
pub(super) const BASE_URL: &str = "http://pki.contoso.com";
pub(super) const DAY: u64 = 24 * 3600;
pub(super) const BASES: u64 = 7 * DAY;
pub(super) const DELTAS: u64 = DAY;
pub(super) const ANSWERS: u64 = 2 * DAY;
/// How long a certificate of the CA lasts.
pub(super) const CA_SECONDS: u64 = 75 * DAY;
/// No more partitions than this.
const MOST_PARTITIONS: u16 = 4;

/// What a CA is while its process may come and go.
pub(super) struct Machine {
    pub(super) home: tempfile::TempDir,
    pub(super) faults: Arc<Faults>,
    pub(super) keys: Keys,
    pub(super) deltas: Deltas,
    /// Among how many CRLs what is issued is to be parted, if that is set.
    pub(super) partitions: Option<NonZeroU16>,
    pub(super) arc: TemplateArc,
    pub(super) responders: Kept,
    pub(super) random: Arc<Mutex<Draw>>,
    ends: BTreeMap<u16, Timestamp>,
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

impl Machine {
    pub(super) fn new(seed: u64) -> Self {
        let memory = std::path::Path::new("/dev/shm");
        let home = match memory.is_dir() {
            true => tempfile::tempdir_in(memory).unwrap(),
            false => tempfile::tempdir().unwrap(),
        };
        let mut machine = Self {
            home,
            faults: Arc::default(),
            keys: Keys::default(),
            deltas: Deltas::On,
            // Every other CA has parts from its beginning.
            partitions: if seed.is_multiple_of(2) { NonZeroU16::new(2) } else { None },
            arc: TemplateArc::from_random([9; 16]),
            responders: Kept::default(),
            random: Arc::new(Mutex::new(Draw::new(!seed))),
            ends: BTreeMap::new(),
            service: None,
        };
        machine.found();
        machine
    }

    fn found(&mut self) {
        let name = DistinguishedName::from_rfc4514("CN=Contoso,DC=contoso,DC=com").unwrap();
        let founded = noon().minus_seconds(DAY);
        let key = &self.keys.make(0, &self.faults).unwrap().key;
        let intended = intend_root(&name, key, [7; 20], founded, CA_SECONDS + DAY).unwrap();
        let certificate = sign_root(&intended, key).unwrap();
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

    /// When all that was issued under a key ends; never, while it is the present one. Of a process
    /// that has just died it is as in its last moment.
    pub(super) fn ends(&self, key: u16) -> Timestamp {
        self.ends.get(&key).copied().unwrap_or(Timestamp::NEVER)
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
        self.keys.watch(Some(register.clone()));
        let service = Service::of(self, register, now);
        self.ends = service.ends();
        self.service = Some(service);
    }

    /// Deltas are turned on, or off.
    pub(super) fn turn_deltas(&mut self) {
        self.deltas = match self.deltas {
            Deltas::On => Deltas::Off,
            Deltas::Off => Deltas::On,
        };
    }

    /// What is issued is parted among more CRLs; whether it is.
    pub(super) fn part_further(&mut self, more: u16) -> bool {
        let before = self.partitions;
        let number = before.map_or(0, NonZeroU16::get) + more;
        self.partitions = NonZeroU16::new(number.min(MOST_PARTITIONS));
        self.partitions != before
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
        self.keys.watch(None);
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

    /// The responders' keys and certificates are another machine's.
    pub(super) fn forget_responders(&self) {
        self.responders.lock().unwrap().clear();
    }
}
