//! Every route against everybody. A route without a row here fails the test.

use axum::http::{Method, StatusCode};
use chancery::http::{Access, ROUTES};

use super::fixture::Ca;
use super::oidc;

/// Who may come: `e` everybody, `r` a plain requester (also by the token of an OpenID Connect
/// provider) and an enrolment agent, `t` the holder of a
/// one-time token, `m` a certificate manager, `a` an
/// auditor, `A` an administrator; and by a client certificate instead of a token, `c` a plain
/// requester, `s` a server whose names came from the request.
const TABLE: &[(&str, &str)] = &[
    ("GET /healthz", "etrmaAcs"),
    ("GET /readyz", "etrmaAcs"),
    ("GET /openapi.yaml", "etrmaAcs"),
    ("GET /metrics", "aA"),
    ("POST /v1/requests", "trmaAc"),
    ("GET /v1/requests", "rmaAc"),
    ("GET /v1/requests/{request_id}", "rmaAcs"),
    ("POST /v1/requests/{request_id}/approve", "mA"),
    ("POST /v1/requests/{request_id}/deny", "mA"),
    // Only their own; what a stranger gets is in the script `approval`.
    ("POST /v1/requests/{request_id}/withdraw", "rmaAc"),
    ("GET /v1/certificates", "rmaAc"),
    ("GET /v1/certificates/{serial_number}", "rmaAcs"),
    // Nobody by a token: `client_certificates` has the holders.
    ("POST /v1/certificates/{serial_number}/renew", "cs"),
    ("DELETE /v1/certificates/{serial_number}/retirement", "mA"),
    // And who has Revoke on its template: `template_permissions.txt`.
    ("POST /v1/certificates/{serial_number}/revoke", "mA"),
    ("POST /v1/certificates/{serial_number}/release", "mA"),
    ("GET /v1/templates", "rmaAc"),
    ("POST /v1/templates", "A"),
    ("POST /v1/templates/import", "A"),
    ("GET /v1/templates/export", "rmaAc"),
    ("GET /v1/templates/{name}/export", "rmaAc"),
    ("GET /v1/templates/{name}", "rmaAc"),
    // Nothing of this name, for everybody alike; who has Write is in the attacks (ESC4).
    ("PUT /v1/templates/{name}", "rmaAc"),
    ("DELETE /v1/templates/{name}", "A"),
    ("POST /v1/templates/{name}/duplicate", "A"),
    ("GET /v1/ca", "rmaAc"),
    ("GET /v1/ca/templates", "rmaAc"),
    ("PUT /v1/ca/templates/{name}", "A"),
    ("DELETE /v1/ca/templates/{name}", "A"),
    ("GET /v1/ca/crls", "rmaAc"),
    ("POST /v1/ca/crls", "mA"),
    ("GET /v1/ca/roles", "aA"),
    ("PUT /v1/ca/roles", "A"),
    ("GET /v1/accounts", "maA"),
    ("POST /v1/accounts", "A"),
    // Everybody their own; another's account is in the next test.
    ("GET /v1/accounts/{name}", "rmaAc"),
    ("PUT /v1/accounts/{name}", "A"),
    ("PATCH /v1/accounts/{name}", "A"),
    ("DELETE /v1/accounts/{name}", "A"),
    ("POST /v1/accounts/{name}/revoke-certificates", "mA"),
    ("GET /v1/tokens", "aA"),
    ("POST /v1/tokens", "mA"),
    ("GET /v1/tokens/{id}", "aA"),
    ("DELETE /v1/tokens/{id}", "A"),
    ("GET /v1/audit", "aA"),
];

/// What a row is called with: things that are there to be read, and not there to be changed, so
/// that no call stands in another's way.
fn path(route: &str, method: &Method, who: &str) -> String {
    let name = match (route, method.as_str()) {
        (route, "GET") if route.starts_with("/v1/accounts/") => who,
        (route, "GET") if route.starts_with("/v1/templates/") => "User",
        _ => "nothing-of-this-name",
    };
    route
        .replace("{name}", name)
        .replace("{id}", "0")
        .replace("{request_id}", "999999")
        .replace("{serial_number}", "0abc")
}

#[tokio::test]
async fn every_route_against_everybody() {
    let issuer = oidc::Issuer::start();
    let ca = oidc::ca(&issuer, oidc::from_token()).await;
    let cloud = Some(issuer.token("anna", oidc::AUDIENCE));
    let people =
        [('r', "anna"), ('r', "clerk"), ('m', "manager"), ('a', "auditor"), ('A', "administrator")];
    let mut strangers = strangers(&ca).await;
    strangers.push(("a token by another key than the provider's", Some(issuer.forged("anna"))));
    let another = issuer.token("anna", "urn:another-service");
    strangers.push(("a provider's token for another service", Some(another)));
    let one_time = one_time(&ca).await;
    let anna = ca.certify("VPNUserAuthentication", Some("anna"), "p256").await;
    // Its account on record is the administrator, who enrolled it; that gives it nothing.
    let server = ca.certify("VPNServerAuthentication", None, "p256 CN=vpn1.contoso.com").await;
    let holders = [('c', "anna", anna), ('s', "vpn1", server)];
    for route in ROUTES {
        let row = format!("{} {}", route.method, route.path);
        let allowed = TABLE.iter().find(|(own, _)| *own == row).map(|(_, allowed)| *allowed);
        let allowed = allowed.unwrap_or_else(|| panic!("{row} has no row in the table"));
        assert_eq!(allowed.contains('e'), matches!(route.access, Access::Open(_)), "{row}");
        let people = people.map(|(letter, who)| (letter, who, ca.token(who)));
        let by_other_tokens =
            [('t', "nps1", one_time.clone()), ('r', "CLOUD%5Canna", cloud.clone())];
        for (letter, who, token) in people.into_iter().chain(by_other_tokens) {
            let status = call(&ca, route.path, &route.method, who, token).await;
            if allowed.contains(letter) {
                let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
                assert!(!refused.contains(&status), "{row} as {who}: {status}");
                assert!(!status.is_server_error() || route.path == "/readyz", "{row}: {status}");
            } else {
                assert_eq!(status, StatusCode::FORBIDDEN, "{row} as {who}");
            }
        }
        for (letter, who, (certificate, serial)) in &holders {
            let path = match route.path.strip_suffix("/renew") {
                Some(_) => format!("/v1/certificates/{serial}/renew"),
                None => path(route.path, &route.method, who),
            };
            let (method, headers) = (route.method.clone(), [("content-type", "application/json")]);
            let body = if method == Method::GET || method == Method::DELETE { "" } else { "{}" };
            let status = ca.send_holding(method, &path, certificate, &headers, body).await.status;
            if allowed.contains(*letter) {
                let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
                assert!(!refused.contains(&status), "{row} with {who}'s certificate: {status}");
            } else {
                assert_eq!(status, StatusCode::FORBIDDEN, "{row} with {who}'s certificate");
            }
        }
        for (who, token) in &strangers {
            let status = call(&ca, route.path, &route.method, "anna", token.clone()).await;
            let let_in = status != StatusCode::UNAUTHORIZED;
            assert_eq!(let_in, allowed.contains('e'), "{row} as {who}: {status}");
        }
    }
    assert_eq!(TABLE.len(), ROUTES.len(), "a row of the table has no route");
}

/// A one-time token of a server's, good for one enrolment and for no other route.
async fn one_time(ca: &Ca) -> Option<String> {
    let wanted = serde_json::json!({
        "account": "nps1", "expires_in_seconds": 1000,
        "template": "NPSServerAuthentication", "single_use": true,
    });
    let made = ca.post("administrator", "/v1/tokens", &wanted).await;
    Some(made.json()["token"].as_str().unwrap().to_owned())
}

/// Who is nobody here, though one of them was an administrator once.
async fn strangers(ca: &Ca) -> Vec<(&'static str, Option<String>)> {
    let disabled = ca.token("gone");
    let headers = [("content-type", "application/merge-patch+json")];
    let patch = r#"{"enabled":false}"#;
    let path = "/v1/accounts/gone";
    let changed = ca.send(Method::PATCH, path, ca.token("administrator"), &headers, patch).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());

    let wanted = serde_json::json!({"account": "administrator", "expires_in_seconds": 1000});
    let made = ca.post("administrator", "/v1/tokens", &wanted).await;
    let revoked = made.json()["token"].as_str().unwrap().to_owned();
    let path = made.headers["location"].to_str().unwrap().to_owned();
    let gone = ca.send(Method::DELETE, &path, ca.token("administrator"), &[], "").await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text());

    let expired = ca.token_for("administrator", 60).await;
    ca.wait_seconds(61);
    vec![
        ("nobody", None),
        ("a disabled account", disabled),
        ("a revoked token", Some(revoked)),
        ("an expired token", Some(expired)),
        ("an invented token", Some(format!("chancery_{}", "A".repeat(43)))),
    ]
}

async fn call(
    ca: &Ca,
    route: &str,
    method: &Method,
    who: &str,
    token: Option<String>,
) -> StatusCode {
    let body = match *method {
        Method::GET | Method::DELETE => "",
        _ => "{}",
    };
    let headers = [("content-type", "application/json")];
    let path = path(route, method, who);
    ca.send(method.clone(), &path, token, &headers, body).await.status
}

#[tokio::test]
async fn a_requester_sees_only_what_is_his() {
    let ca = Ca::founded().await;
    let of_another = [
        ("/v1/accounts/bert", StatusCode::FORBIDDEN),
        ("/v1/requests?account=bert", StatusCode::FORBIDDEN),
        ("/v1/certificates?account=bert", StatusCode::FORBIDDEN),
    ];
    for (path, status) in of_another {
        let answered = ca.send(Method::GET, path, ca.token("anna"), &[], "").await;
        assert_eq!(answered.status, status, "{path}");
        let answered = ca.send(Method::GET, path, ca.token("auditor"), &[], "").await;
        assert_eq!(answered.status, StatusCode::OK, "{path}");
    }
}
