//! The register's promises, tested on real files.

mod copies;
mod crl_changes;
mod faults;
mod index_damage;
mod ledger_damage;
mod parent_crls;
mod random_acts;
mod standings;
mod template_names;

use super::act::{
    Act, CertificateIssued, CertificateReleased, CertificateRevoked, Entry, RequestReceived, Scope,
    SerialReserved, TokenCreated,
};
use super::open::{Scrub, Trust};
use super::*;

/// Small limits, so that little tests settle chunks too.
pub(super) fn options(data: &std::path::Path) -> Options {
    Options {
        low_space: 0,
        reserve: 1 << 16,
        index: index::Limits { cache: 1 << 20, changes: 4 << 10, replayed: 16 << 10 },
        scrub: Scrub::Not,
        ..Options::new(data)
    }
}

pub(super) fn distrusting(data: &std::path::Path) -> Options {
    Options { trust: Trust::Nothing, ..options(data) }
}

pub(super) fn entry(at: u64, act: Act) -> Entry {
    Entry { at, actor: Some("alice".to_owned()), act }
}

pub(super) fn serial(number: u32) -> SerialNumber {
    let mut octets = [0x11; 20];
    octets[16..].copy_from_slice(&number.to_be_bytes());
    SerialNumber::from_der_content(&octets).unwrap()
}

/// `SEQUENCE { INTEGER serial, SEQUENCE { OID ecdsa-with-SHA256 } }`: as much of a TBSCertificate
/// as the register looks at.
pub(super) fn tbs(of: SerialNumber) -> Vec<u8> {
    use der::Encode;
    let mut content = of.to_int().unwrap().to_der().unwrap();
    content.extend_from_slice(&[0x30, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]);
    [vec![0x30, u8::try_from(content.len()).unwrap()], content].concat()
}

pub(super) fn received(request_id: u64, account: &str, template: &str) -> Act {
    Act::RequestReceived(RequestReceived {
        request_id,
        account: account.to_owned(),
        template: template.to_owned(),
        csr: vec![0x30, 0],
        idempotency: None,
        renewal: None,
        signers: Vec::new(),
        described: None,
    })
}

pub(super) fn reserved(request_id: u64, of: SerialNumber) -> Act {
    reserved_in(request_id, of, CrlScope::FIRST)
}

pub(super) fn reserved_in(request_id: u64, of: SerialNumber, scope: CrlScope) -> Act {
    let (serial, scope) = (of.as_der_content().to_vec(), Scope::of(scope));
    Act::SerialReserved(SerialReserved { request_id, serial, tbs: tbs(of), scope })
}

pub(super) fn issued(request_id: u64, account: &str, template: &str, not_after: u64) -> Act {
    let hash = ledger::frame::sha256(&[&request_id.to_be_bytes()]);
    let mut sha1 = [0; 20];
    sha1.copy_from_slice(&hash[12..]);
    Act::CertificateIssued(CertificateIssued {
        request_id,
        signature: vec![9; 8],
        sha1,
        sha256: hash,
        template: template.to_owned(),
        account: account.to_owned(),
        not_after,
        names: vec![format!("host{}.example", request_id % 3)],
    })
}

pub(super) fn revoked(of: SerialNumber, at: u64, reason: u8, not_after: Option<u64>) -> Act {
    Act::CertificateRevoked(CertificateRevoked {
        serial: of.as_der_content().to_vec(),
        revoked_at: at,
        reason,
        invalidity_date: None,
        not_after,
        key_sha256: (reason == 1).then_some([7; 32]),
        scope: None,
    })
}

pub(super) fn released(of: SerialNumber) -> Act {
    Act::CertificateReleased(CertificateReleased { serial: of.as_der_content().to_vec() })
}

const ALL: Page = Page { after: None, limit: usize::MAX };

#[test]
fn what_is_committed_is_there_and_stays_there() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let register = open(options(&data)).unwrap();
    let id = register.next_request_id();
    let of = serial(5);
    register.commit(vec![entry(1000, received(id, "bob", "User"))], Urgency::Ordinary).unwrap();
    register.commit(vec![entry(2000, reserved(id, of))], Urgency::Ordinary).unwrap();
    assert_eq!(register.orphans().unwrap().len(), 1);
    let again = register.commit(vec![entry(2001, reserved(id, of))], Urgency::Ordinary);
    assert!(matches!(again, Err(StoreError::SerialInUse)));
    register.commit(vec![entry(3000, issued(id, "bob", "User", 99))], Urgency::Ordinary).unwrap();
    assert!(register.orphans().unwrap().is_empty());
    let row = register.certificate(&of).unwrap().unwrap();
    assert_eq!((row.requester.as_str(), row.account.as_str()), ("alice", "bob"));
    assert!(row.certificate.ends_with(&[3, 9, 0, 9, 9, 9, 9, 9, 9, 9, 9]));
    let head = register.head();
    assert_eq!((head.sequence, head.latest.millis()), (3, 3000));
    assert_eq!(register.entries(2, 10).unwrap().last().unwrap().hash, head.hash);
    register.close().unwrap();
    assert!(register.commit(vec![entry(1, released(of))], Urgency::Reserved).is_err());
    drop(register);

    for options in [options(&data), distrusting(&data)] {
        let register = open(options).unwrap();
        assert_eq!(register.head(), head);
        assert_eq!(register.certificate(&of).unwrap().unwrap().certificate, row.certificate);
        assert_eq!(register.next_request_id(), id + 1);
        let again = register.commit(vec![entry(2001, reserved(id, of))], Urgency::Ordinary);
        assert!(matches!(again, Err(StoreError::SerialInUse)));
    }
}
