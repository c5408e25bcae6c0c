//! A file that somebody gives to the doctor, and what a web server gives to everybody who asks: the
//! first two octets say where the one ends and the other begins.
#![no_main]

use chancery::doctor::{Document, Fetch, Given, NotFetched, Part, Question, examine, intake};
use libfuzzer_sys::fuzz_target;

struct Everywhere<'a>(&'a [u8]);

impl Fetch for Everywhere<'_> {
    fn get(&self, _: &str) -> Result<Document, NotFetched> {
        Ok(Document { body: self.0.to_vec().into(), clock_ahead_seconds: None })
    }

    fn ask(&self, url: &str, _: &[u8]) -> Result<Document, NotFetched> {
        self.get(url)
    }
}

fuzz_target!(|sent: &[u8]| {
    let Some((length, rest)) = sent.split_first_chunk::<2>() else { return };
    let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
    let (file, served) = rest.split_at(length);
    let Ok(certificates) = intake::certificates(file, Some("password")) else { return };
    for part in Part::ALL {
        let question = Question {
            part,
            certificates: certificates.clone(),
            given: Given::ByHand,
            names: &["vpn.contoso.com".to_owned()],
            roots: Vec::new(),
            crls: &[served.to_vec()],
            issued_crl_urls: &["http://pki.contoso.com/issued.crl".to_owned()],
            now: chancery::pki::time::Timestamp::from_seconds(1_800_000_000),
        };
        let report = examine(&question, &Everywhere(served));
        assert!(report.findings.iter().all(|found| found.certificate < report.levels.len()));
    }
});
