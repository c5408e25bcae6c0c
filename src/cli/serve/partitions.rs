//! The parts among which what is issued is parted: where their CRLs stand and who makes them.

use std::sync::Arc;

use crate::ca::publish::{PublicationPoint, Publisher, Schedule};
use crate::cli::failure::Failure;
use crate::cli::home::Home;
use crate::cli::partitions::places;
use crate::pki::issuer::Issuer;
use crate::pki::revocation_list::CrlScope;
use crate::signing::CaKey;
use crate::storage::act::CrlsPartitioned;
use crate::storage::publication::{PublicationDirectory, PublicationStore};

/// All of one key; none where there are none.
pub(super) struct Partitions(Vec<Part>);

struct Part {
    scope: CrlScope,
    /// Under every base URL that there was since there are partitions.
    urls: Vec<String>,
    store: Arc<dyn PublicationStore>,
}

impl Partitions {
    /// Opens the place of each.
    pub(super) fn open(
        home: &Home,
        slug: &str,
        parted: Option<&CrlsPartitioned>,
    ) -> Result<Self, Failure> {
        let mut parts = Vec::new();
        for (scope, urls) in parted.map_or_else(Vec::new, |own| places(slug, own, &own.base_urls)) {
            let store = PublicationDirectory::open(&home.publish(), &scope.file_name(slug))?;
            parts.push(Part { scope, urls, store: Arc::new(store) });
        }
        Ok(Self(parts))
    }

    /// Takes up the CRLs that are published already.
    pub(super) fn served_at(
        &self,
        mut point: PublicationPoint,
        issuer: &Issuer,
        schedule: Schedule,
    ) -> PublicationPoint {
        for Part { scope, store, .. } in &self.0 {
            let (with, outcome) = point.with_scope(issuer, *scope, &**store, schedule);
            point = with;
            if let Err(error) = outcome {
                tracing::error!(%error, ?scope, "a stored CRL cannot be served; a new one is made");
            }
        }
        point
    }

    /// A publisher for each, beside that of everything under the same key.
    pub(super) fn publishers(
        self,
        beside: &Publisher,
        key: &Arc<dyn CaKey>,
        issuer: &Arc<Issuer>,
        schedule: Schedule,
    ) -> Vec<Publisher> {
        let publisher = |Part { scope, urls, store }: Part| {
            let made =
                beside.beside(scope, Arc::clone(key), Arc::clone(issuer), store, schedule)?;
            Some(made.at_distribution_point(urls))
        };
        self.0.into_iter().filter_map(publisher).collect()
    }
}
