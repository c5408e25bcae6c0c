//! What is answered to whom: RFC 9110 (conditions, §13) and RFC 9111 (how long it may be kept).
//! A function of the request's head, the snapshot and the time; nothing else.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, EXPIRES, HeaderMap, HeaderName,
    HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, RETRY_AFTER,
};
use hyper::{Method, Response, StatusCode};

use super::content::Content;
use crate::ca::parents::{Found, ParentCrl};
use crate::ca::publish::{Current, PublicationPoint, PublishedCertificate, PublishedLists};
use crate::pki::time::Timestamp;

/// A CRL is replaced whenever somebody is revoked, not only when it is due: whoever keeps it asks
/// again after this long. With the entity tag that costs a few octets.
const CRL_KEPT_SECONDS: u64 = 600;
/// A delta is there to tell soon.
const DELTA_KEPT_SECONDS: u64 = 60;
const CERTIFICATE_KEPT_SECONDS: u64 = 24 * 3600;

/// No answer has more header fields.
pub(super) const HEADERS: usize = 6;

/// Something that is published.
struct Published {
    media_type: &'static str,
    entity_tag: String,
    modified: Timestamp,
    kept_seconds: u64,
    length: u64,
    content: Content,
}

/// Answers one request.
pub fn answer(
    method: &Method,
    path: &str,
    conditions: &HeaderMap,
    point: &PublicationPoint,
    now: Timestamp,
) -> Response<Content> {
    let found = match resource(path, point) {
        None => return plain(StatusCode::NOT_FOUND, "there is nothing here\n"),
        Some(_) if !matches!(*method, Method::GET | Method::HEAD) => {
            let text = "only GET and HEAD are answered here\n";
            let mut refused = plain(StatusCode::METHOD_NOT_ALLOWED, text);
            refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        Some(Resource::Certificate(own)) => certificate(own),
        Some(Resource::ParentCrl(Some(found))) => parent_crl(&found, now),
        Some(Resource::ParentCrl(None)) => {
            return plain(StatusCode::NOT_FOUND, "no CRL of this CA has been handed over yet\n");
        }
        Some(Resource::Delta(lists)) => match lists.delta() {
            Some(delta) => crl(&delta, DELTA_KEPT_SECONDS, now),
            None => return plain(StatusCode::NOT_FOUND, "this CA has no delta CRL\n"),
        },
        Some(Resource::Crl(lists)) => match lists.current() {
            Some(current) => crl(&current, CRL_KEPT_SECONDS, now),
            None => {
                let text = "no CRL has been published yet\n";
                let mut missing = plain(StatusCode::SERVICE_UNAVAILABLE, text);
                missing.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
                return missing;
            }
        },
    };
    let unchanged = is_unchanged(conditions, &found.entity_tag, found.modified);
    let mut response = Response::new(match (unchanged, method) {
        (false, &Method::GET) => found.content,
        _ => Content::nothing(),
    });
    let headers = response.headers_mut();
    headers.reserve(HEADERS);
    put(headers, ETAG, found.entity_tag);
    // Never later than the answer itself (RFC 9110 §8.8.2.1).
    put(headers, LAST_MODIFIED, http_date(found.modified.min(now)));
    put(headers, CACHE_CONTROL, format!("max-age={}", found.kept_seconds));
    put(headers, EXPIRES, http_date(now.plus_seconds(found.kept_seconds)));
    if unchanged {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(found.media_type));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(found.length));
    }
    response
}

enum Resource<'a> {
    Crl(&'a PublishedLists),
    Delta(&'a PublishedLists),
    Certificate(&'a PublishedCertificate),
    ParentCrl(Option<Arc<ParentCrl>>),
}

fn resource<'a>(path: &str, point: &'a PublicationPoint) -> Option<Resource<'a>> {
    let named = |folder: &str, ending: &str| {
        path.strip_prefix(folder).and_then(|rest| rest.strip_suffix(ending))
    };
    if let Some(name) = named("/crl/", ".crl") {
        let own = point.lists().iter().find_map(|own| match name {
            _ if name == own.name() => Some(Resource::Crl(own)),
            _ if name == own.delta_name() => Some(Resource::Delta(own)),
            _ => None,
        });
        if own.is_some() {
            return own;
        }
    }
    if let Some(name) = named("/aia/", ".crt")
        && let Some(own) = point.certificates().iter().find(|own| own.name == name)
    {
        return Some(Resource::Certificate(own));
    }
    match point.parents().at(path)? {
        Found::Certificate(parent) => Some(Resource::Certificate(parent)),
        Found::Crl(crl) => Some(Resource::ParentCrl(crl)),
    }
}

/// One that has ended is told as it is, and kept by nobody.
fn parent_crl(crl: &ParentCrl, now: Timestamp) -> Published {
    Published {
        media_type: "application/pkix-crl",
        entity_tag: entity_tag(&crl.sha256),
        modified: crl.modified,
        kept_seconds: crl.next_update.seconds_since(now).min(CRL_KEPT_SECONDS),
        length: crl.octets.len() as u64,
        content: Content::memory(crl.octets.clone()),
    }
}

fn crl(current: &Current, kept_seconds: u64, now: Timestamp) -> Published {
    let left = current.due.seconds_since(now);
    let content = match &current.memory {
        Some(octets) => Content::memory(octets.clone()),
        None => Content::file(current.file.clone(), current.length),
    };
    Published {
        media_type: "application/pkix-crl",
        entity_tag: entity_tag(&current.sha256),
        modified: current.modified,
        kept_seconds: left.min(kept_seconds),
        length: current.length,
        content,
    }
}

fn certificate(own: &PublishedCertificate) -> Published {
    let octets = own.der.clone();
    Published {
        media_type: "application/pkix-cert",
        entity_tag: entity_tag(&own.sha256),
        modified: own.not_before,
        kept_seconds: CERTIFICATE_KEPT_SECONDS,
        length: octets.len() as u64,
        content: Content::memory(octets),
    }
}

/// RFC 9110 §13.2.2: where there is If-None-Match, If-Modified-Since does not count.
pub(super) fn is_unchanged(conditions: &HeaderMap, entity_tag: &str, modified: Timestamp) -> bool {
    if conditions.contains_key(IF_NONE_MATCH) {
        let lists = conditions.get_all(IF_NONE_MATCH).iter();
        let mut tags = lists.filter_map(|list| list.to_str().ok()).flat_map(|list| list.split(','));
        return tags.any(|tag| {
            let tag = tag.trim();
            tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == entity_tag
        });
    }
    let since = conditions.get(IF_MODIFIED_SINCE).and_then(|date| date.to_str().ok());
    since
        .and_then(|date| httpdate::parse_http_date(date).ok())
        .and_then(|date| date.duration_since(UNIX_EPOCH).ok())
        .is_some_and(|since| since.as_secs() >= modified.seconds())
}

/// Strong: from the octets themselves, half of their SHA-256.
pub(super) fn entity_tag(sha256: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut tag = String::with_capacity(34);
    tag.push('"');
    for octet in sha256.iter().take(16) {
        tag.push(DIGITS[usize::from(octet >> 4)]);
        tag.push(DIGITS[usize::from(octet & 15)]);
    }
    tag.push('"');
    tag
}

pub(super) fn http_date(moment: Timestamp) -> String {
    let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(moment.seconds());
    httpdate::fmt_http_date(moment)
}

pub(super) fn plain(status: StatusCode, text: &'static str) -> Response<Content> {
    let mut response = Response::new(Content::memory(text.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub(super) fn put(headers: &mut HeaderMap, name: HeaderName, value: String) {
    // Digits, hex and dates are legal header values.
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
