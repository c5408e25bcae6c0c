//! How long somebody is waited for: from the first thing that is asked of a directory to the
//! last one of the same call, whatever it is that takes so long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use super::pool::Failure;

/// When patience ends.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    end: Instant,
    patience: Duration,
}

impl Deadline {
    /// From now.
    pub fn after(patience: Duration) -> Self {
        Self { end: Instant::now() + patience, patience }
    }

    /// What is left of it.
    pub fn left(&self) -> Result<Duration, Failure> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(self.passed()) } else { Ok(left) }
    }

    /// Whether nothing is left of it.
    pub fn is_over(&self) -> bool {
        self.left().is_err()
    }

    /// An equal part of what is left, for each of so many that are tried one after the other.
    pub fn share(&self, count: usize) -> Result<Self, Failure> {
        let parts = u32::try_from(count).unwrap_or(u32::MAX).max(1);
        Ok(Self { end: Instant::now() + self.left()? / parts, patience: self.patience })
    }

    /// The sentence for what came too late.
    pub fn passed(&self) -> Failure {
        Failure::Lost(format!("no answer within {} s", self.patience.as_secs_f32()))
    }
}

/// Work that takes as long as the system likes (looking up a host's name does), done by threads
/// that nobody waits for longer than he wants to.
#[derive(Clone, Debug)]
pub struct Errands {
    under_way: Arc<AtomicUsize>,
    most: usize,
}

impl Errands {
    /// So many at a time; those that nobody waits for any more count until they end.
    pub fn new(most: usize) -> Self {
        Self { under_way: Arc::new(AtomicUsize::new(0)), most }
    }

    /// Does `work` and waits for it until the deadline.
    pub fn run<T: Send + 'static>(
        &self,
        deadline: Deadline,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let left = deadline.left()?;
        let place = Place::of(&self.under_way);
        if place.number >= self.most {
            return Err(Failure::Lost("earlier connections to it hang still".to_owned()));
        }
        let (done, outcome) = sync_channel(1);
        let thread = move || {
            let _place = place;
            // Nobody may be waiting any more; then it is dropped here.
            let _ = done.send(work());
        };
        std::thread::Builder::new()
            .name("ldap-errand".to_owned())
            .stack_size(512 * 1024)
            .spawn(thread)
            .map_err(|error| Failure::Lost(format!("no thread to connect with: {error}")))?;
        match outcome.recv_timeout(left) {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Timeout) => Err(deadline.passed()),
            Err(RecvTimeoutError::Disconnected) => {
                Err(Failure::Lost("the connection was given up".to_owned()))
            }
        }
    }
}

/// One errand under way.
struct Place {
    count: Arc<AtomicUsize>,
    number: usize,
}

impl Place {
    fn of(count: &Arc<AtomicUsize>) -> Self {
        Self { count: Arc::clone(count), number: count.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    const MOMENT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn an_errand_that_hangs_is_left_alone_and_counted_until_it_ends() {
        let errands = Errands::new(2);
        assert_eq!(errands.run(Deadline::after(LONG), || Ok(1)), Ok(1));
        let refused = Failure::Refused("no".to_owned());
        let outcome = refused.clone();
        let told: Result<(), _> = errands.run(Deadline::after(LONG), move || Err(outcome));
        assert_eq!(told, Err(refused));

        let (open, gate) = channel::<()>();
        let (gate, began) = (Arc::new(std::sync::Mutex::new(gate)), Instant::now());
        for _ in 0..2 {
            let gate = Arc::clone(&gate);
            let work = move || {
                let _ = gate.lock().unwrap().recv();
                Ok(())
            };
            let deadline = Deadline::after(MOMENT);
            assert_eq!(errands.run(deadline, work), Err(deadline.passed()));
            assert!(deadline.is_over());
        }
        assert!(began.elapsed() < LONG / 2, "somebody waited for the hanging ones");
        let full = errands.run(Deadline::after(LONG), || Ok(2));
        assert_eq!(full, Err(Failure::Lost("earlier connections to it hang still".to_owned())));
        drop(open);
        let began = Instant::now();
        while errands.run(Deadline::after(LONG), || Ok(3)) != Ok(3) {
            assert!(began.elapsed() < LONG, "their places are not given back");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_panicking_errand_is_one_that_failed() {
        let errands = Errands::new(1);
        for _ in 0..3 {
            let told: Result<(), _> = errands.run(Deadline::after(LONG), || panic!("on purpose"));
            assert!(matches!(told, Err(Failure::Lost(_))), "{told:?}");
            while errands.under_way.load(Ordering::Relaxed) > 0 {
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn a_share_is_a_part_of_what_is_left() {
        let all = Deadline::after(LONG);
        let half = all.share(2).unwrap().left().unwrap();
        assert!(half <= LONG / 2 && half > LONG / 3, "{half:?}");
        assert!(Deadline::after(Duration::ZERO).share(1).is_err());
    }
}
