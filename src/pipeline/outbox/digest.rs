//! The mail of a day: what waits for each owner, and for whoever looks after all of them, laid down by the day's first
//! import.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use chrono::{NaiveDate, NaiveTime};

use super::enqueue::mail_id;
use crate::delivery::mail::{Draft, Envelope};
use crate::model::moment::utc_from_ms;
use crate::model::task::Task;
use crate::rules::RuleSet;
use crate::rules::digest::{DIGEST, Digest, DigestOwner, DigestTask};
use crate::rules::hours::instant_of;
use crate::rules::outbox::{DigestTo, Endpoint, SmtpEndpoint};
use crate::store::Store;
use crate::store::listing::TaskFilter;
use crate::store::outbox::ToDeliver;
use crate::store::runs::{RunKind, RunRecord};

/// Tasks of each kind that a mail shows; the rest is counted.
const TASKS_SHOWN_MAX: usize = 50;

/// Somebody who gets the mail of a day.
struct Recipient {
    /// What tells the mail from others of the day.
    id: String,
    name: String,
    address: String,
    /// Whether it is about everybody's leads.
    is_for_all: bool,
}

/// Lays down the mails of `record`'s day at each endpoint that sends them. Whoever has got theirs gets no other.
pub(in crate::pipeline) fn lay_down_digests(
    store: &Store,
    rules: &RuleSet,
    record: &RunRecord,
) -> Result<()> {
    if record.kind != RunKind::Import {
        return Ok(());
    }
    let mut known = None;
    for endpoint in rules.outbox.on() {
        let Some(smtp) = endpoint.smtp().filter(|smtp| !smtp.digest.is_empty()) else { continue };
        let team = match &known {
            Some(team) => team,
            None => known.insert(Team::of(store, rules, record)?),
        };
        for recipient in recipients(rules, smtp, record) {
            lay_down(store, rules, record, (endpoint, smtp), team, &recipient)?;
        }
    }
    Ok(())
}

fn recipients(rules: &RuleSet, smtp: &SmtpEndpoint, record: &RunRecord) -> Vec<Recipient> {
    let now = utc_from_ms(record.as_of_ms);
    let mut found = Vec::new();
    for to in &smtp.digest {
        match to {
            DigestTo::Owners => {
                let there = rules.routing.owners.iter().filter(|owner| {
                    owner.active && !owner.email.is_empty() && owner.absent_until(now).is_none()
                });
                found.extend(there.map(|owner| Recipient {
                    id: owner.id.clone(),
                    name: owner.name.clone(),
                    address: owner.email.clone(),
                    is_for_all: false,
                }));
            }
            DigestTo::Address(address) => found.push(Recipient {
                id: address.clone(),
                name: String::new(),
                address: address.clone(),
                is_for_all: true,
            }),
        }
    }
    found
}

fn lay_down(
    store: &Store,
    rules: &RuleSet,
    record: &RunRecord,
    (endpoint, smtp): (&Endpoint, &SmtpEndpoint),
    team: &Team,
    recipient: &Recipient,
) -> Result<()> {
    let item = format!("{DIGEST}/{}/{}", team.day, recipient.id);
    let target = store.target_no(&endpoint.id)?;
    let digest = if recipient.is_for_all {
        team.for_all()
    } else {
        team.for_owner(&recipient.id, &recipient.name, smtp)
    };
    if digest.is_empty() || store.was_laid_down(target, &item)? {
        return Ok(());
    }
    let text = rules.templates.digest(rules.workspace.language, &digest);
    let text = text.context("fill in template digest")?;
    let (subject, text) = text.split_once('\n').unwrap_or((&text, ""));
    let draft = Draft {
        task: item.clone(),
        from: None,
        to: (recipient.name.clone(), recipient.address.clone()),
        subject: subject.trim().to_owned(),
        text: text.trim_start_matches('\n').to_owned(),
    };
    let message_id = mail_id(&item, record.no.0, smtp);
    let envelope = Envelope {
        sender: (&smtp.sender.0, &smtp.sender.1),
        message_id: &message_id,
        unsubscribe_url: None,
    };
    let mail = draft.to_mail(envelope, utc_from_ms(record.as_of_ms))?;
    store.lay_down(ToDeliver {
        target,
        item: &item,
        // It is about no single lead, and about none that could be told by it.
        lead_id: "",
        part: &mail,
        recipient: &recipient.address,
        run: record.no,
        at_ms: record.as_of_ms,
    })
}

/// What waits for whom on a day.
struct Team {
    day: NaiveDate,
    /// Tasks that are past due, and those due by the end of the day, by owner; without one those that nobody has.
    tasks: BTreeMap<Option<String>, (Vec<DigestTask>, Vec<DigestTask>)>,
    /// Names of owners by their ids.
    names: BTreeMap<String, String>,
    alerts: Vec<String>,
}

impl Team {
    fn of(store: &Store, rules: &RuleSet, record: &RunRecord) -> Result<Self> {
        let zone = rules.workspace.zone;
        let day = utc_from_ms(record.as_of_ms).with_timezone(&zone).date_naive();
        let midnight = day.succ_opt().unwrap_or(day).and_time(NaiveTime::MIN);
        let end_ms = instant_of(zone, midnight).timestamp_millis();
        let mut tasks: BTreeMap<_, (Vec<DigestTask>, Vec<DigestTask>)> = BTreeMap::new();
        let filter = TaskFilter { due_before_ms: Some(end_ms), ..TaskFilter::default() };
        store.each_task(&filter, record.as_of_ms, |task| {
            // What is sent by itself is for nobody to do.
            if rules.outbox.sends_step(&task.planned.key.step).is_none() {
                let (overdue, due) = tasks.entry(task.owner.clone()).or_default();
                let list = if task.planned.due_ms <= record.as_of_ms { overdue } else { due };
                list.push(shown(&task, zone));
            }
            Ok(())
        })?;
        let owners = rules.routing.owners.iter();
        Ok(Self {
            day,
            tasks,
            names: owners.map(|owner| (owner.id.clone(), owner.name.clone())).collect(),
            alerts: store.open_alerts()?.into_iter().map(|kept| kept.alert.message).collect(),
        })
    }

    fn for_owner(&self, id: &str, name: &str, smtp: &SmtpEndpoint) -> Digest {
        let (overdue, due) = self.tasks.get(&Some(id.to_owned())).cloned().unwrap_or_default();
        let (overdue_count, due_count) = (overdue.len(), due.len());
        let first = |tasks: Vec<DigestTask>| {
            let link = |task: DigestTask| DigestTask { link: smtp.link_to(&task.lead), ..task };
            tasks.into_iter().take(TASKS_SHOWN_MAX).map(link).collect()
        };
        Digest {
            day: self.day.to_string(),
            name: name.to_owned(),
            overdue: first(overdue),
            due: first(due),
            overdue_count,
            due_count,
            ..Digest::default()
        }
    }

    fn for_all(&self) -> Digest {
        let owner = |(id, (overdue, due)): (&Option<String>, &(Vec<_>, Vec<_>))| DigestOwner {
            name: id.as_ref().map_or_else(String::new, |id| {
                self.names.get(id).filter(|name| !name.is_empty()).unwrap_or(id).clone()
            }),
            overdue: overdue.len(),
            due: due.len(),
        };
        let owners: Vec<DigestOwner> = self.tasks.iter().map(owner).collect();
        Digest {
            day: self.day.to_string(),
            overdue_count: owners.iter().map(|one| one.overdue).sum(),
            due_count: owners.iter().map(|one| one.due).sum(),
            owners,
            alerts: self.alerts.clone(),
            ..Digest::default()
        }
    }
}

fn shown(task: &Task, zone: chrono_tz::Tz) -> DigestTask {
    DigestTask {
        lead: task.lead_id.to_string(),
        task: task.planned.key.to_string(),
        channel: task.planned.channel.word().to_owned(),
        segment: task.segment.clone(),
        due: utc_from_ms(task.planned.due_ms)
            .with_timezone(&zone)
            .format("%Y-%m-%d %H:%M")
            .to_string(),
        link: String::new(),
    }
}
