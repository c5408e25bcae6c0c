use super::*;
use crate::pki::account::AccountKind;
use proptest::prelude::*;

fn assigned(role: Role, holder: Holder) -> Assignment {
    Assignment { role, holder, limits: Limits::default() }
}

fn group(name: &str) -> Holder {
    Holder::Group(name.to_owned())
}

fn names(list: &[&str]) -> Option<Vec<String>> {
    Some(list.iter().map(|name| (*name).to_owned()).collect())
}

/// The sentence with which these assignments are refused.
fn why(assignments: Vec<Assignment>) -> String {
    match RoleDocument::of(assignments, 1) {
        Err(Refusal::Invalid("roles-invalid", why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_cannot_be_an_assignment_is_named() {
    let long = "x".repeat(257);
    for (own, told) in [
        (assigned(Role::Auditor, group("")), "assignments[0]: group: \"\" is no name"),
        (assigned(Role::Auditor, group(" a")), "assignments[0]: group: \" a\" is no name"),
        (assigned(Role::Auditor, group("a\0")), "assignments[0]: group: \"a\\0\" is no name"),
        (assigned(Role::Auditor, group(&long)), "assignments[0]: group: "),
        (
            assigned(Role::Auditor, Holder::Account("a\n".to_owned())),
            "assignments[0]: account: \"a\\n\" is no name",
        ),
        (
            assigned(Role::Administrator, group("AUTHENTICATED users")),
            "assignments[0]: group: Authenticated Users is everybody",
        ),
    ] {
        let told_now = why(vec![own]);
        assert!(told_now.starts_with(told), "{told_now}");
    }
    let limited = |role, templates, subject_groups| {
        let limits = Limits { templates, subject_groups };
        vec![Assignment { limits, ..assigned(role, group("Helpdesk")) }]
    };
    for role in [Role::Administrator, Role::Auditor] {
        assert!(why(limited(role, names(&["User"]), None)).contains("has no limits"));
        assert!(why(limited(role, None, names(&["VPN Users"]))).contains("has no limits"));
    }
    for role in [Role::CertificateManager, Role::EnrollmentAgent] {
        assert!(why(limited(role, names(&[]), None)).contains("templates: an empty list"));
        assert!(why(limited(role, None, names(&[]))).contains("subject_groups: an empty list"));
        let everybody = names(&["VPN Users", "authenticated users"]);
        assert!(why(limited(role, None, everybody)).contains("no group to trust or to limit to"));
        let many: Vec<String> = (0..=MOST_LIMITS).map(|number| number.to_string()).collect();
        assert!(why(limited(role, Some(many.clone()), None)).contains("templates: at most"));
        assert!(why(limited(role, None, Some(many))).contains("subject_groups: at most"));
        assert!(RoleDocument::of(limited(role, names(&["User"]), names(&["A"])), 1).is_ok());
    }
    let twice = vec![
        assigned(Role::Auditor, group("Helpdesk")),
        assigned(Role::Auditor, group("HELPDESK")),
    ];
    assert_eq!(why(twice), "assignments[1]: it is there twice");
    let many = (0..=MOST_ASSIGNMENTS)
        .map(|number| assigned(Role::Auditor, Holder::Account(number.to_string())));
    assert_eq!(why(many.collect()), "assignments: at most 1000");
}

#[test]
fn a_role_on_record_that_is_not_known_stops_the_start() {
    let row = |role: &str, group: Option<&str>, account: Option<&str>| RolesSaved {
        assignments: vec![RoleAssigned {
            role: role.to_owned(),
            group: group.map(str::to_owned),
            account: account.map(str::to_owned),
            templates: None,
            subject_groups: None,
        }],
        revision: 3,
    };
    let refused = |saved| {
        matches!(RoleDocument::load(Some(saved)), Err(Refusal::Unavailable("roles-invalid", _)))
    };
    assert!(refused(row("overlord", Some("A"), None)));
    assert!(refused(row("auditor", None, None)));
    assert!(refused(row("auditor", Some("A"), Some("b"))));
    let loaded = RoleDocument::load(Some(row("auditor", None, Some("b")))).unwrap();
    assert_eq!(loaded.assignments(), [assigned(Role::Auditor, Holder::Account("b".to_owned()))]);
    assert_eq!(loaded.revision(), 3);
    assert_eq!(RoleDocument::load(None).unwrap(), RoleDocument::default());
}

#[test]
fn only_an_administrators_assignment_makes_one() {
    let mut anna = Account::named("anna", AccountKind::User);
    anna.groups = vec!["Helpdesk".to_owned()];
    let makes = |role, holder| {
        RoleDocument::of(vec![assigned(role, holder)], 1).unwrap().makes_administrator(&anna)
    };
    assert!(makes(Role::Administrator, group("HELPDESK")));
    assert!(makes(Role::Administrator, Holder::Account("Anna".to_owned())));
    assert!(!makes(Role::Administrator, group("anna")), "a group is no account");
    assert!(!makes(Role::Administrator, Holder::Account("Helpdesk".to_owned())));
    for role in [Role::CertificateManager, Role::Auditor, Role::EnrollmentAgent] {
        assert!(!makes(role, group("Helpdesk")));
    }
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-z0-9 \\\\äß-]{1,12}", "\\PC{1,300}", ".{0,4}", Just(EVERYBODY.to_owned())]
}

fn any_list() -> impl Strategy<Value = Option<Vec<String>>> {
    proptest::option::of(proptest::collection::vec(any_name(), 0..4))
}

fn any_assignment() -> impl Strategy<Value = Assignment> {
    let role = prop::sample::select(Role::ALL.to_vec());
    let holder =
        prop_oneof![any_name().prop_map(Holder::Group), any_name().prop_map(Holder::Account)];
    (role, holder, any_list(), any_list()).prop_map(|(role, holder, templates, subject_groups)| {
        Assignment { role, holder, limits: Limits { templates, subject_groups } }
    })
}

proptest! {
    /// What is taken comes back from the register as it was; what is refused is refused whichever
    /// assignments stand beside it.
    #[test]
    fn what_is_taken_comes_back(
        assignments in proptest::collection::vec(any_assignment(), 0..6),
        revision in any::<u64>(),
    ) {
        match RoleDocument::of(assignments.clone(), revision) {
            Ok(document) => {
                prop_assert_eq!(document.assignments(), assignments.as_slice());
                let octets = minicbor::to_vec(document.to_row()).unwrap();
                let row: RolesSaved = minicbor::decode(&octets).unwrap();
                prop_assert_eq!(RoleDocument::load(Some(row)).unwrap(), document);
            }
            Err(_) => {
                let alone_good = assignments.iter().all(|own| {
                    RoleDocument::of(vec![own.clone()], revision).is_ok()
                });
                let mut seen = HashSet::new();
                let twice = assignments
                    .iter()
                    .any(|own| !seen.insert(format!("{own:?}").to_lowercase()));
                prop_assert!(!alone_good || twice);
            }
        }
    }

    /// Limits only ever take away: what an office reaches with limits it reaches without.
    #[test]
    fn limits_only_take_away(
        templates in any_list(),
        subject_groups in any_list(),
        template in any_name(),
        groups in proptest::collection::vec(any_name(), 0..3),
    ) {
        let mut subject = Account::named("anna", AccountKind::User);
        subject.groups = groups;
        let own = Limits { templates: templates.clone(), subject_groups: subject_groups.clone() };
        let wider = [
            Limits { templates: None, subject_groups },
            Limits { templates, subject_groups: None },
        ];
        for subject in [None, Some(&subject)] {
            if own.reach(&template, subject) {
                prop_assert!(wider.iter().all(|one| one.reach(&template, subject)));
                prop_assert!(own.cover(&template));
            }
            prop_assert!(Limits::default().reach(&template, subject));
        }
        // Who is in no directory is in no group.
        prop_assert!(own.subject_groups.is_none() || !own.reach(&template, None));
    }
}
