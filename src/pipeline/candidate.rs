//! A lead as it is before anybody gets it: its rows read together, what it did, and what it alone decides.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use rayon::prelude::*;

use super::absorb::LeadPlan;
use super::consents::{Denial, DenialTimes, Telling, contact, denials};
use super::elapsed::next_look_ms;
use super::evaluate::Deciding;
use super::touched::TouchBook;
use crate::consent;
use crate::followup::{self, Answering, CONTACT_TOUCHES};
use crate::identity::golden::{Golden, Member, golden};
use crate::identity::keys::identities;
use crate::model::consent::{Channel, ConsentClaim, ConsentRecord, Purpose};
use crate::model::decision::{Assignment, ModelScores, Score};
use crate::model::field::{self, FieldNo, FieldValues};
use crate::model::ids::{LeadNo, RunNo, SubmissionNo};
use crate::model::lead::display_name;
use crate::model::moment::utc_from_ms;
use crate::model::subject::{Facts, Subject};
use crate::model::task::{HandedOut, PlannedTask};
use crate::model::touch::{Identity, Touch};
use crate::routing::{self, Enquiry};
use crate::rules::RuleSet;
use crate::rules::consent::ConsentPolicy;
use crate::scoring;
use crate::store::Store;
use crate::store::codec::decode_values;
use crate::store::leads::{MemberRow, claims};

/// A lead with its submissions decoded.
pub(super) struct Assembled {
    pub(super) golden: Golden,
    pub(super) members: Vec<AssembledMember>,
    consents: Vec<ConsentRecord>,
    identities: Vec<Identity>,
    pub(super) facts: Facts,
    /// What the gate answers beside the facts, as the store keeps it.
    pub(super) answers: Option<String>,
    /// Until when the facts hold, milliseconds since 1970 UTC; a consent may grow too old.
    facts_until_ms: Option<i64>,
    /// Tasks that were handed out by earlier runs.
    handed_out: Vec<HandedOut>,
}

/// A submission decoded.
pub(super) struct AssembledMember {
    pub(super) no: SubmissionNo,
    pub(super) submitted_ms: i64,
    pub(super) modified_ms: i64,
    denied: DenialTimes,
    is_time_known: bool,
    is_enquiry: bool,
    values: FieldValues,
    claims: Vec<ConsentClaim>,
    /// `file:line` that it came from, where it claims anything.
    place: String,
}

impl AssembledMember {
    /// Returns what it says about consent.
    pub(super) fn telling(&self) -> Telling<'_> {
        Telling {
            no: self.no,
            claims: &self.claims,
            values: &self.values,
            place: &self.place,
            submitted_ms: self.submitted_ms,
            denied: self.denied,
            is_dated: self.is_time_known,
        }
    }
}

/// What one lead alone decides.
pub(super) struct Judged {
    pub(super) score: Score,
    pub(super) route: Option<usize>,
    /// When time alone may change anything of it, milliseconds since 1970 UTC.
    pub(super) look_ms: Option<i64>,
}

/// A lead as it is before anybody gets it.
pub(super) struct Candidate {
    pub(super) lead: Assembled,
    touches: Vec<Touch>,
    pub(super) judged: Judged,
}

impl Candidate {
    /// Returns what conditions look at.
    pub(super) fn subject(&self, as_of: DateTime<Utc>) -> Subject<'_> {
        subject(&self.lead, &self.touches, as_of)
    }

    /// Returns what the lead's latest enquiry is, and what the sales side did about it.
    pub(super) fn enquiry(
        &self,
        store: &Store,
        rules: &RuleSet,
        as_of: DateTime<Utc>,
    ) -> Result<Enquiry> {
        enquiry(&self.lead, &self.touches, store, rules, as_of)
    }
}

fn enquiry(
    lead: &Assembled,
    touches: &[Touch],
    store: &Store,
    rules: &RuleSet,
    as_of: DateTime<Utc>,
) -> Result<Enquiry> {
    let (opened_at, _) = latest_cycle(lead, rules, as_of);
    let since_ms = opened_at.timestamp_millis();
    let of_cycle = lead.members.iter().filter(|one| one.submitted_ms >= since_ms);
    let mut heard_ms = i64::MAX;
    for member in of_cycle {
        heard_ms = heard_ms.min(store.received_ms(member.no)?);
    }
    let since = since_ms..=as_of.timestamp_millis();
    let has = |kinds: &[&str]| {
        let mut done = touches.iter().filter(|touch| since.contains(&touch.at_ms));
        done.any(|touch| kinds.contains(&touch.kind.as_str()))
    };
    Ok(Enquiry {
        opened_at,
        heard_at: if heard_ms == i64::MAX { as_of } else { utc_from_ms(heard_ms) },
        is_contacted: has(CONTACT_TOUCHES),
        is_called: has(&["call"]),
    })
}

/// Returns when the latest enquiry of `lead` was sent that it did not only come back about.
fn latest_cycle(lead: &Assembled, rules: &RuleSet, as_of: DateTime<Utc>) -> (DateTime<Utc>, u32) {
    let enquiries = lead.members.iter().filter(|one| one.is_enquiry);
    let times: Vec<_> = enquiries.map(|one| utc_from_ms(one.submitted_ms)).collect();
    followup::latest_cycle(&times, rules.followup.restart_after).unwrap_or((as_of, 1))
}

/// Reads and judges the leads of `plans`; on all threads, for it looks at each lead alone.
pub(super) fn candidates(
    deciding: Deciding<'_>,
    plans: &[LeadPlan],
    has_touches: bool,
) -> Result<Vec<Candidate>> {
    let Deciding { store, rules, run, as_of, fresh, .. } = deciding;
    let rows: Vec<Vec<MemberRow>> = plans
        .iter()
        .map(|plan| plan.members.iter().map(|no| store.member_row(*no)).collect())
        .collect::<Result<_>>()?;
    let handed_out: Vec<Vec<HandedOut>> = if store.has_handed_out(run)? {
        // Of a row that is new something was handed out before only if it came, and went, with a run that was undone.
        let all = store.has_undone_runs()?;
        let handed_out = |rows: &[MemberRow]| {
            let asked = rows.iter().filter(|row| all || !fresh.contains(row.no));
            store.handed_out(asked.map(|row| row.fingerprint), run)
        };
        rows.iter().map(|rows| handed_out(rows)).collect::<Result<_>>()?
    } else {
        vec![Vec::new(); rows.len()]
    };
    let denials: Vec<Vec<Denial>> = if store.has_denials()? {
        rows.iter().map(|rows| denials(store, rows, run)).collect::<Result<_>>()?
    } else {
        vec![Vec::new(); rows.len()]
    };
    let assembled: Vec<Assembled> = rows
        .into_par_iter()
        .zip(denials)
        .zip(handed_out)
        .map(|((rows, denials), handed_out)| {
            let lead = assemble(&rows, &denials, rules, as_of, has_touches)?;
            Ok(Assembled { handed_out, ..lead })
        })
        .collect::<Result<_>>()?;
    let touches = if has_touches {
        touches(TouchBook::new(store, rules, run), plans, &assembled)?
    } else {
        vec![Vec::new(); plans.len()]
    };
    let judged = |(mut lead, touches): (Assembled, Vec<Touch>)| {
        let judged = judge(&mut lead, &touches, rules, as_of);
        Candidate { lead, touches, judged }
    };
    Ok(assembled.into_par_iter().zip(touches).map(judged).collect())
}

/// Returns what the people of `plans` did.
fn touches(
    mut book: TouchBook<'_>,
    plans: &[LeadPlan],
    leads: &[Assembled],
) -> Result<Vec<Vec<Touch>>> {
    let found = plans.iter().zip(leads).map(|(plan, lead)| {
        let joined = book.touches_of(plan.no, &lead.identities)?;
        Ok(joined.into_iter().map(|one| one.touch).collect())
    });
    found.collect()
}

/// Returns the tasks that each lead's latest enquiry sets off, now that it is known who has it.
pub(super) fn planned<'a>(
    deciding: Deciding<'_>,
    candidates: &[Candidate],
    assignments: impl IndexedParallelIterator<Item = &'a Assignment>,
) -> Vec<Vec<PlannedTask>> {
    let Deciding { rules, as_of, .. } = deciding;
    candidates
        .par_iter()
        .zip(assignments)
        .map(|(one, assignment)| {
            plan_tasks(&one.lead, &one.touches, &one.judged, assignment, rules, as_of)
        })
        .collect()
}

/// Returns the score of the lead that `rows` make, as it is at `at` with what was done by then, and as if
/// nobody had said anything in the field `unsaid`.
pub(super) fn score_as_of(
    rows: &[MemberRow],
    touches: &[Touch],
    rules: &RuleSet,
    at: DateTime<Utc>,
    unsaid: FieldNo,
) -> Result<Score> {
    let mut lead = assemble(rows, &[], rules, at, false)?;
    let mut values = FieldValues::default();
    for (field, value) in lead.golden.values.iter().filter(|(field, _)| *field != unsaid) {
        values.set(field, value);
    }
    lead.golden.values = values;
    Ok(scoring::score(&subject(&lead, touches, at), &rules.scoring))
}

fn assemble(
    rows: &[MemberRow],
    denials: &[Denial],
    rules: &RuleSet,
    as_of: DateTime<Utc>,
    has_touches: bool,
) -> Result<Assembled> {
    let mut members = Vec::with_capacity(rows.len());
    let mut consents = Vec::new();
    let mut own = BTreeSet::new();
    for row in rows {
        let values = decode_values(&row.fields, &rules.fields)?;
        let claims = claims(row.consents.as_deref())?;
        Telling::of_row(row, &claims, &values).add_to(&mut consents, as_of.timestamp_millis());
        if has_touches {
            own.extend(identities(&values, row.fingerprint));
        }
        members.push(AssembledMember {
            no: row.no,
            submitted_ms: row.submitted_ms,
            modified_ms: row.changed_ms(),
            denied: DenialTimes::of_row(row),
            is_time_known: row.is_time_known,
            is_enquiry: row.is_enquiry,
            place: if claims.is_empty() { String::new() } else { row.evidence.clone() },
            values,
            claims,
        });
    }
    for denial in denials {
        denial.add_to(&mut consents, rules, as_of.timestamp_millis())?;
    }
    let views: Vec<Member<'_>> = members
        .iter()
        .zip(rows)
        .map(|(member, row)| Member {
            values: &member.values,
            submitted_ms: member.submitted_ms,
            modified_ms: member.modified_ms,
            fingerprint: row.fingerprint,
            source: &row.source,
        })
        .collect();
    let golden = golden(&views, &rules.fields, &rules.survivorship);
    // Whoever is known only from lists counts from when they came to be known.
    let n_enquiries = rows.iter().filter(|row| row.is_enquiry).count();
    let counted = || rows.iter().filter(|row| row.is_enquiry || n_enquiries == 0);
    let sources: BTreeSet<&str> = counted().map(|row| row.source.as_str()).collect();
    let times = || counted().map(|row| row.submitted_ms);
    let may = |channel| {
        let contact = contact(Purpose::MARKETING, channel, &golden.values);
        consent::allowed(&rules.consent, &consents, contact, as_of.timestamp_millis()).allowed
    };
    let facts = Facts {
        n_submissions: n_enquiries as u32,
        n_sources: sources.len() as u32,
        first_submitted_at: utc_from_ms(times().min().context("a lead without submissions")?),
        last_submitted_at: utc_from_ms(times().max().context("a lead without submissions")?),
        marketing_email_allowed: golden.values.get(field::EMAIL).is_some() && may(Channel::Email),
        marketing_phone_allowed: golden.values.get(field::PHONE).is_some() && may(Channel::Phone),
        score: None,
        segment: None,
        grade: None,
        models: ModelScores::default(),
    };
    let spoken_of = SpokenOf {
        pairs: consents.iter().map(|record| (&*record.purpose.0, record.channel)).collect(),
        consents: &consents,
        values: &golden.values,
        policy: &rules.consent,
        as_of_ms: as_of.timestamp_millis(),
    };
    Ok(Assembled {
        identities: own.into_iter().collect(),
        answers: spoken_of.answers(),
        facts_until_ms: spoken_of.facts_until_ms(&members),
        handed_out: Vec::new(),
        facts,
        golden,
        members,
        consents,
    })
}

/// The purposes and channels that a lead said anything about.
struct SpokenOf<'a> {
    pairs: BTreeSet<(&'a str, Channel)>,
    consents: &'a [ConsentRecord],
    values: &'a FieldValues,
    policy: &'a ConsentPolicy,
    as_of_ms: i64,
}

impl SpokenOf<'_> {
    /// Returns what the gate answers about each beside marketing by e-mail and phone, which are facts; `None` when
    /// there is no other.
    fn answers(&self) -> Option<String> {
        let mut answers = String::new();
        for (purpose, channel) in &self.pairs {
            if *purpose == Purpose::MARKETING && matches!(channel, Channel::Email | Channel::Phone)
            {
                continue;
            }
            let contact = contact(purpose, *channel, self.values);
            let verdict = consent::allowed(self.policy, self.consents, contact, self.as_of_ms);
            let separator = if answers.is_empty() { "" } else { " " };
            let sign = if verdict.allowed { '+' } else { '-' };
            answers.extend([separator, purpose, "/", channel.word()]);
            answers.push(sign);
        }
        Some(answers).filter(|answers| !answers.is_empty())
    }

    /// Returns when a consent that counts grows too old, or an answer that lies ahead takes its own place among others.
    fn facts_until_ms(&self, members: &[AssembledMember]) -> Option<i64> {
        let as_of_ms = self.as_of_ms;
        let lapses = self.pairs.iter().filter_map(|(purpose, channel)| {
            let contact = contact(purpose, *channel, self.values);
            consent::lapses_at_ms(self.policy, self.consents, contact, as_of_ms)
        });
        let said = members.iter().filter(|member| !member.claims.is_empty());
        let ahead = said.flat_map(|member| [member.submitted_ms, member.modified_ms]);
        lapses.chain(ahead.filter(|at_ms| *at_ms > as_of_ms)).min()
    }
}

fn subject<'a>(lead: &'a Assembled, touches: &'a [Touch], as_of: DateTime<Utc>) -> Subject<'a> {
    Subject { values: &lead.golden.values, facts: &lead.facts, touches, as_of }
}

/// A lead as somebody sees it who decides nothing.
pub(super) struct Seen {
    lead: Assembled,
    touches: Vec<Touch>,
    as_of: DateTime<Utc>,
}

impl Seen {
    /// Looks at `no`, made of `members`, with what runs up to `run` received, under `rules` at `as_of`.
    pub(super) fn by_run(
        store: &Store,
        rules: &RuleSet,
        (run, as_of): (RunNo, DateTime<Utc>),
        no: LeadNo,
        members: &[MemberRow],
    ) -> Result<Self> {
        let has_touches = store.has_touches()?;
        let denials = denials(store, members, run)?;
        let mut lead = assemble(members, &denials, rules, as_of, has_touches)?;
        let touches = if has_touches {
            let joined = TouchBook::new(store, rules, run).touches_of(no, &lead.identities)?;
            joined.into_iter().map(|one| one.touch).collect()
        } else {
            Vec::new()
        };
        judge(&mut lead, &touches, rules, as_of);
        Ok(Self { lead, touches, as_of })
    }

    /// Returns the lead as rules see it, with its score.
    pub(super) fn subject(&self) -> Subject<'_> {
        subject(&self.lead, &self.touches, self.as_of)
    }

    /// Returns its latest enquiry.
    pub(super) fn enquiry(&self, store: &Store, rules: &RuleSet) -> Result<Enquiry> {
        enquiry(&self.lead, &self.touches, store, rules, self.as_of)
    }
}

fn judge(lead: &mut Assembled, touches: &[Touch], rules: &RuleSet, as_of: DateTime<Utc>) -> Judged {
    let score = scoring::score(&subject(lead, touches, as_of), &rules.scoring);
    lead.facts.know(&score);
    let subject = subject(lead, touches, as_of);
    let route = routing::choose(&subject, &rules.routing);
    let of_rules = next_look_ms(&subject, score.segment, route, rules);
    let look_ms = of_rules.into_iter().chain(lead.facts_until_ms).min();
    Judged { score, route, look_ms }
}

fn plan_tasks(
    lead: &Assembled,
    touches: &[Touch],
    judged: &Judged,
    assignment: &Assignment,
    rules: &RuleSet,
    as_of: DateTime<Utc>,
) -> Vec<PlannedTask> {
    let owner = assignment.owner.as_deref().and_then(|owner| rules.routing.owner(owner));
    let allowed = |purpose: &str, channel: Channel| {
        let contact = contact(purpose, channel, &lead.golden.values);
        consent::allowed(&rules.consent, &lead.consents, contact, as_of.timestamp_millis())
    };
    let (at, cycle) = latest_cycle(lead, rules, as_of);
    let is_known = lead.members.iter().any(|one| {
        one.is_enquiry && one.is_time_known && one.submitted_ms == at.timestamp_millis()
    });
    followup::plan(
        followup::Enquiry { at, is_known, cycle, handed_out: &lead.handed_out },
        &subject(lead, touches, as_of),
        &display_name(&lead.golden.values),
        judged.score.segment,
        Answering {
            policy: &rules.followup,
            owner_hours: owner.map(|owner| &owner.hours),
            allowed: &allowed,
        },
    )
}
