//! FreeRADIUS, with configuration, port and trust of one test.

use crate::authority::entering;
use crate::machine::{Running, program, run, udp_port, write};
use crate::party::Party;
use crate::radius::supplicant::{Method, Supplicant};
use std::fs;
use std::path::{Path, PathBuf};

/// How FreeRADIUS is told whom to trust, and so when it sees a new CRL. Never by a HUP.
#[derive(Clone, Copy)]
pub enum Trust {
    /// Root and CRL in one file (`ca_file`), read at the start.
    File,
    /// The same, and an expired CRL still counts.
    FileEvenExpired,
    /// A folder (`ca_path`) in which each new CRL takes the next free `<hash>.r<n>`: OpenSSL looks
    /// for the next number at every log-on (X509_LOOKUP_hash_dir(3)).
    Folder,
    /// A folder in which the new CRL takes the place of the old one, which OpenSSL does not see;
    /// read again by the first log-on after `ca_path_reload_interval`. The least is 300 seconds,
    /// and without a `ca_path` there is no interval.
    FolderWrittenOver,
    /// As `Folder`, and the CRL of every CA on the way to the root counts (`check_all_crl`).
    EveryLevel,
    /// The responder that the certificate names is asked at every log-on, and no CRL is read; where
    /// there is no answer, nobody comes in.
    Ocsp,
    /// The same, and the CRL of `File` counts too: alone, where there is no answer.
    OcspAndFile,
}

impl Trust {
    fn configuration(self, folder: &Path) -> String {
        let (file, hashed) = (folder.join("trust.pem"), folder.join("trust"));
        let root = format!("ca_file = {}", file.display());
        let file = format!("check_crl = yes\n      {root}");
        let hashed = format!("check_crl = yes\n      ca_path = {}", hashed.display());
        match self {
            Self::File => file,
            Self::FileEvenExpired => file + "\n      allow_expired_crl = yes",
            Self::Folder => hashed,
            Self::EveryLevel => hashed + "\n      check_all_crl = yes",
            // Less than 300 is taken for 300.
            Self::FolderWrittenOver => hashed + "\n      ca_path_reload_interval = 1",
            Self::Ocsp => root + &responder("no"),
            Self::OcspAndFile => file + &responder("yes"),
        }
    }
}

/// `softfail` is what FreeRADIUS calls going on without an answer.
fn responder(softfail: &str) -> String {
    let own = ["enable = yes", "override_cert_url = no", "use_nonce = yes", "timeout = 5"];
    let own = own.map(|item| format!("        {item}\n")).concat();
    format!("\n      ocsp {{\n{own}        softfail = {softfail}\n      }}")
}

/// What a server's clock says.
#[derive(Clone, Copy)]
pub enum Clock {
    /// The time.
    Real,
    /// So many seconds away from it at the start; `Radius::turn_clock` changes that (libfaketime).
    Off(i64),
}

/// A server that is to be started.
pub struct Plan<'a> {
    /// Where its folder goes, and the folder's name.
    pub folder: &'a Path,
    pub name: &'a str,
    pub server: &'a Party,
    pub root: &'a Path,
    /// A CA between root and users, if it is to be trusted as the root is; PEM.
    pub between: Option<&'a Path>,
    /// DER.
    pub crl: &'a Path,
    pub method: Method,
    pub trust: Trust,
    /// The process whose network namespace it lives in.
    pub namespace: Option<u32>,
    pub clock: Clock,
}

/// A running server.
pub struct Radius {
    folder: PathBuf,
    root: PathBuf,
    trust: Trust,
    port: u16,
    running: Running,
}

impl Radius {
    pub fn start(plan: &Plan) -> Self {
        let folder = plan.folder.join(plan.name);
        fs::create_dir_all(folder.join("trust")).expect("a folder");
        let root = plan.root.to_owned();
        for authority in [Some(plan.root), plan.between].into_iter().flatten() {
            let name = format!("trust/{}.0", hash("x509", authority));
            fs::copy(authority, folder.join(name)).expect("a CA certificate");
        }
        install(&folder, plan.trust, &root, plan.crl);
        let port = udp_port();
        write(&folder.join("radiusd.conf"), configuration(&folder, plan, port));
        let mut freeradius = entering(plan.namespace, "freeradius");
        if let Clock::Off(seconds) = plan.clock {
            write(&folder.join("clock"), format!("{seconds:+}"));
            freeradius.env("LD_PRELOAD", "/usr/$LIB/faketime/libfaketimeMT.so.1");
            freeradius.env("FAKETIME_TIMESTAMP_FILE", folder.join("clock"));
            freeradius.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        freeradius.arg("-d").arg(&folder).args(["-f", "-x", "-l", "stdout", "-n", "radiusd"]);
        let log = folder.join("log");
        let mut running = Running::start(&mut freeradius, &log);
        running.wait_until("FreeRADIUS", || {
            fs::read_to_string(&log).is_ok_and(|log| log.contains("Ready to process requests"))
        });
        Self { folder, root, trust: plan.trust, port, running }
    }

    /// Puts a new CRL where the server looks for it, whether it looks or not.
    pub fn install(&self, crl: &Path) {
        install(&self.folder, self.trust, &self.root, crl);
    }

    /// What `systemctl reload freeradius` sends.
    pub fn reload(&mut self) {
        let before = self.log().matches("Received HUP").count();
        run(program("kill").args(["-HUP", &self.running.pid().to_string()])).expect_ok("HUP");
        let log = self.folder.join("log");
        self.running.wait_until("a HUP in the log", || {
            let log = fs::read_to_string(&log).unwrap_or_default();
            log.matches("Received HUP").count() > before
        });
    }

    /// Turns the clock of a server with `Clock::Off`: so many seconds away from the real time.
    pub fn turn_clock(&self, seconds: i64) {
        write(&self.folder.join("new.clock"), format!("{seconds:+}"));
        fs::rename(self.folder.join("new.clock"), self.folder.join("clock")).expect("renamed");
    }

    /// A client of this server.
    pub fn supplicant(&self) -> Supplicant<'_> {
        Supplicant { folder: &self.folder, root: &self.root, port: self.port }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn log(&self) -> String {
        self.running.log()
    }
}

fn install(folder: &Path, trust: Trust, root: &Path, crl: &Path) {
    let crl = crate::control::crl_to_pem(crl);
    let read = |path: &Path| fs::read_to_string(path).expect("PEM");
    let hashed = folder.join("trust");
    let numbered = |number: u32| hashed.join(format!("{}.r{number}", hash("crl", &crl)));
    let (content, place) = match trust {
        Trust::File | Trust::FileEvenExpired | Trust::Ocsp | Trust::OcspAndFile => {
            (read(root) + &read(&crl), folder.join("trust.pem"))
        }
        Trust::FolderWrittenOver => (read(&crl), numbered(0)),
        Trust::Folder | Trust::EveryLevel => {
            let free = (0..).map(numbered).find(|path| !path.exists());
            (read(&crl), free.expect("a free number"))
        }
    };
    // In one piece: nobody may read half a CRL.
    write(&folder.join("new.pem"), content);
    fs::rename(folder.join("new.pem"), place).expect("renamed");
}

/// The issuer's name as OpenSSL calls files after it.
fn hash(kind: &str, pem: &Path) -> String {
    let mut openssl = program("openssl");
    let said = run(openssl.args([kind, "-noout", "-hash", "-in"]).arg(pem));
    said.expect_ok("openssl -hash").trim().to_owned()
}

fn configuration(folder: &Path, plan: &Plan, port: u16) -> String {
    let path = |path: &Path| path.display().to_string();
    include_str!("radiusd.conf")
        .replace("@FOLDER@", &path(folder))
        .replace("@CERTIFICATE@", &path(&plan.server.certificate))
        .replace("@KEY@", &path(&plan.server.key))
        .replace("@METHOD@", plan.method.name())
        .replace("@TRUST@", &plan.trust.configuration(folder))
        .replace("@PORT@", &port.to_string())
}
