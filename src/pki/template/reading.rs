//! From file to [`Template`] and back. Every value is read, every contradiction between values
//! is looked for, and all mistakes are told at once.

use super::consistency::contradictions;
use super::danger;
use super::file::{CompatibilityFile, KeyAlgorithmFile, RequestedNamesFile, TemplateFile};
use super::key_rules::key_usage_names;
use super::mistake::{Collector, Mistakes, Problem};
use super::requested_names::{CommonName, OwnNames, Wildcards};
use super::signature_rules::purposes as purposes_of_signers;
use super::value::{
    LONGEST_RA_POLICY, LONGEST_TEXT, compatibility, critical_extension, flags, key_rules,
    key_usage, list, parsed, requested_names, template_cn, text, within, word,
};
use super::{
    EnrollmentFlags, GeneralFlags, KeyRule, KeySpec, NameFlags, ObjectSid, OcspUrl, Origin,
    Permissions, PrivateKeyFlags, RequestedNames, SecurityIdentifier, Template,
};

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
            danger::contradictions(template, &mut mistakes);
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
            issuance_policies: texts(&self.issuance_policies),
            critical_extensions: texts(&self.critical_extensions),
            maximum_issuing_depth: self.maximum_issuing_depth,
            supersedes: self.supersedes.clone(),
            ra_signatures: self.ra_signatures,
            ra_application_policies: self.ra_application_policies.clone(),
            ra_policies: texts(&self.ra_policies),
            requested_names: self.requested_names.as_ref().map(requested_names_file),
            security_identifier: self.security_identifier.as_str().to_owned(),
            object_sid: self.object_sid.as_str().to_owned(),
            ocsp_url: self.ocsp_url.as_str().to_owned(),
            accepted_dangers: danger::written(&self.accepted_dangers),
            warnings: Vec::new(),
            permissions: self.permissions.to_files(),
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
    let issuance = list(&file.issuance_policies, |oid| parsed(oid, "an OID"));
    let issuance_policies = mistakes.take("issuance_policies", issuance);
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
    let ra_purposes = purposes_of_signers(&file.ra_application_policies);
    let ra_purposes = mistakes.take("ra_application_policies", ra_purposes);
    let ra_policies =
        mistakes.take("ra_policies", list(&file.ra_policies, |oid| parsed(oid, "an OID")));
    let requested = file.requested_names.as_ref().map(requested_names).transpose();
    let requested_names = mistakes.take("requested_names", requested);
    let form = word(
        &file.security_identifier,
        SecurityIdentifier::from_word,
        "extension, uri, both, none",
    );
    let security_identifier = mistakes.take("security_identifier", form);
    let object_sid = word(&file.object_sid, ObjectSid::from_word, "required, optional");
    let object_sid = mistakes.take("object_sid", object_sid);
    let ocsp_url = word(&file.ocsp_url, OcspUrl::from_word, "included, omitted");
    let ocsp_url = mistakes.take("ocsp_url", ocsp_url);
    let accepted = danger::read(&file.accepted_dangers);
    let accepted_dangers = mistakes.take("accepted_dangers", accepted);
    let permissions = mistakes.take("permissions", Permissions::read(&file.permissions));
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
        issuance_policies: issuance_policies?,
        critical_extensions: critical_extensions?,
        maximum_issuing_depth: maximum_issuing_depth?,
        supersedes: supersedes?,
        ra_signatures: ra_signatures?,
        ra_application_policies: ra_application_policies?,
        ra_purposes: ra_purposes?,
        ra_policies: ra_policies?,
        requested_names: requested_names?,
        security_identifier: security_identifier?,
        object_sid: object_sid?,
        ocsp_url: ocsp_url?,
        accepted_dangers: accepted_dangers?,
        permissions: permissions?,
    })
}

fn key_file(rule: KeyRule) -> KeyAlgorithmFile {
    let minimum_bits = match rule {
        KeyRule::Rsa { minimum_bits } => Some(minimum_bits),
        KeyRule::P256 | KeyRule::P384 => None,
    };
    KeyAlgorithmFile { algorithm: rule.algorithm().to_owned(), minimum_bits }
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
            upn_suffixes: texts(&rules.upn_suffixes),
            email_domains: texts(&rules.email_domains),
            uris: texts(&rules.uris),
            own_names: rules.own_names == OwnNames::Allowed,
            common_name_in_alternative_names: rules.common_name == CommonName::InAlternativeNames,
            subject_attributes: texts(&rules.subject_attributes),
            maximum_count: rules.maximum_count,
            maximum_length: rules.maximum_length,
        },
    }
}

fn texts<T: ToString>(values: impl IntoIterator<Item = T>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}
