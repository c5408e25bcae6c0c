//! Why the authority did not do as asked: one error for the room, each kind with what a door
//! needs to answer.

use crate::directory::DirectoryError;
use crate::pki::denial::{Denial, Rule};
use crate::storage::StoreError;

/// Why not. Doors turn it into their protocol's error; nothing in it is secret.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    /// No valid credential.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The credential was made for one thing, and this is another.
    #[error("{0}")]
    Bound(String),
    /// A client certificate that does not count; the first word is the rule's stable name.
    #[error("{1}")]
    CertificateRefused(&'static str, String),
    /// Only the holder of the certificate may do it, and only by proving that.
    #[error("{0}")]
    PossessionRequired(String),
    /// The role is not enough.
    #[error("{0}")]
    Forbidden(String),
    /// A right that reaches less far; the first word is the rule's stable name.
    #[error("{1}")]
    Withheld(&'static str, String),
    /// No such thing, or none that this requester may see.
    #[error("there is no {0}")]
    NotFound(String),
    /// The input breaks a rule of form; the first word is the rule's stable name.
    #[error("{1}")]
    Invalid(&'static str, String),
    /// The policy module said no; the request with this number is on record as denied.
    #[error("{1}")]
    Denied(u64, Denial),
    /// A rule of issuing forbids this act to this requester; nothing is on record as denied.
    #[error("{1}")]
    Ruled(Rule, String),
    /// It is not in a state in which that can be done; the first word is stable.
    #[error("{1}")]
    Conflict(&'static str, String),
    /// `If-Match` did not match.
    #[error("it was changed meanwhile: its entity tag is now {0}")]
    Changed(String),
    /// It cannot be done now; the first word is stable.
    #[error("{1}")]
    Unavailable(&'static str, String),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        let word = match &error {
            StoreError::Full => "disk-full",
            StoreError::AlreadyThere(what) => {
                return Self::Conflict("already-there", format!("{what} is already there"));
            }
            StoreError::SerialInUse => "serial-in-use",
            StoreError::TokenEnded => return super::requester::REFUSED,
            StoreError::Poisoned(_) => "ledger-unwritable",
            StoreError::Damaged(_) => "ledger-damaged",
            StoreError::Io { .. } => "register-unavailable",
        };
        Self::Unavailable(word, error.to_string())
    }
}

impl From<DirectoryError> for Refusal {
    fn from(error: DirectoryError) -> Self {
        Self::Unavailable("directory-unavailable", error.to_string())
    }
}
