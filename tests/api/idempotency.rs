//! `Idempotency-Key`: sent again is done once.

use std::sync::{Arc, Condvar, Mutex};

use axum::http::{Method, StatusCode};
use chancery::storage::ledger::disk::{Disk, FileDisk};
use serde_json::json;

use super::certificate_requests;
use super::fixture::{Answered, Ca};

const JSON: (&str, &str) = ("content-type", "application/json");

async fn send(ca: &Ca, who: &str, path: &str, key: &str, body: &str) -> Answered {
    let headers = [JSON, ("idempotency-key", key)];
    ca.send(Method::POST, path, ca.token(who), &headers, body.to_owned()).await
}

/// Every POST that creates, with a body that makes something new.
fn creations() -> Vec<(&'static str, String)> {
    let csr = certificate_requests::base64("p256 CN=nps1.corp.contoso.com");
    let account = json!({"name": "carl", "kind": "user"});
    let token = json!({"account": "bert", "expires_in_seconds": 600});
    let duplicate = json!({"cn": "ContosoUser"});
    let request = json!({"template": "VPNUserAuthentication", "csr": csr, "on_behalf_of": "anna"});
    vec![
        ("/v1/requests", request.to_string()),
        ("/v1/accounts", account.to_string()),
        ("/v1/tokens", token.to_string()),
        ("/v1/templates/User/duplicate", duplicate.to_string()),
        ("/v1/ca/crls", String::new()),
    ]
}

#[tokio::test]
async fn sent_again_gives_the_first_answer_again() {
    let ca = Ca::founded().await;
    for (path, body) in creations() {
        let first = send(&ca, "administrator", path, "key-1", &body).await;
        assert_eq!(first.status, StatusCode::CREATED, "{path}: {}", first.text());
        let again = send(&ca, "administrator", path, "key-1", &body).await;
        assert_eq!(again.status, first.status, "{path}: {}", again.text());
        assert_eq!(again.text(), first.text(), "{path}");
        assert_eq!(again.headers.get("location"), first.headers.get("location"), "{path}");
        // The key is free for the next path: it belongs to what was sent with it.
        ca.wait_seconds(86_401);
    }
}

#[tokio::test]
async fn a_template_is_made_once() {
    let ca = Ca::founded().await;
    let whole = ca
        .send(
            Method::GET,
            "/v1/templates/VPNUserAuthentication",
            ca.token("administrator"),
            &[],
            "",
        )
        .await;
    let mut template = whole.json();
    template["cn"] = json!("ContosoUser");
    template["display_name"] = json!("Contoso User");
    template["origin"] = json!("custom");
    template["oid"] = json!("77.78");
    let body = template.to_string();
    let first = send(&ca, "administrator", "/v1/templates", "k", &body).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text());
    let again = send(&ca, "administrator", "/v1/templates", "k", &body).await;
    assert_eq!((again.status, again.text()), (first.status, first.text()));
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let ca = Ca::founded().await;
    let anna = json!({"account": "anna", "expires_in_seconds": 600}).to_string();
    let bert = json!({"account": "bert", "expires_in_seconds": 600}).to_string();
    let first = send(&ca, "administrator", "/v1/tokens", "k", &anna).await;
    assert_eq!(first.status, StatusCode::CREATED);
    for (path, body) in [("/v1/tokens", &bert), ("/v1/accounts", &anna), ("/v1/requests", &anna)] {
        if path == "/v1/tokens" {
            let other = send(&ca, "administrator", path, "k", body).await;
            assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", other.text());
            assert_eq!(other.rule(), "idempotency-key-reused");
        }
    }
    let account = json!({"name": "carl", "kind": "user"}).to_string();
    let other = send(&ca, "administrator", "/v1/accounts", "k", &account).await;
    assert_eq!(other.rule(), "idempotency-key-reused");
    let csr = certificate_requests::base64("p256 CN=x");
    let request = json!({"template": "VPNUserAuthentication", "csr": csr}).to_string();
    let other = send(&ca, "administrator", "/v1/requests", "k", &request).await;
    assert_eq!(other.rule(), "idempotency-key-reused");
    // After 24 hours the key is free again.
    ca.wait_seconds(86_401);
    let later = send(&ca, "administrator", "/v1/tokens", "k", &bert).await;
    assert_eq!(later.status, StatusCode::CREATED, "{}", later.text());
}

#[tokio::test]
async fn a_key_belongs_to_an_account_and_a_secret_to_a_token() {
    let ca = Ca::founded().await;
    let body = json!({"account": "anna", "expires_in_seconds": 600}).to_string();
    let first = send(&ca, "administrator", "/v1/tokens", "k", &body).await;
    let secret = first.json()["token"].as_str().unwrap().to_owned();
    // Another token of the same account: the secret is not told to it.
    let other = ca.token_for("administrator", 600).await;
    let headers = [JSON, ("idempotency-key", "k")];
    let again = ca.send(Method::POST, "/v1/tokens", Some(other), &headers, body).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text());
    assert!(!again.text().contains(&secret));
    // Another account's key of the same text is another key.
    let csr = certificate_requests::base64("p256 CN=x");
    let request = json!({"template": "VPNUserAuthentication", "csr": csr}).to_string();
    let hers = send(&ca, "anna", "/v1/requests", "k", &request).await;
    assert_eq!(hers.status, StatusCode::CREATED, "{}", hers.text());
}

#[tokio::test]
async fn a_denial_is_given_again_and_recorded_once() {
    let ca = Ca::founded().await;
    let csr = certificate_requests::base64("p256 CN=x");
    let request = json!({"template": "VPNUserAuthentication", "csr": csr}).to_string();
    let first = send(&ca, "bert", "/v1/requests", "k", &request).await;
    assert_eq!(first.status, StatusCode::FORBIDDEN, "{}", first.text());
    let again = send(&ca, "bert", "/v1/requests", "k", &request).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert_eq!(again.json()["request_id"], first.json()["request_id"]);
    assert_eq!(again.json()["hresult"], first.json()["hresult"]);
    assert_eq!(ca.on_record(), (1, 0));
}

#[tokio::test]
async fn keys_are_visible_ascii() {
    let ca = Ca::founded().await;
    let long = "k".repeat(256);
    for key in ["", "a b", "caf\u{e9}", &long] {
        let sent = send(&ca, "administrator", "/v1/tokens", key, "{}").await;
        // The body is wrong as well; whichever is told, nothing is made.
        assert_eq!(sent.status, StatusCode::BAD_REQUEST, "{key:?}: {}", sent.text());
    }
    let body = json!({"account": "anna", "expires_in_seconds": 600}).to_string();
    let sent = send(&ca, "administrator", "/v1/tokens", "a b", &body).await;
    assert_eq!(sent.rule(), "idempotency-key-malformed");
}

/// A gate that a sync of the ledger waits at while it is shut.
#[derive(Default)]
struct Gate {
    shut: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn set(&self, shut: bool) {
        *self.shut.lock().unwrap() = shut;
        self.opened.notify_all();
    }

    fn pass(&self) {
        drop(self.opened.wait_while(self.shut.lock().unwrap(), |shut| *shut).unwrap());
    }
}

/// The real disk behind a gate.
struct GatedDisk(FileDisk, Arc<Gate>);

impl Disk for GatedDisk {
    fn write_at(&self, bytes: &[u8], offset: u64) -> std::io::Result<()> {
        self.0.write_at(bytes, offset)
    }
    fn sync(&self) -> std::io::Result<()> {
        self.1.pass();
        self.0.sync()
    }
    fn truncate(&self, length: u64) -> std::io::Result<()> {
        self.0.truncate(length)
    }
    fn free_space(&self) -> std::io::Result<u64> {
        self.0.free_space()
    }
    fn has_reserve(&self, octets: u64) -> bool {
        self.0.has_reserve(octets)
    }

    fn make_reserve(&self, octets: u64) -> std::io::Result<()> {
        self.0.make_reserve(octets)
    }
    fn free_reserve(&self) -> std::io::Result<()> {
        self.0.free_reserve()
    }
}

#[tokio::test]
async fn a_key_under_way_is_409_and_its_answer_comes_once() {
    let gate = Arc::new(Gate::default());
    let behind = Arc::clone(&gate);
    let gated = move |disk| Box::new(GatedDisk(disk, behind)) as Box<dyn Disk>;
    let ca = Ca::founded_with(|options| options.disk = Some(Box::new(gated))).await;
    // An enrolment, an administrative act, and a token, whose answer is sealed.
    for (path, body) in creations().into_iter().take(3) {
        gate.set(true);
        let mut one = Box::pin(send(&ca, "administrator", path, "key-2", &body));
        let mut two = Box::pin(send(&ca, "administrator", path, "key-2", &body));
        // Whichever comes first waits for the disk, so the first to be answered is the other.
        let (refused, waiting) = tokio::select! {
            refused = &mut one => (Some(refused), two),
            refused = &mut two => (Some(refused), one),
            () = tokio::time::sleep(std::time::Duration::from_secs(60)) => (None, two),
        };
        gate.set(false);
        let refused = refused.expect("the second is refused while the first is under way");
        let first = waiting.await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{path}: {}", refused.text());
        assert_eq!(refused.rule(), "idempotency-key-in-use", "{path}");
        assert_eq!(first.status, StatusCode::CREATED, "{path}: {}", first.text());
        let again = send(&ca, "administrator", path, "key-2", &body).await;
        assert_eq!((again.status, again.text()), (StatusCode::CREATED, first.text()), "{path}");
        ca.wait_seconds(86_401);
    }
    assert_eq!(ca.on_record(), (1, 1));
}
