//! Rows that are intact but no leads: tests, bots and forms that were never sent.

use std::sync::LazyLock;

use memchr::memchr;
use memchr::memmem::Finder;

use super::answer::{self, Answer};
use super::gibberish;
use super::text::tidy;
use crate::model::field;
use crate::model::moment::Moment;
use crate::model::outcome::{Hold, HoldReason};
use crate::model::row::{Cell, Role};
use crate::rules::field::fold_header;
use crate::rules::tables::Tables;

/// States of a form that was never sent, folded.
const PARTIAL: &[&str] = &[
    "partial",
    "partially completed",
    "started",
    "abandoned",
    "incomplete",
    "in progress",
    "draft",
    "unfinished",
    "not completed",
    "saved",
    "czesciowy",
    "czesciowe",
    "niekompletny",
    "niekompletne",
    "porzucony",
    "porzucone",
    "rozpoczeto",
    "rozpoczete",
    "w trakcie",
    "szkic",
    "unvollstandig",
    "abgebrochen",
    "begonnen",
    "entwurf",
];
/// States that a form plugin gives to what it takes for spam, folded.
const SPAM: &[&str] = &["spam", "junk", "trash", "kosz", "papierkorb"];

static LEAD: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("lead:"));
static SHOUTED_LEAD: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("LEAD:"));
static DUMMY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("dummy data"));

/// Returns why the row with `cells` is withheld whatever its values, if it is.
pub fn hold(cells: &[Cell], tables: &Tables) -> Option<Hold> {
    let mut partial = None;
    for cell in cells {
        match cell.role {
            Role::Completion => {
                if let Some(found) = completion(cell) {
                    if found.reason == HoldReason::Spam {
                        return Some(found);
                    }
                    partial = Some(found);
                }
            }
            Role::Honeypot if is_filled(&cell.text) => {
                let message =
                    "a field that people cannot see was filled in, so a bot sent the form";
                return Some(because(HoldReason::Spam, cell, message.to_owned()));
            }
            Role::TestMarker if answer::parse(&cell.text) == Answer::Yes => {
                return Some(because(
                    HoldReason::Test,
                    cell,
                    "the vendor marked it as a test".to_owned(),
                ));
            }
            _ => {}
        }
        if let Some(message) = marks(cell, tables) {
            return Some(because(HoldReason::Spam, cell, message.to_owned()));
        }
        if is_dummy(&cell.text, tables) {
            let message = "the value is a vendor's dummy text for trying the form".to_owned();
            return Some(because(HoldReason::Test, cell, message));
        }
    }
    partial
}

/// Returns why a row with these contacts is a test: a vendor's address, an address that people try forms with, or
/// a test name with no contact that could be a person's.
///
/// Whoever gives such an address beside a number that can be dialled, and no test name, only kept the address back:
/// see [`is_address_kept_back`].
pub fn hold_test_contact<'a>(
    email: Option<(&str, &'a Cell)>,
    has_phone: bool,
    name: Option<&'a Cell>,
    tables: &Tables,
) -> Option<Hold> {
    if let Some((address, cell)) = email {
        let lower = address.to_lowercase();
        let is_held =
            tables.is_test_email(&lower) && !is_address_kept_back(address, has_phone, name, tables);
        if is_held || tables.is_vendor_test_email(&lower) {
            let message = "the address is one that people and vendors try forms with".to_owned();
            return Some(because(HoldReason::Test, cell, message));
        }
        if tables.is_test_email(&lower) {
            return None;
        }
    }
    let name = name?;
    let is_typed_at_random = gibberish::is_gibberish(&tidy(&name.text));
    if !is_odd_name(&name.text, tables) {
        return None;
    }
    let mailbox = email.and_then(|(address, _)| address.split('@').next());
    let is_test_mailbox = mailbox.map(|local| {
        let folded = fold_header(local);
        let word = folded.trim_end_matches(|c: char| c.is_ascii_digit());
        tables.is_test_name(word) || gibberish::is_gibberish(word)
    });
    if is_test_mailbox.unwrap_or(!has_phone) {
        if is_typed_at_random {
            let message = "the name is a run along the keyboard or random letters, and the contact \
                           data is no person's";
            return Some(because(HoldReason::Spam, name, message.to_owned()));
        }
        let message =
            "the name is one that people try forms with, and the contact data is no person's";
        return Some(because(HoldReason::Test, name, message.to_owned()));
    }
    None
}

/// Returns whether the name in `text` is nobody's: typed at random, or one that people try forms with.
pub fn is_odd_name(text: &str, tables: &Tables) -> bool {
    gibberish::is_gibberish(&tidy(text)) || tables.is_test_name(&fold_header(text))
}

/// Returns whether somebody with a number of their own typed the test `address` to get past the form.
pub fn is_address_kept_back(
    address: &str,
    has_phone: bool,
    name: Option<&Cell>,
    tables: &Tables,
) -> bool {
    has_phone
        && tables.is_test_email(&address.to_lowercase())
        && !name.is_some_and(|cell| is_odd_name(&cell.text, tables))
}

/// Returns why a form that was opened at `started` and sent at `submitted` was not filled in by a person.
///
/// Times to the minute prove nothing, and neither does a clock that ran backwards.
pub fn hold_too_fast(
    started: Option<(Moment, &Cell)>,
    submitted: Option<Moment>,
    tables: &Tables,
) -> Option<Hold> {
    let ((started, cell), submitted) = started.zip(submitted)?;
    let took_ms = submitted.epoch_ms - started.epoch_ms;
    let to_the_minute = [started, submitted].iter().all(|moment| moment.epoch_ms % 60_000 == 0);
    let limit_ms = i64::from(tables.spam().fill_seconds_min) * 1_000;
    if to_the_minute || !has_seconds(&cell.text) || !(0..limit_ms).contains(&took_ms) {
        return None;
    }
    let message = format!(
        "the form was sent {} s after it was opened, faster than a person can",
        took_ms / 1_000
    );
    Some(because(HoldReason::Spam, cell, message))
}

/// Returns whether `text` gives a time to the second: `15:05:13`, or an epoch.
fn has_seconds(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_epoch = digits >= 10 && digits == text.trim().len();
    is_epoch || text.matches(':').count() >= 2 && !text.contains("::")
}

/// Returns what in a cell betrays that no person typed it.
fn marks(cell: &Cell, tables: &Tables) -> Option<&'static str> {
    let is_name = matches!(
        cell.role,
        Role::FullName | Role::Field(field::FIRST_NAME | field::LAST_NAME | field::COMPANY)
    );
    let is_text = matches!(cell.role, Role::Answer | Role::Field(field::MESSAGE));
    // Marks are rare: two byte tests spare the lower-casing of every cell.
    if !(is_name && cell.text.contains(['/', '.', '<', '[']))
        && !((is_name || is_text) && cell.text.contains(['[', '<']))
    {
        return None;
    }
    let lower = cell.text.to_lowercase();
    let has_any = |marks: &[String]| marks.iter().any(|mark| lower.contains(mark.as_str()));
    let is_person = cell.role != Role::Field(field::COMPANY);
    if is_name && is_person && has_any(&tables.spam().in_names) {
        return Some("a link stands where a name belongs, which bots do to be clicked on");
    }
    has_any(&tables.spam().in_texts)
        .then_some("it holds a link in the markup of forums, which people do not type into forms")
}

fn completion(cell: &Cell) -> Option<Hold> {
    let words = fold_header(&cell.text);
    if SPAM.contains(&words.as_str()) {
        return Some(because(
            HoldReason::Spam,
            cell,
            "the form plugin took it for spam".to_owned(),
        ));
    }
    let is_false = matches!(words.as_str(), "false" | "0" | "no" | "nie" | "nein");
    (is_false || PARTIAL.contains(&words.as_str())).then(|| {
        because(HoldReason::Partial, cell, "the form was left before it was sent".to_owned())
    })
}

/// Returns whether a hidden field holds more than an empty default.
fn is_filled(text: &str) -> bool {
    let text = tidy(text);
    !matches!(
        &*text.to_ascii_lowercase(),
        "" | "null"
            | "false"
            | "0"
            | "off"
            | "\"\""
            | "undefined"
            | "-"
            | "--"
            | "n/a"
            | "no"
            | "n"
            | "nie"
            | "brak"
            | "none"
    )
}

/// Returns whether `text`, perhaps behind the `p:` of a phone cell, opens like a vendor's dummy value.
fn is_dummy(text: &str, tables: &Tables) -> bool {
    // Dummy values are rare: byte tests spare the lower-casing of every cell.
    let first = text.as_bytes().first().map_or(0, u8::to_ascii_lowercase);
    if first.is_ascii_alphanumeric() && first != b'p' && !tables.may_open_test_text(first) {
        return false;
    }
    let may_be_marked = memchr(b':', text.as_bytes()).is_some()
        && [&LEAD, &SHOUTED_LEAD].iter().any(|mark| mark.find(text.as_bytes()).is_some());
    if !may_be_marked && DUMMY.find(text.as_bytes()).is_none() {
        return false;
    }
    let lower = tidy(text).to_lowercase();
    tables.is_test_text(lower.strip_prefix("p:").unwrap_or(&lower).trim())
}

fn because(reason: HoldReason, cell: &Cell, message: String) -> Hold {
    Hold { reason, column: cell.column.to_string(), value: cell.text.clone(), message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::moment::Certainty;
    use crate::rules::tables::shipped;

    fn cell(role: Role, text: &str) -> Cell {
        Cell { column: "c".into(), role, text: text.into() }
    }

    #[track_caller]
    fn check(role: Role, text: &str, expected: Option<HoldReason>) {
        let found = hold(&[cell(role, text)], shipped()).map(|hold| hold.reason);
        assert_eq!(found, expected, "{role:?} {text:?}");
    }

    #[test]
    fn tests_bots_and_unfinished_forms_are_held() {
        check(Role::Honeypot, "http://x", Some(HoldReason::Spam));
        check(Role::Honeypot, " ", None);
        check(Role::TestMarker, "true", Some(HoldReason::Test));
        check(Role::TestMarker, "No", None);
        check(Role::Answer, "<test lead: dummy data for city>", Some(HoldReason::Test));
        check(
            Role::Field(field::PHONE),
            "p:<test lead: dummy data for phone_number>",
            Some(HoldReason::Test),
        );
        check(Role::Completion, "partial", Some(HoldReason::Partial));
        check(Role::Completion, "Abandoned", Some(HoldReason::Partial));
        check(Role::Completion, "Spam", Some(HoldReason::Spam));
        check(Role::Completion, "completed", None);
        check(Role::Answer, "my last testimony", None);
        let name = Role::Field(field::FIRST_NAME);
        check(name, "Win $500 https://x.example/abc", Some(HoldReason::Spam));
        check(Role::FullName, "🎁 BIT.LY/3xYz", Some(HoldReason::Spam));
        check(Role::FullName, "anna@example.com", None);
        check(Role::FullName, "J. R. R. Kowalski", None);
        check(Role::Answer, "Buy [url=https://x.example]here[/url]", Some(HoldReason::Spam));
        check(Role::Answer, "see https://example.com/cennik", None);
        check(Role::Field(field::COMPANY), "www.przyklad.pl", None);
    }

    #[track_caller]
    fn check_speed(text: &str, opened_ms: i64, sent_ms: i64, expected: bool) {
        let started = cell(Role::StartedAt, text);
        let at = |epoch_ms| Moment { epoch_ms, offset_minutes: 0, certainty: Certainty::Exact };
        let found = hold_too_fast(Some((at(opened_ms), &started)), Some(at(sent_ms)), shipped());
        assert_eq!(found.is_some(), expected, "{text} {opened_ms} {sent_ms}");
    }

    #[test]
    fn nobody_fills_in_a_form_in_a_second() {
        let text = "2025-09-12 13:05:13";
        check_speed(text, 1_000, 1_000, true);
        check_speed(text, 1_000, 2_999, true);
        check_speed(text, 1_000, 3_000, false);
        check_speed(text, 3_000, 1_000, false);
        check_speed(text, 60_000, 60_000, false);
        check_speed("12.09.2025 15:05", 61_000, 61_000, false);
        check_speed("45912,54", 61_000, 61_000, false);
        check_speed("1757682313", 61_000, 62_000, true);
    }

    #[track_caller]
    fn check_contact(name: &str, email: Option<&str>, has_phone: bool, expected: bool) {
        let name_cell = cell(Role::FullName, name);
        let email_cell = cell(Role::Field(field::EMAIL), email.unwrap_or_default());
        let found = hold_test_contact(
            email.map(|address| (address, &email_cell)),
            has_phone,
            Some(&name_cell),
            shipped(),
        );
        assert_eq!(found.is_some(), expected, "{name} {email:?} {has_phone}");
    }

    #[test]
    fn a_test_name_alone_is_not_enough() {
        check_contact("Anna Łęcka", Some("test@fb.com"), true, true);
        check_contact("Anna Łęcka", Some("test@test.pl"), true, false);
        check_contact("Anna Łęcka", Some("test@test.pl"), false, true);
        check_contact("Test Testowy", Some("test@test.pl"), true, true);
        check_contact("asdfgh", Some("asd@asd.pl"), true, true);
        check_contact("test", None, false, true);
        check_contact("Testowy", Some("test2@przyklad.pl"), true, true);
        check_contact("Test", Some("anna@przyklad.pl"), false, false);
        check_contact("test", None, true, false);
        check_contact("Testimony Adams", None, false, false);
        check_contact("asdfgh", Some("asdasd1@przyklad.pl"), true, true);
        check_contact("asdfgh", Some("anna@przyklad.pl"), true, false);
        check_contact("asdfgh", None, true, false);
        check_contact("tRjMSfbSdLpcxCP", None, false, true);
        check_contact("Łukasz Szczpk", None, false, false);
    }
}
