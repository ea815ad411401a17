//! One request, from its head to its answer.
//!
//! What costs least is asked first: the path, the origin, the rate, the length; then the body is read, the sender
//! checked, the submission looked at, and only then it goes to the disk. An answer says `200` when all of it is kept.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, SecondsFormat, Utc};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, ORIGIN, REFERER,
    TRANSFER_ENCODING, USER_AGENT,
};
use hyper::{HeaderMap, Method, Request, StatusCode};

use super::address;
use super::answer::{self, Answer, Refusal};
use super::body::{self, BodyFault};
use super::committer::{Committer, Kept, NotKept};
use super::limiter::{Limiter, Rates};
use super::receipt::Receipt;
use super::record::{Addition, Record};
use super::{Clock, Endpoint, Event, Listener};
use crate::normalization::ip;
use crate::rules::receive::{HEALTH_PATH, Network, Sender};
use crate::rules::workspace::IpRule;

/// How long a body may take: a phone in a tunnel, not a sender who never ends.
const BODY_TIME: Duration = Duration::from_secs(15);
/// How much is read of a body that is too large, so that its sender gets to hear so.
const SURPLUS_BYTES: u64 = 1 << 20;
/// What came of a request that only asked whether the receiver lives.
const HEALTH: &str = "health";
/// Bytes of a header's value that are kept.
const HEADER_BYTES_MAX: usize = 1_024;

/// Everything that answering needs.
pub(super) struct Door {
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) trusted_proxies: Vec<Network>,
    pub(super) ip: IpRule,
    pub(super) committer: Committer,
    pub(super) limiter: Mutex<Limiter>,
    pub(super) clock: Clock,
    pub(super) listener: Listener,
    /// Whether the last submission could be kept.
    pub(super) is_sound: AtomicBool,
}

/// What came of a request, for the log.
struct Told {
    outcome: &'static str,
    receipt: Option<Receipt>,
    bytes: u64,
}

impl Told {
    fn only(outcome: &'static str) -> Self {
        Self { outcome, receipt: None, bytes: 0 }
    }
}

impl Door {
    /// Returns how many requests each form takes.
    pub(super) fn rates(endpoints: &[Endpoint]) -> Vec<Rates> {
        let forms = endpoints.iter().map(|endpoint| &endpoint.form);
        forms.map(|form| Rates { all: form.per_minute, one: form.per_address_per_minute }).collect()
    }

    /// Answers a request from `peer`, and says so.
    pub(super) async fn answer(&self, peer: IpAddr, request: Request<Incoming>) -> Answer {
        let began = (self.clock)();
        let path = request.uri().path();
        let form = self.endpoints.iter().position(|endpoint| endpoint.form.path == path);
        let (answer, told) = match form {
            Some(form) => self.of_form(form, peer, began, request).await,
            None => self.of_no_form(&request),
        };
        if told.outcome == HEALTH && answer.status().is_success() {
            // Whoever watches asks every few seconds.
            return answer;
        }
        (self.listener)(Event::Answered {
            form: form.map(|form| self.endpoints[form].form.id.clone()),
            status: answer.status().as_u16(),
            outcome: told.outcome,
            receipt: told.receipt.map(|receipt| receipt.to_string()),
            bytes: told.bytes,
            millis: ((self.clock)() - began).num_milliseconds(),
        });
        answer
    }

    fn of_no_form(&self, request: &Request<Incoming>) -> (Answer, Told) {
        if request.uri().path() != HEALTH_PATH {
            let message = "there is no form at this address";
            return refused(&Refusal::new(StatusCode::NOT_FOUND, "not-found", message).and_close());
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return refused(&Refusal::method("GET, HEAD"));
        }
        let is_sound = self.is_sound.load(Ordering::Relaxed);
        (answer::health(is_sound), Told::only(HEALTH))
    }

    async fn of_form(
        &self,
        form: usize,
        peer: IpAddr,
        now: DateTime<Utc>,
        request: Request<Incoming>,
    ) -> (Answer, Told) {
        let endpoint = &self.endpoints[form];
        let origin = match allowed_origin(endpoint, request.headers()) {
            Ok(origin) => origin,
            Err(refusal) => return refused(&refusal),
        };
        let is_asked = *request.method() == Method::GET && endpoint.guard.is_asked_beforehand();
        let (mut answer, told) = match *request.method() {
            Method::POST => self.post(form, peer, now, request).await,
            Method::OPTIONS => {
                (answer::preflight(endpoint.guard.header()), Told::only("preflight"))
            }
            Method::GET if is_asked => {
                question(endpoint, request.uri().query().unwrap_or_default())
            }
            _ if endpoint.guard.is_asked_beforehand() => refused(&Refusal::method("GET, POST")),
            _ => refused(&Refusal::method("POST, OPTIONS")),
        };
        if let Some(origin) = origin {
            answer::let_read(&mut answer, &origin);
        }
        (answer, told)
    }

    async fn post(
        &self,
        form: usize,
        peer: IpAddr,
        now: DateTime<Utc>,
        request: Request<Incoming>,
    ) -> (Answer, Told) {
        let endpoint = &self.endpoints[form];
        let (head, body) = request.into_parts();
        let headers = &head.headers;
        let forwarded = headers.get_all("x-forwarded-for").iter();
        let forwarded: Vec<&str> = forwarded.filter_map(|value| value.to_str().ok()).collect();
        let sender = address::sender(peer, forwarded.into_iter(), &self.trusted_proxies);
        if let Err(refusal) =
            self.let_in(form, sender, now).and_then(|()| readable(endpoint, headers))
        {
            return refused(&refusal);
        }
        let most = endpoint.form.body_bytes_max;
        let body = match tokio::time::timeout(BODY_TIME, read(body, most)).await {
            Ok(Ok(body)) => body,
            Ok(Err(refusal)) => return refused(&refusal),
            Err(_) => {
                let message = "the body took too long";
                let refusal = Refusal::new(StatusCode::REQUEST_TIMEOUT, "too-slow", message);
                return refused(&refusal.and_close());
            }
        };
        let told = |outcome| Told { bytes: body.len() as u64, ..Told::only(outcome) };
        let submissions = match submissions(endpoint, headers, &body, now) {
            Ok(submissions) => submissions,
            Err(refusal) => return (refusal.answer(), told(refusal.code)),
        };
        let is_spam = submissions.iter().any(|(_, is_spam)| *is_spam);
        let mut lines = Vec::new();
        for (record, is_spam) in &submissions {
            let receipt = record.receipt(&endpoint.form.id);
            let additions = self.additions(endpoint, headers, sender, now, *is_spam);
            lines.push((receipt, record.line(receipt, now.timestamp_millis(), &additions)));
        }
        let receipts: Vec<Receipt> = lines.iter().map(|(receipt, _)| *receipt).collect();
        let Ok(kept) = self.keep(form, lines).await else {
            let refusal = Refusal::not_kept();
            return (refusal.answer(), told(refusal.code));
        };
        let outcome = match kept {
            Kept::Repeat => "repeat",
            Kept::New if is_spam => "honeypot",
            Kept::New => "new",
        };
        let page = endpoint.form.thank_you.as_ref().filter(|_| is_plain_form(headers));
        let answer =
            page.map_or_else(|| answer::receipts(&receipts), |page| answer::redirect(page));
        (answer, Told { receipt: receipts.first().copied(), ..told(outcome) })
    }

    fn let_in(&self, form: usize, sender: IpAddr, now: DateTime<Utc>) -> Result<(), Refusal> {
        let mut limiter = self.limiter.lock().unwrap_or_else(PoisonError::into_inner);
        let household = address::household(sender);
        limiter.take(form, household, now.timestamp_millis()).map_err(Refusal::too_many)
    }

    async fn keep(&self, form: usize, lines: Vec<(Receipt, Vec<u8>)>) -> Result<Kept, NotKept> {
        let outcome = match self.committer.offer(form, lines) {
            Ok(outcome) => outcome.await.unwrap_or(Err(NotKept)),
            Err(fault) => Err(fault),
        };
        self.is_sound.store(outcome.is_ok(), Ordering::Relaxed);
        outcome
    }

    /// Returns what is kept beside a submission: when it came and, where the person sent it, from where.
    fn additions(
        &self,
        endpoint: &Endpoint,
        headers: &HeaderMap,
        sender: IpAddr,
        now: DateTime<Utc>,
        is_spam: bool,
    ) -> Vec<Addition> {
        let is_visitor = endpoint.form.sender == Sender::Visitor;
        let add = |name, value: String, is_evidence| Addition { name, value, is_evidence };
        let at = now.to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut additions = vec![add("received_at", at, is_visitor)];
        if is_spam {
            // The preset of every source knows this name as that of a field which people cannot see.
            additions.push(add("honeypot", "filled in".to_owned(), false));
        }
        if is_visitor {
            let ip = ip::kept(&sender.to_string(), self.ip);
            additions.extend(ip.map(|ip| add("ip", ip, true)));
            let agent = kept_header(headers, &USER_AGENT);
            additions.extend(agent.map(|agent| add("user_agent", agent, true)));
            // The page knows its own address better than what the browser lets through of it.
            let page = kept_header(headers, &REFERER).or_else(|| kept_header(headers, &ORIGIN));
            additions.extend(page.map(|page| add("page_url", page, false)));
        }
        additions
    }
}

fn refused(refusal: &Refusal) -> (Answer, Told) {
    (refusal.answer(), Told::only(refusal.code))
}

fn question(endpoint: &Endpoint, query: &str) -> (Answer, Told) {
    match endpoint.guard.challenge(query) {
        Ok(text) => (answer::challenge(text), Told::only("challenge")),
        Err(denial) => {
            let message = "the token is not the one that this endpoint knows";
            refused(&Refusal::new(StatusCode::FORBIDDEN, denial.code(), message).and_close())
        }
    }
}

/// Returns whose scripts may read the answer, of a request that a page sent.
///
/// # Errors
/// When it is none of the pages that may send. Only browsers say truly where a request is from, so this keeps out
/// other people's pages and nobody else; a browser that hides it says `null`, and is let in like a program.
fn allowed_origin(
    endpoint: &Endpoint,
    headers: &HeaderMap,
) -> Result<Option<HeaderValue>, Refusal> {
    let origins = &endpoint.form.origins;
    let Some(origin) =
        headers.get(ORIGIN).filter(|origin| *origin != "null" && !origins.is_empty())
    else {
        return Ok(None);
    };
    let is_allowed = origins.iter().any(|one| one == "*" || one.as_bytes() == origin.as_bytes());
    if is_allowed {
        return Ok(Some(origin.clone()));
    }
    let message = "pages of this site may not send here";
    Err(Refusal::new(StatusCode::FORBIDDEN, "origin", message).and_close())
}

/// Refuses what need not be read to be refused.
fn readable(endpoint: &Endpoint, headers: &HeaderMap) -> Result<(), Refusal> {
    let encoding = headers.get(CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| encoding != "identity") {
        let message = "compressed bodies are not read";
        let refusal = Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "encoding", message);
        return Err(refusal.and_close());
    }
    if !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING) {
        let message = "the length of the body is not said";
        return Err(Refusal::new(StatusCode::LENGTH_REQUIRED, "length", message).and_close());
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let most = endpoint.form.body_bytes_max;
    if length.is_some_and(|length: u64| length > most + SURPLUS_BYTES) {
        return Err(too_large(most));
    }
    Ok(())
}

fn too_large(most: u64) -> Refusal {
    let message = format!("the body is larger than {most} bytes");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", &message).and_close()
}

/// Reads a body of at most `most` bytes.
async fn read(mut body: Incoming, most: u64) -> Result<Bytes, Refusal> {
    let mut found = BytesMut::with_capacity(body.size_hint().lower().min(most) as usize);
    let mut bytes: u64 = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            let message = "the body ends too early";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "cut", message).and_close());
        };
        let Ok(part) = frame.into_data() else { continue };
        bytes += part.len() as u64;
        if bytes <= most {
            found.extend_from_slice(&part);
        } else if bytes > most + SURPLUS_BYTES {
            break;
        }
    }
    if bytes > most { Err(too_large(most)) } else { Ok(found.freeze()) }
}

/// Returns the submissions of a body whose sender may send them, each with whether a bot gave itself away.
fn submissions(
    endpoint: &Endpoint,
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<Vec<(Record, bool)>, Refusal> {
    let denied = |code| {
        let message = "the sender could not prove that they may send here";
        Refusal::new(StatusCode::UNAUTHORIZED, code, message)
    };
    let signed = endpoint.guard.check(headers, body, now.timestamp_millis());
    signed.map_err(|denial| denied(denial.code()))?;
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let mut records = body::records(kind, body).map_err(unreadable)?;
    let form = &endpoint.form;
    for record in &mut records {
        if let Some((field, secret)) = endpoint.guard.field() {
            let given = record.take(field).ok_or_else(|| denied("signature-missing"))?;
            if !secret.is(given.as_bytes()) {
                return Err(denied("signature-wrong"));
            }
        }
        for field in &form.drop {
            record.take(field);
        }
    }
    let judge = |record: Record| {
        let is_spam = form.honeypot.iter().any(|field| record.is_filled(field));
        // A bot is told nothing by which it could learn.
        if !is_spam {
            complete(endpoint, &record)?;
        }
        Ok((record, is_spam))
    };
    records.into_iter().map(judge).collect()
}

fn complete(endpoint: &Endpoint, record: &Record) -> Result<(), Refusal> {
    if record.is_empty() {
        return Err(unreadable(BodyFault::Empty));
    }
    let form = &endpoint.form;
    let missing: Vec<&str> =
        form.required.iter().map(String::as_str).filter(|field| !record.is_filled(field)).collect();
    let has_any = form.required_any.is_empty()
        || form.required_any.iter().any(|field| record.is_filled(field));
    let message = if !missing.is_empty() {
        format!("these fields must be filled in: {}", missing.join(", "))
    } else if !has_any {
        format!("one of these fields must be filled in: {}", form.required_any.join(", "))
    } else {
        return Ok(());
    };
    Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "incomplete", &message))
}

fn unreadable(fault: BodyFault) -> Refusal {
    let (status, code, message) = match fault {
        BodyFault::Unsupported => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "kind",
            "send application/json, application/x-www-form-urlencoded or multipart/form-data",
        ),
        BodyFault::HasFiles => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "files", "files are not taken here")
        }
        BodyFault::NotUtf8 => {
            (StatusCode::BAD_REQUEST, "not-utf-8", "the body is not UTF-8; send it in UTF-8")
        }
        BodyFault::Broken(message) => (StatusCode::BAD_REQUEST, "broken", message),
        BodyFault::Empty => (StatusCode::BAD_REQUEST, "empty", "there is nothing in the body"),
        BodyFault::TooMany => {
            (StatusCode::PAYLOAD_TOO_LARGE, "too-many-records", "send at most 1000 at once")
        }
    };
    Refusal::new(status, code, message)
}

/// Returns whether a browser sent a form by itself, so that what is answered is the next page.
fn is_plain_form(headers: &HeaderMap) -> bool {
    let says = |name: &HeaderName, word: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.to_ascii_lowercase().contains(word))
    };
    let is_form = says(&CONTENT_TYPE, "form-urlencoded") || says(&CONTENT_TYPE, "form-data");
    is_form && says(&hyper::header::ACCEPT, "text/html")
}

/// Returns the start of a header's value.
fn kept_header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = String::from_utf8_lossy(headers.get(name)?.as_bytes());
    let end = value.floor_char_boundary(HEADER_BYTES_MAX);
    Some(value[..end].trim().to_owned()).filter(|value| !value.is_empty() && value != "null")
}
