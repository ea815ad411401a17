//! What a consent says beside what it asks for: notices, names of companies, channels in brackets.

use super::tests::{cell, check, shown};
use super::*;

const MARKETING: &str = "Wyrażam zgodę na otrzymywanie informacji handlowych e-mailem";

/// Ends of a wording that tell how a consent is taken back.
const NOTICES: &[&str] = &[
    " do czasu jej odwołania",
    " aż do odwołania zgody",
    " do odwołania",
    " z możliwością wycofania zgody w każdej chwili",
    " i wiem, że mogę ją wycofać",
    ", z którego mogę się wypisać",
    " którą mogę wycofać",
    " z możliwością rezygnacji w każdej chwili",
    " (rezygnacja możliwa w każdej chwili)",
    ". Oświadczam, że zostałem poinformowany o prawie do wycofania zgody.",
    ". Potwierdzam, że poinformowano mnie o prawie do cofnięcia zgody.",
    ". Akceptuję, że mogę się wypisać",
    ". Przysługuje mi prawo sprzeciwu.",
    ". Zgodę można wycofać, pisząc na adres biuro@przyklad.pl.",
    ". Aby się wypisać, kliknij link w stopce.",
];

/// Wordings that agree or wish, and say how that is taken back.
const WHOLE: &[&str] = &[
    "I agree to receive marketing emails and understand that I can unsubscribe at any time",
    "By checking this box, you agree to receive marketing emails and can opt out at any time.",
    "I agree to receive marketing emails until I withdraw my consent",
    "Ich bin mit dem Erhalt des Newsletters einverstanden und kann mich jederzeit abmelden.",
    "Ich willige in die Zusendung des Newsletters bis auf Widerruf ein",
    "Chcę otrzymywać newsletter. Rezygnacja możliwa w każdej chwili.",
    "Chcę otrzymywać newsletter. Wypis możliwy.",
    "Chcę otrzymywać newsletter na podany adres e-mail. Możesz się wypisać w każdej chwili.",
    "Tak, zapisz mnie na newsletter. W każdej chwili mogę się wypisać.",
    "Ja, ich möchte den Newsletter erhalten. Abmeldung jederzeit möglich.",
    "Ja, ich möchte den Newsletter erhalten. Sie können sich jederzeit abmelden.",
    "I would like to receive marketing emails. To unsubscribe, click the link in any email.",
    "Newsletter (możesz się wypisać w każdej chwili)",
];

#[test]
fn a_notice_of_how_to_take_it_back_takes_nothing_back() {
    let wordings = NOTICES.iter().map(|notice| format!("{MARKETING}{notice}"));
    for wording in wordings.chain(WHOLE.iter().map(|&wording| wording.to_owned())) {
        for yes in ["tak", "1", "yes", "x"] {
            check(&wording, yes, "marketing email given");
        }
        check(&wording, "nie", "marketing email refused");
    }
}

#[test]
fn whoever_takes_back_in_a_sentence_has_taken_back() {
    for wording in [
        "Rezygnuję z otrzymywania od Państwa informacji handlowych drogą elektroniczną na podany adres",
        "Oświadczam, że wycofuję zgodę na otrzymywanie informacji handlowych drogą elektroniczną",
        "Chcę wypisać się z newslettera i nie dostawać od Państwa więcej wiadomości",
        "Wnoszę sprzeciw wobec przetwarzania moich danych w celach marketingu bezpośredniego",
        "Wyrażam sprzeciw wobec przetwarzania moich danych osobowych w celach marketingowych",
        "Wyrażam zgodę na wypisanie mojego adresu e-mail z newslettera firmy",
        "Potwierdzam wycofanie zgody",
        "I would like to unsubscribe from all marketing emails that you send",
        "I agree to be unsubscribed from all of your marketing emails",
        "Please unsubscribe me",
        "Ich möchte mich vom Newsletter abmelden",
        "Ich widerrufe meine Einwilligung in den Erhalt von Werbung per E-Mail",
    ] {
        let (claims, _) = guessed(&cell(wording, "tak"), "checkbox");
        let denied = claims.iter().all(|claim| claim.state.is_denial());
        assert!(!claims.is_empty() && denied, "{wording}: {}", shown(&claims));
    }
}

#[test]
fn a_wording_that_agrees_and_takes_back_is_for_people_to_read() {
    for wording in [
        "Akceptuję regulamin sklepu i wypisuję się z newslettera firmy Przykład",
        "Mogę się wypisać w każdej chwili",
    ] {
        check(wording, "tak", "");
    }
}

#[test]
fn a_company_at_the_end_of_a_sentence_does_not_swallow_the_next() {
    let reply = "enquiry-reply email given, enquiry-reply phone given";
    for wording in [
        "Zgadzam się na przetwarzanie danych przez Acme. Nie będą one wykorzystywane do marketingu.",
        "I agree to be contacted by Acme. No marketing emails.",
        "I agree to be contacted by Acme Marketing. No marketing emails.",
        "Wyrażam zgodę na kontakt od Acme. Bez newslettera.",
        "Wyrażam zgodę na kontakt od firmy Przykład S.A. Nie wysyłamy newslettera.",
        "Wyrażam zgodę na przetwarzanie danych przez Przykład Marketing Sp. z o.o. Nie wysyłamy reklam.",
        "Wyrażam zgodę na kontakt od biuro@przyklad.pl. Nie wysyłamy newslettera.",
    ] {
        check(wording, "tak", reply);
    }
    let wording = "I agree to receive marketing emails from Acme. I can unsubscribe at any time.";
    check(wording, "yes", "marketing email given");
}

#[test]
fn a_channel_in_brackets_or_behind_belongs_to_the_consent_before() {
    let whole = "Wyrażam zgodę na otrzymywanie informacji handlowych";
    for (wording, channel) in [
        (format!("{whole} (SMS)"), "sms"),
        (format!("{whole} (telefon)"), "phone"),
        (format!("{whole}. Kanał: SMS"), "sms"),
        (format!("{whole}. Nie sprzedajemy danych."), "email"),
        (format!("{whole}. Nasz telefon: 600 123 456."), "email"),
        ("Wyrażam zgodę na marketing bezpośredni (kontakt telefoniczny)".into(), "phone"),
        ("Zgoda marketingowa (SMS)".into(), "sms"),
        ("Zgoda marketingowa (telefon)".into(), "phone"),
        ("Zgoda marketingowa (e-mail)".into(), "email"),
        ("Marketing consent (SMS)".into(), "sms"),
        ("Marketing consent (phone)".into(), "phone"),
        ("Zgoda marketingowa".into(), "email"),
    ] {
        check(&wording, "tak", &format!("marketing {channel} given"));
    }
}

#[test]
fn names_of_programmers_are_read_word_by_word() {
    for (camel, snake) in [
        ("marketingOptOut", "marketing_opt_out"),
        ("newsletterUnsubscribed", "newsletter_unsubscribed"),
        ("marketingConsentWithdrawn", "marketing_consent_withdrawn"),
        ("marketingConsentDenied", "marketing_consent_denied"),
        ("emailOptOut", "email_opt_out"),
        ("emailUnsubscribed", "email_unsubscribed"),
        ("smsOptOut", "sms_opt_out"),
        ("consentWithdrawn", "consent_withdrawn"),
        ("consentRevoked", "consent_revoked"),
        ("isUnsubscribed", "is_unsubscribed"),
        ("hasUnsubscribed", "has_unsubscribed"),
        ("isOptedOut", "is_opted_out"),
        ("noMarketing", "no_marketing"),
        ("doNotContact", "do_not_contact"),
        ("body.lead.marketingOptOut", "body.lead.marketing_opt_out"),
    ] {
        let claims = |header: &str| guessed(&cell(header, "true"), "checkbox").0;
        assert!(!claims(camel).is_empty(), "{camel}");
        assert!(claims(camel).iter().all(|claim| claim.state.is_denial()), "{camel}");
        assert_eq!(shown(&claims(camel)), shown(&claims(snake)), "{camel}");
    }
    check("marketingConsent", "true", "marketing email given");
    check("Zgody marketingowe", "SMSy", "marketing sms given");
    check("Zgoda marketingowa", "WhatsApp", "marketing messenger given");
}

#[test]
fn who_says_no_to_a_consent_says_none_to_the_promises_beside_it() {
    for wording in [
        "I agree to receive the newsletter. We do not share your data with third parties.",
        "Wyrażam zgodę na newsletter. Nie udostępniamy danych partnerom ani innym podmiotom.",
    ] {
        check(wording, "no", "marketing email refused");
        check(wording, "yes", "marketing email given");
    }
    let shared = "Wyrażam zgodę na udostępnienie moich danych partnerom w celach handlowych";
    check(shared, "nie", "partner-share email refused");
}

/// Cells that agree to something else, or that somebody has to ask about.
const NO_MARKETING: &[&str] = &[
    "Wyrażam zgodę na przetwarzanie danych",
    "Zgadzam się na nic",
    "Wyrażam zgodę na przetwarzanie danych z wyłączeniem marketingu",
    "Akceptuję, że moja zgoda na newsletter zostanie usunięta",
    "Ich möchte aus dem Newsletter-Verteiler entfernt werden",
    "I agree to the privacy policy. Please take me off the newsletter list.",
    "Wyrażam zgodę na newsletter do 31.12.2024",
    "Wyrażam zgodę na newsletter ?",
    "Wyrażam zgodę na newsletter - niepotwierdzona",
    "Wyrażam zgodę na newsletter (czeka na potwierdzenie)",
    "2024-01-01 (wycofana)",
    "1|0",
    "tak (żona)",
    "tak, usuńcie mnie",
];

#[test]
fn a_cell_that_agrees_to_something_else_is_no_consent_to_marketing() {
    for header in ["Newsletter", "Zgoda marketingowa", MARKETING] {
        for text in NO_MARKETING {
            let (claims, _) = guessed(&cell(header, text), "checkbox");
            let is_given = |claim: &ConsentClaim| {
                claim.state.is_grant() && &*claim.purpose.0 == Purpose::MARKETING
            };
            assert!(!claims.iter().any(is_given), "{header}: {text}: {}", shown(&claims));
        }
    }
    for text in [
        "tak (e-mail)",
        "Wyrażam zgodę na newsletter",
        "2024-01-01",
        "Chcę otrzymywać newsletter. Rezygnacja możliwa w każdej chwili.",
    ] {
        check("Newsletter", text, "marketing email given");
    }
    let header = "I agree to the privacy policy. Please take me off the newsletter list.";
    let (claims, _) = guessed(&cell(header, "yes"), "checkbox");
    assert!(!shown(&claims).contains("marketing"), "{}", shown(&claims));
    for header in ["Zgoda marketingowa do", "Zgoda marketingowa od", "Marketing consent to"] {
        check(header, "2026-12-31", "");
    }
}

#[test]
fn a_status_tells_who_left() {
    for header in ["Status", "Email status", "Newsletter status", "Status subskrypcji"] {
        for text in ["unsubscribed", "Unsubscribed", "wypisany", "opted out", "abgemeldet"] {
            check(header, text, "marketing email withdrawn");
        }
    }
    check("SMS status", "unsubscribed", "marketing sms withdrawn");
    for header in ["Consent revoked date", "Abmeldedatum", "unsub_date", "Data wypisania"] {
        let (claims, _) = guessed(&cell(header, "2026-06-10"), "checkbox");
        assert!(!claims.is_empty() && claims.iter().all(|one| one.state.is_denial()), "{header}");
    }
}
