//! `Idempotency-Key`: the same key and body gives the first answer again, another body is
//! refused, one still under way is refused for now. Kept 24 hours, per account.

use std::sync::PoisonError;

use super::enroll::{Begun as EnrolmentBegun, Enrolled, Outcome};
use super::orphans::IDEMPOTENCY_SECONDS;
use super::permissions::Operation;
use super::{Authority, Idempotent, Refusal, Requester, act, record};
use crate::pki::denial::{Denial, Rule};
use crate::pki::disposition::Disposition;
use crate::pki::time::Timestamp;
use crate::storage::Urgency;

/// Whether a key is used for the first time.
pub enum Begun<'a> {
    /// Yes: go on; the key is under way until the guard is dropped.
    First(KeyInUse<'a>),
    /// No: this was the answer.
    Again(act::AnswerRecorded),
}

/// Marks a key as under way.
pub struct KeyInUse<'a> {
    authority: &'a Authority,
    key: (String, String),
}

impl Drop for KeyInUse<'_> {
    fn drop(&mut self) {
        let keys = self.authority.in_flight.lock();
        keys.unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

impl Authority {
    /// Before any creating act but an enrolment (which looks for itself).
    pub fn begin_idempotent(
        &self,
        requester: &Requester,
        idempotency: &act::Idempotency,
        now: Timestamp,
    ) -> Result<Begun<'_>, Refusal> {
        let guard = self.take_key(requester, idempotency)?;
        match self.used(requester, idempotency, now)? {
            None => Ok(Begun::First(guard)),
            Some(Idempotent::Answer(answer)) => {
                same(&answer.idempotency.request_sha256, idempotency)?;
                Ok(Begun::Again(answer))
            }
            Some(Idempotent::Request { .. }) => Err(reused()),
        }
    }

    /// Puts on record that a CRL was asked for, with the answer that its `Idempotency-Key` gives
    /// again. The CRL itself is the publisher's.
    pub fn record_crl_demand(
        &self,
        requester: &Requester,
        answer: act::AnswerRecorded,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        requester.must(Operation::PublishCrl)?;
        let entry = record(requester, now, act::Act::AnswerRecorded(answer));
        Ok(self.register.commit(vec![entry], Urgency::Reserved)?)
    }

    pub(super) fn begin_enrolment(
        &self,
        requester: &Requester,
        idempotency: &act::Idempotency,
        now: Timestamp,
    ) -> Result<EnrolmentBegun<KeyInUse<'_>>, Refusal> {
        let guard = self.take_key(requester, idempotency)?;
        match self.used(requester, idempotency, now)? {
            None => Ok(EnrolmentBegun::First(guard)),
            Some(Idempotent::Answer(_)) => Err(reused()),
            Some(Idempotent::Request { request_id, request_sha256 }) => {
                same(&request_sha256, idempotency)?;
                Ok(EnrolmentBegun::Again(self.enrolled_before(request_id)?))
            }
        }
    }

    fn enrolled_before(&self, request_id: u64) -> Result<Enrolled, Refusal> {
        let gone = || Refusal::NotFound(format!("request {request_id}"));
        let row = self.register.request(request_id)?.ok_or_else(gone)?;
        let detail = row.detail.unwrap_or_default();
        match row.disposition {
            Disposition::Issued | Disposition::Revoked => {
                let serial = row.serial.ok_or_else(gone)?;
                let found = self.register.certificate(&serial)?.ok_or_else(gone)?;
                let outcome = Outcome::Issued(Box::new(found), self.notices());
                Ok(Enrolled { request_id, outcome })
            }
            Disposition::Pending => Ok(Enrolled { request_id, outcome: Outcome::Pending }),
            Disposition::Denied => {
                let rule = row.rule.as_deref().and_then(Rule::from_slug);
                let denial = Denial::new(rule.unwrap_or(Rule::DeniedByManager), detail);
                Err(Refusal::Denied(request_id, denial))
            }
            Disposition::Failed => Err(Refusal::Conflict("request-failed", detail)),
            Disposition::Active => Err(in_use()),
        }
    }

    fn used(
        &self,
        requester: &Requester,
        idempotency: &act::Idempotency,
        now: Timestamp,
    ) -> Result<Option<Idempotent>, Refusal> {
        let since = now.minus_seconds(IDEMPOTENCY_SECONDS);
        Ok(self.register.idempotent(&requester.account.name, &idempotency.key, since)?)
    }

    fn take_key(
        &self,
        requester: &Requester,
        idempotency: &act::Idempotency,
    ) -> Result<KeyInUse<'_>, Refusal> {
        let account = requester.account.name.to_ascii_lowercase();
        let key = (account, idempotency.key.clone());
        let mut keys = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        match keys.insert(key.clone()) {
            true => Ok(KeyInUse { authority: self, key }),
            false => Err(in_use()),
        }
    }
}

fn same(before: &[u8; 32], now: &act::Idempotency) -> Result<(), Refusal> {
    if *before == now.request_sha256 { Ok(()) } else { Err(reused()) }
}

fn reused() -> Refusal {
    let why = "this Idempotency-Key was used for another request within 24 hours";
    Refusal::Invalid("idempotency-key-reused", why.to_owned())
}

fn in_use() -> Refusal {
    let why = "a request with this Idempotency-Key is still under way";
    Refusal::Conflict("idempotency-key-in-use", why.to_owned())
}
