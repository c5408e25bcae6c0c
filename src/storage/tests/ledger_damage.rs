//! Torn and flipped ledgers: an acknowledged entry is never lost without a word.

use std::fs::File;
use std::io::Write;

use super::ledger::frame::{self, Marker};
use super::ledger::recovery::{LastStop, Position, Recovered, recover};

/// Commits of so many entries each; returns the ledger and where each commit ends.
fn ledger(commits: &[u32]) -> (Vec<u8>, Vec<usize>) {
    let mut octets = frame::header().to_vec();
    let (mut sequence, mut hash) = (0, frame::genesis());
    let mut ends = Vec::new();
    for count in commits {
        let first = octets.len() as u64;
        for _ in 0..*count {
            sequence += 1;
            let body = vec![u8::try_from(sequence).unwrap(); 20];
            hash = frame::push_entry(&mut octets, sequence, &hash, &body);
        }
        let latest = crate::pki::time::Timestamp::from_millis(sequence);
        let marker = Marker { first, count: *count, sequence, hash, latest };
        frame::push_marker(&mut octets, &marker);
        ends.push(octets.len());
    }
    (octets, ends)
}

fn read(octets: &[u8], stop: LastStop, synced: usize) -> (Recovered, Vec<u64>) {
    let mut file: File = tempfile::tempfile().unwrap();
    file.write_all(octets).unwrap();
    let mut seen = Vec::new();
    let length = octets.len() as u64;
    let from = Position::start();
    let recovered = recover(&file, from, length, stop, synced as u64, &mut |commit| {
        seen.extend(commit.records.iter().map(|record| record.sequence));
        Ok::<(), std::io::Error>(())
    });
    (recovered.unwrap(), seen)
}

#[test]
fn a_torn_last_commit_is_cut_and_nothing_else() {
    let (whole, ends) = ledger(&[2, 1, 3]);
    for length in ends[1]..ends[2] {
        for stop in [LastStop::Killed, LastStop::PowerLost] {
            let (recovered, seen) = read(&whole[..length], stop, 0);
            assert_eq!((recovered.damaged, seen), (None, vec![1, 2, 3]), "{stop:?} {length}");
            assert_eq!(recovered.end.offset, ends[1] as u64);
            assert_eq!(recovered.cut, length > ends[1]);
        }
        // It is known to have been longer: that is a loss, not an interruption.
        for (stop, synced) in [(LastStop::Clean, ends[2]), (LastStop::PowerLost, ends[2])] {
            let (recovered, seen) = read(&whole[..length], stop, synced);
            assert!(recovered.damaged.is_some(), "{stop:?} {length}");
            assert!(!recovered.cut && seen.starts_with(&[1, 2, 3]));
        }
    }
}

#[test]
fn zeros_and_garbage_behind_the_end_of_a_power_cut_are_cut() {
    let (whole, ends) = ledger(&[2, 1]);
    for garbage in [vec![0; 5000], vec![0xff; 70], vec![1, 2, 3]] {
        let torn = [whole.clone(), garbage].concat();
        let (recovered, seen) = read(&torn, LastStop::PowerLost, 0);
        assert_eq!((recovered.damaged, seen), (None, vec![1, 2, 3]));
        assert_eq!((recovered.end.offset, recovered.cut), (ends[1] as u64, true));
    }
}

#[test]
fn a_flipped_octet_is_damage_and_costs_at_most_its_own_entry() {
    let (whole, ends) = ledger(&[2, 1, 3]);
    let all: Vec<u64> = (1..=6).collect();
    for at in frame::HEADER_LENGTH as usize..whole.len() {
        for bit in [0, 7] {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            for stop in [LastStop::Clean, LastStop::Killed, LastStop::PowerLost] {
                let (recovered, seen) = read(&flipped, stop, 0);
                if stop == LastStop::PowerLost && at >= ends[1] {
                    // Indistinguishable from a commit that was never synced.
                    assert!(recovered.cut && seen == [1, 2, 3], "{at}");
                    continue;
                }
                assert!(recovered.damaged.is_some() && !recovered.cut, "{stop:?} {at}");
                assert!(seen.iter().all(|number| all.contains(number)));
                assert!(seen.len() >= 5, "{stop:?} {at}: {seen:?}");
                assert_eq!(recovered.end.offset, whole.len() as u64);
                assert!(recovered.end.sequence >= 5);
            }
            // Known to have been synced, the last commit is not cut off after a power cut either.
            let (recovered, seen) = read(&flipped, LastStop::PowerLost, whole.len());
            assert!(recovered.damaged.is_some() && !recovered.cut && seen.len() >= 5, "{at}");
        }
    }
}

#[test]
fn after_damage_new_commits_stand_behind_it_and_are_read() {
    let (mut octets, ends) = ledger(&[2, 2]);
    octets[ends[0] + 20] ^= 1;
    let (recovered, _) = read(&octets, LastStop::Killed, 0);
    let first = recovered.end.offset;
    let hash = frame::push_entry(&mut octets, 5, &recovered.end.hash, b"later");
    let latest = recovered.end.latest;
    frame::push_marker(&mut octets, &Marker { first, count: 1, sequence: 5, hash, latest });
    for stop in [LastStop::Clean, LastStop::Killed, LastStop::PowerLost] {
        let (recovered, seen) = read(&octets, stop, 0);
        assert!(recovered.damaged.is_some());
        assert_eq!((seen.last(), recovered.end.sequence), (Some(&5), 5));
    }
}
