//! What is published under each key and who makes it, put together as `cli/serve` does it: the
//! complete list with its deltas, and a list for each part.

use std::num::NonZeroU16;
use std::sync::Arc;

use super::faults::FaultyStore;
use super::machine::{BASE_URL, BASES, DELTAS, Deltas, Machine, SLUG};
use crate::ca::publish::{DeltaUse, PublicationPoint, Publisher, Publishers, Schedule};
use crate::pki::issuer::Issuer;
use crate::pki::revocation_list::CrlScope;
use crate::pki::time::Timestamp;
use crate::signing::CaKey;
use crate::storage::act::{Act, CrlsPartitioned, Entry};
use crate::storage::publication::PublicationDirectory;
use crate::storage::{LedgerRegister, Register, Urgency};

/// A key of the CA with what is published under it.
pub(super) struct UnderKey {
    pub(super) issuer: Arc<Issuer>,
    pub(super) key: Arc<dyn CaKey>,
    /// Everything, then the parts.
    scopes: Vec<CrlScope>,
}

/// The URL of a scope's list.
pub(super) fn url_of(scope: CrlScope) -> String {
    format!("{BASE_URL}/crl/{}.crl", scope.file_name(SLUG))
}

impl UnderKey {
    pub(super) fn of(issuer: Issuer, key: Arc<dyn CaKey>, parted: Option<CrlsPartitioned>) -> Self {
        let under = issuer.key_index();
        let numbers = 1..=parted.map_or(0, |own| own.partitions.get());
        let parts =
            numbers.map(|number| CrlScope { key: under, partition: NonZeroU16::new(number) });
        let scopes: Vec<CrlScope> = std::iter::once(CrlScope::of_key(under)).chain(parts).collect();
        let urls = scopes[1..].iter().map(|scope| vec![url_of(*scope)]).collect();
        Self { issuer: Arc::new(issuer.with_partitions(urls)), key, scopes }
    }
}

impl Machine {
    /// The parts of what is issued under a key, put on record where there are to be more of them. A
    /// new key has as many as the one before it.
    pub(super) fn parted(
        &self,
        register: &LedgerRegister,
        key: u16,
        now: Timestamp,
    ) -> Option<CrlsPartitioned> {
        let known = register.partitions(key).unwrap();
        let mut before = (0..key).rev().filter_map(|key| register.partitions(key).unwrap());
        let inherited = || before.next().map(|own| own.partitions);
        let recorded = known.as_ref().map(|own| own.partitions);
        let wanted = self.partitions.or(recorded).or_else(inherited)?;
        assert!(recorded <= Some(wanted), "never fewer");
        if recorded == Some(wanted) {
            return known;
        }
        let base_urls = vec![BASE_URL.to_owned()];
        let parted = CrlsPartitioned { key, partitions: wanted, base_urls };
        let act = Act::CrlsPartitioned(parted.clone());
        let entry = Entry { at: now.millis(), actor: None, act };
        register.commit(vec![entry], Urgency::Reserved).unwrap();
        Some(parted)
    }

    /// Whoever makes the lists of all keys, the present one's first.
    pub(super) fn publishers(
        &self,
        register: &Arc<LedgerRegister>,
        keys: &[UnderKey],
    ) -> Publishers {
        let schedule = Schedule::every(BASES);
        let present = &keys[0];
        let whole = self.store(&present.scopes[0].file_name(SLUG));
        let (mut point, outcome) = PublicationPoint::open(&present.issuer, SLUG, &*whole, schedule);
        outcome.unwrap();
        for own in keys {
            for scope in own.scopes.iter().filter(|scope| **scope != present.scopes[0]) {
                let store = self.store(&scope.file_name(SLUG));
                let (more, outcome) = point.with_scope(&own.issuer, *scope, &*store, schedule);
                outcome.unwrap();
                point = more;
            }
            if let Some((store, schedule, _)) = self.deltas_of(own.scopes[0]) {
                point.open_delta_of(own.scopes[0], &own.issuer, &*store, schedule).unwrap();
            }
        }
        let point = Arc::new(point);
        let (register, key) = (register.clone(), Arc::clone(&present.key));
        let issuer = Arc::clone(&present.issuer);
        let made = Publisher::of_parts(register, key, issuer, whole, point, schedule);
        let made = Arc::new(self.with_deltas(made, present.scopes[0]));
        let mut publishers = Publishers::new(Arc::clone(&made));
        for own in keys {
            let is_present = Arc::ptr_eq(&own.issuer, &present.issuer);
            for scope in own.scopes.iter().filter(|scope| **scope != present.scopes[0]) {
                let (key, issuer) = (Arc::clone(&own.key), Arc::clone(&own.issuer));
                let store = self.store(&scope.file_name(SLUG));
                let beside = made.beside(*scope, key, issuer, store, schedule).unwrap();
                let beside = match is_present {
                    true => beside,
                    false => beside.ending(own.issuer.not_after()),
                };
                publishers = match scope.partition {
                    Some(_) => publishers
                        .with_partitions([beside.at_distribution_point(vec![url_of(*scope)])]),
                    None => publishers.with(self.with_deltas(beside, *scope)),
                };
            }
        }
        publishers
    }

    fn with_deltas(&self, publisher: Publisher, scope: CrlScope) -> Publisher {
        match self.deltas_of(scope) {
            Some((store, schedule, used)) => publisher.with_deltas(store, schedule, used),
            None => publisher,
        }
    }

    /// None where they are off and there never were any.
    fn deltas_of(&self, scope: CrlScope) -> Option<(Arc<FaultyStore>, Schedule, DeltaUse)> {
        let name = format!("{}-delta", scope.file_name(SLUG));
        let file = self.publications().join(format!("{name}.crl"));
        let used = match self.deltas {
            Deltas::On => DeltaUse::Announced(vec![format!("{BASE_URL}/crl/{name}.crl")]),
            Deltas::Off if file.exists() => DeltaUse::RunningOut,
            Deltas::Off => return None,
        };
        Some((self.store(&name), Schedule::every(BASES).delta_every(DELTAS), used))
    }

    fn store(&self, name: &str) -> Arc<FaultyStore> {
        let inner = PublicationDirectory::open(&self.publications(), name).unwrap();
        Arc::new(FaultyStore { inner, faults: Arc::clone(&self.faults) })
    }
}
