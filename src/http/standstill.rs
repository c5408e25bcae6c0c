//! What the API says when the register cannot be read at all: that it lives, that it is not
//! ready and why, and 503 to everything else. (The publication side goes on serving.)

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde_json::json;

use super::answer::Answer;

/// Routes for a standstill because of `why`.
pub fn router(why: &str) -> Router {
    let alive = json!({ "healthy": true });
    let ready = json!({ "ready": false, "reasons": [why] });
    let refused = json!({
        "type": format!("{}register-unreadable", super::problem::TYPE_PREFIX),
        "title": "Service Unavailable",
        "status": 503,
        "rule": "register-unreadable",
        "detail": why,
    });
    Router::new()
        .route("/healthz", get(move || answer(StatusCode::OK, "application/json", alive)))
        .route(
            "/readyz",
            get(move || answer(StatusCode::SERVICE_UNAVAILABLE, "application/json", ready)),
        )
        .fallback(move || {
            answer(StatusCode::SERVICE_UNAVAILABLE, "application/problem+json", refused)
        })
}

async fn answer(status: StatusCode, media_type: &'static str, body: serde_json::Value) -> Response {
    Answer::new(status, media_type, body.to_string()).into_response()
}
