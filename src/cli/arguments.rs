//! The command line: its commands and their flags. Flags of settings come from the one table.

mod authority;
mod client;
mod register;

use std::path::PathBuf;

use clap::{Args, FromArgMatches, Parser, Subcommand};

use super::doctor::arguments::Doctor;
use super::offline::arguments::{InstallCrl, PublishCrl, Revoke, SignSubordinate};
use super::settings::{Given, Values, settings};
use crate::signing::KeyKind;
pub use authority::{Init, InstallCertificate, RenewCa};
pub use client::{CoSigning, Renew, Request};
pub use register::{Backup, Check, Export, Health, Restore, Token, VerifyLedger};

/// A lightweight certificate authority in the place of AD CS.
#[derive(Debug, Parser)]
#[command(name = "chancery", version, about, propagate_version = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service; in an empty data directory, make a CA first
    Serve(Configured),
    /// Make a CA deliberately: a root, a subordinate, or by adopting an existing one
    Init(Init),
    /// Give a subordinate CA the certificate that its parent made
    InstallCertificate(InstallCertificate),
    /// Serve the CRL of a CA above this one; also while the service runs
    InstallCrl(InstallCrl),
    /// Make the CRL of a CA that nobody serves (an offline root)
    PublishCrl(PublishCrl),
    /// Revoke a certificate of a CA that nobody serves (an offline root)
    Revoke(Revoke),
    /// Issue the certificate of a CA below one that nobody serves (an offline root)
    SignSubordinate(SignSubordinate),
    /// Renew the CA's own certificate, with the same key or a new one: a root at once, a
    /// subordinate by a request
    RenewCa(RenewCa),
    /// Tell every mistake in configuration and templates; issue nothing
    Check(Check),
    /// Ask a running service for a certificate: makes the key and the request
    Request(Box<Request>),
    /// Renew a certificate by proving to hold it, if it is time; for a timer
    Renew(Renew),
    /// Make a new administrator's token; needs the data directory
    Token(Token),
    /// Copy the register, also while the service runs
    Backup(Backup),
    /// Put a copy of the register in place, without forgetting a revocation
    Restore(Restore),
    /// Write the whole ledger as JSON, one entry a line
    Export(Export),
    /// Check the ledger from its first octet to its last
    VerifyLedger(VerifyLedger),
    /// Judge a certificate as NPS, RRAS, Windows clients, FreeRADIUS and strongSwan would
    Doctor(Box<Doctor>),
    /// Ask a running service how it is; exit status 0 means well (for container health checks)
    Health(Health),
}

/// The flags that every command over a data directory takes.
#[derive(Clone, Debug, Default)]
pub struct Configured(pub Given);

impl Args for Configured {
    fn augment_args(command: clap::Command) -> clap::Command {
        let config = clap::Arg::new("config")
            .long("config")
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf))
            .help("The configuration file [default: chancery.toml in the data directory] [env: CHANCERY_CONFIG]");
        settings().fold(command.arg(config), |command, setting| {
            let help = format!(
                "{} [default: {}] [env: {}]",
                setting.meaning,
                setting.default,
                setting.variable()
            );
            let action = match setting.values {
                Values::One => clap::ArgAction::Set,
                Values::Several => clap::ArgAction::Append,
            };
            let flag = clap::Arg::new(setting.key)
                .long(setting.flag())
                .value_name(setting.value)
                .action(action)
                .help_heading("Settings")
                .help(help);
            // Given twice, the last one holds.
            command.arg(match setting.values {
                Values::One => flag.overrides_with(setting.key),
                Values::Several => flag,
            })
        })
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Configured {
    fn from_arg_matches(matches: &clap::ArgMatches) -> Result<Self, clap::Error> {
        let config = matches.get_one::<PathBuf>("config").cloned();
        let flags = settings().filter_map(|setting| {
            let values = matches.get_many::<String>(setting.key)?;
            Some((setting.key, values.cloned().collect()))
        });
        Ok(Self(Given { config, flags: flags.collect() }))
    }

    fn update_from_arg_matches(&mut self, matches: &clap::ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn key_kind(word: &str) -> Result<KeyKind, String> {
    let known = KeyKind::ALL.map(KeyKind::as_str).join(", ");
    KeyKind::from_word(word).ok_or_else(|| format!("known are {known}"))
}

pub(super) fn seconds(text: &str) -> Result<u64, String> {
    super::settings::quantity::seconds(text).ok_or_else(|| "a time, such as 10y or 90d".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_setting_is_a_flag() {
        let words = [
            "chancery",
            "serve",
            "--base-url",
            "http://a",
            "--base-url",
            "http://b",
            "--data",
            "x",
        ];
        let Command::Serve(Configured(given)) = Arguments::try_parse_from(words).unwrap().command
        else {
            panic!("another command")
        };
        let text = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            given.flags,
            [("data", text(&["x"])), ("base_url", text(&["http://a", "http://b"]))]
        );
    }
}
