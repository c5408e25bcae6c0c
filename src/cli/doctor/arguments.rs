//! The flags of `chancery doctor`.

use std::path::PathBuf;

use clap::Args;

use crate::doctor::Part;
use crate::pki::time::{NotAMoment, Timestamp};

/// `chancery doctor`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 nothing was found, 3 warnings only, 4 a fault; 1 nothing could be judged, 2 \
                        the command line is wrong."
)]
pub struct Doctor {
    /// The certificate, and others of its chain (PEM, DER, PKCS#7 or PKCS#12)
    #[arg(required_unless_present = "connect", conflicts_with = "connect")]
    pub certificate: Option<PathBuf>,
    /// Take the chain that the TLS server there sends, such as an SSTP server or LDAPS
    #[arg(long, value_name = "HOST:PORT")]
    pub connect: Option<String>,
    /// The part it is to play: nps-server, vpn-server, vpn-user, vpn-device or ca
    #[arg(long, value_name = "PART", value_parser = part)]
    pub part: Part,
    /// A name that clients connect to, or the user's UPN: must be in it; may be given several times
    #[arg(long, value_name = "NAME")]
    pub name: Vec<String>,
    /// Further certificates of the chain; may be given several times
    #[arg(long, value_name = "FILE")]
    pub chain: Vec<PathBuf>,
    /// A root that is trusted where the certificate is looked at; may be given several times
    #[arg(long, value_name = "FILE")]
    pub root: Vec<PathBuf>,
    /// A CRL to use beside those that are fetched (PEM or DER); may be given several times
    #[arg(long, value_name = "FILE")]
    pub crl: Vec<PathBuf>,
    /// Where the CRL is that the CA in question issues; may be given several times
    #[arg(long, value_name = "URL")]
    pub issued_crl: Vec<String>,
    /// The file with the PKCS#12 file's password
    #[arg(long, value_name = "FILE", conflicts_with = "connect")]
    pub password_file: Option<PathBuf>,
    /// Judge at another time than now, such as 2027-01-31T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub at: Option<Timestamp>,
    /// Fetch nothing
    #[arg(long)]
    pub offline: bool,
    /// Tell it as JSON, in the shape of POST /v1/doctor
    #[arg(long)]
    pub json: bool,
}

fn part(word: &str) -> Result<Part, String> {
    let known = Part::ALL.map(Part::as_str).join(", ");
    Part::from_word(word).ok_or_else(|| format!("known are {known}"))
}

fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|error: NotAMoment| error.to_string())
}
