//! The two version nibbles in `msPKI-Private-Key-Flag` ([MS-CRTD] §2.27).

/// The oldest CA and the oldest Windows that a template is meant for; 0 says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compatibility {
    authority: u8,
    recipient: u8,
}

/// In the order of the nibble, from 1.
const AUTHORITIES: [&str; 6] = [
    "Windows Server 2003",
    "Windows Server 2008",
    "Windows Server 2008 R2",
    "Windows Server 2012",
    "Windows Server 2012 R2",
    "Windows Server 2016",
];

const RECIPIENTS: [&str; 6] =
    ["Windows XP", "Windows Vista", "Windows 7", "Windows 8", "Windows 8.1", "Windows 10"];

impl Compatibility {
    /// From the two words; none where the template says nothing.
    pub(super) fn from_words(authority: Option<&str>, recipient: Option<&str>) -> Option<Self> {
        let authority = nibble(&AUTHORITIES, authority)?;
        let recipient = nibble(&RECIPIENTS, recipient)?;
        Some(Self { authority, recipient })
    }

    /// The oldest CA, as AD CS's template editor names it.
    pub fn authority(self) -> Option<&'static str> {
        usize::from(self.authority).checked_sub(1).and_then(|index| AUTHORITIES.get(index)).copied()
    }

    /// The oldest Windows, as AD CS's template editor names it.
    pub fn recipient(self) -> Option<&'static str> {
        usize::from(self.recipient).checked_sub(1).and_then(|index| RECIPIENTS.get(index)).copied()
    }

    /// The bits of `msPKI-Private-Key-Flag` that it takes.
    pub const MASK: u32 = 0x0f0f_0000;

    /// From the bits of `msPKI-Private-Key-Flag`; none where a nibble names no version.
    pub fn from_nibbles(bits: u32) -> Option<Self> {
        let nibble = |shift: u32, most: usize| {
            let nibble = u8::try_from(bits >> shift & 0xf).ok()?;
            (usize::from(nibble) <= most).then_some(nibble)
        };
        let authority = nibble(16, AUTHORITIES.len())?;
        Some(Self { authority, recipient: nibble(24, RECIPIENTS.len())? })
    }

    /// As bits of `msPKI-Private-Key-Flag`: 0x000F0000 and 0x0F000000.
    pub fn nibbles(self) -> u32 {
        u32::from(self.authority) << 16 | u32::from(self.recipient) << 24
    }
}

fn nibble(words: &[&str], word: Option<&str>) -> Option<u8> {
    let Some(word) = word else { return Some(0) };
    let index = words.iter().position(|own| *own == word)?;
    u8::try_from(index + 1).ok()
}
