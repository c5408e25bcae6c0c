//! Connections: bounded in number and in time, and whoever reads too slowly is let go.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use hyper::Request;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::answer::answer;
use super::ocsp;
use super::{Bounds, Clock};
use crate::ca::publish::PublicationPoint;
use crate::http::accept::{accept, stopped};

/// Serves on the runtimes of `servers` until `stopping` is true.
pub async fn serve(
    listener: TcpListener,
    servers: &[Handle],
    point: Arc<PublicationPoint>,
    clock: Clock,
    bounds: Bounds,
    stopping: watch::Receiver<bool>,
) {
    let connection = move |stream: TcpStream, _, stopping: watch::Receiver<bool>| {
        // It leaves this thread's reactor for that of the thread which serves it.
        let stream = stream.into_std();
        let (point, clock) = (point.clone(), clock.clone());
        async move {
            match stream.and_then(TcpStream::from_std) {
                Ok(stream) => converse(stream, point, clock, bounds, stopping).await,
                Err(error) => tracing::warn!(%error, "a connection could not be handed over"),
            }
        }
    };
    let Bounds { connections, drain, .. } = bounds;
    if !accept(listener, connections, drain, stopping, servers, connection).await {
        tracing::debug!("some downloads did not end in time and are cut off");
    }
}

async fn converse(
    stream: TcpStream,
    point: Arc<PublicationPoint>,
    clock: Clock,
    bounds: Bounds,
    mut stopping: watch::Receiver<bool>,
) {
    let progress = Arc::new(Progress::default());
    let service = service_fn(|request: Request<Incoming>| {
        let (point, clock, progress) = (&point, &clock, &progress);
        async move {
            tracing::debug!(method = %request.method(), path = request.uri().path(), "publication");
            let response = match point.answers() {
                Some(answers) if ocsp::is_meant(request.uri().path()) => {
                    ocsp::answer(request, answers, clock(), bounds.head).await
                }
                _ => {
                    let path = request.uri().path();
                    answer(request.method(), path, request.headers(), point, clock())
                }
            };
            let octets = response.body().size_hint().lower();
            progress.owed.fetch_add(octets, Ordering::Relaxed);
            Ok::<_, Infallible>(response)
        }
    });
    let counted = Counted { stream, progress: Arc::clone(&progress) };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(counted), service);
    let mut connection = pin!(connection);
    let mut pace = tokio::time::interval(bounds.pace);
    pace.tick().await;
    let (mut before, mut finishing) = (0, false);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            () = stopped(&mut stopping), if !finishing => {
                finishing = true;
                connection.as_mut().graceful_shutdown();
            }
            _ = pace.tick() => {
                let so_far = progress.written.load(Ordering::Relaxed);
                let under_way = so_far < progress.owed.load(Ordering::Relaxed);
                if under_way && so_far - before < bounds.least_octets {
                    tracing::debug!("a download was too slow");
                    return;
                }
                before = so_far;
            }
        }
    }
}

/// How far the answers of a connection are. Between two requests, and for the heads of requests,
/// hyper has its own timer.
#[derive(Default)]
struct Progress {
    /// Octets of content that were promised.
    owed: AtomicU64,
    /// Octets written: content, and the heads of answers.
    written: AtomicU64,
}

/// Counts the octets that are written.
struct Counted {
    stream: TcpStream,
    progress: Arc<Progress>,
}

impl Counted {
    fn count(&self, written: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(octets)) = written {
            self.progress.written.fetch_add(*octets as u64, Ordering::Relaxed);
        }
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, octets);
        self.count(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.count(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
