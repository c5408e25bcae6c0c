//! Copies of what is published, in a directory from which somebody else serves it: IIS, nginx, or
//! what uploads to object storage.
//!
//! A copy takes the place of the one before by a rename, so that whoever reads meets one of them,
//! whole. Absent: what is copied and when, which is the authority's. The directory itself is not made:
//! where it is missing, a volume may be, and nobody would look where it is not.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::StoreError;
use super::datadir::{doing, sync_directory_of};
use crate::pki::time::Timestamp;

/// Where copies are put.
pub trait CopyStore: Send + Sync {
    /// The copy of this name (relative, with slashes), if there is one.
    fn copy(&self, name: &str) -> Result<Option<File>, StoreError>;

    /// Puts a copy in the place of the one before, durably. After an error either is there.
    fn put(
        &self,
        name: &str,
        content: &mut dyn Read,
        modified: Timestamp,
    ) -> Result<(), StoreError>;
}

/// A directory that is there already.
#[derive(Debug)]
pub struct CopyDirectory(PathBuf);

impl CopyDirectory {
    /// In this directory.
    pub fn new(directory: &Path) -> Self {
        Self(directory.to_owned())
    }

    fn made_folder_of(&self, path: &Path) -> io::Result<()> {
        // Asked first: what is below is made, the directory itself is not.
        if !self.0.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the directory is not there"));
        }
        let folder = path.parent().unwrap_or(&self.0);
        std::fs::DirBuilder::new().recursive(true).mode(0o755).create(folder)
    }
}

impl CopyStore for CopyDirectory {
    fn copy(&self, name: &str) -> Result<Option<File>, StoreError> {
        let path = self.0.join(name);
        match File::open(&path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(doing("opening", &path, &error)),
        }
    }

    fn put(
        &self,
        name: &str,
        content: &mut dyn Read,
        modified: Timestamp,
    ) -> Result<(), StoreError> {
        let path = self.0.join(name);
        let next = next_to(&path);
        let written = (|| {
            self.made_folder_of(&path)?;
            let mut file = OpenOptions::new()
                .create(true)
                .truncate(true)
                .write(true)
                .mode(0o644)
                .open(&next)?;
            // The web server is another user, whatever the umask of this one is.
            file.set_permissions(Permissions::from_mode(0o644))?;
            io::copy(content, &mut file)?;
            file.flush()?;
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(modified.seconds());
            file.set_modified(time)?;
            file.sync_all()?;
            std::fs::rename(&next, &path)
        })();
        if let Err(error) = written {
            // It would only fill a disk that may be full. That it cannot be removed changes nothing.
            let _ = std::fs::remove_file(&next);
            return Err(doing("writing", &path, &error));
        }
        sync_directory_of(&path)
    }
}

/// Hidden, so that what uploads a directory passes it over.
fn next_to(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.next"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn put(copies: &CopyDirectory, octets: &[u8]) -> Result<(), StoreError> {
        let mut content = octets;
        copies.put("crl/ca.crl", &mut content, Timestamp::from_seconds(1_700_000_000))
    }

    #[test]
    fn everybody_may_read_a_copy_and_nothing_else_is_left() {
        let home = tempfile::tempdir().unwrap();
        let copies = CopyDirectory::new(home.path());
        put(&copies, b"a longer first").unwrap();
        put(&copies, b"second").unwrap();
        let path = home.path().join("crl/ca.crl");
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        let data = std::fs::metadata(&path).unwrap();
        assert_eq!((data.mode() & 0o777, data.mtime()), (0o644, 1_700_000_000));
        assert_eq!(std::fs::metadata(home.path().join("crl")).unwrap().mode() & 0o777, 0o755);
        assert_eq!(std::fs::read_dir(home.path().join("crl")).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_that_is_gone_is_not_made() {
        let home = tempfile::tempdir().unwrap();
        let gone = home.path().join("gone");
        let told = put(&CopyDirectory::new(&gone), b"x").unwrap_err().to_string();
        assert!(told.contains("is not there"), "{told}");
        assert!(!gone.exists());
    }

    /// As a web server does, again and again, by name.
    #[test]
    fn whoever_reads_meanwhile_meets_one_of_them_whole() {
        let home = tempfile::tempdir().unwrap();
        let copies = CopyDirectory::new(home.path());
        let contents: Vec<Vec<u8>> =
            (1u8..=3).map(|one| vec![one; usize::from(one) * 70_000]).collect();
        put(&copies, &contents[0]).unwrap();
        let path = home.path().join("crl/ca.crl");
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut reads = 0;
                while !done.load(Ordering::SeqCst) || reads == 0 {
                    let read = std::fs::read(&path).unwrap();
                    assert!(contents.contains(&read), "{} octets", read.len());
                    reads += 1;
                }
            });
            for content in contents.iter().cycle().take(60) {
                put(&copies, content).unwrap();
            }
            done.store(true, Ordering::SeqCst);
            reader.join().unwrap();
        });
    }
}
