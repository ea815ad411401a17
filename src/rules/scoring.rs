//! `scoring.toml`: which facts give how many points, and from how many a lead is warm or hot.

use std::collections::BTreeMap;

use super::condition::{Condition, ConditionContext};
use super::decode::Table;
use super::diagnostics::{Place, did_you_mean};
use crate::model::decision::{Contribution, Group, Segment};

/// Rules that a policy may have; a position has to fit a [`Contribution`].
const RULES_MAX: usize = 1_000;
/// Points that one rule may give or take.
const RULE_POINTS_MAX: i64 = 1_000;
/// The id under which points taken by a cap are listed.
pub const CAP_ID: &str = "cap";
/// The position of a cap in a [`Contribution`].
pub const CAP_RULE: u16 = u16::MAX;

/// One scoring rule.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRule {
    /// Stable id.
    pub id: String,
    /// Group the points belong to.
    pub group: Group,
    /// Points, possibly negative, never 0.
    pub points: i32,
    /// Which leads get them.
    pub when: Condition,
    /// Why, in words that a salesperson understands.
    pub because: String,
    /// Seconds in which the points halve, counted from the newest touch that `when` counts, or from
    /// the latest submission when it counts none.
    pub half_life_seconds: Option<i64>,
    /// Where the rule stands.
    pub place: Place,
}

/// How leads are scored.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoringPolicy {
    /// The rules, in the order of the file.
    pub rules: Vec<ScoreRule>,
    /// The most points that a group gives, in the order of [`Group::ALL`].
    pub group_caps: [Option<i32>; 4],
    /// The lowest and the highest total.
    pub total: (i32, i32),
    /// The lowest total that is warm.
    pub warm_from: i32,
    /// The lowest total that is hot.
    pub hot_from: i32,
    /// What to do with a lead, in the order of [`Segment::ALL`].
    pub actions: [String; 3],
    cap_because: [String; 4],
    floor_because: String,
}

impl Default for ScoringPolicy {
    /// Returns a policy without rules: 0 to 100 points, warm from 40, hot from 70.
    fn default() -> Self {
        let mut policy = Self {
            rules: Vec::new(),
            group_caps: [None; 4],
            total: (0, 100),
            warm_from: 40,
            hot_from: 70,
            actions: [
                "keep in touch by newsletter".to_owned(),
                "write today, call within a day".to_owned(),
                "call at once".to_owned(),
            ],
            cap_because: Default::default(),
            floor_because: String::new(),
        };
        policy.phrase_caps();
        policy
    }
}

impl ScoringPolicy {
    /// Reads `scoring.toml`; without it no rule gives points.
    pub fn decode(root: Option<&Table<'_>>, context: &ConditionContext<'_>) -> Self {
        let mut policy = Self::default();
        let Some(root) = root else { return policy };
        root.table("total", |table| {
            policy.total.0 = points(table, "lowest").unwrap_or(policy.total.0);
            policy.total.1 = points(table, "highest").unwrap_or(policy.total.1);
        });
        root.table("caps", |table| policy.group_caps = decode_caps(table));
        policy.decode_segments(root);
        policy.rules = root
            .tables("score", |table| decode_rule(table, context))
            .into_iter()
            .flatten()
            .collect();
        if policy.rules.len() > RULES_MAX {
            root.error("score", format!("there are more than {RULES_MAX} scoring rules"), None);
            policy.rules.truncate(RULES_MAX);
        }
        policy.check_ids(root);
        policy.check_thresholds(root);
        policy.phrase_caps();
        policy
    }

    /// Returns where `total` falls.
    pub fn segment_of(&self, total: i32) -> Segment {
        if total >= self.hot_from {
            Segment::Hot
        } else if total >= self.warm_from {
            Segment::Warm
        } else {
            Segment::Cold
        }
    }

    /// Returns what to do with a lead of `segment`.
    pub fn action(&self, segment: Segment) -> &str {
        &self.actions[segment as usize]
    }

    /// Returns the id of the rule behind `contribution`; [`CAP_ID`] for a cap.
    pub fn id(&self, contribution: &Contribution) -> &str {
        self.rules.get(contribution.rule as usize).map_or(CAP_ID, |rule| &rule.id)
    }

    /// Returns whether a score may change with as-of alone, so that leads nobody touched need
    /// another look.
    pub fn looks_at_time(&self) -> bool {
        self.rules.iter().any(|rule| rule.half_life_seconds.is_some() || rule.when.looks_at_time())
    }

    /// Returns why `contribution` was given, or which cap took the points.
    pub fn because(&self, contribution: &Contribution) -> &str {
        match self.rules.get(contribution.rule as usize) {
            Some(rule) => &rule.because,
            None if contribution.points > 0 => &self.floor_because,
            None => &self.cap_because[contribution.group as usize],
        }
    }

    fn decode_segments(&mut self, root: &Table<'_>) {
        let known = root.table("segment", |segments| {
            for (word, segment) in Segment::ALL {
                let found = segments.table(word, |table| {
                    if *segment != Segment::Cold {
                        let from = table.opt_integer("from").map(|from| from as i32);
                        match segment {
                            Segment::Warm => self.warm_from = from.unwrap_or(self.warm_from),
                            _ => self.hot_from = from.unwrap_or(self.hot_from),
                        }
                    }
                    let action = table.opt_string("action").unwrap_or_default();
                    if action.trim().is_empty() {
                        no_action(table.place(), table, word);
                    }
                    self.actions[*segment as usize] = action;
                });
                if found.is_none() && !segments.has(word) {
                    no_action(segments.place(), segments, word);
                }
            }
        });
        if known.is_none() && !root.has("segment") {
            for (word, _) in Segment::ALL {
                let start = Place { span: 0..0, ..root.place().clone() };
                no_action(&start, root, word);
            }
        }
    }

    fn check_ids(&self, root: &Table<'_>) {
        let mut first: BTreeMap<&str, &Place> = BTreeMap::new();
        for rule in &self.rules {
            if rule.id == CAP_ID {
                let message = format!("`{CAP_ID}` is how points taken by a cap are listed");
                root.sink().error(&rule.place, message, Some("choose another id".to_owned()));
            }
            if let Some(earlier) = first.get(rule.id.as_str()) {
                let message = format!("scoring rule `{}` exists already", rule.id);
                let hint = format!("the first one is on line {}; ids are unique", earlier.line());
                root.sink().error(&rule.place, message, Some(hint));
            } else {
                first.insert(&rule.id, &rule.place);
            }
        }
    }

    fn check_thresholds(&self, root: &Table<'_>) {
        let (lowest, highest) = self.total;
        if lowest > 0 || highest <= 0 {
            let hint = "a lead that no rule knows has 0 points".to_owned();
            root.error("total", "the total has to go from 0 or less to more than 0", Some(hint));
            return;
        }
        if self.warm_from >= self.hot_from {
            let message = format!("warm from {} but hot from {}", self.warm_from, self.hot_from);
            root.error("segment", message, Some("`warm` has to start below `hot`".to_owned()));
            return;
        }
        for (word, from) in [("warm", self.warm_from), ("hot", self.hot_from)] {
            if from <= lowest || from > highest {
                let message = format!("{word} from {from} is outside the total");
                let hint = format!("the total goes from {lowest} to {highest}");
                root.error("segment", message, Some(hint));
            }
        }
        let reachable = self.reachable();
        if reachable < self.hot_from && !self.rules.is_empty() {
            let message = format!("no lead can be hot: the rules give at most {reachable} points");
            let hint = format!("hot starts at {}", self.hot_from);
            root.sink().warning(&root.place_of("segment"), message, Some(hint));
        }
    }

    /// Returns the most points that all rules together can give.
    fn reachable(&self) -> i32 {
        let groups = Group::ALL.iter().map(|(_, group)| {
            let gains = self.rules.iter().filter(|rule| rule.group == *group && rule.points > 0);
            let sum: i32 = gains.map(|rule| rule.points).sum();
            self.group_caps[*group as usize].map_or(sum, |cap| sum.min(cap))
        });
        groups.sum::<i32>().min(self.total.1)
    }

    fn phrase_caps(&mut self) {
        let (lowest, highest) = self.total;
        for (word, group) in Group::ALL {
            self.cap_because[*group as usize] = match self.group_caps[*group as usize] {
                Some(cap) => {
                    format!("capped at {cap} points for {word}, and at {highest} in total")
                }
                None => format!("capped at {highest} points in total"),
            };
        }
        self.floor_because = format!("raised to {lowest}, the lowest total");
    }
}

fn decode_caps(table: &Table<'_>) -> [Option<i32>; 4] {
    let mut caps = [None; 4];
    for (word, group) in Group::ALL {
        let cap = points(table, word);
        if cap.is_some_and(|cap| cap <= 0) {
            table.error(word, format!("the cap for {word} has to be above 0"), None);
        } else {
            caps[*group as usize] = cap;
        }
    }
    caps
}

fn decode_rule(table: &Table<'_>, context: &ConditionContext<'_>) -> Option<ScoreRule> {
    let id = table.string("id");
    let group = table.choice("group", Group::ALL, Group::Fit);
    let points = points(table, "points");
    if !table.has("points") {
        table.missing("points");
    } else if points == Some(0) {
        let hint = "give or take points, or remove the rule".to_owned();
        table.error("points", format!("rule `{id}` gives 0 points"), Some(hint));
    }
    let because = table.opt_string("because").unwrap_or_default();
    if because.trim().is_empty() {
        let hint = "one line that tells a salesperson why: because = \"Asked for a quote\"";
        let message = format!("scoring rule `{id}` has no `because`");
        table.sink().error(&table.place_of("id"), message, Some(hint.to_owned()));
    }
    let half_life_seconds = table.opt_duration_seconds("half-life");
    if half_life_seconds == Some(0) {
        table.error("half-life", "a half-life of 0 leaves no points", None);
    }
    let when = Condition::decode_key(table, "when", context);
    if !table.has("when") {
        table.missing("when");
    }
    if when.as_ref().is_some_and(Condition::looks_at_score) {
        let hint = "`score` and `segment` are for routes and plans".to_owned();
        table.error("when", "a scoring rule cannot look at the score", Some(hint));
    }
    Some(ScoreRule {
        id,
        group,
        points: points?,
        when: when?,
        because,
        half_life_seconds: half_life_seconds.filter(|seconds| *seconds > 0),
        place: table.place_of("id"),
    })
}

fn points(table: &Table<'_>, key: &str) -> Option<i32> {
    let number = table.opt_integer(key)?;
    if number.abs() > RULE_POINTS_MAX {
        table.error(key, format!("{number} points are more than {RULE_POINTS_MAX}"), None);
        return None;
    }
    Some(number as i32)
}

fn no_action(place: &Place, table: &Table<'_>, word: &str) {
    let hint = format!("say what to do with a {word} lead: [segment.{word}] action = \"..\"");
    table.sink().error(place, format!("segment `{word}` has no action"), Some(hint));
}

/// Reports a scoring rule that does not exist, with a suggestion.
pub(super) fn expect_rule(policy: &ScoringPolicy, id: &str, place: &Place, table: &Table<'_>) {
    let ids = || policy.rules.iter().map(|rule| rule.id.as_str()).chain([CAP_ID]);
    if ids().any(|known| known == id) {
        return;
    }
    let hint = did_you_mean(id, ids()).map(|near| format!("did you mean `{near}`?"));
    table.sink().error(place, format!("there is no scoring rule `{id}`"), hint);
}
