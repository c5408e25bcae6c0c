//! The hop from async to sync: a few bounded pools of threads. Full means 503 at once.
//!
//! Each lane has its own threads and queue, so that enrolments that wait for the disk delay
//! neither revocations nor look-ups. Health, CRLs and CA certificates never come here. A call
//! computes on a thread of its lane, and may wait there; an enrolment gives its thread back while
//! the register records, so that a few threads carry many. Whoever waits for a directory elsewhere
//! does so [`aside`], where nobody is behind him. Begin with [`Pools`]; `line` is one pool.

mod line;

use std::cell::RefCell;
use std::future::Future;
use std::sync::Arc;

use line::{Pool, Shared};

/// Which pool a route runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Enrolments: compute, and are recorded twice meanwhile. Many share one sync.
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
    /// Calls under way at a time: more than threads where calls give theirs back.
    pub calls: usize,
    /// Calls that may wait to begin.
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
    /// Starts the threads. Enrolments compute and seldom wait on theirs, as look-ups do: as many as
    /// `processors`, or little more.
    pub fn start(processors: usize) -> std::io::Result<Self> {
        let waiting = |threads, queue| Width { threads, calls: threads, queue };
        let enrolments = Width { threads: processors.max(2), calls: 64, queue: 1024 };
        Ok(Self {
            enrolments: Pool::start("enrol", enrolments)?,
            acts: Pool::start("act", waiting(8, 256))?,
            reads: Pool::start("read", waiting(processors + 2, 512))?,
            passwords: Pool::start("password", waiting(32, 256))?,
            examinations: Pool::start("examine", waiting(4, 16))?,
        })
    }

    /// Runs `work` on threads of `lane`.
    pub async fn run<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, NotRun> {
        self.lane(lane).run(work).await
    }

    /// How many calls of `lane` wait to begin.
    pub fn waiting(&self, lane: Lane) -> usize {
        self.lane(lane).waiting()
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

/// A thread's place in its lane that somebody else has until this is dropped.
struct Aside(Arc<Shared>);

impl Aside {
    fn of(lane: Arc<Shared>) -> Self {
        lane.step_aside();
        Self(lane)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.0.step_back();
        LANE.set(Some(Arc::clone(&self.0)));
    }
}

#[cfg(test)]
mod tests;
