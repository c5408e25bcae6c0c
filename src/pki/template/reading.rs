//! From file to [`Template`] and back. Every value is read, every contradiction between values
//! is looked for, and all mistakes are told at once.

use const_oid::ObjectIdentifier;

use super::file::{CompatibilityFile, KeyAlgorithmFile, RequestedNamesFile, TemplateFile};
use super::key_rules::{key_usage_from_name, key_usage_names};
use super::mistake::{Collector, Mistakes, Problem};
use super::requested_names::Wildcards;
use super::{
    Compatibility, Danger, EnrollmentFlags, GeneralFlags, KeyRule, KeySpec, NameFlags, NameRules,
    Origin, PrivateKeyFlags, RequestedNames, Template,
};
use crate::pki::extension::KeyUsage;
use crate::pki::name::{DistinguishedName, is_bidirectional, is_control};
use crate::pki::oid;

/// `cn` in Active Directory has at most 64 characters.
const LONGEST_CN: usize = 64;
const LONGEST_TEXT: usize = 256;
/// Security descriptors and descriptors of provider properties are long.
const LONGEST_RA_POLICY: usize = 2_048;
const MOST_ENTRIES: usize = 64;

impl Template {
    /// From JSON text, as in `templates/*.json` and in the ledger.
    pub fn from_json(text: &str) -> Result<Self, Mistakes> {
        Self::from_file(&TemplateFile::parse(text)?)
    }

    /// As JSON text: the template's form in the ledger.
    pub fn to_json(&self) -> String {
        self.to_file().to_json()
    }

    /// From its file shape.
    pub fn from_file(file: &TemplateFile) -> Result<Self, Mistakes> {
        let mut mistakes = Collector::default();
        let template = read(file, &mut mistakes);
        if let Some(template) = &template {
            contradictions(template, &mut mistakes);
            for danger in Danger::of(template) {
                mistakes.note("template", Problem::Dangerous(danger));
            }
        }
        mistakes.finish(template)
    }

    /// As its file shape; reading that gives an equal template.
    pub fn to_file(&self) -> TemplateFile {
        TemplateFile {
            cn: self.cn.clone(),
            display_name: self.display_name.clone(),
            oid: self.oid.to_string(),
            origin: self.origin.as_str().to_owned(),
            schema_version: self.schema_version,
            major_revision: self.major_revision,
            minor_revision: self.minor_revision,
            general_flags: texts(self.general.names()),
            name_flags: texts(self.names.names()),
            enrollment_flags: texts(self.enrollment.names()),
            private_key_flags: texts(self.private_key.names()),
            compatibility: CompatibilityFile {
                authority: self.compatibility.authority().map(ToOwned::to_owned),
                recipient: self.compatibility.recipient().map(ToOwned::to_owned),
            },
            validity_period: self.validity.to_string(),
            renewal_period: self.renewal.to_string(),
            key_usage: texts(key_usage_names(self.key_usage)),
            key_spec: self.key_spec.as_str().to_owned(),
            key_algorithms: self.key_rules.iter().copied().map(key_file).collect(),
            csps: self.csps.clone(),
            extended_key_usage: texts(&self.extended_key_usage),
            application_policies: texts(&self.application_policies),
            critical_extensions: texts(&self.critical_extensions),
            maximum_issuing_depth: self.maximum_issuing_depth,
            supersedes: self.supersedes.clone(),
            ra_signatures: self.ra_signatures,
            ra_application_policies: self.ra_application_policies.clone(),
            ra_policies: texts(&self.ra_policies),
            requested_names: self.requested_names.as_ref().map(requested_names_file),
            enrollment_groups: self.enrollment_groups.clone(),
            autoenrollment_groups: self.autoenrollment_groups.clone(),
        }
    }
}

fn read(file: &TemplateFile, mistakes: &mut Collector) -> Option<Template> {
    // Each value is read before the first `?` below, so that no mistake hides another.
    let cn = mistakes.take("cn", template_cn(&file.cn));
    let display_name = mistakes.take("display_name", text(&file.display_name, LONGEST_TEXT));
    let oid = mistakes.take("oid", parsed(&file.oid, "a tail such as `1.31` or a whole OID"));
    let origin = word(&file.origin, Origin::from_word, "built-in, tutorial, custom");
    let origin = mistakes.take("origin", origin);
    let schema_version = within(file.schema_version, 1, 4, "1 to 4");
    let schema_version = mistakes.take("schema_version", schema_version);
    // The revisions are INTEGERs of 32 bits in the template information extension.
    let revision = |value| within(value, 0, 0x7fff_ffff, "0 to 2147483647");
    let major_revision = mistakes.take("major_revision", revision(file.major_revision));
    let minor_revision = mistakes.take("minor_revision", revision(file.minor_revision));
    let general = flags(&file.general_flags, GeneralFlags::from_name, GeneralFlags::with);
    let general = mistakes.take("general_flags", general);
    let names = flags(&file.name_flags, NameFlags::from_name, NameFlags::with);
    let names = mistakes.take("name_flags", names);
    let enrollment =
        flags(&file.enrollment_flags, EnrollmentFlags::from_name, EnrollmentFlags::with);
    let enrollment = mistakes.take("enrollment_flags", enrollment);
    let private = flags(&file.private_key_flags, PrivateKeyFlags::from_name, PrivateKeyFlags::with);
    let private_key = mistakes.take("private_key_flags", private);
    let compatibility = mistakes.take("compatibility", compatibility(&file.compatibility));
    let span = "a period such as `1 year`, `6 weeks`, `2 days` or `8 hours`";
    let validity = mistakes.take("validity_period", parsed(&file.validity_period, span));
    let renewal = mistakes.take("renewal_period", parsed(&file.renewal_period, span));
    let usages = key_usage(&file.key_usage);
    let key_usage = mistakes.take("key_usage", usages);
    let key_spec = word(&file.key_spec, KeySpec::from_word, "exchange, signature");
    let key_spec = mistakes.take("key_spec", key_spec);
    let key_rules = mistakes.take("key_algorithms", key_rules(&file.key_algorithms));
    let csps = mistakes.take("csps", list(&file.csps, |csp| text(csp, LONGEST_TEXT)));
    let purpose = "an OID, a known name, or `name (OID)` that agree";
    let purposes = |texts: &[String]| {
        list(texts, |line| text(line, LONGEST_TEXT).and_then(|line| parsed(&line, purpose)))
    };
    let eku = mistakes.take("extended_key_usage", purposes(&file.extended_key_usage));
    let policies = mistakes.take("application_policies", purposes(&file.application_policies));
    let critical = list(&file.critical_extensions, |oid| critical_extension(oid));
    let critical_extensions = mistakes.take("critical_extensions", critical);
    let depth = match file.maximum_issuing_depth {
        depth @ -1..=16 => Ok(depth),
        depth => Err(Problem::OutOfRange(depth.into(), "-1 to 16")),
    };
    let maximum_issuing_depth = mistakes.take("maximum_issuing_depth", depth);
    let supersedes = mistakes.take("supersedes", list(&file.supersedes, |cn| template_cn(cn)));
    let signatures = within(file.ra_signatures, 0, 100, "0 to 100");
    let ra_signatures = mistakes.take("ra_signatures", signatures);
    let ra_application =
        list(&file.ra_application_policies, |policy| text(policy, LONGEST_RA_POLICY));
    let ra_application_policies = mistakes.take("ra_application_policies", ra_application);
    let ra_policies =
        mistakes.take("ra_policies", list(&file.ra_policies, |oid| parsed(oid, "an OID")));
    let requested = file.requested_names.as_ref().map(requested_names).transpose();
    let requested_names = mistakes.take("requested_names", requested);
    let groups = |names: &[String]| list(names, |group| text(group, LONGEST_TEXT));
    let enrollment_groups = mistakes.take("enrollment_groups", groups(&file.enrollment_groups));
    let autoenrollment = groups(&file.autoenrollment_groups);
    let autoenrollment_groups = mistakes.take("autoenrollment_groups", autoenrollment);
    Some(Template {
        cn: cn?,
        display_name: display_name?,
        oid: oid?,
        origin: origin?,
        schema_version: schema_version?,
        major_revision: major_revision?,
        minor_revision: minor_revision?,
        general: general?,
        names: names?,
        enrollment: enrollment?,
        private_key: private_key?,
        compatibility: compatibility?,
        validity: validity?,
        renewal: renewal?,
        key_usage: key_usage?,
        key_spec: key_spec?,
        key_rules: key_rules?,
        csps: csps?,
        extended_key_usage: eku?,
        application_policies: policies?,
        critical_extensions: critical_extensions?,
        maximum_issuing_depth: maximum_issuing_depth?,
        supersedes: supersedes?,
        ra_signatures: ra_signatures?,
        ra_application_policies: ra_application_policies?,
        ra_policies: ra_policies?,
        requested_names: requested_names?,
        enrollment_groups: enrollment_groups?,
        autoenrollment_groups: autoenrollment_groups?,
    })
}

/// What no single key shows.
fn contradictions(template: &Template, mistakes: &mut Collector) {
    let general = template.general;
    let built_in = template.origin == Origin::BuiltIn;
    let authority_usage = KeyUsage::KEY_CERTIFICATE_SIGN.union(KeyUsage::CRL_SIGN);
    let signs_certificates = template.key_usage.without(authority_usage) != template.key_usage;
    let own_names = template.names.without(NameFlags::from_request());
    let subset = |group: &String| template.enrollment_groups.contains(group);
    let checks = [
        (
            "origin",
            built_in != general.contains(GeneralFlags::IS_DEFAULT),
            "the flag IS_DEFAULT belongs to built-in templates and only to them",
        ),
        (
            "schema_version",
            template.schema_version == 1 && !built_in,
            "only built-in templates have schema version 1",
        ),
        (
            "application_policies",
            template.schema_version == 1 && !template.application_policies.is_empty(),
            "a template of schema version 1 has none",
        ),
        (
            "general_flags",
            general.intersects(GeneralFlags::IS_CROSS_CA.with(GeneralFlags::DONOTPERSISTINDB)),
            "IS_CROSS_CA and DONOTPERSISTINDB are not done here",
        ),
        (
            "key_usage",
            template.is_authority() != template.key_usage.contains(KeyUsage::KEY_CERTIFICATE_SIGN)
                || !template.is_authority() && signs_certificates,
            "keyCertSign and cRLSign belong to IS_CA, and IS_CA needs keyCertSign",
        ),
        ("key_usage", template.key_usage.is_empty(), "must not be empty"),
        (
            "maximum_issuing_depth",
            !template.is_authority() && template.maximum_issuing_depth != 0,
            "only a CA issues: 0 without IS_CA",
        ),
        (
            "enrollment_flags",
            template.enrollment.contains(EnrollmentFlags::ISSUANCE_POLICIES_FROM_REQUEST),
            "ISSUANCE_POLICIES_FROM_REQUEST: no policy is ever taken from a request",
        ),
        (
            "private_key_flags",
            template.private_key.contains(PrivateKeyFlags::REQUIRE_PRIVATE_KEY_ARCHIVAL),
            "REQUIRE_PRIVATE_KEY_ARCHIVAL: no private key is ever taken here",
        ),
        (
            "private_key_flags",
            template.private_key.contains(PrivateKeyFlags::ATTEST_REQUIRED),
            "ATTEST_REQUIRED: attestations are not verified here",
        ),
        (
            "name_flags",
            template.names.contains(NameFlags::SUBJECT_ALT_REQUIRE_SPN)
                && !template.subject_comes_from_request(),
            "SUBJECT_ALT_REQUIRE_SPN: accounts have no servicePrincipalName here",
        ),
        (
            "name_flags",
            own_names == NameFlags::default() && !template.subject_comes_from_request(),
            "neither from the request nor from the directory: the certificate would have no name",
        ),
        (
            "requested_names",
            template.requested_names.is_some() && !template.subject_comes_from_request(),
            "rules for names from the request need ENROLLEE_SUPPLIES_SUBJECT",
        ),
        (
            "renewal_period",
            template.renewal.seconds() >= template.validity.seconds(),
            "not shorter than the validity period",
        ),
        (
            "supersedes",
            template.supersedes.iter().any(|cn| cn.eq_ignore_ascii_case(&template.cn)),
            "a template cannot supersede itself",
        ),
        (
            "autoenrollment_groups",
            !template.autoenrollment_groups.iter().all(subset),
            "each must be among enrollment_groups",
        ),
    ];
    for (key, wrong, why) in checks {
        if wrong {
            mistakes.note(key, Problem::Inconsistent(why));
        }
    }
}

/// A name of a template: it stands in paths, file names and BMPStrings.
fn template_cn(cn: &str) -> Result<String, Problem> {
    let inner = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
    let plain =
        cn.starts_with(|first: char| first.is_ascii_alphanumeric()) && cn.bytes().all(inner);
    match text(cn, LONGEST_CN)? {
        cn if plain => Ok(cn),
        cn => Err(Problem::NotA(cn, "a name of ASCII letters, digits, `-`, `_` and `.`")),
    }
}

/// A text to show: not empty, not long, nothing invisible in it.
fn text(text: &str, longest: usize) -> Result<String, Problem> {
    // What changes the reading direction (Unicode UAX #9), or cannot be seen at all.
    let hidden = |letter: char| {
        is_control(letter)
            || is_bidirectional(letter)
            || matches!(letter, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
    };
    if text.chars().count() > longest {
        return Err(Problem::TooLong(longest));
    }
    if text.trim().is_empty() {
        return Err(Problem::Empty);
    }
    if text.contains(hidden) || text.trim() != text {
        let shown = text.escape_debug().to_string();
        return Err(Problem::NotA(shown, "a text without control characters and outer spaces"));
    }
    Ok(text.to_owned())
}

fn parsed<T: std::str::FromStr>(text: &str, what: &'static str) -> Result<T, Problem> {
    text.parse().map_err(|_| Problem::NotA(shortened(text), what))
}

fn word<T>(
    word: &str,
    read: impl Fn(&str) -> Option<T>,
    known: &'static str,
) -> Result<T, Problem> {
    read(word).ok_or_else(|| Problem::UnknownWord(shortened(word), known))
}

/// A hostile value is not repeated in full.
fn shortened(text: &str) -> String {
    text.chars().take(64).flat_map(char::escape_debug).collect()
}

fn within(value: u32, low: u32, high: u32, range: &'static str) -> Result<u32, Problem> {
    let fits = (low..=high).contains(&value);
    if fits { Ok(value) } else { Err(Problem::OutOfRange(value.into(), range)) }
}

fn flags<T: Copy + Default>(
    names: &[String],
    read: impl Fn(&str) -> Option<T>,
    with: impl Fn(T, T) -> T,
) -> Result<T, Problem> {
    let read = |name: &String| word(name, &read, "the names in [MS-CRTD]");
    let flags = list(names, |name| read(name).map(|_| name.clone()))?;
    flags.iter().try_fold(T::default(), |sum, name| read(name).map(|flag| with(sum, flag)))
}

/// A list within limits, without the same entry twice.
fn list<T>(
    texts: &[String],
    read: impl Fn(&String) -> Result<T, Problem>,
) -> Result<Vec<T>, Problem> {
    if texts.len() > MOST_ENTRIES {
        return Err(Problem::TooMany(MOST_ENTRIES));
    }
    let again = texts.iter().enumerate().find(|(index, text)| {
        texts.iter().take(*index).any(|earlier| earlier.eq_ignore_ascii_case(text))
    });
    match again {
        Some((_, text)) => Err(Problem::Twice(shortened(text))),
        None => texts.iter().map(read).collect(),
    }
}

fn key_usage(names: &[String]) -> Result<KeyUsage, Problem> {
    let known = "the names in RFC 5280 §4.2.1.3";
    let usages = list(names, |name| word(name, key_usage_from_name, known))?;
    Ok(usages.into_iter().fold(KeyUsage::from_bits(0), KeyUsage::union))
}

fn compatibility(file: &CompatibilityFile) -> Result<Compatibility, Problem> {
    let (authority, recipient) = (file.authority.as_deref(), file.recipient.as_deref());
    let shown = || format!("{} / {}", authority.unwrap_or("none"), recipient.unwrap_or("none"));
    Compatibility::from_words(authority, recipient).ok_or_else(|| {
        let known = "`Windows Server 2003` to `2016`, `Windows XP` to `Windows 10`";
        Problem::UnknownWord(shortened(&shown()), known)
    })
}

fn key_rules(files: &[KeyAlgorithmFile]) -> Result<Vec<KeyRule>, Problem> {
    let names: Vec<String> = files.iter().map(|file| file.algorithm.clone()).collect();
    list(&names, |name| Ok(name.clone()))?;
    if files.is_empty() {
        return Err(Problem::Empty);
    }
    files.iter().map(key_rule).collect()
}

fn key_rule(file: &KeyAlgorithmFile) -> Result<KeyRule, Problem> {
    match (file.algorithm.as_str(), file.minimum_bits) {
        ("RSA", Some(bits)) => within(bits, 2048, 8192, "2048 to 8192 bits")
            .map(|minimum_bits| KeyRule::Rsa { minimum_bits }),
        ("RSA", None) => Err(Problem::Inconsistent("RSA needs minimum_bits")),
        ("ECDSA_P256", None) => Ok(KeyRule::P256),
        ("ECDSA_P384", None) => Ok(KeyRule::P384),
        ("ECDSA_P256" | "ECDSA_P384", Some(_)) => {
            Err(Problem::Inconsistent("minimum_bits belongs to RSA"))
        }
        (other, _) => Err(Problem::UnknownWord(shortened(other), "RSA, ECDSA_P256, ECDSA_P384")),
    }
}

fn key_file(rule: KeyRule) -> KeyAlgorithmFile {
    let minimum_bits = match rule {
        KeyRule::Rsa { minimum_bits } => Some(minimum_bits),
        KeyRule::P256 | KeyRule::P384 => None,
    };
    KeyAlgorithmFile { algorithm: rule.algorithm().to_owned(), minimum_bits }
}

/// The extensions whose criticality a template decides ([MS-CRTD] pKICriticalExtensions).
fn critical_extension(dotted: &str) -> Result<ObjectIdentifier, Problem> {
    let known = ["2.5.29.15", "2.5.29.17", "2.5.29.19"];
    match known.contains(&dotted) {
        true => parsed(dotted, "an OID"),
        false => Err(Problem::UnknownWord(
            shortened(dotted),
            "2.5.29.15 (key usage), 2.5.29.17 (alternative name), 2.5.29.19 (basic constraints)",
        )),
    }
}

fn requested_names(file: &RequestedNamesFile) -> Result<RequestedNames, Problem> {
    let rules = NameRules {
        dns_suffixes: list(&file.dns_suffixes, |suffix| parsed(suffix, "a DNS suffix"))?,
        dns_names: list(&file.dns_names, |name| parsed(name, "a DNS name"))?,
        addresses: list(&file.addresses, |range| parsed(range, "an address or a network"))?,
        wildcards: if file.wildcards { Wildcards::Allowed } else { Wildcards::Refused },
        subject_attributes: list(&file.subject_attributes, |line| subject_attribute(line))?,
    };
    match (file.any, rules.is_empty()) {
        (true, true) if *file == (RequestedNamesFile { any: true, ..Default::default() }) => {
            Ok(RequestedNames::Any)
        }
        (true, _) => Err(Problem::Inconsistent("`any` stands alone")),
        (false, true) => {
            Err(Problem::Inconsistent("needs dns_suffixes, dns_names or addresses; or null"))
        }
        (false, false) => Ok(RequestedNames::Within(rules)),
    }
}

/// `O=Contoso`: one attribute as RFC 4514 writes it, of a type that names no account.
fn subject_attribute(line: &str) -> Result<DistinguishedName, Problem> {
    let kinds = [
        oid::COUNTRY,
        oid::STATE,
        oid::LOCALITY,
        oid::STREET,
        oid::ORGANIZATION,
        oid::ORGANIZATIONAL_UNIT,
    ];
    let wrong = || {
        Problem::NotA(
            shortened(line),
            "one of `C`, `ST`, `L`, `STREET`, `O`, `OU`, with `=` and its value",
        )
    };
    let name = DistinguishedName::from_rfc4514(&text(line, LONGEST_TEXT)?).map_err(|_| wrong())?;
    match name.attributes().as_slice() {
        [(kind, _)] if kinds.contains(kind) => Ok(name),
        _ => Err(wrong()),
    }
}

fn requested_names_file(names: &RequestedNames) -> RequestedNamesFile {
    match names {
        RequestedNames::Any => RequestedNamesFile { any: true, ..Default::default() },
        RequestedNames::Within(rules) => RequestedNamesFile {
            any: false,
            dns_suffixes: rules.dns_suffixes.iter().map(|own| own.as_str().to_owned()).collect(),
            dns_names: rules.dns_names.iter().map(|own| own.as_str().to_owned()).collect(),
            addresses: texts(&rules.addresses),
            wildcards: rules.wildcards == Wildcards::Allowed,
            subject_attributes: texts(&rules.subject_attributes),
        },
    }
}

fn texts<T: ToString>(values: impl IntoIterator<Item = T>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}
