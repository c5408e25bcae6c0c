//! What was found at the addresses that certificates and CRLs name.

use super::fetch::NotFetched;
use crate::pki::presented::{PresentedAnswer, PresentedCrl};

/// What somebody wanted from an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sought {
    /// An issuer's certificate.
    Issuer,
    /// A complete CRL.
    Crl,
    /// A delta CRL.
    Delta,
    /// An OCSP answer.
    Answer,
}

impl Sought {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Crl => "crl",
            Self::Delta => "delta-crl",
            Self::Answer => "ocsp",
        }
    }
}

/// An address that was looked up, or was to be.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// The URL.
    pub url: String,
    /// What for.
    pub sought: Sought,
    /// The size of what came, or why nothing did.
    pub outcome: Result<usize, NotFetched>,
    /// The server's clock against ours.
    pub clock_ahead_seconds: Option<i64>,
}

/// A CRL, or why there is none at a place where one should be.
#[derive(Clone, Debug)]
pub struct CrlEvidence {
    /// The URL; none if it was given by hand.
    pub url: Option<String>,
    /// What was there.
    pub outcome: Result<PresentedCrl, NoCrl>,
}

impl CrlEvidence {
    /// `CRL at http://…`, or `CRL given by hand`.
    pub fn words(&self) -> String {
        match &self.url {
            Some(url) => format!("CRL at {url}"),
            None => "CRL given by hand".to_owned(),
        }
    }
}

/// Why there is no CRL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCrl {
    /// It could not be had.
    #[error(transparent)]
    NotFetched(NotFetched),
    /// PEM, which RFC 5280 §4.2.1.13 does not allow there.
    #[error("a CRL in PEM instead of DER")]
    Pem,
    /// Something else.
    #[error("no CRL in DER")]
    NotACrl,
}

/// What an OCSP responder says of a certificate.
#[derive(Clone, Debug)]
pub struct AnswerEvidence {
    /// The responder's URL.
    pub url: String,
    /// Its answer.
    pub outcome: Result<PresentedAnswer, NoAnswer>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// It could not be had.
    #[error(transparent)]
    NotFetched(NotFetched),
    /// Something else came.
    #[error("no OCSP answer in DER")]
    NotAnAnswer,
}

/// What there is about the revocation of one certificate.
#[derive(Clone, Debug, Default)]
pub struct Revocation {
    /// Complete CRLs, from every place that is named, in that order.
    pub crls: Vec<CrlEvidence>,
    /// Delta CRLs, likewise.
    pub deltas: Vec<CrlEvidence>,
    /// OCSP answers, from every responder that is named.
    pub answers: Vec<AnswerEvidence>,
}
