//! Which CRLs an act concerns (see [`CrlScope`]).

use std::num::NonZeroU16;

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::pki::revocation_list::CrlScope;

/// A scope that is not the first key's whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Scope {
    /// Key index.
    #[n(0)]
    pub key: u16,
    /// Partition, from 1; absent: all under that key.
    #[n(1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<NonZeroU16>,
}

impl Scope {
    /// As it goes on record: nothing where every ledger before there were scopes means the same.
    pub fn of(scope: CrlScope) -> Option<Self> {
        let CrlScope { key, partition } = scope;
        (scope != CrlScope::FIRST).then_some(Self { key, partition })
    }

    /// What is meant by it.
    pub fn read(recorded: Option<Self>) -> CrlScope {
        recorded.map_or(CrlScope::FIRST, |own| CrlScope { key: own.key, partition: own.partition })
    }
}

/// See [`super::Act::CrlsPartitioned`]. The last one of a key holds.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct CrlsPartitioned {
    /// Key index.
    #[n(0)]
    pub key: u16,
    /// How many partitions; never fewer than before.
    #[n(1)]
    pub partitions: NonZeroU16,
    /// Where certificates say, or said, that CRLs are, without a trailing slash: every base URL
    /// that there was since there are partitions, the present ones first. A partition's CRL names
    /// all of them.
    #[n(2)]
    pub base_urls: Vec<String>,
}

/// Which CRLs list a serial number that is known by a CRL alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct RevokedScope {
    /// Key index.
    #[n(0)]
    pub key: u16,
    /// Which besides the complete one.
    #[n(1)]
    pub partition: Partition,
}

/// The partition of a certificate that is known by its serial number alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Partition {
    /// It has none.
    #[n(0)]
    None,
    /// This one.
    #[n(1)]
    Known(#[n(0)] NonZeroU16),
    /// Nobody knows: every partition of its key lists it, also those that come later, lest the
    /// one lack it which the certificate names.
    #[n(2)]
    Unknown,
}

impl From<CrlScope> for RevokedScope {
    fn from(scope: CrlScope) -> Self {
        let partition = scope.partition.map_or(Partition::None, Partition::Known);
        Self { key: scope.key, partition }
    }
}
