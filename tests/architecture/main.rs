//! Holds the floor plan: which room may import which, and what each room may not even name.
//!
//! Every new edge between rooms is an edit of the table below, which somebody then sees in the
//! diff. `source.rs` reads the Rust files; `rules.rs` judges what they name.

#![allow(clippy::expect_used, clippy::panic)] // a test fails by panicking

mod rules;
mod source;

use rules::{Room, judge};
use std::path::{Path, PathBuf};

/// The world outside: what law 2 ("the room that decides never holds the key, the clock, the disk
/// or the network") keeps out. A path is refused when it begins with one of these;
/// a star stands for the rest of a name.
const CLOCK: &[&str] = &[
    "std::time::SystemTime",
    "std::time::Instant",
    "std::time::UNIX_EPOCH",
    "tokio::time",
    "time::OffsetDateTime::now_utc",
    "OffsetDateTime::now_utc",
];
/// Asking what time it is; types and constants of time may be named.
const TIME_OF_DAY: &[&str] = &[
    "std::time::SystemTime::now",
    "SystemTime::now",
    "tokio::time",
    "time::OffsetDateTime::now_utc",
    "OffsetDateTime::now_utc",
];
const RANDOM: &[&str] = &["rand", "rand_core", "getrandom", "aws_lc_rs::rand"];
/// Opening files; a file that the store opened may be handed on and read.
const OPENING_FILES: &[&str] = &[
    "std::fs::read*",
    "std::fs::write*",
    "std::fs::create*",
    "std::fs::remove*",
    "std::fs::rename*",
    "std::fs::OpenOptions",
    "std::fs::File::open",
    "std::fs::File::create",
    "std::fs::File::options",
    "File::open",
    "File::create",
    "File::options",
    "fs",
    "tokio::fs",
    "rustix::fs",
    "sled",
    "tempfile",
];
const DISK: &[&str] = &["std::fs", "std::os", "tokio::fs", "rustix::fs", "sled", "tempfile"];
const NETWORK: &[&str] =
    &["std::net::Tcp*", "std::net::Udp*", "std::net::ToSocketAddrs", "tokio::net", "axum", "hyper"];
const PROCESS: &[&str] = &["std::env", "std::process", "std::thread"];
const ENVIRONMENT: &[&str] = &["std::env", "std::process"];
const PRIVATE_KEY: &[&str] = &[
    "aws_lc_rs::signature::EcdsaKeyPair",
    "aws_lc_rs::signature::Ed25519KeyPair",
    "aws_lc_rs::signature::RsaKeyPair",
    "aws_lc_rs::signature::KeyPair",
    "aws_lc_rs::rsa::KeyPair",
    "rsa::RsaPrivateKey",
    "p256::ecdsa::SigningKey",
    "p256::SecretKey",
    "rcgen",
];

/// A door's tests put a whole service together.
const BACK_ENDS: &[&str] = &["signing", "storage", "directory", "notification"];

/// The table. A room is a folder of `src/`; `may_import` lists the rooms it knows,
/// `tests_import` those that its tests know besides.
const ROOMS: &[Room] = &[
    Room {
        name: "pki",
        may_import: &[],
        tests_import: &[],
        may_not_name: &[
            CLOCK,
            RANDOM,
            DISK,
            NETWORK,
            PROCESS,
            PRIVATE_KEY,
            &["tokio", "std::io::stdin", "std::io::stdout"],
        ],
    },
    Room {
        name: "doctor",
        may_import: &["pki"],
        tests_import: &[],
        may_not_name: &[CLOCK, RANDOM, DISK, NETWORK, PROCESS, PRIVATE_KEY, &["tokio", "ureq"]],
    },
    Room {
        name: "retrieval",
        may_import: &["pki", "doctor"],
        tests_import: &[],
        // It goes out by `ureq`, and by sockets for a TLS handshake; how long that may take it
        // measures with an `Instant`.
        may_not_name: &[TIME_OF_DAY, RANDOM, DISK, ENVIRONMENT, PRIVATE_KEY, &["axum", "tokio"]],
    },
    Room {
        name: "signing",
        may_import: &["pki"],
        tests_import: &[],
        may_not_name: &[CLOCK, NETWORK, &["sled", "tokio"]],
    },
    Room {
        name: "storage",
        may_import: &["pki"],
        tests_import: &[],
        // A file's own time is a SystemTime, and looking for disk space is paced by an Instant;
        // what is forbidden is to ask what time it is.
        may_not_name: &[TIME_OF_DAY, RANDOM, NETWORK, PRIVATE_KEY, &["tokio"]],
    },
    Room {
        name: "directory",
        may_import: &["pki"],
        tests_import: &[],
        // A provider's keys are fetched on a thread of their own, over HTTPS by `ureq`; how long a
        // domain is waited for is measured by an Instant.
        may_not_name: &[TIME_OF_DAY, RANDOM, DISK, NETWORK, ENVIRONMENT, PRIVATE_KEY, &["tokio"]],
    },
    Room {
        name: "notification",
        may_import: &["pki"],
        tests_import: &[],
        // Delivery is a thread for each endpoint, by `ureq`.
        may_not_name: &[CLOCK, RANDOM, DISK, NETWORK, ENVIRONMENT, PRIVATE_KEY, &["tokio"]],
    },
    Room {
        name: "ca",
        may_import: &["pki", "signing", "storage", "directory", "notification"],
        tests_import: &[],
        may_not_name: &[TIME_OF_DAY, RANDOM, OPENING_FILES, NETWORK, PRIVATE_KEY, &["tokio"]],
    },
    Room {
        name: "http",
        may_import: &["pki", "doctor", "ca"],
        tests_import: BACK_ENDS,
        may_not_name: &[RANDOM, PRIVATE_KEY, &["sled", "std::process"]],
    },
    Room {
        name: "cli",
        may_import: &[
            "pki",
            "doctor",
            "retrieval",
            "signing",
            "storage",
            "directory",
            "notification",
            "ca",
            "http",
        ],
        tests_import: &[],
        may_not_name: &[&["sled"]],
    },
];

/// Names that say nothing about what is inside (HOUSE style: nouns of the trade).
const EMPTY_NAMES: &[&str] = &[
    "util", "utils", "common", "helper", "helpers", "misc", "models", "services", "types", "stuff",
    "shared",
];

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of the project") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The path below `src/`, with forward slashes.
fn below_src(path: &Path) -> String {
    let inner = path.strip_prefix(project().join("src")).expect("a file below src");
    inner.to_string_lossy().replace('\\', "/")
}

#[test]
fn every_import_is_in_the_table() {
    let files = rust_files(&project().join("src"));
    assert!(files.len() > 20, "the sources were not found: {} files", files.len());
    let mut faults = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("UTF-8 source");
        faults.extend(judge(ROOMS, &below_src(&path), &text));
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_room_of_the_table_is_there() {
    for room in ROOMS {
        let door = project().join("src").join(room.name).join("mod.rs");
        assert!(door.is_file(), "{} is in the table and not in src/", room.name);
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    let mut mute = Vec::new();
    let folders = ["src", "tests", "benches", "fuzz/fuzz_targets"].map(|name| project().join(name));
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        for path in rust_files(folder) {
            let text = std::fs::read_to_string(&path).expect("UTF-8 source");
            // `tests.rs` beside a file says enough with its name.
            if !path.ends_with("tests.rs") && !text.starts_with("//! ") {
                mute.push(path.display().to_string());
            }
        }
    }
    assert!(mute.is_empty(), "these do not open with `//!`:\n{}", mute.join("\n"));
}

#[test]
fn files_and_folders_are_named_after_the_trade() {
    let mut empty = Vec::new();
    for path in rust_files(&project().join("src")) {
        let inner = below_src(&path);
        if inner.trim_end_matches(".rs").split('/').any(|part| EMPTY_NAMES.contains(&part)) {
            empty.push(inner);
        }
    }
    assert!(empty.is_empty(), "names that say nothing: {}", empty.join(", "));
}
