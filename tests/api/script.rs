//! Reads and runs the scripts (`scripts/README.md`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::HashMap;

use axum::http::Method;
use serde_json::Value;

use super::certificate_requests;
use super::domain::Domain;
use super::fixture::{Answered, Ca, Surroundings};

/// The line by which a script's CA knows a domain.
const BESIDE: &str = "beside CORP";

#[derive(Default)]
struct Step<'a> {
    title: &'a str,
    line: usize,
    request: Vec<&'a str>,
    status: &'a str,
    expectations: Vec<&'a str>,
}

/// Runs a script against a new CA.
pub async fn run(name: &str, text: &str) {
    let beside = text.lines().any(|line| line == BESIDE).then(Domain::branch);
    let ca = Ca::founded_among(Surroundings { beside, ..Surroundings::default() }).await;
    let mut kept: HashMap<String, String> = HashMap::new();
    let steps = read(text);
    assert!(!steps.is_empty(), "{name}.txt has no step");
    for step in steps {
        let place = format!("{name}.txt:{} ({})", step.line, step.title);
        let answered = perform(&ca, &step, &kept, &place).await;
        let shown = format!("{place}: {} {}", answered.status, answered.text());
        assert_eq!(answered.status.as_str(), step.status, "{shown}");
        for expectation in &step.expectations {
            if let Some((name, what)) = keeping(expectation) {
                let value = found(&answered, what).unwrap_or_else(|| panic!("{what}: {shown}"));
                kept.insert(name.to_owned(), value);
            } else {
                let wanted = filled(expectation, &kept);
                assert!(holds(&answered, &wanted), "expected {wanted}\n{shown}");
            }
        }
    }
}

fn read(text: &str) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.starts_with('#') || line.trim().is_empty() || line == BESIDE {
            continue;
        }
        if let Some(title) = line.strip_prefix("== ") {
            steps.push(Step { title, line: number + 1, ..Step::default() });
            continue;
        }
        let step = steps.last_mut().expect("a script begins with a title");
        match line.strip_prefix("-> ") {
            Some(status) => step.status = status.trim(),
            None if step.status.is_empty() => step.request.push(line),
            None => step.expectations.push(line),
        }
    }
    steps
}

async fn perform(
    ca: &Ca,
    step: &Step<'_>,
    kept: &HashMap<String, String>,
    place: &str,
) -> Answered {
    let mut lines = step.request.iter().copied().peekable();
    while let Some(days) = lines.peek().and_then(|line| line.strip_prefix("wait ")) {
        let days = days.strip_suffix(" days").expect("wait N days").parse::<u64>().unwrap();
        ca.wait_seconds(days * 86_400);
        lines.next();
    }
    let first = filled(lines.next().expect("a request line"), kept);
    let (call, who) = first.rsplit_once(" as ").unwrap_or((&first, "nobody"));
    let (method, path) = call.split_once(' ').unwrap_or_else(|| panic!("{place}: no path"));
    let mut headers: Vec<(String, String)> = Vec::new();
    while let Some((name, value)) = lines.peek().and_then(|line| header(line)) {
        headers.push((name.to_owned(), filled(value, kept)));
        lines.next();
    }
    let body = filled(&lines.collect::<Vec<_>>().join("\n"), kept);
    if !body.is_empty() && !headers.iter().any(|(name, _)| name == "Content-Type") {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    match who.trim() {
        login if login.contains(':') => {
            ca.send_by_password(method, path.trim(), login, &headers, body).await
        }
        who => ca.send(method, path.trim(), ca.token(who), &headers, body).await,
    }
}

/// `Name: value`.
fn header(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(": ")?;
    let letters = name.chars().all(|letter| letter.is_ascii_alphabetic() || letter == '-');
    (letters && !name.is_empty()).then_some((name, value.trim()))
}

/// Puts in what was kept, and certificate requests.
fn filled(text: &str, kept: &HashMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").expect("}} is missing");
        out.push_str(before);
        match name.split_once(' ') {
            Some(("csr", wanted)) => out.push_str(&certificate_requests::base64(wanted)),
            Some(("file", path)) => {
                let path = format!("{}/tests/fixtures/{path}", env!("CARGO_MANIFEST_DIR"));
                out.push_str(&std::fs::read_to_string(path).unwrap());
            }
            Some(("base64", path)) => {
                let path = format!("{}/tests/fixtures/{path}", env!("CARGO_MANIFEST_DIR"));
                out.push_str(&STANDARD.encode(std::fs::read(path).unwrap()));
            }
            _ => {
                let value = kept.get(name).unwrap_or_else(|| panic!("{name} was never kept"));
                out.push_str(value);
            }
        }
        rest = after;
    }
    out + rest
}

fn keeping(expectation: &str) -> Option<(&str, &str)> {
    expectation.strip_prefix("keep ")?.split_once(" = ")
}

/// The text of `$.field`, `header Name` or `body`.
fn found(answered: &Answered, what: &str) -> Option<String> {
    if what == "body" {
        return Some(answered.text());
    }
    if let Some(name) = what.strip_prefix("header ") {
        return Some(answered.headers.get(name)?.to_str().ok()?.to_owned());
    }
    Some(match field(&answered.json(), what)? {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

/// `$.a.b[0]` in a document.
fn field<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    let pointer = path.strip_prefix('$').expect("a field begins with $");
    let pointer = pointer.replace(['.', '['], "/").replace(']', "");
    document.pointer(&pointer)
}

fn holds(answered: &Answered, expectation: &str) -> bool {
    if let Some(text) = expectation.strip_prefix("body ~ ") {
        return answered.text().contains(text);
    }
    if let Some(text) = expectation.strip_prefix("body = ") {
        return answered.text().trim_end() == text.trim_end();
    }
    if !expectation.starts_with('$') {
        let (name, value) = header(expectation).expect("an expectation");
        let sent = answered.headers.get(name).and_then(|sent| sent.to_str().ok());
        return sent.is_some_and(|sent| value == "*" || sent == value);
    }
    let document = answered.json();
    let (path, test) = expectation.split_once(' ').expect("an expectation");
    let value = field(&document, path);
    match test.split_once(' ').unwrap_or((test, "")) {
        ("=", wanted) => {
            let wanted: Value =
                serde_json::from_str(wanted).unwrap_or_else(|_| panic!("{wanted} is no JSON"));
            value == Some(&wanted)
        }
        ("~", text) => value.and_then(Value::as_str).is_some_and(|sent| sent.contains(text)),
        ("is", "there") => value.is_some(),
        ("is", "absent") => value.is_none(),
        ("counts", number) => {
            let number = number.parse::<usize>().unwrap();
            value.and_then(Value::as_array).is_some_and(|list| list.len() == number)
        }
        _ => panic!("{expectation} is no expectation"),
    }
}

#[test]
fn expectations_can_fail() {
    let mut headers = axum::http::HeaderMap::new();
    headers.insert("etag", "\"1\"".parse().unwrap());
    let body = br#"{"a":{"b":[1,"two"]}}"#.to_vec();
    let answered = Answered { status: axum::http::StatusCode::OK, headers, body };
    let right = [
        "ETag: \"1\"",
        "ETag: *",
        "$.a.b[0] = 1",
        "$.a.b[1] ~ tw",
        "$.a.b counts 2",
        "$.a is there",
        "$.c is absent",
        "body ~ two",
    ];
    let wrong = [
        "ETag: \"2\"",
        "Location: *",
        "$.a.b[0] = 2",
        "$.c = 1",
        "$.a.b[1] ~ x",
        "$.a.b counts 1",
        "$.a counts 2",
        "$.c is there",
        "$.a is absent",
        "body ~ three",
        "body = two",
    ];
    assert!(right.iter().all(|expectation| holds(&answered, expectation)));
    for expectation in wrong {
        assert!(!holds(&answered, expectation), "{expectation}");
    }
}
