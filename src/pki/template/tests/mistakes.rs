//! Every mistake is told at once, under its key.

use super::*;

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
