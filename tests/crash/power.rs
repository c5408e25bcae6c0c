//! Power cut: an ext4 file system on a loop device is shut down without its journal being
//! flushed (`EXT4_IOC_SHUTDOWN`), so that everything is gone that no sync had covered.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::writer;

/// `_IOR('X', 125, __u32)` with `EXT4_GOING_FLAGS_NOLOGFLUSH`.
const SHUTDOWN: &str = "import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))";

/// A mounted file system; unmounted when dropped.
struct Mounted {
    image: PathBuf,
    at: PathBuf,
}

impl Mounted {
    fn mount(&self) {
        run("mount", &["-o".as_ref(), "loop".as_ref(), &self.image, &self.at]);
    }

    fn cut_power(&self) {
        run("python3", &["-c".as_ref(), SHUTDOWN.as_ref(), &self.at]);
    }

    fn unmount(&self) {
        run("umount", &[&self.at]);
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // After a failure it may still be in use.
        let _ = Command::new("umount").arg("-l").arg(&self.at).output();
    }
}

fn run(program: &str, arguments: &[&Path]) {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program} cannot be run: {error}"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success(),
        "{program} failed (the power cut is simulated by root, on a loop device): {said}"
    );
}

#[test]
fn every_acknowledgement_survives_a_power_cut() {
    writer::write_if_told();
    let home = tempfile::tempdir().unwrap();
    let mounted = Mounted { image: home.path().join("image"), at: home.path().join("mount") };
    std::fs::create_dir(&mounted.at).unwrap();
    std::fs::File::create(&mounted.image).unwrap().set_len(512 << 20).unwrap();
    run("mkfs.ext4", &["-q".as_ref(), "-F".as_ref(), &mounted.image]);
    let data = mounted.at.join("data");
    let mut all = BTreeSet::new();
    mounted.mount();
    for round in 0..6u64 {
        let mut child = writer::start("power::every_acknowledgement_survives_a_power_cut", &data);
        std::thread::sleep(Duration::from_millis(400 + 171 * round));
        let number = child.id().to_string();
        run("kill", &["-STOP".as_ref(), number.as_ref()]);
        // A sync under way while the journal aborts may return success: let them end first.
        std::thread::sleep(Duration::from_millis(60));
        mounted.cut_power();
        child.kill().unwrap();
        child.wait().unwrap();
        all.extend(writer::acknowledged(&mut child));
        mounted.unmount();
        mounted.mount();
        writer::check(&data, &all);
    }
    mounted.unmount();
    assert!(all.len() > 100, "only {} acknowledgements: this tested nothing", all.len());
}
