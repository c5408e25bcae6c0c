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
use crate::ca::ocsp::{AnswerPoint, Nonces};
use crate::ca::publish::{PublicationPoint, Schedule};
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

/// The publication point by what lies in the data directory: `chain.pem` and the CRL.
fn stored_point(home: &Home) -> Option<PublicationPoint> {
    let chain = read_certificates(&home.chain_pem()).ok()?;
    let (own, above) = chain.split_first()?;
    let issuer = Issuer::new(own, above, Vec::new(), Vec::new()).ok()?;
    let slug = stored_slug(home)?;
    let store = PublicationDirectory::open(&home.publish(), &slug).ok()?;
    let (point, outcome) = PublicationPoint::open(&issuer, &slug, &store, Schedule::default());
    outcome.ok()?;
    let earlier = read_certificates(&home.earlier_pem()).unwrap_or_default();
    let point = point.with_earlier(earlier.iter().map(Vec::as_slice));
    let point = match parents::open(home, &issuer, &slug) {
        Ok(parents) => point.with_parents(Arc::new(parents)),
        Err(error) => {
            tracing::warn!(%error, "the CRLs of the CAs above are not served");
            point
        }
    };
    point.current()?;
    let mut point = point;
    for (scope, name) in stored_parts(home, &slug) {
        let part = PublicationDirectory::open(&home.publish(), &name).ok()?;
        let (with, outcome) = point.with_scope(&issuer, scope, &part, Schedule::default());
        point = with;
        if let Err(error) = outcome {
            tracing::warn!(%error, name, "a stored CRL is not served");
        }
    }
    // The delta may lack what the register has, as the complete one may: both are what was
    // published.
    let delta = format!("{slug}{DELTA}");
    if home.publish().join(format!("{delta}.crl")).exists() {
        let delta = PublicationDirectory::open(&home.publish(), &delta).ok()?;
        if let Err(error) = point.open_delta(&issuer, &delta, Schedule::default()) {
            tracing::warn!(%error, "the stored delta CRL is not served");
        }
    }
    // Nobody knows whether the stored OCSP answers have all that the ledger has: the CRL does.
    // Who asks is told to come again, and not that there is nothing here.
    if !home.ocsp().exists() {
        return Some(point);
    }
    let answers = AnswerPoint::new(&issuer, Nonces::PassedOver, NonZeroUsize::MIN).ok()?;
    Some(point.with_answers(Arc::new(answers)))
}

fn stored_slug(home: &Home) -> Option<String> {
    let names = stored_names(home)?;
    complete_list(&names).map(str::to_owned)
}

/// The partitions among the stored lists.
fn stored_parts(home: &Home, slug: &str) -> Vec<(CrlScope, String)> {
    let part = |name: String| {
        let number = name.strip_prefix(slug)?.strip_prefix("-p")?.parse().ok()?;
        Some((CrlScope { partition: Some(number), ..CrlScope::FIRST }, name))
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
    use super::complete_list;

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
