use super::*;
use crate::pki::revocation::{Revocation, RevocationReason};
use crate::pki::serial::SerialNumber;
use crate::pki::test_authority::{ALGORITHM, TestKey, moment, root};
use crate::pki::time::Timestamp;
use der::Decode;
use proptest::prelude::*;

const NUMBER: u64 = 1_795_400_000_000;

fn heading() -> CrlHeading<'static> {
    CrlHeading {
        number: NUMBER,
        this_update: moment("2026-11-23T03:50:00Z"),
        next_update: moment("2050-11-30T16:10:00Z"),
        next_publish: moment("2026-11-30T04:00:00Z"),
        kind: CrlKind::Complete,
        freshest_urls: &[],
        distribution_point_urls: &[],
    }
}

/// A signed CRL of these entries.
fn list(key: &TestKey, entries: &[CrlEntry]) -> Vec<u8> {
    let encoded: Vec<u8> = entries
        .iter()
        .flat_map(|entry| CrlEntry::encode(entry.serial, &entry.revocation))
        .collect();
    signed(key, &heading(), &encoded)
}

fn signed(key: &TestKey, heading: &CrlHeading<'_>, encoded: &[u8]) -> Vec<u8> {
    let frame = CrlFrame::new(&root(key), ALGORITHM, heading, encoded.len() as u64);
    let tbs = [frame.header.as_slice(), encoded, &frame.trailer].concat();
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
    let frame = CrlFrame::new(&root(&key), ALGORITHM, &heading(), 50_000_000);
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

/// Everything a delta says is read back, by x509-cert as well.
#[test]
fn a_delta_names_its_base_and_takes_off() {
    use der::asn1::Uint;
    use x509_cert::ext::pkix::{BaseCrlNumber, CrlReason};
    let key = TestKey::generate();
    let [held, gone] = [1, 2].map(|octet| SerialNumber::from_random([octet; 20]));
    let at = moment("2026-11-23T03:50:00Z");
    let revocation = Revocation {
        revoked_at: at,
        reason: RevocationReason::CertificateHold,
        invalidity_date: None,
    };
    let encoded =
        [CrlEntry::encode(held, &revocation), DeltaEntry::encode_removed(gone, at)].concat();
    let kind = CrlKind::Delta { base: 40 };
    // Never in a delta, even if somebody hands it in.
    let nowhere = ["http://pki/x.crl".to_owned()];
    let der = signed(&key, &CrlHeading { kind, freshest_urls: &nowhere, ..heading() }, &encoded);

    let mut reader = CrlReader::open(&der[..]).unwrap();
    let listed = CrlEntry { serial: held, revocation };
    assert_eq!(reader.next_change().unwrap(), Some(DeltaEntry::Listed(listed)));
    let removed = DeltaEntry::Removed { serial: gone, removed_at: at };
    assert_eq!(reader.next_change().unwrap(), Some(removed));
    assert_eq!(reader.next_change().unwrap(), None);
    let summary = reader.finish_either(&key.public).unwrap();
    assert_eq!((summary.kind, summary.entries), (kind, 2));
    assert_eq!(summary.freshest_urls, Vec::<String>::new());
    assert!(matches!(read(&der, &key), Err(CrlError::NotComplete)));
    let reader = CrlReader::open(&der[..]).unwrap();
    assert!(matches!(reader.finish(&key.public), Err(CrlError::NotComplete)));

    let theirs = theirs(&der).tbs_cert_list;
    let extensions = theirs.crl_extensions.unwrap();
    let of = |oid: &str| extensions.iter().find(|found| found.extn_id.to_string() == oid);
    let indicator = of("2.5.29.27").unwrap();
    assert!(indicator.critical);
    let base = BaseCrlNumber::from_der(indicator.extn_value.as_bytes()).unwrap();
    assert_eq!(base.0, Uint::new(&[40]).unwrap());
    assert_eq!(of("1.3.6.1.4.1.311.21.3").unwrap().extn_value.as_bytes(), [2, 1, 40]);
    assert!(of("2.5.29.46").is_none());
    let entries = theirs.revoked_certificates.unwrap();
    let last = entries[1].crl_entry_extensions.as_ref().unwrap();
    let reason = CrlReason::from_der(last[0].extn_value.as_bytes()).unwrap();
    assert_eq!(reason, CrlReason::RemoveFromCRL);
}

#[test]
fn a_base_says_where_its_deltas_are() {
    let key = TestKey::generate();
    let urls = ["http://pki.contoso.com/crl/a-delta.crl".to_owned(), "http://b/".to_owned()];
    let der = signed(&key, &CrlHeading { freshest_urls: &urls, ..heading() }, &[]);
    let (_, summary) = read(&der, &key).unwrap();
    assert_eq!(summary.freshest_urls, urls);
    assert_eq!(summary.kind, CrlKind::Complete);
}

/// RFC 5280 §5.2.5: whoever does not know the extension must not take the part for the whole.
#[test]
fn a_part_says_critically_where_it_is_found_and_is_not_taken_for_the_whole() {
    let key = TestKey::generate();
    let urls = ["http://a/crl/ca-p1.crl".to_owned(), "http://b/crl/ca-p1.crl".to_owned()];
    let der = signed(&key, &CrlHeading { distribution_point_urls: &urls, ..heading() }, &[]);
    let summary = CrlReader::open(&der[..]).unwrap().finish_any(&key.public).unwrap();
    assert_eq!(
        (summary.kind, summary.distribution_point_urls.as_slice()),
        (CrlKind::Complete, &urls[..])
    );
    assert!(matches!(read(&der, &key), Err(CrlError::NotComplete)));
    let reader = CrlReader::open(&der[..]).unwrap();
    assert!(matches!(reader.finish_either(&key.public), Err(CrlError::NotComplete)));

    let theirs = theirs(&der).tbs_cert_list.crl_extensions.unwrap();
    let point = theirs.iter().find(|found| found.extn_id.to_string() == "2.5.29.28").unwrap();
    assert!(point.critical);
    // RFC 5280 §6.3.3 (b)(2)(i): the names are those of the certificate's distribution point, octet
    // by octet.
    let value = point.extn_value.as_bytes();
    let points = crate::pki::extension::crl_distribution_points(&urls).value;
    let names = point_names(&points[2..]);
    assert_eq!(point_names(value), names);
    assert!(names.len() > 40, "{names:?}");
}

/// distributionPoint [0] of the SEQUENCE that this begins with.
fn point_names(der: &[u8]) -> &[u8] {
    assert_eq!((der[0], usize::from(der[1]), der[2]), (0x30, der.len() - 2, 0xa0));
    &der[2..]
}

/// One that parts by anything else, or lists others' certificates, is none that we make.
#[test]
fn a_part_by_anything_but_its_place_is_refused() {
    let key = TestKey::generate();
    let urls = ["http://a/crl/ca-p1.crl".to_owned()];
    let der = signed(&key, &CrlHeading { distribution_point_urls: &urls, ..heading() }, &[]);
    let at = der.windows(3).position(|three| three == [0x55, 0x1d, 0x1c]).unwrap();
    let value = der.get(at + 8..).unwrap();
    let finish = |value: &[u8], critical: bool| {
        let mut point = crate::pki::extension::issuing_distribution_point(&urls);
        (point.value, point.critical) = (value.to_vec(), critical);
        let der = with_extension(&key, &point);
        CrlReader::open(&der[..]).unwrap().finish_any(&key.public)
    };
    let value = &value[..2 + usize::from(value[1])];
    assert_eq!(finish(value, true).unwrap().distribution_point_urls, urls);
    assert!(matches!(finish(value, false), Err(CrlError::NotACrl)));
    // onlyContainsUserCerts [1], onlyContainsCACerts [2], onlySomeReasons [3], indirectCRL [4],
    // onlyContainsAttributeCerts [5].
    for more in [
        &[0x81, 1, 0xff][..],
        &[0x82, 1, 0xff],
        &[0x83, 2, 6, 0x40],
        &[0x84, 1, 0xff],
        &[0x85, 1, 0xff],
    ] {
        let mut longer = value.to_vec();
        longer[1] += u8::try_from(more.len()).unwrap();
        longer.extend_from_slice(more);
        assert!(matches!(finish(&longer, true), Err(CrlError::NotComplete)), "{more:?}");
    }
    assert!(matches!(finish(&[0x30, 0], true), Err(CrlError::NotComplete)));
    assert!(matches!(finish(&[0x05, 0], true), Err(CrlError::NotACrl)));
}

/// Only a delta may take somebody off (RFC 5280 §5.3.1).
#[test]
fn a_complete_list_that_takes_off_is_refused() {
    let key = TestKey::generate();
    let gone = SerialNumber::from_random([2; 20]);
    let encoded = DeltaEntry::encode_removed(gone, moment("2026-11-23T03:50:00Z"));
    let der = signed(&key, &heading(), &encoded);
    assert!(matches!(read(&der, &key), Err(CrlError::NotComplete)));
    let reader = CrlReader::open(&der[..]).unwrap();
    assert!(matches!(reader.finish(&key.public), Err(CrlError::RemovesFromComplete)));
}

/// A delta CRL is not the whole list, even if the signature is ours.
#[test]
fn a_delta_list_is_refused() {
    let key = TestKey::generate();
    let sign = |extension: crate::pki::extension::Extension| with_extension(&key, &extension);
    let delta = sign(crate::pki::extension::delta_crl_indicator(40));
    assert!(matches!(read(&delta, &key), Err(CrlError::NotComplete)));
    // Whoever does not know the indicator would take it for the whole list.
    let mut indicator = crate::pki::extension::delta_crl_indicator(40);
    indicator.critical = false;
    assert!(matches!(read(&sign(indicator), &key), Err(CrlError::NotACrl)));
    let whole = sign(crate::pki::extension::crl_number(41));
    assert_eq!(read(&whole, &key).unwrap().1.number, Some(41));
}

/// An empty list with one extension.
fn with_extension(key: &TestKey, extension: &crate::pki::extension::Extension) -> Vec<u8> {
    use crate::pki::encoding::{bit_string, constructed, element, integer, sequence, time};
    let now = time::encode(moment("2026-11-23T03:50:00Z"));
    let name = root(key).name().as_der().to_vec();
    let extensions = element(constructed(0), &[&sequence(&[&extension.to_der()])]);
    let parts = [&integer(1)[..], ALGORITHM.to_der(), &name, &now, &now, &extensions];
    let tbs = sequence(&parts);
    sequence(&[&tbs, ALGORITHM.to_der(), &bit_string(&key.sign(&tbs))])
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
        let _ = (DeltaEntry::decode(&bytes), CrlEntry::serial_of(&bytes));
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
