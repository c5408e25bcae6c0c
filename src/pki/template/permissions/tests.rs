use proptest::prelude::*;

use super::*;
use crate::pki::account::AccountKind;

fn account(name: &str, groups: &[&str]) -> Account {
    Account {
        groups: groups.iter().map(ToString::to_string).collect(),
        ..Account::named(name, AccountKind::User)
    }
}

fn read(json: serde_json::Value) -> Result<Permissions, Problem> {
    let files: Vec<PermissionFile> = serde_json::from_value(json).unwrap();
    Permissions::read(&files)
}

#[test]
fn deny_wins_wherever_it_stands_and_full_control_is_everything() {
    let entries = serde_json::json!([
        {"group": "VPN Users", "allow": ["Read", "Enroll", "Autoenroll"]},
        {"account": "bob", "deny": ["Enroll"]},
        {"group": "Owners", "allow": ["FullControl"]},
        {"group": "Leavers", "deny": ["FullControl"]},
        {"account": "CORP\\carol", "allow": ["Read", "Write"]},
    ]);
    let mut backwards = entries.clone();
    backwards.as_array_mut().unwrap().reverse();
    for entries in [entries, backwards] {
        let permissions = read(entries).unwrap();
        let rights = |account: &Account| {
            let held = permissions.rights_of(account);
            held.iter().map(Right::as_str).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(rights(&account("alice", &["vpn users"])), "Read Enroll Autoenroll");
        assert_eq!(rights(&account("BOB", &["VPN Users"])), "Read Autoenroll");
        assert!(permissions.denies(Right::Enroll, &account("bob", &[])));
        let all = "Read Write Enroll Autoenroll Revoke FullControl";
        assert_eq!(rights(&account("olga", &["Owners"])), all);
        // Full Control less one right is no Full Control: who has it could give himself the one.
        assert_eq!(rights(&account("bob", &["Owners"])), "Read Write Autoenroll Revoke");
        assert_eq!(rights(&account("alice", &["VPN Users", "Owners", "Leavers"])), "");
        assert_eq!(rights(&account("corp\\Carol", &[])), "Read Write");
        assert_eq!(rights(&account("carol", &[])), "");
    }
}

#[test]
fn authenticated_users_is_everybody_and_an_account_is_no_group() {
    let permissions = read(serde_json::json!([
        {"group": "authenticated users", "allow": ["Read"]},
        {"group": "dave", "allow": ["Enroll"]},
    ]));
    let permissions = permissions.unwrap();
    assert!(permissions.allows(Right::Read, &account("anybody", &[])));
    assert!(!permissions.allows(Right::Enroll, &account("dave", &[])));
    assert!(permissions.allows(Right::Enroll, &account("eve", &["Dave"])));
}

#[test]
fn what_makes_no_sense_is_refused() {
    for wrong in [
        serde_json::json!([{"allow": ["Read"]}]),
        serde_json::json!([{"group": "A", "account": "a", "allow": ["Read"]}]),
        serde_json::json!([{"group": "A"}]),
        serde_json::json!([{"group": "A", "allow": ["read"]}]),
        serde_json::json!([{"group": "A", "allow": ["Read", "Read"]}]),
        serde_json::json!([{"group": "A", "allow": ["Read"], "deny": ["Read"]}]),
        serde_json::json!([{"group": " A", "allow": ["Read"]}]),
        serde_json::json!([{"group": "A", "allow": ["Read"]}, {"group": "a", "deny": ["Read"]}]),
    ] {
        assert!(read(wrong.clone()).is_err(), "{wrong}");
    }
    // The same name may be a group's and an account's.
    let both = [("group", "A"), ("account", "A")];
    let both = both.map(|(kind, name)| serde_json::json!({kind: name, "allow": ["Read"]}));
    assert_eq!(read(both.into_iter().collect()).unwrap().iter().count(), 2);
}

fn any_entry() -> impl Strategy<Value = PermissionFile> {
    let name = prop::sample::select(vec!["A", "B", "C", AUTHENTICATED_USERS]);
    let rights = prop::collection::btree_set(0..6_usize, 0..4);
    (any::<bool>(), name, rights.clone(), rights).prop_map(|(group, name, allow, deny)| {
        let words = |set: &std::collections::BTreeSet<usize>| {
            set.iter().map(|own| Right::ALL[*own].as_str().to_owned()).collect()
        };
        let name = Some(name.to_owned());
        let (group, account) = if group { (name, None) } else { (None, name) };
        PermissionFile { group, account, allow: words(&allow), deny: words(&deny) }
    })
}

proptest! {
    /// Another denial never gives anybody anything, and what is read is written as it was.
    #[test]
    fn a_denial_only_takes_away(
        entries in prop::collection::vec(any_entry(), 0..6),
        denied in 0..6_usize,
    ) {
        let Ok(before) = Permissions::read(&entries) else { return Ok(()) };
        prop_assert_eq!(&before.to_files(), &entries);
        let mut more = before.0.clone();
        more.push(Permission {
            principal: Principal::Group("B".to_owned()),
            allow: Rights::default(),
            deny: Rights::default().with(Right::ALL[denied]),
        });
        let after = Permissions(more);
        for own in [account("A", &[]), account("A", &["B"]), account("x", &["A", "B", "C"])] {
            for right in Right::ALL {
                prop_assert!(before.allows(right, &own) || !after.allows(right, &own));
                prop_assert!(!(after.allows(right, &own) && after.denies(right, &own)));
                if own.is_member_of("B") {
                    prop_assert!(!after.allows(Right::ALL[denied], &own));
                }
            }
        }
    }
}
