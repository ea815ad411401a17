//! Measures how fast leads are scored by the shipped rules, with and without touches, beside asking each rule by
//! itself, which folds every value anew for every clause, and beside a bare pass over the values, which is as little
//! as looking at a lead can cost.
//!
//! ```text
//! cargo bench --bench scoring -- --leads 100000 --rounds 5
//! ```
//!
//! Everything runs on one thread, in turn in each round. Machines carry other load, so read the ratios to the
//! reference of the same minutes rather than the seconds; the table holds medians over the rounds.

use std::{fmt::Write as _, hint::black_box, time::Instant};

use anyhow::{anyhow, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use clap::Parser;
use leadmill::{
    model::{
        field::{self, FieldNo, FieldValues},
        ids::Fingerprint,
        subject::{Facts, Subject},
        touch::Touch,
    },
    rules::{RuleSet, embedded, scoring::ScoringPolicy},
    scoring::score,
};

mod output;

use output::print;

/// Measures scoring beside a bare pass over the values of the same leads.
#[derive(Parser)]
struct Arguments {
    /// Leads to score
    #[arg(long, default_value_t = 50_000)]
    leads: usize,
    /// Touches of each lead, where there are any
    #[arg(long, default_value_t = 40)]
    touches: usize,
    /// Times each step is measured; the table shows the medians
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Passed by `cargo bench`; means nothing here
    #[arg(long, hide = true)]
    bench: bool,
}

// As in the program, so that the same work is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const AS_OF: &str = "2026-11-20T18:00:00Z";

/// What is measured in each round, in the order in which it runs.
const STEPS: [(&str, Step, bool); 5] = [
    ("a pass over the values (reference)", Step::Pass, false),
    ("each rule by itself", Step::RuleByRule, false),
    ("score", Step::Score, false),
    ("each rule by itself, with touches", Step::RuleByRule, true),
    ("score, with touches", Step::Score, true),
];

#[derive(Clone, Copy)]
enum Step {
    Pass,
    RuleByRule,
    Score,
}

struct Lead {
    values: FieldValues,
    facts: Facts,
    touches: Vec<Touch>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let (rules, _) = RuleSet::parse(&embedded::texts())
        .map_err(|_| anyhow!("the shipped rules do not compile"))?;
    let as_of = AS_OF.parse::<DateTime<Utc>>()?;
    let mut dice = Dice(1);
    let leads: Vec<Lead> =
        (0..arguments.leads).map(|_| lead(&mut dice, as_of, arguments.touches)).collect();
    let mut seconds = vec![Vec::new(); STEPS.len()];
    let mut results = vec![0; STEPS.len()];
    for _ in 0..arguments.rounds {
        for (at, (_, step, has_touches)) in STEPS.into_iter().enumerate() {
            let started = Instant::now();
            results[at] = leads
                .iter()
                .map(|lead| {
                    let touches = if has_touches { &lead.touches[..] } else { &[] };
                    let subject =
                        Subject { values: &lead.values, facts: &lead.facts, touches, as_of };
                    do_step(step, &subject, &rules.scoring)
                })
                .sum();
            seconds[at].push(started.elapsed().as_secs_f64());
        }
    }
    ensure!(
        results[1] == results[2] && results[3] == results[4],
        "the same rules are met: {results:?}"
    );
    let medians: Vec<f64> = seconds.into_iter().map(median).collect();
    let mut table = format!(
        "{} leads, {} rules, {} touches each where there are any\n\n\
         | step | leads/s | wall ÷ reference |\n|---|---:|---:|\n",
        leads.len(),
        rules.scoring.rules.len(),
        arguments.touches
    );
    for ((title, ..), median) in STEPS.iter().zip(&medians) {
        let per_second = leads.len() as f64 / median;
        writeln!(table, "| {title} | {per_second:.0} | {:.1} |", median / medians[0])?;
    }
    print(&table);
    Ok(())
}

/// Returns how many rules the lead meets, by whatever way; of a bare pass, something that depends on all bytes.
fn do_step(step: Step, subject: &Subject<'_>, policy: &ScoringPolicy) -> usize {
    match step {
        Step::Pass => {
            let bytes = subject.values.iter().flat_map(|(_, value)| value.bytes());
            black_box(bytes.fold(0, |sum, byte| sum + usize::from(byte.is_ascii_uppercase())))
        }
        Step::RuleByRule => {
            policy.rules.iter().filter(|rule| black_box(rule.when.matches(subject))).count()
        }
        Step::Score => {
            let given = &black_box(score(subject, policy)).contributions;
            // A rule whose points have faded away is met and gives none.
            let faded = policy.rules.iter().enumerate().filter(|(at, rule)| {
                rule.decay.is_some()
                    && !given.iter().any(|one| usize::from(one.rule) == *at)
                    && rule.when.matches(subject)
            });
            given.iter().filter(|one| usize::from(one.rule) < policy.rules.len()).count()
                + faded.count()
        }
    }
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// Knuth's multiplier: the same leads on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

/// What leads say, field by field; an empty word is a value that is missing.
const WORDS: &[(FieldNo, &[&str])] = &[
    (field::FIRST_NAME, &["Anna", "Łukasz", "Jürgen", "Małgorzata", "John", ""]),
    (field::LAST_NAME, &["Nowak", "Wiśniewska", "Müller", "Łęcka", "Smith"]),
    (
        field::EMAIL,
        &["Anna.Nowak@Przyklad.pl", "biuro@firma.example", "j.mueller@beispiel.example", ""],
    ),
    (field::PHONE, &["+48600123456", "+4915112345678", "", ""]),
    (field::COMPANY, &["ŻÓŁW Sp. z o.o.", "Müller & Söhne GmbH", "Example Ltd", "Przykład SA", ""]),
    (
        field::JOB_TITLE,
        &["Prezes Zarządu", "Geschäftsführer", "Student", "Kierownik działu IT", ""],
    ),
    (field::SENIORITY, &["owner", "c-level", "director", "manager", "specialist", ""]),
    (field::EMPLOYEES, &["12", "60", "300", "", ""]),
    (field::COUNTRY, &["PL", "DE", "GB", "US"]),
    (field::CITY, &["Łódź", "Kraków", "München", "London"]),
    (field::PRODUCT, &["AI", "CRM", "", ""]),
    (field::SOURCE, &["google", "facebook", "direct", "linkedin"]),
    (field::MEDIUM, &["cpc", "organic", "none", "paid-social"]),
    (field::FORM_NAME, &["Kontakt", "Umów prezentację", "Newsletter", ""]),
    (
        field::MESSAGE,
        &[
            "Dzień dobry, proszę o przesłanie szczegółów wdrożenia dla naszej firmy, około 40 stanowisk.",
            "Prosimy o WYCENĘ oraz kontakt telefoniczny jeszcze w tym tygodniu. Działamy w trzech miastach.",
            "Guten Tag, wir hätten gerne ein Angebot für 20 Arbeitsplätze in München und Köln.",
            "Hello, could you call me back about your product? We are a team of twelve people in London.",
            "Szukam pracy, przesyłam CV w załączniku i pozdrawiam serdecznie.",
            "",
        ],
    ),
];

const PAGES: &[&str] = &[
    "https://www.example.com/",
    "https://www.example.com/Cennik?utm_source=newsletter&utm_medium=email",
    "https://www.example.com/produkty/asystent-głosowy",
    "https://www.example.com/blog/jak-wdrożyć-CRM-w-małej-firmie",
];

fn lead(dice: &mut Dice, as_of: DateTime<Utc>, touches: usize) -> Lead {
    let mut values = FieldValues::default();
    for (field, words) in WORDS {
        values.set(*field, dice.one_of(words));
    }
    values.set(field::EMAIL_IS_FREE, dice.one_of(&["true", "false", ""]));
    let submitted = as_of - TimeDelta::hours(dice.below(24 * 120) as i64);
    let mut touches: Vec<Touch> = (0..touches)
        .map(|_| {
            let ago = TimeDelta::minutes(dice.below(60 * 24 * 60) as i64);
            let is_view = dice.below(5) > 0;
            Touch {
                fingerprint: Fingerprint([0; 16]),
                at_ms: (as_of - ago).timestamp_millis(),
                kind: if is_view { "page-view" } else { "event" }.to_owned(),
                detail: dice
                    .one_of(if is_view { PAGES } else { &["Whitepaper", "Scroll"] })
                    .to_owned(),
                amount: None,
                identities: Vec::new(),
            }
        })
        .collect();
    touches.sort_by_key(|touch| touch.at_ms);
    let facts = Facts {
        n_submissions: 1 + dice.below(3) as u32,
        first_submitted_at: submitted - TimeDelta::days(3),
        ..Facts::of_one_submission(submitted)
    };
    Lead { values, facts, touches }
}
