//! The flags of the commands over a data directory: its register, its settings, its service.

use std::path::PathBuf;

use clap::Args;

use super::Configured;

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
    #[arg(long, conflicts_with_all = ["crl", "delta_crl", "partition_crl"])]
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
