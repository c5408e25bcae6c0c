//! `/v1/tokens`: bearer tokens. A secret is told once, in the answer that makes it.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Reply};
use super::body;
use super::call::Call;
use super::idempotency::{Created, Secrecy, creating};
use super::problem::Problem;
use super::query::next_link;
use crate::ca::tokens::{NewToken, Scope, WantedToken};
use crate::ca::{Answering, TokenRow};
use crate::pki::time::Timestamp;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    account: String,
    expires_in_seconds: u64,
    description: Option<String>,
    template: Option<String>,
    #[serde(default)]
    single_use: bool,
}

impl Wanted {
    fn scope(&self) -> Result<Scope<'_>, Problem> {
        match (self.template.as_deref(), self.single_use) {
            (None, false) => Ok(Scope::Account),
            (Some(template), false) => Ok(Scope::Template(template)),
            (Some(template), true) => Ok(Scope::OneEnrolment(template)),
            (None, true) => Err(Problem::bad_request(
                "token-template",
                "a one-time token is bound to a template: the member template is missing",
            )),
        }
    }
}

/// A token as JSON.
#[derive(Serialize)]
struct Token<'a> {
    id: &'a str,
    account: &'a str,
    created_at: String,
    expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<&'a str>,
    single_use: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

impl<'a> Token<'a> {
    fn of(row: &'a TokenRow) -> Self {
        Self {
            id: &row.token.id,
            account: &row.token.account,
            created_at: row.created_at.to_string(),
            expires_at: Timestamp::from_millis(row.token.expires_at).to_string(),
            revoked_at: row.revoked_at.map(|moment| moment.to_string()),
            used_at: row.used.map(|(moment, _)| moment.to_string()),
            request_id: row.used.map(|(_, request_id)| request_id),
            template: row.token.template.as_deref(),
            single_use: row.token.single_use,
            description: row.token.description.as_deref(),
            token: None,
        }
    }
}

#[derive(Serialize)]
struct Tokens<'a> {
    tokens: Vec<Token<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// `GET /v1/tokens`, by identifier.
pub fn list(call: &Call<'_>) -> Result<Reply, Problem> {
    let mut parameters = call.parameters()?;
    let (after, limit) = (parameters.cursor::<String>()?, parameters.limit()?);
    parameters.finish()?;
    // One more than asked for tells whether there is a next page.
    let mut found = call.api.authority.tokens(call.requester, after.as_deref(), limit + 1)?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more);
    let next = last.map(|last| next_link(&call.received.uri, &last.token.id));
    let tokens = found.iter().map(Token::of).collect();
    Ok(Answer::json(StatusCode::OK, &Tokens { tokens, next }).into())
}

/// `GET /v1/tokens/{id}`.
pub fn one(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let row = call.api.authority.token(call.requester, call.name())?;
    Ok(Answer::json(StatusCode::OK, &Token::of(&row)).into())
}

/// `POST /v1/tokens`.
pub fn create(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let wanted: Wanted = body::json(call.received)?;
    let scope = wanted.scope()?;
    let create = |answering: Answering<'_, NewToken>| {
        let asked = WantedToken {
            account: &wanted.account,
            life_seconds: wanted.expires_in_seconds,
            description: wanted.description.clone(),
            scope,
        };
        call.api.authority.create_token(call.requester, asked, answering, call.now)
    };
    let created = |made: &NewToken| {
        let token = Token { token: Some(&made.secret), ..Token::of(&made.row) };
        Created::json(&token, format!("/v1/tokens/{}", made.row.token.id))
    };
    Ok(creating(call, Secrecy::Sealed, create, created)?.into())
}

/// `DELETE /v1/tokens/{id}`: revokes it; it stays on record.
pub fn revoke(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    call.api.authority.revoke_token(call.requester, call.name(), call.now)?;
    Ok(Answer::empty().into())
}
