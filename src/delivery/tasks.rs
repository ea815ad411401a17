//! Writes task lists: `tasks.csv` for people with a spreadsheet, `tasks.ics` for calendars.

use std::borrow::Cow;
use std::io::Write;

use anyhow::{Context as _, Result};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use chrono_tz::Tz;
use icalendar::{Alarm, Component as _, Event, EventLike as _, Todo, TodoStatus, Trigger};

use super::fault_of;
use crate::model::moment::utc_from_ms;
use crate::model::spreadsheet;
use crate::model::task::{Task, TaskState};

const HEADER: &[&str] = &[
    "task-id",
    "lead-id",
    "lead",
    "owner",
    "queue",
    "segment",
    "channel",
    "subject",
    "due",
    "due-utc",
    "late-minutes",
    "age",
    "state",
    "because",
    "email",
    "phone",
];

/// Writes `tasks.csv`, a task at a time.
pub struct TaskListWriter<W: Write> {
    csv: csv::Writer<W>,
    zone: Tz,
    as_of: DateTime<Utc>,
    rows: u64,
}

impl<W: Write> TaskListWriter<W> {
    /// Opens the list; due times are shown in `zone`, ages as seen at `as_of`.
    pub fn new(out: W, zone: Tz, as_of: DateTime<Utc>) -> Result<Self> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(HEADER).map_err(fault_of).context("write tasks.csv")?;
        Ok(Self { csv, zone, as_of, rows: 0 })
    }

    /// Writes `task`.
    pub fn write(&mut self, task: &Task) -> Result<()> {
        let planned = &task.planned;
        let id = task.id();
        let due = utc_from_ms(planned.due_ms);
        let local = due.with_timezone(&self.zone).to_rfc3339_opts(SecondsFormat::Secs, false);
        let phone = task.phone.as_deref().unwrap_or_default();
        let row: [Cow<'_, str>; 16] = [
            spreadsheet::guard(&id),
            task.lead_id.to_string().into(),
            spreadsheet::guard(&task.lead_name),
            spreadsheet::guard(task.owner.as_deref().unwrap_or_default()),
            spreadsheet::guard(&task.queue),
            task.segment.as_str().into(),
            planned.channel.word().into(),
            spreadsheet::guard(&planned.subject),
            local.into(),
            due.to_rfc3339_opts(SecondsFormat::Secs, true).into(),
            task.late_minutes.to_string().into(),
            age(task, self.as_of).into(),
            planned.state.word().into(),
            spreadsheet::guard(&planned.because),
            spreadsheet::guard(task.email.as_deref().unwrap_or_default()),
            if spreadsheet::is_e164(phone) { phone.into() } else { spreadsheet::guard(phone) },
        ];
        self.csv
            .write_record(row.iter().map(|cell| cell.as_bytes()))
            .map_err(fault_of)
            .context("write tasks.csv")?;
        self.rows += 1;
        Ok(())
    }

    /// Closes the list and returns the rows written and what they were written to.
    pub fn finish(self) -> Result<(u64, W)> {
        let out = self.csv.into_inner().map_err(csv::IntoInnerError::into_error);
        Ok((self.rows, out.context("write tasks.csv")?))
    }
}

/// Writes `tasks.ics` (RFC 5545), one VTODO for each open task.
///
/// Nothing in it is random or read from a clock: the UID is the task's id and DTSTAMP the run's as-of,
/// so a calendar that imports the file again updates its entries.
pub struct CalendarWriter<W: Write> {
    out: W,
    zone: Tz,
    as_of: DateTime<Utc>,
    /// Whether entries are events that ring, for calendars that show no to-dos.
    as_events: bool,
    rows: u64,
}

impl<W: Write> CalendarWriter<W> {
    /// Opens the calendar; ages are as seen at `as_of`, local times in `zone`.
    pub fn new(mut out: W, zone: Tz, as_of: DateTime<Utc>) -> Result<Self> {
        out.write_all(
            b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//leadmill//tasks//EN\r\nCALSCALE:GREGORIAN\r\n",
        )
        .context("write tasks.ics")?;
        Ok(Self { out, zone, as_of, as_events: false, rows: 0 })
    }

    /// Opens a calendar of events: many calendars show no to-dos, but every one rings for an event.
    pub fn of_events(out: W, zone: Tz, as_of: DateTime<Utc>) -> Result<Self> {
        Ok(Self { as_events: true, ..Self::new(out, zone, as_of)? })
    }

    /// Writes `task`, which says `text`, if it is open; returns whether it was.
    pub fn write(&mut self, task: &Task, text: Option<&str>) -> Result<bool> {
        if task.planned.state != TaskState::Open {
            return Ok(false);
        }
        let text = if self.as_events {
            self.event(task, text).try_into_string()
        } else {
            self.todo(task, text).try_into_string()
        };
        let text = text.context("write tasks.ics")?;
        self.out.write_all(folded(&text).as_bytes()).context("write tasks.ics")?;
        self.rows += 1;
        Ok(true)
    }

    /// Closes the calendar and returns the entries written and what they were written to.
    pub fn finish(mut self) -> Result<(u64, W)> {
        self.out.write_all(b"END:VCALENDAR\r\n").context("write tasks.ics")?;
        self.out.flush().context("write tasks.ics")?;
        Ok((self.rows, self.out))
    }

    fn todo(&self, task: &Task, text: Option<&str>) -> Todo {
        Todo::with_uid(&format!("{}@leadmill", one_line(&task.id())))
            .timestamp(self.as_of)
            .due(utc_from_ms(task.planned.due_ms))
            .status(TodoStatus::NeedsAction)
            .priority(priority(task))
            .add_property("CATEGORIES", task.segment.to_uppercase())
            .summary(&summary(task))
            .description(&self.description(task, text))
            .done()
    }

    fn event(&self, task: &Task, text: Option<&str>) -> Event {
        let due = utc_from_ms(task.planned.due_ms);
        let uid = one_line(&task.id());
        let mut alarm = Alarm::display(&summary(task), Trigger::from(TimeDelta::zero()));
        // By itself it would get another id and the time of day.
        alarm.uid(&format!("{uid}/alarm@leadmill")).timestamp(self.as_of);
        Event::with_uid(&format!("{uid}/event@leadmill"))
            .timestamp(self.as_of)
            .starts(due)
            .ends(due + TimeDelta::minutes(EVENT_MINUTES))
            .priority(priority(task))
            .add_property("CATEGORIES", task.segment.to_uppercase())
            // Whoever looks at the calendar is free all the same.
            .add_property("TRANSP", "TRANSPARENT")
            .summary(&summary(task))
            .description(&self.description(task, text))
            .alarm(alarm)
            .done()
    }

    fn description(&self, task: &Task, text: Option<&str>) -> String {
        let due = utc_from_ms(task.planned.due_ms);
        let mut lines = vec![
            format!("lead: {} ({})", one_line(&task.lead_name), task.lead_id),
            format!("due: {}", due.with_timezone(&self.zone).format("%Y-%m-%d %H:%M %:z")),
        ];
        if task.late_minutes > 0 {
            lines.push(age(task, self.as_of));
        }
        let contact = [("phone", &task.phone), ("e-mail", &task.email)];
        for (name, value) in contact {
            lines.extend(value.as_deref().map(|value| format!("{name}: {}", one_line(value))));
        }
        lines.push(format!(
            "{}: {}",
            if task.owner.is_some() { "owner" } else { "queue" },
            one_line(task.owner.as_ref().unwrap_or(&task.queue))
        ));
        lines.push(one_line(&task.planned.because));
        if let Some(text) = text {
            lines.push(String::new());
            lines.extend(text.trim_end().lines().map(one_line));
        }
        lines.join("\n")
    }
}

/// How long an event lasts.
const EVENT_MINUTES: i64 = 15;

/// RFC 5545, 3.8.1.9: 1 is the highest.
fn priority(task: &Task) -> u32 {
    match task.segment.as_str() {
        "hot" => 1,
        "warm" => 5,
        _ => 9,
    }
}

fn summary(task: &Task) -> String {
    one_line(&format!("{}: {}", task.planned.subject, task.lead_name))
}

/// Returns `task` as a line of todo.txt: priority, the day of `as_of`, what to do, the queue as project, the channel as
/// context, then when it is due and which task it is.
pub fn todo_txt(task: &Task, zone: Tz, as_of: DateTime<Utc>) -> String {
    let priority = match task.segment.as_str() {
        "hot" => 'A',
        "warm" => 'B',
        _ => 'C',
    };
    let day = |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d").to_string();
    let due = utc_from_ms(task.planned.due_ms);
    // A word with a colon, a plus or an at sign in front would be a tag of its own.
    let subject = one_line(&task.planned.subject).replace(['+', '@'], "").replace(':', " -");
    let word = |text: &str| one_line(text).replace(' ', "-");
    let owner =
        task.owner.as_ref().map_or(String::new(), |owner| format!(" owner:{}", word(owner)));
    format!(
        "({priority}) {} {} +{} @{} due:{} at:{} id:{}{owner}",
        day(as_of),
        subject.split_whitespace().collect::<Vec<_>>().join(" "),
        word(&task.queue),
        task.planned.channel.word(),
        day(due),
        due.with_timezone(&zone).format("%H.%M"),
        word(&task.id()),
    )
}

/// Folds content lines at 75 octets, the blank that continues a line included (RFC 5545, 3.1).
fn folded(text: &str) -> String {
    // icalendar folds, too, but now and then an octet too late after an escaped character.
    let mut out = String::with_capacity(text.len() + text.len() / 32);
    for line in text.replace("\r\n ", "").split_terminator("\r\n") {
        let mut octets = 0;
        for character in line.chars() {
            if octets + character.len_utf8() > 75 {
                out.push_str("\r\n ");
                octets = 1;
            }
            out.push(character);
            octets += character.len_utf8();
        }
        out.push_str("\r\n");
    }
    out
}

/// Control characters would end a content line early or be no text at all (RFC 5545, 3.3.11).
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Returns how far past or before its due time a task is at `as_of`, such as `2 h 05 min late`.
///
/// A task that is not open is neither late nor due; its age is empty.
pub fn age(task: &Task, as_of: DateTime<Utc>) -> String {
    if task.planned.state != TaskState::Open {
        return String::new();
    }
    if task.late_minutes > 0 {
        return format!("{} late", duration_text(task.late_minutes));
    }
    let ahead_ms = task.planned.due_ms.saturating_sub(as_of.timestamp_millis());
    match ahead_ms / 60_000 {
        ..=0 => "due now".to_owned(),
        minutes => format!("due in {}", duration_text(minutes)),
    }
}

/// Returns `minutes` as people say it: `7 min`, `2 h 05 min`, `3 d 4 h`.
pub fn duration_text(minutes: i64) -> String {
    let (hours, rest) = (minutes / 60, minutes % 60);
    match (hours / 24, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, hours) => format!("{hours} h {rest:02} min"),
        (days, hours) => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;

    use super::*;
    use crate::model::ids::{Fingerprint, LeadId, LeadNo};
    use crate::model::task::{PlannedTask, TaskChannel};

    fn as_of() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 10, 25, 6, 0, 0).single().unwrap()
    }

    fn task(state: TaskState, late_minutes: i64) -> Task {
        let lead_id = LeadId::of_founder(Fingerprint([9; 16]));
        Task {
            lead_no: LeadNo(1),
            lead_id,
            planned: PlannedTask {
                key: "hot/call".parse().unwrap(),
                channel: TaskChannel::Call,
                subject: "Zadzwoń, dziś; pilne".to_owned(),
                due_ms: as_of().timestamp_millis() - late_minutes * 60_000,
                put_off: 0,
                state,
                because: "=1+1 obiecany kontakt".to_owned(),
                done_ms: None,
            },
            owner: None,
            queue: "triage".to_owned(),
            segment: "hot".to_owned(),
            lead_name: "Zażółć Gęślą-Jaźń \\ Wyjątkowo Długie Nazwisko żółtej gęsi\r\nATTENDEE:x"
                .to_owned(),
            email: Some("a@example.com".to_owned()),
            phone: Some("+48600123456".to_owned()),
            opened_run: Some(1),
            late_minutes,
        }
    }

    #[test]
    fn ages_read_as_people_say_them() {
        #[track_caller]
        fn check(state: TaskState, late_minutes: i64, expected: &str) {
            assert_eq!(age(&task(state, late_minutes), as_of()), expected);
        }
        check(TaskState::Open, 125, "2 h 05 min late");
        check(TaskState::Open, 7, "7 min late");
        check(TaskState::Open, 4_500, "3 d 3 h late");
        check(TaskState::Open, 0, "due now");
        check(TaskState::Open, -61, "due in 1 h 01 min");
        check(TaskState::TooOld, 125, "");
    }

    #[test]
    fn the_list_reads_back_with_both_clocks() {
        let mut writer = TaskListWriter::new(Vec::new(), Tz::Europe__Warsaw, as_of()).unwrap();
        writer.write(&task(TaskState::Open, 360)).unwrap();
        writer.write(&task(TaskState::NotAllowed, 0)).unwrap();
        let (rows, bytes) = writer.finish().unwrap();
        assert_eq!(rows, 2);
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), HEADER);
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        // The clocks went back in Warsaw at 01:00 UTC that night: still summer time at 00:00 UTC.
        assert_eq!(&rows[0][8], "2026-10-25T02:00:00+02:00");
        assert_eq!(&rows[0][9], "2026-10-25T00:00:00Z");
        assert_eq!(&rows[0][11], "6 h 00 min late");
        assert_eq!(&rows[0][13], "'=1+1 obiecany kontakt");
        assert_eq!(&rows[0][15], "+48600123456");
        assert_eq!(&rows[1][12], "not-allowed");
    }

    fn calendar() -> String {
        let mut writer = CalendarWriter::new(Vec::new(), Tz::Europe__Warsaw, as_of()).unwrap();
        assert!(writer.write(&task(TaskState::Open, 125), Some("Pyta o: AI\n")).unwrap());
        assert!(!writer.write(&task(TaskState::Superseded, 0), None).unwrap());
        let (rows, bytes) = writer.finish().unwrap();
        assert_eq!(rows, 1);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_calendar_keeps_to_the_rules_of_its_lines() {
        let text = calendar();
        assert!(text.ends_with("END:VCALENDAR\r\n"));
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
        assert_eq!(text.matches('\r').count(), text.matches("\r\n").count());
        for line in text.split("\r\n") {
            assert!(line.len() <= 75, "{} octets: {line}", line.len());
        }
        let unfolded = text.replace("\r\n ", "");
        for expected in [
            "UID:LM-144GJ289144G/hot/call@leadmill\r\n",
            "DTSTAMP:20261025T060000Z\r\n",
            "DUE:20261025T035500Z\r\n",
            "STATUS:NEEDS-ACTION\r\n",
            "PRIORITY:1\r\n",
            "SUMMARY:Zadzwoń\\, dziś\\; pilne: Zażółć Gęślą-Jaźń \\\\ Wyjątkowo Długie Nazwisko \
             żółtej gęsi  ATTENDEE:x\r\n",
        ] {
            assert!(unfolded.contains(expected), "{expected} in {unfolded}");
        }
        assert!(!text.contains("\r\nATTENDEE"));
        assert!(unfolded.contains("obiecany kontakt\\n\\nPyta o: AI\r\n"), "{unfolded}");
    }

    #[test]
    fn the_calendar_is_the_same_every_time() {
        assert_eq!(calendar(), calendar());
        assert_eq!(events(), events());
    }

    fn events() -> String {
        let writer = CalendarWriter::of_events(Vec::new(), Tz::Europe__Warsaw, as_of());
        let mut writer = writer.unwrap();
        assert!(writer.write(&task(TaskState::Open, 125), None).unwrap());
        String::from_utf8(writer.finish().unwrap().1).unwrap()
    }

    #[test]
    fn a_calendar_that_shows_no_to_dos_rings_for_events() {
        let unfolded = events().replace("\r\n ", "");
        for expected in [
            "BEGIN:VEVENT\r\n",
            "UID:LM-144GJ289144G/hot/call/event@leadmill\r\n",
            "DTSTART:20261025T035500Z\r\n",
            "DTEND:20261025T041000Z\r\n",
            "BEGIN:VALARM\r\n",
            "ACTION:DISPLAY\r\n",
            "UID:LM-144GJ289144G/hot/call/alarm@leadmill\r\n",
        ] {
            assert!(unfolded.contains(expected), "{expected} in {unfolded}");
        }
        assert!(!unfolded.contains("\r\nATTENDEE"));
    }

    #[test]
    fn a_line_of_todo_txt_has_no_tags_but_its_own() {
        let mut one = task(TaskState::Open, 125);
        one.planned.subject = "Zadzwoń: Ewa +48 600 @firma\nx due:2020-01-01".to_owned();
        assert_eq!(
            todo_txt(&one, Tz::Europe__Warsaw, as_of()),
            "(A) 2026-10-25 Zadzwoń - Ewa 48 600 firma x due -2020-01-01 +triage @call due:2026-10-25 at:04.55 \
             id:LM-144GJ289144G/hot/call"
        );
    }
}
