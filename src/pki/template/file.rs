//! A template as JSON: the shape of `templates/*.json`, of the HTTP bodies and of the ledger.
//! What each key means is in `templates/README.md`; what may stand in it is `reading.rs`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::editing::FIRST_REVISION;
use super::mistake::{Collector, Mistakes, Problem};
use super::{ObjectSid, OcspUrl, Origin, SecurityIdentifier};

/// The largest template file, in bytes.
pub const LARGEST_FILE: usize = 64 * 1024;

macro_rules! template_file {
    ($($(#[doc = $doc:literal])* $key:ident: $shape:ty $(= $default:expr)? $(; $without:expr)?,)*) => {
        /// A template as it stands in a file. Not yet looked at: see `Template::from_file`.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct TemplateFile {
            $($(#[doc = $doc])* $(#[serde(default = $default)])? $(#[serde(skip_serializing_if = $without)])? pub $key: $shape,)*
        }

        /// Reads key by key, so that every mistake is found and not only the first.
        fn read_keys(mut keys: Map<String, Value>, mistakes: &mut Collector) {
            $(
                let optional = [$($default,)? ""][0];
                match keys.remove(stringify!($key)) {
                    Some(value) => {
                        let read = serde_json::from_value::<$shape>(value);
                        mistakes.take(
                            stringify!($key),
                            read.map_err(|error| Problem::Shape(error.to_string())),
                        );
                    }
                    None if optional.is_empty() => {
                        mistakes.note(stringify!($key), Problem::Missing);
                    }
                    None => (),
                }
            )*
            for key in keys.keys() {
                mistakes.note(key, Problem::UnknownKey);
            }
        }
    };
}

template_file! {
    /// `cn`.
    cn: String,
    /// `displayName`.
    display_name: String,
    /// `msPKI-Cert-Template-OID`: the tail (`1.31`) or a whole OID. Who creates a template over
    /// the API may leave it out and gets a random tail.
    oid: String = "String::new",
    /// `built-in`, `tutorial` or `custom`.
    origin: String = "custom",
    /// `msPKI-Template-Schema-Version`.
    schema_version: u32,
    /// `revision`.
    major_revision: u32 = "first_revision",
    /// `msPKI-Template-Minor-Revision`.
    minor_revision: u32 = "none",
    /// `flags`.
    general_flags: Vec<String>,
    /// `msPKI-Certificate-Name-Flag`.
    name_flags: Vec<String>,
    /// `msPKI-Enrollment-Flag`.
    enrollment_flags: Vec<String>,
    /// `msPKI-Private-Key-Flag` without the version nibbles.
    private_key_flags: Vec<String>,
    /// The version nibbles.
    compatibility: CompatibilityFile = "CompatibilityFile::default",
    /// `pKIExpirationPeriod`.
    validity_period: String,
    /// `pKIOverlapPeriod`.
    renewal_period: String,
    /// `pKIKeyUsage`.
    key_usage: Vec<String>,
    /// `pKIDefaultKeySpec`: `exchange` or `signature`.
    key_spec: String,
    /// `msPKI-Minimal-Key-Size` for RSA, and which curves.
    key_algorithms: Vec<KeyAlgorithmFile>,
    /// `pKIDefaultCSPs`, best first.
    csps: Vec<String> = "Vec::new",
    /// `pKIExtendedKeyUsage`.
    extended_key_usage: Vec<String>,
    /// `msPKI-Certificate-Application-Policy`.
    application_policies: Vec<String>,
    /// `msPKI-Certificate-Policy`: OIDs of issuance policies.
    issuance_policies: Vec<String> = "Vec::new",
    /// `pKICriticalExtensions`.
    critical_extensions: Vec<String>,
    /// `pKIMaxIssuingDepth`: 0, or -1 for no limit.
    maximum_issuing_depth: i32 = "no_depth",
    /// `msPKI-Supersede-Templates`.
    supersedes: Vec<String> = "Vec::new",
    /// `msPKI-RA-Signature`.
    ra_signatures: u32 = "none",
    /// `msPKI-RA-Application-Policies`.
    ra_application_policies: Vec<String> = "Vec::new",
    /// `msPKI-RA-Policies`.
    ra_policies: Vec<String> = "Vec::new",
    /// How the account's SID stands in the certificate: `extension`, `uri`, `both` or `none`.
    security_identifier: String = "extension",
    /// Whether an account without SID is refused: `required` or `optional`.
    object_sid: String = "optional",
    /// Whether the OCSP responder's URL stands in certificates: `included` or `omitted`.
    ocsp_url: String = "included"; "is_included",
    /// Dangers that an administrator has accepted.
    accepted_dangers: Vec<AcceptedDangerFile> = "Vec::new"; "Vec::is_empty",
    /// What is told of the template; taken back unread, so that what was read can be sent again.
    warnings: Vec<String> = "Vec::new"; "Vec::is_empty",
    /// Rules for names from the request.
    requested_names: Option<RequestedNamesFile> = "Option::default",
    /// `nTSecurityDescriptor`: who may do what with it.
    permissions: Vec<PermissionFile>,
}

fn custom() -> String {
    Origin::Custom.as_str().to_owned()
}

fn extension() -> String {
    SecurityIdentifier::default().as_str().to_owned()
}

fn optional() -> String {
    ObjectSid::default().as_str().to_owned()
}

fn included() -> String {
    OcspUrl::default().as_str().to_owned()
}

fn is_included(word: &str) -> bool {
    word == OcspUrl::Included.as_str()
}

fn first_revision() -> u32 {
    FIRST_REVISION
}

fn no_depth() -> i32 {
    0
}

fn none() -> u32 {
    0
}

/// The oldest CA and the oldest Windows that a template is meant for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CompatibilityFile {
    /// `Windows Server 2003` … `Windows Server 2016`.
    pub authority: Option<String>,
    /// `Windows XP` … `Windows 10`.
    pub recipient: Option<String>,
}

/// A danger that an administrator has accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptedDangerFile {
    /// `ESC3`, `ESC9` or `ESC17`.
    pub danger: String,
    /// Why, for whoever reads the record.
    pub reason: String,
}

/// A key algorithm that may be certified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyAlgorithmFile {
    /// `RSA`, `ECDSA_P256` or `ECDSA_P384`.
    pub algorithm: String,
    /// For RSA: the smallest modulus in bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_bits: Option<u32>,
}

/// Rules for names from the request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RequestedNamesFile {
    /// Any name at all; then nothing else may stand here.
    pub any: bool,
    /// `contoso.com`: the name itself and every name below it.
    pub dns_suffixes: Vec<String>,
    /// Exactly these names.
    pub dns_names: Vec<String>,
    /// Addresses and networks: `132.64.86.2`, `10.0.0.0/8`.
    pub addresses: Vec<String>,
    /// Whether `*.` may stand before a name within the suffixes.
    pub wildcards: bool,
    /// `contoso.com`, or `.contoso.com` for those below: what stands behind the `@` of a UPN.
    pub upn_suffixes: Vec<String>,
    /// The same for mail addresses.
    pub email_domains: Vec<String>,
    /// `https://vpn.contoso.com/users/`, `urn:contoso:`: where URIs may lie.
    pub uris: Vec<String>,
    /// Whether the account's own host names, UPN and mail address may be asked for.
    pub own_names: bool,
    /// Whether each CN must stand among the alternative names too.
    pub common_name_in_alternative_names: bool,
    /// Subject attributes beside CN, such as `O=Contoso`; `O=*` is any O.
    pub subject_attributes: Vec<String>,
    /// How many names there may be in all.
    pub maximum_count: Option<u32>,
    /// How many characters each may have.
    pub maximum_length: Option<u32>,
}

/// What a group or an account is allowed and denied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PermissionFile {
    /// The group, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The account, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// `Read`, `Write`, `Enroll`, `Autoenroll`, `Revoke`, `FullControl`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// As `allow`; a denial wins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
}

impl TemplateFile {
    /// Reads the JSON shape; every key that is missing, unknown or of another shape is named.
    pub fn parse(text: &str) -> Result<Self, Mistakes> {
        if text.len() > LARGEST_FILE {
            return Err(Mistakes::one("template", Problem::TooLarge(LARGEST_FILE)));
        }
        Self::read(text)
    }

    /// The same however long it is.
    pub(super) fn read(text: &str) -> Result<Self, Mistakes> {
        let first = match serde_json::from_str::<Self>(text) {
            Ok(file) => return Ok(file),
            Err(first) => first,
        };
        let mut mistakes = Collector::default();
        if let Ok(keys) = serde_json::from_str::<Map<String, Value>>(text) {
            read_keys(keys, &mut mistakes);
        }
        if mistakes.is_empty() {
            // Not an object, no JSON at all, or a key twice.
            let detail = first.to_string();
            let (line, column) = (first.line(), first.column());
            mistakes.note("template", Problem::Json { line, column, detail });
        }
        mistakes.finish(None)
    }

    /// As JSON text, one key a line.
    pub fn to_json(&self) -> String {
        // A structure of strings, numbers and lists always has a JSON form.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}
