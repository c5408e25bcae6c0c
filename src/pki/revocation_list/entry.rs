//! One revoked certificate in a CRL.

use crate::pki::encoding::{
    self, ENUMERATED, Element, GENERALIZED_TIME, INTEGER, NotDer, SEQUENCE, only, sequence, time,
};
use crate::pki::extension::{self, Extension};
use crate::pki::oid;
use crate::pki::revocation::{Revocation, RevocationReason};
use crate::pki::serial::SerialNumber;

/// An entry of revokedCertificates:
/// `SEQUENCE { userCertificate INTEGER, revocationDate Time, crlEntryExtensions OPTIONAL }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrlEntry {
    /// Which certificate.
    pub serial: SerialNumber,
    /// Since when and why; whole seconds.
    pub revocation: Revocation,
}

impl CrlEntry {
    /// The entry's DER. The reason `unspecified` is left out (RFC 5280 §5.3.1), an invalidity
    /// date is GeneralizedTime always.
    pub fn encode(serial: SerialNumber, revocation: &Revocation) -> Vec<u8> {
        let mut content = Vec::with_capacity(96);
        encoding::write(&mut content, INTEGER, &[serial.as_der_content()]);
        content.extend_from_slice(&time::encode(revocation.revoked_at));
        let extensions: Vec<u8> = extension::reason_code(revocation.reason)
            .into_iter()
            .chain(revocation.invalidity_date.map(extension::invalidity_date))
            .flat_map(|extension| extension.to_der())
            .collect();
        if !extensions.is_empty() {
            encoding::write(&mut content, SEQUENCE, &[&extensions]);
        }
        sequence(&[&content])
    }

    /// Reads an entry's DER. Extensions other than reason and invalidity date are passed over
    /// unless critical (an indirect CRL's certificateIssuer is: RFC 5280 §5.3.3).
    pub fn decode(der: &[u8]) -> Result<Self, NotDer> {
        let mut parts = only(der, SEQUENCE)?.elements();
        let serial =
            SerialNumber::from_der_content(parts.expect(INTEGER)?.content).map_err(|_| NotDer)?;
        let revoked_at = time::decode(parts.take()?)?;
        let mut revocation =
            Revocation { revoked_at, reason: RevocationReason::Unspecified, invalidity_date: None };
        if let Some(list) = parts.optional(SEQUENCE)? {
            let mut extensions = list.elements();
            while !extensions.is_empty() {
                read_extension(&mut revocation, extensions.expect(SEQUENCE)?)?;
            }
        }
        parts.finish()?;
        Ok(Self { serial, revocation })
    }
}

fn read_extension(revocation: &mut Revocation, extension: Element<'_>) -> Result<(), NotDer> {
    let extension = Extension::from_element(extension)?;
    if extension.oid == oid::REASON_CODE {
        let [code] = only(&extension.value, ENUMERATED)?.content else { return Err(NotDer) };
        revocation.reason = RevocationReason::from_code(*code).ok_or(NotDer)?;
    } else if extension.oid == oid::INVALIDITY_DATE {
        revocation.invalidity_date = Some(time::decode(only(&extension.value, GENERALIZED_TIME)?)?);
    } else if extension.critical {
        return Err(NotDer);
    }
    Ok(())
}
