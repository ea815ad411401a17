//! Writes task lists: `tasks.csv` for people with a spreadsheet, lines of todo.txt; says how late a task is.

use std::borrow::Cow;
use std::io::Write;

use anyhow::{Context as _, Result};
use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;

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

/// Returns `text` without control characters: they would end a line early.
pub(super) fn one_line(text: &str) -> String {
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
pub(super) mod tests {
    use chrono::TimeZone as _;

    use super::*;
    use crate::model::ids::{Fingerprint, LeadId, LeadNo};
    use crate::model::task::{PlannedTask, TaskChannel};

    pub(in crate::delivery) fn as_of() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 10, 25, 6, 0, 0).single().unwrap()
    }

    pub(in crate::delivery) fn task(state: TaskState, late_minutes: i64) -> Task {
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
