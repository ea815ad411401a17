//! Accounts as a user meets them; which leads are linked is in the scenario `one-company`.

use super::workspace::{Outcome, Workspace};

const HEADER: &str = "id,created_at,full_name,email,phone,company,nip,city,website";

const ROWS: &[&str] = &[
    "1,2026-11-18T10:00:00Z,Zofia Wrzos,zofia@nova-systemy.pl,,Nova Systemy sp. z o.o.,5260001246,Radom,",
    "2,2026-11-18T11:00:00Z,Adam Kruk,adam.kruk@nova-systemy.pl,,,,,",
    "3,2026-11-18T12:00:00Z,Olgierd Pliszka,opliszka@wp.pl,,NOVA SYSTEMY,526-000-12-46,,",
    "4,2026-11-18T13:00:00Z,Jan Bielik,bielik@kebabowo.pl,,Bar Bielik,,Kielce,",
    "5,2026-11-18T14:00:00Z,Iga Sroka,sroka@kebabowo.pl,,Sroka Jedzenie,,Opole,",
    "6,2026-11-18T15:00:00Z,Hanna Malwa,hmalwa@wp.pl,,,,Radom,",
];

fn receive(workspace: &Workspace, name: &str, rows: &[&str]) {
    let text = [&[HEADER], rows].concat().join("\n") + "\n";
    workspace.input(name, text.as_bytes());
    workspace.ok(&["run"]);
}

fn report(workspace: &Workspace, more: &[&str]) -> Outcome {
    workspace.ok(&[&["report", "accounts", "--format", "csv"], more].concat())
}

#[test]
fn explain_names_the_account_and_the_key_of_each_other_lead() {
    let workspace = Workspace::new();
    receive(&workspace, "a.csv", ROWS);
    let story = workspace.ok(&["explain", "zofia@nova-systemy.pl"]).stdout;
    let id = &story[3..15];
    assert!(
        story.contains(&format!("account ACC-{id} of 3 leads: Nova Systemy sp. z o.o.")),
        "{story}"
    );
    for (name, key) in
        [("Adam Kruk", "domain nova-systemy.pl"), ("Olgierd Pliszka", "NIP 5260001246")]
    {
        let line = story.lines().find(|line| line.contains(name)).unwrap();
        assert!(line.ends_with(key), "{line}");
    }
    // Two that share a key with the first only hang together through it.
    let other = workspace.ok(&["explain", "adam.kruk@nova-systemy.pl"]).stdout;
    assert!(other.contains("through others, by NIP"), "{other}");
    // The account's id stands for its oldest lead.
    assert_eq!(workspace.ok(&["explain", &format!("acc-{id}")]).stdout, story);
    let alone = workspace.ok(&["explain", "hmalwa@wp.pl"]).stdout;
    assert!(!alone.contains("account"), "{alone}");
}

#[test]
fn explain_says_which_key_is_shared_by_several_companies() {
    let workspace = Workspace::new();
    receive(&workspace, "a.csv", ROWS);
    let story = workspace.ok(&["explain", "bielik@kebabowo.pl"]).stdout;
    assert!(
        story.contains("domain kebabowo.pl is shared by leads of several companies"),
        "{story}"
    );
    let told = workspace.ok(&["explain", "bielik@kebabowo.pl", "--json"]).json();
    assert_eq!(told["account"]["shared_keys"][0], "domain kebabowo.pl");
    assert_eq!(told["account"]["leads"], 1);
    let told = workspace.ok(&["explain", "opliszka@wp.pl", "--json"]).json();
    assert_eq!(told["account"]["leads"], 3);
    assert_eq!(told["account"]["others"][0]["linked_by"], "NIP 5260001246");
}

#[test]
fn rows_in_any_order_and_number_of_runs_give_the_same_accounts() {
    let at_once = Workspace::new();
    receive(&at_once, "a.csv", ROWS);
    let reversed = Workspace::new();
    let rows: Vec<&str> = ROWS.iter().rev().copied().collect();
    receive(&reversed, "a.csv", &rows);
    assert_eq!(report(&reversed, &[]).stdout, report(&at_once, &[]).stdout);
    let in_two = Workspace::new();
    receive(&in_two, "a.csv", &ROWS[..2]);
    let first = report(&in_two, &[]).stdout;
    receive(&in_two, "b.csv", &ROWS[2..]);
    let both = report(&in_two, &[]).stdout;
    assert_eq!(both, report(&at_once, &[]).stdout);
    let id = |text: &str| text.lines().nth(1).unwrap()[..16].to_owned();
    assert_eq!(id(&first), id(&both), "a younger lead changes no id");
}

#[test]
fn the_report_is_cut_where_it_is_told_and_empty_where_there_is_nothing() {
    let workspace = Workspace::new();
    receive(&workspace, "a.csv", ROWS);
    assert_eq!(report(&workspace, &["--limit", "1"]).stdout.lines().count(), 2);
    assert_eq!(report(&workspace, &["--limit", "0"]).stdout.lines().count(), 1);
    assert_eq!(report(&workspace, &["--members"]).stdout.lines().count(), 4);
    let table = workspace.ok(&["report", "accounts"]).stdout;
    assert!(table.contains("1 account of two leads or more"), "{table}");
    let table = workspace.ok(&["report", "accounts", "--limit", "0"]).stdout;
    assert!(table.contains("0 of 1 accounts of two leads or more"), "{table}");
    let nobody = Workspace::new();
    receive(&nobody, "a.csv", &ROWS[5..]);
    let table = nobody.ok(&["report", "accounts"]).stdout;
    assert!(table.contains("0 accounts of two leads or more"), "{table}");
}
