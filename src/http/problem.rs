//! Problem documents (RFC 9457): one table turns every refusal into status, type and title.
//!
//! `type` is `urn:chancery:problem:<rule>`, stable for ever; `rule` repeats its last part for
//! scripts; `detail` is the sentence for people; `hresult` is AD CS's code where it has one.

use std::borrow::Cow;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use super::answer::Answer;
use crate::ca::Refusal;

/// Why a call was not answered as asked.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    rule: Cow<'static, str>,
    detail: String,
    hresult: Option<u32>,
    request_id: Option<u64>,
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

/// What every `type` begins with.
pub const TYPE_PREFIX: &str = "urn:chancery:problem:";

/// Seconds after which a caller may try again when a queue was full.
const RETRY_AFTER_SECONDS: u64 = 1;

impl Problem {
    /// A problem of the door's own; `rule` is a stable slug.
    pub fn new(status: StatusCode, rule: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            rule: Cow::Borrowed(rule),
            detail: detail.into(),
            hresult: None,
            request_id: None,
            header: None,
        }
    }

    /// 400.
    pub fn bad_request(rule: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, rule, detail)
    }

    /// 503 with `Retry-After`.
    pub fn unavailable(rule: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, rule, detail)
            .with_header(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS))
    }

    /// The same problem with a header that belongs to its status.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }

    /// The same problem; where it asks for a credential, name and password will do (RFC 7617
    /// §2.1).
    #[must_use]
    pub fn offering_passwords(self) -> Self {
        const BOTH: HeaderValue = HeaderValue::from_static(
            "Bearer realm=\"chancery\", Basic realm=\"chancery\", charset=\"UTF-8\"",
        );
        match self.status {
            StatusCode::UNAUTHORIZED => self.with_header(header::WWW_AUTHENTICATE, BOTH),
            _ => self,
        }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable slug.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// The problem document; `call` is this call's number, as in `X-Request-Id`.
    pub fn to_answer(&self, call: &str) -> Answer {
        let document = Document {
            kind: &format!("{TYPE_PREFIX}{}", self.rule),
            title: title(self.status),
            status: self.status.as_u16(),
            detail: &self.detail,
            rule: &self.rule,
            hresult: self.hresult.map(|code| format!("0x{code:08x}")),
            request_id: self.request_id,
            disposition: self.request_id.map(|_| "denied"),
            instance: &format!("urn:chancery:call:{call}"),
        };
        let answer = Answer::json(self.status, &document).with_type("application/problem+json");
        match self.header.as_deref().cloned() {
            Some((name, value)) => answer.with_header(name, value),
            None => answer,
        }
    }
}

/// RFC 9457 §3.1, with our extension members (§3.2).
#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    rule: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hresult: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disposition: Option<&'static str>,
    instance: &'a str,
}

/// The table.
impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            Refusal::Unauthenticated(_) => {
                let challenge = HeaderValue::from_static("Bearer realm=\"chancery\"");
                Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
                    .with_header(header::WWW_AUTHENTICATE, challenge)
            }
            Refusal::CertificateRefused(rule, _) => {
                let challenge = HeaderValue::from_static("Bearer realm=\"chancery\"");
                Self::new(StatusCode::UNAUTHORIZED, rule, detail)
                    .with_header(header::WWW_AUTHENTICATE, challenge)
            }
            Refusal::PossessionRequired(_) => {
                Self::new(StatusCode::FORBIDDEN, "possession-required", detail)
            }
            Refusal::Forbidden(_) => Self::new(StatusCode::FORBIDDEN, "role-required", detail),
            Refusal::Withheld(rule, _) => Self::new(StatusCode::FORBIDDEN, rule, detail),
            Refusal::Bound(_) => Self::new(StatusCode::FORBIDDEN, "token-bound", detail),
            Refusal::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "not-found", detail),
            Refusal::Invalid(rule @ "idempotency-key-reused", _) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, rule, detail)
            }
            Refusal::Invalid(rule, _) => Self::bad_request(rule, detail),
            Refusal::Denied(request_id, denial) => Self {
                hresult: denial.rule.hresult(),
                request_id: Some(request_id),
                ..Self::new(StatusCode::FORBIDDEN, denial.rule.slug(), detail)
            },
            Refusal::Ruled(rule, _) => Self {
                hresult: rule.hresult(),
                ..Self::new(StatusCode::FORBIDDEN, rule.slug(), detail)
            },
            Refusal::Conflict(rule, _) => Self::new(StatusCode::CONFLICT, rule, detail),
            Refusal::Changed(_) => {
                Self::new(StatusCode::PRECONDITION_FAILED, "changed-meanwhile", detail)
            }
            Refusal::Unavailable(rule, _) => Self::unavailable(rule, detail),
        }
    }
}

/// What the status means here, the same for every occurrence.
fn title(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "The request breaks a rule of form",
        401 => "No valid credential",
        403 => "Not permitted",
        404 => "No such thing",
        405 => "No such method here",
        406 => "No such representation",
        408 => "The request took too long to arrive",
        409 => "Not possible in its present state",
        412 => "Changed meanwhile",
        413 => "The request is too large",
        415 => "The media type is not taken",
        422 => "The Idempotency-Key was used for something else",
        429 => "Too many calls",
        503 => "Not possible now",
        _ => "Failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::denial::{Denial, Rule};

    #[test]
    fn a_denial_names_rule_hresult_and_request() {
        let denial = Denial::new(Rule::EnrollmentNotPermitted, "anna is not in VPN Users");
        let answer = Problem::from(Refusal::Denied(7, denial)).to_answer("a-1");
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        let document: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(document["type"], "urn:chancery:problem:enrollment-not-permitted");
        assert_eq!(document["hresult"], "0x80094012");
        assert_eq!(document["request_id"], 7);
        assert_eq!(document["disposition"], "denied");
        assert_eq!(document["detail"], "anna is not in VPN Users");
        assert_eq!(document["instance"], "urn:chancery:call:a-1");
    }

    #[test]
    fn every_rule_makes_a_stable_type() {
        for rule in Rule::ALL {
            let slug = rule.slug();
            let fits = |letter: char| letter.is_ascii_lowercase() || letter == '-';
            assert!(slug.chars().all(fits), "{slug} is no slug");
        }
    }
}
