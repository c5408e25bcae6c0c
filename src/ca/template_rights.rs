//! What somebody without a role may do with a template because its permissions allow it: see it,
//! change what `Write` reaches of it, revoke certificates of it.
//!
//! A template that one may not read does not exist for him, wherever he asks.

use super::permissions::Operation;
use super::possession::RolesByCertificate;
use super::templates::Listed;
use super::{Authority, Refusal, Requester};
use crate::pki::serial::SerialNumber;
use crate::pki::template::{LONGEST_CN, Right, Template};

impl Authority {
    /// The name under which a request goes on record: the template's cn as it is written there, or
    /// what was asked for. A name that no template can have is no request at all, for names on
    /// record are kept in memory.
    pub(super) fn name_on_record(
        &self,
        requester: &Requester,
        asked: &str,
    ) -> Result<String, Refusal> {
        if asked.chars().count() > LONGEST_CN {
            let why = format!("template: a cn has at most {LONGEST_CN} characters");
            return Err(Refusal::Invalid("template-name", why));
        }
        let there = self.readable_template(requester, asked);
        Ok(there.map_or_else(|_| asked.to_owned(), |listed| listed.template.cn().to_owned()))
    }

    /// Whether the template is there for this requester: by a role that reads everything, or by
    /// `Read`.
    pub(super) fn may_read(&self, requester: &Requester, template: &Template) -> bool {
        requester.may(Operation::ReadAll)
            || template.permissions().allows(Right::Read, &requester.account)
    }

    /// The template, if it is there for this requester.
    pub(super) fn readable_template(
        &self,
        requester: &Requester,
        cn: &str,
    ) -> Result<Listed, Refusal> {
        let listed = self.known_template(cn)?;
        match self.may_read(requester, &listed.template) {
            true => Ok(listed),
            false => Err(Refusal::NotFound(format!("template {cn}"))),
        }
    }

    /// The template, for whoever may change it: an administrator, or who has `Write` on it. Doors
    /// ask before they look at what was sent.
    pub fn writable_template(&self, requester: &Requester, cn: &str) -> Result<Listed, Refusal> {
        requester.must(Operation::WriteTemplate)?;
        let listed = self.readable_template(requester, cn)?;
        if requester.may(Operation::EditTemplates)
            || self.has_right(requester, Right::Write, &listed.template)
        {
            return Ok(listed);
        }
        Err(Refusal::Forbidden(format!(
            "{} may not change template {}: that is for administrators and for those who have \
             Write on it",
            requester.account.name,
            listed.template.cn()
        )))
    }

    /// Refuses a change that `Write` alone does not reach.
    pub(super) fn within_write(
        &self,
        requester: &Requester,
        old: &Template,
        new: &Template,
    ) -> Result<(), Refusal> {
        if requester.may(Operation::EditTemplates) {
            return Ok(());
        }
        let withheld = old.beyond_write(new);
        if withheld.is_empty() {
            return Ok(());
        }
        Err(Refusal::Withheld(
            "write-restricted",
            format!(
                "Write on template {} does not reach {}: only administrators change these",
                old.cn(),
                withheld.join(", ")
            ),
        ))
    }

    /// Refuses whoever may not revoke, hold and release this certificate: that is for a role, or
    /// for those who have `Revoke` on its template. Who is neither learns nothing of the serial
    /// number, not even whether it is on record. Doors ask before they look at what was sent.
    pub fn must_revoke(&self, requester: &Requester, serial: &SerialNumber) -> Result<(), Refusal> {
        let row = self.register.certificate(serial)?;
        let managed = match &row {
            _ if !requester.may(Operation::Revoke) => None,
            Some(row) => Some(self.must_manage_certificate(requester, row)),
            None if self.cross_certificate(serial).is_some() => {
                Some(self.must_manage_all(requester))
            }
            None => Some(Ok(())),
        };
        if let Some(Ok(())) = managed {
            return Ok(());
        }
        requester.must(Operation::RevokeCertificate)?;
        let template = row.and_then(|row| self.known_template(&row.template).ok());
        if template.is_some_and(|own| self.has_right(requester, Right::Revoke, &own.template)) {
            return Ok(());
        }
        // A certificate manager is told of the limits.
        managed.unwrap_or(Ok(()))?;
        Err(Refusal::Forbidden(format!(
            "{} needs one of the roles administrator, certificate_manager, or Revoke on the \
             template of the certificate",
            requester.account.name
        )))
    }

    /// Rights to change things go with the credentials that roles go with: not with a token that
    /// is bound to a template, and with a client certificate where roles are given by it.
    fn has_right(&self, requester: &Requester, right: Right, template: &Template) -> bool {
        let speaks = requester.bond.is_none()
            && (requester.possession.is_none()
                || self.roles_by_certificate == RolesByCertificate::Given);
        speaks && template.permissions().allows(right, &requester.account)
    }
}
