//! The two addresses, and what follows from them: default URLs and the names of the API's
//! certificate.

use std::net::{IpAddr, SocketAddr, TcpListener};

use crate::cli::failure::Failure;
use crate::cli::settings::Settings;
use crate::cli::surroundings::host_name;
use crate::pki::alternative_name::AlternativeName;
use crate::storage::act::AuthorityEstablished;

/// Where the service listens, as bound.
#[derive(Clone, Debug)]
pub(super) struct Addresses {
    pub(super) api: SocketAddr,
    pub(super) publication: SocketAddr,
    host: String,
}

/// Binds an address for a runtime to take over.
pub(super) fn bind(setting: &'static str, address: SocketAddr) -> Result<TcpListener, Failure> {
    let failed = |error| Failure::Listen { setting, address, error };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

impl Addresses {
    pub(super) fn of(
        api: &TcpListener,
        publication: &TcpListener,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        let bound = |listener: &TcpListener, setting, address| {
            listener.local_addr().map_err(|error| Failure::Listen { setting, address, error })
        };
        Ok(Self {
            api: bound(api, "api_listen", settings.api_listen)?,
            publication: bound(publication, "publish_listen", settings.publish_listen)?,
            host: host_name(),
        })
    }

    /// What goes into certificates: see [`base_urls`].
    pub(super) fn base_urls(
        &self,
        settings: &Settings,
        established: &AuthorityEstablished,
    ) -> Vec<String> {
        base_urls_of(settings, established, self.publication, &self.host)
    }

    /// How somebody reaches an address: itself, or this host's name where it is every address.
    fn host_of(&self, address: SocketAddr) -> String {
        host_of(address, &self.host)
    }

    /// The API as somebody on this machine reaches it.
    pub(super) fn api_url(&self) -> String {
        let host = match self.api.ip() {
            ip if ip.is_loopback() || ip.is_unspecified() => "localhost".to_owned(),
            _ => self.host_of(self.api),
        };
        match self.api.port() {
            443 => format!("https://{host}"),
            port => format!("https://{host}:{port}"),
        }
    }

    /// The API as somebody on another machine reaches it.
    pub(super) fn outside_url(&self, settings: &Settings) -> String {
        let named = settings.tls_names.first().map(|name| {
            let host = match name.parse::<IpAddr>() {
                Ok(IpAddr::V6(address)) => format!("[{address}]"),
                _ => name.clone(),
            };
            match self.api.port() {
                443 => format!("https://{host}"),
                port => format!("https://{host}:{port}"),
            }
        });
        settings.api_url.clone().or(named).unwrap_or_else(|| self.api_url())
    }

    /// The names of the API's certificate: localhost, this host, the listening addresses, and
    /// those of the settings.
    pub(super) fn names(&self, settings: &Settings) -> Vec<AlternativeName> {
        let mut names = Vec::new();
        let mut add = |name: AlternativeName| {
            if !names.contains(&name) {
                names.push(name);
            }
        };
        add(AlternativeName::Dns("localhost".to_owned()));
        add(AlternativeName::Dns(self.host.clone()));
        if self.api.ip().is_unspecified() {
            add(AlternativeName::Ip(IpAddr::from([127, 0, 0, 1])));
            if self.api.is_ipv6() {
                add(AlternativeName::Ip(IpAddr::from(std::net::Ipv6Addr::LOCALHOST)));
            }
        } else {
            add(AlternativeName::Ip(self.api.ip()));
        }
        for name in &settings.tls_names {
            match name.parse::<IpAddr>() {
                Ok(address) => add(AlternativeName::Ip(address)),
                Err(_) => add(AlternativeName::Dns(name.clone())),
            }
        }
        names
    }
}

/// What goes into certificates: the settings', else what `init` recorded, else where the
/// publication side listens.
pub(in crate::cli) fn base_urls(
    settings: &Settings,
    established: &AuthorityEstablished,
    publication: SocketAddr,
) -> Vec<String> {
    base_urls_of(settings, established, publication, &host_name())
}

fn base_urls_of(
    settings: &Settings,
    established: &AuthorityEstablished,
    publication: SocketAddr,
    host: &str,
) -> Vec<String> {
    if !settings.base_urls.is_empty() {
        return settings.base_urls.clone();
    }
    if !established.base_urls.is_empty() {
        return established.base_urls.clone();
    }
    let host = host_of(publication, host);
    match publication.port() {
        80 => vec![format!("http://{host}")],
        port => vec![format!("http://{host}:{port}")],
    }
}

fn host_of(address: SocketAddr, own: &str) -> String {
    match address.ip() {
        ip if ip.is_unspecified() => own.to_owned(),
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening(api: &str, publication: &str) -> Addresses {
        Addresses {
            api: api.parse().unwrap(),
            publication: publication.parse().unwrap(),
            host: "ca1.contoso.com".to_owned(),
        }
    }

    fn established(base_urls: &[&str]) -> AuthorityEstablished {
        let name = crate::pki::name::DistinguishedName::with_common_name("X").unwrap();
        let urls = base_urls.iter().map(|url| (*url).to_owned()).collect();
        crate::ca::establish::established(&name, vec![], vec![], String::new(), urls, 0)
    }

    #[test]
    fn settings_go_before_the_record_and_that_before_the_listener() {
        let here = listening("127.0.0.1:8443", "0.0.0.0:80");
        let given = Settings { base_urls: vec!["http://a".to_owned()], ..Settings::default() };
        assert_eq!(here.base_urls(&given, &established(&["http://b"])), ["http://a"]);
        let none = Settings::default();
        assert_eq!(here.base_urls(&none, &established(&["http://b"])), ["http://b"]);
        assert_eq!(here.base_urls(&none, &established(&[])), ["http://ca1.contoso.com"]);
        let here = listening("127.0.0.1:8443", "[::1]:8080");
        assert_eq!(here.base_urls(&none, &established(&[])), ["http://[::1]:8080"]);
    }

    #[test]
    fn the_certificate_has_every_way_to_reach_the_api() {
        let settings = Settings {
            tls_names: vec!["pki.contoso.com".to_owned(), "10.0.0.5".to_owned()],
            ..Settings::default()
        };
        let names = listening("0.0.0.0:443", "0.0.0.0:80").names(&settings);
        let texts: Vec<String> = names.iter().map(AlternativeName::to_text).collect();
        let expected = ["localhost", "ca1.contoso.com", "127.0.0.1", "pki.contoso.com", "10.0.0.5"];
        assert_eq!(texts, expected);
        assert_eq!(listening("127.0.0.1:8443", "[::1]:1").api_url(), "https://localhost:8443");
        assert_eq!(listening("10.0.0.1:443", "[::1]:1").api_url(), "https://10.0.0.1");
        let here = listening("0.0.0.0:8443", "[::1]:1");
        assert_eq!(here.outside_url(&settings), "https://pki.contoso.com:8443");
        let given = Settings { api_url: Some("https://ca/x".to_owned()), ..settings };
        assert_eq!(here.outside_url(&given), "https://ca/x");
        assert_eq!(here.outside_url(&Settings::default()), "https://localhost:8443");
    }
}
