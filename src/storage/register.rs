//! [`LedgerRegister`]: the contract of [`Register`] over ledger, index and CRL entries.

mod answers;
mod crls;
mod places;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use quick_cache::sync::Cache;

use super::act::{AccountSaved, Act, Entry};
use super::datadir::{DataDirectory, doing};
use super::derived::Followers;
use super::index::query::Search;
use super::index::{Index, both};
use super::ledger::Reader;
use super::ledger::recovery::Position;
use super::ledger::writer::{Queue, Writer};
use super::open::Scrub;
use super::revoked::scopes::RevokedScopes;
use super::state::State;
use super::{Health, Register, StoreError, TokenRow};
use crate::pki::time::Timestamp;
use places::Places;

/// How many tokens, accounts and CRLs are kept in memory: at some 700 octets each, 3 MiB.
const KEPT_ENTRIES: usize = 4096;

/// The register. Dropping it closes it.
#[derive(Debug)]
pub struct LedgerRegister {
    shared: Arc<Shared>,
    next_request: AtomicU64,
    /// Entries that every call asks for (its token, its account), or every CRL (those before it), as
    /// they were read. What stands at an offset never changes, so nothing here grows old.
    kept: Cache<u64, Arc<Entry>>,
    places: Places,
    writer: Mutex<Option<JoinHandle<Writer<Followers>>>>,
    scrub: Mutex<Option<JoinHandle<()>>>,
}

/// What the register's threads share.
#[derive(Debug)]
pub(super) struct Shared {
    directory: DataDirectory,
    running: State,
    pub(super) reader: Arc<Reader>,
    index: Arc<RwLock<Index>>,
    revoked: Arc<RevokedScopes>,
    queue: Queue,
    pub(super) health: Arc<Mutex<Health>>,
    end: Arc<Mutex<Position>>,
    pub(super) closing: AtomicBool,
    /// Held while CRL entries are made from the ledger alone.
    making_anew: Mutex<()>,
}

impl Shared {
    pub(super) fn new(
        directory: DataDirectory,
        running: State,
        writer: &Writer<Followers>,
        queue: Queue,
    ) -> Self {
        Self {
            directory,
            running,
            reader: Arc::clone(&writer.derived.reader),
            index: Arc::clone(&writer.derived.index),
            revoked: Arc::clone(&writer.derived.revoked),
            queue,
            health: Arc::clone(&writer.health),
            end: Arc::clone(&writer.published_end),
            closing: AtomicBool::new(false),
            making_anew: Mutex::default(),
        }
    }

    pub(super) fn end(&self) -> Position {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts damage on record beside the ledger, for the next start.
    pub(super) fn damaged(&self, damage: String) {
        {
            let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
            if health.damaged.is_some() {
                return;
            }
            health.damaged = Some(damage.clone());
        }
        tracing::error!(%damage, "the ledger is damaged: no new issues; stored CRLs are served on");
        let state = State { damaged: Some(damage), ..self.running.clone() };
        if let Err(error) = state.write(&self.directory.path().join("state")) {
            tracing::error!(%error, "the damage could not be noted for the next start");
        }
    }
}

impl LedgerRegister {
    pub(super) fn start(
        shared: Shared,
        writer: Writer<Followers>,
        scrub: Scrub,
    ) -> Result<Self, StoreError> {
        let shared = Arc::new(shared);
        let next_request = read(&shared.index).next_request();
        let spawn = |error: std::io::Error| StoreError::Io {
            doing: "starting a thread".to_owned(),
            reason: error.to_string(),
        };
        let own = Arc::clone(&shared);
        let writer = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || writer.run(&own.queue))
            .map_err(spawn)?;
        let scrub = match scrub {
            Scrub::Not => None,
            Scrub::InBackground => {
                let own = Arc::clone(&shared);
                let run = move || super::scrub::run(&own);
                Some(
                    std::thread::Builder::new()
                        .name("scrub".to_owned())
                        .spawn(run)
                        .map_err(spawn)?,
                )
            }
        };
        Ok(Self {
            shared,
            next_request: AtomicU64::new(next_request),
            kept: Cache::new(KEPT_ENTRIES),
            places: Places::default(),
            writer: Mutex::new(Some(writer)),
            scrub: Mutex::new(scrub),
        })
    }

    /// Where the data directory is.
    pub fn data(&self) -> PathBuf {
        self.shared.directory.path().to_path_buf()
    }

    /// Finishes what was handed over, writes the index out, and notes that all is well, so that
    /// the next start need not look. Later commits fail. Closing twice does nothing.
    pub fn close(&self) -> Result<(), StoreError> {
        let taken = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(writer) = taken else { return Ok(()) };
        self.shared.queue.close();
        self.shared.closing.store(true, Ordering::Relaxed);
        if let Some(scrub) = self.scrub.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A scrub that panicked found nothing to say.
            let _ = scrub.join();
        }
        let Ok(writer) = writer.join() else {
            let doing = "closing".to_owned();
            return Err(StoreError::Io { doing, reason: "the writer panicked".to_owned() });
        };
        let health = self.health();
        if health.poisoned.is_some() {
            // Nobody knows what is on the disk: the next start looks.
            return Ok(());
        }
        let path = self.shared.directory.path();
        self.shared.index.write().unwrap_or_else(PoisonError::into_inner).close(&writer.end)?;
        self.shared.revoked.sync()?;
        // sled's own files are synced with all the rest of the file system.
        std::fs::File::open(path)
            .and_then(|directory| Ok(rustix::fs::syncfs(&directory)?))
            .map_err(|error| doing("syncing", path, &error))?;
        let state = State {
            clean: true,
            cache: self.shared.running.cache.clone(),
            length: writer.end.offset,
            damaged: health.damaged,
        };
        state.write(&path.join("state"))
    }

    fn search(&self) -> Search<'_> {
        Search { index: &self.shared.index, reader: &self.shared.reader }
    }

    fn index(&self) -> std::sync::RwLockReadGuard<'_, Index> {
        read(&self.shared.index)
    }

    fn entry(&self, offset: u64) -> Result<Entry, StoreError> {
        Ok(self.watch(self.shared.reader.entry(offset))?.entry)
    }

    /// The same of a token, an account or a CRL, which is soon asked for again.
    fn kept(&self, offset: u64) -> Result<Arc<Entry>, StoreError> {
        self.kept.get_or_insert_with(&offset, || self.entry(offset).map(Arc::new))
    }

    /// Notes damage that an answer met.
    fn watch<R>(&self, answer: Result<R, StoreError>) -> Result<R, StoreError> {
        if let Err(StoreError::Damaged(damage)) = &answer {
            self.shared.damaged(damage.clone());
        }
        answer
    }

    fn token_row(&self, places: &[u8]) -> Result<Option<TokenRow>, StoreError> {
        let (created, ended) = both(places);
        if created == 0 {
            return Ok(None);
        }
        let entry = self.kept(created)?;
        let Act::TokenCreated(token) = &entry.act else { return Ok(None) };
        let created_at = Timestamp::from_millis(entry.at);
        let (token, made_by) = (token.clone(), entry.actor.clone());
        let mut row = TokenRow { token, created_at, made_by, revoked_at: None, used: None };
        if ended != 0 {
            let entry = self.entry(ended)?;
            let at = Timestamp::from_millis(entry.at);
            match entry.act {
                Act::TokenUsed(used) => row.used = Some((at, used.request_id)),
                _ => row.revoked_at = Some(at),
            }
        }
        Ok(Some(row))
    }

    fn saved_account(&self, places: &[u8]) -> Result<Option<AccountSaved>, StoreError> {
        match &self.kept(both(places).0)?.act {
            Act::AccountSaved(saved) => Ok(Some(saved.clone())),
            _ => Ok(None),
        }
    }

    /// The small entries of a kind by name, up to `limit` rows.
    fn named<Row>(
        &self,
        kind: u8,
        after: Option<&str>,
        limit: usize,
        row: impl Fn(&[u8]) -> Result<Option<Row>, StoreError>,
    ) -> Result<Vec<Row>, StoreError> {
        let entries = self.index().chunks.all_named(kind, after.map(str::as_bytes));
        let mut rows = Vec::new();
        for entry in entries {
            if rows.len() >= limit {
                break;
            }
            rows.extend(row(&entry?.1)?);
        }
        Ok(rows)
    }
}

fn read(index: &RwLock<Index>) -> std::sync::RwLockReadGuard<'_, Index> {
    index.read().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for LedgerRegister {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!(%error, "the register was not closed cleanly");
        }
    }
}
