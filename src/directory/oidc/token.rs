//! JSON Web Tokens (RFC 7519) as far as the library leaves something to be judged: what a token
//! says before it is verified, its type, its times, its client. After RFC 8725 (best practice).

use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, Header, decode_header};
use serde_json::{Map, Value};

use crate::directory::TokenRefused;
use crate::pki::time::Timestamp;

/// A longer token is not looked at. Entra ID's with 200 groups have about 10,000 characters.
pub const LONGEST_TOKEN: usize = 16 * 1024;

/// A token before its signature is verified: good for nothing but finding out who could do it.
pub struct Unverified<'a> {
    text: &'a str,
    header: Header,
    issuer: String,
}

impl<'a> Unverified<'a> {
    /// Reads header and issuer.
    pub fn read(text: &'a str) -> Result<Self, TokenRefused> {
        const NONE: TokenRefused = TokenRefused::Token("the bearer token is no JWT");
        if text.len() > LONGEST_TOKEN {
            return Err(TokenRefused::Token("the bearer token is too long"));
        }
        // `none` and whatever else the library does not know does not read at all.
        let header = decode_header(text).map_err(|_| NONE)?;
        let claims = jsonwebtoken::dangerous::insecure_decode_claims::<Map<String, Value>>(text)
            .map_err(|_| NONE)?;
        let issuer = claims.get("iss").and_then(Value::as_str);
        let issuer = issuer.ok_or(TokenRefused::Token("the token names no issuer"))?.to_owned();
        if header.crit.is_some() {
            // RFC 7515 §4.1.11: what must be understood and is not.
            return Err(TokenRefused::Token("the token has critical header parameters"));
        }
        if !header.typ.as_deref().is_none_or(is_access_or_id_token) {
            return Err(TokenRefused::Token("the token is of another type"));
        }
        Ok(Self { text, header, issuer })
    }

    /// `iss`, as the token says.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.header.alg
    }

    pub(super) fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    pub(super) fn text(&self) -> &str {
        self.text
    }
}

/// RFC 7519 §5.1 and RFC 9068 §2.1; a logout token (`logout+jwt`), a DPoP proof and the like
/// must not pass for one of these (RFC 8725 §3.11).
fn is_access_or_id_token(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    matches!(kind.strip_prefix("application/").unwrap_or(&kind), "jwt" | "at+jwt")
}

/// `exp`, `nbf` and `iat` against `now`, whose clock may be `skew_seconds` from the provider's.
pub(super) fn in_time(
    claims: &Map<String, Value>,
    now: Timestamp,
    skew_seconds: u64,
) -> Result<(), TokenRefused> {
    let seconds = |name: &str| match claims.get(name) {
        None => Ok(None),
        // NumericDate may have a fraction (RFC 7519 §2).
        Some(value) => match value.as_f64() {
            Some(number) if number.is_finite() && number >= 0.0 => Ok(Some(number)),
            _ => Err(TokenRefused::Token("a time in the token is no number")),
        },
    };
    #[expect(clippy::cast_precision_loss, reason = "seconds stay below 2^52 for ages")]
    let (now, skew) = (now.seconds() as f64, skew_seconds as f64);
    let expires = seconds("exp")?.ok_or(TokenRefused::Token("the token never expires"))?;
    if now >= expires + skew {
        return Err(TokenRefused::Token("the token has expired"));
    }
    if seconds("nbf")?.is_some_and(|begins| begins > now + skew) {
        return Err(TokenRefused::Token("the token is not valid yet"));
    }
    if seconds("iat")?.is_some_and(|made| made > now + skew) {
        return Err(TokenRefused::Token("the token was made in the future"));
    }
    Ok(())
}

/// Whether the token was given to one of the clients that are taken.
pub(super) fn for_client(
    claims: &Map<String, Value>,
    clients: &[String],
) -> Result<(), TokenRefused> {
    if clients.is_empty() {
        return Ok(());
    }
    let named = ["azp", "client_id", "appid"].iter().find_map(|name| claims.get(*name));
    match named.and_then(Value::as_str) {
        Some(client) if clients.iter().any(|own| own == client) => Ok(()),
        _ => Err(TokenRefused::Token("the token was given to another client")),
    }
}

/// What to say where the library refuses.
pub(super) fn reason(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::InvalidSignature => "the token's signature is wrong",
        ErrorKind::InvalidAudience => "the token is for another audience",
        ErrorKind::InvalidIssuer => "the token's issuer is another",
        ErrorKind::InvalidAlgorithm => "the token's algorithm is not its key's",
        ErrorKind::MissingRequiredClaim(_) => "the token lacks exp, aud or iss",
        _ => "the token does not read",
    }
}
