//! From a directory entry to a template of this CA, and a report of every step.

use super::access::is_broad;
use super::directory_form;
use super::entry::Entry;
use super::note::Note;
use super::reading::{Reading, own_oid};
use super::report::Report;
use super::trustees::Principals;
use crate::pki::template::{Right, Template, TemplateArc, TemplateFile};

/// What a conversion depends on beside the entry.
pub struct Circumstances<'a> {
    /// This installation's arc: OIDs below it are its own.
    pub arc: &'a TemplateArc,
    /// Who stands behind security identifiers.
    pub principals: &'a Principals,
    /// Whether a template may lose a condition that AD CS checks.
    pub losses: Losses,
}

/// Whether a template may lose a condition that AD CS checks and this CA cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Losses {
    /// It is refused then.
    Refused,
    /// The importer accepts it.
    Accepted,
}

/// What became of an entry.
#[derive(Clone, Debug)]
pub struct Conversion {
    /// Its cn, or what else it is called.
    pub name: String,
    /// The template; none if the report says why it is refused.
    pub template: Option<Template>,
    /// Every step.
    pub report: Report,
}

/// Converts an entry.
pub fn convert(entry: &Entry, circumstances: &Circumstances<'_>) -> Conversion {
    let mut reading = Reading::of(entry);
    if let Some(template) =
        entry.note.as_ref().and_then(|note| believed(entry, note, circumstances))
    {
        reading.report.take(
            "note of this CA's export",
            "agrees with the attributes: the template as it was exported",
        );
        let name = template.cn().to_owned();
        return Conversion { name, template: Some(template), report: reading.report };
    }
    if entry.note.is_some() {
        reading.report.differ("the note of this CA's export does not agree with the attributes beside it; the attributes count");
    }
    let file = reading.file(circumstances);
    let mut report = reading.finish(circumstances.losses);
    let template = match Template::from_file(&file) {
        Ok(template) => Some(template),
        Err(mistakes) => {
            mistakes.iter().for_each(|mistake| report.refuse(mistake.to_string()));
            None
        }
    };
    if let Some(template) = &template {
        dangers(template, &mut report);
    }
    let template = template.filter(|_| report.refused.is_empty());
    Conversion { name: file.cn, template, report }
}

/// The template of a note, if exporting it again gives this very entry.
fn believed(entry: &Entry, note: &Note, circumstances: &Circumstances<'_>) -> Option<Template> {
    let oid = own_oid(&note.template.oid, circumstances.arc);
    let file = TemplateFile { oid, ..note.template.clone() };
    let template = Template::from_file(&file).ok()?;
    directory_form::is_of(entry, &template, circumstances.arc, &note.sids()).then_some(template)
}

/// What AD CS lets happen with these permissions, and is known by a name.
fn dangers(template: &Template, report: &mut Report) {
    let broad = |right| template.permissions().allowed(right).find(|own| is_broad(own));
    if let Some(who) = broad(Right::Write) {
        report.refuse(format!(
            "ESC4: everybody in {} may change the template; take Write and Full Control away from \
             that group and import again",
            who.name()
        ));
    }
    let unguarded = !template.needs_approval() && template.ra_signatures() == 0;
    if template.subject_comes_from_request() && template.can_log_on() {
        match broad(Right::Enroll) {
            Some(who) if unguarded && template.requested_names().is_none() => report.refuse(format!(
                "ESC1: everybody in {} may name whomever he likes, for a purpose that can log on; \
                 give Enroll to a narrow group, or let the directory give the names, and import again",
                who.name()
            )),
            _ => report.differ(
                "names come from the request, which in AD CS lets whoever enrols choose any (ESC1): \
                 here only administrators and certificate managers may until `requested_names` says \
                 which",
            ),
        }
    }
}
