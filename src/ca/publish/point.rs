//! The publication point: what the doors serve. An immutable snapshot, swapped whole; reading it
//! takes no lock and touches neither register nor key.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;

use super::stream::Part;
use super::{LoadError, PublishedLists, Schedule};
use crate::ca::establish::generations::{Generations, certificate_name, cross_name};
use crate::ca::ocsp::AnswerPoint;
use crate::ca::parents::Parents;
use crate::pki::certificate::Certificate;
use crate::pki::issuer::Issuer;
use crate::pki::revocation_list::{CrlKind, CrlReader, CrlScope};
use crate::pki::time::Timestamp;
use crate::storage::publication::PublicationStore;

/// CRLs up to this size are served from memory.
const KEPT_IN_MEMORY: u64 = 1024 * 1024;

/// What is published of a CA: its certificates and its newest CRLs.
pub struct PublicationPoint {
    slug: String,
    /// Every certificate the CA has had, by certificate index, and cross-certificates after them.
    certificates: Vec<PublishedCertificate>,
    /// Everything under the present key, then the other scopes.
    lists: Vec<Arc<PublishedLists>>,
    answers: Option<Arc<AnswerPoint>>,
    parents: Arc<Parents>,
}

/// A CA certificate as it is published. Those of before are, too: what was issued under them names
/// them in its AIA.
#[derive(Debug)]
pub struct PublishedCertificate {
    /// Its file's name without the ending.
    pub name: String,
    /// DER.
    pub der: Bytes,
    /// SHA-256 of it.
    pub sha256: [u8; 32],
    /// Since when it is what it is.
    pub not_before: Timestamp,
}

impl PublishedCertificate {
    fn of(name: String, der: &[u8]) -> Self {
        // What is no certificate is published as well, so that the others keep their names.
        let began = Certificate::from_der(der).map(|own| own.not_before());
        Self::named(name, der, began.unwrap_or(Timestamp::from_millis(0)))
    }

    /// A certificate under its file's name without the ending.
    pub(in crate::ca) fn named(name: String, der: &[u8], not_before: Timestamp) -> Self {
        let der = Bytes::copy_from_slice(der);
        Self { name, sha256: sha256(&der), der, not_before }
    }
}

/// A published CRL. The file stays readable after another has taken its place.
#[derive(Debug)]
pub struct Current {
    /// CRL number.
    pub number: u64,
    /// The whole list, or what changed since.
    pub kind: CrlKind,
    /// thisUpdate.
    pub this_update: Timestamp,
    /// nextUpdate.
    pub next_update: Timestamp,
    /// When the next one is announced.
    pub next_publish: Timestamp,
    /// When it will be replaced at the latest: nobody should keep it longer.
    pub due: Timestamp,
    /// Last-Modified: whole seconds, no two CRLs alike.
    pub modified: Timestamp,
    /// Its size in octets.
    pub length: u64,
    /// SHA-256 of the whole.
    pub sha256: [u8; 32],
    /// How many entries it has.
    pub entries: u64,
    /// The file.
    pub file: Arc<File>,
    /// All of it, if it is small.
    pub memory: Option<Bytes>,
    /// Of a part: where it says that it is found.
    pub(super) distribution_point_urls: Vec<String>,
    /// Where in the file the entries stand.
    pub(super) entries_range: Range<u64>,
}

impl PublicationPoint {
    /// For this CA, with the CRL that is published in `store` already. A stored CRL that cannot
    /// be believed is left out; the reason is told.
    pub fn open(
        issuer: &Issuer,
        slug: &str,
        store: &dyn PublicationStore,
        schedule: Schedule,
    ) -> (Self, Result<(), LoadError>) {
        let name = certificate_name(slug, 0);
        let certificate = PublishedCertificate::of(name, issuer.certificate_der());
        let scope = CrlScope::of_key(issuer.key_index());
        let (lists, outcome) = PublishedLists::open(issuer, slug, scope, store, schedule);
        let point = Self {
            slug: slug.to_owned(),
            certificates: vec![certificate],
            lists: vec![Arc::new(lists)],
            answers: None,
            parents: Arc::default(),
        };
        (point, outcome)
    }

    /// The same with the CRLs of another scope, of which one may be published in `store` already.
    /// `issuer` is the CA with the key that signs them.
    pub fn with_scope(
        mut self,
        issuer: &Issuer,
        scope: CrlScope,
        store: &dyn PublicationStore,
        schedule: Schedule,
    ) -> (Self, Result<(), LoadError>) {
        let slug = &self.slug;
        let (lists, outcome) = PublishedLists::open(issuer, slug, scope, store, schedule);
        self.lists.push(Arc::new(lists));
        (self, outcome)
    }

    /// The same with an OCSP responder beside it.
    pub fn with_answers(self, answers: Arc<AnswerPoint>) -> Self {
        Self { answers: Some(answers), ..self }
    }

    /// The OCSP responder, if there is one.
    pub fn answers(&self) -> Option<&Arc<AnswerPoint>> {
        self.answers.as_ref()
    }

    /// The same with what is published of the CAs above.
    pub fn with_parents(self, parents: Arc<Parents>) -> Self {
        Self { parents, ..self }
    }

    /// The CAs above.
    pub fn parents(&self) -> &Parents {
        &self.parents
    }

    /// Takes up the delta CRL that is published in `store` already, if it can be believed.
    pub fn open_delta(
        &self,
        issuer: &Issuer,
        store: &dyn PublicationStore,
        schedule: Schedule,
    ) -> Result<(), LoadError> {
        self.main().open_delta(issuer, store, schedule)
    }

    /// The same of another scope.
    pub fn open_delta_of(
        &self,
        scope: CrlScope,
        issuer: &Issuer,
        store: &dyn PublicationStore,
        schedule: Schedule,
    ) -> Result<(), LoadError> {
        match self.lists.iter().find(|lists| lists.scope() == scope) {
            Some(lists) => lists.open_delta(issuer, store, schedule),
            None => Ok(()),
        }
    }

    /// The CA's name in files and URLs.
    pub fn slug(&self) -> &str {
        &self.slug
    }

    /// The same with every certificate that the CA has had, and its cross-certificates.
    pub fn with_generations(self, generations: &Generations) -> Self {
        let own = generations
            .certificates()
            .enumerate()
            .map(|(index, der)| PublishedCertificate::of(certificate_name(&self.slug, index), der));
        let cross = generations.cross().iter().map(|cross| {
            let name = cross_name(&self.slug, cross.subject, cross.issuer);
            PublishedCertificate::of(name, &cross.certificate)
        });
        let certificates = own.chain(cross).collect();
        Self { certificates, ..self }
    }

    /// Every certificate the CA has had, by certificate index, and cross-certificates after them.
    pub fn certificates(&self) -> &[PublishedCertificate] {
        &self.certificates
    }

    /// The newest CRL of everything under the present key, if there is one.
    pub fn current(&self) -> Option<Arc<Current>> {
        self.main().current()
    }

    /// The newest delta CRL for that, if there is one.
    pub fn delta(&self) -> Option<Arc<Current>> {
        self.main().delta()
    }

    /// The CRLs of all scopes, those of everything under the present key first.
    pub fn lists(&self) -> &[Arc<PublishedLists>] {
        &self.lists
    }

    pub(super) fn main(&self) -> &Arc<PublishedLists> {
        // There from the beginning.
        &self.lists[0]
    }
}

impl Current {
    /// Whether it has no end, as the last one that a key signs.
    pub(super) fn is_the_last(&self) -> bool {
        self.next_update == Timestamp::NEVER
    }

    /// Takes up what is published, verified with the CA's key: a list about all that was issued
    /// under it, or about the part that is found in the file `part`.
    pub(super) fn load(
        issuer: &Issuer,
        part: Option<&str>,
        store: &dyn PublicationStore,
        schedule: Schedule,
    ) -> Result<Option<Self>, LoadError> {
        let Some(file) = store.published()? else { return Ok(None) };
        let failed = |error: io::Error| LoadError::Crl(error.into());
        let data = file.metadata().map_err(failed)?;
        let length = data.len();
        let reader = CrlReader::open(Part::of(&file, 0..length))?;
        let entries_range = reader.entries_range();
        let summary = reader.finish_any(issuer.public_key())?;
        let point = &summary.distribution_point_urls;
        let is_the_part = match part {
            None => point.is_empty(),
            Some(name) => point.iter().any(|url| url.ends_with(&format!("/{name}.crl"))),
        };
        if summary.issuer != *issuer.name() || !is_the_part {
            return Err(LoadError::NotOurs);
        }
        let next_publish = summary.next_publish.unwrap_or(summary.next_update);
        let modified = data.modified().map_err(failed)?.duration_since(UNIX_EPOCH);
        let modified = modified.map_or(0, |since| since.as_secs());
        let current = Self {
            number: summary.number.ok_or(LoadError::NotOurs)?,
            kind: summary.kind,
            this_update: summary.this_update,
            next_update: summary.next_update,
            next_publish,
            due: schedule.due(next_publish),
            modified: Timestamp::from_seconds(modified),
            length,
            sha256: file_sha256(&file, length).map_err(failed)?,
            entries: summary.entries,
            memory: in_memory(&file, length).map_err(failed)?,
            file: Arc::new(file),
            distribution_point_urls: summary.distribution_point_urls,
            entries_range,
        };
        Ok(Some(current))
    }

    /// Its encoded entries.
    pub(super) fn encoded_entries(&self) -> Part<'_> {
        Part::of(&self.file, self.entries_range.clone())
    }
}

/// The whole file, if it is small enough to be kept.
pub(super) fn in_memory(file: &File, length: u64) -> io::Result<Option<Bytes>> {
    if length > KEPT_IN_MEMORY {
        return Ok(None);
    }
    let mut octets = vec![0; usize::try_from(length).unwrap_or(0)];
    Part::of(file, 0..length).fill(&mut octets)?;
    Ok(Some(octets.into()))
}

pub(super) fn file_sha256(file: &File, length: u64) -> io::Result<[u8; 32]> {
    let mut context = aws_lc_rs::digest::Context::new(&SHA256);
    let mut part = Part::of(file, 0..length);
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let octets = part.fill(&mut buffer)?;
        if octets == 0 {
            break;
        }
        context.update(buffer.get(..octets).unwrap_or_default());
    }
    Ok(to_array(context.finish().as_ref()))
}

/// SHA-256.
pub(in crate::ca) fn sha256(octets: &[u8]) -> [u8; 32] {
    to_array(digest(&SHA256, octets).as_ref())
}

pub(super) fn to_array(digest: &[u8]) -> [u8; 32] {
    // SHA-256 has 32 octets.
    digest.try_into().unwrap_or_default()
}
