//! Laying down what is to be sent, as part of publishing: rendered once, and never again.

use anyhow::Result;
use chrono::SecondsFormat;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::delivery::crm::{CrmRow, RowFate};
use crate::delivery::form::{Refusal, RefusalCode};
use crate::delivery::mail::Envelope;
use crate::model::ids::{RunNo, hex};
use crate::model::moment::utc_from_ms;
use crate::model::task::Task;
use crate::pipeline::messages::Messages;
use crate::report::run_json::AlertSummary;
use crate::rules::RuleSet;
use crate::rules::outbox::{Endpoint, HttpEndpoint, SmtpEndpoint};
use crate::rules::request::{ItemFacts, RequestShape};
use crate::rules::target::Target;
use crate::store::Store;
use crate::store::deliveries::TargetNo;
use crate::store::outbox::ToDeliver;
use crate::store::runs::RunRecord;

/// Bytes of one item, at most: receivers take no more, and nobody needs to tell more of a lead.
const ITEM_BYTES_MAX: usize = 128 * 1024;

/// Lays down the rows of a target for one endpoint.
pub(in crate::pipeline) struct Laying<'a> {
    store: &'a Store,
    endpoint: &'a Endpoint,
    shape: &'a RequestShape,
    target: &'a Target,
    no: TargetNo,
    run: RunNo,
    at_ms: i64,
}

impl<'a> Laying<'a> {
    /// Begins to lay down the rows of `target` for `endpoint`, as `record`'s run.
    pub(in crate::pipeline) fn new(
        store: &'a Store,
        endpoint: &'a Endpoint,
        http: &'a HttpEndpoint,
        target: &'a Target,
        record: &RunRecord,
    ) -> Result<Self> {
        let no = store.target_no(&endpoint.id)?;
        let (run, at_ms) = (record.no, record.as_of_ms);
        Ok(Self { store, endpoint, shape: &http.shape, target, no, run, at_ms })
    }

    /// Returns the endpoint's id.
    pub(in crate::pipeline) fn id(&self) -> &'a str {
        &self.endpoint.id
    }

    /// Returns what its requests follow from beside their rows.
    pub(in crate::pipeline) fn definition(&self) -> [&'a str; 3] {
        self.shape.definition()
    }

    /// Returns whether nothing is sent of `item` any more: the endpoint has a record of it and leaves such alone.
    pub(in crate::pipeline) fn is_made(&self, item: &str) -> Result<bool> {
        super::is_made(self.store, self.endpoint, self.no, item)
    }

    /// Lays `row` down as `item`, or says why it cannot be sent.
    pub(in crate::pipeline) fn lay_down(&self, row: &CrmRow<'_>, item: &str) -> Result<RowFate> {
        let refused = |code, reason: &str| {
            let reason = reason.to_owned();
            Ok(RowFate::Refused(Refusal { code, column: String::new(), reason }))
        };
        let Ok(part) = part(self.shape, item, self.at_ms, &row.object(self.target)) else {
            let reason = "the request shows a value that the row does not have";
            return refused(RefusalCode::Missing, reason);
        };
        if part.len() > ITEM_BYTES_MAX {
            return refused(RefusalCode::TooLarge, "the row alone is larger than 128 KiB");
        }
        self.store.lay_down(ToDeliver {
            target: self.no,
            item,
            lead_id: item.split('/').next().unwrap_or_default(),
            part: part.as_bytes(),
            recipient: "",
            run: self.run,
            at_ms: self.at_ms,
        })?;
        Ok(RowFate::Written)
    }
}

fn part(
    shape: &RequestShape,
    item: &str,
    at_ms: i64,
    row: &Map<String, Value>,
) -> Result<String, minijinja::Error> {
    let at = utc_from_ms(at_ms).to_rfc3339_opts(SecondsFormat::Secs, true);
    shape.item(ItemFacts { item, at: &at, row })
}

/// Lays down the mail that `task` sends, if an endpoint sends those of its step and it is not too late; returns whether
/// it did. What is not laid down is for somebody to send.
pub(in crate::pipeline) fn lay_down_mail(
    messages: Messages<'_>,
    store: &Store,
    rules: &RuleSet,
    record: &RunRecord,
    task: &Task,
) -> Result<bool> {
    let Some((endpoint, smtp)) = rules.outbox.sends_step(&task.planned.key.step) else {
        return Ok(false);
    };
    let Some(draft) = messages.draft(task)? else { return Ok(false) };
    if record.as_of_ms - task.planned.due_ms > smtp.max_age.num_milliseconds() {
        return Ok(false);
    }
    let item = task.id();
    let message_id = mail_id(endpoint, smtp, &item, record.no);
    let envelope = Envelope {
        sender: (&smtp.sender.0, &smtp.sender.1),
        message_id: &message_id,
        unsubscribe_url: smtp.unsubscribe_url.as_deref(),
    };
    let mail = draft.to_mail(envelope, utc_from_ms(record.as_of_ms))?;
    store.lay_down(ToDeliver {
        target: store.target_no(&endpoint.id)?,
        item: &item,
        lead_id: &task.lead_id.to_string(),
        part: &mail,
        recipient: &draft.to.1,
        run: record.no,
        at_ms: record.as_of_ms,
    })?;
    Ok(true)
}

/// Returns the `Message-ID` of the mail `item` of an endpoint, laid down by `run`: whoever gets it twice sees that it
/// is one. An item is no part of an address as it is, and two that differ in a sign alone must not become one.
pub(super) fn mail_id(endpoint: &Endpoint, smtp: &SmtpEndpoint, item: &str, run: RunNo) -> String {
    let domain = smtp.sender.1.rsplit_once('@').map_or("leadmill.invalid", |(_, domain)| domain);
    let hash = Sha256::digest(format!("{}\0{item}", endpoint.id));
    format!("{}.{}@{domain}", hex(&hash[..12]), run.0)
}

/// Lays down `alerts`, which somebody is told of by `record`'s run, for each endpoint of alerts.
pub(in crate::pipeline) fn lay_down_alerts(
    store: &Store,
    rules: &RuleSet,
    record: &RunRecord,
    alerts: &[AlertSummary],
) -> Result<()> {
    for endpoint in rules.outbox.on() {
        let Some(http) = endpoint.http().filter(|http| http.target.is_none()) else { continue };
        let target = store.target_no(&endpoint.id)?;
        for alert in alerts {
            let row = json!({"rule": alert.id, "key": alert.key, "text": alert.message});
            let Value::Object(row) = row else { continue };
            let item = format!("alert/{}/{}", record.id, alert.key);
            let part = part(&http.shape, &item, record.as_of_ms, &row)?;
            store.lay_down(ToDeliver {
                target,
                item: &item,
                lead_id: "",
                part: part.as_bytes(),
                recipient: "",
                run: record.no,
                at_ms: record.as_of_ms,
            })?;
        }
    }
    Ok(())
}
