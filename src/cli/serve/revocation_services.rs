//! What the API waits for when somebody is revoked: the CRL, and the OCSP answers where they are.

use std::sync::Arc;

use crate::ca::ocsp::{AnswerMaker, AnswerPoint};
use crate::ca::publish::{Current, Publishers};
use crate::http::publishing::{OcspFigures, Publishing};
use crate::pki::ocsp::ResponseStatus;
use crate::pki::revocation_list::CrlScope;
use crate::pki::time::Timestamp;

/// Both.
pub(super) struct RevocationServices {
    pub(super) publishers: Arc<Publishers>,
    pub(super) answers: Option<(Arc<AnswerMaker>, Arc<AnswerPoint>)>,
}

impl Publishing for RevocationServices {
    fn demand(&self, scopes: &[CrlScope], sequence: u64) {
        if let Some((maker, _)) = &self.answers {
            maker.demand(sequence);
        }
        self.publishers.demand(scopes, sequence);
    }

    fn demand_all(&self, sequence: u64) {
        if let Some((maker, _)) = &self.answers {
            maker.demand(sequence);
        }
        self.publishers.demand_all(sequence);
    }

    fn demand_anew(&self) {
        self.publishers.demand_anew();
    }

    fn published(&self, scopes: &[CrlScope], sequence: u64) -> Option<u64> {
        if self.answers.as_ref().is_some_and(|(maker, _)| !maker.reflects(sequence)) {
            return None;
        }
        Publishing::published(self.publishers.as_ref(), scopes, sequence)
    }

    fn scopes(&self) -> Vec<CrlScope> {
        self.publishers.scopes()
    }

    fn current(&self, scope: CrlScope) -> Option<Arc<Current>> {
        self.publishers.current(scope)
    }

    fn delta(&self, scope: CrlScope) -> Option<Arc<Current>> {
        self.publishers.delta(scope)
    }

    fn trouble(&self, now: Timestamp) -> Option<String> {
        self.publishers.trouble(now)
    }

    fn ocsp(&self, now: Timestamp) -> Option<OcspFigures> {
        let (maker, point) = self.answers.as_ref()?;
        let counts = point.counts();
        let (certificates, age_seconds) = maker.round(now).unwrap_or_default();
        Some(OcspFigures {
            trouble: maker.trouble(now),
            certificates,
            age_seconds,
            stored: counts.stored(),
            fresh: counts.fresh(),
            statuses: ResponseStatus::ALL.map(|status| (status.as_str(), counts.status(status))),
        })
    }
}
