//! Certificates revoked, held and released, and the CRLs that say so.

use minicbor::{Decode, Encode};
use serde::Serialize;

#[cfg(doc)]
use super::Act;
use super::printed::{hex, hex_option};
use super::scope::{RevokedScope, Scope};

/// See [`Act::CertificateRevoked`]. The serial number need not be known here: a restore and an
/// adoption record what an earlier CRL lists.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct CertificateRevoked {
    /// DER content octets of the serial number.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "hex")]
    pub serial: Vec<u8>,
    /// Milliseconds since the epoch: the entry's revocationDate.
    #[n(1)]
    pub revoked_at: u64,
    /// CRLReason code (RFC 5280 §5.3.1).
    #[n(2)]
    pub reason: u8,
    /// Milliseconds since the epoch.
    #[n(3)]
    pub invalidity_date: Option<u64>,
    /// Seconds since the epoch: when the certificate ends, as far as known.
    #[n(4)]
    pub not_after: Option<u64>,
    /// SHA-256 of its SubjectPublicKeyInfo, where the reason is keyCompromise.
    #[n(5)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "hex_option")]
    pub key_sha256: Option<[u8; 32]>,
    /// Of a serial number that is not reserved here: which CRLs list it; absent: the complete one
    /// of the CA's first key alone. One that is reserved is listed where its reservation says.
    #[n(6)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<RevokedScope>,
}

/// See [`Act::CertificateReleased`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct CertificateReleased {
    /// DER content octets of the serial number.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "hex")]
    pub serial: Vec<u8>,
}

/// See [`Act::CrlIntended`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct CrlIntended {
    /// CRL number (RFC 5280 §5.2.3).
    #[n(0)]
    pub number: u64,
    /// Seconds since the epoch.
    #[n(1)]
    pub this_update: u64,
    /// Seconds since the epoch.
    #[n(2)]
    pub next_update: u64,
    /// Seconds since the epoch: when the authority means to publish again (…311.21.4).
    #[n(3)]
    pub next_publish: u64,
    /// Digest of the TBSCertList under the CA's signature hash.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "hex")]
    pub tbs_digest: Vec<u8>,
    /// How many entries it has.
    #[n(5)]
    pub entries: u64,
    /// Number of the last ledger entry it reflects.
    #[n(6)]
    pub sequence: Option<u64>,
    /// BaseCRLNumber, which makes it a delta CRL (RFC 5280 §5.2.4).
    #[n(7)]
    pub base: Option<u64>,
    /// Of a complete CRL: the number of the oldest one that a relying party could hold besides.
    #[n(8)]
    pub oldest_held: Option<u64>,
    /// Of a complete CRL: whether it says where deltas are (RFC 5280 §5.2.6).
    #[n(9)]
    pub freshest: Option<bool>,
    /// Which certificates it speaks of; absent: all under the CA's first key.
    #[n(10)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
}

/// See [`Act::CrlPublished`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct CrlPublished {
    /// CRL number.
    #[n(0)]
    pub number: u64,
    /// Its size in octets.
    #[n(1)]
    pub size: u64,
    /// SHA-256 of the whole file.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "hex")]
    pub sha256: [u8; 32],
}
