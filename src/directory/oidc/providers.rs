//! Several providers as one: the token says whose it is, and that one judges it.

use super::Provider;
use super::mapping::Source;
use super::token::Unverified;
use crate::directory::{Described, TokenIssuers, TokenRefused};
use crate::pki::time::Timestamp;

/// Every provider that is configured; their issuers and realms differ.
pub struct Providers(pub Vec<Provider>);

impl TokenIssuers for Providers {
    fn describe(&self, token: &str, now: Timestamp) -> Result<Described, TokenRefused> {
        let unverified = Unverified::read(token)?;
        let provider = self
            .0
            .iter()
            .find(|provider| provider.settings().issuer == unverified.issuer())
            .ok_or(TokenRefused::Token("the token's issuer is none of ours"))?;
        provider.describe(&unverified, now)
    }

    fn only_by_token(&self, account: &str) -> Option<String> {
        let (realm, _) = account.split_once('\\')?;
        let provider = self.0.iter().find(|provider| {
            let mapping = &provider.settings().mapping;
            matches!(mapping.source, Source::Token(_)) && mapping.realm.eq_ignore_ascii_case(realm)
        })?;
        Some(format!(
            "{account} cannot be looked up: accounts of {} are known by their tokens alone, so they \
             ask for themselves",
            provider.settings().issuer
        ))
    }
}
