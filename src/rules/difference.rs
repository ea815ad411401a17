//! What tells two rule sets apart, in the terms of those who write them.

use serde::Serialize;

use super::RuleSet;
use super::followup::{Plan, Step};
use super::routing::{Cap, Owner, Queue, Reassign, Route};
use super::scoring::{Model, Scale, ScoreRule, ScoringPolicy};
use crate::model::decision::{Group, Segment};

/// One rule that is otherwise in the second rule set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleEdit {
    /// What it is: `model`, `score`, `route`, `reassign`, `plan`, `queue`, `owner`, `threshold` or `file`.
    pub kind: &'static str,
    /// Its id; of a file its path.
    pub id: String,
    /// What is otherwise.
    pub edit: String,
}

/// Returns what is otherwise in `after`: thresholds, then rules kind by kind in the order of their files, and at
/// last every deciding file whose text is another, which covers what is no rule.
pub fn difference(before: &RuleSet, after: &RuleSet) -> Vec<RuleEdit> {
    let mut edits = thresholds(before, after);
    edits.extend(models(&before.scoring.models, &after.scoring.models));
    edits.extend(scores(&before.scoring, &after.scoring));
    edits.extend(routes(&before.routing.routes, &after.routing.routes));
    edits.extend(reassign(&before.routing.reassign, &after.routing.reassign));
    edits.extend(queues(&before.routing.queues, &after.routing.queues));
    edits.extend(owners(&before.routing.owners, &after.routing.owners));
    edits.extend(plans(&before.followup.plans, &after.followup.plans));
    edits.extend(files(before, after));
    edits
}

fn models(before: &[Model], after: &[Model]) -> Vec<RuleEdit> {
    let mut edits = of_kind(
        "model",
        before,
        after,
        |model| &*model.id,
        |was, is| {
            let mut parts = Vec::new();
            push_if(&mut parts, was.when != is.when, "another condition");
            // Its caps and thresholds are told by themselves.
            let same =
                Model { scale: was.scale.clone(), place: was.place.clone(), ..is.clone() } == *was;
            or_otherwise(parts, same)
        },
    );
    edits.extend(order("model", before, after, |model| &*model.id));
    edits
}

fn scores(before: &ScoringPolicy, after: &ScoringPolicy) -> Vec<RuleEdit> {
    let names = |policy: &ScoringPolicy, rule: &ScoreRule| -> Option<Vec<String>> {
        let models = rule.models.as_ref()?.iter();
        Some(models.map(|at| policy.models[*at].id.to_string()).collect())
    };
    of_kind(
        "score",
        &before.rules,
        &after.rules,
        |rule| &rule.id,
        |was, is| {
            let mut parts = Vec::new();
            if was.points != is.points {
                parts.push(format!("{:+} → {:+} points", was.points, is.points));
            }
            let models_differ = names(before, was) != names(after, is);
            push_if(&mut parts, was.when != is.when, "another condition");
            push_if(&mut parts, was.group != is.group, "another group");
            push_if(&mut parts, was.decay != is.decay, "fades otherwise");
            push_if(&mut parts, was.count != is.count, "counts repeats otherwise");
            push_if(&mut parts, was.missing != is.missing, "other points for what is missing");
            push_if(&mut parts, models_differ, "other models");
            let same = ScoreRule {
                models: was.models.clone(),
                place: was.place.clone(),
                points_place: was.points_place.clone(),
                ..is.clone()
            } == *was;
            or_otherwise(parts, same)
        },
    )
}

fn routes(before: &[Route], after: &[Route]) -> Vec<RuleEdit> {
    let mut edits = of_kind(
        "route",
        before,
        after,
        |route| &route.id,
        |was, is| {
            let mut parts = Vec::new();
            if was.queue != is.queue {
                parts.push(format!("queue {} → {}", was.queue, is.queue));
            }
            push_if(&mut parts, was.when != is.when, "another condition");
            push_if(&mut parts, was.owner != is.owner, "another owner");
            push_if(&mut parts, was.needs_skill != is.needs_skill, "needs other skills");
            push_if(&mut parts, was.when_nobody != is.when_nobody, NOBODY);
            let same = Route {
                place: was.place.clone(),
                queue_place: was.queue_place.clone(),
                owner_place: was.owner_place.clone(),
                skill_place: was.skill_place.clone(),
                ..is.clone()
            } == *was;
            or_otherwise(parts, same)
        },
    );
    edits.extend(order("route", before, after, |route| &route.id));
    edits
}

fn reassign(before: &[Reassign], after: &[Reassign]) -> Vec<RuleEdit> {
    let mut edits = of_kind(
        "reassign",
        before,
        after,
        |rule| &rule.id,
        |was, is| {
            let mut parts = Vec::new();
            let time = |rule: &Reassign| (rule.untouched_for, rule.window);
            if time(was) != time(is) {
                parts.push(format!("{} → {}", was.time_in_words(), is.time_in_words()));
            }
            push_if(&mut parts, was.when != is.when, "another condition");
            push_if(&mut parts, was.queues != is.queues, "other queues");
            push_if(&mut parts, was.escalation != is.escalation, "escalates otherwise");
            let same = Reassign {
                place: was.place.clone(),
                queue_places: was.queue_places.clone(),
                escalation_place: was.escalation_place.clone(),
                ..is.clone()
            } == *was;
            or_otherwise(parts, same)
        },
    );
    edits.extend(order("reassign", before, after, |rule| &rule.id));
    edits
}

fn queues(before: &[Queue], after: &[Queue]) -> Vec<RuleEdit> {
    of_kind(
        "queue",
        before,
        after,
        |queue| &queue.id,
        |was, is| {
            let pool = |queue: &Queue| -> Vec<(String, i64)> {
                queue.pool.iter().map(|one| (one.owner.clone(), one.weight)).collect()
            };
            let caps = |queue: &Queue| -> Vec<Vec<Cap>> {
                queue.pool.iter().map(|one| one.caps.clone()).collect()
            };
            let matching =
                |queue: &Queue| (queue.language, queue.skill, queue.skill_field, queue.hours);
            let mut parts = Vec::new();
            push_if(&mut parts, pool(was) != pool(is), "another pool");
            push_if(&mut parts, pool(was) == pool(is) && caps(was) != caps(is), "other caps");
            push_if(&mut parts, was.strategy != is.strategy, "shares its leads otherwise");
            push_if(&mut parts, matching(was) != matching(is), "matches owners otherwise");
            push_if(&mut parts, was.needs_skill != is.needs_skill, "needs other skills");
            push_if(&mut parts, was.when_nobody != is.when_nobody, NOBODY);
            if was.unattended != is.unattended {
                let words = if is.unattended { "unattended" } else { "no longer unattended" };
                parts.push(words.to_owned());
            }
            let same = Queue {
                pool: was.pool.clone(),
                place: was.place.clone(),
                skill_place: was.skill_place.clone(),
                ..is.clone()
            } == *was;
            or_otherwise(parts, same)
        },
    )
}

fn owners(before: &[Owner], after: &[Owner]) -> Vec<RuleEdit> {
    of_kind(
        "owner",
        before,
        after,
        |owner| &owner.id,
        |was, is| {
            let mut parts = Vec::new();
            if was.active != is.active {
                parts.push(if is.active { "active" } else { "no longer active" }.to_owned());
            }
            push_if(&mut parts, was.absent != is.absent, "other absences");
            push_if(&mut parts, was.caps != is.caps, "other caps");
            push_if(&mut parts, was.skills != is.skills, "other skills");
            let names = |owner: &Owner| (owner.name.clone(), owner.email.clone());
            let is_renamed = names(was) != names(is);
            let is_called = was.crm_names != is.crm_names && !is_renamed;
            push_if(&mut parts, is_called, "other names in the CRM");
            push_if(&mut parts, was.languages != is.languages, "other languages");
            push_if(&mut parts, was.zone != is.zone, "another zone");
            // Absences are taken out of the hours, and the zone is part of them.
            let told = was.absent != is.absent || was.zone != is.zone;
            push_if(&mut parts, !told && was.hours != is.hours, "other hours");
            or_otherwise(parts, Owner { place: was.place.clone(), ..is.clone() } == *was)
        },
    )
}

fn plans(before: &[Plan], after: &[Plan]) -> Vec<RuleEdit> {
    let mut edits = of_kind(
        "plan",
        before,
        after,
        |plan| &plan.id,
        |was, is| {
            let mut parts = Vec::new();
            push_if(&mut parts, was.segments != is.segments, "other segments");
            push_if(&mut parts, was.when != is.when, "another condition");
            let steps = of_kind(
                "step",
                &was.steps,
                &is.steps,
                |step| &step.id,
                |was, is| {
                    let same = Step { place: was.place.clone(), ..is.clone() } == *was;
                    if same { Vec::new() } else { vec!["changed".to_owned()] }
                },
            );
            let steps =
                steps.into_iter().chain(order("step", &was.steps, &is.steps, |one| &one.id));
            parts.extend(steps.map(|step| format!("step {}: {}", step.id, step.edit)));
            let same =
                Plan { steps: was.steps.clone(), place: was.place.clone(), ..is.clone() } == *was;
            or_otherwise(parts, same)
        },
    );
    edits.extend(order("plan", before, after, |plan| &plan.id));
    edits
}

/// What is told of a queue or a route that does something else when nobody takes a lead.
const NOBODY: &str = "another way when nobody takes a lead";

/// Returns `parts`; where there are none and the two are not the `same` but for their places, that they differ.
fn or_otherwise(mut parts: Vec<String>, same: bool) -> Vec<String> {
    let is_untold = parts.is_empty() && !same;
    push_if(&mut parts, is_untold, "changed otherwise");
    parts
}

/// Returns that those which were there before stand in another order, where the first that fits decides.
fn order<T>(
    kind: &'static str,
    before: &[T],
    after: &[T],
    id: impl Fn(&T) -> &str,
) -> Option<RuleEdit> {
    let common = |mine: &[T], theirs: &[T]| -> Vec<String> {
        let known = mine.iter().filter(|one| theirs.iter().any(|other| id(other) == id(one)));
        known.map(|one| id(one).to_owned()).collect()
    };
    (common(before, after) != common(after, before)).then(|| RuleEdit {
        kind,
        id: "order".to_owned(),
        edit: format!("{kind}s stand in another order"),
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::diagnostics::RuleText;
    use crate::rules::embedded::FILES;

    fn parse(file: &str, from: &str, to: &str) -> RuleSet {
        let decides = |path: &str| {
            ["rules/followup.toml", "rules/routing.toml", "rules/scoring.toml"].contains(&path)
                || path.starts_with("rules/templates/")
        };
        let files = FILES.iter().filter(|(path, _)| decides(path)).map(|(path, text)| {
            let text =
                if path.contains(file) { text.replacen(from, to, 1) } else { (*text).into() };
            RuleText { path: (*path).into(), text: text.into() }
        });
        let texts: Vec<RuleText> = files.collect();
        RuleSet::parse(&texts).unwrap_or_else(|found| panic!("{found}")).0
    }

    /// Asserts what is otherwise when `from` becomes `to` in the shipped `file`, which is named last.
    #[track_caller]
    fn check(file: &str, from: &str, to: &str, expected: &[&str]) {
        let edits = difference(&parse(file, "", ""), &parse(file, from, to));
        let (last, rules) = edits.split_last().expect("nothing is otherwise");
        assert_eq!((last.kind, &*last.edit), ("file", "changed"));
        let told: Vec<String> =
            rules.iter().map(|one| format!("{} {}: {}", one.kind, one.id, one.edit)).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn whatever_a_rule_says_is_compared() {
        let queue = |to: &str, expected: &str| {
            let to = format!("id = \"international\"\n{to}\nname");
            check("routing", "id = \"international\"\nname", &to, &[expected]);
        };
        queue(
            "strategy = 'least-loaded'\nper = 'week'",
            "queue international: shares its leads otherwise",
        );
        queue("needs-skill = 'ai'", "queue international: needs other skills");
        queue("match-hours = true", "queue international: matches owners otherwise");
        queue("when-nobody = 'next'", "queue international: another way when nobody takes a lead");
        check(
            "routing",
            "{ owner = \"jonas\", weight = 1 }",
            "{ owner = \"jonas\", weight = 1, cap = { leads = 2, per = 'day' } }",
            &["queue dach: other caps"],
        );
        check("routing", "name = \"DACH\"", "name = \"D\"", &["queue dach: changed otherwise"]);
        let owner = |to: &str, expected: &str| {
            let to = format!("id = \"anna\"\n{to}\nname");
            check("routing", "id = \"anna\"\nname", &to, &[expected]);
        };
        owner("cap = { leads = 2, per = 'day' }", "owner anna: other caps");
        owner("skills = ['ai']", "owner anna: other skills");
        owner("crm-names = ['0051']", "owner anna: other names in the CRM");
        owner("zone = 'Europe/Berlin'", "owner anna: another zone");
        owner("hours = 'Mo-Fr 06:00-08:00'", "owner anna: other hours");
        let marek = "\n\n[[owner]]\nid = \"marek\"";
        check(
            "routing",
            &format!("[\"pl\", \"en\"]{marek}"),
            &format!("[\"pl\"]{marek}"),
            &["owner anna: other languages"],
        );
        check(
            "routing",
            "\"anna@przyklad.pl\"",
            "\"a@przyklad.pl\"",
            &["owner anna: changed otherwise"],
        );
        check(
            "routing",
            "id = \"dach\"\nwhen",
            "id = \"dach\"\nwhen-nobody = 'next'\nwhen",
            &["route dach: another way when nobody takes a lead"],
        );
        check("followup", "after = \"15m\"", "after = \"20m\"", &["plan hot: step call: changed"]);
        check(
            "scoring",
            "because = \"Can be",
            "because = \"May be",
            &["score reachable-twice: changed otherwise"],
        );
    }

    #[test]
    fn another_order_is_told_where_the_first_decides() {
        let models = |first: &str, second: &str| {
            let model = |id: &str| {
                format!(
                    "[[model]]\nid = '{id}'\nbecause = 'b'\nwhen = {{ field = 'product', is = '{id}' }}\n"
                )
            };
            let rest = "[[model]]\nid = 'rest'\nbecause = 'b'\n";
            let to = format!("{}{}{rest}\n[[score]]", model(first), model(second));
            parse("scoring", "\n[[score]]", &to)
        };
        let edits = difference(&models("ai", "crm"), &models("crm", "ai"));
        assert_eq!((edits[0].kind, &*edits[0].edit), ("model", "models stand in another order"));
        assert_eq!(edits.len(), 2, "{edits:?}");
    }
}
