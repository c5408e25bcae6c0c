//! `chancery revoke`: at a CA that nobody serves.

use super::Offline;
use super::arguments::Revoke;
use crate::cli::failure::Failure;
use crate::cli::home::read_certificates;
use crate::cli::settings::Settings;
use crate::cli::surroundings::{now, say};
use crate::pki::certificate::Certificate;

/// Puts the revocation on record; the next CRL lists it.
pub fn revoke(arguments: &Revoke, settings: &Settings) -> Result<(), Failure> {
    let certificate = match &arguments.certificate {
        Some(path) => {
            let found = read_certificates(path)?;
            let first = found.first().ok_or_else(|| Failure::NoCertificate(path.clone()))?;
            let read = Certificate::from_der(first);
            Some(read.map_err(|_| Failure::NoCertificate(path.clone()))?)
        }
        None => None,
    };
    let offline = Offline::open(settings)?;
    let authority = &offline.authority;
    let recorded = match (&certificate, &arguments.serial) {
        (Some(certificate), _) => {
            authority.revoke_unrecorded(certificate, arguments.reason, now())?
        }
        (None, Some(serial)) => authority.revoke_as_operator(serial, arguments.reason, now())?,
        // The command line demands one of them.
        (None, None) => return Err(Failure::NothingToRevoke),
    };
    for serial in &recorded.certificates {
        say(&format!("{serial} is revoked ({}).", arguments.reason.as_str()));
    }
    say("Relying parties learn it from the next CRL: chancery publish-crl.");
    Ok(offline.register.close()?)
}
