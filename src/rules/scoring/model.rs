//! `[[model]]`: one score for each product, and which of them counts for a lead.

use super::scale::Scale;
use crate::model::decision::{Group, Segment};
use crate::rules::condition::{Condition, ConditionContext};
use crate::rules::decode::Table;
use crate::rules::diagnostics::Place;
use std::sync::Arc;

/// Models that a policy may have.
const MODELS_MAX: usize = 16;

/// A score of its own, from the rules that belong to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Stable id.
    pub id: Arc<str>,
    /// Name as people say it.
    pub name: String,
    /// Which leads it decides about, unless one above it does.
    pub when: Condition,
    /// Why, in words that a salesperson understands.
    pub because: String,
    /// Its caps and thresholds.
    pub scale: Scale,
    /// Where it stands.
    pub place: Place,
}

impl Model {
    /// Reads every `[[model]]`; `scale` is what holds where one has none of its own.
    pub(super) fn decode_all(
        root: &Table<'_>,
        context: &ConditionContext<'_>,
        scale: &Scale,
        has_matrix: bool,
    ) -> Vec<Self> {
        let models = root.tables("model", |table| decode(table, context, scale, has_matrix));
        if models.len() > MODELS_MAX {
            root.error("model", format!("there are more than {MODELS_MAX} models"), None);
        }
        check_order(&models, root);
        models
    }
}

fn decode(
    table: &Table<'_>,
    context: &ConditionContext<'_>,
    scale: &Scale,
    has_matrix: bool,
) -> Model {
    let id = table.string("id");
    if Group::ALL.iter().any(|(word, _)| *word == id) {
        let message = format!("`{id}` is a group: `score-{id}` would be two things");
        table.error("id", message, Some("choose another id".to_owned()));
    }
    let because = table.opt_string("because").unwrap_or_default();
    if because.trim().is_empty() {
        let hint = "one line that tells a salesperson why: because = \"Asked about AI\"".to_owned();
        let message = format!("model `{id}` has no `because`");
        table.sink().error(&table.place_of("id"), message, Some(hint));
    }
    let when = Condition::decode_key(table, "when", context).unwrap_or_else(Condition::always);
    if when.looks_at_score() {
        let hint = "look at what the lead is or asked for".to_owned();
        table.error("when", "a model cannot be chosen by the score it gives", Some(hint));
    }
    let mut scale = scale.clone();
    scale.decode(table);
    table.table("segment", |segments| {
        for (word, segment) in Segment::ALL.iter().filter(|(_, one)| *one != Segment::Cold) {
            segments.table(word, |inner| scale.decode_from(*segment, inner));
        }
        if has_matrix {
            let hint = "move what differs into rules of the model".to_owned();
            segments.sink().error(segments.place(), "the matrix says the segment", Some(hint));
        }
    });
    scale.check(table);
    Model {
        name: table.opt_string("name").unwrap_or_else(|| id.clone()),
        id: id.into(),
        when,
        because,
        scale,
        place: table.place_of("id"),
    }
}

/// The first model whose `when` a lead meets decides; so the last takes every lead, and no other does.
fn check_order(models: &[Model], root: &Table<'_>) {
    for (at, model) in models.iter().enumerate() {
        let earlier = &models[..at];
        if let Some(same) = earlier.iter().find(|earlier| earlier.id == model.id) {
            let message = format!("model `{}` exists already", model.id);
            let hint = format!("the first one is on line {}; ids are unique", same.place.line());
            root.sink().error(&model.place, message, Some(hint));
        } else if let Some(wide) = earlier.iter().find(|one| model.when.implies_same(&one.when)) {
            let message = format!(
                "model `{}` is never chosen: `{}` (line {}) is above it and takes its leads",
                model.id,
                wide.id,
                wide.place.line()
            );
            let hint = "put the narrower model first, the one without `when` last".to_owned();
            root.sink().error(&model.place, message, Some(hint));
        }
    }
    if let Some(last) = models.last().filter(|last| !last.when.is_always()) {
        let message = format!("a lead that is not for model `{}` would have no score", last.id);
        let hint = "leave `when` out of the last model, or add one without".to_owned();
        root.sink().error(&last.place, message, Some(hint));
    }
}
