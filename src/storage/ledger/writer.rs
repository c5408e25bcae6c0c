//! The one writer: joins what many callers hand over into commits, and makes them durable.
//!
//! A commit is one write and one sync; only then are its entries applied to what is derived from
//! them, and only then do its callers go on. A write that fails for want of space is taken back;
//! after any other failure nothing is written any more, for nobody knows what is on the disk.

use std::sync::PoisonError;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::disk::Disk;
use super::frame::{self, Marker};
use super::recovery::Position;
use crate::pki::time::Timestamp;
use crate::storage::act::Entry;
use crate::storage::recording::{Recording, Ticket};
use crate::storage::{Health, StoreError, Urgency};

/// What one caller wants on record, all or none.
#[derive(Debug)]
pub struct Unit {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Their CBOR.
    bodies: Vec<Vec<u8>>,
    urgency: Urgency,
    ticket: Ticket,
}

/// What is derived from the ledger, as the writer sees it.
pub trait Derived: Send {
    /// Forgets the claims of the last commit.
    fn begin(&mut self);
    /// Whether the unit may be recorded after what is on record and after the units that were
    /// admitted since [`Derived::begin`]; if so, it is one of those.
    fn admit(&mut self, unit: &Unit) -> Result<(), StoreError>;
    /// Takes a durable commit in.
    fn apply(
        &mut self,
        before: &Position,
        after: &Position,
        entries: &[(u64, u64, &Entry)],
    ) -> Result<(), StoreError>;
}

/// Where callers hand their entries over.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    room: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    units: Vec<Unit>,
    octets: usize,
    closed: bool,
}

/// Octets that may wait; whoever comes later waits outside.
const QUEUE_OCTETS: usize = 16 << 20;

impl Queue {
    /// Hands entries over. Who hands over more than the writer can hold waits for room.
    pub fn submit(&self, entries: Vec<Entry>, urgency: Urgency) -> Recording {
        if entries.is_empty() {
            return Recording::settled(Ok(()));
        }
        match encoded(&entries) {
            Ok(bodies) => self.hand_over(entries, bodies, urgency),
            Err(error) => Recording::settled(Err(error)),
        }
    }

    fn hand_over(&self, entries: Vec<Entry>, bodies: Vec<Vec<u8>>, urgency: Urgency) -> Recording {
        let octets: usize = bodies.iter().map(Vec::len).sum();
        let (recording, ticket) = Recording::begun();
        let mut waiting = self.lock();
        while waiting.octets > 0 && waiting.octets + octets > QUEUE_OCTETS && !waiting.closed {
            waiting = self.room.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        if waiting.closed {
            let closed = StoreError::Poisoned("the register is closed".to_owned());
            return Recording::settled(Err(closed));
        }
        waiting.octets += octets;
        waiting.units.push(Unit { entries, bodies, urgency, ticket });
        let first = waiting.units.len() == 1;
        drop(waiting);
        if first {
            self.arrived.notify_one();
        }
        recording
    }

    /// Lets the writer end once all that waits is done.
    pub fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
        self.room.notify_all();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that waits; empty after `patience` without any; `None` once closed and empty.
    fn take(&self, patience: Duration) -> Option<Vec<Unit>> {
        let mut waiting = self.lock();
        if waiting.units.is_empty() && !waiting.closed {
            let waited = self.arrived.wait_timeout(waiting, patience);
            waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if waiting.units.is_empty() && waiting.closed {
            return None;
        }
        waiting.octets = 0;
        let units = std::mem::take(&mut waiting.units);
        drop(waiting);
        self.room.notify_all();
        Some(units)
    }
}

/// Octets that most entries fit into.
const USUAL_BODY: usize = 1024;

/// The entries' CBOR.
fn encoded(entries: &[Entry]) -> Result<Vec<Vec<u8>>, StoreError> {
    let encode = |entry: &Entry| {
        let mut body = Vec::with_capacity(USUAL_BODY);
        minicbor::encode(entry, &mut body).map_err(|error| too_large(&error))?;
        match body.len() > frame::LONGEST_BODY {
            true => Err(too_large(&"longer than an entry may be")),
            false => Ok(body),
        }
    };
    entries.iter().map(encode).collect()
}

fn too_large(reason: &dyn std::fmt::Display) -> StoreError {
    StoreError::Io { doing: "encoding an entry".to_owned(), reason: reason.to_string() }
}

/// How the writer deals with space.
#[derive(Clone, Copy, Debug)]
pub struct Space {
    /// Below so many free octets ordinary commits are refused.
    pub low: u64,
    /// Octets set aside for reserved commits.
    pub reserve: u64,
}

/// The writer's own thread runs this.
pub struct Writer<D: Derived> {
    /// The disk.
    pub disk: Box<dyn Disk>,
    /// Where the ledger ends.
    pub end: Position,
    /// Index and entries.
    pub derived: D,
    /// What stands in the way; shared with whoever asks.
    pub health: Arc<Mutex<Health>>,
    /// Where the ledger ends, for whoever asks.
    pub published_end: Arc<Mutex<Position>>,
    /// Space rules.
    pub space: Space,
    /// A buffer kept from commit to commit.
    pub buffer: Vec<u8>,
}

/// How often free space is looked at while nothing comes; else before every commit, for it costs
/// two system calls.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A buffer longer than this is given back after its commit.
const KEPT_BUFFER: usize = 4 << 20;

impl<D: Derived> Writer<D> {
    /// Commits what comes until the queue is closed, and hands the writer back.
    pub fn run(mut self, queue: &Queue) -> Self {
        self.look_at_space();
        while let Some(units) = queue.take(LOOK_EVERY) {
            self.look_at_space();
            if !units.is_empty() {
                self.commit(units);
            }
        }
        self
    }

    fn health(&self) -> std::sync::MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn commit(&mut self, units: Vec<Unit>) {
        let health = self.health().clone();
        self.derived.begin();
        let mut admitted = Vec::with_capacity(units.len());
        for unit in units {
            match refusal(&health, unit.urgency).map_or_else(|| self.derived.admit(&unit), Err) {
                Ok(()) => admitted.push(unit),
                Err(error) => unit.ticket.settle(Err(error)),
            }
        }
        if admitted.is_empty() {
            return;
        }
        let (mut after, mut places) = self.frame(&admitted);
        if let Err(error) = self.write() {
            if !out_of_space(&error) {
                return self.poison("writing", &error, &admitted);
            }
            if let Err(error) = self.disk.truncate(self.end.offset) {
                return self.poison("taking an unfinished commit back", &error, &admitted);
            }
            admitted = self.refuse_ordinary(admitted);
            if admitted.is_empty() {
                return;
            }
            (after, places) = self.frame(&admitted);
            if let Err(error) = self.disk.free_reserve().and_then(|()| self.write()) {
                if !out_of_space(&error) || self.disk.truncate(self.end.offset).is_err() {
                    return self.poison("writing", &error, &admitted);
                }
                admitted.iter().for_each(|unit| unit.ticket.settle(Err(StoreError::Full)));
                return;
            }
        }
        if let Err(error) = self.disk.sync() {
            return self.poison("syncing", &error, &admitted);
        }
        let entries = admitted.iter().flat_map(|unit| &unit.entries);
        let placed: Vec<(u64, u64, &Entry)> =
            places.iter().zip(entries).map(|(at, entry)| (at.0, at.1, entry)).collect();
        if let Err(error) = self.derived.apply(&self.end, &after, &placed) {
            return self.poison("applying a commit to the index", &error, &admitted);
        }
        self.end = after;
        *self.published_end.lock().unwrap_or_else(PoisonError::into_inner) = after;
        admitted.iter().for_each(|unit| unit.ticket.settle(Ok(())));
        if self.buffer.capacity() > KEPT_BUFFER {
            self.buffer = Vec::new();
        }
    }

    /// Frames the units into the buffer; says where the ledger will end, and each entry's offset
    /// and number.
    fn frame(&mut self, units: &[Unit]) -> (Position, Vec<(u64, u64)>) {
        self.buffer.clear();
        let Position { offset: first, mut sequence, mut hash, mut latest, .. } = self.end;
        let mut places = Vec::new();
        for (body, entry) in units.iter().flat_map(|unit| unit.bodies.iter().zip(&unit.entries)) {
            sequence += 1;
            places.push((first + self.buffer.len() as u64, sequence));
            hash = frame::push_entry(&mut self.buffer, sequence, &hash, body);
            latest = latest.max(Timestamp::from_millis(entry.at));
        }
        let marker_offset = first + self.buffer.len() as u64;
        let count = u32::try_from(places.len()).unwrap_or(u32::MAX);
        let marker = Marker { first, count, sequence, hash, latest };
        frame::push_marker(&mut self.buffer, &marker);
        let end = first + self.buffer.len() as u64;
        (Position::after(&marker, marker_offset, end), places)
    }

    fn write(&self) -> std::io::Result<()> {
        self.disk.write_at(&self.buffer, self.end.offset)
    }

    /// Keeps the reserved units and refuses the others.
    fn refuse_ordinary(&mut self, units: Vec<Unit>) -> Vec<Unit> {
        self.health().full = Some("the disk is full".to_owned());
        let (reserved, ordinary): (Vec<_>, Vec<_>) =
            units.into_iter().partition(|unit| unit.urgency == Urgency::Reserved);
        ordinary.iter().for_each(|unit| unit.ticket.settle(Err(StoreError::Full)));
        reserved
    }

    fn poison(&mut self, doing: &str, error: &dyn std::fmt::Display, units: &[Unit]) {
        let reason = format!("{doing}: {error}");
        tracing::error!(%reason, "the ledger cannot be written; no more commits until a restart");
        self.health().poisoned.get_or_insert(reason.clone());
        units.iter().for_each(|unit| unit.ticket.settle(Err(StoreError::Poisoned(reason.clone()))));
    }

    /// Refuses ordinary commits while space is short, and sets the reserve aside again once
    /// there is space for it.
    fn look_at_space(&mut self) {
        let Space { low, reserve } = self.space;
        // What a spent reserve has left free is not for ordinary commits.
        let needed = if self.disk.has_reserve(reserve) { low } else { low.saturating_add(reserve) };
        let full = match self.disk.free_space() {
            Ok(free) if free < needed => {
                Some(format!("{free} octets are free, {needed} are needed"))
            }
            Ok(_) => {
                if let Err(error) = self.disk.make_reserve(reserve) {
                    tracing::warn!(%error, "no reserve could be set aside");
                }
                None
            }
            Err(error) => {
                tracing::warn!(%error, "free space cannot be read");
                None
            }
        };
        let mut health = self.health();
        if full.is_some() != health.full.is_some() {
            tracing::warn!(full = ?full, "space for new records");
        }
        health.full = full;
    }
}

fn refusal(health: &Health, urgency: Urgency) -> Option<StoreError> {
    let ordinary = urgency == Urgency::Ordinary;
    if let Some(reason) = &health.poisoned {
        return Some(StoreError::Poisoned(reason.clone()));
    }
    if let (Some(reason), true) = (&health.damaged, ordinary) {
        return Some(StoreError::Damaged(reason.clone()));
    }
    (health.full.is_some() && ordinary).then_some(StoreError::Full)
}

fn out_of_space(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded)
}
