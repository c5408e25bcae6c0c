//! The flags of the commands that make a CA and renew it.

use std::path::PathBuf;

use clap::Args;

use super::{Configured, key_kind, seconds};
use crate::signing::KeyKind;

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
