//! Many revocations on record, for the benchmarks of CRLs.

#![allow(dead_code, reason = "not every benchmark needs all of it")]

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use chancery::pki::revocation::RevocationReason;
use chancery::pki::serial::SerialNumber;
use chancery::pki::time::Timestamp;
use chancery::storage::act::{Act, CertificateRevoked, Entry};
use chancery::storage::{LedgerRegister, Register, Urgency};

pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const BATCH: u64 = 10_000;

/// Puts the revocations of this many serial numbers on record.
pub fn revoke(register: &LedgerRegister, entries: u64) -> Outcome<()> {
    let mut number = 0;
    while number < entries {
        let upto = (number + BATCH).min(entries);
        let acts = (number..upto).map(|number| revocation(number, RevocationReason::Superseded));
        register.commit(acts.map(entry).collect(), Urgency::Reserved)?;
        number = upto;
    }
    Ok(())
}

/// Of a certificate that ends in a year.
pub fn revocation(number: u64, reason: RevocationReason) -> Act {
    Act::CertificateRevoked(CertificateRevoked {
        serial: serial(number).as_der_content().to_vec(),
        revoked_at: now().millis(),
        reason: reason.code(),
        invalidity_date: None,
        not_after: Some(now().plus_seconds(365 * 86_400).seconds()),
        key_sha256: None,
        scope: None,
    })
}

/// Twenty octets, spread as random ones are.
pub fn serial(number: u64) -> SerialNumber {
    let mut octets = [0; 20];
    for (octet, hashed) in octets.iter_mut().zip(digest(&SHA256, &number.to_be_bytes()).as_ref()) {
        *octet = *hashed;
    }
    octets[0] |= 0x40;
    SerialNumber::from_random(octets)
}

pub fn entry(act: Act) -> Entry {
    Entry { at: now().millis(), actor: None, act }
}

pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

pub fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
