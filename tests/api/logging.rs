//! One line a call, with its number and never a secret.

use std::cell::RefCell;
use std::io::Write;

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::certificate_requests as csr;
use super::fixture::Ca;

thread_local! {
    /// What this test's thread logs: the calls of other tests are answered on other threads.
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct Log;

impl Write for Log {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.extend(octets));
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn one_line_a_call_without_secrets() {
    let ca = Ca::founded().await;
    // For the whole process: tracing asks another thread's subscriber whether a line that it
    // meets there first is of interest, and with none the line would be lost for all.
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(|| Log)
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    LOGGED.take();
    let wanted = json!({"account": "anna", "expires_in_seconds": 600});
    let made = ca.post("administrator", "/v1/tokens", &wanted).await;
    let secret = made.json()["token"].as_str().unwrap().to_owned();
    let path = "/v1/requests?template=VPNUserAuthentication&on_behalf_of=anna";
    let headers = [("content-type", "application/pkcs10"), ("idempotency-key", "one-time-word")];
    let body = csr::der("p256 CN=x");
    let refused = ca.send(Method::POST, path, ca.token("bert"), &headers, body).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let unknown = ca.send(Method::GET, "/v1/ca", Some("chancery_wrong".to_owned()), &[], "").await;
    assert_eq!(unknown.status, StatusCode::UNAUTHORIZED);
    let nowhere = ca.send(Method::GET, "/nowhere%0Ainjected", None, &[], "").await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);

    let text = String::from_utf8(LOGGED.take()).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("answered")).collect();
    assert_eq!(lines.len(), 4, "{text}");
    for (line, answered) in lines.iter().zip([&made, &refused, &unknown, &nowhere]) {
        let number = answered.headers["x-request-id"].to_str().unwrap();
        assert!(line.contains(number), "{line}");
        assert!(line.contains(&format!("status={}", answered.status.as_u16())), "{line}");
    }
    assert!(lines[1].contains("account=\"bert\""), "{}", lines[1]);
    assert!(lines[1].contains("rule=\"role-required\""), "{}", lines[1]);
    let secrets = [
        secret.as_str(),
        &ca.token("administrator").unwrap(),
        &ca.token("bert").unwrap(),
        "chancery_wrong",
        "on_behalf_of",
        "one-time-word",
    ];
    for secret in secrets {
        assert!(!text.contains(secret), "the log tells {secret}");
    }
}
