//! What becomes of a person and a firm when somebody writes them into a list.

use super::{
    super::{number::Number, person::Country, random::Random, text::folded},
    COLUMNS,
    firm::{Firm, legal_forms},
    pools::{Pools, nicknames},
    staff::Person,
};

/// Where leads come from, how many in 100, and how often in 1,000 something is missing there.
struct Source {
    name: &'static str,
    percent: u64,
    without_email: u64,
    without_phone: u64,
    with_role_mailbox: u64,
}

const SOURCES: &[Source] = &[
    Source {
        name: "crm",
        percent: 25,
        without_email: 120,
        without_phone: 150,
        with_role_mailbox: 120,
    },
    Source {
        name: "webform",
        percent: 25,
        without_email: 30,
        without_phone: 300,
        with_role_mailbox: 50,
    },
    Source {
        name: "tradeshow",
        percent: 17,
        without_email: 300,
        without_phone: 300,
        with_role_mailbox: 120,
    },
    Source {
        name: "linkedin",
        percent: 16,
        without_email: 350,
        without_phone: 700,
        with_role_mailbox: 80,
    },
    Source {
        name: "purchased_list",
        percent: 17,
        without_email: 200,
        without_phone: 250,
        with_role_mailbox: 160,
    },
];

const JUNK_MAIL: &[&str] =
    &["test@test.com", "none@none.com", "noemail@example.com", "a@a.com", "brak@brak.pl"];
const JUNK_PHONES: &[&str] =
    &["000000000", "123456789", "5555555555", "111111111", "0", "999999999"];

/// Returns the cells of one lead, without the id.
pub fn lead(
    person: &Person,
    firm: &Firm,
    pools: &Pools,
    random: &mut Random,
) -> [String; COLUMNS.len() - 1] {
    let source = drawn_source(random);
    let [given, family] = names(person, firm, pools, random);
    let email = email(person, firm, source, random);
    let phone = phone(person, firm, source, random);
    let company = if random.chance(940) { company(firm, random) } else { String::new() };
    let [street, city, postcode, country] = address(firm, random);
    let title = if random.chance(600) { person.title.to_owned() } else { String::new() };
    [
        given,
        family,
        email,
        phone,
        company,
        website(firm, random),
        street,
        city,
        postcode,
        country,
        title,
        source.name.to_owned(),
    ]
}

fn drawn_source(random: &mut Random) -> &'static Source {
    let mut drawn = random.below(100);
    for source in SOURCES {
        if drawn < source.percent {
            return source;
        }
        drawn -= source.percent;
    }
    &SOURCES[0]
}

fn names(person: &Person, firm: &Firm, pools: &Pools, random: &mut Random) -> [String; 2] {
    let (mut given, mut family) = (person.given.to_owned(), person.family.clone());
    let short = nicknames(person.given);
    if !short.is_empty() && random.chance(220) {
        (*random.pick(short)).clone_into(&mut given);
    }
    if random.chance(60) {
        let initial = given.chars().next().unwrap_or('X');
        given = format!("{initial}{}", random.pick(&[".", ".", ""]));
    } else if random.chance(50) {
        given = mistyped(&given, random);
    }
    if random.chance(60) {
        family = mistyped(&family, random);
    }
    if random.chance(120) {
        (given, family) = (folded(&given), folded(&family));
    }
    if random.chance(20) {
        // Double names: one of the two is what the person bears elsewhere.
        family = format!("{family}-{}", pools.family(firm.country, random));
    }
    if random.chance(30) {
        (given, family) = (family, given);
    }
    if random.chance(50) {
        (given, family) = (given.to_uppercase(), family.to_uppercase());
    }
    if random.chance(30) {
        let title = match firm.country {
            Country::Poland => *random.pick(&["mgr", "Pani", "Pan", "inż."]),
            Country::UnitedKingdom => *random.pick(&["Mr", "Mrs", "Dr"]),
            Country::Germany => *random.pick(&["Herr", "Frau", "Dr."]),
        };
        given = format!("{title} {given}");
    }
    [given, family]
}

fn email(person: &Person, firm: &Firm, source: &Source, random: &mut Random) -> String {
    if random.chance(source.without_email) {
        return String::new();
    }
    if random.chance(source.with_role_mailbox) {
        return format!("{}@{}", firm.role_mailbox, firm.domain);
    }
    if random.chance(15) {
        return (*random.pick(JUNK_MAIL)).to_owned();
    }
    let is_private = random.chance(if person.has_moved { 500 } else { 220 });
    let address = if is_private { &person.private_email } else { &person.work_email };
    let Some((mailbox, domain)) = address.split_once('@') else { return address.clone() };
    let mut mailbox = mailbox.to_owned();
    if domain == "gmail.com" && random.chance(300) {
        mailbox = mailbox.replace('.', "");
    }
    if random.chance(40) {
        mailbox = mistyped(&mailbox, random);
    }
    if random.chance(40) {
        mailbox = format!("{mailbox}+{}", random.pick(&["news", "promo", "expo"]));
    }
    let written = format!("{mailbox}@{domain}");
    match random.below(100) {
        0..10 => written.to_uppercase(),
        10..22 => capitalized(&written),
        _ => written,
    }
}

fn phone(person: &Person, firm: &Firm, source: &Source, random: &mut Random) -> String {
    if random.chance(source.without_phone) {
        return String::new();
    }
    if random.chance(20) {
        return (*random.pick(JUNK_PHONES)).to_owned();
    }
    if random.chance(if person.has_moved { 250 } else { 420 }) {
        let number = firm.switchboard.typed(random);
        if !random.chance(150) {
            return number;
        }
        let mark = match firm.country {
            Country::Poland => *random.pick(&[" wew. ", " w. ", " wewn. "]),
            Country::UnitedKingdom => *random.pick(&[" ext. ", " x", " ext "]),
            Country::Germany => *random.pick(&[" DW ", " Durchwahl ", " ext. "]),
        };
        return format!("{number}{mark}{}", random.below(989) + 10);
    }
    let mut mobile: Number = person.mobile.clone();
    if random.chance(30) {
        let at = random.below(mobile.rest.len() as u64) as usize;
        mobile.rest.replace_range(at..=at, &random.below(10).to_string());
    }
    mobile.typed(random)
}

fn company(firm: &Firm, random: &mut Random) -> String {
    let legal_form = match random.below(100) {
        0..58 => firm.legal_form,
        58..68 => *random.pick(legal_forms(firm.country)),
        _ => "",
    };
    let name = match random.below(100) {
        0..8 => mistyped(&firm.name, random),
        8..16 => firm.name.to_uppercase(),
        16..22 => folded(&firm.name),
        22..30 => firm.name.split(' ').next().unwrap_or(&firm.name).to_owned(),
        30..33 => firm.name.to_lowercase(),
        _ => firm.name.clone(),
    };
    format!("{name} {legal_form}").trim().to_owned()
}

fn website(firm: &Firm, random: &mut Random) -> String {
    let domain = &firm.domain;
    match random.below(100) {
        0..20 => domain.clone(),
        20..28 => format!("www.{domain}"),
        28..35 => format!("https://{domain}"),
        35..42 => format!("https://www.{domain}/"),
        42..45 => format!("http://{domain}/kontakt"),
        _ => String::new(),
    }
}

fn address(firm: &Firm, random: &mut Random) -> [String; 4] {
    let (mut street, mut city, mut postcode) = (String::new(), String::new(), String::new());
    if random.chance(550) {
        let Firm { street: road, house, .. } = firm;
        street = match firm.country {
            Country::Poland if random.chance(500) => format!("ul. {road} {house}"),
            Country::Poland | Country::Germany => format!("{road} {house}"),
            Country::UnitedKingdom => format!("{house} {road}"),
        };
        if random.chance(60) {
            street = mistyped(&street, random);
        }
        if random.chance(150) {
            street = street.replace("straße", "str.");
            street = folded(&street);
        }
    }
    if random.chance(750) {
        city = if random.chance(150) {
            folded(firm.town).to_uppercase()
        } else {
            firm.town.to_owned()
        };
    }
    if random.chance(550) {
        postcode.clone_from(&firm.postcode);
        if random.chance(80) {
            postcode.retain(|letter| letter.is_ascii_alphanumeric());
        }
    }
    let country = if random.chance(700) { *random.pick(firm.country.written()) } else { "" };
    [street, city, postcode, country.to_owned()]
}

/// Returns the text with one slip of the fingers after the first letter; texts of two letters stay.
fn mistyped(text: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    if letters.len() < 3 {
        return text.to_owned();
    }
    let at = 1 + random.below(letters.len() as u64 - 1) as usize;
    match random.below(100) {
        0..28 => {
            letters.remove(at);
        }
        28..55 => letters[at] = neighbour(letters[at], random),
        55..75 => letters.insert(at, letters[at]),
        // The first letter is seldom wrong, so it takes no part in a swap either.
        _ if at > 1 => letters.swap(at - 1, at),
        _ => letters.swap(1, 2),
    }
    letters.into_iter().collect()
}

/// Returns a letter that lies beside another on a keyboard.
fn neighbour(letter: char, random: &mut Random) -> char {
    const ROWS: [&[u8]; 4] = [b"1234567890", b"qwertyuiop", b"asdfghjkl", b"zxcvbnm"];
    let plain = folded(&letter.to_lowercase().to_string());
    let wanted = plain.bytes().next().unwrap_or(b'e');
    for row in ROWS {
        let Some(at) = row.iter().position(|key| *key == wanted) else { continue };
        let beside =
            if at == 0 || (at + 1 < row.len() && random.chance(500)) { at + 1 } else { at - 1 };
        return char::from(row[beside]);
    }
    'e'
}

fn capitalized(address: &str) -> String {
    let mut starts_word = true;
    let mut written = String::with_capacity(address.len());
    for letter in address.chars() {
        if letter == '@' {
            written.push_str(&address[written.len()..]);
            break;
        }
        written.push(if starts_word { letter.to_ascii_uppercase() } else { letter });
        starts_word = letter == '.';
    }
    written
}
