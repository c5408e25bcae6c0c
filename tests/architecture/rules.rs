//! Judges the paths that a file names against the table of rooms.

use crate::source::{Named, named_paths};

/// One row of the table: a folder of `src/`.
pub struct Room {
    /// The folder.
    pub name: &'static str,
    /// The other rooms it knows.
    pub may_import: &'static [&'static str],
    /// What its tests may import besides.
    pub tests_import: &'static [&'static str],
    /// Beginnings of paths that may not stand in it outside tests.
    pub may_not_name: &'static [&'static [&'static str]],
}

/// The files directly in `src/`, which belong to no room.
const OUTSIDE: &[&str] = &["lib.rs", "main.rs"];

/// Every fault of one file, as sentences; `file` is its path below `src/`.
pub fn judge(rooms: &[Room], file: &str, text: &str) -> Vec<String> {
    if OUTSIDE.contains(&file) {
        return Vec::new();
    }
    let module = module_of(file);
    let folder = module.first().copied().unwrap_or_default();
    let Some(room) = rooms.iter().find(|room| room.name == folder) else {
        return vec![format!("{file}: `{folder}` is not a room of the table")];
    };
    let mut faults = Vec::new();
    for mut named in named_paths(&module, text) {
        named.in_tests |= module.iter().any(|part| *part == "tests" || part.starts_with("test_"));
        if let Some(fault) = fault(room, &named) {
            faults.push(format!("{file}:{}: {fault}", named.line));
        }
    }
    faults
}

/// `pki/template/mod.rs` is the module `pki::template`.
fn module_of(file: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    if parts.last() == Some(&"mod") {
        parts.pop();
    }
    parts
}

fn fault(room: &Room, named: &Named) -> Option<String> {
    let mut segments = named.path.split("::");
    if matches!(segments.next(), Some("crate" | "chancery")) {
        return match segments.next() {
            None | Some("*") => Some("the whole crate is imported; name the room".to_owned()),
            Some(other) if other == room.name || room.may_import.contains(&other) => None,
            Some(other) if named.in_tests && room.tests_import.contains(&other) => None,
            Some(other) => {
                Some(format!("`{}` may not import `{other}` ({})", room.name, named.path))
            }
        };
    }
    if named.in_tests {
        return None; // tests may make keys, files and clocks; the edges above hold for them too
    }
    let banned = room.may_not_name.iter().flat_map(|list| list.iter());
    let broken = banned.copied().find(|start| begins_with(&named.path, start))?;
    Some(format!("`{}` may not name `{broken}` ({})", room.name, named.path))
}

/// Whether the path is `start` or lies below it; `std::net::Tcp*` also begins `std::net::TcpStream`.
fn begins_with(path: &str, start: &str) -> bool {
    match start.strip_suffix('*') {
        Some(start) => path.starts_with(start),
        None => {
            path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Room, judge};

    const ROOMS: &[Room] = &[
        Room {
            name: "pki",
            may_import: &[],
            tests_import: &[],
            may_not_name: &[&["std::fs", "std::time::SystemTime", "std::net::Tcp*", "rand"]],
        },
        Room { name: "storage", may_import: &["pki"], tests_import: &[], may_not_name: &[] },
        Room {
            name: "ca",
            may_import: &["pki", "storage"],
            tests_import: &["http"],
            may_not_name: &[],
        },
    ];

    /// Snippets that must be refused, each in a file of the room named first.
    #[test]
    fn bad_snippets_are_refused() {
        for (file, text) in [
            ("pki/name.rs", "use crate::ca::Authority;"),
            ("pki/name.rs", "use crate::{pki::time, storage::{Ledger}};"),
            ("pki/name.rs", "use super::super::storage::Ledger;"),
            ("pki/mod.rs", "use super::storage;"),
            ("pki/name.rs", "fn f() -> crate::ca::Authority { todo!() }"),
            ("pki/name.rs", "pub(crate) use crate::ca as pki;"),
            ("pki/name.rs", "use crate::*;"),
            ("pki/name.rs", "use crate as all;"),
            ("pki/name.rs", "use std::{fs, io};"),
            ("pki/name.rs", "use std::time::{Duration, SystemTime};"),
            ("pki/name.rs", "fn f() { let _ = std::fs::read(\"x\"); }"),
            ("pki/name.rs", "fn f() { ::std::net::TcpStream::connect(x); }"),
            ("pki/name.rs", "use rand::Rng;"),
            ("pki/name.rs", "#[cfg(test)] mod tests { use crate::ca::X; }"),
            ("storage/sled.rs", "use crate::ca::Authority;"),
            ("storage/tests.rs", "use crate::ca::Authority;"),
            ("ca/enroll.rs", "use crate::http::Router;"),
            ("attic/mod.rs", ""),
        ] {
            assert_eq!(judge(ROOMS, file, text).len(), 1, "{file}: {text}");
        }
    }

    #[test]
    fn good_snippets_are_accepted() {
        for (file, text) in [
            ("pki/name.rs", "use crate::pki::time::Timestamp; use super::oid;"),
            ("pki/name.rs", "//! crate::ca decides\nuse std::time::Duration;"),
            ("pki/name.rs", "#[cfg(test)] mod tests { use super::*; use std::fs; }"),
            ("pki/name.rs", "use std::net::IpAddr; use random::x;"),
            ("storage/sled.rs", "use crate::pki::serial::SerialNumber;"),
            ("ca/enroll.rs", "use crate::{pki, storage::Ledger};"),
            ("pki/name/tests.rs", "use std::fs;"),
            ("ca/tests/world.rs", "use crate::http::Router;"),
            ("main.rs", "fn main() { chancery::cli::run() }"),
        ] {
            assert_eq!(judge(ROOMS, file, text), Vec::<String>::new(), "{file}: {text}");
        }
    }
}
