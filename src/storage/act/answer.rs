//! What a POST with an `Idempotency-Key` was answered.

use minicbor::{Decode, Encode};
use serde::Serialize;

#[cfg(doc)]
use super::Act;

/// An `Idempotency-Key` and what it was used for.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct Idempotency {
    /// The key as sent.
    #[n(0)]
    pub key: String,
    /// SHA-256 over method, path, query and body.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(skip)]
    pub request_sha256: [u8; 32],
}

/// See [`Act::AnswerRecorded`]. Enrolments need none: their request is on record itself.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct AnswerRecorded {
    /// The key and what it was used for.
    #[n(0)]
    pub idempotency: Idempotency,
    /// HTTP status.
    #[n(1)]
    pub status: u16,
    /// The body; sealed with a key only the caller has where it holds a secret.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(skip)]
    pub body: Vec<u8>,
    /// Location header.
    #[n(3)]
    pub location: Option<String>,
}
