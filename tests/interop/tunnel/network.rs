//! Network namespaces and the cables between them: a server, its clients, and nothing else.

use crate::authority::entering;
use crate::machine::{Running, program, run};
use std::path::Path;

/// The server's address, for tunnels and for the publication address.
pub const SERVER: &str = "10.99.0.1";
/// What lies behind the server: reached through a tunnel, or not at all.
pub const INSIDE: &str = "10.98.0.1";

/// A network namespace with a private /run (each charon wants its pid file and socket there); it
/// lasts as long as the process that holds it.
pub struct Namespace {
    holder: Running,
}

impl Namespace {
    /// The server's side.
    pub fn server(folder: &Path) -> Self {
        let own = Self::open(folder, "server");
        own.ip(&format!("addr add {SERVER}/32 dev lo"));
        own.ip(&format!("addr add {INSIDE}/32 dev lo"));
        own
    }

    /// A client on a cable of its own to the server; each has another number.
    pub fn client(folder: &Path, server: &Self, number: u8) -> Self {
        let own = Self::open(folder, &format!("client{number}"));
        let cable = format!("cable{number}");
        let mut add = program("ip");
        add.args(["link", "add", &cable, "netns", &server.pid().to_string(), "type", "veth"]);
        add.args(["peer", "name", &cable, "netns", &own.pid().to_string()]);
        run(&mut add).expect_ok("a cable between the namespaces");
        for (side, last) in [(server, 1), (&own, 2)] {
            side.ip(&format!("addr add 10.96.{number}.{last}/24 dev {cable}"));
            side.ip(&format!("link set {cable} up"));
        }
        own.ip(&format!("route add {SERVER}/32 via 10.96.{number}.1"));
        own
    }

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

    pub fn pid(&self) -> u32 {
        self.holder.pid()
    }

    #[track_caller]
    fn ip(&self, arguments: &str) {
        let mut ip = entering(Some(self.pid()), "ip");
        run(ip.args(arguments.split(' '))).expect_ok(arguments);
    }
}
