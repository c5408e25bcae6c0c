//! `/v1/audit`: the ledger as auditors read it, and the hash of its head to write down.

use axum::http::StatusCode;
use serde::Serialize;

use super::answer::{Answer, Reply};
use super::call::Call;
use super::certificates::hex;
use super::problem::Problem;
use super::query::next_link;
use crate::ca::AuditRow;
use crate::ca::act::Act;
use crate::pki::time::Timestamp;

#[derive(Serialize)]
struct Audit<'a> {
    head: Head,
    entries: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize)]
struct Head {
    sequence: u64,
    hash: String,
    latest: String,
}

#[derive(Serialize)]
struct Entry<'a> {
    sequence: u64,
    hash: String,
    at: String,
    actor: Option<&'a str>,
    act: &'a Act,
}

impl<'a> Entry<'a> {
    fn of(row: &'a AuditRow) -> Self {
        Self {
            sequence: row.sequence,
            hash: hex(&row.hash),
            at: Timestamp::from_millis(row.entry.at).to_string(),
            actor: row.entry.actor.as_deref(),
            act: &row.entry.act,
        }
    }
}

/// `GET /v1/audit`, oldest first; `from` is an entry's number.
pub fn list(call: &Call<'_>) -> Result<Reply, Problem> {
    let mut parameters = call.parameters()?;
    let from = parameters.parsed::<u64>("from", "an entry's number")?.unwrap_or(1);
    let from = parameters.cursor::<u64>()?.unwrap_or(from);
    let limit = parameters.limit()?;
    parameters.finish()?;
    let (head, rows) = call.api.authority.audit(call.requester, from, limit)?;
    let last = rows.last().map(|row| row.sequence).filter(|last| *last < head.sequence);
    let next = last.map(|last| next_link(&call.received.uri, &(last + 1)));
    let head =
        Head { sequence: head.sequence, hash: hex(&head.hash), latest: head.latest.to_string() };
    let entries = rows.iter().map(Entry::of).collect();
    Ok(Answer::json(StatusCode::OK, &Audit { head, entries, next }).into())
}
