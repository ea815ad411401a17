//! Which submission wins a field of a lead, and which values are verified (`identity.toml`).

use std::collections::BTreeMap;

use super::condition::{Condition, ConditionContext};
use super::decode::Table;
use super::diagnostics::{Place, did_you_mean};
use super::field::FieldCatalog;
use crate::model::field::{self, FieldNo};

/// What makes one submission win a field over another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Criterion {
    /// It came last; of a contact list, it was changed last.
    MostRecent,
    /// It came first: for where somebody first came from.
    First,
    /// It has more of the fields that go together; of equals, the longer value.
    MostComplete,
    /// Its source stands higher in the rule's list.
    SourcePriority,
    /// It is verified. Verified values win in any case; the word says so where people read the rule.
    VerifiedFirst,
    /// More submissions say the same.
    MostFrequent,
    /// None loses: the values are put together, each once.
    Union,
}

/// The criteria by their word.
pub const CRITERIA: &[(&str, Criterion)] = &[
    ("most-recent", Criterion::MostRecent),
    ("first", Criterion::First),
    ("most-complete", Criterion::MostComplete),
    ("source-priority", Criterion::SourcePriority),
    ("verified-first", Criterion::VerifiedFirst),
    ("most-frequent", Criterion::MostFrequent),
    ("union", Criterion::Union),
];

/// Criteria that one rule may name: what comes after the third never decides anything in practice.
pub const CRITERIA_MAX: usize = 3;

/// Fields that only make sense together follow the winner of the first of each group: flags of an
/// address belong to that address, and a campaign belongs to the source it ran on.
pub const COMPANIONS: &[(FieldNo, &[FieldNo])] = &[
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

/// Returns the field whose winner `field` follows, if it follows one.
pub fn leader_of(field: FieldNo) -> Option<FieldNo> {
    COMPANIONS.iter().find(|(_, companions)| companions.contains(&field)).map(|(leader, _)| *leader)
}

/// Returns the fields that follow the winner of `leader`.
pub fn companions_of(leader: FieldNo) -> &'static [FieldNo] {
    COMPANIONS.iter().find(|(known, _)| *known == leader).map_or(&[], |(_, companions)| companions)
}

/// How submissions compete for one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRule {
    /// What counts, the most important first.
    pub by: Vec<Criterion>,
    /// Presets for [`Criterion::SourcePriority`], the best first.
    pub sources: Vec<String>,
}

/// When the values of some fields are verified.
#[derive(Debug, Clone)]
pub struct Verified {
    /// Stable id.
    pub id: String,
    /// The fields.
    pub fields: Vec<FieldNo>,
    /// Presets whose rows it holds for; empty means any.
    pub sources: Vec<String>,
    /// What the row must say; it is asked of the submission alone.
    pub when: Option<Condition>,
}

/// Survivorship as `identity.toml` tells it; a field that it does not name follows `fields.toml`.
#[derive(Debug, Clone, Default)]
pub struct Survivorship {
    rules: BTreeMap<FieldNo, FieldRule>,
    /// What counts as verified.
    pub verified: Vec<Verified>,
}

impl Survivorship {
    /// Reads `[[survivorship]]` and `[[verified]]`; `known_sources` are the presets there are, none when
    /// they are not at hand.
    pub fn decode(
        root: Option<&Table<'_>>,
        context: &ConditionContext<'_>,
        known_sources: &[&str],
    ) -> Self {
        let mut all = Self::default();
        let Some(root) = root else { return all };
        let reader = Reader { fields: context.fields, known_sources };
        root.tables("survivorship", |table| reader.rule(table, &mut all.rules));
        root.tables("verified", |table| all.verified.extend(reader.verified(table, context)));
        all
    }

    /// Returns how submissions compete for `field`.
    pub fn rule(&self, field: FieldNo, catalog: &FieldCatalog) -> (Vec<Criterion>, &[String]) {
        match self.rules.get(&field) {
            Some(rule) => (rule.by.clone(), &rule.sources),
            None => (vec![catalog.spec(field).survivorship], &[]),
        }
    }
}

struct Reader<'a> {
    fields: &'a FieldCatalog,
    known_sources: &'a [&'a str],
}

impl Reader<'_> {
    fn rule(&self, table: &Table<'_>, rules: &mut BTreeMap<FieldNo, FieldRule>) {
        table.string("id");
        table.string("because");
        let fields = self.field_list(table);
        let by = table.choices("by", CRITERIA);
        let sources = self.source_list(table);
        if !table.has("by") {
            table.missing("by");
            return;
        }
        check_criteria(table, &by, &sources);
        for (number, place) in fields {
            let name = self.fields.name(number);
            if let Some(leader) = leader_of(number) {
                let leader = self.fields.name(leader);
                table.sink().error(
                    &place,
                    format!("`{name}` follows the winner of `{leader}`"),
                    Some(format!("say it for `{leader}`: the two only make sense together")),
                );
            } else if by.contains(&Criterion::Union) && !companions_of(number).is_empty() {
                let hint = "others follow the winner of this field, so there must be one";
                let message = format!("`{name}` cannot be a union");
                table.sink().error(&place, message, Some(hint.to_owned()));
            } else if !by.is_empty() {
                let rule = FieldRule { by: by.clone(), sources: sources.clone() };
                if rules.insert(number, rule).is_some() {
                    let hint = "one rule decides a field; take the name out of the other";
                    let message = format!("`{name}` stands in two rules");
                    table.sink().error(&place, message, Some(hint.to_owned()));
                }
            }
        }
    }

    fn verified(&self, table: &Table<'_>, context: &ConditionContext<'_>) -> Option<Verified> {
        let id = table.string("id");
        table.string("because");
        let fields = self.field_list(table).into_iter().map(|(number, _)| number).collect();
        let sources = self.source_list(table);
        let when = Condition::decode_key(table, "when", context);
        if !table.has("when") && sources.is_empty() {
            let hint = "name `sources` whose rows are verified, or say `when`";
            table.error("id", "this makes every value verified", Some(hint.to_owned()));
            return None;
        }
        let looks_beyond = when.as_ref().is_some_and(|when| {
            when.looks_at_score() || when.looks_at_touches() || when.looks_at_time()
        });
        if looks_beyond {
            table.error(
                "when",
                "whether a value is verified is asked of its row alone",
                Some("look at the row's fields, not at the score, touches or the time".to_owned()),
            );
        }
        Some(Verified { id, fields, sources, when })
    }

    fn field_list(&self, table: &Table<'_>) -> Vec<(FieldNo, Place)> {
        if !table.has("fields") {
            table.missing("fields");
        }
        table
            .located_strings("fields")
            .into_iter()
            .filter_map(|(name, place)| {
                self.fields.expect(&name, &place, table.sink()).map(|number| (number, place))
            })
            .collect()
    }

    fn source_list(&self, table: &Table<'_>) -> Vec<String> {
        let named = table.located_strings("sources");
        for (name, place) in &named {
            if self.known_sources.is_empty() || self.known_sources.contains(&name.as_str()) {
                continue;
            }
            let hint = did_you_mean(name, self.known_sources.iter().copied())
                .map(|near| format!("did you mean `{near}`?"));
            table.sink().lacks("sources", place, format!("there is no source `{name}`"), hint);
        }
        named.into_iter().map(|(name, _)| name).collect()
    }
}

fn check_criteria(table: &Table<'_>, by: &[Criterion], sources: &[String]) {
    if by.len() > CRITERIA_MAX {
        let hint = "the last ones would never decide anything";
        let message = format!("`by` names more than {CRITERIA_MAX} criteria");
        table.error("by", message, Some(hint.to_owned()));
    }
    if by.contains(&Criterion::Union) && by.len() > 1 {
        let hint = "nobody loses in a union, so nothing else can decide";
        table.error("by", "`union` stands alone", Some(hint.to_owned()));
    }
    match (by.contains(&Criterion::SourcePriority), sources.is_empty()) {
        (true, true) => {
            let hint = "name the sources, the best first: sources = [\"hubspot-contacts\"]";
            table.error("by", "`source-priority` needs `sources`", Some(hint.to_owned()));
        }
        (false, false) => {
            let hint = "add \"source-priority\" to `by`, or take `sources` out";
            table.error("sources", "nothing looks at `sources`", Some(hint.to_owned()));
        }
        _ => {}
    }
}
