//! What may be issued, what is asked, what is issued, what is revoked: bytes in, bytes out.
//!
//! Absent on purpose: clock, randomness, disk, network and every private key; time and random
//! octets arrive as arguments, and signatures arrive made. Begin with `template`, `request` and
//! `policy`, which make a `Profile`; then `certificate`, which makes it bytes.

pub mod account;
pub mod denial;
pub mod revocation;
pub mod serial;
pub mod time;
