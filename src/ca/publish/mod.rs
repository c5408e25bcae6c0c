//! Publication of CRLs: one thread makes complete ones, another deltas, and everybody else reads
//! what they made; for each scope (RFC 5280 §5) by itself, with one series of numbers.
//!
//! A CRL is on record (number, times, digest) before the key sees it (law 1), is checked against
//! the one it replaces, and takes its place by a rename; the doors serve it from a
//! [`PublicationPoint`], which neither waits for nor needs the register. Begin with
//! [`Publisher`], which is one scope's, or [`Publishers`]; `making` is the heart, `held` says what a delta is made against.

mod clockwork;
mod copies;
mod counter;
mod dropped;
mod files;
mod held;
mod lists;
mod making;
mod point;
mod publisher;
mod publishers;
mod recovery;
mod rota;
mod schedule;
mod state;
mod stream;
mod writing;

pub use copies::{Copies, Outcome};
pub use lists::PublishedLists;
pub use making::DeltaUse;
pub(super) use point::sha256;
pub use point::{Current, PublicationPoint, PublishedCertificate};
pub use publisher::Publisher;
pub use publishers::Publishers;
pub use schedule::Schedule;
#[cfg(test)]
pub(in crate::ca) use state::Kind;

use crate::pki::revocation_list::CrlError;
use crate::pki::signature::SignatureError;
use crate::signing::SigningError;
use crate::storage::StoreError;

/// Why there is no new CRL. The last one stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Register or publication directory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file could not be read back.
    #[error("reading a CRL: {0}")]
    Read(#[from] std::io::Error),
    /// No signature.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// A signature that does not fit: the key is not the CA certificate's.
    #[error("the signature just made does not fit the CA certificate: {0}")]
    WrongSignature(#[from] SignatureError),
    /// Stored entries that are not CRL entries.
    #[error("the encoded CRL entries are damaged")]
    EntriesDamaged,
    /// The new list lacks somebody whom the published one has.
    #[error("the new CRL would drop {serial}, which is revoked and has not expired")]
    Dropped {
        /// Whose entry.
        serial: crate::pki::serial::SerialNumber,
    },
    /// The register is an older copy than its own publication point.
    #[error(
        "the published CRL (number {published}, of {this_update}) is newer than the register \
         (number {recorded}): this is an older copy; run `chancery restore` with that CRL"
    )]
    Restored {
        /// The number that is being served.
        published: u64,
        /// Its thisUpdate.
        this_update: crate::pki::time::Timestamp,
        /// The last number on record.
        recorded: u64,
    },
    /// No number is left above the last.
    #[error("CRL numbers have run out")]
    NumbersExhausted,
}

/// Why the published CRL could not be taken up again.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is not a whole CRL of this CA.
    #[error(transparent)]
    Crl(#[from] CrlError),
    /// It lacks what every CRL of this CA has.
    #[error("the published CRL has no CRL number or is another CA's")]
    NotOurs,
}

#[cfg(test)]
mod tests;
