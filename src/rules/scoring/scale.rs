//! How points add up: what a group and the total may come to, and from where a lead is warm or hot.

use super::rule::points;
use crate::model::decision::{Group, Segment};
use crate::rules::decode::Table;

/// Caps and thresholds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scale {
    /// The most points that a group gives, in the order of [`Group::ALL`].
    pub group_caps: [Option<i32>; 4],
    /// The lowest and the highest total.
    pub total: (i32, i32),
    /// The lowest total that is warm.
    pub warm_from: i32,
    /// The lowest total that is hot.
    pub hot_from: i32,
}

impl Default for Scale {
    /// Returns 0 to 100 points, warm from 40, hot from 70.
    fn default() -> Self {
        Self { group_caps: [None; 4], total: (0, 100), warm_from: 40, hot_from: 70 }
    }
}

impl Scale {
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

    /// Reads `[total]`, `[caps]` and the `from` of `[segment.*]`; what is not said stays as it is.
    pub(super) fn decode(&mut self, table: &Table<'_>) {
        table.table("total", |total| {
            self.total.0 = points(total, "lowest").unwrap_or(self.total.0);
            self.total.1 = points(total, "highest").unwrap_or(self.total.1);
        });
        table.table("caps", |caps| {
            for (word, group) in Group::ALL {
                let cap = points(caps, word);
                if cap.is_some_and(|cap| cap <= 0) {
                    caps.error(word, format!("the cap for {word} has to be above 0"), None);
                } else if cap.is_some() {
                    self.group_caps[*group as usize] = cap;
                }
            }
        });
    }

    /// Reads where warm and hot begin, in the tables under `segment`.
    pub(super) fn decode_from(&mut self, segment: Segment, table: &Table<'_>) {
        let Some(from) = points(table, "from") else { return };
        match segment {
            Segment::Warm => self.warm_from = from,
            Segment::Hot => self.hot_from = from,
            Segment::Cold => {}
        }
    }

    /// Reports a total without 0 and thresholds that overlap or that nobody reaches.
    pub(super) fn check(&self, table: &Table<'_>) {
        let (lowest, highest) = self.total;
        if lowest > 0 || highest <= 0 {
            let hint = "a lead that no rule knows has 0 points".to_owned();
            table.error("total", "the total has to go from 0 or less to more than 0", Some(hint));
            return;
        }
        if self.warm_from >= self.hot_from {
            let message = format!("warm from {} but hot from {}", self.warm_from, self.hot_from);
            table.error("segment", message, Some("`warm` has to start below `hot`".to_owned()));
            return;
        }
        for (word, from) in [("warm", self.warm_from), ("hot", self.hot_from)] {
            if from <= lowest || from > highest {
                let message = format!("{word} from {from} is outside the total");
                let hint = format!("the total goes from {lowest} to {highest}");
                table.error("segment", message, Some(hint));
            }
        }
    }
}
