//! `leadmill match`: the matcher alone, on any table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::workspace::Workspace;

#[path = "../tools/generate/invention/mod.rs"]
#[expect(dead_code, reason = "the fixtures use what this test does not")]
mod invention;

use invention::leads::{COLUMNS, Leads};

const GIVEN: [&str; 10] =
    ["Anna", "Jan", "Piotr", "Ewa", "Marek", "Zofia", "Adam", "Olga", "Robert", "Katarzyna"];
const SURNAMES: [&str; 12] = [
    "Nowak", "Wilk", "Zając", "Kruk", "Lis", "Dudek", "Bąk", "Sikora", "Jeleń", "Czyż", "Wrona",
    "Gawron",
];

/// A table of 120 people in 24 companies, five a company behind one switchboard; every third person stands in it
/// twice, the second time with a slip, a nickname, another format or a swapped name.
fn people() -> (String, String) {
    let mut table = "id;Imię;Nazwisko;E-mail;Telefon;Firma;Miasto\n".to_owned();
    let mut truth = "id,who\n".to_owned();
    for n in 0..120_usize {
        let (given, stem) = (GIVEN[n * 7 % 10], SURNAMES[n * 5 % 12]);
        let surname = format!("{stem}{}", ["", "owicz", "ek", "icki", "ewska"][n / 24]);
        let company = format!("{}{}", SURNAMES[n / 5 % 12], ["bud", "tech"][n / 60]);
        let mobile = format!("60{} {:03} {:03}", n % 9, n * 37 % 1000, n * 91 % 1000);
        let mail = format!("{}.{}@{company}.pl", given.to_lowercase(), stem.to_lowercase());
        writeln!(table, "a{n:03};{given};{surname};{mail};{mobile};{company} sp. z o.o.;Radom")
            .unwrap();
        writeln!(truth, "a{n:03},{n}").unwrap();
        if n % 3 == 0 {
            let (first, last) = if n % 2 == 0 { (given, &*surname) } else { (&*surname, given) };
            let first =
                if n % 4 == 0 { first.replace("Katarzyna", "Kasia") } else { first.to_uppercase() };
            let mail = mail.to_uppercase();
            writeln!(
                table,
                "b{n:03};{first};{last};{mail};+48{};{company};",
                mobile.replace(' ', "")
            )
            .unwrap();
            writeln!(truth, "b{n:03},{n}").unwrap();
        }
    }
    (table, truth)
}

/// Returns the lines of a file of `workspace`.
fn lines(workspace: &Workspace, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(workspace.path(name)).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_table_is_matched_with_nothing_configured() {
    let workspace = Workspace::new();
    let (table, truth) = people();
    workspace.file("people.csv", &table).file("truth.csv", &truth);
    let args = [
        "match",
        "people.csv",
        "--output",
        "c.csv",
        "--pairs",
        "p.csv",
        "--truth",
        "truth.csv",
        "--json",
    ];
    let outcome = workspace.ok(&args);
    let summary: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(summary["records"], 160);
    assert_eq!(summary["clusters"], 120, "{summary}");
    assert_eq!(summary["quality"]["f1"], 1.0, "{summary}");
    assert_eq!(summary["quality"]["b_cubed_f1"], 1.0);
    assert_eq!(summary["quality"]["largest_cluster"], 2);
    let kinds: Vec<&str> = summary["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["given-name", "surname", "email", "phone", "organization", "ignored"]);
    let clusters = lines(&workspace, "c.csv");
    assert_eq!(clusters[0], "id,cluster");
    assert_eq!(clusters[1..3], ["a000,a000", "b000,a000"]);
    assert_eq!(clusters.len(), 161);
    let pairs = lines(&workspace, "p.csv");
    assert_eq!(pairs[0], "id_a,id_b,decision,probability,bits,own,shared,why");
    assert!(pairs[1].starts_with('a') && pairs[1].contains(",same,"), "{}", pairs[1]);
    assert!(pairs[1].contains("E-mail: equal +"), "{}", pairs[1]);
}

#[test]
fn the_order_of_rows_and_the_dialect_change_nothing() {
    let workspace = Workspace::new();
    let (table, _) = people();
    workspace.file("people.csv", &table);
    let expected = workspace.ok(&["match", "people.csv", "--quiet"]).stdout;
    let mut rows: Vec<&str> = table.lines().collect();
    rows[1..].reverse();
    let reversed = rows.join("\r\n").replace(';', "\t") + "\r\n";
    workspace.file("reversed.txt", reversed);
    let found = workspace.ok(&["match", "reversed.txt", "--quiet"]).stdout;
    let sorted = |text: &str| {
        let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
        rows.sort();
        rows
    };
    assert_eq!(sorted(&found), sorted(&expected));
    // Rows stand in the order of the file.
    assert_eq!(found.lines().nth(1), expected.lines().last());
}

#[test]
fn two_lists_are_linked_whatever_their_columns_are_called() {
    let workspace = Workspace::new();
    let (table, _) = people();
    let (mut first, mut second) = (String::new(), String::new());
    for line in table.lines() {
        match line.as_bytes()[0] {
            b'a' => writeln!(first, "{line}").unwrap(),
            b'b' => writeln!(second, "{line}").unwrap(),
            _ => {
                writeln!(first, "{line}").unwrap();
                writeln!(second, "id;first name;last name;mail;phone;company;city").unwrap();
            }
        }
    }
    workspace.file("crm.csv", first).file("fair.csv", second);
    let found = workspace.ok(&["match", "--link", "crm.csv", "fair.csv", "--quiet"]).stdout;
    let linked = found.lines().filter(|line| line.starts_with("2:b"));
    for line in linked.clone() {
        let (id, cluster) = line.split_once(',').unwrap();
        assert_eq!(cluster, format!("1:a{}", &id[3..]), "{line}");
    }
    assert_eq!(linked.count(), 40);
}

#[test]
fn what_cannot_be_matched_is_said_with_the_way_out() {
    let workspace = Workspace::new();
    let (table, _) = people();
    workspace
        .file("people.csv", &table)
        .file("nothing.csv", "id,score,status\n1,5,new\n2,7,old\n")
        .file(
            "repeated.csv",
            "id,name,city\n1,Jan Lis,Radom\n2,Ewa Kruk,Radom\n1,Adam Bąk,Kielce\n",
        )
        .file("other.csv", "id,who\nzzz,1\n")
        .file("part.csv", "id,who\na001,1\na002,2\n")
        .file("twice.csv", "id,who\na001,1\na001,2\n")
        .file("empty.csv", "")
        .file("header.csv", "id,name,email\n")
        .file("values.csv", "1,Jan Lis,jan@lis.pl\n2,Ewa Kruk,ewa@kruk.pl\n")
        .file(
            "stray.csv",
            "id,name,email\n1,\"Jan Lis,jan@lis.pl\n2,Ewa Kruk,ewa@kruk.pl\n3,Adam Lis,al@lis.pl\n",
        )
        .file("cut.csv", "id,name,email\n1,\"Jan Lis,jan@lis.pl\n");
    let check = |args: &[&str], code: i32, parts: &[&str]| {
        let outcome = workspace.run(&[&["match"], args].concat());
        assert_eq!(outcome.code, code, "{args:?}: {}", outcome.stderr);
        for part in parts {
            assert!(outcome.stderr.contains(part), "{args:?} lacks `{part}`: {}", outcome.stderr);
        }
        assert_eq!(outcome.stdout, "", "{args:?}");
    };
    check(
        &["nothing.csv"],
        2,
        &["no column tells records apart", "--as COLUMN=KIND", "given-name"],
    );
    check(&["repeated.csv"], 2, &["ids repeat: `1` in rows 1 and 3", "--id"]);
    check(&["people.csv", "--truth", "other.csv"], 2, &["other.csv: it knows none of the ids"]);
    check(
        &["people.csv", "--truth", "twice.csv"],
        2,
        &["twice.csv:3: id `a001` stands there a second time"],
    );
    check(&["people.csv", "--as", "Telefon=fone"], 2, &["no kind `fone`", "did you mean `phone`"]);
    check(
        &["people.csv", "--as", "Telephon=phone"],
        2,
        &["no column `Telephon`", "did you mean `Telefon`"],
    );
    check(
        &["people.csv", "--id", "Nazwisk"],
        2,
        &["no column `Nazwisk`", "did you mean `Nazwisko`"],
    );
    check(&["people.csv", "part.csv"], 2, &["add --link"]);
    check(&["--link", "people.csv"], 2, &["--link takes two tables"]);
    check(
        &["people.csv", "--output", "people.csv"],
        2,
        &["this is what is read, and it would be lost"],
    );
    check(&["people.csv", "--output", "x.csv", "--pairs", "x.csv"], 2, &["where the clusters go"]);
    check(&["missing.csv"], 2, &["there is no `missing.csv`", "check the spelling"]);
    check(&["empty.csv"], 6, &["the file is empty"]);
    check(&["header.csv"], 2, &["there are no rows below the header"]);
    check(&["values.csv"], 6, &["the first row holds values, not the names of columns"]);
    check(
        &["stray.csv"],
        6,
        &["a quote in the row of line 2 has no other end", "delete the stray one"],
    );
    check(&["cut.csv"], 6, &["ends inside quotes opened in line 2"]);
    let part = workspace.run(&["match", "people.csv", "--truth", "part.csv", "--output", "o.csv"]);
    assert_eq!(part.code, 0, "{}", part.stderr);
    assert!(part.stderr.contains("does not know 158 of the ids"), "{}", part.stderr);
    assert!(part.stdout.contains("against the truth: pairs precision"), "{}", part.stdout);
}

#[test]
fn a_column_can_be_pinned() {
    let workspace = Workspace::new();
    let (table, truth) = people();
    let table = table.replacen("E-mail", "Kanał", 1).replacen("Telefon", "Nr", 1);
    workspace.file("people.csv", &table).file("truth.csv", &truth);
    let args = [
        "match",
        "people.csv",
        "--output",
        "c.csv",
        "--json",
        "--as",
        "Nr=phone",
        "--as",
        "Miasto=ignored",
    ];
    let summary: serde_json::Value = serde_json::from_str(&workspace.ok(&args).stdout).unwrap();
    assert_eq!(summary["columns"][2]["kind"], "email", "known by its values");
    assert_eq!(summary["columns"][3]["known_by"], "pinned");
    assert_eq!(summary["columns"][5]["kind"], "ignored");
    assert_eq!(summary["clusters"], 120);
}

#[test]
fn generated_leads_are_a_function_of_their_seed_and_the_truth_covers_them() {
    let [one, again, other] = [7, 7, 8].map(|seed| Leads { count: 700, seed }.invent());
    assert_eq!(
        (&one.leads, &one.truth, &one.company_truth),
        (&again.leads, &again.truth, &again.company_truth)
    );
    assert_ne!(one.leads, other.leads);
    assert_eq!(one.leads.lines().next().unwrap(), COLUMNS.join(","));
    let ids = |text: &str| -> Vec<String> {
        text.lines().skip(1).map(|line| line.split_once(',').unwrap().0.to_owned()).collect()
    };
    let expected: Vec<String> = (0..700).map(|number| format!("L{number:07}")).collect();
    for text in [&one.leads, &one.truth, &one.company_truth] {
        assert_eq!(ids(text), expected);
    }
}

#[test]
fn two_thousand_leads_with_every_hazard_are_told_apart_in_any_order() {
    const LEADS: usize = 2000;
    let texts = Leads { count: LEADS, seed: 1 }.invent();
    let workspace = Workspace::new();
    workspace.file("leads.csv", &texts.leads).file("truth.csv", &texts.truth);
    let args = ["match", "leads.csv", "--output", "c.csv", "--truth", "truth.csv", "--json"];
    let summary: serde_json::Value = serde_json::from_str(&workspace.ok(&args).stdout).unwrap();
    let quality = &summary["quality"];
    // Bars, not records: ARCHITECTURE.md has what is reached on more leads.
    assert!(quality["f1"].as_f64().unwrap() >= 0.93, "{quality}");
    assert!(quality["b_cubed_f1"].as_f64().unwrap() >= 0.95, "{quality}");
    assert!(quality["largest_cluster"].as_u64().unwrap() <= 25, "{quality}");

    // 919 is prime to the number of rows, so this visits each of them once, far from its neighbours.
    let rows: Vec<&str> = texts.leads.lines().collect();
    let mut shuffled = vec![rows[0]];
    shuffled.extend((0..LEADS).map(|at| rows[1 + at * 919 % LEADS]));
    workspace.file("shuffled.csv", shuffled.join("\n") + "\n");
    workspace.ok(&["match", "shuffled.csv", "--output", "s.csv", "--quiet"]);
    let by_id = |name: &str| -> BTreeMap<String, String> {
        let pairs = lines(&workspace, name).into_iter().skip(1);
        pairs.map(|line| line.split_once(',').map(|(a, b)| (a.into(), b.into())).unwrap()).collect()
    };
    let clusters = by_id("c.csv");
    assert_eq!(clusters.len(), LEADS);
    assert_eq!(by_id("s.csv"), clusters);
}
