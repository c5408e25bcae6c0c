//! What the register answers with: rows, pages of rows, and what they are looked for by.

use super::act::{self, AccountSaved, AnswerRecorded, Entry, TokenCreated};
use crate::pki::disposition::Disposition;
use crate::pki::revocation::Revocation;
use crate::pki::revocation_list::{CrlKind, CrlScope};
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
/// Which page of a listing.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The cursor that the page before ended with.
    pub after: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

/// A page of rows.
#[derive(Clone, Debug)]
pub struct Listing<Row> {
    /// The rows.
    pub rows: Vec<Row>,
    /// Set when there may be more.
    pub next: Option<u64>,
}

/// A request and what became of it.
#[derive(Clone, Debug)]
pub struct RequestRow {
    /// Its number.
    pub request_id: u64,
    /// When it came.
    pub received_at: Timestamp,
    /// Who submitted it.
    pub requester: String,
    /// Whose certificate it shall be.
    pub account: String,
    /// The template's cn.
    pub template: String,
    /// DER of the PKCS#10, or of the CMS message that holds it.
    pub csr: Vec<u8>,
    /// What became of it.
    pub disposition: Disposition,
    /// When that was decided, if it was.
    pub resolved_at: Option<Timestamp>,
    /// Who decided: a manager, or nobody for the policy module.
    pub resolved_by: Option<String>,
    /// Denied: the rule's slug. Failed: `failed`.
    pub rule: Option<String>,
    /// Denied or failed: the sentence.
    pub detail: Option<String>,
    /// The certificate's serial number once reserved.
    pub serial: Option<SerialNumber>,
    /// Who has signed it beside the requester.
    pub signers: Vec<act::RequestSigner>,
    /// Its `Idempotency-Key` record.
    pub idempotency: Option<act::Idempotency>,
    /// The certificate it renews.
    pub renewal: Option<act::Renewal>,
    /// Who asked, where only a token described him.
    pub described: Option<AccountSaved>,
}

/// What came before a certificate, and what comes after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineage {
    /// The certificate it renews.
    pub renewal_of: Option<SerialNumber>,
    /// The certificates that renew it, oldest first.
    pub renewed_by: Vec<SerialNumber>,
    /// When it is to be revoked as superseded.
    pub retires_at: Option<Timestamp>,
}

/// A certificate and how it stands.
#[derive(Clone, Debug)]
pub struct CertificateRow {
    /// Its serial number.
    pub serial: SerialNumber,
    /// The smallest scope of CRLs that it is in.
    pub scope: CrlScope,
    /// The request it answers: also the listing's cursor.
    pub request_id: u64,
    /// DER of the certificate.
    pub certificate: Vec<u8>,
    /// Who submitted the request.
    pub requester: String,
    /// Who it was issued to.
    pub account: String,
    /// The template's cn.
    pub template: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub not_after: Timestamp,
    /// Set while it is revoked or held.
    pub revocation: Option<Revocation>,
}

/// An issued certificate and how it stands, without the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandingRow {
    /// The request it answers: also the listing's cursor.
    pub request_id: u64,
    /// Its serial number.
    pub serial: SerialNumber,
    /// The smallest scope of CRLs that it is in.
    pub scope: CrlScope,
    /// When it ends.
    pub not_after: Timestamp,
    /// Set while it is revoked or held.
    pub revocation: Option<Revocation>,
}

/// How a certificate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateStatus {
    /// Neither revoked nor held nor expired.
    Good,
    /// Revoked, hold excepted.
    Revoked,
    /// On hold.
    Held,
    /// Ended, and neither revoked nor held.
    Expired,
}

/// Which certificates; absent fields do not restrict.
#[derive(Clone, Debug, Default)]
pub struct CertificateFilter {
    /// The template's cn.
    pub template: Option<String>,
    /// The account it was issued to.
    pub account: Option<String>,
    /// How it stands at `now`.
    pub status: Option<(CertificateStatus, Timestamp)>,
    /// A common or alternative name, whole, without regard to ASCII case.
    pub name: Option<String>,
    /// SHA-1 thumbprint.
    pub sha1: Option<[u8; 20]>,
    /// SHA-256 thumbprint.
    pub sha256: Option<[u8; 32]>,
    /// Ends before.
    pub expires_before: Option<Timestamp>,
    /// Only among so many of the account's newest requests, where the account is what they are
    /// found by.
    pub among_newest: Option<usize>,
}

/// Which requests; absent fields do not restrict.
#[derive(Clone, Debug, Default)]
pub struct RequestFilter {
    /// The template's cn.
    pub template: Option<String>,
    /// The account it is for, or that submitted it.
    pub account: Option<String>,
    /// What became of it.
    pub disposition: Option<Disposition>,
}

/// A reservation without an outcome.
#[derive(Clone, Debug)]
pub struct Orphan {
    /// The request.
    pub request: RequestRow,
    /// The reserved serial number.
    pub serial: SerialNumber,
    /// The smallest scope of CRLs that it was reserved in.
    pub scope: CrlScope,
    /// The reserved to-be-signed bytes.
    pub tbs: Vec<u8>,
    /// When they were reserved.
    pub reserved_at: Timestamp,
}

/// A snapshot of the encoded CRL entries: stays readable while later ones are added.
#[derive(Debug)]
pub struct CrlEntries {
    /// How many.
    pub count: u64,
    /// How many octets they fill, from the start of `file`.
    pub length: u64,
    /// The encoded entries one after another: `SEQUENCE { serial, date, extensions }`, each.
    pub file: std::fs::File,
    /// Number of the last ledger entry that is reflected.
    pub sequence: u64,
}

/// A CRL on record.
#[derive(Clone, Debug)]
pub struct CrlRow {
    /// CRL number: also the listing's cursor.
    pub number: u64,
    /// When it was made, by the clock of that time.
    pub intended: Timestamp,
    /// thisUpdate.
    pub this_update: Timestamp,
    /// nextUpdate.
    pub next_update: Timestamp,
    /// When the next one is meant to come.
    pub next_publish: Timestamp,
    /// Digest of the TBSCertList.
    pub tbs_digest: Vec<u8>,
    /// How many entries.
    pub entries: u64,
    /// When it was put at its publication point, its size and SHA-256; absent if never.
    pub published: Option<(Timestamp, u64, [u8; 32])>,
    /// Number of the last ledger entry it reflects; not known of those that earlier versions made.
    pub sequence: Option<u64>,
    /// The whole list, or what changed since.
    pub kind: CrlKind,
    /// The oldest complete CRL that a relying party could hold when this one was made.
    pub oldest_held: Option<u64>,
    /// Whether it says where deltas are.
    pub freshest: bool,
    /// Which certificates it speaks of.
    pub scope: CrlScope,
}

/// A template as stored.
#[derive(Clone, Debug)]
pub struct TemplateRow {
    /// cn.
    pub cn: String,
    /// The template file's JSON text.
    pub json: String,
    /// Whether this CA issues it.
    pub published: bool,
}

/// A token and how it stands.
#[derive(Clone, Debug)]
pub struct TokenRow {
    /// As it was made.
    pub token: TokenCreated,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom; none where the operator made it with the data directory.
    pub made_by: Option<String>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// When it was used up and by which request, if it was.
    pub used: Option<(Timestamp, u64)>,
}

/// What an `Idempotency-Key` was used for.
#[derive(Clone, Debug)]
pub enum Idempotent {
    /// An enrolment: its answer is made anew from the register.
    Request {
        /// The request.
        request_id: u64,
        /// SHA-256 over what was sent.
        request_sha256: [u8; 32],
    },
    /// Another POST, with the answer it got.
    Answer(AnswerRecorded),
}

/// Something whose end is told before it comes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A certificate that was issued here.
    Certificate(SerialNumber),
    /// A CRL, by its number.
    Crl(u64),
    /// A CA certificate, by its SHA-256.
    Authority([u8; 32]),
    /// A CRL of a CA above this one, by its SHA-256.
    ParentCrl([u8; 32]),
    /// The OCSP answers about what was issued under a key, by its index and their nextUpdate in
    /// seconds.
    Answers(u16, u64),
}

/// A ledger entry with its place in the chain.
#[derive(Clone, Debug)]
pub struct AuditRow {
    /// Its number, from 1.
    pub sequence: u64,
    /// Its hash, which covers all before it.
    pub hash: [u8; 32],
    /// The entry.
    pub entry: Entry,
}
