//! The running service, put together as the composition root does it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::keys::Certified;
use super::machine::{ANSWERS, BASE_URL, Machine, SLUG};
use super::publications::UnderKey;
use crate::ca::establish::generations::Generations;
use crate::ca::keys::EarlierKey;
use crate::ca::ocsp::{self, AnswerMaker, AnswerPoint, AnswerSchedule, Nonces};
use crate::ca::publish::Publishers;
use crate::ca::tests::world::{administrator, noon};
use crate::ca::{Authority, Parts, RandomFailed};
use crate::directory::{BuiltIn, DirectoryError};
use crate::pki::issuer::Issuer;
use crate::pki::time::Timestamp;
use crate::storage::answers::AnswerDirectory;
use crate::storage::{LedgerRegister, Register};

/// What a process holds.
pub(super) struct Service {
    pub(super) register: Arc<LedgerRegister>,
    pub(super) authority: Arc<Authority>,
    pub(super) publishers: Publishers,
    pub(super) makers: Vec<Made>,
    pub(super) answers: Arc<AnswerPoint>,
}

/// Whoever makes the OCSP answers about what was issued under one key.
pub(super) struct Made {
    pub(super) key: u16,
    pub(super) maker: AnswerMaker,
    /// When all of that has ended.
    pub(super) until: Timestamp,
}

impl Service {
    pub(super) fn of(machine: &Machine, register: Arc<LedgerRegister>, now: Timestamp) -> Self {
        let base_urls = [BASE_URL.to_owned()];
        let generations = Generations::of(&register.authority().unwrap().unwrap());
        let present = generations.present_key();
        let mut indexes = generations.key_indexes();
        indexes.sort_by_key(|index| *index != present);
        let under = |index: usize| {
            let certificate = generations.certificate_of_key(index).unwrap();
            let issuer = generations.issuer(certificate, SLUG, &base_urls).unwrap();
            let parted = match index == present {
                true => machine.parted(&register, issuer.key_index(), now),
                false => register.partitions(issuer.key_index()).unwrap(),
            };
            UnderKey::of(issuer, machine.keys.of(index), parted)
        };
        let keys: Vec<UnderKey> = indexes.into_iter().map(under).collect();
        let earlier = keys[1..].iter().map(|own| {
            let (issuer, key) = (Arc::clone(&own.issuer), Arc::clone(&own.key));
            EarlierKey { issuer, key }
        });
        let earlier = earlier.collect();
        let authority = Authority::new(parts(machine, &register, &keys[0])).unwrap();
        let authority = Arc::new(authority.with_earlier_keys(earlier, generations));
        authority.put_in_order(now).unwrap();
        let publishers = machine.publishers(&register, &keys);
        let (makers, answers) = makers(machine, &register, &authority, now);
        Self { register, authority, publishers, makers, answers }
    }

    /// The CA under one of its keys.
    pub(super) fn issuer(&self, key: u16) -> &Arc<Issuer> {
        self.authority.issuers().find(|issuer| issuer.key_index() == key).expect("a key on record")
    }

    /// When all that was issued under each key of before ends.
    pub(super) fn ends(&self) -> BTreeMap<u16, Timestamp> {
        let earlier = self.authority.earlier_keys().iter().map(|own| &own.issuer);
        earlier.map(|issuer| (issuer.key_index(), issuer.not_after())).collect()
    }

    /// Whoever answers about what was issued under a key; nobody if it had ended at the start.
    pub(super) fn maker(&self, key: u16) -> Option<&AnswerMaker> {
        self.makers.iter().find(|made| made.key == key).map(|made| &made.maker)
    }

    /// Short-lived templates.
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

fn parts(machine: &Machine, register: &Arc<LedgerRegister>, present: &UnderKey) -> Parts {
    let rows = register.clone();
    let lookup = move |name: &str| {
        let row = rows.account(name).map_err(|error| DirectoryError(error.to_string()))?;
        Ok(row.map(|row| crate::ca::accounts::from_row(row).account))
    };
    let random = Arc::clone(&machine.random);
    Parts {
        register: register.clone(),
        key: Arc::clone(&present.key),
        directory: Arc::new(BuiltIn(lookup)),
        issuer: (*present.issuer).clone(),
        slug: SLUG.to_owned(),
        template_arc: machine.arc,
        random: Arc::new(move |octets: &mut [u8]| {
            let mut draw = random.lock().map_err(|_| RandomFailed)?;
            octets.iter_mut().for_each(|octet| *octet = draw.below(256) as u8);
            Ok(())
        }),
    }
}

/// A maker for each key whose certificates may still hold; the door is that of the present one.
fn makers(
    machine: &Machine,
    register: &Arc<LedgerRegister>,
    authority: &Arc<Authority>,
    now: Timestamp,
) -> (Vec<Made>, Arc<AnswerPoint>) {
    let one = NonZeroUsize::MIN;
    let point = |issuer: &Issuer| AnswerPoint::new(issuer, Nonces::PassedOver, one).unwrap();
    let present = authority.issuer().key_index();
    let mut others = Vec::new();
    let earlier = authority.issuers().filter(|issuer| issuer.key_index() != present);
    for issuer in earlier.filter(|issuer| now <= issuer.not_after()) {
        others.push((Arc::clone(issuer), Arc::new(point(issuer))));
    }
    let door = point(authority.issuer());
    let door = Arc::new(door.beside(others.iter().map(|(_, point)| Arc::clone(point)).collect()));
    let own = Arc::new(authority.issuer().clone());
    let all = std::iter::once((own, Arc::clone(&door))).chain(others);
    let maker = |(issuer, point): (Arc<Issuer>, Arc<AnswerPoint>)| {
        let key = issuer.key_index();
        let responders = Certified {
            authority: Arc::clone(authority),
            issuer: Arc::clone(&issuer),
            kept: Arc::clone(&machine.responders),
        };
        let until = if key == present { Timestamp::NEVER } else { issuer.not_after() };
        let directory = machine.answers().join(key.to_string());
        let maker = AnswerMaker::new(ocsp::Parts {
            register: register.clone(),
            issuer,
            directory: AnswerDirectory::open(&directory).unwrap(),
            point,
            responders: Arc::new(responders),
            schedule: AnswerSchedule::every(ANSWERS),
            processors: one,
        });
        Made { key, maker, until }
    };
    (all.map(maker).collect(), door)
}
