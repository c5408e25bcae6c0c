//! Requests as an outsider crafts them: any subject, any extensions, any attributes.

use rcgen::{
    Attribute, CertificateParams, CustomExtension, DnType, DnValue, KeyPair, PublicKeyData as _,
    SanType, SigningKey as _,
};
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode as _, Encode as _};

use crate::certificate_requests::{sequence, tlv};

/// A request as an outsider makes it.
#[derive(Default)]
pub struct Crafted {
    pub common_name: Option<DnValue>,
    pub names: Vec<SanType>,
    pub extensions: Vec<(&'static str, Vec<u8>)>,
    pub attributes: Vec<Attribute>,
}

impl Crafted {
    pub fn named(common_name: &str) -> Self {
        let common_name = Some(DnValue::Utf8String(common_name.to_owned()));
        Self { common_name, ..Self::default() }
    }

    pub fn with(mut self, oid: &'static str, value: Vec<u8>) -> Self {
        self.extensions.push((oid, value));
        self
    }

    pub fn der(self) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        if let Some(name) = self.common_name {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        params.subject_alt_names = self.names;
        params.custom_extensions = self
            .extensions
            .into_iter()
            .map(|(oid, value)| {
                let arcs: Vec<u64> = oid.split('.').map(|arc| arc.parse().unwrap()).collect();
                CustomExtension::from_oid_content(&arcs, value)
            })
            .collect();
        let key = KeyPair::generate().unwrap();
        let request = params.serialize_request_with_attributes(&key, self.attributes);
        request.unwrap().der().to_vec()
    }
}

/// A request whose subject is any octets at all, under its own signature.
pub fn resubjected(subject: &[u8]) -> Vec<u8> {
    let key = KeyPair::generate().unwrap();
    let info = sequence(
        &[&[2, 1, 0][..], subject, &key.subject_public_key_info(), &[0xa0, 0x00]].concat(),
    );
    let signature = [&[0][..], &key.sign(&info).unwrap()].concat();
    let ecdsa_with_sha256 = sequence(&oid("1.2.840.10045.4.3.2"));
    sequence(&[info, ecdsa_with_sha256, tlv(0x03, &signature)].concat())
}

pub fn oid(dotted: &str) -> Vec<u8> {
    ObjectIdentifier::new_unwrap(dotted).to_der().unwrap()
}

/// GeneralNames with the otherName that holds a SID, as [MS-WCCE] §2.2.2.7.7.4 has it.
pub fn sid_extension(sid: &str) -> Vec<u8> {
    let name = [oid("1.3.6.1.4.1.311.25.2.1"), tlv(0xa0, &tlv(0x04, sid.as_bytes()))].concat();
    sequence(&tlv(0xa0, &name))
}

/// A UPN among the alternative names.
pub fn upn(name: &str) -> Vec<u8> {
    let name = [oid("1.3.6.1.4.1.311.20.2.3"), tlv(0xa0, &tlv(0x0c, name.as_bytes()))].concat();
    sequence(&tlv(0xa0, &name))
}

pub fn oids(purposes: &[&str]) -> Vec<u8> {
    sequence(&purposes.iter().flat_map(|one| oid(one)).collect::<Vec<u8>>())
}

pub fn policies(purposes: &[&str]) -> Vec<u8> {
    sequence(&purposes.iter().flat_map(|one| sequence(&oid(one))).collect::<Vec<u8>>())
}

/// What the attacks send is a request that another reader takes too.
#[test]
fn the_crafted_requests_are_requests() {
    let crafted = Crafted::named("gw.vpn.contoso.com").with("2.5.29.17", upn("a@b"));
    assert!(x509_cert::request::CertReq::from_der(&crafted.der()).is_ok());
    let name = sequence(&tlv(0x31, &sequence(&[oid("2.5.4.3"), tlv(0x0c, b"vpn")].concat())));
    assert!(x509_cert::request::CertReq::from_der(&resubjected(&name)).is_ok());
}
