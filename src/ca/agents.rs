//! Enrolment agents ([MS-WCCE] §3.2.2.6.2.1.2.1): who may ask for a certificate in whose name.
//!
//! An agent is an account with the role; its certificate with the purpose Certificate Request
//! Agent is what templates demand of it besides. In AD CS the certificate alone is enough while
//! nobody has restricted agents, and that is ESC3: here an agent's certificate is worth nothing
//! without the role, and no more than the role's limits.

use super::endorsements::Endorsed;
use super::enroll::{Decided, Petition};
use super::offices::limits_of;
use super::permissions::{Operation, Role};
use super::{Authority, Refusal, Requester};
use crate::pki::account::Account;
use crate::pki::denial::{Denial, Rule};
use crate::pki::oid;
use crate::pki::policy::Standing;
use crate::pki::template::Template;

impl Authority {
    /// Whose certificate it shall be, if not the requester's: `on_behalf_of` of the call, or the
    /// RequesterName that the signers have signed; where both are there they are the same.
    pub(super) fn on_behalf_of(
        &self,
        requester: &Requester,
        told: Option<&str>,
        signed: Option<&str>,
    ) -> Result<Option<Account>, Refusal> {
        let name = match (told, signed) {
            (Some(told), Some(signed)) if !told.eq_ignore_ascii_case(signed) => {
                let why = format!(
                    "on_behalf_of is {told}, but RequesterName in the signed request is {signed}"
                );
                return Err(Refusal::Invalid("on-behalf-of-mismatch", why));
            }
            (None, None) => return Ok(None),
            (Some(name), _) | (None, Some(name)) => name,
        };
        requester.must(Operation::EnrollOnBehalf)?;
        let account = self.directory.find(name)?;
        let unknown = || Refusal::Invalid("account-unknown", self.why_unknown(name));
        account.map(Some).ok_or_else(unknown)
    }

    /// That every agent who has a part in a petition may ask for this subject and this template:
    /// the one that submitted it, and those whose signatures make it good.
    pub(super) fn check_agents(
        &self,
        template: &Template,
        petition: &Petition<'_>,
        endorsed: &[Endorsed],
    ) -> Result<(), Decided> {
        let for_another = !petition.enroller.name.eq_ignore_ascii_case(&petition.account.name);
        let (cn, subject) = (template.cn(), petition.account);
        if for_another && petition.standing == Standing::Agent {
            self.check_agent(petition.enroller, cn, subject)?;
        }
        let wants_agents = for_another || template.ra_purposes().contains(&oid::REQUEST_AGENT);
        for own in endorsed.iter().filter(|own| wants_agents && own.endorsement.is_by_agent()) {
            self.check_agent(&own.account, cn, subject)?;
        }
        Ok(())
    }

    /// That one of the offices of `agent` lets it ask for this subject and this template.
    /// Administrators and certificate managers ask for everybody within their limits, agents
    /// within the limits of each of the assignments that make them one.
    fn check_agent(&self, agent: &Account, cn: &str, subject: &Account) -> Result<(), Decided> {
        let offices = self.offices_of(agent)?;
        let asking = [Role::Administrator, Role::CertificateManager, Role::EnrollmentAgent];
        let limits = limits_of(&offices, &asking);
        if limits.iter().any(|own| own.reach(cn, Some(subject))) {
            return Ok(());
        }
        let is_agent = offices.iter().any(|own| own.role == Role::EnrollmentAgent);
        let (rule, office) = match limits.is_empty() || is_agent {
            true => (Rule::AgentRestricted, "an enrolment agent"),
            false => (Rule::OfficerRestricted, "a certificate manager"),
        };
        let (agent, subject) = (&agent.name, &subject.name);
        let why = format!("{agent} is not {office} for {subject} and certificates of {cn}");
        Err(Denial::new(rule, why).into())
    }
}
