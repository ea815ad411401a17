//! Addresses as people type and copy them.

use super::*;
use crate::rules::tables::shipped;
use proptest::prelude::*;

#[track_caller]
fn check(raw: &str, expected: Option<&str>, codes: &[&str]) {
    match parse(raw, shipped()) {
        Ok(email) => {
            assert_eq!(Some(email.address.as_str()), expected, "{raw:?}");
            let found: Vec<&str> = email.remarks.iter().map(|remark| remark.code).collect();
            assert_eq!(found, codes, "{raw:?}");
        }
        Err(fault) => assert_eq!(None, expected, "{raw:?}: {fault:?}"),
    }
}

#[track_caller]
fn check_blank(raw: &str) {
    assert_eq!(parse(raw, shipped()), Err(EmailFault::Blank), "{raw:?}");
}

#[test]
fn wrapping_is_taken_off_in_silence() {
    check("Anna.Lecka@Example.COM", Some("Anna.Lecka@example.com"), &[]);
    check(" anna@example.com ", Some("anna@example.com"), &[]);
    check("anna@example.com\u{200b}", Some("anna@example.com"), &[]);
    check("\u{a0}anna@example.com\u{202c}", Some("anna@example.com"), &[]);
    check("<anna@example.com>", Some("anna@example.com"), &[]);
    check("Anna Łęcka <anna@example.com>", Some("anna@example.com"), &[]);
    check("mailto:anna@example.com", Some("anna@example.com"), &[]);
    check("MAILTO:anna@example.com?subject=x", Some("anna@example.com"), &[]);
    check("anna@example.com.", Some("anna@example.com"), &[]);
    check("anna@wp.pl.", Some("anna@wp.pl"), &[]);
    check("anna@example.com;", Some("anna@example.com"), &[]);
    check("ａnna@example.com", Some("anna@example.com"), &[]);
    check("Anna anna@example.com", Some("anna@example.com"), &[]);
    check("e-mail: anna@example.com", Some("anna@example.com"), &[]);
    check("anna@example.com!", Some("anna@example.com"), &[]);
    check("anna@example.com…", Some("anna@example.com"), &[]);
    check("600123456 anna@example.com", Some("anna@example.com"), &[]);
    check("brak, anna@example.com", Some("anna@example.com"), &[]);
    for raw in [
        "„anna@example.com”",
        "`anna@example.com`",
        "mail:anna@example.com",
        "E:anna@example.com",
        "mailto://anna@example.com",
        "%20anna@example.com",
        "anna@example.com/",
        "anna@example.com<br>",
        "<b>anna@example.com</b>",
        "<a href=\"mailto:anna@example.com\">anna@example.com</a>",
        "anna﹫example.com",
    ] {
        check(raw, Some("anna@example.com"), &[]);
    }
    check("o'connor/anna@example.com", Some("o'connor/anna@example.com"), &[]);
    // Form fields for a site have the scheme in them already.
    check("http://anna@example.com", Some("anna@example.com"), &[]);
    check("anna&amp;jan@example.com", Some("anna&jan@example.com"), &[]);
    check("O&#039;Neil@example.com", Some("O'Neil@example.com"), &[]);
}

#[test]
fn of_two_addresses_the_first_valid_one_is_taken() {
    check("anna@example.com;jan@example.com", Some("anna@example.com"), &["email-second"]);
    check("anna@example.com, jan@example.com", Some("anna@example.com"), &["email-second"]);
    check("anna@localhost / jan@example.com", Some("jan@example.com"), &[]);
    check("anna@example.com lub jan@example.com", Some("anna@example.com"), &["email-second"]);
    check("anna@example.com ANNA@example.com", Some("anna@example.com"), &[]);
    let others = |raw| parse(raw, shipped()).unwrap().others;
    assert_eq!(others("anna@example.com;jan@example.com"), ["jan@example.com"]);
    assert_eq!(
        others("Anna <anna@example.com>, Jan <jan@example.com>, <a@example.com>"),
        ["jan@example.com", "a@example.com"]
    );
    assert_eq!(others("a.b@gmail.com, ab+x@gmail.com").len(), 0);
}

#[test]
fn what_is_certain_is_repaired() {
    check("anna[at]example.com", Some("anna@example.com"), &["email-repaired"]);
    check("anna(at)example.com", Some("anna@example.com"), &["email-repaired"]);
    check("anna at example.com", Some("anna@example.com"), &["email-repaired"]);
    check("anna@example,com", Some("anna@example.com"), &["email-repaired"]);
    check("anna @example.com", Some("anna@example.com"), &["email-repaired"]);
    for raw in [
        "anna @ example.com",
        "anna@example. com",
        "anna[at]example[dot]com",
        "anna (małpa) example (kropka) com",
        "anna AT example DOT com",
        "anna@example[dot]com",
        "anna&#64;example.com",
        "anna%40example.com",
        "anna(@)example.com",
        "anna ät example.com",
        "anna [ät] example [punkt] com",
    ] {
        check(raw, Some("anna@example.com"), &["email-repaired"]);
    }
}

#[test]
fn what_cannot_be_delivered_is_refused() {
    for raw in [
        "anna@example..com",
        "anna@@example.com",
        "anna.@example.com",
        "anna@localhost",
        "anna@[192.0.2.1]",
        "anna kowalska@example.com",
        "anna,kowalska@example.com",
        "Anna,Kowalska@example.com",
        "j. kowalska@example.com",
        "J. kowalska@example.com",
        "anna . kowalska@example.com",
        "anna(x)kowalska@example.com",
        "\"anna\"kowalska@example.com",
        "anna(kowalska)example.com",
        "anna@example.com-",
        "@",
        "anna@",
        "@example.com",
        "annaexample.com",
        "anna@firma.c",
        "a@a.a",
        "anna@-example-.com",
    ] {
        check(raw, None, &[]);
    }
}

#[test]
fn what_was_meant_is_said_where_a_dot_is_missing() {
    for (raw, meant) in [("a@gmail", "gmail.com"), ("a@gmailcom", "gmail.com"), ("a@wp", "wp.pl")] {
        let Err(EmailFault::Invalid(why)) = parse(raw, shipped()) else { panic!("{raw}") };
        assert!(why.ends_with(&format!("{meant} was probably meant")), "{raw}: {why}");
    }
    for raw in ["brak@gmail.com", "niemam@wp.pl", "123@123.pl"] {
        let made_up = EmailFault::Invalid("it is a made-up address".to_owned());
        assert_eq!(parse(raw, shipped()), Err(made_up), "{raw}");
    }
    check("pzu@pzu.pl", Some("pzu@pzu.pl"), &[]);
}

#[test]
fn no_answer_is_blank_not_invalid() {
    for raw in ["brak", "-", "anonymous", "n/a", "Nie podam!", "", " ", "\"\""] {
        check_blank(raw);
    }
}

#[test]
fn a_typo_is_suggested_and_never_corrected() {
    check("anna@gmial.com", Some("anna@gmial.com"), &["email-typo-suspected"]);
    check("anna@gmail.con", Some("anna@gmail.con"), &["email-typo-suspected"]);
    check("anna@gamil.pl", Some("anna@gamil.pl"), &["email-typo-suspected"]);
    for (raw, meant) in [
        ("anna@gmail.co", "anna@gmail.com"),
        ("anna@gmai.com", "anna@gmail.com"),
        ("anna@wp.lp", "anna@wp.pl"),
        ("anna@wp.p", "anna@wp.pl"),
        ("anna@02.pl", "anna@o2.pl"),
        ("anna@onte.pl", "anna@onet.pl"),
        ("anna@iteria.pl", "anna@interia.pl"),
        ("anna@przyklad.con", "anna@przyklad.com"),
        ("anna@przyklad.pll", "anna@przyklad.pl"),
        ("anna@hotmial.com", "anna@hotmail.com"),
    ] {
        let email = parse(raw, shipped()).unwrap();
        assert_eq!((&*email.address, email.suggestion.as_deref()), (raw, Some(meant)));
    }
    for right in [
        "anna@ymail.com",
        "anna@email.com",
        "anna@mail.com",
        "anna@outlook.pl",
        "a@hotmail.fr",
        "kontakt@email.pl",
        "a@inet.pl",
        "a@op.pl",
        "a@vp.pl",
        "a@example.co",
        "a@przyklad.cm",
    ] {
        check(right, Some(right), &[]);
    }
}

#[test]
fn other_alphabets_are_kept() {
    check("anna@żółw.pl", Some("anna@xn--w-uga1v8h.pl"), &[]);
    check("anna@xn--w-uga1v8h.pl", Some("anna@xn--w-uga1v8h.pl"), &[]);
    check("żółw@example.com", Some("żółw@example.com"), &["email-international"]);
    check("\"anna b\"@example.com", Some("\"anna b\"@example.com"), &[]);
}

#[track_caller]
fn check_mailbox(address: &str, expected: &str) {
    let mailbox = classify(address, |domain| Domain::of(domain, shipped()), shipped());
    let mut words = vec![mailbox.domain.clone()];
    for (is, word) in [
        (mailbox.is_free, "free"),
        (mailbox.is_role, "role"),
        (mailbox.is_disposable, "disposable"),
        (mailbox.is_relay, "relay"),
    ] {
        if is {
            words.push(word.to_owned());
        }
    }
    assert_eq!(words.join(" "), expected, "{address}");
}

#[test]
fn mailboxes_are_classified() {
    check_mailbox("anna@wp.pl", "wp.pl free");
    check_mailbox("anna@poczta.onet.pl", "onet.pl free");
    check_mailbox("biuro2@firma.com.pl", "firma.com.pl role");
    check_mailbox("info+x@mail.example.com", "example.com role");
    check_mailbox("anna@yopmail.com", "yopmail.com disposable");
    check_mailbox("anna@x.yopmail.com", "yopmail.com disposable");
    check_mailbox("anna@duck.com", "duck.com relay");
    check_mailbox("anna@example.com", "example.com");
    check_mailbox("biuro.krakow@example.com", "example.com role");
    check_mailbox("dzial-sprzedazy@example.com", "example.com role");
    check_mailbox("faktury@example.com", "example.com role");
    check_mailbox("anna.kontakt@example.com", "example.com");
    check_mailbox("a.biuro@example.com", "example.com");
    check_mailbox("it.lover@example.com", "example.com");
}

proptest! {
    #[test]
    fn any_text_is_judged_without_a_panic(raw in "\\PC{0,40}", tail in "[@<>.,; a-ż\"()]{0,20}") {
        for text in [raw.clone(), format!("{raw}@{tail}"), format!("{tail}{raw}")] {
            if let Ok(email) = parse(&text, shipped()) {
                prop_assert_eq!(parse(&email.address, shipped()).map(|again| again.address), Ok(email.address.clone()));
                classify(&email.address, |domain| Domain::of(domain, shipped()), shipped());
            }
        }
    }
}

/// Nothing that stands in a cell to lead mail astray makes an address of its own.
#[test]
fn no_mailbox_is_made_of_what_stands_around_one() {
    check("anna@example.com%0aBcc:jan@example.org", None, &[]);
    check("https://example.com/anna@example.org", None, &[]);
    check("https://medium.com/@anna", None, &[]);
    check(&format!("{}anna@example.com", "Słowo ".repeat(200)), None, &[]);
    check("https://anna:jan@example.org", None, &[]);
}
