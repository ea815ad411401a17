//! What is answered: small JSON, a redirect for plain HTML forms, and the headers by which browsers let pages read it.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderName,
    HeaderValue, LOCATION, RETRY_AFTER, VARY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{HeaderMap, Response, StatusCode};
use serde_json::{Value, json};

use super::receipt::Receipt;

/// Seconds for which a browser need not ask again whether a page may send.
const PREFLIGHT_SECONDS: u32 = 600;

/// Seconds after which a sender may try again when the disk failed.
const RETRY_SECONDS: u64 = 30;

/// An answer on its way.
pub(super) type Answer = Response<Full<Bytes>>;

/// Why a request is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// A word for programs and the log.
    pub(super) code: &'static str,
    /// A sentence for people; it holds nothing of what was sent.
    pub(super) message: String,
    /// Seconds after which it may be tried again.
    retry_after: Option<u64>,
    /// Methods that are taken, when this one is not.
    allow: Option<&'static str>,
    /// Whether the rest of what is being sent is not waited for.
    is_final: bool,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, message: &str) -> Self {
        let message = message.to_owned();
        Self { status, code, message, retry_after: None, allow: None, is_final: false }
    }

    /// Too many requests; the next is taken after `seconds`.
    pub(super) fn too_many(seconds: u64) -> Self {
        let message = "too many requests; try again later";
        Self {
            retry_after: Some(seconds),
            is_final: true,
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many", message)
        }
    }

    /// The disk is full or fails.
    pub(super) fn not_kept() -> Self {
        let message = "the submission could not be kept; send it again later";
        Self {
            retry_after: Some(RETRY_SECONDS),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-kept", message)
        }
    }

    /// The path is there, and takes other methods.
    pub(super) fn method(allow: &'static str) -> Self {
        let message = format!("this address takes {allow}");
        Self {
            allow: Some(allow),
            is_final: true,
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "method", &message)
        }
    }

    /// Ends the connection with the answer.
    pub(super) fn and_close(self) -> Self {
        Self { is_final: true, ..self }
    }

    pub(super) fn answer(&self) -> Answer {
        let body = json!({ "error": self.code, "message": self.message });
        let mut answer = with_json(self.status, &body);
        if let Some(seconds) = self.retry_after {
            set(&mut answer, RETRY_AFTER, &seconds.to_string());
        }
        if let Some(methods) = self.allow {
            set(&mut answer, ALLOW, methods);
        }
        if self.is_final {
            set(&mut answer, CONNECTION, "close");
        }
        answer
    }
}

/// Returns the answer to one submission or to a list of them.
pub(super) fn receipts(receipts: &[Receipt]) -> Answer {
    let texts: Vec<String> = receipts.iter().map(Receipt::to_string).collect();
    let body = match &texts[..] {
        [one] => json!({ "receipt": one }),
        all => json!({ "receipts": all }),
    };
    with_json(StatusCode::OK, &body)
}

/// Sends a browser to `page`.
pub(super) fn redirect(page: &str) -> Answer {
    let mut answer = plain(StatusCode::SEE_OTHER, Bytes::new());
    set(&mut answer, LOCATION, page);
    answer
}

/// Answers Meta's question.
pub(super) fn challenge(text: String) -> Answer {
    let mut answer = plain(StatusCode::OK, text.into());
    set(&mut answer, CONTENT_TYPE, "text/plain");
    answer
}

/// Says whether submissions can be kept.
pub(super) fn health(is_sound: bool) -> Answer {
    let (status, word) = if is_sound {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the last submission could not be kept")
    };
    with_json(status, &json!({ "status": word }))
}

/// Answers a browser that asks whether a page may send; `header` is one that it may have to add.
pub(super) fn preflight(header: Option<&str>) -> Answer {
    let mut answer = plain(StatusCode::NO_CONTENT, Bytes::new());
    let headers =
        header.map_or("content-type".to_owned(), |header| format!("content-type, {header}"));
    set(&mut answer, ACCESS_CONTROL_ALLOW_METHODS, "POST");
    set(&mut answer, ACCESS_CONTROL_ALLOW_HEADERS, &headers);
    set(&mut answer, ACCESS_CONTROL_MAX_AGE, &PREFLIGHT_SECONDS.to_string());
    answer
}

/// Lets scripts of the page at `origin` read the answer.
pub(super) fn let_read(answer: &mut Answer, origin: &HeaderValue) {
    answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    answer.headers_mut().insert(VARY, HeaderValue::from_static("origin"));
}

fn with_json(status: StatusCode, body: &Value) -> Answer {
    let mut answer = plain(status, format!("{body}\n").into());
    set(&mut answer, CONTENT_TYPE, "application/json");
    answer
}

fn plain(status: StatusCode, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    let headers: &mut HeaderMap = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

/// Sets a header; what comes from the rules was checked there.
fn set(answer: &mut Answer, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}
