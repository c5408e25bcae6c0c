//! Enrolment agents ([MS-WCCE] §3.2.2.6.2.1.2.1): who may ask for a certificate in whose name.
//!
//! An agent is an account with the role; its certificate with the purpose Certificate Request
//! Agent is what templates demand of it besides. In AD CS the certificate alone is enough while
//! nobody has restricted agents, and that is ESC3: here an agent's certificate is worth nothing
//! without the role, and no more than the role's limits.

use super::enroll::{Decided, Petition};
use super::permissions::{Operation, Role};
use super::{Authority, Refusal, Requester};
use crate::pki::account::Account;
use crate::pki::denial::{Denial, Rule};
use crate::pki::oid;
use crate::pki::policy::{Endorsement, Standing};
use crate::pki::template::Template;

/// How far somebody's right to ask for others reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AgentLimits {
    /// The templates' cn; all of them if `None`.
    pub(super) templates: Option<Vec<String>>,
    /// The groups of which a subject must be in one; everybody if `None`.
    pub(super) subject_groups: Option<Vec<String>>,
}

impl AgentLimits {
    /// Whether they take in this template and this subject.
    pub(super) fn reach(&self, template: &str, subject: &Account) -> bool {
        let templates = self.templates.as_deref();
        let groups = self.subject_groups.as_deref();
        templates.is_none_or(|own| own.iter().any(|cn| cn.eq_ignore_ascii_case(template)))
            && groups.is_none_or(|own| own.iter().any(|group| subject.is_member_of(group)))
    }
}

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
        let account = self.directory.account(name)?;
        let unknown = || Refusal::Invalid("account-unknown", self.why_unknown(name));
        account.map(Some).ok_or_else(unknown)
    }

    /// That every agent who has a part in a petition may ask for this subject and this template:
    /// the one that submitted it, and those whose signatures make it good.
    pub(super) fn check_agents(
        &self,
        template: &Template,
        petition: &Petition<'_>,
        endorsements: &[Endorsement],
    ) -> Result<(), Decided> {
        let for_another = !petition.enroller.name.eq_ignore_ascii_case(&petition.account.name);
        let submitter = (for_another && petition.standing == Standing::Agent)
            .then(|| petition.enroller.name.clone());
        let wants_agents = for_another || template.ra_purposes().contains(&oid::REQUEST_AGENT);
        let signers = endorsements
            .iter()
            .filter(|own| wants_agents && own.is_by_agent())
            .map(|own| own.account.clone());
        for agent in submitter.into_iter().chain(signers) {
            if !self.agent_reaches(&agent, template.cn(), petition.account)? {
                return Err(Denial::new(
                    Rule::AgentRestricted,
                    format!(
                        "{agent} is not an enrolment agent for {} and certificates of {}",
                        petition.account.name,
                        template.cn()
                    ),
                )
                .into());
            }
        }
        Ok(())
    }

    fn agent_reaches(
        &self,
        agent: &str,
        template: &str,
        subject: &Account,
    ) -> Result<bool, Refusal> {
        let limits = self.agent_limits(agent)?;
        Ok(limits.iter().any(|own| own.reach(template, subject)))
    }

    /// The limits of each of the assignments that make `agent` one; none if it is not.
    /// Administrators and certificate managers ask for everybody.
    fn agent_limits(&self, agent: &str) -> Result<Vec<AgentLimits>, Refusal> {
        let roles = self.roles_of(agent)?;
        let unlimited = [Role::Administrator, Role::CertificateManager, Role::EnrollmentAgent]
            .iter()
            .any(|role| roles.contains(role));
        let everything = AgentLimits { templates: None, subject_groups: None };
        Ok(unlimited.then_some(everything).into_iter().collect())
    }
}
