//! Parts what hangs together and must not: rows that somebody told apart, and people with different names whom only
//! rows with half a name tie together.
//!
//! The members of such a component are clustered anew, the strongest joins first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

use anyhow::Result;

use super::joining::{Edge, Work};
use crate::identity::clusters::{Clusters, PartedClusters};
use crate::identity::guard::{Guard, NAMES_COMPARED_MAX};
use crate::identity::keys::KeyKind;
use crate::model::ids::{Fingerprint, KeyHash, SubmissionNo};

/// A join and its turn: its strength, the later verdict first, then what no order of rows can change.
type Turn = (u8, i64, Fingerprint, Fingerprint, Edge);

/// Members that a key joins.
struct Meeting {
    kind: KeyKind,
    /// Positions among the members, in the order of fingerprints.
    holders: Vec<u32>,
    /// The pair whose turn is next.
    next: (usize, usize),
    /// Holders that were no part of an earlier one's cluster when their turn began.
    leaders: Vec<u32>,
}

impl Meeting {
    /// Returns the next pair of holders.
    ///
    /// The pairs of a holder that is in the cluster of an earlier one are passed over: whoever is joined to that
    /// cluster or kept apart from it has been already.
    fn next(&mut self, clusters: &mut PartedClusters) -> Option<(u32, u32)> {
        while self.next.0 + 1 < self.holders.len() {
            let (row, column) = self.next;
            let holder = self.holders[row];
            let begins = column == row + 1;
            let root = clusters.find(holder);
            if begins && self.leaders.iter().any(|leader| clusters.find(*leader) == root) {
                self.next = (row + 1, row + 2);
                continue;
            }
            if begins {
                self.leaders.push(holder);
            }
            let is_last = column + 1 == self.holders.len();
            self.next = if is_last { (row + 1, row + 2) } else { (row, column + 1) };
            return Some((holder, self.holders[column]));
        }
        None
    }
}

/// The members of a component, in order of number, and what is known of them.
struct Members<'m> {
    rows: &'m [SubmissionNo],
    fingerprints: Vec<Fingerprint>,
    /// Their names, as far as a key has told them.
    names: HashMap<u32, String>,
}

impl Members<'_> {
    fn at(&self, submission: SubmissionNo) -> Option<u32> {
        self.rows.binary_search(&submission).ok().map(|at| at as u32)
    }

    fn turn(&self, (a, b): (u32, u32), kind: KeyKind, run: i64) -> Turn {
        let strength = match kind {
            KeyKind::Verdict => 0,
            KeyKind::Email => 1,
            KeyKind::RoleEmail => 2,
            KeyKind::Phone => 3,
            // Likeness: what only joins touches makes no edges.
            _ => 4,
        };
        let (x, y) = (self.fingerprints[a as usize], self.fingerprints[b as usize]);
        let edge = (self.rows[a.min(b) as usize], self.rows[a.max(b) as usize], kind);
        (strength, -run, x.min(y), x.max(y), edge)
    }

    fn is_whole(&self, member: u32) -> bool {
        self.names.get(&member).is_some_and(|name| !Guard::is_half(name))
    }
}

/// Joins members in the order of turns, those of `meetings` among them; returns the joins that made one cluster of two.
fn join_in_turn(
    known: &Members<'_>,
    turns: Vec<Turn>,
    meetings: &mut [Meeting],
    clusters: &mut PartedClusters,
) -> Vec<Edge> {
    let mut waiting: BinaryHeap<Reverse<(Turn, Option<usize>)>> =
        turns.into_iter().map(|turn| Reverse((turn, None))).collect();
    let next_of = |number: usize, meeting: &mut Meeting, clusters: &mut PartedClusters| {
        let pair = meeting.next(clusters)?;
        Some(Reverse((known.turn(pair, meeting.kind, 0), Some(number))))
    };
    for (number, meeting) in meetings.iter_mut().enumerate() {
        waiting.extend(next_of(number, meeting, clusters));
    }
    let mut joined = Vec::new();
    while let Some(Reverse(((.., edge), meeting))) = waiting.pop() {
        if let (Some(a), Some(b)) = (known.at(edge.0), known.at(edge.1))
            && clusters.union(a, b)
        {
            joined.push(edge);
        }
        if let Some(number) = meeting {
            waiting.extend(next_of(number, &mut meetings[number], clusters));
        }
    }
    joined
}

impl Work<'_> {
    /// Clusters the members of a torn component anew, and joins nobody whom somebody told apart, nor, through half a
    /// name, people whose names contradict each other.
    pub(super) fn part(
        &mut self,
        members: &[SubmissionNo],
        different: &[(SubmissionNo, SubmissionNo)],
    ) -> Result<()> {
        let fingerprints = members.iter().map(|one| self.fingerprint(*one)).collect();
        let mut known = Members { rows: members, fingerprints, names: HashMap::new() };
        let mut meetings = self.meetings(&mut known)?;
        let within = |(a, b): &(SubmissionNo, SubmissionNo)| Some((known.at(*a)?, known.at(*b)?));
        let same = self.verdicts.iter().filter(|verdict| verdict.is_same);
        let mut turns: Vec<Turn> = same
            .filter_map(|one| Some((within(&(one.a, one.b))?, one.run.0)))
            .map(|(pair, run)| known.turn(pair, KeyKind::Verdict, run))
            .collect();
        let alike = self.alike.iter().filter_map(within);
        turns.extend(alike.map(|pair| known.turn(pair, KeyKind::Near, 0)));
        let mut apart: Vec<(u32, u32)> = different.iter().filter_map(within).collect();
        apart.extend(self.contradictions(&known, &turns, &meetings));
        let mut clusters = PartedClusters::new(members.len(), &apart);
        self.joined.edges.retain(|(a, b, _)| known.at(*a).is_none() || known.at(*b).is_none());
        self.joined.edges.extend(join_in_turn(&known, turns, &mut meetings, &mut clusters));
        let mut parts: BTreeMap<u32, Vec<SubmissionNo>> = BTreeMap::new();
        for (at, member) in members.iter().enumerate() {
            parts.entry(clusters.find(at as u32)).or_default().push(*member);
        }
        self.joined.components.extend(parts.into_values());
        Ok(())
    }

    /// Returns which of the members the keys join that identify, and learns their names.
    fn meetings(&self, known: &mut Members<'_>) -> Result<Vec<Meeting>> {
        let mut keys: BTreeSet<KeyHash> = BTreeSet::new();
        for member in known.rows {
            let own = self.store.keys_of(*member)?.into_iter();
            let joins = |kind: KeyKind| kind != KeyKind::Near && !kind.only_joins_touches();
            keys.extend(own.filter(|(_, kind)| joins(*kind)).map(|(key, _)| key));
        }
        let mut meetings = Vec::new();
        for key in keys {
            let Some(group) = self.store.key_group(key, self.horizon)? else { continue };
            let names: Vec<&str> = group.holders.iter().map(|one| one.holder.as_str()).collect();
            let labels = self.guard.labels(group.kind, &names);
            // Of a switchboard's many holders few are members.
            let mut holders_of: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for (holder, label) in group.holders.iter().zip(labels) {
                if let Some(at) = known.at(holder.submission) {
                    holders_of.entry(label).or_default().push(at);
                    known.names.entry(at).or_insert_with(|| holder.holder.clone());
                }
            }
            for mut holders in holders_of.into_values().filter(|holders| holders.len() > 1) {
                holders.sort_by_key(|at| (known.fingerprints[*at as usize], *at));
                let (next, leaders) = ((0, 1), Vec::new());
                meetings.push(Meeting { kind: group.kind, holders, next, leaders });
            }
        }
        Ok(meetings)
    }

    /// Returns pairs of members, one for every two groups of whole names that contradict each other and are no one
    /// group by what whole names share: nothing else may make one of them.
    fn contradictions(
        &self,
        known: &Members<'_>,
        turns: &[Turn],
        meetings: &[Meeting],
    ) -> Vec<(u32, u32)> {
        let mut whole = Clusters::new(known.rows.len());
        for (.., (a, b, _)) in turns {
            if let (Some(a), Some(b)) = (known.at(*a), known.at(*b))
                && known.is_whole(a)
                && known.is_whole(b)
            {
                whole.union(a, b);
            }
        }
        for meeting in meetings {
            let mut holders = meeting.holders.iter().filter(|holder| known.is_whole(**holder));
            let Some(first) = holders.next() else { continue };
            for other in holders {
                whole.union(*first, *other);
            }
        }
        let mut names_of: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
        for at in (0..known.rows.len() as u32).filter(|at| known.is_whole(*at)) {
            names_of.entry(whole.find(at)).or_default().insert(&known.names[&at]);
        }
        let groups: Vec<(u32, BTreeSet<&str>)> = names_of.into_iter().collect();
        if groups.len() > NAMES_COMPARED_MAX {
            return Vec::new();
        }
        let mut apart = Vec::new();
        for (i, (a, names)) in groups.iter().enumerate() {
            for (b, others) in &groups[i + 1..] {
                let fits = |name: &&str| others.iter().any(|one| self.guard.may_be_one(name, one));
                if !names.iter().any(fits) {
                    apart.push((*a, *b));
                }
            }
        }
        apart
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Clusters `n` rows by meetings of some of them, each with its kind; returns the joins and how many holders of
    /// each meeting had a turn.
    fn parted(
        n: u32,
        meetings: &[(KeyKind, Vec<u32>)],
        apart: &[(u32, u32)],
    ) -> (Vec<Edge>, Vec<usize>) {
        let rows: Vec<SubmissionNo> = (0..n).map(|row| SubmissionNo(i64::from(row))).collect();
        let known = known(&rows);
        let meeting = |(kind, holders): &(KeyKind, Vec<u32>)| Meeting {
            kind: *kind,
            holders: holders.clone(),
            next: (0, 1),
            leaders: Vec::new(),
        };
        let mut meetings: Vec<Meeting> = meetings.iter().map(meeting).collect();
        let mut clusters = PartedClusters::new(rows.len(), apart);
        let joined = join_in_turn(&known, Vec::new(), &mut meetings, &mut clusters);
        (joined, meetings.iter().map(|meeting| meeting.leaders.len()).collect())
    }

    fn known(rows: &[SubmissionNo]) -> Members<'_> {
        let fingerprint = |row: &SubmissionNo| {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&row.0.to_be_bytes());
            Fingerprint(bytes)
        };
        let fingerprints = rows.iter().map(fingerprint).collect();
        Members { rows, fingerprints, names: HashMap::new() }
    }

    proptest! {
        #[test]
        fn the_pairs_that_are_passed_over_would_have_joined_nobody(
            meetings in prop::collection::vec(
                (
                    prop::sample::select(vec![KeyKind::Email, KeyKind::Phone]),
                    prop::collection::btree_set(0_u32..10, 2..8),
                ),
                1..5,
            ),
            apart in prop::collection::vec((0_u32..10, 0_u32..10), 0..5),
        ) {
            let meetings: Vec<(KeyKind, Vec<u32>)> =
                meetings.into_iter().map(|(kind, rows)| (kind, rows.into_iter().collect())).collect();
            let rows: Vec<SubmissionNo> = (0..10).map(SubmissionNo).collect();
            let known = known(&rows);
            let mut turns = Vec::new();
            for (kind, holders) in &meetings {
                for (i, a) in holders.iter().enumerate() {
                    turns.extend(holders[i + 1..].iter().map(|b| known.turn((*a, *b), *kind, 0)));
                }
            }
            let mut clusters = PartedClusters::new(rows.len(), &apart);
            let expected = join_in_turn(&known, turns, &mut [], &mut clusters);
            prop_assert_eq!(parted(10, &meetings, &apart).0, expected);
        }
    }

    #[test]
    fn rows_of_one_number_have_as_many_turns_as_there_are_people_among_them() {
        let (joined, leaders) =
            parted(2_000, &[(KeyKind::Phone, (0..2_000).collect())], &[(3, 700)]);
        assert_eq!(joined.len(), 1_998, "two clusters");
        assert_eq!(leaders, [2]);
    }
}
