//! Co-signed certificate requests: CMS SignedData, as anybody may send it.
#![no_main]

use chancery::pki::cms::Submission;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|sent: &[u8]| {
    if let Ok(read) = Submission::parse(sent) {
        let again = Submission::parse(read.der()).expect("its own DER is read again");
        assert_eq!(again.der(), read.der());
        assert_eq!(again.signers().len(), read.signers().len());
    }
});
