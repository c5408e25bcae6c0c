//! One pool: the calls that wait to begin, those that may go on, and the threads that take both.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use tokio::sync::oneshot;

use super::{LANE, NotRun, Width};

/// Threads of a lane beyond its width, which stand in for those that are aside.
const MOST_STAND_INS: usize = 256;

/// Dropping it lets the calls finish and ends the threads.
pub(super) struct Pool {
    pub(super) shared: Arc<Shared>,
}

/// What the threads of a lane share.
pub(super) struct Shared {
    name: String,
    width: Width,
    line: Mutex<Line>,
    came: Condvar,
    waiting: AtomicUsize,
}

#[derive(Default)]
pub(super) struct Line {
    /// Calls that wait to begin.
    fresh: VecDeque<Arc<Task>>,
    /// Calls that gave their thread back and may go on.
    resumed: VecDeque<Arc<Task>>,
    /// Calls that have begun and not ended, those that stand aside not counted.
    begun: usize,
    /// Threads that work on a call, those that stand aside not counted.
    busy: usize,
    /// Threads that wait for work and have not been called.
    idle: usize,
    /// Threads that wait for somebody outside.
    pub(super) aside: usize,
    /// Threads there are.
    pub(super) threads: usize,
    closed: bool,
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A call. One thread works on it at a time.
struct Task {
    lane: Arc<Shared>,
    /// Nothing once it has ended.
    work: Mutex<Option<Work>>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let lane = Arc::clone(&self.lane);
        let mut line = lane.line();
        line.resumed.push_back(self);
        lane.call_for_a_thread(line);
    }
}

impl Pool {
    pub(super) fn start(name: &str, width: Width) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            width,
            line: Mutex::default(),
            came: Condvar::new(),
            waiting: AtomicUsize::new(0),
        });
        // Made first: if a thread cannot be started, dropping it ends those that were.
        let pool = Self { shared };
        for _ in 0..width.threads {
            pool.shared.hire(&mut pool.shared.line())?;
        }
        Ok(pool)
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, NotRun> {
        let (answer, answered) = oneshot::channel();
        let work = Box::pin(async move {
            // The caller may have gone away; what was done stays done.
            let _ = answer.send(work.await);
        });
        self.shared.enter(work)?;
        answered.await.map_err(|_| NotRun::Lost)
    }

    pub(super) fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Relaxed)
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
    pub(super) fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn enter(self: &Arc<Self>, work: Work) -> Result<(), NotRun> {
        let task = Arc::new(Task { lane: Arc::clone(self), work: Mutex::new(Some(work)) });
        let mut line = self.line();
        if line.fresh.len() >= self.width.queue + self.width.calls.saturating_sub(line.begun) {
            return Err(NotRun::Full);
        }
        line.fresh.push_back(task);
        self.waiting.store(line.fresh.len(), Ordering::Relaxed);
        self.call_for_a_thread(line);
        Ok(())
    }

    /// Waking a thread costs as much as much of its work: none is called twice, and none to a door
    /// that is still shut.
    fn call_for_a_thread(&self, mut line: MutexGuard<'_, Line>) {
        let asleep = line.idle > 0;
        line.idle -= usize::from(asleep);
        drop(line);
        if asleep {
            self.came.notify_one();
        }
    }

    /// One more thread.
    fn hire(self: &Arc<Self>, line: &mut Line) -> std::io::Result<()> {
        let shared = Arc::clone(self);
        std::thread::Builder::new()
            .name(format!("{}-{}", self.name, line.threads))
            .stack_size(512 * 1024)
            .spawn(move || shared.serve())?;
        line.threads += 1;
        Ok(())
    }

    /// Leaves a place to another thread, which is hired if all of them are aside.
    pub(super) fn step_aside(self: &Arc<Self>) {
        let mut line = self.line();
        line.begun -= 1;
        line.busy -= 1;
        line.aside += 1;
        let lacking = line.threads - line.aside < self.width.threads;
        if lacking
            && line.threads < self.width.threads + MOST_STAND_INS
            && let Err(error) = self.hire(&mut line)
        {
            tracing::warn!(%error, lane = self.name, "no thread to stand in for one that waits");
        }
        self.call_for_a_thread(line);
    }

    /// Takes a place again; for a moment there may be one thread too many.
    pub(super) fn step_back(&self) {
        let mut line = self.line();
        line.aside -= 1;
        line.busy += 1;
        line.begun += 1;
    }

    fn serve(self: Arc<Self>) {
        let mut ended = None;
        while let Some(task) = self.next(ended) {
            LANE.set(Some(Arc::clone(&self)));
            ended = Some(task.go_on());
        }
    }

    /// What to do next, once the last piece of work `ended` a call or left it under way.
    fn next(&self, ended: Option<Poll<()>>) -> Option<Arc<Task>> {
        let mut line = self.line();
        if let Some(ended) = ended {
            line.busy -= 1;
            line.begun -= usize::from(ended.is_ready());
        }
        loop {
            if let Some(task) = self.take(&mut line) {
                return Some(task);
            }
            if line.closed && line.fresh.is_empty() && line.begun == 0 {
                self.came.notify_all();
                return None;
            }
            line.idle += 1;
            line = self.came.wait(line).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What was begun comes first: it holds a place.
    fn take(&self, line: &mut Line) -> Option<Arc<Task>> {
        if line.busy >= self.width.threads {
            return None;
        }
        let task = match line.resumed.pop_front() {
            None if line.begun < self.width.calls => {
                let task = line.fresh.pop_front()?;
                self.waiting.store(line.fresh.len(), Ordering::Relaxed);
                line.begun += 1;
                task
            }
            resumed => resumed?,
        };
        line.busy += 1;
        Some(task)
    }
}

impl Task {
    /// Works on the call until it ends or gives its thread back.
    fn go_on(self: Arc<Self>) -> Poll<()> {
        let waker = Waker::from(Arc::clone(&self));
        let mut context = Context::from_waker(&waker);
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(call) = work.as_mut() else { return Poll::Pending };
        // A call that panics loses its answer, never the thread.
        let polled = catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(&mut context)));
        let polled = polled.unwrap_or_else(|_| {
            tracing::error!("a call panicked");
            Poll::Ready(())
        });
        if polled.is_ready() {
            *work = None;
        }
        polled
    }
}
