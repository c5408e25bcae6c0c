//! Who may do what: one table. What is not in it is denied.

use super::possession::Reach;
use super::{Refusal, Requester};

/// A role on this CA, as AD CS separates them. Everybody authenticated is a requester besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// CA configuration, templates, accounts, roles, tokens.
    Administrator,
    /// Approves, denies, revokes.
    CertificateManager,
    /// Reads everything, changes nothing.
    Auditor,
    /// Enrols for others, where templates let agents.
    EnrollmentAgent,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] =
        [Self::Administrator, Self::CertificateManager, Self::Auditor, Self::EnrollmentAgent];

    /// The word in JSON and in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::CertificateManager => "certificate_manager",
            Self::Auditor => "auditor",
            Self::EnrollmentAgent => "enrollment_agent",
        }
    }

    /// From the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// Something that can be asked of the authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Ask for a certificate for oneself.
    Enroll,
    /// Ask for one for another account.
    EnrollOnBehalf,
    /// Renew the certificate that one proves to hold.
    RenewCertificate,
    /// See one's own requests and certificates.
    ReadOwn,
    /// See everybody's requests and certificates.
    ReadAll,
    /// Take back one's own request that waits.
    WithdrawRequests,
    /// Approve or deny.
    DecideRequests,
    /// Revoke, hold, release whatever it is.
    Revoke,
    /// Revoke, hold, release one certificate: by a role or by the right on its template, which the
    /// authority looks at.
    RevokeCertificate,
    /// See templates, what this CA is and its CRL history.
    ReadAuthority,
    /// Make, change, delete, publish, withdraw templates.
    EditTemplates,
    /// Change one template: by a role or by the right on it, which the authority looks at.
    WriteTemplate,
    /// Publish a CRL now.
    PublishCrl,
    /// Hand over a CRL of a CA above this one.
    InstallParentCrl,
    /// See accounts.
    ReadAccounts,
    /// Make, change, disable, delete accounts and their roles.
    EditAccounts,
    /// Make tokens that can do nothing but enrol once under one template.
    MakeEnrolmentTokens,
    /// See who has which role.
    ReadRoles,
    /// Give roles to accounts and groups.
    EditRoles,
    /// See tokens (never their secrets).
    ReadTokens,
    /// Make and revoke tokens.
    EditTokens,
    /// Have a certificate examined, and what it names fetched from here.
    Examine,
    /// See the ledger.
    ReadAudit,
    /// See the metrics, and how notifications do.
    ReadMetrics,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 24] = [
        Self::Enroll,
        Self::EnrollOnBehalf,
        Self::RenewCertificate,
        Self::ReadOwn,
        Self::ReadAll,
        Self::WithdrawRequests,
        Self::DecideRequests,
        Self::Revoke,
        Self::RevokeCertificate,
        Self::ReadAuthority,
        Self::EditTemplates,
        Self::WriteTemplate,
        Self::PublishCrl,
        Self::InstallParentCrl,
        Self::ReadAccounts,
        Self::EditAccounts,
        Self::MakeEnrolmentTokens,
        Self::ReadRoles,
        Self::EditRoles,
        Self::ReadTokens,
        Self::EditTokens,
        Self::Examine,
        Self::ReadAudit,
        Self::ReadMetrics,
    ];

    /// The roles that allow it; `None` where being authenticated is enough.
    pub fn allowed_to(self) -> Option<&'static [Role]> {
        use Role::{Administrator, Auditor, CertificateManager, EnrollmentAgent};
        match self {
            Self::Enroll
            | Self::RenewCertificate
            | Self::RevokeCertificate
            | Self::ReadOwn
            | Self::WithdrawRequests
            | Self::ReadAuthority
            | Self::WriteTemplate => None,
            Self::EnrollOnBehalf => Some(&[Administrator, CertificateManager, EnrollmentAgent]),
            Self::DecideRequests | Self::Revoke | Self::PublishCrl | Self::MakeEnrolmentTokens => {
                Some(&[Administrator, CertificateManager])
            }
            Self::ReadAll | Self::ReadAccounts => {
                Some(&[Administrator, CertificateManager, Auditor])
            }
            Self::ReadRoles | Self::ReadTokens | Self::ReadAudit | Self::ReadMetrics => {
                Some(&[Administrator, Auditor])
            }
            // What a stranger's certificate names is fetched: nobody else, by nobody's leave.
            Self::Examine => Some(&[CertificateManager, Auditor]),
            Self::EditTemplates
            | Self::EditAccounts
            | Self::EditRoles
            | Self::EditTokens
            | Self::InstallParentCrl => Some(&[Administrator]),
        }
    }
}

impl Requester {
    /// Whether one of its roles allows `operation`.
    pub fn may(&self, operation: Operation) -> bool {
        if !self.bond_allows(operation) || !self.reaches(operation) {
            return false;
        }
        match operation.allowed_to() {
            None => true,
            Some(roles) => roles.iter().any(|role| self.roles.contains(role)),
        }
    }

    /// A credential that speaks for one certificate renews it, and sees what becomes of that.
    fn reaches(&self, operation: Operation) -> bool {
        self.reach == Reach::Account
            || matches!(operation, Operation::RenewCertificate | Operation::ReadOwn)
    }

    /// Refuses a credential that speaks for one certificate only.
    pub(super) fn must_speak_for_its_account(&self) -> Result<(), Refusal> {
        match self.reach {
            Reach::Account => Ok(()),
            Reach::Certificate => Err(one_certificate_only()),
        }
    }

    /// Refuses unless [`Requester::may`].
    pub fn must(&self, operation: Operation) -> Result<(), Refusal> {
        if self.may(operation) {
            return Ok(());
        }
        self.bond_must(operation)?;
        if !self.reaches(operation) {
            return Err(one_certificate_only());
        }
        let roles = operation.allowed_to().unwrap_or_default();
        let needed: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
        Err(Refusal::Forbidden(format!(
            "{} needs one of the roles {}",
            self.account.name,
            needed.join(", ")
        )))
    }
}

fn one_certificate_only() -> Refusal {
    Refusal::PossessionRequired(
        "this client certificate is only good for renewing itself: its names are not those that \
         the directory gives its account, or it is for no purpose that identifies a client"
            .to_owned(),
    )
}
