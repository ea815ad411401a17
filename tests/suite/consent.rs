//! The consent ledger as an auditor meets it: proofs, withdrawals, gaps, and whether anybody touched it.

use std::fmt::Write as _;

use super::workspace::{Workspace, assert_fits_a_terminal};

const SENTENCE: &str = "Wyrażam zgodę na przesyłanie informacji handlowych e-mailem";
const ANNA: &str = "anna@przyklad.pl";

/// Takes in rows of time, name, address, number and answer to the question of [`SENTENCE`].
fn take_in(workspace: &Workspace, night: u32, rows: &[&str]) -> String {
    workspace.clear_or_make_inbox();
    let header = format!("id,created_at,full_name,email,phone,message,{SENTENCE}");
    let mut text = format!("{header}\n");
    for (number, row) in rows.iter().enumerate() {
        writeln!(text, "n{night}-{number},{row}").unwrap();
    }
    workspace.input(&format!("night-{night}.csv"), text);
    let outcome = workspace.run(&["run", "--json", "--as-of", &at(night)]);
    assert!([0, 3].contains(&outcome.code), "{}", outcome.stderr);
    outcome.json()["run"].as_str().unwrap().to_owned()
}

fn at(night: u32) -> String {
    format!("2026-11-{night:02}T21:00:00Z")
}

#[track_caller]
fn prove(workspace: &Workspace, who: &str, night: u32, expected: bool) -> String {
    let outcome = workspace.run(&["consent", "prove", who, "--as-of", &at(night)]);
    assert_eq!(outcome.code, i32::from(!expected), "{}{}", outcome.stdout, outcome.stderr);
    outcome.flat()
}

#[test]
fn a_consent_is_proven_with_its_text_its_place_and_its_record() {
    let workspace = Workspace::new();
    take_in(
        &workspace,
        1,
        &["2026-11-01T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,,Prosze o oferte,tak"],
    );
    let proven = prove(&workspace, ANNA, 2, true);
    for word in [SENTENCE, "tak", "night-1.csv:2", "proof B", "record 1", ANNA] {
        assert!(proven.contains(word), "{word}: {proven}");
    }
    // It was not there yet a day before, and nobody asked about text messages.
    let before = workspace.run(&["consent", "prove", ANNA, "--as-of", "2026-10-31T09:00:00Z"]);
    assert_eq!(before.code, 1);
    let by_sms = workspace.run(&["consent", "prove", ANNA, "--channel", "sms", "--as-of", &at(2)]);
    assert_eq!(by_sms.code, 1);
    assert!(by_sms.flat().contains("none is on record"), "{}", by_sms.stdout);
    workspace
        .run(&["consent", "prove", ANNA, "--channel", "smss"])
        .expect_code(2)
        .says(&["no channel `smss`", "did you mean `sms`"]);
    let told = workspace.ok(&["consent", "prove", ANNA, "--json", "--as-of", &at(2)]).json();
    assert_eq!(told["record"]["wording"], SENTENCE);
    assert_eq!(told["is_proven"], true);
}

#[test]
fn a_bare_yes_is_on_record_and_proves_nothing() {
    let workspace = Workspace::new();
    workspace
        .table("a.csv", &["1,2026-11-18T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,,,PL,Prosze,yes"]);
    workspace.ok(&["run"]);
    let outcome = workspace.run(&["consent", "prove", ANNA]).expect_code(1);
    assert!(outcome.flat().contains("is proven by grade D, and B is needed"), "{}", outcome.stdout);
    let table = workspace.ok(&["consent", "gaps"]);
    assert_fits_a_terminal(&table.stdout);
    assert!(table.flat().starts_with("lead name for address"), "{}", table.stdout);
    let gaps = workspace.ok(&["consent", "gaps", "--format", "json"]).json();
    assert_eq!(gaps[0]["grade"], "D");
    assert_eq!(gaps[0]["address"], ANNA);
    assert_eq!(
        workspace
            .ok(&["consent", "gaps", "--grade", "C", "--format", "json"])
            .json()
            .as_array()
            .unwrap()
            .len(),
        0
    );
}

#[test]
fn a_withdrawal_stops_what_an_older_consent_that_comes_later_allows() {
    let workspace = Workspace::new();
    take_in(
        &workspace,
        1,
        &["2026-11-01T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,,Prosze o oferte,tak"],
    );
    let withdrawn = workspace.ok(&[
        "consent",
        "withdraw",
        ANNA,
        "--because",
        "called us",
        "--json",
        "--as-of",
        &at(3),
    ]);
    prove(&workspace, ANNA, 2, true);
    assert!(prove(&workspace, ANNA, 4, false).contains("was withdrawn"));
    // An older yes comes later, at another address of hers, too.
    take_in(
        &workspace,
        5,
        &["2026-11-02T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600123457,Prosze o oferte,tak"],
    );
    prove(&workspace, ANNA, 6, false);
    // It is not taken back by accident.
    let run = withdrawn.json()["run"].as_str().unwrap().to_owned();
    workspace.run(&["undo", &run]).expect_code(2).says(&["is not undone", "hint:"]);
    // A newer one that can be proven lifts it.
    take_in(
        &workspace,
        7,
        &["2026-11-07T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,,Prosze o oferte,tak"],
    );
    prove(&workspace, ANNA, 8, true);
    let shown = workspace.ok(&["consent", "show", ANNA, "--as-of", &at(8)]).flat();
    assert!(shown.contains("withdrawn") && shown.contains("called us"), "{shown}");
    workspace.ok(&["rebuild", "--check"]);
    workspace.ok(&["consent", "verify"]);
}

#[test]
fn a_merge_does_not_spread_a_consent_to_another_address() {
    let workspace = Workspace::new();
    let rows = [
        "2026-11-01T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,600123457,Prosze o oferte,tak",
        "2026-11-02T09:00:00Z,Anna Wzorcowa,a.wzorcowa@inny.pl,600123457,Prosze o oferte,",
    ];
    take_in(&workspace, 3, &rows);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1);
    let asked = |address: &str| {
        let args = ["consent", "prove", ANNA, "--address", address, "--as-of", &at(4)];
        workspace.run(&args).code
    };
    assert_eq!((asked(ANNA), asked("a.wzorcowa@inny.pl")), (0, 1));
    // Whoever is named by an address is asked about at that one, and the answer says at which.
    assert!(prove(&workspace, ANNA, 4, true).contains(" proven for anna@przyklad.pl at "));
    let other = prove(&workspace, "a.wzorcowa@inny.pl", 4, false);
    assert!(other.contains(" not proven for a.wzorcowa@inny.pl at "), "{other}");
    let by_number = prove(&workspace, "600123457", 4, false);
    assert!(by_number.contains(" for a.wzorcowa@inny.pl at "), "{by_number}");
}

#[test]
fn who_shares_a_mailbox_is_spared_as_well() {
    let workspace = Workspace::new();
    let rows = [
        "2026-11-01T09:00:00Z,Anna Wzorcowa,biuro@przyklad.pl,,Prosze o oferte,tak",
        "2026-11-01T10:00:00Z,Jan Kowalski,biuro@przyklad.pl,,Prosze o oferte,tak",
    ];
    take_in(&workspace, 1, &rows);
    let leads = workspace.sql("SELECT id FROM leads ORDER BY lead_no").concat();
    assert_eq!(leads.len(), 2);
    for lead in &leads {
        prove(&workspace, lead, 2, true);
    }
    let may = "SELECT count(*) FROM lead WHERE may_email AND merged_into IS NULL";
    assert_eq!(workspace.number(may), 2);
    workspace.ok(&[
        "consent",
        "withdraw",
        &leads[0],
        "--address",
        "biuro@przyklad.pl",
        "--because",
        "unsubscribed",
        "--as-of",
        &at(3),
    ]);
    for lead in &leads {
        prove(&workspace, lead, 4, false);
    }
    assert_eq!(workspace.number(may), 0);
    // An unsubscribe event of the mailer does the same, and so does what comes before its lead.
    let other = Workspace::new();
    other.input(
        "events.csv",
        "timestamp,event,email\n2026-11-02T10:00:00Z,unsubscribed,biuro@przyklad.pl\n",
    );
    other.ok(&["run", "--as-of", &at(2)]);
    take_in(&other, 3, &rows);
    assert_eq!(other.number(may), 0);
    other.ok(&["rebuild", "--check"]);
}

#[test]
fn the_ledger_is_verified_against_a_manifest_and_damage_ends_with_five() {
    let workspace = Workspace::new();
    let anna = "2026-11-01T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,,Prosze o oferte,tak";
    let run = take_in(&workspace, 1, &[anna]);
    let manifest = workspace.path("out/runs").join(&run);
    let anchor = manifest.to_str().unwrap();
    take_in(
        &workspace,
        2,
        &["2026-11-02T09:00:00Z,Jan Kowalski,jan@przyklad.pl,,Prosze o oferte,nie"],
    );
    let whole = workspace.ok(&["consent", "verify", "--anchor", anchor]).flat();
    assert!(whole.contains("the ledger is whole"), "{whole}");
    let told = workspace.ok(&["consent", "verify", "--json"]).json();
    assert_eq!(told["head"], workspace.run_json()["ledger"]["head"]);
    assert_eq!(told["records"], workspace.run_json()["ledger"]["records"]);
    let store = rusqlite::Connection::open(workspace.path("leadmill.db")).unwrap();
    store
        .execute_batch(
            "DROP TRIGGER consent_is_not_edited;
             UPDATE consent_record SET state = 'refused' WHERE seq = 1;",
        )
        .unwrap();
    let damaged = workspace.run(&["consent", "verify"]).expect_code(5);
    assert!(damaged.stdout.contains("record 1 does not follow"), "{}", damaged.stdout);
    damaged.says(&["hint:"]);
    workspace.file("nothing.json", "{}");
    workspace
        .run(&["consent", "verify", "--anchor", "nothing.json"])
        .expect_code(2)
        .says(&["says nothing about the consent ledger", "hint:"]);
}

#[test]
fn texts_are_listed_and_shown() {
    let workspace = Workspace::new();
    take_in(
        &workspace,
        1,
        &["2026-11-01T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,,Prosze o oferte,tak"],
    );
    let listed = workspace.ok(&["consent", "notice", "--format", "json"]).json();
    assert_eq!(listed[0]["text"], SENTENCE);
    let sha256 = listed[0]["sha256"].as_str().unwrap();
    let shown = workspace.ok(&["consent", "notice", &sha256[..10]]).flat();
    assert!(shown.contains(SENTENCE) && shown.contains(sha256), "{shown}");
    workspace.run(&["consent", "notice", "zz"]).expect_code(2).says(&["no text", "hint:"]);
}

#[test]
fn nobody_is_contacted_without_a_consent() {
    let contacted =
        Workspace::fixtures_run().ok(&["consent", "gaps", "--contacted", "--format", "json"]);
    assert_eq!(contacted.stdout.trim(), "[]");
}

/// A yes to [`SENTENCE`] of 5 May 2026, and lists made in 2025 on which its giver has left since.
const LEFT_SINCE: &[(&str, &str)] = &[
    (
        "brevo.csv",
        "EMAIL;LASTNAME;FIRSTNAME;SMS;EMAIL_BLACKLISTED;SMS_BLACKLISTED;ADDED_TIME;MODIFIED_TIME\n\
         anna@przyklad.pl;Wzorcowa;Anna;;1;0;12-04-2025 09:30;18-11-2026 10:00\n",
    ),
    (
        "brevo-without-times.csv",
        "EMAIL;LASTNAME;FIRSTNAME;SMS;EMAIL_BLACKLISTED;SMS_BLACKLISTED\n\
         anna@przyklad.pl;Wzorcowa;Anna;;1;0\n",
    ),
    (
        "salesforce.csv",
        "Id,FirstName,LastName,Company,Email,LeadSource,OwnerId,HasOptedOutOfEmail,CreatedDate,LastModifiedDate\n\
         00Q000000000101,Anna,Wzorcowa,X,anna@przyklad.pl,Web,005,true,2025-04-12T13:05:13.000Z,2026-11-18T13:05:13.000Z\n",
    ),
    (
        "zoho.csv",
        "Record Id,Lead Owner,Company,First Name,Last Name,Email,Lead Status,Created Time,Modified Time,Email Opt Out\n\
         zcrm_500000000000001,Jan,X,Anna,Wzorcowa,anna@przyklad.pl,Contacted,2025-04-12 15:05:13,2026-11-18 08:00:00,true\n",
    ),
    (
        "pipedrive.csv",
        "Person - ID,Person - Name,Person - Email - Work,Person - Owner,Person - Person created,Person - Update time,Unsubscribed\n\
         501,Anna Wzorcowa,anna@przyklad.pl,Jan,2025-04-12 15:05:13,2026-11-18 08:00:00,yes\n",
    ),
    (
        "activecampaign.csv",
        "Email,First Name,Last Name,Phone,Tags,Date Created,IP,Status\n\
         anna@przyklad.pl,Anna,Wzorcowa,,x,2025-04-12 15:05:13,203.0.113.7,Unsubscribed\n",
    ),
    (
        "kit.csv",
        "first_name,email,created_at,status\n\
         Anna,anna@przyklad.pl,2025-04-12 13:05:13 UTC,cancelled\n\
         Ala,ala@przyklad.pl,2025-04-12 13:05:13 UTC,active\n",
    ),
    (
        "hubspot.csv",
        "Record ID,First Name,Last Name,Email,Create Date,Lifecycle Stage,Unsubscribed from all email\n\
         901,Anna,Wzorcowa,anna@przyklad.pl,2025-04-12 09:14,Lead,true\n",
    ),
    (
        "table.csv",
        "Imię i nazwisko;E-mail;Data utworzenia;Zgoda cofnięta\n\
         Anna Wzorcowa;anna@przyklad.pl;12.04.2025 10:00;tak\n",
    ),
];
const YES_IN_MAY: &str = "2026-05-05T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,,Prosze o oferte,tak";

#[test]
fn who_left_a_list_since_is_not_written_to_whatever_the_list_was_made() {
    for (name, list) in LEFT_SINCE {
        let workspace = Workspace::new();
        take_in(&workspace, 18, &[YES_IN_MAY]);
        prove(&workspace, ANNA, 19, true);
        workspace.input(name, list);
        workspace.run(&["run", "--as-of", &at(20)]);
        let told = prove(&workspace, ANNA, 21, false);
        assert!(told.contains("was withdrawn"), "{name}: {told}");
        workspace.ok(&["rebuild", "--check"]);
    }
}

#[test]
fn a_list_that_comes_again_takes_back_no_consent_given_since() {
    let kit = LEFT_SINCE.iter().find(|(name, _)| *name == "kit.csv").unwrap().1;
    let workspace = Workspace::new();
    workspace.input("kit.csv", kit);
    let first = workspace.run(&["run", "--json", "--as-of", &at(2)]).json();
    take_in(
        &workspace,
        6,
        &["2026-11-05T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,,Prosze o oferte,tak"],
    );
    prove(&workspace, ANNA, 7, true);
    // Another file with the same row, and one more.
    workspace
        .input("again.csv", format!("{kit}Ewa,ewa@przyklad.pl,2025-04-12 13:05:13 UTC,active\n"));
    workspace.run(&["run", "--as-of", &at(8)]);
    prove(&workspace, ANNA, 9, true);
    let dates = "SELECT count(*) FROM consent_record AS c JOIN consent_payload AS p USING (seq)
                 WHERE c.state = 'withdrawn' AND c.event_ms = strftime('%s', '2026-11-DAY 21:00:00') * 1000";
    let on = |day: &str| workspace.number(&dates.replace("DAY", day));
    assert_eq!((on("02"), on("08")), (1, 0));
    // With the first list undone, the row is known from the second alone, to the gate and to the ledger.
    workspace.ok(&["undo", first["run"].as_str().unwrap(), "--as-of", &at(10)]);
    prove(&workspace, ANNA, 11, false);
    assert_eq!((on("02"), on("08")), (0, 1));
    workspace.ok(&["rebuild", "--check"]);
    workspace.ok(&["consent", "verify"]);
}
