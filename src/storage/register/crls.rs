//! CRLs on record, and the entries of the next ones.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, RwLock};

use super::LedgerRegister;
use crate::pki::revocation_list::{CrlKind, CrlScope};
use crate::pki::time::Timestamp;
use crate::storage::act::{Act, Scope};
use crate::storage::datadir::doing;
use crate::storage::derived::Followers;
use crate::storage::index::{CRL, CRL_IN_SCOPE, Index, Limits, both, name_in_scope};
use crate::storage::ledger::recovery::{LastStop, Position};
use crate::storage::replay::{Behind, replay};
use crate::storage::revoked::Revoked;
use crate::storage::revoked::restoration::Exchange;
use crate::storage::revoked::scopes::RevokedScopes;
use crate::storage::{CrlEntries, CrlRow, Listing, Page, StoreError};

impl LedgerRegister {
    /// A CRL whose intention and publication stand at `places`.
    fn crl_row(&self, places: &[u8]) -> Result<Option<CrlRow>, StoreError> {
        let (intended, published) = both(places);
        if intended == 0 {
            return Ok(None);
        }
        let entry = self.kept(intended)?;
        let Act::CrlIntended(crl) = &entry.act else { return Ok(None) };
        let published = match published {
            0 => None,
            offset => {
                let entry = self.kept(offset)?;
                match &entry.act {
                    Act::CrlPublished(file) => {
                        Some((Timestamp::from_millis(entry.at), file.size, file.sha256))
                    }
                    _ => None,
                }
            }
        };
        Ok(Some(CrlRow {
            number: crl.number,
            intended: Timestamp::from_millis(entry.at),
            this_update: Timestamp::from_seconds(crl.this_update),
            next_update: Timestamp::from_seconds(crl.next_update),
            next_publish: Timestamp::from_seconds(crl.next_publish),
            tbs_digest: crl.tbs_digest.clone(),
            entries: crl.entries,
            published,
            sequence: crl.sequence,
            kind: crl.base.map_or(CrlKind::Complete, |base| CrlKind::Delta { base }),
            oldest_held: crl.oldest_held.or(crl.base),
            freshest: crl.freshest.unwrap_or_default(),
            scope: Scope::read(crl.scope),
        }))
    }

    /// CRL numbers rise with what the lists reflect, whatever their scope, so the number is found
    /// by halving; those of earlier versions, which do not say what they reflect, come before all
    /// that do. From there on until one covers `scope`: a complete one follows soon.
    pub(super) fn first_crl_that_reflects(
        &self,
        scope: CrlScope,
        sequence: u64,
    ) -> Result<Option<CrlRow>, StoreError> {
        let next = |after: u64| -> Result<Option<CrlRow>, StoreError> {
            let rows = self.index().chunks.all_named(CRL, Some(&after.to_be_bytes()));
            let mut rows = rows.filter_map(|found| match found {
                Ok((_, places)) => self.crl_row(&places).transpose(),
                Err(error) => Some(Err(error)),
            });
            rows.next().transpose()
        };
        let too_early = |row: &CrlRow| row.sequence.is_none_or(|reflected| reflected < sequence);
        // The last number that one is too early after, and the first that none is.
        let (mut below, mut above) = (0, u64::MAX);
        let mut after = 0;
        if next(0)?.is_some_and(|row| too_early(&row)) {
            while above.saturating_sub(below) > 1 {
                let middle = below + (above - below) / 2;
                match next(middle)? {
                    Some(row) if too_early(&row) => below = row.number - 1,
                    _ => above = middle,
                }
            }
            after = above;
        }
        while let Some(row) = next(after)? {
            if row.published.is_some() && row.scope.covers(scope) {
                return Ok(Some(row));
            }
            after = row.number;
        }
        Ok(None)
    }

    /// Those on record, newest first, of one scope or of all.
    pub(super) fn crls_of(
        &self,
        scope: Option<CrlScope>,
        page: Page,
    ) -> Result<Listing<CrlRow>, StoreError> {
        let below = page.after.unwrap_or(u64::MAX);
        let Some(scope) = scope else { return listing(self.rows_below(below), page.limit) };
        // Those of the first key's whole have no names of their own: most are such.
        if scope == CrlScope::FIRST {
            let own = |row: &Result<CrlRow, _>| row.as_ref().map_or(true, |row| row.scope == scope);
            return listing(self.rows_below(below).filter(own), page.limit);
        }
        let (from, to) = (name_in_scope(scope, 0), name_in_scope(scope, below));
        let names = self.index().chunks.named_between(CRL_IN_SCOPE, &from, &to).rev();
        let rows = names.filter_map(|entry| {
            let row = entry.and_then(|(name, _)| {
                let number = name.last_chunk::<8>().copied().unwrap_or_default();
                let places = self.index().chunks.named(CRL, &number)?;
                places.map_or(Ok(None), |places| self.crl_row(&places))
            });
            row.transpose()
        });
        listing(rows, page.limit)
    }

    fn rows_below(&self, number: u64) -> impl Iterator<Item = Result<CrlRow, StoreError>> {
        let entries = self.index().chunks.named_between(CRL, &[], &number.to_be_bytes());
        entries
            .rev()
            .filter_map(|entry| entry.and_then(|(_, places)| self.crl_row(&places)).transpose())
    }

    /// CRL entries from the ledger alone, for a caller that wants some which were dropped; for the
    /// next one they are back where they were.
    pub(super) fn crl_entries_anew(
        &self,
        scope: CrlScope,
        wanted: impl Fn(&Revoked) -> Result<Option<CrlEntries>, StoreError>,
    ) -> Result<CrlEntries, StoreError> {
        // Complete lists, deltas and OCSP answers are made by threads of their own.
        let _one_at_a_time = self.shared.making_anew.lock();
        let own = self.shared.revoked.of(scope)?;
        if let Some(entries) = wanted(&own)? {
            // Somebody else has had them made meanwhile.
            return Ok(entries);
        }
        let directory = self.shared.directory.path().join("revoked-anew");
        let scratch = self.shared.directory.path().join("index-anew");
        // What a crash left would count twice.
        remove(&scratch)?;
        let fresh = Arc::new(RevokedScopes::create(&directory)?);
        let limits = Limits { cache: 1 << 20, changes: 1 << 20, replayed: 32 << 20 };
        let index = Index::open(&scratch, limits)?;
        let mut followers = Followers {
            reader: Arc::clone(&self.shared.reader),
            index: Arc::new(RwLock::new(index)),
            revoked: Arc::clone(&fresh),
            claims: Default::default(),
        };
        let length = self.shared.end().offset;
        let from = Position::start();
        let behind = Behind { from, length, stop: LastStop::Clean, synced: 0 };
        replay(&mut followers, behind, &mut |_| {})?;
        let anew = fresh.of(scope)?;
        let entries = match own.exchange_for(&anew)? {
            Exchange::Done => wanted(&own)?,
            Exchange::Outrun => wanted(&anew)?,
        };
        drop(followers);
        remove(&directory)?;
        remove(&scratch)?;
        entries.ok_or_else(|| StoreError::Damaged("the CRL entries cannot be made".to_owned()))
    }
}

fn remove(directory: &Path) -> Result<(), StoreError> {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(doing("removing", directory, &error))
        }
        _ => Ok(()),
    }
}

/// A page of them.
fn listing(
    mut rows: impl Iterator<Item = Result<CrlRow, StoreError>>,
    limit: usize,
) -> Result<Listing<CrlRow>, StoreError> {
    let found = rows.by_ref().take(limit).collect::<Result<Vec<_>, _>>()?;
    let more = rows.next().transpose()?.is_some();
    let next = found.last().filter(|_| more).map(|row| row.number);
    Ok(Listing { rows: found, next })
}
