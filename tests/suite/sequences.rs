//! Whatever is run, undone or killed, what stands is what follows from what was received.

use proptest::prelude::*;

use super::small_world::{row, row_text, runner, texts};
use super::undo::{assert_rebuild_changes_nothing, leads_without_owners, take_in, undo};
use super::workspace::{Workspace, assert_same_text};

/// What happens next: a night takes the rows with these numbers in, or an earlier night is undone.
#[derive(Debug, Clone)]
enum Step {
    Night(Vec<usize>),
    Undo(prop::sample::Index),
}

#[test]
fn whatever_is_run_and_undone_what_stands_is_what_follows_from_it() {
    let mut runner = runner(5);
    let steps = prop::collection::vec(
        prop_oneof![
            3 => prop::collection::vec(0..14_usize, 1..7).prop_map(Step::Night),
            2 => any::<prop::sample::Index>().prop_map(Step::Undo),
        ],
        4..8,
    );
    let worlds = (prop::collection::vec(row(), 14), steps);
    let outcome = runner.run(&worlds, |(rows, steps)| {
        let rows = texts(rows);
        let workspace = Workspace::new();
        let mut standing: Vec<(usize, String, Vec<usize>)> = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Night(taken) => {
                    let texts: Vec<&str> = taken.iter().map(|row| rows[*row].as_str()).collect();
                    let run = take_in(&workspace, number, &unlike_others(number, &texts));
                    standing.push((number, run, taken));
                }
                Step::Undo(_) if standing.is_empty() => {}
                Step::Undo(which) => {
                    let (_, run, _) = standing.remove(which.index(standing.len()));
                    undo(&workspace, &run);
                    assert_rebuild_changes_nothing(&workspace);
                }
            }
        }
        if standing.is_empty() && !workspace.path("leadmill.db").exists() {
            return Ok(());
        }
        assert_rebuild_changes_nothing(&workspace);
        let only = Workspace::new();
        for (number, _, taken) in &standing {
            let texts: Vec<&str> = taken.iter().map(|row| rows[*row].as_str()).collect();
            take_in(&only, *number, &unlike_others(*number, &texts));
        }
        if standing.is_empty() {
            prop_assert_eq!(workspace.clusters_by_raw(), Vec::<Vec<String>>::new());
        } else {
            prop_assert_eq!(only.clusters_by_raw(), workspace.clusters_by_raw());
            prop_assert_eq!(leads_without_owners(&only), leads_without_owners(&workspace));
        }
        Ok(())
    });
    outcome.unwrap();
}

/// A night's file is no earlier one's, be it made of the same rows.
fn unlike_others<'a>(number: usize, rows: &[&'a str]) -> Vec<&'a str> {
    const FILLERS: [&str; 8] = [
        "n0,2026-11-14T08:00:00Z,Olga Zero,o0@example.net,,,PL,,",
        "n1,2026-11-14T08:00:00Z,Olga Jeden,o1@example.net,,,PL,,",
        "n2,2026-11-14T08:00:00Z,Olga Dwa,o2@example.net,,,PL,,",
        "n3,2026-11-14T08:00:00Z,Olga Trzy,o3@example.net,,,PL,,",
        "n4,2026-11-14T08:00:00Z,Olga Cztery,o4@example.net,,,PL,,",
        "n5,2026-11-14T08:00:00Z,Olga Pięć,o5@example.net,,,PL,,",
        "n6,2026-11-14T08:00:00Z,Olga Sześć,o6@example.net,,,PL,,",
        "n7,2026-11-14T08:00:00Z,Olga Siedem,o7@example.net,,,PL,,",
    ];
    rows.iter().copied().chain([FILLERS[number]]).collect()
}

#[test]
fn an_undo_killed_at_any_moment_is_simply_done_again() {
    let rows: Vec<String> = (0..14)
        .map(|number| row_text(number, ((number % 5) as u8, (number % 6) as u8, 1, number as u8)))
        .collect();
    let texts: Vec<&str> = rows.iter().map(String::as_str).collect();
    let make = || {
        let workspace = Workspace::new();
        take_in(&workspace, 1, &texts[..9]);
        take_in(&workspace, 2, &texts[5..]);
        workspace
    };
    let undisturbed = make();
    let run = "2026-11-18-0001";
    let began = std::time::Instant::now();
    undo(&undisturbed, run);
    let whole = began.elapsed();
    let mut killed = 0;
    for share in 1..=12_u32 {
        let disturbed = make();
        let mut child = disturbed
            .command(&["undo", run, "--quiet"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(whole * share / 12);
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().code().is_none());
        let again = disturbed.run(&["undo", run, "--quiet"]);
        // When it had ended before it was killed, it says so.
        assert!(again.code == 0 || again.stderr.contains("was undone"), "{}", again.stderr);
        assert_same_text("the store", &undisturbed.dump(), &disturbed.dump());
        assert_eq!(undisturbed.published(), disturbed.published());
    }
    assert!(killed > 3, "only {killed} were killed");
}
