//! AD CS's own values, and the tutorial's edits of them.

use super::*;

/// [MS-CRTD] appendix B, machine-readable.
const ADCS: &str = include_str!("../../../../tests/fixtures/ad_cs_templates.json");

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
