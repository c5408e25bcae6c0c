use proptest::prelude::*;

use super::*;

/// A list as certutil prints it for a duplicate of User (Windows Server 2019).
const PRINTED: &str = "O:LAG:S-1-5-21-622327497-3269355298-2248959698-519D:PAI\
    (OA;;CR;0e10c968-78fb-11d2-90d4-00c04f79dc55;;DC)\
    (OA;;CR;a05b8cc2-17bc-4802-a710-e7c15ab866a2;;DC)\
    (OA;;RPWPCR;0e10c968-78fb-11d2-90d4-00c04f79dc55;;DA)\
    (A;;LCRPRC;;;DC)(A;;CCDCLCSWRPWPDTLOSDRCWDWO;;;DA)\
    (A;;LCRPLORC;;;AU)(OD;CIIOID;CR;;a05b8cc2-17bc-4802-a710-e7c15ab866a2;S-1-5-21-1-2-3-1104)\
    S:AI(AU;CISA;WPWDWO;;;WD)";

fn entries(descriptor: &SecurityDescriptor) -> &[Ace] {
    match &descriptor.dacl {
        Dacl::Entries(entries) => entries,
        Dacl::Null => panic!("no entries"),
    }
}

#[test]
fn what_certutil_prints_reads_as_it_is_meant() {
    let read: SecurityDescriptor = PRINTED.parse().unwrap();
    let name = |sid: &Sid| trustee(sid).map(|own| own.name);
    assert_eq!(read.owner.as_ref().and_then(name), Some("Administrator"));
    assert_eq!(read.group.as_ref().and_then(name), Some("Enterprise Admins"));
    let list = entries(&read);
    assert_eq!(list.len(), 7);
    assert_eq!(name(&list[0].trustee), Some("Domain Computers"));
    assert_eq!(list[0].access, access::CONTROL_ACCESS);
    assert_eq!(list[4].access, access::FULL_CONTROL_WITHOUT_ENROLL);
    assert_eq!(list[5].access, access::READ);
    assert_eq!(list[6].effect, Effect::Deny);
    assert!(list[6].flags.for_children_only() && list[6].flags.is_inherited());
    assert_eq!(list[6].trustee.to_string(), "S-1-5-21-1-2-3-1104");
    let written = read.to_string();
    assert_eq!(written.parse::<SecurityDescriptor>().unwrap(), read);
    assert_eq!(SecurityDescriptor::read(&read.write().unwrap()).unwrap(), read);
}

#[test]
fn no_list_is_not_an_empty_list() {
    // [MS-DTYP] §2.5.3.2: without a list everybody may do everything.
    for text in ["O:LA", "O:LAD:NO_ACCESS_CONTROL"] {
        assert_eq!(text.parse::<SecurityDescriptor>().unwrap().dacl, Dacl::Null, "{text}");
    }
    let empty: SecurityDescriptor = "D:P".parse().unwrap();
    assert_eq!(empty.dacl, Dacl::Entries(Vec::new()));
    for read in [empty, "O:LAD:NO_ACCESS_CONTROL".parse().unwrap()] {
        assert_eq!(SecurityDescriptor::read(&read.write().unwrap()).unwrap(), read);
    }
}

#[test]
fn what_is_half_understood_is_refused() {
    for text in [
        "",
        "D",
        "X:PAI",
        "D:(A;;RP;;;AU",
        "D:(A;;RP;;;AU)(",
        "D:(A;;RPX;;;AU)",
        "D:(A;;ZZ;;;AU)",
        "D:(A;;RP;;;XX)",
        "D:(A;;RP;;AU)",
        "D:(AU;;RP;;;AU)",
        "D:(A;;RP;0e10c968-78fb-11d2-90d4-00c04f79dc55;;AU)",
        "D:(OA;;RP;0e10c968;;AU)",
        "D:(A;;0x1ffffffff;;;AU)",
        "D:(A;;RP;;;AU)D:(A;;RP;;;AU)",
        "D:(A;;RP;;;S-1-5-21-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16)",
        "D:Q(A;;RP;;;AU)",
    ] {
        assert!(text.parse::<SecurityDescriptor>().is_err(), "{text}");
    }
    let whole = PRINTED.parse::<SecurityDescriptor>().unwrap().write().unwrap();
    for length in 0..whole.len() {
        // Cut anywhere it is no descriptor, unless what is cut off belongs to nobody.
        let cut = SecurityDescriptor::read(&whole[..length]);
        assert!(cut.is_err(), "cut to {length} it still reads");
    }
}

#[test]
fn a_condition_is_seen() {
    let read: SecurityDescriptor =
        "D:(XA;;FA;;;AU;(@User.Title==\"(PM)\" && Member_of {SID(BA)}))(A;;RP;;;AU)"
            .parse()
            .unwrap();
    assert_eq!(entries(&read)[0].effect, Effect::AllowIf);
    assert_eq!(entries(&read).len(), 2);
}

fn any_sid() -> impl Strategy<Value = Sid> {
    prop_oneof![
        Just("S-1-5-11"),
        Just("S-1-1-0"),
        Just("S-1-5-32-544"),
        Just("S-1-5-21-1-2-3-512"),
        Just("S-1-5-21-512"),
        Just("S-1-5-21-4294967295-0-7-1104"),
        Just("S-1-0x0102030405ff-1-2-3"),
    ]
    .prop_map(|text| text.parse().unwrap())
}

fn any_ace() -> impl Strategy<Value = Ace> {
    let effect = prop_oneof![Just(Effect::Allow), Just(Effect::Deny)];
    let guid = || proptest::option::of(any::<[u8; 16]>());
    (effect, any::<u8>(), any::<u32>(), guid(), guid(), any_sid()).prop_map(
        |(effect, flags, mask, object, inherited_object, trustee)| Ace {
            effect,
            flags: AceFlags(flags & 0xdf),
            access: Access(mask),
            object,
            inherited_object,
            trustee,
        },
    )
}

fn any_descriptor() -> impl Strategy<Value = SecurityDescriptor> {
    let sid = || proptest::option::of(any_sid());
    let dacl = prop_oneof![
        1 => Just(Dacl::Null),
        9 => proptest::collection::vec(any_ace(), 0..12).prop_map(Dacl::Entries),
    ];
    (sid(), sid(), dacl).prop_map(|(owner, group, dacl)| SecurityDescriptor { owner, group, dacl })
}

proptest! {
    #[test]
    fn both_forms_read_back(descriptor in any_descriptor()) {
        prop_assert_eq!(&SecurityDescriptor::read(&descriptor.write().unwrap()).unwrap(), &descriptor);
        prop_assert_eq!(&descriptor.to_string().parse::<SecurityDescriptor>().unwrap(), &descriptor);
    }

    #[test]
    fn any_octets_are_refused_or_read(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = SecurityDescriptor::read(&octets);
    }

    #[test]
    fn a_changed_octet_never_panics(
        descriptor in any_descriptor(), at: prop::sample::Index, octet: u8,
    ) {
        let mut octets = descriptor.write().unwrap();
        let at = at.index(octets.len());
        octets[at] = octet;
        if let Ok(read) = SecurityDescriptor::read(&octets) {
            let _ = read.write();
        }
    }

    #[test]
    fn any_text_is_refused_or_read(text in "([OGDS]:)?[(]?[A-Z;0-9()x:-]{0,80}") {
        if let Ok(read) = text.parse::<SecurityDescriptor>() {
            prop_assert_eq!(read.to_string().parse::<SecurityDescriptor>().unwrap().owner, read.owner);
        }
    }
}
