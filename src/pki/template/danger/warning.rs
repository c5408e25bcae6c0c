//! What an administrator should know of a template that was taken.

use super::{Acceptance, Danger, Principal, Right, Template, is_anonymous};

/// Something about a template that is allowed and not harmless.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// A danger that was accepted.
    #[error("accepted by an administrator, because {reason:?}: {danger}")]
    Accepted {
        /// Which.
        danger: Danger,
        /// Why.
        reason: String,
    },
    /// Names from the request that log on, within rules.
    #[error(
        "ESC1 is held off by requested_names alone: a purpose can log on, so no name within the \
         rules may be a domain computer's; no SID is written, map such certificates by issuer and \
         serial number (alt_security_identities; other ways are weak, ESC14)"
    )]
    BoundNamesLogOn,
    /// An agent's certificate that a manager approves.
    #[error(
        "ESC3 is held off by approval alone: whoever holds it requests certificates for others"
    )]
    ApprovedAgent,
    /// No SID where nothing logs on.
    #[error("no SID is written; with a purpose that can log on this would be ESC9")]
    NoSecurityIdentifier,
    /// Others than administrators may change it.
    #[error("ESC4 is held off by what Write reaches alone: {0} may change the template")]
    Writable(String),
    /// Everybody may revoke.
    #[error("everybody may revoke certificates of it: Authenticated Users have Revoke")]
    RevokedByEverybody,
    /// Who may not read it cannot enrol it.
    #[error("{0} may enrol but not read the template, for which it does not exist: allow Read too")]
    Unread(String),
    /// What a policy is worth elsewhere is not known here.
    #[error(
        "ESC13 lies in Active Directory: where a group is linked to one of the issuance policies {0} \
         (msDS-OIDToGroupLink of the policy's object), whoever logs on with such a certificate is in \
         that group"
    )]
    IssuancePolicies(String),
    /// The URI alone.
    #[error(
        "the SID is written as a URI alone: domain controllers older than Windows Server 2019 do \
         not map such a certificate"
    )]
    UriAlone,
}

impl Template {
    /// What an administrator should know of it.
    pub fn warnings(&self) -> Vec<Warning> {
        let accepted = self
            .accepted_dangers
            .iter()
            .map(|own| Warning::Accepted { danger: own.danger(), reason: own.reason().to_owned() });
        let logs_on = self.can_log_on();
        let somebody = self.permissions.allowed(Right::Enroll).next().is_some();
        let agent = self.purposes().any(|purpose| purpose.is_request_agent());
        let names = |right| {
            let own = self.permissions.allowed(right).map(Principal::name);
            own.collect::<Vec<_>>().join(", ")
        };
        let writers = names(Right::Write);
        let unread = self.unread_enrollees().join(", ");
        let policies: Vec<String> =
            self.issuance_policies().iter().map(ToString::to_string).collect();
        let revokers = || self.permissions.allowed(Right::Revoke);
        let flags = [
            (
                Warning::BoundNamesLogOn,
                self.subject_comes_from_request() && self.requested_names.is_some() && logs_on,
            ),
            (Warning::ApprovedAgent, somebody && agent && self.needs_approval()),
            (Warning::NoSecurityIdentifier, is_anonymous(self) && !logs_on),
            (Warning::Writable(writers.clone()), !writers.is_empty()),
            (Warning::RevokedByEverybody, revokers().any(Principal::is_everybody)),
            (Warning::Unread(unread.clone()), !unread.is_empty()),
            (
                Warning::IssuancePolicies(policies.join(", ")),
                somebody && logs_on && !policies.is_empty(),
            ),
            (Warning::UriAlone, self.writes_security_uri() && !self.writes_security_extension()),
        ];
        let flags = flags.into_iter().filter_map(|(warning, holds)| holds.then_some(warning));
        accepted.chain(flags).collect()
    }

    /// Those whom one entry lets enrol and none lets read.
    fn unread_enrollees(&self) -> Vec<&str> {
        let readers: Vec<&Principal> = self.permissions.allowed(Right::Read).collect();
        if readers.iter().any(|own| own.is_everybody()) {
            return Vec::new();
        }
        let enrollees = self.permissions.allowed(Right::Enroll);
        enrollees.filter(|own| !readers.contains(own)).map(Principal::name).collect()
    }

    /// The dangers that were accepted.
    pub fn accepted_dangers(&self) -> &[Acceptance] {
        &self.accepted_dangers
    }
}
