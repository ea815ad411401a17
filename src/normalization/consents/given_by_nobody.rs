//! What a hostile reader of real exports found to be taken for a consent that nobody gave, and its siblings.

use super::tests::{cell, check, shown};
use super::*;

const MARKETING_QUESTION: &str =
    "Wyrażam zgodę na otrzymywanie informacji handlowych drogą elektroniczną na podany adres";

/// Returns whether anything of what `text` says below `column` is a yes to `purpose`, or to anything.
fn is_given(column: &str, text: &str, purpose: Option<&str>) -> bool {
    guessed(&cell(column, text), "checkbox").0.iter().any(|claim| {
        claim.state == ConsentState::Given
            && purpose.is_none_or(|purpose| &*claim.purpose.0 == purpose)
    })
}

/// Cells that speak of a consent without giving it.
const ABOUT_A_CONSENT: &[&str] = &[
    "Zgody brak",
    "zgoda zablokowana",
    "zgoda wstrzymana",
    "zgoda przeterminowana",
    "brak akceptacji",
    "do akceptacji",
    "consent requested",
    "Einwilligung fehlt",
    "Wyrażam zgodę|0",
    "false|I agree",
    "ich möchte mich abmelden",
    "czeka na potwierdzenie",
    "akceptacja w toku",
    "czekamy na zgodę",
    "zgód brak",
    "zgoda 0",
    "Wyrażam zgodę,0",
    "zgoda zawieszona",
    "zgoda do uzupełnienia",
    "wysłano prośbę o zgodę",
    "consent required",
    "consent unknown",
    "opt-in sent",
    "too young to consent",
    "proszę o zaprzestanie",
    "ich möchte abbestellen",
    "ja, aber nur bis Ende des Jahres",
    // Siblings of these.
    "0,1",
    "5;1",
    "ul. Długa 5, 1",
    "Opcja: 1",
    "Pakiet (1)",
    "wariant_1",
    "Budynek - T",
    "zgoda, nie",
    "Chcę przestać otrzymywać newsletter",
    "opted in 2019, bounced 2023",
    "opted in by mistake",
    "consent given to another company",
    "tak dawniej",
    "Ich möchte den Newsletter kündigen",
    "I would like to receive no more news",
    "Akceptuję brak zgody",
    "Potwierdzam wycofanie zgody",
    "zgoda na marketing wstrzymana",
    "zgoda w trakcie uzupełniania",
    "zgoda ustna?",
    "zadzwonić po zgodę",
    "poproszono o zgodę na newsletter",
    "prośba o akceptację wysłana",
    "potwierdzenie wysłane",
    "niepotwierdzona zgoda",
    "zgoda domniemana",
    "zgoda rodzica potrzebna",
    "akceptacja prezesa",
    "Wyrażam zgodę;0",
    "Wyrażam zgodę\tfalse",
    "nie|Wyrażam zgodę",
    "0;Wyrażam zgodę",
    "☑ Nie wyrażam zgody",
    "✓ zgoda wstrzymana",
    "Wyrażam zgodę na",
    "Wyrażam zgodę, jeśli dostanę rabat",
    "Wyrażę zgodę później",
    "Zgodzę się po rozmowie",
    "Chcę otrzymywać mniej maili, proszę o wykreślenie z newslettera",
    "Proszę o wykreślenie z newslettera",
    "Tak, ale dopiero po podpisaniu umowy z działem prawnym",
    "tak, może po świętach",
    "consent form sent",
    "consent pending approval",
    "needs consent",
    "ask for consent",
    "no consent form on file",
    "implied consent",
    "consent on hold",
    "awaiting opt-in confirmation",
    "opt-in expired",
    "subscription paused",
    "I will agree later",
    "I may agree",
    "I would agree if you call first",
    "Do you agree",
    "I agree if it is free",
    "I understand",
    "I agree to the",
    "I want to get off your list",
    "yes, however not by e-mail and not by phone either",
    "Einwilligung angefragt",
    "Einwilligung steht aus",
    "Einwilligung ausgesetzt",
    "Einwilligung erforderlich",
    "Zustimmung offen",
    "Ich möchte den Newsletter abbestellen",
    "Bitte Newsletter kündigen",
    "Ich stimme der Zusendung von Werbung",
    "Ich willige ein, sofern es kostenlos ist",
];

#[test]
fn a_text_about_a_consent_gives_none() {
    for text in ABOUT_A_CONSENT {
        for column in ["Zgoda na marketing e-mail", "Zgoda RODO", "Consent", "Newsletter", "Zgody"]
        {
            let (claims, _) = guessed(&cell(column, text), "checkbox");
            assert!(!is_given(column, text, None), "{column}: {text}: {}", shown(&claims));
        }
        let mapping = ConsentMapping {
            policy: None,
            ip_column: None,
            proves_nothing: false,
            purpose: Purpose::new(Purpose::MARKETING),
            channels: vec![Channel::Email],
            wording: None,
            mechanism: "checkbox".to_owned(),
            affirms: ConsentState::Given,
        };
        let (claims, _) = mapped(&cell("c", text), &mapping);
        assert!(!claims.iter().any(|claim| claim.state.is_grant()), "{text}: {}", shown(&claims));
    }
}

#[test]
fn an_enquiry_below_a_question_about_marketing_is_none_to_it() {
    for text in [
        "Proszę o kontakt",
        "Proszę o ofertę",
        "Chętnie porozmawiam",
        "Pozwalam sobie zapytać o cenę",
        "Przyjmuję leki",
        "Send me the invoice up front",
        "I have read your mail",
    ] {
        assert!(!is_given("Zgoda marketingowa", text, Some(Purpose::MARKETING)), "{text}");
    }
    check("Newsletter", "Chętnie", "marketing email given");
}

#[test]
fn what_is_unclear_is_said() {
    for text in ["zgoda wstrzymana", "consent requested", "Einwilligung angefragt", "do akceptacji"]
    {
        let (_, remark) = guessed(&cell("Zgoda na marketing e-mail", text), "checkbox");
        assert_eq!(remark.map(|remark| remark.code), Some("consent-unclear"), "{text}");
    }
}

/// Cells by which people did agree.
#[test]
fn who_agrees_in_so_many_words_is_believed() {
    for text in [
        "tak",
        "Tak, wyrażam zgodę",
        "TAK - wyrażam zgodę na kontakt",
        "Wyrażam zgodę",
        "Wyrażam dobrowolnie zgodę na otrzymywanie newslettera",
        "Zgadzam się na otrzymywanie informacji handlowych.",
        "Zgoda wyrażona telefonicznie 12.09.2025",
        "Zgoda została udzielona",
        "Chcę otrzymywać newsletter",
        "Chciałabym otrzymywać informacje o promocjach",
        "Proszę o kontakt telefoniczny",
        "Zapisuję się na newsletter",
        "Zgoda na marketing e-mail",
        "Zgoda na przetwarzanie danych osobowych w celach marketingowych",
        "1|Wyrażam zgodę na marketing",
        "Wyrażam zgodę: 1",
        "✓",
        "I agree",
        "Yes, I agree to receive e-mails",
        "I hereby consent to the processing of my data",
        "I would like to receive your newsletter",
        "Yes please, sign me up for the newsletter",
        "Send me news and offers",
        "By submitting this form I agree to be contacted",
        "By checking this box you agree to receive text messages",
        "Consent given by phone",
        "Ich stimme der Datenverarbeitung zu",
        "Ich bin einverstanden",
        "Ja, ich möchte den Newsletter erhalten",
        "Ich möchte per E-Mail informiert werden",
        "Hiermit willige ich in die Verarbeitung meiner Daten ein.",
        "Einwilligung erteilt",
    ] {
        assert!(is_given("Zgoda", text, None), "{text}");
    }
}

/// Consents to answer an enquiry that name marketing in some way, as a cell and as a question answered with 1.
const NO_MARKETING: &[&str] = &[
    "Wyrażam zgodę na przetwarzanie moich danych osobowych w celu realizacji zapytania ofertowego.",
    "Zgadzam się na przetwarzanie danych w celu odpowiedzi na zapytanie. Dane nie będą wykorzystywane w celach marketingowych.",
    "Wyrażam zgodę na kontakt. Zgoda na marketing jest dobrowolna i nie została przeze mnie wyrażona",
    "Wyrażam zgodę na kontakt telefoniczny w sprawie mojego zgłoszenia, bez celów marketingowych",
    "I agree that you contact me about my request, without any marketing e-mails",
    "Wyrażam zgodę na przetwarzanie danych przez Przykład Marketing sp. z o.o. w celu odpowiedzi na moje zapytanie",
    "Wyrażam zgodę na kontakt w sprawie zapytania. Administrator: Przykład, marketing@przyklad.pl",
    "Akceptuję regulamin promocji Wiosna 2026 organizowanej przez Przykład sp. z o.o.",
    "Wyrażam zgodę na przetwarzanie danych w celu przygotowania oferty handlowej",
    "Wyrażam zgodę na przetwarzanie danych w celu przygotowania indywidualnej, bezpłatnej oferty",
    "Wyrażam zgodę na kontakt w celu omówienia szczegółów oferty",
    "Wyrażam zgodę na kontakt telefoniczny przedstawiciela handlowego",
    "Wyrażam zgodę na kontakt ze strony działu handlowego",
    "Wyrażam zgodę na przetwarzanie danych przez Agencję Reklamową Przykład w celu kontaktu",
    "Wyrażam zgodę na przetwarzanie danych w celu odpowiedzi na ofertę pracy",
    "Wyrażam zgodę na przetwarzanie danych w celu przesłania kodu rabatowego",
    "Ich willige in die Verarbeitung meiner Daten zur Bearbeitung meiner Angebotsanfrage ein",
    "Ich willige in die Verarbeitung meiner Daten zur Zusendung des Angebots ein",
    "Wyrażam zgodę na przetwarzanie danych przez administratora serwisu NewsPrzykład.pl",
    "Rozumiem, że mogę otrzymać wiadomości marketingowe tylko po wyrażeniu osobnej zgody",
    "Wyrażam zgodę na kontakt w sprawie zapytania. Nie wysyłamy newslettera ani reklam.",
    // Siblings of these.
    "Wyrażam zgodę na kontakt w sprawie zapytania bez marketingu",
    "Wyrażam zgodę na przetwarzanie danych w celu rozpatrzenia reklamacji",
    "Wyrażam zgodę na kontakt działu marketingu w sprawie mojego pytania",
    "Zapoznałem się z regulaminem newslettera i polityką prywatności",
    "Wyrażam zgodę na kontakt. Zgodę na newsletter mogę wyrazić osobno.",
    "Wyrażam zgodę na kontakt. Przysługuje mi prawo sprzeciwu wobec marketingu bezpośredniego.",
    "Wyrażam zgodę na przesłanie wyceny i przygotowanie ofert",
    "Zgadzam się na przetwarzanie danych w celu zawarcia umowy, a nie w celach reklamowych",
    "I agree that you process my data to answer my enquiry. We will never send you newsletters or offers.",
    "I consent to being contacted by your sales team about my quote, not for advertising",
    "I accept the terms of the promotion",
    "I agree that my application is processed for this job offer",
    "I agree to be contacted about my request. Marketing is subject to separate consent.",
    "Ich willige ein, dass Sie mich zu meiner Anfrage kontaktieren, ohne Werbung",
    "Ich stimme der Verarbeitung durch die Werbeagentur Beispiel GmbH zu",
    "Ich bin einverstanden, dass mir ein Angebot zugesandt wird",
    "Ich willige in die Beantwortung meiner Anfrage ein. Wir senden Ihnen keine Newsletter.",
    "Wyrażam zgodę na kontakt asystenta handlowego i technicznego",
    "Wyrażam zgodę na kontakt ze strony innego handlowca",
    "Wyrażam zgodę na kontakt w sprawie zapytania (nie będziemy wysyłać newslettera)",
];

#[test]
fn a_consent_to_answer_the_enquiry_is_none_to_marketing() {
    for text in NO_MARKETING {
        for (column, answer) in [("Zgoda", *text), ("Zgoda RODO", text), (text, "1"), (text, "tak")]
        {
            let (claims, _) = guessed(&cell(column, answer), "checkbox");
            let is_about_marketing = |claim: &ConsentClaim| {
                [Purpose::MARKETING, Purpose::PARTNER_SHARE].contains(&&*claim.purpose.0)
            };
            assert!(
                !claims.iter().any(is_about_marketing),
                "{column}: {answer}: {}",
                shown(&claims)
            );
        }
    }
    let all_but = "Wyrażam zgodę na wszystkie formy kontaktu firmy oprócz marketingowych";
    assert!(!is_given("Zgoda marketingowa", all_but, Some(Purpose::MARKETING)));
    check(
        "Zgoda marketingowa",
        "Wyrażam zgodę na kontakt w sprawie zapytania",
        "enquiry-reply email given, enquiry-reply phone given",
    );
    let promise =
        "Wyrażam zgodę na kontakt w sprawie zapytania. Nie wysyłamy newslettera ani reklam.";
    check(promise, "1", "enquiry-reply email given, enquiry-reply phone given");
    let quote = "Wyrażam zgodę na przetwarzanie moich danych osobowych w celu realizacji zapytania ofertowego.";
    check("Zgoda", quote, "enquiry-reply email given, enquiry-reply phone given");
    check(quote, "nie", "enquiry-reply email refused, enquiry-reply phone refused");
}

#[test]
fn a_consent_to_marketing_is_one_in_every_wording() {
    for text in [
        MARKETING_QUESTION,
        "Wyrażam zgodę na przetwarzanie moich danych w celach marketingowych",
        "Wyrażam zgodę na przesyłanie ofert handlowych e-mailem",
        "Wyrażam zgodę na otrzymywanie newslettera. Administratorem jest Przykład, tel. 600 123 456.",
        "Wyrażam zgodę na otrzymywanie informacji o nowościach i promocjach",
        "Zgadzam się na kontakt w sprawie zapytania oraz na otrzymywanie informacji marketingowych e-mailem",
        "Chcę otrzymywać oferty e-mailem",
        "Akceptuję regulamin i wyrażam zgodę na marketing e-mail",
        "I agree to receive news, not only offers",
        "I agree to receive marketing e-mails",
        "I would like to receive special offers by e-mail",
        "I consent to commercial communications by e-mail",
        "Ich stimme der Zusendung von Werbung per E-Mail zu",
        "Ich möchte den Newsletter erhalten",
        "Wyrażam zgodę na przesyłanie informacji reklamowych i handlowych e-mailem",
        "Wyrażam zgodę na przetwarzanie danych w celach handlowych",
    ] {
        check("Zgoda", text, "marketing email given");
    }
}

/// Headers below which a yes takes consents back.
const OPT_OUT_HEADERS: &[&str] = &[
    "Newsletter abgemeldet",
    "Werbewiderspruch",
    "Do not allow Emails",
    "Do not allow Bulk Emails",
    "Person - Do not email",
    "Newsletter abbestellt",
    "Widerspruch gegen Werbung",
    "Werbesperre",
    "Kontaktsperre",
    "No marketing",
    "Do Not Market",
    "Do not send marketing",
    "Marketing suppression",
    "Suppressed",
    "Exclude from mailing",
    "Email blacklisted",
    "Blokada marketingu",
    "Blokada kontaktu",
    "Czarna lista",
    "Kontakt zabroniony",
    "Proszę nie wysyłać ofert",
    "Żądanie usunięcia danych",
    "GDPR delete request",
    "GDPR erasure",
    "Datenschutz Widerspruch",
    "Einwilligung fehlt",
    "Brakuje zgody",
    "Marketing zablokowany",
    "Zgody brak",
    "Löschung der Daten",
];

#[test]
fn a_yes_to_being_left_alone_is_no_consent() {
    for header in OPT_OUT_HEADERS {
        for text in ["tak", "1", "Yes", "x", "2026-11-10"] {
            let (claims, _) = guessed(&cell(header, text), "checkbox");
            assert!(
                claims.iter().any(|claim| claim.state.is_denial())
                    && !claims.iter().any(|claim| claim.state.is_grant()),
                "{header}: {text}: {}",
                shown(&claims)
            );
        }
        for text in ["nie", "0", "", "false"] {
            assert!(!is_given(header, text, Some(Purpose::MARKETING)), "{header}: {text}");
        }
    }
    check("Do not allow Emails", "Do Not Allow", "marketing email withdrawn");
    check("Do not allow Emails", "Allow", "");
}

/// Headers of what is told about a consent.
#[test]
fn a_column_about_a_consent_gives_none() {
    for (header, text) in [
        ("Zgoda marketingowa ważna do", "2024-12-31"),
        ("Marketing consent requested at", "2025-01-01 10:00:00"),
        ("Zgoda marketingowa - ostatnia zmiana", "2025-01-01"),
        ("Zgoda marketingowa kanał", "e-mail"),
        ("Zgoda marketingowa - komentarz", "zadzwonić po zgodę"),
        ("Newsletter Anmeldung angefragt", "ja"),
        ("Einwilligung gültig bis", "31.12.2024"),
        ("Zgoda marketingowa wysłana", "tak"),
        ("Zgoda wymagana", "tak"),
        ("Consent required", "yes"),
        ("Is consent required?", "yes"),
        ("Marketing consent expires", "2024-12-31"),
        ("Newsletter bounced", "1"),
        ("Marketing consent reminder sent", "true"),
        ("Newsletter campaign", "1"),
        ("Consent management tool used", "yes"),
        ("Einwilligung angefordert", "ja"),
        ("Zgoda marketingowa - kto pozyskał", "tak"),
        ("Zgoda na leczenie", "tak"),
    ] {
        assert!(!is_given(header, text, None), "{header}: {text}");
    }
    check("Zgoda marketingowa", "email=0&sms=1", "marketing email refused, marketing sms given");
}

/// Short headers as forms and mailers have them.
#[test]
fn a_short_header_that_asks_is_believed() {
    for header in [
        "Zgoda marketingowa",
        "Zgoda RODO",
        "RODO",
        "Zgoda na marketing e-mail",
        "Zgoda marketingowa (e-mail)",
        "Zgoda na otrzymywanie informacji handlowych",
        "Zgoda na kontakt telefoniczny",
        "zgoda_marketing_email",
        "consents.marketing",
        "body.lead.consents.phone",
        "marketing_consent",
        "Marketing opt-in",
        "GDPR consent",
        "GDPR Agreement",
        "Consent",
        "Consent 1",
        "Newsletter",
        "Newsletter OK",
        "Newsletter Anmeldung",
        "Einwilligung Newsletter",
        "mkt ok",
        "Accepts Marketing",
        "Invitee accepted marketing emails",
        "Email subscription status",
        "Zustimmung Werbung",
        "Werbung erlaubt",
    ] {
        assert!(is_given(header, "tak", None), "{header}");
    }
}
