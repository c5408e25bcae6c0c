//! `chancery export` and `chancery verify-ledger`: reading the whole ledger, also while the
//! service runs.

use std::fs::File;

use super::arguments::{Export, VerifyLedger};
use super::backup::head;
use super::failure::{Failure, at};
use super::home::Home;
use super::progress::Bar;
use super::settings::Settings;
use super::surroundings::say;
use crate::storage::backup::{Expected, export as write_entries, verify};
use crate::storage::ledger::scan::{Scanner, Step};

/// Writes every entry as a line of JSON.
pub fn export(arguments: &Export, settings: &Settings) -> Result<(), Failure> {
    let home = Home::new(&settings.data);
    home.must_have_ledger()?;
    let bar = Bar::new("exporting");
    let mut progress = |done, all| bar.at(done, all);
    match &arguments.to {
        None => {
            write_entries(home.path(), &mut std::io::stdout().lock(), &mut progress)?;
        }
        Some(path) => {
            if path.exists() {
                return Err(Failure::InTheWay(path.clone()));
            }
            let mut file = File::create(path).map_err(at(path))?;
            let report = write_entries(home.path(), &mut file, &mut progress)?;
            file.sync_all().map_err(at(path))?;
            drop(bar);
            say(&format!("Wrote {} entries to {}.", report.sequence, path.display()));
        }
    }
    Ok(())
}

/// Checks every checksum and the chain, and that a head written down elsewhere is in it.
pub fn verify_ledger(arguments: &VerifyLedger, settings: &Settings) -> Result<(), Failure> {
    let home = Home::new(&settings.data);
    home.must_have_ledger()?;
    let wanted = arguments.head.as_deref().map(read_head).transpose()?;
    let expected = match wanted {
        Some(Wanted { sequence: Some(sequence), hash }) => {
            Some(Expected { sequence: Some(sequence), hash })
        }
        _ => None,
    };
    let bar = Bar::new("verifying");
    let report = verify(home.path(), expected, &mut |done, all| bar.at(done, all))?;
    drop(bar);
    if let Some(Wanted { sequence: None, hash }) = wanted {
        find(&home, &hash)?;
    }
    say(&format!("The ledger is whole: {} entries.", report.sequence));
    if wanted.is_some() {
        say("The given head is in it.");
    }
    say(&format!("Head {}", head(report.sequence, &report.head)));
    Ok(())
}

/// A head as it was written down.
#[derive(Clone, Copy)]
struct Wanted {
    sequence: Option<u64>,
    hash: [u8; 32],
}

/// `NUMBER:HASH`, or the hash alone.
fn read_head(text: &str) -> Result<Wanted, Failure> {
    let (sequence, hash) = match text.split_once(':') {
        Some((sequence, hash)) => {
            (Some(sequence.parse().map_err(|_| Failure::NotAHead(text.to_owned()))?), hash)
        }
        None => (None, text),
    };
    let octets: Option<Vec<u8>> = (0..hash.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(hash.get(at..at + 2)?, 16).ok())
        .collect();
    let hash = octets.and_then(|octets| <[u8; 32]>::try_from(octets).ok());
    Ok(Wanted { sequence, hash: hash.ok_or_else(|| Failure::NotAHead(text.to_owned()))? })
}

/// Looks for a hash whose entry's number is not known.
fn find(home: &Home, hash: &[u8; 32]) -> Result<(), Failure> {
    let path = home.ledger();
    let file = File::open(&path).map_err(at(&path))?;
    let length = file.metadata().map_err(at(&path))?.len();
    let mut scanner = Scanner::from_start(&file, length);
    while let Step::Commit(commit) = scanner.step().map_err(at(&path))? {
        if commit.records.iter().any(|record| record.hash == *hash) {
            return Ok(());
        }
    }
    Err(Failure::HeadNotThere)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn heads_read_back(sequence: u64, hash: [u8; 32]) {
            let read = read_head(&head(sequence, &hash)).unwrap();
            prop_assert_eq!((read.sequence, read.hash), (Some(sequence), hash));
        }

        #[test]
        fn any_text_is_a_head_or_none(text in ".{0,80}") {
            let _ = read_head(&text);
        }
    }
}
