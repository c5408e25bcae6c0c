//! The API's connections: bounded in number, each step bounded in time, and at the end every call
//! that was accepted is answered.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::accept::{accept, stopped};
use super::peer::{OfPeer, Peer};
use super::tls::Tls;

/// Bounds of a listener.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections at a time.
    pub connections: u32,
    /// For a TLS handshake.
    pub handshake: Duration,
    /// For the head of a request; also how long a connection may idle between two.
    pub head: Duration,
    /// For calls under way once the server stops.
    pub drain: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 2048,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
            drain: Duration::from_secs(20),
        }
    }
}

/// Serves `router` over TLS until `stop` becomes true, then finishes what was accepted.
pub async fn serve_https(
    listener: TcpListener,
    router: Router,
    tls: Arc<Tls>,
    bounds: Bounds,
    stop: watch::Receiver<bool>,
) {
    let acceptor = TlsAcceptor::from(tls.config());
    let connection = move |stream: TcpStream, from: IpAddr, stopping: watch::Receiver<bool>| {
        let (acceptor, router) = (acceptor.clone(), router.clone());
        async move {
            match tokio::time::timeout(bounds.handshake, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let shown = stream.get_ref().1.peer_certificates().unwrap_or_default();
                    let own = shown.first().map(|own| Bytes::copy_from_slice(own));
                    let peer = Peer::at(from).holding(own);
                    converse(stream, peer, router, bounds, stopping).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, "no TLS handshake"),
                Err(_) => tracing::debug!("the TLS handshake took too long"),
            }
        }
    };
    let servers = [Handle::current()];
    if !accept(listener, bounds.connections, bounds.drain, stop, &servers, connection).await {
        tracing::warn!("some calls did not end in time and are cut off");
    }
}

async fn converse<Stream: AsyncRead + AsyncWrite + Unpin + 'static>(
    stream: Stream,
    peer: Peer,
    router: Router,
    bounds: Bounds,
    mut stopping: watch::Receiver<bool>,
) {
    let service = OfPeer { peer, inner: TowerToHyperService::new(router) };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
