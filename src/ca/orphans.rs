//! After a crash: every reservation without an outcome is settled before the first new request.

use super::enroll::Facts;
use super::{Authority, Refusal};
use crate::pki::time::Timestamp;

/// How long an `Idempotency-Key` is kept.
pub const IDEMPOTENCY_SECONDS: u64 = 86_400;

impl Authority {
    /// Settles every orphan: completed where the client can still ask for the certificate (an
    /// `Idempotency-Key` of the last 24 hours), else failed and its serial number revoked, since
    /// its signature may exist. Says what it did, a sentence each.
    pub fn resolve_orphans(&self, now: Timestamp) -> Result<Vec<String>, Refusal> {
        let mut told = Vec::new();
        for orphan in self.register.orphans()? {
            let request = &orphan.request;
            let (id, serial) = (request.request_id, orphan.serial);
            let age_seconds = now.seconds_since(request.received_at);
            if request.idempotency.is_some() && age_seconds < IDEMPOTENCY_SECONDS {
                let facts = Facts {
                    account: request.account.clone(),
                    requester: request.requester.clone(),
                    template: request.template.clone(),
                    renewal: request.renewal.clone(),
                };
                match self.complete(Self::adopt_reservation(&orphan), facts, now) {
                    Ok(_) => {
                        told.push(format!("request {id}: interrupted, now issued under {serial}"));
                    }
                    // It is failed and revoked, and the others are still to be settled.
                    Err(Refusal::Unavailable("signing-failed", why)) => told.push(format!(
                        "request {id}: interrupted, cannot be signed ({why}), {serial} revoked"
                    )),
                    Err(other) => return Err(other),
                }
            } else {
                let why = "interrupted between reservation and record; nobody can fetch it";
                self.abandon(id, &serial, why, now)?;
                told.push(format!("request {id}: interrupted, serial {serial} revoked"));
            }
        }
        Ok(told)
    }
}
