//! Whether endpoints fit the targets whose rows they carry, the plans whose mails they send, and each other.

use super::{Endpoint, HttpEndpoint, OutboxPolicy, SmtpEndpoint, Wire};
use crate::model::task::TaskChannel;
use crate::rules::decode::Sink;
use crate::rules::diagnostics::did_you_mean;
use crate::rules::followup::FollowupPolicy;
use crate::rules::target::TargetCatalog;

impl OutboxPolicy {
    /// Reports endpoints that do not fit the targets and plans; mistakes go to `sink`.
    pub(in crate::rules) fn check(
        &self,
        targets: &TargetCatalog,
        followup: &FollowupPolicy,
        sink: &Sink,
    ) {
        for endpoint in &self.endpoints {
            if targets.get(&endpoint.id).is_some() {
                let message = format!("`{}` is the id of a target already", endpoint.id);
                let hint = "what was sent and what a file held are two things: name it otherwise";
                sink.error(&endpoint.place, message, Some(hint.to_owned()));
            }
            match &endpoint.wire {
                Wire::Http(http) => {
                    check_rows(endpoint, http, targets, sink);
                    self.check_parent(endpoint, http, targets, sink);
                }
                Wire::Smtp(smtp) => self.check_steps(endpoint, smtp, followup, sink),
            }
        }
    }

    /// Reports a parent whose records would never be those that this endpoint waits for.
    fn check_parent(
        &self,
        endpoint: &Endpoint,
        http: &HttpEndpoint,
        targets: &TargetCatalog,
        sink: &Sink,
    ) {
        let Some(id) = &http.parent else { return };
        let parent = self.get(id).and_then(|parent| Some((parent, parent.http()?)));
        let parent = parent.filter(|(_, parent)| {
            parent.shape.record.as_ref().is_some_and(|record| record.parent_as.is_none())
        });
        let rows_of = |http: &HttpEndpoint| {
            let target = http.target.as_deref().and_then(|id| targets.get(id));
            target.map(|target| target.rows_of)
        };
        let (message, hint) = match parent {
            None => (
                format!("`{id}` is no endpoint that records can be made under"),
                "name one whose request has `record-at`, and no `parent-as` of its own",
            ),
            Some((parent, _)) if endpoint.is_on && !parent.is_on => (
                format!("`{id}` is off, so nothing gets a record that this could be made under"),
                "switch it on, or this one off as well",
            ),
            Some((_, parent)) if parent.target.is_none() => (
                format!("`{id}` has records of alerts, and this makes some of rows"),
                "name an endpoint with a `target`",
            ),
            Some((_, parent)) => match (rows_of(parent), rows_of(http)) {
                (Some(theirs), Some(own)) if theirs != own => (
                    format!("`{id}` has records of other rows than this endpoint"),
                    "name one whose target has the same `rows-of`",
                ),
                _ => return,
            },
        };
        sink.error(&endpoint.place, message, Some(hint.to_owned()));
    }

    fn check_steps(
        &self,
        endpoint: &Endpoint,
        smtp: &SmtpEndpoint,
        followup: &FollowupPolicy,
        sink: &Sink,
    ) {
        let mails = || {
            let steps = followup.plans.iter().flat_map(|plan| &plan.steps);
            steps.filter(|step| step.channel == TaskChannel::Email)
        };
        for id in &smtp.steps {
            let Some(step) = mails().find(|step| step.id == *id) else {
                let hint = did_you_mean(id, mails().map(|step| &*step.id)).map_or_else(
                    || "steps of followup.toml with channel = \"email\"".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                let message = format!("no plan has a mail `{id}`");
                sink.error(&endpoint.place, message, Some(hint));
                continue;
            };
            if step.template.is_none() {
                let hint = "give the step a `template` in followup.toml".to_owned();
                let message = format!("step `{id}` has no text that could be sent");
                sink.error(&endpoint.place, message, Some(hint));
            }
            let first = self.sends_step(id).map(|(first, _)| first);
            if endpoint.is_on && first.is_some_and(|first| first.id != endpoint.id) {
                let message = format!("mails of `{id}` go out by another endpoint already");
                sink.error(&endpoint.place, message, None);
            }
        }
    }
}

fn check_rows(endpoint: &Endpoint, http: &HttpEndpoint, targets: &TargetCatalog, sink: &Sink) {
    let HttpEndpoint { shape, target, .. } = http;
    let Some(id) = target else { return };
    let Some(target) = targets.get(id) else {
        let hint = did_you_mean(id, targets.iter().map(|target| &*target.id)).map_or_else(
            || "`leadmill target list` names them".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        sink.lacks("targets", &endpoint.place, format!("there is no target `{id}`"), Some(hint));
        return;
    };
    let mut headers: Vec<String> =
        target.columns.iter().map(|column| column.header.clone()).collect();
    headers.dedup();
    if let Some(fault) = shape.try_out(&headers) {
        let message = format!("request `{}` cannot be made of target `{id}`: {fault}", shape.id);
        let hint = format!("the shape is in {}", shape.place.file.path);
        sink.error(&endpoint.place, message, Some(hint));
    }
}
