//! Templates that would let somebody become somebody else, by the names under which the
//! attacks on AD CS are known (ESC1, ESC2, …). "Somebody" is whoever may enrol and is no manager:
//! administrators and certificate managers can issue whatever they like.
//!
//! Absent on purpose: the classes that no template of this CA can open, because nothing but names
//! is ever taken from a request (ESC6, ESC13, ESC16), and those that lie outside a CA; both are
//! told in `templates/README.md`. Begin with [`Danger`].

mod acceptance;
mod warning;

pub use acceptance::Acceptance;
pub(super) use acceptance::{contradictions, read, written};
pub use warning::Warning;

use super::flags::EnrollmentFlags;
use super::{Principal, Right, Template};

/// An attack that a template would open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Danger {
    /// Free names and a purpose that can log on.
    #[error(
        "ESC1: the names come from the request without rules that bind them, and a purpose can \
         log on; confine requested_names to your own DNS suffixes, names or addresses, without \
         upn_suffixes and email_domains"
    )]
    Esc1,
    /// Any purpose, or none, which means any.
    #[error("ESC2: groups may enrol a certificate for any purpose")]
    Esc2,
    /// Whoever holds it requests certificates for others.
    #[error("ESC3: groups may enrol a certificate request agent, and nobody approves")]
    Esc3,
    /// Everybody may change it.
    #[error(
        "ESC4: everybody may change the template; take Write and FullControl away from \
         Authenticated Users"
    )]
    Esc4,
    /// No SID: Windows falls back to weak mapping.
    #[error(
        "ESC9: a purpose can log on, and no SID is written (NO_SECURITY_EXTENSION, or \
         security_identifier)"
    )]
    Esc9,
    /// Version 1 with names from the request.
    #[error("ESC15: groups may enrol a version 1 template whose names come from the request")]
    Esc15,
    /// Free names and a purpose that servers show.
    #[error(
        "ESC17: the names come from the request without rules that bind them, and a purpose is a \
         server's: an enrollee could pose as any server"
    )]
    Esc17,
    /// A CA of one's own.
    #[error("groups may enrol a certification authority")]
    SubordinateAuthority,
}

impl Danger {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::Esc1,
        Self::Esc2,
        Self::Esc3,
        Self::Esc4,
        Self::Esc9,
        Self::Esc15,
        Self::Esc17,
        Self::SubordinateAuthority,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Esc1 => "ESC1",
            Self::Esc2 => "ESC2",
            Self::Esc3 => "ESC3",
            Self::Esc4 => "ESC4",
            Self::Esc9 => "ESC9",
            Self::Esc15 => "ESC15",
            Self::Esc17 => "ESC17",
            Self::SubordinateAuthority => "SubCA",
        }
    }

    /// From its name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|danger| danger.as_str() == word)
    }

    /// Whether an administrator may accept it by name. The others make everybody who may enrol
    /// an administrator of the domain, and there is always a template without them that does
    /// what is wanted; these three have uses (a helpdesk's agents, accounts of another directory,
    /// a team that runs many servers), and who bears the risk can be named.
    pub fn can_be_accepted(self) -> bool {
        matches!(self, Self::Esc3 | Self::Esc9 | Self::Esc17)
    }

    /// Every attack that `template` would open.
    pub(super) fn of(template: &Template) -> Vec<Self> {
        let somebody = template.permissions.allowed(Right::Enroll).next().is_some();
        let request = template.subject_comes_from_request();
        let logs_on = template.can_log_on();
        let agent = template.purposes().any(|purpose| purpose.is_request_agent());
        let server = template.purposes().any(|purpose| purpose.is_server());
        let any = template.is_for_any_purpose();
        let names = template.requested_names.as_ref();
        let free = request && names.is_some_and(|names| names.are_free());
        let posing = free || request && names.is_some_and(|names| names.name_accounts());
        let esc1 = posing && (logs_on || agent);
        let dangers = [
            (Self::Esc1, esc1),
            (Self::Esc2, somebody && any && !template.is_authority()),
            (Self::Esc3, somebody && agent && !template.needs_approval()),
            (Self::Esc4, template.permissions.allowed(Right::Write).any(Principal::is_everybody)),
            (Self::Esc9, somebody && logs_on && is_anonymous(template)),
            (Self::Esc15, somebody && request && template.schema_version == 1),
            (Self::Esc17, free && (server || any) && !esc1),
            (Self::SubordinateAuthority, somebody && template.is_authority()),
        ];
        dangers.into_iter().filter_map(|(danger, open)| open.then_some(danger)).collect()
    }
}

/// Whether no SID is written although one could be. Names from the request never come with one;
/// there the flag counts, for it is how an administrator of AD CS says that he wants none.
fn is_anonymous(template: &Template) -> bool {
    let flagged = template.enrollment.contains(EnrollmentFlags::NO_SECURITY_EXTENSION);
    let written = template.writes_security_extension() || template.writes_security_uri();
    !written && (flagged || !template.subject_comes_from_request())
}
