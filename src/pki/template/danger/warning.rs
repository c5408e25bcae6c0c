//! What an administrator should know of a template that was taken.

use super::{Acceptance, Danger, Right, Template, is_anonymous};

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
        let flags = [
            (
                Warning::BoundNamesLogOn,
                self.subject_comes_from_request() && self.requested_names.is_some() && logs_on,
            ),
            (Warning::ApprovedAgent, somebody && agent && self.needs_approval()),
            (Warning::NoSecurityIdentifier, is_anonymous(self) && !logs_on),
            (Warning::UriAlone, self.writes_security_uri() && !self.writes_security_extension()),
        ];
        let flags = flags.into_iter().filter_map(|(warning, holds)| holds.then_some(warning));
        accepted.chain(flags).collect()
    }

    /// The dangers that were accepted.
    pub fn accepted_dangers(&self) -> &[Acceptance] {
        &self.accepted_dangers
    }
}
