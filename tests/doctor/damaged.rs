//! Damaged certificates and CRLs: whatever comes, a verdict or a refusal, and never more.

use chancery::doctor::{Document, Fetch, Given, NotFetched, Part, Question, examine, intake};
use proptest::prelude::*;

use super::web::{NOW, folder};

/// Gives everybody the same.
struct Everywhere(Vec<u8>);

impl Fetch for Everywhere {
    fn get(&self, _: &str) -> Result<Document, NotFetched> {
        Ok(Document { body: self.0.clone().into(), clock_ahead_seconds: None })
    }

    fn ask(&self, url: &str, _: &[u8]) -> Result<Document, NotFetched> {
        self.get(url)
    }
}

fn examined(file: &[u8], served: Vec<u8>) -> Vec<&'static str> {
    let Ok(certificates) = intake::certificates(file, None) else { return Vec::new() };
    let web = Everywhere(served);
    let mut found = Vec::new();
    for part in Part::ALL {
        let question = Question {
            part,
            certificates: certificates.clone(),
            given: Given::ByHandshake,
            names: &["vpn.contoso.com".to_owned()],
            roots: certificates.clone(),
            crls: &[],
            issued_crl_urls: &["http://pki.contoso.com/x.crl".to_owned()],
            now: NOW.parse().unwrap(),
        };
        let report = examine(&question, &web);
        assert!(!report.levels.is_empty());
        for finding in &report.findings {
            assert!(finding.certificate < report.levels.len(), "{finding:?}");
            assert!(finding.sentence.ends_with('.'), "{finding:?}");
            found.push(finding.rule.slug);
        }
    }
    found
}

fn damaged(mut octets: Vec<u8>, damage: &[(usize, u8)]) -> Vec<u8> {
    for (at, to) in damage {
        let at = at % octets.len();
        octets[at] = *to;
    }
    octets
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_damaged_certificate_gets_a_verdict_or_a_refusal(
        damage in prop::collection::vec((any::<usize>(), any::<u8>()), 0..4),
        which in prop::sample::select(vec!["root.crt", "issuing.crt", "short.crt"]),
        served in prop::sample::select(vec!["issuing.crl", "issuing.crt", "with-delta.crl"]),
    ) {
        let file = damaged(read(&format!("web/{which}")), &damage);
        examined(&file, read(&format!("web/{served}")));
    }

    #[test]
    fn a_damaged_crl_gets_a_verdict(
        damage in prop::collection::vec((any::<usize>(), any::<u8>()), 1..4),
        which in prop::sample::select(vec!["issuing.crl", "revoked.crl", "with-delta-delta.crl", "partition-3.crl"]),
    ) {
        let served = damaged(read(&format!("web/{which}")), &damage);
        examined(&read("user_revoked.pem"), served);
    }

    #[test]
    fn any_bytes_served_get_a_verdict(served: Vec<u8>) {
        let found = examined(&read("user_good.pem"), served);
        prop_assert!(found.contains(&"crl-not-der"));
    }
}

/// A certificate that names itself as everything: the chain ends, and nobody goes round in circles.
#[test]
fn two_cas_that_certify_each_other_end_the_chain() {
    let mut file = read("web/issuing.crt");
    let served = file.clone();
    assert!(!examined(&file, served).is_empty());
    file.extend(read("web/root.crt"));
    assert!(intake::certificates(&file, None).is_err(), "two in DER after each other are none");
}
