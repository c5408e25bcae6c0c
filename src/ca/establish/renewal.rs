//! Renewal of the CA's own certificate: with the same key, AD CS's `certutil -renewcert ReuseKeys`,
//! or with a new one, `certutil -renewcert`.
//!
//! The name stays and the certificate index of the CA version rises; the new certificate holds the
//! hash of the old one ([MS-CSRA], szOID_CERTSRV_PREVIOUS_CERT_HASH). With the same key whatever was
//! issued verifies under either certificate and CRLs go on as they were. A new key is another key
//! index: it has a CRL of its own, and the old key goes on signing its own.

use super::generations::Generations;
use super::{EstablishError, SET_BACK_SECONDS, request_for};
use crate::pki::authority_certificate::root_to_be_signed;
use crate::pki::issuer::Issuer;
use crate::pki::public_key::PublicKey;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::signing::CaKey;
use crate::storage::act::AuthorityIntended;

/// The key that a renewed certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// That of the present certificate.
    Kept,
    /// One that the CA never had.
    New,
}

/// The to-be-signed bytes of a root's next certificate, and the act that puts them on record.
pub fn intend_renewed_root(
    present: &Issuer,
    generations: &Generations,
    (key, key_use): (&dyn CaKey, KeyUse),
    random: [u8; 20],
    now: Timestamp,
    validity_seconds: u64,
) -> Result<AuthorityIntended, EstablishError> {
    let public_key = fitting_key(present, generations, key, key_use)?;
    let now = now.whole_seconds();
    let would_end = now.plus_seconds(validity_seconds);
    if would_end <= present.not_after() {
        return Err(EstablishError::NotLonger { would_end, ends: present.not_after() });
    }
    let tbs = root_to_be_signed(
        present.name(),
        &public_key,
        SerialNumber::from_random(random),
        [now.minus_seconds(SET_BACK_SECONDS), would_end],
        key.algorithm(),
        generations.next(key.spki_der())?,
    );
    Ok(AuthorityIntended { tbs })
}

/// The request (RFC 2986) by which a subordinate CA asks its parent for its next certificate.
pub fn renewal_request(
    present: &Issuer,
    generations: &Generations,
    (key, key_use): (&dyn CaKey, KeyUse),
) -> Result<Vec<u8>, EstablishError> {
    let public_key = fitting_key(present, generations, key, key_use)?;
    request_for(present.name(), &public_key, key, generations.next(key.spki_der())?)
}

fn fitting_key(
    present: &Issuer,
    generations: &Generations,
    key: &dyn CaKey,
    key_use: KeyUse,
) -> Result<PublicKey, EstablishError> {
    match key_use {
        KeyUse::Kept if key.spki_der() != present.public_key().spki_der() => {
            Err(EstablishError::AnotherKey)
        }
        KeyUse::New if generations.index_of_key(key.spki_der()).is_some() => {
            Err(EstablishError::KeyNotNew)
        }
        _ => Ok(PublicKey::from_spki_der(key.spki_der())?),
    }
}

#[cfg(test)]
mod tests;
