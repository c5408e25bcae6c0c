//! Who may enrol: members of the template's groups for themselves; administrators and
//! certificate managers on behalf of a member, and whatever has its names from the request.

use super::Case;
use crate::pki::account::Account;
use crate::pki::denial::{Denial, Rule};

/// Who sends a request, and with what rights.
#[derive(Clone, Copy, Debug)]
pub struct Enroller<'a> {
    /// The account that authenticated.
    pub account: &'a Account,
    /// Its rights.
    pub standing: Standing,
}

/// What an enroller may do beyond enrolling for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Member,
    /// An enrolment agent: asks for others too, where the template lets agents.
    Agent,
    /// An administrator or a certificate manager.
    Manager,
}

pub(super) fn check(case: &Case<'_>) -> Result<(), Denial> {
    for account in [case.enroller.account, case.subject] {
        if !account.enabled {
            let detail = format!("the account {} is disabled", account.name);
            return Err(Denial::new(Rule::AccountDisabled, detail));
        }
    }
    if super::renewal::permission_counts(case) {
        return Ok(());
    }
    let manager = case.enroller.standing == Standing::Manager;
    let for_another = !case.enroller.account.name.eq_ignore_ascii_case(&case.subject.name);
    if for_another && case.enroller.standing == Standing::Agent {
        super::signatures::check_agent(case)?;
    } else if for_another && !manager {
        return Err(denied(format!(
            "{} may not enrol on behalf of {}: that is for administrators and certificate managers",
            case.enroller.account.name, case.subject.name
        )));
    }
    let (template, cn) = (case.template, case.template.cn());
    let from_request = template.subject_comes_from_request();
    let groups = template.enrollment_groups();
    if manager && (from_request || groups.is_empty()) {
        return Ok(());
    }
    if groups.is_empty() {
        return Err(denied(format!(
            "no group may enrol {cn}: it is for administrators and certificate managers"
        )));
    }
    if !groups.iter().any(|group| case.subject.is_member_of(group)) {
        return Err(denied(format!(
            "the account {} is in none of the groups that may enrol {cn}: {}",
            case.subject.name,
            groups.join(", ")
        )));
    }
    // A renewal keeps the names that a manager gave.
    let renewal = case.renewal_of.is_some();
    if from_request && template.requested_names().is_none() && !renewal {
        return Err(denied(format!(
            "the names of {cn} come from the request, and it has no rules for them \
             (requested_names): until an administrator sets some, only administrators and \
             certificate managers may enrol it"
        )));
    }
    Ok(())
}

fn denied(detail: String) -> Denial {
    Denial::new(Rule::EnrollmentNotPermitted, detail)
}
