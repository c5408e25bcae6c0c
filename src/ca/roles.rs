//! The roles on this CA, granted to accounts and groups: one document, changed as a whole.

use std::collections::HashSet;
use std::sync::Arc;

use super::offices::Limits;
use super::permissions::{Operation, Role};
use super::{Authority, Refusal, Requester, record};
use crate::pki::account::Account;
use crate::pki::time::Timestamp;
use crate::storage::Urgency;
use crate::storage::act::{Act, RoleAssigned, RolesSaved};

/// The most assignments in the document.
const MOST_ASSIGNMENTS: usize = 1000;
/// The most templates, and the most groups, in one assignment's limits.
const MOST_LIMITS: usize = 256;
/// Everybody who authenticates, as template permissions know them: nobody in particular.
const EVERYBODY: &str = "Authenticated Users";

/// Every assignment, each of a form that can be one, and how often they were changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleDocument {
    assignments: Vec<Assignment>,
    revision: u64,
}

/// A role for an account or for the members of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The role.
    pub role: Role,
    /// Who has it.
    pub holder: Holder,
    /// How far it reaches.
    pub limits: Limits,
}

/// Who has a role.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// The members of this group.
    Group(String),
    /// This account.
    Account(String),
}

impl Holder {
    /// Whether `account` is among those who have it.
    pub fn takes_in(&self, account: &Account) -> bool {
        match self {
            Self::Group(group) => account.is_member_of(group),
            Self::Account(name) => account.name.eq_ignore_ascii_case(name),
        }
    }
}

impl RoleDocument {
    /// These assignments, if they are of a form that can be. That accounts, groups and templates
    /// are there is nobody's promise, for they come and go; that a name could be one is.
    pub fn of(assignments: Vec<Assignment>, revision: u64) -> Result<Self, Refusal> {
        check(&assignments)?;
        Ok(Self { assignments, revision })
    }

    /// The assignments, in the order in which they were given.
    pub fn assignments(&self) -> &[Assignment] {
        &self.assignments
    }

    /// Counts the changes from 1, 0 before the first: the entity tag.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Reads what is on record; what this program does not know stops the start, for a limit
    /// that is overlooked is a right too many.
    pub fn load(saved: Option<RolesSaved>) -> Result<Self, Refusal> {
        let Some(saved) = saved else { return Ok(Self::default()) };
        let unknown = |why: String| Refusal::Unavailable("roles-invalid", why);
        let read = |row: RoleAssigned| {
            let role = Role::from_word(&row.role)
                .ok_or_else(|| unknown(format!("the role {} on record is not known", row.role)))?;
            let holder = match (row.group, row.account) {
                (Some(group), None) => Holder::Group(group),
                (None, Some(account)) => Holder::Account(account),
                _ => return Err(unknown("a role on record has no one holder".to_owned())),
            };
            let limits = Limits { templates: row.templates, subject_groups: row.subject_groups };
            Ok(Assignment { role, holder, limits })
        };
        let assignments: Result<_, _> = saved.assignments.into_iter().map(read).collect();
        Ok(Self { assignments: assignments?, revision: saved.revision })
    }

    /// As it goes on record.
    pub fn to_row(&self) -> RolesSaved {
        let write = |own: &Assignment| {
            let (group, account) = match own.holder.clone() {
                Holder::Group(group) => (Some(group), None),
                Holder::Account(account) => (None, Some(account)),
            };
            let Limits { templates, subject_groups } = own.limits.clone();
            RoleAssigned {
                role: own.role.as_str().to_owned(),
                group,
                account,
                templates,
                subject_groups,
            }
        };
        let assignments = self.assignments.iter().map(write).collect();
        RolesSaved { assignments, revision: self.revision }
    }

    /// Whether it makes this account an administrator.
    pub(super) fn makes_administrator(&self, account: &Account) -> bool {
        let mut ruling = self.assignments.iter().filter(|own| own.role == Role::Administrator);
        ruling.any(|own| own.holder.takes_in(account))
    }
}

impl Authority {
    /// The roles that accounts and groups have; those on built-in accounts themselves stand there.
    pub fn roles(&self, requester: &Requester) -> Result<Arc<RoleDocument>, Refusal> {
        requester.must(Operation::ReadRoles)?;
        Ok(self.roles.load_full())
    }

    /// Replaces the document. It counts from the next call on. `if_match` is the revision the
    /// caller saw.
    pub fn replace_roles(
        &self,
        requester: &Requester,
        assignments: Vec<Assignment>,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<Arc<RoleDocument>, Refusal> {
        requester.must(Operation::EditRoles)?;
        check(&assignments)?;
        let _one_at_a_time = self.administrating();
        let old = self.roles.load_full();
        if if_match.is_some_and(|seen| seen != old.revision.to_string()) {
            return Err(Refusal::Changed(old.revision.to_string()));
        }
        let new = Arc::new(RoleDocument::of(assignments, old.revision + 1)?);
        self.must_leave_an_administrator(&new, None)?;
        let entry = record(requester, now, Act::RolesSaved(new.to_row()));
        self.register.commit(vec![entry], Urgency::Ordinary)?;
        self.roles.store(Arc::clone(&new));
        Ok(new)
    }
}

fn check(assignments: &[Assignment]) -> Result<(), Refusal> {
    let wrong = |why: String| Err(Refusal::Invalid("roles-invalid", why));
    if assignments.len() > MOST_ASSIGNMENTS {
        return wrong(format!("assignments: at most {MOST_ASSIGNMENTS}"));
    }
    let mut seen = HashSet::new();
    for (number, own) in assignments.iter().enumerate() {
        if let Err(why) = own.check() {
            return wrong(format!("assignments[{number}]: {why}"));
        }
        if !seen.insert(format!("{own:?}").to_lowercase()) {
            return wrong(format!("assignments[{number}]: it is there twice"));
        }
    }
    Ok(())
}

impl Assignment {
    fn check(&self) -> Result<(), String> {
        match &self.holder {
            Holder::Group(name) => group("group", name)?,
            Holder::Account(name) => named("account", name, 256)?,
        }
        let limitable = matches!(self.role, Role::CertificateManager | Role::EnrollmentAgent);
        if !limitable && !self.limits.are_none() {
            return Err(format!(
                "{} has no limits; certificate_manager and enrollment_agent may",
                self.role.as_str()
            ));
        }
        let Limits { templates, subject_groups } = &self.limits;
        for (field, list) in [("templates", templates), ("subject_groups", subject_groups)] {
            let Some(list) = list else { continue };
            if list.is_empty() {
                return Err(format!(
                    "{field}: an empty list could mean all or none; leave it out for all, leave \
                     the assignment out for none"
                ));
            }
            if list.len() > MOST_LIMITS {
                return Err(format!("{field}: at most {MOST_LIMITS}"));
            }
        }
        templates.iter().flatten().try_for_each(|cn| named("templates", cn, 64))?;
        subject_groups.iter().flatten().try_for_each(|name| group("subject_groups", name))
    }
}

fn group(field: &str, name: &str) -> Result<(), String> {
    named(field, name, 256)?;
    if name.eq_ignore_ascii_case(EVERYBODY) {
        return Err(format!("{field}: {EVERYBODY} is everybody, no group to trust or to limit to"));
    }
    Ok(())
}

fn named(field: &str, name: &str, longest: usize) -> Result<(), String> {
    let length = name.chars().count();
    let spaced = name.trim() != name;
    if length == 0 || length > longest || spaced || name.chars().any(char::is_control) {
        let shown: String = name.chars().take(longest).collect();
        return Err(format!(
            "{field}: {shown:?} is no name (1 to {longest} characters, no control characters, no \
             space around it)"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
