//! What the ledger proves about a lead: its records, where it stands, and who was contacted without a consent.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};

use super::consents::{addresses, contact, deniers};
use crate::consent::{Contact, Standing, Verdict, allowed, standing};
use crate::model::consent::{Channel, ConsentRecord, ConsentState, Grade, Purpose};
use crate::model::ids::{LeadNo, RunNo, SubmissionNo};
use crate::model::lead::Lead;
use crate::rules::RuleSet;
use crate::store::Store;
use crate::store::codec::decode_values;
use crate::store::leads::MemberRow;
use crate::store::ledger::Teller;
use crate::store::ledger::reading::{Evidence, Kept};
use crate::store::runs::RunRecord;

/// What the ledger has about a lead.
#[derive(Debug)]
pub struct Extract {
    /// The lead.
    pub lead: Lead,
    /// Records about it, in order of the ledger; those of others who share a mailbox or number with it included, where
    /// they take a consent back.
    pub records: Vec<Kept>,
    /// Every address and number that its rows gave, in order.
    addresses: BTreeSet<String>,
}

/// Where a lead stands with one contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// What for.
    pub purpose: String,
    /// Through which channel.
    pub channel: Channel,
    /// The address or number; `None` where the channel has none.
    pub address: Option<String>,
    /// What was said last.
    pub standing: Standing,
    /// Whether the gate lets it, and why.
    pub verdict: Verdict,
}

/// Returns what the ledger has about the lead `no`.
pub fn extract(store: &Store, rules: &RuleSet, no: LeadNo) -> Result<Extract> {
    let rows: Vec<MemberRow> = store
        .members(no)?
        .into_iter()
        .map(|member| store.member_row(member.no))
        .collect::<Result<_>>()?;
    let mut found = BTreeSet::new();
    let own: BTreeSet<SubmissionNo> = rows.iter().map(|row| row.no).collect();
    for teller in deniers(store, &rows, RunNo(i64::MAX))? {
        found.insert(teller);
    }
    found.extend(own.iter().map(|no| Teller::Submission(*no)));
    let mut records = Vec::new();
    for teller in found {
        let told = store.consents_told_by(teller)?;
        let is_own = match teller {
            Teller::Submission(no) => own.contains(&no),
            Teller::Touch(_) => true,
        };
        records.extend(told.into_iter().filter(|one| is_own || is_for_all_at(one)));
    }
    records.sort_by_key(|record| record.seq);
    let mut all = BTreeSet::new();
    for row in &rows {
        let values = decode_values(&row.fields, &rules.fields)?;
        for channel in [Channel::Email, Channel::Phone] {
            let given = addresses(channel, &values);
            all.extend(given.into_iter().flatten().map(str::to_owned));
        }
    }
    Ok(Extract { lead: super::story::lead(store, rules, no)?, records, addresses: all })
}

/// Returns whether what somebody else said counts for everybody at the mailbox or number.
fn is_for_all_at(record: &Kept) -> bool {
    let has_address = record.evidence.as_ref().is_some_and(|one| one.address.is_some());
    has_address && matches!(record.state, ConsentState::Withdrawn | ConsentState::Objected)
}

impl Extract {
    /// Returns the record at `seq`.
    pub fn record(&self, seq: i64) -> Option<&Kept> {
        self.records.iter().find(|record| record.seq == seq)
    }

    /// Returns the address through which the lead is reached, unless another one is asked about.
    pub fn contact<'a>(
        &'a self,
        purpose: &'a str,
        channel: Channel,
        address: Option<&'a str>,
    ) -> Contact<'a> {
        let usual = contact(purpose, channel, &self.lead.values);
        Contact { address: address.or(usual.address), ..usual }
    }

    /// Returns where the lead stands with `contact` at `as_of_ms`.
    pub fn stand(&self, rules: &RuleSet, contact: Contact<'_>, as_of_ms: i64) -> Stand {
        self.stand_known_to(RunNo(i64::MAX), rules, contact, as_of_ms)
    }

    /// Returns the same by the records that there were at the end of `run`.
    fn stand_known_to(
        &self,
        run: RunNo,
        rules: &RuleSet,
        contact: Contact<'_>,
        as_of_ms: i64,
    ) -> Stand {
        let records: Vec<ConsentRecord> = self
            .records
            .iter()
            .filter(|record| record.run_no <= run)
            .filter(|record| record.ended.as_ref().is_none_or(|(_, by)| *by > run))
            .map(as_record)
            .collect();
        let gate = rules.consent.gate(contact.purpose, contact.channel);
        let proof = gate.map_or(Grade::D, |gate| gate.proof);
        Stand {
            purpose: contact.purpose.to_owned(),
            channel: contact.channel,
            address: contact.address.map(str::to_owned),
            standing: standing(&records, contact, proof, as_of_ms),
            verdict: allowed(&rules.consent, &records, contact, as_of_ms),
        }
    }

    /// Returns the lead's addresses or numbers for `channel`.
    fn addresses_for(&self, channel: Channel) -> Vec<&str> {
        let is_mail = channel == Channel::Email;
        let all = self.addresses.iter().filter(|_| channel != Channel::Post);
        all.filter(|address| address.contains('@') == is_mail).map(String::as_str).collect()
    }

    /// Returns where the lead stands with everything that it was ever asked about, for each of its addresses.
    pub fn stands(&self, rules: &RuleSet, as_of_ms: i64) -> Vec<Stand> {
        let asked: BTreeSet<(&str, Channel)> =
            self.records.iter().map(|one| (&*one.purpose.0, one.channel)).collect();
        let mut stands = Vec::new();
        for (purpose, channel) in asked {
            let mut places: Vec<Option<&str>> =
                self.addresses_for(channel).into_iter().map(Some).collect();
            if places.is_empty() {
                places.push(None);
            }
            stands.extend(
                places.into_iter().map(|address| {
                    self.stand(rules, Contact { purpose, channel, address }, as_of_ms)
                }),
            );
        }
        stands
    }
}

fn as_record(kept: &Kept) -> ConsentRecord {
    let evidence = kept.evidence.clone().unwrap_or_default();
    ConsentRecord {
        seq: kept.seq,
        purpose: kept.purpose.clone(),
        channel: kept.channel,
        state: kept.state,
        grade: kept.grade,
        address: evidence.address,
        event_at_ms: kept.event_ms,
        is_dated: kept.is_dated,
        wording: String::new(),
        mechanism: kept.mechanism.clone(),
        evidence: evidence.place,
        ip: evidence.ip,
        user_agent: evidence.user_agent,
    }
}

/// A yes that the gate does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Id of the lead.
    pub lead: String,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub stand: Stand,
    /// How well the yes can be proven.
    pub grade: Grade,
    /// When it was said, milliseconds since 1970 UTC.
    pub event_ms: i64,
    /// What was shown, as far as it is known.
    pub wording: String,
    /// `file:line` of the row.
    pub place: String,
}

/// Hands every lead's consents that are proven by one of `grades` to `visit`, in order of lead.
pub fn each_gap(
    store: &Store,
    rules: &RuleSet,
    grades: &[Grade],
    as_of_ms: i64,
    mut visit: impl FnMut(Gap) -> Result<()>,
) -> Result<()> {
    for no in store.lead_numbers()? {
        let extract = extract(store, rules, no)?;
        for stand in extract.stands(rules, as_of_ms) {
            let Standing::Given(seq, grade) = stand.standing else { continue };
            if stand.purpose == Purpose::ENQUIRY_REPLY || !grades.contains(&grade) {
                continue;
            }
            let record = extract.record(seq).context("a consent without a record")?;
            visit(Gap {
                lead: extract.lead.id.to_string(),
                name: extract.lead.display_name(),
                stand,
                grade,
                event_ms: record.event_ms,
                wording: record.wording.as_ref().map_or_else(String::new, |(text, _)| text.clone()),
                place: place_of(record.evidence.as_ref()),
            })?;
        }
    }
    Ok(())
}

/// Returns where the row of a record stands, as far as it was not erased.
pub fn place_of(evidence: Option<&Evidence>) -> String {
    evidence.map_or_else(|| "erased".to_owned(), |evidence| evidence.place.clone())
}

/// A contact that the ledger did not allow when it was handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unallowed {
    /// Id of the lead.
    pub lead: String,
    /// What was to be done: `hot/second-touch`.
    pub task: String,
    /// The run that handed it out.
    pub run: String,
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Where the lead stood, as far as was known by then.
    pub stand: Stand,
}

/// Returns the contacts that were handed out though the ledger, as it was then, did not allow them by the rules in
/// force then; there should be none.
pub fn contacts_without_consent(store: &Store, rules: &RuleSet) -> Result<Vec<Unallowed>> {
    let mut reached = Vec::new();
    store.each_reached(|one| {
        reached.push(one);
        Ok(())
    })?;
    let runs: BTreeMap<RunNo, RunRecord> =
        store.all_runs()?.into_iter().map(|run| (run.no, run)).collect();
    let mut known_rules: BTreeMap<String, RuleSet> = BTreeMap::new();
    let mut found = Vec::new();
    for one in reached {
        let (Some(run), Some(lead)) = (runs.get(&one.run_no), store.lead_of(one.submission)?)
        else {
            continue;
        };
        if !known_rules.contains_key(&run.rules_hash) && store.has_rules(&run.rules_hash)? {
            known_rules.insert(run.rules_hash.clone(), super::replay::rules_of(store, run)?);
        }
        let rules = known_rules.get(&run.rules_hash).unwrap_or(rules);
        let plan = rules.followup.plans.iter().find(|plan| plan.id == one.plan);
        let step = plan.and_then(|plan| plan.steps.iter().find(|step| step.id == one.step));
        // What nobody was allowed to send became a task for somebody, who decides.
        let Some((step, channel)) =
            step.filter(|_| !one.is_by_hand).and_then(|step| Some((step, step.consent_channel()?)))
        else {
            continue;
        };
        let extract = extract(store, rules, lead)?;
        // The lead may be reached elsewhere by now.
        let usual = extract.contact(&step.purpose.0, channel, None);
        let ask = |contact| extract.stand_known_to(one.run_no, rules, contact, one.at_ms);
        let stand = ask(usual);
        let was_let = stand.verdict.allowed
            || extract
                .addresses_for(channel)
                .iter()
                .any(|address| ask(Contact { address: Some(address), ..usual }).verdict.allowed);
        if !was_let {
            found.push(Unallowed {
                lead: extract.lead.id.to_string(),
                task: format!("{}/{}", one.plan, one.step),
                run: run.id.clone(),
                at_ms: one.at_ms,
                stand,
            });
        }
    }
    Ok(found)
}
