//! The part of a register that publication asks, in memory.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::faulty::Steps;
use super::world::noon;
use crate::pki::revocation::{Revocation, RevocationReason};
use crate::pki::revocation_list::{CrlEntry, CrlKind, CrlScope, DeltaEntry};
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::storage::act::{
    self, AccountSaved, Act, AuthorityEstablished, Entry, RevokedScope, RolesSaved, Scope,
};
use crate::storage::*;

/// Whose, how, when the certificate ends, and where it is listed.
type Revoked = (SerialNumber, Revocation, Option<Timestamp>, RevokedScope);

/// What was committed, and when certificates end.
pub struct MemoryRegister {
    entries: Mutex<Vec<Entry>>,
    ends: Mutex<Vec<(SerialNumber, Timestamp)>>,
    pub next_crl_number: AtomicU64,
    steps: Arc<Steps>,
}

impl MemoryRegister {
    pub fn new(steps: Arc<Steps>) -> Self {
        Self {
            entries: Mutex::default(),
            ends: Mutex::default(),
            next_crl_number: AtomicU64::new(0),
            steps,
        }
    }

    pub fn put(&self, entry: Entry) -> u64 {
        let mut entries = self.entries.lock().unwrap();
        entries.push(entry);
        entries.len() as u64
    }

    pub fn acts(&self) -> Vec<Act> {
        self.entries.lock().unwrap().iter().map(|entry| entry.act.clone()).collect()
    }

    /// An older copy: everything after the first `entries` is gone.
    pub fn forget_after(&self, entries: usize) {
        self.entries.lock().unwrap().truncate(entries);
    }

    pub fn certificate_ends(&self, serial: SerialNumber, not_after: Timestamp) {
        self.ends.lock().unwrap().push((serial, not_after));
    }

    fn revoked(&self) -> Vec<Revoked> {
        let mut list: Vec<Revoked> = Vec::new();
        for act in self.acts() {
            match act {
                Act::CertificateRevoked(act) => {
                    let serial = SerialNumber::from_der_content(&act.serial).unwrap();
                    let revocation = Revocation {
                        revoked_at: Timestamp::from_millis(act.revoked_at),
                        reason: RevocationReason::from_code(act.reason).unwrap(),
                        invalidity_date: act.invalidity_date.map(Timestamp::from_millis),
                    };
                    list.retain(|(other, ..)| *other != serial);
                    let end = act.not_after.map(Timestamp::from_seconds);
                    list.push((serial, revocation, end, act.scope.unwrap()));
                }
                Act::CertificateReleased(act) => {
                    list.retain(|(other, ..)| other.as_der_content() != act.serial);
                }
                _ => {}
            }
        }
        list
    }
}

impl Register for MemoryRegister {
    fn submit(&self, entries: Vec<Entry>, _: Urgency) -> Recording {
        Recording::settled(self.steps.take(|| {
            for entry in entries {
                self.put(entry);
            }
            Ok(())
        }))
    }

    fn roles(&self) -> Result<Option<RolesSaved>, StoreError> {
        Ok(None)
    }

    fn authority(&self) -> Result<Option<AuthorityEstablished>, StoreError> {
        Ok(Some(AuthorityEstablished {
            certificate: Vec::new(),
            parents: Vec::new(),
            slug: String::new(),
            template_arc: String::new(),
            base_urls: Vec::new(),
            next_crl_number: self.next_crl_number.load(Ordering::SeqCst),
            earlier: Vec::new(),
            certificate_index: None,
            latest_this_update: None,
            cross: Vec::new(),
            earlier_parents: Vec::new(),
        }))
    }

    fn certificate(&self, serial: &SerialNumber) -> Result<Option<CertificateRow>, StoreError> {
        let ends = self.ends.lock().unwrap();
        Ok(ends.iter().find(|(other, _)| other == serial).map(|(serial, not_after)| {
            CertificateRow {
                serial: *serial,
                scope: CrlScope::FIRST,
                request_id: 1,
                certificate: Vec::new(),
                requester: String::new(),
                account: String::new(),
                template: String::new(),
                issued_at: noon(),
                not_after: *not_after,
                revocation: None,
            }
        }))
    }

    fn revocation(&self, serial: &SerialNumber) -> Result<Option<Revocation>, StoreError> {
        let list = self.revoked();
        Ok(list.into_iter().find(|(other, ..)| other == serial).map(|found| found.1))
    }

    fn certificate_standings(&self, _: u64, _: usize) -> Result<Listing<StandingRow>, StoreError> {
        unimplemented!()
    }

    fn revoked_entries(&self, _: CrlScope, _: Timestamp) -> Result<CrlEntries, StoreError> {
        unimplemented!()
    }

    fn certificate_standing(&self, _: &SerialNumber) -> Result<Option<StandingRow>, StoreError> {
        unimplemented!()
    }

    fn retirements(&self, _: Timestamp, _: usize) -> Result<Vec<SerialNumber>, StoreError> {
        unimplemented!()
    }

    fn pending_since(&self, _: Timestamp, _: usize) -> Result<Vec<u64>, StoreError> {
        unimplemented!()
    }

    fn lineage(&self, _: &SerialNumber) -> Result<Lineage, StoreError> {
        unimplemented!()
    }

    fn crl_entries(
        &self,
        scope: CrlScope,
        ended_before: Timestamp,
    ) -> Result<CrlEntries, StoreError> {
        let mut file = tempfile::tempfile().unwrap();
        let (mut count, mut length) = (0, 0);
        for (serial, revocation, end, told) in self.revoked() {
            let own = scope == scope.complete() || told == RevokedScope::from(scope);
            if own && end.is_none_or(|end| end >= ended_before) {
                let der = CrlEntry::encode(serial, &revocation);
                file.write_all(&der).unwrap();
                count += 1;
                length += der.len() as u64;
            }
        }
        let sequence = self.entries.lock().unwrap().len() as u64;
        Ok(CrlEntries { count, length, file, sequence })
    }

    fn crl_changes(&self, _: CrlScope, after: u64, _: Timestamp) -> Result<CrlEntries, StoreError> {
        let revoked = self.revoked();
        let mut told: Vec<SerialNumber> = Vec::new();
        let (mut file, mut length) = (tempfile::tempfile().unwrap(), 0);
        let acts = self.acts();
        // The newest change of each serial number, the oldest first, as the real one has them.
        for act in acts.iter().skip(usize::try_from(after).unwrap()).rev() {
            let of = match act {
                Act::CertificateRevoked(act) => &act.serial,
                Act::CertificateReleased(act) => &act.serial,
                _ => continue,
            };
            let of = SerialNumber::from_der_content(of).unwrap();
            if !told.contains(&of) {
                told.push(of);
            }
        }
        for of in told.iter().rev() {
            let der = match revoked.iter().find(|(other, ..)| other == of) {
                Some((serial, revocation, ..)) => CrlEntry::encode(*serial, revocation),
                None => DeltaEntry::encode_removed(*of, noon()),
            };
            file.write_all(&der).unwrap();
            length += der.len() as u64;
        }
        let (count, sequence) = (told.len() as u64, acts.len() as u64);
        Ok(CrlEntries { count, length, file, sequence })
    }

    fn revocation_sequence(&self, of: &SerialNumber) -> Result<Option<u64>, StoreError> {
        let last = self.acts().iter().rposition(|act| match act {
            Act::CertificateRevoked(act) => act.serial == of.as_der_content(),
            Act::CertificateReleased(act) => act.serial == of.as_der_content(),
            _ => false,
        });
        Ok(last.map(|place| place as u64 + 1))
    }

    fn first_crl(&self, scope: CrlScope, sequence: u64) -> Result<Option<CrlRow>, StoreError> {
        let all =
            self.crls(Some(scope), Page { after: None, limit: usize::MAX })?.rows.into_iter().rev();
        let mut found = all.filter(|row| row.published.is_some() && row.sequence >= Some(sequence));
        Ok(found.next())
    }

    fn crls(&self, scope: Option<CrlScope>, page: Page) -> Result<Listing<CrlRow>, StoreError> {
        let mut rows: Vec<CrlRow> = Vec::new();
        for Entry { at, act, .. } in self.entries.lock().unwrap().iter().cloned() {
            match act {
                Act::CrlIntended(act) => rows.push(CrlRow {
                    number: act.number,
                    intended: Timestamp::from_millis(at),
                    this_update: Timestamp::from_seconds(act.this_update),
                    next_update: Timestamp::from_seconds(act.next_update),
                    next_publish: Timestamp::from_seconds(act.next_publish),
                    tbs_digest: act.tbs_digest,
                    entries: act.entries,
                    published: None,
                    sequence: act.sequence,
                    kind: act.base.map_or(CrlKind::Complete, |base| CrlKind::Delta { base }),
                    oldest_held: act.oldest_held,
                    freshest: act.freshest.unwrap_or_default(),
                    scope: Scope::read(act.scope),
                }),
                Act::CrlPublished(act) => {
                    let row = rows.iter_mut().find(|row| row.number == act.number).unwrap();
                    row.published = Some((noon(), act.size, act.sha256));
                }
                _ => {}
            }
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.number));
        rows.retain(|row| scope.is_none_or(|scope| row.scope == scope));
        rows.retain(|row| page.after.is_none_or(|after| row.number < after));
        let more = rows.len() > page.limit;
        rows.truncate(page.limit);
        let next = rows.last().filter(|_| more).map(|row| row.number);
        Ok(Listing { rows, next })
    }

    fn partitions(&self, _: u16) -> Result<Option<act::CrlsPartitioned>, StoreError> {
        unreachable!()
    }

    fn next_request_id(&self) -> u64 {
        unreachable!()
    }

    fn health(&self) -> Health {
        Health::default()
    }

    fn head(&self) -> Head {
        let sequence = self.entries.lock().unwrap().len() as u64;
        Head { sequence, hash: [0; 32], latest: noon() }
    }

    fn request(&self, _: u64) -> Result<Option<RequestRow>, StoreError> {
        unreachable!()
    }

    fn requests(&self, _: &RequestFilter, _: Page) -> Result<Listing<RequestRow>, StoreError> {
        unreachable!()
    }

    fn certificates(
        &self,
        _: &CertificateFilter,
        _: Page,
    ) -> Result<Listing<CertificateRow>, StoreError> {
        unreachable!()
    }

    fn orphans(&self) -> Result<Vec<Orphan>, StoreError> {
        unreachable!()
    }

    fn is_compromised(&self, _: &[u8; 32]) -> Result<bool, StoreError> {
        unreachable!()
    }

    fn templates(&self) -> Result<Vec<TemplateRow>, StoreError> {
        unreachable!()
    }

    fn account(&self, _: &str) -> Result<Option<AccountSaved>, StoreError> {
        unreachable!()
    }

    fn accounts(&self, _: Option<&str>, _: usize) -> Result<Vec<AccountSaved>, StoreError> {
        unreachable!()
    }

    fn token_by_hash(&self, _: &[u8; 32]) -> Result<Option<TokenRow>, StoreError> {
        unreachable!()
    }

    fn token(&self, _: &str) -> Result<Option<TokenRow>, StoreError> {
        unreachable!()
    }

    fn tokens(&self, _: Option<&str>, _: usize) -> Result<Vec<TokenRow>, StoreError> {
        unreachable!()
    }

    fn token_spent_by(&self, _: u64) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    fn idempotent(&self, _: &str, _: &str, _: Timestamp) -> Result<Option<Idempotent>, StoreError> {
        unreachable!()
    }

    fn notable(&self, _: u64, _: usize) -> Result<Vec<AuditRow>, StoreError> {
        unreachable!()
    }

    fn standings(&self) -> Result<Vec<(String, act::Standing)>, StoreError> {
        unreachable!()
    }

    fn self_check(&self) -> Result<Option<act::SelfCheckChanged>, StoreError> {
        unreachable!()
    }

    fn parent_crl(&self, _: &[u8; 32]) -> Result<Option<act::ParentCrlInstalled>, StoreError> {
        unreachable!()
    }

    fn told(&self, _: &Subject) -> Result<Option<u64>, StoreError> {
        unreachable!()
    }

    fn entries(&self, from: u64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let entries = self.entries.lock().unwrap();
        let rows = entries.iter().cloned().zip(1..).filter(|(_, sequence)| *sequence >= from);
        let rows = rows.map(|(entry, sequence)| AuditRow { sequence, hash: [0; 32], entry });
        Ok(rows.take(limit).collect())
    }
}

/// The acts about CRLs, in order: number, and whether it is the publication.
pub fn crl_acts(acts: &[Act]) -> Vec<(u64, bool)> {
    let crl = |act: &Act| match act {
        Act::CrlIntended(act) => Some((act.number, false)),
        Act::CrlPublished(act) => Some((act.number, true)),
        _ => None,
    };
    acts.iter().filter_map(crl).collect()
}
