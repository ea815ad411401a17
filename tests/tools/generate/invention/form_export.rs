//! A web form's export of any length, with the truth about who is who.
//!
//! Rows come in the order of submission. People re-submit with their address in other letters, their number in
//! another style and from another campaign; colleagues share switchboards and `info@` mailboxes; some visitors leave
//! nothing usable, some are the vendor's own tests and some are robots.
#![expect(
    clippy::assigning_clones,
    reason = "`=` reads as what somebody types; `clone_into` would not"
)]

use std::io::{self, Write};

use super::{
    campaign::CAMPAIGNS,
    moment::Moment,
    names,
    person::{Country, Person, Population, Reach},
    random::Random,
    text::{Quoting, write_json_string, write_record},
};

/// The columns of the export.
pub const COLUMNS: [&str; 21] = [
    "submission_id",
    "submitted_at",
    "form_name",
    "language",
    "first_name",
    "last_name",
    "email",
    "phone",
    "company",
    "job_title",
    "employees",
    "country",
    "city",
    "product",
    "message",
    "consent_marketing_email",
    "consent_phone",
    "landing_page",
    "referrer",
    "user_agent",
    "ip",
];

/// What to generate.
#[derive(Clone)]
pub struct FormExport {
    pub rows: u64,
    /// Percentage of the rows in which somebody submits again.
    pub duplicates_percent: u64,
    /// Percentage of the rows with neither a usable address nor a usable number.
    pub invalid_percent: u64,
    pub seed: u64,
    /// The last submission comes shortly before this moment, the first 90 days earlier.
    pub until: Moment,
}

/// How rows are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    JsonLines,
}

/// What a lead processor should make of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    Lead,
    Invalid,
    Test,
    Spam,
}

impl Expected {
    fn word(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Invalid => "invalid",
            Self::Test => "test",
            Self::Spam => "spam",
        }
    }
}

/// One submission.
struct Row {
    cells: [String; 21],
    /// Who submitted; nobody in particular unless a lead is expected.
    person: Option<u64>,
    expected: Expected,
}

/// Rows of the vendor's own tests, in 10,000.
const TESTS: u64 = 20;
/// Rows left by form robots, in 10,000.
const ROBOTS: u64 = 20;
const SPAN_SECONDS: i64 = 90 * 86_400;
/// Visitors in each hour after the export's closing hour, out of 1,000: evenings are lively, nights are quiet.
const HOURLY: [i64; 24] =
    [62, 58, 50, 38, 24, 14, 8, 6, 5, 6, 8, 14, 28, 48, 62, 70, 72, 70, 66, 64, 62, 60, 55, 50];
/// How far back most people who submit again submitted before, in persons.
const RECENT_PERSONS: u64 = 2_000;

impl FormExport {
    /// Writes the export, and the truth about it as CSV when asked for.
    pub fn write(
        &self,
        format: Format,
        output: &mut dyn Write,
        mut truth: Option<&mut dyn Write>,
    ) -> io::Result<()> {
        let mut line = String::new();
        if format == Format::Csv {
            write_record(&mut line, COLUMNS, ',', Quoting::Needed);
            line.push('\n');
            output.write_all(line.as_bytes())?;
        }
        if let Some(truth) = truth.as_mut() {
            truth.write_all(b"submission_id,person_id,expected\n")?;
        }
        let population = Population::new(self.seed, self.rows);
        let mut persons_so_far = 0;
        for position in 0..self.rows {
            let row = self.row(position, &population, &mut persons_so_far);
            line.clear();
            match format {
                Format::Csv => write_record(
                    &mut line,
                    row.cells.iter().map(String::as_str),
                    ',',
                    Quoting::Needed,
                ),
                Format::JsonLines => write_object(&mut line, &row.cells),
            }
            line.push('\n');
            output.write_all(line.as_bytes())?;
            if let Some(truth) = truth.as_mut() {
                let person = row.person.map(|id| format!("p{id}")).unwrap_or_default();
                writeln!(truth, "{},{person},{}", row.cells[0], row.expected.word())?;
            }
        }
        output.flush()
    }

    fn row(&self, position: u64, population: &Population, persons_so_far: &mut u64) -> Row {
        let mut random = Random::of(self.seed, position);
        let invalid = self.invalid_percent * 100;
        let duplicate = invalid + self.duplicates_percent * 100;
        let (expected, again) = match random.below(10_000) {
            lot if lot < invalid => (Expected::Invalid, false),
            lot if lot < duplicate => (Expected::Lead, *persons_so_far > 0),
            lot if lot < duplicate + TESTS => (Expected::Test, false),
            lot if lot < duplicate + TESTS + ROBOTS => (Expected::Spam, false),
            _ => (Expected::Lead, false),
        };
        let person = if again {
            let reach_back = if random.chance(500) {
                RECENT_PERSONS.min(*persons_so_far)
            } else {
                *persons_so_far
            };
            population.person(*persons_so_far - 1 - random.below(reach_back))
        } else {
            // Visitors who leave nothing usable are persons as well, but nobody can tell which.
            *persons_so_far += 1;
            population.person(*persons_so_far - 1)
        };
        let mut cells = self.cells(position, &person, &mut random);
        match expected {
            Expected::Lead => contact(&mut cells, &person, again, &mut random),
            Expected::Invalid => unusable_contact(&mut cells, &mut random),
            Expected::Test => test_contact(&mut cells, &mut random),
            Expected::Spam => spam_contact(&mut cells, position, &mut random),
        }
        Row { cells, person: (expected == Expected::Lead).then_some(person.id), expected }
    }

    /// Returns when the row was submitted: later for every row, following the hours of the day.
    fn submitted_at(&self, position: u64, random: &mut Random) -> Moment {
        let step = i128::from(SPAN_SECONDS) * i128::from(position) / i128::from(self.rows);
        let next = i128::from(SPAN_SECONDS) * i128::from(position + 1) / i128::from(self.rows);
        let even = step as i64 + random.below((next - step).max(1) as u64) as i64;
        let (day, second) = (even / 86_400, even % 86_400);
        // The share of the day that has passed evenly becomes a share of the day's visitors.
        let total: i64 = HOURLY.iter().sum();
        let mut visitors = second * total;
        for (hour, weight) in HOURLY.iter().enumerate() {
            if visitors < weight * 86_400 {
                let within = visitors * 3600 / (weight * 86_400);
                return self.until.plus(day * 86_400 + hour as i64 * 3600 + within - SPAN_SECONDS);
            }
            visitors -= weight * 86_400;
        }
        self.until
    }

    /// Returns all cells but the address and the number.
    fn cells(&self, position: u64, person: &Person, random: &mut Random) -> [String; 21] {
        let campaign = random.pick(CAMPAIGNS);
        let (form, page) = *random.pick(&[
            ("contact", "/kontakt"),
            ("demo-request", "/demo"),
            ("pricing", "/cennik"),
            ("webinar", "/webinar/ai-w-sprzedazy"),
            ("ebook", "/materialy/przewodnik"),
        ]);
        let (first, last) = typed_name(person, random);
        let consent =
            |random: &mut Random| (*random.pick(&["yes", "yes", "yes", "no", "", ""])).to_owned();
        let or_blank = |value: String, per_mille: u64, random: &mut Random| {
            if random.chance(per_mille) { value } else { String::new() }
        };
        [
            format!("wf{}-{:08}", self.seed, position + 1),
            self.submitted_at(position, random).iso_offset(),
            form.to_owned(),
            person.country.language().to_owned(),
            first,
            last,
            String::new(),
            String::new(),
            or_blank(person.firm.name.clone(), 780, random),
            or_blank(person.title.to_owned(), 680, random),
            or_blank(person.firm.employees.to_string(), 550, random),
            or_blank((*random.pick(person.country.written())).to_owned(), 850, random),
            or_blank(person.firm.town.to_owned(), 600, random),
            (*random.pick(names::PRODUCTS)).to_owned(),
            message(person.country, random),
            consent(random),
            consent(random),
            campaign.landing_page(page, random),
            campaign.referrer.to_owned(),
            (*random.pick(names::USER_AGENTS)).to_owned(),
            address(random),
        ]
    }
}

const FIRST_NAME: usize = 4;
const LAST_NAME: usize = 5;
const EMAIL: usize = 6;
const PHONE: usize = 7;
const MESSAGE: usize = 14;
const USER_AGENT: usize = 19;

/// Fills in the address and the number of somebody who can be reached.
fn contact(cells: &mut [String; 21], person: &Person, again: bool, random: &mut Random) {
    let extension = format!(" wew. {}", 10 + person.id % 90);
    let (mut email, mut phone) = match person.reach {
        Reach::Own => (typed_email(&person.email, random), person.phone.typed(random)),
        Reach::RoleMailbox => {
            (typed_email(&person.firm.role_mailbox, random), person.phone.typed(random))
        }
        Reach::Switchboard => {
            let number = person.firm.switchboard.typed(random);
            (
                typed_email(&person.email, random),
                if random.chance(300) { number + &extension } else { number },
            )
        }
        Reach::EmailOnly => (typed_email(&person.email, random), String::new()),
        Reach::PhoneOnly => (String::new(), person.phone.typed(random)),
    };
    // One of two is sometimes missing, broken or a placeholder; the other still identifies the person.
    if person.reach == Reach::Own {
        match random.below(1000) {
            0..60 => phone = String::new(),
            60..75 => {
                phone = (*random.pick(&["123456789", "000000000", "brak", "-", "600"])).to_owned();
            }
            75..85 => email = email.replace('@', " at "),
            85..95 if again => email = "brak@brak.pl".to_owned(),
            95..140 if again => email = String::new(),
            _ => {}
        }
    }
    cells[EMAIL] = email;
    cells[PHONE] = phone;
}

/// Fills in what cannot be used to reach anybody.
fn unusable_contact(cells: &mut [String; 21], random: &mut Random) {
    let local = cells[FIRST_NAME].to_lowercase();
    let email = match random.below(5) {
        0 | 1 => String::new(),
        2 => format!("{local}.example"),
        3 => format!("{local}@"),
        _ => (*random.pick(&["brak", "n/a", "nie podam", "@", "jan kowalski@example,com"]))
            .to_owned(),
    };
    let phone = *random.pick(&[
        "",
        "",
        "brak",
        "-",
        "12345",
        "000000000",
        "nie podam",
        "4,86001E+10",
        "+48 22",
    ]);
    cells[EMAIL] = email;
    cells[PHONE] = phone.to_owned();
}

/// Fills in what the vendor's own people type when they try the form.
fn test_contact(cells: &mut [String; 21], random: &mut Random) {
    cells[FIRST_NAME] = (*random.pick(&["Test", "test", "TEST"])).to_owned();
    cells[LAST_NAME] = (*random.pick(&["Test", "Testowy", "test"])).to_owned();
    cells[EMAIL] = "test@test.com".to_owned();
    cells[PHONE] = "123456789".to_owned();
    cells[MESSAGE] = "test".to_owned();
}

/// Fills in what a form robot leaves.
fn spam_contact(cells: &mut [String; 21], position: u64, random: &mut Random) {
    cells[FIRST_NAME] = random.token(b"abcdefghijklmnopqrstuvwxyzABCDEFGH", 12);
    cells[LAST_NAME] = cells[FIRST_NAME].clone();
    cells[EMAIL] = format!("offer{position}@mailinator.com");
    cells[PHONE] = format!("8{}", random.digits(10));
    cells[MESSAGE] = "Cheap backlinks https://seo.example/buy https://pills.example/now [url=https://casino.example]win[/url]".to_owned();
    cells[USER_AGENT] = "python-requests/2.32.5".to_owned();
}

fn typed_name(person: &Person, random: &mut Random) -> (String, String) {
    let (first, last) = (person.first.to_owned(), person.last.to_owned());
    match random.below(100) {
        0..4 => (first.to_uppercase(), last.to_uppercase()),
        4..10 => (first.to_lowercase(), last.to_lowercase()),
        10..13 => (super::text::folded(&first), super::text::folded(&last)),
        13 => (format!("{first} "), last),
        _ => (first, last),
    }
}

/// Returns the address as somebody types it on some day; it stays the same mailbox.
fn typed_email(email: &str, random: &mut Random) -> String {
    let (local, domain) = email.split_once('@').unwrap_or((email, ""));
    match random.below(100) {
        0..6 => email.to_uppercase(),
        6..20 => {
            let mut capital = email.to_owned();
            capital[..1].make_ascii_uppercase();
            capital
        }
        20..24 => format!("{email} "),
        24..30 if domain == "gmail.com" => format!("{}@gmail.com", local.replace('.', "")),
        30..34 if domain == "gmail.com" => format!("{local}+formularz@gmail.com"),
        _ => email.to_owned(),
    }
}

fn message(country: Country, random: &mut Random) -> String {
    let (one, two) = (random.pick(country.messages()), random.pick(country.messages()));
    match random.below(100) {
        0..3 => format!("{one}\n{two}"),
        3..6 => format!("\"{one}\" {two}"),
        6..15 => format!("{one} {two}").trim().to_owned(),
        15..38 => (*one).to_owned(),
        _ => String::new(),
    }
}

/// Returns an address of the networks reserved for documentation and tests (RFC 5737, RFC 2544).
fn address(random: &mut Random) -> String {
    let network = random.pick(&["203.0.113", "198.51.100", "192.0.2", "198.18.7", "198.19.21"]);
    format!("{network}.{}", 1 + random.below(254))
}

fn write_object(line: &mut String, cells: &[String; 21]) {
    line.push('{');
    for (position, (column, cell)) in COLUMNS.iter().zip(cells).enumerate() {
        if position > 0 {
            line.push(',');
        }
        write_json_string(line, column);
        line.push(':');
        match *column {
            "employees" if cell.is_empty() => line.push_str("null"),
            "employees" => line.push_str(cell),
            _ => write_json_string(line, cell),
        }
    }
    line.push('}');
}
