//! The templates of this CA: which there are, which it issues, and changing either.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::enroll::Decided;
use super::permissions::{Operation, Role};
use super::refused_templates::{RefusedSet, RefusedTemplate};
use super::{Answering, Authority, Refusal, Requester, record};
use crate::pki::denial::{Denial, Rule};
use crate::pki::template::{
    Acceptance, Mistakes, NotEditable, Template, TemplateFile, TemplateOid,
};
use crate::pki::time::Timestamp;
use crate::storage::act::{Act, TemplateMark, TemplateSaved};
use crate::storage::{TemplateRow, Urgency};

/// A template and whether this CA issues it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The template.
    pub template: Arc<Template>,
    /// "Certificate template to issue".
    pub published: bool,
}

impl Listed {
    /// The entity tag: the revision, `major.minor`.
    pub fn entity_tag(&self) -> String {
        format!("{}.{}", self.template.major_revision(), self.template.minor_revision())
    }
}

/// All templates, by cn in lower case (Active Directory compares names without regard to case).
pub(super) type TemplateSet = BTreeMap<String, Listed>;

/// Reads the register's rows; those that today's rules refuse stand apart.
pub(super) fn load(rows: Vec<TemplateRow>) -> (TemplateSet, RefusedSet) {
    let (mut known, mut refused) = (TemplateSet::new(), RefusedSet::new());
    for row in rows {
        let key = row.cn.to_ascii_lowercase();
        match Template::from_record(&row.json) {
            Ok(template) => {
                let listed = Listed { template: Arc::new(template), published: row.published };
                known.insert(key, listed);
            }
            Err(mistakes) => {
                refused.insert(key, Arc::new(RefusedTemplate::of(&row, &mistakes)));
            }
        }
    }
    (known, refused)
}

/// Names that stand for something else in paths of the API.
const RESERVED: [&str; 2] = ["export", "import"];

/// Refuses a name that no template can be read by.
pub(super) fn may_be_called(cn: &str) -> Result<(), Refusal> {
    match RESERVED.iter().any(|own| own.eq_ignore_ascii_case(cn)) {
        true => {
            let why = format!("cn: {cn:?} is a word of the API's paths (/v1/templates/{cn})");
            Err(Refusal::Invalid("template-invalid", why))
        }
        false => Ok(()),
    }
}

impl Authority {
    /// All templates that are there for this requester.
    pub fn templates(&self, requester: &Requester) -> Result<Vec<Listed>, Refusal> {
        requester.must(Operation::ReadAuthority)?;
        let set = self.templates.load();
        let there = set.values().filter(|listed| self.may_read(requester, &listed.template));
        Ok(there.cloned().collect())
    }

    /// One template.
    pub fn template(&self, requester: &Requester, cn: &str) -> Result<Listed, Refusal> {
        requester.must(Operation::ReadAuthority)?;
        self.readable_template(requester, cn)
    }

    /// Makes a template.
    pub fn create_template(
        &self,
        requester: &Requester,
        file: TemplateFile,
        answering: Answering<'_, Listed>,
        now: Timestamp,
    ) -> Result<Listed, Refusal> {
        requester.must(Operation::EditTemplates)?;
        let _one_at_a_time = self.administrating();
        let file = TemplateFile { oid: self.fresh_oid()?.to_string(), ..file };
        let template = Template::created(file).map_err(invalid)?;
        self.add_template(requester, template, answering, now)
    }

    /// Duplicates a template under a new cn, as the Certificate Templates console does.
    pub fn duplicate_template(
        &self,
        requester: &Requester,
        cn: &str,
        new_cn: &str,
        display_name: Option<&str>,
        answering: Answering<'_, Listed>,
        now: Timestamp,
    ) -> Result<Listed, Refusal> {
        requester.must(Operation::EditTemplates)?;
        let _one_at_a_time = self.administrating();
        let original = self.known_template(cn)?.template;
        let template = original
            .duplicate(new_cn, display_name.unwrap_or(new_cn), self.fresh_oid()?)
            .map_err(invalid)?;
        self.add_template(requester, template, answering, now)
    }

    /// Changes a template; its minor revision rises. `if_match` is the entity tag the caller saw.
    pub fn replace_template(
        &self,
        requester: &Requester,
        cn: &str,
        file: TemplateFile,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<Listed, Refusal> {
        requester.must(Operation::WriteTemplate)?;
        let _one_at_a_time = self.administrating();
        if let Some(refused) = self.refused_template(requester, cn) {
            return self.mend_template(requester, &refused, file, if_match, now);
        }
        let old = self.writable_template(requester, cn)?;
        matches_tag(&old.entity_tag(), if_match)?;
        let template = old.template.edited(file).map_err(not_editable)?;
        self.within_write(requester, &old.template, &template)?;
        may_accept(requester, old.template.accepted_dangers(), &template)?;
        let listed = Listed { template: Arc::new(template), published: old.published };
        let act = saved(&listed.template);
        self.register.commit(vec![record(requester, now, act)], Urgency::Ordinary)?;
        self.know(listed.clone());
        Ok(listed)
    }

    /// Deletes a template. What was issued from it stays on record and, if revoked, on the CRL.
    pub fn delete_template(
        &self,
        requester: &Requester,
        cn: &str,
        if_match: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        requester.must(Operation::EditTemplates)?;
        let _one_at_a_time = self.administrating();
        if let Some(refused) = self.refused_template(requester, cn) {
            return self.delete_refused_template(requester, &refused, if_match, now);
        }
        let old = self.known_template(cn)?;
        matches_tag(&old.entity_tag(), if_match)?;
        old.template.changeable().map_err(not_editable)?;
        let act = Act::TemplateDeleted(TemplateMark { cn: old.template.cn().to_owned() });
        self.register.commit(vec![record(requester, now, act)], Urgency::Ordinary)?;
        let mut set = TemplateSet::clone(&self.templates.load());
        set.remove(&old.template.cn().to_ascii_lowercase());
        self.templates.store(Arc::new(set));
        Ok(())
    }

    /// Lets this CA issue it; doing so again changes nothing.
    pub fn publish_template(
        &self,
        requester: &Requester,
        cn: &str,
        now: Timestamp,
    ) -> Result<Listed, Refusal> {
        self.list(requester, cn, Listing::Published, now)
    }

    /// Lets this CA no longer issue it; doing so again changes nothing.
    pub fn withdraw_template(
        &self,
        requester: &Requester,
        cn: &str,
        now: Timestamp,
    ) -> Result<Listed, Refusal> {
        self.list(requester, cn, Listing::Withdrawn, now)
    }

    /// The templates that this CA issues.
    pub(super) fn issued_templates(&self) -> Vec<Arc<Template>> {
        let set = self.templates.load();
        let issued = set.values().filter(|listed| listed.published);
        issued.map(|listed| Arc::clone(&listed.template)).collect()
    }

    pub(super) fn known_template(&self, cn: &str) -> Result<Listed, Refusal> {
        let set = self.templates.load();
        let found = set.get(&cn.to_ascii_lowercase()).cloned();
        found.ok_or_else(|| Refusal::NotFound(format!("template {cn}")))
    }

    /// The same for one who asks for himself: what he may not read is unknown, in the same words.
    pub(super) fn enrollable_template(
        &self,
        requester: &Requester,
        cn: &str,
    ) -> Result<Listed, Decided> {
        match self.readable_template(requester, cn) {
            Ok(_) => self.published_template(cn),
            Err(_) => Err(unknown(cn)),
        }
    }

    /// The template if this CA issues it, else the denial that says which of the two is missing.
    pub(super) fn published_template(&self, cn: &str) -> Result<Listed, Decided> {
        match self.known_template(cn) {
            Ok(listed) if listed.published => Ok(listed),
            Ok(listed) => Err(Decided::Denied(Denial::new(
                Rule::TemplateNotPublished,
                format!("template {} exists but is not published on this CA", listed.template.cn()),
            ))),
            Err(_) => Err(unknown(cn)),
        }
    }

    fn list(
        &self,
        requester: &Requester,
        cn: &str,
        listing: Listing,
        now: Timestamp,
    ) -> Result<Listed, Refusal> {
        requester.must(Operation::EditTemplates)?;
        let _one_at_a_time = self.administrating();
        self.must_not_be_refused(cn)?;
        let old = self.known_template(cn)?;
        let published = listing == Listing::Published;
        if old.published == published {
            return Ok(old);
        }
        let mark = TemplateMark { cn: old.template.cn().to_owned() };
        let act = match listing {
            Listing::Published => Act::TemplatePublished(mark),
            Listing::Withdrawn => Act::TemplateUnpublished(mark),
        };
        self.register.commit(vec![record(requester, now, act)], Urgency::Ordinary)?;
        let listed = Listed { published, ..old };
        self.know(listed.clone());
        Ok(listed)
    }

    fn add_template(
        &self,
        requester: &Requester,
        template: Template,
        answering: Answering<'_, Listed>,
        now: Timestamp,
    ) -> Result<Listed, Refusal> {
        may_accept(requester, &[], &template)?;
        may_be_called(template.cn())?;
        self.must_not_be_refused(template.cn())?;
        let set = self.templates.load();
        let cn = template.cn();
        if set.contains_key(&cn.to_ascii_lowercase()) {
            return Err(Refusal::Conflict(
                "already-there",
                format!("template {cn} is already there"),
            ));
        }
        let listed = Listed { template: Arc::new(template), published: false };
        let mut entries = vec![record(requester, now, saved(&listed.template))];
        entries.extend(answering.map(|answer| record(requester, now, answer(&listed))));
        self.register.commit(entries, Urgency::Ordinary)?;
        self.know(listed.clone());
        Ok(listed)
    }

    pub(super) fn know(&self, listed: Listed) {
        self.forget_refused([listed.template.cn()]);
        let mut set = TemplateSet::clone(&self.templates.load());
        set.insert(listed.template.cn().to_ascii_lowercase(), listed);
        self.templates.store(Arc::new(set));
    }

    fn fresh_oid(&self) -> Result<TemplateOid, Refusal> {
        let mut octets = [0; 6];
        self.fill_random(&mut octets)?;
        Ok(TemplateOid::from_random(octets))
    }
}

fn unknown(cn: &str) -> Decided {
    Decided::Denied(Denial::new(Rule::TemplateUnknown, format!("there is no template {cn}")))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Listing {
    Published,
    Withdrawn,
}

pub(super) fn saved(template: &Template) -> Act {
    Act::TemplateSaved(TemplateSaved { cn: template.cn().to_owned(), json: template.to_json() })
}

/// Only an administrator accepts a danger, or changes why.
fn may_accept(
    requester: &Requester,
    before: &[Acceptance],
    template: &Template,
) -> Result<(), Refusal> {
    let known = template.accepted_dangers().iter().all(|own| before.contains(own));
    if known || requester.roles.contains(&Role::Administrator) {
        return Ok(());
    }
    Err(Refusal::Forbidden("accepted_dangers are for administrators".to_owned()))
}

pub(super) fn matches_tag(tag: &str, if_match: Option<&str>) -> Result<(), Refusal> {
    match if_match {
        Some(seen) if seen != tag => Err(Refusal::Changed(tag.to_owned())),
        _ => Ok(()),
    }
}

fn not_editable(error: NotEditable) -> Refusal {
    match error {
        NotEditable::BuiltIn(_) => Refusal::Conflict("template-built-in", error.to_string()),
        NotEditable::Mistaken(mistakes) => invalid(mistakes),
    }
}

pub(super) fn invalid(mistakes: Mistakes) -> Refusal {
    Refusal::Invalid("template-invalid", mistakes.to_string())
}
