//! Where delta CRLs are and how often there is a new one, as the settings have it.

use std::sync::Arc;

use crate::ca::publish::{DeltaUse, Schedule};
use crate::cli::failure::Failure;
use crate::cli::home::Home;
use crate::cli::settings::Settings;
use crate::storage::publication::{PublicationDirectory, PublicationStore};

/// What a delta CRL's name has behind that of the complete one.
pub(super) const DELTA: &str = "-delta";

/// What the publisher needs for delta CRLs.
pub(super) struct Deltas {
    pub(super) store: Arc<dyn PublicationStore>,
    pub(super) schedule: Schedule,
    pub(super) used: DeltaUse,
}

impl Deltas {
    /// `urls` is where deltas are to be found: beside the complete CRL, without AD CS's `+`, which
    /// IIS blocks. None where deltas are off and there never were any. Where they were turned off there may be
    /// CRLs with relying parties that say where deltas are: they run out.
    pub(super) fn of(
        home: &Home,
        settings: &Settings,
        slug: &str,
        complete: Schedule,
        urls: Vec<String>,
    ) -> Result<Option<Self>, Failure> {
        let name = format!("{slug}{DELTA}");
        let (period, used) = match settings.crl_delta_period_seconds {
            Some(period) => (period, DeltaUse::Announced(urls)),
            None if home.publish().join(format!("{name}.crl")).exists() => {
                (settings.crl_period_seconds, DeltaUse::RunningOut)
            }
            None => return Ok(None),
        };
        let schedule = match settings.crl_delta_overlap_seconds {
            Some(overlap) => Schedule::with_overlap(period, overlap),
            None => complete.delta_every(period),
        };
        let store = Arc::new(PublicationDirectory::open(&home.publish(), &name)?);
        Ok(Some(Self { store, schedule, used }))
    }
}
