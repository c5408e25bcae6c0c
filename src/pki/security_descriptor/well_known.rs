//! The names of identifiers that are the same everywhere, and of relative ones that are the same
//! in every domain ([MS-DTYP] §2.4.2.4), with their abbreviations in SDDL (§2.5.1.1).

use super::Sid;

/// Somebody with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trustee {
    /// The name in English, without its domain.
    pub name: &'static str,
    /// Group or account.
    pub kind: TrusteeKind,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrusteeKind {
    /// A group.
    Group,
    /// A single account.
    Account,
    /// Neither: the system itself, or a place holder.
    System,
}

use TrusteeKind::{Account, Group, System};

/// Identifier, abbreviation or nothing, name, kind.
const ABSOLUTE: &[(&str, &str, &str, TrusteeKind)] = &[
    ("S-1-1-0", "WD", "Everyone", Group),
    ("S-1-3-0", "CO", "CREATOR OWNER", System),
    ("S-1-3-1", "CG", "CREATOR GROUP", System),
    ("S-1-3-4", "OW", "OWNER RIGHTS", System),
    ("S-1-5-2", "NU", "NETWORK", System),
    ("S-1-5-4", "IU", "INTERACTIVE", System),
    ("S-1-5-6", "SU", "SERVICE", System),
    ("S-1-5-7", "AN", "ANONYMOUS LOGON", System),
    ("S-1-5-9", "ED", "ENTERPRISE DOMAIN CONTROLLERS", Group),
    ("S-1-5-10", "PS", "SELF", System),
    ("S-1-5-11", "AU", "Authenticated Users", Group),
    ("S-1-5-12", "RC", "RESTRICTED", System),
    ("S-1-5-18", "SY", "SYSTEM", System),
    ("S-1-5-19", "LS", "LOCAL SERVICE", System),
    ("S-1-5-20", "NS", "NETWORK SERVICE", System),
    ("S-1-5-32-544", "BA", "Administrators", Group),
    ("S-1-5-32-545", "BU", "Users", Group),
    ("S-1-5-32-546", "BG", "Guests", Group),
    ("S-1-5-32-548", "AO", "Account Operators", Group),
    ("S-1-5-32-549", "SO", "Server Operators", Group),
    ("S-1-5-32-550", "PO", "Print Operators", Group),
    ("S-1-5-32-551", "BO", "Backup Operators", Group),
    ("S-1-5-32-552", "RE", "Replicator", Group),
    ("S-1-5-32-554", "RU", "Pre-Windows 2000 Compatible Access", Group),
    ("S-1-5-32-555", "RD", "Remote Desktop Users", Group),
    ("S-1-5-32-556", "NO", "Network Configuration Operators", Group),
    ("S-1-5-32-574", "CD", "Certificate Service DCOM Access", Group),
];

/// Relative identifier, abbreviation or nothing, name, kind.
const RELATIVE: &[(u32, &str, &str, TrusteeKind)] = &[
    (498, "RO", "Enterprise Read-only Domain Controllers", Group),
    (500, "LA", "Administrator", Account),
    (501, "LG", "Guest", Account),
    (502, "", "krbtgt", Account),
    (512, "DA", "Domain Admins", Group),
    (513, "DU", "Domain Users", Group),
    (514, "DG", "Domain Guests", Group),
    (515, "DC", "Domain Computers", Group),
    (516, "DD", "Domain Controllers", Group),
    (517, "CA", "Cert Publishers", Group),
    (518, "SA", "Schema Admins", Group),
    (519, "EA", "Enterprise Admins", Group),
    (520, "PA", "Group Policy Creator Owners", Group),
    (521, "", "Read-only Domain Controllers", Group),
    (522, "CN", "Cloneable Domain Controllers", Group),
    (525, "AP", "Protected Users", Group),
    (526, "KA", "Key Admins", Group),
    (527, "EK", "Enterprise Key Admins", Group),
    (553, "RS", "RAS and IAS Servers", Group),
    (571, "", "Allowed RODC Password Replication Group", Group),
    (572, "", "Denied RODC Password Replication Group", Group),
];

/// Who this is, if it is somebody who is the same everywhere or in every domain.
pub fn trustee(sid: &Sid) -> Option<Trustee> {
    if let Some(relative) = sid.relative() {
        let row = RELATIVE.iter().find(|(own, ..)| *own == relative)?;
        return Some(Trustee { name: row.2, kind: row.3 });
    }
    let text = sid.to_string();
    let row = ABSOLUTE.iter().find(|(own, ..)| *own == text)?;
    Some(Trustee { name: row.2, kind: row.3 })
}

/// The identifier of a well-known group or account by its English name, in `domain` where it
/// belongs to one.
pub fn sid_of(name: &str, kind: TrusteeKind, domain: &Sid) -> Option<Sid> {
    let absolute = ABSOLUTE.iter().find(|row| row.2.eq_ignore_ascii_case(name) && row.3 == kind);
    if let Some((text, ..)) = absolute {
        return text.parse().ok();
    }
    let relative = RELATIVE.iter().find(|row| row.2.eq_ignore_ascii_case(name) && row.3 == kind)?;
    domain.account(relative.0).ok()
}

/// The identifier behind an abbreviation of SDDL.
pub(super) fn from_abbreviation(text: &str) -> Option<Sid> {
    if let Some((sid, ..)) = ABSOLUTE.iter().find(|row| row.1 == text) {
        return sid.parse().ok();
    }
    let relative = RELATIVE.iter().find(|row| row.1 == text)?;
    Some(Sid::of_some_domain(relative.0))
}

/// The abbreviation of an identifier, where one stands for it alone: `DA` leaves the domain open.
pub(super) fn abbreviation(sid: &Sid) -> Option<&'static str> {
    match sid.relative() {
        Some(relative) if *sid == Sid::of_some_domain(relative) => {
            RELATIVE.iter().find(|row| row.0 == relative && !row.1.is_empty()).map(|row| row.1)
        }
        Some(_) => None,
        None => {
            let text = sid.to_string();
            ABSOLUTE.iter().find(|row| row.0 == text).map(|row| row.1)
        }
    }
}
