//! Something that is done now and then on a thread of its own, since it may wait for the network,
//! until the service stops.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A thread that does something now and then.
pub(super) struct Pacing {
    stopped: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
    name: &'static str,
}

impl Pacing {
    /// Does it now and then every `seconds`; never, if there are none.
    pub(super) fn start(
        name: &'static str,
        seconds: Option<u64>,
        mut act: impl FnMut() + Send + 'static,
    ) -> std::io::Result<Self> {
        let stopped = Arc::new((Mutex::new(false), Condvar::new()));
        let thread = match seconds {
            Some(seconds) => {
                let stopped = Arc::clone(&stopped);
                let run = move || {
                    loop {
                        act();
                        if is_over(&stopped, Duration::from_secs(seconds)) {
                            return;
                        }
                    }
                };
                Some(std::thread::Builder::new().name(name.to_owned()).spawn(run)?)
            }
            None => None,
        };
        Ok(Self { stopped, thread, name })
    }

    /// Does it no more. What is under way is not waited for: it may wait for the network.
    pub(super) fn stop(self) {
        *self.stopped.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stopped.1.notify_all();
        if self.thread.is_some_and(|thread| thread.is_finished() && thread.join().is_err()) {
            tracing::error!(thread = self.name, "it ended early");
        }
    }
}

fn is_over((stopped, told): &(Mutex<bool>, Condvar), rest: Duration) -> bool {
    let guard = stopped.lock().unwrap_or_else(PoisonError::into_inner);
    let waited = told.wait_timeout_while(guard, rest, |stopped| !*stopped);
    *waited.unwrap_or_else(PoisonError::into_inner).0
}
