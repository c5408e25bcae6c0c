//! Texts that say where something is: URLs and names of hosts.

/// A base URL without its trailing slash. Nothing that would have to be escaped, since it is
/// compared and fetched as it stands.
pub(super) fn base_url(text: &str) -> Option<String> {
    url(text, "http://")
}

/// The same of the API, which is only there over TLS.
pub(super) fn api_url(text: &str) -> Option<String> {
    url(text, "https://")
}

fn url(text: &str, scheme: &str) -> Option<String> {
    let rest = text.strip_prefix(scheme)?;
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-._~:/[]%".contains(letter);
    let (authority, _) = rest.split_once('/').unwrap_or((rest, ""));
    if text.len() > 200 || !rest.chars().all(fits) || !is_authority(authority) {
        return None;
    }
    Some(text.trim_end_matches('/').to_owned())
}

/// Host and optional port (RFC 3986 §3.2), without user information.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_host = match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_dns_name(host),
    };
    is_host && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number > 0))
}

/// A DNS name or an IP address, as it was given.
pub(super) fn host_name(text: &str) -> Option<String> {
    let is_address = text.parse::<std::net::IpAddr>().is_ok();
    (is_address || is_dns_name(text)).then(|| text.to_owned())
}

/// Labels of letters, digits and hyphens (RFC 1123 §2.1).
pub fn is_dns_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn base_urls_are_plain_http() {
        for right in ["http://pki.contoso.com", "http://10.0.0.1:8080/pki/", "http://[::1]:80"] {
            assert_eq!(base_url(right).as_deref(), Some(right.trim_end_matches('/')));
        }
        for wrong in [
            "",
            "pki.contoso.com",
            "https://pki.contoso.com",
            "http://",
            "http:///crl",
            "http://a b",
            "http://u@h",
            "http://h?x",
            "http://h:0",
            "http://h:x",
            "ldap://h",
        ] {
            assert_eq!(base_url(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_is_harmless(text in "(http://)?[ -~]{0,30}") {
            if let Some(url) = base_url(&text) {
                prop_assert!(url.starts_with("http://") && !url.ends_with('/'));
                prop_assert!(!url.contains(['?', '#', '@', ' ']));
            }
            let _ = host_name(&text);
        }
    }
}
