//! A CA with a register, and nothing of a service around it.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use chancery::ca::establish::{intend_root, sign_root};
use chancery::pki::issuer::Issuer;
use chancery::pki::name::DistinguishedName;
use chancery::signing::{FileKey, KeyKind};
use chancery::storage::{LedgerRegister, Options, open};

use crate::revoked::{Outcome, now, revoke};

const KEY: &str = "key.pem";
const CERTIFICATE: &str = "ca.der";

/// A CA in `directory`, and so many revocations on record.
pub fn fill(directory: &Path, entries: u64) -> Outcome<()> {
    let begun = Instant::now();
    let key = FileKey::generate(KeyKind::P256)?;
    let name = DistinguishedName::from_rfc4514("CN=Contoso VPN CA,DC=contoso,DC=com")?;
    let intended = intend_root(&name, &key, [7; 20], now(), 10 * 365 * 86_400)?;
    std::fs::write(directory.join(CERTIFICATE), sign_root(&intended, &key)?)?;
    key.save(&directory.join(KEY), None)?;
    let register = open(Options::new(directory.join("data")))?;
    revoke(&register, entries)?;
    register.close()?;
    println!("filled: {entries} revocations in {:.1} s", begun.elapsed().as_secs_f64());
    Ok(())
}

/// What [`fill`] left in `directory`.
pub fn take_up(directory: &Path) -> Outcome<(Arc<LedgerRegister>, FileKey, Arc<Issuer>)> {
    let key = FileKey::load(&directory.join(KEY), None)?;
    let none: [&[u8]; 0] = [];
    let certificate = std::fs::read(directory.join(CERTIFICATE))?;
    let issuer = Arc::new(Issuer::new(&certificate, &none, Vec::new(), Vec::new())?);
    Ok((open(Options::new(directory.join("data")))?, key, issuer))
}
