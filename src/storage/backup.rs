//! Copies of the ledger: backup while the service runs, restore, verification, export.
//!
//! All four read the ledger once from its start, in constant memory, and verify every checksum
//! and the whole chain on the way; none needs the lock of the directory it reads. What is derived
//! is not copied: it is made anew. Absent: what a restore learns from the newest CRL (the
//! authority's), and which files beside the ledger matter (the caller's list).

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::StoreError;
use super::act::Entry;
use super::datadir::{DataDirectory, DataDirectoryError, FileMode, doing, make_directory};
use super::datadir::{sync_directory_of, write_durably};
use super::ledger::frame::{self, Hash};
use super::ledger::scan::{Commit, Salvaged, Scanner, Step};
use super::open::hex;
use crate::pki::time::Timestamp;

/// Told how far it is: octets done, octets in all.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Number of the last entry.
    pub sequence: u64,
    /// Its hash, which covers all before it.
    pub head: Hash,
    /// The latest time on record.
    pub latest: Timestamp,
    /// Octets of the ledger up to the last commit.
    pub length: u64,
    /// Octets behind it that belong to no finished commit: one that is being written, or that a
    /// crash interrupted.
    pub unfinished: u64,
}

/// A hash that an entry is known to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The entry's number; `None`: the last one.
    pub sequence: Option<u64>,
    /// Its hash.
    pub hash: Hash,
}

/// Why a copy could not be made or trusted.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Not a ledger.
    #[error("{0} is not a ledger of this program, or of a later version")]
    NotALedger(PathBuf),
    /// The chain is broken.
    #[error("the ledger is damaged at offset {at}, after entry {sequence}")]
    Damaged {
        /// Where.
        at: u64,
        /// The last good entry before.
        sequence: u64,
    },
    /// The chain is whole, but not the one that was expected: somebody wrote it anew.
    #[error("entry {sequence} has the hash {found}, expected was {expected}")]
    AnotherChain {
        /// The entry.
        sequence: u64,
        /// In hex.
        found: String,
        /// In hex.
        expected: String,
    },
    /// The ledger ends before the entry whose hash is expected.
    #[error("the ledger ends with entry {last}, before entry {expected}")]
    TooShort {
        /// The last entry.
        last: u64,
        /// The one asked for.
        expected: u64,
    },
    /// A directory that must be empty is not.
    #[error("{0} is not empty")]
    NotEmpty(PathBuf),
    /// An entry is not in the vocabulary of this version.
    #[error("entry {0} cannot be read by this version")]
    Unreadable(u64),
    /// The data directory cannot be used.
    #[error(transparent)]
    Directory(#[from] DataDirectoryError),
    /// The operating system refused something.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Copies the ledger of `data` up to its last commit into `target` (made, or empty), and beside
/// it those of `files` (paths within `data`) that are there, as they are. The service may run.
pub fn backup(
    data: &Path,
    target: &Path,
    files: &[&Path],
    progress: Progress<'_>,
) -> Result<Report, BackupError> {
    must_be_empty(target)?;
    make_directory(target)?;
    for name in files {
        copy_file(&data.join(name), &target.join(name))?;
    }
    copy_ledger(data, target, progress)
}

/// Puts a backup into `data`, which must be missing or empty: verifies the whole chain, then lets
/// it be a ledger. All other files of the backup come along.
pub fn restore(copy: &Path, data: &Path, progress: Progress<'_>) -> Result<Report, BackupError> {
    must_be_empty(data)?;
    let _lock = DataDirectory::open(data)?;
    let report = copy_ledger(copy, data, progress)?;
    copy_beside(copy, data)?;
    Ok(report)
}

/// Verifies every checksum and the whole chain, and the hash of one entry where one is known.
pub fn verify(
    data: &Path,
    expected: Option<Expected>,
    progress: Progress<'_>,
) -> Result<Report, BackupError> {
    let mut met = None;
    let wanted = expected.and_then(|expected| expected.sequence);
    let report = read(&data.join("ledger"), progress, &mut |commit| {
        met =
            commit.records.iter().find(|it| Some(it.sequence) == wanted).map(|it| it.hash).or(met);
        Ok(())
    })?;
    if let Some(expected) = expected {
        let sequence = expected.sequence.unwrap_or(report.sequence);
        let found = if expected.sequence.is_some() { met } else { Some(report.head) };
        let found =
            found.ok_or(BackupError::TooShort { last: report.sequence, expected: sequence })?;
        if found != expected.hash {
            let (found, expected) = (hex(&found), hex(&expected.hash));
            return Err(BackupError::AnotherChain { sequence, found, expected });
        }
    }
    Ok(report)
}

#[derive(Serialize)]
struct Line<'a> {
    sequence: u64,
    hash: String,
    #[serde(flatten)]
    entry: &'a Entry,
}

/// Writes every entry as one line of JSON: its number, its hash (hex), `at` (milliseconds since
/// the epoch), `actor` and `act`. Secrets' hashes are left out.
pub fn export(
    data: &Path,
    out: &mut dyn Write,
    progress: Progress<'_>,
) -> Result<Report, BackupError> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let failed = |reason: String| StoreError::Io { doing: "writing the export".to_owned(), reason };
    let report = read(&data.join("ledger"), progress, &mut |commit| {
        for record in &commit.records {
            let entry: Entry = minicbor::decode(&record.body)
                .map_err(|_| BackupError::Unreadable(record.sequence))?;
            let hash = hex(&record.hash);
            serde_json::to_writer(
                &mut out,
                &Line { sequence: record.sequence, hash, entry: &entry },
            )
            .map_err(|error| failed(error.to_string()))?;
            out.write_all(b"\n").map_err(|error| failed(error.to_string()))?;
        }
        Ok(())
    })?;
    out.flush().map_err(|error| failed(error.to_string()))?;
    Ok(report)
}

/// Copies a ledger, verifying it on the way; it gets its name only once it is whole and durable.
fn copy_ledger(from: &Path, to: &Path, progress: Progress<'_>) -> Result<Report, BackupError> {
    let (source, target) = (from.join("ledger"), to.join("ledger"));
    let unfinished = to.join("ledger.unfinished");
    let reading = File::open(&source).map_err(|error| doing("opening", &source, &error))?;
    write_durably(&unfinished, &frame::header(), FileMode::Private)?;
    let writing = File::options()
        .write(true)
        .open(&unfinished)
        .map_err(|error| doing("opening", &unfinished, &error))?;
    let mut buffer = Vec::new();
    let report = read(&source, progress, &mut |commit| {
        // At most one commit, which the writer held in memory once.
        buffer.resize(usize::try_from(commit.end - commit.first).unwrap_or_default(), 0);
        reading
            .read_exact_at(&mut buffer, commit.first)
            .and_then(|()| writing.write_all_at(&buffer, commit.first))
            .map_err(|error| doing("copying", &source, &error))?;
        Ok(())
    })?;
    writing.sync_all().map_err(|error| doing("syncing", &unfinished, &error))?;
    std::fs::rename(&unfinished, &target).map_err(|error| doing("naming", &target, &error))?;
    sync_directory_of(&target)?;
    Ok(report)
}

/// Reads a ledger from its start.
fn read(
    path: &Path,
    progress: Progress<'_>,
    look: &mut dyn FnMut(&Commit) -> Result<(), BackupError>,
) -> Result<Report, BackupError> {
    let failed = |error: std::io::Error| doing("reading", path, &error);
    let file = File::open(path).map_err(|error| doing("opening", path, &error))?;
    let length = file.metadata().map_err(failed)?.len();
    let mut header = [0; frame::HEADER_LENGTH as usize];
    if file.read_exact_at(&mut header, 0).is_err() || header != frame::header() {
        return Err(BackupError::NotALedger(path.to_path_buf()));
    }
    let mut scanner = Scanner::from_start(&file, length);
    let mut report = Report {
        sequence: 0,
        head: frame::genesis(),
        latest: Timestamp::from_millis(0),
        length: frame::HEADER_LENGTH,
        unfinished: 0,
    };
    loop {
        match scanner.step().map_err(failed)? {
            Step::Commit(commit) => {
                look(&commit)?;
                progress(commit.end, length);
                report.sequence = commit.marker.sequence;
                report.head = commit.marker.hash;
                report.latest = commit.marker.latest;
                report.length = commit.end;
            }
            Step::End => return Ok(report),
            Step::Bad(broken) => {
                // While the service runs the last commit may be half written; no marker follows.
                let rest = scanner.salvage(&broken).map_err(failed)?;
                if !broken.interrupted || matches!(rest, Salvaged::Closed(_)) {
                    let sequence = report.sequence;
                    return Err(BackupError::Damaged { at: broken.at, sequence });
                }
                report.unfinished = length - broken.first;
                return Ok(report);
            }
        }
    }
}

fn must_be_empty(directory: &Path) -> Result<(), BackupError> {
    match std::fs::read_dir(directory) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(BackupError::NotEmpty(directory.to_path_buf())),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(doing("reading", directory, &error).into()),
    }
}

fn copy_file(from: &Path, to: &Path) -> Result<(), StoreError> {
    if !from.is_file() {
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        make_directory(parent)?;
    }
    // With its mode: a key stays as private as it is.
    std::fs::copy(from, to)
        .and_then(|_| File::open(to)?.sync_all())
        .map_err(|error| doing("copying", from, &error))?;
    sync_directory_of(to)
}

/// What a copy of a whole data directory has beside the files that matter.
const DERIVED: [&str; 7] =
    ["ledger", "lock", "state", "reserve", "index", "revoked", "revoked-scopes"];

fn copy_beside(from: &Path, to: &Path) -> Result<(), StoreError> {
    let failed = |error: std::io::Error| doing("reading", from, &error);
    for entry in std::fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        let name = entry.file_name();
        if DERIVED.iter().any(|derived| name == *derived) {
            continue;
        }
        if path.is_dir() {
            make_directory(&target)?;
            copy_beside(&path, &target)?;
        } else {
            copy_file(&path, &target)?;
        }
    }
    Ok(())
}
