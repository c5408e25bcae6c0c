//! What stands above this CA, as far as it changes: its parents' CRLs.

use minicbor::{Decode, Encode};
use serde::Serialize;

#[cfg(doc)]
use super::Act;
use super::printed::hex;

/// See [`Act::ParentCrlInstalled`]. The CRL itself stands in a file.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct ParentCrlInstalled {
    /// SHA-256 of the parent's Name and SubjectPublicKeyInfo, one after the other: a renewed
    /// certificate over the same key is the same issuer of CRLs.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "hex")]
    pub issuer: [u8; 32],
    /// The parent's name (RFC 4514).
    #[n(1)]
    pub issuer_name: String,
    /// CRL number, the highest octet first; empty where the CRL has none.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "hex")]
    pub number: Vec<u8>,
    /// Seconds since the epoch.
    #[n(3)]
    pub this_update: u64,
    /// Seconds since the epoch.
    #[n(4)]
    pub next_update: u64,
    /// Its size in octets.
    #[n(5)]
    pub size: u64,
    /// SHA-256 of it.
    #[n(6)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "hex")]
    pub sha256: [u8; 32],
}
