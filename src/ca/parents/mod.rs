//! What stands above a subordinate CA, as it is published beside its own: the parents'
//! certificates and the CRLs that were handed over. NPS and others check every level of a chain,
//! so a root that is kept offline needs somebody to serve its CRL.
//!
//! A CRL is taken only if a parent on record signed it and it is not older than what is there; it is
//! kept as it came. Absent: making CRLs (`publish`), fetching them, and whoever stands above a root:
//! nobody. Begin with [`Parents`]; `install` is how a CRL comes in, `standing` how long it holds.

mod crl;
mod install;
mod place;
mod standing;

pub use crl::{MOST_OCTETS, NotTaken, ParentCrl};
pub use install::{Installed, WasHere};
pub use standing::Standing;

use std::sync::{Arc, Mutex};

use arc_swap::ArcSwapOption;

use super::publish::PublishedCertificate;
use crate::pki::certificate::Certificate;
use crate::pki::issuer::Issuer;
use crate::pki::presented::PresentedCertificate;
use crate::storage::StoreError;
use crate::storage::publication::PublicationStore;
use place::Places;

/// Gives the place where the CRL of this name stands.
pub type OpenStore<'a> = &'a dyn Fn(&str) -> Result<Arc<dyn PublicationStore>, StoreError>;

/// The CAs above this one, nearest first; none above a root.
#[derive(Default)]
pub struct Parents {
    above: Vec<Parent>,
    /// Whoever installs looks first, and then records and publishes: one at a time.
    installing: Mutex<()>,
}

/// A CA above this one, and what is published of it.
pub struct Parent {
    presented: PresentedCertificate,
    /// What it issued of our chain: the CRL must be about that.
    below: PresentedCertificate,
    /// SHA-256 of its name and key.
    identifier: [u8; 32],
    certificate: PublishedCertificate,
    places: Places,
    store: Arc<dyn PublicationStore>,
    crl: ArcSwapOption<ParentCrl>,
}

/// What stands at a path.
pub enum Found<'a> {
    /// A parent's certificate.
    Certificate(&'a PublishedCertificate),
    /// A parent's CRL, if one was installed.
    Crl(Option<Arc<ParentCrl>>),
}

impl Parents {
    /// Those above `issuer`, whose own name in files is `slug`, with the CRLs that stand in their
    /// places already. One that cannot be believed is left out, and the log says why.
    pub fn open(issuer: &Issuer, slug: &str, open: OpenStore<'_>) -> Result<Self, StoreError> {
        let mut above: Vec<Parent> = Vec::new();
        let mut below = issuer.certificate();
        for certificate in issuer.chain() {
            let identifier = identifier(certificate);
            // A cross-certificate over the same key is the same issuer of CRLs.
            if above.iter().all(|own| own.identifier != identifier) {
                let taken: Vec<&str> = above.iter().map(Parent::name).collect();
                let name = place::name(certificate.subject(), slug, &taken);
                let (presented, below) = (presented(certificate)?, presented(below)?);
                let places = Places::of(&name, &below, issuer.crl_urls());
                let (der, not_before) = (certificate.der(), certificate.not_before());
                let parent = Parent {
                    presented,
                    below,
                    identifier,
                    places,
                    store: open(&name)?,
                    certificate: PublishedCertificate::named(name, der, not_before),
                    crl: ArcSwapOption::empty(),
                };
                parent.take_up()?;
                above.push(parent);
            }
            below = certificate;
        }
        Ok(Self { above, installing: Mutex::default() })
    }

    /// Each of them, nearest first.
    pub fn iter(&self) -> impl Iterator<Item = &Parent> {
        self.above.iter()
    }

    /// What stands at the path of a URL, percent-encoded as it was asked for.
    pub fn at(&self, path: &str) -> Option<Found<'_>> {
        if self.above.is_empty() {
            return None;
        }
        let path = place::decoded(path)?;
        self.above.iter().find_map(|parent| {
            if parent.places.crl.contains(&path) {
                return Some(Found::Crl(parent.crl()));
            }
            let found = parent.places.certificate.contains(&path);
            found.then_some(Found::Certificate(&parent.certificate))
        })
    }
}

impl Parent {
    /// Its name in files and URLs.
    pub fn name(&self) -> &str {
        &self.certificate.name
    }

    /// Its subject (RFC 4514).
    pub fn subject(&self) -> String {
        self.presented.subject_text()
    }

    /// Its certificate.
    pub fn certificate(&self) -> &PublishedCertificate {
        &self.certificate
    }

    /// Its CRL, if one was installed.
    pub fn crl(&self) -> Option<Arc<ParentCrl>> {
        self.crl.load_full()
    }

    /// Where its CRL is served from here.
    pub fn crl_urls(&self) -> &[String] {
        &self.places.urls
    }

    /// Names of files under which its CRL is found below our base URL.
    pub fn crl_files(&self) -> &[String] {
        &self.places.crl_files
    }

    /// Names of files under which its certificate is found below our base URL.
    pub fn certificate_files(&self) -> &[String] {
        &self.places.certificate_files
    }

    /// Where the certificate below says that its CRL is.
    pub fn named_crl_urls(&self) -> Vec<String> {
        let points = self.below.crl_distribution_points();
        points.into_iter().flat_map(|point| point.urls).collect()
    }

    /// Whether the certificate below says that its CRL is here.
    pub fn is_named_here(&self) -> bool {
        self.places.named_here
    }
}

fn presented(certificate: &Certificate) -> Result<PresentedCertificate, StoreError> {
    PresentedCertificate::from_der(certificate.der())
        .map_err(|error| StoreError::Damaged(format!("the CA's chain: {error}")))
}

fn identifier(certificate: &Certificate) -> [u8; 32] {
    let whole = [certificate.subject().as_der(), certificate.spki_der()].concat();
    super::publish::sha256(&whole)
}

#[cfg(test)]
mod tests;
