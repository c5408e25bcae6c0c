//! What is published under each key of the CA: the complete CRL with its delta, and the CRL of each
//! partition. The keys before the present one are like it, but that nothing more is issued under
//! them: their CRLs are made until the last certificate under each has ended.

use std::path::Path;
use std::sync::Arc;

use super::deltas::Deltas;
use crate::ca::Authority;
use crate::ca::establish::generations::Generations;
use crate::ca::keys::EarlierKey;
use crate::ca::publish::{PublicationPoint, Publisher, Publishers, Schedule};
use crate::cli::failure::Failure;
use crate::cli::home::{Home, key_passphrase};
use crate::cli::partitions::{partitions, places};
use crate::cli::settings::Settings;
use crate::cli::surroundings::now;
use crate::pki::issuer::Issuer;
use crate::pki::revocation_list::CrlScope;
use crate::signing::{CaKey, FileKey, MissingKey};
use crate::storage::act::CrlsPartitioned;
use crate::storage::publication::{PublicationDirectory, PublicationStore};
use crate::storage::{LedgerRegister, Register as _};

/// Where a CA publishes, and what it is told of how.
pub(in crate::cli) struct Site<'a> {
    pub home: &'a Home,
    pub settings: &'a Settings,
    pub register: &'a LedgerRegister,
    pub generations: &'a Generations,
    /// The CA's name in files and URLs.
    pub slug: &'a str,
    /// What goes into certificates.
    pub base_urls: &'a [String],
    /// The rhythm of complete CRLs.
    pub schedule: Schedule,
}

/// All keys with what is published under them.
pub(in crate::cli) struct Publications {
    present: UnderKey,
    earlier: Vec<UnderKey>,
}

/// A key, and what is published under it.
struct UnderKey {
    own: EarlierKey,
    complete: Publication,
    partitions: Vec<Publication>,
}

/// One CRL: what it is about, where it stands, and how often there is a new one.
struct Publication {
    scope: CrlScope,
    /// Of a partition: where it says that it is found, under every base URL that there was since
    /// there are partitions.
    places: Vec<String>,
    store: Arc<dyn PublicationStore>,
    schedule: Schedule,
    deltas: Option<Deltas>,
}

impl Publications {
    /// Opens the place of each list. A key of before whose file cannot be read does not stop the
    /// rest: what it signed is served on, and readiness says what is missing.
    pub fn open(site: &Site<'_>) -> Result<Self, Failure> {
        let present = site.generations.present_key();
        let mut earlier = Vec::new();
        for key_index in site.generations.key_indexes() {
            let certificate = site.generations.certificate_of_key(key_index);
            match certificate.filter(|_| key_index != present) {
                Some(certificate) => earlier.push(UnderKey::earlier(site, certificate)?),
                None if key_index == present => {}
                None => tracing::error!(key_index, "no certificate of this key can be read"),
            }
        }
        Ok(Self { present: UnderKey::present(site)?, earlier })
    }

    /// The CA under its present key, with all that its certificates say.
    pub fn issuer(&self) -> &Arc<Issuer> {
        &self.present.own.issuer
    }

    /// The present key.
    pub fn key(&self) -> &Arc<dyn CaKey> {
        &self.present.own.key
    }

    /// The keys of before.
    pub fn earlier_keys(&self) -> impl Iterator<Item = &EarlierKey> {
        self.earlier.iter().map(|under| &under.own)
    }

    /// What is published already, of every scope.
    pub fn taken_up(&self, slug: &str) -> PublicationPoint {
        let (issuer, complete) = (self.issuer(), &self.present.complete);
        let (store, schedule) = (complete.store.as_ref(), complete.schedule);
        let (point, outcome) = PublicationPoint::open(issuer, slug, store, schedule);
        if let Err(error) = outcome {
            tracing::error!(%error, "the stored CRL cannot be served; a new one is made");
        }
        complete.take_up_delta(&point, issuer);
        let partitions = self.present.partitions.iter();
        let point = partitions.fold(point, |point, own| own.taken_up(point, issuer));
        self.earlier.iter().fold(point, |point, under| {
            let lists = std::iter::once(&under.complete).chain(&under.partitions);
            lists.fold(point, |point, own| own.taken_up(point, &under.own.issuer))
        })
    }

    /// A publisher for each list: also of keys that have signed their last, in case it was a clock
    /// that is ahead by which all has ended.
    pub fn publishers(self, authority: &Authority, point: &Arc<PublicationPoint>) -> Publishers {
        let UnderKey { own, complete, partitions } = self.present;
        let Publication { store, schedule, deltas, .. } = complete;
        let present = Publisher::new(authority, store, Arc::clone(point), schedule);
        let present = Arc::new(with_deltas(present, deltas));
        let parts = partitions.into_iter().filter_map(|part| part.publisher(&present, &own));
        let parts: Vec<Publisher> = parts.collect();
        let mut publishers = Publishers::new(Arc::clone(&present)).with_partitions(parts);
        for UnderKey { own, complete, partitions } in self.earlier {
            let ends = own.issuer.not_after();
            let under = |list: Publication| Some(list.publisher(&present, &own)?.ending(ends));
            let parts: Vec<Publisher> = partitions.into_iter().filter_map(under).collect();
            publishers = publishers.with_partitions(parts);
            if let Some(publisher) = under(complete) {
                if publisher.has_signed_the_last(now()) {
                    let key_index = own.issuer.key_index();
                    tracing::info!(key_index, "this key of the CA has signed its last CRL");
                }
                publishers = publishers.with(publisher);
            }
        }
        publishers
    }
}

impl UnderKey {
    fn present(site: &Site<'_>) -> Result<Self, Failure> {
        let Site { generations, slug, base_urls, settings, .. } = *site;
        let issuer = generations.issuer(generations.present(), slug, base_urls)?;
        let under = |path: &str| base_urls.iter().map(|base| format!("{base}/{path}")).collect();
        let name = CrlScope::of_key(issuer.key_index()).file_name(slug);
        let issuer = match settings.crl_delta_in_certificates {
            true => issuer.with_freshest_crl_urls(under(&format!("crl/{name}-delta.crl"))),
            false => issuer,
        };
        let issuer = match settings.ocsp {
            true => issuer.with_ocsp_urls(under("ocsp")),
            false => issuer,
        };
        let parted = partitions(site.register, settings, issuer.key_index(), base_urls)?;
        let path = site.home.ca_key(generations.present_key());
        let key = FileKey::load(&path, key_passphrase(settings)?.as_ref())?;
        if key.spki_der() != issuer.public_key().spki_der() {
            return Err(Failure::WrongKeyFile(path));
        }
        Self::of(site, issuer, Arc::new(key), parted.as_ref())
    }

    fn earlier(site: &Site<'_>, certificate_index: usize) -> Result<Self, Failure> {
        let Site { generations, slug, base_urls, .. } = *site;
        let issuer = generations.issuer(certificate_index, slug, base_urls)?;
        let parted = site.register.partitions(issuer.key_index())?;
        let path = site.home.ca_key(generations.key_of(certificate_index));
        let key = key_of(&path, site.settings, &issuer)?;
        Self::of(site, issuer, key, parted.as_ref())
    }

    fn of(
        site: &Site<'_>,
        issuer: Issuer,
        key: Arc<dyn CaKey>,
        parted: Option<&CrlsPartitioned>,
    ) -> Result<Self, Failure> {
        let named = parted.map_or_else(Vec::new, |own| places(site.slug, own, site.base_urls));
        let issuer = issuer.with_partitions(named.into_iter().map(|(_, urls)| urls).collect());
        let every = parted.map_or_else(Vec::new, |own| places(site.slug, own, &own.base_urls));
        let partition = |(scope, places)| Publication::at(site, scope, places);
        Ok(Self {
            complete: Publication::complete(site, CrlScope::of_key(issuer.key_index()))?,
            partitions: every.into_iter().map(partition).collect::<Result<_, _>>()?,
            own: EarlierKey { issuer: Arc::new(issuer), key },
        })
    }
}

impl Publication {
    fn at(site: &Site<'_>, scope: CrlScope, places: Vec<String>) -> Result<Self, Failure> {
        let name = scope.file_name(site.slug);
        let store = Arc::new(PublicationDirectory::open(&site.home.publish(), &name)?);
        Ok(Self { scope, places, store, schedule: site.schedule, deltas: None })
    }

    /// Deltas are made for a complete one alone.
    fn complete(site: &Site<'_>, scope: CrlScope) -> Result<Self, Failure> {
        let own = Self::at(site, scope, Vec::new())?;
        let name = scope.file_name(site.slug);
        let url = |base: &String| format!("{base}/crl/{name}-delta.crl");
        let urls = site.base_urls.iter().map(url).collect();
        let deltas = Deltas::of(site.home, site.settings, &name, site.schedule, urls)?;
        Ok(Self { deltas, ..own })
    }

    /// The same point with what is published of this already.
    fn taken_up(&self, point: PublicationPoint, issuer: &Issuer) -> PublicationPoint {
        let scope = self.scope;
        let (point, outcome) = point.with_scope(issuer, scope, self.store.as_ref(), self.schedule);
        if let Err(error) = outcome {
            tracing::error!(%error, ?scope, "a stored CRL cannot be served; a new one is made");
        }
        self.take_up_delta(&point, issuer);
        point
    }

    fn take_up_delta(&self, point: &PublicationPoint, issuer: &Issuer) {
        let (scope, Some(deltas)) = (self.scope, &self.deltas) else { return };
        let taken = point.open_delta_of(scope, issuer, deltas.store.as_ref(), deltas.schedule);
        if let Err(error) = taken {
            tracing::error!(%error, ?scope, "a stored delta CRL cannot be served; a new one is made");
        }
    }

    /// Whoever makes it, beside the publisher of everything under the present key; nothing where
    /// the publication point does not have it.
    fn publisher(self, beside: &Publisher, own: &EarlierKey) -> Option<Publisher> {
        let (key, issuer) = (Arc::clone(&own.key), Arc::clone(&own.issuer));
        let made = beside.beside(self.scope, key, issuer, self.store, self.schedule)?;
        Some(with_deltas(made.at_distribution_point(self.places), self.deltas))
    }
}

fn with_deltas(publisher: Publisher, deltas: Option<Deltas>) -> Publisher {
    match deltas {
        Some(Deltas { store, schedule, used }) => publisher.with_deltas(store, schedule, used),
        None => publisher,
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
