//! The firms people work for: names, domains, addresses and the contacts that everybody there shares.

use std::collections::BTreeSet;

use super::{
    super::{names, number::Number, person::Country, random::Random, text::slug},
    pools::Pools,
};

/// A firm as it would write itself.
pub struct Firm {
    pub number: usize,
    pub country: Country,
    /// Without the legal form.
    pub name: String,
    pub legal_form: &'static str,
    pub domain: String,
    pub town: &'static str,
    pub postcode: String,
    pub street: &'static str,
    pub house: u64,
    pub switchboard: Number,
    /// `biuro`, `info` and the like.
    pub role_mailbox: &'static str,
    /// The family name of the owners, for a family firm.
    pub family: Option<String>,
}

/// Founds firms one after another, each with a domain of its own.
pub struct Firms<'p> {
    seed: u64,
    pools: &'p Pools,
    founded: usize,
    domains: BTreeSet<String>,
}

const FIRM_STREAM: u64 = 0xF2;
/// Firms in 1,000 that bear the family name of their owners.
const FAMILY_FIRMS: u64 = 150;

const MORE_STEMS: &[&str] = &[
    "Poly", "Inter", "Net", "Pro", "Max", "Petro", "Uni", "Auto", "Info", "Tele", "Sky", "Blue",
    "Green", "North", "West", "Silver", "Prime", "Gold", "Astra", "Orion", "Quantum", "Vertex",
    "Dre", "Bal", "Mor", "Gda", "Via", "Kon", "Rema", "Sol", "Tri", "Ultra",
];
const MORE_ENDINGS: &[&str] = &[
    "mar", "net", "ware", "group", "wood", "sys", "con", "dex", "vit", "tron", "ma", "ro", "lux",
    "pex", "gas", "bau", "al", "ix",
];

/// Legal forms, each in the ways it is written.
pub fn legal_forms(country: Country) -> &'static [&'static str] {
    match country {
        Country::Poland => {
            &["Sp. z o.o.", "sp. z o. o.", "Spółka z o.o.", "S.A.", "Sp. j.", "Sp. k.", ""]
        }
        Country::UnitedKingdom => &["Ltd", "Limited", "Ltd.", "PLC", "LLP", ""],
        Country::Germany => &["GmbH", "AG", "GmbH & Co. KG", "UG (haftungsbeschränkt)", ""],
    }
}

fn trades(country: Country) -> &'static [&'static str] {
    match country {
        Country::Poland => &[
            "",
            "",
            "",
            "Systemy",
            "Usługi",
            "Technologie",
            "Polska",
            "Logistyka",
            "Budownictwo",
            "Handel",
            "Serwis",
            "Instalacje",
        ],
        Country::UnitedKingdom => &[
            "",
            "",
            "",
            "Solutions",
            "Services",
            "Systems",
            "Group",
            "Logistics",
            "Consulting",
            "Partners",
            "Engineering",
        ],
        Country::Germany => &[
            "",
            "",
            "",
            "Technik",
            "Systeme",
            "Logistik",
            "Beratung",
            "Handel",
            "Dienstleistungen",
            "Maschinenbau",
        ],
    }
}

/// Towns and how their postcodes begin.
fn towns(country: Country) -> &'static [(&'static str, &'static str)] {
    match country {
        Country::Poland => &[
            ("Warszawa", "0"),
            ("Kraków", "3"),
            ("Łódź", "9"),
            ("Wrocław", "5"),
            ("Poznań", "6"),
            ("Gdańsk", "8"),
            ("Szczecin", "7"),
            ("Lublin", "2"),
            ("Katowice", "4"),
            ("Białystok", "1"),
            ("Bielsko-Biała", "4"),
            ("Nowy Sącz", "3"),
        ],
        Country::UnitedKingdom => &[
            ("London", "EC"),
            ("Manchester", "M"),
            ("Birmingham", "B"),
            ("Leeds", "LS"),
            ("Glasgow", "G"),
            ("Bristol", "BS"),
            ("Sheffield", "S"),
            ("Cardiff", "CF"),
        ],
        Country::Germany => &[
            ("Berlin", "1"),
            ("Hamburg", "2"),
            ("München", "8"),
            ("Köln", "5"),
            ("Frankfurt am Main", "6"),
            ("Stuttgart", "7"),
            ("Düsseldorf", "4"),
            ("Leipzig", "0"),
            ("Nürnberg", "9"),
        ],
    }
}

fn streets(country: Country) -> &'static [&'static str] {
    match country {
        Country::Poland => &[
            "Polna",
            "Leśna",
            "Słoneczna",
            "Krótka",
            "Szkolna",
            "Ogrodowa",
            "Lipowa",
            "Łąkowa",
            "Brzozowa",
            "Kwiatowa",
            "Kościelna",
            "Sosnowa",
            "Zielona",
            "Parkowa",
            "Przemysłowa",
            "Fabryczna",
            "Długa",
            "Marszałkowska",
            "Jana Pawła II",
            "3 Maja",
            "Kolejowa",
            "Mickiewicza",
        ],
        Country::UnitedKingdom => &[
            "High Street",
            "Station Road",
            "Main Street",
            "Park Road",
            "Church Road",
            "London Road",
            "Victoria Road",
            "Green Lane",
            "Manor Road",
            "King Street",
            "Queen Street",
            "Mill Lane",
        ],
        Country::Germany => &[
            "Hauptstraße",
            "Schulstraße",
            "Gartenstraße",
            "Bahnhofstraße",
            "Dorfstraße",
            "Bergstraße",
            "Birkenweg",
            "Lindenstraße",
            "Kirchstraße",
            "Industriestraße",
            "Am Markt",
        ],
    }
}

fn role_mailboxes(country: Country) -> &'static [&'static str] {
    match country {
        Country::Poland => &["biuro", "biuro", "info", "kontakt", "sekretariat", "sprzedaz"],
        Country::UnitedKingdom => &["info", "sales", "office", "enquiries", "hello"],
        Country::Germany => &["info", "info", "kontakt", "office", "vertrieb"],
    }
}

impl<'p> Firms<'p> {
    /// Returns a world without firms.
    pub fn new(seed: u64, pools: &'p Pools) -> Self {
        Self { seed, pools, founded: 0, domains: BTreeSet::new() }
    }

    /// Founds the next firm, in a country if that is given.
    pub fn found(&mut self, country: Option<Country>) -> Firm {
        let number = self.founded;
        self.founded += 1;
        let mut random = Random::of(self.seed ^ FIRM_STREAM, number as u64);
        let drawn = match random.below(100) {
            0..55 => Country::Poland,
            55..82 => Country::UnitedKingdom,
            _ => Country::Germany,
        };
        let country = country.unwrap_or(drawn);
        let family =
            random.chance(FAMILY_FIRMS).then(|| self.pools.family(country, &mut random).to_owned());
        let stem = family.clone().unwrap_or_else(|| coined(&mut random));
        let trade = *random.pick(trades(country));
        let domain = self.domain(&stem, trade, &mut random);
        let (town, post_prefix) = *random.pick(towns(country));
        // Drawn in this order, whatever the order of the fields: a seed is a promise.
        let legal_form = random.pick(legal_forms(country));
        let postcode = postcode(country, post_prefix, &mut random);
        let street = random.pick(streets(country));
        let house = random.below(180) + 1;
        let role_mailbox = random.pick(role_mailboxes(country));
        Firm {
            number,
            country,
            name: format!("{stem} {trade}").trim().to_owned(),
            legal_form,
            domain,
            town,
            postcode,
            street,
            house,
            switchboard: Number::switchboard(country, number as u64),
            role_mailbox,
            family,
        }
    }

    /// Returns a domain that is not taken, at the ending that is nobody's (RFC 2606).
    fn domain(&mut self, stem: &str, trade: &str, random: &mut Random) -> String {
        let mut label = slug(stem);
        if !trade.is_empty() && random.chance(400) {
            label = format!("{label}-{}", slug(trade));
        }
        let mut domain = format!("{label}.example");
        let mut taken = 1;
        while !self.domains.insert(domain.clone()) {
            taken += 1;
            domain = format!("{label}{taken}.example");
        }
        domain
    }
}

fn coined(random: &mut Random) -> String {
    let mut part = |first: &'static [&'static str], more: &'static [&'static str]| {
        let drawn = random.below((first.len() + more.len()) as u64) as usize;
        first.get(drawn).copied().unwrap_or_else(|| more[drawn - first.len()])
    };
    let stem = part(names::FIRM_STEMS, MORE_STEMS);
    format!("{stem}{}", part(names::FIRM_ENDINGS, MORE_ENDINGS))
}

fn postcode(country: Country, prefix: &str, random: &mut Random) -> String {
    match country {
        Country::Poland => {
            format!("{prefix}{}-{:03}", random.below(10), random.below(1000))
        }
        Country::UnitedKingdom => {
            let (district, sector) = (random.below(19) + 1, random.below(9) + 1);
            let unit = random.token(b"ABDEFGHJLNPQRSTUWXYZ", 2);
            format!("{prefix}{district} {sector}{unit}")
        }
        Country::Germany => format!("{prefix}{:04}", random.below(10_000)),
    }
}
