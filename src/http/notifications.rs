//! `/v1/ca/notifications`: how the endpoints of notifications do, and their metrics.

pub(super) mod metrics;

use axum::http::StatusCode;
use serde::Serialize;

use super::answer::{Answer, Reply};
use super::call::Call;
use super::problem::Problem;
use crate::ca::announcement::EndpointState;

#[derive(Serialize)]
struct Endpoints {
    endpoints: Vec<Endpoint>,
}

#[derive(Serialize)]
struct Endpoint {
    name: String,
    delivered: u64,
    failed: u64,
    given_up: u64,
    waiting: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

impl Endpoint {
    fn of(state: EndpointState) -> Self {
        Self {
            name: state.name,
            delivered: state.delivered,
            failed: state.failed,
            given_up: state.given_up,
            waiting: state.waiting,
            oldest: state.oldest.map(|moment| moment.to_string()),
            failing_since: state.failing_since.map(|moment| moment.to_string()),
            failure: state.failure,
        }
    }
}

/// `GET /v1/ca/notifications`, in the order of the settings.
pub fn show(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let endpoints = call.api.notifications.read().into_iter().map(Endpoint::of).collect();
    Ok(Answer::json(StatusCode::OK, &Endpoints { endpoints }).into())
}
