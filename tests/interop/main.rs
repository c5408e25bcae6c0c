//! Interoperability: the real binary, judged from outside by programs that others wrote.
//!
//! `corpus` makes what is judged, once for each kind of CA key, and once with openssl alone as a
//! control. `judges` read files, and `engines` says what each makes of CRLs and deltas; `radius` and
//! `tunnel` are the relying parties of Always On VPN; `image` and `unit` run the program as it is
//! deployed. `tests/install` brings the programs.

#![allow(clippy::expect_used, clippy::panic)] // a test fails by panicking

mod applicant;
mod authority;
mod client;
mod control;
mod corpus;
mod doctor;
mod engines;
mod image;
mod judges;
mod machine;
mod ocsp;
mod party;
mod radius;
mod rekeyed;
mod subordinate;
mod tiers;
mod tunnel;
mod unit;
