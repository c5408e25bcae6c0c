//! What templates promise: AD CS's own values, every mistake named, no dangerous one loaded,
//! edits that keep the identity, and a file form that loses nothing.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn template(cn: &str) -> Template {
    shipped().into_iter().find(|own| own.cn() == cn).unwrap()
}

/// The JSON of a shipped template with other values under some keys.
fn json_of(cn: &str, changes: &[(&str, Value)]) -> String {
    let mut file: Value = serde_json::from_str(&template(cn).to_json()).unwrap();
    for (key, value) in changes {
        file[*key] = value.clone();
    }
    file.to_string()
}

fn mistakes(text: &str) -> Vec<String> {
    Template::from_json(text).unwrap_err().iter().map(ToString::to_string).collect()
}

fn dangers(cn: &str, changes: &[(&str, Value)]) -> Vec<Danger> {
    match Template::from_json(&json_of(cn, changes)) {
        Ok(_) => vec![],
        Err(mistakes) => {
            let dangers: Vec<Danger> = mistakes.dangers().collect();
            assert_eq!(dangers.len(), mistakes.iter().count(), "{mistakes}");
            dangers
        }
    }
}

// --- AD CS's own values --------------------------------------------------------------------

/// [MS-CRTD] appendix B, machine-readable.
const ADCS: &str = include_str!("../../../tests/fixtures/ad_cs_templates.json");

#[test]
fn built_in_templates_have_the_values_of_ad_cs() {
    let fixture: Vec<Value> = serde_json::from_str(ADCS).unwrap();
    let mut compared = 0;
    for own in shipped().iter().filter(|own| own.origin() == Origin::BuiltIn) {
        let adcs = fixture.iter().find(|adcs| adcs["cn"] == own.cn()).unwrap();
        let oids = |purposes: &[Purpose]| -> Vec<String> {
            purposes.iter().map(|purpose| purpose.oid().to_string()).collect()
        };
        let texts = |key: &str| -> Vec<String> {
            adcs[key].as_array().unwrap().iter().map(|text| text.as_str().unwrap().into()).collect()
        };
        let [low, high] = own.key_usage().bits().to_le_bytes();
        let name_flags = adcs["nameFlag"].as_str().unwrap().trim_start_matches("0x");
        let numbered = own.csps().iter().enumerate();
        let mut csps: Vec<String> =
            numbered.map(|(at, name)| format!("{},{name}", at + 1)).collect();
        csps.reverse();
        assert_eq!(own.display_name(), adcs["displayName"]);
        assert_eq!(
            own.template_oid().to_string(),
            format!("1.{}", adcs["oidSuffix"].as_str().unwrap())
        );
        assert_eq!(own.general_flags().bits(), adcs["flags"]);
        assert_eq!(own.name_flags().bits(), u32::from_str_radix(name_flags, 16).unwrap());
        assert_eq!(own.private_key_word(), adcs["privateKeyFlag"]);
        assert_eq!(own.schema_version(), adcs["schema"]);
        assert_eq!(own.major_revision(), adcs["revision"]);
        assert_eq!(own.minor_revision(), adcs["minor"]);
        assert_eq!(own.ra_signatures(), adcs["raSignature"]);
        assert_eq!(own.key_spec().number(), adcs["keySpec"]);
        assert_eq!(format!("{low:02X} {high:02X}"), adcs["keyUsage"]);
        assert_eq!(own.validity().seconds(), adcs["validitySeconds"]);
        assert_eq!(own.renewal().seconds(), adcs["overlapSeconds"]);
        assert_eq!(oids(own.extended_key_usage()), texts("eku"));
        assert_eq!(oids(own.application_policies()), texts("applicationPolicy"));
        assert_eq!(own.supersedes(), texts("supersedes"));
        assert_eq!(csps, texts("csps"));
        let critical: Vec<_> = own.critical_extensions().iter().map(ToString::to_string).collect();
        assert_eq!(critical, texts("criticalExtensions"));
        let depth = own.maximum_issuing_depth().map_or(-1, i64::from);
        assert_eq!(depth, adcs["maxIssuingDepth"]);
        // The newer of the two numbers: what Windows Server 2016 installs.
        let enrollment = match own.cn() {
            "OCSPResponseSigning" => json!(0x5000),
            _ => adcs["enrollmentFlag"].clone(),
        };
        assert_eq!(own.enrollment_flags().bits(), enrollment);
        // 2048 bits where appendix B still has 512 or 1024.
        assert_eq!(own.key_rules()[0], KeyRule::Rsa { minimum_bits: 2048 });
        compared += 1;
    }
    assert_eq!(compared, 15);
}

/// What the members of a group may do with a template.
fn rights(template: &Template, group: &str) -> String {
    let group = Principal::Group(group.to_owned());
    let mut own = template.permissions().iter().filter(|own| own.principal == group);
    let allowed = own.next().unwrap().allow;
    allowed.iter().map(Right::as_str).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_tutorials_templates_are_its_edits() {
    let user = template("VPNUserAuthentication");
    assert_eq!(user.name_flags().bits(), 0x8200_0000);
    assert_eq!(user.enrollment_flags().bits(), 0x21);
    assert_eq!(user.private_key_word(), 0x0606_0000);
    assert_eq!(user.general_flags().bits(), 0x2_0222);
    assert_eq!(rights(&user, "VPN Users"), "Read, Enroll, Autoenroll");
    let server = template("VPNServerAuthentication");
    assert_eq!(server.name_flags().bits(), 1);
    assert_eq!(server.enrollment_flags().bits(), 0x20);
    assert_eq!(server.general_flags().bits(), 0x2_0241);
    assert_eq!(rights(&server, "VPN Servers"), "Read, Enroll");
    assert_eq!(server.requested_names(), None);
    let nps = template("NPSServerAuthentication");
    assert_eq!(nps.name_flags().bits(), 0x4800_0000);
    assert_eq!(nps.general_flags().bits(), 0x2_0240);
    assert_eq!(rights(&nps, "NPS Servers"), "Read, Enroll");
    assert_eq!(nps.key_rules(), [KeyRule::Rsa { minimum_bits: 2048 }]);
    for own in [user, server, nps] {
        assert_eq!(own.extended_key_usage(), own.application_policies());
        assert_eq!((own.validity().to_string().as_str(), own.major_revision()), ("1 year", 100));
        assert!(!own.needs_approval());
    }
}

/// Lets groups enrol.
fn enroll(groups: &[&str]) -> Value {
    groups.iter().map(|group| json!({"group": group, "allow": ["Read", "Enroll"]})).collect()
}

// --- mistakes ------------------------------------------------------------------------------

#[test]
fn all_mistakes_are_told_at_once_under_their_keys() {
    let mut file: Value = serde_json::from_str(&template("User").to_json()).unwrap();
    file["validity"] = json!("1 year");
    file["cn"] = json!(7);
    file["permissions"] = json!("Domain Users");
    file.as_object_mut().unwrap().remove("key_spec");
    let told = mistakes(&file.to_string());
    assert_eq!(told.len(), 4, "{told:?}");
    for key in ["validity: no such key", "cn: ", "permissions: ", "key_spec: missing"] {
        assert!(told.iter().any(|line| line.starts_with(key)), "{key} in {told:?}");
    }
    let told = mistakes(&json_of(
        "VPNUserAuthentication",
        &[
            ("cn", json!("no spaces")),
            ("display_name", json!("")),
            ("oid", json!("1")),
            ("origin", json!("elsewhere")),
            ("schema_version", json!(5)),
            ("general_flags", json!(["MACHINE_TYPE", "NO_SUCH"])),
            ("compatibility", json!({"authority": "Windows NT", "recipient": null})),
            ("validity_period", json!("soon")),
            ("key_spec", json!("both")),
            ("key_algorithms", json!([{"algorithm": "RSA", "minimum_bits": 1024}])),
            ("extended_key_usage", json!(["Server Authentication (1.3.6.1.5.5.7.3.2)"])),
            ("critical_extensions", json!(["2.5.29.37"])),
            ("maximum_issuing_depth", json!(-2)),
            ("requested_names", json!({"dns_suffixes": ["a b"]})),
            ("permissions", enroll(&["VPN Users", "vpn users"])),
        ],
    ));
    assert_eq!(told.len(), 15, "{told:?}");
}

#[test]
fn syntax_errors_and_doubled_keys_have_line_and_column() {
    let doubled = "{\n  \"cn\": \"A\",\n  \"cn\": \"B\"\n}";
    for (text, place) in [("{\n  \"cn\": }", "line 2, column 9"), ("[]", "line 1"), ("", "line 1")]
    {
        let told = mistakes(text);
        assert!(told.len() == 1 && told[0].contains(place), "{told:?}");
    }
    assert!(TemplateFile::parse(doubled).is_err());
    let twice = json_of("User", &[]).replacen('{', "{\"cn\":\"Machine\",", 1);
    assert!(mistakes(&twice)[0].contains("duplicate field `cn`"));
    let nested = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(mistakes(&nested).len(), 1);
    assert!(mistakes(&" ".repeat(LARGEST_FILE + 1))[0].contains("longer than"));
}

#[test]
fn contradictions_are_told() {
    let own = "VPNUserAuthentication";
    let server = "VPNServerAuthentication";
    for (cn, changes, key) in [
        (own, vec![("general_flags", json!(["IS_DEFAULT"]))], "origin"),
        ("User", vec![("general_flags", json!([]))], "origin"),
        (
            own,
            vec![("schema_version", json!(1)), ("application_policies", json!([]))],
            "schema_version",
        ),
        (
            "User",
            vec![("application_policies", json!(["1.3.6.1.5.5.7.3.2"]))],
            "application_policies",
        ),
        (own, vec![("general_flags", json!(["DONOTPERSISTINDB"]))], "general_flags"),
        (own, vec![("key_usage", json!(["digitalSignature", "keyCertSign"]))], "key_usage"),
        (own, vec![("key_usage", json!(["digitalSignature", "cRLSign"]))], "key_usage"),
        (own, vec![("key_usage", json!([]))], "key_usage"),
        ("SubCA", vec![("key_usage", json!(["digitalSignature"]))], "key_usage"),
        (own, vec![("maximum_issuing_depth", json!(-1))], "maximum_issuing_depth"),
        (
            own,
            vec![("enrollment_flags", json!(["ISSUANCE_POLICIES_FROM_REQUEST"]))],
            "enrollment_flags",
        ),
        (
            own,
            vec![("private_key_flags", json!(["REQUIRE_PRIVATE_KEY_ARCHIVAL"]))],
            "private_key_flags",
        ),
        (own, vec![("private_key_flags", json!(["ATTEST_REQUIRED"]))], "private_key_flags"),
        (server, vec![("security_identifier", json!("uri"))], "security_identifier"),
        (server, vec![("object_sid", json!("required"))], "object_sid"),
        (own, vec![("name_flags", json!([]))], "name_flags"),
        (
            own,
            vec![("requested_names", json!({"dns_suffixes": ["contoso.com"]}))],
            "requested_names",
        ),
        (server, vec![("requested_names", json!({}))], "requested_names"),
        (
            server,
            vec![("requested_names", json!({"any": true, "wildcards": true}))],
            "requested_names",
        ),
        (own, vec![("renewal_period", json!("1 year"))], "renewal_period"),
        (own, vec![("supersedes", json!(["vpnuserauthentication"]))], "supersedes"),
        (own, vec![("extended_key_usage", json!(["1.2.3", "Ours (1.2.3)"]))], "extended_key_usage"),
    ] {
        let told = mistakes(&json_of(cn, &changes));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(&format!("{key}: ")), "{told:?}");
    }
}

#[test]
fn limits_hold() {
    let many: Vec<String> = (0..65).map(|number| format!("Group {number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let own = "VPNUserAuthentication";
    for changes in [
        ("cn", json!("x".repeat(65))),
        ("display_name", json!("x".repeat(257))),
        ("display_name", json!("VPN\u{202e}resU")),
        ("display_name", json!("VPN\nUser")),
        ("permissions", enroll(&many)),
        ("permissions", enroll(&[" VPN Users"])),
        ("csps", json!(["x".repeat(257)])),
        ("validity_period", json!("101 years")),
        ("major_revision", json!(0x8000_0000_u32)),
        ("oid", json!("1.3.6.1.4.1.311.21.8.4294967296.1.1.1.1.1.1.1")),
    ] {
        assert_eq!(mistakes(&json_of(own, &[changes])).len(), 1);
    }
    assert!(Template::from_json(&json_of(own, &[("cn", json!("x".repeat(64)))])).is_ok());
}

// --- dangers -------------------------------------------------------------------------------

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

// --- edits ---------------------------------------------------------------------------------

#[test]
fn an_edit_raises_the_revision_and_keeps_the_identity() {
    let old = template("VPNServerAuthentication");
    let mut new = template("WebServer").to_file();
    new.general_flags = vec!["ENROLLEE_SUPPLIES_SUBJECT".into()];
    new.application_policies.clone_from(&new.extended_key_usage);
    new.schema_version = 2;
    new.major_revision = 7;
    let edited = old.edited(new).unwrap();
    assert_eq!((edited.cn(), edited.origin()), (old.cn(), old.origin()));
    assert_eq!(edited.template_oid(), old.template_oid());
    assert_eq!(edited.major_revision(), old.major_revision());
    assert_eq!(edited.minor_revision(), old.minor_revision() + 1);
    assert_eq!(edited.display_name(), "Web Server");
    assert!(edited.general_flags().contains(GeneralFlags::IS_MODIFIED));
    let mut dangerous = old.to_file();
    dangerous.requested_names = Some(RequestedNamesFile { any: true, ..Default::default() });
    let NotEditable::Mistaken(mistakes) = old.edited(dangerous).unwrap_err() else { panic!() };
    assert_eq!(mistakes.dangers().collect::<Vec<_>>(), [Danger::Esc1]);
}

#[test]
fn built_in_templates_are_duplicated_not_edited() {
    let tail = TemplateOid::from_random([9; 6]);
    for own in shipped() {
        let refused = own.edited(own.to_file()).is_err();
        assert_eq!(refused, own.origin() == Origin::BuiltIn, "{}", own.cn());
        let copy = own.duplicate("Copy", "A copy", tail).unwrap();
        assert_eq!(
            (copy.cn(), copy.display_name(), copy.origin()),
            ("Copy", "A copy", Origin::Custom)
        );
        assert_eq!((copy.major_revision(), copy.minor_revision()), (100, 0));
        assert!(copy.schema_version() >= 2 && !copy.is_published_at_first());
        assert_eq!(copy.template_oid(), tail);
        assert_eq!(copy.extended_key_usage(), own.extended_key_usage());
        assert_eq!(copy.application_policies(), own.extended_key_usage());
        let flags = copy.general_flags();
        assert!(!flags.contains(GeneralFlags::IS_DEFAULT));
        assert!(flags.contains(GeneralFlags::IS_MODIFIED));
        assert_ne!(copy.compatibility(), Compatibility::default());
    }
    assert!(template("User").duplicate("no spaces", "A copy", tail).is_err());
}

#[test]
fn a_created_template_is_custom_whatever_it_says() {
    let mut sent: Value =
        serde_json::from_str(&template("VPNUserAuthentication").to_json()).unwrap();
    sent["minor_revision"] = json!(7);
    let created = Template::created(TemplateFile::parse(&sent.to_string()).unwrap()).unwrap();
    assert_eq!(created.origin(), Origin::Custom);
    assert_eq!((created.major_revision(), created.minor_revision()), (100, 0));
    // What the authority decides need not be sent; without an OID it is no template yet.
    for key in ["oid", "origin", "major_revision", "minor_revision"] {
        sent.as_object_mut().unwrap().remove(key);
    }
    let file = TemplateFile::parse(&sent.to_string()).unwrap();
    assert!(Template::created(file.clone()).is_err());
    let oid = TemplateOid::from_random([1; 6]);
    let with_oid = TemplateFile { oid: oid.to_string(), ..file };
    assert_eq!(Template::created(with_oid).unwrap().template_oid(), oid);
    assert!(Template::created(template("User").to_file()).is_err());
}

// --- properties ----------------------------------------------------------------------------

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "1.31",
            "1 year",
            "RSA",
            "MACHINE_TYPE",
            "custom",
            "contoso.com"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z_]{1,12}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_refused_or_a_template(text in ".{0,80}") {
        prop_assert!(Template::from_json(&text).is_err());
    }

    #[test]
    fn any_value_under_any_key_is_refused_or_reads_back(
        which in any::<prop::sample::Index>(),
        key in any::<prop::sample::Index>(),
        value in any_json(),
    ) {
        let templates = shipped();
        let own = which.get(&templates);
        let mut file: Value = serde_json::from_str(&own.to_json()).unwrap();
        let keys: Vec<String> = file.as_object().unwrap().keys().cloned().collect();
        file[key.get(&keys)] = value;
        match Template::from_json(&file.to_string()) {
            Ok(template) => {
                let again = Template::from_json(&template.to_json()).unwrap();
                prop_assert_eq!(&again, &template);
                prop_assert_eq!(again.to_file(), template.to_file());
            }
            Err(mistakes) => prop_assert!(mistakes.iter().count() > 0),
        }
    }

    #[test]
    fn flag_words_read_back_and_bits_without_a_name_are_refused(bits: u32) {
        let masked = bits & EnrollmentFlags::ALL.bits();
        let flags = EnrollmentFlags::from_bits(masked).unwrap();
        let named = flags.names().into_iter().map(|name| EnrollmentFlags::from_name(name).unwrap());
        prop_assert_eq!(named.fold(EnrollmentFlags::default(), EnrollmentFlags::with), flags);
        prop_assert_eq!(flags.bits(), masked);
        for unknown in [
            GeneralFlags::from_bits(bits | 0x400).is_err(),
            NameFlags::from_bits(bits | 0x2).is_err(),
            EnrollmentFlags::from_bits(bits | 0x10_0000).is_err(),
            PrivateKeyFlags::from_bits(bits | 0x2).is_err(),
        ] {
            prop_assert!(unknown);
        }
    }
}
