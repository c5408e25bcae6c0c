//! Templates on record that today's rules refuse: a lint that knows more than the program that
//! took them. Nothing is issued under one and nothing of it counts, but everything else goes on;
//! an administrator reads it as it is on record, and mends or deletes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::permissions::Operation;
use super::templates::{Listed, invalid, matches_tag, saved};
use super::{Authority, Refusal, Requester, record};
use crate::pki::template::{Mistakes, Template, TemplateFile};
use crate::pki::time::Timestamp;
use crate::storage::act::{Act, Entry, TemplateMark};
use crate::storage::{TemplateRow, Urgency};

/// A template on record that is refused.
#[derive(Clone, Debug)]
pub struct RefusedTemplate {
    /// Its name.
    pub cn: String,
    /// What is wrong with it.
    pub why: String,
    /// Its content, if that reads at all.
    pub file: Option<TemplateFile>,
    /// Whether it is on record as published.
    published: bool,
}

/// By cn in lower case.
pub(super) type RefusedSet = BTreeMap<String, Arc<RefusedTemplate>>;

impl RefusedTemplate {
    pub(super) fn of(row: &TemplateRow, mistakes: &Mistakes) -> Self {
        tracing::error!(template = row.cn, %mistakes, "a template on record is refused");
        Self {
            cn: row.cn.clone(),
            why: mistakes.to_string(),
            file: TemplateFile::parse(&row.json).ok(),
            published: row.published,
        }
    }

    /// The entity tag: the revision, `major.minor`.
    pub fn entity_tag(&self) -> String {
        let revision = self.file.as_ref().map(|own| (own.major_revision, own.minor_revision));
        let (major, minor) = revision.unwrap_or_default();
        format!("{major}.{minor}")
    }

    /// The sentence for what cannot be done with it.
    pub fn refusal(&self) -> Refusal {
        let (cn, why) = (&self.cn, &self.why);
        let why = format!("today's rules refuse template {cn} as it is on record: {why}");
        Refusal::Conflict("template-refused", why)
    }
}

impl Authority {
    /// How many templates on record are refused: for everybody to know.
    pub fn count_of_refused_templates(&self) -> usize {
        self.refused.load().len()
    }

    /// The templates on record that are refused; none for who does not read everything, since
    /// nobody can tell any more who might read them.
    pub fn refused_templates(&self, requester: &Requester) -> Vec<Arc<RefusedTemplate>> {
        match requester.may(Operation::ReadAll) {
            true => self.refused.load().values().cloned().collect(),
            false => Vec::new(),
        }
    }

    /// One of them.
    pub fn refused_template(
        &self,
        requester: &Requester,
        cn: &str,
    ) -> Option<Arc<RefusedTemplate>> {
        let found = self.refused.load().get(&cn.to_ascii_lowercase()).cloned();
        found.filter(|_| requester.may(Operation::ReadAll))
    }

    /// Refuses what cannot be done with a template that is refused.
    pub(super) fn must_not_be_refused(&self, cn: &str) -> Result<(), Refusal> {
        match self.refused.load().get(&cn.to_ascii_lowercase()) {
            Some(refused) => Err(refused.refusal()),
            None => Ok(()),
        }
    }

    /// Puts on record that those are no longer published. None is issued under before either;
    /// this keeps a program that is less strict from issuing under them again.
    pub fn withdraw_refused_templates(&self, now: Timestamp) -> Result<(), Refusal> {
        let _one_at_a_time = self.administrating();
        let set = self.refused.load_full();
        let withdrawn = set.values().filter(|own| own.published).map(|own| {
            let act = Act::TemplateUnpublished(TemplateMark { cn: own.cn.clone() });
            Entry { at: now.millis(), actor: None, act }
        });
        let entries: Vec<Entry> = withdrawn.collect();
        if entries.is_empty() {
            return Ok(());
        }
        self.register.commit(entries, Urgency::Reserved)?;
        let withdrawn = set.iter().map(|(key, own)| {
            (key.clone(), Arc::new(RefusedTemplate { published: false, ..(**own).clone() }))
        });
        self.refused.store(Arc::new(withdrawn.collect()));
        Ok(())
    }

    /// Takes a new content for one: its name, OID, origin and revision go on. It is not published.
    /// Called with the lock of administrative acts.
    pub(super) fn mend_template(
        &self,
        requester: &Requester,
        refused: &RefusedTemplate,
        new: TemplateFile,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<Listed, Refusal> {
        requester.must(Operation::EditTemplates)?;
        matches_tag(&refused.entity_tag(), if_match)?;
        let old = refused.file.as_ref().ok_or_else(|| refused.refusal())?;
        let file = TemplateFile {
            cn: old.cn.clone(),
            oid: old.oid.clone(),
            origin: old.origin.clone(),
            major_revision: old.major_revision,
            minor_revision: old.minor_revision.saturating_add(1),
            ..new
        };
        let template = Template::from_file(&file).map_err(invalid)?;
        let listed = Listed { template: Arc::new(template), published: false };
        let entry = record(requester, now, saved(&listed.template));
        self.register.commit(vec![entry], Urgency::Ordinary)?;
        self.know(listed.clone());
        Ok(listed)
    }

    /// Deletes one. Called with the lock of administrative acts.
    pub(super) fn delete_refused_template(
        &self,
        requester: &Requester,
        refused: &RefusedTemplate,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        requester.must(Operation::EditTemplates)?;
        matches_tag(&refused.entity_tag(), if_match)?;
        let act = Act::TemplateDeleted(TemplateMark { cn: refused.cn.clone() });
        self.register.commit(vec![record(requester, now, act)], Urgency::Ordinary)?;
        self.forget_refused([refused.cn.as_str()]);
        Ok(())
    }

    /// What took their place, or nothing, is on record.
    pub(super) fn forget_refused<'a>(&self, names: impl IntoIterator<Item = &'a str>) {
        let mut set = RefusedSet::clone(&self.refused.load());
        let before = set.len();
        for name in names {
            set.remove(&name.to_ascii_lowercase());
        }
        if set.len() != before {
            self.refused.store(Arc::new(set));
        }
    }
}
