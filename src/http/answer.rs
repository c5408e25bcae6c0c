//! What a resource answers: status, a few headers, and a body that is complete.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use serde::Serialize;

use crate::pki::revocation_list::CrlScope;

/// Octets that most answers fit into, that to an enrolment among them.
const USUAL_OCTETS: usize = 6 * 1024;

/// A complete answer.
#[derive(Clone, Debug)]
pub struct Answer {
    status: StatusCode,
    media_type: HeaderValue,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

/// What a resource gives back: an answer, or the promise of one.
pub enum Reply {
    /// At once.
    Now(Answer),
    /// Once a CRL stands at its publication point that reflects ledger entry `sequence`; the
    /// door waits for it a few seconds without holding a thread. `render` is told the CRL's
    /// number, or nothing if it took longer.
    OncePublished {
        /// The ledger entry that the CRL must reflect.
        sequence: u64,
        /// Of which scopes; none stand for everything under the present key.
        scopes: Vec<CrlScope>,
        /// Makes the answer.
        render: Box<dyn FnOnce(Option<u64>) -> Answer + Send>,
    },
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self::Now(answer)
    }
}

impl Answer {
    /// A body of a given media type.
    pub fn new(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            media_type: HeaderValue::from_static(media_type),
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// A JSON body.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Self {
        let mut body = Vec::with_capacity(USUAL_OCTETS);
        // Our own shapes have string keys and no failing serialisers, so this cannot fail; a
        // body that is cut would show it if it did.
        if serde_json::to_writer(&mut body, value).is_ok() {
            body.push(b'\n');
        }
        Self::new(status, "application/json", body)
    }

    /// 204: no body.
    pub fn empty() -> Self {
        Self::new(StatusCode::NO_CONTENT, "", Bytes::new())
    }

    /// The same answer as another media type.
    pub fn with_type(mut self, media_type: &'static str) -> Self {
        self.media_type = HeaderValue::from_static(media_type);
        self
    }

    /// The same answer with one header more.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same answer with a header made of text; text that no header can hold is left out.
    pub fn with_text_header(self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => self.with_header(name, value),
            Err(_) => self,
        }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// As axum sends it. Nothing of this door may be kept by a cache: answers depend on who asks.
    pub fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.reserve(self.headers.len() + 4);
        if !self.media_type.is_empty() {
            headers.insert(header::CONTENT_TYPE, self.media_type);
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        response
    }
}

/// A path segment in a `Location` header or a link: everything but unreserved characters is
/// percent-encoded (RFC 3986 §2.1).
pub fn path_segment(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            segment.push(char::from(octet));
        } else {
            segment.push_str(&format!("%{octet:02X}"));
        }
    }
    segment
}
