//! Who may enrol: whom the template's permissions allow it ([MS-WCCE] 3.2.2.6.2.1.4.3);
//! administrators and certificate managers on behalf of one of those, and whatever has its names
//! from the request. Whom the permissions deny it gets nothing by anybody.

use super::Case;
use crate::pki::account::Account;
use crate::pki::denial::{Denial, Rule};
use crate::pki::template::{Principal, Right};

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
    let permissions = template.permissions();
    if permissions.denies(Right::Enroll, case.subject) {
        let name = &case.subject.name;
        return Err(denied(format!("the permissions of {cn} deny Enroll to {name}")));
    }
    let allowed: Vec<&str> = permissions.allowed(Right::Enroll).map(Principal::name).collect();
    if manager && (from_request || allowed.is_empty()) {
        return Ok(());
    }
    if allowed.is_empty() {
        return Err(denied(format!(
            "nobody is allowed to enrol {cn}: it is for administrators and certificate managers"
        )));
    }
    if !permissions.allows(Right::Enroll, case.subject) {
        return Err(denied(format!(
            "{} is not among those who may enrol {cn}: {}",
            case.subject.name,
            allowed.join(", ")
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
