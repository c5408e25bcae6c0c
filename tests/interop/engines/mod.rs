//! What each engine makes of a base CRL, of a base with a delta, of a delta alone, and of a
//! partition's CRL (`partitions`), and of OCSP answers (`answers`).
//!
//! Not every engine can do every part. Each `TABLE` says what each does, cell by cell, and the test
//! holds it against what it does.

mod answers;
pub mod engine;
mod partitions;
mod responder;
mod world;

use crate::authority::Authority;
use crate::machine::Said;
use engine::Engine;
use world::{Crl, World};

/// What an engine does with what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    /// Tells each standing as it is.
    Supports,
    /// Goes by the base and does not see what the delta says.
    Ignores,
    /// Accepts nothing.
    Refuses,
    /// Takes the delta for a complete CRL, and accepts whoever is not in it: unsafe.
    TakesItForComplete,
    /// The same, and takes a release for a revocation.
    TakesItForCompleteWithoutReleases,
    /// Sees what either list says, and takes a release for a revocation.
    MissesReleases,
    /// Takes it for one about the certificate, and accepts whoever is not in it: unsafe.
    TakesItForIts,
    /// Believes what anybody says who has a certificate of this CA: unsafe.
    BelievesAnybody,
    /// Looks at nothing of the kind, and accepts everybody: unsafe where nobody else looks.
    LooksAtNone,
}

impl Does {
    /// Whether it accepts the certificates of `World::standings`, in their order: good, revoked
    /// before the older base, revoked since, held since, released since, revoked before the first
    /// base. The delta lists all but the first and the last, for it is made against the oldest base
    /// that anybody can hold.
    fn accepts(self) -> [bool; 6] {
        match self {
            Self::Supports => [true, false, false, false, true, false],
            Self::TakesItForComplete => [true, false, false, false, true, true],
            Self::Ignores => [true, false, true, true, false, false],
            Self::Refuses => [false; 6],
            Self::TakesItForCompleteWithoutReleases => [true, false, false, false, false, true],
            Self::MissesReleases => [true, false, false, false, false, false],
            Self::TakesItForIts | Self::BelievesAnybody | Self::LooksAtNone => [true; 6],
        }
    }
}

/// The engine; then what it does with the newest base, with an older base and the newest delta, and
/// with the delta alone.
const TABLE: &[(Engine, [Does; 3])] = &[
    (Engine::OpenSsl, [Does::Supports, Does::TakesItForComplete, Does::TakesItForComplete]),
    (Engine::OpenSslExtended, [Does::Supports, Does::Supports, Does::Refuses]),
    (
        Engine::GnuTls,
        [
            Does::Supports,
            Does::TakesItForCompleteWithoutReleases,
            Does::TakesItForCompleteWithoutReleases,
        ],
    ),
    (Engine::Nss, [Does::Supports, Does::Ignores, Does::Refuses]),
    (Engine::StrongSwan, [Does::Supports, Does::Refuses, Does::Refuses]),
    (Engine::Java, [Does::Supports, Does::Ignores, Does::Refuses]),
    (Engine::BouncyCastle, [Does::Supports, Does::Supports, Does::Refuses]),
    (Engine::Go, [Does::LooksAtNone, Does::LooksAtNone, Does::LooksAtNone]),
    (
        Engine::GoLists,
        [Does::Supports, Does::MissesReleases, Does::TakesItForCompleteWithoutReleases],
    ),
    (Engine::Webpki, [Does::Supports, Does::Refuses, Does::Refuses]),
];

#[test]
fn each_engine_does_with_each_crl_what_the_table_says_with_rsa() {
    the_table_holds("rsa3072", "rsa2048");
}

#[test]
fn each_engine_does_with_each_crl_what_the_table_says_with_p256() {
    the_table_holds("p256", "p256");
}

fn the_table_holds(ca: &str, keys: &str) {
    let mut world = World::make(ca, keys);
    strongswan_fetches_a_delta_and_goes_by_its_base(&world);
    // From here on nobody can fetch: each has what it is given.
    assert!(world.authority.take().is_some_and(Authority::stop), "SIGTERM did not end it cleanly");
    let crls: [&[&Crl]; 3] =
        [&[&world.newest_base], &[&world.older_base, &world.delta], &[&world.delta]];
    let judged = |(engine, cells): &(Engine, _)| (*engine, *cells, engine.judge(&world, &crls));
    each_cell_holds(["base", "base and delta", "delta alone"], TABLE.iter().map(judged));
}

/// Fails with every cell that is other than the table says: of each engine its row, and column by
/// column what it said of `World::standings`.
fn each_cell_holds<const N: usize>(
    columns: [&str; N],
    rows: impl Iterator<Item = (Engine, [Does; N], Vec<Vec<Said>>)>,
) {
    let mut faults = Vec::new();
    for (engine, cells, judged) in rows {
        assert_eq!(judged.len(), N, "{engine:?}");
        for ((column, does), said) in columns.iter().zip(cells).zip(judged) {
            let accepted: Vec<bool> = said.iter().map(|one| one.ok).collect();
            if accepted != does.accepts() {
                let told: Vec<&str> = said.iter().map(|one| one.text.trim()).collect();
                faults.push(format!(
                    "{engine:?}, {column}: {accepted:?}, not {:?} ({does:?})\n{}",
                    does.accepts(),
                    told.join("\n")
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{} cells are other:\n{}", faults.len(), faults.join("\n\n"));
}

/// strongSwan fetches the delta that its base names, and passes it over, because it was made against
/// an older base than the one at hand (RFC 5280 §5.2.4 allows that; strongSwan 5.9 wants equal
/// numbers). So it goes by its base; only about a hold it asks for a newer one.
fn strongswan_fetches_a_delta_and_goes_by_its_base(world: &World) {
    let columns: [&[&Crl]; 1] = [&[&world.older_base]];
    let said = Engine::StrongSwan.judge(world, &columns).remove(0);
    let accepted: Vec<bool> = said.iter().map(|one| one.ok).collect();
    let told: Vec<&str> = said.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(accepted, [true, false, true, true, true, false], "{}", told.join("\n"));
    let since = told[2];
    assert!(since.contains("-delta.crl' ..."), "it fetched no delta:\n{since}");
}
