//! Opening the register: lock, find the ledger's end, bring what is derived up to date.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use super::datadir::{DataDirectory, DataDirectoryError, doing, sync_directory_of};
use super::derived::Followers;
use super::index::{Index, Limits};
use super::ledger::disk::{Disk, FileDisk};
use super::ledger::frame;
use super::ledger::recovery::{LastStop, Position, rewrite_last_commit};
use super::ledger::writer::{Queue, Space, Writer};
use super::ledger::{Item, Reader};
use super::register::{LedgerRegister, Shared};
use super::replay::{Behind, replay};
use super::revoked::scopes::RevokedScopes;
use super::state::{State, cache_of};
use super::{Health, StoreError};

/// Told how far a long step is: octets done, octets in all.
pub type Progress = Box<dyn FnMut(u64, u64) + Send>;

/// Puts another disk in front of the real one.
pub type WrapDisk = Box<dyn FnOnce(FileDisk) -> Box<dyn Disk> + Send>;

/// How to open the register.
pub struct Options {
    /// The data directory; made where it is missing.
    pub data: PathBuf,
    /// What to believe of the derived files.
    pub trust: Trust,
    /// Below so many free octets ordinary commits are refused.
    pub low_space: u64,
    /// Octets set aside for revocations and CRLs on a full disk.
    pub reserve: u64,
    /// How much memory the index may use.
    pub index: Limits,
    /// Whether the whole ledger is verified in the background after the start.
    pub scrub: Scrub,
    /// Told how far reading the ledger is.
    pub progress: Option<Progress>,
    /// What to do instead of the real disk's operations: tests only.
    pub disk: Option<WrapDisk>,
}

impl Options {
    /// The usual ones for this data directory.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            trust: Trust::AsRecorded,
            low_space: 64 << 20,
            reserve: 32 << 20,
            index: Limits { cache: 16 << 20, changes: 8 << 20, replayed: 24 << 20 },
            scrub: Scrub::InBackground,
            progress: None,
            disk: None,
        }
    }
}

/// What to believe of the derived files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// What the state file and the kernel say.
    AsRecorded,
    /// Nothing: make them anew, as after a power cut.
    Nothing,
}

/// Whether the whole ledger is verified after the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scrub {
    /// Slowly, by a thread of its own.
    InBackground,
    /// Not by this process.
    Not,
}

/// Why the register cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be used.
    #[error(transparent)]
    Directory(#[from] DataDirectoryError),
    /// There is a ledger, but not one of ours.
    #[error("{0} is not a ledger of this program, or of a later version")]
    NotALedger(PathBuf),
    /// Something else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        Self::Io { doing: "reading the ledger".to_owned(), reason: error.to_string() }
    }
}

/// Opens the register in `options.data`. Damage does not prevent that: see
/// [`super::Health::damaged`].
pub fn open(mut options: Options) -> Result<Arc<LedgerRegister>, OpenError> {
    let directory = DataDirectory::open(&options.data)?;
    let data = directory.path().to_path_buf();
    let ledger = open_ledger(&data.join("ledger"))?;
    let reader = Arc::new(Reader::new(ledger.try_clone().map_err(StoreError::from)?));
    let length = ledger.metadata().map_err(StoreError::from)?.len();

    let state_path = data.join("state");
    let cache = cache_of(&data);
    let last = State::read(&state_path)?;
    let stop = match options.trust {
        Trust::AsRecorded => last.last_stop(cache.as_deref()),
        Trust::Nothing => LastStop::PowerLost,
    };
    // From here on a stop without closing is a kill or a power cut again.
    let running = State { clean: false, cache, length: last.length, damaged: last.damaged.clone() };
    running.write(&state_path)?;

    // Once damaged, nothing is cut any more until the data directory is restored.
    let ruling = if last.damaged.is_some() { LastStop::Clean } else { stop };
    let mut told = options.progress.take();
    let mut progress = |done| told.iter_mut().for_each(|tell| tell(done, length));
    let mut follow = |(index, revoked, from): (Index, RevokedScopes, Position)| {
        let mut followers = Followers {
            reader: Arc::clone(&reader),
            index: Arc::new(RwLock::new(index)),
            revoked: Arc::new(revoked),
            claims: Default::default(),
        };
        let synced = last.length.max(from.offset);
        let behind = Behind { from, length, stop: ruling, synced };
        let recovered = replay(&mut followers, behind, &mut progress)?;
        Ok::<_, StoreError>((followers, recovered))
    };
    let believed = match stop {
        LastStop::PowerLost => None,
        _ => {
            unharmed(|| known(&data, &reader, options.index, length)?.map(&mut follow).transpose())
        }
    };
    let (followers, mut recovered) = match believed {
        Some(believed) => believed,
        None => follow(anew(&data, options.index, length)?)?,
    };
    if recovered.cut {
        cut(&data, &ledger, recovered.end.offset, length)?;
    }
    if stop != LastStop::Clean {
        settle(&reader, &ledger, &recovered.end)?;
    }
    if recovered.damaged.is_none() {
        recovered.damaged = last.damaged;
    }
    if let Some(damage) = &recovered.damaged {
        tracing::error!(%damage, "the ledger is damaged: no new issues; stored CRLs are served on");
        State { damaged: Some(damage.clone()), ..running.clone() }.write(&state_path)?;
    }
    tracing::info!(
        sequence = recovered.end.sequence,
        head = %hex(&recovered.end.hash),
        "the register is open"
    );

    let disk = FileDisk::new(ledger, &data);
    let writer = Writer {
        disk: match options.disk {
            Some(wrap) => wrap(disk),
            None => Box::new(disk),
        },
        end: recovered.end,
        health: Arc::new(Mutex::new(Health { damaged: recovered.damaged, ..Health::default() })),
        published_end: Arc::new(Mutex::new(recovered.end)),
        space: Space { low: options.low_space, reserve: options.reserve },
        buffer: Vec::new(),
        derived: followers,
    };
    let shared = Shared::new(directory, running, &writer, Queue::default());
    Ok(Arc::new(LedgerRegister::start(shared, writer, options.scrub)?))
}

fn open_ledger(path: &Path) -> Result<File, OpenError> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| doing("opening", path, &error))?;
    let mut found = [0; frame::HEADER_LENGTH as usize];
    let length = file.metadata().map_err(|error| doing("reading", path, &error))?.len();
    if length < frame::HEADER_LENGTH {
        // New, or its making was interrupted: nothing was ever acknowledged out of it.
        file.write_all_at(&frame::header(), 0)
            .and_then(|()| file.sync_all())
            .map_err(|error| doing("making", path, &error))?;
        sync_directory_of(path)?;
        return Ok(file);
    }
    file.read_exact_at(&mut found, 0).map_err(|error| doing("reading", path, &error))?;
    if found != frame::header() {
        return Err(OpenError::NotALedger(path.to_path_buf()));
    }
    Ok(file)
}

/// What `attempt` gives; nothing where it fails, or where sled panics over a damaged file.
fn unharmed<T>(attempt: impl FnOnce() -> Result<Option<T>, StoreError>) -> Option<T> {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(attempt));
    match outcome {
        Ok(Ok(found)) => return found,
        Ok(Err(error)) => tracing::warn!(%error, "the index cannot be used and is made anew"),
        Err(_) => tracing::warn!("sled panicked over the index, which is made anew"),
    }
    None
}

/// Index and CRL entries before the first commit.
fn anew(
    data: &Path,
    limits: Limits,
    length: u64,
) -> Result<(Index, RevokedScopes, Position), StoreError> {
    let index_path = data.join("index");
    match std::fs::remove_dir_all(&index_path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(doing("removing", &index_path, &error));
        }
        _ => {}
    }
    if length > frame::HEADER_LENGTH {
        tracing::info!("the index is made anew from the ledger");
    }
    let index = Index::open(&index_path, limits)?;
    Ok((index, RevokedScopes::create(data)?, Position::start()))
}

/// Index and CRL entries as the last process left them, and the commit they end with.
fn known(
    data: &Path,
    reader: &Reader,
    limits: Limits,
    length: u64,
) -> Result<Option<(Index, RevokedScopes, Position)>, StoreError> {
    let index_path = data.join("index");
    if !index_path.exists() {
        return Ok(None);
    }
    let index = Index::open(&index_path, limits)?;
    let Some(watermark) = index.watermark()? else { return Ok(None) };
    let from = match watermark {
        0 => Position::start(),
        offset if offset >= length => return Ok(None),
        offset => match reader.item(offset)? {
            Item::Marker(marker, end) => Position::after(&marker, offset, end),
            Item::Entry(_) => return Ok(None),
        },
    };
    let revoked = RevokedScopes::open(data, &index.noted_places()?)?;
    Ok(revoked.map(|revoked| (index, revoked, from)))
}

/// Cuts an unfinished commit off, after keeping it aside.
fn cut(data: &Path, ledger: &File, end: u64, length: u64) -> Result<(), StoreError> {
    let kept = data.join(format!("ledger.cut-{end}"));
    tracing::warn!(
        octets = length - end,
        kept = %kept.display(),
        "an unfinished commit was cut off the ledger's end"
    );
    let copied = (|| {
        let mut out = File::create(&kept)?;
        let mut at = end;
        let mut buffer = vec![0; 1 << 16];
        while at < length {
            let had = ledger.read_at(&mut buffer, at)?;
            if had == 0 {
                break;
            }
            std::io::Write::write_all(&mut out, &buffer[..had])?;
            at += had as u64;
        }
        out.sync_all()
    })();
    copied.map_err(|error| doing("keeping", &kept, &error))?;
    ledger.set_len(end).map_err(|error| doing("cutting", data, &error))
}

/// Makes durable what the last process may have written without a sync: it is seen from now on.
fn settle(reader: &Reader, ledger: &File, end: &Position) -> Result<(), StoreError> {
    if end.marker > 0
        && let Item::Marker(marker, marker_end) = reader.item(end.marker)?
        && marker_end == end.offset
    {
        rewrite_last_commit(ledger, end, marker.first)?;
    }
    Ok(ledger.sync_all()?)
}

pub(super) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
