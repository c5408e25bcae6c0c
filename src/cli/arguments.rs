//! The command line: its commands and their flags. Flags of settings come from the one table.

use std::path::PathBuf;

use clap::{Args, FromArgMatches, Parser, Subcommand};

use super::doctor::arguments::Doctor;
use super::offline::arguments::{InstallCrl, PublishCrl, Revoke, SignSubordinate};
use super::settings::{Given, SETTINGS, Values};
use crate::signing::KeyKind;

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
        SETTINGS.iter().fold(command.arg(config), |command, setting| {
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
        let flags = SETTINGS.iter().filter_map(|setting| {
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

/// `chancery init`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("adopts").args(["key", "pkcs12"]).multiple(false))]
pub struct Init {
    /// The CA's name as RFC 4514 writes it, any attributes in any number and order:
    /// `CN=Contoso VPN CA,DC=corp,DC=contoso,DC=com` [default: CN=<host> CA]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// rsa2048, rsa3072, rsa4096, p256 or p384
    #[arg(long, value_name = "ALGORITHM", default_value = "rsa3072", value_parser = key_kind)]
    pub key_algorithm: KeyKind,
    /// How long the root's certificate is valid, such as 10y
    #[arg(long, value_name = "TIME", default_value = "10y", value_parser = seconds)]
    pub validity: u64,
    /// Make a subordinate CA: writes a request for its parent to sign
    #[arg(long, conflicts_with_all = ["key", "pkcs12", "validity"])]
    pub subordinate: bool,
    /// Adopt this private key (PEM or DER), with --certificate
    #[arg(long, value_name = "FILE", requires = "certificate", conflicts_with_all = ["pkcs12", "name", "key_algorithm", "validity"])]
    pub key: Option<PathBuf>,
    /// Adopt this CA certificate (PEM or DER; its chain may follow it)
    #[arg(long, value_name = "FILE", requires = "key")]
    pub certificate: Option<PathBuf>,
    /// The certificates above the adopted one (PEM)
    #[arg(long, value_name = "FILE", requires = "adopts")]
    pub chain: Option<PathBuf>,
    /// Adopt the key and certificates in this PKCS#12 file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "key_algorithm", "validity"])]
    pub pkcs12: Option<PathBuf>,
    /// The file with the password of the adopted key or PKCS#12 file
    #[arg(long, value_name = "FILE", requires = "adopts")]
    pub import_password_file: Option<PathBuf>,
    /// CRL numbers are at least this (adoption)
    #[arg(long, value_name = "NUMBER", requires = "adopts")]
    pub next_crl_number: Option<u64>,
    /// The adopted CA's last CRL (DER or PEM): what it lists stays revoked, its number is a floor
    #[arg(long, value_name = "FILE", requires = "adopts")]
    pub previous_crl: Option<PathBuf>,
    /// Settings.
    #[command(flatten)]
    pub configured: Configured,
}

/// `chancery install-certificate`.
#[derive(Debug, Args)]
pub struct InstallCertificate {
    /// The CA certificate that the parent made (PEM or DER; its chain may follow it)
    pub certificate: PathBuf,
    /// The certificates above it, up to the root (PEM)
    #[arg(long, value_name = "FILE")]
    pub chain: Option<PathBuf>,
    /// Settings.
    #[command(flatten)]
    pub configured: Configured,
}

/// `chancery renew-ca`.
#[derive(Debug, Args)]
pub struct RenewCa {
    /// How long a root's next certificate is valid, such as 10y [default: as long as the present
    /// one]; a subordinate's parent decides that
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub validity: Option<u64>,
    /// With a new key; the present one goes on signing its CRL
    #[arg(long)]
    pub new_key: bool,
    /// rsa2048, rsa3072, rsa4096, p256 or p384 [default: as the present key]
    #[arg(long, value_name = "ALGORITHM", requires = "new_key", value_parser = key_kind)]
    pub key_algorithm: Option<KeyKind>,
    /// Settings.
    #[command(flatten)]
    pub configured: Configured,
}

/// `chancery check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Template files (JSON) to check besides
    pub templates: Vec<PathBuf>,
    /// Settings.
    #[command(flatten)]
    pub configured: Configured,
}

/// `chancery token`.
#[derive(Debug, Args)]
pub struct Token {
    /// The account that the token speaks for
    #[arg(long, value_name = "NAME", default_value = crate::ca::establish::ADMINISTRATOR)]
    pub account: String,
    /// Settings.
    #[command(flatten)]
    pub configured: Configured,
}

/// `chancery backup`.
#[derive(Debug, Args)]
pub struct Backup {
    /// The directory for the copy: missing or empty
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// Settings.
    #[command(flatten)]
    pub configured: Configured,
}

/// `chancery restore`.
#[derive(Debug, Args)]
pub struct Restore {
    /// The directory that `backup` wrote
    #[arg(long, value_name = "DIR")]
    pub from: PathBuf,
    /// The newest CRL that is still served anywhere: a file or an http:// URL; of a CA that has had
    /// several keys, one of each. What it lists and the copy does not know is recorded as revoked
    #[arg(long, value_name = "FILE|URL", required_unless_present = "without_crl")]
    pub crl: Vec<String>,
    /// The newest delta CRL besides, where the CRL says that there are deltas
    #[arg(long, value_name = "FILE|URL", requires = "crl")]
    pub delta_crl: Vec<String>,
    /// Go on without the delta CRL: what only that lists becomes valid again
    #[arg(long, conflicts_with = "delta_crl")]
    pub without_delta_crl: bool,
    /// The newest CRL of each partition besides, where there are partitions
    #[arg(long, value_name = "FILE|URL", requires = "crl")]
    pub partition_crl: Vec<String>,
    /// Go on without the CRLs of some partitions: what only those list becomes valid again
    #[arg(long)]
    pub without_partition_crls: bool,
    /// Go on without a CRL: certificates revoked since the copy was made become valid again
    #[arg(long, conflicts_with = "crl")]
    pub without_crl: bool,
    /// Settings.
    #[command(flatten)]
    pub configured: Configured,
}

/// `chancery export`.
#[derive(Debug, Args)]
pub struct Export {
    /// Where it goes [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// Settings.
    #[command(flatten)]
    pub configured: Configured,
}

/// `chancery verify-ledger`.
#[derive(Debug, Args)]
pub struct VerifyLedger {
    /// A head that was written down elsewhere, NUMBER:HASH or the hash alone: it must be in the
    /// chain
    #[arg(long, value_name = "HEAD")]
    pub head: Option<String>,
    /// Settings.
    #[command(flatten)]
    pub configured: Configured,
}

/// `chancery health`.
#[derive(Debug, Args)]
pub struct Health {
    /// Ask whether it is ready (can issue, CRL fresh) and not only whether it lives
    #[arg(long)]
    pub ready: bool,
    /// Settings.
    #[command(flatten)]
    pub configured: Configured,
}

/// Who signs a request beside the requester.
#[derive(Debug, Args)]
pub struct CoSigning {
    /// Have the request signed by the holder of this certificate, such as an enrolment agent's
    /// (PEM or DER); may be given several times, each with its --sign-key
    #[arg(long, value_name = "FILE", requires = "sign_key")]
    pub sign_with: Vec<PathBuf>,
    /// The key of the certificate in --sign-with
    #[arg(long, value_name = "FILE", requires = "sign_with")]
    pub sign_key: Vec<PathBuf>,
    /// The file with the passphrase of --sign-key, if it has one
    #[arg(long, value_name = "FILE", requires = "sign_key")]
    pub sign_key_passphrase_file: Option<PathBuf>,
}

/// `chancery request`.
#[derive(Debug, Args)]
pub struct Request {
    /// The template's cn
    #[arg(long, value_name = "CN", required_unless_present = "request_id")]
    pub template: Option<String>,
    /// The subject as RFC 4514 writes it (where the template takes it from the request)
    #[arg(long, value_name = "NAME", conflicts_with = "csr")]
    pub subject: Option<String>,
    /// A DNS name; may be given several times
    #[arg(long, value_name = "NAME", conflicts_with = "csr")]
    pub dns: Vec<String>,
    /// An IP address; may be given several times
    #[arg(long, value_name = "ADDRESS", conflicts_with = "csr")]
    pub ip: Vec<std::net::IpAddr>,
    /// An e-mail address; may be given several times
    #[arg(long, value_name = "ADDRESS", conflicts_with = "csr")]
    pub email: Vec<String>,
    /// A user principal name; may be given several times
    #[arg(long, value_name = "NAME", conflicts_with = "csr")]
    pub upn: Vec<String>,
    /// The account whose certificate it shall be (needs a role)
    #[arg(long, value_name = "ACCOUNT")]
    pub on_behalf_of: Option<String>,
    /// The signatures of others
    #[command(flatten)]
    pub co_signing: CoSigning,
    /// rsa2048, rsa3072, rsa4096, p256 or p384
    #[arg(long, value_name = "ALGORITHM", default_value = "rsa2048", value_parser = key_kind, conflicts_with = "csr")]
    pub key_algorithm: KeyKind,
    /// Submit this request (PEM or DER) and make no key
    #[arg(long, value_name = "FILE", conflicts_with = "pkcs12")]
    pub csr: Option<PathBuf>,
    /// Fetch what became of this request, which had to wait for an approval; the key is
    /// where it was written
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["template", "csr", "subject"])]
    pub request_id: Option<u64>,
    /// The service
    #[arg(long, value_name = "URL", default_value = "https://localhost:8443")]
    pub url: String,
    /// The file with the bearer token
    #[arg(long, value_name = "FILE", default_value = "chancery-data/admin.token")]
    pub token_file: PathBuf,
    /// The root certificate that the service's TLS certificate must lead to (PEM)
    #[arg(long, value_name = "FILE", default_value = "chancery-data/ca.pem")]
    pub ca_file: PathBuf,
    /// The directory for key, certificate and chain in PEM
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// The files' name without its end [default: the first name asked for, or the account]
    #[arg(long, value_name = "NAME")]
    pub file_name: Option<String>,
    /// Write key, certificate and chain to this PKCS#12 file, which Windows Server 2016 and later
    /// import
    #[arg(long, value_name = "FILE", requires = "pkcs12_password_file")]
    pub pkcs12: Option<PathBuf>,
    /// The file with the PKCS#12 file's password
    #[arg(long, value_name = "FILE")]
    pub pkcs12_password_file: Option<PathBuf>,
}

/// `chancery renew`.
#[derive(Debug, Args)]
pub struct Renew {
    /// The certificate (PEM; the chain may follow it, and then follows the new one too)
    #[arg(long, value_name = "FILE")]
    pub certificate: PathBuf,
    /// Its private key (PEM, not encrypted)
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Make a new key of the same kind [default: the certificate is renewed with its key]
    #[arg(long)]
    pub new_key: bool,
    /// Make a new key of this kind: rsa2048, rsa3072, rsa4096, p256 or p384
    #[arg(long, value_name = "ALGORITHM", value_parser = key_kind)]
    pub key_algorithm: Option<KeyKind>,
    /// Have the old certificate revoked as superseded so long after the new one is issued, such
    /// as 7d
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub retire_after: Option<u64>,
    /// Renew although the renewal period has not begun
    #[arg(long)]
    pub force: bool,
    /// The service
    #[arg(long, value_name = "URL", default_value = "https://localhost:8443")]
    pub url: String,
    /// The root certificate that the service's TLS certificate must lead to (PEM)
    #[arg(long, value_name = "FILE", default_value = "chancery-data/ca.pem")]
    pub ca_file: PathBuf,
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
