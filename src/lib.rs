//! Chancery: a certificate authority for an Always On VPN, in the place of AD CS.
//!
//! The rooms in reading order; imports go only from a later one to an earlier one.

/// What may be issued, asked, issued and revoked: pure functions over bytes.
pub mod pki;
