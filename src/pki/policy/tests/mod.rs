//! What the policy promises: the bytes AD CS writes, a denial for every missing attribute, and
//! nothing out of a request but names within the rules.

mod directory;
mod endorsed;
mod golden;
mod permitted;
mod renewal;
mod requested;

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
        service_principal_names: vec![],
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
    parse_csr(key, subject.as_der(), extensions).unwrap()
}

/// The same with a subject of any octets, if it reads.
fn parse_csr(
    key: &rcgen::KeyPair,
    subject: &[u8],
    extensions: &[Extension],
) -> Option<CertificateRequest> {
    let listed: Vec<u8> = extensions.iter().flat_map(Extension::to_der).collect();
    let asked = element(0x31, &[&sequence(&[&listed])]);
    let attribute = sequence(&[&identifier(&oid::EXTENSION_REQUEST), &asked]);
    let attributes = if extensions.is_empty() { Vec::new() } else { attribute };
    let spki = rcgen::PublicKeyData::subject_public_key_info(key);
    let info = sequence(&[&integer(0), subject, &spki, &element(constructed(0), &[&attributes])]);
    let signature = key.sign(&info).unwrap();
    let algorithm: &[u8] = match std::ptr::eq(key, rsa_key()) {
        true => &[0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 11, 5, 0],
        false => &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
    };
    CertificateRequest::parse(&sequence(&[&info, algorithm, &bit_string(&signature)])).ok()
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
        endorsements: &[],
        renewal_of: None,
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
        ExtensionSlot::FreshestCrl => "FreshestCRL",
        ExtensionSlot::AuthorityInformationAccess(_) => "AIA",
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
