//! What the API waits for when somebody is revoked: the CRL, and the OCSP answers where they are.

use std::sync::Arc;

use super::answers::Answers;
use crate::ca::publish::{PublishedLists, Publishers};
use crate::http::publishing::{OcspFigures, Publishing};
use crate::pki::revocation_list::CrlScope;
use crate::pki::time::Timestamp;

/// Both.
pub(super) struct RevocationServices {
    pub(super) publishers: Arc<Publishers>,
    pub(super) answers: Answers,
}

impl Publishing for RevocationServices {
    fn demand(&self, scopes: &[CrlScope], sequence: u64) {
        self.answers.demand(sequence);
        self.publishers.demand(scopes, sequence);
    }

    fn demand_all(&self, sequence: u64) {
        self.answers.demand(sequence);
        self.publishers.demand_all(sequence);
    }

    fn demand_anew(&self) {
        self.publishers.demand_anew();
    }

    fn published(&self, scopes: &[CrlScope], sequence: u64) -> Option<u64> {
        if !self.answers.reflect(scopes, sequence) {
            return None;
        }
        Publishing::published(self.publishers.as_ref(), scopes, sequence)
    }

    fn lists(&self) -> &[Arc<PublishedLists>] {
        self.publishers.lists()
    }

    fn trouble(&self, now: Timestamp) -> Option<String> {
        self.publishers.trouble(now)
    }

    fn ocsp(&self, now: Timestamp) -> Option<OcspFigures> {
        self.answers.figures(now)
    }
}
