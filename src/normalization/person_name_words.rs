//! The words by which [`super::person_name`] takes a name apart, folded except where they say otherwise.

/// Words that belong to the family name after them, folded.
pub(super) const PARTICLES: &[&str] = &[
    "von", "van", "vom", "zu", "zum", "zur", "de", "del", "della", "di", "da", "dos", "das", "du",
    "des", "la", "le", "der", "den", "ter", "ten", "bin", "ibn", "al", "el", "st", "dal", "af",
    "av",
];
/// Letters after a name that tell of degrees, folded.
pub(super) const SUFFIXES: &[&str] = &[
    "phd", "ph d", "mba", "md", "esq", "jr", "sr", "msc", "bsc", "ma", "ba", "llm", "ii", "iii",
    "iv", "cpa", "emba",
];

/// The same where they are written with a dot; without it they are names.
pub(super) const SUFFIXES_WITH_DOT: &[&str] =
    &["jun", "sen", "m a", "b a", "m sc", "b sc", "ll m", "inh"];
/// Words for what somebody is, behind the name, folded.
pub(super) const ROLES_BEHIND: &[&str] = &[
    "wlasciciel",
    "wlascicielka",
    "wspolwlasciciel",
    "prezes",
    "dyrektor",
    "dyrektorka",
    "kierownik",
    "kierowniczka",
    "owner",
    "ceo",
    "inhaber",
    "inhaberin",
    "geschaftsfuhrer",
    "geschaftsfuhrerin",
];
/// German titles of nobility, which belong to the family name, folded.
pub(super) const NOBLE: &[&str] =
    &["graf", "grafin", "freiherr", "freifrau", "baron", "ritter", "edler", "prinz"];
/// Folded endings by which Polish and Ukrainian family names are told.
pub(super) const FAMILY_ENDINGS: &[&str] =
    &["ski", "ska", "cki", "cka", "dzki", "dzka", "wicz", "czyk", "enko", "ez"];
/// Endings of patronymics, folded: in `Ivanov Ivan Ivanovich` the family name comes first.
pub(super) const PATRONYMIC_ENDINGS: &[&str] = &[
    "ovich", "evich", "ovych", "evych", "ovna", "evna", "ivna", "yivna", "jowycz", "owycz", "iwna",
];
/// Vietnamese family names, folded; they come first, and so few there are that they tell.
pub(super) const VIETNAMESE_FAMILIES: &[&str] = &[
    "nguyen", "tran", "pham", "huynh", "hoang", "phan", "vu", "vo", "dang", "bui", "ngo", "duong",
    "truong", "trinh", "dinh", "le", "do", "ho", "ly", "mai", "dao", "lam",
];
/// Vietnamese middle names, folded.
pub(super) const VIETNAMESE_MIDDLES: &[&str] = &[
    "van", "thi", "huu", "duc", "minh", "thanh", "quang", "ngoc", "xuan", "hong", "kim", "thu",
    "anh", "cong",
];

/// Words between two given names or two parts of a title of nobility.
pub(super) const CONNECTIVES: &[&str] = &["i", "oraz", "and", "und", "vel"];
/// Academic titles that stand behind a name, too, folded.
pub(super) const TITLES_BEHIND: &[&str] = &[
    "mgr", "inz", "dr", "hab", "prof", "lic", "lek", "mec", "adw", "arch", "dipl", "ing", "n",
    "med", "dent",
];
/// Words before the name that somebody was born with.
pub(super) const BORN: &[&str] =
    &[" z domu ", " z d. ", " geb. ", " née ", " nee ", " zd. ", " de domo ", " dawniej "];
