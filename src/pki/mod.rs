//! What may be issued, what is asked, what is issued, what is revoked: bytes in, bytes out.
//!
//! Absent on purpose: clock, randomness, disk, network and every private key; time and random
//! octets arrive as arguments, and signatures arrive made. Begin with `template`, `request` and
//! `policy`, which make a `Profile`; then `certificate`, which makes it bytes.

pub mod account;
pub mod alternative_name;
pub mod authority_certificate;
pub mod bundle;
pub mod certificate;
pub mod cms;
pub mod denial;
pub mod disposition;
pub mod encoding;
pub mod extension;
pub mod issuer;
pub mod lint;
pub mod name;
pub mod ocsp;
pub mod oid;
pub mod policy;
pub mod presented;
pub mod profile;
pub mod public_key;
pub mod request;
pub mod revocation;
pub mod revocation_list;
pub mod security_descriptor;
pub mod serial;
pub mod signature;
pub mod template;
#[cfg(test)]
pub(crate) mod test_authority;
pub mod time;
