//! What is fetched, how often, and how much of it: whatever a certificate names.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chancery::doctor::evidence::MOST_LOOKUPS;
use chancery::doctor::{
    Document, Fetch, Given, NotFetched, Part, Question, Report, examine, examine_issued,
};
use chancery::pki::presented::PresentedCertificate;
use rcgen::{
    CertificateParams, CrlDistributionPoint, CustomExtension, DistinguishedName, DnType, KeyPair,
    SanType,
};

use super::web::{NOW, Web, certificate, folder};

fn question(certificates: Vec<PresentedCertificate>) -> Question<'static> {
    Question {
        part: Part::VpnUser,
        certificates,
        given: Given::ByHand,
        names: &[],
        roots: Vec::new(),
        crls: &[],
        issued_crl_urls: &[],
        now: NOW.parse().unwrap(),
    }
}

/// A partition's list is judged by itself: nothing else is fetched, and nothing else is said.
#[test]
fn a_list_alone_is_judged_by_what_it_is() {
    let issuing = std::fs::read(folder().join("web/issuing.crt")).unwrap();
    let part = "http://pki.contoso.com/partition-3.crl".to_owned();
    let judged = |urls: &[String], now: &str| {
        let web = Web::default();
        let certificates = vec![PresentedCertificate::from_der(&issuing).unwrap()];
        let now = now.parse().unwrap();
        let asked =
            Question { part: Part::Ca, issued_crl_urls: urls, now, ..question(certificates) };
        let found: Vec<&str> =
            examine_issued(&asked, &web).iter().map(|finding| finding.rule.slug).collect();
        (found, web.asked.into_inner())
    };
    let list = [part];
    assert_eq!(judged(&list, NOW), (vec![], list.to_vec()));
    assert_eq!(judged(&list, "2026-12-21T00:00:00Z").0, ["crl-expired"]);
    let missing = ["http://pki.contoso.com/partition-4.crl".to_owned()];
    assert_eq!(judged(&missing, NOW), (vec!["crl-unreachable"], missing.to_vec()));
}

/// Answers everything with nothing of use, and notes what it was asked.
#[derive(Default)]
struct Nowhere(RefCell<Vec<String>>);

impl Fetch for Nowhere {
    fn get(&self, url: &str) -> Result<Document, NotFetched> {
        self.0.borrow_mut().push(format!("GET {url}"));
        Ok(Document { body: b"none".to_vec().into(), clock_ahead_seconds: None })
    }

    fn ask(&self, url: &str, _: &[u8]) -> Result<Document, NotFetched> {
        self.0.borrow_mut().push(format!("POST {url}"));
        Ok(Document { body: b"none".to_vec().into(), clock_ahead_seconds: None })
    }
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    let header = match (high, low) {
        (0, ..0x80) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [header, content.to_vec()].concat()
}

/// authorityInfoAccess with these URLs as OCSP responders.
fn responders(urls: &[String]) -> CustomExtension {
    let access = urls.iter().flat_map(|url| {
        let method = [6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 1];
        tlv(0x30, &[&method[..], &tlv(0x86, url.as_bytes())].concat())
    });
    let value = tlv(0x30, &access.collect::<Vec<u8>>());
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], value)
}

/// A CA and a certificate under it, which names these places.
fn naming(crls: &[String], ocsp: &[String]) -> Vec<PresentedCertificate> {
    let named = |text: &str| {
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, text);
        name
    };
    let (key, own) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut above = CertificateParams::default();
    above.distinguished_name = named("A CA");
    above.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let mut below = CertificateParams::default();
    below.distinguished_name = named("Alice");
    below.crl_distribution_points = vec![CrlDistributionPoint { uris: crls.to_vec() }];
    below.custom_extensions = vec![responders(ocsp)];
    let root = above.self_signed(&key).unwrap();
    let issuer = rcgen::Issuer::new(above, key);
    let made = below.signed_by(&own, &issuer).unwrap();
    [made.der(), root.der()].map(|der| PresentedCertificate::from_der(der).unwrap()).to_vec()
}

fn places(count: usize, ending: &str) -> Vec<String> {
    (0..count).map(|number| format!("http://h{number}.contoso.com/a{ending}")).collect()
}

fn sentences(report: &Report) -> usize {
    report.findings.iter().map(|finding| finding.sentence.len()).sum()
}

#[test]
fn a_place_that_is_named_many_times_is_asked_once() {
    let (crls, ocsp) =
        (vec![places(1, ".crl"); 300].concat(), vec![places(1, "/ocsp"); 300].concat());
    let nowhere = Nowhere::default();
    let report = examine(&question(naming(&crls, &ocsp)), &nowhere);
    let expected = ["GET http://h0.contoso.com/a.crl", "POST http://h0.contoso.com/a/ocsp"];
    assert_eq!(*nowhere.0.borrow(), expected);
    assert_eq!(report.lookups.len(), 2);
    let broken = report.findings.iter().filter(|own| own.rule.slug == "ocsp-answer-broken");
    assert_eq!(broken.count(), 1, "told once, too");
}

#[test]
fn there_is_an_end_to_the_places() {
    for (crls, ocsp) in [(600, 1), (1, 600), (200, 200)] {
        let nowhere = Nowhere::default();
        let named = naming(&places(crls, ".crl"), &places(ocsp, "/ocsp"));
        let report = examine(&question(named), &nowhere);
        let asked = nowhere.0.borrow();
        assert_eq!(asked.len(), MOST_LOOKUPS);
        assert_eq!(asked.iter().collect::<BTreeSet<_>>().len(), asked.len(), "each once");
        assert_eq!(report.lookups.len(), MOST_LOOKUPS + 1, "and that there were more");
        assert_eq!(report.lookups.last().unwrap().outcome, Err(NotFetched::TooMany));
        assert!(report.hints.iter().any(|hint| hint.slug == "not-looked-up"));
        assert!(sentences(&report) < 16 * 1024, "{}", sentences(&report));
    }
}

/// Gives the base of before, then the one that the delta is against.
struct Replaced {
    web: Web,
    times: RefCell<usize>,
}

impl Fetch for Replaced {
    fn get(&self, url: &str) -> Result<Document, NotFetched> {
        if url == "http://pki.contoso.com/hold-ahead.crl" {
            *self.times.borrow_mut() += 1;
            if *self.times.borrow() > 1 {
                return self.web.get("http://pki.contoso.com/hold-ahead-next.crl");
            }
        }
        self.web.get(url)
    }

    fn ask(&self, url: &str, request: &[u8]) -> Result<Document, NotFetched> {
        self.web.ask(url, request)
    }
}

#[test]
fn base_and_delta_that_are_replaced_meanwhile_fit_all_the_same() {
    let replaced = Replaced { web: Web::default(), times: RefCell::new(0) };
    let report = examine(&question(certificate("user_delta_releases_ahead")), &replaced);
    assert_eq!(*replaced.times.borrow(), 2, "asked once more");
    let found: Vec<&str> = report.findings.iter().map(|own| own.rule.slug).collect();
    assert!(found.is_empty(), "the delta released it: {found:?}");
    let named = report.lookups.iter().filter(|own| own.url.ends_with("hold-ahead.crl"));
    assert_eq!(named.count(), 1);
}

/// What strangers write into URLs is shown, and obeyed by no terminal and no log.
#[test]
fn sentences_hold_nothing_that_a_terminal_obeys() {
    let places = ["http://h.contoso.com/\u{1b}[2J\u{7f}\r\nFAULT".to_owned()];
    let report = examine(&question(naming(&places, &places)), &Nowhere::default());
    let told = report.findings.iter().find(|own| own.rule.slug == "crl-not-der").unwrap();
    assert!(told.sentence.contains("\\u001b[2J\\u007f\\u000d\\u000aFAULT"), "{}", told.sentence);
    for finding in &report.findings {
        assert!(!finding.sentence.contains(char::is_control), "{:?}", finding.sentence);
    }
    assert_eq!(report.lookups[0].url, places[0], "scripts get it as it is");
}

/// As many names as there is room for: the verdict is soon there, and is short.
#[test]
fn thousands_of_names_are_judged_soon_and_told_shortly() {
    let mut sans: Vec<SanType> = (0..30_000u32)
        .map(|number| SanType::IpAddress(std::net::Ipv4Addr::from(number).into()))
        .collect();
    for number in 0..2000 {
        let name = format!("*.n{number}.contoso.com");
        sans.push(SanType::DnsName(name.try_into().unwrap()));
    }
    let mut params = CertificateParams::default();
    params.subject_alt_names = sans;
    let key = KeyPair::generate().unwrap();
    let made = params.self_signed(&key).unwrap();
    let certificate = PresentedCertificate::from_der(made.der()).unwrap();
    let names = ["vpn.contoso.com".to_owned()];
    let asked = Question { part: Part::VpnServer, names: &names, ..question(vec![certificate]) };
    let begun = Instant::now();
    let report = examine(&asked, &Nowhere::default());
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let told = |slug| report.findings.iter().filter(|own| own.rule.slug == slug).count();
    assert_eq!((told("address-not-as-dns-name"), told("wildcard-name")), (8, 8));
    assert_eq!(told("name-not-in-certificate"), 1);
    assert!(sentences(&report) < 8 * 1024, "{}", sentences(&report));
    assert!(report.findings.iter().all(|own| own.sentence.ends_with('.')));
}

/// A root that somebody made up under a trusted one's name does not pass for it.
#[test]
fn a_root_is_signed_with_its_own_key() {
    let der = std::fs::read(folder().join("web/root.crt")).unwrap();
    let mut broken = der.clone();
    *broken.last_mut().unwrap() ^= 1;
    for (der, expected) in [(der, vec![]), (broken, vec!["signature-wrong"])] {
        let root = PresentedCertificate::from_der(&der).unwrap();
        let asked = Question { part: Part::Ca, roots: vec![root.clone()], ..question(vec![root]) };
        let report = examine(&asked, &Nowhere::default());
        assert!(report.complete);
        let found: Vec<&str> = report.findings.iter().map(|own| own.rule.slug).collect();
        assert_eq!(found, expected);
    }
}
