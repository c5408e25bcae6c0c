//! Credentials: a bearer token (RFC 6750) or a client certificate becomes a requester. Each kind is
//! one more way from a call to a [`Requester`].
//!
//! Where a call carries both, the `Authorization` header decides, also when it is refused: a
//! certificate that a machine sends along on every connection never changes whose call it is.

use axum::http::{HeaderMap, header};

use super::peer::Peer;
use super::problem::Problem;
use crate::ca::requester::TOKEN_PREFIX;
use crate::ca::{Authority, Refusal, Requester};
use crate::pki::time::Timestamp;

/// What a call shows to say who it is.
pub enum Credential<'a> {
    /// A bearer token.
    Bearer(&'a str),
    /// A certificate whose key the connection proved.
    Certificate(&'a [u8]),
}

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
                    "a credential is needed: a bearer token (Authorization: Bearer chancery_…) or \
                     a client certificate of this CA",
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
            _ => Err(refused("only bearer tokens are taken (Authorization: Bearer chancery_…)")),
        }
    }

    /// Whose it is.
    pub fn requester(&self, authority: &Authority, now: Timestamp) -> Result<Requester, Refusal> {
        match self {
            Self::Bearer(token) => authority.authenticate(token, now),
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
    /// a certificate has none that the connection shows.
    pub fn secret(&self) -> Option<&[u8]> {
        match self {
            Self::Bearer(token) => Some(token.as_bytes()),
            Self::Certificate(_) => None,
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
            Ok(Credential::Certificate(_)) => panic!("there was none"),
            Err(problem) => Err(problem.rule().to_owned()),
        }
    }

    #[test]
    fn one_bearer_token() {
        assert_eq!(rule(&["Bearer chancery_x"]), Ok("chancery_x".to_owned()));
        assert_eq!(rule(&["bEARER  chancery_x"]), Ok("chancery_x".to_owned()));
        let refused: [&[&str]; 4] = [&[], &["Basic eA=="], &["Bearer"], &["Bearer a", "Bearer b"]];
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
        fn any_header_is_refused_or_read(value in "[ -~]{0,40}") {
            let _ = rule(&[&value]);
        }
    }
}
