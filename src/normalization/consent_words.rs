//! Words by which consent questions and their answers are told.

use crate::model::consent::Channel;

/// Beginnings of folded words that tell a marketing consent wherever they stand,
pub(super) const ALWAYS_MARKETING: &[&str] = &[
    "marketing",
    "newsletter",
    "mkt",
    "mailing",
    "biuletyn",
    "subskry",
    "subscri",
    "werb",
    "advert",
    "nowosciach",
    "aktualnosciach",
    "reklam",
];
/// except for these,
pub(super) const NO_MARKETING: &[&str] = &[
    "reklamac",
    "reklamuj",
    "werbeagentur",
    "werbefirma",
    "marketingagent",
    "marketingabteilung",
    "marketingabt",
];
/// those that tell it only beside words for what is sent,
pub(super) const MARKETING_BESIDE: &[&str] =
    &["handlowe", "handlowa", "handlowym", "handlowy", "handlows", "commercial", "promocyjn"];
/// which these are;
pub(super) const INFORMATION: &[&str] = &[
    "informac",
    "inform",
    "tresc",
    "wiadomosc",
    "komunik",
    "korespond",
    "material",
    "mail",
    "cel",
    "charakter",
    "powiad",
    "marketing",
    "zgod",
    "reklam",
    "communic",
    "message",
    "email",
    "offer",
    "purpos",
    "content",
    "consent",
];
/// folded words for more than one offer, unless it is made for whoever asks,
pub(super) const MANY_OFFERS: &[&str] =
    &["ofert", "ofertach", "ofertami", "ofertom", "offers", "angebote", "angeboten"];
/// which the beginnings of these words before it tell,
pub(super) const OFFERS_FOR_ME: &[&str] =
    &["przygotow", "wycen", "zapytan", "porown", "prepar", "vorbereit", "erstell"];
/// words around `oferty` that make it many,
pub(super) const OFFERS_BEFORE: &[&str] =
    &["otrzymywac", "dostawac", "wysylac", "przesylac", "na", "newsletter"];
pub(super) const OFFERS_AFTER: &[&str] =
    &["specjalne", "promocyjne", "handlowe", "marketingowe", "partnerow", "email", "sms"];
/// and folded words for promotions, other than the one whose terms somebody accepts.
pub(super) const PROMOTIONS: &[&str] = &[
    "promo",
    "promocje",
    "promocjach",
    "promocjami",
    "promotion",
    "promotions",
    "promotional",
    "rabaty",
    "rabatach",
    "rabatow",
    "rabatami",
    "znizki",
    "znizkach",
    "znizek",
    "znizkami",
    "nowosci",
    "aktualnosci",
    "news",
    "newsy",
];
/// Beginnings of words before, and words behind, those of marketing that make them name somebody's department.
pub(super) const DEPARTMENTS: &[&str] = &[
    "agencj",
    "dzial",
    "zespol",
    "departament",
    "specjalist",
    "kierowni",
    "przedstawiciel",
    "opiekun",
    "doradc",
    "agency",
    "department",
    "team",
    "manager",
    "abteilung",
    "agentur",
];
/// Beginnings of words for terms that somebody accepts.
pub(super) const TERMS: &[&str] = &["regulamin", "polityk", "terms", "policy", "agb", "warunk"];
/// Words that take something out.
pub(super) const WITHOUT: &[&str] = &[
    "bez",
    "without",
    "ohne",
    "ani",
    "excluding",
    "oprocz",
    "poza",
    "except",
    "wyjatkiem",
    "wylaczeniem",
    "pominieciem",
    "ausnahme",
    "wykluczeniem",
    "ausser",
];
/// Beginnings of phrases that leave something for a consent of its own,
pub(super) const APART: &[&str] = &[
    "osobn",
    "odrebn",
    "oddzieln",
    "tylko po",
    "wylacznie po",
    "dopiero",
    "separate",
    "only after",
    "only if",
    "only with",
    "gesondert",
    "nur nach",
    "nur mit",
    "take me off",
    "taken off",
];
/// and for later.
pub(super) const MAY_LATER: &[&str] =
    &["moge ", "mozesz ", "i may ", "i can ", "you may ", "you can ", "ich kann "];
/// Beginnings of phrases by which an answer says that it lets an enquiry be answered.
pub(super) const REPLY: &[&str] = &[
    "w sprawie",
    "na przetwarzanie",
    "processing of my",
    "zapytan",
    "zgloszeni",
    "odpowiedzi na",
    "odpowiedz na",
    "enquiry",
    "inquiry",
    "my request",
    "my quote",
    "anfrage",
    "angebotsanfrage",
];
/// Beginnings of answers that ask for something, or say that something was read.
pub(super) const ASKS_ALONE: &[&str] = &[
    "prosze o",
    "poprosze o",
    "prosimy o",
    "chetnie ",
    "send me",
    "keep me",
    "have read",
    "i have read",
    "gelesen",
    "przeczytal",
    "zapoznal",
    "przyjmuje",
    "pozwalam",
    "udzielam",
    "ich habe",
];
/// Ends of web sites.
pub(super) const DOMAIN_ENDS: &[&str] = &[
    "pl", "com", "eu", "de", "net", "org", "io", "info", "biz", "at", "ch", "uk", "shop", "store",
    "online",
];
/// What companies are called by law,
pub(super) const LEGAL_FORMS: &[&str] = &[
    "sp.", "sp", "spolka", "spółka", "s.a.", "sa", "gmbh", "ag", "ltd", "ltd.", "llc", "inc",
    "inc.", "s.c.", "kg",
];
/// and words behind which they stand.
pub(super) const COMPANY_BEHIND: &[&str] = &[
    "przez", "od", "by", "from", "durch", "firme", "firmy", "firma", "spolke", "spolki", "spolka",
];
/// Beginnings of folded words that tell a consent to profiling,
pub(super) const PROFILING: &[&str] = &["profilow", "profiling"];
/// and of those that together tell one to passing data on.
pub(super) const PARTNERS: &[&str] = &["partner", "third", "trzeci", "dritt"];
pub(super) const PASSING_ON: &[&str] =
    &["przekaz", "udostepn", "share", "sharing", "pass", "weiterg", "ubermitt"];

/// Folded words with which a consent begins.
pub(super) const OPENINGS: &[&str] = &[
    "wyrazam",
    "nie wyrazam",
    "zgadzam",
    "nie zgadzam",
    "zgoda",
    "brak zgody",
    "akceptuje",
    "nie akceptuje",
    "chce",
    "nie chce",
    "potwierdzam",
    "zapoznalem",
    "zapoznalam",
    "oswiadczam",
    "i agree",
    "i do not",
    "i don t",
    "i consent",
    "i accept",
    "i want",
    "i would",
    "ich",
];

/// Beginnings of folded words that name a channel.
pub(super) const CHANNELS: &[(&str, Channel)] = &[
    ("email", Channel::Email),
    ("mail", Channel::Email),
    ("elektronicz", Channel::Email),
    ("newsletter", Channel::Email),
    ("sms", Channel::Sms),
    ("mms", Channel::Sms),
    ("telef", Channel::Phone),
    ("phone", Channel::Phone),
    ("call", Channel::Phone),
    ("anruf", Channel::Phone),
    ("anzurufen", Channel::Phone),
    ("dzwon", Channel::Phone),
    ("zadzwon", Channel::Phone),
    ("oddzwon", Channel::Phone),
    ("automat", Channel::AutomatedCall),
    ("whatsapp", Channel::Messenger),
    ("messenger", Channel::Messenger),
    ("viber", Channel::Messenger),
    ("listown", Channel::Post),
    ("briefpost", Channel::Post),
];
/// Whole folded words, and two of them, that name a channel.
pub(super) const CHANNEL_WORDS: &[(&str, Channel)] = &[
    ("tel", Channel::Phone),
    ("text you", Channel::Sms),
    ("text me", Channel::Sms),
    ("to text", Channel::Sms),
    ("not text", Channel::Sms),
    ("text messages", Channel::Sms),
    ("per post", Channel::Post),
    ("by post", Channel::Post),
];

/// Folded words beside those of channels in a text that only names some.
pub(super) const CHANNELS_ASIDE: &[&str] = &[
    "i",
    "oraz",
    "lub",
    "and",
    "or",
    "und",
    "oder",
    "kanal",
    "kanaly",
    "channel",
    "channels",
    "kontakt",
    "contact",
    "droga",
    "poczta",
    "wiadomosci",
    "messages",
    "text",
    "tel",
    "przez",
    "via",
    "by",
    "per",
    "e",
    "mail",
];

/// Folded words of a question that lists several consents,
pub(super) const LISTS: &[&str] = &["zgody", "consents", "permissions", "einwilligungen", "optins"];
/// and of the consents that it may list.
pub(super) const OPTIONS: &[&str] = &[
    "rodo",
    "gdpr",
    "dsgvo",
    "marketing",
    "marketingowa",
    "marketingowe",
    "mkt",
    "newsletter",
    "regulamin",
    "tel",
    "profilowanie",
    "handlowe",
];

/// Most words of a label with an answer behind it; more are a sentence.
pub(super) const LABEL_WORDS_MAX: usize = 6;
/// Fewest words of the text of a consent; fewer are a label.
pub(super) const TEXT_WORDS_MIN: usize = 8;
/// The same of one that begins as consents do.
pub(super) const OPENED_TEXT_WORDS_MIN: usize = 4;
/// Most words of a question in which a denial turns the whole round.
pub(super) const SHORT_QUESTION_WORDS_MAX: usize = 7;

/// Beginnings of folded words of a header that asks the other way round: a yes takes consent back.
pub(super) const OPT_OUTS: &[&str] = &[
    "wycof",
    "cofn",
    "withdr",
    "revok",
    "unsubscri",
    "optout",
    "opted out",
    "opt out",
    "rezygn",
    "wypis",
    "sprzeciw",
    "odwol",
    "widerruf",
    "abgemeldet",
    "do not call",
    "do not email",
    "do not contact",
    "do not text",
    "do not mail",
    "do not sms",
    "dnc",
    "unsub ",
    "abmeldung",
    "abmeld",
    "nie dzwon",
    "nie wysyl",
    "nie kontakt",
    "zakaz",
    "keine werbung",
    "nicht anrufen",
    "nicht kontaktieren",
];
/// The same of a short header; a consent may speak of the right to have one's data deleted.
pub(super) const LABEL_OPT_OUTS: &[&str] = &[
    "abbestell",
    "widerspruch",
    "werbewiderspruch",
    "werbesperr",
    "kontaktsperr",
    "sperrvermerk",
    "do not allow",
    "do not market",
    "do not send",
    "suppress",
    "exclude",
    "blacklist",
    "blocklist",
    "blokad",
    "zablokowan",
    "czarna lista",
    "zabronion",
    "wykluczen",
    "usuniec",
    "do usuniec",
    "skasowan",
    "zapomnian",
    "delete request",
    "deletion",
    "erasure",
    "right to be forgotten",
    "loschung",
    "loschanfrage",
];
/// Folded words with a no in them that denies nothing: the choice of answers, and what need not be agreed to.
pub(super) const NO_DENIALS: &[&str] = &[
    "tak nie",
    "t n",
    "yes no",
    "y n",
    "ja nein",
    "j n",
    "nie tylko",
    "not only",
    "nicht nur",
    "nie jest wymagan",
    "nie jest obowiazkow",
    "not required",
    "not mandatory",
    "not obligatory",
    "nicht erforderlich",
    "nicht verpflichtend",
];
/// Beginnings of folded words of a header that itself says no: a yes to it is a refusal.
pub(super) const REFUSALS: &[&str] = &[
    "nie wyrazam",
    "nie zgadzam",
    "nie chce",
    "nie zycze",
    "brak zgody",
    "do not consent",
    "do not agree",
    "do not want",
    "do not wish",
    "don t want",
    "ich mochte keine",
    "don t consent",
    "no consent",
    "not consent",
    "keine einwilligung",
    "stimme nicht",
    "einwilligung fehlt",
    "zustimmung fehlt",
    "brakuje zgod",
    "zgody brak",
    "zgod brak",
    "consent missing",
    "missing consent",
    "lack of consent",
];

/// Beginnings of words and phrases that, beside those of rights, make a taking-back a notice,
pub(super) const NOTICES: &[&str] = &[
    "mozliw",
    "poinformowan",
    "poinstruowan",
    "swiadom",
    "prawie",
    "prawem",
    "do odwol",
    "az do",
    "do momentu",
    "do chwili",
    "dopoki",
    "informed",
    "possib",
    "option to",
    "moglich",
    "moeglich",
    "konnen",
    "koennen",
    "informiert",
    "widerrufsrecht",
    "bis auf",
    "bis zum",
];
/// those at the beginning of a clause,
pub(super) const NOTICE_BEGINNINGS: &[&str] = &[
    "to unsubscribe",
    "to opt out",
    "to withdraw",
    "aby ",
    "zeby ",
    "um ",
    "unsubscribe link",
    "every email",
];
/// and words before which a thought of its own begins.
pub(super) const PARTING: &[&str] = &[
    "i ",
    "oraz ",
    "a takze ",
    "do czasu ",
    "do odwol",
    "do momentu ",
    "do chwili ",
    "az do ",
    "dopoki ",
    "z mozliwosc",
    "z prawem ",
    "z ktor",
    "ktor",
    "co moge ",
    "mogac ",
    "and ",
    "but ",
    "until ",
    "which ",
    "with the right ",
    "with the option ",
    "with the possib",
    "und ",
    "aber ",
    "bis auf ",
    "bis zum ",
    "mit der moglich",
];
/// Folded words of a header of how things stand,
pub(super) const STATUS: &[&str] = &["status", "stan", "state"];
/// and what such a column says of whoever left.
pub(super) const LEFT: &[&str] = &[
    "unsubscribed",
    "opted out",
    "opt out",
    "optout",
    "optedout",
    "wypisany",
    "wypisana",
    "wypisano",
    "wypisal sie",
    "wypisala sie",
    "abgemeldet",
    "ausgetragen",
];
