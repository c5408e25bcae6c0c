//! The REST API from outside: text scripts that anybody can review, every route against every
//! role, every kind of bad input, and the contract against the routes.
//!
//! Each test has a CA of its own in a temporary folder. `scripts/README.md` explains the scripts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say where"
)]

mod agents;
mod attacks;
mod authorization;
mod bad_input;
mod certificate_requests;
mod client_certificates;
mod connection;
mod contract;
mod domain;
mod fixture;
mod idempotency;
mod limits;
mod load;
mod logging;
mod oidc;
mod rates;
mod script;

macro_rules! scripts {
    ($($name:ident)*) => {
        $(#[tokio::test]
        async fn $name() {
            script::run(stringify!($name), include_str!(concat!("scripts/", stringify!($name), ".txt"))).await;
        })*

        /// A script that nobody runs would rot.
        #[test]
        fn every_script_is_run() {
            let known = [$(stringify!($name)),*];
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/scripts");
            for file in std::fs::read_dir(folder).unwrap() {
                let name = file.unwrap().file_name().into_string().unwrap();
                if let Some(stem) = name.strip_suffix(".txt") {
                    assert!(known.contains(&stem), "{name} is not in the list of main.rs");
                }
            }
        }
    };
}

scripts! { accounts approval audit authority certificates enrolment doctor exchange one_time_tokens passwords revocation roles template_permissions templates tokens }
