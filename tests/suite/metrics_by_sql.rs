//! Every figure of a report is what SQL over the documented views says.

use super::metrics::{
    ACTIVITY, PEOPLE, Row, dice, did, lines, minute, person, report, rows_of, shown,
};
use super::workspace::{Workspace, assert_fits_a_terminal, assert_same_text};

/// Sixty people of four campaigns and two forms who come once or more, and what was done about them; run once.
fn crowd() -> &'static Workspace {
    static CROWD: std::sync::OnceLock<Workspace> = std::sync::OnceLock::new();
    CROWD.get_or_init(|| {
        let mut next = dice(7);
        let (mut people, mut activity) = (String::new(), String::new());
        for at in 0..60_u8 {
            let letter = |at: u8| char::from(b'a' + at);
            let name = format!("Anna W{}{}rowska", letter(at % 26), letter(at / 26));
            for _ in 0..=next(4) {
                let sent = next(110 * 1_440);
                let campaign = ["autumn", "winter", "PL | Leady", ""][next(4) as usize];
                let form = ["Wycena", "Demo"][next(2) as usize];
                let sent_at = if next(10) == 0 { minute(sent)[..10].to_owned() } else { minute(sent) };
                people += &person(&name, &sent_at, campaign, form);
                for _ in 0..next(4) {
                    let kinds = [
                        "Call connected",
                        "Call connected",
                        "No answer",
                        "Meeting booked",
                        "Meeting held",
                        "No show",
                        "Closed won",
                        "Closed lost",
                    ];
                    let kind = kinds[next(8) as usize];
                    let span = [90, 1_440, 20 * 1_440][next(3) as usize];
                    let day_before = next(20) * 60;
                    let back = if next(9) == 0 { day_before } else { 0 };
                    activity += &did(&name, kind, &minute((sent + next(span)).saturating_sub(back)));
                }
            }
        }
        let workspace = Workspace::new();
        let odd = "x1,2026-11-01T10:00:00Z,Bez Kontaktu,,,,,,autumn,Demo\nx2,,Test Test,test@test.pl,,,,,,\n";
        workspace.input("people.csv", format!("{PEOPLE}{people}{odd}"));
        // The first rows come again in another file.
        let again: Vec<&str> = people.lines().step_by(3).collect();
        workspace.input("zagain.csv", format!("{PEOPLE}{}\n", again.join("\n")));
        workspace.run(&["run"]);
        workspace.clear_inbox().input("activity.csv", format!("{ACTIVITY}{activity}"));
        workspace.run(&["run"]);
        assert_eq!(workspace.number("SELECT count(*) FROM leads"), 60);
        assert!(workspace.number("SELECT count(*) FROM leads WHERE owner = 'ola'") > 3);
        workspace
    })
}

/// Enquiries as the views tell them: a lead's first submission, and each more than 30 days after the one before.
/// `did` is what the sales side did, found by the address alone.
const ENQUIRIES: &str = "
WITH RECURSIVE
sent AS (SELECT *, unixepoch(submitted_at) AS at FROM submissions),
cycle(lead_no, at) AS (
    SELECT lead_no, min(at) FROM sent GROUP BY lead_no
    UNION ALL
    SELECT c.lead_no, (SELECT min(s.at) FROM sent AS s WHERE s.lead_no = c.lead_no AND s.at > c.at + 30 * 86400)
    FROM cycle AS c WHERE c.at IS NOT NULL),
did AS (
    SELECT DISTINCT i.lead_no, unixepoch(t.at) AS at, t.kind
    FROM touches AS t, json_each(t.identities) AS e
    JOIN identifiers AS i ON e.value = i.kind || ':' || i.value
    WHERE t.at <= '2026-11-20T19:00:00Z'),
opened AS (
    SELECT s.*, coalesce(s.campaign, '(none)') AS grp,
           s.at - iif(s.time_known = 'day', 43200, 0) AS counts_from,
           coalesce((SELECT min(c.at) FROM cycle AS c WHERE c.lead_no = s.lead_no AND c.at > s.at), 1 << 60) AS next,
           s.at = (SELECT min(f.at) FROM sent AS f WHERE f.lead_no = s.lead_no) AS is_first,
           unixepoch('2026-11-20T19:00:00Z') - s.at AS age
    FROM sent AS s JOIN cycle AS c USING (lead_no, at) WHERE s.time_known <> 'unknown'),
enquiry AS (
    SELECT o.*,
           (SELECT min(d.at) FROM did AS d WHERE d.lead_no = o.lead_no AND d.at >= o.counts_from AND d.at < o.next
            AND d.kind IN ('contacted', 'meeting-booked', 'meeting-held', 'won', 'lost')) AS contact,
           o.is_first AND EXISTS (SELECT 1 FROM did AS d WHERE d.lead_no = o.lead_no AND d.at < o.counts_from
            AND d.kind IN ('contacted', 'meeting-booked', 'meeting-held', 'won', 'lost')) AS was_contacted
    FROM opened AS o),
-- Monday to Friday from nine to five in Warsaw, but for Assumption, Independence Day and All Saints.
day(date) AS (SELECT '2026-08-01' UNION ALL SELECT date(date, '+1 day') FROM day WHERE date < '2026-12-01'),
worked AS (
    SELECT owner, start, start + iif(owner = 'ola', 14400, 28800) AS stop
    FROM (SELECT date, unixepoch(date || ' 09:00') - iif(date < '2026-10-25', 7200, 3600) AS start FROM day)
    CROSS JOIN (SELECT DISTINCT owner FROM leads)
    WHERE strftime('%u', date) < iif(owner = 'ola', '5', '6') AND date <> '2026-11-11'),
answered AS (
    SELECT e.*, e.contact - e.at AS wall,
           (SELECT coalesce(sum(max(0, min(w.stop, e.contact) - max(w.start, e.at))), 0)
            FROM worked AS w WHERE w.owner = l.owner) AS business,
           (SELECT coalesce(sum(max(0, min(w.stop, e.at + e.age) - max(w.start, e.at))), 0)
            FROM worked AS w WHERE w.owner = l.owner) AS business_age,
           CASE WHEN time_known = 'day' THEN 'no time'
                WHEN contact IS NULL AND was_contacted THEN 'before'
                WHEN contact IS NOT NULL THEN 'contacted'
                WHEN age < 86400 THEN 'open' ELSE 'never' END AS state
    FROM enquiry AS e JOIN leads AS l USING (lead_no))
";

/// Returns the rows of a query over [`ENQUIRIES`], each as one line.
fn told(workspace: &Workspace, query: &str) -> String {
    lines(workspace.sql(&format!("{ENQUIRIES}{query}")))
}

#[test]
fn speed_is_what_the_views_say() {
    let workspace = crowd();
    let rows = report(workspace, &["speed", "--by", "campaign"]);
    let counts = "SELECT grp, count(*), count(*) FILTER (WHERE state = 'contacted'),
        count(*) FILTER (WHERE state = 'never'), count(*) FILTER (WHERE state = 'open'),
        count(*) FILTER (WHERE state = 'no time'), count(*) FILTER (WHERE state = 'before')
        FROM answered GROUP BY grp";
    let columns = [
        "campaign",
        "enquiries",
        "contacted",
        "never_contacted",
        "window_open",
        "unknown_no_time",
        "unknown_contact_before",
    ];
    assert_same_text("counts", &shown(&rows, &columns), &told(workspace, counts));
    for clock in ["wall", "business"] {
        let age = if clock == "wall" { "age" } else { "business_age" };
        for (name, percent) in [("median", 50), ("p90", 90)] {
            let ranked = format!(
                "SELECT grp, {clock} FROM
                     (SELECT grp, {clock}, row_number() OVER (PARTITION BY grp ORDER BY {clock}) AS place,
                             count(*) OVER (PARTITION BY grp) AS n FROM answered WHERE state = 'contacted')
                 WHERE place = (n * {percent} + 99) / 100"
            );
            let column = format!("{clock}_{name}_seconds");
            let known: Vec<Row> =
                rows.iter().filter(|row| !row[&column].is_empty()).cloned().collect();
            assert!(known.len() > 2);
            assert_same_text(
                &column,
                &shown(&known, &["campaign", &column]),
                &told(workspace, &ranked),
            );
        }
        for (name, seconds) in [("5m", 300), ("1h", 3_600), ("2h", 7_200), ("24h", 86_400)] {
            let within = format!(
                "SELECT grp, count(*) FILTER (WHERE is_old AND state = 'contacted' AND {clock} <= {seconds}),
                        count(*) FILTER (WHERE is_old)
                 FROM (SELECT *, {age} >= {seconds} AS is_old FROM answered
                       WHERE state IN ('contacted', 'never', 'open')) GROUP BY grp"
            );
            let (part, of) =
                (format!("{clock}_within_{name}"), format!("{clock}_within_{name}_of"));
            assert_same_text(
                &part,
                &shown(&rows, &["campaign", &part, &of]),
                &told(workspace, &within),
            );
        }
    }
}

#[test]
fn cohorts_are_what_the_views_say() {
    let workspace = crowd();
    let query = "SELECT grp, count(*), count(*) FILTER (WHERE age < 10 * 86400),
        sum(contact <= at + 864000) FILTER (WHERE contact IS NOT NULL),
        sum(booked), sum(held), sum(missed), sum(ended = 'won'), sum(ended = 'lost')
        FROM (SELECT e.*,
            EXISTS (SELECT 1 FROM did AS d WHERE d.lead_no = e.lead_no AND d.at >= counts_from AND d.at < next
                AND d.at <= e.at + 864000 AND d.kind IN ('meeting-booked', 'meeting-held', 'no-show')) AS booked,
            EXISTS (SELECT 1 FROM did AS d WHERE d.lead_no = e.lead_no AND d.at >= counts_from AND d.at < next
                AND d.at <= e.at + 864000 AND d.kind = 'meeting-held') AS held,
            coalesce((SELECT d.kind FROM did AS d WHERE d.lead_no = e.lead_no AND d.at >= counts_from AND d.at < next
                AND d.at <= e.at + 864000 AND d.kind IN ('no-show', 'meeting-held')
                ORDER BY d.at DESC LIMIT 1) = 'no-show', 0) AS missed,
            coalesce((SELECT d.kind FROM did AS d WHERE d.lead_no = e.lead_no AND d.at >= counts_from AND d.at < next
                AND d.at <= e.at + 864000 AND d.kind IN ('won', 'lost') ORDER BY d.at DESC LIMIT 1), '') AS ended
            FROM enquiry AS e) GROUP BY grp";
    let rows = report(workspace, &["meetings", "--by", "campaign", "--window", "10d"]);
    let columns = [
        "campaign",
        "enquiries",
        "window_open",
        "contacted",
        "meeting_booked",
        "meeting_held",
        "no_show",
        "won",
        "lost",
    ];
    assert_same_text("cohorts", &shown(&rows, &columns), &told(workspace, query));
}

#[test]
fn rates_of_duplicates_are_what_the_views_say() {
    let workspace = crowd();
    let query = "SELECT coalesce(campaign, '(none)'), sum(1 + again), sum(again), sum(kind = 'customer'),
            sum(kind = 'repeat'), sum(kind = 'cross'), sum(kind = 'returning'), sum(kind <> 'new') + sum(again)
        FROM (SELECT s.*,
                (SELECT count(*) FROM resubmissions AS r WHERE r.submission_no = s.submission_no) AS again,
                CASE WHEN EXISTS (SELECT 1 FROM did AS d WHERE d.lead_no = s.lead_no AND d.kind = 'won' AND d.at < s.at)
                          THEN 'customer'
                     WHEN NOT EXISTS (SELECT 1 FROM sent AS e WHERE e.lead_no = s.lead_no AND e.at < s.at) THEN 'new'
                     WHEN EXISTS (SELECT 1 FROM sent AS e WHERE e.lead_no = s.lead_no AND e.at < s.at
                          AND e.campaign IS s.campaign AND e.form IS s.form AND e.at >= s.at - 5 * 86400) THEN 'repeat'
                     WHEN NOT EXISTS (SELECT 1 FROM sent AS e WHERE e.lead_no = s.lead_no AND e.at < s.at
                          AND e.campaign IS s.campaign) THEN 'cross'
                     ELSE 'returning' END AS kind
              FROM sent AS s) GROUP BY 1";
    let asked = ["duplicates", "--rate", "--by", "campaign", "--repeat-within", "5d"];
    let rows = report(workspace, &asked);
    let columns = [
        "campaign",
        "rows",
        "resubmit",
        "existing_customer",
        "repeat",
        "cross_campaign",
        "returning",
        "duplicates",
    ];
    assert_same_text("rates", &shown(&rows, &columns), &told(workspace, query));
    for column in &columns[2..] {
        assert!(rows.iter().any(|row| row[*column] != "0"), "nobody is {column}");
    }
    // The list names as many of each kind.
    let list = workspace.ok(&["report", "duplicates", "--rate", "--list", "--repeat-within", "5d"]);
    let list = rows_of(&list.stdout);
    for (kind, column) in [
        ("resubmit", "resubmit"),
        ("existing-customer", "existing_customer"),
        ("repeat", "repeat"),
        ("cross-campaign", "cross_campaign"),
        ("returning", "returning"),
    ] {
        let total: usize = rows.iter().map(|row| row[column].parse::<usize>().unwrap()).sum();
        assert_eq!(list.iter().filter(|row| row["kind"] == kind).count(), total, "{kind}");
    }
    let again = list.iter().find(|row| row["kind"] == "resubmit").unwrap();
    assert!(
        again["row"].contains("zagain.csv:") && again["earlier"].contains("people.csv:"),
        "{again:?}"
    );
    let flagged = rows.iter().filter(|row| row["note"] == "n < 30").count();
    let small = rows.iter().filter(|row| row["rows"].parse::<u64>().unwrap() < 30).count();
    assert_eq!(flagged, small);
}

#[test]
fn what_is_stuck_and_what_comes_out_is_what_was_received() {
    let workspace = crowd();
    let received = workspace.number("SELECT sum(rows_read) FROM input");
    for by in [None, Some("source"), Some("campaign"), Some("owner"), Some("month")] {
        let mut args = vec!["dropoff", "--all"];
        args.extend(by.iter().flat_map(|by| ["--by", by]));
        let rows = report(workspace, &args);
        let number = |row: &Row, column: &str| row[column].parse::<i64>().unwrap();
        let (mut read, mut stuck, mut out) = (0, 0, 0);
        for chain in rows.chunks(8) {
            read += number(&chain[0], "in");
            stuck += chain.iter().map(|row| number(row, "stuck")).sum::<i64>();
            out += number(&chain[7], "out");
            for (one, next) in chain.iter().zip(&chain[1..]) {
                assert_eq!(one["out"], next["in"], "{by:?}");
            }
            assert!(
                chain
                    .iter()
                    .all(|row| number(row, "in") == number(row, "out") + number(row, "stuck"))
            );
        }
        assert_eq!((read, stuck + out), (received, received), "{by:?}");
    }
    let rows = report(workspace, &["dropoff", "--all"]);
    let stuck = |step: &str| rows.iter().find(|row| row["step"] == step).unwrap();
    let quarantined = workspace.number("SELECT count(*) FROM quarantine");
    let held = workspace.number("SELECT count(*) FROM held");
    assert_eq!(stuck("validated")["stuck"], (quarantined + held).to_string());
    let ages = "SELECT count(*), max(age), min(age) FILTER (WHERE place = (n + 1) / 2)
        FROM (SELECT age, row_number() OVER (ORDER BY age) AS place, count(*) OVER () AS n
              FROM enquiry AS e WHERE contact IS NULL
              AND NOT EXISTS (SELECT 1 FROM did AS d WHERE d.lead_no = e.lead_no AND d.kind = 'no-show'
                              AND d.at >= counts_from AND d.at < next))";
    assert_same_text(
        "never contacted",
        &shown(&[stuck("contacted").clone()], &["stuck", "oldest_seconds", "median_seconds"]),
        &told(workspace, ages),
    );
    let won = "SELECT count(*) FROM enquiry AS e WHERE 'won' =
        (SELECT d.kind FROM did AS d WHERE d.lead_no = e.lead_no AND d.at >= counts_from AND d.at < next
         AND d.kind IN ('won', 'lost') ORDER BY d.at DESC LIMIT 1)";
    assert_eq!(stuck("won")["out"], told(workspace, won));
}

#[test]
fn promises_are_kept_as_the_views_say() {
    let workspace = crowd();
    let query = "SELECT l.owner, count(*), sum(kept = 'met'), sum(kept = 'breached'),
            sum(kept = 'breached' AND contact IS NOT NULL), sum(kept = 'open'), sum(kept = 'replaced')
        FROM (SELECT t.lead_no, e.contact,
                CASE WHEN e.contact <= unixepoch(t.due_at) THEN 'met'
                     WHEN e.contact IS NULL AND t.state = 'superseded' AND (t.ended_at IS NULL OR t.ended_at <= t.due_at)
                     THEN 'replaced'
                     WHEN e.contact IS NULL AND unixepoch(t.due_at) >= e.at + e.age THEN 'open'
                     ELSE 'breached' END AS kept
              FROM tasks AS t JOIN enquiry AS e ON e.submission_no =
                  (SELECT x.submission_no FROM enquiry AS x WHERE x.lead_no = t.lead_no
                   AND x.at <= unixepoch(t.due_at) ORDER BY x.at DESC LIMIT 1)
              WHERE t.channel IN ('call', 'task') AND t.state IN ('open', 'superseded'))
        JOIN leads AS l USING (lead_no) GROUP BY l.owner";
    let rows = report(workspace, &["sla"]);
    let columns =
        ["owner", "promised", "met", "breached", "breached_contacted_late", "open", "replaced"];
    assert_same_text("promises", &shown(&rows, &columns), &told(workspace, query));
    assert!(
        rows.iter().any(|row| row["met"] != "0") && rows.iter().any(|row| row["breached"] != "0")
    );
    let queues = report(workspace, &["sla", "--shares"]);
    let leads = "SELECT queue, count(*) FROM leads GROUP BY queue";
    assert_same_text("queues", &shown(&queues, &["queue", "leads"]), &lines(workspace.sql(leads)));
}

#[test]
fn a_period_is_compared_with_the_one_before() {
    let workspace = crowd();
    let now = ["--since", "2026-10-05", "--until", "2026-10-25", "--by", "campaign"];
    // The last week of the period before it has the same clocks, the last day of this one has an hour more.
    let before = ["--since", "2026-09-14", "--until", "2026-10-04", "--by", "campaign"];
    for what in [&["speed"][..], &["dropoff"], &["duplicates", "--rate"]] {
        let by_period = |period: &[&str]| report(workspace, &[what, period].concat());
        let compared = by_period(&[&now[..], &["--compare", "previous"]].concat());
        let (now, before) = (by_period(&now), by_period(&before));
        let only = |period: &str, like: &[Row]| -> Vec<Row> {
            let named = |row: &Row| {
                let same = |other: &Row| {
                    other["campaign"] == row["campaign"] && other.get("step") == row.get("step")
                };
                row["period"] == period && like.iter().any(same)
            };
            let mut rows: Vec<Row> = compared.iter().filter(|row| named(row)).cloned().collect();
            for row in &mut rows {
                row.remove("period");
            }
            rows.sort();
            rows
        };
        let sorted = |rows: &[Row]| {
            let mut rows = rows.to_vec();
            rows.sort();
            rows
        };
        assert_eq!(only("now", &now), sorted(&now), "{what:?}");
        assert_eq!(only("before", &before), sorted(&before), "{what:?}");
        let column = ["enquiries", "in", "rows"]
            .into_iter()
            .find(|name| now[0].contains_key(*name))
            .unwrap();
        let changes = compared.chunks(3).filter(|rows| !rows[2][column].is_empty());
        let number = |row: &Row| row[column].parse::<i64>().unwrap();
        let mut checked = 0;
        for rows in changes {
            assert_eq!(number(&rows[2]), number(&rows[0]) - number(&rows[1]), "{rows:?}");
            checked += 1;
        }
        assert!(checked > 2, "{what:?}");
    }
    workspace.run(&["report", "speed", "--compare", "previous"]).expect_code(2).says(&["--since"]);
    workspace
        .run(&["report", "speed", "--compare", "previous", "--since", "2026-10-05", "--by", "week"])
        .expect_code(2)
        .says(&["hint: leave out --by"]);
}

#[test]
fn every_report_fits_a_terminal_and_is_the_same_in_every_format() {
    let workspace = crowd();
    let period = ["--since", "2026-10-05", "--until", "2026-10-25", "--compare", "previous"];
    let in_every_format = ["speed", "duplicates"];
    for what in [
        &["speed"][..],
        &["speed", "--by", "country"],
        &["meetings"],
        &["meetings", "--by", "owner"],
        &["dropoff", "--all"],
        &["dropoff", "--by", "owner"],
        &["duplicates", "--rate", "--by", "form"],
        &["sla"],
        &["sla", "--shares"],
    ] {
        for more in [&[][..], &period] {
            // Cohorts are weeks, each of one period; queues share their leads now.
            if !more.is_empty() && (what == ["meetings"] || what.contains(&"--shares")) {
                continue;
            }
            let asked = [&["report"], what, more].concat();
            let table = workspace.ok(&asked).stdout;
            assert_fits_a_terminal(&table);
            if !more.is_empty() && !in_every_format.contains(&what[0]) {
                continue;
            }
            let markdown = workspace.ok(&[&asked[..], &["--format", "markdown"]].concat()).stdout;
            assert!(markdown.starts_with("## ") && markdown.contains("---: |"), "{markdown}");
            let json = workspace.ok(&[&asked[..], &["--format", "json"]].concat()).json();
            let csv = rows_of(&workspace.ok(&[&asked[..], &["--format", "csv"]].concat()).stdout);
            let rows = json["rows"].as_array().unwrap();
            assert_eq!(rows.len(), csv.len(), "{asked:?}");
            for (object, row) in rows.iter().zip(&csv) {
                for (key, value) in
                    object.as_object().unwrap().iter().filter(|(key, _)| *key != "name")
                {
                    let text = match value {
                        serde_json::Value::Null => String::new(),
                        serde_json::Value::String(text) => text.clone(),
                        number => number.to_string(),
                    };
                    assert_eq!(row[key], text, "{key} of {asked:?}");
                }
            }
        }
    }
}
