//! A long list lets others have the disk meanwhile; a short one keeps nobody waiting.

use std::fs::File;
use std::sync::Arc;

use super::super::writing::{PIECE, Pace};
use super::faulty::Steps;
use super::memory::MemoryRegister;
use super::world::noon;
use crate::pki::time::Timestamp;
use crate::storage::StoreError;
use crate::storage::act::{Act, Entry, Started};
use crate::storage::publication::PendingFile;

/// Counts the syncs.
#[derive(Default)]
struct Counted(usize);

impl PendingFile for Counted {
    fn write_at(&mut self, _: &[u8], _: u64) -> Result<(), StoreError> {
        unreachable!()
    }

    fn sync_so_far(&mut self) -> Result<(), StoreError> {
        self.0 += 1;
        Ok(())
    }

    fn reader(&self) -> Result<File, StoreError> {
        unreachable!()
    }

    fn seal(&mut self, _: u64, _: Timestamp) -> Result<(), StoreError> {
        unreachable!()
    }

    fn publish(self: Box<Self>) -> Result<(), StoreError> {
        unreachable!()
    }
}

/// Syncs while parts of these lengths are written, with or without somebody who commits.
fn syncs(lengths: &[usize], committed: u64) -> usize {
    let register = MemoryRegister::new(Arc::<Steps>::default());
    for _ in 0..committed {
        let act = Act::Started(Started { version: String::new() });
        register.put(Entry { at: noon().millis(), actor: None, act });
    }
    let mut pending = Counted::default();
    let mut pace = Pace::begun(&register, 0);
    lengths.iter().for_each(|length| pace.keep(*length, &mut pending).unwrap());
    pending.0
}

#[test]
fn a_long_list_is_synced_in_pieces_where_others_commit() {
    let long = [500, PIECE, PIECE, PIECE, PIECE / 2, 100];
    assert_eq!(syncs(&long, 1), 3);
    assert_eq!(syncs(&long, 0), 0, "nobody is kept waiting");
}

/// Header, entries and trailer: a delta under load is not made to wait for syncs of its own.
#[test]
fn a_short_list_is_not_made_to_wait() {
    assert_eq!(syncs(&[500, 60_000, 100], 1), 0);
}
