//! eapol_test, in the part of the VPN client: it logs a certificate on at a RADIUS server.

use crate::machine::{Said, program, run, write};
use crate::party::Party;
use std::path::Path;

/// How a certificate is shown to the server.
#[derive(Clone, Copy)]
pub enum Method {
    /// EAP-TLS.
    Tls,
    /// EAP-TLS inside PEAP.
    PeapTls,
}

impl Method {
    /// As FreeRADIUS calls what it offers first.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::PeapTls => "peap",
        }
    }
}

/// A client that knows its server by root and name.
pub struct Supplicant<'a> {
    pub folder: &'a Path,
    pub root: &'a Path,
    pub port: u16,
}

impl Supplicant<'_> {
    /// EAP-TLS, with the server's name checked.
    pub fn log_on(&self, user: &Party) -> Said {
        self.attempt(user, Method::Tls, "nps01.corp.contoso.com")
    }

    /// The same inside PEAP.
    pub fn log_on_inside_peap(&self, user: &Party) -> Said {
        self.attempt(user, Method::PeapTls, "nps01.corp.contoso.com")
    }

    /// One attempt; `server` is the DNS name that the server must have.
    pub fn attempt(&self, user: &Party, method: Method, server: &str) -> Said {
        let client = self.folder.join("client.conf");
        let [root, certificate, key] =
            [self.root, &user.certificate, &user.key].map(|path| path.display().to_string());
        // What the client shows and what it checks; with a 2 behind each name, inside PEAP.
        let credentials = |inside: &str| {
            format!(
                "  ca_cert{inside}=\"{root}\"\n  client_cert{inside}=\"{certificate}\"\n  \
                 private_key{inside}=\"{key}\"\n  domain_match{inside}=\"{server}\"\n"
            )
        };
        let method = match method {
            Method::Tls => "  eap=TLS\n".to_owned() + &credentials(""),
            Method::PeapTls => format!(
                "  eap=PEAP\n  phase2=\"auth=TLS\"\n  ca_cert=\"{root}\"\n  \
                 domain_match=\"{server}\"\n{}",
                credentials("2")
            ),
        };
        let identity = "  key_mgmt=WPA-EAP\n  identity=\"user@corp.contoso.com\"\n";
        write(&client, format!("network={{\n{identity}{method}}}\n"));
        let mut eapol = program("eapol_test");
        eapol.args(["-a", "127.0.0.1", "-s", "secret", "-t", "10", "-p", &self.port.to_string()]);
        run(eapol.arg("-c").arg(&client))
    }
}
