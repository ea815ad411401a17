//! What people did is theirs, in whatever order it and they came.

use std::fmt::Write as _;

use super::undo::{assert_rebuild_changes_nothing, undo};
use super::workspace::{Workspace, assert_same_text};

const PEOPLE: &str =
    "Submission id,Submitted at,Full name,E-mail,Phone,Visitor id,User id,Record id\n";
const ANNA: &str =
    "a1,2026-11-16T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,+48600000101,,u-anna,901\n";
const JAN: &str = "j1,2026-11-16T10:00:00Z,Jan Testowski,jan@example.com,+48223456789,v-jan,,\n";
const EWA: &str = "e1,2026-11-17T11:00:00Z,Ewa Nowa,ewa@example.org,+48223456789,,,\n";
const OFFICE: &str = "o1,2026-11-17T12:00:00Z,Piotr Biurowy,biuro@przyklad.pl,,,,\n";
const OFFICE_TOO: &str = "o2,2026-11-17T13:00:00Z,Olga Sekretarska,biuro@przyklad.pl,,,,\n";

const EVENTS: &str = "timestamp,event,url,email,phone,lead_id,external_id,user_id,anonymous_id\n";

/// Runs with nothing in the inbox but a file `name` that has these lines below `header`.
fn take_in(workspace: &Workspace, name: &str, header: &str, lines: &[&str]) {
    workspace.clear_or_make_inbox().input(name, format!("{header}{}", lines.concat()));
    workspace.ok(&["run"]);
}

/// What `explain` tells of the touches of whoever is called `who`, the latest first.
fn touches(workspace: &Workspace, who: &str) -> String {
    let told = workspace.ok(&["explain", who, "--json"]).json();
    let mut text = String::new();
    for touch in told["touches"].as_array().unwrap() {
        let words = |key: &str| {
            let list = touch[key].as_array().map(Vec::as_slice).unwrap_or_default();
            list.iter().filter_map(|one| one.as_str()).collect::<Vec<_>>().join(":")
        };
        let (day, kind) = (&touch["at"].as_str().unwrap()[8..10], touch["kind"].as_str().unwrap());
        let detail = touch["detail"].as_str().unwrap();
        let _ = write!(text, "{day} {kind} {detail} by {}", words("joined_by"));
        let with = words("seen_with");
        let _ = if with.is_empty() { writeln!(text) } else { writeln!(text, " < {with}") };
    }
    text
}

/// In how many runs somebody was decided about.
fn decisions(workspace: &Workspace, who: &str) -> usize {
    let told = workspace.ok(&["explain", who, "--json"]).json();
    told["decisions"].as_array().unwrap().len()
}

#[test]
fn every_identity_joins_and_each_touch_counts_once() {
    let workspace = Workspace::new();
    take_in(&workspace, "people.csv", PEOPLE, &[ANNA]);
    let lead = workspace.sql("SELECT id FROM leads")[0][0].clone();
    let by_lead_id = format!("2026-11-18T08:00:00Z,page_view,/1,,,{lead},,,\n");
    take_in(
        &workspace,
        "events.csv",
        EVENTS,
        &[
            &by_lead_id,
            "2026-11-18T08:01:00Z,page_view,/2,,,,901,,\n",
            "2026-11-18T08:02:00Z,page_view,/3,,,,,u-anna,\n",
            "2026-11-18T08:03:00Z,page_view,/4,ANNA@przyklad.pl,,,,,\n",
            "2026-11-18T08:04:00Z,page_view,/5,,600 000 101,,,,\n",
            "2026-11-18T08:05:00Z,page_view,/6,anna@przyklad.pl,+48600000101,,901,u-anna,v-1\n",
            "2026-11-18T08:06:00Z,page_view,/7,stranger@example.com,,,,,\n",
        ],
    );
    let expected = "18 page-view /6 by external-id:901\n18 page-view /5 by phone:+48600000101\n\
                    18 page-view /4 by email:ANNA@przyklad.pl\n18 page-view /3 by user-id:u-anna\n\
                    18 page-view /2 by external-id:901\n";
    assert_same_text(
        "touches",
        &touches(&workspace, "anna@przyklad.pl"),
        &format!("{expected}18 page-view /1 by lead-id:{lead}\n"),
    );
    assert_eq!(workspace.run_json()["rows"]["touches"], 7);
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn a_number_without_its_country_is_dialled_in_the_rows_own_as_in_a_form() {
    let workspace = Workspace::new();
    let hans = "h1,2026-11-16T09:00:00Z,Hans Muster,,+49301234567,,,\n";
    take_in(&workspace, "people.csv", PEOPLE, &[hans, ANNA]);
    take_in(
        &workspace,
        "events.csv",
        "timestamp,event,url,phone,country\n",
        &[
            "2026-11-18T08:00:00Z,page_view,/1,030 1234567,DE\n",
            "2026-11-18T08:01:00Z,page_view,/2,030 1234567,Niemcy\n",
            "2026-11-18T08:02:00Z,page_view,/3,600 000 101,\n",
            // No number of that country, so one of the source's own.
            "2026-11-18T08:03:00Z,page_view,/4,600 000 101,US\n",
        ],
    );
    let expected = "18 page-view /2 by phone:+49301234567\n18 page-view /1 by phone:+49301234567\n";
    assert_same_text("touches", expected, &touches(&workspace, "+49301234567"));
    let expected = "18 page-view /4 by phone:+48600000101\n18 page-view /3 by phone:+48600000101\n";
    assert_same_text("touches", expected, &touches(&workspace, "anna@przyklad.pl"));
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn an_anonymous_history_is_theirs_who_gave_an_address_later_in_any_order() {
    type Part<'a> = (&'a str, &'a str, &'a [&'a str]);
    let parts: [Part<'_>; 4] = [
        ("anna.csv", PEOPLE, &[ANNA]),
        ("others.csv", PEOPLE, &[JAN, EWA, OFFICE, OFFICE_TOO]),
        (
            "anonymous.csv",
            EVENTS,
            &[
                "2026-11-14T08:00:00Z,page_view,/cennik,,,,,,v-1\n",
                "2026-11-15T08:00:00Z,page_view,/cennik,,,,,,v-1\n",
                "2026-11-15T09:00:00Z,file_download,katalog.pdf,,,,,,v-2\n",
                "2026-11-15T10:00:00Z,page_view,/jan,,,,,,v-jan\n",
                "2026-11-15T11:00:00Z,page_view,/o-nas,,,,,,v-shared\n",
                "2026-11-15T12:00:00Z,page_view,/app,,,,,,v-3\n",
            ],
        ),
        (
            "known.csv",
            EVENTS,
            &[
                "2026-11-16T08:00:00Z,Webinar registered,,anna@przyklad.pl,,,,,v-1\n",
                // Two hops: the browser is the user's, the user is known by the form.
                "2026-11-16T08:10:00Z,page_view,/panel,,,,,u-anna,v-2\n",
                // Three: the user is known by an address only.
                "2026-11-16T08:12:00Z,login,,jan@example.com,,,,u-jan,\n",
                "2026-11-16T08:14:00Z,page_view,/app,,,,,u-jan,v-3\n",
                // One browser of two people with different names.
                "2026-11-16T08:20:00Z,page_view,/a,anna@przyklad.pl,,,,,v-shared\n",
                "2026-11-16T08:30:00Z,page_view,/b,jan@example.com,,,,,v-shared\n",
                // A switchboard, and the mailbox of an office with two people.
                "2026-11-16T08:40:00Z,page_view,/central,,+48223456789,,,,\n",
                "2026-11-16T08:50:00Z,email opened,Oferta,biuro@przyklad.pl,,,,,\n",
                // The weaker identity is somebody's own where the stronger is nobody's.
                "2026-11-16T08:55:00Z,page_view,/jan-again,,+48223456789,,,,v-jan\n",
            ],
        ),
    ];
    let anna = "16 page-view /a by email:anna@przyklad.pl\n16 page-view /panel by user-id:u-anna\n\
                16 event Webinar registered by email:anna@przyklad.pl\n\
                15 download katalog.pdf by visitor-id:v-2 < user-id:u-anna\n\
                15 page-view /cennik by visitor-id:v-1 < email:anna@przyklad.pl\n\
                14 page-view /cennik by visitor-id:v-1 < email:anna@przyklad.pl\n";
    let jan = "16 page-view /jan-again by visitor-id:v-jan\n16 page-view /b by email:jan@example.com\n\
               16 page-view /app by user-id:u-jan < email:jan@example.com\n\
               16 event login by user-id:u-jan < email:jan@example.com\n\
               15 page-view /app by visitor-id:v-3 < user-id:u-jan\n\
               15 page-view /jan by visitor-id:v-jan\n";
    let nights: [&[Part<'_>]; 3] = [&parts[..1], &parts[1..3], &parts[3..]];
    let mut scores = Vec::new();
    for order in permutations(nights.len()) {
        let workspace = Workspace::new();
        for night in order.iter().map(|at| nights[*at]) {
            workspace.clear_or_make_inbox();
            for (name, header, lines) in night {
                workspace.input(name, format!("{header}{}", lines.concat()));
            }
            workspace.ok(&["run"]);
        }
        let told = |who: &str| touches(&workspace, who);
        assert_same_text(&format!("{order:?}"), &told("anna@przyklad.pl"), anna);
        assert_same_text(&format!("{order:?}"), &told("jan@example.com"), jan);
        assert_eq!(told("ewa@example.org"), "", "{order:?}");
        assert_eq!(workspace.number("SELECT count(*) FROM leads"), 5, "{order:?}");
        let decided: Vec<String> = ["anna@przyklad.pl", "jan@example.com", "ewa@example.org"]
            .map(|email| workspace.standing(email))
            .into();
        scores.push(decided);
        assert_rebuild_changes_nothing(&workspace);
    }
    assert!(scores.iter().all(|one| *one == scores[0]), "{scores:?}");
}

fn permutations(n: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for next in 0..n {
        all = all
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                (0..=order.len()).map(move |at| {
                    let mut longer = order.clone();
                    longer.insert(at, next);
                    longer
                })
            })
            .collect();
    }
    all
}

#[test]
fn a_run_of_touches_alone_decides_about_whom_they_concern_and_can_be_taken_back() {
    let workspace = Workspace::new();
    take_in(&workspace, "people.csv", PEOPLE, &[ANNA, JAN]);
    let was = workspace.standing("anna@przyklad.pl");
    let events = [
        "2026-11-19T08:00:00Z,page_view,https://vendor.example/cennik,,,,,,v-9\n",
        "2026-11-19T09:00:00Z,page_view,https://vendor.example/cennik,,,,,,v-9\n",
        "2026-11-19T09:10:00Z,login,,anna@przyklad.pl,,,,,v-9\n",
    ];
    take_in(&workspace, "events.csv", EVENTS, &events);
    assert_ne!(workspace.standing("anna@przyklad.pl"), was);
    assert_eq!(
        (decisions(&workspace, "anna@przyklad.pl"), decisions(&workspace, "jan@example.com")),
        (2, 1)
    );
    assert!(workspace.latest("crm/leads.csv").contains("anna@przyklad.pl"));
    assert!(!workspace.latest("crm/leads.csv").contains("jan@example.com"));
    // Again, under another name and with one line more: nothing but that line is new.
    let more = "2026-11-19T10:00:00Z,page_view,/kontakt,,,,,,v-9\n";
    take_in(&workspace, "again.csv", EVENTS, &[events[0], events[1], events[2], more]);
    let rows = &workspace.run_json()["rows"];
    assert_eq!((&rows["touches"], &rows["repeated"]), (&1.into(), &3.into()));
    assert_eq!(touches(&workspace, "anna@przyklad.pl").lines().count(), 4);
    assert_rebuild_changes_nothing(&workspace);
    let runs = workspace.sql("SELECT id FROM runs ORDER BY run_no");
    // What the second file brought again stays as its own.
    undo(&workspace, &runs[1][0]);
    assert_eq!(touches(&workspace, "anna@przyklad.pl").lines().count(), 4);
    undo(&workspace, &runs[2][0]);
    assert_eq!(touches(&workspace, "anna@przyklad.pl"), "");
    assert_eq!(workspace.standing("anna@przyklad.pl"), was);
    assert_eq!(workspace.number("SELECT count(*) FROM touch_key"), 0);
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn an_id_of_a_merged_lead_still_names_it() {
    let workspace = Workspace::new();
    take_in(&workspace, "people.csv", PEOPLE, &[ANNA, JAN]);
    let ids = workspace.sql("SELECT id FROM leads ORDER BY lead_no");
    let (anna, jan) = (&ids[0][0], &ids[1][0]);
    workspace.ok(&["merge", anna, jan, "--because", "one person"]);
    let event = format!("2026-11-18T08:00:00Z,page_view,/x,,,{jan},,,\n");
    take_in(&workspace, "events.csv", EVENTS, &[&event]);
    let expected = format!("18 page-view /x by lead-id:{jan}\n");
    assert_eq!(touches(&workspace, anna), expected);
    assert_eq!(touches(&workspace, jan), expected);
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn a_lead_that_comes_to_have_the_stronger_identity_takes_the_touches_over() {
    let workspace = Workspace::new();
    take_in(&workspace, "jan.csv", PEOPLE, &[JAN]);
    let event = "2026-11-18T08:00:00Z,page_view,/cennik,ewa@example.org,,,,,v-jan\n";
    take_in(&workspace, "events.csv", EVENTS, &[event]);
    assert_eq!(touches(&workspace, "jan@example.com").lines().count(), 1);
    take_in(&workspace, "ewa.csv", PEOPLE, &[EWA]);
    assert_eq!(touches(&workspace, "jan@example.com"), "");
    assert_eq!(touches(&workspace, "ewa@example.org").lines().count(), 1);
    assert_eq!(
        decisions(&workspace, "jan@example.com"),
        3,
        "Jan is decided about when he loses it"
    );
    assert_rebuild_changes_nothing(&workspace);
    let ewas = workspace.sql("SELECT id FROM runs ORDER BY run_no")[2][0].clone();
    undo(&workspace, &ewas);
    assert_eq!(touches(&workspace, "jan@example.com").lines().count(), 1);
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn record_ids_of_two_systems_are_not_taken_for_each_other() {
    let workspace = Workspace::new();
    workspace.input(
        "hubspot.csv",
        "Record ID,First Name,Last Name,Email,Create Date,Lifecycle Stage\n\
         901,Anna,Wzorcowa,anna@przyklad.pl,2026-11-16 09:00,Lead\n",
    );
    workspace.ok(&["run"]);
    take_in(
        &workspace,
        "jan.csv",
        PEOPLE,
        &["j1,2026-11-16T10:00:00Z,Jan Testowski,jan@example.com,,,,901\n"],
    );
    let event = "2026-11-18T08:00:00Z,page_view,/cennik,,,,901,,\n";
    take_in(&workspace, "events.csv", EVENTS, &[event]);
    assert_eq!(touches(&workspace, "anna@przyklad.pl"), "");
    assert_eq!(touches(&workspace, "jan@example.com"), "");
}

#[test]
fn a_list_that_may_be_leads_or_events_is_refused_until_somebody_says() {
    let workspace = Workspace::new();
    let list = "date,event,email\n2026-11-18T08:00:00Z,Solar for firms,anna@przyklad.pl\n";
    workspace.input("list.csv", list);
    workspace
        .run(&["run"])
        .expect_code(6)
        .says(&["--source generic-events", "--source generic-csv"]);
    workspace.ok(&["run", "inbox/list.csv", "--source", "generic-events"]);
    assert_eq!(workspace.run_json()["rows"]["touches"], 1);
    // A name makes it a list of people; a known event a log.
    for (text, leads, touches) in [
        (
            "date,event,name,email\n2026-11-18T08:00:00Z,Solar for firms,Anna Wzorcowa,anna@przyklad.pl\n",
            1,
            0,
        ),
        ("date,event,email\n2026-11-18T08:00:00Z,Email opened,anna@przyklad.pl\n", 0, 1),
        ("date,event,visitor_id\n2026-11-18T08:00:00Z,Solar for firms,v-1\n", 0, 1),
    ] {
        let workspace = Workspace::new();
        workspace.input("list.csv", text).ok(&["run"]);
        let rows = &workspace.run_json()["rows"];
        assert_eq!(
            (&rows["created"], &rows["touches"]),
            (&leads.into(), &touches.into()),
            "{text}"
        );
    }
}
