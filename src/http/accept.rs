//! Accepting connections, for both doors: bounded in number, and at the end those that are open
//! have a time to finish.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// Accepts until `stop` becomes true, `places` connections at a time, each served by what
/// `connection` gives, on the runtimes of `servers` in turn; then waits at most `drain` for those
/// that are open. Says whether all of them ended.
pub async fn accept<Served: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    places: u32,
    drain: Duration,
    mut stop: watch::Receiver<bool>,
    servers: &[Handle],
    connection: impl Fn(TcpStream, IpAddr, watch::Receiver<bool>) -> Served,
) -> bool {
    let free = Arc::new(Semaphore::new(places as usize));
    let mut turns = servers.iter().cycle();
    loop {
        let came = tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            came = next(&listener, &free) => came,
        };
        let Some((stream, from, place)) = came else { continue };
        let Some(server) = turns.next() else { break };
        let served = connection(stream, from, stop.clone());
        server.spawn(async move {
            served.await;
            drop(place);
        });
    }
    drop(listener);
    tokio::time::timeout(drain, free.acquire_many(places)).await.is_ok()
}

/// Until the server stops. That whoever could say so is gone is a stop as well.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stopping| *stopping).await;
}

/// The next connection and a place for it. While there is none, further ones wait in the
/// system's queue.
async fn next(
    listener: &TcpListener,
    free: &Arc<Semaphore>,
) -> Option<(TcpStream, IpAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(free).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, from)) => {
            // Answers are written whole: waiting to fill a packet only delays them.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "TCP_NODELAY");
            }
            Some((stream, from.ip(), place))
        }
        Err(error) => {
            // Too many open files, mostly: others must close first.
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}
