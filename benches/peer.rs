//! What ours is measured beside: nginx that serves files, cfssl that serves OCSP answers made
//! beforehand, `wrk` that asks all of them, and what each uses of the processors. Needs the Debian
//! packages nginx-light and wrk, and golang-cfssl for cfssl.

#![allow(dead_code, reason = "not every benchmark has every peer")]

use std::error::Error;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;

pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const PORT: u16 = 18082;
const CFSSL_PORT: u16 = 18083;
pub const CONNECTIONS: &str = "64";

/// A program that is stopped when it goes out of scope.
pub struct Running(pub Child);

impl Running {
    /// What it and its children have used of the processors so far.
    pub fn processor_time(&self) -> Outcome<Duration> {
        let id = self.0.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
        let mut all = processor_time(&id.to_string())?;
        for child in children.split_whitespace() {
            all += processor_time(child)?;
        }
        Ok(all)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A request to end, so that nginx takes its workers along.
        let asked = Command::new("kill").arg(self.0.id().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

/// What a process (`self`, or its number) has used of the processors, user and system (proc(5),
/// fields 14 and 15 of `stat`, in hundredths of a second).
pub fn processor_time(process: &str) -> Outcome<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after_name = stat.rsplit(')').next().ok_or("no stat")?;
    let ticks: Vec<u64> =
        after_name.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(Duration::from_millis(10 * ticks.iter().sum::<u64>()))
}

/// nginx as Debian configures it, without a log, as many workers as there are processors, serving
/// these files from a directory of its own under `home`.
pub fn nginx(home: &Path, files: &[(String, Vec<u8>)]) -> Outcome<(Running, SocketAddr)> {
    let home = home.canonicalize()?.join("nginx");
    std::fs::create_dir(&home)?;
    for (name, octets) in files {
        std::fs::write(home.join(name), octets)?;
    }
    let at = home.display();
    let configuration = format!(
        "worker_processes auto; pid {at}/nginx.pid; error_log stderr warn; daemon off;\n\
         events {{ worker_connections 1024; }}\n\
         http {{ sendfile on; tcp_nopush on; access_log off; keepalive_requests 1000000000;\n\
         types {{ application/pkix-crl crl; application/ocsp-response ors; }}\n\
         server {{ listen 127.0.0.1:{PORT}; root {at}; }} }}\n"
    );
    let file = home.join("nginx.conf");
    std::fs::write(&file, configuration)?;
    let mut command = Command::new("nginx");
    command.arg("-c").arg(&file).arg("-p").arg(&home);
    // As root its workers would be another user, who does not get at the file.
    command.args(["-g", "user root;"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let running = Running(child.map_err(|error| format!("nginx (package nginx-light): {error}"))?);
    Ok((running, listening("nginx", PORT)?))
}

/// `cfssl ocspserve` with these answers, which it keeps in memory by serial number.
pub fn cfssl(home: &Path, answers: &[Vec<u8>]) -> Outcome<(Running, SocketAddr)> {
    let file = home.join("cfssl.responses");
    let lines: Vec<String> = answers
        .iter()
        .map(|answer| base64::engine::general_purpose::STANDARD.encode(answer))
        .collect();
    std::fs::write(&file, lines.join("\n"))?;
    let mut command = Command::new("cfssl");
    command.args(["ocspserve", "-loglevel", "5", "-port", &CFSSL_PORT.to_string(), "-responses"]);
    let child = command.arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let running = Running(child.map_err(|error| format!("cfssl (package golang-cfssl): {error}"))?);
    Ok((running, listening("cfssl", CFSSL_PORT)?))
}

/// This machine's address of a program that has been started, once it listens.
fn listening(name: &str, port: u16) -> Outcome<SocketAddr> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let begun = Instant::now();
    while TcpStream::connect(address).is_err() {
        if begun.elapsed() > Duration::from_secs(10) {
            return Err(format!("{name} does not listen").into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(address)
}

/// What wrk asks for: these paths in turn, with these header lines; or, where there are bodies, each
/// of them posted in turn to the one path.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    pub home: &'a Path,
    pub address: SocketAddr,
    pub paths: &'a [String],
    pub bodies: &'a [Vec<u8>],
    pub headers: &'a [(&'a str, &'a str)],
    pub seconds: u64,
}

impl Asking<'_> {
    /// Answers a second; every one must be one of 2xx or 3xx.
    pub fn rate(&self) -> Outcome<f64> {
        let mut command = Command::new("wrk");
        command.args(["-t", "2", "-c", CONNECTIONS, "-d", &format!("{}s", self.seconds)]);
        for (name, value) in self.headers {
            command.args(["-H", &format!("{name}: {value}")]);
        }
        let first = self.paths.first().ok_or("nothing to ask for")?;
        if self.paths.len() + self.bodies.len() > 1 {
            let script = self.home.join("wrk.lua");
            std::fs::write(&script, in_turn(self.paths, self.bodies))?;
            command.arg("-s").arg(script);
        }
        let output = command.arg(format!("http://{}{first}", self.address)).output();
        let output = output.map_err(|error| format!("wrk (package wrk): {error}"))?;
        let said = String::from_utf8(output.stdout)?;
        if said.contains("Non-2xx") || said.contains("Socket errors") {
            return Err(said.into());
        }
        let rate = said.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
        Ok(rate.ok_or_else(|| said.clone())?.trim().parse()?)
    }
}

fn in_turn(paths: &[String], bodies: &[Vec<u8>]) -> String {
    let calls: Vec<String> = match (paths, bodies) {
        (_, []) => paths.iter().map(|path| format!("wrk.format(\"GET\", {path:?})")).collect(),
        (paths, bodies) => {
            let path = paths.first().map_or("/", String::as_str);
            let quoted = |octet: &u8| format!("\\x{octet:02x}");
            let body = |body: &Vec<u8>| body.iter().map(quoted).collect::<String>();
            let call =
                |octets| format!("wrk.format(\"POST\", {path:?}, kind, \"{}\")", body(octets));
            bodies.iter().map(call).collect()
        }
    };
    format!(
        "local kind = {{[\"Content-Type\"] = \"application/ocsp-request\"}}\nlocal asked = {{}}\n\
         local at = 0\ninit = function()\n  asked = {{{}}}\nend\n\
         request = function()\n  at = at % #asked + 1\n  return asked[at]\nend\n",
        calls.join(",\n")
    )
}

/// Who is asked for what, and what it has used of the processors so far.
pub struct Side<'a> {
    pub name: &'a str,
    pub asking: Asking<'a>,
    pub spent: &'a dyn Fn() -> Outcome<Duration>,
}

impl Side<'_> {
    /// Answers a second, and microseconds of processor time for each.
    fn measure(&self) -> Outcome<(f64, f64)> {
        let before = (self.spent)()?;
        let rate = self.asking.rate()?;
        let spent = (self.spent)()? - before;
        Ok((rate, spent.as_secs_f64() * 1e6 / (rate * self.asking.seconds as f64)))
    }
}

/// One and the other by turns, `rounds` times: each figure with the processor time that the server
/// takes for an answer, and the medians of the ratios.
pub fn by_turns(what: &str, rounds: usize, one: &Side<'_>, other: &Side<'_>) -> Outcome<()> {
    let (mut rates, mut times) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let ((rate, each), (rate_of_other, each_of_other)) = (one.measure()?, other.measure()?);
        rates.push(rate / rate_of_other);
        times.push(each / each_of_other);
        println!(
            "{what}: {} {rate:.0}/s at {each:.1} µs of processor time, {} {rate_of_other:.0}/s at \
             {each_of_other:.1} µs, ratio {:.2}",
            one.name,
            other.name,
            rate / rate_of_other
        );
    }
    println!(
        "{what}: median ratio of {rounds} rounds {:.2}; of processor time in the server {:.2}",
        median(&mut rates),
        median(&mut times)
    );
    Ok(())
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}
