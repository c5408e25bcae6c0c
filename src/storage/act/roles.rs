//! The roles on this CA, granted to accounts and groups: one document.

use minicbor::{Decode, Encode};
use serde::Serialize;

#[cfg(doc)]
use super::Act;

/// See [`Act::RolesSaved`].
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct RolesSaved {
    /// Every assignment there is from now on.
    #[n(0)]
    pub assignments: Vec<RoleAssigned>,
    /// Counts the changes from 1: the entity tag.
    #[n(1)]
    pub revision: u64,
}

/// One assignment; of `group` and `account` one is there.
#[derive(Clone, Debug, PartialEq, Encode, Decode, Serialize)]
pub struct RoleAssigned {
    /// `administrator`, `certificate_manager`, `auditor`, `enrollment_agent`.
    #[n(0)]
    pub role: String,
    /// Whose members have it.
    #[n(1)]
    pub group: Option<String>,
    /// Who has it.
    #[n(2)]
    pub account: Option<String>,
    /// The templates' cn for which it holds; all of them if absent.
    #[n(3)]
    pub templates: Option<Vec<String>>,
    /// The groups of whose members it holds; everybody if absent.
    #[n(4)]
    pub subject_groups: Option<Vec<String>>,
}
