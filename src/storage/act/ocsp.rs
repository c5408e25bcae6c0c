//! Who signs OCSP answers, and when all of them were signed anew.

use minicbor::{Decode, Encode};
use serde::Serialize;

#[cfg(doc)]
use super::Act;
use super::printed::hex;

/// See [`Act::ResponderAppointed`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct ResponderAppointed {
    /// DER content octets of its certificate's serial number.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "hex")]
    pub serial: Vec<u8>,
    /// SHA-256 of its SubjectPublicKeyInfo.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "hex")]
    pub key_sha256: [u8; 32],
    /// Seconds since the epoch: when its certificate ends, and with it every answer it signs.
    #[n(2)]
    pub not_after: u64,
}

/// See [`Act::AnswersBegun`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct AnswersBegun {
    /// Counts the rounds of this CA.
    #[n(0)]
    pub round: u64,
    /// DER content octets of the serial number of the responder's certificate.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "hex")]
    pub responder: Vec<u8>,
    /// Seconds since the epoch: the earliest thisUpdate of its answers.
    #[n(2)]
    pub this_update: u64,
    /// Seconds since the epoch: the earliest nextUpdate of its answers.
    #[n(3)]
    pub next_update: u64,
    /// The last ledger entry that all of them reflect.
    #[n(4)]
    pub sequence: u64,
}

/// See [`Act::AnswersRenewed`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct AnswersRenewed {
    /// The round.
    #[n(0)]
    pub round: u64,
    /// How many certificates have answers of this round.
    #[n(1)]
    pub certificates: u64,
}
