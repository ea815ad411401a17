//! The guard against shared keys: a switchboard or an `info@` address must not merge people.

use std::collections::{BTreeMap, HashMap};

use super::clusters::Clusters;
use super::keys::KeyKind;
use crate::model::field::{self, FieldValues};
use crate::rules::identity::IdentityPolicy;

/// Beyond this many different names a key is shared beyond doubt, and names are compared for
/// equality only: comparing all pairs would take quadratic time.
const NAMES_COMPARED_MAX: usize = 200;

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

    /// Returns whether a browser or device that these people use is one person's: no two names contradict each
    /// other. It takes as little to be a shared one as for a phone number to be a switchboard's.
    pub fn is_one_persons(&self, holders: &[&str]) -> bool {
        let labels = self.labels(KeyKind::Phone, holders);
        labels.iter().all(|label| *label == labels[0])
    }

    /// Numbers the people among the named holders; `None` is a name that may be several people's.
    ///
    /// Whole names tell people apart. Half a name (a first name alone, an initial) is whose it fits, and ties
    /// nobody to anybody: where it fits several people, it is none of them.
    fn people<'n>(&self, holders: &[&'n str]) -> BTreeMap<&'n str, Option<u32>> {
        let mut names: Vec<&str> =
            holders.iter().copied().filter(|name| !name.is_empty() && *name != UNPROVEN).collect();
        names.sort_unstable();
        names.dedup();
        let (whole, half): (Vec<&str>, Vec<&str>) =
            names.into_iter().partition(|name| is_whole(name));
        let mut same = Clusters::joining(&whole, NAMES_COMPARED_MAX, |a, b| self.compatible(a, b));
        let mut numbers = BTreeMap::new();
        let mut people = BTreeMap::new();
        for (i, name) in whole.iter().enumerate() {
            let next = numbers.len() as u32;
            let number = *numbers.entry(same.find(i as u32)).or_insert(next);
            people.insert(*name, Some(number));
        }
        let mut strangers = Vec::new();
        for name in half {
            match self.whose(name, &whole, &people) {
                Whose::Nobodys => strangers.push(name),
                Whose::Ones(number) => drop(people.insert(name, Some(number))),
                Whose::Several => drop(people.insert(name, None)),
            }
        }
        let first = numbers.len() as u32;
        let are_one = strangers.len() <= NAMES_COMPARED_MAX
            && strangers.iter().all(|a| strangers.iter().all(|b| self.compatible(a, b)));
        for (at, name) in strangers.into_iter().enumerate() {
            people.insert(name, Some(if are_one { first } else { first + at as u32 }));
        }
        people
    }

    fn whose(&self, half: &str, whole: &[&str], people: &BTreeMap<&str, Option<u32>>) -> Whose {
        if whole.len() > NAMES_COMPARED_MAX {
            return Whose::Several;
        }
        let mut fitting = whole
            .iter()
            .filter(|name| self.compatible(half, name))
            .filter_map(|name| people.get(name).copied().flatten());
        match fitting.next() {
            None => Whose::Nobodys,
            Some(first) if fitting.all(|number| number == first) => Whose::Ones(first),
            Some(_) => Whose::Several,
        }
    }

    /// Returns whether two names may belong to one person: no part contradicts the other's, be they written in
    /// the same order or, where a part agrees so, swapped.
    fn compatible(&self, a: &str, b: &str) -> bool {
        let ((a_given, a_family), (b_given, b_family)) = (parts(a), parts(b));
        let meet = |a: &str, b: &str| !a.is_empty() && !b.is_empty();
        (self.given_agree(a_given, b_given) && families_agree(a_family, b_family))
            || ((meet(a_given, b_family) || meet(a_family, b_given))
                && self.given_agree(a_given, b_family)
                && families_agree(a_family, b_given))
    }

    fn given_agree(&self, a: &str, b: &str) -> bool {
        if a.is_empty() || b.is_empty() || a == b {
            return true;
        }
        let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
        let initial = short.len() == 1 && long.starts_with(short);
        let part = long.split(' ').any(|word| word == short);
        let nickname = match (self.nickname_group.get(a), self.nickname_group.get(b)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        };
        initial || part || nickname || strsim::jaro_winkler(a, b) >= 0.92
    }
}

/// Whose half a name is.
enum Whose {
    /// It fits no whole name.
    Nobodys,
    /// It fits those of one person only.
    Ones(u32),
    /// It fits those of several.
    Several,
}

/// Returns given and family name.
fn parts(name: &str) -> (&str, &str) {
    name.split_once('|').unwrap_or((name, ""))
}

/// Returns whether a name has both of its parts, and more than an initial of each.
fn is_whole(name: &str) -> bool {
    let (given, family) = parts(name);
    given.len() > 1 && family.len() > 1
}

/// Family names agree when one is missing, they are nearly equal, differ by the Polish feminine
/// ending, or one is part of the other's double name.
fn families_agree(a: &str, b: &str) -> bool {
    if a.is_empty() || b.is_empty() || a == b {
        return true;
    }
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let part = long.split(' ').any(|word| word == short || stem(word) == stem(short));
    let initial = short.len() == 1 && long.starts_with(short);
    part || initial || stem(a) == stem(b) || strsim::jaro_winkler(a, b) >= 0.93
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
        // It may be either of them, so it is none; the initial, too.
        check(KeyKind::Phone, &["jan|lis", "jan|kos", "jan|", "jan|"], &[1, 0, 3, 4]);
        check(KeyKind::Phone, &["jan|lis", "julia|lis", "j|lis"], &[0, 1, 3]);
        check(KeyKind::RoleEmail, &["jan|lis", "jan|kos", "jan|", ""], &[1, 0, 3, 2]);
        // Two halves that fit each other are one person; three of which two do not, are three.
        check(KeyKind::Phone, &["jan|", "|kos"], &[0, 0]);
        check(KeyKind::Phone, &["jan|", "|kos", "ewa|"], &[1, 2, 0]);
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
