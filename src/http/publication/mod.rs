//! The publication door: CRL, CA certificate and OCSP over plain HTTP (RFC 5280 §8: fetching them
//! must not need a certificate), on threads of its own: one a processor, each with a runtime that
//! shares nothing with the others; one of them accepts, and hands connections out in turn.
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
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Handle, Runtime};
use tokio::sync::watch;

use super::accept::stopped;
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
    /// Threads that answer.
    pub threads: NonZeroUsize,
}

/// More threads than this find no work that the system's network stack would not hold up.
const MOST_THREADS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 1024,
            head: Duration::from_secs(10),
            pace: Duration::from_secs(20),
            least_octets: 16 * 1024,
            drain: Duration::from_secs(5),
            threads: std::thread::available_parallelism()
                .map_or(NonZeroUsize::MIN, |processors| processors.min(MOST_THREADS)),
        }
    }
}

/// A running publication server.
#[derive(Debug)]
pub struct PublicationServer {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
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
        let runtimes: Vec<Runtime> =
            (0..bounds.threads.get()).map(|_| runtime()).collect::<io::Result<_>>()?;
        let servers: Vec<Handle> = runtimes.iter().map(|own| own.handle().clone()).collect();
        // Open until whoever accepts says that all have been served.
        let (serving, over) = watch::channel(false);
        let mut accepting = Some(async move {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => {
                    connection::serve(listener, &servers, point, clock, bounds, stopping).await;
                }
                Err(error) => tracing::error!(%error, "the publication listener is lost"),
            }
            drop(serving);
        });
        let mut threads = Vec::with_capacity(runtimes.len());
        for runtime in runtimes {
            let (accepting, mut over) = (accepting.take(), over.clone());
            let serve = move || {
                match accepting {
                    Some(accepting) => runtime.block_on(accepting),
                    None => runtime.block_on(stopped(&mut over)),
                }
                runtime.shutdown_background();
            };
            let thread = std::thread::Builder::new().name("publication".to_owned());
            threads.push(thread.spawn(serve)?);
        }
        Ok(Self { address, stop, threads })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, lets downloads under way end within [`Bounds::drain`], and
    /// returns.
    pub fn stop(self) {
        self.stop.send_replace(true);
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a publication thread ended early");
            }
        }
    }
}

/// For one thread. Reading files happens on another, which comes and goes.
fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .thread_keep_alive(Duration::from_secs(5))
        .build()
}

#[cfg(test)]
mod tests;
