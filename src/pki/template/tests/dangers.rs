//! No template with a known hole is loaded.

use super::*;

#[test]
fn free_names_with_a_purpose_that_logs_on_are_esc1() {
    let server = "VPNServerAuthentication";
    let rules = |rules: Value| ("requested_names", rules);
    let purposes =
        |oid: &str| [("extended_key_usage", json!([oid])), ("application_policies", json!([oid]))];
    for free in [
        json!({"any": true}),
        json!({"dns_suffixes": [""]}),
        json!({"dns_suffixes": ["contoso.com", "com"]}),
        json!({"dns_suffixes": [".local"]}),
        json!({"dns_suffixes": ["co.uk"]}),
        json!({"dns_names": ["vpn.contoso.com"], "addresses": ["0.0.0.0/0"]}),
    ] {
        assert_eq!(dangers(server, &[rules(free.clone())]), [Danger::Esc1], "{free}");
        // The same names pose as servers where nothing logs on, and are harmless elsewhere ...
        for (purpose, found) in [
            ("1.3.6.1.5.5.7.3.1", vec![Danger::Esc17]),
            ("1.3.6.1.5.5.8.2.2", vec![Danger::Esc17]),
            ("1.3.6.1.5.5.7.3.8", vec![]),
        ] {
            let [eku, policies] = purposes(purpose);
            assert_eq!(dangers(server, &[rules(free.clone()), eku, policies]), found, "{purpose}");
        }
        // ... and the older place of the flag counts too.
        let [eku, policies] = purposes("1.3.6.1.5.5.7.3.2");
        let old = ("general_flags", json!(["ENROLLEE_SUPPLIES_SUBJECT"]));
        let none = ("name_flags", json!(["SUBJECT_REQUIRE_COMMON_NAME"]));
        assert_eq!(dangers(server, &[rules(free), eku, policies, old, none]), [Danger::Esc1]);
    }
    for logon in [
        "1.3.6.1.5.5.7.3.2",
        "1.3.6.1.4.1.311.20.2.2",
        "1.3.6.1.5.2.3.4",
        "1.3.6.1.5.2.3.5",
        "2.5.29.37.0",
        "1.3.6.1.4.1.311.10.12.1",
        "1.3.6.1.4.1.311.20.2.1",
    ] {
        // One of the two lists is enough: Windows looks at both.
        for key in ["extended_key_usage", "application_policies"] {
            let [eku, policies] = purposes("1.3.6.1.5.5.7.3.1");
            let changes =
                [rules(json!({"any": true})), eku, policies, (key, json!(["1.2.3", logon]))];
            assert!(dangers(server, &changes).contains(&Danger::Esc1), "{logon} in {key}");
        }
    }
    let none = [("extended_key_usage", json!([])), ("application_policies", json!([]))];
    let [eku, policies] = none;
    let found = dangers(server, &[rules(json!({"any": true})), eku, policies]);
    assert_eq!(found, [Danger::Esc1, Danger::Esc2]);
    // A rule for what stands behind an @ lets every account be named.
    for rule in
        [json!({"upn_suffixes": ["contoso.com"]}), json!({"email_domains": ["contoso.com"]})]
    {
        assert_eq!(dangers(server, &[rules(rule)]), [Danger::Esc1]);
    }
    assert_eq!(dangers(server, &[rules(json!({"own_names": true}))]), []);
    assert_eq!(dangers(server, &[rules(json!({"uris": ["https://vpn.contoso.com/"]}))]), []);
    // Bound names, and no names at all, load.
    let bound = json!({"dns_suffixes": ["vpn.contoso.com"], "addresses": ["132.64.86.2"]});
    assert_eq!(dangers(server, &[rules(bound)]), []);
    assert_eq!(dangers(server, &[rules(Value::Null)]), []);
}

#[test]
fn the_other_dangers_are_named() {
    let user = "VPNUserAuthentication";
    let groups = ("permissions", enroll(&["Domain Users"]));
    let agent = json!(["1.3.6.1.4.1.311.20.2.1"]);
    let both = |purposes: Value| {
        [("extended_key_usage", purposes.clone()), ("application_policies", purposes)]
    };
    assert_eq!(dangers(user, &both(json!([]))), [Danger::Esc2]);
    assert_eq!(dangers(user, &both(json!(["Any Purpose"]))), [Danger::Esc2]);
    assert_eq!(dangers(user, &both(agent)), [Danger::Esc3]);
    assert_eq!(dangers("EnrollmentAgent", std::slice::from_ref(&groups)), [Danger::Esc3]);
    let anonymous = ("enrollment_flags", json!(["NO_SECURITY_EXTENSION"]));
    assert_eq!(dangers(user, std::slice::from_ref(&anonymous)), [Danger::Esc9]);
    assert_eq!(dangers(user, &[("security_identifier", json!("none"))]), [Danger::Esc9]);
    assert_eq!(dangers(user, &[anonymous.clone(), ("security_identifier", json!("uri"))]), []);
    assert_eq!(dangers("WebServer", std::slice::from_ref(&groups)), [Danger::Esc15]);
    // An account is somebody as well, Full Control is Enroll, and a denial to others is no comfort.
    for entries in [
        enroll(&["Domain Users"]),
        json!([{"account": "bob", "allow": ["Enroll"]}]),
        json!([{"group": "Helpdesk", "allow": ["FullControl"]}]),
        json!([{"account": "bob", "allow": ["Enroll"], "deny": ["FullControl"]}]),
    ] {
        let sub_ca = dangers("SubCA", &[("permissions", entries)]);
        assert_eq!(sub_ca, [Danger::Esc15, Danger::SubordinateAuthority]);
    }
    // Where nobody may enrol there is nobody to become somebody else.
    let readers = json!([{"group": "Authenticated Users", "allow": ["Read", "Revoke"]}]);
    let nobody = [anonymous, ("permissions", readers)];
    assert_eq!(dangers(user, &nobody), []);
    // Changed by everybody: not even to be accepted.
    for right in ["Write", "FullControl"] {
        let everybody = json!([{"group": "authenticated users", "allow": [right]}]);
        assert!(dangers(user, &[("permissions", everybody)]).contains(&Danger::Esc4));
    }
    assert!(!Danger::Esc4.can_be_accepted());
}

#[test]
fn a_danger_is_accepted_by_name_and_told_ever_after() {
    let user = "VPNUserAuthentication";
    let anonymous = ("enrollment_flags", json!(["NO_SECURITY_EXTENSION"]));
    let accept = |danger: &str| {
        ("accepted_dangers", json!([{"danger": danger, "reason": "accounts of the old forest"}]))
    };
    let accepted =
        Template::from_json(&json_of(user, &[anonymous.clone(), accept("ESC9")])).unwrap();
    let told: Vec<String> = accepted.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("\"accounts of the old forest\"") && told[0].contains("ESC9"));
    // On record with the template, and read back from there.
    assert_eq!(Template::from_json(&accepted.to_json()).unwrap(), accepted);
    // Not for another danger, not without a reason, not twice, not in advance.
    assert_eq!(dangers(user, std::slice::from_ref(&anonymous)), [Danger::Esc9]);
    for (changes, count) in [
        (vec![anonymous.clone(), accept("ESC17")], 2),
        (vec![accept("ESC9")], 1),
        (vec![anonymous.clone(), accept("esc9")], 1),
        (
            vec![
                anonymous.clone(),
                ("accepted_dangers", json!([{"danger": "ESC9", "reason": ""}])),
            ],
            1,
        ),
        (
            vec![
                anonymous,
                (
                    "accepted_dangers",
                    json!([
                        {"danger": "ESC9", "reason": "a"}, {"danger": "ESC9", "reason": "b"}
                    ]),
                ),
            ],
            1,
        ),
    ] {
        assert_eq!(mistakes(&json_of(user, &changes)).len(), count, "{changes:?}");
    }
    // What makes everybody an administrator is never accepted.
    for danger in Danger::ALL {
        let word = danger.as_str();
        assert_eq!(Danger::from_word(word), Some(danger));
        let told = mistakes(&json_of(user, &[accept(word)]));
        let by_form = told[0].starts_with("accepted_dangers: `");
        assert_eq!(by_form, !danger.can_be_accepted(), "{told:?}");
    }
    let free = [("requested_names", json!({"any": true})), accept("ESC1")];
    assert!(Template::from_json(&json_of("VPNServerAuthentication", &free)).is_err());
}

#[test]
fn what_holds_a_danger_off_is_told() {
    let warnings = |cn: &str, changes: &[(&str, Value)]| {
        Template::from_json(&json_of(cn, changes)).unwrap().warnings()
    };
    for own in shipped() {
        assert_eq!(own.warnings(), [], "{}", own.cn());
    }
    let bound = ("requested_names", json!({"dns_suffixes": ["vpn.contoso.com"]}));
    assert_eq!(warnings("VPNServerAuthentication", &[bound]), [Warning::BoundNamesLogOn]);
    let user = "VPNUserAuthentication";
    assert_eq!(warnings(user, &[("security_identifier", json!("uri"))]), [Warning::UriAlone]);
    let email = |key| (key, json!(["Secure Email"]));
    let harmless = [
        email("extended_key_usage"),
        email("application_policies"),
        ("security_identifier", json!("none")),
    ];
    assert_eq!(warnings(user, &harmless), [Warning::NoSecurityIdentifier]);
    let agent = |key| (key, json!(["Certificate Request Agent"]));
    let agents = [
        agent("extended_key_usage"),
        agent("application_policies"),
        ("enrollment_flags", json!(["PEND_ALL_REQUESTS"])),
    ];
    assert_eq!(warnings(user, &agents), [Warning::ApprovedAgent]);
    let policies = ("issuance_policies", json!(["1.3.6.1.4.1.311.21.8.1.2.3.1.402"]));
    let linked = Warning::IssuancePolicies("1.3.6.1.4.1.311.21.8.1.2.3.1.402".to_owned());
    assert_eq!(warnings(user, std::slice::from_ref(&policies)), [linked]);
    // Nobody logs on with it, or nobody gets it.
    let harmless = [email("extended_key_usage"), email("application_policies"), policies.clone()];
    assert_eq!(warnings(user, &harmless), []);
    assert_eq!(warnings(user, &[("permissions", json!([])), policies]), []);
}
