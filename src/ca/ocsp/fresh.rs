//! The exception to law 3: answers that could not be made beforehand. They repeat what the stored
//! ones say. A few threads, a short queue; who finds it full may come again.

use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::Responder;
use crate::pki::ocsp::{ResponseStatus, SignedAnswer, response_data, successful};
use crate::pki::time::Timestamp;

/// How many may wait: with RSA-2048 a fifth of a second for the last.
const QUEUE: usize = 256;

/// What is to be signed.
#[derive(Debug)]
pub struct FreshAnswer {
    pub(super) singles: Vec<Vec<u8>>,
    pub(super) nonce: Option<Vec<u8>>,
    pub(super) produced_at: Timestamp,
    pub(super) responder: Arc<Responder>,
}

/// The queue is full, or its threads are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many OCSP answers wait to be signed")]
pub struct Busy;

type Work = (FreshAnswer, Box<dyn FnOnce(Vec<u8>) + Send>);

/// The threads.
#[derive(Debug)]
pub(super) struct FreshSigners {
    queue: SyncSender<Work>,
}

impl FreshAnswer {
    /// The whole OCSPResponse.
    fn sign(&self) -> Vec<u8> {
        let singles: Vec<&[u8]> = self.singles.iter().map(Vec::as_slice).collect();
        let responder = &self.responder;
        let hash = responder.key_hash();
        let data = response_data(&hash, self.produced_at, &singles, self.nonce.as_deref());
        match responder.key().sign(&data) {
            Ok(signature) => {
                let signed = SignedAnswer::new(&data, responder.key().algorithm(), &signature);
                successful(signed.as_bytes(), responder.certificate().der())
            }
            Err(error) => {
                tracing::error!(%error, "an OCSP answer could not be signed");
                ResponseStatus::InternalError.to_der().to_vec()
            }
        }
    }
}

impl FreshSigners {
    /// So many threads; they end with this value.
    pub(super) fn start(threads: NonZeroUsize) -> std::io::Result<Self> {
        let (queue, work) = sync_channel(QUEUE);
        let work = Arc::new(Mutex::new(work));
        for _ in 0..threads.get() {
            let work = Arc::clone(&work);
            std::thread::Builder::new().name("ocsp-fresh".to_owned()).spawn(move || sign(&work))?;
        }
        Ok(Self { queue })
    }

    /// Hands `answer` to a thread, which hands the OCSPResponse to `done`.
    pub(super) fn submit(
        &self,
        answer: FreshAnswer,
        done: impl FnOnce(Vec<u8>) + Send + 'static,
    ) -> Result<(), Busy> {
        self.queue.try_send((answer, Box::new(done))).map_err(|_| Busy)
    }
}

fn sign(work: &Mutex<Receiver<Work>>) {
    loop {
        let next = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((answer, done)) = next else { return };
        done(answer.sign());
    }
}
