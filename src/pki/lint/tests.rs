use super::*;
use crate::pki::alternative_name::AlternativeName;
use crate::pki::encoding::{
    GENERALIZED_TIME, INTEGER, constructed, element, integer, sequence, time,
};
use crate::pki::extension::*;
use crate::pki::name::DistinguishedName;
use crate::pki::oid;
use crate::pki::public_key::PublicKey;
use crate::pki::test_authority::{ALGORITHM, CERTIFICATE_URL, CRL_URL, TestKey, moment, root};

/// A TBSCertificate in parts, so that each can be spoilt by itself.
#[derive(Clone)]
struct Draft {
    version: Vec<u8>,
    serial: Vec<u8>,
    algorithm: Vec<u8>,
    issuer: Vec<u8>,
    not_before: Vec<u8>,
    not_after: Vec<u8>,
    subject: Vec<u8>,
    key: Vec<u8>,
    extensions: Vec<Extension>,
}

impl Draft {
    fn to_der(&self) -> Vec<u8> {
        let extensions: Vec<u8> = self.extensions.iter().flat_map(Extension::to_der).collect();
        sequence(&[
            &self.version,
            &self.serial,
            &self.algorithm,
            &self.issuer,
            &sequence(&[&self.not_before, &self.not_after]),
            &self.subject,
            &self.key,
            &element(constructed(3), &[&sequence(&[&extensions])]),
        ])
    }

    fn replace(&mut self, extension: Extension) {
        let place = self.extensions.iter_mut().find(|found| found.oid == extension.oid);
        match place {
            Some(place) => *place = extension,
            None => self.extensions.push(extension),
        }
    }

    fn remove(&mut self, oid: der::asn1::ObjectIdentifier) {
        self.extensions.retain(|extension| extension.oid != oid);
    }
}

fn dns(name: &str) -> [AlternativeName; 1] {
    [AlternativeName::dns(name).unwrap()]
}

/// A VPN server's certificate that keeps every rule.
fn good(issuer: &Issuer, key: &PublicKey) -> Draft {
    Draft {
        version: element(constructed(0), &[&integer(2)]),
        serial: integer(7),
        algorithm: ALGORITHM.to_der().to_vec(),
        issuer: issuer.name().as_der().to_vec(),
        not_before: time::encode(moment("2026-11-23T00:00:00Z")),
        not_after: time::encode(moment("2027-11-23T00:00:00Z")),
        subject: DistinguishedName::with_common_name("vpn").unwrap().as_der().to_vec(),
        key: key.spki_der().to_vec(),
        extensions: vec![
            extended_key_usage(&[oid::SERVER_AUTHENTICATION]),
            key_usage(KeyUsage::DIGITAL_SIGNATURE),
            subject_key_identifier(key),
            authority_key_identifier(issuer.key_identifier()),
            crl_distribution_points(&[CRL_URL]),
            authority_information_access(&[CERTIFICATE_URL], &[]),
            subject_alternative_name(&dns("vpn.contoso.com")),
        ],
    }
}

/// The same for a CA below.
fn good_authority(issuer: &Issuer, key: &PublicKey) -> Draft {
    let mut draft = good(issuer, key);
    draft.remove(oid::EXTENDED_KEY_USAGE);
    draft.remove(oid::SUBJECT_ALTERNATIVE_NAME);
    draft.replace(key_usage(KeyUsage::AUTHORITY));
    draft.replace(authority_basic_constraints(Some(0)));
    draft
}

fn noncritical(mut extension: Extension) -> Extension {
    extension.critical = false;
    extension
}

fn critical(mut extension: Extension) -> Extension {
    extension.critical = true;
    extension
}

type Spoil = fn(&mut Draft);

/// What breaks each rule, and that rule alone.
const SPOILT: &[(&str, Spoil)] = &[
    ("version-3", |draft| draft.version = element(constructed(0), &[&integer(1)])),
    ("version-3", |draft| draft.version = vec![]),
    ("serial-number", |draft| draft.serial = integer(0)),
    ("serial-number", |draft| draft.serial = element(INTEGER, &[&[0xff]])),
    ("serial-number", |draft| draft.serial = element(INTEGER, &[&[1; 21]])),
    ("serial-number", |draft| draft.serial = element(INTEGER, &[&[0, 1]])),
    ("signature-algorithm", |draft| {
        draft.algorithm = SignatureAlgorithm::EcdsaSha384.to_der().to_vec();
    }),
    ("issuer-name", |draft| draft.issuer = draft.subject.clone()),
    ("validity-order", |draft| draft.not_after = time::encode(moment("2026-11-22T23:59:59Z"))),
    ("time-form", |draft| draft.not_after = element(GENERALIZED_TIME, &[b"20271123000000Z"])),
    ("validity-nested", |draft| draft.not_before = time::encode(moment("2025-12-31T23:59:59Z"))),
    ("validity-nested", |draft| draft.not_after = time::encode(moment("2056-01-01T00:00:01Z"))),
    // Empty, and the alternative name is not critical.
    ("subject", |draft| draft.subject = vec![0x30, 0]),
    ("extensions-unique", |draft| draft.extensions.push(draft.extensions[0].clone())),
    ("extensions-known", |draft| draft.replace(critical(template_name("User")))),
    ("authority-key-identifier", |draft| draft.remove(oid::AUTHORITY_KEY_IDENTIFIER)),
    ("authority-key-identifier", |draft| draft.replace(authority_key_identifier(&[7; 20]))),
    ("subject-key-identifier", |draft| draft.remove(oid::SUBJECT_KEY_IDENTIFIER)),
    ("subject-key-identifier", |draft| {
        draft.replace(subject_key_identifier(&TestKey::generate().public));
    }),
    ("key-usage", |draft| draft.replace(noncritical(key_usage(KeyUsage::DIGITAL_SIGNATURE)))),
    ("key-usage", |draft| draft.replace(key_usage(KeyUsage::from_bits(0)))),
    ("key-usage", |draft| draft.replace(key_usage(KeyUsage::AUTHORITY))),
    ("key-usage-of-curve", |draft| draft.replace(key_usage(KeyUsage::from_bits(0xa0)))),
    ("alternative-name", |draft| draft.replace(subject_alternative_name(&[]))),
    ("alternative-name", |draft| {
        draft.replace(subject_alternative_name(&[AlternativeName::Dns("a b".to_owned())]));
    }),
    ("basic-constraints", |draft| {
        let explicit = sequence(&[&[1, 1, 0]]);
        draft.replace(Extension::noncritical(oid::BASIC_CONSTRAINTS, explicit));
    }),
    ("extended-key-usage", |draft| draft.replace(extended_key_usage(&[]))),
    ("extended-key-usage", |draft| {
        draft.replace(extended_key_usage(&[oid::SERVER_AUTHENTICATION; 2]));
    }),
    ("crl-distribution-points", |draft| {
        draft.replace(crl_distribution_points(&["ldap:///CN=CDP"]));
    }),
    ("crl-distribution-points", |draft| draft.replace(crl_distribution_points::<&str>(&[]))),
    ("authority-information-access", |draft| {
        draft.replace(authority_information_access(&["https://pki.contoso.com/ca.crt"], &[]));
    }),
];

/// The same for the rules of a CA's certificate.
const SPOILT_AUTHORITY: &[(&str, Spoil)] = &[
    ("basic-constraints", |draft| draft.replace(noncritical(authority_basic_constraints(None)))),
    ("key-usage", |draft| draft.remove(oid::KEY_USAGE)),
    ("key-usage", |draft| draft.replace(key_usage(KeyUsage::CRL_SIGN))),
    ("subject", |draft| {
        draft.subject = vec![0x30, 0];
        draft.replace(critical_subject_alternative_name(&dns("ca")));
    }),
];

fn names(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.lint).collect()
}

#[test]
fn good_certificates_pass() {
    let (key, holder) = (TestKey::generate(), TestKey::generate());
    let issuer = root(&key);
    let inspect = |draft: &Draft| inspect(&draft.to_der(), &issuer, ALGORITHM);
    let draft = good(&issuer, &holder.public);
    assert_eq!(inspect(&draft), []);
    assert_eq!(inspect(&good_authority(&issuer, &holder.public)), []);
    let mut nameless = draft.clone();
    nameless.subject = vec![0x30, 0];
    nameless.replace(critical_subject_alternative_name(&dns("vpn")));
    assert_eq!(inspect(&nameless), []);
    let mut late = draft.clone();
    late.not_after = time::encode(moment("2050-01-01T00:00:00Z"));
    late.replace(end_entity_basic_constraints());
    late.remove(oid::CRL_DISTRIBUTION_POINTS);
    late.remove(oid::AUTHORITY_INFORMATION_ACCESS);
    late.remove(oid::EXTENDED_KEY_USAGE);
    assert_eq!(inspect(&late), []);
}

#[test]
fn each_rule_is_broken_by_its_own_fault() {
    let (key, holder) = (TestKey::generate(), TestKey::generate());
    let issuer = root(&key);
    let drafts = [
        (good(&issuer, &holder.public), SPOILT),
        (good_authority(&issuer, &holder.public), SPOILT_AUTHORITY),
    ];
    let mut seen = Vec::new();
    for (draft, spoilt) in &drafts {
        for (lint, spoil) in *spoilt {
            let mut draft = draft.clone();
            spoil(&mut draft);
            let findings = inspect(&draft.to_der(), &issuer, ALGORITHM);
            assert_eq!(names(&findings), [*lint]);
            seen.push(*lint);
        }
    }
    // Needs an issuer of its own: see below.
    seen.push("path-length");
    for lint in LINTS {
        assert!(seen.contains(&lint.name), "nothing breaks {}", lint.name);
    }
    assert_eq!(names(&inspect(&[0x30, 0], &issuer, ALGORITHM)), ["well-formed"]);
}

#[test]
fn a_ca_of_path_length_zero_certifies_no_ca() {
    let (key, below, holder) = (TestKey::generate(), TestKey::generate(), TestKey::generate());
    let above = root(&key);
    let tbs = good_authority(&above, &below.public).to_der();
    let made = crate::pki::certificate::Certificate::assemble(
        &tbs,
        ALGORITHM,
        &key.sign(&tbs),
        &key.public,
    );
    let chain = [above.certificate_der()];
    let issuer = Issuer::new(made.unwrap().der(), &chain, vec![], vec![]).unwrap();
    let findings = inspect(&good_authority(&issuer, &holder.public).to_der(), &issuer, ALGORITHM);
    assert_eq!(names(&findings), ["path-length"]);
    assert_eq!(inspect(&good(&issuer, &holder.public).to_der(), &issuer, ALGORITHM), []);
}
