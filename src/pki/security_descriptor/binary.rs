//! The self-relative binary form ([MS-DTYP] §2.4.6), as `nTSecurityDescriptor` holds it.

use super::{Access, Ace, AceFlags, Dacl, Effect, SecurityDescriptor, Sid};

/// Why octets are no security descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a security descriptor: {0}")]
pub struct NotADescriptor(&'static str);

/// Access control lists and so whole descriptors have 16-bit lengths.
const LONGEST: usize = 3 * 65_536;
const HEADER: usize = 20;

/// Control bits: SE_DACL_PRESENT, SE_DACL_PROTECTED, SE_SELF_RELATIVE.
const DACL_PRESENT: u16 = 0x0004;
const DACL_PROTECTED: u16 = 0x1000;
const SELF_RELATIVE: u16 = 0x8000;

/// ACE_OBJECT_TYPE_PRESENT, ACE_INHERITED_OBJECT_TYPE_PRESENT.
const OBJECT: u32 = 1;
const INHERITED_OBJECT: u32 = 2;

impl SecurityDescriptor {
    /// Reads the self-relative form. A system access control list is not looked at.
    pub fn read(octets: &[u8]) -> Result<Self, NotADescriptor> {
        if octets.len() > LONGEST {
            return Err(NotADescriptor("too long"));
        }
        let header = octets.first_chunk::<HEADER>().ok_or(NotADescriptor("too short"))?;
        let [revision, _, low, high, offsets @ ..] = header;
        let control = u16::from_le_bytes([*low, *high]);
        if *revision != 1 || control & SELF_RELATIVE == 0 {
            return Err(NotADescriptor("neither revision 1 nor self-relative"));
        }
        let mut offsets = offsets.chunks(4).map(|own| number(own) as usize);
        let mut next = || offsets.next().unwrap_or(0);
        let (owner, group, _system, list) = (next(), next(), next(), next());
        let dacl = match (control & DACL_PRESENT != 0, list) {
            (false, _) | (true, 0) => Dacl::Null,
            (true, offset) => Dacl::Entries(entries(from(octets, offset)?)?),
        };
        Ok(Self { owner: sid(octets, owner)?, group: sid(octets, group)?, dacl })
    }

    /// Writes the self-relative form; the list is protected from inheritance, as AD CS protects
    /// that of each template.
    pub fn write(&self) -> Result<Vec<u8>, NotADescriptor> {
        let mut body = Vec::new();
        let place = |part: Vec<u8>, body: &mut Vec<u8>| {
            let offset = HEADER + body.len();
            body.extend_from_slice(&part);
            u32::try_from(offset).unwrap_or(0)
        };
        let (mut control, mut list_at) = (SELF_RELATIVE, 0);
        if let Dacl::Entries(list) = &self.dacl {
            control |= DACL_PRESENT | DACL_PROTECTED;
            list_at = place(written(list)?, &mut body);
        }
        let sid_at = |sid: &Option<Sid>, body: &mut Vec<u8>| match sid {
            None => 0,
            Some(sid) => {
                let mut part = Vec::new();
                sid.put(&mut part);
                place(part, body)
            }
        };
        let owner_at = sid_at(&self.owner, &mut body);
        let group_at = sid_at(&self.group, &mut body);
        let mut out = vec![1, 0];
        out.extend_from_slice(&control.to_le_bytes());
        for offset in [owner_at, group_at, 0, list_at] {
            out.extend_from_slice(&offset.to_le_bytes());
        }
        out.extend_from_slice(&body);
        Ok(out)
    }
}

fn number(octets: &[u8]) -> u32 {
    octets.iter().take(4).rev().fold(0, |sum, octet| sum << 8 | u32::from(*octet))
}

fn from(octets: &[u8], offset: usize) -> Result<&[u8], NotADescriptor> {
    if offset < HEADER {
        return Err(NotADescriptor("a part begins within the header"));
    }
    octets.get(offset..).ok_or(NotADescriptor("a part begins behind the end"))
}

fn sid(octets: &[u8], offset: usize) -> Result<Option<Sid>, NotADescriptor> {
    match offset {
        0 => Ok(None),
        _ => match Sid::take(from(octets, offset)?) {
            Ok((sid, _)) => Ok(Some(sid)),
            Err(_) => Err(NotADescriptor("owner or group is no security identifier")),
        },
    }
}

/// An ACL ([MS-DTYP] §2.4.5): header of 8 octets, then entries, each with its own length.
fn entries(octets: &[u8]) -> Result<Vec<Ace>, NotADescriptor> {
    let short = NotADescriptor("the access control list ends before its end");
    let header = octets.first_chunk::<8>().ok_or(short)?;
    let [revision, _, size_low, size_high, count_low, count_high, _, _] = header;
    if !matches!(*revision, 2 | 4) {
        return Err(NotADescriptor("the access control list is of no known revision"));
    }
    let size = usize::from(u16::from_le_bytes([*size_low, *size_high]));
    let list = octets.get(8..size).ok_or(short)?;
    let count = u16::from_le_bytes([*count_low, *count_high]);
    let mut rest = list;
    let mut found = Vec::new();
    for _ in 0..count {
        let [_, _, low, high] = rest.first_chunk::<4>().ok_or(short)?;
        let size = usize::from(u16::from_le_bytes([*low, *high]));
        let (entry, behind) = rest.split_at_checked(size).ok_or(short)?;
        found.push(ace(entry)?);
        rest = behind;
    }
    Ok(found)
}

fn ace(entry: &[u8]) -> Result<Ace, NotADescriptor> {
    let short = NotADescriptor("an entry ends before its end");
    let (head, mut rest) = entry.split_first_chunk::<8>().ok_or(short)?;
    let [kind, flags, _, _, mask @ ..] = head;
    let (effect, with_object) = match kind {
        0x00 => (Effect::Allow, false),
        0x01 => (Effect::Deny, false),
        0x05 => (Effect::Allow, true),
        0x06 => (Effect::Deny, true),
        0x09 => (Effect::AllowIf, false),
        0x0a => (Effect::DenyIf, false),
        0x0b => (Effect::AllowIf, true),
        0x0c => (Effect::DenyIf, true),
        _ => return Err(NotADescriptor("an entry neither allows nor denies")),
    };
    let (mut object, mut inherited_object) = (None, None);
    if with_object {
        let present = number(entry.get(8..12).ok_or(short)?);
        rest = entry.get(12..).ok_or(short)?;
        let mut guid = || {
            let (guid, behind) = rest.split_first_chunk::<16>().ok_or(short)?;
            rest = behind;
            Ok::<_, NotADescriptor>(Some(*guid))
        };
        if present & OBJECT != 0 {
            object = guid()?;
        }
        if present & INHERITED_OBJECT != 0 {
            inherited_object = guid()?;
        }
    }
    let (trustee, _) =
        Sid::take(rest).map_err(|_| NotADescriptor("an entry is about no security identifier"))?;
    let access = Access(number(mask));
    Ok(Ace { effect, flags: AceFlags(*flags), access, object, inherited_object, trustee })
}

fn written(list: &[Ace]) -> Result<Vec<u8>, NotADescriptor> {
    let mut body = Vec::new();
    for ace in list {
        put(ace, &mut body)?;
    }
    let long = NotADescriptor("the access control list is too long");
    let size = u16::try_from(body.len() + 8).map_err(|_| long)?;
    let count = u16::try_from(list.len()).map_err(|_| long)?;
    // Object entries need revision 4 ([MS-DTYP] §2.4.5).
    let objects = list.iter().any(is_about_an_object);
    let mut out = vec![if objects { 4 } else { 2 }, 0];
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&body);
    Ok(out)
}

fn is_about_an_object(ace: &Ace) -> bool {
    ace.object.is_some() || ace.inherited_object.is_some()
}

fn put(ace: &Ace, out: &mut Vec<u8>) -> Result<(), NotADescriptor> {
    let with_object = is_about_an_object(ace);
    let kind = match (ace.effect, with_object) {
        (Effect::Allow, false) => 0x00,
        (Effect::Deny, false) => 0x01,
        (Effect::Allow, true) => 0x05,
        (Effect::Deny, true) => 0x06,
        (Effect::AllowIf | Effect::DenyIf, _) => {
            return Err(NotADescriptor("a condition is not written"));
        }
    };
    let mut body = ace.access.0.to_le_bytes().to_vec();
    if with_object {
        let present = u32::from(ace.object.is_some()) * OBJECT
            + u32::from(ace.inherited_object.is_some()) * INHERITED_OBJECT;
        body.extend_from_slice(&present.to_le_bytes());
        for guid in [ace.object, ace.inherited_object].into_iter().flatten() {
            body.extend_from_slice(&guid);
        }
    }
    ace.trustee.put(&mut body);
    let size = u16::try_from(body.len() + 4).map_err(|_| NotADescriptor("too long"))?;
    out.extend_from_slice(&[kind, ace.flags.0]);
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(&body);
    Ok(())
}
