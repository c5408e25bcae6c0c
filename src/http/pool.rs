//! The hop from async to sync: a few bounded pools of threads. Full means 503 at once.
//!
//! Each lane has its own threads and queue, so that enrolments that wait for the disk delay
//! neither revocations nor look-ups. Health, CRLs and CA certificates never come here.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Which pool a route runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Enrolments: computes, then waits for the disk. Many threads share one sync.
    Enrolments,
    /// Other acts that are put on record; revocations among them must not queue behind
    /// enrolments.
    Acts,
    /// Look-ups.
    Reads,
    /// Whatever comes with a name and password: a directory is asked first, which may be slow,
    /// and only those who need it shall wait for it.
    Passwords,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Self; 4] = [Self::Enrolments, Self::Acts, Self::Reads, Self::Passwords];

    /// The word in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enrolments => "enrolments",
            Self::Acts => "acts",
            Self::Reads => "reads",
            Self::Passwords => "passwords",
        }
    }
}

/// How wide a lane is.
#[derive(Clone, Copy, Debug)]
pub struct Width {
    /// Threads.
    pub threads: usize,
    /// Calls that may wait for one.
    pub queue: usize,
}

/// All lanes. Dropping it lets the queued calls finish and ends the threads.
pub struct Pools {
    enrolments: Pool,
    acts: Pool,
    reads: Pool,
    passwords: Pool,
}

/// The lane has no room, or its thread died.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRun {
    /// Every thread is busy and the queue is full.
    #[error("too many calls are waiting")]
    Full,
    /// The call ended without an answer (it panicked).
    #[error("the call ended without an answer")]
    Lost,
}

impl Pools {
    /// Starts the threads. Look-ups compute and seldom wait: little more than `processors`.
    pub fn start(processors: usize) -> std::io::Result<Self> {
        Ok(Self {
            enrolments: Pool::start("enrol", Width { threads: 64, queue: 1024 })?,
            acts: Pool::start("act", Width { threads: 8, queue: 256 })?,
            reads: Pool::start("read", Width { threads: processors + 2, queue: 512 })?,
            passwords: Pool::start("password", Width { threads: 32, queue: 256 })?,
        })
    }

    /// Runs `work` on a thread of `lane`.
    pub async fn run<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotRun> {
        self.lane(lane).run(work).await
    }

    /// How many calls wait for a thread of `lane`.
    pub fn waiting(&self, lane: Lane) -> usize {
        self.lane(lane).shared.waiting.load(Ordering::Relaxed)
    }

    fn lane(&self, lane: Lane) -> &Pool {
        match lane {
            Lane::Enrolments => &self.enrolments,
            Lane::Acts => &self.acts,
            Lane::Reads => &self.reads,
            Lane::Passwords => &self.passwords,
        }
    }
}

type Work = Box<dyn FnOnce() + Send>;

struct Pool {
    shared: Arc<Shared>,
    queue: usize,
}

struct Shared {
    line: Mutex<Line>,
    came: Condvar,
    waiting: AtomicUsize,
}

struct Line {
    work: VecDeque<Work>,
    idle: usize,
    closed: bool,
}

impl Pool {
    fn start(name: &str, width: Width) -> std::io::Result<Self> {
        let line = Line { work: VecDeque::with_capacity(width.queue), idle: 0, closed: false };
        let shared = Arc::new(Shared {
            line: Mutex::new(line),
            came: Condvar::new(),
            waiting: AtomicUsize::new(0),
        });
        // Made first: if a thread cannot be started, dropping it ends those that were.
        let pool = Self { shared, queue: width.queue };
        for number in 0..width.threads {
            let shared = Arc::clone(&pool.shared);
            std::thread::Builder::new()
                .name(format!("{name}-{number}"))
                .stack_size(512 * 1024)
                .spawn(move || shared.serve())?;
        }
        Ok(pool)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotRun> {
        let (answer, answered) = oneshot::channel();
        let job: Work = Box::new(move || {
            // The caller may have gone away; what was done stays done.
            let _ = answer.send(work());
        });
        {
            let mut line = self.shared.line();
            if line.work.len() >= self.queue + line.idle {
                return Err(NotRun::Full);
            }
            line.work.push_back(job);
            self.shared.waiting.store(line.work.len(), Ordering::Relaxed);
        }
        self.shared.came.notify_one();
        answered.await.map_err(|_| NotRun::Lost)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.line().closed = true;
        self.shared.came.notify_all();
    }
}

impl Shared {
    /// The line stays usable whatever a call did: no call runs while the lock is held.
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self) {
        while let Some(work) = self.next() {
            // A call that panics loses its answer, never the thread.
            if std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err() {
                tracing::error!("a call panicked");
            }
        }
    }

    fn next(&self) -> Option<Work> {
        let mut line = self.line();
        loop {
            if let Some(work) = line.work.pop_front() {
                self.waiting.store(line.work.len(), Ordering::Relaxed);
                return Some(work);
            }
            if line.closed {
                return None;
            }
            line.idle += 1;
            line = self.came.wait(line).unwrap_or_else(PoisonError::into_inner);
            line.idle -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn full_is_refused_at_once_and_what_was_taken_is_done() {
        let pool = Arc::new(Pool::start("test", Width { threads: 1, queue: 1 }).unwrap());
        let (open, gate) = mpsc::channel::<()>();
        let (entered, is_in) = mpsc::channel::<()>();
        let busy = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move {
                pool.run(move || {
                    entered.send(()).unwrap();
                    gate.recv().unwrap();
                    1
                })
                .await
            }
        });
        tokio::task::yield_now().await;
        is_in.recv().unwrap();
        let queued = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { pool.run(|| 2).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(pool.run(|| 3).await, Err(NotRun::Full));
        open.send(()).unwrap();
        assert_eq!(busy.await.unwrap(), Ok(1));
        assert_eq!(queued.await.unwrap(), Ok(2));
        assert_eq!(pool.run(|| 4).await, Ok(4));
    }

    #[tokio::test]
    async fn a_panic_costs_one_answer_only() {
        let pool = Pool::start("test", Width { threads: 1, queue: 1 }).unwrap();
        let lost: Result<(), NotRun> = pool.run(|| panic!("on purpose")).await;
        assert_eq!(lost, Err(NotRun::Lost));
        assert_eq!(pool.run(|| 5).await, Ok(5));
    }
}
