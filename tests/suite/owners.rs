//! Leads that belong to somebody before anybody's turn is asked: by the CRM, or by the company.

use super::dealing::with_routing;
use super::undo::assert_rebuild_changes_nothing;
use super::workspace::Workspace;

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
