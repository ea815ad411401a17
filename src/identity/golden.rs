//! Survivorship: which submission wins each field of a lead.
//!
//! The winner is the maximum over a total order `(preference, time, fingerprint)`, so the order of arrival
//! cannot matter. The time is when somebody sent the submission; of a contact list's row, when the source
//! last changed it.

use crate::model::field::{self, FieldNo, FieldValues};
use crate::model::ids::Fingerprint;
use crate::model::mailbox::mailbox_key;
use crate::rules::field::{FieldCatalog, Survivorship};

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
}

/// The values of a lead and the member each came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Golden {
    /// Winning values.
    pub values: FieldValues,
    /// Field and index of the winning member, in order of field.
    pub winners: Vec<(FieldNo, usize)>,
}

/// Fields that only make sense together follow the winner of the first of each group: flags of an
/// address belong to that address, and a campaign belongs to the source it ran on.
const COMPANIONS: &[(FieldNo, &[FieldNo])] = &[
    (
        field::EMAIL,
        &[
            field::EMAIL_DOMAIN,
            field::EMAIL_IS_FREE,
            field::EMAIL_IS_ROLE,
            field::EMAIL_IS_DISPOSABLE,
            field::EMAIL_SUGGESTION,
        ],
    ),
    (field::PHONE, &[field::PHONE_TYPE, field::PHONE_EXTENSION]),
    (field::COMPANY, &[field::LEGAL_FORM]),
    (field::LAST_NAME, &[field::FIRST_NAME, field::HONORIFIC]),
    (field::JOB_TITLE, &[field::SENIORITY, field::DEPARTMENT]),
    (field::USER_AGENT, &[field::DEVICE, field::BROWSER, field::OPERATING_SYSTEM]),
    (field::EMPLOYEES, &[field::EMPLOYEES_MAX]),
    (field::BUDGET, &[field::BUDGET_MAX, field::BUDGET_CURRENCY]),
    (field::LAST_SOURCE, &[field::LAST_MEDIUM, field::LAST_CAMPAIGN]),
    (
        field::SOURCE,
        &[
            field::MEDIUM,
            field::CAMPAIGN,
            field::CAMPAIGN_ID,
            field::UTM_SOURCE,
            field::UTM_MEDIUM,
            field::UTM_CAMPAIGN,
            field::UTM_TERM,
            field::UTM_CONTENT,
            field::REFERRER,
            field::LANDING_PAGE,
            field::PLATFORM,
            field::AD_ID,
            field::AD_NAME,
            field::ADSET_ID,
            field::ADSET_NAME,
            field::FORM_ID,
            field::FORM_NAME,
        ],
    ),
];

/// Returns the golden record of `members`, of which there is at least one.
///
/// # Panics
/// If `members` is empty: a lead without a submission cannot exist.
pub fn golden(members: &[Member<'_>], catalog: &FieldCatalog) -> Golden {
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
    let bounced = bounced_mailboxes(members);
    let mut golden = Golden::default();
    for &field in fields.iter().filter(|field| **field != field::EMAIL_IS_UNDELIVERABLE) {
        let leader = leader_of(field);
        // A companion follows its leader, unless no member has the leader at all.
        let decisive = leader.filter(|leader| fields.binary_search(leader).is_ok());
        let winner = match decisive {
            Some(leader) => winner(members, leader, &bounced, catalog),
            None => winner(members, field, &bounced, catalog),
        };
        let Some(winner) = winner else { continue };
        if let Some(value) = members[winner].values.get(field) {
            golden.values.set(field, value);
            golden.winners.push((field, winner));
        }
    }
    // Whoever types the address again makes it no better: the flag holds for the mailbox, not for a row.
    if let Some(address) = golden.values.get(field::EMAIL)
        && let Some((_, member)) = bounced.iter().find(|(key, _)| *key == mailbox_key(address))
    {
        golden.values.set(field::EMAIL_IS_UNDELIVERABLE, "true");
        golden.winners.push((field::EMAIL_IS_UNDELIVERABLE, *member));
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

fn leader_of(field: FieldNo) -> Option<FieldNo> {
    COMPANIONS.iter().find(|(_, companions)| companions.contains(&field)).map(|(leader, _)| *leader)
}

fn winner(
    members: &[Member<'_>],
    field: FieldNo,
    bounced: &[(String, usize)],
    catalog: &FieldCatalog,
) -> Option<usize> {
    let first = catalog.spec(field).survivorship == Survivorship::First;
    members
        .iter()
        .enumerate()
        .filter(|(_, member)| member.values.get(field).is_some())
        .max_by_key(|(_, member)| {
            let time = if first { -member.submitted_ms } else { member.modified_ms };
            let is_bounced = field == field::EMAIL
                && !bounced.is_empty()
                && member.values.get(field).is_some_and(|address| {
                    bounced.iter().any(|(key, _)| *key == mailbox_key(address))
                });
            (!is_bounced, preference(member.values, field), time, member.fingerprint)
        })
        .map(|(index, _)| index)
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

    fn values(pairs: &[(FieldNo, &str)]) -> FieldValues {
        let mut values = FieldValues::default();
        for (field, value) in pairs {
            values.set(*field, *value);
        }
        values
    }

    #[track_caller]
    fn check(members: &[&[(FieldNo, &str)]], field: FieldNo, expected: Option<&str>) {
        let all: Vec<FieldValues> = members.iter().map(|pairs| values(pairs)).collect();
        let catalog = FieldCatalog::decode(None);
        let mut order: Vec<usize> = (0..all.len()).collect();
        for _ in 0..all.len() {
            let members: Vec<Member<'_>> = order
                .iter()
                .map(|&at| Member {
                    values: &all[at],
                    submitted_ms: at as i64,
                    modified_ms: at as i64,
                    fingerprint: Fingerprint([at as u8; 16]),
                })
                .collect();
            let golden = golden(&members, &catalog);
            assert_eq!(golden.values.get(field), expected, "{members:?}");
            order.rotate_left(1);
        }
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
        assert_eq!(catalog.spec(field::LAST_SOURCE).survivorship, Survivorship::MostRecent);
        check(&[&first, &second, &third], field::LAST_SOURCE, Some("facebook"));
        check(&[&first, &second, &third], field::LAST_MEDIUM, Some("cpc"));
    }

    #[test]
    fn half_a_name_does_not_replace_a_whole_one() {
        let whole: &[(FieldNo, &str)] = &[(field::FIRST_NAME, "Anna"), (field::LAST_NAME, "Lis")];
        check(&[whole, &[(field::FIRST_NAME, "Ania")]], field::FIRST_NAME, Some("Anna"));
    }
}
