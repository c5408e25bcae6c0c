//! The CRLs of the CAs above, fetched from where this CA's chain says that they are, for those who
//! want to serve them from here as well. What comes is judged as what is handed over is.

use std::sync::Arc;

use super::pacing::Pacing;
use crate::ca::Authority;
use crate::ca::parents::{MOST_OCTETS, NotTaken, Parent, WasHere};
use crate::cli::surroundings::now;
use crate::doctor::{Fetch as _, NotFetched};
use crate::retrieval::{Limits, Reach, Retrieval};

/// Fetches now and then every `seconds`; never, if there are none.
pub(super) fn start(authority: &Arc<Authority>, seconds: Option<u64>) -> std::io::Result<Pacing> {
    let authority = Arc::clone(authority);
    Pacing::start("parent-crls", seconds, move || fetch(&authority))
}

fn fetch(authority: &Authority) {
    // The parent put the address into a certificate that it signed: it may be a private one.
    let limits = Limits { octets: MOST_OCTETS as u64, ..Limits::default() };
    let retrieval = Retrieval::new(Reach::Anywhere, limits, now);
    for parent in authority.parents().iter() {
        // Here it would be our own copy that comes back.
        if !parent.is_named_here() {
            one(authority, parent, &retrieval);
        }
    }
}

/// From the first place that has one that is taken.
fn one(authority: &Authority, parent: &Parent, retrieval: &Retrieval) {
    let issuer = parent.subject();
    for url in parent.named_crl_urls() {
        let taken = match retrieval.get(&url) {
            Ok(document) => authority.take_parent_crl(None, document.body.to_vec(), now()),
            Err(NotFetched::OtherScheme(_) | NotFetched::NotAUrl) => continue,
            Err(error) => {
                tracing::warn!(%error, url, issuer, "the CRL of a CA above is not to be had");
                continue;
            }
        };
        match taken {
            Ok(installed) => {
                if installed.was_here == WasHere::No {
                    let warnings = installed.warnings.join("; ");
                    tracing::info!(url, issuer, warnings, "the CRL of a CA above was fetched");
                }
                return;
            }
            // A cache may be behind.
            Err(error @ (NotTaken::Older { .. } | NotTaken::Twin)) => {
                tracing::info!(%error, url, issuer, "the CRL of a CA above is not taken");
            }
            Err(error) => {
                tracing::warn!(%error, url, issuer, "the CRL of a CA above is not taken");
            }
        }
    }
}
