//! The container image: built FROM scratch with buildah, run as its own user, asked from outside.

use crate::machine::{Running, Said, folder, program, run, tcp_port};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_image_runs_unprivileged_and_writes_only_its_volume() {
    let store = Store { folder: folder("image") };
    store.build().expect_ok("docker/build");

    let image = store.say(&["inspect", "--type", "image", "chancery-test"]).expect_ok("inspect");
    let image: Value = serde_json::from_str(&image).expect("JSON");
    let settings = &image["Docker"]["config"];
    assert_eq!(settings["User"], "65532:65532");
    assert_eq!(settings["Entrypoint"], serde_json::json!(["/chancery"]));
    assert_eq!(settings["Volumes"], serde_json::json!({"/data": {}}));
    assert_eq!(settings["Healthcheck"]["Test"], serde_json::json!(["CMD", "/chancery", "health"]));

    let container = store.say(&["from", "--pull-never", "chancery-test"]).expect_ok("from");
    let container = container.trim().lines().last().expect("a name").to_owned();
    let (api, publish) = (tcp_port(), tcp_port());
    let inside = |arguments: &[&str]| {
        let mut buildah = store.buildah();
        buildah.args(["run", "--isolation", "chroot"]);
        buildah.args(["--env", &format!("CHANCERY_API_LISTEN=127.0.0.1:{api}")]);
        buildah.args(["--env", &format!("CHANCERY_PUBLISH_LISTEN=127.0.0.1:{publish}")]);
        buildah.args([&container, "--", "/chancery"]).args(arguments);
        buildah
    };
    run(&mut inside(&["--version"])).expect_ok("chancery --version");
    let before = store.files(&container);
    let mut serving = Running::start(&mut inside(&["serve"]), &store.folder.join("serve.log"));
    serving.wait_until("/healthz", || {
        let Some(data) = store.volume() else { return false };
        let mut curl = program("curl");
        curl.args(["-sS", "--fail", "--max-time", "5", "--cacert"]).arg(data.join("ca.pem"));
        run(curl.arg(format!("https://localhost:{api}/healthz"))).ok
    });
    let data = store.volume().expect("the volume");

    run(&mut inside(&["health"])).expect_ok("the health check");
    // The log names the CRL; the CA certificate is beside it, under the same name.
    let log = serving.log();
    let slug =
        log.split("/crl/").nth(1).and_then(|rest| rest.split(".crl").next()).expect("a CRL URL");
    let served = store.folder.join("served.crt");
    let mut curl = program("curl");
    curl.args(["-sS", "--fail", "--max-time", "5", "-o"]).arg(&served);
    run(curl.arg(format!("http://127.0.0.1:{publish}/aia/{slug}.crt")))
        .expect_ok("the CA certificate");
    let pem = |arguments: &[&str], file: &Path| {
        run(program("openssl").arg("x509").args(arguments).arg("-in").arg(file))
            .expect_ok("openssl")
    };
    assert_eq!(pem(&["-inform", "DER"], &served), pem(&[], &data.join("ca.pem")));

    let token = fs::metadata(data.join("admin.token")).expect("the token");
    assert_eq!(token.permissions().mode() & 0o777, 0o600);
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&token), 65532);
    assert_eq!(store.files(&container), before, "something outside the volume was written");
}

/// buildah with its own storage, below target/.
struct Store {
    folder: PathBuf,
}

impl Store {
    fn buildah(&self) -> Command {
        let mut buildah = program("buildah");
        buildah.args(self.place());
        buildah
    }

    fn place(&self) -> [String; 6] {
        let below = |name: &str| self.folder.join(name).display().to_string();
        let words =
            ["--root", &below("store"), "--runroot", &below("run"), "--storage-driver", "vfs"];
        words.map(str::to_owned)
    }

    fn say(&self, arguments: &[&str]) -> Said {
        run(self.buildah().args(arguments))
    }

    /// As a user builds it; with the binary under test where that is static (tests/run makes it so).
    fn build(&self) -> Said {
        let binary = env!("CARGO_BIN_EXE_chancery");
        let headers = run(program("readelf").args(["--program-headers", "--wide", binary]));
        assert!(
            !headers.expect_ok("readelf").contains("INTERP"),
            "the binary under test is not statically linked: run the tests with tests/run"
        );
        let place = self.place().join(" ");
        let mut build = program("/bin/bash");
        build.arg(Path::new(ROOT).join("docker/build")).arg("chancery-test");
        build.env("ENGINE", format!("buildah {place} bud --isolation chroot --format docker"));
        run(build.env("BINARY", binary))
    }

    /// Where buildah keeps the volume that the image declares, once the service has filled it.
    fn volume(&self) -> Option<PathBuf> {
        let mut find = program("find");
        find.arg(&self.folder).args(["-name", "ca.pem", "-printf", "%h\n"]);
        let found = run(&mut find).text;
        found.lines().find(|line| line.starts_with('/')).map(PathBuf::from)
    }

    /// Every file of the container but its volume, by name.
    fn files(&self, container: &str) -> Vec<String> {
        let mount = self.say(&["mount", container]).expect_ok("mount");
        let mount = mount.trim().to_owned();
        let mut find = program("find");
        find.arg(&mount).args([
            "-path",
            &format!("{mount}/data"),
            "-prune",
            "-o",
            "-type",
            "f",
            "-print",
        ]);
        let mut files: Vec<String> =
            run(&mut find).expect_ok("find").lines().map(str::to_owned).collect();
        files.sort();
        files
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // vfs copies the binary for every layer: do not leave that in target/.
        let _ = self.say(&["rm", "--all"]);
        let _ = self.say(&["rmi", "--all", "--force"]);
    }
}
