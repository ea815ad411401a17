//! What deciding anew changes: segments, owners, tasks and points, before and after.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::decision::Segment;

/// What was decided about a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Total score.
    pub score: i64,
    /// Segment word.
    pub segment: String,
    /// Owner's id.
    pub owner: Option<String>,
    /// Queue's id.
    pub queue: String,
    /// Route that decided.
    pub route: String,
}

/// Points that a rule gave a lead before and gives it after; 0 for none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PointShift {
    /// Rule's id; `cap` for a cap.
    pub rule: String,
    /// Group word.
    pub group: String,
    /// Points before.
    pub before: i64,
    /// Points after.
    pub after: i64,
}

/// How many open tasks change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskShift {
    /// Tasks to do that were none before.
    pub opened: u64,
    /// Tasks with another due time, subject or channel.
    pub moved: u64,
    /// Tasks that are no longer to be done.
    pub ended: u64,
}

impl TaskShift {
    /// Returns whether no task changes.
    pub fn is_none(self) -> bool {
        self == Self::default()
    }

    fn add(&mut self, other: Self) {
        self.opened += other.opened;
        self.moved += other.moved;
        self.ended += other.ended;
    }
}

/// One lead before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeadShift {
    /// Id.
    pub lead: String,
    /// Display name.
    pub name: String,
    /// What holds now.
    pub before: Verdict,
    /// What would hold.
    pub after: Verdict,
    /// Its tasks.
    pub tasks: TaskShift,
    /// Every rule that gives it points before or after, in alphabetical order.
    pub points: Vec<PointShift>,
    /// Whether the rules at hand would come to the same by now: it is time, and not the rules, that makes the
    /// difference. Unknown when nothing was asked about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_time_alone: Option<bool>,
}

impl LeadShift {
    /// Returns whether anything changes that somebody would notice: score, segment, owner, queue or tasks.
    pub fn is_change(&self) -> bool {
        let outcome =
            |one: &Verdict| (one.score, one.segment.clone(), one.owner.clone(), one.queue.clone());
        outcome(&self.before) != outcome(&self.after) || !self.tasks.is_none()
    }

    /// Returns the rules that give other points than before, as `+demo-request 25, price-page 10→15`.
    pub fn reasons(&self) -> String {
        let shifts = self.points.iter().filter(|one| one.before != one.after);
        let words: Vec<String> = shifts
            .map(|PointShift { rule, before, after, .. }| match (before, after) {
                (0, after) => format!("{rule} {after:+}"),
                (before, 0) => format!("{rule} {before:+}→0"),
                (before, after) => format!("{rule} {before:+}→{after:+}"),
            })
            .collect();
        words.join(", ")
    }
}

/// Leads that go from one segment to another, or stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentShift {
    /// Segment word before.
    pub from: String,
    /// Segment word after.
    pub to: String,
    /// Leads.
    pub leads: u64,
}

/// What somebody has in a queue, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadShift {
    /// Queue's id.
    pub queue: String,
    /// Owner's id; none for leads that wait.
    pub owner: Option<String>,
    /// Share of the queue that is due to the owner, in percent; none for who does not serve it.
    pub due_percent: Option<u64>,
    /// Leads before.
    pub before: u64,
    /// Leads after.
    pub after: u64,
    /// Hot leads before.
    pub hot_before: u64,
    /// Hot leads after.
    pub hot_after: u64,
    /// Share of the queue's owned leads that the owner has before, in percent.
    pub percent_before: Option<u64>,
    /// The same after.
    pub percent_after: Option<u64>,
}

/// What a rule gives in all, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleShift {
    /// Rule's id; `cap` for what caps take.
    pub rule: String,
    /// Group word.
    pub group: String,
    /// Leads that it gives points before.
    pub leads_before: u64,
    /// The same after.
    pub leads_after: u64,
    /// Points before, over all leads.
    pub points_before: i64,
    /// The same after.
    pub points_after: i64,
}

/// Everything that deciding anew about many leads changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// Leads that were looked at.
    pub leads: u64,
    /// Leads with another score, segment, owner, queue or task.
    pub changed: u64,
    /// Leads in another segment.
    pub segment_changed: u64,
    /// Leads with another owner, or with one that had none.
    pub owner_changed: u64,
    /// Leads in another queue.
    pub queue_changed: u64,
    /// Changed leads that the rules at hand would change alike by now.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by_time_alone: Option<u64>,
    /// Leads by segment before and after, the hottest first.
    pub segments: Vec<SegmentShift>,
    /// Open tasks.
    pub tasks: TaskShift,
    /// Who has how much, by queue and owner.
    pub load: Vec<LoadShift>,
    /// What each rule gives, in order of group and rule.
    pub rules: Vec<RuleShift>,
}

/// Adds leads up; takes as much memory as there are rules, owners and queues.
#[derive(Debug, Default)]
pub struct Comparing {
    leads: u64,
    changed: u64,
    segment_changed: u64,
    owner_changed: u64,
    queue_changed: u64,
    by_time_alone: Option<u64>,
    segments: BTreeMap<(String, String), u64>,
    tasks: TaskShift,
    load: BTreeMap<(String, Option<String>), [u64; 4]>,
    rules: BTreeMap<(String, String), (u64, u64, i64, i64)>,
}

impl Comparing {
    /// Counts one lead.
    pub fn add(&mut self, lead: &LeadShift) {
        let LeadShift { before, after, .. } = lead;
        self.leads += 1;
        self.changed += u64::from(lead.is_change());
        self.segment_changed += u64::from(before.segment != after.segment);
        self.owner_changed += u64::from(before.owner != after.owner);
        self.queue_changed += u64::from(before.queue != after.queue);
        if let Some(by_time) = lead.by_time_alone {
            *self.by_time_alone.get_or_insert(0) += u64::from(by_time);
        }
        *self.segments.entry((before.segment.clone(), after.segment.clone())).or_default() += 1;
        self.tasks.add(lead.tasks);
        let hot = |one: &Verdict| u64::from(one.segment == Segment::Hot.word());
        let load = self.load.entry((before.queue.clone(), before.owner.clone())).or_default();
        load[0] += 1;
        load[1] += hot(before);
        let load = self.load.entry((after.queue.clone(), after.owner.clone())).or_default();
        load[2] += 1;
        load[3] += hot(after);
        for one in &lead.points {
            let sums = self.rules.entry((one.group.clone(), one.rule.clone())).or_default();
            sums.0 += u64::from(one.before != 0);
            sums.1 += u64::from(one.after != 0);
            sums.2 += one.before;
            sums.3 += one.after;
        }
    }

    /// Returns the sums; `weight` is an owner's weight in a queue and the sum of all weights there.
    pub fn finish(self, weight: impl Fn(&str, &str) -> Option<(i64, i64)>) -> Comparison {
        let owned = |queue: &str, at: usize| -> u64 {
            let of_queue =
                self.load.iter().filter(|((known, owner), _)| known == queue && owner.is_some());
            of_queue.map(|(_, load)| load[at]).sum()
        };
        let load = self.load.iter().map(|((queue, owner), counts)| {
            let weight = owner.as_deref().and_then(|owner| weight(queue, owner));
            let share = |at: usize| {
                let whole = owned(queue, at);
                let share = owner.as_ref().filter(|_| whole > 0);
                share.map(|_| percent(counts[at], whole))
            };
            LoadShift {
                queue: queue.clone(),
                owner: owner.clone(),
                due_percent: weight.map(|(part, whole)| percent(part as u64, whole.max(1) as u64)),
                before: counts[0],
                after: counts[2],
                hot_before: counts[1],
                hot_after: counts[3],
                percent_before: share(0),
                percent_after: share(2),
            }
        });
        let load = load.collect();
        let rank = |word: &str| Segment::ALL.iter().rev().position(|(known, _)| *known == word);
        let mut segments: Vec<SegmentShift> = self
            .segments
            .into_iter()
            .map(|((from, to), leads)| SegmentShift { from, to, leads })
            .collect();
        segments.sort_by_key(|one| (rank(&one.from), rank(&one.to)));
        let rules = self.rules.into_iter().map(|((group, rule), sums)| RuleShift {
            rule,
            group,
            leads_before: sums.0,
            leads_after: sums.1,
            points_before: sums.2,
            points_after: sums.3,
        });
        Comparison {
            leads: self.leads,
            changed: self.changed,
            segment_changed: self.segment_changed,
            owner_changed: self.owner_changed,
            queue_changed: self.queue_changed,
            by_time_alone: self.by_time_alone,
            segments,
            tasks: self.tasks,
            load,
            rules: rules.collect(),
        }
    }
}

/// Rounds to the nearest whole percent.
fn percent(part: u64, whole: u64) -> u64 {
    (part * 200 + whole) / (whole * 2)
}
