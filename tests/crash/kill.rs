//! kill -9 at any moment.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::writer;

#[test]
fn every_acknowledgement_survives_a_kill() {
    writer::write_if_told();
    let home = tempfile::tempdir().unwrap();
    let mut all = BTreeSet::new();
    for round in 0..8u64 {
        let mut child = writer::start("kill::every_acknowledgement_survives_a_kill", home.path());
        std::thread::sleep(Duration::from_millis(150 + 97 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        all.extend(writer::acknowledged(&mut child));
        // Every other time the next process meets what the killed one left.
        if round % 2 == 1 {
            writer::check(home.path(), &all);
        }
    }
    assert!(all.len() > 100, "only {} acknowledgements: this tested nothing", all.len());
}
