//! Instants and the many ways in which export files write them.

/// An instant, in whole seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

/// A date and a time of day as a clock on some wall shows them.
#[derive(Clone, Copy)]
pub struct Civil {
    pub year: i64,
    pub month: i64,
    pub day: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
}

const DAY_SECONDS: i64 = 86_400;

/// Returns the days from 1970-01-01 to a date (Howard Hinnant's `days_from_civil`).
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Returns what a clock shows that many seconds after 1970-01-01T00:00:00.
fn civil(seconds: i64) -> Civil {
    let (days, rest) = (seconds.div_euclid(DAY_SECONDS), seconds.rem_euclid(DAY_SECONDS));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    Civil {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month,
        day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
        hour: rest / 3600,
        minute: rest / 60 % 60,
        second: rest % 60,
    }
}

/// Returns the instant of the last Sunday of a month at 01:00 UTC, when the European Union moves its clocks.
fn clock_change(year: i64, month: i64) -> i64 {
    let last = days_from_civil(year, month, 31);
    // 1970-01-01 was a Thursday, so day number 3 was a Sunday.
    (last - (last - 3).rem_euclid(7)) * DAY_SECONDS + 3600
}

impl Moment {
    /// Returns what a clock in UTC shows.
    pub fn utc(self) -> Civil {
        civil(self.0)
    }

    /// Returns what a clock in Warsaw shows.
    pub fn local(self) -> Civil {
        civil(self.0 + self.offset_seconds())
    }

    /// Returns the offset of Warsaw (and Berlin) from UTC.
    fn offset_seconds(self) -> i64 {
        let year = self.utc().year;
        let summer = clock_change(year, 3)..clock_change(year, 10);
        if summer.contains(&self.0) { 7200 } else { 3600 }
    }

    /// Returns the moment that many seconds later, or earlier for a negative number.
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0 + seconds)
    }

    /// Writes `2026-11-20T15:05:13+01:00`.
    pub fn iso_offset(self) -> String {
        format!("{}+0{}:00", self.local().iso('T'), self.offset_seconds() / 3600)
    }

    /// Writes `2026-11-20T14:05:13Z`.
    pub fn iso_utc(self) -> String {
        format!("{}Z", self.utc().iso('T'))
    }

    /// Writes `2026-11-20T14:05:13.250Z`.
    pub fn iso_utc_millis(self, millis: u64) -> String {
        format!("{}.{millis:03}Z", self.utc().iso('T'))
    }

    /// Writes the serial day number that Excel shows for a Polish local time, `46346,63`.
    pub fn excel_serial(self) -> String {
        let local = self.0 + self.offset_seconds();
        // Serial 25569 is 1970-01-01 in the 1900 date system.
        let hundredths = local.rem_euclid(DAY_SECONDS) * 100 / DAY_SECONDS;
        format!("{},{hundredths:02}", local.div_euclid(DAY_SECONDS) + 25_569)
    }
}

impl Civil {
    /// Writes `2026-11-20T15:05:13` with any separator between date and time.
    pub fn iso(self, separator: char) -> String {
        let Self { hour, minute, second, .. } = self;
        format!("{}{separator}{hour:02}:{minute:02}:{second:02}", self.date())
    }

    /// Writes `2026-11-20`.
    pub fn date(self) -> String {
        format!("{}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// Writes `2026-11-20 15:05`.
    pub fn to_minute(self) -> String {
        format!("{} {:02}:{:02}", self.date(), self.hour, self.minute)
    }

    /// Writes `20.11.2026 15:05:13` as a Polish spreadsheet does: two-digit months, days and hours unpadded.
    pub fn polish(self) -> String {
        let Self { year, month, day, hour, minute, second } = self;
        format!("{day}.{month:02}.{year} {hour}:{minute:02}:{second:02}")
    }

    /// Writes `20.11.2026 15:05`.
    pub fn polish_to_minute(self) -> String {
        let Self { year, month, day, hour, minute, .. } = self;
        format!("{day:02}.{month:02}.{year} {hour:02}:{minute:02}")
    }

    /// Writes `11/20/2026 3:05 PM`.
    pub fn american(self) -> String {
        let Self { year, month, day, hour, minute, .. } = self;
        let half = if hour < 12 { "AM" } else { "PM" };
        format!("{month}/{day}/{year} {}:{minute:02} {half}", (hour + 11) % 12 + 1)
    }
}
