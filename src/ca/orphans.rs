//! After a crash: every reservation without an outcome is settled before the first new request.

use std::sync::Arc;

use super::enroll::Facts;
use super::{Authority, Refusal};
use crate::pki::time::Timestamp;
use crate::storage::act::{Act, Entry, Started};
use crate::storage::recording::wait;
use crate::storage::{Register, Urgency};

/// How long an `Idempotency-Key` is kept.
pub const IDEMPOTENCY_SECONDS: u64 = 86_400;

impl Authority {
    /// Puts on record that the program starts, and in order what the last run left. Neither hangs
    /// on the other: a start that cannot be recorded is told with the rest, but what could be
    /// settled is.
    pub fn start(&self, version: &str, now: Timestamp) -> Result<Vec<String>, Refusal> {
        let started = Act::Started(Started { version: version.to_owned() });
        let entry = Entry { at: now.millis(), actor: None, act: started };
        let recorded = self.register.commit(vec![entry], Urgency::Reserved);
        let mut told = self.put_in_order(now)?;
        told.extend(recorded.err().map(|error| format!("this start is not on record: {error}")));
        Ok(told)
    }

    /// Puts in order what the last run left, before anything is issued, and says what that was, a
    /// sentence each. Where it fails nothing is issued until it has been done: an orphan's serial
    /// number and names could be certified a second time beside a signature that may exist.
    pub fn put_in_order(&self, now: Timestamp) -> Result<Vec<String>, Refusal> {
        let done = self.withdraw_refused_templates(now).and_then(|()| self.resolve_orphans(now));
        self.out_of_order.store(done.as_ref().err().map(|error| Arc::new(error.to_string())));
        done
    }

    /// Tries again where it failed.
    pub(super) fn put_in_order_if_it_is_not(&self, now: Timestamp) -> Result<(), Refusal> {
        if self.out_of_order.load().is_none() {
            return Ok(());
        }
        self.put_in_order(now)?.iter().for_each(|sentence| tracing::warn!("{sentence}"));
        tracing::info!("what the last run left is in order: certificates are issued again");
        Ok(())
    }

    /// Settles every orphan: completed where the client can still ask for the certificate (an
    /// `Idempotency-Key` of the last 24 hours), else failed and its serial number revoked, since
    /// its signature may exist. Says what it did, a sentence each.
    fn resolve_orphans(&self, now: Timestamp) -> Result<Vec<String>, Refusal> {
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
                match wait(self.complete(Self::adopt_reservation(&orphan), facts, now)) {
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
                self.abandon(id, &serial, orphan.scope, why, now)?;
                told.push(format!("request {id}: interrupted, serial {serial} revoked"));
            }
        }
        Ok(told)
    }
}

/// Why nothing may be issued before [`Authority::put_in_order`]; nothing where there is no orphan.
pub(super) fn unsettled(register: &dyn Register) -> Option<String> {
    match register.orphans() {
        Ok(orphans) if orphans.is_empty() => None,
        Ok(orphans) => Some(format!("{} reservations are not settled yet", orphans.len())),
        Err(error) => Some(error.to_string()),
    }
}
