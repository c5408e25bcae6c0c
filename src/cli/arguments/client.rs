//! The flags of the commands that ask a service for certificates.

use std::path::PathBuf;

use clap::Args;

use super::{key_kind, seconds};
use crate::signing::KeyKind;

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
