//! A commit under way: awaited by whoever gives his thread back meanwhile, or waited for.
//!
//! Absent: an executor. Whoever awaits brings his own; [`wait`] is all that a thread needs.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use super::StoreError;

/// What becomes of entries that were handed over. Whoever drops it is not told; they are recorded
/// all the same.
#[derive(Debug)]
#[must_use = "what is not awaited may not be durable yet"]
pub struct Recording(Arc<Mutex<Fate>>);

/// The writer's end of a [`Recording`].
#[derive(Debug)]
pub(super) struct Ticket(Arc<Mutex<Fate>>);

#[derive(Debug)]
enum Fate {
    Open(Option<Waker>),
    Settled(Result<(), StoreError>),
}

impl Recording {
    /// One under way, and who settles it.
    pub(super) fn begun() -> (Self, Ticket) {
        let fate = Arc::new(Mutex::new(Fate::Open(None)));
        (Self(Arc::clone(&fate)), Ticket(fate))
    }

    /// One that is over already.
    pub fn settled(outcome: Result<(), StoreError>) -> Self {
        Self(Arc::new(Mutex::new(Fate::Settled(outcome))))
    }
}

impl Future for Recording {
    type Output = Result<(), StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *locked(&self.0) {
            Fate::Settled(outcome) => Poll::Ready(outcome.clone()),
            Fate::Open(waker) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Ticket {
    /// Says what became of it.
    pub(super) fn settle(&self, outcome: Result<(), StoreError>) {
        let before = std::mem::replace(&mut *locked(&self.0), Fate::Settled(outcome));
        // With the lock given back: who is woken looks at once.
        if let Fate::Open(Some(waker)) = before {
            waker.wake();
        }
    }
}

/// Nobody waits for ever, should the writer's thread end before its time.
impl Drop for Ticket {
    fn drop(&mut self) {
        if matches!(*locked(&self.0), Fate::Open(_)) {
            self.settle(Err(StoreError::Poisoned("the writer is gone".to_owned())));
        }
    }
}

/// No holder of the lock panics.
fn locked(fate: &Mutex<Fate>) -> MutexGuard<'_, Fate> {
    fate.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits on this thread for what awaits nothing but the register.
pub fn wait<T>(work: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Parked(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut work = pin!(work);
    loop {
        match work.as_mut().poll(&mut context) {
            Poll::Ready(done) => return done,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// A thread that waits.
struct Parked(Thread);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_is_told_whether_he_came_before_or_after() {
        assert!(wait(Recording::settled(Ok(()))).is_ok());
        let (recording, ticket) = Recording::begun();
        ticket.settle(Err(StoreError::Full));
        assert!(matches!(wait(recording), Err(StoreError::Full)));
        for _ in 0..100 {
            let (recording, ticket) = Recording::begun();
            let waiting = std::thread::spawn(move || wait(recording));
            ticket.settle(Err(StoreError::SerialInUse));
            assert!(matches!(waiting.join().unwrap(), Err(StoreError::SerialInUse)));
        }
    }

    #[test]
    fn who_waits_is_told_that_the_writer_is_gone() {
        let (recording, ticket) = Recording::begun();
        drop(ticket);
        assert!(matches!(wait(recording), Err(StoreError::Poisoned(_))));
    }

    #[test]
    fn who_turned_away_disturbs_nobody() {
        let (recording, ticket) = Recording::begun();
        drop(recording);
        ticket.settle(Ok(()));
    }
}
