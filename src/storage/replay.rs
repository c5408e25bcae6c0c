//! Replay: the ledger read, verified and decoded by one thread, what is derived from it brought
//! up to date by another.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, PoisonError};

use super::StoreError;
use super::act::{Act, Entry};
use super::derived::Followers;
use super::ledger::Reader;
use super::ledger::recovery::{LastStop, Position, Recovered, recover};
use super::ledger::scan::Commit;
use super::ledger::writer::Derived as _;

/// Octets of entries that go from one thread to the other at a time: small commits wake nobody.
const PARCEL: usize = 256 << 10;
/// Parcels that may wait.
const WAITING: usize = 2;

/// What is to be replayed.
#[derive(Clone, Copy, Debug)]
pub struct Behind {
    /// What is derived reflects the ledger up to here.
    pub from: Position,
    /// The ledger's length.
    pub length: u64,
    /// How the last process ended: see [`recover`].
    pub stop: LastStop,
    /// A length that is known to have been durable once.
    pub synced: u64,
}

/// A commit as the applying thread takes it.
struct Decoded {
    after: Position,
    entries: Vec<(u64, u64, Entry)>,
}

/// Applies every commit behind `behind.from`. `progress` is told the offset that is reached.
pub fn replay(
    followers: &mut Followers,
    behind: Behind,
    progress: &mut dyn FnMut(u64),
) -> Result<Recovered, StoreError> {
    let reader = Arc::clone(&followers.reader);
    let index = Arc::clone(&followers.index);
    index.write().unwrap_or_else(PoisonError::into_inner).begin_replay();
    let recovered = std::thread::scope(|scope| {
        let (parcels, arriving) = sync_channel(WAITING);
        let reading = std::thread::Builder::new()
            .name("replay".to_owned())
            .spawn_scoped(scope, move || read(&reader, behind, parcels))?;
        let mut before = behind.from;
        let mut apply = |commit: &Decoded| {
            let entries: Vec<_> =
                commit.entries.iter().map(|(at, number, entry)| (*at, *number, entry)).collect();
            followers.apply(&before, &commit.after, &entries)?;
            before = commit.after;
            progress(commit.after.offset);
            Ok::<(), StoreError>(())
        };
        let applied = arriving.iter().flatten().try_for_each(|commit: Decoded| apply(&commit));
        // Without a taker the reading thread ends.
        drop(arriving);
        let read = reading.join().map_err(|_| stopped())?;
        applied.and(read)
    })?;
    followers.revoked.apply(&[], recovered.end.sequence)?;
    index.write().unwrap_or_else(PoisonError::into_inner).end_replay(&recovered.end)?;
    Ok(recovered)
}

fn read(
    reader: &Reader,
    behind: Behind,
    parcels: SyncSender<Vec<Decoded>>,
) -> Result<Recovered, StoreError> {
    let Behind { from, length, stop, synced } = behind;
    let mut unreadable = None;
    let mut parcel = Vec::new();
    let mut octets = 0;
    let mut gather = |commit: &Commit| {
        let after = Position::after(&commit.marker, commit.marker_offset, commit.end);
        let mut entries = Vec::with_capacity(commit.records.len());
        for record in &commit.records {
            octets += record.body.len();
            match minicbor::decode(&record.body) {
                Ok(mut entry) => {
                    lighten(&mut entry);
                    entries.push((record.offset, record.sequence, entry));
                }
                Err(error) => {
                    let said = format!("entry {} cannot be read: {error}", record.sequence);
                    unreadable.get_or_insert(said);
                }
            }
        }
        parcel.push(Decoded { after, entries });
        if octets >= PARCEL {
            octets = 0;
            parcels.send(std::mem::take(&mut parcel)).map_err(|_| stopped())?;
        }
        Ok::<(), StoreError>(())
    };
    let mut recovered = recover(reader.file(), from, length, stop, synced, &mut gather)?;
    parcels.send(parcel).map_err(|_| stopped())?;
    if recovered.damaged.is_none() {
        recovered.damaged = unreadable;
    }
    Ok(recovered)
}

/// Drops what is large and what nothing derived looks at, so that little waits between the
/// threads.
fn lighten(entry: &mut Entry) {
    match &mut entry.act {
        Act::RequestReceived(received) => received.csr = Vec::new(),
        Act::SerialReserved(reserved) => reserved.tbs = Vec::new(),
        Act::CertificateIssued(issued) => issued.signature = Vec::new(),
        Act::TemplateSaved(saved) => saved.json = String::new(),
        Act::AnswerRecorded(answer) => answer.body = Vec::new(),
        _ => {}
    }
}

/// One of the threads ended before the other; where that had a reason, the reason is told.
fn stopped() -> StoreError {
    let doing = "replaying the ledger".to_owned();
    StoreError::Io { doing, reason: "the other thread ended early".to_owned() }
}
