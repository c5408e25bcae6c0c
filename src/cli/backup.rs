//! `chancery backup`: a copy of register and key, also while the service runs.

use std::path::{Path, PathBuf};

use super::arguments::Backup;
use super::failure::Failure;
use super::home::Home;
use super::progress::Bar;
use super::settings::Settings;
use super::surroundings::say;
use crate::storage::backup::backup as copy;

/// What is copied beside the ledger, with the later keys and the CRLs of the CAs above. The rest is derived from it, or (tokens) made anew.
const FILES: [&str; 7] =
    ["ca.key", "ca.pem", "chain.pem", "ca.csr", "chancery.toml", "tls.key", "tls.pem"];

/// Copies the ledger up to its last commit, verified on the way, and the files beside it.
pub fn backup(arguments: &Backup, settings: &Settings) -> Result<(), Failure> {
    let home = Home::new(&settings.data);
    home.must_have_ledger()?;
    let bar = Bar::new("copying the ledger");
    let (keys, parents) = (home.later_ca_keys()?, home.parent_crls()?);
    let files = FILES.map(Path::new).into_iter();
    let files: Vec<&Path> =
        files.chain(keys.iter().chain(&parents).map(PathBuf::as_path)).collect();
    let report = copy(home.path(), &arguments.to, &files, &mut |done, all| bar.at(done, all))?;
    drop(bar);
    // A key is in its file before its certificate is on record: what is copied after may need it.
    if home.later_ca_keys()? != keys {
        return Err(Failure::RenewedMeanwhile);
    }
    say(&format!("Copied {} entries to {}.", report.sequence, arguments.to.display()));
    say(&format!("Head {}", head(report.sequence, &report.head)));
    say("The copy holds the CA's keys: keep it as you keep them.");
    Ok(())
}

/// A head as it is written down: the entry's number and its hash.
pub(super) fn head(sequence: u64, hash: &[u8; 32]) -> String {
    let hash: String = hash.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("{sequence}:{hash}")
}
