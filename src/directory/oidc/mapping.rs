//! Which claim is which attribute: a pure function from claims to an account, or to the name of
//! an account of another directory. Nothing is guessed: an attribute without a claim is absent,
//! and the policy module refuses where a name needs it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::directory::Described;
use crate::pki::account::{Account, AccountKind};

/// How tokens become accounts. A claim is named by its path: `email`, `realm_access.roles`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// What stands before the backslash in the account's name.
    pub realm: String,
    /// The claim that names the account.
    pub name: String,
    /// Where the account's attributes come from.
    pub source: Source,
}

/// Where an account's attributes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// From the token.
    Token(Box<Attributes>),
    /// From another directory: the token only names the account there. The realm of that
    /// directory; none for the built-in one.
    Directory(Option<String>),
}

/// The claim for each attribute; without one the attribute is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// What all accounts of this provider are.
    pub kind: AccountKind,
    /// cn.
    pub cn: Option<String>,
    /// displayName.
    pub display_name: Option<String>,
    /// distinguishedName.
    pub distinguished_name: Option<String>,
    /// userPrincipalName.
    pub user_principal_name: Option<String>,
    /// mail; one that the provider says is not verified is absent.
    pub mail: Option<String>,
    /// dNSHostName.
    pub dns_host_name: Option<String>,
    /// objectSid: Entra ID's `onprem_sid`.
    pub object_sid: Option<String>,
    /// objectGUID: Entra ID's `oid`.
    pub object_guid: Option<String>,
    /// Groups: one name or a list.
    pub groups: Option<String>,
    /// The names of groups by what the provider calls them; with it, others are passed over.
    pub group_names: Option<BTreeMap<String, String>>,
    /// Whether groups are named with the realm before them.
    pub group_form: GroupForm,
}

/// How groups are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupForm {
    /// `VPN Users`.
    Plain,
    /// `REALM\VPN Users`.
    Qualified,
}

/// Why claims describe no account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingFault {
    /// The claim that names the account is not there.
    #[error("the claim {0} is missing")]
    Missing(String),
    /// A claim is not of the shape its attribute has.
    #[error("the claim {0} is not {1}")]
    Malformed(String, &'static str),
    /// The provider left the groups out because they are too many (Entra ID's overage claim).
    #[error("the token says that its groups are to be asked for elsewhere")]
    GroupsElsewhere,
}

/// The longest attribute that is taken, in characters.
const LONGEST_ATTRIBUTE: usize = 1024;
/// As many groups as are taken; Entra ID names 200 at most.
const MOST_GROUPS: usize = 1000;

impl Mapping {
    /// Whom the claims of a verified token describe.
    pub fn describe(&self, claims: &Map<String, Value>) -> Result<Described, MappingFault> {
        let name = believed(claims, &self.name)?;
        let name = name.ok_or_else(|| MappingFault::Missing(self.name.clone()))?;
        if name.contains('\\') || name.chars().count() > 256 {
            return Err(MappingFault::Malformed(self.name.clone(), "the name of an account"));
        }
        Ok(match &self.source {
            Source::Directory(None) => Described::Named(name),
            Source::Directory(Some(realm)) => Described::Named(format!("{realm}\\{name}")),
            Source::Token(attributes) => {
                let name = format!("{}\\{name}", self.realm);
                Described::Account(Box::new(attributes.account(name, &self.realm, claims)?))
            }
        })
    }
}

impl Attributes {
    fn account(
        &self,
        name: String,
        realm: &str,
        claims: &Map<String, Value>,
    ) -> Result<Account, MappingFault> {
        let attribute = |path: &Option<String>| match path {
            Some(path) => believed(claims, path),
            None => Ok(None),
        };
        let unverified = is_unverified(claims);
        Ok(Account {
            name,
            kind: self.kind,
            cn: attribute(&self.cn)?,
            display_name: attribute(&self.display_name)?,
            distinguished_name: attribute(&self.distinguished_name)?,
            user_principal_name: attribute(&self.user_principal_name)?,
            mail: attribute(&self.mail)?.filter(|_| !unverified),
            dns_host_name: attribute(&self.dns_host_name)?,
            object_sid: attribute(&self.object_sid)?,
            object_guid: attribute(&self.object_guid)?,
            service_principal_names: Vec::new(),
            groups: self.groups(realm, claims)?,
            enabled: true,
        })
    }

    fn groups(
        &self,
        realm: &str,
        claims: &Map<String, Value>,
    ) -> Result<Vec<String>, MappingFault> {
        let Some(path) = &self.groups else { return Ok(Vec::new()) };
        let elsewhere = claims.get("_claim_names").is_some_and(|names| names.get(path).is_some())
            || claims.get("hasgroups").is_some_and(|value| *value != Value::Bool(false));
        if elsewhere {
            // Without them a group's denial would not be seen.
            return Err(MappingFault::GroupsElsewhere);
        }
        let malformed = || MappingFault::Malformed(path.clone(), "a list of names");
        let sent: Vec<&Value> = match find(claims, path) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(list)) if list.len() <= MOST_GROUPS => list.iter().collect(),
            Some(one @ Value::String(_)) => vec![one],
            Some(_) => return Err(malformed()),
        };
        let mut groups = Vec::new();
        for value in sent {
            let group = value.as_str().filter(|group| is_plain(group)).ok_or_else(malformed)?;
            let group = match &self.group_names {
                Some(names) => names.get(group).map(String::as_str),
                None => Some(group),
            };
            groups.extend(group.map(|group| match self.group_form {
                GroupForm::Plain => group.to_owned(),
                GroupForm::Qualified => format!("{realm}\\{group}"),
            }));
        }
        Ok(groups)
    }
}

/// The text at `path`, whatever it is to name: an address that the provider has not verified may be
/// anybody's (OpenID Connect Core 1.0 §5.1, §5.7), and is none.
fn believed(claims: &Map<String, Value>, path: &str) -> Result<Option<String>, MappingFault> {
    if path == "email" && is_unverified(claims) { Ok(None) } else { text(claims, path) }
}

/// Whether the provider says that it has not verified the address, or says what is not understood.
/// Some write the word as a text.
fn is_unverified(claims: &Map<String, Value>) -> bool {
    match claims.get("email_verified") {
        None | Some(Value::Null | Value::Bool(true)) => false,
        Some(Value::String(word)) => word != "true",
        Some(_) => true,
    }
}

/// The text at `path`; null and the empty text are none.
fn text(claims: &Map<String, Value>, path: &str) -> Result<Option<String>, MappingFault> {
    match find(claims, path) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if is_plain(text) => Ok(Some(text.clone())),
        Some(_) => Err(MappingFault::Malformed(path.to_owned(), "a plain text")),
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.chars().count() <= LONGEST_ATTRIBUTE
        && !text.chars().any(char::is_control)
        && text.trim() == text
}

/// The claim at `path`: by its whole name, for names may hold dots (`https://contoso.com/groups`),
/// else a member of the claim that is named before a dot.
fn find<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    path.match_indices('.').find_map(|(dot, _)| {
        let inner = claims.get(&path[..dot])?.as_object()?;
        find(inner, &path[dot + 1..])
    })
}
