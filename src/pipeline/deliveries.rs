//! Leads, tasks and conversions → the files of targets, and the store's memory of what each target has.
//!
//! A target is offered what changed since its file was written last, and everything once what its rows follow from is
//! another (its own file, the owners). A row that the target has as it is does not stand in the file again; one that it
//! would refuse becomes a dead letter. All of it is part of the publishing transaction, so a run that is killed before
//! its folder is out does all of it once more, and the same.

use std::collections::BTreeSet;
use std::io::Write as _;

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use super::consents::{consents_of, contact};
use super::messages::Messages;
use super::outbox::enqueue::Laying;
use super::publish::{read_as, rule_no};
use super::touched::{TouchBook, identities_of};
use crate::consent;
use crate::delivery::crm::{
    Converted, CrmRow, CrmWriter, Keys, Lookups, RowFate, asks_about, asks_for_record_ids,
    concerns, row,
};
use crate::delivery::form::Refusal;
use crate::delivery::publication::{StagedFile, Staging};
use crate::delivery::published::part_name;
use crate::model::consent::{Channel, Purpose};
use crate::model::ids::{LeadNo, RunNo, hex};
use crate::model::lead::Lead;
use crate::model::touch::DealAmount;
use crate::report::dropoff::TargetFigures;
use crate::rules::RuleSet;
use crate::rules::target::{Conversion, ConversionEvent, RowsOf, Target};
use crate::store::Store;
use crate::store::deliveries::{Refused, TargetNo, WithdrawnItem};
use crate::store::listing::{LeadFilter, TaskFilter};
use crate::store::runs::RunRecord;

/// What was given is written down in batches of this many, some 80 bytes each. A batch takes most pages of what was
/// given before.
const GIVEN_AT_ONCE: usize = 786_432;
/// Leads between two of which what was read of touches is forgotten.
const LEADS_PER_TOUCH_BOOK: usize = 1_024;

/// Writes the files of all targets that are on.
#[derive(Clone, Copy)]
pub(super) struct Deliveries<'a> {
    pub(super) rules: &'a RuleSet,
    pub(super) store: &'a Store,
    pub(super) record: &'a RunRecord,
    /// Whether files hold every lead instead of the new and changed ones.
    pub(super) full: bool,
}

impl Deliveries<'_> {
    /// Writes every target's file in one pass over the leads; returns what each took.
    pub(super) fn write(&self, staging: &mut Staging) -> Result<Vec<TargetFigures>> {
        let files = self.rules.targets.on().map(|one| OpenTarget::open(*self, one, staging));
        let mut open = files.collect::<Result<Vec<_>>>()?;
        for (endpoint, http, target) in self.rules.endpoints_of_rows() {
            let laying = Laying::new(self.store, endpoint, http, target, self.record)?;
            open.push(OpenTarget::of_endpoint(*self, target, laying)?);
        }
        let mut out = Out { staging, given: Given::new(self.store, self.record.no) };
        with_lookups(self.rules, |lookups| {
            self.leads_to(&mut open, lookups, &mut out)?;
            self.tasks_to(&mut open, lookups, &mut out)?;
            for target in &mut open {
                match target.target.rows_of {
                    RowsOf::Leads => target.withdraw()?,
                    RowsOf::Tasks => {}
                    RowsOf::Conversions => self.conversions_to(target, lookups, &mut out)?,
                }
            }
            out.given.write()
        })?;
        let as_of_ms = self.record.as_of_ms;
        self.store.resolve_dead_letters_of_gone(as_of_ms, "the lead is in no list any more")?;
        open.into_iter().map(|target| target.close(staging)).collect()
    }

    fn leads_to(
        &self,
        open: &mut [OpenTarget<'_>],
        lookups: &Lookups<'_>,
        out: &mut Out<'_>,
    ) -> Result<()> {
        let of_leads = || open.iter().filter(|one| one.target.rows_of == RowsOf::Leads);
        let Some(earliest) = of_leads().map(|target| target.changed_after).min() else {
            return Ok(());
        };
        let filter = LeadFilter { changed_after: Some(earliest), ..LeadFilter::default() };
        let rule_no = |id: &str| rule_no(self.rules, id);
        let read = read_as(self.rules, &rule_no, self.record.no);
        self.store.each_lead(&filter, read, |lead, changed| {
            let wanted = |one: &&mut OpenTarget<'_>| {
                one.target.rows_of == RowsOf::Leads && changed.0 > one.changed_after
            };
            for target in open.iter_mut().filter(wanted) {
                target.offer(&lead, &lead.id.to_string(), lookups, out)?;
            }
            Ok(())
        })
    }

    /// A CRM cannot tell a task that it has from one that it gets again, so each is offered once.
    fn tasks_to(
        &self,
        open: &mut [OpenTarget<'_>],
        lookups: &Lookups<'_>,
        out: &mut Out<'_>,
    ) -> Result<()> {
        let mut open: Vec<_> =
            open.iter_mut().filter(|one| one.target.rows_of == RowsOf::Tasks).collect();
        let opened_after =
            |target: &OpenTarget<'_>| if target.is_whole() { 0 } else { target.published };
        let Some(earliest) = open.iter().map(|target| opened_after(target)).min() else {
            return Ok(());
        };
        let messages = Messages::new(self.store, self.rules);
        let filter =
            TaskFilter { opened_after: Some(earliest), by_lead: true, ..TaskFilter::default() };
        let mut at_hand: Option<Lead> = None;
        self.store.each_task(&filter, self.record.as_of_ms, |task| {
            let lead = match at_hand.take() {
                Some(lead) if lead.no == task.lead_no => lead,
                _ => messages.lead(&task)?,
            };
            let lead = at_hand.insert(lead);
            let text = messages.text_for(&task, &lead.values)?.unwrap_or_default();
            let lookups = Lookups { task: Some((&task, &text)), ..*lookups };
            for target in open.iter_mut().filter(|one| task.opened_run > Some(opened_after(one))) {
                target.offer(lead, &task.id(), &lookups, out)?;
            }
            Ok(())
        })
    }

    /// Offers what happened to leads and was never told. A network counts what it is told twice as two.
    fn conversions_to(
        &self,
        target: &mut OpenTarget<'_>,
        lookups: &Lookups<'_>,
        out: &mut Out<'_>,
    ) -> Result<()> {
        let rule_no = |id: &str| rule_no(self.rules, id);
        let read = read_as(self.rules, &rule_no, self.record.no);
        let leads = self.converted(target)?;
        for chunk in leads.chunks(LEADS_PER_TOUCH_BOOK) {
            let mut book = TouchBook::new(self.store, self.rules, self.record.no);
            for no in chunk {
                let lead = self.store.lead(*no, read)?;
                let ids = self.store.ids_of(*no)?;
                for conversion in &target.target.conversions {
                    let item = |id: &str| format!("{id}/{}", conversion.id);
                    if self.was_told(target.no, ids.iter().map(|id| item(id)))? {
                        continue;
                    }
                    let Some((at_ms, amount)) = self.happened(conversion, &lead, &mut book)? else {
                        continue;
                    };
                    let age_ms = self.record.as_of_ms - at_ms;
                    let most_ms = target.target.max_age.map(|age| age.num_milliseconds());
                    if age_ms < 0 || most_ms.is_some_and(|most| age_ms > most) {
                        target.figures.left_out += 1;
                        continue;
                    }
                    let converted = Converted { conversion, at_ms, amount: amount.as_ref() };
                    let lookups = Lookups { conversion: Some(converted), ..*lookups };
                    target.offer(&lead, &item(&lead.id.to_string()), &lookups, out)?;
                }
            }
        }
        Ok(())
    }

    fn was_told(&self, target: TargetNo, items: impl Iterator<Item = String>) -> Result<bool> {
        for item in items {
            if self.store.was_delivered(target, &item)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the leads of which something may have to be told, in order: those that changed, and those of touches
    /// that came in, or lay ahead until now.
    fn converted(&self, target: &OpenTarget<'_>) -> Result<Vec<LeadNo>> {
        let after = target.changed_after;
        let mut leads: BTreeSet<LeadNo> =
            self.store.leads_changed_after(after)?.into_iter().collect();
        let mut book = TouchBook::new(self.store, self.rules, self.record.no);
        for conversion in &target.target.conversions {
            let ConversionEvent::Touch(kind) = conversion.event else { continue };
            let received = self.store.touches_received_after(after, kind)?;
            let come_true = self.store.touches_come_true(after, self.record.as_of_ms, kind)?;
            for touch in received.into_iter().chain(come_true) {
                leads.extend(book.leads_of(&touch)?.iter().flat_map(|(_, leads)| leads.iter()));
            }
        }
        Ok(leads.into_iter().collect())
    }

    /// Returns when it happened to `lead` the first time, if it did, milliseconds since 1970 UTC, and what it came to.
    fn happened(
        &self,
        conversion: &Conversion,
        lead: &Lead,
        book: &mut TouchBook<'_>,
    ) -> Result<Option<(i64, Option<DealAmount>)>> {
        match conversion.event {
            ConversionEvent::Enquiry => Ok(Some((lead.first_submitted_ms, None))),
            ConversionEvent::Reached(segment) => {
                let reached = self.store.reached_segment_ms(lead.no, segment.word())?;
                Ok(reached.map(|at_ms| (at_ms, None)))
            }
            ConversionEvent::Touch(kind) => {
                let mut own = BTreeSet::new();
                for member in self.store.members(lead.no)? {
                    own.extend(identities_of(self.store, self.rules, member.no)?);
                }
                let own: Vec<_> = own.into_iter().collect();
                let touches = book.touches_of(lead.no, &own)?;
                let first = touches.into_iter().map(|one| one.touch).find(|one| one.kind == kind);
                Ok(first.map(|touch| (touch.at_ms, touch.amount)))
            }
        }
    }
}

/// Does `work` with what leads themselves do not know, and `rules` do.
pub fn with_lookups<T>(rules: &RuleSet, work: impl FnOnce(&Lookups<'_>) -> Result<T>) -> Result<T> {
    let owner = |id: &str| rules.routing.owner(id);
    work(&Lookups {
        owner_email: &|id| owner(id).map(|owner| owner.email.clone()),
        owner_name: &|id| owner(id).map(|owner| owner.name.clone()),
        score_reason: &|given| rules.scoring.because(given),
        action: &|score| rules.scoring.action(score.segment, score.grade).to_owned(),
        zone: rules.workspace.zone,
        consents: &[],
        record_id: None,
        task: None,
        conversion: None,
    })
}

/// Returns what the rows of `target` follow from beside the leads, and from `besides`, as a hash.
fn definition(target: &Target, rules: &RuleSet, besides: &[&str]) -> String {
    let mut hasher = Sha256::new();
    let owners = rules.routing.owners.iter().flat_map(|one| [&one.id, &one.email, &one.name]);
    let zone = rules.workspace.zone.name();
    let own = [&*target.place.file.text, zone].into_iter().chain(owners.map(String::as_str));
    for text in own.chain(besides.iter().copied()) {
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text);
    }
    hex(&hasher.finalize()[..8])
}

/// Where everything goes that targets are offered.
struct Out<'a> {
    staging: &'a mut Staging,
    given: Given<'a>,
}

/// What targets were given and the store does not know yet.
struct Given<'a> {
    store: &'a Store,
    run: RunNo,
    rows: Vec<(String, TargetNo, [u8; 16])>,
}

impl<'a> Given<'a> {
    fn new(store: &'a Store, run: RunNo) -> Self {
        Self { store, run, rows: Vec::new() }
    }

    fn keep(&mut self, item: &str, target: TargetNo, hash: [u8; 16]) -> Result<()> {
        self.rows.push((item.to_owned(), target, hash));
        if self.rows.len() < GIVEN_AT_ONCE { Ok(()) } else { self.write() }
    }

    /// Ids are hashes: written in their own order, neighbors share a page.
    fn write(&mut self) -> Result<()> {
        self.rows.sort_unstable();
        for (item, target, hash) in self.rows.drain(..) {
            self.store.keep_delivered(target, &item, hash, self.run)?;
        }
        Ok(())
    }
}

/// Where the rows of a target go.
enum Outlet<'a> {
    /// Into a file of the run's folder; none between two parts.
    File(Option<Box<CrmWriter<'a, StagedFile>>>),
    /// Into the outbox.
    Endpoint(Laying<'a>),
}

/// Whether every lead is written, known or not. A file shows how things stand, and may be asked for whole; a delivery
/// says what is new.
fn is_whole(deliveries: Deliveries<'_>, outlet: &Outlet<'_>) -> bool {
    deliveries.full && matches!(outlet, Outlet::File(_))
}

/// A target's file, or an endpoint, while rows are offered to it.
struct OpenTarget<'a> {
    deliveries: Deliveries<'a>,
    /// Id of the target or the endpoint.
    id: &'a str,
    target: &'a Target,
    no: TargetNo,
    definition: String,
    /// The run that wrote the file last.
    published: i64,
    /// Leads that changed after this run are offered.
    changed_after: i64,
    asks: Vec<(Purpose, Channel)>,
    asks_for_record_ids: bool,
    /// Whether the target was ever given anything, so that the store has to be asked what.
    has_rows: bool,
    has_dead_letters: bool,
    outlet: Outlet<'a>,
    /// Parts opened so far.
    parts: u32,
    keys: Keys,
    withdrawn: Vec<WithdrawnItem>,
    refused: Vec<[String; 3]>,
    figures: TargetFigures,
}

impl<'a> OpenTarget<'a> {
    fn open(deliveries: Deliveries<'a>, target: &'a Target, staging: &mut Staging) -> Result<Self> {
        let zone = deliveries.rules.workspace.zone;
        let writer = CrmWriter::new(target, zone, staging.file(&target.file)?)?;
        let outlet = Outlet::File(Some(Box::new(writer)));
        Self::new(deliveries, &target.id, target, outlet, &[])
    }

    fn of_endpoint(
        deliveries: Deliveries<'a>,
        target: &'a Target,
        laying: Laying<'a>,
    ) -> Result<Self> {
        let (id, shape) = (laying.id(), laying.definition());
        Self::new(deliveries, id, target, Outlet::Endpoint(laying), &shape)
    }

    fn new(
        deliveries: Deliveries<'a>,
        id: &'a str,
        target: &'a Target,
        outlet: Outlet<'a>,
        besides: &[&str],
    ) -> Result<Self> {
        let Deliveries { rules, store, record, .. } = deliveries;
        let last = store.last_publication(id, record.no)?;
        let definition = definition(target, rules, besides);
        let is_another = !last.definition.is_empty() && last.definition != definition;
        let no = store.target_no(id)?;
        Ok(Self {
            deliveries,
            id,
            target,
            no,
            has_rows: store.was_published(id)?,
            has_dead_letters: store.has_dead_letters(no)?,
            definition,
            published: last.run,
            changed_after: if is_another || is_whole(deliveries, &outlet) { 0 } else { last.run },
            asks: asks_about(target),
            asks_for_record_ids: asks_for_record_ids(target),
            outlet,
            parts: 1,
            keys: Keys::default(),
            withdrawn: Vec::new(),
            refused: Vec::new(),
            figures: TargetFigures { target: id.to_owned(), ..TargetFigures::default() },
        })
    }

    fn is_whole(&self) -> bool {
        is_whole(self.deliveries, &self.outlet)
    }

    fn offer(
        &mut self,
        lead: &Lead,
        item: &str,
        lookups: &Lookups<'_>,
        out: &mut Out<'_>,
    ) -> Result<()> {
        let Deliveries { rules, store, record, .. } = self.deliveries;
        let consents = said(store, rules, lead, &self.asks, record.as_of_ms)?;
        let record_id =
            if self.asks_for_record_ids { store.record_id(self.no, item)? } else { None };
        let lookups = Lookups { consents: &consents, record_id: record_id.as_deref(), ..*lookups };
        if !concerns(self.target, lead, &lookups) {
            self.figures.left_out += 1;
            self.resolve(item, "it is none of the target's business any more")?;
            if store.delivered(self.no, item)?.is_some() && self.target.rows_of == RowsOf::Leads {
                let item = item.to_owned();
                let record_id = store.record_id(self.no, &item)?;
                self.withdrawn.push(WithdrawnItem { item, record_id, now_in: None });
            }
            return Ok(());
        }
        let ready = row(self.target, &rules.fields, lead, &lookups);
        let ready = ready.and_then(|row| self.keys.take(self.target, &row).map(|()| row));
        let row = match ready {
            Ok(row) => row,
            Err(refusal) => return self.refuse(item, &refusal),
        };
        let hash = row.hash(self.target);
        let known = if self.has_rows { store.delivered(self.no, item)? } else { None };
        if known == Some(hash) && !self.is_whole() && self.target.rows_of == RowsOf::Leads {
            self.figures.unchanged += 1;
            return self.resolve(item, "the target has the row as it is");
        }
        if self.is_made(item)? {
            self.figures.unchanged += 1;
            return out.given.keep(item, self.no, hash);
        }
        if let RowFate::Refused(refusal) = self.put(&row, item, out.staging)? {
            return self.refuse(item, &refusal);
        }
        self.figures.written += 1;
        match known {
            None => self.figures.new += 1,
            Some(known) if known == hash => self.figures.unchanged += 1,
            Some(_) => self.figures.changed += 1,
        }
        self.resolve(item, &written_by(record))?;
        out.given.keep(item, self.no, hash)
    }

    /// Returns whether the endpoint has a record of `item` that it leaves alone, however the row has changed.
    fn is_made(&self, item: &str) -> Result<bool> {
        match &self.outlet {
            Outlet::Endpoint(laying) => laying.is_made(item),
            Outlet::File(_) => Ok(false),
        }
    }

    /// Puts `row` where the target's rows go.
    fn put(&mut self, row: &CrmRow<'_>, item: &str, staging: &mut Staging) -> Result<RowFate> {
        let writer = match &mut self.outlet {
            Outlet::Endpoint(laying) => return laying.lay_down(row, item),
            Outlet::File(writer) => writer.as_mut().context("a part is open")?,
        };
        let fate = writer.write(row)?;
        if fate != RowFate::PartIsFull {
            return Ok(fate);
        }
        self.next_part(staging)?;
        match &mut self.outlet {
            Outlet::File(Some(writer)) => writer.write(row),
            _ => Ok(fate),
        }
    }

    /// Closes the dead letter of `item`, if it has one. That of an endpoint stays: what is stuck in the outbox is over
    /// when it was sent or somebody has looked at it.
    fn resolve(&self, item: &str, because: &str) -> Result<()> {
        let Deliveries { store, record, .. } = self.deliveries;
        if !self.has_dead_letters || matches!(self.outlet, Outlet::Endpoint(_)) {
            return Ok(());
        }
        store.resolve_dead_letter(self.no, item, record.as_of_ms, because).map(drop)
    }

    fn next_part(&mut self, staging: &mut Staging) -> Result<()> {
        self.close_part(staging)?;
        self.parts += 1;
        let name = part_name(&self.target.file, self.parts);
        let zone = self.deliveries.rules.workspace.zone;
        let writer = CrmWriter::new(self.target, zone, staging.file(&name)?)?;
        self.outlet = Outlet::File(Some(Box::new(writer)));
        Ok(())
    }

    fn close_part(&mut self, staging: &mut Staging) -> Result<()> {
        if let Outlet::File(writer) = &mut self.outlet
            && let Some(writer) = writer.take()
        {
            let finished = writer.finish()?;
            self.figures.guarded += finished.guarded;
            staging.close_file(finished.out, Some(finished.rows))?;
        }
        Ok(())
    }

    fn refuse(&mut self, item: &str, refusal: &Refusal) -> Result<()> {
        let Refusal { code, column, reason } = refusal;
        let record = self.deliveries.record;
        self.figures.refused += 1;
        self.refused.push([item.to_owned(), column.clone(), reason.clone()]);
        let refused = Refused {
            code: code.word(),
            column,
            reason,
            run: Some(record.no),
            at_ms: record.as_of_ms,
        };
        self.deliveries.store.keep_dead_letter(self.no, item, refused)
    }

    /// Looks for what the target has and is no more.
    fn withdraw(&mut self) -> Result<()> {
        self.withdrawn.extend(self.deliveries.store.withdrawn_from(self.no)?);
        self.withdrawn.sort_by(|a, b| a.item.cmp(&b.item));
        self.figures.withdrawn = self.withdrawn.len() as u64;
        for one in &self.withdrawn {
            self.deliveries.store.keep_withdrawn(self.no, &one.item, self.deliveries.record.no)?;
        }
        Ok(())
    }

    fn close(mut self, staging: &mut Staging) -> Result<TargetFigures> {
        self.close_part(staging)?;
        let id = self.id;
        if !self.refused.is_empty() {
            let rows = self.refused.iter().map(|row| row.each_ref().map(String::as_str));
            let header = ["lead-id", "column", "reason"];
            list(staging, &format!("crm/{id}-refused.csv"), header, rows)?;
        }
        if !self.withdrawn.is_empty() {
            let text = |text: &'_ Option<String>| text.clone().unwrap_or_default();
            let rows: Vec<[String; 3]> = self
                .withdrawn
                .iter()
                .map(|one| [one.item.clone(), text(&one.record_id), text(&one.now_in)])
                .collect();
            let rows = rows.iter().map(|row| row.each_ref().map(String::as_str));
            let header = ["lead-id", "record-id", "now-in"];
            list(staging, &format!("crm/{id}-withdrawn.csv"), header, rows)?;
        }
        let Deliveries { store, record, .. } = self.deliveries;
        store.keep_publication(id, record.no, &self.definition)?;
        Ok(self.figures)
    }
}

/// Writes a small table of `rows`.
pub(super) fn list<'r, const N: usize>(
    staging: &mut Staging,
    name: &str,
    header: [&str; N],
    rows: impl ExactSizeIterator<Item = [&'r str; N]>,
) -> Result<()> {
    let count = rows.len() as u64;
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(header)?;
    for row in rows {
        csv.write_record(row)?;
    }
    let mut bytes = csv.into_inner()?;
    bytes.flush()?;
    staging.write_file(name, &bytes, Some(count))
}

fn written_by(record: &RunRecord) -> String {
    format!("written by {}", record.id)
}

/// Returns what the gate says of `lead` to each of `asks`.
pub(super) fn said(
    store: &Store,
    rules: &RuleSet,
    lead: &Lead,
    asks: &[(Purpose, Channel)],
    as_of_ms: i64,
) -> Result<Vec<(Purpose, Channel, bool)>> {
    if asks.is_empty() {
        return Ok(Vec::new());
    }
    let records = consents_of(store, rules, lead.no, as_of_ms)?;
    let allowed = |purpose: &Purpose, channel| {
        let contact = contact(&purpose.0, channel, &lead.values);
        consent::allowed(&rules.consent, &records, contact, as_of_ms).allowed
    };
    let said = asks.iter();
    Ok(said
        .map(|(purpose, channel)| (purpose.clone(), *channel, allowed(purpose, *channel)))
        .collect())
}
