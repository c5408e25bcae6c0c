//! What each act changes in the index. Applying an entry twice, or again from an earlier entry
//! on, comes to the same.

mod due;
mod revocation;

pub use revocation::CrlChange;

use super::postings::{self, Fingerprint};
use super::rows::{Facts, HELD, ORPHAN, PENDED};
use super::{
    ACCOUNT, AUTHORITY, CRL, CRL_PARTITIONS, Index, OTHER_TEMPLATES, PARENT_CRL, ROLES, SEQUENCE,
    STRIDE, TEMPLATE, TEMPLATE_NUMBER, TOKEN,
};
use super::{TOKEN_HASH, TOKEN_SPENT, both, pair};
use crate::pki::disposition::Disposition;
use crate::pki::revocation::{Revocation, RevocationReason};
use crate::pki::time::Timestamp;
use crate::storage::StoreError;
use crate::storage::act::{self, Act, Entry};
use crate::storage::ledger::Reader;

impl Index {
    /// Applies the entry that stands at `offset`.
    pub fn apply(
        &mut self,
        reader: &Reader,
        offset: u64,
        sequence: u64,
        entry: &Entry,
    ) -> Result<Option<CrlChange>, StoreError> {
        self.note_sequence(sequence, offset)?;
        if entry.act.is_notable() {
            self.notable(sequence, offset)?;
        }
        match &entry.act {
            Act::AuthorityEstablished(_) => {
                self.chunks.set_named(AUTHORITY, b"", Some(&pair(offset, 0)))?;
            }
            Act::RolesSaved(_) => {
                self.chunks.set_named(ROLES, b"", Some(&pair(offset, 0)))?;
            }
            Act::RequestReceived(received) => self.received(offset, entry, received)?,
            Act::SerialReserved(reserved) => {
                let request = row(reserved.request_id);
                self.rows.set_places(&mut self.chunks, request, |at| at.reserved = offset)?;
                self.change_facts(request, |facts| facts.flags |= ORPHAN)?;
                let fingerprint = Fingerprint::of(&reserved.serial);
                postings::add(&mut self.chunks, postings::SERIAL, fingerprint, u64::from(request));
            }
            Act::CertificateIssued(issued) => self.issued(offset, issued)?,
            Act::RequestDenied(denied) => {
                self.resolved(offset, denied.request_id, |facts| {
                    facts.disposition = Disposition::Denied;
                    facts.flags &= !ORPHAN;
                })?;
            }
            Act::RequestFailed(failed) => {
                self.resolved(offset, failed.request_id, |facts| {
                    facts.disposition = Disposition::Failed;
                    facts.flags &= !ORPHAN;
                })?;
            }
            Act::RequestPended(mark) => {
                self.pending_begins(offset, entry.at, mark.request_id)?;
                self.change_facts(row(mark.request_id), |facts| {
                    facts.disposition = Disposition::Pending;
                    facts.flags |= PENDED;
                })?;
            }
            Act::RequestApproved(mark) => {
                self.resolved(offset, mark.request_id, |facts| {
                    facts.disposition = Disposition::Active;
                })?;
            }
            Act::CertificateRevoked(revoked) => return self.revoked(reader, offset, revoked),
            Act::CertificateReleased(released) => {
                let at = Timestamp::from_millis(entry.at);
                return self.released(reader, offset, &released.serial, at);
            }
            Act::CrlIntended(crl) => {
                self.crl_intended(offset, crl)?;
            }
            Act::CrlPublished(crl) => {
                self.second(CRL, &crl.number.to_be_bytes(), |intended, _| (intended, offset))?;
            }
            Act::TemplateSaved(saved) => {
                self.second(TEMPLATE, saved.cn.as_bytes(), |_, published| (offset, published))?;
            }
            Act::TemplateDeleted(mark) => {
                self.chunks.set_named(TEMPLATE, mark.cn.as_bytes(), None)?;
            }
            Act::TemplatePublished(mark) => {
                self.second(TEMPLATE, mark.cn.as_bytes(), |saved, _| (saved, 1))?;
            }
            Act::TemplateUnpublished(mark) => {
                self.second(TEMPLATE, mark.cn.as_bytes(), |saved, _| (saved, 0))?;
            }
            Act::AccountSaved(saved) => {
                let name = saved.name.to_ascii_lowercase();
                let place = pair(offset, saved.revision);
                self.chunks.set_named(ACCOUNT, name.as_bytes(), Some(&place))?;
            }
            Act::AccountDeleted(mark) => {
                let name = mark.name.to_ascii_lowercase();
                self.chunks.set_named(ACCOUNT, name.as_bytes(), None)?;
            }
            Act::TokenCreated(token) => {
                self.second(TOKEN, token.id.as_bytes(), |_, _| (offset, 0))?;
                self.chunks.set_named(TOKEN_HASH, &token.sha256, Some(token.id.as_bytes()))?;
            }
            Act::TokenRevoked(mark) => {
                self.second(TOKEN, mark.id.as_bytes(), |created, _| (created, offset))?;
            }
            Act::TokenUsed(used) => {
                self.token_use(reader, &used.id, offset)?;
                let request = used.request_id.to_be_bytes();
                self.chunks.set_named(TOKEN_SPENT, &request, Some(used.id.as_bytes()))?;
            }
            Act::TokenReturned(used) => {
                self.token_use(reader, &used.id, 0)?;
                self.chunks.set_named(TOKEN_SPENT, &used.request_id.to_be_bytes(), None)?;
            }
            Act::AnswerRecorded(answer) => {
                self.note_idempotency(offset, entry, &answer.idempotency);
            }
            Act::RetirementScheduled(scheduled) => {
                self.retirement_scheduled(reader, offset, scheduled)?;
            }
            Act::RetirementCancelled(mark) => self.retirement_over(&mark.serial)?,
            Act::ExpiryNoticed(noticed) => self.told(noticed)?,
            Act::NotificationsSettled(settled) => self.settled(offset, settled)?,
            Act::SelfCheckChanged(_) => self.self_check_changed(offset)?,
            Act::CrlsPartitioned(parted) => {
                let name = parted.key.to_be_bytes();
                self.chunks.set_named(CRL_PARTITIONS, &name, Some(&pair(offset, 0)))?;
            }
            Act::ParentCrlInstalled(crl) => {
                self.chunks.set_named(PARENT_CRL, &crl.issuer, Some(&pair(offset, 0)))?;
            }
            Act::Started(_)
            | Act::Restored(_)
            | Act::AuthorityIntended(_)
            | Act::ResponderAppointed(_)
            | Act::AnswersBegun(_)
            | Act::AnswersRenewed(_) => {}
        }
        Ok(None)
    }

    /// A use comes or goes. A revocation stands whatever comes after it.
    fn token_use(&mut self, reader: &Reader, id: &str, used: u64) -> Result<(), StoreError> {
        let known = self.chunks.named(TOKEN, id.as_bytes())?;
        let (created, ended) = known.as_deref().map_or((0, 0), both);
        if ended != 0 && matches!(reader.entry(ended)?.entry.act, Act::TokenRevoked(_)) {
            return Ok(());
        }
        self.chunks.set_named(TOKEN, id.as_bytes(), Some(&pair(created, used)))
    }

    fn note_sequence(&mut self, sequence: u64, offset: u64) -> Result<(), StoreError> {
        if !sequence.is_multiple_of(STRIDE) {
            return Ok(());
        }
        let stride = sequence / STRIDE;
        let at = (stride % 64) as usize * 6;
        self.chunks.change(SEQUENCE, u32::try_from(stride / 64).unwrap_or(u32::MAX), |octets| {
            if octets.len() < at + 6 {
                octets.resize(at + 6, 0);
            }
            octets[at..at + 6].copy_from_slice(&offset.to_le_bytes()[..6]);
        })
    }

    fn received(
        &mut self,
        offset: u64,
        entry: &Entry,
        received: &act::RequestReceived,
    ) -> Result<(), StoreError> {
        let request = row(received.request_id);
        self.next_request = self.next_request.max(received.request_id + 1);
        let account = Fingerprint::of_name(&received.account);
        let facts = Facts {
            disposition: Disposition::Active,
            flags: 0,
            template: self.template_number(&received.template)?,
            account: account.short(),
            not_after: 0,
        };
        self.rows.set_facts(&mut self.chunks, request, &facts)?;
        self.rows.set_places(&mut self.chunks, request, |at| {
            *at = super::rows::Places { received: offset, ..Default::default() };
        })?;
        postings::add(&mut self.chunks, postings::ACCOUNT, account, u64::from(request));
        if let Some(actor) = &entry.actor
            && !actor.eq_ignore_ascii_case(&received.account)
        {
            let actor = Fingerprint::of_name(actor);
            postings::add(&mut self.chunks, postings::ACCOUNT, actor, u64::from(request));
        }
        if let Some(renewal) = &received.renewal {
            let renewed = Fingerprint::of(&renewal.serial);
            postings::add(&mut self.chunks, postings::RENEWAL, renewed, u64::from(request));
        }
        if let Some(idempotency) = &received.idempotency {
            self.note_idempotency(offset, entry, idempotency);
        }
        Ok(())
    }

    fn issued(&mut self, offset: u64, issued: &act::CertificateIssued) -> Result<(), StoreError> {
        let request = row(issued.request_id);
        self.rows.set_places(&mut self.chunks, request, |at| at.issued = offset)?;
        let template = self.template_number(&issued.template)?;
        self.change_facts(request, |facts| {
            facts.disposition = Disposition::Issued;
            facts.flags &= !(ORPHAN | HELD);
            facts.template = template;
            facts.account = Fingerprint::of_name(&issued.account).short();
            facts.not_after = issued.not_after;
        })?;
        let hashes = [
            (postings::SHA1, Fingerprint::of_hash(&issued.sha1)),
            (postings::SHA256, Fingerprint::of_hash(&issued.sha256)),
        ];
        let names = issued.names.iter().map(|name| (postings::NAME, Fingerprint::of_name(name)));
        for (kind, fingerprint) in hashes.into_iter().chain(names) {
            postings::add(&mut self.chunks, kind, fingerprint, u64::from(request));
        }
        Ok(())
    }

    fn resolved(
        &mut self,
        offset: u64,
        request_id: u64,
        change: impl FnOnce(&mut Facts),
    ) -> Result<(), StoreError> {
        let request = row(request_id);
        self.rows.set_places(&mut self.chunks, request, |at| at.resolved = offset)?;
        let facts = self.change_facts(request, change)?;
        if facts.flags & PENDED != 0 {
            self.pending_over(request_id)?;
        }
        Ok(())
    }

    fn change_facts(
        &mut self,
        request: u32,
        change: impl FnOnce(&mut Facts),
    ) -> Result<Facts, StoreError> {
        let known = self.rows.facts(&self.chunks, request)?;
        // Without its arrival (damage took it) a request still has what came after.
        let mut facts = known.unwrap_or(Facts {
            disposition: Disposition::Active,
            flags: 0,
            template: 0,
            account: 0,
            not_after: 0,
        });
        self.next_request = self.next_request.max(u64::from(request) + 1);
        change(&mut facts);
        self.rows.set_facts(&mut self.chunks, request, &facts)?;
        Ok(facts)
    }

    fn note_idempotency(&mut self, offset: u64, entry: &Entry, used: &act::Idempotency) {
        let of = idempotency_fingerprint(entry.actor.as_deref().unwrap_or_default(), &used.key);
        postings::add(&mut self.chunks, postings::IDEMPOTENCY, of, offset);
    }

    fn second(
        &mut self,
        kind: u8,
        name: &[u8],
        change: impl FnOnce(u64, u64) -> (u64, u64),
    ) -> Result<(), StoreError> {
        let known = self.chunks.named(kind, name)?;
        let (first, second) = known.as_deref().map_or((0, 0), both);
        let (first, second) = change(first, second);
        self.chunks.set_named(kind, name, Some(&pair(first, second)))
    }

    /// The index's own number for a template, which stays its own for good. 0 means none.
    fn template_number(&mut self, cn: &str) -> Result<u16, StoreError> {
        if let Some(number) = self.number_of(cn) {
            return Ok(number);
        }
        let Some(number) = self.next_number() else { return Ok(OTHER_TEMPLATES) };
        self.chunks.set_named(TEMPLATE_NUMBER, cn.as_bytes(), Some(&number.to_be_bytes()))?;
        self.templates.insert(cn.to_owned(), number);
        Ok(number)
    }
}

/// The postings' key of an account's `Idempotency-Key`.
pub(super) fn idempotency_fingerprint(account: &str, key: &str) -> Fingerprint {
    Fingerprint::of(&[account.to_ascii_lowercase().as_bytes(), b"\0", key.as_bytes()].concat())
}

/// Rows are numbered with 32 bits; the writer refuses numbers above.
pub(super) fn row(request_id: u64) -> u32 {
    u32::try_from(request_id).unwrap_or(u32::MAX)
}

/// What the ledger says of a revocation. A reason that is none of ours (an adopted CRL's) counts
/// as unspecified: the serial number stays on the CRL.
pub fn revocation_of(revoked: &act::CertificateRevoked) -> Revocation {
    Revocation {
        revoked_at: Timestamp::from_millis(revoked.revoked_at),
        reason: RevocationReason::from_code(revoked.reason)
            .unwrap_or(RevocationReason::Unspecified),
        invalidity_date: revoked.invalidity_date.map(Timestamp::from_millis),
    }
}
