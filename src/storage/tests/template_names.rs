//! Requests name whatever template they like: names that nothing has must not hide those that do.

use super::*;

#[test]
fn more_names_than_there_are_numbers_for_are_told_apart() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let usual = || Options { scrub: Scrub::Not, ..Options::new(&data) };
    let register = open(usual()).unwrap();
    let numbers: Vec<u64> = (1..=u64::from(u16::MAX) + 64).collect();
    for some in numbers.chunks(8192) {
        let made_up = |id: &u64| entry(1000, received(*id, "eve", &format!("No{id}")));
        register.commit(some.iter().map(made_up).collect(), Urgency::Ordinary).unwrap();
    }
    let next = numbers.len() as u64 + 1;
    let late = [(next, "User"), (next + 1, "Machine"), (next + 2, "User")];
    let late = late.map(|(id, cn)| entry(2000, received(id, "bob", cn)));
    register.commit(late.to_vec(), Urgency::Ordinary).unwrap();
    let listed = |register: &LedgerRegister, cn: &str| {
        let filter = RequestFilter { template: Some(cn.to_owned()), ..RequestFilter::default() };
        let rows = register.requests(&filter, ALL).unwrap().rows;
        rows.iter().map(|row| row.request_id).collect::<Vec<_>>()
    };
    let right = |register: &LedgerRegister| {
        assert_eq!(listed(register, "User"), [next + 2, next]);
        assert_eq!(listed(register, "Machine"), [next + 1]);
        assert_eq!(listed(register, "No7"), [7]);
        assert_eq!(listed(register, &format!("No{}", next - 1)), [next - 1]);
        assert_eq!(listed(register, "Never"), [0; 0]);
    };
    right(&register);
    register.close().unwrap();
    drop(register);
    right(&open(usual()).unwrap());
}
