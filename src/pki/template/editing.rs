//! How a template changes: an edit raises the minor revision and keeps the identity; a duplicate
//! begins at revision 100, as AD CS does it.

use super::{
    CompatibilityFile, GeneralFlags, Mistakes, Origin, Template, TemplateFile, TemplateOid,
};

/// Why a template was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotEditable {
    /// One of AD CS's own.
    #[error("`{0}` is a built-in template: it can be duplicated, not changed")]
    BuiltIn(String),
    /// The new form is wrong or dangerous.
    #[error(transparent)]
    Mistaken(#[from] Mistakes),
}

/// The first major revision of what AD CS's template editor makes.
pub(super) const FIRST_REVISION: u32 = 100;

impl Template {
    /// This template with the content of `new`, one minor revision later. Name, OID, origin and
    /// both revisions stay this template's, whatever `new` says of them.
    pub fn edited(&self, new: TemplateFile) -> Result<Self, NotEditable> {
        self.changeable()?;
        let file = TemplateFile {
            cn: self.cn.clone(),
            oid: self.oid.to_string(),
            origin: self.origin.as_str().to_owned(),
            major_revision: self.major_revision,
            minor_revision: self.minor_revision.saturating_add(1),
            ..new
        };
        Ok(Self::from_file(&file)?.marked_modified())
    }

    /// Whether it can be changed or deleted at all.
    pub fn changeable(&self) -> Result<(), NotEditable> {
        match self.origin {
            Origin::BuiltIn => Err(NotEditable::BuiltIn(self.cn.clone())),
            Origin::Tutorial | Origin::Custom => Ok(()),
        }
    }

    /// A copy under another name, revision 100.0, with an OID of its own. Version 1 becomes
    /// version 2, and its EKUs become application policies too ([MS-CRTD] §2.20).
    pub fn duplicate(
        &self,
        cn: &str,
        display_name: &str,
        oid: TemplateOid,
    ) -> Result<Self, Mistakes> {
        let mut file = self.to_file();
        cn.clone_into(&mut file.cn);
        display_name.clone_into(&mut file.display_name);
        file.oid = oid.to_string();
        Origin::Custom.as_str().clone_into(&mut file.origin);
        (file.major_revision, file.minor_revision) = (FIRST_REVISION, 0);
        if self.schema_version < 2 {
            file.schema_version = 2;
            file.application_policies.clone_from(&file.extended_key_usage);
        }
        if file.compatibility == CompatibilityFile::default() {
            // What the template editor gives a duplicate unless told otherwise.
            file.compatibility = CompatibilityFile {
                authority: Some("Windows Server 2003".to_owned()),
                recipient: Some("Windows XP".to_owned()),
            };
        }
        file.general_flags = modified(self.general).names().into_iter().map(Into::into).collect();
        Self::from_file(&file)
    }

    /// This template, imported, in the place of another of the same cn: it takes that one's
    /// origin and spelling of the cn, and keeps everything else.
    #[must_use]
    pub fn in_place_of(self, other: &Self) -> Self {
        Self { origin: other.origin, cn: other.cn.clone(), ..self }
    }

    /// A new template from a file that an administrator sent: custom whatever the file says, at
    /// revision 100.0.
    pub fn created(file: TemplateFile) -> Result<Self, Mistakes> {
        let file = TemplateFile {
            origin: Origin::Custom.as_str().to_owned(),
            major_revision: FIRST_REVISION,
            minor_revision: 0,
            ..file
        };
        Ok(Self::from_file(&file)?.marked_modified())
    }

    pub(super) fn marked_modified(self) -> Self {
        Self { general: modified(self.general), ..self }
    }
}

/// No longer as it was delivered.
fn modified(flags: GeneralFlags) -> GeneralFlags {
    flags.without(GeneralFlags::IS_DEFAULT).with(GeneralFlags::IS_MODIFIED)
}
