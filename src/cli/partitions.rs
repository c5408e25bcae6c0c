//! Partitions of CRLs: how many are wanted, how many there are on record, and where they are.

use std::num::NonZeroU16;

use super::failure::Failure;
use super::register::record;
use super::settings::Settings;
use super::surroundings::now;
use crate::pki::revocation_list::CrlScope;
use crate::storage::act::{Act, CrlsPartitioned};
use crate::storage::{LedgerRegister, Register as _, Urgency};

/// The partitions of what is issued under key `key`, as they are from now on: put on record where
/// the settings have more of them, or find them elsewhere, than before. `base_urls` is where
/// certificates say that CRLs are. Nothing where there are no partitions.
pub fn partitions(
    register: &LedgerRegister,
    settings: &Settings,
    key: u16,
    base_urls: &[String],
) -> Result<Option<CrlsPartitioned>, Failure> {
    let known = register.partitions(key)?;
    let Some(number) = wanted(register, settings, key)? else { return Ok(None) };
    let mut every = base_urls.to_vec();
    for url in known.iter().flat_map(|known| &known.base_urls) {
        if !every.contains(url) {
            every.push(url.clone());
        }
    }
    let parted = CrlsPartitioned { key, partitions: number, base_urls: every };
    if known.as_ref() == Some(&parted) {
        return Ok(known);
    }
    let act = Act::CrlsPartitioned(parted.clone());
    match (record(register, vec![act], now(), Urgency::Reserved), known) {
        (Ok(()), _) => Ok(Some(parted)),
        // A register that cannot be written keeps nobody from fetching what there is.
        (Err(error), Some(known)) => {
            tracing::error!(%error, "the partitions stay as they are on record");
            Ok(Some(known))
        }
        (Err(error), None) => {
            tracing::error!(%error, "there will be no partitions");
            Ok(None)
        }
    }
}

/// How many there shall be: a certificate that names one must find it for ever, so never fewer than
/// on record. A new key has as many as the one before it, unless the settings say otherwise.
pub fn wanted(
    register: &LedgerRegister,
    settings: &Settings,
    key: u16,
) -> Result<Option<NonZeroU16>, Failure> {
    let recorded = register.partitions(key)?.map(|known| known.partitions);
    match (settings.crl_partitions, recorded) {
        (None, None) => inherited(register, key),
        (None, recorded) => Ok(recorded),
        (Some(set), Some(recorded)) if set < recorded.get() => {
            Err(Failure::FewerPartitions { set, recorded: recorded.get() })
        }
        (Some(set), _) => Ok(NonZeroU16::new(set)),
    }
}

/// As many as the last of the keys before this one.
fn inherited(register: &LedgerRegister, key: u16) -> Result<Option<NonZeroU16>, Failure> {
    for earlier in (0..key).rev() {
        if let Some(known) = register.partitions(earlier)? {
            return Ok(Some(known.partitions));
        }
    }
    Ok(None)
}

/// Every scope of partitions of a key, and where each is among `base_urls`.
pub fn places(
    slug: &str,
    parted: &CrlsPartitioned,
    base_urls: &[String],
) -> Vec<(CrlScope, Vec<String>)> {
    let numbers = (1..=parted.partitions.get()).filter_map(NonZeroU16::new);
    let scopes = numbers.map(|number| CrlScope { key: parted.key, partition: Some(number) });
    let urls = |scope: CrlScope| {
        let name = scope.file_name(slug);
        base_urls.iter().map(|base| format!("{base}/crl/{name}.crl")).collect()
    };
    scopes.map(|scope| (scope, urls(scope))).collect()
}
