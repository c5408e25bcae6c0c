//! What a token is bound to: one template, and where it is a one-time token, one enrolment.
//!
//! A one-time token is spent by the request that is put on record as issued or pending, in the
//! same commit: of two uses the register admits one, and after a crash either both are on record
//! or neither. A request that is malformed or denied leaves it as it was, so that a script's slip
//! can be mended. Whoever sent an `Idempotency-Key` with the use gets its first answer again.

use super::enroll::Enrolled;
use super::permissions::Operation;
use super::requester::REFUSED;
use super::{Authority, Refusal, Requester, TokenRow, record};
use crate::pki::time::Timestamp;
use crate::storage::act::{Act, Entry, TokenUse};

/// What the token of a requester is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bond {
    token: String,
    template: String,
    uses: Uses,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Uses {
    Many,
    One,
    /// None any more: this request spent it.
    Spent(u64),
}

impl Bond {
    /// The bond of a token, if it has one.
    pub(super) fn of(row: &TokenRow) -> Option<Self> {
        let template = row.token.template.clone()?;
        let uses = match (row.token.single_use, row.used) {
            (_, Some((_, request_id))) => Uses::Spent(request_id),
            (true, None) => Uses::One,
            (false, None) => Uses::Many,
        };
        Some(Self { token: row.token.id.clone(), template, uses })
    }
}

impl Requester {
    /// Whether the token's bond, if there is one, lets `operation` through.
    pub(super) fn bond_allows(&self, operation: Operation) -> bool {
        match &self.bond {
            Some(Bond { uses: Uses::One | Uses::Spent(_), .. }) => operation == Operation::Enroll,
            Some(Bond { uses: Uses::Many, .. }) => {
                // What needs a right on a template is no part of enrolling under one.
                !matches!(operation, Operation::WriteTemplate | Operation::RevokeCertificate)
            }
            None => true,
        }
    }

    /// Says why the bond does not let `operation` through.
    pub(super) fn bond_must(&self, operation: Operation) -> Result<(), Refusal> {
        match &self.bond {
            Some(Bond { uses: Uses::Spent(_), .. }) => Err(REFUSED),
            Some(Bond { uses: Uses::Many, template, .. }) if !self.bond_allows(operation) => {
                Err(Refusal::Bound(format!("this token is only good for enrolling {template}")))
            }
            Some(bond) if !self.bond_allows(operation) => Err(Refusal::Bound(format!(
                "this token can do nothing but enrol once under {}",
                bond.template
            ))),
            _ => Ok(()),
        }
    }

    /// Refuses another template than the token is bound to.
    pub(super) fn bond_covers(&self, template: &str) -> Result<(), Refusal> {
        match &self.bond {
            Some(bond) if !bond.template.eq_ignore_ascii_case(template) => {
                Err(Refusal::Bound(format!("this token is bound to template {}", bond.template)))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a new request by a token that is used up.
    pub(super) fn bond_unspent(&self) -> Result<(), Refusal> {
        match &self.bond {
            Some(Bond { uses: Uses::Spent(_), .. }) => Err(REFUSED),
            _ => Ok(()),
        }
    }

    /// Refuses an answer that was another request's than the one that used the token up.
    pub(super) fn bond_answers(&self, answered: &Enrolled) -> Result<(), Refusal> {
        match &self.bond {
            Some(Bond { uses: Uses::Spent(spent), .. }) if *spent != answered.request_id => {
                Err(REFUSED)
            }
            _ => Ok(()),
        }
    }

    /// What spends the token, to go on record beside the request.
    pub(super) fn spending(&self, request_id: u64, now: Timestamp) -> Option<Entry> {
        let bond = self.bond.as_ref().filter(|bond| bond.uses == Uses::One)?;
        let used = TokenUse { id: bond.token.clone(), request_id };
        Some(record(self, now, Act::TokenUsed(used)))
    }
}

impl Authority {
    /// What gives a one-time token back, for a request that failed by no fault of its requester's
    /// and whose serial number is revoked beside.
    pub(super) fn returned_token(&self, request_id: u64) -> Result<Option<Act>, Refusal> {
        let spent = self.register.token_spent_by(request_id)?;
        Ok(spent.map(|id| Act::TokenReturned(TokenUse { id, request_id })))
    }
}
