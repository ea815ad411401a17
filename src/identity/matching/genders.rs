//! Given names of which one is a man's and the other a woman's: two people, however near their spellings.

/// Endings by which a woman's name is made of a man's, the plain one first.
const ENDINGS: &[&str] =
    &["a", "ia", "ya", "ja", "iia", "iya", "ina", "yna", "lina", "ela", "na", "ka", "ika", "cja"];
/// Endings that a man's name loses before.
const LOST: &[&str] = &["o", "ko", "ii", "iy", "ij", "yi", "yj", "us", "ek", "k"];
/// Pairs that no ending makes.
const PAIRS: &[(&str, &str)] = &[
    ("andreas", "andrea"),
    ("andre", "andree"),
    ("christian", "christiane"),
    ("daniel", "danielle"),
    ("denis", "denise"),
    ("emmanuel", "emmanuelle"),
    ("francois", "francoise"),
    ("frederic", "frederique"),
    ("gabriel", "gabrielle"),
    ("jean", "jeanne"),
    ("laurent", "laurence"),
    ("louis", "louise"),
    ("marcel", "marcelle"),
    ("martin", "martine"),
    ("michel", "michele"),
    ("michel", "michelle"),
    ("oleg", "olha"),
    ("oleg", "olga"),
    ("oleh", "olga"),
    ("oleh", "olha"),
    ("pascal", "pascale"),
    ("paul", "pauline"),
    ("raphael", "raphaelle"),
    ("simon", "simone"),
];
/// Women's names that do not end in `a`; with one they are another spelling of the same.
const WOMENS: &[&str] = &[
    "adelaid",
    "agnes",
    "alin",
    "ann",
    "carolin",
    "christin",
    "dian",
    "doris",
    "edit",
    "elen",
    "elisabeth",
    "elizabeth",
    "ellen",
    "ester",
    "esther",
    "evelin",
    "evelyn",
    "ewelin",
    "gertrud",
    "helen",
    "hildegard",
    "ines",
    "ingrid",
    "irin",
    "iris",
    "joan",
    "joann",
    "judit",
    "judith",
    "karin",
    "karolin",
    "kathrin",
    "katrin",
    "kristin",
    "lilian",
    "lillian",
    "margaret",
    "margret",
    "miriam",
    "mirjam",
    "nicol",
    "nikol",
    "ruth",
    "sabin",
    "susan",
    "susann",
    "vivian",
];
/// A shorter man's name is more likely cut.
const LEN_MIN: usize = 3;

/// Returns whether one of the folded given names `a` and `b` is a man's and the other a woman's form of it, like Ivan
/// and Ivanna. `is_known` says whether people are known to bear a name: `emm` is Emma mistyped.
pub fn are_two_genders(a: &str, b: &str, is_known: impl Fn(&str) -> bool) -> bool {
    let is_pair = |pair: &(&str, &str)| *pair == (a, b) || *pair == (b, a);
    PAIRS.iter().any(is_pair) || is_womens_of(a, b, &is_known) || is_womens_of(b, a, &is_known)
}

fn is_womens_of(womans: &str, mans: &str, is_known: &impl Fn(&str) -> bool) -> bool {
    womans.ends_with('a')
        && !mans.ends_with(['a', 'e'])
        && mans.len() >= LEN_MIN
        && womans.as_bytes().get(..2) == mans.as_bytes().get(..2)
        && !WOMENS.contains(&mans)
        && stems(mans).any(|stem| is_made_of(womans, &stem))
        && is_known(mans)
}

/// Returns what a man's name may become before an ending: itself, without an ending of its own, or without its last
/// `e`, as Aleksander does.
fn stems(mans: &str) -> impl Iterator<Item = String> {
    let shortened = LOST.iter().filter_map(|lost| mans.strip_suffix(lost)).map(str::to_owned);
    let dropped = mans.len().checked_sub(2).filter(|at| mans.as_bytes()[*at] == b'e');
    let dropped = dropped.map(|at| format!("{}{}", &mans[..at], &mans[at + 1..]));
    std::iter::once(mans.to_owned()).chain(shortened).chain(dropped)
}

fn is_made_of(womans: &str, stem: &str) -> bool {
    stem.len() >= 2 && womans.strip_prefix(stem).is_some_and(|ending| ENDINGS.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mans_and_a_womans_form_of_a_name_are_told_from_a_slip() {
        let unknown = ["emm", "joshu", "kamill", "pawe"];
        let check = |a: &str, b: &str, expected: bool| {
            let is_known = |name: &str| !unknown.contains(&name);
            assert_eq!(are_two_genders(a, b, is_known), expected, "{a} / {b}");
            assert_eq!(are_two_genders(b, a, is_known), expected, "{b} / {a}");
        };
        for (mans, womans) in [
            ("oleh", "olha"),
            ("ivan", "ivanna"),
            ("ivan", "ivana"),
            ("yaroslav", "yaroslava"),
            ("denis", "denisa"),
            ("marko", "marika"),
            ("ivo", "iva"),
            ("daniel", "daniela"),
            ("mario", "maria"),
            ("aleksander", "aleksandra"),
            ("pavel", "pavla"),
            ("jan", "janina"),
            ("viktor", "viktoriia"),
            ("yurii", "yuriia"),
            ("julius", "julia"),
            ("emil", "emilia"),
            ("karol", "karolina"),
            ("marcel", "marcelina"),
            ("patryk", "patrycja"),
            ("adrian", "adrianna"),
            ("stanislaw", "stanislawa"),
            ("jean", "jeanne"),
        ] {
            check(mans, womans, true);
        }
        for (one, same) in [
            ("anna", "ana"),
            ("ann", "anna"),
            ("emm", "emma"),
            ("joshu", "joshua"),
            ("kristin", "kristina"),
            ("caroline", "carolina"),
            ("marie", "maria"),
            ("ivan", "iwan"),
            ("oleh", "oleg"),
            ("katarzyna", "katarzina"),
            ("jakub", "kuba"),
            ("barnaba", "barnabas"),
            ("ja", "jana"),
        ] {
            check(one, same, false);
        }
    }
}
