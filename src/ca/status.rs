//! What this CA is and how it does: its issuer, its notices, its health, its ledger.

use super::permissions::Operation;
use super::{AuditRow, Authority, CrlRow, Head, Listing, Page, Refusal, Requester};
use crate::pki::issuer::Issuer;
use crate::pki::policy;
use crate::pki::serial::SerialNumber;
use crate::pki::template::TemplateArc;
use crate::pki::time::Timestamp;
use crate::storage::Health;

/// How much earlier than the last record a clock may be: threads reach the ledger in any order.
const CLOCK_TOLERANCE_SECONDS: u64 = 2;

impl Authority {
    /// The CA certificate and the URLs that go into certificates.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The CA's name in files and URLs.
    pub fn slug(&self) -> &str {
        &self.slug
    }

    /// The installation's template arc.
    pub fn template_arc(&self) -> &TemplateArc {
        &self.template_arc
    }

    /// What stands in the way of recording.
    pub fn health(&self) -> Health {
        self.register.health()
    }

    /// Where the ledger ends: the hash to write down elsewhere.
    pub fn head(&self) -> Head {
        self.register.head()
    }

    /// The `altSecurityIdentities` value that maps a certificate to its account strongly.
    pub fn alt_security_identities(&self, serial: &SerialNumber) -> String {
        policy::alt_security_identities(&self.issuer, serial)
    }

    /// What everybody who gets a certificate should know about this CA.
    pub fn notices(&self) -> Vec<String> {
        let loopback = |url: &&String| is_loopback(url);
        let urls = self.issuer.crl_urls().iter();
        urls.filter(loopback)
            .map(|url| {
                format!(
                    "the CRL address {url} is a loopback address: no other machine can check \
                     revocation; set --base-url"
                )
            })
            .collect()
    }

    /// What everybody may know of the templates: that there is something an auditor should read,
    /// and nothing of what it is.
    pub fn template_notices(&self) -> Vec<String> {
        let mut notices = Vec::new();
        if self.issued_templates().iter().any(|own| !own.accepted_dangers().is_empty()) {
            notices.push(
                "templates are published with dangers that were accepted: auditors see which in \
                 /v1/ca"
                    .to_owned(),
            );
        }
        match self.count_of_refused_templates() {
            0 => {}
            count => notices.push(format!(
                "{count} of the templates on record are withdrawn, since today's rules refuse \
                 them: auditors see which in /v1/templates"
            )),
        }
        notices
    }

    /// Which dangers the templates open that this CA issues, because an administrator accepted
    /// them: for who reads everything.
    pub fn accepted_dangers(&self, requester: &Requester) -> Vec<String> {
        if !requester.may(Operation::ReadAll) {
            return Vec::new();
        }
        let published = self.issued_templates();
        let told = published.iter().flat_map(|template| {
            template.accepted_dangers().iter().map(|own| {
                let danger = own.danger().as_str();
                format!("the template {} opens {danger}, which was accepted", template.cn())
            })
        });
        told.collect()
    }

    /// Whether a new certificate could be issued now.
    pub fn may_issue(&self, now: Timestamp) -> Result<(), Refusal> {
        let health = self.register.health();
        if let Some(why) = health.damaged {
            let why = format!("the ledger is damaged: {why}");
            return Err(Refusal::Unavailable("ledger-damaged", why));
        }
        if let Some(why) = health.poisoned {
            return Err(Refusal::Unavailable("ledger-unwritable", why));
        }
        if let Some(why) = health.full {
            return Err(Refusal::Unavailable("disk-full", why));
        }
        if let Some(why) = self.out_of_order.load().as_deref() {
            let why = format!("what the last run left could not be put in order: {why}");
            return Err(Refusal::Unavailable("not-in-order", why));
        }
        let latest = self.register.head().latest;
        if now.plus_seconds(CLOCK_TOLERANCE_SECONDS) < latest {
            let why = format!("the clock says {now}, but the ledger already has {latest}");
            return Err(Refusal::Unavailable("clock-behind", why));
        }
        Ok(())
    }

    /// The ledger from entry number `from`, and where it ends.
    pub fn audit(
        &self,
        requester: &Requester,
        from: u64,
        limit: usize,
    ) -> Result<(Head, Vec<AuditRow>), Refusal> {
        requester.must(Operation::ReadAudit)?;
        Ok((self.register.head(), self.register.entries(from, limit)?))
    }

    /// CRLs on record, newest first.
    pub fn crls(&self, requester: &Requester, page: Page) -> Result<Listing<CrlRow>, Refusal> {
        requester.must(Operation::ReadAuthority)?;
        Ok(self.register.crls(None, page)?)
    }
}

/// Whether nobody else can reach this URL's host.
fn is_loopback(url: &str) -> bool {
    let host = url.split("://").nth(1).unwrap_or(url).split(['/', '?']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn loopback_hosts_are_known() {
        for url in ["http://127.0.0.1:8080", "http://localhost/x", "http://[::1]:80/crl"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in ["http://pki.contoso.com", "http://localhost.contoso.com", "http://10.0.0.1"] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
