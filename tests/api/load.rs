//! When much is asked at once, or a CRL takes long: what still answers, and what says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use chancery::ca::publish::PublishedLists;
use chancery::http::pool::Lane;
use chancery::http::publishing::Publishing;
use chancery::pki::revocation_list::CrlScope;
use chancery::pki::time::Timestamp;
use serde_json::json;

use super::certificate_requests as csr;
use super::fixture::Ca;

/// Threads of the lane of acts.
const ACT_THREADS: usize = 8;

/// A publisher whose CRL is always still to come.
struct Late;

impl Publishing for Late {
    fn demand(&self, _: &[CrlScope], _: u64) {}
    fn demand_all(&self, _: u64) {}
    fn demand_anew(&self) {}
    fn published(&self, _: &[CrlScope], _: u64) -> Option<u64> {
        None
    }
    fn lists(&self) -> &[Arc<PublishedLists>] {
        &[]
    }
    fn trouble(&self, _: Timestamp) -> Option<String> {
        Some("no CRL has been published yet".to_owned())
    }
}

#[tokio::test]
async fn a_revocation_is_202_while_its_crl_is_still_to_come() {
    let mut ca = Ca::founded().await;
    ca.adjust(|api| {
        api.publisher = Arc::new(Late);
        api.publication_wait = Duration::from_millis(50);
    });
    let path = "/v1/requests?template=VPNUserAuthentication";
    let headers = [("content-type", "application/pkcs10")];
    let body = csr::der("p256 CN=anna");
    let issued = ca.send(Method::POST, path, ca.token("anna"), &headers, body).await.json();
    let path = format!("/v1/certificates/{}", issued["serial_number"].as_str().unwrap());
    let reason = json!({"reason": "superseded"});
    let revoked = ca.post("manager", &format!("{path}/revoke"), &reason).await;
    assert_eq!(revoked.status, StatusCode::ACCEPTED, "{}", revoked.text());
    assert!(revoked.json().get("crl_number").is_none());
    // It is on record all the same.
    let found = ca.send(Method::GET, &path, ca.token("anna"), &[], "").await;
    assert_eq!(found.json()["status"], "revoked");
    let ready = ca.send(Method::GET, "/readyz", None, &[], "").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(ready.text().contains("no CRL has been published yet"), "{}", ready.text());
}

#[tokio::test]
async fn a_full_lane_is_503_at_once_and_the_others_go_on() {
    let ca = Ca::founded().await;
    let closed = Arc::new(AtomicBool::new(true));
    let running = Arc::new(AtomicUsize::new(0));
    let mut waiting = Vec::new();
    // More than threads and queue of the lane can take. Every thread is taken first: one that
    // had not begun yet would take from a queue already full, and make room in it.
    for number in 0..1000 {
        let (api, closed, begun) = (Arc::clone(&ca.api), Arc::clone(&closed), Arc::clone(&running));
        let work = async move {
            begun.fetch_add(1, Ordering::Relaxed);
            while closed.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        waiting.push(tokio::spawn(async move { api.pools.run(Lane::Acts, work).await.is_ok() }));
        while number + 1 == ACT_THREADS && running.load(Ordering::Relaxed) < ACT_THREADS {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    let account = json!({"name": "carl", "kind": "user"});
    let refused = ca.post("administrator", "/v1/accounts", &account).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.text());
    assert_eq!(refused.rule(), "too-busy");
    assert!(refused.headers.contains_key("retry-after"));
    for path in ["/healthz", "/readyz", "/v1/ca", "/v1/requests"] {
        let answered = ca.send(Method::GET, path, ca.token("anna"), &[], "").await;
        assert_eq!(answered.status, StatusCode::OK, "{path}: {}", answered.text());
    }
    let path = "/v1/requests?template=VPNUserAuthentication";
    let headers = [("content-type", "application/pkcs10")];
    let body = csr::der("p256 CN=anna");
    let issued = ca.send(Method::POST, path, ca.token("anna"), &headers, body).await;
    assert_eq!(issued.status, StatusCode::CREATED, "{}", issued.text());
    closed.store(false, Ordering::Relaxed);
    let mut done = 0;
    for call in waiting {
        done += usize::from(call.await.unwrap());
    }
    assert!((256..1000).contains(&done), "{done} of 1000 were taken");
    let made = ca.post("administrator", "/v1/accounts", &account).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
}

#[tokio::test]
async fn a_server_that_stops_is_not_ready() {
    let ca = Ca::founded().await;
    ca.api.drain();
    let ready = ca.send(Method::GET, "/readyz", None, &[], "").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    let alive = ca.send(Method::GET, "/healthz", None, &[], "").await;
    assert_eq!(alive.status, StatusCode::OK);
}
