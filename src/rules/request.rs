//! Requests: the shapes in which receivers take what is sent to them (`requests/*.toml`).
//!
//! A shape is data: how one item is written as JSON, what stands around several, how the request is signed and how
//! the reply tells what became of each. A receiver that makes a record of each item and knows it only by an id of its
//! own says with `record-at` where that id stands in its reply. A new receiver is a new file here and no code.

use minijinja::value::Value as Shown;
use minijinja::{Environment, Error, UndefinedBehavior};
use serde_json::{Map, Value};

use super::decode::{Sink, Table, document};
use super::diagnostics::{Place, RuleText};

/// Items of one request, at most.
const BATCH_MAX: i64 = 1_000;

/// What one item of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemsOf {
    /// A row of a target.
    Rows,
    /// An alert that somebody is told.
    Alerts,
}

impl ItemsOf {
    const ALL: &[(&str, ItemsOf)] = &[("rows", Self::Rows), ("alerts", Self::Alerts)];
}

/// How a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
}

impl Method {
    const ALL: &[(&str, Method)] =
        &[("POST", Self::Post), ("PUT", Self::Put), ("PATCH", Self::Patch)];
}

/// How the receiver knows who sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sign {
    /// It does not; or by the address alone.
    None,
    /// `Authorization: Bearer SECRET`
    Bearer,
    /// The secret in this header.
    Header(String),
    /// Standard Webhooks 1.0.0: `webhook-id`, `webhook-timestamp` and `webhook-signature`.
    StandardWebhooks,
}

/// How a reply tells what became of each item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Results {
    /// Its status is for all.
    Status,
    /// A list in the order of the request, each with `success` and `errors`.
    InOrder,
    /// Lists `results` and `errors` that name items by their trace id.
    ByTrace,
}

impl Results {
    const ALL: &[(&str, Results)] =
        &[("status", Self::Status), ("in-order", Self::InOrder), ("by-trace", Self::ByTrace)];
}

/// What a receiver makes of an item and knows by an id of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordShape {
    /// Where in the reply the record's id stands: members of objects, from the outside.
    pub at: Vec<String>,
    /// How a record is changed that is known, at the address with its id behind; without it records are made once and
    /// left alone from then on.
    pub update: Option<Method>,
    /// The member of an item that holds the id of the record under which it is made, at another endpoint.
    pub parent_as: Option<String>,
}

/// One shape of a request.
#[derive(Debug, Clone)]
pub struct RequestShape {
    /// Stable id.
    pub id: String,
    /// Name as people say it.
    pub name: String,
    /// What it is for.
    pub because: String,
    /// Where the shape is to be read.
    pub source: String,
    /// What one item is.
    pub of: ItemsOf,
    /// How the request is made.
    pub method: Method,
    /// How the receiver knows who sends.
    pub sign: Sign,
    /// Header that carries the id of the request, by which a receiver knows it again.
    pub id_header: Option<String>,
    /// Most items of one request.
    pub batch_max: usize,
    /// What stands before the items.
    pub before: String,
    /// What stands behind them.
    pub after: String,
    /// How the reply tells what became of each item.
    pub results: Results,
    /// What the receiver makes of an item, where the id of that is its own.
    pub record: Option<RecordShape>,
    /// Where the shape stands.
    pub place: Place,
    each: String,
    environment: Environment<'static>,
}

impl PartialEq for RequestShape {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

/// What an item can show.
#[derive(Debug, Clone, Copy)]
pub struct ItemFacts<'a> {
    /// Id of the item: the lead's, the task's, the conversion's or the alert's.
    pub item: &'a str,
    /// The instant of the run, RFC 3339 in UTC.
    pub at: &'a str,
    /// The row by the headers of its target; of an alert `rule` and `text`.
    pub row: &'a Map<String, Value>,
}

/// All shapes, sorted by id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RequestCatalog {
    shapes: Vec<RequestShape>,
}

impl RequestCatalog {
    /// Reads one shape from each of `files`; mistakes go to `sink`.
    pub fn decode(files: &[&RuleText], sink: &Sink) -> Self {
        let mut shapes: Vec<RequestShape> = Vec::new();
        for file in files {
            document(file, sink, |root| {
                let shape = root.table("request", decode_shape);
                if shape.is_none() && !root.has("request") {
                    root.missing("request");
                }
                shapes.extend(shape);
            });
        }
        shapes.sort_by(|a, b| (&a.id, &a.place.file.path).cmp(&(&b.id, &b.place.file.path)));
        for pair in shapes.windows(2) {
            if pair[0].id == pair[1].id {
                let path = &pair[0].place.file.path;
                let message = format!("request `{}` exists already, in {path}", pair[1].id);
                sink.error(&pair[1].place, message, None);
            }
        }
        Self { shapes }
    }

    /// Returns the shape called `id`.
    pub fn get(&self, id: &str) -> Option<&RequestShape> {
        self.shapes.iter().find(|shape| shape.id == id)
    }

    /// Iterates in order of id.
    pub fn iter(&self) -> impl Iterator<Item = &RequestShape> {
        self.shapes.iter()
    }
}

impl RequestShape {
    /// Returns the JSON of one item.
    ///
    /// # Errors
    /// What MiniJinja says of a shape that shows what is not there.
    pub fn item(&self, facts: ItemFacts<'_>) -> Result<String, Error> {
        let ItemFacts { item, at, row } = facts;
        let lead = item.split('/').next().unwrap_or_default();
        let shown = Shown::from_pairs([
            ("item", Shown::from(item)),
            ("lead", Shown::from(lead)),
            ("at", Shown::from(at)),
            ("row", Shown::from_pairs(row.iter().map(|(key, value)| (key.as_str(), show(value))))),
        ]);
        self.environment.get_template(&self.id)?.render(shown)
    }

    /// Returns the body of a request that holds these items.
    pub fn body<'i>(&self, items: impl Iterator<Item = &'i [u8]>) -> Vec<u8> {
        let mut body = self.before.clone().into_bytes();
        for (at, item) in items.enumerate() {
            if at > 0 {
                body.push(b',');
            }
            body.extend_from_slice(item);
        }
        body.extend_from_slice(self.after.as_bytes());
        body
    }

    /// Returns the body of a request that makes the record of `item` under the one that is called `parent`.
    pub fn body_under(&self, item: &[u8], parent: Option<&str>) -> Vec<u8> {
        let parent_as = self.record.as_ref().and_then(|record| record.parent_as.as_deref());
        let Some((member, parent)) = parent_as.zip(parent) else {
            return self.body(std::iter::once(item));
        };
        // `try_out` has seen to it that an item is an object.
        let id = parent.parse::<u64>().map_or_else(|_| Value::from(parent), Value::from);
        let mut under = format!("{{{}:{id}", Value::from(member)).into_bytes();
        let rest =
            item.trim_ascii_start().strip_prefix(b"{").unwrap_or_default().trim_ascii_start();
        if !rest.starts_with(b"}") {
            under.push(b',');
        }
        under.extend_from_slice(rest);
        self.body(std::iter::once(under.as_slice()))
    }

    /// Tries the shape out on a row with these headers; returns what is wrong with it.
    pub(super) fn try_out(&self, headers: &[String]) -> Option<String> {
        for text in ["x", "\"\\\n<'{{", ""] {
            let row = headers.iter().map(|header| (header.clone(), Value::from(text))).collect();
            let facts =
                ItemFacts { item: "LM-000000000000", at: "2026-01-01T00:00:00Z", row: &row };
            let item = match self.item(facts) {
                Ok(item) => item,
                Err(fault) => return Some(words(&fault)),
            };
            if self.record.is_some() && !item.trim_start().starts_with('{') {
                return Some("what it makes of an item is no object".to_owned());
            }
            let items = [item.as_bytes(), item.as_bytes()];
            let count = self.batch_max.min(items.len());
            let body = match &self.record {
                Some(_) => self.body_under(items[0], Some("1")),
                None => self.body(items.into_iter().take(count)),
            };
            if let Err(fault) = serde_json::from_slice::<Value>(&body) {
                return Some(format!("what it makes is no JSON: {fault}"));
            }
        }
        None
    }
}

/// Returns `value` as a template shows it.
fn show(value: &Value) -> Shown {
    match value {
        Value::Null => Shown::from(()),
        Value::Bool(flag) => Shown::from(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Shown::from(whole),
            None => Shown::from(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Shown::from(text.as_str()),
        Value::Array(items) => items.iter().map(show).collect(),
        Value::Object(entries) => {
            Shown::from_pairs(entries.iter().map(|(key, value)| (key.as_str(), show(value))))
        }
    }
}

fn decode_shape(table: &Table<'_>) -> RequestShape {
    let id = table.string("id");
    let batch_max = table.opt_integer_in("batch", 1..=BATCH_MAX).unwrap_or(1);
    let each = table.string("each");
    let environment = compile(table, &id, &each);
    let results = table.opt_choice("results", Results::ALL).unwrap_or(Results::Status);
    let record = record(table, batch_max == 1 && results == Results::Status);
    RequestShape {
        name: table.string("name"),
        because: table.string("because"),
        source: table.string("source"),
        of: table.opt_choice("of", ItemsOf::ALL).unwrap_or(ItemsOf::Rows),
        method: table.opt_choice("method", Method::ALL).unwrap_or(Method::Post),
        sign: sign(table),
        id_header: header(table, "id-header"),
        batch_max: batch_max as usize,
        before: table.opt_string("before").unwrap_or_default(),
        after: table.opt_string("after").unwrap_or_default(),
        results,
        record,
        place: table.place().clone(),
        id,
        each,
        environment,
    }
}

/// Reads what the receiver makes of an item; `is_of_one` says that a request and its reply are about one.
fn record(table: &Table<'_>, is_of_one: bool) -> Option<RecordShape> {
    let at = table.opt_string("record-at");
    let update = table.opt_choice("update", Method::ALL);
    let parent_as = table.opt_string("parent-as");
    let Some(at) = at else {
        for key in ["update", "parent-as"].into_iter().filter(|key| table.has(key)) {
            let hint = "such as record-at = \"data.id\"".to_owned();
            let message = format!("`{key}` is for receivers whose reply tells the id of a record");
            table.error(key, message, Some(hint));
        }
        return None;
    };
    let at: Vec<String> = at.split('.').map(str::to_owned).collect();
    if at.iter().any(String::is_empty) {
        let hint = "the members of the reply, from the outside: data.id".to_owned();
        table.error("record-at", "this is no place in a reply", Some(hint));
    }
    if !is_of_one {
        let hint = "leave out `batch` and `results`".to_owned();
        table.error("record-at", "a request that makes a record is of one item", Some(hint));
    }
    Some(RecordShape { at, update, parent_as })
}

fn compile(table: &Table<'_>, id: &str, each: &str) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    if let Err(fault) = environment.add_template_owned(id.to_owned(), each.to_owned()) {
        table.error("each", words(&fault), None);
        // A name must be there all the same, or every endpoint that names it would be told so, too.
        let _ = environment.add_template_owned(id.to_owned(), "null".to_owned());
    }
    environment
}

fn words(fault: &Error) -> String {
    let detail = fault.detail().map_or(String::new(), |detail| format!(": {detail}"));
    format!("{}{detail}", fault.kind())
}

fn sign(table: &Table<'_>) -> Sign {
    let words = [("none", 0), ("bearer", 1), ("header", 2), ("standard-webhooks", 3)];
    let header = header(table, "secret-header");
    let sign = table.opt_choice("sign", &words).unwrap_or(0);
    if header.is_some() != (sign == 2) {
        let hint = "sign = \"header\" puts the secret into `secret-header`, and nothing else does";
        table.error(
            "sign",
            "`sign` and `secret-header` do not fit together",
            Some(hint.to_owned()),
        );
    }
    match sign {
        1 => Sign::Bearer,
        2 => Sign::Header(header.unwrap_or_default()),
        3 => Sign::StandardWebhooks,
        _ => Sign::None,
    }
}

fn header(table: &Table<'_>, key: &str) -> Option<String> {
    let name = table.opt_string(key)?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if name.is_empty() || !name.bytes().all(is_name) {
        table.error(key, format!("`{name}` is no name of a header"), None);
    }
    Some(name)
}

impl RequestShape {
    /// Returns what the bodies that it makes follow from.
    pub fn definition(&self) -> [&str; 3] {
        [&self.each, &self.before, &self.after]
    }

    /// Returns whether it makes records once, and leaves those alone that are there.
    pub fn only_makes(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.update.is_none())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shape(more: &str) -> RequestShape {
        let text =
            format!("[request]\nid = \"x\"\nname = \"X\"\nbecause = \"y\"\nsource = \"z\"\n{more}");
        let file = RuleText { path: "rules/requests/x.toml".into(), text: text.into() };
        let sink = Sink::default();
        let catalog = RequestCatalog::decode(&[&file], &sink);
        assert_eq!(sink.take(), []);
        catalog.get("x").unwrap().clone()
    }

    #[track_caller]
    fn check(each: &str, row: &Value, expected: Option<&Value>) {
        let shape = shape(&format!("batch = 2\nbefore = '['\nafter = ']'\neach = '{each}'\n"));
        let row = row.as_object().unwrap();
        let facts = ItemFacts { item: "LM-1/hot/call", at: "2026-01-01T00:00:00Z", row };
        let item = shape.item(facts).ok();
        let body = item.map(|item| shape.body([item.as_bytes(), item.as_bytes()].into_iter()));
        let found = body.map(|body| serde_json::from_slice::<Value>(&body).unwrap());
        assert_eq!(found, expected.map(|one| json!([one, one])), "{each}");
    }

    #[test]
    fn an_item_shows_the_row_and_what_it_is() {
        let row = json!({"email": "a\"\\\n<b>", "score": 7, "owner": {"tags": ["x", true, 1.5]}});
        check("{{ row | tojson }}", &row, Some(&row));
        check(
            "[{{ item | tojson }},{{ lead | tojson }}]",
            &row,
            Some(&json!(["LM-1/hot/call", "LM-1"])),
        );
        check(
            "{\"a\":1,{{ (row | tojson)[1:] }}",
            &json!({"b": 2}),
            Some(&json!({"a": 1, "b": 2})),
        );
        check("{{ row.email | tojson }}", &row, Some(&json!("a\"\\\n<b>")));
    }

    #[test]
    fn what_is_not_there_is_null_and_no_text_can_be_made_of_it() {
        check("{{ row.email | tojson }}", &json!({}), Some(&Value::Null));
        check("{{ row.email }}", &json!({}), None);
        check("{{ (\"x\" ~ row.email) | tojson }}", &json!({}), None);
    }

    #[test]
    fn a_record_is_made_under_another() {
        let under = |each: &str, parent: Option<&str>| {
            let shape = shape(&format!(
                "record-at = \"data.id\"\nupdate = \"PATCH\"\nparent-as = \"person_id\"\neach = '{each}'\n"
            ));
            String::from_utf8(shape.body_under(each.as_bytes(), parent)).unwrap()
        };
        assert_eq!(under("{\"a\":1}", Some("501")), "{\"person_id\":501,\"a\":1}");
        assert_eq!(under("{\"a\":1}", Some("x-\"1")), "{\"person_id\":\"x-\\\"1\",\"a\":1}");
        assert_eq!(under(" { }", Some("7")), "{\"person_id\":7}");
        assert_eq!(under("{\"a\":1}", None), "{\"a\":1}");
    }

    #[test]
    fn every_shipped_shape_makes_json() {
        let texts = super::super::embedded::texts();
        let (rules, _) = super::super::RuleSet::parse(&texts).unwrap();
        assert!(rules.outbox.endpoints.is_empty(), "nothing is sent anywhere by itself");
        let files: Vec<&RuleText> =
            texts.iter().filter(|text| text.path.starts_with("rules/requests/")).collect();
        let catalog = RequestCatalog::decode(&files, &Sink::default());
        assert!(catalog.iter().count() >= 6);
        for shape in catalog.iter() {
            let headers = ["email", "name", "title", "text"].map(str::to_owned);
            assert_eq!(shape.try_out(&headers), None, "{}", shape.id);
        }
    }
}
