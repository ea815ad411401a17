//! Costs, gathered: what was spent beside what came of it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::meetings::Reached;
use super::spend::SpendLine;
use super::{Activities, Scope, each_enquiry};
use crate::model::decision::Segment;
use crate::model::ids::LeadNo;
use crate::model::metric::By;
use crate::model::moment::utc_from_ms;
use crate::report::metrics::ALL;
use crate::report::metrics::costs::{CostFigures, CostGroup};
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::metrics::Key;

const KEYS: [Key; 4] =
    [Key::By(By::Source), Key::Channel, Key::By(By::Campaign), Key::By(By::Segment)];

/// Returns what the leads of the enquiries of `scope` cost.
///
/// A line names a source (the preset of the export, or the channel such as `facebook`), a campaign, or both, in
/// whatever case. An enquiry belongs to the lines of one name, the first of these that has one for its day: source and
/// campaign, campaign alone, source alone; the preset before the channel. Spend counts by days: those of the period,
/// and none after the as-of.
pub fn cost_figures(
    store: &Store,
    rules: &RuleSet,
    scope: &Scope,
    activities: &Activities,
    window: TimeDelta,
    lines: &[SpendLine],
) -> Result<CostFigures> {
    let zone = rules.workspace.zone;
    let day = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
    let since = scope.since.map(day);
    let last = scope
        .until
        .map_or(scope.as_of, |until| scope.as_of.min(until - TimeDelta::milliseconds(1)));
    let mut ledger = Ledger::new(lines, since, day(last));
    each_enquiry(store, rules, scope, activities, &KEYS, |enquiry| {
        let closes_ms = enquiry.opened_ms.saturating_add(window.num_milliseconds());
        let reached = Reached::by(enquiry.since, closes_ms);
        let arrival = Arrival {
            lead: enquiry.lead,
            is_hot: enquiry.keys[3] == Segment::Hot.word(),
            has_meeting: reached.booked,
            is_won: reached.won == Some(true),
        };
        let [source, channel, campaign, _] = enquiry.keys else { return Ok(()) };
        ledger.take([source, channel, campaign], day(utc_from_ms(enquiry.opened_ms)), arrival);
        Ok(())
    })?;
    Ok(ledger.close())
}

/// What an enquiry counts for.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    lead: LeadNo,
    is_hot: bool,
    has_meeting: bool,
    is_won: bool,
}

/// Counts leads once, as long as those of one lead come one after the other.
#[derive(Debug, Clone, Default)]
struct Counting {
    figures: CostGroup,
    last: Option<LeadNo>,
    last_met: Option<LeadNo>,
    last_won: Option<LeadNo>,
}

impl Counting {
    fn take(&mut self, one: Arrival) {
        let lead = Some(one.lead);
        let figures = &mut self.figures;
        if self.last != lead {
            self.last = lead;
            figures.leads += 1;
            figures.hot += u64::from(one.is_hot);
        }
        if one.has_meeting && self.last_met != lead {
            self.last_met = lead;
            figures.meetings += 1;
        }
        if one.is_won && self.last_won != lead {
            self.last_won = lead;
            figures.won += 1;
        }
    }
}

/// Source and campaign of a line in lower case; empty for any.
type Name = (String, String);

struct Ledger<'a> {
    lines: &'a [SpendLine],
    is_matched: Vec<bool>,
    amounts: Vec<i64>,
    by_name: HashMap<Name, Vec<usize>>,
    /// By name and currency, in their order.
    groups: BTreeMap<(Name, String), Counting>,
    totals: BTreeMap<String, Counting>,
    unpaid: u64,
}

impl<'a> Ledger<'a> {
    fn new(lines: &'a [SpendLine], since: Option<NaiveDate>, last: NaiveDate) -> Self {
        let mut ledger = Self {
            lines,
            is_matched: vec![false; lines.len()],
            amounts: lines.iter().map(|line| line.amount_within(since, Some(last))).collect(),
            by_name: HashMap::new(),
            groups: BTreeMap::new(),
            totals: BTreeMap::new(),
            unpaid: 0,
        };
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.meets(since, last)) {
            let name = (line.source.to_lowercase(), line.campaign.to_lowercase());
            ledger.by_name.entry(name.clone()).or_default().push(at);
            let group = ledger.groups.entry((name, line.currency.clone())).or_default();
            group.figures.spent += ledger.amounts[at];
            group.figures.name = line.name();
            group.figures.currency.clone_from(&line.currency);
            let total = ledger.totals.entry(line.currency.clone()).or_default();
            total.figures.spent += ledger.amounts[at];
            ALL.clone_into(&mut total.figures.name);
            total.figures.currency.clone_from(&line.currency);
        }
        ledger
    }

    fn take(&mut self, [source, channel, campaign]: [&String; 3], day: NaiveDate, one: Arrival) {
        let [source, channel, campaign] = [source, channel, campaign].map(|key| key.to_lowercase());
        let none = String::new;
        let names = [
            (source.clone(), campaign.clone()),
            (channel.clone(), campaign.clone()),
            (none(), campaign),
            (source, none()),
            (channel, none()),
        ];
        let paid = |at: &&usize| (self.lines[**at].from..=self.lines[**at].to).contains(&day);
        let found = names.into_iter().filter(|name| name != &(none(), none())).find_map(|name| {
            let own: Vec<usize> = self.by_name.get(&name)?.iter().filter(paid).copied().collect();
            (!own.is_empty()).then_some((name, own))
        });
        let Some((name, own)) = found else {
            self.unpaid += 1;
            return;
        };
        for at in own {
            self.is_matched[at] = true;
            let currency = &self.lines[at].currency;
            let key = (name.clone(), currency.clone());
            self.groups.entry(key).or_default().take(one);
            self.totals.entry(currency.clone()).or_default().take(one);
        }
    }

    fn close(self) -> CostFigures {
        let unmatched = self
            .lines
            .iter()
            .enumerate()
            .filter(|(at, _)| !self.is_matched[*at] && self.amounts[*at] > 0);
        let unmatched = unmatched
            .map(|(_, line)| {
                format!("{} (line {}, {} to {})", line.name(), line.line, line.from, line.to)
            })
            .collect();
        let mut groups: Vec<CostGroup> =
            self.groups.into_values().map(|group| group.figures).collect();
        // The sort is stable: of equals the one comes first whose name does.
        groups.sort_by_key(|group| Reverse(group.spent));
        let totals = self.totals.into_values().map(|total| total.figures).collect();
        CostFigures { groups, totals, unmatched, unpaid: self.unpaid }
    }
}
