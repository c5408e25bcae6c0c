//! Sessions with a directory: a few, used again. Only so many calls wait at a time, the next one
//! is told at once to come again; and while the directory is down nobody waits at all: a thread of
//! its own finds out when it is back.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::deadline::Deadline;
use crate::directory::DirectoryError;

/// Why work over a session came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The server does not answer, or not in time.
    #[error("{0}")]
    Lost(String),
    /// The server answered, and will not do it.
    #[error("{0}")]
    Refused(String),
}

/// How much at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Sessions at most.
    pub sessions: usize,
    /// Calls that may wait for one.
    pub waiting: usize,
    /// How long they do, and how long each call may then take altogether.
    pub patience: Duration,
    /// How often a directory that is down is looked at.
    pub retry: Duration,
}

type Connect<Session> = Box<dyn Fn(Deadline) -> Result<Session, String> + Send + Sync>;

/// The sessions with one directory.
pub struct Pool<Session> {
    core: Arc<Core<Session>>,
}

struct Core<Session> {
    /// Whose they are, for what is told.
    name: String,
    connect: Connect<Session>,
    bounds: Bounds,
    state: Mutex<State<Session>>,
    changed: Condvar,
}

struct State<Session> {
    idle: Vec<Session>,
    /// Sessions that exist or are being made.
    open: usize,
    waiting: usize,
    /// Why nobody is let through.
    down: Option<String>,
}

impl<Session: Send + 'static> Pool<Session> {
    /// No session yet.
    pub fn new(name: &str, connect: Connect<Session>, bounds: Bounds) -> Self {
        let state = State { idle: Vec::new(), open: 0, waiting: 0, down: None };
        let (name, state) = (name.to_owned(), Mutex::new(state));
        Self { core: Arc::new(Core { name, connect, bounds, state, changed: Condvar::new() }) }
    }

    /// Does `work` over a session, until the deadline. Where one from before turns out dead, once
    /// more over a new one, if there is time left.
    pub fn with<T>(
        &self,
        work: impl Fn(&mut Session, Deadline) -> Result<T, Failure>,
    ) -> Result<T, DirectoryError> {
        let mut lease = self.lease()?;
        let deadline = Deadline::after(self.core.bounds.patience);
        if let Some(session) = &mut lease.session {
            match work(session, deadline) {
                Ok(done) => return Ok(done),
                Err(Failure::Refused(why)) => return Err(self.core.error(&why)),
                // The others from before are as dead.
                Err(Failure::Lost(why)) => {
                    lease.session = None;
                    self.core.forget_idle();
                    if deadline.is_over() {
                        // Whether only this call was slow, the next one's new session will show.
                        return Err(self.core.error(&why));
                    }
                }
            }
        }
        let mut session = (self.core.connect)(deadline).map_err(|why| self.down(&why))?;
        match work(&mut session, deadline) {
            Ok(done) => {
                lease.session = Some(session);
                Ok(done)
            }
            Err(Failure::Refused(why)) => {
                lease.session = Some(session);
                Err(self.core.error(&why))
            }
            Err(Failure::Lost(why)) => Err(self.down(&why)),
        }
    }

    fn lease(&self) -> Result<Lease<'_, Session>, DirectoryError> {
        let core = &*self.core;
        let mut state = core.state();
        let blocked = |state: &mut State<Session>| {
            state.down.is_none() && state.idle.is_empty() && state.open >= core.bounds.sessions
        };
        if blocked(&mut state) {
            if state.waiting >= core.bounds.waiting {
                return Err(core.error("too many calls are waiting for it"));
            }
            state.waiting += 1;
            let waited = core.changed.wait_timeout_while(state, core.bounds.patience, blocked);
            let (mut after, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            after.waiting -= 1;
            if timeout.timed_out() {
                return Err(core.error("it is too slow for the calls that wait for it"));
            }
            state = after;
        }
        if let Some(why) = &state.down {
            return Err(core.error(why));
        }
        let session = state.idle.pop();
        if session.is_none() {
            state.open += 1;
        }
        Ok(Lease { core, session })
    }

    /// From now on nobody waits, until a thread of its own has got through.
    fn down(&self, why: &str) -> DirectoryError {
        let mut state = self.core.state();
        if state.down.is_none() {
            let core = Arc::downgrade(&self.core);
            let retry = self.core.bounds.retry;
            let name = format!("{}-back", self.core.name.to_ascii_lowercase());
            let look = move || {
                loop {
                    std::thread::sleep(retry);
                    let Some(core) = core.upgrade() else { return };
                    if core.is_back() {
                        return;
                    }
                }
            };
            match std::thread::Builder::new().name(name).spawn(look) {
                Ok(_) => {
                    tracing::warn!(directory = self.core.name, why, "a directory is down");
                    state.down = Some(why.to_owned());
                }
                // Without anybody to find out when it is back, every call finds out itself.
                Err(error) => tracing::warn!(%error, "no thread to look after a directory"),
            }
        }
        drop(state);
        self.core.forget_idle();
        self.core.changed.notify_all();
        self.core.error(why)
    }
}

impl<Session> Core<Session> {
    fn state(&self) -> MutexGuard<'_, State<Session>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, why: &str) -> DirectoryError {
        DirectoryError(format!("{}: {why}", self.name))
    }

    fn forget_idle(&self) {
        let dead = {
            let mut state = self.state();
            state.open -= state.idle.len();
            std::mem::take(&mut state.idle)
        };
        // Closing them may take a moment: not under the lock.
        drop(dead);
    }

    fn is_back(&self) -> bool {
        match (self.connect)(Deadline::after(self.bounds.patience)) {
            Ok(session) => {
                tracing::info!(directory = self.name, "a directory is back");
                let mut state = self.state();
                state.down = None;
                if state.open < self.bounds.sessions {
                    state.open += 1;
                    state.idle.push(session);
                }
                true
            }
            Err(why) => {
                self.state().down = Some(why);
                false
            }
        }
    }
}

/// A place among the open sessions, given back when dropped, with the session if it still is one.
struct Lease<'a, Session> {
    core: &'a Core<Session>,
    session: Option<Session>,
}

impl<Session> Drop for Lease<'_, Session> {
    fn drop(&mut self) {
        let mut state = self.core.state();
        match self.session.take() {
            Some(session) => state.idle.push(session),
            None => state.open -= 1,
        }
        drop(state);
        self.core.changed.notify_one();
    }
}

#[cfg(test)]
mod tests;
