//! The engines: each is asked about a certificate of each standing.

use crate::engines::world::{Crl, World};
use crate::judges::{here, webpki_judges};
use crate::machine::{self, Said, program, run, write};
use std::fs;
use std::path::{Path, PathBuf};
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
    Webpki,
}

impl Engine {
    /// Whether it accepts each certificate, in the order of `World::standings`; by the CRLs of each
    /// column.
    pub fn judge(self, world: &World, columns: &[&[&Crl]]) -> Vec<Vec<Said>> {
        match self {
            Self::Java => java(world, columns, "SUN"),
            Self::BouncyCastle => java(world, columns, "BC"),
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
                let database = nss_database(world, crls);
                each(&|certificate| nss(&database, certificate))
            }
            Self::StrongSwan => each(&|certificate| strongswan(world, crls, certificate)),
            Self::Webpki => each(&|certificate| by_webpki(world, crls, certificate)),
            Self::Java | Self::BouncyCastle => unreachable!("these take all columns at once"),
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

/// A database with the root, and the CRLs as far as NSS takes them.
fn nss_database(world: &World, crls: &[&Crl]) -> PathBuf {
    let database = world.folder.join("nss");
    let _ = fs::remove_dir_all(&database);
    fs::create_dir(&database).expect("a folder");
    let of = |name: &str, arguments: &[&str]| {
        let mut nss = program(name);
        nss.arg("-d").arg(format!("sql:{}", database.display())).args(arguments);
        nss
    };
    run(&mut of("certutil", &["-N", "--empty-password"])).expect_ok("certutil -N");
    let trusted = ["-A", "-n", "root", "-t", "CT,C,C", "-i"];
    run(of("certutil", &trusted).arg(&world.root)).expect_ok("certutil -A");
    for crl in crls {
        run(of("crlutil", &["-I", "-i"]).arg(&crl.der));
    }
    database
}

fn nss(database: &Path, certificate: &Path) -> Said {
    let mut vfychain = program("vfychain");
    vfychain.arg("-d").arg(format!("sql:{}", database.display()));
    vfychain.args(["-pp", "-u", "0", "-g", "leaf", "-m", "crl", "-s", "failIfNoInfo", "-a"]);
    run(vfychain.arg(certificate))
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

/// All in one start.
fn java(world: &World, columns: &[&[&Crl]], provider: &str) -> Vec<Vec<Said>> {
    let mut java = program("java");
    java.args(["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp"]);
    java.arg(format!("{}:{BOUNCY_CASTLE}", VERDICTS.display()));
    java.args(["Verdicts", provider]).arg(&world.root).args(&world.standings).arg("--");
    for (number, crls) in columns.iter().enumerate() {
        let path = world.folder.join(format!("column{number}.pem"));
        fs::rename(together(world, crls), &path).expect("renamed");
        java.arg(path);
    }
    let said = run(&mut java).expect_ok(provider);
    let verdict = |line: &str| Said { ok: line == "good", text: line.to_owned() };
    let lines = said.lines().filter(|line| *line == "good" || line.starts_with("refused"));
    let verdicts: Vec<Said> = lines.map(verdict).collect();
    assert_eq!(verdicts.len(), columns.len() * world.standings.len(), "{said}");
    let mut verdicts = verdicts.into_iter();
    columns.iter().map(|_| verdicts.by_ref().take(world.standings.len()).collect()).collect()
}

fn by_webpki(world: &World, crls: &[&Crl], certificate: &Path) -> Said {
    let crls: Vec<&Path> = crls.iter().map(|crl| crl.der.as_path()).collect();
    let usage = KeyUsage::server_auth();
    match webpki_judges(certificate, &world.root, &[], &crls, usage) {
        Ok(()) => Said { ok: true, text: String::new() },
        Err(error) => Said { ok: false, text: format!("{error:?}") },
    }
}
