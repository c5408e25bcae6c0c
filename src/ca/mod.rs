//! The authority: decides, records, signs, in that order (law 1). The only room that sees the
//! key and the register together, and the only one that says who may do what.
//!
//! Absent: clock (every method is told `now`), HTTP, files' names, colours of log lines. All of
//! it is synchronous. Begin with [`Authority`], then `enroll`, the heart.

pub mod accounts;
mod agents;
pub mod announcement;
mod bond;
mod decisions;
mod endorsements;
pub mod enroll;
pub mod establish;
pub mod idempotency;
pub mod keys;
pub mod ocsp;
pub mod offices;
pub mod operator;
pub mod orphans;
mod outside;
pub mod parents;
mod pending;
pub mod permissions;
pub mod possession;
pub mod publish;
pub mod refusal;
pub mod refused_templates;
pub mod renewal;
pub mod requester;
pub mod requests;
pub mod retirement;
pub mod revoke;
pub mod roles;
pub mod status;
mod supersession;
pub mod template_import;
mod template_rights;
pub mod templates;
pub mod tokens;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};

pub use crate::directory::Guesses;
pub use crate::storage::{
    AuditRow, CertificateFilter, CertificateRow, CertificateStatus, CrlRow, Head, Idempotent,
    Lineage, Listing, Page, RequestFilter, RequestRow, TokenRow, act,
};
use establish::generations::Generations;
pub use refusal::Refusal;
pub use requester::Requester;

use crate::directory::{Directory, TokenIssuers};
use crate::pki::issuer::Issuer;
use crate::pki::template::TemplateArc;
use crate::pki::time::Timestamp;
use crate::signing::CaKey;
use crate::storage::Register;

/// The certificate authority.
pub struct Authority {
    register: Arc<dyn Register>,
    key: Arc<dyn CaKey>,
    directory: Arc<dyn Directory>,
    issuers: Option<Arc<dyn TokenIssuers>>,
    issuer: Arc<Issuer>,
    earlier: Vec<keys::EarlierKey>,
    generations: Generations,
    slug: String,
    template_arc: TemplateArc,
    templates: ArcSwap<templates::TemplateSet>,
    /// Those on record that today's rules refuse.
    refused: ArcSwap<refused_templates::RefusedSet>,
    roles: ArcSwap<roles::RoleDocument>,
    random: Random,
    /// Administrative acts look and then commit: one at a time.
    administration: Mutex<()>,
    /// (account, `Idempotency-Key`) pairs under way.
    in_flight: Mutex<HashSet<(String, String)>>,
    roles_by_certificate: possession::RolesByCertificate,
    pending_life_seconds: Option<u64>,
    /// Why what the last run left is not in order, while that is so.
    out_of_order: ArcSwapOption<String>,
    parents: Arc<parents::Parents>,
}

/// Fills a buffer with random octets fit for keys and serial numbers.
pub type Random = Arc<dyn Fn(&mut [u8]) -> Result<(), RandomFailed> + Send + Sync>;

/// The operating system gave no random octets.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("no random octets could be had")]
pub struct RandomFailed;

/// What an [`Authority`] is made of.
pub struct Parts {
    /// The register.
    pub register: Arc<dyn Register>,
    /// The CA's key.
    pub key: Arc<dyn CaKey>,
    /// Who the accounts are.
    pub directory: Arc<dyn Directory>,
    /// The CA certificate with the URLs that go into certificates.
    pub issuer: Issuer,
    /// The CA's name in files and URLs.
    pub slug: String,
    /// The installation's template arc.
    pub template_arc: TemplateArc,
    /// Randomness.
    pub random: Random,
}

/// Renders, for a creating act, the answer that goes on record beside it.
pub type Answering<'a, Made> = Option<&'a dyn Fn(&Made) -> act::Act>;

impl Authority {
    /// Puts an authority together; reads the templates and the roles from the register. While that
    /// has orphans the authority issues nothing: see [`Authority::put_in_order`].
    pub fn new(parts: Parts) -> Result<Self, Refusal> {
        let (templates, refused) = templates::load(parts.register.templates()?);
        let roles = roles::RoleDocument::load(parts.register.roles()?)?;
        let own = vec![parts.issuer.certificate_der().to_vec()];
        let out_of_order = orphans::unsettled(&*parts.register);
        Ok(Self {
            register: parts.register,
            key: parts.key,
            directory: parts.directory,
            issuers: None,
            issuer: Arc::new(parts.issuer),
            earlier: Vec::new(),
            generations: Generations::listed(own, 0, std::iter::empty()),
            slug: parts.slug,
            template_arc: parts.template_arc,
            templates: ArcSwap::from_pointee(templates),
            refused: ArcSwap::from_pointee(refused),
            roles: ArcSwap::from_pointee(roles),
            random: parts.random,
            administration: Mutex::new(()),
            in_flight: Mutex::new(HashSet::new()),
            roles_by_certificate: possession::RolesByCertificate::default(),
            pending_life_seconds: None,
            out_of_order: ArcSwapOption::new(out_of_order.map(Arc::new)),
            parents: Arc::default(),
        })
    }

    /// The same below these CAs.
    pub fn with_parents(self, parents: Arc<parents::Parents>) -> Self {
        Self { parents, ..self }
    }

    fn administrating(&self) -> MutexGuard<'_, ()> {
        self.administration.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fill_random(&self, octets: &mut [u8]) -> Result<(), Refusal> {
        (self.random)(octets)
            .map_err(|error| Refusal::Unavailable("no-randomness", error.to_string()))
    }
}

/// An entry by a requester.
fn record(requester: &Requester, now: Timestamp, act: act::Act) -> act::Entry {
    act::Entry { at: now.millis(), actor: Some(requester.account.name.clone()), act }
}

#[cfg(test)]
mod tests;
