//! Revoking, holding, releasing. Never refused for lack of space, and never undone by anything
//! but the release of a hold.

use std::collections::BTreeSet;

use super::permissions::Operation;
use super::{
    Authority, CertificateFilter, CertificateRow, CertificateStatus, CrlRow, Page, Refusal,
    Requester, record,
};
use crate::pki::certificate::Certificate;
use crate::pki::revocation::{Revocation, RevocationReason};
use crate::pki::revocation_list::CrlScope;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;
use crate::storage::Urgency;
use crate::storage::act::{Act, CertificateReleased, CertificateRevoked, Entry};

/// A change of revocation state that is on record.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The number of the ledger entry that a CRL must reflect to show it.
    pub sequence: u64,
    /// The certificates it changed.
    pub certificates: Vec<SerialNumber>,
    /// The scopes of CRLs that these are in, each once.
    pub scopes: Vec<CrlScope>,
}

/// How many certificates of an account are revoked in one commit.
const AT_ONCE: usize = 1000;

impl Authority {
    /// Revokes a certificate, or puts it on hold. A held one may be revoked for another reason;
    /// one already revoked stays as it is. Cross-certificates are revoked like the rest, by
    /// managers without limits.
    pub fn revoke(
        &self,
        requester: &Requester,
        serial: &SerialNumber,
        reason: RevocationReason,
        invalidity_date: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Recorded, Refusal> {
        self.must_revoke(requester, serial)?;
        self.record_revocation(&requester.account.name, serial, reason, invalidity_date, now)
    }

    pub(super) fn record_revocation(
        &self,
        actor: &str,
        serial: &SerialNumber,
        reason: RevocationReason,
        invalidity_date: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Recorded, Refusal> {
        check_invalidity(invalidity_date, now)?;
        let _one_at_a_time = self.administrating();
        let (act, scope) = match self.register.certificate(serial)? {
            Some(row) => {
                must_be_revocable(serial, row.revocation, reason)?;
                (revocation(&row, reason, invalidity_date, now)?, row.scope)
            }
            None => {
                let cross = self.cross_certificate(serial);
                let (certificate, key_index) =
                    cross.ok_or_else(|| Refusal::NotFound(format!("certificate {serial}")))?;
                if reason == RevocationReason::CertificateHold {
                    let why = "a certificate of this CA's own is revoked for good, not held";
                    return Err(Refusal::Conflict("not-held", why.to_owned()));
                }
                must_be_revocable(serial, self.register.revocation(serial)?, reason)?;
                let scope = CrlScope::of_key(key_index);
                (unrecorded(&certificate, scope, reason, invalidity_date, now), scope)
            }
        };
        let entry = Entry { at: now.millis(), actor: Some(actor.to_owned()), act };
        self.register.commit(vec![entry], Urgency::Reserved)?;
        let sequence = self.register.head().sequence;
        Ok(Recorded { sequence, certificates: vec![*serial], scopes: vec![scope] })
    }

    /// The first CRL, base or delta, that told what a certificate's state of revocation is now;
    /// nothing while it is still to come.
    pub fn first_listed(&self, row: &CertificateRow) -> Result<Option<CrlRow>, Refusal> {
        match self.register.revocation_sequence(&row.serial)? {
            Some(sequence) => Ok(self.register.first_crl(row.scope, sequence)?),
            None => Ok(None),
        }
    }

    /// Takes a hold back. Only a held certificate can be released ([MS-CSRA] 3.1.4.1.8).
    pub fn release(
        &self,
        requester: &Requester,
        serial: &SerialNumber,
        now: Timestamp,
    ) -> Result<Recorded, Refusal> {
        self.must_revoke(requester, serial)?;
        let _one_at_a_time = self.administrating();
        let row = self.register.certificate(serial)?;
        let row = row.ok_or_else(|| Refusal::NotFound(format!("certificate {serial}")))?;
        let held = row.revocation.map(|found| found.reason);
        if held != Some(RevocationReason::CertificateHold) {
            let why = format!("{serial} is not on hold; only a hold can be taken back");
            return Err(Refusal::Conflict("not-on-hold", why));
        }
        let act = CertificateReleased { serial: serial.as_der_content().to_vec() };
        let entry = record(requester, now, Act::CertificateReleased(act));
        self.register.commit(vec![entry], Urgency::Reserved)?;
        let sequence = self.register.head().sequence;
        Ok(Recorded { sequence, certificates: vec![*serial], scopes: vec![row.scope] })
    }

    /// Revokes every certificate of an account that is good or held, in one act and one CRL. The
    /// account need not exist any more.
    pub fn revoke_account(
        &self,
        requester: &Requester,
        account: &str,
        reason: RevocationReason,
        invalidity_date: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Recorded, Refusal> {
        requester.must(Operation::Revoke)?;
        check_invalidity(invalidity_date, now)?;
        // Before the lock: a directory may take its time. Who has no limits does not need it.
        let subject = match requester.is_limited_to_subjects() {
            true => self.directory.account(account)?,
            false => None,
        };
        let one_at_a_time = self.administrating();
        let mut serials = Vec::new();
        let mut scopes = BTreeSet::new();
        let mut entries = Vec::new();
        for status in [CertificateStatus::Good, CertificateStatus::Held] {
            if status == CertificateStatus::Held && reason == RevocationReason::CertificateHold {
                continue;
            }
            let filter = CertificateFilter {
                account: Some(account.to_owned()),
                status: Some((status, now)),
                ..CertificateFilter::default()
            };
            let mut after = None;
            loop {
                let page = Page { after, limit: AT_ONCE };
                let listing = self.register.certificates(&filter, page)?;
                for row in &listing.rows {
                    self.must_manage(requester, &row.template, subject.as_ref())?;
                    let act = revocation(row, reason, invalidity_date, now)?;
                    entries.push(record(requester, now, act));
                    serials.push(row.serial);
                    scopes.insert(row.scope);
                }
                after = listing.next;
                if after.is_none() {
                    break;
                }
            }
        }
        if !entries.is_empty() {
            self.register.commit(entries, Urgency::Reserved)?;
        }
        let sequence = self.register.head().sequence;
        drop(one_at_a_time);
        if serials.is_empty() {
            let found = self.directory.account(account)?;
            let found = found.ok_or_else(|| Refusal::NotFound(format!("account {account}")))?;
            // A directory may know it by a spelling that the register does not take for the same.
            if !found.name.eq_ignore_ascii_case(account) {
                return self.revoke_account(requester, &found.name, reason, invalidity_date, now);
            }
        }
        let scopes = scopes.into_iter().collect();
        Ok(Recorded { sequence, certificates: serials, scopes })
    }
}

/// What is revoked for good stays as it is; a hold may become something else.
pub(super) fn must_be_revocable(
    serial: &SerialNumber,
    before: Option<Revocation>,
    reason: RevocationReason,
) -> Result<(), Refusal> {
    match before {
        Some(before)
            if before.reason != RevocationReason::CertificateHold || before.reason == reason =>
        {
            let (since, why) = (before.revoked_at, before.reason.as_str());
            let told = format!("{serial} was revoked on {since} for {why}");
            Err(Refusal::Conflict("already-revoked", told))
        }
        _ => Ok(()),
    }
}

pub(super) fn revocation(
    row: &CertificateRow,
    reason: RevocationReason,
    invalidity_date: Option<Timestamp>,
    now: Timestamp,
) -> Result<Act, Refusal> {
    let key_sha256 = match reason {
        RevocationReason::KeyCompromise => {
            let damaged = |why: String| Refusal::Unavailable("ledger-damaged", why);
            let certificate = Certificate::from_der(&row.certificate)
                .map_err(|error| damaged(error.to_string()))?;
            let key = certificate.public_key().map_err(|error| damaged(error.to_string()))?;
            Some(key.thumbprint())
        }
        _ => None,
    };
    Ok(Act::CertificateRevoked(CertificateRevoked {
        serial: row.serial.as_der_content().to_vec(),
        revoked_at: now.millis(),
        reason: reason.code(),
        invalidity_date: invalidity_date.map(Timestamp::millis),
        not_after: Some(row.not_after.seconds()),
        key_sha256,
        scope: None,
    }))
}

/// The same of a certificate that one of the CA's keys signed and that has no row in the register.
pub(super) fn unrecorded(
    certificate: &Certificate,
    scope: CrlScope,
    reason: RevocationReason,
    invalidity_date: Option<Timestamp>,
    now: Timestamp,
) -> Act {
    let key = certificate.public_key().ok().map(|key| key.thumbprint());
    Act::CertificateRevoked(CertificateRevoked {
        serial: certificate.serial().as_der_content().to_vec(),
        revoked_at: now.millis(),
        reason: reason.code(),
        invalidity_date: invalidity_date.map(Timestamp::millis),
        not_after: Some(certificate.not_after().seconds()),
        key_sha256: key.filter(|_| reason == RevocationReason::KeyCompromise),
        scope: (scope != CrlScope::FIRST).then_some(scope.into()),
    })
}

fn check_invalidity(invalidity_date: Option<Timestamp>, now: Timestamp) -> Result<(), Refusal> {
    match invalidity_date {
        Some(date) if date > now => Err(Refusal::Invalid(
            "invalidity-date",
            "invalidity_date lies in the future (RFC 5280 §5.3.2)".to_owned(),
        )),
        _ => Ok(()),
    }
}
