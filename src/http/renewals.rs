//! `/v1/certificates/{serial_number}/renew` and `…/retirement`: renewing by possession, and taking
//! back that the renewed certificate is to be retired.

use axum::http::StatusCode;
use serde::Deserialize;

use super::Replying;
use super::answer::{Answer, Reply};
use super::body;
use super::call::Call;
use super::certificates::serial_number;
use super::idempotency;
use super::negotiate::Representation;
use super::problem::Problem;
use super::requests::rendered;
use crate::ca::Refusal;
use crate::ca::renewal::Renewal;

/// More than a century is no overlap but a mistake.
const LONGEST_OVERLAP_SECONDS: u64 = 100 * 366 * 86_400;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Submission {
    csr: String,
    retire_after_seconds: Option<u64>,
}

/// `POST /v1/certificates/{serial_number}/renew`: answers as an enrolment does.
pub fn renew<'a>(call: &'a Call<'a>) -> Replying<'a> {
    Box::pin(renewed(call))
}

async fn renewed(call: &Call<'_>) -> Result<Reply, Problem> {
    // Before anything is issued: what could not be answered must not be done.
    let representation = Representation::chosen(&call.received.headers)?;
    let idempotency = idempotency::key(call.received)?;
    let serial = serial_number(call)?;
    call.requester.holding(&serial)?;
    let read: Submission;
    let (csr, retire_after_seconds) = match body::media_type(&call.received.headers).as_str() {
        "application/json" => {
            call.no_parameters()?;
            read = body::read_json(&call.received.body)?;
            (read.csr.as_bytes(), read.retire_after_seconds)
        }
        "application/pkcs10" => {
            let mut parameters = call.parameters()?;
            let after = parameters.parsed("retire_after_seconds", "a number of seconds")?;
            parameters.finish()?;
            (call.received.body.as_ref(), after)
        }
        _ => {
            return Err(body::unsupported(
                &call.received.headers,
                "application/pkcs10 (the CSR itself) or application/json",
            ));
        }
    };
    if retire_after_seconds.is_some_and(|seconds| seconds > LONGEST_OVERLAP_SECONDS) {
        let detail = format!("retire_after_seconds is at most {LONGEST_OVERLAP_SECONDS}");
        return Err(Problem::bad_request("retire-after-too-long", detail));
    }
    let renewal = Renewal { serial, csr, retire_after_seconds, idempotency };
    let renewed = call.api.authority.renewing(call.requester, renewal, call.now).await;
    if matches!(renewed, Err(Refusal::Denied(..))) {
        call.api.metrics.denied();
    }
    rendered(call, renewed?, representation, StatusCode::CREATED)
}

/// `DELETE /v1/certificates/{serial_number}/retirement`.
pub fn cancel_retirement(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let serial = serial_number(call)?;
    call.api.authority.cancel_retirement(call.requester, &serial, call.now)?;
    Ok(Answer::empty().into())
}
