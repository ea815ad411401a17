//! What a rule is worth: how many of the leads that met it ended well, beside those that did not.

use super::calibration::Lesson;

/// Leads below which a share says little, whatever it is; fewer on either side of a comparison are marked.
pub const FEW: u64 = 30;

/// The quantile of the normal distribution that leaves 2.5 % above it, for intervals of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// Leads, and how many of them ended well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ended {
    /// Leads.
    pub leads: u64,
    /// Those that ended well.
    pub well: u64,
}

impl Ended {
    fn count(&mut self, succeeded: bool) {
        self.leads += 1;
        self.well += u64::from(succeeded);
    }

    /// Returns the share that ended well, 0 to 1; none without leads.
    pub fn share(self) -> Option<f64> {
        (self.leads > 0).then(|| self.well as f64 / self.leads as f64)
    }

    /// Returns the ends of the 95 % interval that Wilson's score gives the share (Brown, Cai, DasGupta, Statistical
    /// Science 2001: it keeps what it promises where few leads ended well, too); all there is without leads.
    pub fn interval(self) -> (f64, f64) {
        let Some(share) = self.share() else { return (0.0, 1.0) };
        let leads = self.leads as f64;
        let shrink = 1.0 + Z * Z / leads;
        let middle = (share + Z * Z / (2.0 * leads)) / shrink;
        let half =
            Z / shrink * (share * (1.0 - share) / leads + Z * Z / (4.0 * leads * leads)).sqrt();
        ((middle - half).max(0.0), (middle + half).min(1.0))
    }
}

/// How far a comparison can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The shares differ by more than chance explains.
    Sure,
    /// The intervals of the two shares overlap.
    MayBeChance,
    /// Fewer than [`FEW`] leads met the rule, or did not.
    Few,
}

impl Trust {
    /// Returns what people read; empty for what can be trusted.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sure => "",
            Self::MayBeChance => "may be chance",
            Self::Few => "few leads",
        }
    }
}

/// Leads that met a rule, beside all others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lift {
    /// Those that met it.
    pub fired: Ended,
    /// Those that did not.
    pub others: Ended,
}

impl Lift {
    /// Compares those that met a rule with the rest of `all`.
    pub fn beside(fired: Ended, all: Ended) -> Self {
        Self {
            fired,
            others: Ended { leads: all.leads - fired.leads, well: all.well - fired.well },
        }
    }

    /// Returns how many times as often leads that met the rule ended well; none where nobody did on the other side.
    pub fn ratio(self) -> Option<f64> {
        let others = self.others.share().filter(|share| *share > 0.0)?;
        Some(self.fired.share()? / others)
    }

    /// Returns how far the ratio can be trusted.
    pub fn trust(self) -> Trust {
        let (fired, others) = (self.fired.interval(), self.others.interval());
        if self.fired.leads.min(self.others.leads) < FEW {
            Trust::Few
        } else if fired.0 <= others.1 && others.0 <= fired.1 {
            Trust::MayBeChance
        } else {
            Trust::Sure
        }
    }
}

/// Returns the lift of each of `rules` rules, by position, as `lessons` tell it.
pub fn lifts(lessons: &[Lesson], rules: usize) -> Vec<Lift> {
    let mut all = Ended::default();
    let mut fired = vec![Ended::default(); rules];
    for lesson in lessons {
        all.count(lesson.succeeded);
        for (rule, _) in &lesson.given {
            fired[usize::from(*rule)].count(lesson.succeeded);
        }
    }
    fired.into_iter().map(|fired| Lift::beside(fired, all)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(well: u64, leads: u64) -> Ended {
        Ended { leads, well }
    }

    #[test]
    fn an_interval_is_that_of_wilson() {
        let check = |ended: Ended, expected: (f64, f64)| {
            let (low, high) = ended.interval();
            let is_near = |found: f64, wanted: f64| (found - wanted).abs() < 0.000_5;
            assert!(
                is_near(low, expected.0) && is_near(high, expected.1),
                "{ended:?}: {low} {high}"
            );
        };
        // As R's prop.test(x, n, correct = FALSE) gives them.
        check(ended(0, 10), (0.0, 0.277_5));
        check(ended(5, 10), (0.236_6, 0.763_4));
        check(ended(81, 263), (0.255_3, 0.366_2));
        check(ended(10, 10), (0.722_5, 1.0));
        check(ended(0, 0), (0.0, 1.0));
    }

    #[test]
    fn a_lift_says_how_far_it_can_be_trusted() {
        let check = |fired: Ended, others: Ended, expected: (Option<f64>, Trust)| {
            let lift = Lift { fired, others };
            assert_eq!((lift.ratio(), lift.trust()), expected, "{lift:?}");
        };
        check(ended(40, 100), ended(10, 100), (Some(4.0), Trust::Sure));
        check(ended(12, 100), ended(10, 100), (Some(1.2), Trust::MayBeChance));
        check(ended(20, 29), ended(0, 500), (None, Trust::Few));
        check(ended(90, 500), ended(3, 10), (Some(0.6), Trust::Few));
        check(ended(0, 0), ended(3, 100), (None, Trust::Few));
    }

    #[test]
    fn every_lead_stands_on_one_side() {
        let lesson = |rules: &[u16], succeeded| Lesson {
            key: 0,
            given: rules.iter().map(|rule| (*rule, 1.0)).collect(),
            unlearned: [0; 4],
            model: 0,
            succeeded,
        };
        let found = lifts(&[lesson(&[0], true), lesson(&[0, 1], false), lesson(&[], true)], 3);
        let sides: Vec<(Ended, Ended)> =
            found.iter().map(|lift| (lift.fired, lift.others)).collect();
        assert_eq!(
            sides,
            [(ended(1, 2), ended(1, 1)), (ended(0, 1), ended(2, 2)), (ended(0, 0), ended(2, 3)),]
        );
    }
}
