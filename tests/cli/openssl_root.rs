//! A root kept with OpenSSL: `openssl ca`, its database and its CRLs.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::program::openssl;

const SETTINGS: &str = "
[ca]
default_ca = root
[root]
database = index.txt
serial = serial
crlnumber = crlnumber
certificate = root.pem
private_key = root.key
new_certs_dir = .
default_md = sha256
default_crl_days = 30
policy = any
unique_subject = no
copy_extensions = copyall
[any]
commonName = supplied
domainComponent = optional
[number]
authorityKeyIdentifier = keyid
";

/// `CN=Contoso Root CA`, in a directory of its own.
pub struct Root(PathBuf);

impl Root {
    pub fn new(home: &Path) -> Self {
        let root = Self(home.join("root"));
        std::fs::create_dir(&root.0).unwrap();
        for (file, text) in
            [("root.cnf", SETTINGS), ("index.txt", ""), ("serial", "1000\n"), ("crlnumber", "10\n")]
        {
            std::fs::write(root.0.join(file), text).unwrap();
        }
        let subject = ["-subj", "/CN=Contoso Root CA", "-days", "3650"];
        let usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
        let new = ["req", "-x509", "-newkey", "rsa:2048", "-nodes"];
        let files = ["-keyout", "root.key", "-out", "root.pem"];
        openssl(&root.0, &[&new[..], &subject, &usage, &files].concat());
        root
    }

    pub fn certificate(&self) -> PathBuf {
        self.0.join("root.pem")
    }

    /// Certifies a CA that says that this root's CRL is at `crl_url`.
    pub fn certify(&self, request: &Path, crl_url: &str) -> PathBuf {
        std::fs::write(self.0.join("cdp.cnf"), format!("crlDistributionPoints=URI:{crl_url}\n"))
            .unwrap();
        let request = request.to_str().unwrap();
        let ca = ["ca", "-batch", "-notext", "-config", "root.cnf", "-days", "1000"];
        let files = ["-extfile", "cdp.cnf", "-in", request, "-out", "sub.pem"];
        openssl(&self.0, &[&ca[..], &files].concat());
        self.0.join("sub.pem")
    }

    /// Revokes what was certified last.
    pub fn revoke(&self) {
        let revoke = ["ca", "-config", "root.cnf", "-revoke", "sub.pem"];
        openssl(&self.0, &[&revoke[..], &["-crl_reason", "CACompromise"]].concat());
    }

    /// The next CRL, PEM, valid from so long ago for so long from now.
    pub fn crl(&self, since: Duration, left: Duration) -> PathBuf {
        let number = std::fs::read_to_string(self.0.join("crlnumber")).unwrap();
        let name = format!("crl-{}.pem", number.trim());
        let moment = |moment: SystemTime| {
            let since = moment.duration_since(SystemTime::UNIX_EPOCH).unwrap();
            let moment = i64::try_from(since.as_secs()).unwrap();
            let moment = time::OffsetDateTime::from_unix_timestamp(moment).unwrap();
            let (date, (hour, minute, second)) = (moment.date(), moment.time().as_hms());
            let (year, month, day) = date.to_calendar_date();
            format!("{year}{:02}{day:02}{hour:02}{minute:02}{second:02}Z", u8::from(month))
        };
        let (from, to) = (moment(SystemTime::now() - since), moment(SystemTime::now() + left));
        let ca = ["ca", "-config", "root.cnf", "-gencrl", "-out", &name, "-crlexts", "number"];
        let times = ["-crl_lastupdate", &from, "-crl_nextupdate", &to];
        openssl(&self.0, &[&ca[..], &times].concat());
        self.0.join(name)
    }
}
