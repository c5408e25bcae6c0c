//! What `http://pki.contoso.com/` serves: the files of `tests/fixtures/doctor/web`.

use std::cell::RefCell;
use std::path::PathBuf;

use chancery::doctor::{
    Document, Fetch, Given, NotFetched, Part, Question, Report, examine, intake,
};
use chancery::pki::presented::PresentedCertificate;

/// When all is judged.
pub const NOW: &str = "2026-11-24T00:00:00Z";

pub fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/doctor"))
}

/// The web server, and what it was asked.
#[derive(Default)]
pub struct Web {
    pub clock_ahead_seconds: i64,
    pub asked: RefCell<Vec<String>>,
}

impl Fetch for Web {
    fn get(&self, url: &str) -> Result<Document, NotFetched> {
        self.asked.borrow_mut().push(url.to_owned());
        let name = url.strip_prefix("http://pki.contoso.com/").expect("a URL of the fixtures");
        if name == "moved.crl" {
            return Err(NotFetched::Redirected(301));
        }
        let body = std::fs::read(folder().join("web").join(name));
        let body = body.map_err(|_| NotFetched::Status(404))?;
        Ok(Document { body: body.into(), clock_ahead_seconds: Some(self.clock_ahead_seconds) })
    }

    /// Each certificate of the fixtures has a responder of its own, with one answer.
    fn ask(&self, url: &str, request: &[u8]) -> Result<Document, NotFetched> {
        assert!(request.starts_with(&[0x30]), "an OCSP request");
        self.get(url)
    }
}

/// What else is asked besides the certificate and its part.
#[derive(Default)]
pub struct Besides {
    pub names: &'static [&'static str],
    /// A file in `web/`.
    pub root: Option<&'static str>,
    pub by_handshake: bool,
    pub clock_ahead_seconds: i64,
}

pub fn certificate(stem: &str) -> Vec<PresentedCertificate> {
    let content = std::fs::read(folder().join(format!("{stem}.pem"))).unwrap();
    intake::certificates(&content, None).unwrap()
}

pub fn judged(stem: &str, part: Part, besides: &Besides) -> Report {
    let names: Vec<String> = besides.names.iter().map(|name| (*name).to_owned()).collect();
    let root = besides.root.map(|file| {
        let der = std::fs::read(folder().join("web").join(file)).unwrap();
        PresentedCertificate::from_der(&der).unwrap()
    });
    let question = Question {
        part,
        certificates: certificate(stem),
        given: if besides.by_handshake { Given::ByHandshake } else { Given::ByHand },
        names: &names,
        roots: root.into_iter().collect(),
        crls: &[],
        issued_crl_urls: &[],
        now: NOW.parse().unwrap(),
    };
    let web = Web { clock_ahead_seconds: besides.clock_ahead_seconds, ..Web::default() };
    examine(&question, &web)
}
