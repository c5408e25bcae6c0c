//! The attributes of an entry one by one, each into the words of a template file.

use super::access::permissions;
use super::conversion::{Circumstances, Losses};
use super::entry::Entry;
use super::keys::{Wishes, rules, triplets};
use super::report::{Loss, Report};
use super::span;
use crate::pki::extension::KeyUsage;
use crate::pki::oid;
use crate::pki::template::key_rules::key_usage_names;
use crate::pki::template::value::critical_extension;
use crate::pki::template::{
    CompatibilityFile, EnrollmentFlags, GeneralFlags, NameFlags, ObjectSid, OcspUrl, Origin,
    Purpose, SecurityIdentifier, TemplateArc, TemplateFile, TemplateOid,
};

/// Attributes of every object of the directory; they say nothing about a template.
const BOOKKEEPING: &[&str] = &[
    "adminDescription",
    "cn",
    "description",
    "displayName",
    "distinguishedName",
    "dn",
    "dSCorePropagationData",
    "instanceType",
    "name",
    "objectCategory",
    "objectClass",
    "objectGUID",
    "showInAdvancedViewOnly",
    "uSNChanged",
    "uSNCreated",
    "whenChanged",
    "whenCreated",
];

/// Reads attribute by attribute.
pub(super) struct Reading<'a> {
    pub(super) entry: &'a Entry,
    pub(super) report: Report,
    used: Vec<&'static str>,
}

impl<'a> Reading<'a> {
    /// Of an entry that nobody looked at yet.
    pub(super) fn of(entry: &'a Entry) -> Self {
        Self { entry, report: Report::default(), used: Vec::new() }
    }

    /// The template file that the attributes come to.
    pub(super) fn file(&mut self, circumstances: &Circumstances<'_>) -> TemplateFile {
        let cn = self.cn();
        let display_name = self.entry.text("displayName").unwrap_or(&cn).to_owned();
        self.report.take("displayName", display_name.clone());
        let general = self.word("flags", GeneralFlags::from_bits, GeneralFlags::ALL.bits());
        let enrollment = self.word(
            "msPKI-Enrollment-Flag",
            EnrollmentFlags::from_bits,
            EnrollmentFlags::ALL.bits(),
        );
        let names =
            self.word("msPKI-Certificate-Name-Flag", NameFlags::from_bits, NameFlags::ALL.bits());
        let (private_key, compatibility) = self.private_key();
        let schema_version = self.count("msPKI-Template-Schema-Version", Some(1));
        let extended_key_usage = self.purposes("pKIExtendedKeyUsage");
        let mut application_policies = self.purposes("msPKI-Certificate-Application-Policy");
        if schema_version == 1 && !application_policies.is_empty() {
            // certutil shows the purposes of version 1 templates here too.
            application_policies.clear();
            self.report.left_behind.push("msPKI-Certificate-Application-Policy".to_owned());
        }
        let ra_application_policies = self.texts("msPKI-RA-Application-Policies");
        let server = oid::SERVER_AUTHENTICATION.to_string();
        let wishes = Wishes {
            minimum_bits: self.count("msPKI-Minimal-Key-Size", None),
            algorithm: ra_application_policies
                .iter()
                .filter_map(|value| triplets(value))
                .flatten()
                .find(|(name, _)| *name == "msPKI-Asymmetric-Algorithm")
                .map(|(_, value)| value),
            general,
            names,
            authenticates_servers: extended_key_usage.iter().any(|own| own.contains(&server)),
        };
        let key_algorithms = rules(&wishes, &mut self.report);
        let (general, enrollment) = self.not_done(general, enrollment);
        let built_in = general.contains(GeneralFlags::IS_DEFAULT);
        let origin = if built_in { Origin::BuiltIn } else { Origin::Custom };
        let file = TemplateFile {
            cn,
            display_name,
            oid: self.oid(circumstances.arc),
            origin: origin.as_str().to_owned(),
            schema_version,
            major_revision: self.count("revision", None),
            minor_revision: self.count("msPKI-Template-Minor-Revision", Some(0)),
            general_flags: owned(general.names()),
            name_flags: owned(names.names()),
            enrollment_flags: owned(enrollment.names()),
            private_key_flags: owned(private_key.names()),
            compatibility: CompatibilityFile {
                authority: compatibility.authority().map(ToOwned::to_owned),
                recipient: compatibility.recipient().map(ToOwned::to_owned),
            },
            validity_period: self.span("pKIExpirationPeriod"),
            renewal_period: self.span("pKIOverlapPeriod"),
            key_usage: self.key_usage(),
            key_spec: self.key_spec(),
            key_algorithms,
            csps: self.csps(),
            extended_key_usage,
            application_policies,
            critical_extensions: self.critical_extensions(),
            maximum_issuing_depth: self.depth(general),
            supersedes: self.texts("msPKI-Supersede-Templates"),
            ra_signatures: self.count("msPKI-RA-Signature", Some(0)),
            ra_application_policies,
            ra_policies: self.texts("msPKI-RA-Policies"),
            issuance_policies: self.texts("msPKI-Certificate-Policy"),
            // What AD CS does: the SID in its extension where the account has one.
            security_identifier: SecurityIdentifier::Extension.as_str().to_owned(),
            object_sid: ObjectSid::Optional.as_str().to_owned(),
            // The CA's own setting there, not the template's.
            ocsp_url: OcspUrl::Included.as_str().to_owned(),
            requested_names: None,
            accepted_dangers: Vec::new(),
            warnings: Vec::new(),
            permissions: permissions(self.entry, circumstances.principals, &mut self.report),
        };
        for (assumption, key) in self.entry.assumed.iter().zip(std::iter::repeat("certutil")) {
            self.report.map(key, *assumption);
        }
        file
    }

    fn cn(&mut self) -> String {
        let cn = self.entry.cn().to_owned();
        self.report.take("cn", cn.clone());
        cn
    }

    /// An attribute of one value; two values of it are refused.
    fn single(&mut self, attribute: &'static str) -> Option<&str> {
        self.used.push(attribute);
        match self.entry.values(attribute) {
            [] => None,
            [value] => std::str::from_utf8(value).ok().or(Some("")),
            _ => {
                self.report.refuse(format!("{attribute}: one value is wanted"));
                None
            }
        }
    }

    pub(super) fn number(&mut self, attribute: &'static str, otherwise: Option<i64>) -> i64 {
        let read = self.single(attribute).map(|text| text.trim().parse::<i64>().ok());
        match (read, otherwise) {
            (Some(Some(number)), _) => number,
            (Some(None), _) => {
                self.report.refuse(format!("{attribute}: no number"));
                0
            }
            (None, Some(otherwise)) => otherwise,
            (None, None) => {
                self.report.refuse(format!("{attribute}: missing"));
                0
            }
        }
    }

    fn count(&mut self, attribute: &'static str, otherwise: Option<i64>) -> u32 {
        let number = self.number(attribute, otherwise);
        let count = u32::try_from(number).unwrap_or_else(|_| {
            self.report.refuse(format!("{attribute}: {number} is out of range"));
            0
        });
        self.report.take(attribute, count.to_string());
        count
    }

    fn texts(&mut self, attribute: &'static str) -> Vec<String> {
        self.used.push(attribute);
        let mut texts = Vec::new();
        for value in self.entry.values(attribute) {
            match std::str::from_utf8(value) {
                Ok(text) => texts.push(text.trim().to_owned()),
                Err(_) => self.report.refuse(format!("{attribute}: no text")),
            }
        }
        if !texts.is_empty() {
            self.report.take(attribute, texts.join(", "));
        }
        texts
    }

    /// OIDs, with the names by which they are shown here.
    fn purposes(&mut self, attribute: &'static str) -> Vec<String> {
        let shown =
            |text: String| text.parse::<Purpose>().map_or(text, |purpose| purpose.to_string());
        self.texts(attribute).into_iter().map(shown).collect()
    }

    fn oid(&mut self, arc: &TemplateArc) -> String {
        let attribute = "msPKI-Cert-Template-OID";
        let dotted = self.single(attribute).unwrap_or_default().trim().to_owned();
        if dotted.is_empty() {
            self.report.refuse(format!("{attribute}: missing"));
        }
        self.report.take(attribute, dotted.clone());
        own_oid(&dotted, arc)
    }

    fn span(&mut self, attribute: &'static str) -> String {
        self.used.push(attribute);
        let read = match self.entry.values(attribute) {
            [octets] => span::read(octets),
            _ => None,
        };
        match read {
            Some(span) => {
                if span.rounded {
                    self.report.map(format!("{attribute} with minutes"), span.words.clone());
                }
                self.report.take(attribute, span.words.clone());
                span.words
            }
            None => {
                self.report
                    .refuse(format!("{attribute}: 8 octets with a negative number are wanted"));
                String::new()
            }
        }
    }

    fn key_usage(&mut self) -> Vec<String> {
        let attribute = "pKIKeyUsage";
        self.used.push(attribute);
        let bits = match self.entry.values(attribute) {
            [octets] => match octets.as_slice() {
                [low] => u16::from(*low),
                [low, high] => u16::from_le_bytes([*low, *high]),
                _ => 0,
            },
            _ => 0,
        };
        let usage = KeyUsage::from_bits(bits);
        if usage.bits() != bits || bits == 0 {
            self.report
                .refuse(format!("{attribute}: one or two octets of RFC 5280 §4.2.1.3 are wanted"));
        }
        self.report.take(attribute, key_usage_names(usage).join(", "));
        owned(key_usage_names(usage))
    }

    fn key_spec(&mut self) -> String {
        let attribute = "pKIDefaultKeySpec";
        let word = match self.number(attribute, Some(1)) {
            1 => "exchange",
            2 => "signature",
            _ => {
                self.report.refuse(format!("{attribute}: 1 or 2 is wanted"));
                "exchange"
            }
        };
        self.report.take(attribute, word);
        word.to_owned()
    }

    /// `2,Microsoft DH SChannel …`: the number decides, not the order.
    fn csps(&mut self) -> Vec<String> {
        let ranked = |(index, text): (usize, String)| match text.split_once(',') {
            Some((rank, name)) if rank.trim().parse::<u32>().is_ok() => {
                (rank.trim().parse::<usize>().unwrap_or(index), name.trim().to_owned())
            }
            _ => (usize::MAX, text),
        };
        let texts = self.texts("pKIDefaultCSPs");
        let mut csps: Vec<_> = texts.into_iter().enumerate().map(ranked).collect();
        csps.sort_by_key(|(rank, _)| *rank);
        csps.into_iter().map(|(_, name)| name).collect()
    }

    fn critical_extensions(&mut self) -> Vec<String> {
        let attribute = "pKICriticalExtensions";
        let (known, others): (Vec<_>, Vec<_>) =
            self.texts(attribute).into_iter().partition(|own| critical_extension(own).is_ok());
        for other in others {
            let why = "the extension is not made here, or its criticality is fixed";
            self.report.lose(Loss::None, format!("{attribute} {other}"), why);
        }
        known
    }

    fn depth(&mut self, general: GeneralFlags) -> i32 {
        let attribute = "pKIMaxIssuingDepth";
        let depth = self.number(attribute, Some(0));
        // -1 is without a bound: what cannot be read must not become that.
        let depth = i32::try_from(depth).unwrap_or_else(|_| {
            self.report.refuse(format!("{attribute}: {depth} is out of range"));
            0
        });
        if !general.contains(GeneralFlags::IS_CA) && depth != 0 {
            self.report.map(format!("{attribute} {depth}"), "0: only a CA issues");
            return 0;
        }
        self.report.take(attribute, depth.to_string());
        depth
    }

    /// What nobody read is told, and what weighs is refused.
    pub(super) fn finish(mut self, losses: Losses) -> Report {
        for (name, _) in self.entry.attributes() {
            let is = |own: &&str| own.eq_ignore_ascii_case(name);
            if self.used.iter().any(|own| own.eq_ignore_ascii_case(name)) {
                continue;
            }
            if BOOKKEEPING.iter().any(is) {
                self.report.left_behind.push(name.to_owned());
            } else {
                self.report.lose(Loss::None, name, "the attribute is not known here");
            }
        }
        if losses == Losses::Refused {
            let weighty: Vec<String> = self
                .report
                .not_honoured
                .iter()
                .filter(|own| own.loss == Loss::Weaker)
                .map(|own| {
                    format!("{}: {} (accept_losses=true imports it without)", own.what, own.why)
                })
                .collect();
            self.report.refused.extend(weighty);
        }
        self.report
    }
}

fn owned(names: Vec<&'static str>) -> Vec<String> {
    names.into_iter().map(ToOwned::to_owned).collect()
}

/// A whole OID below this installation's arc is written as its tail.
pub(super) fn own_oid(dotted: &str, arc: &TemplateArc) -> String {
    let tail = dotted.strip_prefix(&format!("{arc}.")).unwrap_or(dotted);
    match tail.parse::<TemplateOid>() {
        Ok(own @ TemplateOid::Tail(..)) => own.to_string(),
        _ => dotted.to_owned(),
    }
}
