//! `workspace.toml`: where the team is, how much an input may be, and when somebody must look.

use chrono_tz::{TZ_VARIANTS, Tz};

use super::decode::Table;
use super::diagnostics::{Place, did_you_mean};
use crate::model::language::Language;

/// What holds for the workspace as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Workspace {
    /// Country of phone numbers and addresses that do not say theirs, ISO 3166-1 alpha-2.
    pub default_country: String,
    /// Time zone of local times that do not say theirs, and of reports.
    pub zone: Tz,
    /// Language of the page that each run puts out.
    pub language: Language,
    /// When a run ends with "somebody must look".
    pub limits: Limits,
    /// What an input may be at most.
    pub caps: Caps,
    /// Targets that runs write; without it those that are on by themselves.
    pub targets: Option<Vec<(String, Place)>>,
    /// Who answers for the data.
    pub controller: Controller,
    /// How much of an IP address is kept.
    pub ip: IpRule,
}

/// Who answers for the data (GDPR art. 4(7)); what is left out is said to be missing where it matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Controller {
    /// Name of the company.
    pub name: Option<String>,
    /// How it is reached.
    pub contact: Option<String>,
    /// How its data protection officer is reached.
    pub dpo: Option<String>,
}

/// How much of an IP address is kept, of what is received from now on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IpRule {
    /// All of it.
    #[default]
    Full,
    /// The network: the first 24 bits of IPv4, the first 48 of IPv6.
    Truncated,
    /// Nothing.
    None,
}

impl IpRule {
    /// Every rule with its word, in order.
    pub const ALL: &[(&str, IpRule)] =
        &[("full", Self::Full), ("truncated", Self::Truncated), ("none", Self::None)];

    /// Returns the word used in rules and files.
    pub fn word(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

impl Controller {
    /// Returns what is said of the controller, each with what it is.
    pub fn said(&self) -> Vec<(String, String)> {
        let parts = [("controller", &self.name), ("contact", &self.contact), ("dpo", &self.dpo)];
        let said = parts.into_iter().filter_map(|(what, value)| Some((what, value.as_ref()?)));
        said.map(|(what, value)| (what.to_owned(), value.clone())).collect()
    }
}

/// When a run ends with "somebody must look" (exit code 3), and how much it lists.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Percent of an import's rows that may be quarantined.
    pub rejected_share_max_percent: f64,
    /// Percent of a run's leads that may end in triage.
    pub triage_share_max_percent: f64,
    /// Tasks that `tasks.csv`, `tasks.ics` and the owners' files list; older ones are in `leadmill tasks` only.
    pub tasks_listed_max: u64,
}

/// What an input may be at most; more is refused or quarantined before it takes memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Bytes of one record.
    pub record_bytes: u64,
    /// Bytes of one field.
    pub field_bytes: u64,
    /// Fields of one record.
    pub fields: u64,
    /// Bytes of one input, decompressed.
    pub input_bytes: u64,
    /// Decompressed bytes per compressed byte.
    pub ratio: u64,
}

impl Default for Workspace {
    fn default() -> Self {
        Self {
            default_country: "PL".to_owned(),
            zone: Tz::Europe__Warsaw,
            language: Language::default(),
            limits: Limits {
                rejected_share_max_percent: 10.0,
                triage_share_max_percent: 20.0,
                tasks_listed_max: 10_000,
            },
            caps: Caps {
                record_bytes: 1 << 20,
                field_bytes: 1 << 16,
                fields: 4_096,
                input_bytes: 20 << 30,
                ratio: 200,
            },
            controller: Controller::default(),
            ip: IpRule::default(),
            targets: None,
        }
    }
}

impl Workspace {
    /// Reads `workspace.toml`; what it leaves out keeps its default.
    pub fn decode(root: Option<&Table<'_>>) -> Self {
        let mut workspace = Self::default();
        let Some(root) = root else { return workspace };
        if let Some(country) = root.opt_string("default-country") {
            if country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase()) {
                workspace.default_country = country;
            } else {
                let hint = "two capital letters, such as PL or DE".to_owned();
                root.error("default-country", format!("`{country}` is not a country"), Some(hint));
            }
        }
        workspace.zone = zone(root).unwrap_or(workspace.zone);
        let targets = root.located_strings("targets");
        workspace.targets = root.has("targets").then_some(targets);
        workspace.language = root.opt_choice("language", Language::ALL).unwrap_or_default();
        root.table("limits", |table| {
            let limits = &mut workspace.limits;
            percent(table, "rejected-share-max-percent", &mut limits.rejected_share_max_percent);
            percent(table, "triage-share-max-percent", &mut limits.triage_share_max_percent);
            at_least_one(table, "tasks-listed-max", &mut limits.tasks_listed_max);
        });
        root.table("caps", |table| decode_caps(table, &mut workspace.caps));
        root.table("controller", |table| {
            workspace.controller = Controller {
                name: table.opt_string("name"),
                contact: table.opt_string("contact"),
                dpo: table.opt_string("dpo"),
            };
        });
        workspace.ip = root.opt_choice("ip", IpRule::ALL).unwrap_or_default();
        workspace
    }
}

fn zone(root: &Table<'_>) -> Option<Tz> {
    let name = root.opt_string("zone")?;
    let zone = name.parse().ok();
    if zone.is_none() {
        let hint = did_you_mean(&name, TZ_VARIANTS.iter().map(|zone| zone.name())).map_or_else(
            || "a name of the IANA time zone database, such as Europe/Warsaw".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        root.error("zone", format!("`{name}` is not a time zone"), Some(hint));
    }
    zone
}

fn percent(table: &Table<'_>, key: &str, into: &mut f64) {
    match table.opt_number(key) {
        Some(number) if (0.0..=100.0).contains(&number) => *into = number,
        Some(_) => table.error(key, format!("`{key}` goes from 0 to 100"), None),
        None => {}
    }
}

fn at_least_one(table: &Table<'_>, key: &str, into: &mut u64) {
    match table.opt_integer(key) {
        Some(number) if number > 0 => *into = number as u64,
        Some(_) => table.error(key, format!("`{key}` has to be above 0"), None),
        None => {}
    }
}

fn decode_caps(table: &Table<'_>, caps: &mut Caps) {
    for (key, into) in [
        ("record-bytes", &mut caps.record_bytes),
        ("field-bytes", &mut caps.field_bytes),
        ("fields", &mut caps.fields),
        ("input-bytes", &mut caps.input_bytes),
        ("ratio", &mut caps.ratio),
    ] {
        at_least_one(table, key, into);
    }
    if caps.field_bytes > caps.record_bytes {
        let hint = "a field is part of a record".to_owned();
        table.error("field-bytes", "`field-bytes` is above `record-bytes`", Some(hint));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::decode::{Sink, document};
    use crate::rules::diagnostics::RuleText;

    fn read(text: &str) -> (Workspace, Vec<String>) {
        let sink = Sink::default();
        let file = RuleText { path: "rules/workspace.toml".into(), text: text.into() };
        let mut workspace = Workspace::default();
        document(&file, &sink, |root| workspace = Workspace::decode(Some(root)));
        (workspace, sink.take().into_iter().map(|found| found.message).collect())
    }

    #[test]
    fn the_shipped_file_says_the_defaults() {
        let (workspace, found) = read(include_str!("../../rules/workspace.toml"));
        assert_eq!(found, [""; 0]);
        assert_eq!(workspace, Workspace::default());
    }

    #[test]
    fn what_is_written_is_taken() {
        let (workspace, found) = read(
            "default-country = \"DE\"\nzone = \"Europe/Berlin\"\nlanguage = \"pl\"\n\
             [limits]\nrejected-share-max-percent = 2.5\n[caps]\nfields = 100\n",
        );
        assert_eq!(found, [""; 0]);
        assert_eq!(workspace.zone, Tz::Europe__Berlin);
        assert_eq!(workspace.language, Language::Polish);
        assert_eq!(workspace.caps.fields, 100);
        assert_eq!(workspace.controller.said(), []);
        assert!((workspace.limits.rejected_share_max_percent - 2.5).abs() < f64::EPSILON);
    }

    #[test]
    fn mistakes_are_named() {
        let (_, found) = read(
            "default-country = \"Polska\"\nzone = \"Europe/Warszawa\"\nlanguage = \"polski\"\n\
             [limits]\ntriage-share-max-percent = 101\n\
             [caps]\nratio = 0\nfield-bytes = 2_000_000\n",
        );
        assert_eq!(
            found,
            [
                "`Polska` is not a country",
                "`Europe/Warszawa` is not a time zone",
                "`language` cannot be `polski`",
                "`triage-share-max-percent` goes from 0 to 100",
                "`ratio` has to be above 0",
                "`field-bytes` is above `record-bytes`",
            ]
        );
    }
}
