//! Passphrases: wiped when dropped, never printed.

use zeroize::Zeroizing;

/// What a private key's file is encrypted with. Used as the octets that were given.
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// From its octets. An empty one is none: it would look like protection.
    pub fn new(octets: Vec<u8>) -> Option<Self> {
        let octets = Zeroizing::new(octets);
        (!octets.is_empty()).then_some(Self(octets))
    }

    /// From a file's content: a line end at the end, which editors add, is not part of it.
    pub fn from_file_content(mut content: Vec<u8>) -> Option<Self> {
        for end in [b'\n', b'\r'] {
            if content.last() == Some(&end) {
                content.pop();
            }
        }
        Self::new(content)
    }

    /// Its octets.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }

    /// As text, for formats whose passwords are text (PKCS#12); `None` if it is no UTF-8.
    pub fn as_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Passphrase(not shown)")
    }
}
