//! Points learned from outcomes: what the rules would give if they had known how the leads ended.
//!
//! A penalized logistic regression over the rules that fired, by the `smartcore` crate. It only proposes: whoever owns
//! the rules reads the table and takes the points over, or does not. Start at [`calibrate`].

use smartcore::linalg::basic::arrays::Array as _;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::logistic_regression::{LogisticRegression, LogisticRegressionParameters};
use smartcore::metrics::roc_auc_score;

use crate::model::decision::Group;
use crate::rules::scoring::{Count, ScoringPolicy, TIMES_MAX};

/// Leads that ended well, and leads that did not, below which nothing is learned: fewer of either kind cannot tell how
/// good points are (Vergouwe et al., J Clin Epidemiol 2005).
pub const OUTCOMES_MIN: usize = 100;
/// Leads that a rule has to fire for, and not to fire for, before its points are touched.
const SUPPORT_MIN: usize = 20;
/// The data are cut into as many parts; each is judged by what the others taught.
const FOLDS: u64 = 5;
/// Penalty on squared coefficients: a rule is expected to change the odds by a factor of e, more or less.
const PENALTY: f64 = 1.0;
/// Points that are proposed at most for one rule.
const POINTS_MAX: f64 = 100.0;
/// Rows of the calibration table.
const BINS: usize = 8;

/// What one lead teaches.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// Tells which fold the lead is in; the same lead, the same fold.
    pub key: u64,
    /// By the position of a rule: which part of its points the lead had when it was decided. 1 is all of them, 0.5 what
    /// a half-life leaves, 3 those of three touches.
    pub given: Vec<(u16, f64)>,
    /// Points that it had besides, for values that are missing, in the order of [`Group::ALL`].
    pub unlearned: [i32; 4],
    /// Position of the model that decided about it; 0 where there is one score.
    pub model: usize,
    /// Whether it ended well.
    pub succeeded: bool,
}

/// Why nothing is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLittle {
    /// Leads that ended well.
    pub successes: usize,
    /// Leads that ended otherwise.
    pub failures: usize,
}

/// What outcomes say of the points.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Leads whose outcome is known.
    pub leads: usize,
    /// Those that ended well.
    pub successes: usize,
    /// How well today's points tell good leads from others, see [`Discrimination`].
    pub now: Discrimination,
    /// The same of points that were learned from the other leads.
    pub proposed: Discrimination,
    /// Mean and standard error of what the proposed points gain in area under the curve, fold by fold.
    pub gain: (f64, f64),
    /// Every rule in order of the policy.
    pub rules: Vec<RuleProposal>,
    /// Leads by proposed total, the lowest first: what was to be expected, and what came.
    pub bins: Vec<Bin>,
}

/// How well points tell good leads from others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Discrimination {
    /// Area under the ROC curve, 0 to 1: how often a lead that ended well has more points than one that did not. Mean
    /// over the folds.
    pub auc: f64,
    /// Standard deviation over the folds.
    pub deviation: f64,
}

/// What one rule is proposed to give.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleProposal {
    /// Leads with an outcome that it gave points to.
    pub fired: usize,
    /// Those of them that ended well.
    pub succeeded: usize,
    /// Points now.
    pub now: i32,
    /// Points proposed; as now when `kept` says why.
    pub proposed: i32,
    /// Why the points stay.
    pub kept: Option<Kept>,
}

/// Why a rule keeps its points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It fired for too few leads, or for nearly all.
    Rare,
    /// Two halves of the data disagree whether it is for or against a lead.
    Unsure,
    /// How often it counts is limited, and the limit may be said in points.
    Limited,
}

/// Leads of similar points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Lowest proposed total.
    pub from: i32,
    /// Highest proposed total.
    pub to: i32,
    /// Leads.
    pub leads: usize,
    /// Share that the points promised to end well, 0 to 1.
    pub expected: f64,
    /// Share that did.
    pub observed: f64,
}

impl Calibration {
    /// Returns whether the proposed points are better than today's by more than two standard errors.
    pub fn is_better(&self) -> bool {
        self.gain.0 > 2.0 * self.gain.1
    }
}

/// Returns the points that `lessons` propose for the rules of `policy`, and how well they would do.
///
/// All that is said about the proposed points is measured on leads that they were not learned from.
///
/// # Errors
/// When fewer than [`OUTCOMES_MIN`] leads ended well, or ended otherwise.
pub fn calibrate(lessons: &[Lesson], policy: &ScoringPolicy) -> Result<Calibration, TooLittle> {
    let successes = lessons.iter().filter(|lesson| lesson.succeeded).count();
    let failures = lessons.len() - successes;
    if successes.min(failures) < OUTCOMES_MIN {
        return Err(TooLittle { successes, failures });
    }
    // Sums of fractions depend on their order, so it is fixed.
    let mut all: Vec<&Lesson> = lessons.iter().collect();
    all.sort_by_key(|lesson| lesson.key);
    let points_now: Vec<i32> = policy.rules.iter().map(|rule| rule.points).collect();
    let mut folds = Vec::new();
    let mut judged = Vec::with_capacity(lessons.len());
    for fold in 0..FOLDS {
        let (test, train): (Vec<&Lesson>, Vec<&Lesson>) =
            all.iter().partition(|lesson| fold_of(lesson) == fold);
        let learned = points_of(&propose(&train, policy));
        let totals = |points: &[i32], of: &[&Lesson]| -> Vec<i32> {
            of.iter().map(|lesson| total(lesson, points, policy)).collect()
        };
        let tested = totals(&learned, &test);
        let promise = Promise::learn(&totals(&learned, &train), &train);
        judged.extend(tested.iter().zip(&test).map(|(total, lesson)| Judged {
            total: *total,
            expected: promise.share(*total),
            succeeded: lesson.succeeded,
        }));
        if let (Some(now), Some(proposed)) =
            (auc(&totals(&points_now, &test), &test), auc(&tested, &test))
        {
            folds.push((now, proposed));
        }
    }
    let column = |of: fn(&(f64, f64)) -> f64| spread(&folds.iter().map(of).collect::<Vec<_>>());
    let discrimination = |(auc, deviation)| Discrimination { auc, deviation };
    let (gain, deviation) = column(|fold| fold.1 - fold.0);
    Ok(Calibration {
        leads: lessons.len(),
        successes,
        now: discrimination(column(|fold| fold.0)),
        proposed: discrimination(column(|fold| fold.1)),
        gain: (gain, deviation / (folds.len().max(1) as f64).sqrt()),
        rules: propose(&all, policy),
        bins: bins(judged),
    })
}

fn fold_of(lesson: &Lesson) -> u64 {
    // Keys are hashes already; the high bits, since the low ones choose the half.
    (lesson.key >> 32) % FOLDS
}

fn points_of(proposals: &[RuleProposal]) -> Vec<i32> {
    proposals.iter().map(|rule| rule.proposed).collect()
}

/// Returns what the lead would have in all, caps included.
fn total(lesson: &Lesson, points: &[i32], policy: &ScoringPolicy) -> i32 {
    let mut groups = lesson.unlearned.map(f64::from);
    for (rule, part) in &lesson.given {
        let position = usize::from(*rule);
        groups[policy.rules[position].group as usize] += f64::from(points[position]) * part;
    }
    let scale = policy.scale_of(lesson.model);
    let capped = Group::ALL.iter().map(|(_, group)| {
        let sum = groups[*group as usize].round() as i32;
        scale.group_caps[*group as usize].map_or(sum, |cap| sum.min(cap))
    });
    capped.sum::<i32>().clamp(scale.total.0, scale.total.1)
}

fn propose(lessons: &[&Lesson], policy: &ScoringPolicy) -> Vec<RuleProposal> {
    let mut rules: Vec<RuleProposal> = policy
        .rules
        .iter()
        .map(|rule| RuleProposal {
            fired: 0,
            succeeded: 0,
            now: rule.points,
            proposed: rule.points,
            kept: None,
        })
        .collect();
    for lesson in lessons {
        for (rule, _) in &lesson.given {
            rules[usize::from(*rule)].fired += 1;
            rules[usize::from(*rule)].succeeded += usize::from(lesson.succeeded);
        }
    }
    let mut usable = Vec::new();
    for (position, rule) in rules.iter_mut().enumerate() {
        if is_limited(policy.rules[position].count) {
            rule.kept = Some(Kept::Limited);
        } else if rule.fired < SUPPORT_MIN || lessons.len() - rule.fired < SUPPORT_MIN {
            rule.kept = Some(Kept::Rare);
        } else {
            usable.push(position);
        }
    }
    let (one_half, other_half): (Vec<&Lesson>, Vec<&Lesson>) =
        lessons.iter().partition(|lesson| lesson.key % 2 == 0);
    let coefficients = learn(lessons, &usable);
    let halves = [learn(&one_half, &usable), learn(&other_half, &usable)];
    for (at, position) in usable.iter().enumerate() {
        if halves.iter().any(|half| half[at] * coefficients[at] <= 0.0) {
            rules[*position].kept = Some(Kept::Unsure);
        }
    }
    // Points have no unit: they are scaled so that these rules spread leads as far as they do now.
    let sure = || usable.iter().zip(&coefficients).filter(|(at, _)| rules[**at].kept.is_none());
    let weights = |weight: &dyn Fn(usize, f64) -> f64| {
        let mut weights = vec![0.0; rules.len()];
        sure().for_each(|(position, odds)| weights[*position] = weight(*position, *odds));
        weights
    };
    let reach = |weights: &[f64]| {
        let sums: Vec<f64> = lessons
            .iter()
            .map(|lesson| {
                lesson.given.iter().map(|(rule, part)| weights[usize::from(*rule)] * part).sum()
            })
            .collect();
        spread(&sums).1
    };
    let learned = weights(&|_, odds| odds);
    let reach_learned = reach(&learned);
    let factor = if reach_learned > 0.0 {
        reach(&weights(&|position, _| f64::from(rules[position].now))) / reach_learned
    } else {
        0.0
    };
    for (rule, odds) in rules.iter_mut().zip(&learned) {
        if rule.kept.is_none() && factor > 0.0 {
            let points = (odds * factor).clamp(-POINTS_MAX, POINTS_MAX).round() as i32;
            // A rule that gives nothing is a mistake; the least it can do is one point.
            rule.proposed = if points == 0 { odds.signum() as i32 } else { points };
        }
    }
    rules
}

fn is_limited(count: Count) -> bool {
    match count {
        Count::Once => false,
        Count::Each { per_window, in_total } => per_window.is_some() || in_total < TIMES_MAX,
    }
}

/// Returns the log odds that each of the rules at `positions` adds; zeros when one outcome is missing altogether.
fn learn(lessons: &[&Lesson], positions: &[usize]) -> Vec<f64> {
    let mut values = Vec::with_capacity(lessons.len() * positions.len());
    for lesson in lessons {
        let row = values.len();
        values.resize(row + positions.len(), 0.0);
        for (rule, part) in &lesson.given {
            if let Ok(at) = positions.binary_search(&usize::from(*rule)) {
                values[row + at] = *part;
            }
        }
    }
    regression(values, lessons).map_or_else(|| vec![0.0; positions.len()], |fit| fit.0)
}

/// Returns the coefficients and the intercept of a logistic regression of success on `values`, a row for each lesson.
fn regression(values: Vec<f64>, lessons: &[&Lesson]) -> Option<(Vec<f64>, f64)> {
    let outcomes: Vec<i32> = lessons.iter().map(|lesson| i32::from(lesson.succeeded)).collect();
    let width = values.len().checked_div(lessons.len()).filter(|width| *width > 0)?;
    let matrix = DenseMatrix::new(lessons.len(), width, values, false).ok()?;
    let parameters = LogisticRegressionParameters::default().with_alpha(PENALTY);
    let fit = LogisticRegression::fit(&matrix, &outcomes, parameters).ok()?;
    let numbers = |of: &DenseMatrix<f64>| -> Vec<f64> { of.iterator(0).copied().collect() };
    Some((numbers(fit.coefficients()), numbers(fit.intercept())[0]))
}

/// What a total promises.
struct Promise {
    slope: f64,
    intercept: f64,
}

/// Points in which the slope of a promise is counted, so that its penalty is as mild as that of a rule.
const POINTS_PER_STEP: f64 = 10.0;

impl Promise {
    fn learn(totals: &[i32], lessons: &[&Lesson]) -> Self {
        let steps = totals.iter().map(|total| f64::from(*total) / POINTS_PER_STEP).collect();
        let (slopes, intercept) = regression(steps, lessons).unwrap_or((vec![0.0], 0.0));
        Self { slope: slopes[0], intercept }
    }

    fn share(&self, total: i32) -> f64 {
        let odds = self.intercept + self.slope * f64::from(total) / POINTS_PER_STEP;
        1.0 / (1.0 + (-odds).exp())
    }
}

/// Returns the area under the ROC curve; `None` when all leads ended alike.
fn auc(totals: &[i32], lessons: &[&Lesson]) -> Option<f64> {
    let truth: Vec<f64> = lessons.iter().map(|one| f64::from(u8::from(one.succeeded))).collect();
    let is_mixed = truth.contains(&0.0) && truth.contains(&1.0);
    let points: Vec<f64> = totals.iter().map(|total| f64::from(*total)).collect();
    is_mixed.then(|| roc_auc_score(&truth, &points))
}

/// Returns mean and standard deviation.
fn spread(values: &[f64]) -> (f64, f64) {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0).max(1.0)).sqrt())
}

/// A lead that was judged by points that others taught.
struct Judged {
    total: i32,
    expected: f64,
    succeeded: bool,
}

/// Cuts the leads into parts of about equal size; equal totals stay together.
fn bins(mut judged: Vec<Judged>) -> Vec<Bin> {
    judged.sort_by_key(|lead| lead.total);
    let size = judged.len().div_ceil(BINS).max(1);
    let mut parts: Vec<Vec<Judged>> = Vec::new();
    for lead in judged {
        match parts.last_mut() {
            Some(part)
                if part.len() < size
                    || part.last().is_some_and(|last| last.total == lead.total) =>
            {
                part.push(lead);
            }
            _ => parts.push(vec![lead]),
        }
    }
    let bin = |part: &Vec<Judged>| {
        let n = part.len() as f64;
        Bin {
            from: part[0].total,
            to: part[part.len() - 1].total,
            leads: part.len(),
            expected: part.iter().map(|lead| lead.expected).sum::<f64>() / n,
            observed: part.iter().filter(|lead| lead.succeeded).count() as f64 / n,
        }
    };
    parts.iter().map(bin).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Write as _;

    use super::*;
    use crate::rules::condition::ConditionContext;
    use crate::rules::decode::{Sink, document};
    use crate::rules::diagnostics::RuleText;
    use crate::rules::field::FieldCatalog;

    /// Returns a policy with one rule of each of `points`, all about intent.
    fn policy(points: &[i32]) -> ScoringPolicy {
        let mut text = String::from(
            "[segment.cold]\naction = \"a\"\n[segment.warm]\nfrom = 40\naction = \"b\"\n\
             [segment.hot]\nfrom = 70\naction = \"c\"\n",
        );
        for (position, points) in points.iter().enumerate() {
            let _ = write!(
                text,
                "[[score]]\nid = \"r{position}\"\ngroup = \"intent\"\npoints = {points}\nbecause = \"x\"\n\
                 when = {{ field = \"budget\", at-least = {} }}\n",
                position + 1
            );
        }
        let sink = Sink::default();
        let file = RuleText { path: "rules/scoring.toml".into(), text: text.into() };
        let (fields, lists) = (FieldCatalog::decode(None), BTreeMap::new());
        let context =
            ConditionContext { fields: &fields, lists: &lists, models: &[], has_matrix: false };
        let mut policy = ScoringPolicy::default();
        document(&file, &sink, |root| policy = ScoringPolicy::decode(Some(root), &context));
        policy
    }

    /// A sequence that looks random and is always the same (splitmix64).
    struct Dice(u64);

    impl Dice {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        }

        fn chance(&mut self, share: f64) -> bool {
            (self.next() >> 11) as f64 / ((1_u64 << 53) as f64) < share
        }
    }

    /// Returns leads whose rules fire with the shares given and whose odds follow `truth`.
    fn lessons(n: usize, shares: &[f64], truth: &[f64], base: f64) -> Vec<Lesson> {
        let mut dice = Dice(7);
        let lesson = |_| {
            let mut odds = base;
            let mut given = Vec::new();
            for (rule, share) in shares.iter().enumerate() {
                if dice.chance(*share) {
                    given.push((rule as u16, 1.0));
                    odds += truth[rule];
                }
            }
            let succeeded = dice.chance(1.0 / (1.0 + (-odds).exp()));
            Lesson { key: dice.next(), given, unlearned: [0; 4], model: 0, succeeded }
        };
        (0..n).map(lesson).collect()
    }

    #[test]
    fn points_follow_the_outcomes() {
        // Today's points have the first two the wrong way round.
        let policy = policy(&[5, 20, 10, -10]);
        let lessons = lessons(4_000, &[0.4, 0.4, 0.3, 0.3], &[2.0, 0.5, 1.0, -1.5], -1.5);
        let found = calibrate(&lessons, &policy).unwrap();
        let points: Vec<i32> = found.rules.iter().map(|rule| rule.proposed).collect();
        assert!(points[0] > points[2] && points[2] > points[1] && points[1] > 0, "{points:?}");
        assert!(points[3] < 0, "{points:?}");
        assert!(found.is_better(), "{found:?}");
        assert!(found.proposed.auc > found.now.auc + 0.03, "{found:?}");
        assert_eq!(found.bins.iter().map(|bin| bin.leads).sum::<usize>(), 4_000);
        for bin in &found.bins {
            assert!((bin.expected - bin.observed).abs() < 0.08, "{bin:?}");
        }
    }

    #[test]
    fn what_the_data_cannot_tell_stays() {
        let policy = policy(&[15, 7, 3]);
        // The second rule fires for hardly anybody, the third has nothing to do with the outcome.
        let lessons = lessons(1_500, &[0.5, 0.005, 0.5], &[1.5, 3.0, 0.0], -0.7);
        let found = calibrate(&lessons, &policy).unwrap();
        assert_eq!((found.rules[1].proposed, found.rules[1].kept), (7, Some(Kept::Rare)));
        let third = &found.rules[2];
        assert!(third.kept == Some(Kept::Unsure) || third.proposed.abs() <= 2, "{third:?}");
    }

    #[test]
    fn points_for_missing_values_count_now_and_stay() {
        let policy = policy(&[20, 10]);
        let lesson = |unlearned| Lesson {
            key: 1,
            given: vec![(0, 1.0)],
            unlearned,
            model: 0,
            succeeded: true,
        };
        assert_eq!(total(&lesson([0; 4]), &[20, 10], &policy), 20);
        assert_eq!(total(&lesson([0, -5, 0, 0]), &[20, 10], &policy), 15);
    }

    #[test]
    fn a_rule_whose_repeats_are_limited_keeps_its_points() {
        let mut policy = policy(&[5, 20]);
        policy.rules[0].count = Count::Each { per_window: None, in_total: 4 };
        let lessons = lessons(2_000, &[0.4, 0.4], &[2.0, 0.5], -1.0);
        let found = calibrate(&lessons, &policy).unwrap();
        assert_eq!((found.rules[0].proposed, found.rules[0].kept), (5, Some(Kept::Limited)));
    }

    #[test]
    fn good_points_are_left_alone() {
        let policy = policy(&[20, 10, -10]);
        let lessons = lessons(3_000, &[0.4, 0.4, 0.3], &[2.0, 1.0, -1.0], -1.0);
        let found = calibrate(&lessons, &policy).unwrap();
        assert!(found.gain.0.abs() < 0.02, "{found:?}");
    }

    #[test]
    fn too_few_outcomes_teach_nothing() {
        let policy = policy(&[20, 10]);
        let mut few = lessons(2_000, &[0.5, 0.5], &[1.0, 1.0], -1.0);
        few.retain(|lesson| !lesson.succeeded);
        few.extend((0..99).map(|key| Lesson {
            key,
            given: Vec::new(),
            unlearned: [0; 4],
            model: 0,
            succeeded: true,
        }));
        let refused = calibrate(&few, &policy).unwrap_err();
        assert_eq!((refused.successes, refused.failures), (99, few.len() - 99));
    }

    #[test]
    fn the_order_of_leads_changes_nothing() {
        let policy = policy(&[5, 20, 10]);
        let forward = lessons(800, &[0.4, 0.4, 0.3], &[2.0, 0.5, 1.0], -1.0);
        let mut backward = forward.clone();
        backward.reverse();
        assert_eq!(calibrate(&forward, &policy), calibrate(&backward, &policy));
    }
}
