//! The data directory: its layout, its lock against a second process, and durable small files.
//!
//! ```text
//! <data>/lock            held by the running process
//! <data>/ledger          the truth
//! <data>/ledger.cut-<n>  bytes cut off its end after a power cut, kept for a look
//! <data>/reserve         space set aside for revocations on a full disk
//! <data>/state           how the last process ended
//! <data>/index/          sled: derived, may be deleted
//! <data>/revoked/        encoded CRL entries: derived, may be deleted
//! <data>/ocsp/           OCSP answers: derived, may be deleted
//! <data>/publish/        what stands at the publication points
//! ```

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::StoreError;

/// A data directory that this process has to itself until the value is dropped.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    _lock: File,
}

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileMode {
    /// 0600: the owner alone.
    Private,
    /// 0644: everybody.
    Public,
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirectoryError {
    /// Another process holds the lock.
    #[error(
        "{0} is in use by another chancery process: stop it first, or choose another directory with --data"
    )]
    InUse(PathBuf),
    /// The operating system refused something.
    #[error(transparent)]
    Io(#[from] StoreError),
}

/// How often the lock is tried again, and after which pause: a second in all.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

impl DataDirectory {
    /// Makes the directory (0700) where it is missing, and locks it.
    pub fn open(path: &Path) -> Result<Self, DataDirectoryError> {
        make_directory(path)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(|error| doing("opening", &path.join("lock"), &error))?;
        // A child that another thread of this process is just starting holds a copy of the last
        // lock until it has become its own program: that is over in a moment.
        let mut patience = LOCK_TRIES;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { path: path.to_path_buf(), _lock: lock }),
                Err(std::fs::TryLockError::WouldBlock) if patience == 0 => {
                    return Err(DataDirectoryError::InUse(path.to_path_buf()));
                }
                Err(std::fs::TryLockError::WouldBlock) => patience -= 1,
                Err(std::fs::TryLockError::Error(error)) => {
                    return Err(doing("locking", &path.join("lock"), &error).into());
                }
            }
            std::thread::sleep(LOCK_PAUSE);
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes a directory that only the owner may enter, with its parents; one that is there stays.
pub fn make_directory(path: &Path) -> Result<(), StoreError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| doing("making the directory", path, &error))
}

/// Writes a small file so that after a crash either the old or the new content is there, whole:
/// temporary file, fsync, rename, fsync of the directory.
pub fn write_durably(path: &Path, bytes: &[u8], mode: FileMode) -> Result<(), StoreError> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    let bits = match mode {
        FileMode::Private => 0o600,
        FileMode::Public => 0o644,
    };
    let written = (|| {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(bits)
            .open(&temporary)?;
        // The umask, or an older file's mode, does not decide who reads a key.
        file.set_permissions(std::fs::Permissions::from_mode(bits))?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    })();
    written.map_err(|error| doing("writing", path, &error))?;
    sync_directory_of(path)
}

/// Makes the name of `path` durable: an fsync of the directory that holds it.
pub fn sync_directory_of(path: &Path) -> Result<(), StoreError> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(parent)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| doing("syncing the directory", parent, &error))
}

/// An I/O error with what was being done.
pub(crate) fn doing(what: &str, path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Io { doing: format!("{what} {}", path.display()), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_process_is_told_what_to_do() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("data");
        let first = DataDirectory::open(&path).unwrap();
        // The lock belongs to the open file, so a second opening in this process meets it too.
        let error = DataDirectory::open(&path).unwrap_err();
        assert!(error.to_string().contains("--data"), "{error}");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        drop(first);
        DataDirectory::open(&path).unwrap();
    }

    #[test]
    fn durable_files_have_their_mode_and_replace_whole() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("admin.token");
        write_durably(&path, b"a longer first content", FileMode::Public).unwrap();
        write_durably(&path, b"second", FileMode::Private).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
    }
}
