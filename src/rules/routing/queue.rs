//! Where leads wait, who takes them from there, and how it is chosen who does.

use super::cap::{Cap, Period, decode_caps};
use crate::model::field::FieldNo;
use crate::rules::condition::ConditionContext;
use crate::rules::decode::{FIELDS, Table};
use crate::rules::diagnostics::{Place, did_you_mean};

/// One owner's part in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolMember {
    /// Owner's id.
    pub owner: String,
    /// Share; 2 gets twice as many leads as 1.
    pub weight: i64,
    /// Limits to what the owner takes from this queue.
    pub caps: Vec<Cap>,
    /// Where the owner is named.
    pub place: Place,
    /// Where the weight stands, when one is written.
    pub weight_place: Option<Place>,
}

/// How the pool shares its leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// One after the other.
    Rotation,
    /// By weight, spread evenly (smooth weighted round robin).
    Weighted,
    /// Who has the fewest leads of the period, weighed by weight.
    LeastLoaded(Period),
    /// Who has the largest part of the tightest cap left.
    CapacityLeft,
}

/// The strategies by their word in `routing.toml`; the period of a load is written beside it.
const STRATEGIES: &[(&str, Strategy)] = &[
    ("rotation", Strategy::Rotation),
    ("weighted", Strategy::Weighted),
    ("least-loaded", Strategy::LeastLoaded(Period::Week)),
    ("capacity-left", Strategy::CapacityLeft),
];

impl Strategy {
    /// Returns the word used in rules.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rotation => "rotation",
            Self::Weighted => "weighted",
            Self::LeastLoaded(_) => "least-loaded",
            Self::CapacityLeft => "capacity-left",
        }
    }

    /// Returns whether weights mean something to it.
    pub fn weighs(self) -> bool {
        matches!(self, Self::Weighted | Self::LeastLoaded(_))
    }
}

/// What happens to a lead when nobody of the pool may take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenNobody {
    /// It waits in the queue until somebody may.
    Wait,
    /// The next route that matches takes it; in the end it goes to triage.
    Next,
}

impl WhenNobody {
    /// Every answer with its word in `routing.toml`.
    pub const ALL: &[(&str, WhenNobody)] = &[("wait", Self::Wait), ("next", Self::Next)];
}

/// Whether a match between owner and lead is asked for, and how strictly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matching {
    /// It is not looked at.
    Ignored,
    /// Who matches comes first; when nobody does, anybody.
    Preferred,
    /// Nobody else takes the lead.
    Required,
}

/// Where leads wait.
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    /// Stable id.
    pub id: String,
    /// Name as people say it.
    pub name: String,
    /// Who serves it, in file order; empty when leads wait without an owner.
    pub pool: Vec<PoolMember>,
    /// Whether leads are meant to wait here without an owner.
    pub unattended: bool,
    /// How the pool shares the leads.
    pub strategy: Strategy,
    /// Whether owners who speak the lead's language come first.
    pub language: Matching,
    /// Whether owners come first who have the skill that a field of the lead names.
    pub skill: Matching,
    /// That field.
    pub skill_field: Option<FieldNo>,
    /// Whether owners who are working at the time come first; of others who starts first.
    pub hours: Matching,
    /// Skills, in lower case, that whoever takes a lead must have.
    pub needs_skill: Vec<String>,
    /// What happens when nobody of the pool may take a lead.
    pub when_nobody: WhenNobody,
    /// Why the queue exists.
    pub because: String,
    /// Where it is written.
    pub place: Place,
    /// Where it names the skills that it needs.
    pub skill_place: Place,
}

impl Queue {
    /// Returns the sum of the weights: the turns after which everybody had their share.
    pub fn turns(&self) -> i64 {
        self.pool.iter().map(|member| member.weight).sum()
    }

    /// Returns whether `owner` serves the queue.
    pub fn is_served_by(&self, owner: &str) -> bool {
        self.pool.iter().any(|member| member.owner == owner)
    }
}

/// Matches that a queue may ask for, by their word under `require`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Language,
    Skill,
    Hours,
}

const ASKED: &[(&str, Asked)] =
    &[("language", Asked::Language), ("skill", Asked::Skill), ("hours", Asked::Hours)];

pub(super) fn decode_queue(table: &Table<'_>, context: &ConditionContext<'_>) -> Queue {
    let id = table.string("id");
    let pool: Vec<PoolMember> = table.tables("pool", decode_member);
    if table.has("pool") && pool.is_empty() {
        table.error(
            "pool",
            format!("the pool of queue `{id}` is empty"),
            Some("add an owner, or leave `pool` out and write `unattended = true`".to_owned()),
        );
    }
    let (skill_asked, skill_field) = decode_skill_field(table, context);
    let required = table.choices("require", ASKED);
    let matching = |asked: Asked, is_asked: bool| match (is_asked, required.contains(&asked)) {
        (true, true) => Matching::Required,
        (true, false) => Matching::Preferred,
        (false, is_required) => {
            if is_required {
                let word = ASKED[asked as usize].0;
                table.error(
                    "require",
                    format!("`{word}` is required, but nothing says that it is to match"),
                    Some(match asked {
                        Asked::Skill => {
                            "add `match-skill` with the field that names the skill".to_owned()
                        }
                        _ => format!("add `match-{word} = true`"),
                    }),
                );
            }
            Matching::Ignored
        }
    };
    let language = matching(Asked::Language, table.bool_or("match-language", false));
    let skill = matching(Asked::Skill, skill_asked);
    let hours = matching(Asked::Hours, table.bool_or("match-hours", false));
    let queue = Queue {
        name: table.opt_string("name").unwrap_or_else(|| id.clone()),
        unattended: table.bool_or("unattended", false),
        strategy: decode_strategy(table),
        language,
        skill,
        skill_field,
        hours,
        needs_skill: skills(table, "needs-skill"),
        when_nobody: table.opt_choice("when-nobody", WhenNobody::ALL).unwrap_or(WhenNobody::Wait),
        because: table.string("because"),
        place: table.place_of("id"),
        skill_place: table.place_of("needs-skill"),
        pool,
        id,
    };
    about_nobody(table, &queue);
    queue
}

/// Reports what is said about how a pool works where there is none.
fn about_nobody(table: &Table<'_>, queue: &Queue) {
    if table.has("pool") {
        return;
    }
    for key in
        ["strategy", "match-language", "match-skill", "match-hours", "needs-skill", "when-nobody"]
    {
        if table.has(key) {
            table.error(
                key,
                format!("queue `{}` has no pool, so `{key}` says nothing", queue.id),
                Some("add a `pool`, or take the line out".to_owned()),
            );
        }
    }
}

fn decode_member(table: &Table<'_>) -> PoolMember {
    let weight = table.opt_integer("weight").unwrap_or(1);
    if !(1..=1_000).contains(&weight) {
        table.error(
            "weight",
            format!("a weight of {weight} makes no turns"),
            Some("write a number from 1 to 1000; leave the owner out for none".to_owned()),
        );
    }
    PoolMember {
        owner: table.string("owner"),
        weight,
        caps: decode_caps(table),
        place: table.place_of("owner"),
        weight_place: table.has("weight").then(|| table.place_of("weight")),
    }
}

fn decode_strategy(table: &Table<'_>) -> Strategy {
    let strategy = table.opt_choice("strategy", STRATEGIES).unwrap_or(Strategy::Weighted);
    let per = table.opt_choice("per", Period::ALL);
    match (strategy, per) {
        (Strategy::LeastLoaded(_), Some(period)) => Strategy::LeastLoaded(period),
        (Strategy::LeastLoaded(_), None) => {
            if !table.has("per") {
                table.missing("per");
            }
            strategy
        }
        (_, Some(_)) => {
            table.error(
                "per",
                "only `least-loaded` counts the leads of a period",
                Some("write `strategy = \"least-loaded\"`, or take `per` out".to_owned()),
            );
            strategy
        }
        (_, None) => strategy,
    }
}

/// Returns whether `match-skill` is there, and the field that it names.
fn decode_skill_field(
    table: &Table<'_>,
    context: &ConditionContext<'_>,
) -> (bool, Option<FieldNo>) {
    let Some(name) = table.opt_string("match-skill") else { return (false, None) };
    let number = context.fields.number(&name);
    if number.is_none() {
        let known = context.fields.iter().map(|(_, spec)| spec.name.as_str());
        let hint = did_you_mean(&name, known).map_or_else(
            || "write the field that names the skill, such as product".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        table.lacks(FIELDS, "match-skill", format!("unknown field `{name}`"), Some(hint));
    }
    (true, number)
}

/// Returns the skills at `key` in lower case.
pub(super) fn skills(table: &Table<'_>, key: &str) -> Vec<String> {
    let mut skills = Vec::new();
    for (text, place) in table.located_strings(key) {
        let skill = text.trim().to_lowercase();
        if skill.is_empty() {
            table.sink().error(&place, "a skill needs a name", None);
        } else if !skills.contains(&skill) {
            skills.push(skill);
        }
    }
    skills
}
