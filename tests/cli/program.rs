//! Runs the binary, and what the tests ask with.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

/// The binary with these arguments, without the settings of whoever runs the tests.
pub fn chancery(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chancery"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CHANCERY_") {
            command.env_remove(name);
        }
    }
    command.args(arguments);
    command
}

/// Runs it to its end; it must succeed. Gives what it printed.
pub fn succeeds(arguments: &[&str]) -> String {
    let output = chancery(arguments).output().unwrap();
    assert!(output.status.success(), "chancery {arguments:?}\n{}", told(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs it to its end; it must fail with status 1 and a sentence. Gives all it printed.
pub fn fails(arguments: &[&str]) -> String {
    let output = chancery(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "chancery {arguments:?}\n{}", told(&output));
    told(&output)
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Runs openssl in `directory`; it must succeed. Gives what it printed.
pub fn openssl(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("openssl").args(arguments).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "openssl {arguments:?}\n{}", told(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// A running service. Killed when dropped.
pub struct Service {
    child: Child,
    _out: BufReader<ChildStdout>,
    /// What it said at its start.
    pub said: String,
    pub data: PathBuf,
    /// `https://localhost:…`
    pub api: String,
    /// The CRL's URL.
    pub crl: String,
}

impl Service {
    /// Starts it on free ports and waits until it says that it serves.
    pub fn start(data: &Path, more: &[&str]) -> Self {
        Self::start_command(chancery(&[]), data, more)
    }

    pub fn start_command(mut command: Command, data: &Path, more: &[&str]) -> Self {
        let text = data.to_str().unwrap();
        let ports = ["--api-listen", "127.0.0.1:0", "--publish-listen", "127.0.0.1:0"];
        let log = std::fs::File::create(data.with_extension("log")).unwrap();
        let mut child = command
            .args(["serve", "--data", text])
            .args(ports)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        while !said.contains("\nNext:\n") && !said.starts_with("Next:\n") {
            if out.read_line(&mut said).unwrap() == 0 {
                let log = std::fs::read_to_string(data.with_extension("log")).unwrap();
                panic!("the service did not start\n{said}\n{log}");
            }
        }
        out.read_line(&mut said).unwrap();
        let after = |word: &str| {
            let line = said.lines().find(|line| line.starts_with(word)).unwrap_or_default();
            line.split_whitespace().nth(1).unwrap_or_default().to_owned()
        };
        let (api, crl) = (after("API "), after("CRL "));
        Self { child, _out: out, said, data: data.to_owned(), api, crl }
    }

    /// The process's number.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM; the exit status must be 0.
    pub fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        let log = std::fs::read_to_string(self.data.with_extension("log")).unwrap();
        assert_eq!(status.code(), Some(0), "{log}");
    }

    /// Calls the API as the administrator; gives status and body.
    pub fn call(&self, path: &str, more: &[&str]) -> (u16, String) {
        let token = std::fs::read_to_string(self.data.join("admin.token")).unwrap();
        let output = Command::new("curl")
            .args(["-sS", "-w", "\n%{http_code}", "--noproxy", "*", "--cacert"])
            .arg(self.data.join("ca.pem"))
            .args(["-H", &format!("Authorization: Bearer {token}")])
            .arg(format!("{}{path}", self.api))
            .args(more)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", told(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), body.to_owned())
    }

    /// POSTs JSON; the answer must have `status`. Gives it.
    pub fn post(&self, path: &str, status: u16, body: &str) -> serde_json::Value {
        let (found, text) = self.call(path, &["-H", "Content-Type: application/json", "-d", body]);
        assert_eq!(found, status, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Approves a request as a new certificate manager: who submitted it may not.
    pub fn approve_by_another(&self, id: &str) {
        let manager = r#"{"name":"mara","kind":"user","roles":["certificate_manager"]}"#;
        self.post("/v1/accounts", 201, manager);
        let wanted = r#"{"account":"mara","expires_in_seconds":600}"#;
        let token = self.post("/v1/tokens", 201, wanted)["token"].as_str().unwrap().to_owned();
        let approve = Command::new("curl")
            .args(["-sSf", "--noproxy", "*", "-X", "POST", "--cacert"])
            .arg(self.data.join("ca.pem"))
            .args(["-H", &format!("Authorization: Bearer {token}")])
            .arg(format!("{}/v1/requests/{id}/approve", self.api))
            .output()
            .unwrap();
        assert!(approve.status.success(), "{}", String::from_utf8_lossy(&approve.stderr));
    }

    /// POSTs a CSR file for `template`; it must be issued. Gives the answer.
    pub fn enroll(&self, template: &str, query: &str, csr: &Path) -> serde_json::Value {
        let path = format!("/v1/requests?template={template}{query}");
        let file = format!("@{}", csr.display());
        let body = ["-H", "Content-Type: application/pkcs10", "--data-binary", &file];
        let (status, text) = self.call(&path, &body);
        assert_eq!(status, 201, "{template}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The arguments of `chancery request` for this service, with the files in `out`.
    pub fn request(&self, out: &Path, more: &[&str]) -> Command {
        let (token, root) = (self.data.join("admin.token"), self.data.join("ca.pem"));
        let mut command = chancery(&["request", "--url", &self.api]);
        command.arg("--token-file").arg(token).arg("--ca-file").arg(root).arg("--out").arg(out);
        command.args(more);
        command
    }

    /// Fetches the CRL into a file, PEM, and lets OpenSSL verify its signature.
    pub fn fetch_crl(&self, to: &Path) -> String {
        let der = to.with_extension("der");
        let fetched = Command::new("curl")
            .args(["-sSf", "--noproxy", "*", "-o"])
            .arg(&der)
            .arg(&self.crl)
            .output()
            .unwrap();
        assert!(fetched.status.success(), "{}", told(&fetched));
        let home = to.parent().unwrap();
        let chain = self.data.join("chain.pem");
        let (der, pem, chain) =
            (der.to_str().unwrap(), to.to_str().unwrap(), chain.to_str().unwrap());
        openssl(home, &["crl", "-inform", "DER", "-in", der, "-out", pem]);
        openssl(home, &["crl", "-in", pem, "-CAfile", chain, "-noout", "-text"])
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A directory for one test, and a data directory's path in it (not made).
pub fn place() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    (home, data)
}

/// Makes a CA with a key that costs nothing.
pub fn init(data: &Path, more: &[&str]) -> String {
    let text = data.to_str().unwrap();
    let arguments = ["init", "--data", text, "--key-algorithm", "p256"];
    succeeds(&[&arguments, more].concat())
}

/// A key and a request made by OpenSSL; gives the request's path.
pub fn csr(home: &Path, name: &str, names: &str) -> PathBuf {
    let (key, file) = (format!("{name}.key"), format!("{name}.csr"));
    let subject = format!("/CN={name}");
    let common = ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", &subject];
    let files = ["-keyout", &key, "-out", &file];
    let extension = format!("subjectAltName={names}");
    let extra: &[&str] = if names.is_empty() { &[] } else { &["-addext", &extension] };
    openssl(home, &[&common[..], &files, extra].concat());
    home.join(file)
}

/// The CRL number that OpenSSL printed, in decimal or hexadecimal.
pub fn crl_number(crl: &str) -> u64 {
    let line = crl.lines().skip_while(|line| !line.contains("CRL Number")).nth(1).unwrap().trim();
    match line.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).unwrap(),
        None => line.parse().unwrap(),
    }
}

/// Whether the serial number is on a CRL that OpenSSL printed. OpenSSL leaves out the octet that
/// only says that a number is positive (one serial number in 256 has it).
pub fn lists(crl: &str, serial: &str) -> bool {
    let number = serial.strip_prefix("00").unwrap_or(serial).to_uppercase();
    crl.contains(&format!("Serial Number: {number}"))
}
