//! Security descriptors as text, in the Security Descriptor Definition Language
//! ([MS-DTYP] §2.5.1): what certutil prints.

use super::well_known::{abbreviation, from_abbreviation};
use super::{Access, Ace, AceFlags, Dacl, Effect, SecurityDescriptor, Sid};
use crate::pki::alternative_name::{guid_from_text, guid_text};

/// Why a text is no security descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a security descriptor in SDDL: {0}")]
pub struct NotSddl(&'static str);

const LONGEST: usize = 65_536;
const MOST_ENTRIES: usize = 1_024;

/// Letters of rights on directory objects, standard and generic rights.
const RIGHTS: &[(&str, u32)] = &[
    ("CC", 0x1),
    ("DC", 0x2),
    ("LC", 0x4),
    ("SW", 0x8),
    ("RP", 0x10),
    ("WP", 0x20),
    ("DT", 0x40),
    ("LO", 0x80),
    ("CR", 0x100),
    ("SD", 0x1_0000),
    ("RC", 0x2_0000),
    ("WD", 0x4_0000),
    ("WO", 0x8_0000),
    ("GA", 0x1000_0000),
    ("GX", 0x2000_0000),
    ("GW", 0x4000_0000),
    ("GR", 0x8000_0000),
    ("FA", 0x001f_01ff),
    ("FR", 0x0012_0089),
    ("FW", 0x0012_0116),
    ("FX", 0x0012_00a0),
    ("KA", 0x000f_003f),
    ("KR", 0x0002_0019),
    ("KW", 0x0002_0006),
    ("KX", 0x0002_0019),
];

/// Those that are single bits, for writing.
const SINGLE_BITS: usize = 17;

const FLAGS: &[(&str, u8)] = &[
    ("OI", 0x01),
    ("CI", 0x02),
    ("NP", 0x04),
    ("IO", 0x08),
    ("ID", 0x10),
    ("SA", 0x40),
    ("FA", 0x80),
];

impl std::str::FromStr for SecurityDescriptor {
    type Err = NotSddl;

    fn from_str(text: &str) -> Result<Self, NotSddl> {
        if text.len() > LONGEST || !text.is_ascii() {
            return Err(NotSddl("too long, or not ASCII"));
        }
        let mut rest = text.trim();
        let (mut owner, mut group, mut dacl) = (None, None, None);
        while !rest.is_empty() {
            let (letter, behind) =
                rest.split_at_checked(2).ok_or(NotSddl("a letter is missing"))?;
            let (part, next) = until_the_next_part(behind);
            let seen = match letter {
                "O:" => owner.replace(trustee(part)?).is_some(),
                "G:" => group.replace(trustee(part)?).is_some(),
                "D:" => dacl.replace(list(part)?).is_some(),
                // Auditing is not looked at.
                "S:" => false,
                _ => return Err(NotSddl("a part is none of O:, G:, D:, S:")),
            };
            if seen {
                return Err(NotSddl("a part is there twice"));
            }
            rest = next;
        }
        match (&owner, &group, &dacl) {
            (None, None, None) => Err(NotSddl("there is nothing in it")),
            _ => Ok(Self { owner, group, dacl: dacl.unwrap_or(Dacl::Null) }),
        }
    }
}

/// A part ends where a colon follows the letter of the next; within brackets colons are text.
fn until_the_next_part(text: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    let octets = text.as_bytes();
    for (at, octet) in octets.iter().enumerate() {
        match octet {
            b'(' => depth = depth.saturating_add(1),
            b')' => depth = depth.saturating_sub(1),
            b'O' | b'G' | b'D' | b'S' if depth == 0 && octets.get(at + 1) == Some(&b':') => {
                return text.split_at_checked(at).unwrap_or((text, ""));
            }
            _ => (),
        }
    }
    (text, "")
}

fn trustee(text: &str) -> Result<Sid, NotSddl> {
    from_abbreviation(text)
        .or_else(|| text.parse().ok())
        .ok_or(NotSddl("neither a security identifier nor one of the abbreviations"))
}

fn list(text: &str) -> Result<Dacl, NotSddl> {
    let (flags, mut rest) = match text.find('(') {
        Some(at) => text.split_at_checked(at).unwrap_or((text, "")),
        None => (text, ""),
    };
    if flags.contains("NO_ACCESS_CONTROL") {
        return Ok(Dacl::Null);
    }
    if !flags.replace("AI", "").replace("AR", "").replace('P', "").is_empty() {
        return Err(NotSddl("the list has unknown flags"));
    }
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let inner =
            rest.strip_prefix('(').ok_or(NotSddl("something stands between the entries"))?;
        let end = closing(inner).ok_or(NotSddl("an entry is not closed"))?;
        let (entry, behind) = inner.split_at_checked(end).unwrap_or((inner, ""));
        if entries.len() >= MOST_ENTRIES {
            return Err(NotSddl("too many entries"));
        }
        entries.push(ace(entry)?);
        rest = behind.strip_prefix(')').unwrap_or_default();
    }
    Ok(Dacl::Entries(entries))
}

/// Where the bracket that is open closes; conditions have brackets of their own.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, octet) in text.bytes().enumerate() {
        match octet {
            b'(' => depth += 1,
            b')' if depth == 0 => return Some(at),
            b')' => depth -= 1,
            _ => (),
        }
    }
    None
}

fn ace(text: &str) -> Result<Ace, NotSddl> {
    let mut fields = text.splitn(7, ';').map(str::trim);
    let mut field = || fields.next().ok_or(NotSddl("an entry has fewer than six fields"));
    let (kind, flags, rights, object, inherited, who) =
        (field()?, field()?, field()?, field()?, field()?, field()?);
    let condition = fields.next();
    let effect = match kind {
        "A" | "OA" => Effect::Allow,
        "D" | "OD" => Effect::Deny,
        "XA" | "ZA" => Effect::AllowIf,
        "XD" => Effect::DenyIf,
        _ => return Err(NotSddl("an entry neither allows nor denies")),
    };
    let plain = matches!(effect, Effect::Allow | Effect::Deny);
    if plain && condition.is_some_and(|text| !text.is_empty()) {
        return Err(NotSddl("an entry has more than six fields"));
    }
    let confined = !object.is_empty() || !inherited.is_empty();
    if confined && !kind.starts_with(['O', 'Z']) {
        return Err(NotSddl("an entry without O has an object"));
    }
    Ok(Ace {
        effect,
        flags: AceFlags(letters(flags, FLAGS, |sum, own| sum | own)?),
        access: Access(access(rights)?),
        object: guid(object)?,
        inherited_object: guid(inherited)?,
        trustee: trustee(who)?,
    })
}

fn letters<T: Copy + Default>(
    text: &str,
    known: &[(&str, T)],
    with: impl Fn(T, T) -> T,
) -> Result<T, NotSddl> {
    let mut sum = T::default();
    let mut rest = text;
    while !rest.is_empty() {
        let (pair, behind) = rest.split_at_checked(2).ok_or(NotSddl("half a pair of letters"))?;
        let row = known.iter().find(|(own, _)| *own == pair);
        sum = with(sum, row.ok_or(NotSddl("an unknown pair of letters"))?.1);
        rest = behind;
    }
    Ok(sum)
}

fn access(text: &str) -> Result<u32, NotSddl> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) if digits.len() <= 8 && digits.bytes().all(|own| own.is_ascii_hexdigit()) => {
            u32::from_str_radix(digits, 16).map_err(|_| NotSddl("a mask is no number"))
        }
        Some(_) => Err(NotSddl("a mask is no number")),
        None => letters(text, RIGHTS, |sum, own| sum | own),
    }
}

fn guid(text: &str) -> Result<Option<[u8; 16]>, NotSddl> {
    match text {
        "" => Ok(None),
        text => guid_from_text(text).map(Some).ok_or(NotSddl("an object is no GUID")),
    }
}

impl std::fmt::Display for SecurityDescriptor {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (letter, sid) in [("O:", &self.owner), ("G:", &self.group)] {
            if let Some(sid) = sid {
                write!(out, "{letter}{}", shown(sid))?;
            }
        }
        match &self.dacl {
            Dacl::Null => out.write_str("D:NO_ACCESS_CONTROL"),
            Dacl::Entries(entries) => {
                out.write_str("D:P")?;
                entries.iter().try_for_each(|entry| entry.fmt(out))
            }
        }
    }
}

impl std::fmt::Display for Ace {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let with_object = self.object.is_some() || self.inherited_object.is_some();
        let kind = match (self.effect, with_object) {
            (Effect::Allow, false) => "A",
            (Effect::Allow, true) => "OA",
            (Effect::Deny, false) => "D",
            (Effect::Deny, true) => "OD",
            (Effect::AllowIf, false) => "XA",
            (Effect::AllowIf, true) => "ZA",
            (Effect::DenyIf, _) => "XD",
        };
        let flags: String =
            FLAGS.iter().filter(|(_, bit)| self.flags.0 & bit != 0).map(|(own, _)| *own).collect();
        let guid = |guid: &Option<[u8; 16]>| guid.as_ref().map(guid_text).unwrap_or_default();
        write!(out, "({kind};{flags};{};", mask(self.access))?;
        write!(out, "{};{};", guid(&self.object), guid(&self.inherited_object))?;
        write!(out, "{})", shown(&self.trustee))
    }
}

fn mask(access: Access) -> String {
    let single = RIGHTS.get(..SINGLE_BITS).unwrap_or_default();
    let known = single.iter().fold(0, |sum, (_, bit)| sum | bit);
    match access.0 & !known {
        0 => single.iter().filter(|(_, bit)| access.0 & bit != 0).map(|(own, _)| *own).collect(),
        _ => format!("0x{:x}", access.0),
    }
}

fn shown(sid: &Sid) -> String {
    abbreviation(sid).map_or_else(|| sid.to_string(), ToOwned::to_owned)
}
