//! Whatever is run, undone or killed, what stands is what follows from what was received.

use proptest::prelude::*;
use proptest::sample::Index;

use super::small_world::{AlikeRow, alike_row, alike_text, row, row_text, runner, texts};
use super::undo::{
    assert_rebuild_changes_nothing, leads_without_owners, night, take_in, undo, views,
};
use super::workspace::{Workspace, assert_same_text};

/// What happens next: a night takes the rows with these numbers in, or an earlier night is undone.
#[derive(Debug, Clone)]
enum Step {
    Night(Vec<usize>),
    Undo(Index),
}

#[test]
fn whatever_is_run_and_undone_what_stands_is_what_follows_from_it() {
    let mut runner = runner(5);
    let steps = prop::collection::vec(
        prop_oneof![
            3 => prop::collection::vec(0..14_usize, 1..7).prop_map(Step::Night),
            2 => any::<Index>().prop_map(Step::Undo),
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

/// What somebody does next; rows and leads are those that are there by then.
#[derive(Debug, Clone)]
enum Deed {
    /// A night takes rows in, some of them in other words.
    Night(Vec<(usize, bool)>),
    /// The leads of two rows are one person.
    Merge([Index; 2]),
    /// The leads of two rows are two people.
    Reject([Index; 2]),
    /// Some rows of the lead of a row are somebody else.
    Split(Index, Vec<bool>),
    /// A run that stands is taken back.
    Undo(Index),
}

/// A run that stands.
struct Standing {
    run: String,
    rows: Vec<String>,
    /// What there was before it; unknown once a run below it was taken back.
    before: Option<String>,
}

#[test]
fn whatever_is_said_and_undone_about_people_who_are_nearly_alike_follows_from_what_stands() {
    let mut runner = runner(4);
    let night = || prop::collection::vec((0..12_usize, prop::bool::weighted(0.2)), 2..8);
    let pair = || [any::<Index>(), any::<Index>()];
    let deeds = prop::collection::vec(
        prop_oneof![
            3 => night().prop_map(Deed::Night),
            2 => pair().prop_map(Deed::Merge),
            1 => pair().prop_map(Deed::Reject),
            2 => (any::<Index>(), prop::collection::vec(any::<bool>(), 8))
                .prop_map(|(lead, going)| Deed::Split(lead, going)),
            2 => any::<Index>().prop_map(Deed::Undo),
        ],
        4..8,
    );
    let worlds = (prop::collection::vec(alike_row(), 12), night(), deeds);
    let outcome = runner.run(&worlds, |(rows, first, deeds)| {
        let workspace = Workspace::new();
        let mut standing: Vec<Standing> = Vec::new();
        for (number, deed) in [Deed::Night(first)].into_iter().chain(deeds).enumerate() {
            if let Deed::Undo(which) = deed {
                take_one_back(&workspace, &mut standing, which);
            } else {
                let before = (number > 0).then(|| views(&workspace));
                let Some((run, rows)) = done(&workspace, number, deed, &rows) else { continue };
                standing.push(Standing { run, rows, before });
            }
            assert_rebuild_changes_nothing(&workspace);
            assert_every_id_leads_to_its_row(&workspace);
        }
        let mut texts: Vec<&str> = Vec::new();
        for text in standing.iter().flat_map(|one| &one.rows) {
            let id = |text: &str| text.split(',').next().map(str::to_owned);
            if !texts.iter().any(|known| id(known) == id(text)) {
                texts.push(text);
            }
        }
        if !texts.is_empty() {
            // A row that one run refuses and another takes would not be the same one in the end.
            prop_assert_eq!(workspace.number("SELECT count(*) FROM quarantine"), 0);
            prop_assert_eq!(workspace.number("SELECT count(*) FROM held"), 0);
            let at_once = all_at_once(&workspace, &texts);
            prop_assert_eq!(at_once.clusters_by_raw(), workspace.clusters_by_raw());
            let said = "SELECT fields FROM leads ORDER BY fields";
            prop_assert_eq!(at_once.sql(said), workspace.sql(said));
        }
        Ok(())
    });
    outcome.unwrap();
}

/// Does what is no undo; returns the run and the rows that it took in, if there was anything to do.
fn done(
    workspace: &Workspace,
    number: usize,
    deed: Deed,
    rows: &[AlikeRow],
) -> Option<(String, Vec<String>)> {
    let there = "SELECT s.submission_no, l.id FROM submissions AS s JOIN leads AS l USING (lead_no)
                 ORDER BY 1";
    let there = if number == 0 { Vec::new() } else { workspace.sql(there) };
    let leads = |ends: &[Index]| -> Vec<String> {
        let of = |end: &Index| there[end.index(there.len())][1].clone();
        if there.is_empty() { Vec::new() } else { ends.iter().map(of).collect() }
    };
    let said = |args: &[&str]| {
        let outcome = workspace.run(&[args, &["--json", "--as-of", &night(number)]].concat());
        assert_eq!(outcome.code, 0, "{args:?}: {}", outcome.stderr);
        Some((outcome.json()["run"].as_str().unwrap().to_owned(), Vec::new()))
    };
    match deed {
        Deed::Night(taken) => {
            let text = |(row, is_edited): &(usize, bool)| {
                let (name, email, phone, company, hour) = rows[*row];
                let edited = (name, 1 + email % 7, (phone + 1) % 5, company, hour);
                alike_text(*row, if *is_edited { edited } else { rows[*row] })
            };
            let texts: Vec<String> = taken.iter().map(text).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let texts = unlike_others(number, &texts);
            let run = take_in(workspace, number, &texts);
            Some((run, texts.into_iter().map(str::to_owned).collect()))
        }
        Deed::Merge(pair) => match &leads(&pair)[..] {
            [a, b] if a != b => said(&["merge", a, b]),
            _ => None,
        },
        Deed::Reject(pair) => match &leads(&pair)[..] {
            [a, b] if a != b => said(&["review", "reject", a, b]),
            _ => None,
        },
        Deed::Split(lead, going) => {
            let lead = leads(&[lead]).pop()?;
            let own: Vec<&str> =
                there.iter().filter(|row| row[1] == lead).map(|row| row[0].as_str()).collect();
            let going: Vec<&str> = own
                .iter()
                .zip(going.iter().cycle())
                .filter(|(_, goes)| **goes)
                .map(|(row, _)| *row)
                .collect();
            let is_split = !going.is_empty() && going.len() < own.len();
            if is_split { said(&["split", &lead, "--rows", &going.join(",")]) } else { None }
        }
        Deed::Undo(_) => None,
    }
}

fn take_one_back(workspace: &Workspace, standing: &mut Vec<Standing>, which: Index) {
    if standing.is_empty() {
        return;
    }
    let at = which.index(standing.len());
    let taken = standing.remove(at);
    undo(workspace, &taken.run);
    if at < standing.len() {
        standing[at..].iter_mut().for_each(|later| later.before = None);
    } else if let Some(before) = taken.before {
        assert_same_text("after the undo of the latest run", &before, &views(workspace));
    }
}

/// Every id that was ever given out and whose row is there names the lead that has the row.
#[track_caller]
fn assert_every_id_leads_to_its_row(workspace: &Workspace) {
    let astray = workspace.sql(
        "SELECT l.id, l.lead_no, l.merged_into, a.lead_no, m.lead_no FROM lead AS l
         JOIN membership AS m ON m.submission_no = l.founder_no
         LEFT JOIN lead_alias AS a USING (id)
         WHERE m.lead_no <> coalesce(l.merged_into, l.lead_no) OR a.lead_no IS NOT m.lead_no",
    );
    assert_eq!(astray, Vec::<Vec<String>>::new(), "id, lead, merged into, alias, lead of its row");
}

/// Makes a workspace in which the rows were taken in together, and then everything was said that stands in
/// `workspace`.
fn all_at_once(workspace: &Workspace, texts: &[&str]) -> Workspace {
    let at_once = Workspace::new();
    take_in(&at_once, 0, texts);
    let said = workspace.path("leadmill.db").display().to_string();
    at_once.edit(&format!(
        "ATTACH '{said}' AS said;
         INSERT INTO run (run_no, id, as_of_ms, rules_hash, version, state, inputs_digest,
                          first_submission_no, books, kind)
         SELECT run_no + 100, '2026-11-17-' || (run_no + 1000), as_of_ms, rules_hash, version, state,
                inputs_digest, first_submission_no, books, kind
         FROM said.run WHERE kind = 'verdict' AND undone_by IS NULL;
         INSERT INTO verdict
         SELECT run_no + 100, a, b, is_same, because FROM said.verdict
         JOIN said.run USING (run_no) WHERE undone_by IS NULL;"
    ));
    at_once.ok(&["rebuild"]);
    at_once
}
