//! Persons and the firms they work for, each a pure function of a seed and a number.
//!
//! Nothing is remembered: person 4,711 is computed again whenever she submits again, which is what lets the export
//! grow to any length in flat memory.

use super::{
    names,
    number::Number,
    random::{Random, mix},
    text::slug,
};

/// Where a person lives and which language she writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Country {
    Poland,
    UnitedKingdom,
    Germany,
}

impl Country {
    /// Returns the digits after the plus of an international number.
    pub fn calling_code(self) -> &'static str {
        match self {
            Self::Poland => "48",
            Self::UnitedKingdom => "44",
            Self::Germany => "49",
        }
    }

    /// Returns the ways in which forms hold the country.
    pub fn written(self) -> &'static [&'static str] {
        match self {
            Self::Poland => &["PL", "PL", "Poland", "Polska", "polska"],
            Self::UnitedKingdom => &["GB", "UK", "United Kingdom"],
            Self::Germany => &["DE", "DE", "Germany", "Deutschland"],
        }
    }

    /// Returns the two-letter language of the country.
    pub fn language(self) -> &'static str {
        match self {
            Self::Poland => "pl",
            Self::UnitedKingdom => "en",
            Self::Germany => "de",
        }
    }

    /// Returns what visitors of the country write into a message field.
    pub fn messages(self) -> &'static [&'static str] {
        match self {
            Self::Poland => names::POLISH_MESSAGES,
            Self::UnitedKingdom => names::ENGLISH_MESSAGES,
            Self::Germany => names::GERMAN_MESSAGES,
        }
    }

    fn towns(self) -> &'static [&'static str] {
        match self {
            Self::Poland => names::POLISH_TOWNS,
            Self::UnitedKingdom => names::BRITISH_TOWNS,
            Self::Germany => names::GERMAN_TOWNS,
        }
    }

    fn legal_forms(self) -> &'static [&'static str] {
        match self {
            Self::Poland => &["Sp. z o.o.", "sp. z o. o.", "S.A.", "Sp. j.", ""],
            Self::UnitedKingdom => &["Ltd", "Limited", "PLC", ""],
            Self::Germany => &["GmbH", "AG", "GmbH & Co. KG", ""],
        }
    }

    fn role_mailboxes(self) -> &'static [&'static str] {
        match self {
            Self::Poland => &["biuro", "info", "kontakt", "sekretariat"],
            Self::UnitedKingdom => &["info", "office", "hello"],
            Self::Germany => &["info", "kontakt", "vertrieb"],
        }
    }

    fn free_mail(self) -> &'static [&'static str] {
        match self {
            Self::Poland => &["gmail.com", "gmail.com", "wp.pl", "onet.pl", "o2.pl", "interia.pl"],
            Self::UnitedKingdom => &["gmail.com", "outlook.com"],
            Self::Germany => &["gmail.com", "gmx.de", "web.de"],
        }
    }

    /// Returns the given and family name of one inhabitant.
    fn name(self, woman: bool, given: u64, family: u64) -> (&'static str, &'static str) {
        let at = |list: &[&'static str], place: u64| list[(place % list.len() as u64) as usize];
        match self {
            Self::Poland => {
                let (man, wife) =
                    names::POLISH_FAMILIES[(family % names::POLISH_FAMILIES.len() as u64) as usize];
                if woman {
                    (at(names::POLISH_WOMEN, given), wife)
                } else {
                    (at(names::POLISH_MEN, given), man)
                }
            }
            Self::UnitedKingdom => {
                (at(names::ENGLISH_GIVEN, given), at(names::ENGLISH_FAMILIES, family))
            }
            Self::Germany => (at(names::GERMAN_GIVEN, given), at(names::GERMAN_FAMILIES, family)),
        }
    }
}

/// An employer.
#[derive(Clone)]
pub struct Firm {
    pub name: String,
    pub domain: String,
    pub switchboard: Number,
    pub role_mailbox: String,
    pub town: &'static str,
    pub employees: u64,
}

/// Which of her contact data a person gives away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// A mailbox and a telephone of her own.
    Own,
    /// The firm's `info@` mailbox and a telephone of her own.
    RoleMailbox,
    /// A mailbox of her own and the firm's switchboard.
    Switchboard,
    EmailOnly,
    PhoneOnly,
}

/// Somebody who fills in forms.
#[derive(Clone)]
pub struct Person {
    pub id: u64,
    pub country: Country,
    pub first: &'static str,
    pub last: &'static str,
    pub email: String,
    pub phone: Number,
    pub firm: Firm,
    pub title: &'static str,
    pub reach: Reach,
}

/// Everybody there is under a seed.
pub struct Population {
    seed: u64,
    size: u64,
}

/// Persons in one block of firms: names and mailboxes are distinct within a firm because its members are counted.
const BLOCK: u64 = 12;
/// How many of a block's persons each of its firms employs.
const STAFFS: &[&[u64]] = &[
    &[1, 1, 1, 1, 3, 5],
    &[2, 2, 3, 5],
    &[1, 1, 2, 8],
    &[12],
    &[1, 2, 2, 2, 2, 3],
    &[1, 1, 1, 2, 3, 4],
];
const FIRMS_PER_BLOCK: u64 = 6;
/// A prime above every population, hence coprime to its size.
const STRIDE: u64 = 2_147_483_647;

const FIRM_STREAM: u64 = 0xF1;
const PERSON_STREAM: u64 = 0xBE;

impl Population {
    /// Returns a population of at least `persons`.
    pub fn new(seed: u64, persons: u64) -> Self {
        Self { seed, size: persons.div_ceil(BLOCK).max(1) * BLOCK }
    }

    /// Returns a person; the same number is always the same person.
    pub fn person(&self, id: u64) -> Person {
        // Colleagues must not submit one after another, so persons are dealt out to the blocks with a stride.
        let place = ((u128::from(id) * u128::from(STRIDE) + 7) % u128::from(self.size)) as u64;
        let (block, mut slot) = (place / BLOCK, place % BLOCK);
        let staffs = STAFFS[(mix(self.seed, block) % STAFFS.len() as u64) as usize];
        let mut firm = block * FIRMS_PER_BLOCK;
        let mut staff = 1;
        for &size in staffs {
            staff = size;
            if slot < size {
                break;
            }
            slot -= size;
            firm += 1;
        }
        self.employee(id, firm, slot, staff)
    }

    fn employee(&self, id: u64, firm_number: u64, slot: u64, staff: u64) -> Person {
        let mut about_firm = Random::of(self.seed ^ FIRM_STREAM, firm_number);
        let country = *about_firm.pick(&[
            Country::Poland,
            Country::Poland,
            Country::Poland,
            Country::Poland,
            Country::Poland,
            Country::Poland,
            Country::UnitedKingdom,
            Country::UnitedKingdom,
            Country::Germany,
            Country::Germany,
        ]);
        let (given, family) = (about_firm.below(1000), about_firm.below(1000));
        let is_family_firm = staff > 1 && about_firm.chance(40);
        let firm = invent_firm(&mut about_firm, country, firm_number, staff);

        let mut about_person = Random::of(self.seed ^ PERSON_STREAM, id);
        // A couple shares the family name and the telephone; each has a given name and a mailbox.
        let in_couple = is_family_firm && slot < 2;
        let woman = if in_couple { slot == 1 } else { about_person.chance(480) };
        let (first, last) =
            country.name(woman, given + slot, family + if in_couple { 0 } else { slot });
        let own_phone = Number::mobile(country, id);
        let phone = if in_couple { firm.switchboard.clone() } else { own_phone };
        let reach = match about_person.below(100) {
            _ if in_couple => Reach::Own,
            0..5 => Reach::EmailOnly,
            5..9 => Reach::PhoneOnly,
            9..12 => Reach::RoleMailbox,
            12..16 => Reach::Switchboard,
            // Larger firms publish their switchboard, so that is what many of their people type.
            16..40 if staff >= 5 => Reach::Switchboard,
            _ => Reach::Own,
        };
        let (given_slug, family_slug) = (slug(first), slug(last));
        let email = match about_person.below(100) {
            0..35 => format!(
                "{given_slug}.{family_slug}.t{id}@{}",
                about_person.pick(country.free_mail())
            ),
            35..75 => format!("{given_slug}.{family_slug}@{}", firm.domain),
            75..90 if !in_couple => format!("{}.{family_slug}@{}", &given_slug[..1], firm.domain),
            _ => format!("{given_slug}.{family_slug}{}@{}", slot + 1, firm.domain),
        };
        let title = about_person.pick(names::JOB_TITLES);
        Person { id, country, first, last, email, phone, firm, title, reach }
    }
}

fn invent_firm(random: &mut Random, country: Country, number: u64, staff: u64) -> Firm {
    let stem = format!("{}{}", random.pick(names::FIRM_STEMS), random.pick(names::FIRM_ENDINGS));
    let domain = format!("{}-{}.example", slug(&stem), base36(number));
    let name = format!("{stem} {}", random.pick(country.legal_forms())).trim().to_owned();
    let role_mailbox = format!("{}@{domain}", random.pick(country.role_mailboxes()));
    let employees = staff * [1, 2, 5, 10, 25, 60][random.below(6) as usize] + random.below(4);
    let town = random.pick(country.towns());
    Firm {
        name,
        domain,
        switchboard: Number::switchboard(country, number),
        role_mailbox,
        town,
        employees,
    }
}

/// Returns the number in digits and lower-case letters.
pub fn base36(number: u64) -> String {
    let mut digits = Vec::new();
    let mut rest = number;
    loop {
        digits.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[(rest % 36) as usize]);
        rest /= 36;
        if rest == 0 {
            break;
        }
    }
    digits.iter().rev().map(|&digit| char::from(digit)).collect()
}
