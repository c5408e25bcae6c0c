//! What is asked (RFC 6960 §4.1).

use der::asn1::AnyRef;
use der::{Decode, Sequence};

use super::certificate_id::CertificateId;
use super::extensions;
use crate::pki::certificate::parts::ExtensionPart;
use crate::pki::encoding::Verbatim;

/// The largest request: a CertID has about seventy octets, so some hundred of them, or a
/// signature with its certificates, which are not looked at.
pub const LARGEST_REQUEST: usize = 8 * 1024;

/// ```text
/// OCSPRequest ::= SEQUENCE { tbsRequest TBSRequest, optionalSignature [0] EXPLICIT Signature
///                            OPTIONAL }
/// ```
#[derive(Debug, Sequence)]
struct RequestFields<'a> {
    tbs: TbsRequest<'a>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    signature: Option<AnyRef<'a>>,
}

/// ```text
/// TBSRequest ::= SEQUENCE {
///     version           [0] EXPLICIT Version DEFAULT v1,
///     requestorName     [1] EXPLICIT GeneralName OPTIONAL,
///     requestList           SEQUENCE OF Request,
///     requestExtensions [2] EXPLICIT Extensions OPTIONAL }
/// ```
#[derive(Debug, Sequence)]
struct TbsRequest<'a> {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", default = "Default::default")]
    version: u8,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    requestor: Option<AnyRef<'a>>,
    list: Vec<SingleRequest<'a>>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", default = "Vec::new")]
    extensions: Vec<ExtensionPart<'a>>,
}

/// ```text
/// Request ::= SEQUENCE { reqCert CertID, singleRequestExtensions [0] EXPLICIT Extensions
///                        OPTIONAL }
/// ```
#[derive(Debug, Sequence)]
struct SingleRequest<'a> {
    certificate: Verbatim<'a>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", default = "Vec::new")]
    extensions: Vec<ExtensionPart<'a>>,
}

/// A request, read whole. Who sent it and a signature on it are not looked at (RFC 9919 §3.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcspRequest<'a> {
    /// The certificates that are asked about; at least one.
    pub certificates: Vec<CertificateId<'a>>,
    /// The octets of the nonce's extnValue, to be repeated as they are.
    pub nonce: Option<&'a [u8]>,
}

/// Why it is no request that can be answered; all of them are `malformedRequest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadOcspRequest {
    /// Longer than [`LARGEST_REQUEST`].
    #[error("the request is longer than {LARGEST_REQUEST} octets")]
    TooLong,
    /// Not the structure, or something follows it.
    #[error("not an OCSPRequest in DER (RFC 6960 §4.1.1)")]
    NotARequest,
    /// Version 1 is the only one there is.
    #[error("the version is not 1 (RFC 6960 §4.1.1)")]
    Version,
    /// It asks about nothing.
    #[error("the request list is empty")]
    Empty,
    /// A nonce of no octets or of more than 128.
    #[error("the nonce has not 1 to 128 octets (RFC 9654 §2.1)")]
    NonceLength,
    /// Two nonces.
    #[error("the nonce is there twice")]
    NonceTwice,
    /// A critical extension that is not known here.
    #[error("a critical extension is not known (RFC 6960 §4.4)")]
    UnknownCriticalExtension,
}

impl From<der::Error> for BadOcspRequest {
    fn from(_: der::Error) -> Self {
        Self::NotARequest
    }
}

impl<'a> OcspRequest<'a> {
    /// Reads a request.
    pub fn from_der(der: &'a [u8]) -> Result<Self, BadOcspRequest> {
        if der.len() > LARGEST_REQUEST {
            return Err(BadOcspRequest::TooLong);
        }
        let tbs = RequestFields::from_der(der)?.tbs;
        if tbs.version != 0 {
            return Err(BadOcspRequest::Version);
        }
        let nonce = extensions::nonce(&tbs.extensions)?;
        for single in &tbs.list {
            // A nonce belongs to the whole request (RFC 9654 §2.1); here it says nothing.
            extensions::nonce(&single.extensions)?;
        }
        let ids = tbs.list.iter().map(|single| CertificateId::of(single.certificate.as_bytes()));
        let certificates = ids.collect::<der::Result<Vec<_>>>()?;
        if certificates.is_empty() {
            return Err(BadOcspRequest::Empty);
        }
        Ok(Self { certificates, nonce })
    }
}
