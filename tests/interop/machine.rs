//! The machine the judges run on: programs, folders, ports, processes that end with the test.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What a program said and how it ended.
pub struct Said {
    /// Exit status zero.
    pub ok: bool,
    /// Standard output, then standard error.
    pub text: String,
}

impl Said {
    /// The text of a program that must succeed.
    #[track_caller]
    pub fn expect_ok(self, what: &str) -> String {
        assert!(self.ok, "{what} failed:\n{}", self.text);
        self.text
    }

    /// The text of a program that must refuse, with `reason` in it.
    #[track_caller]
    pub fn expect_refusal(self, what: &str, reason: &str) -> String {
        assert!(!self.ok, "{what} was accepted:\n{}", self.text);
        let told = self.text.to_lowercase().contains(&reason.to_lowercase());
        assert!(told, "{what} was refused for another reason than `{reason}`:\n{}", self.text);
        self.text
    }
}

/// A command for a program that must be there: a missing judge fails the test, it is never passed over.
#[track_caller]
pub fn program(name: &str) -> Command {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let there = name.starts_with('/') && Path::new(name).exists()
        || path.split(':').any(|folder| Path::new(folder).join(name).exists());
    assert!(there, "`{name}` is not on this machine: run tests/install as root (Debian 12)");
    let mut command = Command::new(name);
    command.env("PATH", path).env("LC_ALL", "C").stdin(Stdio::null());
    command
}

/// Runs to the end, at most five minutes.
#[track_caller]
pub fn run(command: &mut Command) -> Said {
    let mut limited = Command::new("timeout");
    limited.arg("300").arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        limited.env(name, value.unwrap_or_default());
    }
    if let Some(folder) = command.get_current_dir() {
        limited.current_dir(folder);
    }
    let output = limited.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Said { ok: output.status.success(), text }
}

/// Waits until the clock shows another second.
pub fn next_second() {
    let second = || SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let start = second();
    while second() == start {
        sleep(Duration::from_millis(10));
    }
}

/// A program running beside the test; it ends when dropped.
pub struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts it with both outputs in `log`.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let out = fs::File::create(log).expect("a log file");
        let error = out.try_clone().expect("a log file");
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(error)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, log: log.to_owned() }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it writes.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// What it has written so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until `ready` holds; fails when the program ends first or half a minute has passed.
    #[track_caller]
    pub fn wait_until(&mut self, what: &str, mut ready: impl FnMut() -> bool) {
        let start = Instant::now();
        while !ready() {
            let ended = self.child.try_wait().expect("the state of a child");
            assert!(ended.is_none(), "ended before {what} ({ended:?}):\n{}", self.log());
            assert!(start.elapsed() < Duration::from_secs(30), "no {what}:\n{}", self.log());
            sleep(Duration::from_millis(30));
        }
    }

    /// Asks it to end (SIGTERM) and waits; whether it ended by itself and without fault.
    pub fn stop(mut self) -> bool {
        self.ended_by_itself(Duration::from_secs(10))
    }

    fn ended_by_itself(&mut self, patience: Duration) -> bool {
        let start = Instant::now();
        let _ = Command::new("kill").arg(self.pid().to_string()).status();
        while start.elapsed() < patience {
            if let Ok(Some(status)) = self.child.try_wait() {
                return status.success();
            }
            sleep(Duration::from_millis(20));
        }
        false
    }
}

/// First SIGTERM: a program that runs another (buildah) then ends that one too.
impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.ended_by_itself(Duration::from_secs(3));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A fresh folder under target/; it stays there, so that a failed run can be looked into.
pub fn folder(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{number}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a folder under target/");
    path
}

/// A TCP port of the loopback that nobody uses.
pub fn tcp_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("its address").port()
}

/// A UDP port of the loopback that nobody uses.
pub fn udp_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("its address").port()
}

/// Writes a file that must be written.
pub fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::write(path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
