//! When the register cannot be read at all: an unreadable record must not lock every VPN user
//! out. The stored CRL and the CA certificate are served on, the API says that nothing else is.

use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use tokio::sync::watch;

use super::certificate::private;
use super::deltas::DELTA;
use super::{Signals, from_std, system};
use crate::ca::establish::generations::Generations;
use crate::ca::establish::slug;
use crate::ca::ocsp::{AnswerPoint, Nonces};
use crate::ca::publish::{LoadError, PublicationPoint, Schedule};
use crate::cli::failure::Failure;
use crate::cli::home::{Home, read_certificates};
use crate::cli::parents;
use crate::cli::surroundings::{now, say};
use crate::http::listen::{Bounds, serve_https};
use crate::http::publication::{self, PublicationServer};
use crate::http::standstill;
use crate::http::tls::Tls;
use crate::pki::issuer::Issuer;
use crate::pki::revocation_list::CrlScope;
use crate::signing::FileKey;
use crate::storage::publication::PublicationDirectory;

/// Whether this failure to start is the register's, so that the stored CRL must be served on.
pub(super) fn concerns_the_register(failure: &Failure) -> bool {
    use crate::ca::Refusal;
    use crate::storage::open::OpenError;
    matches!(
        failure,
        Failure::Store(_)
            | Failure::Open(OpenError::NotALedger(_) | OpenError::Store(_))
            | Failure::Refusal(Refusal::Unavailable(..))
    )
}

/// Serves what is stored until SIGTERM. Where nothing is stored, `failure` it is.
pub(super) fn serve(
    home: &Home,
    api_listener: TcpListener,
    publish_listener: TcpListener,
    failure: Failure,
) -> Result<(), Failure> {
    let Some(point) = stored_point(home) else { return Err(failure) };
    let why = failure.to_string();
    tracing::error!(%failure, "the register cannot be read: only the stored CRL is served");
    say(&format!("Warning: {why}. Only the stored CRL and the CA certificate are served."));
    let publication = PublicationServer::start(
        publish_listener,
        Arc::new(point),
        Arc::new(now),
        publication::Bounds::default(),
    );
    let publication = publication.map_err(system("starting the publication side"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(system("starting the API"))?;
    let signals = {
        let _within = runtime.enter();
        Signals::heard()?
    };
    say("Next:\n  chancery restore (or look into the register's files)");
    runtime.block_on(async {
        let (stop, stops) = watch::channel(false);
        let serving = match stored_tls(home) {
            Ok(tls) => {
                let listener = from_std(api_listener)?;
                let router = standstill::router(&why);
                let bounds = Bounds::default();
                Some(tokio::spawn(serve_https(listener, router, Arc::new(tls), bounds, stops)))
            }
            Err(error) => {
                tracing::error!(%error, "the API has no certificate and does not listen");
                None
            }
        };
        signals.one().await;
        let _ = stop.send(true);
        if let Some(serving) = serving {
            // That it panicked changes nothing any more.
            let _ = serving.await;
        }
        Ok::<(), Failure>(())
    })?;
    publication.stop();
    Ok(())
}

/// Serves what is stored while the register is being opened; none if nothing is stored.
pub(super) fn meanwhile(home: &Home, listener: &TcpListener) -> Option<PublicationServer> {
    let point = Arc::new(stored_point(home)?);
    let started = listener.try_clone().and_then(|listener| {
        PublicationServer::start(listener, point, Arc::new(now), publication::Bounds::default())
    });
    started
        .inspect_err(
            |error| tracing::warn!(%error, "the stored CRL is served only after the start"),
        )
        .ok()
}

/// The publication point by what lies in the data directory: `chain.pem` and the CRLs.
fn stored_point(home: &Home) -> Option<PublicationPoint> {
    let mut chain = read_certificates(&home.chain_pem()).ok()?;
    let cross = read_certificates(&home.cross_pem()).unwrap_or_default();
    chain.retain(|own| !cross.contains(own));
    let (own, above) = chain.split_first()?;
    let issuer = Issuer::new(own, above, Vec::new(), Vec::new()).ok()?;
    let generations = home.stored_generations(own, above);
    let key_index = u16::try_from(generations.present_key()).ok()?;
    let issuer = issuer.with_key_index(key_index);
    let slug = stored_slug(home, &issuer)?;
    let name = CrlScope::of_key(key_index).file_name(&slug);
    let store = PublicationDirectory::open(&home.publish(), &name).ok()?;
    let (point, outcome) = PublicationPoint::open(&issuer, &slug, &store, Schedule::default());
    if let Err(error) = outcome {
        tracing::warn!(%error, name, "a stored CRL is not served");
    }
    let point = match parents::open(home, &issuer, &slug) {
        Ok(parents) => point.with_parents(Arc::new(parents)),
        Err(error) => {
            tracing::warn!(%error, "the CRLs of the CAs above are not served");
            point
        }
    };
    let point = with_stored_parts(home, point.with_generations(&generations), &issuer, &slug);
    show_stored_delta(home, &point, &issuer, &slug);
    let point = with_earlier_keys(home, point, &generations, &slug);
    // A new key may have none yet: those of before are served all the same.
    point.lists().iter().find(|lists| lists.current().is_some())?;
    // Nobody knows whether the stored OCSP answers have all that the ledger has: the CRL does.
    // Who asks is told to come again, and not that there is nothing here.
    let keys = generations.key_indexes().into_iter().filter_map(|key| u16::try_from(key).ok());
    if !keys.into_iter().any(|key| home.ocsp(key).exists()) {
        return Some(point);
    }
    let answers = AnswerPoint::new(&issuer, Nonces::PassedOver, NonZeroUsize::MIN).ok()?;
    Some(point.with_answers(Arc::new(answers)))
}

/// The CRLs by keys of before; one that cannot be believed keeps no other from being served.
fn with_earlier_keys(
    home: &Home,
    mut point: PublicationPoint,
    generations: &Generations,
    slug: &str,
) -> PublicationPoint {
    let present = generations.present_key();
    let earlier = generations.key_indexes().into_iter().filter(|key| *key != present);
    for certificate in earlier.filter_map(|key| generations.certificate_of_key(key)) {
        let Ok(issuer) = generations.issuer(certificate, slug, &[]) else { continue };
        let scope = CrlScope::of_key(issuer.key_index());
        let store = PublicationDirectory::open(&home.publish(), &scope.file_name(slug));
        let Ok(store) = store else { continue };
        let (more, outcome) = point.with_scope(&issuer, scope, &store, Schedule::default());
        if let Err(error) = outcome {
            tracing::warn!(%error, ?scope, "a stored CRL is not served");
        }
        show_stored_delta(home, &more, &issuer, slug);
        point = with_stored_parts(home, more, &issuer, slug);
    }
    point
}

/// The CRLs of partitions under this key; one that cannot be believed keeps no other away.
fn with_stored_parts(
    home: &Home,
    mut point: PublicationPoint,
    issuer: &Issuer,
    slug: &str,
) -> PublicationPoint {
    for (scope, name) in stored_parts(home, CrlScope::of_key(issuer.key_index()), slug) {
        let Ok(part) = PublicationDirectory::open(&home.publish(), &name) else { continue };
        let (with, outcome) = point.with_scope(issuer, scope, &part, Schedule::default());
        point = with;
        if let Err(error) = outcome {
            tracing::warn!(%error, name, "a stored CRL is not served");
        }
    }
    point
}

/// The delta may lack what the register has, as the complete one may: both are what was published.
fn show_stored_delta(home: &Home, point: &PublicationPoint, issuer: &Issuer, slug: &str) {
    let scope = CrlScope::of_key(issuer.key_index());
    let name = format!("{}{DELTA}", scope.file_name(slug));
    if !home.publish().join(format!("{name}.crl")).exists() {
        return;
    }
    let shown = PublicationDirectory::open(&home.publish(), &name)
        .map_err(LoadError::from)
        .and_then(|delta| point.open_delta_of(scope, issuer, &delta, Schedule::default()));
    if let Err(error) = shown {
        tracing::warn!(%error, "the stored delta CRL is not served");
    }
}

/// The CA's name in files, by the CRL of its present key; where there is none yet, as it was made
/// from the CA's name.
fn stored_slug(home: &Home, issuer: &Issuer) -> Option<String> {
    let names = stored_names(home)?;
    let stored = slug_among(&names, issuer.key_index());
    Some(stored.map_or_else(|| slug(issuer.name()), str::to_owned))
}

/// Which name these lists have in common. A later key's list has the key's index behind it; the
/// longest counts, since a CA may be called as if it had one.
fn slug_among(names: &[String], key_index: u16) -> Option<&str> {
    if key_index == 0 {
        return complete_list(names);
    }
    let end = format!("-{key_index}");
    let slugs = names.iter().filter_map(|name| name.strip_suffix(&end));
    slugs.max_by_key(|slug| slug.len())
}

/// The partitions among the stored lists.
fn stored_parts(home: &Home, whole: CrlScope, slug: &str) -> Vec<(CrlScope, String)> {
    let start = format!("{}-p", whole.file_name(slug));
    let part = |name: String| {
        let number = name.strip_prefix(&start)?.parse().ok()?;
        Some((CrlScope { partition: Some(number), ..whole }, name))
    };
    let mut parts: Vec<_> =
        stored_names(home).unwrap_or_default().into_iter().filter_map(part).collect();
    parts.sort_unstable();
    parts
}

fn stored_names(home: &Home) -> Option<Vec<String>> {
    let entries = std::fs::read_dir(home.publish()).ok()?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let lists = paths.filter(|path: &PathBuf| path.extension().is_some_and(|end| end == "crl"));
    Some(lists.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect())
}

/// Which of these lists is the complete one: all others have its name with something behind.
fn complete_list(names: &[String]) -> Option<&str> {
    names.iter().min_by_key(|name| name.len()).map(String::as_str)
}

fn stored_tls(home: &Home) -> Result<Tls, Failure> {
    let chain = read_certificates(&home.tls_pem())?;
    let key = FileKey::load(&home.tls_key(), None)?;
    let chain = chain.into_iter().map(CertificateDer::from).collect();
    Ok(Tls::new(&[], chain, &private(&key)?).map_err(super::NoCertificate::from)?)
}

#[cfg(test)]
mod tests {
    use super::{complete_list, slug_among};

    #[test]
    fn a_later_keys_list_tells_the_name_of_the_ca() {
        let of = |names: &[&str], key_index| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            slug_among(&names, key_index).map(str::to_owned)
        };
        assert_eq!(of(&["x", "x-1", "x-1-delta"], 1).as_deref(), Some("x"));
        assert_eq!(of(&["x-12", "x-2", "x"], 12).as_deref(), Some("x"));
        // A CA may be called so.
        assert_eq!(of(&["x-1", "x-1-1"], 1).as_deref(), Some("x-1"));
        assert_eq!(of(&["x"], 1), None);
        assert_eq!(of(&["x-1", "x"], 0).as_deref(), Some("x"));
    }

    #[test]
    fn a_delta_is_not_taken_for_the_complete_list() {
        let of = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            complete_list(&names).map(str::to_owned)
        };
        assert_eq!(of(&["x-delta", "x"]).as_deref(), Some("x"));
        assert_eq!(of(&["x", "x-delta"]).as_deref(), Some("x"));
        // A CA may be called so.
        assert_eq!(of(&["river-delta"]).as_deref(), Some("river-delta"));
        assert_eq!(of(&["river-delta-delta", "river-delta"]).as_deref(), Some("river-delta"));
        assert_eq!(of(&["ca-p12", "ca-p1", "ca", "ca-delta"]).as_deref(), Some("ca"));
        assert_eq!(of(&[]), None);
    }
}
