//! Bodies: bounded in size and in time; JSON whose every field is known.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use serde::de::DeserializeOwned;

use super::call::Received;
use super::problem::Problem;

/// What a body may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Octets at most.
    pub octets: usize,
    /// From the head to the last octet at most.
    pub time: Duration,
}

impl Default for Limits {
    /// 1 MiB within 20 seconds.
    fn default() -> Self {
        Self { octets: 1024 * 1024, time: Duration::from_secs(20) }
    }
}

/// Of a body that is too large so much is read and thrown away, so that the caller is still
/// listening when the answer comes.
const DISCARDED_OCTETS: usize = 16 * 1024 * 1024;

/// Reads a body whole.
pub async fn read(headers: &HeaderMap, body: Body, limits: Limits) -> Result<Bytes, Problem> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let length = body.size_hint().exact().unwrap_or(0);
    let waits = headers.contains_key(header::EXPECT);
    if waits && length > limits.octets as u64 {
        return Err(too_large(limits));
    }
    let slow = || {
        let seconds = limits.time.as_secs();
        let detail = format!("the body did not arrive within {seconds} seconds");
        Problem::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", detail)
    };
    tokio::time::timeout(limits.time, collect(body, limits)).await.map_err(|_| slow())?
}

async fn collect(mut body: Body, limits: Limits) -> Result<Bytes, Problem> {
    let mut whole: Option<Bytes> = None;
    let mut joined = BytesMut::new();
    let mut octets = 0_usize;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame
            .map_err(|_| Problem::bad_request("body-broken", "the body ended before its end"))?;
        let Ok(data) = frame.into_data() else { continue };
        octets = octets.saturating_add(data.len());
        if octets > DISCARDED_OCTETS {
            break;
        }
        if octets > limits.octets {
            continue;
        }
        match whole.take() {
            None if joined.is_empty() => whole = Some(data),
            None => joined.extend_from_slice(&data),
            Some(first) => {
                joined.extend_from_slice(&first);
                joined.extend_from_slice(&data);
            }
        }
    }
    if octets > limits.octets {
        return Err(too_large(limits));
    }
    Ok(whole.unwrap_or_else(|| joined.freeze()))
}

fn too_large(limits: Limits) -> Problem {
    let detail = format!("a body has at most {} octets", limits.octets);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail)
}

/// The media type of the body in lower case, without parameters; empty if there is none.
pub fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|text| text.split(';').next()).unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// 415, naming what is taken.
pub fn unsupported(headers: &HeaderMap, taken: &str) -> Problem {
    let sent = media_type(headers);
    let sent = if sent.is_empty() { "nothing".to_owned() } else { format!("{sent:?}") };
    let detail = format!("Content-Type says {sent}; here {taken} is taken");
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type-unsupported", detail)
}

/// Refuses compressed bodies.
pub fn uncompressed(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get(header::CONTENT_ENCODING) {
        Some(coding) if coding != "identity" => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content-encoding-unsupported",
            "bodies are taken uncompressed",
        )),
        _ => Ok(()),
    }
}

/// The body as JSON of a shape that refuses unknown fields.
pub fn json<T: DeserializeOwned>(received: &Received) -> Result<T, Problem> {
    if media_type(&received.headers) != "application/json" {
        return Err(unsupported(&received.headers, "application/json"));
    }
    read_json(&received.body)
}

/// The body as JSON, or what an empty object would be where there is no body at all.
pub fn json_or_nothing<T: DeserializeOwned>(received: &Received) -> Result<T, Problem> {
    if received.body.is_empty() { read_json(b"{}") } else { json(received) }
}

/// JSON text of a shape that refuses unknown fields.
pub fn read_json<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(text).map_err(|error| {
        let detail = error.to_string();
        let rule = match error.classify() {
            serde_json::error::Category::Data if detail.starts_with("unknown field") => {
                "json-unknown-field"
            }
            serde_json::error::Category::Data => "json-invalid",
            _ if detail.starts_with("recursion limit") => "json-too-deep",
            _ => "json-malformed",
        };
        Problem::bad_request(rule, detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shape {
        #[expect(dead_code, reason = "only read")]
        text: String,
    }

    fn rule(text: &str) -> String {
        read_json::<Shape>(text.as_bytes()).unwrap_err().rule().to_owned()
    }

    #[test]
    fn each_mistake_has_its_rule() {
        assert_eq!(rule(r#"{"text":"a","tekst":"b"}"#), "json-unknown-field");
        assert_eq!(rule(r#"{"text":1}"#), "json-invalid");
        assert_eq!(rule(r#"{"text":"a","text":"b"}"#), "json-invalid");
        assert_eq!(rule(r#"{}"#), "json-invalid");
        assert_eq!(rule(r#"{"text":"a"} {"#), "json-malformed");
        assert_eq!(rule(""), "json-malformed");
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let value = read_json::<serde_json::Value>(deep.as_bytes());
        assert_eq!(value.unwrap_err().rule(), "json-too-deep");
    }

    #[tokio::test]
    async fn bodies_are_bounded() {
        let limits = Limits { octets: 10, time: Duration::from_millis(50) };
        let headers = HeaderMap::new();
        let whole = read(&headers, Body::from("0123456789"), limits).await.unwrap();
        assert_eq!(whole, "0123456789");
        let large = read(&headers, Body::from("0123456789a"), limits).await.unwrap_err();
        assert_eq!(large.rule(), "body-too-large");
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_read(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_json::<Shape>(&text);
        }
    }
}
