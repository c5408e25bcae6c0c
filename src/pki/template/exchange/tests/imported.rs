//! The templates of a forest as each of its exports has them.

use super::*;

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
