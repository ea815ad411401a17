//! Targets: the files that other systems import (`targets/*.toml`).
//!
//! A target is data: its columns say which field or derived value they show and how it is spelled
//! there. A new CRM is a new file here and no code.

use std::collections::BTreeMap;

use chrono::format::{Item, StrftimeItems};

use super::decode::{Sink, Table, document};
use super::diagnostics::{Place, RuleText, did_you_mean};
use super::field::FieldCatalog;
use crate::model::field::FieldNo;

/// How rows are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetFormat {
    /// Comma-separated values with a header, RFC 4180.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

/// How lines end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// A line feed.
    Lf,
    /// A carriage return and a line feed.
    Crlf,
}

/// Which cells stand in quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuoteRule {
    /// Those that could not be read back otherwise.
    Needed,
    /// All of them.
    Always,
}

/// Who opens the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// A program: values stand as they are.
    Machine,
    /// A person with a spreadsheet: texts that would run as a formula are guarded.
    Spreadsheet,
}

/// What a row of the file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsOf {
    /// A lead that is new or has changed.
    Leads,
    /// A task that is open and was not in an earlier file.
    Tasks,
}

/// What happens to a text longer than the target takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooLong {
    /// The row is refused: half an address is a wrong address.
    Refuse,
    /// The text is cut.
    Cut,
}

macro_rules! derived {
    ($($variant:ident $word:literal $doc:literal;)*) => {
        /// A value that is no field: computed from the lead and its decision.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Derived { $(#[doc = $doc] $variant,)* }

        impl Derived {
            /// Every derived value with its word, in order.
            pub const ALL: &[(&str, Derived)] = &[$(($word, Self::$variant)),*];
        }
    };
}

derived! {
    LeadId "lead-id" "The lead's public id.";
    FullName "full-name" "First and last name; company or address where there is none.";
    EmailLocalPart "email-local-part" "What stands before the `@`.";
    Segment "segment" "`hot`, `warm` or `cold`.";
    Action "action" "What to do with the lead, as the rules say of its segment or grade.";
    Grade "grade" "Place in the matrix of fit and engagement, from `A1` to `C3`.";
    Score "score" "Total points.";
    Model "model" "Id of the scoring model that decided.";
    ModelScores "model-scores" "Total of each scoring model, the one that decided first: `ai=72; crm=40`.";
    ScoreFit "score-fit" "Points of the group fit.";
    ScoreIntent "score-intent" "Points of the group intent.";
    ScoreBehavior "score-behavior" "Points of the group behavior.";
    ScoreQuality "score-quality" "Points of the group quality.";
    ScoreReasons "score-reasons" "Why the score is what it is, the strongest reason first.";
    Owner "owner" "Owner's id; empty when the lead waits in a queue.";
    OwnerEmail "owner-email" "Owner's e-mail address; empty when the lead waits in a queue.";
    Queue "queue" "Queue's id.";
    RoutingReason "routing-reason" "One line that says why owner and queue are what they are.";
    NSubmissions "n-submissions" "Submissions behind the lead.";
    FirstSubmittedAt "first-submitted-at" "When the earliest submission was sent.";
    LastSubmittedAt "last-submitted-at" "When the latest submission was sent.";
    ConsentMarketingEmail "consent-marketing-email" "`true` when marketing by e-mail is allowed.";
    ConsentMarketingPhone "consent-marketing-phone" "`true` when marketing by phone is allowed.";
    IsNew "is-new" "`true` when this run made the lead.";
    TaskId "task-id" "The task's stable id.";
    TaskSubject "task-subject" "What to do, in one line.";
    TaskText "task-text" "What its template says to the person, or of the lead.";
    TaskChannel "task-channel" "`email`, `call`, `sms` or `task`.";
    TaskDue "task-due" "When it is due.";
    TaskBecause "task-because" "Why it is to be done, and due when it is.";
}

impl Derived {
    /// Returns whether it is an instant, so that `format` applies.
    pub fn is_instant(self) -> bool {
        matches!(self, Self::FirstSubmittedAt | Self::LastSubmittedAt | Self::TaskDue)
    }

    /// Returns whether only a file of tasks can show it.
    fn is_of_task(self) -> bool {
        matches!(
            self,
            Self::TaskId
                | Self::TaskSubject
                | Self::TaskText
                | Self::TaskChannel
                | Self::TaskDue
                | Self::TaskBecause
        )
    }
}

/// Where a column's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnValue {
    /// A field of the lead.
    Field(FieldNo),
    /// A derived value.
    Derived(Derived),
}

/// One column of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Header, exactly as the target expects it.
    pub header: String,
    /// The first of these that has a value is shown.
    pub from: Vec<ColumnValue>,
    /// Shown in every row, instead of a value.
    pub constant: Option<String>,
    /// The target's word for each of ours.
    pub map: BTreeMap<String, String>,
    /// Stands for a value that `map` does not name; without it the value passes unchanged.
    pub map_others_to: Option<String>,
    /// Stands for no value.
    pub default: Option<String>,
    /// How instants are written (strftime); without it ISO 8601 with the offset.
    pub format: Option<String>,
    /// Most characters that the target takes.
    pub max_length: Option<usize>,
    /// What happens to more.
    pub too_long: TooLong,
    /// What the scoring rules must have, or the column is left out.
    pub only_with: Option<ScoringPart>,
}

/// A part of `scoring.toml` that not everybody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoringPart {
    /// Grades.
    Matrix,
    /// More than one score.
    Models,
}

/// One file that another system imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Stable id.
    pub id: String,
    /// Name as people say it.
    pub name: String,
    /// What the file is for.
    pub because: String,
    /// What a row is.
    pub rows_of: RowsOf,
    /// Path inside a run's folder, with forward slashes.
    pub file: String,
    /// How rows are written down.
    pub format: TargetFormat,
    /// Whether the file opens with a byte order mark.
    pub bom: bool,
    /// How lines end.
    pub line_end: LineEnd,
    /// Separates cells.
    pub delimiter: u8,
    /// Which cells stand in quotes.
    pub quote: QuoteRule,
    /// Who opens the file.
    pub profile: Profile,
    /// Columns that must not be empty, as positions.
    pub required: Vec<usize>,
    /// Columns of which one must not be empty, as positions; none asks for nothing.
    pub required_any: Vec<usize>,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Where the target stands.
    pub place: Place,
}

/// All targets, sorted by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetCatalog {
    targets: Vec<Target>,
}

/// Files that a run writes itself; a target must not stand in for one of them.
const RESERVED_FILES: &[&str] = &[
    "manifest.json",
    "run.json",
    "report.html",
    "tasks.csv",
    "tasks.ics",
    "due.csv",
    "alerts.json",
    "metrics.prom",
    "dropoff.csv",
    "duplicates.csv",
    "quarantine.csv",
];

impl TargetCatalog {
    /// Reads one target from each of `files`; mistakes go to `sink`.
    pub fn decode(files: &[RuleText], fields: &FieldCatalog, sink: &Sink) -> Self {
        let mut targets: Vec<Target> = Vec::new();
        for file in files {
            document(file, sink, |root| targets.extend(Target::decode(root, fields)));
        }
        targets.sort_by(|a, b| (&a.id, &a.place.file.path).cmp(&(&b.id, &b.place.file.path)));
        for (position, target) in targets.iter().enumerate() {
            for earlier in &targets[..position] {
                let path = &earlier.place.file.path;
                if earlier.id == target.id {
                    let message = format!("target `{}` exists already, in {path}", target.id);
                    sink.error(&target.place, message, None);
                } else if earlier.file.eq_ignore_ascii_case(&target.file) {
                    let message = format!("`{}` is already written by {path}", target.file);
                    sink.error(&target.place, message, Some("give it another `file`".to_owned()));
                }
            }
        }
        Self { targets }
    }

    /// Returns the target called `id`.
    pub fn get(&self, id: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.id == id)
    }

    /// Iterates in order of id.
    pub fn iter(&self) -> impl Iterator<Item = &Target> {
        self.targets.iter()
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Leaves out the columns for parts of `scoring.toml` that are not there.
    pub(super) fn leave_out(&mut self, has: impl Fn(ScoringPart) -> bool) {
        for target in &mut self.targets {
            target.leave_out(&has);
        }
    }
}

impl Target {
    /// Leaves out the columns for parts of `scoring.toml` that are not there.
    fn leave_out(&mut self, has: impl Fn(ScoringPart) -> bool) {
        let keeps: Vec<bool> =
            self.columns.iter().map(|column| column.only_with.is_none_or(&has)).collect();
        let new_position = |old: &usize| {
            keeps[*old].then(|| keeps[..*old].iter().filter(|is_kept| **is_kept).count())
        };
        for positions in [&mut self.required, &mut self.required_any] {
            *positions = positions.iter().filter_map(new_position).collect();
        }
        self.columns.retain(|column| column.only_with.is_none_or(&has));
    }

    /// Reads the `[target]` table and the `[[column]]` tables of one file.
    pub fn decode(root: &Table<'_>, fields: &FieldCatalog) -> Option<Self> {
        let columns = root.tables("column", |table| Column::decode(table, fields));
        let places = header_places(root);
        let target = root.table("target", |table| {
            check_headers(&places, table);
            let (required, required_any) = (
                positions(table, "required", &columns),
                positions(table, "required-any", &columns),
            );
            Self {
                id: table.string("id"),
                name: table.string("name"),
                because: table.string("because"),
                rows_of: rows_of(table, &columns),
                file: file_path(table),
                format: table
                    .opt_choice(
                        "format",
                        &[("csv", TargetFormat::Csv), ("jsonl", TargetFormat::Jsonl)],
                    )
                    .unwrap_or(TargetFormat::Csv),
                bom: table.bool_or("bom", false),
                line_end: table
                    .opt_choice("line-end", &[("lf", LineEnd::Lf), ("crlf", LineEnd::Crlf)])
                    .unwrap_or(LineEnd::Lf),
                delimiter: delimiter(table),
                quote: table
                    .opt_choice(
                        "quote",
                        &[("needed", QuoteRule::Needed), ("always", QuoteRule::Always)],
                    )
                    .unwrap_or(QuoteRule::Needed),
                profile: table
                    .opt_choice(
                        "profile",
                        &[("machine", Profile::Machine), ("spreadsheet", Profile::Spreadsheet)],
                    )
                    .unwrap_or(Profile::Machine),
                required,
                required_any,
                columns,
                place: table.place().clone(),
            }
        });
        if target.is_none() && !root.has("target") {
            root.missing("target");
        }
        target
    }
}

fn rows_of(table: &Table<'_>, columns: &[Column]) -> RowsOf {
    let rows_of = table
        .opt_choice("rows-of", &[("leads", RowsOf::Leads), ("tasks", RowsOf::Tasks)])
        .unwrap_or(RowsOf::Leads);
    let of_task =
        |value: &ColumnValue| matches!(value, ColumnValue::Derived(known) if known.is_of_task());
    let mut columns = columns.iter();
    if rows_of == RowsOf::Leads
        && let Some(column) = columns.find(|column| column.from.iter().any(of_task))
    {
        table.error(
            "id",
            format!("column `{}` shows a task, and the rows are leads", column.header),
            Some("add rows-of = \"tasks\" to [target]".to_owned()),
        );
    }
    rows_of
}

impl Column {
    fn decode(table: &Table<'_>, fields: &FieldCatalog) -> Self {
        let from: Vec<ColumnValue> = table
            .located_strings("from")
            .iter()
            .filter_map(|(word, place)| column_value(word, place, fields, table.sink()))
            .collect();
        let constant = table.opt_string("const");
        if table.has("from") == table.has("const") {
            table.error(
                "header",
                "a column needs either `from` or `const`",
                Some("`from` names a field, `const` is shown in every row".to_owned()),
            );
        }
        let format = table.opt_string("format");
        check_format(table, format.as_deref(), &from);
        let map = table.table("map", |map| {
            map.keys().into_iter().map(|key| (key.clone(), map.string(&key))).collect()
        });
        let max_length = table.opt_integer("max-length");
        if max_length.is_some_and(|length| length < 1) {
            table.error("max-length", "`max-length` must be at least 1", None);
        }
        Self {
            header: table.string("header"),
            from,
            constant,
            map: map.unwrap_or_default(),
            map_others_to: table.opt_string("map-others-to"),
            default: table.opt_string("default"),
            format,
            max_length: max_length.and_then(|length| usize::try_from(length).ok()),
            too_long: table
                .opt_choice("too-long", &[("refuse", TooLong::Refuse), ("cut", TooLong::Cut)])
                .unwrap_or(TooLong::Refuse),
            only_with: table.opt_choice(
                "only-with",
                &[("matrix", ScoringPart::Matrix), ("models", ScoringPart::Models)],
            ),
        }
    }
}

fn column_value(
    word: &str,
    place: &Place,
    fields: &FieldCatalog,
    sink: &Sink,
) -> Option<ColumnValue> {
    if let Some((_, derived)) = Derived::ALL.iter().find(|(known, _)| *known == word) {
        return Some(ColumnValue::Derived(*derived));
    }
    if let Some(number) = fields.number(word) {
        return Some(ColumnValue::Field(number));
    }
    let known = fields.iter().map(|(_, spec)| spec.name.as_str());
    let hint = did_you_mean(word, known.chain(Derived::ALL.iter().map(|(known, _)| *known)))
        .map_or_else(
            || "fields stand in fields.toml".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
    sink.error(place, format!("unknown field `{word}`"), Some(hint));
    None
}

fn check_format(table: &Table<'_>, format: Option<&str>, from: &[ColumnValue]) {
    let Some(format) = format else { return };
    let instants =
        |value: &ColumnValue| matches!(value, ColumnValue::Derived(known) if known.is_instant());
    if !from.is_empty() && !from.iter().any(instants) {
        let hint = "only first-submitted-at, last-submitted-at and task-due have one".to_owned();
        table.error("format", "`format` is for instants", Some(hint));
    }
    if StrftimeItems::new(format).any(|item| item == Item::Error) {
        let hint = "for example `%Y-%m-%d` or `%d.%m.%Y %H:%M`".to_owned();
        table.error("format", format!("`{format}` is not a date format"), Some(hint));
    }
}

fn header_places(root: &Table<'_>) -> Vec<(String, Place)> {
    root.tables("column", |table| {
        // A second look at the same tables: `Column::decode` has reported what is unknown in them.
        table.accept_all();
        (table.opt_string("header").unwrap_or_default(), table.place_of("header"))
    })
}

fn check_headers(headers: &[(String, Place)], table: &Table<'_>) {
    if headers.is_empty() {
        table.error("id", "a target needs at least one `[[column]]`", None);
    }
    for (position, (header, place)) in headers.iter().enumerate() {
        let earlier = headers[..position].iter().find(|(known, _)| known == header);
        if let Some((_, first)) = earlier.filter(|_| !header.is_empty()) {
            let message = format!("header `{header}` stands twice, first in line {}", first.line());
            table.sink().error(place, message, Some("rename or remove one of them".to_owned()));
        }
    }
}

fn positions(table: &Table<'_>, key: &str, columns: &[Column]) -> Vec<usize> {
    let mut found = Vec::new();
    for (header, place) in table.located_strings(key) {
        if let Some(position) = columns.iter().position(|column| column.header == header) {
            found.push(position);
            continue;
        }
        let hint = did_you_mean(&header, columns.iter().map(|c| c.header.as_str())).map_or_else(
            || "add a `[[column]]` with this header".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        let message = format!("required column `{header}` is not among the columns");
        table.sink().error(&place, message, Some(hint));
    }
    found
}

fn file_path(table: &Table<'_>) -> String {
    let file = table.string("file");
    let inside = file.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if !file.is_empty() && (!inside || file.contains(['\\', ':'])) {
        table.error(
            "file",
            format!("`{file}` does not stay inside the run's folder"),
            Some("write a relative path such as `crm/leads.csv`".to_owned()),
        );
    }
    let lower = file.to_ascii_lowercase();
    if RESERVED_FILES.contains(&lower.as_str()) || lower.starts_with("quarantine/") {
        let hint = Some("put it into `crm/`".to_owned());
        table.error("file", format!("`{file}` is a file that every run writes itself"), hint);
    }
    file
}

fn delimiter(table: &Table<'_>) -> u8 {
    let Some(text) = table.opt_string("delimiter") else { return b',' };
    match text.as_bytes() {
        [byte] if byte.is_ascii_punctuation() && *byte != b'"' || *byte == b'\t' => *byte,
        _ => {
            let hint = Some("one of `,` `;` `|` or a tab, \"\\t\"".to_owned());
            table.error("delimiter", format!("`{text}` cannot separate cells"), hint);
            b','
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<String> {
        let sink = Sink::default();
        let file = RuleText { path: "rules/targets/x.toml".into(), text: text.into() };
        TargetCatalog::decode(&[file], &FieldCatalog::decode(None), &sink);
        sink.take()
            .into_iter()
            .map(|found| {
                let hint = found.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
                format!("{}: {}{hint}", found.place.line(), found.message)
            })
            .collect()
    }

    const HEAD: &str =
        "[target]\nid = \"x\"\nname = \"X\"\nbecause = \"y\"\nfile = \"crm/x.csv\"\n";

    #[track_caller]
    fn check(rest: &str, expected: &[&str]) {
        assert_eq!(mistakes(&format!("{HEAD}{rest}")), expected, "{rest}");
    }

    #[test]
    fn a_sound_target_has_no_mistakes() {
        check(
            "required = [\"E\"]\n[[column]]\nheader = \"E\"\nfrom = [\"email\", \"phone\"]\n",
            &[],
        );
    }

    #[test]
    fn mistakes_name_the_way_out() {
        check(
            "[[column]]\nheader = \"E\"\nfrom = \"emial\"\n",
            &["8: unknown field `emial` (did you mean `email`?)"],
        );
        check(
            "[[column]]\nheader = \"E\"\nfrom = \"sgment\"\n",
            &["8: unknown field `sgment` (did you mean `segment`?)"],
        );
        check(
            "required = [\"Emial\"]\n[[column]]\nheader = \"Email\"\nfrom = \"email\"\n",
            &["6: required column `Emial` is not among the columns (did you mean `Email`?)"],
        );
        check(
            "[[column]]\nheader = \"E\"\nfrom = \"email\"\n[[column]]\nheader = \"E\"\nconst = \"\"\n",
            &["10: header `E` stands twice, first in line 7 (rename or remove one of them)"],
        );
        check(
            "[[column]]\nheader = \"E\"\n",
            &["7: a column needs either `from` or `const` \
               (`from` names a field, `const` is shown in every row)"],
        );
        check(
            "[[column]]\nheader = \"E\"\nfrom = \"first-submitted-at\"\nformat = \"%Y-%!\"\n",
            &["9: `%Y-%!` is not a date format (for example `%Y-%m-%d` or `%d.%m.%Y %H:%M`)"],
        );
        check(
            "[[column]]\nheader = \"E\"\nfrom = \"email\"\nmax-lenght = 3\n",
            &["9: unknown key `max-lenght` (did you mean `max-length`?)"],
        );
    }

    #[test]
    fn a_file_stays_inside_the_run_and_off_its_own_files() {
        let column = "[[column]]\nheader = \"E\"\nfrom = \"email\"\n";
        let with = |file: &str| mistakes(&format!("{HEAD}{column}").replace("crm/x.csv", file));
        assert_eq!(with("../x.csv").len(), 1);
        assert_eq!(with("/etc/x.csv").len(), 1);
        assert_eq!(with("run.json").len(), 1);
        assert_eq!(with("crm/y.csv").len(), 0);
    }

    #[test]
    fn two_targets_do_not_share_an_id_or_a_file() {
        let sink = Sink::default();
        let text = format!("{HEAD}[[column]]\nheader = \"E\"\nfrom = \"email\"\n");
        let file = |path: &str, id: &str| RuleText {
            path: path.into(),
            text: text.replace("id = \"x\"", &format!("id = \"{id}\"")).into(),
        };
        let files = [file("a.toml", "a"), file("b.toml", "a"), file("c.toml", "c")];
        TargetCatalog::decode(&files, &FieldCatalog::decode(None), &sink);
        let found: Vec<String> = sink.take().into_iter().map(|found| found.message).collect();
        assert!(found.contains(&"target `a` exists already, in a.toml".to_owned()), "{found:?}");
        assert!(found.contains(&"`crm/x.csv` is already written by a.toml".to_owned()));
    }
}
