//! The report for people.

use crate::doctor::{Confidence, Finding, Level, Part, Report, Severity, Source};

/// Columns of a line.
const WIDTH: usize = 100;

/// The whole report, without a newline at its end.
pub(super) fn of(report: &Report) -> String {
    let mut out = Vec::new();
    out.push(format!("As {}, judged at {}", report.part.as_str(), report.judged_at));
    for (position, level) in report.levels.iter().enumerate() {
        certificate(position, level, &mut out);
    }
    if !report.complete {
        out.push("  ?  its issuer's certificate was not found".to_owned());
    }
    for finding in &report.findings {
        out.push(String::new());
        told(finding, report.part, &mut out);
    }
    if !report.lookups.is_empty() {
        out.push("\nLooked up".to_owned());
    }
    for lookup in &report.lookups {
        let outcome = match &lookup.outcome {
            Ok(octets) => format!("{octets} octets"),
            Err(why) => why.to_string(),
        };
        out.push(format!("  {} {}: {outcome}", lookup.sought.as_str(), lookup.url));
    }
    if !report.hints.is_empty() {
        out.push("\nCannot be seen from here".to_owned());
    }
    for hint in &report.hints {
        let text = format!("{} [{}]", hint.sentence, hint.documented);
        wrapped("  - ", "    ", &text, &mut out);
    }
    let count = |wanted| report.findings.iter().filter(|one| one.severity == wanted).count();
    let (faults, warnings) = (count(Severity::Fault), count(Severity::Warning));
    out.push(format!("\n{}, {}", counted(faults, "fault"), counted(warnings, "warning")));
    out.join("\n")
}

fn counted(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

fn certificate(position: usize, level: &Level, out: &mut Vec<String>) {
    let own = &level.certificate;
    let subject =
        if own.subject_is_empty() { "(no subject)".to_owned() } else { own.subject_text() };
    let source = match &level.source {
        Source::Given => String::new(),
        Source::Trusted => ", trusted".to_owned(),
        Source::Fetched(url) => format!(", fetched from {url}"),
    };
    let text = format!("{subject}: {}, until {}{source}", own.key(), own.not_after());
    wrapped(&format!("  {position}  "), "     ", &text, out);
}

fn told(finding: &Finding, part: Part, out: &mut Vec<String>) {
    let rule = finding.rule;
    let word = match finding.severity {
        Severity::Fault => "FAULT",
        Severity::Warning => "WARNING",
    };
    out.push(format!("{word}  {}  (certificate {})", rule.slug, finding.certificate));
    wrapped("  ", "  ", &finding.sentence, out);
    let symptoms: Vec<String> = finding
        .symptoms(part)
        .map(|symptom| match symptom.confidence {
            Confidence::Confirmed => symptom.words.to_owned(),
            Confidence::Inferred => format!("{} (inferred)", symptom.words),
            Confidence::Unconfirmed => format!("{} (not confirmed)", symptom.words),
        })
        .collect();
    if !symptoms.is_empty() {
        wrapped("  Shows as    ", "              ", &symptoms.join("; "), out);
    }
    wrapped("  Do          ", "              ", rule.remedy, out);
    let products: Vec<&str> = rule.products.iter().map(|product| product.as_str()).collect();
    wrapped("  Who has it  ", "              ", &products.join(", "), out);
    let source = match rule.confidence {
        Confidence::Confirmed => rule.documented.to_owned(),
        Confidence::Inferred => format!("{} (inferred from it)", rule.documented),
        Confidence::Unconfirmed => format!("{} (NOT CONFIRMED)", rule.documented),
    };
    wrapped("  Documented  ", "              ", &source, out);
}

/// Words in lines of [`WIDTH`]; a word that is longer stands alone.
fn wrapped(first: &str, rest: &str, text: &str, out: &mut Vec<String>) {
    let mut line = first.to_owned();
    let mut filled = false;
    for word in text.split_whitespace() {
        if filled && line.chars().count() + 1 + word.chars().count() > WIDTH {
            out.push(std::mem::replace(&mut line, rest.to_owned()));
            filled = false;
        }
        if filled {
            line.push(' ');
        }
        line.push_str(word);
        filled = true;
    }
    out.push(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_wrapped_at_words() {
        let mut out = Vec::new();
        wrapped("  - ", "    ", &"word ".repeat(50), &mut out);
        assert!(out.len() > 2 && out.iter().all(|line| line.chars().count() <= WIDTH));
        assert!(out[0].starts_with("  - word word") && out[1].starts_with("    word"));
        assert_eq!(
            counted(0, "fault") + &counted(1, "fault") + &counted(2, "fault"),
            "no faults1 fault2 faults"
        );
    }
}
