//! Survivorship: which submission wins each field of a lead.
//!
//! The winner is the maximum over a total order `(verified, preference, rule, time, fingerprint)`, so the
//! order of arrival cannot matter. The time is when somebody sent the submission; of a contact list's row,
//! when the source last changed it.

use std::collections::BTreeMap;

use crate::model::field::{self, FieldNo, FieldValues};
use crate::model::ids::Fingerprint;
use crate::model::mailbox::mailbox_key;
use crate::model::moment::utc_from_ms;
use crate::model::subject::{Facts, Subject};
use crate::rules::condition::Condition;
use crate::rules::field::FieldCatalog;
use crate::rules::survivorship::{CRITERIA_MAX, Criterion, Survivorship, companions_of, leader_of};

/// A submission as survivorship sees it.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// Its values.
    pub values: &'a FieldValues,
    /// When it was sent, milliseconds since 1970 UTC.
    pub submitted_ms: i64,
    /// When the source last changed what it says, the same; `submitted_ms` when it does not tell.
    pub modified_ms: i64,
    /// What identifies it.
    pub fingerprint: Fingerprint,
    /// Preset of its input.
    pub source: &'a str,
}

/// The values of a lead and the member each came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Golden {
    /// Winning values.
    pub values: FieldValues,
    /// Field and index of the winning member, in order of field.
    pub winners: Vec<(FieldNo, usize)>,
}

/// Returns the golden record of `members`, of which there is at least one.
///
/// # Panics
/// If `members` is empty: a lead without a submission cannot exist.
pub fn golden(members: &[Member<'_>], catalog: &FieldCatalog, rules: &Survivorship) -> Golden {
    assert!(!members.is_empty(), "a lead needs a submission");
    if let [only] = members {
        return Golden {
            values: only.values.clone(),
            winners: only.values.iter().map(|(field, _)| (field, 0)).collect(),
        };
    }
    let mut fields: Vec<FieldNo> =
        members.iter().flat_map(|member| member.values.iter().map(|(field, _)| field)).collect();
    fields.sort_unstable();
    fields.dedup();
    let contest = Contest { members, catalog, rules, bounced: bounced_mailboxes(members) };
    let mut golden = Golden::default();
    for &field in fields.iter().filter(|field| **field != field::EMAIL_IS_UNDELIVERABLE) {
        // A companion follows its leader, unless no member has the leader at all.
        let leader = leader_of(field).filter(|leader| fields.binary_search(leader).is_ok());
        let decisive = leader.unwrap_or(field);
        let (by, sources) = rules.rule(decisive, catalog);
        let Some(winner) = contest.winner(decisive, &by, sources) else { continue };
        if by == [Criterion::Union] && leader.is_none() {
            golden.values.set(field, contest.union(field));
        } else if let Some(value) = members[winner].values.get(field) {
            golden.values.set(field, value);
        } else {
            continue;
        }
        golden.winners.push((field, winner));
    }
    for (shown, others) in
        [(field::EMAIL, field::OTHER_EMAILS), (field::PHONE, field::OTHER_PHONES)]
    {
        golden.keep_apart(shown, others);
    }
    // Whoever types the address again makes it no better: the flag holds for the mailbox, not for a row.
    if let Some(address) = golden.values.get(field::EMAIL)
        && let Some(member) = contest.bounced_by(address)
    {
        golden.values.set(field::EMAIL_IS_UNDELIVERABLE, "true");
        golden.winners.push((field::EMAIL_IS_UNDELIVERABLE, member));
    }
    golden
}

/// Returns the mailboxes from which mail came back for good, each with a member that says so.
fn bounced_mailboxes(members: &[Member<'_>]) -> Vec<(String, usize)> {
    let flagged = members
        .iter()
        .enumerate()
        .filter(|(_, member)| member.values.is_true(field::EMAIL_IS_UNDELIVERABLE));
    flagged
        .filter_map(|(at, member)| Some((mailbox_key(member.values.get(field::EMAIL)?), at)))
        .collect()
}

impl Golden {
    /// Leaves the value of `shown` out of the list `others`.
    fn keep_apart(&mut self, shown: FieldNo, others: FieldNo) {
        let (Some(shown), Some(list)) = (self.values.get(shown), self.values.get(others)) else {
            return;
        };
        if !list.split(SEPARATOR).any(|part| part == shown) {
            return;
        }
        let rest: Vec<&str> = list.split(SEPARATOR).filter(|part| *part != shown).collect();
        let rest = rest.join(SEPARATOR);
        if rest.is_empty() {
            self.winners.retain(|(field, _)| *field != others);
        }
        self.values.set(others, rest);
    }
}

/// What parts the values of a field that has several.
const SEPARATOR: &str = "; ";

/// Values of a member that count for less than the next: criteria, in the order of the rule.
type Merits = [i64; CRITERIA_MAX];

struct Contest<'a> {
    members: &'a [Member<'a>],
    catalog: &'a FieldCatalog,
    rules: &'a Survivorship,
    bounced: Vec<(String, usize)>,
}

impl Contest<'_> {
    /// Returns a member that says that mail to `address` came back for good.
    fn bounced_by(&self, address: &str) -> Option<usize> {
        if self.bounced.is_empty() {
            return None;
        }
        let mailbox = mailbox_key(address);
        self.bounced.iter().find(|(known, _)| *known == mailbox).map(|(_, member)| *member)
    }

    /// Returns who wins `field`: the verified before others, the better before the worse, then by the
    /// rule, and of equals the latest and the one with the greatest fingerprint.
    fn winner(&self, field: FieldNo, by: &[Criterion], sources: &[String]) -> Option<usize> {
        let mut times_said: BTreeMap<&str, i64> = BTreeMap::new();
        if by.contains(&Criterion::MostFrequent) {
            for value in self.members.iter().filter_map(|member| member.values.get(field)) {
                *times_said.entry(value).or_default() += 1;
            }
        }
        let merits = |member: &Member<'_>, value: &str| {
            let mut merits = Merits::default();
            for (merit, criterion) in merits.iter_mut().zip(by) {
                *merit = match criterion {
                    Criterion::MostRecent | Criterion::Union => member.modified_ms,
                    Criterion::First => -member.submitted_ms,
                    Criterion::MostComplete => completeness(member.values, field, value),
                    Criterion::SourcePriority => {
                        let place = sources.iter().position(|source| source == member.source);
                        -(place.unwrap_or(sources.len()) as i64)
                    }
                    // It has come before everything else already.
                    Criterion::VerifiedFirst => 0,
                    Criterion::MostFrequent => times_said.get(value).copied().unwrap_or(0),
                };
            }
            merits
        };
        self.members
            .iter()
            .enumerate()
            .filter_map(|(index, member)| Some((index, member, member.values.get(field)?)))
            .max_by_key(|(_, member, value)| {
                let is_bounced = field == field::EMAIL && self.bounced_by(value).is_some();
                (
                    !is_bounced,
                    self.is_verified(member, field),
                    preference(member.values, field),
                    merits(member, value),
                    member.modified_ms,
                    member.fingerprint,
                )
            })
            .map(|(index, ..)| index)
    }

    /// Returns all values of `field`, each once, in the order in which they were first said.
    fn union(&self, field: FieldNo) -> String {
        let mut members: Vec<&Member<'_>> = self.members.iter().collect();
        members.sort_by_key(|member| (member.submitted_ms, member.fingerprint));
        let mut parts: Vec<&str> = Vec::new();
        for value in members.iter().filter_map(|member| member.values.get(field)) {
            for part in value.split(SEPARATOR) {
                if !parts.contains(&part) {
                    parts.push(part);
                }
            }
        }
        debug_assert!(leader_of(field).is_none(), "{} is no list", self.catalog.name(field));
        parts.join(SEPARATOR)
    }

    fn is_verified(&self, member: &Member<'_>, field: FieldNo) -> bool {
        self.rules.verified.iter().any(|rule| {
            rule.fields.contains(&field)
                && (rule.sources.is_empty() || rule.sources.iter().any(|id| id == member.source))
                && rule.when.as_ref().is_none_or(|when| says(member, when))
        })
    }
}

/// Asks a condition of a submission alone, as of when it was sent.
fn says(member: &Member<'_>, when: &Condition) -> bool {
    let sent = utc_from_ms(member.submitted_ms);
    let facts = Facts {
        n_submissions: 1,
        n_sources: 1,
        first_submitted_at: sent,
        last_submitted_at: sent,
        marketing_email_allowed: false,
        marketing_phone_allowed: false,
        score: None,
        segment: None,
        grade: None,
        models: crate::model::decision::ModelScores::default(),
    };
    when.matches(&Subject { values: member.values, facts: &facts, touches: &[], as_of: sent })
}

/// How much a submission says: fields that go with this one first, then letters.
fn completeness(values: &FieldValues, field: FieldNo, value: &str) -> i64 {
    const LETTERS_MAX: i64 = 1_000_000;
    let fields = companions_of(field).iter().filter(|one| values.get(**one).is_some()).count();
    fields as i64 * LETTERS_MAX + (value.chars().count() as i64).min(LETTERS_MAX - 1)
}

/// How good a value is as such, before recency: a personal mailbox beats a function's, which beats a
/// throw-away one; a mobile beats a landline; a whole name beats half of one.
fn preference(values: &FieldValues, field: FieldNo) -> u8 {
    match field {
        field::EMAIL if values.is_true(field::EMAIL_IS_DISPOSABLE) => 0,
        field::EMAIL if values.is_true(field::EMAIL_IS_ROLE) => 1,
        field::PHONE if values.get(field::PHONE_TYPE) != Some("mobile") => 1,
        field::LAST_NAME if values.get(field::FIRST_NAME).is_none() => 1,
        // `direct` and `unknown` say that nothing is known about where somebody came from.
        field::SOURCE | field::LAST_SOURCE
            if matches!(values.get(field), Some("direct" | "unknown")) =>
        {
            1
        }
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{RuleSet, embedded};

    fn values(pairs: &[(FieldNo, &str)]) -> FieldValues {
        let mut values = FieldValues::default();
        for (field, value) in pairs {
            values.set(*field, *value);
        }
        values
    }

    type Said<'a> = &'a [(FieldNo, &'a str)];

    /// The rules of `identity.toml` with this text, beside the shipped ones.
    fn rules(identity: Option<&str>) -> RuleSet {
        let mut texts = embedded::texts();
        let file = texts.iter_mut().find(|text| &*text.path == "rules/identity.toml");
        if let (Some(file), Some(own)) = (file, identity) {
            file.text = own.into();
        }
        RuleSet::parse(&texts).expect("they are right").0
    }

    /// Says each of `members` at a later time, in every order of arrival.
    #[track_caller]
    fn check_rules(
        rules: &RuleSet,
        members: &[(&str, Said<'_>)],
        field: FieldNo,
        expected: Option<&str>,
    ) {
        let all: Vec<FieldValues> = members.iter().map(|(_, pairs)| values(pairs)).collect();
        let mut order: Vec<usize> = (0..all.len()).collect();
        for _ in 0..all.len() {
            let members: Vec<Member<'_>> = order
                .iter()
                .map(|&at| Member {
                    values: &all[at],
                    submitted_ms: at as i64,
                    modified_ms: at as i64,
                    fingerprint: Fingerprint([at as u8; 16]),
                    source: members[at].0,
                })
                .collect();
            let golden = golden(&members, &rules.fields, &rules.survivorship);
            assert_eq!(golden.values.get(field), expected, "{members:?}");
            order.rotate_left(1);
        }
    }

    #[track_caller]
    fn check(members: &[Said<'_>], field: FieldNo, expected: Option<&str>) {
        let members: Vec<(&str, Said<'_>)> =
            members.iter().map(|pairs| ("generic-csv", *pairs)).collect();
        check_rules(&rules(None), &members, field, expected);
    }

    /// Checks who wins the job title under one rule about it.
    #[track_caller]
    fn check_by(by: &str, members: &[(&str, Said<'_>)], field: FieldNo, expected: &str) {
        let name = field::CORE[field.0 as usize];
        let text =
            format!("[[survivorship]]\nid = \"x\"\nfields = [\"{name}\"]\n{by}\nbecause = \"y\"\n");
        check_rules(&rules(Some(&text)), members, field, Some(expected));
    }

    #[test]
    fn each_word_decides_as_it_says() {
        const CITY: FieldNo = field::CITY;
        let said: [(&str, Said<'_>); 4] = [
            ("meta-lead-ads", &[(CITY, "Radom")]),
            ("hubspot-contacts", &[(CITY, "Gdynia")]),
            ("generic-csv", &[(CITY, "Radom")]),
            ("typeform-csv", &[(CITY, "Ustrzyki Dolne")]),
        ];
        let said = &said[..];
        check_by("by = \"most-recent\"", said, CITY, "Ustrzyki Dolne");
        check_by("by = \"first\"", said, CITY, "Radom");
        check_by("by = \"most-frequent\"", said, CITY, "Radom");
        check_by("by = \"most-complete\"", said, CITY, "Ustrzyki Dolne");
        check_by("by = \"union\"", said, CITY, "Radom; Gdynia; Ustrzyki Dolne");
        let sources = "sources = [\"hubspot-contacts\", \"typeform-csv\"]";
        check_by(&format!("by = \"source-priority\"\n{sources}"), said, CITY, "Gdynia");
        // A list decides in its order, and of equals the latest wins.
        let then = format!("by = [\"source-priority\", \"first\"]\n{sources}");
        check_by(&then, &said[2..], CITY, "Ustrzyki Dolne");
        check_by(&then, &[said[0], said[2]], CITY, "Radom");
    }

    #[test]
    fn the_more_complete_of_fields_that_go_together_wins_all_of_them() {
        let whole: Said<'_> = &[(field::COMPANY, "Firma"), (field::LEGAL_FORM, "sp. z o.o.")];
        let longer: Said<'_> = &[(field::COMPANY, "Firma z dluga nazwa")];
        let members = [("generic-csv", whole), ("generic-csv", longer)];
        check_by("by = \"most-complete\"", &members, field::COMPANY, "Firma");
    }

    #[test]
    fn a_verified_value_is_not_overwritten_by_one_that_is_not() {
        let known: Said<'_> = &[
            (field::PHONE, "+48221234567"),
            (field::PHONE_TYPE, "fixed"),
            (field::CRM_STATUS, "Customer"),
        ];
        let typed: Said<'_> = &[(field::PHONE, "+48600000101"), (field::PHONE_TYPE, "mobile")];
        check(&[known, typed], field::PHONE, Some("+48221234567"));
        check(&[typed, known], field::PHONE_TYPE, Some("fixed"));
        // Nobody has spoken to a lead yet.
        let lead: Said<'_> = &[(field::PHONE, "+48221234567"), (field::CRM_STATUS, "Lead")];
        check(&[lead, typed], field::PHONE, Some("+48600000101"));
        // Of two that are verified, the rule decides.
        let later: Said<'_> = &[(field::PHONE, "+48221111111"), (field::CRM_STATUS, "klient")];
        check(&[known, later], field::PHONE, Some("+48221111111"));
    }

    #[test]
    fn further_addresses_are_put_together_without_the_one_that_is_shown() {
        let one: Said<'_> =
            &[(field::EMAIL, "a@example.com"), (field::OTHER_EMAILS, "b@example.com")];
        let two: Said<'_> = &[
            (field::EMAIL, "b@example.com"),
            (field::OTHER_EMAILS, "c@example.com; a@example.com"),
        ];
        check(&[one, two], field::EMAIL, Some("b@example.com"));
        check(&[one, two], field::OTHER_EMAILS, Some("c@example.com; a@example.com"));
    }

    #[test]
    fn the_latest_value_wins_and_blanks_do_not() {
        check(
            &[&[(field::CITY, "Radom")], &[(field::CITY, "Gdynia")], &[]],
            field::CITY,
            Some("Gdynia"),
        );
    }

    #[test]
    fn a_function_mailbox_does_not_replace_a_personal_one() {
        let role: &[(FieldNo, &str)] =
            &[(field::EMAIL, "biuro@przyklad.pl"), (field::EMAIL_IS_ROLE, "true")];
        check(
            &[&[(field::EMAIL, "anna@przyklad.pl")], role],
            field::EMAIL,
            Some("anna@przyklad.pl"),
        );
        check(&[&[(field::EMAIL, "anna@przyklad.pl")], role], field::EMAIL_IS_ROLE, None);
    }

    #[test]
    fn first_and_last_touch_are_kept_apart() {
        let touch = |source: &'static str| {
            [(field::SOURCE, source), (field::LAST_SOURCE, source), (field::LAST_MEDIUM, "cpc")]
        };
        let (first, second, third) = (touch("google"), touch("facebook"), touch("direct"));
        let catalog = FieldCatalog::decode(None);
        // Which one a lead keeps as its first is a rule in fields.toml; by default the latest wins.
        assert_eq!(catalog.spec(field::LAST_SOURCE).survivorship, Criterion::MostRecent);
        check(&[&first, &second, &third], field::LAST_SOURCE, Some("facebook"));
        check(&[&first, &second, &third], field::LAST_MEDIUM, Some("cpc"));
    }

    #[test]
    fn half_a_name_does_not_replace_a_whole_one() {
        let whole: &[(FieldNo, &str)] = &[(field::FIRST_NAME, "Anna"), (field::LAST_NAME, "Lis")];
        check(&[whole, &[(field::FIRST_NAME, "Ania")]], field::FIRST_NAME, Some("Anna"));
    }
}
