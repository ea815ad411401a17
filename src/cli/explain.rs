//! `leadmill explain`

mod otherwise;
mod routing;
mod score;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use super::people::{leads_called, no_lead, print_comparison, the_lead};
use super::review::print_pair;
use super::workspace::{Global, UsageError};
use super::{Outcome, terminal};
use crate::delivery::tasks::duration_text;
use crate::model::decision::Segment;
use crate::model::ids::SubmissionNo;
use crate::model::moment::utc_from_ms;
use crate::model::touch::{Identity, IdentityKind};
use crate::pipeline::accounts::{Company, StoreAccounts};
use crate::pipeline::otherwise::{Otherwise, otherwise};
use crate::pipeline::review::weakest_bridge;
use crate::pipeline::story::{Story, StoryTouch, find_withdrawn, tell};
use crate::pipeline::touched::JoinedTouch;
use crate::rules::RuleSet;
use crate::rules::diagnostics::did_you_mean;
use crate::store::Store;
use crate::store::undo::Withdrawal;

/// Tell the whole story of one lead.
///
/// Which rows it is made of (file and line), what joined them, which row won each value, which rule
/// gave which points, which route took it and which did not, what is missing for more, its tasks, consents and
/// events.
#[derive(Debug, Args)]
pub struct Explain {
    /// A lead's id, an e-mail address or a phone number.
    #[arg(value_name = "LEAD|EMAIL|PHONE")]
    lead: String,
    /// Another lead: why these two are one person or not, in bits for each field.
    #[arg(value_name = "OTHER", conflicts_with = "json")]
    other: Option<String>,
    /// What is missing to be of this segment, by the rules in force; without it, of the next one.
    #[arg(long, value_name = "SEGMENT", value_parser = ["hot", "warm"], conflicts_with = "other")]
    to_segment: Option<String>,
    /// What is missing to come to this queue: what its routes ask for, and which route takes the lead first.
    #[arg(long, value_name = "QUEUE", conflicts_with = "other")]
    to_queue: Option<String>,
    /// Answer with one JSON object for each lead found.
    #[arg(long)]
    json: bool,
}

impl Explain {
    /// Runs the command.
    pub fn run(&self, global: &Global) -> Outcome {
        let rules = global.rules()?;
        let as_of_ms = global.now(&rules)?.timestamp_millis();
        let queue = self.to_queue.as_deref();
        expect_queue(&rules, queue)?;
        let segment = self.to_segment.as_deref().map(|word| {
            Segment::ALL.iter().find(|(known, _)| *known == word).map_or(Segment::Hot, |one| one.1)
        });
        let store = global.read_store()?;
        if let Some(other) = &self.other {
            return self.explain_pair(&store, &rules, other);
        }
        let leads = leads_called(&store, &rules, &self.lead)?;
        if leads.is_empty() {
            if let Some(withdrawal) = find_withdrawn(&store, &self.lead)? {
                return self.tell_withdrawn(&store, &withdrawal);
            }
            return Err(no_lead(&self.lead));
        }
        let accounts = StoreAccounts::new(&store, &rules)?;
        for lead in leads {
            let story = tell(&store, &rules, lead, as_of_ms)?;
            let otherwise = otherwise(&store, &rules, &story, as_of_ms, segment, queue)?;
            let company = accounts.company_of(lead, COLLEAGUES_MAX)?;
            if self.json {
                let mut told = as_json(&story, &rules);
                told["account"] = company_json(&company);
                told["otherwise"] = otherwise::as_json(&otherwise, &rules);
                terminal::print(&told.to_string())?;
            } else {
                let is_asked = segment.is_some();
                let rules = &rules;
                Teller { story: &story, company: &company, otherwise: &otherwise, is_asked, rules }
                    .print()?;
            }
        }
        Ok(0)
    }

    /// The id stays known, for it may stand in a CRM.
    fn tell_withdrawn(&self, store: &Store, withdrawal: &Withdrawal) -> Outcome {
        let Withdrawal { id, by, undone, now_in } = withdrawal;
        if store.erasure_called(by)?.is_some() {
            if self.json {
                terminal::print(&json!({"lead": id, "erased": {"by": by}}).to_string())?;
            } else {
                let told =
                    format!("{id}  erased in run {by}: nothing of it is left, and it stays so");
                terminal::print_wrapped(&told, 2)?;
            }
            return Ok(0);
        }
        if self.json {
            let undone = json!({"run": undone, "by": by, "now_in": now_in});
            terminal::print(&json!({"lead": id, "undone": undone}).to_string())?;
            return Ok(0);
        }
        let what = undone.as_ref().map_or_else(
            || format!("run {by} computed everything anew, and there is no such lead any more"),
            |run| format!("undone in run {by}, which took run {run} back"),
        );
        terminal::print_wrapped(&format!("{id}  {what}"), 2)?;
        terminal::print(&if now_in.is_empty() {
            "nothing of it is left; its id comes back with its first row".to_owned()
        } else {
            format!("the rows that stayed are in {}", now_in.join(", "))
        })?;
        Ok(0)
    }

    fn explain_pair(&self, store: &Store, rules: &RuleSet, other: &str) -> Outcome {
        let (a, b) = (the_lead(store, rules, &self.lead)?, the_lead(store, rules, other)?);
        if a != b {
            print_pair(store, rules, a, b)?;
            return Ok(0);
        }
        terminal::print_wrapped(
            "these are one lead; the weakest of the joins that hold it together:",
            2,
        )?;
        match weakest_bridge(store, rules, a)? {
            Some((row, with, comparison)) => {
                let key = store.link_of(row)?.map_or("", |(kind, _)| kind.word());
                terminal::print(&format!("row {} with row {}, by {key}", row.0, with.0))?;
                print_comparison(&comparison)?;
            }
            None => terminal::print("it has one row only")?,
        }
        Ok(0)
    }
}

/// Other leads of one company that are shown; the rest is counted.
const COLLEAGUES_MAX: usize = 10;

/// Touches that are shown, the latest; the rest is counted.
const TOUCHES_MAX: usize = 10;

/// Refuses a queue that the rules do not have.
fn expect_queue(rules: &RuleSet, queue: Option<&str>) -> Result<()> {
    let ids = || rules.routing.queues.iter().map(|queue| queue.id.as_str());
    let Some(queue) = queue.filter(|queue| !ids().any(|id| id == *queue)) else { return Ok(()) };
    let hint = did_you_mean(queue, ids()).map_or_else(
        || format!("one of: {}", ids().collect::<Vec<_>>().join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    Err(UsageError(format!("there is no queue `{queue}`\nhint: {hint}")).into())
}

struct Teller<'a> {
    story: &'a Story,
    company: &'a Company,
    otherwise: &'a Otherwise,
    /// Whether somebody asked for a segment.
    is_asked: bool,
    rules: &'a RuleSet,
}

impl Teller<'_> {
    fn print(&self) -> Result<()> {
        let lead = &self.story.lead;
        terminal::print_wrapped(&format!("{}  {}", lead.id, lead.display_name()), 2)?;
        let others: Vec<&str> = self
            .story
            .ids
            .iter()
            .map(String::as_str)
            .filter(|id| *id != lead.id.to_string())
            .collect();
        if !others.is_empty() {
            terminal::print_wrapped(&format!("also known as {}", others.join(", ")), 2)?;
        }
        for (run, undone) in &self.story.corrections {
            let what = undone.as_ref().map_or_else(
                || format!("run {run} computed it anew"),
                |undone| format!("run {run} changed it by taking run {undone} back"),
            );
            terminal::print_wrapped(&what, 2)?;
        }
        self.decision()?;
        self.account()?;
        self.values()?;
        self.identifiers()?;
        self.submissions()?;
        self.touches()?;
        self.tasks()?;
        self.consents()?;
        self.events()
    }

    /// The other leads of the company, and what would have linked more, were it not shared.
    fn account(&self) -> Result<()> {
        let Company { account, others, refused } = self.company;
        if account.is_none() && refused.is_empty() {
            return Ok(());
        }
        terminal::print("")?;
        if let Some(account) = account {
            let about: Vec<&str> = std::iter::once(account.name.as_str())
                .chain(account.domains.iter().map(String::as_str))
                .filter(|text| !text.is_empty())
                .collect();
            let leads = terminal::count(account.leads as u64, "lead", "leads");
            let line = format!("account {} of {leads}: {}", account.id, about.join(", "));
            terminal::print_wrapped(line.trim_end_matches([':', ' ']), 2)?;
            let mut rows =
                vec![["other lead", "name", "with", "linked by"].map(str::to_owned).to_vec()];
            rows.extend(others.iter().map(|one| {
                vec![one.id.to_string(), one.name.clone(), one.with.clone(), one.linked_by.clone()]
            }));
            terminal::print(&terminal::table(&rows, &[]))?;
            let more = account.leads - 1 - others.len();
            if more > 0 {
                terminal::print(&format!("and {more} more"))?;
            }
        }
        for key in refused {
            let line =
                format!("{key} is shared by leads of several companies and links nobody here");
            terminal::print_wrapped(&line, 2)?;
        }
        Ok(())
    }

    fn decision(&self) -> Result<()> {
        let Some(latest) = self.story.decisions.first() else { return Ok(()) };
        terminal::print("")?;
        let local = |epoch_ms| self.local(epoch_ms);
        score::tell_latest(latest, self.rules, &local)?;
        let holder = latest.owner.clone().unwrap_or_else(|| format!("queue {}", latest.queue));
        terminal::print("")?;
        terminal::print_wrapped(&format!("with {holder}: {}", latest.reason), 2)?;
        match &self.story.routing {
            Some(trace) => routing::print(trace, &local)?,
            None if !latest.tried.is_empty() => {
                let tried = format!("routes that did not match: {}", latest.tried.join(", "));
                terminal::print_wrapped(&tried, 2)?;
            }
            None => {}
        }
        score::tell_changes(&self.story.decisions, &local)?;
        otherwise::print(self.otherwise, self.rules, self.is_asked)
    }

    fn values(&self) -> Result<()> {
        let mut rows = vec![["field", "value", "from"].map(str::to_owned).to_vec()];
        for (field, value) in self.story.lead.values.iter() {
            let name = self.rules.fields.name(field);
            let winners = &self.story.winners;
            let winner = winners.get(name).or_else(|| winners.get("*"));
            rows.push(vec![name.to_owned(), value.to_owned(), self.place(winner.copied())]);
        }
        terminal::print(&format!("\n{}", terminal::table(&rows, &[])))
    }

    /// Addresses and numbers that it was given, when there are more than it shows.
    fn identifiers(&self) -> Result<()> {
        let values = &self.story.lead.values;
        let is_shown = |value: &str| values.iter().any(|(_, shown)| shown == value);
        if self.story.identifiers.iter().all(|one| is_shown(&one.value)) {
            return Ok(());
        }
        let mut rows = vec![
            ["identifier", "value", "first seen", "last seen", "source"]
                .map(str::to_owned)
                .to_vec(),
        ];
        rows.extend(self.story.identifiers.iter().map(|one| {
            vec![
                one.kind.to_owned(),
                one.value.clone(),
                self.local(one.first_ms),
                self.local(one.last_ms),
                one.source.clone(),
            ]
        }));
        terminal::print(&format!("\n{}", terminal::table(&rows, &[])))
    }

    /// Where a submission came from; without a winner there is only one submission.
    fn place(&self, winner: Option<SubmissionNo>) -> String {
        let mut submissions = self.story.submissions.iter();
        let found = match winner {
            Some(winner) => submissions.find(|one| one.row.no == winner),
            None => submissions.next(),
        };
        found.map_or_else(String::new, |one| one.row.evidence.clone())
    }

    fn submissions(&self) -> Result<()> {
        let mut rows = vec![
            ["row", "submission", "source", "submitted", "enquiry", "joined by"]
                .map(str::to_owned)
                .to_vec(),
        ];
        for one in &self.story.submissions {
            rows.push(vec![
                one.row.no.0.to_string(),
                one.row.evidence.clone(),
                one.row.source.clone(),
                self.local(one.row.submitted_ms),
                if one.row.is_enquiry { "yes" } else { "no" }.to_owned(),
                one.joined_by.as_ref().map_or_else(
                    || "(first)".to_owned(),
                    |(kind, with)| format!("same {} as {with}", kind.word()),
                ),
            ]);
        }
        terminal::print(&format!("\n{}", terminal::table(&rows, &[0])))?;
        for said in &self.story.statements {
            let rows: Vec<String> = said.rows.iter().map(|row| row.0.to_string()).collect();
            let rows = rows.join(", ");
            let what = if said.is_same {
                format!("the rows {rows} are one person")
            } else {
                format!("among the rows {rows} there are different people")
            };
            let line = format!("run {}: somebody said that {what}: {}", said.run, said.because);
            terminal::print_wrapped(&line, 2)?;
        }
        for one in &self.story.submissions {
            for (code, message) in &one.notices {
                let notice = format!("  {}: {code}: {message}", one.row.evidence);
                terminal::print_wrapped(&notice, 4)?;
            }
        }
        Ok(())
    }

    /// What the person did, and how it is known to be theirs.
    fn touches(&self) -> Result<()> {
        let touches = &self.story.touches;
        if touches.is_empty() {
            return Ok(());
        }
        let mut rows = vec![["at", "touch", "about", "joined by"].map(str::to_owned).to_vec()];
        rows.extend(touches.iter().take(TOUCHES_MAX).map(|one| {
            let touch = &one.joined.touch;
            vec![self.local(touch.at_ms), touch.kind.clone(), touch.about(), joined_by(&one.joined)]
        }));
        terminal::print(&format!("\n{}", terminal::table(&rows, &[])))?;
        let more = touches.len().saturating_sub(TOUCHES_MAX);
        if more > 0 {
            terminal::print(&format!("and {more} earlier ones"))?;
        }
        Ok(())
    }

    fn tasks(&self) -> Result<()> {
        if self.story.tasks.is_empty() {
            return terminal::print("\nno tasks");
        }
        let mut rows = vec![["due", "task", "state", "because"].map(str::to_owned).to_vec()];
        for task in &self.story.tasks {
            let state = match task.late_minutes {
                0 => task.planned.state.word().to_owned(),
                minutes => format!("late by {}", duration_text(minutes)),
            };
            rows.push(vec![
                self.local(task.planned.due_ms),
                task.planned.subject.clone(),
                state,
                task.planned.because.clone(),
            ]);
        }
        terminal::print(&format!("\n{}", terminal::table(&rows, &[])))
    }

    fn consents(&self) -> Result<()> {
        if self.story.consents.is_empty() {
            return terminal::print("\nno consent on record");
        }
        let mut rows = vec![
            ["said at", "purpose", "channel", "said", "wording", "evidence"]
                .map(str::to_owned)
                .to_vec(),
        ];
        for record in &self.story.consents {
            rows.push(vec![
                self.local(record.event_at_ms),
                record.purpose.to_string(),
                record.channel.word().to_owned(),
                format!("{} ({})", record.state.word(), record.grade.word()),
                record.wording.clone(),
                record.evidence.clone(),
            ]);
        }
        terminal::print(&format!("\n{}", terminal::table(&rows, &[])))
    }

    fn events(&self) -> Result<()> {
        let mut rows = vec![["event", "step", "status"].map(str::to_owned).to_vec()];
        for event in &self.story.events {
            rows.push(vec![event.id.clone(), event.step.clone(), event.status.clone()]);
        }
        terminal::print(&format!("\n{}", terminal::table(&rows, &[])))
    }

    fn local(&self, epoch_ms: i64) -> String {
        let at = utc_from_ms(epoch_ms).with_timezone(&self.rules.workspace.zone);
        at.format("%Y-%m-%d %H:%M").to_string()
    }
}

/// Returns how a touch is known to be the lead's: `visitor id v1, seen with email anna@example.com`.
fn joined_by(joined: &JoinedTouch) -> String {
    let words = |identity: &Identity| match identity.kind {
        IdentityKind::Kept => "an id of which an earlier leadmill kept only the hash".to_owned(),
        kind => format!("{} {}", kind.word().replace('-', " "), identity.value),
    };
    let by = words(&joined.by);
    joined.seen_with.as_ref().map_or(by.clone(), |with| format!("{by}, seen with {}", words(with)))
}

fn company_json(company: &Company) -> Value {
    let Company { account, others, refused } = company;
    json!({
        "id": account.as_ref().map(|account| &account.id),
        "company": account.as_ref().map(|account| &account.name),
        "domains": account.as_ref().map(|account| &account.domains),
        "leads": account.as_ref().map_or(1, |account| account.leads),
        "others": others.iter().map(|one| json!({
            "lead": one.id.to_string(), "name": one.name, "with": one.with, "linked_by": one.linked_by,
        })).collect::<Vec<_>>(),
        "shared_keys": refused,
    })
}

fn touch_json(one: &StoryTouch) -> Value {
    let StoryTouch { joined, place } = one;
    json!({
        "at": utc_from_ms(joined.touch.at_ms).to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        "kind": joined.touch.kind,
        "detail": joined.touch.detail,
        "amount": joined.touch.amount.as_ref().map(|amount| &amount.value),
        "currency": joined.touch.amount.as_ref().map(|amount| &amount.currency),
        "joined_by": [joined.by.kind.word(), &joined.by.value],
        "seen_with": joined.seen_with.as_ref().map(|with| [with.kind.word(), &with.value]),
        "place": place,
    })
}

fn as_json(story: &Story, rules: &RuleSet) -> Value {
    let instant =
        |epoch_ms: i64| utc_from_ms(epoch_ms).to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let lead = &story.lead;
    let values: serde_json::Map<String, Value> = lead
        .values
        .iter()
        .map(|(field, value)| (rules.fields.name(field).to_owned(), value.into()))
        .collect();
    let evidence = |no: &SubmissionNo| {
        let found = story.submissions.iter().find(|one| one.row.no == *no);
        found.map_or_else(String::new, |one| one.row.evidence.clone())
    };
    let winner_of = |name: &str| story.winners.get(name).or_else(|| story.winners.get("*"));
    let winners: serde_json::Map<String, Value> = lead
        .values
        .iter()
        .map(|(field, _)| rules.fields.name(field))
        .filter_map(|name| Some((name.to_owned(), evidence(winner_of(name)?).into())))
        .collect();
    json!({
        "lead": lead.id.to_string(),
        "ids": story.ids,
        "name": lead.display_name(),
        "values": values,
        "winners": winners,
        "submissions": story.submissions.iter().map(|one| json!({
            "row": one.row.no.0,
            "place": one.row.evidence,
            "source": one.row.source,
            "submitted_at": instant(one.row.submitted_ms),
            "is_enquiry": one.row.is_enquiry,
            "joined_by": one.joined_by.as_ref().map(|(kind, with)| json!([kind.word(), with])),
            "notices": one.notices,
        })).collect::<Vec<_>>(),
        "touches": story.touches.iter().map(touch_json).collect::<Vec<_>>(),
        "decisions": score::decisions_json(&story.decisions, rules, &instant),
        "routing": story.routing.as_ref().map(routing::as_json),
        "tasks": story.tasks.iter().map(|task| json!({
            "task": task.id(),
            "subject": task.planned.subject,
            "due": instant(task.planned.due_ms),
            "state": task.planned.state.word(),
            "late_minutes": task.late_minutes,
            "because": task.planned.because,
        })).collect::<Vec<_>>(),
        "consents": story.consents.iter().map(|record| json!({
            "said_at": instant(record.event_at_ms),
            "purpose": &*record.purpose.0,
            "channel": record.channel.word(),
            "state": record.state.word(),
            "grade": record.grade.word(),
            "address": record.address,
            "wording": record.wording,
            "mechanism": record.mechanism,
            "evidence": record.evidence,
            "ip": record.ip,
            "user_agent": record.user_agent,
        })).collect::<Vec<_>>(),
        "identifiers": story.identifiers.iter().map(|one| json!({
            "kind": one.kind, "value": one.value, "first_seen": instant(one.first_ms),
            "last_seen": instant(one.last_ms), "source": one.source,
        })).collect::<Vec<_>>(),
        "verdicts": story.statements.iter().map(|said| json!({
            "run": said.run,
            "verdict": if said.is_same { "same" } else { "different" },
            "rows": said.rows.iter().map(|row| row.0).collect::<Vec<_>>(),
            "because": said.because,
        })).collect::<Vec<_>>(),
        "corrections": story.corrections.iter().map(|(run, undone)| json!({
            "run": run, "undone": undone,
        })).collect::<Vec<_>>(),
        "events": story.events.iter().map(|event| json!({
            "id": event.id, "run": event.run, "step": event.step, "status": event.status,
        })).collect::<Vec<_>>(),
    })
}
