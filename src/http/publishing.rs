//! What the API asks of whoever makes CRLs: make one, is it there, which one is there. None of
//! it waits; the door looks again instead (`api`).

use std::sync::Arc;
use std::time::Duration;

use crate::ca::publish::{Current, Publisher};
use crate::pki::time::Timestamp;

/// Whoever makes CRLs; in tests one that is late.
pub trait Publishing: Send + Sync {
    /// Asks for a CRL that reflects ledger entry `sequence`.
    fn demand(&self, sequence: u64);

    /// Asks for a new CRL although nothing may have changed.
    fn demand_anew(&self);

    /// The number of a published CRL that meets every demand up to ledger entry `sequence`, once
    /// there is one.
    fn published(&self, sequence: u64) -> Option<u64>;

    /// The complete CRL that is published now.
    fn current(&self) -> Option<Arc<Current>>;

    /// The delta CRL that is published now, if this CA has deltas.
    fn delta(&self) -> Option<Arc<Current>>;

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

impl Publishing for Publisher {
    fn demand(&self, sequence: u64) {
        self.demand(sequence);
    }

    fn demand_anew(&self) {
        self.demand_anew();
    }

    fn published(&self, sequence: u64) -> Option<u64> {
        self.wait_for(sequence, Duration::ZERO)
    }

    fn current(&self) -> Option<Arc<Current>> {
        self.current()
    }

    fn delta(&self) -> Option<Arc<Current>> {
        self.delta()
    }

    fn trouble(&self, now: Timestamp) -> Option<String> {
        self.trouble(now)
    }
}
