//! ESC4 and its kin: rights on templates used for more than they are.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{enrol, template};
use crate::certificate_requests;
use crate::fixture::{Answered, Ca};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

async fn read(ca: &Ca, who: &str, path: &str) -> Answered {
    ca.send(Method::GET, path, ca.token(who), &[], "").await
}

async fn put(ca: &Ca, who: &str, cn: &str, body: String) -> Answered {
    let path = format!("/v1/templates/{cn}");
    ca.send(Method::PUT, &path, ca.token(who), &JSON, body).await
}

/// The template of users with these permissions, published as `cn`.
async fn permitted(ca: &Ca, cn: &str, permissions: Value) -> Value {
    let changes = json!({ "permissions": permissions });
    let made = template(ca, "VPNUserAuthentication", cn, &changes).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text());
    made.json()
}

/// The answer less what is another with every call.
fn told(answered: &Answered, cn: &str) -> (StatusCode, Value) {
    let mut body = answered.json();
    for own in ["instance", "request_id"] {
        body.as_object_mut().unwrap().remove(own);
    }
    (answered.status, serde_json::from_str(&body.to_string().replace(cn, "?")).unwrap())
}

/// Whoever may write a template makes himself the administrator with it.
#[tokio::test]
async fn esc4_write_reaches_no_name_no_purpose_and_no_permission() {
    let ca = Ca::founded().await;
    let group = json!({"group": "VPN Users", "allow": ["Read", "Enroll"]});
    for (cn, right) in [("Kept", "Write"), ("Owned", "FullControl")] {
        let writer = json!({"account": "bert", "allow": ["Read", right]});
        let file = permitted(&ca, cn, json!([group, writer])).await;
        assert!(file["warnings"].to_string().contains("bert may change"), "{file}");
        let purposes = json!(["Client Authentication", "Smart Card Logon"]);
        let everything = json!([{"account": "bert", "allow": ["FullControl"]}]);
        for (key, changes) in [
            (
                "name_flags",
                json!({"name_flags": ["ENROLLEE_SUPPLIES_SUBJECT"],
                "requested_names": {"dns_names": ["dc1.corp.contoso.com"]}}),
            ),
            (
                "extended_key_usage",
                json!({"extended_key_usage": purposes,
                "application_policies": purposes}),
            ),
            ("permissions", json!({ "permissions": everything })),
            ("enrollment_flags", json!({"enrollment_flags": ["PEND_ALL_REQUESTS"]})),
            (
                "accepted_dangers",
                json!({"security_identifier": "none",
                "accepted_dangers": [{"danger": "ESC9", "reason": "I say so"}]}),
            ),
            ("object_sid", json!({"object_sid": "required"})),
            ("issuance_policies", json!({"issuance_policies": ["1.3.6.1.4.1.99999.1"]})),
        ] {
            let mut sent = file.clone();
            for (key, value) in changes.as_object().unwrap() {
                sent[key] = value.clone();
            }
            let refused = put(&ca, "bert", cn, sent.to_string()).await;
            assert_eq!(
                (refused.status, refused.rule().as_str()),
                (StatusCode::FORBIDDEN, "write-restricted"),
                "{key}: {}",
                refused.text()
            );
            assert!(refused.text().contains(key), "{key}: {}", refused.text());
        }
        // The lint is asked of him as of everybody.
        let mut dangerous = file.clone();
        dangerous["security_identifier"] = json!("none");
        assert_eq!(put(&ca, "bert", cn, dangerous.to_string()).await.rule(), "template-invalid");
        // What is on record is what was, and what Write reaches is changed.
        let path = format!("/v1/templates/{cn}");
        assert_eq!(read(&ca, "administrator", &path).await.json(), file);
        let mut sent = file.clone();
        sent["display_name"] = json!("Users of the VPN");
        let changed = put(&ca, "bert", cn, sent.to_string()).await;
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
        assert_eq!(changed.json()["display_name"], "Users of the VPN");
        // Publishing, duplicating and deleting are for administrators.
        let published = format!("/v1/ca/templates/{cn}");
        let duplicate = format!("/v1/templates/{cn}/duplicate");
        for (method, path, body) in [
            (Method::DELETE, &published, ""),
            (Method::PUT, &published, ""),
            (Method::DELETE, &path, ""),
            (Method::POST, &duplicate, r#"{"cn":"Mine"}"#),
        ] {
            let refused = ca.send(method, path, ca.token("bert"), &JSON, body).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
        }
    }
}

/// Neither what is wrong with a body nor whether a template is there is told to whoever may not
/// change or see it.
#[tokio::test]
async fn the_right_comes_before_the_body() {
    let ca = Ca::founded().await;
    permitted(&ca, "Open", json!([{"group": "Authenticated Users", "allow": ["Read"]}])).await;
    permitted(&ca, "Hidden", json!([{"account": "bert", "allow": ["Read", "Write"]}])).await;
    for (who, cn, status) in [
        ("anna", "Open", StatusCode::FORBIDDEN),
        ("manager", "Hidden", StatusCode::FORBIDDEN),
        ("auditor", "Hidden", StatusCode::FORBIDDEN),
        ("anna", "Hidden", StatusCode::NOT_FOUND),
        ("anna", "Nothing", StatusCode::NOT_FOUND),
        ("bert", "Hidden", StatusCode::BAD_REQUEST),
        ("administrator", "Hidden", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(put(&ca, who, cn, "{".to_owned()).await.status, status, "{who} {cn}");
    }
    let hidden = put(&ca, "anna", "Hidden", "{".to_owned()).await;
    let nothing = put(&ca, "anna", "Nothing", "{".to_owned()).await;
    assert_eq!(told(&hidden, "Hidden"), told(&nothing, "Nothing"));
    // A token that is bound to the template speaks for enrolling it and for no right on it.
    let wanted = json!({"account": "bert", "expires_in_seconds": 1000, "template": "Hidden"});
    let made = ca.post("administrator", "/v1/tokens", &wanted).await;
    let bound = made.json()["token"].as_str().unwrap().to_owned();
    let refused = ca.send(Method::PUT, "/v1/templates/Hidden", Some(bound), &JSON, "{").await;
    assert_eq!((refused.status, refused.rule().as_str()), (StatusCode::FORBIDDEN, "token-bound"));
}

/// Enrolling is no way to find out which templates there are.
#[tokio::test]
async fn a_template_that_may_not_be_read_is_not_there() {
    let ca = Ca::founded().await;
    let permissions = json!([
        {"group": "VPN Users", "allow": ["Read", "Enroll"]},
        {"account": "bert", "allow": ["Enroll"]},
        {"group": "Leavers", "deny": ["Read"]},
    ]);
    let file = permitted(&ca, "Secret", permissions).await;
    assert!(file["warnings"].to_string().contains("bert may enrol but not read"), "{file}");
    let request = || certificate_requests::der("p256 CN=x");
    let listed = |answered: Answered| answered.text().contains("Secret");
    for path in ["/v1/templates", "/v1/ca/templates", "/v1/templates/export?format=json"] {
        for who in ["anna", "manager", "auditor", "administrator"] {
            assert!(listed(read(&ca, who, path).await), "{who} {path}");
        }
        assert!(!listed(read(&ca, "bert", path).await), "bert {path}");
    }
    for path in ["/v1/templates/Secret", "/v1/templates/Secret/export?format=json"] {
        let nothing = path.replace("Secret", "Nothing");
        let (hidden, nothing) = (read(&ca, "bert", path).await, read(&ca, "bert", &nothing).await);
        assert_eq!(hidden.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(told(&hidden, "Secret"), told(&nothing, "Nothing"));
    }
    let hidden = enrol(&ca, "bert", "Secret", request()).await;
    let nothing = enrol(&ca, "bert", "Nothing", request()).await;
    assert_eq!(hidden.rule(), "template-unknown");
    assert_eq!(told(&hidden, "Secret"), told(&nothing, "Nothing"));
    assert_eq!(enrol(&ca, "anna", "Secret", request()).await.status, StatusCode::CREATED);
    // Denied by one group what another allows.
    let headers = [("content-type", "application/merge-patch+json")];
    let groups = r#"{"groups":["VPN Users","Leavers"]}"#;
    let administrator = ca.token("administrator");
    let left = ca.send(Method::PATCH, "/v1/accounts/anna", administrator, &headers, groups).await;
    assert_eq!(left.status, StatusCode::OK, "{}", left.text());
    assert_eq!(read(&ca, "anna", "/v1/templates/Secret").await.status, StatusCode::NOT_FOUND);
    assert_eq!(enrol(&ca, "anna", "Secret", request()).await.rule(), "template-unknown");
}

/// Revoke on one template is no right over the others, and no way to find serial numbers.
#[tokio::test]
async fn revoke_reaches_certificates_of_its_template_alone() {
    let ca = Ca::founded().await;
    let permissions = json!([
        {"group": "VPN Users", "allow": ["Read", "Enroll"]},
        {"account": "bert", "allow": ["Read", "Revoke"]},
    ]);
    permitted(&ca, "Ours", permissions).await;
    let (_, own) = ca.certify("Ours", Some("anna"), "p256").await;
    let (_, other) = ca.certify("VPNUserAuthentication", Some("anna"), "p256").await;
    let act = async |who: Option<String>, serial: &str, what: &str, body: &'static str| {
        let path = format!("/v1/certificates/{serial}/{what}");
        ca.send(Method::POST, &path, who, &JSON, body).await
    };
    let hold = r#"{"reason":"certificateHold"}"#;
    // A stranger, and the holder of the certificate: as if it were not on record.
    for who in ["bert", "anna"] {
        let forbidden = act(ca.token(who), &other, "revoke", hold).await;
        let unknown = act(ca.token(who), "0abc", "revoke", hold).await;
        assert_eq!(forbidden.status, StatusCode::FORBIDDEN, "{who}");
        assert_eq!(told(&forbidden, &other), told(&unknown, "0abc"));
        let malformed = act(ca.token(who), &other, "revoke", "{").await;
        assert_eq!(told(&forbidden, &other), told(&malformed, &other));
        assert_eq!(act(ca.token(who), &other, "release", "").await.status, StatusCode::FORBIDDEN);
    }
    for (what, body) in [("revoke", hold), ("release", ""), ("revoke", hold)] {
        let done = act(ca.token("bert"), &own, what, body).await;
        assert!(done.status.is_success(), "{what}: {}", done.text());
    }
    // Nor by a token bound to the template, nor anything but single certificates.
    let wanted = json!({"account": "bert", "expires_in_seconds": 1000, "template": "Ours"});
    let made = ca.post("administrator", "/v1/tokens", &wanted).await;
    let bound = made.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(act(Some(bound), &own, "release", "").await.rule(), "token-bound");
    let all = "/v1/accounts/anna/revoke-certificates";
    let refused = ca.send(Method::POST, all, ca.token("bert"), &JSON, hold).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

/// A client certificate carries rights on templates only where it carries roles.
#[tokio::test]
async fn a_client_certificate_writes_and_revokes_nothing() {
    let ca = Ca::founded().await;
    let permissions = json!([{"account": "anna", "allow": ["FullControl"]}]);
    permitted(&ca, "Hers", permissions).await;
    let (certificate, serial) = ca.certify("Hers", Some("anna"), "p256").await;
    let put = ca.send_holding(Method::PUT, "/v1/templates/Hers", &certificate, &JSON, "{").await;
    assert_eq!(put.status, StatusCode::FORBIDDEN, "{}", put.text());
    let path = format!("/v1/certificates/{serial}/revoke");
    let body = r#"{"reason":"superseded"}"#;
    let refused = ca.send_holding(Method::POST, &path, &certificate, &JSON, body).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text());
    let by_token = ca.send(Method::POST, &path, ca.token("anna"), &JSON, body).await;
    assert!(by_token.status.is_success(), "{}", by_token.text());
}
