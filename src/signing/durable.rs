//! Writing a small file so that a power cut leaves the old content or the new, never half.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Its owner only (0600): keys and tokens.
    Owner,
    /// Everybody (0644): certificates.
    Everybody,
}

impl Readers {
    fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Everybody => 0o644,
        }
    }
}

/// Replaces the file at `path`: written beside it, synced, renamed, and the directory synced.
/// The content is never readable for others, also not for a moment, when `readers` says so.
pub fn replace_file(path: &Path, content: &[u8], readers: Readers) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    // A left-over of an interrupted write may have been made with other permissions.
    match std::fs::remove_file(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(readers.mode()).open(beside)?;
    // The umask may have taken bits away that everybody needs.
    file.set_permissions(Permissions::from_mode(readers.mode()))?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(beside, path)?;
    File::open(directory)?.sync_all()
}
