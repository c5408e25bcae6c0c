//! Accepting connections: bounded in number, each step bounded in time, and at the end every
//! call that was accepted is answered.

use std::future::Future;
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
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

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
    let connection = move |stream: TcpStream, peer: Peer, stopping: watch::Receiver<bool>| {
        let (acceptor, router) = (acceptor.clone(), router.clone());
        async move {
            match tokio::time::timeout(bounds.handshake, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let shown = stream.get_ref().1.peer_certificates().unwrap_or_default();
                    let own = shown.first().map(|own| Bytes::copy_from_slice(own));
                    converse(stream, peer.holding(own), router, bounds, stopping).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, "no TLS handshake"),
                Err(_) => tracing::debug!("the TLS handshake took too long"),
            }
        }
    };
    accept(listener, bounds, stop, connection).await;
}

async fn accept<Served: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    bounds: Bounds,
    mut stop: watch::Receiver<bool>,
    connection: impl Fn(TcpStream, Peer, watch::Receiver<bool>) -> Served,
) {
    let places = Arc::new(Semaphore::new(bounds.connections as usize));
    loop {
        let came = tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            came = next(&listener, &places) => came,
        };
        let Some((stream, peer, place)) = came else { continue };
        let served = connection(stream, peer, stop.clone());
        tokio::spawn(async move {
            served.await;
            drop(place);
        });
    }
    drop(listener);
    let all = places.acquire_many(bounds.connections);
    if tokio::time::timeout(bounds.drain, all).await.is_err() {
        tracing::warn!("some calls did not end in time and are cut off");
    }
}

/// Until the server stops. That whoever could say so is gone is a stop as well.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stopping| *stopping).await;
}

/// The next connection and a place for it. While there is none, further ones wait in the
/// system's queue.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, Peer, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, from)) => {
            // Answers are small and written whole: waiting to fill a packet only delays them.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "TCP_NODELAY");
            }
            Some((stream, Peer::at(from.ip()), place))
        }
        Err(error) => {
            // Too many open files, mostly: others must close first.
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
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
