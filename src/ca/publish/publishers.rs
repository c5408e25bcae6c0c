//! A publisher for each scope of a CA's CRLs, and what is asked of them together.

use std::sync::Arc;
use std::time::Duration;

use super::rota::{self, Bell};
use super::{PublishedLists, Publisher};
use crate::pki::revocation_list::CrlScope;
use crate::pki::time::Timestamp;

/// All of them. Certificates are told by their scopes; none at all stand for the CA as a whole,
/// whose CRL is that of everything under its present key.
pub struct Publishers {
    present: Arc<Publisher>,
    others: Vec<Arc<Publisher>>,
    /// Served by one thread, which this bell wakes.
    partitions: Vec<Arc<Publisher>>,
    bell: Arc<Bell>,
}

impl Publishers {
    /// Those of a CA that has one scope: everything under its present key.
    pub fn new(present: Arc<Publisher>) -> Self {
        Self { present, others: Vec::new(), partitions: Vec::new(), bell: Arc::default() }
    }

    /// The same with those of another scope (see [`Publisher::beside`]).
    pub fn with(mut self, other: Publisher) -> Self {
        self.others.push(Arc::new(other));
        self
    }

    /// The same with those of partitions.
    pub fn with_partitions(mut self, partitions: impl IntoIterator<Item = Publisher>) -> Self {
        for partition in partitions {
            self.partitions.push(Arc::new(partition.heard_by(Arc::clone(&self.bell))));
        }
        self
    }

    /// The one of everything under the present key.
    pub fn present(&self) -> &Arc<Publisher> {
        &self.present
    }

    /// Asks for CRLs that reflect the ledger up to `sequence`, of every scope that has something
    /// of `scopes` in it: those that certificates of these scopes name at once, and the complete
    /// ones soon after.
    pub fn demand(&self, scopes: &[CrlScope], sequence: u64) {
        if scopes.is_empty() {
            self.present.demand(sequence);
        }
        for publisher in self.all() {
            if scopes.contains(&publisher.scope()) {
                publisher.demand(sequence);
            } else if scopes.iter().any(|scope| publisher.scope().lists(*scope)) {
                publisher.follow(sequence);
            }
        }
    }

    /// Asks for CRLs of every scope that reflect the ledger up to `sequence`.
    pub fn demand_all(&self, sequence: u64) {
        self.all().for_each(|publisher| publisher.demand(sequence));
    }

    /// Asks for new CRLs of every scope although nothing may have changed.
    pub fn demand_anew(&self) {
        self.all().for_each(|publisher| publisher.demand_anew());
    }

    /// Once each of `scopes` has a published CRL that meets every demand up to `sequence`: the
    /// highest number of those CRLs. Waits for that no longer than `timeout` for each.
    pub fn wait_for(&self, scopes: &[CrlScope], sequence: u64, timeout: Duration) -> Option<u64> {
        let mut told = match scopes {
            [] => self.present.wait_for(sequence, timeout)?,
            _ => 0,
        };
        for scope in scopes {
            told = told.max(self.of(*scope)?.wait_for(sequence, timeout)?);
        }
        Some(told)
    }

    /// Every scope, that of everything under the present key first.
    pub fn scopes(&self) -> Vec<CrlScope> {
        self.all().map(|publisher| publisher.scope()).collect()
    }

    /// What is published of every scope, that of everything under the present key first: also of
    /// one whose last CRL is signed, which nobody makes any more.
    pub fn lists(&self) -> &[Arc<PublishedLists>] {
        self.present.press.point.lists()
    }

    /// What is wrong with publication, hours before a relying party would notice.
    pub fn trouble(&self, now: Timestamp) -> Option<String> {
        self.present.trouble(now).or_else(|| {
            let mut others = self.others.iter().chain(&self.partitions);
            others.find_map(|own| Some(format!("{}: {}", own.file_name(), own.trouble(now)?)))
        })
    }

    /// Publishes until [`Publishers::stop`]; to be called on a thread of its own.
    pub fn run(&self, clock: &(dyn Fn() -> Timestamp + Sync)) {
        std::thread::scope(|threads| {
            for other in &self.others {
                let thread = std::thread::Builder::new().name("publisher".to_owned());
                if let Err(error) = thread.spawn_scoped(threads, || other.run(clock)) {
                    // Readiness says so: its CRL will be overdue.
                    tracing::error!(%error, scope = ?other.scope(), "no thread for a scope's CRLs");
                }
            }
            if !self.partitions.is_empty() {
                let thread = std::thread::Builder::new().name("partitions".to_owned());
                let serve = || rota::run(&self.partitions, &self.bell, clock);
                if let Err(error) = thread.spawn_scoped(threads, serve) {
                    tracing::error!(%error, "no thread for partitions' CRLs");
                }
            }
            self.present.run(clock);
        });
    }

    /// Ends [`Publishers::run`].
    pub fn stop(&self) {
        self.all().for_each(|publisher| publisher.stop());
    }

    /// The one that a certificate of this scope names.
    pub(in crate::ca) fn of(&self, scope: CrlScope) -> Option<&Arc<Publisher>> {
        self.all().find(|publisher| publisher.scope() == scope)
    }

    /// All of them, that of everything under the present key first.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Publisher>> {
        std::iter::once(&self.present).chain(&self.others).chain(&self.partitions)
    }
}
