//! Inputs that were made to do harm: too much of something, names that lead elsewhere, files that are none, statements
//! and patterns where values belong. Each costs itself, and nothing beside it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::workspace::{Outcome, Workspace, files_below, package, table};

const GOOD: &str =
    "1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,Firma,PL,Prosze o wycene,yes";

/// What a run may ask the system for, all in all: programs, stacks and what the allocator sets aside included.
#[cfg(target_os = "linux")]
const ADDRESS_SPACE_KIB: u64 = 512 << 10;

/// Runs a command that gets no more memory than this from the system.
#[cfg(target_os = "linux")]
fn within(kib: u64, workspace: &Workspace, args: &[&str]) -> Outcome {
    workspace.run_in_shell(&format!("ulimit -v {kib} &&"), args)
}

#[cfg(target_os = "linux")]
#[test]
fn too_much_of_anything_costs_little_memory_and_no_other_row() {
    const MANY: usize = 1_000_000;
    let long = 4 << 20;
    let row = |message: &str| {
        format!("2,2026-11-18T09:00:00Z,Ewa Nowa,ewa@example.org,,,PL,{message},\n")
    };
    let object = |member: &str| format!("{{\"email\":\"ewa@example.org\",{member}}}\n");
    let inputs: [(&str, String); 7] = [
        ("columns.csv", table(&[]) + &row(&",x".repeat(MANY))),
        ("header.csv", format!("email{}\n", ",c".repeat(MANY)) + &row("x")),
        ("line.csv", table(&[]) + &row(&"x".repeat(long))),
        (
            "quote.csv",
            table(&[]) + &row(&format!("\"{}", ("x".repeat(99) + "\n").repeat(long / 400))),
        ),
        (
            "members.jsonl",
            object(&(0..MANY).map(|n| format!("\"m{n}\":1")).collect::<Vec<_>>().join(",")),
        ),
        ("deep.json", object(&format!("\"m\":{}{}", "[".repeat(MANY), "]".repeat(MANY)))),
        ("string.jsonl", object(&format!("\"m\":\"{}\"", "x".repeat(long)))),
    ];
    for (name, text) in inputs {
        let workspace = Workspace::new();
        workspace.table("good.csv", &[GOOD]).input(name, text);
        let outcome = within(ADDRESS_SPACE_KIB, &workspace, &["run", "--quiet"]);
        assert!([0, 3, 6].contains(&outcome.code), "{name}: {} {}", outcome.code, outcome.stderr);
        assert_eq!(workspace.number("SELECT count(*) FROM leads WHERE email LIKE 'anna%'"), 1);
        // Refused as a whole, or kept as a row that somebody can look at.
        let kept = workspace.number("SELECT count(*) FROM quarantine");
        assert_eq!(
            outcome.code == 6,
            kept == 0,
            "{name}: {kept} in quarantine, {}",
            outcome.stderr
        );
    }
    // The limit is felt: a small part of it is not enough to begin with.
    let workspace = Workspace::new();
    workspace.table("good.csv", &[GOOD]);
    assert_ne!(within(ADDRESS_SPACE_KIB / 32, &workspace, &["run", "--quiet"]).code, 0);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_waited_for() {
    use std::os::unix::fs::symlink;
    let workspace = Workspace::new();
    workspace.table("good.csv", &[GOOD]);
    for name in ["inbox/pipe.csv", "pipe.csv"] {
        assert!(Command::new("mkfifo").arg(workspace.path(name)).status().unwrap().success());
    }
    symlink("/dev/zero", workspace.path("inbox/zero.csv")).unwrap();
    symlink("nowhere.csv", workspace.path("inbox/gone.csv")).unwrap();
    symlink(".", workspace.path("inbox/loop")).unwrap();
    workspace.ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM submissions"), 1);
    for path in ["pipe.csv", "/dev/zero"] {
        let said = ["pipe or a device", "hint:"];
        workspace.run(&["run", path]).expect_code(2).says(&said);
        workspace.run(&["sniff", path]).expect_code(2).says(&said);
        workspace.run(&["match", path, "--output", "clusters.csv"]).expect_code(2);
        assert!(!workspace.path("clusters.csv").exists());
    }
}

/// Everything below a folder that holds a workspace, but what the workspace's own places hold.
fn outside(folder: &std::path::Path) -> Vec<String> {
    let ours = ["w/out/", "w/inbox/", "w/rules/", "w/leadmill.db", "w/leadmill.key"];
    let names = files_below(folder).into_keys();
    names.filter(|name| !ours.iter().any(|place| name.starts_with(place))).collect()
}

#[cfg(unix)]
#[test]
fn no_name_leads_out_of_the_workspace() {
    let around = Workspace::new();
    let victim = "not to be touched";
    around.file("victim.csv", victim).file("folder/kept.txt", victim);
    let workspace = Workspace::at(around.path("w"));
    let rows = [
        GOOD,
        "2,2026-11-18T09:00:00Z,../../victim,jan@example.com,,../../../victim.csv,PL,x,yes",
        "../../victim.csv,2026-11-18T09:00:00Z,Zly Adres,zly(at)x,,,PL,,",
    ];
    for name in
        ["..victim.csv", "-rf.csv", "a\u{1b}[31m.csv", "b\nc.csv", "d\\..\\victim.csv", "~$x.csv"]
    {
        workspace.table(name, &rows);
    }
    workspace.input("tiktok--..%2f..%2fvictim.csv", table(&rows));
    // An archive whose members want to lie elsewhere.
    let mut archive =
        zip::ZipWriter::new(fs::File::create(workspace.path("inbox/up.zip")).unwrap());
    for name in ["../../victim.csv", "/tmp/leadmill-victim.csv", "c:\\victim.csv"] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut archive, table(&rows).as_bytes()).unwrap();
    }
    archive.finish().unwrap();
    // Links that somebody planted where leadmill writes.
    let plant = |name: &str, to: PathBuf| {
        let path = workspace.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(to, path).unwrap();
    };
    plant("out/latest", around.path("folder"));
    plant("out/.latest-new", around.path("victim.csv"));
    plant("out/.staging-2026-11-20-0001", around.path("folder"));
    plant("out/.replaced-2026-11-20-0001", around.path("folder"));
    let before = outside(&around.path(""));
    workspace.done(&["run"]);
    assert!(workspace.number("SELECT count(*) FROM quarantine") > 0);
    assert!(workspace.number("SELECT count(*) FROM submissions") > 1);
    assert_eq!(outside(&around.path("")), before);
    assert_eq!(fs::read_to_string(around.path("victim.csv")).unwrap(), victim);
    assert_eq!(files_below(&around.path("folder")).len(), 1, "something came to lie behind a link");
    assert!(!PathBuf::from("/tmp/leadmill-victim.csv").exists());
    let link = fs::read_link(workspace.path("out/latest")).unwrap();
    assert_eq!(link, PathBuf::from("runs/2026-11-20-0001"));
}

#[test]
fn statements_in_headers_and_cells_are_data() {
    let hostile = "x\"); DROP TABLE submission; --";
    let workspace = Workspace::new();
    workspace.input(
        "forms.csv",
        format!(
            "id,created_at,full_name,email,\"{0}\",'; DELETE FROM lead; --\n\
             1,2026-11-18T09:00:00Z,Robert'); DROP TABLE lead;--,a@example.com,\"{0}\",' OR 1=1 --\n",
            hostile.replace('"', "\"\"")
        ),
    );
    workspace.input(
        "more.jsonl",
        "{\"email\":\"b@example.com\",\"x'); DROP TABLE run; --\":\"1\",\"sqlite_master\":{\"a\":[1]}}\n",
    );
    workspace.done(&["run"]);
    let plain = Workspace::new();
    plain.table("forms.csv", &[GOOD]);
    plain.ok(&["run"]);
    let schema = "SELECT name, sql FROM sqlite_schema ORDER BY name";
    assert_eq!(workspace.sql(schema), plain.sql(schema), "the tables are others");
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 2);
    assert!(workspace.sql("SELECT raw FROM submissions").concat().concat().contains("DROP TABLE"));
    for who in ["' OR 1=1 --", "\"; DROP TABLE lead; --", "%", "*"] {
        workspace.run(&["explain", who]).expect_code(2);
        workspace.run(&["leads", "--owner", who]).expect_code(2);
    }
    assert_eq!(workspace.sql(schema), plain.sql(schema), "the tables are others");
}

#[test]
fn patterns_that_run_away_elsewhere_are_refused_or_end() {
    let scoring = fs::read_to_string(package().join("rules/scoring.toml")).unwrap();
    let rule = |pattern: &str| {
        format!(
            "{scoring}\n[[score]]\nid = \"hostile\"\ngroup = \"fit\"\npoints = 1\nbecause = \"a test\"\n\
             when = {{ field = \"message\", matches = '{pattern}' }}\n"
        )
    };
    let message = format!("{}!", "a".repeat(60_000));
    let row = format!(
        "1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,Firma,PL,{message},yes"
    );
    // Exponential or worse where matching goes back and forth.
    for pattern in [
        "^(a+)+$",
        "^(a|aa)+$",
        "^(a|a?)+$",
        "(.*a){20}b",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
        "(x+x+)+y",
    ] {
        let workspace = Workspace::new();
        workspace.file("rules/scoring.toml", rule(pattern)).table("leads.csv", &[&row]);
        workspace.done(&["run"]);
        assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1, "{pattern}");
    }
    let long = "a".repeat(5_000);
    for pattern in [r"(a)\1", "(?=a)b", "(?<!a)b", "((a{100}){100}){100}", &long] {
        let workspace = Workspace::new();
        workspace.file("rules/scoring.toml", rule(pattern));
        workspace.run(&["check"]).expect_code(2).says(&["rules/scoring.toml", "pattern"]);
    }
}
