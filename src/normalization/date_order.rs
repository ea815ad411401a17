//! Which figure of `9/12/2025` is the day: settled for a whole column, before its first row is judged.
//!
//! One value cannot tell, its column often can. What counts is the set of values and never their order, so
//! the same rows in another order are read the same way; counts and sums are all that is kept of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::fingerprint::native_id;
use super::moment_words::without_words;
use super::text::{narrow, unguard};
use crate::model::moment::DateOrder;
use crate::model::row::{Cell, Role};

/// Columns that are watched at most; records of JSON may name as many as they like.
const COLUMNS_MAX: usize = 64;
/// Fewest values whose ids count as evidence: fewer can run in step by chance.
const IDS_MIN: i128 = 8;
/// Ids above this are no running numbers but a vendor's keys, and the sums of their squares would overflow.
const ID_MAX: i128 = 10_000_000_000;
/// How closely dates have to follow the running numbers of their rows in the order that is right,
const IN_STEP_MIN: f64 = 0.95;
/// and how loosely in the one that is wrong.
const OUT_OF_STEP_MAX: f64 = 0.80;
/// Countries that write the month first.
const MONTH_FIRST_COUNTRIES: &[&str] =
    &["US", "PH", "PR", "GU", "AS", "VI", "MP", "FM", "MH", "PW"];

/// What stands between the figures of a date: who writes dots has other habits than who writes slashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Separator {
    /// `9/12/2025`
    Slash,
    /// `9-12-2025`
    Dash,
    /// `9.12.2025`
    Dot,
}

impl Separator {
    /// Every separator, in order.
    pub const ALL: [Self; 3] = [Self::Slash, Self::Dash, Self::Dot];

    fn of(c: char) -> Option<Self> {
        match c {
            '/' => Some(Self::Slash),
            '-' => Some(Self::Dash),
            '.' => Some(Self::Dot),
            _ => None,
        }
    }

    /// Returns the character itself.
    pub fn char(self) -> char {
        match self {
            Self::Slash => '/',
            Self::Dash => '-',
            Self::Dot => '.',
        }
    }
}

/// Why an order was settled on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// A figure over 12 in the column can only be a day.
    Values,
    /// Dates run in step with the running numbers of their rows one way and not the other.
    Ids,
    /// Read the other way, some dates lie after the receipt of the file.
    Receipt,
    /// The preset of the source says so.
    Source,
    /// Nobody writes dates with this separator in the other order.
    Custom,
    /// Nothing tells; this is the likelier order, and every date it could change is noticed.
    Assumed,
    /// The column holds dates of both orders; this is the commoner one, and the others are noticed.
    Mixed,
}

/// The order of the dates of one column that share a separator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// [`DateOrder::Dmy`] or [`DateOrder::Mdy`], never unknown.
    pub order: DateOrder,
    /// Why.
    pub basis: Basis,
}

impl Settled {
    /// Returns whether a date with two readings may be read without a notice.
    pub fn is_sure(self) -> bool {
        !matches!(self.basis, Basis::Assumed | Basis::Mixed)
    }

    /// Returns the reason in the words of a message.
    pub fn because(self) -> &'static str {
        match self.basis {
            Basis::Values => "a figure over 12 can only be a day",
            Basis::Ids => "so the dates follow the numbers of the rows",
            Basis::Receipt => "read the other way, dates would lie in the future",
            Basis::Source => "the preset of the source says so",
            Basis::Custom => "nobody writes such dates the other way",
            Basis::Assumed => {
                "nothing in the column tells; set `date-order` in the source's preset"
            }
            Basis::Mixed => {
                "the column holds dates of both orders; correct it or split the file by where rows \
                 come from"
            }
        }
    }
}

/// The orders of one column, by [`Separator`].
pub type Orders = [Settled; 3];

/// What is said of the dates of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnOrder {
    /// Header of the column.
    pub column: Arc<str>,
    /// What stands between the figures.
    pub separator: Separator,
    /// Which of them is the day.
    pub settled: Settled,
    /// How many dates of the column are written so.
    pub count: u64,
    /// One of them that shows it: of those that decide, else of those that could be read both ways.
    pub example: String,
}

/// The orders of every column of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateOrders {
    otherwise: Orders,
    columns: Vec<ColumnOrder>,
}

impl DateOrders {
    /// Returns the orders where only the source is known.
    pub fn of_source(source: DateHabits<'_>) -> Self {
        Self { otherwise: source.orders(), columns: Vec::new() }
    }

    /// Returns the orders of `column`.
    pub fn of(&self, column: &str) -> Orders {
        let mut orders = self.otherwise;
        for known in self.columns.iter().filter(|known| *known.column == *column) {
            orders[known.separator as usize] = known.settled;
        }
        orders
    }

    /// Iterates the columns whose dates were looked at, in order of name and separator.
    pub fn iter(&self) -> impl Iterator<Item = &ColumnOrder> {
        self.columns.iter()
    }
}

/// What is known of how a source writes dates before any is seen.
#[derive(Debug, Clone, Copy)]
pub struct DateHabits<'a> {
    /// What the preset says outright.
    pub order: DateOrder,
    /// The preset's formats; where all with one separator agree, they say it, too.
    pub formats: &'a [String],
    /// ISO 3166-1 alpha-2 code of the country whose habit is the likelier one.
    pub country: &'a str,
}

impl DateHabits<'_> {
    fn orders(self) -> Orders {
        Separator::ALL.map(|separator| self.settle(separator, false))
    }

    fn settle(self, separator: Separator, looks_american: bool) -> Settled {
        let said = self.said(separator);
        if said != DateOrder::Unknown {
            return Settled { order: said, basis: Basis::Source };
        }
        if separator == Separator::Dot {
            return Settled { order: DateOrder::Dmy, basis: Basis::Custom };
        }
        let is_american = looks_american || MONTH_FIRST_COUNTRIES.contains(&self.country);
        let order = if is_american { DateOrder::Mdy } else { DateOrder::Dmy };
        Settled { order, basis: Basis::Assumed }
    }

    /// Returns what the preset says of dates with `separator`. An order for the source as a whole is about
    /// slashes and dashes: dots in an American export were put there by a European spreadsheet.
    fn said(self, separator: Separator) -> DateOrder {
        if self.order != DateOrder::Unknown && separator != Separator::Dot {
            return self.order;
        }
        let mut orders = self
            .formats
            .iter()
            .filter_map(|format| format_order(format))
            .filter(|(written, _)| *written == separator)
            .map(|(_, order)| order);
        let first = orders.next().unwrap_or_default();
        if orders.all(|order| order == first) { first } else { DateOrder::Unknown }
    }
}

/// Returns the separator and order of a chrono format whose day and month are both figures before the year.
pub(super) fn format_order(format: &str) -> Option<(Separator, DateOrder)> {
    let mut parts =
        format.split('%').skip(1).map(|part| part.trim_start_matches(['-', '_', '0', '#']));
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    let separator = Separator::of(first.chars().nth(1)?)?;
    if !third.starts_with(['Y', 'y']) {
        return None;
    }
    match (first.chars().next()?, second.chars().next()?) {
        ('d' | 'e', 'm') => Some((separator, DateOrder::Dmy)),
        ('m', 'd' | 'e') => Some((separator, DateOrder::Mdy)),
        _ => None,
    }
}

/// A date of three figures with the year last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) separator: Separator,
    first: u32,
    second: u32,
    year: i32,
    is_padded: bool,
}

impl Figures {
    /// Reads `12.09.2025` or `9/12/25`; a year in first place makes it none of these.
    pub(super) fn read(text: &str) -> Option<Self> {
        let separator = text.chars().find(|c| !c.is_ascii_digit())?;
        let mut parts = text.split(separator);
        let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
        let is_short = |part: &str| matches!(part.len(), 1 | 2);
        if parts.next().is_some()
            || !is_short(first)
            || !is_short(second)
            || !matches!(year.len(), 2 | 4)
        {
            return None;
        }
        let is_padded = first.len() == 2 && second.len() == 2;
        let (first, second, year) = (first.parse().ok()?, second.parse().ok()?, year.parse().ok()?);
        let year = if year < 100 { 2000 + year } else { year };
        Some(Self { separator: Separator::of(separator)?, first, second, year, is_padded })
    }

    /// Returns the date when the first figure is the day.
    pub(super) fn day_first(self) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(self.year, self.second, self.first)
    }

    /// Returns the date when the first figure is the month.
    pub(super) fn month_first(self) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(self.year, self.first, self.second)
    }
}

/// Returns the figures with which `bare` begins, and what follows them.
pub(super) fn split_figures(bare: &str) -> (&str, &str) {
    let end = bare.find(|c: char| !c.is_ascii_digit() && !"./-".contains(c)).unwrap_or(bare.len());
    let (figures, rest) = bare.split_at(end);
    (figures.trim_end_matches(['.', '-', '/']), rest)
}

/// Watches the dates of an input, row by row.
#[derive(Debug)]
pub struct DateSurvey {
    received_at: DateTime<Utc>,
    columns: BTreeMap<Arc<str>, [Tally; 3]>,
}

impl DateSurvey {
    /// Starts a survey of a file received at `received_at`; no form can have been sent a day later.
    pub fn new(received_at: DateTime<Utc>) -> Self {
        Self { received_at, columns: BTreeMap::new() }
    }

    /// Looks at the times in one row.
    pub fn add(&mut self, cells: &[Cell]) {
        let is_time = |cell: &&Cell| {
            matches!(cell.role, Role::SubmittedAt | Role::NotedAt | Role::ModifiedAt)
        };
        for cell in cells.iter().filter(is_time) {
            let text = unguard(&cell.text);
            let bare = without_words(&narrow(&text));
            let (figures, rest) = split_figures(&bare);
            let Some(figures) = Figures::read(figures) else { continue };
            if !self.columns.contains_key(&cell.column) && self.columns.len() >= COLUMNS_MAX {
                continue;
            }
            let tally = &mut self.columns.entry(cell.column.clone()).or_default()
                [figures.separator as usize];
            let has_half_day =
                rest.to_ascii_lowercase().trim_end_matches(['.', ' ']).ends_with('m');
            let last_day = self.received_at.date_naive() + Duration::days(1);
            tally.add(figures, has_half_day, last_day, || running_number(cells), &cell.text);
        }
    }

    /// Settles the order of every column that was seen.
    pub fn settle(&self, source: DateHabits<'_>) -> DateOrders {
        let mut orders = DateOrders::of_source(source);
        for (column, tallies) in &self.columns {
            for (separator, tally) in Separator::ALL.into_iter().zip(tallies) {
                if let Some(example) = tally.example() {
                    orders.columns.push(ColumnOrder {
                        column: column.clone(),
                        separator,
                        settled: tally.settle(separator, source),
                        count: tally.day_first + tally.month_first + tally.either,
                        example: example.to_owned(),
                    });
                }
            }
        }
        orders
    }
}

/// Returns the source's own id of the row where it is a number that runs.
fn running_number(cells: &[Cell]) -> Option<i128> {
    native_id(cells)?.parse().ok().filter(|id| (0..=ID_MAX).contains(id))
}

/// What the dates of one column and separator add up to.
#[derive(Debug, Clone, Default, PartialEq)]
struct Tally {
    /// Dates that make sense only with the day first,
    day_first: u64,
    /// only with the month first,
    month_first: u64,
    /// and both ways with different results.
    either: u64,
    /// Dates after the receipt, were the day first,
    late_by_day: u64,
    /// or the month.
    late_by_month: u64,
    /// Dates as Americans write them: a twelve-hour clock or figures without a leading nought.
    american: u64,
    steps_by_day: Correlation,
    steps_by_month: Correlation,
    /// The least of the deciding values, and of those that could be read both ways.
    deciding: Option<String>,
    undecided: Option<String>,
}

impl Tally {
    fn add(
        &mut self,
        figures: Figures,
        has_half_day: bool,
        last_day: NaiveDate,
        id: impl FnOnce() -> Option<i128>,
        text: &str,
    ) {
        match (figures.day_first(), figures.month_first()) {
            (Some(_), None) => self.day_first += 1,
            (None, Some(_)) => self.month_first += 1,
            (Some(by_day), Some(by_month)) if by_day != by_month => {
                self.either += 1;
                self.late_by_day += u64::from(by_day > last_day);
                self.late_by_month += u64::from(by_month > last_day);
                self.american += u64::from(has_half_day || !figures.is_padded);
                if let Some(id) = id() {
                    self.steps_by_day.add(id, by_day);
                    self.steps_by_month.add(id, by_month);
                }
                keep_least(&mut self.undecided, text);
                return;
            }
            (Some(_), Some(_)) | (None, None) => return,
        }
        keep_least(&mut self.deciding, text);
    }

    fn example(&self) -> Option<&str> {
        self.deciding.as_deref().or(self.undecided.as_deref())
    }

    fn settle(&self, separator: Separator, source: DateHabits<'_>) -> Settled {
        let settled = |is_day_first: bool, basis| Settled {
            order: if is_day_first { DateOrder::Dmy } else { DateOrder::Mdy },
            basis,
        };
        match (self.day_first, self.month_first) {
            (0, 0) => {}
            (0, _) => return settled(false, Basis::Values),
            (_, 0) => return settled(true, Basis::Values),
            (by_day, by_month) => return settled(by_day >= by_month, Basis::Mixed),
        }
        if let Some(is_day_first) = self.by_ids() {
            return settled(is_day_first, Basis::Ids);
        }
        match (self.late_by_day, self.late_by_month) {
            (0, late) if late > 0 => return settled(true, Basis::Receipt),
            (late, 0) if late > 0 => return settled(false, Basis::Receipt),
            _ => {}
        }
        source.settle(separator, self.american > 0)
    }

    fn by_ids(&self) -> Option<bool> {
        let (by_day, by_month) = (self.steps_by_day.value()?, self.steps_by_month.value()?);
        if by_day >= IN_STEP_MIN && by_month <= OUT_OF_STEP_MAX {
            return Some(true);
        }
        (by_month >= IN_STEP_MIN && by_day <= OUT_OF_STEP_MAX).then_some(false)
    }
}

/// Keeps the shortest text, of equals the first by its letters: so the order of rows cannot choose.
fn keep_least(kept: &mut Option<String>, text: &str) {
    let is_less = |known: &String| (text.len(), text) < (known.len(), known.as_str());
    if kept.as_ref().is_none_or(is_less) {
        *kept = Some(text.to_owned());
    }
}

/// Pearson's correlation of running numbers and days. The sums are whole numbers, so no order of adding
/// can change them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Correlation {
    count: i128,
    ids: i128,
    days: i128,
    ids_squared: i128,
    days_squared: i128,
    products: i128,
}

impl Correlation {
    fn add(&mut self, id: i128, date: NaiveDate) {
        let day = i128::from(date.signed_duration_since(NaiveDate::default()).num_days());
        self.count += 1;
        self.ids += id;
        self.days += day;
        self.ids_squared += id * id;
        self.days_squared += day * day;
        self.products += id * day;
    }

    /// Returns the coefficient, -1 to 1; none for a handful of values or ones that do not vary.
    fn value(&self) -> Option<f64> {
        if self.count < IDS_MIN {
            return None;
        }
        let spread = |squares: i128, sum: i128| {
            Some(self.count.checked_mul(squares)?.checked_sub(sum.checked_mul(sum)?)? as f64)
        };
        let (ids, days) =
            (spread(self.ids_squared, self.ids)?, spread(self.days_squared, self.days)?);
        let together =
            self.count.checked_mul(self.products)?.checked_sub(self.ids.checked_mul(self.days)?)?;
        (ids > 0.0 && days > 0.0).then(|| together as f64 / (ids.sqrt() * days.sqrt()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone as _;
    use proptest::prelude::*;

    const NOTHING_SAID: DateHabits<'_> =
        DateHabits { order: DateOrder::Unknown, formats: &[], country: "PL" };

    fn row(id: &str, at: &str) -> Vec<Cell> {
        let cell = |column: &str, role, text: &str| Cell {
            column: column.into(),
            role,
            text: text.to_owned(),
        };
        vec![cell("Id", Role::SubmissionId, id), cell("Date", Role::SubmittedAt, at)]
    }

    fn surveyed(rows: &[(String, String)], habits: DateHabits<'_>) -> DateOrders {
        let mut survey = DateSurvey::new(Utc.with_ymd_and_hms(2025, 12, 31, 12, 0, 0).unwrap());
        for (id, at) in rows {
            survey.add(&row(id, at));
        }
        survey.settle(habits)
    }

    #[track_caller]
    fn check_in(habits: DateHabits<'_>, values: &[&str], order: DateOrder, basis: Basis) {
        let rows: Vec<(String, String)> =
            values.iter().map(|at| (String::new(), (*at).to_owned())).collect();
        let orders = surveyed(&rows, habits);
        let found: Vec<Settled> = orders.iter().map(|one| one.settled).collect();
        assert_eq!(found, [Settled { order, basis }], "{values:?}");
    }

    #[track_caller]
    fn check(values: &[&str], order: DateOrder, basis: Basis) {
        check_in(NOTHING_SAID, values, order, basis);
    }

    #[test]
    fn a_figure_over_twelve_decides_for_the_whole_column() {
        check(&["09/12/2025", "13/09/2025"], DateOrder::Dmy, Basis::Values);
        check(&["9/12/2025 2:30 PM", "9/25/2025 2:30 PM"], DateOrder::Mdy, Basis::Values);
        check(&["09-12-2025", "09-28-2025"], DateOrder::Mdy, Basis::Values);
        check(&["12.09.2025", "09.28.2025"], DateOrder::Mdy, Basis::Values);
        let american = DateHabits { order: DateOrder::Mdy, ..NOTHING_SAID };
        check_in(american, &["09/12/2025", "13/09/2025"], DateOrder::Dmy, Basis::Values);
    }

    #[test]
    fn a_column_of_both_orders_is_called_mixed() {
        check(&["25/12/2024", "12/25/2024", "24/12/2024"], DateOrder::Dmy, Basis::Mixed);
        check(&["25/12/2024", "12/25/2024", "12/24/2024"], DateOrder::Mdy, Basis::Mixed);
    }

    #[track_caller]
    fn check_received(values: &[&str], order: DateOrder, basis: Basis) {
        let mut survey = DateSurvey::new(Utc.with_ymd_and_hms(2025, 9, 30, 12, 0, 0).unwrap());
        for at in values {
            survey.add(&row("", at));
        }
        let orders = survey.settle(NOTHING_SAID);
        let found: Vec<Settled> = orders.iter().map(|one| one.settled).collect();
        assert_eq!(found, [Settled { order, basis }], "{values:?}");
    }

    #[test]
    fn dates_after_receipt_speak_against_an_order() {
        check_received(&["09/12/2025", "08/07/2025"], DateOrder::Mdy, Basis::Receipt);
        check_received(&["12/09/2025", "08/07/2025"], DateOrder::Dmy, Basis::Receipt);
        check_received(&["12/09/2025", "09/12/2025"], DateOrder::Dmy, Basis::Assumed);
        check_received(&["01/02/2025"], DateOrder::Dmy, Basis::Assumed);
    }

    #[test]
    fn the_source_decides_what_its_dates_do_not() {
        let american = DateHabits { order: DateOrder::Mdy, ..NOTHING_SAID };
        check_in(american, &["09/12/2025"], DateOrder::Mdy, Basis::Source);
        check_in(american, &["09.12.2025"], DateOrder::Dmy, Basis::Custom);
        let formats = ["%m/%d/%y %H:%M:%S", "%m/%d/%Y", "%d.%m.%Y"].map(str::to_owned);
        let formatted = DateHabits { formats: &formats, ..NOTHING_SAID };
        check_in(formatted, &["9/12/25 18:01:02"], DateOrder::Mdy, Basis::Source);
        let formats = ["%m/%d/%Y", "%d/%m/%Y"].map(str::to_owned);
        let torn = DateHabits { formats: &formats, ..NOTHING_SAID };
        check_in(torn, &["09/12/2025"], DateOrder::Dmy, Basis::Assumed);
    }

    #[test]
    fn what_nothing_tells_is_assumed() {
        check(&["09/12/2025"], DateOrder::Dmy, Basis::Assumed);
        check(&["12-09-2025 09:30"], DateOrder::Dmy, Basis::Assumed);
        check(&["9/12/25 18:01:02"], DateOrder::Mdy, Basis::Assumed);
        check(&["09/12/2025 02:30 PM"], DateOrder::Mdy, Basis::Assumed);
        check_in(
            DateHabits { country: "US", ..NOTHING_SAID },
            &["09/12/2025"],
            DateOrder::Mdy,
            Basis::Assumed,
        );
        check(&["09.12.2025"], DateOrder::Dmy, Basis::Custom);
    }

    #[test]
    fn dates_in_step_with_running_numbers_decide() {
        let dates = [
            "01/02", "03/02", "05/02", "11/02", "04/03", "09/03", "12/03", "02/04", "08/04",
            "03/05",
        ];
        let rows: Vec<(String, String)> = dates
            .iter()
            .enumerate()
            .map(|(at, date)| ((4000 + at).to_string(), format!("{date}/2025")))
            .collect();
        let found = surveyed(&rows, NOTHING_SAID);
        let settled = found.iter().next().unwrap().settled;
        assert_eq!(settled, Settled { order: DateOrder::Dmy, basis: Basis::Ids });
    }

    #[test]
    fn values_that_are_no_such_dates_leave_nothing_to_settle() {
        for text in ["2025-09-12", "", "12 września 2025", "1757682313", "08/08/2025", "1.2.3.4"] {
            let rows = [(String::new(), text.to_owned())];
            assert_eq!(surveyed(&rows, NOTHING_SAID).iter().count(), 0, "{text:?}");
        }
    }

    #[test]
    fn formats_tell_their_order() {
        assert_eq!(format_order("%d.%m.%Y %H:%M"), Some((Separator::Dot, DateOrder::Dmy)));
        assert_eq!(format_order("%-m/%-d/%y"), Some((Separator::Slash, DateOrder::Mdy)));
        assert_eq!(format_order("%Y-%m-%d"), None);
        assert_eq!(format_order("%B %d, %Y"), None);
    }

    proptest! {
        #[test]
        fn the_order_of_rows_does_not_matter(
            rows in prop::collection::vec((0_u32..100_000, 1_u32..32, 1_u32..32, 2023_u32..2027), 1..40),
            turn in 0_usize..40,
        ) {
            let rows: Vec<(String, String)> = rows
                .into_iter()
                .map(|(id, a, b, year)| (id.to_string(), format!("{a}/{b}/{year}")))
                .collect();
            let mut other = rows.clone();
            other.reverse();
            other.rotate_left(turn % rows.len());
            prop_assert_eq!(surveyed(&rows, NOTHING_SAID), surveyed(&other, NOTHING_SAID));
        }
    }
}
