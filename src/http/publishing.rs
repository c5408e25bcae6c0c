//! What the API asks of whoever makes CRLs: make one, is it there, which one is there. None of
//! it waits; the door looks again instead (`api`).

pub(super) mod metrics;

use std::sync::Arc;
use std::time::Duration;

use crate::ca::publish::{Current, PublishedLists, Publishers};
use crate::pki::revocation_list::CrlScope;
use crate::pki::time::Timestamp;

/// Whoever makes CRLs; in tests one that is late.
pub trait Publishing: Send + Sync {
    /// Asks for CRLs that reflect ledger entry `sequence`, of every scope that has something of
    /// `scopes` in it; none of these stand for everything under the present key.
    fn demand(&self, scopes: &[CrlScope], sequence: u64);

    /// Asks for CRLs of every scope that reflect ledger entry `sequence`.
    fn demand_all(&self, sequence: u64);

    /// Asks for new CRLs of every scope although nothing may have changed.
    fn demand_anew(&self);

    /// Once each of `scopes` has a published CRL that meets every demand up to ledger entry
    /// `sequence`: the highest number of those CRLs. None of these stand for everything under the
    /// present key.
    fn published(&self, scopes: &[CrlScope], sequence: u64) -> Option<u64>;

    /// What is published of every scope, that of everything under the present key first: also of
    /// a key that has signed its last CRL.
    fn lists(&self) -> &[Arc<PublishedLists>];

    /// The CRL of a scope that is published now.
    fn current(&self, scope: CrlScope) -> Option<Arc<Current>> {
        self.lists().iter().find(|own| own.scope() == scope)?.current()
    }

    /// The delta CRL of a scope that is published now, if it has deltas.
    fn delta(&self, scope: CrlScope) -> Option<Arc<Current>> {
        self.lists().iter().find(|own| own.scope() == scope)?.delta()
    }

    /// What is wrong with publication, long before a relying party would notice.
    fn trouble(&self, now: Timestamp) -> Option<String>;

    /// How the OCSP responder does; nothing where there is none.
    fn ocsp(&self, _now: Timestamp) -> Option<OcspFigures> {
        None
    }
}

/// How an OCSP responder does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcspFigures {
    /// What is wrong with its answers, long before a relying party would notice.
    pub trouble: Option<String>,
    /// Certificates answered in the round under way or over.
    pub certificates: u64,
    /// Seconds since that round began.
    pub age_seconds: u64,
    /// Answers given that were made beforehand.
    pub stored: u64,
    /// Answers given that were signed for the occasion.
    pub fresh: u64,
    /// Answers given without a certificate's standing, by status.
    pub statuses: [(&'static str, u64); 4],
}

impl Publishing for Publishers {
    fn demand(&self, scopes: &[CrlScope], sequence: u64) {
        self.demand(scopes, sequence);
    }

    fn demand_all(&self, sequence: u64) {
        self.demand_all(sequence);
    }

    fn demand_anew(&self) {
        self.demand_anew();
    }

    fn published(&self, scopes: &[CrlScope], sequence: u64) -> Option<u64> {
        self.wait_for(scopes, sequence, Duration::ZERO)
    }

    fn lists(&self) -> &[Arc<PublishedLists>] {
        self.lists()
    }

    fn trouble(&self, now: Timestamp) -> Option<String> {
        self.trouble(now)
    }
}
