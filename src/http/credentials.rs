//! Credentials: a bearer token (RFC 6750), name and password of a directory (RFC 7617) or a client
//! certificate becomes a requester. Each kind is one more way from a call to a [`Requester`].
//!
//! Where a call carries both, the `Authorization` header decides, also when it is refused: a
//! certificate that a machine sends along on every connection never changes whose call it is.

use axum::http::{HeaderMap, header};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::peer::Peer;
use super::problem::Problem;
use crate::ca::requester::TOKEN_PREFIX;
use crate::ca::{Authority, Guesses, Refusal, Requester};
use crate::pki::time::Timestamp;

/// What a call shows to say who it is.
pub enum Credential<'a> {
    /// A bearer token.
    Bearer(&'a str),
    /// A name and password that some directory knows.
    Password(Box<Password>),
    /// A certificate whose key the connection proved.
    Certificate(&'a [u8]),
}

/// Name and password (RFC 7617 §2), in UTF-8.
pub struct Password {
    /// The user-id: `REALM\name`, `name@suffix` or a name of the default realm.
    pub name: String,
    password: Zeroizing<String>,
}

impl Password {
    /// Reads `base64(user-id ":" password)`; neither may hold control characters.
    fn read(text: &str) -> Option<Self> {
        let octets = Zeroizing::new(STANDARD.decode(text).ok()?);
        let pair = std::str::from_utf8(&octets).ok()?;
        let (name, password) = pair.split_once(':')?;
        let fits =
            !name.is_empty() && name.len() <= LONGEST_NAME && !pair.contains(char::is_control);
        let password = Zeroizing::new(password.to_owned());
        fits.then(|| Self { name: name.to_owned(), password })
    }
}

/// Octets of a user-id: a `userPrincipalName` has 1,024 characters at most ([MS-ADA3] §2.349).
const LONGEST_NAME: usize = 1024;

impl<'a> Credential<'a> {
    /// The credential a call carries; 401 if there is none that could be one.
    pub fn of(headers: &'a HeaderMap, peer: &'a Peer) -> Result<Self, Problem> {
        let refused = |why| Problem::from(Refusal::Unauthenticated(why));
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let value = match (values.next(), &peer.certificate) {
            (Some(value), _) => value,
            (None, Some(certificate)) => return Ok(Self::Certificate(certificate)),
            (None, None) => {
                return Err(refused(
                    "a credential is needed: a bearer token (Authorization: Bearer chancery_…), a \
                     client certificate of this CA, or where a directory is configured that knows \
                     passwords, name and password (Authorization: Basic)",
                ));
            }
        };
        if values.next().is_some() {
            return Err(refused("there is more than one Authorization header"));
        }
        let text = value.to_str().map_err(|_| refused("the Authorization header does not read"))?;
        match text.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                Ok(Self::Bearer(token.trim_matches(' ')))
            }
            Some((scheme, pair)) if scheme.eq_ignore_ascii_case("basic") => {
                let read = Password::read(pair.trim_matches(' '));
                let read = read.ok_or_else(|| {
                    refused("Authorization: Basic is not base64 of name:password in UTF-8")
                })?;
                Ok(Self::Password(Box::new(read)))
            }
            _ => Err(refused("the Authorization header is neither Bearer nor Basic")),
        }
    }

    /// Whose it is; passwords are tried as far as `guesses` lets them be.
    pub fn requester(
        &self,
        authority: &Authority,
        guesses: &dyn Guesses,
        now: Timestamp,
    ) -> Result<Requester, Refusal> {
        match self {
            Self::Bearer(token) => authority.authenticate(token, now),
            Self::Password(_) if !authority.takes_passwords() => {
                Err(Refusal::Unauthenticated("no directory here knows passwords"))
            }
            Self::Password(own) => {
                authority.authenticate_by_password(&own.name, &own.password, guesses)
            }
            Self::Certificate(der) => authority.authenticate_by_certificate(der, now),
        }
    }

    /// Whether no number of tries finds one: our own tokens are 256 random bits, a certificate's
    /// key was proved in the handshake. Every other kind counts as one that can be guessed.
    pub fn is_beyond_guessing(&self) -> bool {
        matches!(self, Self::Certificate(_))
            || matches!(self, Self::Bearer(token) if token.starts_with(TOKEN_PREFIX))
    }

    /// Octets that only the holder of this credential knows, to seal answers that hold a secret;
    /// a certificate has none that the connection shows, and a password can be guessed from what
    /// was sealed with it.
    pub fn secret(&self) -> Option<&[u8]> {
        match self {
            Self::Bearer(token) => Some(token.as_bytes()),
            Self::Certificate(_) | Self::Password(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    fn rule(values: &[&str]) -> Result<String, String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        match Credential::of(&headers, &Peer::default()) {
            Ok(Credential::Bearer(token)) => Ok(token.to_owned()),
            Ok(Credential::Password(own)) => Ok(format!("{} {}", own.name, *own.password)),
            Ok(Credential::Certificate(_)) => panic!("there was none"),
            Err(problem) => Err(problem.rule().to_owned()),
        }
    }

    #[test]
    fn one_bearer_token() {
        assert_eq!(rule(&["Bearer chancery_x"]), Ok("chancery_x".to_owned()));
        assert_eq!(rule(&["bEARER  chancery_x"]), Ok("chancery_x".to_owned()));
        let refused: [&[&str]; 4] =
            [&[], &["Negotiate eA=="], &["Bearer"], &["Bearer a", "Bearer b"]];
        for values in refused {
            assert_eq!(rule(values), Err("unauthenticated".to_owned()), "{values:?}");
        }
    }

    #[test]
    fn only_own_tokens_and_certificates_are_beyond_guessing() {
        assert!(Credential::Certificate(b"der").is_beyond_guessing());
        assert!(Credential::Bearer("chancery_x").is_beyond_guessing());
        assert!(!Credential::Bearer("eyJhbGciOiJSUzI1NiJ9.e30.c2ln").is_beyond_guessing());
        assert!(!Credential::Bearer("").is_beyond_guessing());
    }

    #[test]
    fn name_and_password() {
        let basic = |octets: &[u8]| rule(&[&format!("Basic {}", STANDARD.encode(octets))]);
        assert_eq!(basic("CORP\\jürgen:ä:ö\"".as_bytes()), Ok("CORP\\jürgen ä:ö\"".to_owned()));
        assert_eq!(basic(b"anna:"), Ok("anna ".to_owned()));
        // RFC 7617 §2.1: "test:123£" in UTF-8.
        assert_eq!(rule(&["bAsIc dGVzdDoxMjPCow=="]), Ok("test 123£".to_owned()));
        let long = format!("{}:x", "a".repeat(LONGEST_NAME + 1));
        let refused: [&[u8]; 6] = [b"", b"anna", b":x", b"a\x00:x", b"a:\x7f", b"a:\xa3"];
        for octets in refused.into_iter().chain([long.as_bytes()]) {
            assert_eq!(basic(octets), Err("unauthenticated".to_owned()), "{octets:?}");
        }
        assert_eq!(rule(&["Basic anna:x"]), Err("unauthenticated".to_owned()));
    }

    #[test]
    fn the_header_decides_over_the_certificate() {
        let peer = Peer::default().holding(Some(bytes::Bytes::from_static(b"der")));
        let mut headers = HeaderMap::new();
        assert!(matches!(Credential::of(&headers, &peer), Ok(Credential::Certificate(b"der"))));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer x"));
        assert!(matches!(Credential::of(&headers, &peer), Ok(Credential::Bearer("x"))));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Nonsense"));
        assert!(Credential::of(&headers, &peer).is_err());
    }

    proptest! {
        #[test]
        fn any_header_is_refused_or_read(
            value in "[ -~]{0,40}",
            octets in proptest::collection::vec(any::<u8>(), 0..40)
        ) {
            let _ = rule(&[&value]);
            let _ = rule(&[&format!("Basic {}", STANDARD.encode(octets))]);
        }
    }
}
