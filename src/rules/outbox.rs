//! `outbox.toml`: where `leadmill deliver` sends what, and how carefully.

use std::net::IpAddr;
use std::time::Duration;

use chrono::TimeDelta;
use url::{Host, Url};

use super::decode::Table;
use super::diagnostics::{Place, did_you_mean};
use super::request::{ItemsOf, RequestCatalog, RequestShape, Sign};
use super::secret::{SecretSource, secret};

mod check;

/// Requests a second, unless the endpoint says otherwise.
const RATE: i64 = 10;
/// Requests at a time, unless the endpoint says otherwise.
const CONCURRENCY: i64 = 4;
/// Nobody needs more connections to one receiver.
const CONCURRENCY_MAX: i64 = 32;
/// How long a receiver has for an answer, unless the endpoint says otherwise: Standard Webhooks advises 15 to 30 s.
const TIMEOUT_SECONDS: i64 = 20;
/// Nobody waits longer for one answer.
const TIMEOUT_SECONDS_MAX: i64 = 60;
/// What stands for the id of a lead in its address.
const LEAD: &str = "{lead}";
/// A mail that is older than this puzzles whoever gets it.
const MAX_AGE_HOURS: i64 = 24;

/// A text that stands in the rules, or is as secret as a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// It stands in the rules.
    Plain(String),
    /// It is kept elsewhere.
    Secret(SecretSource),
}

/// What becomes of a delivery of which nobody knows whether it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnUnknown {
    /// It is sent again, the same bytes with the same id.
    Resend,
    /// It waits for somebody's look.
    Hold,
}

/// What 409 means at a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// It has the item already.
    Delivered,
    /// It refuses it.
    Refused,
}

/// How a connection for mail is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// From the first byte.
    Tls,
    /// After the server has agreed to; without that nothing is sent.
    StartTls,
    /// Not at all, which only a machine's own relay is good for.
    None,
}

/// An endpoint that takes requests over HTTP.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpEndpoint {
    /// Where requests go.
    pub url: Address,
    /// What they look like.
    pub shape: RequestShape,
    /// The target whose rows they carry; none for alerts.
    pub target: Option<String>,
    /// Most items of one request.
    pub batch: usize,
    /// What 409 means.
    pub conflict: Conflict,
    /// The endpoint that has the records under which those of this one are made.
    pub parent: Option<String>,
}

/// Who gets the mail of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DigestTo {
    /// Each owner who has an address, and of their own leads.
    Owners,
    /// Whoever reads this mailbox, of all leads and of what is out of order.
    Address(String),
}

/// An endpoint that takes mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpEndpoint {
    /// Name of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub encryption: Encryption,
    /// Who sends, to the server; nobody needs a secret without one.
    pub user: Option<String>,
    /// Name and address that mail is from.
    pub sender: (String, String),
    /// Steps of followup.toml whose mails go out here.
    pub steps: Vec<String>,
    /// Who gets the mail of a day; nobody if it is empty.
    pub digest: Vec<DigestTo>,
    /// Address of a lead in the CRM, for the mail of a day; `{lead}` stands for its id.
    pub lead_url: Option<String>,
    /// Page on which people take their consent back.
    pub unsubscribe_url: Option<String>,
    /// Mails that were due longer ago are not sent.
    pub max_age: TimeDelta,
}

impl SmtpEndpoint {
    /// Returns the address of `lead` in the CRM; empty where none is known.
    pub fn link_to(&self, lead: &str) -> String {
        self.lead_url.as_ref().map_or_else(String::new, |url| url.replace(LEAD, lead))
    }
}

/// What an endpoint speaks.
#[derive(Debug, Clone, PartialEq)]
pub enum Wire {
    /// HTTP.
    Http(Box<HttpEndpoint>),
    /// SMTP.
    Smtp(Box<SmtpEndpoint>),
}

impl Wire {
    /// Returns whether it is known to go out for everybody to read.
    fn is_plain(&self) -> bool {
        match self {
            Self::Http(http) => match &http.url {
                Address::Plain(url) => Url::parse(url).is_ok_and(|url| url.scheme() == "http"),
                Address::Secret(_) => false,
            },
            Self::Smtp(smtp) => smtp.encryption == Encryption::None,
        }
    }
}

/// One place that deliveries go to.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// Stable id.
    pub id: String,
    /// What it is for.
    pub because: String,
    /// Whether anything is sent there.
    pub is_on: bool,
    /// What it speaks.
    pub wire: Wire,
    /// The secret, where it takes one.
    pub secret: Option<SecretSource>,
    /// Most requests a second.
    pub rate: u32,
    /// Most requests at a time.
    pub concurrency: usize,
    /// How long it has for an answer.
    pub timeout: Duration,
    /// What becomes of deliveries of which nobody knows whether they arrived.
    pub on_unknown: OnUnknown,
    /// Whether it may lie in a private network.
    pub allow_private: bool,
    /// File with the authorities whose certificates it may show, and no others; the system's without it.
    pub ca_file: Option<String>,
    /// Where it stands.
    pub place: Place,
}

impl Endpoint {
    /// Returns what it speaks if that is HTTP.
    pub fn http(&self) -> Option<&HttpEndpoint> {
        match &self.wire {
            Wire::Http(http) => Some(http),
            Wire::Smtp(_) => None,
        }
    }

    /// Returns what it speaks if that is SMTP.
    pub fn smtp(&self) -> Option<&SmtpEndpoint> {
        match &self.wire {
            Wire::Http(_) => None,
            Wire::Smtp(smtp) => Some(smtp),
        }
    }

    /// Returns most items of one of its requests.
    pub fn batch(&self) -> usize {
        self.http().map_or(1, |http| http.batch)
    }
}

/// All endpoints, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OutboxPolicy {
    /// The endpoints.
    pub endpoints: Vec<Endpoint>,
}

impl OutboxPolicy {
    /// Reads `outbox.toml`; without one nothing is sent anywhere.
    pub fn decode(root: Option<&Table<'_>>, requests: &RequestCatalog) -> Self {
        let Some(root) = root else { return Self::default() };
        let endpoints = root.tables("endpoint", |table| decode_endpoint(table, requests));
        let endpoints: Vec<Endpoint> = endpoints.into_iter().flatten().collect();
        for (position, endpoint) in endpoints.iter().enumerate() {
            let mut earlier = endpoints[..position].iter();
            if let Some(first) = earlier.find(|earlier| earlier.id == endpoint.id) {
                let hint = format!("the first one is on line {}", first.place.line());
                let message = format!("endpoint `{}` exists already", endpoint.id);
                root.sink().error(&endpoint.place, message, Some(hint));
            }
        }
        Self { endpoints }
    }

    /// Iterates over those that something is sent to, in the order of the file.
    pub fn on(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter().filter(|endpoint| endpoint.is_on)
    }

    /// Returns the endpoint called `id`.
    pub fn get(&self, id: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.id == id)
    }

    /// Returns the endpoint that sends mails of `step`.
    pub fn sends_step(&self, step: &str) -> Option<(&Endpoint, &SmtpEndpoint)> {
        self.on().find_map(|endpoint| {
            let smtp = endpoint.smtp()?;
            smtp.steps.iter().any(|known| known == step).then_some((endpoint, smtp))
        })
    }
}

fn decode_endpoint(table: &Table<'_>, requests: &RequestCatalog) -> Option<Endpoint> {
    #[derive(Clone, Copy, PartialEq)]
    enum Kind {
        Http,
        Smtp,
    }
    let id = table.string("id");
    if id.contains('/') {
        table.error("id", "an id of an endpoint has no slash", None);
    }
    let kinds = [("http", Kind::Http), ("smtp", Kind::Smtp)];
    let kind = table.choice("kind", &kinds, Kind::Http);
    let has_secret = table.has("secret");
    let secret = secret(table, "secret");
    let allow_private = table.bool_or("allow-private", false);
    // Both are read, so that whoever mixes them is told of each key that is out of place.
    let http = decode_http(table, requests, kind == Kind::Http, allow_private, has_secret);
    let smtp = decode_smtp(table, kind == Kind::Smtp, allow_private, has_secret);
    let words = [("resend", OnUnknown::Resend), ("hold", OnUnknown::Hold)];
    // A receiver knows a request by its id; a mail that came twice is read twice, and a record is made twice.
    let is_known_again = http.as_ref().is_some_and(|http| http.shape.record.is_none());
    let usual = if is_known_again { OnUnknown::Resend } else { OnUnknown::Hold };
    let wire = match kind {
        Kind::Http => http.map(|http| Wire::Http(Box::new(http))),
        Kind::Smtp => smtp.map(|smtp| Wire::Smtp(Box::new(smtp))),
    };
    let ca_file = table.opt_string("ca-file");
    if ca_file.is_some() && wire.as_ref().is_some_and(Wire::is_plain) {
        let hint = "leave `ca-file` out, or encrypt".to_owned();
        table.error("ca-file", "nothing is encrypted here, so no certificate is shown", Some(hint));
    }
    let endpoint = Endpoint {
        id,
        because: table.string("because"),
        is_on: table.bool_or("enabled", true),
        secret,
        rate: table.opt_integer_in("rate", 1..=1_000_000).unwrap_or(RATE) as u32,
        concurrency: table.opt_integer_in("concurrency", 1..=CONCURRENCY_MAX).unwrap_or(CONCURRENCY)
            as usize,
        timeout: timeout(table),
        on_unknown: table.opt_choice("on-unknown", &words).unwrap_or(usual),
        allow_private,
        ca_file,
        place: table.place_of("id"),
        wire: wire?,
    };
    Some(endpoint)
}

fn timeout(table: &Table<'_>) -> Duration {
    let seconds = table.opt_duration_seconds("timeout").unwrap_or(TIMEOUT_SECONDS);
    if !(1..=TIMEOUT_SECONDS_MAX).contains(&seconds) {
        let hint = Some(format!("from 1s to {TIMEOUT_SECONDS_MAX}s"));
        table.error("timeout", "a receiver cannot have so long for an answer", hint);
    }
    Duration::from_secs(seconds.clamp(1, TIMEOUT_SECONDS_MAX) as u64)
}

fn out_of_place(table: &Table<'_>, keys: &[&str], kind: &str) {
    for key in keys {
        if table.has(key) {
            table.error(key, format!("`{key}` is for endpoints of kind `{kind}`"), None);
        }
    }
}

fn decode_http(
    table: &Table<'_>,
    requests: &RequestCatalog,
    is_this: bool,
    allow_private: bool,
    has_secret: bool,
) -> Option<HttpEndpoint> {
    let conflicts = [("delivered", Conflict::Delivered), ("refused", Conflict::Refused)];
    let conflict = table.opt_choice("treat-409-as", &conflicts).unwrap_or(Conflict::Refused);
    let (request, target) = (table.opt_string("request"), table.opt_string("target"));
    let batch = table.opt_integer("batch");
    let parent = table.opt_string("parent");
    let hidden = secret(table, "url-from");
    let url = table.opt_string("url");
    if !is_this {
        let keys = ["request", "target", "batch", "url", "url-from", "treat-409-as", "parent"];
        out_of_place(table, &keys, "http");
        return None;
    }
    let url = match (url, hidden) {
        (Some(_), Some(_)) => {
            table.error("url-from", "`url` and `url-from` are two addresses", None);
            return None;
        }
        (None, Some(source)) => Address::Secret(source),
        (Some(url), None) => {
            check_url(table, "url", &url, allow_private);
            Address::Plain(url)
        }
        (None, None) => {
            if !table.has("url-from") {
                table.missing("url");
            }
            return None;
        }
    };
    let Some(request) = request else {
        table.missing("request");
        return None;
    };
    let Some(shape) = requests.get(&request).cloned() else {
        let ids: Vec<&str> = requests.iter().map(|shape| &*shape.id).collect();
        let hint = did_you_mean(&request, ids.iter().copied()).map_or_else(
            || format!("known requests: {}", ids.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        table.lacks("requests", "request", format!("there is no request `{request}`"), Some(hint));
        return None;
    };
    check_shape(table, &shape, target.is_some(), has_secret);
    let is_under = shape.record.as_ref().is_some_and(|record| record.parent_as.is_some());
    if is_under != parent.is_some() {
        let hint =
            "a request with `parent-as` names by `parent` the endpoint that has those records";
        let message = format!("`parent` and request `{}` do not fit together", shape.id);
        table.error("request", message, Some(hint.to_owned()));
    }
    let most = shape.batch_max as i64;
    if batch.is_some_and(|batch| !(1..=most).contains(&batch)) {
        let message = format!("request `{}` holds from 1 to {most} items", shape.id);
        table.error("batch", message, None);
    }
    let batch = batch.unwrap_or(most).clamp(1, most) as usize;
    Some(HttpEndpoint { url, shape, target, batch, conflict, parent })
}

fn check_shape(table: &Table<'_>, shape: &RequestShape, has_target: bool, has_secret: bool) {
    if (shape.of == ItemsOf::Rows) != has_target {
        let (message, hint) = match shape.of {
            ItemsOf::Rows => {
                ("an endpoint for rows names the target that they are of", "add `target`")
            }
            ItemsOf::Alerts => ("an alert is a row of no target", "leave `target` out"),
        };
        table.error("request", message, Some(hint.to_owned()));
    }
    if (shape.sign != Sign::None) != has_secret {
        let (message, hint) = if has_secret {
            (format!("request `{}` is not signed", shape.id), "leave `secret` out")
        } else {
            let hint = "add secret = { env = \"NAME\" } or { file = \"PATH\" }";
            (format!("request `{}` is signed, and there is no `secret`", shape.id), hint)
        };
        table.error("request", message, Some(hint.to_owned()));
    }
}

/// Says what is wrong with `url` as an address to send to.
pub fn url_fault(url: &str, allow_private: bool) -> Option<(String, &'static str)> {
    let Ok(parsed) = Url::parse(url) else {
        return Some(("this is no address".to_owned(), "write it whole: https://example.com/hook"));
    };
    if parsed.password().is_some() || !parsed.username().is_empty() {
        return Some(("an address holds no password".to_owned(), "use `secret`"));
    }
    let has_host = parsed.host().is_some();
    match parsed.scheme() {
        "https" if has_host => None,
        "http" if has_host && (allow_private || is_own_machine(parsed.host().as_ref())) => None,
        "http" => Some((
            "whoever stands on the way could read this".to_owned(),
            "use https; http is for this machine itself, or with allow-private = true",
        )),
        other => Some((format!("`{other}` cannot be sent to"), "use https")),
    }
}

fn check_url(table: &Table<'_>, key: &str, url: &str, allow_private: bool) {
    if let Some((message, hint)) = url_fault(url, allow_private) {
        // A message shows the line that it is about, and nobody is to read a password there.
        let key = if url.contains('@') { "id" } else { key };
        table.error(key, message, Some(hint.to_owned()));
    }
}

/// Returns whether `host` is this machine, by its name or its address.
pub fn is_own_machine(host: Option<&Host<&str>>) -> bool {
    match host {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The same of a name that stands in no address.
pub fn is_own_host(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Reads who gets the mail of a day.
fn digest(table: &Table<'_>) -> Vec<DigestTo> {
    let read = |(word, place): (String, Place)| {
        if word == "owners" {
            return Some(DigestTo::Owners);
        }
        if is_mailbox(&word) {
            return Some(DigestTo::Address(word));
        }
        let hint = "\"owners\", or an e-mail address".to_owned();
        table.sink().error(&place, format!("nobody is called `{word}`"), Some(hint));
        None
    };
    table.located_strings("digest").into_iter().filter_map(read).collect()
}

fn is_mailbox(text: &str) -> bool {
    text.contains('@') && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

fn decode_smtp(
    table: &Table<'_>,
    is_this: bool,
    allow_private: bool,
    has_secret: bool,
) -> Option<SmtpEndpoint> {
    let words =
        [("tls", Encryption::Tls), ("starttls", Encryption::StartTls), ("none", Encryption::None)];
    let host = table.opt_string("host");
    let port = table.opt_integer_in("port", 1..=65_535);
    let encryption = table.opt_choice("encryption", &words).unwrap_or(Encryption::Tls);
    let user = table.opt_string("user");
    let sender = table.table("sender", |inner| (inner.string("name"), inner.string("address")));
    let steps = table.strings("steps");
    let digest = digest(table);
    let lead_url = table.opt_string("lead-url");
    let unsubscribe_url = table.opt_string("unsubscribe-url");
    let max_age = table.opt_duration_seconds("max-age").and_then(TimeDelta::try_seconds);
    if !is_this {
        let keys = [
            "host",
            "port",
            "encryption",
            "user",
            "sender",
            "steps",
            "digest",
            "lead-url",
            "unsubscribe-url",
            "max-age",
        ];
        out_of_place(table, &keys, "smtp");
        return None;
    }
    for (key, is_there) in [("host", host.is_some()), ("sender", sender.is_some())] {
        if !is_there {
            table.missing(key);
        }
    }
    let (host, sender) = (host?, sender?);
    if !is_mailbox(&sender.1) {
        table.error("sender", format!("`{}` is no e-mail address", sender.1), None);
    }
    if steps.is_empty() && digest.is_empty() {
        let hint = "such as steps = [\"confirmation\"], or digest = [\"owners\"]".to_owned();
        table.error("id", "a mail endpoint says what it sends: `steps` or `digest`", Some(hint));
    }
    if lead_url.as_ref().is_some_and(|url| !url.contains(LEAD)) {
        let hint = format!("such as https://crm.example/search?q={LEAD}");
        table.error("lead-url", format!("`{LEAD}` is not in it"), Some(hint));
    }
    if encryption == Encryption::None && !is_own_host(&host) && !allow_private {
        let hint =
            "use tls or starttls; `none` is for this machine itself, or with allow-private = true";
        table.error(
            "encryption",
            "whoever stands on the way could read this",
            Some(hint.to_owned()),
        );
    }
    if user.is_some() != has_secret {
        let hint = "a user has a password, and a password a user".to_owned();
        table.error("id", "`user` and `secret` do not fit together", Some(hint));
    }
    if let Some(url) = &unsubscribe_url {
        check_url(table, "unsubscribe-url", url, false);
    }
    let usual_port = match encryption {
        Encryption::Tls => 465,
        Encryption::StartTls => 587,
        Encryption::None => 25,
    };
    Some(SmtpEndpoint {
        host,
        port: port.map_or(usual_port, |port| port as u16),
        encryption,
        user,
        sender,
        steps,
        digest,
        lead_url,
        unsubscribe_url,
        max_age: max_age.unwrap_or(TimeDelta::hours(MAX_AGE_HOURS)),
    })
}
