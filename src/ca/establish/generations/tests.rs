use std::sync::LazyLock;

use proptest::prelude::*;

use super::super::{established, intend_root, sign_root};
use super::*;
use crate::pki::name::DistinguishedName;
use crate::pki::time::Timestamp;
use crate::signing::{FileKey, KeyKind};

/// Three keys, and three certificates for each.
static POOL: LazyLock<Vec<(usize, Vec<u8>)>> = LazyLock::new(|| {
    let now: Timestamp = "2026-11-27T00:00:00Z".parse().unwrap();
    let name = DistinguishedName::with_common_name("X").unwrap();
    let mut all = Vec::new();
    for key_number in 0..3 {
        let key = FileKey::generate(KeyKind::P256).unwrap();
        for number in 0..3_u8 {
            let life = 86_400 * (1 + u64::from(number * 7 % 5));
            let intended = intend_root(&name, &key, [number + 1; 20], now, life).unwrap();
            all.push((key_number, sign_root(&intended, &key).unwrap()));
        }
    }
    all
});

fn waiting() -> AuthorityEstablished {
    let name = DistinguishedName::with_common_name("X").unwrap();
    established(&name, vec![], vec![], String::new(), vec![], 0)
}

#[test]
fn one_installed_again_keeps_its_name_and_so_do_the_others() {
    let [a, b, c] = [0, 1, 2].map(|place| POOL[place].1.clone());
    let made = installed(waiting(), a.clone(), vec![]);
    let made = installed(made, b.clone(), vec![]);
    let made = installed(made, a.clone(), vec![]);
    let names = |made: &AuthorityEstablished| -> Vec<(String, Vec<u8>)> {
        let all = Generations::of(made);
        let named = all.certificates().enumerate();
        named.map(|(index, der)| (certificate_name("x", index), der.to_vec())).collect()
    };
    assert_eq!(names(&made), [("x".to_owned(), a.clone()), ("x-1".to_owned(), b.clone())]);
    assert_eq!((made.certificate.clone(), Generations::of(&made).present()), (a.clone(), 0));
    let made = installed(made, c.clone(), vec![]);
    let expected = [("x".to_owned(), a), ("x-1".to_owned(), b), ("x-2".to_owned(), c.clone())];
    assert_eq!(names(&made), expected);
    assert_eq!((made.certificate, made.certificate_index), (c, None));
}

#[test]
fn parents_of_before_are_kept_once() {
    let [a, b] = [0, 1].map(|place| POOL[place].1.clone());
    let made = installed(waiting(), a.clone(), vec![vec![9], vec![8]]);
    let made = installed(made, b, vec![vec![7], vec![8]]);
    assert_eq!(made.parents, [Der(vec![7]), Der(vec![8])]);
    assert_eq!(made.earlier_parents, [Der(vec![9])]);
    let made = installed(made, a, vec![vec![9], vec![8]]);
    assert_eq!(made.parents, [Der(vec![9]), Der(vec![8])]);
    assert_eq!(made.earlier_parents, [Der(vec![7])]);
}

#[test]
fn a_record_of_before_there_were_indexes_reads_as_it_did() {
    let [a, b] = [0, 3].map(|place| POOL[place].1.clone());
    // An array of seven: certificate, parents, slug, arc, URLs, number, earlier.
    let mut octets = Vec::new();
    let mut out = minicbor::Encoder::new(&mut octets);
    out.array(7).unwrap().bytes(&b).unwrap().array(0).unwrap().str("x").unwrap();
    out.str("1.2").unwrap().array(0).unwrap().u64(5).unwrap();
    out.array(1).unwrap().bytes(&a).unwrap();
    let read: AuthorityEstablished = minicbor::decode(&octets).unwrap();
    let all = Generations::of(&read);
    assert_eq!(all.certificates().collect::<Vec<_>>(), [a.as_slice(), &b]);
    assert_eq!((all.present(), all.present_key(), all.key_indexes()), (1, 1, vec![0, 1]));
    assert!(read.cross.is_empty() && read.earlier_parents.is_empty());
}

#[test]
fn what_is_no_certificate_keeps_its_number() {
    let [a, b] = [0, 3].map(|place| POOL[place].1.clone());
    let all = Generations::listed(vec![a, vec![1], vec![1], b], 3, std::iter::empty());
    assert_eq!((all.count(), all.key_indexes()), (4, vec![0, 1, 2, 3]));
    assert_eq!(all.certificate_of_key(1), None);
    assert!(all.issuer(1, "x", &[]).is_err());
}

#[test]
fn names_of_cross_certificates() {
    assert_eq!(cross_name("x", 3, 0), "x-3-with-0");
}

proptest! {
    /// Whatever is installed in whatever order, again and again: a certificate keeps its index, a
    /// key the index of the certificate with which it was new.
    #[test]
    fn indexes_are_for_ever(order in prop::collection::vec(0..9_usize, 1..20)) {
        let mut made = waiting();
        let mut seen: Vec<usize> = Vec::new();
        for place in order {
            made = installed(made, POOL[place].1.clone(), vec![]);
            // What goes through the ledger is what is read from it.
            made = minicbor::decode(&minicbor::to_vec(&made).unwrap()).unwrap();
            if !seen.contains(&place) {
                seen.push(place);
            }
            let all = Generations::of(&made);
            let expected: Vec<&[u8]> = seen.iter().map(|place| POOL[*place].1.as_slice()).collect();
            prop_assert_eq!(all.certificates().collect::<Vec<_>>(), expected);
            let present = seen.iter().position(|own| *own == place).unwrap();
            prop_assert_eq!(all.present(), present);
            let first = |key| seen.iter().position(|own| POOL[*own].0 == key);
            prop_assert_eq!(Some(all.present_key()), first(POOL[place].0));
            let mut keys: Vec<usize> = (0..3).filter_map(first).collect();
            keys.sort_unstable();
            prop_assert_eq!(all.key_indexes(), keys.clone());
            for key in keys {
                let stands = all.certificate_of_key(key).unwrap();
                let issuer = all.issuer(stands, "x", &[]).unwrap();
                let own = POOL[seen[key]].0;
                prop_assert_eq!(all.index_of_key(issuer.public_key().spki_der()), Some(key));
                // Nothing under the key outlasts it, unless the present one was made shorter.
                for (index, place) in seen.iter().enumerate().filter(|(_, own_place)| POOL[**own_place].0 == own) {
                    let other = all.issuer(index, "x", &[]).unwrap();
                    prop_assert!(stands == present || other.not_after() <= issuer.not_after(), "{}", place);
                }
            }
        }
    }
}
