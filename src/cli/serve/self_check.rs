//! The service looks at itself from time to time: what it fetches may be slow, and nobody waits for
//! it.

use std::sync::Arc;

use super::pacing::Pacing;
use crate::cli::surroundings::now;
use crate::http::api::Api;
use crate::http::doctor::self_check::SelfCheck;
use crate::pki::time::Timestamp;

/// Looks now and then every `seconds`; never, if there are none.
pub(super) fn start(api: &Arc<Api>, seconds: Option<u64>) -> std::io::Result<Pacing> {
    let (api, mut late_before) = (Arc::clone(api), Vec::new());
    Pacing::start("self-check", seconds, move || look(&api, &mut late_before))
}

/// What was late at a look, each after its rule.
type Late = Vec<(&'static str, String)>;

fn look(api: &Api, late_before: &mut Late) {
    let found = SelfCheck::of(&api.authority, api.fetching.begin().as_ref(), now());
    // What it did not find may have stopped before the look was over.
    if api.is_draining() {
        return;
    }
    tell(api, &found);
    let late = lateness(api, found.at);
    let faults = [found.faults.clone(), lasting(&late, late_before)].concat();
    *late_before = late;
    if let Err(error) = api.authority.note_self_check(&faults, &found.warnings, found.at) {
        tracing::error!(%error, "what the look at itself found is not on record");
    }
    api.self_check.store(Some(Arc::new(found)));
}

/// What `/readyz` says of CRL, delta and OCSP answers that are not renewed, each after its rule.
fn lateness(api: &Api, now: Timestamp) -> Late {
    let ocsp = api.publisher.ocsp(now).and_then(|figures| figures.trouble);
    let found = [("publication-late", api.publisher.trouble(now)), ("ocsp-answers-late", ocsp)];
    found.into_iter().filter_map(|(rule, why)| Some((rule, why?))).collect()
}

/// Of that, what was so at the last look already: a round of answers under way alarms nobody.
fn lasting(found: &[(&'static str, String)], before: &[(&'static str, String)]) -> Vec<String> {
    let was_so = |rule: &str| before.iter().any(|(own, _)| *own == rule);
    let lasting = found.iter().filter(|(rule, _)| was_so(rule));
    lasting.map(|(rule, why)| format!("{rule}: {why}.")).collect()
}

/// Logs what was not so the last time.
fn tell(api: &Api, found: &SelfCheck) {
    let before = api.self_check.load_full();
    let known = |told: &String| {
        before.as_ref().is_some_and(|own| own.faults.contains(told) || own.warnings.contains(told))
    };
    for told in found.faults.iter().filter(|told| !known(told)) {
        tracing::error!("relying parties will refuse: {told}");
    }
    for told in found.warnings.iter().filter(|told| !known(told)) {
        tracing::warn!("relying parties may refuse: {told}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ca::publish::{PublicationPoint, Publisher, Publishers, Schedule};
    use crate::cli::serve::certificate::tests::founded;
    use crate::storage::Register as _;
    use crate::storage::open::{Options, open};
    use crate::storage::publication::PublicationDirectory;

    /// Its publication is still being made, or has stopped already: nobody can tell from outside.
    #[test]
    fn a_service_that_stops_finds_nothing_at_itself() {
        let folder = tempfile::tempdir().unwrap();
        let register = open(Options::new(folder.path().join("data"))).unwrap();
        let authority = Arc::new(founded(&register, now()));
        let store = Arc::new(PublicationDirectory::open(folder.path(), "ca").unwrap());
        let (issuer, schedule) = (authority.issuer(), Schedule::default());
        let (point, _) = PublicationPoint::open(issuer, "ca", &*store, schedule);
        let publisher = Publisher::new(&authority, store, Arc::new(point), schedule);
        let publishers = Arc::new(Publishers::new(Arc::new(publisher)));
        let api = Api::new(authority, publishers, Arc::new(now), 1).unwrap();
        let found = || register.self_check().unwrap();

        api.drain();
        let mut late = Vec::new();
        (0..2).for_each(|_| look(&api, &mut late));
        assert_eq!(found(), None);
        assert!(api.self_check.load().is_none());

        let authority = Arc::clone(&api.authority);
        let api = Api::new(authority, Arc::clone(&api.publisher), Arc::new(now), 1).unwrap();
        (0..2).for_each(|_| look(&api, &mut late));
        let faults = found().unwrap().faults;
        assert!(faults.iter().any(|told| told.starts_with("publication-late")), "{faults:?}");
    }

    #[test]
    fn what_is_late_once_alarms_nobody_and_twice_it_does() {
        let late = |rule: &'static str, why: &str| (rule, why.to_owned());
        let first = [late("ocsp-answers-late", "OCSP answers are still being made")];
        assert!(lasting(&first, &[]).is_empty());
        let then = [
            late("publication-late", "the disk is full"),
            late("ocsp-answers-late", "the OCSP answers of noon were to be renewed by now"),
        ];
        let told = lasting(&then, &first);
        assert_eq!(
            told,
            ["ocsp-answers-late: the OCSP answers of noon were to be renewed by now."]
        );
        assert_eq!(lasting(&then, &then).len(), 2);
        assert!(lasting(&[], &then).is_empty(), "all is well again");
    }
}
