//! How far an enrolment agent reaches.

use super::world::account;
use crate::ca::offices::Limits;

#[test]
fn limits_bind_templates_and_groups_together() {
    let anna = account("anna", &["VPN Users"]);
    let some = |list: &[&str]| Some(list.iter().map(|&own| own.to_owned()).collect());
    let reaches = |templates, subject_groups| {
        Limits { templates, subject_groups }.reach("VPNUserAuthentication", Some(&anna))
    };
    assert!(reaches(None, None));
    assert!(reaches(some(&["vpnuserauthentication"]), some(&["vpn users"])));
    assert!(!reaches(some(&["User"]), some(&["VPN Users"])));
    assert!(!reaches(some(&["VPNUserAuthentication"]), some(&["VPN Servers"])));
    assert!(!reaches(some(&[]), None), "an empty list is none, not all");
    assert!(!reaches(None, some(&[])));
}
