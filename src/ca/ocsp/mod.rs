//! OCSP answers, made beforehand: one thread signs them, everybody else reads what it signed.
//!
//! How law 1 holds. The CA's key signs one thing here, the responder's certificate, and that goes
//! on record as every certificate does. The responder's key signs nothing but what follows from
//! the ledger: an answer says of a certificate on record how it stands after a ledger entry that
//! is on record, within times that are on record. So a *round* is recorded before its first
//! signature (by whom, which times, which ledger entry all of it reflects) and when it is over; an
//! answer between two rounds follows an act that changed a certificate's standing, and that act is
//! its record. An act for each answer would say the same once more, a million times a round.
//! After a crash the ledger therefore tells what may have been signed: for each certificate its
//! standings since the last round began. Whatever the files lack is made again from there.
//!
//! How law 3 holds. The doors read [`AnswerPoint`]: bytes out of a file. The exception is asked
//! for by the protocol: a nonce, or several certificates in one request, make an answer nobody
//! could have made before. It repeats, under a new signature, what the stored answers say; a few
//! threads with a bounded queue do that, and no key of the CA is involved.
//!
//! What ends is judged by the clock, and clocks are put back. So the answers that there are always
//! say what the ledger says, also about whoever has ended; a round only passes over those who have.
//! It is remembered when the last of them ended: by a clock before that somebody is missing who is
//! alive, the doors say `tryLater` and not that he is unknown, and a round makes everybody anew.
//! So does one where the clock was ahead by more than thisUpdate is set back.
//!
//! Absent: who holds the key's file (`cli/serve/responder`), HTTP. Certificates that have ended are
//! not answered any more (RFC 9919 §3.2.3 allows it: `unauthorized`); there is no archive cutoff,
//! since nothing that is signed today needs the standing of a certificate that has ended. Begin
//! with [`AnswerMaker`].

mod asking;
mod clockwork;
mod desk;
mod fresh;
mod making;
mod point;
mod responder;
mod round;
mod schedule;
mod settling;
mod taking_up;

pub use clockwork::{AnswerMaker, EndingAnswers};
#[cfg(test)]
pub(in crate::ca) use desk::Work;
pub use fresh::{Busy, FreshAnswer};
pub use making::Parts;
pub use point::{AnswerPoint, Counts, Found, Nonces, StoredAnswer};
pub use responder::{NoResponder, Responder, ResponderError, Responders};
pub use schedule::AnswerSchedule;

use crate::pki::encoding::NotDer;
use crate::signing::SigningError;
use crate::storage::StoreError;

/// Why there are no new answers. Those that are there are served on until they end.
#[derive(Debug, thiserror::Error)]
pub enum OcspError {
    /// Register or answers.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No signature.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// Nobody to sign.
    #[error("no OCSP responder: {0}")]
    NoResponder(#[from] NoResponder),
    /// Stored entries that are not CRL entries.
    #[error("the encoded CRL entries are damaged")]
    EntriesDamaged,
    /// They cannot be read.
    #[error("reading the CRL entries: {0}")]
    Read(#[from] std::io::Error),
    /// A thread died.
    #[error("a signing thread ended early")]
    ThreadLost,
}

impl From<NotDer> for OcspError {
    fn from(_: NotDer) -> Self {
        Self::EntriesDamaged
    }
}
