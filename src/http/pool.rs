//! The hop from async to sync: a few bounded pools of threads. Full means 503 at once.
//!
//! Each lane has its own threads and queue, so that enrolments that wait for the disk delay
//! neither revocations nor look-ups. Health, CRLs and CA certificates never come here. Whoever
//! waits for a directory elsewhere does so [`aside`], where nobody is behind him.

use std::cell::RefCell;
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
    /// Questions to the doctor: they wait for servers that certificates name, perhaps long.
    Examinations,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Self; 5] =
        [Self::Enrolments, Self::Acts, Self::Reads, Self::Passwords, Self::Examinations];

    /// The word in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enrolments => "enrolments",
            Self::Acts => "acts",
            Self::Reads => "reads",
            Self::Passwords => "passwords",
            Self::Examinations => "examinations",
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
    examinations: Pool,
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
            examinations: Pool::start("examine", Width { threads: 4, queue: 16 })?,
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
            Lane::Examinations => &self.examinations,
        }
    }
}

/// Does `work`, which waits for somebody outside, without a place in the lane meanwhile: another
/// thread takes it, so that however long the wait is, those who do not need the outside go on.
/// How many wait at a time is bounded by what is waited for.
pub fn aside<T>(work: impl FnOnce() -> T) -> T {
    let _given_back = LANE.take().map(Aside::of);
    work()
}

thread_local! {
    /// The lane that this thread serves, while it has a place in it.
    static LANE: RefCell<Option<Arc<Shared>>> = const { RefCell::new(None) };
}

/// A thread's place in its lane that somebody else has until this is dropped. For a moment there
/// may then be one thread too many.
struct Aside(Arc<Shared>);

impl Aside {
    fn of(lane: Arc<Shared>) -> Self {
        lane.step_aside();
        Self(lane)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        let mut line = self.0.line();
        line.aside -= 1;
        line.busy += 1;
        drop(line);
        LANE.set(Some(Arc::clone(&self.0)));
    }
}

type Work = Box<dyn FnOnce() + Send>;

struct Pool {
    shared: Arc<Shared>,
    queue: usize,
}

struct Shared {
    name: String,
    /// How many calls are worked on at a time.
    threads: usize,
    line: Mutex<Line>,
    came: Condvar,
    waiting: AtomicUsize,
}

struct Line {
    work: VecDeque<Work>,
    /// Threads that work on a call, those that stand aside not counted.
    busy: usize,
    /// Threads that wait for somebody outside.
    aside: usize,
    /// Threads there are.
    threads: usize,
    closed: bool,
}

/// Threads of a lane beyond its width, which stand in for those that are aside.
const MOST_STAND_INS: usize = 256;

impl Pool {
    fn start(name: &str, width: Width) -> std::io::Result<Self> {
        let work = VecDeque::with_capacity(width.queue);
        let line = Line { work, busy: 0, aside: 0, threads: 0, closed: false };
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            threads: width.threads,
            line: Mutex::new(line),
            came: Condvar::new(),
            waiting: AtomicUsize::new(0),
        });
        // Made first: if a thread cannot be started, dropping it ends those that were.
        let pool = Self { shared, queue: width.queue };
        for _ in 0..width.threads {
            pool.shared.hire(&mut pool.shared.line())?;
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
            if line.work.len() >= self.queue + self.shared.threads.saturating_sub(line.busy) {
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
    fn step_aside(self: &Arc<Self>) {
        let mut line = self.line();
        line.busy -= 1;
        line.aside += 1;
        let lacking = line.threads - line.aside < self.threads;
        if lacking
            && line.threads < self.threads + MOST_STAND_INS
            && let Err(error) = self.hire(&mut line)
        {
            tracing::warn!(%error, lane = self.name, "no thread to stand in for one that waits");
        }
        drop(line);
        self.came.notify_one();
    }

    fn serve(self: Arc<Self>) {
        while let Some(work) = self.next() {
            LANE.set(Some(Arc::clone(&self)));
            // A call that panics loses its answer, never the thread.
            if std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err() {
                tracing::error!("a call panicked");
            }
            self.line().busy -= 1;
        }
    }

    fn next(&self) -> Option<Work> {
        let mut line = self.line();
        loop {
            if line.busy < self.threads
                && let Some(work) = line.work.pop_front()
            {
                line.busy += 1;
                self.waiting.store(line.work.len(), Ordering::Relaxed);
                return Some(work);
            }
            if line.closed && line.work.is_empty() {
                self.came.notify_all();
                return None;
            }
            line = self.came.wait(line).unwrap_or_else(PoisonError::into_inner);
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

    /// While calls that wait for somebody outside hold every thread of a lane, others are served,
    /// and never more at a time than the lane is wide.
    #[tokio::test]
    async fn who_waits_outside_keeps_nobody_waiting() {
        const WIDTH: usize = 2;
        let pool = Arc::new(Pool::start("test", Width { threads: WIDTH, queue: 64 }).unwrap());
        let outside = Arc::new((Mutex::new(false), Condvar::new()));
        let (entered, at_work, most) =
            (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default(), Arc::default());
        let wait = |number: usize| {
            let (pool, outside) = (Arc::clone(&pool), Arc::clone(&outside));
            let entered = Arc::clone(&entered);
            tokio::spawn(async move {
                let work = move || {
                    aside(|| {
                        entered.fetch_add(1, Ordering::SeqCst);
                        let shut = |open: &mut bool| !*open;
                        drop(outside.1.wait_while(outside.0.lock().unwrap(), shut).unwrap());
                    });
                    // Back in the lane, one may step aside again.
                    aside(|| number)
                };
                pool.run(work).await
            })
        };
        let waiting: Vec<_> = (0..10).map(wait).collect();
        while entered.load(Ordering::SeqCst) < 10 {
            tokio::task::yield_now().await;
        }
        let work = |number: usize| {
            let (pool, at_work) = (Arc::clone(&pool), Arc::clone(&at_work));
            let most: Arc<AtomicUsize> = Arc::clone(&most);
            tokio::spawn(async move {
                let work = move || {
                    most.fetch_max(at_work.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(std::time::Duration::from_millis(2));
                    at_work.fetch_sub(1, Ordering::SeqCst);
                    number
                };
                pool.run(work).await
            })
        };
        for (number, other) in (0..20).map(work).collect::<Vec<_>>().into_iter().enumerate() {
            assert_eq!(other.await.unwrap(), Ok(number));
        }
        assert!((1..=WIDTH).contains(&most.load(Ordering::SeqCst)));
        *outside.0.lock().unwrap() = true;
        outside.1.notify_all();
        for (number, one) in waiting.into_iter().enumerate() {
            assert_eq!(one.await.unwrap(), Ok(number));
        }
        let line = pool.shared.line();
        assert!(line.aside == 0 && line.threads <= WIDTH + 10, "{}", line.threads);
    }
}
