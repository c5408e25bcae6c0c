//! The octets of an answer: from memory, or out of an open file piece by piece. A file that was
//! replaced meanwhile is read to its end all the same.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::task::JoinHandle;

/// What is read from a file at once: with the greatest number of connections 64 MiB in all, and
/// only if all of them fetch a large CRL.
const PIECE: u64 = 64 * 1024;

/// The body of an answer.
#[derive(Debug)]
pub enum Content {
    /// Ready octets; none once sent.
    Memory(Bytes),
    /// Part of a file.
    File(Reading),
}

/// A file being sent.
#[derive(Debug)]
pub struct Reading {
    file: Arc<File>,
    offset: u64,
    end: u64,
    piece: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Content {
    /// No octets.
    pub fn nothing() -> Self {
        Self::Memory(Bytes::new())
    }

    /// These octets.
    pub fn memory(octets: Bytes) -> Self {
        Self::Memory(octets)
    }

    /// The first `length` octets of a file.
    pub fn file(file: Arc<File>, length: u64) -> Self {
        Self::File(Reading { file, offset: 0, end: length, piece: None })
    }
}

impl Reading {
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.offset >= self.end {
            return Poll::Ready(None);
        }
        let piece = self.piece.get_or_insert_with(|| {
            let (file, offset) = (Arc::clone(&self.file), self.offset);
            let length = (self.end - offset).min(PIECE);
            tokio::task::spawn_blocking(move || {
                // At most 64 KiB.
                let mut octets = vec![0; usize::try_from(length).unwrap_or(0)];
                file.read_exact_at(&mut octets, offset)?;
                Ok(octets.into())
            })
        });
        let read = ready!(Pin::new(piece).poll(context));
        self.piece = None;
        let read = read.unwrap_or_else(|error| Err(io::Error::other(error)));
        if let Ok(octets) = &read {
            self.offset += octets.len() as u64;
        }
        Poll::Ready(Some(read))
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Memory(octets) if octets.is_empty() => Poll::Ready(None),
            Self::Memory(octets) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(octets))))),
            Self::File(reading) => {
                let piece = ready!(reading.poll_piece(context));
                Poll::Ready(piece.map(|read| read.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Memory(octets) => octets.is_empty(),
            Self::File(reading) => reading.offset >= reading.end,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Memory(octets) => octets.len() as u64,
            Self::File(reading) => reading.end - reading.offset,
        })
    }
}
