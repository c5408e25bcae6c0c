//! `chancery doctor`: judges a certificate as each party of a VPN would, from this machine.
//!
//! Needs neither data directory nor service. Absent: the rules, and the limits of fetching in the
//! service (here the operator's own machine asks, wherever the certificates point). Exit status:
//! 0 nothing was found, 3 warnings only, 4 a fault; 1 nothing could be judged, 2 usage.

pub mod arguments;
mod text;

use std::path::Path;

use super::failure::{Failure, at};
use super::home::passphrase_file;
use super::surroundings::{now, say};
use crate::doctor::evidence::Offline;
use crate::doctor::{Fetch, Given, Question, Report, Severity, examine, intake};
use crate::http::doctor::shape::ReportShape;
use crate::pki::presented::PresentedCertificate;
use crate::retrieval::{Limits, Reach, Retrieval, handshake};
use arguments::Doctor;

/// Judges, and tells. [`Failure::Diagnosed`] where something was found.
pub fn doctor(arguments: &Doctor) -> Result<(), Failure> {
    let (certificates, given) = match (&arguments.certificate, &arguments.connect) {
        (Some(path), _) => (read(path, arguments.password_file.as_deref())?, Given::ByHand),
        (None, Some(address)) => {
            let chain = handshake::chain(address, Limits::default().each)?;
            let read = |der: &Vec<u8>| PresentedCertificate::from_der(der);
            let chain: Result<Vec<_>, _> = chain.iter().map(read).collect();
            (chain.map_err(|_| Failure::NotPresented(address.clone()))?, Given::ByHandshake)
        }
        // The command line demands one of the two.
        (None, None) => return Ok(()),
    };
    let mut certificates = certificates;
    for path in &arguments.chain {
        certificates.extend(read(path, None)?);
    }
    let roots = read_all(&arguments.root)?;
    let mut crls = Vec::new();
    for path in &arguments.crl {
        crls.push(super::home::read_crl(path)?);
    }
    let question = Question {
        part: arguments.part,
        certificates,
        given,
        names: &arguments.name,
        roots,
        crls: &crls,
        issued_crl_urls: &arguments.issued_crl,
        now: arguments.at.unwrap_or_else(now),
    };
    let retrieval = Retrieval::new(Reach::Anywhere, Limits::default(), now);
    let fetch: &dyn Fetch = if arguments.offline { &Offline } else { &retrieval };
    let report = examine(&question, fetch);
    tell(&report, arguments);
    match report.worst() {
        None => Ok(()),
        Some(Severity::Warning) => Err(Failure::Diagnosed(3)),
        Some(Severity::Fault) => Err(Failure::Diagnosed(4)),
    }
}

fn tell(report: &Report, arguments: &Doctor) {
    if !arguments.json {
        return say(&text::of(report));
    }
    // A shape of our own, with string keys: it always serialises.
    say(&serde_json::to_string_pretty(&ReportShape::of(report)).unwrap_or_default());
}

fn read_all(paths: &[std::path::PathBuf]) -> Result<Vec<PresentedCertificate>, Failure> {
    let mut all = Vec::new();
    for path in paths {
        all.extend(read(path, None)?);
    }
    Ok(all)
}

fn read(path: &Path, password: Option<&Path>) -> Result<Vec<PresentedCertificate>, Failure> {
    let content = std::fs::read(path).map_err(at(path))?;
    let password = password.map(passphrase_file).transpose()?;
    let password = match &password {
        Some(own) => Some(own.as_text().ok_or_else(|| Failure::NoPassphrase(path.to_owned()))?),
        None => None,
    };
    intake::certificates(&content, password).map_err(|why| Failure::NotTaken(path.to_owned(), why))
}
