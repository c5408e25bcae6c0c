//! Writing a key file so that only its owner can read it (0600), and so that a power cut leaves
//! the old content or the new, never half.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

const PRIVATE: u32 = 0o600;

/// Replaces the file at `path`: written beside it, synced, renamed, and the directory synced.
/// The content is never readable for others, also not for a moment.
pub fn replace_private_file(path: &Path, content: &[u8]) -> io::Result<()> {
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
    let mut file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(beside, path)?;
    File::open(directory)?.sync_all()
}
