//! Query strings: every parameter is known, and there once; pages of a listing by opaque cursor.

use std::borrow::Cow;
use std::str::FromStr;

use axum::http::Uri;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::answer::path_segment;
use super::problem::Problem;

/// Rows on a page where the caller does not say.
const USUAL_LIMIT: usize = 100;
/// Rows on a page at most.
const LARGEST_LIMIT: usize = 1000;
/// More than any route takes; a URL has room for thousands.
const MOST_PARAMETERS: usize = 64;

/// The parameters of a query string, taken one by one; what is left over is refused.
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads `application/x-www-form-urlencoded` pairs.
    pub fn of(uri: &Uri) -> Result<Self, Problem> {
        let Some(query) = uri.query() else { return Ok(Self(Vec::new())) };
        let malformed =
            || Problem::bad_request("query-malformed", "the query string does not read");
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| malformed())?
            .0;
        // The decoder replaces what is no UTF-8; that must not reach a filter.
        let unreadable = pairs.iter().any(|(_, value)| value.contains('\u{fffd}'));
        if unreadable || query.contains('\0') || pairs.len() > MOST_PARAMETERS {
            return Err(malformed());
        }
        for (position, (name, _)) in pairs.iter().enumerate() {
            if pairs.iter().take(position).any(|(other, _)| other == name) {
                let detail = format!("the parameter {name} is there twice");
                return Err(Problem::bad_request("query-parameter-repeated", detail));
            }
        }
        Ok(Self(pairs))
    }

    /// Takes a parameter as text.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let position = self.0.iter().position(|(own, _)| own == name)?;
        Some(self.0.swap_remove(position).1)
    }

    /// Takes a parameter as whatever it parses to.
    pub fn parsed<T: FromStr>(&mut self, name: &str, form: &str) -> Result<Option<T>, Problem> {
        self.read(name, form, |text| text.parse().ok())
    }

    /// Takes a parameter and reads it; `form` says what it should look like.
    pub fn read<T>(
        &mut self,
        name: &str,
        form: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        read(&text).map(Some).ok_or_else(|| invalid(name, form))
    }

    /// Takes `limit`: 1 to 1000.
    pub fn limit(&mut self) -> Result<usize, Problem> {
        let form = "a number from 1 to 1000";
        let limit = self.parsed::<usize>("limit", form)?.unwrap_or(USUAL_LIMIT);
        if (1..=LARGEST_LIMIT).contains(&limit) { Ok(limit) } else { Err(invalid("limit", form)) }
    }

    /// Takes `cursor`: what the page before gave, opaque to the caller.
    pub fn cursor<T: FromStr>(&mut self) -> Result<Option<T>, Problem> {
        self.read("cursor", "the cursor of a page before", |text| {
            let octets = URL_SAFE_NO_PAD.decode(text).ok()?;
            String::from_utf8(octets).ok()?.parse().ok()
        })
    }

    /// Refuses what nobody took.
    pub fn finish(self) -> Result<(), Problem> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => {
                let detail = format!("there is no parameter {name:?} here");
                Err(Problem::bad_request("query-parameter-unknown", detail))
            }
        }
    }
}

/// 400 for a parameter whose value does not read.
pub fn invalid(name: &str, form: &str) -> Problem {
    Problem::bad_request("query-parameter-invalid", format!("{name}: {form} is wanted"))
}

/// The link to the page after this one: the same path and filters with another cursor.
pub fn next_link(uri: &Uri, cursor: &impl ToString) -> String {
    let cursor = URL_SAFE_NO_PAD.encode(cursor.to_string());
    let query = uri.query().unwrap_or_default();
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !is_cursor(pair));
    let mut link = format!("{}?", uri.path());
    for pair in kept {
        link.push_str(pair);
        link.push('&');
    }
    link.push_str("cursor=");
    link.push_str(&path_segment(&cursor));
    link
}

fn is_cursor(pair: &str) -> bool {
    let name: Cow<'_, str> = pair.split('=').next().unwrap_or_default().into();
    name == "cursor"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parameters(text: &str) -> Result<Parameters, Problem> {
        Parameters::of(&text.parse().unwrap())
    }

    #[test]
    fn unknown_and_repeated_parameters_are_refused() {
        let mut known = parameters("/x?template=A%20B&limit=5").unwrap();
        assert_eq!(known.text("template").unwrap(), "A B");
        assert_eq!(known.limit().unwrap(), 5);
        assert!(known.finish().is_ok());
        let rule = parameters("/x?templat=A").unwrap().finish().unwrap_err();
        assert_eq!(rule.rule(), "query-parameter-unknown");
        assert_eq!(parameters("/x?a=1&a=2").err().unwrap().rule(), "query-parameter-repeated");
        for limit in ["0", "1001", "-1", "x", ""] {
            let mut wrong = parameters(&format!("/x?limit={limit}")).unwrap();
            assert_eq!(wrong.limit().unwrap_err().rule(), "query-parameter-invalid");
        }
    }

    #[test]
    fn more_parameters_than_anything_takes_are_not_compared_with_each_other() {
        let many = |count: usize| {
            let names: Vec<String> = (0..count).map(|number| format!("p{number}")).collect();
            parameters(&format!("/x?{}", names.join("&")))
        };
        assert!(many(MOST_PARAMETERS).is_ok());
        let refused = many(MOST_PARAMETERS + 1).err().unwrap();
        assert_eq!(refused.rule(), "query-malformed");
    }

    #[test]
    fn the_next_link_keeps_the_filters() {
        let uri: Uri = "/v1/requests?template=A&cursor=eA&limit=5".parse().unwrap();
        let link = next_link(&uri, &42_u64);
        assert_eq!(link, "/v1/requests?template=A&limit=5&cursor=NDI");
        let mut next = parameters(&link).unwrap();
        assert_eq!(next.cursor::<u64>().unwrap(), Some(42));
    }

    proptest! {
        #[test]
        fn any_cursor_is_refused_or_read(cursor in "[ -~]{0,30}") {
            let mut given = Parameters(vec![("cursor".to_owned(), cursor)]);
            let _ = given.cursor::<u64>();
        }

        #[test]
        fn any_query_is_refused_or_read(query in "[!-~&&[^#]]{0,60}") {
            if let Ok(uri) = format!("/x?{query}").parse::<Uri>() {
                let _ = Parameters::of(&uri);
            }
        }
    }
}
