//! The doctor: what each party of a VPN will say of a certificate, before the users do.
//!
//! Everything here is pure: certificates, time, names and what was fetched go in, findings come
//! out; fetching goes through the [`Fetch`] it is handed. Absent: clock, disk, network (the
//! `retrieval` room's), and any decision about what this CA issues. Begin with [`examine`], then
//! `rules`, one file a group of rules.

pub mod evidence;
pub mod finding;
pub mod intake;
mod part;
mod path;
pub mod report;
pub mod rules;

pub use evidence::{Document, Fetch, Fetching, NotFetched};
pub use finding::{Confidence, Finding, Product, Rule, Severity};
pub use part::Part;
pub use path::{Level, Source};
pub use report::Report;

use crate::pki::presented::PresentedCertificate;
use crate::pki::time::Timestamp;
use evidence::Evidence;
use path::Path;

/// What is asked.
pub struct Question<'a> {
    /// The part that the certificate is to play.
    pub part: Part,
    /// The certificates given; the first is the one in question.
    pub certificates: Vec<PresentedCertificate>,
    /// How they came.
    pub given: Given,
    /// Names that clients connect to, or the user's UPN: each must be in the certificate.
    pub names: &'a [String],
    /// The roots that are trusted; none where that is not known.
    pub roots: Vec<PresentedCertificate>,
    /// CRLs given by hand (DER), used beside what is fetched.
    pub crls: &'a [Vec<u8>],
    /// Where the CRL is that the certificate in question itself issues, for a CA: one list, or one
    /// in several places.
    pub issued_crl_urls: &'a [String],
    /// The time to judge at.
    pub now: Timestamp,
}

/// How the certificates came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// By hand: what is not among them may well be on the machines.
    ByHand,
    /// By a server in a TLS handshake: clients get no more than this.
    ByHandshake,
}

/// What is seen of the case before it is judged.
pub struct Case<'a> {
    /// The question.
    pub question: &'a Question<'a>,
    /// The certificate in question first, the root last where it was found.
    pub path: Path,
    /// What was fetched.
    pub evidence: Evidence<'a>,
}

/// Fetches what the certificates name, and judges.
pub fn examine(question: &Question<'_>, fetch: &dyn Fetch) -> Report {
    let mut evidence = Evidence::new(fetch);
    let path = Path::build(question, &mut evidence);
    evidence.gather(question, &path);
    let case = Case { question, path, evidence };
    let findings = rules::judge(&case);
    Report::of(&case, findings)
}

/// Judges the CRL alone that the certificate in question issues: of a CA whose certificate and chain
/// were examined, another one, such as that of a partition.
pub fn examine_issued(question: &Question<'_>, fetch: &dyn Fetch) -> Vec<Finding> {
    let mut evidence = Evidence::new(fetch);
    let path = Path::of_one(question);
    evidence.gather_issued(question, &path);
    rules::judge_lists(&Case { question, path, evidence })
}
