//! A receiver of notifications: HTTP or HTTPS, checks every signature with the reference
//! implementation of Standard Webhooks, and behaves as the test wants.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use standardwebhooks::Webhook;

/// What it does with a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Takes,
    Fails,
    Hangs,
    /// Reads it and kills the process with this number before it answers.
    Kills(u32),
}

/// A notification as it came, verified.
#[derive(Clone, Debug)]
pub struct Came {
    pub id: String,
    pub body: Value,
}

pub struct Receiver {
    pub url: String,
    secret: String,
    manner: Arc<Mutex<Manner>>,
    came: Arc<Mutex<Vec<Came>>>,
    faults: Arc<Mutex<Vec<String>>>,
    ended: Arc<AtomicBool>,
}

impl Receiver {
    /// Over HTTP, or with TLS over HTTPS; then its certificate is written to `root`.
    pub fn start(root: Option<&Path>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let tls = root.map(tls);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let receiver = Self {
            url: format!("{scheme}://localhost:{port}/hook"),
            secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(),
            manner: Arc::new(Mutex::new(Manner::Takes)),
            came: Arc::default(),
            faults: Arc::default(),
            ended: Arc::default(),
        };
        let (manner, came) = (Arc::clone(&receiver.manner), Arc::clone(&receiver.came));
        let (faults, ended) = (Arc::clone(&receiver.faults), Arc::clone(&receiver.ended));
        let secret = receiver.secret.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let manner = *manner.lock().unwrap();
                let served = match &tls {
                    Some(tls) => {
                        let session = rustls::ServerConnection::new(Arc::clone(tls)).unwrap();
                        serve(rustls::StreamOwned::new(session, stream), &secret, manner)
                    }
                    None => serve(stream, &secret, manner),
                };
                match served {
                    Ok(Some(one)) => came.lock().unwrap().push(one),
                    Ok(None) => {}
                    Err(fault) => faults.lock().unwrap().push(fault),
                }
            }
        });
        receiver
    }

    pub fn secret_file(&self, home: &Path) -> std::path::PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = home.join("hook.secret");
        std::fs::write(&path, format!("{}\n", self.secret)).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub fn behaves(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// What it has taken so far.
    pub fn taken(&self) -> Vec<Came> {
        let faults = self.faults.lock().unwrap();
        assert!(faults.is_empty(), "{faults:?}");
        self.came.lock().unwrap().clone()
    }

    /// Waits for a notification of this kind after the first `after`; gives it.
    pub fn waits_for(&self, kind: &str, after: usize) -> Came {
        self.waits_until(after, |one| one.body["type"] == kind)
    }

    /// Waits for a notification that fits, after the first `after`; gives it.
    pub fn waits_until(&self, after: usize, fits: impl Fn(&Came) -> bool) -> Came {
        let begun = Instant::now();
        loop {
            let found = self.taken().into_iter().skip(after).find(|one| fits(one));
            if let Some(found) = found {
                return found;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "missing: {:?}", self.taken());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
    }
}

fn tls(root: &Path) -> Arc<rustls::ServerConfig> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(root, made.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key);
    Arc::new(config.unwrap())
}

/// Reads one notification and answers it; `None` where it was not taken, an error where it is
/// not what it should be.
fn serve(stream: impl Read + Write, secret: &str, manner: Manner) -> Result<Option<Came>, String> {
    let mut stream = BufReader::new(stream);
    let (mut headers, mut line) = (HeaderMap::new(), String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).map_or(0, |had| had) == 0 {
            return Ok(None); // a connection that was given up
        }
        if line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.trim_end().split_once(": ") {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|it| it.to_string())?;
            headers.insert(name, HeaderValue::from_str(value).map_err(|it| it.to_string())?);
        }
    }
    let length = headers.get("content-length").and_then(|it| it.to_str().ok()?.parse().ok());
    let mut body = vec![0; length.ok_or("no content-length")?];
    stream.read_exact(&mut body).map_err(|error| error.to_string())?;
    let verified = Webhook::new(secret).unwrap().verify(&body, &headers);
    verified.map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&body)))?;
    let id = headers["webhook-id"].to_str().unwrap().to_owned();
    let body = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
    let came = Some(Came { id, body });
    let status = match manner {
        Manner::Takes => "204 No Content",
        Manner::Fails => "500 Oops",
        Manner::Hangs => {
            // One that hangs holds its one thread, and so everybody.
            std::thread::sleep(Duration::from_secs(3));
            return Ok(None);
        }
        Manner::Kills(process) => {
            let mut kill = std::process::Command::new("kill");
            assert!(kill.args(["-9", &process.to_string()]).status().unwrap().success());
            return Ok(came);
        }
    };
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let _ = stream.get_mut().write_all(answer.as_bytes());
    let _ = stream.get_mut().flush();
    Ok(came.filter(|_| manner == Manner::Takes))
}
