//! The keys that the CA had before: loaded, and their CRLs published until the last certificate
//! under each has ended.

use std::path::Path;
use std::sync::Arc;

use super::deltas::Deltas;
use super::partitions::Partitions;
use crate::ca::establish::generations::Generations;
use crate::ca::keys::EarlierKey;
use crate::ca::publish::{PublicationPoint, Publishers, Schedule};
use crate::cli::failure::Failure;
use crate::cli::home::{Home, key_passphrase};
use crate::cli::partitions::places;
use crate::cli::settings::Settings;
use crate::pki::issuer::Issuer;
use crate::pki::revocation_list::CrlScope;
use crate::signing::{CaKey, FileKey, MissingKey};
use crate::storage::publication::{PublicationDirectory, PublicationStore};
use crate::storage::{LedgerRegister, Register as _};

/// A key of before, with where its CRL stands.
pub(super) struct Earlier {
    pub(super) own: EarlierKey,
    store: Arc<dyn PublicationStore>,
    schedule: Schedule,
    deltas: Option<Deltas>,
    parts: Partitions,
}

impl Earlier {
    /// All of them. One whose file cannot be read does not stop the rest: what it signed is served
    /// on, and readiness says what is missing.
    pub(super) fn all(
        home: &Home,
        settings: &Settings,
        register: &LedgerRegister,
        generations: &Generations,
        slug: &str,
        base_urls: &[String],
    ) -> Result<Vec<Self>, Failure> {
        let schedule = match settings.crl_overlap_seconds {
            Some(overlap) => Schedule::with_overlap(settings.crl_period_seconds, overlap),
            None => Schedule::every(settings.crl_period_seconds),
        };
        let mut all = Vec::new();
        let present = generations.present_key();
        for key_index in generations.key_indexes().into_iter().filter(|key| *key != present) {
            let Some(certificate) = generations.certificate_of_key(key_index) else {
                tracing::error!(key_index, "no certificate of this key of the CA can be read");
                continue;
            };
            let issuer = generations.issuer(certificate, slug, base_urls)?;
            let parted = register.partitions(issuer.key_index())?;
            let issuer = match &parted {
                Some(parted) => {
                    let named = places(slug, parted, base_urls);
                    issuer.with_partitions(named.into_iter().map(|(_, urls)| urls).collect())
                }
                None => issuer,
            };
            let key = key_of(&home.ca_key(key_index), settings, &issuer)?;
            let name = CrlScope::of_key(issuer.key_index()).file_name(slug);
            let delta = |base: &String| format!("{base}/crl/{name}-delta.crl");
            let urls = base_urls.iter().map(delta).collect();
            all.push(Self {
                store: Arc::new(PublicationDirectory::open(&home.publish(), &name)?),
                schedule,
                parts: Partitions::open(home, slug, parted.as_ref())?,
                deltas: Deltas::of(home, settings, &name, schedule, urls)?,
                own: EarlierKey { issuer: Arc::new(issuer), key },
            });
        }
        Ok(all)
    }

    fn scope(&self) -> CrlScope {
        CrlScope::of_key(self.own.issuer.key_index())
    }

    /// The same point with what these keys have published.
    pub(super) fn shown(all: &[Self], mut point: PublicationPoint) -> PublicationPoint {
        for earlier in all {
            let (issuer, scope) = (earlier.own.issuer.as_ref(), earlier.scope());
            let (more, outcome) =
                point.with_scope(issuer, scope, earlier.store.as_ref(), earlier.schedule);
            point = more;
            if let Err(error) = outcome {
                tracing::error!(%error, ?scope, "a stored CRL cannot be served; a new one is made");
            }
            point = earlier.parts.served_at(point, issuer, earlier.schedule);
            if let Some(deltas) = &earlier.deltas
                && let Err(error) =
                    point.open_delta_of(scope, issuer, deltas.store.as_ref(), deltas.schedule)
            {
                tracing::error!(%error, ?scope, "a stored delta CRL cannot be served");
            }
        }
        point
    }

    /// The same publishers with one for each of these keys that has not signed its last CRL.
    pub(super) fn publishing(all: Vec<Self>, mut publishers: Publishers) -> Publishers {
        for earlier in all {
            let scope = earlier.scope();
            let Earlier { own: EarlierKey { issuer, key }, store, schedule, deltas, parts } =
                earlier;
            let ends = issuer.not_after();
            let present = Arc::clone(publishers.present());
            let parts = parts.publishers(&present, &key, &issuer, schedule);
            let parts = parts.into_iter().map(|part| part.ending(ends));
            let parts: Vec<_> = parts.filter(|part| !part.has_signed_the_last()).collect();
            publishers = publishers.with_partitions(parts);
            let Some(publisher) = present.beside(scope, key, issuer, store, schedule) else {
                continue;
            };
            let publisher = publisher.ending(ends);
            if publisher.has_signed_the_last() {
                tracing::info!(?scope, "this key of the CA has signed its last CRL");
                continue;
            }
            let publisher = match deltas {
                Some(Deltas { store, schedule, used }) => {
                    publisher.with_deltas(store, schedule, used)
                }
                None => publisher,
            };
            publishers = publishers.with(publisher);
        }
        publishers
    }
}

fn key_of(path: &Path, settings: &Settings, issuer: &Issuer) -> Result<Arc<dyn CaKey>, Failure> {
    let passphrase = key_passphrase(settings)?;
    let why = match FileKey::load(path, passphrase.as_ref()) {
        Ok(key) if key.spki_der() == issuer.public_key().spki_der() => return Ok(Arc::new(key)),
        Ok(_) => Failure::WrongKeyFile(path.to_owned()).to_string(),
        Err(error) => format!("{}: {error}", path.display()),
    };
    tracing::error!(%why, "a key that the CA had before cannot be had: its CRL is not renewed");
    Ok(Arc::new(MissingKey::new(issuer.public_key(), why)))
}
