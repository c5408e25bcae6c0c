//! FreeRADIUS in the part of NPS, eapol_test in the part of the VPN client: EAP-TLS.

use crate::authority::Authority;
use crate::machine::{self, Running, Said, program, run, udp_port, write};
use crate::party::{self, Party};
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn freeradius_accepts_a_user_and_refuses_a_revoked_one() {
    let folder = machine::folder("radius");
    let authority = Authority::init(&folder, "rsa3072");
    let server = party::nps_server(&authority, &folder);
    let alice = party::user(&authority, &folder, "alice", 1104);
    let mallory = party::user(&authority, &folder, "mallory", 1105);
    let root = authority.root();

    let before = Radius::start(&folder, "before", &server, &root, &authority.fetch_crl(&folder));
    before.log_on(&alice).expect_ok("alice");
    before.log_on(&mallory).expect_ok("mallory, who is not revoked yet");
    drop(before);

    authority.revoke(&mallory.serial_number, "keyCompromise");
    let after = Radius::start(&folder, "after", &server, &root, &authority.fetch_crl(&folder));
    after.log_on(&alice).expect_ok("alice");
    after.log_on(&mallory).expect_refusal("mallory, who is revoked", "FAILURE");
    let log = after.running.log();
    assert!(log.contains("error 23 : certificate revoked"), "refused for another reason:\n{log}");
}

/// A RADIUS server of our own: configuration directory, port and trust of one test.
struct Radius {
    folder: PathBuf,
    root: PathBuf,
    port: u16,
    running: Running,
}

impl Radius {
    /// FreeRADIUS reads CA and CRL at its start, from one file.
    fn start(folder: &Path, name: &str, server: &Party, root: &Path, crl_der: &Path) -> Self {
        let folder = folder.join(name);
        fs::create_dir_all(&folder).expect("a folder");
        let crl_pem = crate::control::crl_to_pem(crl_der);
        let read = |path: &Path| fs::read_to_string(path).expect("PEM");
        write(&folder.join("trust.pem"), read(root) + &read(&crl_pem));
        let port = udp_port();
        write(&folder.join("radiusd.conf"), configuration(&folder, server, port));
        let mut freeradius = program("freeradius");
        freeradius.arg("-d").arg(&folder).args(["-f", "-x", "-l", "stdout", "-n", "radiusd"]);
        let mut running = Running::start(&mut freeradius, &folder.join("log"));
        let log = folder.join("log");
        running.wait_until("FreeRADIUS", || {
            fs::read_to_string(&log).is_ok_and(|log| log.contains("Ready to process requests"))
        });
        Self { folder, root: root.to_owned(), port, running }
    }

    fn log_on(&self, user: &Party) -> Said {
        let client = self.folder.join("client.conf");
        let [root, certificate, key] =
            [&self.root, &user.certificate, &user.key].map(|path| path.display());
        write(
            &client,
            format!(
                "network={{\n  key_mgmt=WPA-EAP\n  eap=TLS\n  identity=\"user@corp.contoso.com\"\n  \
                 ca_cert=\"{root}\"\n  client_cert=\"{certificate}\"\n  private_key=\"{key}\"\n  \
                 domain_match=\"nps01.corp.contoso.com\"\n}}\n"
            ),
        );
        let mut eapol = program("eapol_test");
        eapol.args(["-a", "127.0.0.1", "-s", "secret", "-t", "10", "-p", &self.port.to_string()]);
        run(eapol.arg("-c").arg(&client))
    }
}

/// EAP-TLS and nothing else. FreeRADIUS wants one item a line.
fn configuration(folder: &Path, server: &Party, port: u16) -> String {
    let [folder, certificate, key] =
        [folder, &server.certificate, &server.key].map(|path| path.display().to_string());
    format!(
        "prefix = /usr
logdir = {folder}
run_dir = {folder}
libdir = /usr/lib/freeradius
pidfile = {folder}/pid
hostname_lookups = no
proxy_requests = no
log {{
  destination = stdout
  auth = yes
}}
security {{
  reject_delay = 0
  status_server = no
  allow_vulnerable_openssl = yes
}}
thread pool {{
  start_servers = 1
  max_servers = 2
  min_spare_servers = 1
  max_spare_servers = 2
}}
client lab {{
  ipaddr = 127.0.0.1
  secret = secret
}}
modules {{
  eap {{
    default_eap_type = tls
    timer_expire = 60
    max_sessions = 64
    tls-config lab {{
      certificate_file = {certificate}
      private_key_file = {key}
      ca_file = {folder}/trust.pem
      check_crl = yes
      tls_min_version = \"1.2\"
      tls_max_version = \"1.2\"
      cipher_list = \"DEFAULT\"
      ecdh_curve = \"\"
    }}
    tls {{
      tls = lab
    }}
  }}
}}
server lab {{
  listen {{
    type = auth
    ipaddr = 127.0.0.1
    port = {port}
  }}
  authorize {{
    eap
  }}
  authenticate {{
    eap
  }}
}}
"
    )
}
