//! Files in no form that is known, or too large.

use super::*;

#[test]
fn certutil_in_another_language_is_refused() {
    for (from, to) in [("1 Years", "1 Jahre"), ("    Allow Enroll", "    Zulassen Registrieren")] {
        let octets = changed(PROPERTIES, from, to);
        assert!(matches!(read(&octets, None), Err(Unreadable::NotEnglish(_))), "{to}");
    }
    let octets = changed(ATTRIBUTES, "6 Weeks", "6 Wochen");
    assert!(matches!(read(&octets, None), Err(Unreadable::NotEnglish(_))));
}

#[test]
fn hostile_ldif_is_refused_with_its_line() {
    let head = "dn: CN=X,CN=Certificate Templates\nobjectClass: pKICertificateTemplate\n";
    for (text, line) in [
        ("cn: X\n", 1),
        ("version: 2\n", 1),
        (" cn: X\n", 1),
        (&format!("{head}pKIKeyUsage:: o A=\n"), 3),
        (&format!("{head}pKIKeyUsage:: oAA\n"), 3),
        (&format!("{head}jpegPhoto:< file:///etc/passwd\n"), 3),
        (&format!("{head}changetype: delete\n"), 3),
        (&format!("{head}control: 1.2.840.113556.1.4.801\n"), 3),
        (&format!("{head}dn: CN=Y\n"), 3),
        (&format!("{head}no colon\n"), 3),
        (&format!("{head}\n folded onto nothing\n"), 4),
        (&format!("{head}nTSecurityDescriptor:: AAAA\n"), 3),
    ] {
        let error = read(text.as_bytes(), Some(Format::Ldif)).unwrap_err();
        let told = format!("{error}");
        assert!(told.starts_with(&format!("line {line}: ")), "{text}: {told}");
    }
    let twice = format!("{head}cn: X\n\n{}cn: x\n", head.replace("CN=X", "CN=x"));
    assert_eq!(read(twice.as_bytes(), None), Err(Unreadable::Twice("x".to_owned())));
    let many = "dn: CN=X\n\n".repeat(2_100);
    assert!(matches!(read(many.as_bytes(), None), Err(Unreadable::Line(..))));
    let wide = format!("{head}{}", (0..300).map(|own| format!("a{own}: x\n")).collect::<String>());
    assert!(matches!(read(wide.as_bytes(), None), Err(Unreadable::Line(..))));
    let long = format!("{head}{}", "cn: x\n".repeat(2_000));
    assert!(matches!(read(long.as_bytes(), None), Err(Unreadable::Line(..))));
    assert_eq!(read(b"dn: CN=OID\nobjectClass: container\n", None), Err(Unreadable::Empty));
    assert_eq!(read(&[0xff, 0xfe, 0x00], None), Err(Unreadable::Text(text::NotText)));
    assert_eq!(read(b"hello", None), Err(Unreadable::Format));
}

/// More entries than a descriptor can hold, each of somebody else who has a name in the file: what
/// is uploaded costs as much as it is long, not its square.
#[test]
fn a_large_file_costs_as_much_as_it_is_long() {
    let mut entry = read(LDIF, None).unwrap().remove(0);
    let sid = |number: usize| format!("S-1-5-21-1-2-3-{}", 5000 + number).parse().unwrap();
    let Some(SecurityDescriptor { dacl: Dacl::Entries(entries), .. }) = &mut entry.descriptor
    else {
        panic!("the fixture has entries")
    };
    let one = entries.iter().find(|own| own.effect == Effect::Allow).unwrap().clone();
    entries.clear();
    for number in 0..40_000 {
        entries.push(Ace { trustee: sid(number), ..one.clone() });
        entry.names.insert(sid(number), format!("name {number}"));
    }
    let begun = std::time::Instant::now();
    let principals = principals();
    let circumstances =
        Circumstances { arc: &arc(), principals: &principals, losses: Losses::Refused };
    assert!(convert(&entry, &circumstances).report.mapped.len() >= 40_000);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}
