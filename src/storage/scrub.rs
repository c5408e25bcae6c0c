//! The slow verification of the whole ledger after a start, by a thread of its own.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::ledger::scan::{Scanner, Step};
use super::register::Shared;

/// Octets between two rests.
const STRETCH: u64 = 4 << 20;
/// A rest: about 40 MiB a second are read, a few hundredths of one core.
const REST: Duration = Duration::from_millis(100);

/// Verifies what was on record at the start and notes damage.
pub(super) fn run(shared: &Shared) {
    let end = shared.end();
    let mut scanner = Scanner::from_start(shared.reader.file(), end.offset);
    let mut rest_at = STRETCH;
    while !shared.closing.load(Ordering::Relaxed) {
        match scanner.step() {
            Ok(Step::Commit(commit)) if commit.end < rest_at => {}
            Ok(Step::Commit(commit)) => {
                rest_at = commit.end + STRETCH;
                std::thread::sleep(REST);
            }
            Ok(Step::End) => return tracing::debug!("the ledger was verified from its start"),
            Ok(Step::Bad(broken)) => return shared.damaged(broken.to_string()),
            Err(error) => return shared.damaged(format!("it cannot be read: {error}")),
        }
    }
}
