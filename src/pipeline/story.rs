//! The whole story of one lead, gathered from the store: what `explain` tells.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::consents::{Telling, denials};
use super::touched::{JoinedTouch, TouchBook};
use super::trace::{RoutingTrace, trace};
use crate::identity::keys::{KeyKind, email_hash, identities, phone_hash};
use crate::model::consent::ConsentRecord;
use crate::model::field::{self, FieldNo, FieldValues};
use crate::model::ids::{AccountId, LeadId, LeadNo, RunNo, SubmissionNo};
use crate::model::lead::Lead;
use crate::model::task::Task;
use crate::model::touch::Identity;
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::absorb::Horizon;
use crate::store::codec::decode_values;
use crate::store::history::{DecisionEntry, EventEntry};
use crate::store::leads::{MemberRow, claims};
use crate::store::undo::Withdrawal;
use crate::store::verdicts::Statement;

/// Everything there is to know about one lead.
#[derive(Debug, Clone)]
pub struct Story {
    /// The lead with its latest decision.
    pub lead: Lead,
    /// Ids that were given out for it, the current one included.
    pub ids: Vec<String>,
    /// Its submissions, in order of number.
    pub submissions: Vec<StorySubmission>,
    /// For each field, the submission that won it; all the same when there is only one.
    pub winners: BTreeMap<String, SubmissionNo>,
    /// Its decisions, the latest first.
    pub decisions: Vec<DecisionEntry>,
    /// How the latest of them found its owner; `None` when the rules that decided were not kept.
    pub routing: Option<RoutingTrace>,
    /// Its tasks, the earliest due first.
    pub tasks: Vec<Task>,
    /// Its consents, in order of submission.
    pub consents: Vec<ConsentRecord>,
    /// Its events, in order.
    pub events: Vec<EventEntry>,
    /// What it did, the latest first.
    pub touches: Vec<StoryTouch>,
    /// Every e-mail address, phone number and record id that it was ever given.
    pub identifiers: Vec<Identifier>,
    /// What people said about its rows, the earliest first.
    pub statements: Vec<Statement>,
    /// Runs that changed it by taking another back or by computing it anew, each with the one taken back.
    pub corrections: Vec<(String, Option<String>)>,
}

/// A submission in a story.
#[derive(Debug, Clone)]
pub struct StorySubmission {
    /// Its row.
    pub row: MemberRow,
    /// Its values.
    pub values: FieldValues,
    /// What joined it to which other submission; none for the first.
    pub joined_by: Option<(KeyKind, String)>,
    /// Repairs, suggestions and losses: code and message.
    pub notices: Vec<(String, String)>,
}

/// A touch in a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoryTouch {
    /// What it is, and how it is joined to the lead.
    pub joined: JoinedTouch,
    /// `file:line` that it came from.
    pub place: String,
}

/// Returns what `lead` did, the latest first.
fn touches(
    store: &Store,
    rules: &RuleSet,
    lead: LeadNo,
    submissions: &[StorySubmission],
) -> Result<Vec<StoryTouch>> {
    let own: BTreeSet<Identity> =
        submissions.iter().flat_map(|one| identities(&one.values, one.row.fingerprint)).collect();
    let own: Vec<Identity> = own.into_iter().collect();
    let joined = TouchBook::new(store, rules, RunNo(i64::MAX)).touches_of(lead, &own)?;
    let told = joined
        .into_iter()
        .rev()
        .map(|joined| Ok(StoryTouch { place: store.touch_place(joined.no)?, joined }));
    told.collect()
}

/// An e-mail address, a phone number or a record id that a lead was ever given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    /// `email`, `phone` or `external-id`.
    pub kind: &'static str,
    /// The value.
    pub value: String,
    /// Preset of the inputs that gave it.
    pub source: String,
    /// When it was first given, milliseconds since 1970 UTC.
    pub first_ms: i64,
    /// When it was last given, the same.
    pub last_ms: i64,
}

/// Returns the identifiers that `submissions` gave, by kind, value and source: what the view of that name
/// has, without looking at anybody else.
fn identifiers(submissions: &[StorySubmission]) -> Vec<Identifier> {
    const FIELDS: &[(&str, FieldNo)] = &[
        ("email", field::EMAIL),
        ("email", field::OTHER_EMAILS),
        ("phone", field::PHONE),
        ("phone", field::OTHER_PHONES),
        ("external-id", field::EXTERNAL_ID),
    ];
    let mut seen: BTreeMap<(&'static str, &str, &str), (i64, i64)> = BTreeMap::new();
    for one in submissions {
        let at_ms = one.row.submitted_ms;
        for (kind, field) in FIELDS {
            for value in one.values.get(*field).into_iter().flat_map(|text| text.split("; ")) {
                let span = seen.entry((kind, value, &one.row.source)).or_insert((at_ms, at_ms));
                *span = (span.0.min(at_ms), span.1.max(at_ms));
            }
        }
    }
    seen.into_iter()
        .map(|((kind, value, source), (first_ms, last_ms))| Identifier {
            kind,
            value: value.to_owned(),
            source: source.to_owned(),
            first_ms,
            last_ms,
        })
        .collect()
}

/// Returns the leads that `text` names: an id that was ever given out (an account's stands for its oldest lead), an
/// e-mail address or a phone number; a shared address or number may name several.
pub fn find(store: &Store, text: &str, e164: Option<&str>) -> Result<Vec<LeadNo>> {
    if let Some(lead) = find_by_id(store, text)? {
        return Ok(vec![lead]);
    }
    let hash = match e164 {
        Some(number) => phone_hash(number),
        None => email_hash(text),
    };
    // Second addresses and record ids are no keys, but whoever was ever given one is found by it.
    let Some(group) = store.key_group(hash, Horizon::Now)? else {
        return store.leads_once_called(e164.unwrap_or(text));
    };
    let mut leads = Vec::new();
    for holder in group.holders {
        leads.extend(store.lead_of(holder.submission)?);
    }
    leads.sort_unstable();
    leads.dedup();
    Ok(leads)
}

/// Returns the lead that `text` names by an id that was ever given out; an account's stands for its oldest lead.
pub fn find_by_id(store: &Store, text: &str) -> Result<Option<LeadNo>> {
    // An account is called after its oldest lead.
    let id = AccountId::oldest_of(text).or_else(|| text.parse().ok());
    id.map_or(Ok(None), |id| store.lead_by_id(id))
}

/// Returns how the lead that `text` is the id of came to be in no list, if it was taken back.
pub fn find_withdrawn(store: &Store, text: &str) -> Result<Option<Withdrawal>> {
    text.parse::<LeadId>().map_or(Ok(None), |id| store.last_withdrawal(id))
}

/// Returns `no` as lists show it.
pub fn lead(store: &Store, rules: &RuleSet, no: LeadNo) -> Result<Lead> {
    let rule_no = |id: &str| super::publish::rule_no(rules, id);
    store.lead(no, super::publish::read_as(rules, &rule_no, RunNo(0)))
}

/// Returns the story of the lead `no`.
pub fn tell(store: &Store, rules: &RuleSet, no: LeadNo, as_of_ms: i64) -> Result<Story> {
    let mut submissions = Vec::new();
    let mut consents = Vec::new();
    for member in store.members(no)? {
        let row = store.member_row(member.no)?;
        let values = decode_values(&row.fields, &rules.fields)?;
        let claims = claims(row.consents.as_deref())?;
        Telling::of_row(&row, &claims, &values).add_to(&mut consents, as_of_ms);
        submissions.push(StorySubmission {
            joined_by: store.link_of(member.no)?,
            notices: store.notices_of(member.no)?,
            row,
            values,
        });
    }
    let decisions = store.decisions_of(no)?;
    let members: Vec<MemberRow> = submissions.iter().map(|one| one.row.clone()).collect();
    for denial in denials(store, &members, RunNo(i64::MAX))? {
        denial.add_to(&mut consents, rules, as_of_ms)?;
    }
    let routing = match decisions.first() {
        Some(latest) => trace(store, rules, no, latest, &members)?,
        None => None,
    };
    Ok(Story {
        routing,
        lead: lead(store, rules, no)?,
        ids: store.ids_of(no)?,
        winners: store.winners_of(no)?,
        decisions,
        tasks: store.tasks_of(no, as_of_ms)?,
        events: store.events_of(no)?,
        touches: touches(store, rules, no, &submissions)?,
        identifiers: identifiers(&submissions),
        statements: store.statements_about(no)?,
        corrections: store.corrections_of(no)?,
        submissions,
        consents,
    })
}
