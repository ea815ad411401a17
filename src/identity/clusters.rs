//! Connected components: a union-find over small integers.

use std::collections::{BTreeMap, BTreeSet};

/// Disjoint sets of `0..len`; 4 bytes an element.
#[derive(Debug, Clone, Default)]
pub struct Clusters {
    parents: Vec<u32>,
}

impl Clusters {
    /// Makes `len` sets of one element each.
    pub fn new(len: usize) -> Self {
        Self { parents: (0..len as u32).collect() }
    }

    /// Makes a set of each of `items` and joins those of every two that are `alike`; of more than `limit`
    /// items, whose pairs would take too long, none are joined.
    pub fn joining<T>(items: &[T], limit: usize, alike: impl Fn(&T, &T) -> bool) -> Self {
        let mut clusters = Self::new(items.len());
        if items.len() > limit {
            return clusters;
        }
        for (i, a) in items.iter().enumerate() {
            for (j, b) in items.iter().enumerate().skip(i + 1) {
                if alike(a, b) {
                    clusters.union(i as u32, j as u32);
                }
            }
        }
        clusters
    }

    /// Adds one element in a set of its own and returns its number.
    pub fn push(&mut self) -> u32 {
        let element = self.parents.len() as u32;
        self.parents.push(element);
        element
    }

    /// Returns how many elements there are.
    pub fn len(&self) -> usize {
        self.parents.len()
    }

    /// Returns whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }

    /// Returns the smallest element of the set that holds `element`.
    pub fn find(&mut self, element: u32) -> u32 {
        let mut at = element;
        while self.parents[at as usize] != at {
            let grandparent = self.parents[self.parents[at as usize] as usize];
            self.parents[at as usize] = grandparent;
            at = grandparent;
        }
        at
    }

    /// Joins the sets of `a` and `b`; returns whether they were apart.
    pub fn union(&mut self, a: u32, b: u32) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        let (low, high) = (a.min(b), a.max(b));
        self.parents[high as usize] = low;
        low != high
    }

    /// Returns `items`, one for each element, set by set in the order of their smallest elements.
    pub fn into_groups<T: Copy>(mut self, items: &[T]) -> Vec<Vec<T>> {
        let mut groups: BTreeMap<u32, Vec<T>> = BTreeMap::new();
        for (element, item) in items.iter().enumerate() {
            groups.entry(self.find(element as u32)).or_default().push(*item);
        }
        groups.into_values().collect()
    }
}

/// Disjoint sets of which some must not be joined.
#[derive(Debug)]
pub struct PartedClusters {
    clusters: Clusters,
    /// For the smallest element of each set those of the sets that it must not be joined with.
    apart: BTreeMap<u32, BTreeSet<u32>>,
}

impl PartedClusters {
    /// Makes `len` sets of one element each; those of the pairs in `apart` stay in different ones.
    pub fn new(len: usize, apart: &[(u32, u32)]) -> Self {
        let mut parted = Self { clusters: Clusters::new(len), apart: BTreeMap::new() };
        for (a, b) in apart.iter().filter(|(a, b)| a != b) {
            parted.apart.entry(*a).or_default().insert(*b);
            parted.apart.entry(*b).or_default().insert(*a);
        }
        parted
    }

    /// Returns the smallest element of the set that holds `element`.
    pub fn find(&mut self, element: u32) -> u32 {
        self.clusters.find(element)
    }

    /// Joins the sets of `a` and `b` where they may be; returns whether they were apart and are one now.
    pub fn union(&mut self, a: u32, b: u32) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        let (low, high) = (a.min(b), a.max(b));
        if low == high || self.apart.get(&low).is_some_and(|others| others.contains(&high)) {
            return false;
        }
        self.clusters.union(low, high);
        for other in self.apart.remove(&high).unwrap_or_default() {
            let others = self.apart.entry(other).or_default();
            others.remove(&high);
            others.insert(low);
            self.apart.entry(low).or_default().insert(other);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_apart_stays_so_whatever_else_is_joined() {
        let mut parted = PartedClusters::new(6, &[(1, 4)]);
        assert!(parted.union(1, 2) && parted.union(3, 4));
        assert!(!parted.union(2, 3), "1 is with 2, and 4 with 3");
        assert!(parted.union(0, 1) && parted.union(5, 3));
        assert!(!parted.union(5, 0));
        assert!(!parted.union(0, 2), "they are one already");
        assert_eq!([0, 1, 2, 3, 4, 5].map(|element| parted.find(element)), [0, 0, 0, 3, 3, 3]);
    }

    #[test]
    fn the_smallest_element_names_its_set() {
        let mut clusters = Clusters::new(5);
        assert!(clusters.union(4, 2));
        assert!(clusters.union(2, 1));
        assert!(!clusters.union(1, 4));
        assert_eq!([0, 1, 2, 3, 4].map(|element| clusters.find(element)), [0, 1, 1, 3, 1]);
        assert_eq!(
            clusters.into_groups(&['a', 'b', 'c', 'd', 'e']),
            [vec!['a'], vec!['b', 'c', 'e'], vec!['d']]
        );
    }
}
