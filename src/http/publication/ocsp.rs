//! The OCSP responder (RFC 6960 appendix A in the profile of RFC 9919 §6): GET and POST, every
//! answer HTTP 200, and the headers by which caches keep it.

use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, ETAG, EXPIRES, HeaderValue,
    IF_NONE_MATCH, LAST_MODIFIED,
};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::oneshot;

use super::answer::{HEADERS, entity_tag, http_date, is_unchanged, plain, put};
use super::content::Content;
use super::ocsp_path;
use crate::ca::ocsp::{AnswerPoint, Found, FreshAnswer, StoredAnswer};
use crate::pki::ocsp::{LARGEST_REQUEST, ResponseStatus};
use crate::pki::time::Timestamp;

/// The path in the certificates' AIA.
const PATH: &str = "/ocsp";

/// An answer changes when somebody is revoked, not only when it is renewed: caches between here
/// and those who ask look again after this long. With the entity tag that costs a few octets.
const KEPT_SECONDS: u64 = 300;

/// Whether this path is the responder's.
pub(super) fn is_meant(path: &str) -> bool {
    path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Answers one request; its body must be there within `patience`.
pub(super) async fn answer(
    request: Request<Incoming>,
    answers: &AnswerPoint,
    now: Timestamp,
    patience: Duration,
) -> Response<Content> {
    match *request.method() {
        Method::GET | Method::HEAD => {
            let rest = request.uri().path().strip_prefix(PATH).unwrap_or_default();
            let found = match ocsp_path::request(rest) {
                Some(der) => answers.find(&der, now),
                None => Found::Status(ResponseStatus::MalformedRequest),
            };
            let mut response = match found {
                Found::Stored(stored) => {
                    let tag = entity_tag(&stored.tag);
                    // By the entity tag alone: two answers may have been signed in one second.
                    let unchanged = request.headers().contains_key(IF_NONE_MATCH)
                        && is_unchanged(request.headers(), &tag, stored.produced_at);
                    self::stored(stored, now, unchanged.then_some(Unchanged))
                }
                Found::Fresh(fresh) => self::fresh(answers, fresh).await,
                Found::Status(found) => status(found),
            };
            if *request.method() == Method::HEAD {
                *response.body_mut() = Content::nothing();
            }
            response
        }
        Method::POST => {
            // Whatever Content-Type says: what is no request is told so.
            let body = axum::body::Body::new(request.into_body());
            let read = axum::body::to_bytes(body, LARGEST_REQUEST);
            match tokio::time::timeout(patience, read).await {
                Ok(Ok(der)) => match answers.find(&der, now) {
                    Found::Stored(stored) => self::stored(stored, now, None),
                    Found::Fresh(fresh) => self::fresh(answers, fresh).await,
                    Found::Status(found) => status(found),
                },
                // Too long, cut off or too slow: the rest of it is not waited for.
                Ok(Err(_)) | Err(_) => {
                    let mut refused = status(ResponseStatus::MalformedRequest);
                    refused.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                    refused
                }
            }
        }
        _ => {
            let text = "OCSP is asked with GET or POST\n";
            let mut refused = plain(StatusCode::METHOD_NOT_ALLOWED, text);
            refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
            refused
        }
    }
}

/// The client has this very answer.
struct Unchanged;

/// RFC 9919 §6 and §7.2: Last-Modified is producedAt, Expires nextUpdate.
fn stored(stored: StoredAnswer, now: Timestamp, unchanged: Option<Unchanged>) -> Response<Content> {
    let length = stored.octets.len();
    let mut response = Response::new(match unchanged {
        Some(Unchanged) => Content::nothing(),
        None => Content::memory(stored.octets.into()),
    });
    let left = stored.next_update.seconds_since(now).saturating_sub(1);
    let kept = left.min(KEPT_SECONDS);
    let cached = format!("max-age={kept}, public, no-transform, must-revalidate");
    let headers = response.headers_mut();
    headers.reserve(HEADERS);
    put(headers, ETAG, entity_tag(&stored.tag));
    put(headers, LAST_MODIFIED, http_date(stored.produced_at.min(now)));
    put(headers, EXPIRES, http_date(stored.next_update));
    put(headers, CACHE_CONTROL, cached);
    match unchanged {
        Some(Unchanged) => *response.status_mut() = StatusCode::NOT_MODIFIED,
        None => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
    }
    response
}

const MEDIA_TYPE: &str = "application/ocsp-response";

/// For one client alone, since it repeats that client's nonce.
async fn fresh(answers: &AnswerPoint, fresh: FreshAnswer) -> Response<Content> {
    let (done, signed) = oneshot::channel();
    // Who asked may be gone by then.
    let submitted = answers.sign(fresh, move |octets| drop(done.send(octets)));
    let octets = match submitted {
        Ok(()) => signed.await.ok(),
        Err(_busy) => return status(ResponseStatus::TryLater),
    };
    let Some(octets) = octets else { return status(ResponseStatus::InternalError) };
    let mut response = Response::new(Content::memory(octets.into()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=0"));
    response
}

/// Not signed, and not to be kept (RFC 9919 §7.2).
fn status(status: ResponseStatus) -> Response<Content> {
    let mut response = Response::new(Content::memory(status.to_der().into()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
    response
}
