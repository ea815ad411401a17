//! The word lists people and firms are made of.

/// Given names of Polish women.
pub const POLISH_WOMEN: &[&str] = &[
    "Anna",
    "Katarzyna",
    "Małgorzata",
    "Agnieszka",
    "Ewa",
    "Zofia",
    "Joanna",
    "Magdalena",
    "Żaneta",
    "Łucja",
    "Aleksandra",
    "Barbara",
    "Grażyna",
    "Bożena",
    "Urszula",
    "Monika",
    "Natalia",
    "Wiktoria",
    "Julia",
    "Patrycja",
    "Świętosława",
    "Halina",
    "Iwona",
    "Jadwiga",
    "Kinga",
];

/// Given names of Polish men.
pub const POLISH_MEN: &[&str] = &[
    "Jan",
    "Krzysztof",
    "Łukasz",
    "Paweł",
    "Michał",
    "Grzegorz",
    "Tomasz",
    "Wojciech",
    "Stanisław",
    "Jakub",
    "Piotr",
    "Marcin",
    "Rafał",
    "Sławomir",
    "Zdzisław",
    "Adam",
    "Mateusz",
    "Bartłomiej",
    "Dariusz",
    "Kamil",
    "Żegota",
    "Józef",
    "Mirosław",
    "Andrzej",
    "Bogusław",
];

/// Polish family names, as a man and as a woman bears them.
pub const POLISH_FAMILIES: &[(&str, &str)] = &[
    ("Kowalski", "Kowalska"),
    ("Łęcki", "Łęcka"),
    ("Wiśniewski", "Wiśniewska"),
    ("Wójcik", "Wójcik"),
    ("Żak", "Żak"),
    ("Zieliński", "Zielińska"),
    ("Dąbrowski", "Dąbrowska"),
    ("Szymański", "Szymańska"),
    ("Woźniak", "Woźniak"),
    ("Krawczyk", "Krawczyk"),
    ("Pawłowski", "Pawłowska"),
    ("Michalski", "Michalska"),
    ("Król", "Król"),
    ("Wróbel", "Wróbel"),
    ("Jabłoński", "Jabłońska"),
    ("Stępień", "Stępień"),
    ("Górski", "Górska"),
    ("Witkowski", "Witkowska"),
    ("Sikora", "Sikora"),
    ("Bąk", "Bąk"),
    ("Ćwikliński", "Ćwiklińska"),
    ("Głowacki", "Głowacka"),
    ("Kołodziej", "Kołodziej"),
    ("Święcicki", "Święcicka"),
    ("Źrebiec", "Źrebiec"),
    ("Ostrowski", "Ostrowska"),
    ("Gąsior", "Gąsior"),
    ("Późniak", "Późniak"),
    ("Mączka", "Mączka"),
    ("Brzęczyszczykiewicz", "Brzęczyszczykiewicz"),
    ("Nowak", "Nowak"),
    ("Lis", "Lis"),
    ("Rzecki", "Rzecka"),
    ("Wokulski", "Wokulska"),
    ("Starski", "Starska"),
    ("Stawski", "Stawska"),
    ("Bohatyrowicz", "Bohatyrowicz"),
    ("Korczyński", "Korczyńska"),
    ("Boryna", "Boryna"),
    ("Judym", "Judym"),
];

/// Given names in English-speaking countries.
pub const ENGLISH_GIVEN: &[&str] = &[
    "Oliver",
    "Emma",
    "James",
    "Charlotte",
    "William",
    "Sophie",
    "Thomas",
    "Grace",
    "Daniel",
    "Hannah",
    "Edward",
    "Alice",
    "Samuel",
    "Lucy",
    "Joseph",
    "Ruth",
    "Arthur",
    "Florence",
    "Harry",
    "Martha",
    "Siobhán",
    "Declan",
];

/// English family names.
pub const ENGLISH_FAMILIES: &[&str] = &[
    "Smith",
    "Jones",
    "Taylor",
    "Brown",
    "Wilson",
    "Evans",
    "O'Neill",
    "Walker",
    "Hughes",
    "Green",
    "Clarke",
    "Hall-Jackson",
    "Wood",
    "Turner",
    "Hill",
    "Cooper",
    "Ward",
    "Bennett",
    "Ashdown",
    "Hartley",
    "MacLeod",
    "Pemberton",
    "Whitlock",
    "Fairweather",
];

/// Given names in German-speaking countries.
pub const GERMAN_GIVEN: &[&str] = &[
    "Lukas",
    "Jürgen",
    "Sabine",
    "Katharina",
    "Björn",
    "Ute",
    "Wolfgang",
    "Anke",
    "Matthias",
    "Käthe",
    "Stefan",
    "Birgit",
    "Jörg",
    "Heike",
    "Florian",
    "Lena",
    "Günther",
    "Franziska",
    "Felix",
    "Mareike",
];

/// German family names.
pub const GERMAN_FAMILIES: &[&str] = &[
    "Müller",
    "Schmidt",
    "Schneider",
    "Fischer",
    "Weber",
    "Wagner",
    "Becker",
    "Schäfer",
    "Köhler",
    "Krüger",
    "Hartmann",
    "Groß",
    "Böhm",
    "Lange",
    "Schröder",
    "Vogel",
    "Jäger",
    "Weiß",
    "Kühn",
    "Brandt",
    "von Thale",
    "Ziegler",
    "Hoffmann",
];

/// First halves of firm names.
pub const FIRM_STEMS: &[&str] = &[
    "Alfa", "Nova", "Terra", "Euro", "Agro", "Metal", "Bio", "Eko", "Data", "Soft", "Omni",
    "Delta", "Hydro", "Trans", "Cargo", "Mega", "Vita", "Opti", "Lumi", "Aero", "Geo", "Vega",
    "Titan", "Atlas", "Nexus", "Kwant", "Zen", "Krea", "Stal", "Wis", "Kra", "Lub", "Baltik",
    "Karpa", "Mazo", "Sude",
];

/// Second halves of firm names.
pub const FIRM_ENDINGS: &[&str] = &[
    "tech", "plast", "med", "bud", "pol", "tex", "chem", "log", "form", "lab", "line", "soft",
    "trade", "flex", "plan", "point", "gate", "core", "link", "serv", "print", "pack", "food",
    "farm", "care", "steel", "energy", "wit",
];

/// Job titles with the number of times they should turn up in a pick.
pub const JOB_TITLES: &[&str] = &[
    "CEO",
    "Owner",
    "Sales Manager",
    "IT Director",
    "Purchasing Manager",
    "Head of Marketing",
    "CFO",
    "Office Manager",
    "Marketing Specialist",
    "Student",
    "Developer",
    "Operations Director",
    "Prezes zarządu",
    "Dyrektor handlowy",
    "Kierownik zakupów",
    "Specjalista ds. marketingu",
    "właściciel",
    "Geschäftsführer",
    "Leiter Einkauf",
    "",
];

/// What the invented vendor sells.
pub const PRODUCTS: &[&str] = &["AI", "CRM", "Analytics", "Automation", "Integrations", "Support"];

/// Polish towns.
pub const POLISH_TOWNS: &[&str] = &[
    "Warszawa",
    "Kraków",
    "Łódź",
    "Wrocław",
    "Poznań",
    "Gdańsk",
    "Szczecin",
    "Lublin",
    "Białystok",
    "Rzeszów",
    "Bielsko-Biała",
    "Zielona Góra",
    "Nowy Sącz",
];

/// British towns.
pub const BRITISH_TOWNS: &[&str] =
    &["London", "Manchester", "Leeds", "Bristol", "Sheffield", "Cardiff", "Glasgow"];

/// German towns.
pub const GERMAN_TOWNS: &[&str] =
    &["Berlin", "Hamburg", "München", "Köln", "Düsseldorf", "Leipzig", "Nürnberg"];

/// What Polish visitors write into the message field.
pub const POLISH_MESSAGES: &[&str] = &[
    "Proszę o wycenę dla 25 użytkowników.",
    "Chcielibyśmy umówić prezentację w przyszłym tygodniu.",
    "Czy system łączy się z naszym ERP?",
    "Interesuje nas wdrożenie jeszcze w tym roku.",
    "Proszę o kontakt po godzinie 15, wcześniej jestem na produkcji.",
    "Jaki jest koszt utrzymania i czy są zniżki dla szkół?",
    "Szukamy następcy obecnego rozwiązania, budżet ok. 40 tys. zł.",
    "",
];

/// What English-speaking visitors write into the message field.
pub const ENGLISH_MESSAGES: &[&str] = &[
    "Please send me a quote for 25 seats.",
    "We would like a demo next week if possible.",
    "Does it integrate with our ERP?",
    "Looking to replace our current tool before the end of the year.",
    "How does pricing work for non-profits?",
    "Please call after 3 pm, I am on site in the mornings.",
    "",
];

/// What German-speaking visitors write into the message field.
pub const GERMAN_MESSAGES: &[&str] = &[
    "Bitte senden Sie uns ein Angebot für 25 Nutzer.",
    "Wir hätten gern eine Vorführung in der nächsten Woche.",
    "Lässt sich das System an unser ERP anbinden?",
    "Was kostet die Wartung pro Jahr?",
    "",
];

/// User agents of ordinary browsers.
pub const USER_AGENTS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Android 16; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
];
