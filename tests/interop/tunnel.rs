//! strongSwan as VPN server (in the part of RRAS) and VPN client, in two network namespaces joined
//! by a cable, fetching the CRL over HTTP from the address that the certificates name.

use crate::authority::{Authority, entering};
use crate::machine::{self, Running, Said, program, run, write};
use crate::party::{self, Party};
use std::fs;
use std::path::{Path, PathBuf};

/// Server, client, and what lies behind the server.
const SERVER: &str = "10.99.0.1";
const CLIENT: &str = "10.99.0.2";
const INSIDE: &str = "10.98.0.1";

#[test]
fn strongswan_brings_a_tunnel_up_and_refuses_a_revoked_client() {
    let folder = machine::folder("tunnel");
    let (server_side, client_side) = (Namespace::open(&folder, "a"), Namespace::open(&folder, "b"));
    join(&server_side, &client_side);

    // The publication address is the server's own on the cable: reachable from both sides.
    let publish = format!("{SERVER}:8080");
    let inside = Some(server_side.pid());
    let authority = Authority::init_at(&folder, "p256", "127.0.0.1:8443", &publish, inside);
    let server = party::vpn_server(&authority, &folder);
    let alice = party::user(&authority, &folder, "alice", 1104);
    let mallory = party::user(&authority, &folder, "mallory", 1105);
    authority.revoke(&mallory.serial_number, "keyCompromise");
    let root = authority.root();

    let vpn = Daemon::start(&folder, "vpn", &server_side, &server, &root, &server_connection());
    let client = Daemon::start(&folder, "alice", &client_side, &alice, &root, &client_connection());
    client.initiate().expect_ok("alice's tunnel");
    client.ping().expect_ok("a ping through alice's tunnel");
    let seen = vpn.log();
    assert!(
        seen.contains(&format!("fetching crl from 'http://{publish}/crl/")),
        "no CRL fetched:\n{seen}"
    );
    assert!(seen.contains("crl correctly signed"), "{seen}");
    assert!(client.log().contains("crl correctly signed"), "the client did not check the server");
    drop(client);

    let client =
        Daemon::start(&folder, "mallory", &client_side, &mallory, &root, &client_connection());
    client.initiate().expect_refusal("mallory's tunnel", "AUTHENTICATION_FAILED");
    assert!(!client.ping().ok, "a revoked client reaches the inside");
    let seen = vpn.log();
    assert!(seen.contains("certificate was revoked"), "refused for another reason:\n{seen}");
    assert!(seen.contains("key compromise"), "the reason is lost:\n{seen}");
}

/// A network namespace with a private /run (each charon wants its pid file and socket there); it
/// lasts as long as the process that holds it.
struct Namespace {
    holder: Running,
}

impl Namespace {
    fn open(folder: &Path, name: &str) -> Self {
        let ready = folder.join(format!("{name}.ready"));
        let script =
            "mount -t tmpfs tmpfs /run && ip link set lo up && touch \"$0\" && exec sleep 600";
        let mut unshare = program("unshare");
        unshare
            .args(["--net", "--mount", "--propagation", "private", "sh", "-c", script])
            .arg(&ready);
        let mut holder = Running::start(&mut unshare, &folder.join(format!("{name}.log")));
        holder.wait_until("network namespace (are you root?)", || ready.exists());
        Self { holder }
    }

    fn pid(&self) -> u32 {
        self.holder.pid()
    }

    #[track_caller]
    fn ip(&self, arguments: &str) {
        let mut ip = entering(Some(self.pid()), "ip");
        run(ip.args(arguments.split(' '))).expect_ok(arguments);
    }
}

fn join(server: &Namespace, client: &Namespace) {
    let mut cable = program("ip");
    cable.args(["link", "add", "cable", "netns", &server.pid().to_string(), "type", "veth"]);
    cable.args(["peer", "name", "cable", "netns", &client.pid().to_string()]);
    run(&mut cable).expect_ok("a cable between the namespaces");
    for (side, address) in [(server, SERVER), (client, CLIENT)] {
        side.ip(&format!("addr add {address}/24 dev cable"));
        side.ip("link set cable up");
    }
    server.ip(&format!("addr add {INSIDE}/32 dev lo"));
}

/// One charon in a namespace. Dropped, it is gone.
struct Daemon {
    namespace: u32,
    folder: PathBuf,
    _running: Running,
}

impl Daemon {
    fn start(
        folder: &Path,
        name: &str,
        namespace: &Namespace,
        party: &Party,
        root: &Path,
        connection: &str,
    ) -> Self {
        let folder = folder.join(name);
        // swanctl looks for all of these beside its file, and complains about each that is missing.
        for part in
            "x509 x509ca x509ocsp x509aa x509ac x509crl pubkey private rsa ecdsa bliss pkcs8 pkcs12"
                .split(' ')
        {
            fs::create_dir_all(folder.join(part)).expect("a folder");
        }
        fs::copy(&party.certificate, folder.join("x509/own.pem")).expect("the certificate");
        fs::copy(&party.key, folder.join("private/own.pem")).expect("the key");
        fs::copy(root, folder.join("x509ca/ca.pem")).expect("the root");
        write(&folder.join("swanctl.conf"), connection);
        write(&folder.join("strongswan.conf"), settings(&folder));
        let mut charon = program("nsenter");
        charon.args(["-t", &namespace.pid().to_string(), "-n", "-m", "charon-systemd"]);
        charon.env("STRONGSWAN_CONF", folder.join("strongswan.conf"));
        program("charon-systemd");
        let mut running = Running::start(&mut charon, &folder.join("output"));

        running.wait_until("charon", || swanctl(namespace.pid(), &["--stats"]).ok);
        let file = folder.join("swanctl.conf").display().to_string();
        swanctl(namespace.pid(), &["--load-all", "--file", &file]).expect_ok("swanctl --load-all");
        Self { namespace: namespace.pid(), folder, _running: running }
    }

    fn initiate(&self) -> Said {
        swanctl(self.namespace, &["--initiate", "--child", "inside", "--timeout", "20000"])
    }

    fn ping(&self) -> Said {
        run(entering(Some(self.namespace), "ping").args(["-c", "1", "-W", "3", INSIDE]))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("charon.log")).unwrap_or_default()
    }
}

fn swanctl(namespace: u32, arguments: &[&str]) -> Said {
    program("swanctl");
    let mut nsenter = program("nsenter");
    nsenter.args(["-t", &namespace.to_string(), "-n", "-m", "swanctl"]);
    run(nsenter.args(arguments))
}

/// ESP runs in user space (kernel-libipsec over TUN): not every kernel has it.
fn settings(folder: &Path) -> String {
    let log = folder.join("charon.log");
    format!(
        "charon-systemd {{
  load = random nonce aes sha1 sha2 hmac kdf gmp openssl pem pkcs1 pkcs8 x509 revocation constraints pubkey curl socket-default kernel-libipsec kernel-netlink vici
  retransmit_tries = 2
  retransmit_timeout = 1.0
  filelog {{
    log {{
      path = {}
      default = 1
      cfg = 2
      flush_line = yes
    }}
  }}
}}
",
        log.display()
    )
}

fn server_connection() -> String {
    format!(
        "connections {{
  vpn {{
    version = 2
    local_addrs = {SERVER}
    encap = yes
    pools = clients
    local {{
      auth = pubkey
      certs = own.pem
      id = vpn.contoso.com
    }}
    remote {{
      auth = pubkey
      cacerts = ca.pem
      revocation = strict
    }}
    children {{
      inside {{
        local_ts = {INSIDE}/32
      }}
    }}
  }}
}}
pools {{
  clients {{
    addrs = 10.97.0.0/24
  }}
}}
"
    )
}

fn client_connection() -> String {
    format!(
        "connections {{
  vpn {{
    version = 2
    remote_addrs = {SERVER}
    encap = yes
    vips = 0.0.0.0
    local {{
      auth = pubkey
      certs = own.pem
    }}
    remote {{
      auth = pubkey
      id = vpn.contoso.com
      cacerts = ca.pem
      revocation = strict
    }}
    children {{
      inside {{
        remote_ts = {INSIDE}/32
      }}
    }}
  }}
}}
"
    )
}
