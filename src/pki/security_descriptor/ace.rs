//! One entry of an access control list ([MS-DTYP] §2.4.4).

use super::Sid;

/// An access control entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ace {
    /// Whether it allows or denies.
    pub effect: Effect,
    /// Where it comes from and where it goes.
    pub flags: AceFlags,
    /// Which rights.
    pub access: Access,
    /// The extended right, property or kind of child that it is confined to: a GUID as the
    /// directory stores it.
    pub object: Option<[u8; 16]>,
    /// The kind of object that inherits it.
    pub inherited_object: Option<[u8; 16]>,
    /// Whom it is about.
    pub trustee: Sid,
}

/// What an entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// ACCESS_ALLOWED_ACE, ACCESS_ALLOWED_OBJECT_ACE.
    Allow,
    /// ACCESS_DENIED_ACE, ACCESS_DENIED_OBJECT_ACE.
    Deny,
    /// A callback entry: allows where a condition holds, which is not read.
    AllowIf,
    /// A callback entry: denies where a condition holds, which is not read.
    DenyIf,
}

/// AceFlags ([MS-DTYP] §2.4.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AceFlags(pub u8);

impl AceFlags {
    /// INHERIT_ONLY_ACE.
    const INHERIT_ONLY: u8 = 0x08;
    /// INHERITED_ACE.
    const INHERITED: u8 = 0x10;

    /// Whether the entry is for children only and has no effect on the object itself.
    pub fn for_children_only(self) -> bool {
        self.0 & Self::INHERIT_ONLY != 0
    }

    /// Whether the entry came from the container.
    pub fn is_inherited(self) -> bool {
        self.0 & Self::INHERITED != 0
    }
}

/// An access mask ([MS-DTYP] §2.4.3; for directory objects [MS-ADTS] §5.1.3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access(pub u32);

impl Access {
    /// Whether all of `other` is in it.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of `other` is in it.
    pub fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The generic rights written out as the directory's own ([MS-ADTS] §5.1.3.2).
    #[must_use]
    pub fn spelled_out(self) -> Self {
        let generic = [
            (access::GENERIC_ALL, access::EVERYTHING),
            (access::GENERIC_READ, Access(0x0002_0094)),
            (access::GENERIC_WRITE, Access(0x0002_0028)),
            (access::GENERIC_EXECUTE, Access(0x0002_0004)),
        ];
        let plain = Self(self.0 & 0x0fff_ffff);
        generic
            .iter()
            .filter(|(own, _)| self.contains(*own))
            .fold(plain, |sum, (_, rights)| sum.with(*rights))
    }

    /// These and those of `other`.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Rights on directory objects ([MS-ADTS] §5.1.3.2).
pub mod access {
    use super::Access;

    /// RIGHT_DS_READ_PROPERTY.
    pub const READ_PROPERTY: Access = Access(0x10);
    /// RIGHT_DS_WRITE_PROPERTY.
    pub const WRITE_PROPERTY: Access = Access(0x20);
    /// RIGHT_DS_CONTROL_ACCESS: extended rights.
    pub const CONTROL_ACCESS: Access = Access(0x100);
    /// RIGHT_WRITE_DAC and RIGHT_WRITE_OWNER: changing who may do what.
    pub const CHANGE_PERMISSIONS: Access = Access(0x000c_0000);
    /// What the security tab calls Read: list, read properties, list object, read permissions.
    pub const READ: Access = Access(0x0002_0094);
    /// What AD CS itself calls Full Control on a template: everything but extended rights.
    pub const FULL_CONTROL_WITHOUT_ENROLL: Access = Access(0x000f_00ff);
    /// Everything.
    pub const EVERYTHING: Access = Access(0x000f_01ff);
    /// RIGHT_GENERIC_ALL.
    pub const GENERIC_ALL: Access = Access(0x1000_0000);
    /// RIGHT_GENERIC_EXECUTE.
    pub const GENERIC_EXECUTE: Access = Access(0x2000_0000);
    /// RIGHT_GENERIC_WRITE.
    pub const GENERIC_WRITE: Access = Access(0x4000_0000);
    /// RIGHT_GENERIC_READ.
    pub const GENERIC_READ: Access = Access(0x8000_0000);
}
