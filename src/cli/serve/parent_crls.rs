//! Parents' CRLs that `chancery install-crl` hands to a running service, which has the data
//! directory to itself.
//!
//! The wish is a file with the CRL; the service writes the answer beside it and takes the wish away.
//! Whoever can write into the directory could read the CA's key as well, so this gives nobody
//! anything.

use std::path::{Path, PathBuf};

use crate::ca::Authority;
use crate::ca::operator::OPERATOR;
use crate::ca::parents::MOST_OCTETS;
use crate::cli::failure::{Failure, at};
use crate::cli::home::Home;
use crate::cli::parents::told;
use crate::cli::surroundings::now;
use crate::storage::datadir::{FileMode, write_durably};

/// What the name of a wish begins with; the wishing process's number follows.
const WISH: &str = "install-crl-";
/// And what it ends with.
const WANTED: &str = ".wanted";
/// What the answer's ends with.
const ANSWERED: &str = ".answer";

/// A CRL that the running service shall take.
pub(in crate::cli) struct Wish(PathBuf);

/// What the service says.
pub(in crate::cli) enum Answered {
    /// It is served from now on, with what is to be told.
    Taken(String),
    /// It is not, and why.
    NotTaken(String),
}

impl Wish {
    /// Leaves it in the data directory.
    pub(in crate::cli) fn leave(home: &Home, crl: &[u8]) -> Result<Self, Failure> {
        let name = format!("{WISH}{}{WANTED}", std::process::id());
        let wish = Self(home.path().join(name));
        match std::fs::remove_file(wish.answered()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(at(&wish.answered())(error));
            }
            _ => {}
        }
        write_durably(&wish.0, crl, FileMode::Private)?;
        Ok(wish)
    }

    pub(in crate::cli) fn path(&self) -> &Path {
        &self.0
    }

    fn answered(&self) -> PathBuf {
        self.0.with_extension(ANSWERED.trim_start_matches('.'))
    }

    /// Takes the answer away, once it is there.
    pub(in crate::cli) fn answer(&self) -> Result<Option<Answered>, Failure> {
        if self.0.exists() {
            return Ok(None);
        }
        let path = self.answered();
        let text = std::fs::read_to_string(&path).map_err(at(&path))?;
        std::fs::remove_file(&path).map_err(at(&path))?;
        Ok(Some(match text.split_once('\n') {
            Some(("taken", told)) => Answered::Taken(told.to_owned()),
            Some((_, why)) => Answered::NotTaken(why.to_owned()),
            None => Answered::NotTaken(text),
        }))
    }
}

/// Answers what is wished for.
pub(super) fn grant(authority: &Authority, home: &Home) {
    let Ok(entries) = std::fs::read_dir(home.path()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(WISH)
            && name.ends_with(WANTED)
            && let Err(error) = answer(authority, &Wish(entry.path()))
        {
            tracing::error!(%error, "a CRL that was handed over could not be answered for");
        }
    }
}

fn answer(authority: &Authority, wish: &Wish) -> Result<(), Failure> {
    let length = std::fs::metadata(&wish.0).map_err(at(&wish.0))?.len();
    let answer = if length > MOST_OCTETS as u64 {
        format!("refused\nlarger than {MOST_OCTETS} octets")
    } else {
        let crl = std::fs::read(&wish.0).map_err(at(&wish.0))?;
        match authority.take_parent_crl(Some(OPERATOR), crl, now()) {
            Ok(installed) => {
                let issuer = &installed.issuer;
                tracing::info!(issuer, "a parent's CRL was installed by the operator");
                format!("taken\n{}", told(&installed))
            }
            Err(why) => format!("refused\n{why}"),
        }
    };
    write_durably(&wish.answered(), answer.as_bytes(), FileMode::Private)?;
    // Taken away whatever became of it: it is not tried again every second.
    std::fs::remove_file(&wish.0).map_err(at(&wish.0))
}
