use super::*;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Instant;

const LONG: Duration = Duration::from_secs(60);
const MOMENT: Duration = Duration::from_millis(60);

/// A server that counts the sessions with it; each knows its number.
#[derive(Default)]
struct Server {
    made: AtomicUsize,
    open: AtomicUsize,
    most: AtomicUsize,
    refuses: AtomicBool,
}

struct Session {
    number: usize,
    server: Arc<Server>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.server.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Server {
    fn pool(self: &Arc<Self>, bounds: Bounds) -> Arc<Pool<Session>> {
        let server = Arc::clone(self);
        let connect = move |_: Deadline| {
            if server.refuses.load(Ordering::SeqCst) {
                return Err("it is away".to_owned());
            }
            let open = server.open.fetch_add(1, Ordering::SeqCst) + 1;
            server.most.fetch_max(open, Ordering::SeqCst);
            let number = server.made.fetch_add(1, Ordering::SeqCst);
            Ok(Session { number, server: Arc::clone(&server) })
        };
        Arc::new(Pool::new("CORP", Box::new(connect), bounds))
    }

    fn made(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }
}

fn bounds(sessions: usize, waiting: usize) -> Bounds {
    Bounds { sessions, waiting, patience: LONG, retry: MOMENT }
}

fn number(pool: &Pool<Session>) -> Result<usize, String> {
    pool.with(|session, _| Ok(session.number)).map_err(|error| error.0)
}

/// A call that has begun to work and goes on until it is told to end.
struct Held {
    end: Sender<()>,
    thread: thread::JoinHandle<Result<usize, DirectoryError>>,
}

fn hold(pool: &Arc<Pool<Session>>) -> Held {
    let (end, ended) = channel();
    let (begin, begun) = channel();
    let pool = Arc::clone(pool);
    let gates: Mutex<(Sender<()>, Receiver<()>)> = Mutex::new((begin, ended));
    let thread = thread::spawn(move || {
        pool.with(|session, _| {
            let gates = gates.lock().unwrap();
            gates.0.send(()).unwrap();
            gates.1.recv().unwrap();
            Ok(session.number)
        })
    });
    begun.recv().unwrap();
    Held { end, thread }
}

impl Held {
    fn end(self) -> usize {
        self.end.send(()).unwrap();
        self.thread.join().unwrap().unwrap()
    }
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < LONG / 2, "{what}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn sessions_are_used_again_and_never_more_than_allowed() {
    let server = Arc::<Server>::default();
    let pool = server.pool(bounds(2, 8));
    for _ in 0..3 {
        assert_eq!(number(&pool), Ok(0));
    }
    let (first, second) = (hold(&pool), hold(&pool));
    let third = {
        let pool = Arc::clone(&pool);
        thread::spawn(move || number(&pool))
    };
    until("nobody waits", || pool.core.state().waiting == 1);
    let freed = second.end();
    assert_eq!(third.join().unwrap(), Ok(freed), "who waits gets the session that is given back");
    first.end();
    assert_eq!((server.made(), server.most.load(Ordering::SeqCst)), (2, 2));
}

#[test]
fn one_more_than_may_wait_is_told_at_once() {
    let server = Arc::<Server>::default();
    let pool = server.pool(bounds(1, 2));
    let held = hold(&pool);
    let waiting: Vec<_> = (0..2)
        .map(|_| {
            let pool = Arc::clone(&pool);
            thread::spawn(move || number(&pool))
        })
        .collect();
    until("nobody waits", || pool.core.state().waiting == 2);
    let began = Instant::now();
    assert_eq!(number(&pool), Err("CORP: too many calls are waiting for it".to_owned()));
    assert!(began.elapsed() < LONG / 2);
    held.end();
    for one in waiting {
        assert_eq!(one.join().unwrap(), Ok(0));
    }
}

#[test]
fn nobody_waits_longer_than_patience() {
    let server = Arc::<Server>::default();
    let pool = server.pool(Bounds { patience: MOMENT, ..bounds(1, 2) });
    let held = hold(&pool);
    let slow = Err("CORP: it is too slow for the calls that wait for it".to_owned());
    assert_eq!(number(&pool), slow);
    assert_eq!(pool.core.state().waiting, 0);
    held.end();
    assert_eq!(number(&pool), Ok(0));
}

#[test]
fn a_session_that_died_meanwhile_is_made_anew_and_its_likes_are_dropped() {
    let server = Arc::<Server>::default();
    let pool = server.pool(bounds(3, 0));
    let held: Vec<_> = (0..3).map(|_| hold(&pool)).collect();
    for one in held {
        one.end();
    }
    let dead = |session: &mut Session, _: Deadline| match session.number {
        0..3 => Err(Failure::Lost("reset".to_owned())),
        number => Ok(number),
    };
    assert_eq!(pool.with(dead).map_err(|error| error.0), Ok(3));
    assert_eq!(server.open.load(Ordering::SeqCst), 1);
    assert_eq!(number(&pool), Ok(3));
}

#[test]
fn a_refusal_costs_no_session() {
    let server = Arc::<Server>::default();
    let pool = server.pool(bounds(1, 0));
    let no = |_: &mut Session, _: Deadline| Err::<(), _>(Failure::Refused("no right".to_owned()));
    for _ in 0..3 {
        assert_eq!(pool.with(no).unwrap_err().0, "CORP: no right");
    }
    assert_eq!(server.made(), 1);
}

/// A call that took all its time is not made once more; whether the server is down shows the next.
#[test]
fn what_was_slow_once_is_not_tried_twice() {
    let server = Arc::<Server>::default();
    let pool = server.pool(Bounds { patience: MOMENT, ..bounds(1, 0) });
    assert_eq!(number(&pool), Ok(0));
    let tries = AtomicUsize::new(0);
    let slow = |_: &mut Session, deadline: Deadline| {
        tries.fetch_add(1, Ordering::SeqCst);
        until("the deadline does not end", || deadline.is_over());
        Err::<(), _>(deadline.passed())
    };
    assert_eq!(pool.with(slow).unwrap_err().0, "CORP: no answer within 0.06 s");
    assert_eq!(tries.load(Ordering::SeqCst), 1);
    assert_eq!(number(&pool), Ok(1), "the slow session is not used again");
}

#[test]
fn while_it_is_down_nobody_waits_and_it_comes_back_by_itself() {
    let server = Arc::<Server>::default();
    let pool = server.pool(bounds(1, 4));
    server.refuses.store(true, Ordering::SeqCst);
    assert_eq!(number(&pool), Err("CORP: it is away".to_owned()));
    // From now on the answer comes without a try; a server that hangs would show it.
    let state = pool.core.state();
    assert_eq!((state.down.as_deref(), state.open), (Some("it is away"), 0));
    drop(state);
    assert_eq!(number(&pool), Err("CORP: it is away".to_owned()));
    server.refuses.store(false, Ordering::SeqCst);
    until("it does not come back", || number(&pool).is_ok());
    assert_eq!(number(&pool), Ok(0));
}

/// Who waits when it goes down is told at once, not when patience ends.
#[test]
fn who_waits_is_told_that_it_went_down() {
    let server = Arc::<Server>::default();
    let pool = server.pool(Bounds { retry: LONG, ..bounds(1, 4) });
    let held = hold(&pool);
    let waiting = {
        let pool = Arc::clone(&pool);
        thread::spawn(move || number(&pool))
    };
    until("nobody waits", || pool.core.state().waiting == 1);
    let began = Instant::now();
    pool.down("it is away");
    assert_eq!(waiting.join().unwrap(), Err("CORP: it is away".to_owned()));
    assert!(began.elapsed() < LONG / 2);
    held.end();
}

/// Whatever happens to whom, the count of sessions stays true.
#[test]
fn the_count_of_sessions_stays_true() {
    let server = Arc::<Server>::default();
    let pool = server.pool(bounds(3, 64));
    thread::scope(|scope| {
        for thread in 0..8 {
            let pool = &pool;
            scope.spawn(move || {
                for turn in 0..200 {
                    let _ = pool.with(|_, _| match (thread * 7 + turn * 13) % 11 {
                        0 => Err(Failure::Lost("reset".to_owned())),
                        1 => Err(Failure::Refused("no".to_owned())),
                        _ => Ok(()),
                    });
                }
            });
        }
    });
    until("it stays down", || number(&pool).is_ok());
    let state = pool.core.state();
    assert_eq!((state.open, state.waiting), (state.idle.len(), 0));
    assert_eq!(server.open.load(Ordering::SeqCst), state.idle.len());
    assert!(server.most.load(Ordering::SeqCst) <= 3 + 1, "{}", server.most.load(Ordering::SeqCst));
}
