//! Tables as people really have them: each polluted in one way, in the spirit of the Pollock benchmark and of
//! the horror files of messytables. All of it is invented.

use super::Caps;
use super::tests::{check, rows_of};
use crate::model::row::RowContent;

#[track_caller]
fn check_table(text: &str, expected: &[&str]) {
    check(text, "generic-csv", expected);
}

const ANNA: &str = "first-name=Anna | email=a@example.com | phone=600123456";
const JAN: &str = "first-name=Jan | email=b@example.com | phone=600123457";

#[track_caller]
fn check_anna_and_jan(text: &str, places: [&str; 2]) {
    let rows = [format!("{} {ANNA}", places[0]), format!("{} {JAN}", places[1])];
    check_table(text, &[&rows[0], &rows[1]]);
}

#[test]
fn what_stands_above_the_header_is_passed_over() {
    for above in [
        "",
        "\n\n",
        "Raport leadów\n",
        "Raport \"Leady\", wrzesień\nGenerated: 2025-09-12 10:00, by admin\n\n",
        "Parameters:TimeZone=Europe/Warsaw\n",
        "sep=,\n",
        "\"Raport\nza wrzesień\"\n,,\n",
        "Filters,Date,last week\n",
    ] {
        let lines = above.matches('\n').count();
        let places = [format!("1/{}", lines + 2), format!("2/{}", lines + 3)];
        check_anna_and_jan(
            &format!(
                "{above}Imię,E-mail,Telefon\nAnna,a@example.com,600123456\nJan,b@example.com,600123457\n"
            ),
            [&places[0], &places[1]],
        );
    }
}

#[test]
fn every_delimiter_and_line_end_is_read() {
    for delimiter in [",", ";", "\t", "|"] {
        for line_end in ["\n", "\r\n", "\r"] {
            let text =
                "Imię,E-mail,Telefon\nAnna,a@example.com,600123456\nJan,b@example.com,600123457\n";
            let text = text.replace(',', delimiter).replace('\n', line_end);
            check_anna_and_jan(&text, ["1/2", "2/3"]);
            check_anna_and_jan(text.trim_end(), ["1/2", "2/3"]);
        }
    }
    check_anna_and_jan(
        "sep=^\nImię^E-mail^Telefon\nAnna^a@example.com^600123456\nJan^b@example.com^600123457\n",
        ["1/3", "2/4"],
    );
}

#[test]
fn headers_are_read_through_their_decorations() {
    for header in [
        "\"\u{feff}Imię\",E-mail,Telefon",
        "\u{feff}\u{feff}Imię,\"E-mail\",Telefon",
        " Imię\u{a0}, E-mail ,Telefon:",
        "IMIĘ,e-mail *,\"Telefon\n\"",
        "Imię,E-mail,Telefon,,",
    ] {
        let lines = header.matches('\n').count();
        let places = [format!("1/{}", lines + 2), format!("2/{}", lines + 3)];
        let text = format!("{header}\nAnna,a@example.com,600123456\nJan,b@example.com,600123457\n");
        check_anna_and_jan(&text, [&places[0], &places[1]]);
    }
}

#[test]
fn odd_rows_are_told_by_their_line_and_cost_no_other() {
    check_table(
        "Imię;E-mail;Telefon\nAnna;a@example.com;600123456\n\
         Ewa;e@example.com\n\
         Ola;Nowak;o@example.com;600123459\n\
         \"Ida;i@example.com;600123460\n\
         Jan;b@example.com;600123457\n",
        &[
            &format!("1/2 {ANNA}"),
            "2/3 rejected ragged-row",
            "3/4 rejected ragged-row",
            "4/5 rejected unclosed-quote",
            &format!("5/6 {JAN}"),
        ],
    );
}

#[test]
fn quotes_that_quote_nothing_are_text() {
    check_table(
        "Imię,E-mail,Wiadomość\n„Anna”,a@example.com,“raz\tdwa”\nAn\"na,b@example.com,TV 55\"\n\
         \"Anna\" Maria,c@example.com,'x'\n",
        &[
            "1/2 first-name=„Anna” | email=a@example.com | message=“raz\tdwa”",
            "2/3 first-name=An\"na | email=b@example.com | message=TV 55\"",
            "3/4 first-name=Anna Maria | email=c@example.com | message='x'",
        ],
    );
}

#[test]
fn cells_hold_what_other_dialects_would_cut() {
    check_table(
        "E-mail,Message\na@example.com,\"{\"\"a\"\": [1, 2], \"\"b\"\": \"\"x;y\"\"}\"\n\
         b@example.com,\"raz;\n\ndwa|trzy\"\nc@example.com,\"C:\\\"temp\\\", \\\\x\"\nd@example.com,raz\\, dwa\n",
        &[
            "1/2 email=a@example.com | message={\"a\": [1, 2], \"b\": \"x;y\"}",
            "2/3 email=b@example.com | message=raz;\n\ndwa|trzy",
            "3/6 email=c@example.com | message=C:\\\"temp\\\", \\\\x",
            "4/7 email=d@example.com | message=raz, dwa",
        ],
    );
}

#[test]
fn rows_that_a_spreadsheet_quoted_whole_are_opened() {
    check_anna_and_jan(
        "Imię,E-mail,Telefon\n\"Anna,a@example.com,\"\"600123456\"\"\"\nJan,b@example.com,600123457\n",
        ["1/2", "2/3"],
    );
    check_anna_and_jan(
        "\"Imię,E-mail,Telefon\"\n\"Anna,a@example.com,600123456\"\n\"Jan,b@example.com,600123457\"\n",
        ["1/2", "2/3"],
    );
}

#[test]
fn tables_below_each_other_keep_their_own_columns() {
    check_table(
        "Formularz A\nImię;E-mail;Telefon\nAnna;a@example.com;600123456\n;;\n\nFormularz B;;\n\
         Telefon;Imię;E-mail\n600123457;Jan;b@example.com\nRazem: 2;;\n",
        &[
            &format!("1/3 {ANNA}"),
            "2/4 skipped padding",
            "3/6 first-name=Formularz B",
            "4/7 skipped repeated header",
            "5/8 phone=600123457 | first-name=Jan | email=b@example.com",
            "6/9 skipped totals",
        ],
    );
}

#[test]
fn an_empty_export_joined_to_another_hands_over_to_its_header() {
    check_table(
        "Imię;E-mail;Telefon\n\u{feff}Telefon;Imię;E-mail\n600123457;Jan;b@example.com\n",
        &[
            "1/2 skipped repeated header",
            "2/3 phone=600123457 | first-name=Jan | email=b@example.com",
        ],
    );
}

#[test]
fn whatever_is_too_large_costs_only_itself() {
    let header = "Imię,E-mail,Telefon\n";
    let (anna, jan) = ("Anna,a@example.com,600123456\n", "Jan,b@example.com,600123457\n");
    let long = format!("{},c@example.com,1\n", "x".repeat(8 << 20));
    let quoted = format!("\"{}\",c@example.com,1\n", "x".repeat(8 << 20));
    let cells = "1,".repeat(1_000_000) + "\n";
    let many = "1,".repeat(10_000) + "\n";
    for (row, code) in [
        (&long, "record-too-long"),
        (&quoted, "record-too-long"),
        (&cells, "record-too-long"),
        (&many, "too-many-fields"),
    ] {
        let rejected = format!("2/3 rejected {code}");
        let rows = [format!("1/2 {ANNA}"), rejected, format!("3/4 {JAN}")];
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        check_table(&format!("{header}{anna}{row}{jan}"), &rows);
    }
    let blank = "\n".repeat(300_000);
    check_anna_and_jan(&format!("{header}{anna}{blank}{jan}"), ["1/2", "2/300003"]);
    check(
        &format!("{}\n{anna}", "c,".repeat(300_000)),
        "",
        &["refused OverCap: its first line is longer than 262144 bytes, which no header is"],
    );
}

#[test]
fn a_quote_that_never_closes_costs_only_its_line() {
    let rows = "Jan,b@example.com,600123457\n".repeat(20_000);
    let text = format!("Imię,E-mail,Telefon\n\"Anna,a@example.com,600123456\n{rows}");
    let found = rows_of("x.csv", text.as_bytes(), &Caps::default()).unwrap();
    assert_eq!(found.len(), 20_001);
    assert!(matches!(found[0].as_ref().unwrap().content, RowContent::Rejected(_)));
    // Where there is no header, the first line is a row, too.
    let text = format!("\"Anna,a@example.com,600123456\n{rows}");
    assert_eq!(rows_of("x.csv", text.as_bytes(), &Caps::default()).unwrap().len(), 20_001);
}

#[test]
fn rows_that_quotes_join_are_no_leads() {
    let joined = |at: u32| format!("{at},\"Ewa,e{at}@example.com,600123456\n");
    let text = format!(
        "Lp.,Imię,E-mail,Telefon\n{}5,Jan,b@example.com,600123457\n",
        (1..5).map(joined).collect::<String>()
    );
    check_table(
        &text,
        &[
            "1/2 rejected unclosed-quote",
            "2/3 rejected unclosed-quote",
            "3/4 rejected unclosed-quote",
            "4/5 rejected unclosed-quote",
            &format!("5/6 {JAN}"),
        ],
    );
}

#[test]
fn a_title_is_no_group() {
    for above in ["Zgody RODO, raport;;;\n", "Zgody;;;\n", ";Zgoda;;\n"] {
        check_anna_and_jan(
            &format!(
                "{above}Imię;E-mail;Telefon;Data\nAnna;a@example.com;600123456;\nJan;b@example.com;600123457;\n"
            ),
            ["1/3", "2/4"],
        );
    }
}

#[test]
fn files_of_hardly_anything_get_a_verdict() {
    check_table("E-mail;Telefon\n", &[]);
    check_table("E-mail\na@example.com\n", &["1/2 email=a@example.com"]);
    check_table("a@example.com", &["1/1 email=a@example.com"]);
    check_table("600123456\n600123457\n", &["1/1 phone=600123456", "2/2 phone=600123457"]);
}
