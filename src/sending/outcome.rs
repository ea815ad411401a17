//! What an answer means: a table, and nothing else.

use super::schedule::retry_after_ms;
use crate::rules::outbox::Conflict;

/// How far an attempt came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The receiver answered with this status.
    Status(Answer),
    /// A mail server answered with this code at this stage.
    Smtp {
        /// Three digits.
        code: u16,
        /// Where in the conversation.
        stage: Stage,
    },
    /// Nothing of the request was taken: no connection, no way there.
    NotSent(&'static str),
    /// The request is gone, and no answer came that could be read.
    Lost(&'static str),
    /// What was asked for must not be done at all: an address in a private network, a secret that is not there.
    Forbidden(&'static str),
}

/// An answer over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// `Retry-After`, as it stands there.
    pub retry_after: Option<String>,
    /// The body, as far as it is kept.
    pub body: Vec<u8>,
    /// Whether the body came whole.
    pub is_whole: bool,
}

/// Where a conversation with a mail server was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Before anything was said of the mail: greeting, encryption, password.
    Opening,
    /// Sender and recipient.
    Envelope,
    /// The mail itself.
    Message,
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Done,
    /// Each item has an outcome of its own, which the body tells.
    ByItem,
    /// It was not taken and may be later.
    Transient,
    /// The receiver is busy; it said for how many milliseconds, if it did.
    Throttled(Option<i64>),
    /// Nobody knows whether it was taken.
    Unknown,
    /// The receiver takes nothing from us now; it is not the item's fault.
    TargetFault,
    /// It will not be taken, ever.
    Permanent,
    /// The same, because this is not where such a thing is taken.
    WrongPlace,
    /// The same, but something may still be on its way: only after several attempts.
    NotFound,
    /// The receiver is gone for good.
    Gone,
}

/// Returns what `reply` means, and its code for programs, such as `http-503`.
///
/// `now_ms` is when it came; `by_item` says that a success tells of each item in its body.
pub fn judge(reply: &Reply, conflict: Conflict, by_item: bool, now_ms: i64) -> (Outcome, String) {
    let outcome = match reply {
        Reply::Status(answer) => of_status(answer, conflict, by_item, now_ms),
        Reply::Smtp { code, stage } => of_smtp(*code, *stage),
        Reply::NotSent(_) => Outcome::Transient,
        Reply::Lost(_) => Outcome::Unknown,
        Reply::Forbidden(_) => Outcome::TargetFault,
    };
    (outcome, code_of(reply))
}

fn of_status(answer: &Answer, conflict: Conflict, by_item: bool, now_ms: i64) -> Outcome {
    let wait = || answer.retry_after.as_deref().and_then(|text| retry_after_ms(text, now_ms));
    match answer.status {
        // The status has come, but what it is about has not.
        200..=299 if !answer.is_whole => Outcome::Unknown,
        200..=299 if by_item => Outcome::ByItem,
        200..=299 => Outcome::Done,
        429 => Outcome::Throttled(wait()),
        503 if answer.retry_after.is_some() => Outcome::Throttled(wait()),
        // 520 to 530 are what proxies say of a server.
        408 | 425 | 500 | 502..=599 => Outcome::Transient,
        401 | 403 | 407 => Outcome::TargetFault,
        404 => Outcome::NotFound,
        409 if conflict == Conflict::Delivered => Outcome::Done,
        410 => Outcome::Gone,
        300..=399 | 405 | 501 => Outcome::WrongPlace,
        _ => Outcome::Permanent,
    }
}

fn of_smtp(code: u16, stage: Stage) -> Outcome {
    match (code, stage) {
        (200..=299, Stage::Message) => Outcome::Done,
        (400..=499, _) => Outcome::Transient,
        (_, Stage::Opening) => Outcome::TargetFault,
        (500..=599, _) => Outcome::Permanent,
        // Nothing else answers a mail.
        _ => Outcome::Unknown,
    }
}

fn code_of(reply: &Reply) -> String {
    match reply {
        Reply::Status(answer) if (200..300).contains(&answer.status) && !answer.is_whole => {
            "truncated".to_owned()
        }
        Reply::Status(answer) => format!("http-{}", answer.status),
        Reply::Smtp { code, .. } => format!("smtp-{code}"),
        Reply::NotSent(code) | Reply::Lost(code) | Reply::Forbidden(code) => (*code).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_790_000_000_000;

    fn status(status: u16) -> Reply {
        Reply::Status(Answer { status, is_whole: true, ..Answer::default() })
    }

    #[track_caller]
    fn check(reply: &Reply, expected: Outcome, code: &str) {
        let found = judge(reply, Conflict::Refused, false, NOW_MS);
        assert_eq!(found, (expected, code.to_owned()), "{reply:?}");
    }

    #[test]
    fn each_status_has_its_class() {
        for (code, expected) in [
            (200, Outcome::Done),
            (202, Outcome::Done),
            (204, Outcome::Done),
            (301, Outcome::WrongPlace),
            (302, Outcome::WrongPlace),
            (400, Outcome::Permanent),
            (401, Outcome::TargetFault),
            (403, Outcome::TargetFault),
            (404, Outcome::NotFound),
            (405, Outcome::WrongPlace),
            (408, Outcome::Transient),
            (409, Outcome::Permanent),
            (410, Outcome::Gone),
            (413, Outcome::Permanent),
            (422, Outcome::Permanent),
            (425, Outcome::Transient),
            (429, Outcome::Throttled(None)),
            (500, Outcome::Transient),
            (501, Outcome::WrongPlace),
            (502, Outcome::Transient),
            (503, Outcome::Transient),
            (504, Outcome::Transient),
            (522, Outcome::Transient),
        ] {
            check(&status(code), expected, &format!("http-{code}"));
        }
    }

    #[test]
    fn what_409_means_is_the_receivers() {
        let (outcome, _) = judge(&status(409), Conflict::Delivered, false, NOW_MS);
        assert_eq!(outcome, Outcome::Done);
    }

    #[test]
    fn only_a_success_tells_of_each_item() {
        for (code, expected) in
            [(200, Outcome::ByItem), (207, Outcome::ByItem), (500, Outcome::Transient)]
        {
            let (outcome, _) = judge(&status(code), Conflict::Refused, true, NOW_MS);
            assert_eq!(outcome, expected, "{code}");
        }
    }

    #[test]
    fn a_busy_receiver_says_for_how_long() {
        let busy = |status, text: &str| {
            Reply::Status(Answer {
                status,
                retry_after: Some(text.to_owned()),
                is_whole: true,
                ..Answer::default()
            })
        };
        check(&busy(429, "7"), Outcome::Throttled(Some(7_000)), "http-429");
        check(&busy(503, "7"), Outcome::Throttled(Some(7_000)), "http-503");
        check(&busy(503, "soon"), Outcome::Throttled(None), "http-503");
        check(&busy(500, "7"), Outcome::Transient, "http-500");
    }

    #[test]
    fn an_answer_that_broke_off_says_nothing() {
        let cut = Reply::Status(Answer { status: 200, ..Answer::default() });
        check(&cut, Outcome::Unknown, "truncated");
        let refused = Reply::Status(Answer { status: 422, ..Answer::default() });
        check(&refused, Outcome::Permanent, "http-422");
    }

    #[test]
    fn what_never_left_may_go_again_and_what_was_lost_may_have_arrived() {
        check(&Reply::NotSent("connect"), Outcome::Transient, "connect");
        check(&Reply::Lost("timeout"), Outcome::Unknown, "timeout");
        check(&Reply::Forbidden("private-address"), Outcome::TargetFault, "private-address");
    }

    #[test]
    fn a_mail_server_is_judged_by_code_and_stage() {
        for (code, stage, expected) in [
            (250, Stage::Message, Outcome::Done),
            (421, Stage::Opening, Outcome::Transient),
            (450, Stage::Envelope, Outcome::Transient),
            (451, Stage::Message, Outcome::Transient),
            (535, Stage::Opening, Outcome::TargetFault),
            (554, Stage::Opening, Outcome::TargetFault),
            (550, Stage::Envelope, Outcome::Permanent),
            (554, Stage::Message, Outcome::Permanent),
        ] {
            check(&Reply::Smtp { code, stage }, expected, &format!("smtp-{code}"));
        }
    }
}
