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
use crate::ca::establish::generations::Generations;
use crate::ca::establish::learning::{LearningError, learn as learn_from};
use crate::ca::establish::{
    EstablishError, ListedPartition, ListedRevocations, is_signed_by, listed_in_partition,
    listed_revocations,
};
use crate::pki::issuer::Issuer;
use crate::pki::revocation_list::CrlScope;
use crate::pki::time::Timestamp;
use crate::storage::act::{Act, AuthorityEstablished, Restored};
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
    let later = home.later_ca_keys()?.into_iter().map(|name| home.path().join(name));
    for path in [home.ledger(), home.ca_key(0)].into_iter().chain(later) {
        if path.exists() {
            return Err(Failure::InTheWay(path));
        }
    }
    // Before anything is written: without a CRL there is nothing to restore to.
    let crls = Crls {
        complete: arguments.crl.iter().map(|own| fetched(own)).collect::<Result<_, _>>()?,
        delta: arguments.delta_crl.iter().map(|own| fetched(own)).collect::<Result<_, _>>()?,
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

/// What is learnt from: a CRL of each key, and its delta.
struct Crls {
    complete: Vec<Vec<u8>>,
    delta: Vec<Vec<u8>>,
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
    if crls.complete.is_empty() {
        say("Warning: restored without a CRL. Whatever was revoked since the copy was made is \
             valid again.");
        let act = Act::Restored(Restored { crl_number: None, revoked: 0 });
        return record(register, vec![act], now(), Urgency::Reserved);
    }
    let issuers = issuers(&established)?;
    crls.must_be_of(&issuers)?;
    let mut all = Vec::new();
    for issuer in &issuers {
        let scope = CrlScope::of_key(issuer.key_index());
        match crls.listed(issuer)? {
            Some(listed) => all.push((scope.key, listed)),
            // What nobody holds any more need not be learnt.
            None if now() > issuer.not_after() => {}
            None => return Err(Failure::CrlOfKeyMissing(scope.file_name(&established.slug))),
        }
    }
    let parts = crls.parts(register, &issuers, &established.slug)?;
    let learnt = learn_from(register, established, &all, &parts, now());
    let learnt = learnt.map_err(|error| match error {
        LearningError::OldCrl { given, recorded } => Failure::OldCrl { given, recorded },
        LearningError::Store(error) => error.into(),
    })?;
    for ((_, listed), revoked) in all.iter().zip(learnt) {
        say(&format!(
            "The CRL of {} lists {} serial numbers; {revoked} of them the copy did not know as \
             revoked.",
            listed.this_update,
            listed.entries.len()
        ));
    }
    Ok(())
}

/// The CA under each of its keys, the present one first.
fn issuers(established: &AuthorityEstablished) -> Result<Vec<Issuer>, Failure> {
    let generations = Generations::of(established);
    let mut keys = generations.key_indexes();
    keys.sort_by_key(|key| *key != generations.present_key());
    let certificates = keys.into_iter().filter_map(|key| generations.certificate_of_key(key));
    let issuer = |index| Ok(generations.issuer(index, &established.slug, &[])?);
    certificates.map(issuer).collect()
}

impl Crls {
    /// That each is signed with one of the CA's keys; else why not with the present one.
    fn must_be_of(&self, issuers: &[Issuer]) -> Result<(), Failure> {
        let Some(present) = issuers.first() else { return Ok(()) };
        for crl in &self.complete {
            if !issuers.iter().any(|issuer| is_signed_by(crl.as_slice(), issuer)) {
                listed_revocations(crl.as_slice(), present)?;
            }
        }
        for delta in &self.delta {
            if !issuers.iter().any(|issuer| is_signed_by(delta.as_slice(), issuer)) {
                return Err(EstablishError::NotADelta.into());
            }
        }
        Ok(())
    }

    /// What the partitions' CRLs list, of several of one partition the newest. The copy knows how
    /// many there were at least, and so does whoever gives that of a later one.
    fn parts(
        &self,
        register: &LedgerRegister,
        issuers: &[Issuer],
        slug: &str,
    ) -> Result<Vec<ListedPartition>, Failure> {
        let mut parts: Vec<ListedPartition> = Vec::new();
        for crl in &self.partitions {
            let mut read = issuers.iter().map(|own| listed_in_partition(crl.as_slice(), own, slug));
            let present = read.next().transpose();
            let found = match present {
                Err(error) => read.find_map(Result::ok).ok_or(error)?,
                Ok(Some(found)) => found,
                Ok(None) => continue,
            };
            let same = parts.iter().position(|own| own.scope == found.scope);
            match same.and_then(|place| parts.get_mut(place)) {
                Some(own) if age(&own.listed) < age(&found.listed) => *own = found,
                Some(_) => {}
                None => parts.push(found),
            }
        }
        for issuer in issuers.iter().filter(|issuer| now() <= issuer.not_after()) {
            let key = issuer.key_index();
            let known = register.partitions(key)?.map(|known| known.partitions);
            let of_key = parts.iter().filter(|own| own.scope.key == key);
            let last = of_key.filter_map(|own| own.scope.partition).chain(known).max();
            let last = last.map_or(0, NonZeroU16::get);
            let scope = |number| CrlScope { key, partition: Some(number) };
            let given = |number| parts.iter().any(|own| own.scope == scope(number));
            let missing = (1..=last).filter_map(NonZeroU16::new).find(|number| !given(*number));
            if let Some(number) = missing.filter(|_| !self.without_partitions) {
                let name = scope(number).file_name(slug);
                return Err(Failure::PartitionCrlMissing(number, name));
            }
        }
        Ok(parts)
    }

    /// What the CRL by this key lists, with its delta. Of several the newest has the word: the same
    /// list may have been fetched from two places, of which one was late.
    fn listed(&self, issuer: &Issuer) -> Result<Option<ListedRevocations>, Failure> {
        let is_own = |crl: &&Vec<u8>| is_signed_by(crl.as_slice(), issuer);
        let mut newest: Option<ListedRevocations> = None;
        for crl in self.complete.iter().filter(is_own) {
            let listed = listed_revocations(crl.as_slice(), issuer)?;
            if newest.as_ref().is_none_or(|newest| age(newest) < age(&listed)) {
                newest = Some(listed);
            }
        }
        let Some(mut listed) = newest else { return Ok(None) };
        let mut deltas = self.delta.iter().filter(is_own).peekable();
        if listed.names_deltas && deltas.peek().is_none() && !self.without_delta {
            return Err(Failure::DeltaCrlMissing);
        }
        // Nobody whom only one of them lists is left out.
        for delta in deltas {
            listed = listed.with(delta.as_slice(), issuer)?;
        }
        Ok(Some(listed))
    }
}

/// Of two lists of one scope the greater is the newer.
fn age(list: &ListedRevocations) -> (Option<u64>, Timestamp) {
    (list.number, list.this_update)
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
