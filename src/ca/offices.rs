//! What offices an account holds on this CA, and how far each reaches: the roles on the built-in
//! account itself, and what the document of roles gives the account or one of its groups.
//!
//! AD CS calls a certificate manager with limits a restricted officer ([MS-CSRA] §3.1.1.7) and an
//! agent with limits a restricted enrollment agent; both are limited here in the same words.

use std::collections::HashMap;

use super::permissions::{Operation, Role};
use super::{Authority, CertificateRow, Refusal, RequestRow, Requester};
use crate::pki::account::Account;
use crate::pki::denial::Rule;
use crate::pki::policy::Standing;

/// A role that somebody has, and how far it reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Office {
    /// The role.
    pub role: Role,
    /// How far it reaches.
    pub limits: Limits,
}

/// How far an office reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The templates' cn; all of them if `None`.
    pub templates: Option<Vec<String>>,
    /// The groups of which a subject must be in one; everybody if `None`.
    pub subject_groups: Option<Vec<String>>,
}

impl Limits {
    /// Whether there are none.
    pub fn are_none(&self) -> bool {
        self.templates.is_none() && self.subject_groups.is_none()
    }

    /// Whether they take in this template.
    pub fn cover(&self, template: &str) -> bool {
        let templates = self.templates.as_deref();
        templates.is_none_or(|own| own.iter().any(|cn| cn.eq_ignore_ascii_case(template)))
    }

    /// Whether they take in this template and this subject. Whoever is not in the directory is in
    /// no group.
    pub fn reach(&self, template: &str, subject: Option<&Account>) -> bool {
        let member = |groups: &[String]| {
            let in_one = |own: &Account| groups.iter().any(|group| own.is_member_of(group));
            subject.is_some_and(in_one)
        };
        self.cover(template) && self.subject_groups.as_deref().is_none_or(member)
    }
}

impl Requester {
    /// The limits of the offices by which it manages certificates; one without any if there is an
    /// office that is not limited, none if there is no such office.
    fn management(&self) -> Vec<&Limits> {
        limits_of(&self.offices, &[Role::Administrator, Role::CertificateManager])
    }

    /// Whether it manages without limits.
    pub(super) fn manages_all(&self) -> bool {
        self.management().iter().any(|own| own.are_none())
    }

    /// Whether it matters to what it manages whose the certificates are.
    pub(super) fn is_limited_to_subjects(&self) -> bool {
        let management = self.management();
        !management.iter().any(|own| own.are_none())
            && management.iter().any(|own| own.subject_groups.is_some())
    }

    /// Whether it manages this subject's certificates of this template.
    fn manages(&self, template: &str, subject: Option<&Account>) -> bool {
        self.management().iter().any(|own| own.reach(template, subject))
    }

    /// Whether it may see everybody's: not as a certificate manager with limits.
    pub(super) fn sees_all(&self) -> bool {
        self.may(Operation::ReadAll) && (self.roles.contains(&Role::Auditor) || self.manages_all())
    }

    /// How it stands to the CA when it enrols this subject under this template.
    pub(super) fn standing(&self, template: &str, subject: &Account) -> Standing {
        if self.may(Operation::DecideRequests) && self.manages(template, Some(subject)) {
            Standing::Manager
        } else if self.may(Operation::EnrollOnBehalf) {
            Standing::Agent
        } else {
            Standing::Member
        }
    }
}

/// The limits of those offices that are one of `roles`.
pub(super) fn limits_of<'a>(offices: &'a [Office], roles: &[Role]) -> Vec<&'a Limits> {
    let wanted = offices.iter().filter(|own| roles.contains(&own.role));
    wanted.map(|own| &own.limits).collect()
}

impl Authority {
    /// The offices of an account, with its groups as they are or as it authenticated with them.
    pub(super) fn offices_of(&self, account: &Account) -> Result<Vec<Office>, Refusal> {
        let unlimited = |role| Office { role, limits: Limits::default() };
        let direct = self.direct_roles(&account.name)?.into_iter().map(unlimited);
        let document = self.roles.load();
        let assigned = document.assignments().iter().filter(|own| own.holder.takes_in(account));
        let assigned = assigned.map(|own| Office { role: own.role, limits: own.limits.clone() });
        Ok(direct.chain(assigned).collect())
    }

    /// Refuses a certificate manager beyond its limits.
    pub(super) fn must_manage(
        &self,
        requester: &Requester,
        template: &str,
        subject: Option<&Account>,
    ) -> Result<(), Refusal> {
        if requester.manages(template, subject) {
            return Ok(());
        }
        let whose = subject.map_or("an account that is not in the directory", |own| &own.name);
        Err(Refusal::Ruled(
            Rule::OfficerRestricted,
            format!(
                "{} is not a certificate manager for {template} and {whose}",
                requester.account.name
            ),
        ))
    }

    /// That a manager has no limits: what he manages concerns everybody.
    pub(super) fn must_manage_all(&self, requester: &Requester) -> Result<(), Refusal> {
        if requester.manages_all() {
            return Ok(());
        }
        let name = &requester.account.name;
        let told = format!("{name} is not a certificate manager for this CA's own certificates");
        Err(Refusal::Ruled(Rule::OfficerRestricted, told))
    }

    /// The same of a request on record. Without limits the directory is not asked.
    pub(super) fn must_manage_request(
        &self,
        requester: &Requester,
        row: &RequestRow,
    ) -> Result<(), Refusal> {
        if requester.manages(&row.template, None) {
            return Ok(());
        }
        let subject = self.account_of_request(&row.account, row)?;
        self.must_manage(requester, &row.template, subject.as_ref())
    }

    /// The same of a certificate. Without limits the directory is not asked.
    pub(super) fn must_manage_certificate(
        &self,
        requester: &Requester,
        row: &CertificateRow,
    ) -> Result<(), Refusal> {
        if requester.manages(&row.template, None) {
            return Ok(());
        }
        let subject = self.directory.account(&row.account)?;
        self.must_manage(requester, &row.template, subject.as_ref())
    }
}

/// What a certificate manager with limits sees, for the length of one call: each account is
/// looked up once.
pub(super) struct Sight<'a> {
    authority: &'a Authority,
    requester: &'a Requester,
    known: HashMap<String, Option<Account>>,
}

impl<'a> Sight<'a> {
    pub(super) fn of(authority: &'a Authority, requester: &'a Requester) -> Self {
        Self { authority, requester, known: HashMap::new() }
    }

    /// Whether something of this submitter's, account's and template's may be seen.
    pub(super) fn takes_in(
        &mut self,
        submitter: &str,
        account: &str,
        template: &str,
    ) -> Result<bool, Refusal> {
        let own = &self.requester.account.name;
        if own.eq_ignore_ascii_case(submitter) || own.eq_ignore_ascii_case(account) {
            return Ok(true);
        }
        if !self.requester.may(Operation::ReadAll) {
            return Ok(false);
        }
        if self.requester.sees_all() || self.requester.manages(template, None) {
            return Ok(true);
        }
        if !self.requester.management().iter().any(|own| own.cover(template)) {
            return Ok(false);
        }
        let key = account.to_ascii_lowercase();
        if !self.known.contains_key(&key) {
            self.known.insert(key.clone(), self.authority.directory.account(account)?);
        }
        let subject = self.known.get(&key).and_then(Option::as_ref);
        Ok(self.requester.manages(template, subject))
    }
}
