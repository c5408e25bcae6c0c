//! `certutil -v -template`: a block `Template[0]:` for each template, a property a line, lists
//! and extensions in lines below.

use std::collections::BTreeSet;

use super::super::Unreadable;
use super::super::entry::Entry;
use super::super::span;
use super::{MOST_TEMPLATES, hexadecimal};
use crate::pki::security_descriptor::{Dacl, SecurityDescriptor};

const PREFIX: &str = "TemplateProp";

/// Properties that are numbers, and the attributes they come from.
const NUMBERS: &[(&str, &str)] = &[
    ("MajorRevision", "revision"),
    ("MinorRevision", "msPKI-Template-Minor-Revision"),
    ("SchemaVersion", "msPKI-Template-Schema-Version"),
    ("RASignatureCount", "msPKI-RA-Signature"),
    ("MinimumKeySize", "msPKI-Minimal-Key-Size"),
    ("EnrollmentFlags", "msPKI-Enrollment-Flag"),
    ("SubjectNameFlags", "msPKI-Certificate-Name-Flag"),
    ("PrivateKeyFlags", "msPKI-Private-Key-Flag"),
    ("GeneralFlags", "flags"),
    ("KeySpec", "pKIDefaultKeySpec"),
];

/// Properties that are lists of OIDs.
const OIDS: &[(&str, &str)] = &[
    ("EKUs", "pKIExtendedKeyUsage"),
    ("V1ApplicationPolicy", "msPKI-Certificate-Application-Policy"),
    ("CertificatePolicies", "msPKI-Certificate-Policy"),
    ("RACertificatePolicies", "msPKI-RA-Policies"),
    ("RAEKUs", "msPKI-RA-Application-Policies"),
];

/// Properties that in the directory are parts of `msPKI-RA-Application-Policies` ([MS-CRTD]
/// §2.23): name there, and type.
const PARTS: &[(&str, &str, &str)] = &[
    ("AsymmetricAlgorithm", "msPKI-Asymmetric-Algorithm", "PZPWSTR"),
    ("HashAlgorithm", "msPKI-Hash-Algorithm", "PZPWSTR"),
    ("KeySecurityDescriptor", "msPKI-Key-Security-Descriptor", "PZPWSTR"),
    ("KeyUsage", "msPKI-Key-Usage", "DWORD"),
    ("SymmetricAlgorithm", "msPKI-Symmetric-Algorithm", "PZPWSTR"),
    ("SymmetricKeyLength", "msPKI-Symmetric-Key-Length", "DWORD"),
];

/// One property: the line it begins in, its name, what stands behind the sign, the lines below.
struct Property<'a> {
    number: usize,
    name: &'a str,
    value: &'a str,
    below: Vec<(usize, &'a str)>,
}

pub(super) fn read(text: &str) -> Result<Vec<Entry>, Unreadable> {
    let mut blocks: Vec<Vec<Property<'_>>> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let trimmed = line.trim();
        if trimmed.starts_with("Template[") && trimmed.ends_with("]:") {
            if blocks.len() >= MOST_TEMPLATES {
                return Err(Unreadable::Line(number, "more than 2000 templates"));
            }
            blocks.push(Vec::new());
            continue;
        }
        if let Some(rest) = trimmed.strip_prefix(PREFIX) {
            let (name, value) =
                rest.split_once('=').ok_or(Unreadable::Line(number, "a property without `=`"))?;
            // A single template may have been cut out of the whole.
            if blocks.is_empty() {
                blocks.push(Vec::new());
            }
            if let Some(block) = blocks.last_mut() {
                let (name, value) = (name.trim(), value.trim());
                block.push(Property { number, name, value, below: Vec::new() });
            }
        } else if !trimmed.is_empty() && !trimmed.starts_with("CertUtil:") {
            let open = blocks.last_mut().and_then(|block| block.last_mut());
            open.into_iter().for_each(|open| open.below.push((number, line)));
        }
    }
    blocks.into_iter().filter(|block| !block.is_empty()).map(|block| entry(&block)).collect()
}

fn entry(block: &[Property<'_>]) -> Result<Entry, Unreadable> {
    let name = block.iter().find(|own| own.name == "CommonName").map_or("", |own| own.value);
    let mut entry = Entry::named(name);
    let mut parts = String::new();
    let mut seen = BTreeSet::new();
    for property in block {
        let number = property.number;
        if !seen.insert(property.name) {
            return Err(Unreadable::Line(number, "the property is there twice"));
        }
        let mut add = |name: &str, value: Vec<u8>| {
            entry.add(name, value).map_err(|_| Unreadable::Line(number, "too many values"))
        };
        let listed = |table: &[(&str, &'static str)]| {
            table.iter().find(|(own, _)| *own == property.name).map(|(_, attribute)| *attribute)
        };
        if let Some(attribute) = listed(NUMBERS) {
            let value = hexadecimal(number, property.value)?;
            add(attribute, value.to_string().into_bytes())?;
        } else if let Some(attribute) = listed(OIDS) {
            for oid in oids(property)? {
                add(attribute, oid.into())?;
            }
        } else if let Some((_, part, kind)) = PARTS.iter().find(|own| own.0 == property.name) {
            let value = match *kind {
                "DWORD" => hexadecimal(number, property.value)?.to_string(),
                _ => property.value.to_owned(),
            };
            parts.push_str(&format!("{part}`{kind}`{value}`"));
        } else {
            other(property, &mut entry)?;
        }
    }
    if !parts.is_empty() {
        // certutil shows the signers' purposes (RAEKUs) apart from the rest.
        for oid in entry.values("msPKI-RA-Application-Policies").to_vec() {
            let oid = String::from_utf8_lossy(&oid).into_owned();
            parts.push_str(&format!("msPKI-RA-Application-Policies`PZPWSTR`{oid}`"));
        }
        entry = entry.without("msPKI-RA-Application-Policies");
        entry
            .add("msPKI-RA-Application-Policies", parts)
            .map_err(|error| Unreadable::Json(error.to_string()))?;
    }
    entry.assumed.push(
        "certutil -template does not show whether the alternative name is critical: assumed not",
    );
    if entry.values("pKIDefaultKeySpec").is_empty() {
        entry
            .assumed
            .push("certutil -template does not show pKIDefaultKeySpec: assumed 1, exchange");
    }
    Ok(entry)
}

fn other(property: &Property<'_>, entry: &mut Entry) -> Result<(), Unreadable> {
    let number = property.number;
    let many = |_| Unreadable::Line(number, "too many values");
    match property.name {
        "CommonName" => entry.add("cn", property.value).map_err(many),
        "FriendlyName" => entry.add("displayName", property.value).map_err(many),
        // Made up by Windows from the template it was duplicated from.
        "Description" => Ok(()),
        "OID" => {
            let line = property.below.first().map_or(property.value, |(_, line)| line.trim());
            let oid = line.split_whitespace().next().unwrap_or_default();
            entry.add("msPKI-Cert-Template-OID", oid).map_err(many)
        }
        "CryptoProviders" | "Supersede" => {
            for (number, line) in &property.below {
                let (index, name) = line.trim().split_once(": ").ok_or(Unreadable::Line(
                    *number,
                    "a numbered line such as `0: Microsoft RSA SChannel …` is wanted",
                ))?;
                let rank: u32 = index
                    .parse()
                    .map_err(|_| Unreadable::Line(*number, "a numbered line is wanted"))?;
                match property.name {
                    "Supersede" => entry.add("msPKI-Supersede-Templates", name),
                    _ => entry.add("pKIDefaultCSPs", format!("{},{name}", rank.saturating_add(1))),
                }
                .map_err(many)?;
            }
            Ok(())
        }
        "ValidityPeriod" | "RenewalPeriod" => {
            let seconds = span::seconds_of_certutil(property.value);
            let octets = seconds.and_then(span::octets).ok_or(Unreadable::NotEnglish(number))?;
            let attribute = match property.name {
                "ValidityPeriod" => "pKIExpirationPeriod",
                _ => "pKIOverlapPeriod",
            };
            entry.add(attribute, octets).map_err(many)
        }
        "SecurityDescriptor" => security(property, entry),
        "Extensions" => extensions(property, entry),
        // Named in the report as an attribute that nobody knows.
        other => entry.add(&format!("{PREFIX}{other}"), property.value).map_err(many),
    }
}

/// `1 ObjectIds:`, then an OID and its name on each line.
fn oids<'a>(property: &Property<'a>) -> Result<Vec<&'a str>, Unreadable> {
    let mut found = Vec::new();
    for (number, line) in &property.below {
        let first = line.split_whitespace().next().unwrap_or_default();
        let dotted =
            first.contains('.') && first.bytes().all(|own| own == b'.' || own.is_ascii_digit());
        match dotted {
            true => found.push(first),
            false if line.trim_end().ends_with("ObjectIds:") => (),
            false => return Err(Unreadable::Line(*number, "an OID is wanted")),
        }
    }
    Ok(found)
}

/// SDDL, and below it a line for each entry in the same order: `Allow Enroll  CONTOSO\VPN Users`.
fn security(property: &Property<'_>, entry: &mut Entry) -> Result<(), Unreadable> {
    let wrong = |error| Unreadable::Descriptor(property.number, format!("{error}"));
    let descriptor: SecurityDescriptor = property.value.parse().map_err(wrong)?;
    let mut lines = Vec::new();
    for (number, line) in &property.below {
        let line = line.trim();
        let rest = line.strip_prefix("Allow ").or_else(|| line.strip_prefix("Deny "));
        let rest = rest.ok_or(Unreadable::NotEnglish(*number))?.trim_start();
        let rights = ["Full Control", "Auto-Enroll", "Enroll", "Read", "Write", "Special"];
        let name = rights.iter().find_map(|right| rest.strip_prefix(right));
        lines.push(name.ok_or(Unreadable::NotEnglish(*number))?.trim());
    }
    if let Dacl::Entries(entries) = &descriptor.dacl {
        // Only where each entry has its line is it certain which name belongs to which.
        if entries.len() == lines.len() {
            for (ace, name) in entries.iter().zip(&lines) {
                let name = name.rsplit('\\').next().unwrap_or_default();
                let same = entry.names.get(&ace.trustee).is_none_or(|known| known == name);
                if !same {
                    return Err(Unreadable::Line(
                        property.number,
                        "entries and names do not agree",
                    ));
                }
                if !name.is_empty() {
                    entry.names.insert(ace.trustee.clone(), name.to_owned());
                }
            }
        }
    }
    entry.descriptor = Some(descriptor);
    Ok(())
}

/// Key usage stands nowhere but in the extensions, and so does what is critical.
fn extensions(property: &Property<'_>, entry: &mut Entry) -> Result<(), Unreadable> {
    let many = |_| Unreadable::Line(property.number, "too many values");
    let mut current = "";
    for (number, line) in &property.below {
        let line = line.trim();
        if let Some((oid, rest)) = line.split_once(": Flags = ") {
            current = oid;
            if rest.contains("(Critical)") {
                entry.add("pKICriticalExtensions", oid).map_err(many)?;
            }
        } else if current == "2.5.29.15" && line.ends_with(')') {
            let octets = line.rsplit_once('(').map(|(_, inner)| inner.trim_end_matches(')'));
            let octets = octets.and_then(super::attributes::octets);
            let mut octets = octets.ok_or(Unreadable::Line(*number, "no key usage"))?;
            octets.resize(2, 0);
            entry.add("pKIKeyUsage", octets).map_err(many)?;
        } else if current == "2.5.29.19" && line == "Path Length Constraint=None" {
            entry.add("pKIMaxIssuingDepth", "-1").map_err(many)?;
        }
    }
    Ok(())
}
