//! The engines: each is asked about a certificate of each standing.

use crate::engines::world::{Crl, World};
use crate::judges::{here, webpki_judges};
use crate::machine::{self, Said, program, run, write};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use webpki::KeyUsage;

#[derive(Clone, Copy, Debug)]
pub enum Engine {
    /// As FreeRADIUS, nginx and most others have it: CRLs are checked, and no flag says how.
    OpenSsl,
    /// With extended CRL support and deltas, which others do not turn on.
    OpenSslExtended,
    GnuTls,
    Nss,
    StrongSwan,
    Java,
    BouncyCastle,
    /// Path validation of Go's crypto/x509, which takes no CRL and asks no responder.
    Go,
    /// The same, and what Go has for CRLs besides: a list is parsed, its signature checked, the
    /// serial number looked for. Which lists are about a certificate is left to the caller; Go does
    /// not look at critical extensions that it does not know (RFC 5280 §5.2), nor at reasons.
    GoLists,
    /// The same with golang.org/x/crypto/ocsp in place of lists.
    GoOcsp,
    Webpki,
}

impl Engine {
    /// Whether it accepts each certificate, in the order of `World::standings`; by the CRLs of each
    /// column.
    pub fn judge(self, world: &World, columns: &[&[&Crl]]) -> Vec<Vec<Said>> {
        match self {
            Self::Java => by_java(world, columns, "SUN"),
            Self::BouncyCastle => by_java(world, columns, "BC"),
            Self::Go => by_go(world, columns, "verify"),
            Self::GoLists => by_go(world, columns, "list"),
            _ => columns.iter().map(|crls| self.judge_one_by_one(world, crls)).collect(),
        }
    }

    fn judge_one_by_one(self, world: &World, crls: &[&Crl]) -> Vec<Said> {
        let each = |judge: &dyn Fn(&PathBuf) -> Said| world.standings.iter().map(judge).collect();
        match self {
            Self::OpenSsl => each(&|certificate| openssl(world, crls, &[], certificate)),
            Self::OpenSslExtended => {
                let flags = ["-extended_crl", "-use_deltas"];
                each(&|certificate| openssl(world, crls, &flags, certificate))
            }
            Self::GnuTls => {
                let together = together(world, crls);
                each(&|certificate| gnutls(world, &together, certificate))
            }
            Self::Nss => {
                let database = nss_database(&world.folder, &world.root);
                for crl in crls {
                    run(in_database("crlutil", &database, &["-I", "-i"]).arg(&crl.der));
                }
                each(&|certificate| nss(&database, "crl", certificate))
            }
            Self::StrongSwan => each(&|certificate| strongswan(world, crls, certificate)),
            Self::Webpki => each(&|certificate| by_webpki(world, crls, certificate)),
            Self::Java | Self::BouncyCastle | Self::Go | Self::GoLists | Self::GoOcsp => {
                unreachable!("these take all columns at once, or no CRLs")
            }
        }
    }
}

fn openssl(world: &World, crls: &[&Crl], flags: &[&str], certificate: &Path) -> Said {
    let mut openssl = program("openssl");
    openssl.args(["verify", "-x509_strict", "-crl_check"]).args(flags).arg("-CAfile");
    openssl.arg(&world.root);
    for crl in crls {
        openssl.arg("-CRLfile").arg(&crl.pem);
    }
    run(openssl.arg(certificate))
}

/// The CRLs in one file, PEM.
fn together(world: &World, crls: &[&Crl]) -> PathBuf {
    let path = world.folder.join("together.pem");
    let read = |crl: &&Crl| fs::read_to_string(&crl.pem).expect("PEM");
    write(&path, crls.iter().map(read).collect::<String>());
    path
}

fn gnutls(world: &World, crls: &Path, certificate: &Path) -> Said {
    let mut certtool = program("certtool");
    certtool.args(["--verify", "--verify-profile", "low", "--load-ca-certificate"]);
    certtool.arg(&world.root).arg("--load-crl").arg(crls);
    run(certtool.arg("--infile").arg(certificate))
}

/// A database with the root.
pub fn nss_database(folder: &Path, root: &Path) -> PathBuf {
    let database = folder.join("nss");
    let _ = fs::remove_dir_all(&database);
    fs::create_dir(&database).expect("a folder");
    let of = |arguments: &[&str]| in_database("certutil", &database, arguments);
    run(&mut of(&["-N", "--empty-password"])).expect_ok("certutil -N");
    let trusted = ["-A", "-n", "root", "-t", "CT,C,C", "-i"];
    run(of(&trusted).arg(root)).expect_ok("certutil -A");
    database
}

fn in_database(name: &str, database: &Path, arguments: &[&str]) -> Command {
    let mut nss = program(name);
    nss.arg("-d").arg(format!("sql:{}", database.display())).args(arguments);
    nss
}

/// `method` is `crl` or `ocsp`.
pub fn nss(database: &Path, method: &str, certificate: &Path) -> Said {
    let arguments = ["-pp", "-u", "0", "-g", "leaf", "-m", method, "-s", "failIfNoInfo", "-a"];
    run(in_database("vfychain", database, &arguments).arg(certificate))
}

fn strongswan(world: &World, crls: &[&Crl], certificate: &Path) -> Said {
    let mut pki = program("pki");
    pki.args(["--verify", "--cacert"]).arg(&world.root);
    for crl in crls {
        pki.arg("--crl").arg(&crl.der);
    }
    let said = run(pki.arg("--in").arg(certificate));
    // It ends with success also where it could not tell, so what it says counts.
    let ok = said.ok
        && said.text.contains("certificate trusted, lifetimes valid, certificate not revoked");
    Said { ok, ..said }
}

/// Where the compiled `Verdicts.java` is.
static VERDICTS: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = machine::folder("verdicts");
    let mut javac = program("javac");
    javac.args(["-cp", BOUNCY_CASTLE, "-d"]).arg(&folder).arg(here("engines/Verdicts.java"));
    run(&mut javac).expect_ok("javac");
    folder
});

const BOUNCY_CASTLE: &str = "/usr/share/java/bcprov.jar:/usr/share/java/bcutil.jar";

/// `Verdicts` with a provider; root and certificates, `--` and files are still to come.
pub fn java(provider: &str) -> Command {
    let mut java = program("java");
    java.args(["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp"]);
    java.arg(format!("{}:{BOUNCY_CASTLE}", VERDICTS.display()));
    java.args(["Verdicts", provider]);
    java
}

/// All in one start.
fn by_java(world: &World, columns: &[&[&Crl]], provider: &str) -> Vec<Vec<Said>> {
    let mut java = java(provider);
    java.arg(&world.root).args(&world.standings).arg("--").args(files(world, columns));
    verdicts(&run(&mut java).expect_ok(provider), columns.len())
}

/// The CRLs of each column in a file of its own, PEM.
fn files(world: &World, columns: &[&[&Crl]]) -> Vec<PathBuf> {
    let file = |(number, crls): (usize, &&[&Crl])| {
        let path = world.folder.join(format!("column{number}.pem"));
        fs::rename(together(world, crls), &path).expect("renamed");
        path
    };
    columns.iter().enumerate().map(file).collect()
}

/// What a program said that says a line for each certificate, column by column.
pub fn verdicts(said: &str, columns: usize) -> Vec<Vec<Said>> {
    let verdict = |line: &str| Said { ok: line == "good", text: line.to_owned() };
    let lines = said.lines().filter(|line| *line == "good" || line.starts_with("refused"));
    let mut verdicts: Vec<Said> = lines.map(verdict).collect();
    assert_eq!(verdicts.len(), columns * 6, "{said}");
    (0..columns).map(|_| verdicts.drain(..6).collect()).collect()
}

/// The compiled `verdicts.go`.
pub static GO: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = machine::folder("verdicts-go");
    let mut go = program("go");
    // Debian's packages have their source below GOPATH; nothing is fetched.
    go.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode").env("GOFLAGS", "");
    go.env("GOENV", "off").env("GOCACHE", folder.join("cache"));
    go.args(["build", "-o"]).arg(folder.join("verdicts")).arg(here("engines/verdicts.go"));
    run(&mut go).expect_ok("go build");
    folder.join("verdicts")
});

/// What Go says of one certificate by its CRLs and those of the CAs above it. Behind the certificate
/// its file has theirs; `crls` are in one file. Both are PEM.
pub fn go_judges(certificate: &Path, root: &Path, crls: &Path) -> Said {
    let mut go = program(&GO.display().to_string());
    let said = run(go.arg("list").arg(root).arg(certificate).arg("--").arg(crls));
    Said { ok: said.ok && said.text == "good\n", ..said }
}

/// All in one start.
fn by_go(world: &World, columns: &[&[&Crl]], how: &str) -> Vec<Vec<Said>> {
    let mut go = program(&GO.display().to_string());
    go.arg(how).arg(&world.root).args(&world.standings).arg("--").args(files(world, columns));
    verdicts(&run(&mut go).expect_ok("Go"), columns.len())
}

fn by_webpki(world: &World, crls: &[&Crl], certificate: &Path) -> Said {
    let crls: Vec<&Path> = crls.iter().map(|crl| crl.der.as_path()).collect();
    let usage = KeyUsage::server_auth();
    match webpki_judges(certificate, &world.root, &[], &crls, usage) {
        Ok(()) => Said { ok: true, text: String::new() },
        Err(error) => Said { ok: false, text: format!("{error:?}") },
    }
}
