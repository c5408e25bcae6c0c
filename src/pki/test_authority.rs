//! A small authority for the tests of this room: P-256 keys, a root, a profile.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};

use super::alternative_name::AlternativeName;
use super::authority_certificate::{Generation, root_to_be_signed};
use super::certificate::Certificate;
use super::extension;
use super::issuer::Issuer;
use super::name::DistinguishedName;
use super::oid;
use super::profile::{ExtensionSlot, Profile, ValidityCut};
use super::public_key::PublicKey;
use super::serial::SerialNumber;
use super::signature::SignatureAlgorithm;
use super::template::OcspUrl;
use super::time::Timestamp;

/// The algorithm of every signature here.
pub(crate) const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::EcdsaSha256;
/// Where the root says its CRL is.
pub(crate) const CRL_URL: &str = "http://pki.contoso.com/crl/contoso-vpn-ca.crl";
/// Where the root says its certificate is.
pub(crate) const CERTIFICATE_URL: &str = "http://pki.contoso.com/aia/contoso-vpn-ca.crt";

/// A private key.
pub(crate) struct TestKey {
    pair: EcdsaKeyPair,
    pub(crate) public: PublicKey,
}

impl TestKey {
    pub(crate) fn generate() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let spki = pair.public_key().as_der().unwrap();
        let public = PublicKey::from_spki_der(spki.as_ref()).unwrap();
        Self { pair, public }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }
}

pub(crate) fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn serial(text: &str) -> SerialNumber {
    text.parse().unwrap()
}

/// The DER of a root's certificate, 2026 to 2056.
pub(crate) fn root_certificate(key: &TestKey) -> Vec<u8> {
    let name =
        DistinguishedName::from_rfc4514("CN=Contoso VPN CA,DC=corp,DC=contoso,DC=com").unwrap();
    let tbs = root_to_be_signed(
        &name,
        &key.public,
        serial("4d00"),
        [moment("2026-01-01T00:00:00Z"), moment("2056-01-01T00:00:00Z")],
        ALGORITHM,
        Generation::default(),
    );
    let made = Certificate::assemble(&tbs, ALGORITHM, &key.sign(&tbs), &key.public);
    made.unwrap().der().to_vec()
}

/// The root as an issuer.
pub(crate) fn root(key: &TestKey) -> Issuer {
    let chain: [&[u8]; 0] = [];
    let urls = |url: &str| vec![url.to_owned()];
    Issuer::new(&root_certificate(key), &chain, urls(CRL_URL), urls(CERTIFICATE_URL)).unwrap()
}

/// What a VPN server's certificate would be, in the order of version 2 templates.
pub(crate) fn vpn_server(key: &PublicKey) -> Profile {
    let template = der::asn1::ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.21.8.1.2.3");
    let purposes = [oid::IKE_INTERMEDIATE, oid::CLIENT_AUTHENTICATION, oid::SERVER_AUTHENTICATION];
    let names = [AlternativeName::dns("vpn.contoso.com").unwrap()];
    let fixed = ExtensionSlot::Fixed;
    Profile {
        subject: DistinguishedName::with_common_name("vpn.contoso.com").unwrap(),
        public_key: key.clone(),
        not_before: moment("2026-11-23T03:50:00Z"),
        not_after: moment("2027-11-23T03:50:00Z"),
        validity_cut: ValidityCut::Whole,
        extensions: vec![
            fixed(extension::template_information(&template, 100, 4)),
            fixed(extension::extended_key_usage(&purposes)),
            fixed(extension::key_usage(extension::KeyUsage::DIGITAL_SIGNATURE)),
            fixed(extension::application_policies(&purposes)),
            fixed(extension::subject_key_identifier(key)),
            ExtensionSlot::AuthorityKeyIdentifier,
            ExtensionSlot::CrlDistributionPoints,
            ExtensionSlot::AuthorityInformationAccess(OcspUrl::Included),
            fixed(extension::subject_alternative_name(&names)),
            fixed(extension::security_identifier("S-1-5-21-1-2-3-1104")),
        ],
    }
}
