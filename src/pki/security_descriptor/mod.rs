//! Security descriptors of directory objects ([MS-DTYP] §2.4.6): who may do what with them.
//!
//! Absent on purpose: system access control lists (auditing), and what the rights mean for a
//! certificate template (`template::exchange` knows). Begin with [`SecurityDescriptor`];
//! `binary` is its self-relative form in `nTSecurityDescriptor`, `sddl` the text of certutil.

mod ace;
mod binary;
mod sddl;
mod sid;
mod well_known;

pub use ace::{Access, Ace, AceFlags, Effect, access};
pub use binary::NotADescriptor;
pub use sddl::NotSddl;
pub use sid::{NotASid, Sid};
pub use well_known::{Trustee, TrusteeKind, sid_of, trustee};

/// A security descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityDescriptor {
    /// Who owns the object and may always change its access control list.
    pub owner: Option<Sid>,
    /// The owner's primary group; of no effect on directory objects.
    pub group: Option<Sid>,
    /// Who may do what.
    pub dacl: Dacl,
}

/// The discretionary access control list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dacl {
    /// There is none, which means that everybody may do everything ([MS-DTYP] §2.5.3.2).
    Null,
    /// These entries; an empty list means that nobody may do anything.
    Entries(Vec<Ace>),
}

#[cfg(test)]
mod tests;
