//! What a client certificate is refused for, each with its rule, and renewals as the clock goes.
//! Over real TLS the same is in `tests/cli/mutual_tls.rs`.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::certificate_requests as csr;
use super::fixture::{Answered, Ca};

const USER: &str = "VPNUserAuthentication";
const SERVER: &str = "VPNServerAuthentication";

async fn read(ca: &Ca, certificate: &[u8], path: &str) -> Answered {
    ca.send_holding(Method::GET, path, certificate, &[], "").await
}

async fn renew(ca: &Ca, certificate: &[u8], serial: &str, body: Value) -> Answered {
    let path = format!("/v1/certificates/{serial}/renew");
    let headers = [("content-type", "application/json")];
    ca.send_holding(Method::POST, &path, certificate, &headers, body.to_string()).await
}

fn same_names() -> Value {
    json!({ "csr": csr::base64("p256") })
}

/// Changes a template by merging `change` into it.
async fn change(ca: &Ca, name: &str, change: impl FnOnce(&mut Value)) {
    let path = format!("/v1/templates/{name}");
    let shown = ca.send(Method::GET, &path, ca.token("administrator"), &[], "").await.json();
    let mut template = shown.get("template").cloned().unwrap_or(shown);
    change(&mut template);
    let headers = [("content-type", "application/json")];
    let administrator = ca.token("administrator");
    let body = template.to_string();
    let put = ca.send(Method::PUT, &path, administrator, &headers, body).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text());
}

async fn flag(ca: &Ca, name: &str, key: &str, flags: &[&str]) {
    change(ca, name, |template| {
        let list = template[key].as_array_mut().unwrap();
        list.extend(flags.iter().map(|&flag| Value::from(flag)));
    })
    .await;
}

#[tokio::test]
async fn every_reason_to_refuse_a_certificate_has_its_rule() {
    let ca = Ca::founded().await;
    let (own, serial) = ca.certify(USER, Some("anna"), "p256").await;
    assert_eq!(read(&ca, &own, "/v1/ca").await.status, StatusCode::OK);
    let refused = async |der: &[u8], rule: &str| {
        let answered = read(&ca, der, "/v1/ca").await;
        assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{rule}: {}", answered.text());
        assert_eq!(answered.rule(), rule);
        assert!(answered.headers.contains_key("www-authenticate"));
        let renewed = renew(&ca, der, &serial, same_names()).await;
        assert_eq!((renewed.status, renewed.rule()), (StatusCode::UNAUTHORIZED, rule.to_owned()));
    };
    // Another CA of the same name, and no certificate at all.
    let other = Ca::founded().await;
    let (foreign, _) = other.certify(USER, Some("anna"), "p256").await;
    refused(&foreign, "client-certificate-foreign").await;
    refused(b"\x30\x03\x02\x01\x01", "client-certificate-foreign").await;
    // One octet more or less of a good one.
    refused(&[&own[..], b"\0"].concat(), "client-certificate-foreign").await;
    let mut changed = own.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    refused(&changed, "client-certificate-foreign").await;

    let set = async |what: &str, body: &str| {
        let path = format!("/v1/certificates/{serial}/{what}");
        let headers = [("content-type", "application/json")];
        let manager = ca.token("manager");
        let done = ca.send(Method::POST, &path, manager, &headers, body.to_owned()).await;
        assert!(done.status.is_success(), "{}", done.text());
    };
    set("revoke", r#"{"reason":"certificateHold"}"#).await;
    refused(&own, "client-certificate-held").await;
    set("release", "").await;
    assert_eq!(read(&ca, &own, "/v1/ca").await.status, StatusCode::OK);

    let patch = async |change: &str| {
        let headers = [("content-type", "application/merge-patch+json")];
        let administrator = ca.token("administrator");
        let path = "/v1/accounts/anna";
        let done = ca.send(Method::PATCH, path, administrator, &headers, change.to_owned()).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text());
    };
    patch(r#"{"enabled":false}"#).await;
    refused(&own, "client-certificate-account").await;
    patch(r#"{"enabled":true}"#).await;
    // Named otherwise since: it renews itself, and gets today's names.
    patch(r#"{"user_principal_name":"anna.b@corp.contoso.com"}"#).await;
    let narrowed = read(&ca, &own, "/v1/ca").await;
    let told = (narrowed.status, narrowed.rule());
    assert_eq!(told, (StatusCode::FORBIDDEN, "possession-required".to_owned()));
    let renewed = renew(&ca, &own, &serial, same_names()).await;
    assert_eq!(renewed.status, StatusCode::CREATED, "{}", renewed.text());
    let pem = renewed.json()["certificate"].as_str().unwrap().to_owned();
    let new = chancery::pki::bundle::certificates_from_pem(&pem).unwrap().remove(0);
    assert_eq!(read(&ca, &new, "/v1/ca").await.status, StatusCode::OK);

    set("revoke", r#"{"reason":"superseded"}"#).await;
    refused(&own, "client-certificate-revoked").await;
    ca.wait_seconds(366 * 86_400);
    let answered = read(&ca, &new, "/v1/ca").await;
    assert_eq!(answered.rule(), "client-certificate-expired");
}

#[tokio::test]
async fn the_templates_flags_decide_about_key_approval_and_permission() {
    let ca = Ca::founded().await;
    let (own, serial) = ca.certify(USER, Some("anna"), "p256").await;
    flag(&ca, USER, "private_key_flags", &["REQUIRE_SAME_KEY_RENEWAL"]).await;
    let answered = renew(&ca, &own, &serial, same_names()).await;
    assert_eq!(
        (answered.status, answered.rule()),
        (StatusCode::FORBIDDEN, "renewal-key-changed".to_owned())
    );
    assert_eq!(answered.json()["hresult"], "0x80094816");
    change(&ca, USER, |template| template["private_key_flags"] = json!([])).await;

    // A new approval, unless the template says that the old one counts.
    flag(&ca, USER, "enrollment_flags", &["PEND_ALL_REQUESTS"]).await;
    let waiting = json!({ "csr": csr::base64("p256"), "retire_after_seconds": 60 });
    let answered = renew(&ca, &own, &serial, waiting).await;
    assert_eq!(answered.status, StatusCode::ACCEPTED, "{}", answered.text());
    let id = answered.json()["request_id"].to_string();
    let path = format!("/v1/requests/{id}");
    assert_eq!(read(&ca, &own, &path).await.json()["renewal_of"], serial.as_str());
    let approved = ca.post("manager", &format!("{path}/approve"), &json!({})).await;
    assert_eq!(approved.status, StatusCode::OK, "{}", approved.text());
    // The overlap counts from the issuing.
    let shown = read(&ca, &own, &format!("/v1/certificates/{serial}")).await.json();
    assert!(shown["retires_at"].is_string(), "{shown}");
    flag(&ca, USER, "enrollment_flags", &["PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT"]).await;
    let answered = renew(&ca, &own, &serial, same_names()).await;
    assert_eq!(answered.status, StatusCode::CREATED, "{}", answered.text());

    // Who may no longer enrol may no longer renew, unless renewal is by the key alone.
    let headers = [("content-type", "application/merge-patch+json")];
    let (path, administrator) = ("/v1/accounts/anna", ca.token("administrator"));
    let change = r#"{"groups":[]}"#;
    ca.send(Method::PATCH, path, administrator, &headers, change).await;
    let answered = renew(&ca, &own, &serial, same_names()).await;
    assert_eq!(answered.rule(), "enrollment-not-permitted");
    let by_key = "ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL_VALIDATE_REENROLLMENT";
    flag(&ca, USER, "enrollment_flags", &[by_key]).await;
    let answered = renew(&ca, &own, &serial, same_names()).await;
    assert_eq!(answered.status, StatusCode::CREATED, "{}", answered.text());

    let withdrawn = format!("/v1/ca/templates/{USER}");
    ca.send(Method::DELETE, &withdrawn, ca.token("administrator"), &[], "").await;
    let answered = renew(&ca, &own, &serial, same_names()).await;
    assert_eq!(answered.rule(), "template-not-published");
}

#[tokio::test]
async fn a_server_keeps_its_names_and_gets_an_answer_once_for_each_key() {
    let ca = Ca::founded().await;
    let names = "p256 CN=vpn1.contoso.com DNS:vpn1.contoso.com DNS:vpn1";
    let (own, serial) = ca.certify(SERVER, None, names).await;
    for wanted in ["p256", names, "p384 CN=vpn1.contoso.com", "rsa2048 DNS:vpn1"] {
        let body = json!({ "csr": csr::base64(wanted) });
        let answered = renew(&ca, &own, &serial, body).await;
        assert_eq!(answered.status, StatusCode::CREATED, "{wanted}: {}", answered.text());
    }
    for wanted in ["p256 CN=vpn2.contoso.com", "p256 DNS:vpn1.contoso.com DNS:vpn2"] {
        let body = json!({ "csr": csr::base64(wanted) });
        let answered = renew(&ca, &own, &serial, body).await;
        assert_eq!(answered.rule(), "renewal-subject-changed", "{wanted}");
        assert_eq!(answered.json()["hresult"], "0x80094806");
    }
    let (requests, certificates) = ca.on_record();
    let body = same_names().to_string();
    let path = format!("/v1/certificates/{serial}/renew");
    let headers = [("content-type", "application/json"), ("idempotency-key", "k-1")];
    let first = ca.send_holding(Method::POST, &path, &own, &headers, body.clone()).await;
    let again = ca.send_holding(Method::POST, &path, &own, &headers, body).await;
    assert_eq!(first.json()["serial_number"], again.json()["serial_number"]);
    assert_eq!(ca.on_record(), (requests + 1, certificates + 1));
    for (body, rule) in [
        (json!({}), "json-invalid"),
        (json!({ "csr": "AAAA" }), "not-a-request"),
        (json!({ "csr": csr::base64("p256"), "template": "User" }), "json-unknown-field"),
        (json!({ "csr": csr::base64("p256"), "retire_after_seconds": -1 }), "json-invalid"),
        (
            json!({ "csr": csr::base64("p256"), "retire_after_seconds": 1u64 << 40 }),
            "retire-after-too-long",
        ),
    ] {
        let answered = renew(&ca, &own, &serial, body).await;
        let told = (answered.status, answered.rule());
        assert_eq!(told, (StatusCode::BAD_REQUEST, rule.to_owned()), "{}", answered.text());
    }
    // What ends by itself before is not retired besides.
    let long = json!({ "csr": csr::base64("p256"), "retire_after_seconds": 400 * 86_400 });
    assert_eq!(renew(&ca, &own, &serial, long).await.status, StatusCode::CREATED);
    let shown = read(&ca, &own, &format!("/v1/certificates/{serial}")).await.json();
    assert!(shown["retires_at"].is_null(), "{shown}");
    assert_eq!(shown["renewed_by"].as_array().unwrap().len(), 6, "{shown}");
}
