//! What is told to the outside: an end that was seen coming, and what became of notifications.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::Act;
use super::printed::hex;

/// See [`Act::ExpiryNoticed`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct ExpiryNoticed {
    /// How long before the end this is to be told, in seconds.
    #[n(0)]
    pub before_seconds: u64,
    /// The same of the last time that it was told; absent if never.
    #[n(1)]
    pub told_before_seconds: Option<u64>,
    /// What ends.
    #[n(2)]
    pub ending: Ending,
}

/// What ends.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Certificates of one template.
    #[n(0)]
    Certificates(#[n(0)] EndingCertificates),
    /// The published CRL, with no newer one though it was due.
    #[n(1)]
    Crl(#[n(0)] EndingCrl),
    /// A CA certificate: this CA's own, or one above it.
    #[n(2)]
    Authority(#[n(0)] EndingAuthority),
    /// The CRL of a CA above this one, as it is served here.
    #[n(7)]
    ParentCrl(#[n(0)] EndingParentCrl),
    /// The OCSP answers about what was issued under one of this CA's keys, with no newer ones
    /// though they were due.
    #[n(8)]
    Answers(#[n(0)] EndingAnswers),
}

/// See [`Ending::Certificates`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct EndingCertificates {
    /// The template's cn.
    #[n(0)]
    pub template: String,
    /// Which, never none.
    #[n(1)]
    pub certificates: Vec<EndingCertificate>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct EndingCertificate {
    /// DER content octets of the serial number.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "hex")]
    pub serial: Vec<u8>,
    /// Seconds since the epoch.
    #[n(1)]
    pub not_after: u64,
}

/// See [`Ending::Crl`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct EndingCrl {
    /// CRL number.
    #[n(0)]
    pub number: u64,
    /// Seconds since the epoch.
    #[n(1)]
    pub next_update: u64,
}

/// See [`Ending::Authority`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct EndingAuthority {
    /// SHA-256 of the CA certificate.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "hex")]
    pub sha256: [u8; 32],
    /// Its subject (RFC 4514).
    #[n(1)]
    pub subject: String,
    /// Seconds since the epoch.
    #[n(2)]
    pub not_after: u64,
}

/// See [`Ending::ParentCrl`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct EndingParentCrl {
    /// SHA-256 of the CRL.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "hex")]
    pub sha256: [u8; 32],
    /// The parent's name (RFC 4514).
    #[n(1)]
    pub issuer_name: String,
    /// CRL number, if it has one that fits 64 bits.
    #[n(2)]
    pub number: Option<u64>,
    /// Seconds since the epoch.
    #[n(3)]
    pub next_update: u64,
    /// Where it is served.
    #[n(4)]
    pub urls: Vec<String>,
}

/// See [`Ending::Answers`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct EndingAnswers {
    /// Key index.
    #[n(0)]
    pub key: u16,
    /// When the first of them end, seconds since the epoch.
    #[n(1)]
    pub next_update: u64,
    /// Why there are none newer.
    #[n(2)]
    pub why: String,
}

/// See [`Act::NotificationsSettled`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct NotificationsSettled {
    /// The endpoint, by its name in the settings.
    #[n(0)]
    pub endpoint: String,
    /// Numbers of the entries that it was told of and has taken.
    #[n(1)]
    pub delivered: Vec<u64>,
    /// Numbers of those that it will not be told of any more.
    #[n(2)]
    pub given_up: Vec<u64>,
    /// How it stands from now on; absent where the endpoint is no more.
    #[n(3)]
    pub standing: Option<Standing>,
}

/// Up to where an endpoint has been told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Standing {
    /// Every entry up to this number is settled or among the waiting.
    #[n(0)]
    pub through: u64,
    /// Numbers of the entries that it is still to be told of, rising.
    #[n(1)]
    pub waiting: Vec<u64>,
}

/// See [`Act::SelfCheckChanged`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct SelfCheckChanged {
    /// What relying parties will refuse: a rule, a colon, and a sentence.
    #[n(0)]
    pub faults: Vec<String>,
    /// What they may refuse, likewise.
    #[n(1)]
    pub warnings: Vec<String>,
}

impl Act {
    /// Whether somebody outside may want to be told.
    pub fn is_notable(&self) -> bool {
        matches!(
            self,
            Self::RequestPended(_)
                | Self::CrlPublished(_)
                | Self::ExpiryNoticed(_)
                | Self::SelfCheckChanged(_)
        )
    }
}
