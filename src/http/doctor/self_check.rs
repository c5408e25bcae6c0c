//! The service judged by its own rules: its CA certificate with every level above it, and its CRL
//! as relying parties fetch it. A timer makes it; `/readyz` and `/metrics` tell it.

use std::collections::BTreeMap;
use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::ca::Authority;
use crate::doctor::{
    Fetch, Finding, Given, Part, Question, Severity, examine, examine_issued, rules,
};
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
    /// certificate has not ended, the complete one with its delta, and that of each partition.
    pub fn of(authority: &Authority, fetch: &dyn Fetch, now: Timestamp) -> Self {
        let mut all = Self { at: now, faults: Vec::new(), warnings: Vec::new() };
        let present = authority.issuer().key_index();
        let looked_at =
            |issuer: &&Arc<Issuer>| issuer.key_index() == present || now <= issuer.not_after();
        for issuer in authority.issuers().filter(looked_at) {
            all.examine_key(authority, issuer, fetch, now);
            all.examine_partitions(issuer, fetch, now);
        }
        all
    }

    fn examine_key(
        &mut self,
        authority: &Authority,
        issuer: &Issuer,
        fetch: &dyn Fetch,
        now: Timestamp,
    ) {
        let ders = std::iter::once(issuer.certificate_der());
        let ders = ders.chain(issuer.chain().iter().map(Certificate::der));
        // What no certificate says where to find was handed to relying parties by hand.
        let unnamed = authority.parents().iter().filter(|own| own.named_crl_urls().is_empty());
        let crls: Vec<Vec<u8>> =
            unnamed.filter_map(|own| own.crl().map(|crl| crl.octets.to_vec())).collect();
        let question = question(ders, &crls, issuer.crl_urls(), now);
        for finding in examine(&question, fetch).findings {
            self.tell(&finding, "");
        }
    }

    /// Each list is fetched and judged by itself, and let go. What is wrong with several is told of
    /// the first: one dead address is one trouble.
    fn examine_partitions(&mut self, issuer: &Issuer, fetch: &dyn Fetch, now: Timestamp) {
        let mut first: BTreeMap<&str, (Finding, usize)> = BTreeMap::new();
        for scope in issuer.scopes().filter(|scope| scope.partition.is_some()) {
            let own = std::iter::once(issuer.certificate_der());
            let question = question(own, &[], issuer.crl_urls_of(scope), now);
            let mut broken = BTreeMap::new();
            for finding in examine_issued(&question, fetch) {
                broken.entry(finding.rule.slug).or_insert(finding);
            }
            for (slug, finding) in broken {
                let (_, count) = first.entry(slug).or_insert((finding, 0));
                *count += 1;
            }
        }
        for (finding, count) in first.into_values() {
            let more = match count - 1 {
                0 => String::new(),
                1 => " So it is with another partition.".to_owned(),
                others => format!(" So it is with {others} other partitions."),
            };
            self.tell(&finding, &more);
        }
    }

    fn tell(&mut self, finding: &Finding, more: &str) {
        let told = format!("{}: {}{more}", finding.rule.slug, finding.sentence);
        let is_fault =
            finding.severity == Severity::Fault && !rules::is_about_the_way(finding.rule);
        if is_fault { self.faults.push(told) } else { self.warnings.push(told) }
    }
}

/// About a CA, the first of these certificates, and the list that it issues.
fn question<'a>(
    ders: impl Iterator<Item = &'a [u8]>,
    crls: &'a [Vec<u8>],
    issued_crl_urls: &'a [String],
    now: Timestamp,
) -> Question<'a> {
    Question {
        part: Part::Ca,
        certificates: ders.filter_map(|der| PresentedCertificate::from_der(der).ok()).collect(),
        given: Given::ByHand,
        names: &[],
        roots: Vec::new(),
        crls,
        issued_crl_urls,
        now,
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
