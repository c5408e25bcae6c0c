//! One life: a machine, the model beside it, and what its relying parties have.

use std::collections::BTreeMap;

use super::counts::Counts;
use super::machine::{Machine, Space};
use super::model::{Issued, Model, Record, State};
use super::parties::{Moment, Parties};
use super::party::list_of;
use super::publications::url_of;
use super::script::{Draw, Start, Step, Threads};
use super::series::Series;
use crate::ca::tests::world::noon;
use crate::ca::{Refusal, Requester};
use crate::pki::revocation_list::CrlScope;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::storage::act::{Act, CertificateRevoked, Partition, RevokedScope};
use crate::storage::open::Trust;
use crate::storage::{CertificateRow, Register};

/// Everything.
pub(super) struct Life {
    pub(super) machine: Machine,
    pub(super) model: Model,
    /// Who holds the lists of each scope.
    pub(super) parties: BTreeMap<CrlScope, Parties>,
    pub(super) series: Series,
    pub(super) accounts: Vec<Requester>,
    pub(super) now: Timestamp,
    /// The latest that the clock ever showed, and how long it was behind that.
    pub(super) latest: Timestamp,
    pub(super) behind_seconds: u64,
    /// The last ledger entry that holds a change of the model, by the scope that is to tell it;
    /// and when the last of all was made.
    pub(super) changed: BTreeMap<CrlScope, u64>,
    pub(super) changed_at: Timestamp,
    /// The key index of the CA's key, or of that and of one that it is being renewed with.
    pub(super) present_keys: Vec<usize>,
    /// What is on record beyond that was written while nothing was uncertain.
    pub(super) read: u64,
    /// The last turn of the publisher went well, and the clock has not jumped since.
    pub(super) in_time: bool,
    pub(super) backup: Option<Backup>,
    pub(super) asked: Option<Asked>,
    pub(super) draw: Draw,
    pub(super) counts: Counts,
}

/// A backup, and what was true when it was made.
pub(super) struct Backup {
    pub(super) directory: std::path::PathBuf,
    pub(super) model: Model,
    /// The highest number of a CRL that it knows.
    pub(super) newest: u64,
}

/// A request that was not answered.
pub(super) struct Asked {
    pub(super) account: usize,
    pub(super) template: &'static str,
    pub(super) key: String,
    pub(super) csr: Vec<u8>,
}

impl Life {
    pub(super) fn new(seed: u64) -> Self {
        let mut machine = Machine::new(seed);
        machine.start(Trust::AsRecorded, noon());
        machine.service().furnish();
        let authority = &machine.service().authority;
        let account = |name| crate::ca::tests::world::vpn_user(authority, name);
        let accounts = ["alice", "bob", "carol"].map(account).into();
        let mut life = Self {
            machine,
            model: Model::default(),
            parties: BTreeMap::new(),
            series: Series::default(),
            accounts,
            now: noon(),
            latest: noon(),
            behind_seconds: 0,
            changed: BTreeMap::new(),
            changed_at: noon(),
            present_keys: vec![0],
            read: 0,
            in_time: false,
            backup: None,
            asked: None,
            draw: Draw::new(seed.rotate_left(32)),
            counts: Counts::default(),
        };
        life.read = life.register().head().sequence;
        life.meet();
        life.turn(Threads::All);
        life
    }

    /// What happened so far.
    pub(super) fn counts(&self) -> Counts {
        let Series { lists, combinations, .. } = self.series;
        Counts { lists, combinations, ..self.counts }
    }

    pub(super) fn register(&self) -> &dyn Register {
        self.machine.service().register.as_ref()
    }

    pub(super) fn moment(&self) -> Moment {
        Moment { now: self.now, latest: self.latest, behind_seconds: self.behind_seconds }
    }

    /// A step, and what must hold after it.
    pub(super) fn step(&mut self, step: Step) {
        match step {
            Step::Issue { account, life, keyed } => self.issue(account, life, keyed),
            Step::Revoke { which, reason } => self.revoke(which, reason),
            Step::Hold { which } => self.hold(which),
            Step::Release { which } => self.release(which),
            Step::RevokeAccount { account, reason } => self.revoke_account(account, reason),
            Step::Anew => self.machine.service().publishers.demand_anew(),
            Step::Turn(threads) => self.turn(threads),
            Step::Ask { which } => self.ask(which),
            Step::Wait { milliseconds } => self.wait(milliseconds),
            Step::Forward { seconds } => self.jump(self.now.plus_seconds(seconds)),
            Step::Back { seconds } => self.jump(self.now.minus_seconds(seconds).max(noon())),
            Step::CrashSoon { steps, when } => self.crash_soon(steps, when),
            Step::Kill => self.crash(),
            Step::Restart(start) => self.restart(start),
            Step::Unpublishable { steps } => self.machine.faults.fail_publishing(steps),
            Step::Full => self.machine.fill(Space::Short),
            Step::Freed => self.machine.fill(Space::Plenty),
            Step::Backup => self.make_backup(),
            Step::Restore(publications) => self.restore(publications),
            Step::RenewAuthority(renewal) => self.renew_authority(renewal),
        }
        if self.machine.faults.is_dead() {
            self.crash();
        }
        self.renew_in_time();
        // Mostly the service's threads are at it at once.
        if self.draw.below(3) > 0 {
            self.turn(Threads::All);
        }
    }

    /// What was written while somebody got no answer.
    pub(super) fn reconcile(&mut self) {
        let register = self.machine.service().register.clone();
        self.model.settle(|serial| state_of(register.as_ref(), serial));
        loop {
            let rows = register.entries(self.read + 1, 1000).unwrap();
            let Some(last) = rows.last() else { break };
            self.read = last.sequence;
            for row in rows {
                let (serial, given_up) = match &row.entry.act {
                    Act::CertificateIssued(act) if super::TEMPLATES.contains(&&*act.template) => {
                        let request = register.request(act.request_id).unwrap().unwrap();
                        (request.serial.unwrap(), None)
                    }
                    Act::CertificateRevoked(act) => {
                        (SerialNumber::from_der_content(&act.serial).unwrap(), Some(act))
                    }
                    _ => continue,
                };
                if self.model.place(&serial).is_none() {
                    self.learn(&serial, given_up, register.as_ref());
                }
            }
        }
        let head = register.head().sequence;
        let publishers = &self.machine.service().publishers;
        publishers.demand_all(head);
        self.changed = publishers.scopes().into_iter().map(|scope| (scope, head)).collect();
        self.changed_at = self.now;
    }

    /// A certificate that nobody was told of, or a serial number that was given up.
    fn learn(
        &mut self,
        serial: &SerialNumber,
        given_up: Option<&CertificateRevoked>,
        register: &dyn Register,
    ) {
        let state = state_of(register, serial);
        match register.certificate(serial).unwrap() {
            Some(row) => {
                let of = |own: &Requester| own.account.name == row.account;
                let account = self.accounts.iter().position(of).unwrap();
                self.issued(&row, account);
            }
            None => {
                let act = given_up.expect("reserved and forgotten");
                assert!(matches!(state, State::Revoked(_)), "{serial} was reserved and forgotten");
                let ends = act.not_after.expect("the end of the CA");
                self.model.add(Issued {
                    serial: *serial,
                    scope: act.scope.map_or(CrlScope::FIRST, known),
                    account: 0,
                    certificate: Vec::new(),
                    not_after: Timestamp::from_seconds(ends),
                    record: Record::GivenUp,
                    state,
                    answered: Vec::new(),
                    ever_held: false,
                    first_listed: None,
                });
            }
        }
    }

    /// A certificate that somebody has got.
    pub(super) fn issued(&mut self, row: &CertificateRow, account: usize) {
        self.counts.issued += 1;
        // Where it says that its list is found, that of its scope is.
        assert_eq!(list_of(&row.certificate), [url_of(row.scope)], "{}", row.serial);
        self.model.add(Issued {
            serial: row.serial,
            scope: row.scope,
            account,
            certificate: row.certificate.clone(),
            not_after: row.not_after,
            record: Record::Present,
            state: State::Good,
            answered: vec![State::Good],
            ever_held: false,
            first_listed: None,
        });
    }

    /// Why a call may fail: the process is dying, there is no space, or (where it is an enrolment)
    /// the clock is behind what is on record or the CA has ended.
    pub(super) fn must_be_excused(&self, refusal: &Refusal) {
        let faults = &self.machine.faults;
        // The disk was full, and nobody could renew the CA in time.
        let ended = self.now > self.machine.service().authority.issuer().not_after();
        let excused = faults.is_dead()
            || ended
            || match refusal {
                Refusal::Unavailable("disk-full", _) => faults.is_full(),
                Refusal::Unavailable("clock-behind", _) => self.now < self.latest,
                _ => false,
            };
        assert!(excused, "{refusal}");
    }

    pub(super) fn restart(&mut self, start: Start) {
        self.machine.stop();
        match start {
            Start::TurningDeltas => self.machine.turn_deltas(),
            Start::Parting => {
                let more = 1 + self.draw.below(2) as u16;
                self.counts.partings += u64::from(self.machine.part_further(more));
            }
            Start::AsBefore | Start::Distrusting => {}
        }
        let trust = match start {
            Start::Distrusting => Trust::Nothing,
            _ => Trust::AsRecorded,
        };
        self.begin(trust);
    }

    /// The process starts.
    pub(super) fn begin(&mut self, trust: Trust) {
        self.counts.starts += 1;
        self.behind_seconds += 1;
        self.machine.start(trust, self.now);
        self.meet();
        self.reconcile();
        self.turn(Threads::All);
    }

    /// Which lists there are from now on, and whose they are.
    fn meet(&mut self) {
        let service = self.machine.service();
        let present = usize::from(service.authority.issuer().key_index());
        assert!(self.present_keys.contains(&present), "{present}: {:?}", self.present_keys);
        if self.present_keys[0] != present {
            // A copy of before would not know the key: from now on another one is kept.
            self.backup = None;
        }
        self.present_keys = vec![present];
        for scope in service.publishers.scopes() {
            self.parties.entry(scope).or_default();
        }
    }
}

/// The scope of a serial number that was given up.
fn known(scope: RevokedScope) -> CrlScope {
    let partition = match scope.partition {
        Partition::Known(number) => Some(number),
        Partition::None | Partition::Unknown => None,
    };
    CrlScope { key: scope.key, partition }
}

/// How the register says that a serial number stands.
pub(super) fn state_of(register: &dyn Register, serial: &SerialNumber) -> State {
    match register.revocation(serial).unwrap() {
        None => State::Good,
        Some(revocation) => State::revoked(revocation.reason, revocation.revoked_at),
    }
}
