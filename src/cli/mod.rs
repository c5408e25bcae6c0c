//! The operator's commands, and the composition root: the only room that knows all others, reads
//! the clock and the environment, and opens the data directory.
//!
//! Absent: decisions about certificates (the authority makes them) and HTTP routes. Begin with
//! `arguments`, then `serve`.

pub mod arguments;
pub mod backup;
pub mod check;
pub mod csr;
mod directories;
pub mod doctor;
pub mod export;
pub mod failure;
pub mod founding;
pub mod health;
pub mod home;
pub mod init;
pub mod install_certificate;
mod install_crl;
mod notifications;
mod offline;
mod parents;
mod partitions;
pub mod progress;
pub mod register;
pub mod renew;
mod renew_ca;
pub mod request;
pub mod restore;
pub mod serve;
pub mod settings;
pub mod surroundings;
pub mod token;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command, Configured};
use failure::Failure;
use settings::{Gathered, Mistakes, gather};
use surroundings::{complain, start_log};

/// Runs what the command line says. Exit status 1: it was not done; 2: the command line is wrong;
/// `doctor` has more.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    match perform(&arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        // Told already, and no failure of the command.
        Err(Failure::Diagnosed(status)) => ExitCode::from(status),
        Err(failure) => {
            complain(&format!("chancery: {failure}"));
            ExitCode::FAILURE
        }
    }
}

fn perform(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Serve(configured) => serve::serve(&prepared(configured)?),
        Command::Init(arguments) => {
            init::init(arguments, &prepared(&arguments.configured)?.settings)
        }
        Command::InstallCertificate(arguments) => install_certificate::install_certificate(
            arguments,
            &prepared(&arguments.configured)?.settings,
        ),
        Command::InstallCrl(arguments) => {
            install_crl::install_crl(arguments, &prepared(&arguments.configured)?.settings)
        }
        Command::PublishCrl(arguments) => {
            offline::publish_crl::publish_crl(arguments, &prepared(&arguments.configured)?.settings)
        }
        Command::Revoke(arguments) => {
            offline::revoke::revoke(arguments, &prepared(&arguments.configured)?.settings)
        }
        Command::SignSubordinate(arguments) => offline::sign_subordinate::sign_subordinate(
            arguments,
            &prepared(&arguments.configured)?.settings,
        ),
        Command::RenewCa(arguments) => {
            renew_ca::renew_ca(arguments, &prepared(&arguments.configured)?.settings)
        }
        Command::Check(arguments) => check::check(arguments, gathered(&arguments.configured)),
        Command::Token(arguments) => {
            token::token(arguments, &prepared(&arguments.configured)?.settings)
        }
        Command::Request(arguments) => request::request(arguments),
        Command::Renew(arguments) => renew::renew(arguments),
        Command::Doctor(arguments) => doctor::doctor(arguments),
        Command::Health(arguments) => {
            health::health(arguments, &prepared(&arguments.configured)?.settings)
        }
        Command::Backup(arguments) => {
            backup::backup(arguments, &prepared(&arguments.configured)?.settings)
        }
        Command::Restore(arguments) => {
            restore::restore(arguments, &prepared(&arguments.configured)?.settings)
        }
        Command::Export(arguments) => {
            export::export(arguments, &prepared(&arguments.configured)?.settings)
        }
        Command::VerifyLedger(arguments) => {
            export::verify_ledger(arguments, &prepared(&arguments.configured)?.settings)
        }
    }
}

fn gathered(configured: &Configured) -> Result<Gathered, Mistakes> {
    gather(&configured.0, std::env::vars_os())
}

/// Settings without mistakes, and the log started.
fn prepared(configured: &Configured) -> Result<Gathered, Failure> {
    let gathered = gathered(configured)?;
    start_log(&gathered.settings);
    Ok(gathered)
}
