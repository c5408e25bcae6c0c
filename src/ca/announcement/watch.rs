//! What ends soon: certificates that nothing renews, CA certificates, a CRL that nothing replaces,
//! and OCSP answers that nothing makes anew.
//!
//! Each end is told once for each distance, on record: what was told stands in the register, not
//! in memory, so a restart or a clock that jumps may tell it late, never twice. After a standstill
//! only the nearest distance is told of those that were passed.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::{Authority, Refusal, ocsp};
use crate::pki::certificate::Certificate;
use crate::pki::presented::Number;
use crate::pki::revocation_list::{CrlKind, CrlScope};
use crate::pki::time::Timestamp;
use crate::storage::act::{
    Act, Ending, EndingAnswers, EndingAuthority, EndingCertificate, EndingCertificates, EndingCrl,
    EndingParentCrl, Entry, ExpiryNoticed,
};
use crate::storage::{
    CertificateFilter, CertificateRow, CertificateStatus, CrlRow, Page, StoreError, Subject,
    Urgency,
};

/// How often certificates are gone through, in seconds.
const CERTIFICATES_EVERY: u64 = 3600;
/// How often CRL and CA certificates are looked at, in seconds.
const FEW_EVERY: u64 = 30;
/// After so many seconds it is looked again whether what was renewed still is (its successor may
/// have been revoked).
const RENEWED_FOR: u64 = 86_400;
/// So many renewed certificates are remembered; of others it is asked each time.
const MOST_REMEMBERED: usize = 200_000;
/// Certificates looked at in one go.
const PAGE: usize = 200;
/// Certificates that one notification tells of.
const TOGETHER: usize = 50;
/// Later certificates of the same name that are looked at before it counts as not renewed.
const SUCCESSORS: usize = 100;
/// From when on a CRL is overdue, after it was to be replaced: at most this, in seconds.
const OVERDUE: u64 = 300;

/// How long before an end it is told, in seconds, in any order; nothing where none are given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distances {
    /// Of certificates.
    pub certificates: Vec<u64>,
    /// Of CA certificates.
    pub authorities: Vec<u64>,
    /// Of the published CRL.
    pub crl: Vec<u64>,
    /// Of the CRLs of CAs above.
    pub parent_crls: Vec<u64>,
    /// Of OCSP answers.
    pub answers: Vec<u64>,
}

/// Says which OCSP answers end soon though they were to be renewed by now.
pub type EndingAnswersOf = Arc<dyn Fn(Timestamp) -> Vec<ocsp::EndingAnswers> + Send + Sync>;

/// Looks for what ends soon.
pub struct Watch {
    authority: Arc<Authority>,
    distances: Distances,
    /// When the few and the certificates were looked at last.
    looked: Mutex<[Option<Timestamp>; 2]>,
    renewed: Mutex<Renewed>,
    answers: Option<EndingAnswersOf>,
}

/// Certificates that were renewed when that was asked, by their requests, and since when.
#[derive(Default)]
struct Renewed {
    since: Option<Timestamp>,
    requests: HashSet<u64>,
}

impl Watch {
    /// Over what this authority has issued.
    pub fn new(authority: Arc<Authority>, distances: Distances) -> Self {
        let (looked, renewed) = (Mutex::new([None, None]), Mutex::default());
        Self { authority, distances, looked, renewed, answers: None }
    }

    /// The same with a responder's answers.
    pub fn with_answers(self, answers: EndingAnswersOf) -> Self {
        Self { answers: Some(answers), ..self }
    }

    /// Looks again at what was not looked at for a while.
    pub fn tick(&self, now: Timestamp) -> Result<(), Refusal> {
        let is_time = |place: usize, every: u64| {
            let looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner)[place];
            // A clock that went back is a reason to look as well.
            looked.is_none_or(|last| now < last || now.seconds_since(last) >= every)
        };
        let has_looked = |place: usize| {
            self.looked.lock().unwrap_or_else(PoisonError::into_inner)[place] = Some(now);
        };
        if is_time(0, FEW_EVERY) {
            self.look_at_crls(now)?;
            self.look_at_authorities(now)?;
            self.look_at_parent_crls(now)?;
            self.look_at_answers(now)?;
            has_looked(0);
        }
        if is_time(1, CERTIFICATES_EVERY) {
            let count = self.look_at_certificates(now)?;
            has_looked(1);
            if count > 0 {
                tracing::info!(count, "certificates that end soon are told");
            }
        }
        Ok(())
    }

    /// The published CRLs of each key, and the delta where one says that there are deltas, each once
    /// a newer one is overdue.
    pub fn look_at_crls(&self, now: Timestamp) -> Result<(), Refusal> {
        let scopes = self.authority.issuers().flat_map(|issuer| issuer.scopes());
        scopes.into_iter().try_for_each(|scope| self.look_at_crls_of(scope, now))
    }

    fn look_at_crls_of(&self, scope: CrlScope, now: Timestamp) -> Result<(), Refusal> {
        let Some(row) = self.published(scope, |kind| *kind == CrlKind::Complete)? else {
            return Ok(());
        };
        self.look_at_list(&row, now)?;
        // Where there are no deltas any more, the last one may run out.
        if row.freshest
            && let Some(delta) = self.published(scope, |kind| *kind != CrlKind::Complete)?
        {
            self.look_at_list(&delta, now)?;
        }
        Ok(())
    }

    fn look_at_list(&self, row: &CrlRow, now: Timestamp) -> Result<(), Refusal> {
        let overlap = row.next_update.seconds_since(row.next_publish);
        if now < row.next_publish.plus_seconds((overlap / 10).min(OVERDUE)) {
            return Ok(());
        }
        let left = row.next_update.seconds_since(now);
        let Some(before) = reached(&self.distances.crl, left, u64::MAX) else { return Ok(()) };
        let (number, next_update) = (row.number, row.next_update.seconds());
        let ending = Ending::Crl(EndingCrl { number, next_update });
        self.tell_one(&Subject::Crl(number), before, ending, now)
    }

    /// The newest CRL of a scope and a kind that was published; others come between.
    fn published(
        &self,
        scope: CrlScope,
        wanted: fn(&CrlKind) -> bool,
    ) -> Result<Option<CrlRow>, Refusal> {
        let mut after = None;
        loop {
            let page = Page { after, limit: 16 };
            let page = self.authority.register.crls(Some(scope), page)?;
            let found = |row: &CrlRow| row.published.is_some() && wanted(&row.kind);
            if let Some(row) = page.rows.into_iter().find(found) {
                return Ok(Some(row));
            }
            after = page.next;
            if after.is_none() {
                return Ok(None);
            }
        }
    }

    /// The CRLs of the CAs above, once their next ones are due.
    pub fn look_at_parent_crls(&self, now: Timestamp) -> Result<(), Refusal> {
        for parent in self.authority.parents.iter() {
            let Some(crl) = parent.crl().filter(|crl| now >= crl.due()) else { continue };
            let left = crl.next_update.seconds_since(now);
            let wanted = &self.distances.parent_crls;
            let Some(before) = reached(wanted, left, crl.life()) else { continue };
            let ending = Ending::ParentCrl(EndingParentCrl {
                sha256: crl.sha256,
                issuer_name: parent.subject(),
                number: crl.number.as_ref().and_then(Number::to_u64),
                next_update: crl.next_update.seconds(),
                urls: parent.crl_urls().to_vec(),
            });
            self.tell_one(&Subject::ParentCrl(crl.sha256), before, ending, now)?;
        }
        Ok(())
    }

    /// OCSP answers that were to be renewed by now.
    pub fn look_at_answers(&self, now: Timestamp) -> Result<(), Refusal> {
        for own in self.answers.iter().flat_map(|answers| answers(now)) {
            let left = own.next_update.seconds_since(now);
            let wanted = &self.distances.answers;
            let Some(before) = reached(wanted, left, u64::MAX) else { continue };
            let (key, next_update) = (own.key_index, own.next_update.seconds());
            let ending = Ending::Answers(EndingAnswers { key, next_update, why: own.why });
            self.tell_one(&Subject::Answers(key, next_update), before, ending, now)?;
        }
        Ok(())
    }

    /// This CA's certificate and those above it.
    pub fn look_at_authorities(&self, now: Timestamp) -> Result<(), Refusal> {
        let issuer = Arc::clone(&self.authority.issuer);
        for own in std::iter::once(issuer.certificate()).chain(issuer.chain()) {
            let (left, life) = (own.not_after().seconds_since(now), life_of(own));
            let Some(before) = reached(&self.distances.authorities, left, life) else { continue };
            let sha256 = own.sha256_thumbprint();
            let ending = Ending::Authority(EndingAuthority {
                sha256,
                subject: own.subject().to_string(),
                not_after: own.not_after().seconds(),
            });
            self.tell_one(&Subject::Authority(sha256), before, ending, now)?;
        }
        Ok(())
    }

    fn tell_one(
        &self,
        subject: &Subject,
        before_seconds: u64,
        ending: Ending,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let told_before_seconds = self.authority.register.told(subject)?;
        if told_before_seconds.is_some_and(|told| told <= before_seconds) {
            return Ok(());
        }
        let noticed = ExpiryNoticed { before_seconds, told_before_seconds, ending };
        // What is told here is what everybody depends on: also out of the reserve.
        self.record(vec![noticed], Urgency::Reserved, now)
    }

    /// Certificates that are good and that nothing renews; says how many are told.
    pub fn look_at_certificates(&self, now: Timestamp) -> Result<usize, Refusal> {
        let Some(longest) = self.distances.certificates.iter().max() else { return Ok(0) };
        let filter = CertificateFilter {
            status: Some((CertificateStatus::Good, now)),
            expires_before: Some(now.plus_seconds(longest.saturating_add(1))),
            ..CertificateFilter::default()
        };
        self.forget_renewed(now);
        let (mut count, mut after) = (0, None);
        loop {
            let page =
                self.authority.register.certificates(&filter, Page { after, limit: PAGE })?;
            count += self.tell_certificates(&page.rows, now)?;
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(count),
            }
        }
    }

    fn tell_certificates(&self, rows: &[CertificateRow], now: Timestamp) -> Result<usize, Refusal> {
        let register = &self.authority.register;
        let mut groups: BTreeMap<(&str, u64, Option<u64>), Vec<EndingCertificate>> =
            BTreeMap::new();
        for row in rows {
            let left = row.not_after.seconds_since(now);
            let life = row.not_after.seconds_since(row.issued_at);
            let wanted = &self.distances.certificates;
            let Some(before) = reached(wanted, left, life) else { continue };
            let told = register.told(&Subject::Certificate(row.serial))?;
            if told.is_some_and(|told| told <= before)
                || self.renewed().requests.contains(&row.request_id)
            {
                continue;
            }
            if self.is_renewed(row, now)? {
                let mut renewed = self.renewed();
                if renewed.requests.len() < MOST_REMEMBERED {
                    renewed.requests.insert(row.request_id);
                }
                continue;
            }
            let serial = row.serial.as_der_content().to_vec();
            let ending = EndingCertificate { serial, not_after: row.not_after.seconds() };
            groups.entry((&row.template, before, told)).or_default().push(ending);
        }
        let mut notices = Vec::new();
        let mut count = 0;
        for ((template, before_seconds, told_before_seconds), certificates) in groups {
            count += certificates.len();
            for some in certificates.chunks(TOGETHER) {
                let (template, certificates) = (template.to_owned(), some.to_vec());
                let ending = Ending::Certificates(EndingCertificates { template, certificates });
                notices.push(ExpiryNoticed { before_seconds, told_before_seconds, ending });
            }
        }
        if !notices.is_empty() {
            self.record(notices, Urgency::Ordinary, now)?;
        }
        Ok(count)
    }

    fn renewed(&self) -> MutexGuard<'_, Renewed> {
        self.renewed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget_renewed(&self, now: Timestamp) {
        let mut renewed = self.renewed();
        let passed = |since| now < since || now.seconds_since(since) >= RENEWED_FOR;
        if renewed.since.is_none_or(passed) {
            *renewed = Renewed { since: Some(now), requests: HashSet::new() };
        }
    }

    /// Whether a good certificate that ends later takes its place: one that renews it, or one of
    /// the same template, account and names (autoenrolment asks anew instead of renewing).
    fn is_renewed(&self, row: &CertificateRow, now: Timestamp) -> Result<bool, StoreError> {
        let register = &self.authority.register;
        let lasts =
            |other: &CertificateRow| other.not_after > row.not_after && other.revocation.is_none();
        for serial in register.lineage(&row.serial)?.renewed_by {
            if register.certificate(&serial)?.is_some_and(|other| lasts(&other)) {
                return Ok(true);
            }
        }
        let names = names_of(row);
        let Some(name) = names.first() else { return Ok(false) };
        let filter = CertificateFilter {
            template: Some(row.template.clone()),
            account: Some(row.account.clone()),
            name: Some(name.clone()),
            status: Some((CertificateStatus::Good, now)),
            ..CertificateFilter::default()
        };
        let others = register.certificates(&filter, Page { after: None, limit: SUCCESSORS })?.rows;
        Ok(others.iter().any(|other| lasts(other) && names_of(other) == names))
    }

    fn record(
        &self,
        notices: Vec<ExpiryNoticed>,
        urgency: Urgency,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let entry =
            |noticed| Entry { at: now.millis(), actor: None, act: Act::ExpiryNoticed(noticed) };
        let entries = notices.into_iter().map(entry).collect();
        Ok(self.authority.register.commit(entries, urgency)?)
    }
}

/// The nearest distance that is reached with `left` seconds to go. One that is not shorter than
/// the whole life does not count: nobody is to be told of an end on the day of the beginning.
fn reached(wanted: &[u64], left: u64, life: u64) -> Option<u64> {
    wanted.iter().copied().filter(|before| left <= *before && *before < life).min()
}

fn life_of(certificate: &Certificate) -> u64 {
    certificate.not_after().seconds_since(certificate.not_before())
}

/// Lower-case and sorted; none where there are none to compare.
fn names_of(row: &CertificateRow) -> Vec<String> {
    let names = Certificate::from_der(&row.certificate).map(|own| own.names());
    let mut names: Vec<String> =
        names.unwrap_or_default().into_iter().map(|name| name.to_lowercase()).collect();
    names.sort_unstable();
    names
}
