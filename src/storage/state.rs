//! How the last process ended: what may be believed of the derived files.
//!
//! sled and the entries' files are written without a sync, so they are right only while the page
//! cache they were written to lives. That is the case
//! - after a clean stop: everything was synced, then this file said so;
//! - after a kill in the same boot **and** on the same mount. A file system that loses its cache
//!   by itself (its device vanished, its virtual disk was cut) has to be mounted again, and the
//!   kernel never gives the number of a mount twice in one boot (`STATX_MNT_ID_UNIQUE`, since
//!   Linux 6.8). Where the kernel does not tell it, a kill counts as a power cut.
//!
//! In all other cases they are made anew from the ledger.

use std::path::Path;

use super::StoreError;
use super::datadir::{FileMode, doing, write_durably};
use super::ledger::recovery::LastStop;

/// What the state file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Set by a clean stop.
    pub clean: bool,
    /// Boot and mount it was written under; `None` where the system does not tell.
    pub cache: Option<String>,
    /// Length of the ledger when it was written.
    pub length: u64,
    /// Set once damage was seen.
    pub damaged: Option<String>,
}

const TITLE: &str = "chancery state 1";

impl State {
    /// Reads the file; a missing or unreadable one says nothing good.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(doing("reading", path, &error)),
        }
    }

    fn parse(text: &str) -> Self {
        let mut state = Self::default();
        let mut lines = text.lines();
        // The last line closes the file: half a file says nothing.
        if lines.next() != Some(TITLE) || lines.next_back() != Some("end") {
            return state;
        }
        for (word, rest) in lines.filter_map(|line| line.split_once(' ')) {
            match word {
                "stopped" => state.clean = rest == "cleanly",
                "cache" => state.cache = Some(rest.to_owned()),
                "length" => state.length = rest.parse().unwrap_or_default(),
                "damaged" => state.damaged = Some(rest.to_owned()),
                _ => {}
            }
        }
        state
    }

    /// Writes the file durably.
    pub fn write(&self, path: &Path) -> Result<(), StoreError> {
        let line = |word: &str, rest: &Option<String>| {
            rest.as_ref().map_or_else(String::new, |rest| format!("{word} {rest}\n"))
        };
        let text = format!(
            "{TITLE}\nstopped {}\n{}length {}\n{}end\n",
            if self.clean { "cleanly" } else { "not yet" },
            line("cache", &self.cache),
            self.length,
            line("damaged", &self.damaged.as_ref().map(|text| text.replace('\n', " "))),
        );
        write_durably(path, text.as_bytes(), FileMode::Private)
    }

    /// How the process ended that wrote it, seen from now.
    pub fn last_stop(&self, cache: Option<&str>) -> LastStop {
        if self.clean {
            LastStop::Clean
        } else if cache.is_some() && self.cache.as_deref() == cache {
            LastStop::Killed
        } else {
            LastStop::PowerLost
        }
    }
}

/// The page cache that `directory` lives in: boot and mount.
pub fn cache_of(directory: &Path) -> Option<String> {
    use rustix::fs::{AtFlags, CWD, StatxFlags};
    /// Since Linux 6.8.
    const MNT_ID_UNIQUE: u32 = 0x4000;
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let wanted = StatxFlags::from_bits_retain(MNT_ID_UNIQUE);
    let told = rustix::fs::statx(CWD, directory, AtFlags::empty(), wanted).ok()?;
    if told.stx_mask & MNT_ID_UNIQUE == 0 {
        return None;
    }
    Some(format!("{}/{}", boot.trim(), told.stx_mnt_id))
}
