//! The parts a certificate can play in an Always On VPN.

/// A part to play, and with it who will look at the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The server's certificate of NPS, in PEAP and EAP-TLS: clients look at it.
    NpsServer,
    /// The VPN server's certificate in IKEv2: clients look at it.
    VpnServer,
    /// A user's certificate in EAP-TLS: NPS and a domain controller look at it.
    VpnUser,
    /// A computer's certificate in the device tunnel: the VPN server looks at it.
    VpnDevice,
    /// A CA: everybody looks at it.
    Ca,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 5] =
        [Self::NpsServer, Self::VpnServer, Self::VpnUser, Self::VpnDevice, Self::Ca];

    /// The word on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NpsServer => "nps-server",
            Self::VpnServer => "vpn-server",
            Self::VpnUser => "vpn-user",
            Self::VpnDevice => "vpn-device",
            Self::Ca => "ca",
        }
    }

    /// From the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.as_str() == word)
    }

    /// Whether it answers to a name that clients connect to.
    pub fn is_server(self) -> bool {
        matches!(self, Self::NpsServer | Self::VpnServer)
    }

    /// Whether it proves who a client is.
    pub fn is_client(self) -> bool {
        matches!(self, Self::VpnUser | Self::VpnDevice)
    }
}
