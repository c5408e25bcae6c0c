//! The flags of the commands around an offline root: its own, and the one that brings its CRL to
//! the service below.

use std::path::PathBuf;

use clap::Args;

use crate::cli::arguments::{Configured, seconds};
use crate::pki::revocation::RevocationReason;
use crate::pki::serial::SerialNumber;

/// `chancery install-crl`.
#[derive(Debug, Args)]
pub struct InstallCrl {
    /// CRLs of the CAs above this one (PEM or DER)
    #[arg(required = true, value_name = "FILE")]
    pub crls: Vec<PathBuf>,
    /// Settings.
    #[command(flatten)]
    pub configured: Configured,
}

/// `chancery publish-crl`.
#[derive(Debug, Args)]
pub struct PublishCrl {
    /// Where a copy of it goes (DER); those of older keys and of partitions go beside it
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// How long it holds in all, such as 26w [default: crl_period and crl_overlap]
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub validity: Option<u64>,
    /// Settings.
    #[command(flatten)]
    pub configured: Configured,
}

/// `chancery revoke`.
#[derive(Debug, Args)]
pub struct Revoke {
    /// The serial number in hexadecimal, of a certificate that was issued here
    #[arg(value_name = "SERIAL", required_unless_present = "certificate")]
    pub serial: Option<SerialNumber>,
    /// The certificate (PEM or DER), also one that this CA's key signed before it was adopted
    #[arg(long, value_name = "FILE", conflicts_with = "serial")]
    pub certificate: Option<PathBuf>,
    /// Why: cACompromise, keyCompromise, superseded, cessationOfOperation … (RFC 5280 §5.3.1)
    #[arg(long, value_name = "REASON", default_value = "unspecified", value_parser = reason)]
    pub reason: RevocationReason,
    /// Settings.
    #[command(flatten)]
    pub configured: Configured,
}

/// `chancery sign-subordinate`.
#[derive(Debug, Args)]
pub struct SignSubordinate {
    /// The request of the subordinate CA (PEM or DER)
    #[arg(value_name = "REQUEST")]
    pub request: PathBuf,
    /// Where its certificate goes, with the chain above it (PEM)
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Settings.
    #[command(flatten)]
    pub configured: Configured,
}

/// A hold is left out: it wants to be released, which nobody does who is offline.
fn reason(word: &str) -> Result<RevocationReason, String> {
    let may = |own: &RevocationReason| *own != RevocationReason::CertificateHold;
    RevocationReason::from_name(word).filter(may).ok_or_else(|| {
        let known = RevocationReason::ALL.into_iter().filter(may).map(RevocationReason::as_str);
        format!("known are {}", known.collect::<Vec<_>>().join(", "))
    })
}
