//! A CRM's export says who is there: no enquiry, and all that an enquiry needs to know.

use super::undo::assert_rebuild_changes_nothing;
use super::workspace::{Workspace, assert_fits_a_terminal};

const CRM: &str = "\
Record ID,First Name,Last Name,Email,Create Date,Lifecycle Stage,Lead Status,Contact owner\n\
901,Anna,Łęcka,anna@firma.pl,2026-11-20 09:00,Customer,NEW,\n\
902,Żaneta,Ślązak,zaneta@druga.pl,2026-11-20 09:00,Lead,NEW,\n\
903,Jan,Nowak,jan@trzecia.pl,2026-11-20 09:00,Opportunity,OPEN,Marek Wzorowy\n";
const HEADER: &str = "Submission id,Submitted at,Full name,E-mail,Message,Country\n";
const ANNA: &str = "s1,2026-11-20T17:00:00Z,Anna Łęcka,anna@firma.pl,Proszę o wycenę,PL\n";

/// Returns the cells `headers` of the lead with this address in `crm/leads.csv`.
fn cells<const N: usize>(workspace: &Workspace, email: &str, headers: [&str; N]) -> [String; N] {
    let rows = workspace.leads_csv();
    let row = rows.iter().find(|row| row["email"] == email).unwrap();
    headers.map(|header| row.get(header).cloned().unwrap_or_default())
}

fn open_tasks(workspace: &Workspace) -> i64 {
    workspace.number("SELECT count(*) FROM tasks")
}

#[test]
fn whom_a_crm_knows_is_nobodys_turn_and_gets_no_mail() {
    let workspace = Workspace::new();
    workspace.input("contacts.csv", CRM);
    workspace.ok(&["run"]);
    let standing = |email| cells(&workspace, email, ["queue", "owner", "is-customer"]);
    assert_eq!(standing("anna@firma.pl"), ["contacts", "", "true"]);
    assert_eq!(standing("zaneta@druga.pl"), ["contacts", "", "false"]);
    assert_eq!(standing("jan@trzecia.pl")[1], "marek", "the CRM says whose he is");
    assert_eq!(open_tasks(&workspace), 0, "nobody asked for anything");
    assert_eq!(workspace.number("SELECT count(*) FROM turn"), 0);
    let told = workspace.ok(&["explain", "anna@firma.pl"]);
    assert_fits_a_terminal(&told.stdout);
    let story = workspace.ok(&["explain", "anna@firma.pl", "--json"]).json();
    assert_eq!(story["submissions"][0]["is_enquiry"], false);
    // A night later nothing is set off either.
    workspace.clear_inbox().ok(&["run", "--as-of", "2026-12-20T19:00:00Z"]);
    assert_eq!(open_tasks(&workspace), 0);
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn whom_a_crm_knows_fills_nobodys_cap() {
    let workspace = Workspace::new();
    let routing = "triage = 'triage'\n[[owner]]\nid = 'marek'\nname = 'Marek Wzorowy'\n\
        cap = { leads = 1, per = 'day' }\n\
        [[queue]]\nid = 'sales'\npool = [{ owner = 'marek' }]\nbecause = 'b'\n\
        [[queue]]\nid = 'triage'\nbecause = 'b'\n\
        [[route]]\nid = 'all'\nwhen = { field = 'has-enquired', is = true }\nqueue = 'sales'\nbecause = 'b'\n";
    let of_marek = CRM.replace("NEW,\n", "NEW,Marek Wzorowy\n");
    workspace.file("rules/routing.toml", routing);
    workspace.input("contacts.csv", of_marek).input(
        "form.csv",
        format!("{HEADER}s1,2026-11-20T17:00:00Z,Ewa Lis,ewa@czwarta.pl,Proszę o wycenę,PL\n"),
    );
    workspace.run(&["run"]);
    for email in ["anna@firma.pl", "zaneta@druga.pl", "jan@trzecia.pl", "ewa@czwarta.pl"] {
        assert_eq!(cells(&workspace, email, ["owner"]), ["marek"], "{email}");
    }
    assert_eq!(workspace.number("SELECT sum(leads) FROM load"), 1, "the one who asked");
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn an_enquiry_of_a_customer_is_known_as_one_whichever_came_first() {
    let stand = |first: (&str, String), second: (&str, String)| {
        let workspace = Workspace::new();
        workspace.input(first.0, first.1);
        workspace.ok(&["run"]);
        workspace.clear_inbox().input(second.0, second.1);
        workspace.ok(&["run"]);
        assert_rebuild_changes_nothing(&workspace);
        workspace
    };
    let crm = || ("contacts.csv", CRM.to_owned());
    let form = || ("form.csv", format!("{HEADER}{ANNA}"));
    let known_before = stand(crm(), form());
    let [queue, external, customer] =
        cells(&known_before, "anna@firma.pl", ["queue", "external-id", "is-customer"]);
    assert_eq!([&*queue, &*external, &*customer], ["customers", "901", "true"]);
    let of_anna = "SELECT t.plan || ' ' || t.step || ' ' || t.due_at FROM tasks AS t JOIN leads AS l USING (lead_no)
                   WHERE l.email = 'anna@firma.pl' ORDER BY 1";
    let tasks = known_before.sql(of_anna);
    assert!(!tasks.is_empty(), "the form sets off what it would for anybody");

    // The CRM comes later: neither a second cycle nor another due time comes of it.
    let known_after = stand(form(), crm());
    assert_eq!(known_after.sql(of_anna), tasks);
    let story = known_after.ok(&["explain", "anna@firma.pl", "--json"]).json();
    assert_eq!(story["submissions"].as_array().unwrap().len(), 2);
    // A record in the CRM is not that she wrote again.
    assert!(!story["decisions"].to_string().contains("came-back"), "{story}");
}

#[test]
fn a_preset_may_say_that_its_contacts_do_enquire() {
    let workspace = Workspace::new();
    let package = super::workspace::package();
    let preset =
        std::fs::read_to_string(package.join("rules/sources/hubspot-contacts.toml")).unwrap();
    let preset = preset.replace("contact-list = true\n", "contact-list = true\nenquiries = true\n");
    workspace.file("rules/sources/hubspot-contacts.toml", preset);
    workspace.input("contacts.csv", CRM);
    workspace.ok(&["run"]);
    assert!(open_tasks(&workspace) > 0);
    assert_eq!(cells(&workspace, "anna@firma.pl", ["queue"]), ["customers"]);
}

#[test]
fn an_undone_enquiry_leaves_a_contact() {
    let workspace = Workspace::new();
    workspace.input("contacts.csv", CRM);
    workspace.ok(&["run"]);
    workspace.clear_inbox().input("form.csv", format!("{HEADER}{ANNA}"));
    let run = workspace.ok(&["run", "--json"]).json()["run"].as_str().unwrap().to_owned();
    assert!(open_tasks(&workspace) > 0);
    workspace.ok(&["undo", &run]);
    assert_eq!(open_tasks(&workspace), 0);
    assert_eq!(cells(&workspace, "anna@firma.pl", ["queue"]), ["contacts"]);
    assert_rebuild_changes_nothing(&workspace);
}
