//! The program as its operator meets it: the real binary, driven from outside with curl and
//! OpenSSL.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say where"
)]

mod active_directory;
mod adoption;
mod chain;
mod configuration;
mod doctor;
mod domain;
mod domain_accounts;
mod first_start;
mod full_disk;
mod mutual_tls;
mod new_key;
mod notification;
mod ocsp;
mod offline_keys;
mod openssl_root;
mod operator;
mod partitions;
mod program;
mod receiver;
mod renew;
mod renew_ca;
mod request;
mod restore;
mod scopes;
mod silent_domain;
mod subordinate;
