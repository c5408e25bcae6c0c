//! Why a name that was asked for is refused: the rule it broke, in the words of the template.

/// The rule that a refused name broke.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Not letters, digits and inner hyphens, or a label or the whole too long.
    #[error("not a DNS name: labels of 1 to 63 letters, digits and hyphens, 253 in all")]
    NotADnsName,
    /// An `xn--` label that no name maps to (RFC 5891 §5.4), or text that maps to another one.
    #[error("not an internationalised name in its only form (RFC 5891)")]
    NotCanonical,
    /// Letters of several scripts, or of one that look like Latin ones (UTS #39).
    #[error("it looks like another name (UTS #39)")]
    Deceptive,
    /// A DNS name outside.
    #[error("neither in dns_names nor within dns_suffixes")]
    OutsideDns,
    /// A wildcard.
    #[error("a wildcard, and wildcards are not allowed there")]
    Wildcard,
    /// An address outside.
    #[error("not within addresses")]
    OutsideAddresses,
    /// A user principal name outside.
    #[error("not a name with one of the upn_suffixes")]
    OutsideUpnSuffixes,
    /// A mail address outside.
    #[error("not a mail address within email_domains")]
    OutsideEmailDomains,
    /// A URI outside.
    #[error("not within uris")]
    OutsideUris,
    /// A URI that does not say plainly where it points.
    #[error("a URI with user, fragment, dot segments or needless percent-encoding (RFC 3986 §6)")]
    CrookedUri,
    /// A security identifier.
    #[error("a security identifier never comes from a request")]
    SecurityIdentifier,
    /// A kind of name for which there are no rules.
    #[error("there are no rules for names of this kind")]
    Kind,
    /// A subject attribute that is not listed.
    #[error("not in subject_attributes")]
    SubjectAttribute,
    /// More than one common name: relying parties disagree on which of them counts.
    #[error("a second common name")]
    SecondCommonName,
    /// A common name that no alternative name repeats.
    #[error("not among the alternative names (common_name_in_alternative_names)")]
    CommonNameAlone,
    /// Longer than `maximum_length`.
    #[error("longer than {0} characters (maximum_length)")]
    TooLong(u32),
}
