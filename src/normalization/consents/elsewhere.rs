//! Sentences of forms, and what a careful privacy officer would take their answers for.
//!
//! Each line is a header, what its cell holds and what that claims: `reply` is answering the enquiry by e-mail and phone,
//! `mkt` marketing by e-mail, `+` a yes and `-` a no. `none!` is no consent and no question about one, but an answer.

use super::super::consent_matter::{agrees_to_contact, asks_elsewhere};
use super::tests::{cell, shown};
use super::*;

/// Stock consents of HubSpot, and their like.
const OTHER_MESSAGES: &str = "\
I agree to receive other communications from Acme. => Yes == mkt+
I agree to receive other communications from Acme. => No == mkt-
I agree to receive other communications from Acme GmbH. => Checked == mkt+
I agree to receive communications from Acme => false == mkt-
Wyrażam zgodę na otrzymywanie innych wiadomości od Przykład sp. z o.o. => Nie == mkt-
Wyrażam zgodę na otrzymywanie innych wiadomości od Przykład sp. z o.o. => Tak == mkt+
Zgadzam się na otrzymywanie innych komunikatów od Acme => Tak == mkt+
Ich stimme zu, andere Benachrichtigungen von Acme zu erhalten. => Ja == mkt+
Ich stimme zu, andere Benachrichtigungen von Acme zu erhalten. => Nein == mkt-
Ich bin damit einverstanden, weitere Mitteilungen von Acme zu erhalten. => Ja == mkt+
J'accepte de recevoir d'autres communications de la part de Acme. => Oui == mkt+
J'accepte de recevoir d'autres communications de la part de Acme. => Non == mkt-
J'accepte de recevoir d'autres messages de Acme => 1 == mkt+
Acepto recibir otras comunicaciones de Acme. => Sí == mkt+
Acepto recibir otras comunicaciones de Acme. => No == mkt-
Accetto di ricevere altre comunicazioni da Acme. => Sì == mkt+
Accetto di ricevere altre comunicazioni da Acme. => No == mkt-
I agree to receive communications about my request => yes == reply+
I agree to receive updates about your products and services => yes == mkt+
I agree to receive information about my order by e-mail => no == enquiry-reply email refused
I agree to receive information by e-mail => no == mkt-
I agree to allow Acme to store and process my personal data. => Yes == reply+
I agree to allow Acme to store and process my personal data. => No == reply-
Wyrażam zgodę na przechowywanie i przetwarzanie moich danych osobowych przez Acme. => Tak == reply+
Ich stimme der Speicherung und Verarbeitung meiner personenbezogenen Daten durch Acme zu. => Ja == reply+
J'accepte que Acme stocke et traite mes données personnelles. => Oui == reply+
Acepto que Acme almacene y procese mis datos personales. => Sí == reply+
Accetto di consentire a Acme di archiviare ed elaborare i miei dati personali. => Sì == reply+
";

/// Boxes for something else, for partners, or for nobody knows what.
const OTHER_PURPOSES: &str = "\
Wyrażam zgodę na przetwarzanie danych w celach rekrutacji => nie == none
Wyrażam zgodę na przetwarzanie moich danych na potrzeby przyszłych rekrutacji => tak == none
Zgoda na wykorzystanie wizerunku => nie == none
Wyrażam zgodę na publikację mojego wizerunku w celach marketingowych => tak == none
Wyrażam zgodę na publikację mojego zdjęcia na stronie internetowej => nie == none
I agree that my photo may be published on social media => no == none
I consent to being contacted about future job openings => no == none
I consent to the recording of the webinar => no == none
Ich willige in die Veröffentlichung von Bildern meiner Person ein => Nein == none
Ich bin mit der Aufnahme in den Bewerberpool einverstanden => Nein == none
J'autorise l'utilisation de mon image => Non == none
J'accepte que ma candidature soit conservée => Non == none
Autorizo el uso de mi imagen => No == none
Acconsento all'utilizzo della mia immagine => No == none
optional_1 => 0 == none
optional_2 => 1 == none
9001 => false == none
Consent 2 => No == reply-
Zgoda (opcjonalna) => nie == none
custom_disclaimer_responses.optional_1 => 1 == none
Wyrażam zgodę na otrzymywanie ofert partnerów => nie == partner-share email refused
Wyrażam zgodę na otrzymywanie ofert partnerów => tak == none
Oferty partnerów => nie == partner-share email refused
Chcę otrzymywać oferty od partnerów Acme => nie == partner-share email refused
I agree to receive offers from third parties => no == partner-share email refused
I agree to receive offers from our partners => yes == none
I agree to receive marketing emails from Acme and its partners => yes == mkt+
Ich möchte Angebote unserer Partner erhalten => Nein == partner-share email refused
J'accepte de recevoir les offres de vos partenaires => Non == partner-share email refused
J'accepte de recevoir les offres de vos partenaires => Oui == none
Deseo recibir ofertas de terceros => No == partner-share email refused
Acconsento a ricevere offerte da terzi => No == partner-share email refused
Wyrażam zgodę na przekazanie moich danych partnerom => nie == partner-share email refused
J'accepte que mes données soient transmises à des partenaires => Oui == partner-share email given
Wyrażam zgodę na przekazywanie danych do państw trzecich => tak == none
Wyrażam zgodę na otrzymywanie faktur drogą elektroniczną => nie == none
Wyrażam zgodę na udział w ankiecie satysfakcji => nie == none
";

/// Questions that speak of a consent, and some that ask for one.
const OTHER_QUESTIONS: &str = "\
Czy masz zgodę wspólnoty na montaż paneli? => tak == none!
Czy małżonek wyraża zgodę na zakup? => nie == none!
Czy zgadzasz się na płatność z góry? => nie == none!
Czy wyrażasz zgodę na wizytę technika? => nie == none!
Czy akceptujesz termin realizacji 3 miesiące? => tak == none!
Czy właściciel budynku wyraża zgodę na prace? => tak == none!
Czy posiadasz zgody marketingowe klientów? => nie == none!
Do you agree to a soft credit check? => yes == none!
Do you agree to pay a deposit? => no == none!
Do you have your landlord's consent? => no == none!
Does your spouse agree to the purchase? => no == none!
Do you have permission from the building owner? => no == none!
Haben Sie die Zustimmung des Vermieters? => Nein == none!
Liegt die Zustimmung der Eigentümergemeinschaft vor? => Ja == none!
Stimmen Sie einer Anzahlung zu? => Nein == none!
Avez-vous l'accord du propriétaire ? => Non == none!
Acceptez-vous le paiement d'avance ? => Oui == none!
¿Tiene el consentimiento de la comunidad? => No == none!
Ha il consenso del condominio? => No == none!
Czy wyrażasz zgodę na kontakt telefoniczny? => nie == enquiry-reply phone refused
Czy wyraża Pan/Pani zgodę na kontakt? => tak == reply+
Czy wyrażasz zgodę? => tak == reply+
Czy zgadzasz się na przetwarzanie danych osobowych? => tak == reply+
Czy zgadzasz się na otrzymywanie newslettera? => nie == mkt-
Do you agree to be contacted by phone? => yes == enquiry-reply phone given
Do you agree to receive our newsletter? => no == mkt-
Do you consent? => yes == reply+
Stimmen Sie der Verarbeitung Ihrer Daten zu? => Ja == reply+
Acceptez-vous de recevoir notre newsletter ? => Non == mkt-
¿Acepta recibir comunicaciones comerciales? => Sí == mkt+
Vuoi ricevere la newsletter? => No == mkt-
";

/// What is read or accepted, and consents beside it.
const NOTICES: &str = "\
OPT_IN => 1 == mkt+
Opt-in => no == mkt-
SMS opt-in => yes == marketing sms given
DOUBLE_OPT-IN => 1 == mkt+
GDPR opt-in => yes == reply+
Ich habe die Datenschutzerklärung gelesen => Ja == none
Ich habe die Datenschutzerklärung zur Kenntnis genommen. => Nein == none
Ich habe die Datenschutzerklärung gelesen und akzeptiere sie => Ja == none
Ich habe die Datenschutzerklärung zur Kenntnis genommen. Ich stimme zu, dass meine Angaben zur Kontaktaufnahme und für Rückfragen dauerhaft gespeichert werden. => Ja == reply+
Zapoznałem się z polityką prywatności => tak == none
Zapoznałam/em się z Polityką prywatności serwisu => nie == none
Zapoznałem się z klauzulą informacyjną dotyczącą przetwarzania danych osobowych => tak == none
Zapoznałem się z informacją o przetwarzaniu danych osobowych => tak == none
Oświadczam, że zapoznałem się z polityką prywatności i wyrażam zgodę na przetwarzanie danych w celu kontaktu => tak == reply+
Akceptuję politykę prywatności => 1 == none
Akceptuję regulamin => tak == none
Akceptuję regulamin i politykę prywatności => tak == none
Akceptuję regulamin i wyrażam zgodę na otrzymywanie newslettera => tak == mkt+
Zgadzam się z polityką prywatności => tak == none
I have read the privacy policy => yes == none
I have read and understood the privacy notice => no == none
I accept the terms and conditions => yes == none
I agree to the privacy policy => yes == none
I agree to the Terms of Service and Privacy Policy => yes == none
I agree to the privacy policy and to receive marketing emails => yes == mkt+
J'ai lu et j'accepte la politique de confidentialité => 1 == none
J'accepte les conditions générales => 1 == none
J'accepte que mes données soient utilisées pour me recontacter => 1 == reply+
J'accepte de recevoir la newsletter => 1 == mkt+
J'accepte de recevoir la newsletter => 0 == mkt-
J'accepte de recevoir des offres commerciales par SMS => 1 == marketing sms given
J'accepte d'être contacté par téléphone => 1 == enquiry-reply phone given
En soumettant ce formulaire, j'accepte que les informations saisies soient exploitées dans le cadre de la demande de contact => 1 == reply+
He leído y acepto la política de privacidad => Sí == none
Acepto la política de privacidad => 1 == none
Acepto los términos y condiciones => 1 == none
Acepto el tratamiento de mis datos para recibir comunicaciones comerciales => 1 == mkt+
Acepto recibir publicidad por correo electrónico => 1 == mkt+
Consiento el tratamiento de mis datos personales => 1 == reply+
Ho letto l'informativa sulla privacy => 1 == none
Acconsento al trattamento dei dati per finalità di marketing => 1 == mkt+
Autorizzo il trattamento dei miei dati personali => 1 == reply+
Accetto i termini e le condizioni => 1 == none
Ich willige in die Verarbeitung meiner Daten zum Zweck der Werbung per Telefon (Anruf) ein => Ja == marketing phone given
Ich bin damit einverstanden, dass mich die Muster GmbH zum Zweck der Werbung per Telefon (z. B. zu neuen Produkten) kontaktiert. => Ja == marketing phone given
Ich willige ein, dass die Muster GmbH meine Telefonnummer zum Zweck der Werbung per Telefon (Telefonmarketing) verwendet. => Nein == marketing phone refused
Einwilligung zum Zweck der Werbung per Telefon (Anruf) => Ja == marketing phone given
";

/// Headers as exports of five languages have them.
const EXPORTS: &str = "\
Chcę otrzymywać informacje o promocjach i nowościach od Salon Meblowy => nie == mkt-
Wyrażam zgodę na kontakt telefoniczny w celu przedstawienia oferty => tak == enquiry-reply phone given
Wyrażam zgodę na otrzymywanie informacji o produktach i usługach Acme => tak == mkt+
Wyrażam zgodę na kontakt w celach marketingowych przez telefon, SMS i e-mail => tak == mkt+, marketing sms given, marketing phone given
Ja, ich möchte per E-Mail über Neuigkeiten informiert werden => Ja == mkt+
Ich möchte den Newsletter abonnieren => Nein == mkt-
Ich willige ein, dass Acme mich per E-Mail über neue Produkte informiert => Ja == mkt+
Ich stimme zu, dass meine Daten zur Bearbeitung meiner Anfrage verwendet werden => Ja == reply+
Ich bin damit einverstanden, telefonisch kontaktiert zu werden => Ja == enquiry-reply phone given
Einwilligung in die Datenverarbeitung => Ja == reply+
Ich akzeptiere die AGB => Ja == none
Ich habe die AGB und die Datenschutzbestimmungen gelesen und stimme diesen zu => Ja == none
Ich bin mit den Nutzungsbedingungen einverstanden => Ja == none
I consent to Acme contacting me about its products and services => Yes == mkt+
I'd like to hear about future events => Yes == mkt+
I'd like to hear from you about my enquiry => yes == reply+
Yes, keep me updated on new features and offers => yes == mkt+
By ticking this box I agree to be called back => 1 == enquiry-reply phone given
I consent to having this website store my submitted information so they can respond to my inquiry. => I consent to having this website store my submitted information so they can respond to my inquiry. == reply+
GDPR Agreement => I consent to having this website store my submitted information so they can respond to my inquiry. == reply+
Zgoda => Wyrażam zgodę na wykorzystanie mojego wizerunku == none
Zgoda => Zapoznałem się z polityką prywatności == none
acceptance-145 => 1 == reply+
Acceptance => on == reply+
I am over 18 years old => yes == none
Confirm you are human => yes == none
I agree to the use of cookies => yes == none
Consent (Consent) => Checked == reply+
RODO (Zgoda) => Checked == reply+
Consentement RGPD => Oui == reply+
Consentement => 1 == reply+
Je souhaite recevoir la newsletter => Oui == mkt+
Je ne souhaite pas recevoir d'offres commerciales => Oui == mkt-, marketing phone refused
Je souhaite être recontacté par téléphone => Oui == enquiry-reply phone given
J'autorise Acme à me contacter par e-mail pour m'informer de ses offres => 1 == mkt+
J'ai pris connaissance de la politique de confidentialité => 1 == none
Je consens au traitement de mes données à des fins de prospection commerciale => 0 == mkt-
J'accepte les CGU => 1 == none
Quiero recibir el boletín => Sí == mkt+
Deseo recibir información comercial por SMS => No == marketing sms refused
No deseo recibir publicidad => Sí == mkt-, marketing phone refused
Autorizo que me contacten por teléfono => Sí == enquiry-reply phone given
He leído y acepto el aviso legal y la política de privacidad => 1 == none
Consentimiento RGPD => Sí == reply+
Consiento la cesión de mis datos a terceros => No == partner-share email refused
Voglio iscrivermi alla newsletter => Sì == mkt+
Acconsento alla comunicazione dei miei dati a terzi => No == partner-share email refused
Presto il consenso al trattamento dei miei dati per finalità di marketing => No == mkt-
Consenso privacy => Sì == reply+
Privacy consent => yes == reply+
Datenschutz Einwilligung => Ja == reply+
Wyrażam zgodę na profilowanie => nie == profiling email refused
J'accepte le profilage => Non == profiling email refused
Zgoda na cesję wierzytelności => nie == none
Zgadzam się na warunki promocji => tak == none
Oświadczam, że jestem osobą pełnoletnią => tak == none
Oświadczam, że podane dane są prawdziwe => tak == none
Wyrażam zgodę na przechowywanie mojego CV => nie == none
Czy chcesz otrzymać bezpłatną wycenę? => tak == reply+
Czy chcesz otrzymywać newsletter? => tak == mkt+
Czy możemy opublikować Twoją opinię? => nie == none!
Wyrażam zgodę na publikację mojej opinii => nie == none
Do you agree to our price list? => yes == none!
Do you agree that we may call you? => yes == enquiry-reply phone given
May we send you updates? => yes == mkt+
May we contact you about your enquiry? => no == reply-
Wyrażam zgodę na kontakt ze strony Acme w sprawie mojego zapytania => nie == reply-
Marketing emails from partners => no == partner-share email refused
Share my data with partners => no == partner-share email refused
Newsletter partnerów => nie == partner-share email refused
Consent to receive SMS messages => yes == enquiry-reply sms given
I agree to receive text messages from Acme => no == marketing sms refused
I agree to receive recurring automated marketing text messages => yes == marketing sms given, marketing automated-call given
I understand my data will be processed according to the privacy policy => yes == none
By submitting, you agree to our Privacy Policy => yes == none
Wyrażam zgodę na przetwarzanie moich danych zgodnie z polityką prywatności => tak == reply+
I agree to the processing of my data in accordance with the privacy policy => yes == reply+
Akceptuję politykę prywatności oraz wyrażam zgodę na kontakt => nie == reply-
Zapoznałem się z regulaminem i akceptuję jego postanowienia => tak == none
Obowiązek informacyjny RODO => tak == none
Klauzula informacyjna => tak == none
Zgoda na przetwarzanie danych osobowych => nie == reply-
Zgoda na newsletter i oferty partnerów => nie == mkt-
Zgoda_1 => nie == reply-
";

/// More of them, and harder ones.
const HARDER: &str = "\
Chcę być informowany o nowych ofertach i wydarzeniach => tak == mkt+
Zgadzam się na kontakt mailowy i telefoniczny => tak == reply+
Wyrażam zgodę na otrzymywanie korespondencji e-mail => nie == mkt-
Wyrażam zgodę na marketing bezpośredni przy użyciu telekomunikacyjnych urządzeń końcowych => tak == mkt+
Wyrażam zgodę na używanie automatycznych systemów wywołujących => nie == enquiry-reply automated-call refused
Wyrażam zgodę na otrzymywanie od Acme sp. z o.o. informacji handlowych w rozumieniu ustawy o świadczeniu usług drogą elektroniczną => tak == mkt+
Wyrażam zgodę na udostępnienie moich danych osobowych spółkom z grupy kapitałowej Acme => nie == partner-share email refused
Wyrażam zgodę na kontakt ze strony partnerów Acme w celach marketingowych => nie == partner-share email refused
Wyrażam zgodę na kontakt ze strony partnerów Acme w celach marketingowych => tak == none
I consent to my data being shared with the event sponsors => no == partner-share email refused
I'm happy for Acme to contact me by email about news and offers => yes == mkt+
Please do not send me marketing => yes == marketing email withdrawn, marketing phone withdrawn
I would like to be contacted by sales => yes == reply+
Subscribe to our newsletter => yes == mkt+
Email marketing consent => Subscribed == mkt+
Ich möchte keine Werbung erhalten => Ja == mkt-, marketing phone refused
Ich stimme der Nutzung meiner E-Mail-Adresse für den Versand des Newsletters zu => Ja == mkt+
Ich bin einverstanden, dass mich Acme und Partner zu Werbezwecken kontaktieren => Ja == mkt+
Datenschutzhinweise zur Kenntnis genommen => Ja == none
Hiermit bestätige ich, dass ich die Datenschutzhinweise gelesen habe => Nein == none
Dürfen wir Sie per WhatsApp kontaktieren? => Nein == enquiry-reply messenger refused
Haben Sie ein Dach mit Zustimmung der Nachbarn? => Ja == none!
Sind Sie mit einer Ratenzahlung einverstanden? => Nein == none!
Êtes-vous propriétaire ? => Oui == none!
J'accepte que mes coordonnées soient transmises aux partenaires d'Acme => Non == partner-share email refused
En cochant cette case, je consens à recevoir par e-mail les actualités d'Acme => 1 == mkt+
Je certifie avoir plus de 18 ans => 1 == none
J'accepte d'être enregistré pendant l'appel => 1 == none
Acepto que mis datos sean utilizados para contactarme => Sí == reply+
Acepto ser contactado por WhatsApp => 1 == enquiry-reply messenger given
¿Está de acuerdo con el pago por adelantado? => No == none!
Autorizzo l'invio di comunicazioni promozionali via SMS => 1 == marketing sms given
Dichiaro di aver letto l'informativa privacy => 1 == none
GDPR: Email => Yes == enquiry-reply email given
Checkbox => 1 == none
Acceptance => I have read and agree to the privacy policy == none
Consent => I agree to be contacted about career opportunities == none
Wyrażam zgodę na przetwarzanie moich danych w celu wysyłki newslettera => nie == mkt-
Wyrażam zgodę na założenie konta => nie == none
Zgoda na powtórny kontakt => nie == reply-
Zgadzam się na nagrywanie rozmowy telefonicznej => nie == none
Wyrażam zgodę na przetwarzanie danych dotyczących zdrowia => nie == none
I give my consent for photographs of my child to be used => no == none
Newsletter abonnieren => Nein == mkt-
Chcę wziąć udział w konkursie => nie == none
Czy zgadzasz się na udział w konkursie i otrzymywanie informacji handlowych? => tak == mkt+
I agree to receive a copy of the invoice by e-mail => no == none
Do you agree to receive a phone call from our expert? => yes == enquiry-reply phone given
Czy możemy skontaktować się z Państwem telefonicznie? => nie == enquiry-reply phone refused
Oświadczam, że wyrażam zgodę na kontakt handlowy za pomocą SMS => tak == enquiry-reply sms given
Wyrażam zgodę na prowadzenie marketingu bezpośredniego drogą telefoniczną => nie == marketing phone refused
Nie zgadzam się na przetwarzanie danych w celach rekrutacyjnych => tak == none
Nie wyrażam zgody na publikację wizerunku => tak == none
Zgoda na wysyłkę oferty => tak == reply+
Wyrażam zgodę na otrzymanie oferty drogą elektroniczną => nie == enquiry-reply email refused
Zezwalam na kontakt w godzinach 8-16 => tak == reply+
czy_zgadzasz_się_na_płatność_z_góry? => nie == none!
czy_wyrażasz_zgodę_na_kontakt_telefoniczny? => tak == enquiry-reply phone given
i_agree_to_receive_other_communications_from_acme. => no == mkt-
CZY MASZ ZGODĘ WSPÓLNOTY NA MONTAŻ? => TAK == none!
I agree to allow Acme Marketing Ltd. to store and process my personal data. => Yes == reply+
I agree to receive other communications from Acme Marketing Ltd. => Yes == mkt+
wyrażam_zgodę_na_przetwarzanie_danych_w_celu_rekrutacji => nie == none
zapoznałem_się_z_polityką_prywatności => tak == none
marketing_consent => yes == mkt+
consent_image => no == none
consent_recruitment => no == none
consent_partners => no == partner-share email refused
zgoda_partnerzy => nie == partner-share email refused
consent_third_party => yes == none
terms_accepted => yes == none
privacy_accepted => 1 == none
privacyPolicyAccepted => true == none
consent_marketing_email => 0 == mkt-
consents.phone => true == enquiry-reply phone given
agree_to_be_contacted => true == reply+
zgoda_kontakt => nie == reply-
zgoda_regulamin => tak == none
rodo_zgoda => tak == reply+
Zgoda na przetwarzanie danych i regulamin => tak == reply+
Einwilligung zur Kontaktaufnahme => Nein == reply-
Werbeeinwilligung => Ja == mkt+
Bewerbung: Einwilligung in die Speicherung => Nein == none
Zgoda na SMS => nie == enquiry-reply sms refused
Zgoda na kontakt w sprawie oferty pracy => nie == none
Zgoda przetwarzanie danych cele handlowe => nie == mkt-
Wyrażam zgodę => Wyrażam zgodę == reply+
I agree => I agree == reply+
Zgoda => tak == reply+
Zgoda => nie == reply-
Consent => Yes == reply+
J'accepte => 1 == reply+
Zgoda na otrzymywanie powiadomień o statusie zamówienia => nie == none
Wyrażam zgodę na otrzymywanie SMS-ów o statusie zgłoszenia => nie == enquiry-reply sms refused
I agree to receive appointment reminders by SMS => no == enquiry-reply sms refused
By providing your number you agree to receive calls and texts => yes == enquiry-reply phone given
Akceptuję regulamin konkursu => tak == none
Wyrażam zgodę na przetwarzanie danych w celu organizacji konkursu => nie == none
";

#[track_caller]
fn check_all(table: &str) {
    let mut wrong = Vec::new();
    for line in table.lines() {
        let (header, rest) = line.split_once(" => ").expect("a header and its cell");
        let (text, expected) = rest.split_once(" == ").expect("a cell and what it claims");
        let claims = shown(&guessed(&cell(header, text), "checkbox").0)
            .replace("enquiry-reply email given, enquiry-reply phone given", "reply+")
            .replace("enquiry-reply email refused, enquiry-reply phone refused", "reply-")
            .replace("marketing email given", "mkt+")
            .replace("marketing email refused", "mkt-");
        let claims = if claims.is_empty() { "none".to_owned() } else { claims };
        if claims != expected.trim_end_matches('!') {
            wrong.push(format!("{line}: {claims}"));
        }
        if asks_elsewhere(header) != expected.ends_with('!') {
            wrong.push(format!("{line}: a consent or not"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn other_messages_of_a_company_are_marketing() {
    check_all(OTHER_MESSAGES);
}

#[test]
fn a_box_for_something_else_neither_allows_nor_forbids_to_write() {
    check_all(OTHER_PURPOSES);
}

#[test]
fn a_question_about_something_else_is_an_answer() {
    check_all(OTHER_QUESTIONS);
}

#[test]
fn what_was_read_or_accepted_is_no_consent() {
    check_all(NOTICES);
    for header in [
        "Privacy policy",
        "Datenschutz",
        "Datenschutzerklärung akzeptiert",
        "Akceptacja regulaminu",
        "Regulamin",
    ] {
        for text in ["tak", "nie"] {
            check_all(&format!("{header} => {text} == none"));
        }
    }
    check_all("Zgoda => ☑ regulamin == none");
}

#[test]
fn headers_of_exports_are_read_as_they_are_meant() {
    check_all(EXPORTS);
    check_all(HARDER);
}

#[test]
fn what_refuses_something_else_says_so() {
    for (header, text, code) in [
        ("Zgoda na wykorzystanie wizerunku", "nie", "consent-elsewhere"),
        ("Wyrażam zgodę na rekrutację", "tak", "consent-elsewhere"),
        ("Akceptuję regulamin", "nie", "consent-elsewhere"),
        ("optional_1", "1", "consent-unclear"),
        ("Zgoda (opcjonalna)", "nie", "consent-unclear"),
    ] {
        let (claims, remark) = guessed(&cell(header, text), "checkbox");
        assert!(claims.is_empty(), "{header}: {}", shown(&claims));
        assert_eq!(remark.map(|remark| remark.code), Some(code), "{header}");
    }
    let (_, remark) = guessed(&cell("Akceptuję regulamin", "tak"), "checkbox");
    assert_eq!(remark, None);
}

#[test]
fn who_wants_to_be_left_alone_is_asked_nothing_else() {
    for header in ["Do Not Market", "Do not contact", "Do not send marketing?", "Nie dzwonić?"] {
        assert!(!asks_elsewhere(header), "{header}");
    }
}

#[test]
fn a_sentence_that_agrees_is_a_consent_whatever_its_language() {
    for header in [
        "Ich willige in die Verarbeitung meiner Daten zum Zweck der Werbung per Telefon (Anruf) ein",
        "J'accepte de recevoir la newsletter",
        "J'autorise Acme à me contacter par e-mail",
        "Acepto recibir publicidad por correo electrónico",
        "Accetto di ricevere altre comunicazioni da Acme.",
    ] {
        assert!(agrees_to_contact(header), "{header}");
    }
    for header in [
        "J'accepte les conditions générales",
        "He leído la política de privacidad",
        "Ho letto l'informativa sulla privacy",
        "J'accepte un acompte de 30 %",
        "Wiadomość",
        "Proszę o kontakt",
        "Chcę kupić",
        "Was möchten Sie erhalten?",
    ] {
        assert!(!agrees_to_contact(header), "{header}");
    }
}
