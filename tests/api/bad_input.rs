//! Bad input: each kind is a clear 4xx that names the rule; nothing is issued, nothing is lost,
//! and no thread dies of it.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::certificate_requests as csr;
use super::fixture::{Answered, Ca};

const TEMPLATE: &str = "/v1/requests?template=VPNServerAuthentication";

async fn submit(ca: &Ca, body: Vec<u8>) -> Answered {
    let headers = [("content-type", "application/pkcs10")];
    ca.send(Method::POST, TEMPLATE, ca.token("administrator"), &headers, body).await
}

/// Refused for its form: 400, not on record. What, and the rule that is named.
fn malformed() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let good = csr::der("p256 CN=vpn1.corp.contoso.com");
    let two = csr::pem("p256 CN=a").repeat(2).into_bytes();
    let trailing = [good.as_slice(), &[0]].concat();
    let fixture = |text: &str| text.as_bytes().to_vec();
    vec![
        ("nothing", Vec::new(), "not-a-request"),
        ("not a CSR", b"hello".to_vec(), "not-a-request"),
        (
            "a certificate's PEM",
            fixture(include_str!("../fixtures/ad_cs_user.pem")),
            "not-a-request",
        ),
        ("half a CSR", good[..good.len() / 2].to_vec(), "not-a-request"),
        ("two PEM blocks", two, "two-pem-blocks"),
        ("trailing bytes", trailing, "trailing-bytes"),
        ("a broken signature", csr::broken(), "bad-signature"),
        ("a foreign signature", csr::foreign(), "bad-signature"),
        ("512-bit RSA", fixture(include_str!("../fixtures/requests/rsa-512.pem")), "key-too-small"),
        ("16384-bit RSA", csr::rsa(2048, &[1, 0, 1]), "key-too-large"),
        ("exponent 1", csr::rsa(256, &[1]), "weak-key"),
        ("a point off the curve", csr::off_curve(), "bad-key"),
        (
            "an unsupported curve",
            fixture(include_str!("../fixtures/requests/p521.pem")),
            "unsupported-algorithm",
        ),
        ("a 64 KB subject", csr::named(&"x".repeat(65_000)), "bad-name"),
        ("NUL in a name", csr::named("vpn1\0.corp.contoso.com"), "bad-name"),
        ("bidirectional text in a name", csr::named("vpn1\u{202e}moc"), "bad-name"),
        (
            "an overlong DNS name",
            csr::dns(&format!("{}.com", "a".repeat(64))),
            "bad-alternative-name",
        ),
        (
            "an overlong DNS name of short labels",
            csr::dns(&"a.".repeat(130)),
            "bad-alternative-name",
        ),
        ("NUL in a DNS name", csr::dns("vpn1\0.contoso.com"), "bad-alternative-name"),
    ]
}

#[tokio::test]
async fn malformed_requests_are_refused_by_name_and_not_recorded() {
    let ca = Ca::founded().await;
    for (what, body, rule) in malformed() {
        let answered = submit(&ca, body).await;
        assert_eq!(answered.status, StatusCode::BAD_REQUEST, "{what}: {}", answered.text());
        assert_eq!(answered.rule(), rule, "{what}: {}", answered.text());
        assert!(!answered.json()["detail"].as_str().unwrap().is_empty(), "{what}");
        assert_eq!(ca.on_record(), (0, 0), "{what}");
    }
    let good = submit(&ca, csr::der("p256 CN=vpn1.corp.contoso.com DNS:vpn1.corp.contoso.com"));
    let good = good.await;
    assert_eq!(good.status, StatusCode::CREATED, "{}", good.text());
}

#[tokio::test]
async fn what_policy_refuses_is_on_record_and_nothing_is_issued() {
    let ca = Ca::founded().await;
    // Within the template's rules no wildcard and no empty subject pass.
    let cases: [(&str, &str, Vec<u8>, &str); 4] = [
        ("anna", "NoSuchTemplate", csr::der("p256 CN=x"), "template-unknown"),
        ("anna", "WebServer", csr::der("p256 CN=x"), "template-not-published"),
        ("bert", "VPNUserAuthentication", csr::der("p256 CN=x"), "enrollment-not-permitted"),
        ("administrator", "VPNServerAuthentication", csr::der("p256"), "subject-not-allowed"),
    ];
    for (number, (who, template, body, rule)) in cases.into_iter().enumerate() {
        let path = format!("/v1/requests?template={template}");
        let headers = [("content-type", "application/pkcs10")];
        let answered = ca.send(Method::POST, &path, ca.token(who), &headers, body).await;
        assert_eq!(answered.status, StatusCode::FORBIDDEN, "{rule}: {}", answered.text());
        assert_eq!(answered.rule(), rule, "{}", answered.text());
        assert!(answered.json()["hresult"].as_str().unwrap().starts_with("0x8009"), "{rule}");
        assert_eq!(answered.json()["disposition"], "denied");
        assert_eq!(ca.on_record(), (number + 1, 0), "{rule}");
    }
}

#[tokio::test]
async fn a_wildcard_needs_a_template_that_says_so() {
    let ca = Ca::founded().await;
    let path = "/v1/templates/VPNServerAuthentication";
    let administrator = ca.token("administrator");
    let found = ca.send(Method::GET, path, administrator.clone(), &[], "").await;
    let mut template = found.json();
    template["requested_names"] = json!({"dns_suffixes": ["corp.contoso.com"]});
    let headers = [("content-type", "application/json")];
    let body = template.to_string();
    let changed = ca.send(Method::PUT, path, administrator, &headers, body).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    let cases = [
        ("p256 CN=vpn1.corp.contoso.com DNS:vpn1.corp.contoso.com", StatusCode::CREATED),
        ("p256 CN=vpn1.corp.contoso.com DNS:*.corp.contoso.com", StatusCode::FORBIDDEN),
        ("p256 CN=vpn1.corp.contoso.com DNS:vpn1.example.com", StatusCode::FORBIDDEN),
    ];
    for (wanted, status) in cases {
        let headers = [("content-type", "application/pkcs10")];
        let sent = ca.send(Method::POST, TEMPLATE, ca.token("vpn1"), &headers, csr::der(wanted));
        let sent = sent.await;
        assert_eq!(sent.status, status, "{wanted}: {}", sent.text());
    }
}

/// Method, path, content type, body, status, rule.
type Case = (Method, &'static str, &'static str, Vec<u8>, u16, &'static str);

#[rustfmt::skip]
fn calls() -> Vec<Case> {
    const JSON: &str = "application/json";
    let json = |value: Value| value.to_string().into_bytes();
    let deep = format!("{{\"template\":{}{}}}", "[".repeat(50_000), "]".repeat(50_000));
    let request = |more: Value| {
        let mut body = json!({"template": "VPNUserAuthentication", "csr": csr::base64("p256 CN=x")});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body.to_string().into_bytes()
    };
    let large = vec![b' '; 10 * 1024 * 1024];
    let post = || Method::POST;
    let get = || Method::GET;
    vec![
        (post(), "/v1/requests", JSON, large.clone(), 413, "body-too-large"),
        (post(), TEMPLATE, "application/pkcs10", large, 413, "body-too-large"),
        (post(), TEMPLATE, "application/x-www-form-urlencoded", b"x".to_vec(), 415, "media-type-unsupported"),
        (post(), TEMPLATE, "", b"x".to_vec(), 415, "media-type-unsupported"),
        (post(), "/v1/accounts", "text/plain", json(json!({})), 415, "media-type-unsupported"),
        (post(), "/v1/requests", JSON, deep.into_bytes(), 400, "json-invalid"),
        (Method::PATCH, "/v1/accounts/anna", JSON, format!("{{\"cn\":{}", "[".repeat(50_000)).into_bytes(), 400, "json-too-deep"),
        (post(), "/v1/requests", JSON, b"{".to_vec(), 400, "json-malformed"),
        (post(), "/v1/requests", JSON, b"\xff\xfe".to_vec(), 400, "json-malformed"),
        (post(), "/v1/requests", JSON, request(json!({"subject": "CN=root"})), 400, "json-unknown-field"),
        (post(), "/v1/requests?template=User", JSON, request(json!({})), 400, "query-parameter-unknown"),
        (post(), "/v1/requests?template=a&subject=b", "application/pkcs10", csr::der("p256 CN=x"), 400, "query-parameter-unknown"),
        (post(), "/v1/requests?template=a&template=b", "application/pkcs10", csr::der("p256 CN=x"), 400, "query-parameter-repeated"),
        (post(), "/v1/requests", "application/pkcs10", csr::der("p256 CN=x"), 400, "template-missing"),
        (post(), "/v1/requests", JSON, request(json!({"on_behalf_of": "zoe"})), 400, "account-unknown"),
        (get(), "/v1/requests?limit=0", "", vec![], 400, "query-parameter-invalid"),
        (get(), "/v1/requests?cursor=%21", "", vec![], 400, "query-parameter-invalid"),
        (get(), "/v1/requests?disposition=lost", "", vec![], 400, "query-parameter-invalid"),
        (get(), "/v1/certificates?status=bad", "", vec![], 400, "query-parameter-invalid"),
        (get(), "/v1/certificates?thumbprint_sha1=00", "", vec![], 400, "query-parameter-invalid"),
        (get(), "/v1/certificates?expires_before=tomorrow", "", vec![], 400, "query-parameter-invalid"),
        (get(), "/v1/certificates?colour=red", "", vec![], 400, "query-parameter-unknown"),
        (get(), "/v1/certificates/xyz", "", vec![], 400, "serial-number-malformed"),
        (get(), "/v1/certificates/%ff", "", vec![], 400, "path-malformed"),
        (get(), "/v1/certificates/0a", "", vec![], 404, "not-found"),
        (get(), "/v1/requests/one", "", vec![], 400, "request-id-malformed"),
        (get(), "/v1/requests/77", "", vec![], 404, "not-found"),
        (get(), "/v1/nothing", "", vec![], 404, "path-unknown"),
        (Method::DELETE, "/v1/requests", "", vec![], 405, "method-not-allowed"),
        (post(), "/v1/certificates/0a/revoke", JSON, json(json!({"reason": "removeFromCRL"})), 400, "revocation-reason"),
        (post(), "/v1/certificates/0a/revoke", JSON, json(json!({"reason": "superseded", "invalidity_date": "soon"})), 400, "invalidity-date"),
        (post(), "/v1/accounts", JSON, json(json!({"name": "a/b", "kind": "user"})), 400, "account-invalid"),
        (post(), "/v1/accounts", JSON, json(json!({"name": "carl", "kind": "robot"})), 400, "account-invalid"),
        (post(), "/v1/accounts", JSON, json(json!({"name": "carl", "kind": "user", "roles": ["king"]})), 400, "account-invalid"),
        (post(), "/v1/accounts", JSON, json(json!({"name": "carl", "kind": "user", "object_sid": "S-1"})), 400, "account-invalid"),
        (post(), "/v1/accounts", JSON, json(json!({"name": "ANNA", "kind": "user"})), 409, "already-there"),
        (post(), "/v1/tokens", JSON, json(json!({"account": "anna", "expires_in_seconds": 0})), 400, "token-life"),
        (post(), "/v1/tokens", JSON, json(json!({"account": "anna", "expires_in_seconds": -1})), 400, "json-invalid"),
        (post(), "/v1/tokens", JSON, json(json!({"account": "zoe", "expires_in_seconds": 60})), 404, "not-found"),
        (post(), "/v1/templates", JSON, json(json!({"cn": "Half"})), 400, "template-invalid"),
        (Method::DELETE, "/v1/accounts/administrator", "", vec![], 409, "last-administrator"),
    ]
}

#[tokio::test]
async fn every_bad_call_names_its_rule() {
    let ca = Ca::founded().await;
    let gone = ca.send(Method::DELETE, "/v1/accounts/gone", ca.token("administrator"), &[], "");
    assert_eq!(gone.await.status, StatusCode::NO_CONTENT);
    for (method, path, media_type, body, status, rule) in calls() {
        let mut headers = Vec::new();
        if !media_type.is_empty() {
            headers.push(("content-type", media_type));
        }
        let what = format!("{method} {path}");
        let answered = ca.send(method, path, ca.token("administrator"), &headers, body).await;
        let shown = format!("{what}: {}", answered.text());
        assert_eq!(answered.status.as_u16(), status, "{shown}");
        assert_eq!(answered.rule(), rule, "{shown}");
        let media_type = answered.headers["content-type"].to_str().unwrap();
        assert_eq!(media_type, "application/problem+json", "{shown}");
        assert_eq!(answered.json()["type"], format!("urn:chancery:problem:{rule}"), "{shown}");
        assert_eq!(answered.json()["status"], status, "{shown}");
        assert!(answered.headers.contains_key("x-request-id"), "{shown}");
        assert_eq!(ca.on_record(), (0, 0), "{shown}");
    }
}

#[tokio::test]
async fn a_compressed_body_is_refused() {
    let ca = Ca::founded().await;
    let headers = [("content-type", "application/pkcs10"), ("content-encoding", "gzip")];
    let sent = ca.send(Method::POST, TEMPLATE, ca.token("administrator"), &headers, "x").await;
    assert_eq!((sent.status.as_u16(), sent.rule().as_str()), (415, "content-encoding-unsupported"));
}

#[tokio::test]
async fn what_could_not_be_answered_is_not_done() {
    let ca = Ca::founded().await;
    let headers = [("content-type", "application/pkcs10"), ("accept", "text/html")];
    let body = csr::der("p256 CN=vpn1.corp.contoso.com");
    let sent = ca.send(Method::POST, TEMPLATE, ca.token("administrator"), &headers, body).await;
    assert_eq!((sent.status.as_u16(), sent.rule().as_str()), (406, "not-acceptable"));
    assert_eq!(ca.on_record(), (0, 0));
}

/// Any bytes at all, as any kind of body, to every route that takes one.
#[test]
fn any_body_is_answered_and_nothing_is_issued() {
    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ca = runtime.block_on(Ca::founded());
    let json = "[\\[\\]{}:,\"a-z0-9 .-]{0,80}".prop_map(String::into_bytes);
    let octets = proptest::collection::vec(any::<u8>(), 0..200);
    let media_type = prop_oneof![Just("application/json"), Just("application/pkcs10")];
    let routes: Vec<(Method, String)> = chancery::http::ROUTES
        .iter()
        .filter(|route| !matches!(route.method, Method::GET | Method::DELETE))
        .filter(|route| route.path != "/v1/ca/crls")
        .map(|route| (route.method.clone(), route.path.replace(['{', '}'], "x")))
        .collect();
    let strategy = (prop_oneof![json, octets], media_type, proptest::sample::select(routes));
    let mut runner = TestRunner::new(Config { cases: 300, ..Config::default() });
    let outcome = runner.run(&strategy, |(body, media_type, (method, path))| {
        let path = match media_type {
            "application/pkcs10" => format!("{path}?template=VPNServerAuthentication"),
            _ => path,
        };
        let headers = [("content-type", media_type)];
        let token = ca.token("administrator");
        let answered = runtime.block_on(ca.send(method, &path, token, &headers, body));
        prop_assert!(answered.status.is_client_error(), "{path}: {}", answered.text());
        prop_assert!(!answered.rule().is_empty());
        Ok(())
    });
    outcome.unwrap();
    assert_eq!(ca.on_record(), (0, 0));
}
