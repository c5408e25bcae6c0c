//! Dangers that an administrator has accepted, by name and with a reason, in the template itself:
//! so the acceptance is on record with it, and every answer about the template shows it.

use super::{Danger, Template};
use crate::pki::template::file::AcceptedDangerFile;
use crate::pki::template::mistake::{Collector, Problem};
use crate::pki::template::value::{LONGEST_TEXT, list, text, word};

/// A danger that was accepted, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    danger: Danger,
    reason: String,
}

impl Acceptance {
    /// Which.
    pub fn danger(&self) -> Danger {
        self.danger
    }

    /// Why.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// From the file.
pub(in crate::pki::template) fn read(
    files: &[AcceptedDangerFile],
) -> Result<Vec<Acceptance>, Problem> {
    let names: Vec<String> = files.iter().map(|file| file.danger.clone()).collect();
    let dangers = list(&names, |name| {
        let danger = word(name, Danger::from_word, "ESC3, ESC9, ESC17")?;
        if danger.can_be_accepted() {
            Ok(danger)
        } else {
            let known = "those that can be accepted: ESC3, ESC9, ESC17";
            Err(Problem::UnknownWord(name.clone(), known))
        }
    })?;
    let reasons = files.iter().map(|file| text(&file.reason, LONGEST_TEXT));
    let reasons = reasons.collect::<Result<Vec<_>, _>>()?;
    let each = dangers.into_iter().zip(reasons);
    Ok(each.map(|(danger, reason)| Acceptance { danger, reason }).collect())
}

/// To the file.
pub(in crate::pki::template) fn written(accepted: &[Acceptance]) -> Vec<AcceptedDangerFile> {
    let file = |own: &Acceptance| AcceptedDangerFile {
        danger: own.danger.as_str().to_owned(),
        reason: own.reason.clone(),
    };
    accepted.iter().map(file).collect()
}

/// Dangers that are open and not accepted, and acceptances of what is not open: an acceptance is
/// no store for later.
pub(in crate::pki::template) fn contradictions(template: &Template, mistakes: &mut Collector) {
    let open = Danger::of(template);
    let accepted: Vec<Danger> = template.accepted_dangers.iter().map(Acceptance::danger).collect();
    for danger in &open {
        if !accepted.contains(danger) {
            mistakes.note("template", Problem::Dangerous(*danger));
        }
    }
    for danger in accepted {
        if !open.contains(&danger) {
            mistakes.note("accepted_dangers", Problem::NotOpen(danger));
        }
    }
}
