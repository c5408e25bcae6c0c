//! A certificate manager's decisions on pending requests.

use super::enroll::{Decided, Enrolled, Petition};
use super::pending::may_be_a_reason;
use super::permissions::Operation;
use super::{Authority, Refusal, RequestRow, Requester, record};
use crate::pki::denial::{Denial, Rule};
use crate::pki::disposition::Disposition;
use crate::pki::time::Timestamp;
use crate::storage::act::{Act, RequestMark};
use crate::storage::recording::wait;

impl Authority {
    /// Approves a pending request: it is decided anew, on the template and the account as they
    /// are now, and issued.
    pub fn approve(
        &self,
        requester: &Requester,
        request_id: u64,
        now: Timestamp,
    ) -> Result<Enrolled, Refusal> {
        requester.must(Operation::DecideRequests)?;
        self.may_issue(now)?;
        // Whoever must be looked up is looked up before the lock: a directory may take its time.
        let row = self.pending(request_id, now)?;
        let submission = Self::submission(&row.csr)?;
        let gone = |name: &str| Refusal::Conflict("approval-impossible", self.why_unknown(name));
        let found = |name: &str| self.account_of_request(name, &row);
        let (account, enroller) = (found(&row.account)?, found(&row.requester)?);
        self.must_manage(requester, &row.template, account.as_ref())?;
        let renewal = row.renewal.as_ref().map(|renewal| self.renewed_by(renewal, now));
        let endorsements = self.endorsements(submission.signers(), now);
        let _one_at_a_time = self.administrating();
        // Still: another may have decided meanwhile.
        self.pending(request_id, now)?;
        let listed = match self.published_template(&row.template) {
            Ok(listed) => listed,
            Err(Decided::Refused(refusal)) => return Err(refusal),
            Err(Decided::Denied(denial)) => {
                return Err(Refusal::Conflict("approval-impossible", denial.detail));
            }
        };
        if listed.template.needs_approval() {
            self.must_be_anothers(requester, &row)?;
        }
        let account = account.ok_or_else(|| gone(&row.account))?;
        let enroller = enroller.ok_or_else(|| gone(&row.requester))?;
        let offices = self.offices_of(&enroller)?;
        let submitter = Requester::of(enroller, offices);
        let petition = Petition {
            request_id,
            submitter: Some(&row.requester),
            account: &account,
            enroller: &submitter.account,
            standing: submitter.standing(&row.template, &account),
            renewal: renewal.transpose()?,
            signers: submission.signers(),
            under: self.issuer.key_index(),
        };
        let approved = Act::RequestApproved(RequestMark { request_id });
        let approved = record(requester, now, approved);
        match self.decide(&listed, submission.request(), &petition, endorsements, now) {
            Ok(profile) => wait(self.issue(&listed, profile, &petition, vec![approved], now)),
            Err(Decided::Refused(refusal)) => Err(refusal),
            Err(Decided::Denied(denial)) => {
                wait(self.deny_at_once(request_id, Some(approved), &denial, now))?;
                Err(Refusal::Denied(request_id, denial))
            }
        }
    }

    /// Denies a pending request.
    pub fn deny(
        &self,
        requester: &Requester,
        request_id: u64,
        detail: Option<String>,
        now: Timestamp,
    ) -> Result<RequestRow, Refusal> {
        requester.must(Operation::DecideRequests)?;
        may_be_a_reason(detail.as_deref())?;
        let row = self.pending(request_id, now)?;
        self.must_manage_request(requester, &row)?;
        let detail = detail.unwrap_or_else(|| format!("denied by {}", requester.account.name));
        let denial = Denial::new(Rule::DeniedByManager, detail);
        self.end_waiting(requester, request_id, denial, now)
    }

    pub(super) fn pending(&self, request_id: u64, now: Timestamp) -> Result<RequestRow, Refusal> {
        let row = self.register.request(request_id)?;
        let row = row.ok_or_else(|| Refusal::NotFound(format!("request {request_id}")))?;
        if row.disposition != Disposition::Pending {
            let state = row.disposition.as_str();
            let why = format!("request {request_id} is {state}, not pending");
            return Err(Refusal::Conflict("not-pending", why));
        }
        self.must_still_wait(&row, now)?;
        Ok(row)
    }

    /// Four eyes: nobody approves what he submitted, what is for him, nor what came by a one-time
    /// token of his: he could have kept it for himself.
    fn must_be_anothers(&self, requester: &Requester, row: &RequestRow) -> Result<(), Refusal> {
        let own = &requester.account.name;
        let is_own = |name: &String| own.eq_ignore_ascii_case(name);
        let token = match self.register.token_spent_by(row.request_id)? {
            Some(id) => self.register.token(&id)?,
            None => None,
        };
        let how = if is_own(&row.requester) {
            "was submitted by"
        } else if is_own(&row.account) {
            "is for"
        } else if token.and_then(|token| token.made_by).as_ref().is_some_and(is_own) {
            "came by a token made by"
        } else {
            return Ok(());
        };
        let (id, template) = (row.request_id, &row.template);
        let why = format!(
            "request {id} {how} {own}, and {template} demands an approval: another must give it"
        );
        Err(Refusal::Ruled(Rule::OwnRequest, why))
    }
}
