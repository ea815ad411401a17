//! What tasks say: the texts of their templates, filled with what is known of the lead.

use anyhow::{Context as _, Result};

use super::publish::{read_as, rule_no};
use crate::delivery::mail::Draft;
use crate::followup::language_of;
use crate::model::field::FieldValues;
use crate::model::ids::RunNo;
use crate::model::lead::{Lead, display_name};
use crate::model::task::{Task, TaskChannel};
use crate::rules::RuleSet;
use crate::rules::template::field_of;
use crate::store::Store;

/// Fills in templates from the store.
#[derive(Clone, Copy)]
pub struct Messages<'a> {
    store: &'a Store,
    rules: &'a RuleSet,
}

impl<'a> Messages<'a> {
    /// Fills in the templates of `rules`.
    pub fn new(store: &'a Store, rules: &'a RuleSet) -> Self {
        Self { store, rules }
    }

    /// Returns what `task` says; `None` when its step has no template, or is no more.
    pub fn text(&self, task: &Task) -> Result<Option<String>> {
        // Most tasks have none, and then nobody has to be looked up.
        if self.template_of(task).is_none() {
            return Ok(None);
        }
        self.text_for(task, &self.store.lead_values(task.lead_no, &self.rules.fields)?)
    }

    /// Returns the same when the values of the task's lead are at hand.
    pub fn text_for(&self, task: &Task, values: &FieldValues) -> Result<Option<String>> {
        let Some(template) = self.template_of(task) else { return Ok(None) };
        let language = language_of(values);
        let value = |variable: &str| self.value(variable, task, values);
        let text = self.rules.templates.render(template, language, value);
        text.with_context(|| format!("fill in template {template} for {}", task.id()))
    }

    /// Returns the mail that `task` sends, ready to be sent; `None` when it sends none.
    pub fn draft(&self, task: &Task) -> Result<Option<Draft>> {
        let Some(address) =
            task.email.as_ref().filter(|_| task.planned.channel == TaskChannel::Email)
        else {
            return Ok(None);
        };
        let Some(text) = self.text(task)? else { return Ok(None) };
        let owner = task.owner.as_deref().and_then(|owner| self.rules.routing.owner(owner));
        let from = owner.filter(|owner| !owner.email.is_empty());
        // A lead without a name goes by its address.
        let name = if task.lead_name.contains('@') { "" } else { task.lead_name.as_str() };
        Ok(Some(Draft {
            task: task.id(),
            from: from.map(|owner| (owner.name.clone(), owner.email.clone())),
            to: (name.to_owned(), address.clone()),
            subject: task.planned.subject.clone(),
            text,
        }))
    }

    fn template_of(&self, task: &Task) -> Option<&'a str> {
        self.rules.followup.step(&task.planned.key)?.template.as_deref()
    }

    /// Returns the lead of `task`.
    pub fn lead(&self, task: &Task) -> Result<Lead> {
        let rule_no = |id: &str| rule_no(self.rules, id);
        self.store.lead(task.lead_no, read_as(self.rules, &rule_no, RunNo(0)))
    }

    /// Returns what templates call `variable`; empty where the lead has no such thing.
    fn value(&self, variable: &str, task: &Task, values: &FieldValues) -> String {
        let owner = || self.rules.routing.owner(task.owner.as_deref()?);
        match variable {
            "name" => display_name(values),
            "owner_name" => owner().map(|owner| owner.name.clone()).unwrap_or_default(),
            "owner_email" => owner().map(|owner| owner.email.clone()).unwrap_or_default(),
            field => {
                let number = self.rules.fields.number(&field_of(field));
                number.and_then(|no| values.get(no)).unwrap_or_default().to_owned()
            }
        }
    }
}
