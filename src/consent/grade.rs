//! How well a consent can be proven.

use crate::model::consent::{ConsentClaim, ConsentState, Grade, Shown};

/// What a claim says that another system kept; it proves more than a bare yes and less than what we saw ourselves.
pub const IMPORTED: &[&str] = &["import", "double-opt-in", "unsubscribe"];

/// Returns how well `claim` can be proven, when the source told when it was made (`is_dated`) or did not.
///
/// The grades are those of the table in README.md: a text that is not held proves nothing about what was agreed to
/// (EDPB guidelines 05/2020, 108: what was shown must be demonstrable, too).
pub fn grade(claim: &ConsentClaim, is_dated: bool) -> Grade {
    match claim.shown {
        Shown::Nothing => Grade::D,
        _ if claim.state == ConsentState::ImportedUnproven => Grade::D,
        Shown::Label if IMPORTED.contains(&&*claim.mechanism) => Grade::C,
        Shown::Label => Grade::D,
        Shown::Text if !is_dated => Grade::C,
        Shown::Text if claim.state == ConsentState::DoiConfirmed => Grade::A,
        Shown::Text => Grade::B,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::consent::{Channel, Purpose};

    #[track_caller]
    fn check(shown: Shown, state: ConsentState, mechanism: &str, is_dated: bool, expected: Grade) {
        let claim = ConsentClaim {
            purpose: Purpose::new(Purpose::MARKETING),
            channel: Channel::Email,
            state,
            wording: "Zgoda".to_owned(),
            mechanism: mechanism.to_owned(),
            shown,
            answer: None,
            policy: None,
            said_at_ms: None,
            ip: None,
        };
        assert_eq!(grade(&claim, is_dated), expected, "{shown:?} {state:?} {mechanism} {is_dated}");
    }

    #[test]
    fn what_is_held_and_when_it_was_said_make_the_grade() {
        use ConsentState::{DoiConfirmed, Given, ImportedUnproven};
        check(Shown::Text, DoiConfirmed, "checkbox", true, Grade::A);
        check(Shown::Text, Given, "checkbox", true, Grade::B);
        check(Shown::Text, DoiConfirmed, "checkbox", false, Grade::C);
        check(Shown::Label, DoiConfirmed, "double-opt-in", true, Grade::C);
        check(Shown::Label, Given, "import", true, Grade::C);
        check(Shown::Label, Given, "checkbox", true, Grade::D);
        check(Shown::Nothing, DoiConfirmed, "checkbox", true, Grade::D);
        check(Shown::Text, ImportedUnproven, "import", true, Grade::D);
    }
}
