//! What the policy promises: the bytes AD CS writes, a denial for every missing attribute, and
//! nothing out of a request but names within the rules.

use std::net::IpAddr;
use std::sync::OnceLock;

use const_oid::ObjectIdentifier;
use proptest::prelude::*;
use rcgen::SigningKey;

use super::*;
use crate::pki::account::AccountKind;
use crate::pki::alternative_name;
use crate::pki::encoding::{bit_string, constructed, element, identifier, integer, sequence};
use crate::pki::extension::{self, Extension, KeyUsage};
use crate::pki::oid;
use crate::pki::profile::{ExtensionSlot, ValidityCut};
use crate::pki::template::{RequestedNamesFile, shipped};

// --- the scenery ---------------------------------------------------------------------------

const HOUR: u64 = 3_600;
const YEAR: u64 = 365 * 24 * HOUR;

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn arc() -> TemplateArc {
    "1.3.6.1.4.1.311.21.8.1234567.7654321.1111111.2222222.3333333.44".parse().unwrap()
}

fn template(cn: &str) -> Template {
    shipped().into_iter().find(|own| own.cn() == cn).unwrap()
}

/// A template with other values under some keys.
fn changed(cn: &str, change: impl FnOnce(&mut crate::pki::template::TemplateFile)) -> Template {
    let mut file = template(cn).to_file();
    change(&mut file);
    Template::from_file(&file).unwrap()
}

/// The tutorial's VPN server template with the rules an administrator gave it.
fn vpn_server() -> Template {
    changed("VPNServerAuthentication", |file| {
        file.requested_names = Some(RequestedNamesFile {
            dns_suffixes: vec!["vpn.contoso.com".into()],
            dns_names: vec!["vpn".into()],
            addresses: vec!["132.64.86.2".into(), "2001:db8::/32".into()],
            subject_attributes: vec!["O=Contoso".into()],
            ..RequestedNamesFile::default()
        });
    })
}

fn user() -> Account {
    Account {
        name: "alice".into(),
        kind: AccountKind::User,
        cn: Some("Alice Adams".into()),
        display_name: Some("Alice Adams".into()),
        distinguished_name: Some("CN=Alice Adams,OU=Staff,DC=contoso,DC=com".into()),
        user_principal_name: Some("alice@contoso.com".into()),
        mail: Some("alice@contoso.com".into()),
        dns_host_name: None,
        object_sid: Some("S-1-5-21-1004336348-1177238915-682003330-512".into()),
        object_guid: Some("6f9619ff-8b86-d011-b42d-00c04fc964ff".into()),
        groups: vec!["VPN Users".into(), "Domain Users".into()],
        enabled: true,
    }
}

fn computer(name: &str, groups: &[&str]) -> Account {
    Account {
        name: format!("{name}$"),
        kind: AccountKind::Computer,
        cn: Some(name.to_uppercase()),
        distinguished_name: Some(format!("CN={name},OU=Servers,DC=contoso,DC=com")),
        user_principal_name: None,
        mail: None,
        dns_host_name: Some(format!("{name}.contoso.com")),
        groups: groups.iter().map(ToString::to_string).collect(),
        ..user()
    }
}

fn ec_key() -> &'static rcgen::KeyPair {
    static KEY: OnceLock<rcgen::KeyPair> = OnceLock::new();
    KEY.get_or_init(|| rcgen::KeyPair::generate().unwrap())
}

fn rsa_key() -> &'static rcgen::KeyPair {
    static KEY: OnceLock<rcgen::KeyPair> = OnceLock::new();
    KEY.get_or_init(|| rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap())
}

/// A request as anybody can write it: any subject, any extensions.
fn csr(key: &rcgen::KeyPair, subject: &str, extensions: &[Extension]) -> CertificateRequest {
    let subject = DistinguishedName::from_rfc4514(subject).unwrap();
    let listed: Vec<u8> = extensions.iter().flat_map(Extension::to_der).collect();
    let asked = element(0x31, &[&sequence(&[&listed])]);
    let attribute = sequence(&[&identifier(&oid::EXTENSION_REQUEST), &asked]);
    let attributes = if extensions.is_empty() { Vec::new() } else { attribute };
    let spki = rcgen::PublicKeyData::subject_public_key_info(key);
    let info =
        sequence(&[&integer(0), subject.as_der(), &spki, &element(constructed(0), &[&attributes])]);
    let signature = key.sign(&info).unwrap();
    let algorithm: &[u8] = match std::ptr::eq(key, rsa_key()) {
        true => &[0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 11, 5, 0],
        false => &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
    };
    CertificateRequest::parse(&sequence(&[&info, algorithm, &bit_string(&signature)])).unwrap()
}

fn named(subject: &str, names: &[AlternativeName]) -> CertificateRequest {
    let extension = extension::subject_alternative_name(names);
    let extensions = if names.is_empty() { vec![] } else { vec![extension] };
    csr(rsa_key(), subject, &extensions)
}

fn dns(name: &str) -> AlternativeName {
    AlternativeName::dns(name).unwrap()
}

/// The account enrols for itself.
fn enrol(
    template: &Template,
    request: &CertificateRequest,
    account: &Account,
    standing: Standing,
) -> Result<Profile, Denial> {
    let enroller = Enroller { account, standing };
    decide_case(&Case {
        template,
        arc: &arc(),
        request,
        subject: account,
        enroller,
        now: now(),
        authority_validity: (now().minus_seconds(YEAR), now().plus_seconds(10 * YEAR)),
    })
}

fn member(
    template: &Template,
    request: &CertificateRequest,
    account: &Account,
) -> Result<Profile, Denial> {
    enrol(template, request, account, Standing::Member)
}

fn rule(result: Result<Profile, Denial>) -> Rule {
    result.unwrap_err().rule
}

fn order(profile: &Profile) -> Vec<&'static str> {
    let known = [
        (oid::TEMPLATE_NAME, "20.2"),
        (oid::TEMPLATE_INFORMATION, "21.7"),
        (oid::APPLICATION_POLICIES, "21.10"),
        (oid::CA_VERSION, "21.1"),
        (oid::CA_SECURITY, "25.2"),
        (oid::EXTENDED_KEY_USAGE, "EKU"),
        (oid::KEY_USAGE, "KU"),
        (oid::SUBJECT_KEY_IDENTIFIER, "SKI"),
        (oid::SUBJECT_ALTERNATIVE_NAME, "SAN"),
        (oid::BASIC_CONSTRAINTS, "BC"),
        (oid::OCSP_NO_CHECK, "nocheck"),
    ];
    let word = |slot: &ExtensionSlot| match slot {
        ExtensionSlot::Fixed(own) => known.iter().find(|(oid, _)| *oid == own.oid).unwrap().1,
        ExtensionSlot::AuthorityKeyIdentifier => "AKI",
        ExtensionSlot::CrlDistributionPoints => "CDP",
        ExtensionSlot::AuthorityInformationAccess => "AIA",
    };
    profile.extensions.iter().map(word).collect()
}

fn extension(profile: &Profile, oid: ObjectIdentifier) -> Option<&Extension> {
    profile.extensions.iter().find_map(|slot| match slot {
        ExtensionSlot::Fixed(own) if own.oid == oid => Some(own),
        _ => None,
    })
}

fn hex(profile: &Profile, oid: ObjectIdentifier) -> String {
    let der = extension(profile, oid).unwrap().to_der();
    der.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(" ")
}

// --- the bytes of AD CS --------------------------------------------------------------------

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
        ["21.7", "EKU", "KU", "21.10", "SKI", "AKI", "CDP", "AIA", "SAN", "25.2"]
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
    assert_eq!(order(&profile), ["21.7", "EKU", "KU", "21.10", "SKI", "AKI", "CDP", "AIA", "SAN"]);
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
        ["21.7", "EKU", "KU", "21.10", "SKI", "AKI", "CDP", "AIA", "SAN", "25.2"]
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
    assert_eq!(order(&profile), ["20.2", "AIA", "SKI", "KU", "SAN", "25.2", "CDP", "AKI", "EKU"]);
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
    assert_eq!(order(&profile), ["21.1", "20.2", "AIA", "SKI", "KU", "BC", "CDP", "AKI"]);
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

// --- who -----------------------------------------------------------------------------------

#[test]
fn only_members_enrol_and_only_managers_for_others() {
    let (request, template) = (named("", &[]), template("VPNUserAuthentication"));
    let stranger = Account { groups: vec!["Domain Users".into()], ..user() };
    assert_eq!(rule(member(&template, &request, &stranger)), Rule::EnrollmentNotPermitted);
    let manager = Account { name: "root".into(), ..stranger.clone() };
    let alice = user();
    let on_behalf = |subject: &Account, account: &Account, standing| {
        decide_case(&Case {
            template: &template,
            arc: &arc(),
            request: &request,
            subject,
            enroller: Enroller { account, standing },
            now: now(),
            authority_validity: (now(), now().plus_seconds(YEAR)),
        })
    };
    assert!(on_behalf(&alice, &manager, Standing::Manager).is_ok());
    assert_eq!(rule(on_behalf(&alice, &manager, Standing::Member)), Rule::EnrollmentNotPermitted);
    assert_eq!(
        rule(on_behalf(&stranger, &manager, Standing::Manager)),
        Rule::EnrollmentNotPermitted
    );
    let disabled = |account: &Account| Account { enabled: false, ..account.clone() };
    for (subject, enroller) in [(disabled(&alice), manager.clone()), (alice, disabled(&manager))] {
        let refused = on_behalf(&subject, &enroller, Standing::Manager);
        assert_eq!(rule(refused), Rule::AccountDisabled);
    }
}

#[test]
fn names_from_the_request_without_rules_are_for_managers() {
    let (request, server) = (named("CN=vpn.contoso.com", &[]), computer("vpn01", &["VPN Servers"]));
    let template = template("VPNServerAuthentication");
    assert_eq!(rule(member(&template, &request, &server)), Rule::EnrollmentNotPermitted);
    assert!(enrol(&template, &request, &user(), Standing::Manager).is_ok());
    assert!(member(&vpn_server(), &request, &server).is_ok());
    assert_eq!(rule(member(&vpn_server(), &request, &user())), Rule::EnrollmentNotPermitted);
}

#[test]
fn authorised_signatures_cannot_be_had() {
    let template = changed("VPNUserAuthentication", |file| file.ra_signatures = 1);
    let refused = member(&template, &named("", &[]), &user());
    assert_eq!(rule(refused), Rule::AuthorizedSignaturesRequired);
}

// --- which names ---------------------------------------------------------------------------

#[test]
fn every_missing_attribute_is_named_with_its_hresult() {
    let all = changed("VPNUserAuthentication", |file| {
        file.name_flags = ["UPN", "EMAIL", "DNS", "DIRECTORY_GUID", "DOMAIN_DNS"]
            .map(|name| format!("SUBJECT_ALT_REQUIRE_{name}"))
            .into_iter()
            .chain(["SUBJECT_REQUIRE_DIRECTORY_PATH".into()])
            .collect();
    });
    let common = |flag: &str| {
        changed("VPNUserAuthentication", |file| file.name_flags = vec![flag.to_owned()])
    };
    let (cn, host_cn) =
        (common("SUBJECT_REQUIRE_COMMON_NAME"), common("SUBJECT_REQUIRE_DNS_AS_CN"));
    let mail = changed("VPNUserAuthentication", |file| {
        file.name_flags.push("SUBJECT_REQUIRE_EMAIL".into());
    });
    let full = Account { dns_host_name: Some("pc7.contoso.com".into()), ..user() };
    assert!(member(&all, &named("", &[]), &full).is_ok());
    let machine = Account { kind: AccountKind::Computer, ..full.clone() };
    let rows: [(&Template, Account, &str, u32); 12] = [
        (
            &all,
            Account { user_principal_name: None, ..full.clone() },
            "user_principal_name",
            0x8009_480D,
        ),
        (
            &all,
            Account { user_principal_name: Some("alice".into()), ..full.clone() },
            "user_principal_name",
            0x8009_480D,
        ),
        (&all, Account { object_guid: None, ..full.clone() }, "object_guid", 0x8009_480E),
        (
            &all,
            Account { object_guid: Some("6f96".into()), ..full.clone() },
            "object_guid",
            0x8009_480E,
        ),
        (&all, Account { dns_host_name: None, ..full.clone() }, "dns_host_name", 0x8009_480F),
        (
            &all,
            Account { dns_host_name: Some("pc7".into()), ..full.clone() },
            "dns_host_name",
            0x8009_480F,
        ),
        (&all, Account { mail: None, ..full.clone() }, "mail", 0x8009_4812),
        (&mail, Account { mail: Some(" ".into()), ..full.clone() }, "mail", 0x8009_4812),
        (
            &all,
            Account { distinguished_name: None, ..full.clone() },
            "distinguished_name",
            0x8009_4001,
        ),
        (&cn, Account { cn: None, ..full.clone() }, "cn", 0x8009_4001),
        (&cn, Account { dns_host_name: None, ..machine.clone() }, "dns_host_name", 0x8009_480F),
        (&host_cn, Account { dns_host_name: None, ..full.clone() }, "dns_host_name", 0x8009_480F),
    ];
    for (template, account, attribute, hresult) in rows {
        let denial = member(template, &named("", &[]), &account).unwrap_err();
        assert_eq!(denial.rule.hresult(), Some(hresult), "{denial}");
        assert!(denial.detail.contains(&format!("takes {attribute} from")), "{denial}");
    }
    let broken = Account { object_sid: Some("S-1-5-21-x".into()), ..full.clone() };
    let denial = member(&all, &named("", &[]), &broken).unwrap_err();
    assert_eq!(denial.rule, Rule::DirectorySidRequired);
    let nobody = Account { object_sid: None, ..full };
    let profile = member(&all, &named("", &[]), &nobody).unwrap();
    assert_eq!(extension(&profile, oid::CA_SECURITY), None);
}

#[test]
fn common_name_means_cn_for_a_user_and_dns_host_name_for_a_computer() {
    let template = changed("VPNUserAuthentication", |file| {
        file.name_flags = vec!["SUBJECT_REQUIRE_COMMON_NAME".into()];
    });
    let profile = member(&template, &named("", &[]), &user()).unwrap();
    assert_eq!(profile.subject.to_string(), "CN=Alice Adams");
    let profile = member(&template, &named("", &[]), &computer("pc7", &["VPN Users"])).unwrap();
    assert_eq!(profile.subject.to_string(), "CN=pc7.contoso.com");
}

#[test]
fn names_outside_the_rules_are_refused_by_name() {
    let server = computer("vpn01", &["VPN Servers"]);
    let upn = AlternativeName::user_principal_name("administrator@contoso.com").unwrap();
    let mail = AlternativeName::email("ceo@vpn.contoso.com").unwrap();
    let uri = |text: &str| AlternativeName::uri(text).unwrap();
    let address = |text: &str| AlternativeName::Ip(text.parse::<IpAddr>().unwrap());
    let allowed = named(
        "CN=VPN.contoso.com,O=Contoso",
        &[dns("eu.vpn.contoso.com"), dns("vpn"), address("2001:db8::7"), dns("2001:db8::7")],
    );
    let profile = member(&vpn_server(), &allowed, &server).unwrap();
    assert_eq!(profile.subject.to_string(), "CN=VPN.contoso.com,O=Contoso");
    for name in [
        dns("dc1.contoso.com"),
        dns("evilvpn.contoso.com"),
        dns("*.vpn.contoso.com"),
        dns("132.64.86.3"),
        dns("vpn_1.vpn.contoso.com"),
        address("132.64.86.3"),
        address("::1"),
        upn,
        mail,
        uri("https://vpn.contoso.com/"),
        uri("tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500"),
        AlternativeName::DirectoryGuid([7; 16]),
        AlternativeName::DirectoryName(DistinguishedName::with_common_name("vpn").unwrap()),
        AlternativeName::RegisteredId(oid::COMMON_NAME),
        AlternativeName::Other { oid: oid::OBJECT_SID, value: vec![4, 1, b'S'] },
    ] {
        let request = named("CN=vpn.contoso.com", &[dns("vpn"), name.clone()]);
        let denial = member(&vpn_server(), &request, &server).unwrap_err();
        assert_eq!(denial.rule, Rule::NameNotAllowed);
        assert!(denial.detail.contains(&name.to_string()), "{denial}");
    }
    let several = named("CN=dc1,O=Fabrikam", &[dns("vpn"), dns("dc1"), address("::1")]);
    let denial = member(&vpn_server(), &several, &server).unwrap_err();
    assert_eq!(denial.rule, Rule::SubjectNotAllowed);
    assert!(
        denial.detail.ends_with("names: 2.5.4.10=Fabrikam, CN=dc1, dns:dc1, ip:::1"),
        "{denial}"
    );
    let many: Vec<_> = (0..300).map(|number| dns(&format!("host{number}"))).collect();
    let denial = member(&vpn_server(), &named("", &many), &server).unwrap_err();
    assert!(denial.detail.ends_with("and 284 more"), "{denial}");
    for subject in [
        "CN=dc1.contoso.com",
        "CN=vpn.contoso.com+CN=administrator",
        "CN=vpn.contoso.com,O=Fabrikam",
        "CN=vpn.contoso.com,DC=contoso,DC=com",
        "CN=*.vpn.contoso.com",
        "CN=VPN Server",
        "E=ceo@contoso.com",
    ] {
        let denial = member(&vpn_server(), &named(subject, &[]), &server).unwrap_err();
        assert_eq!(denial.rule, Rule::SubjectNotAllowed, "{subject}");
    }
    assert_eq!(rule(member(&vpn_server(), &named("", &[]), &server)), Rule::SubjectNotAllowed);
}

#[test]
fn a_manager_names_freely_but_neither_a_sid_nor_a_wildcard() {
    let template = template("WebServer");
    let manager =
        |request: &CertificateRequest| enrol(&template, request, &user(), Standing::Manager);
    let free = named(
        "CN=Anything,O=Else",
        &[dns("localhost"), AlternativeName::Ip("127.0.0.1".parse().unwrap())],
    );
    assert!(manager(&free).is_ok());
    let only_alternative = manager(&named("", &[dns("localhost")])).unwrap();
    assert!(extension(&only_alternative, oid::SUBJECT_ALTERNATIVE_NAME).unwrap().critical);
    for name in [
        dns("*.contoso.com"),
        AlternativeName::uri("TAG:microsoft.com,2022-09-14:SID:S-1-5-21-1-2-3-500").unwrap(),
        AlternativeName::Other { oid: oid::OBJECT_SID, value: vec![4, 1, b'S'] },
    ] {
        assert_eq!(rule(manager(&named("CN=a", &[name]))), Rule::NameNotAllowed);
    }
    assert_eq!(rule(manager(&named("CN=*.contoso.com", &[]))), Rule::SubjectNotAllowed);
    assert_eq!(rule(manager(&named("", &[]))), Rule::SubjectNotAllowed);
    let wildcards = changed("VPNServerAuthentication", |file| {
        file.requested_names = Some(RequestedNamesFile {
            dns_suffixes: vec!["contoso.com".into()],
            wildcards: true,
            ..RequestedNamesFile::default()
        });
    });
    let server = computer("vpn01", &["VPN Servers"]);
    let request = named("CN=*.contoso.com", &[dns("*.contoso.com")]);
    assert!(member(&wildcards, &request, &server).is_ok());
}

// --- nothing else out of a request ---------------------------------------------------------

fn greedy_extensions() -> Vec<Extension> {
    vec![
        extension::extended_key_usage(&[oid::ANY_PURPOSE, oid::REQUEST_AGENT]),
        extension::key_usage(KeyUsage::AUTHORITY),
        extension::authority_basic_constraints(None),
        extension::application_policies(&[oid::CLIENT_AUTHENTICATION, oid::REQUEST_AGENT]),
        extension::security_identifier("S-1-5-21-1-2-3-500"),
        extension::certificate_policies(&[oid::ANY_PURPOSE]),
        extension::crl_distribution_points(&["http://evil.example.org/none.crl"]),
        extension::authority_key_identifier(&[7; 20]),
        extension::ocsp_no_check(),
        extension::ca_version(7, 7),
    ]
}

#[test]
fn what_a_request_asks_for_beside_names_changes_nothing() {
    let server = computer("vpn01", &["VPN Servers"]);
    let manager = Standing::Manager;
    for (template, account, subject, standing) in [
        (template("User"), user(), "", Standing::Member),
        (template("VPNUserAuthentication"), user(), "", Standing::Member),
        (vpn_server(), server, "CN=vpn", Standing::Member),
        // ESC15 (CVE-2024-49019): version 1, names and policies from the request.
        (template("WebServer"), user(), "CN=www", manager),
    ] {
        let plain = csr(rsa_key(), subject, &[]);
        let greedy = csr(rsa_key(), subject, &greedy_extensions());
        let wanted = enrol(&template, &plain, &account, standing).unwrap();
        let got = enrol(&template, &greedy, &account, standing).unwrap();
        assert_eq!(got, wanted, "{}", template.cn());
    }
}

#[test]
fn a_request_for_another_template_is_a_conflict() {
    let template = template("VPNUserAuthentication");
    let own = template.oid(&arc());
    let hinted = |hint: Extension| member(&template, &csr(rsa_key(), "", &[hint]), &user());
    for hint in [
        extension::template_name("vpnuserauthentication"),
        extension::template_name(&own.to_string()),
        extension::template_information(&own, 3, 7),
    ] {
        assert!(hinted(hint).is_ok());
    }
    for hint in [
        extension::template_name("User"),
        extension::template_name(""),
        extension::template_information(&oid::COMMON_NAME, 100, 1),
    ] {
        assert_eq!(rule(hinted(hint)), Rule::TemplateConflict);
    }
}

// --- how long ------------------------------------------------------------------------------

#[test]
fn validity_begins_ten_minutes_ago_and_stays_within_the_authoritys() {
    let (template, request, alice) = (template("VPNUserAuthentication"), named("", &[]), user());
    let within = |first, last| {
        decide_case(&Case {
            template: &template,
            arc: &arc(),
            request: &request,
            subject: &alice,
            enroller: Enroller { account: &alice, standing: Standing::Member },
            now: now().plus_seconds(1),
            authority_validity: (first, last),
        })
    };
    let now = now().plus_seconds(1);
    let whole = within(now.minus_seconds(YEAR), now.plus_seconds(YEAR)).unwrap();
    assert_eq!(whole.not_before, now.minus_seconds(600));
    assert_eq!(whole.not_after, whole.not_before.plus_seconds(YEAR));
    assert_eq!(whole.validity_cut, ValidityCut::Whole);
    let young = within(now.minus_seconds(60), now.plus_seconds(10 * YEAR)).unwrap();
    assert_eq!(young.not_before, now.minus_seconds(60));
    let old = within(now.minus_seconds(YEAR), now.plus_seconds(HOUR)).unwrap();
    assert_eq!(old.not_after, now.plus_seconds(HOUR));
    assert_eq!(old.validity_cut, ValidityCut::EndsWithAuthority);
    for (first, last) in
        [(now.minus_seconds(YEAR), now), (now.plus_seconds(1), now.plus_seconds(9))]
    {
        assert_eq!(rule(within(first, last)), Rule::AuthorityExpired);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever DNS name a member asks for, it gets none that ends elsewhere than the rules.
    #[test]
    fn no_dns_name_escapes_the_rules(name in "[a-zA-Z0-9*._:-]{1,30}(\\.vpn\\.contoso\\.com|\\.com)?") {
        prop_assume!(AlternativeName::dns(&name).is_ok());
        let server = computer("vpn01", &["VPN Servers"]);
        let request = csr(
            ec_key(),
            "CN=vpn",
            &[extension::subject_alternative_name(&[dns(&name)])],
        );
        if member(&vpn_server(), &request, &server).is_ok() {
            let lower = name.to_ascii_lowercase();
            let address = lower.parse::<IpAddr>().is_ok();
            prop_assert!(address || lower == "vpn" || lower.ends_with("vpn.contoso.com"), "{}", name);
            prop_assert!(!lower.contains('*'));
        }
    }
}
