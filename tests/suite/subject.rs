//! What a person may ask for, what is kept how long, and the register of it all.

use super::undo::{assert_rebuild_changes_nothing, take_in};
use super::workspace::{Workspace, assert_fits_a_terminal};

const ANNA: &str = "a1,2026-11-16T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,+48600000101,<b>Przyklad</b>,PL,Prosze o wycene,yes";
const ANNA_AGAIN: &str =
    "a2,2026-11-17T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,,Przyklad Nowy,PL,Pilne demo,no";
const BROKEN: &str = "x1,2026-11-17T09:30:00Z,Anna Wzorcowa,anna@przyklad.pl,,,PL,,,za,duzo";

fn two_nights() -> Workspace {
    let workspace = Workspace::new();
    take_in(&workspace, 1, &[ANNA]);
    take_in(&workspace, 2, &[ANNA_AGAIN, BROKEN]);
    workspace
}

#[test]
fn an_export_has_everything_about_the_person() {
    let workspace = two_nights();
    let told = workspace.ok(&["subject", "export", "anna@przyklad.pl"]).stdout;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["format"], "leadmill-subject-1");
    let rows = told["rows"].as_array().unwrap();
    assert_eq!(rows[0]["received"]["message"], "Prosze o wycene");
    assert_eq!(rows[0]["place"], "./inbox/night-1.csv:2");
    let states: Vec<&str> = rows.iter().map(|row| row["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["accepted", "accepted", "quarantined"]);
    let consents = told["consents"].as_array().unwrap();
    assert!(consents.iter().any(|one| one["state"] == "refused"), "{consents:?}");
    let decisions = told["decisions"].as_array().unwrap();
    assert!(!decisions[0]["reasons"].as_array().unwrap().is_empty());
    let recipients = told["recipients"].as_array().unwrap();
    assert!(recipients.iter().any(|one| one["target"] == "hubspot-contacts"), "{recipients:?}");
    assert!(!told["purposes"].as_array().unwrap().is_empty());
}

#[test]
fn the_page_is_for_people_in_their_language_and_runs_nothing() {
    let workspace = two_nights();
    workspace.file(
        "rules/workspace.toml",
        "[controller]\nname = \"Przykład sp. z o.o.\"\ncontact = \"dane@przyklad.pl\"\n",
    );
    let page = |lang: &str| {
        let args = ["subject", "export", "+48600000101", "--format", "html", "--lang", lang];
        workspace.ok(&args).stdout
    };
    let polish = page("pl");
    assert!(polish.contains("<html lang=\"pl\">") && polish.contains("adres e-mail"), "{polish}");
    assert!(polish.contains("Przykład sp. z o.o.") && !polish.contains("<b>Przyklad"), "{polish}");
    let english = page("en");
    assert!(english.contains("What we know about you"), "{english}");
    for page in [polish, english] {
        assert!(!page.contains("<script") && !page.contains("http://"), "{page}");
        assert!(page.contains("default-src 'none'"));
    }
}

const RULES: &str = "
[[keep]]
id = 'rows'
on = true
of = 'quarantine'
keep-for = '30d'
then = 'forget'
because = 'nobody mends them any more'

[[keep]]
id = 'raw'
on = true
of = 'leads'
keep-for = '60d'
then = 'strip-raw'
because = 'nobody asks any more'

[[keep]]
id = 'people'
on = true
of = 'leads'
keep-for = '365d'
then = 'forget'
because = 'nothing is left to do'

[[keep]]
id = 'cautious'
of = 'leads'
keep-for = '1d'
then = 'forget'
because = 'off'
";

#[test]
fn what_is_kept_too_long_goes_step_by_step() {
    let workspace = two_nights();
    workspace.file("rules/retention.toml", RULES);
    let apply =
        |as_of: &str| workspace.ok(&["retention", "apply", "--json", "--as-of", as_of]).json();
    assert!(apply("2026-11-20T00:00:00Z")["run"].is_null());
    let plan = workspace.ok(&["retention", "plan", "--list", "--as-of", "2026-12-31T00:00:00Z"]);
    assert_fits_a_terminal(&plan.stdout);
    assert!(plan.stdout.contains("inbox/night-2.csv:3"), "{}", plan.stdout);
    let rows = apply("2026-12-31T00:00:00Z");
    assert_eq!(rows["erasure"]["quarantined"], 1);
    assert_eq!(workspace.number("SELECT count(*) FROM quarantine"), 0);
    let raw = apply("2027-02-28T00:00:00Z");
    assert_eq!(raw["erasure"]["stripped"], 2);
    assert_eq!(workspace.sql("SELECT DISTINCT raw FROM submissions"), [["[]"]]);
    assert_rebuild_changes_nothing(&workspace);
    // Once is enough.
    assert!(apply("2027-03-01T00:00:00Z")["run"].is_null());
    let people = apply("2027-12-31T00:00:00Z");
    assert_eq!(people["erasure"]["submissions"], 2);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 0);
    assert_rebuild_changes_nothing(&workspace);
    // Neither do they come back with an old file.
    take_in(&workspace, 3, &[ANNA, BROKEN]);
    assert_eq!(workspace.number("SELECT count(*) FROM held WHERE reason = 'suppressed'"), 2);
}

#[test]
fn what_is_due_is_told_by_the_days_of_the_workspace() {
    let workspace = Workspace::new();
    workspace.file("rules/retention.toml", RULES);
    // Half past midnight in Warsaw.
    take_in(&workspace, 2, &[&ANNA.replace("16T09:00", "16T23:30")]);
    let plan = workspace.ok(&["retention", "plan", "--list", "--as-of", "2027-12-31T00:00:00Z"]);
    let (on, day) = (plan.stdout.matches("2026-11-17").count(), "2026-11-16");
    assert!(on > 3 && !plan.stdout.contains(day), "{}", plan.stdout);
}

#[test]
fn whoever_still_agrees_stays() {
    let workspace = Workspace::new();
    workspace.file("rules/wordings/landing-2026.txt", "Wyrażam zgodę\nna newsletter.\r\n");
    workspace.file(
        "rules/sources/landing.toml",
        "id = 'landing'\nname = 'Landing page'\nbecause = 'our own page'\n\
         [[recognize]]\nheaders = ['kiedy', 'e-mail', 'zgoda']\n\
         [[consent]]\nid = 'm'\npurpose = 'marketing'\nchannels = ['email']\n\
         wording-file = 'landing-2026'\n\
         [[column]]\nnames = ['kiedy']\nrole = 'submitted-at'\n\
         [[column]]\nnames = ['e-mail']\nfield = 'email'\n\
         [[column]]\nnames = ['zgoda']\nconsent = 'm'\n",
    );
    workspace.file(
        "rules/retention.toml",
        "[[keep]]\nid = 'silent'\non = true\nof = 'leads'\nkeep-for = '30d'\nthen = 'forget'\n\
         unless-agreed = ['marketing']\nbecause = 'nothing is left to do'\n",
    );
    workspace.input(
        "landing.csv",
        "kiedy,e-mail,zgoda\n2026-11-16T09:00:00Z,tak@example.com,tak\n\
         2026-11-16T10:00:00Z,nie@example.com,nie\n",
    );
    workspace.ok(&["run"]);
    let notice = workspace.ok(&["consent", "notice"]);
    assert!(notice.stdout.contains("na newsletter."), "{}", notice.stdout);
    let emails = |due: &serde_json::Value| {
        let ids = due["rules"][0]["due"].as_array().unwrap().iter();
        let of = |id| format!("SELECT email FROM leads WHERE id = '{id}'");
        ids.map(|one| workspace.sql(&of(one["what"].as_str().unwrap()))[0][0].clone())
            .collect::<Vec<_>>()
    };
    let plan =
        |as_of: &str| workspace.ok(&["retention", "plan", "--json", "--as-of", as_of]).json();
    assert_eq!(emails(&plan("2026-12-31T00:00:00Z")), ["nie@example.com"]);
    // Asked on the day: once the consent is taken back, nothing holds them any more.
    let back = [
        "consent",
        "withdraw",
        "tak@example.com",
        "--because",
        "a call",
        "--as-of",
        "2027-01-02T00:00:00Z",
    ];
    workspace.ok(&back);
    assert_eq!(emails(&plan("2027-03-01T00:00:00Z")), ["tak@example.com", "nie@example.com"]);
}

#[test]
fn ip_addresses_go_by_rule_and_decisions_stay_as_they_are() {
    let workspace = Workspace::new();
    workspace.input(
        "leads.csv",
        "id,created_at,full_name,email,ip\nk1,2026-11-16T09:00:00Z,Anna Wzor,anna@example.com,203.0.113.77\n\
         k2,2026-11-17T09:00:00Z,Anna Wzor,anna@example.com,203.0.113.78\n",
    );
    workspace.ok(&["run"]);
    let decided = "SELECT id, score, owner, queue FROM leads ORDER BY id";
    let before = workspace.sql(decided);
    workspace.file(
        "rules/retention.toml",
        "[[keep]]\nid = 'ip'\non = true\nof = 'leads'\nkeep-for = '30d'\nthen = 'strip-ip'\nbecause = 'b'\n",
    );
    workspace.ok(&["retention", "apply", "--as-of", "2026-12-31T00:00:00Z"]);
    assert_eq!(workspace.sql(decided), before);
    assert_rebuild_changes_nothing(&workspace);
    let bytes = std::fs::read(workspace.path("leadmill.db")).unwrap();
    assert!(!bytes.windows(10).any(|part| part == b"203.0.113."), "an address is left");
}

#[test]
fn whoever_was_spoken_to_lately_is_kept_whoever_said_so() {
    let workspace = Workspace::new();
    workspace.table(
        "a.csv",
        &["1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600000101,,PL,Prosze o oferte,"],
    );
    workspace.file(
        "rules/retention.toml",
        "[[keep]]\nid = 'silent'\non = true\nof = 'leads'\nkeep-for = '30d'\nthen = 'forget'\nbecause = 'b'\n",
    );
    workspace.ok(&["run"]);
    let due = |as_of: &str| {
        let plan = workspace.ok(&["retention", "plan", "--json", "--as-of", as_of]).json();
        plan["rules"][0]["due"].as_array().unwrap().len()
    };
    assert_eq!(due("2026-12-31T00:00:00Z"), 1);
    // The owner says it of the task, which names the lead and no address.
    let sql = "SELECT l.id || '/' || t.plan || '/call' FROM tasks AS t JOIN leads AS l USING (lead_no) WHERE t.step = 'call'";
    let task = workspace.sql(sql)[0][0].clone();
    let done =
        ["tasks", "done", &task, "--outcome", "contacted", "--as-of", "2026-12-20T10:00:00Z"];
    workspace.ok(&done);
    assert_eq!(due("2026-12-31T00:00:00Z"), 0);
    assert_eq!(due("2027-01-31T00:00:00Z"), 1);
}

#[test]
fn the_register_says_what_the_rules_say_and_names_its_gaps() {
    let workspace = Workspace::new();
    let outcome = workspace.ok(&["ropa", "export", "--lang", "en"]);
    for words in ["purposes", "art. 398", "hubspot-contacts", "security measures", "silent-leads"] {
        assert!(outcome.stdout.contains(words), "{words}: {}", outcome.stdout);
    }
    assert!(outcome.stderr.contains("third countries"), "{}", outcome.stderr);
    let table = workspace.ok(&["ropa", "export", "--format", "json"]).json();
    assert!(table.as_array().unwrap().len() > 40);
}
