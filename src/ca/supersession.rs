//! Superseded templates (`msPKI-Supersede-Templates`, [MS-CRTD] §2.21): who holds a certificate
//! of one, or enrols one, is told which takes its place. In AD CS autoenrolment acts on it.

use super::templates::Listed;
use super::{Authority, CertificateFilter, CertificateStatus, Page, Refusal};
use crate::pki::account::Account;
use crate::pki::template::{Right, Template};
use crate::pki::time::Timestamp;

/// So many of the certificates that are replaced are named one by one.
const MOST_NAMED: usize = 10;
/// So many of an account's newest requests are looked through for them: an account that enrols
/// for many has millions, and each enrolment would go through them all.
const LOOKED_AT: usize = 1000;

impl Authority {
    /// What whoever enrols `listed` for `account` should know: that another template is to be
    /// enrolled instead, and which certificates the new one replaces. Asked before it is issued.
    pub(super) fn supersession_notices(
        &self,
        listed: &Listed,
        account: &Account,
        now: Timestamp,
    ) -> Result<Vec<String>, Refusal> {
        let own = listed.template.cn();
        let set = self.templates.load();
        let successors = set.values().filter(|other| {
            let replaces = other.published && replaces(&other.template, own);
            replaces && other.template.permissions().allows(Right::Read, account)
        });
        let mut notices: Vec<String> = successors
            .map(|other| {
                let better = other.template.cn();
                format!("template {own} is superseded by {better}; enrol that")
            })
            .collect();
        for old in listed.template.supersedes() {
            let filter = CertificateFilter {
                template: Some(old.clone()),
                account: Some(account.name.clone()),
                status: Some((CertificateStatus::Good, now)),
                among_newest: Some(LOOKED_AT),
                ..CertificateFilter::default()
            };
            let page = Page { after: None, limit: MOST_NAMED };
            let held = self.register.certificates(&filter, page)?;
            notices.extend(held.rows.iter().map(|row| {
                let serial = row.serial;
                format!("replaces certificate {serial} of template {old}")
            }));
        }
        Ok(notices)
    }
}

fn replaces(template: &Template, cn: &str) -> bool {
    template.supersedes().iter().any(|own| own.eq_ignore_ascii_case(cn))
}
