//! `/v1/ca/parent-crls`: the CRLs of the CAs above this one, as they are served here.

use axum::http::StatusCode;
use serde::Serialize;

use super::answer::{Answer, Reply};
use super::body::{media_type, unsupported};
use super::call::Call;
use super::certificates::hex;
use super::problem::Problem;
use crate::ca::parents::{Parent, ParentCrl, WasHere};
use crate::pki::bundle::pem;

/// What a body may be.
const TAKEN: &str = "application/pkix-crl (DER), or application/x-pem-file";

#[derive(Serialize)]
struct Listed {
    parent_crls: Vec<Shown>,
}

/// A parent with its CRL.
#[derive(Serialize)]
struct Shown {
    issuer: String,
    name: String,
    standing: &'static str,
    crl_urls: Vec<String>,
    named_crl_urls: Vec<String>,
    #[serde(flatten)]
    crl: Option<Crl>,
}

#[derive(Serialize)]
struct Crl {
    #[serde(skip_serializing_if = "Option::is_none")]
    crl_number: Option<String>,
    this_update: String,
    next_update: String,
    size_octets: usize,
    sha256: String,
}

impl Shown {
    fn of(parent: &Parent, call: &Call<'_>) -> Self {
        Self {
            issuer: parent.subject(),
            name: parent.name().to_owned(),
            standing: parent.standing(call.now).as_str(),
            crl_urls: parent.crl_urls().to_vec(),
            named_crl_urls: parent.named_crl_urls(),
            crl: parent.crl().map(|crl| Crl::of(&crl)),
        }
    }
}

impl Crl {
    fn of(crl: &ParentCrl) -> Self {
        Self {
            crl_number: crl.number.as_ref().map(ToString::to_string),
            this_update: crl.this_update.to_string(),
            next_update: crl.next_update.to_string(),
            size_octets: crl.octets.len(),
            sha256: hex(&crl.sha256),
        }
    }
}

/// `GET /v1/ca/parent-crls`: one line for each CA above, nearest first.
pub fn list(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let parents = call.api.authority.parents();
    let parent_crls = parents.iter().map(|parent| Shown::of(parent, call)).collect();
    Ok(Answer::json(StatusCode::OK, &Listed { parent_crls }).into())
}

#[derive(Serialize)]
struct Taken {
    issuer: String,
    name: String,
    crl_urls: Vec<String>,
    #[serde(flatten)]
    crl: Crl,
    warnings: Vec<String>,
}

/// `POST /v1/ca/parent-crls`: serve this one from now on. 201, or 200 where it was served already.
pub fn install(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let der = der(call)?;
    let authority = &call.api.authority;
    let installed = authority.install_parent_crl(call.requester, der, call.now)?;
    let taken = Taken {
        issuer: installed.issuer,
        name: installed.name,
        crl_urls: installed.urls,
        crl: Crl::of(&installed.crl),
        warnings: installed.warnings,
    };
    let status = match installed.was_here {
        WasHere::Yes => StatusCode::OK,
        WasHere::No => StatusCode::CREATED,
    };
    Ok(Answer::json(status, &taken).into())
}

fn der(call: &Call<'_>) -> Result<Vec<u8>, Problem> {
    let received = call.received;
    match media_type(&received.headers).as_str() {
        "application/pkix-crl" => Ok(received.body.to_vec()),
        "application/x-pem-file" => {
            let none = || Problem::bad_request("parent-crl", "the body is not one CRL in PEM");
            let text = std::str::from_utf8(&received.body).map_err(|_| none())?;
            let (mut blocks, _) = pem::read(text).map_err(|_| none())?;
            blocks.retain(|block| block.label == "X509 CRL");
            match (blocks.pop(), blocks.is_empty()) {
                (Some(block), true) => Ok(block.der),
                _ => Err(none()),
            }
        }
        _ => Err(unsupported(&received.headers, TAKEN)),
    }
}
