//! Crashes, and copies that are put back.

use super::faults::When;
use super::lived::{Backup, Life};
use super::machine::Space;
use super::model::Known;
use super::script::Publications;
use crate::ca::establish::generations::Generations;
use crate::ca::establish::learning::learn;
use crate::ca::establish::{
    ListedPartition, ListedRevocations, listed_in_partition, listed_revocations,
};
use crate::ca::publish::Kind;
use crate::pki::revocation_list::CrlScope;
use crate::pki::time::Timestamp;
use crate::storage::backup::{backup, restore};
use crate::storage::open::Trust;
use crate::storage::{LedgerRegister, Page, Register};

/// What is read from the newest lists when a copy is put back.
struct Learnt {
    listed: Vec<(u16, ListedRevocations)>,
    parts: Vec<ListedPartition>,
    /// The same as the model has it, in the order in which they are believed.
    known: Vec<Known>,
}

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
        self.fetch_all();
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
        self.counts.restores += 1;
        self.machine.stop();
        self.machine.faults.revive();
        self.machine.fill(Space::Plenty);
        for directory in [self.machine.data(), self.machine.answers()] {
            std::fs::remove_dir_all(directory).unwrap();
        }
        self.machine.forget_responders();
        restore(&backup.directory, &self.machine.data(), &mut |_, _| {}).unwrap();
        self.asked = None;
        if publications == Publications::Kept {
            self.refuses_an_older_copy(backup.newest);
        } else {
            std::fs::remove_dir_all(self.machine.publications()).unwrap();
        }
        let register = self.machine.open(Trust::AsRecorded);
        let Learnt { listed, parts, known } = self.newest_lists(&register);
        let all = || listed.iter().map(|(_, own)| own).chain(parts.iter().map(|own| &own.listed));
        let number = all().filter_map(|own| own.number).max().unwrap();
        self.series.goes_on_after(number, all().map(|own| own.this_update).max().unwrap());
        let present = register.authority().unwrap().unwrap();
        learn(register.as_ref(), present, &listed, &parts, self.now).unwrap();
        self.read = register.head().sequence;
        drop(register);
        self.model.restored(backup.model, backup.newest, &known);
        self.owe_nothing();
        self.begin(Trust::AsRecorded);
    }

    /// The newest lists of every key, the present one's first, and of all parts, but for the last
    /// ones of keys that have ended.
    fn newest_lists(&self, register: &LedgerRegister) -> Learnt {
        let generations = Generations::of(&register.authority().unwrap().unwrap());
        let mut keys = generations.key_indexes();
        keys.sort_by_key(|key| *key != generations.present_key());
        let mut learnt = Learnt { listed: Vec::new(), parts: Vec::new(), known: Vec::new() };
        let mut complete = Vec::new();
        for key in keys {
            let certificate = generations.certificate_of_key(key).unwrap();
            let issuer = generations.issuer(certificate, super::machine::SLUG, &[]).unwrap();
            let has_ended = key != generations.present_key() && self.now > issuer.not_after();
            let own = self.parties.iter().filter(|(scope, _)| usize::from(scope.key) == key);
            for (scope, parties) in own {
                let Some((base, delta)) = parties.newest() else { continue };
                // `restore` does without it, and so does the start if it is the last one.
                if has_ended && base.list.next_update == Timestamp::NEVER {
                    continue;
                }
                let known = parties.newest_known().unwrap();
                if scope.partition.is_some() {
                    let slug = super::machine::SLUG;
                    let read = listed_in_partition(base.der.as_slice(), &issuer, slug).unwrap();
                    assert_eq!(read.scope, *scope);
                    learnt.parts.push(read);
                    learnt.known.push(known);
                    continue;
                }
                let listed = listed_revocations(base.der.as_slice(), &issuer).unwrap();
                let listed = match delta {
                    Some(delta) => listed.with(delta.der.as_slice(), &issuer).unwrap(),
                    None => listed,
                };
                learnt.listed.push((scope.key, listed));
                complete.push(known);
            }
        }
        learnt.known.extend(complete);
        learnt
    }

    /// Started without having learnt anything, the copy publishes nothing over what is newer.
    fn refuses_an_older_copy(&mut self, knows: u64) {
        let newer = |parties: &super::parties::Parties| {
            let lists = [&parties.base, &parties.delta].into_iter().flatten();
            lists.map(|own| own.list.number).max() > Some(knows)
        };
        let newer = self.parties.iter().filter(|(_, parties)| newer(parties));
        let scopes: Vec<CrlScope> = newer.map(|(scope, _)| *scope).collect();
        if scopes.is_empty() {
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
        for scope in scopes {
            // The copy may not know that there are so many parts.
            let Some(publisher) = self.machine.service().publishers.of(scope) else { continue };
            publisher.demand_anew();
            for kind in [Kind::Base, Kind::Delta] {
                let _refused_or_not_begun = publisher.take_turn(kind, &|| now);
            }
            let base = self.parties[&scope].base.as_ref();
            let is_last = base.is_some_and(|own| own.list.next_update == Timestamp::NEVER);
            match publisher.trouble(now) {
                Some(trouble) => assert!(trouble.contains("chancery restore"), "{trouble}"),
                // After the last list of a key there is none to publish.
                None => assert!(is_last, "an older copy publishes"),
            }
        }
        assert_eq!(read(), before, "an older copy published over what is newer");
        self.machine.stop();
    }
}
