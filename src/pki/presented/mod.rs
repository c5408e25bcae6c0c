//! Certificates and CRLs as anybody may present them: read, not judged.
//!
//! Elsewhere in `pki` what reads is also good enough to be certified or believed. Here a small key,
//! a SHA-1 signature or a delta where a base should be is read as it is, so that somebody can be
//! told what is wrong with it. Nothing may be believed because it reads here. Absent: judgements
//! (the doctor's), and everything that writes. Begin with [`PresentedCertificate`].

mod certificate;
mod crl;
mod extension;
mod key;
mod ocsp;
mod signature;

pub use certificate::PresentedCertificate;
pub use crl::{Listed, Number, PresentedCrl, Scope};
pub use extension::{BasicConstraints, DistributionPoint, PresentedExtension, SanUnreadable};
pub use key::PresentedKey;
pub use ocsp::{AnsweredBy, PresentedAnswer, Said, question};
pub use signature::{Digest, Fit};

/// The bytes are not what they are said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a {0} in DER")]
pub struct Unreadable(pub &'static str);

/// A name as text (RFC 4514), or as hexadecimal where it breaks a rule for names.
fn name_text(der: &[u8]) -> String {
    match super::name::DistinguishedName::from_der(der) {
        Ok(name) => name.to_string(),
        Err(_) => format!("#{}", hex(der)),
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests;
