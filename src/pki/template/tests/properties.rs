//! Whatever is written: refused, or read back as it is.

use super::*;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "1.31",
            "1 year",
            "RSA",
            "MACHINE_TYPE",
            "custom",
            "contoso.com"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z_]{1,12}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_refused_or_a_template(text in ".{0,80}") {
        prop_assert!(Template::from_json(&text).is_err());
    }

    #[test]
    fn any_value_under_any_key_is_refused_or_reads_back(
        which in any::<prop::sample::Index>(),
        key in any::<prop::sample::Index>(),
        value in any_json(),
    ) {
        let templates = shipped();
        let own = which.get(&templates);
        let mut file: Value = serde_json::from_str(&own.to_json()).unwrap();
        let keys: Vec<String> = file.as_object().unwrap().keys().cloned().collect();
        file[key.get(&keys)] = value;
        match Template::from_json(&file.to_string()) {
            Ok(template) => {
                let again = Template::from_json(&template.to_json()).unwrap();
                prop_assert_eq!(&again, &template);
                prop_assert_eq!(again.to_file(), template.to_file());
            }
            Err(mistakes) => prop_assert!(mistakes.iter().count() > 0),
        }
    }

    #[test]
    fn flag_words_read_back_and_bits_without_a_name_are_refused(bits: u32) {
        let masked = bits & EnrollmentFlags::ALL.bits();
        let flags = EnrollmentFlags::from_bits(masked).unwrap();
        let named = flags.names().into_iter().map(|name| EnrollmentFlags::from_name(name).unwrap());
        prop_assert_eq!(named.fold(EnrollmentFlags::default(), EnrollmentFlags::with), flags);
        prop_assert_eq!(flags.bits(), masked);
        for unknown in [
            GeneralFlags::from_bits(bits | 0x400).is_err(),
            NameFlags::from_bits(bits | 0x2).is_err(),
            EnrollmentFlags::from_bits(bits | 0x10_0000).is_err(),
            PrivateKeyFlags::from_bits(bits | 0x2).is_err(),
        ] {
            prop_assert!(unknown);
        }
    }
}
