//! The publication directory: the CRL that stands at its publication point, and the next one
//! while it is being made.
//!
//! ```text
//! <directory>/<slug>.crl        what is served; replaced by a rename, never written into
//! <directory>/<slug>.crl.next   the next one; its blocks are set aside beforehand, so that a
//!                               full disk can still renew
//! ```
//! Absent: what a CRL is, and who fetches it. Begin with [`PublicationStore`].

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use rustix::fs::FallocateFlags;

use super::StoreError;
use crate::pki::time::Timestamp;

/// Where a CRL is published.
pub trait PublicationStore: Send + Sync {
    /// The CRL that is published, if one is. It stays readable when another takes its place.
    fn published(&self) -> Result<Option<File>, StoreError>;

    /// Begins the next one, over whatever an earlier attempt left. Nobody else sees it yet.
    fn begin(&self) -> Result<Box<dyn PendingFile>, StoreError>;
}

/// The next CRL while it is being written.
pub trait PendingFile: Send {
    /// Writes at an offset.
    fn write_at(&mut self, octets: &[u8], offset: u64) -> Result<(), StoreError>;

    /// Waits until what was written so far is on the disk.
    fn sync_so_far(&mut self) -> Result<(), StoreError>;

    /// Another handle, to read back what was written.
    fn reader(&self) -> Result<File, StoreError>;

    /// Cuts it to `length` octets, gives it the time `modified` and makes it durable.
    fn seal(&mut self, length: u64, modified: Timestamp) -> Result<(), StoreError>;

    /// Puts it, sealed, in the place of the published one, durably. After an error it is unknown
    /// which of the two stands there.
    fn publish(self: Box<Self>) -> Result<(), StoreError>;
}

/// A directory of the file system.
#[derive(Debug)]
pub struct PublicationDirectory {
    directory: PathBuf,
    published: PathBuf,
    next: PathBuf,
}

struct Next {
    file: File,
    directory: PathBuf,
    next: PathBuf,
    published: PathBuf,
    /// Octets written since a sync was begun.
    unsynced: u64,
    syncing: Option<JoinHandle<io::Result<()>>>,
}

/// What is written goes to the disk in pieces of this size as it comes: whoever syncs the ledger
/// meanwhile waits for one of them, not for a whole list.
const SYNCED_TOGETHER: u64 = 1024 * 1024;

/// Set aside for the next CRL beyond the size of the last: some thousand entries.
const HEADROOM: u64 = 256 * 1024;

impl PublicationDirectory {
    /// Makes the directory where it is missing, and sets space aside for the next CRL.
    pub fn open(directory: &Path, slug: &str) -> Result<Self, StoreError> {
        let making = std::fs::DirBuilder::new().recursive(true).mode(0o755).create(directory);
        making.map_err(|error| doing("making the directory", directory, &error))?;
        let opened = Self {
            directory: directory.to_path_buf(),
            published: directory.join(format!("{slug}.crl")),
            next: directory.join(format!("{slug}.crl.next")),
        };
        let size = match opened.published()? {
            Some(file) => file.metadata().map_or(0, |data| data.len()),
            None => 0,
        };
        if let Ok(next) = opened.open_next() {
            set_aside(&next, size);
        }
        Ok(opened)
    }

    fn open_next(&self) -> Result<File, StoreError> {
        open_next(&self.next).map_err(|error| doing("opening", &self.next, &error))
    }
}

impl PublicationStore for PublicationDirectory {
    fn published(&self) -> Result<Option<File>, StoreError> {
        match File::open(&self.published) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(doing("opening", &self.published, &error)),
        }
    }

    fn begin(&self) -> Result<Box<dyn PendingFile>, StoreError> {
        Ok(Box::new(Next {
            file: self.open_next()?,
            directory: self.directory.clone(),
            next: self.next.clone(),
            published: self.published.clone(),
            unsynced: 0,
            syncing: None,
        }))
    }
}

impl PendingFile for Next {
    fn write_at(&mut self, octets: &[u8], offset: u64) -> Result<(), StoreError> {
        let written = self.file.write_all_at(octets, offset);
        written.map_err(|error| doing("writing", &self.next, &error))?;
        self.unsynced += octets.len() as u64;
        let under_way = self.syncing.as_ref().is_some_and(|syncing| !syncing.is_finished());
        if self.unsynced < SYNCED_TOGETHER || under_way {
            return Ok(());
        }
        self.sync_beside().map_err(|error| doing("syncing", &self.next, &error))
    }

    fn sync_so_far(&mut self) -> Result<(), StoreError> {
        let synced = self.synced().and_then(|()| self.file.sync_data());
        self.unsynced = 0;
        synced.map_err(|error| doing("syncing", &self.next, &error))
    }

    fn reader(&self) -> Result<File, StoreError> {
        File::open(&self.next).map_err(|error| doing("opening", &self.next, &error))
    }

    fn seal(&mut self, length: u64, modified: Timestamp) -> Result<(), StoreError> {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(modified.seconds());
        let sealed = self
            .synced()
            .and_then(|()| self.file.set_len(length))
            .and_then(|()| self.file.set_modified(time))
            .and_then(|()| self.file.sync_all());
        sealed.map_err(|error| doing("syncing", &self.next, &error))
    }

    fn publish(self: Box<Self>) -> Result<(), StoreError> {
        let renamed = std::fs::rename(&self.next, &self.published);
        renamed.map_err(|error| doing("renaming", &self.next, &error))?;
        let synced = File::open(&self.directory).and_then(|directory| directory.sync_all());
        synced.map_err(|error| doing("syncing the directory", &self.directory, &error))?;
        // Space for the one after: the old file's has just become free. Only a precaution.
        let size = self.file.metadata().map_or(0, |data| data.len());
        if let Ok(next) = open_next(&self.next) {
            set_aside(&next, size);
        }
        Ok(())
    }
}

impl Next {
    /// Begins a sync of what was written so far, and does not wait for it.
    fn sync_beside(&mut self) -> io::Result<()> {
        self.synced()?;
        let file = self.file.try_clone()?;
        let thread = std::thread::Builder::new().name("crl-sync".to_owned());
        self.syncing = Some(thread.spawn(move || file.sync_data())?);
        self.unsynced = 0;
        Ok(())
    }

    /// Waits for the sync that was begun. That it failed is told to one caller alone: here.
    fn synced(&mut self) -> io::Result<()> {
        match self.syncing.take().map(JoinHandle::join) {
            Some(Ok(synced)) => synced,
            Some(Err(_)) => Err(io::Error::other("the syncing thread ended early")),
            None => Ok(()),
        }
    }
}

/// Not truncated: that would give the blocks back.
fn open_next(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o644).open(path)
}

/// Blocks beyond the end of the file, where the file system can do that.
fn set_aside(next: &File, size: u64) {
    let octets = size + size / 8 + HEADROOM;
    if let Err(error) = rustix::fs::fallocate(next, FallocateFlags::KEEP_SIZE, 0, octets) {
        tracing::debug!(%error, "no space set aside for the next CRL");
    }
}

fn doing(what: &str, path: &Path, error: &io::Error) -> StoreError {
    StoreError::Io { doing: format!("{what} {}", path.display()), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::fs::MetadataExt;

    fn read(store: &PublicationDirectory) -> Option<Vec<u8>> {
        let mut octets = Vec::new();
        store.published().unwrap()?.read_to_end(&mut octets).unwrap();
        Some(octets)
    }

    #[test]
    fn replaces_whole_and_leaves_readers_alone() {
        let home = tempfile::tempdir().unwrap();
        let store = PublicationDirectory::open(&home.path().join("publish"), "ca").unwrap();
        assert_eq!(read(&store), None);
        let mut long = store.begin().unwrap();
        long.write_at(b"a longer one", 0).unwrap();
        drop(long); // an attempt that came to nothing
        let mut pending = store.begin().unwrap();
        pending.write_at(b"rst", 2).unwrap();
        pending.write_at(b"fi", 0).unwrap();
        assert_eq!(read(&store), None);
        pending.seal(5, Timestamp::from_seconds(1_700_000_000)).unwrap();
        pending.publish().unwrap();
        let mut old = store.published().unwrap().unwrap();
        assert_eq!(old.metadata().unwrap().mtime(), 1_700_000_000);

        let mut pending = store.begin().unwrap();
        pending.write_at(b"second", 0).unwrap();
        pending.seal(6, Timestamp::from_seconds(1_700_000_001)).unwrap();
        pending.publish().unwrap();
        assert_eq!(read(&store).unwrap(), b"second");
        let mut octets = Vec::new();
        old.read_to_end(&mut octets).unwrap();
        assert_eq!(octets, b"first");
    }

    #[test]
    fn a_long_one_is_whole_although_it_is_synced_in_pieces() {
        let home = tempfile::tempdir().unwrap();
        let store = PublicationDirectory::open(home.path(), "ca").unwrap();
        let mut pending = store.begin().unwrap();
        let piece = |number: u8| vec![number; SYNCED_TOGETHER as usize / 2];
        let mut whole = Vec::new();
        for number in 0..9 {
            pending.write_at(&piece(number), whole.len() as u64).unwrap();
            whole.extend(piece(number));
            if number % 4 == 0 {
                pending.sync_so_far().unwrap();
            }
        }
        pending.seal(whole.len() as u64, Timestamp::from_seconds(1_700_000_000)).unwrap();
        pending.publish().unwrap();
        assert_eq!(read(&store).unwrap(), whole);
    }

    #[test]
    fn the_next_one_has_its_blocks_already() {
        let home = tempfile::tempdir().unwrap();
        let store = PublicationDirectory::open(home.path(), "ca").unwrap();
        let next = store.open_next().unwrap().metadata().unwrap();
        assert_eq!(next.len(), 0);
        assert!(next.blocks() * 512 >= HEADROOM, "{} blocks", next.blocks());
    }
}
