//! What outcomes teach: for each lead that has one, the rules that it met when it was young, and how it ended.

use std::collections::BTreeSet;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};

use super::candidate::score_as_of;
use super::touched::TouchBook;
use crate::identity::keys::identities;
use crate::model::decision::{Basis, Score};
use crate::model::field;
use crate::model::ids::{LeadNo, RunNo};
use crate::model::moment::utc_from_ms;
use crate::model::touch::{Identity, Touch};
use crate::rules::RuleSet;
use crate::rules::field::fold_header;
use crate::rules::scoring::ScoringPolicy;
use crate::scoring::calibration::Lesson;
use crate::store::Store;
use crate::store::codec::decode_values;
use crate::store::leads::MemberRow;
use crate::store::rescore::RescoreScope;

/// Leads that are read before their touches are forgotten again.
const LEADS_PER_CHUNK: usize = 512;

/// A meeting: somebody has a date with us, or has had one.
pub const MEETING: &[&str] = &["meeting-booked", "meeting-held"];

/// What is asked of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Kinds of touches, and meanings of a CRM's status, that are a good end.
    pub successes: Vec<String>,
    /// A good end counts when it comes within this time of the first submission.
    pub window: TimeDelta,
    /// How long after its first submission a lead is looked at.
    pub known_after: TimeDelta,
    /// The instant that counts as now.
    pub as_of: DateTime<Utc>,
}

/// What the store teaches.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lessons {
    /// One for each lead whose end is known.
    pub lessons: Vec<Lesson>,
    /// Leads whose window is still open.
    pub young: u64,
    /// Leads of which nothing is known as it was then: their rows were changed since.
    pub changed_since: u64,
}

/// Returns what the leads of `store` teach under `rules`, to each of `questions` its own.
///
/// Only leads whose window is over teach anything, however they ended: of the younger ones only the quick would be in.
/// Every lead is scored as it was `known_after` its first submission, or when it ended well, if that was earlier: what
/// was sent, done or changed later is left out, and so is the CRM's status, or the outcome would explain itself.
pub fn gather<const N: usize>(
    store: &Store,
    rules: &RuleSet,
    questions: [&Question; N],
) -> Result<[Lessons; N]> {
    let mut found: [Lessons; N] = std::array::from_fn(|_| Lessons::default());
    let mut after = LeadNo(0);
    loop {
        let leads = store.standing_leads(RescoreScope::default(), after, false, LEADS_PER_CHUNK)?;
        let Some(last) = leads.last() else { return Ok(found) };
        after = last.no;
        let mut book = TouchBook::new(store, rules, RunNo(i64::MAX));
        for lead in &leads {
            let members = store.member_numbers(lead.no)?;
            let rows: Vec<MemberRow> =
                members.iter().map(|no| store.member_row(*no)).collect::<Result<_>>()?;
            let (identities, status) = known_of(&rows, rules)?;
            let touches: Vec<Touch> = book
                .touches_of(lead.no, &identities)?
                .into_iter()
                .map(|joined| joined.touch)
                .collect();
            for (question, found) in questions.into_iter().zip(&mut found) {
                learn(rows.clone(), touches.clone(), &status, rules, question, found)?;
            }
        }
    }
}

/// What a CRM's status means, and when the row was changed last, in milliseconds since 1970 UTC, if it says so.
struct Status {
    kind: &'static str,
    changed_ms: Option<i64>,
}

fn known_of(rows: &[MemberRow], rules: &RuleSet) -> Result<(Vec<Identity>, Vec<Status>)> {
    let (mut own, mut status) = (BTreeSet::new(), Vec::new());
    for row in rows {
        let values = decode_values(&row.fields, &rules.fields)?;
        own.extend(identities(&values, row.fingerprint));
        let kind = values
            .get(field::CRM_STATUS)
            .and_then(|text| rules.tables.touch_kind(&fold_header(text)));
        status.extend(kind.map(|kind| Status { kind, changed_ms: row.modified_ms }));
    }
    Ok((own.into_iter().collect(), status))
}

fn learn(
    mut rows: Vec<MemberRow>,
    mut touches: Vec<Touch>,
    status: &[Status],
    rules: &RuleSet,
    question: &Question,
    found: &mut Lessons,
) -> Result<()> {
    // That somebody is in a CRM is no enquiry; where nobody ever enquired, it is all there is to count from.
    let in_order = |row: &&MemberRow| (!row.is_enquiry, row.submitted_ms, row.fingerprint);
    let Some(first) = rows.iter().min_by_key(in_order) else {
        return Ok(());
    };
    let first_ms = first.submitted_ms;
    let key = u64::from_be_bytes(std::array::from_fn(|at| first.fingerprint.0[at]));
    let is_success = |kind: &str| question.successes.iter().any(|success| success == kind);
    let as_of_ms = question.as_of.timestamp_millis();
    let closes_ms = first_ms.saturating_add(question.window.num_milliseconds());
    if closes_ms > as_of_ms {
        found.young += 1;
        return Ok(());
    }
    let looked_ms = first_ms.saturating_add(question.known_after.num_milliseconds());
    // An end from before the lead came is none of this enquiry. A status without a time of its own is true by now.
    let in_window = first_ms..=closes_ms;
    let ended = touches
        .iter()
        .map(|touch| (touch.kind.as_str(), touch.at_ms))
        .chain(status.iter().map(|one| (one.kind, one.changed_ms.unwrap_or(closes_ms))))
        .filter(|(kind, at_ms)| is_success(kind) && in_window.contains(at_ms))
        .map(|(_, at_ms)| at_ms)
        .min();
    let until_ms = ended.map_or(looked_ms, |at_ms| at_ms.min(looked_ms));
    rows.retain(|row| row.submitted_ms <= until_ms && row.changed_ms() <= until_ms);
    if rows.is_empty() {
        found.changed_since += 1;
        return Ok(());
    }
    touches.retain(|touch| touch.at_ms <= until_ms && !is_success(&touch.kind));
    let at = utc_from_ms(until_ms);
    let score = score_as_of(&rows, &touches, rules, at, field::CRM_STATUS)?;
    let mut unlearned = [0; 4];
    for one in score.contributions.iter().filter(|one| matches!(one.basis, Basis::Missing(_))) {
        unlearned[one.group as usize] += one.points;
    }
    found.lessons.push(Lesson {
        key,
        given: given(&score, &rules.scoring),
        unlearned,
        model: score.models.primary,
        succeeded: ended.is_some(),
    });
    Ok(())
}

/// Returns which rules were met, each with the part of its points that the lead had.
fn given(score: &Score, policy: &ScoringPolicy) -> Vec<(u16, f64)> {
    let of_rules = score
        .contributions
        .iter()
        .filter(|one| matches!(one.basis, Basis::Met | Basis::Repeated { .. }));
    let mut given: Vec<(u16, f64)> = of_rules
        .map(|one| {
            let whole = policy.rules[usize::from(one.rule)].points;
            (one.rule, f64::from(one.points) / f64::from(whole))
        })
        .collect();
    given.sort_unstable_by_key(|(rule, _)| *rule);
    given
}
