//! `[matrix]`: fit against engagement, nine grades from `A1` to `C3`, each with a segment.

use super::rule::points;
use crate::model::decision::{Grade, Group, Segment};
use crate::rules::decode::Table;

/// Nine grades from two sums of groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    /// The letter: A, B or C.
    pub fit: Axis,
    /// The figure: 1, 2 or 3.
    pub engagement: Axis,
    /// What each grade stands for, in the order of [`Grade::ALL`].
    pub cells: [Cell; 9],
}

/// One side of the matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    /// Groups whose points are added up, in the order of [`Group::ALL`], each once.
    pub groups: Vec<Group>,
    /// The lowest sums of the best and of the middle level; what is below is the third.
    pub from: [i32; 2],
}

/// What a grade stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Its segment.
    pub segment: Segment,
    /// What to do with a lead, where it is not what the segment says.
    pub action: Option<String>,
}

impl Axis {
    /// Returns the sum of its groups.
    pub fn sum(&self, groups: &[i32; 4]) -> i32 {
        self.groups.iter().map(|group| groups[*group as usize]).sum()
    }

    /// Returns the level of `sum`: 0, the best, to 2.
    pub fn level(&self, sum: i32) -> usize {
        self.from.iter().position(|from| sum >= *from).unwrap_or(2)
    }
}

impl Matrix {
    /// Returns the grade of a lead with these points per group, in the order of [`Group::ALL`].
    pub fn grade(&self, groups: &[i32; 4]) -> Grade {
        let level = |axis: &Axis| axis.level(axis.sum(groups));
        Grade::at(level(&self.fit), level(&self.engagement))
    }

    /// Returns what `grade` stands for.
    pub fn cell(&self, grade: Grade) -> &Cell {
        &self.cells[grade as usize]
    }

    pub(super) fn decode(table: &Table<'_>) -> Option<Self> {
        let fit = axis(table, "fit", &[Group::Fit], ["A", "B"]);
        let engagement = axis(table, "engagement", &[Group::Intent, Group::Behavior], ["1", "2"]);
        if let (Some(fit), Some(engagement)) = (&fit, &engagement)
            && let Some(group) = fit.groups.iter().find(|group| engagement.groups.contains(group))
        {
            let message = format!("`{}` counts for fit and for engagement", group.word());
            table.error("engagement", message, Some("a group belongs to one side".to_owned()));
        }
        let cells = table.table("cells", decode_cells);
        if !table.has("cells") {
            table.missing("cells");
        }
        Some(Self { fit: fit?, engagement: engagement?, cells: cells?? })
    }
}

fn axis(table: &Table<'_>, key: &str, default: &[Group], words: [&str; 2]) -> Option<Axis> {
    if !table.has(key) {
        table.missing(key);
    }
    table.table(key, |inner| {
        let mut groups = inner.choices("groups", Group::ALL);
        if !inner.has("groups") {
            groups = default.to_vec();
        }
        groups.sort_unstable();
        groups.dedup();
        let [best, middle] = words.map(|word| {
            if !inner.has(word) {
                inner.missing(word);
            }
            points(inner, word)
        });
        let from = [best?, middle?];
        if from[0] <= from[1] {
            let message =
                format!("{} from {} but {} from {}", words[0], from[0], words[1], from[1]);
            let hint = format!("`{}` has to start above `{}`", words[0], words[1]);
            inner.error(words[0], message, Some(hint));
        }
        if groups.is_empty() {
            inner.error("groups", "no group counts here", Some("leave `groups` out".to_owned()));
        }
        Some(Axis { groups, from })
    })?
}

fn decode_cells(table: &Table<'_>) -> Option<[Cell; 9]> {
    let mut cells = Vec::with_capacity(9);
    for (word, _) in Grade::ALL {
        if !table.has(word) {
            let hint = format!("say what it stands for: {word} = {{ segment = \"warm\" }}");
            table.sink().error(table.place(), format!("grade {word} has no segment"), Some(hint));
        }
        let cell = table.table(word, |cell| {
            let segment = cell.choice("segment", Segment::ALL, Segment::Cold);
            let action = cell.opt_string("action");
            if action.as_ref().is_some_and(|action| action.trim().is_empty()) {
                let hint = "leave it out to do what the segment says".to_owned();
                cell.error("action", format!("grade {word} has a blank action"), Some(hint));
            }
            Cell { segment, action }
        });
        cells.extend(cell);
    }
    cells.try_into().ok()
}
