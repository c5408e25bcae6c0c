//! Credentials: a bearer token becomes a requester (RFC 6750). Client certificates and OIDC
//! come here later, each as one more way from a call to a [`Requester`].

use axum::http::{HeaderMap, header};

use super::problem::Problem;
use crate::ca::{Authority, Refusal, Requester};
use crate::pki::time::Timestamp;

/// What a call shows to say who it is.
pub enum Credential<'a> {
    /// A bearer token.
    Bearer(&'a str),
}

impl<'a> Credential<'a> {
    /// The credential a call carries; 401 if there is none that could be one.
    pub fn of(headers: &'a HeaderMap) -> Result<Self, Problem> {
        let refused = |why| Problem::from(Refusal::Unauthenticated(why));
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let value = values.next().ok_or_else(|| {
            refused("a bearer token is needed (Authorization: Bearer chancery_…)")
        })?;
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
        }
    }

    /// Octets that only the holder of this credential knows, to seal answers that hold a secret.
    pub fn secret(&self) -> &[u8] {
        match self {
            Self::Bearer(token) => token.as_bytes(),
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
        match Credential::of(&headers) {
            Ok(Credential::Bearer(token)) => Ok(token.to_owned()),
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

    proptest! {
        #[test]
        fn any_header_is_refused_or_read(value in "[ -~]{0,40}") {
            let _ = rule(&[&value]);
        }
    }
}
