//! Partitions of CRLs: how many are wanted, how many there are on record, and where they are.

use std::num::NonZeroU16;

use super::failure::Failure;
use super::register::record;
use super::settings::Settings;
use super::surroundings::now;
use crate::pki::revocation_list::CrlScope;
use crate::storage::act::{Act, CrlsPartitioned};
use crate::storage::{LedgerRegister, Register as _, Urgency};

/// Base URLs that a partition's CRL names at most, the latest first. Nobody moves a publication so
/// often; but a service on a port of the system's choosing is elsewhere at every start.
const MOST_PLACES: usize = 64;

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
    every.truncate(MOST_PLACES.max(base_urls.len()));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::open::{Options, open};

    #[test]
    fn places_are_remembered_but_not_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let register = open(Options::new(folder.path())).unwrap();
        let settings = Settings { crl_partitions: Some(2), ..Settings::default() };
        let at = |port: usize| vec![format!("http://127.0.0.1:{port}")];
        let begin = |port| partitions(&register, &settings, 0, &at(port)).unwrap().unwrap();
        begin(1);
        assert_eq!(begin(2).base_urls, [at(2), at(1)].concat());
        let head = register.head();
        assert_eq!(begin(2).base_urls, [at(2), at(1)].concat());
        assert_eq!(register.head(), head, "the same again is nothing new");
        for port in 3..200 {
            begin(port);
        }
        let last: Vec<String> = (136..200).rev().flat_map(at).collect();
        assert_eq!(begin(199).base_urls, last);
        assert_eq!(register.partitions(0).unwrap().unwrap().base_urls, last);
    }
}
