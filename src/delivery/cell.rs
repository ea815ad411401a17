//! What one cell of a CRM file shows: the value, the target's word for it, its length, its guard.

use std::borrow::Cow;
use std::fmt::Write as _;

use chrono_tz::Tz;

use super::crm::Lookups;
use super::rewrite::{rewrite, sha256};
use crate::model::decision::{Contribution, Group, ModelScores, Score};
use crate::model::field;
use crate::model::lead::Lead;
use crate::model::moment::utc_from_ms;
use crate::model::spreadsheet;
use crate::rules::field::{FieldCatalog, FieldKind};
use crate::rules::target::{Column, ColumnValue, Derived, Form, TooLong};

/// What a cell's text is proven to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellKind {
    Text,
    Phone,
    Number,
    Instant,
    Boolean,
}

/// The text of one cell, borrowed from the lead or the target wherever it stands there already.
pub(super) struct CellText<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) kind: CellKind,
}

/// Numbers prove themselves by their grammar; anything else in their columns is text like all other.
pub(super) fn guard_cell<'c>(cell: &'c CellText<'_>) -> Cow<'c, str> {
    let proven = match cell.kind {
        CellKind::Phone => spreadsheet::is_e164(&cell.text),
        CellKind::Number => spreadsheet::is_number(&cell.text),
        CellKind::Text | CellKind::Instant | CellKind::Boolean => false,
    };
    if proven { Cow::Borrowed(&cell.text) } else { spreadsheet::guard(&cell.text) }
}

pub(super) fn json(cell: &CellText<'_>) -> serde_json::Value {
    match (cell.kind, &*cell.text) {
        (_, "") => serde_json::Value::Null,
        (CellKind::Boolean, "true") => true.into(),
        (CellKind::Boolean, "false") => false.into(),
        // `%s` writes seconds since 1970, which programs want as a number.
        (CellKind::Number | CellKind::Instant, text) => text
            .parse::<i64>()
            .map(Into::into)
            .or_else(|_| text.parse::<f64>().map(Into::into))
            .unwrap_or_else(|_| text.into()),
        (_, text) => text.into(),
    }
}

/// Returns what `column` shows of `lead`, rewritten and cut as the target wants it.
pub(super) fn cell<'a>(
    column: &'a Column,
    lead: &'a Lead,
    fields: &FieldCatalog,
    lookups: &Lookups<'a>,
) -> CellText<'a> {
    if column.unless.iter().any(|value| has(value, lead, lookups)) {
        return CellText { text: "".into(), kind: CellKind::Text };
    }
    let (text, kind) = match &column.constant {
        Some(constant) => (Some(constant.as_str().into()), CellKind::Text),
        None => shown(column, lead, fields, lookups),
    };
    let text = text.or_else(|| column.default.as_deref().map(Cow::Borrowed)).unwrap_or_default();
    let mut cell = CellText { text, kind: proven(column.form, kind) };
    spell(column, &mut cell);
    cell
}

/// Returns whether `value` of `lead` is there.
pub(super) fn has<'a>(value: &ColumnValue, lead: &'a Lead, lookups: &Lookups<'a>) -> bool {
    text_of(value, None, lead, lookups).is_some()
}

/// Returns the value in the target's words, and what kind of value it is.
fn shown<'a>(
    column: &'a Column,
    lead: &'a Lead,
    fields: &FieldCatalog,
    lookups: &Lookups<'a>,
) -> (Option<Cow<'a, str>>, CellKind) {
    let text_of = |value: &ColumnValue| text_of(value, column.format.as_deref(), lead, lookups);
    if let Some(join) = &column.join {
        let texts: Vec<Cow<'_, str>> = column.from.iter().filter_map(text_of).collect();
        let joined = (!texts.is_empty()).then(|| texts.join(join).into());
        return (joined, CellKind::Text);
    }
    let found = column.from.iter().find_map(|value| Some((text_of(value)?, kind(value, fields))));
    let Some((text, kind)) = found else { return (None, CellKind::Text) };
    match column.map.get(&*text).or(column.map_others_to.as_ref()) {
        // The target's own word may be of any kind.
        Some(word) => (Some(Cow::Borrowed(word.as_str())), CellKind::Text),
        None => (Some(text), kind),
    }
}

fn text_of<'a>(
    value: &ColumnValue,
    format: Option<&str>,
    lead: &'a Lead,
    lookups: &Lookups<'a>,
) -> Option<Cow<'a, str>> {
    let text = match value {
        ColumnValue::Field(number) => lead.values.get(*number).map(Cow::Borrowed),
        ColumnValue::Derived(derived) => derive(*derived, format, lead, lookups),
        ColumnValue::Consent(purpose, channel) => {
            let mut said = lookups.consents.iter();
            let said = said.find(|(of, through, _)| of == purpose && through == channel);
            said.map(|(.., allowed)| flag(*allowed))
        }
    };
    text.filter(|text| !text.is_empty())
}

fn spell(column: &Column, cell: &mut CellText<'_>) {
    if let Some(how) = column.rewrite {
        cell.text = rewrite(&cell.text, how).into();
    }
    if column.is_hashed {
        cell.text = sha256(&cell.text).into_owned().into();
        cell.kind = CellKind::Text;
    }
    if !column.prefix.is_empty() && !cell.text.is_empty() {
        cell.text.to_mut().insert_str(0, &column.prefix);
    }
    if column.too_long == TooLong::Cut
        && let Some(most) = column.max_length
        && let Some((end, _)) = cell.text.char_indices().nth(most)
    {
        cell.text.to_mut().truncate(end);
    }
}

/// What the target says that it takes tells more than where the value is from.
fn proven(form: Option<Form>, kind: CellKind) -> CellKind {
    match form {
        Some(Form::Number | Form::Integer) => CellKind::Number,
        Some(Form::Boolean) => CellKind::Boolean,
        Some(Form::Phone) => CellKind::Phone,
        _ => kind,
    }
}

fn flag(holds: bool) -> Cow<'static, str> {
    if holds { "true" } else { "false" }.into()
}

fn kind(value: &ColumnValue, fields: &FieldCatalog) -> CellKind {
    match value {
        ColumnValue::Field(number) => match fields.spec(*number).kind {
            FieldKind::Phone => CellKind::Phone,
            FieldKind::Number => CellKind::Number,
            FieldKind::Boolean => CellKind::Boolean,
            // The catalog may come without a rule file; E.164 is what the core field holds by contract.
            _ if *number == field::PHONE => CellKind::Phone,
            _ => CellKind::Text,
        },
        ColumnValue::Consent(..) => CellKind::Boolean,
        ColumnValue::Derived(derived) => match derived {
            Derived::Score
            | Derived::ScoreFit
            | Derived::ScoreIntent
            | Derived::ScoreBehavior
            | Derived::ScoreQuality
            | Derived::ConversionValue
            | Derived::NSubmissions => CellKind::Number,
            Derived::ConsentMarketingEmail | Derived::ConsentMarketingPhone | Derived::IsNew => {
                CellKind::Boolean
            }
            known if known.is_instant() => CellKind::Instant,
            _ => CellKind::Text,
        },
    }
}

fn derive<'a>(
    derived: Derived,
    format: Option<&str>,
    lead: &'a Lead,
    lookups: &Lookups<'a>,
) -> Option<Cow<'a, str>> {
    let group = |group: Group| lead.score.groups[group as usize].to_string().into();
    Some(match derived {
        Derived::TaskId => lookups.task?.0.id().into(),
        Derived::TaskSubject => lookups.task?.0.planned.subject.clone().into(),
        Derived::TaskText => lookups.task?.1.trim_end().to_owned().into(),
        Derived::TaskChannel => lookups.task?.0.planned.channel.word().into(),
        Derived::TaskDue => instant(lookups.task?.0.planned.due_ms, format, lookups.zone)?.into(),
        Derived::TaskBecause => lookups.task?.0.planned.because.clone().into(),
        Derived::LeadId => lead.id.to_string().into(),
        Derived::FullName => lead.display_name().into(),
        Derived::EmailLocalPart => lead.values.get(field::EMAIL)?.rsplit_once('@')?.0.into(),
        Derived::Segment => lead.score.segment.word().into(),
        Derived::Score => lead.score.total.to_string().into(),
        Derived::ScoreFit => group(Group::Fit),
        Derived::ScoreIntent => group(Group::Intent),
        Derived::ScoreBehavior => group(Group::Behavior),
        Derived::ScoreQuality => group(Group::Quality),
        Derived::Action => (lookups.action)(&lead.score).into(),
        Derived::Grade => lead.score.grade?.word().into(),
        Derived::Model => lead.score.models.primary_id()?.into(),
        Derived::ModelScores => model_scores(&lead.score.models)?.into(),
        Derived::ScoreReasons => score_reasons(&lead.score, lookups.score_reason).into(),
        Derived::Owner => lead.owner.as_deref()?.into(),
        Derived::OwnerEmail => (lookups.owner_email)(lead.owner.as_deref()?)?.into(),
        Derived::OwnerName => (lookups.owner_name)(lead.owner.as_deref()?)?.into(),
        Derived::RecordId => lookups.record_id?.into(),
        Derived::ConversionId => {
            format!("{}/{}", lead.id, lookups.conversion?.conversion.id).into()
        }
        Derived::ConversionName => lookups.conversion?.conversion.name.as_str().into(),
        Derived::ConversionTime => instant(lookups.conversion?.at_ms, format, lookups.zone)?.into(),
        Derived::ConversionValue => lookups.conversion?.worth().0.into(),
        Derived::ConversionCurrency => lookups.conversion?.worth().1.into(),
        Derived::Queue => lead.queue.as_str().into(),
        Derived::RoutingReason => lead.routing_reason.as_str().into(),
        Derived::NSubmissions => lead.n_submissions.to_string().into(),
        Derived::FirstSubmittedAt => instant(lead.first_submitted_ms, format, lookups.zone)?.into(),
        Derived::LastSubmittedAt => instant(lead.last_submitted_ms, format, lookups.zone)?.into(),
        Derived::ConsentMarketingEmail => flag(lead.marketing_email_allowed),
        Derived::ConsentMarketingPhone => flag(lead.marketing_phone_allowed),
        Derived::IsNew => flag(lead.is_new),
    })
}

/// Returns every reason with its points, the strongest first, ties in rule order: `a reason (+15); …`.
pub fn score_reasons(score: &Score, reason: &dyn Fn(&Contribution) -> String) -> String {
    let mut contributions: Vec<_> = score.contributions.iter().filter(|c| c.points != 0).collect();
    contributions.sort_by_key(|contribution| (-contribution.points.abs(), contribution.rule));
    let texts: Vec<String> = contributions
        .iter()
        .map(|given| format!("{} ({:+})", reason(given), given.points))
        .collect();
    texts.join("; ")
}

/// Returns what each model says, the one that decided first: `ai=72; crm=40`; `None` without models.
fn model_scores(models: &ModelScores) -> Option<String> {
    let primary = models.totals.get(models.primary)?;
    let others = models.totals.iter().enumerate().filter(|(at, _)| *at != models.primary);
    let texts: Vec<String> = std::iter::once(primary)
        .chain(others.map(|(_, one)| one))
        .map(|(id, total)| format!("{id}={total}"))
        .collect();
    Some(texts.join("; "))
}

fn instant(epoch_ms: i64, format: Option<&str>, zone: Tz) -> Option<String> {
    let local = utc_from_ms(epoch_ms).with_timezone(&zone);
    let mut text = String::new();
    let format = format.unwrap_or("%Y-%m-%dT%H:%M:%S%:z");
    // `Target::decode` has checked the format, so an instant of ours always goes through it.
    write!(text, "{}", local.format(format)).ok()?;
    Some(text)
}
