//! `/v1/ca`: what this CA is, what it issues, and its CRLs.

use std::num::NonZeroU16;

use axum::http::StatusCode;
use serde::Serialize;

use super::answer::{Answer, Reply};
use super::call::Call;
use super::certificates::hex;
use super::idempotency;
use super::problem::Problem;
use super::query::next_link;
use super::templates::{Summary, summaries};
use crate::ca::act::{AnswerRecorded, Idempotency};
use crate::ca::idempotency::Begun;
use crate::ca::{CrlRow, Page};
use crate::pki::bundle::certificates_to_pem;
use crate::pki::certificate::Certificate;
use crate::pki::issuer::Issuer;
use crate::pki::revocation_list::{CrlKind, CrlScope};

#[derive(Serialize)]
struct Description<'a> {
    name: String,
    slug: &'a str,
    subject: String,
    serial_number: String,
    not_before: String,
    not_after: String,
    thumbprint_sha1: String,
    thumbprint_sha256: String,
    template_arc: String,
    crl_urls: &'a [String],
    certificate_urls: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    crl_number: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crl_next_update: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta_crl_number: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta_crl_next_update: Option<String>,
    certificate: String,
    chain: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    earlier_keys: Vec<EarlierKey<'a>>,
    publications: Vec<Publication>,
    notices: Vec<String>,
}

/// A key that the CA had before and what it still signs.
#[derive(Serialize)]
struct EarlierKey<'a> {
    key_index: u16,
    not_after: String,
    thumbprint_sha256: String,
    crl_urls: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    crl_number: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crl_next_update: Option<String>,
}

impl<'a> EarlierKey<'a> {
    fn of(call: &Call<'a>, issuer: &'a Issuer) -> Self {
        let crl = call.api.publisher.current(CrlScope::of_key(issuer.key_index()));
        Self {
            key_index: issuer.key_index(),
            not_after: issuer.not_after().to_string(),
            thumbprint_sha256: hex(&issuer.certificate().sha256_thumbprint()),
            crl_urls: issuer.crl_urls(),
            crl_number: crl.as_ref().map(|crl| crl.number),
            crl_next_update: crl.map(|crl| crl.next_update.to_string()),
        }
    }
}

/// A CRL that is published now.
#[derive(Serialize)]
struct Publication {
    key_index: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<NonZeroU16>,
    crl_number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_crl_number: Option<u64>,
    this_update: String,
    next_update: String,
    crl_urls: Vec<String>,
}

impl Publication {
    /// Those of every scope, a delta after its complete CRL.
    fn all(call: &Call<'_>) -> Vec<Self> {
        let lists = call.api.publisher.lists().iter();
        let published = lists.flat_map(|own| {
            let both = [own.current(), own.delta()].into_iter().flatten();
            both.map(|crl| (own.scope(), crl))
        });
        published
            .map(|(scope, crl)| Self {
                key_index: scope.key,
                partition: scope.partition,
                crl_number: crl.number,
                base_crl_number: base_of(crl.kind),
                this_update: crl.this_update.to_string(),
                next_update: crl.next_update.to_string(),
                crl_urls: call.api.authority.crl_urls_of(scope, crl.kind),
            })
            .collect()
    }
}

/// BaseCRLNumber of a delta.
fn base_of(kind: CrlKind) -> Option<u64> {
    match kind {
        CrlKind::Complete => None,
        CrlKind::Delta { base } => Some(base),
    }
}

/// `GET /v1/ca`.
pub fn describe(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let authority = &call.api.authority;
    let issuer = authority.issuer();
    let certificate = Certificate::from_der(issuer.certificate_der()).map_err(|error| {
        Problem::unavailable("ledger-damaged", format!("the CA certificate: {error}"))
    })?;
    let present = CrlScope::of_key(issuer.key_index());
    let crl = call.api.publisher.current(present);
    let delta = call.api.publisher.delta(present);
    let mut notices = authority.notices();
    notices.extend(authority.accepted_dangers(call.requester));
    let subject = issuer.name().to_string();
    let description = Description {
        name: issuer.name().common_names().first().cloned().unwrap_or_else(|| subject.clone()),
        slug: authority.slug(),
        subject,
        serial_number: certificate.serial().to_string(),
        not_before: issuer.not_before().to_string(),
        not_after: issuer.not_after().to_string(),
        thumbprint_sha1: hex(&certificate.sha1_thumbprint()),
        thumbprint_sha256: hex(&certificate.sha256_thumbprint()),
        template_arc: authority.template_arc().to_string(),
        crl_urls: issuer.crl_urls(),
        certificate_urls: issuer.certificate_urls(),
        crl_number: crl.as_ref().map(|crl| crl.number),
        crl_next_update: crl.map(|crl| crl.next_update.to_string()),
        delta_crl_number: delta.as_ref().map(|crl| crl.number),
        delta_crl_next_update: delta.map(|crl| crl.next_update.to_string()),
        certificate: certificates_to_pem(&[issuer.certificate_der()]),
        chain: call.api.chains.pem(issuer.key_index(), call.now),
        earlier_keys: authority
            .earlier_keys()
            .iter()
            .map(|own| EarlierKey::of(call, &own.issuer))
            .collect(),
        publications: Publication::all(call),
        notices,
    };
    Ok(Answer::json(StatusCode::OK, &description).into())
}

/// `GET /v1/ca/templates`: "certificate templates to issue".
pub fn issued_templates(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let mut listed = call.api.authority.templates(call.requester)?;
    listed.retain(|listed| listed.published);
    Ok(summaries(call, &listed).into())
}

/// `PUT /v1/ca/templates/{name}`: from now on this CA issues it.
pub fn publish_template(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let authority = &call.api.authority;
    let listed = authority.publish_template(call.requester, call.name(), call.now)?;
    let account = call.requester.account();
    let summary = Summary::of(&listed, authority.template_arc(), account);
    Ok(Answer::json(StatusCode::OK, &summary).into())
}

/// `DELETE /v1/ca/templates/{name}`: from now on this CA does not issue it.
pub fn withdraw_template(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    call.api.authority.withdraw_template(call.requester, call.name(), call.now)?;
    Ok(Answer::empty().into())
}

#[derive(Serialize)]
struct Crls {
    crls: Vec<Crl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A CRL on record as JSON.
#[derive(Serialize)]
struct Crl {
    crl_number: u64,
    this_update: String,
    next_update: String,
    next_publish: String,
    entries: u64,
    #[serde(skip_serializing_if = "is_first")]
    key_index: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<NonZeroU16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_crl_number: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    published_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_octets: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

/// Most CAs have one key.
fn is_first(key_index: &u16) -> bool {
    *key_index == 0
}

impl Crl {
    fn of(row: &CrlRow) -> Self {
        Self {
            crl_number: row.number,
            this_update: row.this_update.to_string(),
            next_update: row.next_update.to_string(),
            next_publish: row.next_publish.to_string(),
            entries: row.entries,
            key_index: row.scope.key,
            partition: row.scope.partition,
            base_crl_number: base_of(row.kind),
            published_at: row.published.map(|(at, _, _)| at.to_string()),
            size_octets: row.published.map(|(_, size, _)| size),
            sha256: row.published.map(|(_, _, hash)| hex(&hash)),
        }
    }
}

/// `GET /v1/ca/crls`, newest first.
pub fn crls(call: &Call<'_>) -> Result<Reply, Problem> {
    let mut parameters = call.parameters()?;
    let page = Page { after: parameters.cursor()?, limit: parameters.limit()? };
    parameters.finish()?;
    let listing = call.api.authority.crls(call.requester, page)?;
    let next = listing.next.map(|cursor| next_link(&call.received.uri, &cursor));
    let crls = listing.rows.iter().map(Crl::of).collect();
    Ok(Answer::json(StatusCode::OK, &Crls { crls, next }).into())
}

#[derive(Serialize)]
struct Published {
    #[serde(skip_serializing_if = "Option::is_none")]
    crl_number: Option<u64>,
}

/// `POST /v1/ca/crls`: publish now, although nothing may have changed.
pub fn publish_crl(call: &Call<'_>) -> Result<Reply, Problem> {
    call.no_parameters()?;
    let head = call.api.authority.head().sequence;
    let sequence = match idempotency::key(call.received)? {
        None => {
            call.api.publisher.demand_anew();
            head
        }
        Some(key) => demand_once(call, key, head + 1)?,
    };
    let render = |crl_number: Option<u64>| {
        let status = match crl_number {
            Some(_) => StatusCode::CREATED,
            None => StatusCode::ACCEPTED,
        };
        Answer::json(status, &Published { crl_number })
    };
    Ok(Reply::OncePublished { sequence, scopes: Vec::new(), render: Box::new(render) })
}

/// Puts the demand on record, as ledger entry `next` or a later one, and asks for a CRL that
/// reflects `next`; the same key again asks for no other. What is on record is that number.
fn demand_once(call: &Call<'_>, key: Idempotency, next: u64) -> Result<u64, Problem> {
    let authority = &call.api.authority;
    let sequence = match authority.begin_idempotent(call.requester, &key, call.now)? {
        Begun::First(_under_way) => {
            let status = StatusCode::CREATED.as_u16();
            let body = next.to_string().into_bytes();
            let answer = AnswerRecorded { idempotency: key, status, body, location: None };
            authority.record_crl_demand(call.requester, answer, call.now)?;
            next
        }
        Begun::Again(answer) => String::from_utf8_lossy(&answer.body).parse().map_err(|_| {
            Problem::unavailable("ledger-damaged", "the recorded demand does not read")
        })?,
    };
    call.api.publisher.demand_all(sequence);
    Ok(sequence)
}
