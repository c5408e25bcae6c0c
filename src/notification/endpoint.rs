//! Who is told what.

use std::time::Duration;

use super::event::{Event, Kind, News};
use super::signature::Secrets;

/// An endpoint: where to, signed how, about what.
pub struct Endpoint {
    /// Its name in the settings, on record and in metrics; the URL may change under it.
    pub name: String,
    /// Where to: `https://`, or `http://` where that was allowed.
    pub url: String,
    /// What its notifications are signed with.
    pub secrets: Secrets,
    /// What it wants to know.
    pub wishes: Wishes,
    /// Certificates (DER) that its TLS certificate may lead to.
    pub roots: Vec<Vec<u8>>,
    /// How long one attempt may take in all.
    pub timeout: Duration,
    /// Events older than this are given up.
    pub life_seconds: u64,
}

/// What an endpoint wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// Of which kinds.
    pub kinds: Vec<Kind>,
    /// Of requests and certificates, only these templates' (cn); all if absent.
    pub templates: Option<Vec<String>>,
    /// How long before the end of certificates, in seconds.
    pub certificates_before: Vec<u64>,
    /// How long before the end of CA certificates, in seconds.
    pub authorities_before: Vec<u64>,
    /// How long before the end of the published CRL, in seconds.
    pub crl_before: Vec<u64>,
    /// How long before the end of the CRLs of CAs above, in seconds.
    pub parent_crl_before: Vec<u64>,
    /// How long before the end of OCSP answers, in seconds.
    pub answers_before: Vec<u64>,
}

impl Wishes {
    /// Whether an event is among them.
    pub fn include(&self, event: &Event) -> bool {
        let template = match (event.template(), &self.templates) {
            (Some(cn), Some(own)) => own.iter().any(|own| own.eq_ignore_ascii_case(cn)),
            _ => true,
        };
        let near = match &event.news {
            News::CertificatesExpiring(distance, _) => distance.reaches(&self.certificates_before),
            News::AuthorityExpiring(distance, _) => distance.reaches(&self.authorities_before),
            News::CrlExpiring(distance, _) => distance.reaches(&self.crl_before),
            News::ParentCrlExpiring(distance, _) => distance.reaches(&self.parent_crl_before),
            News::AnswersExpiring(distance, _) => distance.reaches(&self.answers_before),
            News::RequestPending(_) | News::CrlPublished(_) | News::SelfCheckChanged(_) => true,
        };
        template && near && self.kinds.contains(&event.kind())
    }
}
