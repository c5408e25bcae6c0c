//! Reading private keys that other programs wrote: PEM or DER of PKCS#8, PKCS#1 and SEC1, and
//! PKCS#12 (RFC 7292). What is written here is always PKCS#8.

use p12_keystore::Pkcs12Archive;
use zeroize::Zeroizing;

use super::file::{FileKey, KeyFileError};
use super::passphrase::Passphrase;

/// A key with the certificates that came in the same file, in the file's order.
pub struct Imported {
    /// The key.
    pub key: FileKey,
    /// DER of the certificates.
    pub certificates: Vec<Vec<u8>>,
}

impl FileKey {
    /// Reads PEM (the first private key in it; other blocks are passed over, as OpenSSL writes
    /// `EC PARAMETERS` before a key) or DER.
    pub fn from_file_content(
        content: &[u8],
        passphrase: Option<&Passphrase>,
    ) -> Result<Self, KeyFileError> {
        let Ok(text) = std::str::from_utf8(content) else {
            return Self::from_any_der(content, passphrase);
        };
        if !text.contains("-----BEGIN ") {
            return Self::from_any_der(content, passphrase);
        }
        for label in ["PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"] {
            let Some(block) = pem_block(text, label) else { continue };
            if block.contains("Proc-Type:") {
                return Err(KeyFileError::OldEncryption);
            }
            let (_, der) = der::pem::decode_vec(block.as_bytes())
                .map(|(label, der)| (label.to_owned(), Zeroizing::new(der)))
                .map_err(|_| KeyFileError::NotAKey)?;
            return match label {
                "PRIVATE KEY" => Self::from_pkcs8_der(&der),
                "ENCRYPTED PRIVATE KEY" => Self::from_encrypted_der(&der, passphrase),
                "RSA PRIVATE KEY" => Self::from_pkcs1_der(&der),
                _ => Self::from_sec1_der(&der),
            };
        }
        Err(KeyFileError::NotAKey)
    }

    /// Which form a DER file has shows in its first fields.
    fn from_any_der(der: &[u8], passphrase: Option<&Passphrase>) -> Result<Self, KeyFileError> {
        if pkcs8::PrivateKeyInfoRef::try_from(der).is_ok() {
            return Self::from_pkcs8_der(der);
        }
        if pkcs8::EncryptedPrivateKeyInfoRef::try_from(der).is_ok() {
            return Self::from_encrypted_der(der, passphrase);
        }
        match Self::from_sec1_der(der) {
            Ok(key) => Ok(key),
            Err(_) => Self::from_pkcs1_der(der).map_err(|_| KeyFileError::NotAKey),
        }
    }
}

/// Reads the one private key of a PKCS#12 file and all its certificates.
pub fn read_pkcs12(content: &[u8], passphrase: &Passphrase) -> Result<Imported, KeyFileError> {
    let password = passphrase.as_text().ok_or(KeyFileError::WrongPassphrase)?;
    let archive = Pkcs12Archive::from_pkcs12(content, password)
        .map_err(|error| KeyFileError::Pkcs12(error.to_string()))?;
    let [found] = archive.keys.as_slice() else {
        let count = archive.keys.len();
        return Err(KeyFileError::Pkcs12(format!("it has {count} private keys instead of one")));
    };
    let key = FileKey::from_pkcs8_der(found.key.as_der())?;
    let certificates = archive.certs.iter().map(|bag| bag.cert.as_der().to_vec()).collect();
    Ok(Imported { key, certificates })
}

/// The block with that label, its encapsulation boundaries included.
fn pem_block<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let start = text.find(&begin)?;
    let rest = text.get(start..)?;
    let length = rest.find(&end)? + end.len();
    rest.get(..length)
}
