//! An Active Directory domain on this machine: Samba, provisioned anew, on a loopback address of
//! its own with the ports that LDAP has. Needs root, as those ports do; ends when it is dropped.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::program::openssl;

/// The domain's distinguished name.
pub const BASE: &str = "DC=corp,DC=contoso,DC=com";
/// The account that looks others up.
pub const BIND_NAME: &str = "svc-ca@corp.contoso.com";
/// Its password.
pub const BIND_PASSWORD: &str = "Bind-Passw0rd";

/// A running domain controller.
pub struct Domain {
    home: tempfile::TempDir,
    address: String,
    child: Option<Child>,
}

/// What is written about an object besides its class.
pub type Attributes<'a> = &'a [(&'a str, &'a str)];

impl Domain {
    /// Provisions a domain, puts these objects into it (LDIF) and starts its controller.
    pub fn start(objects: &str) -> Self {
        // Tests run side by side, in one process and in several.
        static NUMBER: AtomicU8 = AtomicU8::new(1);
        let (number, process) = (NUMBER.fetch_add(1, Ordering::Relaxed), std::process::id());
        let address = format!("127.{}.{}.{number}", 64 + (process >> 8) % 128, process % 256);
        let home = tempfile::tempdir().unwrap();
        let mut domain = Self { home, address, child: None };
        domain.provision();
        domain.certify();
        domain.add(objects);
        domain.run();
        domain
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn provision(&self) {
        let target = self.home.path().display();
        let output = Command::new("samba-tool")
            .args(["domain", "provision", "--realm=CORP.CONTOSO.COM", "--domain=CORP"])
            .args(["--server-role=dc", "--dns-backend=NONE", "--adminpass=Admin-Passw0rd-1"])
            .args(["--host-name=dc1", "--host-ip=127.0.0.1", "--option=interfaces=lo"])
            .arg("--option=bind interfaces only=yes")
            .arg(format!("--targetdir={target}"))
            .output()
            .expect("samba-tool is there: tests/install brings it");
        told(&output);
    }

    /// A root, and the controller's certificate under it with its address in it.
    fn certify(&self) {
        let home = self.home.path();
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        let root = ["req", "-x509", "-keyout", "root.key", "-out", "root.pem", "-subj"];
        let ca = ["/CN=Lab Root", "-addext", "basicConstraints=critical,CA:TRUE"];
        openssl(home, &[&root[..], &ca, &key].concat());
        let other = ["req", "-x509", "-keyout", "other.key", "-out", "other.pem", "-subj"];
        let stranger = ["/CN=Other Root", "-addext", "basicConstraints=critical,CA:TRUE"];
        openssl(home, &[&other[..], &stranger, &key].concat());
        let dc = ["req", "-new", "-keyout", "dc.key", "-out", "dc.csr", "-subj", "/CN=dc1"];
        openssl(home, &[&dc[..], &key].concat());
        let names = format!("subjectAltName=DNS:dc1.corp.contoso.com,IP:{}\n", self.address);
        std::fs::write(self.at("names"), names).unwrap();
        let by = ["-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "9"];
        let sign = ["x509", "-req", "-in", "dc.csr", "-extfile", "names", "-out", "dc.pem"];
        openssl(home, &[&sign[..], &by].concat());
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(self.at("dc.key"), private).unwrap();
    }

    /// Adds objects to the domain's data base.
    pub fn add(&self, ldif: &str) {
        self.ldb("ldbadd", "private/sam.ldb", ldif);
    }

    /// Changes objects.
    pub fn modify(&self, ldif: &str) {
        self.ldb("ldbmodify", "private/sam.ldb", ldif);
    }

    /// Changes objects past the rules of the controller, as replication between two of them can:
    /// in the file of the partition itself.
    pub fn modify_unchecked(&self, ldif: &str) {
        let file = format!("private/sam.ldb.d/{}.ldb", BASE.to_uppercase());
        self.ldb("ldbmodify", &file, ldif);
    }

    fn ldb(&self, program: &str, file: &str, ldif: &str) {
        std::fs::write(self.at("objects.ldif"), ldif).unwrap();
        let mut command = Command::new(program);
        command.arg("-H").arg(self.at(file)).arg(self.at("objects.ldif"));
        told(&command.output().expect("tests/install brings ldb-tools"));
    }

    /// One attribute of an account, as Samba's own tool prints it.
    pub fn attribute(&self, account: &str, attribute: &str) -> String {
        let output = Command::new("ldbsearch")
            .arg("-H")
            .arg(self.at("private/sam.ldb"))
            .arg(format!("(sAMAccountName={account})"))
            .arg(attribute)
            .output()
            .unwrap();
        let text = told(&output);
        let start = format!("{attribute}: ");
        let line = text.lines().find_map(|line| line.strip_prefix(&start));
        line.unwrap_or_else(|| panic!("{account} has no {attribute}: {text}")).to_owned()
    }

    /// Starts the controller and waits until it answers.
    pub fn run(&mut self) {
        let option = |name: &str, value: &str| format!("--option={name}={value}");
        let at = |name: &str| self.at(name).display().to_string();
        let child = Command::new("samba")
            .args(["--foreground", "--no-process-group", "--model=prefork", "--configfile"])
            .arg(self.at("etc/smb.conf"))
            .arg(option("server services", "ldap"))
            .arg(option("interfaces", &format!("{}/8", self.address)))
            .arg(option("bind interfaces only", "yes"))
            .arg(option("prefork children", "2"))
            .arg(option("tls keyfile", &at("dc.key")))
            .arg(option("tls certfile", &at("dc.pem")))
            .arg(option("tls cafile", &at("root.pem")))
            .arg(option("log file", &at("log")))
            .arg(option("pid directory", &at("")))
            .arg(option("ncalrpc dir", &at("ncalrpc")))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("samba is there: tests/install brings it");
        self.child = Some(child);
        let began = Instant::now();
        while TcpStream::connect((self.address.as_str(), 636)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "the controller does not listen");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Ends the controller.
    pub fn halt(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let pid = child.id().to_string();
        // Its children end with it when it is asked, not when it is killed.
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = child.wait();
    }

    /// Ends the controller; from now on somebody takes its connections who never says a word.
    pub fn hang(&mut self) -> Silent {
        self.halt();
        Silent::at(&format!("{}:636", self.address), Manners::Mute)
    }

    /// `ldaps://…`
    pub fn url(&self) -> String {
        format!("ldaps://{}", self.address)
    }

    /// `ldap://…`, for StartTLS.
    pub fn plain_url(&self) -> String {
        format!("ldap://{}", self.address)
    }

    /// The root of the controller's certificate.
    pub fn root(&self) -> PathBuf {
        self.at("root.pem")
    }

    /// The root of nobody's certificate.
    pub fn other_root(&self) -> PathBuf {
        self.at("other.pem")
    }

    /// The section of the settings file, with these servers and this root.
    pub fn section(&self, servers: &[String], root: &Path) -> String {
        let password = self.at("bind.password");
        std::fs::write(&password, format!("{BIND_PASSWORD}\n")).unwrap();
        format!(
            "[[directory]]\nkind = \"ldap\"\nrealm = \"CORP\"\nbase = \"{BASE}\"\n\
             servers = {servers:?}\nstart_tls = true\nroot_file = {root:?}\n\
             bind_name = \"{BIND_NAME}\"\nbind_password_file = {password:?}\n\
             default_realm = true\nretry = \"1s\"\n"
        )
    }
}

impl Drop for Domain {
    fn drop(&mut self) {
        self.halt();
    }
}

/// How far somebody goes who is no controller.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manners {
    /// Takes connections.
    Mute,
    /// Answers StartTLS (RFC 4511 §4.14) as well, and nothing after it.
    MuteAfterStartTls,
}

/// Takes connections and keeps them open, for as long as it lives.
pub struct Silent {
    address: std::net::SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Silent {
    pub fn at(address: &str, manners: Manners) -> Self {
        let listener = bound(address);
        let address = listener.local_addr().unwrap();
        let connections = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&connections);
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for mut stream in listener.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::SeqCst);
                if manners == Manners::MuteAfterStartTls {
                    let mut asked = [0; 64];
                    let length = stream.read(&mut asked).unwrap();
                    assert!(asked[..length].ends_with(b"1.3.6.1.4.1.1466.20037"), "no StartTLS");
                    // LDAPMessage { 1, extendedResp { success, "", "" } }
                    stream
                        .write_all(b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00")
                        .unwrap();
                }
                kept.push(stream);
            }
        });
        Self { address, connections }
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// How many connections it has taken.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// A listener; what was there before may need a moment to be gone.
fn bound(address: &str) -> TcpListener {
    let began = Instant::now();
    loop {
        match TcpListener::bind(address) {
            Ok(listener) => return listener,
            Err(error) if began.elapsed() > Duration::from_secs(10) => panic!("{address}: {error}"),
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn told(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// LDIF of an account with a password ([MS-ADTS] §3.1.1.3.1.5.1: in quotes, UTF-16).
pub fn account(class: &str, cn: &str, name: &str, password: &str, more: Attributes<'_>) -> String {
    let quoted: Vec<u8> =
        format!("\"{password}\"").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let control = if class == "computer" { 4096 } else { 512 };
    let mut text = format!("dn:: {}\n", STANDARD.encode(format!("CN={cn},CN=Users,{BASE}")));
    let _ = writeln!(text, "objectClass: {class}\nuserAccountControl: {control}");
    let _ = writeln!(text, "sAMAccountName:: {}", STANDARD.encode(name));
    let _ = writeln!(text, "unicodePwd:: {}", STANDARD.encode(quoted));
    for (attribute, value) in more {
        let _ = writeln!(text, "{attribute}:: {}", STANDARD.encode(value));
    }
    text + "\n"
}

/// LDIF of a group with members, by their cn.
pub fn group(name: &str, members: &[&str]) -> String {
    let mut text = format!("dn: CN={name},CN=Users,{BASE}\nobjectClass: group\n");
    let _ = writeln!(text, "sAMAccountName: {name}");
    for member in members {
        let dn = format!("CN={member},CN=Users,{BASE}");
        let _ = writeln!(text, "member:: {}", STANDARD.encode(dn));
    }
    text + "\n"
}

/// LDIF that replaces one attribute of an account.
pub fn replace(cn: &str, attribute: &str, value: &str) -> String {
    format!(
        "dn: CN={cn},CN=Users,{BASE}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n\n"
    )
}
