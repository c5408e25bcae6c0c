//! The answer: what was looked at, what is found, and what cannot be seen from here.

use super::evidence::Lookup;
use super::finding::{Finding, Severity};
use super::path::{Level, Source};
use super::{Case, Part};
use crate::pki::time::Timestamp;

/// A whole answer.
pub struct Report {
    /// The part played.
    pub part: Part,
    /// The time judged at.
    pub judged_at: Timestamp,
    /// The chain as it was found.
    pub levels: Vec<Level>,
    /// Whether the chain ends in a root.
    pub complete: bool,
    /// Faults, then warnings.
    pub findings: Vec<Finding>,
    /// The addresses asked, in order.
    pub lookups: Vec<Lookup>,
    /// What cannot be seen from here, each with what to run.
    pub hints: Vec<Hint>,
}

/// Something that decides and cannot be seen from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Its stable name.
    pub slug: &'static str,
    /// What to see to.
    pub sentence: String,
    /// Where it is documented.
    pub documented: &'static str,
}

impl Report {
    pub(super) fn of(case: &Case<'_>, findings: Vec<Finding>) -> Self {
        Self {
            part: case.question.part,
            judged_at: case.question.now,
            levels: case.path.levels.clone(),
            complete: case.path.complete,
            findings,
            lookups: case.evidence.lookups().to_vec(),
            hints: hints(case),
        }
    }

    /// The worst of what is found; none where nothing is.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}

impl Source {
    /// The word in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Trusted => "trusted",
            Self::Fetched(_) => "fetched",
        }
    }
}

fn hints(case: &Case<'_>) -> Vec<Hint> {
    let question = case.question;
    let part = question.part;
    let mut hints = Vec::new();
    let mut hint = |slug, sentence: String, documented| {
        hints.push(Hint { slug, sentence, documented });
    };
    let issuing = case.path.issuer_of(0).map(|own| own.subject_text());
    let root = case.path.levels.last().filter(|_| case.path.complete);
    if let (Some(root), true) = (root, question.roots.is_empty()) {
        let thumbprint = root.certificate.sha1_thumbprint();
        let thumbprint: String = thumbprint.iter().map(|octet| format!("{octet:02X}")).collect();
        let sentence = format!(
            "{} (SHA-1 {thumbprint}) must be in Trusted Root Certification Authorities of the local \
             machine on both sides, and be the root that the profile's TrustedRootCA names.",
            root.certificate.subject_text()
        );
        hint(
            "root-store",
            sentence,
            "Microsoft, vpn-deploy-nps; always-on-vpn-deploy-troubleshooting",
        );
    }
    if let (Part::VpnUser, Some(issuing)) = (part, &issuing) {
        let sentence = format!(
            "{issuing} must be in the NTAuth store of the forest: certutil -viewstore -enterprise \
             NTAuth; if it is not, certutil -dspublish -f issuing-ca.cer NTAuthCA."
        );
        hint("ntauth", sentence, "Microsoft, nps-manage-cert-requirements; R. Hicks");
    }
    if part == Part::VpnDevice {
        let sentence = "RRAS takes a machine certificate of any root it trusts until it is told \
                        otherwise (Set-VpnAuthProtocol -UserAuthProtocolAccepted Certificate,EAP \
                        -RootCertificateNameToAccept …), and does not look at revocation until \
                        HKLM\\SYSTEM\\CurrentControlSet\\Services\\RemoteAccess\\Parameters\\Ikev2\
                        \\CertAuthFlags is 4.";
        hint("rras-certificate-filter", sentence.to_owned(), "R. Hicks, 2019-06-20 and aovpn");
    }
    if part == Part::VpnServer {
        let sentence = "Where the server has more than one certificate for Server Authentication, \
                        it may send another than this one.";
        hint("one-of-several", sentence.to_owned(), "Microsoft, vpn-deploy-server-infrastructure");
    }
    if part == Part::VpnUser {
        let sentence = "NPS keeps a CRL until its nextUpdate: a revocation shows there only then, \
                        or after certutil -urlcache * delete.";
        hint("crl-cache", sentence.to_owned(), "Microsoft, NPS CRL checks and registry values");
    }
    if question.names.is_empty() && part != Part::Ca && part != Part::VpnDevice {
        let sentence = "No name was asked for: name what clients connect to (for a user the UPN), \
                        and it is compared.";
        hint("no-name-given", sentence.to_owned(), "chancery doctor");
    }
    if case
        .evidence
        .lookups()
        .iter()
        .any(|own| matches!(&own.outcome, Err(why) if why.was_not_tried()))
    {
        let sentence = "Not every address was looked up; the list says which and why.";
        hint("not-looked-up", sentence.to_owned(), "chancery doctor");
    }
    hints
}
