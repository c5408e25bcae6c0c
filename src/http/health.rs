//! `/healthz`, `/readyz` and the contract itself: open to everybody, answered at once, and
//! saying only yes or no and why.

use axum::http::StatusCode;
use serde::Serialize;

use super::answer::Answer;
use super::api::Api;
use crate::pki::time::Timestamp;

/// The contract.
pub const CONTRACT: &str = include_str!("../../openapi.yaml");

/// `GET /openapi.yaml`.
pub fn contract(_: &Api, _: Timestamp) -> Answer {
    Answer::new(StatusCode::OK, "application/yaml", CONTRACT)
}

#[derive(Serialize)]
struct Alive {
    healthy: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
}

/// `GET /healthz`: no only where a new start of the program would help.
pub fn alive(api: &Api, _: Timestamp) -> Answer {
    let reasons: Vec<String> = api.authority.health().poisoned.into_iter().collect();
    let body = Alive { healthy: reasons.is_empty(), reasons };
    Answer::json(status(body.healthy), &body)
}

#[derive(Serialize)]
struct Ready {
    ready: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notices: Vec<String>,
}

/// `GET /readyz`: no where certificates cannot be issued or CRL and OCSP answers grow old, long before
/// anybody who relies on it would notice.
pub fn ready(api: &Api, now: Timestamp) -> Answer {
    let reasons: Vec<String> =
        conditions(api, now).into_iter().filter_map(|(_, why)| why).collect();
    let mut notices = api.authority.notices();
    notices.extend(api.authority.template_notices());
    notices.extend(api.authority.parents().notices(now));
    notices.extend(api.copies.iter().filter_map(|own| own.trouble()));
    notices.extend(api.notifications.notices(now));
    notices.extend(api.self_check.load().iter().flat_map(|own| own.warnings.clone()));
    let body = Ready { ready: reasons.is_empty(), reasons, notices };
    Answer::json(status(body.ready), &body)
}

fn status(well: bool) -> StatusCode {
    if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// Each condition of being ready, with what is wrong where something is.
pub fn conditions(api: &Api, now: Timestamp) -> Vec<(&'static str, Option<String>)> {
    let issuing = api.authority.may_issue(now).err().map(|refusal| refusal.to_string());
    let crl = api.publisher.trouble(now);
    let serving = api.is_draining().then(|| "this server is stopping".to_owned());
    let ocsp = api.publisher.ocsp(now).map(|figures| ("ocsp", figures.trouble));
    let mut conditions = vec![("issuing", issuing), ("crl", crl), ("serving", serving)];
    conditions.extend(ocsp);
    let parents = api.authority.parents();
    if parents.iter().next().is_some() {
        conditions.push(("parent_crls", parents.trouble(now)));
    }
    let found = api.self_check.load();
    let found = found.as_ref().map(|own| own.faults.join("; ")).filter(|told| !told.is_empty());
    conditions.push(("self_check", found));
    conditions
}
