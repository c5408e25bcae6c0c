//! `kind = "oidc"`: an OpenID Connect provider.

use std::path::PathBuf;
use std::time::Duration;

use super::super::section::Section;
use crate::directory::oidc::keys::Pace;
use crate::directory::oidc::mapping::{Attributes, Mapping, Source};
use crate::directory::oidc::{ALGORITHMS, Settings};
use crate::pki::account::AccountKind;

/// An OpenID Connect provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcSection {
    /// What tokens must be and how they become accounts.
    pub settings: Settings,
    /// How often keys are fetched.
    pub pace: Pace,
    /// PEM file of the roots that the provider's TLS certificate leads to; the system's if none.
    pub root_file: Option<PathBuf>,
}

impl Section<'_> {
    pub(super) fn oidc(&mut self) -> Option<OidcSection> {
        let before = self.mistakes.len();
        let realm = self.realm();
        let issuer = self.needed("issuer", "the tokens' iss, an https:// URL");
        let audiences = self.texts("audience");
        let settings = Settings {
            clients: self.texts("client").unwrap_or_default(),
            algorithms: self.algorithms(),
            clock_skew_seconds: self.seconds("clock_skew", 60),
            mapping: Mapping {
                realm,
                name: self.text("name_claim").unwrap_or_else(|| "preferred_username".to_owned()),
                source: self.source(),
            },
            issuer: issuer.unwrap_or_default(),
            audiences: audiences.unwrap_or_default(),
        };
        let pace = Pace {
            least_seconds: self.seconds("refetch", 30),
            life_seconds: self.seconds("keys_life", 3600),
            patience: Duration::from_secs(self.seconds("timeout", 5)),
        };
        let root_file = self.text("root_file").map(PathBuf::from);
        self.check(&settings);
        self.unknown_keys();
        (self.mistakes.len() == before).then_some(OidcSection { settings, pace, root_file })
    }

    fn source(&mut self) -> Source {
        match self.text("account_from").as_deref() {
            None | Some("token") => Source::Token(Box::new(self.attributes())),
            Some("builtin") => Source::Directory(None),
            Some(realm) => Source::Directory(Some(realm.to_owned())),
        }
    }

    fn attributes(&mut self) -> Attributes {
        let kind = match self.text("account_kind") {
            None => AccountKind::User,
            Some(word) => AccountKind::from_word(&word).unwrap_or_else(|| {
                let why = format!("{word:?} is not user, computer or service");
                self.wrong(self.span("account_kind"), why);
                AccountKind::User
            }),
        };
        let group_form = self.group_form();
        Attributes {
            kind,
            cn: self.text("cn_claim"),
            display_name: self.text("display_name_claim"),
            distinguished_name: self.text("distinguished_name_claim"),
            user_principal_name: self.text("upn_claim"),
            mail: self.text("mail_claim"),
            dns_host_name: self.text("dns_host_name_claim"),
            object_sid: self.text("sid_claim"),
            object_guid: self.text("guid_claim"),
            groups: self.text("groups_claim"),
            group_names: self.names("groups"),
            group_form,
        }
    }

    fn algorithms(&mut self) -> Vec<jsonwebtoken::Algorithm> {
        let Some(words) = self.texts("algorithms") else { return ALGORITHMS.to_vec() };
        let mut found = Vec::new();
        for word in words {
            match ALGORITHMS.into_iter().find(|known| format!("{known:?}") == word) {
                Some(algorithm) => found.push(algorithm),
                None => {
                    let why = format!("{word:?} is not RS256, PS256, ES256, ES384 or EdDSA");
                    self.wrong(self.span("algorithms"), why);
                }
            }
        }
        found
    }

    /// What only shows once it is read.
    fn check(&mut self, settings: &Settings) {
        if !settings.issuer.is_empty() && !settings.issuer.starts_with("https://") {
            self.wrong(self.span("issuer"), "issuer must be an https:// URL".to_owned());
        }
        if settings.audiences.is_empty() {
            self.missing("audience", "the tokens' aud, one or several");
        }
    }
}
