//! The encoded entries of every scope of CRLs, each in files of its own.
//!
//! ```text
//! <data>/revoked/                         everybody, for the CRL of the first key
//! <data>/revoked-scopes/k1/               everybody, for that of another key
//! <data>/revoked-scopes/k0-p3/            a partition
//! <data>/revoked-scopes/k0-unplaced/      serial numbers whose partition nobody knows
//! ```
//! Files come with the first entry, or with the first question. A partition begins with all those
//! whose partition is not known, and gets every later one: it may be theirs. What is no partition
//! lists everybody, whichever key he was issued under: it says nothing of its scope (it has no
//! issuingDistributionPoint), so a relying party that knows a CRL by its issuer's name alone takes
//! any of them as speaking of all (RFC 5280 §6.3.3 allows it; GnuTLS and Java do).

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use super::Revoked;
use crate::pki::revocation_list::CrlScope;
use crate::storage::StoreError;
use crate::storage::act::{Partition, RevokedScope};
use crate::storage::datadir::doing;
use crate::storage::index::apply::CrlChange;

/// Where entries are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Those of a scope.
    Scope(CrlScope),
    /// Those of a key whose partition is not known.
    Unplaced(u16),
}

impl Place {
    const FIRST: Self = Self::Scope(CrlScope::FIRST);

    /// The name of its directory.
    pub fn name(self) -> String {
        match self {
            Self::Scope(CrlScope { key, partition: None }) => format!("k{key}"),
            Self::Scope(CrlScope { key, partition: Some(number) }) => format!("k{key}-p{number}"),
            Self::Unplaced(key) => format!("k{key}-unplaced"),
        }
    }

    /// Reads a name; nothing where it is none of ours.
    fn of_name(name: &str) -> Option<Self> {
        let (key, rest) = match name.strip_prefix('k')?.split_once('-') {
            Some((key, rest)) => (key, Some(rest)),
            None => (name.strip_prefix('k')?, None),
        };
        let key = key.parse().ok()?;
        let number = |rest: &str| rest.strip_prefix('p')?.parse::<NonZeroU16>().ok();
        match rest {
            None => Some(Self::Scope(CrlScope::of_key(key))),
            Some("unplaced") => Some(Self::Unplaced(key)),
            Some(rest) => Some(Self::Scope(CrlScope { key, partition: Some(number(rest)?) })),
        }
    }

    fn directory(self, root: &Path) -> PathBuf {
        match self {
            Self::FIRST => root.join("revoked"),
            other => scopes_directory(root).join(other.name()),
        }
    }
}

fn scopes_directory(root: &Path) -> PathBuf {
    root.join("revoked-scopes")
}

/// All of them.
#[derive(Debug)]
pub struct RevokedScopes {
    root: PathBuf,
    places: RwLock<BTreeMap<Place, Arc<Revoked>>>,
}

impl RevokedScopes {
    /// Opens what is in the data directory `root`; `None` where something cannot be used, or where
    /// one of those in `noted` (names of places) is missing.
    pub fn open(root: &Path, noted: &[String]) -> Result<Option<Self>, StoreError> {
        let mut places = BTreeMap::new();
        for place in [Ok(Place::FIRST)].into_iter().chain(found(root)?) {
            let place = place.map_err(|error| doing("reading", root, &error))?;
            let Some(revoked) = Revoked::open(&place.directory(root))? else { return Ok(None) };
            places.insert(place, Arc::new(revoked));
        }
        let there = |name: &String| places.keys().any(|place| place.name() == *name);
        let whole = noted.iter().all(there);
        let opened = Self { root: root.to_owned(), places: RwLock::new(places) };
        Ok(whole.then_some(opened))
    }

    /// Begins anew with empty files.
    pub fn create(root: &Path) -> Result<Self, StoreError> {
        let scopes = scopes_directory(root);
        match std::fs::remove_dir_all(&scopes) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(doing("removing", &scopes, &error));
            }
            _ => {}
        }
        let first = Arc::new(Revoked::create(&Place::FIRST.directory(root))?);
        let places = RwLock::new(BTreeMap::from([(Place::FIRST, first)]));
        Ok(Self { root: root.to_owned(), places })
    }

    /// Takes in what a commit changed, in order; its last entry is number `reflected`. Gives the
    /// places that there were not before.
    pub fn apply(
        &self,
        changes: &[(u64, CrlChange)],
        reflected: u64,
    ) -> Result<Vec<Place>, StoreError> {
        let mut made = Vec::new();
        for (_, change) in changes {
            for place in named(change.scope()) {
                if !self.read().contains_key(&place) {
                    self.make(place)?;
                    made.push(place);
                }
            }
        }
        // Whoever asks for a new place waits, and so begins with all of this commit.
        let places = self.read();
        for (place, revoked) in &*places {
            let own: Vec<(u64, CrlChange)> = changes
                .iter()
                .filter(|(_, change)| holds(*place, change.scope()))
                .cloned()
                .collect();
            revoked.apply(&own, reflected)?;
        }
        Ok(made)
    }

    /// The entries of a scope.
    pub fn of(&self, scope: CrlScope) -> Result<Arc<Revoked>, StoreError> {
        let known = self.read().get(&Place::Scope(scope)).map(Arc::clone);
        match known {
            Some(known) => Ok(known),
            None => self.make(Place::Scope(scope)),
        }
    }

    /// Syncs all files, for a clean stop.
    pub fn sync(&self) -> Result<(), StoreError> {
        self.read().values().try_for_each(|revoked| revoked.sync())
    }

    /// A new place. One that a kill left before it was noted is taken up as it is.
    fn make(&self, place: Place) -> Result<Arc<Revoked>, StoreError> {
        let mut places = self.places.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = places.get(&place) {
            return Ok(Arc::clone(known));
        }
        let directory = place.directory(&self.root);
        if !directory.exists() {
            let before = match place {
                Place::Scope(CrlScope { key, partition: Some(_) }) => {
                    places.get(&Place::Unplaced(key))
                }
                Place::Scope(CrlScope { partition: None, .. }) => places.get(&Place::FIRST),
                Place::Unplaced(_) => None,
            };
            let unfinished = scopes_directory(&self.root).join("unfinished");
            let new = Revoked::create(&unfinished)?;
            if let Some(before) = before {
                before.copy_to(&unfinished)?;
            }
            drop(new);
            std::fs::rename(&unfinished, &directory)
                .map_err(|error| doing("naming", &directory, &error))?;
        }
        let unusable = || StoreError::Io {
            doing: format!("opening {}", directory.display()),
            reason: "its files do not fit together".to_owned(),
        };
        let made = Arc::new(Revoked::open(&directory)?.ok_or_else(unusable)?);
        let reflected = places.get(&Place::FIRST).map_or(0, |first| first.reflected());
        made.apply(&[], reflected)?;
        places.insert(place, Arc::clone(&made));
        Ok(made)
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<Place, Arc<Revoked>>> {
        self.places.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The places that are named in the data directory `root`.
fn found(root: &Path) -> Result<Vec<std::io::Result<Place>>, StoreError> {
    let scopes = scopes_directory(root);
    let entries = match std::fs::read_dir(&scopes) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| doing("reading", &scopes, &error))?,
    };
    let places = entries.filter_map(|entry| match entry {
        // What is called otherwise was never finished.
        Ok(entry) => Place::of_name(entry.file_name().to_str()?).map(Ok),
        Err(error) => Some(Err(error)),
    });
    Ok(places.collect())
}

/// The places that a change makes necessary.
fn named(scope: RevokedScope) -> Vec<Place> {
    let complete = Place::Scope(CrlScope::of_key(scope.key));
    match scope.partition {
        Partition::None => vec![complete],
        Partition::Known(number) => {
            let part = CrlScope { key: scope.key, partition: Some(number) };
            vec![complete, Place::Scope(part)]
        }
        Partition::Unknown => vec![complete, Place::Unplaced(scope.key)],
    }
}

/// Whether a change belongs into a place that is there.
fn holds(place: Place, scope: RevokedScope) -> bool {
    match place {
        Place::Unplaced(key) => key == scope.key && scope.partition == Partition::Unknown,
        Place::Scope(CrlScope { partition: None, .. }) => true,
        Place::Scope(CrlScope { key, partition: Some(number) }) => {
            let own = [Partition::Known(number), Partition::Unknown].contains(&scope.partition);
            key == scope.key && own
        }
    }
}

#[cfg(test)]
mod tests;
