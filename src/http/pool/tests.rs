use super::line::Pool;
use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, mpsc};

#[tokio::test]
async fn full_is_refused_at_once_and_what_was_taken_is_done() {
    let pool = Arc::new(Pool::start("test", Width { threads: 1, calls: 1, queue: 1 }).unwrap());
    let (open, gate) = mpsc::channel::<()>();
    let (entered, is_in) = mpsc::channel::<()>();
    let busy = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move {
            pool.run(async move {
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
        async move { pool.run(async { 2 }).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(pool.run(async { 3 }).await, Err(NotRun::Full));
    open.send(()).unwrap();
    assert_eq!(busy.await.unwrap(), Ok(1));
    assert_eq!(queued.await.unwrap(), Ok(2));
    assert_eq!(pool.run(async { 4 }).await, Ok(4));
}

#[tokio::test]
async fn a_panic_costs_one_answer_only() {
    let pool = Pool::start("test", Width { threads: 1, calls: 1, queue: 1 }).unwrap();
    let lost: Result<(), NotRun> = pool.run(async { panic!("on purpose") }).await;
    assert_eq!(lost, Err(NotRun::Lost));
    assert_eq!(pool.run(async { 5 }).await, Ok(5));
}

/// While calls that wait for somebody outside hold every thread of a lane, others are served,
/// and never more at a time than the lane is wide.
#[tokio::test]
async fn who_waits_outside_keeps_nobody_waiting() {
    const WIDTH: usize = 2;
    let pool =
        Arc::new(Pool::start("test", Width { threads: WIDTH, calls: WIDTH, queue: 64 }).unwrap());
    let outside = Arc::new((Mutex::new(false), Condvar::new()));
    let (entered, at_work, most) =
        (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default(), Arc::default());
    let wait = |number: usize| {
        let (pool, outside) = (Arc::clone(&pool), Arc::clone(&outside));
        let entered = Arc::clone(&entered);
        tokio::spawn(async move {
            let work = async move {
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
            let work = async move {
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

/// One thread carries many calls that wait for something else than a thread; no more of them
/// begin than may be under way, and all of them end, even of a pool that was closed meanwhile.
#[tokio::test]
async fn who_gives_his_thread_back_keeps_nobody_waiting() {
    const CALLS: usize = 5;
    let pool = Pool::start("test", Width { threads: 1, calls: CALLS, queue: 64 }).unwrap();
    let begun = Arc::<AtomicUsize>::default();
    let (open, gate) = tokio::sync::watch::channel(false);
    let (done, ends) = mpsc::channel();
    for number in 0..20 {
        let (begun, done, mut gate) = (Arc::clone(&begun), done.clone(), gate.clone());
        let work = async move {
            begun.fetch_add(1, Ordering::SeqCst);
            gate.wait_for(|open| *open).await.unwrap();
            done.send(number).unwrap();
        };
        pool.shared.enter(Box::pin(work)).unwrap();
    }
    while begun.load(Ordering::SeqCst) < CALLS {
        tokio::task::yield_now().await;
    }
    assert_eq!((pool.waiting(), begun.load(Ordering::SeqCst)), (20 - CALLS, CALLS));
    drop(pool);
    open.send(true).unwrap();
    let patience = std::time::Duration::from_secs(60);
    let mut ended: Vec<i32> = (0..20).map(|_| ends.recv_timeout(patience).unwrap()).collect();
    ended.sort_unstable();
    assert!(ended.into_iter().eq(0..20));
}
