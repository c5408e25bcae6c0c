//! The newest CRLs of one scope, as the doors read them: immutable snapshots, swapped whole.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::{Current, LoadError, Schedule};
use crate::pki::issuer::Issuer;
use crate::pki::revocation_list::{CrlKind, CrlScope};
use crate::storage::publication::PublicationStore;

/// The CRL of a scope that is published, and its delta.
#[derive(Debug)]
pub struct PublishedLists {
    scope: CrlScope,
    name: String,
    delta_name: String,
    current: ArcSwapOption<Current>,
    delta: ArcSwapOption<Current>,
}

impl PublishedLists {
    /// With the CRL that is published in `store` already. One that cannot be believed, or is of
    /// another part, is left out; the reason is told.
    pub(super) fn open(
        issuer: &Issuer,
        slug: &str,
        scope: CrlScope,
        store: &dyn PublicationStore,
        schedule: Schedule,
    ) -> (Self, Result<(), LoadError>) {
        let name = scope.file_name(slug);
        let part = scope.partition.map(|_| name.as_str());
        let (current, outcome) = match Current::load(issuer, part, store, schedule) {
            Ok(Some(found)) if found.kind != CrlKind::Complete => (None, Err(LoadError::NotOurs)),
            Ok(current) => (current, Ok(())),
            Err(error) => (None, Err(error)),
        };
        let lists = Self {
            scope,
            delta_name: format!("{name}-delta"),
            name,
            current: ArcSwapOption::new(current.map(Arc::new)),
            delta: ArcSwapOption::empty(),
        };
        (lists, outcome)
    }

    /// Takes up the delta CRL that is published in `store` already, if it can be believed.
    pub(super) fn open_delta(
        &self,
        issuer: &Issuer,
        store: &dyn PublicationStore,
        schedule: Schedule,
    ) -> Result<(), LoadError> {
        match Current::load(issuer, None, store, schedule)? {
            Some(found) if found.kind == CrlKind::Complete => Err(LoadError::NotOurs),
            found => {
                self.delta.store(found.map(Arc::new));
                Ok(())
            }
        }
    }

    /// Which certificates they speak of.
    pub fn scope(&self) -> CrlScope {
        self.scope
    }

    /// The name of the CRL's file, without its ending.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same of the delta's.
    pub fn delta_name(&self) -> &str {
        &self.delta_name
    }

    /// The newest CRL, if there is one.
    pub fn current(&self) -> Option<Arc<Current>> {
        self.current.load_full()
    }

    /// The newest delta CRL, if there is one.
    pub fn delta(&self) -> Option<Arc<Current>> {
        self.delta.load_full()
    }

    pub(super) fn replace(&self, current: Arc<Current>) {
        match current.kind {
            CrlKind::Complete => self.current.store(Some(current)),
            CrlKind::Delta { .. } => self.delta.store(Some(current)),
        }
    }

    /// Nobody looks for deltas any more.
    pub(super) fn withdraw_delta(&self) {
        self.delta.store(None);
    }
}
