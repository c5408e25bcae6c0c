//! The contract of [`Register`], answered from ledger, index and CRL entries.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::LedgerRegister;
use super::places::Place;
use crate::pki::revocation::Revocation;
use crate::pki::revocation_list::CrlScope;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::storage::act::{
    AccountSaved, Act, AuthorityEstablished, CrlsPartitioned, Entry, ParentCrlInstalled,
    RolesSaved, SelfCheckChanged, Standing,
};
use crate::storage::index::{
    ACCOUNT, AUTHORITY, CRL_PARTITIONS, PARENT_CRL, PENDING_SINCE, RETIREMENT_DUE, ROLES, STRIDE,
    TEMPLATE, TOKEN, TOKEN_HASH, TOKEN_SPENT, both,
};
use crate::storage::ledger::recovery::Position;
use crate::storage::ledger::{Item, Located, frame};
use crate::storage::{
    AuditRow, CertificateFilter, CertificateRow, CrlEntries, CrlRow, Head, Health, Idempotent,
    Lineage, Listing, Orphan, Page, Recording, Register, RequestFilter, RequestRow, StandingRow,
    StoreError, Subject, TemplateRow, TokenRow, Urgency,
};
impl Register for LedgerRegister {
    fn submit(&self, entries: Vec<Entry>, urgency: Urgency) -> Recording {
        self.shared.queue.submit(entries, urgency)
    }

    fn next_request_id(&self) -> u64 {
        self.next_request.fetch_add(1, Ordering::Relaxed)
    }

    fn health(&self) -> Health {
        self.shared.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn head(&self) -> Head {
        let Position { sequence, hash, latest, .. } = self.shared.end();
        Head { sequence, hash, latest }
    }

    fn authority(&self) -> Result<Option<AuthorityEstablished>, StoreError> {
        let Some(place) = self.index().chunks.named(AUTHORITY, b"")? else { return Ok(None) };
        match self.entry(both(&place).0)?.act {
            Act::AuthorityEstablished(authority) => Ok(Some(authority)),
            _ => Ok(None),
        }
    }

    fn roles(&self) -> Result<Option<RolesSaved>, StoreError> {
        let Some(place) = self.index().chunks.named(ROLES, b"")? else { return Ok(None) };
        match self.entry(both(&place).0)?.act {
            Act::RolesSaved(roles) => Ok(Some(roles)),
            _ => Err(StoreError::Damaged("the roles are not where the index says".to_owned())),
        }
    }

    fn request(&self, request_id: u64) -> Result<Option<RequestRow>, StoreError> {
        self.watch(self.search().request(request_id))
    }

    fn requests(
        &self,
        filter: &RequestFilter,
        page: Page,
    ) -> Result<Listing<RequestRow>, StoreError> {
        self.watch(self.search().requests(filter, page))
    }

    fn certificate(&self, serial: &SerialNumber) -> Result<Option<CertificateRow>, StoreError> {
        self.watch(self.search().certificate(serial))
    }

    fn certificates(
        &self,
        filter: &CertificateFilter,
        page: Page,
    ) -> Result<Listing<CertificateRow>, StoreError> {
        self.watch(self.search().certificates(filter, page))
    }

    fn orphans(&self) -> Result<Vec<Orphan>, StoreError> {
        self.watch(self.search().orphans())
    }

    fn is_compromised(&self, key_sha256: &[u8; 32]) -> Result<bool, StoreError> {
        self.watch(self.index().is_compromised(&self.shared.reader, key_sha256))
    }

    fn revocation(&self, serial: &SerialNumber) -> Result<Option<Revocation>, StoreError> {
        self.watch(self.index().revocation(&self.shared.reader, serial))
    }

    fn certificate_standings(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Listing<StandingRow>, StoreError> {
        self.watch(self.search().certificate_standings(after, limit))
    }

    fn certificate_standing(
        &self,
        serial: &SerialNumber,
    ) -> Result<Option<StandingRow>, StoreError> {
        self.watch(self.search().certificate_standing(serial))
    }

    fn retirements(&self, due: Timestamp, limit: usize) -> Result<Vec<SerialNumber>, StoreError> {
        let entries = self.index().chunks.all_named(RETIREMENT_DUE, None);
        let mut found = Vec::new();
        for entry in entries.take(limit) {
            let (name, _) = entry?;
            let Some((moment, serial)) = name.split_first_chunk::<8>() else { continue };
            if u64::from_be_bytes(*moment) > due.millis() {
                break;
            }
            found.extend(SerialNumber::from_der_content(serial).ok());
        }
        Ok(found)
    }

    fn pending_since(&self, moment: Timestamp, limit: usize) -> Result<Vec<u64>, StoreError> {
        let entries = self.index().chunks.all_named(PENDING_SINCE, None);
        let mut found = Vec::new();
        for entry in entries.take(limit) {
            let (since, request_id) = both(&entry?.0);
            if since > moment.millis() {
                break;
            }
            found.push(request_id);
        }
        Ok(found)
    }

    fn lineage(&self, serial: &SerialNumber) -> Result<Lineage, StoreError> {
        self.watch(self.search().lineage(serial))
    }

    fn crl_entries(
        &self,
        scope: CrlScope,
        ended_before: Timestamp,
    ) -> Result<CrlEntries, StoreError> {
        match self.shared.revoked.of(scope)?.snapshot(ended_before)? {
            Some(entries) => Ok(entries),
            None => self.crl_entries_anew(scope, |anew| anew.snapshot(ended_before)),
        }
    }

    fn revoked_entries(&self, scope: CrlScope, now: Timestamp) -> Result<CrlEntries, StoreError> {
        match self.shared.revoked.of(scope)?.as_kept(now)? {
            Some(entries) => Ok(entries),
            None => self.crl_entries_anew(scope, |anew| anew.as_kept(now)),
        }
    }

    fn crl_changes(
        &self,
        scope: CrlScope,
        after: u64,
        now: Timestamp,
    ) -> Result<CrlEntries, StoreError> {
        match self.shared.revoked.of(scope)?.changes(after, now)? {
            Some(entries) => Ok(entries),
            None => self.crl_entries_anew(scope, |anew| anew.changes(after, now)),
        }
    }

    fn revocation_sequence(&self, serial: &SerialNumber) -> Result<Option<u64>, StoreError> {
        let change = self.watch(self.index().last_change(&self.shared.reader, serial))?;
        Ok(change.map(|(sequence, _)| sequence))
    }

    fn first_crl(&self, scope: CrlScope, sequence: u64) -> Result<Option<CrlRow>, StoreError> {
        self.watch(self.first_crl_that_reflects(scope, sequence))
    }

    fn crls(&self, scope: Option<CrlScope>, page: Page) -> Result<Listing<CrlRow>, StoreError> {
        self.watch(self.crls_of(scope, page))
    }

    fn partitions(&self, key: u16) -> Result<Option<CrlsPartitioned>, StoreError> {
        let place = self.index().chunks.named(CRL_PARTITIONS, &key.to_be_bytes())?;
        let Some(place) = place else { return Ok(None) };
        match self.entry(both(&place).0)?.act {
            Act::CrlsPartitioned(parted) => Ok(Some(parted)),
            _ => Ok(None),
        }
    }

    fn templates(&self) -> Result<Vec<TemplateRow>, StoreError> {
        self.named(TEMPLATE, None, usize::MAX, |places| {
            let (saved, published) = both(places);
            if saved == 0 {
                return Ok(None);
            }
            let Act::TemplateSaved(saved) = self.entry(saved)?.act else { return Ok(None) };
            Ok(Some(TemplateRow { cn: saved.cn, json: saved.json, published: published == 1 }))
        })
    }

    fn account(&self, name: &str) -> Result<Option<AccountSaved>, StoreError> {
        let name = name.to_ascii_lowercase();
        let place = self.index().chunks.named(ACCOUNT, name.as_bytes())?;
        place.map_or(Ok(None), |place| self.saved_account(&place))
    }

    fn accounts(&self, after: Option<&str>, limit: usize) -> Result<Vec<AccountSaved>, StoreError> {
        let after = after.map(str::to_ascii_lowercase);
        self.named(ACCOUNT, after.as_deref(), limit, |place| self.saved_account(place))
    }

    fn token_by_hash(&self, sha256: &[u8; 32]) -> Result<Option<TokenRow>, StoreError> {
        let places = {
            let index = self.index();
            let Some(id) = index.chunks.named(TOKEN_HASH, sha256)? else { return Ok(None) };
            index.chunks.named(TOKEN, &id)?
        };
        places.map_or(Ok(None), |places| self.token_row(&places))
    }

    fn token(&self, id: &str) -> Result<Option<TokenRow>, StoreError> {
        let places = self.index().chunks.named(TOKEN, id.as_bytes())?;
        places.map_or(Ok(None), |places| self.token_row(&places))
    }

    fn tokens(&self, after: Option<&str>, limit: usize) -> Result<Vec<TokenRow>, StoreError> {
        self.named(TOKEN, after, limit, |places| self.token_row(places))
    }

    fn token_spent_by(&self, request_id: u64) -> Result<Option<String>, StoreError> {
        let id = self.index().chunks.named(TOKEN_SPENT, &request_id.to_be_bytes())?;
        Ok(id.and_then(|id| String::from_utf8(id.to_vec()).ok()))
    }

    fn idempotent(
        &self,
        account: &str,
        key: &str,
        since: Timestamp,
    ) -> Result<Option<Idempotent>, StoreError> {
        self.watch(self.index().idempotent(&self.shared.reader, account, key, since))
    }

    fn notable(&self, from: u64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        self.watch(self.search().notable(from, limit))
    }

    fn standings(&self) -> Result<Vec<(String, Standing)>, StoreError> {
        self.watch(self.search().standings())
    }

    fn self_check(&self) -> Result<Option<SelfCheckChanged>, StoreError> {
        self.watch(self.search().self_check())
    }

    fn parent_crl(&self, issuer: &[u8; 32]) -> Result<Option<ParentCrlInstalled>, StoreError> {
        let Some(place) = self.index().chunks.named(PARENT_CRL, issuer)? else { return Ok(None) };
        match self.entry(both(&place).0)?.act {
            Act::ParentCrlInstalled(crl) => Ok(Some(crl)),
            _ => Err(StoreError::Damaged("a parent's CRL is not where it was".to_owned())),
        }
    }

    fn told(&self, subject: &Subject) -> Result<Option<u64>, StoreError> {
        self.search().told(subject)
    }

    fn entries(&self, from: u64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let end = self.shared.end();
        let mut offset = match self.places.before(from) {
            Some(place) if from - place.sequence < STRIDE => place.offset,
            _ => {
                let known = self.index().at_or_before(from)?;
                known.map_or(frame::HEADER_LENGTH, |(_, offset)| offset)
            }
        };
        let mut rows = Vec::new();
        while offset < end.offset && rows.len() < limit {
            match self.watch(self.shared.reader.item(offset))? {
                Item::Marker(_, end) => offset = end,
                Item::Entry(located) => {
                    if located.sequence == from {
                        self.places.note(Place { sequence: from, offset });
                    }
                    offset = located.end;
                    if located.sequence >= from {
                        let Located { sequence, hash, entry, .. } = *located;
                        rows.push(AuditRow { sequence, hash, entry });
                    }
                }
            }
        }
        if let Some(last) = rows.last() {
            self.places.note(Place { sequence: last.sequence + 1, offset });
        }
        Ok(rows)
    }
}
