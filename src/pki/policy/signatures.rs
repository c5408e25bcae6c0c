//! Authorised signatures: how many holders of which policies must have signed a request
//! (`msPKI-RA-Signature`, `-RA-Application-Policies`, `-RA-Policies`; [MS-WCCE]
//! 3.2.2.6.2.1.4.5).

use const_oid::ObjectIdentifier;

use super::{Case, renewal};
use crate::pki::certificate::Certificate;
use crate::pki::denial::{Denial, Rule};
use crate::pki::oid;
use crate::pki::template::EnrollmentFlags;

/// The signature of somebody on a request of another: by the key of a certificate that this CA
/// issued to the account and that is in force. The authority makes one; it knows the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endorsement {
    /// Whose certificate it was.
    pub account: String,
    /// What the certificate is for.
    pub purposes: Vec<ObjectIdentifier>,
    /// Under which policies it was issued.
    pub policies: Vec<ObjectIdentifier>,
}

impl Endorsement {
    /// By the holder of this certificate.
    pub fn of(certificate: &Certificate, account: String) -> Self {
        let purposes = certificate.purposes();
        Self { account, purposes, policies: certificate.policies() }
    }

    /// Whether its certificate is an enrolment agent's. A certificate for any purpose is not one:
    /// in AD CS it is, which is half of ESC2.
    pub fn is_by_agent(&self) -> bool {
        self.purposes.contains(&oid::REQUEST_AGENT)
    }

    fn is_by(&self, account: &str) -> bool {
        self.account.eq_ignore_ascii_case(account)
    }

    fn has_all(own: &[ObjectIdentifier], wanted: &[ObjectIdentifier]) -> bool {
        wanted.iter().all(|policy| own.contains(policy))
    }
}

/// That enough holders have signed. The same account counts once, whatever it signs with.
pub(super) fn check(case: &Case<'_>) -> Result<(), Denial> {
    let template = case.template;
    let needed = usize::try_from(template.ra_signatures()).unwrap_or(usize::MAX);
    if needed == 0 || renewal::approval_counts(case) {
        return Ok(());
    }
    let purposes = template.ra_purposes();
    let policies = template.ra_policies();
    let with = |purposes: &[ObjectIdentifier], policies: &[ObjectIdentifier]| {
        let fits = |own: &&Endorsement| {
            Endorsement::has_all(&own.purposes, purposes)
                && Endorsement::has_all(&own.policies, policies)
        };
        let mut holders: Vec<String> = case
            .endorsements
            .iter()
            .filter(fits)
            .map(|own| own.account.to_ascii_lowercase())
            .collect();
        holders.sort_unstable();
        holders.dedup();
        holders.len()
    };
    if with(purposes, policies) >= needed {
        return Ok(());
    }
    // 3.2.2.6.2.1.4.5.1 tells no signature from too few; .3 and .4 are about the policies.
    let (rule, found, what) = if case.endorsements.is_empty() {
        (Rule::SignaturePolicyRequired, 0, String::new())
    } else if with(&[], &[]) < needed {
        (Rule::AuthorizedSignaturesRequired, with(&[], &[]), String::new())
    } else if with(purposes, &[]) < needed {
        let what = format!(" with the application policies {}", listed(purposes));
        (Rule::SignatureRejected, with(purposes, &[]), what)
    } else {
        let what = format!(" with the issuance policies {}", listed(policies));
        (Rule::IssuancePolicyRequired, with(purposes, policies), what)
    };
    Err(Denial::new(
        rule,
        format!(
            "{} needs the signatures of {needed} different holder(s) of certificates of this CA\
             {what}; the request has {found}",
            template.cn()
        ),
    ))
}

/// That an enrolment agent may ask for somebody else: the template allows it, and where AD CS
/// would want the agent's certificate, its signature is there.
///
/// [MS-WCCE] 3.2.2.6.2.1.2.1. A version 1 template knows no rules about signatures, so the agent's
/// certificate must have signed; a later one says so itself, by demanding the signature of a
/// certificate request agent or by the flag `ALLOW_ENROLL_ON_BEHALF_OF`.
pub(super) fn check_agent(case: &Case<'_>) -> Result<(), Denial> {
    let (template, agent) = (case.template, &case.enroller.account.name);
    let demanded =
        template.ra_signatures() > 0 && template.ra_purposes().contains(&oid::REQUEST_AGENT);
    if template.schema_version() == 1 || demanded {
        let signed = case.endorsements.iter().any(|own| own.is_by(agent) && own.is_by_agent());
        if signed {
            return Ok(());
        }
        let rule = match case.endorsements {
            [] => Rule::SignaturePolicyRequired,
            _ => Rule::SignatureRejected,
        };
        return Err(Denial::new(
            rule,
            format!(
                "on behalf of others {} is enrolled only with the signature of {agent}'s own \
                 certificate for the purpose Certificate Request Agent",
                template.cn()
            ),
        ));
    }
    if template.enrollment_flags().contains(EnrollmentFlags::ALLOW_ENROLL_ON_BEHALF_OF) {
        return Ok(());
    }
    Err(Denial::new(
        Rule::EnrollmentNotPermitted,
        format!(
            "{} is not enrolled on behalf of others: it has neither the flag \
             ALLOW_ENROLL_ON_BEHALF_OF nor does it demand the signature of a Certificate Request \
             Agent",
            template.cn()
        ),
    ))
}

fn listed(oids: &[ObjectIdentifier]) -> String {
    oids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
