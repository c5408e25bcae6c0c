//! How often somebody may call, and that it never stands in the way of revoking.

use axum::http::{Method, StatusCode};
use chancery::http::rates::budget::PerMinute;
use chancery::http::rates::forwarded::{Network, Proxies, ProxyHeader};
use chancery::http::rates::{Allowance, Rates};

use super::certificate_requests as csr;
use super::fixture::{Answered, Ca};

/// A CA behind a proxy that tells callers' addresses, with few calls for everybody.
async fn stingy(change: impl FnOnce(&mut Allowance)) -> Ca {
    let mut ca = Ca::founded().await;
    let trusted = vec![Network::parse("0.0.0.0").unwrap()];
    let proxies = Proxies { trusted, header: ProxyHeader::XForwardedFor };
    let mut allowance = Allowance { proxies, ..Allowance::default() };
    change(&mut allowance);
    ca.adjust(|api| api.rates = Rates::new(allowance));
    ca
}

async fn look(ca: &Ca, token: Option<String>, from: &str) -> Answered {
    ca.send(Method::GET, "/v1/ca", token, &[("x-forwarded-for", from)], "").await
}

fn refused(answered: &Answered) -> u64 {
    assert_eq!(answered.status, StatusCode::TOO_MANY_REQUESTS, "{}", answered.text());
    assert_eq!(answered.rule(), "rate-limited");
    answered.headers["retry-after"].to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_account_waits_as_long_as_it_is_told() {
    let ca = stingy(|allowance| allowance.account = PerMinute::Of(3)).await;
    for from in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
        assert_eq!(look(&ca, ca.token("anna"), from).await.status, StatusCode::OK);
    }
    let seconds = refused(&look(&ca, ca.token("anna"), "192.0.2.4").await);
    assert!((1..=20).contains(&seconds), "{seconds}");
    assert_eq!(look(&ca, ca.token("bert"), "192.0.2.1").await.status, StatusCode::OK);
    ca.wait_seconds(seconds);
    assert_eq!(look(&ca, ca.token("anna"), "192.0.2.4").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_address_is_counted_whoever_calls() {
    let ca = stingy(|allowance| allowance.address = PerMinute::Of(2)).await;
    assert_eq!(look(&ca, ca.token("anna"), "2001:db8::1").await.status, StatusCode::OK);
    assert_eq!(look(&ca, ca.token("bert"), "2001:db8::2").await.status, StatusCode::OK);
    refused(&look(&ca, ca.token("auditor"), "2001:db8::3").await);
    assert_eq!(look(&ca, ca.token("auditor"), "2001:db8:0:1::3").await.status, StatusCode::OK);
}

#[tokio::test]
async fn failed_authentications_are_refused_before_they_are_looked_at() {
    let ca = stingy(|allowance| allowance.failures = PerMinute::Of(4)).await;
    let wrong = || Some(format!("chancery_{}", "A".repeat(43)));
    for _ in 0..4 {
        let answered = look(&ca, wrong(), "192.0.2.1").await;
        assert_eq!(answered.status, StatusCode::UNAUTHORIZED);
    }
    let seconds = refused(&look(&ca, wrong(), "192.0.2.1").await);
    // Nobody from there is heard, not even who has a token; from elsewhere everybody is.
    refused(&look(&ca, ca.token("anna"), "192.0.2.1").await);
    assert_eq!(look(&ca, ca.token("anna"), "192.0.2.2").await.status, StatusCode::OK);
    ca.wait_seconds(seconds);
    assert_eq!(look(&ca, ca.token("anna"), "192.0.2.1").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_certificate_manager_who_revokes_never_waits() {
    let ca = stingy(|allowance| {
        allowance.account = PerMinute::Of(1);
        allowance.address = PerMinute::Of(1);
        allowance.failures = PerMinute::Of(1);
    })
    .await;
    let from = [("x-forwarded-for", "192.0.2.1"), ("content-type", "application/pkcs10")];
    let path = "/v1/requests?template=VPNUserAuthentication";
    let issued = ca.send(Method::POST, path, ca.token("anna"), &from, csr::named("anna")).await;
    assert_eq!(issued.status, StatusCode::CREATED, "{}", issued.text());
    let serial = issued.json()["serial_number"].as_str().unwrap().to_owned();
    look(&ca, None, "192.0.2.1").await;
    look(&ca, Some("chancery_wrong".to_owned()), "192.0.2.1").await;
    look(&ca, ca.token("manager"), "192.0.2.1").await;
    refused(&look(&ca, ca.token("manager"), "192.0.2.1").await);
    let json = [("x-forwarded-for", "192.0.2.1"), ("content-type", "application/json")];
    for (act, body) in [
        ("revoke", r#"{"reason":"certificateHold"}"#),
        ("release", "{}"),
        ("revoke", r#"{"reason":"keyCompromise"}"#),
    ] {
        let path = format!("/v1/certificates/{serial}/{act}");
        let done = ca.send(Method::POST, &path, ca.token("manager"), &json, body).await;
        assert_eq!(done.status, StatusCode::OK, "{act}: {}", done.text());
    }
    let published = ca.send(Method::POST, "/v1/ca/crls", ca.token("manager"), &json, "").await;
    assert!(published.status.is_success(), "{}", published.text());
    // Who may not revoke gains nothing by trying.
    let path = format!("/v1/certificates/{serial}/revoke");
    for status in [StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS] {
        let tried = ca.send(Method::POST, &path, ca.token("bert"), &json, "{}").await;
        assert_eq!(tried.status, status, "{}", tried.text());
    }
}

/// What can be guessed is stopped there too: else passwords were tried at `revoke` without end.
#[tokio::test]
async fn guesses_are_stopped_also_where_certificates_are_revoked() {
    let ca = stingy(|allowance| allowance.failures = PerMinute::Of(3)).await;
    let json = [("x-forwarded-for", "192.0.2.1"), ("content-type", "application/json")];
    let paths = ["/v1/certificates/0abc/revoke", "/v1/certificates/0abc/release", "/v1/ca/crls"];
    let foreign = || Some("eyJhbGciOiJSUzI1NiJ9.e30.c2ln".to_owned());
    for path in paths {
        let answered = ca.send(Method::POST, path, foreign(), &json, "{}").await;
        assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{path}: {}", answered.text());
    }
    for path in paths {
        refused(&ca.send(Method::POST, path, foreign(), &json, "{}").await);
        // Our own tokens are heard from the same address, and wrong ones looked at.
        let known = ca.send(Method::POST, path, ca.token("manager"), &json, "{}").await;
        let unheard = [StatusCode::TOO_MANY_REQUESTS, StatusCode::UNAUTHORIZED];
        assert!(!unheard.contains(&known.status), "{path}: {}", known.text());
        let wrong = Some(format!("chancery_{}", "A".repeat(43)));
        let answered = ca.send(Method::POST, path, wrong, &json, "{}").await;
        assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{path}: {}", answered.text());
    }
}

#[tokio::test]
async fn enrolments_are_limited_only_where_that_is_wanted() {
    let path = "/v1/requests?template=VPNUserAuthentication";
    let headers = [("content-type", "application/pkcs10")];
    for (limit, last) in [
        (PerMinute::Unlimited, StatusCode::CREATED),
        (PerMinute::Of(4), StatusCode::TOO_MANY_REQUESTS),
    ] {
        let ca = stingy(|allowance| {
            allowance.account = PerMinute::Of(1);
            allowance.address = PerMinute::Of(1);
            allowance.enrolments = limit;
        })
        .await;
        let mut answered = Vec::new();
        for _ in 0..5 {
            let request = csr::named("anna");
            let sent = ca.send(Method::POST, path, ca.token("anna"), &headers, request).await;
            answered.push(sent.status);
        }
        assert_eq!(answered[..4], [StatusCode::CREATED; 4]);
        assert_eq!(answered[4], last);
    }
}
