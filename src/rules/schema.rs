//! JSON schemas of the rule files, for editors: made of what the readers of these files ask for.
//!
//! Draft 7, which taplo (and so VS Code's Even Better TOML) reads. Nothing here says what a file may hold:
//! the shipped rules, files with nothing in them and a sample of every operator are read, and what their
//! readers asked for is written down. Only the sentences that an editor shows are kept by hand.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::condition::vocabulary::{Vocabulary, samples};
use super::decode::Sink;
use super::diagnostics::RuleText;
use super::schema_words::sentence;
use super::shape::{KeyShape, Kind, Recording, Shape, SharedShape};
use super::{RuleSet, condition};

/// The form of a duration: `90s`, `5m`, `48h`, `7d`, `2w`.
const DURATION: &str = "^\\s*[0-9]+\\s*[smhdw]\\s*$";

/// Returns a schema for each kind of rule file, by its name: `scoring`, `sources`, `tests`, ….
///
/// `texts` are the rules of the workspace over the shipped ones; their fields are those that conditions and
/// tests may name.
pub fn schemas(texts: &[RuleText]) -> BTreeMap<String, Value> {
    let recording = Recording::default();
    let rules = RuleSet::read(texts, &Sink::noting(&recording, false));
    let without_text = |one: &RuleText| RuleText { path: one.path.clone(), text: "".into() };
    let empty: Vec<RuleText> = texts.iter().map(without_text).collect();
    RuleSet::read(&empty, &Sink::noting(&recording, true));
    RuleSet::read(&[samples()], &Sink::noting(&recording, false));
    let fields: Vec<String> =
        Vocabulary::of(&rules).operands().map(|one| one.name.clone()).collect();
    let writer = Writer { fields, named: recording.all_named() };
    let files = recording.files().into_iter().filter(|(kind, _)| !kind.contains('/'));
    files.map(|(kind, shape)| (kind.clone(), writer.document(&kind, &shape.borrow()))).collect()
}

struct Writer {
    /// What `field` may name.
    fields: Vec<String>,
    named: BTreeMap<&'static str, SharedShape>,
}

impl Writer {
    fn document(&self, kind: &str, shape: &Shape) -> Value {
        let mut definitions = Map::new();
        for (name, shape) in &self.named {
            definitions.insert((*name).to_owned(), self.named_table(name, &shape.borrow()));
        }
        let mut document = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": format!("leadmill: rules/{}", file_of(kind)),
        });
        let body = self.table(kind, shape);
        if let (Some(document), Value::Object(body)) = (document.as_object_mut(), body) {
            document.extend(body);
            // Only files with conditions need what these are.
            if Value::Object(document.clone()).to_string().contains("#/definitions/") {
                document.insert("definitions".to_owned(), Value::Object(definitions));
            }
        }
        document
    }

    /// Writes a table that stands in many places; all of its kind have the same keys.
    fn named_table(&self, name: &str, shape: &Shape) -> Value {
        let mut value = self.closed(name, shape);
        if name == condition::NAME
            && let Some(object) = value.as_object_mut()
        {
            let shapes = condition::SHAPES.iter().map(|key| json!({ "required": [key] }));
            object.insert("anyOf".to_owned(), Value::Array(shapes.collect()));
            object["properties"]["field"]["enum"] = json!(self.fields);
        }
        value
    }

    fn table(&self, path: &str, shape: &Shape) -> Value {
        if let Some(name) = shape.name {
            return json!({ "$ref": format!("#/definitions/{name}") });
        }
        match (shape.is_open, path) {
            (false, _) => self.closed(path, shape),
            // Any field, and some facts that are none.
            (true, "tests/test/given") => {
                let mut given = self.closed(path, shape);
                for field in &self.fields {
                    let value = &mut given["properties"][field];
                    if value.is_null() {
                        *value = json!({ "type": ["string", "number", "boolean"] });
                    }
                }
                given
            }
            (true, _) => json!({ "type": "object" }),
        }
    }

    fn closed(&self, path: &str, shape: &Shape) -> Value {
        let properties: Map<String, Value> = shape
            .keys
            .iter()
            .map(|(key, of)| (key.clone(), self.key(&format!("{path}/{key}"), of)))
            .collect();
        let required: Vec<&String> =
            shape.keys.iter().filter(|(_, of)| of.is_required).map(|(key, _)| key).collect();
        let mut object = json!({
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        });
        if !required.is_empty() {
            object["required"] = json!(required);
        }
        object
    }

    fn key(&self, path: &str, of: &KeyShape) -> Value {
        let mut forms: Vec<Value> = Vec::new();
        let has = |wanted: fn(&Kind) -> bool| of.kinds.iter().any(wanted);
        let exact = has(|kind| matches!(kind, Kind::Choice(_) | Kind::Duration));
        let exact_list = has(|kind| matches!(kind, Kind::Choices(_)));
        for kind in &of.kinds {
            match kind {
                // Read as texts first, which are then held against words or units.
                Kind::Text if exact => {}
                Kind::Texts if exact_list => {}
                Kind::Table | Kind::Tables => {
                    let inner = of.table.as_ref();
                    let table = inner.map_or(json!({ "type": "object" }), |inner| {
                        self.table(path, &inner.borrow())
                    });
                    // A lone table would do for a reader; an editor that is told so underlines the whole list
                    // for one mistake in it.
                    forms.push(match kind {
                        Kind::Tables => json!({ "type": "array", "items": table }),
                        _ => table,
                    });
                }
                kind => forms.extend(plain(kind)),
            }
        }
        forms.dedup();
        let mut value = match forms.len() {
            0 => json!({}),
            1 => forms.remove(0),
            _ => json!({ "anyOf": forms }),
        };
        if let Some(sentence) = sentence(path)
            && let Some(object) = value.as_object_mut()
        {
            // What stands beside a reference is not read.
            if object.contains_key("$ref") {
                *object = Map::from_iter([("allOf".to_owned(), json!([object.clone()]))]);
            }
            object.insert("description".to_owned(), sentence.into());
        }
        value
    }
}

/// Returns the forms of a value that is no table.
fn plain(kind: &Kind) -> Vec<Value> {
    let or_list = |one: Value| vec![one.clone(), json!({ "type": "array", "items": one })];
    let scalar = || json!({ "type": ["string", "number", "boolean"] });
    match kind {
        Kind::Choice(words) => vec![json!({ "type": "string", "enum": words })],
        Kind::Choices(words) => or_list(json!({ "type": "string", "enum": words })),
        Kind::Duration => vec![json!({ "type": "string", "pattern": DURATION })],
        Kind::Text => vec![json!({ "type": "string" })],
        Kind::Texts => or_list(json!({ "type": "string" })),
        Kind::Flag => vec![json!({ "type": "boolean" })],
        Kind::Integer => vec![json!({ "type": "integer" })],
        Kind::Number => vec![json!({ "type": "number" })],
        Kind::Scalar => vec![scalar()],
        Kind::Scalars => or_list(scalar()),
        Kind::Table | Kind::Tables => Vec::new(),
    }
}

/// Returns the file, or the files, that a kind of rule file is.
pub fn file_of(kind: &str) -> String {
    match kind {
        "requests" | "sources" | "targets" | "tests" => format!("{kind}/*.toml"),
        root => format!("{root}.toml"),
    }
}

#[cfg(test)]
mod tests;
