//! `/v1/ca/roles`: who has which role on this CA, as one document.

use axum::http::{StatusCode, header};
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Reply};
use super::body;
use super::call::Call;
use super::entity_tag::{if_match, quoted};
use super::problem::Problem;
use crate::ca::offices::Limits;
use crate::ca::permissions::Role;
use crate::ca::roles::{Assignment, Holder, RoleDocument};

/// The document as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    assignments: Vec<Assigned>,
}

impl Document {
    /// As it is sent.
    pub fn of(document: &RoleDocument) -> Self {
        Self { assignments: document.assignments().iter().map(Assigned::of).collect() }
    }

    /// What it says; the authority looks at the names.
    pub fn read(self) -> Result<Vec<Assignment>, String> {
        let mut assignments = Vec::with_capacity(self.assignments.len());
        for (number, own) in self.assignments.into_iter().enumerate() {
            let read = own.read().map_err(|why| format!("assignments[{number}]: {why}"))?;
            assignments.push(read);
        }
        Ok(assignments)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Assigned {
    role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    templates: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject_groups: Option<Vec<String>>,
}

impl Assigned {
    fn of(own: &Assignment) -> Self {
        let (group, account) = match own.holder.clone() {
            Holder::Group(group) => (Some(group), None),
            Holder::Account(account) => (None, Some(account)),
        };
        let Limits { templates, subject_groups } = own.limits.clone();
        Self { role: own.role.as_str().to_owned(), group, account, templates, subject_groups }
    }

    fn read(self) -> Result<Assignment, String> {
        let role = Role::from_word(&self.role).ok_or_else(|| {
            let known = Role::ALL.map(Role::as_str).join(", ");
            format!("role: {:?} is not one of {known}", self.role)
        })?;
        let holder = match (self.group, self.account) {
            (Some(group), None) => Holder::Group(group),
            (None, Some(account)) => Holder::Account(account),
            (None, None) => return Err("group or account must say who has it".to_owned()),
            (Some(_), Some(_)) => return Err("either group or account, not both".to_owned()),
        };
        let limits = Limits { templates: self.templates, subject_groups: self.subject_groups };
        Ok(Assignment { role, holder, limits })
    }
}

/// `GET /v1/ca/roles`: what PUT takes.
pub fn show(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    Ok(whole(&*call.api.authority.roles(call.requester)?).into())
}

/// `PUT /v1/ca/roles`: the whole document anew.
pub fn replace(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let seen = if_match(&call.received.headers)?;
    let document: Document = body::json(call.received)?;
    let assignments = document.read().map_err(|why| Problem::bad_request("roles-invalid", why))?;
    let authority = &call.api.authority;
    let changed =
        authority.replace_roles(call.requester, assignments, seen.as_deref(), call.now)?;
    Ok(whole(&changed).into())
}

fn whole(document: &RoleDocument) -> Answer {
    Answer::json(StatusCode::OK, &Document::of(document))
        .with_text_header(header::ETAG, &quoted(&document.revision()))
}
