//! A disk that refuses a sync: nobody knows what of the answers is on it, and it is said.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::*;

/// The disk under the answers.
#[derive(Default)]
struct Disk {
    /// Syncs beside the signing fail from now on, or those of the maker's own thread.
    fails_beside: AtomicBool,
    fails_itself: AtomicBool,
    failed: AtomicU64,
    synced: AtomicU64,
}

impl Disk {
    fn sync(&self, file: &File) -> io::Result<()> {
        let beside = std::thread::current().name() == Some("ocsp-settling");
        let fails = if beside { &self.fails_beside } else { &self.fails_itself };
        if fails.load(Ordering::SeqCst) {
            self.failed.fetch_add(1, Ordering::SeqCst);
            return Err(io::Error::other("the disk has lost it"));
        }
        self.synced.fetch_add(1, Ordering::SeqCst);
        file.sync_data()
    }

    fn directory(self: &Arc<Self>, path: &Path) -> AnswerDirectory {
        let disk = Arc::clone(self);
        AnswerDirectory::open(path).unwrap().synced_by(move |file| disk.sync(file))
    }
}

/// A maker that is started anew over a whole table, on that disk.
fn restarted(count: u64) -> (Stand, Arc<Disk>) {
    let mut stand = Stand::new();
    put_on_record(stand.register.as_ref(), count, |_| noon().seconds() + 86_400);
    stand.settle(noon());
    stand.maker.stop();
    stand.maker.run(&noon); // closes
    let disk = Arc::new(Disk::default());
    let directory = disk.directory(&stand.world.data.path().join("ocsp"));
    let nonces = Nonces::Answered;
    (stand.maker, stand.point) =
        maker_over(directory, &stand.register, &stand.authority, &stand.responders, nonces);
    (stand, disk)
}

fn tables(stand: &Stand) -> Vec<String> {
    let files = std::fs::read_dir(stand.world.data.path().join("ocsp")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("answers-")).collect()
}

/// With nothing more to write, nobody would come by to ask how the last sync went.
#[test]
fn a_failed_sync_is_told_at_the_next_look_and_all_is_made_anew() {
    let (stand, disk) = restarted(5);
    let signed = stand.signed();
    disk.fails_beside.store(true, Ordering::SeqCst);
    // The first look finds all as it should be, and syncs.
    assert_eq!(stand.maker.attempt(noon()).unwrap(), Work::Done);
    let begun = Instant::now();
    while disk.failed.load(Ordering::SeqCst) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no sync");
        std::thread::sleep(Duration::from_millis(1));
    }
    // The thread ends soon after that.
    let told = loop {
        match stand.maker.attempt(noon()) {
            Err(_) => break stand.maker.trouble(noon()).expect("what failed"),
            Ok(work) => assert_eq!(work, Work::Done),
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "nobody says that a sync failed");
        std::thread::sleep(Duration::from_millis(1));
    };
    assert!(told.contains("the disk has lost it"), "{told}");
    assert_eq!(stand.signed(), signed);

    disk.fails_beside.store(false, Ordering::SeqCst);
    stand.settle(noon());
    assert_eq!(tables(&stand), ["answers-2"], "what was not synced is not believed");
    assert_eq!(stand.signed(), 2 * signed, "from the ledger");
    assert_eq!(disk.failed.load(Ordering::SeqCst), 1, "and not tried once more");
    assert_eq!(stand.maker.trouble(noon()), None);
    for number in 0..5 {
        stand.assert_standing(&serial(number), &Standing::Good, noon(), noon());
    }
}

/// The same where the maker itself waits for the sync: at the beginning of a round.
#[test]
fn a_table_that_could_not_be_synced_is_never_used_again() {
    let (stand, disk) = restarted(5);
    let signed = stand.signed();
    stand.settle(noon());
    let due = noon().plus_seconds(PERIOD);
    disk.fails_itself.store(true, Ordering::SeqCst);
    for attempt in 0..4 {
        assert!(stand.maker.attempt(due).is_err(), "attempt {attempt}");
        assert!(stand.maker.trouble(due).is_some());
        // What is read now may be from before a revocation.
        stand.assert_status(&serial(0), ResponseStatus::TryLater, due);
    }
    // What could not be synced is not believed by the next process either, but for what is before.
    disk.fails_itself.store(false, Ordering::SeqCst);
    stand.settle(due);
    assert_eq!(stand.signed(), 2 * signed);
    assert_eq!(stand.maker.trouble(due), None);
    stand.assert_standing(&serial(0), &Standing::Good, due, due);
    assert_eq!(tables(&stand).len(), 1);
    assert_ne!(tables(&stand), ["answers-1"]);
}

/// Nor does a stop say that all is well.
#[test]
fn a_stop_after_a_failed_sync_is_no_clean_one() {
    let (mut stand, disk) = restarted(5);
    disk.fails_beside.store(true, Ordering::SeqCst);
    assert_eq!(stand.maker.attempt(noon()).unwrap(), Work::Done);
    let synced = disk.synced.load(Ordering::SeqCst);
    stand.maker.stop();
    stand.maker.run(&noon);
    assert_eq!(disk.failed.load(Ordering::SeqCst), 1);
    assert_eq!(disk.synced.load(Ordering::SeqCst), synced, "closed all the same");
    // The next process looks at everything, and finds what was synced before.
    let signed = stand.signed();
    stand.again();
    stand.settle(noon());
    assert_eq!(stand.signed(), signed);
}
