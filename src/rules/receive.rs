//! `receive.toml`: where forms are posted to, who may post, and how much.

mod network;

use std::collections::BTreeMap;

use url::Url;

pub use network::Network;

use super::decode::Table;
use super::diagnostics::{Place, did_you_mean};
use super::secret::{SecretSource, secret};

/// The path that tells whether the receiver lives; no form can have it.
pub const HEALTH_PATH: &str = "/health";

/// Bytes of a request's body at most, unless a form says otherwise: a long form has a few thousand.
const BODY_BYTES: u64 = 64 << 10;
/// The most that a form can allow: what a run takes as one record by default.
const BODY_BYTES_MAX: i64 = 1 << 20;
/// How long a file is written before it is closed; a run closes it whenever it wants to read it.
const CLOSE_AFTER_SECONDS: i64 = 3_600;
/// How long the same words of a visitor are the same enquiry: a second click, a reload, a phone that tried again.
const VISITORS_REPEAT_SECONDS: i64 = 86_400;
/// How long a service may send the same event again: Standard Webhooks tries for 75 hours, others for days.
const SERVICES_REPEAT_SECONDS: i64 = 8 * 86_400;
/// Longer is more than is kept in memory for it.
const REPEAT_SECONDS_MAX: i64 = 31 * 86_400;

/// What may be received.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceivePolicy {
    /// Endpoints, in file order.
    pub forms: Vec<Form>,
    /// Whose word about the address of a sender counts (`X-Forwarded-For`).
    pub trusted_proxies: Vec<Network>,
    /// How long a file is written before it is closed, in seconds.
    pub close_after_seconds: i64,
}

/// An endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// Stable id: part of the names of files.
    pub id: String,
    /// Path of its URL.
    pub path: String,
    /// Id of the preset by which a run reads what comes in.
    pub source: String,
    /// How a sender proves that they may send.
    pub check: Check,
    /// Who sends.
    pub sender: Sender,
    /// Pages whose scripts may send; `*` for all.
    pub origins: Vec<String>,
    /// Fields that people cannot see.
    pub honeypot: Vec<String>,
    /// Fields that must be filled in.
    pub required: Vec<String>,
    /// Fields of which one must be filled in; empty for none.
    pub required_any: Vec<String>,
    /// Fields that are not kept.
    pub drop: Vec<String>,
    /// Bytes of a body at most.
    pub body_bytes_max: u64,
    /// Requests a minute in all.
    pub per_minute: u32,
    /// Requests a minute from one address; none for as many as in all.
    pub per_address_per_minute: Option<u32>,
    /// How long the same content is the same submission, in seconds.
    pub repeats_within_seconds: i64,
    /// Where a browser goes that sent a plain HTML form.
    pub thank_you: Option<String>,
    /// Why.
    pub because: String,
    /// Where the rule is written.
    pub place: Place,
}

/// Who sends to a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The person themselves: their address and browser are evidence for a consent.
    Visitor,
    /// A service on their behalf: its address and program say nothing about the person.
    Service,
}

impl Sender {
    /// Every sender with its word, in order.
    pub const ALL: &[(&str, Sender)] = &[("visitor", Self::Visitor), ("service", Self::Service)];
}

/// How a sender proves that they may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// Not at all.
    None,
    /// They know a secret, which stands there.
    SharedSecret(SecretSource, SecretPlace),
    /// Meta signs the body with the first, and asks beforehand whether the endpoint knows the second.
    Meta(SecretSource, SecretSource),
    /// Typeform signs the body.
    Typeform(SecretSource),
    /// Webflow signs the body and the time.
    Webflow(SecretSource),
    /// Google Ads puts a key into the body.
    GoogleAds(SecretSource),
    /// Whoever follows Standard Webhooks signs an id, the time and the body.
    StandardWebhooks(SecretSource),
}

/// Where a shared secret stands in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// In a header.
    Header(String),
    /// In a field of the body, which is not kept.
    Field(String),
}

/// The word of a check, before its secrets are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CheckKind {
    None,
    SharedSecret,
    Meta,
    Typeform,
    Webflow,
    GoogleAds,
    StandardWebhooks,
}

const CHECK_KINDS: &[(&str, CheckKind)] = &[
    ("none", CheckKind::None),
    ("shared-secret", CheckKind::SharedSecret),
    ("meta", CheckKind::Meta),
    ("typeform", CheckKind::Typeform),
    ("webflow", CheckKind::Webflow),
    ("google-ads", CheckKind::GoogleAds),
    ("standard-webhooks", CheckKind::StandardWebhooks),
];

impl Default for ReceivePolicy {
    fn default() -> Self {
        Self {
            forms: Vec::new(),
            trusted_proxies: Vec::new(),
            close_after_seconds: CLOSE_AFTER_SECONDS,
        }
    }
}

impl ReceivePolicy {
    /// Reads `receive.toml`; `sources` are the ids of the presets that there are.
    pub fn decode(root: Option<&Table<'_>>, sources: &[&str]) -> Self {
        let Some(root) = root else { return Self::default() };
        let close_after = root.opt_duration_seconds("close-after").unwrap_or(CLOSE_AFTER_SECONDS);
        if close_after == 0 {
            let hint = "a run closes what it wants to read; 1h is usual".to_owned();
            root.error("close-after", "`close-after` has to be above 0", Some(hint));
        }
        let policy = Self {
            trusted_proxies: trusted_proxies(root),
            close_after_seconds: close_after,
            forms: root.tables("form", |table| decode_form(table, sources)),
        };
        let by_id = |form: &Form| form.id.clone();
        policy.refuse_doubles(root, "form", "give each form an id of its own", by_id);
        let by_path = |form: &Form| form.path.clone();
        policy.refuse_doubles(root, "path", "give each form a path of its own", by_path);
        policy
    }

    fn refuse_doubles(
        &self,
        root: &Table<'_>,
        what: &str,
        hint: &str,
        key: impl Fn(&Form) -> String,
    ) {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for form in self.forms.iter().filter(|form| !key(form).is_empty()) {
            if let Some(line) = seen.insert(key(form), form.place.line()) {
                let message = format!("{what} `{}` exists already (line {line})", key(form));
                root.sink().error(&form.place, message, Some(hint.to_owned()));
            }
        }
    }
}

fn trusted_proxies(root: &Table<'_>) -> Vec<Network> {
    let mut networks = Vec::new();
    for (text, place) in root.located_strings("trusted-proxies") {
        match text.parse() {
            Ok(network) => networks.push(network),
            Err(_) => {
                let hint = "an address or a network, such as 127.0.0.1 or 10.0.0.0/8".to_owned();
                root.sink().error(&place, format!("`{text}` is no network"), Some(hint));
            }
        }
    }
    networks
}

fn decode_form(table: &Table<'_>, sources: &[&str]) -> Form {
    let kind = table.choice("check", CHECK_KINDS, CheckKind::None);
    let is_visitor = matches!(kind, CheckKind::None);
    let usual = if is_visitor { Sender::Visitor } else { Sender::Service };
    let sender = table.opt_choice("sent-by", Sender::ALL).unwrap_or(usual);
    let (per_minute, per_address, repeats) = match sender {
        Sender::Visitor => (120, Some(10), VISITORS_REPEAT_SECONDS),
        Sender::Service => (600, None, SERVICES_REPEAT_SECONDS),
    };
    let form = Form {
        id: id(table),
        path: path(table),
        source: source(table, sources),
        check: decode_check(table, kind),
        sender,
        origins: origins(table),
        honeypot: table.strings("honeypot"),
        required: table.strings("required"),
        required_any: table.strings("required-any"),
        drop: table.strings("drop"),
        body_bytes_max: table
            .opt_integer_in("max-body-bytes", 1..=BODY_BYTES_MAX)
            .map_or(BODY_BYTES, |bytes| bytes as u64),
        per_minute: rate(table, "per-minute").unwrap_or(per_minute),
        per_address_per_minute: rate(table, "per-address-per-minute").or(per_address),
        repeats_within_seconds: repeats_within(table).unwrap_or(repeats),
        thank_you: thank_you(table),
        because: table.string("because"),
        place: table.place_of("id"),
    };
    let must = form.required.iter().chain(&form.required_any);
    for field in must.filter(|field| form.honeypot.contains(field)) {
        let message = format!("`{field}` cannot be required: only bots fill in a honeypot");
        table.error("honeypot", message, None);
    }
    form
}

fn id(table: &Table<'_>) -> String {
    let id = table.string("id");
    let is_sign = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_slug = id.chars().all(is_sign) && !id.contains("--") && id.len() <= 64;
    if !is_slug || id.starts_with('-') || id.ends_with('-') {
        let hint = "lower case letters, digits and single dashes, at most 64: it becomes part of the names of \
                    files"
            .to_owned();
        table.error("id", format!("`{id}` cannot be the id of a form"), Some(hint));
    }
    id
}

fn path(table: &Table<'_>) -> String {
    let path = table.string("path");
    let is_sign = |c: char| c.is_ascii_alphanumeric() || "/-_.".contains(c);
    if table.has("path") && !(path.starts_with('/') && path.chars().all(is_sign)) {
        let hint =
            "a slash and letters, digits, `-`, `_`, `.` or further slashes, such as /contact";
        table.error("path", format!("`{path}` cannot be a path"), Some(hint.to_owned()));
    } else if path == HEALTH_PATH {
        let hint = "whoever watches the receiver asks there; take another path".to_owned();
        table.error("path", format!("`{HEALTH_PATH}` says whether the receiver lives"), Some(hint));
    }
    path
}

fn source(table: &Table<'_>, sources: &[&str]) -> String {
    let source = table.string("source");
    // Without any there is nothing to hold it against: the presets themselves are at fault.
    if table.has("source") && !sources.is_empty() && !sources.contains(&source.as_str()) {
        let hint = did_you_mean(&source, sources.iter().copied()).map_or_else(
            || "the id of a preset in rules/sources; generic-json reads any form".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        table.lacks("sources", "source", format!("there is no source `{source}`"), Some(hint));
    }
    source
}

fn decode_check(table: &Table<'_>, kind: CheckKind) -> Check {
    // All that any check may have is asked for, so that an editor knows the keys.
    let secret = secret(table, "secret");
    let token = self::secret(table, "verify-token");
    let (header, field) = (table.opt_string("header"), table.opt_string("field"));
    let is_shared = kind == CheckKind::SharedSecret;
    for key in ["header", "field"].into_iter().filter(|key| !is_shared && table.has(key)) {
        let message = format!("`{key}` says where a shared secret stands, and this check has none");
        table.error(key, message, Some("say `check = \"shared-secret\"`".to_owned()));
    }
    if kind != CheckKind::Meta && table.has("verify-token") {
        table.error("verify-token", "only Meta asks for a token", None);
    }
    if kind == CheckKind::None && table.has("secret") {
        let hint = "say which by `check`, such as \"shared-secret\"".to_owned();
        table.error("secret", "nothing checks the secret", Some(hint));
    }
    let needed = |key: &str, found: Option<SecretSource>| {
        if !table.has(key) {
            table.missing(key);
        }
        found.unwrap_or_else(|| SecretSource::Env(String::new()))
    };
    let secret = || needed("secret", secret.clone());
    match kind {
        CheckKind::None => Check::None,
        CheckKind::SharedSecret => {
            Check::SharedSecret(secret(), secret_place(table, header, field))
        }
        CheckKind::Meta => Check::Meta(secret(), needed("verify-token", token)),
        CheckKind::Typeform => Check::Typeform(secret()),
        CheckKind::Webflow => Check::Webflow(secret()),
        CheckKind::GoogleAds => Check::GoogleAds(secret()),
        CheckKind::StandardWebhooks => Check::StandardWebhooks(secret()),
    }
}

fn secret_place(table: &Table<'_>, header: Option<String>, field: Option<String>) -> SecretPlace {
    match (header, field) {
        (Some(header), None) => {
            let is_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if header.is_empty() || !header.chars().all(is_token) {
                table.error("header", format!("`{header}` cannot be a header"), None);
            }
            SecretPlace::Header(header.to_ascii_lowercase())
        }
        (None, Some(field)) => SecretPlace::Field(field),
        _ => {
            let hint = "`header = \"X-Webhook-Secret\"` or `field = \"secret\"`".to_owned();
            table.error("check", "a shared secret stands in a header or in a field", Some(hint));
            SecretPlace::Field(String::new())
        }
    }
}

fn origins(table: &Table<'_>) -> Vec<String> {
    let mut origins = Vec::new();
    for (text, place) in table.located_strings("origins") {
        let own = Url::parse(&text).ok().map(|url| url.origin().ascii_serialization());
        if text == "*" || own.as_ref() == Some(&text) {
            origins.push(text);
            continue;
        }
        let hint = own.filter(|own| own != "null").map_or_else(
            || "scheme and host of a page, such as https://www.example.com, or \"*\"".to_owned(),
            |own| format!("without a path: {own}"),
        );
        table.sink().error(&place, format!("`{text}` is no origin"), Some(hint));
    }
    origins
}

fn thank_you(table: &Table<'_>) -> Option<String> {
    let text = table.opt_string("thank-you")?;
    let is_page = Url::parse(&text)
        .is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    if !is_page {
        let hint = "a whole address, such as https://www.example.com/thank-you".to_owned();
        table.error("thank-you", format!("`{text}` is no page"), Some(hint));
    }
    Some(text)
}

fn rate(table: &Table<'_>, key: &str) -> Option<u32> {
    table.opt_integer_in(key, 1..=1_000_000).map(|number| number as u32)
}

fn repeats_within(table: &Table<'_>) -> Option<i64> {
    let seconds = table.opt_duration_seconds("repeats-within")?;
    if seconds > REPEAT_SECONDS_MAX {
        table.error("repeats-within", "`repeats-within` goes up to 31d", None);
    }
    Some(seconds)
}

#[cfg(test)]
mod tests;
