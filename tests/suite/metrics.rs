//! Reports about enquiries: each figure is what the documented views say, computed anew by SQL or by hand.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::workspace::{AS_OF, Workspace, assert_fits_a_terminal, assert_same_text};

pub const PEOPLE: &str = "Submission id,Submitted at,Full name,E-mail,Phone,Job title,Product,Budget,Country,Campaign,Form name\n";
pub const ACTIVITY: &str = "E-mail,Activity,Activity date,Details\n";

/// One row, by its headings.
pub type Row = BTreeMap<String, String>;

/// Returns what a report says as CSV, row by row.
pub fn report(workspace: &Workspace, args: &[&str]) -> Vec<Row> {
    let args = [&["report"], args, &["--format", "csv"]].concat();
    rows_of(&workspace.ok(&args).stdout)
}

pub fn rows_of(csv: &str) -> Vec<Row> {
    csv::Reader::from_reader(csv.as_bytes()).deserialize().map(Result::unwrap).collect()
}

/// Returns these columns of the only row.
#[track_caller]
fn only(rows: &[Row], columns: &[&str]) -> Vec<String> {
    assert_eq!(rows.len(), 1, "{rows:?}");
    columns.iter().map(|column| rows[0][*column].clone()).collect()
}

/// Somebody whose form a hot lead sends; the campaign and form last.
pub fn person(name: &str, sent_at: &str, campaign: &str, form: &str) -> String {
    let (_, last) = name.split_once(' ').unwrap();
    let host = last.to_lowercase();
    // Who asks for nothing in particular may come to Ola, who works in the mornings from Monday to Thursday.
    let product = if last.ends_with("browska") { "" } else { "AI" };
    format!(
        "{name} {sent_at},{sent_at},{name},biuro.{host}@{host}.pl,,CEO,{product},5000,PL,{campaign},{form}\n"
    )
}

pub fn did(name: &str, what: &str, at: &str) -> String {
    let host = name.split_once(' ').unwrap().1.to_lowercase();
    format!("biuro.{host}@{host}.pl,{what},{at},\n")
}

/// Returns rows as text, each as one line, in order.
pub fn lines(rows: Vec<Vec<String>>) -> String {
    let mut lines: Vec<String> = rows.into_iter().map(|row| row.join("|")).collect();
    lines.sort();
    lines.join("\n")
}

/// Returns these columns of a report, each row as one line; what is not known as SQL has it.
pub fn shown(rows: &[Row], columns: &[&str]) -> String {
    let cell = |row: &Row, column: &str| match row[column].as_str() {
        "" => "NULL".to_owned(),
        text => text.to_owned(),
    };
    let row = |row: &Row| columns.iter().map(|column| cell(row, column)).collect();
    lines(rows.iter().map(row).collect())
}

/// Returns the instant so many minutes after the first of August.
pub fn minute(at: u64) -> String {
    let start: chrono::DateTime<chrono::Utc> = "2026-08-01T00:00:00Z".parse().unwrap();
    (start + chrono::TimeDelta::minutes(at as i64)).format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A sequence that looks random and is always the same (splitmix64), each a number below `n`.
pub fn dice(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |n| {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }
}

/// Runs people and then what the sales side did.
fn world(people: &str, activity: &str) -> Workspace {
    let workspace = Workspace::new();
    workspace.input("people.csv", format!("{PEOPLE}{people}"));
    workspace.run(&["run"]);
    workspace.clear_inbox().input("activity.csv", format!("{ACTIVITY}{activity}"));
    workspace.run(&["run"]);
    workspace
}

/// Ten people and what they waited, over a weekend, a holiday and the night in which the clocks went back.
fn week() -> Workspace {
    let people = [
        ("Zofia Wrzosek", "2026-11-16T09:00:00Z", "autumn"),
        ("Jan Sobota", "2026-11-14T11:00:00Z", "autumn"),
        ("Ewa Zegar", "2026-10-24T20:00:00Z", "winter"),
        ("Piotr Noc", "2026-10-25T00:30:00Z", "winter"),
        ("Olga Kalendarz", "2026-11-10", "autumn"),
        ("Adam Wczesny", "2026-11-18T10:00:00Z", "autumn"),
        ("Iga Czekalska", "2026-11-17T09:00:00Z", "winter"),
        ("Leon Teraz", "2026-11-20T17:00:00Z", "autumn"),
        ("Maria Powrotna", "2026-10-01T09:00:00Z", "autumn"),
        ("Maria Powrotna", "2026-11-12T09:00:00Z", "winter"),
        ("Karol Piatek", "2026-11-13T15:30:00Z", "autumn"),
        ("Nina Swieta", "2026-11-10T15:00:00Z", "winter"),
    ];
    let people: String =
        people.iter().map(|(name, at, campaign)| person(name, at, campaign, "Wycena")).collect();
    let activity = [
        // Four minutes.
        ("Zofia Wrzosek", "Call connected", "2026-11-16T09:04:00Z"),
        // From Saturday noon to Monday at ten: 46 hours, of which one is worked.
        ("Jan Sobota", "Call connected", "2026-11-16T09:00:00Z"),
        // From Saturday at ten in the evening to Monday at half past nine; the night has an hour more.
        ("Ewa Zegar", "Call connected", "2026-10-26T08:30:00Z"),
        // From half past two to half past two, an hour later.
        ("Piotr Noc", "Call connected", "2026-10-25T01:30:00Z"),
        ("Olga Kalendarz", "Call connected", "2026-11-10T09:00:00Z"),
        ("Adam Wczesny", "Call connected", "2026-11-17T10:00:00Z"),
        // A call that reached nobody is no contact.
        ("Iga Czekalska", "No answer", "2026-11-17T09:10:00Z"),
        ("Maria Powrotna", "Call connected", "2026-10-01T12:00:00Z"),
        // On Friday half an hour before the end, on Monday ten minutes after the start.
        ("Karol Piatek", "Call connected", "2026-11-16T08:10:00Z"),
        // An hour before the eve of 11 November, which is a holiday, and an hour after it.
        ("Nina Swieta", "Call connected", "2026-11-12T09:00:00Z"),
        ("Zofia Wrzosek", "Meeting booked", "2026-11-17T09:00:00Z"),
        ("Zofia Wrzosek", "Meeting held", "2026-11-18T09:00:00Z"),
        ("Zofia Wrzosek", "Closed won", "2026-11-19T09:00:00Z"),
        ("Jan Sobota", "No show", "2026-11-18T09:00:00Z"),
        ("Jan Sobota", "Closed lost", "2026-11-19T09:00:00Z"),
        ("Ewa Zegar", "Meeting held", "2026-11-02T09:00:00Z"),
        // Later than 30 days after the enquiry, and after the next one.
        ("Maria Powrotna", "Closed won", "2026-11-15T09:00:00Z"),
    ];
    let activity: String = activity.iter().map(|(name, what, at)| did(name, what, at)).collect();
    let workspace = world(&people, &activity);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 11);
    workspace
}

#[test]
fn speed_is_what_a_stopwatch_and_a_calendar_say() {
    let workspace = week();
    let speed = report(&workspace, &["speed"]);
    let counts = [
        "enquiries",
        "contacted",
        "never_contacted",
        "window_open",
        "unknown_no_time",
        "unknown_contact_before",
    ];
    assert_eq!(only(&speed, &counts), ["12", "8", "1", "1", "1", "1"]);
    // 4m, 1h, 3h, 36h30, 42h, 46h, 64h40, and Maria's second enquiry: won after 72h.
    let hours = |hours: u64, minutes: u64| (hours * 3_600 + minutes * 60).to_string();
    assert_eq!(
        only(&speed, &["wall_median_seconds", "wall_p90_seconds"]),
        [hours(36, 30), hours(72, 0)]
    );
    // By the working day: 0, 4m, 30m, 40m, 1h, 2h, 3h; Maria's second waited from Thursday at ten to Sunday: 15h.
    assert_eq!(
        only(&speed, &["business_median_seconds", "business_p90_seconds"]),
        [hours(0, 40), hours(15, 0)]
    );
    let within = |clock: &str| {
        ["5m", "1h", "2h", "24h"].map(|limit| {
            let key = format!("{clock}_within_{limit}");
            only(&speed, &[&key, &format!("{key}_of")]).join("/")
        })
    };
    // Whoever came two hours ago can have been called within two hours, not yet within a day.
    assert_eq!(within("wall"), ["1/10", "2/10", "2/10", "3/9"]);
    // He came after hours: no working minute has passed since.
    assert_eq!(within("business"), ["2/9", "5/9", "6/9", "8/9"]);
}

#[test]
fn a_report_as_of_the_past_knows_nothing_that_came_later() {
    let workspace = week();
    let enquiries = |as_of: &str| {
        let speed = report(&workspace, &["speed", "--as-of", as_of]);
        only(&speed, &["enquiries", "window_open"]).join(" ")
    };
    assert_eq!(enquiries("2026-11-16T10:00:00Z"), "9 0");
    // A day is there from its morning on, though noon stands in for it.
    assert_eq!(enquiries("2026-11-10T06:00:00Z"), "4 0");
    assert_eq!(enquiries("2026-11-09T20:00:00Z"), "3 0");
    let rate = ["duplicates", "--rate", "--as-of", "2026-11-09T20:00:00Z"];
    assert_eq!(only(&report(&workspace, &rate), &["rows"]), ["3"]);
}

#[test]
fn a_promise_to_a_later_enquiry_is_none_to_an_earlier_one() {
    let people = [
        ("Zofia Wrzosek", "2026-10-20T09:00:00Z"),
        ("Maria Powrotna", "2026-10-01T09:00:00Z"),
        ("Maria Powrotna", "2026-11-20T09:00:00Z"),
    ];
    let people: String =
        people.iter().map(|(name, at)| person(name, at, "autumn", "Wycena")).collect();
    let workspace = world(&people, &did("Zofia Wrzosek", "Call connected", "2026-10-20T09:04:00Z"));
    let promised = |period: &[&str]| {
        let rows = report(&workspace, &[&["sla", "--by", "month"], period].concat());
        let row = |row: &Row| format!("{} {}", row["month"], row["promised"]);
        rows.iter().map(row).collect::<Vec<_>>().join("; ")
    };
    let october = promised(&["--until", "2026-10-31"]);
    assert!(october.starts_with("2026-10 ") && !october.contains(';'), "{october}");
    assert_eq!(promised(&[]).split("; ").next(), Some(&*october));
    // As of then nobody knew that she would come back.
    assert_eq!(promised(&["--as-of", "2026-11-01T00:00:00Z"]), october);
}

#[test]
fn a_cohort_counts_what_came_within_its_window() {
    let workspace = week();
    let months = report(&workspace, &["meetings", "--by", "month"]);
    let columns = [
        "month",
        "enquiries",
        "window_open",
        "contacted",
        "meeting_booked",
        "meeting_held",
        "no_show",
        "won",
        "lost",
        "cohort",
    ];
    let told: Vec<String> =
        months.iter().map(|row| columns.map(|column| row[column].clone()).join(" ")).collect();
    assert_eq!(told, ["2026-10 3 2 3 1 1 0 0 0 open", "2026-11 9 9 6 2 1 1 2 1 open"]);
    let short = report(&workspace, &["meetings", "--by", "month", "--window", "2d"]);
    // Zofia's meeting was on the second day, the deal on the third.
    assert_eq!((short[1]["meeting_held"].as_str(), short[1]["won"].as_str()), ("1", "0"));
    assert_eq!(short[1]["window_open"], "1", "only the one who came today");
    let cohorts: Vec<&str> = short.iter().map(|row| row["cohort"].as_str()).collect();
    assert_eq!(cohorts, ["closed", "open"]);
}

#[test]
fn costs_are_what_was_spent_by_what_came() {
    let workspace = week();
    // Half of November is over by two thirds, so of 3,000 for the month 2,000 count by the 20th.
    workspace.file(
        "rules/tables/spend.csv",
        "Źródło;Kampania;Od;Do;Kwota;Waluta\n\
         generic-csv;Autumn;2026-11-01;2026-11-30;3 000,00;zł\n\
         ;winter;2026-10-24;2026-10-25;100,01;PLN\n\
         google;;2026-11-01;2026-11-20;50;EUR\n",
    );
    let rows = report(&workspace, &["costs"]);
    let columns = [
        "source_campaign",
        "currency",
        "spent",
        "leads",
        "meetings",
        "won",
        "per_lead",
        "per_meeting",
        "per_won",
    ];
    let told = shown(&rows, &columns);
    // In November's autumn: Zofia, Jan, Olga, Adam, Leon, Karol; met or missed Zofia and Jan, won Zofia. In October's
    // winter: Ewa, who came to a meeting, and Piotr. Nobody came by google, and nothing is divided by nobody.
    let expected = [
        "generic-csv / Autumn|PLN|2000.00|6|2|1|333.33|1000.00|2000.00",
        "google|EUR|50.00|0|0|0|NULL|NULL|NULL",
        "winter|PLN|100.01|2|1|0|50.01|100.01|NULL",
    ];
    assert_same_text("costs", &told, &expected.join("\n"));
    let table = workspace.ok(&["report", "costs"]);
    assert_fits_a_terminal(&table.stdout);
    let flat = table.flat();
    assert!(flat.contains("No lead for: google (line 4, 2026-11-01 to 2026-11-20)"), "{flat}");
    assert!(flat.contains("Enquiries without a line of their own: 4"), "{flat}");
    // Of a week a week's part counts: 700 of the month's 3,000.
    let week = ["costs", "--since", "2026-11-09", "--until", "2026-11-15"];
    let rows = report(&workspace, &week);
    assert_eq!((rows[0]["spent"].as_str(), rows[0]["leads"].as_str()), ("700.00", "3"));

    workspace.file("bad.csv", "source,from,amount,currency\nmeta,2026-13-01,5,PLN\n,2026-11-01,5,PLN\nmeta,2026-11-01,much,PLN\n");
    workspace.run(&["report", "costs", "--spend", "bad.csv"]).expect_code(2).says(&[
        "bad.csv:2: from `2026-13-01` is no day; write it as in 2026-11-01",
        "bad.csv:3: neither a source nor a campaign",
        "bad.csv:4: amount `much` is no amount",
    ]);
    workspace
        .run(&["report", "costs", "--spend", "nothing.csv"])
        .expect_code(2)
        .says(&["there is no spend table at nothing.csv", "hint: "]);
}

#[test]
fn where_nothing_was_imported_it_is_said_what_is_missing() {
    let workspace = Workspace::new();
    workspace.input(
        "people.csv",
        format!("{PEOPLE}{}", person("Zofia Wrzosek", "2026-11-16T09:00:00Z", "", "")),
    );
    workspace.run(&["run"]);
    for report in ["speed", "meetings", "sla"] {
        let told = workspace.ok(&["report", report]).flat();
        assert!(
            told.contains("no activity yet") && told.contains("see README \"What people did\""),
            "{told}"
        );
        let json = workspace.ok(&["report", report, "--format", "json"]).json();
        assert!(json["missing"].is_string() && json["rows"] == serde_json::json!([]), "{json}");
    }
    let chain = report(&workspace, &["dropoff", "--all"]);
    assert_eq!(chain[5]["in"], "", "nobody knows who was contacted");
    let none = workspace.ok(&["report", "speed", "--since", "2027-01-01"]).flat();
    assert!(none.contains("no enquiry in this period"), "{none}");
}

/// Three people with all that can identify them, and events that carry some of it, or of others'.
#[test]
fn activity_is_counted_for_whom_explain_shows_it() {
    let workspace = Workspace::new();
    let people = "Submission id,Submitted at,Full name,E-mail,Phone,Visitor id,User id\n\
        a1,2026-11-01T09:00:00Z,Anna Wzorcowa,anna@przyklad.pl,+48600000101,v-a,u-a\n\
        j1,2026-11-01T10:00:00Z,Jan Testowski,jan@example.com,+48223456789,v-j,\n\
        e1,2026-11-01T11:00:00Z,Ewa Nowa,ewa@example.org,+48223456789,v-j,u-e\n";
    workspace.input("people.csv", people);
    let mut events = "timestamp,event,email,phone,user_id,anonymous_id\n".to_owned();
    let mut next = dice(3);
    for at in 0..150 {
        let mut pick = |list: &[&str]| list[next(list.len() as u64) as usize].to_owned();
        let event =
            pick(&["Call connected", "Meeting booked", "No show", "Closed won", "Closed lost"]);
        let email = pick(&["", "", "anna@przyklad.pl", "jan@example.com", "nobody@example.net"]);
        let phone = pick(&["", "", "+48600000101", "+48223456789"]);
        let user = pick(&["", "", "u-a", "u-e", "u-x"]);
        let visitor = pick(&["v-a", "v-j", "v-x", "v-y"]);
        let at = minute(95 * 1_440 + at * 7);
        writeln!(events, "{at},{event},{email},{phone},{user},{visitor}").unwrap();
    }
    workspace.input("events.csv", events);
    workspace.run(&["run"]);
    let texts = leadmill::rules::embedded::texts();
    let (rules, _) = leadmill::rules::RuleSet::parse(&texts).unwrap();
    let store = leadmill::store::Store::open_read_only(&workspace.path("leadmill.db")).unwrap();
    let now = AS_OF.parse().unwrap();
    let all = leadmill::pipeline::metrics::Activities::read(&store, &rules, now).unwrap();
    let mut counted = 0;
    for lead in workspace.sql("SELECT lead_no, id FROM leads") {
        let no = leadmill::model::ids::LeadNo(lead[0].parse().unwrap());
        let mut own: Vec<&str> = all.of(no).iter().map(|one| one.kind.word()).collect();
        let story = workspace.ok(&["explain", &lead[1], "--json"]).json();
        let touches = story["touches"].as_array().unwrap();
        let mut shown: Vec<&str> =
            touches.iter().map(|one| one["kind"].as_str().unwrap()).collect();
        own.sort_unstable();
        shown.sort_unstable();
        assert_eq!(own, shown, "{lead:?}");
        counted += own.len();
    }
    assert!(counted > 60 && all.of_nobody > 5, "{counted} {}", all.of_nobody);
    let told = workspace.ok(&["report", "speed"]).flat();
    assert!(told.contains(&format!("Not counted: {} activities", all.of_nobody)), "{told}");
}
