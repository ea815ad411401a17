//! Consents as they stand in cells, and the claims they make.

use super::*;
use crate::model::row::{GENERIC_CONSENT, Role};

pub(super) fn cell(column: &str, text: &str) -> Cell {
    Cell { column: column.into(), role: Role::Consent(GENERIC_CONSENT), text: text.into() }
}

pub(super) fn shown(claims: &[ConsentClaim]) -> String {
    let each = |claim: &ConsentClaim| {
        format!("{} {} {}", claim.purpose, claim.channel.word(), claim.state.word())
    };
    claims.iter().map(each).collect::<Vec<_>>().join(", ")
}

#[track_caller]
pub(super) fn check(column: &str, text: &str, expected: &str) {
    assert_eq!(shown(&guessed(&cell(column, text), "checkbox").0), expected, "{column}: {text}");
}

#[test]
fn words_tell_what_for_and_how() {
    check("Zgoda marketingowa", "tak", "marketing email given");
    check(
        "Zgoda RODO",
        "Wyrażam zgodę na przetwarzanie, w tym kontakt telefoniczny",
        "enquiry-reply phone given",
    );
    check("Zgoda RODO", "tak", "enquiry-reply email given, enquiry-reply phone given");
    check(
        "Zgody",
        "Zgadzam się na informacje handlowe e-mail i SMS",
        "marketing email given, marketing sms given",
    );
    check("Newsletter", "Not Checked", "marketing email refused");
    check("Zgoda", "nie wyrażam zgody na marketing telefoniczny", "marketing phone refused");
    check("Zgoda", "", "");
    check("Zgoda", "-", "");
    check("Zgoda", "być może", "");
    check("Zgoda na marketing e-mail", "tak?", "");
    check("Zgoda na marketing e-mail", "tak/nie", "");
    check("Zgoda na marketing e-mail", "Tak, ale tylko telefonicznie", "");
    check("Zgoda na marketing (e-mail, telefon)", "tylko e-mail", "");
    check("Marketing email consent", "granted until 2025-01-01", "");
    check("Zgoda na marketing e-mail", "zgoda cofnięta 19.11", "marketing email refused");
}

/// Refusals and half consents as people and exporters write them.
const NO_CONSENTS: &[&str] = &[
    "Zgoda: NIE",
    "ZGODA=NIE",
    "zgoda_nie",
    "Zgoda (nie)",
    "zgoda - N",
    "Wyrażam zgodę [nie]",
    "Consent: No",
    "Zgoda na marketing e-mail: brak",
    "Wyrażam zgodę – NIE",
    "Zgoda na newsletter nie",
    "marketing_email: false",
    "I consent to receive marketing emails: declined",
    "Odmowa zgody",
    "Zgoda odmówiona",
    "zgoda nie została wyrażona",
    "zgoda nieaktywna",
    "niewyrażam zgody",
    "Proszę nie dzwonić",
    "Proszę nie wysyłać mi reklam",
    "Proszę o niekontaktowanie się",
    "Proszę o wypisanie z newslettera",
    "Chcę się wypisać z newslettera",
    "Oczywiście, że nie",
    "W żadnym wypadku",
    "żadna z powyższych",
    "Consent refused",
    "Consent not given",
    "I haven't agreed",
    "I can't agree",
    "I never agreed",
    "I object to marketing",
    "I agree not to be contacted",
    "I would not like to receive newsletters",
    "Please remove me from your mailing list",
    "Yes, please remove me",
    "none of the above",
    "Ich möchte keinen Newsletter erhalten",
    "Einwilligung nicht erteilt",
    "Einwilligung verweigert",
    "Ich willige in die Zusendung von Newslettern nicht ein",
    "Bitte nicht anrufen",
    "Ja, nein danke",
    "Wyrażam zgodę na przetwarzanie danych, nie na marketing",
    "[ ] Wyrażam zgodę",
    "[x] regulamin [ ] marketing e-mail",
    "☑ regulamin ☐ marketing e-mail",
    "tak [ ] nie [x]",
    "regulamin, marketing: nie",
    "Nie mam nic przeciwko",
    "Nie wyrażam zgody [x]",
    "Nie wyrażam zgody: tak",
    "Rezygnacja z newslettera: tak",
    "Rezygnacja z newslettera: tak; Wycofanie zgody: tak",
];

/// What was refused, taken back or left open in any words must never stand as given.
#[test]
fn nobody_consents_by_refusing_in_other_words() {
    let never_given = |column: &str, texts: &[&str]| {
        for text in texts {
            let (claims, _) = guessed(&cell(column, text), "checkbox");
            let given = claims.iter().any(|claim| claim.state == ConsentState::Given);
            assert!(!given, "{column}: {text}: {}", shown(&claims));
        }
    };
    never_given("Zgoda na marketing e-mail", NO_CONSENTS);
    check("Zgoda na marketing e-mail", "Zgoda: tak", "marketing email given");
    check(
        "Zgoda na marketing e-mail",
        "Wyrażam zgodę na informacje handlowe. Podanie danych nie jest obowiązkowe, zgodę mogę cofnąć w każdej chwili.",
        "marketing email given",
    );
    for (column, texts) in [
        ("Unsubscribed", &["unsubscribed", "opt-out", "Abgemeldet"][..]),
        ("Rezygnacja z newslettera", &["Rezygnuję", "wypisany", "Chcę zrezygnować", "rezygnacja"]),
        ("Wycofanie zgody", &["wycofana", "Wycofuję zgodę", "Tak, wycofuję", "wycofał 10.11.2026"]),
        ("Sprzeciw wobec marketingu", &["sprzeciw", "wnoszę sprzeciw", "zgłoszony"]),
        ("Nie wyrażam zgody na marketing", &["Nie wyrażam zgody na marketing", "tak"]),
        ("Do not call", &["Do not call", "DNC", "1"]),
    ] {
        for text in texts {
            let (claims, _) = guessed(&cell(column, text), "checkbox");
            let takes_back = |claim: &ConsentClaim| {
                claim.purpose.0.as_ref() == Purpose::MARKETING && claim.state != ConsentState::Given
            };
            assert!(claims.iter().any(takes_back), "{column}: {text}: {}", shown(&claims));
        }
        for text in ["nie", "0", "false", "", "no"] {
            check(column, text, "");
        }
    }
}

#[test]
fn labelled_answers_are_each_their_own() {
    check(
        "Zgody",
        "Zgoda RODO: Tak; Zgoda marketing e-mail: Nie; Zgoda marketing telefon: Nie",
        "enquiry-reply email given, enquiry-reply phone given, marketing email refused, marketing phone refused",
    );
    check(
        "Zgoda na marketing",
        "E-mail: tak, SMS: nie, telefon: nie",
        "marketing email given, marketing sms refused, marketing phone refused",
    );
    check(
        "Zgoda na marketing",
        "{\"email\":true,\"phone\":false}",
        "marketing email given, marketing phone refused",
    );
    check(
        "Zgody",
        "Kontakt telefoniczny: nie wyrażam zgody; kontakt e-mail: wyrażam zgodę",
        "enquiry-reply phone refused, enquiry-reply email given",
    );
}

#[test]
fn several_consents_in_one_cell_are_read_one_by_one() {
    let calls = "Wyrażam zgodę na kontakt telefoniczny";
    let offers = "Wyrażam zgodę na informacje handlowe e-mail";
    let expected = "enquiry-reply phone given, marketing email given";
    for joined in [", ", "\n", "; ", ";\r\n"] {
        check("Zgody", &format!("{calls}{joined}{offers}"), expected);
    }
    check(
        "Zgody",
        "Wyrażam zgodę na marketing e-mail, nie wyrażam zgody na marketing telefoniczny",
        "marketing email given, marketing phone refused",
    );
    check(
        "Zgody",
        "Wyrażam zgodę na marketing e-mail; nie wyrażam zgody na marketing e-mail",
        "marketing email refused",
    );
    check("Zgody marketingowe", "E-mail;SMS;", "marketing email given, marketing sms given");
    check("Zgody marketingowe (e-mail, SMS, telefon)", "SMS", "marketing sms given");
    check(
        "Zgody",
        "Wyrażam zgodę na profilowanie; Wyrażam zgodę na udostępnienie danych partnerom",
        "profiling email given, partner-share email given",
    );
}

#[test]
fn a_consent_over_several_lines_stays_one() {
    check(
        "Zgoda",
        "Nie wyrażam zgody na otrzymywanie informacji\nhandlowych drogą elektroniczną",
        "marketing email refused",
    );
    check(
        "Zgoda",
        "Nie wyrażam zgody na:\ne-mail;\nSMS",
        "enquiry-reply email refused, enquiry-reply sms refused",
    );
    check(
        "Zgoda",
        "Wyrażam zgodę na: a) marketing e-mail; b) marketing telefoniczny",
        "marketing email given, marketing phone given",
    );
    check("Zgoda na marketing e-mail", "tak;nie", "marketing email refused");
}

#[test]
fn a_sentence_that_explains_the_right_to_withdraw_is_a_consent() {
    check(
        "Zgoda",
        "Wyrażam zgodę na otrzymywanie informacji handlowych e-mail. Zgodę mogę wycofać w każdej chwili.",
        "marketing email given",
    );
}

#[test]
fn a_question_that_asks_the_other_way_round_is_answered_the_other_way_round() {
    check("Nie wyrażam zgody na marketing e-mail", "tak", "marketing email refused");
    check("I do not consent to marketing emails", "yes", "marketing email refused");
    check("Zgoda wycofana", "tak", "marketing email withdrawn, marketing phone withdrawn");
    check(
        "Data wycofania zgody",
        "2026-11-20",
        "marketing email withdrawn, marketing phone withdrawn",
    );
    check("Unsubscribed from all email", "true", "marketing email withdrawn");
    check("Unsubscribed from all email", "false", "");
    check("HasOptedOutOfEmail", "true", "marketing email withdrawn");
    check("DoNotCall", "1", "marketing phone withdrawn");
    check("Rezygnacja z newslettera", "tak", "marketing email withdrawn");
}

#[track_caller]
fn check_mapped(affirms: ConsentState, text: &str, expected: &str) {
    let mapping = ConsentMapping {
        policy: None,
        ip_column: None,
        proves_nothing: false,
        purpose: Purpose::new(Purpose::MARKETING),
        channels: vec![Channel::Email],
        wording: None,
        mechanism: "import".to_owned(),
        affirms,
    };
    assert_eq!(shown(&mapped(&cell("c", text), &mapping).0), expected, "{text}");
}

#[test]
fn the_mapping_says_what_yes_means() {
    check_mapped(ConsentState::Given, "1", "marketing email given");
    check_mapped(ConsentState::Given, "no", "marketing email refused");
    check_mapped(ConsentState::Withdrawn, "2025-09-12 13:05:13", "marketing email withdrawn");
    check_mapped(ConsentState::Withdrawn, "0000-00-00 00:00:00", "");
    check_mapped(ConsentState::Withdrawn, "no", "");
    check_mapped(ConsentState::Withdrawn, "", "");
}

#[test]
fn a_mapped_cell_with_several_answers_must_agree() {
    check_mapped(ConsentState::Given, "tak;tak;", "marketing email given");
    check_mapped(ConsentState::Given, "tak;nie", "");
    check_mapped(ConsentState::Given, "E-mail, SMS", "marketing email given");
    check_mapped(ConsentState::Given, "SMS", "");
}

#[test]
fn the_sentence_shown_is_kept_where_the_cell_has_it() {
    let sentence = "Wyrażam zgodę na kontakt";
    assert_eq!(guessed(&cell("Zgoda", sentence), "checkbox").0[0].wording, sentence);
    assert_eq!(
        guessed(&cell("Zgoda na kontakt", "tak"), "checkbox").0[0].wording,
        "Zgoda na kontakt"
    );
}

#[test]
fn short_labels_and_questions_tell_what_for_and_how() {
    for (column, text, expected) in [
        ("mkt email ok?", "tak", "marketing email given"),
        ("mkt tel", "nie", "marketing phone refused"),
        ("marketing sms", "x", "marketing sms given"),
        ("newsletter?", "jasne", "marketing email given"),
        ("Newsletter (tak/nie)", "tak", "marketing email given"),
        ("Czy możemy do Ciebie zadzwonić?", "tak", "enquiry-reply phone given"),
        ("Czy możemy do Ciebie zadzwonić?", "Tak, po 16", "enquiry-reply phone given"),
        ("Czy możemy do Ciebie zadzwonić?", "Nie, wolę e-mail", "enquiry-reply phone refused"),
        ("Czy możemy wysyłać Ci informacje o promocjach?", "TAK!!!", "marketing email given"),
        // One offer answers the enquiry; offers without end are marketing.
        ("Czy możemy wysłać Ci ofertę e-mailem?", "tak", "enquiry-reply email given"),
        (
            "Dürfen wir Ihnen ein Angebot senden?",
            "Ja",
            "enquiry-reply email given, enquiry-reply phone given",
        ),
        ("Dürfen wir Ihnen Angebote per E-Mail senden?", "Ja", "marketing email given"),
        ("Einwilligung Angebot per E-Mail", "Ja", "marketing email given"),
        ("May we call you?", "Sure", "enquiry-reply phone given"),
        ("OK to text", "yes", "enquiry-reply sms given"),
        ("Dürfen wir Sie anrufen?", "Nein danke", "enquiry-reply phone refused"),
        ("Subscription status", "subscribed", "marketing email given"),
        ("Subscription status", "non-subscribed", "marketing email refused"),
        ("Zgoda", "udzielona", "enquiry-reply email given, enquiry-reply phone given"),
    ] {
        check(column, text, expected);
    }
}

#[test]
fn a_question_that_denies_turns_its_answers_round() {
    for column in ["Kein Newsletter", "Nie wysyłać maili", "No marketing emails"] {
        check(column, "x", "marketing email withdrawn");
        check(column, "nie", "");
    }
    check("Do not text", "yes", "marketing sms withdrawn");
    check("Unsubscribed", "subscribed", "");
    // A consent may say that it is not compulsory and how it is taken back.
    check("Zgoda marketingowa (opcjonalna, nie jest wymagana)", "tak", "marketing email given");
    let whole = "Wyrażam zgodę na marketing e-mail. Zgodę mogę w każdej chwili wycofać.";
    check(whole, "1", "marketing email given");
    check(whole, "0", "marketing email refused");
}

#[test]
fn a_column_of_several_consents_lists_those_given() {
    let reply = "enquiry-reply email given, enquiry-reply phone given";
    check("Zgody", "RODO", reply);
    check("Zgody", "RODO, marketing", &format!("{reply}, marketing email given"));
    check("Zgody", "marketing, telefon", "marketing email given, enquiry-reply phone given");
    check("Zgody", "RODO - tak, mkt - nie", &format!("{reply}, marketing email refused"));
    check(
        "Zgoda",
        "Email: yes / Phone: no",
        "enquiry-reply email given, enquiry-reply phone refused",
    );
    check("Zgody (Newsletter i oferty)", "Newsletter i oferty", "marketing email given");
    check("Zgody", "wszystkie", "");
}

/// What a careful reader would ask about is no yes.
#[test]
fn what_neither_agrees_nor_refuses_is_no_answer() {
    for text in [
        "600123456",
        "5",
        "raz w miesiącu",
        "art. 6 ust. 1 lit. f",
        "legitimate interest",
        "Legitimate interest – prospect/lead",
        "Performance of a contract",
        "do potwierdzenia",
        "to be confirmed",
        "oczekuje",
        "raczej tak",
        "nie wiem",
        "Yes, until 2025-12-31",
        "tak, do 31.12.2025",
        "Yes to email, no to phone",
        "T/N",
        "tak -> nie",
        "anna@przyklad.pl",
        "Anna Maria Łęcka",
    ] {
        check("Zgoda na marketing e-mail", text, "");
    }
    for text in ["Unchecked: I agree", "0 - I agree", "👎", "wygasła", "niezaakceptowana"] {
        check("Zgoda na marketing e-mail", text, "marketing email refused");
    }
    check("Zgoda na marketing e-mail", "2026-11-01", "marketing email given");
    check("Zgoda na marketing e-mail", "0000-00-00", "");
    // Seconds and milliseconds since 1970 are a time; nine figures are somebody's number.
    for text in ["1757664000", "1757664000000"] {
        check("Zgoda na marketing e-mail", text, "marketing email given");
    }
    for text in ["757664000", "2757664000", "20250912"] {
        check("Zgoda na marketing e-mail", text, "");
    }
}

/// A consent that no longer holds must not be one by its first word.
#[test]
fn a_consent_that_ran_out_is_none() {
    for text in [
        "consent expired",
        "Consent lapsed",
        "consent invalid",
        "consent missing",
        "consent cancelled",
        "zgoda nieważna",
        "Zgoda nieaktualna",
        "zgoda unieważniona",
        "Einwilligung abgelaufen",
        "Einwilligung ungültig",
        "Einwilligung erloschen",
        "Abmelden",
        "Proszę mnie usunąć z bazy",
    ] {
        check("Zgoda na marketing e-mail", text, "marketing email refused");
    }
    check_mapped(ConsentState::Given, "Zgadzam się, ale tylko na SMS", "");
    check_mapped(ConsentState::Given, "Zgadzam się, ale tylko na e-mail", "");
}

/// Whoever was not asked, or did not say, has refused nothing either.
#[test]
fn what_was_not_stated_is_no_refusal() {
    for text in [
        "Nie podano",
        "nie określono",
        "nieokreślono",
        "brak odpowiedzi",
        "nie udzielono odpowiedzi",
        "n/d",
        "keine Angabe",
        "k.A.",
        "nicht angegeben",
        "unbekannt",
        "Not provided",
        "not specified",
        "not answered",
        "no answer",
        "no response",
    ] {
        check("Zgoda RODO", text, "");
        assert_eq!(guessed(&cell("Zgoda RODO", text), "checkbox").1, None, "{text}");
    }
}

#[test]
fn a_german_verb_may_end_its_sentence() {
    for text in [
        "Ich stimme der Zusendung von Werbung zu",
        "Hiermit stimme ich der Zusendung von Werbung zu.",
        "Ich stimme der Zusendung von Werbung zu und kann dies jederzeit widerrufen.",
        "Anmelden",
    ] {
        check("Newsletter", text, "marketing email given");
    }
    check("Newsletter", "Ich stimme der Zusendung von Werbung nicht zu", "marketing email refused");
}

#[test]
fn a_text_that_was_shown_is_told_from_the_name_of_a_question() {
    for (wording, expected) in [
        ("Wyrażam zgodę na marketing e-mail", true),
        ("Zgadzam się na informacje handlowe", true),
        ("I agree to receive offers", true),
        ("Zgoda: wyrażam zgodę na kontakt handlowy drogą elektroniczną", true),
        ("Zgoda na kontakt telefoniczny", false),
        ("Zgoda na marketing e-mail", false),
        ("marketing_consent", false),
        ("Newsletter", false),
    ] {
        assert_eq!(shown_text(wording), expected, "{wording}");
    }
}
