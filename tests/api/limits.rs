//! Certificate managers whose office is limited: what they may approve, deny and keep alive, by
//! the groups of the subject and by template, as the directory has them at that moment.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::certificate_requests as csr;
use super::fixture::{Answered, Ca};

const USER: &str = "VPNUserAuthentication";
const NPS: &str = "NPSServerAuthentication";

async fn send(
    ca: &Ca,
    method: Method,
    who: &str,
    path: &str,
    kind: &str,
    body: &Value,
) -> Answered {
    let (token, headers) = (ca.token(who), [("content-type", kind)]);
    let body = if body.is_null() { String::new() } else { body.to_string() };
    ca.send(method, path, token, &headers, body).await
}

/// Gives `bert` this office.
async fn limited(ca: &Ca, limits: Value) {
    let mut office = json!({"role": "certificate_manager", "account": "bert"});
    office.as_object_mut().unwrap().extend(limits.as_object().unwrap().clone());
    let body = json!({ "assignments": [office] });
    let put = send(ca, Method::PUT, "administrator", "/v1/ca/roles", "application/json", &body);
    let put = put.await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text());
}

async fn groups(ca: &Ca, name: &str, groups: &[&str]) {
    let path = format!("/v1/accounts/{name}");
    let (kind, body) = ("application/merge-patch+json", json!({ "groups": groups }));
    let patched = send(ca, Method::PATCH, "administrator", &path, kind, &body).await;
    assert_eq!(patched.status, StatusCode::OK, "{}", patched.text());
}

/// From now on requests for these wait.
async fn with_approval(ca: &Ca) {
    for name in [USER, NPS] {
        let path = format!("/v1/templates/{name}");
        let read = send(ca, Method::GET, "administrator", &path, "text/plain", &Value::Null).await;
        let mut template = read.json();
        template["enrollment_flags"].as_array_mut().unwrap().push(json!("PEND_ALL_REQUESTS"));
        let kind = "application/json";
        let put = send(ca, Method::PUT, "administrator", &path, kind, &template).await;
        assert_eq!(put.status, StatusCode::OK, "{}", put.text());
    }
}

/// What the template takes.
fn key_for(template: &str) -> &'static str {
    if template == NPS { "rsa2048" } else { "p256" }
}

async fn waiting(ca: &Ca, who: &str, template: &str) -> String {
    let body = json!({ "template": template, "csr": csr::base64(key_for(template)) });
    let asked = ca.post(who, "/v1/requests", &body).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    format!("/v1/requests/{}", asked.json()["request_id"])
}

async fn decide(ca: &Ca, who: &str, request: &str, what: &str) -> (StatusCode, String) {
    let decided = ca.post(who, &format!("{request}/{what}"), &json!({})).await;
    let rule = if decided.status.is_success() { String::new() } else { decided.rule() };
    (decided.status, rule)
}

fn restricted() -> (StatusCode, String) {
    (StatusCode::FORBIDDEN, "officer-restricted".to_owned())
}

fn done() -> (StatusCode, String) {
    (StatusCode::OK, String::new())
}

#[tokio::test]
async fn a_manager_of_some_subjects_decides_on_theirs() {
    let ca = Ca::founded().await;
    with_approval(&ca).await;
    limited(&ca, json!({"subject_groups": ["vpn users"]})).await;
    let (hers, servers) = (waiting(&ca, "anna", USER).await, waiting(&ca, "nps1", NPS).await);
    for what in ["approve", "deny"] {
        assert_eq!(decide(&ca, "bert", &servers, what).await, restricted(), "{what}");
    }
    // Whose groups they are is read at each call: once she has left, he decides no more.
    groups(&ca, "anna", &["Former Users"]).await;
    for what in ["approve", "deny"] {
        assert_eq!(decide(&ca, "bert", &hers, what).await, restricted(), "{what}");
    }
    groups(&ca, "anna", &["VPN Users"]).await;
    assert_eq!(decide(&ca, "bert", &hers, "approve").await, done());
    let other = waiting(&ca, "anna", USER).await;
    assert_eq!(decide(&ca, "bert", &other, "deny").await, done());
    // Nor on an account that is gone, in no group any more; who has no limits does.
    let gone = waiting(&ca, "anna", USER).await;
    let deleted = "/v1/accounts/anna";
    let kind = "text/plain";
    send(&ca, Method::DELETE, "administrator", deleted, kind, &Value::Null).await;
    for what in ["approve", "deny"] {
        assert_eq!(decide(&ca, "bert", &gone, what).await, restricted(), "{what}");
    }
    assert_eq!(decide(&ca, "manager", &gone, "deny").await, done());
    assert_eq!(decide(&ca, "manager", &servers, "approve").await, done());
}

#[tokio::test]
async fn a_manager_of_some_templates_decides_on_those() {
    let ca = Ca::founded().await;
    with_approval(&ca).await;
    limited(&ca, json!({"templates": [NPS.to_lowercase()]})).await;
    let (hers, servers) = (waiting(&ca, "anna", USER).await, waiting(&ca, "nps1", NPS).await);
    for what in ["approve", "deny"] {
        assert_eq!(decide(&ca, "bert", &hers, what).await, restricted(), "{what}");
    }
    assert_eq!(decide(&ca, "bert", &servers, "approve").await, done());
    // Both limits at once: the template fits, the subject does not.
    limited(&ca, json!({"templates": [NPS], "subject_groups": ["VPN Users"]})).await;
    let servers = waiting(&ca, "nps1", NPS).await;
    assert_eq!(decide(&ca, "bert", &servers, "approve").await, restricted());
}

/// A certificate that is to be retired, and the path by which that is taken back.
async fn retiring(ca: &Ca, account: &str, template: &str) -> String {
    let (certificate, serial) = ca.certify(template, Some(account), key_for(template)).await;
    let path = format!("/v1/certificates/{serial}/renew");
    let body = json!({ "csr": csr::base64(key_for(template)), "retire_after_seconds": 86_400 });
    let headers = [("content-type", "application/json")];
    let renewed =
        ca.send_holding(Method::POST, &path, &certificate, &headers, body.to_string()).await;
    assert_eq!(renewed.status, StatusCode::CREATED, "{}", renewed.text());
    format!("/v1/certificates/{serial}/retirement")
}

async fn cancel(ca: &Ca, who: &str, path: &str) -> (StatusCode, String) {
    let cancelled = send(ca, Method::DELETE, who, path, "text/plain", &Value::Null).await;
    let rule = if cancelled.status.is_success() { String::new() } else { cancelled.rule() };
    (cancelled.status, rule)
}

#[tokio::test]
async fn a_retirement_is_cancelled_within_the_limits() {
    let ca = Ca::founded().await;
    let (hers, servers) = (retiring(&ca, "anna", USER).await, retiring(&ca, "nps1", NPS).await);
    let gone = (StatusCode::NO_CONTENT, String::new());

    // Listings say what is to be retired, and by what it was renewed.
    let listing = "/v1/certificates?account=anna";
    let listed = send(&ca, Method::GET, "anna", listing, "text/plain", &Value::Null).await.json();
    let rows = listed["certificates"].as_array().unwrap();
    let (old, new) =
        (rows.iter().find(|own| own["retires_at"].is_string()).unwrap(), |own: &&Value| {
            own["renewal_of"].is_string()
        });
    let new = rows.iter().find(new).unwrap();
    assert_eq!(new["renewal_of"], old["serial_number"]);
    assert_eq!(old["renewed_by"], json!([new["serial_number"]]));

    limited(&ca, json!({"subject_groups": ["VPN Users"]})).await;
    assert_eq!(cancel(&ca, "bert", &servers).await, restricted());
    groups(&ca, "anna", &[]).await;
    assert_eq!(cancel(&ca, "bert", &hers).await, restricted());
    groups(&ca, "anna", &["VPN Users"]).await;
    assert_eq!(cancel(&ca, "bert", &hers).await, gone);
    let again = (StatusCode::CONFLICT, "no-retirement".to_owned());
    assert_eq!(cancel(&ca, "bert", &hers).await, again);

    limited(&ca, json!({"templates": [USER]})).await;
    assert_eq!(cancel(&ca, "bert", &servers).await, restricted());
    limited(&ca, json!({"templates": [NPS]})).await;
    assert_eq!(cancel(&ca, "bert", &servers).await, gone);

    // What is not cancelled is retired when its time comes; what was, is not.
    let (kept, retired) = (retiring(&ca, "nps1", NPS).await, retiring(&ca, "nps1", NPS).await);
    assert_eq!(cancel(&ca, "manager", &kept).await, gone);
    ca.wait_seconds(86_401);
    ca.api.authority.retire_due((ca.api.clock)()).unwrap();
    for (path, status) in [(hers, "good"), (servers, "good"), (kept, "good"), (retired, "revoked")]
    {
        let path = path.strip_suffix("/retirement").unwrap();
        let read = send(&ca, Method::GET, "auditor", path, "text/plain", &Value::Null).await;
        assert_eq!(read.json()["status"], status, "{path}");
    }
}
