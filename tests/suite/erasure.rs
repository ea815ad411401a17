//! A person who was erased is gone: from the store, byte by byte, from what was put out, and from what comes later.

use std::fs;
use std::process::Stdio;
use std::time::Instant;

use aho_corasick::AhoCorasick;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree as _;

use super::small_world::runner;
use super::undo::{assert_rebuild_changes_nothing, night, take_in, undo};
use super::workspace::{Workspace, assert_same_text, files_below};

const ANNA: &str = "a1,2026-11-16T09:00:00Z,Anna Kanarkowa,anna@kanarek.example,+48600000101,Firma Kanarek,PL,\
                    Prosze o wycene kanarka,yes";
const ANNA_AGAIN: &str =
    "a2,2026-11-17T09:00:00Z,Anna Kanarkowa,anna@kanarek.example,,Firma Kanarek,PL,Pilne,no";
const JAN: &str =
    "j1,2026-11-16T10:00:00Z,Jan Testowski,jan@example.com,+48600000102,,PL,Ile to kosztuje?,no";
const EWA: &str =
    "e1,2026-11-17T11:00:00Z,Ewa Nowa,ewa@example.org,+48600000103,,DE,Demo bitte,yes";

/// When the erasures of these tests happen: after the second night, before the third.
const ERASED_AT: &str = "2026-11-19T22:00:00Z";

fn forget(workspace: &Workspace, who: &str) -> serde_json::Value {
    workspace.ok(&["subject", "forget", who, "--json", "--as-of", ERASED_AT]).json()
}

/// Every file of the workspace but the exports that wait in its inbox, which are not ours.
fn files_that_are_ours(workspace: &Workspace) -> Vec<(String, Vec<u8>)> {
    let all = files_below(&workspace.path("."));
    all.into_iter().filter(|(name, _)| !name.contains("inbox/")).collect()
}

/// Fails where a file that is ours holds any of `canaries`.
#[track_caller]
fn assert_no_canary(workspace: &Workspace, canaries: &[String]) {
    let canaries = AhoCorasick::builder().ascii_case_insensitive(true).build(canaries).unwrap();
    for (name, bytes) in files_that_are_ours(workspace) {
        let found = canaries.find(&bytes).map(|found| found.start());
        assert_eq!(found, None, "a canary in {name}");
    }
}

/// Fails where the consent ledger is not what was appended to it.
#[track_caller]
fn assert_ledger_holds(workspace: &Workspace) {
    let store = leadmill::store::Store::open_read_only(&workspace.path("leadmill.db")).unwrap();
    let verified = store.verify_ledger(None).unwrap();
    assert_eq!(verified.n_problems, 0, "{:?}", verified.problems);
}

/// Fails where a manifest does not say what is in its folder.
#[track_caller]
fn assert_manifests_hold(workspace: &Workspace) {
    for run in fs::read_dir(workspace.path("out/runs")).unwrap() {
        let folder = run.unwrap().path();
        let text = fs::read_to_string(folder.join("manifest.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
        for file in manifest["files"].as_array().unwrap() {
            let path = folder.join(file["name"].as_str().unwrap());
            match file["sha256"].as_str() {
                Some(sha256) => {
                    let bytes = fs::read(&path).unwrap();
                    assert_eq!(sha256, sha256_of(&bytes), "{}", path.display());
                    assert_eq!(file["bytes"], bytes.len(), "{}", path.display());
                }
                None => assert!(!path.exists(), "{}", path.display()),
            }
        }
    }
}

fn sha256_of(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    leadmill::model::ids::hex(&sha2::Sha256::digest(bytes))
}

fn two_nights() -> Workspace {
    let workspace = Workspace::new();
    take_in(&workspace, 1, &[ANNA, JAN]);
    let broken = "x1,2026-11-17T09:30:00Z,Anna Kanarkowa,Anna@kanarek.example,,,PL,,,za,duzo";
    take_in(&workspace, 2, &[ANNA_AGAIN, EWA, broken, ANNA]);
    workspace
}

fn canaries() -> Vec<String> {
    ["kanarek", "kanark", "600000101"].map(str::to_owned).to_vec()
}

#[test]
fn an_erased_person_is_nowhere_and_everything_else_follows_from_what_is_left() {
    let workspace = two_nights();
    let others = "SELECT id, fields, score, owner, queue FROM leads WHERE email NOT LIKE 'anna%' ORDER BY id";
    let before = workspace.sql(others);
    let rotation = workspace.sql("SELECT * FROM rotation ORDER BY queue, owner");
    let id = workspace.sql("SELECT id FROM leads WHERE email LIKE 'anna%'").concat().concat();
    let summary = forget(&workspace, "anna@kanarek.example");
    assert_eq!(summary["erasure"]["leads"], serde_json::json!([id]));
    assert_eq!(summary["erasure"]["submissions"], 2);
    assert_eq!(summary["erasure"]["quarantined"], 1);
    let told = summary["erasure"]["told"].as_array().unwrap();
    assert!(told.iter().any(|one| one["file"] == "crm/leads.csv"), "{told:?}");
    let inputs = summary["erasure"]["inputs"].as_array().unwrap();
    assert_eq!(inputs[0]["lines"], serde_json::json!([2]), "{inputs:?}");
    assert_no_canary(&workspace, &canaries());
    assert_manifests_hold(&workspace);
    assert_ledger_holds(&workspace);
    assert_eq!(workspace.sql(others), before);
    assert_eq!(workspace.sql("SELECT * FROM rotation ORDER BY queue, owner"), rotation);
    assert_rebuild_changes_nothing(&workspace);
    let verified = workspace.run(&["subject", "forget", "anna@kanarek.example", "--verify"]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
    assert!(workspace.latest("crm/withdrawn.csv").contains(&id));
    let told = workspace.latest("crm/hubspot-contacts-withdrawn.csv");
    assert!(told.contains(&id), "each target is told whom to take out: {told}");
    let kept = "SELECT count(*) FROM delivered WHERE row_hash <> zeroblob(16) AND item LIKE";
    assert_eq!(workspace.number(&format!("{kept} '{id}%'")), 0, "a hash of what their rows said");
    assert!(workspace.number(&format!("{kept} 'LM-%'")) > 0, "those of others stay");
    // Whoever asks by the id hears what became of it.
    let told = workspace.ok(&["explain", &id]).flat();
    assert!(told.contains("erased in run 2026-11-19-0003"), "{told}");
    assert_eq!(workspace.run(&["explain", "anna@kanarek.example"]).code, 2);
}

#[test]
fn an_erased_person_does_not_come_back_with_an_older_row_but_with_a_newer_one() {
    let workspace = two_nights();
    forget(&workspace, "+48 600 000 101");
    let older = "z1,2026-11-18T09:00:00Z,Anna K,Anna@Kanarek.example,,Inna,PL,Stara sprawa,yes";
    let undated = "z2,,Anna K,,600000101,Inna,PL,Kiedys,yes";
    let run = take_in(&workspace, 3, &[ANNA, older, undated, EWA]);
    assert_eq!(workspace.number("SELECT count(*) FROM held WHERE reason = 'suppressed'"), 3);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 2);
    assert_eq!(workspace.run_json()["rows"]["held"], 3);
    assert!(workspace.latest("dropoff.csv").contains("suppressed"), "{run}");
    assert_no_canary(&workspace, &canaries());
    // The same rows once more are rows seen before.
    take_in(&workspace, 4, &[older, ANNA, JAN]);
    assert_eq!(workspace.run_json()["rows"]["repeated"], 3);
    let newer = "z3,2026-11-20T09:00:00Z,Anna K,anna@kanarek.example,,Inna,PL,Nowa sprawa,yes";
    take_in(&workspace, 5, &[newer, older]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads WHERE email LIKE 'anna%'"), 1);
    assert_eq!(workspace.sql("SELECT n_submissions FROM leads WHERE email LIKE 'anna%'"), [["1"]]);
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn whoever_may_come_back_does_and_says_why() {
    let workspace = two_nights();
    forget(&workspace, "anna@kanarek.example");
    let nobody = workspace.run(&["subject", "allow", "jan@example.com", "--because", "mistake"]);
    assert_eq!(nobody.code, 2, "{}", nobody.stderr);
    workspace.ok(&["subject", "allow", "anna@kanarek.example", "--because", "wrong person erased"]);
    take_in(&workspace, 3, &[ANNA, EWA]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads WHERE email LIKE 'anna%'"), 1);
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn without_the_key_nothing_is_read() {
    let workspace = two_nights();
    forget(&workspace, "anna@kanarek.example");
    let before = workspace.dump();
    fs::rename(workspace.path("leadmill.key"), workspace.path("elsewhere")).unwrap();
    workspace
        .clear_inbox()
        .table("night-3.csv", &[ANNA, "n1,2026-11-20T09:00:00Z,Ola Nowa,ola@example.com,,,PL,,"]);
    let outcome = workspace.run(&["run"]);
    assert_eq!(outcome.code, 5);
    assert!(outcome.stderr.contains("leadmill.key is missing"), "{}", outcome.stderr);
    assert_same_text("the store", &before, &workspace.dump());
    fs::rename(workspace.path("elsewhere"), workspace.path("leadmill.key")).unwrap();
    workspace.ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM held WHERE reason = 'suppressed'"), 1);
}

#[test]
fn no_key_is_made_where_nobody_can_say_who_was_erased() {
    let workspace = two_nights();
    forget(&workspace, "anna@kanarek.example");
    fs::rename(workspace.path("leadmill.key"), workspace.path("elsewhere")).unwrap();
    workspace.edit("ALTER TABLE suppression RENAME TO elsewhere");
    let outcome = workspace.run(&["subject", "forget", "jan@example.com"]);
    assert_ne!(outcome.code, 0);
    assert!(!workspace.path("leadmill.key").exists(), "{}", outcome.stderr);
}

#[test]
fn what_others_have_stays_theirs() {
    let workspace = Workspace::new();
    let office = "+48221234567";
    take_in(
        &workspace,
        1,
        &[
            &format!("s1,2026-11-16T09:00:00Z,Anna Kanarkowa,anna@kanarek.example,{office},,PL,,"),
            &format!("s2,2026-11-16T10:00:00Z,Piotr Inny,piotr@przyklad.pl,{office},,PL,,"),
            &format!("s3,2026-11-16T11:00:00Z,Olga Trzecia,olga@przyklad.pl,{office},,PL,,"),
        ],
    );
    let summary = forget(&workspace, "anna@kanarek.example");
    assert_eq!(summary["erasure"]["shared"], 1);
    let colleague =
        format!("s4,2026-11-17T10:00:00Z,Marek Czwarty,marek@przyklad.pl,{office},,PL,,");
    take_in(&workspace, 2, &[&colleague]);
    assert_eq!(workspace.number("SELECT count(*) FROM held"), 0);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 3);
    assert_no_canary(&workspace, &["kanarek".to_owned()]);
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn a_dry_run_erases_nothing_and_says_what_it_would() {
    let workspace = two_nights();
    let before = (workspace.dump(), workspace.published());
    let outcome = workspace.ok(&[
        "subject",
        "forget",
        "anna@kanarek.example",
        "--dry-run",
        "--as-of",
        ERASED_AT,
    ]);
    assert!(outcome.flat().contains("would erase LM-"), "{}", outcome.stdout);
    assert!(outcome.flat().contains("crm/leads.csv"), "{}", outcome.stdout);
    assert_same_text("the store", &before.0, &workspace.dump());
    assert_eq!(workspace.published(), before.1);
    assert!(!workspace.path("leadmill.key").exists());
}

#[test]
fn a_reason_that_names_the_person_is_refused() {
    let workspace = two_nights();
    let because = "Anna Kanarkowa zadzwoniła";
    let outcome =
        workspace.run(&["subject", "forget", "anna@kanarek.example", "--because", because]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("names the person"), "{}", outcome.stderr);
    assert_eq!(workspace.number("SELECT count(*) FROM erasures"), 0);
}

#[test]
fn an_erasure_is_not_undone_and_the_import_before_it_is() {
    let workspace = two_nights();
    forget(&workspace, "anna@kanarek.example");
    let outcome = workspace.run(&["undo", "2026-11-19-0003"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("erased somebody"), "{}", outcome.stderr);
    undo(&workspace, "2026-11-18-0001");
    assert_rebuild_changes_nothing(&workspace);
    undo(&workspace, "2026-11-19-0002");
    assert_rebuild_changes_nothing(&workspace);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 0);
    // What was said about them stays: they do not come back by the same files.
    take_in(&workspace, 6, &[ANNA, JAN]);
    assert_eq!(workspace.number("SELECT count(*) FROM held WHERE reason = 'suppressed'"), 1);
}

#[test]
fn an_erasure_killed_at_any_moment_is_simply_done_again() {
    let workspace = two_nights();
    let began = Instant::now();
    forget(&workspace, "anna@kanarek.example");
    let whole = began.elapsed();
    let mut killed = 0;
    for share in 1..=8_u32 {
        let workspace = two_nights();
        let args = ["subject", "forget", "anna@kanarek.example", "--as-of", ERASED_AT];
        let mut command = workspace.command(&args);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * share / 8);
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().code().is_none());
        let again = workspace.run(&args);
        // When it had ended before it was killed, nobody answers to the name any more.
        assert!([0, 2].contains(&again.code), "{}", again.stderr);
        workspace.ok(&["tick", "--as-of", ERASED_AT]);
        assert_no_canary(&workspace, &canaries());
        assert_manifests_hold(&workspace);
        let verified = workspace.run(&["subject", "forget", "anna@kanarek.example", "--verify"]);
        assert_eq!(verified.code, 0, "{}", verified.stdout);
        assert_rebuild_changes_nothing(&workspace);
    }
    assert!(killed > 3, "only {killed} were killed");
}

/// What happens next in a world from which people are erased.
#[derive(Debug, Clone)]
enum Deed {
    Night(Vec<usize>),
    Merge(Index, Index),
    Split(Index),
    Undo(Index),
    Forget(Index),
}

/// Writes a row in which everything that only it says holds a canary of its own.
fn canary_row(number: usize, (person, address, phone): (u8, u8, u8)) -> String {
    let given = ["Anna", "Jan", "Ewa", "Piotr", "Olga", "Marek"][person as usize];
    let email = match address {
        0 => String::new(),
        1 => "biuro@wspolna.example".to_owned(),
        _ => format!("{}.{person}@example.com", given.to_lowercase()),
    };
    let phone = match phone {
        0 => String::new(),
        1 => "+48221234567".to_owned(),
        _ => format!("+4860000010{person}"),
    };
    let at = format!("2026-11-{:02}T{:02}:00:00Z", 15 + number / 20, 2 + number % 20);
    format!(
        "r{number},{at},{given} Wspolny{person},{email},{phone},Zlotykanarek{number}x sp. z o.o.,PL,\
         Pytanie czarnykanarek{number}x o cene,yes"
    )
}

fn canaries_in(raws: &[Vec<String>]) -> Vec<String> {
    let text = raws.concat().concat();
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let mut found: Vec<String> =
        words.filter(|word| word.contains("kanarek")).map(str::to_lowercase).collect();
    found.sort();
    found.dedup();
    found
}

/// How many people the worlds erase in all, unless `LEADMILL_ERASURES` says otherwise.
const ERASURES: usize = 8;

#[test]
fn whoever_is_erased_in_whatever_world_leaves_no_byte_and_breaks_nothing() {
    let wanted = std::env::var("LEADMILL_ERASURES").map_or(ERASURES, |text| text.parse().unwrap());
    let deed = prop_oneof![
        3 => prop::collection::vec(0..40_usize, 2..9).prop_map(Deed::Night),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Deed::Merge(a, b)),
        1 => any::<Index>().prop_map(Deed::Split),
        1 => any::<Index>().prop_map(Deed::Undo),
        3 => any::<Index>().prop_map(Deed::Forget),
    ];
    let rows = prop::collection::vec((0..6_u8, 0..5_u8, 0..4_u8), 40);
    let worlds = (rows, prop::collection::vec(deed, 6..12));
    let mut runner = runner(1);
    let mut erased = 0;
    while erased < wanted {
        let (rows, deeds) = worlds.new_tree(&mut runner).unwrap().current();
        erased += erase_in_a_world(&rows, deeds);
    }
}

/// Returns how many people were erased.
fn erase_in_a_world(rows: &[(u8, u8, u8)], deeds: Vec<Deed>) -> usize {
    let workspace = Workspace::new();
    let texts: Vec<String> =
        rows.iter().enumerate().map(|(number, row)| canary_row(number, *row)).collect();
    let (mut erased, mut gone, mut runs) = (0, Vec::new(), Vec::new());
    let first = Deed::Night((0..12).collect());
    for (number, deed) in [first].into_iter().chain(deeds).enumerate() {
        let leads = || workspace.sql("SELECT id FROM leads ORDER BY id").concat();
        let at = night(number);
        match deed {
            Deed::Night(taken) => {
                let filler = format!(
                    "n{number},2026-11-14T08:00:00Z,Olga Numer,o{number}@example.net,,,PL,,"
                );
                let taken: Vec<&str> = taken.iter().map(|row| texts[*row].as_str()).collect();
                let rows: Vec<&str> = taken.into_iter().chain([filler.as_str()]).collect();
                runs.push(take_in(&workspace, number, &rows));
            }
            Deed::Merge(a, b) => {
                let leads = leads();
                let pair = [a, b].map(|end| end.index(leads.len().max(1)));
                if pair[0] != pair[1] {
                    workspace.ok(&["merge", &leads[pair[0]], &leads[pair[1]], "--as-of", &at]);
                }
            }
            Deed::Split(which) => {
                let split = workspace.sql(
                    "SELECT l.id, max(s.submission_no) FROM submissions AS s JOIN leads AS l USING (lead_no)
                     GROUP BY l.id HAVING count(*) > 1 ORDER BY l.id",
                );
                if !split.is_empty() {
                    let one = &split[which.index(split.len())];
                    workspace.ok(&["split", &one[0], "--rows", &one[1], "--as-of", &at]);
                }
            }
            Deed::Undo(which) if runs.len() > 1 => {
                undo(&workspace, &runs.remove(which.index(runs.len())));
            }
            Deed::Undo(_) => {}
            Deed::Forget(which) => {
                let leads = leads();
                if leads.is_empty() {
                    continue;
                }
                let lead = &leads[which.index(leads.len())];
                let raws = workspace.sql(&format!(
                    "SELECT s.raw FROM submissions AS s JOIN leads AS l USING (lead_no) WHERE l.id = '{lead}'"
                ));
                gone.extend(canaries_in(&raws));
                workspace.ok(&["subject", "forget", lead, "--as-of", &at]);
                erased += 1;
                let verified = workspace.run(&["subject", "forget", lead, "--verify"]);
                assert_eq!(verified.code, 0, "{lead}: {}", verified.stdout);
            }
        }
        assert_no_canary(&workspace, &gone);
        assert_ledger_holds(&workspace);
        assert_rebuild_changes_nothing(&workspace);
    }
    assert_manifests_hold(&workspace);
    erased
}

#[test]
fn a_restored_backup_forgets_once_more() {
    let workspace = two_nights();
    fs::copy(workspace.path("leadmill.db"), workspace.path("backup.db")).unwrap();
    forget(&workspace, "anna@kanarek.example");
    fs::rename(workspace.path("backup.db"), workspace.path("leadmill.db")).unwrap();
    // Put there by hand: its checksums are those of the store that was.
    fs::remove_file(workspace.path("leadmill.db.sums")).unwrap();
    assert_eq!(workspace.number("SELECT count(*) FROM leads WHERE email LIKE 'anna%'"), 1);
    let replay = || {
        let Ok((rules, _)) = leadmill::rules::RuleSet::parse(&leadmill::rules::embedded::texts())
        else {
            panic!("the shipped rules have mistakes")
        };
        let paths = ["leadmill.db", "leadmill.key", "out"].map(|name| workspace.path(name));
        let job = leadmill::pipeline::Job {
            rules: &rules,
            store: &paths[0],
            key: &paths[1],
            out: &paths[2],
            inputs: &[],
            forced_source: None,
            as_of: "2026-11-21T08:00:00Z".parse().unwrap(),
            threads: 1,
            full: false,
            interrupted: &std::sync::Arc::default(),
        };
        leadmill::pipeline::replay_erasures::replay_erasures(&job, &mut |_| {}).unwrap()
    };
    let summary = replay().unwrap();
    assert_eq!(summary.erasure.unwrap().rows.submissions, 2);
    assert_no_canary(&workspace, &canaries());
    assert_ledger_holds(&workspace);
    assert_rebuild_changes_nothing(&workspace);
    assert_eq!(replay(), None, "a second time there is nobody left");
    take_in(&workspace, 5, &[ANNA, EWA]);
    assert_eq!(workspace.number("SELECT count(*) FROM held WHERE reason = 'suppressed'"), 1);
}

#[test]
fn what_somebody_did_goes_with_them_and_what_others_did_stays() {
    let workspace = Workspace::new();
    let event = |at: &str, whose: &str, page: &str| {
        format!(
            "{{\"timestamp\":\"{at}\",\"eventName\":\"pageView\",\"pageUrl\":\"https://example.com/{page}\",{whose}}}\n"
        )
    };
    let anna = "\"email\":\"anna@kanarek.example\",\"anonymousId\":\"v-kanarek-1\"";
    let events = [
        event("2026-11-16T08:00:00Z", "\"anonymousId\":\"v-kanarek-1\"", "kanarek-a"),
        event("2026-11-16T08:30:00Z", anna, "kanarek-b"),
        event("2026-11-16T08:40:00Z", "\"email\":\"jan@example.com\"", "cennik"),
    ]
    .concat();
    workspace.table("leads.csv", &[ANNA, JAN]).input("events.jsonl", &events);
    workspace.ok(&["run", "--as-of", &night(1)]);
    assert_eq!(workspace.number("SELECT count(*) FROM touches"), 3);
    let summary = forget(&workspace, "anna@kanarek.example");
    assert_eq!(summary["erasure"]["touches"], 2);
    assert_eq!(workspace.number("SELECT count(*) FROM touches"), 1);
    assert_no_canary(&workspace, &canaries());
    assert_rebuild_changes_nothing(&workspace);
    let later = event("2026-11-20T08:00:00Z", "\"anonymousId\":\"v-kanarek-1\"", "nowa");
    workspace.clear_inbox().input("again.jsonl", events + &later);
    workspace.ok(&["run", "--as-of", &night(4)]);
    assert_eq!(workspace.number("SELECT count(*) FROM held WHERE reason = 'suppressed'"), 2);
    assert_eq!(workspace.number("SELECT count(*) FROM touches"), 2);
    assert_rebuild_changes_nothing(&workspace);
}
