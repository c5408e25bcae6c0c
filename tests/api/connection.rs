//! Over a real connection: TLS, slow and large bodies, and an end that finishes what was begun.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use chancery::http::api::router;
use chancery::http::body::Limits;
use chancery::http::listen::{Bounds, serve_https};
use chancery::http::tls::Tls;

use super::certificate_requests as csr;
use super::fixture::Ca;

struct Server {
    ca: Ca,
    address: SocketAddr,
    connector: TlsConnector,
    tls: Arc<Tls>,
    stop: watch::Sender<bool>,
    ended: tokio::task::JoinHandle<()>,
}

async fn serve(bounds: Bounds, limits: Option<Limits>) -> Server {
    let mut ca = Ca::founded().await;
    if let Some(limits) = limits {
        ca.adjust(|api| api.limits = limits);
    }
    let (certificate, key) = certificate();
    let tls = Arc::new(Tls::new(&[], vec![certificate.clone()], &key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopping) = watch::channel(false);
    let router = router(Arc::clone(&ca.api));
    let ended = tokio::spawn(serve_https(listener, router, Arc::clone(&tls), bounds, stopping));
    Server { ca, address, connector: trusting(certificate), tls, stop, ended }
}

/// A certificate for localhost that signs itself, and its key.
fn certificate() -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
    (certified.cert.der().clone(), key)
}

/// A client that trusts this certificate only.
fn trusting(certificate: CertificateDer<'static>) -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

impl Server {
    async fn connect(&self) -> TlsStream<TcpStream> {
        self.connect_with(&self.connector).await.unwrap()
    }

    async fn connect_with(
        &self,
        connector: &TlsConnector,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await?;
        connector.connect(ServerName::try_from("localhost").unwrap(), stream).await
    }

    fn enrolment(&self, csr: &str, length: usize) -> String {
        let token = self.ca.token("administrator").unwrap();
        format!(
            "POST /v1/requests?template=VPNServerAuthentication HTTP/1.1\r\nHost: localhost\r\n\
             Authorization: Bearer {token}\r\nContent-Type: application/pkcs10\r\n\
             Content-Length: {length}\r\n\r\n{csr}"
        )
    }
}

/// Reads one answer: its head and as much body as it says.
async fn answer(stream: &mut TlsStream<TcpStream>) -> String {
    let mut octets = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&octets).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.and_then(|length| length.parse().ok()).unwrap_or(0) {
                return text;
            }
        }
        let read = stream.read(&mut buffer).await.unwrap_or(0);
        if read == 0 {
            return text;
        }
        octets.extend(&buffer[..read]);
    }
}

#[tokio::test]
async fn enrolments_over_a_connection_that_is_kept() {
    let server = serve(Bounds::default(), None).await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        let csr = csr::pem("p256 CN=vpn1.corp.contoso.com DNS:vpn1.corp.contoso.com");
        let request = server.enrolment(&csr, csr.len());
        stream.write_all(request.as_bytes()).await.unwrap();
        let answered = answer(&mut stream).await;
        assert!(answered.starts_with("HTTP/1.1 201"), "{answered}");
    }
}

#[tokio::test]
async fn a_slow_body_is_408() {
    let limits = Limits { time: Duration::from_millis(200), ..Limits::default() };
    let server = serve(Bounds::default(), Some(limits)).await;
    let mut stream = server.connect().await;
    stream.write_all(server.enrolment("AAAA", 1000).as_bytes()).await.unwrap();
    let answered = answer(&mut stream).await;
    assert!(answered.starts_with("HTTP/1.1 408"), "{answered}");
    assert!(answered.contains("body-too-slow"), "{answered}");
}

#[tokio::test]
async fn a_large_body_is_told_so() {
    let server = serve(Bounds::default(), None).await;
    let mut stream = server.connect().await;
    let large = "A".repeat(10 * 1024 * 1024);
    stream.write_all(server.enrolment(&large, large.len()).as_bytes()).await.unwrap();
    let answered = answer(&mut stream).await;
    assert!(answered.starts_with("HTTP/1.1 413"), "{answered}");
}

#[tokio::test]
async fn a_slow_handshake_and_a_slow_head_are_cut_off() {
    let short = Duration::from_millis(200);
    let bounds = Bounds { handshake: short, head: short, ..Bounds::default() };
    let server = serve(bounds, None).await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let mut buffer = [0; 16];
    let read = tokio::time::timeout(Duration::from_secs(5), silent.read(&mut buffer)).await;
    assert_eq!(read.expect("cut off").unwrap_or(0), 0);
    let mut stream = server.connect().await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    let cut = tokio::time::timeout(Duration::from_secs(5), answer(&mut stream)).await;
    let text = cut.expect("cut off");
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 408"), "{text}");
}

#[tokio::test]
async fn stopping_answers_what_was_accepted() {
    let server = serve(Bounds::default(), None).await;
    let mut idle = server.connect().await;
    let mut stream = server.connect().await;
    let csr = csr::pem("p256 CN=vpn1.corp.contoso.com");
    let (first, rest) = csr.split_at(100);
    stream.write_all(server.enrolment(first, csr.len()).as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop.send(true).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    stream.write_all(rest.as_bytes()).await.unwrap();
    let answered = answer(&mut stream).await;
    assert!(answered.starts_with("HTTP/1.1 201"), "{answered}");
    assert_eq!(answer(&mut idle).await, "");
    let ended = tokio::time::timeout(Duration::from_secs(5), server.ended).await;
    ended.expect("the listener ends").unwrap();
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_the_next_connection() {
    let server = serve(Bounds::default(), None).await;
    let mut before = server.connect().await;
    let (renewed, key) = certificate();
    let next = trusting(renewed.clone());
    assert!(server.connect_with(&next).await.is_err());
    server.tls.exchange(vec![renewed.clone()], &key).unwrap();
    assert!(server.connect_with(&next).await.is_ok());
    // A key that does not fit changes nothing.
    assert!(server.tls.exchange(vec![renewed], &certificate().1).is_err());
    assert!(server.connect_with(&next).await.is_ok());
    // Connections that stand are not disturbed.
    before.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    assert!(answer(&mut before).await.starts_with("HTTP/1.1 200"));
}
