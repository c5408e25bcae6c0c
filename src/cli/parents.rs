//! The CAs above this one, with their CRLs in the data directory.

use std::sync::Arc;

use super::failure::Failure;
use super::home::Home;
use crate::ca::parents::{Installed, Parents, WasHere};
use crate::pki::issuer::Issuer;
use crate::storage::StoreError;
use crate::storage::publication::{PublicationDirectory, PublicationStore};

/// Opens the places of their CRLs.
pub fn open(home: &Home, issuer: &Issuer, slug: &str) -> Result<Parents, StoreError> {
    Parents::open(issuer, slug, &|name| {
        let store = PublicationDirectory::open(home.path(), &Home::parent_crl(name))?;
        Ok(Arc::new(store) as Arc<dyn PublicationStore>)
    })
}

/// What an operator is told of a CRL that was installed.
pub fn told(installed: &Installed) -> String {
    let crl = &installed.crl;
    let number = match &crl.number {
        Some(number) => format!("number {number}"),
        None => "no number".to_owned(),
    };
    let how = match installed.was_here {
        WasHere::Yes => "is served already",
        WasHere::No => "is served from now on",
    };
    let mut told = format!(
        "The CRL of {} ({number}, {} to {}) {how}.",
        installed.issuer, crl.this_update, crl.next_update
    );
    for url in &installed.urls {
        told += &format!("\n  {url}");
    }
    for warning in &installed.warnings {
        told += &format!("\nWarning: {warning}.");
    }
    told
}

/// The failure that says which file it is about.
pub fn not_taken(source: &str, why: impl std::fmt::Display) -> Failure {
    Failure::CrlNotTaken(source.to_owned(), why.to_string())
}
