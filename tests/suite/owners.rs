//! Leads that belong to somebody before anybody's turn is asked: by the CRM, or by the company.

use proptest::prelude::*;

use super::dealing::with_routing;
use super::small_world::runner;
use super::undo::{assert_rebuild_changes_nothing, undo};
use super::workspace::{Workspace, assert_fits_a_terminal, assert_same_text};

const TEAM: &str = "triage = 'triage'
[[owner]]
id = 'anna'
name = 'Anna Łącka'
email = 'anna@zespol.example'
[[owner]]
id = 'jan'
crm-names = ['0055']
[[owner]]
id = 'ola'
[[queue]]
id = 'pl'
pool = [{ owner = 'anna' }, { owner = 'jan' }]
because = 'b'
[[queue]]
id = 'rest'
pool = [{ owner = 'ola' }]
because = 'b'
[[queue]]
id = 'triage'
because = 'b'
[[route]]
id = 'pl'
when = { field = 'country', is = 'PL' }
queue = 'pl'
because = 'b'
[[route]]
id = 'rest'
queue = 'rest'
because = 'b'
";

/// Who has whom, in the order in which they came: `jan pl; - rest`.
fn owners(workspace: &Workspace) -> String {
    let rows = workspace.sql("SELECT coalesce(owner, '-'), queue FROM leads ORDER BY lead_no");
    rows.iter().map(|row| row.join(" ")).collect::<Vec<_>>().join("; ")
}

#[test]
fn whom_the_crm_names_by_whatever_name_has_the_lead_and_a_stranger_is_said() {
    for column in ["Contact owner", "Opiekun klienta", "Kundenbetreuer"] {
        let workspace = with_routing(TEAM);
        let named = ["0055", "ANNA LACKA", "anna@zespol.example", "jan", "Obcy", ""];
        let people =
            ["Ewa Lipa", "Iga Sosna", "Adam Buk", "Olga Topola", "Igor Cis", "Nina Tarnina"];
        let rows = named.iter().zip(people).enumerate().map(|(at, (owner, name))| {
            format!("{at},2026-11-17T08:00:0{at}Z,{name},p{at}@example.com,PL,{owner}\n")
        });
        let header = format!("id,created_at,full_name,email,country,{column}\n");
        workspace.input("crm.csv", header + &rows.collect::<String>());
        workspace.ok(&["run"]);
        assert_eq!(
            owners(&workspace),
            "jan pl; anna pl; anna pl; jan pl; anna pl; jan pl",
            "{column}"
        );
        let notices = workspace.run_json()["inputs"][0]["notices"].clone();
        assert_eq!(notices["owner-unknown"], 1, "{column}: {notices}");
        assert_rebuild_changes_nothing(&workspace);
    }
}

/// The same team, where colleagues stay together.
fn together() -> String {
    TEAM.replace(
        "[[owner]]\nid = 'anna'",
        "[returning]\nkeep-account-owner = true\n[[owner]]\nid = 'anna'",
    )
}

/// People, each at a mailbox or company of their own choice.
const COLLEAGUES: &[[&str; 5]] = &[
    // name, mailbox, company, NIP, country
    ["Ewa Lipa", "ewa@brzoza.example", "Brzoza", "", "PL"],
    ["Iga Sosna", "iga@klon.example", "", "5260001246", "PL"],
    ["Adam Buk", "adam@brzoza.example", "Brzoza Sp. z o.o.", "", "PL"],
    ["Olga Topola", "olga@gmail.com", "Klon", "526-000-12-46", "DE"],
    ["Igor Cis", "igor@gmail.com", "", "", "PL"],
    ["Nina Tarnina", "nina@brzoza.example", "", "", "DE"],
    ["Oskar Grab", "oskar@wiaz.example", "Wiaz", "", "PL"],
    ["Julia Malina", "julia@brzoza.example", "Brzoza", "", "PL"],
];

fn rows(which: std::ops::Range<usize>) -> String {
    let row = |at: usize| {
        let [name, mail, company, nip, country] = COLLEAGUES[at];
        format!("{at},2026-11-17T08:00:0{at}Z,{name},{mail},{company},{nip},{country}\n")
    };
    let header = "id,created_at,full_name,email,company,nip,country\n".to_owned();
    header + &which.map(row).collect::<String>()
}

/// Takes these people in, in a run of its own; returns its id.
fn run(workspace: &Workspace, at: &str, which: std::ops::Range<usize>) -> String {
    workspace.clear_or_make_inbox();
    workspace.input(&format!("from-{}.csv", which.start), rows(which));
    let outcome = workspace.run(&["run", "--json", "--as-of", at]);
    assert!([0, 3].contains(&outcome.code), "{}", outcome.stderr);
    outcome.json()["run"].as_str().unwrap().to_owned()
}

fn told(workspace: &Workspace) -> String {
    let rows = workspace.sql("SELECT email, routing_reason FROM leads ORDER BY id");
    rows.iter().map(|row| row.join(": ") + "\n").collect()
}

#[test]
fn leads_of_one_company_stay_together_whether_they_come_at_once_or_not() {
    let (batch, parts) = (with_routing(&together()), with_routing(&together()));
    run(&batch, "2026-11-17T21:00:00Z", 0..8);
    for at in 0..8 {
        run(&parts, "2026-11-17T21:00:00Z", at..at + 1);
    }
    let expected = "anna pl; jan pl; anna pl; jan pl; anna pl; anna pl; jan pl; anna pl";
    assert_eq!(owners(&batch), expected);
    assert_same_text("reasons", &told(&batch), &told(&parts));
    for reason in [
        "rule=sticky; owner=anna; because=owner of other leads at brzoza.example; queue=pl",
        "rule=sticky; owner=jan; because=owner of other leads at NIP 5260001246; queue=pl",
    ] {
        assert!(told(&batch).contains(reason), "{}", told(&batch));
    }
    // Only those whose turn it was took one, and everybody counts.
    assert_eq!(batch.number("SELECT count(*) FROM turn"), 4);
    assert_eq!(batch.number("SELECT count(*) FROM account_claim"), 4);
    let loads = batch.sql("SELECT owner, sum(leads) FROM load GROUP BY owner ORDER BY 1");
    assert_eq!(loads.concat(), ["anna", "5", "jan", "3"]);
    let story = batch.ok(&["explain", "nina@brzoza.example"]);
    let flat = story.flat();
    assert!(flat.contains("because=owner of other leads at brzoza.example"), "{flat}");
    assert_fits_a_terminal(&story.stdout);
    for workspace in [&batch, &parts] {
        assert_rebuild_changes_nothing(workspace);
    }
    // Without the rule, turns decide.
    let apart = with_routing(TEAM);
    run(&apart, "2026-11-17T21:00:00Z", 0..8);
    assert_eq!(apart.number("SELECT count(*) FROM turn"), 8);
}

#[test]
fn a_domain_of_several_companies_ties_nobody() {
    let workspace = with_routing(&together());
    let row = |at: usize, name: &str, company: &str| {
        format!("{at},2026-11-17T08:00:0{at}Z,{name},p{at}@galeria.example,{company},,PL\n")
    };
    let header = "id,created_at,full_name,email,company,nip,country\n";
    let people = [
        row(1, "Ewa Lipa", "Piekarnia Wrzos"),
        row(2, "Iga Sosna", "Zegary Kowalczyk"),
        row(3, "Adam Buk", "Apteka Rumianek"),
    ];
    workspace.input("a.csv", header.to_owned() + &people.concat());
    workspace.ok(&["run"]);
    assert_eq!(owners(&workspace), "anna pl; jan pl; anna pl");
    assert_eq!(workspace.number("SELECT count(*) FROM account_claim"), 0);
}

#[test]
fn an_undo_takes_nobody_the_lead_that_they_got_for_a_colleagues() {
    let workspace = with_routing(&together());
    let first = run(&workspace, "2026-11-17T21:00:00Z", 0..1);
    run(&workspace, "2026-11-18T21:00:00Z", 1..3);
    assert_eq!(owners(&workspace), "anna pl; jan pl; anna pl");
    undo(&workspace, &first);
    assert_eq!(owners(&workspace), "jan pl; anna pl");
    assert_rebuild_changes_nothing(&workspace);
    let latest = run(&workspace, "2026-11-19T21:00:00Z", 7..8);
    assert_eq!(owners(&workspace), "jan pl; anna pl; anna pl");
    assert_rebuild_changes_nothing(&workspace);
    undo(&workspace, &latest);
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn who_is_away_or_named_by_a_route_is_treated_as_ever() {
    // Anna, who has a colleague's, is away: a turn decides, and says so.
    let away = together().replace(
        "id = 'anna'\n",
        "id = 'anna'\nabsent = [{ from = '2026-11-18', to = '2026-11-20' }]\n",
    );
    let workspace = with_routing(&away);
    run(&workspace, "2026-11-17T21:00:00Z", 0..1);
    run(&workspace, "2026-11-18T21:00:00Z", 2..3);
    assert_eq!(owners(&workspace), "anna pl; jan pl");
    let line = "instead-of=anna; because=away until 2026-11-20";
    assert!(told(&workspace).contains(line), "{}", told(&workspace));
    assert_rebuild_changes_nothing(&workspace);
    // Where she is to wait for hers, it waits for her, too.
    let waiting = away.replace("keep-account", "when-owner-away = 'queue'\nkeep-account");
    let workspace = with_routing(&waiting);
    run(&workspace, "2026-11-17T21:00:00Z", 0..1);
    run(&workspace, "2026-11-18T21:00:00Z", 2..3);
    assert_eq!(owners(&workspace), "anna pl; - pl");
    run(&workspace, "2026-11-21T21:00:00Z", 4..5);
    assert_eq!(owners(&workspace), "anna pl; anna pl; jan pl");
    assert_rebuild_changes_nothing(&workspace);
    // A route that names a person outweighs the company.
    let named =
        together().replace("queue = 'rest'\nbecause", "queue = 'rest'\nowner = 'ola'\nbecause");
    let workspace = with_routing(&named);
    run(&workspace, "2026-11-17T21:00:00Z", 0..6);
    assert_eq!(owners(&workspace), "anna pl; jan pl; anna pl; ola rest; anna pl; ola rest");
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn a_rescore_finds_the_company_of_who_waits_and_a_simulation_says_so() {
    // Nobody is in the pool that the first rules have.
    let workspace = with_routing(
        &together().replace("pool = [{ owner = 'anna' }, { owner = 'jan' }]", "unattended = true"),
    );
    run(&workspace, "2026-11-17T21:00:00Z", 0..3);
    assert_eq!(owners(&workspace), "- pl; - pl; - pl");
    workspace.file("rules/routing.toml", together());
    let at = ["--as-of", "2026-11-18T21:00:00Z"];
    let said = workspace.ok(&[&["simulate", "--format", "csv"], &at[..]].concat()).stdout;
    assert!([0, 3].contains(&workspace.run(&[&["rescore"], &at[..]].concat()).code));
    assert_eq!(owners(&workspace), "anna pl; jan pl; anna pl");
    assert_eq!(said.matches("anna").count(), 2, "{said}");
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn whatever_is_run_and_undone_colleagues_stay_where_they_were_dealt() {
    let step = (0..8_usize, 1..4_usize, prop::option::weighted(0.5, any::<prop::sample::Index>()));
    let worlds = (any::<bool>(), prop::collection::vec(step, 2..6));
    let outcome = runner(4).run(&worlds, |(waits, steps)| {
        let mut rules = together().replace(
            "id = 'anna'\n",
            "id = 'anna'\nabsent = [{ from = '2026-11-18', to = '2026-11-19' }]\n",
        );
        if waits {
            rules = rules.replace("keep-account", "when-owner-away = 'queue'\nkeep-account");
        }
        let workspace = with_routing(&rules);
        let mut standing: Vec<String> = Vec::new();
        for (night, (from, leads, undone)) in steps.into_iter().enumerate() {
            let at = format!("2026-11-{}T21:00:00Z", 17 + night);
            // Each file has a row of its own, so that it is another file.
            let own = format!("x{night},{at},Nikt {night},n{night}@gmail.com,,,XX\n");
            workspace.clear_or_make_inbox();
            let text = rows(from..(from + leads).min(8)) + &own;
            workspace.input(&format!("night-{night}.csv"), text);
            let outcome = workspace.run(&["run", "--json", "--as-of", &at]);
            assert!([0, 3].contains(&outcome.code), "{}", outcome.stderr);
            standing.push(outcome.json()["run"].as_str().unwrap().to_owned());
            if let Some(which) = undone {
                let run = standing.remove(which.index(standing.len()));
                undo(&workspace, &run);
            }
            assert_rebuild_changes_nothing(&workspace);
        }
        Ok(())
    });
    outcome.unwrap();
}
