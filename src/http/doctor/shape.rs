//! The report as JSON: the same from `POST /v1/doctor` and from `chancery doctor --json`.

use serde::Serialize;

use crate::doctor::evidence::Lookup;
use crate::doctor::report::Hint;
use crate::doctor::{Finding, Level, Part, Report, Severity, Source};

/// A report.
#[derive(Serialize)]
pub struct ReportShape {
    part: &'static str,
    judged_at: String,
    verdict: &'static str,
    faults: usize,
    warnings: usize,
    findings: Vec<FindingShape>,
    certificates: Vec<CertificateShape>,
    chain_complete: bool,
    lookups: Vec<LookupShape>,
    hints: Vec<HintShape>,
}

#[derive(Serialize)]
struct FindingShape {
    rule: &'static str,
    severity: &'static str,
    certificate: usize,
    sentence: String,
    seen_as: Vec<SymptomShape>,
    remedy: &'static str,
    products: Vec<&'static str>,
    documented: &'static str,
    confidence: &'static str,
}

#[derive(Serialize)]
struct SymptomShape {
    words: &'static str,
    confidence: &'static str,
}

#[derive(Serialize)]
struct CertificateShape {
    subject: String,
    issuer: String,
    serial_number: String,
    not_before: String,
    not_after: String,
    key: String,
    sha1_thumbprint: String,
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fetched_from: Option<String>,
}

#[derive(Serialize)]
struct LookupShape {
    url: String,
    sought: &'static str,
    fetched: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    octets: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_ahead_seconds: Option<i64>,
}

#[derive(Serialize)]
struct HintShape {
    hint: &'static str,
    sentence: String,
    documented: &'static str,
}

impl ReportShape {
    /// Of a report.
    pub fn of(report: &Report) -> Self {
        let count = |wanted| report.findings.iter().filter(|one| one.severity == wanted).count();
        Self {
            part: report.part.as_str(),
            judged_at: report.judged_at.to_string(),
            verdict: verdict(report),
            faults: count(Severity::Fault),
            warnings: count(Severity::Warning),
            findings: report.findings.iter().map(|one| finding(one, report.part)).collect(),
            certificates: report.levels.iter().map(certificate).collect(),
            chain_complete: report.complete,
            lookups: report.lookups.iter().map(lookup).collect(),
            hints: report.hints.iter().map(hint).collect(),
        }
    }
}

/// `well`, `warnings` or `faults`.
pub fn verdict(report: &Report) -> &'static str {
    match report.worst() {
        None => "well",
        Some(Severity::Warning) => "warnings",
        Some(Severity::Fault) => "faults",
    }
}

fn finding(finding: &Finding, part: Part) -> FindingShape {
    let symptoms = finding.symptoms(part);
    let symptoms = symptoms.map(|symptom| SymptomShape {
        words: symptom.words,
        confidence: symptom.confidence.as_str(),
    });
    FindingShape {
        rule: finding.rule.slug,
        severity: finding.severity.as_str(),
        certificate: finding.certificate,
        sentence: finding.sentence.clone(),
        seen_as: symptoms.collect(),
        remedy: finding.rule.remedy,
        products: finding.rule.products.iter().map(|product| product.as_str()).collect(),
        documented: finding.rule.documented,
        confidence: finding.rule.confidence.as_str(),
    }
}

fn certificate(level: &Level) -> CertificateShape {
    let own = &level.certificate;
    CertificateShape {
        subject: own.subject_text(),
        issuer: own.issuer_text(),
        serial_number: own.serial_text(),
        not_before: own.not_before().to_string(),
        not_after: own.not_after().to_string(),
        key: own.key().to_string(),
        sha1_thumbprint: own.sha1_thumbprint().iter().map(|octet| format!("{octet:02x}")).collect(),
        source: level.source.as_str(),
        fetched_from: match &level.source {
            Source::Fetched(url) => Some(url.clone()),
            Source::Given | Source::Trusted => None,
        },
    }
}

fn lookup(lookup: &Lookup) -> LookupShape {
    LookupShape {
        url: lookup.url.clone(),
        sought: lookup.sought.as_str(),
        fetched: lookup.outcome.is_ok(),
        octets: lookup.outcome.as_ref().ok().copied(),
        reason: lookup.outcome.as_ref().err().map(ToString::to_string),
        clock_ahead_seconds: lookup.clock_ahead_seconds,
    }
}

fn hint(hint: &Hint) -> HintShape {
    HintShape { hint: hint.slug, sentence: hint.sentence.clone(), documented: hint.documented }
}
