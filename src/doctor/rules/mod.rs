//! The rules, one file a group: what each party looks at, where that is written, and how it shows.
//!
//! A group has its rules as statics and one function that judges a case by them. Absent: fetching
//! and rendering. Begin with [`RULES`], which lists every rule there is.

/// Rules as a table: name, slug, severity, products, symptoms, confidence, document, remedy.
macro_rules! rules {
    ($($name:ident $slug:literal $severity:ident [$($product:ident)*] $symptoms:expr, $confidence:ident,
       $documented:expr, $remedy:literal;)*) => {
        $(pub(in crate::doctor::rules) static $name: $crate::doctor::Rule = $crate::doctor::Rule {
            slug: $slug,
            severity: $crate::doctor::Severity::$severity,
            products: &[$($crate::doctor::Product::$product),*],
            symptoms: $symptoms,
            remedy: $remedy,
            documented: $documented,
            confidence: $crate::doctor::Confidence::$confidence,
        };)*
    };
}

mod chain;
mod crl;
mod delta;
mod documents;
mod identity;
mod key;
mod names;
mod ocsp;
mod purpose;
mod validity;

use std::collections::BTreeMap;

use super::finding::{Confidence, Finding, Rule, Symptom};
use super::part::Part;
use super::{Case, Product};

/// Every rule, group by group.
pub const RULES: &[&[&Rule]] = &[
    names::RULES,
    identity::RULES,
    purpose::RULES,
    key::RULES,
    validity::RULES,
    chain::RULES,
    crl::RULES,
    delta::RULES,
    ocsp::RULES,
];

/// What is found, faults before warnings, else in the order of the groups and the chain.
pub fn judge(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let groups = [
        names::judge,
        identity::judge,
        purpose::judge,
        key::judge,
        validity::judge,
        chain::judge,
        crl::judge,
        delta::judge,
        ocsp::judge,
    ];
    for group in groups {
        group(case, &mut findings);
    }
    sorted(findings)
}

/// The same of CRLs alone, whatever else there is.
pub fn judge_lists(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    crl::judge_lists(case, &mut findings);
    delta::judge(case, &mut findings);
    sorted(findings)
}

fn sorted(findings: Vec<Finding>) -> Vec<Finding> {
    let mut findings = few(findings);
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

/// Findings of one rule about one certificate that are told.
const MOST_ALIKE: usize = 8;

/// Without those that only say the same again: of ten thousand names that are wildcards, eight are
/// told.
fn few(findings: Vec<Finding>) -> Vec<Finding> {
    let mut seen: BTreeMap<(&str, usize), usize> = BTreeMap::new();
    let mut is_told = |finding: &Finding| {
        let count = seen.entry((finding.rule.slug, finding.certificate)).or_default();
        *count += 1;
        *count <= MOST_ALIKE
    };
    findings.into_iter().filter(|finding| is_told(finding)).collect()
}

/// Whether breaking it may be the fault of this machine's way to the place: others may get there.
pub fn is_about_the_way(rule: &Rule) -> bool {
    ["crl-unreachable", "crl-redirected", "delta-unreachable", "ocsp-unreachable"]
        .contains(&rule.slug)
}

const NPS_SERVER: &[Part] = &[Part::NpsServer];
const VPN_SERVER: &[Part] = &[Part::VpnServer];
const SERVERS: &[Part] = &[Part::NpsServer, Part::VpnServer];
const VPN_USER: &[Part] = &[Part::VpnUser];
const VPN_DEVICE: &[Part] = &[Part::VpnDevice];
const CLIENTS: &[Part] = &[Part::VpnUser, Part::VpnDevice];
const EVERY_PART: &[Part] = &Part::ALL;

/// A document says that it shows so.
const fn seen(parts: &'static [Part], words: &'static str) -> Symptom {
    Symptom { parts, words, confidence: Confidence::Confirmed }
}

/// It follows that it shows so.
const fn inferred(parts: &'static [Part], words: &'static str) -> Symptom {
    Symptom { parts, words, confidence: Confidence::Inferred }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Slugs are what scripts hold on to: each once, and in one form.
    #[test]
    fn every_rule_is_named_once_and_says_where_it_comes_from() {
        let mut seen = BTreeSet::new();
        for rule in RULES.iter().flat_map(|group| group.iter()) {
            assert!(seen.insert(rule.slug), "{} twice", rule.slug);
            let fits = |letter: char| letter.is_ascii_lowercase() || letter == '-';
            assert!(rule.slug.chars().all(fits), "{} is no slug", rule.slug);
            assert!(!rule.products.is_empty() && !rule.documented.is_empty(), "{}", rule.slug);
            assert!(rule.remedy.ends_with('.'), "{}: {}", rule.slug, rule.remedy);
        }
        assert!(seen.len() > 40, "{}", seen.len());
    }

    /// The words that the issue lists are all there to be found.
    #[test]
    fn every_error_that_administrators_search_for_is_a_symptom() {
        let words: Vec<&str> = RULES
            .iter()
            .flat_map(|group| group.iter())
            .flat_map(|rule| rule.symptoms.iter().map(|symptom| symptom.words))
            .collect();
        for wanted in [
            "13801",
            "13806",
            "853",
            "812",
            "reason 258",
            "reason 259",
            "reason 265",
            "reason 283",
            "reason 289",
            "reason 291",
            "reason 16",
            "0x80092012",
            "0x80092013",
        ] {
            assert!(words.iter().any(|own| own.contains(wanted)), "{wanted}");
        }
    }
}
