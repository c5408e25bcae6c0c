//! `chancery publish-crl`: the CRL of a CA that nobody serves, to be carried to whoever does.

use std::sync::Arc;

use super::Offline;
use super::arguments::PublishCrl;
use crate::ca::publish::{PublicationPoint, Publisher, Schedule};
use crate::cli::failure::{Failure, at};
use crate::cli::settings::Settings;
use crate::cli::surroundings::{now, say};
use crate::pki::revocation_list::CrlScope;
use crate::storage::datadir::{FileMode, write_durably};
use crate::storage::publication::{PublicationDirectory, PublicationStore};

/// How much of a CRL's life is left when the next one is due, where the settings do not say: a
/// tenth, but time enough to fetch a root out of its safe.
const LONGEST_OVERLAP_SECONDS: u64 = 14 * 86_400;
const SHORTEST_OVERLAP_SECONDS: u64 = 900;

/// Makes a complete CRL under the laws that hold for every one (on record first, number and time
/// never backward, nobody dropped), leaves it at its publication point and copies it to `--out`.
pub fn publish_crl(arguments: &PublishCrl, settings: &Settings) -> Result<(), Failure> {
    let offline = Offline::open(settings)?;
    let schedule = schedule(arguments.validity, settings);
    let (issuer, slug) = (offline.authority.issuer(), &offline.established.slug);
    let name = CrlScope::of_key(issuer.key_index()).file_name(slug);
    let store: Arc<dyn PublicationStore> =
        Arc::new(PublicationDirectory::open(&offline.home.publish(), &name)?);
    let (point, outcome) = PublicationPoint::open(issuer, slug, store.as_ref(), schedule);
    if let Err(error) = outcome {
        say(&format!("Warning: the CRL that was made last cannot be read: {error}."));
    }
    let point = Arc::new(point);
    let publisher = Publisher::new(&offline.authority, store, point, schedule);
    let published = publisher.publish_once(now())?;
    let mut path = offline.home.publish().join(format!("{name}.crl"));
    if let Some(out) = &arguments.out {
        let octets = std::fs::read(&path).map_err(at(&path))?;
        write_durably(out, &octets, FileMode::Public)?;
        path = out.clone();
    }
    say(&format!(
        "CRL {} of {}: {} entries, from {} to {}.",
        published.number,
        issuer.name(),
        published.entries,
        published.this_update,
        published.next_update
    ));
    say(&format!("The next one is due {}.", published.next_publish));
    say(&format!("It is {}.", path.display()));
    say("On each machine that serves it: chancery install-crl FILE.");
    offline.close()
}

/// `validity` is how long the CRL holds in all; the settings otherwise say when the next one is
/// due, and for how long the CRL holds after that.
fn schedule(validity: Option<u64>, settings: &Settings) -> Schedule {
    let Some(validity) = validity else {
        let period = settings.crl_period_seconds;
        return match settings.crl_overlap_seconds {
            Some(overlap) => Schedule::with_overlap(period, overlap),
            None => Schedule::every(period),
        };
    };
    let tenth = (validity / 10).clamp(SHORTEST_OVERLAP_SECONDS, LONGEST_OVERLAP_SECONDS);
    let overlap = settings.crl_overlap_seconds.unwrap_or(tenth).min(validity / 2);
    Schedule::with_overlap(validity - overlap, overlap)
}
