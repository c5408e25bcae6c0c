//! What a register learns from CRLs that it does not have on record: the past of an adopted CA, or
//! what happened after the copy was made that is now put back.

use std::collections::BTreeSet;
use std::num::NonZeroU16;

use super::{ListedPartition, ListedRevocations, revoked_before};
use crate::pki::revocation::RevocationReason;
use crate::pki::revocation_list::{CrlKind, CrlScope};
use crate::pki::time::Timestamp;
use crate::storage::act::{
    Act, AuthorityEstablished, CrlsPartitioned, Entry, Partition, Restored, RevokedScope,
};
use crate::storage::{CrlRow, Page, Register, StoreError, Urgency};

/// Revocations go on record in commits of so many.
const AT_ONCE: usize = 1000;
const ROWS_AT_ONCE: usize = 100;

/// Why nothing is learnt.
#[derive(Debug, thiserror::Error)]
pub enum LearningError {
    /// A CRL from before the copy cannot tell what happened after it.
    #[error("the CRL has number {given}; the copy has number {recorded} on record as published")]
    OldCrl {
        /// Its number.
        given: u64,
        /// The last one that the copy knows.
        recorded: u64,
    },
    /// The register.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Puts on record what was published after this copy of the register was made, by the complete CRL
/// of each key (its key index beside it, the present key's first) and those of partitions, and
/// raises what the next CRLs begin with above that. Partitions that the copy did not know are known
/// from then on: what was issued since names them. Gives for each complete CRL how many revocations
/// the copy did not know; those that partitions told count with the first.
pub fn learn(
    register: &dyn Register,
    present: AuthorityEstablished,
    listed: &[(u16, ListedRevocations)],
    parts: &[ListedPartition],
    now: Timestamp,
) -> Result<Vec<usize>, LearningError> {
    let complete = listed.iter().map(|(key, list)| (CrlScope::of_key(*key), list));
    let (mut number, mut this_update) = (None, None);
    for (scope, list) in complete.chain(parts.iter().map(|part| (part.scope, &part.listed))) {
        must_not_be_older(register, list, scope)?;
        number = number.max(list.number);
        this_update = this_update.max(Some(list.this_update.seconds()));
    }
    let mut told = 0;
    for ListedPartition { scope, listed, .. } in parts {
        told += record_missing_revocations(register, listed, (*scope).into(), now)?;
    }
    let mut revoked = Vec::new();
    for (key, list) in listed {
        // What no partition lists was issued since the copy was made, under the present key: it
        // may be in any part of that.
        let scope = RevokedScope { key: *key, partition: Partition::Unknown };
        revoked.push(told + record_missing_revocations(register, list, scope, now)?);
        told = 0;
    }
    let mut acts = partitions_told(register, parts)?;
    let next_crl_number = number.map_or(0, |number| number.saturating_add(1));
    let raised = AuthorityEstablished {
        next_crl_number: present.next_crl_number.max(next_crl_number),
        latest_this_update: present.latest_this_update.max(this_update),
        ..present.clone()
    };
    if raised != present {
        acts.push(Act::AuthorityEstablished(raised));
    }
    let sum = revoked.iter().sum::<usize>() as u64;
    acts.push(Act::Restored(Restored { crl_number: number, revoked: sum }));
    record(register, acts, now)?;
    Ok(revoked)
}

/// That there are as many partitions of each key as these are of, and where they are found.
fn partitions_told(
    register: &dyn Register,
    parts: &[ListedPartition],
) -> Result<Vec<Act>, StoreError> {
    let keys: BTreeSet<u16> = parts.iter().map(|part| part.scope.key).collect();
    let mut acts = Vec::new();
    for key in keys {
        let known = register.partitions(key)?;
        let of_key = || parts.iter().filter(|part| part.scope.key == key);
        let least = known.as_ref().map_or(NonZeroU16::MIN, |known| known.partitions);
        let told = of_key().filter_map(|part| part.scope.partition);
        let partitions = told.fold(least, NonZeroU16::max);
        let mut base_urls = known.as_ref().map_or_else(Vec::new, |known| known.base_urls.clone());
        for url in of_key().flat_map(|part| &part.base_urls) {
            if !base_urls.contains(url) {
                base_urls.push(url.clone());
            }
        }
        let learnt = CrlsPartitioned { key, partitions, base_urls };
        if known.as_ref() != Some(&learnt) {
            acts.push(Act::CrlsPartitioned(learnt));
        }
    }
    Ok(acts)
}

/// Records as revoked what a CRL lists and the register does not have, and as final what the
/// register has on hold and the CRL has not, for the CRLs of `scope`; gives how many.
pub fn record_missing_revocations(
    register: &dyn Register,
    listed: &ListedRevocations,
    scope: RevokedScope,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let mut missing = Vec::new();
    let hold = RevocationReason::CertificateHold;
    for entry in &listed.entries {
        let told = entry.revocation.reason;
        let is_missing = register
            .revocation(&entry.serial)?
            .is_none_or(|known| known.reason == hold && told != hold);
        if is_missing {
            missing.push(revoked_before(entry, scope));
        }
    }
    for some in missing.chunks(AT_ONCE) {
        record(register, some.to_vec(), now)?;
    }
    Ok(missing.len())
}

fn must_not_be_older(
    register: &dyn Register,
    listed: &ListedRevocations,
    scope: CrlScope,
) -> Result<(), LearningError> {
    match (last_complete(register, scope)?, listed.number) {
        (Some(last), Some(given)) if given < last.number => {
            Err(LearningError::OldCrl { given, recorded: last.number })
        }
        _ => Ok(()),
    }
}

/// The newest complete CRL of the scope that the copy knows as published: a delta that is newer tells what the
/// copy knows anyway, and one that was only intended nobody has.
fn last_complete(register: &dyn Register, scope: CrlScope) -> Result<Option<CrlRow>, StoreError> {
    let mut after = None;
    loop {
        let page = register.crls(Some(scope), Page { after, limit: ROWS_AT_ONCE })?;
        let complete = |row: &CrlRow| row.kind == CrlKind::Complete && row.published.is_some();
        if let Some(row) = page.rows.into_iter().find(complete) {
            return Ok(Some(row));
        }
        after = page.next;
        if after.is_none() {
            return Ok(None);
        }
    }
}

fn record(register: &dyn Register, acts: Vec<Act>, now: Timestamp) -> Result<(), StoreError> {
    let entry = |act| Entry { at: now.millis(), actor: None, act };
    register.commit(acts.into_iter().map(entry).collect(), Urgency::Reserved)
}
