use super::*;
use crate::pki::authority_certificate::{Generation, assemble_request, subordinate_request_info};
use crate::pki::encoding::{self, constructed, element, integer, sequence, time};
use crate::pki::extension::{
    authority_basic_constraints, authority_key_identifier, key_usage, subject_key_identifier,
};
use crate::pki::request::CertificateRequest;
use crate::pki::test_authority::{ALGORITHM, TestKey, moment, root, root_certificate};

const ROOT: [&[u8]; 0] = [];

fn issuer(certificate: &[u8], chain: &[Vec<u8>]) -> Result<Issuer, IssuerError> {
    Issuer::new(certificate, chain, vec![], vec![])
}

/// A certificate for `holder` under `above`, with these extensions.
fn below(above: &Issuer, key: &TestKey, holder: &TestKey, extensions: &[Extension]) -> Vec<u8> {
    let name = DistinguishedName::with_common_name("Contoso Issuing CA").unwrap();
    let validity = sequence(&[
        &time::encode(moment("2026-02-01T00:00:00Z")),
        &time::encode(moment("2036-02-01T00:00:00Z")),
    ]);
    let extensions: Vec<u8> = extensions.iter().flat_map(Extension::to_der).collect();
    let tbs = sequence(&[
        &element(constructed(0), &[&integer(2)]),
        &integer(7),
        ALGORITHM.to_der(),
        above.name().as_der(),
        &validity,
        name.as_der(),
        holder.public.spki_der(),
        &element(constructed(3), &[&sequence(&[&extensions])]),
    ]);
    sequence(&[&tbs, ALGORITHM.to_der(), &encoding::bit_string(&key.sign(&tbs))])
}

fn good(holder: &TestKey, above: &Issuer) -> Vec<Extension> {
    vec![
        key_usage(KeyUsage::AUTHORITY),
        authority_basic_constraints(None),
        subject_key_identifier(&holder.public),
        authority_key_identifier(above.key_identifier()),
    ]
}

#[test]
fn a_root_is_an_issuer() {
    let key = TestKey::generate();
    let root = root(&key);
    assert_eq!(root.key_identifier(), key.public.key_identifier());
    assert_eq!(root.name().to_string(), "CN=Contoso VPN CA,DC=corp,DC=contoso,DC=com");
    assert_eq!(root.root(), root.certificate());
    assert_eq!(root.path_length(), None);
    assert!(root.certificate().verify(&key.public).is_ok());
    let order = TbsParts::of(root.certificate().tbs()).unwrap().extensions;
    let critical: Vec<bool> = order.iter().map(|extension| extension.critical).collect();
    assert_eq!(critical, [true, true, false, false]);
}

#[test]
fn a_subordinate_needs_its_chain() {
    let (key, own, stranger) = (TestKey::generate(), TestKey::generate(), TestKey::generate());
    let above = root(&key);
    let subordinate = below(&above, &key, &own, &good(&own, &above));
    let chain = vec![root_certificate(&key)];
    let whole = issuer(&subordinate, &chain).unwrap();
    assert_eq!(whole.root().der(), chain[0]);
    assert_eq!(whole.chain().len(), 1);
    assert_eq!(issuer(&subordinate, &[]).unwrap_err(), IssuerError::ChainIncomplete);
    // A root of the same name with another key.
    let foreign = vec![root_certificate(&stranger)];
    assert_eq!(
        issuer(&subordinate, &foreign).unwrap_err(),
        IssuerError::ChainBroken { position: 1 }
    );
}

#[test]
fn each_thing_a_ca_certificate_lacks_is_named() {
    let (key, own) = (TestKey::generate(), TestKey::generate());
    let above = root(&key);
    let chain = vec![root_certificate(&key)];
    let without = |spoil: &dyn Fn(&mut Vec<Extension>)| {
        let mut extensions = good(&own, &above);
        spoil(&mut extensions);
        issuer(&below(&above, &key, &own, &extensions), &chain).unwrap_err()
    };
    let lacks = |oid| without(&|all| all.retain(|extension| extension.oid != oid));
    assert_eq!(lacks(oid::BASIC_CONSTRAINTS), IssuerError::NotAnAuthority);
    assert_eq!(lacks(oid::KEY_USAGE), IssuerError::MayNotSign);
    assert_eq!(lacks(oid::SUBJECT_KEY_IDENTIFIER), IssuerError::NoKeyIdentifier);
    let end_entity = crate::pki::extension::end_entity_basic_constraints();
    assert_eq!(without(&|all| all[1] = end_entity.clone()), IssuerError::NotAnAuthority);
    let certificates_only = key_usage(KeyUsage::KEY_CERTIFICATE_SIGN);
    assert_eq!(without(&|all| all[0] = certificates_only.clone()), IssuerError::MayNotSign);
    assert!(matches!(
        Issuer::new(&[0x30, 0], &ROOT, vec![], vec![]),
        Err(IssuerError::Certificate(_))
    ));
}

#[test]
fn path_lengths_count_down_the_chain() {
    let keys: Vec<TestKey> = (0..3).map(|_| TestKey::generate()).collect();
    let root = root(&keys[0]);
    let make = |above: &Issuer, position: usize, length| {
        let mut extensions = good(&keys[position], above);
        extensions[1] = authority_basic_constraints(length);
        below(above, &keys[position - 1], &keys[position], &extensions)
    };
    let chain = vec![root_certificate(&keys[0])];
    let middle = make(&root, 1, Some(1));
    let middle_issuer = issuer(&middle, &chain).unwrap();
    assert_eq!(middle_issuer.path_length(), Some(1));
    let chain = vec![middle, root.certificate_der().to_vec()];
    let last = make(&middle_issuer, 2, None);
    assert_eq!(issuer(&last, &chain).unwrap().path_length(), Some(0));
    let none_below = make(&root, 1, Some(0));
    let chain = vec![none_below, root.certificate_der().to_vec()];
    assert_eq!(issuer(&last, &chain).unwrap_err(), IssuerError::ChainBroken { position: 1 });
}

#[test]
fn a_subordinate_asks_with_a_request_that_we_read_ourselves() {
    let key = TestKey::generate();
    let name = DistinguishedName::from_rfc4514("CN=Sub CA,DC=contoso,DC=com").unwrap();
    let info = subordinate_request_info(&name, &key.public, Generation::default());
    let der = assemble_request(&info, &key.public, ALGORITHM, &key.sign(&info)).unwrap();
    let request = CertificateRequest::parse(&der).unwrap();
    assert_eq!((request.subject(), request.public_key()), (&name, &key.public));
    use der::Decode;
    let theirs = x509_cert::request::CertReq::from_der(&der).unwrap();
    assert_eq!(theirs.info.attributes.len(), 1);
    let stranger = TestKey::generate();
    assert!(assemble_request(&info, &key.public, ALGORITHM, &stranger.sign(&info)).is_err());
}
