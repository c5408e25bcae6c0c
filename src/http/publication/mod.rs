//! The publication door: CRL, CA certificate and OCSP over plain HTTP (RFC 5280 §8: fetching them
//! must not need a certificate), on a thread and a runtime of its own.
//!
//! It reads a snapshot (law 3: serving never signs) and shares with the rest of the program no
//! pool, no lock and no disk sync: an authority that stands still does not delay a CRL. Absent:
//! listings, TLS, ranges, methods other than GET and HEAD (and OCSP's POST). Begin with `answer`, the
//! whole of what is answered; `ocsp` is the responder.

mod answer;
mod connection;
mod content;
mod ocsp;
pub mod ocsp_path;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::ca::publish::PublicationPoint;
use crate::pki::time::Timestamp;

/// Reads the wall clock; once a request.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Bounds for those who fetch.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections at a time; further ones wait in the system's queue.
    pub connections: u32,
    /// For the head of a request, and how long a connection may idle between two.
    pub head: Duration,
    /// An answer under way must move on by [`Bounds::least_octets`] in each such while.
    pub pace: Duration,
    /// See [`Bounds::pace`].
    pub least_octets: u64,
    /// For downloads under way once the server stops.
    pub drain: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 1024,
            head: Duration::from_secs(10),
            pace: Duration::from_secs(20),
            least_octets: 16 * 1024,
            drain: Duration::from_secs(5),
        }
    }
}

/// A running publication server.
#[derive(Debug)]
pub struct PublicationServer {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: std::thread::JoinHandle<()>,
}

impl PublicationServer {
    /// Serves `point` on `listener`.
    pub fn start(
        listener: TcpListener,
        point: Arc<PublicationPoint>,
        clock: Clock,
        bounds: Bounds,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopping) = watch::channel(false);
        // One thread answers; reading files happens on two more, which come and go.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(2)
            .thread_keep_alive(Duration::from_secs(5))
            .build()?;
        let serve = move || {
            runtime.block_on(async {
                match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => {
                        connection::serve(listener, point, clock, bounds, stopping).await;
                    }
                    Err(error) => tracing::error!(%error, "the publication listener is lost"),
                }
            });
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("publication".to_owned()).spawn(serve)?;
        Ok(Self { address, stop, thread })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, lets downloads under way end within [`Bounds::drain`], and
    /// returns.
    pub fn stop(self) {
        self.stop.send_replace(true);
        if self.thread.join().is_err() {
            tracing::error!("the publication thread ended early");
        }
    }
}

#[cfg(test)]
mod tests;
