//! `chancery publish-crl`: the CRLs of a CA that nobody serves, to be carried to whoever does.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Offline;
use super::arguments::PublishCrl;
use crate::ca::publish::Schedule;
use crate::cli::failure::{Failure, at};
use crate::cli::home::Home;
use crate::cli::settings::Settings;
use crate::cli::surroundings::{now, say};
use crate::storage::datadir::{FileMode, write_durably};

/// How much of a CRL's life is left when the next one is due, where the settings do not say: a
/// tenth, but time enough to fetch a root out of its safe.
const LONGEST_OVERLAP_SECONDS: u64 = 14 * 86_400;
const SHORTEST_OVERLAP_SECONDS: u64 = 900;

/// Makes a CRL of every key that has not signed its last, and of every partition, under the laws that
/// hold for each (on record first, number and time never backward, nobody dropped), leaves them at
/// their publication points and copies them to `--out`: that of the present key to the file itself,
/// others beside it.
pub fn publish_crl(arguments: &PublishCrl, settings: &Settings) -> Result<(), Failure> {
    let schedule = schedule(arguments.validity, settings);
    if let Some(out) = &arguments.out {
        must_be_elsewhere(out, &Home::new(&settings.data).publish())?;
    }
    let Offline { register, home, established, authority, publications } =
        Offline::open_with(settings, schedule)?;
    let point = Arc::new(publications.taken_up(&established.slug));
    let publishers = publications.publishers(&authority, &point);
    let present = publishers.present().scope();
    let mut failed = None;
    for publisher in publishers.all() {
        let file = publisher.file_name();
        let published = match publisher.publish_once(now()) {
            Ok(published) => published,
            Err(error) => {
                // A key that is gone keeps no other CRL from being made.
                say(&format!("Warning: no new {file}: {error}."));
                failed = failed.or((publisher.scope().key == present.key).then_some(error));
                continue;
            }
        };
        let mut path = home.publish().join(&file);
        let copy = match &arguments.out {
            Some(out) if publisher.scope() == present => Some(out.clone()),
            Some(out) => beside(out, &file),
            None => None,
        };
        if let Some(copy) = copy {
            let octets = std::fs::read(&path).map_err(at(&path))?;
            write_durably(&copy, &octets, FileMode::Public)?;
            path = copy;
        }
        say(&format!(
            "CRL {} of {}: {} entries, from {} to {}.",
            published.number,
            authority.issuer().name(),
            published.entries,
            published.this_update,
            published.next_update
        ));
        say(&format!("It is {}; the next one is due {}.", path.display(), published.next_publish));
    }
    if let Some(error) = failed {
        return Err(error.into());
    }
    say("On each machine that serves it: chancery install-crl FILE.");
    Ok(register.close()?)
}

/// Refuses a copy in the place of what is published: of another list, perhaps.
fn must_be_elsewhere(out: &Path, published: &Path) -> Result<(), Failure> {
    let folder = match out.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    match (folder.canonicalize(), published.canonicalize()) {
        (Ok(folder), Ok(published)) if folder == published => {
            Err(Failure::AmongPublished(out.to_owned()))
        }
        _ => Ok(()),
    }
}

/// Where the copy of another list goes; nowhere where it would take the place of the first.
fn beside(out: &Path, file: &str) -> Option<PathBuf> {
    let path = out.with_file_name(file);
    (path != out).then_some(path)
}

/// `validity` is how long the CRL holds in all; the settings otherwise say when the next one is
/// due, and for how long the CRL holds after that.
fn schedule(validity: Option<u64>, settings: &Settings) -> Schedule {
    let Some(validity) = validity else { return settings.crl_schedule() };
    let tenth = (validity / 10).clamp(SHORTEST_OVERLAP_SECONDS, LONGEST_OVERLAP_SECONDS);
    let overlap = settings.crl_overlap_seconds.unwrap_or(tenth).min(validity / 2);
    Schedule::with_overlap(validity - overlap, overlap)
}
