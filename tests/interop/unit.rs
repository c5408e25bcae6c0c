//! The systemd unit: systemd itself reads it and scores how exposed the service is.

use crate::machine::{folder, program, run, write};
use std::fs;
use std::path::Path;

#[test]
fn systemd_accepts_the_unit_and_finds_it_hardened() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("docker/systemd/chancery.service");
    let text = fs::read_to_string(&shipped).expect("the unit");
    // systemd looks whether the program is there; on this machine it is in target/.
    let installed = "/usr/local/bin/chancery";
    assert!(text.contains(installed), "the unit starts something else");
    let unit = folder("unit").join("chancery.service");
    write(&unit, text.replace(installed, env!("CARGO_BIN_EXE_chancery")));

    let said = run(program("systemd-analyze").arg("verify").arg(&unit)).expect_ok("verify");
    let about_ours = said.lines().filter(|line| line.contains("chancery.service"));
    assert_eq!(about_ours.collect::<Vec<_>>(), Vec::<&str>::new(), "systemd has something to say");

    // Exposure 0 (none) to 100; the unit stood at 12 when it was written.
    let mut security = program("systemd-analyze");
    security.args(["security", "--offline=true", "--threshold=15", "--no-pager"]);
    run(security.arg(&unit)).expect_ok("exposure above 1.5");
}
