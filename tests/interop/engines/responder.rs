//! A responder that is none: it says of every certificate that it is good, signed with whatever
//! certificate it was given.

use crate::machine::{program, run, write};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Answers until the tests end.
pub struct Impostor {
    answered: Arc<AtomicUsize>,
}

impl Impostor {
    /// At the address of a responder that is gone (`http://…`), by certificate and key of `signer`.
    pub fn start(
        folder: &Path,
        address: &str,
        root: &Path,
        signer: (&Path, &Path),
        serials: &[&str],
    ) -> Self {
        // As `openssl ca` keeps it: valid, until, -, serial number, file, a name of its own.
        let line = |serial: &&str| {
            let serial = serial.strip_prefix("00").unwrap_or(serial).to_uppercase();
            format!("V\t991231235959Z\t\t{serial}\tunknown\t/CN={serial}\n")
        };
        let index = folder.join("impostor.txt");
        write(&index, serials.iter().map(line).collect::<String>());
        let address = address.trim_start_matches("http://");
        let listener = TcpListener::bind(address).expect("the address of the responder");
        let answered = Arc::new(AtomicUsize::new(0));
        let (folder, root) = (folder.to_owned(), root.to_owned());
        let (certificate, key) = (signer.0.to_owned(), signer.1.to_owned());
        let counted = Arc::clone(&answered);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let Some(request) = request(&stream) else {
                    let none = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
                    let _ = stream.write_all(none);
                    continue;
                };
                let answer = answer(&folder, &index, &root, (&certificate, &key), &request);
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n\
                     Connection: close\r\nContent-Length: {}\r\n\r\n",
                    answer.len()
                );
                // First: whoever has read it may look at once.
                counted.fetch_add(1, Ordering::SeqCst);
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&answer));
            }
        });
        Self { answered }
    }

    pub fn answered(&self) -> usize {
        self.answered.load(Ordering::SeqCst)
    }
}

/// The OCSP request in a GET or POST of HTTP; none where something else is asked for.
fn request(stream: &TcpStream) -> Option<Vec<u8>> {
    let mut lines = BufReader::new(stream);
    let mut first = String::new();
    lines.read_line(&mut first).ok()?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).ok()?;
        let line = line.trim().to_lowercase();
        if let Some(number) = line.strip_prefix("content-length:") {
            length = number.trim().parse().ok()?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut words = first.split_whitespace();
    match (words.next()?, words.next()?.strip_prefix("/ocsp")?) {
        ("POST", _) => {
            let mut body = vec![0; length];
            lines.read_exact(&mut body).ok()?;
            Some(body)
        }
        (_, path) => {
            let path = path.trim_start_matches('/').replace("%2F", "/").replace("%2f", "/");
            let path = path.replace("%2B", "+").replace("%2b", "+");
            STANDARD.decode(path.replace("%3D", "=").replace("%3d", "=")).ok()
        }
    }
}

fn answer(
    folder: &Path,
    index: &Path,
    root: &Path,
    signer: (&Path, &Path),
    request: &[u8],
) -> Vec<u8> {
    let [asked, answer]: [PathBuf; 2] = ["asked.der", "answer.der"].map(|name| folder.join(name));
    write(&asked, request);
    let mut openssl = program("openssl");
    openssl.args(["ocsp", "-ndays", "1", "-index"]).arg(index).arg("-CA").arg(root);
    openssl.arg("-rsigner").arg(signer.0).arg("-rkey").arg(signer.1);
    openssl.arg("-reqin").arg(&asked).arg("-respout").arg(&answer);
    run(&mut openssl).expect_ok("openssl ocsp -index");
    fs::read(&answer).expect("an answer")
}
