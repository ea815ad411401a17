//! The guard against shared keys: a switchboard or an `info@` address must not merge people.

use std::collections::{BTreeMap, HashMap};

use super::clusters::Clusters;
use super::keys::KeyKind;
use super::matching::genders::are_two_genders;
use super::matching::similarity::numbers_differ;
use crate::model::field::{self, FieldValues};
use crate::rules::identity::IdentityPolicy;

/// Beyond this many different names a key is shared beyond doubt, and names are compared for
/// equality only: comparing all pairs would take quadratic time.
pub const NAMES_COMPARED_MAX: usize = 200;

/// The holder of a phone number that came without a name but with an e-mail address: no folded name
/// looks like it, and it joins nobody. Colleagues behind one switchboard who leave no name must not
/// become one, nor may such a row tie two named people together.
pub const UNPROVEN: &str = "?";

/// Decides which holders of a key are one person.
#[derive(Debug)]
pub struct Guard<'a> {
    policy: &'a IdentityPolicy,
    nickname_group: HashMap<&'a str, usize>,
}

impl<'a> Guard<'a> {
    /// Prepares the guard of `policy`.
    pub fn new(policy: &'a IdentityPolicy) -> Self {
        let nickname_group = policy
            .nicknames
            .iter()
            .enumerate()
            .flat_map(|(group, names)| names.iter().map(move |name| (name.as_str(), group)))
            .collect();
        Self { policy, nickname_group }
    }

    /// Labels the holders of one key: equal labels are one person.
    ///
    /// `holders` are names as [`holder`] makes them. The answer depends on the set of holders only,
    /// not on their order: a key held by too many different names links only holders of one name,
    /// and a nameless holder of such a key stays alone, except at a function's mailbox, where the
    /// nameless together are the mailbox itself.
    pub fn labels(&self, kind: KeyKind, holders: &[&str]) -> Vec<u32> {
        if kind.only_joins_touches() || matches!(kind, KeyKind::Near | KeyKind::Verdict) {
            return (0..holders.len() as u32).collect();
        }
        let people = self.people(holders);
        let distinct = people.values().flatten().max().map_or(0, |last| *last as usize + 1);
        let shared = match kind {
            KeyKind::RoleEmail => true,
            KeyKind::Email => distinct >= self.policy.email_shared_from,
            _ => distinct >= self.policy.phone_shared_from,
        };
        let mut alone = distinct as u32;
        holders
            .iter()
            .map(|name| {
                if *name != UNPROVEN {
                    if !shared {
                        return 0;
                    }
                    match people.get(name) {
                        Some(Some(label)) => return *label,
                        None if kind == KeyKind::RoleEmail => return distinct as u32,
                        _ => {}
                    }
                }
                alone += 1;
                alone
            })
            .collect()
    }

    /// Returns whether a browser or device that these people use is one person's. It takes as little to be a shared
    /// one as for a phone number to be a switchboard's.
    pub fn is_one_persons(&self, holders: &[&str]) -> bool {
        let labels = self.labels(KeyKind::Phone, holders);
        labels.iter().all(|label| *label == labels[0])
    }

    /// Numbers the people among the named holders of one key; `None` is a name that may be several people's.
    ///
    /// Plain names tell people apart. What could be more than one person's, half a name (a first name alone, an
    /// initial) or one of several words (`Anna i Jan`, `Lis-Kos`), is whose it fits, and ties nobody to anybody: where
    /// it fits several people, it is none of them.
    fn people<'n>(&self, holders: &[&'n str]) -> BTreeMap<&'n str, Option<u32>> {
        let mut names: Vec<&str> =
            holders.iter().copied().filter(|name| !name.is_empty() && *name != UNPROVEN).collect();
        names.sort_unstable();
        names.dedup();
        let mut people = BTreeMap::new();
        let mut next = 0;
        for form in [Form::Plain, Form::Compound, Form::Half] {
            let of_form = names.iter().copied().filter(|name| Form::of(name) == form);
            let placed: Vec<(&str, Whose)> =
                of_form.map(|name| (name, self.whose(name, &people, next))).collect();
            let mut strangers = Vec::new();
            for (name, whose) in placed {
                match whose {
                    Whose::Nobodys => strangers.push(name),
                    Whose::Ones(number) => drop(people.insert(name, Some(number))),
                    Whose::Several => drop(people.insert(name, None)),
                }
            }
            for group in self.groups(form, &strangers) {
                people.extend(group.into_iter().map(|name| (name, Some(next))));
                next += 1;
            }
        }
        people
    }

    /// Puts names that fit nobody known so far together where they are one person's.
    fn groups<'n>(&self, form: Form, names: &[&'n str]) -> Vec<Vec<&'n str>> {
        let same = Clusters::joining(names, NAMES_COMPARED_MAX, |a, b| {
            self.may_be_one(a, b) && (form != Form::Half || say_the_same_half(a, b))
        });
        let groups = same.into_groups(names);
        // Halves that say different things are one person's if no two of them contradict each other.
        let is_one = form == Form::Half
            && names.len() <= NAMES_COMPARED_MAX
            && names.iter().all(|a| names.iter().all(|b| self.may_be_one(a, b)));
        if is_one && !names.is_empty() { vec![names.to_vec()] } else { groups }
    }

    /// Returns which of the `known` people, of whom there are `n`, has the name.
    fn whose(&self, name: &str, known: &BTreeMap<&str, Option<u32>>, n: u32) -> Whose {
        if n == 0 || Form::of(name) == Form::Plain {
            return Whose::Nobodys;
        }
        if known.len() > NAMES_COMPARED_MAX {
            return Whose::Several;
        }
        let fitting = known.iter().filter(|(other, _)| self.may_be_one(name, other));
        let mut numbers = fitting.filter_map(|(_, number)| *number);
        match numbers.next() {
            None => Whose::Nobodys,
            Some(first) if numbers.all(|number| number == first) => Whose::Ones(first),
            Some(_) => Whose::Several,
        }
    }

    /// Returns whether a name, as [`holder`] makes it, says too little to tell its bearer from others: half a name or
    /// none.
    pub fn is_half(name: &str) -> bool {
        name != UNPROVEN && Form::of(name) == Form::Half
    }

    /// Returns whether two names may belong to one person: no part contradicts the other's, be they written in
    /// the same order or, where a part agrees so, swapped.
    pub fn may_be_one(&self, a: &str, b: &str) -> bool {
        let ((a_given, a_family), (b_given, b_family)) = (parts(a), parts(b));
        let meet = |a: &str, b: &str| !a.is_empty() && !b.is_empty();
        let agree = |given: (&str, &str), family: (&str, &str)| {
            self.given_agree(given.0, given.1) && families_agree(family.0, family.1)
        };
        let crossed = ((a_given, b_family), (a_family, b_given));
        agree((a_given, b_given), (a_family, b_family))
            || ((meet(a_given, b_family) || meet(a_family, b_given))
                && (agree(crossed.0, crossed.1) || agree(crossed.1, crossed.0)))
    }

    fn given_agree(&self, a: &str, b: &str) -> bool {
        if a.is_empty() || b.is_empty() || a == b {
            return true;
        }
        let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
        let part = long.split(' ').any(|word| word == short);
        let nickname = match (self.nickname_group.get(a), self.nickname_group.get(b)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        };
        // Daniel is no slip of the pen for Daniela.
        let is_known = |name: &str| self.policy.given_names.contains(name);
        let are_two = is_known(a) && is_known(b) || are_two_genders(a, b, is_known);
        let slip = || !are_two && strsim::jaro_winkler(a, b) >= 0.92;
        part || nickname || initials_agree(a, b) || slip()
    }
}

/// Returns whether one of the two is only initials, and any of them begins a word of the other.
fn initials_agree(a: &str, b: &str) -> bool {
    let begins = |initials: &str, name: &str| {
        initials.split(' ').all(|word| word.len() == 1)
            && initials
                .split(' ')
                .any(|initial| name.split(' ').any(|word| word.starts_with(initial)))
    };
    begins(a, b) || begins(b, a)
}

/// What a name can say about who bears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// One given name and one family name.
    Plain,
    /// Both, and one of them of several words.
    Compound,
    /// One of them is missing, or is only initials.
    Half,
}

impl Form {
    fn of(name: &str) -> Self {
        let (given, family) = parts(name);
        let is_said = |part: &str| part.split(' ').any(|word| word.len() > 1);
        if !is_said(given) || !is_said(family) {
            Self::Half
        } else if given.contains(' ') || family.contains(' ') {
            Self::Compound
        } else {
            Self::Plain
        }
    }
}

/// Returns whether both halves are a given name, or both a family name, in full.
fn say_the_same_half(a: &str, b: &str) -> bool {
    let is_full = |part: &str| part.split(' ').any(|word| word.len() > 1);
    let (a, b) = (parts(a), parts(b));
    (is_full(a.0) && is_full(b.0)) || (is_full(a.1) && is_full(b.1))
}

/// Whose a name is.
enum Whose {
    /// It fits nobody known.
    Nobodys,
    /// It fits one person only.
    Ones(u32),
    /// It fits several.
    Several,
}

/// Returns given and family name.
fn parts(name: &str) -> (&str, &str) {
    name.split_once('|').unwrap_or((name, ""))
}

/// Family names agree when one is missing, they are nearly equal, differ by the Polish feminine
/// ending, or one is part of the other's double name.
fn families_agree(a: &str, b: &str) -> bool {
    if a.is_empty() || b.is_empty() || a == b {
        return true;
    }
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let part = long.split(' ').any(|word| word == short || stem(word) == stem(short));
    let slip = || strsim::jaro_winkler(a, b) >= 0.93 && !numbers_differ(a, b);
    part || initials_agree(a, b) || stem(a) == stem(b) || slip()
}

/// Cuts the ending that gender changes in Polish family names (Kowalski, Kowalska).
fn stem(family: &str) -> &str {
    for ending in ["ski", "ska", "cki", "cka", "dzki", "dzka"] {
        if let Some(stem) = family.strip_suffix(&ending[1..])
            && family.ends_with(ending)
        {
            return stem;
        }
    }
    family
}

/// Returns the name beside a key in the form the guard compares: `given|family`, folded to lower-case
/// ASCII, words separated by one space; empty when there is no name.
pub fn holder(values: &FieldValues) -> String {
    let fold = |field| values.get(field).map(fold_name).unwrap_or_default();
    let (given, family) = (fold(field::FIRST_NAME), fold(field::LAST_NAME));
    if given.is_empty() && family.is_empty() { String::new() } else { format!("{given}|{family}") }
}

/// Folds a name to lower-case ASCII words (`Łęcka-Żak` to `lecka zak`).
pub fn fold_name(name: &str) -> String {
    deunicode::deunicode(name)
        .to_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> IdentityPolicy {
        IdentityPolicy {
            email_shared_from: 3,
            phone_shared_from: 2,
            nicknames: vec![vec!["katarzyna".to_owned(), "kasia".to_owned()]],
            given_names: ["daniel", "daniela", "katarzyna", "kasia"].map(str::to_owned).into(),
        }
    }

    #[track_caller]
    fn check(kind: KeyKind, holders: &[&str], expected: &[u32]) {
        let policy = policy();
        assert_eq!(Guard::new(&policy).labels(kind, holders), expected, "{kind:?} {holders:?}");
    }

    #[test]
    fn one_person_spells_a_name_in_many_ways() {
        check(
            KeyKind::Phone,
            &["anna|lecka", "|", "a|lecka", "lecka|anna", "anna|lecka zak", ""],
            &[0; 6],
        );
        check(KeyKind::Phone, &["kasia|nowak", "katarzyna|nowak"], &[0, 0]);
        check(KeyKind::Phone, &["jan|kowalski", "jan|kowalska"], &[0, 0]);
        check(KeyKind::Phone, &["kasia|lis", "lis|katarzyna"], &[0, 0]);
        check(KeyKind::Phone, &["zosia|nowak", "nowak|zosia"], &[0, 0]);
        check(KeyKind::Phone, &["katarzina|lis", "katarzyna|lis"], &[0, 0]);
        check(KeyKind::Phone, &["daniel|lis", "daniela|lis"], &[1, 0]);
        check(KeyKind::Phone, &["daniel|lis", "danielina|lis"], &[1, 0]);
    }

    #[test]
    fn a_switchboard_does_not_merge_two_people() {
        check(KeyKind::Phone, &["anna|lis", "jan|kos", "anna|lis", ""], &[0, 1, 0, 3]);
        check(KeyKind::Phone, &["anna|nowak", "jan|nowak"], &[0, 1]);
    }

    #[test]
    fn half_a_name_ties_nobody_together() {
        // Colleagues who left their first names only, behind one switchboard.
        check(KeyKind::Phone, &["anna|", "jan|"], &[0, 1]);
        check(KeyKind::Phone, &["anna|lis", "anna|", "jan|", "jan|kos"], &[0, 0, 1, 1]);
        check(KeyKind::Phone, &["|lis", "|kos", "anna|lis", "jan|kos"], &[0, 1, 0, 1]);
        // A name of several words is whose it fits, too: a couple's form does not make one person of them.
        check(KeyKind::Phone, &["anna|nowak", "jan|nowak", "anna i jan|nowak"], &[0, 1, 3]);
        check(KeyKind::Phone, &["anna|lis", "anna|kos", "anna|lis kos"], &[1, 0, 3]);
        check(KeyKind::Phone, &["anna maria|lis", "anna|lis"], &[0, 0]);
        check(KeyKind::Phone, &["j k|lis", "jan|lis", "jan karol|lis"], &[0, 0, 0]);
        // It may be either of them, so it is none; the initial, too.
        check(KeyKind::Phone, &["jan|lis", "jan|kos", "jan|", "jan|"], &[1, 0, 3, 4]);
        check(KeyKind::Phone, &["jan|lis", "julia|lis", "j|lis"], &[0, 1, 3]);
        check(KeyKind::RoleEmail, &["jan|lis", "jan|kos", "jan|", ""], &[1, 0, 3, 2]);
        // Two halves that fit each other are one person; three of which two do not, are three.
        check(KeyKind::Phone, &["jan|", "|kos"], &[0, 0]);
        check(KeyKind::Phone, &["jan|", "|kos", "ewa|"], &[1, 2, 0]);
        check(KeyKind::Phone, &["katarzyna|", "kasia|", "jan|"], &[1, 1, 0]);
        check(KeyKind::Email, &["katarzyna|", "kasia|", "jan|", ""], &[0, 0, 0, 0]);
    }

    #[test]
    fn a_mailbox_needs_three_names_to_be_shared() {
        check(KeyKind::Email, &["anna|lis", "jan|kos"], &[0, 0]);
        check(KeyKind::Email, &["anna|lis", "jan|kos", "ewa|rys"], &[0, 2, 1]);
    }

    #[test]
    fn a_function_mailbox_links_only_one_name_or_none() {
        check(KeyKind::RoleEmail, &["anna|lis", "", "jan|kos", "", "anna|lis"], &[0, 2, 1, 2, 0]);
    }

    #[test]
    fn a_number_without_a_name_but_with_an_address_joins_nobody() {
        check(KeyKind::Phone, &["?", "?", "anna|lis"], &[2, 3, 0]);
        check(KeyKind::Phone, &["?", "", "anna|lis"], &[2, 0, 0]);
    }

    #[test]
    fn visitors_never_merge() {
        check(KeyKind::Visitor, &["anna|lis", "anna|lis"], &[0, 1]);
    }
}
