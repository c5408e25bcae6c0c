//! Finding the ledger's end at start, and ruling on what stands behind the last good commit.
//!
//! Only an unfinished last commit may be cut off, for only that was never acknowledged. What
//! counts as one depends on how the last process ended:
//! - stopped cleanly: nothing is unfinished; anything bad is damage;
//! - killed while the machine ran on: the kernel kept every finished write, so an unfinished
//!   commit is a correct beginning of one that just stops; anything else is damage;
//! - power lost, or unknown: the last commit's pages may be there in any mixture; a bad commit
//!   that a later marker follows was synced once, so it is damage all the same.
//!
//! A length that an earlier process is known to have synced beyond the cut also means damage.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::frame::{self, Marker};
use super::scan::{Broken, Commit, Record, Salvaged, Scanner, Step};
use crate::pki::time::Timestamp;

/// How the last process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastStop {
    /// Cleanly.
    Clean,
    /// Without closing, but the page cache it wrote to is still there.
    Killed,
    /// Without closing, and the machine or the file system stopped too, or nobody knows.
    PowerLost,
}

/// A place between two commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Offset of the marker before it; 0 at the ledger's beginning.
    pub marker: u64,
    /// Where the next commit begins.
    pub offset: u64,
    /// Number of the last entry.
    pub sequence: u64,
    /// Its hash.
    pub hash: frame::Hash,
    /// The latest time on record.
    pub latest: Timestamp,
}

impl Position {
    /// Before the first entry.
    pub fn start() -> Self {
        let latest = Timestamp::from_millis(0);
        let hash = frame::genesis();
        Self { marker: 0, offset: frame::HEADER_LENGTH, sequence: 0, hash, latest }
    }

    /// After this marker, which stands at `marker_offset` and ends at `end`.
    pub fn after(marker: &Marker, marker_offset: u64, end: u64) -> Self {
        let Marker { sequence, hash, latest, .. } = *marker;
        Self { marker: marker_offset, offset: end, sequence, hash, latest }
    }
}

/// What a scan to the end found.
#[derive(Debug)]
pub struct Recovered {
    /// Where the next commit goes.
    pub end: Position,
    /// Bytes from `end` on that belong to no finished commit and shall be cut.
    pub cut: bool,
    /// Set when something that was acknowledged cannot be read.
    pub damaged: Option<String>,
}

/// Scans from `from` to `length` and hands every commit to `apply`. `synced` is a length that is
/// known to have been durable once.
pub fn recover<E: From<std::io::Error>>(
    file: &File,
    from: Position,
    length: u64,
    stop: LastStop,
    synced: u64,
    apply: &mut dyn FnMut(&Commit) -> Result<(), E>,
) -> Result<Recovered, E> {
    let mut scanner = Scanner::new(file, from.offset, from.sequence, from.hash, length);
    let mut end = from;
    let mut damaged = None;
    loop {
        let commit = match scanner.step()? {
            Step::Commit(commit) => commit,
            Step::End => {
                if end.offset < synced {
                    let said = format!("{synced} octets were on record, {} are there", end.offset);
                    damaged.get_or_insert(said);
                }
                return Ok(Recovered { end, cut: false, damaged });
            }
            Step::Bad(broken) => {
                let rest = scanner.salvage(&broken)?;
                let unfinished = damaged.is_none()
                    && broken.first >= synced
                    && match (stop, &rest) {
                        (LastStop::Clean, _) => false,
                        (LastStop::Killed, Salvaged::Open(_)) => broken.interrupted,
                        (LastStop::Killed, Salvaged::Closed(_)) => false,
                        (LastStop::PowerLost, Salvaged::Open(_)) => true,
                        // Its own marker came through, some of its pages did not.
                        (LastStop::PowerLost, Salvaged::Closed(rest)) => {
                            rest.marker.first == broken.first && scanner.offset() == length
                        }
                    };
                if unfinished {
                    return Ok(Recovered { end, cut: true, damaged });
                }
                damaged.get_or_insert(broken.to_string());
                match rest {
                    Salvaged::Closed(commit) => commit,
                    // New commits go behind the damage: nothing is cut.
                    Salvaged::Open(records) => {
                        let commit = unclosed(&end, broken.first, length, records);
                        apply(&commit)?;
                        end = Position::after(&commit.marker, end.marker, length);
                        return Ok(Recovered { end, cut: false, damaged });
                    }
                }
            }
        };
        apply(&commit)?;
        end = Position::after(&commit.marker, commit.marker_offset, commit.end);
    }
}

/// What is left of a commit whose marker is lost, as a commit that fills the rest of the file.
fn unclosed(before: &Position, first: u64, length: u64, records: Vec<Record>) -> Commit {
    let (sequence, hash) =
        records.last().map_or((before.sequence, before.hash), |last| (last.sequence, last.hash));
    let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
    let marker = Marker { first, count, sequence, hash, latest: before.latest };
    Commit { first, marker_offset: before.marker, end: length, marker, records }
}

/// Writes the last commit once more over itself, so that the next sync covers it: after a failed
/// sync the kernel may show pages as clean that never reached the disk.
pub fn rewrite_last_commit(file: &File, end: &Position, first: u64) -> std::io::Result<()> {
    let mut at = first;
    let mut buffer = vec![0; 1 << 20];
    while at < end.offset {
        let left = usize::try_from(end.offset - at).unwrap_or(buffer.len()).min(buffer.len());
        file.read_exact_at(&mut buffer[..left], at)?;
        file.write_all_at(&buffer[..left], at)?;
        at += left as u64;
    }
    Ok(())
}

/// Where a scan found damage, in words.
impl std::fmt::Display for Broken {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "no valid entry at offset {}", self.at)
    }
}
