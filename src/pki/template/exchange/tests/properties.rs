//! Generated templates, changed fixtures, any octets.

use super::*;

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
