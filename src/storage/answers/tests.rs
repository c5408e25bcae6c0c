use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::pki::serial::SerialNumber;

fn serial(number: u64) -> SerialNumber {
    let mut octets = [1; 20];
    octets[12..].copy_from_slice(&number.to_be_bytes());
    SerialNumber::from_random(octets)
}

fn kept(number: u64, round: u64, length: usize) -> Kept {
    let octet = u8::try_from(round % 251).unwrap();
    let answer = Answer { tag: [octet; 16], octets: vec![octet; length] };
    Kept {
        serial: serial(number),
        signer: 1,
        round,
        not_after: number,
        produced_at: round,
        this_update: 1,
        next_update: 2,
        answers: [answer.clone(), answer],
    }
}

/// Puts as the maker does: a table without room is made anew.
fn put(table: &mut AnswerTable, answers: &[Kept]) {
    while table.put(answers).unwrap() == Put::NoRoom {
        *table = table.anew(0, answers).unwrap();
    }
}

#[test]
fn grows_and_finds_everybody_and_nobody_else() {
    let home = tempfile::tempdir().unwrap();
    let directory = AnswerDirectory::open(home.path()).unwrap();
    assert!(directory.table().unwrap().is_none());
    let mut table = directory.begin(0).unwrap();
    for from in (0..20_000).step_by(500) {
        let batch: Vec<Kept> = (from..from + 500).map(|number| kept(number, 1, 200)).collect();
        put(&mut table, &batch);
    }
    // Larger answers: larger slots.
    put(&mut table, &[kept(7, 2, 600)]);
    let expected = |number| if number == 7 { kept(7, 2, 600) } else { kept(number, 1, 200) };
    for number in (0..20_000).step_by(7) {
        assert_eq!(table.find(&serial(number)).unwrap().unwrap(), expected(number));
    }
    for number in 20_000..21_000 {
        assert_eq!(table.find(&serial(number)).unwrap(), None);
    }
    let (taken, slots) = table.room();
    assert!(taken == 20_000 && slots >= taken * 4 / 3, "{taken} of {slots}");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);

    // What is not of this round goes when the table is made anew.
    assert_eq!(table.older_than(2).unwrap(), 19_999);
    table = table.anew(2, &[]).unwrap();
    assert_eq!(table.room().0, 1);
    assert_eq!(table.find(&serial(8)).unwrap(), None);
    assert_eq!(table.find(&serial(7)).unwrap().unwrap(), kept(7, 2, 600));
}

/// Whoever writes is alone: what he finds torn was torn on the disk, and would be for ever.
#[test]
fn a_slot_that_is_found_torn_by_the_writer_makes_the_table_doubtful() {
    let home = tempfile::tempdir().unwrap();
    let directory = AnswerDirectory::open(home.path()).unwrap();
    let table = directory.begin(0).unwrap();
    let answers: Vec<Kept> = (0..100).map(|number| kept(number, 1, 100)).collect();
    assert_eq!(table.put(&answers).unwrap(), Put::Done);
    let path = home.path().join("answers-1");
    let octets = std::fs::read(&path).unwrap();
    let place = octets.windows(20).position(|own| own == serial(55).as_der_content()).unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"torn", place as u64 + 80).unwrap();
    table.put(&[kept(55, 2, 100)]).unwrap_err();
    assert!(table.is_doubtful());
    // Nor is it closed as if all were well.
    table.close().unwrap_err();
}

/// Nobody knows whether what is read is what was written, nor would the copy know of it.
#[test]
fn what_could_not_be_synced_is_not_copied() {
    let home = tempfile::tempdir().unwrap();
    let fails = Arc::new(AtomicBool::new(false));
    let failing = Arc::clone(&fails);
    let directory =
        AnswerDirectory::open(home.path()).unwrap().synced_by(move |file| {
            match failing.swap(false, Ordering::SeqCst) {
                true => Err(std::io::Error::other("the disk has lost it")),
                false => file.sync_data(),
            }
        });
    let table = directory.begin(0).unwrap();
    assert_eq!(table.put(&[kept(1, 1, 100)]).unwrap(), Put::Done);
    fails.store(true, Ordering::SeqCst);
    table.settle_so_far().unwrap_err();
    table.anew(0, &[]).unwrap_err();

    // The copying itself asks whether all is there.
    let table = directory.begin(0).unwrap();
    assert_eq!(table.put(&[kept(1, 1, 100)]).unwrap(), Put::Done);
    fails.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        table.anew(0, &[]).unwrap_err();
        assert!(table.is_doubtful());
    }
}

#[test]
fn a_clean_stop_is_believed_and_a_torn_slot_is_not() {
    let home = tempfile::tempdir().unwrap();
    let directory = AnswerDirectory::open(home.path()).unwrap();
    let table = directory.begin(0).unwrap();
    let answers: Vec<Kept> = (0..100).map(|number| kept(number, 1, 100)).collect();
    assert_eq!(table.put(&answers).unwrap(), Put::Done);
    let progress = Progress {
        reflected: 9,
        round: 1,
        stage: Stage::Over,
        hash: [7; 32],
        ..Progress::default()
    };
    table.note(progress);
    table.close().unwrap();
    drop(table);

    let table = directory.table().unwrap().unwrap();
    assert_eq!((table.room().0, table.progress().stage), (100, Stage::Over));
    assert_eq!((table.progress().reflected, table.progress().hash), (9, [7; 32]));
    drop(table); // killed

    let table = directory.table().unwrap().unwrap();
    assert_eq!((table.room().0, table.progress().stage), (100, Stage::Over));
    drop(table);
    let path = home.path().join("answers-1");
    let mut octets = std::fs::read(&path).unwrap();
    let torn = 55;
    let place = octets.windows(20).position(|own| own == serial(torn).as_der_content());
    octets[place.unwrap() + 80] ^= 1;
    std::fs::write(&path, octets).unwrap();
    assert!(directory.table().unwrap().is_none());
    // A new one takes its place.
    let table = directory.begin(0).unwrap();
    assert_eq!((table.room().0, table.progress().stage), (0, Stage::Nothing));
    assert!(!path.exists());
}

#[test]
fn a_file_that_is_none_is_not_used() {
    let home = tempfile::tempdir().unwrap();
    let directory = AnswerDirectory::open(home.path()).unwrap();
    directory.begin(0).unwrap();
    let path = home.path().join("answers-1");
    let whole = std::fs::read(&path).unwrap();
    for damage in [0, 24, 32] {
        let mut octets = whole.clone();
        octets[damage] ^= 1;
        std::fs::write(&path, octets).unwrap();
        assert!(directory.table().unwrap().is_none(), "octet {damage}");
    }
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert!(directory.table().unwrap().is_none());
    // One of the two records is enough.
    let mut octets = whole.clone();
    octets[512..640].fill(0xff);
    std::fs::write(&path, octets).unwrap();
    let one = directory.table().unwrap().is_some();
    let mut octets = whole;
    octets[1024..1152].fill(0xff);
    std::fs::write(&path, octets).unwrap();
    assert!(one | directory.table().unwrap().is_some());
}

#[test]
fn readers_see_whole_answers_while_they_are_replaced() {
    let home = tempfile::tempdir().unwrap();
    let table = AnswerDirectory::open(home.path()).unwrap().begin(0).unwrap();
    table.put(&[kept(1, 0, 300)]).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 1..5_000 {
                table.put(&[kept(1, round, 300 + (round % 7) as usize)]).unwrap();
            }
        });
        let mut seen = HashMap::new();
        while !writer.is_finished() {
            let found = table.find(&serial(1)).unwrap().unwrap();
            let length = 300 + if found.round == 0 { 0 } else { (found.round % 7) as usize };
            assert_eq!(found, kept(1, found.round, length));
            *seen.entry(found.round).or_insert(0) += 1;
        }
    });
}

#[test]
fn signers_are_kept_by_number() {
    let home = tempfile::tempdir().unwrap();
    let directory = AnswerDirectory::open(home.path()).unwrap();
    assert_eq!(directory.add_signer(b"first").unwrap(), 1);
    assert_eq!(directory.add_signer(b"second").unwrap(), 2);
    directory.forget_signers_before(2).unwrap();
    assert_eq!(directory.signers().unwrap(), [(2, b"second".to_vec())]);
    assert_eq!(directory.add_signer(b"third").unwrap(), 3);
}

/// A power cut took the slot before it away; the clock has gone back since.
#[test]
fn of_two_answers_about_one_certificate_the_one_that_is_found_counts() {
    let home = tempfile::tempdir().unwrap();
    let directory = AnswerDirectory::open(home.path()).unwrap();
    let table = directory.begin(0).unwrap();
    let newer = Kept { produced_at: 5, ..kept(7, 3, 100) };
    assert_eq!(table.put(std::slice::from_ref(&newer)).unwrap(), Put::Done);
    let path = home.path().join("answers-1");
    let octets = std::fs::read(&path).unwrap();
    let found = octets.windows(20).position(|own| own == serial(7).as_der_content()).unwrap();
    let place = found - 56;
    let mut older = vec![0; 1024];
    Kept { produced_at: 9, ..kept(7, 2, 100) }.write(&mut older).unwrap();
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.write_all_at(&older, place as u64 + 1024).unwrap();
    assert_eq!(table.find(&serial(7)).unwrap().unwrap(), newer);
    let anew = table.anew(0, &[]).unwrap();
    assert_eq!(anew.find(&serial(7)).unwrap().unwrap(), newer);
    assert_eq!(anew.room().0, 1);
}
