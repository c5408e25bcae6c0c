//! The acts of the authority as the ledger keeps them: row shapes, not core types.
//!
//! Encoded as CBOR (RFC 8949) with numbered fields. A field is never renumbered nor given
//! another meaning; new ones are optional and come at the end. `Serialize` is for the audit
//! view and the export only: large bytes appear in base64, secrets' hashes not at all. Absent:
//! what an act changes (`index`, `revoked`). Begin with [`Act`]; each kind's fields stand by subject.

mod account;
mod answer;
mod authority;
mod notification;
mod ocsp;
mod parent;
mod printed;
mod renewal;
mod request;
mod revocation;
mod roles;
mod scope;
mod template;

pub use account::{AccountMark, AccountSaved, TokenCreated, TokenMark, TokenUse};
pub use answer::{AnswerRecorded, Idempotency};
pub use authority::{
    AuthorityEstablished, AuthorityIntended, CrossCertificate, Der, Restored, Started,
};
pub use notification::{
    Ending, EndingAnswers, EndingAuthority, EndingCertificate, EndingCertificates, EndingCrl,
    EndingParentCrl, ExpiryNoticed, NotificationsSettled, SelfCheckChanged, Standing,
};
pub use ocsp::{AnswersBegun, AnswersRenewed, ResponderAppointed};
pub use parent::ParentCrlInstalled;
pub use renewal::{Renewal, RetirementCancelled, RetirementScheduled};
pub use request::{
    CertificateIssued, RequestDenied, RequestFailed, RequestMark, RequestReceived, RequestSigner,
    SerialReserved,
};
pub use revocation::{CertificateReleased, CertificateRevoked, CrlIntended, CrlPublished};
pub use roles::{RoleAssigned, RolesSaved};
pub use scope::{CrlsPartitioned, Partition, RevokedScope, Scope};
pub use template::{TemplateMark, TemplateSaved};

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
    /// The roles that accounts and groups have on this CA were changed.
    #[n(24)]
    RolesSaved(#[n(0)] RolesSaved),
    /// A renewed certificate will be revoked as superseded at a moment to come; the certificate
    /// that takes its place is issued in the same commit.
    #[n(27)]
    RetirementScheduled(#[n(0)] RetirementScheduled),
    /// It will not be.
    #[n(28)]
    RetirementCancelled(#[n(0)] RetirementCancelled),
    /// A one-time token was spent; the request that spent it is recorded beside.
    #[n(34)]
    TokenUsed(#[n(0)] TokenUse),
    /// That request came to nothing by no fault of the requester's: it may be used once more.
    #[n(35)]
    TokenReturned(#[n(0)] TokenUse),
    /// A CRL, a CA certificate or certificates end soon: to be told to whoever wants to know.
    #[n(36)]
    ExpiryNoticed(#[n(0)] ExpiryNoticed),
    /// An endpoint of notifications was told, or it was given up.
    #[n(37)]
    NotificationsSettled(#[n(0)] NotificationsSettled),
    /// What is issued under a key is parted among several CRLs from now on, or among more.
    #[n(38)]
    CrlsPartitioned(#[n(0)] CrlsPartitioned),
    /// A CRL of a CA above this one is served here from now on.
    #[n(39)]
    ParentCrlInstalled(#[n(0)] ParentCrlInstalled),
    /// A certificate of ours signs OCSP answers from now on.
    #[n(42)]
    ResponderAppointed(#[n(0)] ResponderAppointed),
    /// All OCSP answers are about to be signed anew, and until the next such act those about
    /// certificates that are issued, revoked or released.
    #[n(43)]
    AnswersBegun(#[n(0)] AnswersBegun),
    /// All of them are.
    #[n(44)]
    AnswersRenewed(#[n(0)] AnswersRenewed),
    /// What the service finds when it looks at itself is not what it found before.
    #[n(45)]
    SelfCheckChanged(#[n(0)] SelfCheckChanged),
}
