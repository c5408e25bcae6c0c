//! The addresses of one judgement: each is asked once, whoever names it and however often, and there
//! is an end to how many there are. What a stranger's certificate names is a stranger's wish.

use std::collections::{BTreeMap, BTreeSet};

use super::fetch::{Document, Fetch, NotFetched};
use super::found::{Lookup, Sought};

/// Addresses of one judgement at most, of all certificates and CRLs together: nobody's chain has
/// more, and a stranger's shall not send us round the world.
pub const MOST_LOOKUPS: usize = 64;

/// Octets fetched for one judgement at most, but for the end of the last document.
const MOST_OCTETS: usize = 128 * 1024 * 1024;

/// A URL and, for a POST, what is sent.
type Place = (String, Option<Vec<u8>>);

/// What was asked, and what came.
pub(super) struct Addresses<'a> {
    fetch: &'a dyn Fetch,
    fetched: BTreeMap<Place, Result<Document, NotFetched>>,
    asked: usize,
    octets: usize,
    /// In the order asked, each URL once for each thing sought there.
    pub(super) lookups: Vec<Lookup>,
}

impl<'a> Addresses<'a> {
    pub(super) fn new(fetch: &'a dyn Fetch) -> Self {
        Self { fetch, fetched: BTreeMap::new(), asked: 0, octets: 0, lookups: Vec::new() }
    }

    /// GET.
    pub(super) fn get(&mut self, url: &str, sought: Sought) -> Result<Document, NotFetched> {
        self.once((url.to_owned(), None), sought)
    }

    /// POST.
    pub(super) fn ask(
        &mut self,
        url: &str,
        request: &[u8],
        sought: Sought,
    ) -> Result<Document, NotFetched> {
        self.once((url.to_owned(), Some(request.to_vec())), sought)
    }

    /// GET of what may have changed since it was asked; the old document stays where there is no
    /// new one.
    pub(super) fn get_again(&mut self, url: &str) -> Option<Document> {
        if self.are_too_many() {
            return None;
        }
        let document = self.go(&(url.to_owned(), None)).ok()?;
        self.fetched.insert((url.to_owned(), None), Ok(document.clone()));
        Some(document)
    }

    fn once(&mut self, place: Place, sought: Sought) -> Result<Document, NotFetched> {
        let outcome = match self.fetched.get(&place) {
            Some(known) => known.clone(),
            None if self.are_too_many() => Err(NotFetched::TooMany),
            None => {
                let outcome = self.go(&place);
                self.fetched.insert(place.clone(), outcome.clone());
                outcome
            }
        };
        self.note(&place.0, sought, &outcome);
        outcome
    }

    fn are_too_many(&self) -> bool {
        self.lookups.len() >= MOST_LOOKUPS
            || self.asked >= MOST_LOOKUPS
            || self.octets >= MOST_OCTETS
    }

    fn go(&mut self, (url, request): &Place) -> Result<Document, NotFetched> {
        match scheme(url) {
            Some(scheme) if scheme == "http" => {
                self.asked += 1;
                let outcome = match request {
                    Some(request) => self.fetch.ask(url, request),
                    None => self.fetch.get(url),
                };
                self.octets += outcome.as_ref().map_or(0, |document| document.body.len());
                outcome
            }
            Some(scheme) => Err(NotFetched::OtherScheme(scheme)),
            None => Err(NotFetched::NotAUrl),
        }
    }

    /// That there were too many is said of the first one.
    fn note(&mut self, url: &str, sought: Sought, outcome: &Result<Document, NotFetched>) {
        let is_known = |own: &Lookup| own.url == url && own.sought == sought;
        if self.lookups.len() > MOST_LOOKUPS || self.lookups.iter().any(is_known) {
            return;
        }
        self.lookups.push(Lookup {
            url: url.to_owned(),
            sought,
            outcome: outcome.as_ref().map(|own| own.body.len()).map_err(Clone::clone),
            clock_ahead_seconds: outcome.as_ref().ok().and_then(|own| own.clock_ahead_seconds),
        });
    }
}

/// Each URL once, in the order named, and no more than could be looked up.
pub(super) fn distinct(urls: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let first = urls.into_iter().filter(|url| seen.insert(url.clone()));
    first.take(MOST_LOOKUPS + 1).collect()
}

/// The scheme of a URL in lower case.
pub fn scheme(url: &str) -> Option<String> {
    let (scheme, _) = url.split_once(':')?;
    let letters = |octet: u8| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet);
    (!scheme.is_empty() && scheme.bytes().all(letters)).then(|| scheme.to_ascii_lowercase())
}
