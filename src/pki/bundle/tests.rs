use super::*;
use proptest::prelude::*;

#[test]
fn pkcs7_is_what_x509_cert_and_we_read() {
    let certificates = [vec![0x30, 1, 7], vec![0x30, 2, 5, 0], vec![0x30, 0]];
    let der = certificates_to_pkcs7(&certificates);
    let mut sorted = certificates.to_vec();
    sorted.sort();
    assert_eq!(certificates_from_pkcs7(&der).unwrap(), sorted);
    let any: der::asn1::AnyRef<'_> = der::Decode::from_der(&der).unwrap();
    assert_eq!(any.value().len() + 2, der.len());
}

#[test]
fn text_between_blocks_is_passed_over() {
    let text = format!(
        "s:CN=a\n{}\n i:CN=b\n{}",
        pem::write("CERTIFICATE", &[0x30, 0]),
        pem::write("X509 CERTIFICATE", &[0x30, 1, 7])
    );
    assert_eq!(certificates_from_pem(&text).unwrap(), [vec![0x30, 0], vec![0x30, 1, 7]]);
    assert!(certificates_from_pem("").is_err());
    assert!(certificates_from_pem(&pem::write("PRIVATE KEY", &[0x30, 0])).is_err());
    assert!(certificates_from_pem(&text.replace("-----END X509", "-----END Y509")).is_err());
}

proptest! {
    #[test]
    fn pem_comes_back(blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..200), 1..4)) {
        let text = certificates_to_pem(&blocks);
        prop_assert!(text.lines().all(|line| line.len() <= 64));
        prop_assert_eq!(certificates_from_pem(&text).unwrap(), blocks);
    }

    #[test]
    fn any_text_is_refused_or_read(text in "(-----(BEGIN|END) (A|B)-----|[A-Za-z0-9+/=\\s-]){0,40}") {
        let _ = pem::read(&text);
    }

    #[test]
    fn any_bytes_are_refused_or_read(bytes: Vec<u8>) {
        let _ = certificates_from_pkcs7(&bytes);
    }
}
