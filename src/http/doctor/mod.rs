//! `/v1/doctor`: what each party of a VPN will say of a certificate.
//!
//! Absent: the rules (the doctor's), and how the report is rendered for people (the command's).
//! Begin with `shape`, the report as JSON.

pub mod shape;
