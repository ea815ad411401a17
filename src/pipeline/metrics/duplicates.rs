//! Duplicate rate, gathered.

use anyhow::Result;
use chrono::TimeDelta;

use super::{Activities, ActivityKind, Count, Groups, Scope, counts_from_ms, go_through};
use crate::model::ids::LeadNo;
use crate::model::metric::By;
use crate::model::moment::utc_from_ms;
use crate::report::metrics::duplicates::{Again, DuplicateFigures, DuplicateGroup, DuplicateRow};
use crate::rules::RuleSet;
use crate::rules::field::fold_header;
use crate::store::Store;
use crate::store::metrics::{Key, Resubmissions, SubmissionGlance};

/// By what rows are compared.
const COMPARED: [Key; 4] =
    [Key::By(By::Source), Key::By(By::Campaign), Key::By(By::Form), Key::CrmStatus];
/// What else a list of duplicates tells of each.
const LISTED: [Key; 6] =
    [COMPARED[0], COMPARED[1], COMPARED[2], COMPARED[3], Key::LeadId, Key::Place];

/// Returns how many of the rows of `scope` were duplicates; each counts by its own time.
///
/// A row is compared with all that its lead sent before, whenever that was, in order of time. `repeat_within` is how
/// far apart two rows of one form may be to be a repeat.
pub fn duplicate_figures(
    store: &Store,
    rules: &RuleSet,
    scope: &Scope,
    activities: &Activities,
    repeat_within: TimeDelta,
) -> Result<DuplicateFigures> {
    let mut count = DuplicateCount::new(store, rules, scope, repeat_within)?;
    go_through(store, scope, &mut [&mut count.rows(activities)])?;
    Ok(count.close())
}

/// Duplicates, while they are counted: see [`duplicate_figures`].
pub struct DuplicateCount<'a> {
    rules: &'a RuleSet,
    scope: &'a Scope,
    repeat_within: TimeDelta,
    keys: [Key; 5],
    again: Resubmissions,
    groups: Groups<DuplicateGroup>,
    total: DuplicateGroup,
}

impl<'a> DuplicateCount<'a> {
    /// Begins with none.
    pub fn new(
        store: &Store,
        rules: &'a RuleSet,
        scope: &'a Scope,
        repeat_within: TimeDelta,
    ) -> Result<Self> {
        let by = scope.by.unwrap_or(By::Source);
        let [source, campaign, form, status] = COMPARED;
        Ok(Self {
            rules,
            scope,
            repeat_within,
            keys: [source, campaign, form, status, Key::By(by)],
            again: store.resubmissions()?,
            groups: Groups::new(Some(by), rules.workspace.zone),
            total: DuplicateGroup::default(),
        })
    }

    /// Returns what counts the rows.
    pub fn rows<'s>(&'s mut self, activities: &'s Activities) -> impl Count + 's {
        let Self { rules, scope, repeat_within, keys, again, groups, total } = self;
        Rows::new(rules, scope, activities, *repeat_within, keys, move |row, judged| {
            let times = again.count(row.no);
            for group in [groups.of(row.key(COMPARED.len())?, row.at_ms), &mut *total] {
                group.add(judged.kind, 1);
                group.add(Some(Again::Resubmit), times);
            }
            Ok(())
        })
    }

    /// Returns what was counted.
    pub fn close(self) -> DuplicateFigures {
        let groups = self.groups.ranked(|group| group.rows).into_iter();
        let groups = groups.map(|(name, group)| DuplicateGroup { name, ..group }).collect();
        DuplicateFigures { groups, total: self.total }
    }
}

/// Hands each duplicate of `scope` to `visit`, lead by lead in order of time.
pub fn each_duplicate(
    store: &Store,
    rules: &RuleSet,
    scope: &Scope,
    activities: &Activities,
    repeat_within: TimeDelta,
    mut visit: impl FnMut(&DuplicateRow) -> Result<()>,
) -> Result<()> {
    let zone = rules.workspace.zone;
    let again = store.resubmissions()?;
    let listed = |row: &SubmissionGlance<'_>, judged: Judged| {
        let sent_at = utc_from_ms(row.at_ms).with_timezone(&zone);
        let entry = |kind, place: String, earlier| -> Result<DuplicateRow> {
            Ok(DuplicateRow {
                lead: row.key(4)?.to_owned(),
                kind,
                row: place,
                sent_at: sent_at.format("%Y-%m-%d %H:%M:%S").to_string(),
                of: [row.key(0)?.to_owned(), row.key(1)?.to_owned(), row.key(2)?.to_owned()],
                earlier,
            })
        };
        if let Some(kind) = judged.kind {
            visit(&entry(kind, row.key(5)?.to_owned(), judged.earlier.unwrap_or_default())?)?;
        }
        for place in again.places(row.no) {
            visit(&entry(Again::Resubmit, place, row.key(5)?.to_owned())?)?;
        }
        Ok(())
    };
    let mut rows = Rows::new(rules, scope, activities, repeat_within, &LISTED, listed);
    go_through(store, scope, &mut [&mut rows])
}

/// What a row is.
struct Judged {
    kind: Option<Again>,
    /// Where the row stands that it repeats, or the one before it.
    earlier: Option<String>,
}

/// A row that its lead sent before.
struct Sent {
    at_ms: i64,
    source: String,
    campaign: String,
    form: String,
    place: String,
}

/// The rows of one lead so far.
struct Earlier {
    lead: LeadNo,
    rows: Vec<Sent>,
    /// Whether a CRM said by then that it is a customer.
    is_customer: bool,
}

/// Judges the rows of one lead after the other; `visit` gets those of the scope.
struct Rows<'a, V> {
    rules: &'a RuleSet,
    scope: &'a Scope,
    activities: &'a Activities,
    repeat_within_ms: i64,
    /// [`COMPARED`] and what else is told of a row.
    keys: &'a [Key],
    earlier: Earlier,
    visit: V,
}

impl<'a, V: FnMut(&SubmissionGlance<'_>, Judged) -> Result<()>> Rows<'a, V> {
    fn new(
        rules: &'a RuleSet,
        scope: &'a Scope,
        activities: &'a Activities,
        repeat_within: TimeDelta,
        keys: &'a [Key],
        visit: V,
    ) -> Self {
        let repeat_within_ms = repeat_within.num_milliseconds();
        let earlier = Earlier { lead: LeadNo(i64::MIN), rows: Vec::new(), is_customer: false };
        Self { rules, scope, activities, repeat_within_ms, keys, earlier, visit }
    }
}

impl<V: FnMut(&SubmissionGlance<'_>, Judged) -> Result<()>> Count for Rows<'_, V> {
    fn keys(&self) -> &[Key] {
        self.keys
    }

    fn take(&mut self, row: SubmissionGlance<'_>) -> Result<()> {
        let Self { rules, scope, activities, earlier, .. } = self;
        if earlier.lead != row.lead {
            earlier.lead = row.lead;
            earlier.rows.clear();
            earlier.is_customer = false;
        }
        let status = row.key(3)?;
        let is_customer = !status.is_empty()
            && rules.tables.touch_kind(&fold_header(status)) == Some(ActivityKind::Won.word());
        if !row.is_enquiry {
            // Who is on a list has sent nothing, but may be known as a customer.
            earlier.is_customer |= is_customer;
            return Ok(());
        }
        let place = self.keys.iter().position(|key| *key == Key::Place);
        let sent = Sent {
            at_ms: row.at_ms,
            source: row.key(0)?.to_owned(),
            campaign: row.key(1)?.to_owned(),
            form: row.key(2)?.to_owned(),
            place: place.map_or(Ok(""), |at| row.key(at))?.to_owned(),
        };
        if scope.holds(row.at_ms) && scope.has_come(counts_from_ms(&row)) {
            let won = activities
                .of(row.lead)
                .iter()
                .any(|one| one.kind == ActivityKind::Won && one.at_ms < row.at_ms);
            (self.visit)(&row, earlier.judge(&sent, won, self.repeat_within_ms))?;
        }
        earlier.is_customer |= is_customer;
        earlier.rows.push(sent);
        Ok(())
    }
}

impl Earlier {
    fn judge(&self, sent: &Sent, was_won: bool, within_ms: i64) -> Judged {
        let last = self.rows.last();
        let same_form = self.rows.iter().rev().find(|one| {
            one.source == sent.source
                && one.campaign == sent.campaign
                && one.form == sent.form
                && sent.at_ms - one.at_ms <= within_ms
        });
        let same_campaign = self
            .rows
            .iter()
            .rev()
            .find(|one| one.source == sent.source && one.campaign == sent.campaign);
        let (kind, earlier) = if was_won || self.is_customer {
            (Some(Again::ExistingCustomer), last)
        } else if last.is_none() {
            (None, None)
        } else if same_form.is_some() {
            (Some(Again::Repeat), same_form)
        } else if same_campaign.is_none() {
            (Some(Again::CrossCampaign), last)
        } else {
            (Some(Again::Returning), same_campaign)
        };
        Judged { kind, earlier: earlier.map(|one| one.place.clone()) }
    }
}
