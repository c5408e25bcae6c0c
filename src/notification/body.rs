//! A notification's JSON: `type`, `timestamp` and `data` as Standard Webhooks has them, and the
//! entry's place in the ledger, so that a receiver's archive witnesses the chain of hashes.

use serde::Serialize;

use super::event::{Distance, Event, News, hex};

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    timestamp: String,
    data: Data<'a>,
    ledger: Ledger,
}

#[derive(Serialize)]
struct Ledger {
    sequence: u64,
    hash: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Data<'a> {
    RequestPending {
        request_id: u64,
        template: &'a str,
        account: &'a str,
        requester: &'a str,
        url: &'a str,
        approve_url: String,
        deny_url: String,
    },
    CrlPublished {
        crl_number: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        base_crl_number: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        this_update: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_update: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        entries: Option<u64>,
        size_octets: u64,
        sha256: String,
        crl_urls: &'a [String],
    },
    CrlExpiring {
        crl_number: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        base_crl_number: Option<u64>,
        next_update: String,
        crl_urls: &'a [String],
        before_seconds: u64,
    },
    ParentCrlExpiring {
        issuer: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        crl_number: Option<u64>,
        next_update: String,
        crl_urls: &'a [String],
        before_seconds: u64,
    },
    AnswersExpiring {
        key_index: u16,
        next_update: String,
        ocsp_urls: &'a [String],
        why: &'a str,
        before_seconds: u64,
    },
    AuthorityExpiring {
        subject: &'a str,
        sha256: String,
        not_after: String,
        before_seconds: u64,
    },
    CertificatesExpiring {
        template: &'a str,
        before_seconds: u64,
        certificates: Vec<Ending<'a>>,
    },
    SelfCheckChanged {
        faults: &'a [String],
        warnings: &'a [String],
    },
}

#[derive(Serialize)]
struct Ending<'a> {
    serial_number: &'a str,
    account: &'a str,
    names: &'a [String],
    not_after: String,
    url: &'a str,
}

impl<'a> Data<'a> {
    fn of(news: &'a News) -> Self {
        match news {
            News::RequestPending(own) => Self::RequestPending {
                request_id: own.request_id,
                template: &own.template,
                account: &own.account,
                requester: &own.requester,
                url: &own.url,
                approve_url: format!("{}/approve", own.url),
                deny_url: format!("{}/deny", own.url),
            },
            News::CrlPublished(own) => Self::CrlPublished {
                crl_number: own.number,
                base_crl_number: own.base,
                this_update: own.validity.map(|(begin, _)| begin.to_string()),
                next_update: own.validity.map(|(_, end)| end.to_string()),
                entries: own.entries,
                size_octets: own.size,
                sha256: hex(&own.sha256),
                crl_urls: &own.urls,
            },
            News::CrlExpiring(Distance { before_seconds, .. }, own) => Self::CrlExpiring {
                crl_number: own.number,
                base_crl_number: own.base,
                next_update: own.next_update.to_string(),
                crl_urls: &own.urls,
                before_seconds: *before_seconds,
            },
            News::ParentCrlExpiring(Distance { before_seconds, .. }, own) => {
                Self::ParentCrlExpiring {
                    issuer: &own.issuer,
                    crl_number: own.number,
                    next_update: own.next_update.to_string(),
                    crl_urls: &own.urls,
                    before_seconds: *before_seconds,
                }
            }
            News::AnswersExpiring(Distance { before_seconds, .. }, own) => Self::AnswersExpiring {
                key_index: own.key_index,
                next_update: own.next_update.to_string(),
                ocsp_urls: &own.urls,
                why: &own.why,
                before_seconds: *before_seconds,
            },
            News::AuthorityExpiring(Distance { before_seconds, .. }, own) => {
                Self::AuthorityExpiring {
                    subject: &own.subject,
                    sha256: hex(&own.sha256),
                    not_after: own.not_after.to_string(),
                    before_seconds: *before_seconds,
                }
            }
            News::SelfCheckChanged(own) => {
                Self::SelfCheckChanged { faults: &own.faults, warnings: &own.warnings }
            }
            News::CertificatesExpiring(Distance { before_seconds, .. }, own) => {
                let certificates = own.certificates.iter().map(|own| Ending {
                    serial_number: &own.serial_number,
                    account: &own.account,
                    names: &own.names,
                    not_after: own.not_after.to_string(),
                    url: &own.url,
                });
                Self::CertificatesExpiring {
                    template: &own.template,
                    before_seconds: *before_seconds,
                    certificates: certificates.collect(),
                }
            }
        }
    }
}

/// The octets that are signed and sent: the same for the same event, at every attempt.
pub(super) fn of(event: &Event) -> Vec<u8> {
    let body = Body {
        r#type: event.kind().as_str(),
        timestamp: event.at.to_string(),
        data: Data::of(&event.news),
        ledger: Ledger { sequence: event.sequence, hash: hex(&event.hash) },
    };
    // Nothing in it can fail to be written: no map, no number that JSON does not know.
    serde_json::to_vec(&body).unwrap_or_default()
}
