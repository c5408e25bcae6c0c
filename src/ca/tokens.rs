//! Bearer tokens: random, stored hashed, bound to an account, expiring, revocable.

use base64::Engine as _;

use super::permissions::Operation;
use super::requester::{TOKEN_PREFIX, token_hash};
use super::{Answering, Authority, Random, Refusal, Requester, TokenRow, record};
use crate::pki::time::Timestamp;
use crate::storage::Urgency;
use crate::storage::act::{Act, Entry, TokenCreated, TokenMark};

/// The longest a token may live: two years.
pub const LONGEST_LIFE_SECONDS: u64 = 2 * 365 * 86_400;

/// A token just made: the only moment its secret is known.
pub struct NewToken {
    /// As it is on record.
    pub row: TokenRow,
    /// What goes behind `Authorization: Bearer`.
    pub secret: zeroize::Zeroizing<String>,
}

/// What a token is wanted for.
pub struct WantedToken<'a> {
    /// Whom it shall speak for.
    pub account: &'a str,
    /// How long.
    pub life_seconds: u64,
    /// What it is for, in the maker's words.
    pub description: Option<String>,
    /// What it shall be able to do.
    pub scope: Scope<'a>,
}

/// What a token can do.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    /// Whatever its account may.
    Account,
    /// Ask for certificates under this template, and whatever needs no role.
    Template(&'a str),
    /// Enrol once under this template, nothing else.
    OneEnrolment(&'a str),
}

impl WantedToken<'_> {
    fn check(&self) -> Result<(), Refusal> {
        if self.life_seconds == 0 || self.life_seconds > LONGEST_LIFE_SECONDS {
            let why = format!("a token lives between 1 and {LONGEST_LIFE_SECONDS} seconds");
            return Err(Refusal::Invalid("token-life", why));
        }
        if self.description.as_ref().is_some_and(|text| text.chars().count() > 256) {
            let why = "a description has at most 256 characters".to_owned();
            return Err(Refusal::Invalid("token-description", why));
        }
        Ok(())
    }
}

impl Authority {
    /// One token.
    pub fn token(&self, requester: &Requester, id: &str) -> Result<TokenRow, Refusal> {
        requester.must(Operation::ReadTokens)?;
        self.register.token(id)?.ok_or_else(|| Refusal::NotFound(format!("token {id}")))
    }

    /// Tokens by identifier, after the one with the identifier `after`.
    pub fn tokens(
        &self,
        requester: &Requester,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<TokenRow>, Refusal> {
        requester.must(Operation::ReadTokens)?;
        Ok(self.register.tokens(after, limit)?)
    }

    /// Makes a token for an account. A certificate manager makes one-time tokens only, and none
    /// for an account that holds an office here: its certificate could speak for it.
    pub fn create_token(
        &self,
        requester: &Requester,
        wanted: WantedToken<'_>,
        answering: Answering<'_, NewToken>,
        now: Timestamp,
    ) -> Result<NewToken, Refusal> {
        requester.must(Operation::MakeEnrolmentTokens)?;
        if !matches!(wanted.scope, Scope::OneEnrolment(_)) {
            requester.must(Operation::EditTokens)?;
        }
        wanted.check()?;
        let found = self.directory.find(wanted.account)?;
        let found = found.ok_or_else(|| match self.is_outside(wanted.account) {
            true => Refusal::Invalid("account-unknown", self.why_unknown(wanted.account)),
            false => Refusal::NotFound(format!("account {}", wanted.account)),
        })?;
        if !requester.may(Operation::EditTokens) && !self.offices_of(&found)?.is_empty() {
            let why = format!("{} has a role on this CA: an administrator must", found.name);
            return Err(Refusal::Forbidden(why));
        }
        let mut made = self.new_token(&found.name, wanted.life_seconds, wanted.description, now)?;
        if let Scope::Template(template) | Scope::OneEnrolment(template) = wanted.scope {
            let listed = self.known_template(template).map_err(|_| {
                Refusal::Invalid("template-unknown", format!("there is no template {template}"))
            })?;
            made.row.token.template = Some(listed.template.cn().to_owned());
            self.must_manage(requester, listed.template.cn(), Some(&found))?;
            made.row.token.single_use = matches!(wanted.scope, Scope::OneEnrolment(_));
        }
        made.row.made_by = Some(requester.account.name.clone());
        let mut entries = vec![record(requester, now, Act::TokenCreated(made.row.token.clone()))];
        entries.extend(answering.map(|answer| record(requester, now, answer(&made))));
        self.register.commit(entries, Urgency::Ordinary)?;
        Ok(made)
    }

    /// Makes a token with no requester: the bootstrap and the operator's way back in. Whoever
    /// holds the data directory may do this; no door calls it.
    pub fn create_operator_token(
        &self,
        account: &str,
        life_seconds: u64,
        description: &str,
        now: Timestamp,
    ) -> Result<NewToken, Refusal> {
        let made = self.new_token(account, life_seconds, Some(description.to_owned()), now)?;
        let act = Act::TokenCreated(made.row.token.clone());
        self.register
            .commit(vec![Entry { at: now.millis(), actor: None, act }], Urgency::Reserved)?;
        Ok(made)
    }

    /// Revokes a token; doing so again changes nothing.
    pub fn revoke_token(
        &self,
        requester: &Requester,
        id: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        requester.must(Operation::EditTokens)?;
        let _one_at_a_time = self.administrating();
        let row = self.register.token(id)?;
        let row = row.ok_or_else(|| Refusal::NotFound(format!("token {id}")))?;
        if row.revoked_at.is_some() {
            return Ok(());
        }
        let act = Act::TokenRevoked(TokenMark { id: row.token.id });
        self.register.commit(vec![record(requester, now, act)], Urgency::Reserved)?;
        Ok(())
    }

    fn new_token(
        &self,
        account: &str,
        life_seconds: u64,
        description: Option<String>,
        now: Timestamp,
    ) -> Result<NewToken, Refusal> {
        make_token(&self.random, account, life_seconds, description, now)
    }
}

/// Makes a token without putting it on record; for the operator's way back in, which has no
/// authority to ask.
pub fn make_token(
    random: &Random,
    account: &str,
    life_seconds: u64,
    description: Option<String>,
    now: Timestamp,
) -> Result<NewToken, Refusal> {
    let mut octets = zeroize::Zeroizing::new([0; 32]);
    let mut id = [0; 8];
    random(octets.as_mut())
        .and_then(|()| random(&mut id))
        .map_err(|error| Refusal::Unavailable("no-randomness", error.to_string()))?;
    let text = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(octets.as_ref());
    let secret = zeroize::Zeroizing::new(format!("{TOKEN_PREFIX}{text}"));
    let token = TokenCreated {
        id: id.iter().map(|octet| format!("{octet:02x}")).collect(),
        sha256: token_hash(&secret),
        account: account.to_owned(),
        expires_at: now.plus_seconds(life_seconds).millis(),
        description,
        template: None,
        single_use: false,
    };
    let row = TokenRow { token, created_at: now, made_by: None, revoked_at: None, used: None };
    Ok(NewToken { row, secret })
}
