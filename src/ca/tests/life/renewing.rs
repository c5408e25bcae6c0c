//! The CA's own renewal, with its key or with a new one, as `chancery renew-ca` does it.

use super::lived::Life;
use super::machine::{BASE_URL, CA_SECONDS, DAY, SLUG};
use super::script::Renewal;
use crate::ca::establish::cross::{Root, intend_new_with_old, intend_old_with_new, sign_cross};
use crate::ca::establish::generations::{Generations, installed};
use crate::ca::establish::renewal::{KeyUse, intend_renewed_root};
use crate::ca::establish::sign_root;
use crate::storage::act::{Act, Entry};
use crate::storage::open::Trust;
use crate::storage::{Register, Urgency};

/// The operator renews the CA while everything that it issues can still last as long as it should.
const IN_TIME: u64 = 36 * DAY;

impl Life {
    /// Renews the CA before it ends.
    pub(super) fn renew_in_time(&mut self) {
        let ends = self.machine.service().authority.issuer().not_after();
        if ends < self.now.plus_seconds(IN_TIME) && !self.machine.faults.is_full() {
            let renewal = match self.draw.below(4) {
                0 => Renewal::Kept,
                _ => Renewal::New,
            };
            self.renew_authority(renewal);
        }
    }

    /// The service is stopped for it. The process may die at each of the durable steps.
    pub(super) fn renew_authority(&mut self, renewal: Renewal) {
        if self.draw.below(3) == 0 {
            let (steps, when) = (1 + self.draw.below(8), self.draw.below(3));
            self.crash_soon(steps, when);
        }
        let _done_or_not = self.renewed(renewal);
        if self.machine.faults.is_dead() {
            self.counts.cut_short += 1;
            return self.crash();
        }
        self.machine.stop();
        self.begin(Trust::AsRecorded);
    }

    /// Nothing where it failed: the CA is as it was.
    fn renewed(&mut self, renewal: Renewal) -> Option<()> {
        let register = self.machine.service().register.clone();
        let present = register.authority().unwrap().unwrap();
        let generations = Generations::of(&present);
        let base_urls = [BASE_URL.to_owned()];
        let old = generations.issuer(generations.present(), SLUG, &base_urls).unwrap();
        let old_key = self.machine.keys.of(generations.present_key());
        let (index, key_use) = match renewal {
            Renewal::Kept => (generations.present_key(), KeyUse::Kept),
            Renewal::New => (generations.count(), KeyUse::New),
        };
        let key = self.machine.keys.make(index, &self.machine.faults)?;
        let randoms = [self.random(), self.random(), self.random()];
        let now = self.now;
        let validity = CA_SECONDS.max(old.not_after().seconds_since(now) + DAY);
        let used = (&key.key as &dyn crate::signing::CaKey, key_use);
        let intended =
            intend_renewed_root(&old, &generations, used, randoms[0], now, validity).unwrap();
        let record = |acts: Vec<Act>| {
            let entry = |act| Entry { at: now.millis(), actor: None, act };
            register.commit(acts.into_iter().map(entry).collect(), Urgency::Ordinary).ok()
        };
        record(vec![Act::AuthorityIntended(intended.clone())])?;
        let mut made = installed(present, sign_root(&intended, &key.key).unwrap(), Vec::new());
        if renewal == Renewal::New {
            let after = Generations::of(&made);
            let new = after.issuer(after.present(), SLUG, &base_urls).unwrap();
            let number = |index: usize| u32::try_from(index).unwrap();
            let old_index = number(generations.present());
            let old = Root { issuer: &old, index: old_index, key: &old_key.key };
            let new = Root { issuer: &new, index: number(after.present()), key: &key.key };
            let new_with_old = intend_new_with_old(old, new, randoms[1]);
            let old_with_new = intend_old_with_new(old, new, randoms[2]);
            let both = [&new_with_old, &old_with_new];
            record(both.map(|own| Act::AuthorityIntended(own.clone())).into())?;
            made.cross.push(sign_cross(&new_with_old, new, old).unwrap());
            made.cross.push(sign_cross(&old_with_new, old, new).unwrap());
            // From here on it may be the CA's, whatever comes of the record.
            self.present_keys.push(index);
        }
        record(vec![Act::AuthorityEstablished(made)])?;
        match renewal {
            Renewal::Kept => self.counts.renewals += 1,
            Renewal::New => self.counts.new_keys += 1,
        }
        Some(())
    }

    fn random(&mut self) -> [u8; 20] {
        let mut random = [0; 20];
        random[12..].copy_from_slice(&self.draw.next().to_be_bytes());
        random
    }
}
