//! What the README tells people to type exists, and what exists is in its lists.

use std::fs;

use super::workspace::{Workspace, package};

/// Returns the arguments of every leadmill command in the `sh` blocks of a text.
fn commands(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut in_shell = false;
    let mut joined = String::new();
    for line in text.lines() {
        let line = line.trim();
        if let Some(kind) = line.strip_prefix("```") {
            in_shell = !in_shell && ["sh", "bash", "shell", "console"].contains(&kind.trim());
            continue;
        }
        if !in_shell {
            continue;
        }
        if let Some(start) = line.strip_suffix('\\') {
            joined.push_str(start);
            continue;
        }
        joined.push_str(line);
        let whole = std::mem::take(&mut joined);
        let whole = whole.trim_start_matches("$ ");
        // Only the first command of a pipe, without its comment.
        let first = whole.split([';', '|', '>', '&']).next().unwrap().split(" #").next().unwrap();
        let mut words = words_of(first);
        words.reverse();
        while words.last().is_some_and(|word| word.contains('=') && !word.starts_with('-')) {
            words.pop();
        }
        words.reverse();
        let rest = match words.first().map(String::as_str) {
            // An example is a program of its own.
            Some("cargo") if words.iter().any(|word| word == "--example") => None,
            Some("cargo") if words.get(1).is_some_and(|word| word == "run") => {
                words.iter().position(|word| word == "--").map(|at| words[at + 1..].to_vec())
            }
            Some(program) if program == "leadmill" || program.ends_with("/leadmill") => {
                Some(words[1..].to_vec())
            }
            _ => None,
        };
        found.extend(rest.filter(|rest| !rest.is_empty()));
    }
    found
}

/// Splits a command line into words, as a shell does: quotes hold blanks together.
fn words_of(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[test]
fn commands_are_found_where_people_read_them() {
    let text = "x\n```sh\n$ leadmill run a.csv --json | tail -1\nA=b ./target/release/leadmill --workspace w leads # all\n\
                cargo run --release -- init demo \\\n  --quiet\ncargo build\n```\nleadmill not this\n```toml\nleadmill nor this\n```\n";
    let expected: [&[&str]; 3] =
        [&["run", "a.csv", "--json"], &["--workspace", "w", "leads"], &["init", "demo", "--quiet"]];
    assert_eq!(commands(text), expected);
}

#[test]
fn what_the_readme_tells_people_to_type_exists() {
    // A package without a README says nothing that could be wrong.
    let Ok(readme) = fs::read_to_string(package().join("README.md")) else { return };
    let found = commands(&readme);
    assert!(found.len() >= 5, "only {} commands in README.md: {found:?}", found.len());
    let workspace = Workspace::new();
    let mut problems = Vec::new();
    for args in found {
        // clap looks at what stands before `--help` first, so a wrong option or subcommand fails.
        let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
        args.push("--help");
        let outcome = workspace.run(&args);
        if outcome.code != 0 {
            problems.push(format!("{args:?}: {}", outcome.stderr));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Whoever adds a view or a file of rules adds it to the lists where people look for it.
#[test]
fn the_readme_names_every_view_and_every_file_of_rules() {
    let readme = fs::read_to_string(package().join("README.md")).unwrap();
    let names_in = |folder: &str| {
        let files = fs::read_dir(package().join(folder)).unwrap();
        files.map(|file| file.unwrap().file_name().into_string().unwrap())
    };
    let mut names: Vec<String> = names_in("rules").filter(|it| it.ends_with(".toml")).collect();
    assert!(names.len() > 5, "{names:?}");
    for migration in names_in("src/store/migrations") {
        let path = package().join("src/store/migrations").join(migration);
        let sql = fs::read_to_string(path).unwrap();
        let views = sql.split("CREATE VIEW ").skip(1).filter_map(|view| view.split(' ').next());
        names.extend(views.map(str::to_owned));
    }
    assert!(names.iter().any(|name| name == "leads"), "{names:?}");
    names.retain(|name| !readme.contains(&format!("`{name}`")));
    assert!(names.is_empty(), "README.md does not name {names:?}");
}

#[test]
fn a_wrong_option_would_be_noticed() {
    let workspace = Workspace::new();
    for args in [&["run", "--no-such-option", "--help"][..], &["no-such-command", "--help"]] {
        assert_eq!(workspace.run(args).code, 2, "{args:?}");
    }
    assert_eq!(workspace.run(&["run", "--json", "x.csv", "--help"]).code, 0);
}

#[test]
fn every_command_says_what_it_does_and_its_options() {
    let workspace = Workspace::new();
    let help = workspace.ok(&["--help"]).stdout;
    let listed = help.split("Commands:").nth(1).unwrap().split("\n\n").next().unwrap();
    let names: Vec<&str> = listed
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() >= 9, "{names:?}");
    for name in names.iter().filter(|name| **name != "help") {
        let text = workspace.ok(&[name, "--help"]).stdout;
        assert!(text.lines().next().is_some_and(|line| line.len() > 15), "{name}: {text}");
        assert!(text.contains("Usage:"), "{name}");
    }
    assert!(help.contains("Exit codes"), "{help}");
}
