//! Backup, restore, verification and export.

use super::backup::{BackupError, Expected, backup, export, restore, verify};
use super::*;

fn quiet() -> impl FnMut(u64, u64) {
    |_, _| {}
}

#[test]
fn a_backup_of_a_running_register_restores_to_a_beginning_of_it() {
    let home = tempfile::tempdir().unwrap();
    let (data, copy, back) =
        (home.path().join("data"), home.path().join("copy"), home.path().join("back"));
    let register = open(options(&data)).unwrap();
    let commit = |id| register.commit(vec![entry(id, received(id, "b", "T"))], Urgency::Ordinary);
    (1..=5).for_each(|id| commit(id).unwrap());
    std::fs::write(data.join("ca.pem"), "certificate").unwrap();
    std::fs::write(data.join("ca.key"), "key").unwrap();
    let mut last = (0, 1);
    let files = ["ca.pem".as_ref(), "chain.pem".as_ref()];
    let report = backup(&data, &copy, &files, &mut |done, all| last = (done, all)).unwrap();
    assert_eq!(last.0, last.1);
    assert_eq!((report.sequence, report.head), (5, register.head().hash));
    assert!(copy.join("ca.pem").exists() && !copy.join("ca.key").exists());
    assert!(matches!(backup(&data, &copy, &[], &mut quiet()), Err(BackupError::NotEmpty(_))));
    commit(6).unwrap();

    let known = Expected { sequence: Some(5), hash: report.head };
    assert_eq!(verify(&data, Some(known), &mut quiet()).unwrap().sequence, 6);
    assert_eq!(
        verify(&copy, Some(Expected { sequence: None, ..known }), &mut quiet()).unwrap(),
        report
    );
    let later = Expected { sequence: Some(6), hash: register.head().hash };
    assert!(matches!(
        verify(&copy, Some(later), &mut quiet()),
        Err(BackupError::TooShort { last: 5, expected: 6 })
    ));
    let other = Expected { sequence: Some(4), hash: report.head };
    assert!(matches!(
        verify(&copy, Some(other), &mut quiet()),
        Err(BackupError::AnotherChain { sequence: 4, .. })
    ));

    restore(&copy, &back, &mut quiet()).unwrap();
    assert_eq!(std::fs::read_to_string(back.join("ca.pem")).unwrap(), "certificate");
    assert!(matches!(restore(&copy, &back, &mut quiet()), Err(BackupError::NotEmpty(_))));
    let restored = open(options(&back)).unwrap();
    assert_eq!(restored.head().hash, report.head);
    assert!(restored.request(5).unwrap().is_some() && restored.request(6).unwrap().is_none());
}

#[test]
fn a_damaged_copy_is_not_restored() {
    let home = tempfile::tempdir().unwrap();
    let (copy, back) = (home.path().join("copy"), home.path().join("back"));
    let register = open(options(&copy)).unwrap();
    for id in 1..=3 {
        register.commit(vec![entry(id, received(id, "b", "T"))], Urgency::Ordinary).unwrap();
    }
    drop(register);
    let mut octets = std::fs::read(copy.join("ledger")).unwrap();
    octets[100] ^= 1;
    std::fs::write(copy.join("ledger"), octets).unwrap();
    assert!(matches!(restore(&copy, &back, &mut quiet()), Err(BackupError::Damaged { .. })));
    assert!(!back.join("ledger").exists());
}

#[test]
fn an_export_has_every_entry_and_no_secret() {
    let home = tempfile::tempdir().unwrap();
    let register = open(options(home.path())).unwrap();
    let token = TokenCreated {
        id: "t".to_owned(),
        sha256: [0xab; 32],
        account: "a".to_owned(),
        expires_at: 9,
        description: None,
        template: None,
        single_use: false,
    };
    let act = Act::TokenCreated(token);
    register
        .commit(vec![entry(1, act), entry(2, received(1, "b", "T"))], Urgency::Ordinary)
        .unwrap();
    let mut out = Vec::new();
    export(home.path(), &mut out, &mut quiet()).unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["sequence"], 2);
    assert_eq!(lines[1]["act"]["request_received"]["template"], "T");
    assert!(!text.contains("abab") && !text.contains("171,171"));
}
