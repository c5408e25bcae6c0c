//! The acts of the authority as the ledger keeps them: row shapes, not core types.
//!
//! Encoded as CBOR (RFC 8949) with numbered fields. A field is never renumbered nor given
//! another meaning; new ones are optional and come at the end. `Serialize` is for the audit
//! view and the export only: large bytes appear in base64, secrets' hashes not at all.

use minicbor::{Decode, Encode};
use serde::Serialize;

/// One line of the ledger: an act, when and by whom.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct Entry {
    /// Milliseconds since the epoch, by the clock of the door it came through.
    #[n(0)]
    pub at: u64,
    /// The account that acted; absent where the authority acted by itself.
    #[n(1)]
    pub actor: Option<String>,
    /// What was done.
    #[n(2)]
    pub act: Act,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// The CA came to be (or was adopted, or got its certificate from its parent).
    #[n(0)]
    AuthorityEstablished(#[n(0)] AuthorityEstablished),
    /// A certificate request arrived.
    #[n(1)]
    RequestReceived(#[n(0)] RequestReceived),
    /// A to-be-signed certificate was built and its serial number taken.
    #[n(2)]
    SerialReserved(#[n(0)] SerialReserved),
    /// It was signed and the signature verified.
    #[n(3)]
    CertificateIssued(#[n(0)] CertificateIssued),
    /// A request was denied.
    #[n(4)]
    RequestDenied(#[n(0)] RequestDenied),
    /// A request waits for a certificate manager.
    #[n(5)]
    RequestPended(#[n(0)] RequestMark),
    /// A certificate manager approved it; a reservation follows.
    #[n(6)]
    RequestApproved(#[n(0)] RequestMark),
    /// A request could not be completed; its serial number, if it had one, is revoked beside.
    #[n(7)]
    RequestFailed(#[n(0)] RequestFailed),
    /// A certificate was revoked or put on hold.
    #[n(8)]
    CertificateRevoked(#[n(0)] CertificateRevoked),
    /// A hold was taken back.
    #[n(9)]
    CertificateReleased(#[n(0)] CertificateReleased),
    /// A CRL is about to be signed.
    #[n(10)]
    CrlIntended(#[n(0)] CrlIntended),
    /// It stands at its publication point.
    #[n(11)]
    CrlPublished(#[n(0)] CrlPublished),
    /// A template was made or changed.
    #[n(12)]
    TemplateSaved(#[n(0)] TemplateSaved),
    /// A template was deleted.
    #[n(13)]
    TemplateDeleted(#[n(0)] TemplateMark),
    /// "Certificate template to issue": this CA now issues it.
    #[n(14)]
    TemplatePublished(#[n(0)] TemplateMark),
    /// This CA no longer issues it.
    #[n(15)]
    TemplateUnpublished(#[n(0)] TemplateMark),
    /// An account was made or changed (its roles among it).
    #[n(16)]
    AccountSaved(#[n(0)] AccountSaved),
    /// An account was deleted.
    #[n(17)]
    AccountDeleted(#[n(0)] AccountMark),
    /// A bearer token was made.
    #[n(18)]
    TokenCreated(#[n(0)] TokenCreated),
    /// A bearer token was revoked.
    #[n(19)]
    TokenRevoked(#[n(0)] TokenMark),
    /// The answer to a POST that carried an `Idempotency-Key`.
    #[n(20)]
    AnswerRecorded(#[n(0)] AnswerRecorded),
    /// The service started.
    #[n(21)]
    Started(#[n(0)] Started),
    /// The ledger was restored from a copy; revocations learnt from a CRL stand beside.
    #[n(22)]
    Restored(#[n(0)] Restored),
    /// The CA's own certificate is about to be signed by its own key (law 1 holds for it too).
    #[n(23)]
    AuthorityIntended(#[n(0)] AuthorityIntended),
}

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
    /// DER of the PKCS#10.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(serialize_with = "base64")]
    pub csr: Vec<u8>,
    /// The `Idempotency-Key` it came with.
    #[n(4)]
    pub idempotency: Option<Idempotency>,
}

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

/// See [`Act::TemplateSaved`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct TemplateSaved {
    /// cn.
    #[n(0)]
    pub cn: String,
    /// The template file's JSON text.
    #[n(1)]
    pub json: String,
}

/// Names a template.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct TemplateMark {
    /// cn.
    #[n(0)]
    pub cn: String,
}

/// See [`Act::AccountSaved`]; the fields are those of `pki::account::Account`.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct AccountSaved {
    /// sAMAccountName.
    #[n(0)]
    pub name: String,
    /// `user`, `computer` or `service`.
    #[n(1)]
    pub kind: String,
    /// cn.
    #[n(2)]
    pub cn: Option<String>,
    /// displayName.
    #[n(3)]
    pub display_name: Option<String>,
    /// distinguishedName.
    #[n(4)]
    pub distinguished_name: Option<String>,
    /// userPrincipalName.
    #[n(5)]
    pub user_principal_name: Option<String>,
    /// mail.
    #[n(6)]
    pub mail: Option<String>,
    /// dNSHostName.
    #[n(7)]
    pub dns_host_name: Option<String>,
    /// objectSid.
    #[n(8)]
    pub object_sid: Option<String>,
    /// objectGUID.
    #[n(9)]
    pub object_guid: Option<String>,
    /// Groups.
    #[n(10)]
    pub groups: Vec<String>,
    /// Whether it may authenticate and be certified.
    #[n(11)]
    pub enabled: bool,
    /// Roles on this CA: `administrator`, `certificate_manager`, `auditor`.
    #[n(12)]
    pub roles: Vec<String>,
    /// Milliseconds since the epoch.
    #[n(13)]
    pub created_at: u64,
    /// Counts the changes from 1: the entity tag.
    #[n(14)]
    pub revision: u64,
}

/// Names an account.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct AccountMark {
    /// sAMAccountName.
    #[n(0)]
    pub name: String,
}

/// See [`Act::TokenCreated`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct TokenCreated {
    /// Public identifier, `[a-z0-9]+`.
    #[n(0)]
    pub id: String,
    /// SHA-256 of the secret.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    #[serde(skip)]
    pub sha256: [u8; 32],
    /// The account it speaks for.
    #[n(2)]
    pub account: String,
    /// Milliseconds since the epoch.
    #[n(3)]
    pub expires_at: u64,
    /// What it is for, in the maker's words.
    #[n(4)]
    pub description: Option<String>,
}

/// Names a token.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct TokenMark {
    /// Its public identifier.
    #[n(0)]
    pub id: String,
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

fn base64<S: serde::Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
    use base64::Engine as _;
    out.serialize_str(&base64::engine::general_purpose::STANDARD.encode(bytes))
}

fn base64_list<S: serde::Serializer>(list: &[Der], out: S) -> Result<S::Ok, S::Error> {
    use base64::Engine as _;
    out.collect_seq(
        list.iter().map(|item| base64::engine::general_purpose::STANDARD.encode(&item.0)),
    )
}

fn hex<S: serde::Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&bytes.iter().map(|octet| format!("{octet:02x}")).collect::<String>())
}

fn hex_option<S: serde::Serializer>(bytes: &Option<[u8; 32]>, out: S) -> Result<S::Ok, S::Error> {
    match bytes {
        Some(bytes) => hex(bytes, out),
        None => out.serialize_none(),
    }
}
