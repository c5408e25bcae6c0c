//! Looking things up: candidates from the index, the answer from the ledger.

mod listing;

use std::sync::RwLock;

use super::apply::{idempotency_fingerprint, revocation_of, row};
use super::postings::{self, Fingerprint};
use super::rows::{Facts, ORPHAN, PENDED, Places};
use super::{Index, RETIREMENT, assemble, both};
use crate::pki::disposition::Disposition;
use crate::pki::revocation::{Revocation, RevocationReason};
use crate::pki::revocation_list::CrlScope;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::storage::act::{
    Act, CertificateIssued, CertificateRevoked, Entry, RequestReceived, Scope, SerialReserved,
};
use crate::storage::ledger::Reader;
use crate::storage::{CertificateRow, Idempotent, Lineage, Orphan, RequestRow, StoreError};

impl Index {
    /// The request whose certificate has this serial number.
    pub fn request_of(
        &self,
        reader: &Reader,
        serial: &SerialNumber,
    ) -> Result<Option<u32>, StoreError> {
        Ok(self.reservation_of(reader, serial)?.map(|(request, _)| request))
    }

    /// The same, and the scope of CRLs that the serial number was reserved in.
    pub fn reservation_of(
        &self,
        reader: &Reader,
        serial: &SerialNumber,
    ) -> Result<Option<(u32, CrlScope)>, StoreError> {
        let fingerprint = Fingerprint::of(serial.as_der_content());
        for request in postings::find(&self.chunks, postings::SERIAL, fingerprint)? {
            let request = row(request);
            let places = self.rows.places(&self.chunks, request)?;
            if places.reserved == 0 {
                continue;
            }
            if let Act::SerialReserved(reserved) = reader.entry(places.reserved)?.entry.act
                && reserved.serial == serial.as_der_content()
            {
                return Ok(Some((request, Scope::read(reserved.scope))));
            }
        }
        Ok(None)
    }

    /// How a serial number stands.
    pub fn revocation(
        &self,
        reader: &Reader,
        serial: &SerialNumber,
    ) -> Result<Option<Revocation>, StoreError> {
        Ok(self.last_change(reader, serial)?.and_then(|(_, revocation)| revocation))
    }

    /// The ledger entry that made a serial number what it is, and what it is.
    pub fn last_change(
        &self,
        reader: &Reader,
        serial: &SerialNumber,
    ) -> Result<Option<(u64, Option<Revocation>)>, StoreError> {
        let fingerprint = Fingerprint::of(serial.as_der_content());
        let offsets = postings::find(&self.chunks, postings::REVOCATION, fingerprint)?;
        for offset in offsets.into_iter().rev() {
            let located = reader.entry(offset)?;
            match located.entry.act {
                Act::CertificateRevoked(revoked) if revoked.serial == serial.as_der_content() => {
                    return Ok(Some((located.sequence, Some(revocation_of(&revoked)))));
                }
                Act::CertificateReleased(released)
                    if released.serial == serial.as_der_content() =>
                {
                    return Ok(Some((located.sequence, None)));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// The last act that revoked or held a serial number, whatever came after it.
    pub fn last_revocation(
        &self,
        reader: &Reader,
        serial: &SerialNumber,
    ) -> Result<Option<CertificateRevoked>, StoreError> {
        let fingerprint = Fingerprint::of(serial.as_der_content());
        let offsets = postings::find(&self.chunks, postings::REVOCATION, fingerprint)?;
        for offset in offsets.into_iter().rev() {
            if let Act::CertificateRevoked(revoked) = reader.entry(offset)?.entry.act
                && revoked.serial == serial.as_der_content()
            {
                return Ok(Some(revoked));
            }
        }
        Ok(None)
    }

    /// Whether the serial number was ever reserved here or listed as revoked.
    pub fn is_taken(&self, reader: &Reader, serial: &[u8]) -> Result<bool, StoreError> {
        let Ok(serial) = SerialNumber::from_der_content(serial) else { return Ok(false) };
        Ok(self.request_of(reader, &serial)?.is_some()
            || self.last_revocation(reader, &serial)?.is_some())
    }

    /// Whether a key was revoked for keyCompromise.
    pub fn is_compromised(&self, reader: &Reader, key: &[u8; 32]) -> Result<bool, StoreError> {
        let fingerprint = Fingerprint::of_hash(key);
        for offset in postings::find(&self.chunks, postings::KEY, fingerprint)? {
            if let Act::CertificateRevoked(revoked) = reader.entry(offset)?.entry.act
                && revoked.key_sha256.as_ref() == Some(key)
                && revocation_of(&revoked).reason == RevocationReason::KeyCompromise
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What an account's key was used for last.
    pub fn idempotent(
        &self,
        reader: &Reader,
        account: &str,
        key: &str,
        since: Timestamp,
    ) -> Result<Option<Idempotent>, StoreError> {
        let fingerprint = idempotency_fingerprint(account, key);
        let offsets = postings::find(&self.chunks, postings::IDEMPOTENCY, fingerprint)?;
        for offset in offsets.into_iter().rev() {
            let Entry { at, actor, act } = reader.entry(offset)?.entry;
            if !actor.unwrap_or_default().eq_ignore_ascii_case(account) {
                continue;
            }
            let found = match act {
                Act::RequestReceived(RequestReceived {
                    request_id,
                    idempotency: Some(used),
                    ..
                }) if used.key == key => {
                    Idempotent::Request { request_id, request_sha256: used.request_sha256 }
                }
                Act::AnswerRecorded(answer) if answer.idempotency.key == key => {
                    Idempotent::Answer(answer)
                }
                _ => continue,
            };
            return Ok((Timestamp::from_millis(at) >= since).then_some(found));
        }
        Ok(None)
    }
}

/// Index and ledger together. The index is locked for a chunk at a time, never while the ledger
/// is read for an answer.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// The index.
    pub index: &'a RwLock<Index>,
    /// The ledger.
    pub reader: &'a Reader,
}

impl Search<'_> {
    pub(super) fn look<R>(&self, look: impl FnOnce(&Index) -> R) -> R {
        look(&self.index.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    pub(super) fn facts(&self, request: u32) -> Result<Option<(Facts, Places)>, StoreError> {
        self.look(|index| {
            let Some(facts) = index.rows.facts(&index.chunks, request)? else { return Ok(None) };
            Ok(Some((facts, index.rows.places(&index.chunks, request)?)))
        })
    }

    /// One request.
    pub fn request(&self, request_id: u64) -> Result<Option<RequestRow>, StoreError> {
        let Ok(request) = u32::try_from(request_id) else { return Ok(None) };
        match self.facts(request)? {
            Some((facts, places)) => self.request_row(&facts, &places),
            None => Ok(None),
        }
    }

    fn request_row(&self, facts: &Facts, at: &Places) -> Result<Option<RequestRow>, StoreError> {
        if at.received == 0 {
            return Ok(None);
        }
        let arrival = self.reader.entry(at.received)?.entry;
        let Act::RequestReceived(received) = arrival.act else { return Ok(None) };
        let mut row = RequestRow {
            request_id: received.request_id,
            received_at: Timestamp::from_millis(arrival.at),
            requester: arrival.actor.unwrap_or_else(|| received.account.clone()),
            account: received.account,
            template: received.template,
            csr: received.csr,
            disposition: facts.disposition,
            resolved_at: None,
            resolved_by: None,
            rule: None,
            detail: None,
            serial: None,
            signers: received.signers,
            idempotency: received.idempotency,
            renewal: received.renewal,
            described: received.described,
        };
        if at.resolved > 0 {
            let Entry { at, actor, act } = self.reader.entry(at.resolved)?.entry;
            row.resolved_at = Some(Timestamp::from_millis(at));
            // The policy module decides in the requester's own name; a manager in theirs.
            row.resolved_by = actor.filter(|_| facts.flags & PENDED != 0);
            match act {
                Act::RequestDenied(denied) => {
                    (row.rule, row.detail) = (Some(denied.rule), Some(denied.detail));
                }
                Act::RequestFailed(failed) => {
                    (row.rule, row.detail) = (Some("failed".to_owned()), Some(failed.detail));
                    row.resolved_by = None;
                }
                _ => {}
            }
        }
        if at.issued > 0 {
            row.resolved_at = Some(Timestamp::from_millis(self.reader.entry(at.issued)?.entry.at));
        }
        if at.reserved > 0
            && let Act::SerialReserved(reserved) = self.reader.entry(at.reserved)?.entry.act
        {
            row.serial = SerialNumber::from_der_content(&reserved.serial).ok();
        }
        Ok(Some(row))
    }

    /// One certificate.
    pub fn certificate(&self, serial: &SerialNumber) -> Result<Option<CertificateRow>, StoreError> {
        match self.look(|index| index.request_of(self.reader, serial))? {
            Some(request) => match self.facts(request)? {
                Some((facts, places)) => {
                    Ok(self.certificate_row(&facts, &places)?.map(|(row, _)| row))
                }
                None => Ok(None),
            },
            None => Ok(None),
        }
    }

    fn certificate_row(
        &self,
        facts: &Facts,
        at: &Places,
    ) -> Result<Option<(CertificateRow, CertificateIssued)>, StoreError> {
        if at.issued == 0 || at.reserved == 0 {
            return Ok(None);
        }
        let Entry { at: issued_at, act, .. } = self.reader.entry(at.issued)?.entry;
        let Act::CertificateIssued(issued) = act else { return Ok(None) };
        let Act::SerialReserved(reserved) = self.reader.entry(at.reserved)?.entry.act else {
            return Ok(None);
        };
        let damaged = || StoreError::Damaged(format!("request {}", issued.request_id));
        let serial = SerialNumber::from_der_content(&reserved.serial).map_err(|_| damaged())?;
        let certificate = assemble::certificate(&reserved.tbs, &issued.signature);
        let requester = match at.received {
            0 => None,
            offset => self.reader.entry(offset)?.entry.actor,
        };
        let revocation = match facts.disposition {
            Disposition::Revoked => self.look(|index| index.revocation(self.reader, &serial))?,
            _ => None,
        };
        let row = CertificateRow {
            serial,
            scope: Scope::read(reserved.scope),
            request_id: issued.request_id,
            certificate: certificate.ok_or_else(damaged)?,
            requester: requester.unwrap_or_else(|| issued.account.clone()),
            account: issued.account.clone(),
            template: issued.template.clone(),
            issued_at: Timestamp::from_millis(issued_at),
            not_after: Timestamp::from_seconds(issued.not_after),
            revocation,
        };
        Ok(Some((row, issued)))
    }

    /// What a certificate renews, what renews it, and when it is to be retired.
    pub fn lineage(&self, serial: &SerialNumber) -> Result<Lineage, StoreError> {
        let own = serial.as_der_content();
        let mut lineage = Lineage::default();
        if let Some(request) = self.look(|index| index.request_of(self.reader, serial))?
            && let Some((_, places)) = self.facts(request)?
            && let Some(renewed) = self.renewed_by_request(&places)?
        {
            lineage.renewal_of = SerialNumber::from_der_content(&renewed).ok();
        }
        let fingerprint = Fingerprint::of(own);
        let mut later =
            self.look(|index| postings::find(&index.chunks, postings::RENEWAL, fingerprint))?;
        later.sort_unstable();
        later.dedup();
        for request in later {
            // The facts first: whoever is refused a thousand times costs no reading of the ledger.
            if let Some((facts, places)) = self.facts(row(request))?
                && matches!(facts.disposition, Disposition::Issued | Disposition::Revoked)
                && self.renewed_by_request(&places)?.is_some_and(|renewed| renewed == own)
                && let Act::SerialReserved(reserved) = self.reader.entry(places.reserved)?.entry.act
            {
                lineage.renewed_by.extend(SerialNumber::from_der_content(&reserved.serial));
            }
        }
        let due = self.look(|index| index.chunks.named(RETIREMENT, own))?;
        lineage.retires_at = due.map(|due| Timestamp::from_millis(both(&due).0));
        Ok(lineage)
    }

    /// The serial number of the certificate that a request is to renew.
    fn renewed_by_request(&self, at: &Places) -> Result<Option<Vec<u8>>, StoreError> {
        if at.received == 0 {
            return Ok(None);
        }
        match self.reader.entry(at.received)?.entry.act {
            Act::RequestReceived(received) => Ok(received.renewal.map(|own| own.serial)),
            _ => Ok(None),
        }
    }

    /// Reservations without an outcome.
    pub fn orphans(&self) -> Result<Vec<Orphan>, StoreError> {
        let mut orphans = Vec::new();
        for block in self.blocks(u32::MAX, &|summary| summary.may_have_flag(ORPHAN)) {
            let facts = self.look(|index| index.rows.block(&index.chunks, block))?;
            for (request, facts) in facts {
                if facts.flags & ORPHAN == 0 {
                    continue;
                }
                let places = self.look(|index| index.rows.places(&index.chunks, request))?;
                let reserved = self.reader.entry(places.reserved)?.entry;
                let Act::SerialReserved(SerialReserved { serial, scope, tbs, .. }) = reserved.act
                else {
                    continue;
                };
                if let Some(request) = self.request_row(&facts, &places)?
                    && let Ok(serial) = SerialNumber::from_der_content(&serial)
                {
                    let reserved_at = Timestamp::from_millis(reserved.at);
                    let scope = Scope::read(scope);
                    orphans.push(Orphan { request, serial, scope, tbs, reserved_at });
                }
            }
        }
        Ok(orphans)
    }
}
