//! Where the service is and what it is called, what it writes to its log, and what it may take of
//! the machine.

use super::{Setting, Values, path};
use crate::cli::settings::address::{api_url, base_url, host_name};
use crate::cli::settings::effective::LogFormat;
use crate::cli::settings::quantity;

pub(super) const SERVICE: &[Setting] = &[
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
];
