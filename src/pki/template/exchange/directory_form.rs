//! A template as Active Directory would hold it: an entry of class `pKICertificateTemplate`, and
//! the one of class `msPKI-Enterprise-Oid` that registers its OID ([MS-CRTD] §2, [MS-WCCE]).

use std::collections::BTreeMap;

use super::access::{called, descriptor, sid_for};
use super::entry::{Entry, TooLarge};
use super::note::Note;
use super::span;
use crate::pki::security_descriptor::Sid;
use crate::pki::template::{Principal, Template, TemplateArc, TemplateFile};

/// The forest that an export is written for.
#[derive(Clone, Debug)]
pub struct Forest {
    /// The root domain's distinguished name, `DC=contoso,DC=com`.
    pub root: String,
    /// The security identifier of the domain whose groups are meant.
    pub domain: Sid,
    /// Identifiers of groups and accounts that are not the same in every domain.
    pub sids: BTreeMap<Sid, Principal>,
}

/// A domain that no forest has (a real one has 96 random bits here): groups without a known
/// identifier get one below it, so that importing an export by mistake grants nothing to anybody.
const NOWHERE: &str = "S-1-5-21-0-0-67";
const FIRST_RELATIVE: u32 = 1_000;

impl Forest {
    /// A forest of which nothing but its root's name is known.
    pub fn named(root: impl Into<String>) -> Self {
        Self { root: root.into(), domain: nowhere(), sids: BTreeMap::new() }
    }
}

fn nowhere() -> Sid {
    NOWHERE.parse().unwrap_or_else(|_| Sid::of_some_domain(67))
}

/// The entries of templates: each one's own, and its OID's behind it.
pub fn entries(
    templates: &[&Template],
    arc: &TemplateArc,
    forest: &Forest,
) -> Result<Vec<Entry>, TooLarge> {
    let sids = sids(templates, forest);
    let mut out = Vec::new();
    for template in templates {
        let mut entry = entry(template, arc, forest, &sids)?;
        let principals = template.permissions().iter().filter_map(|own| {
            let sid = sid_for(&own.principal, &sids, &forest.domain)?;
            Some((called(&own.principal), sid.to_string()))
        });
        let oid = template.oid(arc).to_string();
        let file = TemplateFile { oid, ..template.to_file() };
        entry.note = Some(Note { template: file, principals: principals.collect() });
        out.push(entry);
        out.push(registration(template, arc, forest)?);
    }
    Ok(out)
}

/// Whether `entry` is what exporting `template` gives, wherever in a directory it stands.
pub(super) fn is_of(
    entry: &Entry,
    template: &Template,
    arc: &TemplateArc,
    sids: &BTreeMap<String, Sid>,
) -> bool {
    let Ok(own) = self::entry(template, arc, &Forest::named(""), sids) else { return false };
    // Every principal is in the note, so that the forest's domain plays no part.
    let same = |name: &str, values: &[Vec<u8>]| {
        let (mut values, mut theirs) = (values.to_vec(), entry.values(name).to_vec());
        values.sort();
        theirs.sort();
        values == theirs
    };
    let lists = |own: &Entry| own.descriptor.as_ref().map(|descriptor| descriptor.dacl.clone());
    let told = ["cn", "name", "objectClass", "showInAdvancedViewOnly"];
    let mut attributes = own.attributes().filter(|(name, _)| !told.contains(name));
    let cn = entry.text("cn").or_else(|| entry.text("name"));
    let none_besides =
        entry.attributes().all(|(name, _)| told.contains(&name) || !own.values(name).is_empty());
    cn == Some(template.cn())
        && attributes.all(|(name, values)| same(name, values))
        && none_besides
        && lists(&own) == lists(entry)
}

/// An identifier for each name: the forest's, the well-known one, or a place holder.
fn sids(templates: &[&Template], forest: &Forest) -> BTreeMap<String, Sid> {
    let mut sids: BTreeMap<String, Sid> =
        forest.sids.iter().map(|(sid, own)| (called(own), sid.clone())).collect();
    let principals = templates.iter().flat_map(|own| own.permissions().iter());
    let mut strangers: Vec<String> = principals
        .filter(|own| sid_for(&own.principal, &sids, &forest.domain).is_none())
        .map(|own| called(&own.principal))
        .collect();
    strangers.sort();
    strangers.dedup();
    for (name, relative) in strangers.into_iter().zip(FIRST_RELATIVE..) {
        sids.extend(nowhere().account(relative).ok().map(|sid| (name, sid)));
    }
    sids
}

fn container(root: &str) -> String {
    format!("CN=Public Key Services,CN=Services,CN=Configuration,{root}")
}

fn entry(
    template: &Template,
    arc: &TemplateArc,
    forest: &Forest,
    sids: &BTreeMap<String, Sid>,
) -> Result<Entry, TooLarge> {
    let cn = template.cn();
    let dn = format!("CN={cn},CN=Certificate Templates,{}", container(&forest.root));
    let mut entry = Entry::named(dn);
    for class in ["top", "pKICertificateTemplate"] {
        entry.add("objectClass", class)?;
    }
    let minimum = template.key_rules().iter().filter_map(|rule| rule.minimum_bits()).min();
    let signed = |word: u32| word.cast_signed().to_string();
    let usage = template.key_usage().bits().to_le_bytes().to_vec();
    let single: [(&str, Vec<u8>); 17] = [
        ("cn", cn.into()),
        ("displayName", template.display_name().into()),
        ("flags", signed(template.general_flags().bits()).into()),
        ("revision", template.major_revision().to_string().into()),
        ("pKIDefaultKeySpec", template.key_spec().number().to_string().into()),
        ("pKIKeyUsage", usage),
        ("pKIMaxIssuingDepth", depth(template).into()),
        ("pKIExpirationPeriod", span::of(template.validity())),
        ("pKIOverlapPeriod", span::of(template.renewal())),
        ("msPKI-RA-Signature", template.ra_signatures().to_string().into()),
        ("msPKI-Enrollment-Flag", signed(template.enrollment_flags().bits()).into()),
        ("msPKI-Private-Key-Flag", signed(template.private_key_word()).into()),
        ("msPKI-Certificate-Name-Flag", signed(template.name_flags().bits()).into()),
        ("msPKI-Minimal-Key-Size", minimum.unwrap_or(256).to_string().into()),
        ("msPKI-Template-Schema-Version", template.schema_version().to_string().into()),
        ("msPKI-Template-Minor-Revision", template.minor_revision().to_string().into()),
        ("msPKI-Cert-Template-OID", template.oid(arc).to_string().into()),
    ];
    for (name, value) in single {
        entry.add(name, value)?;
    }
    let oids = |purposes: &[crate::pki::template::Purpose]| -> Vec<String> {
        purposes.iter().map(|own| own.oid().to_string()).collect()
    };
    let ranked = |(index, name): (usize, &String)| format!("{},{name}", index + 1);
    let lists: [(&str, Vec<String>); 8] = [
        ("pKICriticalExtensions", strings(template.critical_extensions())),
        ("pKIExtendedKeyUsage", oids(template.extended_key_usage())),
        ("msPKI-Certificate-Application-Policy", oids(template.application_policies())),
        ("pKIDefaultCSPs", template.csps().iter().enumerate().map(ranked).collect()),
        ("msPKI-Supersede-Templates", template.supersedes().to_vec()),
        ("msPKI-RA-Application-Policies", template.ra_application_policies.to_vec()),
        ("msPKI-Certificate-Policy", strings(&template.issuance_policies)),
        ("msPKI-RA-Policies", strings(&template.ra_policies)),
    ];
    for (name, values) in lists {
        for value in values {
            entry.add(name, value)?;
        }
    }
    entry.add("showInAdvancedViewOnly", "TRUE")?;
    entry.descriptor = Some(descriptor(template.permissions().iter(), sids, &forest.domain));
    Ok(entry)
}

fn strings<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn depth(template: &Template) -> String {
    template.maximum_issuing_depth().map_or_else(|| "-1".to_owned(), |depth| depth.to_string())
}

/// The OID's own entry: `flags` 1 says that it is a template's. Its cn is the last number and 32
/// hexadecimal digits, which AD CS draws at random and which here follow from the OID.
fn registration(
    template: &Template,
    arc: &TemplateArc,
    forest: &Forest,
) -> Result<Entry, TooLarge> {
    let oid = template.oid(arc);
    let dotted = oid.to_string();
    let last = dotted.rsplit('.').next().unwrap_or_default();
    // Which digits does not matter, only that they are the same each time and differ by OID.
    let hash =
        oid.as_bytes().iter().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |sum, octet| {
            (sum ^ u128::from(*octet)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
        });
    let cn = format!("{last}.{hash:032X}");
    let mut entry = Entry::named(format!("CN={cn},CN=OID,{}", container(&forest.root)));
    for (name, value) in [
        ("objectClass", "top"),
        ("objectClass", "msPKI-Enterprise-Oid"),
        ("cn", cn.as_str()),
        ("displayName", template.display_name()),
        ("flags", "1"),
        ("msPKI-Cert-Template-OID", dotted.as_str()),
        ("showInAdvancedViewOnly", "TRUE"),
    ] {
        entry.add(name, value)?;
    }
    Ok(entry)
}
