//! The documents that rules come from, so that each is cited in one way.

pub(super) const NPS_REQUIREMENTS: &str = "Microsoft, Configure certificate templates for PEAP and \
    EAP requirements (nps-manage-cert-requirements; KB 814394)";
pub(super) const TROUBLESHOOTING: &str =
    "Microsoft, Troubleshoot Always On VPN (always-on-vpn-deploy-troubleshooting)";
pub(super) const TUTORIAL: &str = "Microsoft, Deploy Always On VPN: create certificates \
    (tutorial-aovpn-deploy-create-certificates; vpn-deploy-server-infrastructure)";
pub(super) const STRONGSWAN_WINDOWS: &str = "strongSwan 5.9, Windows certificate requirements \
    (interop/windowsCertRequirements)";
pub(super) const NPS_REVOCATION: &str = "Microsoft, Network Policy Server certificate revocation list (CRL) checks and their registry \
     values";
pub(super) const STRONG_MAPPING: &str =
    "Microsoft, KB5014754 (certificate-based authentication changes on domain controllers)";
pub(super) const HICKS: &str = "R. Hicks, directaccess.richardhicks.com and the repository aovpn";
pub(super) const AD_CS_URLS: &str =
    "Microsoft, [MS-CSRA] and the defaults of CRLPublicationURLs; R. Hicks on NPS reason 258";
