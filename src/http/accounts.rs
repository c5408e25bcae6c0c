//! `/v1/accounts`: the built-in directory, and the roles of its accounts on this CA.

use axum::http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::{Answer, Reply, path_segment};
use super::body;
use super::call::Call;
use super::entity_tag::{if_match, quoted};
use super::idempotency::{Created, Secrecy, creating};
use super::problem::Problem;
use super::query::next_link;
use crate::ca::accounts::AccountRecord;
use crate::ca::permissions::Role;
use crate::ca::{Answering, Refusal};
use crate::pki::account::{Account, AccountKind};

/// An account as JSON; the names are Active Directory's in snake case.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    name: String,
    kind: String,
    #[serde(default)]
    cn: Option<String>,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    distinguished_name: Option<String>,
    #[serde(default)]
    user_principal_name: Option<String>,
    #[serde(default)]
    mail: Option<String>,
    #[serde(default)]
    dns_host_name: Option<String>,
    #[serde(default)]
    object_sid: Option<String>,
    #[serde(default)]
    object_guid: Option<String>,
    #[serde(default)]
    service_principal_names: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default = "enabled")]
    enabled: bool,
    #[serde(default)]
    roles: Vec<String>,
    /// Set by this CA; taken back unread, so that what was read can be sent again.
    #[serde(default)]
    created_at: Option<String>,
    /// As `created_at`.
    #[serde(default)]
    revision: Option<u64>,
}

fn enabled() -> bool {
    true
}

impl Body {
    fn of(record: &AccountRecord) -> Self {
        let account = record.account.clone();
        Self {
            name: account.name,
            kind: account.kind.as_str().to_owned(),
            cn: account.cn,
            display_name: account.display_name,
            distinguished_name: account.distinguished_name,
            user_principal_name: account.user_principal_name,
            mail: account.mail,
            dns_host_name: account.dns_host_name,
            object_sid: account.object_sid,
            object_guid: account.object_guid,
            service_principal_names: account.service_principal_names,
            groups: account.groups,
            enabled: account.enabled,
            roles: record.roles.iter().map(|role| role.as_str().to_owned()).collect(),
            created_at: Some(record.created_at.to_string()),
            revision: Some(record.revision),
        }
    }

    fn read(self) -> Result<(Account, Vec<Role>), Problem> {
        let unknown = |field: &str, word: &str, known: &str| {
            let detail = format!("{field}: {word:?} is not one of {known}");
            Problem::bad_request("account-invalid", detail)
        };
        let kind = AccountKind::from_word(&self.kind)
            .ok_or_else(|| unknown("kind", &self.kind, "user, computer, service"))?;
        let mut roles = Vec::new();
        for word in &self.roles {
            let role = Role::from_word(word)
                .ok_or_else(|| unknown("roles", word, &Role::ALL.map(Role::as_str).join(", ")))?;
            if !roles.contains(&role) {
                roles.push(role);
            }
        }
        let account = Account {
            name: self.name,
            kind,
            cn: self.cn,
            display_name: self.display_name,
            distinguished_name: self.distinguished_name,
            user_principal_name: self.user_principal_name,
            mail: self.mail,
            dns_host_name: self.dns_host_name,
            object_sid: self.object_sid,
            object_guid: self.object_guid,
            service_principal_names: self.service_principal_names,
            groups: self.groups,
            enabled: self.enabled,
        };
        Ok((account, roles))
    }
}

#[derive(Serialize)]
struct Accounts {
    accounts: Vec<Body>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// `GET /v1/accounts`, by name.
pub fn list(call: &Call<'_>) -> Result<Reply, Problem> {
    let mut parameters = call.parameters()?;
    let (after, limit) = (parameters.cursor::<String>()?, parameters.limit()?);
    parameters.finish()?;
    // One more than asked for tells whether there is a next page.
    let authority = &call.api.authority;
    let mut found = authority.accounts(call.requester, after.as_deref(), limit + 1)?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more);
    let next = last.map(|last| next_link(&call.received.uri, &last.account.name));
    let accounts = found.iter().map(Body::of).collect();
    Ok(Answer::json(StatusCode::OK, &Accounts { accounts, next }).into())
}

/// `GET /v1/accounts/{name}`: anybody their own.
pub fn one(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    Ok(whole(&call.api.authority.account(call.requester, call.name())?).into())
}

/// `POST /v1/accounts`.
pub fn create(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let (account, roles) = body::json::<Body>(call.received)?.read()?;
    let create = |answering: Answering<'_, AccountRecord>| {
        call.api.authority.create_account(call.requester, account, roles, answering, call.now)
    };
    let created = |made: &AccountRecord| {
        let location = format!("/v1/accounts/{}", path_segment(&made.account.name));
        Created::json(&Body::of(made), location)
    };
    Ok(creating(call, Secrecy::Plain, create, created)?.into())
}

/// `PUT /v1/accounts/{name}`: what is left out is gone.
pub fn replace(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let seen = seen_revision(call)?;
    change(call, body::json(call.received)?, seen)
}

/// `PATCH /v1/accounts/{name}`: JSON merge patch (RFC 7396); `{"enabled":false}` disables.
pub fn merge(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let seen = seen_revision(call)?;
    let patch: Map<String, Value> = match body::media_type(&call.received.headers).as_str() {
        "application/json" | "application/merge-patch+json" => {
            body::read_json(&call.received.body)?
        }
        _ => {
            let taken = "application/merge-patch+json or application/json";
            return Err(body::unsupported(&call.received.headers, taken));
        }
    };
    // Removed, it would be what it is where nothing is said: whoever disables somebody with a
    // script whose variable is empty must not let him in.
    if patch.get("enabled").is_some_and(Value::is_null) {
        let detail = "enabled: null is neither true nor false".to_owned();
        return Err(Problem::bad_request("account-invalid", detail));
    }
    let before = call.api.authority.account(call.requester, call.name())?;
    let mut merged = serde_json::to_value(Body::of(&before)).unwrap_or_default();
    if let Some(fields) = merged.as_object_mut() {
        for (field, value) in patch {
            match value {
                Value::Null => fields.remove(&field),
                value => fields.insert(field, value),
            };
        }
    }
    let text = serde_json::to_vec(&merged).unwrap_or_default();
    // The revision that was merged into, so that no change between is lost.
    change(call, body::read_json(&text)?, Some(seen.unwrap_or(before.revision)))
}

fn change(call: &Call<'_>, body: Body, seen: Option<u64>) -> Result<Reply, Problem> {
    if !body.name.eq_ignore_ascii_case(call.name()) {
        let detail = format!("name: {:?} is not the account of this path", body.name);
        return Err(Problem::bad_request("account-invalid", detail));
    }
    let (account, roles) = body.read()?;
    let authority = &call.api.authority;
    let changed = authority.change_account(call.requester, account, roles, seen, call.now)?;
    Ok(whole(&changed).into())
}

/// `DELETE /v1/accounts/{name}`.
pub fn remove(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let seen = seen_revision(call)?;
    call.api.authority.delete_account(call.requester, call.name(), seen, call.now)?;
    Ok(Answer::empty().into())
}

/// `If-Match` as a revision; a tag that never was one matches nothing.
fn seen_revision(call: &Call<'_>) -> Result<Option<u64>, Problem> {
    let Some(tag) = if_match(&call.received.headers)? else { return Ok(None) };
    match tag.parse() {
        Ok(revision) => Ok(Some(revision)),
        Err(_) => {
            let found = call.api.authority.account(call.requester, call.name())?;
            Err(Refusal::Changed(found.revision.to_string()).into())
        }
    }
}

fn whole(record: &AccountRecord) -> Answer {
    Answer::json(StatusCode::OK, &Body::of(record))
        .with_text_header(header::ETAG, &quoted(&record.revision))
}
