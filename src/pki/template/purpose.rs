//! What a certificate is for: extended key usages and application policies, under the names
//! that AD CS shows for them.

use const_oid::ObjectIdentifier;

use crate::pki::oid;

/// A purpose: its OID, and the name to show beside it. Equal if the OIDs are.
#[derive(Clone, Debug)]
pub struct Purpose {
    oid: ObjectIdentifier,
    name: Option<String>,
}

impl PartialEq for Purpose {
    fn eq(&self, other: &Self) -> bool {
        self.oid == other.oid
    }
}

impl Eq for Purpose {}

/// The text is no purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an OID, a known name, or `name (OID)` that agree")]
pub struct NotAPurpose;

const KNOWN: &[(&str, &str)] = &[
    ("1.3.6.1.5.5.7.3.1", "Server Authentication"),
    ("1.3.6.1.5.5.7.3.2", "Client Authentication"),
    ("1.3.6.1.5.5.7.3.3", "Code Signing"),
    ("1.3.6.1.5.5.7.3.4", "Secure Email"),
    ("1.3.6.1.5.5.7.3.5", "IP security end system"),
    ("1.3.6.1.5.5.7.3.6", "IP security tunnel termination"),
    ("1.3.6.1.5.5.7.3.7", "IP security user"),
    ("1.3.6.1.5.5.7.3.8", "Time Stamping"),
    ("1.3.6.1.5.5.7.3.9", "OCSP Signing"),
    ("1.3.6.1.5.5.7.3.17", "IP security IKE"),
    ("1.3.6.1.5.5.8.2.2", "IP security IKE intermediate"),
    ("1.3.6.1.5.2.3.4", "PKINIT Client Authentication"),
    ("1.3.6.1.5.2.3.5", "KDC Authentication"),
    ("1.3.6.1.4.1.311.10.3.1", "Microsoft Trust List Signing"),
    ("1.3.6.1.4.1.311.10.3.4", "Encrypting File System"),
    ("1.3.6.1.4.1.311.10.3.4.1", "File Recovery"),
    ("1.3.6.1.4.1.311.10.3.10", "Qualified Subordination"),
    ("1.3.6.1.4.1.311.20.2.1", "Certificate Request Agent"),
    ("1.3.6.1.4.1.311.20.2.2", "Smart Card Logon"),
    ("1.3.6.1.4.1.311.21.5", "Private Key Archival"),
    ("1.3.6.1.4.1.311.21.6", "Key Recovery Agent"),
    ("1.3.6.1.4.1.311.21.19", "Directory Service Email Replication"),
    ("1.3.6.1.4.1.311.54.1.2", "Remote Desktop Authentication"),
    ("1.3.6.1.4.1.311.87", "AAD Conditional Access"),
    ("1.3.6.1.4.1.311.10.12.1", "All application policies"),
    ("2.5.29.37.0", "Any Purpose"),
];

impl Purpose {
    /// Its object identifier.
    pub fn oid(&self) -> ObjectIdentifier {
        self.oid
    }

    /// The name to show, where there is one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether it lets its holder prove an identity to Windows: client authentication,
    /// smart-card logon, PKINIT (RFC 4556) or whatever one likes.
    pub fn can_log_on(&self) -> bool {
        let logon = [
            oid::CLIENT_AUTHENTICATION,
            oid::SMARTCARD_LOGON,
            oid::PKINIT_CLIENT_AUTHENTICATION,
            oid::KDC_AUTHENTICATION,
        ];
        self.is_any() || logon.contains(&self.oid)
    }

    /// Whether clients take its holder for a server: TLS, or IPsec, where it is the gateway.
    pub fn is_server(&self) -> bool {
        [oid::SERVER_AUTHENTICATION, oid::IPSEC_IKE, oid::IKE_INTERMEDIATE].contains(&self.oid)
    }

    /// Whether it stands for every purpose.
    pub fn is_any(&self) -> bool {
        [oid::ANY_PURPOSE, oid::ANY_APPLICATION_POLICY].contains(&self.oid)
    }

    /// Whether it lets its holder request certificates for others.
    pub fn is_request_agent(&self) -> bool {
        self.oid == oid::REQUEST_AGENT
    }
}

/// An OID, a known name, or both: `Client Authentication (1.3.6.1.5.5.7.3.2)`.
impl std::str::FromStr for Purpose {
    type Err = NotAPurpose;

    fn from_str(text: &str) -> Result<Self, NotAPurpose> {
        let (name, dotted) = match text.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")) {
            Some((name, dotted)) => (Some(name), dotted),
            None => match KNOWN.iter().find(|(_, name)| *name == text) {
                Some((dotted, name)) => (Some(*name), *dotted),
                None => (None, text),
            },
        };
        let oid = ObjectIdentifier::new(dotted).map_err(|_| NotAPurpose)?;
        let known = KNOWN.iter().find(|(known, _)| *known == dotted).map(|(_, name)| *name);
        let somebody_elses = name.is_some_and(|name| KNOWN.iter().any(|(_, own)| *own == name));
        let name = match (known, name) {
            (Some(known), Some(given)) if known != given => return Err(NotAPurpose),
            (None, Some("")) => return Err(NotAPurpose),
            (None, Some(_)) if somebody_elses => return Err(NotAPurpose),
            (known, given) => known.or(given),
        };
        Ok(Self { oid, name: name.map(ToOwned::to_owned) })
    }
}

impl std::fmt::Display for Purpose {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(out, "{name} ({})", self.oid),
            None => self.oid.fmt(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_known_name_reads_in_all_three_forms() {
        for (dotted, name) in KNOWN {
            let whole: Purpose = format!("{name} ({dotted})").parse().unwrap();
            assert_eq!(name.parse::<Purpose>().unwrap(), whole);
            assert_eq!(dotted.parse::<Purpose>().unwrap(), whole);
        }
    }

    #[test]
    fn a_name_never_hides_another_purpose() {
        for text in [
            "Server Authentication (1.3.6.1.5.5.7.3.2)",
            "Server Authentication (1.2.3.4)",
            "Harmless (2.5.29.37.0)",
            " (1.2.3.4)",
            "Server",
            "",
        ] {
            assert_eq!(text.parse::<Purpose>(), Err(NotAPurpose), "{text}");
        }
        let own: Purpose = "Our Lift (1.2.3.4)".parse().unwrap();
        assert_eq!((own.name(), own.can_log_on()), (Some("Our Lift"), false));
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_reads_back(text in "[A-Za-z ]{0,8}[ (]{0,2}[0-9.]{0,12}[)]?") {
            if let Ok(purpose) = text.parse::<Purpose>() {
                let again = purpose.to_string().parse::<Purpose>().unwrap();
                prop_assert_eq!((again.oid, &again.name), (purpose.oid, &purpose.name));
            }
        }
    }
}
