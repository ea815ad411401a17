//! How likely two submissions are one person that share no address and no number.
//!
//! Submissions meet through *near keys*: two common things at once, such as a name and a company. What they
//! agree in is then weighed by a model that does not change by itself: the one that leadmill brings, or one
//! that was learned from the store and accepted. So a batch and any sequence of increments come to the same.

use std::collections::HashMap;

use super::keys::near_hash;
use super::matching::calibration::Calibration;
use super::matching::compare::{Agreement, Comparer};
use super::matching::field::Field;
use super::matching::hashing::{hash_text, mix};
use super::matching::kind::Kind;
use super::matching::lists::Lists;
use super::matching::model::{Bits, FieldWeights, Model, Part};
use super::matching::prepare::fold;
use super::matching::prior::COMMON_NAMES;
use super::matching::profile::Profile;
use super::matching::records::Records;
use super::matching::sheet::Sheet;
use super::matching::similarity::sound;
use super::matching::training::train;
use crate::model::field::{self, FieldNo, FieldValues};
use crate::model::ids::KeyHash;

/// Log2 odds from which two submissions are joined: 15 to 1.
pub const JOIN_BITS_MIN: f32 = 4.0;
/// Log2 odds that the pairs between two leads must have on average for them to become one.
pub const AVERAGE_BITS_MIN: f32 = 0.0;
/// Log2 odds from which somebody should have a look: 1 to 4.
pub const REVIEW_BITS_MIN: f32 = -2.0;
/// Most log2 odds of two submissions whose addresses differ in a number alone, whatever else they share: not enough to
/// be one, and somebody should have a look.
const NUMBERED_APART_BITS_MAX: f32 = JOIN_BITS_MIN - 1.0;
/// A near key that more submissions hold says too little to compare them all.
pub const NEAR_HOLDERS_MAX: usize = 40;

/// Submissions that speak for a lead when two are compared as wholes.
pub const SPEAKERS_MAX: usize = 6;
/// A pair counts at most this much for or against its leads.
const PAIR_BITS_MAX: f32 = 12.0;

/// What each column of the records holds that a [`Judge`] compares.
const COLUMNS: &[(Kind, &str, FieldNo)] = &[
    (Kind::Given, "first-name", field::FIRST_NAME),
    (Kind::Surname, "last-name", field::LAST_NAME),
    (Kind::Id, "nip", field::NIP),
    (Kind::Email, "email", field::EMAIL),
    (Kind::Phone, "phone", field::PHONE),
    (Kind::Web, "company-domain", field::COMPANY_DOMAIN),
    (Kind::Organization, "company", field::COMPANY),
    (Kind::Street, "street", field::STREET),
    (Kind::Postcode, "postcode", field::POSTCODE),
    (Kind::City, "city", field::CITY),
    (Kind::Region, "country", field::COUNTRY),
];

/// Returns whether a [`Judge`] looks at `field`, or it says something about one that it looks at.
pub fn is_compared(field: FieldNo) -> bool {
    field == field::EMAIL_IS_ROLE || COLUMNS.iter().any(|(_, _, compared)| *compared == field)
}

/// Returns the near keys of a submission: a person's name beside the company, beside the town, and the name of
/// the mailbox beside the surname. Swapped names, nicknames and usual misspellings have the same keys.
pub fn near_keys(values: &FieldValues, lists: &Lists) -> Vec<KeyHash> {
    let text = |field: FieldNo| values.get(field).map(fold).filter(|text| !text.is_empty());
    let (Some(given), Some(surname)) = (text(field::FIRST_NAME), text(field::LAST_NAME)) else {
        return Vec::new();
    };
    let mut name = [name_code(&given, lists), name_code(&surname, lists)];
    name.sort();
    let name = name.join("|");
    let mut keys = Vec::new();
    let mut push = |space: &str, value: &str| {
        keys.push(near_hash(&format!("{space}|{name}|{value}")));
    };
    let first_word = |text: String| text.split(' ').next().map(str::to_owned);
    let company = text(field::COMPANY)
        .map(|company| lists.without_legal_form(&company).to_owned())
        .and_then(first_word);
    let domain = text(field::COMPANY_DOMAIN).and_then(first_word);
    for company in [&company, &domain].into_iter().flatten() {
        push("company", company);
    }
    if let Some(city) = text(field::CITY) {
        push("city", &city);
    }
    if let Some(email) = values.get(field::EMAIL).filter(|_| !values.is_true(field::EMAIL_IS_ROLE))
    {
        let mailbox = email.split('@').next().unwrap_or_default();
        let letters: String = mailbox.chars().filter(char::is_ascii_alphabetic).collect();
        if letters.len() >= 5 {
            push("mailbox", &letters.to_ascii_lowercase());
        }
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Returns what stands for a name in a key: its group of nicknames, else how its first word sounds.
fn name_code(name: &str, lists: &Lists) -> String {
    let first = name.split(' ').next().unwrap_or(name);
    match lists.groups_of(first).first() {
        Some(group) => format!("#{group}"),
        None => sound(first),
    }
}

/// The weights by which submissions are compared; they do not change by themselves.
#[derive(Debug, Clone, PartialEq)]
pub struct PairModel {
    /// Number of the version; 0 is the one that leadmill brings.
    pub version: i64,
    /// Log2 odds that two submissions taken at random are one person.
    pub prior_bits: f32,
    /// For each column how often each level is found within (m) and between (u) people.
    pub levels: Vec<(Vec<f32>, Vec<f32>)>,
    /// Given names and surnames that are more common than most, folded, each with its share.
    pub common: Vec<(String, f32)>,
    /// What shared surroundings are worth together.
    pub calibration: Calibration,
}

/// How often the levels of each column are found, by [`COLUMNS`]: learned from 100,000 generated leads of 13,000
/// companies and rounded; the tax number's as a company's domain.
const SHIPPED_LEVELS: &[(&[f32], &[f32])] = &[
    (&[0.55, 0.19, 0.09, 0.01, 0.10], &[0.008, 0.007, 0.009, 0.003, 0.973]),
    (&[0.74, 0.17, 0.001, 0.005, 0.09], &[0.0014, 0.0003, 0.0002, 0.002, 0.996]),
    (&[0.95, 0.01, 0.04], &[0.0003, 0.0001, 0.9996]),
    (&[0.45, 0.06, 0.05, 0.44], &[0.000_01, 0.000_05, 0.000_05, 0.999_9]),
    (&[0.58, 0.03, 0.39], &[0.000_015, 0.000_11, 0.999_9]),
    (&[0.985, 0.001, 0.014], &[0.0003, 0.0001, 0.9996]),
    (&[0.72, 0.23, 0.015, 0.005, 0.03], &[0.0003, 0.0002, 0.001, 0.007, 0.991]),
    (&[0.59, 0.35, 0.008, 0.01, 0.042], &[0.0003, 0.0003, 0.0005, 0.007, 0.992]),
    (&[0.97, 0.003, 0.002, 0.025], &[0.0003, 0.0004, 0.011, 0.988]),
    (&[0.97, 0.005, 0.025], &[0.044, 0.0005, 0.955]),
    (&[0.90, 0.10], &[0.30, 0.70]),
];

/// What surroundings are worth together, in steps of four bits; learned with [`SHIPPED_LEVELS`].
const SHIPPED_CALIBRATION: &[f32] =
    &[2.0, 9.0, 11.5, 12.0, 12.0, 12.5, 12.5, 12.5, 13.0, 13.0, 13.0, 13.0, 13.0, 13.0, 13.0, 13.0];

impl PairModel {
    /// Returns the model that leadmill brings.
    pub fn shipped() -> Self {
        let levels = |(m, u): &(&[f32], &[f32])| (m.to_vec(), u.to_vec());
        Self {
            version: 0,
            prior_bits: -17.0,
            levels: SHIPPED_LEVELS.iter().map(levels).collect(),
            common: COMMON_NAMES.iter().map(|(name, share)| ((*name).to_owned(), *share)).collect(),
            calibration: Calibration::of_bits(SHIPPED_CALIBRATION.to_vec(), -5.0),
        }
    }

    /// Learns a model from many submissions; what they say too little about stays as leadmill brings it.
    pub fn learn(sheet: Sheet, lists: &Lists) -> Self {
        let sheet = sheet.in_canonical_order();
        let profiles = profiles();
        let records = Records::prepare(&sheet, &profiles, lists);
        let learned = train(&records, &mut Comparer::new(&records));
        let mut model = Self::shipped();
        for (at, (kind, header, _)) in COLUMNS.iter().enumerate() {
            let is_column = |field: &Field| {
                field.kind == *kind && field.label.split(" + ").next() == Some(*header)
            };
            if let Some(field) = records.fields.iter().position(is_column) {
                let weights = &learned.fields[field];
                model.levels[at] = (weights.m.clone(), weights.u.clone());
            }
        }
        model.prior_bits = learned.prior_bits;
        model.calibration = learned.calibration;
        model.common = common_names(&records);
        model
    }

    /// Returns an empty sheet for [`PairModel::learn`].
    pub fn sheet() -> Sheet {
        Sheet::new(COLUMNS.iter().map(|(_, header, _)| *header))
    }

    /// Adds a submission to `sheet`.
    pub fn push(sheet: &mut Sheet, id: &str, values: &FieldValues) {
        let cell = |(_, _, field): &(Kind, &str, FieldNo)| values.get(*field).unwrap_or_default();
        sheet.push(id, COLUMNS.iter().map(cell));
    }

    /// Returns each column with its kind, in the order of the levels.
    pub fn columns() -> impl Iterator<Item = (&'static str, Kind)> {
        COLUMNS.iter().map(|(kind, header, _)| (*header, *kind))
    }
}

/// A model made ready to weigh some submissions after others.
#[derive(Debug)]
pub struct Weighing {
    model: PairModel,
    /// Weights of each column, by [`COLUMNS`]; what a value is worth is added for the submissions at hand.
    fields: Vec<FieldWeights>,
    /// Shares of the common names.
    shares: HashMap<String, f32>,
}

impl Weighing {
    /// Makes `model` ready.
    pub fn new(model: PairModel) -> Self {
        let weights = |(m, u): &(Vec<f32>, Vec<f32>)| {
            let mut weights = FieldWeights::default();
            weights.set(m.clone(), u.clone());
            weights
        };
        let fields = model.levels.iter().map(weights).collect();
        // Where a given name is a surname, too, what stands first counts.
        let shares = model.common.iter().rev().cloned().collect();
        Self { model, fields, shares }
    }

    /// Returns the model in the form in which it weighs `records`.
    fn for_records(&self, records: &Records) -> Model {
        let weights = |(field, (known, (m, _))): (&Field, (&FieldWeights, &(Vec<f32>, _)))| {
            let average = known.bits[0];
            let bits = |text: &str| match self.shares.get(text) {
                Some(share) => (m[0] / share).log2().min(average),
                None => average,
            };
            let value_bits = field.values.iter().map(|value| bits(&value.text)).collect();
            FieldWeights { value_bits, ..known.clone() }
        };
        let known = self.fields.iter().zip(&self.model.levels);
        Model {
            fields: records.fields.iter().zip(known).map(weights).collect(),
            parts: records.fields.iter().map(Part::of).collect(),
            names: records.names(),
            title: None,
            prior_bits: self.model.prior_bits,
            calibration: self.model.calibration.clone(),
        }
    }
}

/// Names of a field that are kept with their share, the commonest first.
const COMMON_MAX: usize = 400;
/// A name that fewer submissions have is not known to be common.
const COMMON_HOLDERS_MIN: u32 = 5;

fn common_names(records: &Records) -> Vec<(String, f32)> {
    let mut common = Vec::new();
    for field in records.names().into_iter().flat_map(|(given, surname)| [given, surname]) {
        let field = &records.fields[field];
        let mut names: Vec<(u32, &str)> = (field.counts.iter().copied())
            .zip(field.values.iter().map(|value| &*value.text))
            .filter(|(count, _)| *count >= COMMON_HOLDERS_MIN)
            .collect();
        names.sort_by(|x, y| y.0.cmp(&x.0).then(x.1.cmp(y.1)));
        names.truncate(COMMON_MAX);
        let share = |count: u32| count as f32 / records.n_records.max(1) as f32;
        common.extend(names.into_iter().map(|(count, name)| (name.to_owned(), share(count))));
    }
    common
}

fn profiles() -> Vec<Profile> {
    let profile = |(kind, _, _): &(Kind, &str, FieldNo)| Profile { kind: *kind, because: "field" };
    COLUMNS.iter().map(profile).collect()
}

/// What a submission says by itself, as it is compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// Its values, without an address or a number that several people hold.
    pub values: FieldValues,
    /// Its address, be it shared or not; may be empty.
    pub address: String,
}

/// An address, and what is left of it without the digits of its mailbox, as hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Numbering {
    whole: u64,
    bare: u64,
}

impl Numbering {
    /// Returns that of `address`; none where the mailbox is a number.
    fn of(address: &str) -> Option<Self> {
        let (mailbox, domain) = address.split_once('@')?;
        let bare: String = mailbox.chars().filter(|c| !c.is_ascii_digit()).collect();
        bare.chars().any(char::is_alphabetic).then(|| Self {
            whole: hash_text(address),
            bare: mix(hash_text(&bare), hash_text(domain)),
        })
    }
}

/// Returns what a pair of `bits` counts for or against its leads, at most [`PAIR_BITS_MAX`], so that one overwhelming
/// agreement cannot carry strangers.
pub fn counted_bits(bits: f32) -> f32 {
    bits.clamp(-PAIR_BITS_MAX, PAIR_BITS_MAX)
}

/// Weighs pairs of submissions.
#[derive(Debug)]
pub struct Judge {
    records: Records,
    model: Model,
    numberings: Vec<Option<Numbering>>,
}

impl Judge {
    /// Prepares to compare these submissions, which are known by their position.
    pub fn new(submissions: &[&Compared], weighing: &Weighing, lists: &Lists) -> Self {
        let mut sheet = PairModel::sheet();
        for one in submissions {
            PairModel::push(&mut sheet, "", &one.values);
        }
        let profiles = profiles();
        let records = Records::prepare_few(&sheet, &profiles, lists);
        assert_eq!(
            records.fields.len(),
            COLUMNS.len(),
            "every column makes a field, in their order"
        );
        let model = weighing.for_records(&records);
        let numberings = submissions.iter().map(|one| Numbering::of(&one.address)).collect();
        Self { records, model, numberings }
    }

    /// Returns how the submissions at positions `a` and `b` agree, and what that is worth.
    pub fn bits(&self, a: usize, b: usize) -> (Agreement, Bits) {
        let agreement = Comparer::without_memory(&self.records).compare(a as u32, b as u32);
        let bits = self.model.bits(&agreement);
        (agreement, Bits { total: self.capped(a, b, bits.total), ..bits })
    }

    /// Returns what each of `pairs` is worth, by the positions of its submissions.
    pub fn totals(&self, pairs: impl Iterator<Item = (usize, usize)>) -> Vec<f32> {
        let mut comparer = Comparer::without_memory(&self.records);
        let mut total = |a, b| self.model.bits(&comparer.compare(a as u32, b as u32)).total;
        pairs.map(|(a, b)| self.capped(a, b, total(a, b))).collect()
    }

    /// Returns `total`, or less where the addresses differ in a number alone, like `jan.kowalski@` and `jan.kowalski2@`:
    /// it was given out because the name was taken.
    fn capped(&self, a: usize, b: usize, total: f32) -> f32 {
        let are_numbered_apart = match (self.numberings[a], self.numberings[b]) {
            (Some(a), Some(b)) => a.bare == b.bare && a.whole != b.whole,
            _ => false,
        };
        if are_numbered_apart { total.min(NUMBERED_APART_BITS_MAX) } else { total }
    }

    /// Returns the average bits between the first `n_ours` submissions and the others.
    pub fn average(&self, n_ours: usize) -> f32 {
        let n_theirs = self.records.n_records - n_ours;
        let pairs = (0..n_ours).flat_map(|i| (0..n_theirs).map(move |j| (i, n_ours + j)));
        let bits = self.totals(pairs).into_iter().map(counted_bits);
        bits.sum::<f32>() / (n_ours * n_theirs).max(1) as f32
    }

    /// Returns each field in which the submissions at `a` and `b`, that agree like this, both say something: its name, how
    /// they agree, and the bits of that.
    pub fn reasons(
        &self,
        a: usize,
        b: usize,
        agreement: &Agreement,
    ) -> Vec<(&'static str, &'static str, f32)> {
        let columns = COLUMNS.iter().enumerate();
        let mut reasons: Vec<_> = columns
            .filter_map(|(at, (kind, name, _))| {
                let level = agreement.level(at)?;
                Some((
                    *name,
                    kind.levels()[usize::from(level)],
                    self.model.field_bits(agreement, at),
                ))
            })
            .collect();
        let total = self.model.bits(agreement).total;
        let taken = self.capped(a, b, total) - total;
        if taken < 0.0 {
            reasons.push(("email", "another number in the mailbox", taken));
        }
        reasons
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists() -> Lists {
        let nicknames = [vec!["katarzyna".to_owned(), "kasia".to_owned()]];
        Lists::new(
            nicknames.iter().map(Vec::as_slice),
            ["jan", "oleh", "ivan", "yaroslav", "denis", "marko", "ivo"],
            [],
            ["sp z o o"],
            ["wp.pl"],
            ["biuro"],
        )
    }

    fn person(text: &str) -> Compared {
        let mut values = FieldValues::default();
        for (at, value) in text.split(';').enumerate().filter(|(_, value)| !value.is_empty()) {
            let fields = [
                field::FIRST_NAME,
                field::LAST_NAME,
                field::EMAIL,
                field::PHONE,
                field::COMPANY,
                field::COMPANY_DOMAIN,
                field::CITY,
            ];
            values.set(fields[at], value);
        }
        let address = values.get(field::EMAIL).unwrap_or_default().to_owned();
        Compared { values, address }
    }

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Verdict {
        Same,
        Look,
        Apart,
    }

    #[track_caller]
    fn check(a: &str, b: &str, expected: Verdict) {
        let (a, b) = (person(a), person(b));
        let judge = Judge::new(&[&a, &b], &Weighing::new(PairModel::shipped()), &lists());
        let (agreement, bits) = judge.bits(0, 1);
        let found = match bits.total {
            total if total >= JOIN_BITS_MIN => Verdict::Same,
            total if total >= REVIEW_BITS_MIN => Verdict::Look,
            _ => Verdict::Apart,
        };
        assert_eq!(found, expected, "{bits:?} {:?}", judge.reasons(0, 1, &agreement));
    }

    #[test]
    fn what_makes_one_person_of_two_submissions() {
        use Verdict::{Apart, Look, Same};
        check(
            "Zofia;Wrzos;z.wrzos@nova.pl;;Nova Systemy sp. z o.o.;nova.pl;",
            "Zofia;Wrzos;zofia@nova.pl;;Nova Systemy;nova.pl;Radom",
            Same,
        );
        check("Kasia;Wrzos;;;Nova Systemy;;Radom", "Katarzyna;Wrzos;;;Nova Systemy;;Radom", Same);
        check("Wrzos;Zofia;;;Nova;;Radom", "Zofia;Wrzos;;;Nova;;Radom", Same);
        check("Zofia;Wrzos;zofia.wrzos@wp.pl;;;;", "Zofia;Wrzos;zofia.wrzos@wp.p;;;;", Same);
        check("Zofia;Wrzos;;;;;Radom", "Zofia;Wrzos;;;;;Radom", Look);
        check("Jan;Nowak;;;;;Warszawa", "Jan;Nowak;;;;;Warszawa", Apart);
        check("Zofia;Wrzos;;;Nova;nova.pl;", "Adam;Wrzos;;;Nova;nova.pl;", Apart);
        check("Zofia;Wrzos;;;Nova;nova.pl;", "Adam;Kruk;;;Nova;nova.pl;", Apart);
        check(
            "Zofia;Wrzos;zofia@nova.pl;;Nova;nova.pl;",
            "Adam;Wrzos;adam@nova.pl;;Nova;nova.pl;",
            Apart,
        );
    }

    #[test]
    fn a_man_and_a_woman_of_one_name_at_one_firm_are_two() {
        for (his, hers) in [
            ("Oleh", "Olha"),
            ("Ivan", "Ivanna"),
            ("Yaroslav", "Yaroslava"),
            ("Denis", "Denisa"),
            ("Marko", "Marika"),
            ("Ivo", "Iva"),
        ] {
            let of = |name: &str, number: &str| {
                let mailbox = name.to_lowercase();
                format!("{name};Kovalenko;{mailbox}@nova.ua;{number};Nova Systems;nova.ua;Kyiv")
            };
            check(&of(his, "+380501112233"), &of(hers, "+380679998877"), Verdict::Apart);
        }
    }

    #[test]
    fn a_mailbox_with_another_number_may_be_somebody_elses() {
        use Verdict::{Look, Same};
        let of = |address: &str| format!("Jan;Kowalski;{address};;Firma;firma.pl;Radom");
        let shared = |address: &str| {
            // As where several people hold it.
            let mut person = person(&of(address));
            person.values.set(field::EMAIL, "");
            person
        };
        check(&of("jan.kowalski@firma.pl"), &of("jan.kowalski2@firma.pl"), Look);
        check(&of("jan1.kowalski@firma.pl"), &of("jan2.kowalski@firma.pl"), Look);
        check(&of("jan.kowalski@firma.pl"), &of("jan.kowalsk@firma.pl"), Same);
        check(&of("jan.kowalski2@firma.pl"), &of("jan.kowalski2@firma.pl"), Same);
        let (one, other) = (shared("biuro1@firma.pl"), shared("biuro2@firma.pl"));
        let judge = Judge::new(&[&one, &other], &Weighing::new(PairModel::shipped()), &lists());
        let (agreement, bits) = judge.bits(0, 1);
        for total in [bits.total, judge.totals([(0, 1)].into_iter())[0], judge.average(1)] {
            assert!((total - NUMBERED_APART_BITS_MAX).abs() < 1e-6, "{total}");
        }
        let reasons = judge.reasons(0, 1, &agreement);
        let (field, how, taken) = reasons[reasons.len() - 1];
        assert_eq!((field, how), ("email", "another number in the mailbox"));
        assert!(taken < 0.0, "{taken}");
    }

    #[test]
    fn a_mailbox_of_digits_has_no_number_beside_its_name() {
        assert_eq!(Numbering::of("600123456@firma.pl"), None);
        assert_eq!(Numbering::of(""), None);
        assert_ne!(
            Numbering::of("jan@firma.pl").map(|one| one.bare),
            Numbering::of("jan2@inna.pl").map(|one| one.bare)
        );
    }

    #[test]
    fn a_pair_is_worth_the_same_whoever_is_compared_beside_it() {
        let a = person("Zofia;Wrzos;;;Novak;;Radom");
        let b = person("Zofia;Wrzos;;;Nowack;;Radom");
        let weighing = Weighing::new(PairModel::shipped());
        let alone = Judge::new(&[&a, &b], &weighing, &lists());
        // Its company comes first, and so has the lower number.
        let beside = person("Adam;Lis;;;Nowack;;");
        let among = Judge::new(&[&beside, &a, &b], &weighing, &lists());
        assert_eq!(alone.bits(0, 1).1, among.bits(1, 2).1);
        assert_eq!(alone.totals([(0, 1)].into_iter()), among.totals([(1, 2)].into_iter()));
    }

    #[test]
    fn near_keys_meet_across_spellings() {
        let lists = lists();
        let keys = |text: &str| near_keys(&person(text).values, &lists);
        let meet = |a: &str, b: &str| keys(a).iter().any(|key| keys(b).contains(key));
        assert!(meet(
            "Kasia;Wiśniewska;;;Nova sp. z o.o.;;",
            "Katarzyna;Wisniewska;;;NOVA Systemy;;"
        ));
        assert!(meet("Schmidt;Jan;;;Nova;;", "Jan;Szmit;;;;nova.pl;"));
        assert!(meet("Jan;Lis;jan.lis@wp.pl;;;;", "Jan;Lis;jan.lis@wp.p;;;;"));
        assert!(!meet("Jan;Lis;;;Nova;;", "Jan;Kruk;;;Nova;;"));
        assert_eq!(keys("Jan;;jan.lis@wp.pl;;Nova;;"), []);
        assert_eq!(keys("Jan;Lis;biuro@nova.pl;;;;").len(), 1, "no company, no town");
    }
}
