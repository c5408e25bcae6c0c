//! `chancery request`: the enrolment client for people.
//!
//! The key is made here and never leaves this machine; the service gets a request for it. What it
//! answers is checked before it is written: the certificate must be for this key.

mod files;
mod service;
mod signing;

use super::arguments::Request;
use super::csr::{RequestNotMade, make_request};
use super::failure::Failure;
use super::home::{passphrase_file, read_csr};
use super::surroundings::say;
use crate::pki::alternative_name::{AlternativeName, AlternativeNameError};
use crate::pki::bundle::{certificates_from_pem, pem};
use crate::pki::certificate::Certificate;
use crate::pki::name::{DistinguishedName, NameError};
use crate::signing::{CaKey as _, FileKey, KeyFileError};
use files::{Files, Pkcs12};
use service::Service;
pub(super) use service::{Answer, Disposition, agent, agent_showing, answer, submitted};
pub use signing::NotSigned;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum NotEnrolled {
    /// The subject.
    #[error("--subject: {0}")]
    Subject(#[from] NameError),
    /// An alternative name.
    #[error(transparent)]
    AlternativeName(#[from] AlternativeNameError),
    /// The request could not be made.
    #[error(transparent)]
    Request(#[from] RequestNotMade),
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The service cannot be reached, or its certificate is not believed.
    #[error("{url}: {error}")]
    Unreachable {
        /// Where it was tried.
        url: String,
        /// Why it failed.
        error: Box<ureq::Error>,
    },
    /// The service said no.
    #[error("the service answered {status}: {detail} ({rule})")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The rule's slug.
        rule: String,
        /// The sentence.
        detail: String,
    },
    /// The request was denied or failed since it was submitted.
    #[error("request {0} is {1}: {2}")]
    NotIssued(u64, &'static str, String),
    /// The answer is none that this program understands.
    #[error("the service's answer is not understood: {0}")]
    NotUnderstood(&'static str),
    /// A certificate for another key.
    #[error("the service answered with a certificate for another key")]
    AnotherKey,
    /// The PKCS#12 file could not be made.
    #[error("the PKCS#12 file could not be made: {0}")]
    Pkcs12(#[from] p12_keystore::error::Error),
    /// Its password is no text.
    #[error("the PKCS#12 file's password must be UTF-8")]
    PasswordNotText,
}

/// Asks for a certificate, or fetches what became of an earlier request.
pub fn request(arguments: &Request) -> Result<(), Failure> {
    let pkcs12 = pkcs12(arguments)?;
    let service = Service::new(&arguments.url, &arguments.ca_file, &arguments.token_file)?;
    if let Some(request_id) = arguments.request_id {
        let files = Files::new(&arguments.out, &name_of(arguments, "request"))?;
        let answer = service.fetch(request_id)?;
        let key = files.load_key()?;
        return conclude(arguments, &files, &answer, key, pkcs12.as_ref());
    }
    // The parser demands a template wherever no request is fetched.
    let template = arguments.template.as_deref().unwrap_or_default();
    let files = Files::new(&arguments.out, &name_of(arguments, template))?;
    let (key, csr) = match &arguments.csr {
        Some(path) => (None, read_csr(path)?),
        None => {
            files.must_be_free(pkcs12.as_ref())?;
            let key = FileKey::generate(arguments.key_algorithm).map_err(NotEnrolled::from)?;
            let csr = own_request(arguments, &key)?;
            if pkcs12.is_none() {
                // Before it is submitted: a certificate whose key is lost helps nobody.
                files.save_key(&key)?;
            }
            (Some(key), csr)
        }
    };
    let csr = match arguments.co_signing.sign_with.is_empty() {
        true => pem::write("CERTIFICATE REQUEST", &csr),
        false => {
            let other = arguments.on_behalf_of.as_deref();
            match signing::co_signed(&csr, &arguments.co_signing, other) {
                Ok(message) => pem::write("CMS", &message),
                Err(failure) if arguments.csr.is_none() => {
                    files.discard_key()?;
                    return Err(failure);
                }
                Err(failure) => return Err(failure),
            }
        }
    };
    let submitted = service.submit(template, &csr, arguments.on_behalf_of.as_deref());
    if let Err(Failure::NotEnrolled(NotEnrolled::Refused { .. })) = &submitted
        && arguments.csr.is_none()
    {
        // Nothing was issued for it, and it would be in the way of another try.
        files.discard_key()?;
    }
    let answer = submitted?;
    conclude(arguments, &files, &answer, key, pkcs12.as_ref())
}

fn own_request(arguments: &Request, key: &FileKey) -> Result<Vec<u8>, NotEnrolled> {
    let subject = match &arguments.subject {
        Some(text) => DistinguishedName::from_rfc4514(text)?,
        None => DistinguishedName::empty(),
    };
    let mut names = Vec::new();
    for name in &arguments.dns {
        names.push(AlternativeName::dns(name)?);
    }
    names.extend(arguments.ip.iter().copied().map(AlternativeName::Ip));
    for address in &arguments.email {
        names.push(AlternativeName::email(address)?);
    }
    for name in &arguments.upn {
        names.push(AlternativeName::user_principal_name(name)?);
    }
    Ok(make_request(&subject, &names, key)?)
}

/// Writes what was issued, or says what to do next.
fn conclude(
    arguments: &Request,
    files: &Files,
    answer: &Answer,
    key: Option<FileKey>,
    pkcs12: Option<&Pkcs12>,
) -> Result<(), Failure> {
    for notice in &answer.notices {
        say(&format!("Warning: {notice}"));
    }
    let request_id = answer.request_id;
    match answer.disposition {
        Disposition::Issued | Disposition::Revoked => {}
        Disposition::Pending => {
            if let (Some(key), Some(_)) = (&key, pkcs12) {
                files.save_key(key)?;
            }
            say(&format!("Request {request_id} waits for a certificate manager."));
            if let Some(path) = files.key_if_there() {
                say(&format!("Its key is {}.", path.display()));
            }
            say(&format!(
                "Fetch the certificate later: chancery request --request-id {request_id} --url {} \
                 --token-file {} --ca-file {} --out {} --file-name {}",
                arguments.url,
                arguments.token_file.display(),
                arguments.ca_file.display(),
                arguments.out.display(),
                files.name()
            ));
            return Ok(());
        }
        Disposition::Denied | Disposition::Failed => {
            let word = answer.disposition.as_str();
            let detail = answer.detail.clone().unwrap_or_default();
            return Err(NotEnrolled::NotIssued(request_id, word, detail).into());
        }
    }
    let (own, chain) = certificates(answer)?;
    if let Some(key) = &key
        && own.spki_der() != key.spki_der()
    {
        return Err(NotEnrolled::AnotherKey.into());
    }
    say(&format!("Request {request_id}: issued {} for {}.", own.serial(), described(&own)));
    match (pkcs12, &key) {
        (Some(pkcs12), Some(key)) => {
            pkcs12.write(key, &own, &chain)?;
            say(&format!("Key, certificate and chain are in {}.", pkcs12.path().display()));
        }
        _ => {
            files.write(&own, &chain)?.iter().for_each(|line| say(line));
        }
    }
    if let Some(value) = &answer.alt_security_identities {
        say(&format!("altSecurityIdentities: {value}"));
    }
    Ok(())
}

/// The certificate and those above it.
pub(super) fn certificates(answer: &Answer) -> Result<(Certificate, Vec<Vec<u8>>), NotEnrolled> {
    let own = answer.certificate.as_deref().ok_or(NotEnrolled::NotUnderstood("no certificate"))?;
    let own = certificates_from_pem(own).ok().and_then(|mut found| found.pop());
    let own = own.and_then(|der| Certificate::from_der(&der).ok());
    let own = own.ok_or(NotEnrolled::NotUnderstood("the certificate"))?;
    let chain = certificates_from_pem(answer.chain.as_deref().unwrap_or_default());
    Ok((own, chain.map_err(|_| NotEnrolled::NotUnderstood("the chain"))?))
}

fn described(certificate: &Certificate) -> String {
    if certificate.subject().is_empty() {
        certificate.names().join(", ")
    } else {
        certificate.subject().to_string()
    }
}

fn pkcs12(arguments: &Request) -> Result<Option<Pkcs12>, Failure> {
    match (&arguments.pkcs12, &arguments.pkcs12_password_file) {
        (Some(path), Some(password)) => {
            Ok(Some(Pkcs12::new(path.clone(), passphrase_file(password)?)))
        }
        _ => Ok(None),
    }
}

/// What the files are called: as said, else after the first name asked for.
fn name_of(arguments: &Request, otherwise: &str) -> String {
    let subject = arguments.subject.as_deref();
    let subject = subject.and_then(|text| DistinguishedName::from_rfc4514(text).ok());
    let common_name = subject.and_then(|name| name.common_names().pop());
    let chosen = arguments
        .file_name
        .clone()
        .or_else(|| arguments.dns.first().cloned())
        .or(common_name)
        .or_else(|| arguments.on_behalf_of.clone())
        .unwrap_or_else(|| otherwise.to_owned());
    files::harmless(&chosen)
}
