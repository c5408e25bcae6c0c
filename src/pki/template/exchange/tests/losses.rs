//! Rights that nobody stands for, denials, holes, and what cannot be honoured.

use super::*;

#[test]
fn unmapped_identifiers_are_told_and_get_nothing() {
    let conversions = converted(LDIF, &Principals::new(), Losses::Refused);
    let template = template(&conversions, "VPNUserAuthentication");
    let names: Vec<_> = template.permissions().iter().map(|own| own.principal.name()).collect();
    assert_eq!(names, ["Authenticated Users"]);
    let lost = &report(&conversions, "VPNUserAuthentication").not_honoured;
    let sid = "S-1-5-21-1004336348-1177238915-682003330-1104";
    assert!(
        lost.iter().any(|own| own.what.contains(sid) && own.what.contains("Enroll")),
        "{lost:?}"
    );
}

/// certutil's text with one more entry in the descriptor and no lines of names.
fn with_ace(ace: &str) -> Vec<u8> {
    let text = String::from_utf8(PROPERTIES.to_vec()).unwrap();
    let text = text.replace("D:PAI", &format!("D:PAI{ace}"));
    let kept = text.lines().filter(|line| !line.trim_start().starts_with("Allow "));
    kept.collect::<Vec<_>>().join("\n").into_bytes()
}

#[test]
fn a_denial_is_kept_or_the_template_is_refused() {
    let deny = "(OD;;CR;0e10c968-78fb-11d2-90d4-00c04f79dc55;;S-1-5-21-1-2-3-1999)";
    let mut known = principals();
    let refused = converted(&with_ace(deny), &known, Losses::Accepted);
    for conversion in &refused {
        assert!(conversion.template.is_none());
        assert!(conversion.report.refused[0].contains("S-1-5-21-1-2-3-1999"));
    }
    known.insert("S-1-5-21-1-2-3-1999".parse().unwrap(), Principal::Account("bob".to_owned()));
    let kept = converted(&with_ace(deny), &known, Losses::Refused);
    let file = template(&kept, "VPNUserAuthentication").to_file();
    let bob = file.permissions.iter().find(|own| own.account.as_deref() == Some("bob")).unwrap();
    assert_eq!(bob.deny, ["Enroll"]);
    // Denied by a name of which nobody knows whether it is a group's: both are denied.
    let named = changed(PROPERTIES, "D:PAI", &format!("D:PAI{deny}"));
    let named = changed(
        &named,
        "    Allow Enroll\tCONTOSO\\VPN Users\r\n",
        "    Deny Enroll\tCONTOSO\\carol\r\n    Allow Enroll\tCONTOSO\\VPN Users\r\n",
    );
    let entries = read(&named, None).unwrap();
    let circumstances =
        Circumstances { arc: &arc(), principals: &Principals::new(), losses: Losses::Refused };
    let file = convert(&entries[0], &circumstances).template.unwrap().to_file();
    let denied: Vec<_> = file.permissions.iter().filter(|own| own.deny == ["Enroll"]).collect();
    assert_eq!(denied.len(), 2);
    assert!(denied.iter().any(|own| own.group.as_deref() == Some("carol")));
    assert!(denied.iter().any(|own| own.account.as_deref() == Some("carol")));
}

#[test]
fn a_denial_to_nobody_in_particular_is_not_passed_over() {
    // Every request that AD CS takes comes over the network.
    for who in ["NU", "AN", "RC", "SY"] {
        let deny = format!("(OD;;CR;0e10c968-78fb-11d2-90d4-00c04f79dc55;;{who})");
        for conversion in converted(&with_ace(&deny), &principals(), Losses::Accepted) {
            assert!(conversion.template.is_none(), "{who}");
            assert!(conversion.report.refused[0].contains("denies Enroll to"), "{who}");
        }
    }
}

#[test]
fn every_attack_is_refused_by_its_name() {
    let everybody = "(OA;;CR;0e10c968-78fb-11d2-90d4-00c04f79dc55;;DU)";
    let refused = |octets: &[u8], cn: &str, name: &str| {
        let conversions = converted(octets, &principals(), Losses::Accepted);
        let found = conversions.iter().find(|own| own.name == cn).unwrap();
        assert!(found.template.is_none(), "{name}: {cn} was imported");
        let why = found.report.refused.join("; ");
        assert!(why.contains(name), "{name}: {why}");
    };
    refused(&with_ace(everybody), "VPNServerAuthentication", "ESC1");
    refused(&with_ace("(A;;CR;;;AU)"), "VPNServerAuthentication", "ESC1");
    // Whoever may change it need not enrol it as it is.
    refused(&with_ace("(A;;GA;;;AU)"), "VPNServerAuthentication", "ESC4");
    let any = changed(
        LDIF,
        "pKIExtendedKeyUsage: 1.3.6.1.5.5.7.3.1\r\n",
        "pKIExtendedKeyUsage: 2.5.29.37.0\r\n",
    );
    refused(&any, "NPSServerAuthentication", "ESC2");
    let agent = changed(
        LDIF,
        "pKIExtendedKeyUsage: 1.3.6.1.5.5.7.3.1\r\n",
        "pKIExtendedKeyUsage: 1.3.6.1.4.1.311.20.2.1\r\n",
    );
    refused(&agent, "NPSServerAuthentication", "ESC3");
    for write in
        ["(A;;WP;;;AU)", "(A;;CCDCLCSWRPWPDTLOSDRCWDWO;;;DC)", "(A;;GA;;;WD)", "(A;;GW;;;BU)"]
    {
        refused(&with_ace(write), "VPNUserAuthentication", "ESC4");
    }
    let anonymous =
        changed(LDIF, "msPKI-Enrollment-Flag: 33\r\n", "msPKI-Enrollment-Flag: 524321\r\n");
    refused(&anonymous, "VPNUserAuthentication", "ESC9");
    let authority = changed(LDIF, "flags: 131648\r\n", "flags: 131776\r\n");
    let authority = changed(&authority, "pKIKeyUsage:: oAA=", "pKIKeyUsage:: hgA=");
    refused(&authority, "NPSServerAuthentication", "certification authority");
}

#[test]
fn what_cannot_be_honoured_is_told_and_what_weakens_is_refused() {
    // Archival, attestation required, and a bit without a name.
    for (word, what, weaker) in [
        ("101056513", "REQUIRE_PRIVATE_KEY_ARCHIVAL", false),
        ("101064704", "ATTEST_REQUIRED", true),
        ("101187584", "bits 0x20000000", true),
    ] {
        let word = if what.starts_with("bits") {
            (101_056_512_u32 | 0x2000_0000).to_string()
        } else {
            word.to_owned()
        };
        let octets = changed(
            LDIF,
            "msPKI-Private-Key-Flag: 101056512",
            &format!("msPKI-Private-Key-Flag: {word}"),
        );
        let strict = converted(&octets, &principals(), Losses::Refused);
        let found = &strict[0];
        assert_eq!(found.template.is_none(), weaker, "{what}: {:?}", found.report.refused);
        assert!(found.report.not_honoured.iter().any(|own| own.what.contains(what)), "{what}");
        let accepted = converted(&octets, &principals(), Losses::Accepted);
        same_but_for_oid(template(&accepted, "VPNUserAuthentication"), "VPNUserAuthentication");
    }
    let octets = changed(
        LDIF,
        "msPKI-RA-Signature: 0\r\n",
        "msPKI-RA-Signature: 0\r\nmsPKI-New-Thing: x\r\n",
    );
    let lost =
        &report(&converted(&octets, &principals(), Losses::Refused), "User").not_honoured.clone();
    assert!(lost.iter().any(|own| own.what == "msPKI-New-Thing"), "{lost:?}");
}

#[test]
fn the_newer_syntax_of_ra_policies_names_the_key_algorithm() {
    let line = "msPKI-RA-Application-Policies: msPKI-Asymmetric-Algorithm`PZPWSTR`ECDSA_P384`msPKI-Hash-Algorithm`PZPWSTR`SHA384`msPKI-Key-Usage`DWORD`2`\r\n";
    let octets =
        changed(LDIF, "msPKI-RA-Signature: 0\r\n", &format!("msPKI-RA-Signature: 0\r\n{line}"));
    let conversions = converted(&octets, &principals(), Losses::Refused);
    let file = template(&conversions, "VPNUserAuthentication").to_file();
    assert_eq!(file.key_algorithms.len(), 1);
    assert_eq!(file.key_algorithms[0].algorithm, "ECDSA_P384");
    assert_eq!(file.ra_application_policies.len(), 1);
    assert_eq!(keys::triplets("1.2.3"), None);
    assert_eq!(keys::triplets("a`b`c`d`"), None);
}

/// A depth beyond 32 bits is not the -1 that means without a bound.
#[test]
fn a_depth_that_is_out_of_range_is_refused() {
    let mut entry = read(LDIF, None).unwrap().remove(0);
    entry = entry.without("pKIMaxIssuingDepth");
    entry.add("pKIMaxIssuingDepth", "4294967296").unwrap();
    let principals = principals();
    let circumstances =
        Circumstances { arc: &arc(), principals: &principals, losses: Losses::Refused };
    let conversion = convert(&entry, &circumstances);
    assert!(conversion.template.is_none());
    let refused = &conversion.report.refused;
    assert!(
        refused.iter().any(|own| own.contains("pKIMaxIssuingDepth: 4294967296")),
        "{refused:?}"
    );
}
