//! One life: a machine, the model beside it, and what its relying parties have.

use super::counts::Counts;
use super::machine::{ANSWERS, Deltas, Machine, SLUG, Space};
use super::model::{Issued, Model, Record, State};
use super::parties::{Moment, Parties};
use super::script::{Draw, Start, Step, Threads};
use crate::ca::publish::Kind;
use crate::ca::tests::world::noon;
use crate::ca::{Refusal, Requester};
use crate::pki::time::Timestamp;
use crate::storage::act::Act;
use crate::storage::open::Trust;
use crate::storage::{CertificateRow, Register};

/// Everything.
pub(super) struct Life {
    pub(super) machine: Machine,
    pub(super) model: Model,
    pub(super) parties: Parties,
    pub(super) accounts: Vec<Requester>,
    pub(super) now: Timestamp,
    /// The latest that the clock ever showed, and how long it was behind that.
    pub(super) latest: Timestamp,
    behind_seconds: u64,
    /// The last ledger entry that holds a change of the model.
    pub(super) changed: u64,
    /// What is on record beyond that was written while nothing was uncertain.
    pub(super) read: u64,
    /// The last turn of the publisher went well, and the clock has not jumped since.
    pub(super) in_time: bool,
    pub(super) backup: Option<Backup>,
    pub(super) asked: Option<Asked>,
    pub(super) draw: Draw,
    /// The point of the CA's public key.
    pub(super) point: Vec<u8>,
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
        let info = spki::SubjectPublicKeyInfoRef::try_from(authority.key.spki_der()).unwrap();
        let point = info.subject_public_key.as_bytes().unwrap().to_vec();
        let mut life = Self {
            machine,
            model: Model::default(),
            parties: Parties::default(),
            accounts,
            now: noon(),
            latest: noon(),
            behind_seconds: 0,
            changed: 0,
            read: 0,
            in_time: false,
            backup: None,
            asked: None,
            draw: Draw::new(seed.rotate_left(32)),
            point,
            counts: Counts::default(),
        };
        life.read = life.register().head().sequence;
        life.turn(Threads::All);
        life
    }

    /// What happened so far.
    pub(super) fn counts(&self) -> Counts {
        let Parties { lists, combinations, .. } = self.parties;
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
            Step::Anew => self.machine.service().publisher.demand_anew(),
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
            Step::RenewAuthority => self.renew_authority(),
        }
        if self.machine.faults.is_dead() {
            self.crash();
        }
        // Mostly the service's threads are at it at once.
        if self.draw.below(3) > 0 {
            self.turn(Threads::All);
        }
    }

    /// The threads of the service have a turn each.
    pub(super) fn turn(&mut self, threads: Threads) {
        let kinds: &[Kind] = match threads {
            Threads::All => &[Kind::Delta, Kind::Base, Kind::Delta],
            Threads::Deltas => &[Kind::Delta],
            Threads::Bases => &[Kind::Base],
            Threads::Answers => &[],
        };
        let (mut delta_well, mut base_well) = (true, true);
        for kind in kinds {
            let now = self.now;
            let well = self.machine.service().publisher.take_turn(*kind, &|| now).outcome.is_ok();
            match kind {
                Kind::Delta => delta_well = well,
                Kind::Base => base_well = well,
            }
            self.fetch();
        }
        if matches!(threads, Threads::All | Threads::Answers) {
            self.make_answers();
        }
        if self.machine.faults.is_dead() {
            return self.crash();
        }
        if threads == Threads::All {
            self.in_time = delta_well && base_well;
            if self.in_time {
                self.judge();
            } else {
                assert!(self.machine.service().publisher.trouble(self.now).is_some());
            }
        }
    }

    /// OCSP answers that reflect everything, if they can be made.
    fn make_answers(&mut self) {
        use crate::ca::ocsp::Work;
        loop {
            match self.machine.service().maker.attempt(self.now) {
                Ok(Work::GoesOn) => {}
                Ok(Work::Done) => return self.model.answers_reflect(),
                Err(_) => return,
            }
        }
    }

    /// What must hold when the publisher has done what was to be done.
    fn judge(&mut self) {
        let service = self.machine.service();
        let (publisher, now) = (&service.publisher, self.now);
        assert_eq!(publisher.trouble(now), None);
        let delta = publisher.delta().map(|delta| delta.number);
        self.parties.nobody_is_locked_out(now, delta);
        self.parties.delta_is_newest(self.machine.deltas);
        // The call that revoked is answered with the number of a list that tells.
        let number = publisher.wait_for(self.changed, std::time::Duration::ZERO);
        let number = number.expect("nothing tells the last change");
        let told = self.parties.told_by(number).expect("a list that is not the newest");
        for (serial, revoked) in self.model.must_list(now, Some(now)) {
            if !self.model.find(&serial).unwrap().lives(now) {
                continue;
            }
            assert_eq!(told.get(&serial), Some(&revoked), "{serial} is acknowledged by {number}");
        }
    }

    /// Everybody fetches what stands there.
    pub(super) fn fetch(&mut self) {
        let directory = self.machine.publications();
        let read = |name: &str| std::fs::read(directory.join(name)).ok();
        let (base, delta) = (read(&format!("{SLUG}.crl")), read(&format!("{SLUG}-delta.crl")));
        let at = self.moment();
        let (point, model) = (&self.point, &self.model);
        let which = self.draw.next() % 5;
        let base = base.and_then(|der| self.parties.fetch_base(der, point, model, at));
        let delta = delta.and_then(|der| self.parties.fetch_delta(der, point, model, at, which));
        // Both, if a crash came between the fetches: whichever was made first has told it.
        if let Some(first) = base.into_iter().chain(delta).min() {
            self.model.told_by(first);
        }
    }

    /// Time goes by, and the service does at every moment what is due.
    fn wait(&mut self, milliseconds: u64) {
        let target = Timestamp::from_millis(self.now.millis() + milliseconds);
        while self.now < target {
            let next = self.next_due().max(self.now.plus_seconds(1)).min(target);
            self.go_to(next);
            if self.in_time {
                let delta = self.machine.service().publisher.delta().map(|delta| delta.number);
                self.parties.nobody_is_locked_out(self.now, delta);
            }
            self.turn(Threads::All);
        }
    }

    /// When there is something to do next, as far as anybody can know.
    fn next_due(&self) -> Timestamp {
        if !self.in_time {
            return self.now.plus_seconds(60);
        }
        let service = self.machine.service();
        let lists = [service.publisher.current(), service.publisher.delta()];
        let due = lists.into_iter().flatten().map(|crl| crl.due);
        let begun = service.maker.round(self.now).map_or(0, |(_, age)| age);
        let answers = self.now.plus_seconds(ANSWERS.saturating_sub(begun).max(60));
        due.chain([answers]).min().unwrap_or(answers)
    }

    pub(super) fn go_to(&mut self, next: Timestamp) {
        if next < self.latest {
            self.behind_seconds += next.seconds_since(self.now) + 1;
        }
        self.now = next;
        self.latest = self.latest.max(next);
    }

    fn jump(&mut self, to: Timestamp) {
        self.behind_seconds += 1;
        self.now = to;
        self.latest = self.latest.max(to);
        self.in_time = false;
        self.parties.owe_nothing();
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
                let serial = match &row.entry.act {
                    Act::CertificateIssued(act) if super::TEMPLATES.contains(&&*act.template) => {
                        register.request(act.request_id).unwrap().unwrap().serial.unwrap()
                    }
                    Act::CertificateRevoked(act) => {
                        crate::pki::serial::SerialNumber::from_der_content(&act.serial).unwrap()
                    }
                    _ => continue,
                };
                if self.model.place(&serial).is_none() {
                    self.learn(&serial, register.as_ref());
                }
            }
        }
        self.changed = register.head().sequence;
        let service = self.machine.service();
        service.publisher.demand(self.changed);
    }

    /// A certificate that nobody was told of, or a serial number that was given up.
    fn learn(&mut self, serial: &crate::pki::serial::SerialNumber, register: &dyn Register) {
        let state = state_of(register, serial);
        match register.certificate(serial).unwrap() {
            Some(row) => {
                let of = |own: &Requester| own.account.name == row.account;
                let account = self.accounts.iter().position(of).unwrap();
                self.issued(&row, account);
            }
            None => {
                assert!(matches!(state, State::Revoked(_)), "{serial} was reserved and forgotten");
                self.model.add(Issued {
                    serial: *serial,
                    account: 0,
                    certificate: Vec::new(),
                    not_after: noon(),
                    record: Record::Unknown,
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
        self.model.add(Issued {
            serial: row.serial,
            account,
            certificate: row.certificate.clone(),
            not_after: row.not_after,
            record: Record::OnRecord,
            state: State::Good,
            answered: vec![State::Good],
            ever_held: false,
            first_listed: None,
        });
    }

    /// Why a call may fail: the process is dying, there is no space, or (where it is an enrolment)
    /// the clock is behind what is on record.
    pub(super) fn must_be_excused(&self, refusal: &Refusal) {
        let faults = &self.machine.faults;
        let excused = faults.is_dead()
            || match refusal {
                Refusal::Unavailable("disk-full", _) => faults.is_full(),
                Refusal::Unavailable("clock-behind", _) => self.now < self.latest,
                _ => false,
            };
        assert!(excused, "{refusal}");
    }

    pub(super) fn restart(&mut self, start: Start) {
        self.machine.stop();
        if start == Start::TurningDeltas {
            self.machine.deltas = match self.machine.deltas {
                Deltas::On => Deltas::Off,
                Deltas::Off => Deltas::On,
            };
        }
        let trust = match start {
            Start::Distrusting => Trust::Nothing,
            Start::AsBefore | Start::TurningDeltas => Trust::AsRecorded,
        };
        self.begin(trust);
    }

    /// The process starts.
    pub(super) fn begin(&mut self, trust: Trust) {
        self.counts.starts += 1;
        self.behind_seconds += 1;
        self.machine.start(trust, self.now);
        self.reconcile();
        self.turn(Threads::All);
    }
}

/// How the register says that a serial number stands.
pub(super) fn state_of(
    register: &dyn Register,
    serial: &crate::pki::serial::SerialNumber,
) -> State {
    match register.revocation(serial).unwrap() {
        None => State::Good,
        Some(revocation) => State::revoked(revocation.reason, revocation.revoked_at),
    }
}
