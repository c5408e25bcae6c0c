//! Under which names and paths a parent's files are found here.

use crate::ca::establish::slug;
use crate::pki::name::DistinguishedName;
use crate::pki::presented::PresentedCertificate;

/// Paths of URLs, decoded, each beginning with a slash.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    pub crl: Vec<String>,
    pub certificate: Vec<String>,
    /// The same below our base URL, as names of files.
    pub crl_files: Vec<String>,
    pub certificate_files: Vec<String>,
    /// Where somebody finds the CRL here, as whole URLs.
    pub urls: Vec<String>,
    /// Whether the certificate below sends people here for the CRL.
    pub named_here: bool,
}

impl Places {
    /// Beside our own, and where the certificate `below` says: whoever asks this server for such
    /// a path means that, under whichever of its names. `own_crl_urls` tell which host is this one.
    pub fn of(name: &str, below: &PresentedCertificate, own_crl_urls: &[String]) -> Self {
        let bases: Vec<&str> = own_crl_urls.iter().filter_map(|url| base(url)).collect();
        let mut places = Self {
            crl: vec![format!("/crl/{name}.crl")],
            certificate: vec![format!("/aia/{name}.crt")],
            crl_files: vec![format!("crl/{name}.crl")],
            certificate_files: vec![format!("aia/{name}.crt")],
            ..Self::default()
        };
        let points = below.crl_distribution_points();
        for url in points.iter().flat_map(|point| &point.urls) {
            places.crl.extend(paths(url, &bases));
            add_files(&mut places.crl_files, url, &bases);
            let host = Location::of(url).map(|own| own.authority);
            let here = host.is_some_and(|host| {
                bases.iter().filter_map(|base| Location::of(base)).any(|own| own.authority == host)
            });
            if here {
                places.named_here = true;
                places.urls.push(url.clone());
            }
        }
        for url in below.issuer_urls() {
            places.certificate.extend(paths(&url, &bases));
            add_files(&mut places.certificate_files, &url, &bases);
        }
        if places.urls.is_empty() {
            places.urls = bases.iter().map(|base| format!("{base}/crl/{name}.crl")).collect();
        }
        places
    }
}

/// The file that a web server below our base URL would answer with.
fn add_files(files: &mut Vec<String>, url: &str, bases: &[&str]) {
    for base in bases {
        let rest = url.strip_prefix(base).and_then(|rest| rest.strip_prefix('/'));
        let found = rest.and_then(decoded).filter(|name| is_file_name(name));
        files.extend(found.filter(|name| !files.contains(name)));
    }
}

/// It stays below the directory, on every system.
fn is_file_name(name: &str) -> bool {
    let odd = |letter: char| letter.is_control() || "\\:*?\"<>|#".contains(letter);
    name.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && part.len() <= 200)
        && !name.contains(odd)
}

/// The name of a parent in files and URLs: its own, unless something of ours, or of a nearer
/// parent, is called so.
pub(super) fn name(subject: &DistinguishedName, own: &str, taken: &[&str]) -> String {
    let plain = slug(subject);
    // `<own>-delta`, `<own>-1`, `<own>-1-p1` and the like are files of this CA.
    let like_ours = plain.strip_prefix(own).is_some_and(|rest| {
        let rest = rest.strip_suffix("-delta").unwrap_or(rest);
        rest.bytes().all(|octet| octet.is_ascii_digit() || b"-p".contains(&octet))
    });
    let names = std::iter::once(plain.clone()).filter(|_| !like_ours);
    let numbered = (1..).map(|number| match number {
        1 => format!("{plain}-parent"),
        number => format!("{plain}-parent-{number}"),
    });
    let mut free = names.chain(numbered).filter(|name| !taken.contains(&name.as_str()));
    // The numbers do not end before a name is free.
    free.next().unwrap_or(plain)
}

/// Everything of one of our CRL's URLs before `/crl/`.
fn base(url: &str) -> Option<&str> {
    url.rsplit_once("/crl/").map(|(base, _)| base)
}

/// The path of a URL as this server is asked for it: whole, and without what a proxy in front
/// takes off (the path of our own base URL).
fn paths(url: &str, bases: &[&str]) -> Vec<String> {
    let Some(location) = Location::of(url) else { return Vec::new() };
    let mut paths: Vec<String> = decoded(location.path).into_iter().collect();
    for base in bases.iter().filter_map(|base| Location::of(base)) {
        let rest = location.path.strip_prefix(base.path.trim_end_matches('/'));
        let rest = rest.filter(|rest| rest.starts_with('/') && *rest != location.path);
        paths.extend(rest.and_then(decoded));
    }
    paths
}

/// An `http` URL in its parts.
struct Location<'a> {
    /// Host and port, in lower case, without the port that goes without saying.
    authority: String,
    /// As it stands, without query and fragment.
    path: &'a str,
}

impl<'a> Location<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let scheme = url.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://"))?;
        let rest = url.get(scheme.len()..)?;
        let rest = rest.split(['?', '#']).next().unwrap_or(rest);
        let at = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(at)?;
        let authority = authority.to_ascii_lowercase();
        let authority = authority.strip_suffix(":80").unwrap_or(&authority).to_owned();
        Some(Self { authority, path })
    }
}

/// Undoes percent-encoding (RFC 3986 §2.1); nothing where that comes to no text.
pub(super) fn decoded(path: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'%' {
            octets.push(octet);
            continue;
        }
        let digit = |octet: Option<u8>| char::from(octet?).to_digit(16);
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        octets.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str, own: &str, taken: &[&str]) -> String {
        name(&DistinguishedName::with_common_name(text).unwrap(), own, taken)
    }

    #[test]
    fn a_parent_never_takes_the_name_of_a_file_of_ours() {
        assert_eq!(named("Contoso Root CA", "contoso-ca", &[]), "contoso-root-ca");
        assert_eq!(named("Contoso CA Root", "contoso-ca", &[]), "contoso-ca-root");
        for ours in ["Contoso CA", "Contoso CA delta", "Contoso CA 1", "Contoso CA 1 p3 delta"] {
            let found = named(ours, "contoso-ca", &[]);
            assert!(found.ends_with("-parent"), "{ours}: {found}");
        }
        assert_eq!(named("Root", "sub", &["root", "root-parent"]), "root-parent-2");
    }

    #[test]
    fn paths_are_compared_once_decoded() {
        assert_eq!(decoded("/Cert%45nroll/A%20B.crl").as_deref(), Some("/CertEnroll/A B.crl"));
        for wrong in ["/%", "/%4", "/%zz", "/%ff"] {
            assert_eq!(decoded(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_a_proxy_takes_off_is_taken_off() {
        let found = paths("http://PKI.contoso.com/vpn/x/r.crl", &["http://pki.contoso.com/vpn"]);
        assert_eq!(found, ["/vpn/x/r.crl", "/x/r.crl"]);
        assert_eq!(paths("http://pki/vpnx/r.crl", &["http://pki/vpn"]), ["/vpnx/r.crl"]);
        assert_eq!(paths("ldap:///CN=x", &["http://pki"]), Vec::<String>::new());
        assert_eq!(paths("http://pki/r.crl?a#b", &["http://pki"]), ["/r.crl"]);
        assert_eq!(Location::of("HTTP://Pki:80/r").unwrap().authority, "pki");
        assert_eq!(Location::of("http://pki:8080").unwrap().authority, "pki:8080");
    }

    #[test]
    fn a_certificate_names_no_file_outside_the_directory() {
        let files = |url: &str| {
            let mut files = Vec::new();
            add_files(&mut files, url, &["http://pki", "http://pki/vpn"]);
            files
        };
        assert_eq!(files("http://pki/CertEnroll/A%20B.crl"), ["CertEnroll/A B.crl"]);
        assert_eq!(files("http://pki/vpn/r.crl"), ["vpn/r.crl", "r.crl"]);
        for wrong in [
            "http://pki/../x.crl",
            "http://pki/a/%2e%2e/x.crl",
            "http://pki//etc/x.crl",
            "http://pki/%2fetc/x.crl",
            "http://pki/a%5cx.crl",
            "http://pki/x.crl?y",
            "http://pki/%00",
            "http://pki/",
            "http://pki2/x.crl",
        ] {
            assert_eq!(files(wrong), Vec::<String>::new(), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_path_or_none(text in ".{0,60}") {
            let _ = (decoded(&text), paths(&text, &[&text]), base(&text));
        }
    }
}
