//! A test double: a register that fails one commit, before or after it is on record.
//!
//! An ordinary module so that other rooms' tests can use it. Queries pass through.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::act::{AccountSaved, AuthorityEstablished, CrlsPartitioned, Entry, RolesSaved};
use super::*;

/// When a commit fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing of it is on record.
    BeforePersisting,
    /// All of it is on record, and the caller does not know.
    AfterPersisting,
    /// The disk is full at this commit, and no more at the next.
    FullOnce,
}

/// Passes everything on to another register, but fails its `nth` commit (from 1) and, as the
/// contract has it, every one after that but where the disk was full.
pub struct FaultyRegister {
    inner: Arc<dyn Register>,
    nth: u64,
    fault: Fault,
    commits: AtomicU64,
}

impl FaultyRegister {
    /// Fails commit `nth`, counted from 1.
    pub fn new(inner: Arc<dyn Register>, nth: u64, fault: Fault) -> Self {
        Self { inner, nth, fault, commits: AtomicU64::new(0) }
    }

    /// How many commits were asked for.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    fn poisoned() -> StoreError {
        StoreError::Poisoned("a fault was injected".to_owned())
    }
}

impl Register for FaultyRegister {
    fn submit(&self, entries: Vec<Entry>, urgency: Urgency) -> Recording {
        let number = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
        if number < self.nth {
            return self.inner.submit(entries, urgency);
        }
        let outcome = match self.fault {
            Fault::FullOnce if number == self.nth => Err(StoreError::Full),
            Fault::FullOnce => return self.inner.submit(entries, urgency),
            Fault::AfterPersisting if number == self.nth => {
                self.inner.commit(entries, urgency).and(Err(Self::poisoned()))
            }
            Fault::AfterPersisting | Fault::BeforePersisting => Err(Self::poisoned()),
        };
        Recording::settled(outcome)
    }

    fn health(&self) -> Health {
        let mut health = self.inner.health();
        if self.commits() >= self.nth && self.fault != Fault::FullOnce {
            health.poisoned = Some(Self::poisoned().to_string());
        }
        health
    }

    fn next_request_id(&self) -> u64 {
        self.inner.next_request_id()
    }

    fn head(&self) -> Head {
        self.inner.head()
    }

    fn authority(&self) -> Result<Option<AuthorityEstablished>, StoreError> {
        self.inner.authority()
    }

    fn roles(&self) -> Result<Option<RolesSaved>, StoreError> {
        self.inner.roles()
    }

    fn request(&self, request_id: u64) -> Result<Option<RequestRow>, StoreError> {
        self.inner.request(request_id)
    }

    fn requests(
        &self,
        filter: &RequestFilter,
        page: Page,
    ) -> Result<Listing<RequestRow>, StoreError> {
        self.inner.requests(filter, page)
    }

    fn certificate(&self, serial: &SerialNumber) -> Result<Option<CertificateRow>, StoreError> {
        self.inner.certificate(serial)
    }

    fn certificates(
        &self,
        filter: &CertificateFilter,
        page: Page,
    ) -> Result<Listing<CertificateRow>, StoreError> {
        self.inner.certificates(filter, page)
    }

    fn orphans(&self) -> Result<Vec<Orphan>, StoreError> {
        self.inner.orphans()
    }

    fn is_compromised(&self, key_sha256: &[u8; 32]) -> Result<bool, StoreError> {
        self.inner.is_compromised(key_sha256)
    }

    fn revocation(&self, serial: &SerialNumber) -> Result<Option<Revocation>, StoreError> {
        self.inner.revocation(serial)
    }

    fn certificate_standings(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Listing<StandingRow>, StoreError> {
        self.inner.certificate_standings(after, limit)
    }

    fn certificate_standing(
        &self,
        serial: &SerialNumber,
    ) -> Result<Option<StandingRow>, StoreError> {
        self.inner.certificate_standing(serial)
    }

    fn retirements(&self, due: Timestamp, limit: usize) -> Result<Vec<SerialNumber>, StoreError> {
        self.inner.retirements(due, limit)
    }

    fn pending_since(&self, moment: Timestamp, limit: usize) -> Result<Vec<u64>, StoreError> {
        self.inner.pending_since(moment, limit)
    }

    fn lineage(&self, serial: &SerialNumber) -> Result<Lineage, StoreError> {
        self.inner.lineage(serial)
    }

    fn crl_entries(
        &self,
        scope: CrlScope,
        ended_before: Timestamp,
    ) -> Result<CrlEntries, StoreError> {
        self.inner.crl_entries(scope, ended_before)
    }

    fn revoked_entries(&self, scope: CrlScope, now: Timestamp) -> Result<CrlEntries, StoreError> {
        self.inner.revoked_entries(scope, now)
    }

    fn crl_changes(
        &self,
        scope: CrlScope,
        after: u64,
        now: Timestamp,
    ) -> Result<CrlEntries, StoreError> {
        self.inner.crl_changes(scope, after, now)
    }

    fn revocation_sequence(&self, serial: &SerialNumber) -> Result<Option<u64>, StoreError> {
        self.inner.revocation_sequence(serial)
    }

    fn first_crl(&self, scope: CrlScope, sequence: u64) -> Result<Option<CrlRow>, StoreError> {
        self.inner.first_crl(scope, sequence)
    }

    fn partitions(&self, key: u16) -> Result<Option<CrlsPartitioned>, StoreError> {
        self.inner.partitions(key)
    }

    fn crls(&self, scope: Option<CrlScope>, page: Page) -> Result<Listing<CrlRow>, StoreError> {
        self.inner.crls(scope, page)
    }

    fn templates(&self) -> Result<Vec<TemplateRow>, StoreError> {
        self.inner.templates()
    }

    fn account(&self, name: &str) -> Result<Option<AccountSaved>, StoreError> {
        self.inner.account(name)
    }

    fn accounts(&self, after: Option<&str>, limit: usize) -> Result<Vec<AccountSaved>, StoreError> {
        self.inner.accounts(after, limit)
    }

    fn token_by_hash(&self, sha256: &[u8; 32]) -> Result<Option<TokenRow>, StoreError> {
        self.inner.token_by_hash(sha256)
    }

    fn token(&self, id: &str) -> Result<Option<TokenRow>, StoreError> {
        self.inner.token(id)
    }

    fn tokens(&self, after: Option<&str>, limit: usize) -> Result<Vec<TokenRow>, StoreError> {
        self.inner.tokens(after, limit)
    }

    fn token_spent_by(&self, request_id: u64) -> Result<Option<String>, StoreError> {
        self.inner.token_spent_by(request_id)
    }

    fn idempotent(
        &self,
        account: &str,
        key: &str,
        since: Timestamp,
    ) -> Result<Option<Idempotent>, StoreError> {
        self.inner.idempotent(account, key, since)
    }

    fn notable(&self, from: u64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        self.inner.notable(from, limit)
    }

    fn standings(&self) -> Result<Vec<(String, act::Standing)>, StoreError> {
        self.inner.standings()
    }

    fn self_check(&self) -> Result<Option<act::SelfCheckChanged>, StoreError> {
        self.inner.self_check()
    }

    fn parent_crl(&self, issuer: &[u8; 32]) -> Result<Option<act::ParentCrlInstalled>, StoreError> {
        self.inner.parent_crl(issuer)
    }

    fn told(&self, subject: &Subject) -> Result<Option<u64>, StoreError> {
        self.inner.told(subject)
    }

    fn entries(&self, from: u64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        self.inner.entries(from, limit)
    }
}
