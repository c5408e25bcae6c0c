//! The service under test, as an outsider meets it: the real binary, curl, and files.

use crate::control::Former;
use crate::machine::{Running, program, run, tcp_port, write};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub const BINARY: &str = env!("CARGO_BIN_EXE_chancery");

/// A running service.
pub struct Authority {
    data: PathBuf,
    api: String,
    publication: String,
    /// The process whose network namespace the service lives in.
    namespace: Option<u32>,
    running: Running,
}

impl Authority {
    /// Makes a CA with this kind of key and starts the service on free ports.
    pub fn init(folder: &Path, kind: &str) -> Self {
        Self::init_with(folder, kind, &[])
    }

    /// The same with further settings for the service.
    pub fn init_with(folder: &Path, kind: &str, more: &[&str]) -> Self {
        let publish = format!("127.0.0.1:{}", tcp_port());
        Self::make(folder, kind, &publish, None);
        Self::serve_at(folder, &format!("127.0.0.1:{}", tcp_port()), &publish, None, more)
    }

    /// The same on given addresses, in the network namespace of a process.
    pub fn init_at(
        folder: &Path,
        kind: &str,
        api: &str,
        publish: &str,
        inside: Option<u32>,
        more: &[&str],
    ) -> Self {
        Self::make(folder, kind, publish, inside);
        Self::serve_at(folder, api, publish, inside, more)
    }

    fn make(folder: &Path, kind: &str, publish: &str, inside: Option<u32>) {
        let data = folder.join("data");
        let base = format!("http://{publish}");
        let name = format!("CN=Contoso VPN CA {kind},DC=corp,DC=contoso,DC=com");
        let mut init = entering(inside, BINARY);
        init.arg("init").arg("--data").arg(&data).args(["--name", &name, "--base-url", &base]);
        run(init.args(["--key-algorithm", kind])).expect_ok("chancery init");
    }

    /// Takes over a CA that was OpenSSL's, with what it revoked, and starts the service.
    pub fn adopt(folder: &Path, former: &Former, more: &[&str]) -> Self {
        let publish = format!("127.0.0.1:{}", tcp_port());
        let mut init = program(BINARY);
        init.arg("init").arg("--data").arg(folder.join("data")).arg("--key").arg(&former.key);
        init.arg("--certificate").arg(&former.root).arg("--previous-crl").arg(&former.crl);
        init.arg("--base-url").arg(format!("http://{publish}"));
        run(&mut init).expect_ok("chancery init --key");
        Self::serve_at(folder, &format!("127.0.0.1:{}", tcp_port()), &publish, None, more)
    }

    /// A CA under another: `sign` is given its request and gives its certificate and the root,
    /// both as PEM files.
    pub fn subordinate(folder: &Path, sign: impl FnOnce(&Path) -> (PathBuf, PathBuf)) -> Self {
        let [api, publish] = [tcp_port(), tcp_port()].map(|port| format!("127.0.0.1:{port}"));
        Self::subordinate_at(folder, "p256", &api, &publish, None, sign)
    }

    /// The same with this kind of key, on given addresses, in the network namespace of a process.
    pub fn subordinate_at(
        folder: &Path,
        kind: &str,
        api: &str,
        publish: &str,
        inside: Option<u32>,
        sign: impl FnOnce(&Path) -> (PathBuf, PathBuf),
    ) -> Self {
        let data = folder.join("data");
        let mut init = program(BINARY);
        init.args(["init", "--subordinate", "--key-algorithm", kind, "--data"]).arg(&data);
        init.args(["--name", "CN=Contoso Issuing CA,DC=contoso,DC=com"]);
        init.arg("--base-url").arg(format!("http://{publish}"));
        run(&mut init).expect_ok("chancery init --subordinate");
        let (certificate, root) = sign(&data.join("ca.csr"));
        let mut install = program(BINARY);
        install.arg("install-certificate").arg(certificate).arg("--data").arg(&data);
        run(install.arg("--chain").arg(root)).expect_ok("chancery install-certificate");
        Self::serve_at(folder, api, publish, inside, &[])
    }

    /// Hands the service the CRL of a CA above it.
    pub fn install_crl(&self, crl: &Path) -> String {
        let mut install = program(BINARY);
        install.arg("install-crl").arg(crl).arg("--data").arg(&self.data);
        run(&mut install).expect_ok("chancery install-crl")
    }

    fn serve_at(
        folder: &Path,
        api: &str,
        publish: &str,
        inside: Option<u32>,
        more: &[&str],
    ) -> Self {
        let data = folder.join("data");
        let base = format!("http://{publish}");
        let mut serve = entering(inside, BINARY);
        serve.arg("serve").arg("--data").arg(&data).args(["--api-listen", api]);
        serve.args(["--publish-listen", publish, "--base-url", &base]).args(more);
        serve.current_dir(folder);
        let running = Running::start(&mut serve, &folder.join("serve.log"));
        let api = format!("https://{api}");
        let mut authority = Self { data, api, publication: base, namespace: inside, running };
        authority.wait();
        authority
    }

    /// Until `/readyz` answers and the administrator's token is there.
    fn wait(&mut self) {
        let (token, root) = (self.data.join("admin.token"), self.root());
        let (url, namespace) = (format!("{}/readyz", self.api), self.namespace);
        self.running.wait_until("/readyz", || {
            let mut curl = entering(namespace, "curl");
            curl.args(["-sS", "-o", "/dev/null", "--max-time", "5", "--cacert"])
                .arg(&root)
                .arg(&url);
            token.exists() && root.exists() && run(&mut curl).ok
        });
    }

    /// Where it publishes: `http://…` without a slash at the end.
    pub fn publication(&self) -> &str {
        &self.publication
    }

    /// The root, PEM: what `curl --cacert` takes.
    pub fn root(&self) -> PathBuf {
        self.data.join("ca.pem")
    }

    /// One call of the API with the administrator's token; the status and the JSON that came.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let mut curl = self.curl(method, path);
        if let Some(body) = body {
            curl.args(["-H", "Content-Type: application/json", "-d", &body.to_string()]);
        }
        answer(&mut curl)
    }

    fn curl(&self, method: &str, path: &str) -> Command {
        let token = fs::read_to_string(self.data.join("admin.token")).expect("admin.token");
        let mut curl = entering(self.namespace, "curl");
        curl.args(["-sS", "--max-time", "30", "-w", "\n%{http_code}", "-X", method, "--cacert"]);
        curl.arg(self.root()).args(["-H", &format!("Authorization: Bearer {}", token.trim())]);
        curl.arg(format!("{}{path}", self.api));
        curl
    }

    #[track_caller]
    fn must(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.call(method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer:#}");
        answer
    }

    pub fn publish_template(&self, name: &str) {
        self.must("PUT", &format!("/v1/ca/templates/{name}"), None);
    }

    pub fn create_account(&self, account: &Value) {
        self.must("POST", "/v1/accounts", Some(account));
    }

    /// Enrols as the README does it; approves where the template wants a manager's word.
    #[track_caller]
    pub fn enrol(&self, template: &str, csr: &Path, on_behalf_of: Option<&str>) -> Value {
        let mut path = format!("/v1/requests?template={template}");
        if let Some(account) = on_behalf_of {
            path += &format!("&on_behalf_of={}", account.replace('$', "%24"));
        }
        let mut curl = self.curl("POST", &path);
        curl.args(["-H", "Content-Type: application/pkcs10", "--data-binary"]);
        let (status, answer) = answer(curl.arg(format!("@{}", csr.display())));
        if status == 202 {
            return self.approve_by_another(&answer["request_id"]);
        }
        assert_eq!(status, 201, "{template} for {on_behalf_of:?}: {answer:#}");
        answer
    }

    /// Approves as a certificate manager who did not submit the request.
    #[track_caller]
    fn approve_by_another(&self, request_id: &Value) -> Value {
        let manager = json!({"name": "mara", "kind": "user", "roles": ["certificate_manager"]});
        let (made, shown) = self.call("POST", "/v1/accounts", Some(&manager));
        assert!(made == 201 || made == 409, "{made} {shown:#}");
        let wanted = json!({"account": "mara", "expires_in_seconds": 600});
        let token = self.must("POST", "/v1/tokens", Some(&wanted));
        let token = token["token"].as_str().expect("a token");
        let mut curl = entering(self.namespace, "curl");
        curl.args(["-sS", "--max-time", "30", "-w", "\n%{http_code}", "-X", "POST", "--cacert"]);
        curl.arg(self.root()).args(["-H", &format!("Authorization: Bearer {token}")]);
        curl.arg(format!("{}/v1/requests/{request_id}/approve", self.api));
        let (status, answer) = answer(&mut curl);
        assert_eq!(status, 200, "{answer:#}");
        answer
    }

    #[track_caller]
    pub fn revoke(&self, serial: &str, reason: &str) {
        let path = format!("/v1/certificates/{serial}/revoke");
        let answer = self.must("POST", &path, Some(&json!({ "reason": reason })));
        assert!(answer["crl_number"].is_number() || answer["crl_number"].is_string(), "{answer:#}");
    }

    /// Takes a hold back.
    #[track_caller]
    pub fn release(&self, serial: &str) {
        let answer = self.must("POST", &format!("/v1/certificates/{serial}/release"), None);
        assert!(answer["crl_number"].is_number() || answer["crl_number"].is_string(), "{answer:#}");
    }

    /// What is answered at this path of the publication address.
    pub fn fetch_published(&self, path: &str, into: &Path) {
        let mut curl = entering(self.namespace, "curl");
        curl.args(["-sS", "--fail", "--max-time", "30", "-o"]).arg(into);
        run(curl.arg(format!("{}{path}", self.publication))).expect_ok(path);
    }

    /// The CRL from where the CA's own certificates say it is.
    pub fn fetch_crl(&self, folder: &Path) -> PathBuf {
        let path = folder.join("ca.crl");
        self.fetch_published(&format!("/crl/{}.crl", self.slug()), &path);
        path
    }

    /// The delta CRL, DER.
    pub fn fetch_delta(&self, into: &Path) {
        self.fetch_published(&format!("/crl/{}-delta.crl", self.slug()), into);
    }

    /// The name of its files: the CDP of the certificate that the API itself shows.
    fn slug(&self) -> String {
        let host = self.api.trim_start_matches("https://");
        let mut show = entering(self.namespace, "openssl");
        show.args(["s_client", "-connect", host, "-showcerts"]);
        let shown = run(&mut show).text;
        let start = shown.find("-----BEGIN").unwrap_or_else(|| panic!("no certificate: {shown}"));
        let own = self.data.with_file_name("api.pem");
        write(&own, &shown[start..]);
        let mut text = program("openssl");
        text.args(["x509", "-noout", "-ext", "crlDistributionPoints", "-in"]).arg(&own);
        let text = run(&mut text).expect_ok("the API's certificate");
        let after = text.split("/crl/").nth(1).unwrap_or_else(|| panic!("no CDP: {text}"));
        after.split(".crl").next().unwrap_or_default().to_owned()
    }

    /// The enrolment client for people; `more` are its flags after the connection.
    pub fn request(&self, more: &[&str]) -> crate::machine::Said {
        let mut client = entering(self.namespace, BINARY);
        client.args(["request", "--url", &self.api, "--token-file"]);
        client.arg(self.data.join("admin.token")).arg("--ca-file").arg(self.root());
        run(client.args(more))
    }

    /// Stopped, renewed by `chancery renew-ca` with these flags, and started again where it was.
    pub fn renewed(self, folder: &Path, more: &[&str]) -> Self {
        let publish = self.publication.trim_start_matches("http://").to_owned();
        let (api, data) = (self.api.trim_start_matches("https://").to_owned(), self.data.clone());
        assert!(self.stop(), "SIGTERM did not end the service cleanly");
        let mut renew = program(BINARY);
        renew.arg("renew-ca").arg("--data").arg(data).args(more);
        run(&mut renew).expect_ok("chancery renew-ca");
        Self::serve_at(folder, &api, &publish, None, &[])
    }

    pub fn stop(self) -> bool {
        self.running.stop()
    }
}

/// A program, run inside the network namespace of a process if one is given.
pub fn entering(namespace: Option<u32>, name: &str) -> Command {
    match namespace {
        None => program(name),
        Some(pid) => {
            program(name);
            let mut command = program("nsenter");
            command.args(["-t", &pid.to_string(), "-n", name]);
            command
        }
    }
}

/// Splits curl's output into status and JSON.
#[track_caller]
fn answer(curl: &mut Command) -> (u16, Value) {
    let text = run(curl).expect_ok("curl");
    let (body, status) = text.trim_end().rsplit_once('\n').unwrap_or(("", text.trim_end()));
    let value = serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.to_owned()));
    (status.parse().unwrap_or_else(|_| panic!("no status: {text}")), value)
}
