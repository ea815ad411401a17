//! Rows made of few names, addresses and numbers, so that they meet in every way.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Which name, address, number and hour a row has.
pub type Row = (u8, u8, u8, u8);

/// Draws a row.
pub fn row() -> impl Strategy<Value = Row> {
    (0..5_u8, 0..6_u8, 0..5_u8, 0..40_u8)
}

/// Writes the row of that number under [`super::workspace::HEADER`].
pub fn row_text(number: usize, (name, email, phone, hour): Row) -> String {
    let name = ["", "Anna Nowak", "Jan Kowalski", "Ewa Lis", "Ania Nowak"][name as usize];
    let email = [
        "",
        "a@example.com",
        "b@example.com",
        "info@example.com",
        "c@example.org",
        "d@example.org",
    ][email as usize];
    let phone =
        ["", "+48600000101", "+48600000102", "+48221234567", "+48600000104"][phone as usize];
    let consent = ["yes", "no", ""][number % 3];
    let at = format!("2026-11-{:02}T{:02}:00:00Z", 15 + hour / 20, 2 + hour % 20);
    format!("r{number},{at},{name},{email},{phone},,PL,Prosze o wycene,{consent}")
}

/// Writes `rows`, numbered.
pub fn texts(rows: Vec<Row>) -> Vec<String> {
    rows.into_iter().enumerate().map(|(number, row)| row_text(number, row)).collect()
}

/// Which name, address, number, company and hour a row of people who are nearly alike has.
pub type AlikeRow = (u8, u8, u8, u8, u8);

/// Draws a row of people who are nearly alike, by name, by company, by the name of the mailbox; each has left an
/// address or a number.
pub fn alike_row() -> impl Strategy<Value = AlikeRow> {
    (0..7_u8, 0..8_u8, 0..5_u8, 0..4_u8, 0..40_u8)
        .prop_filter("a contact", |(_, email, phone, ..)| *email > 0 || *phone > 0)
}

/// Writes the row of that number under [`super::workspace::HEADER`].
pub fn alike_text(number: usize, (name, email, phone, company, hour): AlikeRow) -> String {
    let name = [
        "",
        "Zofia Wrzos",
        "Zosia Wrzos",
        "Wrzos Zofia",
        "Adam Wrzos",
        "Zofia Pliszka",
        "Olgierd Pliszka",
    ][name as usize];
    let email = [
        "",
        "zofia.wrzos@nova.pl",
        "zofiawrzos@wp.pl",
        "zw@nova.pl",
        "pliszka@nova.pl",
        "olgierd.pliszka@gmail.com",
        "biuro@nova.pl",
        "wrzos@gmail.com",
    ][email as usize];
    let phone =
        ["", "+48512783148", "+48512783259", "+48221234567", "+48605318274"][phone as usize];
    let company =
        ["", "Nova Systemy", "Nova Systemy sp. z o.o.", "Beta Logistyka"][company as usize];
    let consent = ["yes", "no", ""][number % 3];
    let at = format!("2026-11-{:02}T{:02}:00:00Z", 15 + hour / 20, 2 + hour % 20);
    format!("p{number},{at},{name},{email},{phone},{company},PL,Prosze o wycene,{consent}")
}

/// Makes a runner that draws the same `cases` each time, or as many as `LEADMILL_CASES` says.
pub fn runner(cases: u32) -> TestRunner {
    let cases = std::env::var("LEADMILL_CASES").map_or(cases, |text| text.parse().unwrap());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}
