//! CRLs, deltas, partitions and OCSP answers: how often, how long, and where to; and the service's
//! look at them.

use super::{Setting, Values, path};
use crate::cli::settings::quantity;
use crate::http::rates::forwarded::Network;
use crate::signing::KeyKind;

/// Each is two files held open and a CRL renewed in time.
const MOST_PARTITIONS: u16 = 128;

pub(super) const REVOCATION: &[Setting] = &[
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
];
