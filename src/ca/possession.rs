//! Client certificates: a certificate whose key somebody holds becomes a requester.
//!
//! What it gives is less than a token gives. Roles only where the settings say so, for a stolen
//! laptop should not be an administrator; and where its names are not those that the directory
//! gives its account today (a VPN server's, whose names came from the request), it can do nothing
//! but renew itself: the account on record is whoever asked, perhaps an administrator.

use std::sync::Arc;

use const_oid::ObjectIdentifier;

use super::{Authority, CertificateRow, Refusal, Requester};
use crate::pki::account::Account;
use crate::pki::certificate::Certificate;
use crate::pki::extension::KeyUsage;
use crate::pki::oid;
use crate::pki::policy;
use crate::pki::revocation::RevocationReason;
use crate::pki::serial::SerialNumber;
use crate::pki::time::Timestamp;

/// What makes a certificate an identity ([MS-WCCE] and RFC 5280 §4.2.1.12 alike).
const IDENTIFYING: [ObjectIdentifier; 3] =
    [oid::CLIENT_AUTHENTICATION, oid::SMARTCARD_LOGON, oid::PKINIT_CLIENT_AUTHENTICATION];

/// A certificate of this CA that was good when it was judged, with the account on record for it.
/// That its key is held was proven at the door.
#[derive(Clone, Debug)]
pub struct Possession {
    pub(super) row: CertificateRow,
    pub(super) certificate: Certificate,
    pub(super) account: Account,
}

/// How far a credential reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It speaks for the account.
    Account,
    /// It speaks for one certificate: to renew it and to see what becomes of that.
    Certificate,
}

/// Whether client certificates carry the roles of their accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RolesByCertificate {
    /// They give no more than a plain requester's rights.
    #[default]
    Withheld,
    /// They give what a token of the account would.
    Given,
}

impl Possession {
    /// Its serial number.
    pub fn serial(&self) -> SerialNumber {
        self.row.serial
    }

    /// The certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The account it was issued to, as the directory has it now.
    pub fn account(&self) -> &Account {
        &self.account
    }
}

impl Authority {
    /// Lets client certificates carry roles, or not.
    #[must_use]
    pub fn with_roles_by_certificate(self, roles: RolesByCertificate) -> Self {
        Self { roles_by_certificate: roles, ..self }
    }

    /// Who holds this certificate (DER), given that its key is held.
    pub fn authenticate_by_certificate(
        &self,
        der: &[u8],
        now: Timestamp,
    ) -> Result<Requester, Refusal> {
        let possession = self.possession(der, now)?;
        let reach = match self.speaks_for_its_account(&possession) {
            true => Reach::Account,
            false => Reach::Certificate,
        };
        let offices = match (reach, self.roles_by_certificate) {
            (Reach::Account, RolesByCertificate::Given) => self.offices_of(&possession.account)?,
            _ => Vec::new(),
        };
        let requester = Requester::of(possession.account.clone(), offices);
        Ok(Requester { reach, possession: Some(Arc::new(possession)), ..requester })
    }

    /// Judges a certificate in full, against the register and never against a CRL: ours by name
    /// and by the present key or one of before, octet for octet what is on record, within its validity, neither revoked nor held,
    /// fit to sign, its account there and enabled. Whoever proves in another way that the key is
    /// held (a CMS signature) comes here as well.
    pub fn possession(&self, der: &[u8], now: Timestamp) -> Result<Possession, Refusal> {
        let foreign = || refused("client-certificate-foreign", "it was not issued by this CA");
        let certificate = Certificate::from_der(der).map_err(|_| foreign())?;
        if self.issuer_of(&certificate).is_none() {
            return Err(foreign());
        }
        let serial = certificate.serial();
        let row = self.register.certificate(&serial)?.filter(|row| row.certificate == der);
        let row = row.ok_or_else(|| {
            let why = format!("{serial} is not on record as it was shown");
            refused("client-certificate-unknown", why)
        })?;
        if now < certificate.not_before() || now > certificate.not_after() {
            let (from, to) = (certificate.not_before(), certificate.not_after());
            let why = format!("{serial} is valid from {from} to {to}, and it is {now}");
            return Err(refused("client-certificate-expired", why));
        }
        match row.revocation {
            None => {}
            Some(found) if found.reason == RevocationReason::CertificateHold => {
                let why = format!("{serial} is on hold since {}", found.revoked_at);
                return Err(refused("client-certificate-held", why));
            }
            Some(found) => {
                let (moment, reason) = (found.revoked_at, found.reason.as_str());
                let why = format!("{serial} was revoked on {moment} for {reason}");
                return Err(refused("client-certificate-revoked", why));
            }
        }
        let signs = certificate.key_usage().is_none_or(|usage| {
            usage.contains(KeyUsage::DIGITAL_SIGNATURE)
                && !usage.contains(KeyUsage::KEY_CERTIFICATE_SIGN)
        });
        if !signs {
            let why = format!("the key usage of {serial} is not digitalSignature");
            return Err(refused("client-certificate-purpose", why));
        }
        let account = self.directory.account(&row.account)?.ok_or_else(|| {
            let why = format!("its account {} is no longer there", row.account);
            refused("client-certificate-account", why)
        })?;
        if !account.enabled {
            let why = format!("its account {} is disabled", account.name);
            return Err(refused("client-certificate-account", why));
        }
        if self.was_anothers(&row, &certificate, &account)? {
            let why =
                format!("its account {} is no longer there, another has its name", row.account);
            return Err(refused("client-certificate-account", why));
        }
        Ok(Possession { row, certificate, account })
    }

    /// Whether a certificate was issued to an earlier account of this name: by the SID in it, or
    /// because the built-in account was made later.
    pub(super) fn was_anothers(
        &self,
        row: &CertificateRow,
        certificate: &Certificate,
        account: &Account,
    ) -> Result<bool, Refusal> {
        let by_sid = policy::is_of_another(certificate, account);
        Ok(by_sid || self.is_younger_than(account, row.issued_at)?)
    }

    /// Whether it is more than a certificate to renew: for a purpose that identifies, under a
    /// template whose names are the directory's, and named as the directory names the account
    /// today.
    fn speaks_for_its_account(&self, possession: &Possession) -> bool {
        let Possession { row, certificate, account } = possession;
        let purposes = certificate.extended_key_usage();
        if !purposes.iter().any(|purpose| IDENTIFYING.contains(purpose)) {
            return false;
        }
        self.known_template(&row.template).is_ok_and(|listed| {
            policy::is_named_by_directory(&listed.template, account, certificate)
        })
    }
}

fn refused(rule: &'static str, why: impl AsRef<str>) -> Refusal {
    Refusal::CertificateRefused(rule, format!("the client certificate: {}", why.as_ref()))
}
