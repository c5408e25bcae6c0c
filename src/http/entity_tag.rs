//! Entity tags and `If-Match` (RFC 9110 §8.8.3, §13.1.1): nobody overwrites what he has not seen.

use axum::http::{HeaderMap, header};

use super::problem::Problem;

/// The tag of the state the caller saw; `None` where any state will do (no header, or `*`).
pub fn if_match(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(header::IF_MATCH).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let malformed =
        || Problem::bad_request("if-match-malformed", "If-Match takes one strong entity tag or *");
    let text = value.to_str().map_err(|_| malformed())?.trim();
    if values.next().is_some() {
        return Err(malformed());
    }
    if text == "*" {
        return Ok(None);
    }
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) if !inner.contains('"') => Ok(Some(inner.to_owned())),
        _ => Err(malformed()),
    }
}

/// A strong entity tag.
pub fn quoted(tag: &impl std::fmt::Display) -> String {
    format!("\"{tag}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn one_strong_tag_or_a_star() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, HeaderValue::from_str(text).unwrap());
            if_match(&headers)
        };
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
        assert_eq!(read("*").unwrap(), None);
        assert_eq!(read("\"100.3\"").unwrap().as_deref(), Some("100.3"));
        for text in ["100.3", "W/\"1\"", "\"1\", \"2\"", "\"", ""] {
            assert_eq!(read(text).unwrap_err().rule(), "if-match-malformed", "{text}");
        }
    }
}
