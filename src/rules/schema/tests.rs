use std::collections::BTreeSet;

use toml::Value as Toml;

use super::*;
use crate::rules::embedded;
use crate::rules::shape::kind_of_file;

/// Holds `value` against the part of draft 7 that is written here; returns where it does not fit.
fn misfit(value: &Value, schema: &Value, root: &Value, at: &str) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap_or_default();
        return misfit(value, &root["definitions"][name], root, at);
    }
    if let Some(all) = schema["allOf"].as_array()
        && let Some(found) = all.iter().find_map(|one| misfit(value, one, root, at))
    {
        return Some(found);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let found: Vec<String> =
            any.iter().filter_map(|one| misfit(value, one, root, at)).collect();
        if found.len() == any.len() {
            return found.into_iter().max_by_key(|text| text.matches('/').count());
        }
    }
    let types = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is_of = |kind: &&str| match *kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        "number" => value.is_number(),
        other => panic!("{at}: nobody knows the type {other}"),
    };
    if !types.is_empty() && !types.iter().any(is_of) {
        return Some(format!("{at}: not of type {types:?}"));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return Some(format!("{at}: not one of the words"));
    }
    if let (Some(pattern), Some(text)) = (schema["pattern"].as_str(), value.as_str())
        && !regex::Regex::new(pattern).unwrap().is_match(text)
    {
        return Some(format!("{at}: does not fit {pattern}"));
    }
    if let (Some(items), Some(list)) = (schema.get("items"), value.as_array()) {
        return list.iter().find_map(|item| misfit(item, items, root, at));
    }
    let object = value.as_object()?;
    let required = schema["required"].as_array().into_iter().flatten();
    for key in required.filter_map(Value::as_str) {
        if !object.contains_key(key) {
            return Some(format!("{at}/{key}: missing"));
        }
    }
    object.iter().find_map(|(key, value)| match schema["properties"].get(key) {
        Some(inner) => misfit(value, inner, root, &format!("{at}/{key}")),
        None if schema["additionalProperties"] == false => Some(format!("{at}/{key}: unknown")),
        None => None,
    })
}

fn check(path: &str, text: &str) -> Option<String> {
    let schemas = schemas(&embedded::texts());
    let schema = &schemas[&kind_of_file(path)];
    let value: Toml = toml::from_str(text).unwrap();
    misfit(&serde_json::to_value(value).unwrap(), schema, schema, "")
}

#[test]
fn every_shipped_file_fits_its_schema() {
    let schemas = schemas(&embedded::texts());
    let mut seen = 0;
    for (path, text) in embedded::FILES {
        let is_toml = path.rsplit_once('.').is_some_and(|(_, kind)| kind == "toml");
        let Some(schema) = schemas.get(&kind_of_file(path)).filter(|_| is_toml) else { continue };
        let value: Toml = toml::from_str(text).unwrap();
        let found = misfit(&serde_json::to_value(value).unwrap(), schema, schema, "");
        assert_eq!(found, None, "{path}");
        seen += 1;
    }
    assert!(seen > 40, "only {seen} files were looked at");
}

#[test]
fn what_no_reader_would_take_does_not_fit() {
    #[track_caller]
    fn refused(path: &str, text: &str, expected: &str) {
        let found = check(&format!("rules/{path}"), text).unwrap_or_default();
        assert!(found.contains(expected), "{path} {text:?}: {found:?}");
    }
    let score = |rest: &str| {
        format!("[[score]]\nid = \"a\"\ngroup = \"fit\"\npoints = 1\nbecause = \"b\"\n{rest}")
    };
    refused("scoring.toml", "[[scores]]\nid = \"a\"", "/scores: unknown");
    refused("scoring.toml", &score("pionts = 1"), "pionts: unknown");
    refused("scoring.toml", &score("half-life = \"soon\""), "half-life");
    refused("scoring.toml", &score("when = { field = \"contry\", is = \"PL\" }"), "field");
    refused(
        "scoring.toml",
        &score("when = { field = \"country\", equals = 1 }"),
        "equals: unknown",
    );
    refused("scoring.toml", &score("when = { is = \"PL\" }"), "missing");
    refused("scoring.toml", &score("when = { not = { all = [{ fild = 1 }] } }"), "missing");
    refused("scoring.toml", "[[score]]\nid = \"a\"\ngroup = \"fits\"", "group");
    refused("scoring.toml", "[[score]]\ngroup = \"fit\"", "id: missing");
    refused("scoring.toml", "[segment.hot]\nfrom = \"70\"", "from");
    refused("scoring.toml", "[caps]\nfitness = 3", "fitness: unknown");
    refused(
        "routing.toml",
        "[[queue]]\nid = \"a\"\nbecause = \"b\"\npool = [{ weight = 1 }]",
        "owner",
    );
    refused("routing.toml", "[returning]\nkeep-owner = \"yes\"", "keep-owner");
    refused("routing.toml", "[returning]\nwhen-owner-away = \"wait\"", "when-owner-away");
    refused("routing.toml", "[[owner]]\nname = \"A\"", "id: missing");
    refused("followup.toml", "max-age = 3", "max-age");
    refused(
        "followup.toml",
        "[[plan]]\nid = \"a\"\nbecause = \"b\"\nsegments = [\"boiling\"]",
        "segments",
    );
    refused("consent.toml", "otherwise = \"never-mind\"", "otherwise");
    refused("alerts.toml", "[[alert]]\nid = 7\nbecause = \"b\"\nkind = \"few\"", "/alert/");
    refused("fields.toml", "[[field]]\nid = \"a\"\nkind = \"txt\"", "kind");
    refused("workspace.toml", "[limits]\nrejected = 3", "rejected: unknown");
    refused(
        "tests/a.toml",
        "[[test]]\nname = \"a\"\ngiven = { contry = \"PL\" }\nexpect = {}",
        "contry",
    );
    refused(
        "targets/a.toml",
        "[target]\nid = \"a\"\nname = \"b\"\nbecause = \"c\"\nfile = \"d\"\nline-end = \"cr\"",
        "line-end",
    );
    refused(
        "sources/a.toml",
        "id = \"a\"\nname = \"b\"\nbecause = \"c\"\n[[column]]\nname = [\"a\"]",
        "name: unknown",
    );
}

#[test]
fn an_editor_has_a_sentence_for_every_key_and_none_for_what_is_gone() {
    fn walk(path: &str, schema: &Value, lacking: &mut Vec<String>, met: &mut BTreeSet<String>) {
        for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}/{key}");
            // Fields are explained where they are made.
            if path.starts_with("tests/test/given/") {
                continue;
            }
            met.insert(path.clone());
            if inner["description"].is_null() {
                lacking.push(path.clone());
            }
            let alternatives = ["anyOf", "allOf"].map(|word| inner[word].as_array());
            for one in alternatives.into_iter().flatten().flatten().chain([inner]) {
                walk(&path, one, lacking, met);
                walk(&path, &one["items"], lacking, met);
            }
        }
    }
    let (mut lacking, mut met) = (Vec::new(), BTreeSet::new());
    for (kind, schema) in schemas(&embedded::texts()) {
        walk(&kind, &schema, &mut lacking, &mut met);
        let condition = &schema["definitions"][condition::NAME];
        walk(condition::NAME, condition, &mut lacking, &mut met);
    }
    assert_eq!(lacking, Vec::<String>::new());
    let without_grade = |path: &String| {
        let keys = path.split('/').filter(|key| !crate::rules::schema_words::is_grade(key));
        keys.collect::<Vec<_>>().join("/")
    };
    let met: Vec<String> = met.iter().map(without_grade).collect();
    let is_met =
        |path: &str| met.iter().any(|known| known == path || known.ends_with(&format!("/{path}")));
    let gone: Vec<&str> =
        crate::rules::schema_words::known().filter(|path| !is_met(path)).collect();
    assert_eq!(gone, Vec::<&str>::new(), "sentences for keys that nobody reads");
}
