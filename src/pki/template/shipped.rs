//! The templates that come with the program: the tutorial's three, a device tunnel's, and the
//! built-in ones of AD CS that a VPN deployment meets.

use super::{Mistakes, Template};

macro_rules! files {
    ($($cn:literal,)*) => {
        /// The cn and the JSON text of each, in the order in which they are listed.
        const FILES: &[(&str, &str)] =
            &[$(($cn, include_str!(concat!("../../../templates/", $cn, ".json"))),)*];
    };
}

files! {
    "VPNUserAuthentication",
    "VPNServerAuthentication",
    "NPSServerAuthentication",
    "VPNDeviceTunnel",
    "User",
    "UserSignature",
    "SmartcardUser",
    "SmartcardLogon",
    "EnrollmentAgent",
    "Machine",
    "WebServer",
    "SubCA",
    "IPSECIntermediateOnline",
    "IPSECIntermediateOffline",
    "DomainControllerAuthentication",
    "Workstation",
    "RASAndIASServer",
    "OCSPResponseSigning",
    "KerberosAuthentication",
}

/// The shipped templates, always in the same order: the tutorial's three first. (A test reads
/// every file, so that none is missing here.)
pub fn shipped() -> Vec<Template> {
    FILES.iter().filter_map(|(_, text)| Template::from_json(text).ok()).collect()
}

/// The shipped files that do not read, with their mistakes: for `chancery check`.
pub fn mistakes_in_shipped() -> Vec<(&'static str, Mistakes)> {
    FILES.iter().filter_map(|(cn, text)| Some((*cn, Template::from_json(text).err()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_file_reads_and_only_the_tutorials_are_published_at_first() {
        assert_eq!(mistakes_in_shipped(), []);
        let templates = shipped();
        assert_eq!(templates.len(), FILES.len());
        let published: Vec<_> =
            templates.iter().filter(|own| own.is_published_at_first()).map(Template::cn).collect();
        assert_eq!(
            published,
            ["VPNUserAuthentication", "VPNServerAuthentication", "NPSServerAuthentication"]
        );
        for (template, (cn, text)) in templates.iter().zip(FILES) {
            assert_eq!(template.cn(), *cn);
            assert_eq!(template.to_json().trim(), text.trim(), "{cn}");
        }
    }
}
