//! Cross-certificates of a root that got a new key (RFC 4210 §4.4): *new with old* lets whoever
//! trusts only the old root believe what the new key signs, *old with new* lets whoever trusts
//! only the new root believe what the old key signed. A subordinate needs none: its parent signs
//! both of its keys.

use super::EstablishError;
use crate::pki::authority_certificate::cross_to_be_signed;
use crate::pki::certificate::Certificate;
use crate::pki::issuer::Issuer;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::signing::CaKey;
use crate::storage::act::{AuthorityIntended, CrossCertificate};

/// A root's key with its certificate, and the certificate index of that.
#[derive(Clone, Copy)]
pub struct Root<'a> {
    /// The certificate, with the URLs of its CRL and its own.
    pub issuer: &'a Issuer,
    /// Its certificate index.
    pub index: u32,
    /// The key.
    pub key: &'a dyn CaKey,
}

/// The to-be-signed bytes of new with old, and the act that puts them on record: good from the new
/// certificate's beginning, and as long as anybody can trust the old one (RFC 4210 §4.4.1).
pub fn intend_new_with_old(old: Root<'_>, new: Root<'_>, random: [u8; 20]) -> AuthorityIntended {
    let begin = new.issuer.not_before().max(old.issuer.not_before());
    let end = new.issuer.not_after().min(old.issuer.not_after());
    intend(new, old, random, [begin, end])
}

/// The same of old with new: the whole life of the old certificate, which began before there was
/// a new key (RFC 4210 §4.4.1).
pub fn intend_old_with_new(old: Root<'_>, new: Root<'_>, random: [u8; 20]) -> AuthorityIntended {
    let end = new.issuer.not_after().min(old.issuer.not_after());
    intend(old, new, random, [old.issuer.not_before(), end])
}

fn intend(
    subject: Root<'_>,
    issuer: Root<'_>,
    random: [u8; 20],
    validity: [Timestamp; 2],
) -> AuthorityIntended {
    let serial = SerialNumber::from_random(random);
    let algorithm = issuer.key.algorithm();
    let tbs = cross_to_be_signed(subject.issuer, issuer.issuer, serial, validity, algorithm);
    AuthorityIntended { tbs }
}

/// Signs a cross-certificate that is on record.
pub fn sign_cross(
    intended: &AuthorityIntended,
    subject: Root<'_>,
    issuer: Root<'_>,
) -> Result<CrossCertificate, EstablishError> {
    let (key, public_key) = (issuer.key, issuer.issuer.public_key());
    let signature = key.sign(&intended.tbs)?;
    let made = Certificate::assemble(&intended.tbs, key.algorithm(), &signature, public_key)?;
    Ok(CrossCertificate {
        subject: subject.index,
        issuer: issuer.index,
        certificate: made.der().to_vec(),
    })
}
