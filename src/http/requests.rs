//! `/v1/requests`: certificate requests and what becomes of them.

use axum::http::{StatusCode, header};
use serde::{Deserialize, Serialize};

use super::Replying;
use super::answer::{Answer, Reply};
use super::body;
use super::call::Call;
use super::certificates::{Parts, hex, represented};
use super::idempotency;
use super::negotiate::Representation;
use super::problem::Problem;
use super::query::next_link;
use crate::ca::act::{Idempotency, RequestSigner};
use crate::ca::enroll::{Enrolled, Enrolment, Outcome};
use crate::ca::{CertificateRow, Page, RequestFilter, RequestRow};
use crate::pki::bundle::pem;
use crate::pki::cms;
use crate::pki::denial::Rule;
use crate::pki::disposition::Disposition;
use crate::pki::serial::SerialNumber;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Submission {
    template: String,
    csr: String,
    on_behalf_of: Option<String>,
}

/// `POST /v1/requests`: 201 issued, 202 pending, 403 denied (and on record).
pub fn submit<'a>(call: &'a Call<'a>) -> Replying<'a> {
    Box::pin(submitted(call))
}

async fn submitted(call: &Call<'_>) -> Result<Reply, Problem> {
    // Before anything is issued: what could not be answered must not be done.
    let representation = Representation::chosen(&call.received.headers)?;
    let idempotency = idempotency::key(call.received)?;
    match body::media_type(&call.received.headers).as_str() {
        "application/json" => {
            call.no_parameters()?;
            let sent: Submission = body::read_json(&call.received.body)?;
            let on_behalf_of = sent.on_behalf_of.as_deref();
            let csr = sent.csr.as_bytes();
            enrol(call, &sent.template, csr, on_behalf_of, idempotency, representation).await
        }
        // Which of the two it is, its bytes say.
        "application/pkcs10" | "application/pkcs7-mime" => {
            let mut parameters = call.parameters()?;
            let template = parameters.text("template").ok_or_else(|| {
                Problem::bad_request("template-missing", "the parameter template is missing")
            })?;
            let on_behalf_of = parameters.text("on_behalf_of");
            parameters.finish()?;
            let (csr, on_behalf_of) = (&call.received.body, on_behalf_of.as_deref());
            enrol(call, &template, csr, on_behalf_of, idempotency, representation).await
        }
        _ => Err(body::unsupported(
            &call.received.headers,
            "application/pkcs10 (the CSR itself), application/pkcs7-mime (the CSR co-signed) or \
             application/json",
        )),
    }
}

async fn enrol(
    call: &Call<'_>,
    template: &str,
    csr: &[u8],
    on_behalf_of: Option<&str>,
    idempotency: Option<Idempotency>,
    representation: Representation,
) -> Result<Reply, Problem> {
    let enrolment = Enrolment { template, csr, on_behalf_of, idempotency };
    let enrolled = call.api.authority.enrolling(call.requester, enrolment, call.now).await;
    if matches!(enrolled, Err(crate::ca::Refusal::Denied(..))) {
        call.api.metrics.denied();
    }
    rendered(call, enrolled?, representation, StatusCode::CREATED)
}

/// `POST /v1/requests/{request_id}/approve`.
pub fn approve(call: &Call<'_>) -> Result<Reply, Problem> {
    let representation = Representation::chosen(&call.received.headers)?;
    call.no_parameters()?;
    let enrolled = call.api.authority.approve(call.requester, request_id(call)?, call.now)?;
    rendered(call, enrolled, representation, StatusCode::OK)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    detail: Option<String>,
}

/// `POST /v1/requests/{request_id}/deny`.
pub fn deny(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let reason: Reason = body::json_or_nothing(call.received)?;
    let id = request_id(call)?;
    let row = call.api.authority.deny(call.requester, id, reason.detail, call.now)?;
    call.api.metrics.denied();
    Ok(Answer::json(StatusCode::OK, &Request::of(&row)).into())
}

/// `POST /v1/requests/{request_id}/withdraw`.
pub fn withdraw(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let reason: Reason = body::json_or_nothing(call.received)?;
    let id = request_id(call)?;
    let row = call.api.authority.withdraw(call.requester, id, reason.detail, call.now)?;
    Ok(Answer::json(StatusCode::OK, &Request::of(&row)).into())
}

/// `GET /v1/requests`.
pub fn list(call: &Call<'_>) -> Result<Reply, Problem> {
    let mut parameters = call.parameters()?;
    let words = "one of active, pending, denied, issued, revoked, failed";
    let filter = RequestFilter {
        template: parameters.text("template"),
        account: parameters.text("account"),
        disposition: parameters.read("disposition", words, Disposition::from_word)?,
    };
    let page = Page { after: parameters.cursor()?, limit: parameters.limit()? };
    parameters.finish()?;
    let listing = call.api.authority.requests(call.requester, filter, page)?;
    let requests: Vec<Request> = listing.rows.iter().map(Request::of).collect();
    let next = listing.next.map(|cursor| next_link(&call.received.uri, &cursor));
    Ok(Answer::json(StatusCode::OK, &Requests { requests, next }).into())
}

/// `GET /v1/requests/{request_id}`: with its certificate once it is issued.
pub fn one(call: &Call<'_>) -> Result<Reply, Problem> {
    let representation = Representation::chosen(&call.received.headers)?;
    call.no_parameters()?;
    let authority = &call.api.authority;
    let row = authority.request(call.requester, request_id(call)?)?;
    let certificate = match (row.disposition, row.serial) {
        (Disposition::Issued | Disposition::Revoked, Some(serial)) => {
            Some(authority.certificate(call.requester, &serial)?)
        }
        _ => None,
    };
    if let Some(certificate) = &certificate
        && representation != Representation::Json
    {
        let answer = represented(call, certificate, representation, StatusCode::OK);
        return Ok(answer.into());
    }
    let mut request = Request::of(&row);
    request.csr = Some(pem::write(cms::Submission::label(&row.csr), &row.csr));
    request.issued = certificate.as_ref().map(|row| Parts::of(call, row)).transpose()?;
    Ok(Answer::json(StatusCode::OK, &request).into())
}

fn request_id(call: &Call<'_>) -> Result<u64, Problem> {
    call.name().parse().map_err(|_| {
        Problem::bad_request("request-id-malformed", "a request is named by a decimal number")
    })
}

/// The answer to an enrolment.
#[derive(Serialize)]
struct Submitted<'a> {
    request_id: u64,
    disposition: &'static str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    issued: Option<Parts<'a>>,
    notices: Vec<String>,
}

/// The answer to an enrolment or a renewal.
pub fn rendered(
    call: &Call<'_>,
    enrolled: Enrolled,
    representation: Representation,
    issued: StatusCode,
) -> Result<Reply, Problem> {
    let request_id = enrolled.request_id;
    let answer = match enrolled.outcome {
        Outcome::Issued(row, notices) => {
            call.api.metrics.issued();
            certified(call, &row, notices, representation, issued)?
        }
        Outcome::Pending => {
            let disposition = Disposition::Pending.as_str();
            let body = Submitted { request_id, disposition, issued: None, notices: Vec::new() };
            Answer::json(StatusCode::ACCEPTED, &body)
        }
    };
    let location = format!("/v1/requests/{request_id}");
    Ok(answer.with_text_header(header::LOCATION, &location).into())
}

fn certified(
    call: &Call<'_>,
    row: &CertificateRow,
    notices: Vec<String>,
    representation: Representation,
    status: StatusCode,
) -> Result<Answer, Problem> {
    if representation != Representation::Json {
        return Ok(represented(call, row, representation, status));
    }
    let disposition = match row.revocation {
        None => Disposition::Issued.as_str(),
        Some(_) => Disposition::Revoked.as_str(),
    };
    let issued = Some(Parts::of(call, row)?);
    let body = Submitted { request_id: row.request_id, disposition, issued, notices };
    Ok(Answer::json(status, &body))
}

#[derive(Serialize)]
struct Requests<'a> {
    requests: Vec<Request<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Somebody who has signed a request; no account where the certificate is not this CA's.
#[derive(Serialize)]
struct Signer<'a> {
    serial_number: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    account: &'a str,
}

impl<'a> Signer<'a> {
    fn of(signer: &'a RequestSigner) -> Self {
        let serial = SerialNumber::from_der_content(&signer.serial);
        let serial_number = serial.map(|own| own.to_string()).unwrap_or_default();
        Self { serial_number, account: &signer.account }
    }
}

/// A request as JSON.
#[derive(Serialize)]
struct Request<'a> {
    request_id: u64,
    disposition: &'static str,
    received_at: String,
    requester: &'a str,
    account: &'a str,
    template: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    signers: Vec<Signer<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hresult: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    renewal_of: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    csr: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    issued: Option<Parts<'a>>,
}

impl<'a> Request<'a> {
    fn of(row: &'a RequestRow) -> Self {
        let hresult = row.rule.as_deref().and_then(Rule::from_slug).and_then(Rule::hresult);
        Self {
            request_id: row.request_id,
            disposition: row.disposition.as_str(),
            received_at: row.received_at.to_string(),
            requester: &row.requester,
            account: &row.account,
            template: &row.template,
            signers: row.signers.iter().map(Signer::of).collect(),
            resolved_at: row.resolved_at.map(|moment| moment.to_string()),
            resolved_by: row.resolved_by.as_deref(),
            rule: row.rule.as_deref(),
            hresult: hresult.map(|code| format!("0x{code:08x}")),
            detail: row.detail.as_deref(),
            renewal_of: row.renewal.as_ref().map(|renewal| hex(&renewal.serial)),
            csr: None,
            issued: None,
        }
    }
}
