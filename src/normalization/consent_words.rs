//! Words by which consent questions and their answers are told.

use crate::model::consent::Channel;

/// Beginnings of folded words that tell a marketing consent.
pub(super) const MARKETING: &[&str] = &[
    "marketing",
    "handlow",
    "newsletter",
    "reklam",
    "promoc",
    "ofert",
    "commercial",
    "werb",
    "angebot",
    "advert",
    "offers",
    "news",
    "mkt",
    "biuletyn",
    "mailing",
    "nowosci",
    "aktualnosci",
    "rabat",
    "znizk",
    "subskry",
    "subscri",
    "promo",
];
/// Beginnings of words behind which one offer stands that somebody asked for: it answers the enquiry, and only
/// offers without end are marketing.
pub(super) const ONE_OFFER_AFTER: &[&str] = &[
    "wyslac",
    "wyslan",
    "przeslac",
    "przeslan",
    "przedstaw",
    "przygotow",
    "otrzymanie",
    "otrzymac",
    "ein",
    "eines",
    "ihr",
    "das",
];
/// Folded words for one offer.
pub(super) const ONE_OFFER: &[&str] = &["oferte", "oferty", "angebot", "angebots"];
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
/// Most words between sending an offer and the offer.
pub(super) const ONE_OFFER_WORDS: usize = 3;
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
];
