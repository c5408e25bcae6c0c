//! Which CRL of a parent was installed last, by issuer.

use super::*;
use crate::storage::act::ParentCrlInstalled;

fn installed(issuer: u8, number: u8) -> ParentCrlInstalled {
    ParentCrlInstalled {
        issuer: [issuer; 32],
        issuer_name: "CN=Root".to_owned(),
        number: vec![number],
        this_update: 1,
        next_update: 2,
        size: 3,
        sha256: [number; 32],
    }
}

#[test]
fn the_last_one_of_each_issuer_is_known_also_after_the_index_is_made_anew() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let register = open(options(&data)).unwrap();
    assert_eq!(register.parent_crl(&[1; 32]).unwrap(), None);
    for (issuer, number) in [(1, 1), (2, 9), (1, 2)] {
        let act = Act::ParentCrlInstalled(installed(issuer, number));
        register.commit(vec![entry(1000, act)], Urgency::Reserved).unwrap();
    }
    let right = |register: &LedgerRegister| {
        assert_eq!(register.parent_crl(&[1; 32]).unwrap(), Some(installed(1, 2)));
        assert_eq!(register.parent_crl(&[2; 32]).unwrap(), Some(installed(2, 9)));
        assert_eq!(register.parent_crl(&[3; 32]).unwrap(), None);
    };
    right(&register);
    register.close().unwrap();
    drop(register);
    for options in [options(&data), distrusting(&data)] {
        let register = open(options).unwrap();
        right(&register);
        register.close().unwrap();
    }
}
