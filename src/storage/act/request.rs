//! Requests and the certificates that answer them.

use minicbor::{Decode, Encode};
use serde::Serialize;

#[cfg(doc)]
use super::Act;
use super::account::AccountSaved;
use super::answer::Idempotency;
use super::printed::{base64, hex};
use super::renewal::Renewal;
use super::scope::Scope;

/// See [`Act::RequestReceived`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct RequestReceived {
    /// Rising, never reused: the request's number.
    #[n(0)]
    pub request_id: u64,
    /// The account whose certificate it shall be (the actor unless on behalf of another).
    #[n(1)]
    pub account: String,
    /// The template's cn.
    #[n(2)]
    pub template: String,
    /// DER of the PKCS#10, or of the CMS message that holds it.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "base64")]
    pub csr: Vec<u8>,
    /// The `Idempotency-Key` it came with.
    #[n(4)]
    pub idempotency: Option<Idempotency>,
    /// Who has signed it beside the requester; then `csr` is the CMS message as sent.
    #[n(5)]
    #[cbor(default)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signers: Vec<RequestSigner>,
    /// The certificate it renews, proven by the certificate's own key.
    #[n(6)]
    pub renewal: Option<Renewal>,
    /// Who asked, as a token described him, where nobody can look him up later.
    #[n(7)]
    pub described: Option<AccountSaved>,
}

/// The holder of a certificate who has signed a request.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct RequestSigner {
    /// DER content octets of the certificate's serial number.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "hex")]
    pub serial: Vec<u8>,
    /// The account it was issued to.
    #[n(1)]
    pub account: String,
}

/// See [`Act::SerialReserved`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct SerialReserved {
    /// The request it answers.
    #[n(0)]
    pub request_id: u64,
    /// DER content octets of the serial number.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "hex")]
    pub serial: Vec<u8>,
    /// DER of the TBSCertificate.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "base64")]
    pub tbs: Vec<u8>,
    /// The smallest scope of CRLs that the certificate is in; absent: everything under the CA's
    /// first key.
    #[n(3)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
}

/// See [`Act::CertificateIssued`]. The certificate is the reserved bytes with this signature.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct CertificateIssued {
    /// The request it answers.
    #[n(0)]
    pub request_id: u64,
    /// The signature, without the BIT STRING's wrapping.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "base64")]
    pub signature: Vec<u8>,
    /// SHA-1 of the certificate.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "hex")]
    pub sha1: [u8; 20],
    /// SHA-256 of the certificate.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "hex")]
    pub sha256: [u8; 32],
    /// The template's cn.
    #[n(4)]
    pub template: String,
    /// The account it was issued to.
    #[n(5)]
    pub account: String,
    /// Seconds since the epoch.
    #[n(6)]
    pub not_after: u64,
    /// Names it can be found by (common names and alternative names), lower case.
    #[n(7)]
    pub names: Vec<String>,
}

/// See [`Act::RequestDenied`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct RequestDenied {
    /// The request.
    #[n(0)]
    pub request_id: u64,
    /// The rule's slug.
    #[n(1)]
    pub rule: String,
    /// The sentence the requester was told.
    #[n(2)]
    pub detail: String,
}

/// Names a request.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct RequestMark {
    /// The request.
    #[n(0)]
    pub request_id: u64,
}

/// See [`Act::RequestFailed`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct RequestFailed {
    /// The request.
    #[n(0)]
    pub request_id: u64,
    /// What went wrong.
    #[n(1)]
    pub detail: String,
}
