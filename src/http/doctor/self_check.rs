//! The service judged by its own rules: its CA certificate with every level above it, and its CRL
//! as relying parties fetch it. A timer makes it; `/readyz` and `/metrics` tell it.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::ca::Authority;
use crate::doctor::{Fetch, Finding, Given, Part, Question, Report, Severity, examine, rules};
use crate::pki::certificate::Certificate;
use crate::pki::issuer::Issuer;
use crate::pki::presented::PresentedCertificate;
use crate::pki::time::Timestamp;

/// What was found the last time.
#[derive(Debug)]
pub struct SelfCheck {
    /// When.
    pub at: Timestamp,
    /// Faults that relying parties will meet: this service is not ready.
    pub faults: Vec<String>,
    /// Warnings, and what may be only this machine's way to its own address.
    pub warnings: Vec<String>,
}

impl SelfCheck {
    /// Examines `authority` as a CA, with the CRLs that it publishes: under each key whose
    /// certificate has not ended.
    pub fn of(authority: &Arc<Authority>, fetch: &dyn Fetch, now: Timestamp) -> Self {
        let present = Self::of_key(authority, authority.issuer(), fetch, now);
        let earlier = authority.earlier_keys().iter().map(|own| &own.issuer);
        let in_force = earlier.filter(|issuer| now <= issuer.not_after());
        in_force.fold(present, |mut all, issuer| {
            let one = Self::of_key(authority, issuer, fetch, now);
            all.faults.extend(one.faults);
            all.warnings.extend(one.warnings);
            all
        })
    }

    fn of_key(authority: &Authority, issuer: &Issuer, fetch: &dyn Fetch, now: Timestamp) -> Self {
        let ders = std::iter::once(issuer.certificate_der());
        let ders = ders.chain(issuer.chain().iter().map(Certificate::der));
        // What no certificate says where to find was handed to relying parties by hand.
        let unnamed = authority.parents().iter().filter(|own| own.named_crl_urls().is_empty());
        let crls: Vec<Vec<u8>> =
            unnamed.filter_map(|own| own.crl().map(|crl| crl.octets.to_vec())).collect();
        let certificates = ders.filter_map(|der| PresentedCertificate::from_der(der).ok());
        let question = Question {
            part: Part::Ca,
            certificates: certificates.collect(),
            given: Given::ByHand,
            names: &[],
            roots: Vec::new(),
            crls: &crls,
            issued_crl_urls: issuer.crl_urls(),
            now,
        };
        Self::from_report(&examine(&question, fetch))
    }

    fn from_report(report: &Report) -> Self {
        let (faults, warnings): (Vec<&Finding>, Vec<&Finding>) = report
            .findings
            .iter()
            .partition(|one| one.severity == Severity::Fault && !rules::is_about_the_way(one.rule));
        let told = |one: &Finding| format!("{}: {}", one.rule.slug, one.sentence);
        Self {
            at: report.judged_at,
            faults: faults.into_iter().map(told).collect(),
            warnings: warnings.into_iter().map(told).collect(),
        }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SeverityLabels {
    severity: &'static str,
}

/// How it stands, for `/metrics`.
#[derive(Default)]
pub(in crate::http) struct Gauges {
    findings: Family<SeverityLabels, Gauge>,
    age_seconds: Gauge,
}

impl Gauges {
    pub(in crate::http) fn register(&self, registry: &mut Registry) {
        let help = "What the service's look at itself found";
        registry.register("self_check_findings", help, self.findings.clone());
        let help = "Seconds since it looked at itself";
        registry.register("self_check_age_seconds", help, self.age_seconds.clone());
    }

    pub(in crate::http) fn set(&self, found: &SelfCheck, now: Timestamp) {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        for (severity, count) in [("fault", &found.faults), ("warning", &found.warnings)] {
            self.findings.get_or_create(&SeverityLabels { severity }).set(number(count.len()));
        }
        self.age_seconds.set(i64::try_from(now.seconds_since(found.at)).unwrap_or(i64::MAX));
    }
}
