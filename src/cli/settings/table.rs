//! The one table of settings: key in the file, and from it variable and flag, with what reads the
//! value. The three sources cannot drift apart, since there is only this.

use std::path::PathBuf;

use super::address::{api_url, base_url, host_name};
use super::effective::{LogFormat, Settings};
use super::quantity;
use crate::http::rates::budget::PerMinute;
use crate::http::rates::forwarded::{Network, ProxyHeader};
use crate::signing::KeyKind;

/// Each is two files held open and a CRL renewed in time.
const MOST_PARTITIONS: u16 = 128;

/// A line of the table.
pub struct Setting {
    /// The key in the file. The flag is `--` with hyphens for underscores, the variable
    /// `CHANCERY_` in capitals.
    pub key: &'static str,
    /// The value's name in the help.
    pub value: &'static str,
    /// What it is for.
    pub meaning: &'static str,
    /// What holds where it is not set.
    pub default: &'static str,
    /// Whether several may be given.
    pub values: Values,
    /// Puts what was given in its place.
    read: fn(&mut Settings, &[&str]) -> Option<()>,
    /// What it must be, for the sentence when it is not.
    pub wanted: &'static str,
}

/// How many values a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// One.
    One,
    /// Several: an array, a repeated flag, a comma-separated variable.
    Several,
}

impl Setting {
    /// The flag without its hyphens.
    pub fn flag(&self) -> String {
        self.key.replace('_', "-")
    }

    /// The environment variable.
    pub fn variable(&self) -> String {
        format!("CHANCERY_{}", self.key.to_ascii_uppercase())
    }

    /// Reads `given` into `settings`; `None` if it is not what is wanted.
    pub fn read(&self, settings: &mut Settings, given: &[&str]) -> Option<()> {
        match (self.values, given) {
            (Values::One, [_]) | (Values::Several, _) => (self.read)(settings, given),
            _ => None,
        }
    }
}

/// Every setting.
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "data",
        value: "DIR",
        meaning: "The data directory, locked against a second process",
        default: "chancery-data",
        values: Values::One,
        read: |settings, given| {
            settings.data = path(given)?;
            Some(())
        },
        wanted: "a directory",
    },
    Setting {
        key: "api_listen",
        value: "ADDRESS:PORT",
        meaning: "Where the API listens (HTTPS)",
        default: "127.0.0.1:8443",
        values: Values::One,
        read: |settings, given| {
            settings.api_listen = given.first()?.parse().ok()?;
            Some(())
        },
        wanted: "an IP address and a port, such as 127.0.0.1:8443 or [::]:8443",
    },
    Setting {
        key: "publish_listen",
        value: "ADDRESS:PORT",
        meaning: "Where CRL and CA certificate are published (plain HTTP, RFC 5280 §8)",
        default: "127.0.0.1:8080",
        values: Values::One,
        read: |settings, given| {
            settings.publish_listen = given.first()?.parse().ok()?;
            Some(())
        },
        wanted: "an IP address and a port, such as 127.0.0.1:8080 or [::]:8080",
    },
    Setting {
        key: "base_url",
        value: "URL",
        meaning: "What goes into CDP and AIA for the certificates' whole life",
        default: "what init recorded, else http:// and the publication address",
        values: Values::Several,
        read: |settings, given| {
            settings.base_urls = given.iter().map(|url| base_url(url)).collect::<Option<_>>()?;
            Some(())
        },
        wanted: "http:// with host, optional port and path, at most 200 ASCII characters (clients \
                 fetch CRLs without TLS)",
    },
    Setting {
        key: "tls_name",
        value: "NAME",
        meaning: "A further DNS name or IP address for the API's own TLS certificate",
        default: "localhost, the host's name and the listening addresses are always there",
        values: Values::Several,
        read: |settings, given| {
            settings.tls_names = given.iter().map(|name| host_name(name)).collect::<Option<_>>()?;
            Some(())
        },
        wanted: "a DNS name or an IP address",
    },
    Setting {
        key: "api_url",
        value: "URL",
        meaning: "Where the API is reached from outside, as notifications write it",
        default: "https:// with the first tls_name, else the listening address",
        values: Values::One,
        read: |settings, given| {
            settings.api_url = Some(api_url(given.first()?)?);
            Some(())
        },
        wanted: "https:// with host, optional port and path, at most 200 ASCII characters",
    },
    Setting {
        key: "log_format",
        value: "text|json",
        meaning: "How log lines look",
        default: "text",
        values: Values::One,
        read: |settings, given| {
            settings.log_format = match *given.first()? {
                "text" => LogFormat::Text,
                "json" => LogFormat::Json,
                _ => return None,
            };
            Some(())
        },
        wanted: "text or json",
    },
    Setting {
        key: "log_level",
        value: "LEVEL",
        meaning: "Which log lines there are: error, warn, info, debug, trace, or a filter such as \
                  info,chancery::http=debug",
        default: "info",
        values: Values::One,
        read: |settings, given| {
            let filter = given.first()?;
            // tracing-subscriber 0.3.23 cuts a filter at octets that need not begin a letter.
            filter.is_ascii().then_some(())?;
            tracing_subscriber::filter::EnvFilter::try_new(filter).ok()?;
            settings.log_level = (*filter).to_owned();
            Some(())
        },
        wanted: "error, warn, info, debug, trace, or a filter such as info,chancery::http=debug",
    },
    Setting {
        key: "crl_period",
        value: "TIME",
        meaning: "From one CRL to the next",
        default: "7d",
        values: Values::One,
        read: |settings, given| {
            let seconds = quantity::seconds(given.first()?)?;
            settings.crl_period_seconds = Some(seconds).filter(|own| *own >= 60)?;
            Some(())
        },
        wanted: "a time of at least a minute, such as 7d, 12h or 30m",
    },
    Setting {
        key: "crl_overlap",
        value: "TIME",
        meaning: "How long a CRL still holds after the next one was due, as AD CS's \
                  CRLOverlapPeriod and CRLOverlapUnits",
        default: "AD CS's: a tenth of crl_period, at most 12 h, at least 15 min",
        values: Values::One,
        read: |settings, given| {
            let seconds = quantity::seconds(given.first()?)?;
            settings.crl_overlap_seconds = Some(Some(seconds).filter(|own| *own >= 900)?);
            Some(())
        },
        wanted: "a time of at least 15m, such as 12h or 3d",
    },
    Setting {
        key: "ocsp",
        value: "true|false",
        meaning: "Whether there is an OCSP responder at /ocsp of the publication address, whose URL \
                  goes into certificates",
        default: "false",
        values: Values::One,
        read: |settings, given| {
            settings.ocsp = given.first()?.parse().ok()?;
            Some(())
        },
        wanted: "true or false",
    },
    Setting {
        key: "ocsp_period",
        value: "TIME",
        meaning: "From one making of all OCSP answers to the next; each holds for two of them",
        default: "4h",
        values: Values::One,
        read: |settings, given| {
            let seconds = quantity::seconds(given.first()?)?;
            let times = 600..=3 * 86_400;
            settings.ocsp_period_seconds = Some(seconds).filter(|own| times.contains(own))?;
            Some(())
        },
        wanted: "a time from 10m to 3d, such as 4h",
    },
    Setting {
        key: "ocsp_key",
        value: "KIND",
        meaning: "The OCSP responder's key: p256, p384, rsa2048, rsa3072 or rsa4096",
        default: "p256",
        values: Values::One,
        read: |settings, given| {
            settings.ocsp_key = KeyKind::from_word(given.first()?)?;
            Some(())
        },
        wanted: "p256, p384, rsa2048, rsa3072 or rsa4096",
    },
    Setting {
        key: "ocsp_nonce",
        value: "true|false",
        meaning: "Whether a nonce in an OCSP request is answered, by a signature for the occasion; \
                  else the stored answer is given without it",
        default: "true",
        values: Values::One,
        read: |settings, given| {
            settings.ocsp_nonce = given.first()?.parse().ok()?;
            Some(())
        },
        wanted: "true or false",
    },
    Setting {
        key: "crl_delta_period",
        value: "TIME|off",
        meaning: "From one delta CRL to the next, as AD CS's CRLDeltaPeriod and \
                  CRLDeltaPeriodUnits; with deltas a revocation is told by the delta first, and by \
                  the next CRL besides",
        default: "off",
        values: Values::One,
        read: |settings, given| {
            settings.crl_delta_period_seconds = match *given.first()? {
                "off" => None,
                time => Some(quantity::seconds(time).filter(|own| *own >= 60)?),
            };
            Some(())
        },
        wanted: "a time of at least a minute, such as 1d or 4h, or off",
    },
    Setting {
        key: "crl_delta_overlap",
        value: "TIME",
        meaning: "How long a delta CRL still holds after the next one was due, as AD CS's \
                  CRLDeltaOverlapPeriod and CRLDeltaOverlapUnits",
        default: "AD CS's: crl_delta_period, at most 12 h, at least 15 min",
        values: Values::One,
        read: |settings, given| {
            let seconds = quantity::seconds(given.first()?)?;
            settings.crl_delta_overlap_seconds = Some(Some(seconds).filter(|own| *own >= 900)?);
            Some(())
        },
        wanted: "a time of at least 15m, such as 1h or 1d",
    },
    Setting {
        key: "crl_delta_in_certificates",
        value: "true|false",
        meaning: "Whether certificates say themselves where the delta CRL is (FreshestCRL), and \
                  not only the CRL; needs crl_delta_period, and is not for certificates that are \
                  in a partition",
        default: "false",
        values: Values::One,
        read: |settings, given| {
            settings.crl_delta_in_certificates = given.first()?.parse().ok()?;
            Some(())
        },
        wanted: "true or false",
    },
    Setting {
        key: "crl_partitions",
        value: "NUMBER",
        meaning: "Among how many CRLs new certificates are parted, each of which lists its own \
                  alone; the complete CRL is published besides. May be raised, and never lowered",
        default: "what is on record; none at first",
        values: Values::One,
        read: |settings, given| {
            let number: u16 = given.first()?.parse().ok()?;
            settings.crl_partitions = Some(Some(number).filter(|own| *own <= MOST_PARTITIONS)?);
            Some(())
        },
        wanted: "a number from 0 to 128",
    },
    Setting {
        key: "publication_directory",
        value: "DIR",
        meaning: "A directory, there already, that CRLs and CA certificates are copied to, for IIS, \
                  nginx or object storage",
        default: "none: they are served from here alone",
        values: Values::One,
        read: |settings, given| {
            settings.publication_directory = Some(path(given)?);
            Some(())
        },
        wanted: "a directory",
    },
    Setting {
        key: "parent_crl_fetch",
        value: "TIME|off",
        meaning: "How often the CRLs of the CAs above are fetched from where this CA's chain says",
        default: "off: chancery install-crl",
        values: Values::One,
        read: |settings, given| {
            settings.parent_crl_fetch_seconds = match *given.first()? {
                "off" => None,
                time => Some(quantity::seconds(time).filter(|own| *own >= 60)?),
            };
            Some(())
        },
        wanted: "a time of at least a minute, such as 6h, or off",
    },
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
        key: "key_passphrase_file",
        value: "FILE",
        meaning: "The file with the CA key's passphrase (or CHANCERY_KEY_PASSPHRASE)",
        default: "none: the key's file is protected by its mode 0600 alone",
        values: Values::One,
        read: |settings, given| {
            settings.key_passphrase_file = Some(path(given)?);
            Some(())
        },
        wanted: "a file",
    },
    Setting {
        key: "processors",
        value: "NUMBER",
        meaning: "How many threads compute at once, 1 to 256",
        default: "as many as the machine has",
        values: Values::One,
        read: |settings, given| {
            let number = given.first()?.parse().ok()?;
            settings.processors = Some(number).filter(|own| (1..=256).contains(own));
            settings.processors.map(|_| ())
        },
        wanted: "a number from 1 to 256",
    },
    Setting {
        key: "doctor_network",
        value: "ADDRESS",
        meaning: "An address or network, not public, that POST /v1/doctor may fetch CRLs from",
        default: "none: public addresses and the base URLs only",
        values: Values::Several,
        read: |settings, given| {
            let networks = given.iter().map(|text| Network::parse(text));
            settings.doctor_networks = networks.collect::<Option<_>>()?;
            Some(())
        },
        wanted: "an IP address or a network, such as 10.0.0.0/8 or fd00::/8",
    },
    Setting {
        key: "self_check",
        value: "TIME|off",
        meaning: "How often the service looks at its own chain and CRL as relying parties do",
        default: "15m",
        values: Values::One,
        read: |settings, given| {
            settings.self_check_seconds = match *given.first()? {
                "off" => None,
                time => Some(quantity::seconds(time).filter(|own| *own >= 10)?),
            };
            Some(())
        },
        wanted: "a time of at least 10s, such as 15m, or off",
    },
    Setting {
        key: "minimum_free",
        value: "SIZE",
        meaning: "Less free space than this stops issuing; revocation and CRLs go on out of a \
                  reserve",
        default: "64MiB",
        values: Values::One,
        read: |settings, given| {
            settings.minimum_free_octets = quantity::octets(given.first()?)?;
            Some(())
        },
        wanted: "a size, such as 64MiB or 1GiB",
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

fn path(given: &[&str]) -> Option<PathBuf> {
    let text = given.first()?;
    (!text.is_empty()).then(|| PathBuf::from(text))
}

#[cfg(test)]
mod tests;
