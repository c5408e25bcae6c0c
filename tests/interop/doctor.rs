//! Every shipped template's certificates before our own doctor: well in the parts they are for.

use crate::corpus::corpora;
use crate::machine::{program, run};

/// Which part a template's certificates play, and what is said of them there all the same.
const PARTS: &[(&str, &str, &[&str])] = &[
    ("VPNServerAuthentication-RSA", "vpn-server", &[]),
    ("VPNServerAuthentication-EC", "vpn-server", &[]),
    ("NPSServerAuthentication-RSA", "nps-server", &[]),
    ("RASAndIASServer-RSA", "nps-server", &[]),
    ("VPNUserAuthentication-RSA", "vpn-user", &[]),
    ("VPNUserAuthentication-EC", "vpn-user", &[]),
    ("User-RSA", "vpn-user", &[]),
    ("UserSignature-RSA", "vpn-user", &[]),
    ("SmartcardLogon-RSA", "vpn-user", &[]),
    ("SmartcardUser-RSA", "vpn-user", &[]),
    ("VPNDeviceTunnel-RSA", "vpn-device", &[]),
    ("VPNDeviceTunnel-EC", "vpn-device", &[]),
    ("Workstation-RSA", "vpn-device", &[]),
    ("Machine-RSA", "vpn-device", &[]),
    ("SubCA-RSA", "ca", &[]),
];

#[test]
fn every_template_is_well_in_its_part() {
    let mut wrong = Vec::new();
    let corpora: Vec<_> = corpora().iter().filter(|own| own.name.starts_with("chancery")).collect();
    assert!(!corpora.is_empty());
    for corpus in corpora {
        for (label, part, expected) in PARTS {
            let issued = corpus.good.iter().find(|own| own.label == *label);
            let issued = issued.unwrap_or_else(|| panic!("{}: no {label}", corpus.name));
            let mut doctor = program(env!("CARGO_BIN_EXE_chancery"));
            doctor.args(["doctor", "--offline", "--json", "--part", part]);
            doctor.arg("--root").arg(&corpus.root).arg("--crl").arg(&corpus.crl_der);
            let told = run(doctor.arg(&issued.certificate));
            let report: serde_json::Value = serde_json::from_str(&told.text).expect("JSON");
            let found = report["findings"].as_array().expect("findings").iter();
            let found: Vec<&str> = found.filter_map(|own| own["rule"].as_str()).collect();
            if found != *expected {
                wrong.push(format!("{} {label} as {part}: {found:?}", corpus.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
