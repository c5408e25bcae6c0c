//! What a register learns from CRLs that it does not have on record: the past of an adopted CA, or
//! what happened after the copy was made that is now put back.

use super::{ListedRevocations, revoked_before};
use crate::pki::revocation::RevocationReason;
use crate::pki::revocation_list::{CrlKind, CrlScope};
use crate::pki::time::Timestamp;
use crate::storage::act::{Act, AuthorityEstablished, Entry, Partition, Restored, RevokedScope};
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

/// Puts on record what was published under a key after this copy of the register was made, by the
/// complete CRL and those of partitions, and raises what the next CRLs begin with above that.
/// Gives how many revocations the copy did not know.
pub fn learn(
    register: &dyn Register,
    present: AuthorityEstablished,
    key: u16,
    listed: &ListedRevocations,
    parts: &[(CrlScope, ListedRevocations)],
    now: Timestamp,
) -> Result<usize, LearningError> {
    must_not_be_older(register, listed, CrlScope::of_key(key))?;
    let (mut revoked, mut number, mut this_update) = (0, listed.number, listed.this_update);
    for (scope, part) in parts {
        must_not_be_older(register, part, *scope)?;
        number = number.max(part.number);
        this_update = this_update.max(part.this_update);
    }
    for (scope, part) in parts {
        revoked += record_missing_revocations(register, part, (*scope).into(), now)?;
    }
    // What no partition lists was issued since the copy was made: it may be in any of them.
    let scope = RevokedScope { key, partition: Partition::Unknown };
    revoked += record_missing_revocations(register, listed, scope, now)?;
    let mut acts = Vec::new();
    let next_crl_number = number.map_or(0, |number| number.saturating_add(1));
    let raised = AuthorityEstablished {
        next_crl_number: present.next_crl_number.max(next_crl_number),
        latest_this_update: present.latest_this_update.max(Some(this_update.seconds())),
        ..present.clone()
    };
    if raised != present {
        acts.push(Act::AuthorityEstablished(raised));
    }
    acts.push(Act::Restored(Restored { crl_number: number, revoked: revoked as u64 }));
    record(register, acts, now)?;
    Ok(revoked)
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
