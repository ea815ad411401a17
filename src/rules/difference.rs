//! What tells two rule sets apart, in the terms of those who write them.

use serde::Serialize;

use super::RuleSet;
use super::scoring::Scale;
use crate::model::decision::{Group, Segment};

/// One rule that is otherwise in the second rule set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleEdit {
    /// What it is: `model`, `score`, `route`, `plan`, `queue`, `owner`, `threshold` or `file`.
    pub kind: &'static str,
    /// Its id; of a file its path.
    pub id: String,
    /// What is otherwise.
    pub edit: String,
}

/// Returns what is otherwise in `after`, in the order of files and rules; files that have no rules of their
/// own are named as a whole.
pub fn difference(before: &RuleSet, after: &RuleSet) -> Vec<RuleEdit> {
    let mut edits = thresholds(before, after);
    edits.extend(points(before, after));
    edits.extend(of_kind(
        "route",
        &before.routing.routes,
        &after.routing.routes,
        |route| &route.id,
        |was, is| {
            let mut parts = Vec::new();
            if was.queue != is.queue {
                parts.push(format!("queue {} → {}", was.queue, is.queue));
            }
            push_if(&mut parts, was.when != is.when, "another condition");
            push_if(&mut parts, was.owner != is.owner, "another owner");
            parts
        },
    ));
    let order = |rules: &RuleSet| -> Vec<String> {
        rules.routing.routes.iter().map(|route| route.id.clone()).collect()
    };
    let common = |mine: Vec<String>, theirs: &[String]| -> Vec<String> {
        mine.into_iter().filter(|id| theirs.contains(id)).collect()
    };
    let (was, is) = (order(before), order(after));
    if common(was.clone(), &is) != common(is, &was) {
        let edit = "routes stand in another order".to_owned();
        edits.push(RuleEdit { kind: "route", id: "order".to_owned(), edit });
    }
    edits.extend(of_kind(
        "queue",
        &before.routing.queues,
        &after.routing.queues,
        |queue| &queue.id,
        |was, is| {
            let pool = |queue: &super::routing::Queue| -> Vec<(String, i64)> {
                queue.pool.iter().map(|one| (one.owner.clone(), one.weight)).collect()
            };
            let mut parts = Vec::new();
            push_if(&mut parts, pool(was) != pool(is), "another pool");
            parts
        },
    ));
    edits.extend(of_kind(
        "owner",
        &before.routing.owners,
        &after.routing.owners,
        |owner| &owner.id,
        |was, is| {
            let mut parts = Vec::new();
            if was.active != is.active {
                parts.push(if is.active { "active" } else { "no longer active" }.to_owned());
            }
            push_if(&mut parts, was.absent != is.absent, "other absences");
            parts
        },
    ));
    edits.extend(of_kind(
        "plan",
        &before.followup.plans,
        &after.followup.plans,
        |plan| &plan.id,
        |_, _| Vec::new(),
    ));
    edits.extend(files(before, after));
    edits
}

/// Returns which models and scoring rules are otherwise.
fn points(before: &RuleSet, after: &RuleSet) -> Vec<RuleEdit> {
    let mut edits = of_kind(
        "model",
        &before.scoring.models,
        &after.scoring.models,
        |model| &*model.id,
        |was, is| {
            let mut parts = Vec::new();
            push_if(&mut parts, was.when != is.when, "another condition");
            parts
        },
    );
    edits.extend(of_kind(
        "score",
        &before.scoring.rules,
        &after.scoring.rules,
        |rule| &rule.id,
        |was, is| {
            let mut parts = Vec::new();
            if was.points != is.points {
                parts.push(format!("{:+} → {:+} points", was.points, is.points));
            }
            push_if(&mut parts, was.when != is.when, "another condition");
            push_if(&mut parts, was.group != is.group, "another group");
            push_if(&mut parts, was.decay != is.decay, "fades otherwise");
            push_if(&mut parts, was.count != is.count, "counts repeats otherwise");
            push_if(&mut parts, was.missing != is.missing, "other points for what is missing");
            push_if(&mut parts, was.models != is.models, "other models");
            parts
        },
    ));
    edits
}

fn push_if(parts: &mut Vec<String>, is_so: bool, words: &str) {
    if is_so {
        parts.push(words.to_owned());
    }
}

fn of_kind<T>(
    kind: &'static str,
    before: &[T],
    after: &[T],
    id: impl Fn(&T) -> &str,
    otherwise: impl Fn(&T, &T) -> Vec<String>,
) -> Vec<RuleEdit> {
    let edit = |id: &str, edit: String| RuleEdit { kind, id: id.to_owned(), edit };
    let mut edits = Vec::new();
    for is in after {
        match before.iter().find(|was| id(was) == id(is)) {
            None => edits.push(edit(id(is), "added".to_owned())),
            Some(was) => {
                let parts = otherwise(was, is);
                if !parts.is_empty() {
                    edits.push(edit(id(is), parts.join(", ")));
                }
            }
        }
    }
    for was in before.iter().filter(|was| !after.iter().any(|is| id(is) == id(was))) {
        edits.push(edit(id(was), "removed".to_owned()));
    }
    edits
}

fn thresholds(before: &RuleSet, after: &RuleSet) -> Vec<RuleEdit> {
    let (was, is) = (&before.scoring, &after.scoring);
    let mut edits = scales("", &was.scale, &is.scale);
    for model in &is.models {
        if let Some(earlier) = was.models.iter().find(|earlier| earlier.id == model.id) {
            edits.extend(scales(&format!("{}: ", model.id), &earlier.scale, &model.scale));
        }
    }
    let edit = match (&was.matrix, &is.matrix) {
        (None, Some(_)) => Some("added"),
        (Some(_), None) => Some("removed"),
        (was, is) if was != is => Some("changed"),
        _ => None,
    };
    edits.extend(edit.map(|edit| RuleEdit {
        kind: "threshold",
        id: "matrix".to_owned(),
        edit: edit.to_owned(),
    }));
    edits
}

/// Returns what is otherwise of caps and thresholds; `prefix` says whose they are.
fn scales(prefix: &str, was: &Scale, is: &Scale) -> Vec<RuleEdit> {
    let segment = |segment: Segment| segment.word().to_owned();
    let cap = |cap: Option<i32>| cap.map_or("none".to_owned(), |cap| cap.to_string());
    let mut found = vec![
        (segment(Segment::Warm), was.warm_from.to_string(), is.warm_from.to_string()),
        (segment(Segment::Hot), was.hot_from.to_string(), is.hot_from.to_string()),
        ("lowest".to_owned(), was.total.0.to_string(), is.total.0.to_string()),
        ("highest".to_owned(), was.total.1.to_string(), is.total.1.to_string()),
    ];
    found.extend(Group::ALL.iter().enumerate().map(|(at, (word, _))| {
        (format!("cap of {word}"), cap(was.group_caps[at]), cap(is.group_caps[at]))
    }));
    found
        .into_iter()
        .filter(|(_, was, is)| was != is)
        .map(|(id, was, is)| RuleEdit {
            kind: "threshold",
            id: format!("{prefix}{id}"),
            edit: format!("{was} → {is}"),
        })
        .collect()
}

fn files(before: &RuleSet, after: &RuleSet) -> Vec<RuleEdit> {
    of_kind(
        "file",
        &before.deciding,
        &after.deciding,
        |file| &file.path,
        |was, is| {
            let mut parts = Vec::new();
            push_if(&mut parts, was.text != is.text, "changed");
            parts
        },
    )
}
