//! Certificates that other authorities made.

use chancery::doctor::evidence::Offline;
use chancery::doctor::{Given, Part, Question, examine, intake};

/// Issued by AD CS in 2026 to a user from a duplicate of the template User: the CRL is in the
/// directory only, and there is no SID. Both are what adcs.md has on such certificates.
#[test]
fn a_user_of_ad_cs_lacks_what_ad_cs_leaves_out_by_default() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ad_cs_user.pem");
    let certificates = intake::certificates(&std::fs::read(path).unwrap(), None).unwrap();
    let middle = certificates[0].not_before().plus_seconds(30 * 86_400);
    let question = Question {
        part: Part::VpnUser,
        certificates,
        given: Given::ByHand,
        names: &["pki.admin@corp.cvilab.local".to_owned()],
        roots: Vec::new(),
        crls: &[],
        issued_crl_urls: &[],
        now: middle,
    };
    let report = examine(&question, &Offline);
    let found: Vec<&str> = report.findings.iter().map(|finding| finding.rule.slug).collect();
    assert_eq!(found, ["sid-missing", "chain-incomplete", "crl-location-only-ldap"]);
    assert!(report.lookups.iter().all(|lookup| lookup.url.starts_with("ldap:///")));
    assert_eq!(report.lookups.len(), 2, "issuer and CRL");
    for lookup in &report.lookups {
        assert!(lookup.outcome.as_ref().unwrap_err().to_string().contains("ldap is not fetched"));
    }
}
