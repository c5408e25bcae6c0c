use proptest::prelude::*;

use super::*;
use crate::pki::security_descriptor::{Ace, Dacl, Effect, SecurityDescriptor};
use crate::pki::template::{Principal, Template, TemplateArc, TemplateFile, shipped};

const LDIF: &[u8] = include_bytes!("../../../../tests/fixtures/ad_cs_export/templates.ldf");
const UNICODE: &[u8] =
    include_bytes!("../../../../tests/fixtures/ad_cs_export/templates-unicode.ldf");
const PROPERTIES: &[u8] =
    include_bytes!("../../../../tests/fixtures/ad_cs_export/certutil-template.txt");
const ATTRIBUTES: &[u8] =
    include_bytes!("../../../../tests/fixtures/ad_cs_export/certutil-dstemplate.txt");
const MODULE: &[u8] =
    include_bytes!("../../../../tests/fixtures/ad_cs_export/VPNUserAuthentication.json");

fn arc() -> TemplateArc {
    TemplateArc::from_random([7; 16])
}

fn principals() -> Principals {
    let group = |relative: u32, name: &str| {
        let sid = format!("S-1-5-21-1004336348-1177238915-682003330-{relative}");
        (sid.parse().unwrap(), Principal::Group(name.to_owned()))
    };
    [
        group(1104, "VPN Users"),
        group(1105, "VPN Servers"),
        group(1106, "NPS Servers"),
        group(1107, "VPN Devices"),
    ]
    .into()
}

fn converted(octets: &[u8], principals: &Principals, losses: Losses) -> Vec<Conversion> {
    let circumstances = Circumstances { arc: &arc(), principals, losses };
    let entries = read(octets, None).unwrap();
    entries.iter().map(|entry| convert(entry, &circumstances)).collect()
}

/// A text of the fixtures, changed.
fn changed(octets: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(octets.to_vec()).unwrap();
    assert!(text.contains(from), "{from} is not there");
    text.replace(from, to).into_bytes()
}

fn template<'a>(conversions: &'a [Conversion], cn: &str) -> &'a Template {
    let found = conversions.iter().find(|own| own.name == cn).unwrap();
    found.template.as_ref().unwrap_or_else(|| panic!("{cn}: {:?}", found.report.refused))
}

fn report<'a>(conversions: &'a [Conversion], cn: &str) -> &'a Report {
    &conversions.iter().find(|own| own.name == cn).unwrap().report
}

fn own(cn: &str) -> Template {
    shipped().into_iter().find(|own| own.cn() == cn).unwrap()
}

/// The same but for what identifies it.
fn same_but_for_oid(imported: &Template, cn: &str) {
    let shipped = own(cn).to_file();
    let file = TemplateFile {
        oid: shipped.oid.clone(),
        origin: shipped.origin.clone(),
        ..imported.to_file()
    };
    assert_eq!(file, shipped);
}

const TUTORIAL: [&str; 3] =
    ["VPNUserAuthentication", "VPNServerAuthentication", "NPSServerAuthentication"];

#[test]
fn the_tutorials_templates_made_by_hand_in_ad_cs_are_the_shipped_ones() {
    for octets in [LDIF, UNICODE] {
        let conversions = converted(octets, &principals(), Losses::Refused);
        for cn in TUTORIAL {
            same_but_for_oid(template(&conversions, cn), cn);
        }
    }
}

#[test]
fn certutil_names_the_groups_itself() {
    let conversions = converted(PROPERTIES, &Principals::new(), Losses::Refused);
    for cn in TUTORIAL {
        same_but_for_oid(template(&conversions, cn), cn);
    }
}

#[test]
fn without_a_security_descriptor_nobody_is_granted_anything() {
    let without = converted(ATTRIBUTES, &principals(), Losses::Refused);
    let module = converted(MODULE, &principals(), Losses::Refused);
    assert_eq!(without.len(), 3);
    for (conversions, cns) in [(&without, &TUTORIAL[..]), (&module, &TUTORIAL[..1])] {
        for cn in cns {
            let template = template(conversions, cn);
            assert_eq!(template.permissions().iter().count(), 0);
            let file =
                TemplateFile { permissions: own(cn).to_file().permissions, ..template.to_file() };
            same_but_for_oid(&Template::from_file(&file).unwrap(), cn);
            let lost = &report(conversions, cn).not_honoured;
            assert!(lost.iter().any(|own| own.what == "nTSecurityDescriptor"), "{lost:?}");
        }
    }
}

#[test]
fn oid_and_revision_stay_those_of_the_forest() {
    let conversions = converted(LDIF, &principals(), Losses::Refused);
    let template = template(&conversions, "VPNUserAuthentication");
    let oid =
        "1.3.6.1.4.1.311.21.8.14022710.8053821.4148415.11041814.15190471.213.9126694.13796578";
    assert_eq!(template.oid(&arc()).to_string(), oid);
    assert_eq!((template.major_revision(), template.minor_revision()), (100, 1));
    // In an installation that took over the forest's arc it is a tail.
    let forest: TemplateArc =
        "1.3.6.1.4.1.311.21.8.14022710.8053821.4148415.11041814.15190471.213".parse().unwrap();
    let (entries, principals) = (read(LDIF, None).unwrap(), principals());
    let circumstances =
        Circumstances { arc: &forest, principals: &principals, losses: Losses::Refused };
    let tail = convert(&entries[0], &circumstances).template.unwrap().template_oid();
    assert_eq!(tail.to_string(), "9126694.13796578");
}

#[test]
fn a_built_in_template_of_a_forest_is_ours_but_for_oid_and_permissions() {
    let conversions = converted(LDIF, &principals(), Losses::Refused);
    let user = template(&conversions, "User").to_file();
    let ours = own("User").to_file();
    let mut file =
        TemplateFile { permissions: ours.permissions.clone(), oid: ours.oid.clone(), ..user };
    // The fixture has the tutorial's purposes in another order of EKUs; sort out nothing else.
    file.extended_key_usage.sort();
    let mut ours = ours;
    ours.extended_key_usage.sort();
    assert_eq!(file, ours);
}

#[test]
fn the_subject_from_the_request_may_stand_in_either_place() {
    for (flags, names) in [("131649", "1241513984"), ("131648", "1")] {
        let octets = changed(LDIF, "flags: 131649\r\n", &format!("flags: {flags}\r\n"));
        let octets = changed(
            &octets,
            "msPKI-Certificate-Name-Flag: 1\r\n",
            &format!("msPKI-Certificate-Name-Flag: {names}\r\n"),
        );
        let conversions = converted(&octets, &principals(), Losses::Refused);
        let template = template(&conversions, "VPNServerAuthentication");
        assert!(template.subject_comes_from_request());
        let differences = &report(&conversions, "VPNServerAuthentication").differences;
        assert!(differences.iter().any(|own| own.contains("ESC1")), "{differences:?}");
    }
}

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

#[test]
fn certutil_in_another_language_is_refused() {
    for (from, to) in [("1 Years", "1 Jahre"), ("    Allow Enroll", "    Zulassen Registrieren")] {
        let octets = changed(PROPERTIES, from, to);
        assert!(matches!(read(&octets, None), Err(Unreadable::NotEnglish(_))), "{to}");
    }
    let octets = changed(ATTRIBUTES, "6 Weeks", "6 Wochen");
    assert!(matches!(read(&octets, None), Err(Unreadable::NotEnglish(_))));
}

#[test]
fn hostile_ldif_is_refused_with_its_line() {
    let head = "dn: CN=X,CN=Certificate Templates\nobjectClass: pKICertificateTemplate\n";
    for (text, line) in [
        ("cn: X\n", 1),
        ("version: 2\n", 1),
        (" cn: X\n", 1),
        (&format!("{head}pKIKeyUsage:: o A=\n"), 3),
        (&format!("{head}pKIKeyUsage:: oAA\n"), 3),
        (&format!("{head}jpegPhoto:< file:///etc/passwd\n"), 3),
        (&format!("{head}changetype: delete\n"), 3),
        (&format!("{head}control: 1.2.840.113556.1.4.801\n"), 3),
        (&format!("{head}dn: CN=Y\n"), 3),
        (&format!("{head}no colon\n"), 3),
        (&format!("{head}\n folded onto nothing\n"), 4),
        (&format!("{head}nTSecurityDescriptor:: AAAA\n"), 3),
    ] {
        let error = read(text.as_bytes(), Some(Format::Ldif)).unwrap_err();
        let told = format!("{error}");
        assert!(told.starts_with(&format!("line {line}: ")), "{text}: {told}");
    }
    let twice = format!("{head}cn: X\n\n{}cn: x\n", head.replace("CN=X", "CN=x"));
    assert_eq!(read(twice.as_bytes(), None), Err(Unreadable::Twice("x".to_owned())));
    let many = "dn: CN=X\n\n".repeat(2_100);
    assert!(matches!(read(many.as_bytes(), None), Err(Unreadable::Line(..))));
    let wide = format!("{head}{}", (0..300).map(|own| format!("a{own}: x\n")).collect::<String>());
    assert!(matches!(read(wide.as_bytes(), None), Err(Unreadable::Line(..))));
    let long = format!("{head}{}", "cn: x\n".repeat(2_000));
    assert!(matches!(read(long.as_bytes(), None), Err(Unreadable::Line(..))));
    assert_eq!(read(b"dn: CN=OID\nobjectClass: container\n", None), Err(Unreadable::Empty));
    assert_eq!(read(&[0xff, 0xfe, 0x00], None), Err(Unreadable::Text(text::NotText)));
    assert_eq!(read(b"hello", None), Err(Unreadable::Format));
}

fn forest() -> Forest {
    let mut forest = Forest::named("DC=contoso,DC=com");
    forest.domain = "S-1-5-21-1004336348-1177238915-682003330".parse().unwrap();
    forest.sids = principals();
    forest
}

fn back(template: &Template, forest: &Forest, format: Format) -> Conversion {
    let written = write(&entries(&[template], &arc(), forest).unwrap(), format).unwrap();
    let principals = Principals::new();
    let circumstances =
        Circumstances { arc: &arc(), principals: &principals, losses: Losses::Refused };
    convert(&read(written.as_bytes(), None).unwrap()[0], &circumstances)
}

#[test]
fn every_shipped_template_comes_back_as_it_went() {
    for format in [Format::Ldif, Format::Json] {
        for forest in [forest(), Forest::named("DC=corp,DC=example")] {
            for template in shipped() {
                let conversion = back(&template, &forest, format);
                assert_eq!(conversion.report.refused, Vec::<String>::new(), "{}", template.cn());
                assert_eq!(conversion.template.unwrap(), template);
            }
        }
    }
    let all = shipped();
    let all: Vec<&Template> = all.iter().collect();
    let written = write(&entries(&all, &arc(), &forest()).unwrap(), Format::Ldif).unwrap();
    assert_eq!(read(written.as_bytes(), None).unwrap().len(), all.len());
    assert!(written.lines().all(|line| line.len() <= 76), "a line is too long");
}

#[test]
fn without_its_note_an_export_still_says_what_the_directory_can_hold() {
    for template in shipped() {
        let entries = entries(&[&template], &arc(), &forest()).unwrap();
        let bare: Vec<Entry> =
            entries.into_iter().map(|entry| Entry { note: None, ..entry }).collect();
        let written = write(&bare, Format::Ldif).unwrap();
        let conversions = converted(written.as_bytes(), &principals(), Losses::Refused);
        let file = conversions[0]
            .template
            .as_ref()
            .unwrap_or_else(|| panic!("{:?}", conversions[0].report.refused))
            .to_file();
        let mut ours = template.to_file();
        // What Active Directory has no place for.
        ours.requested_names = None;
        ours.key_algorithms.clone_from(&file.key_algorithms);
        ours.origin.clone_from(&file.origin);
        ours.permissions.sort_by_key(|own| own.group.clone());
        let same: Vec<_> =
            ours.permissions.iter().map(|own| (own.group.clone(), own.allow.clone())).collect();
        let theirs: Vec<_> =
            file.permissions.iter().map(|own| (own.group.clone(), own.allow.clone())).collect();
        assert_eq!(theirs, same, "{}", template.cn());
        ours.permissions.clone_from(&file.permissions);
        assert_eq!(file, ours);
    }
}

#[test]
fn a_note_that_disagrees_with_its_attributes_is_not_believed() {
    let template = own("VPNUserAuthentication");
    let written = write(&entries(&[&template], &arc(), &forest()).unwrap(), Format::Ldif).unwrap();
    let longer =
        written.replace("pKIExpirationPeriod:: AEA5hy7h/v8=", "pKIExpirationPeriod:: AIByDl3C/f8=");
    assert_ne!(longer, written);
    let conversions = converted(longer.as_bytes(), &principals(), Losses::Refused);
    assert_eq!(conversions[0].template.as_ref().unwrap().validity().to_string(), "2 years");
    assert!(conversions[0].report.differences.iter().any(|own| own.contains("does not agree")));
}

fn any_file() -> impl Strategy<Value = TemplateFile> {
    let base = prop::sample::select(shipped());
    let names = proptest::collection::btree_set("[A-Z][a-z]{1,8}( [A-Z][a-z]{1,6})?", 0..5);
    let rights = proptest::collection::vec(
        prop::sample::subsequence(
            vec!["Read", "Write", "Enroll", "Autoenroll", "Revoke", "FullControl"],
            1..6,
        ),
        5,
    );
    let words =
        prop::sample::select(vec!["400 days", "30 weeks", "12 months", "18000 hours", "3 years"]);
    (
        base,
        names,
        rights,
        any::<[bool; 10]>(),
        words,
        "[A-Za-z][A-Za-z0-9._-]{0,20}",
        0_u32..9999,
        any::<[u8; 6]>(),
    )
        .prop_map(|(base, names, rights, toss, validity, cn, minor, oid)| {
            let mut file = base.to_file();
            file.cn = cn;
            file.origin = "custom".to_owned();
            file.general_flags.retain(|own| own != "IS_DEFAULT");
            file.schema_version = file.schema_version.max(2);
            file.minor_revision = minor;
            file.validity_period = validity.to_owned();
            file.oid = crate::pki::template::TemplateOid::from_random(oid).to_string();
            if file.name_flags.iter().any(|own| own == "ENROLLEE_SUPPLIES_SUBJECT") && toss[8] {
                file.requested_names = Some(crate::pki::template::RequestedNamesFile {
                    dns_suffixes: vec!["vpn.contoso.com".to_owned()],
                    ..Default::default()
                });
            }
            let entries = names.into_iter().zip(rights).zip(toss);
            file.permissions = entries
                .map(|((name, rights), toss)| {
                    let words: Vec<String> = rights.iter().map(ToString::to_string).collect();
                    let (allow, deny) = words.split_at(words.len() / 2);
                    crate::pki::template::PermissionFile {
                        group: toss.then(|| name.clone()),
                        account: (!toss).then_some(name),
                        allow: allow.to_vec(),
                        deny: deny.to_vec(),
                    }
                })
                .collect();
            file
        })
}

proptest! {
    #[test]
    fn generated_templates_come_back_as_they_went(file in any_file(), json: bool, known: bool) {
        let Ok(template) = Template::from_file(&file) else { return Ok(()) };
        let format = if json { Format::Json } else { Format::Ldif };
        let forest = if known { forest() } else { Forest::named("DC=x") };
        prop_assert_eq!(back(&template, &forest, format).template, Some(template));
    }

    #[test]
    fn any_octets_are_refused_or_read(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        for format in [None, Some(Format::Ldif), Some(Format::Json), Some(Format::Certutil)] {
            let _ = read(&octets, format);
        }
    }

    #[test]
    fn a_changed_fixture_is_refused_or_converted(
        which in 0_usize..5, at: prop::sample::Index, octet: u8,
    ) {
        let mut octets = [LDIF, UNICODE, PROPERTIES, ATTRIBUTES, MODULE][which].to_vec();
        let at = at.index(octets.len());
        octets[at] = octet;
        let principals = principals();
        let circumstances =
            Circumstances { arc: &arc(), principals: &principals, losses: Losses::Accepted };
        for entry in read(&octets, None).unwrap_or_default() {
            let conversion = convert(&entry, &circumstances);
            prop_assert_eq!(conversion.template.is_some(), conversion.report.refused.is_empty());
        }
    }

    #[test]
    fn any_values_come_back_from_ldif(
        values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..5),
        text in "\\PC{0,120}",
    ) {
        let mut entry = Entry::named("CN=X,CN=Certificate Templates");
        entry.add("objectClass", "pKICertificateTemplate").unwrap();
        for value in &values {
            entry.add("attribute", value.clone()).unwrap();
        }
        entry.add("displayName", text.clone()).unwrap();
        let written = write(std::slice::from_ref(&entry), Format::Ldif).unwrap();
        let read = read(written.as_bytes(), None).unwrap();
        prop_assert_eq!(read[0].values("attribute"), values.as_slice());
        prop_assert_eq!(read[0].text("displayName"), Some(text.as_str()));
    }
}

/// More entries than a descriptor can hold, each of somebody else who has a name in the file: what
/// is uploaded costs as much as it is long, not its square.
#[test]
fn a_large_file_costs_as_much_as_it_is_long() {
    let mut entry = read(LDIF, None).unwrap().remove(0);
    let sid = |number: usize| format!("S-1-5-21-1-2-3-{}", 5000 + number).parse().unwrap();
    let Some(SecurityDescriptor { dacl: Dacl::Entries(entries), .. }) = &mut entry.descriptor
    else {
        panic!("the fixture has entries")
    };
    let one = entries.iter().find(|own| own.effect == Effect::Allow).unwrap().clone();
    entries.clear();
    for number in 0..40_000 {
        entries.push(Ace { trustee: sid(number), ..one.clone() });
        entry.names.insert(sid(number), format!("name {number}"));
    }
    let begun = std::time::Instant::now();
    let principals = principals();
    let circumstances =
        Circumstances { arc: &arc(), principals: &principals, losses: Losses::Refused };
    assert!(convert(&entry, &circumstances).report.mapped.len() >= 40_000);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
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
