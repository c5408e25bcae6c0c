//! Signatures of others on a request: whose they are, and whether they still hold. Form and
//! cryptography are checked already (`pki/cms`); here the certificates are, in full: issued by
//! this CA, known to the register octet for octet, in force, of an account that is enabled.

use super::enroll::Decided;
use super::{Authority, Refusal};
use crate::pki::account::Account;
use crate::pki::certificate::Certificate;
use crate::pki::cms::{Signer, Submission};
use crate::pki::denial::{Denial, Rule};
use crate::pki::extension::KeyUsage;
use crate::pki::policy::Endorsement;
use crate::pki::revocation::RevocationReason;
use crate::pki::time::Timestamp;
use crate::storage::act::RequestSigner;

/// A signature that holds, with the account that made it as the directory has it now.
pub(super) struct Endorsed {
    pub(super) endorsement: Endorsement,
    pub(super) account: Account,
}

impl Authority {
    /// Reads what was submitted, in either form.
    pub(super) fn submission(sent: &[u8]) -> Result<Submission, Refusal> {
        Submission::parse(sent).map_err(|error| Refusal::Invalid(error.slug(), error.to_string()))
    }

    /// Who the signers are, each checked; one that does not hold spoils the request.
    pub(super) fn endorsements(
        &self,
        signers: &[Signer],
        now: Timestamp,
    ) -> Result<Vec<Endorsed>, Decided> {
        signers.iter().map(|signer| self.endorsement(signer.certificate(), now)).collect()
    }

    fn endorsement(&self, certificate: &Certificate, now: Timestamp) -> Result<Endorsed, Decided> {
        let serial = certificate.serial();
        let rejected = |why: &str| -> Decided {
            let detail = format!("a signer's certificate, {serial}, {why}");
            Denial::new(Rule::SignatureRejected, detail).into()
        };
        if self.issuer_of(certificate).is_none() {
            return Err(rejected("was not issued by this CA"));
        }
        let row = self.register.certificate(&serial)?;
        // Signed with our key, yet not on record: that cannot be, so nothing is built on it.
        let row = row.filter(|row| row.certificate == certificate.der());
        let row = row.ok_or_else(|| rejected("is not on record"))?;
        match row.revocation {
            Some(found) if found.reason == RevocationReason::CertificateHold => {
                return Err(rejected("is on hold"));
            }
            Some(_) => return Err(rejected("is revoked")),
            None => {}
        }
        if now < certificate.not_before() || now > certificate.not_after() {
            return Err(rejected("is not valid now"));
        }
        // RFC 5280 §4.2.1.3: what signs messages has digitalSignature.
        let usage = certificate.key_usage();
        if !usage.is_some_and(|usage| usage.contains(KeyUsage::DIGITAL_SIGNATURE)) {
            return Err(rejected("is not for digital signatures"));
        }
        let account = self.directory.account(&row.account).map_err(Refusal::from)?;
        match account {
            Some(account) if self.was_anothers(&row, certificate, &account)? => {
                Err(rejected("is of an account that is no longer there; another has its name"))
            }
            Some(account) if account.enabled => {
                let endorsement = Endorsement::of(certificate, account.name.clone());
                Ok(Endorsed { endorsement, account })
            }
            Some(_) => Err(rejected("is of an account that is disabled")),
            None => Err(rejected("is of an account that is no longer there")),
        }
    }

    /// The signers as they go on record with the request, whatever is decided: serial numbers,
    /// and the accounts of those whose certificates are this CA's.
    pub(super) fn signers_on_record(
        &self,
        signers: &[Signer],
    ) -> Result<Vec<RequestSigner>, Refusal> {
        let one = |signer: &Signer| {
            let certificate = signer.certificate();
            let serial = certificate.serial();
            let row = self.register.certificate(&serial)?;
            let row = row.filter(|row| row.certificate == certificate.der());
            let account = row.map(|row| row.account).unwrap_or_default();
            Ok(RequestSigner { serial: serial.as_der_content().to_vec(), account })
        };
        signers.iter().map(one).collect()
    }
}
