//! The value that maps a certificate to an account by hand, strongly.

use crate::pki::issuer::Issuer;
use crate::pki::serial::SerialNumber;

/// `X509:<I>DC=com,DC=contoso,CN=Contoso VPN CA<SR>1f0a…` for the account's
/// `altSecurityIdentities`: the issuer in the order of its encoding, the serial number with its
/// octets reversed (KB5014754; [MS-ADA1] altSecurityIdentities).
pub fn alt_security_identities(issuer: &Issuer, serial: &SerialNumber) -> String {
    format!("X509:<I>{}<SR>{}", issuer.forward_name(), serial.reversed_hex())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::test_authority::{TestKey, root};

    #[test]
    fn issuer_forward_serial_backward() {
        let issuer = root(&TestKey::generate());
        let serial: SerialNumber = "2b0000000011ac2d12".parse().unwrap();
        assert_eq!(
            alt_security_identities(&issuer, &serial),
            "X509:<I>DC=com,DC=contoso,DC=corp,CN=Contoso VPN CA<SR>122dac11000000002b"
        );
    }
}
