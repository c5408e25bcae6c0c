//! That a new CRL drops nobody: every entry of the published one is in it, or its hold was
//! released, or its certificate ended long enough ago. What a delta told, the next delta tells or
//! its base has, and the next complete list has it too. Memory: 24 octets for each entry that
//! changed its place; none where the new list only continues the old; all of a delta's.

use super::PublishError;
use super::stream::{Entries, Part};
use crate::pki::revocation::RevocationReason;
use crate::pki::revocation_list::{CrlEntry, DeltaEntry};
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::storage::Register;
use crate::storage::act::Act;

/// An entry of the published CRL that does not stand at its place in the new one.
struct Missing {
    serial: SerialNumber,
    held: bool,
    found: bool,
}

/// Compares the published entries with the new ones, both in any order.
pub(super) fn check(
    published: Part<'_>,
    new: Part<'_>,
    ended_before: Timestamp,
    register: &dyn Register,
) -> Result<(), PublishError> {
    let mut missing = Vec::new();
    let mut published = Entries::of(published);
    let mut new = Entries::of(new);
    // Entries keep their order as long as the register's file is only continued and thinned out:
    // one step in both is the rule.
    let mut ahead = serial_of_next(&mut new)?;
    while let Some((serial, der)) = published.next()? {
        if ahead == Some(serial) {
            ahead = serial_of_next(&mut new)?;
        } else {
            let entry = CrlEntry::decode(der).map_err(|_| PublishError::EntriesDamaged)?;
            let held = entry.revocation.reason == RevocationReason::CertificateHold;
            missing.push(Missing { serial, held, found: false });
        }
    }
    all_may_go(missing, ahead, new, ended_before, register)
}

/// Whoever of `missing` stands neither at `ahead` nor in what is left of `new` may go.
fn all_may_go(
    mut missing: Vec<Missing>,
    mut ahead: Option<SerialNumber>,
    mut new: Entries<'_>,
    ended_before: Timestamp,
    register: &dyn Register,
) -> Result<(), PublishError> {
    missing.sort_unstable_by_key(|entry| entry.serial);
    while let Some(serial) = ahead {
        if let Ok(place) = missing.binary_search_by_key(&serial, |entry| entry.serial)
            && let Some(entry) = missing.get_mut(place)
        {
            entry.found = true;
        }
        ahead = serial_of_next(&mut new)?;
    }
    for entry in missing.iter().filter(|entry| !entry.found) {
        if !may_go(entry, ended_before, register)? {
            return Err(PublishError::Dropped { serial: entry.serial });
        }
    }
    Ok(())
}

fn serial_of_next(entries: &mut Entries<'_>) -> Result<Option<SerialNumber>, PublishError> {
    Ok(entries.next()?.map(|(serial, _)| serial))
}

/// The register is asked, not the file that the new list was made from.
fn may_go(
    entry: &Missing,
    ended_before: Timestamp,
    register: &dyn Register,
) -> Result<bool, PublishError> {
    let released = entry.held && register.revocation(&entry.serial)?.is_none();
    if released {
        return Ok(true);
    }
    Ok(end_of(&entry.serial, register)?.is_some_and(|end| end < ended_before))
}

/// When a certificate ends; of a serial number without one (reserved and given up), when it would
/// have at the latest, if that went on record with its revocation.
fn end_of(
    serial: &SerialNumber,
    register: &dyn Register,
) -> Result<Option<Timestamp>, PublishError> {
    if let Some(row) = register.certificate(serial)? {
        return Ok(Some(row.not_after));
    }
    let Some(sequence) = register.revocation_sequence(serial)? else { return Ok(None) };
    let row = register.entries(sequence, 1)?.into_iter().next();
    Ok(match row.map(|row| row.entry.act) {
        Some(Act::CertificateRevoked(act)) => act.not_after.map(Timestamp::from_seconds),
        _ => None,
    })
}

/// Compares the entries of the published delta with those of the next one, which is made against a
/// base that reflects the ledger up to `reflected`. Ended certificates may go once the complete
/// CRL of `latest` was made after their end.
pub(super) fn check_delta(
    published: Part<'_>,
    new: Part<'_>,
    reflected: u64,
    latest: Timestamp,
    register: &dyn Register,
) -> Result<(), PublishError> {
    let told = serials(new)?;
    let mut published = Entries::of(published);
    while let Some((serial, der)) = published.next()? {
        if told.binary_search(&serial).is_ok() {
            continue;
        }
        let may_go = match register.revocation_sequence(&serial)? {
            Some(sequence) => sequence <= reflected,
            // A copy of the register that was put back knows neither hold nor release: none of the
            // complete lists that were made from it has him.
            None => matches!(DeltaEntry::decode(der), Ok(DeltaEntry::Removed { .. })),
        };
        if may_go {
            continue;
        }
        if end_of(&serial, register)?.is_none_or(|end| end >= latest) {
            return Err(PublishError::Dropped { serial });
        }
    }
    Ok(())
}

/// Whether a complete list has everybody whom the published delta calls revoked, unless the hold
/// was released since.
pub(super) fn check_delta_is_in(
    delta: Part<'_>,
    complete: Part<'_>,
    ended_before: Timestamp,
    register: &dyn Register,
) -> Result<(), PublishError> {
    let mut missing = Vec::new();
    let mut delta = Entries::of(delta);
    while let Some((serial, der)) = delta.next()? {
        if let DeltaEntry::Listed(entry) =
            DeltaEntry::decode(der).map_err(|_| PublishError::EntriesDamaged)?
        {
            let held = entry.revocation.reason == RevocationReason::CertificateHold;
            missing.push(Missing { serial, held, found: false });
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let mut complete = Entries::of(complete);
    let first = serial_of_next(&mut complete)?;
    all_may_go(missing, first, complete, ended_before, register)
}

fn serials(entries: Part<'_>) -> Result<Vec<SerialNumber>, PublishError> {
    let mut entries = Entries::of(entries);
    let mut all = Vec::new();
    while let Some(serial) = serial_of_next(&mut entries)? {
        all.push(serial);
    }
    all.sort_unstable();
    Ok(all)
}
