//! Renewing: which certificate a request renews, and when the renewed one is revoked.

use minicbor::{Decode, Encode};
use serde::Serialize;

#[cfg(doc)]
use super::Act;
use super::printed::hex;

/// Which certificate a request renews.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Renewal {
    /// DER content octets of its serial number.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "hex")]
    pub serial: Vec<u8>,
    /// How long after the issuing it is to be revoked as superseded, if that is wanted.
    #[n(1)]
    pub retire_after_seconds: Option<u64>,
}

/// See [`Act::RetirementScheduled`]. Of two for one certificate the earlier moment holds.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct RetirementScheduled {
    /// DER content octets of the serial number.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "hex")]
    pub serial: Vec<u8>,
    /// Milliseconds since the epoch.
    #[n(1)]
    pub due_at: u64,
    /// The request whose certificate takes its place.
    #[n(2)]
    pub request_id: u64,
}

/// See [`Act::RetirementCancelled`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct RetirementCancelled {
    /// DER content octets of the serial number.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "hex")]
    pub serial: Vec<u8>,
}
