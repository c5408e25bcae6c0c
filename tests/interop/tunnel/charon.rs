//! charon, strongSwan's IKE daemon, and swanctl, which tells it what to do.

use crate::authority::entering;
use crate::machine::{Running, Said, program, run, write};
use crate::party::Party;
use crate::tunnel::network::{INSIDE, Namespace};
use std::fs;
use std::path::{Path, PathBuf};

/// One charon in a namespace. Dropped, it is gone.
pub struct Daemon {
    namespace: u32,
    folder: PathBuf,
    _running: Running,
}

impl Daemon {
    /// `authorities` are the root and whoever is below it, PEM; `connection` is what `swanctl.conf`
    /// holds; `radius` the port of the RADIUS server beside it.
    pub fn start(
        folder: &Path,
        namespace: &Namespace,
        party: &Party,
        authorities: &[&Path],
        connection: &str,
        radius: Option<u16>,
    ) -> Self {
        // swanctl looks for all of these beside its file, and complains about each that is missing.
        for part in
            "x509 x509ca x509ocsp x509aa x509ac x509crl pubkey private rsa ecdsa bliss pkcs8 pkcs12"
                .split(' ')
        {
            fs::create_dir_all(folder.join(part)).expect("a folder");
        }
        fs::copy(&party.certificate, folder.join("x509/own.pem")).expect("the certificate");
        fs::copy(&party.key, folder.join("private/own.pem")).expect("the key");
        for (authority, name) in authorities.iter().zip(["ca.pem", "below.pem"]) {
            fs::copy(authority, folder.join("x509ca").join(name)).expect("a CA certificate");
        }
        write(&folder.join("swanctl.conf"), connection);
        let settings = include_str!("strongswan.conf")
            .replace("@LOG@", &folder.join("charon.log").display().to_string())
            .replace("@RADIUS@", &radius.unwrap_or_default().to_string());
        write(&folder.join("strongswan.conf"), settings);
        let mut charon = program("nsenter");
        charon.args(["-t", &namespace.pid().to_string(), "-n", "-m", "charon-systemd"]);
        charon.env("STRONGSWAN_CONF", folder.join("strongswan.conf"));
        program("charon-systemd");
        let running = Running::start(&mut charon, &folder.join("output"));
        let mut own =
            Self { namespace: namespace.pid(), folder: folder.to_owned(), _running: running };

        let namespace = own.namespace;
        own._running.wait_until("charon", || swanctl(namespace, &["--stats"]).ok);
        let file = folder.join("swanctl.conf").display().to_string();
        own.swanctl(&["--load-all", "--file", &file]).expect_ok("swanctl --load-all");
        own
    }

    pub fn swanctl(&self, arguments: &[&str]) -> Said {
        swanctl(self.namespace, arguments)
    }

    /// Brings the tunnel up, as a client.
    pub fn initiate(&self) -> Said {
        self.swanctl(&["--initiate", "--child", "inside", "--timeout", "20000"])
    }

    /// Takes it down.
    pub fn terminate(&self) {
        self.swanctl(&["--terminate", "--ike", "vpn"]).expect_ok("swanctl --terminate");
    }

    /// One echo through the tunnel, or through nothing.
    pub fn ping(&self) -> Said {
        run(entering(Some(self.namespace), "ping").args(["-c", "1", "-W", "3", INSIDE]))
    }

    /// Echoes through the tunnel until dropped.
    pub fn traffic(&self) -> Traffic {
        let mut ping = entering(Some(self.namespace), "ping");
        ping.args(["-n", "-i", "0.1", INSIDE]);
        Traffic { running: Running::start(&mut ping, &self.folder.join("ping.log")) }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("charon.log")).unwrap_or_default()
    }
}

/// A stream of echoes.
pub struct Traffic {
    running: Running,
}

impl Traffic {
    /// Waits until three more have come back than have by now.
    #[track_caller]
    pub fn expect_more(&mut self, when: &str) {
        let log = self.running.log();
        let so_far = log.matches("bytes from").count();
        let path = self.running.log_path().to_owned();
        self.running.wait_until(when, || {
            let log = fs::read_to_string(&path).unwrap_or_default();
            log.matches("bytes from").count() >= so_far + 3
        });
    }
}

fn swanctl(namespace: u32, arguments: &[&str]) -> Said {
    program("swanctl");
    let mut nsenter = program("nsenter");
    nsenter.args(["-t", &namespace.to_string(), "-n", "-m", "swanctl"]);
    run(nsenter.args(arguments))
}
