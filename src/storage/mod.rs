//! The register: what the authority has done, kept so that nothing acknowledged is lost.
//!
//! The truth is an append-only ledger; the sled index, the file of encoded CRL entries and all
//! other answers are derived from it and can be rebuilt. Absent: keys, clock, randomness, policy.
//! Begin with [`Register`], the contract; then `act`, the ledger's vocabulary.

pub mod act;
pub mod answers;
pub mod backup;
pub mod datadir;
mod derived;
pub mod faulty;
pub mod index;
pub mod ledger;
pub mod open;
pub mod publication;
pub mod publication_copy;
pub mod recording;
pub mod register;
mod replay;
pub mod revoked;
mod row;
mod scrub;
mod state;
#[cfg(test)]
mod tests;

pub use open::{Options, open};
pub use recording::Recording;
pub use register::LedgerRegister;
pub use row::{
    AuditRow, CertificateFilter, CertificateRow, CertificateStatus, CrlEntries, CrlRow, Idempotent,
    Lineage, Listing, Orphan, Page, RequestFilter, RequestRow, StandingRow, Subject, TemplateRow,
    TokenRow,
};

use act::{AccountSaved, AuthorityEstablished, CrlsPartitioned, Entry, RolesSaved};

use crate::pki::revocation::Revocation;
use crate::pki::revocation_list::CrlScope;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;

/// The register in the authority's own verbs. Every method may be called from any thread; none
/// reads a clock.
pub trait Register: Send + Sync {
    /// Hands `entries` over to be put on record, all or none. What comes back is done once they are
    /// durable (the ledger is synced) and visible to every query below. Many callers share one sync.
    ///
    /// After `Err(StoreError::Full)`, `SerialInUse` or `AlreadyThere` nothing of it is on record.
    /// After `Poisoned` it is unknown whether it is, nothing is acknowledged, and every later
    /// commit fails until the process starts anew: a failed sync is never retried as if it had
    /// not happened.
    ///
    /// Unique are request numbers, serial numbers (those listed as revoked here count as used),
    /// tokens, and accounts by revision: an `AccountSaved` whose revision is not above the one on
    /// record is `AlreadyThere`, so that of two changes made at once only one is recorded.
    fn submit(&self, entries: Vec<Entry>, urgency: Urgency) -> Recording;

    /// The same for callers that have a thread to wait with.
    fn commit(&self, entries: Vec<Entry>, urgency: Urgency) -> Result<(), StoreError> {
        recording::wait(self.submit(entries, urgency))
    }

    /// A request number that is on no record and that this process never gave before. (One that
    /// was given before a crash but never committed may come again: nobody was told of it.)
    fn next_request_id(&self) -> u64;

    /// What stands in the way of new issues, revocations or reads.
    fn health(&self) -> Health;

    /// The last committed entry's number and hash, and the latest time on record.
    fn head(&self) -> Head;

    /// The CA as established last; `None` before `init`.
    fn authority(&self) -> Result<Option<AuthorityEstablished>, StoreError>;

    /// The roles that accounts and groups have, as saved last; `None` if they never were.
    fn roles(&self) -> Result<Option<RolesSaved>, StoreError>;

    /// One request.
    fn request(&self, request_id: u64) -> Result<Option<RequestRow>, StoreError>;

    /// Requests, newest first.
    fn requests(
        &self,
        filter: &RequestFilter,
        page: Page,
    ) -> Result<Listing<RequestRow>, StoreError>;

    /// One certificate.
    fn certificate(&self, serial: &SerialNumber) -> Result<Option<CertificateRow>, StoreError>;

    /// Certificates, newest first, from an index whatever the filter.
    fn certificates(
        &self,
        filter: &CertificateFilter,
        page: Page,
    ) -> Result<Listing<CertificateRow>, StoreError>;

    /// Requests whose serial number is reserved and whose certificate is not on record as issued
    /// (law 1: their signature may exist).
    fn orphans(&self) -> Result<Vec<Orphan>, StoreError>;

    /// Whether a certificate over this key (SHA-256 of the SubjectPublicKeyInfo) was revoked for
    /// keyCompromise.
    fn is_compromised(&self, key_sha256: &[u8; 32]) -> Result<bool, StoreError>;

    /// How a serial number stands, whether or not its certificate is known here.
    fn revocation(&self, serial: &SerialNumber) -> Result<Option<Revocation>, StoreError>;

    /// Issued certificates by request number, from the one after `after`, and how they stand.
    /// Other serial numbers that were revoked here are among the CRL entries alone.
    fn certificate_standings(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Listing<StandingRow>, StoreError>;

    /// The same of one serial number; nothing where no certificate has it.
    fn certificate_standing(
        &self,
        serial: &SerialNumber,
    ) -> Result<Option<StandingRow>, StoreError>;

    /// Certificates that are to be retired up to and with the moment `due`, the earliest first.
    /// Whatever is revoked for good meanwhile, or cancelled, is not among them.
    fn retirements(&self, due: Timestamp, limit: usize) -> Result<Vec<SerialNumber>, StoreError>;

    /// Requests that wait for a certificate manager since `moment` or longer, the longest first.
    fn pending_since(&self, moment: Timestamp, limit: usize) -> Result<Vec<u64>, StoreError>;

    /// What a certificate renews, what renews it, and when it is to be retired.
    fn lineage(&self, serial: &SerialNumber) -> Result<Lineage, StoreError>;

    /// Entries of the next CRL of a scope, encoded: every serial number in it that is revoked now
    /// and whose certificate had not ended before `ended_before` (RFC 5280 §3.3: one more CRL after
    /// the end). A serial number whose partition is not known is in every one of its key.
    fn crl_entries(
        &self,
        scope: CrlScope,
        ended_before: Timestamp,
    ) -> Result<CrlEntries, StoreError>;

    /// The encoded CRL entries as they are kept, of which some may count no more (released, or
    /// their certificate has ended). None of a certificate that is alive at `now` is missing.
    fn revoked_entries(&self, scope: CrlScope, now: Timestamp) -> Result<CrlEntries, StoreError>;

    /// Entries of a delta CRL of a scope, encoded: every serial number in it whose state changed
    /// after ledger entry `after`, as it stands now; released ones with the reason removeFromCRL.
    /// Of certificates that have ended at `now` some may be missing, or be said to be released.
    fn crl_changes(
        &self,
        scope: CrlScope,
        after: u64,
        now: Timestamp,
    ) -> Result<CrlEntries, StoreError>;

    /// Number of the ledger entry that made this serial number what it is: its revocation, its
    /// hold, or the release from that. Nothing if there never was one.
    fn revocation_sequence(&self, serial: &SerialNumber) -> Result<Option<u64>, StoreError>;

    /// CRLs on record, newest first; of one scope, or of all.
    fn crls(&self, scope: Option<CrlScope>, page: Page) -> Result<Listing<CrlRow>, StoreError>;

    /// The CRL with the lowest number, base or delta, that speaks of the certificates of `scope`,
    /// was published and reflects ledger entry `sequence`.
    fn first_crl(&self, scope: CrlScope, sequence: u64) -> Result<Option<CrlRow>, StoreError>;

    /// Among how many CRLs what is issued under a key of the CA is parted; `None` if among none but
    /// the complete one.
    fn partitions(&self, key: u16) -> Result<Option<CrlsPartitioned>, StoreError>;

    /// All templates, by cn.
    fn templates(&self) -> Result<Vec<TemplateRow>, StoreError>;

    /// One account; the name is compared without regard to ASCII case.
    fn account(&self, name: &str) -> Result<Option<AccountSaved>, StoreError>;

    /// Accounts by name.
    fn accounts(&self, after: Option<&str>, limit: usize) -> Result<Vec<AccountSaved>, StoreError>;

    /// The token with this hash of its secret, revoked or expired ones too.
    fn token_by_hash(&self, sha256: &[u8; 32]) -> Result<Option<TokenRow>, StoreError>;

    /// One token by its public identifier.
    fn token(&self, id: &str) -> Result<Option<TokenRow>, StoreError>;

    /// Tokens by identifier.
    fn tokens(&self, after: Option<&str>, limit: usize) -> Result<Vec<TokenRow>, StoreError>;

    /// The one-time token that a request spent, if it came by one.
    fn token_spent_by(&self, request_id: u64) -> Result<Option<String>, StoreError>;

    /// What an account's `Idempotency-Key` was used for, if that was not before `since`.
    fn idempotent(
        &self,
        account: &str,
        key: &str,
        since: Timestamp,
    ) -> Result<Option<Idempotent>, StoreError>;

    /// Acts that notifications tell of, oldest first, from entry number `from`.
    fn notable(&self, from: u64, limit: usize) -> Result<Vec<AuditRow>, StoreError>;

    /// How every endpoint of notifications stands, by its name.
    fn standings(&self) -> Result<Vec<(String, act::Standing)>, StoreError>;

    /// What the service found last when it looked at itself; `None` if it never found anything.
    fn self_check(&self) -> Result<Option<act::SelfCheckChanged>, StoreError>;

    /// The CRL of a parent that was installed last, by [`act::ParentCrlInstalled::issuer`].
    fn parent_crl(&self, issuer: &[u8; 32]) -> Result<Option<act::ParentCrlInstalled>, StoreError>;

    /// How many seconds before its end an end was told last; `None` if it never was.
    fn told(&self, subject: &Subject) -> Result<Option<u64>, StoreError>;

    /// The ledger itself, oldest first, from entry number `from`.
    fn entries(&self, from: u64, limit: usize) -> Result<Vec<AuditRow>, StoreError>;
}

/// Whether a commit may use the reserve that is set aside for a full disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Issuing and administration: refused when space is short.
    Ordinary,
    /// Revoking and publishing: goes on out of the reserve.
    Reserved,
}

/// Why the register could not do as asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// No space, and this commit may not use the reserve. Nothing was recorded.
    #[error("the disk is full: nothing was recorded")]
    Full,
    /// The serial number was taken before. Nothing was recorded.
    #[error("the serial number is already in use")]
    SerialInUse,
    /// A unique name (account, token, template) was taken between look and commit.
    #[error("{0} is already there")]
    AlreadyThere(String),
    /// A token was used up, or revoked, between look and commit. Nothing was recorded.
    #[error("the token was used up or revoked")]
    TokenEnded,
    /// An earlier write or sync failed: this process writes no more.
    #[error("the ledger cannot be written: {0}")]
    Poisoned(String),
    /// A record cannot be read back: no new issues until an operator has looked.
    #[error("the ledger is damaged: {0}")]
    Damaged(String),
    /// The operating system refused something.
    #[error("{doing}: {reason}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        reason: String,
    },
}

/// What stands in the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Set when the ledger is damaged.
    pub damaged: Option<String>,
    /// Set when a write or sync failed.
    pub poisoned: Option<String>,
    /// Set when only the reserve is left.
    pub full: Option<String>,
}

/// Where the ledger ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of entries so far.
    pub sequence: u64,
    /// Hash of the last one, which covers all before it.
    pub hash: [u8; 32],
    /// The latest time on record.
    pub latest: Timestamp,
}
