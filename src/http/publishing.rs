//! What the API asks of whoever makes CRLs: make one, is it there, which one is there.

use std::time::Duration;

use crate::ca::publish::Publisher;
use crate::pki::time::Timestamp;

/// The published CRL, as far as this door cares.
#[derive(Clone, Copy, Debug)]
pub struct CurrentCrl {
    /// CRL number.
    pub number: u64,
    /// thisUpdate.
    pub this_update: Timestamp,
    /// When the next one is meant to come.
    pub next_publish: Timestamp,
    /// nextUpdate.
    pub next_update: Timestamp,
}

/// Whoever makes CRLs. None of it blocks.
pub trait Publishing: Send + Sync {
    /// Asks for a CRL that reflects ledger entry `sequence`.
    fn demand(&self, sequence: u64);

    /// The number of a published CRL that reflects ledger entry `sequence`, once there is one.
    fn published(&self, sequence: u64) -> Option<u64>;

    /// The CRL that is published now.
    fn current(&self) -> Option<CurrentCrl>;
    /// What is wrong with publication, if something is.
    fn trouble(&self, _now: Timestamp) -> Option<String> {
        None
    }
}

impl Publishing for Publisher {
    fn demand(&self, sequence: u64) {
        Self::demand(self, sequence);
    }

    fn published(&self, sequence: u64) -> Option<u64> {
        self.wait_for(sequence, Duration::ZERO)
    }

    fn current(&self) -> Option<CurrentCrl> {
        Self::current(self).map(|crl| CurrentCrl {
            number: crl.number,
            this_update: crl.this_update,
            next_publish: crl.next_publish,
            next_update: crl.next_update,
        })
    }

    fn trouble(&self, now: Timestamp) -> Option<String> {
        Self::trouble(self, now)
    }
}
