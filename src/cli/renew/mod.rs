//! `chancery renew`: the holder's side of renewal by possession, for a timer on a VPN server.
//!
//! Nothing is asked but the service and nothing is needed but the certificate and its key. It can
//! be run at any time: before the renewal period it does nothing and says so, exit status 0.
//! Begin with `pair`, the two files and how they are exchanged without a moment in which a crash
//! would lose either.

mod holder;
mod pair;

use super::arguments::Renew;
use super::csr::make_request;
use super::failure::Failure;
use super::request::{Answer, Disposition, NotEnrolled, certificates};
use super::surroundings::{now, say};
use crate::pki::bundle::pem;
use crate::pki::certificate::Certificate;
use crate::pki::name::DistinguishedName;
use crate::signing::{CaKey as _, FileKey};
use holder::Holder;
use pair::{Held, Pair};

/// Renews, if it is time.
pub fn renew(arguments: &Renew) -> Result<(), Failure> {
    let pair = Pair::new(&arguments.certificate, &arguments.key)?;
    let held = pair.held()?;
    let holder = Holder::new(&arguments.url, &arguments.ca_file, &held)?;
    if let Some(request_id) = pair.pending()? {
        return conclude(&pair, &held, &holder.fetch(request_id)?);
    }
    let due = holder.renew_after(&held.certificate)?;
    if now() < due && !arguments.force {
        say(&format!("{} is not to be renewed before {due}.", held.certificate.serial()));
        return Ok(());
    }
    let new_key = match (arguments.new_key, arguments.key_algorithm) {
        (false, None) => None,
        (_, algorithm) => Some(pair.new_key(algorithm, &held)?),
    };
    let key = new_key.as_ref().unwrap_or(&held.key);
    // The names are the old certificate's, or the directory's: none are asked for.
    let csr = make_request(&DistinguishedName::empty(), &[], key).map_err(NotEnrolled::from)?;
    let csr = pem::write("CERTIFICATE REQUEST", &csr);
    let answer = holder.renew(&held.certificate, &csr, arguments.retire_after);
    if let Err(Failure::NotEnrolled(NotEnrolled::Refused { .. })) = &answer {
        // Nothing was issued for it.
        pair.discard_new_key()?;
    }
    conclude(&pair, &held, &answer?)
}

/// Exchanges the files for what was issued, or says what is to be done next.
fn conclude(pair: &Pair, held: &Held, answer: &Answer) -> Result<(), Failure> {
    for notice in &answer.notices {
        say(&format!("Warning: {notice}"));
    }
    let request_id = answer.request_id;
    match answer.disposition {
        Disposition::Issued | Disposition::Revoked => {}
        Disposition::Pending => {
            pair.remember_pending(request_id)?;
            say(&format!(
                "Request {request_id} waits for a certificate manager; run this command again to \
                 fetch the certificate."
            ));
            return Ok(());
        }
        Disposition::Denied | Disposition::Failed => {
            pair.forget_pending()?;
            pair.discard_new_key()?;
            let word = answer.disposition.as_str();
            let detail = answer.detail.clone().unwrap_or_default();
            return Err(NotEnrolled::NotIssued(request_id, word, detail).into());
        }
    }
    let (own, chain) = certificates(answer)?;
    if !is_for(&own, &held.key) && !pair.new_key_if_there()?.is_some_and(|key| is_for(&own, &key)) {
        return Err(NotEnrolled::AnotherKey.into());
    }
    pair.exchange(&own, &chain, held)?;
    say(&format!(
        "Renewed {} as {}, until {}.",
        held.certificate.serial(),
        own.serial(),
        own.not_after()
    ));
    Ok(())
}

/// Whether a certificate is for this key.
fn is_for(certificate: &Certificate, key: &FileKey) -> bool {
    certificate.spki_der() == key.spki_der()
}
