//! The mail of a day: what waits for each owner, and for whoever looks after all of them, laid down by the day's first
//! import that has something for them.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use chrono::NaiveDate;

use super::enqueue::mail_id;
use crate::delivery::mail::{Draft, Envelope};
use crate::model::moment::utc_from_ms;
use crate::model::task::Task;
use crate::rules::RuleSet;
use crate::rules::digest::{DIGEST, Digest, DigestOwner, DigestTask};
use crate::rules::hours::day_begins;
use crate::rules::outbox::{DigestTo, Endpoint, SmtpEndpoint};
use crate::store::Store;
use crate::store::deliveries::TargetNo;
use crate::store::listing::TaskFilter;
use crate::store::outbox::ToDeliver;
use crate::store::runs::{RunKind, RunRecord};

/// Tasks of each kind that a mail shows; the rest is counted.
const TASKS_SHOWN_MAX: usize = 50;

/// Somebody who gets the mail of a day.
struct Recipient<'a> {
    name: &'a str,
    address: &'a str,
    /// Id of the owner whose leads it is about; none where it is about everybody's.
    owner: Option<&'a str>,
}

impl Recipient<'_> {
    /// Returns the id of the mail that they get on `day`.
    fn item(&self, day: NaiveDate) -> String {
        match self.owner {
            Some(id) => format!("{DIGEST}/{day}/owner/{id}"),
            None => format!("{DIGEST}/{day}/all/{}", self.address),
        }
    }
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
    let day = utc_from_ms(record.as_of_ms).with_timezone(&rules.workspace.zone).date_naive();
    let mut known = None;
    for endpoint in rules.outbox.on() {
        let Some(smtp) = endpoint.smtp().filter(|smtp| !smtp.digest.is_empty()) else { continue };
        let no = store.target_no(&endpoint.id)?;
        for recipient in recipients(rules, smtp, record) {
            let item = recipient.item(day);
            if store.was_laid_down(no, &item)? {
                continue;
            }
            let team = match &known {
                Some(team) => team,
                None => known.insert(Team::of(store, rules, record, day)?),
            };
            let digest = match recipient.owner {
                Some(id) => team.for_owner(id, recipient.name, smtp),
                None => team.for_all(rules),
            };
            if !digest.is_empty() {
                let mail = mail(rules, record, (endpoint, smtp), &item, &recipient, &digest)?;
                lay_down(store, record, no, &item, &mail, recipient.address)?;
            }
        }
    }
    Ok(())
}

fn recipients<'a>(
    rules: &'a RuleSet,
    smtp: &'a SmtpEndpoint,
    record: &RunRecord,
) -> Vec<Recipient<'a>> {
    let now = utc_from_ms(record.as_of_ms);
    let mut found = Vec::new();
    for to in &smtp.digest {
        match to {
            DigestTo::Owners => {
                let there = rules.routing.owners.iter().filter(|owner| {
                    owner.active && !owner.email.is_empty() && owner.absent_until(now).is_none()
                });
                found.extend(there.map(|owner| Recipient {
                    name: &owner.name,
                    address: &owner.email,
                    owner: Some(&owner.id),
                }));
            }
            DigestTo::Address(address) => found.push(Recipient { name: "", address, owner: None }),
        }
    }
    found
}

fn mail(
    rules: &RuleSet,
    record: &RunRecord,
    (endpoint, smtp): (&Endpoint, &SmtpEndpoint),
    item: &str,
    recipient: &Recipient<'_>,
    digest: &Digest,
) -> Result<Vec<u8>> {
    let text = rules.templates.digest(rules.workspace.language, digest);
    let text = text.context("fill in template digest")?;
    let (subject, text) = text.split_once('\n').unwrap_or((&text, ""));
    let draft = Draft {
        task: item.to_owned(),
        from: None,
        to: (recipient.name.to_owned(), recipient.address.to_owned()),
        subject: subject.trim().to_owned(),
        text: text.trim_start_matches('\n').to_owned(),
    };
    let message_id = mail_id(endpoint, smtp, item, record.no);
    let envelope = Envelope {
        sender: (&smtp.sender.0, &smtp.sender.1),
        message_id: &message_id,
        unsubscribe_url: None,
    };
    draft.to_mail(envelope, utc_from_ms(record.as_of_ms))
}

fn lay_down(
    store: &Store,
    record: &RunRecord,
    target: TargetNo,
    item: &str,
    mail: &[u8],
    recipient: &str,
) -> Result<()> {
    store.lay_down(ToDeliver {
        target,
        item,
        // It is about no single lead, and about none that could be told by it.
        lead_id: "",
        part: mail,
        recipient,
        run: record.no,
        at_ms: record.as_of_ms,
    })
}

/// Tasks of one kind: the first of them, and how many there are.
#[derive(Default)]
struct Listed {
    first: Vec<DigestTask>,
    count: usize,
}

impl Listed {
    fn push(&mut self, task: &Task, zone: chrono_tz::Tz) {
        self.count += 1;
        if self.count <= TASKS_SHOWN_MAX {
            self.first.push(shown(task, zone));
        }
    }

    fn with_links(&self, smtp: &SmtpEndpoint) -> Vec<DigestTask> {
        let link =
            |task: &DigestTask| DigestTask { link: smtp.link_to(&task.lead), ..task.clone() };
        self.first.iter().map(link).collect()
    }
}

/// What waits for whom on a day.
struct Team {
    day: NaiveDate,
    /// Tasks that are past due, and those due by the end of the day, by owner; without a name those that nobody has.
    tasks: BTreeMap<String, (Listed, Listed)>,
    alerts: Vec<String>,
}

impl Team {
    fn of(store: &Store, rules: &RuleSet, record: &RunRecord, day: NaiveDate) -> Result<Self> {
        let zone = rules.workspace.zone;
        let end_ms = day_begins(zone, day.succ_opt().unwrap_or(day)).timestamp_millis();
        let mut tasks: BTreeMap<_, (Listed, Listed)> = BTreeMap::new();
        let filter = TaskFilter { due_before_ms: Some(end_ms), ..TaskFilter::default() };
        store.each_task(&filter, record.as_of_ms, |task| {
            // What is sent by itself is for nobody to do.
            if rules.outbox.sends_step(&task.planned.key.step).is_none() {
                let owner = task.owner.clone().unwrap_or_default();
                let (overdue, due) = tasks.entry(owner).or_default();
                let list = if task.planned.due_ms <= record.as_of_ms { overdue } else { due };
                list.push(&task, zone);
            }
            Ok(())
        })?;
        let alerts = store.open_alerts()?.into_iter().map(|kept| kept.alert.message).collect();
        Ok(Self { day, tasks, alerts })
    }

    fn for_owner(&self, id: &str, name: &str, smtp: &SmtpEndpoint) -> Digest {
        let Some((overdue, due)) = self.tasks.get(id) else { return Digest::default() };
        Digest {
            day: self.day.to_string(),
            name: name.to_owned(),
            overdue: overdue.with_links(smtp),
            due: due.with_links(smtp),
            overdue_count: overdue.count,
            due_count: due.count,
            ..Digest::default()
        }
    }

    fn for_all(&self, rules: &RuleSet) -> Digest {
        let owner = |(id, (overdue, due)): (&String, &(Listed, Listed))| {
            let name = rules.routing.owner(id).map(|owner| &owner.name);
            let name = name.filter(|name| !name.is_empty()).unwrap_or(id).clone();
            DigestOwner { name, overdue: overdue.count, due: due.count }
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
