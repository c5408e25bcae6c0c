//! The flag words of an entry: bits with names, and those that ask for what is not done here.

use super::reading::Reading;
use super::report::Loss;
use crate::pki::template::{Compatibility, EnrollmentFlags, GeneralFlags, PrivateKeyFlags};

impl Reading<'_> {
    /// A flag word; the directory has it as a signed number of 32 bits.
    fn bits(&mut self, attribute: &'static str, otherwise: Option<i64>) -> u32 {
        let number = self.number(attribute, otherwise);
        let unsigned = u32::try_from(number).ok();
        unsigned.or_else(|| i32::try_from(number).ok().map(i32::cast_unsigned)).unwrap_or_else(
            || {
                self.report.refuse(format!("{attribute}: {number} is no word of 32 bits"));
                0
            },
        )
    }

    pub(super) fn word<T: Default, E>(
        &mut self,
        attribute: &'static str,
        read: impl Fn(u32) -> Result<T, E>,
        known: u32,
    ) -> T {
        let required = matches!(attribute, "flags" | "msPKI-Certificate-Name-Flag");
        let bits = self.bits(attribute, (!required).then_some(0));
        self.named(attribute, bits, read, known)
    }

    fn named<T: Default, E>(
        &mut self,
        attribute: &'static str,
        bits: u32,
        read: impl Fn(u32) -> Result<T, E>,
        known: u32,
    ) -> T {
        if bits & !known != 0 {
            self.report.lose(
                Loss::Weaker,
                format!("{attribute}: bits {:#x}", bits & !known),
                "they have no name in [MS-CRTD]",
            );
        }
        self.report.take(attribute, format!("{:#x}", bits & known));
        read(bits & known).unwrap_or_default()
    }

    pub(super) fn private_key(&mut self) -> (PrivateKeyFlags, Compatibility) {
        let attribute = "msPKI-Private-Key-Flag";
        let bits = self.bits(attribute, Some(0));
        let nibbles = bits & Compatibility::MASK;
        let compatibility = Compatibility::from_nibbles(nibbles).unwrap_or_else(|| {
            self.report.refuse(format!("{attribute}: {nibbles:#x} names no version of Windows"));
            Compatibility::default()
        });
        let known = PrivateKeyFlags::ALL.bits();
        let flags =
            self.named(attribute, bits & !Compatibility::MASK, PrivateKeyFlags::from_bits, known);
        let mut flags: PrivateKeyFlags = flags;
        if flags.contains(PrivateKeyFlags::REQUIRE_PRIVATE_KEY_ARCHIVAL) {
            flags = flags.without(PrivateKeyFlags::REQUIRE_PRIVATE_KEY_ARCHIVAL);
            let why =
                "no private key is ever taken here: keys are not archived and cannot be recovered";
            self.report.lose(Loss::None, "REQUIRE_PRIVATE_KEY_ARCHIVAL", why);
        }
        if flags.contains(PrivateKeyFlags::ATTEST_REQUIRED) {
            flags = flags.without(PrivateKeyFlags::ATTEST_REQUIRED);
            let why = "attestations are not verified here: a key outside a TPM would be certified";
            self.report.lose(Loss::Weaker, "ATTEST_REQUIRED", why);
        }
        if flags.contains(PrivateKeyFlags::ATTEST_PREFERRED) {
            let why = "attestations are not verified here; kept for clients";
            self.report.lose(Loss::None, "ATTEST_PREFERRED", why);
        }
        (flags, compatibility)
    }

    /// Flags that ask for what is not done here.
    pub(super) fn not_done(
        &mut self,
        general: GeneralFlags,
        enrollment: EnrollmentFlags,
    ) -> (GeneralFlags, EnrollmentFlags) {
        let (mut general, mut enrollment) = (general, enrollment);
        if general.contains(GeneralFlags::DONOTPERSISTINDB) {
            general = general.without(GeneralFlags::DONOTPERSISTINDB);
            let why = "everything that is issued is on record here, so that it can be revoked";
            self.report.lose(Loss::None, "DONOTPERSISTINDB", why);
        }
        if general.contains(GeneralFlags::IS_CROSS_CA) {
            self.report.refuse("IS_CROSS_CA: cross certificates are not made here");
        }
        if enrollment.contains(EnrollmentFlags::ISSUANCE_POLICIES_FROM_REQUEST) {
            enrollment = enrollment.without(EnrollmentFlags::ISSUANCE_POLICIES_FROM_REQUEST);
            let why = "no policy is ever taken from a request";
            self.report.lose(Loss::None, "ISSUANCE_POLICIES_FROM_REQUEST", why);
        }
        let followed_by_nobody = [
            (EnrollmentFlags::PUBLISH_TO_DS, "certificates are not put into the directory"),
            (EnrollmentFlags::PUBLISH_TO_KRA_CONTAINER, "there are no key recovery agents"),
            (
                EnrollmentFlags::INCLUDE_SYMMETRIC_ALGORITHMS,
                "S/MIME capabilities would list RC2 and DES",
            ),
        ];
        for (flag, why) in followed_by_nobody {
            if enrollment.contains(flag) {
                let name = flag.names().first().copied().unwrap_or_default();
                self.report.lose(Loss::None, name, format!("kept, not followed: {why}"));
            }
        }
        (general, enrollment)
    }
}
