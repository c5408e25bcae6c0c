//! `/v1/certificates/{serial_number}/status`: for scripts that want to know whether relying parties
//! have been told.

use axum::http::StatusCode;
use serde::Serialize;

use super::answer::{Answer, Reply};
use super::call::Call;
use super::certificates::{Revoked, serial_number, status_word};
use super::problem::Problem;
use crate::ca::CrlRow;
use crate::ca::publish::Current;
use crate::pki::revocation_list::CrlKind;

/// How a certificate stands, and who can know.
#[derive(Serialize)]
struct Status {
    serial_number: String,
    status: &'static str,
    not_after: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation: Option<Revoked>,
    /// Revoked or held: the first CRL that said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_listed: Option<FirstListed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crl: Option<Publication>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta_crl: Option<Publication>,
}

#[derive(Serialize)]
struct FirstListed {
    crl_number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_crl_number: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    published_at: Option<String>,
}

impl FirstListed {
    fn of(row: &CrlRow) -> Self {
        Self {
            crl_number: row.number,
            base_crl_number: match row.kind {
                CrlKind::Complete => None,
                CrlKind::Delta { base } => Some(base),
            },
            published_at: row.published.map(|(at, _, _)| at.to_string()),
        }
    }
}

/// A CRL that is published now, and when the next one comes.
#[derive(Serialize)]
struct Publication {
    crl_number: u64,
    this_update: String,
    next_publish: String,
    next_update: String,
}

impl Publication {
    fn of(crl: &Current) -> Self {
        Self {
            crl_number: crl.number,
            this_update: crl.this_update.to_string(),
            next_publish: crl.next_publish.to_string(),
            next_update: crl.next_update.to_string(),
        }
    }
}

/// `GET /v1/certificates/{serial_number}/status`.
pub fn status(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let authority = &call.api.authority;
    let row = authority.certificate(call.requester, &serial_number(call)?)?;
    let first = match row.revocation {
        Some(_) => authority.first_listed(&row)?,
        None => None,
    };
    let publisher = &call.api.publisher;
    let status = Status {
        serial_number: row.serial.to_string(),
        status: status_word(&row, call.now),
        not_after: row.not_after.to_string(),
        revocation: row.revocation.as_ref().map(Revoked::of),
        first_listed: first.as_ref().map(FirstListed::of),
        crl: publisher.current(row.scope).as_deref().map(Publication::of),
        delta_crl: publisher.delta(row.scope).as_deref().map(Publication::of),
    };
    Ok(Answer::json(StatusCode::OK, &status).into())
}
