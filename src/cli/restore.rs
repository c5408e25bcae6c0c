//! `chancery restore`: puts a copy in place without forgetting a revocation.
//!
//! A copy is a valid beginning of the ledger, so nothing in it tells what was revoked since. The
//! newest CRL does. The copy becomes the register only after what that CRL lists is on record:
//! until then it stands in `<data>/restoring`, and the service refuses to start beside it.

use std::num::NonZeroU16;
use std::path::Path;
use std::time::Duration;

use super::arguments::Restore;
use super::failure::{Failure, at};
use super::home::{Home, crl_of, read_crl};
use super::progress::Bar;
use super::register::{open_register, record};
use super::settings::Settings;
use super::surroundings::{now, say};
use crate::ca::establish::learning::{LearningError, learn as learn_from};
use crate::ca::establish::{ListedRevocations, listed_in_partition, listed_revocations};
use crate::pki::issuer::Issuer;
use crate::pki::revocation_list::CrlScope;
use crate::storage::act::{Act, Restored};
use crate::storage::backup::restore as copy_back;
use crate::storage::datadir::{make_directory, sync_directory_of};
use crate::storage::open::Scrub;
use crate::storage::{LedgerRegister, Register as _, Urgency};

/// For fetching a CRL, which may be large.
const PATIENCE: Duration = Duration::from_secs(600);
/// The largest CRL that is fetched, in octets.
const LARGEST_CRL: u64 = 1 << 30;

/// Restores.
pub fn restore(arguments: &Restore, settings: &Settings) -> Result<(), Failure> {
    let home = Home::new(&settings.data);
    for path in [home.ledger(), home.ca_key()] {
        if path.exists() {
            return Err(Failure::InTheWay(path));
        }
    }
    // Before anything is written: without a CRL there is nothing to restore to.
    let crls = Crls {
        complete: arguments.crl.as_deref().map(fetched).transpose()?,
        delta: arguments.delta_crl.as_deref().map(fetched).transpose()?,
        without_delta: arguments.without_delta_crl,
        partitions: arguments
            .partition_crl
            .iter()
            .map(|one| fetched(one))
            .collect::<Result<_, _>>()?,
        without_partitions: arguments.without_partition_crls,
    };
    let staging = home.restoring();
    match std::fs::remove_dir_all(&staging) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(at(&staging)(error));
        }
        _ => {}
    }
    make_directory(home.path())?;
    let bar = Bar::new("copying the ledger");
    let report = copy_back(&arguments.from, &staging, &mut |done, all| bar.at(done, all))?;
    drop(bar);
    say(&format!("The copy has {} entries, the last of {}.", report.sequence, report.latest));

    let staged = Settings { data: staging.clone(), ..settings.clone() };
    let register = open_register(&staged, Scrub::Not)?;
    let outcome = learn(&register, &crls, settings);
    register.close()?;
    drop(register);
    if let Err(failure) = outcome {
        std::fs::remove_dir_all(&staging).map_err(at(&staging))?;
        return Err(failure);
    }
    move_in(&staging, &home)?;
    say(&format!("Restored to {}. `chancery serve` starts the service.", home.path().display()));
    say("Certificates issued since the copy was made are valid but not on record.");
    Ok(())
}

/// What is learnt from.
struct Crls {
    complete: Option<Vec<u8>>,
    delta: Option<Vec<u8>>,
    /// Whether somebody said to go on without one.
    without_delta: bool,
    partitions: Vec<Vec<u8>>,
    /// Whether somebody said to go on without some of them.
    without_partitions: bool,
}

/// Puts on record what the CRLs list and the copy does not know.
fn learn(register: &LedgerRegister, crls: &Crls, settings: &Settings) -> Result<(), Failure> {
    let established = register.authority()?;
    let established = established.ok_or_else(|| Failure::NotEstablished(settings.data.clone()))?;
    let Some(crl) = crls.complete.as_deref() else {
        say("Warning: restored without a CRL. Whatever was revoked since the copy was made is \
             valid again.");
        let act = Act::Restored(Restored { crl_number: None, revoked: 0 });
        return record(register, vec![act], now(), Urgency::Reserved);
    };
    let parents: Vec<&[u8]> = established.parents.iter().map(|own| own.0.as_slice()).collect();
    let issuer = Issuer::new(&established.certificate, &parents, Vec::new(), Vec::new())?;
    let listed = listed_revocations(crl, &issuer)?;
    let listed = match &crls.delta {
        Some(delta) => listed.with(delta.as_slice(), &issuer)?,
        None if listed.names_deltas && !crls.without_delta => {
            return Err(Failure::DeltaCrlMissing);
        }
        None => listed,
    };
    let parts = parts(register, crls, &issuer, &established.slug)?;
    let key = issuer.key_index();
    let revoked = learn_from(register, established, key, &listed, &parts, now());
    let revoked = revoked.map_err(|error| match error {
        LearningError::OldCrl { given, recorded } => Failure::OldCrl { given, recorded },
        LearningError::Store(error) => error.into(),
    })?;
    say(&format!(
        "The CRL of {} lists {} serial numbers; {revoked} of them the copy did not know as revoked.",
        listed.this_update,
        listed.entries.len()
    ));
    Ok(())
}

/// What the partitions' CRLs list. The copy knows how many there were at least.
fn parts(
    register: &LedgerRegister,
    crls: &Crls,
    issuer: &Issuer,
    slug: &str,
) -> Result<Vec<(CrlScope, ListedRevocations)>, Failure> {
    let mut parts = Vec::new();
    for crl in &crls.partitions {
        let (scope, listed) = listed_in_partition(crl.as_slice(), issuer, slug)?;
        parts.push((scope, listed));
    }
    let known = register.partitions(issuer.key_index())?;
    let known = known.map_or(0, |known| known.partitions.get());
    let given = |number| parts.iter().any(|(scope, _)| scope.partition == Some(number));
    let missing = (1..=known).filter_map(NonZeroU16::new).find(|number| !given(*number));
    match missing {
        Some(number) if !crls.without_partitions => Err(Failure::PartitionCrlMissing(number)),
        _ => Ok(parts),
    }
}

/// Everything else first, the ledger last: before it is there the service finds `restoring` and
/// refuses; after it is there all is in place.
fn move_in(staging: &Path, home: &Home) -> Result<(), Failure> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(staging).map_err(at(staging))? {
        names.push(entry.map_err(at(staging))?.file_name());
    }
    names.sort_by_key(|name| name == "ledger");
    for name in names {
        let (from, to) = (staging.join(&name), home.path().join(&name));
        if name == "lock" {
            continue;
        }
        if name == "chancery.toml" && to.exists() {
            continue; // the one that is here holds
        }
        std::fs::rename(&from, &to).map_err(at(&from))?;
        sync_directory_of(&to)?;
    }
    std::fs::remove_dir_all(staging).map_err(at(staging))?;
    Ok(sync_directory_of(staging)?)
}

/// A CRL (DER) out of a file or from an `http://` URL.
fn fetched(source: &str) -> Result<Vec<u8>, Failure> {
    if !source.starts_with("http://") {
        return read_crl(Path::new(source));
    }
    let unreachable = |error: ureq::Error| Failure::CrlUnreachable {
        url: source.to_owned(),
        error: Box::new(error),
    };
    let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build();
    let mut response = config.new_agent().get(source).call().map_err(unreachable)?;
    let body = response.body_mut().with_config().limit(LARGEST_CRL);
    crl_of(body.read_to_vec().map_err(unreachable)?, Path::new(source))
}
