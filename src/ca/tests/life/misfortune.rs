//! Crashes, copies that are put back, and the CA's own renewal.

use super::faults::When;
use super::lived::{Backup, Life};
use super::machine::Space;
use super::script::Publications;
use crate::ca::establish::generations::{Generations, installed};
use crate::ca::establish::learning::learn;
use crate::ca::establish::listed_revocations;
use crate::ca::establish::renewal::{KeyUse, intend_renewed_root};
use crate::ca::establish::sign_root;
use crate::signing::CaKey;
use crate::storage::act::{Act, Entry};
use crate::storage::backup::{backup, restore};
use crate::storage::open::Trust;
use crate::storage::{Page, Register, Urgency};

const YEAR: u64 = 365 * 86_400;

impl Life {
    pub(super) fn crash_soon(&mut self, steps: u64, when: u64) {
        let when = [When::Before, When::Amid, When::After][usize::try_from(when).unwrap()];
        self.machine.faults.die_in(steps, when);
    }

    /// The process dies where it is, and starts again.
    pub(super) fn crash(&mut self) {
        self.counts.crashes += 1;
        self.machine.die();
        // What stood at the publication point stands there still, whoever knows of it.
        self.fetch();
        self.begin(Trust::AsRecorded);
        self.ask_again();
    }

    pub(super) fn make_backup(&mut self) {
        let directory = self.machine.home.path().join("backup");
        if directory.exists() {
            std::fs::remove_dir_all(&directory).unwrap();
        }
        backup(&self.machine.data(), &directory, &[], &mut |_, _| {}).unwrap();
        let newest = self.register().crls(None, Page { after: None, limit: 1 }).unwrap();
        let newest = newest.rows.first().map_or(0, |row| row.number);
        self.backup = Some(Backup { directory, model: self.model.clone(), newest });
    }

    /// Puts the last backup back, as `chancery restore` does: what was published since is learnt
    /// from the lists that relying parties have.
    pub(super) fn restore(&mut self, publications: Publications) {
        let Some(backup) = self.backup.take() else { return };
        let Some(published) = self.parties.newest_known() else { return };
        self.counts.restores += 1;
        self.machine.stop();
        self.machine.faults.revive();
        self.machine.fill(Space::Plenty);
        for directory in [self.machine.data(), self.machine.answers()] {
            std::fs::remove_dir_all(directory).unwrap();
        }
        self.machine.forget_responder();
        restore(&backup.directory, &self.machine.data(), &mut |_, _| {}).unwrap();
        self.asked = None;
        if publications == Publications::Kept {
            self.refuses_an_older_copy(backup.newest);
        } else {
            std::fs::remove_dir_all(self.machine.publications()).unwrap();
        }
        let register = self.machine.open(Trust::AsRecorded);
        let issuer = self.machine.issuer(register.as_ref());
        let (base, delta) = self.parties.newest().unwrap();
        let listed = listed_revocations(base.der.as_slice(), &issuer).unwrap();
        let listed = match delta {
            Some(delta) => listed.with(delta.der.as_slice(), &issuer).unwrap(),
            None => listed,
        };
        let present = register.authority().unwrap().unwrap();
        learn(register.as_ref(), present, &[(0, listed)], &[], self.now).unwrap();
        self.read = register.head().sequence;
        drop(register);
        self.model.restored(backup.model, backup.newest, &published);
        self.parties.owe_nothing();
        self.begin(Trust::AsRecorded);
    }

    /// Started without having learnt anything, the copy publishes nothing over what is newer.
    fn refuses_an_older_copy(&mut self, knows: u64) {
        let (base, delta) = self.parties.newest().unwrap();
        let newer = base.list.number > knows || delta.is_some_and(|own| own.list.number > knows);
        if !newer {
            return;
        }
        let directory = self.machine.publications();
        let read = || {
            let mut files: Vec<_> = std::fs::read_dir(&directory)
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.extension().is_some_and(|ending| ending == "crl"))
                .map(|path| std::fs::read(path).unwrap())
                .collect();
            files.sort();
            files
        };
        let before = read();
        self.machine.start(Trust::AsRecorded, self.now);
        let now = self.now;
        let publisher = &self.machine.service().publisher;
        publisher.demand_anew();
        for kind in [crate::ca::publish::Kind::Base, crate::ca::publish::Kind::Delta] {
            let _refused_or_not_begun = publisher.take_turn(kind, &|| now);
        }
        let trouble = publisher.trouble(now).expect("an older copy publishes");
        assert!(trouble.contains("chancery restore"), "{trouble}");
        assert_eq!(read(), before, "an older copy published over what is newer");
        self.machine.stop();
    }

    /// The CA's certificate is renewed with the same key.
    pub(super) fn renew_authority(&mut self) {
        let register = self.machine.service().register.clone();
        let present = register.authority().unwrap().unwrap();
        let issuer = self.machine.issuer(register.as_ref());
        let validity = issuer.not_after().seconds_since(self.now) + YEAR;
        let mut random = [0; 20];
        random[12..].copy_from_slice(&self.draw.next().to_be_bytes());
        let key = &self.machine.key.key;
        let intended = {
            let generations = Generations::of(&present);
            let kept = (key as &dyn CaKey, KeyUse::Kept);
            intend_renewed_root(&issuer, &generations, kept, random, self.now, validity).unwrap()
        };
        let at = self.now.millis();
        let record =
            |act| register.commit(vec![Entry { at, actor: None, act }], Urgency::Ordinary).is_ok();
        if record(Act::AuthorityIntended(intended.clone())) {
            let made = installed(present, sign_root(&intended, key).unwrap(), Vec::new());
            if record(Act::AuthorityEstablished(made)) {
                self.counts.renewals += 1;
            }
        }
        drop(register);
        if !self.machine.faults.is_dead() {
            self.machine.stop();
            self.begin(Trust::AsRecorded);
        }
    }
}
