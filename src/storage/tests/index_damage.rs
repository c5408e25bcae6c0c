//! The index's files damaged in many ways, after a clean stop and after a kill: the register
//! opens, never panics, and what it answers is right.

use std::path::{Path, PathBuf};

use super::*;

const CERTIFICATES: u32 = 60;

/// A register with certificates, some of them revoked: closed cleanly in `closed`, and as a kill
/// leaves it in `killed`.
fn filled(data: &Path, killed: &Path) {
    let register = open(options(data)).unwrap();
    for number in 1..=CERTIFICATES {
        let (id, of) = (register.next_request_id(), serial(number));
        let acts = [received(id, "bob", "User"), reserved(id, of), issued(id, "bob", "User", 99)];
        let entries = acts.map(|act| entry(u64::from(number) * 1000, act)).to_vec();
        register.commit(entries, Urgency::Ordinary).unwrap();
        if number % 3 == 0 {
            let act = revoked(of, 5_000_000, 4, None);
            register.commit(vec![entry(5_000_000, act)], Urgency::Reserved).unwrap();
        }
    }
    copied(data, killed);
    register.close().unwrap();
}

/// Opens, and looks every certificate up.
fn answers_are_right(data: &Path, how: &str) {
    let register = open(options(data)).unwrap_or_else(|error| panic!("{how}: {error}"));
    assert_eq!(register.health(), Health::default(), "{how}");
    for number in 1..=CERTIFICATES {
        match register.certificate(&serial(number)) {
            Ok(Some(row)) => {
                assert_eq!(row.serial, serial(number), "{how}");
                assert_eq!(row.revocation.is_some(), number % 3 == 0, "{how}: {number}");
            }
            Ok(None) => panic!("{how}: certificate {number} is lost"),
            Err(other) => panic!("{how}: {other}"),
        }
    }
}

fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copied(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = paths.filter(|path| path.is_file()).collect();
    found.sort();
    found
}

/// One way to damage a file's octets.
type Damage = (String, Box<dyn Fn(&mut Vec<u8>)>);

fn damages(length: usize) -> Vec<Damage> {
    let mut all: Vec<Damage> = vec![
        ("emptied".to_owned(), Box::new(Vec::clear)),
        ("halved".to_owned(), Box::new(|octets| octets.truncate(octets.len() / 2))),
        ("cut by one".to_owned(), Box::new(|octets| octets.truncate(octets.len() - 1))),
        ("zeroed".to_owned(), Box::new(|octets| octets.fill(0))),
        ("all ones".to_owned(), Box::new(|octets| octets.fill(0xff))),
        ("lengthened".to_owned(), Box::new(|octets| octets.extend([0xa5; 4096]))),
    ];
    // Places all over the file, closer together where sled keeps its headers.
    let step = (length / 24).max(1);
    for at in (0..48).chain((48..length).step_by(step)).filter(|at| *at < length) {
        let flip = move |octets: &mut Vec<u8>| octets[at] ^= 1 << (at % 8);
        all.push((format!("a bit flipped at {at}"), Box::new(flip)));
        let smear = move |octets: &mut Vec<u8>| {
            let end = (at + 64).min(octets.len());
            octets[at..end].fill(0xee);
        };
        all.push((format!("smeared at {at}"), Box::new(smear)));
    }
    all
}

#[test]
fn whatever_the_index_has_become_the_register_opens() {
    let home = tempfile::tempdir().unwrap();
    let (closed, killed) = (home.path().join("closed"), home.path().join("killed"));
    filled(&closed, &killed);
    for (original, every) in [(&closed, 1), (&killed, 5)] {
        // Undamaged, it is believed, so that what follows tests something.
        assert!(!is_made_anew(original, "undamaged", |_| {}));
        let (mut ways, mut made_anew) = (0, 0);
        for path in files(&original.join("index")) {
            let name = path.file_name().unwrap();
            let whole = std::fs::read(&path).unwrap();
            for (damage, apply) in damages(whole.len()).into_iter().step_by(every) {
                let how = format!("{}: {damage}", name.to_string_lossy());
                made_anew += usize::from(is_made_anew(original, &how, |index| {
                    let mut octets = whole.clone();
                    apply(&mut octets);
                    std::fs::write(index.join(name), octets).unwrap();
                }));
                ways += 1;
            }
            let how = format!("{} is gone", name.to_string_lossy());
            is_made_anew(original, &how, |index| std::fs::remove_file(index.join(name)).unwrap());
        }
        assert!(ways > 40 && made_anew > ways / 3, "{made_anew} of {ways} made anew");
    }
}

/// Damages a copy of the index, opens, and looks everything up; says whether the index was made
/// anew.
fn is_made_anew(original: &Path, how: &str, damage: impl FnOnce(&Path)) -> bool {
    let data = original.with_file_name("data");
    copied(original, &data);
    let mark = data.join("index/mark");
    std::fs::write(&mark, "").unwrap();
    damage(&data.join("index"));
    answers_are_right(&data, how);
    let made_anew = !mark.exists();
    std::fs::remove_dir_all(&data).unwrap();
    made_anew
}
