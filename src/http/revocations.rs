//! Revoking, holding, releasing: on record at once, answered with the number of the CRL that
//! shows it, or 202 where that CRL is still to come.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Reply};
use super::body;
use super::call::Call;
use super::certificates::serial_number;
use super::problem::Problem;
use crate::ca::revoke::Recorded;
use crate::pki::revocation::RevocationReason;
use crate::pki::time::Timestamp;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    reason: String,
    invalidity_date: Option<String>,
}

impl Revocation {
    fn read(&self) -> Result<(RevocationReason, Option<Timestamp>), Problem> {
        let reason = RevocationReason::from_name(&self.reason).ok_or_else(|| {
            let known = RevocationReason::ALL.map(RevocationReason::as_str).join(", ");
            let detail = format!("{:?} is not one of {known} (RFC 5280 §5.3.1)", self.reason);
            Problem::bad_request("revocation-reason", detail)
        })?;
        let date = self.invalidity_date.as_deref().map(str::parse).transpose();
        let date = date.map_err(|error| {
            Problem::bad_request("invalidity-date", format!("invalidity_date: {error}"))
        })?;
        Ok((reason, date))
    }
}

/// `POST /v1/certificates/{serial_number}/revoke`.
pub fn revoke(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let serial = serial_number(call)?;
    let authority = &call.api.authority;
    authority.must_revoke(call.requester, &serial)?;
    let (reason, date) = body::json::<Revocation>(call.received)?.read()?;
    let recorded = authority.revoke(call.requester, &serial, reason, date, call.now)?;
    Ok(once_published(call, recorded, "revoked"))
}

/// `POST /v1/certificates/{serial_number}/release`.
pub fn release(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let serial = serial_number(call)?;
    let recorded = call.api.authority.release(call.requester, &serial, call.now)?;
    Ok(once_published(call, recorded, "released"))
}

/// `POST /v1/accounts/{name}/revoke-certificates`: all of them, one act, one CRL.
pub fn revoke_account(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let (reason, date) = body::json::<Revocation>(call.received)?.read()?;
    let (authority, name) = (&call.api.authority, call.name());
    let recorded = authority.revoke_account(call.requester, name, reason, date, call.now)?;
    Ok(once_published(call, recorded, "revoked"))
}

#[derive(Serialize)]
struct Done {
    outcome: &'static str,
    serial_numbers: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crl_number: Option<u64>,
}

fn once_published(call: &Call<'_>, recorded: Recorded, outcome: &'static str) -> Reply {
    let Recorded { sequence, certificates, scopes } = recorded;
    call.api.metrics.revoked(certificates.len());
    call.api.publisher.demand(&scopes, sequence);
    let serial_numbers = certificates.iter().map(ToString::to_string).collect();
    let render = move |crl_number: Option<u64>| {
        let status = match crl_number {
            Some(_) => StatusCode::OK,
            None => StatusCode::ACCEPTED,
        };
        Answer::json(status, &Done { outcome, serial_numbers, crl_number })
    };
    Reply::OncePublished { sequence, scopes, render: Box::new(render) }
}
