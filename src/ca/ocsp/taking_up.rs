//! Who signs, and the table that is written: of the last run where it can be believed.

use std::sync::Arc;

use bytes::Bytes;

use super::OcspError;
use super::desk::{Desk, commit};
use super::making::Parts;
use crate::pki::time::Timestamp;
use crate::storage::act::{Act, ResponderAppointed};
use crate::storage::answers::{AnswerTable, Progress, Stage};
use crate::storage::{Page, RequestFilter};

/// A table that is further behind is made anew, rather than following the ledger that long.
const FURTHEST_BEHIND: u64 = 100_000;

impl Desk {
    /// Sees to it that somebody signs, on record before he does.
    pub(super) fn appoint(&mut self, parts: &Parts, now: Timestamp) -> Result<(), OcspError> {
        let responder = parts.responders.responder(now)?;
        let certificate = responder.certificate();
        if let Some((_, appointed)) = &self.appointed
            && appointed.certificate().serial() == certificate.serial()
        {
            return Ok(());
        }
        if self.signers.is_empty() {
            let known = parts.directory.signers()?;
            self.signers = known.into_iter().map(|(number, der)| (number, der.into())).collect();
        }
        let known = self.signers.iter().find(|(_, der)| *der == certificate.der());
        let number = match known {
            Some((number, _)) => *number,
            None => {
                let act = Act::ResponderAppointed(ResponderAppointed {
                    serial: certificate.serial().as_der_content().to_vec(),
                    key_sha256: certificate.public_key_thumbprint(),
                    not_after: certificate.not_after().seconds(),
                });
                commit(parts, act, now)?;
                let number = parts.directory.add_signer(certificate.der())?;
                tracing::info!(serial = %certificate.serial(), "this certificate signs OCSP answers");
                self.signers.push((number, Bytes::copy_from_slice(certificate.der())));
                number
            }
        };
        self.appointed = Some((number, responder));
        Ok(())
    }

    /// The table of the last run if it is of this ledger, else an empty one; so too where nobody
    /// knows what of the table in hand is on the disk.
    pub(super) fn take_up(&mut self, parts: &Parts) -> Result<Arc<AnswerTable>, OcspError> {
        if let Some(table) = &self.table
            && !table.is_doubtful()
        {
            return Ok(Arc::clone(table));
        }
        let begin = || -> Result<AnswerTable, OcspError> {
            let newest = Page { after: None, limit: 1 };
            let newest = parts.register.requests(&RequestFilter::default(), newest)?.rows;
            // Not every request became a certificate, and not every certificate is still alive.
            let requests = newest.first().map_or(0, |row| row.request_id);
            Ok(parts.directory.begin(requests)?)
        };
        let table = if self.table.is_some() {
            tracing::warn!("the OCSP answers could not be synced, or not read, and are made anew");
            // Of the other one, which is known to have failed: whoever takes up the next one shall
            // not be told of it.
            let _known = self.settling.wait();
            begin()?
        } else {
            match parts.directory.table()? {
                Some(table) if is_of_this_ledger(parts, &table.progress())? => table,
                Some(_) => {
                    tracing::warn!(
                        "the stored OCSP answers do not follow from this ledger and are made anew"
                    );
                    begin()?
                }
                None => begin()?,
            }
        };
        let table = Arc::new(table);
        self.table = Some(Arc::clone(&table));
        Ok(table)
    }
}

/// A restored ledger is another one, and so is one that has come too far without us.
fn is_of_this_ledger(parts: &Parts, progress: &Progress) -> Result<bool, OcspError> {
    let head = parts.register.head();
    if progress.stage == Stage::Nothing {
        return Ok(true);
    }
    if progress.reflected > head.sequence || head.sequence - progress.reflected > FURTHEST_BEHIND {
        return Ok(false);
    }
    let row = parts.register.entries(progress.reflected, 1)?.into_iter().next();
    Ok(row.is_some_and(|row| row.sequence == progress.reflected && row.hash == progress.hash))
}
