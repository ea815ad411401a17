//! Requests: the shapes in which receivers take what is sent to them (`requests/*.toml`).
//!
//! A shape is data: how one item is written as JSON, what stands around several, how the request is signed and how
//! the reply tells what became of each. A new receiver is a new file here and no code.

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
            let items = [item.as_bytes(), item.as_bytes()];
            let count = self.batch_max.min(items.len());
            let body = self.body(items.into_iter().take(count));
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
        results: table.opt_choice("results", Results::ALL).unwrap_or(Results::Status),
        place: table.place().clone(),
        id,
        each,
        environment,
    }
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
    fn every_shipped_shape_makes_json() {
        let texts = super::super::embedded::texts();
        let (rules, _) = super::super::RuleSet::parse(&texts).unwrap();
        assert!(rules.outbox.endpoints.is_empty(), "nothing is sent anywhere by itself");
        let files: Vec<&RuleText> =
            texts.iter().filter(|text| text.path.starts_with("rules/requests/")).collect();
        let catalog = RequestCatalog::decode(&files, &Sink::default());
        assert!(catalog.iter().count() >= 4);
        for shape in catalog.iter() {
            let headers = ["email", "text"].map(str::to_owned);
            assert_eq!(shape.try_out(&headers), None, "{}", shape.id);
        }
    }
}
