//! Who calls: how long what he holds or asks for lasts, and how often he may.

use super::{Setting, Values};
use crate::cli::settings::quantity;
use crate::http::rates::budget::PerMinute;
use crate::http::rates::forwarded::{Network, ProxyHeader};

pub(super) const CALLERS: &[Setting] = &[
    Setting {
        key: "pending_expiry",
        value: "TIME|never",
        meaning: "How long a request waits for a certificate manager before it is denied",
        default: "30d",
        values: Values::One,
        read: |settings, given| {
            settings.pending_expiry_seconds = match *given.first()? {
                "never" => None,
                time => Some(quantity::seconds(time)?),
            };
            Some(())
        },
        wanted: "a time, such as 30d or 12h, or never",
    },
    Setting {
        key: "token_life",
        value: "TIME",
        meaning: "How long the administrator's tokens of `serve` and `token` live, at most 730d",
        default: "90d",
        values: Values::One,
        read: |settings, given| {
            let seconds = quantity::seconds(given.first()?)?;
            let longest = crate::ca::tokens::LONGEST_LIFE_SECONDS;
            settings.token_life_seconds = Some(seconds).filter(|own| *own <= longest)?;
            Some(())
        },
        wanted: "a time of at most 730d, such as 90d",
    },
    Setting {
        key: "client_certificate_roles",
        value: "true|false",
        meaning: "Whether a client certificate carries the roles of its account on this CA",
        default: "false",
        values: Values::One,
        read: |settings, given| {
            settings.client_certificate_roles = given.first()?.parse().ok()?;
            Some(())
        },
        wanted: "true or false",
    },
    Setting {
        key: "account_rate",
        value: "NUMBER|off",
        meaning: "Calls a minute of one account, enrolments not counted",
        default: "30000",
        values: Values::One,
        read: |settings, given| {
            settings.allowance.account = per_minute(given)?;
            Some(())
        },
        wanted: PER_MINUTE,
    },
    Setting {
        key: "address_rate",
        value: "NUMBER|off",
        meaning: "Calls a minute from one address (IPv6: from one /64), enrolments not counted",
        default: "60000",
        values: Values::One,
        read: |settings, given| {
            settings.allowance.address = per_minute(given)?;
            Some(())
        },
        wanted: PER_MINUTE,
    },
    Setting {
        key: "enrolment_rate",
        value: "NUMBER|off",
        meaning: "Enrolments a minute of one account",
        default: "off",
        values: Values::One,
        read: |settings, given| {
            settings.allowance.enrolments = per_minute(given)?;
            Some(())
        },
        wanted: PER_MINUTE,
    },
    Setting {
        key: "failure_rate",
        value: "NUMBER|off",
        meaning: "Failed authentications a minute from one address",
        default: "300",
        values: Values::One,
        read: |settings, given| {
            settings.allowance.failures = per_minute(given)?;
            Some(())
        },
        wanted: PER_MINUTE,
    },
    Setting {
        key: "password_rate",
        value: "NUMBER|off",
        meaning: "Wrong passwords a minute for one name, wherever they come from",
        default: "20",
        values: Values::One,
        read: |settings, given| {
            settings.allowance.passwords = per_minute(given)?;
            Some(())
        },
        wanted: PER_MINUTE,
    },
    Setting {
        key: "trusted_proxy",
        value: "ADDRESS",
        meaning: "A proxy, or a network of proxies, whose word about the caller's address is taken",
        default: "none: the caller is who is at the other end of the connection",
        values: Values::Several,
        read: |settings, given| {
            let networks = given.iter().map(|text| Network::parse(text));
            settings.allowance.proxies.trusted = networks.collect::<Option<_>>()?;
            Some(())
        },
        wanted: "an IP address or a network, such as 192.0.2.7 or 10.0.0.0/8",
    },
    Setting {
        key: "proxy_header",
        value: "HEADER",
        meaning: "The header in which a trusted proxy tells its caller's address",
        default: "X-Forwarded-For",
        values: Values::One,
        read: |settings, given| {
            let header = given.first()?.to_ascii_lowercase();
            settings.allowance.proxies.header = match header.as_str() {
                "x-forwarded-for" => ProxyHeader::XForwardedFor,
                "forwarded" => ProxyHeader::Forwarded,
                _ => return None,
            };
            Some(())
        },
        wanted: "X-Forwarded-For or Forwarded",
    },
];

const PER_MINUTE: &str = "a number from 1 to 4294967295, or off";

fn per_minute(given: &[&str]) -> Option<PerMinute> {
    match *given.first()? {
        "off" => Some(PerMinute::Unlimited),
        number => number.parse().ok().filter(|number| *number > 0).map(PerMinute::Of),
    }
}
