//! The bytes of AD CS, and its order of extensions.

use super::*;

const KU_A0: &str = "30 0E 06 03 55 1D 0F 01 01 FF 04 04 03 02 05 A0";

#[test]
fn golden_vpn_user() {
    // The OID and revision whose bytes are known.
    let template = changed("VPNUserAuthentication", |file| {
        file.oid = "5555555.6666666".into();
        file.minor_revision = 4;
    });
    let profile = member(&template, &named("CN=whoever", &[]), &user()).unwrap();
    assert_eq!(
        order(&profile),
        ["21.7", "EKU", "KU", "21.10", "SKI", "AKI", "CDP", "FreshestCRL", "AIA", "SAN", "25.2"]
    );
    assert_eq!(
        hex(&profile, oid::TEMPLATE_INFORMATION),
        "30 3B 06 09 2B 06 01 04 01 82 37 15 07 04 2E 30 2C 06 24 2B 06 01 04 01 82 37 15 08 CB AD \
         07 83 D3 97 31 C3 E8 47 81 87 D1 0E 81 CB B9 55 2C 82 D3 8A 63 83 96 F3 2A 02 01 64 02 01 \
         04"
    );
    assert_eq!(
        hex(&profile, oid::EXTENDED_KEY_USAGE),
        "30 29 06 03 55 1D 25 04 22 30 20 06 0A 2B 06 01 04 01 82 37 0A 03 04 06 08 2B 06 01 05 05 \
         07 03 04 06 08 2B 06 01 05 05 07 03 02"
    );
    assert_eq!(hex(&profile, oid::KEY_USAGE), KU_A0);
    assert_eq!(
        hex(&profile, oid::APPLICATION_POLICIES),
        "30 35 06 09 2B 06 01 04 01 82 37 15 0A 04 28 30 26 30 0C 06 0A 2B 06 01 04 01 82 37 0A 03 \
         04 30 0A 06 08 2B 06 01 05 05 07 03 04 30 0A 06 08 2B 06 01 05 05 07 03 02"
    );
    assert_eq!(
        hex(&profile, oid::SUBJECT_ALTERNATIVE_NAME),
        "30 2C 06 03 55 1D 11 04 25 30 23 A0 21 06 0A 2B 06 01 04 01 82 37 14 02 03 A0 13 0C 11 61 \
         6C 69 63 65 40 63 6F 6E 74 6F 73 6F 2E 63 6F 6D"
    );
    assert_eq!(
        hex(&profile, oid::CA_SECURITY),
        "30 4D 06 09 2B 06 01 04 01 82 37 19 02 04 40 30 3E A0 3C 06 0A 2B 06 01 04 01 82 37 19 02 \
         01 A0 2E 04 2C 53 2D 31 2D 35 2D 32 31 2D 31 30 30 34 33 33 36 33 34 38 2D 31 31 37 37 32 \
         33 38 39 31 35 2D 36 38 32 30 30 33 33 33 30 2D 35 31 32"
    );
    assert_eq!(profile.subject.to_string(), "CN=Alice Adams,OU=Staff,DC=contoso,DC=com");
    assert_eq!(profile.subject.to_forward_string(), "DC=com,DC=contoso,OU=Staff,CN=Alice Adams");
}

#[test]
fn golden_vpn_server() {
    let names = [dns("vpn.contoso.com"), dns("132.64.86.2")];
    let request = named("CN=vpn.contoso.com", &names);
    let server = computer("vpn01", &["VPN Servers"]);
    let profile = member(&vpn_server(), &request, &server).unwrap();
    assert_eq!(
        order(&profile),
        ["21.7", "EKU", "KU", "21.10", "SKI", "AKI", "CDP", "FreshestCRL", "AIA", "SAN"]
    );
    assert_eq!(
        hex(&profile, oid::EXTENDED_KEY_USAGE),
        "30 27 06 03 55 1D 25 04 20 30 1E 06 08 2B 06 01 05 05 08 02 02 06 08 2B 06 01 05 05 07 03 \
         02 06 08 2B 06 01 05 05 07 03 01"
    );
    assert_eq!(
        hex(&profile, oid::APPLICATION_POLICIES),
        "30 33 06 09 2B 06 01 04 01 82 37 15 0A 04 26 30 24 30 0A 06 08 2B 06 01 05 05 08 02 02 30 \
         0A 06 08 2B 06 01 05 05 07 03 02 30 0A 06 08 2B 06 01 05 05 07 03 01"
    );
    assert_eq!(hex(&profile, oid::KEY_USAGE), KU_A0);
    // An address asked for as a DNS name stays one.
    assert_eq!(
        hex(&profile, oid::SUBJECT_ALTERNATIVE_NAME),
        "30 27 06 03 55 1D 11 04 20 30 1E 82 0F 76 70 6E 2E 63 6F 6E 74 6F 73 6F 2E 63 6F 6D 82 0B \
         31 33 32 2E 36 34 2E 38 36 2E 32"
    );
    assert_eq!(profile.subject.to_string(), "CN=vpn.contoso.com");
}

#[test]
fn golden_nps_server() {
    let server = computer("nps01", &["nps servers"]);
    let request = named("CN=ignored", &[dns("ignored.example.org")]);
    let profile = member(&template("NPSServerAuthentication"), &request, &server).unwrap();
    assert_eq!(
        order(&profile),
        ["21.7", "EKU", "KU", "21.10", "SKI", "AKI", "CDP", "FreshestCRL", "AIA", "SAN", "25.2"]
    );
    assert_eq!(
        hex(&profile, oid::EXTENDED_KEY_USAGE),
        "30 1D 06 03 55 1D 25 04 16 30 14 06 08 2B 06 01 05 05 07 03 02 06 08 2B 06 01 05 05 07 03 \
         01"
    );
    assert_eq!(
        hex(&profile, oid::APPLICATION_POLICIES),
        "30 27 06 09 2B 06 01 04 01 82 37 15 0A 04 1A 30 18 30 0A 06 08 2B 06 01 05 05 07 03 02 30 \
         0A 06 08 2B 06 01 05 05 07 03 01"
    );
    assert_eq!(hex(&profile, oid::KEY_USAGE), KU_A0);
    assert_eq!(profile.subject.to_string(), "CN=nps01.contoso.com");
    let san = extension(&profile, oid::SUBJECT_ALTERNATIVE_NAME).unwrap();
    assert_eq!(alternative_name::decode(&san.value).unwrap(), [dns("nps01.contoso.com")]);
    assert!(!san.critical);
}

#[test]
fn version_one_templates_have_their_own_order() {
    let request = named("", &[]);
    let profile = member(&template("User"), &request, &user()).unwrap();
    assert_eq!(
        order(&profile),
        ["20.2", "AIA", "SKI", "KU", "SAN", "25.2", "CDP", "FreshestCRL", "AKI", "EKU"]
    );
    assert_eq!(
        hex(&profile, oid::TEMPLATE_NAME),
        "30 17 06 09 2B 06 01 04 01 82 37 14 02 04 0A 1E 08 00 55 00 73 00 65 00 72"
    );
    assert_eq!(
        profile.subject.to_string(),
        "E=alice@contoso.com,CN=Alice Adams,OU=Staff,DC=contoso,DC=com"
    );
    let machine = computer("pc7", &["Domain Computers"]);
    let profile = member(&template("Machine"), &request, &machine).unwrap();
    assert_eq!(
        hex(&profile, oid::TEMPLATE_NAME),
        "30 1D 06 09 2B 06 01 04 01 82 37 14 02 04 10 1E 0E 00 4D 00 61 00 63 00 68 00 69 00 6E 00 \
         65"
    );
}

#[test]
fn a_subordinate_authority_is_for_managers_and_has_what_a_ca_has() {
    let request = named("CN=Issuing CA,DC=contoso,DC=com", &[]);
    let sub_ca = template("SubCA");
    assert_eq!(rule(member(&sub_ca, &request, &user())), Rule::EnrollmentNotPermitted);
    let profile = enrol(&sub_ca, &request, &user(), Standing::Manager).unwrap();
    assert_eq!(
        order(&profile),
        ["21.1", "20.2", "AIA", "SKI", "KU", "BC", "CDP", "FreshestCRL", "AKI"]
    );
    assert_eq!(hex(&profile, oid::KEY_USAGE), "30 0E 06 03 55 1D 0F 01 01 FF 04 04 03 02 01 86");
    assert_eq!(
        hex(&profile, oid::BASIC_CONSTRAINTS),
        "30 0F 06 03 55 1D 13 01 01 FF 04 05 30 03 01 01 FF"
    );
}

#[test]
fn enrolment_flags_that_speak_to_a_ca() {
    let request = named("", &[]);
    let responder = computer("ocsp", &[]);
    let template = template("OCSPResponseSigning");
    let profile = enrol(&template, &request, &responder, Standing::Manager).unwrap();
    // No CDP and no AIA; and nobody checks a responder's own certificate.
    assert_eq!(
        order(&profile),
        ["21.7", "EKU", "KU", "21.10", "nocheck", "SKI", "AKI", "SAN", "25.2"]
    );
    let template = changed("VPNUserAuthentication", |file| {
        file.enrollment_flags.push("INCLUDE_BASIC_CONSTRAINTS_FOR_EE_CERTS".into());
        file.critical_extensions.push("2.5.29.19".into());
    });
    let profile = member(&template, &request, &user()).unwrap();
    assert_eq!(hex(&profile, oid::BASIC_CONSTRAINTS), "30 0C 06 03 55 1D 13 01 01 FF 04 02 30 00");
}

#[test]
fn alternative_names_are_critical_where_the_template_or_an_empty_subject_says_so() {
    let request = named("", &[]);
    let dc = computer("dc1", &["Domain Controllers"]);
    for cn in ["KerberosAuthentication", "DomainControllerAuthentication"] {
        let profile = member(&template(cn), &request, &dc).unwrap();
        assert!(profile.subject.is_empty());
        assert!(extension(&profile, oid::SUBJECT_ALTERNATIVE_NAME).unwrap().critical, "{cn}");
    }
    let profile = member(&template("KerberosAuthentication"), &request, &dc).unwrap();
    let san = extension(&profile, oid::SUBJECT_ALTERNATIVE_NAME).unwrap();
    let names = alternative_name::decode(&san.value).unwrap();
    assert_eq!(names, [dns("dc1.contoso.com"), dns("contoso.com")]);
    // AD CS leaves it uncritical here, against RFC 5280 §4.1.2.6.
    let machine = computer("pc7", &["Domain Computers"]);
    let profile = member(&template("Workstation"), &request, &machine).unwrap();
    assert!(extension(&profile, oid::SUBJECT_ALTERNATIVE_NAME).unwrap().critical);
}

#[test]
fn elliptic_keys_encipher_nothing() {
    let request = csr(ec_key(), "", &[]);
    let profile = member(&template("VPNUserAuthentication"), &request, &user()).unwrap();
    let usage = extension(&profile, oid::KEY_USAGE).unwrap();
    assert_eq!(extension::read_key_usage(&usage.value).unwrap(), KeyUsage::DIGITAL_SIGNATURE);
    let nps = computer("nps01", &["NPS Servers"]);
    let refused = member(&template("NPSServerAuthentication"), &request, &nps);
    assert_eq!(rule(refused), Rule::KeyAlgorithmNotAllowed);
    let encipher = changed("VPNUserAuthentication", |file| {
        file.key_usage = vec!["keyEncipherment".into()];
    });
    assert_eq!(rule(member(&encipher, &request, &user())), Rule::KeyAlgorithmNotAllowed);
}

#[test]
fn a_key_below_the_templates_minimum_is_too_small() {
    let large = changed("VPNUserAuthentication", |file| {
        file.key_algorithms[0].minimum_bits = Some(3072);
    });
    assert_eq!(rule(member(&large, &named("", &[]), &user())), Rule::KeyTooSmall);
}
