//! The CA itself: how it came to be, when it ran, what it was restored from.

use minicbor::{Decode, Encode};
use serde::Serialize;

#[cfg(doc)]
use super::Act;
use super::printed::{base64, base64_list};

/// See [`Act::AuthorityEstablished`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct AuthorityEstablished {
    /// DER of the CA certificate; empty while a subordinate waits for its certificate.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "base64")]
    pub certificate: Vec<u8>,
    /// DER of the certificates above it, nearest first.
    #[n(1)]
    #[serde(serialize_with = "base64_list")]
    pub parents: Vec<Der>,
    /// `[a-z0-9-]+`: the name in files and URLs.
    #[n(2)]
    pub slug: String,
    /// The installation's template arc, `1.3.6.1.4.1.311.21.8.…`, dotted.
    #[n(3)]
    pub template_arc: String,
    /// Where CRL and CA certificate will be found, without a trailing slash; may be empty.
    #[n(4)]
    pub base_urls: Vec<String>,
    /// CRL numbers are at least this (adoption of an existing CA).
    #[n(5)]
    pub next_crl_number: u64,
    /// DER of the certificates that this CA had before, oldest first: what was issued under them
    /// says where they are.
    #[n(6)]
    #[cbor(default)]
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "base64_list")]
    pub earlier: Vec<Der>,
    /// The certificate index of `certificate`, where it is not the last: one of before was
    /// installed again.
    #[n(7)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_index: Option<u32>,
    /// thisUpdate of the latest CRL that was published before an adoption or a restore, in seconds
    /// since the epoch: whoever holds that one must find every later one later.
    #[n(8)]
    #[cbor(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_this_update: Option<u64>,
    /// Cross-certificates between keys of this CA (RFC 4210 §4.4), in the order of their making.
    #[n(9)]
    #[cbor(default)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cross: Vec<CrossCertificate>,
    /// DER of the certificates above the earlier ones, in any order, without those of `parents`.
    #[n(10)]
    #[cbor(default)]
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "base64_list")]
    pub earlier_parents: Vec<Der>,
}

/// One key of the CA certified with another of its keys.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct CrossCertificate {
    /// The certificate index of the certificate whose key it certifies.
    #[n(0)]
    pub subject: u32,
    /// The certificate index of the certificate whose key signed it.
    #[n(1)]
    pub issuer: u32,
    /// DER.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "base64")]
    pub certificate: Vec<u8>,
}

/// See [`Act::AuthorityIntended`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct AuthorityIntended {
    /// DER of the TBSCertificate.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "base64")]
    pub tbs: Vec<u8>,
}

/// DER bytes as a CBOR byte string.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Der(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub Vec<u8>,
);

/// See [`Act::Started`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct Started {
    /// The program's version.
    #[n(0)]
    pub version: String,
}

/// See [`Act::Restored`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct Restored {
    /// Number of the CRL that was learnt from, if one was.
    #[n(0)]
    pub crl_number: Option<u64>,
    /// How many serial numbers it listed that the copy did not know as revoked.
    #[n(1)]
    pub revoked: u64,
}
