//! What the texts in alternative names look like.

use crate::pki::name::{is_bidirectional, is_control};

/// RFC 1034 §3.5 preferred syntax with digits first as RFC 1123 §2.1 allows, and underscores as
/// Active Directory's computer names may have them; a whole left-most label may be an asterisk.
/// An IPv4 address in text passes, as its parts are labels; an IPv6 address in text is let
/// through beside the syntax, for the same IKE clients. No final dot (RFC 5280 §4.2.1.6).
pub(super) fn is_dns_name(name: &str) -> bool {
    if name.parse::<std::net::Ipv6Addr>().is_ok() {
        return true;
    }
    let labels = name.strip_prefix("*.").unwrap_or(name);
    !labels.is_empty() && name.len() <= 253 && labels.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let letters = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    (1..=63).contains(&label.len())
        && label.bytes().all(letters)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// A Mailbox of RFC 5321 in ASCII: one `@`, neither side empty, no space or quote games.
pub(super) fn is_mail_address(address: &str) -> bool {
    let plain =
        address.bytes().all(|octet| octet.is_ascii_graphic() && !b"<>\"\\,;:".contains(&octet));
    match address.split_once('@') {
        Some((local, domain)) => {
            plain
                && address.len() <= 254
                && (1..=64).contains(&local.len())
                && !domain.contains('@')
                && is_dns_name(domain)
                && !domain.contains(['*', ':'])
        }
        None => false,
    }
}

/// RFC 3986: a scheme and something after it, in ASCII without spaces (RFC 5280 §4.2.1.6:
/// absolute, an IA5String).
pub(super) fn is_uri(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let scheme_letters = |octet: u8| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet);
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(scheme_letters)
        && !rest.is_empty()
        && uri.len() <= 2048
        && rest.bytes().all(|octet| octet.is_ascii_graphic() && !b"<>\"\\^`{|}".contains(&octet))
}

/// [MS-ADTS] §5.1.1.1.1: `prefix@suffix`, at most 1,024 characters, nothing that deceives the eye.
pub(super) fn is_user_principal_name(name: &str) -> bool {
    let halves = name.rsplit_once('@');
    halves.is_some_and(|(prefix, suffix)| !prefix.is_empty() && !suffix.is_empty())
        && name.chars().count() <= 1024
        && !name.chars().any(|letter| is_control(letter) || is_bidirectional(letter))
}
