//! What the program is made of beside its own code: licences that let it be passed on, one registry, a locked list.
//!
//! `.ci/deny.toml` says the same to `cargo deny`, which also knows of advisories; this test needs no tool but cargo.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use super::workspace::package;

/// Returns the packages that the program is built from on Linux, by name, with their licence and source.
fn packages() -> BTreeMap<String, (String, String)> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(package())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let built = built(&metadata["resolve"]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let listed = metadata["packages"].as_array().unwrap().iter();
    listed
        .filter(|one| built.contains(one["id"].as_str().unwrap()))
        .map(|one| {
            let name = format!("{} {}", text(&one["name"]), text(&one["version"]));
            (name, (text(&one["license"]), text(&one["source"])))
        })
        .collect()
}

/// Returns the ids of what the program is made of: nothing that only its tests need.
fn built(resolve: &Value) -> BTreeSet<String> {
    let nodes: BTreeMap<&str, &Value> = resolve["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["id"].as_str().unwrap(), node))
        .collect();
    let mut found = BTreeSet::new();
    let mut open = vec![resolve["root"].as_str().unwrap()];
    while let Some(id) = open.pop() {
        if !found.insert(id.to_owned()) {
            continue;
        }
        for dependency in nodes[id]["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            if kinds.iter().any(|kind| kind["kind"] != "dev") {
                open.push(dependency["pkg"].as_str().unwrap());
            }
        }
    }
    found
}

/// Returns the list called `name` in the section `section` of `.ci/deny.toml`.
fn listed(section: &str, name: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(package().join(".ci/deny.toml")).unwrap();
    let deny: toml::Value = toml::from_str(&text).unwrap();
    let listed = deny[section][name].as_array().unwrap();
    listed.iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

/// Returns whether an SPDX expression can be met with `allowed` licences: one side of each `OR`, both of each `AND`.
fn is_met(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = expression.replace('/', " OR ");
    let bare = |text: &str| text.trim().trim_matches(['(', ')']).trim().to_owned();
    // AND binds more strongly, so what stands between ORs is whole.
    if let Some((left, right)) = top_level(&expression, " OR ") {
        return is_met(&left, allowed) || is_met(&right, allowed);
    }
    if let Some((left, right)) = top_level(&expression, " AND ") {
        return is_met(&left, allowed) && is_met(&right, allowed);
    }
    let inner = bare(&expression);
    if inner == expression.trim() { allowed.contains(&inner) } else { is_met(&inner, allowed) }
}

/// Splits at the first `word` that stands in no brackets.
fn top_level(text: &str, word: &str) -> Option<(String, String)> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        if depth == 0 && text[at..].starts_with(word) {
            return Some((text[..at].to_owned(), text[at + word.len()..].to_owned()));
        }
    }
    None
}

#[test]
fn every_package_of_the_program_may_be_passed_on() {
    let allowed = listed("licenses", "allow");
    let packages = packages();
    assert!(packages.len() > 150, "only {} packages: the test is blind", packages.len());
    let refused: Vec<_> = packages
        .iter()
        .filter(|(name, (licence, _))| !name.starts_with("leadmill ") && !is_met(licence, &allowed))
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn every_package_comes_from_the_one_registry() {
    const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";
    let others: Vec<_> = packages()
        .into_iter()
        .filter(|(name, (_, source))| !name.starts_with("leadmill ") && source != REGISTRY)
        .collect();
    assert!(others.is_empty(), "{others:#?}");
}

#[test]
fn what_would_weaken_the_program_is_not_in_it() {
    let packages = packages();
    // Other ways to encrypt, to link and to talk than those that were chosen: each would have to be kept up to date.
    for banned in listed("bans", "deny") {
        let found: Vec<_> =
            packages.keys().filter(|name| name.starts_with(&format!("{banned} "))).collect();
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn the_sqlite_that_is_built_in_cannot_lose_a_journal() {
    // https://sqlite.org/wal.html#the_wal_reset_bug; the store refuses to be opened by an earlier one.
    assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
}

#[test]
fn expressions_are_met_by_one_side_or_both() {
    let allowed = BTreeSet::from(["MIT".to_owned(), "Unicode-3.0".to_owned()]);
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("", false),
        ("MIT OR Apache-2.0", true),
        ("Apache-2.0/MIT", true),
        ("GPL-3.0 OR Apache-2.0", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(MIT OR Apache-2.0) AND GPL-3.0", false),
        ("Apache-2.0 WITH LLVM-exception OR MIT", true),
        ("MIT OR GPL-3.0 AND LGPL-3.0", true),
        ("GPL-3.0 AND MIT OR LGPL-3.0", false),
    ] {
        assert_eq!(is_met(expression, &allowed), expected, "{expression}");
    }
}
