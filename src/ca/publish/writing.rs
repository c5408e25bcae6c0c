//! Writes the to-be-signed part of a CRL: into its file and through both hashes at once, in pieces,
//! comparing on the way with the list before.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, Digest, SHA256};

use super::PublishError;
use super::making::Press;
use super::point::Current;
use super::stream::Part;
use crate::pki::revocation_list::CrlFrame;
use crate::storage::publication::PendingFile;
use crate::storage::{CrlEntries, Register};

/// Entries are copied and hashed in pieces of this size: it stays in the processor's cache.
pub(super) const PIECE: usize = 256 * 1024;
/// Pieces that wait to be hashed; so much memory is used however long the list is.
const PIECES_WAITING: usize = 4;

impl Press {
    /// Streams header, entries and trailer into the file and through both hashes, each on a
    /// thread of its own, and sees on the way whether the entries begin with all the previous ones.
    pub fn write_tbs(
        &self,
        frame: &CrlFrame,
        entries: &CrlEntries,
        usual_length: usize,
        previous: Option<&Current>,
        pending: &mut dyn PendingFile,
    ) -> Result<Written, PublishError> {
        let outer = frame.outer_header(usual_length);
        let mut whole = Context::new(&SHA256);
        whole.update(&outer);
        let tbs = Context::new(self.key.algorithm().digest());
        std::thread::scope(|scope| {
            let tbs = Hasher::start(scope, tbs);
            let whole = Hasher::start(scope, whole);
            let mut position = outer.len() as u64;
            let (register, reflected) = (&*self.register, entries.sequence);
            let mut pace = Pace::begun(register, reflected);
            let mut write = |piece: Vec<u8>| -> Result<(), PublishError> {
                let piece = Arc::new(piece);
                tbs.feed(&piece)?;
                whole.feed(&piece)?;
                pending.write_at(&piece, position)?;
                position += piece.len() as u64;
                pace.keep(piece.len(), pending)
            };
            write(frame.header.clone())?;
            let continues = copy_entries(entries, previous, &mut write)?;
            write(frame.trailer.clone())?;
            let digest = tbs.finish()?.finish();
            Ok(Written { digest, whole: whole.finish()?, continues })
        })
    }
}

/// The to-be-signed part, once it stands in the file.
pub(super) struct Written {
    /// Its digest.
    pub digest: Digest,
    /// SHA-256 of the file up to its end, for a signature of the usual length.
    pub whole: Context,
    /// Whether the entries begin with all those of the previous list.
    pub continues: bool,
}

/// Hands the entries on in pieces; says whether they begin with all those of the previous list.
fn copy_entries(
    entries: &CrlEntries,
    previous: Option<&Current>,
    write: &mut dyn FnMut(Vec<u8>) -> Result<(), PublishError>,
) -> Result<bool, PublishError> {
    let mut source = Part::of(&entries.file, 0..entries.length);
    let mut before = previous.map(Current::encoded_entries);
    let range = |crl: &Current| crl.entries_range.end - crl.entries_range.start;
    let mut continues = previous.is_none_or(|crl| range(crl) <= entries.length);
    let mut old = vec![0; PIECE];
    loop {
        let mut piece = vec![0; PIECE];
        let octets = source.fill(&mut piece)?;
        if octets == 0 {
            return Ok(continues);
        }
        piece.truncate(octets);
        if continues && let Some(before) = &mut before {
            let octets = before.fill(&mut old)?;
            continues = old.get(..octets) == piece.get(..octets);
        }
        write(piece)?;
    }
}

/// Lets others have the processors and the disk.
pub(super) struct Pace<'a> {
    register: &'a dyn Register,
    /// The last ledger entry that the list reflects.
    reflected: u64,
    /// Octets since the last rest, and when that was.
    written: usize,
    begun: Instant,
}

/// A disk that hangs shall not keep a list waiting longer than it hangs.
const LONGEST_REST: Duration = Duration::from_millis(100);

impl<'a> Pace<'a> {
    pub fn begun(register: &'a dyn Register, reflected: u64) -> Self {
        Self { register, reflected, written: 0, begun: Instant::now() }
    }

    /// Where others commit meanwhile, the list takes at most a quarter of the time: each piece is
    /// synced by itself, and the next one waits thrice as long as this one took. Otherwise their
    /// syncs would queue up behind tens of megabytes, and they themselves behind three busy threads.
    /// A list that is no longer than a piece keeps nobody waiting, and is not made to wait.
    pub fn keep(
        &mut self,
        octets: usize,
        pending: &mut dyn PendingFile,
    ) -> Result<(), PublishError> {
        self.written += octets;
        if self.written < PIECE {
            return Ok(());
        }
        if self.register.head().sequence > self.reflected {
            pending.sync_so_far()?;
            std::thread::sleep((self.begun.elapsed() * 3).min(LONGEST_REST));
        }
        *self = Self::begun(self.register, self.reflected);
        Ok(())
    }
}

/// A hash on a thread of its own.
struct Hasher<'scope> {
    pieces: SyncSender<Arc<Vec<u8>>>,
    thread: ScopedJoinHandle<'scope, Context>,
}

impl<'scope> Hasher<'scope> {
    fn start(scope: &'scope Scope<'scope, '_>, mut context: Context) -> Self {
        let (pieces, coming) = sync_channel::<Arc<Vec<u8>>>(PIECES_WAITING);
        let thread = scope.spawn(move || {
            coming.iter().for_each(|piece| context.update(&piece));
            context
        });
        Self { pieces, thread }
    }

    fn feed(&self, piece: &Arc<Vec<u8>>) -> Result<(), PublishError> {
        self.pieces.send(Arc::clone(piece)).map_err(|_| ended_early())
    }

    fn finish(self) -> Result<Context, PublishError> {
        drop(self.pieces);
        self.thread.join().map_err(|_| ended_early())
    }
}

fn ended_early() -> PublishError {
    std::io::Error::other("a hashing thread ended early").into()
}
