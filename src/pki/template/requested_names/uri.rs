//! URIs that may be asked for: a scheme, a host and the beginning of a path (RFC 3986).

use super::dns::DnsName;
use super::domain::Domain;
use super::{Broken, NotAName};

/// `https://vpn.contoso.com/users/`, `spiffe://.contoso.com`, `urn:contoso:`: scheme and host
/// without regard to case (RFC 3986 §6.2.2.1), port exactly, and a path that begins with this
/// one on a segment's border.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UriRule {
    scheme: String,
    place: Option<(Domain, Option<String>)>,
    path: String,
}

/// A URI taken apart.
struct Parts<'a> {
    scheme: String,
    /// Host and port, where there is an authority.
    place: Option<(&'a str, Option<&'a str>)>,
    path: &'a str,
}

impl UriRule {
    /// Whether `uri` lies within.
    pub(super) fn covers(&self, uri: &str) -> Result<bool, Broken> {
        let parts = Parts::of(uri).ok_or(Broken::CrookedUri)?;
        let place = match (&self.place, parts.place) {
            (None, None) => true,
            (Some((domain, port)), Some((host, own))) => {
                port.as_deref() == own && domain.covers(&DnsName::read(host)?)
            }
            _ => false,
        };
        let border = |rest: &str| {
            rest.is_empty() || self.path.ends_with(['/', ':']) || rest.starts_with(['/', '?'])
        };
        let path = self.path.is_empty() || parts.path.strip_prefix(&self.path).is_some_and(border);
        Ok(place && path && parts.scheme == self.scheme)
    }
}

impl<'a> Parts<'a> {
    /// None for a URI that can be read in two ways: with a user, a fragment, dot segments, or an
    /// escape that stands for a character that needs none, for a delimiter or for a control.
    fn of(uri: &'a str) -> Option<Self> {
        let (scheme, rest) = uri.split_once(':')?;
        let letters = |octet: u8| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet);
        let named = scheme.starts_with(|first: char| first.is_ascii_alphabetic());
        if !named || !scheme.bytes().all(letters) || uri.contains(['#', '\\']) || !uri.is_ascii() {
            return None;
        }
        let (place, path) = match rest.strip_prefix("//") {
            None => (None, rest),
            Some(rest) => {
                let end = rest.find(['/', '?']).unwrap_or(rest.len());
                let (authority, path) = rest.split_at(end);
                let (host, port) = match authority.split_once(':') {
                    Some((host, port)) => (host, Some(port)),
                    None => (authority, None),
                };
                let plain = port.is_none_or(|port| {
                    !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit())
                });
                if !plain || authority.contains(['@', '%']) {
                    return None;
                }
                (Some((host, port)), path)
            }
        };
        let segments = path.split('?').next().unwrap_or_default().split('/');
        let straight = !segments.into_iter().any(|segment| matches!(segment, "." | ".."));
        (straight && escapes_are_needed(path)).then(|| Self {
            scheme: scheme.to_ascii_lowercase(),
            place,
            path,
        })
    }
}

/// Every `%` begins an escape of an octet that could not stand there itself (RFC 3986 §2.3), and
/// none of a control, a slash or a backslash.
fn escapes_are_needed(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let octet = after.get(..2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        octet.is_some_and(|octet| {
            let unreserved = octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
            !unreserved && !octet.is_ascii_control() && !b"/\\:".contains(&octet)
        })
    })
}

impl std::str::FromStr for UriRule {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let parts = Parts::of(text).ok_or(NotAName)?;
        let place = match parts.place {
            None => None,
            Some((host, port)) => Some((host.parse()?, port.map(ToOwned::to_owned))),
        };
        // Without a host the path says whose it is; it ends where a part of it does.
        if parts.path.contains('?') || place.is_none() && !parts.path.ends_with([':', '/']) {
            return Err(NotAName);
        }
        Ok(Self { scheme: parts.scheme, place, path: parts.path.to_owned() })
    }
}

impl std::fmt::Display for UriRule {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}:", self.scheme)?;
        if let Some((domain, port)) = &self.place {
            write!(out, "//{domain}")?;
            if let Some(port) = port {
                write!(out, ":{port}")?;
            }
        }
        out.write_str(&self.path)
    }
}
