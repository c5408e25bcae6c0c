//! `/v1/certificates`: what was issued, and how it stands.

use axum::http::StatusCode;
use serde::Serialize;

use super::answer::{Answer, Reply};
use super::api::Api;
use super::call::Call;
use super::negotiate::Representation;
use super::problem::Problem;
use super::query::{Parameters, next_link};
use crate::ca::{CertificateFilter, CertificateRow, CertificateStatus, Lineage, Page};
use crate::pki::bundle::{certificates_to_pem, certificates_to_pkcs7};
use crate::pki::certificate::{Certificate, CertificateError};
use crate::pki::revocation::{Revocation, RevocationReason};
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;

/// `GET /v1/certificates`.
pub fn list(call: &Call<'_>) -> Result<Reply, Problem> {
    let mut parameters = call.parameters()?;
    let filter = filter(&mut parameters, call.now)?;
    let page = Page { after: parameters.cursor()?, limit: parameters.limit()? };
    parameters.finish()?;
    let listing = call.api.authority.certificates(call.requester, filter, page)?;
    let lineages = call.api.authority.lineages(&listing)?;
    let described = listing
        .rows
        .iter()
        .zip(&lineages)
        .map(|(row, lineage)| Ok(Described::of(row, call.now)?.descending(lineage)));
    let certificates = described.collect::<Result<Vec<_>, Problem>>()?;
    let next = listing.next.map(|cursor| next_link(&call.received.uri, &cursor));
    Ok(Answer::json(StatusCode::OK, &Certificates { certificates, next }).into())
}

/// `GET /v1/certificates/{serial_number}`.
pub fn one(call: &Call<'_>) -> Result<Reply, Problem> {
    let representation = Representation::chosen(&call.received.headers)?;
    call.no_parameters()?;
    let row = call.api.authority.certificate(call.requester, &serial_number(call)?)?;
    if representation != Representation::Json {
        return Ok(represented(call, &row, representation, StatusCode::OK).into());
    }
    let mut described = Described::of(&row, call.now)?;
    described.chain = Some(call.api.chains.pem(row.scope.key, call.now));
    described.renew_after = renew_after(call.api, &row);
    let lineage = call.api.authority.lineage(call.requester, &row.serial)?;
    described = described.descending(&lineage);
    described.alt_security_identities =
        Some(call.api.authority.alt_security_identities(&row.serial));
    Ok(Answer::json(StatusCode::OK, &described).into())
}

/// The serial number in the path: upper case, colons and spaces are tolerated.
pub fn serial_number(call: &Call<'_>) -> Result<SerialNumber, Problem> {
    call.name()
        .parse()
        .map_err(|error| Problem::bad_request("serial-number-malformed", format!("{error}")))
}

/// The certificate in one of its own forms.
pub fn represented(
    call: &Call<'_>,
    row: &CertificateRow,
    representation: Representation,
    status: StatusCode,
) -> Answer {
    let own = &row.certificate;
    let body = match representation {
        Representation::Json | Representation::Pem => certificates_to_pem(&[own]).into_bytes(),
        Representation::PemChain => (certificates_to_pem(&[own])
            + call.api.chains.pem(row.scope.key, call.now))
        .into_bytes(),
        Representation::Der => own.clone(),
        Representation::Pkcs7 => {
            let above = call.api.authority.above(row.scope.key, call.now);
            let all: Vec<&[u8]> = std::iter::once(own.as_slice()).chain(above).collect();
            certificates_to_pkcs7(&all)
        }
    };
    Answer::new(status, representation.media_type(), body)
}

fn filter(parameters: &mut Parameters, now: Timestamp) -> Result<CertificateFilter, Problem> {
    let words = "one of good, revoked, held, expired";
    let status = parameters.read("status", words, status_from_word)?;
    Ok(CertificateFilter {
        template: parameters.text("template"),
        account: parameters.text("account"),
        status: status.map(|status| (status, now)),
        name: parameters.text("name"),
        sha1: parameters.read("thumbprint_sha1", "a SHA-1 thumbprint in hex", thumbprint)?,
        sha256: parameters.read("thumbprint_sha256", "a SHA-256 thumbprint in hex", thumbprint)?,
        expires_before: parameters.parsed("expires_before", "a moment as RFC 3339 writes it")?,
        among_newest: None,
    })
}

fn status_from_word(word: &str) -> Option<CertificateStatus> {
    match word {
        "good" => Some(CertificateStatus::Good),
        "revoked" => Some(CertificateStatus::Revoked),
        "held" => Some(CertificateStatus::Held),
        "expired" => Some(CertificateStatus::Expired),
        _ => None,
    }
}

/// How a row stands at `now`.
pub fn status_word(row: &CertificateRow, now: Timestamp) -> &'static str {
    match row.revocation {
        Some(found) if found.reason == RevocationReason::CertificateHold => "held",
        Some(_) => "revoked",
        None if row.not_after < now => "expired",
        None => "good",
    }
}

/// Hex with the colons and spaces that certutil and OpenSSL put between.
fn thumbprint<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|letter| !matches!(letter, ':' | ' '))
        .map(|letter| letter.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let octets: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    (digits.len() == 2 * N).then(|| octets.try_into().ok())?
}

/// Lower-case hex.
pub fn hex(octets: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(octets.len() * 2);
    for octet in octets {
        text.push(char::from(DIGITS[usize::from(octet >> 4)]));
        text.push(char::from(DIGITS[usize::from(octet & 15)]));
    }
    text
}

/// What an enrolment answers about the certificate.
#[derive(Serialize)]
pub struct Parts<'a> {
    serial_number: String,
    not_before: String,
    not_after: String,
    certificate: String,
    chain: &'a str,
    alt_security_identities: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    renew_after: Option<String>,
}

impl<'a> Parts<'a> {
    /// Of an issued certificate.
    pub fn of(call: &Call<'a>, row: &CertificateRow) -> Result<Self, Problem> {
        let api = call.api;
        let not_before = Certificate::not_before_of(&row.certificate);
        Ok(Self {
            serial_number: row.serial.to_string(),
            not_before: not_before.map_err(|error| unreadable(row, &error))?.to_string(),
            not_after: row.not_after.to_string(),
            certificate: certificates_to_pem(&[&row.certificate]),
            chain: api.chains.pem(row.scope.key, call.now),
            alt_security_identities: api.authority.alt_security_identities(&row.serial),
            renew_after: renew_after(api, row),
        })
    }
}

/// From when on a client should renew it.
fn renew_after(api: &Api, row: &CertificateRow) -> Option<String> {
    Some(api.authority.renew_after(row)?.to_string())
}

#[derive(Serialize)]
struct Certificates<'a> {
    certificates: Vec<Described<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A certificate as JSON.
#[derive(Serialize)]
struct Described<'a> {
    serial_number: String,
    status: &'static str,
    request_id: u64,
    template: &'a str,
    account: &'a str,
    requester: &'a str,
    subject: String,
    names: Vec<String>,
    not_before: String,
    not_after: String,
    issued_at: String,
    thumbprint_sha1: String,
    thumbprint_sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation: Option<Revoked>,
    certificate: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    renew_after: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    renewal_of: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    renewed_by: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alt_security_identities: Option<String>,
}

/// A revocation as JSON.
#[derive(Serialize)]
pub struct Revoked {
    revoked_at: String,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    invalidity_date: Option<String>,
}

impl Revoked {
    /// Of a revocation on record.
    pub fn of(revocation: &Revocation) -> Self {
        Self {
            revoked_at: revocation.revoked_at.to_string(),
            reason: revocation.reason.as_str(),
            invalidity_date: revocation.invalidity_date.map(|moment| moment.to_string()),
        }
    }
}

impl<'a> Described<'a> {
    fn of(row: &'a CertificateRow, now: Timestamp) -> Result<Self, Problem> {
        let certificate = read(row)?;
        Ok(Self {
            serial_number: row.serial.to_string(),
            status: status_word(row, now),
            request_id: row.request_id,
            template: &row.template,
            account: &row.account,
            requester: &row.requester,
            subject: certificate.subject().to_string(),
            names: certificate.names(),
            not_before: certificate.not_before().to_string(),
            not_after: row.not_after.to_string(),
            issued_at: row.issued_at.to_string(),
            thumbprint_sha1: hex(&certificate.sha1_thumbprint()),
            thumbprint_sha256: hex(&certificate.sha256_thumbprint()),
            revocation: row.revocation.as_ref().map(Revoked::of),
            certificate: certificates_to_pem(&[&row.certificate]),
            renew_after: None,
            renewal_of: None,
            renewed_by: Vec::new(),
            retires_at: None,
            chain: None,
            alt_security_identities: None,
        })
    }

    fn descending(self, lineage: &Lineage) -> Self {
        Self {
            renewal_of: lineage.renewal_of.map(|serial| serial.to_string()),
            renewed_by: lineage.renewed_by.iter().map(ToString::to_string).collect(),
            retires_at: lineage.retires_at.map(|moment| moment.to_string()),
            ..self
        }
    }
}

/// What is on record was made here and reads; if not, the ledger is damaged.
fn read(row: &CertificateRow) -> Result<Certificate, Problem> {
    Certificate::from_der(&row.certificate).map_err(|error| unreadable(row, &error))
}

fn unreadable(row: &CertificateRow, error: &CertificateError) -> Problem {
    let detail = format!("certificate {} on record: {error}", row.serial);
    Problem::unavailable("ledger-damaged", detail)
}
