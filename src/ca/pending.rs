//! Requests that wait for a certificate manager and get none: taken back, or waited too long.
//!
//! AD CS has no disposition for either, so both are denials with rules of their own. Since when a
//! request waits is in the register, not in memory: a restart or a clock that jumps may make an
//! expiry late, never lost and never done twice.

use super::permissions::Operation;
use super::{Authority, Refusal, RequestRow, Requester, record};
use crate::pki::denial::{Denial, Rule};
use crate::pki::disposition::Disposition;
use crate::pki::time::Timestamp;
use crate::storage::Urgency;
use crate::storage::act::{Act, Entry, RequestDenied};

/// How many requests expire in one commit.
const AT_ONCE: usize = 1000;
/// How long a reason may be, in characters.
const LONGEST_DETAIL: usize = 1024;

impl Authority {
    /// Lets requests wait for a manager for so many seconds; none: for good.
    pub fn with_pending_life(mut self, seconds: Option<u64>) -> Self {
        self.pending_life_seconds = seconds;
        self
    }

    /// Takes a pending request back, by whoever submitted it or the account that it is for.
    pub fn withdraw(
        &self,
        requester: &Requester,
        request_id: u64,
        detail: Option<String>,
        now: Timestamp,
    ) -> Result<RequestRow, Refusal> {
        requester.must(Operation::WithdrawRequests)?;
        may_be_a_reason(detail.as_deref())?;
        let own = &requester.account.name;
        // Whoever may see it but has no part in it may not take it back either.
        self.register
            .request(request_id)?
            .filter(|row| {
                own.eq_ignore_ascii_case(&row.requester) || own.eq_ignore_ascii_case(&row.account)
            })
            .ok_or_else(|| Refusal::NotFound(format!("request {request_id} of {own}")))?;
        let detail = detail.unwrap_or_else(|| format!("withdrawn by {own}"));
        self.end_waiting(requester, request_id, Denial::new(Rule::Withdrawn, detail), now)
    }

    /// Denies what still waits, by somebody who may; whoever decides on it meanwhile comes before
    /// or after, not between.
    pub(super) fn end_waiting(
        &self,
        requester: &Requester,
        request_id: u64,
        denial: Denial,
        now: Timestamp,
    ) -> Result<RequestRow, Refusal> {
        let _one_at_a_time = self.administrating();
        self.pending(request_id, now)?;
        let entry = record(requester, now, denied(request_id, denial));
        self.register.commit(vec![entry], Urgency::Ordinary)?;
        let row = self.register.request(request_id)?;
        row.ok_or_else(|| Refusal::NotFound(format!("request {request_id}")))
    }

    /// Denies what has waited too long, in one act; says how many that were.
    pub fn expire_pending(&self, now: Timestamp) -> Result<usize, Refusal> {
        let Some(life) = self.pending_life_seconds else { return Ok(0) };
        let since = now.minus_seconds(life);
        if self.register.pending_since(since, 1)?.is_empty() {
            return Ok(0);
        }
        // Whoever approves, denies or withdraws meanwhile comes before or after, not between.
        let _one_at_a_time = self.administrating();
        let mut entries = Vec::new();
        for request_id in self.register.pending_since(since, AT_ONCE)? {
            let row = self.register.request(request_id)?;
            if row.is_none_or(|row| row.disposition == Disposition::Pending) {
                let detail = format!("no certificate manager decided within {life} seconds");
                let act = denied(request_id, Denial::new(Rule::WaitedTooLong, detail));
                entries.push(Entry { at: now.millis(), actor: None, act });
            }
        }
        let count = entries.len();
        if count > 0 {
            self.register.commit(entries, Urgency::Ordinary)?;
        }
        Ok(count)
    }

    /// Refuses what has waited too long although nobody has put that on record yet.
    pub(super) fn must_still_wait(&self, row: &RequestRow, now: Timestamp) -> Result<(), Refusal> {
        // A request begins to wait in the commit that receives it.
        match self.pending_life_seconds.map(|life| row.received_at.plus_seconds(life)) {
            Some(end) if end <= now => {
                let why =
                    format!("request {} has expired: it could wait until {end}", row.request_id);
                Err(Refusal::Conflict("request-expired", why))
            }
            _ => Ok(()),
        }
    }
}

/// Refuses a reason that is too long to be one.
pub(super) fn may_be_a_reason(detail: Option<&str>) -> Result<(), Refusal> {
    if detail.is_some_and(|text| text.chars().count() > LONGEST_DETAIL) {
        let why = format!("a reason has at most {LONGEST_DETAIL} characters");
        return Err(Refusal::Invalid("detail-too-long", why));
    }
    Ok(())
}

/// A denial as it goes on record.
pub(super) fn denied(request_id: u64, Denial { rule, detail }: Denial) -> Act {
    Act::RequestDenied(RequestDenied { request_id, rule: rule.slug().to_owned(), detail })
}
