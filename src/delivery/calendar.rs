//! Writes calendars of tasks (iCalendar, RFC 5545): `tasks.ics` and those of owners.
//!
//! Nothing in them is random or read from a clock: ids are the tasks' own and the time stamp is the run's as-of, so a
//! calendar that imports a file again updates its entries. Properties of an entry stand in alphabetical order.

use std::io::Write;

use anyhow::{Context as _, Result};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::tasks::{age, one_line};
use crate::model::moment::utc_from_ms;
use crate::model::task::{Task, TaskState};

/// How long an event lasts.
const EVENT_MINUTES: i64 = 15;
/// Octets of a content line at most, without its end (RFC 5545, 3.1).
const LINE_OCTETS_MAX: usize = 75;

/// What the calendars of one run have in common.
#[derive(Debug, Clone, Copy)]
pub struct CalendarStyle {
    /// Local times are shown in it.
    pub zone: Tz,
    /// Ages are as seen then.
    pub as_of: DateTime<Utc>,
}

/// An open task as calendars tell it; made once for all calendars that it stands in.
#[derive(Debug)]
pub struct CalendarEntry {
    id: String,
    due: DateTime<Utc>,
    /// Content lines that every kind of entry has.
    categories: String,
    description: String,
    priority: String,
    summary: String,
    /// What an alarm says, which is the summary under another name.
    alarm: String,
}

impl CalendarEntry {
    /// Returns the entry of `task`, which says `text`; `None` when it is not open.
    pub fn of(task: &Task, text: Option<&str>, style: CalendarStyle) -> Option<Self> {
        if task.planned.state != TaskState::Open {
            return None;
        }
        let summary = one_line(&format!("{}: {}", task.planned.subject, task.lead_name));
        Some(Self {
            id: one_line(&task.id()),
            due: utc_from_ms(task.planned.due_ms),
            categories: content_line("CATEGORIES", &task.segment.to_uppercase()),
            description: content_line("DESCRIPTION", &description(task, text, style)),
            priority: content_line("PRIORITY", priority(task)),
            summary: content_line("SUMMARY", &summary),
            alarm: content_line("DESCRIPTION", &summary),
        })
    }

    fn write_todo(&self, out: &mut String, stamp: &str) {
        let uid = content_line("UID", &format!("{}@leadmill", self.id));
        let due = instant_line("DUE", self.due);
        let status = "STATUS:NEEDS-ACTION\r\n";
        let (begin, end) = ("BEGIN:VTODO\r\n", "END:VTODO\r\n");
        let own = [&self.categories, &self.description];
        out.push_str(begin);
        out.extend(own.map(String::as_str));
        out.extend([stamp, &due, &self.priority, status, &self.summary, &uid, end]);
    }

    fn write_event(&self, out: &mut String, stamp: &str) {
        let uid = content_line("UID", &format!("{}/event@leadmill", self.id));
        let starts = instant_line("DTSTART", self.due);
        let ends = instant_line("DTEND", self.due + TimeDelta::minutes(EVENT_MINUTES));
        let alarm_uid = content_line("UID", &format!("{}/alarm@leadmill", self.id));
        out.extend(["BEGIN:VEVENT\r\n", &self.categories, &self.description, &ends, stamp]);
        // Whoever looks at the calendar is free all the same.
        out.extend([&*starts, &self.priority, &self.summary, "TRANSP:TRANSPARENT\r\n", &uid]);
        out.extend(["BEGIN:VALARM\r\nACTION:DISPLAY\r\n", &self.alarm, stamp, "TRIGGER:P0D\r\n"]);
        out.extend([&*alarm_uid, "END:VALARM\r\nEND:VEVENT\r\n"]);
    }
}

/// Writes a calendar, an entry at a time.
pub struct CalendarWriter<W: Write> {
    out: W,
    /// The content line that says when entries were made.
    stamp: String,
    /// Whether entries are events that ring, for calendars that show no to-dos.
    as_events: bool,
    entry: String,
    rows: u64,
}

impl<W: Write> CalendarWriter<W> {
    /// Opens a calendar of to-dos.
    pub fn new(mut out: W, style: CalendarStyle) -> Result<Self> {
        out.write_all(
            b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//leadmill//tasks//EN\r\nCALSCALE:GREGORIAN\r\n",
        )
        .context("write tasks.ics")?;
        let stamp = instant_line("DTSTAMP", style.as_of);
        Ok(Self { out, stamp, as_events: false, entry: String::new(), rows: 0 })
    }

    /// Opens a calendar of events: many calendars show no to-dos, but every one rings for an event.
    pub fn of_events(out: W, style: CalendarStyle) -> Result<Self> {
        Ok(Self { as_events: true, ..Self::new(out, style)? })
    }

    /// Writes `entry`.
    pub fn write(&mut self, entry: &CalendarEntry) -> Result<()> {
        self.entry.clear();
        if self.as_events {
            entry.write_event(&mut self.entry, &self.stamp);
        } else {
            entry.write_todo(&mut self.entry, &self.stamp);
        }
        self.out.write_all(self.entry.as_bytes()).context("write tasks.ics")?;
        self.rows += 1;
        Ok(())
    }

    /// Closes the calendar and returns the entries written and what they were written to.
    pub fn finish(mut self) -> Result<(u64, W)> {
        self.out.write_all(b"END:VCALENDAR\r\n").context("write tasks.ics")?;
        self.out.flush().context("write tasks.ics")?;
        Ok((self.rows, self.out))
    }
}

fn description(task: &Task, text: Option<&str>, style: CalendarStyle) -> String {
    let due = utc_from_ms(task.planned.due_ms).with_timezone(&style.zone);
    let mut lines = vec![
        format!("lead: {} ({})", one_line(&task.lead_name), task.lead_id),
        format!("due: {}", due.format("%Y-%m-%d %H:%M %:z")),
    ];
    if task.late_minutes > 0 {
        lines.push(age(task, style.as_of));
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

/// RFC 5545, 3.8.1.9: 1 is the highest.
fn priority(task: &Task) -> &'static str {
    match task.segment.as_str() {
        "hot" => "1",
        "warm" => "5",
        _ => "9",
    }
}

/// Returns the property `name` as UTC (RFC 5545, 3.3.5, form 2).
fn instant_line(name: &str, at: DateTime<Utc>) -> String {
    format!("{name}:{}\r\n", at.format("%Y%m%dT%H%M%SZ"))
}

/// Returns the property `name` with the text `value`: escaped (RFC 5545, 3.3.11), then folded with the blank that
/// continues a line counted (3.1).
fn content_line(name: &str, value: &str) -> String {
    let mut line = String::with_capacity(name.len() + value.len() + value.len() / 16 + 8);
    line.push_str(name);
    line.push(':');
    for piece in value.split_inclusive(['\\', ';', ',', '\n']) {
        let special = piece.chars().next_back().filter(|c| matches!(c, '\\' | ';' | ',' | '\n'));
        line.push_str(&piece[..piece.len() - usize::from(special.is_some())]);
        match special {
            Some('\n') => line.push_str("\\n"),
            Some(special) => line.extend(['\\', special]),
            None => {}
        }
    }
    let mut folded = String::with_capacity(line.len() + line.len() / 24 + 2);
    let (mut rest, mut room) = (line.as_str(), LINE_OCTETS_MAX);
    while rest.len() > room {
        let (now, later) = rest.split_at(rest.floor_char_boundary(room));
        folded.extend([now, "\r\n "]);
        (rest, room) = (later, LINE_OCTETS_MAX - 1);
    }
    folded.extend([rest, "\r\n"]);
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::tasks::tests::{as_of, task};

    fn style() -> CalendarStyle {
        CalendarStyle { zone: Tz::Europe__Warsaw, as_of: as_of() }
    }

    fn calendar() -> String {
        let mut writer = CalendarWriter::new(Vec::new(), style()).unwrap();
        let open = task(TaskState::Open, 125);
        writer.write(&CalendarEntry::of(&open, Some("Pyta o: AI\n"), style()).unwrap()).unwrap();
        assert!(CalendarEntry::of(&task(TaskState::Superseded, 0), None, style()).is_none());
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
        let mut writer = CalendarWriter::of_events(Vec::new(), style()).unwrap();
        let open = CalendarEntry::of(&task(TaskState::Open, 125), None, style());
        writer.write(&open.unwrap()).unwrap();
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
    fn a_line_is_folded_between_characters_at_75_octets() {
        #[track_caller]
        fn check(value: &str, expected: &str) {
            assert_eq!(content_line("X", value), expected);
        }
        let (most, more) = ("a".repeat(73), "b".repeat(74));
        check(&most, &format!("X:{most}\r\n"));
        check(&format!("{most}b"), &format!("X:{most}\r\n b\r\n"));
        check(&format!("{most}{more}c"), &format!("X:{most}\r\n {more}\r\n c\r\n"));
        check(&format!("{}żż", "a".repeat(72)), &format!("X:{}\r\n żż\r\n", "a".repeat(72)));
        check(
            &format!("{}{}ż", "a".repeat(73), "b".repeat(73)),
            &format!("X:{most}\r\n {}\r\n ż\r\n", "b".repeat(73)),
        );
        // An escape may come apart: whoever reads it takes the fold out first.
        check(&format!("{},", "a".repeat(72)), &format!("X:{}\\\r\n ,\r\n", "a".repeat(72)));
        check("", "X:\r\n");
    }

    #[test]
    fn what_has_a_meaning_in_texts_is_escaped() {
        assert_eq!(content_line("X", "a\\b;c,d\ne:\"f\""), "X:a\\\\b\\;c\\,d\\ne:\"f\"\r\n");
    }
}
