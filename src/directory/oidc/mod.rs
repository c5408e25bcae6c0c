//! An OpenID Connect provider as a directory: a token that it signed says who somebody is.
//!
//! Absent: looking an account up without its token, which no provider offers; passwords; the
//! disk (the composition root reads the roots). A token is judged in `token`, its keys come from
//! `keys`, and `mapping` makes an account of its claims. Begin with [`Provider`].

pub mod fetch;
pub mod keys;
pub mod mapping;
pub mod providers;
pub mod token;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use jsonwebtoken::{Algorithm, Validation};
use serde_json::{Map, Value};

use super::{Described, TokenRefused};
use crate::pki::time::Timestamp;
use keys::{KeyStore, Keys, Sought};
use mapping::Mapping;
use token::Unverified;

/// What is known of a provider by configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `iss` of its tokens, exactly; also where its discovery document lies.
    pub issuer: String,
    /// The audiences that are ours; one must be in `aud`.
    pub audiences: Vec<String>,
    /// The clients (`azp`, else `client_id` or `appid`) whose tokens are taken; any if empty.
    pub clients: Vec<String>,
    /// The signature algorithms that are taken.
    pub algorithms: Vec<Algorithm>,
    /// How far the provider's clock may be from ours, in seconds.
    pub clock_skew_seconds: u64,
    /// How tokens become accounts.
    pub mapping: Mapping,
}

/// Every algorithm that may be configured: public keys only (RFC 8725 §3.1, §3.2).
pub const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA];

/// A provider.
pub struct Provider {
    settings: Settings,
    keys: KeyStore,
}

impl Provider {
    /// A provider whose keys come from `keys`.
    pub fn new(settings: Settings, keys: KeyStore) -> Self {
        Self { settings, keys }
    }

    /// What is configured.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whom this token describes. It is one of this provider's by its own word
    /// ([`Unverified::issuer`]); here that is verified.
    pub fn describe(
        &self,
        unverified: &Unverified<'_>,
        now: Timestamp,
    ) -> Result<Described, TokenRefused> {
        let claims = self.verify(unverified, now)?;
        self.settings.mapping.describe(&claims).map_err(|fault| {
            tracing::info!(issuer = self.settings.issuer, %fault, "a token describes no account");
            TokenRefused::Token("a claim that the account is made of is missing or malformed")
        })
    }

    fn verify(
        &self,
        unverified: &Unverified<'_>,
        now: Timestamp,
    ) -> Result<Map<String, Value>, TokenRefused> {
        let algorithm = unverified.algorithm();
        if !self.settings.algorithms.contains(&algorithm) {
            return Err(TokenRefused::Token("the token's algorithm is not taken"));
        }
        let kid = unverified.kid();
        let sought = Sought { kid, algorithm };
        let keys: Keys = self.keys.holding(sought, now)?;
        let key = keys
            .find(sought)
            .ok_or(TokenRefused::Token("the token's key is none of its issuer's"))?;
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&self.settings.audiences);
        validation.set_issuer(&[&self.settings.issuer]);
        validation.required_spec_claims =
            ["exp", "aud", "iss"].into_iter().map(str::to_owned).collect::<HashSet<_>>();
        // Time is an argument here: `token` looks at it, against `now`.
        (validation.validate_exp, validation.validate_nbf) = (false, false);
        let decoded =
            jsonwebtoken::decode::<Map<String, Value>>(unverified.text(), key, &validation);
        let claims = decoded.map_err(|error| TokenRefused::Token(token::reason(&error)))?.claims;
        // The library takes a list of issuers as well; RFC 7519 §4.1.1 has one.
        if claims.get("iss").and_then(Value::as_str) != Some(self.settings.issuer.as_str()) {
            return Err(TokenRefused::Token("the token's issuer is another"));
        }
        token::in_time(&claims, now, self.settings.clock_skew_seconds)?;
        token::for_client(&claims, &self.settings.clients)?;
        Ok(claims)
    }
}
