//! Random acts against a model in memory: every query answers as the model does, at once, after a
//! reopening, and with everything derived made anew.

mod comparison;
mod model;
mod moves;
mod scopes;

use proptest::prelude::*;

use super::*;
use comparison::{compare, compare_crl};
use model::Model;
use moves::{Move, act_of, any_move};

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn every_answer_is_the_models(moves in prop::collection::vec(any_move(), 1..160)) {
        let home = tempfile::tempdir().unwrap();
        let mut register = open(options(home.path())).unwrap();
        let mut model = Model::default();
        for next in &moves {
            model.clock += 1000;
            match next {
                Move::Reopen => {
                    drop(register);
                    register = open(options(home.path())).unwrap();
                }
                Move::Rebuild => {
                    drop(register);
                    register = open(distrusting(home.path())).unwrap();
                }
                Move::Crl(day) => {
                    let second = 1000 + u64::from(*day);
                    compare_crl(&model, register.as_ref(), second);
                    model.dropped_before = model.dropped_before.max(second);
                    compare(&model, register.as_ref());
                }
                _ => {
                    if let Some(act) = act_of(&mut model, register.as_ref(), next) {
                        model.history.note(model.entries + 1, model.clock, &act);
                        let urgency = Urgency::Ordinary;
                        register.commit(vec![entry(model.clock, act)], urgency).unwrap();
                        model.entries += 1;
                    }
                }
            }
        }
        compare(&model, register.as_ref());
        drop(register);
        for options in [options(home.path()), distrusting(home.path())] {
            let register = open(options).unwrap();
            compare(&model, register.as_ref());
            compare_crl(&model, register.as_ref(), 1100);
        }
    }
}
