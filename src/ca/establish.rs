//! Bringing a CA into being: its certificate or the request for one, what it takes over when it
//! is adopted, and the first acts of its ledger.
//!
//! Bytes and acts only: the composition root holds disk, clock and randomness, and commits what is
//! made here in this order: [`AuthorityIntended`], signature, [`AuthorityEstablished`] (law 1).

use std::collections::BTreeMap;
use std::io::Read;

use crate::pki::authority_certificate::{
    Generation, assemble_request, root_to_be_signed, subordinate_request_info,
};
use crate::pki::certificate::{Certificate, CertificateError};
use crate::pki::issuer::{Issuer, IssuerError};
use crate::pki::name::DistinguishedName;
use crate::pki::public_key::{KeyError, PublicKey};
use crate::pki::revocation::RevocationReason;
use crate::pki::revocation_list::{
    CrlEntry, CrlError, CrlKind, CrlReader, CrlScope, CrlSummary, DeltaEntry,
};
use crate::pki::serial::SerialNumber;
use crate::pki::signature::SignatureError;
use crate::pki::template::{Template, shipped};
use crate::pki::time::Timestamp;
use crate::signing::{CaKey, SigningError};
use crate::storage::act::{
    AccountSaved, Act, AuthorityEstablished, AuthorityIntended, CertificateRevoked, Der,
    RevokedScope, TemplateMark, TemplateSaved,
};

/// The account that the first administrator's token speaks for.
pub const ADMINISTRATOR: &str = "administrator";

/// How far a root's notBefore is set back, as that of every certificate: clocks differ.
const SET_BACK_SECONDS: u64 = 600;

/// The longest slug.
const SLUG_LENGTH: usize = 64;

/// Why there is no CA.
#[derive(Debug, thiserror::Error)]
pub enum EstablishError {
    /// A CA without a name could not be told from another.
    #[error("the CA's name is empty")]
    NoName,
    /// The key is none that a CA certificate would be made for.
    #[error("the CA's key: {0}")]
    Key(#[from] KeyError),
    /// The key refused.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// What was signed does not verify.
    #[error("the CA's own signature: {0}")]
    Signature(#[from] SignatureError),
    /// The certificate is none.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The certificate is none of a CA that can issue, or its chain does not fit.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The certificate was made for another key.
    #[error("the certificate is not for this CA's key")]
    AnotherKey,
    /// The key that was to be a new one is none.
    #[error("the CA has or had this key already: it is not new")]
    KeyNotNew,
    /// It is over already.
    #[error("the CA certificate ended at {0}")]
    Ended(Timestamp),
    /// The chain needs a certificate that was not given.
    #[error(
        "the certificate of {0} is missing: the chain must be complete up to a self-signed root \
         (give it with --chain)"
    )]
    ParentMissing(String),
    /// A renewal that would end no later than what it renews.
    #[error("a certificate until {would_end} would not outlast the present one ({ends})")]
    NotLonger {
        /// When the new certificate would end.
        would_end: Timestamp,
        /// When the present one does.
        ends: Timestamp,
    },
    /// A 65,536th renewal.
    #[error("the CA version has no room for another certificate")]
    GenerationsExhausted,
    /// The CRL is none, or not signed with the CA's key.
    #[error(transparent)]
    Crl(#[from] CrlError),
    /// The CRL is another CA's.
    #[error("the CRL was issued by {0}, not by this CA")]
    AnotherIssuer(String),
    /// A complete CRL where a delta is wanted.
    #[error("the CRL is complete, not a delta")]
    NotADelta,
    /// A delta against a later list than the one it comes with.
    #[error(
        "the delta CRL is made against CRL {base}, and the CRL beside it has number {given}: what \
         was revoked in between is on neither; give a newer complete CRL"
    )]
    DeltaOfLaterBase {
        /// BaseCRLNumber.
        base: u64,
        /// The number of the complete CRL.
        given: u64,
    },
    /// Another list where a partition's is wanted.
    #[error("the CRL is of no partition of this CA")]
    NotAPartition,
}

/// The to-be-signed bytes of a root certificate, and the act that puts them on record.
pub fn intend_root(
    name: &DistinguishedName,
    key: &dyn CaKey,
    random: [u8; 20],
    now: Timestamp,
    validity_seconds: u64,
) -> Result<AuthorityIntended, EstablishError> {
    if name.is_empty() {
        return Err(EstablishError::NoName);
    }
    let public_key = PublicKey::from_spki_der(key.spki_der())?;
    let serial = SerialNumber::from_random(random);
    let now = now.whole_seconds();
    let validity = [now.minus_seconds(SET_BACK_SECONDS), now.plus_seconds(validity_seconds)];
    let first = Generation::default();
    let tbs = root_to_be_signed(name, &public_key, serial, validity, key.algorithm(), first);
    Ok(AuthorityIntended { tbs })
}

/// Signs a root certificate that is on record; gives its DER, verified.
pub fn sign_root(intended: &AuthorityIntended, key: &dyn CaKey) -> Result<Vec<u8>, EstablishError> {
    let public_key = PublicKey::from_spki_der(key.spki_der())?;
    let signature = key.sign(&intended.tbs)?;
    let made = Certificate::assemble(&intended.tbs, key.algorithm(), &signature, &public_key)?;
    Ok(made.der().to_vec())
}

/// The request (RFC 2986) by which a subordinate CA asks its parent for a certificate.
pub fn subordinate_request(
    name: &DistinguishedName,
    key: &dyn CaKey,
) -> Result<Vec<u8>, EstablishError> {
    if name.is_empty() {
        return Err(EstablishError::NoName);
    }
    let public_key = PublicKey::from_spki_der(key.spki_der())?;
    request_for(name, &public_key, key, Generation::default())
}

fn request_for(
    name: &DistinguishedName,
    public_key: &PublicKey,
    key: &dyn CaKey,
    generation: Generation,
) -> Result<Vec<u8>, EstablishError> {
    let info = subordinate_request_info(name, public_key, generation);
    let signature = key.sign(&info)?;
    Ok(assemble_request(&info, public_key, key.algorithm(), &signature)?)
}

/// A CA certificate made elsewhere, with certificates above it in any order (its own among them
/// does no harm): that it is for `key`, that it may issue, that it has not ended, and that the
/// chain verifies up to a self-signed root. Gives the chain, nearest first.
pub fn accept_certificate(
    certificate: &[u8],
    others: &[Vec<u8>],
    key: &dyn CaKey,
    now: Timestamp,
) -> Result<Vec<Vec<u8>>, EstablishError> {
    let parsed = Certificate::from_der(certificate)?;
    if parsed.spki_der() != key.spki_der() {
        return Err(EstablishError::AnotherKey);
    }
    let others: Result<Vec<_>, _> = others.iter().map(|der| Certificate::from_der(der)).collect();
    let chain = chain_of(parsed, &others?)?;
    let issuer = Issuer::new(certificate, &chain, Vec::new(), Vec::new())?;
    if now > issuer.not_after() {
        return Err(EstablishError::Ended(issuer.not_after()));
    }
    Ok(chain)
}

/// Climbs from issuer to issuer; each certificate is used once, so this ends.
fn chain_of(start: Certificate, others: &[Certificate]) -> Result<Vec<Vec<u8>>, EstablishError> {
    let mut chain = Vec::new();
    let mut left: Vec<&Certificate> =
        others.iter().filter(|own| own.der() != start.der()).collect();
    let mut below = &start;
    while below.issuer() != below.subject() {
        let issued = |above: &&Certificate| {
            above.subject() == below.issuer()
                && above.public_key().is_ok_and(|key| below.verify(&key).is_ok())
        };
        // A root before a cross-certificate of its key, which would end the climb as well.
        let is_root =
            |above: &&Certificate| above.public_key().is_ok_and(|key| above.verify(&key).is_ok());
        let root = left.iter().position(|above| issued(above) && is_root(above));
        let Some(found) = root.or_else(|| left.iter().position(issued)) else {
            return Err(EstablishError::ParentMissing(below.issuer().to_string()));
        };
        below = left.remove(found);
        chain.push(below.der().to_vec());
    }
    Ok(chain)
}

/// What a CRL lists, read whole and believed.
pub struct ListedRevocations {
    /// Its CRL number, if it has one that fits 64 bits.
    pub number: Option<u64>,
    /// When it was issued.
    pub this_update: Timestamp,
    /// Whether it says that there are delta CRLs besides (RFC 5280 §5.2.6).
    pub names_deltas: bool,
    /// Its entries.
    pub entries: Vec<CrlEntry>,
}

impl ListedRevocations {
    /// What is revoked by this complete CRL and a delta of the same CA together
    /// (RFC 5280 §5.2.4): the later of the two has the last word, but nobody whom only one of them
    /// lists is left out unless the delta is later and takes him off. A delta against a later base
    /// does not fit.
    pub fn with(mut self, delta: impl Read, issuer: &Issuer) -> Result<Self, EstablishError> {
        let (summary, changes) = read_list(delta, issuer)?;
        let CrlKind::Delta { base } = summary.kind else { return Err(EstablishError::NotADelta) };
        if !summary.distribution_point_urls.is_empty() {
            return Err(EstablishError::NotADelta);
        }
        if let Some(given) = self.number.filter(|given| *given < base) {
            return Err(EstablishError::DeltaOfLaterBase { base, given });
        }
        let later = summary.number > self.number;
        let mut known: BTreeMap<SerialNumber, CrlEntry> =
            self.entries.drain(..).map(|entry| (entry.serial, entry)).collect();
        for change in changes {
            match change {
                DeltaEntry::Listed(entry) if later => {
                    known.insert(entry.serial, entry);
                }
                DeltaEntry::Listed(entry) => {
                    known.entry(entry.serial).or_insert(entry);
                }
                DeltaEntry::Removed { serial, .. } if later => {
                    known.remove(&serial);
                }
                DeltaEntry::Removed { .. } => {}
            }
        }
        self.number = self.number.max(summary.number);
        self.this_update = self.this_update.max(summary.this_update);
        self.entries = known.into_values().collect();
        Ok(self)
    }
}

/// Reads a CRL of this CA (DER) and verifies our signature on it: what an adopted CA revoked
/// before, or what a restored copy of the ledger does not know yet.
pub fn listed_revocations(
    crl: impl Read,
    issuer: &Issuer,
) -> Result<ListedRevocations, EstablishError> {
    let (summary, changes) = read_list(crl, issuer)?;
    if summary.kind != CrlKind::Complete || !summary.distribution_point_urls.is_empty() {
        return Err(CrlError::NotComplete.into());
    }
    let listed = changes.into_iter().filter_map(|change| match change {
        DeltaEntry::Listed(entry) => Some(entry),
        DeltaEntry::Removed { .. } => None,
    });
    Ok(ListedRevocations {
        number: summary.number,
        this_update: summary.this_update,
        names_deltas: !summary.freshest_urls.is_empty(),
        entries: listed.collect(),
    })
}

/// Whether this CRL, complete or delta, is signed with the CA's key that `issuer` stands for.
pub fn is_signed_by(crl: impl Read, issuer: &Issuer) -> bool {
    read_list(crl, issuer).is_ok()
}

fn read_list(
    crl: impl Read,
    issuer: &Issuer,
) -> Result<(CrlSummary, Vec<DeltaEntry>), EstablishError> {
    let mut reader = CrlReader::open(crl)?;
    if reader.issuer() != issuer.name() {
        return Err(EstablishError::AnotherIssuer(reader.issuer().to_string()));
    }
    let mut changes = Vec::new();
    while let Some(change) = reader.next_change()? {
        changes.push(change);
    }
    Ok((reader.finish_any(issuer.public_key())?, changes))
}

/// The act that puts one entry of such a CRL on record, for the CRLs of `scope`. When its
/// certificate ends is not known, so it stays on our CRLs.
pub fn revoked_before(entry: &CrlEntry, scope: RevokedScope) -> Act {
    let revocation = entry.revocation;
    Act::CertificateRevoked(CertificateRevoked {
        serial: entry.serial.as_der_content().to_vec(),
        revoked_at: revocation.revoked_at.millis(),
        reason: RevocationReason::code(revocation.reason),
        invalidity_date: revocation.invalidity_date.map(Timestamp::millis),
        not_after: None,
        key_sha256: None,
        scope: (scope != CrlScope::FIRST.into()).then_some(scope),
    })
}

/// A CA's lasting properties, as they go on record. `certificate` is empty while a subordinate
/// waits for it.
pub fn established(
    name: &DistinguishedName,
    certificate: Vec<u8>,
    parents: Vec<Vec<u8>>,
    template_arc: String,
    base_urls: Vec<String>,
    next_crl_number: u64,
) -> AuthorityEstablished {
    AuthorityEstablished {
        certificate,
        parents: parents.into_iter().map(Der).collect(),
        slug: slug(name),
        template_arc,
        base_urls,
        next_crl_number,
        earlier: Vec::new(),
        certificate_index: None,
        earlier_parents: Vec::new(),
        cross: Vec::new(),
        latest_this_update: None,
    }
}

/// The first acts of a new ledger: the CA, the shipped templates with the tutorial's three
/// published, and the administrator's account.
pub fn first_acts(established: AuthorityEstablished, now: Timestamp) -> Vec<Act> {
    let templates = shipped();
    let published: Vec<Act> = templates
        .iter()
        .filter(|template| template.is_published_at_first())
        .map(|template| Act::TemplatePublished(TemplateMark { cn: template.cn().to_owned() }))
        .collect();
    let saved = |template: &Template| {
        Act::TemplateSaved(TemplateSaved { cn: template.cn().to_owned(), json: template.to_json() })
    };
    let mut acts: Vec<Act> = templates.iter().map(saved).collect();
    acts.extend(published);
    acts.push(Act::AccountSaved(administrator(now)));
    // Last: whoever finds it on record finds the rest.
    acts.push(Act::AuthorityEstablished(established));
    acts
}

fn administrator(now: Timestamp) -> AccountSaved {
    AccountSaved {
        name: ADMINISTRATOR.to_owned(),
        kind: "service".to_owned(),
        cn: None,
        display_name: Some("Administrator of this CA".to_owned()),
        distinguished_name: None,
        user_principal_name: None,
        mail: None,
        dns_host_name: None,
        object_sid: None,
        object_guid: None,
        service_principal_names: vec![],
        groups: Vec::new(),
        enabled: true,
        roles: vec!["administrator".to_owned()],
        created_at: now.millis(),
        revision: 1,
    }
}

/// The CA's name in files and URLs, `[a-z0-9-]+`: its common name, else the whole name.
pub fn slug(name: &DistinguishedName) -> String {
    let text = name.common_names().pop().unwrap_or_else(|| name.to_string());
    let mut slug = String::new();
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(SLUG_LENGTH);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "ca".to_owned() } else { slug.to_owned() }
}

pub mod cross;
pub mod generations;
pub mod learning;
mod partition;
pub mod renewal;

pub use partition::{ListedPartition, listed_in_partition};
#[cfg(test)]
mod tests;
