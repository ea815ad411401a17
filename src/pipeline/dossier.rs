//! Everything that is known about a person, gathered for `subject export`.

use std::path::Path;

use anyhow::Result;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

use super::story::{Story, tell};
use super::subject::Subject;
use crate::delivery::erasing;
use crate::model::ids::LeadNo;
use crate::model::moment::utc_from_ms;
use crate::report::dossier::{
    DecidedThis, DidThis, Dossier, GivenTo, KnownIdentifier, KnownValue, ReceivedRow, SaidYesOrNo,
    ToDo, UsedFor,
};
use crate::rules::RuleSet;
use crate::rules::scoring::reason;
use crate::store::Store;

/// Returns everything that `store` and the files below `out_dir` have of `lead`.
pub fn dossier(
    store: &Store,
    rules: &RuleSet,
    out_dir: &Path,
    lead: LeadNo,
    as_of: DateTime<Utc>,
) -> Result<Dossier> {
    let story = tell(store, rules, lead, as_of.timestamp_millis())?;
    let subject = Subject::gather(store, rules, &[lead])?;
    let mut ids = vec![story.lead.id.to_string()];
    ids.extend(story.ids.iter().filter(|id| **id != ids[0]).cloned().collect::<Vec<_>>());
    Ok(Dossier {
        format: "leadmill-subject-1",
        as_of: as_of.to_rfc3339_opts(SecondsFormat::Secs, true),
        controller: rules.workspace.controller.said(),
        values: values(&story, rules),
        identifiers: story
            .identifiers
            .iter()
            .map(|one| KnownIdentifier {
                kind: one.kind.to_owned(),
                value: one.value.clone(),
                first_seen: instant(one.first_ms),
                last_seen: instant(one.last_ms),
                source: one.source.clone(),
            })
            .collect(),
        rows: rows(store, &subject)?,
        touches: story
            .touches
            .iter()
            .map(|one| DidThis {
                at: instant(one.joined.touch.at_ms),
                kind: one.joined.touch.kind.clone(),
                detail: one.joined.touch.about(),
                known_by: one.joined.by.to_string(),
            })
            .collect(),
        decisions: decisions(&story, rules),
        tasks: story
            .tasks
            .iter()
            .map(|one| ToDo {
                subject: one.planned.subject.clone(),
                channel: one.planned.channel.word().to_owned(),
                due: instant(one.planned.due_ms),
                state: one.planned.state.word().to_owned(),
                because: one.planned.because.clone(),
            })
            .collect(),
        consents: story
            .consents
            .iter()
            .map(|one| SaidYesOrNo {
                at: instant(one.event_at_ms),
                purpose: one.purpose.to_string(),
                channel: one.channel.word().to_owned(),
                state: one.state.word().to_owned(),
                wording: one.wording.clone(),
                mechanism: one.mechanism.clone(),
                place: one.evidence.clone(),
            })
            .collect(),
        statements: story.statements.iter().map(|one| one.because.clone()).collect(),
        purposes: purposes(rules),
        recipients: recipients(rules, out_dir, &subject)?,
        ids,
    })
}

fn instant(epoch_ms: i64) -> String {
    utc_from_ms(epoch_ms).to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn values(story: &Story, rules: &RuleSet) -> Vec<KnownValue> {
    let place = |name: &str| {
        let winner = story.winners.get(name).or_else(|| story.winners.get("*"));
        let mut submissions = story.submissions.iter();
        let found = match winner {
            Some(winner) => submissions.find(|one| one.row.no == *winner),
            None => submissions.next(),
        };
        found.map_or_else(String::new, |one| one.row.evidence.clone())
    };
    let values = story.lead.values.iter();
    values
        .map(|(field, value)| {
            let field = rules.fields.name(field).to_owned();
            KnownValue { from: place(&field), value: value.to_owned(), field }
        })
        .collect()
}

fn rows(store: &Store, subject: &Subject) -> Result<Vec<ReceivedRow>> {
    let mut rows = Vec::new();
    for (kind, numbers) in [
        ("s", subject.belongings.submissions.iter().map(|one| one.0).collect::<Vec<_>>()),
        ("q", subject.belongings.quarantined.clone()),
        ("h", subject.belongings.held.clone()),
    ] {
        for no in numbers {
            let row = store.row_as_received(kind, no)?;
            rows.push(ReceivedRow {
                place: row.place,
                source: row.source,
                sent_at: row.sent_ms.map(instant).unwrap_or_default(),
                status: match kind {
                    "s" => "accepted",
                    "q" => "quarantined",
                    _ => "held",
                },
                received: with_names(&row.header, &row.raw)?,
            });
        }
    }
    Ok(rows)
}

/// Returns a row with the name of its column beside each cell; one that carries its own names has them already.
fn with_names(header: &[String], raw: &str) -> Result<Value> {
    let value: Value = serde_json::from_str(raw)?;
    let Value::Array(cells) = &value else { return Ok(value) };
    let (names, cells): (Vec<String>, &[Value]) = match &cells[..] {
        [Value::Array(names), Value::Array(cells)] => {
            let name = |name: &Value| name.as_str().unwrap_or_default().to_owned();
            (names.iter().map(name).collect(), cells)
        }
        cells => (header.to_vec(), cells),
    };
    let mut named = Map::new();
    for (at, cell) in cells.iter().enumerate() {
        let name = names.get(at).filter(|name| !name.is_empty() && !named.contains_key(*name));
        named.insert(name.cloned().unwrap_or_else(|| format!("column {}", at + 1)), cell.clone());
    }
    Ok(Value::Object(named))
}

fn decisions(story: &Story, rules: &RuleSet) -> Vec<DecidedThis> {
    let decided = story.decisions.iter().map(|one| DecidedThis {
        at: instant(one.as_of_ms),
        score: one.score,
        segment: one.segment.clone(),
        with: one.owner.clone().unwrap_or_else(|| one.queue.clone()),
        routing: one.reason.clone(),
        reasons: one
            .contributions
            .iter()
            .map(|given| {
                let rule = rules.scoring.rules.iter().find(|rule| rule.id == given.rule);
                let because = rule.map(|rule| rule.because.as_str());
                (given.points, reason(given.group, given.points, &given.basis, because))
            })
            .collect(),
    });
    decided.collect()
}

/// Returns what each purpose needs, as the rules say.
pub fn purposes(rules: &RuleSet) -> Vec<UsedFor> {
    let gates = rules.consent.gates.iter().map(|gate| UsedFor {
        purpose: gate.purpose.to_string(),
        channels: gate.channels.iter().map(|one| one.word()).collect::<Vec<_>>().join(", "),
        requires: gate.requires.word().to_owned(),
        because: gate.because.clone(),
        source: gate.source.clone().unwrap_or_default(),
    });
    gates.collect()
}

fn recipients(rules: &RuleSet, out_dir: &Path, subject: &Subject) -> Result<Vec<GivenTo>> {
    let target = |file: &str| {
        let found = rules.targets.iter().find(|target| target.file == file);
        found.map_or_else(String::new, |target| target.id.clone())
    };
    let found = erasing::find(out_dir, &subject.traces)?.into_iter().map(|one| GivenTo {
        target: target(&one.file),
        run: one.run,
        file: one.file,
        rows: one.parts,
    });
    Ok(found.collect())
}
