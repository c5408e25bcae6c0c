use super::*;
use crate::pki::revocation::{Revocation, RevocationReason};
use crate::pki::serial::SerialNumber;
use crate::pki::test_authority::{ALGORITHM, TestKey, moment, root};
use crate::pki::time::Timestamp;
use der::Decode;
use proptest::prelude::*;

const NUMBER: u64 = 1_795_400_000_000;

/// A signed CRL of these entries.
fn list(key: &TestKey, entries: &[CrlEntry]) -> Vec<u8> {
    let encoded: Vec<u8> = entries
        .iter()
        .flat_map(|entry| CrlEntry::encode(entry.serial, &entry.revocation))
        .collect();
    let frame = CrlFrame::new(
        &root(key),
        ALGORITHM,
        NUMBER,
        moment("2026-11-23T03:50:00Z"),
        moment("2050-11-30T16:10:00Z"),
        moment("2026-11-30T04:00:00Z"),
        encoded.len() as u64,
    );
    let tbs = [frame.header.as_slice(), &encoded, &frame.trailer].concat();
    assert_eq!(tbs.len() as u64, frame.tbs_length);
    let signature = key.sign(&tbs);
    [frame.outer_header(signature.len()), tbs, frame.signature_trailer(&signature)].concat()
}

fn read(der: &[u8], key: &TestKey) -> Result<(Vec<CrlEntry>, CrlSummary), CrlError> {
    let mut reader = CrlReader::open(der)?;
    let entries = reader.by_ref().collect::<Result<Vec<_>, _>>()?;
    Ok((entries, reader.finish(&key.public)?))
}

fn entry() -> impl Strategy<Value = CrlEntry> {
    let reason = prop::sample::select(RevocationReason::ALL.to_vec());
    let seconds = 1u64..4_000_000_000;
    (any::<[u8; 20]>(), seconds.clone(), reason, prop::option::of(seconds)).prop_map(
        |(serial, revoked_at, reason, invalidity_date)| CrlEntry {
            serial: SerialNumber::from_random(serial),
            revocation: Revocation {
                revoked_at: Timestamp::from_seconds(revoked_at),
                reason,
                invalidity_date: invalidity_date.map(Timestamp::from_seconds),
            },
        },
    )
}

fn theirs(der: &[u8]) -> x509_cert::crl::CertificateList<x509_cert::certificate::Rfc5280> {
    Decode::from_der(der).unwrap()
}

#[test]
fn without_entries_the_list_is_left_out() {
    let key = TestKey::generate();
    let der = list(&key, &[]);
    assert!(theirs(&der).tbs_cert_list.revoked_certificates.is_none());
    let (entries, summary) = read(&der, &key).unwrap();
    assert_eq!(entries, []);
    assert_eq!(summary.number, Some(NUMBER));
    assert_eq!(summary.issuer, *root(&key).name());
    assert_eq!(summary.this_update, moment("2026-11-23T03:50:00Z"));
    assert_eq!(summary.next_update, moment("2050-11-30T16:10:00Z"));
    assert_eq!(summary.next_publish, Some(moment("2026-11-30T04:00:00Z")));
    assert_eq!(summary.authority_key_identifier.unwrap(), key.public.key_identifier());
}

/// Enough entries that every length takes three octets.
#[test]
fn long_lists_come_back() {
    let key = TestKey::generate();
    let revocation = Revocation {
        revoked_at: moment("2026-11-23T03:50:00Z"),
        reason: RevocationReason::KeyCompromise,
        invalidity_date: None,
    };
    let entries: Vec<CrlEntry> = (0..3000u32)
        .map(|number| {
            let mut octets = [7; 20];
            octets[1..5].copy_from_slice(&number.to_be_bytes());
            CrlEntry { serial: SerialNumber::from_random(octets), revocation }
        })
        .collect();
    let der = list(&key, &entries);
    assert!(der.len() > 65_536);
    let (found, summary) = read(&der, &key).unwrap();
    assert_eq!((found, summary.entries), (entries, 3000));
    assert_eq!(theirs(&der).tbs_cert_list.revoked_certificates.unwrap().len(), 3000);
}

/// Above 16 MiB a length takes four octets; only the frame is made.
#[test]
fn the_frame_of_a_giant_list_has_four_octet_lengths() {
    let key = TestKey::generate();
    let time = moment("2026-11-23T03:50:00Z");
    let frame = CrlFrame::new(&root(&key), ALGORITHM, 1, time, time, time, 50_000_000);
    let content = frame.tbs_length - 6;
    assert_eq!(frame.header[..2], [0x30, 0x84]);
    assert_eq!(frame.header[2..6], u32::try_from(content).unwrap().to_be_bytes());
    assert!(frame.header.ends_with(&[0x30, 0x84, 0x02, 0xfa, 0xf0, 0x80]));
    assert_eq!(frame.outer_header(72)[..2], [0x30, 0x84]);
}

#[test]
fn what_is_not_ours_is_refused_by_name() {
    let (key, other) = (TestKey::generate(), TestKey::generate());
    let der = list(&key, &[]);
    assert!(matches!(read(&der, &other), Err(CrlError::Signature(_))));
    assert!(matches!(read(&der[..der.len() - 1], &key), Err(CrlError::NotACrl)));
    assert!(matches!(read(&[&der[..], &[0]].concat(), &key), Err(CrlError::NotACrl)));
    assert!(matches!(read(&[], &key), Err(CrlError::NotACrl)));
    assert!(matches!(read(b"-----BEGIN X509 CRL-----", &key), Err(CrlError::NotACrl)));
    struct Failing;
    impl std::io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("gone"))
        }
    }
    assert!(matches!(CrlReader::open(Failing), Err(CrlError::Read(_))));
}

/// A delta CRL is not the whole list, even if the signature is ours.
#[test]
fn a_delta_list_is_refused() {
    use crate::pki::encoding::{bit_string, constructed, element, integer, sequence, time};
    let key = TestKey::generate();
    let sign = |extension: crate::pki::extension::Extension| {
        let now = time::encode(moment("2026-11-23T03:50:00Z"));
        let name = root(&key).name().as_der().to_vec();
        let extensions = element(constructed(0), &[&sequence(&[&extension.to_der()])]);
        let parts = [&integer(1)[..], ALGORITHM.to_der(), &name, &now, &now, &extensions];
        let tbs = sequence(&parts);
        sequence(&[&tbs, ALGORITHM.to_der(), &bit_string(&key.sign(&tbs))])
    };
    let delta = sign(crate::pki::extension::delta_crl_indicator(40));
    assert!(matches!(read(&delta, &key), Err(CrlError::NotComplete)));
    let whole = sign(crate::pki::extension::crl_number(41));
    assert_eq!(read(&whole, &key).unwrap().1.number, Some(41));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// x509-cert, an engine of its own, reads the same values, and so do we.
    #[test]
    fn any_entries_come_back(entries in prop::collection::vec(entry(), 1..20)) {
        let key = TestKey::generate();
        let der = list(&key, &entries);
        let (found, summary) = read(&der, &key).unwrap();
        prop_assert_eq!(&found, &entries);
        for entry in &entries {
            let der = CrlEntry::encode(entry.serial, &entry.revocation);
            prop_assert_eq!(CrlEntry::serial_of(&der), Ok(entry.serial));
        }
        prop_assert_eq!(summary.entries, entries.len() as u64);
        let theirs = theirs(&der).tbs_cert_list.revoked_certificates.unwrap();
        prop_assert_eq!(theirs.len(), entries.len());
        for (theirs, ours) in theirs.iter().zip(&entries) {
            prop_assert_eq!(theirs.serial_number.as_bytes(), ours.serial.as_der_content());
            prop_assert_eq!(Timestamp::from_x509(&theirs.revocation_date), ours.revocation.revoked_at);
            let extensions = theirs.crl_entry_extensions.clone().unwrap_or_default();
            let reason = usize::from(ours.revocation.reason != RevocationReason::Unspecified);
            let date = usize::from(ours.revocation.invalidity_date.is_some());
            prop_assert_eq!(extensions.len(), reason + date);
        }
    }

    #[test]
    fn any_bytes_are_refused(bytes: Vec<u8>) {
        prop_assert!(read(&bytes, &TestKey::generate()).is_err());
        let _ = (CrlEntry::decode(&bytes), CrlEntry::serial_of(&bytes));
    }

    #[test]
    fn a_damaged_list_is_refused(entries in prop::collection::vec(entry(), 0..4), at in 0usize..5000, octet: u8) {
        let key = TestKey::generate();
        let mut der = list(&key, &entries);
        let at = at % der.len();
        prop_assume!(der[at] != octet);
        der[at] = octet;
        prop_assert!(read(&der, &key).is_err());
    }
}
