//! Who is who in the store: likeness, and what people say about it.

use std::fmt::Write as _;

use super::undo::assert_rebuild_changes_nothing;
use super::workspace::Workspace;

/// Rows of one person who left a mailbox of the company and one of her own, and of a colleague.
const ROWS: &[&str] = &[
    "1,2026-11-18T10:00:00Z,Zofia Wrzos,zofia.wrzos@nova.pl,,Nova Systemy sp. z o.o.,PL,,",
    "2,2026-11-19T10:00:00Z,Zofia Wrzos,zw@nova.pl,+48600100200,Nova Systemy,PL,,",
    "3,2026-11-19T11:00:00Z,Adam Wrzos,adam@nova.pl,+48600100300,Nova Systemy,PL,,",
    "4,2026-11-19T12:00:00Z,Jan Kruk,jan.kruk@wp.pl,+48600100400,,PL,,",
];

/// The addresses of each lead, whatever numbers its rows were given.
fn clusters(workspace: &Workspace) -> Vec<Vec<String>> {
    workspace.sql(
        "SELECT group_concat(address, ' ') FROM
             (SELECT lead_no, json_extract(fields, '$.email') AS address FROM submissions ORDER BY 1, 2)
         GROUP BY lead_no ORDER BY 1",
    )
}

fn lead_of(workspace: &Workspace, email: &str) -> String {
    let query = format!("SELECT id FROM leads WHERE email = '{email}'");
    workspace.sql(&query)[0][0].clone()
}

fn lead_of_row(workspace: &Workspace, row: i64) -> String {
    let query = format!(
        "SELECT l.id FROM leads AS l JOIN submissions AS s USING (lead_no) WHERE submission_no = {row}"
    );
    workspace.sql(&query)[0][0].clone()
}

#[test]
fn a_person_with_two_mailboxes_at_one_company_is_one_lead() {
    let workspace = Workspace::new();
    workspace.table("a.csv", ROWS).ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 3);
    let joined = workspace.sql("SELECT submission_no, with_no, joined_by FROM duplicates");
    assert_eq!(joined, [["2", "1", "likeness"]]);
    let duplicates = workspace.latest("duplicates.csv");
    assert!(
        duplicates.contains("bits: first-name equal, last-name equal, company-domain equal"),
        "{duplicates}"
    );
    let story = workspace.ok(&["explain", "zw@nova.pl"]).stdout;
    assert!(story.contains("likeness"), "{story}");
    let bridge = workspace.ok(&["explain", "zw@nova.pl", "zofia.wrzos@nova.pl"]).stdout;
    assert!(bridge.contains("these are one lead"), "{bridge}");
    assert!(bridge.contains("last-name") && bridge.contains("equal"), "{bridge}");
    let apart = workspace.ok(&["explain", "zw@nova.pl", "adam@nova.pl"]).stdout;
    assert!(apart.contains("first-name      different"), "{apart}");
    assert!(apart.contains(": different"), "{apart}");
}

#[test]
fn row_by_row_ends_with_the_same_people_as_all_at_once() {
    let at_once = Workspace::new();
    at_once.table("a.csv", ROWS).ok(&["run"]);
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]] {
        let one_by_one = Workspace::new();
        for (number, row) in order.iter().enumerate() {
            one_by_one.table(&format!("{number}.csv"), &[ROWS[*row]]);
            one_by_one.ok(&["run"]);
        }
        assert_eq!(clusters(&one_by_one), clusters(&at_once), "{order:?}");
    }
}

#[test]
fn a_verdict_outlives_later_imports_and_can_be_undone() {
    let workspace = Workspace::new();
    workspace.table("a.csv", ROWS).ok(&["run"]);
    let before = clusters(&workspace);
    let (adam, jan) = (lead_of(&workspace, "adam@nova.pl"), lead_of(&workspace, "jan.kruk@wp.pl"));
    workspace.ok(&["merge", "adam@nova.pl", "jan.kruk@wp.pl", "--because", "he changed his name"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 2);
    // The older id survives, the other is an alias.
    let story = workspace.ok(&["explain", &jan]).stdout;
    assert!(story.starts_with(&adam) && story.contains(&format!("also known as {jan}")), "{story}");
    // Another row of one of them belongs to both.
    let row = "5,2026-11-20T10:00:00Z,Jan Kruk,jan.kruk@wp.pl,,,PL,,";
    workspace.clear_inbox().table("b.csv", &[row]).ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 2);
    assert_rebuild_changes_nothing(&workspace);
    let runs = workspace.sql(
        "SELECT id FROM runs WHERE kind IN ('verdict', 'import') ORDER BY run_no DESC LIMIT 2",
    );
    for run in &runs {
        workspace.ok(&["undo", &run[0]]);
    }
    assert_eq!(clusters(&workspace), before);
    assert_eq!(lead_of(&workspace, "jan.kruk@wp.pl"), jan);
}

#[test]
fn a_split_holds_whatever_joins_the_rows() {
    let workspace = Workspace::new();
    let mut rows = ROWS.to_vec();
    rows.push("5,2026-11-20T10:00:00Z,Jan Kruk,jan.kruk@wp.pl,+48600100400,,PL,,");
    rows.push("6,2026-11-20T11:00:00Z,Jan Kruk,jan.kruk@wp.pl,,Inna,PL,,");
    workspace.table("a.csv", &rows).ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 3);
    let told = workspace.ok(&["explain", "jan.kruk@wp.pl"]).stdout;
    assert!(
        told.lines().any(|line| line.trim_start().starts_with('6') && line.contains("a.csv:7")),
        "{told}"
    );
    workspace.ok(&["split", "jan.kruk@wp.pl", "--rows", "6", "--because", "his father"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 4);
    let told = workspace.ok(&["explain", &lead_of_row(&workspace, 6)]).stdout;
    assert!(
        told.contains("rows 4, 5, 6") && told.contains("different people: his father"),
        "{told}"
    );
    let own = "SELECT count(*) FROM submissions WHERE lead_no = (SELECT lead_no FROM submissions WHERE submission_no = 6)";
    assert_eq!(workspace.number(own), 1);
    // A new row with the same address goes to one of them, and the two stay apart.
    let row = "7,2026-11-20T12:00:00Z,Jan Kruk,jan.kruk@wp.pl,+48600100400,,PL,,";
    workspace.clear_inbox().table("b.csv", &[row]).ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 4);
    assert_rebuild_changes_nothing(&workspace);
    let wrong = workspace.run(&["split", "zw@nova.pl", "--rows", "6"]).expect_code(2);
    assert!(
        wrong.stderr.contains("row 6 is none of this lead's") && wrong.stderr.contains("1, 2"),
        "{}",
        wrong.stderr
    );
    let all = workspace.run(&["split", "zw@nova.pl", "--rows", "1,2"]).expect_code(2);
    assert!(all.stderr.contains("rows that stay"), "{}", all.stderr);
}

#[test]
fn uncertain_pairs_wait_for_a_look_until_somebody_decides() {
    let workspace = Workspace::new();
    let header = "id,created_at,full_name,email,city";
    let rows = [
        "1,2026-11-18T10:00:00Z,Zofia Wrzos,zofia1@wp.pl,Radom",
        "2,2026-11-19T10:00:00Z,Zofia Wrzos,wrz@gmail.com,Radom",
        "3,2026-11-19T10:00:00Z,Olgierd Pliszka,pliszka@wp.pl,Radom",
        "4,2026-11-19T10:00:00Z,Olgierd Pliszka,olo7@gmail.com,Radom",
    ];
    workspace.input("a.csv", format!("{header}\n{}\n", rows.join("\n"))).ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 4);
    assert_eq!(workspace.run_json()["pairs_to_review"], 2);
    let list = workspace.ok(&["review"]).stdout;
    assert!(list.contains("2 of 2 pairs") && list.contains("city equal"), "{list}");
    workspace.ok(&["review", "accept", "zofia1@wp.pl", "wrz@gmail.com"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 3);
    workspace.ok(&["review", "export", "pairs.csv"]);
    let file = std::fs::read_to_string(workspace.path("pairs.csv")).unwrap();
    assert_eq!(file.lines().count(), 2, "{file}");
    workspace.ok(&["review", "export", "masked.csv", "--mask"]);
    let masked = std::fs::read_to_string(workspace.path("masked.csv")).unwrap();
    assert!(!masked.contains("Pliszka") && masked.contains("O. P."), "{masked}");
    let ids = |file: &str| file.lines().nth(1).map(|line| line[..32].to_owned());
    assert_eq!(ids(&masked), ids(&file), "it can be read back");
    let filled = file.replacen("\n,LM", "\nmaybe,LM", 1);
    workspace.file("filled.csv", &filled);
    let kept = workspace.run(&["review", "export", "filled.csv"]).expect_code(2);
    assert!(kept.stderr.contains("filled.csv is there already"), "{}", kept.stderr);
    assert_eq!(std::fs::read_to_string(workspace.path("filled.csv")).unwrap(), filled);
    let wrong = workspace.run(&["review", "apply", "filled.csv"]).expect_code(2);
    assert!(wrong.stderr.contains("filled.csv:2: `maybe` is no verdict"), "{}", wrong.stderr);
    let different = filled.replacen("maybe", "nie", 1);
    let row = different.lines().nth(1).unwrap();
    let opposite = format!("{different}{}\n", row.replacen("nie", "tak", 1));
    workspace.file("both.csv", &opposite);
    let both = workspace.run(&["review", "apply", "both.csv"]).expect_code(2);
    assert!(both.stderr.contains("both.csv:3: line 2 says the opposite"), "{}", both.stderr);
    let merged = "verdict,lead,other\nnie,zofia1@wp.pl,wrz@gmail.com\n";
    let merged = workspace.file("merged.csv", merged).run(&["review", "apply", "merged.csv"]);
    assert!(merged.stderr.contains("are one lead already"), "{}", merged.stderr);
    assert!(merged.stderr.contains("leadmill split"), "{}", merged.stderr);
    assert_eq!(workspace.number("SELECT count(*) FROM runs WHERE kind = 'verdict'"), 1);
    workspace.file("filled.csv", &different);
    workspace.ok(&["review", "apply", "filled.csv"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 3);
    assert!(workspace.ok(&["review"]).stdout.contains("no pairs of leads wait"));
    let again =
        workspace.run(&["review", "accept", "zofia1@wp.pl", "wrz@gmail.com"]).expect_code(2);
    assert!(again.stderr.contains("one lead already"), "{}", again.stderr);
}

#[test]
fn weights_change_only_when_somebody_accepts_them() {
    let workspace = Workspace::with_fixtures();
    workspace.ok(&["run"]);
    let (before, dump) = (clusters(&workspace), workspace.dump());
    let shown = workspace.ok(&["model", "show"]).stdout;
    assert!(shown.contains("leadmill's own") && shown.contains("two rows at random"), "{shown}");
    let refreshed = workspace.ok(&["model", "refresh"]).stdout;
    assert!(refreshed.contains("learned") && refreshed.contains("--accept"), "{refreshed}");
    assert_eq!(workspace.dump(), dump, "looking changes nothing");
    workspace.ok(&["model", "refresh", "--accept"]);
    assert!(workspace.ok(&["model"]).stdout.contains("run 2"));
    assert_rebuild_changes_nothing(&workspace);
    let run = &workspace.sql("SELECT id FROM runs WHERE kind = 'model'")[0][0];
    workspace.ok(&["undo", run]);
    assert_eq!(clusters(&workspace), before);
    assert!(workspace.ok(&["model", "show"]).stdout.contains("leadmill's own"));
}

#[test]
fn a_handful_of_rows_teaches_nothing() {
    let workspace = Workspace::new();
    workspace.table("a.csv", ROWS).ok(&["run"]);
    let refused = workspace.run(&["model", "refresh"]).expect_code(2);
    assert!(
        refused.stderr.contains("4 submissions are too few to learn from"),
        "{}",
        refused.stderr
    );
}

/// Two people of two rows each, the rows of each joined by likeness alone.
const TWO_PEOPLE: &[&str] = &[
    "1,2026-11-18T10:00:00Z,Jolanta Kwiek,jolanta.kwiek@wp.pl,,Alfa Systemy,PL,,",
    "2,2026-11-18T11:00:00Z,Jolanta Kwiek,jola.k@o2.pl,,Alfa Systemy,PL,,",
    "3,2026-11-19T10:00:00Z,Jolanta Zawadzka,j.zawadzka@beta.example,,Beta Logistyka,PL,,",
    "4,2026-11-19T11:00:00Z,Jolanta Zawadzka,jola.z@o2.pl,,Beta Logistyka,PL,,",
];

#[test]
fn a_merge_keeps_rows_together_that_were_joined_by_likeness() {
    let workspace = Workspace::new();
    workspace.table("a.csv", TWO_PEOPLE).ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 2);
    workspace.ok(&[
        "merge",
        "jolanta.kwiek@wp.pl",
        "j.zawadzka@beta.example",
        "--because",
        "married",
    ]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1);
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn the_last_word_about_two_leads_holds_for_all_their_rows() {
    let workspace = Workspace::new();
    workspace.table("a.csv", TWO_PEOPLE).ok(&["run"]);
    let pair = ["jolanta.kwiek@wp.pl", "j.zawadzka@beta.example"];
    workspace.ok(&["review", "reject", pair[0], pair[1]]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 2);
    workspace.ok(&["review", "accept", pair[0], pair[1]]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1);
    workspace.ok(&["split", pair[0], "--rows", "3,4"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 2);
    workspace.ok(&["merge", pair[0], pair[1]]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1);
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn an_undone_verdict_lets_go_of_rows_that_came_back_since() {
    let workspace = Workspace::new();
    workspace.table("a.csv", &[ROWS[2]]).table("b.csv", &[ROWS[3]]).ok(&["run"]);
    workspace.ok(&["merge", "adam@nova.pl", "jan.kruk@wp.pl"]);
    let runs = workspace.sql("SELECT id FROM runs ORDER BY run_no");
    workspace.ok(&["undo", &runs[0][0]]);
    workspace.ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1, "the verdict outlived the undo");
    workspace.ok(&["undo", &runs[1][0]]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 2);
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn a_number_that_becomes_shared_speaks_for_nobody_any_more_in_any_order() {
    let header =
        "id,created_at,first_name,last_name,email,phone,company,street,city,postcode,country";
    let rows = [
        "1,2026-11-18T10:00:00Z,Hanna,Nowak,hanna.nowak@f0.example,512783148,Alfa Systemy,ul. Morska 5,Gdynia,,PL",
        "2,2026-11-18T11:00:00Z,Anna,Nowak,,512783259,Alfa,ul. Morska 5,Gdańsk,81-001,PL",
        "3,2026-11-19T10:00:00Z,Kasia,Wójcik,k12@poczta.example,512783148,Beta Logistyka,ul. Morska 5,,81-001,PL",
    ];
    let people = |workspace: &Workspace| {
        workspace.sql(
            "SELECT group_concat(name, ' ') FROM
                 (SELECT lead_no, json_extract(fields, '$.first-name') AS name FROM submissions ORDER BY 1, 2)
             GROUP BY lead_no ORDER BY 1",
        )
    };
    let at_once = Workspace::new();
    at_once.input("a.csv", format!("{header}\n{}\n", rows.join("\n"))).ok(&["run"]);
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let one_by_one = Workspace::new();
        for row in order {
            one_by_one
                .input(&format!("{row}.csv"), format!("{header}\n{}\n", rows[row]))
                .ok(&["run"]);
        }
        assert_eq!(people(&one_by_one), people(&at_once), "{order:?}");
    }
}

#[test]
fn every_id_leads_to_the_row_that_founded_it_however_often_leads_are_merged_and_split() {
    let workspace = Workspace::new();
    workspace.table("a.csv", &[ROWS[0], ROWS[2], ROWS[3]]).ok(&["run"]);
    let [zofia, adam, jan] = [1, 2, 3].map(|row| lead_of_row(&workspace, row));
    let found = |id: &String| {
        workspace.ok(&["explain", id, "--json"]).json()["lead"].as_str().unwrap().to_owned()
    };
    let check = |expected: [&String; 3]| {
        assert_eq!([&zofia, &adam, &jan].map(found), expected.map(Clone::clone));
        assert_rebuild_changes_nothing(&workspace);
    };
    workspace.ok(&["merge", &adam, &jan]);
    check([&zofia, &adam, &adam]);
    workspace.ok(&["merge", &zofia, &adam]);
    check([&zofia, &zofia, &zofia]);
    workspace.ok(&["split", &zofia, "--rows", "2,3"]);
    check([&zofia, &adam, &adam]);
    let mut runs = workspace.sql("SELECT id FROM runs WHERE kind = 'verdict' ORDER BY run_no DESC");
    for expected in [[&zofia, &zofia, &zofia], [&zofia, &adam, &adam], [&zofia, &adam, &jan]] {
        workspace.ok(&["undo", &runs.remove(0)[0]]);
        check(expected);
    }
}

#[test]
fn rows_that_were_joined_by_likeness_stay_so_whatever_the_word_lists_say_later() {
    let workspace = Workspace::new();
    workspace.table("a.csv", &ROWS[..2]).ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1);
    // Zofia was in a group of nicknames; now she is known by the sound of her name.
    let nicknames = "[[group]]\nnames = [\"Adam\", \"Adaś\"]\n";
    workspace.file("rules/tables/nicknames.toml", nicknames);
    let row = "5,2026-11-20T10:00:00Z,,zw@nova.pl,,,PL,,";
    workspace.table("b.csv", &[row]).ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 1);
    assert_rebuild_changes_nothing(&workspace);
    let first = workspace.sql("SELECT id FROM runs ORDER BY run_no")[1][0].clone();
    workspace.ok(&["undo", &first]);
    assert_eq!(clusters(&workspace), [["zofia.wrzos@nova.pl zw@nova.pl"]]);
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn the_list_of_duplicates_and_an_explanation_show_the_same_bits() {
    let workspace = Workspace::new();
    // An address that three people hold speaks neither for nor against anybody.
    let rows = [
        "1,2026-11-18T10:00:00Z,Zofia Wrzos,wspolny@nova.pl,,Nova Systemy,PL,,",
        ROWS[1],
        "3,2026-11-19T11:00:00Z,Jan Kruk,wspolny@nova.pl,,,PL,,",
        "4,2026-11-19T12:00:00Z,Olgierd Pliszka,wspolny@nova.pl,,,PL,,",
    ];
    workspace.table("a.csv", &rows).ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 3);
    let explained = workspace.ok(&["explain", "zw@nova.pl", &lead_of_row(&workspace, 1)]).stdout;
    let (_, bits) = explained.split_once("together ").unwrap();
    let bits = bits.split_once(" bits").unwrap().0;
    let listed = workspace.latest("duplicates.csv");
    assert!(listed.contains(&format!("likeness={bits} bits: first-name")), "{bits}: {listed}");
}

#[test]
fn an_undo_finds_whom_it_touches_whatever_the_word_lists_say_later() {
    let workspace = Workspace::new();
    // Addresses with other numbers would be other people's.
    let letter = |number: usize| char::from(b'a' + (number % 26) as u8);
    let row = |number: usize| {
        let mailbox = format!("z{}{}", letter(number / 26), letter(number));
        format!("{number},2026-11-18T10:00:00Z,Zofia Wrzos,{mailbox}@nova.pl,,Nova Systemy,PL,,")
    };
    // More than forty of one name at one company are not compared.
    let crowd: Vec<String> = (0..41).map(row).collect();
    let crowd: Vec<&str> = crowd.iter().map(String::as_str).collect();
    let two: Vec<String> = (50..52).map(row).collect();
    let two: Vec<&str> = two.iter().map(String::as_str).collect();
    workspace.table("a.csv", &crowd).ok(&["run"]);
    workspace.clear_inbox().table("b.csv", &two).ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 43);
    workspace.file("rules/tables/nicknames.toml", "[[group]]\nnames = [\"Adam\", \"Adaś\"]\n");
    let first = workspace.sql("SELECT id FROM runs ORDER BY run_no")[0][0].clone();
    workspace.ok(&["undo", &first]);
    assert_eq!(clusters(&workspace), [["zby@nova.pl zbz@nova.pl"]]);
    assert_rebuild_changes_nothing(&workspace);
}

#[test]
fn rows_with_half_a_name_tie_no_colleagues_together() {
    let workspace = Workspace::new();
    let people = [("Łucja", "Żak"), ("Wojciech", "Bąk"), ("Rafał", "Król")];
    let address = |first: &str| format!("{}@firma.example", first.to_lowercase());
    let mut whole = "Submitted at,First name,Last name,E-mail,Phone\n".to_owned();
    let mut half = whole.clone();
    for (first, last) in people {
        let _ =
            writeln!(whole, "2026-11-20T10:00:00Z,{first},{last},{},+48221234567", address(first));
        let _ = writeln!(half, "2026-11-20T11:00:00Z,{first},,{},+48221234567", address(first));
    }
    workspace.input("a.csv", half).input("b.csv", whole);
    workspace.done(&["run"]);
    let leads = workspace.sql("SELECT first_name, n_submissions FROM leads ORDER BY 1");
    assert_eq!(leads, [["Rafał", "2"], ["Wojciech", "2"], ["Łucja", "2"]]);
}

/// Returns the names of each lead's rows, in order whatever numbers they were given.
fn names_of_leads(workspace: &Workspace) -> Vec<String> {
    let leads = workspace.sql(
        "SELECT group_concat(name, ', ') FROM
             (SELECT lead_no, trim(coalesce(json_extract(fields, '$.first-name'), '') || ' ' ||
                 coalesce(json_extract(fields, '$.last-name'), '')) AS name FROM submissions ORDER BY 1, 2)
         GROUP BY lead_no ORDER BY 1",
    );
    leads.into_iter().flatten().collect()
}

#[test]
fn half_a_name_does_not_tie_the_holder_of_its_number_to_that_of_its_mailbox() {
    let header = "Submitted at,First name,Last name,E-mail,Phone\n";
    let rows = [
        "2026-11-20T10:00:00Z,Anna,Lis,anna.lis@dom.example,+48601222333\n",
        "2026-11-20T11:00:00Z,Anna,Kos,anna@kos.example,+48602333444\n",
        "2026-11-20T12:00:00Z,Anna,,anna@kos.example,+48601222333\n",
    ];
    // The mailbox is the stronger key.
    let expected = ["Anna Lis", "Anna, Anna Kos"];
    for order in [[0, 1, 2], [2, 1, 0], [2, 0, 1], [0, 2, 1], [1, 2, 0]] {
        let one_by_one = Workspace::new();
        let mut all = header.to_owned();
        for (number, row) in order.iter().enumerate() {
            all.push_str(rows[*row]);
            one_by_one.input(&format!("{number}.csv"), format!("{header}{}", rows[*row]));
            one_by_one.ok(&["run"]);
        }
        assert_eq!(names_of_leads(&one_by_one), expected, "{order:?}");
        assert_rebuild_changes_nothing(&one_by_one);
        let at_once = Workspace::new();
        at_once.input("all.csv", all).ok(&["run"]);
        assert_eq!(names_of_leads(&at_once), expected, "{order:?}, at once");
    }
}

#[test]
fn companies_and_people_that_differ_in_a_number_are_different() {
    let workspace = Workspace::new();
    let mut text = "Submitted at,Full name,Company,E-mail\n".to_owned();
    for number in 0..120 {
        let row = format!("Anna W{number}ska,Firma {number},anna{number}@firma{number}.example");
        let _ = writeln!(text, "2026-11-20T10:00:00Z,{row}");
        let _ = writeln!(
            text,
            "2026-11-20T10:00:00Z,Jan Wrona,Oddział {number},jan.wrona{number}@sklep{number}.example"
        );
    }
    // A slip is still one.
    text.push_str("2026-11-20T11:00:00Z,Anna W12ska,Firma 12,anan12@firma12.example\n");
    workspace.input("a.csv", text).ok(&["run"]);
    assert_eq!(workspace.number("SELECT count(*) FROM leads"), 240);
    assert_eq!(
        workspace.sql("SELECT DISTINCT joined_by FROM duplicates"),
        [["likeness"]],
        "only the slip"
    );
}
