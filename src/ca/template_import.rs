//! Templates from Active Directory into the register: all of a call or none of it.

use std::sync::Arc;

use super::permissions::Operation;
use super::templates::{Listed, TemplateSet, may_be_called, saved};
use super::{Answering, Authority, Refusal, Requester, record};
use crate::pki::template::exchange::{
    Circumstances, Conversion, Entry, Losses, Principals, Report, convert, differing_keys,
};
use crate::pki::template::{Origin, Template};
use crate::pki::time::Timestamp;
use crate::storage::Urgency;

/// What an importer wants.
#[derive(Clone, Debug)]
pub struct Import {
    /// Who stands behind security identifiers.
    pub principals: Principals,
    /// Whether a template may lose a condition that AD CS checks.
    pub losses: Losses,
    /// What becomes of a template whose cn is there already.
    pub existing: Existing,
    /// The cn of each template that is wanted; all of them if it is empty.
    pub only: Vec<String>,
    /// Whether anything is done at all.
    pub course: Course,
}

/// What becomes of a template whose cn is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the import is refused.
    Kept,
    /// It takes the imported form; whether it is published does not change.
    Replaced,
}

/// Whether anything is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// The report alone.
    DryRun,
    /// The import.
    CarriedOut,
}

/// What became of one template of a file.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Its cn, or what else it is called.
    pub name: String,
    /// What became of it.
    pub fate: Fate,
    /// Every step of the conversion.
    pub report: Report,
    /// The template, where there is one.
    pub template: Option<Arc<Template>>,
}

/// What became of one template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is new here.
    Created,
    /// It took the place of one of the same cn.
    Replaced,
    /// The one here is the same already.
    Unchanged,
    /// Another one of this cn is here.
    InTheWay,
    /// Not importable: the report says why.
    Refused,
    /// A built-in template of AD CS, the same here but for OID and permissions.
    BuiltInEqual,
    /// A built-in template that is different here, in these keys; ours stays.
    BuiltInDifferent(Vec<String>),
    /// A built-in template that this CA does not have; a duplicate of it can be imported.
    BuiltInUnknown,
    /// Not among those that were wanted.
    NotWanted,
}

impl Fate {
    /// The word in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Replaced => "replaced",
            Self::Unchanged => "unchanged",
            Self::InTheWay => "in-the-way",
            Self::Refused => "refused",
            Self::BuiltInEqual => "built-in-equal",
            Self::BuiltInDifferent(_) => "built-in-different",
            Self::BuiltInUnknown => "built-in-unknown",
            Self::NotWanted => "not-wanted",
        }
    }
}

impl Authority {
    /// Imports templates. A dry run says what would become of each; otherwise one template that
    /// is refused or in the way refuses the whole call, and nothing is changed.
    pub fn import_templates(
        &self,
        requester: &Requester,
        entries: &[Entry],
        import: &Import,
        answering: Answering<'_, Vec<Imported>>,
        now: Timestamp,
    ) -> Result<Vec<Imported>, Refusal> {
        requester.must(Operation::EditTemplates)?;
        let _one_at_a_time = self.administrating();
        let set = self.templates.load();
        let circumstances = Circumstances {
            arc: &self.template_arc,
            principals: &import.principals,
            losses: import.losses,
        };
        let mut imported: Vec<Imported> =
            entries.iter().map(|entry| sorted(entry, &circumstances, import, &set)).collect();
        self.over_refused(&mut imported, import.existing);
        self.together(&mut imported, &set);
        if import.course == Course::DryRun {
            return Ok(imported);
        }
        whole(&imported)?;
        let made = |own: &&Imported| matches!(own.fate, Fate::Created | Fate::Replaced);
        let templates: Vec<&Arc<Template>> =
            imported.iter().filter(made).filter_map(|own| own.template.as_ref()).collect();
        let mut acts: Vec<_> =
            templates.iter().map(|template| record(requester, now, saved(template))).collect();
        acts.extend(answering.map(|answer| record(requester, now, answer(&imported))));
        if !acts.is_empty() {
            self.register.commit(acts, Urgency::Ordinary)?;
        }
        self.forget_refused(templates.iter().map(|own| own.cn()));
        let mut changed = TemplateSet::clone(&set);
        for template in templates {
            let key = template.cn().to_ascii_lowercase();
            let published = set.get(&key).is_some_and(|own| own.published);
            changed.insert(key, Listed { template: Arc::clone(template), published });
        }
        self.templates.store(Arc::new(changed));
        Ok(imported)
    }

    /// One on record that today's rules refuse is there already, and may be replaced.
    fn over_refused(&self, imported: &mut [Imported], existing: Existing) {
        let created = imported.iter_mut().filter(|own| own.fate == Fate::Created);
        for own in created.filter(|own| self.must_not_be_refused(&own.name).is_err()) {
            own.fate = match existing {
                Existing::Kept => Fate::InTheWay,
                Existing::Replaced => Fate::Replaced,
            };
        }
    }

    /// What shows only when the templates are looked at together.
    fn together(&self, imported: &mut [Imported], set: &TemplateSet) {
        let ours: Vec<Arc<Template>> = set.values().map(|own| Arc::clone(&own.template)).collect();
        let theirs: Vec<Arc<Template>> = imported
            .iter()
            .filter(|own| matches!(own.fate, Fate::Created | Fate::Replaced))
            .filter_map(|own| own.template.clone())
            .collect();
        let others = |template: &Template| -> Vec<Arc<Template>> {
            let replaced = |own: &&Arc<Template>| {
                theirs.iter().all(|new| !new.cn().eq_ignore_ascii_case(own.cn()))
            };
            let kept = ours.iter().filter(replaced).chain(&theirs).cloned();
            kept.filter(|own| !own.cn().eq_ignore_ascii_case(template.cn())).collect()
        };
        for own in imported {
            let Some(template) = own.template.clone() else { continue };
            if !matches!(own.fate, Fate::Created | Fate::Replaced) {
                continue;
            }
            if may_be_called(template.cn()).is_err() {
                own.report.refused.push(format!("{} is a word of the API's paths", template.cn()));
            }
            let others = others(&template);
            let oid = template.oid(&self.template_arc);
            if let Some(other) = others.iter().find(|own| own.oid(&self.template_arc) == oid) {
                own.report.refused.push(format!("template {} has the OID {oid} too", other.cn()));
            }
            for cn in template.supersedes() {
                match others.iter().find(|own| own.cn().eq_ignore_ascii_case(cn)) {
                    None => own.report.differences.push(format!(
                        "it supersedes {cn}, which is not here: nobody is told until it is"
                    )),
                    Some(other) if supersedes(other, template.cn()) => own
                        .report
                        .refused
                        .push(format!("it and {} supersede each other", other.cn())),
                    Some(_) => (),
                }
            }
            if !own.report.refused.is_empty() {
                own.fate = Fate::Refused;
                own.template = None;
            }
        }
    }
}

fn supersedes(template: &Template, cn: &str) -> bool {
    template.supersedes().iter().any(|own| own.eq_ignore_ascii_case(cn))
}

/// What would become of one template by itself.
fn sorted(
    entry: &Entry,
    circumstances: &Circumstances<'_>,
    import: &Import,
    set: &TemplateSet,
) -> Imported {
    let built_in = |own: &Listed| own.template.origin() == Origin::BuiltIn;
    let cn = entry.cn().to_ascii_lowercase();
    let Conversion { name, template, mut report } = match set.get(&cn).is_some_and(built_in) {
        // Compared but for its permissions: those of AD CS's own may be more than is allowed here.
        true => convert(&entry.without_permissions(), circumstances),
        false => convert(entry, circumstances),
    };
    let wanted =
        import.only.is_empty() || import.only.iter().any(|cn| cn.eq_ignore_ascii_case(&name));
    let ours = set.get(&name.to_ascii_lowercase()).map(|listed| &listed.template);
    let (fate, template) = match (template, ours) {
        _ if !wanted => (Fate::NotWanted, None),
        (template, Some(ours)) if ours.origin() == Origin::BuiltIn => match template {
            Some(theirs) => {
                let keys = differing_keys(ours, &theirs);
                let fate =
                    if keys.is_empty() { Fate::BuiltInEqual } else { Fate::BuiltInDifferent(keys) };
                (fate, None)
            }
            None => (Fate::BuiltInDifferent(Vec::new()), None),
        },
        (_, None) if entry.is_built_in() => (Fate::BuiltInUnknown, None),
        (None, _) => (Fate::Refused, None),
        // One of AD CS's own has what only those have: it would not read again as another.
        (Some(theirs), Some(_)) if theirs.origin() == Origin::BuiltIn => {
            report.refused.push(
                "flags has IS_DEFAULT: it is one of AD CS's own, and the template of this cn here \
                 is not"
                    .to_owned(),
            );
            (Fate::Refused, None)
        }
        (Some(theirs), Some(ours)) => {
            let theirs = theirs.in_place_of(ours);
            let fate = match import.existing {
                _ if theirs == **ours => Fate::Unchanged,
                Existing::Kept => Fate::InTheWay,
                Existing::Replaced => Fate::Replaced,
            };
            (fate, Some(Arc::new(theirs)))
        }
        (Some(theirs), None) => (Fate::Created, Some(Arc::new(theirs))),
    };
    Imported { name, fate, report, template }
}

/// Nothing is done unless everything can be.
fn whole(imported: &[Imported]) -> Result<(), Refusal> {
    let of = |fate: &Fate| imported.iter().filter(|own| own.fate == *fate).collect::<Vec<_>>();
    let refused = of(&Fate::Refused);
    if !refused.is_empty() {
        let why = |own: &&Imported| format!("{}: {}", own.name, own.report.refused.join("; "));
        let reasons = refused.iter().map(why).collect::<Vec<_>>().join(" | ");
        return Err(Refusal::Invalid(
            "template-import-refused",
            format!("nothing was imported ({reasons}); dry_run=true gives the whole report"),
        ));
    }
    let in_the_way = of(&Fate::InTheWay);
    if !in_the_way.is_empty() {
        let names = in_the_way.iter().map(|own| own.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(Refusal::Conflict(
            "already-there",
            format!(
                "nothing was imported: {names} already there; replace=true puts the imported form in its place"
            ),
        ));
    }
    Ok(())
}
