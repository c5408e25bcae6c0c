use super::*;
use crate::pki::alternative_name::AlternativeName;
use crate::pki::bundle::certificates_from_pem;
use crate::pki::certificate::Certificate;
use crate::pki::certificate::parts::TbsParts;
use crate::pki::encoding::NotDer;
use crate::pki::encoding::{ENUMERATED, INTEGER, OCTET_STRING, SET, element, identifier, sequence};
use crate::pki::name::DistinguishedName;
use crate::pki::revocation::RevocationReason;
use crate::pki::time::Timestamp;
use proptest::prelude::*;

const ROWS: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ad_cs_extensions.txt"));
const SAMPLE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ad_cs_user.pem"));

const CRL: &str = "http://pki.contoso.com/CertEnroll/Contoso-CA.crl";
const DELTA: &str = "http://pki.contoso.com/CertEnroll/Contoso-CA+.crl";
const CERTIFICATE: &str = "http://pki.contoso.com/CertEnroll/Contoso-CA.crt";
const SID: &str = "S-1-5-21-1004336348-1177238915-682003330-512";

const USER: &[ObjectIdentifier] =
    &[oid::ENCRYPTING_FILE_SYSTEM, oid::EMAIL_PROTECTION, oid::CLIENT_AUTHENTICATION];
const VPN: &[ObjectIdentifier] =
    &[oid::IKE_INTERMEDIATE, oid::CLIENT_AUTHENTICATION, oid::SERVER_AUTHENTICATION];
const NPS: &[ObjectIdentifier] = &[oid::CLIENT_AUTHENTICATION, oid::SERVER_AUTHENTICATION];

/// What we write where AD CS writes the row called `label`.
fn ours(label: &str) -> Vec<u8> {
    let template =
        "1.3.6.1.4.1.311.21.8.1234567.7654321.1111111.2222222.3333333.44.5555555.6666666";
    let template = ObjectIdentifier::new(template).unwrap();
    let upn = || AlternativeName::user_principal_name("alice@contoso.com").unwrap();
    let dns = |name: &str| AlternativeName::dns(name).unwrap();
    let usage = |bits| key_usage(KeyUsage::from_bits(bits)).to_der();
    let publish: Timestamp = "2026-11-29T22:15:00Z".parse().unwrap();
    if let Some(dotted) = label.strip_prefix("oid ") {
        return identifier(&ObjectIdentifier::new(dotted).unwrap());
    }
    if label.starts_with("tpl oid") {
        return identifier(&template);
    }
    match label {
        "ext 20.2 User" => template_name("User").to_der(),
        "ext 20.2 Machine" => template_name("Machine").to_der(),
        "val 21.7 100.4" => template_information(&template, 100, 4).value,
        "ext 21.7" => template_information(&template, 100, 4).to_der(),
        "EKU user" => extended_key_usage(USER).to_der(),
        "EKU vpn" => extended_key_usage(VPN).to_der(),
        "EKU nps" => extended_key_usage(NPS).to_der(),
        "APP user" => application_policies(USER).to_der(),
        "APP vpn" => application_policies(VPN).to_der(),
        "APP nps" => application_policies(NPS).to_der(),
        "val 25.2" => security_identifier(SID).value,
        "ext 25.2" => security_identifier(SID).to_der(),
        "SAN upn" => subject_alternative_name(&[upn()]).to_der(),
        "SAN upn+uri" => {
            let uri = format!("tag:microsoft.com,2022-09-14:sid:{SID}");
            subject_alternative_name(&[upn(), AlternativeName::uri(&uri).unwrap()]).to_der()
        }
        "SAN dns" => subject_alternative_name(&[dns("vpn.contoso.com")]).to_der(),
        "SAN dns+ip-as-dns" => {
            subject_alternative_name(&[dns("vpn.contoso.com"), dns("132.64.86.2")]).to_der()
        }
        "KU A0" => usage(0xa0),
        "KU 80" => usage(0x80),
        "KU 20" => usage(0x20),
        "KU 86" => key_usage(KeyUsage::AUTHORITY).to_der(),
        "CAver 0" => ca_version(0, 0).to_der(),
        "CAver 1.1 (65537)" => ca_version(1, 1).to_der(),
        "CAver 1.0 (key reused: cert1,key0)" => ca_version(1, 0).to_der(),
        "nextpub" => next_crl_publish(publish).to_der(),
        "virtual base 40" => crl_virtual_base(40).to_der(),
        "prevhash" => {
            let hash = std::array::from_fn(|at| at as u8);
            previous_ca_certificate_hash(&hash).to_der()
        }
        "crlnum 42" => crl_number(42).to_der(),
        "delta 40" => delta_crl_indicator(40).to_der(),
        "reason hold" => reason_code(RevocationReason::CertificateHold).unwrap().to_der(),
        // Not a reason that may be asked for: only its frame is ours.
        "reason remove" => {
            Extension::noncritical(oid::REASON_CODE, element(ENUMERATED, &[&[8]])).to_der()
        }
        "CDP" => crl_distribution_points(&[CRL]).to_der(),
        "IDP" => issuing_distribution_point(&[CRL]).to_der(),
        "Freshest" => freshest_crl(&[DELTA]).to_der(),
        "pubCRLloc" => published_crl_locations(&[CRL]).to_der(),
        "AIA" => authority_information_access(&[CERTIFICATE], &[]).to_der(),
        "nocheck" => ocsp_no_check().to_der(),
        "attr 13.2.1" => {
            let bmp = |text: &str| template_name(text).value;
            let pair = sequence(&[&bmp("CertificateTemplate"), &bmp("VPNUserAuthentication")]);
            sequence(&[&identifier(&oid::NAME_VALUE_PAIR), &element(SET, &[&pair])])
        }
        // Left out of our certificates on purpose (RC2, DES); only the frame is ours.
        "SMIME" => {
            let capability = |dotted: &str, bits: &[u8]| {
                let oid = ObjectIdentifier::new(dotted).unwrap();
                let bits = if bits.is_empty() { vec![] } else { element(INTEGER, &[bits]) };
                sequence(&[&identifier(&oid), &bits])
            };
            let list = [
                capability("1.2.840.113549.3.2", &[0, 0x80]),
                capability("1.2.840.113549.3.4", &[0, 0x80]),
                capability("1.3.14.3.2.7", &[]),
                capability("1.2.840.113549.3.7", &[]),
            ];
            Extension::noncritical(oid::SMIME_CAPABILITIES, sequence(&[&list.concat()])).to_der()
        }
        _ => panic!("a row without a counterpart: {label}"),
    }
}

#[test]
fn every_row_is_reproduced() {
    let mut rows = 0;
    for row in ROWS.lines().filter(|line| !line.starts_with('#')) {
        let (label, hex) = row.split_once(" = ").unwrap();
        let theirs: Vec<u8> =
            hex.split(' ').map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
        assert_eq!(ours(label.trim()), theirs, "{label}");
        rows += 1;
    }
    assert_eq!(rows, 72);
}

/// A certificate that AD CS issued in 2026 from a version 4 duplicate of User.
#[test]
fn a_certificate_of_ad_cs_is_rebuilt_extension_by_extension() {
    let der = certificates_from_pem(SAMPLE).unwrap().remove(0);
    let theirs = Certificate::from_der(&der).unwrap();
    let issuer =
        DistinguishedName::from_rfc4514("CN=CVI Issuing CA 1,DC=corp,DC=cvilab,DC=local").unwrap();
    assert_eq!(theirs.issuer(), &issuer);
    assert_eq!(theirs.subject(), &DistinguishedName::with_common_name("PKI Admin").unwrap());
    let key = theirs.public_key().unwrap();
    assert_eq!(key.spki_der(), theirs.spki_der());

    let template =
        "1.3.6.1.4.1.311.21.8.15886664.4298044.8996776.14853544.7902291.169.5191136.12906913";
    let template = ObjectIdentifier::new(template).unwrap();
    let ldap = "CN=Public%20Key%20Services,CN=Services,CN=Configuration,DC=corp,DC=cvilab,DC=local";
    let crl = format!(
        "ldap:///CN=CVI%20Issuing%20CA%201,CN=PKI-SRV01,CN=CDP,{ldap}?certificateRevocationList?base?objectClass=cRLDistributionPoint"
    );
    let certificate = format!(
        "ldap:///CN=CVI%20Issuing%20CA%201,CN=AIA,{ldap}?cACertificate?base?objectClass=certificationAuthority"
    );
    let authority = [
        0x11, 0x4d, 0x5e, 0xdb, 0xf3, 0x2d, 0xc1, 0x54, 0x20, 0x07, 0xb8, 0xcd, 0x3f, 0x19, 0x2d,
        0x04, 0xbb, 0xe8, 0x5f, 0xd1,
    ];
    let upn = AlternativeName::user_principal_name("pki.admin@corp.cvilab.local").unwrap();
    assert_eq!(theirs.alternative_names(), std::slice::from_ref(&upn));
    let parts = TbsParts::of(theirs.tbs()).unwrap();
    let ours = [
        template_information(&template, 100, 5),
        extended_key_usage(&[oid::CLIENT_AUTHENTICATION]),
        key_usage(KeyUsage::from_bits(0xa0)),
        application_policies(&[oid::CLIENT_AUTHENTICATION]),
        // AD CS's S/MIME capabilities: the one extension that we leave out.
        Extension::noncritical(oid::SMIME_CAPABILITIES, parts.extensions[4].value.to_vec()),
        subject_key_identifier(&key),
        authority_key_identifier(&authority),
        crl_distribution_points(&[crl]),
        authority_information_access(&[certificate], &[]),
        subject_alternative_name(&[upn]),
    ];
    assert_eq!(parts.extensions.len(), ours.len());
    for (theirs, ours) in parts.extensions.iter().zip(&ours) {
        assert_eq!(theirs.oid, ours.oid.as_bytes());
        assert_eq!((theirs.critical, theirs.value), (ours.critical, ours.value.as_slice()));
    }
    let written: Vec<u8> = ours.iter().flat_map(Extension::to_der).collect();
    assert!(theirs.tbs().ends_with(&written));
}

#[test]
fn readers_read_what_writers_write() {
    assert_eq!(read_template_name(&template_name("VPNUser").value).unwrap(), "VPNUser");
    assert_eq!(read_security_identifier(&security_identifier(SID).value).unwrap(), SID);
    let template = ObjectIdentifier::new("1.3.6.1.4.1.311.21.8.1.2.3").unwrap();
    assert_eq!(
        read_template_information(&template_information(&template, 1, 2).value),
        Some(template)
    );
    assert_eq!(read_extended_key_usage(&extended_key_usage(VPN).value).unwrap(), VPN);
    assert!(reason_code(RevocationReason::Unspecified).is_none());
    assert_eq!(read_key_usage(&[3, 2, 5, 0xbf]), Err(NotDer));
}

proptest! {
    #[test]
    fn any_key_usage_is_a_minimal_bit_string(bits: u16) {
        use der::Decode;
        let usage = KeyUsage::from_bits(bits);
        let value = key_usage(usage).value;
        prop_assert_eq!(read_key_usage(&value).unwrap(), usage);
        let other = x509_cert::ext::pkix::KeyUsage::from_der(&value).unwrap();
        prop_assert_eq!(other.digital_signature(), usage.contains(KeyUsage::DIGITAL_SIGNATURE));
        prop_assert_eq!(other.crl_sign(), usage.contains(KeyUsage::CRL_SIGN));
        prop_assert_eq!(other.decipher_only(), usage.contains(KeyUsage::DECIPHER_ONLY));
    }

    #[test]
    fn any_bytes_are_refused_or_read(value: Vec<u8>) {
        let _ = (read_key_usage(&value), read_extended_key_usage(&value), read_template_name(&value));
        let _ = (read_template_information(&value), read_security_identifier(&value));
        let _ = element(OCTET_STRING, &[&value]);
    }
}
